/* SPDX-License-Identifier: BSD-2-Clause */
/* Which frames the host has: whole ranges or nothing, beside a model that has a bool for each. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/hypervisor/host_frames.h"
#include "tests/hypervisor/personality.h"

#define LIMIT 1000
#define HOLE 700 /* to HOLE_END: no RAM */
#define HOLE_END 710

static uint64_t bitmap[(LIMIT + 63) / 64];
static bool shown[LIMIT];

bool machine_is_ram(uint64_t first, uint64_t count)
{
	return first + count <= LIMIT && (first >= HOLE_END || first + count <= HOLE);
}

void machine_show(uint64_t first, uint64_t count, bool present)
{
	for (uint64_t pfn = first; pfn < first + count; pfn++) {
		assert_true(shown[pfn] != present);
		shown[pfn] = present;
	}
}

static int setup(void **state)
{
	(void)state;
	assert_true(host_frames_size(LIMIT) <= sizeof(bitmap));
	memset(bitmap, 0xff, sizeof(bitmap));
	memset(shown, true, sizeof(shown));
	host_frames_init(bitmap, LIMIT);
	return 0;
}

static void bitmap_has_a_bit_for_each_frame_in_whole_words(void **state)
{
	(void)state;
	assert_int_equal(host_frames_size(0), 0);
	assert_int_equal(host_frames_size(1), 8);
	assert_int_equal(host_frames_size(64), 8);
	assert_int_equal(host_frames_size(65), 16);
}

static void host_has_nothing_at_first(void **state)
{
	uint64_t first;

	(void)state;
	assert_int_equal(host_frames_count(), 0);
	assert_false(host_frames_has(0));
	assert_int_equal(host_frames_find(0, LIMIT, &first), 0);
}

static void range_is_taken_and_given_back_as_a_whole(void **state)
{
	(void)state;
	assert_int_equal(host_frames_take(60, 200), HOST_FRAMES_OK);
	assert_int_equal(host_frames_count(), 200);
	assert_false(host_frames_has(59));
	assert_true(host_frames_has(60));
	assert_true(host_frames_has(259));
	assert_false(host_frames_has(260));
	assert_false(shown[60]);
	assert_true(shown[260]);
	assert_int_equal(host_frames_return(60, 200), HOST_FRAMES_OK);
	assert_int_equal(host_frames_count(), 0);
	assert_true(shown[60]);
}

static void overlapping_ranges_change_nothing(void **state)
{
	(void)state;
	assert_int_equal(host_frames_take(128, 64), HOST_FRAMES_OK);
	assert_int_equal(host_frames_take(191, 2), HOST_FRAMES_HAS);
	assert_int_equal(host_frames_take(127, 2), HOST_FRAMES_HAS);
	assert_int_equal(host_frames_take(0, 500), HOST_FRAMES_HAS);
	assert_int_equal(host_frames_return(127, 2), HOST_FRAMES_HAS_NOT);
	assert_int_equal(host_frames_return(191, 2), HOST_FRAMES_HAS_NOT);
	assert_int_equal(host_frames_return(128, 65), HOST_FRAMES_HAS_NOT);
	assert_int_equal(host_frames_count(), 64);
	assert_true(shown[127]);
	assert_true(shown[192]);
}

static void what_is_no_ram_does_not_change_hands(void **state)
{
	(void)state;
	assert_int_equal(host_frames_take(LIMIT, 1), HOST_FRAMES_NO_RAM);
	assert_int_equal(host_frames_take(LIMIT - 1, 2), HOST_FRAMES_NO_RAM);
	assert_int_equal(host_frames_take(UINT64_MAX, 2), HOST_FRAMES_NO_RAM);
	assert_int_equal(host_frames_take(1, UINT64_MAX), HOST_FRAMES_NO_RAM);
	assert_int_equal(host_frames_take(HOLE - 1, 2), HOST_FRAMES_NO_RAM);
	assert_int_equal(host_frames_return(HOLE, 1), HOST_FRAMES_NO_RAM);
	assert_false(host_frames_has(LIMIT));
	assert_false(host_frames_has(UINT64_MAX));
	assert_int_equal(host_frames_count(), 0);
}

static void all_comes_back_at_once(void **state)
{
	(void)state;
	assert_int_equal(host_frames_take(0, 1), HOST_FRAMES_OK);
	assert_int_equal(host_frames_take(63, 66), HOST_FRAMES_OK);
	assert_int_equal(host_frames_take(LIMIT - 1, 1), HOST_FRAMES_OK);
	host_frames_return_all();
	assert_int_equal(host_frames_count(), 0);
	for (uint64_t pfn = 0; pfn < LIMIT; pfn++)
		assert_true(shown[pfn] && !host_frames_has(pfn));
}

static void runs_are_found_in_order(void **state)
{
	uint64_t first = 0;

	(void)state;
	assert_int_equal(host_frames_take(10, 300), HOST_FRAMES_OK);
	assert_int_equal(host_frames_take(311, 1), HOST_FRAMES_OK);
	assert_int_equal(host_frames_take(LIMIT - 5, 5), HOST_FRAMES_OK);
	assert_int_equal(host_frames_find(0, LIMIT, &first), 300);
	assert_int_equal(first, 10);
	assert_int_equal(host_frames_find(0, 7, &first), 7);
	assert_int_equal(host_frames_find(309, LIMIT, &first), 1);
	assert_int_equal(first, 309);
	assert_int_equal(host_frames_find(310, LIMIT, &first), 1);
	assert_int_equal(first, 311);
	assert_int_equal(host_frames_find(312, LIMIT, &first), 5);
	assert_int_equal(first, LIMIT - 5);
	assert_int_equal(host_frames_find(LIMIT, LIMIT, &first), 0);
	assert_int_equal(host_frames_find(UINT64_MAX, LIMIT, &first), 0);
}

/* What a range is to the model: all, none, or some of it. */
static bool model_is(uint64_t first, uint64_t count, bool has)
{
	for (uint64_t pfn = first; pfn < first + count; pfn++)
		if (shown[pfn] == has)
			return false;
	return true;
}

static void random_ranges_are_as_in_the_model(void **state)
{
	uint64_t there = 0;

	(void)state;
	srand(7);
	for (unsigned i = 0; i < 20000; i++) {
		uint64_t first = (uint64_t)rand() % HOLE;
		uint64_t count = 1 + (uint64_t)rand() % (rand() % 2 ? 4 : HOLE - first);
		bool take = rand() % 2, can;

		if (count > HOLE - first)
			continue;
		can = model_is(first, count, !take);
		if (take)
			assert_int_equal(host_frames_take(first, count),
					 can ? HOST_FRAMES_OK : HOST_FRAMES_HAS);
		else
			assert_int_equal(host_frames_return(first, count),
					 can ? HOST_FRAMES_OK : HOST_FRAMES_HAS_NOT);
		if (can)
			there = take ? there + count : there - count;
		assert_int_equal(host_frames_count(), there);
	}
	for (uint64_t pfn = 0; pfn < LIMIT; pfn++)
		assert_int_equal(host_frames_has(pfn), !shown[pfn]);
}

#define CASE(name) cmocka_unit_test_setup(name, setup)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(bitmap_has_a_bit_for_each_frame_in_whole_words),
		CASE(host_has_nothing_at_first),
		CASE(range_is_taken_and_given_back_as_a_whole),
		CASE(overlapping_ranges_change_nothing),
		CASE(what_is_no_ram_does_not_change_hands),
		CASE(all_comes_back_at_once),
		CASE(runs_are_found_in_order),
		CASE(random_ranges_are_as_in_the_model),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
