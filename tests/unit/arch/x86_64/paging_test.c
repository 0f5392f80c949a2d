/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * arch/x86_64/paging.c: tables in memory of the test, which reads them as a processor
 * would, by a walk of its own.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "arch/cpu.h"
#include "arch/paging.h"
#include "arch/x86_64/tlb.h"

#define TIB (1024 * GIB)
#define RAM_END (6 * GIB + 512 * MIB)
#define TABLES_MAX 64

#define PRESENT 1u
#define WRITE 2u
#define UNCACHED 0x18u
#define LARGE 0x80u
#define NO_EXECUTE (UINT64_C(1) << 63)
#define FRAME UINT64_C(0x000ffffffffff000)
#define DATA (PRESENT | WRITE | LARGE | NO_EXECUTE)

static uint64_t *tables[TABLES_MAX];
static size_t table_count;
static size_t tables_left;
static uint64_t top;
static uint64_t flushes;
static bool gib_pages;

unsigned cpu_physical_bits(void)
{
	return 46;
}

bool cpu_has_gib_pages(void)
{
	return gib_pages;
}

void tlb_load(uint64_t table)
{
	top = table;
}

void tlb_flush_page(uint64_t vaddr)
{
	(void)vaddr;
	flushes++;
}

static paddr_t alloc(void)
{
	uint64_t *table;

	if (tables_left == 0)
		return 0;
	tables_left--;
	table = aligned_alloc(FRAME_SIZE, FRAME_SIZE);
	assert_non_null(table);
	assert_true(table_count < TABLES_MAX);
	memset(table, 0xa5, FRAME_SIZE);
	tables[table_count++] = table;
	return virt_to_phys(table);
}

static int teardown(void **state)
{
	(void)state;
	while (table_count > 0)
		free(tables[--table_count]);
	return 0;
}

static void start(void)
{
	tables_left = TABLES_MAX;
	flushes = 0;
	assert_int_equal(paging_begin(alloc), 0);
	assert_int_equal(paging_map_ram(0, 1 * GIB), 0);
	assert_int_equal(paging_map_ram(4 * GIB, RAM_END), 0);
	assert_int_equal(paging_load(), 0);
}

/* The entry that maps an address, 0 if there is none. */
static uint64_t walk(uint64_t vaddr)
{
	uint64_t entry = top | PRESENT;

	for (unsigned shift = 39; shift >= 12; shift -= 9) {
		const uint64_t *table = phys_to_virt(entry & FRAME);

		entry = table[vaddr >> shift & 511];
		if (!(entry & PRESENT))
			return 0;
		if (entry & LARGE)
			break;
	}
	return entry;
}

static void assert_mapped(paddr_t start, paddr_t end, bool mapped)
{
	for (paddr_t at = start; at < end; at += BLOCK_SIZE)
		assert_int_equal(walk(at), mapped ? at | DATA : 0);
}

static void ram_and_devices_below_4_gib_are_mapped_where_they_are(void **state)
{
	(void)state;
	gib_pages = false;
	start();
	assert_int_equal(walk(0), 0);
	assert_int_equal(walk(0x20f000), 0x20f000 | PRESENT);
	assert_int_equal(walk(0x212000), 0x212000 | PRESENT | NO_EXECUTE);
	assert_int_equal(walk(0x213000), 0x213000 | PRESENT | WRITE | NO_EXECUTE);
	assert_mapped(4 * MIB, 1 * GIB, true);
	assert_int_equal(walk(3 * GIB), 3 * GIB | DATA | UNCACHED);
	assert_mapped(4 * GIB, RAM_END, true);
	assert_int_equal(walk(RAM_END), 0);
}

static void large_ram_is_mapped_by_large_pages(void **state)
{
	(void)state;
	gib_pages = true;
	start();
	assert_int_equal(walk(5 * GIB + 7 * MIB), 5 * GIB | DATA);
	assert_mapped(6 * GIB, RAM_END, true);
	gib_pages = false;
}

static void prepared_memory_has_a_table_for_each_512_gib_and_is_not_mapped(void **state)
{
	size_t before;

	(void)state;
	start();
	before = table_count;
	assert_int_equal(paging_prepare_blocks(8 * GIB, 8 * GIB + TIB), 0);
	/* The first was there. */
	assert_int_equal(table_count, before + 2);
	for (paddr_t at = 8 * GIB; at < 8 * GIB + TIB; at += GIB / 2) {
		assert_int_equal(walk(at), 0);
		assert_int_equal(paging_block_table(at), 0);
	}
	assert_int_equal(paging_prepare_blocks(8 * GIB, 8 * GIB + TIB), 0);
	assert_int_equal(table_count, before + 2);
}

static void what_is_mapped_or_has_no_address_cannot_be_prepared(void **state)
{
	void *window;

	(void)state;
	gib_pages = true;
	start();
	gib_pages = false;
	assert_int_equal(paging_map_device(100 * GIB + 4 * MIB, 4096, &window), 0);
	assert_int_equal(paging_prepare_blocks(2 * GIB, 2 * GIB + 2 * MIB), -EBUSY);
	assert_int_equal(paging_prepare_blocks(4 * GIB, 5 * GIB), -EBUSY);
	assert_int_equal(paging_prepare_blocks(5 * GIB + 6 * MIB, 5 * GIB + 8 * MIB), -EBUSY);
	assert_int_equal(paging_prepare_blocks(RAM_END - 2 * MIB, RAM_END + GIB), -EBUSY);
	assert_int_equal(paging_prepare_blocks(RAM_END, RAM_END + 200 * GIB), -EBUSY);
	assert_int_equal(paging_prepare_blocks(100 * GIB + 4 * MIB, 101 * GIB), -EBUSY);
	assert_int_equal(paging_prepare_blocks(64 * TIB - 2 * MIB, 64 * TIB + 2 * MIB), -EINVAL);
	assert_int_equal(paging_prepare_blocks(64 * TIB - 2 * MIB, 64 * TIB), 0);
	assert_int_equal(paging_prepare_blocks(RAM_END, 100 * GIB + 4 * MIB), 0);
	assert_int_equal(paging_prepare_blocks(100 * GIB + 6 * MIB, 101 * GIB), 0);
	tables_left = 1;
	assert_int_equal(paging_prepare_blocks(10 * TIB, 11 * TIB), -ENOMEM);
}

static bool memory_comes(paddr_t start, paddr_t end)
{
	assert_true(start < end && start % BLOCK_SIZE == 0 && end % BLOCK_SIZE == 0);
	return start < 101 * GIB && end > 100 * GIB;
}

static void registers_are_mapped_nowhere_where_memory_may_come(void **state)
{
	void *window = NULL;

	(void)state;
	start();
	paging_set_taken(memory_comes);
	assert_int_equal(paging_map_device(100 * GIB + 4 * MIB, 4096, &window), -EBUSY);
	assert_int_equal(paging_map_device(101 * GIB - 1, 1, &window), -EBUSY);
	assert_int_equal(paging_map_device(100 * GIB - 4096, 8192, &window), -EBUSY);
	assert_null(window);
	assert_mapped(100 * GIB - BLOCK_SIZE, 101 * GIB, false);
	assert_int_equal(paging_map_device(101 * GIB, 4096, &window), 0);
	assert_int_equal(paging_map_device(100 * GIB - 1, 1, &window), 0);
	assert_int_equal(walk(101 * GIB), 101 * GIB | DATA | UNCACHED);
	paging_set_taken(NULL);
	assert_int_equal(paging_map_device(100 * GIB, 4096, &window), 0);
}

static void blocks_are_mapped_with_the_frame_of_the_caller(void **state)
{
	paddr_t table, own;
	size_t before;

	(void)state;
	start();
	assert_int_equal(paging_prepare_blocks(8 * GIB, 20 * GIB), 0);
	own = table = alloc();
	before = table_count;
	paging_map_blocks(9 * GIB + 4 * MIB, 9 * GIB + 10 * MIB, &table);
	assert_int_equal(table, 0);
	assert_int_equal(paging_block_table(9 * GIB), own);
	assert_mapped(9 * GIB, 9 * GIB + 4 * MIB, false);
	assert_mapped(9 * GIB + 4 * MIB, 9 * GIB + 10 * MIB, true);
	assert_mapped(9 * GIB + 10 * MIB, 10 * GIB, false);
	/* The next ones find it. */
	paging_map_blocks(9 * GIB + 10 * MIB, 10 * GIB, &table);
	assert_mapped(9 * GIB + 4 * MIB, 10 * GIB, true);
	assert_int_equal(table_count, before);
}

static void a_table_that_maps_nothing_is_given_back(void **state)
{
	paddr_t table, own;

	(void)state;
	start();
	assert_int_equal(paging_prepare_blocks(8 * GIB, 20 * GIB), 0);
	own = table = alloc();
	paging_map_blocks(8 * GIB, 9 * GIB, &table);
	flushes = 0;
	assert_int_equal(paging_unmap_blocks(8 * GIB, 9 * GIB - 2 * MIB), 0);
	assert_int_equal(flushes, 511);
	assert_mapped(8 * GIB, 9 * GIB - 2 * MIB, false);
	assert_mapped(9 * GIB - 2 * MIB, 9 * GIB, true);
	assert_int_equal(paging_unmap_blocks(9 * GIB - 2 * MIB, 9 * GIB), own);
	assert_int_equal(flushes, 513);
	assert_int_equal(paging_block_table(8 * GIB), 0);
	assert_mapped(8 * GIB, 9 * GIB, false);
	paging_map_blocks(8 * GIB, 8 * GIB + 2 * MIB, &own);
	assert_mapped(8 * GIB, 8 * GIB + 2 * MIB, true);
}

/* A region may begin where RAM ends, in mid-GiB. */
static void a_table_that_maps_ram_as_well_stays(void **state)
{
	paddr_t none = 0;

	(void)state;
	start();
	assert_int_equal(paging_prepare_blocks(RAM_END, 7 * GIB), 0);
	paging_map_blocks(RAM_END, 7 * GIB, &none);
	assert_mapped(6 * GIB, 7 * GIB, true);
	assert_int_equal(paging_unmap_blocks(RAM_END, 7 * GIB), 0);
	assert_mapped(6 * GIB, RAM_END, true);
	assert_mapped(RAM_END, 7 * GIB, false);
}

static void a_table_moves_and_maps_what_it_did(void **state)
{
	paddr_t table, own, other;

	(void)state;
	start();
	assert_int_equal(paging_prepare_blocks(8 * GIB, 20 * GIB), 0);
	own = table = alloc();
	paging_map_blocks(8 * GIB + 2 * MIB, 9 * GIB, &table);
	other = alloc();
	flushes = 0;
	assert_int_equal(paging_move_block_table(8 * GIB + 6 * MIB, other), own);
	assert_int_equal(flushes, 1);
	memset(phys_to_virt(own), 0, FRAME_SIZE);
	assert_int_equal(paging_block_table(8 * GIB), other);
	assert_mapped(8 * GIB, 8 * GIB + 2 * MIB, false);
	assert_mapped(8 * GIB + 2 * MIB, 9 * GIB, true);
}

#define TEST(name) cmocka_unit_test_teardown(name, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(ram_and_devices_below_4_gib_are_mapped_where_they_are),
		TEST(large_ram_is_mapped_by_large_pages),
		TEST(prepared_memory_has_a_table_for_each_512_gib_and_is_not_mapped),
		TEST(what_is_mapped_or_has_no_address_cannot_be_prepared),
		TEST(registers_are_mapped_nowhere_where_memory_may_come),
		TEST(blocks_are_mapped_with_the_frame_of_the_caller),
		TEST(a_table_that_maps_nothing_is_given_back),
		TEST(a_table_that_maps_ram_as_well_stays),
		TEST(a_table_moves_and_maps_what_it_did),
	};

	return cmocka_run_group_tests_name("paging", tests, NULL, NULL);
}
