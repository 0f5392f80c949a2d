/* SPDX-License-Identifier: BSD-2-Clause */
/* kernel/stress_page.c: what pages hold, and which is next. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "kernel/stress_page.h"

static uint8_t page[FRAME_SIZE] __attribute__((aligned(8)));

static void a_page_is_right_as_it_was_written_and_touched(void **state)
{
	(void)state;
	memset(page, 0xa5, sizeof(page));
	stress_page_fill(page, 7, 3);
	assert_true(stress_page_is_right(page, 7, 3));
	for (unsigned i = 0; i < 1000; i++)
		stress_page_touch(page);
	assert_true(stress_page_is_right(page, 7, 3));
	/* Zeros that have been named are the same page. */
	memset(page, 0, sizeof(page));
	stress_page_name(page, 7, 3);
	assert_true(stress_page_is_right(page, 7, 3));
}

static void another_page_or_seed_is_wrong(void **state)
{
	(void)state;
	stress_page_fill(page, 7, 3);
	assert_false(stress_page_is_right(page, 7, 4));
	assert_false(stress_page_is_right(page, 8, 3));
	assert_false(stress_page_is_right(page, 3, 7));
	memset(page, 0, sizeof(page));
	assert_false(stress_page_is_right(page, 7, 3));
}

static void any_bit_that_is_not_as_it_was_is_found(void **state)
{
	(void)state;
	stress_page_fill(page, 1, 1);
	stress_page_touch(page);
	for (size_t bit = 0; bit < 8 * sizeof(page); bit++) {
		page[bit / 8] ^= (uint8_t)(1 << bit % 8);
		assert_false(stress_page_is_right(page, 1, 1));
		page[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	assert_true(stress_page_is_right(page, 1, 1));
}

static void random_numbers_repeat_with_their_seed_and_are_each_as_likely(void **state)
{
	unsigned count[10] = { 0 };
	uint64_t one = 5, other = 5;

	(void)state;
	for (unsigned i = 0; i < 10000; i++) {
		uint64_t number = stress_random(&one, 10);

		assert_true(number < 10);
		assert_int_equal(number, stress_random(&other, 10));
		count[number]++;
	}
	for (unsigned i = 0; i < 10; i++)
		assert_in_range(count[i], 850, 1150);
}

/* Whatever the number of pages has in common with anything. */
static void zipf_reaches_every_page(void **state)
{
	static const uint64_t sizes[] = { 1, 2, 3, 6, 9, 64, 96, 100, 300 };

	(void)state;
	for (size_t s = 0; s < ARRAY_SIZE(sizes); s++) {
		uint64_t n = sizes[s], random = 3, seen = 0;
		bool reached[300] = { false };

		for (unsigned i = 0; i < 100000; i++) {
			uint64_t number = stress_zipf(&random, n);

			assert_true(number < n);
			seen += !reached[number];
			reached[number] = true;
		}
		assert_int_equal(seen, n);
	}
}

static void zipf_prefers_few_pages(void **state)
{
	static unsigned count[1000];
	unsigned best = 0;
	uint64_t random = 1;

	(void)state;
	memset(count, 0, sizeof(count));
	for (unsigned i = 0; i < 100000; i++)
		count[stress_zipf(&random, 1000)]++;
	for (unsigned i = 0; i < 1000; i++)
		best = count[i] > best ? count[i] : best;
	/* Of rank 1: a tenth of all, as there are ten octaves. */
	assert_in_range(best, 9000, 11500);
	assert_int_equal(count[0], best);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_page_is_right_as_it_was_written_and_touched),
		cmocka_unit_test(another_page_or_seed_is_wrong),
		cmocka_unit_test(any_bit_that_is_not_as_it_was_is_found),
		cmocka_unit_test(random_numbers_repeat_with_their_seed_and_are_each_as_likely),
		cmocka_unit_test(zipf_reaches_every_page),
		cmocka_unit_test(zipf_prefers_few_pages),
	};

	return cmocka_run_group_tests_name("stress_page", tests, NULL, NULL);
}
