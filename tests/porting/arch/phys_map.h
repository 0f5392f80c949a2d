/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What arch/phys_map.h promises. Physical memory is a piece of this process: unlike
 * in Aerostat, it lies at another address than its own, as in most kernels.
 */
#ifndef ARCH_PHYS_MAP_H
#define ARCH_PHYS_MAP_H

#include "kernel/lib/types.h"

#define POOL_PADDR UINT64_C(0x40000000)
#define POOL_FRAMES (UINT64_C(64) * MIB / FRAME_SIZE)

extern char *pool; /* POOL_FRAMES frames, from kernel_start() on */

/* Returns where a frame of the pool lies in this process. */
static inline void *phys_to_virt(paddr_t paddr)
{
	return pool + (paddr - POOL_PADDR);
}

/* Returns the physical address of what phys_to_virt() gave. */
static inline paddr_t virt_to_phys(const void *virt)
{
	return POOL_PADDR + (paddr_t)((const char *)virt - pool);
}

#endif
