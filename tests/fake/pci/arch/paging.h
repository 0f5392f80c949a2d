/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Addresses for the tests of PCI and ACPI: the simulation decides what lies
 * where. Other tests take arch/paging.h itself, where they are equal.
 */
#ifndef ARCH_PAGING_H
#define ARCH_PAGING_H

#include "kernel/lib/types.h"

void *phys_to_virt(paddr_t paddr);
paddr_t virt_to_phys(const void *virt);
int paging_map_device(paddr_t paddr, uint64_t size, void **window);
bool paging_is_mapped(uint64_t vaddr);

#endif
