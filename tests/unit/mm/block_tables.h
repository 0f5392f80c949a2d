/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * block_tables.c: page tables for blocks, of arch/paging.h, for tests of regions: one for
 * each GiB from RAM on that maps something. What they do not map cannot be touched
 * (region_fixture.h). Blocks are mapped only where that was prepared, and not twice.
 */
#ifndef TESTS_UNIT_MM_BLOCK_TABLES_H
#define TESTS_UNIT_MM_BLOCK_TABLES_H

#include "tests/unit/mm/region_fixture.h"

struct block_tables {
	int err;			      /* what paging_prepare_blocks() answers */
	paddr_t prepared_start, prepared_end; /* of its last call */
	/* Called for blocks that are mapped or unmapped, before they are; or NULL. */
	void (*on_map)(pfn_t pfn, size_t blocks, bool mapped);
	bool (*taken)(paddr_t start, paddr_t end); /* of paging_set_taken() */
};

extern struct block_tables block_tables;

/* No tables, nothing is prepared, `err` is 0, and `on_map` NULL. */
void block_tables_reset(void);

/* Counts the GiB that have a table. */
size_t block_tables_count(void);

#endif
