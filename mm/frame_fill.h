/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which free frames are yet to be filled: the allocator's own side of the poison
 * (mm/frame.h has the rules). For mm/frame*.c and mm/ledger.c.
 *
 * The mark is a block's: of a block in `unfilled` any free frame may hold anything. A
 * frame that is taken from it is filled then, and so some are filled twice; in return
 * there is one bit for 512 frames, and to mark them costs the same whether the host gives
 * back one frame or a block. A block without a free frame has no mark, and without a
 * poisoner none has.
 */
#ifndef MM_FRAME_FILL_H
#define MM_FRAME_FILL_H

#include "mm/bitset.h"
#include "mm/owner.h"

struct frame_fill {
	void (*poisoner)(pfn_t pfn, size_t count); /* NULL: nothing is ever filled */
	struct bitset unfilled;
	/* How far frame_fill_step() is with a block that is still marked. */
	size_t number;
	unsigned word; /* of its bitmap: 64 frames */
	bool paused;
	void (*on_unfilled)(void);
};

/*
 * Only mm/frame_fill.c and frame_fill_step() change it; all zeros is no poisoner. Where the set
 * lies is up to mm/frame_map_make.c.
 */
extern struct frame_fill frame_fill;

/* Frames of block `number` were freed: fills them or marks the block. Only with a poisoner. */
void frame_fill_freed(size_t number, pfn_t pfn, size_t count, enum owner from);

/* Frames of block `number` are allocated: fills them if it is marked. Only with a poisoner. */
void frame_fill_taken(size_t number, pfn_t pfn, size_t count, enum owner to);

/* Takes a block's mark away: none of its frames are free, or what they hold does not matter. */
void frame_fill_forget(size_t number);

#endif
