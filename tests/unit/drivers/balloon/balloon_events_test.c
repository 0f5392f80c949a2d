/* SPDX-License-Identifier: BSD-2-Clause */
/* What the balloon records of its life: see drivers/balloon/balloon_events.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "drivers/balloon/balloon_events.h"
#include "drivers/balloon/balloon_reclaim.h"
#include "drivers/balloon/balloon_refusal.h"
#include "drivers/balloon/balloon_state_internal.h"
#include "tests/unit/drivers/balloon/host_fixture.h"

static int set_up_events(void **state)
{
	memset(&balloon_events, 0, sizeof(balloon_events));
	return set_up_host(state);
}

#define EVENTS_TEST(name) cmocka_unit_test_setup_teardown(name, set_up_events, tear_down_host)

/* The event that came `back` events before the last. */
static struct event event_back(uint64_t back)
{
	struct event event;

	assert_true(back < balloon_events.recorded);
	assert_true(events_get(&balloon_events, balloon_events.recorded - back, &event));
	return event;
}

static void assert_event(uint64_t back, enum balloon_event type, uint64_t first, uint64_t second)
{
	struct event event = event_back(back);

	assert_int_equal(event.type, type);
	assert_int_equal(event.argument[0], first);
	assert_int_equal(event.argument[1], second);
}

/* A move has ended, so many microseconds after it began. */
static void assert_end(uint64_t back, uint64_t ballooned, uint64_t us_min, uint64_t us_max)
{
	struct event event = event_back(back);

	assert_int_equal(event.type, BALLOON_EVENT_ACKNOWLEDGED);
	assert_int_equal(event.argument[0], ballooned);
	assert_in_range(event.argument[1], us_min, us_max);
}

/* Ten thousand frames are some forty batches. */
static void a_move_is_three_events_whatever_its_size(void **state)
{
	(void)state;
	assert_int_equal(host_attach(NO_FLOOR), 0);
	host_wants(10000);
	assert_int_equal(balloon_events.recorded, 4);
	assert_event(3, BALLOON_EVENT_PLUGGED, host.terms.deflate_on_oom, host.terms.ranges);
	assert_event(2, BALLOON_EVENT_TARGET, 10000, 0);
	/* Four batches of four blocks are a round. */
	assert_event(1, BALLOON_EVENT_OFFERED, 16 * BLOCK_FRAMES, 0);
	assert_end(0, 10000, 0, NS_PER_MS / NS_PER_US);
	host_wants(17);
	assert_int_equal(balloon_events.recorded, 7);
	assert_event(2, BALLOON_EVENT_TARGET, 17, 10000);
	assert_event(1, BALLOON_EVENT_ASKED_BACK, 16 * BLOCK_FRAMES, 10000);
	assert_end(0, 17, 0, NS_PER_MS / NS_PER_US);
}

static void a_move_lasts_from_its_first_offer_to_the_last_answer(void **state)
{
	(void)state;
	assert_int_equal(host_attach(NO_FLOOR), 0);
	sim_time_advance(60 * NS_PER_S);
	host.late = true;
	host_wants(1);
	assert_event(0, BALLOON_EVENT_OFFERED, 1, 0);
	sim_time_advance(NS_PER_S);
	settle();
	assert_int_equal(event_back(0).type, BALLOON_EVENT_OFFERED);
	host.answers = true;
	settle();
	assert_end(0, 1, NS_PER_S / NS_PER_US, (NS_PER_S + NS_PER_MS) / NS_PER_US);
	/* The next one is a move of its own. */
	sim_time_advance(60 * NS_PER_S);
	host.late = false;
	host_wants(0);
	assert_event(1, BALLOON_EVENT_ASKED_BACK, 1, 1);
	assert_end(0, 0, 0, NS_PER_MS / NS_PER_US);
}

/* What was offered may be refused yet: all is there in the round that finds nothing to offer. */
static void a_move_of_one_frame_ends_in_the_next_round(void **state)
{
	(void)state;
	assert_int_equal(host_attach(NO_FLOOR), 0);
	host.target = 1;
	assert_true(balloon_step());
	assert_event(0, BALLOON_EVENT_OFFERED, 1, 0);
	assert_false(balloon_step());
	assert_end(0, 1, 0, NS_PER_MS / NS_PER_US);
}

static void a_target_that_is_read_again_is_no_event(void **state)
{
	(void)state;
	assert_int_equal(host_attach(NO_FLOOR), 0);
	host_wants(100);
	host_wants(100);
	assert_int_equal(balloon_events.count[BALLOON_EVENT_TARGET], 1);
}

static bool refuses_the_seventh(bool deflates, pfn_t pfn, enum balloon_refusal *why)
{
	*why = BALLOON_REFUSED_FRAME;
	return !deflates && pfn % 7 == 0;
}

/* The sum over the events that are kept; each gives this reason. */
static uint64_t refused_for(enum balloon_refusal why)
{
	uint64_t sum = 0;

	for (uint64_t back = 0; back < balloon_events.recorded; back++) {
		struct event event = event_back(back);

		if (event.type != BALLOON_EVENT_REFUSED)
			continue;
		assert_int_equal(event.argument[1], why);
		sum += event.argument[0];
	}
	return sum;
}

static void each_refusal_is_recorded_with_its_reason(void **state)
{
	uint64_t refused[BALLOON_REFUSALS];

	(void)state;
	assert_int_equal(host_attach(NO_FLOOR), 0);
	host.refuses = refuses_the_seventh;
	host_wants(70);
	balloon_refusal_counts(&balloons->refusal, refused);
	assert_true(refused[BALLOON_REFUSED_FRAME] >= 10);
	assert_int_equal(refused_for(BALLOON_REFUSED_FRAME), refused[BALLOON_REFUSED_FRAME]);
}

static pfn_t unwanted;

static bool refuses_one(bool deflates, pfn_t pfn, enum balloon_refusal *why)
{
	*why = BALLOON_REFUSED_FRAME;
	return !deflates && pfn == unwanted;
}

/* Move by move, and each of them once. */
static void a_single_frame_that_is_refused_is_recorded(void **state)
{
	(void)state;
	assert_int_equal(host_attach(NO_FLOOR), 0);
	unwanted = paddr_to_pfn(RAM_START);
	host.refuses = refuses_one;
	for (uint64_t i = 1; i <= 3; i++) {
		host_wants(RAM_FRAMES - 1);
		assert_int_equal(refused_for(BALLOON_REFUSED_FRAME), i);
		assert_int_equal(balloon_events.count[BALLOON_EVENT_REFUSED], i);
		host_wants(0);
	}
}

/* Some 700 frames are refused, one by one: the ring still says how it came to that. */
static void a_host_that_refuses_much_does_not_flood_the_ring(void **state)
{
	(void)state;
	assert_int_equal(host_attach(NO_FLOOR), 0);
	host.refuses = refuses_the_seventh;
	host_wants(5000);
	assert_true(refused_for(BALLOON_REFUSED_FRAME) >= 5000 / 7);
	assert_true(balloon_events.recorded < 10);
	assert_event(balloon_events.recorded - 2, BALLOON_EVENT_TARGET, 5000, 0);
}

static void refusals_are_recorded_before_a_host_is_given_up(void **state)
{
	(void)state;
	assert_int_equal(host_attach(NO_FLOOR), 0);
	host.refuses = refuses_the_seventh;
	host.target = 5000;
	balloon_step();
	host.fault = BALLOON_FAULT_RULES;
	settle();
	assert_event(0, BALLOON_EVENT_GAVE_UP, BALLOON_FAULT_RULES, 0);
	assert_int_equal(event_back(1).type, BALLOON_EVENT_REFUSED);
}

static void memory_that_is_taken_back_in_need_is_recorded(void **state)
{
	(void)state;
	host.terms.deflate_on_oom = true;
	assert_int_equal(host_attach(NO_FLOOR), 0);
	host_wants(1000);
	assert_int_equal(balloon_reclaim(0), 1);
	assert_event(0, BALLOON_EVENT_RECLAIMED, 1, 0);
	assert_int_equal(balloon_reclaim(3), BLOCK_FRAMES);
	assert_event(0, BALLOON_EVENT_RECLAIMED, BLOCK_FRAMES, 3);
}

static void a_host_that_forgets_everything_is_recorded_twice(void **state)
{
	(void)state;
	assert_int_equal(host_attach(NO_FLOOR), 0);
	host_wants(500);
	host.fault = BALLOON_FAULT_ALL_OURS;
	balloon_step();
	assert_event(1, BALLOON_EVENT_ALL_OURS, 500, 0);
	assert_event(0, BALLOON_EVENT_RECOVERED, BALLOON_FAULT_ALL_OURS, 0);
}

static void a_host_that_breaks_the_rules_is_given_up_with_the_fault(void **state)
{
	(void)state;
	assert_int_equal(host_attach(NO_FLOOR), 0);
	host.fault = BALLOON_FAULT_RULES;
	balloon_step();
	assert_event(0, BALLOON_EVENT_GAVE_UP, BALLOON_FAULT_RULES, 0);
}

static void a_host_that_goes_gives_all_back_first(void **state)
{
	(void)state;
	assert_int_equal(host_attach(NO_FLOOR), 0);
	host_wants(300);
	balloon_detach(balloons->port);
	assert_event(0, BALLOON_EVENT_PULLED, 0, 0);
	assert_end(1, 0, 0, NS_PER_MS / NS_PER_US);
	assert_event(2, BALLOON_EVENT_ASKED_BACK, 300, 300);
}

static void a_host_that_goes_with_frames_is_recorded_with_them(void **state)
{
	(void)state;
	host.port.deflate = NULL;
	assert_int_equal(host_attach(NO_FLOOR), 0);
	host_wants(300);
	balloon_detach(balloons->port);
	assert_event(0, BALLOON_EVENT_PULLED, 300, 0);
}

static void a_host_that_is_tried_again_is_recorded_with_what_it_has(void **state)
{
	const char *why;

	(void)state;
	/* This one forgets what it has, and would be asked for it at the end. */
	host.port.deflate = NULL;
	assert_int_equal(host_attach(NO_FLOOR), 0);
	host_wants(300);
	host.fault = BALLOON_FAULT_RULES;
	settle();
	assert_int_equal(balloon_retry(balloons, &why), 0);
	assert_event(0, BALLOON_EVENT_RETRIED, 300, 0);
	/* What it was doing then is over: this is another move. */
	host.late = true;
	host_wants(301);
	assert_event(0, BALLOON_EVENT_OFFERED, 1, 300);
	host.fault = BALLOON_FAULT_RULES;
	settle();
	assert_event(0, BALLOON_EVENT_GAVE_UP, BALLOON_FAULT_RULES, 0);
	assert_int_equal(balloon_retry(balloons, &why), 0);
	settle();
	assert_event(1, BALLOON_EVENT_RETRIED, 300, 0);
	assert_event(0, BALLOON_EVENT_OFFERED, 1, 300);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		EVENTS_TEST(a_move_is_three_events_whatever_its_size),
		EVENTS_TEST(a_move_lasts_from_its_first_offer_to_the_last_answer),
		EVENTS_TEST(a_move_of_one_frame_ends_in_the_next_round),
		EVENTS_TEST(a_target_that_is_read_again_is_no_event),
		EVENTS_TEST(each_refusal_is_recorded_with_its_reason),
		EVENTS_TEST(a_single_frame_that_is_refused_is_recorded),
		EVENTS_TEST(a_host_that_refuses_much_does_not_flood_the_ring),
		EVENTS_TEST(refusals_are_recorded_before_a_host_is_given_up),
		EVENTS_TEST(memory_that_is_taken_back_in_need_is_recorded),
		EVENTS_TEST(a_host_that_forgets_everything_is_recorded_twice),
		EVENTS_TEST(a_host_that_breaks_the_rules_is_given_up_with_the_fault),
		EVENTS_TEST(a_host_that_goes_gives_all_back_first),
		EVENTS_TEST(a_host_that_goes_with_frames_is_recorded_with_them),
		EVENTS_TEST(a_host_that_is_tried_again_is_recorded_with_what_it_has),
	};

	return cmocka_run_group_tests_name("balloon_events", tests, set_up_ram, NULL);
}
