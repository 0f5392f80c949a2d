/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The frame map as it lies in memory. Only mm/frame_map.c changes it, but for
 * the index of owners; mm/frame.c and mm/ledger.c read it. Nobody else includes
 * this file.
 *
 * Blocks are numbered densely: block 0 is the lowest that has RAM in it, and
 * holes of 2 MiB or more between the ranges of RAM have no numbers. A span
 * says where a stretch of numbers lies in physical memory.
 */
#ifndef MM_FRAME_MAP_H
#define MM_FRAME_MAP_H

#include "mm/bitset.h"
#include "mm/frame_runs.h"
#include "mm/ledger.h"
#include "mm/memmap.h"
#include "mm/owner.h"

/* In frame_block.owner: the frames' own bytes tell. */
#define OWNER_MIXED 0xff

/* Valid only for blocks in `known`; another block is free as a whole. */
struct frame_block {
	uint16_t free; /* free frames */
	uint8_t owner; /* of all frames, or OWNER_MIXED */
	uint8_t order; /* of the largest aligned free run, or ORDER_NONE */
};

struct frame_span {
	pfn_t start;  /* first frame of the span's first block */
	size_t first; /* number of that block */
	size_t blocks;
};

struct frame_map {
	size_t blocks;
	size_t span_count;
	struct frame_span span[MEM_RANGES_MAX];

	/* Which blocks have a record, and which of them a frame of an owner (or had). */
	struct bitset known;
	struct bitset owned[OWNER_COUNT];
	/* Every block with a free frame is in one of these, by its `order`. */
	struct bitset by_order[BLOCK_ORDER + 1];

	/* Blocks that are free as a whole and that no host was told of since they were not. */
	struct bitset unreported;
	uint64_t unreported_events; /* additions to it */

	struct frame_block *block;
	/* Valid only for blocks that are OWNER_MIXED. */
	uint64_t (*free)[BLOCK_WORDS];	/* a bit per frame: it is free */
	uint8_t (*owner)[BLOCK_FRAMES]; /* a byte per frame */

	/* The ledger: frames by owner, and what they add up to without OWNER_ABSENT. */
	uint64_t count[OWNER_COUNT];
	uint64_t managed;
	uint64_t refused;
	struct ledger_events events;
	uint64_t free_by_order[BLOCK_ORDER + 1];
};

extern struct frame_map frame_map;

/* The number of the block that a frame lies in; false if it lies in none. */
bool frame_map_find(pfn_t pfn, size_t *number);

/* The first frame of a block. */
pfn_t frame_map_pfn(size_t number);

enum owner frame_map_owner(size_t number, unsigned frame);

/* The owners of a block's frames, a byte each; NULL: all have the same one. */
const uint8_t *frame_map_owners(size_t number);

/*
 * A block's free frames in word `w` of its bitmap, those below `limit` only;
 * `base` is the block's first frame. For blocks that are OWNER_MIXED.
 */
uint64_t frame_map_free_below(const uint64_t free[BLOCK_WORDS], unsigned w, pfn_t base,
			      pfn_t limit);

/*
 * The one operation, within a block: `count` frames from `first` on change
 * their owner. The caller has seen that they are `from`'s.
 */
void frame_map_change(size_t number, unsigned first, unsigned count, enum owner from,
		      enum owner to);

/* The same for the lowest free frames of a block below `limit`, at most `count`. */
size_t frame_map_take_lowest(size_t number, size_t count, pfn_t limit, enum owner owner,
			     pfn_t *pfns);

/*
 * The same for any run, and with the check: first every frame is checked, then
 * every frame changed. -EINVAL, -EPERM: see frame_free(); counted in `refused`.
 */
int frame_map_change_run(pfn_t pfn, size_t count, enum owner from, enum owner to);

#endif
