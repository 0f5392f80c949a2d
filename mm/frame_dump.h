/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Leads a reader from outside to the frame map (mm/frame_map.h) and the ledger in
 * the guest's memory: an address, and offsets from it. kernel/dump.h leads here;
 * nothing of this changes while the guest runs.
 *
 * All fields have a fixed width; addresses are physical, and so are the
 * pointers found at the offsets. A new owner changes only owner_count and the
 * names. Host programs include this file.
 */
#ifndef MM_FRAME_DUMP_H
#define MM_FRAME_DUMP_H

#include <stdint.h>

/* Grows when this structure, or what it leads to, is laid out differently. */
#define FRAME_DUMP_VERSION 2

#define FRAME_DUMP_NAME 16 /* bytes of an owner's name, filled up with NULs */

/* An element of the array of spans: struct frame_span. */
struct frame_dump_span {
	uint64_t start; /* PFN of the first block */
	uint64_t first; /* number of that block */
	uint64_t blocks;
};

/* An element of the array of blocks: struct frame_record. */
struct frame_dump_block {
	uint16_t free;
	uint8_t owner;
	uint8_t order;
};

struct frame_dump {
	uint32_t version;
	uint32_t size; /* of this structure */
	uint32_t frame_shift;
	uint32_t block_order;
	uint32_t owner_count;
	uint32_t owner_absent, owner_free; /* numbers of owners */
	uint32_t owner_mixed, order_none;  /* in a block: each frame has its own; none is free */
	uint32_t span_max;		   /* elements of the array of spans */
	uint64_t names;			   /* owner_count names, FRAME_DUMP_NAME bytes each */
	uint64_t map;			   /* struct frame_map; offsets in it: */
	uint32_t blocks;		   /* uint64_t: how many there are */
	uint32_t span_count;		   /* uint64_t */
	uint32_t spans;			   /* array of struct frame_dump_span */
	uint32_t known;			   /* pointer to a bitmap, a bit for each block */
	uint32_t owned;			   /* the same for each owner but absent and free, */
	uint32_t by_order;		   /* and for each order, 0 to block_order, */
	uint32_t set_stride;		   /* so many bytes apart */
	uint32_t boot;			   /* uint64_t: blocks with lower numbers have */
	uint32_t block;			   /* a pointer to struct frame_dump_block[], */
	uint32_t free;			   /* one to bitmaps, a bit for each frame, */
	uint32_t owner;			   /* and one to bytes, one for each frame */
	uint32_t sections;		   /* pointer to pointers, for the others: see below */
	uint32_t section_count;		   /* uint64_t: such pointers */
	uint32_t count;			   /* uint64_t[owner_count]: the ledger */
	uint32_t managed;		   /* uint64_t */
	uint32_t region_free;		   /* uint64_t: free frames of blocks from `boot` on */
	uint32_t free_by_order;
	/*
	 * A section has what follows, at these offsets, for section_blocks blocks whose numbers
	 * are consecutive, the first section from `boot` on. A pointer that is NULL: all of
	 * them are absent.
	 */
	uint32_t section_blocks; /* no offset, but a number */
	uint32_t section_block;	 /* struct frame_dump_block[section_blocks] */
	uint32_t section_free;	 /* bitmaps */
	uint32_t section_owner;	 /* bytes */
	uint32_t reserved;
};

extern const struct frame_dump frame_dump;

#endif
