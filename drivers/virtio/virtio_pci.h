/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What virtio_pci.c and the two PCI transports share (virtio 1.3, 4.1). Not for
 * device drivers.
 */
#ifndef DRIVERS_VIRTIO_VIRTIO_PCI_H
#define DRIVERS_VIRTIO_VIRTIO_PCI_H

#include "arch/irq.h"
#include "drivers/virtio/virtio.h"

struct pci_device;

struct virtio_pci {
	struct virtio_device device;
	const struct pci_device *pci;
	struct irq_handler irq;
	bool has_irq;
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

/*
 * Finds and maps what the transport needs, and puts its operations into the
 * device. -ENODEV: something is missing, `why` says what.
 */
int virtio_pci_modern_setup(struct virtio_pci *vp, const char **why);
int virtio_pci_legacy_setup(struct virtio_pci *vp, const char **why);

#endif
