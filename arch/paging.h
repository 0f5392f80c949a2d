/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The one address space. All of RAM and the device windows are mapped where they
 * are (virtual = physical). Above them two windows are mapped page by page: the
 * heap, which can grow and shrink, and the stacks, with holes between them so that
 * an overflow faults. Page 0 is never mapped.
 */
#ifndef ARCH_PAGING_H
#define ARCH_PAGING_H

#include "arch/phys_map.h"
#include "kernel/lib/types.h"

#define PAGING_HEAP_START UINT64_C(0xffff800000000000)
#define PAGING_HEAP_SIZE (UINT64_C(512) << 30)
#define PAGING_STACKS_START UINT64_C(0xffff900000000000)

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
 * are mapped already. -EINVAL: no processor address is meant; -ENOMEM.
 */
int paging_map_device(paddr_t paddr, uint64_t size, void **window);

/* Maps a page of the heap or stacks window that is not mapped. -ENOMEM. */
int paging_map_page(uint64_t vaddr, pfn_t pfn);

/*
 * Undoes paging_map_page(): returns the frame that was mapped there, or PFN_NONE. A
 * table is freed when its lowest page is unmapped last, so unmap downwards.
 */
pfn_t paging_unmap_page(uint64_t vaddr);

/* Tells whether an access to `vaddr` would find a page. */
bool paging_is_mapped(uint64_t vaddr);

#endif
