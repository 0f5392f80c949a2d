/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Page tables of four levels (Intel SDM volume 3, 4.5). RAM is mapped where it
 * is with the largest pages that fit; the first blocks, which hold the image, with
 * small ones, so that code cannot be written, data cannot be run, and page 0
 * cannot be touched. Addresses below 4 GiB that are not RAM are mapped uncached at
 * once, device windows above when a driver asks.
 *
 * Memory of regions, which comes later and may leave, is mapped by pages of 2 MiB.
 *
 * Once filled, an entry never changes, except those of the windows' pages, and those of
 * regions.
 */
#include "arch/paging.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "arch/cpu.h"
#include "arch/x86_64/entry.h"
#include "arch/x86_64/paging_internal.h"
#include "arch/x86_64/tlb.h"

#define LOW_END (4 * GIB)

static uint64_t *top;
static paddr_t (*alloc_table)(void);
static void (*free_table)(paddr_t table); /* NULL: tables stay */
static bool (*is_taken)(paddr_t start, paddr_t end);

static uint64_t page_size(unsigned level)
{
	return UINT64_C(1) << (FRAME_SHIFT + 9 * (level - 1));
}

static uint64_t *new_table(void)
{
	paddr_t table = alloc_table();

	return table ? memset(phys_to_virt(table), 0, FRAME_SIZE) : NULL;
}

uint64_t *paging_entry(uint64_t vaddr, unsigned level, bool make)
{
	uint64_t *table = top;

	for (unsigned l = LEVEL_TOP; l > level; l--) {
		uint64_t *entry = &table[paging_index(vaddr, l)];

		if (*entry & PTE_LARGE)
			return entry;
		if (!(*entry & PTE_PRESENT)) {
			uint64_t *next = make ? new_table() : NULL;

			if (!next)
				return NULL;
			*entry = virt_to_phys(next) | PTE_PRESENT | PTE_WRITE;
		}
		table = phys_to_virt(*entry & PTE_ADDRESS);
	}
	return &table[paging_index(vaddr, level)];
}

/* Maps one page where it is; leaves what is mapped there already. */
static int map_identity(paddr_t paddr, unsigned level, uint64_t flags)
{
	uint64_t *entry = paging_entry(paddr, level, true);

	if (!entry)
		return -ENOMEM;
	if (!(*entry & PTE_PRESENT))
		*entry = paddr | flags | (level > LEVEL_PAGE ? PTE_LARGE : 0);
	return 0;
}

static uint64_t image_flags(uint64_t page)
{
	if (page < (uintptr_t)image_start || page >= (uintptr_t)data_start)
		return PTE_DATA;
	if (page < align_up((uintptr_t)text_end, FRAME_SIZE))
		return PTE_PRESENT;
	return PTE_PRESENT | PTE_NO_EXECUTE;
}

static int map_image(void)
{
	uint64_t end = align_up((uintptr_t)image_end, BLOCK_SIZE);

	/* Page 0 stays out: a null pointer faults. */
	for (paddr_t page = FRAME_SIZE; page < end; page += FRAME_SIZE)
		if (map_identity(page, LEVEL_PAGE, image_flags(page)))
			return -ENOMEM;
	return 0;
}

int paging_begin(paddr_t (*alloc)(void))
{
	alloc_table = alloc;
	top = new_table();
	return top ? map_image() : -ENOMEM;
}

int paging_map_ram(paddr_t start, paddr_t end)
{
	bool gib_pages = cpu_has_gib_pages();
	paddr_t at = align_down(start, BLOCK_SIZE);

	while (at < end) {
		bool large = gib_pages && at >= LOW_END && at % GIB == 0 && end - at >= GIB;
		unsigned level = large ? LEVEL_GIB : LEVEL_BLOCK;

		if (map_identity(at, level, PTE_DATA))
			return -ENOMEM;
		at += page_size(level);
	}
	return 0;
}

int paging_load(void)
{
	/* The rest of the first 4 GiB belongs to devices. */
	for (paddr_t at = 0; at < LOW_END; at += BLOCK_SIZE)
		if (map_identity(at, LEVEL_BLOCK, PTE_DATA | PTE_UNCACHED))
			return -ENOMEM;
	tlb_load(virt_to_phys(top));
	return 0;
}

void paging_set_allocator(paddr_t (*alloc)(void), void (*free)(paddr_t table))
{
	alloc_table = alloc;
	free_table = free;
}

void paging_set_taken(bool (*taken)(paddr_t start, paddr_t end))
{
	is_taken = taken;
}

int paging_map_device(paddr_t paddr, uint64_t size, void **window)
{
	uint64_t limit = UINT64_C(1) << cpu_physical_bits();
	paddr_t start = align_down(paddr, BLOCK_SIZE);

	if (size == 0 || paddr >= limit || size > limit - paddr)
		return -EINVAL;
	if (is_taken && is_taken(start, align_up(paddr + size, BLOCK_SIZE)))
		return -EBUSY;
	for (paddr_t at = start; at < paddr + size; at += BLOCK_SIZE)
		if (map_identity(at, LEVEL_BLOCK, PTE_DATA | PTE_UNCACHED))
			return -ENOMEM;
	*window = phys_to_virt(paddr);
	return 0;
}

void paging_free_table(paddr_t table)
{
	assert(free_table);
	free_table(table);
}

int paging_map_page(uint64_t vaddr, pfn_t pfn)
{
	uint64_t *entry;

	assert(vaddr >= PAGING_HEAP_START && vaddr % FRAME_SIZE == 0);
	entry = paging_entry(vaddr, LEVEL_PAGE, true);
	if (!entry)
		return -ENOMEM;
	assert(!(*entry & PTE_PRESENT));
	*entry = pfn_to_paddr(pfn) | PTE_DATA;
	return 0;
}

bool paging_table_is_empty(const uint64_t *table)
{
	for (size_t i = 0; i < ENTRIES; i++)
		if (table[i] != 0)
			return false;
	return true;
}

pfn_t paging_unmap_page(uint64_t vaddr)
{
	uint64_t *entry = paging_entry(vaddr, LEVEL_PAGE, false);
	uint64_t *above = paging_entry(vaddr, LEVEL_BLOCK, false);
	bool empty;
	pfn_t pfn;

	if (!entry || !(*entry & PTE_PRESENT))
		return PFN_NONE;
	pfn = paddr_to_pfn(*entry & PTE_ADDRESS);
	*entry = 0;
	/* The entry of a table's lowest page is the table's start. */
	empty = free_table && paging_index(vaddr, LEVEL_PAGE) == 0 && paging_table_is_empty(entry);
	if (empty)
		*above = 0;
	/* Makes the processor forget the page, and the table on the way to it. */
	tlb_flush_page(vaddr);
	if (empty)
		free_table(virt_to_phys(entry));
	return pfn;
}

/* ---- Blocks that come and leave ---- */

/* Virtual addresses of the lower half have so many bits. */
#define VIRTUAL_BITS 47

/* The table for the blocks of one GiB; NULL: there is none. */
static uint64_t *block_table(paddr_t paddr)
{
	const uint64_t *entry = paging_entry(paddr, LEVEL_GIB, false);

	if (!entry || !(*entry & PTE_PRESENT) || *entry & PTE_LARGE)
		return NULL;
	return phys_to_virt(*entry & PTE_ADDRESS);
}

/* Whether something is mapped from `start` up to `end`, which lie in one aligned GiB. */
static bool gib_is_used(paddr_t start, paddr_t end)
{
	const uint64_t *entry = paging_entry(start, LEVEL_GIB, false);
	const uint64_t *table = block_table(start);

	if (!table)
		return entry && *entry & PTE_PRESENT;
	for (paddr_t at = start; at < end; at += BLOCK_SIZE)
		if (table[paging_index(at, LEVEL_BLOCK)] & PTE_PRESENT)
			return true;
	return false;
}

int paging_prepare_blocks(paddr_t start, paddr_t end)
{
	uint64_t limit = UINT64_C(1) << min_u64(cpu_physical_bits(), VIRTUAL_BITS);

	assert(start < end && start % BLOCK_SIZE == 0 && end % BLOCK_SIZE == 0);
	if (end > limit)
		return -EINVAL;
	for (paddr_t at = start; at < end; at = align_down(at, GIB) + GIB)
		if (gib_is_used(at, min_u64(end, align_down(at, GIB) + GIB)))
			return -EBUSY;
	for (paddr_t at = start; at < end; at = align_down(at, GIB) + GIB)
		if (!paging_entry(at, LEVEL_GIB, true))
			return -ENOMEM;
	return 0;
}

void paging_map_blocks(paddr_t start, paddr_t end, paddr_t *table)
{
	uint64_t *entry = paging_entry(start, LEVEL_GIB, false);
	uint64_t *blocks;

	assert(entry && start < end && start / GIB == (end - 1) / GIB);
	if (!(*entry & PTE_PRESENT)) {
		assert(*table);
		memset(phys_to_virt(*table), 0, FRAME_SIZE);
		*entry = *table | PTE_PRESENT | PTE_WRITE;
		*table = 0;
	}
	blocks = block_table(start);
	assert(blocks);
	for (paddr_t at = start; at < end; at += BLOCK_SIZE) {
		uint64_t *block = &blocks[paging_index(at, LEVEL_BLOCK)];

		assert(!(*block & PTE_PRESENT));
		*block = at | PTE_DATA | PTE_LARGE;
	}
}

paddr_t paging_unmap_blocks(paddr_t start, paddr_t end)
{
	uint64_t *blocks = block_table(start);

	assert(blocks && start < end && start / GIB == (end - 1) / GIB);
	for (paddr_t at = start; at < end; at += BLOCK_SIZE) {
		uint64_t *block = &blocks[paging_index(at, LEVEL_BLOCK)];

		assert(*block & PTE_PRESENT && *block & PTE_LARGE);
		*block = 0;
		tlb_flush_page(at);
	}
	if (!paging_table_is_empty(blocks))
		return 0;
	*paging_entry(start, LEVEL_GIB, false) = 0;
	/* Makes the processor forget the table, whatever address it had it for. */
	tlb_flush_page(start);
	return virt_to_phys(blocks);
}

paddr_t paging_block_table(paddr_t paddr)
{
	const uint64_t *table = block_table(paddr);

	return table ? virt_to_phys(table) : 0;
}

paddr_t paging_move_block_table(paddr_t paddr, paddr_t table)
{
	uint64_t *old = block_table(paddr);

	assert(old);
	memcpy(phys_to_virt(table), old, FRAME_SIZE);
	*paging_entry(paddr, LEVEL_GIB, false) = table | PTE_PRESENT | PTE_WRITE;
	tlb_flush_page(paddr);
	return virt_to_phys(old);
}

bool paging_is_mapped(uint64_t vaddr)
{
	const uint64_t *entry = top ? paging_entry(vaddr, LEVEL_PAGE, false) : NULL;

	return entry && *entry & PTE_PRESENT;
}
