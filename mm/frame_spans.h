/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Numbers of blocks and where those blocks lie in physical memory. Blocks are
 * numbered densely: block 0 is the lowest that has RAM in it, and holes of
 * 2 MiB or more between the ranges of RAM have no numbers.
 */
#ifndef MM_FRAME_SPANS_H
#define MM_FRAME_SPANS_H

#include "kernel/lib/types.h"
#include "mm/memmap.h"

/* Regions (mm/frame_region.h) that can follow the ranges of RAM. */
#define FRAME_REGIONS_MAX 16

#define FRAME_SPANS_MAX (MEM_RANGES_MAX + FRAME_REGIONS_MAX)

/* Consecutive blocks with consecutive numbers. */
struct frame_span {
	pfn_t start;  /* first frame of the first block */
	size_t first; /* number of that block */
	size_t blocks;
};

struct frame_spans {
	size_t count;
	struct frame_span span[FRAME_SPANS_MAX]; /* ascending */
};

/* Numbers the blocks that have RAM of `map` in them; returns how many there are. */
size_t frame_spans_make(const struct memmap *map, struct frame_spans *spans);

/*
 * Numbers `blocks` more from frame `start` on, as a span of its own: none of them
 * may lie below the end of what is numbered. -EINVAL: they do, `start` begins no block,
 * there are no blocks, or they would end beyond the last frame of an address of 64 bits;
 * -ENOSPC: there are FRAME_SPANS_MAX spans.
 */
int frame_spans_append(struct frame_spans *spans, pfn_t start, size_t blocks);

/* Returns how many blocks end at or below the frame `limit`: the number after the last. */
size_t frame_spans_below(const struct frame_spans *spans, pfn_t limit);

/* Returns the lowest block that begins at or above `pfn`, or the number of blocks. */
size_t frame_spans_above(const struct frame_spans *spans, pfn_t pfn);

/*
 * Stores the number of the block that `pfn` lies in. Returns false if it lies
 * in none.
 */
static inline bool frame_spans_find(const struct frame_spans *spans, pfn_t pfn, size_t *number)
{
	for (size_t i = 0; i < spans->count; i++) {
		const struct frame_span *span = &spans->span[i];

		if (pfn >= span->start && (pfn - span->start) / BLOCK_FRAMES < span->blocks) {
			*number = span->first + (size_t)((pfn - span->start) / BLOCK_FRAMES);
			return true;
		}
	}
	return false;
}

/* Returns the first frame of a block, whose number must be one. */
static inline pfn_t frame_spans_pfn(const struct frame_spans *spans, size_t number)
{
	const struct frame_span *span = spans->span;

	while (number - span->first >= span->blocks)
		span++;
	return span->start + (number - span->first) * BLOCK_FRAMES;
}

/* Returns how many blocks a span has from `number` on, which must be a block's. */
static inline size_t frame_spans_left(const struct frame_spans *spans, size_t number)
{
	const struct frame_span *span = spans->span;

	while (number - span->first >= span->blocks)
		span++;
	return span->first + span->blocks - number;
}

/*
 * Returns the lowest block that ends above `pfn`, or the number of blocks if
 * there is none; stores at which of its frames everything from `pfn` on begins.
 */
size_t frame_spans_from(const struct frame_spans *spans, pfn_t pfn, unsigned *frame);

#endif
