/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Memory that a person takes with `hold`: runs of frames of owner `held`, each
 * filled with a pattern of its own that is verified when they are released. A
 * frame that a balloon device discarded or handed to somebody else shows. A busy hold is
 * rewritten without pause, with another pattern each time round: so an old frame,
 * as a move may bring it, shows too.
 */
#ifndef KERNEL_HOLD_H
#define KERNEL_HOLD_H

#include "kernel/lib/types.h"

#define HOLDS_MAX 16

struct hold_info {
	unsigned id;
	unsigned order; /* of its runs */
	uint64_t runs;
	bool busy;
	uint64_t rewritten; /* times, all of it */
};

/* Called for each frame while memory is taken or verified; true: give up. */
typedef bool hold_stop(void);

/*
 * Takes and fills `runs` runs of 2^order frames, all or none. -ENOMEM: there are
 * not so many; -EINTR: `stop` said so; -EAGAIN: there are HOLDS_MAX holds.
 */
int hold_take(uint64_t runs, unsigned order, hold_stop *stop, unsigned *id);

/*
 * Verifies a hold and frees it. Stores how many frames had lost their pattern
 * and the lowest of them. -ENOENT: no such hold; -EINTR: `stop`, which may be NULL, said
 * so: it is free, but not all of it was verified.
 */
int hold_release(unsigned id, hold_stop *stop, uint64_t *broken, pfn_t *first_broken);

/*
 * Verifies and frees every second run of a hold, so that what is free lies in pieces; else
 * as hold_release(). -EBUSY: it is a busy one; it stays whole. -ENOENT, -EINTR.
 */
int hold_release_half(unsigned id, hold_stop *stop, uint64_t *broken, pfn_t *first_broken);

/* Makes a hold busy, for hold_rewrite_some() to rewrite. -ENOENT: no such hold. */
int hold_make_busy(unsigned id);

/*
 * Rewrites the next frames of each busy hold, about a millisecond's worth, and lets others
 * run after each. Returns whether there was one.
 */
bool hold_rewrite_some(void);

/* Finds the hold with the lowest id above `id`; false: there is none. Ids begin at 1. */
bool hold_next(unsigned id, struct hold_info *info);

/*
 * hold_task.c: makes sure that a task rewrites the busy holds; it ends when there are none.
 * -EAGAIN, -ENOMEM: as task_create().
 */
int hold_task_start(void);

#endif
