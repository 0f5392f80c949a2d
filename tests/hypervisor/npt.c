/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Nested page tables; see npt.h. An entry that is not present keeps its address. In the upper two
 * levels it is only not made yet; a block or a page that is not present is hidden. The
 * entry of a block that is split counts the pages that its table shows.
 */
#include "tests/hypervisor/npt.h"

#include "tests/hypervisor/page_table.h"

#define SHOWN_SHIFT 52 /* bits 52 to 62 are free for software in an entry that leads to a table */
#define SHOWN_ONE (UINT64_C(1) << SHOWN_SHIFT)
#define SHOWN_MASK 0x7ff

static uint64_t *root;
static bool gib_pages, stale;
static uint64_t split_blocks;

uint64_t npt_init(void)
{
	root = pool_take(1);
	gib_pages = has_gib_pages();
	stale = false;
	split_blocks = 0;
	return hv_to_phys(root);
}

static uint64_t *gib_entry(uint64_t address)
{
	return &table_make(&root[table_index(address, 4)])[table_index(address, 3)];
}

/* All blocks of a GiB, shown. */
static void make_directory(uint64_t *entry, uint64_t address)
{
	uint64_t first = address / GIB_SIZE * GIB_SIZE;
	uint64_t *directory = pool_take(1);

	for (unsigned i = 0; i < TABLE_ENTRIES; i++)
		directory[i] = (first + (uint64_t)i * BLOCK_SIZE) | PTE_LARGE | PTE_ACCESS;
	*entry = hv_to_phys(directory) | PTE_ACCESS;
}

static uint64_t *block_entry(uint64_t address)
{
	uint64_t *entry = gib_entry(address);

	if (!(*entry & PTE_PRESENT) || (*entry & PTE_LARGE))
		make_directory(entry, address);
	return &table_of(*entry)[table_index(address, 2)];
}

static bool is_split(uint64_t entry)
{
	return (entry & PTE_PRESENT) && !(entry & PTE_LARGE);
}

/* The block as a whole, shown or hidden. */
static void make_whole(uint64_t *entry, uint64_t address, bool present)
{
	if (is_split(*entry)) {
		pool_give(table_of(*entry));
		split_blocks--;
	}
	*entry = address / BLOCK_SIZE * BLOCK_SIZE | PTE_LARGE | (present ? PTE_ACCESS : 0);
}

/* A table of pages that are what the block was. */
static void split(uint64_t *entry, uint64_t address)
{
	uint64_t first = address / BLOCK_SIZE * BLOCK_SIZE;
	bool present = *entry & PTE_PRESENT;
	uint64_t *table = pool_take(1);

	for (unsigned i = 0; i < TABLE_ENTRIES; i++)
		table[i] = (first + (uint64_t)i * FRAME_SIZE) | (present ? PTE_ACCESS : 0);
	*entry = hv_to_phys(table) | PTE_ACCESS | (present ? TABLE_ENTRIES * SHOWN_ONE : 0);
	split_blocks++;
}

/* Frames of one block. */
static void show_in_block(uint64_t first, uint64_t count, bool present)
{
	uint64_t address = first * FRAME_SIZE, shown;
	uint64_t *entry = block_entry(address), *page;

	if (count == BLOCK_FRAMES) {
		make_whole(entry, address, present);
		return;
	}
	if (!is_split(*entry)) {
		if (present == (bool)(*entry & PTE_PRESENT))
			return;
		split(entry, address);
	}
	page = &table_of(*entry)[table_index(address, 1)];
	for (uint64_t i = 0; i < count; i++, page++) {
		if (present == (bool)(*page & PTE_PRESENT))
			continue;
		*page ^= PTE_ACCESS;
		*entry += present ? SHOWN_ONE : -SHOWN_ONE;
	}
	shown = *entry >> SHOWN_SHIFT & SHOWN_MASK;
	if (shown == 0 || shown == TABLE_ENTRIES)
		make_whole(entry, address, present);
}

void npt_show(uint64_t first, uint64_t count, bool present)
{
	while (count > 0) {
		uint64_t here = BLOCK_FRAMES - first % BLOCK_FRAMES;

		if (here > count)
			here = count;
		show_in_block(first, here, present);
		first += here;
		count -= here;
	}
	stale |= !present;
}

bool npt_touch(uint64_t address)
{
	uint64_t *entry = gib_entry(address);

	if (*entry & PTE_PRESENT)
		return false;
	if (gib_pages)
		*entry = address / GIB_SIZE * GIB_SIZE | PTE_LARGE | PTE_ACCESS;
	else
		make_directory(entry, address);
	return true;
}

bool npt_is_stale(void)
{
	bool is = stale;

	stale = false;
	return is;
}

uint64_t npt_split_blocks(void)
{
	return split_blocks;
}
