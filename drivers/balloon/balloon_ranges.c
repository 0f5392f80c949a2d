/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The host has the ranges of one call at a time. What they are for is one flag, and
 * decides only what becomes of their frames afterwards.
 */
#include "drivers/balloon/balloon_ranges.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "arch/clock.h"
#include "kernel/lib/panic.h"
#include "mm/frame.h"
#include "mm/ledger.h"

/* Nothing should be lent in pieces larger than this. */
#define RANGE_BLOCKS_MAX (GIB / BLOCK_SIZE)

_Static_assert(GIB % BLOCK_SIZE == 0, "a range is whole blocks");

static struct {
	const struct balloon_port *port;
	const struct balloon_terms *terms;
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
} ranges;

void balloon_ranges_begin(const struct balloon_port *port, const struct balloon_terms *terms)
{
	assert(port && terms);
	memset(&ranges, 0, sizeof(ranges));
	ranges.port = port;
	ranges.terms = terms;
	ranges.quiet_since = clock_ns();
}

/* ---- A call's ranges ---- */

static bool can_send(void)
{
	return ranges.terms->ranges > 0 && !ranges.with_host && !ranges.refused;
}

static void add_range(pfn_t first, size_t blocks)
{
	assert(ranges.count < ranges.terms->ranges);
	ranges.range[ranges.count++] = (struct frame_run){ first, blocks * BLOCK_FRAMES };
	ranges.frames += blocks * BLOCK_FRAMES;
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
static void settle(enum owner to, bool told)
{
	for (size_t i = 0; i < ranges.count; i++)
		if (give_range(&ranges.range[i], to, told))
			panic("balloon: blocks at %#" PRIx64
			      " are not reported; look for a wild write",
			      ranges.range[i].first);
	ranges.count = 0;
	ranges.frames = 0;
	ranges.with_host = false;
}

/* Sends what was collected. Returns how many frames went. */
static uint64_t send(bool leaving)
{
	uint64_t frames = ranges.frames;
	int err;

	assert(!ranges.with_host);
	if (ranges.count == 0)
		return 0;
	ranges.leaving = leaving;
	ranges.with_host = true;
	ranges.sent_awake = clock_awake_ns();
	err = ranges.port->send_ranges(ranges.range, ranges.count);
	if (err) {
		ranges.refused = err == -ENOTSUP;
		settle(OWNER_FREE, false);
		return 0;
	}
	ranges.counts.requests++;
	return frames;
}

/* Looks whether blocks have become free; each time, the quiet begins anew. */
static void watch_activity(void)
{
	uint64_t events = frame_unreported_events();

	if (events != ranges.events) {
		ranges.events = events;
		ranges.quiet_since = clock_ns();
	}
}

void balloon_ranges_answered(void)
{
	assert(ranges.with_host && ranges.count > 0);
	if (!ranges.leaving)
		ranges.counts.frames += ranges.frames;
	watch_activity();
	settle(ranges.leaving ? OWNER_LEAVING : OWNER_FREE, true);
	/* That these came back does not end the quiet. */
	ranges.events = frame_unreported_events();
}

/* ---- Lending ---- */

/* A port may have to fill what is lent with poison. */
static bool can_lend(void)
{
	return can_send() && !frame_filling_is_paused();
}

bool balloon_ranges_lend(void)
{
	uint64_t left;
	size_t blocks;
	pfn_t first;

	if (!can_lend())
		return false;
	watch_activity();
	if (clock_ns() - ranges.quiet_since < BALLOON_REPORT_QUIET_NS)
		return false;
	/* Half of what is free stays with the allocator meanwhile. */
	left = min_u64((frame_free_blocks() + 1) / 2, ranges.terms->range_blocks);
	while (ranges.count < ranges.terms->ranges && left > 0 &&
	       !frame_alloc_unreported((size_t)min_u64(left, RANGE_BLOCKS_MAX), OWNER_REPORTED,
				       &first, &blocks)) {
		add_range(first, blocks);
		left -= blocks;
	}
	return send(false) > 0;
}

uint64_t balloon_ranges_next(void)
{
	if (!can_lend())
		return DEADLINE_NEVER;
	if (!frame_has_unreported())
		return DEADLINE_NEVER;
	return ranges.quiet_since + BALLOON_REPORT_QUIET_NS;
}

/* ---- Leaving ---- */

uint64_t balloon_ranges_leave(const struct balloon_place *place, uint64_t blocks)
{
	size_t n;
	pfn_t first;

	if (!can_send())
		return 0;
	blocks = min_u64(blocks, place->frames / BLOCK_FRAMES);
	blocks = min_u64(blocks, ranges.terms->range_blocks);
	while (ranges.count < ranges.terms->ranges && blocks > 0 &&
	       !frame_alloc_blocks_within((size_t)min_u64(blocks, RANGE_BLOCKS_MAX), place->from,
					  place->end, OWNER_REPORTED, &first, &n)) {
		add_range(first, n);
		blocks -= n;
	}
	return send(true);
}

uint64_t balloon_ranges_leaving(void)
{
	return ranges.with_host && ranges.leaving ? ranges.frames : 0;
}

/* ---- For the other files ---- */

uint64_t balloon_ranges_sent_awake(void)
{
	return ranges.with_host ? ranges.sent_awake : DEADLINE_NEVER;
}

void balloon_ranges_abandon(void)
{
	ranges.refused = false;
	settle(OWNER_FREE, false);
}

void balloon_ranges_counts(uint64_t *frames, uint64_t *requests)
{
	*frames = ranges.counts.frames;
	*requests = ranges.counts.requests;
}
