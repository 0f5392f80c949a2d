/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The tests on real Xen: Debian's hypervisor in an unmodified QEMU. A machine runs from its start
 * to its end, and is judged by what it has said.
 *
 * machine.c: runs one, and finds things in what it has said.
 * first.c: Aerostat as Xen's first domain, without any Linux.
 * domains.c: two Aerostat domains that xl makes, under a Linux as first domain.
 * witness.c: an Aerostat domain and a Linux one, under the same.
 * told.c: what both have in common. latency.c: how soon the driver was.
 */
#ifndef TESTS_XEN_MACHINE_H
#define TESTS_XEN_MACHINE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define KIB UINT64_C(1024)
#define MIB (1024 * KIB)
#define FRAME UINT64_C(4096)
#define BLOCK (512 * FRAME)

struct json_object;

struct machine {
	const char *name; /* of its log: BUILD/log/xen-NAME.serial, or RESULTS/ */
	const char *cpu, *memory;
	const char *xen;    /* Xen's command line */
	const char *initrd; /* as QEMU's -initrd takes it: "FILE WORDS,FILE" */
	const char *const *devices;
	int timeout_ms;
};

/* What the last machine has said, without carriage returns, and how it ended. */
extern char *machine_text;
extern int machine_status;

/* Gives BUILD/NAME; good until the next call but three. */
const char *machine_path(const char *name);

/*
 * Runs QEMU, the one in the environment, to its end. For a cmocka group's setup: returns 0, or
 * -1 if it did not come to an end, which is told.
 */
int machine_run(const struct machine *machine);

/* A cmocka group's teardown. Returns 0. */
int machine_forget(void **state);

/* Fails the running test if the text is nowhere, after `from`; returns what comes after it. */
const char *machine_find(const char *from, const char *text);

/*
 * Gives the next line of JSON from `*at` on that has the member `name`, and moves `*at` to what
 * comes after it; the caller's by json_object_put(). Fails the running test if there is none.
 */
struct json_object *machine_json(const char **at, const char *name);

/* Gives a number that must be in an object. Fails the running test if it is not. */
uint64_t machine_number(struct json_object *object, const char *name);

/* Checks the ledger in a `show_mem -j` and the answer of `audit -j`. */
void machine_check_ledger(struct json_object *memory, struct json_object *audit);

/* The groups: each returns the number of tests that failed. */
int first_tests(void);
int domains_tests(void);
int witness_tests(void);

#endif
