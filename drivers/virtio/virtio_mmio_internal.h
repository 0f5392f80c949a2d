/* SPDX-License-Identifier: BSD-2-Clause */
/* Shared by the files of virtio over MMIO: a device, and how its registers identify it. */
#ifndef DRIVERS_VIRTIO_VIRTIO_MMIO_INTERNAL_H
#define DRIVERS_VIRTIO_VIRTIO_MMIO_INTERNAL_H

#include "arch/irq.h"
#include "drivers/virtio/virtio_mmio.h"
#include "drivers/virtio/virtio_transport.h"

/* The device's config begins here, after all registers (4.2.2). */
#define VIRTIO_MMIO_CONFIG 0x100

struct virtio_mmio {
	struct virtio_device device;
	struct irq_handler irq;
	struct virtio_mmio_place place;
	char *window; /* on place.size bytes of registers */
};

/*
 * Reads what lies at a window that is mapped, and gives the device its type and
 * transport. 1: an empty place (4.2.2.2); -ENODEV: no virtio device, `why` says
 * more.
 */
int virtio_mmio_identify(struct virtio_mmio *mmio, const char **why);

#endif
