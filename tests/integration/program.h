/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * program.c: runs the project's host programs as a person would, and keeps their
 * output. Fails the running test if a program cannot be started, or
 * does not end within a generous time.
 */
#ifndef TESTS_INTEGRATION_PROGRAM_H
#define TESTS_INTEGRATION_PROGRAM_H

#include <stdbool.h>
#include <stdio.h>
#include <sys/types.h>

#define PROGRAM_OUTPUT 16384 /* the rest is cut off */

struct program {
	pid_t pid;
	FILE *out, *err; /* files that it writes to; out is NULL on a terminal */
	int terminal;	 /* or the other end of its stdout, a terminal; -1: none */
};

struct program_end {
	int status; /* 128 + the signal that killed it */
	char out[PROGRAM_OUTPUT], err[PROGRAM_OUTPUT];
};

/*
 * Starts a program: `argv` ends with NULL, argv[0] is a path. With `terminal` stdout
 * is one of 80x24.
 */
void program_start(struct program *program, bool terminal, const char *const argv[]);

/* Waits for its end, and gives its output and status. */
void program_finish(struct program *program, struct program_end *end);

/* Starts a program and waits for its end, which is good until the next call. */
const struct program_end *program_run(const char *const argv[]);

/* Gives a built program's path, "build/tools/NAME"; good until the next call. */
const char *program_path(const char *name);

#endif
