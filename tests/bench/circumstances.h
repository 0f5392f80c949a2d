/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The circumstances of a benchmark's figures, a line of text each: the processor
 * and its system, the day, the command.
 */
#ifndef TESTS_BENCH_CIRCUMSTANCES_H
#define TESTS_BENCH_CIRCUMSTANCES_H

struct circumstances {
	char host[256], date[32], command[512];
};

/* Fills in everything; the arguments are those of main(). */
void circumstances_note(struct circumstances *c, int argc, char **argv);

#endif
