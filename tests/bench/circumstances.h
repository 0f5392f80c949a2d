/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * circumstances.c: what a benchmark's figures belong to, each in a line of
 * text: the processor and its system, the day, the command.
 */
#ifndef TESTS_BENCH_CIRCUMSTANCES_H
#define TESTS_BENCH_CIRCUMSTANCES_H

struct circumstances {
	char host[256], date[32], command[512];
};

void circumstances_note(struct circumstances *c, int argc, char **argv);

#endif
