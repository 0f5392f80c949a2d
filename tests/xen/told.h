/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * told.c: what a Linux as first domain tells of the domains that it has, in lines that begin with
 * "% " (tests/xen/dom0), and the tests that hold of all such runs.
 */
#ifndef TESTS_XEN_TOLD_H
#define TESTS_XEN_TOLD_H

#include "tests/xen/machine.h"

#define LOOKS_MAX 64
#define WORD 32

/* What each side says of a domain at a time. */
struct look {
	char step[WORD], domain[WORD];
	uint64_t static_max_kib, target_kib;
	bool list_known, xen_known; /* what follows is */
	uint64_t id, list_mib;
	uint64_t xen_kib;
	struct json_object *memory, *audit, *balloon; /* an Aerostat's */
	struct json_object *witness;		      /* a Linux's; NULL: it is none */
};

extern struct look looks[LOOKS_MAX];
extern size_t look_count;

/* Where and when a look is to have been. */
struct told_look {
	const char *step, *domain;
};

/*
 * Runs a machine with so much memory to its end: Xen, Linux as its first domain with so much of
 * it, and in that the steps of tests/xen/dom0/STEPS, which find `words` on Linux's command line,
 * too. It may take `more_ms` longer than usual. Reads what it has told. For a cmocka group's
 * setup: returns 0, or -1 if it did not come to an end, which is told.
 */
int told_run(const char *name, const char *steps, const char *memory, const char *dom0_memory,
	     const char *words, int more_ms);

/* A cmocka group's teardown. Returns 0. */
int told_forget(void **state);

/* Gives what follows "% KEY " in a line; NULL: it is another line. */
const char *told_value(const char *line, const char *key);

/* Calls `fn` with each line that was told, and a word of its own. */
void told_for_each_line(void (*fn)(const char *line, char step[WORD]));

/* Fails the running test unless these are all looks, each with all figures. */
void told_check_looks(const struct told_look *wanted, size_t count);

/* Returns the first look at the domain that this one is at, as long as it has this number. */
const struct look *told_first_of(const struct look *look);

/* Tests. */
void dom0_comes_to_the_end_of_its_steps(void **state);
void all_that_is_waited_for_comes(void **state);
void ledgers_are_whole(void **state);
void xl_lists_what_the_toolstack_wants(void **state);

#endif
