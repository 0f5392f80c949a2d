/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The memory balloon (virtio 1.3, 5.5): moves the number of frames that belong
 * to OWNER_BALLOON to the host's target, exactly to the frame, and tells the
 * truth on the way. Policy is the host's; the one thing it does not decide is
 * the floor, below which inflation never takes the guest's free memory.
 *
 *   balloon.c		its life: a round, waiting, memory pressure, start, recovery
 *   balloon_pages.c	the inflate and deflate queues
 *   balloon_stats.c	the statistics queue
 *   balloon_report.c	the reporting queue: free blocks, and blocks that leave
 *   balloon_hint.c	the hinting queue
 *   balloon_account.c	what the figures of show_mem mean
 *   balloon_cmd.c	the console's commands
 *
 * All amounts are in frames. Nothing here is for interrupts, but
 * balloon_status().
 */
#ifndef DRIVERS_BALLOON_BALLOON_H
#define DRIVERS_BALLOON_BALLOON_H

#include "drivers/balloon/balloon_names.h"
#include "kernel/lib/types.h"

/* Inflation waits this long after frames were given back for want of memory. */
#define BALLOON_HOLD_OFF_NS (2 * NS_PER_S)

/* How frames go into the balloon. */
enum balloon_strategy {
	BALLOON_AUTO,	     /* range-first where it can be, else portable */
	BALLOON_PORTABLE,    /* buffers of 256 PFNs, which every device takes */
	BALLOON_WHOLE_BLOCK, /* 512: QEMU frees a huge page only if all of it is in one buffer */
	BALLOON_RANGE_FIRST, /* whole blocks as ranges on the reporting queue, then as PFNs */
};

struct balloon_config {
	uint64_t floor; /* free frames that inflation leaves alone */
	enum balloon_strategy strategy;
	bool poison; /* freed frames are filled with poison_byte */
	uint8_t poison_byte;
};

/*
 * Finds the balloon device, makes it ready and starts its task. -ENODEV: there
 * is none, which is no fault; other errors have been logged.
 */
int balloon_start(const struct balloon_config *config);

/*
 * The other way round: resets the device and takes everything back, frames in
 * the balloon too. The task ends by itself.
 */
void balloon_stop(void);

/*
 * One round of the task's work: takes what the device has finished, offers it
 * what the target asks for, writes `actual` when that is due. Returns whether
 * another round would find something to do at once.
 */
bool balloon_step(void);

/* Free frames that inflation leaves alone. */
void balloon_set_floor(uint64_t floor);

/* -ENOTSUP: range-first, and the device has no reporting queue. */
int balloon_set_strategy(enum balloon_strategy strategy);

/* By its name on the command line and the console; -EINVAL. */
int balloon_parse_strategy(const char *name, enum balloon_strategy *strategy);
const char *balloon_strategy_name(enum balloon_strategy strategy);

/*
 * A frame_reclaimer (mm/frame.h). Gives back what is only lent to the device;
 * then, with DEFLATE_ON_OOM, takes frames out of the balloon: one for order 0,
 * else a block or the whole run. Returns how many are free now. Allocates
 * nothing, waits for the device at most VIRTIO_DEADLINE_NS.
 */
size_t balloon_reclaim(unsigned order);

struct balloon_status {
	bool present;
	const char *broken;		 /* why the device is not used any more, or NULL */
	bool deflate_on_oom;		 /* negotiated: decides the accounting mode */
	uint64_t features;		 /* negotiated */
	enum balloon_strategy strategy;	 /* as chosen */
	enum balloon_strategy effective; /* as used: never BALLOON_AUTO */
	uint64_t target;		 /* what the host asks for */
	uint64_t actual;		 /* frames in the balloon, as the device was told last */
	uint64_t shortfall;		 /* of the target, what cannot be reached now */
	uint64_t floor;
	/* Since the start: */
	uint64_t actual_writes;
	uint64_t oom_events; /* allocations that frames were taken back for */
	uint64_t oom_frames;
	uint64_t recoveries; /* resets of the device that it was brought back from */
};

void balloon_status(struct balloon_status *status);

#endif
