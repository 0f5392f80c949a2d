/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Regions: memory that comes and goes by whole blocks while the guest runs, as
 * virtio-mem and DIMMs bring it.
 *
 * A region is announced once, when it is found: that gives its blocks numbers, and costs
 * about 27 bits a block (less than 2 MiB for 1 TiB). All its frames are OWNER_ABSENT's
 * then: managed by nobody, in no sum. Blocks come by frame_region_plug(): they are free,
 * and the ledger's total grows with them. They leave in two steps, so that at every moment
 * each frame has an owner and the sum holds:
 *
 *	        frame_region_plug()
 *	absent -----------------------> free
 *	absent <--- unplugged <-------- free    frame_region_claim()
 *	         |      |
 *	         |      '-------------> free    frame_free(): the host would not have them
 *	         '- frame_region_leave()
 *
 * OWNER_UNPLUGGED's frames are in the total until the host has answered. Nobody touches
 * them, and none of them is ever offered to the balloon, to reporting or to hinting, since
 * those take free frames only.
 *
 * Growing needs no free frame: what the books of new blocks need is kept in reserve, for
 * 128 blocks at a time, and is made up for from the first block that has come. The
 * reserve, and the books, lie in memory of the boot as long as there is room; those that
 * had to be laid into a region keep their block from leaving, until frame_region_claim()
 * finds room for them elsewhere.
 *
 * The allocator serves runs smaller than a block from memory of the boot while there is
 * any, so that blocks of regions stay whole (mm/frame.h).
 *
 * Addresses are PFNs, sizes are in blocks of 512 frames. To be called in tasks only, after
 * frame_init(), which forgets all regions. Whoever plugs has mapped the memory before, and
 * may unmap it once it has been claimed (mm/memory_region.h does both): this file maps
 * nothing, and it writes to blocks only where it lays its books.
 */
#ifndef MM_FRAME_REGION_H
#define MM_FRAME_REGION_H

#include "kernel/lib/types.h"
#include "mm/owner.h"

/*
 * Announces `blocks` blocks from frame `start` on, none of which is there yet. Regions are
 * announced in the order of their addresses; FRAME_REGIONS_MAX of them always fit. -EINVAL: there
 * are no blocks, `start` begins none, they do not lie above all memory and all regions that
 * are known, or they end beyond any address; -ENOSPC: there are too many regions; -ENOMEM:
 * memory of the boot has no room for their numbers. Nothing is changed on an error.
 */
int frame_region_announce(pfn_t start, size_t blocks);

/*
 * Keeps memory of the boot ready for the announcement of a region of so many blocks, for when no
 * frame is free by then: 256 KiB for a guest with up to 36 GiB after that. Again: makes up for what
 * was used. -ENOMEM: there is none; what was kept stays so. frame_region_use_ready() frees it, for
 * whoever announces next, and returns whether anything was kept.
 */
int frame_region_keep_ready(size_t blocks);
bool frame_region_use_ready(void);

/*
 * Frees blocks that have come: all of them are absent, and lie in one region. They hold
 * anything, and are to be filled if there is a poisoner; the host need not be told that
 * they are free, as nothing of it is behind them. Never fails for want of memory. -EINVAL:
 * there are no blocks, `pfn` begins none, or they lie in no region; -EPERM: one of them is
 * there already. Nothing is changed on an error.
 */
int frame_region_plug(pfn_t pfn, size_t blocks);

/* Returns what frame_region_plug() would, and changes nothing. -EINVAL, -EPERM. */
int frame_region_check_plug(pfn_t pfn, size_t blocks);

/* What may be claimed: a device's region, or the part of it that the device can take now. */
struct frame_region_part {
	pfn_t start;   /* a region's first frame, or that of any block in it */
	size_t blocks; /* a multiple of `unit` */
	size_t unit;   /* blocks that come and go together, counted from `start` on */
};

/* Returns the first frame after a part. */
static inline pfn_t frame_region_part_end(const struct frame_region_part *part)
{
	return part->start + part->blocks * BLOCK_FRAMES;
}

/*
 * Gives free blocks of one region to OWNER_UNPLUGGED: the highest whole units that lie
 * together, at most `max` blocks; stores the first frame and how many. First moves books
 * that lie in regions into memory of the boot, as far as there is room. Does not ask the
 * reclaimer. -EINVAL: the part lies in no region, has no blocks, or no whole number of
 * units; -ENOENT: no unit is free, or `max` is less than one.
 */
int frame_region_claim(const struct frame_region_part *part, size_t max, pfn_t *pfn,
		       size_t *blocks);

/*
 * Lets blocks go that were claimed as a whole, once the host has taken them: they are
 * absent again. -EINVAL: there are no blocks, `pfn` begins none, or they lie in no region;
 * -EPERM: one of them is not OWNER_UNPLUGGED's as a whole. Nothing is changed on an error.
 */
int frame_region_leave(pfn_t pfn, size_t blocks);

/*
 * Counts the blocks in free whole units: what frame_region_claim() would find now, if the
 * books stay where they are. 0 if the part lies in no region. Takes a step for each free
 * unit: some ms for a TiB.
 */
size_t frame_region_removable(const struct frame_region_part *part);

/*
 * Finds blocks that hold nothing but free frames and those of some owners, a set of
 * owner_bit()s, and at least one of theirs in each unit: the highest whole units that lie
 * together, at most `max` blocks. Once they have given them up they can be claimed. Takes a step
 * for each block that they have frames in. Changes nothing. -EINVAL: see frame_region_claim(), or
 * there are no owners, or nothing is allocated for one of them; -ENOENT: there is no such unit, or
 * `max` is less than one.
 */
int frame_region_find_held(const struct frame_region_part *part, size_t max, uint32_t owners,
			   pfn_t *pfn, size_t *blocks);

/*
 * Counts the free frames of regions in blocks from `start` on that end at or below `end`. Takes a
 * short step for each 128 blocks, and one for each block of the first and the last of those.
 */
uint64_t frame_region_free_within(pfn_t start, pfn_t end);

/*
 * Finds the first block from `start` on that is absent, or with `absent` false one that is there.
 * Both `start` and `end` begin blocks of one region, or `end` ends it. Returns `end` if there is
 * none before it. Where 128 blocks are alike they take one step.
 */
pfn_t frame_region_find(pfn_t start, pfn_t end, bool absent);

/* Stores region `i`, from 0 on by address, as a part in units of one block; false: it is none. */
bool frame_region_get(size_t i, struct frame_region_part *region);

/* Tells whether some whole blocks lie in one region that was announced. */
bool frame_region_contains(pfn_t pfn, size_t blocks);

/* Returns the first frame above all memory that was there at boot. */
pfn_t frame_region_boot_end(void);

#endif
