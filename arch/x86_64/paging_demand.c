/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The window of pages that come and go (Intel SDM volume 3, 4.5 and 4.8). An entry that is not
 * present has bit 0 clear and is otherwise ours: there lies the note.
 */
#include "arch/paging_demand.h"

#include <assert.h>
#include <errno.h>

#include "arch/phys_map.h"
#include "arch/x86_64/entry.h"
#include "arch/x86_64/paging_internal.h"
#include "arch/x86_64/tlb.h"

#define NOTE_SHIFT 1

/* Pages under one entry of a level. */
#define PAGES_OF(level) (UINT64_C(1) << (9 * ((level)-1)))

static bool (*handle)(uint64_t page, bool write);

static uint64_t address_of(uint64_t page)
{
	assert(page < PAGING_DEMAND_PAGES);
	return PAGING_DEMAND_START + (page << FRAME_SHIFT);
}

static uint64_t *entry_of(uint64_t page)
{
	return paging_entry(address_of(page), LEVEL_PAGE, false);
}

void paging_demand_set_handler(bool (*handler)(uint64_t page, bool write))
{
	handle = handler;
}

bool paging_demand_fault(uint64_t vaddr, bool write)
{
	uint64_t page = (vaddr - PAGING_DEMAND_START) >> FRAME_SHIFT;

	return vaddr >= PAGING_DEMAND_START && page < PAGING_DEMAND_PAGES && handle &&
	       handle(page, write);
}

int paging_demand_prepare(uint64_t page)
{
	return paging_entry(address_of(page), LEVEL_PAGE, true) ? 0 : -ENOMEM;
}

void paging_demand_map(uint64_t page, pfn_t pfn, bool writable)
{
	uint64_t *entry = entry_of(page);

	assert(entry && !(*entry & PTE_PRESENT));
	/* The processor remembers nothing of an entry that was not present. */
	*entry = pfn_to_paddr(pfn) | (writable ? PTE_DATA : PTE_DATA & ~PTE_WRITE);
}

void paging_demand_allow_writes(uint64_t page)
{
	uint64_t *entry = entry_of(page);

	assert(entry && *entry & PTE_PRESENT);
	*entry |= PTE_WRITE;
	/* Or the processor might go by what it remembers, and fault once more. */
	tlb_flush_page(address_of(page));
}

pfn_t paging_demand_unmap(uint64_t page, uint64_t note)
{
	uint64_t *entry = entry_of(page);
	pfn_t pfn;

	if (!entry || !(*entry & PTE_PRESENT))
		return PFN_NONE;
	pfn = paddr_to_pfn(*entry & PTE_ADDRESS);
	*entry = note << NOTE_SHIFT;
	return pfn;
}

pfn_t paging_demand_frame(uint64_t page)
{
	const uint64_t *entry = entry_of(page);

	return entry && *entry & PTE_PRESENT ? paddr_to_pfn(*entry & PTE_ADDRESS) : PFN_NONE;
}

uint64_t paging_demand_note(uint64_t page)
{
	const uint64_t *entry = entry_of(page);

	return entry && !(*entry & PTE_PRESENT) ? *entry >> NOTE_SHIFT : 0;
}

void paging_demand_set_note(uint64_t page, uint64_t note)
{
	uint64_t *entry = entry_of(page);

	assert(entry && !(*entry & PTE_PRESENT));
	*entry = note << NOTE_SHIFT;
}

bool paging_demand_take_used(uint64_t page)
{
	uint64_t *entry = entry_of(page);
	bool used;

	assert(entry && *entry & PTE_PRESENT);
	used = *entry & PTE_ACCESSED;
	*entry &= ~PTE_ACCESSED;
	return used;
}

void paging_demand_flush(void)
{
	tlb_flush();
}

/* The level of the first entry on the way down to a page that is empty; 0: none is. */
static unsigned empty_level(uint64_t page)
{
	unsigned level = LEVEL_TOP;

	while (level >= LEVEL_PAGE && *paging_entry(address_of(page), level, false) != 0)
		level--;
	return level;
}

uint64_t paging_demand_next(uint64_t page, uint64_t end)
{
	while (page < end) {
		unsigned level = empty_level(page);

		if (level == 0)
			return page;
		page = align_down(page, PAGES_OF(level)) + PAGES_OF(level);
	}
	return PAGING_DEMAND_NONE;
}

void paging_demand_trim(uint64_t page)
{
	uint64_t vaddr = address_of(page);

	for (unsigned level = LEVEL_PAGE; level < LEVEL_TOP; level++) {
		uint64_t *above = paging_entry(vaddr, level + 1, false);
		uint64_t *table;

		if (!above || !(*above & PTE_PRESENT))
			continue;
		table = phys_to_virt(*above & PTE_ADDRESS);
		if (!paging_table_is_empty(table))
			return;
		*above = 0;
		/* Makes the processor forget the table on the way to the page. */
		tlb_flush_page(vaddr);
		paging_free_table(virt_to_phys(table));
	}
}

void paging_demand_trim_all(uint64_t page, uint64_t end)
{
	while (page < end) {
		unsigned level = empty_level(page);

		/* Below that level there is no table, and what has an entry in use stays. */
		if (level > 0 && level < LEVEL_TOP)
			paging_demand_trim(page);
		if (level < LEVEL_BLOCK)
			level = LEVEL_BLOCK;
		page = align_down(page, PAGES_OF(level)) + PAGES_OF(level);
	}
}
