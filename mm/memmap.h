/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Makes the ranges that the frame allocator manages from the firmware's memory
 * map, which is hostile input: whole frames of RAM, sorted, disjoint, not
 * adjacent, below the processor's address width.
 */
#ifndef MM_MEMMAP_H
#define MM_MEMMAP_H

#include "arch/boot_info.h"
#include "kernel/lib/types.h"

/* Of more ranges the smallest are dropped. */
#define MEM_RANGES_MAX 32

struct mem_range {
	pfn_t start;
	pfn_t end; /* one past the last frame */
};

struct memmap {
	size_t count;
	struct mem_range range[MEM_RANGES_MAX];
	uint64_t frames;  /* in all ranges together */
	uint64_t dropped; /* frames of RAM left out: address width, too many ranges */
};

/*
 * Makes a map of the firmware's entries. A byte is RAM if at least one entry says
 * so and none says otherwise. Partial frames are not RAM. Entries of size 0 and
 * entries that wrap around are ignored.
 */
void memmap_build(const struct boot_memory *entries, size_t count, unsigned physical_bits,
		  struct memmap *map);

/* Takes the frames from `start` up to, and without, `end` out of the map; may split a range. */
void memmap_remove(struct memmap *map, pfn_t start, pfn_t end);

/*
 * Stores the lowest place for `frames` contiguous frames at or above `from`.
 * -ENOMEM: there is none.
 */
int memmap_find(const struct memmap *map, pfn_t from, uint64_t frames, pfn_t *start);

#endif
