/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * host.c: a host that nobody here has written: QEMU's own VMBus and Hyper-V balloon. They need KVM,
 * which is in a Linux inside another QEMU, that emulates AMD's SVM. tests/nested/init starts the
 * inner QEMU, of which this is about, with an Aerostat as its guest.
 *
 * BUILD (where the images are; "build" without it) and QEMU, the outer one, are in the environment.
 */
#ifndef TESTS_NESTED_HOST_H
#define TESTS_NESTED_HOST_H

#include <stdbool.h>
#include <stdint.h>

struct json_object;
struct qmp;
struct vm;

/* The one host of this process. */
extern struct host {
	struct vm *vm;	 /* the outer QEMU; its serial line is the guest's console */
	struct qmp *qmp; /* the inner QEMU's */
	bool gave_up;	 /* something has not come */
} host;

/*
 * Starts it, and waits for the guest's prompt. For a cmocka group's setup: returns 0, or -1, and
 * what is wrong has been told. By host_stop() in either case.
 */
int host_start(void **state);

/* A cmocka group's teardown. Returns 0. */
int host_stop(void **state);

/*
 * Returns the ms for anything that may take its time, on a machine that has other work. Once
 * something has not come they are few, as what is later in the guest's life may wait for it.
 */
int host_timeout_ms(void);

/* Runs a QMP command without arguments; the answer is the caller's by json_object_put(). */
struct json_object *host_query(const char *command);

/*
 * Types a line at the guest's prompt; gives the object in its answer, the caller's by
 * json_object_put(), or NULL: there is none yet.
 */
struct json_object *host_ask(const char *line);

/* Gives a number that must be in an object. Fails the running test if it is not. */
uint64_t host_number(struct json_object *object, const char *name);

/* Types a line, whose answer must contain `text`. */
void host_says(const char *line, const char *text);

/* Types a line that is the guest's last, and waits for `text`. */
void host_ends(const char *line, const char *text);

/* Waits for the guest's next status report; what it says is the caller's by json_object_put(). */
struct json_object *host_report(void);

/*
 * Sends a target: so many bytes are to be left. At once after a report of the guest's: one that is
 * under way when QEMU takes a command ends QEMU, by an assertion.
 */
void host_set_target(uint64_t bytes_left);

/* Tells what was waited for, and fails the running test. */
void host_give_up(const char *what);

#endif
