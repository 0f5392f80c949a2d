/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Virtio devices whose registers lie at a place in memory, and not on a bus
 * (virtio 1.3, 4.2): for kernel/virtio_mmio_find.c, which knows the places.
 */
#ifndef DRIVERS_VIRTIO_VIRTIO_MMIO_H
#define DRIVERS_VIRTIO_VIRTIO_MMIO_H

#include "kernel/lib/types.h"

struct virtio_mmio_place {
	paddr_t base;
	uint64_t size; /* bytes; registers and the device's config */
	bool has_irq;  /* else the device is polled */
	uint32_t gsi;
	bool level; /* how the interrupt is triggered */
};

/*
 * Reads `SIZE@BASE:IRQ[:ID]`, each number decimal or after 0x hexadecimal,
 * SIZE also as in 4K. ID is a number for Linux's names, and not kept. -EINVAL,
 * and nothing stored, if it is not of this form.
 */
int virtio_mmio_parse(const char *text, struct virtio_mmio_place *place);

/*
 * Makes a device of what lies there, and registers it. 0: done, or the place is
 * known already, or is an empty one (4.2.2.2), which is no fault. Otherwise one
 * line in the log says why: -EINVAL: an impossible place; -ENODEV: no virtio
 * device, or one of no known version; -ENOSPC: there are too many.
 */
int virtio_mmio_add(const struct virtio_mmio_place *place);

/* Lets go of all devices that virtio_mmio_add() made. */
void virtio_mmio_forget(void);

#endif
