/* SPDX-License-Identifier: BSD-2-Clause */
/* Tests of kernel/events_print.c: the order of events of several drivers, and both forms. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/events_print.h"
#include "kernel/lib/types.h"
#include "tests/sim/sim_command.h"
#include "tests/unit/kernel/hen_events.h"

EVENTS_DEFINE(hen, HEN_EVENTS);
EVENTS_DEFINE(fox, FOX_EVENTS);

static char *text;

static int begin(void **state)
{
	(void)state;
	memset(&hen_events, 0, sizeof(hen_events));
	memset(&fox_events, 0, sizeof(fox_events));
	return 0;
}

static int end(void **state)
{
	(void)state;
	free(text);
	text = NULL;
	return 0;
}

/* Returns the text that is printed of both drivers, the hens first. */
static const char *printed(void (*print)(const struct event_source *sources, size_t count))
{
	struct event_source sources[2];
	FILE *real = stdout;
	size_t length;

	for (const struct event_source *s = __start_event_sources; s < __stop_event_sources; s++)
		sources[s->ring == &fox_events] = *s;
	stdout = open_memstream(&text, &length);
	print(sources, 2);
	fclose(stdout);
	stdout = real;
	return text;
}

static void nothing_recorded_is_said_so(void **state)
{
	(void)state;
	assert_string_equal(printed(events_print), "Events since boot:\n"
						   "hen        none\n"
						   "fox        none\n");
}

static void events_of_all_drivers_stand_in_the_order_of_time(void **state)
{
	(void)state;
	events_record(&hen_events, 1000000, HEN_EGG, 3, 0xff00);
	events_record(&fox_events, 2500000, FOX_SLEPT, 8, 0);
	events_record(&hen_events, 61000002000, HEN_FOX, 1, 2);
	events_record(&hen_events, 61000003000, HEN_EGG, 0, 0);
	assert_string_equal(printed(events_print),
			    "[    0.001000] hen        egg            count=3 colour=0xff00\n"
			    "[    0.002500] fox        slept          hours=8\n"
			    "[   61.000002] hen        fox-seen      \n"
			    "[   61.000003] hen        egg            count=0 colour=0\n"
			    "Events since boot:\n"
			    "hen        egg 2, fox-seen 1\n"
			    "fox        slept 1\n");
}

static void as_json_all_of_it_is_on_one_line(void **state)
{
	(void)state;
	events_record(&fox_events, 5, FOX_SLEPT, 8, 9);
	events_record(&hen_events, 7, HEN_EGG, 3, 255);
	events_record(&hen_events, 7, HEN_FOX, 1, 2);
	assert_string_equal(
		printed(events_print_json),
		"\"events\":["
		"{\"time-ns\":5,\"driver\":\"fox\",\"event\":\"slept\",\"hours\":8},"
		"{\"time-ns\":7,\"driver\":\"hen\",\"event\":\"egg\",\"count\":3,\"colour\":255},"
		"{\"time-ns\":7,\"driver\":\"hen\",\"event\":\"fox-seen\"}],"
		"\"event-counts\":{\"hen\":{\"egg\":1,\"fox-seen\":1},\"fox\":{\"slept\":1}}");
}

static void events_that_were_overwritten_are_counted_only(void **state)
{
	size_t lines = 0;

	(void)state;
	for (uint64_t i = 0; i < 1000; i++)
		events_record(&fox_events, i, FOX_SLEPT, i, 0);
	printed(events_print);
	for (const char *at = text; (at = strstr(at, " hours=")); at++)
		lines++;
	assert_int_equal(lines, EVENTS_KEPT);
	assert_non_null(strstr(text, "slept          hours=999\n"));
	assert_null(strstr(text, " hours=935\n"));
	assert_non_null(strstr(text, " hours=936\n"));
	assert_non_null(strstr(text, "fox        slept 1000\n"));
}

static void of_those_at_one_time_the_first_drivers_come_first(void **state)
{
	(void)state;
	events_record(&fox_events, 5000, FOX_SLEPT, 1, 0);
	events_record(&hen_events, 5000, HEN_FOX, 0, 0);
	printed(events_print);
	assert_int_equal(strncmp(text, "[    0.000005] hen ", 19), 0);
	assert_non_null(strstr(text, "\n[    0.000005] fox "));
}

static const struct event_type goat_types[] = {
	{ "ate-all-the-hay", { "n", "#k" } },
	{ "ate-the-washing", { "", "" } },
	{ "on-the-roof", { "", "" } },
	{ "in-the-vineyard", { "", "" } },
};
static struct event_ring goat_events;

static void print_goats(void (*print)(const struct event_source *sources, size_t count))
{
	const struct event_source goats = { "goat", goat_types, ARRAY_SIZE(goat_types),
					    &goat_events };
	FILE *real = stdout;
	size_t length;

	memset(&goat_events, 0, sizeof(goat_events));
	for (unsigned type = 0; type < ARRAY_SIZE(goat_types); type++)
		events_record(&goat_events, 0, type, type + 7, 10);
	stdout = open_memstream(&text, &length);
	print(&goats, 1);
	fclose(stdout);
	stdout = real;
}

static void an_arguments_name_may_be_a_letter(void **state)
{
	(void)state;
	print_goats(events_print);
	assert_non_null(strstr(text, "ate-all-the-hay n=7 k=0xa\n"));
	free(text);
	print_goats(events_print_json);
	assert_non_null(strstr(text, "\"event\":\"ate-all-the-hay\",\"n\":7,\"k\":10}"));
}

static void counts_that_need_two_lines_stand_below_each_other(void **state)
{
	(void)state;
	print_goats(events_print);
	assert_non_null(strstr(text,
			       "goat       ate-all-the-hay 1, ate-the-washing 1, on-the-roof 1,\n"
			       "           in-the-vineyard 1\n"));
}

/* As a dump may have it. */
static void a_ring_that_is_damaged_neither_ends_nor_hides_the_others(void **state)
{
	(void)state;
	events_record(&hen_events, 1, HEN_EGG, 1, 1);
	events_record(&hen_events, 2, hen_event_types, 1, 1);
	memset(&fox_events, 0xff, sizeof(fox_events));
	printed(events_print);
	assert_non_null(strstr(text, "hen        egg            count=1 colour=0x1\n"));
	assert_non_null(strstr(text, "hen        ?             \n"));
	fox_events.recorded = 1;
	fox_events.event[0].number = 1;
	free(text);
	printed(events_print);
	assert_non_null(strstr(text, "fox        ?             \n"));
}

/* The command has the same, and braces. */
static void the_command_prints_all_drivers_either_way(void **state)
{
	char *expected;

	(void)state;
	hen_event(HEN_EGG, 1, 1);
	assert_int_equal(sim_command("events"), 0);
	assert_non_null(strstr(sim_command_text, "Events since boot:\n"));
	assert_non_null(strstr(sim_command_text, "egg            count=1 colour=0x1\n"));
	assert_non_null(strstr(sim_command_text, "fox        none\n"));
	printed(events_print_json);
	assert_int_equal(sim_command("events -j"), 0);
	/* Drivers stand in the order in which the linker has put them. */
	assert_int_equal(strlen(sim_command_text), strlen(text) + 3);
	assert_true(asprintf(&expected, "{%s}\n", text) > 0);
	if (__start_event_sources->ring == &hen_events)
		assert_string_equal(sim_command_text, expected);
	free(expected);
	sim_command_forget();
}

static void the_command_takes_no_other_arguments(void **state)
{
	(void)state;
	assert_int_equal(sim_command("events -x"), -EINVAL);
	assert_int_equal(sim_command("events -j -j"), -EINVAL);
	assert_string_equal(sim_command_text, "");
	sim_command_forget();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(the_command_prints_all_drivers_either_way, begin,
						end),
		cmocka_unit_test_setup_teardown(the_command_takes_no_other_arguments, begin, end),
		cmocka_unit_test_setup_teardown(nothing_recorded_is_said_so, begin, end),
		cmocka_unit_test_setup_teardown(events_of_all_drivers_stand_in_the_order_of_time,
						begin, end),
		cmocka_unit_test_setup_teardown(as_json_all_of_it_is_on_one_line, begin, end),
		cmocka_unit_test_setup_teardown(events_that_were_overwritten_are_counted_only,
						begin, end),
		cmocka_unit_test_setup_teardown(of_those_at_one_time_the_first_drivers_come_first,
						begin, end),
		cmocka_unit_test_setup_teardown(an_arguments_name_may_be_a_letter, begin, end),
		cmocka_unit_test_setup_teardown(counts_that_need_two_lines_stand_below_each_other,
						begin, end),
		cmocka_unit_test_setup_teardown(
			a_ring_that_is_damaged_neither_ends_nor_hides_the_others, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
