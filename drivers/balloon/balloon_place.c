/* SPDX-License-Identifier: BSD-2-Clause */
/* Boot memory before regions; see balloon_place.h. */
#include "drivers/balloon/balloon_place.h"

#include <assert.h>

#include "mm/frame.h"
#include "mm/frame_region.h"
#include "mm/ledger.h"

static pfn_t no_more_from = PFN_NONE;

void balloon_place_set_limit(pfn_t limit)
{
	assert(limit == PFN_NONE || limit % BLOCK_FRAMES == 0);
	no_more_from = limit;
}

pfn_t balloon_place_limit(void)
{
	return no_more_from;
}

/* What there is above the floor, which is not more than there is. */
static uint64_t above(uint64_t frames, uint64_t floor)
{
	return frames - min_u64(frames, floor);
}

uint64_t balloon_place_spare(uint64_t floor)
{
	uint64_t spare = above(ledger_count(OWNER_FREE), floor);

	if (no_more_from == PFN_NONE)
		return spare;
	return min_u64(spare,
		       above(frame_boot_free(), floor) + frame_region_free_within(0, no_more_from));
}

struct balloon_place balloon_place_next(uint64_t floor, pfn_t pfn_limit)
{
	uint64_t boot = frame_boot_free();
	pfn_t end = min_u64(pfn_limit, no_more_from);
	struct balloon_place place = { 0, end, balloon_place_spare(floor) };

	/* Nothing to choose. */
	if (boot == ledger_count(OWNER_FREE))
		return place;
	if (boot > floor) {
		place.end = min_u64(end, frame_region_boot_end());
		place.frames = min_u64(place.frames, boot - floor);
	} else {
		place.from = frame_region_boot_end();
	}
	return place;
}
