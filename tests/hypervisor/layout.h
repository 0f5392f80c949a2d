/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the hypervisor's own address space looks like. Included by assembly, too.
 *
 *	8 MiB		the hypervisor itself, wherever it lies in RAM
 *	PHYS_MAP	all of RAM, and what is below 4 GiB, in the order of its physical addresses
 */
#ifndef TESTS_HYPERVISOR_LAYOUT_H
#define TESTS_HYPERVISOR_LAYOUT_H

#define PHYS_MAP 0x400000000000
#define PHYS_MAP_SLOT 128 /* of 512 GiB, in the first table */

#define SELECTOR_CODE 0x08
#define SELECTOR_DATA 0x10
#define SELECTOR_TSS 0x18

#define STACK_SIZE 16384

#define FRAME_SIZE 4096
#define BLOCK_SIZE 0x200000 /* what one entry of a page directory maps */
#define BLOCK_FRAMES (BLOCK_SIZE / FRAME_SIZE)
#define GIB_SIZE 0x40000000

#ifndef __ASSEMBLER__

#include <stdint.h>

/* Gives the place at which the hypervisor sees a physical address. */
static inline void *phys_to_hv(uint64_t address)
{
	return (void *)(PHYS_MAP + address);
}

/* Gives the physical address of what phys_to_hv() gave. */
static inline uint64_t hv_to_phys(const void *place)
{
	return (uint64_t)(uintptr_t)place - PHYS_MAP;
}

#endif

#endif
