/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * live.c: the memory of a guest that may still run, as a core (tools/core.h). Only what is
 * asked for is read, a piece at a time and of many pieces only some pages, and kept, so that
 * a terabyte costs no more than what is looked at. The guest stands still meanwhile,
 * LIVE_STAND_MS at a time: then it runs for a while, and what was read before and after need
 * not fit together.
 */
#ifndef TOOLS_BALLOONCTL_LIVE_H
#define TOOLS_BALLOONCTL_LIVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LIVE_STAND_MS 100 /* the guest stands still no longer at a time */

struct core;
struct guest;
struct live;

/* How a guest was read. */
struct live_tally {
	uint64_t bytes;
	unsigned stands; /* it was made to stand still so often; 0: it did not run */
	int64_t ms_max;	 /* the longest of them */
};

/*
 * Begins; nothing is read yet, and the guest runs. Each answer of its manager may take
 * `timeout_ms`. From now on signals only end the reading. *live is the caller's by
 * live_close(). -ENOMEM.
 */
int live_open(struct guest *guest, int timeout_ms, struct live **live);

/* Gives the core, which lives until live_close(). */
const struct core *live_core(const struct live *live);

/*
 * Lets the guest run on, to be called as soon as all is read, and before anything is said;
 * *tally says how that went. Returns the first error of the guest's manager; -EINTR: a signal
 * has come; -ENOMEM. Then live_error() has a sentence.
 */
int live_finish(struct live *live, struct live_tally *tally);

/* Gives the words for what live_finish() returned, which live until live_close(). */
const char *live_error(const struct live *live);

/* Forgets what was read, so that it is read anew. */
void live_forget(struct live *live);

/* Frees; then a signal that came does what it would have done. NULL is allowed. */
void live_close(struct live *live);

#endif
