/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Xen as one of the hosts of random_hosts.h: it refuses frames, extents and whole calls, has no
 * memory for a while, counts less than it did, or answers nothing that is a count; the toolstack
 * writes targets, and what is none.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "arch/clock.h"
#include "drivers/balloon/balloon_refusal.h"
#include "drivers/balloon/balloon_state_internal.h"
#include "tests/unit/drivers/balloon/port/xen_fixture.h"
#include "tests/unit/drivers/balloon/random_hosts.h"

static struct {
	uint64_t refused[BALLOON_REFUSALS], untold, nonsense;
} walked;

/* Of the RAM that a walk has; that of the fixture is larger. */
static void plug(void)
{
	begin_sim_xen(FRAMES);
	store.static_max = MAX_KIB_TEXT;
	put_target(MAX_KIB_TEXT);
	assert_int_equal(xen_balloon_start(), 0);
}

static void note_walk(void)
{
	static uint64_t untold_before;
	struct xen_balloon_counts counts[2];
	uint64_t refused[BALLOON_REFUSALS];

	balloon_refusal_counts(&balloons->refusal, refused);
	for (size_t i = 0; i < BALLOON_REFUSALS; i++)
		walked.refused[i] += refused[i];
	xen_balloon_pages_counts(false, &counts[0]);
	xen_balloon_pages_counts(true, &counts[1]);
	walked.untold += counts[0].untold + counts[1].untold - untold_before;
	untold_before = counts[0].untold + counts[1].untold;
}

static void unplug(void)
{
	note_walk();
	end_xen();
	assert_int_equal(sim_xen.there, FRAMES);
}

/* One in four times the toolstack has not made room for it yet. */
static void want(uint64_t frames)
{
	ask_for(frames);
	sim_xen_limit(one_in(4) ? below(FRAMES) : FRAMES);
}

/* Some of what was done is not counted. */
static long tell_some(bool populates, uint64_t asked, long done)
{
	(void)populates, (void)asked;
	return one_in(3) ? done - (long)below((uint64_t)done + 1) : done;
}

static uint64_t some_frame(void)
{
	return one_in(3) ? FIRST + below(FRAMES) : SIM_XEN_NO_FRAME;
}

static void refuse_something(bool back)
{
	static const unsigned often[] = { 0, 0, 0, 1, 2, 3, 7, 50 };

	sim_xen.faults.refuse_every[back] = often[below(ARRAY_SIZE(often))];
	sim_xen.faults.no_blocks[back] = one_in(3);
	sim_xen.faults.extents_most[back] = one_in(3) ? below(600) : UINT64_MAX;
	sim_xen.faults.stubborn[back] = some_frame();
}

static void write_nonsense(void)
{
	static const char *const texts[] = { "", "x", "0", "-1", "99999999999999999999", "65541" };

	walked.nonsense++;
	put_target(one_in(7) ? NULL : texts[below(ARRAY_SIZE(texts))]);
}

static void act(void)
{
	refuse_something(false);
	refuse_something(true);
	sim_xen.faults.tell = one_in(4) ? tell_some : NULL;
	sim_xen.faults.scribbles = one_in(2);
	sim_xen.host_free = one_in(4) ? below(FRAMES) : UINT64_MAX / 2;
	if (one_in(8))
		sim_xen_limit(below(FRAMES));
	if (one_in(20))
		write_nonsense();
}

static uint64_t answer(void)
{
	return 0;
}

static void answer_at_once(bool wanted)
{
	(void)wanted;
}

static void behave(void)
{
	get_well();
}

static bool has(pfn_t pfn)
{
	return !sim_xen_is_guests(pfn);
}

static bool is_ahead(void)
{
	return false;
}

static bool excuses(void)
{
	return true;
}

/* All is answered in the call: what the guest believes is what Xen has, at any time. */
static void check(void)
{
	if (sim_xen.violation)
		fail_msg("%s", sim_xen.violation);
	assert_int_equal(ledger_count(OWNER_IN_FLIGHT), 0);
	assert_int_equal(ballooned(), FRAMES - sim_xen.there);
	assert_int_equal(sim_xen.current, sim_xen.there);
}

static void check_rest(void)
{
	assert_int_equal(status().actual, ballooned());
}

static void check_walk(void)
{
	assert_true(walked.refused[BALLOON_REFUSED_FRAME] > 0);
	assert_true(walked.refused[BALLOON_REFUSED_FOR_NOW] > 0);
	assert_true(walked.untold > 0);
	assert_true(walked.nonsense > 0);
}

const struct random_host random_xen = {
	.plug = plug,
	.unplug = unplug,
	.want = want,
	.act = act,
	.answer = answer,
	.answer_at_once = answer_at_once,
	.behave = behave,
	.has = has,
	.is_ahead = is_ahead,
	.excuses = excuses,
	.check = check,
	.check_rest = check_rest,
	.check_walk = check_walk,
};
