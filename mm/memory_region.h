/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Regions with their page tables: mm/frame_region.h for drivers. What is plugged is mapped
 * by pages of 2 MiB, and what is not is not, so that an access to it is an exception. Tasks
 * only, after memory_init().
 *
 * Growing allocates nothing before the memory is there. The tables that reach over a whole
 * region are made when it is announced; of those for single GiB one is in reserve, and is
 * made up for from what has come.
 */
#ifndef MM_MEMORY_REGION_H
#define MM_MEMORY_REGION_H

#include "mm/frame_region.h"

/*
 * Announces a region of `blocks` blocks from frame `start` on. -EINVAL: see
 * frame_region_announce(), or it reaches beyond the address space; -EBUSY: something is
 * mapped there, or see memory_region_set_obstacles(); -ENOSPC, -ENOMEM: see
 * frame_region_announce(). On an error nothing comes of it but, perhaps, tables that are
 * empty. From then on no registers are mapped there. Where there is no other memory for it, what
 * frame_region_keep_ready() keeps is used.
 */
int memory_region_announce(pfn_t start, size_t blocks);

/*
 * Has regions refused, with -EBUSY, where `is_used` says that something else has an address from
 * `start` to before `end`, though it may not be mapped; NULL: there is nothing.
 */
void memory_region_set_obstacles(bool (*is_used)(paddr_t start, paddr_t end));

/*
 * Maps blocks that the host has plugged, and frees them. Never fails for want of memory.
 * -EINVAL, -EPERM: see frame_region_plug(); nothing is changed.
 */
int memory_region_plug(pfn_t pfn, size_t blocks);

/*
 * Claims blocks for the host to take, and unmaps them; see frame_region_claim(). First moves
 * page tables that lie in regions into memory of the boot, as far as there is room. -EINVAL,
 * -ENOENT.
 */
int memory_region_claim(const struct frame_region_part *part, size_t max, pfn_t *pfn,
			size_t *blocks);

/* Lets claimed blocks go that the host has taken. -EINVAL, -EPERM: see frame_region_leave(). */
int memory_region_leave(pfn_t pfn, size_t blocks);

/* Maps claimed blocks again that the host would not take, and frees them. */
void memory_region_keep(pfn_t pfn, size_t blocks);

#endif
