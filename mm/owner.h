/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Owners of frames. Every managed frame has exactly one owner at any time; a new
 * owner is a line in this table, nothing else.
 */
#ifndef MM_OWNER_H
#define MM_OWNER_H

#include <stdbool.h>
#include <stdint.h>

/* X(constant, name): the name is what `owners` and show_mem -j print. */
#define OWNER_TABLE(X) \
	X(OWNER_ABSENT, "absent") \
	X(OWNER_FREE, "free") \
	X(OWNER_KERNEL, "kernel") \
	X(OWNER_FRAME_MAP, "frame-map") \
	X(OWNER_PAGE_RECORDS, "page-records") \
	X(OWNER_ANON, "anonymous") \
	X(OWNER_CACHE, "page-cache") \
	X(OWNER_PAGE_TABLES, "page-tables") \
	X(OWNER_HEAP, "heap") \
	X(OWNER_STACKS, "stacks") \
	X(OWNER_VIRTQUEUES, "virtqueues") \
	X(OWNER_BALLOON, "balloon") \
	X(OWNER_IN_FLIGHT, "in-flight") \
	X(OWNER_REPORTED, "reported") \
	X(OWNER_HINTED, "hinted") \
	X(OWNER_LEAVING, "leaving") \
	X(OWNER_REFUSED, "refused") \
	X(OWNER_BALLOON_2, "balloon-2") \
	X(OWNER_LEAVING_2, "leaving-2") \
	X(OWNER_UNPLUGGED, "unplugged") \
	X(OWNER_HELD, "held")

#define OWNER_CONSTANT(constant, name) constant,
enum owner { OWNER_TABLE(OWNER_CONSTANT) OWNER_COUNT };
#undef OWNER_CONSTANT

/*
 * OWNER_ABSENT is a hole beside RAM in the same block, or memory of a region that is
 * not plugged (mm/frame_region.h): not managed, and in no sum. OWNER_ANON has pages of
 * tasks that nothing but swap holds a copy of, OWNER_CACHE pages of files, and
 * OWNER_PAGE_RECORDS what is known of both (mm/page_record.h): nobody looks for these by
 * owner, so they come before OWNER_INDEXED (mm/frame_map.h). OWNER_IN_FLIGHT is a
 * frame that the balloon handed to the device and that the device has not
 * acknowledged: nobody may touch it. OWNER_REPORTED
 * and OWNER_HINTED are lent to the device through the other queues. OWNER_LEAVING
 * was given to the host as part of a range, and will be in-flight to the balloon
 * soon. OWNER_REFUSED is a frame that the host would not take: the balloon sets it
 * aside, so that the allocator does not offer it again at once. OWNER_UNPLUGGED is a
 * block of a region on its way out: the host was asked to take it and has not answered,
 * so it still counts, and nobody may touch it; or a frame of memory that was taken away
 * unasked. The owners that end in _2 are a second balloon's, on a machine with two: each host
 * gives back what it was given.
 */

/* Tells whether frames can be allocated for this owner: it is neither free nor absent. */
static inline bool owner_is_allocated(enum owner owner)
{
	return owner > OWNER_FREE && owner < OWNER_COUNT;
}

/*
 * Tells whether the host has, or had, the owner's frames: nobody in the guest knows
 * what is in them.
 */
static inline bool owner_is_host(enum owner owner)
{
	return owner >= OWNER_BALLOON && owner <= OWNER_UNPLUGGED;
}

_Static_assert(OWNER_UNPLUGGED - OWNER_BALLOON == 8, "the owners between are the host's, too");

/* Returns a set of owners with this one in it. */
static inline uint32_t owner_bit(enum owner owner)
{
	return UINT32_C(1) << owner;
}
_Static_assert(OWNER_COUNT < 32, "a set of owners has a bit for each");

/* The balloons', as a set. */
#define OWNERS_BALLOON (owner_bit(OWNER_BALLOON) | owner_bit(OWNER_BALLOON_2))

/* Tells whether only a machine with two balloons has frames of this owner. */
static inline bool owner_is_second(enum owner owner)
{
	return owner == OWNER_BALLOON_2 || owner == OWNER_LEAVING_2;
}

/* Returns the owner's name, or "?" if the number is no owner. */
const char *owner_name(enum owner owner);

#endif
