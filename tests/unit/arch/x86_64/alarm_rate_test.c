/* SPDX-License-Identifier: BSD-2-Clause */
/* Tests of arch/x86_64/alarm_rate.c: alarms, and what early ones teach. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "arch/x86_64/alarm_rate.h"
#include "arch/x86_64/tsc_rate.h"
#include "kernel/lib/types.h"

#define APIC_HZ UINT64_C(62500000)

static struct alarm_rate rate;

static int set_up(void **state)
{
	(void)state;
	alarm_rate_set(&rate, APIC_HZ);
	return 0;
}

/* Never fewer: it would ring too early. */
static void a_time_is_rounded_up(void **state)
{
	static const uint64_t rates[] = { TSC_HZ_MIN, APIC_HZ, UINT64_C(2595123456), TSC_HZ_MAX };
	static const uint64_t times[] = { 1, 999, NS_PER_MS, NS_PER_S, 60 * NS_PER_S };

	(void)state;
	for (size_t r = 0; r < ARRAY_SIZE(rates); r++) {
		alarm_rate_set(&rate, rates[r]);
		for (size_t t = 0; t < ARRAY_SIZE(times); t++) {
			uint64_t exact = (uint64_t)((unsigned __int128)times[t] * rates[r] /
						    NS_PER_S);

			/* And by no more than a count and, below 1 GHz, some parts in a million. */
			assert_in_range(alarm_rate_counts(&rate, times[t]), exact + 1,
					exact + 2 + exact / 10000);
		}
	}
}

static void no_time_is_one_count(void **state)
{
	(void)state;
	assert_int_equal(alarm_rate_counts(&rate, 0), 1);
}

static void the_longest_time_fits(void **state)
{
	uint64_t ns = alarm_rate_longest(&rate, UINT32_MAX - 1);

	(void)state;
	assert_in_range(ns, 68 * NS_PER_S, 69 * NS_PER_S);
	assert_true(alarm_rate_counts(&rate, ns) <= UINT32_MAX);
	assert_true(alarm_rate_longest(&rate, UINT64_MAX) > ns);
}

/* A timer that is 0.5 % faster than it was said to be; the clock tells how long it slept. */
static void early_rings_become_rare(void **state)
{
	unsigned early = 0;

	(void)state;
	for (unsigned i = 0; i < 50; i++) {
		uint64_t counts = alarm_rate_counts(&rate, NS_PER_S);
		uint64_t slept = counts * 1000 / (APIC_HZ / 1000 * 1005 / 1000) * 1000;

		early += slept < NS_PER_S;
		alarm_rate_learn(&rate, NS_PER_S, slept);
	}
	assert_in_range(early, 1, 3);
	/* And it is not late by more than a part in ten thousand. */
	assert_true(alarm_rate_counts(&rate, NS_PER_S) < APIC_HZ * 10051 / 10000);
}

static void what_rings_in_time_or_late_teaches_nothing(void **state)
{
	struct alarm_rate before = rate;

	(void)state;
	alarm_rate_learn(&rate, NS_PER_S, NS_PER_S);
	alarm_rate_learn(&rate, NS_PER_S, 3600 * NS_PER_S);
	alarm_rate_learn(&rate, 0, 0);
	assert_memory_equal(&rate, &before, sizeof(rate));
}

/* loadvm: the clock went back while the timer ran. */
static void a_clock_that_jumped_teaches_nothing(void **state)
{
	struct alarm_rate before = rate;

	(void)state;
	alarm_rate_learn(&rate, NS_PER_S, 0);
	alarm_rate_learn(&rate, NS_PER_S, NS_PER_S / 2);
	alarm_rate_learn(&rate, NS_PER_S, NS_PER_S - NS_PER_S / 50);
	assert_memory_equal(&rate, &before, sizeof(rate));
}

static void small_jumps_do_not_add_up(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 1000; i++)
		alarm_rate_learn(&rate, NS_PER_S, NS_PER_S - NS_PER_S / 100);
	assert_in_range(alarm_rate_counts(&rate, NS_PER_S), APIC_HZ + APIC_HZ / 17,
			APIC_HZ + APIC_HZ / 15);
}

#define TEST(name) cmocka_unit_test_setup(name, set_up)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_time_is_rounded_up),
		TEST(no_time_is_one_count),
		TEST(the_longest_time_fits),
		TEST(early_rings_become_rare),
		TEST(what_rings_in_time_or_late_teaches_nothing),
		TEST(a_clock_that_jumped_teaches_nothing),
		TEST(small_jumps_do_not_add_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
