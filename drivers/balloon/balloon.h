/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The memory balloon: moves the number of frames that belong to OWNER_BALLOON to
 * the host's target, exactly to the frame, and tells the truth on the way. Policy
 * is the host's; the one thing it does not decide is the floor, below which
 * inflation never takes the guest's free memory. This file is for the kernel; what
 * a hypervisor's port needs is balloon_port.h.
 *
 *   balloon.c		its life: offers, faults, a round, waiting, pressure, start, end
 *   balloon_batch.c	frames on their way, in batches
 *   balloon_ranges.c	whole blocks that are lent to the host, or leave, as ranges
 *   balloon_refusal.c	frames that the host refused, and how long it is left alone then
 *   balloon_state.c	settings, names, status; what a reader from outside finds
 *   balloon_account.c	the meaning of show_mem's figures
 *   balloon_stats.c	everything that is counted for the host
 *   balloon_cmd.c	the console's commands
 *   port/		one hypervisor each
 *
 * All amounts are in frames. Nothing here is for interrupts, but
 * balloon_status().
 */
#ifndef DRIVERS_BALLOON_BALLOON_H
#define DRIVERS_BALLOON_BALLOON_H

#include "kernel/lib/types.h"

/* Inflation waits this long after frames were given back for want of memory. */
#define BALLOON_HOLD_OFF_NS (2 * NS_PER_S)

/* How frames go into the balloon. */
enum balloon_strategy {
	BALLOON_AUTO,	     /* the port's choice */
	BALLOON_PORTABLE,    /* in batches that every host takes */
	BALLOON_WHOLE_BLOCK, /* a whole block in one batch: QEMU frees a huge page only then */
	BALLOON_RANGE_FIRST, /* whole blocks as ranges first, then as frames */
	BALLOON_STRATEGIES,
};

struct balloon_config {
	uint64_t floor; /* free frames that inflation leaves alone */
	enum balloon_strategy strategy;
	bool poison; /* freed frames are filled with poison_byte */
	uint8_t poison_byte;
};

/* Forgets everything and waits for a port to be attached (balloon_port.h). */
void balloon_init(const struct balloon_config *config);

/*
 * Runs one round of the task's work: takes what the host has finished, offers it
 * what the target asks for, writes the number of ballooned frames when that is
 * due. Returns whether another round would find something to do at once.
 */
bool balloon_step(void);

/* Sets the number of free frames that inflation leaves alone. */
void balloon_set_floor(uint64_t floor);

/*
 * Reads a floor as a person writes it: "64M", rounded up to whole frames. Nothing
 * is stored on an error: -EINVAL: no size; -ERANGE: more than this machine's memory.
 */
int balloon_parse_floor(const char *text, uint64_t *floor);

/* Chooses how frames are given. -ENOTSUP: range-first, and the host takes no ranges; unchanged. */
int balloon_set_strategy(enum balloon_strategy strategy);

/* Finds a strategy by its name. -EINVAL: none has that name; nothing is stored. */
int balloon_parse_strategy(const char *name, enum balloon_strategy *strategy);
const char *balloon_strategy_name(enum balloon_strategy strategy);

/* All the names, as a sentence has them. */
#define BALLOON_STRATEGY_NAMES "auto, portable, whole-block or range-first"

/*
 * Frees frames for an allocation of 2^order: a frame_reclaimer (mm/frame.h). First
 * what the host refused or was only lent; then, where the host lets ballooned memory
 * come back by itself, what is in the balloon: one frame for order 0, else a block
 * or the whole run. Returns how many are free now. Allocates nothing, waits for the
 * host at most BALLOON_DEADLINE_NS.
 */
size_t balloon_reclaim(unsigned order);

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
