/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Settings of the balloons that run, and their status. Amounts are in frames. There may be two:
 * virtio's device, and the hypervisor's own. Both have the same settings.
 */
#ifndef DRIVERS_BALLOON_BALLOON_STATE_H
#define DRIVERS_BALLOON_BALLOON_STATE_H

#include "drivers/balloon/balloon_settings.h"
#include "kernel/lib/types.h"

/* So many hosts can have a balloon in this guest at a time. */
#define BALLOONS 2

/* Counts the free frames above the floor, which is a setting: with or without a host. */
uint64_t balloon_spare(void);

/* Sets the number of free frames that inflation leaves alone. */
void balloon_set_floor(uint64_t floor);

/*
 * Chooses how frames are given. -ENOTSUP: range-first, and no host takes ranges; unchanged.
 * Where only one does, the other stays with BALLOON_AUTO, which is said.
 */
int balloon_set_strategy(enum balloon_strategy strategy);

struct balloon_status {
	const char *name; /* of its port, as "virtio" */
	bool present;
	const char *broken;		 /* why the host is not used any more, or NULL */
	bool deflate_on_oom;		 /* negotiated: decides the accounting mode */
	enum balloon_strategy strategy;	 /* as chosen */
	enum balloon_strategy effective; /* as used: never BALLOON_AUTO */
	uint64_t target;		 /* what the host asks for */
	uint64_t actual;		 /* frames in the balloon, as the host was told last */
	uint64_t shortfall;		 /* of the target, what cannot be reached now */
	uint64_t floor;
	/* Since the start: */
	uint64_t actual_writes;
	uint64_t oom_events; /* allocations that frames were taken back for */
	uint64_t oom_frames;
	uint64_t recoveries; /* resets that the balloon was brought back from */
};

/* Counts the balloons that have a host. */
size_t balloon_count(void);

/*
 * Stores the state of balloon `number`, below BALLOONS, as it is now. Returns whether it has a
 * host. May be called in an interrupt.
 */
bool balloon_status_of(size_t number, struct balloon_status *status);

/*
 * Stores the state of all balloons together: what they have and want, in sum; what is no sum is the
 * first one's. Not present: there is none. May be called in an interrupt.
 */
void balloon_status(struct balloon_status *sum);

#endif
