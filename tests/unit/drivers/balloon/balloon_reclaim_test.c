/* SPDX-License-Identifier: BSD-2-Clause */
/* Memory pressure: what comes back for an allocation, and how long that may take. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "arch/clock.h"
#include "drivers/balloon/balloon_state_internal.h"
#include "drivers/balloon/balloon_wait.h"
#include "mm/vm_events.h"
#include "tests/unit/drivers/balloon/balloon_fixture.h"

/* 5000 frames are in the balloon, no other is free, and allocations ask the balloon. */
static void start_in_need(uint64_t features)
{
	start(features, NO_FLOOR);
	frame_set_reclaimer(balloon_reclaim);
	go_to(5000);
	exhaust();
}

/* ---- Out of the balloon ---- */

static void gives_one_frame_back_for_one_allocation(void **state)
{
	pfn_t pfn;

	(void)state;
	start_in_need(DEFLATE_ON_OOM);
	assert_int_equal(frame_alloc(0, OWNER_HELD, &pfn), 0);
	assert_int_equal(ballooned(), 4999);
	assert_int_equal(sim.inflated, 4999);
	assert_int_equal(status().oom_events, 1);
	assert_int_equal(status().oom_frames, 1);
}

static size_t one_frame_at_a_time(unsigned order)
{
	(void)order;
	return balloon_reclaim(0);
}

static void an_allocation_that_asks_twice_is_one_stall(void **state)
{
	uint64_t stalls = vm_events.stalls, balloon_stalls = vm_events.balloon_stalls;
	pfn_t pfn;

	(void)state;
	start_in_need(DEFLATE_ON_OOM);
	frame_set_reclaimer(one_frame_at_a_time);
	assert_int_equal(frame_alloc(1, OWNER_HELD, &pfn), 0);
	assert_true(status().oom_events > 1);
	assert_int_equal(vm_events.stalls, stalls + 1);
	assert_int_equal(vm_events.balloon_stalls, balloon_stalls + 1);
}

/* Who waits for nothing is a stall, but not the balloon's. */
static void a_balloon_that_cannot_help_has_no_stall(void **state)
{
	uint64_t stalls = vm_events.stalls, balloon_stalls = vm_events.balloon_stalls;
	pfn_t pfn;

	(void)state;
	start_in_need(0);
	assert_int_equal(frame_alloc(0, OWNER_HELD, &pfn), -ENOMEM);
	assert_int_equal(vm_events.stalls, stalls + 1);
	assert_int_equal(vm_events.balloon_stalls, balloon_stalls);
}

static void gives_a_run_back_for_an_allocation_of_a_run(void **state)
{
	pfn_t pfn;

	(void)state;
	start_in_need(DEFLATE_ON_OOM);
	assert_int_equal(frame_alloc(4, OWNER_HELD, &pfn), 0);
	assert_int_equal(frame_alloc(BLOCK_ORDER, OWNER_HELD, &pfn), 0);
	assert_books();
}

static void does_not_chase_what_it_gave_back(void **state)
{
	pfn_t pfn;

	(void)state;
	start_in_need(DEFLATE_ON_OOM);
	assert_int_equal(frame_alloc(0, OWNER_HELD, &pfn), 0);
	assert_int_equal(frame_free(pfn, 1, OWNER_HELD), 0);
	settle();
	assert_balloon(4999);
	sim_time_advance(BALLOON_HOLD_OFF_NS + NS_PER_MS);
	settle();
	assert_balloon(5000);
}

static void for_two_seconds_to_the_nanosecond(void **state)
{
	pfn_t pfn;

	(void)state;
	start_in_need(DEFLATE_ON_OOM);
	sim_time_step_ns = 0;
	assert_int_equal(frame_alloc(0, OWNER_HELD, &pfn), 0);
	assert_int_equal(frame_free(pfn, 1, OWNER_HELD), 0);
	sim_time_advance(BALLOON_HOLD_OFF_NS - 1);
	settle();
	assert_balloon(4999);
	sim_time_advance(1);
	settle();
	assert_balloon(5000);
}

/* Whether an allocation leaves the task with something to do, which sleeps by now. */
static bool an_allocation_wakes_the_task(void)
{
	uint64_t wakes = sim_time_wakes;
	pfn_t pfn;

	assert_false(balloon_has_news(balloons));
	frame_alloc(0, OWNER_HELD, &pfn);
	if (!balloon_has_news(balloons))
		return false;
	assert_true(sim_time_wakes > wakes);
	return true;
}

/* The host is to know soon how many there are, and not when a second has passed. */
static void the_task_is_woken_by_what_was_given_back(void **state)
{
	(void)state;
	start_in_need(DEFLATE_ON_OOM);
	assert_true(an_allocation_wakes_the_task());
	assert_int_equal(sim_balloon_actual(&sim), 5000);
	settle();
	assert_int_equal(sim_balloon_actual(&sim), 4999);
}

static void the_task_is_woken_by_a_device_that_lied_to_an_allocation(void **state)
{
	(void)state;
	start(HINT, NO_FLOOR);
	frame_set_reclaimer(balloon_reclaim);
	sim.completion = SIM_BALLOON_NEVER;
	hint_round(ROUND);
	exhaust();
	assert_true(an_allocation_wakes_the_task());
	settle();
	assert_string_equal(status().broken, "no answer about frames that are needed");
}

static void the_task_sleeps_on_if_nothing_was_to_be_had(void **state)
{
	(void)state;
	start_in_need(0);
	assert_false(an_allocation_wakes_the_task());
}

static void without_the_bit_an_allocation_fails_and_the_balloon_stays(void **state)
{
	pfn_t pfn;

	(void)state;
	start_in_need(0);
	assert_int_not_equal(frame_alloc(0, OWNER_HELD, &pfn), 0);
	assert_balloon(5000);
}

static void a_device_that_never_answers_a_reclaim_is_given_up(void **state)
{
	pfn_t pfn;

	(void)state;
	start_in_need(DEFLATE_ON_OOM);
	sim.completion = SIM_BALLOON_NEVER;
	assert_int_not_equal(frame_alloc(0, OWNER_HELD, &pfn), 0);
	settle();
	assert_non_null(status().broken);
	assert_int_equal(ballooned(), 5000);
}

/* ---- Lent frames ---- */

static void an_allocation_waits_for_what_is_being_reported(void **state)
{
	pfn_t pfn;

	(void)state;
	start(REPORTING, NO_FLOOR);
	frame_set_reclaimer(balloon_reclaim);
	sim.completion = SIM_BALLOON_ON_DEMAND;
	be_quiet();
	assert_true(ledger_count(OWNER_REPORTED) > 0);
	exhaust();
	sim_balloon_complete(&sim, SIZE_MAX);
	assert_int_equal(frame_alloc(0, OWNER_HELD, &pfn), 0);
}

/* Found by fuzzing: each allocation that failed waited as long as the first. */
static void a_report_without_an_answer_is_waited_for_once(void **state)
{
	uint64_t began;

	(void)state;
	start(REPORTING, NO_FLOOR);
	sim.completion = SIM_BALLOON_NEVER;
	be_quiet();
	assert_true(ledger_count(OWNER_REPORTED) > 0);
	sim_time_step_ns = NS_PER_MS;
	began = clock_ns();
	for (int i = 0; i < 20; i++)
		assert_int_equal(balloon_reclaim(0), 0);
	assert_true(clock_ns() - began < 2 * VIRTIO_DEADLINE_NS);
	settle();
	assert_non_null(status().broken);
	assert_int_equal(ledger_count(OWNER_REPORTED), 0);
	assert_books();
}

static void memory_pressure_takes_hinted_blocks_back(void **state)
{
	pfn_t pfn;

	(void)state;
	start(HINT, NO_FLOOR);
	frame_set_reclaimer(balloon_reclaim);
	hint_round(ROUND);
	exhaust();
	assert_true(ledger_count(OWNER_HINTED) > 0);
	assert_int_equal(frame_alloc(0, OWNER_HELD, &pfn), 0);
	assert_int_equal(ledger_count(OWNER_HINTED), 0);
}

static void an_allocation_waits_for_what_is_being_hinted(void **state)
{
	void (*notify)(struct sim_virtio * virtio, unsigned queue);
	pfn_t pfn;

	(void)state;
	start(HINT, NO_FLOOR);
	frame_set_reclaimer(balloon_reclaim);
	notify = sim.virtio.queue[sim.hint_queue].notify;
	sim.virtio.queue[sim.hint_queue].notify = NULL;
	hint_round(ROUND);
	exhaust();
	sim.virtio.queue[sim.hint_queue].notify = notify;
	assert_int_equal(frame_alloc(0, OWNER_HELD, &pfn), 0);
}

static void an_allocation_does_not_wait_for_hints_for_ever(void **state)
{
	pfn_t pfn;
	uint64_t before;

	(void)state;
	start(HINT, NO_FLOOR);
	frame_set_reclaimer(balloon_reclaim);
	sim.completion = SIM_BALLOON_NEVER;
	hint_round(ROUND);
	exhaust();
	before = clock_ns();
	assert_int_equal(frame_alloc(0, OWNER_HELD, &pfn), -ENOMEM);
	assert_int_equal(frame_alloc(0, OWNER_HELD, &pfn), -ENOMEM);
	assert_true(clock_ns() - before < 2 * VIRTIO_DEADLINE_NS);
	settle();
	assert_non_null(status().broken);
}

/* ---- Stops ---- */

static uint64_t stop_at; /* which look, from now on */
static bool stopped;

/* A week passes while the device has a request; it answers at the next look. */
static void be_stopped_then_answered(void)
{
	if (sim.pending_count == 0)
		return;
	if (stopped)
		sim_balloon_complete(&sim, SIZE_MAX);
	else if (stop_at-- == 0)
		stopped = true;
	else
		return;
	sim_time_jump(7 * 24 * 3600 * (int64_t)NS_PER_S);
}

static void assert_allocation_survives_a_stop(void)
{
	pfn_t pfn;

	stopped = false;
	sim_time_on_look = be_stopped_then_answered;
	assert_int_equal(frame_alloc(0, OWNER_HELD, &pfn), 0);
	sim_time_on_look = NULL;
	assert_true(stopped);
	settle();
	assert_null(status().broken);
	drain();
}

static void a_stop_at_any_look_of_a_reclaim_is_forgiven(void **state)
{
	(void)state;
	start_in_need(DEFLATE_ON_OOM);
	sim.completion = SIM_BALLOON_ON_DEMAND;
	for (uint64_t at = 0; at < 20; at++) {
		stop_at = at;
		assert_allocation_survives_a_stop();
	}
	assert_int_equal(status().oom_events, 20);
}

static void a_stop_while_lent_frames_are_waited_for_is_forgiven(void **state)
{
	static const uint64_t features[] = { REPORTING, HINT };

	for (size_t i = 0; i < 20; i++) {
		start(features[i % 2], NO_FLOOR);
		frame_set_reclaimer(balloon_reclaim);
		sim.completion = SIM_BALLOON_ON_DEMAND;
		hint_round(ROUND);
		be_quiet();
		exhaust();
		stop_at = i / 2;
		assert_allocation_survives_a_stop();
		if (i + 1 < 20) {
			tear_down(state);
			set_up(state);
		}
	}
}

static uint64_t last_look;

static void answer_at_the_last_look(void)
{
	if (sim_time_looks == last_look)
		sim_balloon_complete(&sim, SIZE_MAX);
}

/* A balloon, and something of what this device is offered is with it; no frame is free. */
static void start_with_requests(uint64_t features)
{
	start(features, NO_FLOOR);
	sim.keep_on_reset = true;
	frame_set_reclaimer(balloon_reclaim);
	go_to(1000);
	sim.completion = SIM_BALLOON_ON_DEMAND;
	hint_round(ROUND);
	be_quiet();
	exhaust();
	sim_time_step_ns = NS_PER_MS;
}

/*
 * The clock is read, then the ring, then it is judged. An allocation that waits in vain
 * tells at which look that was.
 */
static void a_reclaim_that_is_answered_at_the_last_look_succeeds(void **state)
{
	static const struct {
		uint64_t features, looks_after;
	} cases[] = { { DEFLATE_ON_OOM, 0 }, { REPORTING, 0 }, { HINT, 1 /* to remind */ } };
	uint64_t before;
	pfn_t pfn;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		start_with_requests(cases[i].features);
		before = sim_time_looks;
		assert_int_not_equal(frame_alloc(0, OWNER_HELD, &pfn), 0);
		last_look = sim_time_looks - before - cases[i].looks_after;
		tear_down(state);

		set_up(state);
		start_with_requests(cases[i].features);
		last_look += sim_time_looks;
		sim_time_on_look = answer_at_the_last_look;
		assert_int_equal(frame_alloc(0, OWNER_HELD, &pfn), 0);
		sim_time_on_look = NULL;
		assert_in_range(sim_time_looks, last_look, last_look + 2);
		settle();
		assert_null(status().broken);
		drain();
		if (i + 1 < ARRAY_SIZE(cases)) {
			tear_down(state);
			set_up(state);
		}
	}
}

/* ---- Resets ---- */

static void a_device_that_asks_for_a_reset_during_reclaim_gets_it(void **state)
{
	(void)state;
	start(DEFLATE_ON_OOM, NO_FLOOR);
	sim.keep_on_reset = true;
	go_to(100);
	sim.completion = SIM_BALLOON_NEVER;
	sim_virtio_need_reset(&sim.virtio);
	assert_int_equal(balloon_reclaim(0), 0);
	sim.completion = SIM_BALLOON_AT_ONCE;
	settle();
	assert_null(status().broken);
	assert_int_equal(status().recoveries, 1);
	assert_balloon(100);
	go_to(300);
	assert_balloon(300);
}

static void a_device_that_dies_during_reclaim_does_not_hang_us(void **state)
{
	(void)state;
	start(DEFLATE_ON_OOM, NO_FLOOR);
	go_to(100);
	sim.completion = SIM_BALLOON_NEVER;
	sim.virtio.slow_reset = SIM_VIRTIO_FOR_EVER;
	assert_int_equal(balloon_reclaim(0), 0);
	settle();
	assert_non_null(status().broken);
	/* The device may still have the frame: it stays out of our hands. */
	assert_int_equal(ledger_count(OWNER_IN_FLIGHT), 1);
	assert_int_equal(ballooned(), 99);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(gives_one_frame_back_for_one_allocation),
		TEST(an_allocation_that_asks_twice_is_one_stall),
		TEST(a_balloon_that_cannot_help_has_no_stall),
		TEST(gives_a_run_back_for_an_allocation_of_a_run),
		TEST(does_not_chase_what_it_gave_back),
		TEST(for_two_seconds_to_the_nanosecond),
		TEST(the_task_is_woken_by_what_was_given_back),
		TEST(the_task_is_woken_by_a_device_that_lied_to_an_allocation),
		TEST(the_task_sleeps_on_if_nothing_was_to_be_had),
		TEST(without_the_bit_an_allocation_fails_and_the_balloon_stays),
		TEST(a_device_that_never_answers_a_reclaim_is_given_up),
		TEST(an_allocation_waits_for_what_is_being_reported),
		TEST(a_report_without_an_answer_is_waited_for_once),
		TEST(memory_pressure_takes_hinted_blocks_back),
		TEST(an_allocation_waits_for_what_is_being_hinted),
		TEST(an_allocation_does_not_wait_for_hints_for_ever),
		TEST(a_stop_at_any_look_of_a_reclaim_is_forgiven),
		TEST(a_stop_while_lent_frames_are_waited_for_is_forgiven),
		TEST(a_reclaim_that_is_answered_at_the_last_look_succeeds),
		TEST(a_device_that_asks_for_a_reset_during_reclaim_gets_it),
		TEST(a_device_that_dies_during_reclaim_does_not_hang_us),
	};

	return cmocka_run_group_tests_name("balloon_reclaim", tests, set_up_ram, NULL);
}
