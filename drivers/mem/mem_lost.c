/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What becomes of memory that was taken away; see mem_lost.h. A block that nobody uses goes as
 * a whole. Of others the free frames are given to OWNER_UNPLUGGED, one by one, and wait for
 * the rest; they stay mapped, as their block is. None of it is read or written.
 */
#include "drivers/mem/mem_lost.h"

#include <assert.h>

#include "mm/frame.h"
#include "mm/memory_region.h"

static pfn_t pfns[BLOCK_FRAMES];

/* Tells whether all frames of a block wait, however they came to that. */
static bool is_complete(pfn_t block)
{
	return frame_collect(OWNER_UNPLUGGED, block, BLOCK_FRAMES, pfns) == BLOCK_FRAMES &&
	       pfns[BLOCK_FRAMES - 1] == block + BLOCK_FRAMES - 1;
}

/* Frees blocks of which all frames wait, so that they can be claimed as any other. */
static void free_complete(const struct frame_region_part *part)
{
	pfn_t end = frame_region_part_end(part), pfn = part->start;

	while (frame_find(OWNER_UNPLUGGED, pfn, end, &pfn)) {
		pfn_t block = align_down(pfn, BLOCK_FRAMES);

		if (is_complete(block)) {
			int err = frame_free(block, BLOCK_FRAMES, OWNER_UNPLUGGED);

			assert(!err);
		}
		pfn = block + BLOCK_FRAMES;
	}
}

static void let_blocks_go(struct mem_source *source)
{
	struct frame_region_part part = source->part;
	size_t blocks;
	pfn_t pfn;

	part.unit = 1;
	while (!memory_region_claim(&part, part.blocks, &pfn, &blocks)) {
		int err = memory_region_leave(pfn, blocks);

		assert(!err);
		source->plugged -= blocks * BLOCK_FRAMES;
	}
}

static void take_frames(const struct frame_region_part *part)
{
	while (frame_alloc_bulk_within(ARRAY_SIZE(pfns), part->start, frame_region_part_end(part),
				       OWNER_UNPLUGGED, pfns) == ARRAY_SIZE(pfns))
		;
}

void mem_lost_look(struct mem_source *source)
{
	let_blocks_go(source);
	take_frames(&source->part);
	/* The last of a block's may have been among them. */
	free_complete(&source->part);
	let_blocks_go(source);
}
