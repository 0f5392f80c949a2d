/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The host has the ranges of one call at a time. What they are for is one flag, and
 * decides only what becomes of their frames afterwards.
 */
#include "drivers/balloon/balloon_ranges.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>

#include "arch/clock.h"
#include "kernel/lib/panic.h"
#include "mm/frame.h"
#include "mm/ledger.h"

/* Nothing should be lent in pieces larger than this. */
#define RANGE_BLOCKS_MAX (GIB / BLOCK_SIZE)

_Static_assert(GIB % BLOCK_SIZE == 0, "a range is whole blocks");

void balloon_ranges_begin(struct balloon_ranges *ranges)
{
	*ranges = (struct balloon_ranges){
		.port = ranges->port,
		.terms = ranges->terms,
		.leaving_owner = ranges->leaving_owner,
		.quiet_since = clock_ns(),
	};
	assert(ranges->port && ranges->terms && owner_is_allocated(ranges->leaving_owner));
}

/* ---- A call's ranges ---- */

static bool can_send(const struct balloon_ranges *ranges)
{
	return ranges->terms->ranges > 0 && !ranges->with_host && !ranges->refused;
}

static void add_range(struct balloon_ranges *ranges, pfn_t first, size_t blocks)
{
	assert(ranges->count < ranges->terms->ranges);
	ranges->range[ranges->count++] = (struct frame_run){ first, blocks * BLOCK_FRAMES };
	ranges->frames += blocks * BLOCK_FRAMES;
}

static int give_range(const struct frame_run *range, enum owner to, bool told)
{
	if (to != OWNER_FREE)
		return frame_change_owner(range->first, range->count, OWNER_REPORTED, to);
	if (told)
		return frame_free_told_blocks(range->first, range->count / BLOCK_FRAMES,
					      OWNER_REPORTED);
	return frame_free(range->first, range->count, OWNER_REPORTED);
}

/* The frames, which are `reported`, get a new owner; the owner map must agree with us. */
static void settle(struct balloon_ranges *ranges, enum owner to, bool told)
{
	for (size_t i = 0; i < ranges->count; i++)
		if (give_range(&ranges->range[i], to, told))
			panic("balloon: blocks at %#" PRIx64
			      " are not reported; look for a wild write",
			      ranges->range[i].first);
	ranges->count = 0;
	ranges->frames = 0;
	ranges->with_host = false;
}

/* Sends what was collected. Returns how many frames went. */
static uint64_t send(struct balloon_ranges *ranges, bool leaving)
{
	uint64_t frames = ranges->frames;
	int err;

	assert(!ranges->with_host);
	if (ranges->count == 0)
		return 0;
	ranges->leaving = leaving;
	ranges->with_host = true;
	ranges->sent_awake = clock_awake_ns();
	err = ranges->port->send_ranges(ranges->range, ranges->count);
	if (err) {
		ranges->refused = err == -ENOTSUP;
		settle(ranges, OWNER_FREE, false);
		return 0;
	}
	ranges->counts.requests++;
	return frames;
}

/* Looks whether blocks have become free; each time, the quiet begins anew. */
static void watch_activity(struct balloon_ranges *ranges)
{
	uint64_t events = frame_unreported_events();

	if (events != ranges->events) {
		ranges->events = events;
		ranges->quiet_since = clock_ns();
	}
}

void balloon_ranges_end(struct balloon_ranges *ranges)
{
	assert(ranges->with_host && ranges->count > 0);
	if (!ranges->leaving)
		ranges->counts.frames += ranges->frames;
	watch_activity(ranges);
	settle(ranges, ranges->leaving ? ranges->leaving_owner : OWNER_FREE, true);
	/* That these came back does not end the quiet. */
	ranges->events = frame_unreported_events();
}

/* ---- Lending ---- */

/* A port may have to fill what is lent with poison. */
static bool can_lend(const struct balloon_ranges *ranges)
{
	return can_send(ranges) && !frame_filling_is_paused();
}

bool balloon_ranges_lend(struct balloon_ranges *ranges)
{
	uint64_t left;
	size_t blocks;
	pfn_t first;

	if (!can_lend(ranges))
		return false;
	watch_activity(ranges);
	if (clock_ns() - ranges->quiet_since < BALLOON_REPORT_QUIET_NS)
		return false;
	/* Half of what is free stays with the allocator meanwhile. */
	left = min_u64((frame_free_blocks() + 1) / 2, ranges->terms->range_blocks);
	while (ranges->count < ranges->terms->ranges && left > 0 &&
	       !frame_alloc_unreported((size_t)min_u64(left, RANGE_BLOCKS_MAX), OWNER_REPORTED,
				       &first, &blocks)) {
		add_range(ranges, first, blocks);
		left -= blocks;
	}
	return send(ranges, false) > 0;
}

uint64_t balloon_ranges_next(const struct balloon_ranges *ranges)
{
	if (!can_lend(ranges))
		return DEADLINE_NEVER;
	if (!frame_has_unreported())
		return DEADLINE_NEVER;
	return ranges->quiet_since + BALLOON_REPORT_QUIET_NS;
}

/* ---- Leaving ---- */

uint64_t balloon_ranges_leave(struct balloon_ranges *ranges, const struct balloon_place *place,
			      uint64_t blocks)
{
	size_t n;
	pfn_t first;

	if (!can_send(ranges))
		return 0;
	blocks = min_u64(blocks, place->frames / BLOCK_FRAMES);
	blocks = min_u64(blocks, ranges->terms->range_blocks);
	while (ranges->count < ranges->terms->ranges && blocks > 0 &&
	       !frame_alloc_blocks_within((size_t)min_u64(blocks, RANGE_BLOCKS_MAX), place->from,
					  place->end, OWNER_REPORTED, &first, &n)) {
		add_range(ranges, first, n);
		blocks -= n;
	}
	return send(ranges, true);
}

uint64_t balloon_ranges_leaving(const struct balloon_ranges *ranges)
{
	return ranges->with_host && ranges->leaving ? ranges->frames : 0;
}

/* ---- For the other files ---- */

uint64_t balloon_ranges_sent_awake(const struct balloon_ranges *ranges)
{
	return ranges->with_host ? ranges->sent_awake : DEADLINE_NEVER;
}

void balloon_ranges_abandon(struct balloon_ranges *ranges)
{
	ranges->refused = false;
	settle(ranges, OWNER_FREE, false);
}

void balloon_ranges_counts(const struct balloon_ranges *ranges, uint64_t *frames,
			   uint64_t *requests)
{
	*frames = ranges->counts.frames;
	*requests = ranges->counts.requests;
}
