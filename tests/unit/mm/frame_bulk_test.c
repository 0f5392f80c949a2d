/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mm/frame.c: frames in bulk, whole blocks, the owner map as a list, and the
 * reclaimer. What is expected is found frame by frame, with frame_owner().
 */
#include "tests/unit/mm/frame_fixture.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "mm/ledger.h"

#define BASE ((pfn_t)0x100000200)
#define PFNS_MAX 16384

static pfn_t pfns[PFNS_MAX];

/* ---- Bulk ---- */

/* What the map has below a limit, before a bulk allocation. */
struct supply {
	size_t free;
	size_t broken;	/* of these, in blocks that are not whole */
	uint64_t whole; /* a bit for each block: it is */
};

static size_t count_free(pfn_t start, pfn_t end)
{
	size_t n = 0;

	for (pfn_t pfn = start; pfn < end; pfn++)
		n += frame_owner(pfn) == OWNER_FREE;
	return n;
}

static struct supply supply_below(pfn_t start, pfn_t end, pfn_t limit)
{
	struct supply s = { 0, 0, 0 };
	uint64_t bit = 1;

	for (pfn_t block = align_down(start, BLOCK_FRAMES); block < end && block < limit;
	     block += BLOCK_FRAMES, bit <<= 1) {
		pfn_t last = block + BLOCK_FRAMES;
		size_t n = count_free(block, last < limit ? last : limit);

		s.free += n;
		if (count_free(block, last) < BLOCK_FRAMES)
			s.broken += n;
		else
			s.whole |= bit;
	}
	return s;
}

/* Free frames below a limit in the blocks that have a bit in `mask`. */
static size_t left_in_blocks(pfn_t start, pfn_t limit, uint64_t mask)
{
	pfn_t block = align_down(start, BLOCK_FRAMES);
	size_t n = 0;

	for (; mask != 0 && block < limit; block += BLOCK_FRAMES, mask >>= 1)
		if (mask & 1)
			n += count_free(block, block + BLOCK_FRAMES < limit ? block + BLOCK_FRAMES
									    : limit);
	return n;
}

/* Allocates in bulk in [start, end) and holds the outcome against the contract. */
static size_t bulk(pfn_t start, pfn_t end, size_t count, pfn_t limit)
{
	struct supply before = supply_below(start, end, limit);
	struct supply after;
	uint64_t blocks = frame_free_blocks();
	uint64_t owned = ledger_count(OWNER_BALLOON);
	size_t expect = count < before.free ? count : before.free;
	size_t got;

	assert_true(count < PFNS_MAX);
	pfns[expect] = PFN_UNTOUCHED;
	got = frame_alloc_bulk(count, limit, OWNER_BALLOON, pfns);
	assert_int_equal(got, expect);
	assert_int_equal(pfns[got], PFN_UNTOUCHED);
	for (size_t i = 0; i < got; i++) {
		assert_int_equal(frame_owner(pfns[i]), OWNER_BALLOON);
		assert_true(pfns[i] < limit);
		assert_true(i == 0 || pfns[i - 1] < pfns[i]);
	}
	assert_int_equal(ledger_count(OWNER_BALLOON), owned + got);
	after = supply_below(start, end, limit);
	assert_int_equal(after.free, before.free - got);
	if (got <= before.broken) {
		assert_int_equal(frame_free_blocks(), blocks);
	} else {
		uint64_t broken = before.whole & ~after.whole;

		/* Just enough whole blocks, the lowest, and nothing left of the broken ones. */
		assert_int_equal(blocks - frame_free_blocks(),
				 (got - before.broken + BLOCK_FRAMES - 1) / BLOCK_FRAMES);
		assert_true(after.whole == 0 || broken < (after.whole & -after.whole));
		assert_int_equal(left_in_blocks(start, limit, ~before.whole), 0);
	}
	fixture_assert_books();
	return got;
}

static void bulk_takes_from_one_frame_to_all_there_are(void **state)
{
	static const size_t counts[] = { 0,   1,    2,	  63,	64,   65,   511, 512,
					 513, 1000, 1024, 2047, 2048, 2049, 9000 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(counts); i++) {
		fixture_start_one(BASE, BASE + 4 * BLOCK_FRAMES);
		bulk(BASE, BASE + 4 * BLOCK_FRAMES, counts[i], PFN_NONE);
		fixture_start_one(BASE + 3, BASE + 4 * BLOCK_FRAMES - 5);
		bulk(BASE, BASE + 4 * BLOCK_FRAMES, counts[i], PFN_NONE);
	}
}

static void bulk_in_a_new_map_takes_the_lowest_frames(void **state)
{
	(void)state;
	fixture_start_one(BASE, BASE + 4 * BLOCK_FRAMES);
	assert_int_equal(bulk(BASE, BASE + 4 * BLOCK_FRAMES, 1300, PFN_NONE), 1300);
	for (size_t i = 0; i < 1300; i++)
		assert_int_equal(pfns[i], BASE + i);
	assert_int_equal(bulk(BASE, BASE + 4 * BLOCK_FRAMES, 300, PFN_NONE), 300);
	assert_int_equal(pfns[0], BASE + 1300);
}

static void bulk_uses_up_broken_blocks_first(void **state)
{
	pfn_t end = BASE + 8 * BLOCK_FRAMES;

	(void)state;
	for (size_t count = 1; count < 2000; count += 37) {
		fixture_start_one(BASE, end);
		/* 10 frames in block 2, 300 in block 5. */
		fixture_reserve(BASE + 2 * BLOCK_FRAMES + 10, BLOCK_FRAMES - 10, OWNER_HELD);
		fixture_reserve(BASE + 5 * BLOCK_FRAMES, BLOCK_FRAMES - 300, OWNER_HELD);
		bulk(BASE, end, count, PFN_NONE);
	}
}

static void one_frame_more_than_the_broken_blocks_have_breaks_one_more(void **state)
{
	pfn_t end = BASE + 4 * BLOCK_FRAMES;

	(void)state;
	fixture_start_one(BASE, end);
	fixture_reserve(BASE + 2 * BLOCK_FRAMES, BLOCK_FRAMES - 10, OWNER_HELD);
	assert_int_equal(bulk(BASE, end, 11, PFN_NONE), 11);
	/* The lowest whole block is lower than the broken one. */
	assert_int_equal(pfns[0], BASE);
	assert_int_equal(pfns[1], BASE + 3 * BLOCK_FRAMES - 10);
	assert_int_equal(pfns[10], BASE + 3 * BLOCK_FRAMES - 1);
}

static void bulk_stays_below_its_limit_wherever_that_is(void **state)
{
	pfn_t end = BASE + 3 * BLOCK_FRAMES;

	(void)state;
	for (pfn_t limit = BASE - 300; limit < end + 300; limit += 67) {
		fixture_start_one(BASE, end);
		bulk(BASE, end, 10000, limit);
		fixture_start_one(BASE, end);
		fixture_reserve(BASE + 700, 20, OWNER_HELD);
		bulk(BASE, end, 600, limit);
	}
	fixture_start_one(BASE, end);
	assert_int_equal(bulk(BASE, end, 10, 0), 0);
	assert_int_equal(bulk(BASE, end, 10, BASE), 0);
	assert_int_equal(bulk(BASE, end, 10, BASE + 1), 1);
	assert_int_equal(bulk(BASE, end, 10, BASE + 8), 7);
	assert_int_equal(bulk(BASE, end, 600, BASE + 512), 504);
}

static void bulk_skips_holes_and_crosses_ranges(void **state)
{
	static const struct mem_range ranges[] = {
		{ 0x001, 0x09f },
		{ 0x100, 0x3f0 },
		{ 0x410, 0x7dc },
		{ 0x1001, 0x1702 },
	};

	(void)state;
	for (pfn_t limit = 0; limit < 0x1a00; limit += 0x95) {
		for (size_t count = 1; count < 5000; count *= 7) {
			fixture_start(ranges, ARRAY_SIZE(ranges));
			bulk(0, 0x1800, count, limit);
		}
	}
}

static void bulk_on_random_maps_keeps_its_word(void **state)
{
	pfn_t end = BASE + 6 * BLOCK_FRAMES;

	(void)state;
	for (unsigned round = 0; round < 500; round++) {
		fixture_start_one(BASE + 7, end);
		for (unsigned n = 0; n < 12; n++) {
			size_t count = 1 + (size_t)random() % 200;

			/* May be refused, where it hits what is taken. */
			frame_reserve(BASE + 7 + (pfn_t)random() % (end - BASE - 300), count,
				      OWNER_HELD);
		}
		for (unsigned n = 0; n < 4; n++) {
			pfn_t limit = BASE + (pfn_t)random() % (end - BASE + 100);

			bulk(BASE, end, (size_t)random() % 800, random() % 2 ? limit : PFN_NONE);
		}
	}
}

/* ---- Whole blocks ---- */

static void whole_blocks_come_in_ascending_order_below_the_limit(void **state)
{
	static const struct mem_range ranges[] = {
		{ 0x1ff, 0x800 },
		{ 0xa00, 0xe00 },
		{ 0x2001, 0x2400 },
	};
	static const pfn_t blocks[] = { 0x200, 0x400, 0x600, 0xa00, 0xc00, 0x2200 };
	pfn_t pfn;

	(void)state;
	for (size_t n = 0; n <= ARRAY_SIZE(blocks); n++) {
		pfn_t limit = n < ARRAY_SIZE(blocks) ? blocks[n] + BLOCK_FRAMES - 1 : PFN_NONE;

		fixture_start(ranges, ARRAY_SIZE(ranges));
		for (size_t i = 0; i < n; i++) {
			pfn = PFN_UNTOUCHED;
			assert_int_equal(frame_alloc_block(limit, OWNER_BALLOON, &pfn), 0);
			assert_int_equal(pfn, blocks[i]);
			fixture_assert_owner(pfn, BLOCK_FRAMES, OWNER_BALLOON);
		}
		pfn = PFN_UNTOUCHED;
		assert_int_equal(frame_alloc_block(limit, OWNER_BALLOON, &pfn), -ENOMEM);
		assert_int_equal(pfn, PFN_UNTOUCHED);
		if (n < ARRAY_SIZE(blocks))
			assert_int_equal(frame_alloc_block(limit + 1, OWNER_BALLOON, &pfn), 0);
		fixture_assert_books();
	}
}

static void a_block_with_one_frame_taken_is_not_whole(void **state)
{
	pfn_t pfn;

	(void)state;
	fixture_start_one(BASE, BASE + 3 * BLOCK_FRAMES);
	fixture_reserve(BASE + 511, 1, OWNER_HELD);
	fixture_reserve(BASE + 1024, 1, OWNER_HELD);
	assert_int_equal(frame_alloc_block(PFN_NONE, OWNER_BALLOON, &pfn), 0);
	assert_int_equal(pfn, BASE + 512);
	assert_int_equal(frame_alloc_block(PFN_NONE, OWNER_BALLOON, &pfn), -ENOMEM);
	fixture_free(BASE + 511, 1, OWNER_HELD);
	assert_int_equal(frame_alloc_block(PFN_NONE, OWNER_BALLOON, &pfn), 0);
	assert_int_equal(pfn, BASE);
	fixture_assert_books();
}

/* ---- The owner map as a list ---- */

/* Collects from `from` on, in portions, and compares with a walk over all frames. */
static void assert_list(enum owner owner, pfn_t start, pfn_t end, pfn_t from, size_t portion)
{
	pfn_t at = from;
	pfn_t walk = from > start ? from : start;
	size_t got;

	do {
		pfns[portion] = PFN_UNTOUCHED;
		got = frame_collect(owner, at, portion, pfns);
		assert_true(got <= portion);
		assert_int_equal(pfns[portion], PFN_UNTOUCHED);
		for (size_t i = 0; i < got; i++, walk++) {
			while (walk < end && frame_owner(walk) != owner)
				walk++;
			assert_int_equal(pfns[i], walk);
		}
		at = walk;
	} while (got == portion);
	while (walk < end && frame_owner(walk) != owner)
		walk++;
	assert_int_equal(walk < end ? walk : end, walk < end ? PFN_NONE : end);
}

static void a_list_has_the_frames_of_one_owner_ascending(void **state)
{
	static const size_t portions[] = { 1, 3, 256, 511, 512, 513, 5000 };
	pfn_t end = BASE + 6 * BLOCK_FRAMES;

	(void)state;
	fixture_start_one(BASE + 9, end);
	fixture_reserve(BASE + 9, 3, OWNER_BALLOON);
	fixture_reserve(BASE + 100, 900, OWNER_BALLOON);
	fixture_reserve(BASE + 1000, 50, OWNER_HELD);
	fixture_reserve(BASE + 1536, 512, OWNER_BALLOON);
	fixture_reserve(end - 1, 1, OWNER_BALLOON);
	for (size_t i = 0; i < ARRAY_SIZE(portions); i++) {
		for (pfn_t from = BASE - 10; from < end + 20; from += 101) {
			assert_list(OWNER_BALLOON, BASE, end, from, portions[i]);
			assert_list(OWNER_HELD, BASE, end, from, portions[i]);
			assert_list(OWNER_STACKS, BASE, end, from, portions[i]);
		}
		assert_list(OWNER_BALLOON, BASE, end, 0, portions[i]);
	}
	assert_int_equal(frame_collect(OWNER_BALLOON, 0, 0, pfns), 0);
	assert_int_equal(frame_collect(OWNER_BALLOON, end - 1, 5, pfns), 1);
	assert_int_equal(frame_collect(OWNER_BALLOON, end, 5, pfns), 0);
	assert_int_equal(frame_collect(OWNER_BALLOON, PFN_NONE, 5, pfns), 0);
}

static void a_list_forgets_what_was_freed_and_knows_what_came_back(void **state)
{
	pfn_t end = BASE + 6 * BLOCK_FRAMES;

	(void)state;
	fixture_start_one(BASE, end);
	for (unsigned round = 0; round < 3; round++) {
		fixture_reserve(BASE, 6 * BLOCK_FRAMES, OWNER_BALLOON);
		assert_list(OWNER_BALLOON, BASE, end, 0, 256);
		fixture_free(BASE + 512, 1024, OWNER_BALLOON);
		/* From within a block: nothing is found this time only. */
		assert_list(OWNER_BALLOON, BASE, end, BASE + 700, 256);
		fixture_free(BASE + 1600, 1472, OWNER_BALLOON);
		assert_list(OWNER_BALLOON, BASE, end, BASE + 1601, 256);
		assert_list(OWNER_BALLOON, BASE, end, 0, 256);
		fixture_reserve(BASE + 600, 1, OWNER_BALLOON);
		assert_list(OWNER_BALLOON, BASE, end, 0, 256);
		assert_int_equal(frame_change_owner(BASE + 600, 1, OWNER_BALLOON, OWNER_HELD), 0);
		assert_list(OWNER_BALLOON, BASE, end, 0, 256);
		assert_list(OWNER_HELD, BASE, end, 0, 256);
		assert_int_equal(frame_change_owner(BASE + 600, 1, OWNER_HELD, OWNER_BALLOON), 0);
		fixture_free(BASE + 600, 1, OWNER_BALLOON);
		fixture_free(BASE, 512, OWNER_BALLOON);
		fixture_free(BASE + 1536, 64, OWNER_BALLOON);
		assert_int_equal(frame_collect(OWNER_BALLOON, 0, 5, pfns), 0);
		fixture_assert_books();
	}
}

static void a_list_knows_frames_however_they_were_had(void **state)
{
	pfn_t end = BASE + 8 * BLOCK_FRAMES;
	pfn_t pfn;

	(void)state;
	fixture_start_one(BASE, end);
	fixture_alloc(3, OWNER_BALLOON);
	fixture_alloc(10, OWNER_BALLOON);
	frame_alloc_bulk(600, PFN_NONE, OWNER_BALLOON, pfns);
	assert_int_equal(frame_alloc_block(PFN_NONE, OWNER_BALLOON, &pfn), 0);
	fixture_reserve(end - 3, 3, OWNER_IN_FLIGHT);
	assert_int_equal(frame_change_owner(end - 3, 3, OWNER_IN_FLIGHT, OWNER_BALLOON), 0);
	assert_list(OWNER_BALLOON, BASE, end, 0, 100);
	assert_int_equal(frame_collect(OWNER_BALLOON, 0, PFNS_MAX, pfns), 8 + 1024 + 600 + 512 + 3);
}

/* ---- The reclaimer ---- */

static struct {
	unsigned calls;
	unsigned order;
	unsigned useless; /* calls that free one frame in an odd place */
	pfn_t pfn;	  /* then these are freed */
	size_t count;
} reclaimer;

static size_t reclaim(unsigned order)
{
	size_t count = reclaimer.count;

	reclaimer.calls++;
	reclaimer.order = order;
	if (reclaimer.useless > 0) {
		reclaimer.useless--;
		fixture_free(BASE + 1 + 2 * reclaimer.useless, 1, OWNER_BALLOON);
		return 1;
	}
	if (count > 0)
		fixture_free(reclaimer.pfn, count, OWNER_BALLOON);
	reclaimer.count = 0;
	return count;
}

/* A map that the balloon has all of. */
static void start_ballooned(void)
{
	fixture_start_one(BASE, BASE + 3 * BLOCK_FRAMES);
	fixture_reserve(BASE, 3 * BLOCK_FRAMES, OWNER_BALLOON);
	memset(&reclaimer, 0, sizeof(reclaimer));
	frame_set_reclaimer(reclaim);
}

static void a_reclaimer_that_frees_makes_the_allocation_succeed(void **state)
{
	(void)state;
	for (unsigned order = 0; order <= 10; order++) {
		start_ballooned();
		/* The upper two blocks are a pair, by their address. */
		reclaimer.pfn = BASE + BLOCK_FRAMES;
		reclaimer.count = (size_t)1 << order;
		assert_int_equal(fixture_alloc(order, OWNER_HEAP), reclaimer.pfn);
		assert_int_equal(reclaimer.calls, 1);
		assert_int_equal(reclaimer.order, order);
		assert_int_equal(ledger_count(OWNER_HEAP), 1u << order);
		fixture_assert_books();
	}
}

static void a_reclaimer_that_frees_nothing_ends_it(void **state)
{
	pfn_t pfn = PFN_UNTOUCHED;

	(void)state;
	start_ballooned();
	assert_int_equal(frame_alloc(3, OWNER_HEAP, &pfn), -ENOMEM);
	assert_int_equal(pfn, PFN_UNTOUCHED);
	assert_int_equal(reclaimer.calls, 1);
	assert_int_equal(ledger_count(OWNER_BALLOON), 3 * BLOCK_FRAMES);
	fixture_assert_books();
}

static void a_reclaimer_is_asked_again_when_that_was_not_enough(void **state)
{
	(void)state;
	start_ballooned();
	reclaimer.useless = 3;
	reclaimer.pfn = BASE + 64;
	reclaimer.count = 16;
	assert_int_equal(fixture_alloc(4, OWNER_HEAP), BASE + 64);
	assert_int_equal(reclaimer.calls, 4);
	assert_int_equal(ledger_count(OWNER_FREE), 3);
	fixture_assert_books();
}

static void a_reclaimer_that_frees_in_vain_ends_with_enomem(void **state)
{
	pfn_t pfn = PFN_UNTOUCHED;

	(void)state;
	start_ballooned();
	reclaimer.useless = 200;
	assert_int_equal(frame_alloc(1, OWNER_HEAP, &pfn), -ENOMEM);
	assert_int_equal(reclaimer.calls, 8);
	assert_int_equal(reclaimer.useless, 192);
	fixture_assert_books();
}

static void nobody_asks_the_reclaimer_without_need(void **state)
{
	pfn_t pfn;

	(void)state;
	start_ballooned();
	reclaimer.pfn = BASE;
	reclaimer.count = 512;
	assert_int_equal(frame_alloc_bulk(5, PFN_NONE, OWNER_HEAP, pfns), 0);
	assert_int_equal(frame_alloc_block(PFN_NONE, OWNER_HEAP, &pfn), -ENOMEM);
	assert_int_equal(frame_alloc(FRAME_ORDER_MAX + 1, OWNER_HEAP, &pfn), -EINVAL);
	assert_int_equal(frame_reserve(BASE, 1, OWNER_HEAP), -EPERM);
	fixture_free(BASE + 600, 8, OWNER_BALLOON);
	fixture_alloc(3, OWNER_HEAP);
	assert_int_equal(reclaimer.calls, 0);
	frame_set_reclaimer(NULL);
	assert_int_equal(frame_alloc(0, OWNER_HEAP, &pfn), -ENOMEM);
	assert_int_equal(reclaimer.calls, 0);
}

#define TEST(name) cmocka_unit_test_teardown(name, fixture_stop)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(bulk_takes_from_one_frame_to_all_there_are),
		TEST(bulk_in_a_new_map_takes_the_lowest_frames),
		TEST(bulk_uses_up_broken_blocks_first),
		TEST(one_frame_more_than_the_broken_blocks_have_breaks_one_more),
		TEST(bulk_stays_below_its_limit_wherever_that_is),
		TEST(bulk_skips_holes_and_crosses_ranges),
		TEST(bulk_on_random_maps_keeps_its_word),
		TEST(whole_blocks_come_in_ascending_order_below_the_limit),
		TEST(a_block_with_one_frame_taken_is_not_whole),
		TEST(a_list_has_the_frames_of_one_owner_ascending),
		TEST(a_list_forgets_what_was_freed_and_knows_what_came_back),
		TEST(a_list_knows_frames_however_they_were_had),
		TEST(a_reclaimer_that_frees_makes_the_allocation_succeed),
		TEST(a_reclaimer_that_frees_nothing_ends_it),
		TEST(a_reclaimer_is_asked_again_when_that_was_not_enough),
		TEST(a_reclaimer_that_frees_in_vain_ends_with_enomem),
		TEST(nobody_asks_the_reclaimer_without_need),
	};

	return cmocka_run_group_tests_name("frame_bulk", tests, NULL, NULL);
}
