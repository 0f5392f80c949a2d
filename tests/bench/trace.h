/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * trace.c: the guest's writes to its balloon device, and their times, from QEMU's
 * own trace. So every guest is watched in the same way, to the microsecond, and
 * QEMU is not asked anything meanwhile.
 */
#ifndef TESTS_BENCH_TRACE_H
#define TESTS_BENCH_TRACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* QEMU's arguments, of which the last is the file: see trace_open(). */
#define TRACE_ARGUMENTS \
	"-msg", "timestamp=on", "-trace", "virtio_balloon_set_config", "-trace", \
		"virtio_set_status", "-D"

struct trace {
	int fd;
	char path[32]; /* for QEMU, which inherits the descriptor */
	char text[4096];
	size_t len;
};

enum trace_kind {
	TRACE_STATUS, /* the device's status register (virtio 2.1) */
	TRACE_ACTUAL, /* a write to the balloon's config, with `actual` after it */
};

/*
 * Opens a file without a name, before QEMU starts. Returns 0 or a negative errno, as
 * memfd_create(2) gives it.
 */
int trace_open(struct trace *t);

/* Closes the file. */
void trace_close(struct trace *t);

/* Skips all that was written until now. */
void trace_skip(struct trace *t);

/*
 * Waits until the guest writes `value`, or for TRACE_STATUS one that has all
 * bits of `value`. *when is seconds of CLOCK_REALTIME; *writes, if not NULL,
 * the number of writes of that kind, this one included. -ETIMEDOUT.
 */
int trace_wait(struct trace *t, enum trace_kind kind, uint32_t value, int timeout_ms, double *when,
	       unsigned int *writes);

#endif
