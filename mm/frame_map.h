/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The frame map as it lies in memory. Only mm/frame.c changes it; mm/ledger.c
 * recounts it. Nobody else includes this file.
 *
 * Blocks are numbered densely: block 0 is the lowest that has RAM in it, and
 * holes of 2 MiB or more between the ranges of RAM have no numbers. A span
 * says where a stretch of numbers lies in physical memory.
 */
#ifndef MM_FRAME_MAP_H
#define MM_FRAME_MAP_H

#include "mm/bitset.h"
#include "mm/memmap.h"
#include "mm/owner.h"

#define BLOCK_WORDS (BLOCK_FRAMES / 64)

/* In frame_block.owner: the frames' own bytes tell. */
#define OWNER_MIXED 0xff

/* In frame_block.order: no frame is free. */
#define ORDER_NONE 0xff

/* Valid only for blocks in `known`; another block is free as a whole. */
struct frame_block {
	uint16_t free;		/* free frames */
	uint8_t owner;		/* of all frames, or OWNER_MIXED */
	uint8_t order;		/* of the largest aligned free run, or ORDER_NONE */
};

struct frame_span {
	pfn_t start;		/* first frame of the span's first block */
	size_t first;		/* number of that block */
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

	struct frame_block *block;
	/* Valid only for blocks that are OWNER_MIXED. */
	uint64_t (*free)[BLOCK_WORDS];		/* a bit per frame: it is free */
	uint8_t (*owner)[BLOCK_FRAMES];		/* a byte per frame */

	/* The ledger: frames by owner, and what they add up to without OWNER_ABSENT. */
	uint64_t count[OWNER_COUNT];
	uint64_t managed;
	uint64_t refused;
	uint64_t free_by_order[BLOCK_ORDER + 1];
};

extern struct frame_map frame_map;

/* The order of the largest aligned free run in a bitmap, or ORDER_NONE. */
uint8_t frame_largest_run(const uint64_t free[BLOCK_WORDS]);

#endif
