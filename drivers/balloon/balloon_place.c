/* SPDX-License-Identifier: BSD-2-Clause */
/* Boot memory before regions; see balloon_place.h. */
#include "drivers/balloon/balloon_place.h"

#include "drivers/balloon/balloon_state_internal.h"
#include "drivers/balloon/balloon_vacate.h"
#include "mm/frame.h"
#include "mm/frame_region.h"
#include "mm/ledger.h"

uint64_t balloon_frames_spare(void)
{
	pfn_t limit = balloon_vacate_limit();
	uint64_t spare = balloon_spare(), boot;

	if (limit == BALLOON_ANYWHERE)
		return spare;
	boot = frame_boot_free();
	boot -= min_u64(boot, balloon.config.floor);
	return min_u64(spare, boot + frame_region_free_below(limit));
}

struct balloon_place balloon_next_place(void)
{
	uint64_t floor = balloon.config.floor, boot = frame_boot_free();
	pfn_t end = min_u64(balloon.terms.pfn_limit, balloon_vacate_limit());
	struct balloon_place place = { 0, end, balloon_frames_spare() };

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
