/* SPDX-License-Identifier: BSD-2-Clause */
/* Tests of kernel/lib/elapsed.c: what a stop, and a counter that goes back, count for. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "kernel/lib/elapsed.h"

#define STEP UINT64_C(20)
#define DAYS UINT64_C(1000000000000000)

static void check(const struct elapsed *elapsed, uint64_t ns, uint64_t awake_ns)
{
	assert_int_equal(elapsed->ns, ns);
	assert_int_equal(elapsed->awake_ns, awake_ns);
}

static void both_begin_at_nought_wherever_the_counter_is(void **state)
{
	struct elapsed elapsed;

	(void)state;
	elapsed_begin(&elapsed, 12345);
	check(&elapsed, 0, 0);
	elapsed_look(&elapsed, 12345, STEP);
	check(&elapsed, 0, 0);
}

static void frequent_looks_count_all(void **state)
{
	struct elapsed elapsed;

	(void)state;
	elapsed_begin(&elapsed, 0);
	for (uint64_t at = 1; at <= 1000; at++)
		elapsed_look(&elapsed, at, STEP);
	check(&elapsed, 1000, 1000);
	elapsed_look(&elapsed, 1000 + STEP, STEP);
	check(&elapsed, 1000 + STEP, 1000 + STEP);
}

static void a_stop_counts_a_step_however_long_it_was(void **state)
{
	static const uint64_t stops[] = { STEP + 1, 2100, DAYS, INT64_MAX };

	(void)state;
	for (size_t i = 0; i < sizeof(stops) / sizeof(stops[0]); i++) {
		struct elapsed elapsed;

		elapsed_begin(&elapsed, 7);
		elapsed_look(&elapsed, 7 + stops[i], STEP);
		check(&elapsed, stops[i], STEP);
		/* And the next look has nothing to make up for. */
		elapsed_look(&elapsed, 7 + stops[i] + 1, STEP);
		check(&elapsed, stops[i] + 1, STEP + 1);
	}
}

static void a_counter_that_stands_still_counts_nothing(void **state)
{
	struct elapsed elapsed;

	(void)state;
	elapsed_begin(&elapsed, 5);
	elapsed_look(&elapsed, 15, STEP);
	for (int i = 0; i < 100; i++)
		elapsed_look(&elapsed, 15, STEP);
	check(&elapsed, 10, 10);
}

static void a_counter_that_goes_back_counts_nothing_and_goes_on_from_there(void **state)
{
	struct elapsed elapsed;

	(void)state;
	elapsed_begin(&elapsed, DAYS);
	elapsed_look(&elapsed, DAYS + 10, STEP);
	elapsed_look(&elapsed, DAYS + 9, STEP);
	check(&elapsed, 10, 10);
	elapsed_look(&elapsed, 3, STEP);
	check(&elapsed, 10, 10);
	elapsed_look(&elapsed, 8, STEP);
	check(&elapsed, 15, 15);
}

static void a_counter_may_pass_its_end(void **state)
{
	struct elapsed elapsed;

	(void)state;
	elapsed_begin(&elapsed, UINT64_MAX - 3);
	elapsed_look(&elapsed, 6, STEP);
	check(&elapsed, 10, 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_begin_at_nought_wherever_the_counter_is),
		cmocka_unit_test(frequent_looks_count_all),
		cmocka_unit_test(a_stop_counts_a_step_however_long_it_was),
		cmocka_unit_test(a_counter_that_stands_still_counts_nothing),
		cmocka_unit_test(a_counter_that_goes_back_counts_nothing_and_goes_on_from_there),
		cmocka_unit_test(a_counter_may_pass_its_end),
	};

	return cmocka_run_group_tests_name("elapsed", tests, NULL, NULL);
}
