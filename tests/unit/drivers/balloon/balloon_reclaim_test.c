/* SPDX-License-Identifier: BSD-2-Clause */
/* Memory pressure: what comes back for an allocation, and how long that may take. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "arch/clock.h"
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
		TEST(gives_a_run_back_for_an_allocation_of_a_run),
		TEST(does_not_chase_what_it_gave_back),
		TEST(without_the_bit_an_allocation_fails_and_the_balloon_stays),
		TEST(a_device_that_never_answers_a_reclaim_is_given_up),
		TEST(an_allocation_waits_for_what_is_being_reported),
		TEST(a_report_without_an_answer_is_waited_for_once),
		TEST(memory_pressure_takes_hinted_blocks_back),
		TEST(an_allocation_waits_for_what_is_being_hinted),
		TEST(an_allocation_does_not_wait_for_hints_for_ever),
		TEST(a_device_that_asks_for_a_reset_during_reclaim_gets_it),
		TEST(a_device_that_dies_during_reclaim_does_not_hang_us),
	};

	return cmocka_run_group_tests_name("balloon_reclaim", tests, set_up_ram, NULL);
}
