/* SPDX-License-Identifier: BSD-2-Clause */
/* MSI-X (PCI Local Bus 3.0, 6.8.2): a table of messages in a BAR of the function. */
#ifndef DRIVERS_PCI_PCI_MSIX_H
#define DRIVERS_PCI_PCI_MSIX_H

#include "kernel/lib/types.h"

struct pci_device;

struct pci_msix {
	const struct pci_device *device;
	unsigned capability; /* its offset in config space; 0: there is none */
	unsigned count;	     /* entries of the table, 1 to 2048 */
	void *table;
};

/*
 * Finds the capability and maps the table, if that lies within a memory BAR;
 * MSI-X is off and every entry masked afterwards. -ENODEV: the function has
 * none (and `msix` says so); -EINVAL: it is no good; -ENXIO, -ENOMEM, -EIO.
 */
int pci_msix_setup(const struct pci_device *device, struct pci_msix *msix);

/* Sets the message that the masked entry `index`, below count, sends; and unmasks it. */
void pci_msix_set(struct pci_msix *msix, unsigned index, uint64_t address, uint32_t data);

/* From here on INTx is silent. -EIO: the function does not turn it on. */
int pci_msix_enable(struct pci_msix *msix);

/* Also for what pci_msix_setup() found nothing in. */
void pci_msix_disable(struct pci_msix *msix);

#endif
