/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which addresses PCI devices may be given where the firmware gave none. ACPI
 * would tell in AML; the memory map tells as much: what lies above everything
 * it names, below the interrupt controllers. Where memory may come (SRAT), none goes.
 */
#ifndef KERNEL_PCI_WINDOWS_H
#define KERNEL_PCI_WINDOWS_H

#include "arch/boot_info.h"
#include "drivers/pci/pci.h"

/* `ecam` is the ECAM window's base for buses 0 to last_bus, or 0. */
void pci_windows_find(const struct boot_info *boot, paddr_t ecam, uint8_t last_bus,
		      struct pci_windows *windows);

#endif
