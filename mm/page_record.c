/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Records by frame. The four bytes of a PFN lead there: the first three through tables, the
 * last to the record in a frame of them. Only the first table is always there.
 */
#include "mm/page_record.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "arch/phys_map.h"
#include "mm/frame.h"

#define ENTRIES 256 /* the values of a byte */
#define TABLES 3    /* on the way to a record */

struct table {
	void *entry[ENTRIES];	/* the next table, or records; NULL: none */
	uint16_t used[ENTRIES]; /* of each: its own entries, or records, that are in use */
};

_Static_assert(sizeof(struct table) <= FRAME_SIZE, "a table has a frame");
_Static_assert(sizeof(struct page_record) * ENTRIES == FRAME_SIZE, "and so have records");

/* In `next` of a record that is of no frame that is tracked: no line has a page of this number. */
#define UNTRACKED UINT32_MAX

static struct table top;
static uint64_t tracked;

/* Returns which entry of the table at `level` leads to a frame; at 0 it is the record. */
static unsigned entry_of(pfn_t pfn, unsigned level)
{
	return (uint8_t)(pfn >> 8 * level);
}

/* Takes a frame, in memory of the boot if there is one: that never leaves. */
static void *take_frame(void)
{
	pfn_t pfn;

	if (frame_alloc_boot(0, OWNER_PAGE_RECORDS, &pfn) &&
	    frame_alloc_bulk(1, PFN_NONE, OWNER_PAGE_RECORDS, &pfn) == 0)
		return NULL;
	return phys_to_virt(pfn_to_paddr(pfn));
}

static void give_frame(void *frame)
{
	int err = frame_free(paddr_to_pfn(virt_to_phys(frame)), 1, OWNER_PAGE_RECORDS);

	assert(!err);
}

/* Makes what an entry of the table at `level` leads to: a table, or records, with nothing in it. */
static void *make_entry(unsigned level)
{
	void *frame = take_frame();

	if (!frame)
		return NULL;
	memset(frame, 0, FRAME_SIZE);
	if (level == 1)
		for (unsigned i = 0; i < ENTRIES; i++)
			((struct page_record *)frame)[i].next = UNTRACKED;
	return frame;
}

/* Stores the tables on the way to a frame's record, by level, as far as there are any. */
static void find_tables(pfn_t pfn, struct table *tables[TABLES + 1])
{
	tables[TABLES] = &top;
	for (unsigned level = TABLES; level > 1; level--)
		tables[level - 1] = tables[level] ? tables[level]->entry[entry_of(pfn, level)]
						  : NULL;
}

/* Gives back what leads to a frame's record and has nothing in it, the lowest first. */
static void give_unused(pfn_t pfn)
{
	struct table *tables[TABLES + 1];

	find_tables(pfn, tables);
	for (unsigned level = 1; level <= TABLES; level++) {
		struct table *table = tables[level];
		unsigned entry = entry_of(pfn, level);

		if (!table || !table->entry[entry])
			continue;
		if (table->used[entry] > 0)
			return;
		give_frame(table->entry[entry]);
		table->entry[entry] = NULL;
		if (level < TABLES)
			tables[level + 1]->used[entry_of(pfn, level + 1)]--;
	}
}

/* Makes what is missing on the way to a frame's record. -ENOMEM: some of it is still missing. */
static int make_missing(pfn_t pfn)
{
	struct table *tables[TABLES + 1];

	for (unsigned level = TABLES; level > 0; level--) {
		void **entry;

		find_tables(pfn, tables);
		entry = &tables[level]->entry[entry_of(pfn, level)];
		if (*entry)
			continue;
		*entry = make_entry(level);
		if (!*entry)
			return -ENOMEM;
		if (level < TABLES)
			tables[level + 1]->used[entry_of(pfn, level + 1)]++;
	}
	return 0;
}

/* Returns a frame's record and, if there is one, stores the table that leads to it; or NULL. */
static struct page_record *find_record(pfn_t pfn, struct table **table)
{
	struct table *tables[TABLES + 1];
	struct page_record *records;

	if (pfn > UINT32_MAX)
		return NULL;
	find_tables(pfn, tables);
	*table = tables[1];
	if (!*table)
		return NULL;
	records = (*table)->entry[entry_of(pfn, 1)];
	return records ? &records[entry_of(pfn, 0)] : NULL;
}

int page_record_track(pfn_t pfn)
{
	struct page_record *record;
	struct table *table;

	if (pfn == 0 || pfn > UINT32_MAX)
		return -EINVAL;
	if (make_missing(pfn)) {
		give_unused(pfn);
		return -ENOMEM;
	}
	record = find_record(pfn, &table);
	assert(record && record->next == UNTRACKED);
	*record = (struct page_record){ .page = 0 };
	table->used[entry_of(pfn, 1)]++;
	tracked++;
	return 0;
}

void page_record_untrack(pfn_t pfn)
{
	struct table *table;
	struct page_record *record = find_record(pfn, &table);

	assert(record && record->next != UNTRACKED);
	record->next = UNTRACKED;
	table->used[entry_of(pfn, 1)]--;
	tracked--;
	give_unused(pfn);
}

struct page_record *page_record(pfn_t pfn)
{
	struct table *table;
	struct page_record *record = find_record(pfn, &table);

	assert(record && record->next != UNTRACKED);
	return record;
}

bool page_record_is_tracked(pfn_t pfn)
{
	struct table *table;
	const struct page_record *record = find_record(pfn, &table);

	return record && record->next != UNTRACKED;
}

uint64_t page_record_count(void)
{
	return tracked;
}
