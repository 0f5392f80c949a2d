/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Poison: what is filled at once, what later, and what never. The poisoner here
 * counts how often each frame was filled; memory has no contents.
 */
#include "tests/unit/mm/frame_fixture.h"

#include <string.h>

#include "mm/frame_fill.h"
#include "mm/frame_runs.h"
#include "mm/ledger.h"

#define FIRST ((pfn_t)1024)
#define BLOCKS 8
#define FRAMES (BLOCKS * BLOCK_FRAMES)

static unsigned times[FRAMES];
static size_t longest;
static unsigned woken;

static void fill(pfn_t pfn, size_t count)
{
	for (size_t i = 0; i < count; i++)
		times[pfn - FIRST + i]++;
	longest = count > longest ? count : longest;
}

static void wake(void)
{
	woken++;
}

static int set_up(void **state)
{
	(void)state;
	fixture_start_one(FIRST, FIRST + FRAMES);
	memset(times, 0, sizeof(times));
	longest = 0;
	woken = 0;
	frame_set_poisoner(fill);
	frame_set_unfilled_hook(wake);
	return 0;
}

static int tear_down(void **state)
{
	fixture_assert_books();
	return fixture_stop(state);
}

static uint64_t sum(void)
{
	uint64_t n = 0;

	for (size_t i = 0; i < FRAMES; i++)
		n += times[i];
	return n;
}

static void assert_filled(pfn_t pfn, size_t count, unsigned wanted)
{
	for (size_t i = 0; i < count; i++)
		assert_int_equal(times[pfn - FIRST + i], wanted);
}

static void fill_all(void)
{
	while (frame_fill_step())
		fixture_assert_books();
}

/* A block, whichever it is, in as many steps as it has words in a bitmap. */
static void fill_block(void)
{
	for (unsigned w = 0; w < BLOCK_WORDS; w++)
		assert_true(frame_fill_step());
}

/* ---- At once, and later ---- */

static void what_the_guest_frees_is_filled_at_once(void **state)
{
	(void)state;
	fixture_reserve(FIRST + 5, 20, OWNER_HEAP);
	fixture_free(FIRST + 7, 3, OWNER_HEAP);
	assert_filled(FIRST + 7, 3, 1);
	assert_int_equal(sum(), 3);
	assert_false(frame_has_unfilled());
	assert_false(frame_fill_step());
}

static void whole_blocks_are_filled_later(void **state)
{
	(void)state;
	fixture_reserve(FIRST + BLOCK_FRAMES - 1, 2 * BLOCK_FRAMES + 2, OWNER_HELD);
	fixture_free(FIRST + BLOCK_FRAMES - 1, 2 * BLOCK_FRAMES + 2, OWNER_HELD);
	assert_int_equal(sum(), 2);
	assert_true(frame_has_unfilled());
	assert_int_equal(woken, 1);
	fill_block();
	assert_filled(FIRST + BLOCK_FRAMES, BLOCK_FRAMES, 1);
	assert_int_equal(sum(), 2 + BLOCK_FRAMES);
	fill_block();
	assert_false(frame_fill_step());
	assert_false(frame_has_unfilled());
	assert_filled(FIRST + BLOCK_FRAMES - 1, 2 * BLOCK_FRAMES + 2, 1);
	assert_int_equal(sum(), 2 * BLOCK_FRAMES + 2);
}

static void what_the_host_had_is_filled_later(void **state)
{
	static const enum owner hosts[] = { OWNER_BALLOON, OWNER_IN_FLIGHT, OWNER_REPORTED,
					    OWNER_HINTED,  OWNER_LEAVING,   OWNER_REFUSED };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(hosts); i++) {
		pfn_t pfn = FIRST + i * BLOCK_FRAMES + 64;

		fixture_reserve(pfn, 3, hosts[i]);
		fixture_free(pfn, 3, hosts[i]);
		assert_filled(pfn, 3, 0);
		fill_block();
		assert_filled(pfn, 3, 1);
		assert_false(frame_fill_step());
	}
	assert_int_equal(woken, ARRAY_SIZE(hosts));
}

/* ---- Broken blocks ---- */

static void only_free_frames_of_a_block_are_filled(void **state)
{
	(void)state;
	fixture_reserve(FIRST, 1, OWNER_HEAP);
	fixture_reserve(FIRST + 60, 8, OWNER_BALLOON);
	fixture_reserve(FIRST + 127, 130, OWNER_HELD);
	fixture_reserve(FIRST + 300, 1, OWNER_HEAP);
	fixture_reserve(FIRST + 511, 1, OWNER_BALLOON);
	fixture_free(FIRST + 60, 8, OWNER_BALLOON);
	assert_int_equal(sum(), 0);
	fill_all();
	assert_filled(FIRST, 1, 0);
	assert_filled(FIRST + 1, 126, 1);
	assert_filled(FIRST + 127, 130, 0);
	assert_filled(FIRST + 257, 43, 1);
	assert_filled(FIRST + 300, 1, 0);
	assert_filled(FIRST + 301, 210, 1);
	assert_filled(FIRST + 511, 1, 0);
}

static void frames_of_a_marked_block_are_filled_when_they_are_allocated(void **state)
{
	pfn_t pfn;

	(void)state;
	fixture_reserve(FIRST, FRAMES, OWNER_BALLOON);
	fixture_free(FIRST + 512, 512, OWNER_BALLOON);
	assert_int_equal(frame_alloc(0, OWNER_HEAP, &pfn), 0);
	assert_int_equal(pfn, FIRST + 512);
	assert_filled(pfn, 1, 1);
	assert_int_equal(frame_alloc(5, OWNER_HEAP, &pfn), 0);
	assert_filled(pfn, 32, 1);
	assert_int_equal(sum(), 33);
	fill_all();
	assert_filled(FIRST + 512, 512, 1);
	/* And not again. */
	assert_int_equal(frame_alloc(0, OWNER_HEAP, &pfn), 0);
	assert_filled(pfn, 1, 1);
}

/* As the largest run that is filled at once. */
static void a_marked_block_is_filled_when_all_of_it_is_allocated(void **state)
{
	pfn_t pfn;

	(void)state;
	fixture_reserve(FIRST, FRAMES, OWNER_BALLOON);
	fixture_free(FIRST + 512, 512, OWNER_BALLOON);
	assert_int_equal(frame_alloc(BLOCK_ORDER, OWNER_HEAP, &pfn), 0);
	assert_int_equal(pfn, FIRST + 512);
	assert_filled(pfn, 512, 1);
	assert_int_equal(sum(), 512);
}

static void single_frames_are_filled_as_they_are_allocated_in_bulk(void **state)
{
	pfn_t pfns[200];

	(void)state;
	fixture_reserve(FIRST, FRAMES, OWNER_BALLOON);
	fixture_free(FIRST + 100, 150, OWNER_BALLOON);
	fixture_free(FIRST + 600, 50, OWNER_BALLOON);
	assert_int_equal(frame_alloc_bulk(120, PFN_NONE, OWNER_HELD, pfns), 120);
	assert_filled(FIRST + 100, 120, 1);
	assert_int_equal(sum(), 120);
	/* Neither of the two has a frame left. */
	assert_int_equal(frame_alloc_bulk(200, PFN_NONE, OWNER_IN_FLIGHT, pfns), 80);
	assert_int_equal(sum(), 120);
	assert_false(frame_has_unfilled());
}

static void a_block_without_a_free_frame_is_not_marked(void **state)
{
	pfn_t pfn;

	(void)state;
	fixture_reserve(FIRST, FRAMES, OWNER_BALLOON);
	fixture_free(FIRST, BLOCK_FRAMES, OWNER_BALLOON);
	assert_int_equal(frame_alloc_block(PFN_NONE, OWNER_HEAP, &pfn), 0);
	assert_filled(FIRST, BLOCK_FRAMES, 1);
	assert_false(frame_has_unfilled());
	fixture_free(FIRST, 1, OWNER_HEAP);
	assert_false(frame_has_unfilled());
	assert_filled(FIRST, 1, 2);
}

static void a_block_begins_anew_when_the_host_gives_back_more_of_it(void **state)
{
	(void)state;
	fixture_reserve(FIRST, FRAMES, OWNER_BALLOON);
	fixture_free(FIRST + 256, 256, OWNER_BALLOON);
	for (unsigned w = 0; w < BLOCK_WORDS - 1; w++)
		assert_true(frame_fill_step());
	fixture_free(FIRST, 100, OWNER_BALLOON);
	fill_block();
	assert_false(frame_fill_step());
	assert_filled(FIRST, 100, 1);
	assert_filled(FIRST + 100, 156, 0);
	assert_filled(FIRST + 256, 192, 2);
	assert_filled(FIRST + 448, 64, 1);
	/* One that was taken away in the middle, and a lower one that comes first. */
	fixture_free(FIRST + 3 * BLOCK_FRAMES, BLOCK_FRAMES, OWNER_BALLOON);
	assert_true(frame_fill_step());
	fixture_reserve(FIRST + 3 * BLOCK_FRAMES, BLOCK_FRAMES, OWNER_BALLOON);
	fixture_free(FIRST + 3 * BLOCK_FRAMES, BLOCK_FRAMES, OWNER_BALLOON);
	assert_true(frame_fill_step());
	fixture_free(FIRST + 2 * BLOCK_FRAMES, BLOCK_FRAMES, OWNER_BALLOON);
	fill_block();
	assert_filled(FIRST + 2 * BLOCK_FRAMES, BLOCK_FRAMES, 1);
	fill_block();
	assert_false(frame_fill_step());
	assert_filled(FIRST + 3 * BLOCK_FRAMES, 64, 3);
	assert_filled(FIRST + 3 * BLOCK_FRAMES + 64, 448, 1);
}

/* ---- What the host gets ---- */

static void what_the_host_is_given_is_not_filled(void **state)
{
	size_t blocks;
	pfn_t pfn;

	(void)state;
	fixture_reserve(FIRST, FRAMES, OWNER_BALLOON);
	fixture_free(FIRST, 3 * BLOCK_FRAMES, OWNER_BALLOON);
	assert_int_equal(frame_alloc_blocks(2, PFN_NONE, OWNER_IN_FLIGHT, &pfn, &blocks), 0);
	assert_int_equal(blocks, 2);
	assert_int_equal(sum(), 0);
	/* One mark is left, and they come back with theirs. */
	fixture_free(pfn, 2 * BLOCK_FRAMES, OWNER_IN_FLIGHT);
	assert_int_equal(sum(), 0);
	fill_all();
	assert_filled(FIRST, 3 * BLOCK_FRAMES, 1);
}

static void blocks_of_which_the_host_was_told_are_left_as_they_are(void **state)
{
	size_t blocks;
	pfn_t pfn;

	(void)state;
	assert_int_equal(frame_alloc_unreported(2, OWNER_REPORTED, &pfn, &blocks), 0);
	assert_int_equal(frame_free_told_blocks(pfn, 2, OWNER_REPORTED), 0);
	assert_false(frame_has_unfilled());
	assert_int_equal(frame_alloc(BLOCK_ORDER, OWNER_HELD, &pfn), 0);
	assert_int_equal(sum(), 0);
}

/* ---- Bounds, and pauses ---- */

static void no_call_fills_more_than_a_block(void **state)
{
	pfn_t pfn;

	(void)state;
	fixture_reserve(FIRST, FRAMES, OWNER_BALLOON);
	fixture_free(FIRST, FRAMES, OWNER_BALLOON);
	assert_int_equal(frame_alloc(BLOCK_ORDER + 1, OWNER_HELD, &pfn), 0);
	assert_int_equal(sum(), 0);
	/* So its owner fills it. */
	frame_fill_run(pfn, BLOCK_FRAMES);
	assert_filled(pfn, BLOCK_FRAMES, 1);
	fixture_free(pfn, 2 * BLOCK_FRAMES, OWNER_HELD);
	assert_int_equal(sum(), BLOCK_FRAMES);
	longest = 0;
	fill_all();
	assert_int_equal(sum(), BLOCK_FRAMES + FRAMES);
	assert_int_equal(longest, 64);
}

static void a_pause_ends_with_a_call_of_the_hook(void **state)
{
	pfn_t pfn;

	(void)state;
	frame_pause_filling(true);
	fixture_reserve(FIRST, FRAMES, OWNER_HINTED);
	fixture_free(FIRST, BLOCK_FRAMES, OWNER_HINTED);
	assert_false(frame_has_unfilled());
	assert_false(frame_fill_step());
	assert_int_equal(woken, 0);
	/* Allocations are no background. */
	assert_int_equal(frame_alloc(0, OWNER_HEAP, &pfn), 0);
	assert_filled(pfn, 1, 1);
	frame_pause_filling(false);
	assert_int_equal(woken, 1);
	frame_pause_filling(false);
	assert_int_equal(woken, 1);
	fill_block();
	frame_pause_filling(true);
	frame_pause_filling(false);
	assert_int_equal(woken, 1);
}

static void without_a_poisoner_nothing_is_filled(void **state)
{
	pfn_t pfn;

	(void)state;
	fixture_reserve(FIRST, FRAMES, OWNER_BALLOON);
	fixture_free(FIRST, FRAMES - 1, OWNER_BALLOON);
	frame_set_poisoner(NULL);
	fixture_assert_books();
	assert_false(frame_has_unfilled());
	assert_false(frame_fill_step());
	assert_int_equal(frame_alloc(0, OWNER_HEAP, &pfn), 0);
	fixture_free(pfn, 1, OWNER_HEAP);
	frame_fill_run(pfn, 1);
	frame_set_poisoner(fill);
	assert_false(frame_has_unfilled());
	assert_int_equal(sum(), 0);
}

/* ---- The audit ---- */

static void the_audit_finds_a_mark_where_nothing_is_free(void **state)
{
	char verdict[LEDGER_VERDICT_MAX];

	(void)state;
	fixture_reserve(FIRST, BLOCK_FRAMES, OWNER_BALLOON);
	/* As a wild write would. */
	bitset_add(&frame_fill.unfilled, 0);
	assert_false(ledger_audit(verdict));
	assert_string_equal(verdict, "BROKEN block 0 is to be filled, but has nothing to fill");
	frame_fill_forget(0);
	/* Of a block that nobody ever touched. */
	bitset_add(&frame_fill.unfilled, 3);
	assert_false(ledger_audit(verdict));
	frame_fill_forget(3);
	assert_true(ledger_audit(verdict));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_the_guest_frees_is_filled_at_once),
		TEST(whole_blocks_are_filled_later),
		TEST(what_the_host_had_is_filled_later),
		TEST(only_free_frames_of_a_block_are_filled),
		TEST(frames_of_a_marked_block_are_filled_when_they_are_allocated),
		TEST(a_marked_block_is_filled_when_all_of_it_is_allocated),
		TEST(single_frames_are_filled_as_they_are_allocated_in_bulk),
		TEST(a_block_without_a_free_frame_is_not_marked),
		TEST(a_block_begins_anew_when_the_host_gives_back_more_of_it),
		TEST(what_the_host_is_given_is_not_filled),
		TEST(blocks_of_which_the_host_was_told_are_left_as_they_are),
		TEST(no_call_fills_more_than_a_block),
		TEST(a_pause_ends_with_a_call_of_the_hook),
		TEST(without_a_poisoner_nothing_is_filled),
		TEST(the_audit_finds_a_mark_where_nothing_is_free),
	};

	return cmocka_run_group_tests_name("frame_fill", tests, NULL, NULL);
}
