/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sections: records, free bits and owner bytes of 128 consecutive blocks that came after
 * boot (struct frame_section in mm/frame_map.h), and how such a block comes and leaves.
 * For mm/frame_region.c only.
 *
 * A section is 19 frames of OWNER_FRAME_MAP. One is always in reserve: it is used when
 * the first block of a section comes, and replaced at once, as that block is free now. So
 * a block can come when not one frame is free.
 */
#ifndef MM_FRAME_SECTION_H
#define MM_FRAME_SECTION_H

#include "kernel/lib/types.h"

/*
 * Gives numbers to `blocks` blocks from frame `start` on, which are absent then. -EINVAL,
 * -ENOSPC: see frame_spans_append(); -ENOMEM: there is no room in memory of the boot for
 * their bits in the sets, or for the reserve. Nothing is changed on an error.
 */
int frame_section_extend(pfn_t start, size_t blocks);

/*
 * Keeps a run of frames, of memory of the boot, with which frame_section_extend() by so many blocks
 * succeeds, and a few page tables find room, though no other frame is free; again: one that is
 * large enough for what there is by then. -ENOMEM: there is none; what was kept stays.
 */
int frame_section_keep_ready(size_t blocks);

/* Frees what is kept. Returns whether anything was. */
bool frame_section_use_ready(void);

/* Makes block `number`, which is absent as a whole, a free one. */
void frame_section_come(size_t number);

/* Makes block `number`, which is OWNER_UNPLUGGED's as a whole, an absent one. */
void frame_section_leave(size_t number);

/* Moves sections that lie in regions into memory of the boot, as far as there is room. */
void frame_section_settle(void);

#endif
