/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mm/frame.c: setting up, runs of every order, merges and splits, and what is
 * refused. Bulk, blocks, lists and the reclaimer: frame_bulk_test.c.
 */
#include "tests/unit/mm/frame_fixture.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "mm/ledger.h"

/* A block that is nobody's neighbour, far above 2^32 frames. */
#define BASE ((pfn_t)0x100000200)

/* ---- Setting up ---- */

static void a_new_map_is_all_free(void **state)
{
	(void)state;
	fixture_start_one(BASE, BASE + 4 * BLOCK_FRAMES);
	fixture_assert_books();
	assert_int_equal(ledger_count(OWNER_FREE), 4 * BLOCK_FRAMES);
	assert_int_equal(frame_free_blocks(), 4);
	fixture_assert_owner(BASE, 4 * BLOCK_FRAMES, OWNER_FREE);
	assert_int_equal(ledger_refused(), 0);
}

static void a_map_without_frames_refuses_everything(void **state)
{
	pfn_t pfn = PFN_UNTOUCHED;

	(void)state;
	assert_int_equal(frame_init_bytes(&(struct memmap){ .count = 0 }), 0);
	fixture_start(NULL, 0);
	fixture_assert_books();
	for (unsigned order = 0; order <= FRAME_ORDER_MAX; order++)
		assert_int_equal(frame_alloc(order, OWNER_HEAP, &pfn), -ENOMEM);
	assert_int_equal(frame_alloc_block(PFN_NONE, OWNER_HEAP, &pfn), -ENOMEM);
	assert_int_equal(frame_alloc_bulk(1, PFN_NONE, OWNER_HEAP, &pfn), 0);
	assert_int_equal(frame_collect(OWNER_HEAP, 0, 1, &pfn), 0);
	assert_int_equal(frame_free(0, 1, OWNER_HEAP), -EINVAL);
	assert_int_equal(frame_owner(0), OWNER_ABSENT);
	assert_int_equal(frame_free_blocks(), 0);
	assert_int_equal(pfn, PFN_UNTOUCHED);
}

static void setting_up_again_begins_anew(void **state)
{
	(void)state;
	fixture_start_one(BASE, BASE + 3 * BLOCK_FRAMES);
	for (unsigned order = 0; order < 9; order++)
		fixture_alloc(order, OWNER_HEAP);
	assert_int_equal(frame_free(0, 1, OWNER_HEAP), -EINVAL);
	fixture_start_one(0x100, 0x500);
	fixture_assert_books();
	assert_int_equal(ledger_count(OWNER_HEAP), 0);
	assert_int_equal(ledger_count(OWNER_FREE), 0x400);
	assert_int_equal(ledger_refused(), 0);
	assert_int_equal(frame_owner(BASE), OWNER_ABSENT);
	fixture_assert_owner(0x100, 0x400, OWNER_FREE);
}

static void frames_at_range_edges_and_in_holes_are_absent(void **state)
{
	/* Holes within a block, over its end, of whole blocks; lone frames at both its ends. */
	static const struct mem_range ranges[] = {
		{ 1, 0x9f },	    { 0x100, 0x3f0 },	{ 0x410, 0x7fdc },
		{ 0x8fff, 0x9001 }, { 0x91ff, 0x9201 },
	};
	uint64_t free_frames = 0;

	(void)state;
	fixture_start(ranges, ARRAY_SIZE(ranges));
	fixture_assert_books();
	for (pfn_t pfn = 0; pfn < 0xa000; pfn++) {
		bool ram = false;

		for (size_t i = 0; i < ARRAY_SIZE(ranges); i++)
			ram |= pfn >= ranges[i].start && pfn < ranges[i].end;
		assert_int_equal(frame_owner(pfn), ram ? OWNER_FREE : OWNER_ABSENT);
		free_frames += ram;
	}
	assert_int_equal(ledger_count(OWNER_FREE), free_frames);
	assert_int_equal(frame_owner(PFN_NONE), OWNER_ABSENT);
	assert_int_equal(frame_owner((pfn_t)1 << 52), OWNER_ABSENT);
}

static void every_range_of_thirty_two_is_managed(void **state)
{
	struct mem_range ranges[MEM_RANGES_MAX];
	uint64_t frames = 0;

	(void)state;
	for (size_t i = 0; i < MEM_RANGES_MAX; i++) {
		ranges[i].start = BASE + i * 0x4321;
		ranges[i].end = ranges[i].start + 1 + i * 0x111;
		frames += 1 + i * 0x111;
	}
	fixture_start(ranges, MEM_RANGES_MAX);
	fixture_assert_books();
	for (size_t i = 0; i < MEM_RANGES_MAX; i++) {
		assert_int_equal(frame_owner(ranges[i].start - 1), OWNER_ABSENT);
		assert_int_equal(frame_owner(ranges[i].start), OWNER_FREE);
		assert_int_equal(frame_owner(ranges[i].end - 1), OWNER_FREE);
		assert_int_equal(frame_owner(ranges[i].end), OWNER_ABSENT);
	}
	for (; frames > 0; frames--)
		fixture_alloc(0, OWNER_HEAP);
	assert_int_equal(ledger_count(OWNER_FREE), 0);
	fixture_assert_books();
}

static void many_ranges_in_one_block_share_it(void **state)
{
	struct mem_range ranges[MEM_RANGES_MAX];

	(void)state;
	for (size_t i = 0; i < MEM_RANGES_MAX; i++)
		ranges[i] = (struct mem_range){ BASE + i * 8 + 1, BASE + i * 8 + 4 };
	fixture_start(ranges, MEM_RANGES_MAX);
	fixture_assert_books();
	assert_int_equal(ledger_count(OWNER_FREE), 3 * MEM_RANGES_MAX);
	/* Of frames 1, 2 and 3 the aligned pair is 2 and 3. */
	assert_int_equal(fixture_alloc(1, OWNER_HEAP) % 8, 2);
}

static void the_metadata_is_at_most_a_quarter_more_than_a_byte_a_frame(void **state)
{
	static const uint64_t frames[] = { 1, 0x1000, 0x4000, 0x40000, 0x10000000, 1ull << 32 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(frames); i++) {
		struct memmap m = { .count = 1, .frames = frames[i] };
		uint64_t most = frames[i] + frames[i] / 4 + FRAME_SIZE;

		m.range[0] = (struct mem_range){ 0x100, 0x100 + frames[i] };
		assert_true(frame_init_bytes(&m) <= most);
		m.range[0] = (struct mem_range){ BASE, BASE + frames[i] };
		assert_true(frame_init_bytes(&m) <= most);
	}
}

/* ---- Runs of every order ---- */

/* How many naturally aligned runs the map has. */
static uint64_t runs_in_map(unsigned order)
{
	uint64_t size = (uint64_t)1 << order;
	uint64_t sum = 0;

	for (size_t i = 0; i < fixture_map()->count; i++) {
		const struct mem_range *r = &fixture_map()->range[i];

		if (align_up(r->start, size) < r->end)
			sum += (r->end - align_up(r->start, size)) >> order;
	}
	return sum;
}

static bool in_map(pfn_t pfn, uint64_t count)
{
	for (size_t i = 0; i < fixture_map()->count; i++) {
		const struct mem_range *r = &fixture_map()->range[i];

		if (pfn >= r->start && pfn + count <= r->end)
			return true;
	}
	return false;
}

/* All runs of an order are had, each once and aligned by its address; then none. */
static void exhaust(unsigned order)
{
	uint64_t runs = runs_in_map(order);
	size_t size = (size_t)1 << order;
	uint64_t free_frames = ledger_count(OWNER_FREE);
	pfn_t *pfns = calloc(runs + 1, sizeof(*pfns));
	pfn_t none = PFN_UNTOUCHED;

	assert_non_null(pfns);
	for (uint64_t n = 0; n < runs; n++) {
		pfns[n] = fixture_alloc(order, OWNER_VIRTQUEUES);
		assert_int_equal(pfns[n] % size, 0);
		assert_true(in_map(pfns[n], size));
		assert_int_equal(frame_owner(pfns[n]), OWNER_VIRTQUEUES);
		assert_int_equal(frame_owner(pfns[n] + size - 1), OWNER_VIRTQUEUES);
	}
	assert_int_equal(ledger_count(OWNER_VIRTQUEUES), runs * size);
	assert_int_equal(frame_alloc(order, OWNER_VIRTQUEUES, &none), -ENOMEM);
	assert_int_equal(none, PFN_UNTOUCHED);
	fixture_assert_books();
	/* Back in another order: every second one first. */
	for (uint64_t n = 0; n < runs; n += 2)
		fixture_free(pfns[n], size, OWNER_VIRTQUEUES);
	for (uint64_t n = 1; n < runs; n += 2)
		fixture_free(pfns[n], size, OWNER_VIRTQUEUES);
	assert_int_equal(ledger_count(OWNER_FREE), free_frames);
	fixture_assert_books();
	free(pfns);
}

static void runs_of_all_orders_are_aligned_in_low_memory(void **state)
{
	static const struct mem_range ranges[] = { { 1, 0x9f }, { 0x100, 0x7ffdc } };

	(void)state;
	for (unsigned order = 0; order <= FRAME_ORDER_MAX; order++) {
		uint64_t blocks;

		fixture_start(ranges, ARRAY_SIZE(ranges));
		blocks = frame_free_blocks();
		exhaust(order);
		/* Everything merges back. */
		assert_int_equal(frame_free_blocks(), blocks);
	}
}

static void runs_of_all_orders_are_aligned_far_above(void **state)
{
	(void)state;
	/* From the second half of an odd block above 16 TiB. */
	for (unsigned order = 0; order <= FRAME_ORDER_MAX; order++) {
		fixture_start_one(0x100000300, 0x1000ff123);
		exhaust(order);
	}
}

static void a_huge_run_may_end_with_the_range(void **state)
{
	(void)state;
	fixture_start_one(0x40000, 0x80000);
	assert_int_equal(fixture_alloc(18, OWNER_HELD), 0x40000);
	fixture_free(0x40000, 0x40000, OWNER_HELD);
	fixture_assert_books();
	fixture_start_one(0x40000, 0x7ffff);
	exhaust(18);
	fixture_start_one(0x40001, 0x80000);
	exhaust(18);
}

static void a_huge_run_does_not_reach_over_a_hole(void **state)
{
	static const struct mem_range ranges[] = { { 0x0, 0x600 }, { 0x800, 0x1000 } };
	static const struct mem_range apart[] = { { 0x400, 0x600 }, { 0xa00, 0x1200 } };

	(void)state;
	fixture_start(ranges, ARRAY_SIZE(ranges));
	exhaust(11);
	exhaust(12);
	/* Blocks 2, and 5 to 8: neighbours in the books, not in memory. */
	fixture_start(apart, ARRAY_SIZE(apart));
	exhaust(10);
	exhaust(11);
}

static void a_huge_run_avoids_blocks_in_use(void **state)
{
	(void)state;
	fixture_start_one(0, 0x4000);
	fixture_reserve(0x5ff, 1, OWNER_KERNEL);
	fixture_reserve(0x1000, 1, OWNER_KERNEL);
	assert_int_equal(fixture_alloc(11, OWNER_HELD), 0x800);
	assert_int_equal(fixture_alloc(12, OWNER_HELD), 0x2000);
	fixture_assert_books();
}

static void an_order_too_large_is_refused(void **state)
{
	pfn_t pfn = PFN_UNTOUCHED;

	(void)state;
	fixture_start_one(0, 0x100000);
	assert_int_equal(frame_alloc(FRAME_ORDER_MAX + 1, OWNER_HEAP, &pfn), -EINVAL);
	assert_int_equal(frame_alloc(64, OWNER_HEAP, &pfn), -EINVAL);
	assert_int_equal(frame_alloc(UINT32_MAX, OWNER_HEAP, &pfn), -EINVAL);
	assert_int_equal(pfn, PFN_UNTOUCHED);
}

/* ---- Merges and splits ---- */

/* One block, all of it taken. */
static void start_full_block(void)
{
	fixture_start_one(BASE, BASE + BLOCK_FRAMES);
	fixture_reserve(BASE, BLOCK_FRAMES, OWNER_HELD);
}

/* All the free frames of the map are in blocks of this order. */
static void assert_all_free_is_of(unsigned order, uint64_t frames)
{
	for (unsigned o = 0; o <= BLOCK_ORDER; o++)
		assert_int_equal(frame_free_by_order(o), o == order ? frames : 0);
}

static void a_free_run_at_every_place_is_found_again(void **state)
{
	(void)state;
	start_full_block();
	for (unsigned order = 0; order <= BLOCK_ORDER; order++) {
		size_t size = (size_t)1 << order;

		for (pfn_t pfn = BASE; pfn < BASE + BLOCK_FRAMES; pfn += size) {
			pfn_t none;

			fixture_free(pfn, size, OWNER_HELD);
			assert_all_free_is_of(order, size);
			assert_int_equal(frame_alloc(order + 1, OWNER_HELD, &none), -ENOMEM);
			assert_int_equal(fixture_alloc(order, OWNER_HELD), pfn);
			assert_int_equal(frame_alloc(0, OWNER_HELD, &none), -ENOMEM);
		}
		fixture_assert_books();
	}
}

static void free_merges_every_pair_of_buddies_in_either_order(void **state)
{
	(void)state;
	start_full_block();
	for (unsigned order = 0; order < BLOCK_ORDER; order++) {
		size_t size = (size_t)1 << order;

		for (pfn_t pfn = BASE; pfn < BASE + BLOCK_FRAMES; pfn += 2 * size) {
			fixture_free(pfn, size, OWNER_HELD);
			assert_all_free_is_of(order, size);
			fixture_free(pfn + size, size, OWNER_HELD);
			assert_all_free_is_of(order + 1, 2 * size);
			assert_int_equal(fixture_alloc(order + 1, OWNER_HELD), pfn);

			fixture_free(pfn + size, size, OWNER_HELD);
			assert_all_free_is_of(order, size);
			fixture_free(pfn, size, OWNER_HELD);
			assert_all_free_is_of(order + 1, 2 * size);
			assert_int_equal(fixture_alloc(order + 1, OWNER_HELD), pfn);
		}
		fixture_assert_books();
	}
}

static void neighbours_that_are_not_buddies_do_not_merge(void **state)
{
	(void)state;
	start_full_block();
	for (unsigned order = 0; order + 1 < BLOCK_ORDER; order++) {
		size_t size = (size_t)1 << order;

		for (pfn_t pfn = BASE + size; pfn + 2 * size <= BASE + BLOCK_FRAMES;
		     pfn += 2 * size) {
			fixture_free(pfn, 2 * size, OWNER_HELD);
			assert_all_free_is_of(order, 2 * size);
			fixture_reserve(pfn, 2 * size, OWNER_HELD);
		}
		fixture_assert_books();
	}
}

static void an_allocation_splits_every_larger_run(void **state)
{
	(void)state;
	start_full_block();
	for (unsigned large = 1; large <= BLOCK_ORDER; large++) {
		for (unsigned small = 0; small < large; small++) {
			size_t size = (size_t)1 << large;
			pfn_t at = BASE + (BLOCK_FRAMES - size);
			pfn_t pfn;

			fixture_free(at, size, OWNER_HELD);
			pfn = fixture_alloc(small, OWNER_HEAP);
			assert_true(pfn >= at && pfn < at + size);
			assert_int_equal(pfn % ((pfn_t)1 << small), 0);
			/* At an end or in the middle, a run of half the size stays. */
			assert_all_free_is_of(large - 1, size - ((size_t)1 << small));
			fixture_assert_books();
			fixture_free(pfn, (size_t)1 << small, OWNER_HEAP);
			assert_all_free_is_of(large, size);
			fixture_reserve(at, size, OWNER_HELD);
		}
	}
}

static void single_frees_rebuild_the_whole_block_in_any_order(void **state)
{
	(void)state;
	/* Multiples of an odd number visit every frame of 512. */
	for (size_t step = 1; step < BLOCK_FRAMES; step += 26) {
		start_full_block();
		for (size_t i = 0; i < BLOCK_FRAMES; i++) {
			pfn_t pfn = BASE + i * step % BLOCK_FRAMES;

			assert_int_equal(frame_free_blocks(), 0);
			fixture_free(pfn, 1, OWNER_HELD);
			if (i % 37 == 0)
				assert_true(frame_free_by_order(
						    (unsigned)fixture_largest_run(BASE)) == i + 1);
		}
		assert_int_equal(frame_free_blocks(), 1);
		fixture_assert_books();
	}
}

static void the_largest_run_of_any_pattern_is_known(void **state)
{
	(void)state;
	fixture_start_one(BASE, BASE + BLOCK_FRAMES);
	for (unsigned round = 0; round < 2000; round++) {
		bool freeing = round / 100 % 2 == 1;
		size_t count = 1 + (size_t)random() % 24;
		pfn_t pfn = BASE + (size_t)random() % (BLOCK_FRAMES - count);
		int order;

		for (; count > 0; count--, pfn++) {
			if (freeing)
				frame_free(pfn, 1, OWNER_HELD);
			else
				frame_reserve(pfn, 1, OWNER_HELD);
		}
		order = fixture_largest_run(BASE);
		if (order < 0)
			assert_int_equal(ledger_count(OWNER_FREE), 0);
		else
			assert_all_free_is_of((unsigned)order, ledger_count(OWNER_FREE));
	}
	fixture_assert_books();
}

/* ---- The choice of a block ---- */

static void single_frames_break_no_whole_block_while_a_broken_one_has_space(void **state)
{
	pfn_t broken = BASE + 5 * BLOCK_FRAMES;

	(void)state;
	fixture_start_one(BASE, BASE + 8 * BLOCK_FRAMES);
	fixture_reserve(broken + 77, 1, OWNER_KERNEL);
	for (size_t i = 1; i < BLOCK_FRAMES; i++) {
		pfn_t pfn = fixture_alloc(0, OWNER_HEAP);

		assert_int_equal(align_down(pfn, BLOCK_FRAMES), broken);
		assert_int_equal(frame_free_blocks(), 7);
	}
	assert_int_equal(align_down(fixture_alloc(0, OWNER_HEAP), BLOCK_FRAMES), BASE);
	assert_int_equal(frame_free_blocks(), 6);
	fixture_assert_books();
}

static void a_run_comes_from_the_block_that_has_no_larger_one_than_needed(void **state)
{
	(void)state;
	fixture_start_one(BASE, BASE + 12 * BLOCK_FRAMES);
	/* Block n keeps one free run of order 9 - n at its end; 10 and 11 are whole. */
	for (size_t n = 1; n <= BLOCK_ORDER; n++)
		fixture_reserve(BASE + n * BLOCK_FRAMES, BLOCK_FRAMES - (BLOCK_FRAMES >> n),
				OWNER_KERNEL);
	fixture_reserve(BASE, BLOCK_FRAMES, OWNER_KERNEL);
	for (unsigned order = BLOCK_ORDER; order-- > 0;) {
		size_t n = BLOCK_ORDER - order;
		pfn_t pfn = fixture_alloc(order, OWNER_HEAP);

		assert_int_equal(pfn, BASE + (n + 1) * BLOCK_FRAMES - ((pfn_t)1 << order));
		assert_int_equal(frame_free_blocks(), 2);
	}
	fixture_assert_books();
}

static void among_blocks_that_are_as_good_the_lowest_is_taken(void **state)
{
	(void)state;
	fixture_start_one(BASE, BASE + 100 * BLOCK_FRAMES);
	assert_int_equal(fixture_alloc(9, OWNER_HEAP), BASE);
	assert_int_equal(fixture_alloc(9, OWNER_HEAP), BASE + BLOCK_FRAMES);
	fixture_free(BASE, BLOCK_FRAMES, OWNER_HEAP);
	assert_int_equal(fixture_alloc(9, OWNER_HEAP), BASE);
	/* Two broken blocks with the same free run, the higher one broken first. */
	fixture_reserve(BASE + 90 * BLOCK_FRAMES, 256, OWNER_HEAP);
	fixture_reserve(BASE + 70 * BLOCK_FRAMES, 256, OWNER_HEAP);
	assert_int_equal(fixture_alloc(8, OWNER_HEAP), BASE + 70 * BLOCK_FRAMES + 256);
	assert_int_equal(fixture_alloc(8, OWNER_HEAP), BASE + 90 * BLOCK_FRAMES + 256);
	assert_int_equal(fixture_alloc(8, OWNER_HEAP) / BLOCK_FRAMES, BASE / BLOCK_FRAMES + 2);
}

/* ---- What is refused ---- */

static void a_double_free_is_refused(void **state)
{
	pfn_t pfn;

	(void)state;
	fixture_start_one(BASE, BASE + 3 * BLOCK_FRAMES);
	for (unsigned order = 0; order <= 10; order++) {
		size_t size = (size_t)1 << order;
		uint64_t refused = ledger_refused();
		struct picture *before;

		pfn = fixture_alloc(order, OWNER_HEAP);
		fixture_free(pfn, size, OWNER_HEAP);
		before = fixture_picture();
		fixture_assert_refused(frame_free(pfn, size, OWNER_HEAP), -EPERM, refused);
		fixture_assert_same(before);
	}
	/* Also where a neighbour is still in use. */
	fixture_reserve(BASE + 8, 8, OWNER_HEAP);
	fixture_free(BASE + 10, 1, OWNER_HEAP);
	assert_int_equal(frame_free(BASE + 10, 1, OWNER_HEAP), -EPERM);
	fixture_assert_books();
}

/* Of blocks that nothing was ever taken from the map has no record yet. */
static void frames_that_were_never_had_are_refused(void **state)
{
	struct picture *before;

	(void)state;
	fixture_start_one(BASE, BASE + 2 * BLOCK_FRAMES);
	before = fixture_picture();
	for (unsigned o = OWNER_FREE + 1; o < OWNER_COUNT; o++)
		assert_int_equal(frame_free(BASE + o, 1, (enum owner)o), -EPERM);
	assert_int_equal(frame_free(BASE, 2 * BLOCK_FRAMES, OWNER_BALLOON), -EPERM);
	assert_int_equal(frame_change_owner(BASE, BLOCK_FRAMES, OWNER_HEAP, OWNER_HELD), -EPERM);
	fixture_assert_same(before);
	fixture_assert_books();
}

static void a_run_of_no_frames_is_refused(void **state)
{
	(void)state;
	fixture_start_one(BASE, BASE + BLOCK_FRAMES);
	fixture_reserve(BASE, 10, OWNER_HEAP);
	assert_int_equal(frame_free(BASE, 0, OWNER_HEAP), -EINVAL);
	assert_int_equal(frame_reserve(BASE + 10, 0, OWNER_HEAP), -EINVAL);
	assert_int_equal(ledger_refused(), 2);
	fixture_assert_books();
}

static void a_wrong_owner_is_refused(void **state)
{
	(void)state;
	fixture_start_one(BASE, BASE + 2 * BLOCK_FRAMES);
	fixture_reserve(BASE, BLOCK_FRAMES, OWNER_BALLOON);
	fixture_reserve(BASE + BLOCK_FRAMES, 10, OWNER_IN_FLIGHT);
	for (unsigned o = OWNER_FREE + 1; o < OWNER_COUNT; o++) {
		uint64_t refused = ledger_refused();
		struct picture *before = fixture_picture();
		enum owner owner = (enum owner)o;

		if (owner != OWNER_BALLOON) {
			fixture_assert_refused(frame_free(BASE, BLOCK_FRAMES, owner), -EPERM,
					       refused);
			fixture_assert_refused(frame_free(BASE + 7, 1, owner), -EPERM, refused + 1);
			refused += 2;
		}
		if (owner != OWNER_IN_FLIGHT) {
			fixture_assert_refused(frame_free(BASE + BLOCK_FRAMES + 9, 1, owner),
					       -EPERM, refused);
			refused++;
			fixture_assert_refused(frame_change_owner(BASE + BLOCK_FRAMES, 10, owner,
								  OWNER_HELD),
					       -EPERM, refused);
		}
		fixture_assert_same(before);
	}
	fixture_assert_books();
}

/* All three operations on a run that has one frame of another owner, or a hole. */
static void assert_all_refuse(pfn_t pfn, size_t count, int expect)
{
	struct picture *before = fixture_picture();
	uint64_t refused = ledger_refused();

	fixture_assert_refused(frame_free(pfn, count, OWNER_HELD), expect, refused);
	fixture_assert_refused(frame_change_owner(pfn, count, OWNER_HELD, OWNER_HEAP), expect,
			       refused + 1);
	fixture_assert_same(before);
}

static void a_run_with_one_foreign_frame_is_refused_as_a_whole(void **state)
{
	enum { RUN = 3 * BLOCK_FRAMES - 200 };
	static const size_t odd[] = { 0, 1, 200, 411, 412, 413, 700, 923, 924, 1000, RUN - 1 };
	pfn_t start = BASE + 100;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(odd); i++) {
		fixture_start_one(BASE, BASE + 3 * BLOCK_FRAMES);
		fixture_reserve(start, RUN, OWNER_HELD);
		assert_int_equal(frame_change_owner(start + odd[i], 1, OWNER_HELD, OWNER_KERNEL),
				 0);
		assert_all_refuse(start, RUN, -EPERM);
		/* And where that one is free. */
		fixture_free(start + odd[i], 1, OWNER_KERNEL);
		assert_all_refuse(start, RUN, -EPERM);
		fixture_assert_books();
		/* Without it, all is well. */
		fixture_reserve(start + odd[i], 1, OWNER_HELD);
		fixture_free(start, RUN, OWNER_HELD);
		assert_int_equal(frame_free_blocks(), 3);
		fixture_assert_books();
	}
}

static void reserving_a_run_with_one_taken_frame_is_refused_as_a_whole(void **state)
{
	static const size_t taken[] = { 0, 1, 511, 512, 600, 1023, 1024, 1535 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(taken); i++) {
		struct picture *before;

		fixture_start_one(BASE, BASE + 3 * BLOCK_FRAMES);
		fixture_reserve(BASE + taken[i], 1, OWNER_KERNEL);
		before = fixture_picture();
		fixture_assert_refused(frame_reserve(BASE, 3 * BLOCK_FRAMES, OWNER_HEAP), -EPERM,
				       0);
		fixture_assert_same(before);
		fixture_assert_books();
	}
}

static void runs_that_leave_the_map_are_not_managed(void **state)
{
	static const struct mem_range ranges[] = { { 0x210, 0x500 }, { 0x900, 0xa00 } };

	(void)state;
	fixture_start(ranges, ARRAY_SIZE(ranges));
	fixture_reserve(0x210, 0x2f0, OWNER_HELD);
	fixture_reserve(0x900, 0x100, OWNER_HELD);
	/* In the hole of a block that has RAM, and out of all blocks. */
	assert_all_refuse(0x20f, 1, -EINVAL);
	assert_all_refuse(0x500, 1, -EINVAL);
	assert_all_refuse(0x700, 1, -EINVAL);
	assert_all_refuse(0x8ff, 2, -EINVAL);
	assert_all_refuse(0xa00, 1, -EINVAL);
	assert_all_refuse(0, 1, -EINVAL);
	/* Begins well. */
	assert_all_refuse(0x4ff, 2, -EINVAL);
	assert_all_refuse(0x9ff, 2, -EINVAL);
	assert_all_refuse(0x210, 0x7f0, -EINVAL);
	assert_all_refuse(0x900, SIZE_MAX, -EINVAL);
	assert_all_refuse(0x210, SIZE_MAX - 0x20f, -EINVAL);
	assert_all_refuse(PFN_NONE, 1, -EINVAL);
	assert_all_refuse(PFN_NONE - 1, 0x300, -EINVAL);
	assert_all_refuse((pfn_t)0x210 | 1ull << 32, 1, -EINVAL);
	assert_int_equal(frame_reserve(0xa00, 1, OWNER_HEAP), -EINVAL);
	assert_int_equal(frame_reserve(0xb00, 1, OWNER_HEAP), -EINVAL);
	fixture_assert_books();
}

/* ---- Owners ---- */

static void every_owner_can_have_frames_and_the_ledger_knows(void **state)
{
	(void)state;
	fixture_start_one(BASE, BASE + 4 * BLOCK_FRAMES);
	for (unsigned o = OWNER_FREE + 1; o < OWNER_COUNT; o++)
		fixture_reserve(BASE + o * 100, o, (enum owner)o);
	fixture_assert_books();
	for (unsigned o = OWNER_FREE + 1; o < OWNER_COUNT; o++) {
		assert_int_equal(ledger_count((enum owner)o), o);
		fixture_assert_owner(BASE + o * 100, o, (enum owner)o);
		assert_int_equal(frame_owner(BASE + o * 100 - 1), OWNER_FREE);
		assert_int_equal(frame_owner(BASE + o * 100 + o), OWNER_FREE);
	}
}

static void a_change_of_owner_moves_the_counts_and_nothing_free(void **state)
{
	(void)state;
	fixture_start_one(BASE, BASE + 4 * BLOCK_FRAMES);
	fixture_reserve(BASE + 10, 1200, OWNER_IN_FLIGHT);
	assert_int_equal(frame_change_owner(BASE + 400, 700, OWNER_IN_FLIGHT, OWNER_BALLOON), 0);
	fixture_assert_owner(BASE + 10, 390, OWNER_IN_FLIGHT);
	fixture_assert_owner(BASE + 400, 700, OWNER_BALLOON);
	fixture_assert_owner(BASE + 1100, 110, OWNER_IN_FLIGHT);
	assert_int_equal(ledger_count(OWNER_IN_FLIGHT), 500);
	assert_int_equal(ledger_count(OWNER_BALLOON), 700);
	assert_int_equal(ledger_count(OWNER_FREE), 4 * BLOCK_FRAMES - 1200);
	fixture_assert_books();
	fixture_free(BASE + 400, 700, OWNER_BALLOON);
	fixture_free(BASE + 10, 390, OWNER_IN_FLIGHT);
	fixture_free(BASE + 1100, 110, OWNER_IN_FLIGHT);
	assert_int_equal(frame_free_blocks(), 4);
	fixture_assert_books();
}

static void a_part_of_a_uniform_block_can_be_freed(void **state)
{
	pfn_t pfn = BASE + BLOCK_FRAMES;

	(void)state;
	fixture_start_one(BASE, BASE + 3 * BLOCK_FRAMES);
	assert_int_equal(fixture_alloc(10, OWNER_HELD), pfn);
	fixture_free(pfn + 300, 424, OWNER_HELD);
	fixture_assert_owner(pfn, 300, OWNER_HELD);
	fixture_assert_owner(pfn + 300, 424, OWNER_FREE);
	fixture_assert_owner(pfn + 724, 300, OWNER_HELD);
	assert_int_equal(fixture_largest_run(pfn), 7);
	fixture_assert_books();
}

static void a_change_to_the_same_owner_changes_nothing(void **state)
{
	struct picture *before;

	(void)state;
	fixture_start_one(BASE, BASE + BLOCK_FRAMES);
	fixture_reserve(BASE + 3, 100, OWNER_HELD);
	before = fixture_picture();
	assert_int_equal(frame_change_owner(BASE + 3, 50, OWNER_HELD, OWNER_HELD), 0);
	fixture_assert_same(before);
	fixture_assert_books();
}

static unsigned lows;

static void note_low(void)
{
	lows++;
}

static void each_change_that_leaves_too_few_is_told(void **state)
{
	pfn_t pfn;

	(void)state;
	fixture_start_one(BASE, BASE + 4 * BLOCK_FRAMES);
	frame_set_low_hook(3 * BLOCK_FRAMES, note_low);
	pfn = fixture_alloc(BLOCK_ORDER, OWNER_HEAP);
	/* As many as that are enough. */
	assert_int_equal(lows, 0);
	fixture_alloc(0, OWNER_HEAP);
	assert_int_equal(lows, 1);
	fixture_alloc(0, OWNER_HEAP);
	assert_int_equal(lows, 2);
	/* Nothing is taken. */
	assert_int_equal(frame_change_owner(pfn, 1, OWNER_HEAP, OWNER_KERNEL), 0);
	assert_int_equal(lows, 2);
	assert_int_equal(frame_free(pfn + 1, BLOCK_FRAMES - 1, OWNER_HEAP), 0);
	assert_int_equal(lows, 2);
	frame_set_low_hook(3 * BLOCK_FRAMES, NULL);
	fixture_alloc(BLOCK_ORDER, OWNER_HEAP);
	assert_int_equal(lows, 2);
}

#define TEST(name) cmocka_unit_test_teardown(name, fixture_stop)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_new_map_is_all_free),
		TEST(a_map_without_frames_refuses_everything),
		TEST(setting_up_again_begins_anew),
		TEST(frames_at_range_edges_and_in_holes_are_absent),
		TEST(every_range_of_thirty_two_is_managed),
		TEST(many_ranges_in_one_block_share_it),
		TEST(the_metadata_is_at_most_a_quarter_more_than_a_byte_a_frame),
		TEST(runs_of_all_orders_are_aligned_in_low_memory),
		TEST(runs_of_all_orders_are_aligned_far_above),
		TEST(a_huge_run_may_end_with_the_range),
		TEST(a_huge_run_does_not_reach_over_a_hole),
		TEST(a_huge_run_avoids_blocks_in_use),
		TEST(an_order_too_large_is_refused),
		TEST(a_free_run_at_every_place_is_found_again),
		TEST(free_merges_every_pair_of_buddies_in_either_order),
		TEST(neighbours_that_are_not_buddies_do_not_merge),
		TEST(an_allocation_splits_every_larger_run),
		TEST(each_change_that_leaves_too_few_is_told),
		TEST(single_frees_rebuild_the_whole_block_in_any_order),
		TEST(the_largest_run_of_any_pattern_is_known),
		TEST(single_frames_break_no_whole_block_while_a_broken_one_has_space),
		TEST(a_run_comes_from_the_block_that_has_no_larger_one_than_needed),
		TEST(among_blocks_that_are_as_good_the_lowest_is_taken),
		TEST(a_double_free_is_refused),
		TEST(frames_that_were_never_had_are_refused),
		TEST(a_run_of_no_frames_is_refused),
		TEST(a_wrong_owner_is_refused),
		TEST(a_run_with_one_foreign_frame_is_refused_as_a_whole),
		TEST(reserving_a_run_with_one_taken_frame_is_refused_as_a_whole),
		TEST(runs_that_leave_the_map_are_not_managed),
		TEST(every_owner_can_have_frames_and_the_ledger_knows),
		TEST(a_change_of_owner_moves_the_counts_and_nothing_free),
		TEST(a_part_of_a_uniform_block_can_be_freed),
		TEST(a_change_to_the_same_owner_changes_nothing),
	};

	return cmocka_run_group_tests_name("frame", tests, NULL, NULL);
}
