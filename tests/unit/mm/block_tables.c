/* SPDX-License-Identifier: BSD-2-Clause */
/* Page tables for blocks; see block_tables.h. */
#include "tests/unit/mm/block_tables.h"

#include <string.h>

#include "arch/paging.h"
#include "arch/phys_map.h"
#include "mm/ledger.h"

#define GIBS 2048 /* RAM_FRAMES of them */
#define PREPARED_MAX 64

struct block_tables block_tables;

static struct {
	paddr_t table;
	bool is_mapped[GIB / BLOCK_SIZE];
} gib[GIBS];

static struct {
	paddr_t start, end;
} prepared[PREPARED_MAX];
static size_t prepared_count;

void block_tables_reset(void)
{
	/* Tests have many machines: only what was used. */
	for (size_t i = 0; i < GIBS; i++)
		if (gib[i].table)
			memset(&gib[i], 0, sizeof(gib[i]));
	prepared_count = 0;
	block_tables.err = 0;
	block_tables.on_map = NULL;
}

size_t block_tables_count(void)
{
	size_t n = 0;

	for (size_t i = 0; i < GIBS; i++)
		n += gib[i].table != 0;
	return n;
}

int paging_prepare_blocks(paddr_t start, paddr_t end)
{
	assert_true(start % BLOCK_SIZE == 0 && end % BLOCK_SIZE == 0 && start < end);
	block_tables.prepared_start = start;
	block_tables.prepared_end = end;
	if (block_tables.err)
		return block_tables.err;
	assert_true(prepared_count < PREPARED_MAX);
	prepared[prepared_count].start = start;
	prepared[prepared_count++].end = end;
	return 0;
}

void paging_set_taken(bool (*is_taken)(paddr_t start, paddr_t end))
{
	assert_non_null(is_taken);
	block_tables.taken = is_taken;
}

static size_t gib_of(paddr_t paddr)
{
	size_t i = (size_t)(paddr / GIB - RAM * FRAME_SIZE / GIB);

	assert_true(i < GIBS);
	return i;
}

static bool is_prepared(paddr_t start, paddr_t end)
{
	for (size_t i = 0; i < prepared_count; i++)
		if (start >= prepared[i].start && end <= prepared[i].end)
			return true;
	return false;
}

static void set(paddr_t start, paddr_t end, bool mapped)
{
	size_t i = gib_of(start), blocks = (size_t)((end - start) / BLOCK_SIZE);

	assert_true(start < end && start % BLOCK_SIZE == 0 && end % BLOCK_SIZE == 0);
	assert_int_equal(i, gib_of(end - 1));
	assert_true(is_prepared(start, end));
	if (block_tables.on_map)
		block_tables.on_map(paddr_to_pfn(start), blocks, mapped);
	for (paddr_t at = start; at < end; at += BLOCK_SIZE) {
		bool *block = &gib[i].is_mapped[at / BLOCK_SIZE % (GIB / BLOCK_SIZE)];

		assert_int_equal(*block, !mapped);
		*block = mapped;
	}
	region_fixture_map(paddr_to_pfn(start), blocks * BLOCK_FRAMES, mapped);
}

void paging_map_blocks(paddr_t start, paddr_t end, paddr_t *table)
{
	paddr_t *own = &gib[gib_of(start)].table;

	if (!*own) {
		assert_int_not_equal(*table, 0);
		assert_int_equal(frame_owner(paddr_to_pfn(*table)), OWNER_PAGE_TABLES);
		*own = *table;
		*table = 0;
		/* It is written. */
		memset(phys_to_virt(*own), 0, FRAME_SIZE);
	}
	set(start, end, true);
}

paddr_t paging_unmap_blocks(paddr_t start, paddr_t end)
{
	size_t i = gib_of(start);
	paddr_t table = gib[i].table;

	assert_int_not_equal(table, 0);
	set(start, end, false);
	if (memchr(gib[i].is_mapped, true, sizeof(gib[i].is_mapped)))
		return 0;
	gib[i].table = 0;
	return table;
}

paddr_t paging_block_table(paddr_t paddr)
{
	return gib[gib_of(paddr)].table;
}

paddr_t paging_move_block_table(paddr_t paddr, paddr_t table)
{
	paddr_t old = gib[gib_of(paddr)].table;

	assert_int_not_equal(old, 0);
	memcpy(phys_to_virt(table), phys_to_virt(old), FRAME_SIZE);
	gib[gib_of(paddr)].table = table;
	return old;
}
