/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where the kernel sees physical memory: at the same address. Part of
 * arch/paging.h, and apart for tests whose simulated machine lies elsewhere.
 */
#ifndef ARCH_PHYS_MAP_H
#define ARCH_PHYS_MAP_H

#include "kernel/lib/types.h"

/* Only for RAM: frames of the allocator, and what the firmware left. */
static inline void *phys_to_virt(paddr_t paddr)
{
	return (void *)(uintptr_t)paddr;
}

/* Only for the image and for what phys_to_virt() gave: not heap, not stacks. */
static inline paddr_t virt_to_phys(const void *virt)
{
	return (paddr_t)(uintptr_t)virt;
}

#endif
