/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * history.c: the course of a guest's balloon over the last minutes. Times are in
 * milliseconds, by deadline_now().
 */
#ifndef TOOLS_BALLOONCTL_HISTORY_H
#define TOOLS_BALLOONCTL_HISTORY_H

#include <stdbool.h>
#include <stdint.h>

#define HISTORY_MS (5 * 60 * 1000)
#define HISTORY_POINTS 1024
#define HISTORY_RATE_MS 3000 /* what is "now" in a rate */

struct sample;

struct history_point {
	int64_t time;
	bool gone;
	uint64_t ram, taken, target_taken;
	bool has_target, has_cpu;
	uint64_t cpu_ms;
};

/* All zero is an empty one. */
struct history {
	uint64_t newest; /* number of the last sample */
	unsigned count, first;
	struct history_point points[HISTORY_POINTS];
};

/* Adds a sample, unless it is there already; the oldest points make room. */
void history_add(struct history *history, const struct sample *sample);

/*
 * Gives the state at `time`: the last point not after it. NULL: there is none, or
 * it is older than `stale_ms`, so that nobody knows.
 */
const struct history_point *history_at(const struct history *history, int64_t time,
				       int64_t stale_ms);

/* Gives the guest's memory when it was seen last; 0: it never was. */
uint64_t history_ram(const struct history *history);

/* Gives the bytes a second by which the balloon grew (or, below 0, shrank) lately. */
double history_rate(const struct history *history);

/* Stores how many processors QEMU used lately: 1.0 is one; false: not known. */
bool history_cpu(const struct history *history, double *processors);

#endif
