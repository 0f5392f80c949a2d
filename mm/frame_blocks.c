/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Blocks that are free as a whole, and contiguous ones together: for hosts, which
 * take and give up memory by 2 MiB at once. See frame.h.
 */
#include "mm/frame.h"

#include <assert.h>
#include <errno.h>

#include "mm/frame_change.h"
#include "mm/frame_map.h"

/*
 * Counts the members of `set` from `number` on that are contiguous in memory, at most `max`:
 * within one span, as a region is a piece of the host's memory apart.
 */
static size_t count_contiguous(const struct bitset *set, size_t number, size_t max)
{
	size_t left = min_u64(max, frame_spans_left(&frame_map.spans, number));
	size_t n = 1;

	while (n < left && bitset_test(set, number + n))
		n++;
	return n;
}

/* Takes the lowest members of a set of whole free blocks from block `from` to before `end`. */
static bool take_contiguous(const struct bitset *set, size_t max, size_t from, size_t end,
			    enum owner owner, pfn_t *pfn, size_t *blocks)
{
	size_t number = bitset_next(set, from);

	assert(owner_is_allocated(owner));
	assert(max > 0);
	if (number == BITSET_NONE || number >= end)
		return false;
	*pfn = frame_map_pfn(number);
	*blocks = count_contiguous(set, number, min_u64(max, end - number));
	for (size_t n = 0; n < *blocks; n++)
		frame_map_change(number + n, 0, BLOCK_FRAMES, OWNER_FREE, owner);
	return true;
}

int frame_alloc_blocks_within(size_t max, pfn_t from, pfn_t limit, enum owner owner, pfn_t *pfn,
			      size_t *blocks)
{
	size_t first = frame_spans_above(&frame_map.spans, from);
	size_t end = frame_spans_below(&frame_map.spans, limit);

	if (!take_contiguous(&frame_map.by_order[BLOCK_ORDER], max, first, end, owner, pfn, blocks))
		return -ENOMEM;
	return 0;
}

bool frame_has_block_within(pfn_t from, pfn_t limit)
{
	size_t number = bitset_next(&frame_map.by_order[BLOCK_ORDER],
				    frame_spans_above(&frame_map.spans, from));

	return number != BITSET_NONE && number < frame_spans_below(&frame_map.spans, limit);
}

size_t frame_count_blocks(pfn_t pfn, size_t max, enum owner owner)
{
	size_t number, n = 0;

	assert(owner_is_allocated(owner));
	if (pfn % BLOCK_FRAMES != 0 || !frame_map_find(pfn, &number))
		return 0;
	max = min_u64(max, frame_spans_left(&frame_map.spans, number));
	while (n < max && bitset_test(&frame_map.known, number + n) &&
	       frame_map_record(number + n)->owner == owner)
		n++;
	return n;
}

int frame_alloc_unreported(size_t max, enum owner owner, pfn_t *pfn, size_t *blocks)
{
	size_t end = frame_map.block_count;

	if (!take_contiguous(&frame_map.unreported, max, 0, end, owner, pfn, blocks))
		return -ENOENT;
	return 0;
}

int frame_free_told_blocks(pfn_t pfn, size_t blocks, enum owner owner)
{
	size_t number;
	int err;

	assert(owner_is_allocated(owner) && blocks <= SIZE_MAX / BLOCK_FRAMES);
	if (pfn % BLOCK_FRAMES != 0)
		return -EINVAL;
	err = frame_change_run(pfn, blocks * BLOCK_FRAMES, owner, OWNER_FREE);
	for (; !err && blocks > 0; blocks--, pfn += BLOCK_FRAMES) {
		bool found = frame_map_find(pfn, &number);

		assert(found);
		frame_map_mark_reported(number);
	}
	return err;
}

bool frame_has_unreported(void)
{
	return bitset_first(&frame_map.unreported) != BITSET_NONE;
}

uint64_t frame_unreported_events(void)
{
	return frame_map.unreported_events;
}
