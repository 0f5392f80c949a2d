/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mm/memory_region.c: regions and their page tables, which are those of block_tables.h.
 */
#include "tests/unit/mm/block_tables.h"

#include <errno.h>
#include <string.h>

#include "arch/phys_map.h"
#include "mm/frame_map.h"
#include "mm/ledger.h"
#include "mm/memory_region.h"
#include "tests/sim/sim_log.h"

#define B BLOCK_FRAMES
#define GIB_FRAMES (GIB / FRAME_SIZE)
#define BOOT_BLOCKS 8

/* From the middle of a GiB into the fifth. */
#define REGION (RAM + GIB_FRAMES / 2)
#define REGION_BLOCKS 2048

static const struct frame_region_part all = { REGION, REGION_BLOCKS, 1 };

static void boot(void)
{
	block_tables_reset();
	region_fixture_boot(BOOT_BLOCKS * B);
}

static void start(void)
{
	boot();
	assert_int_equal(memory_region_announce(REGION, REGION_BLOCKS), 0);
}

static void plug(pfn_t pfn, size_t blocks)
{
	assert_int_equal(memory_region_plug(pfn, blocks), 0);
	fixture_expect_managed(ledger_managed());
}

static size_t claim(size_t max, pfn_t *pfn)
{
	size_t blocks = 0;
	int err = memory_region_claim(&all, max, pfn, &blocks);

	assert_true(err == 0 || err == -ENOENT);
	return err ? 0 : blocks;
}

static void leave(pfn_t pfn, size_t blocks)
{
	assert_int_equal(memory_region_leave(pfn, blocks), 0);
	fixture_expect_managed(ledger_managed());
}

static void take_everything(void)
{
	pfn_t pfn;

	for (unsigned order = BLOCK_ORDER + 1; order-- > 0;)
		while (frame_alloc(order, OWNER_HELD, &pfn) == 0)
			;
}

/* One in reserve, and those of each GiB. */
static size_t count_tables(void)
{
	return 1 + block_tables_count();
}

static void an_announced_region_has_a_table_in_reserve_and_maps_nothing(void **state)
{
	(void)state;
	start();
	assert_int_equal(block_tables.prepared_start, pfn_to_paddr(REGION));
	assert_int_equal(block_tables.prepared_end, pfn_to_paddr(REGION + REGION_BLOCKS * B));
	assert_int_equal(ledger_count(OWNER_PAGE_TABLES), 1);
	assert_int_equal(count_tables(), 1);
	fixture_assert_books();
}

static void no_registers_are_mapped_in_a_region(void **state)
{
	const paddr_t first = pfn_to_paddr(REGION);
	const paddr_t end = pfn_to_paddr(REGION + REGION_BLOCKS * B);

	(void)state;
	block_tables.taken = NULL;
	block_tables.err = -EBUSY;
	boot();
	sim_log_reset();
	block_tables.err = -EBUSY;
	assert_int_equal(memory_region_announce(REGION, REGION_BLOCKS), -EBUSY);
	assert_null(block_tables.taken);
	start();
	assert_false(block_tables.taken(first - BLOCK_SIZE, first));
	assert_false(block_tables.taken(end, end + GIB));
	assert_int_equal(sim_log_warnings, 0);
	assert_true(block_tables.taken(first, first + BLOCK_SIZE));
	assert_true(block_tables.taken(end - BLOCK_SIZE, end));
	assert_true(block_tables.taken(first - BLOCK_SIZE, end + BLOCK_SIZE));
	assert_int_equal(sim_log_warnings, 3);
	assert_non_null(strstr(sim_log_warning, "registers near"));
	assert_true(block_tables.taken(first - BLOCK_SIZE, end));
	assert_int_equal(sim_log_warnings, 3);
	for (int i = 0; i < 20; i++)
		assert_true(block_tables.taken(first + (unsigned)i % 2 * BLOCK_SIZE, end));
	assert_int_equal(sim_log_warnings, 8);
}

static paddr_t used_at;

static bool is_used(paddr_t first, paddr_t end)
{
	return first <= used_at && used_at < end;
}

static void where_something_else_is_no_region_is_announced(void **state)
{
	const paddr_t at[] = { pfn_to_paddr(REGION), pfn_to_paddr(REGION + REGION_BLOCKS * B) - 1 };

	(void)state;
	boot();
	memory_region_set_obstacles(is_used);
	for (size_t i = 0; i < ARRAY_SIZE(at); i++) {
		used_at = at[i];
		assert_int_equal(memory_region_announce(REGION, REGION_BLOCKS), -EBUSY);
	}
	assert_int_equal(ledger_count(OWNER_PAGE_TABLES), 0);
	used_at = at[1] + 1;
	assert_int_equal(memory_region_announce(REGION, REGION_BLOCKS), 0);
	memory_region_set_obstacles(NULL);
	fixture_assert_books();
}

static void a_region_that_cannot_be_mapped_is_not_announced(void **state)
{
	(void)state;
	boot();
	block_tables.err = -EBUSY;
	assert_int_equal(memory_region_announce(REGION, REGION_BLOCKS), -EBUSY);
	block_tables.err = 0;
	block_tables.prepared_end = 0;
	assert_int_equal(memory_region_announce(0, 1), -EINVAL);
	assert_int_equal(memory_region_announce(RAM, 1), -EINVAL);
	assert_int_equal(memory_region_announce(REGION, 0), -EINVAL);
	assert_int_equal(memory_region_announce(REGION + 1, 1), -EINVAL);
	assert_int_equal(memory_region_announce(REGION, SIZE_MAX / B), -EINVAL);
	assert_int_equal(memory_region_announce(REGION, (size_t)1 << 55), -EINVAL);
	assert_int_equal(memory_region_announce(PFN_NONE - B + 1, 1), -EINVAL);
	assert_int_equal(block_tables.prepared_end, 0);
	assert_int_equal(ledger_count(OWNER_PAGE_TABLES), 0);
	take_everything();
	assert_int_equal(memory_region_announce(REGION, REGION_BLOCKS), -ENOMEM);
	fixture_assert_books();
}

static void blocks_are_mapped_while_they_are_there(void **state)
{
	pfn_t pfn;
	size_t n;

	(void)state;
	start();
	plug(REGION, REGION_BLOCKS);
	assert_int_equal(count_tables(), 6);
	assert_int_equal(ledger_count(OWNER_PAGE_TABLES), 6);
	assert_int_equal(memory_region_plug(REGION, 1), -EPERM);
	assert_int_equal(memory_region_plug(REGION - B, 1), -EINVAL);
	assert_int_equal(claim(1000, &pfn), 1000);
	assert_int_equal(count_tables(), 4);
	memory_region_keep(pfn, 1000);
	assert_int_equal(count_tables(), 6);
	fixture_assert_books();
	while ((n = claim(300, &pfn)) > 0)
		leave(pfn, n);
	assert_int_equal(ledger_managed(), BOOT_BLOCKS * B);
	assert_int_equal(ledger_count(OWNER_PAGE_TABLES), 1);
	assert_int_equal(count_tables(), 1);
	fixture_assert_books();
}

/* Each time a section is missing; a table is, every fourth time. */
static void growing_needs_no_free_frame(void **state)
{
	(void)state;
	start();
	for (size_t n = 0; n < REGION_BLOCKS; n += SECTION_BLOCKS) {
		take_everything();
		assert_int_equal(ledger_count(OWNER_FREE), 0);
		plug(REGION + n * B, n % 3 == 0 ? SECTION_BLOCKS : 1);
	}
	assert_int_equal(ledger_count(OWNER_PAGE_TABLES), count_tables());
	assert_int_equal(count_tables(), 6);
	fixture_assert_books();
}

static void tables_in_a_region_move_when_the_boot_has_room(void **state)
{
	pfn_t pfn;
	size_t n;

	(void)state;
	start();
	take_everything();
	plug(REGION, REGION_BLOCKS);
	assert_int_equal(count_tables(), 6);
	while ((n = claim(REGION_BLOCKS, &pfn)) > 0)
		leave(pfn, n);
	/* A block stays, for the books and the tables that are left. */
	assert_int_equal(ledger_managed(), (BOOT_BLOCKS + 1) * B);
	fixture_assert_books();
	frame_free_owned(OWNER_HELD, UINT64_MAX);
	assert_int_equal(claim(REGION_BLOCKS, &pfn), 1);
	leave(pfn, 1);
	assert_int_equal(ledger_count(OWNER_PAGE_TABLES), 1);
	fixture_assert_books();
}

static void tables_of_a_whole_region_move(void **state)
{
	pfn_t pfn;

	(void)state;
	start();
	take_everything();
	plug(REGION, REGION_BLOCKS);
	frame_free_owned(OWNER_HELD, UINT64_MAX);
	assert_int_equal(claim(REGION_BLOCKS, &pfn), REGION_BLOCKS);
	leave(pfn, REGION_BLOCKS);
	assert_int_equal(ledger_managed(), BOOT_BLOCKS * B);
	assert_int_equal(ledger_count(OWNER_PAGE_TABLES), 1);
	fixture_assert_books();
}

/* One table too many, as its blocks have left: the reserve is the one that is in no way. */
static void of_two_tables_the_one_in_memory_of_the_boot_is_kept(void **state)
{
	const struct frame_region_part first = { REGION, 1, 1 };
	pfn_t pfns[3];
	size_t blocks;
	pfn_t pfn;

	(void)state;
	start();
	plug(REGION, 1);
	take_everything();
	plug(REGION + GIB_FRAMES, 1);
	assert_int_equal(frame_collect(OWNER_PAGE_TABLES, 0, 3, pfns), 3);
	assert_true(pfns[2] >= REGION);
	fixture_free(REGION, B, OWNER_HELD);
	assert_int_equal(memory_region_claim(&first, 1, &pfn, &blocks), 0);
	leave(REGION, 1);
	assert_int_equal(frame_collect(OWNER_PAGE_TABLES, 0, 3, pfns), 2);
	assert_true(pfns[1] < frame_region_boot_end());
	assert_int_equal(count_tables(), 2);
	fixture_assert_books();
}

/* Claims blocks that leave together or not at all, as a DIMM's do. */
static int claim_unit(pfn_t start, size_t blocks)
{
	const struct frame_region_part part = { start, blocks, blocks };
	size_t claimed = 0;
	pfn_t pfn = 0;
	int err = memory_region_claim(&part, blocks, &pfn, &claimed);

	assert_true(err || (pfn == start && claimed == blocks));
	return err;
}

/* A DIMM of 1 GiB that lies in two GiB, and a table in it that has to go first. */
static void particular_blocks_are_unmapped_as_well(void **state)
{
	(void)state;
	start();
	take_everything();
	plug(REGION + 2 * B, 512);
	assert_int_equal(claim_unit(REGION + 2 * B, 512), -ENOENT);
	frame_free_owned(OWNER_HELD, UINT64_MAX);
	assert_int_equal(claim_unit(REGION, 3), -ENOENT);
	assert_int_equal(claim_unit(REGION - B, 1), -EINVAL);
	assert_int_equal(claim_unit(REGION + 2 * B, 512), 0);
	assert_int_equal(count_tables(), 1);
	memory_region_keep(REGION + 2 * B, 512);
	assert_int_equal(claim_unit(REGION + 2 * B, 512), 0);
	leave(REGION + 2 * B, 512);
	assert_int_equal(ledger_count(OWNER_PAGE_TABLES), 1);
	fixture_assert_books();
}

static void so_many_regions_can_be_announced_and_no_more(void **state)
{
	pfn_t at = REGION;

	(void)state;
	boot();
	/* Those that RAM leaves, of which there is one range. */
	for (size_t n = 0; n < FRAME_SPANS_MAX - 1; n++, at += 3 * B)
		assert_int_equal(memory_region_announce(at, 2), 0);
	assert_int_equal(memory_region_announce(at, 2), -ENOSPC);
	assert_int_equal(ledger_count(OWNER_PAGE_TABLES), 1);
	fixture_assert_books();
}

/* Neither without a region, nor beside one whose reserve is needed. */
static void a_region_without_room_for_its_books_leaves_the_reserve_as_it_was(void **state)
{
	(void)state;
	boot();
	take_everything();
	fixture_free(RAM + 3 * B, 1, OWNER_HELD);
	assert_int_equal(memory_region_announce(REGION, REGION_BLOCKS), -ENOMEM);
	assert_int_equal(ledger_count(OWNER_PAGE_TABLES), 0);
	assert_int_equal(ledger_count(OWNER_FREE), 1);
	frame_free_owned(OWNER_HELD, UINT64_MAX);
	assert_int_equal(memory_region_announce(REGION, REGION_BLOCKS), 0);
	take_everything();
	assert_int_equal(memory_region_announce(REGION + REGION_BLOCKS * B, 9), -ENOMEM);
	assert_int_equal(ledger_count(OWNER_PAGE_TABLES), 1);
	plug(REGION, 1);
	assert_int_equal(ledger_count(OWNER_PAGE_TABLES), 2);
	fixture_assert_books();
}

#define TEST(name) cmocka_unit_test_teardown(name, fixture_stop)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(an_announced_region_has_a_table_in_reserve_and_maps_nothing),
		TEST(no_registers_are_mapped_in_a_region),
		TEST(where_something_else_is_no_region_is_announced),
		TEST(a_region_that_cannot_be_mapped_is_not_announced),
		TEST(blocks_are_mapped_while_they_are_there),
		TEST(growing_needs_no_free_frame),
		TEST(tables_in_a_region_move_when_the_boot_has_room),
		TEST(tables_of_a_whole_region_move),
		TEST(of_two_tables_the_one_in_memory_of_the_boot_is_kept),
		TEST(particular_blocks_are_unmapped_as_well),
		TEST(so_many_regions_can_be_announced_and_no_more),
		TEST(a_region_without_room_for_its_books_leaves_the_reserve_as_it_was),
	};

	return cmocka_run_group_tests_name("memory_region", tests, region_fixture_reserve, NULL);
}
