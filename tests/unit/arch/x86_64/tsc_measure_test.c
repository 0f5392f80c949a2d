/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Tests of arch/x86_64/tsc_measure.c, on a machine of 3 GHz whose reads take a while, and
 * whose host now and then does something else.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "arch/x86_64/tsc.h"
#include "arch/x86_64/tsc_measure.h"

#define TSC_HZ UINT64_C(3000000000)
#define READ_TSC 3000 /* a microsecond */
#define COUNTER_HZ UINT64_C(1193182)

static uint64_t tsc;
static uint64_t tsc_step;   /* by which a read of the TSC itself moves on */
static uint64_t begun;	    /* at which the counter was begun */
static uint64_t counter_hz; /* 0: it stands still */
static uint32_t counter_mask;
static unsigned begins, reads;
static unsigned stop_at_read; /* the host stops the guest there, for stop_tsc */
static uint64_t stop_tsc;
static unsigned wraps; /* for so many more windows the counter says that it wrapped */

uint64_t tsc_read(void)
{
	return tsc += tsc_step;
}

static uint32_t read_counter(void)
{
	uint64_t counts;

	tsc += READ_TSC;
	if (++reads == stop_at_read)
		tsc += stop_tsc;
	counts = (unsigned long long)((unsigned __int128)(tsc - begun) * counter_hz / TSC_HZ);
	return (uint32_t)counts & counter_mask;
}

static void begin_counter(void)
{
	begins++;
	begun = tsc;
}

static bool has_wrapped(void)
{
	if (wraps == 0)
		return false;
	wraps--;
	return true;
}

static struct tsc_counter counter;

static int set_up(void **state)
{
	(void)state;
	tsc = UINT64_C(1) << 40;
	tsc_step = 20;
	begun = 0;
	counter_hz = COUNTER_HZ;
	counter_mask = UINT16_MAX;
	begins = reads = stop_at_read = wraps = 0;
	counter = (struct tsc_counter){
		.name = "a counter",
		.hz = COUNTER_HZ,
		.mask = UINT16_MAX,
		.begin = begin_counter,
		.read = read_counter,
		.has_wrapped = has_wrapped,
	};
	return 0;
}

/* Within half a percent: a count is 0.1 % of the window, at its begin and its end. */
static void assert_rate(uint64_t hz, uint64_t expect)
{
	assert_in_range(hz, expect - expect / 200, expect + expect / 200);
}

static void a_millisecond_gives_the_rate(void **state)
{
	uint64_t start = tsc;

	(void)state;
	assert_rate(tsc_measure(&counter), TSC_HZ);
	assert_in_range(tsc - start, TSC_HZ / 1000, TSC_HZ / 900);
	assert_int_equal(begins, 1);
}

/* One that nobody begins is read where it is, and may wrap in between. */
static void a_counter_that_wraps_on_the_way_gives_the_rate(void **state)
{
	(void)state;
	counter.begin = NULL;
	counter.has_wrapped = NULL;
	for (unsigned i = 0; i < 64; i++) {
		tsc = i * (UINT64_C(65536) * TSC_HZ / COUNTER_HZ) - TSC_HZ / 3000 +
		      (i == 0) * TSC_HZ;
		assert_rate(tsc_measure(&counter), TSC_HZ);
	}
}

/* The guest stands still between the reads of the two, wherever that is. */
static void a_short_stop_changes_nothing(void **state)
{
	uint64_t hz;

	(void)state;
	tsc_measure(&counter);
	for (unsigned at = reads; at > 0; at--) {
		set_up(NULL);
		stop_at_read = at;
		stop_tsc = TSC_HZ / 50;
		hz = tsc_measure(&counter);
		assert_rate(hz, TSC_HZ);
	}
}

static void a_window_in_which_it_wrapped_is_measured_anew(void **state)
{
	(void)state;
	wraps = 3;
	assert_rate(tsc_measure(&counter), TSC_HZ);
	assert_int_equal(begins, 4);
}

static void one_that_wraps_each_time_is_given_up(void **state)
{
	(void)state;
	wraps = 1000;
	assert_int_equal(tsc_measure(&counter), 0);
	assert_in_range(begins, 2, 100);
}

/* Longer than a counter of 24 bits lasts. */
static void a_window_of_seconds_is_measured_anew(void **state)
{
	(void)state;
	counter.has_wrapped = NULL;
	stop_at_read = 100;
	stop_tsc = 5 * TSC_HZ;
	assert_rate(tsc_measure(&counter), TSC_HZ);
	assert_int_equal(begins, 2);
}

static void one_that_stands_still_is_none(void **state)
{
	uint64_t start = tsc;

	(void)state;
	counter_hz = 0;
	assert_int_equal(tsc_measure(&counter), 0);
	assert_int_equal(tsc_measure_counter(&counter, TSC_HZ), 0);
	/* And does not hold up the start. */
	assert_true(tsc - start < TSC_HZ / 10);
}

static uint32_t count_alone(void)
{
	return ++reads;
}

static void a_tsc_that_stands_still_has_no_rate(void **state)
{
	(void)state;
	tsc_step = 0;
	counter.read = count_alone;
	assert_int_equal(tsc_measure(&counter), 0);
}

/* They are not what they say they are. */
static void a_counter_at_another_rate_than_it_says_is_none(void **state)
{
	uint64_t start = tsc;

	(void)state;
	counter.has_wrapped = NULL;
	counter.mask = counter_mask = UINT32_MAX;
	counter.hz = 3000;
	counter_hz = UINT64_C(20000000000);
	assert_int_equal(tsc_measure(&counter), 0);
	counter.hz = 4000000000;
	counter_hz = COUNTER_HZ;
	assert_int_equal(tsc_measure(&counter), 0);
	assert_true(tsc - start < 4 * TSC_HZ);
}

static void a_counter_is_measured_against_the_tsc(void **state)
{
	uint64_t start = tsc;

	(void)state;
	counter_hz = 62500000;
	counter.hz = 0;
	counter.mask = counter_mask = UINT32_MAX;
	counter.has_wrapped = NULL;
	assert_rate(tsc_measure_counter(&counter, TSC_HZ), counter_hz);
	assert_in_range(tsc - start, TSC_HZ / 8000, TSC_HZ / 7000);
}

#define TEST(name) cmocka_unit_test_setup(name, set_up)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_millisecond_gives_the_rate),
		TEST(a_counter_that_wraps_on_the_way_gives_the_rate),
		TEST(a_short_stop_changes_nothing),
		TEST(a_window_in_which_it_wrapped_is_measured_anew),
		TEST(one_that_wraps_each_time_is_given_up),
		TEST(a_window_of_seconds_is_measured_anew),
		TEST(one_that_stands_still_is_none),
		TEST(a_tsc_that_stands_still_has_no_rate),
		TEST(a_counter_at_another_rate_than_it_says_is_none),
		TEST(a_counter_is_measured_against_the_tsc),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
