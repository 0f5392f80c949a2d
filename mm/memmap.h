/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From the firmware's memory map, which is hostile input, to the ranges that
 * the frame allocator manages: whole frames of RAM, sorted, disjoint, not
 * adjacent, below the processor's address width.
 */
#ifndef MM_MEMMAP_H
#define MM_MEMMAP_H

#include "arch/boot_info.h"
#include "kernel/lib/types.h"

/* More ranges than this are cut: the smallest go first. */
#define MEM_RANGES_MAX 32

struct mem_range {
	pfn_t start;
	pfn_t end; /* the first frame behind it */
};

struct memmap {
	size_t count;
	struct mem_range range[MEM_RANGES_MAX];
	uint64_t frames;  /* in all ranges together */
	uint64_t dropped; /* frames of RAM left out: address width, too many ranges */
};

/*
 * What is RAM in some entry and nothing else in any other is RAM: where
 * entries overlap, the one that is not RAM wins. Partial frames are not RAM.
 * Entries of size 0 and entries that wrap around are ignored.
 */
void memmap_build(const struct boot_memory *entries, size_t count, unsigned physical_bits,
		  struct memmap *map);

/* Takes [start, end) out of the map; may split a range. */
void memmap_remove(struct memmap *map, pfn_t start, pfn_t end);

/*
 * The lowest place for `frames` contiguous frames at or above `from`.
 * -ENOMEM: there is none.
 */
int memmap_find(const struct memmap *map, pfn_t from, uint64_t frames, pfn_t *start);

#endif
