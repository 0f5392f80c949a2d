/* SPDX-License-Identifier: BSD-2-Clause */
/* The hypervisor's own page tables; see own_map.h. */
#include "tests/hypervisor/own_map.h"

#include "arch/x86_64/cpuid.h"
#include "tests/hypervisor/page_table.h"

#define LEAF_EXTENDED 0x80000001
#define EDX_GIB_PAGES (1u << 26)

bool has_gib_pages(void)
{
	uint32_t leaf[CPUID_REGISTERS];

	cpuid_read(LEAF_EXTENDED, leaf);
	return leaf[CPUID_EDX] & EDX_GIB_PAGES;
}

static void map_block(uint64_t *root, uint64_t at, uint64_t address)
{
	uint64_t *directories = table_make(&root[table_index(at, 4)]);
	uint64_t *directory = table_make(&directories[table_index(at, 3)]);

	directory[table_index(at, 2)] = address | PTE_ACCESS | PTE_LARGE;
}

static void map_gib(uint64_t *root, uint64_t at, uint64_t address)
{
	uint64_t *directories = table_make(&root[table_index(at, 4)]);

	directories[table_index(at, 3)] = address | PTE_ACCESS | PTE_LARGE;
}

/* The devices of a PC lie below 4 GiB, beyond the RAM of most. */
static uint64_t shown_end(uint64_t top)
{
	uint64_t least = 4ull * GIB_SIZE;

	return top > least ? top : least;
}

/* The root, the tables below it, and a directory for each GiB where no page is as large. */
uint64_t own_map_pages(uint64_t image_size, uint64_t top)
{
	uint64_t gibs = (shown_end(top) + GIB_SIZE - 1) / GIB_SIZE;
	uint64_t tables = 1 + 1 + (gibs + TABLE_ENTRIES - 1) / TABLE_ENTRIES;

	return tables + (image_size + GIB_SIZE - 1) / GIB_SIZE + 1 + (has_gib_pages() ? 0 : gibs);
}

uint64_t own_map_make(uint64_t place, uint64_t image, uint64_t image_size, uint64_t top)
{
	uint64_t *root = pool_take(1);
	bool large = has_gib_pages();

	for (uint64_t at = 0; at < image_size; at += BLOCK_SIZE)
		map_block(root, place + at, image + at);
	for (uint64_t at = 0; at < shown_end(top); at += large ? GIB_SIZE : BLOCK_SIZE)
		if (large)
			map_gib(root, PHYS_MAP + at, at);
		else
			map_block(root, PHYS_MAP + at, at);
	return hv_to_phys(root);
}
