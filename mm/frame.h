/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The page-frame allocator. It knows one operation: a run of frames changes
 * its owner. Allocating is a change from OWNER_FREE, freeing is one to it, and
 * every change names the owner that it expects; where the map says otherwise
 * the whole change is refused and counted, which also catches double frees.
 * The counts of the ledger (mm/ledger.h) move with the owners.
 *
 * Frames are free, or not, in blocks of 512. A block whose frames all have
 * one owner costs one record of four bytes; only when it is broken up are its
 * 512 owner bytes and its free bitmap written. A block that was never touched
 * is known to be all free without any record: so nothing but a few bits per
 * block is set up at boot, whatever the size of RAM.
 *
 * The allocator never touches a frame's contents. It runs in tasks only, not
 * in interrupts, but its counters may be read in one. It is never locked for
 * longer than a change in one block takes.
 *
 * Sizes are in frames, addresses in PFNs.
 */
#ifndef MM_FRAME_H
#define MM_FRAME_H

#include "kernel/lib/types.h"
#include "mm/memmap.h"
#include "mm/owner.h"

/* Runs above a block: up to 2^FRAME_ORDER_MAX frames, 1 GiB. */
#define FRAME_ORDER_MAX 18

/*
 * Bytes of memory that frame_init() needs for this map: at most 1.25 a frame of
 * the blocks that have RAM in them, and 4 KiB. 0 if there are none.
 */
size_t frame_map_bytes(const struct memmap *map);

/*
 * Manages the frames of `map`, all of them free. `memory` has
 * frame_map_bytes(map) bytes, aligned to 64, of any content, for good. May be
 * called again: everything begins anew.
 */
void frame_init(const struct memmap *map, void *memory);

/*
 * A naturally aligned run of 2^order frames, from the block that can spare it
 * best: one that has no larger run than needed; the lowest among those.
 * -ENOMEM, after the reclaimer could not help. -EINVAL: order.
 */
int frame_alloc(unsigned order, enum owner owner, pfn_t *pfn);

/*
 * Up to `count` single frames below `limit`, in ascending order; broken blocks
 * are used up before a whole one is broken. Returns how many there were; does
 * not ask the reclaimer.
 */
size_t frame_alloc_bulk(size_t count, pfn_t limit, enum owner owner, pfn_t *pfns);

/* The lowest block that is free as a whole and ends at or below `limit`. -ENOMEM. */
int frame_alloc_block(pfn_t limit, enum owner owner, pfn_t *pfn);

/*
 * The same, and the whole free blocks right behind it, at most `max` blocks in
 * all; stores how many. -ENOMEM.
 */
int frame_alloc_blocks(size_t max, pfn_t limit, enum owner owner, pfn_t *pfn, size_t *blocks);

/*
 * The same among the blocks that were in use, or broken, since they were last
 * given to frame_free_reported() (or since boot). -ENOENT: there are none.
 */
int frame_alloc_unreported(size_t max, enum owner owner, pfn_t *pfn, size_t *blocks);

/* Frees whole blocks, which frame_alloc_unreported() will not return unless they were used. */
int frame_free_reported(pfn_t pfn, size_t blocks, enum owner owner);

/* Whether frame_alloc_unreported() would find something. */
bool frame_has_unreported(void);

/* Grows whenever a block becomes one for frame_alloc_unreported(). */
uint64_t frame_unreported_events(void);

/*
 * Frees `count` contiguous frames, all of which must be `owner`'s. Nothing is
 * changed on an error: -EINVAL: not managed, or `count` is 0; -EPERM: not this
 * owner's, or free already.
 */
int frame_free(pfn_t pfn, size_t count, enum owner owner);

/* Frees up to `count` frames of `owner`, the lowest first; returns how many there were. */
uint64_t frame_free_owned(enum owner owner, uint64_t count);

/* The same as frame_free() between two owners, neither of them OWNER_FREE or OWNER_ABSENT. */
int frame_change_owner(pfn_t pfn, size_t count, enum owner from, enum owner to);

/* Takes particular free frames, at boot. Same errors as frame_free(). */
int frame_reserve(pfn_t pfn, size_t count, enum owner owner);

/* OWNER_ABSENT for whatever is not managed. */
enum owner frame_owner(pfn_t pfn);

/*
 * The owner map read as a list: up to `count` frames of `owner`, ascending,
 * from `from` on. Returns how many there were. The cost does not depend on how
 * many frames of others lie in between (but for those in the same blocks).
 * Not for OWNER_FREE and OWNER_ABSENT.
 */
size_t frame_collect(enum owner owner, pfn_t from, size_t count, pfn_t *pfns);

/* Free frames in blocks whose largest aligned free run has 2^order frames. */
uint64_t frame_free_by_order(unsigned order);

/* Blocks that are free as a whole. */
uint64_t frame_free_blocks(void);

/* Called for frames that were freed, but not by frame_free_reported(); may fill them. */
typedef void frame_poisoner(pfn_t pfn, size_t count);

/* One at a time; NULL for none. */
void frame_set_poisoner(frame_poisoner *poisoner);

/*
 * Called when 2^order frames could not be had. Frees frames (of the balloon,
 * say) and returns how many; 0 ends the attempts, and so does the eighth that
 * did not help. It must not allocate.
 */
typedef size_t frame_reclaimer(unsigned order);

/* One at a time; NULL for none. */
void frame_set_reclaimer(frame_reclaimer *reclaimer);

/* Called when an allocation of 2^order frames fails for good. NULL for nothing. */
void frame_set_failure_hook(void (*hook)(unsigned order));

#endif
