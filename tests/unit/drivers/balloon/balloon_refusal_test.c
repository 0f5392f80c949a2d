/* SPDX-License-Identifier: BSD-2-Clause */
/* Hosts that refuse: single frames, or everything for a while. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "arch/clock.h"
#include "drivers/balloon/balloon_batch.h"
#include "drivers/balloon/balloon_refusal.h"
#include "drivers/balloon/balloon_state_internal.h"
#include "tests/unit/drivers/balloon/host_fixture.h"

static uint64_t refused(enum balloon_refusal why)
{
	uint64_t frames[BALLOON_REFUSALS];

	balloon_refusal_counts(&balloons->refusal, frames);
	return frames[why];
}

/* ---- Single frames ---- */

static bool never_the_seventh(bool deflates, pfn_t pfn, enum balloon_refusal *why)
{
	*why = BALLOON_REFUSED_FRAME;
	return !deflates && pfn % 7 == 0;
}

static void frames_that_are_refused_do_not_keep_the_target_from_being_reached(void **state)
{
	(void)state;
	assert_int_equal(host_attach(NO_FLOOR), 0);
	host.refuses = never_the_seventh;
	host_wants(10000);
	assert_host_has(10000);
	assert_true(refused(BALLOON_REFUSED_FRAME) > 10000 / 7);
	assert_int_equal(refused(BALLOON_REFUSED_ENOUGH) + refused(BALLOON_REFUSED_FOR_NOW), 0);
	/* The target is reached: nothing is set aside any more. */
	assert_int_equal(ledger_count(OWNER_REFUSED), 0);
	host_wants(3);
	assert_host_has(3);
}

/* What is on its way does not count as reached: refused late, it is not offered again at once. */
static void frames_that_are_refused_late_do_not_go_round_and_round(void **state)
{
	(void)state;
	assert_int_equal(host_attach(NO_FLOOR), 0);
	host.refuses = never_the_seventh;
	host.target = 3000;
	host.late = true;
	for (int i = 0; i < 100 && ballooned() < 3000; i++) {
		balloon_step();
		balloon_step();
		host.answers = true;
	}
	settle();
	assert_host_has(3000);
	/* Each was refused once. */
	assert_in_range(refused(BALLOON_REFUSED_FRAME), 3000 / 7, 3000 / 6 + 1);
}

static bool none(bool deflates, pfn_t pfn, enum balloon_refusal *why)
{
	(void)pfn;
	*why = BALLOON_REFUSED_FRAME;
	return !deflates;
}

static void a_frame_that_is_refused_is_offered_once_until_a_pause_has_ended(void **state)
{
	(void)state;
	assert_int_equal(host_attach(NO_FLOOR), 0);
	host.refuses = none;
	host_wants(100);
	assert_int_equal(ledger_count(OWNER_REFUSED), RAM_FRAMES);
	assert_int_equal(refused(BALLOON_REFUSED_FRAME), RAM_FRAMES);
	assert_int_equal(status().shortfall, 100);
	sim_time_advance(BALLOON_PAUSE_MIN_NS + 1);
	settle();
	assert_int_equal(refused(BALLOON_REFUSED_FRAME), 2 * RAM_FRAMES);
	host.refuses = NULL;
	sim_time_advance(2 * BALLOON_PAUSE_MIN_NS + 1);
	settle();
	assert_host_has(100);
	assert_int_equal(ledger_count(OWNER_REFUSED), 0);
}

static void memory_in_need_gets_what_was_set_aside(void **state)
{
	pfn_t pfn;

	(void)state;
	assert_int_equal(host_attach(NO_FLOOR), 0);
	frame_set_reclaimer(balloon_reclaim);
	host.refuses = none;
	host_wants(100);
	assert_int_equal(ledger_count(OWNER_FREE), 0);
	assert_int_equal(frame_alloc(0, OWNER_HELD, &pfn), 0);
	assert_int_equal(ledger_count(OWNER_REFUSED), 0);
	/* And it is not taken away at once. */
	sim_time_advance(BALLOON_PAUSE_MIN_NS + NS_PER_MS);
	settle();
	assert_int_equal(ledger_count(OWNER_FREE), RAM_FRAMES - 1);
}

static pfn_t stubborn;

static bool one_stays(bool deflates, pfn_t pfn, enum balloon_refusal *why)
{
	*why = BALLOON_REFUSED_FRAME;
	return deflates && pfn == stubborn;
}

static void a_frame_that_does_not_come_back_is_passed_over(void **state)
{
	uint64_t offers;

	(void)state;
	assert_int_equal(host_attach(NO_FLOOR), 0);
	host_wants(3000);
	assert_int_equal(frame_collect(OWNER_BALLOON, 0, 1, &stubborn), 1);
	host.refuses = one_stays;
	host_wants(0);
	assert_int_equal(ballooned(), 1);
	assert_int_equal(frame_owner(stubborn), OWNER_BALLOON);
	/* In the pause it is not asked for. */
	offers = host.offers;
	settle();
	assert_int_equal(host.offers, offers);
	host.refuses = NULL;
	sim_time_advance(BALLOON_PAUSE_MIN_NS + 1);
	settle();
	assert_host_has(0);
}

/* ---- Everything, for a while ---- */

static enum balloon_refusal reason;

static bool all(bool deflates, pfn_t pfn, enum balloon_refusal *why)
{
	(void)deflates, (void)pfn;
	*why = reason;
	return true;
}

static void a_host_that_has_no_memory_is_asked_at_longer_and_longer_intervals(void **state)
{
	static const uint64_t seconds[] = { 1, 2, 4, 8, 16, 32, 32, 32 };

	(void)state;
	sim_time_step_ns = 100;
	assert_int_equal(host_attach(NO_FLOOR), 0);
	host_wants(1000);
	host.refuses = all;
	reason = BALLOON_REFUSED_FOR_NOW;
	host_wants(0);
	for (size_t i = 0; i < ARRAY_SIZE(seconds); i++) {
		uint64_t offers = host.offers;

		sim_time_advance(seconds[i] * NS_PER_S - NS_PER_MS);
		settle();
		assert_int_equal(host.offers, offers);
		sim_time_advance(2 * NS_PER_MS);
		settle();
		assert_true(host.offers > offers);
	}
	assert_host_has(1000);
	/* It has some again. */
	host.refuses = NULL;
	sim_time_advance(BALLOON_PAUSE_MAX_NS + NS_PER_MS);
	settle();
	assert_host_has(0);
	/* And from then on a pause is short again. */
	host_wants(1000);
	host.refuses = all;
	host_wants(0);
	host.refuses = NULL;
	sim_time_advance(BALLOON_PAUSE_MIN_NS + NS_PER_MS);
	settle();
	assert_host_has(0);
}

/* Of a run all frames after these are refused in one go. */
static int take_ten(struct balloon_batch *batch)
{
	const struct frame_run *run = &batch->run[0];

	assert_int_equal(batch->run_count, 1);
	if (run->count > 10)
		balloon_batch_refuse(batch, run->first + 10, run->count - 10,
				     BALLOON_REFUSED_FOR_NOW);
	balloon_batch_answered(batch);
	return 0;
}

static void a_run_that_is_refused_is_counted_by_its_frames(void **state)
{
	(void)state;
	host.port.inflate = take_ten;
	host.port.deflate = NULL;
	assert_int_equal(host_attach(NO_FLOOR), 0);
	host_wants(50);
	assert_int_equal(ballooned(), 50);
	assert_int_equal(refused(BALLOON_REFUSED_FOR_NOW), 40 + 30 + 20 + 10);
	assert_int_equal(refused(BALLOON_REFUSED_FRAME), 0);
}

static void a_new_target_ends_the_pause(void **state)
{
	uint64_t offers;

	(void)state;
	assert_int_equal(host_attach(NO_FLOOR), 0);
	host.refuses = all;
	reason = BALLOON_REFUSED_ENOUGH;
	host_wants(1000);
	assert_host_has(0);
	assert_int_equal(status().shortfall, 1000);
	assert_true(refused(BALLOON_REFUSED_ENOUGH) > 0);
	offers = host.offers;
	settle();
	assert_int_equal(host.offers, offers);
	host.refuses = NULL;
	host_wants(1001);
	assert_host_has(1001);
}

/* ---- Pauses, to the nanosecond ---- */

static void refuse_for_now(void)
{
	balloon_refusal_note(&balloons->refusal, BALLOON_REFUSED_FOR_NOW, false,
			     paddr_to_pfn(RAM_START), 1);
}

static void a_pause_ends_when_it_is_over_and_then_the_next_is_longer(void **state)
{
	uint64_t began;

	(void)state;
	assert_int_equal(host_attach(NO_FLOOR), 0);
	sim_time_step_ns = 0;
	began = clock_ns();
	refuse_for_now();
	/* Several batches may be refused for one reason. */
	sim_time_advance(BALLOON_PAUSE_MIN_NS - 1);
	refuse_for_now();
	assert_int_equal(balloon_refusal_pause_end(&balloons->refusal),
			 began + BALLOON_PAUSE_MIN_NS);
	assert_true(balloon_refusal_is_pause(&balloons->refusal));
	/* One that comes as it ends begins the next. */
	sim_time_advance(1);
	refuse_for_now();
	assert_int_equal(balloon_refusal_pause_end(&balloons->refusal),
			 began + 3 * BALLOON_PAUSE_MIN_NS);
	sim_time_advance(2 * BALLOON_PAUSE_MIN_NS);
	assert_false(balloon_refusal_is_pause(&balloons->refusal));
	assert_int_equal(balloon_refusal_pause_end(&balloons->refusal), 0);
	/* Progress makes them short again. */
	balloon_refusal_note_progress(&balloons->refusal);
	refuse_for_now();
	assert_int_equal(balloon_refusal_pause_end(&balloons->refusal),
			 began + 4 * BALLOON_PAUSE_MIN_NS);
	balloon_refusal_note_progress(&balloons->refusal);
	assert_int_equal(balloon_refusal_pause_end(&balloons->refusal), 0);
}

/* What the host does not take is no reason not to ask for it. */
static void what_is_passed_over_is_what_it_did_not_give_back(void **state)
{
	const pfn_t first = paddr_to_pfn(RAM_START);

	(void)state;
	assert_int_equal(host_attach(NO_FLOOR), 0);
	balloon_refusal_note(&balloons->refusal, BALLOON_REFUSED_FRAME, false, first + 10, 5);
	assert_int_equal(balloon_refusal_passed(&balloons->refusal), 0);
	balloon_refusal_note(&balloons->refusal, BALLOON_REFUSED_FRAME, true, first + 10, 5);
	assert_int_equal(balloon_refusal_passed(&balloons->refusal), first + 15);
	/* Where there was no pause, none has ended. */
	assert_false(balloon_refusal_is_pause(&balloons->refusal));
	assert_int_equal(balloon_refusal_passed(&balloons->refusal), first + 15);
	balloon_refusal_forgive(&balloons->refusal);
	assert_int_equal(balloon_refusal_passed(&balloons->refusal), 0);
}

static void a_single_frame_that_is_refused_is_offered_again_after_a_pause(void **state)
{
	(void)state;
	exhaust();
	assert_int_equal(frame_free(paddr_to_pfn(RAM_START), 1, OWNER_HELD), 0);
	assert_int_equal(host_attach(NO_FLOOR), 0);
	host.refuses = none;
	host_wants(1);
	assert_int_equal(ledger_count(OWNER_REFUSED), 1);
	assert_int_equal(refused(BALLOON_REFUSED_FRAME), 1);
	host.refuses = NULL;
	settle();
	assert_int_equal(ledger_count(OWNER_REFUSED), 1);
	sim_time_advance(BALLOON_PAUSE_MIN_NS + NS_PER_MS);
	settle();
	assert_host_has(1);
}

/* What is on its way may be all that is wanted. */
static void no_pause_begins_while_an_answer_is_owed(void **state)
{
	struct balloon_batch *first;

	(void)state;
	exhaust();
	assert_int_equal(frame_free(paddr_to_pfn(RAM_START), 20, OWNER_HELD), 0);
	host.terms.batch_frames = 10;
	host.late = true;
	assert_int_equal(host_attach(NO_FLOOR), 0);
	host_wants(100);
	first = host.held[0];
	assert_non_null(first);
	assert_non_null(host.held[1]);
	/* Of the one all are refused, and there is nothing else to offer. */
	host.held[0] = NULL;
	balloon_batch_refuse(first, first->run[0].first, 10, BALLOON_REFUSED_FRAME);
	balloon_batch_answered(first);
	settle();
	assert_int_equal(ledger_count(OWNER_REFUSED), 10);
	assert_int_equal(balloon_refusal_pause_end(&balloons->refusal), 0);
	host.answers = true;
	settle();
	assert_int_equal(ballooned(), 10);
	assert_true(balloon_refusal_pause_end(&balloons->refusal) > 0);
	host.late = false;
}

/* It is as if it had just come: there is nothing that it has refused. */
static void a_host_that_was_reset_is_asked_at_once(void **state)
{
	(void)state;
	assert_int_equal(host_attach(NO_FLOOR), 0);
	host.refuses = all;
	reason = BALLOON_REFUSED_FOR_NOW;
	host_wants(1000);
	assert_host_has(0);
	host.refuses = NULL;
	settle();
	assert_host_has(0);
	host.fault = BALLOON_FAULT_RESET_WANTED;
	settle();
	assert_host_has(1000);
}

static void a_single_frame_that_is_set_aside_is_had_by_need(void **state)
{
	(void)state;
	exhaust();
	assert_int_equal(frame_free(paddr_to_pfn(RAM_START), 1, OWNER_HELD), 0);
	assert_int_equal(host_attach(NO_FLOOR), 0);
	host.refuses = none;
	host_wants(1);
	assert_int_equal(balloon_reclaim(0), 1);
	assert_int_equal(ledger_count(OWNER_FREE), 1);
	host.refuses = NULL;
	host_wants(0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		HOST_TEST(frames_that_are_refused_do_not_keep_the_target_from_being_reached),
		HOST_TEST(frames_that_are_refused_late_do_not_go_round_and_round),
		HOST_TEST(a_frame_that_is_refused_is_offered_once_until_a_pause_has_ended),
		HOST_TEST(memory_in_need_gets_what_was_set_aside),
		HOST_TEST(a_frame_that_does_not_come_back_is_passed_over),
		HOST_TEST(a_host_that_has_no_memory_is_asked_at_longer_and_longer_intervals),
		HOST_TEST(a_run_that_is_refused_is_counted_by_its_frames),
		HOST_TEST(a_new_target_ends_the_pause),
		HOST_TEST(a_pause_ends_when_it_is_over_and_then_the_next_is_longer),
		HOST_TEST(what_is_passed_over_is_what_it_did_not_give_back),
		HOST_TEST(a_single_frame_that_is_refused_is_offered_again_after_a_pause),
		HOST_TEST(no_pause_begins_while_an_answer_is_owed),
		HOST_TEST(a_host_that_was_reset_is_asked_at_once),
		HOST_TEST(a_single_frame_that_is_set_aside_is_had_by_need),
	};

	return cmocka_run_group_tests_name("balloon_refusal", tests, set_up_ram, NULL);
}
