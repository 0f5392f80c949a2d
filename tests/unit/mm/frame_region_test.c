/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mm/frame_region.c and mm/frame_section.c: memory that is announced, comes and leaves;
 * what its books cost, and where they lie.
 */
#include "tests/unit/mm/region_fixture.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "arch/phys_map.h"
#include "mm/frame_fill.h"
#include "mm/frame_map.h"
#include "mm/ledger.h"

#define B BLOCK_FRAMES

/* Boot memory of eight blocks, and a region that begins after a hole of a block. */
#define BOOT_BLOCKS 8
#define REGION (RAM + (BOOT_BLOCKS + 1) * B)
#define REGION_BLOCKS 300

static const struct frame_region_part all = { REGION, REGION_BLOCKS, 1 };

static void boot(void)
{
	region_fixture_boot(BOOT_BLOCKS * B);
}

static void start(void)
{
	boot();
	region_announce(REGION, REGION_BLOCKS);
}

/* Gives every free frame to OWNER_HELD. */
static void take_everything(void)
{
	pfn_t pfn;

	for (unsigned order = FRAME_ORDER_MAX + 1; order-- > 0;)
		while (frame_alloc(order, OWNER_HELD, &pfn) == 0)
			;
	assert_int_equal(ledger_count(OWNER_FREE), 0);
}

/* What the map has taken of the boot's memory, or of all memory, since it was made. */
static uint64_t books(void)
{
	return ledger_count(OWNER_FRAME_MAP);
}

/* ---- Announcing ---- */

static void announced_memory_is_absent_and_in_no_sum(void **state)
{
	pfn_t pfn;

	(void)state;
	start();
	fixture_assert_books();
	assert_int_equal(ledger_managed(), BOOT_BLOCKS * B);
	assert_int_equal(ledger_count(OWNER_ABSENT), REGION_BLOCKS * B);
	assert_int_equal(frame_owner(REGION), OWNER_ABSENT);
	assert_int_equal(frame_owner(REGION + REGION_BLOCKS * B - 1), OWNER_ABSENT);
	fixture_assert_refused(frame_reserve(REGION, 1, OWNER_HELD), -EINVAL, 0);
	fixture_assert_refused(frame_free(REGION + 5 * B, B, OWNER_HELD), -EINVAL, 1);
	assert_int_equal(frame_free_blocks(), BOOT_BLOCKS - 1);
	take_everything();
	assert_int_equal(frame_alloc_block(PFN_NONE, OWNER_HELD, &pfn), -ENOMEM);
	assert_int_equal(frame_alloc_unreported(1, OWNER_HELD, &pfn, &(size_t){ 0 }), -ENOENT);
	assert_int_equal(frame_alloc_bulk(1, PFN_NONE, OWNER_HELD, &pfn), 0);
	fixture_assert_books();
}

static void what_cannot_be_a_region_is_refused_and_changes_nothing(void **state)
{
	const struct {
		pfn_t start;
		size_t blocks;
	} cases[] = {
		{ REGION, 0 },
		{ REGION + 1, 1 },
		{ 0, 1 },
		{ RAM - B, 1 },
		{ RAM, 1 },
		{ RAM + (BOOT_BLOCKS - 1) * B, 2 },
		{ REGION, SIZE_MAX },
		{ REGION, SIZE_MAX / B },
		{ ((pfn_t)1 << 52) - B, 1 },
		{ (pfn_t)1 << 52, 1 },
		{ PFN_NONE - B + 1, 1 },
	};
	struct picture *before;

	(void)state;
	boot();
	before = fixture_picture();
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_int_equal(frame_region_announce(cases[i].start, cases[i].blocks), -EINVAL);
	fixture_assert_same(before);
	region_announce(REGION, REGION_BLOCKS);
	before = fixture_picture();
	assert_int_equal(frame_region_announce(REGION, 1), -EINVAL);
	assert_int_equal(frame_region_announce(REGION + (REGION_BLOCKS - 1) * B, 1), -EINVAL);
	assert_int_equal(frame_region_announce(RAM + BOOT_BLOCKS * B, 1), -EINVAL);
	fixture_assert_same(before);
	fixture_assert_books();
}

static void there_are_so_many_regions_and_no_more(void **state)
{
	uint64_t used;

	(void)state;
	boot();
	for (size_t i = 0; i < FRAME_REGIONS_MAX; i++)
		region_announce(REGION + i * 2 * B, 1);
	used = books();
	for (size_t n = 0; n < MEM_RANGES_MAX - 1; n++)
		assert_int_equal(frame_region_announce(REGION + (FRAME_REGIONS_MAX + n) * 2 * B, 1),
				 0);
	assert_int_equal(frame_region_announce(REGION + 1000 * B, 1), -ENOSPC);
	/* Each takes the place of the arrays of the last. */
	assert_int_equal(books(), used);
	fixture_assert_books();
	for (size_t i = 0; i < FRAME_REGIONS_MAX; i++)
		region_plug(REGION + i * 2 * B, 1);
	fixture_assert_books();
}

/* Regions whose books take from one frame to some hundreds. */
static void what_is_kept_ready_has_room_for_a_region_and_its_tables(void **state)
{
	static const size_t blocks[] = { 1, 512, 5000, 20000, 40000, 200000 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(blocks); i++) {
		pfn_t pfn;

		boot();
		assert_false(frame_region_use_ready());
		assert_int_equal(frame_region_keep_ready(blocks[i]), 0);
		take_everything();
		/* It is large enough, and nothing more is asked for. */
		assert_int_equal(frame_region_keep_ready(blocks[i]), 0);
		assert_int_equal(frame_region_announce(REGION, blocks[i]), -ENOMEM);
		assert_true(frame_region_use_ready());
		for (unsigned table = 0; table < 8; table++)
			assert_int_equal(frame_alloc_boot(0, OWNER_PAGE_TABLES, &pfn), 0);
		region_announce(REGION, blocks[i]);
		assert_false(frame_region_use_ready());
		region_plug(REGION, 1);
		fixture_assert_books();
	}
}

static void what_is_kept_ready_grows_with_what_may_come(void **state)
{
	uint64_t none, used;

	(void)state;
	boot();
	none = books();
	assert_int_equal(frame_region_keep_ready(1), 0);
	used = books();
	assert_int_equal(frame_region_keep_ready(200000), 0);
	assert_true(books() > used);
	used = books();
	/* For no host's word is there more than there is; what there was stays. */
	assert_int_equal(frame_region_keep_ready((size_t)1 << 30), -ENOMEM);
	assert_int_equal(frame_region_keep_ready((size_t)1 << 42), -ENOMEM);
	assert_int_equal(frame_region_keep_ready(1), 0);
	assert_int_equal(books(), used);
	assert_true(frame_region_use_ready());
	assert_int_equal(books(), none);
	fixture_assert_books();
}

static void without_room_for_its_numbers_nothing_is_announced(void **state)
{
	pfn_t pfns[64];
	size_t n = 0;

	(void)state;
	boot();
	/* A host may say anything. */
	assert_int_equal(frame_region_announce(REGION, (size_t)1 << 42), -ENOMEM);
	assert_int_equal(frame_region_announce(REGION, (size_t)1 << 30), -ENOMEM);
	fixture_assert_books();
	take_everything();
	assert_int_equal(frame_region_announce(REGION, REGION_BLOCKS), -ENOMEM);
	/* From one frame on until there is room for the numbers, and for the reserve. */
	for (pfn_t run = 1; run < 32; run *= 2) {
		fixture_free(RAM + B, run, OWNER_HELD);
		assert_int_equal(frame_region_announce(REGION, REGION_BLOCKS), -ENOMEM);
		assert_int_equal(ledger_count(OWNER_FREE), run);
		assert_int_equal(books(), 0);
		fixture_assert_books();
		fixture_reserve(RAM + B, run, OWNER_HELD);
	}
	assert_int_equal(frame_collect(OWNER_HELD, 0, ARRAY_SIZE(pfns), pfns), ARRAY_SIZE(pfns));
	for (n = 0; n < ARRAY_SIZE(pfns); n++)
		fixture_free(pfns[n], 1, OWNER_HELD);
	region_announce(REGION, REGION_BLOCKS);
	fixture_assert_books();
}

/* What was announced, and is in use, stays as it is when more is announced. */
static void another_region_moves_the_sets_with_all_that_is_in_them(void **state)
{
	const pfn_t second = REGION + REGION_BLOCKS * B;
	struct picture *before;

	(void)state;
	start();
	region_plug(REGION, 130);
	fixture_alloc(3, OWNER_HEAP);
	fixture_reserve(REGION + 100, 1000, OWNER_BALLOON);
	fixture_reserve(REGION + 129 * B, B, OWNER_REPORTED);
	fixture_expect_managed(ledger_managed());
	before = fixture_picture();
	assert_int_equal(frame_region_announce(second, 5000), 0);
	free(before);
	fixture_assert_books();
	fixture_assert_owner(REGION + 100, 1000, OWNER_BALLOON);
	fixture_assert_owner(REGION + 129 * B, B, OWNER_REPORTED);
	assert_int_equal(ledger_count(OWNER_ABSENT), (REGION_BLOCKS - 130 + 5000) * B);
	/* Sections of 128 blocks take no notice of where a region begins. */
	region_plug(second, 200);
	region_plug(second - B, 1);
	fixture_assert_books();
}

/* ---- Coming ---- */

static void plugged_blocks_are_free_and_the_total_grows(void **state)
{
	(void)state;
	start();
	region_plug(REGION + 7 * B, 3);
	fixture_assert_books();
	assert_int_equal(ledger_managed(), (BOOT_BLOCKS + 3) * B);
	assert_int_equal(ledger_count(OWNER_ABSENT), (REGION_BLOCKS - 3) * B);
	assert_int_equal(frame_owner(REGION + 7 * B - 1), OWNER_ABSENT);
	fixture_assert_owner(REGION + 7 * B, 3 * B, OWNER_FREE);
	assert_int_equal(frame_owner(REGION + 10 * B), OWNER_ABSENT);
	fixture_reserve(REGION + 8 * B - 3, B + 6, OWNER_HELD);
	fixture_assert_owner(REGION + 8 * B - 3, B + 6, OWNER_HELD);
	fixture_assert_refused(frame_reserve(REGION + 10 * B - 1, 2, OWNER_HELD), -EINVAL, 0);
	fixture_assert_books();
}

static void what_cannot_come_is_refused_and_changes_nothing(void **state)
{
	struct picture *before;

	(void)state;
	start();
	region_announce(REGION + REGION_BLOCKS * B, 10);
	region_plug(REGION + 4 * B, 1);
	before = fixture_picture();
	assert_int_equal(frame_region_plug(REGION, 0), -EINVAL);
	assert_int_equal(frame_region_plug(REGION + 1, 1), -EINVAL);
	assert_int_equal(frame_region_plug(RAM, 1), -EINVAL);
	assert_int_equal(frame_region_plug(REGION - B, 2), -EINVAL);
	assert_int_equal(frame_region_plug(REGION + (REGION_BLOCKS - 1) * B, 2), -EINVAL);
	assert_int_equal(frame_region_plug(REGION + (REGION_BLOCKS + 10) * B, 1), -EINVAL);
	assert_int_equal(frame_region_plug(REGION, SIZE_MAX), -EINVAL);
	assert_int_equal(frame_region_plug(REGION + 4 * B, 1), -EPERM);
	assert_int_equal(frame_region_plug(REGION, 5), -EPERM);
	fixture_assert_same(before);
	fixture_assert_books();
}

/* Each time a new section is needed, which lies in the memory that comes. */
static void growing_works_with_no_free_frame_100_times_of_100(void **state)
{
	const size_t step = SECTION_BLOCKS;

	(void)state;
	boot();
	region_announce(REGION, 101 * step);
	for (size_t n = 0; n < 100; n++) {
		take_everything();
		region_plug(REGION + n * step * B, n % 4 == 0 ? step : 1);
		assert_true(ledger_count(OWNER_FREE) >= B - 32);
	}
	fixture_assert_books();
	/* The first section and the reserve were taken while the boot's memory had room. */
	assert_int_equal(frame_map.sections_outside, 100);
}

static void growing_block_by_block_works_with_no_free_frame(void **state)
{
	(void)state;
	start();
	for (size_t n = 0; n < REGION_BLOCKS; n++) {
		take_everything();
		region_plug(REGION + (REGION_BLOCKS - 1 - n) * B, 1);
	}
	fixture_assert_books();
	assert_int_equal(ledger_managed(), (BOOT_BLOCKS + REGION_BLOCKS) * B);
}

static size_t reclaims;

static size_t no_reclaim(unsigned order)
{
	(void)order;
	reclaims++;
	return 0;
}

static void failed_alloc(unsigned order)
{
	fail_msg("an allocation of 2^%u frames failed", order);
}

static void growing_asks_no_reclaimer_and_fails_no_allocation(void **state)
{
	(void)state;
	start();
	take_everything();
	frame_set_reclaimer(no_reclaim);
	frame_set_failure_hook(failed_alloc);
	reclaims = 0;
	region_plug(REGION, REGION_BLOCKS);
	assert_int_equal(reclaims, 0);
}

/* ---- Leaving ---- */

static void blocks_leave_in_two_steps_and_the_total_falls_with_the_second(void **state)
{
	pfn_t pfn;

	(void)state;
	start();
	region_plug(REGION, 10);
	assert_int_equal(region_claim(&all, 4, &pfn), 4);
	assert_int_equal(pfn, REGION + 6 * B);
	assert_int_equal(ledger_count(OWNER_UNPLUGGED), 4 * B);
	fixture_assert_books();
	region_leave(pfn, 4);
	assert_int_equal(ledger_count(OWNER_UNPLUGGED), 0);
	assert_int_equal(ledger_count(OWNER_ABSENT), (REGION_BLOCKS - 6) * B);
	fixture_assert_owner(pfn, 4 * B, OWNER_ABSENT);
	fixture_assert_books();
	assert_int_equal(frame_collect(OWNER_UNPLUGGED, 0, 1, &pfn), 0);
	/* And come back. */
	region_plug(REGION + 6 * B, 4);
	fixture_assert_books();
}

static void blocks_that_the_host_would_not_have_are_free_again(void **state)
{
	struct picture *before;
	pfn_t pfn;

	(void)state;
	start();
	region_plug(REGION, 10);
	before = fixture_picture();
	assert_int_equal(region_claim(&all, 7, &pfn), 7);
	region_keep(pfn, 7);
	fixture_assert_same(before);
	fixture_assert_books();
}

static void what_cannot_leave_is_refused_and_changes_nothing(void **state)
{
	struct picture *before;
	pfn_t pfn;

	(void)state;
	start();
	region_plug(REGION, 10);
	assert_int_equal(region_claim(&all, 4, &pfn), 4);
	fixture_reserve(RAM + 2 * B, B, OWNER_UNPLUGGED);
	before = fixture_picture();
	assert_int_equal(frame_region_leave(pfn, 0), -EINVAL);
	assert_int_equal(frame_region_leave(pfn + 1, 1), -EINVAL);
	assert_int_equal(frame_region_leave(pfn - B, 2), -EPERM);
	assert_int_equal(frame_region_leave(pfn, 5), -EPERM);
	assert_int_equal(frame_region_leave(REGION, 1), -EPERM);
	assert_int_equal(frame_region_leave(pfn, SIZE_MAX), -EINVAL);
	/* Memory of the boot stays. */
	assert_int_equal(frame_region_leave(RAM + 2 * B, 1), -EINVAL);
	fixture_assert_same(before);
	region_leave(pfn, 4);
	assert_int_equal(frame_region_leave(pfn, 4), -EPERM);
	fixture_assert_books();
}

static void a_claim_takes_the_highest_free_units_that_lie_together(void **state)
{
	const struct frame_region_part pairs = { REGION, 20, 2 };
	pfn_t pfn;

	(void)state;
	start();
	region_plug(REGION, 20);
	fixture_reserve(REGION + 17 * B + 9, 1, OWNER_HEAP);
	fixture_reserve(REGION + 12 * B, B, OWNER_HELD);
	assert_int_equal(frame_region_removable(&all), 18);
	assert_int_equal(frame_region_removable(&pairs), 16);
	assert_int_equal(region_claim(&pairs, 1, &pfn), 0);
	assert_int_equal(region_claim(&pairs, 9, &pfn), 2);
	assert_int_equal(pfn, REGION + 18 * B);
	assert_int_equal(region_claim(&pairs, 9, &pfn), 2);
	assert_int_equal(pfn, REGION + 14 * B);
	assert_int_equal(region_claim(&pairs, 9, &pfn), 8);
	assert_int_equal(pfn, REGION + 4 * B);
	assert_int_equal(region_claim(&pairs, 9, &pfn), 4);
	assert_int_equal(pfn, REGION);
	assert_int_equal(region_claim(&pairs, 9, &pfn), 0);
	assert_int_equal(frame_region_removable(&pairs), 0);
	assert_int_equal(region_claim(&all, 9, &pfn), 1);
	assert_int_equal(pfn, REGION + 16 * B);
	fixture_assert_books();
}

static void a_claim_keeps_within_its_part(void **state)
{
	const struct frame_region_part part = { REGION + 5 * B, 6, 3 };
	pfn_t pfn;

	(void)state;
	start();
	region_plug(REGION, 20);
	assert_int_equal(frame_region_removable(&part), 6);
	assert_int_equal(region_claim(&part, 100, &pfn), 6);
	assert_int_equal(pfn, REGION + 5 * B);
	assert_int_equal(region_claim(&part, 100, &pfn), 0);
}

static void a_part_that_is_none_is_refused(void **state)
{
	const struct frame_region_part parts[] = {
		{ RAM, 1, 1 },
		{ REGION, 0, 1 },
		{ REGION, 1, 0 },
		{ REGION, 3, 2 },
		{ REGION + 1, 1, 1 },
		{ REGION, REGION_BLOCKS + 1, 1 },
		{ REGION - B, 2, 1 },
		{ REGION + REGION_BLOCKS * B, 1, 1 },
		{ REGION, REGION_BLOCKS, 301 },
	};
	struct picture *before;

	(void)state;
	start();
	region_plug(REGION, 20);
	before = fixture_picture();
	for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
		pfn_t pfn = PFN_UNTOUCHED;
		size_t blocks = 77;

		assert_int_equal(frame_region_claim(&parts[i], 10, &pfn, &blocks), -EINVAL);
		assert_int_equal(pfn, PFN_UNTOUCHED);
		assert_int_equal(blocks, 77);
		assert_int_equal(frame_region_removable(&parts[i]), 0);
	}
	fixture_assert_same(before);
}

/* Claims blocks that leave together or not at all, as a DIMM's do. */
static int claim_unit(pfn_t start, size_t blocks)
{
	const struct frame_region_part part = { start, blocks, blocks };
	size_t claimed = 0;
	pfn_t pfn = 0;
	int err = frame_region_claim(&part, blocks, &pfn, &claimed);

	assert_true(err || (pfn == start && claimed == blocks));
	return err;
}

/* As a DIMM is asked for: not the highest blocks, but these. */
static void particular_blocks_can_be_claimed_as_well(void **state)
{
	struct picture *before;

	(void)state;
	start();
	region_plug(REGION, 20);
	fixture_reserve(REGION + 9 * B + 77, 1, OWNER_HEAP);
	before = fixture_picture();
	assert_int_equal(claim_unit(REGION + 3 * B, 0), -EINVAL);
	assert_int_equal(claim_unit(REGION + 3 * B + 1, 1), -EINVAL);
	assert_int_equal(claim_unit(RAM + B, 1), -EINVAL);
	assert_int_equal(claim_unit(REGION + 3 * B, 7), -ENOENT);
	assert_int_equal(claim_unit(REGION + 19 * B, 2), -ENOENT);
	fixture_assert_same(before);
	assert_int_equal(claim_unit(REGION + 3 * B, 6), 0);
	fixture_assert_owner(REGION + 3 * B, 6 * B, OWNER_UNPLUGGED);
	assert_int_equal(claim_unit(REGION + 8 * B, 1), -ENOENT);
	region_leave(REGION + 3 * B, 6);
	assert_int_equal(claim_unit(REGION + 8 * B, 1), -ENOENT);
	assert_int_equal(ledger_refused(), 0);
	fixture_assert_books();
}

/* The books are in its blocks: they move first. */
static void a_claim_of_particular_blocks_moves_books_out_of_them(void **state)
{
	(void)state;
	start();
	take_everything();
	region_plug(REGION, 2);
	assert_int_equal(frame_map.sections_outside, 1);
	assert_int_equal(claim_unit(REGION, 2), -ENOENT);
	frame_free_owned(OWNER_HELD, UINT64_MAX);
	assert_int_equal(claim_unit(REGION, 2), 0);
	region_leave(REGION, 2);
	fixture_assert_books();
}

/* ---- What the balloon holds ---- */

/* Asks for blocks held by the balloon; returns how many, 0 if there are none. */
static size_t find_held(const struct frame_region_part *part, size_t max, pfn_t *pfn)
{
	size_t blocks = 77;
	int err;

	*pfn = PFN_UNTOUCHED;
	err = frame_region_find_held(part, max, owner_bit(OWNER_BALLOON), pfn, &blocks);
	if (!err)
		return blocks;
	assert_int_equal(err, -ENOENT);
	assert_int_equal(*pfn, PFN_UNTOUCHED);
	assert_int_equal(blocks, 77);
	return 0;
}

static void held_units_are_found_from_the_highest_down(void **state)
{
	const struct frame_region_part pairs = { REGION, 20, 2 };
	const struct frame_region_part fives = { REGION, 20, 5 };
	struct picture *before;
	pfn_t pfn;

	(void)state;
	start();
	region_plug(REGION, 20);
	assert_int_equal(find_held(&all, 9, &pfn), 0);
	/* A whole block, one frame, the last frame, two whole blocks. */
	fixture_reserve(REGION + 18 * B, B, OWNER_BALLOON);
	fixture_reserve(REGION + 12 * B + 77, 1, OWNER_BALLOON);
	fixture_reserve(REGION + 12 * B - 1, 1, OWNER_BALLOON);
	fixture_reserve(REGION + 5 * B, 2 * B, OWNER_BALLOON);
	before = fixture_picture();
	assert_int_equal(find_held(&all, 9, &pfn), 1);
	assert_int_equal(pfn, REGION + 18 * B);
	/* The unit's other block is free. */
	assert_int_equal(find_held(&pairs, 9, &pfn), 2);
	assert_int_equal(pfn, REGION + 18 * B);
	assert_int_equal(find_held(&fives, 9, &pfn), 5);
	assert_int_equal(pfn, REGION + 15 * B);
	/* All four units of five have some of it. */
	assert_int_equal(find_held(&fives, 10, &pfn), 10);
	assert_int_equal(pfn, REGION + 10 * B);
	assert_int_equal(find_held(&fives, 100, &pfn), 15);
	assert_int_equal(pfn, REGION + 5 * B);
	assert_int_equal(find_held(&fives, 4, &pfn), 0);
	assert_int_equal(find_held(&all, 0, &pfn), 0);
	fixture_assert_same(before);
	fixture_free(REGION + 18 * B, B, OWNER_BALLOON);
	assert_int_equal(find_held(&all, 9, &pfn), 2);
	assert_int_equal(pfn, REGION + 11 * B);
	assert_int_equal(find_held(&all, 1, &pfn), 1);
	assert_int_equal(pfn, REGION + 12 * B);
	fixture_assert_books();
}

static void units_in_which_others_have_a_frame_are_not_held(void **state)
{
	const struct frame_region_part pairs = { REGION, 20, 2 };
	pfn_t pfn;

	(void)state;
	start();
	/* Block 9 is not there. */
	region_plug(REGION, 9);
	region_plug(REGION + 10 * B, 10);
	fixture_reserve(REGION + 16 * B, B, OWNER_BALLOON);
	fixture_reserve(REGION + 17 * B + B - 1, 1, OWNER_HEAP);
	fixture_reserve(REGION + 14 * B, B - 1, OWNER_BALLOON);
	fixture_reserve(REGION + 15 * B - 1, 1, OWNER_IN_FLIGHT);
	fixture_reserve(REGION + 12 * B, B, OWNER_BALLOON);
	fixture_reserve(REGION + 13 * B, B, OWNER_HELD);
	fixture_reserve(REGION + 8 * B, 3, OWNER_BALLOON);
	assert_int_equal(find_held(&pairs, 20, &pfn), 0);
	/* Block by block there are some. */
	assert_int_equal(find_held(&all, 20, &pfn), 1);
	assert_int_equal(pfn, REGION + 16 * B);
	fixture_free(REGION + 13 * B, B, OWNER_HELD);
	assert_int_equal(find_held(&pairs, 20, &pfn), 2);
	assert_int_equal(pfn, REGION + 12 * B);
	/* Another owner's share is his own. */
	assert_int_equal(
		frame_region_find_held(&all, 20, owner_bit(OWNER_HEAP), &pfn, &(size_t){ 0 }), 0);
	assert_int_equal(pfn, REGION + 17 * B);
}

/* A block that is all free now, or another's, may still be in the owner's index. */
static void blocks_that_were_held_once_are_held_no_more(void **state)
{
	pfn_t pfn;

	(void)state;
	start();
	region_plug(REGION, 20);
	fixture_reserve(REGION + 9 * B, 4 * B, OWNER_BALLOON);
	fixture_free(REGION + 12 * B, B, OWNER_BALLOON);
	fixture_free(REGION + 11 * B, B, OWNER_BALLOON);
	fixture_reserve(REGION + 11 * B + 3, 7, OWNER_HELD);
	fixture_free(REGION + 10 * B, B - 1, OWNER_BALLOON);
	assert_int_equal(find_held(&all, 20, &pfn), 2);
	assert_int_equal(pfn, REGION + 9 * B);
	/* Nor is a block that lies beside the part, or in memory of the boot. */
	fixture_reserve(RAM + 4 * B, B, OWNER_BALLOON);
	assert_int_equal(find_held(&(struct frame_region_part){ REGION + 11 * B, 9, 1 }, 9, &pfn),
			 0);
	assert_int_equal(find_held(&(struct frame_region_part){ REGION + 2 * B, 7, 1 }, 9, &pfn),
			 0);
	assert_int_equal(find_held(&(struct frame_region_part){ REGION + 2 * B, 8, 1 }, 9, &pfn),
			 1);
}

/* As on a machine with two balloons. */
static void units_are_held_by_several_together(void **state)
{
	const uint32_t both = owner_bit(OWNER_BALLOON) | owner_bit(OWNER_BALLOON_2);
	const struct frame_region_part pairs = { REGION, 20, 2 };
	size_t blocks = 0;
	pfn_t pfn;

	(void)state;
	start();
	region_plug(REGION, 20);
	fixture_reserve(REGION + 18 * B, B, OWNER_HEAP);
	fixture_reserve(REGION + 14 * B + 5, 9, OWNER_BALLOON);
	fixture_reserve(REGION + 14 * B + 14, 9, OWNER_BALLOON_2);
	fixture_reserve(REGION + 12 * B, B, OWNER_BALLOON);
	fixture_reserve(REGION + 13 * B, B, OWNER_BALLOON_2);
	fixture_reserve(REGION + 10 * B, 1, OWNER_BALLOON_2);
	fixture_reserve(REGION + 9 * B, B - 1, OWNER_BALLOON_2);
	fixture_reserve(REGION + 10 * B - 1, 1, OWNER_HEAP);
	assert_int_equal(find_held(&pairs, 20, &pfn), 0);
	assert_int_equal(frame_region_find_held(&pairs, 20, both, &pfn, &blocks), 0);
	assert_int_equal(pfn, REGION + 10 * B);
	assert_int_equal(blocks, 6);
	/* Whichever of the two has the highest block. */
	fixture_reserve(REGION + 16 * B, 1, OWNER_BALLOON_2);
	assert_int_equal(frame_region_find_held(&all, 1, both, &pfn, &blocks), 0);
	assert_int_equal(pfn, REGION + 16 * B);
	fixture_free(REGION + 16 * B, 1, OWNER_BALLOON_2);
	fixture_free(REGION + 14 * B + 14, 9, OWNER_BALLOON_2);
	assert_int_equal(frame_region_find_held(&all, 1, both, &pfn, &blocks), 0);
	assert_int_equal(pfn, REGION + 14 * B);
}

static void nobody_holds_a_part_that_is_none(void **state)
{
	const struct frame_region_part odd = { REGION, 3, 2 };
	size_t blocks = 77;
	pfn_t pfn = PFN_UNTOUCHED;

	(void)state;
	start();
	region_plug(REGION, 3);
	fixture_reserve(REGION, 3 * B, OWNER_BALLOON);
	assert_int_equal(frame_region_find_held(&odd, 9, owner_bit(OWNER_BALLOON), &pfn, &blocks),
			 -EINVAL);
	assert_int_equal(frame_region_find_held(&all, 9, 0, &pfn, &blocks), -EINVAL);
	for (enum owner o = 0; o <= OWNER_COUNT; o++) {
		uint32_t owners = owner_bit(OWNER_BALLOON) | owner_bit(o);

		if (!owner_is_allocated(o))
			assert_int_equal(frame_region_find_held(&all, 9, owners, &pfn, &blocks),
					 -EINVAL);
	}
	assert_int_equal(pfn, PFN_UNTOUCHED);
	assert_int_equal(blocks, 77);
}

static void a_region_contains_its_blocks_and_no_others(void **state)
{
	(void)state;
	start();
	region_announce(REGION + REGION_BLOCKS * B, 10);
	region_plug(REGION + B, 1);
	assert_true(frame_region_contains(REGION, REGION_BLOCKS));
	assert_true(frame_region_contains(REGION + (REGION_BLOCKS - 1) * B, 1));
	assert_true(frame_region_contains(REGION + REGION_BLOCKS * B, 10));
	assert_false(frame_region_contains(REGION, 0));
	assert_false(frame_region_contains(REGION + 1, 1));
	assert_false(frame_region_contains(REGION - B, 2));
	/* They are in two regions. */
	assert_false(frame_region_contains(REGION + (REGION_BLOCKS - 1) * B, 2));
	assert_false(frame_region_contains(REGION + REGION_BLOCKS * B, 11));
	assert_false(frame_region_contains(REGION, SIZE_MAX));
	assert_false(frame_region_contains(RAM, 1));
}

static void regions_are_listed_in_the_order_of_their_addresses(void **state)
{
	const struct mem_range ranges[] = { { RAM, RAM + B }, { RAM + 3 * B, RAM + 4 * B } };
	struct frame_region_part region = { 1, 2, 3 };

	(void)state;
	start();
	region_announce(REGION + REGION_BLOCKS * B, 10);
	assert_true(frame_region_get(0, &region));
	assert_int_equal(region.start, REGION);
	assert_int_equal(region.blocks, REGION_BLOCKS);
	assert_int_equal(region.unit, 1);
	assert_true(frame_region_get(1, &region));
	assert_int_equal(region.start, REGION + REGION_BLOCKS * B);
	assert_int_equal(region.blocks, 10);
	assert_false(frame_region_get(2, &region));
	assert_false(frame_region_get(SIZE_MAX, &region));
	fixture_stop(NULL);
	fixture_start(ranges, 2);
	assert_false(frame_region_get(0, &region));
	assert_false(frame_region_get(1, &region));
}

/* ---- Where the books lie ---- */

static void books_come_and_leave_with_their_blocks(void **state)
{
	uint64_t announced;
	pfn_t pfn;
	size_t n;

	(void)state;
	start();
	announced = books();
	region_plug(REGION, 1);
	assert_int_equal(books(), announced + 19);
	region_plug(REGION + B, 127);
	assert_int_equal(books(), announced + 19);
	region_plug(REGION + 128 * B, 1);
	assert_int_equal(books(), announced + 2 * 19);
	assert_int_equal(frame_map.sections_outside, 0);
	while ((n = region_claim(&all, 50, &pfn)) > 0)
		region_leave(pfn, n);
	assert_int_equal(ledger_managed(), BOOT_BLOCKS * B);
	assert_int_equal(books(), announced);
	fixture_assert_books();
}

/* Grows by all of the region while the boot's memory is in use. */
static uint64_t grow_outside(void)
{
	uint64_t announced;

	start();
	announced = books();
	take_everything();
	region_plug(REGION, REGION_BLOCKS);
	/* The reserve of the boot was used first; what came then lies in the region. */
	assert_int_equal(frame_map.sections_outside, 3);
	assert_int_equal(frame_region_removable(&all), REGION_BLOCKS - 1);
	return announced;
}

static void books_in_a_region_move_when_the_boot_has_room(void **state)
{
	uint64_t announced = grow_outside();
	size_t left = 0;
	pfn_t pfn;
	size_t n;

	(void)state;
	fixture_reserve(REGION + 200 * B + 7, 100, OWNER_HEAP);
	fixture_reserve(REGION + 299 * B, B, OWNER_BALLOON);
	assert_int_equal(frame_free_owned(OWNER_HELD, UINT64_MAX), BOOT_BLOCKS * B - books() + 57);
	while ((n = region_claim(&all, 1000, &pfn)) > 0) {
		assert_int_equal(frame_map.sections_outside, 0);
		region_leave(pfn, n);
		left += n;
		fixture_assert_books();
	}
	assert_int_equal(left, REGION_BLOCKS - 2);
	fixture_free(REGION + 200 * B + 7, 100, OWNER_HEAP);
	fixture_free(REGION + 299 * B, B, OWNER_BALLOON);
	while ((n = region_claim(&all, 1000, &pfn)) > 0)
		region_leave(pfn, n);
	assert_int_equal(ledger_managed(), BOOT_BLOCKS * B);
	assert_int_equal(books(), announced);
	fixture_assert_books();
}

static void without_room_the_block_with_the_books_stays(void **state)
{
	size_t n, left = 0;
	pfn_t pfn;

	(void)state;
	grow_outside();
	while ((n = region_claim(&all, 1000, &pfn)) > 0) {
		region_leave(pfn, n);
		left += n;
	}
	assert_int_equal(left, REGION_BLOCKS - 1);
	fixture_assert_books();
	/* Room for one of the two that are left there: the section, or the reserve. */
	assert_int_equal(frame_map.sections_outside, 1);
	fixture_free(RAM + 5 * B, 64, OWNER_HELD);
	assert_int_equal(region_claim(&all, 1, &pfn), 1);
	region_leave(pfn, 1);
	assert_int_equal(ledger_managed(), BOOT_BLOCKS * B);
	fixture_assert_books();
}

/* One section too many, as its blocks have left: the reserve is the one that is in no way. */
static void of_two_sections_the_one_in_memory_of_the_boot_is_kept(void **state)
{
	uint64_t used;

	(void)state;
	start();
	region_plug(REGION, 1);
	take_everything();
	region_plug(REGION + 200 * B, 1);
	/* Used what was in reserve, and replaced it. */
	assert_int_equal(frame_map.sections_outside, 1);
	assert_int_equal(frame_region_removable(&all), 0);
	used = books();
	fixture_free(REGION, B, OWNER_HELD);
	fixture_reserve(REGION, B, OWNER_UNPLUGGED);
	region_leave(REGION, 1);
	assert_int_equal(books(), used - 19);
	assert_int_equal(frame_map.sections_outside, 0);
	assert_int_equal(frame_region_removable(&all), 1);
	fixture_assert_books();
}

/* 1 GiB at boot, 1 TiB announced: what the goals allow, with four page tables. */
static void a_tib_that_is_announced_costs_less_than_2_mib(void **state)
{
	const size_t tib = (size_t)1 << 19;
	uint64_t bytes;

	(void)state;
	region_fixture_boot(GIB / FRAME_SIZE);
	region_announce(RAM + 4 * GIB / FRAME_SIZE, tib);
	bytes = books() * FRAME_SIZE;
	print_message("1 TiB announced: %zu bytes\n", (size_t)bytes);
	assert_true(bytes + 4 * FRAME_SIZE <= 2 * MIB);
	assert_int_equal(bytes, 471 * FRAME_SIZE);
	fixture_assert_books();
	/* The last block is as good as the first. */
	region_plug(RAM + 4 * GIB / FRAME_SIZE + (tib - 1) * B, 1);
	assert_int_equal(ledger_managed(), GIB / FRAME_SIZE + B);
	fixture_assert_books();
}

static void a_gib_that_is_announced_costs_little(void **state)
{
	(void)state;
	region_fixture_boot(GIB / FRAME_SIZE);
	region_announce(RAM + 4 * GIB / FRAME_SIZE, 512);
	/* The sets, and the reserve. */
	assert_int_equal(books(), 1 + 19);
}

/* ---- The allocator ---- */

static void small_runs_come_from_the_boot_while_it_has_any(void **state)
{
	pfn_t pfn;

	(void)state;
	start();
	region_plug(REGION, 10);
	/* Crumbs in a region, and only whole blocks at boot. */
	fixture_reserve(REGION + B, B - 16, OWNER_HEAP);
	for (unsigned order = 0; order < BLOCK_ORDER; order++)
		assert_true(fixture_alloc(order, OWNER_STACKS) < frame_region_boot_end());
	while (frame_alloc_boot(0, OWNER_STACKS, &pfn) == 0)
		assert_true(pfn < frame_region_boot_end());
	pfn = fixture_alloc(2, OWNER_STACKS);
	assert_in_range(pfn, REGION + 2 * B - 16, REGION + 2 * B - 1);
	assert_int_equal(frame_region_removable(&all), 9);
	fixture_assert_books();
}

static void an_allocation_of_the_boot_is_one(void **state)
{
	pfn_t pfn = PFN_UNTOUCHED;

	(void)state;
	start();
	region_plug(REGION, 256);
	assert_int_equal(frame_alloc_boot(FRAME_ORDER_MAX + 1, OWNER_HELD, &pfn), -EINVAL);
	assert_int_equal(frame_alloc_boot(BLOCK_ORDER + 3, OWNER_HELD, &pfn), -ENOMEM);
	assert_int_equal(pfn, PFN_UNTOUCHED);
	assert_int_equal(frame_alloc_boot(BLOCK_ORDER + 1, OWNER_HELD, &pfn), 0);
	assert_int_equal(pfn, RAM + 2 * B);
	assert_int_equal(frame_alloc(BLOCK_ORDER + 3, OWNER_HELD, &pfn), 0);
	assert_true(pfn >= REGION);
}

static void free_frames_of_the_boot_are_counted_apart(void **state)
{
	uint64_t boot_free;
	pfn_t pfns[5];
	pfn_t pfn;

	(void)state;
	boot();
	assert_int_equal(frame_boot_free(), BOOT_BLOCKS * B);
	region_announce(REGION, REGION_BLOCKS);
	boot_free = BOOT_BLOCKS * B - books();
	assert_int_equal(frame_boot_free(), boot_free);
	region_plug(REGION, 3);
	/* A section of books came with them, from the boot's. */
	boot_free = BOOT_BLOCKS * B - books();
	assert_int_equal(frame_boot_free(), boot_free);
	fixture_reserve(REGION + B - 1, 2, OWNER_HEAP);
	fixture_free(REGION + B, 1, OWNER_HEAP);
	fixture_reserve(REGION + 2 * B, B, OWNER_BALLOON);
	assert_int_equal(frame_change_owner(REGION + 2 * B, 7, OWNER_BALLOON, OWNER_HELD), 0);
	assert_int_equal(frame_boot_free(), boot_free);
	fixture_reserve(RAM + 3 * B + 5, 3, OWNER_HEAP);
	fixture_alloc(BLOCK_ORDER, OWNER_HEAP);
	assert_int_equal(frame_alloc_bulk(5, PFN_NONE, OWNER_BALLOON, pfns), 5);
	boot_free -= 3 + B + 5;
	assert_int_equal(frame_boot_free(), boot_free);
	assert_int_equal(region_claim(&all, 9, &pfn), 1);
	region_keep(pfn, 1);
	assert_int_equal(region_claim(&all, 9, &pfn), 1);
	assert_int_equal(frame_boot_free(), boot_free);
	region_leave(pfn, 1);
	assert_int_equal(frame_boot_free(), boot_free);
	take_everything();
	assert_int_equal(frame_boot_free(), 0);
	fixture_assert_books();
}

static void runs_of_blocks_end_where_a_region_begins(void **state)
{
	const pfn_t adjacent = RAM + BOOT_BLOCKS * B;
	size_t blocks;
	pfn_t pfn;

	(void)state;
	boot();
	region_announce(adjacent, 5);
	region_announce(adjacent + 5 * B, 5);
	region_plug(adjacent, 5);
	region_plug(adjacent + 5 * B, 5);
	assert_int_equal(frame_region_boot_end(), adjacent);
	assert_int_equal(frame_alloc_blocks(100, PFN_NONE, OWNER_LEAVING, &pfn, &blocks), 0);
	assert_int_equal(pfn + blocks * B, adjacent);
	assert_int_equal(frame_alloc_blocks(100, PFN_NONE, OWNER_LEAVING, &pfn, &blocks), 0);
	assert_int_equal(pfn, adjacent);
	assert_int_equal(blocks, 5);
	assert_int_equal(frame_alloc_blocks(100, PFN_NONE, OWNER_LEAVING, &pfn, &blocks), 0);
	assert_int_equal(blocks, 5);
	assert_int_equal(frame_count_blocks(adjacent, 100, OWNER_LEAVING), 5);
	fixture_assert_books();
}

/* Nothing of the host's is behind a block that has come. */
static void the_host_need_not_be_told_of_blocks_that_come(void **state)
{
	size_t blocks;
	pfn_t pfn;

	(void)state;
	start();
	while (frame_alloc_unreported(1, OWNER_REPORTED, &pfn, &blocks) == 0)
		assert_int_equal(frame_free_told_blocks(pfn, blocks, OWNER_REPORTED), 0);
	region_plug(REGION, 10);
	assert_false(frame_has_unreported());
	fixture_reserve(REGION + 4 * B, 1, OWNER_HEAP);
	fixture_free(REGION + 4 * B, 1, OWNER_HEAP);
	assert_int_equal(frame_alloc_unreported(9, OWNER_REPORTED, &pfn, &blocks), 0);
	assert_int_equal(pfn, REGION + 4 * B);
	assert_int_equal(blocks, 1);
}

static void frames_are_collected_and_taken_across_the_boundary(void **state)
{
	static pfn_t pfns[BOOT_BLOCKS * B + 20 * B];
	size_t n;

	(void)state;
	start();
	region_plug(REGION, 20);
	n = frame_alloc_bulk(ARRAY_SIZE(pfns), frame_region_boot_end(), OWNER_BALLOON, pfns);
	assert_int_equal(n, BOOT_BLOCKS * B - books());
	assert_true(pfns[n - 1] < frame_region_boot_end());
	assert_int_equal(frame_alloc_bulk(600, PFN_NONE, OWNER_BALLOON, pfns), 600);
	assert_int_equal(pfns[0], REGION);
	assert_int_equal(frame_collect(OWNER_BALLOON, 0, ARRAY_SIZE(pfns), pfns), n + 600);
	assert_int_equal(pfns[n], REGION);
	assert_int_equal(frame_free_owned(OWNER_BALLOON, UINT64_MAX), n + 600);
	fixture_assert_books();
}

/* ---- Poison, and the audit ---- */

static uint64_t filled;

static void fill(pfn_t pfn, size_t count)
{
	/* A page that is gone ends the program here. */
	memset(phys_to_virt(pfn_to_paddr(pfn)), 0xaa, count * FRAME_SIZE);
	filled += count;
}

static void blocks_that_come_are_filled_before_they_are_used(void **state)
{
	const uint8_t *byte = (const uint8_t *)(uintptr_t)pfn_to_paddr(REGION);
	pfn_t pfn;

	(void)state;
	start();
	frame_set_poisoner(fill);
	region_plug(REGION, 3);
	fixture_assert_books();
	filled = 0;
	assert_true(frame_has_unfilled());
	fixture_reserve(REGION, 5, OWNER_HEAP);
	assert_int_equal(filled, 5);
	assert_int_equal(byte[5 * FRAME_SIZE - 1], 0xaa);
	assert_int_equal(byte[5 * FRAME_SIZE], 0xa5);
	/* What is on its way out is not filled, nor touched; what comes back is yet to be. */
	assert_int_equal(region_claim(&all, 9, &pfn), 2);
	while (frame_fill_step())
		;
	assert_int_equal(filled, 5 + B - 5);
	region_keep(pfn, 2);
	assert_true(frame_has_unfilled());
	fixture_assert_books();
	assert_int_equal(region_claim(&all, 9, &pfn), 2);
	region_leave(pfn, 2);
	assert_false(frame_has_unfilled());
	fixture_assert_books();
}

static void assert_broken(const char *what)
{
	char verdict[LEDGER_VERDICT_MAX];

	assert_false(ledger_audit(verdict));
	assert_string_equal(verdict, what);
}

static void the_audit_counts_what_is_plugged_and_what_is_not(void **state)
{
	(void)state;
	start();
	region_plug(REGION, 3);
	frame_map.count[OWNER_ABSENT]++;
	assert_broken("BROKEN absent: counted 152064, booked 152065");
	frame_map.count[OWNER_ABSENT]--;
	frame_map.managed++;
	assert_broken("BROKEN owners have 5632 of 5633 frames");
	frame_map.managed--;
	frame_map.region_free++;
	assert_broken("BROKEN free, in regions: counted 1536, booked 1537");
	frame_map.region_free--;
	frame_map.section_free[0]++;
	assert_broken("BROKEN free, in sections: counted 1536, booked 1537");
	frame_map.section_free[0]--;
	frame_map_record(BOOT_BLOCKS + 2)->owner = OWNER_HELD;
	assert_broken("BROKEN block 10: record says 512 free, order 9; map says 0, 255");
	frame_map_record(BOOT_BLOCKS + 2)->owner = OWNER_FREE;
	frame_map_record(BOOT_BLOCKS + 3)->free_count = 1;
	assert_broken("BROKEN block 11: record says 1 free, order 255; map says 0, 255");
	frame_map_record(BOOT_BLOCKS + 3)->free_count = 0;
	fixture_assert_books();
}

/* A section that is not there is skipped, but not what is said of its blocks. */
static void the_audit_names_what_is_wrong_where_nothing_is_plugged(void **state)
{
	const size_t absent = BOOT_BLOCKS + 150;

	(void)state;
	start();
	region_plug(REGION, 3);
	bitset_add(&frame_map.by_order[3], absent);
	bitset_add(&frame_map.by_order[1], absent + 1);
	assert_broken("BROKEN block 158 of order 255 is wrong in list 3");
	bitset_remove(&frame_map.by_order[3], absent);
	bitset_remove(&frame_map.by_order[1], absent + 1);
	bitset_add(&frame_fill.unfilled, BOOT_BLOCKS + REGION_BLOCKS - 1);
	assert_broken("BROKEN block 307 is to be filled, but has nothing to fill");
	bitset_remove(&frame_fill.unfilled, BOOT_BLOCKS + REGION_BLOCKS - 1);
	bitset_remove(&frame_map.known, absent);
	assert_broken("BROKEN 10 blocks are listed as whole, 11 are");
	bitset_add(&frame_map.known, absent);
	/* What follows is there. */
	region_plug(REGION + 256 * B, 1);
	frame_map_record(BOOT_BLOCKS + 256)->owner = OWNER_HELD;
	assert_broken("BROKEN block 264: record says 512 free, order 9; map says 0, 255");
	frame_map_record(BOOT_BLOCKS + 256)->owner = OWNER_FREE;
	fixture_assert_books();
}

static size_t audit_steps(void)
{
	char verdict[LEDGER_VERDICT_MAX];
	struct ledger_audit audit;
	enum ledger_step step;
	size_t steps = 0;

	ledger_audit_begin(&audit, true);
	do {
		step = ledger_audit_step(&audit, verdict);
		steps++;
	} while (step == LEDGER_MORE);
	assert_int_equal(step, LEDGER_SOUND);
	return steps;
}

/* Block by block it would be more than a hundred. */
static void to_audit_what_is_not_there_costs_a_step_or_two(void **state)
{
	const size_t tib = (size_t)1 << 19;
	const pfn_t region = RAM + 4 * GIB / FRAME_SIZE;

	(void)state;
	region_fixture_boot(GIB / FRAME_SIZE);
	region_announce(region, tib);
	assert_int_equal(audit_steps(), 2);
	/* Two that are there, and all that lies between. */
	region_plug(region + 5 * B, 1);
	region_plug(region + (tib - 1) * B, 1);
	assert_int_equal(audit_steps(), 2);
	fixture_assert_books();
}

static void to_audit_some_sections_that_are_not_there_costs_no_step(void **state)
{
	(void)state;
	region_fixture_boot(GIB / FRAME_SIZE);
	region_announce(RAM + 4 * GIB / FRAME_SIZE, 10 * SECTION_BLOCKS);
	region_announce(RAM + 8 * GIB / FRAME_SIZE, 10 * SECTION_BLOCKS);
	assert_int_equal(audit_steps(), 1);
}

#define TEST(name) cmocka_unit_test_teardown(name, fixture_stop)

/* With records that lie it shows which of them are read: none of a section that is in it whole. */
static void of_a_whole_section_no_record_is_read(void **state)
{
	const pfn_t full = REGION + SECTION_BLOCKS * B, end = REGION + REGION_BLOCKS * B;
	struct frame_record *record;

	(void)state;
	start();
	region_plug(REGION, 2 * SECTION_BLOCKS);
	record = frame_map_record(BOOT_BLOCKS + SECTION_BLOCKS + 7);
	record->free_count -= 5;
	assert_int_equal(frame_region_free_within(0, PFN_NONE), frame_map.region_free);
	assert_int_equal(frame_region_free_within(full + B, PFN_NONE),
			 (SECTION_BLOCKS - 1) * B - 5);
	record->free_count += 5;
	record->owner = OWNER_ABSENT;
	assert_int_equal(frame_region_find(REGION, end, true), REGION + 2 * SECTION_BLOCKS * B);
	record->owner = OWNER_FREE;
	assert_int_equal(frame_region_find(REGION + 2 * SECTION_BLOCKS * B, end, false), end);
	assert_int_equal(frame_region_find(REGION, RAM, false), RAM);
	fixture_assert_books();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(announced_memory_is_absent_and_in_no_sum),
		TEST(what_cannot_be_a_region_is_refused_and_changes_nothing),
		TEST(there_are_so_many_regions_and_no_more),
		TEST(what_is_kept_ready_has_room_for_a_region_and_its_tables),
		TEST(what_is_kept_ready_grows_with_what_may_come),
		TEST(without_room_for_its_numbers_nothing_is_announced),
		TEST(another_region_moves_the_sets_with_all_that_is_in_them),
		TEST(plugged_blocks_are_free_and_the_total_grows),
		TEST(what_cannot_come_is_refused_and_changes_nothing),
		TEST(growing_works_with_no_free_frame_100_times_of_100),
		TEST(growing_block_by_block_works_with_no_free_frame),
		TEST(growing_asks_no_reclaimer_and_fails_no_allocation),
		TEST(blocks_leave_in_two_steps_and_the_total_falls_with_the_second),
		TEST(blocks_that_the_host_would_not_have_are_free_again),
		TEST(what_cannot_leave_is_refused_and_changes_nothing),
		TEST(a_claim_takes_the_highest_free_units_that_lie_together),
		TEST(a_claim_keeps_within_its_part),
		TEST(a_part_that_is_none_is_refused),
		TEST(particular_blocks_can_be_claimed_as_well),
		TEST(a_claim_of_particular_blocks_moves_books_out_of_them),
		TEST(held_units_are_found_from_the_highest_down),
		TEST(units_in_which_others_have_a_frame_are_not_held),
		TEST(blocks_that_were_held_once_are_held_no_more),
		TEST(units_are_held_by_several_together),
		TEST(nobody_holds_a_part_that_is_none),
		TEST(a_region_contains_its_blocks_and_no_others),
		TEST(regions_are_listed_in_the_order_of_their_addresses),
		TEST(books_come_and_leave_with_their_blocks),
		TEST(books_in_a_region_move_when_the_boot_has_room),
		TEST(without_room_the_block_with_the_books_stays),
		TEST(of_two_sections_the_one_in_memory_of_the_boot_is_kept),
		TEST(a_tib_that_is_announced_costs_less_than_2_mib),
		TEST(a_gib_that_is_announced_costs_little),
		TEST(small_runs_come_from_the_boot_while_it_has_any),
		TEST(an_allocation_of_the_boot_is_one),
		TEST(free_frames_of_the_boot_are_counted_apart),
		TEST(runs_of_blocks_end_where_a_region_begins),
		TEST(the_host_need_not_be_told_of_blocks_that_come),
		TEST(frames_are_collected_and_taken_across_the_boundary),
		TEST(blocks_that_come_are_filled_before_they_are_used),
		TEST(the_audit_counts_what_is_plugged_and_what_is_not),
		TEST(the_audit_names_what_is_wrong_where_nothing_is_plugged),
		TEST(to_audit_what_is_not_there_costs_a_step_or_two),
		TEST(to_audit_some_sections_that_are_not_there_costs_no_step),
		TEST(of_a_whole_section_no_record_is_read),
	};

	return cmocka_run_group_tests_name("frame_region", tests, region_fixture_reserve, NULL);
}
