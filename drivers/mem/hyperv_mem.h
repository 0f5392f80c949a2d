/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hyperv_mem.c: memory that Hyper-V adds to a running guest. It names a range, in no table of the
 * firmware's; what can be used of it is mapped and free, piece by piece, and never leaves again by
 * the host's wish: what the host wants back it takes by the balloon. Tasks only.
 */
#ifndef DRIVERS_MEM_HYPERV_MEM_H
#define DRIVERS_MEM_HYPERV_MEM_H

#include "kernel/lib/types.h"

/* A range is to be aligned to 2^this MiB. */
#define HYPERV_MEM_ALIGNMENT 1

/* What Hyper-V wants to add, in frames. All of it is input. */
struct hyperv_mem_request {
	pfn_t first;
	uint64_t count;
	pfn_t region_first; /* the region that it lies in; region_count 0: none was told */
	uint64_t region_count;
	uint64_t frames_max; /* that the guest may ever have; 0: not told */
};

/* Forgets all that was added: before the first request. */
void hyperv_mem_init(void);

/*
 * Keeps memory ready for the books of what may be added, so that it can be when nothing is free.
 * When a host has agreed that it may add any; again: does nothing more.
 */
void hyperv_mem_prepare(void);

/*
 * Begins with a request. If the one before has not ended, as its channel was withdrawn in the
 * midst of it, what has come of that stays.
 */
void hyperv_mem_begin(const struct hyperv_mem_request *request);

/*
 * Goes on with it: some milliseconds of work. Returns whether more is left; if not, *added is how
 * many frames have come, the first ones of the range, and *why, if not NULL, says why it is not all
 * of them, a clause for people.
 */
bool hyperv_mem_step(uint64_t *added, const char **why);

/* Counts the frames that have come so far. */
uint64_t hyperv_mem_frames(void);

#endif
