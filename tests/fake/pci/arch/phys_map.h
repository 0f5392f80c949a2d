/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Addresses for the tests of PCI and ACPI: the simulation decides what lies
 * where. Other tests take arch/phys_map.h itself, where they are equal.
 */
#ifndef ARCH_PHYS_MAP_H
#define ARCH_PHYS_MAP_H

#include "kernel/lib/types.h"

/* Return the place of an address in the simulated memory, and the address of a place. */
void *phys_to_virt(paddr_t paddr);
paddr_t virt_to_phys(const void *virt);

#endif
