/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which page goes when memory is short: 2Q-CLOCK. Pages that are new enter a queue of a
 * tenth of all pages and leave at its end, whatever happened meanwhile; only a ghost stays,
 * the number of a page that went. One that comes back while its ghost lives goes to the main
 * ring, where a clock's hand gives a second chance to whatever was used since it came by last.
 * What the hand takes leaves a ghost as well, so that its return is counted; but it had its
 * turn, and begins anew in the queue. Without that, pages that take turns in the ring would never
 * let it come to rest: of a loop that is a little too long for memory none would stay.
 *
 *	 comes in -----> queue: [ first half | second half ] -----> goes
 *	                                            | used there
 *	 comes back while the ghost lives           v (HALF_WAY only)
 *	 that the queue left ------------> main: a ring, a hand ------> goes
 *	                                     ^          | used
 *	                                     '----------'
 *
 * A ghost lives for as many departures, its own included, as nine tenths of the pages that are
 * in, as long as there is memory for so many.
 *
 * Pure: the kernel's pages and a simulator's go by the same file. No clock, no chance: the same
 * references give the same decisions. Nothing here waits or allocates, and all of it but
 * replacement_set_ghosts() takes a few steps, however many pages there are.
 */
#ifndef MM_REPLACEMENT_H
#define MM_REPLACEMENT_H

#include "kernel/lib/types.h"
#include "mm/page_record.h"

/* What a new page has to show before it may stay. */
enum replacement_policy {
	REPLACEMENT_GHOST,    /* it came back after it had gone */
	REPLACEMENT_HALF_WAY, /* or it was used in the second half of its way through the queue */
};

/* How pages are reached: `number` is a record's, as in its links; it is never 0. */
struct replacement_ops {
	struct page_record *(*record)(uint32_t number);
	/* Tells whether the page was used since this was asked last, and forgets it. */
	bool (*take_used)(const struct page_record *record);
};

/* Pages in a line, linked by their records: what goes first is at its head. 0: none. */
struct replacement_line {
	uint32_t head, tail;
	uint64_t count;
};

enum replacement_place {
	REPLACEMENT_NOWHERE, /* not in */
	REPLACEMENT_FIRST_HALF,
	REPLACEMENT_SECOND_HALF,
	REPLACEMENT_MAIN,
	REPLACEMENT_PLACES
};

/* A page that went. Both are 32 bits wide, so that memory for a ghost is 8 bytes. */
struct replacement_ghost {
	uint32_t key;	/* of its number, and where it went from */
	uint32_t older; /* the departure before it in the same bucket */
};

/*
 * Ghosts lie in the order of departure, around and around, so that the oldest is written over.
 * Those of a bucket are a chain from the newest on; whoever follows it stops at the first that
 * is too old, so none is ever taken out of one.
 */
struct replacement_ghosts {
	struct replacement_ghost *ghost; /* the memory that was given */
	uint32_t *newest;		 /* departure, of each bucket */
	uint32_t count, buckets;	 /* 0: there are no ghosts */
	uint64_t first;			 /* departure that is written down here */
};

/* Its members are its own, but for the counts at the end, which anybody may read. */
struct replacement {
	const struct replacement_ops *ops;
	enum replacement_policy policy; /* may be changed at any time */
	struct replacement_line line[REPLACEMENT_PLACES];
	struct replacement_ghosts ghosts;
	uint64_t departures; /* pages that were evicted */
	uint64_t new_pages, main_pages;
	uint64_t scanned;  /* pages looked at: by replacement_choose() and replacement_may_go() */
	uint64_t refaults; /* pages that came back while their ghosts lived */
};

/* Begins with no page and no memory for ghosts. `ops` stay the caller's, and must stay. */
void replacement_init(struct replacement *r, const struct replacement_ops *ops,
		      enum replacement_policy policy);

/* Bytes that ghosts for `pages` pages take: at most 8 a page. */
size_t replacement_ghost_bytes(uint64_t pages);

/*
 * Gives memory for ghosts, of replacement_ghost_bytes(pages) bytes, aligned to 8, whose contents
 * do not matter; returns what it had before, which is the caller's again. NULL: no ghosts any
 * more. Ghosts that were there are kept, the latest if there is room for fewer: a step for each.
 */
void *replacement_set_ghosts(struct replacement *r, void *memory, uint64_t pages);

/*
 * A page has come in: its record has its number and is in no line. Returns whether it is a
 * refault: its ghost lived. With REPLACEMENT_HALF_WAY this, and whatever takes a page out, may
 * ask `take_used` of another page: one that comes to the second half of the queue.
 */
bool replacement_enter(struct replacement *r, uint32_t number);

/* Tells whether a page that is not in would be a refault, by its number. */
bool replacement_has_ghost(const struct replacement *r, uint64_t page);

/*
 * Chooses the page that goes next, takes it out, and remembers its ghost. Looks at `most` pages
 * and no further. false: none of those is to go, or there is none.
 */
bool replacement_choose(struct replacement *r, uint64_t most, uint32_t *number);

/*
 * Tells whether a page that is in may go along with a neighbour that goes: it is new (and, with
 * REPLACEMENT_HALF_WAY, not used in the second half), or was not used since the hand came by. One
 * that may not go is put where choosing it would have put it. Counts as a look.
 */
bool replacement_may_go(struct replacement *r, uint32_t number);

/* Takes this page out, and remembers its ghost. */
void replacement_evict(struct replacement *r, uint32_t number);

/* Takes this page out: it is freed, and its number is of nothing any more. No ghost. */
void replacement_remove(struct replacement *r, uint32_t number);

/*
 * Puts a page that was to go, and could not, where the hand comes last; its ghost is gone. It is in
 * no line: it was chosen or evicted.
 */
void replacement_put_back(struct replacement *r, uint32_t number);

#endif
