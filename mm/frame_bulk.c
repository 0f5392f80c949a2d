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

/* Counts the free frames below `limit` in broken blocks. */
static uint64_t count_broken(pfn_t limit)
{
	uint64_t sum = 0;

	if (frame_spans_below(&frame_map.spans, limit) == frame_map.block_count)
		return frame_map.count[OWNER_FREE] - frame_map.free_by_order[BLOCK_ORDER];
	for (size_t b = next_broken_block(0); b != BITSET_NONE; b = next_broken_block(b + 1)) {
		pfn_t base = frame_map_pfn(b);

		if (base >= limit)
			break;
		for (unsigned w = 0; w < BLOCK_WORDS; w++)
			sum += count_bits(frame_runs_below(frame_map_free_bits(b), w, base, limit));
	}
	return sum;
}

size_t frame_alloc_bulk(size_t count, pfn_t limit, enum owner owner, pfn_t *pfns)
{
	uint64_t broken = count_broken(limit);
	/* Only what the broken blocks lack is taken from whole ones, the lowest first. */
	size_t whole = count > broken ? (size_t)(count - broken) : 0;
	size_t got = 0;
	size_t from = 0;

	assert(owner_is_allocated(owner));
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
