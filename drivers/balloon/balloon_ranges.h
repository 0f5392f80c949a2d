/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Ranges of whole blocks, for hosts that take ranges. They serve two ends.
 *
 * Lending (free page reporting): whole blocks that are free, and have been quiet for
 * a while, are the host's to discard (owner `reported`), and return as free. A block
 * is told once until it was used again: with two hosts, to one of them, as both have their
 * memory of one machine.
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

/* Those of one host. */
struct balloon_ranges {
	const struct balloon_port *port;
	const struct balloon_terms *terms;
	enum owner leaving_owner;
	struct frame_run range[BALLOON_RANGES];
	size_t count;	     /* of ranges collected, or with the host; 0: it has none */
	uint64_t frames;     /* in them */
	bool with_host;	     /* else they are being collected */
	bool refused;	     /* the host takes none after all, until the next start */
	bool leaving;	     /* the end they serve */
	uint64_t sent_awake; /* while with_host */
	uint64_t events;     /* frame_unreported_events(), when last looked at */
	uint64_t quiet_since;
	struct {
		uint64_t frames; /* lent */
		uint64_t requests;
	} counts;
};

/*
 * Prepares for another host: of `ranges` port, terms and leaving_owner are set, and outlive the
 * host; the terms are read when there is something to send. Nothing is counted, what the last
 * host has kept stays with it, and the quiet before ranges are lent begins.
 */
void balloon_ranges_begin(struct balloon_ranges *ranges);

/* Ends the ranges that the host had: it is done with them. */
void balloon_ranges_end(struct balloon_ranges *ranges);

/* Lends free blocks, one call's worth, if it is time. Returns whether any were sent. */
bool balloon_ranges_lend(struct balloon_ranges *ranges);

/*
 * Lets whole free blocks of a place leave, one call's worth, at most `blocks`. Returns how many
 * frames were sent; 0: the host has ranges already, takes none, or there are none.
 */
uint64_t balloon_ranges_leave(struct balloon_ranges *ranges, const struct balloon_place *place,
			      uint64_t blocks);

/* Counts the frames that leave, and are still with the host. */
uint64_t balloon_ranges_leaving(const struct balloon_ranges *ranges);

/* Returns when the host was given the ranges that it has; DEADLINE_NEVER: it has none. */
uint64_t balloon_ranges_sent_awake(const struct balloon_ranges *ranges);

/* Returns when there may be blocks to lend; DEADLINE_NEVER: there are none. */
uint64_t balloon_ranges_next(const struct balloon_ranges *ranges);

/* Frees the ranges that the host had: it was reset. */
void balloon_ranges_abandon(struct balloon_ranges *ranges);

/* Stores, since the start: frames lent, and calls for either end. */
void balloon_ranges_counts(const struct balloon_ranges *ranges, uint64_t *frames,
			   uint64_t *requests);

#endif
