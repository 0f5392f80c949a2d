/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Ranges of whole blocks, for hosts that take ranges. They serve two ends.
 *
 * Lending (free page reporting): whole blocks that are free, and have been quiet for
 * a while, are the host's to discard (owner `reported`), and return as free. A block
 * is told once until it was used again.
 *
 * Leaving: blocks that are on their way into the balloon are told first as ranges,
 * and become `leaving`, because a host discards 2 MiB at once a hundred times cheaper
 * than 512 times 4 KiB.
 */
#ifndef DRIVERS_BALLOON_BALLOON_RANGES_H
#define DRIVERS_BALLOON_BALLOON_RANGES_H

#include "drivers/balloon/balloon_place.h"
#include "drivers/balloon/balloon_port.h"
#include "kernel/lib/types.h"

/* Nothing is lent until no block has become free for this long. */
#define BALLOON_REPORT_QUIET_NS (NS_PER_S)

/*
 * Prepares for another host, with this port; `terms` are read when there is something
 * to send. Nothing is counted, what the last host has kept stays with it, and the quiet
 * before ranges are lent begins.
 */
void balloon_ranges_begin(const struct balloon_port *port, const struct balloon_terms *terms);

/* Lends free blocks, one call's worth, if it is time. Returns whether any were sent. */
bool balloon_ranges_lend(void);

/*
 * Lets whole free blocks of a place leave, one call's worth, at most `blocks`. Returns how many
 * frames were sent; 0: the host has ranges already, takes none, or there are none.
 */
uint64_t balloon_ranges_leave(const struct balloon_place *place, uint64_t blocks);

/* Counts the frames that leave, and are still with the host. */
uint64_t balloon_ranges_leaving(void);

/* Returns when the host was given the ranges that it has; DEADLINE_NEVER: it has none. */
uint64_t balloon_ranges_sent_awake(void);

/* Returns when there may be blocks to lend; DEADLINE_NEVER: there are none. */
uint64_t balloon_ranges_next(void);

/* Frees the ranges that the host had: it was reset. */
void balloon_ranges_abandon(void);

/* Stores, since the start: frames lent, and calls for either end. */
void balloon_ranges_counts(uint64_t *frames, uint64_t *requests);

#endif
