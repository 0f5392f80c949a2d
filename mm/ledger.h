/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The books on every frame: how many each owner has, and whether that adds
 * up. The counts are kept by the frame allocator and are O(1) to read, from an
 * interrupt too; ledger_audit() counts the whole map anew and compares.
 */
#ifndef MM_LEDGER_H
#define MM_LEDGER_H

#include "mm/owner.h"
#include "kernel/lib/types.h"

/* Room for the longest verdict. */
#define LEDGER_VERDICT_MAX 120

/* Frames of this owner. */
uint64_t ledger_count(enum owner owner);

/* Managed frames: the sum that all owners must add up to. */
uint64_t ledger_managed(void);

/* Changes that were refused because the owner was not the one expected. */
uint64_t ledger_refused(void);

/*
 * Adds up the counts. Stores "ok (<n> frames)" or "BROKEN <what>" and returns
 * whether it is ok.
 */
bool ledger_check(char verdict[LEDGER_VERDICT_MAX]);

/* The same after a recount of the map, bit by bit. Slow: tens of ms. */
bool ledger_audit(char verdict[LEDGER_VERDICT_MAX]);

#endif
