/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The guest's memory in figures, in the ways of accounting that were negotiated:
 * what show_mem prints is what the host is told.
 *
 * DEFLATE_ON_OOM not negotiated: ballooned memory is the host's. It is taken
 * off the total and shown as inflated_total. Negotiated: it is the guest's and
 * comes back when needed. It stays in the total, counts as used, and is shown
 * as inflated_free. Both are more than 0 only where there are two balloons.
 */
#ifndef DRIVERS_BALLOON_BALLOON_ACCOUNT_H
#define DRIVERS_BALLOON_BALLOON_ACCOUNT_H

#include "kernel/lib/types.h"

/* All in frames. */
struct balloon_account {
	uint64_t ram; /* what the host gave */
	uint64_t total;
	uint64_t free;
	uint64_t available; /* what allocations could have, caches that are clean among it */
	uint64_t inflated_total;
	uint64_t inflated_free;
};

/* Gives the figures for so many frames, by the rule above, of a guest without a page cache. */
static inline struct balloon_account balloon_account_of(uint64_t ram, uint64_t free,
							uint64_t inflated_total,
							uint64_t inflated_free)
{
	return (struct balloon_account){
		.ram = ram,
		.total = ram - inflated_total,
		.free = free,
		.available = free,
		.inflated_total = inflated_total,
		.inflated_free = inflated_free,
	};
}

/*
 * Returns what allocations could have without waiting for a disk, as Linux reckons it: what is
 * free but for the reserve, and clean pages of the cache but for what reclaim leaves there, half
 * of them or as many as the reserve, whichever is less. Without a disk that is what is free.
 */
static inline uint64_t balloon_available(uint64_t free, uint64_t reserve, uint64_t clean)
{
	uint64_t kept = min_u64(clean / 2, reserve);

	return (free > reserve ? free - reserve : 0) + (clean - kept);
}

/* Returns the part of a target that is neither given already nor can come from the spare. */
static inline uint64_t balloon_shortfall(uint64_t target, uint64_t given, uint64_t spare)
{
	if (target <= given || target - given <= spare)
		return 0;
	return target - given - spare;
}

/* Stores the figures of now. Reads counters only: may be called in an interrupt. */
void balloon_account(struct balloon_account *account);

#endif
