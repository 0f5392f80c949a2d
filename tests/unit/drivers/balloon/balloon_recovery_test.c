/* SPDX-License-Identifier: BSD-2-Clause */
/* A host that was given up is tried again: whose every frame is, before it and after. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "drivers/balloon/balloon_events.h"
#include "drivers/balloon/balloon_reclaim.h"
#include "drivers/balloon/balloon_state_internal.h"
#include "tests/unit/drivers/balloon/balloon_fixture.h"

#define ALL (STATS_VQ | REPORTING | HINT | DEFLATE_ON_OOM)

static const char *why;

static int retry(void)
{
	int err;

	why = NULL;
	err = balloon_retry(balloons, &why);
	assert_books();
	return err;
}

/* ---- What the device has when it falls silent; 5000 frames are in the balloon ---- */

static void have_nothing(void)
{
}

static void have_inflations(void)
{
	go_to(8000);
}

static void have_deflations(void)
{
	go_to(2000);
}

static void have_leaving_blocks(void)
{
	balloon_set_strategy(BALLOON_RANGE_FIRST);
	go_to(5000 + 4 * BLOCK_FRAMES);
}

static void have_reports(void)
{
	be_quiet();
}

static void have_hints(void)
{
	hint_round(ROUND);
}

/* The one batch that is kept for need. */
static void have_a_reclaim(void)
{
	assert_int_equal(balloon_reclaim(0), 0);
}

static void (*const cases[])(void) = { have_nothing,	    have_inflations, have_deflations,
				       have_leaving_blocks, have_reports,    have_hints,
				       have_a_reclaim };

/* With `resets` the device finishes the reset that it is given up with. */
static void be_given_up(void (*have)(void), bool resets)
{
	start(ALL, NO_FLOOR);
	sim.keep_on_reset = true;
	balloon_set_strategy(BALLOON_PORTABLE);
	go_to(5000);
	sim.completion = SIM_BALLOON_NEVER;
	have();
	sim.virtio.slow_reset = resets ? 0 : SIM_VIRTIO_FOR_EVER;
	/* One that has nothing is found out by the next thing that it is asked. */
	if (have == have_nothing)
		go_to(4000);
	sim_time_advance(BALLOON_DEADLINE_NS + NS_PER_MS);
	settle();
	assert_non_null(status().broken);
	assert_false(status().deflate_on_oom);
	assert_books();
}

static void next_case(void **state, size_t i)
{
	if (i + 1 == ARRAY_SIZE(cases))
		return;
	tear_down(state);
	set_up(state);
}

/* It answers again, and all is as if nothing had been. */
static void assert_is_in_use_again(void)
{
	sim.completion = SIM_BALLOON_AT_ONCE;
	sim_ram_task = NULL;
	assert_int_equal(retry(), 0);
	assert_null(status().broken);
	assert_true(status().deflate_on_oom);
	assert_non_null(sim_ram_task);
	assert_int_equal(ledger_count(OWNER_IN_FLIGHT) + ledger_count(OWNER_REPORTED) +
				 ledger_count(OWNER_HINTED) + ledger_count(OWNER_LEAVING),
			 0);
	assert_int_equal(ballooned(), 5000);
	assert_int_equal(sim_balloon_actual(&sim), 5000);
	assert_int_equal(sim.stats_held, 1);
	assert_int_equal(balloon_events.count[BALLOON_EVENT_RETRIED], 1);
	hint_round(1); /* the id outlives a reset */
	go_to(6000);
	assert_balloon(6000);
	assert_int_equal(balloon_reclaim(0), 1);
	go_to(0);
	assert_balloon(0);
}

static void begin_case(void (*have)(void), bool resets)
{
	balloon_events.count[BALLOON_EVENT_RETRIED] = 0;
	be_given_up(have, resets);
}

static void a_device_that_answers_again_is_taken_back(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		begin_case(cases[i], true);
		assert_int_equal(ledger_count(OWNER_IN_FLIGHT), 0);
		assert_is_in_use_again();
		/* What it was told of and forgot it may count as a mistake of ours. */
		sim.wrong_deflates = sim.double_inflates = 0;
		next_case(state, i);
	}
}

static void what_is_stuck_in_flight_comes_back_with_the_reset(void **state)
{
	uint64_t stuck, in_balloon;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		begin_case(cases[i], false);
		stuck = ledger_count(OWNER_IN_FLIGHT) + ledger_count(OWNER_REPORTED);
		in_balloon = ballooned();
		assert_true(stuck > 0);
		/* As long as it does not let go, nothing changes, however often it is asked. */
		for (int k = 0; k < 3; k++) {
			assert_int_equal(retry(), -ETIMEDOUT);
			assert_string_equal(why, "it does not finish its reset");
			assert_int_equal(ledger_count(OWNER_IN_FLIGHT) +
						 ledger_count(OWNER_REPORTED),
					 stuck);
			assert_int_equal(ballooned(), in_balloon);
			assert_non_null(status().broken);
		}
		sim.virtio.slow_reset = 0;
		assert_is_in_use_again();
		sim.wrong_deflates = sim.double_inflates = 0;
		next_case(state, i);
	}
}

static void a_device_that_refuses_features_stays_given_up(void **state)
{
	(void)state;
	begin_case(have_inflations, true);
	sim.virtio.refuse_features = true;
	assert_int_equal(retry(), -ENOTSUP);
	assert_string_equal(why, "refuses our choice of features");
	assert_string_equal(status().broken, "refuses our choice of features");
	assert_int_equal(ballooned(), 5000);
	assert_int_equal(ledger_count(OWNER_IN_FLIGHT), 0);
	assert_int_equal(balloon_events.count[BALLOON_EVENT_RETRIED], 0);
	sim.virtio.refuse_features = false;
	assert_is_in_use_again();
}

static void a_device_that_is_gone_keeps_nothing_in_flight(void **state)
{
	(void)state;
	begin_case(have_inflations, false);
	assert_int_equal(ledger_count(OWNER_IN_FLIGHT), 2048);
	sim.virtio.gone = true;
	assert_int_equal(retry(), -EIO);
	assert_string_equal(why, "it is gone");
	assert_non_null(status().broken);
	assert_int_equal(ledger_count(OWNER_IN_FLIGHT), 0);
	assert_int_equal(ballooned(), 5000);
	sim.virtio.gone = false;
}

static void silence_after_a_retry_is_given_up_like_any(void **state)
{
	(void)state;
	begin_case(have_deflations, true);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(retry(), 0);
		assert_null(status().broken);
		settle();
		sim_time_advance(BALLOON_DEADLINE_NS + NS_PER_MS);
		settle();
		assert_string_equal(status().broken, "no answer within 2 s");
		assert_int_equal(ballooned(), 5000);
		assert_int_equal(ledger_count(OWNER_IN_FLIGHT), 0);
	}
	assert_int_equal(balloon_events.count[BALLOON_EVENT_RETRIED], 3);
}

/* What was before it is forgiven. */
static void a_device_that_is_retried_may_be_reset_five_times_again(void **state)
{
	(void)state;
	start(0, NO_FLOOR);
	for (int i = 0; i < 6; i++) {
		sim_virtio_need_reset(&sim.virtio);
		settle();
	}
	assert_string_equal(status().broken, "it asks for one reset after the other");
	assert_int_equal(retry(), 0);
	assert_string_equal(sim_log_info, "balloon: the host is in use again");
	for (int i = 0; i < 5; i++) {
		sim_virtio_need_reset(&sim.virtio);
		settle();
		assert_null(status().broken);
	}
}

/* ---- Nothing to retry ---- */

static void a_device_in_use_is_left_alone(void **state)
{
	(void)state;
	start(ALL, NO_FLOOR);
	go_to(100);
	assert_int_equal(retry(), -EALREADY);
	assert_string_equal(why, "the device is in use: there is nothing to retry");
	assert_balloon(100);
}

static void without_a_device_there_is_none(void **state)
{
	(void)state;
	start(ALL, NO_FLOOR);
	end_driver();
	assert_int_equal(retry(), -ENODEV);
	assert_string_equal(why, "there is no device");
}

static int second;

static void retry_meanwhile(void)
{
	const char *second_why;

	second = balloon_retry(balloons, &second_why);
}

static void one_retry_at_a_time(void **state)
{
	(void)state;
	begin_case(have_inflations, true);
	sim.completion = SIM_BALLOON_AT_ONCE;
	sim.virtio.slow_reset = 1500;
	second = 0;
	sim_time_on_wait = retry_meanwhile;
	assert_int_equal(retry(), 0);
	sim_time_on_wait = NULL;
	assert_int_equal(second, -EBUSY);
	settle();
	assert_balloon(8000);
}

static void end_task_and_retry(void)
{
	balloons->task_running = false;
	retry_meanwhile();
}

/* Its task has ended, and who takes the device away sleeps on for a moment. */
static void a_device_that_goes_is_not_retried(void **state)
{
	(void)state;
	begin_case(have_inflations, true);
	balloons->task_running = true;
	second = 0;
	sim_time_on_wait = end_task_and_retry;
	end_driver();
	sim_time_on_wait = NULL;
	assert_int_equal(second, -EBUSY);
	assert_int_equal(balloon_events.count[BALLOON_EVENT_RETRIED], 0);
}

static void begin_to_remove(void)
{
	balloons->removing = true;
}

/* Or nobody would wait for that task. */
static void a_device_that_goes_while_it_is_retried_gets_no_task(void **state)
{
	(void)state;
	begin_case(have_inflations, true);
	sim.completion = SIM_BALLOON_AT_ONCE;
	sim.virtio.slow_reset = 1500;
	sim_time_on_wait = begin_to_remove;
	sim_ram_task = NULL;
	assert_int_equal(retry(), 0);
	sim_time_on_wait = NULL;
	assert_null(sim_ram_task);
	assert_null(status().broken);
	balloons->removing = false;
}

/* ---- What others see meanwhile ---- */

static unsigned waits;
static int allocation;

static void allocate_all_and_one(void)
{
	pfn_t pfn;

	if (waits++ > 0 || ledger_count(OWNER_BALLOON) == 0)
		return;
	exhaust();
	assert_true(ledger_count(OWNER_BALLOON) > 0);
	allocation = frame_alloc(0, OWNER_HELD, &pfn);
}

/* Gigabytes are freed piece by piece, and who needs one frame in between gets it. */
static void memory_that_is_being_freed_can_be_had(void **state)
{
	tear_down(state);
	set_up_beside(4 * GIB / FRAME_SIZE, 1 * GIB / FRAME_SIZE);
	start(DEFLATE_ON_OOM, NO_FLOOR);
	frame_set_reclaimer(balloon_reclaim);
	go_to(RAM_FRAMES + 200 * 1024);
	drain();
	sim.completion = SIM_BALLOON_NEVER;
	go_to(0);
	sim_time_advance(BALLOON_DEADLINE_NS + NS_PER_MS);
	settle();
	assert_non_null(status().broken);
	waits = 0;
	allocation = -EAGAIN;
	sim_time_on_wait = allocate_all_and_one;
	end_driver();
	sim_time_on_wait = NULL;
	assert_int_equal(allocation, 0);
	sim.wrong_deflates = sim.double_inflates = 0;
}

static void run_another_task(void)
{
	if (waits++ == 0)
		sim_ram_task(balloons);
	virtio_break(&sim.virtio.device, "end of test");
}

/* A host that comes and goes before its task has run leaves a task for the next one. */
static void a_host_has_one_task(void **state)
{
	(void)state;
	start(0, NO_FLOOR);
	waits = 0;
	sim_time_on_wait = run_another_task;
	sim_ram_task(balloons);
	sim_time_on_wait = NULL;
	assert_int_equal(waits, 1);
}

/* What balloon_detach() waits for. */
static void see_that_it_is_held(void)
{
	waits++;
	assert_true(balloons->task_running);
}

static void be_slow(void)
{
	sim.virtio.slow_reset = 1500;
	waits = 0;
	sim_time_on_wait = see_that_it_is_held;
}

/* Its reset takes a while, and nobody may let the host go meanwhile. */
static void a_host_without_a_task_is_given_up_undisturbed(void **state)
{
	(void)state;
	begin_case(have_inflations, true);
	sim.completion = SIM_BALLOON_AT_ONCE;
	sim_ram_task_err = -ENOMEM;
	sim_ram_on_task = be_slow;
	assert_int_equal(retry(), -ENOMEM);
	assert_true(waits > 0);
	sim_ram_on_task = NULL;
	sim_ram_task_err = 0;
	sim_time_on_wait = NULL;
	sim.virtio.slow_reset = 0;
}

static void note_wait(void)
{
	waits++;
}

/* Nobody else finds a host that is neither in use nor given up in the midst of that. */
static void a_rule_that_is_broken_in_an_allocation_is_not_waited_for(void **state)
{
	(void)state;
	start(DEFLATE_ON_OOM, NO_FLOOR);
	go_to(1000);
	sim.bad_used_id = true;
	sim.virtio.slow_reset = 1500;
	waits = 0;
	sim_time_on_wait = note_wait;
	assert_int_equal(balloon_reclaim(0), 0);
	assert_int_equal(waits, 0);
	sim_time_on_wait = NULL;
	/* The balloon's task resets it, and has its frames. */
	settle();
	assert_non_null(status().broken);
	assert_int_equal(ledger_count(OWNER_IN_FLIGHT), 0);
	sim.virtio.slow_reset = 0;
	sim.wrong_deflates = sim.double_inflates = 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_device_that_answers_again_is_taken_back),
		TEST(what_is_stuck_in_flight_comes_back_with_the_reset),
		TEST(a_device_that_refuses_features_stays_given_up),
		TEST(a_device_that_is_gone_keeps_nothing_in_flight),
		TEST(silence_after_a_retry_is_given_up_like_any),
		TEST(a_device_that_is_retried_may_be_reset_five_times_again),
		TEST(a_device_in_use_is_left_alone),
		TEST(without_a_device_there_is_none),
		TEST(one_retry_at_a_time),
		TEST(a_device_that_goes_is_not_retried),
		TEST(a_device_that_goes_while_it_is_retried_gets_no_task),
		TEST(memory_that_is_being_freed_can_be_had),
		TEST(a_host_has_one_task),
		TEST(a_rule_that_is_broken_in_an_allocation_is_not_waited_for),
		TEST(a_host_without_a_task_is_given_up_undisturbed),
	};

	return cmocka_run_group_tests_name("balloon_recovery", tests, set_up_ram, NULL);
}
