/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What virtio_pci.c and the two PCI transports share (virtio 1.3, 4.1). Not for
 * device drivers.
 */
#ifndef DRIVERS_VIRTIO_VIRTIO_PCI_H
#define DRIVERS_VIRTIO_VIRTIO_PCI_H

#include "arch/irq.h"
#include "drivers/pci/pci_msix.h"
#include "drivers/virtio/virtio.h"

struct pci_device;

/* What a vector register holds if the device could not take the vector (4.1.5.1.2). */
#define VIRTIO_MSI_NO_VECTOR 0xffff

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
	struct irq_handler message[2];
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

static inline struct virtio_pci *virtio_pci_of(struct virtio_device *device)
{
	return device->transport_data;
}

static inline uint16_t virtio_pci_queue_vector(const struct virtio_pci *vp)
{
	return (uint16_t)(vp->vectors - 1);
}

/* Nothing answers in config space either: what only stopped decoding is still there. */
bool virtio_pci_is_gone(struct virtio_device *device);

/* From now on by INTx: the device did not take a vector. */
void virtio_pci_fall_back(struct virtio_pci *vp);

/*
 * Finds and maps what the transport needs, and puts its operations into the
 * device. -ENODEV: something is missing, `why` says what.
 */
int virtio_pci_modern_setup(struct virtio_pci *vp, const char **why);
int virtio_pci_legacy_setup(struct virtio_pci *vp, const char **why);

#endif
