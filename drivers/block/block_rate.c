/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How many requests may be under way at a time. A disk that is throttled answers them one by
 * one, however many there are: so it gets as many as it answered lately in ROOM_NS, and each of
 * them is done soon. A fast disk gets all there are. Time is the guest's own, and only that in
 * which the disk had something to do.
 */
#include "drivers/block/block_internal.h"

/* So long a request should take at most: a tenth of BLOCK_DEADLINE_NS. */
#define ROOM_NS (BLOCK_DEADLINE_NS / 10)

/* One would leave a disk idle between two requests. */
#define ROOM_LEAST 2

/* Before anything is known. */
#define ROOM_FIRST 4

#define WINDOW_NS (50 * NS_PER_MS)

_Static_assert(ROOM_FIRST <= BLOCK_SLOTS && ROOM_LEAST <= ROOM_FIRST, "there are so many");

void block_rate_init(struct block_rate *rate)
{
	*rate = (struct block_rate){ .room = ROOM_FIRST };
}

void block_rate_busy(struct block_rate *rate, uint64_t now_awake)
{
	rate->window_awake = now_awake - rate->busy_ns;
}

void block_rate_idle(struct block_rate *rate, uint64_t now_awake)
{
	rate->busy_ns = now_awake - rate->window_awake;
}

void block_rate_count(struct block_rate *rate, uint64_t now_awake)
{
	uint64_t elapsed = now_awake - rate->window_awake;
	uint64_t room;

	rate->finished++;
	if (elapsed < WINDOW_NS)
		return;
	/* Rounded up: a disk that would be faster with one more gets it. */
	room = (rate->finished * ROOM_NS + elapsed - 1) / elapsed;
	rate->room = (unsigned)min_u64(max_u64(room, ROOM_LEAST), BLOCK_SLOTS);
	rate->finished = 0;
	rate->window_awake = now_awake;
}
