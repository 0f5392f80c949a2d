/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The page-frame allocator. It knows one operation: a run of frames changes
 * its owner. Allocating is a change from OWNER_FREE, freeing is a change to it,
 * and every change names the owner that it expects. If one frame has another
 * owner, the whole change is refused and counted; that also catches double
 * frees. The counts of the ledger (mm/ledger.h) move with the owners.
 *
 * Frames are kept in blocks of 512. A block whose frames all have one owner
 * costs one record of four bytes; only when it is broken up are its 512 owner
 * bytes and its free bitmap written. A block that was never touched is known to
 * be free without any record, so boot sets up only a few bits per block,
 * whatever the size of RAM.
 *
 * The allocator never touches a frame's contents, unless there is a poisoner. It
 * runs in tasks only, not in interrupts, but its counters may be read in one. It
 * turns interrupts off only while two counters change.
 *
 * Sizes are in frames, addresses in PFNs.
 */
#ifndef MM_FRAME_H
#define MM_FRAME_H

#include "kernel/lib/types.h"
#include "mm/memmap.h"
#include "mm/owner.h"

/* The longest run is 2^FRAME_ORDER_MAX frames: 1 GiB. */
#define FRAME_ORDER_MAX 18

/* Returns the least order of a run of so many frames; FRAME_ORDER_MAX + 1: none is so long. */
static inline unsigned frame_order_for(uint64_t frames)
{
	unsigned order = 0;

	while (order <= FRAME_ORDER_MAX && UINT64_C(1) << order < frames)
		order++;
	return order;
}

/*
 * Returns the bytes of memory that frame_init() needs for this map: at most 1.25
 * a frame of the blocks that have RAM in them, and 4 KiB; 0 if there are none.
 */
size_t frame_init_bytes(const struct memmap *map);

/*
 * Manages the frames of `map`, all of them free. `memory` has
 * frame_init_bytes(map) bytes, is aligned to 64 and is kept; its contents do not
 * matter. May be called again: then everything begins anew, without hooks.
 */
void frame_init(const struct memmap *map, void *memory);

/* ---- Allocating ---- */

/*
 * Allocates a naturally aligned run of 2^order frames. One that is smaller than a block
 * comes from memory that was there at boot, as long as that has one, so that blocks of
 * regions (mm/frame_region.h) stay whole. Asks the reclaimer if there is no run. What
 * is longer than a block holds anything, with a poisoner too: see frame_fill_run().
 * -EINVAL: `order` is above FRAME_ORDER_MAX; -ENOMEM: the reclaimer could not help either.
 */
int frame_alloc(unsigned order, enum owner owner, pfn_t *pfn);

/*
 * Allocates like frame_alloc(), but only memory that was there at boot, and does not ask
 * the reclaimer. -EINVAL: `order` is above FRAME_ORDER_MAX; -ENOMEM: there is none.
 */
int frame_alloc_boot(unsigned order, enum owner owner, pfn_t *pfn);

/*
 * Allocates up to `count` single frames from `from` to before `limit`, in ascending order;
 * uses up broken blocks before it breaks a whole one. Returns how many there were.
 * `from` begins a block. Does not ask the reclaimer.
 */
size_t frame_alloc_bulk_within(size_t count, pfn_t from, pfn_t limit, enum owner owner,
			       pfn_t *pfns);

/* Allocates like frame_alloc_bulk_within(), from the lowest frame on. */
static inline size_t frame_alloc_bulk(size_t count, pfn_t limit, enum owner owner, pfn_t *pfns)
{
	return frame_alloc_bulk_within(count, 0, limit, owner, pfns);
}

/*
 * Allocates the lowest whole free block that begins at or above `from`, and those that follow
 * it without a gap, all in memory of the boot or all in one region, at most `max` blocks, all of
 * which end at or below `limit`; stores how many. Does not ask the reclaimer. -ENOMEM: there is
 * none.
 */
int frame_alloc_blocks_within(size_t max, pfn_t from, pfn_t limit, enum owner owner, pfn_t *pfn,
			      size_t *blocks);

/* Allocates like frame_alloc_blocks_within(), from the lowest frame on. -ENOMEM: there is none. */
static inline int frame_alloc_blocks(size_t max, pfn_t limit, enum owner owner, pfn_t *pfn,
				     size_t *blocks)
{
	return frame_alloc_blocks_within(max, 0, limit, owner, pfn, blocks);
}

/* Tells whether frame_alloc_blocks_within() would find a block. */
bool frame_has_block_within(pfn_t from, pfn_t limit);

/*
 * Counts the whole blocks from frame `pfn` on, without a gap, that are `owner`'s, at
 * most `max`; 0 if no such block begins there. Not for OWNER_FREE and OWNER_ABSENT.
 */
size_t frame_count_blocks(pfn_t pfn, size_t max, enum owner owner);

/*
 * Allocates contiguous whole free blocks that the host was not told of: that
 * were in use, or broken, since frame_free_told_blocks() last freed them, or since
 * boot. At most `max` blocks; stores how many. -ENOENT: there are none.
 */
int frame_alloc_unreported(size_t max, enum owner owner, pfn_t *pfn, size_t *blocks);

/* Tells whether frame_alloc_unreported() would find something. */
bool frame_has_unreported(void);

/* Counts how often a block became one that frame_alloc_unreported() finds. */
uint64_t frame_unreported_events(void);

/*
 * Takes particular free frames; for boot. -EINVAL: `count` is 0, or a frame is
 * not managed; -EPERM: a frame is not free. Nothing is changed on an error.
 */
int frame_reserve(pfn_t pfn, size_t count, enum owner owner);

/* ---- Freeing ---- */

/*
 * Frees `count` contiguous frames, all of which must be `owner`'s. Nothing is
 * changed on an error. -EINVAL: `count` is 0, or a frame is not managed; -EPERM: a
 * frame is not this owner's, or is free already.
 */
int frame_free(pfn_t pfn, size_t count, enum owner owner);

/*
 * Frees whole blocks of which the host has been told that they are free:
 * frame_alloc_unreported() does not return them before they were used again. They
 * are not filled. Nothing is changed on an error. -EINVAL: `blocks` is 0, or
 * `pfn` begins no managed block; -EPERM: a frame is not this owner's.
 */
int frame_free_told_blocks(pfn_t pfn, size_t blocks, enum owner owner);

/* Frees up to `count` frames of `owner`, the lowest first; returns how many there were. */
uint64_t frame_free_owned(enum owner owner, uint64_t count);

/*
 * Gives `count` contiguous frames of `from` to `to`; neither is OWNER_FREE or
 * OWNER_ABSENT. Nothing is changed on an error. -EINVAL: `count` is 0, or a frame
 * is not managed; -EPERM: a frame is not `from`'s.
 */
int frame_change_owner(pfn_t pfn, size_t count, enum owner from, enum owner to);

/* ---- Reading the map ---- */

/* Returns the owner of a frame, OWNER_ABSENT if it is not managed. */
enum owner frame_owner(pfn_t pfn);

/*
 * Reads the owner map as a list: stores up to `count` frames of `owner`,
 * ascending, from `from` on. Returns how many there were. Frames of others in
 * between cost nothing, except those in the same blocks. Not for OWNER_FREE
 * and OWNER_ABSENT.
 */
size_t frame_collect(enum owner owner, pfn_t from, size_t count, pfn_t *pfns);

/* Finds the lowest frame of `owner` from `from` to before `end`; false: *pfn means nothing. */
static inline bool frame_find(enum owner owner, pfn_t from, pfn_t end, pfn_t *pfn)
{
	return frame_collect(owner, from, 1, pfn) == 1 && *pfn < end;
}

/* Counts the free frames in blocks whose largest aligned free run has 2^order frames. */
uint64_t frame_free_by_order(unsigned order);

/* Counts the blocks that are free as a whole. */
uint64_t frame_free_blocks(void);

/* Counts the free frames of memory that was there at boot. */
uint64_t frame_boot_free(void);

/*
 * Allocations of frame_alloc() since frame_init(). Those that had to ask the reclaimer are
 * stalls of mm/vm_events.h.
 */
struct frame_events {
	uint64_t block_allocs;	 /* of a block or more that succeeded */
	uint64_t block_failures; /* of a block or more that failed */
	uint64_t failures;	 /* of any size that failed in the end */
};

/* Copies the counts. May be called in an interrupt. */
void frame_events(struct frame_events *copy);

/* ---- Poison ---- */

/*
 * With a poisoner, what was free is full of its poison when it is allocated, if it
 * was freed after frame_set_poisoner() and not by frame_free_told_blocks(). Frames that
 * an owner in the guest frees are filled at once. Whole blocks, and all that the host had
 * (owner_is_host()), are free at once and filled later: when frame_fill_step() comes to
 * them, or when they are allocated. What is allocated for the host is not filled: it
 * comes back as unknown as it went, and whoever tells the host that it is full of
 * poison fills it.
 *
 * So no call fills more than a block, or a part of one at either end of a run, but
 * frame_reserve(); and memory that only travels between the host and the allocator is
 * never written.
 */

/* Fills frames; must not call the allocator. */
typedef void frame_poisoner(pfn_t pfn, size_t count);

/* Replaces the poisoner; NULL: none, and nothing is to be filled any more. */
void frame_set_poisoner(frame_poisoner *poisoner);

/* Fills allocated frames, if there is a poisoner: runs longer than a block, piece by piece. */
void frame_fill_run(pfn_t pfn, size_t count);

/*
 * Fills up to 64 frames of the lowest block that is to be filled, as far as it is free.
 * Returns whether there was one; false too while filling is paused.
 */
bool frame_fill_step(void);

/* Tells whether frame_fill_step() would find something to do. */
bool frame_has_unfilled(void);

/*
 * Pauses frame_fill_step(), or ends that: while a guest moves, each frame that is
 * written is one to be sent again. Allocations are filled all the same.
 */
void frame_pause_filling(bool paused);

/* Tells whether there is a poisoner and a pause: what has to be filled first had better wait. */
bool frame_filling_is_paused(void);

/* Replaces the hook for frame_has_unfilled() becoming true; NULL: none. It may wake tasks only. */
void frame_set_unfilled_hook(void (*hook)(void));

/* ---- Hooks ---- */

/*
 * Called when 2^order frames could not be had. Frees frames (of the balloon,
 * say) and returns how many; 0 ends the attempts, and so does the eighth that
 * did not help. It must not allocate.
 */
typedef size_t frame_reclaimer(unsigned order);

/* Replaces the reclaimer; NULL: none. */
void frame_set_reclaimer(frame_reclaimer *reclaimer);

/*
 * Has `hook` called after each change that leaves fewer than `frames` frames free; it may wake
 * tasks only. NULL: none.
 */
void frame_set_low_hook(uint64_t frames, void (*hook)(void));

/* Replaces the hook for allocations of 2^order frames that fail in the end; NULL: none. */
void frame_set_failure_hook(void (*hook)(unsigned order));

#endif
