/* SPDX-License-Identifier: BSD-2-Clause */
/* What the files of kernel/vm share; see vm.h for their order. */
#ifndef KERNEL_VM_VM_INTERNAL_H
#define KERNEL_VM_VM_INTERNAL_H

#include "arch/paging_demand.h"
#include "drivers/block/block.h"
#include "kernel/task/task.h"
#include "kernel/vm/vm.h"
#include "mm/owner.h"
#include "mm/replacement.h"
#include "mm/vm_events.h"

/* ---- Regions: a stretch of the window for each ---- */

#define VM_REGIONS_MAX (VM_USERS_MAX + 1)
#define VM_REGION_PAGES VM_PAGES_MAX
_Static_assert(VM_REGIONS_MAX *VM_REGION_PAGES <= PAGING_DEMAND_PAGES, "the window has room");

/* A region's pages are numbered in the window: first, first + 1, ... */
struct vm_region {
	bool used;
	enum vm_kind kind;
	uint64_t first, pages;
	uint64_t resident; /* pages in memory */
	uint64_t swapped;  /* pages on the swap disk only */
	uint64_t limit;	   /* of resident ones; 0: none */
	bool going;	   /* nobody uses it any more: what comes is freed at once */
	unsigned moving;   /* transfers under way, and tasks that empty it: it stays */
	unsigned backing;  /* of those, writes after which all pages stay */
	unsigned tabling;  /* tasks that make tables for pages of it: none is freed */
	uint64_t hand;	   /* from where its own pages are taken at its limit */
};

extern struct vm_region vm_regions[VM_REGIONS_MAX];

/* The region around a page, or NULL. */
struct vm_region *vm_region_of(uint64_t page);

/* ---- The entry of a page that is not mapped ---- */

/* A swapped page's slot, and the transfer that has a page, lie in its note, with these marks. */
#define VM_NOTE_SWAPPED 1u
#define VM_NOTE_MOVING 2u
#define VM_NOTE_MARK 3u

/* Returns the note of a slot or a transfer. */
static inline uint64_t vm_note(uint64_t number, unsigned mark)
{
	return number << 2 | mark;
}

/* ---- vm_pages.c ---- */

/* In a record: it was read from a disk, and its user has not looked since. */
#define VM_PAGE_CAME_BACK (UINT64_C(1) << 48)
/* Of the cache: it was written, and its disk has not what it holds. */
#define VM_PAGE_DIRTY (UINT64_C(1) << 49)

extern struct replacement vm_replacement;

/* Begins: there are no pages. Once. */
void vm_pages_start(void);

/*
 * Maps a frame, which is of the region's owner, to a page that has tables and is not mapped.
 * It is in memory from now on. -ENOMEM: no room for its record; nothing has happened.
 */
int vm_page_comes(struct vm_region *region, uint64_t page, pfn_t pfn, bool from_disk);

/* Maps a page again that was on its way out: it is one that is in use, and no refault. */
void vm_page_stays(struct vm_region *region, uint64_t page, pfn_t pfn);

/* Counts a page as gone and frees its frame, which is not mapped any more and in no ring. */
void vm_page_goes(struct vm_region *region, pfn_t pfn);

/* Frees the tables of a page that went, if they lead nowhere and nobody makes some just now. */
void vm_page_trim(const struct vm_region *region, uint64_t page);

/*
 * Frees pages from `page` on, wherever they are, but for those that move: some, and returns
 * from where to go on, or PAGING_DEMAND_NONE. Nobody may touch them any more.
 */
uint64_t vm_pages_drop(struct vm_region *region, uint64_t page, uint64_t end);

/*
 * From now on anonymous pages have records, too, and those that are in memory already get
 * theirs: there is a swap disk. -ENOMEM: none of that.
 */
int vm_pages_track_anonymous(void);

/* Tells whether the region's pages have records: they can be taken back. */
bool vm_is_tracked(const struct vm_region *region);

/* Notes that a cached page differs from its disk, or does not any more. */
void vm_page_set_dirty(pfn_t pfn, bool dirty);

/* Returns the owner of the frames of a region's pages. */
static inline enum owner vm_owner(const struct vm_region *region)
{
	return region->kind == VM_CACHE ? OWNER_CACHE : OWNER_ANON;
}

/* Wakes all that wait for a page, a frame, or room on a disk. */
extern struct wait_queue vm_changed;

/* ---- vm_swap.c ---- */

extern struct block_disk *vm_swap_disk; /* NULL: there is none that works */

/* Begins to use `pages` pages of a claimed disk. -EINVAL: too few; -ENOMEM. */
int vm_swap_on(struct block_disk *disk, uint64_t pages);

/*
 * Forgets the slots of a disk that is gone. false: some users still have pages there, which are
 * lost, and not to be mistaken for another disk's.
 */
bool vm_swap_forget(void);

/* Takes up to `count` neighbouring slots; returns how many, 0: the disk is full. */
unsigned vm_swap_take(unsigned count, uint64_t *slot);

/* Gives slots back. */
void vm_swap_give(uint64_t slot, unsigned count);

/* Never uses slots again: the disk would not write there. They count as no room. */
void vm_swap_spoil(uint64_t slot, unsigned count);

/* ---- vm_user.c ---- */

struct vm_user {
	bool used;
	unsigned task;
	struct vm_region *region;
	uint64_t first; /* of its pages, in the window */
	uint64_t pages;
	bool writes;
	const char *doomed;
	bool idle;	   /* it wants nothing: it waits for its end */
	unsigned stalls;   /* it is in so many waits for memory */
	uint64_t number;   /* later ones have larger ones */
	uint64_t touches;  /* the page that it waits for, or PAGING_DEMAND_NONE */
	unsigned failures; /* reads of that page that failed */
	/* Reading ahead: */
	uint64_t ahead_next;	       /* the page after the last that was read */
	unsigned ahead;		       /* so many at once */
	uint64_t will_first, will_end; /* it has said that it touches these */
	void (*ended)(unsigned task, const char *why);
};

extern struct vm_user vm_users[VM_USERS_MAX];

/* Returns the user that the calling task is, or NULL. */
struct vm_user *vm_user_self(void);

/* Tells whoever waits for a page that it could not be read. */
void vm_page_failed(uint64_t page);

/* Users have come, gone, or changed what they do: for `vm_psi`. */
void vm_users_changed(void);

/* Tell all users of the cache, or all that have pages on the swap disk, that they are to end. */
void vm_doom_cache_users(const char *why);
void vm_doom_swapped_users(const char *why);

/* Begin and end a wait for memory of the calling user, if it is one: some wait, or all do. */
void vm_stall_begin(void);
void vm_stall_end(void);

/* ---- vm_transfer.c ---- */

/* Who takes pages out: background reclaim, or a task in want of memory. */
enum vm_by { VM_BY_BACKGROUND, VM_BY_TASK };

/* Pages on their way: to a disk, or from it. Neighbours in the window and on the disk. */
struct vm_transfer {
	struct block_request request;
	struct block_disk *disk;
	struct vm_region *region; /* NULL: not in use */
	uint64_t page;		  /* the first in the window; as many as the request's */
	enum vm_by by;
	bool stays;	 /* it is written back only */
	bool uncounted;	 /* at a task's own limit: no scan, no reclaim */
	uint32_t wanted; /* pages that were touched meanwhile: they stay */
};

/* The cache's disk, NULL: there is none that works. */
extern struct block_disk *vm_cache_disk;

/* Returns the disk that a region's pages go to and come from, NULL: there is none that works. */
static inline struct block_disk *vm_disk_of(const struct vm_region *region)
{
	return region->kind == VM_CACHE ? vm_cache_disk : vm_swap_disk;
}

/* Tells whether vm_transfer_new() would find one. */
bool vm_transfer_is_free(void);

/*
 * A transfer that is not in use, or NULL. The caller fills it in, and begins it before it
 * sleeps.
 */
struct vm_transfer *vm_transfer_new(struct vm_region *region, uint64_t page);

/* Gives back one that was not begun. */
void vm_transfer_cancel(struct vm_transfer *transfer);

/*
 * Hands it to its disk, and notes that its pages are moving. Returns 0, or block_submit()'s error,
 * or -EIO without a disk: then nothing has happened, and it is not in use any more.
 */
int vm_transfer_begin(struct vm_transfer *transfer);

/* Says that a page which moves is wanted. */
void vm_transfer_want(uint64_t page);

/* Finishes a write that is under way, without sleeping: for who must not. */
void vm_transfer_finish_here(void);

/* Nothing stays under way; see struct vm_config. */
extern bool vm_lockstep;

/*
 * In lockstep, finishes all that is under way, without sleeping; returns whether anything was.
 * Between two pages, whose books are in order, but in the middle of an eviction.
 */
bool vm_finish_in_lockstep(void);

/*
 * Sleeps until something has changed, as a wait for memory. Nothing may sleep between the look
 * and this.
 */
void vm_wait(void);

/* Does so for what memory has nothing to do with: a page that was never there. */
void vm_wait_cold(void);

/* Set while a page changes its place: then none may be taken out. */
extern bool vm_busy;

/* Counts pages as reclaimed. */
void vm_count_reclaimed(enum vm_by by, uint64_t pages);

/* How many pages are on their way out. */
extern uint64_t vm_leaving;

/* ---- vm_evict.c ---- */

/*
 * Looks at pages by the rules of replacement, and takes out up to `want` of them. Does not
 * wait. Returns how many are free, or on their way to a disk.
 */
uint64_t vm_evict(enum vm_by by, uint64_t want);

/*
 * Writes dirty pages of the cache from `page` on, as far as its disk has room; they stay in
 * memory. Sets *refused if the disk has not even begun to write some, which stay dirty. Returns
 * where to go on, or PAGING_DEMAND_NONE.
 */
uint64_t vm_write_back(struct vm_region *region, uint64_t page, bool *refused);

/* Does what vm_evict() does, with no more than `most` looks, but for neighbours of what goes. */
uint64_t vm_evict_among(enum vm_by by, uint64_t want, uint64_t most);

/* Takes out pages of a region at its own limit. Counts neither as scan nor as reclaim. */
uint64_t vm_evict_own(struct vm_region *region, uint64_t want);

/* Tells whether vm_evict_own() may take out more, now or later: the swap disk has slots. */
bool vm_can_evict_own(void);

/* Tells whether there is anything that vm_evict() could take out: no disk's room counted. */
bool vm_can_evict(void);

/* Tells whether a disk that pages go to has no room for one more request. */
bool vm_is_waiting_for_disk(void);

/* ---- vm_region.c ---- */

extern bool vm_cache_writes; /* the cache's disk was claimed for that */

/* The pages of the cache's disk can be used from now on. */
void vm_cache_region_open(uint64_t pages);

/* How many those are; 0: there is no cache. */
uint64_t vm_cache_region_pages(void);

/*
 * Tells whether the cache has users: with pages of a disk that is gone, no other can take its
 * place.
 */
bool vm_cache_is_in_use(void);

/* Frees a user's anonymous memory; its moving pages go by themselves. Lets others run. */
void vm_region_empty(struct vm_region *region);

/* ---- vm_killer.c ---- */

/* From now on it prints, by this, where all memory is before its choice. */
void vm_killer_start(void (*show_memory)(void));

/*
 * Chooses and dooms a user, and frees what it has; while one that is to end anyway still has
 * memory, that is freed, and nobody is chosen. false: there is none. For so long no page could go:
 * people are told. Lets others run.
 */
bool vm_kill(uint64_t in_vain_ns);

/* ---- vm_reclaim.c ---- */

/* Starts the task in the background. Once. */
void vm_reclaim_start(void);

/* Stores the figures that are its. */
void vm_reclaim_figures(struct vm_figures *figures);

/* Sets the watermarks anew: a disk has come, or memory. */
void vm_reclaim_set_watermarks(void);

/*
 * Takes a frame for a page of the region, with patience: reclaims, asks the balloon, has a task
 * killed. -EINTR: it is the caller who must go; -ENOMEM.
 */
int vm_frame_take(struct vm_region *region, pfn_t *pfn);

/* Takes one if there are more than enough: for reading ahead. -ENOMEM: there are not. */
int vm_frame_take_spare(struct vm_region *region, pfn_t *pfn);

/* ---- vm_fault.c ---- */

/* From now on pages come when they are touched. */
void vm_fault_start(void);

#endif
