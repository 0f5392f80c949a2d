/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Shared by the files of virtio on PCI (virtio 1.3, 4.1): virtio_pci.c, below it
 * the two transports, and below those virtio_pci_irq.c.
 */
#ifndef DRIVERS_VIRTIO_VIRTIO_PCI_INTERNAL_H
#define DRIVERS_VIRTIO_VIRTIO_PCI_INTERNAL_H

#include <assert.h>

#include "arch/irq.h"
#include "drivers/pci/pci.h"
#include "drivers/pci/pci_msix.h"
#include "drivers/virtio/virtio_transport.h"

/* One vector for the config, one for all queues. */
#define VIRTIO_PCI_VECTORS_MAX 2

struct virtio_pci {
	struct virtio_device device;
	const struct pci_device *pci; /* NULL: this entry is free */
	struct irq_handler intx;
	bool has_intx;
	/*
	 * Entries of the MSI-X table in use. 0: INTx; 1: one for everything; 2: the
	 * first for the config, the other for all queues.
	 */
	unsigned vectors;
	struct irq_handler message[VIRTIO_PCI_VECTORS_MAX];
	struct pci_msix msix;
	/* Modern: windows on the structures that the capabilities describe. */
	void *common;
	void *isr;
	void *config;	    /* NULL: the device has none */
	size_t config_size; /* on both transports */
	void *notify;
	uint64_t notify_size;
	uint32_t notify_multiplier;
	/* Legacy. */
	uint16_t port;
};

/* Returns what PCI keeps for a device that it has added. */
static inline struct virtio_pci *virtio_pci_of(struct virtio_device *device)
{
	return device->transport_data;
}

/* Tells whether config space does not answer either; one that stopped decoding still does. */
static inline bool virtio_pci_is_gone(struct virtio_device *device)
{
	return !pci_is_there(virtio_pci_of(device)->pci);
}

/* ---- virtio_pci_irq.c ---- */

/*
 * Connects the device's interrupts, after its transport was set up. `msix_err` is
 * what pci_msix_setup() returned: if 0, messages are tried first; if -ENODEV, the
 * device has none; another error is logged. Without messages it is INTx.
 */
void virtio_pci_irq_setup(struct virtio_pci *vp, int msix_err);

/* Disconnects them again, whichever they are. */
void virtio_pci_irq_stop(struct virtio_pci *vp);

/* Switches from messages to INTx, as the device did not take a vector. */
void virtio_pci_irq_fall_back(struct virtio_pci *vp);

/* Returns the vector for queues; there is one at least. */
static inline uint16_t virtio_pci_queue_vector(const struct virtio_pci *vp)
{
	assert(vp->vectors > 0 && vp->vectors <= VIRTIO_PCI_VECTORS_MAX);
	return (uint16_t)(vp->vectors - 1);
}

/* ---- virtio_pci_modern.c and virtio_pci_legacy.c ---- */

/*
 * Finds and maps what the modern transport needs, and makes it the device's.
 * -ENODEV: something is missing, `why` says what.
 */
int virtio_pci_modern_setup(struct virtio_pci *vp, const char **why);

/*
 * Finds the ports of the legacy transport, and makes it the device's. -ENODEV:
 * there are none that can be used, `why` says more.
 */
int virtio_pci_legacy_setup(struct virtio_pci *vp, const char **why);

#endif
