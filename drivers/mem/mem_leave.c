/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How blocks leave; see mem_leave.h. The balloon moves out of one stretch at a time: that,
 * and whose it is, is kept here until the balloon says that it is done, as units of which it
 * has a part in flight do not look like its own meanwhile.
 */
#include "drivers/mem/mem_leave.h"

#include <assert.h>
#include <errno.h>

#include "drivers/balloon/balloon_state.h"
#include "drivers/balloon/balloon_vacate.h"
#include "mm/frame.h"
#include "mm/memory_region.h"

/* What the balloon moves out of; source NULL: nothing. */
static struct {
	const struct mem_source *source;
	pfn_t start;
	pfn_t end;
} moving;

/* ---- The balloon ---- */

static void stop_moving(void)
{
	moving.source = NULL;
	balloon_stay();
}

static enum mem_leave ask_balloon(const char **why)
{
	*why = "the balloon takes long to move out of it";
	switch (balloon_vacate(moving.start, moving.end)) {
	case BALLOON_MOVING_OUT:
		return MEM_LEAVE_LATER;
	case BALLOON_VACANT:
		stop_moving();
		return MEM_LEAVE_LATER;
	case BALLOON_NO_ROOM:
		*why = "the balloon holds it, and the floor leaves no other memory in its place";
		break;
	case BALLOON_GIVES_NONE:
		*why = "the balloon holds it, and its host gives none back";
		break;
	}
	stop_moving();
	return MEM_LEAVE_STUCK;
}

/* The balloon serves one source at a time. */
static enum mem_leave wait_for_other(const char **why)
{
	*why = "the balloon moves out of other memory first";
	return MEM_LEAVE_LATER;
}

static bool has_any(const struct frame_region_part *part, enum owner owner)
{
	pfn_t pfn;

	return frame_find(owner, part->start, frame_region_part_end(part), &pfn);
}

/* Tells whether the host has some of it, and will be done with it soon. */
static bool is_on_its_way(const struct frame_region_part *part)
{
	return has_any(part, OWNER_IN_FLIGHT) || has_any(part, OWNER_LEAVING) ||
	       has_any(part, OWNER_LEAVING_2) || has_any(part, OWNER_REPORTED) ||
	       has_any(part, OWNER_HINTED);
}

/* First what can move out; what cannot says why. As frame_region_find_held(). */
static int find_ballooned(const struct frame_region_part *part, size_t max, pfn_t *start,
			  size_t *blocks)
{
	uint32_t giving = balloon_giving_owners();

	if (giving && !frame_region_find_held(part, max, giving, start, blocks))
		return 0;
	return frame_region_find_held(part, max, OWNERS_BALLOON, start, blocks);
}

/* No unit is free: the balloon moves out of units of the part, if only it is in them. */
static enum mem_leave move_out(const struct mem_source *source, size_t max, const char **why)
{
	const struct frame_region_part *part = &source->part;
	size_t blocks;
	pfn_t start;

	if (moving.source == source)
		return ask_balloon(why);
	if (!find_ballooned(part, max, &start, &blocks)) {
		if (moving.source)
			return wait_for_other(why);
		moving.source = source;
		moving.start = start;
		moving.end = start + blocks * BLOCK_FRAMES;
		return ask_balloon(why);
	}
	if (is_on_its_way(part)) {
		*why = "the balloon's host has some of it";
		return MEM_LEAVE_LATER;
	}
	*why = "what is left of it is in use";
	return MEM_LEAVE_STUCK;
}

/* ---- Leaving ---- */

/* So many blocks may go before the floor is reached. */
static size_t most(size_t max)
{
	return min_u64(max, balloon_spare() / BLOCK_FRAMES);
}

/*
 * While the balloon moves out it has more than its target for a turn, and less is free than
 * will be: what the floor forbids is known when it is done.
 */
static enum mem_leave floor_forbids(const struct mem_source *source, const char **why)
{
	if (moving.source == source)
		return ask_balloon(why);
	if (moving.source)
		return wait_for_other(why);
	*why = "the floor of free memory would be passed";
	return MEM_LEAVE_STUCK;
}

static enum mem_leave try(const struct mem_source *source, size_t max, pfn_t *pfn, size_t *blocks,
			  const char **why)
{
	int err;

	max = most(max);
	if (max < source->part.unit)
		return floor_forbids(source, why);
	err = memory_region_claim(&source->part, max, pfn, blocks);
	assert(!err || err == -ENOENT);
	return err ? move_out(source, max, why) : MEM_LEAVE_CLAIMED;
}

enum mem_leave mem_leave(const struct mem_source *source, size_t max, pfn_t *pfn, size_t *blocks,
			 const char **why)
{
	bool moved = moving.source == source;
	enum mem_leave leave;

	assert(source->leaving && max >= source->part.unit);
	leave = try(source, max, pfn, blocks, why);
	/* If the balloon has just moved out for it, what was the balloon's can be claimed. */
	if (leave == MEM_LEAVE_LATER && moved && !moving.source)
		leave = try(source, max, pfn, blocks, why);
	return leave;
}

/*
 * Inflation leaves alone all that gives back. Where that lies together it is one stretch; of more
 * than can be told apart the highest are one, too.
 */
static void avoid_leaving(void)
{
	struct balloon_stretch stretches[BALLOON_STRETCHES];
	size_t count = 0;

	for (const struct mem_source *source = mem_sources(); source; source = source->next) {
		const struct frame_region_part *part = &source->part;
		pfn_t end = frame_region_part_end(part);

		if (!source->leaving)
			continue;
		if (count > 0 &&
		    (stretches[count - 1].end == part->start || count == ARRAY_SIZE(stretches)))
			stretches[count - 1].end = end;
		else
			stretches[count++] = (struct balloon_stretch){ part->start, end };
	}
	balloon_avoid(stretches, count);
}

void mem_leave_begin(struct mem_source *source)
{
	if (source->leaving)
		return;
	source->leaving = true;
	avoid_leaving();
}

void mem_leave_end(struct mem_source *source)
{
	if (!source->leaving)
		return;
	source->leaving = false;
	if (moving.source == source)
		stop_moving();
	avoid_leaving();
}
