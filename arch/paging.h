/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The one address space. All of RAM and the device windows are mapped where they
 * are (virtual = physical). Above them four windows are mapped page by page: the
 * heap, which can grow and shrink, the stacks, with holes between them so that
 * an overflow faults, pages that are no RAM of ours, and pages that come and go
 * (arch/paging_demand.h). Page 0 is never mapped.
 */
#ifndef ARCH_PAGING_H
#define ARCH_PAGING_H

#include "arch/phys_map.h"
#include "kernel/lib/types.h"

#define PAGING_HEAP_START UINT64_C(0xffff800000000000)
#define PAGING_HEAP_SIZE (UINT64_C(512) << 30)
#define PAGING_STACKS_START UINT64_C(0xffff900000000000)
#define PAGING_SHARED_START UINT64_C(0xffffa00000000000)

/*
 * Build the final tables, in this order: begin, map each range of RAM (bytes,
 * exclusive end), load. Until then the boot tables map the first 4 GiB; frames for
 * tables, which must lie there, come from `alloc`. -ENOMEM: it returned 0.
 */
int paging_begin(paddr_t (*alloc)(void));
int paging_map_ram(paddr_t start, paddr_t end);
int paging_load(void);

/* Takes frames for tables from `alloc` from now on, and gives empty tables to `free`. */
void paging_set_allocator(paddr_t (*alloc)(void), void (*free)(paddr_t table));

/*
 * Maps `size` bytes of device registers, uncached, and stores where; cheap if they
 * are mapped already. -EINVAL: no processor address is meant; -EBUSY: memory may come
 * there (paging_set_taken()); -ENOMEM.
 */
int paging_map_device(paddr_t paddr, uint64_t size, void **window);

/* Maps no registers any more where `is_taken` says that memory may come; NULL: it may nowhere. */
void paging_set_taken(bool (*is_taken)(paddr_t start, paddr_t end));

/* A table for blocks maps 2^PAGING_BLOCK_TABLE_ORDER of them: 1 GiB, aligned. */
#define PAGING_BLOCK_TABLE_ORDER 9

/*
 * Makes tables for memory that may come from `start` up to, and without, `end`, which are
 * multiples of 2 MiB: those above tables for blocks, one for 512 GiB. Maps nothing.
 * -EINVAL: the address space does not reach there; -EBUSY: something is mapped there;
 * -ENOMEM: some tables were made, and stay.
 */
int paging_prepare_blocks(paddr_t start, paddr_t end);

/*
 * Maps blocks that have come where they are, as RAM: within what was prepared and within
 * one aligned GiB, none of them mapped. If that has no table, takes the frame `*table`,
 * which is then set to 0; allocates nothing.
 */
void paging_map_blocks(paddr_t start, paddr_t end, paddr_t *table);

/*
 * Undoes paging_map_blocks(). Returns the frame of their table if that maps nothing now,
 * and is used no longer; 0: it still does.
 */
paddr_t paging_unmap_blocks(paddr_t start, paddr_t end);

/* Returns the table for the blocks around `paddr`, 0: there is none. */
paddr_t paging_block_table(paddr_t paddr);

/* Moves that table, which must be there, to the frame `table`; returns where it was. */
paddr_t paging_move_block_table(paddr_t paddr, paddr_t table);

/* Maps a page of the heap, the stacks or the shared pages that is not mapped. -ENOMEM. */
int paging_map_page(uint64_t vaddr, pfn_t pfn);

/*
 * Undoes paging_map_page(): returns the frame that was mapped there, or PFN_NONE. A
 * table is freed when its lowest page is unmapped last, so unmap downwards.
 */
pfn_t paging_unmap_page(uint64_t vaddr);

/* Tells whether an access to `vaddr` would find a page. */
bool paging_is_mapped(uint64_t vaddr);

#endif
