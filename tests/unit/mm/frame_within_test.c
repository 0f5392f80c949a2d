/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Frames of a part of memory alone, for the balloon: from a block on, below a limit, at
 * random; and what is free in memory of the boot, and in regions. What is expected is found
 * frame by frame.
 */
#include "tests/unit/mm/region_fixture.h"

#include <errno.h>

#include "mm/ledger.h"
#include "tests/random.h"

#define BOOT_BLOCKS 6
#define REGION (RAM + 8 * BLOCK_FRAMES)
#define REGION_BLOCKS 8
#define END (REGION + REGION_BLOCKS * BLOCK_FRAMES)
#define MOST (END - RAM)

static pfn_t pfns[MOST + 1];

static uint64_t seed;

static uint64_t below(uint64_t n)
{
	return random_below(&seed, n);
}

static uint64_t count_free(pfn_t from, pfn_t end)
{
	uint64_t n = 0;

	for (pfn_t pfn = from; pfn < end; pfn++)
		n += frame_owner(pfn) == OWNER_FREE;
	return n;
}

static bool is_whole(pfn_t block)
{
	return count_free(block, block + BLOCK_FRAMES) == BLOCK_FRAMES;
}

/* Free frames of blocks that are broken, in a part. */
static uint64_t count_broken(pfn_t from, pfn_t end)
{
	uint64_t n = 0;

	for (pfn_t block = from; block < end; block += BLOCK_FRAMES)
		if (!is_whole(block))
			n += count_free(block, min_u64(block + BLOCK_FRAMES, end));
	return n;
}

static pfn_t lowest_whole(pfn_t from, pfn_t end)
{
	for (pfn_t block = from; block + BLOCK_FRAMES <= end; block += BLOCK_FRAMES)
		if (is_whole(block))
			return block;
	return PFN_NONE;
}

/* Some blocks are whole, others have a few free frames, or none; some are not there. */
static void begin(uint64_t with)
{
	seed = with * UINT64_C(0x9e3779b97f4a7c15);
	region_fixture_boot(BOOT_BLOCKS * BLOCK_FRAMES);
	region_announce(REGION, REGION_BLOCKS);
	for (size_t i = 0; i < REGION_BLOCKS; i++)
		if (below(4) > 0)
			region_plug(REGION + i * BLOCK_FRAMES, 1);
	for (pfn_t block = RAM; block < END; block += BLOCK_FRAMES) {
		uint64_t often = below(4);

		for (pfn_t pfn = block; often > 0 && pfn < block + BLOCK_FRAMES; pfn++)
			if (frame_owner(pfn) == OWNER_FREE && below(often * often) == 0)
				fixture_reserve(pfn, 1, OWNER_HELD);
	}
}

static pfn_t any_block(void)
{
	return RAM + below(MOST / BLOCK_FRAMES + 1) * BLOCK_FRAMES;
}

static pfn_t any_limit(void)
{
	return below(3) == 0 ? PFN_NONE : below(2) == 0 ? any_block() : RAM + below(MOST + 1);
}

static void try_bulk(void)
{
	pfn_t from = below(3) == 0 ? 0 : any_block(), limit = any_limit();
	pfn_t first = max_u64(from, RAM), end = min_u64(limit, END);
	size_t count = (size_t)below(below(2) == 0 ? 40 : MOST), got;
	uint64_t free = count_free(first, end), broken = count_broken(first, end);
	uint64_t whole = frame_free_blocks();

	got = frame_alloc_bulk_within(count, from, limit, OWNER_BALLOON, pfns);
	assert_int_equal(got, min_u64(count, free));
	for (size_t i = 0; i < got; i++) {
		assert_true(pfns[i] >= first && pfns[i] < end);
		assert_true(i == 0 || pfns[i - 1] < pfns[i]);
		assert_int_equal(frame_owner(pfns[i]), OWNER_BALLOON);
	}
	/* No whole block is broken for what broken ones of this part have. */
	if (got <= broken)
		assert_int_equal(frame_free_blocks(), whole);
	else
		assert_true(frame_free_blocks() < whole);
	fixture_assert_books();
	assert_int_equal(frame_free_owned(OWNER_BALLOON, got), got);
}

static void try_blocks(void)
{
	pfn_t from = below(3) == 0 ? 0 : any_block() - below(2) * 3, limit = any_limit();
	pfn_t first = align_up(max_u64(from, RAM), BLOCK_FRAMES);
	pfn_t expect = lowest_whole(first, min_u64(limit, END)), pfn = PFN_UNTOUCHED;
	size_t max = 1 + (size_t)below(3), blocks = 0;
	int err;

	assert_int_equal(frame_has_block_within(from, limit), expect != PFN_NONE);
	err = frame_alloc_blocks_within(max, from, limit, OWNER_BALLOON, &pfn, &blocks);
	if (expect == PFN_NONE) {
		assert_int_equal(err, -ENOMEM);
		assert_int_equal(pfn, PFN_UNTOUCHED);
		return;
	}
	assert_int_equal(err, 0);
	assert_int_equal(pfn, expect);
	assert_in_range(blocks, 1, max);
	assert_true(pfn + blocks * BLOCK_FRAMES <= min_u64(limit, END));
	assert_int_equal(frame_count_blocks(pfn, blocks, OWNER_BALLOON), blocks);
	fixture_free(pfn, blocks * BLOCK_FRAMES, OWNER_BALLOON);
}

static void try_counts(void)
{
	pfn_t limit = any_limit(), start = any_block() - below(2) * 3;
	pfn_t end = min_u64(align_down(limit, BLOCK_FRAMES), END);

	assert_int_equal(frame_boot_free(), count_free(RAM, RAM + BOOT_BLOCKS * BLOCK_FRAMES));
	assert_int_equal(frame_region_free_within(0, limit), count_free(REGION, end));
	assert_int_equal(frame_region_free_within(start, limit),
			 count_free(align_up(max_u64(start, REGION), BLOCK_FRAMES), end));
}

static pfn_t first_such(pfn_t start, pfn_t end, bool absent)
{
	while (start < end && (frame_owner(start) == OWNER_ABSENT) != absent)
		start += BLOCK_FRAMES;
	return start;
}

static void try_find(void)
{
	pfn_t start = REGION + below(REGION_BLOCKS) * BLOCK_FRAMES;
	pfn_t end = start + below((END - start) / BLOCK_FRAMES + 1) * BLOCK_FRAMES;

	assert_int_equal(frame_region_find(start, end, true), first_such(start, end, true));
	assert_int_equal(frame_region_find(start, end, false), first_such(start, end, false));
}

static void a_part_of_memory_is_all_that_is_taken(void **state)
{
	(void)state;
	for (uint64_t with = 1; with <= 40; with++) {
		begin(with);
		for (int i = 0; i < 30; i++) {
			try_counts();
			try_find();
			try_bulk();
			try_blocks();
		}
		fixture_stop(NULL);
	}
}

static void without_regions_all_free_frames_are_of_the_boot(void **state)
{
	(void)state;
	region_fixture_boot(2 * BLOCK_FRAMES);
	fixture_reserve(RAM + 3, 5, OWNER_HELD);
	assert_int_equal(frame_boot_free(), 2 * BLOCK_FRAMES - 5);
	assert_int_equal(frame_region_free_within(0, PFN_NONE), 0);
	fixture_stop(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_part_of_memory_is_all_that_is_taken),
		cmocka_unit_test(without_regions_all_free_frames_are_of_the_boot),
	};

	return cmocka_run_group_tests_name("frame_within", tests, region_fixture_reserve, NULL);
}
