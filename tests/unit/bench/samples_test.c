/* SPDX-License-Identifier: BSD-2-Clause */
/* tests/bench/samples.c: what every figure of the benchmarks goes through. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/bench/samples.h"

static void add_all(struct samples *s, const double *values, size_t count)
{
	for (size_t i = 0; i < count; i++)
		samples_add(s, values[i]);
}

static void nothing_has_no_median(void **state)
{
	struct samples s = { 0 };

	(void)state;
	assert_true(isnan(samples_median(&s)));
}

static void quantiles_do_not_depend_on_the_order(void **state)
{
	static const double values[] = { 5, 1, 4, 2, 3 };
	struct samples s = { 0 };

	(void)state;
	add_all(&s, values, 5);
	assert_true(samples_median(&s) == 3);
	assert_true(samples_quantile(&s, 0) == 1);
	assert_true(samples_quantile(&s, 1) == 5);
	samples_free(&s);
	assert_int_equal(s.count, 0);
}

static void of_two_middle_samples_the_smaller_is_the_median(void **state)
{
	static const double values[] = { 4, 3, 2, 1 };
	struct samples s = { 0 };

	(void)state;
	add_all(&s, values, 4);
	assert_true(samples_median(&s) == 2);
	samples_free(&s);
}

static void p99_of_a_thousand_leaves_ten_above(void **state)
{
	struct samples s = { 0 };

	(void)state;
	for (int i = 1000; i > 0; i--)
		samples_add(&s, i);
	assert_true(samples_quantile(&s, 0.99) == 990);
	samples_free(&s);
}

static void what_never_happened_is_later_than_all_that_did(void **state)
{
	static const double values[] = { INFINITY, 2, 1 };
	struct samples s = { 0 };

	(void)state;
	add_all(&s, values, 3);
	assert_true(samples_median(&s) == 2);
	assert_true(isinf(samples_quantile(&s, 1)));
	samples_free(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_has_no_median),
		cmocka_unit_test(quantiles_do_not_depend_on_the_order),
		cmocka_unit_test(of_two_middle_samples_the_smaller_is_the_median),
		cmocka_unit_test(p99_of_a_thousand_leaves_ten_above),
		cmocka_unit_test(what_never_happened_is_later_than_all_that_did),
	};

	return cmocka_run_group_tests_name("bench/samples", tests, NULL, NULL);
}
