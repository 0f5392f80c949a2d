/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The guest's memory in figures, in the way of accounting that was negotiated:
 * what show_mem prints is what the statistics queue tells the host.
 *
 * DEFLATE_ON_OOM not negotiated: ballooned memory is the host's. It is taken
 * off the total and shown as inflated_total. Negotiated: it is the guest's and
 * comes back when needed. It stays in the total, counts as used, and is shown
 * as inflated_free. Never are both more than 0.
 */
#ifndef DRIVERS_BALLOON_BALLOON_ACCOUNT_H
#define DRIVERS_BALLOON_BALLOON_ACCOUNT_H

#include "kernel/lib/types.h"

/* All in frames. */
struct balloon_account {
	uint64_t ram; /* what the host gave */
	uint64_t total;
	uint64_t free;
	uint64_t available; /* what allocations could have */
	uint64_t inflated_total;
	uint64_t inflated_free;
};

/* Reads counters only: may be called in an interrupt. */
void balloon_account(struct balloon_account *account);

#endif
