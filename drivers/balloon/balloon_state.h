/* SPDX-License-Identifier: BSD-2-Clause */
/* Settings of the balloon that runs, and its status. Amounts are in frames. */
#ifndef DRIVERS_BALLOON_BALLOON_STATE_H
#define DRIVERS_BALLOON_BALLOON_STATE_H

#include "drivers/balloon/balloon_settings.h"
#include "kernel/lib/types.h"

/* Counts the free frames above the floor, which is a setting: with or without a host. */
uint64_t balloon_spare(void);

/* Sets the number of free frames that inflation leaves alone. */
void balloon_set_floor(uint64_t floor);

/* Chooses how frames are given. -ENOTSUP: range-first, and the host takes no ranges; unchanged. */
int balloon_set_strategy(enum balloon_strategy strategy);

struct balloon_status {
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

/* Stores the balloon's state now. May be called in an interrupt. */
void balloon_status(struct balloon_status *status);

#endif
