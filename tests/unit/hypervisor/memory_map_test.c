/* SPDX-License-Identifier: BSD-2-Clause */
/* The memory map that the guest is told. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/hypervisor/memory_map.h"

#define MIB 0x100000ull
#define GIB (1024 * MIB)

/* As QEMU has it for 3 GiB on a q35. */
static const struct memory_range firmwares[] = {
	{ 0, 0x9fc00, MEMORY_RAM, 0 },	       { 0x9fc00, 0x400, MEMORY_RESERVED, 0 },
	{ MIB, 2 * GIB - MIB, MEMORY_RAM, 0 }, { 3 * GIB, 256 * MIB, MEMORY_RESERVED, 0 },
	{ 4 * GIB, GIB, MEMORY_RAM, 0 },
};

#define COUNT (sizeof(firmwares) / sizeof(firmwares[0]))

static struct memory_map map;

static int setup(void **state)
{
	(void)state;
	memset(&map, 0xff, sizeof(map));
	assert_true(memory_map_read(&map, firmwares, COUNT));
	return 0;
}

static void maps_that_cannot_be_are_refused(void **state)
{
	static struct memory_range many[MEMORY_MAP_MAX + 1];
	struct memory_range endless = { 4096, UINT64_MAX - 4095, MEMORY_RAM, 0 };

	(void)state;
	assert_false(memory_map_read(&map, many, 0));
	assert_false(memory_map_read(&map, many, MEMORY_MAP_MAX + 1));
	assert_true(memory_map_read(&map, many, MEMORY_MAP_MAX));
	assert_false(memory_map_read(&map, &endless, 1));
}

static void top_is_that_of_the_highest_ram(void **state)
{
	(void)state;
	assert_int_equal(memory_map_top(&map), 5 * GIB);
	assert_true(memory_map_read(&map, firmwares, 4));
	assert_int_equal(memory_map_top(&map), 2 * GIB);
	assert_true(memory_map_read(&map, firmwares + 1, 1));
	assert_int_equal(memory_map_top(&map), 0);
}

static void place_is_the_highest_that_fits_below_the_limit(void **state)
{
	(void)state;
	assert_int_equal(memory_map_place(&map, 2 * MIB, 2 * MIB, UINT64_MAX), 5 * GIB - 2 * MIB);
	assert_int_equal(memory_map_place(&map, 4096, 2 * MIB, 2 * GIB), 2 * GIB - 2 * MIB);
	assert_int_equal(memory_map_place(&map, 4096, 2 * MIB, 2 * GIB - 2 * MIB),
			 2 * GIB - 4 * MIB);
	assert_int_equal(memory_map_place(&map, 4096, 4096, 4 * GIB + 4096), 4 * GIB);
	assert_int_equal(memory_map_place(&map, 4096, 4096, 4 * GIB + 4095), 2 * GIB - 4096);
	assert_int_equal(memory_map_place(&map, 2 * GIB, 2 * MIB, 4 * GIB), 0);
	assert_int_equal(memory_map_place(&map, 4096, 2 * MIB, MIB), 0);
}

static void taken_piece_is_reserved_between_what_is_left(void **state)
{
	(void)state;
	assert_true(memory_map_take(&map, GIB, 2 * MIB, MEMORY_RESERVED));
	assert_int_equal(map.count, COUNT + 2);
	assert_int_equal(map.range[2].size, GIB - MIB);
	assert_int_equal(map.range[3].address, GIB);
	assert_int_equal(map.range[3].size, 2 * MIB);
	assert_int_equal(map.range[3].type, MEMORY_RESERVED);
	assert_int_equal(map.range[4].address, GIB + 2 * MIB);
	assert_int_equal(map.range[4].size, GIB - 2 * MIB);
	assert_int_equal(map.range[4].type, MEMORY_RAM);
	assert_memory_equal(&map.range[5], &firmwares[3], 2 * sizeof(firmwares[0]));
}

static void taken_end_leaves_one_piece_and_a_hidden_one_no_trace(void **state)
{
	(void)state;
	assert_true(memory_map_take(&map, 5 * GIB - 2 * MIB, 2 * MIB, MEMORY_RESERVED));
	assert_int_equal(map.count, COUNT + 1);
	assert_true(memory_map_take(&map, 4 * GIB, 2 * MIB, 0));
	assert_int_equal(map.count, COUNT + 1);
	assert_int_equal(map.range[4].address, 4 * GIB + 2 * MIB);
	assert_true(memory_map_take(&map, MIB, 2 * GIB - MIB, 0));
	assert_int_equal(map.count, COUNT);
	assert_memory_equal(&map.range[2], &firmwares[3], sizeof(firmwares[0]));
}

static void piece_that_is_not_wholly_ram_is_refused(void **state)
{
	(void)state;
	assert_false(memory_map_take(&map, 2 * GIB - MIB, 2 * MIB, MEMORY_RESERVED));
	assert_false(memory_map_take(&map, 3 * GIB, MIB, MEMORY_RESERVED));
	assert_false(memory_map_take(&map, 0, MIB, MEMORY_RESERVED));
	map.count = MEMORY_MAP_MAX - 1;
	assert_false(memory_map_take(&map, GIB, MIB, MEMORY_RESERVED));
	assert_memory_equal(map.range, firmwares, sizeof(firmwares));
}

static void ram_may_lie_in_ranges_beside_each_other(void **state)
{
	(void)state;
	assert_true(memory_map_is_ram(&map, 4 * GIB, GIB));
	assert_false(memory_map_is_ram(&map, 4 * GIB, GIB + 1));
	assert_false(memory_map_is_ram(&map, 4 * GIB - 1, 2));
	assert_false(memory_map_is_ram(&map, 3 * GIB, 1));
	assert_false(memory_map_is_ram(&map, UINT64_MAX, UINT64_MAX));
	map.range[3] = (struct memory_range){ 2 * GIB, 2 * GIB, MEMORY_RAM, 0 };
	assert_true(memory_map_is_ram(&map, MIB, 5 * GIB - MIB));
	assert_false(memory_map_is_ram(&map, MIB, 5 * GIB));
}

static void only_whole_frames_of_ram_count(void **state)
{
	const struct memory_range odd[] = {
		{ 100, 4096 * 2, MEMORY_RAM, 0 },
		{ 0x10100, 0xe00, MEMORY_RAM, 0 },
		{ 0x20000, 0x1000, MEMORY_RESERVED, 0 },
	};

	(void)state;
	assert_int_equal(memory_map_frames(&map), 0x9f + (2 * GIB - MIB + GIB) / 4096);
	assert_true(memory_map_read(&map, odd, 3));
	assert_int_equal(memory_map_frames(&map), 1);
}

#define CASE(name) cmocka_unit_test_setup(name, setup)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(maps_that_cannot_be_are_refused),
		CASE(top_is_that_of_the_highest_ram),
		CASE(place_is_the_highest_that_fits_below_the_limit),
		CASE(taken_piece_is_reserved_between_what_is_left),
		CASE(taken_end_leaves_one_piece_and_a_hidden_one_no_trace),
		CASE(piece_that_is_not_wholly_ram_is_refused),
		CASE(ram_may_lie_in_ranges_beside_each_other),
		CASE(only_whole_frames_of_ram_count),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
