/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Virtio devices on PCI (virtio 1.3, 4.1): for kernel/, which starts them, and
 * for hot-plug. Device drivers do not see this.
 */
#ifndef DRIVERS_VIRTIO_VIRTIO_PCI_H
#define DRIVERS_VIRTIO_VIRTIO_PCI_H

#include "kernel/lib/types.h"

struct pci_device;

/*
 * Makes devices of all virtio functions that pci_scan() found. Returns how many.
 * May be called again: starts anew.
 */
size_t virtio_pci_probe(void);

/* Makes later devices use INTx even where they have MSI-X, which is preferred else. */
void virtio_pci_refuse_msix(void);

/* Takes a function that came; one that is not virtio is passed over. */
void virtio_pci_add(const struct pci_device *pci);

/* Lets go of a function that goes; `gone`: it is not there any more. */
void virtio_pci_remove(const struct pci_device *pci, bool gone);

#endif
