/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which frames go into a batch: memory of the boot before regions (balloon_place.h), in each
 * of them whole blocks before single frames, low ones before high ones. Each call offers as many
 * batches as the host has room for, and no more than it can have at a time: one that answers at
 * once always has room, and others want to run, too. Amounts are in frames.
 */
#ifndef DRIVERS_BALLOON_BALLOON_OFFER_H
#define DRIVERS_BALLOON_BALLOON_OFFER_H

#include "drivers/balloon/balloon_place.h"
#include "kernel/lib/types.h"

struct balloon;

/* Returns where the next free frames are to be taken, by the floor and for this host. */
struct balloon_place balloon_next_place(const struct balloon *balloon);

/* Offers up to `want` free frames. Returns how many. */
uint64_t balloon_offer_free(struct balloon *balloon, uint64_t want);

/* Offers frames that are `leaving`. Returns how many. */
uint64_t balloon_offer_leaving(struct balloon *balloon);

/* Asks for up to `want` frames of the balloon, the lowest from `from` on. Returns how many. */
uint64_t balloon_offer_ballooned(struct balloon *balloon, pfn_t from, uint64_t want);

#endif
