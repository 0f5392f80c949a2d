/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * failing.c: the n-th call of what can fail, does: memory, threads, files, sockets. It
 * stands in front of the C library for all objects of a program, by the linker's --wrap;
 * tests/tests.mk has the list.
 */
#ifndef TESTS_UNIT_TOOLS_FAILING_H
#define TESTS_UNIT_TOOLS_FAILING_H

#include <stdbool.h>

enum failing { FAILING_MEMORY, FAILING_CALLS };

/*
 * From now on the n-th call of this kind fails, from 1, in whatever thread; 0: none does.
 * Others before and after it do what they always do.
 */
void fail_nth(enum failing kind, unsigned n);

/* Gives what fails from now on this errno; 0: each call has one of its own. */
void fail_with(int err);

/* Tells the name of the call that failed since fail_nth(); NULL: there were not so many. */
const char *failed_call(void);

#endif
