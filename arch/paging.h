/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Address spaces: there is one. All of RAM and the device windows are mapped
 * where they are (virtual = physical); above that two windows are mapped page
 * by page: the heap, which can grow and shrink, and the stacks, between which
 * lie holes, so that an overflow faults. Page 0 is never mapped.
 */
#ifndef ARCH_PAGING_H
#define ARCH_PAGING_H

#include "arch/phys_map.h"
#include "kernel/lib/types.h"

#define PAGING_HEAP_START UINT64_C(0xffff800000000000)
#define PAGING_HEAP_SIZE (UINT64_C(512) << 30)
#define PAGING_STACKS_START UINT64_C(0xffff900000000000)

/*
 * Building the final tables: begin, map each range of RAM (bytes, exclusive
 * end), load. Until then the first 4 GiB are mapped. Table frames, which must
 * lie within them, come from `alloc`, which returns 0 when there is none: then
 * -ENOMEM.
 */
int paging_begin(paddr_t (*alloc)(void));
int paging_map_ram(paddr_t start, paddr_t end);
int paging_load(void);

/* From here on table frames come from here, anywhere in RAM, and go back. */
void paging_set_allocator(paddr_t (*alloc)(void), void (*free)(paddr_t table));

/* Maps device registers, uncached; cheap when they are mapped already. -ENOMEM, -EINVAL. */
int paging_map_device(paddr_t paddr, uint64_t size, void **window);

/* One page of the heap or stacks window. -ENOMEM. */
int paging_map_page(uint64_t vaddr, pfn_t pfn);

/*
 * The other way round; returns the frame that was there, or PFN_NONE. A table
 * that is empty then is freed, if the page was its lowest: so unmap downwards.
 */
pfn_t paging_unmap_page(uint64_t vaddr);

/* Whether an access to `vaddr` would find a page. */
bool paging_is_mapped(uint64_t vaddr);

#endif
