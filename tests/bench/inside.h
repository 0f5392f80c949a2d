/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * inside.c: a guest of the hypervisor for tests (docs/hypervisor.md), or, beside it, one of QEMU's
 * own, for the benchmark of the balloon's ports. What goes wrong ends the program, with a line.
 */
#ifndef TESTS_BENCH_INSIDE_H
#define TESTS_BENCH_INSIDE_H

#include <stdint.h>
#include <time.h>

#include "tools/hypervisor.h"
#include "tools/vm.h"

#define INSIDE_FRAME UINT64_C(4096)
#define INSIDE_TIMEOUT_MS 600000
#define INSIDE_POLL_US 200

struct inside_options {
	const char *hypervisor; /* its personality; NULL: none, the guest is QEMU's own */
	const char *memory;	/* -m */
	const char *append;
	const char *device; /* -device; NULL: none */
};

struct inside {
	struct vm *vm;
	double prompt_seconds;	       /* from QEMU's start to the first prompt */
	struct hypervisor *hypervisor; /* NULL: none */
	volatile struct hv_control_common *common;
	clockid_t processor; /* of QEMU's time */
};

/* Says which images are started; kept, not copied. */
void inside_use(const char *aerostat, const char *hypervisor);

/* Starts a guest and waits for its prompt. By inside_stop(). */
void inside_start(struct inside *in, const struct inside_options *options);
void inside_stop(struct inside *in);

/* Types a line. *output, if asked for, is the caller's by free(). */
void inside_ask(struct inside *in, const char *line, char **output);

/* Reads a clock, in seconds. */
double inside_seconds(clockid_t clock);

/* Waits until a figure, which another process writes, is this one. `what` is in the complaint. */
void inside_await(const volatile uint64_t *figure, uint64_t value, const char *what);

/* Ends the program with a line. */
__attribute__((noreturn)) void inside_fail(const char *what);

#endif
