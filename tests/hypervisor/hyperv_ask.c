/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the host asks of the guest through dm: BALLOON, UNBALLOON, HOT_ADD, and what becomes of the
 * answers. The test wants levels; the wire has differences. An answer that falls short is final
 * for a second, or until the test wants something else.
 */
#include "tests/hypervisor/hyperv_host.h"

#include <string.h>

#include "tests/hypervisor/personality.h"

#define RETRY_100NS UINT64_C(10000000)
#define FRAMES_OF_MIB UINT64_C(256)

/* When to ask again after an answer that fell short: `level` was wanted. */
struct patience {
	bool waits;
	uint64_t level, until_100ns;
};

static uint32_t balloons;      /* without their last answer */
static uint64_t balloon_wants; /* frames that they still ask for */
static struct patience balloon_patience, hot_add_patience;

/* Of an UNBALLOON: frames that are still to be said, and whether its answer is to come. */
static uint64_t unballoon_left;
static bool unballoon_waits;
static uint64_t unballoon_range[DM_RANGES_MAX]; /* of its last message; honest ones */
static uint32_t unballoon_ranges;

static uint64_t hot_add_frames; /* that it asks for; 0: no HOT_ADD waits */
static uint32_t hot_add_lies;	/* that wait for their answer */

static void note_requests(void)
{
	seen()->requests = balloons + unballoon_waits + (hot_add_frames > 0) + hot_add_lies;
	seen()->waiting = balloon_wants;
}

void ask_close(bool unballoon_is_unsaid, bool hot_add_is_unsaid)
{
	if (unballoon_is_unsaid)
		ranges_take_back(unballoon_range, unballoon_ranges);
	if (hot_add_is_unsaid)
		ranges_set_added(ranges_added() - hot_add_frames);
	balloons = 0;
	balloon_wants = 0;
	unballoon_left = 0;
	unballoon_waits = false;
	hot_add_frames = 0;
	hot_add_lies = 0;
	balloon_patience.waits = hot_add_patience.waits = false;
	note_requests();
}

static void lose_patience(struct patience *patience, uint64_t level)
{
	patience->waits = true;
	patience->level = level;
	patience->until_100ns = machine_time_100ns() + RETRY_100NS;
}

static bool may_ask(struct patience *patience, uint64_t level)
{
	if (patience->waits && patience->level == level &&
	    machine_time_100ns() < patience->until_100ns)
		return false;
	patience->waits = false;
	return true;
}

/* ---- BALLOON ---- */

static void say_balloon(uint32_t pages)
{
	struct dm_balloon request = { .pages = pages };

	balloons++;
	balloon_wants += pages;
	seen()->asked += pages;
	host_dm_say(HYPERV_DM_BALLOON, &request, sizeof(request));
}

static bool ask_balloon(void)
{
	uint64_t target = hv_control.common.target, have = ranges_ballooned() + balloon_wants;
	uint64_t most = wish()->ask_most ? wish()->ask_most : UINT32_MAX;

	if (!host_dm_may_say(HYPERV_DM_BALLOON))
		return false;
	if (seen()->balloon_lies < lie()->balloon_count) {
		seen()->balloon_lies++;
		say_balloon(lie()->balloon_pages);
		return true;
	}
	if ((seen()->requests > 0 && !lie()->impatient) || target <= have ||
	    !may_ask(&balloon_patience, target))
		return false;
	say_balloon((uint32_t)(target - have < most ? target - have : most));
	return true;
}

static void take_range(uint64_t range)
{
	uint64_t count = range_count(range);

	if (count > balloon_wants)
		machine_violate("more frames were given than the host asked for");
	balloon_wants -= count < balloon_wants ? count : balloon_wants;
	if (!ranges_take(range_first(range), count))
		return;
	seen()->given += count;
	seen()->given_ranges++;
}

void ask_balloon_response(const struct dm_balloon_response *response)
{
	uint32_t ranges = response->more_and_count >> DM_COUNT_SHIFT;

	if (response->header.size != sizeof(*response) + ranges * sizeof(response->range[0])) {
		machine_violate("a BALLOON_RESPONSE is not as long as its ranges");
		return;
	}
	if (balloons == 0) {
		machine_violate("a BALLOON_RESPONSE that nobody asked for");
		return;
	}
	seen()->responses++;
	for (uint32_t i = 0; i < ranges; i++)
		take_range(response->range[i]);
	if (response->more_and_count & DM_MORE)
		return;
	if (--balloons == 0) {
		if (balloon_wants > 0) {
			seen()->given_short++;
			lose_patience(&balloon_patience, hv_control.common.target);
		}
		balloon_wants = 0;
	}
	note_requests();
}

/* ---- UNBALLOON ---- */

static void say_unballoon(void)
{
	/* As struct dm_unballoon begins. */
	static struct {
		struct dm_header header;
		uint32_t more, range_count;
		uint64_t range[DM_RANGES_MAX];
	} request;
	uint32_t most = DM_RANGES_MAX - RANGE_LIES, ranges;
	uint64_t frames;

	if (wish()->ranges_most > 0 && wish()->ranges_most < most)
		most = wish()->ranges_most;
	else if (lie()->ranges == 0)
		most = DM_RANGES_MAX;
	unballoon_ranges = ranges_return(unballoon_left, unballoon_range, most, &frames);
	memcpy(request.range, unballoon_range, unballoon_ranges * sizeof(request.range[0]));
	unballoon_left = unballoon_ranges ? unballoon_left - frames : 0;
	seen()->returned += frames;
	seen()->returned_ranges += unballoon_ranges;
	ranges = unballoon_ranges ? ranges_lie(request.range, unballoon_ranges) : 0;
	request.range_count = ranges + (lie()->ranges & HYPERV_RANGE_COUNT ? 1000 : 0);
	request.more = unballoon_left > 0 || lie()->ranges & HYPERV_RANGE_MORE ? DM_MORE : 0;
	host_dm_say(HYPERV_DM_UNBALLOON, &request,
		    (uint32_t)(sizeof(struct dm_unballoon) + ranges * sizeof(request.range[0])));
}

static bool ask_unballoon(void)
{
	uint64_t target = hv_control.common.target, have = ranges_ballooned();

	if (!host_dm_may_say(HYPERV_DM_UNBALLOON))
		return false;
	if (unballoon_left == 0) {
		if (unballoon_waits || (seen()->requests > 0 && !lie()->impatient) ||
		    have <= target)
			return false;
		unballoon_left = have - target;
		unballoon_waits = true;
	}
	say_unballoon();
	return true;
}

void ask_unballoon_response(void)
{
	if (!unballoon_waits) {
		machine_violate("an UNBALLOON_RESPONSE that nobody asked for");
		return;
	}
	if (unballoon_left > 0 || !host_dm_may_say(HYPERV_DM_UNBALLOON)) {
		machine_violate("an UNBALLOON was answered before all of it was said");
		return;
	}
	unballoon_waits = false;
	note_requests();
}

/* ---- HOT_ADD ---- */

/* The region is all that may ever be added, unless it is a lie. */
static void say_hot_add(uint64_t first, uint64_t frames)
{
	uint64_t region_first, region = ranges_spare(&region_first);
	struct dm_hot_add request = { .range = range_of(first, frames) };
	uint32_t bytes = (uint32_t)sizeof(request);

	request.region = hot_add_frames > 0 ? range_of(region_first, region) : request.range;
	if (wish()->no_region)
		bytes -= (uint32_t)sizeof(request.region);
	host_dm_say(HYPERV_DM_HOT_ADD, &request, bytes);
}

static bool lie_about_memory(void)
{
	if (seen()->hot_add_lies >= lie()->hot_add_count)
		return false;
	seen()->hot_add_lies++;
	hot_add_lies++;
	say_hot_add(lie()->hot_add_first, lie()->hot_add_frames);
	return true;
}

/* How much of what is missing may be added: by whole units of the guest's. */
static uint64_t missing_memory(uint64_t capabilities, uint64_t *first)
{
	uint64_t unit = FRAMES_OF_MIB << (capabilities >> DM_CAP_ALIGNMENT_SHIFT & 0xf);
	uint64_t spare, level, most = DM_RANGE_COUNT_MAX / unit * unit;

	ranges_align_spare(unit);
	spare = ranges_spare(first);
	level = wish()->added < spare ? wish()->added : spare;
	if (level <= ranges_added())
		return 0;
	level = (level - ranges_added()) / unit * unit;
	return level < most ? level : most;
}

/* The memory is there before the guest is told of it: it may use it before it answers. */
static bool ask_hot_add(uint64_t capabilities)
{
	uint64_t first, frames, added = ranges_added();

	if (!host_dm_may_say(HYPERV_DM_HOT_ADD))
		return false;
	if (lie_about_memory())
		return true;
	if (hot_add_frames > 0 || seen()->hot_add_never || wish()->added <= added ||
	    !(capabilities & DM_CAP_HOT_ADD) || (seen()->requests > 0 && !lie()->impatient) ||
	    !may_ask(&hot_add_patience, wish()->added))
		return false;
	frames = missing_memory(capabilities, &first);
	if (frames == 0)
		return false;
	hot_add_frames = frames;
	ranges_set_added(added + frames);
	say_hot_add(first + added, frames);
	return true;
}

static void end_hot_add(uint64_t pages, uint32_t result)
{
	if (pages > hot_add_frames) {
		machine_violate("more memory was added than there was");
		pages = hot_add_frames;
	}
	if (pages < hot_add_frames) {
		ranges_set_added(ranges_added() - (hot_add_frames - pages));
		lose_patience(&hot_add_patience, wish()->added);
	}
	if (pages == 0 && result & DM_HOT_ADD_DONE)
		seen()->hot_add_never = 1;
	hot_add_frames = 0;
}

void ask_hot_add_response(const struct dm_hot_add_response *response)
{
	if (hot_add_lies == 0 && hot_add_frames == 0) {
		machine_violate("a HOT_ADD_RESPONSE that nobody asked for");
		return;
	}
	seen()->hot_add_pages = response->pages;
	seen()->hot_add_result = response->result;
	if (hot_add_lies > 0) {
		hot_add_lies--;
		if (response->pages > 0)
			machine_violate("memory was added where there is none to add");
	} else {
		end_hot_add(response->pages, response->result);
	}
	note_requests();
}

bool ask_work(uint64_t capabilities)
{
	bool asked = false;

	/* Each looks at what the one before has asked for. */
	asked |= ask_unballoon();
	note_requests();
	asked |= ask_balloon();
	note_requests();
	asked |= ask_hot_add(capabilities);
	note_requests();
	return asked;
}
