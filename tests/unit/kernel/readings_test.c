/* SPDX-License-Identifier: BSD-2-Clause */
/* Readings in a row: by which one a new one is judged, and since when it is so. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "kernel/lib/types.h"
#include "kernel/situation.h"

static struct readings readings;
static struct reading reading;

static int set_up(void **state)
{
	(void)state;
	readings = (struct readings){ 0 };
	reading = (struct reading){ 0 };
	for (unsigned i = 0; i < READING_VALUES; i++)
		reading_set(&reading, i, 0);
	reading_set(&reading, READING_TOTAL, 384 * MIB);
	return 0;
}

/* So many more stalls for the balloon, seen at `ms`. */
static void stalls(uint64_t count, uint64_t ms)
{
	reading.value[READING_STALLS] += count;
	reading.value[READING_BALLOON_STALLS] += count;
	readings_add(&readings, &reading, ms);
}

static void assert_is(enum situation_kind kind, uint64_t since_ms)
{
	assert_string_equal(situation_word(readings.situation.kind), situation_word(kind));
	assert_int_equal(readings.since_ms, since_ms);
}

static void one_reading_says_nothing(void **state)
{
	(void)state;
	stalls(100, 5000);
	assert_is(SITUATION_UNKNOWN, 0);
	stalls(100, 5999);
	assert_is(SITUATION_UNKNOWN, 0);
	assert_int_equal(readings.over_ms, 0);
	stalls(30, 6000);
	assert_is(SITUATION_STALLS, 5999);
	/* By what it was judged. */
	assert_int_equal(readings.over_ms, 1000);
	assert_int_equal(readings.moved.value[READING_STALLS], 130);
	assert_int_equal(readings.moved.value[READING_TOTAL], 384 * MIB);
	assert_int_equal(readings.situation.cause, STALL_BALLOON);
}

/* 60 stalls at once are more than 5 a second for 10 s, by the reading before them. */
static void a_burst_is_told_for_ten_seconds(void **state)
{
	(void)state;
	stalls(0, 1000);
	stalls(60, 3000);
	assert_is(SITUATION_STALLS, 1000);
	for (uint64_t ms = 4000; ms <= 11000; ms += 1000) {
		stalls(0, ms);
		assert_is(SITUATION_STALLS, 1000);
	}
	stalls(0, 12000);
	assert_is(SITUATION_NONE, 11000);
	stalls(0, 90000);
	assert_is(SITUATION_NONE, 11000);
}

/* Readings come when something moves: what is not read has not moved. */
static void after_a_long_silence_the_last_reading_counts(void **state)
{
	(void)state;
	stalls(0, 1000);
	stalls(60, 3000);
	stalls(0, 500000);
	assert_is(SITUATION_NONE, 3000);
	stalls(60, 501000);
	assert_is(SITUATION_STALLS, 500000);
}

static void readings_within_a_second_take_one_place(void **state)
{
	(void)state;
	stalls(0, 1000);
	for (uint64_t ms = 1010; ms < 11000; ms += 10)
		stalls(1, ms);
	assert_is(SITUATION_STALLS, 1990);
	/* The oldest of the last ten seconds is still there. */
	assert_true(readings.count <= READINGS);
	assert_int_equal(readings.ring[readings.first].time_ms, 1000);
	stalls(0, 11000);
	assert_is(SITUATION_STALLS, 1990);
}

/* The ring is full, and the oldest make room. */
static void an_hour_of_readings_fits(void **state)
{
	(void)state;
	for (uint64_t ms = 1000; ms < 3600000; ms += 1000)
		stalls(100, ms);
	assert_is(SITUATION_STALLS, 1000);
	assert_int_equal(readings.count, READINGS);
	stalls(0, 3600000);
	for (uint64_t ms = 3601000; ms < 3700000; ms += 1000)
		stalls(0, ms);
	/* 100 stalls in 10 s are too many, and none of those 10 s later. */
	assert_is(SITUATION_NONE, 3608000);
}

static void a_guest_that_was_reset_is_begun_anew(void **state)
{
	(void)state;
	stalls(100, 1000);
	stalls(100, 2000);
	assert_is(SITUATION_STALLS, 1000);
	reading.value[READING_STALLS] = reading.value[READING_BALLOON_STALLS] = 0;
	stalls(0, 3000);
	assert_is(SITUATION_UNKNOWN, 2000);
	stalls(0, 4000);
	assert_is(SITUATION_NONE, 3000);
}

static void another_cause_is_another_situation(void **state)
{
	(void)state;
	stalls(0, 1000);
	stalls(60, 2000);
	assert_is(SITUATION_STALLS, 1000);
	reading.value[READING_STALLS] += 300;
	reading.value[READING_LIMIT_STALLS] += 300;
	readings_add(&readings, &reading, 3000);
	assert_is(SITUATION_STALLS, 2000);
	assert_int_equal(readings.situation.cause, STALL_LIMIT);
}

#define TEST(name) cmocka_unit_test_setup(name, set_up)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(one_reading_says_nothing),
		TEST(a_burst_is_told_for_ten_seconds),
		TEST(after_a_long_silence_the_last_reading_counts),
		TEST(readings_within_a_second_take_one_place),
		TEST(an_hour_of_readings_fits),
		TEST(a_guest_that_was_reset_is_begun_anew),
		TEST(another_cause_is_another_situation),
	};

	return cmocka_run_group_tests_name("readings", tests, NULL, NULL);
}
