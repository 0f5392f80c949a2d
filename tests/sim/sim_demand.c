/* SPDX-License-Identifier: BSD-2-Clause */
/* A window of pages that come and go; see sim_demand.h. */
#include "tests/sim/sim_demand.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mm/frame.h"

#define STRETCH (UINT64_C(1) << 30)
#define TABLES (SIM_DEMAND_PAGES / BLOCK_FRAMES)

struct entry {
	pfn_t pfn; /* PFN_NONE: it is not mapped */
	uint64_t note;
	bool writable, used;
	bool forgot;	  /* its mark was taken, and the processor has not seen that */
	pfn_t remembered; /* until a flush; or PFN_NONE */
};

static struct {
	struct entry entry[SIM_DEMAND_PAGES];
	pfn_t table[TABLES]; /* or PFN_NONE */
} stretches[SIM_DEMAND_STRETCHES];

/* Entries of which the processor remembers something. */
static struct entry *stale[SIM_DEMAND_STRETCHES * SIM_DEMAND_PAGES];
static size_t stale_count;

static bool (*handle)(uint64_t page, bool write);
static bool fails;

static void complain(const char *what, uint64_t page)
{
	fprintf(stderr, "sim_demand: page %#llx %s\n", (unsigned long long)page, what);
	abort();
}

static void check(uint64_t page)
{
	if (page / STRETCH >= SIM_DEMAND_STRETCHES || page % STRETCH >= SIM_DEMAND_PAGES)
		complain("is not in the window of this test", page);
}

static struct entry *entry_of(uint64_t page)
{
	check(page);
	return &stretches[page / STRETCH].entry[page % STRETCH];
}

static pfn_t *table_of(uint64_t page)
{
	check(page);
	return &stretches[page / STRETCH].table[page % STRETCH / BLOCK_FRAMES];
}

static bool is_empty(const struct entry *entry)
{
	return entry->pfn == PFN_NONE && entry->note == 0;
}

static void note_stale(struct entry *entry)
{
	if (entry->remembered == PFN_NONE && !entry->forgot)
		stale[stale_count++] = entry;
}

void sim_demand_reset(void)
{
	handle = NULL;
	stale_count = 0;
	fails = false;
	for (unsigned s = 0; s < SIM_DEMAND_STRETCHES; s++) {
		for (unsigned i = 0; i < SIM_DEMAND_PAGES; i++)
			stretches[s].entry[i] = (struct entry){ .pfn = PFN_NONE,
								.remembered = PFN_NONE };
		for (unsigned i = 0; i < TABLES; i++)
			stretches[s].table[i] = PFN_NONE;
	}
}

void sim_demand_fail(bool fail)
{
	fails = fail;
}

uint8_t *sim_demand_touch(uint64_t page, bool write)
{
	struct entry *entry = entry_of(page);

	while (entry->pfn == PFN_NONE || (write && !entry->writable)) {
		if (entry->remembered != PFN_NONE)
			complain("is reached by what the processor remembers", page);
		if (!handle || !handle(page, write))
			complain("was touched by mistake", page);
	}
	if (entry->remembered != PFN_NONE && entry->remembered != entry->pfn)
		complain("is reached by what the processor remembers", page);
	if (!entry->forgot)
		entry->used = true;
	return (uint8_t *)(uintptr_t)(entry->pfn * FRAME_SIZE);
}

bool sim_demand_remembers(pfn_t pfn)
{
	for (size_t i = 0; i < stale_count; i++)
		if (stale[i]->remembered == pfn)
			return true;
	return false;
}

bool sim_demand_is_writable(uint64_t page)
{
	return entry_of(page)->writable;
}

uint64_t sim_demand_mapped(void)
{
	uint64_t count = 0;

	for (unsigned s = 0; s < SIM_DEMAND_STRETCHES; s++)
		for (unsigned i = 0; i < SIM_DEMAND_PAGES; i++)
			count += stretches[s].entry[i].pfn != PFN_NONE;
	return count;
}

uint64_t sim_demand_tables(void)
{
	uint64_t count = 0;

	for (unsigned s = 0; s < SIM_DEMAND_STRETCHES; s++)
		for (unsigned i = 0; i < TABLES; i++)
			count += stretches[s].table[i] != PFN_NONE;
	return count;
}

/* ---- arch/paging_demand.h ---- */

void paging_demand_set_handler(bool (*handler)(uint64_t page, bool write))
{
	handle = handler;
}

int paging_demand_prepare(uint64_t page)
{
	pfn_t *table = table_of(page), pfn;

	if (*table != PFN_NONE)
		return 0;
	if (fails || frame_alloc(0, OWNER_PAGE_TABLES, &pfn))
		return -ENOMEM;
	/* It may have been made while the allocator waited. */
	if (*table != PFN_NONE)
		complain("has a table already", page);
	*table = pfn;
	return 0;
}

void paging_demand_map(uint64_t page, pfn_t pfn, bool writable)
{
	struct entry *entry = entry_of(page);

	if (*table_of(page) == PFN_NONE || entry->pfn != PFN_NONE)
		complain("is mapped without a table, or twice", page);
	entry->pfn = pfn;
	entry->note = 0;
	entry->writable = writable;
	entry->used = false;
}

void paging_demand_allow_writes(uint64_t page)
{
	struct entry *entry = entry_of(page);

	if (entry->pfn == PFN_NONE)
		complain("is not mapped, and cannot be for writing", page);
	entry->writable = true;
}

pfn_t paging_demand_unmap(uint64_t page, uint64_t note)
{
	struct entry *entry = entry_of(page);
	pfn_t pfn = entry->pfn;

	if (pfn == PFN_NONE)
		return PFN_NONE;
	note_stale(entry);
	entry->remembered = pfn;
	entry->pfn = PFN_NONE;
	entry->note = note;
	return pfn;
}

pfn_t paging_demand_frame(uint64_t page)
{
	return entry_of(page)->pfn;
}

uint64_t paging_demand_note(uint64_t page)
{
	const struct entry *entry = entry_of(page);

	return entry->pfn == PFN_NONE ? entry->note : 0;
}

void paging_demand_set_note(uint64_t page, uint64_t note)
{
	struct entry *entry = entry_of(page);

	if (*table_of(page) == PFN_NONE || entry->pfn != PFN_NONE)
		complain("is noted without a table, or while it is mapped", page);
	entry->note = note;
}

bool paging_demand_take_used(uint64_t page)
{
	struct entry *entry = entry_of(page);
	bool used = entry->used;

	if (entry->pfn == PFN_NONE)
		complain("is not mapped, and has no mark", page);
	if (used) {
		note_stale(entry);
		entry->forgot = true;
	}
	entry->used = false;
	return used;
}

void paging_demand_flush(void)
{
	while (stale_count > 0) {
		struct entry *entry = stale[--stale_count];

		entry->remembered = PFN_NONE;
		entry->forgot = false;
	}
}

uint64_t paging_demand_next(uint64_t page, uint64_t end)
{
	while (page < end) {
		if (page % STRETCH < SIM_DEMAND_PAGES && !is_empty(entry_of(page)))
			return page;
		page = page % STRETCH < SIM_DEMAND_PAGES ? page + 1
							 : align_down(page, STRETCH) + STRETCH;
	}
	return PAGING_DEMAND_NONE;
}

void paging_demand_trim(uint64_t page)
{
	uint64_t first = align_down(page, BLOCK_FRAMES);
	pfn_t *table = table_of(page);

	if (*table == PFN_NONE)
		return;
	for (uint64_t i = 0; i < BLOCK_FRAMES; i++)
		if (!is_empty(entry_of(first + i)))
			return;
	if (frame_free(*table, 1, OWNER_PAGE_TABLES))
		complain("has a table that is somebody else's", page);
	*table = PFN_NONE;
}

void paging_demand_trim_all(uint64_t page, uint64_t end)
{
	for (; page < end && page % STRETCH < SIM_DEMAND_PAGES;
	     page = align_down(page, BLOCK_FRAMES) + BLOCK_FRAMES)
		paging_demand_trim(page);
}
