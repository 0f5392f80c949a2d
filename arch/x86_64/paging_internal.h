/* SPDX-License-Identifier: BSD-2-Clause */
/* Page tables as the files that write them see them (Intel SDM volume 3, 4.5). */
#ifndef ARCH_X86_64_PAGING_INTERNAL_H
#define ARCH_X86_64_PAGING_INTERNAL_H

#include "kernel/lib/types.h"

#define PTE_PRESENT UINT64_C(0x001)
#define PTE_WRITE UINT64_C(0x002)
#define PTE_UNCACHED UINT64_C(0x018) /* PWT and PCD */
#define PTE_ACCESSED UINT64_C(0x020)
#define PTE_LARGE UINT64_C(0x080)
#define PTE_NO_EXECUTE (UINT64_C(1) << 63)
#define PTE_ADDRESS UINT64_C(0x000ffffffffff000)

/* Of plain memory. */
#define PTE_DATA (PTE_PRESENT | PTE_WRITE | PTE_NO_EXECUTE)

#define ENTRIES 512
#define LEVEL_PAGE 1  /* 4 KiB */
#define LEVEL_BLOCK 2 /* 2 MiB */
#define LEVEL_GIB 3
#define LEVEL_TOP 4

/* Returns an address's index in the tables of a level. */
static inline size_t paging_index(uint64_t vaddr, unsigned level)
{
	return vaddr >> (FRAME_SHIFT + 9 * (level - 1)) & (ENTRIES - 1);
}

/*
 * Returns the entry for `vaddr` at `level`, or that of a larger page on the way.
 * With `make`, makes tables that are missing. NULL: a table is missing, or there
 * was no memory for it.
 */
uint64_t *paging_entry(uint64_t vaddr, unsigned level, bool make);

/* Tells whether a table's entries are all 0: one that maps nothing may still hold notes. */
bool paging_table_is_empty(const uint64_t *table);

/* Gives a table back. */
void paging_free_table(paddr_t table);

#endif
