/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * circumstances.c: the circumstances of a benchmark, without which its figures say
 * nothing: the processor and its system, the day, the command.
 */
#ifndef TESTS_BENCH_CIRCUMSTANCES_H
#define TESTS_BENCH_CIRCUMSTANCES_H

struct circumstances {
	char host[256], date[32], command[512];
};

/* Fills in all lines; arguments that do not fit are cut off. */
void circumstances_note(struct circumstances *c, int argc, char **argv);

#endif
