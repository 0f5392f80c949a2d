/* SPDX-License-Identifier: BSD-2-Clause */
/* Tests of kernel/lib/events.c: what is kept, what is only counted, and interrupts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <signal.h>
#include <string.h>
#include <sys/time.h>

#include "kernel/lib/events.h"
#include "kernel/lib/hooks.h"

#define TEST_EVENTS(EVENT) \
	EVENT(TEST_UP, "up", "height", "#address") \
	EVENT(TEST_DOWN, "down", "", "")

EVENTS_DECLARE(test, TEST_EVENTS)
EVENTS_DEFINE(test, TEST_EVENTS);

static uint64_t now;

static uint64_t read_now(void)
{
	return now;
}

static int begin(void **state)
{
	(void)state;
	memset(&test_events, 0, sizeof(test_events));
	now = 1000;
	lib_set_clock(read_now);
	return 0;
}

static struct event get(uint64_t number)
{
	struct event event = { 0 };

	assert_true(events_get(&test_events, number, &event));
	return event;
}

static void an_event_is_kept_with_its_time_and_arguments(void **state)
{
	struct event event;

	(void)state;
	test_event(TEST_DOWN, 7, UINT64_MAX);
	event = get(1);
	assert_int_equal(event.type, TEST_DOWN);
	assert_int_equal(event.time_ns, 1000);
	assert_int_equal(event.argument[0], 7);
	assert_int_equal(event.argument[1], UINT64_MAX);
	assert_int_equal(test_events.recorded, 1);
}

static void there_is_no_event_before_the_first_and_after_the_last(void **state)
{
	struct event event;

	(void)state;
	assert_false(events_get(&test_events, 0, &event));
	assert_false(events_get(&test_events, 1, &event));
	test_event(TEST_UP, 1, 2);
	assert_true(events_get(&test_events, 1, &event));
	assert_false(events_get(&test_events, 0, &event));
	assert_false(events_get(&test_events, 2, &event));
}

static void the_last_64_are_kept_and_all_are_counted(void **state)
{
	struct event event;

	(void)state;
	test_event(TEST_DOWN, 0, 0);
	for (uint64_t i = 2; i <= EVENTS_KEPT + 3; i++)
		test_event(TEST_UP, i, 0);
	assert_false(events_get(&test_events, 3, &event));
	for (uint64_t i = 4; i <= EVENTS_KEPT + 3; i++)
		assert_int_equal(get(i).argument[0], i);
	assert_int_equal(test_events.count[TEST_DOWN], 1);
	assert_int_equal(test_events.count[TEST_UP], EVENTS_KEPT + 2);
	assert_int_equal(test_events.recorded, EVENTS_KEPT + 3);
}

static void a_driver_is_found_by_its_source(void **state)
{
	const struct event_source *source = __start_event_sources;

	(void)state;
	assert_int_equal(__stop_event_sources - source, 1);
	assert_string_equal(source->driver, "test");
	assert_int_equal(source->type_count, 2);
	assert_ptr_equal(source->ring, &test_events);
	assert_string_equal(source->type[TEST_UP].name, "up");
	assert_string_equal(source->type[TEST_UP].argument[1], "#address");
	assert_string_equal(source->type[TEST_DOWN].argument[0], "");
}

/* ---- Interrupts: here they are signals ---- */

static volatile sig_atomic_t interrupts;

/* Whole events only: both arguments and the time are the same number. */
static void record_whole(uint64_t number)
{
	events_record(&test_events, number, TEST_UP, number, number);
}

static void interrupt(int signal_number)
{
	(void)signal_number;
	/* More than are kept: what is being read or written is overtaken. */
	for (uint64_t i = 0; i < EVENTS_KEPT + 10; i++)
		record_whole(UINT64_C(1) << 40 | i);
	interrupts++;
}

static void no_event_is_torn_by_an_interrupt_that_records(void **state)
{
	const struct itimerval often = { { 0, 500 }, { 0, 500 } }, never = { { 0 }, { 0 } };
	uint64_t recorded = 0;
	struct event event;

	(void)state;
	interrupts = 0;
	signal(SIGALRM, interrupt);
	setitimer(ITIMER_REAL, &often, NULL);
	while (interrupts < 200) {
		record_whole(recorded++);
		for (uint64_t n = test_events.recorded, i = n < 70 ? 1 : n - 70; i <= n; i++) {
			if (!events_get(&test_events, i, &event))
				continue;
			assert_int_equal(event.argument[0], event.time_ns);
			assert_int_equal(event.argument[1], event.time_ns);
		}
	}
	setitimer(ITIMER_REAL, &never, NULL);
	signal(SIGALRM, SIG_DFL);
	recorded += (uint64_t)interrupts * (EVENTS_KEPT + 10);
	assert_int_equal(test_events.recorded, recorded);
	assert_int_equal(test_events.count[TEST_UP], recorded);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(an_event_is_kept_with_its_time_and_arguments, begin),
		cmocka_unit_test_setup(there_is_no_event_before_the_first_and_after_the_last,
				       begin),
		cmocka_unit_test_setup(the_last_64_are_kept_and_all_are_counted, begin),
		cmocka_unit_test_setup(a_driver_is_found_by_its_source, begin),
		cmocka_unit_test_setup(no_event_is_torn_by_an_interrupt_that_records, begin),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
