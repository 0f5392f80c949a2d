/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pvpanic (QEMU's docs/specs/pvpanic): a device by which a guest tells the host that it
 * panicked. It is one register of a byte, at a port of ISA that ACPI names, or in BAR 0
 * of a PCI function; reading it gives the events that the host wants to know of.
 */
#ifndef DRIVERS_PVPANIC_PVPANIC_H
#define DRIVERS_PVPANIC_PVPANIC_H

struct pci_device;

/* Takes the devices of ISA that ACPI describes, if they answer. After acpi_init(). */
void pvpanic_find(void);

/* Takes a function, if it is a pvpanic device that answers, and lets it go again. */
void pvpanic_pci_add(const struct pci_device *pci);
void pvpanic_pci_remove(const struct pci_device *pci);

/*
 * Tells the host, by the first device that knows this event, and gives it a moment to
 * act: it may stop or end the machine meanwhile. For a panic, once; all text must be out.
 */
void pvpanic_tell(void);

#endif
