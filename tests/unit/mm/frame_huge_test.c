/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mm/frame.c with 1 TiB and 16 TiB of RAM, and with frames that have numbers
 * above 2^32. The metadata is address space only; what the allocator touches
 * of it is measured. It reads as zeros where it was never written, so here,
 * and only here, the allocator does not begin in garbage.
 */
#include "tests/unit/mm/frame_fixture.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "mm/ledger.h"

#define TIB_FRAMES ((pfn_t)1 << 28)

/* The most of the metadata that may become resident, for all that a test does. */
#define RESIDENT_MAX (64 * MIB)

/* A PC's map: RAM up to the device window, the rest from 4 GiB on. */
static const struct memmap one_tib = {
	.count = 3,
	.range = { { 1, 0x9f }, { 0x100, 0x7ffdc }, { 0x100000, TIB_FRAMES + 0x80000 } },
	.frames = 0x9e + (0x7ffdc - 0x100) + TIB_FRAMES - 0x80000,
};

/* From an odd block on, beyond 16 TiB in the end. */
static const struct memmap sixteen_tib = {
	.count = 2,
	.range = { { 0x300, 0x7ffdc }, { 0x100123, 16 * TIB_FRAMES + 0x100123 } },
	.frames = (0x7ffdc - 0x300) + 16 * TIB_FRAMES,
};

/* All above: the lowest block is at 16 TiB. */
static const struct memmap far_above = {
	.count = 2,
	.range = { { 16 * TIB_FRAMES + 0x300, 17 * TIB_FRAMES },
		   { (pfn_t)1 << 39, ((pfn_t)1 << 39) + 16 * TIB_FRAMES } },
	.frames = 17 * TIB_FRAMES - 0x300,
};

static void *metadata;
static size_t metadata_bytes;

static void start(const struct memmap *map)
{
	metadata_bytes = frame_init_bytes(map);
	assert_true(metadata_bytes <= map->frames + map->frames / 4 + FRAME_SIZE);
	metadata = mmap(NULL, metadata_bytes, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	assert_ptr_not_equal(metadata, MAP_FAILED);
	/* A huge page behind every touched byte would say nothing. */
	madvise(metadata, metadata_bytes, MADV_NOHUGEPAGE);
	frame_init(map, metadata);
	frame_set_reclaimer(NULL);
}

static int teardown(void **state)
{
	(void)state;
	if (metadata)
		munmap(metadata, metadata_bytes);
	metadata = NULL;
	return 0;
}

static size_t resident(void)
{
	size_t pages = (metadata_bytes + FRAME_SIZE - 1) / FRAME_SIZE;
	unsigned char *vec = malloc(pages);
	size_t n = 0;

	assert_non_null(vec);
	assert_int_equal(mincore(metadata, metadata_bytes, vec), 0);
	for (size_t i = 0; i < pages; i++)
		n += vec[i] & 1;
	free(vec);
	return n * FRAME_SIZE;
}

static void assert_books(const struct memmap *map)
{
	char verdict[LEDGER_VERDICT_MAX];

	if (!ledger_audit(verdict))
		fail_msg("%s", verdict);
	assert_int_equal(ledger_managed(), map->frames);
}

static pfn_t last_frame(const struct memmap *map)
{
	return map->range[map->count - 1].end - 1;
}

/* Some of everything, low, high and in between. */
static void use(const struct memmap *map)
{
	static pfn_t pfns[4096];
	pfn_t top = last_frame(map);
	pfn_t pfn;

	fixture_reserve(top, 1, OWNER_KERNEL);
	assert_int_equal(frame_owner(top), OWNER_KERNEL);
	assert_int_equal(frame_owner(top + 1), OWNER_ABSENT);
	/* No number is cut to 32 bits. */
	if (top > UINT32_MAX) {
		assert_int_not_equal(frame_owner(top & UINT32_MAX), OWNER_KERNEL);
		assert_int_not_equal(frame_free(top & UINT32_MAX, 1, OWNER_KERNEL), 0);
	}
	assert_int_equal(frame_collect(OWNER_KERNEL, 0, 2, pfns), 1);
	assert_int_equal(pfns[0], top);

	for (unsigned order = 0; order <= FRAME_ORDER_MAX; order++) {
		pfn = fixture_alloc(order, OWNER_HEAP);
		assert_int_equal(pfn & (((pfn_t)1 << order) - 1), 0);
		assert_int_equal(frame_owner(pfn + ((pfn_t)1 << order) - 1), OWNER_HEAP);
		if (order % 2)
			fixture_free(pfn, (size_t)1 << order, OWNER_HEAP);
	}
	assert_int_equal(frame_alloc_bulk(ARRAY_SIZE(pfns), PFN_NONE, OWNER_BALLOON, pfns),
			 ARRAY_SIZE(pfns));
	/* A wire PFN of the balloon has 32 bits. */
	if (frame_alloc_block((pfn_t)1 << 32, OWNER_BALLOON, &pfn) == 0)
		assert_true(pfn + BLOCK_FRAMES <= (pfn_t)1 << 32);
	assert_int_equal(frame_alloc_bulk(10, top - 4, OWNER_BALLOON, pfns), 10);
	assert_true(pfns[9] < top - 4);
	assert_books(map);
}

static void check_huge(const struct memmap *map)
{
	size_t after_init;

	start(map);
	after_init = resident();
	assert_books(map);
	assert_int_equal(ledger_count(OWNER_FREE), map->frames);
	use(map);
	print_message("%" PRIu64 " GiB: map %zu MiB, resident %zu KiB at first, %zu KiB then\n",
		      map->frames >> 18, metadata_bytes >> 20, after_init >> 10, resident() >> 10);
	assert_true(resident() < RESIDENT_MAX);
}

static void one_tib_touches_little_of_its_map(void **state)
{
	(void)state;
	check_huge(&one_tib);
	/* "About 150 MB" for a guest of this size has room for this much. */
	assert_true(resident() < 4 * MIB);
}

static void sixteen_tib_touch_little_of_their_map(void **state)
{
	(void)state;
	check_huge(&sixteen_tib);
}

static void frames_above_2_to_the_32_are_as_good_as_others(void **state)
{
	(void)state;
	check_huge(&far_above);
	assert_int_equal(frame_owner(0x300), OWNER_ABSENT);
	assert_int_equal(frame_owner(16 * TIB_FRAMES + 0x2ff), OWNER_ABSENT);
	fixture_reserve((pfn_t)1 << 39, 1, OWNER_HELD);
	assert_int_equal(frame_owner((pfn_t)1 << 39), OWNER_HELD);
	assert_int_equal(frame_owner(((pfn_t)1 << 39) - 1), OWNER_ABSENT);
}

static void nothing_is_had_below_a_limit_that_is_below_all_ram(void **state)
{
	pfn_t pfn;

	(void)state;
	start(&far_above);
	assert_int_equal(frame_alloc_block((pfn_t)1 << 32, OWNER_BALLOON, &pfn), -ENOMEM);
	assert_int_equal(frame_alloc_bulk(1, (pfn_t)1 << 32, OWNER_BALLOON, &pfn), 0);
	assert_int_equal(frame_alloc_bulk(1, PFN_NONE, OWNER_BALLOON, &pfn), 1);
	assert_int_equal(pfn, 16 * TIB_FRAMES + 0x300);
}

/* A balloon of nearly all of it: whole blocks, one record each. */
static void a_tib_can_be_ballooned_by_blocks_and_given_back(void **state)
{
	uint64_t blocks;
	pfn_t at = 0;
	pfn_t pfn;

	(void)state;
	start(&one_tib);
	blocks = frame_free_blocks();
	for (uint64_t n = 0; n < blocks; n++) {
		pfn_t last = at;

		assert_int_equal(frame_alloc_block(PFN_NONE, OWNER_BALLOON, &at), 0);
		assert_true(at > last);
	}
	assert_int_equal(frame_alloc_block(PFN_NONE, OWNER_BALLOON, &pfn), -ENOMEM);
	assert_int_equal(ledger_count(OWNER_BALLOON), blocks * BLOCK_FRAMES);
	assert_books(&one_tib);
	/* A list that begins anywhere does not walk from the start. */
	assert_int_equal(frame_collect(OWNER_BALLOON, last_frame(&one_tib) - 5, 1, &pfn), 1);
	assert_int_equal(pfn, last_frame(&one_tib) - 5);
	fixture_free(0x100000, (size_t)(TIB_FRAMES - 0x80000), OWNER_BALLOON);
	assert_int_equal(ledger_count(OWNER_FREE), one_tib.frames - 0x7fc00);
	assert_books(&one_tib);
	assert_true(resident() < 16 * MIB);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(one_tib_touches_little_of_its_map, teardown),
		cmocka_unit_test_teardown(sixteen_tib_touch_little_of_their_map, teardown),
		cmocka_unit_test_teardown(frames_above_2_to_the_32_are_as_good_as_others, teardown),
		cmocka_unit_test_teardown(nothing_is_had_below_a_limit_that_is_below_all_ram,
					  teardown),
		cmocka_unit_test_teardown(a_tib_can_be_ballooned_by_blocks_and_given_back,
					  teardown),
	};

	return cmocka_run_group_tests_name("frame_huge", tests, NULL, NULL);
}
