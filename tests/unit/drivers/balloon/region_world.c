/* SPDX-License-Identifier: BSD-2-Clause */
/* Boot memory and two regions; see region_world.h. */
#include "tests/unit/drivers/balloon/region_world.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "mm/ledger.h"

_Static_assert(UPPER_END <= WORLD_START + SIM_RAM_FRAMES, "all of it lies in the RAM");

void region_world_start(void)
{
	const struct memmap map = { .count = 1,
				    .range = { { WORLD_START, BOOT_END } },
				    .frames = BOOT_BLOCKS * BLOCK_FRAMES };

	sim_ram_start(&map);
	assert_int_equal(frame_region_announce(LOWER, LOWER_BLOCKS), 0);
	assert_int_equal(frame_region_announce(UPPER, UPPER_BLOCKS), 0);
	sim_ram_lend(BOOT_END, UPPER_END - BOOT_END, true);
}

void region_world_plug(pfn_t pfn, size_t blocks)
{
	sim_ram_lend(pfn, blocks * BLOCK_FRAMES, false);
	assert_int_equal(frame_region_plug(pfn, blocks), 0);
}

void region_world_leave(pfn_t pfn, size_t blocks)
{
	assert_int_equal(frame_region_leave(pfn, blocks), 0);
}

void region_world_keep(pfn_t pfn, size_t blocks)
{
	sim_ram_lend(pfn, blocks * BLOCK_FRAMES, false);
	assert_int_equal(frame_free(pfn, blocks * BLOCK_FRAMES, OWNER_UNPLUGGED), 0);
}

size_t region_world_claim(const struct frame_region_part *part, size_t max, pfn_t *pfn)
{
	size_t blocks = 0;
	int err = frame_region_claim(part, max, pfn, &blocks);

	assert_true(err == 0 || err == -ENOENT);
	if (blocks > 0)
		sim_ram_lend(*pfn, blocks * BLOCK_FRAMES, true);
	return blocks;
}

uint64_t frames_of(enum owner owner, pfn_t start, pfn_t end)
{
	uint64_t n = 0;

	for (pfn_t pfn = start; pfn < end; pfn++)
		n += frame_owner(pfn) == owner;
	return n;
}

uint64_t boot_free(void)
{
	return frames_of(OWNER_FREE, WORLD_START, BOOT_END);
}
