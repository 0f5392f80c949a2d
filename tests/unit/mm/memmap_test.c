/* SPDX-License-Identifier: BSD-2-Clause */
/* mm/memmap.c: maps as firmware should not make them, and as it does. */
#include "mm/memmap.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define RAM(start, size) \
	{ \
		(start), (size), BOOT_MEMORY_RAM, 0 \
	}
#define HOLE(start, size) \
	{ \
		(start), (size), BOOT_MEMORY_RESERVED, 0 \
	}

static struct memmap map;

/* What must hold of any map, whatever it was made from. */
static void assert_sane(pfn_t limit)
{
	uint64_t frames = 0;

	assert_true(map.count <= MEM_RANGES_MAX);
	for (size_t i = 0; i < map.count; i++) {
		assert_true(map.range[i].start < map.range[i].end);
		assert_true(map.range[i].end <= limit);
		if (i > 0)
			assert_true(map.range[i - 1].end < map.range[i].start);
		frames += map.range[i].end - map.range[i].start;
	}
	assert_int_equal(map.frames, frames);
}

static void build(const struct boot_memory *entries, size_t count, unsigned bits)
{
	memset(&map, 0xa5, sizeof(map));
	memmap_build(entries, count, bits, &map);
	assert_sane((uint64_t)1 << (bits - 12));
}

#define BUILD(bits, ...) \
	do { \
		const struct boot_memory entries_[] = { __VA_ARGS__ }; \
\
		build(entries_, ARRAY_SIZE(entries_), bits); \
	} while (0)

static void assert_range(size_t i, pfn_t start, pfn_t end)
{
	assert_true(i < map.count);
	assert_int_equal(map.range[i].start, start);
	assert_int_equal(map.range[i].end, end);
}

static void assert_one_range(pfn_t start, pfn_t end)
{
	assert_int_equal(map.count, 1);
	assert_range(0, start, end);
}

static void an_empty_map_has_no_ranges(void **state)
{
	(void)state;
	build(NULL, 0, 52);
	assert_int_equal(map.count, 0);
	assert_int_equal(map.frames, 0);
	assert_int_equal(map.dropped, 0);
	BUILD(52, HOLE(0, 0x100000), { 0x100000, 0x1000, 7, 0 });
	assert_int_equal(map.count, 0);
}

static void entries_of_size_zero_are_ignored(void **state)
{
	(void)state;
	BUILD(52, RAM(0x5000, 0), HOLE(0x12000, 0), RAM(0x10000, 0x4000));
	assert_one_range(0x10, 0x14);
}

static void unsorted_entries_come_out_sorted(void **state)
{
	(void)state;
	BUILD(52, RAM(0x900000, 0x1000), RAM(0x1000, 0x1000), RAM(0x500000, 0x2000));
	assert_int_equal(map.count, 3);
	assert_range(0, 1, 2);
	assert_range(1, 0x500, 0x502);
	assert_range(2, 0x900, 0x901);
	assert_int_equal(map.frames, 4);
}

static void ram_that_touches_or_overlaps_becomes_one_range(void **state)
{
	(void)state;
	BUILD(52, RAM(0x3000, 0x1000), RAM(0x1000, 0x2000));
	assert_one_range(1, 4);
	BUILD(52, RAM(0x1000, 0x5000), RAM(0x3000, 0x5000));
	assert_one_range(1, 8);
	BUILD(52, RAM(0x1000, 0x9000), RAM(0x3000, 0x1000), RAM(0x1000, 0x9000));
	assert_one_range(1, 10);
	assert_int_equal(map.frames, 9);
}

static void what_is_not_ram_wins_in_either_order(void **state)
{
	(void)state;
	BUILD(52, RAM(0x0, 0x10000), HOLE(0x4000, 0x2000));
	assert_int_equal(map.count, 2);
	assert_range(0, 0, 4);
	assert_range(1, 6, 16);
	BUILD(52, HOLE(0x4000, 0x2000), RAM(0x0, 0x10000));
	assert_int_equal(map.count, 2);
	BUILD(52, HOLE(0x0, 0x20000), RAM(0x4000, 0x2000));
	assert_int_equal(map.count, 0);
	BUILD(52, RAM(0x0, 0x8000), HOLE(0x4000, 0x8000), RAM(0x4000, 0x9000));
	assert_int_equal(map.count, 2);
	assert_range(0, 0, 4);
	assert_range(1, 12, 13);
}

static void every_type_but_ram_is_not_ram(void **state)
{
	static const uint32_t types[] = { 0, 2, 3, 4, 5, 6, 7, 12, 0x80000001, UINT32_MAX };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
		BUILD(52, RAM(0x0, 0x10000), { 0x8000, 0x8000, types[i], 0 });
		assert_one_range(0, 8);
	}
}

static void partial_frames_are_rounded_inward(void **state)
{
	(void)state;
	BUILD(52, RAM(0x1001, 0x3fff));
	assert_one_range(2, 5);
	BUILD(52, RAM(0x1000, 0x3fff));
	assert_one_range(1, 4);
	BUILD(52, RAM(0x1fff, 0x1002));
	assert_one_range(2, 3);
	BUILD(52, RAM(0x1800, 0x1000));
	assert_int_equal(map.count, 0);
	BUILD(52, RAM(0x1800, 1));
	assert_int_equal(map.count, 0);
	/* The PC's: 639 KiB. */
	BUILD(52, RAM(0, 0x9fc00), HOLE(0x9fc00, 0x400));
	assert_one_range(0, 0x9f);
	assert_int_equal(map.dropped, 0);
}

static void one_reserved_byte_costs_one_frame(void **state)
{
	(void)state;
	BUILD(52, RAM(0, 0x10000), HOLE(0x7fff, 1));
	assert_int_equal(map.count, 2);
	assert_range(0, 0, 7);
	assert_range(1, 8, 16);
}

static void two_entries_can_make_up_a_frame(void **state)
{
	(void)state;
	BUILD(52, RAM(0x1000, 0x1800), RAM(0x2800, 0x800));
	assert_one_range(1, 3);
}

static void entries_that_wrap_around_are_ignored(void **state)
{
	(void)state;
	BUILD(52, RAM(0x1000, 0x1000), RAM(0x100000, UINT64_MAX));
	assert_one_range(1, 2);
	BUILD(52, RAM(0x1000, 0x1000), HOLE(UINT64_MAX - 0xfff, 0x10000));
	assert_one_range(1, 2);
	BUILD(52, RAM(0x1000, 0x1000), RAM(UINT64_MAX, 2));
	assert_one_range(1, 2);
}

static void an_entry_up_to_the_last_address_does_not_wrap(void **state)
{
	(void)state;
	BUILD(52, RAM(0, 0x10000), HOLE(0x4000, UINT64_MAX - 0x3fff));
	assert_one_range(0, 4);
	BUILD(36, RAM(0, UINT64_MAX));
	assert_one_range(0, 1 << 24);
	/* All whole frames below 2^64 - 1: the last one is not whole. */
	assert_int_equal(map.dropped, (1ull << 52) - 1 - (1 << 24));
	BUILD(36, RAM(UINT64_MAX - 0xfff, 0x1000));
	assert_int_equal(map.count, 0);
	assert_int_equal(map.dropped, 1);
}

static void ram_beyond_the_address_width_is_dropped_and_counted(void **state)
{
	(void)state;
	BUILD(36, RAM(0xfffff0000, 0x20000));
	assert_one_range(0xfffff0, 0x1000000);
	assert_int_equal(map.dropped, 16);
	BUILD(36, RAM(0x1000000000, 0x20000), RAM(0x1000, 0x1000));
	assert_one_range(1, 2);
	assert_int_equal(map.dropped, 32);
	BUILD(36, RAM(0xffffff000, 0x1000), RAM(0x2000000800, 0x1000));
	assert_one_range(0xffffff, 0x1000000);
	assert_int_equal(map.dropped, 0);
}

static void odd_address_widths_do_no_harm(void **state)
{
	static const struct boot_memory entry = RAM(0, 0x100000);

	(void)state;
	memmap_build(&entry, 1, 64, &map);
	assert_one_range(0, 0x100);
	memmap_build(&entry, 1, 255, &map);
	assert_one_range(0, 0x100);
	memmap_build(&entry, 1, 0, &map);
	assert_int_equal(map.count, 0);
	assert_int_equal(map.dropped, 0x100);
}

static void frames_above_8_and_16_tib_keep_their_numbers(void **state)
{
	(void)state;
	BUILD(46, RAM(8ull << 40, 1 << 30), RAM((16ull << 40) + 0x1000, 16ull << 40));
	assert_int_equal(map.count, 2);
	assert_range(0, 0x80000000, 0x80040000);
	assert_range(1, 0x100000001, 0x200000001);
	assert_int_equal(map.frames, 0x100040000);
}

static void one_and_16_tib_are_a_few_ranges(void **state)
{
	(void)state;
	for (unsigned shift = 40; shift <= 44; shift += 4) {
		uint64_t size = 1ull << shift;

		BUILD(52, RAM(0, 0x9fc00), HOLE(0x9fc00, 0x400), HOLE(0xf0000, 0x10000),
		      RAM(0x100000, 0x80000000 - 0x100000 - 0x24000),
		      HOLE(0x80000000 - 0x24000, 0x24000), HOLE(0xfeffc000, 0x4000),
		      RAM(0x100000000, size - 0x80000000), HOLE(0xfd00000000, 0x300000000));
		/* QEMU reserves a piece below 1 TiB for HyperTransport, in RAM if it is large. */
		assert_true(map.count == 4);
		assert_range(0, 0, 0x9f);
		assert_range(1, 0x100, 0x7ffdc);
		assert_range(2, 0x100000, 0xfd00000);
		assert_range(3, 0x10000000, (size + 0x80000000) >> 12);
	}
}

/* More entries than ranges: single frames, and a few that are larger. */
static void build_slivers(size_t large_from, size_t large_to)
{
	struct boot_memory *entries = calloc(BOOT_MEMORY_MAX, sizeof(*entries));

	assert_non_null(entries);
	for (size_t i = 0; i < BOOT_MEMORY_MAX; i++) {
		/* From high to low. */
		entries[i].start = (BOOT_MEMORY_MAX - i) * 0x10000;
		entries[i].size = i >= large_from && i < large_to ? 0x3000 : 0x1000;
		entries[i].type = BOOT_MEMORY_RAM;
	}
	build(entries, BOOT_MEMORY_MAX, 52);
	free(entries);
}

static void of_too_many_ranges_the_smallest_go(void **state)
{
	(void)state;
	for (size_t from = 0; from + 20 <= BOOT_MEMORY_MAX; from += 59) {
		size_t large = 0;

		build_slivers(from, from + 20);
		assert_int_equal(map.count, MEM_RANGES_MAX);
		for (size_t i = 0; i < map.count; i++)
			large += map.range[i].end - map.range[i].start == 3;
		assert_int_equal(large, 20);
		assert_int_equal(map.frames, 20 * 3 + 12);
		assert_int_equal(map.dropped, BOOT_MEMORY_MAX - MEM_RANGES_MAX);
	}
	build_slivers(0, 40);
	assert_int_equal(map.frames, MEM_RANGES_MAX * 3);
	assert_int_equal(map.dropped, 8 * 3 + BOOT_MEMORY_MAX - 40);
}

/* As many ranges as there is room for, two of them of 2 frames, and one more. */
static void build_one_too_many(uint64_t last_frames)
{
	struct boot_memory entries[MEM_RANGES_MAX + 1];

	for (size_t i = 0; i <= MEM_RANGES_MAX; i++)
		entries[i] = (struct boot_memory)RAM(i * 0x100000, 100 * FRAME_SIZE);
	entries[7].size = entries[9].size = 2 * FRAME_SIZE;
	entries[MEM_RANGES_MAX].size = last_frames * FRAME_SIZE;
	build(entries, MEM_RANGES_MAX + 1, 52);
	assert_int_equal(map.count, MEM_RANGES_MAX);
	assert_int_equal(map.dropped, 2);
	assert_int_equal(map.range[7].end - map.range[7].start, 2);
}

static void of_the_smallest_ranges_the_highest_goes(void **state)
{
	(void)state;
	build_one_too_many(3);
	assert_int_equal(map.range[9].end - map.range[9].start, 100);
	assert_int_equal(map.range[MEM_RANGES_MAX - 1].end - map.range[MEM_RANGES_MAX - 1].start,
			 3);
	/* Another one of the same size is the highest itself. */
	build_one_too_many(2);
	assert_int_equal(map.range[9].end - map.range[9].start, 2);
	assert_int_equal(map.range[MEM_RANGES_MAX - 1].end - map.range[MEM_RANGES_MAX - 1].start,
			 100);
}

static void exactly_as_many_ranges_as_there_is_room_for_are_kept(void **state)
{
	struct boot_memory entries[MEM_RANGES_MAX];

	(void)state;
	for (size_t i = 0; i < MEM_RANGES_MAX; i++)
		entries[i] = (struct boot_memory)RAM(i * 0x2000, 0x1000);
	build(entries, MEM_RANGES_MAX, 52);
	assert_int_equal(map.count, MEM_RANGES_MAX);
	assert_int_equal(map.dropped, 0);
	/* Pieces that are one range count as one. */
	entries[1].start = 0x1000;
	build(entries, MEM_RANGES_MAX, 52);
	assert_int_equal(map.count, MEM_RANGES_MAX - 1);
}

/* ---- Against a naive map: a byte of type per KiB ---- */

#define KIBS 512

static void naive_entry(const struct boot_memory *entry, uint8_t kib[KIBS])
{
	for (uint64_t i = entry->start / KIB; i < (entry->start + entry->size) / KIB; i++) {
		if (entry->type != BOOT_MEMORY_RAM)
			kib[i] |= 2;
		else
			kib[i] |= 1;
	}
}

static bool naive_is_ram(const uint8_t kib[KIBS], pfn_t pfn)
{
	return kib[pfn * 4] == 1 && kib[pfn * 4 + 1] == 1 && kib[pfn * 4 + 2] == 1 &&
	       kib[pfn * 4 + 3] == 1;
}

static bool map_has(pfn_t pfn)
{
	for (size_t i = 0; i < map.count; i++)
		if (pfn >= map.range[i].start && pfn < map.range[i].end)
			return true;
	return false;
}

static void random_maps_agree_with_a_naive_one(void **state)
{
	struct boot_memory entries[20];

	(void)state;
	for (unsigned round = 0; round < 20000; round++) {
		size_t count = (size_t)random() % ARRAY_SIZE(entries);
		unsigned bits = 14 + (unsigned)random() % 7;
		uint8_t kib[KIBS] = { 0 };
		uint64_t dropped = 0;

		for (size_t i = 0; i < count; i++) {
			uint64_t start = (uint64_t)random() % KIBS;
			uint64_t size = (uint64_t)random() % (KIBS - start);
			bool ram = random() % 3 != 0;

			/* Mostly small ones: large ones hide each other. */
			size = size >> random() % 6;
			entries[i] = (struct boot_memory)RAM(start * KIB, size * KIB);
			entries[i].type = ram ? BOOT_MEMORY_RAM : BOOT_MEMORY_RESERVED;
			naive_entry(&entries[i], kib);
		}
		build(entries, count, bits);
		for (pfn_t pfn = 0; pfn < KIBS / 4; pfn++) {
			bool beyond = pfn >> (bits - 12) != 0;

			assert_int_equal(map_has(pfn), naive_is_ram(kib, pfn) && !beyond);
			dropped += naive_is_ram(kib, pfn) && beyond;
		}
		assert_int_equal(map.dropped, dropped);
	}
}

/* ---- memmap_remove ---- */

static void remove_and_check(pfn_t start, pfn_t end)
{
	memmap_remove(&map, start, end);
	assert_sane(UINT64_MAX);
}

static void build_two_ranges(void)
{
	BUILD(52, RAM(0x10000, 0x10000), RAM(0x30000, 0x10000));
}

static void removing_takes_ends_middles_and_whole_ranges(void **state)
{
	(void)state;
	build_two_ranges();
	remove_and_check(0x10, 0x12);
	assert_range(0, 0x12, 0x20);
	remove_and_check(0x1e, 0x20);
	assert_range(0, 0x12, 0x1e);
	remove_and_check(0x14, 0x15);
	assert_int_equal(map.count, 3);
	assert_range(0, 0x12, 0x14);
	assert_range(1, 0x15, 0x1e);
	assert_range(2, 0x30, 0x40);
	remove_and_check(0x15, 0x1e);
	assert_int_equal(map.count, 2);
	remove_and_check(0x13, 0x31);
	assert_range(0, 0x12, 0x13);
	assert_range(1, 0x31, 0x40);
	assert_int_equal(map.dropped, 0);
	remove_and_check(0, UINT64_MAX);
	assert_int_equal(map.count, 0);
	assert_int_equal(map.frames, 0);
}

static void removing_what_is_not_there_changes_nothing(void **state)
{
	struct memmap before;

	(void)state;
	build_two_ranges();
	before = map;
	remove_and_check(0, 0x10);
	remove_and_check(0x20, 0x30);
	remove_and_check(0x40, UINT64_MAX);
	remove_and_check(0x18, 0x18);
	remove_and_check(0x1f, 0x11);
	assert_memory_equal(&map, &before, sizeof(map));
}

static void a_split_of_a_full_map_costs_the_smallest_range(void **state)
{
	(void)state;
	/* 31 ranges of 3 frames, and one of a single frame. */
	build_slivers(0, 31);
	assert_int_equal(map.count, MEM_RANGES_MAX);
	assert_int_equal(map.frames, 31 * 3 + 1);
	map.dropped = 5;
	remove_and_check(map.range[10].start + 1, map.range[10].start + 2);
	assert_int_equal(map.count, MEM_RANGES_MAX);
	assert_int_equal(map.frames, 31 * 3 - 1);
	assert_int_equal(map.dropped, 6);
}

/* ---- memmap_find ---- */

static void assert_found(pfn_t from, uint64_t frames, pfn_t expect)
{
	pfn_t start = PFN_NONE;

	assert_int_equal(memmap_find(&map, from, frames, &start), 0);
	assert_int_equal(start, expect);
}

static void assert_not_found(pfn_t from, uint64_t frames)
{
	pfn_t start = PFN_NONE;

	assert_int_equal(memmap_find(&map, from, frames, &start), -ENOMEM);
	assert_int_equal(start, PFN_NONE);
}

static void find_gives_the_lowest_place_that_is_large_enough(void **state)
{
	(void)state;
	BUILD(52, RAM(0x10000, 0x4000), RAM(0x30000, 0x10000));
	assert_found(0, 1, 0x10);
	assert_found(0, 4, 0x10);
	assert_found(0, 5, 0x30);
	assert_found(0x11, 3, 0x11);
	assert_found(0x11, 4, 0x30);
	assert_found(0x14, 1, 0x30);
	assert_found(0x38, 8, 0x38);
}

static void find_says_so_when_there_is_no_place(void **state)
{
	(void)state;
	BUILD(52, RAM(0x10000, 0x4000), RAM(0x30000, 0x10000));
	assert_not_found(0, 17);
	assert_not_found(0, UINT64_MAX);
	assert_not_found(0x38, 9);
	assert_not_found(0x40, 1);
	assert_not_found(UINT64_MAX, 1);
	build(NULL, 0, 52);
	assert_not_found(0, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_empty_map_has_no_ranges),
		cmocka_unit_test(entries_of_size_zero_are_ignored),
		cmocka_unit_test(unsorted_entries_come_out_sorted),
		cmocka_unit_test(ram_that_touches_or_overlaps_becomes_one_range),
		cmocka_unit_test(what_is_not_ram_wins_in_either_order),
		cmocka_unit_test(every_type_but_ram_is_not_ram),
		cmocka_unit_test(partial_frames_are_rounded_inward),
		cmocka_unit_test(one_reserved_byte_costs_one_frame),
		cmocka_unit_test(two_entries_can_make_up_a_frame),
		cmocka_unit_test(entries_that_wrap_around_are_ignored),
		cmocka_unit_test(an_entry_up_to_the_last_address_does_not_wrap),
		cmocka_unit_test(ram_beyond_the_address_width_is_dropped_and_counted),
		cmocka_unit_test(odd_address_widths_do_no_harm),
		cmocka_unit_test(frames_above_8_and_16_tib_keep_their_numbers),
		cmocka_unit_test(one_and_16_tib_are_a_few_ranges),
		cmocka_unit_test(of_too_many_ranges_the_smallest_go),
		cmocka_unit_test(of_the_smallest_ranges_the_highest_goes),
		cmocka_unit_test(exactly_as_many_ranges_as_there_is_room_for_are_kept),
		cmocka_unit_test(random_maps_agree_with_a_naive_one),
		cmocka_unit_test(removing_takes_ends_middles_and_whole_ranges),
		cmocka_unit_test(removing_what_is_not_there_changes_nothing),
		cmocka_unit_test(a_split_of_a_full_map_costs_the_smallest_range),
		cmocka_unit_test(find_gives_the_lowest_place_that_is_large_enough),
		cmocka_unit_test(find_says_so_when_there_is_no_place),
	};

	return cmocka_run_group_tests_name("memmap", tests, NULL, NULL);
}
