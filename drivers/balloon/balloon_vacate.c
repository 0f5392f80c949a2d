/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Moving out of a stretch, turn by turn. For each turn the balloon's goal is the target
 * and as many frames as the stretch has of it; when more than the target have arrived,
 * that many are asked back, out of the stretch. So nothing is remembered of a turn: a
 * target that changes, or a host that is reset, needs no case of its own. See
 * balloon_vacate.h.
 */
#include "drivers/balloon/balloon_vacate.h"

#include <assert.h>

#include "arch/clock.h"
#include "drivers/balloon/balloon_offer.h"
#include "drivers/balloon/balloon_place.h"
#include "drivers/balloon/balloon_state_internal.h"
#include "drivers/balloon/balloon_wait.h"
#include "mm/frame.h"
#include "mm/ledger.h"

/* So many more frames than the target are given at a time, at most: a few batches of any port. */
#define TURN_FRAMES (UINT64_C(8) * BLOCK_FRAMES)

/* A host that keeps frames of the stretch is asked for them again after this long. */
#define REST_NS BALLOON_PAUSE_MIN_NS

/* Of each balloon there are `rest_end` and `stuck` besides: in its last round the host took none,
 * or gave none back, without a reason. */
static struct {
	struct balloon_stretch avoided[BALLOON_STRETCHES];
	size_t avoided_count;
	pfn_t start, end; /* the stretch; none if both are 0 */
} vacate;

/* There is work for the tasks, or more room. */
static void wake_tasks(void)
{
	for (struct balloon *balloon = balloons; balloon < BALLOONS_END; balloon++)
		if (balloon_is_alive(balloon))
			balloon_nudge(balloon);
}

static bool is_wanted(void)
{
	return vacate.start < vacate.end;
}

/* Inflation takes nothing of what leaves, nor of the stretch. */
static void set_avoided(void)
{
	const struct balloon_stretch stretch = { vacate.start, align_up(vacate.end, BLOCK_FRAMES) };

	balloon_place_avoid(vacate.avoided, vacate.avoided_count, is_wanted() ? &stretch : NULL);
	wake_tasks();
}

void balloon_avoid(const struct balloon_stretch *stretches, size_t count)
{
	assert(count <= BALLOON_STRETCHES);
	for (size_t i = 0; i < count; i++)
		vacate.avoided[i] = stretches[i];
	vacate.avoided_count = count;
	set_avoided();
}

void balloon_stay(void)
{
	vacate.start = 0;
	vacate.end = 0;
	set_avoided();
}

void balloon_vacate_forget(void)
{
	vacate = (typeof(vacate)){ 0 };
	balloon_place_avoid(NULL, 0, NULL);
}

/* ---- A round ---- */

/* Most of them are whole blocks, and never offered: the host has discarded them, no more. */
static void free_leaving(enum owner leaving, const struct balloon_stretch *stretch)
{
	pfn_t first;

	while (frame_find(leaving, stretch->start, stretch->end, &first)) {
		uint64_t most = min_u64(stretch->end - first, BALLOON_FREE_FRAMES) / BLOCK_FRAMES;
		size_t blocks = frame_count_blocks(first, (size_t)most, leaving);
		int err = frame_free(first, blocks > 0 ? blocks * BLOCK_FRAMES : 1, leaving);

		assert(!err);
	}
}

/* The first frame of the stretch that the host may be asked for. */
static pfn_t first_asked(struct balloon *balloon)
{
	return max_u64(vacate.start, balloon_refusal_passed(&balloon->refusal));
}

/* Counts the balloon's frames from there on, up to a turn's. */
static uint64_t count_held(struct balloon *balloon)
{
	static pfn_t pfns[BLOCK_FRAMES];
	pfn_t from = first_asked(balloon);
	uint64_t sum = 0;
	size_t n = ARRAY_SIZE(pfns);

	while (n == ARRAY_SIZE(pfns) && sum < TURN_FRAMES) {
		size_t got = frame_collect(balloon->owners->balloon, from, n, pfns);

		for (n = 0; n < got && pfns[n] < vacate.end; n++)
			from = pfns[n] + 1;
		sum += n;
	}
	return sum;
}

static bool has_some(enum owner owner)
{
	pfn_t first;

	return frame_find(owner, vacate.start, vacate.end, &first);
}

uint64_t balloon_vacate_begin_round(struct balloon *balloon)
{
	size_t count;
	const struct balloon_stretch *avoided = balloon_place_avoided(&count);
	uint64_t held;
	bool pause;

	balloon->stuck = false;
	for (size_t i = 0; i < count; i++)
		free_leaving(balloon->owners->leaving, &avoided[i]);
	if (!is_wanted() || balloon->removing || !balloon->port->deflate ||
	    clock_ns() < balloon->rest_end)
		return 0;
	/* After one, nothing is passed over any more. */
	pause = balloon_refusal_is_pause(&balloon->refusal);
	held = count_held(balloon);
	/* Or they would be replaced, refused and put back without end. */
	if (held == 0 && !pause && has_some(balloon->owners->balloon))
		balloon->rest_end = clock_ns() + REST_NS;
	return held;
}

uint64_t balloon_vacate_ask_back(struct balloon *balloon, uint64_t held)
{
	uint64_t ballooned = ledger_count(balloon->owners->balloon);
	uint64_t arrived = ballooned - min_u64(ballooned, balloon->status.target);

	if (held == 0 || balloon_refusal_is_pause(&balloon->refusal))
		return 0;
	return balloon_offer_ballooned(balloon, first_asked(balloon), min_u64(held, arrived));
}

/* Nothing is waited for: of all these it is known when they end, and the task goes on then. */
static bool is_at_rest(const struct balloon *balloon)
{
	return balloon_batches_sent_awake(&balloon->batches) == DEADLINE_NEVER &&
	       balloon_ranges_sent_awake(&balloon->ranges) == DEADLINE_NEVER &&
	       !balloon_refusal_pause_end(&balloon->refusal) && clock_ns() >= balloon->hold_off_end;
}

/* Tells whether nothing can be inflated, and none is there that the target does not need. */
static bool lacks_room(const struct balloon *balloon)
{
	return ledger_count(balloon->owners->balloon) <= balloon->status.target &&
	       balloon_frames_spare() == 0;
}

void balloon_vacate_note_stuck(struct balloon *balloon)
{
	balloon->stuck = is_at_rest(balloon) && !lacks_room(balloon);
}

/* ---- For drivers/mem ---- */

/* Whether any balloon has frames of it, or will have. */
static bool is_vacant(void)
{
	if (has_some(OWNER_IN_FLIGHT))
		return false;
	for (size_t i = 0; i < BALLOONS; i++)
		if (has_some(balloon_owners(i)->balloon) || has_some(balloon_owners(i)->leaving) ||
		    (balloon_ranges_leaving(&balloons[i].ranges) > 0 && has_some(OWNER_REPORTED)))
			return false;
	return true;
}

/* Tells whether an answer is to be waited for, or a task is going to do something. */
static bool is_any_busy(void)
{
	for (struct balloon *balloon = balloons; balloon < BALLOONS_END; balloon++)
		if (balloon_is_alive(balloon) &&
		    (!has_some(OWNER_IN_FLIGHT) || balloon_sent_awake(balloon) != DEADLINE_NEVER))
			return true;
	return false;
}

/* Tells whether the host gives frames back, and now. */
static bool gives_back(const struct balloon *balloon)
{
	uint64_t now = clock_ns();

	return balloon_is_alive(balloon) && balloon->port->deflate && !balloon->stuck &&
	       now >= balloon_refusal_pause_end(&balloon->refusal) && now >= balloon->rest_end;
}

uint32_t balloon_giving_owners(void)
{
	uint32_t owners = 0;

	for (struct balloon *balloon = balloons; balloon < BALLOONS_END; balloon++)
		if (gives_back(balloon))
			owners |= owner_bit(balloon->owners->balloon);
	return owners;
}

/* What is on its way to another host may be refused: there is room then. */
static bool are_all_at_rest(void)
{
	for (struct balloon *balloon = balloons; balloon < BALLOONS_END; balloon++)
		if (balloon_is_alive(balloon) && !is_at_rest(balloon))
			return false;
	return true;
}

/* How one balloon, which has some of it, gets on. */
static enum balloon_vacancy progress(const struct balloon *balloon)
{
	if (!gives_back(balloon))
		return BALLOON_GIVES_NONE;
	return are_all_at_rest() && lacks_room(balloon) ? BALLOON_NO_ROOM : BALLOON_MOVING_OUT;
}

/* Wants this stretch, and no other, out of all balloons. */
static void begin(pfn_t start, pfn_t end)
{
	vacate.start = start;
	vacate.end = end;
	for (struct balloon *balloon = balloons; balloon < BALLOONS_END; balloon++) {
		balloon->rest_end = 0;
		balloon->stuck = false;
	}
	set_avoided();
}

enum balloon_vacancy balloon_vacate(pfn_t start, pfn_t end)
{
	enum balloon_vacancy all = BALLOON_MOVING_OUT;
	bool any = false;

	assert(start < end);
	if (start != vacate.start || end != vacate.end)
		begin(start, end);
	if (is_vacant())
		return BALLOON_VACANT;
	wake_tasks();
	/* The later in the list, the worse: so all of them, together. */
	for (size_t i = 0; i < BALLOONS; i++) {
		enum balloon_vacancy one;

		if (!has_some(balloon_owners(i)->balloon))
			continue;
		any = true;
		one = progress(&balloons[i]);
		all = one > all ? one : all;
	}
	/* In-flight to a host that is gone, and kept them: nobody brings these back. */
	return any || is_any_busy() ? all : BALLOON_GIVES_NONE;
}
_Static_assert(BALLOON_MOVING_OUT < BALLOON_NO_ROOM && BALLOON_NO_ROOM < BALLOON_GIVES_NONE,
	       "the worst answer is the largest");
