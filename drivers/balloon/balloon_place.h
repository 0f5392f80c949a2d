/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From where inflation takes its frames. Memory of the boot goes first, and of that all
 * but as many frames as the floor has, while regions (mm/frame_region.h) have free ones: the
 * kernel's own small things live there, and would break blocks of regions otherwise. What
 * drivers/mem wants to be left alone (balloon_vacate.h) is. Without regions all memory is one
 * place. Amounts are in frames.
 */
#ifndef DRIVERS_BALLOON_BALLOON_PLACE_H
#define DRIVERS_BALLOON_BALLOON_PLACE_H

#include "kernel/lib/types.h"

struct balloon_place {
	pfn_t from;	 /* begins a block, or is 0 */
	pfn_t end;	 /* no frame from here on */
	uint64_t frames; /* at most so many; 0: there are none to take */
};

/* Returns where the next frames are to be taken; to be asked again after each offer. */
struct balloon_place balloon_next_place(void);

/* Counts the frames that inflation may take, in all places. */
uint64_t balloon_frames_spare(void);

#endif
