/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From where inflation takes its frames. Memory of the boot goes first, and of that all
 * but as many frames as the floor has, while regions (mm/frame_region.h) have free ones: the
 * kernel's own small things live there, and would break blocks of regions otherwise. What is
 * to leave is avoided (balloon_vacate.h): the rest of the regions falls into places between.
 * Without regions all memory is one place. Amounts are in frames.
 */
#ifndef DRIVERS_BALLOON_BALLOON_PLACE_H
#define DRIVERS_BALLOON_BALLOON_PLACE_H

#include "drivers/balloon/balloon_vacate.h"
#include "kernel/lib/types.h"

struct balloon_place {
	pfn_t from;	 /* begins a block, or is 0 */
	pfn_t end;	 /* no frame from here on */
	uint64_t frames; /* at most so many; 0: there are none to take */
};

/* Lets nothing be taken of some stretches, see balloon_avoid(), nor of `another`, or NULL. */
void balloon_place_avoid(const struct balloon_stretch *stretches, size_t count,
			 const struct balloon_stretch *another);

/* Returns what is avoided, in ascending order and with gaps between; stores how many they are. */
const struct balloon_stretch *balloon_place_avoided(size_t *count);

/*
 * Returns where the next frames are to be taken, by this floor, and for a host that takes none
 * from `pfn_limit` on. To be asked again after each offer.
 */
struct balloon_place balloon_place_next(uint64_t floor, pfn_t pfn_limit);

/* Counts the free frames in all places, above this floor. */
uint64_t balloon_place_spare(uint64_t floor);

#endif
