/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * history.c: the course of a guest's balloon, over several windows at a time: the last
 * minute in fine steps, the last day in coarse ones. A step knows the extremes of its
 * time. Times are in milliseconds, by deadline_now().
 */
#ifndef TOOLS_BALLOONCTL_HISTORY_H
#define TOOLS_BALLOONCTL_HISTORY_H

#include <stdbool.h>
#include <stdint.h>

#define HISTORY_WINDOWS 6  /* see history_window_ms() */
#define HISTORY_DEFAULT 1u /* the window of five minutes */
#define HISTORY_POINTS 512
#define HISTORY_RATE_MS 3000 /* what is "now" in a rate */

struct sample;

struct history_point {
	int64_t time;
	bool gone;	    /* at `time` */
	bool seen, missed;  /* at any time since the point before */
	uint64_t low, high; /* taken since the point before, if `seen` */
	uint64_t ram, grown, taken, target_taken;
	bool has_target, has_cpu;
	uint64_t cpu_ms;
};

struct history_ring {
	unsigned count, first;
	struct history_point points[HISTORY_POINTS];
};

/* All zero is an empty one. */
struct history {
	uint64_t newest; /* number of the last sample */
	struct history_ring rings[HISTORY_WINDOWS];
};

/* What a stretch of time has seen. */
struct history_span {
	bool seen, missed;	  /* the guest was there; it was gone */
	uint64_t low, high, last; /* taken, if `seen` */
	bool has_target;
	uint64_t target_taken; /* the last one, if `has_target` */
	uint64_t ram;	       /* when the guest was seen last; 0: it was not */
};

/* Gives the length of a window: the first is a minute, the last a day. */
int64_t history_window_ms(unsigned window);

/* Adds a sample, unless it is there already; the oldest points make room. */
void history_add(struct history *history, const struct sample *sample);

/*
 * Sums up what was seen after `from` up to `to`, as the window has it; if nothing is
 * newer than `from`, the last state before it. false: there is none, or it is older than
 * `stale_ms` at `to`, so that nobody knows.
 */
bool history_sum(const struct history *history, unsigned window, int64_t from, int64_t to,
		 int64_t stale_ms, struct history_span *span);

/*
 * Gives the most memory that the guest had after `from`, as the window has it, or when it was
 * seen last; *moved tells whether it had less, too. 0: it was never seen.
 */
uint64_t history_ram_most(const struct history *history, unsigned window, int64_t from,
			  bool *moved);

/* Gives the bytes a second by which the balloon grew (or, below 0, shrank) lately. */
double history_rate(const struct history *history);

/* Stores how many processors QEMU used lately: 1.0 is one; false: not known. */
bool history_cpu(const struct history *history, double *processors);

#endif
