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
#include "drivers/balloon/balloon_batch.h"
#include "drivers/balloon/balloon_offer.h"
#include "drivers/balloon/balloon_place.h"
#include "drivers/balloon/balloon_ranges.h"
#include "drivers/balloon/balloon_refusal.h"
#include "drivers/balloon/balloon_state_internal.h"
#include "drivers/balloon/balloon_wait.h"
#include "mm/frame.h"
#include "mm/ledger.h"

/* So many more frames than the target are given at a time, at most: a few batches of any port. */
#define TURN_FRAMES (UINT64_C(8) * BLOCK_FRAMES)

/* A host that keeps frames of the stretch is asked for them again after this long. */
#define REST_NS BALLOON_PAUSE_MIN_NS

static struct {
	struct balloon_stretch avoided[BALLOON_STRETCHES];
	size_t avoided_count;
	pfn_t start, end; /* the stretch; none if both are 0 */
	uint64_t rest_end;
	bool stuck; /* in the last round the host took none, or gave none back, without a reason */
} vacate;

/* There is work for the task, or more room. */
static void wake_task(void)
{
	if (balloon_is_alive())
		balloon_nudge();
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
	wake_task();
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
static void free_leaving(const struct balloon_stretch *stretch)
{
	pfn_t first;

	while (frame_find(OWNER_LEAVING, stretch->start, stretch->end, &first)) {
		uint64_t most = min_u64(stretch->end - first, BALLOON_FREE_FRAMES) / BLOCK_FRAMES;
		size_t blocks = frame_count_blocks(first, (size_t)most, OWNER_LEAVING);
		int err = frame_free(first, blocks > 0 ? blocks * BLOCK_FRAMES : 1, OWNER_LEAVING);

		assert(!err);
	}
}

/* The first frame of the stretch that the host may be asked for. */
static pfn_t first_asked(void)
{
	return max_u64(vacate.start, balloon_refusal_passed());
}

/* Counts the balloon's frames from there on, up to a turn's. */
static uint64_t count_held(void)
{
	static pfn_t pfns[BLOCK_FRAMES];
	pfn_t from = first_asked();
	uint64_t sum = 0;
	size_t n = ARRAY_SIZE(pfns);

	while (n == ARRAY_SIZE(pfns) && sum < TURN_FRAMES) {
		size_t got = frame_collect(OWNER_BALLOON, from, n, pfns);

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

uint64_t balloon_vacate_begin_round(void)
{
	size_t count;
	const struct balloon_stretch *avoided = balloon_place_avoided(&count);
	uint64_t held;
	bool pause;

	vacate.stuck = false;
	for (size_t i = 0; i < count; i++)
		free_leaving(&avoided[i]);
	if (!is_wanted() || balloon.removing || !balloon.port->deflate ||
	    clock_ns() < vacate.rest_end)
		return 0;
	/* After one, nothing is passed over any more. */
	pause = balloon_refusal_is_pause();
	held = count_held();
	/* Or they would be replaced, refused and put back without end. */
	if (held == 0 && !pause && has_some(OWNER_BALLOON))
		vacate.rest_end = clock_ns() + REST_NS;
	return held;
}

uint64_t balloon_vacate_ask_back(uint64_t held)
{
	uint64_t ballooned = ledger_count(OWNER_BALLOON);
	uint64_t arrived = ballooned - min_u64(ballooned, balloon.status.target);

	if (held == 0 || balloon_refusal_is_pause())
		return 0;
	return balloon_offer_ballooned(first_asked(), min_u64(held, arrived));
}

/* Nothing is waited for: of all these it is known when they end, and the task goes on then. */
static bool is_at_rest(void)
{
	return balloon_batches_sent_awake() == DEADLINE_NEVER &&
	       balloon_ranges_sent_awake() == DEADLINE_NEVER && !balloon_refusal_pause_end() &&
	       clock_ns() >= balloon.hold_off_end;
}

/* Tells whether nothing can be inflated, and none is there that the target does not need. */
static bool lacks_room(void)
{
	return is_at_rest() && ledger_count(OWNER_BALLOON) <= balloon.status.target &&
	       balloon_frames_spare() == 0;
}

void balloon_vacate_note_stuck(void)
{
	vacate.stuck = is_at_rest() && !lacks_room();
}

/* ---- For drivers/mem ---- */

static bool is_vacant(void)
{
	return !has_some(OWNER_BALLOON) && !has_some(OWNER_IN_FLIGHT) && !has_some(OWNER_LEAVING) &&
	       (balloon_ranges_leaving() == 0 || !has_some(OWNER_REPORTED));
}

/* Tells whether frames are in-flight to a host that is gone, and kept them. */
static bool are_forsaken(void)
{
	return has_some(OWNER_IN_FLIGHT) && balloon_sent_awake() == DEADLINE_NEVER;
}

enum balloon_vacancy balloon_vacate(pfn_t start, pfn_t end)
{
	uint64_t now = clock_ns();

	assert(start < end);
	if (start != vacate.start || end != vacate.end) {
		vacate.start = start;
		vacate.end = end;
		vacate.rest_end = 0;
		vacate.stuck = false;
		set_avoided();
	}
	if (is_vacant())
		return BALLOON_VACANT;
	if (!balloon_is_alive())
		return BALLOON_GIVES_NONE;
	wake_task();
	if (!has_some(OWNER_BALLOON))
		return are_forsaken() ? BALLOON_GIVES_NONE : BALLOON_MOVING_OUT;
	if (!balloon.port->deflate || vacate.stuck || now < balloon_refusal_pause_end() ||
	    now < vacate.rest_end)
		return BALLOON_GIVES_NONE;
	return lacks_room() ? BALLOON_NO_ROOM : BALLOON_MOVING_OUT;
}
