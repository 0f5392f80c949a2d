/* SPDX-License-Identifier: BSD-2-Clause */
/* Boot memory before regions; see balloon_place.h. */
#include "drivers/balloon/balloon_place.h"

#include <assert.h>
#include <string.h>

#include "mm/frame.h"
#include "mm/frame_region.h"
#include "mm/ledger.h"

/* In ascending order, with gaps between. */
static struct {
	struct balloon_stretch stretch[BALLOON_STRETCHES + 1];
	size_t count;
} avoided;

/* ---- What is avoided ---- */

/* Adds a stretch, as one with all that it touches. */
static void add(struct balloon_stretch stretch)
{
	struct balloon_stretch *all = avoided.stretch;
	size_t at = 0, next;

	assert(stretch.start < stretch.end && stretch.start % BLOCK_FRAMES == 0 &&
	       stretch.end % BLOCK_FRAMES == 0);
	while (at < avoided.count && all[at].end < stretch.start)
		at++;
	for (next = at; next < avoided.count && all[next].start <= stretch.end; next++) {
		stretch.start = min_u64(stretch.start, all[next].start);
		stretch.end = max_u64(stretch.end, all[next].end);
	}
	memmove(&all[at + 1], &all[next], (avoided.count - next) * sizeof(*all));
	all[at] = stretch;
	avoided.count = at + 1 + avoided.count - next;
}

void balloon_place_avoid(const struct balloon_stretch *stretches, size_t count,
			 const struct balloon_stretch *another)
{
	assert(count <= BALLOON_STRETCHES);
	avoided.count = 0;
	for (size_t i = 0; i < count; i++)
		add(stretches[i]);
	if (another)
		add(*another);
}

const struct balloon_stretch *balloon_place_avoided(size_t *count)
{
	*count = avoided.count;
	return avoided.stretch;
}

/* Counts the free frames of what is avoided. */
static uint64_t avoided_free(void)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < avoided.count; i++)
		sum += frame_region_free_within(avoided.stretch[i].start, avoided.stretch[i].end);
	return sum;
}

/* ---- Where there is something ---- */

/* What there is above the floor, which is not more than there is. */
static uint64_t above(uint64_t frames, uint64_t floor)
{
	return frames - min_u64(frames, floor);
}

uint64_t balloon_place_spare(uint64_t floor)
{
	uint64_t free = ledger_count(OWNER_FREE), boot, regions;

	if (avoided.count == 0)
		return above(free, floor);
	boot = frame_boot_free();
	regions = free - boot - avoided_free();
	return min_u64(above(free, floor), above(boot, floor) + regions);
}

/* Of the gaps between what is avoided in regions, the lowest with free frames. */
static void choose_gap(struct balloon_place *place)
{
	pfn_t limit = place->end;
	uint64_t free = 0;

	place->from = frame_region_boot_end();
	for (size_t i = 0; i < avoided.count && free == 0; i++) {
		place->end = avoided.stretch[i].start;
		free = frame_region_free_within(place->from, place->end);
		if (free == 0)
			place->from = avoided.stretch[i].end;
	}
	if (free == 0)
		place->end = PFN_NONE;
	else
		place->frames = min_u64(place->frames, free);
	place->end = min_u64(place->end, limit);
}

struct balloon_place balloon_place_next(uint64_t floor, pfn_t pfn_limit)
{
	uint64_t boot = frame_boot_free();
	struct balloon_place place = { 0, pfn_limit, balloon_place_spare(floor) };

	/* Nothing to choose. */
	if (avoided.count == 0 && boot == ledger_count(OWNER_FREE))
		return place;
	if (boot > floor) {
		place.end = min_u64(pfn_limit, frame_region_boot_end());
		place.frames = min_u64(place.frames, boot - floor);
	} else {
		choose_gap(&place);
	}
	return place;
}
