/* SPDX-License-Identifier: BSD-2-Clause */
/* The guest's virtual addresses, by page tables that a guest may make as it likes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/hypervisor/page_table.h"
#include "tests/hypervisor/personality.h"
#include "tests/hypervisor/svm.h"

#define RAM 0x100000 /* where the guest's RAM begins */
#define RAM_FRAMES 16
#define CR0_PG (UINT64_C(1) << 31)
#define CR4_LA57 (UINT64_C(1) << 12)
#define EFER_LMA 0x400
#define NX (UINT64_C(1) << 63)
#define HIGHEST_PAGE UINT64_C(0xfffffffffffff000)

struct guest guest;
static struct vmcb vmcb;
static uint64_t ram[RAM_FRAMES][TABLE_ENTRIES];
static unsigned tables;	   /* frames of RAM that are tables, from the first on */
static uint64_t the_hosts; /* address of a frame that the host has; 0: none */

void *machine_memory(uint64_t address, uint64_t size)
{
	if (address < RAM || address - RAM >= sizeof(ram) || size > sizeof(ram) - (address - RAM))
		return NULL;
	if (the_hosts && address < the_hosts + FRAME_SIZE && address + size > the_hosts)
		return NULL;
	return (uint8_t *)ram + (address - RAM);
}

static uint64_t frame(unsigned which)
{
	return RAM + (uint64_t)which * FRAME_SIZE;
}

static int setup(void **state)
{
	(void)state;
	memset(ram, 0, sizeof(ram));
	memset(&vmcb, 0, sizeof(vmcb));
	vmcb.cr0 = CR0_PG;
	vmcb.efer = EFER_LMA;
	vmcb.cr3 = RAM | 0x18; /* and bits that are no address */
	guest.vmcb = &vmcb;
	tables = 1;
	the_hosts = 0;
	return 0;
}

/* Maps a page at the last level, 1 to 3; `levels` as the processor has them. */
static uint64_t *map(uint64_t address, uint64_t entry, unsigned last, unsigned levels)
{
	uint64_t *table = ram[0];

	for (unsigned level = levels; level > last; level--) {
		uint64_t *at = &table[table_index(address, level)];

		if (!*at)
			*at = frame(tables++) | PTE_ACCESS;
		table = ram[((*at & PTE_ADDRESS) - RAM) / FRAME_SIZE];
	}
	table[table_index(address, last)] = entry;
	return &table[table_index(address, last)];
}

static void is_at(uint64_t address, uint64_t size, uint64_t physical)
{
	assert_ptr_equal(machine_virtual(address, size), (uint8_t *)ram + (physical - RAM));
}

static void page_lies_where_its_entry_says(void **state)
{
	const uint64_t address = 0x7f1234567000;

	(void)state;
	map(address, NX | frame(8) | PTE_PRESENT, 1, 4);
	is_at(address, FRAME_SIZE, frame(8));
	is_at(address + 0xff8, 8, frame(8) + 0xff8);
	assert_null(machine_virtual(address + 0xff8, 9));
	assert_null(machine_virtual(address - 1, 1));
	assert_null(machine_virtual(address, 0));
}

static void five_levels_are_walked_where_there_are_five(void **state)
{
	const uint64_t address = 0x5a7f1234567000;

	(void)state;
	map(address, frame(8) | PTE_PRESENT, 1, 5);
	assert_null(machine_virtual(address, 8));
	vmcb.cr4 = CR4_LA57;
	is_at(address, 8, frame(8));
}

/* Bit 12 of a large page's entry is none of its address. */
static void large_pages_are_of_2_mib_and_1_gib(void **state)
{
	(void)state;
	map(0x40000000, 0x1000 | PTE_LARGE | PTE_PRESENT, 2, 4);
	is_at(0x40000000 + frame(9) + 5, 8, frame(9) + 5);
	map(0x8000000000, 0x1000 | PTE_LARGE | PTE_PRESENT, 3, 4);
	is_at(0x8000000000 + frame(9) + 5, 8, frame(9) + 5);
}

static void pages_must_lie_beside_each_other(void **state)
{
	const uint64_t address = 0x1ff000; /* the last entry of a table */

	(void)state;
	map(address, frame(8) | PTE_PRESENT, 1, 4);
	map(address + FRAME_SIZE, frame(9) | PTE_PRESENT, 1, 4);
	map(address + 2 * FRAME_SIZE, frame(11) | PTE_PRESENT, 1, 4);
	is_at(address + 1, 2 * FRAME_SIZE - 1, frame(8) + 1);
	assert_null(machine_virtual(address + 1, 2 * FRAME_SIZE));
	is_at(address + 2 * FRAME_SIZE, 8, frame(11));
	assert_null(machine_virtual(address + 2 * FRAME_SIZE, FRAME_SIZE + 1));
}

static void highest_page_ends_where_addresses_do(void **state)
{
	(void)state;
	map(HIGHEST_PAGE, frame(8) | PTE_PRESENT, 1, 4);
	is_at(HIGHEST_PAGE + 16, 8, frame(8) + 16);
	assert_null(machine_virtual(HIGHEST_PAGE + 16, FRAME_SIZE));
	assert_null(machine_virtual(HIGHEST_PAGE + 16, UINT64_MAX));
}

static void tables_and_pages_out_of_reach_are_none(void **state)
{
	const uint64_t address = 0x400000;
	uint64_t *entry = map(address, frame(8) | PTE_PRESENT, 1, 4);

	(void)state;
	for (unsigned table = 0; table < tables; table++) {
		the_hosts = frame(table);
		assert_null(machine_virtual(address, 8));
	}
	the_hosts = frame(8);
	assert_null(machine_virtual(address, 8));
	the_hosts = 0;
	is_at(address, 8, frame(8));
	*entry = (frame(8) & PTE_ADDRESS) | PTE_LARGE;
	assert_null(machine_virtual(address, 8));
	*entry = (PTE_ADDRESS & ~(uint64_t)FRAME_SIZE) | PTE_PRESENT;
	assert_null(machine_virtual(address, 8));
	vmcb.cr3 = PTE_ADDRESS;
	assert_null(machine_virtual(address, 8));
}

static void without_paging_addresses_are_physical(void **state)
{
	(void)state;
	vmcb.cr0 = 0;
	is_at(frame(3), 8, frame(3));
	vmcb.cr0 = CR0_PG;
	vmcb.efer = 0;
	is_at(frame(3), 8, frame(3));
}

#define CASE(name) cmocka_unit_test_setup(name, setup)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(page_lies_where_its_entry_says),
		CASE(five_levels_are_walked_where_there_are_five),
		CASE(large_pages_are_of_2_mib_and_1_gib),
		CASE(pages_must_lie_beside_each_other),
		CASE(highest_page_ends_where_addresses_do),
		CASE(tables_and_pages_out_of_reach_are_none),
		CASE(without_paging_addresses_are_physical),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
