/* SPDX-License-Identifier: BSD-2-Clause */
/* tools/balloonctl/history.c by itself: what is kept of a course, and what is "now". */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>

#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "tools/balloonctl/history.h"
#include "tools/balloonctl/poller.h"

#define MIB (1024ull * 1024)
#define RAM (1024 * MIB)
#define START 1000000

static struct history history;
static uint64_t number;
static struct history_span span;

static int begin(void **state)
{
	(void)state;
	memset(&history, 0, sizeof(history));
	number = 0;
	return 0;
}

static struct sample sample_at(int64_t ms, uint64_t taken)
{
	return (struct sample){ .number = ++number,
				.time = START + ms,
				.seen = START + ms,
				.state = { .ram = RAM, .left = RAM - taken, .taken = taken } };
}

static void see(int64_t ms, uint64_t taken)
{
	struct sample sample = sample_at(ms, taken);

	history_add(&history, &sample);
}

static void see_nothing(int64_t ms)
{
	struct sample sample = { .number = ++number, .time = START + ms, .err = -ENOENT };

	history_add(&history, &sample);
}

/* Of the shortest window. */
static bool sum(int64_t from, int64_t to)
{
	return history_sum(&history, 0, START + from, START + to, 1000, &span);
}

static void windows_are_a_minute_to_a_day(void **state)
{
	static const int64_t minutes[] = { 1, 5, 15, 60, 360, 1440 };

	(void)state;
	for (unsigned i = 0; i < HISTORY_WINDOWS; i++)
		assert_int_equal(history_window_ms(i), minutes[i] * 60000);
}

/* A minute of 512 points: 117 ms each. */
static void point_that_is_old_enough_stays(void **state)
{
	(void)state;
	see(0, 100);
	see(117, 200);
	see(234, 300);
	assert_true(sum(0, 117));
	assert_true(span.low == 200 && span.high == 200 && span.last == 200);
	/* One that is younger gives its place to the next, and its extremes. */
	begin(NULL);
	see(0, 100);
	see(116, 900);
	see(232, 300);
	assert_true(sum(0, 232));
	assert_true(span.low == 300 && span.high == 900 && span.last == 300);
	assert_true(sum(0, 116));
	assert_true(span.last == 100);
}

/* Whatever is in a sample that saw nothing. */
static void absence_has_no_amounts(void **state)
{
	struct sample gone;

	(void)state;
	see(0, 100);
	gone = sample_at(50, 900);
	gone.err = -ENOENT;
	history_add(&history, &gone);
	see(60, 200);
	assert_true(sum(0, 60));
	assert_true(span.seen && span.missed);
	assert_true(span.low == 200 && span.high == 200 && span.last == 200);
	/* Nor where it is the newest. */
	begin(NULL);
	see(0, 100);
	see(50, 200);
	gone.number = ++number;
	gone.time = START + 60;
	history_add(&history, &gone);
	assert_true(sum(0, 60));
	assert_true(span.seen && span.missed);
	assert_true(span.low == 200 && span.high == 200);
	assert_false(span.has_target);
}

static void extremes_are_those_of_all_points(void **state)
{
	static const uint64_t taken[] = { 500, 300, 700, 400 };

	(void)state;
	for (int i = 0; i < 4; i++)
		see(i * 200, taken[i]);
	assert_true(sum(-1, 600));
	assert_true(span.low == 300 && span.high == 700 && span.last == 400);
	assert_true(span.seen && !span.missed);
	assert_true(sum(200, 400));
	assert_true(span.low == 700 && span.high == 700);
	/* Nothing new is what it was. */
	assert_true(sum(600, 1600));
	assert_true(span.low == 400 && span.high == 400 && span.last == 400 && span.seen);
	assert_false(sum(600, 1601));
	assert_false(sum(-500, -1));
}

static void target_is_the_last_one(void **state)
{
	struct sample sample = sample_at(0, 100);

	(void)state;
	sample.state.has_target = true;
	sample.state.target_left = RAM - 70;
	history_add(&history, &sample);
	assert_true(sum(-1, 0));
	assert_true(span.has_target && span.target_taken == 70);
	assert_true(sum(0, 900));
	assert_true(span.has_target && span.target_taken == 70);
	see(200, 100);
	assert_true(sum(-1, 200));
	assert_false(span.has_target);
	sample = sample_at(400, 100);
	sample.state.has_target = true;
	sample.state.target_left = RAM - 80;
	history_add(&history, &sample);
	see_nothing(600);
	assert_true(sum(-1, 600));
	assert_true(span.has_target && span.target_taken == 80 && span.missed);
}

static void absence_goes_on_until_somebody_is_seen(void **state)
{
	(void)state;
	see_nothing(0);
	assert_true(sum(0, 900));
	assert_true(!span.seen && span.missed);
	see(200, 5);
	assert_true(sum(200, 900));
	assert_true(span.seen && !span.missed);
}

/* ---- memory ---- */

/* No window is as young as this. */
static uint64_t last_ram(void)
{
	bool moved;

	return history_ram_most(&history, 0, INT64_MAX, &moved);
}

static void memory_is_that_of_the_last_look(void **state)
{
	struct sample sample;

	(void)state;
	assert_int_equal(last_ram(), 0);
	see(0, 0);
	assert_int_equal(last_ram(), RAM);
	/* More was plugged in. */
	sample = sample_at(500, 0);
	sample.state.ram = 2 * RAM;
	history_add(&history, &sample);
	assert_int_equal(last_ram(), 2 * RAM);
	see_nothing(1000);
	assert_int_equal(last_ram(), 2 * RAM);
}

/* As long as any window remembers it. */
static void memory_of_a_guest_that_is_gone_is_remembered(void **state)
{
	(void)state;
	see(0, 0);
	for (int i = 1; i <= 600; i++)
		see_nothing(i * 1000);
	assert_int_equal(last_ram(), RAM);
}

static void see_ram(int64_t ms, uint64_t base, uint64_t grown, uint64_t taken)
{
	struct sample sample = sample_at(ms, taken);

	sample.state.ram = base + grown;
	sample.state.grown = grown;
	history_add(&history, &sample);
}

/* The most is of the window, and of now in any case. */
static void most_memory_is_that_of_the_window(void **state)
{
	bool moved = true;

	(void)state;
	assert_int_equal(history_ram_most(&history, 0, START, &moved), 0);
	assert_false(moved);
	see_ram(0, RAM, 0, 0);
	assert_int_equal(history_ram_most(&history, 0, START - 1, &moved), RAM);
	assert_false(moved);
	see_ram(200, RAM, 3 * RAM, 0);
	see_nothing(300);
	see_ram(400, RAM, RAM, 0);
	assert_int_equal(history_ram_most(&history, 0, START - 1, &moved), 4 * RAM);
	assert_true(moved);
	assert_int_equal(history_ram_most(&history, 0, START + 200, &moved), 2 * RAM);
	assert_false(moved);
	assert_int_equal(history_ram_most(&history, 0, START + 400, &moved), 2 * RAM);
	assert_false(moved);
	/* It grows: what it had before is less. */
	see_ram(600, RAM, 2 * RAM, 0);
	assert_int_equal(history_ram_most(&history, 0, START + 200, &moved), 3 * RAM);
	assert_true(moved);
}

static void stretch_of_time_has_its_last_memory(void **state)
{
	(void)state;
	see_ram(0, RAM, 0, 0);
	see_ram(200, RAM, RAM, 0);
	see_nothing(400);
	assert_true(sum(-1, 0) && span.ram == RAM);
	assert_true(sum(-1, 400) && span.ram == 2 * RAM);
	/* Of an absence there is none; what was seen last holds. */
	assert_true(sum(200, 400) && span.ram == 0);
	assert_true(sum(400, 900) && span.ram == 0);
	see_ram(1000, RAM, 2 * RAM, 0);
	assert_true(sum(1000, 1900) && span.ram == 3 * RAM);
}

/* ---- now ---- */

/* Of the finest points that there are: others would mix it with what was before. */
static void rate_is_that_of_the_last_moments(void **state)
{
	struct sample sample;
	double processors;

	(void)state;
	assert_true(history_rate(&history) == 0);
	assert_false(history_cpu(&history, &processors));
	for (int i = 0; i < 5; i++) {
		static const uint64_t taken[] = { 0, 100, 0, 100, 150 };
		static const uint64_t cpu_ms[] = { 0, 10, 0, 20, 120 };

		if (i == 2) {
			see_nothing(400);
			continue;
		}
		sample = sample_at(i * 200, taken[i] * MIB);
		sample.has_cost = true;
		sample.cost.cpu_ms = cpu_ms[i];
		history_add(&history, &sample);
	}
	assert_true(history_rate(&history) == 250.0 * MIB);
	assert_true(history_cpu(&history, &processors) && processors == 0.5);
}

static void rate_is_that_of_three_seconds(void **state)
{
	(void)state;
	see(0, 0);
	see(1000, 100);
	see(2000, 1000);
	see(4000, 1300);
	/* From 1000 on. */
	assert_true(history_rate(&history) == 400);
	/* One step back is "now" in any case. */
	see(9000, 800);
	assert_true(history_rate(&history) == -100);
}

/* What is taken of more memory is no movement of the balloon. */
static void rate_does_not_span_a_change_of_memory(void **state)
{
	struct sample sample;

	(void)state;
	see(0, 100);
	sample = sample_at(1000, 5000);
	sample.state.ram = 2 * RAM;
	history_add(&history, &sample);
	assert_true(history_rate(&history) == 0);
	sample = sample_at(2000, 5100);
	sample.state.ram = 2 * RAM;
	history_add(&history, &sample);
	assert_true(history_rate(&history) == 100);
}

/* What is plugged meanwhile is nothing that the balloon counts. */
static void rate_goes_on_while_the_guest_grows(void **state)
{
	(void)state;
	see_ram(0, RAM, 0, 100);
	see_ram(1000, RAM, RAM, 5100);
	assert_true(history_rate(&history) == 5000);
	see_ram(2000, RAM, RAM / 2, 2100);
	assert_true(history_rate(&history) == 1000);
	/* A DIMM in the place of what was unplugged: as much memory, and another balloon. */
	see_ram(3000, RAM + RAM / 2, 0, 9000);
	assert_true(history_rate(&history) == 0);
}

static void processor_is_known_if_it_was_twice(void **state)
{
	static const struct {
		bool before, after;
		uint64_t cpu_ms;
		bool known;
	} all[] = { { true, true, 1500, true },
		    { false, true, 1500, false },
		    { true, false, 1500, false },
		    { true, true, 1000, true },
		    /* Another process. */
		    { true, true, 999, false } };

	(void)state;
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		struct sample sample = sample_at(0, 0);
		double processors = 7;

		begin(NULL);
		sample.has_cost = all[i].before;
		sample.cost.cpu_ms = 1000;
		history_add(&history, &sample);
		number = sample.number;
		sample = sample_at(1000, 0);
		sample.has_cost = all[i].after;
		sample.cost.cpu_ms = all[i].cpu_ms;
		history_add(&history, &sample);
		assert_int_equal(history_cpu(&history, &processors), all[i].known);
		if (all[i].known)
			assert_true(processors == (double)(all[i].cpu_ms - 1000) / 1000);
	}
}

#define HISTORY_TEST(name) cmocka_unit_test_setup(name, begin)

int main(void)
{
	const struct CMUnitTest tests[] = {
		HISTORY_TEST(windows_are_a_minute_to_a_day),
		HISTORY_TEST(point_that_is_old_enough_stays),
		HISTORY_TEST(absence_has_no_amounts),
		HISTORY_TEST(extremes_are_those_of_all_points),
		HISTORY_TEST(target_is_the_last_one),
		HISTORY_TEST(absence_goes_on_until_somebody_is_seen),
		HISTORY_TEST(memory_is_that_of_the_last_look),
		HISTORY_TEST(most_memory_is_that_of_the_window),
		HISTORY_TEST(stretch_of_time_has_its_last_memory),
		HISTORY_TEST(memory_of_a_guest_that_is_gone_is_remembered),
		HISTORY_TEST(rate_is_that_of_the_last_moments),
		HISTORY_TEST(rate_is_that_of_three_seconds),
		HISTORY_TEST(rate_does_not_span_a_change_of_memory),
		HISTORY_TEST(rate_goes_on_while_the_guest_grows),
		HISTORY_TEST(processor_is_known_if_it_was_twice),
	};

	return cmocka_run_group_tests_name("balloonctl/history", tests, NULL, NULL);
}
