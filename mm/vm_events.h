/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The books on memory pressure: what kernel/vm, the allocator and the balloon's reclaim
 * count, and the balloon tells its host (virtio 1.3, 5.5.6.4). Every count is of something
 * that happened, since boot; what never happened is 0.
 */
#ifndef MM_VM_EVENTS_H
#define MM_VM_EVENTS_H

#include "kernel/lib/types.h"

struct vm_events {
	uint64_t swap_in_bytes; /* that a swap device moved */
	uint64_t swap_out_bytes;
	uint64_t major_faults; /* that waited for a disk */
	uint64_t faults;       /* all of them, major ones too */
	uint64_t oom_kills;
	uint64_t stalls;	  /* times that a task had to wait for memory: see below */
	uint64_t async_scanned;	  /* pages that background reclaim looked at */
	uint64_t direct_scanned;  /* that a task in want of memory looked at */
	uint64_t async_reclaimed; /* pages of those that were freed */
	uint64_t direct_reclaimed;
	uint64_t refaults; /* pages that came back soon after they were reclaimed */
	/* Of the stalls, those that are not the machine's memory: */
	uint64_t limit_stalls;	 /* at a task's own limit */
	uint64_t balloon_stalls; /* for frames out of the balloon */
	uint64_t disk_stalls;	 /* for a disk that is slow: no room for one more request */
	/* Levels, in frames: */
	uint64_t cached;    /* pages of the page cache, clean and dirty */
	uint64_t dirty;	    /* of those, not yet written back */
	uint64_t anonymous; /* in memory */
	uint64_t swapped;   /* on the swap device */
	uint64_t swap_total;
	uint64_t reserve; /* frames that only reclaim may use; 0 without a disk */
};

/*
 * The one set of books. Tasks write: kernel/vm, frame_alloc() the stalls of allocations that had
 * to ask the reclaimer, and balloon_reclaim() which of those the balloon helped. All may read,
 * in an interrupt too. A stall is counted once, by whoever waits.
 */
extern struct vm_events vm_events;

#endif
