/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The books on every frame: how many each owner has, and whether that adds
 * up. The frame allocator keeps the counts; reading one takes constant time and
 * may be done in an interrupt. ledger_audit() counts the whole map anew and
 * compares.
 */
#ifndef MM_LEDGER_H
#define MM_LEDGER_H

#include "mm/owner.h"
#include "kernel/lib/types.h"

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

/* Counts the map anew, bit by bit, and does what ledger_check() does. Slow: tens of ms. */
bool ledger_audit(char verdict[LEDGER_VERDICT_MAX]);

#endif
