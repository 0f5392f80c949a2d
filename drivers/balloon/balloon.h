/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The memory balloon (virtio 1.3, 5.5): moves the number of frames that belong
 * to OWNER_BALLOON to the host's target, exactly to the frame, and tells the
 * truth on the way. Policy is the host's; the one thing it does not decide is
 * the floor, below which inflation never takes the guest's free memory.
 *
 * All amounts are in frames. Nothing here is for interrupts, but
 * balloon_status().
 */
#ifndef DRIVERS_BALLOON_BALLOON_H
#define DRIVERS_BALLOON_BALLOON_H

#include "kernel/lib/types.h"

/* Feature bits (5.5.3). */
#define VIRTIO_BALLOON_F_MUST_TELL_HOST 0
#define VIRTIO_BALLOON_F_STATS_VQ 1
#define VIRTIO_BALLOON_F_DEFLATE_ON_OOM 2
#define VIRTIO_BALLOON_F_FREE_PAGE_HINT 3
#define VIRTIO_BALLOON_F_PAGE_POISON 4
#define VIRTIO_BALLOON_F_REPORTING 5

/* Frames in one buffer: what every known device takes. */
#define BALLOON_BUFFER_FRAMES 256

/* Inflation waits this long after frames were given back for want of memory. */
#define BALLOON_HOLD_OFF_NS (2 * NS_PER_S)

/*
 * Finds the balloon device, makes it ready and starts its task. -ENODEV: there
 * is none, which is no fault; other errors have been logged. Called again, it
 * starts with an empty balloon and all counts at 0.
 */
int balloon_start(uint64_t floor);

/*
 * One round of the task's work: takes what the device has finished, offers it
 * what the target asks for, writes `actual` when that is due. Returns whether
 * another round would find something to do at once.
 */
bool balloon_step(void);

/* Free frames that inflation leaves alone. */
void balloon_set_floor(uint64_t floor);

/*
 * A frame_reclaimer (mm/frame.h). With DEFLATE_ON_OOM: takes frames back and
 * returns how many are free now; a single frame for order 0, else a block's
 * worth. Without: 0. Allocates nothing, waits for the device at most
 * VIRTIO_DEADLINE_NS.
 */
size_t balloon_reclaim(unsigned order);

struct balloon_status {
	bool present;
	const char *broken;  /* why the device is not used any more, or NULL */
	bool deflate_on_oom; /* negotiated: decides the accounting mode */
	uint64_t features;   /* negotiated */
	uint64_t target;     /* what the host asks for */
	uint64_t actual;     /* frames in the balloon, as the device was told last */
	uint64_t shortfall;  /* of the target, what cannot be reached now */
	uint64_t floor;
	/* Since the start: */
	uint64_t inflated; /* frames acknowledged */
	uint64_t deflated;
	uint64_t inflate_requests;
	uint64_t deflate_requests;
	uint64_t actual_writes;
	uint64_t oom_events; /* allocations that frames were taken back for */
	uint64_t oom_frames;
};

void balloon_status(struct balloon_status *status);

#endif
