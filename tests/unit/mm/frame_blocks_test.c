/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mm/frame.c: contiguous whole blocks, which of them a host was told of, what
 * an owner has, and the hooks on a free and on a failure.
 */
#include "tests/unit/mm/frame_fixture.h"

#include <errno.h>

#include "mm/ledger.h"
#include "mm/vm_events.h"

/* Eight blocks, and after a hole of one block four more. */
#define FIRST ((pfn_t)0x100000)
#define SECOND (FIRST + 9 * BLOCK_FRAMES)
#define BLOCKS 12

static int set_up(void **state)
{
	const struct mem_range ranges[] = {
		{ FIRST, FIRST + 8 * BLOCK_FRAMES },
		{ SECOND, SECOND + 4 * BLOCK_FRAMES },
	};

	(void)state;
	fixture_start(ranges, 2);
	return 0;
}

static int tear_down(void **state)
{
	fixture_assert_books();
	return fixture_stop(state);
}

/* ---- Contiguous blocks ---- */

static void blocks_come_as_long_a_run_as_there_is(void **state)
{
	size_t blocks = 0;
	pfn_t pfn = 0;

	(void)state;
	fixture_reserve(FIRST + 3 * BLOCK_FRAMES, 1, OWNER_KERNEL);
	assert_int_equal(frame_alloc_blocks(100, PFN_NONE, OWNER_HELD, &pfn, &blocks), 0);
	assert_int_equal(pfn, FIRST);
	assert_int_equal(blocks, 3);
	fixture_assert_owner(FIRST, 3 * BLOCK_FRAMES, OWNER_HELD);
	assert_int_equal(frame_alloc_blocks(2, PFN_NONE, OWNER_HELD, &pfn, &blocks), 0);
	assert_int_equal(pfn, FIRST + 4 * BLOCK_FRAMES);
	assert_int_equal(blocks, 2);
}

static void a_run_of_blocks_does_not_cross_a_hole(void **state)
{
	size_t blocks = 0;
	pfn_t pfn = 0;

	(void)state;
	assert_int_equal(frame_alloc_blocks(100, PFN_NONE, OWNER_HELD, &pfn, &blocks), 0);
	assert_int_equal(blocks, 8);
	assert_int_equal(frame_alloc_blocks(100, PFN_NONE, OWNER_HELD, &pfn, &blocks), 0);
	assert_int_equal(pfn, SECOND);
	assert_int_equal(blocks, 4);
	assert_int_equal(frame_alloc_blocks(1, PFN_NONE, OWNER_HELD, &pfn, &blocks), -ENOMEM);
}

static void blocks_of_an_owner_are_counted_up_to_the_first_that_is_not_whole(void **state)
{
	(void)state;
	fixture_reserve(FIRST + BLOCK_FRAMES, 7 * BLOCK_FRAMES, OWNER_HELD);
	fixture_reserve(SECOND, 4 * BLOCK_FRAMES, OWNER_HELD);
	assert_int_equal(frame_count_blocks(FIRST, 100, OWNER_HELD), 0);
	assert_int_equal(frame_count_blocks(FIRST + BLOCK_FRAMES, 100, OWNER_KERNEL), 0);
	/* The hole ends it, and so does the end of memory. */
	assert_int_equal(frame_count_blocks(FIRST + BLOCK_FRAMES, 100, OWNER_HELD), 7);
	assert_int_equal(frame_count_blocks(SECOND + BLOCK_FRAMES, 100, OWNER_HELD), 3);
	assert_int_equal(frame_count_blocks(SECOND, 2, OWNER_HELD), 2);
	assert_int_equal(frame_count_blocks(SECOND + 1, 100, OWNER_HELD), 0);
	assert_int_equal(frame_count_blocks(FIRST + 8 * BLOCK_FRAMES, 100, OWNER_HELD), 0);
	assert_int_equal(frame_free(FIRST + 5 * BLOCK_FRAMES + 9, 1, OWNER_HELD), 0);
	assert_int_equal(frame_count_blocks(FIRST + BLOCK_FRAMES, 100, OWNER_HELD), 4);
	assert_int_equal(frame_count_blocks(FIRST + 5 * BLOCK_FRAMES, 100, OWNER_HELD), 0);
}

static void a_run_of_blocks_ends_at_the_limit(void **state)
{
	size_t blocks = 0;
	pfn_t pfn = 0;

	(void)state;
	assert_int_equal(frame_alloc_blocks(100, FIRST + 2 * BLOCK_FRAMES + 5, OWNER_HELD, &pfn,
					    &blocks),
			 0);
	assert_int_equal(blocks, 2);
	assert_int_equal(frame_alloc_blocks(1, FIRST + 3 * BLOCK_FRAMES - 1, OWNER_HELD, &pfn,
					    &blocks),
			 -ENOMEM);
}

/* ---- Reported blocks ---- */

/* Reports all there is; returns how many blocks that were. */
static size_t report_all(void)
{
	size_t blocks, sum = 0;
	pfn_t pfn;

	while (frame_alloc_unreported(3, OWNER_REPORTED, &pfn, &blocks) == 0) {
		assert_in_range(blocks, 1, 3);
		assert_int_equal(frame_free_told_blocks(pfn, blocks, OWNER_REPORTED), 0);
		sum += blocks;
	}
	assert_false(frame_has_unreported());
	return sum;
}

static void every_block_is_unreported_at_first_and_reported_once(void **state)
{
	(void)state;
	assert_true(frame_has_unreported());
	assert_int_equal(report_all(), BLOCKS);
	assert_int_equal(report_all(), 0);
	assert_int_equal(frame_free_blocks(), BLOCKS);
}

static void a_block_is_unreported_again_when_one_frame_of_it_was_used(void **state)
{
	uint64_t events;

	(void)state;
	report_all();
	events = frame_unreported_events();
	fixture_reserve(FIRST + BLOCK_FRAMES + 7, 1, OWNER_HEAP);
	assert_false(frame_has_unreported());
	fixture_free(FIRST + BLOCK_FRAMES + 7, 1, OWNER_HEAP);
	assert_int_equal(frame_unreported_events(), events + 1);
	assert_int_equal(report_all(), 1);
}

static void a_block_in_use_is_not_reported(void **state)
{
	(void)state;
	fixture_reserve(FIRST, 1, OWNER_HEAP);
	fixture_reserve(FIRST + BLOCK_FRAMES, BLOCK_FRAMES, OWNER_BALLOON);
	assert_int_equal(report_all(), BLOCKS - 2);
	fixture_assert_books();
}

static void a_block_that_left_and_came_back_otherwise_is_unreported(void **state)
{
	size_t blocks;
	pfn_t pfn;

	(void)state;
	report_all();
	assert_int_equal(frame_alloc_blocks(2, PFN_NONE, OWNER_BALLOON, &pfn, &blocks), 0);
	fixture_free(pfn, 2 * BLOCK_FRAMES, OWNER_BALLOON);
	assert_int_equal(report_all(), 2);
}

static void reported_blocks_of_the_wrong_owner_are_refused(void **state)
{
	size_t blocks;
	pfn_t pfn;

	(void)state;
	assert_int_equal(frame_alloc_unreported(2, OWNER_REPORTED, &pfn, &blocks), 0);
	assert_int_equal(frame_free_told_blocks(pfn, 2, OWNER_HELD), -EPERM);
	assert_int_equal(frame_free_told_blocks(pfn + 1, 1, OWNER_REPORTED), -EINVAL);
	assert_int_equal(frame_free_told_blocks(pfn, 2, OWNER_REPORTED), 0);
}

/* ---- What an owner has ---- */

static void frames_of_an_owner_are_freed_lowest_first(void **state)
{
	(void)state;
	fixture_reserve(FIRST + 3, 1, OWNER_LEAVING);
	fixture_reserve(FIRST + 700, 300, OWNER_LEAVING);
	fixture_reserve(SECOND, 5, OWNER_LEAVING);
	fixture_reserve(FIRST + 4, 1, OWNER_HELD);
	assert_int_equal(frame_free_owned(OWNER_LEAVING, 101), 101);
	assert_int_equal(frame_owner(FIRST + 3), OWNER_FREE);
	fixture_assert_owner(FIRST + 700, 100, OWNER_FREE);
	fixture_assert_owner(FIRST + 800, 200, OWNER_LEAVING);
	assert_int_equal(frame_free_owned(OWNER_LEAVING, UINT64_MAX), 205);
	assert_int_equal(ledger_count(OWNER_LEAVING), 0);
	assert_int_equal(frame_owner(FIRST + 4), OWNER_HELD);
	assert_int_equal(frame_free_owned(OWNER_LEAVING, 1), 0);
}

/* Single frames, whole blocks and single frames again: as many as asked for, the lowest first. */
static void owned_blocks_are_freed_as_such_and_no_frame_too_many(void **state)
{
	const pfn_t first = FIRST + BLOCK_FRAMES - 3, whole = FIRST + BLOCK_FRAMES;
	uint64_t before;

	(void)state;
	fixture_reserve(first, 3 + 3 * BLOCK_FRAMES + 5, OWNER_LEAVING);
	before = ledger_count(OWNER_FREE);
	assert_int_equal(frame_free_owned(OWNER_LEAVING, 3 + BLOCK_FRAMES), 3 + BLOCK_FRAMES);
	fixture_assert_owner(first, 3 + BLOCK_FRAMES, OWNER_FREE);
	assert_int_equal(frame_count_blocks(whole + BLOCK_FRAMES, 9, OWNER_LEAVING), 2);
	/* One frame less than two blocks. */
	assert_int_equal(frame_free_owned(OWNER_LEAVING, 2 * BLOCK_FRAMES - 1),
			 2 * BLOCK_FRAMES - 1);
	fixture_assert_owner(whole + 3 * BLOCK_FRAMES - 1, 6, OWNER_LEAVING);
	assert_int_equal(frame_free_owned(OWNER_LEAVING, UINT64_MAX), 6);
	assert_int_equal(ledger_count(OWNER_FREE), before + 3 + 3 * BLOCK_FRAMES + 5);
}

/* ---- Hooks ---- */

static pfn_t poisoned_pfn;
static size_t poisoned_count;
static unsigned failed_order;
static unsigned failures;

static void poison(pfn_t pfn, size_t count)
{
	poisoned_pfn = pfn;
	poisoned_count += count;
}

static void note_failure(unsigned order)
{
	failed_order = order;
	failures++;
}

static void the_poisoner_sees_what_is_freed_but_not_what_was_reported(void **state)
{
	size_t blocks;
	pfn_t pfn;

	(void)state;
	poisoned_count = 0;
	frame_set_poisoner(poison);
	fixture_reserve(FIRST + 5, 2, OWNER_HEAP);
	fixture_free(FIRST + 5, 2, OWNER_HEAP);
	assert_int_equal(poisoned_pfn, FIRST + 5);
	assert_int_equal(poisoned_count, 2);
	assert_int_equal(frame_alloc_unreported(1, OWNER_REPORTED, &pfn, &blocks), 0);
	assert_int_equal(frame_free_told_blocks(pfn, 1, OWNER_REPORTED), 0);
	assert_int_not_equal(frame_free(FIRST, 1, OWNER_HEAP), 0);
	assert_int_equal(poisoned_count, 2);
}

static void a_failure_is_told_once_and_counted(void **state)
{
	uint64_t stalls = vm_events.stalls;
	struct frame_events events;
	pfn_t pfn;

	(void)state;
	failures = 0;
	frame_set_failure_hook(note_failure);
	assert_int_equal(frame_alloc(BLOCK_ORDER, OWNER_HELD, &pfn), 0);
	assert_int_equal(failures, 0);
	assert_int_equal(frame_alloc(BLOCK_ORDER + 4, OWNER_HELD, &pfn), -ENOMEM);
	assert_int_equal(failures, 1);
	assert_int_equal(failed_order, BLOCK_ORDER + 4);
	frame_events(&events);
	assert_int_equal(events.block_allocs, 1);
	assert_int_equal(events.block_failures, 1);
	assert_int_equal(events.failures, 1);
	assert_int_equal(vm_events.stalls, stalls);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(blocks_come_as_long_a_run_as_there_is),
		TEST(a_run_of_blocks_does_not_cross_a_hole),
		TEST(blocks_of_an_owner_are_counted_up_to_the_first_that_is_not_whole),
		TEST(a_run_of_blocks_ends_at_the_limit),
		TEST(every_block_is_unreported_at_first_and_reported_once),
		TEST(a_block_is_unreported_again_when_one_frame_of_it_was_used),
		TEST(a_block_in_use_is_not_reported),
		TEST(a_block_that_left_and_came_back_otherwise_is_unreported),
		TEST(reported_blocks_of_the_wrong_owner_are_refused),
		TEST(frames_of_an_owner_are_freed_lowest_first),
		TEST(owned_blocks_are_freed_as_such_and_no_frame_too_many),
		TEST(the_poisoner_sees_what_is_freed_but_not_what_was_reported),
		TEST(a_failure_is_told_once_and_counted),
	};

	return cmocka_run_group_tests_name("frame_blocks", tests, NULL, NULL);
}
