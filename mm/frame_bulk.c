/* SPDX-License-Identifier: BSD-2-Clause */
/* Many single frames at once, for the balloon. See frame.h. */
#include "mm/frame.h"

#include <assert.h>

#include "kernel/lib/bits.h"
#include "mm/frame_map.h"

/* Finds the lowest block from `from` on that has free frames, but is not free as a whole. */
static size_t next_broken_block(size_t from)
{
	size_t lowest = BITSET_NONE;

	for (unsigned o = 0; o < BLOCK_ORDER; o++)
		lowest = min_u64(lowest, bitset_next(&frame_map.by_order[o], from));
	return lowest;
}

/* Counts the free frames of a block below `limit`. */
static uint64_t count_free(size_t number, pfn_t limit)
{
	pfn_t base = frame_map_pfn(number);
	uint64_t sum = 0;

	if (limit - base >= BLOCK_FRAMES)
		return frame_map_record(number)->free_count;
	for (unsigned w = 0; w < BLOCK_WORDS; w++)
		sum += count_bits(frame_runs_below(frame_map_free_bits(number), w, base, limit));
	return sum;
}

/* Counts the free frames in broken blocks from block `from` on, below `limit`, up to `enough`. */
static uint64_t count_broken(size_t from, pfn_t limit, uint64_t enough)
{
	uint64_t sum = 0;

	if (from == 0 && frame_spans_below(&frame_map.spans, limit) == frame_map.block_count)
		return frame_map.count[OWNER_FREE] - frame_map.free_by_order[BLOCK_ORDER];
	for (size_t b = next_broken_block(from); b != BITSET_NONE && sum < enough;
	     b = next_broken_block(b + 1)) {
		if (frame_map_pfn(b) >= limit)
			break;
		sum += count_free(b, limit);
	}
	return sum;
}

size_t frame_alloc_bulk_within(size_t count, pfn_t from_pfn, pfn_t limit, enum owner owner,
			       pfn_t *pfns)
{
	unsigned frame;
	size_t from = frame_spans_from(&frame_map.spans, from_pfn, &frame);
	uint64_t broken = count_broken(from, limit, count);
	/* Only what the broken blocks lack is taken from whole ones, the lowest first. */
	size_t whole = count > broken ? (size_t)(count - broken) : 0;
	size_t got = 0;

	assert(owner_is_allocated(owner));
	assert(frame == 0);
	while (got < count) {
		size_t next = next_broken_block(from);
		size_t block = BITSET_NONE;
		size_t n;

		if (whole > 0)
			block = bitset_next(&frame_map.by_order[BLOCK_ORDER], from);
		from = block < next ? block : next;
		if (from == BITSET_NONE || frame_map_pfn(from) >= limit)
			break;
		n = frame_map_take_lowest(from, block < next ? whole : count - got, limit, owner,
					  pfns + got);
		whole -= block < next ? n : 0;
		assert(n <= count - got);
		got += n;
		from++;
	}
	return got;
}
