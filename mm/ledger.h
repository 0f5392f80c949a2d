/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The books on every frame: how many each owner has, and whether that adds
 * up. The frame allocator keeps the counts; reading one takes constant time and
 * may be done in an interrupt. ledger_audit() counts the whole map anew and
 * compares.
 */
#ifndef MM_LEDGER_H
#define MM_LEDGER_H

#include "kernel/lib/types.h"
#include "mm/owner.h"

/* Room for the longest verdict. */
#define LEDGER_VERDICT_MAX 120

/* Returns how many frames this owner has; 0 if it is no owner. */
uint64_t ledger_count(enum owner owner);

/* Returns how many frames are managed: what the counts of all owners must add up to. */
uint64_t ledger_managed(void);

/* Counts the changes that were refused: of frames of another owner, or not managed. */
uint64_t ledger_refused(void);

/*
 * Adds up the counts. Stores "ok (<n> frames)" or "BROKEN <what>"; returns
 * whether it is ok.
 */
bool ledger_check(char verdict[LEDGER_VERDICT_MAX]);

/*
 * Counts the map anew, bit by bit, and does what ledger_check() does. Takes long where
 * there is much memory: a second for a TiB.
 */
bool ledger_audit(char verdict[LEDGER_VERDICT_MAX]);

/* ---- The same in steps, between which others may run ---- */

/* An audit under way; its members are its own. */
struct ledger_audit {
	uint64_t count[OWNER_COUNT];
	uint64_t free_by_order[BLOCK_ORDER + 1];
	uint64_t region_free;
	size_t next;	  /* the first block that is not counted */
	uint64_t changes; /* of the map, before it began */
	bool sums;	  /* they are compared */
};

enum ledger_step {
	LEDGER_MORE,	/* blocks are left */
	LEDGER_CHANGED, /* frames have changed hands since it began: it is of no use */
	LEDGER_SOUND,	/* it has ended, and all is in order */
	LEDGER_UNSOUND, /* it has ended, and something is not */
};

/*
 * Begins an audit. With `sums` it does what ledger_audit() does, and no frame may
 * change hands meanwhile; else the counts of all blocks are not compared with the books,
 * while each block is checked at its moment, and the books by ledger_check().
 */
void ledger_audit_begin(struct ledger_audit *audit, bool sums);

/*
 * Counts some blocks: a few milliseconds of work. Stores a verdict at the end: that of
 * ledger_audit(), or "ok in each block (<n> frames)" without the sums.
 */
enum ledger_step ledger_audit_step(struct ledger_audit *audit, char verdict[LEDGER_VERDICT_MAX]);

#endif
