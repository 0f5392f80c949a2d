/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Entries of page tables (AMD APM volume 2, 5.3 and 15.25.5): those of the hypervisor itself and
 * the nested ones of the guest have the same form. To nested tables each access is a user's.
 */
#ifndef TESTS_HYPERVISOR_PAGE_TABLE_H
#define TESTS_HYPERVISOR_PAGE_TABLE_H

#include <stdbool.h>
#include <stdint.h>

#include "tests/hypervisor/layout.h"
#include "tests/hypervisor/pool.h"

#define PTE_PRESENT 0x001
#define PTE_ACCESS 0x007 /* present, writable, a user's */
#define PTE_LARGE 0x080	 /* a page of 2 MiB or 1 GiB, not a table */
#define PTE_ADDRESS 0x000ffffffffff000
#define TABLE_ENTRIES 512

/* Of an address, by level: 4 is the root, an entry of 1 maps a page. */
static inline unsigned table_index(uint64_t address, unsigned level)
{
	return (unsigned)(address >> (12 + 9 * (level - 1))) % TABLE_ENTRIES;
}

/* Gives the table that an entry leads to. */
static inline uint64_t *table_of(uint64_t entry)
{
	return phys_to_hv(entry & PTE_ADDRESS);
}

/* Gives the table that an entry leads to, or makes an empty one. */
static inline uint64_t *table_make(uint64_t *entry)
{
	if (!(*entry & PTE_PRESENT))
		*entry = hv_to_phys(pool_take(1)) | PTE_ACCESS;
	return table_of(*entry);
}

/* Tells whether the processor has pages of 1 GiB. */
bool has_gib_pages(void);

#endif
