/* SPDX-License-Identifier: BSD-2-Clause */
/* mm/frame_spans.c: how blocks are numbered, over maps that the tests make up. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>

#include "mm/frame_spans.h"

#define B BLOCK_FRAMES

static struct frame_spans spans;

static size_t make(const struct mem_range *ranges, size_t count)
{
	struct memmap map = { .count = count };

	for (size_t i = 0; i < count; i++)
		map.range[i] = ranges[i];
	return frame_spans_make(&map, &spans);
}

static void assert_span(size_t i, pfn_t start, size_t first, size_t blocks)
{
	assert_true(i < spans.count);
	assert_int_equal(spans.span[i].start, start);
	assert_int_equal(spans.span[i].first, first);
	assert_int_equal(spans.span[i].blocks, blocks);
}

static void a_map_of_nothing_has_no_blocks(void **state)
{
	unsigned frame;
	size_t number;

	(void)state;
	assert_int_equal(make(NULL, 0), 0);
	assert_int_equal(spans.count, 0);
	assert_false(frame_spans_find(&spans, 0, &number));
	assert_int_equal(frame_spans_below(&spans, PFN_NONE), 0);
	assert_int_equal(frame_spans_from(&spans, 0, &frame), 0);
}

static void partial_blocks_have_numbers_too(void **state)
{
	const struct mem_range range = { 3 * B + 100, 5 * B + 1 };

	(void)state;
	assert_int_equal(make(&range, 1), 3);
	assert_int_equal(spans.count, 1);
	assert_span(0, 3 * B, 0, 3);
}

static void ranges_that_share_a_block_are_one_span(void **state)
{
	const struct mem_range shared[] = { { 0, B / 2 }, { B / 2 + 1, 2 * B } };
	const struct mem_range touching[] = { { 0, B - 1 }, { B, 2 * B } };
	const struct mem_range within[] = { { 1, 2 }, { 3, 4 }, { 5, 6 } };

	(void)state;
	assert_int_equal(make(shared, 2), 2);
	assert_int_equal(spans.count, 1);
	assert_int_equal(make(touching, 2), 2);
	assert_int_equal(spans.count, 1);
	assert_int_equal(make(within, 3), 1);
	assert_int_equal(spans.count, 1);
	assert_span(0, 0, 0, 1);
}

/* Blocks 2, 3 and 10 to 12: numbers 0, 1 and 2 to 4. */
static void start_two_spans(void)
{
	const struct mem_range ranges[] = { { 2 * B + 7, 4 * B }, { 10 * B, 13 * B - 9 } };

	assert_int_equal(make(ranges, 2), 5);
	assert_int_equal(spans.count, 2);
	assert_span(0, 2 * B, 0, 2);
	assert_span(1, 10 * B, 2, 3);
}

static void numbers_and_addresses_are_each_others_inverse(void **state)
{
	(void)state;
	start_two_spans();
	for (size_t number = 0; number < 5; number++) {
		pfn_t pfn = frame_spans_pfn(&spans, number);
		size_t found = 99;

		assert_int_equal(pfn / B, number < 2 ? 2 + number : 8 + number);
		assert_true(frame_spans_find(&spans, pfn, &found));
		assert_int_equal(found, number);
		assert_true(frame_spans_find(&spans, pfn + B - 1, &found));
		assert_int_equal(found, number);
	}
}

static void outside_the_spans_nothing_is_found(void **state)
{
	static const pfn_t outside[] = { 0, 2 * B - 1, 4 * B, 10 * B - 1, 13 * B, PFN_NONE };
	size_t number = 99;

	(void)state;
	start_two_spans();
	for (size_t i = 0; i < ARRAY_SIZE(outside); i++)
		assert_false(frame_spans_find(&spans, outside[i], &number));
	assert_int_equal(number, 99);
}

static void blocks_below_a_limit_end_there_or_before(void **state)
{
	static const struct {
		pfn_t limit;
		size_t blocks;
	} cases[] = {
		{ 0, 0 },      { 3 * B - 1, 0 },  { 3 * B, 1 },	 { 4 * B, 2 },	  { 10 * B, 2 },
		{ 11 * B, 3 }, { 13 * B - 1, 4 }, { 13 * B, 5 }, { PFN_NONE, 5 },
	};

	(void)state;
	start_two_spans();
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_int_equal(frame_spans_below(&spans, cases[i].limit), cases[i].blocks);
}

static void a_walk_begins_within_a_block_or_after_a_hole(void **state)
{
	unsigned frame;

	(void)state;
	start_two_spans();
	assert_int_equal(frame_spans_from(&spans, 0, &frame), 0);
	assert_int_equal(frame, 0);
	assert_int_equal(frame_spans_from(&spans, 3 * B + 5, &frame), 1);
	assert_int_equal(frame, 5);
	assert_int_equal(frame_spans_from(&spans, 4 * B + 5, &frame), 2);
	assert_int_equal(frame, 0);
	assert_int_equal(frame_spans_from(&spans, 12 * B + 1, &frame), 4);
	assert_int_equal(frame, 1);
	assert_int_equal(frame_spans_from(&spans, 13 * B, &frame), 5);
	assert_int_equal(frame, 0);
}

static void whole_blocks_begin_at_a_frame_or_above_it(void **state)
{
	(void)state;
	start_two_spans();
	assert_int_equal(frame_spans_above(&spans, 0), 0);
	assert_int_equal(frame_spans_above(&spans, 3 * B), 1);
	assert_int_equal(frame_spans_above(&spans, 3 * B + 1), 2);
	assert_int_equal(frame_spans_above(&spans, 12 * B), 4);
	assert_int_equal(frame_spans_above(&spans, 12 * B + 1), 5);
	assert_int_equal(frame_spans_above(&spans, PFN_NONE), 5);
}

static void as_many_spans_as_ranges_fit(void **state)
{
	struct mem_range ranges[MEM_RANGES_MAX];

	(void)state;
	for (size_t i = 0; i < MEM_RANGES_MAX; i++)
		ranges[i] = (struct mem_range){ i * 2 * B, i * 2 * B + 1 };
	assert_int_equal(make(ranges, MEM_RANGES_MAX), MEM_RANGES_MAX);
	assert_int_equal(spans.count, MEM_RANGES_MAX);
	assert_span(MEM_RANGES_MAX - 1, (MEM_RANGES_MAX - 1) * 2 * B, MEM_RANGES_MAX - 1, 1);
}

static void blocks_that_are_appended_are_a_span_of_their_own(void **state)
{
	size_t number;

	(void)state;
	start_two_spans();
	assert_int_equal(frame_spans_append(&spans, 13 * B, 4), 0);
	assert_int_equal(spans.count, 3);
	assert_span(2, 13 * B, 5, 4);
	assert_true(frame_spans_find(&spans, 14 * B + 1, &number));
	assert_int_equal(number, 6);
	assert_int_equal(frame_spans_pfn(&spans, 8), 16 * B);
	assert_int_equal(frame_spans_below(&spans, 13 * B), 5);
	assert_int_equal(frame_spans_below(&spans, PFN_NONE), 9);
	/* To the last frame that there can be. */
	assert_int_equal(frame_spans_append(&spans, ((pfn_t)1 << 52) - 3 * B, 3), -EINVAL);
	assert_int_equal(frame_spans_append(&spans, ((pfn_t)1 << 52) - 4 * B, 3), 0);
}

static void what_does_not_lie_above_is_not_appended(void **state)
{
	const struct frame_spans none = { 0 };
	struct frame_spans before;

	(void)state;
	start_two_spans();
	before = spans;
	assert_int_equal(frame_spans_append(&spans, 13 * B, 0), -EINVAL);
	assert_int_equal(frame_spans_append(&spans, 13 * B + 1, 1), -EINVAL);
	assert_int_equal(frame_spans_append(&spans, 12 * B, 1), -EINVAL);
	assert_int_equal(frame_spans_append(&spans, 5 * B, 1), -EINVAL);
	assert_int_equal(frame_spans_append(&spans, 0, 1), -EINVAL);
	assert_int_equal(frame_spans_append(&spans, 13 * B, SIZE_MAX / B), -EINVAL);
	assert_memory_equal(&spans, &before, sizeof(spans));
	for (size_t i = spans.count; i < FRAME_SPANS_MAX; i++)
		assert_int_equal(frame_spans_append(&spans, (20 + i) * B, 1), 0);
	assert_int_equal(frame_spans_append(&spans, 1000 * B, 1), -ENOSPC);
	spans = none;
	assert_int_equal(frame_spans_append(&spans, 3 * B, 2), 0);
	assert_span(0, 3 * B, 0, 2);
}

static void what_is_left_of_a_span_ends_with_it(void **state)
{
	(void)state;
	start_two_spans();
	assert_int_equal(frame_spans_left(&spans, 0), 2);
	assert_int_equal(frame_spans_left(&spans, 1), 1);
	assert_int_equal(frame_spans_left(&spans, 2), 3);
	assert_int_equal(frame_spans_left(&spans, 4), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_map_of_nothing_has_no_blocks),
		cmocka_unit_test(partial_blocks_have_numbers_too),
		cmocka_unit_test(ranges_that_share_a_block_are_one_span),
		cmocka_unit_test(numbers_and_addresses_are_each_others_inverse),
		cmocka_unit_test(outside_the_spans_nothing_is_found),
		cmocka_unit_test(blocks_below_a_limit_end_there_or_before),
		cmocka_unit_test(a_walk_begins_within_a_block_or_after_a_hole),
		cmocka_unit_test(whole_blocks_begin_at_a_frame_or_above_it),
		cmocka_unit_test(as_many_spans_as_ranges_fit),
		cmocka_unit_test(blocks_that_are_appended_are_a_span_of_their_own),
		cmocka_unit_test(what_does_not_lie_above_is_not_appended),
		cmocka_unit_test(what_is_left_of_a_span_ends_with_it),
	};

	return cmocka_run_group_tests_name("frame_spans", tests, NULL, NULL);
}
