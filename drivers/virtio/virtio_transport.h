/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Between virtio.c and the transports that reach a device (virtio 1.3, chapter
 * 4): what a transport does, and what it calls. Not for device drivers.
 */
#ifndef DRIVERS_VIRTIO_VIRTIO_TRANSPORT_H
#define DRIVERS_VIRTIO_VIRTIO_TRANSPORT_H

#include "drivers/virtio/virtio.h"

/* Device status (2.1). */
#define VIRTIO_STATUS_ACKNOWLEDGE 1
#define VIRTIO_STATUS_DRIVER 2
#define VIRTIO_STATUS_DRIVER_OK 4
#define VIRTIO_STATUS_FEATURES_OK 8
#define VIRTIO_STATUS_NEEDS_RESET 64
#define VIRTIO_STATUS_FAILED 128

/* Causes of an interrupt (4.1.4.5); all ones: the device is gone. */
#define VIRTIO_ISR_QUEUE 1
#define VIRTIO_ISR_CONFIG 2
#define VIRTIO_ISR_GONE 0xff

/* Registers of a device. None of these functions waits. */
struct virtio_transport {
	const char *name; /* "pci modern", "mmio legacy" */
	bool legacy;
	bool fixed_queue_size; /* queues have the device's own size */
	/* Of the bits that are a transport's own, those it implements: NOTIFICATION_DATA. */
	uint64_t features;
	/* Asked when the status reads as all ones: whether the device is gone. NULL: it is. */
	bool (*is_gone)(struct virtio_device *device);
	uint8_t (*get_status)(struct virtio_device *device);
	void (*set_status)(struct virtio_device *device, uint8_t status);
	uint64_t (*get_features)(struct virtio_device *device);
	void (*set_features)(struct virtio_device *device, uint64_t features);
	/* Returns the bytes of device config that can be reached. */
	size_t (*config_size)(struct virtio_device *device);
	/* One access of four bytes (5.5.6.2.1) within config_size(). */
	uint32_t (*config_read32)(struct virtio_device *device, size_t offset);
	void (*config_write32)(struct virtio_device *device, size_t offset, uint32_t value);
	/* Returns a number that changes with the config (2.5.3); always 0 on legacy. */
	uint8_t (*config_generation)(struct virtio_device *device);
	/* Returns the largest size of queue `index`; 0: no such queue; UINT16_MAX: it is gone. */
	uint16_t (*queue_size_max)(struct virtio_device *device, uint16_t index);
	/*
	 * Tells the device where the queue's rings lie, and enables it. -EIO: it was
	 * in use already, or does not get ready; -EINVAL: the rings lie beyond the
	 * device's reach, or its place for notifications is invalid.
	 */
	int (*queue_enable)(struct virtio_device *device, struct virtq *queue);
	void (*queue_notify)(struct virtio_device *device, struct virtq *queue);
	/* Called after each reset, which makes the device forget its MSI-X vectors; may be NULL. */
	void (*after_reset)(struct virtio_device *device);
	/* Reads, and by that acknowledges, the interrupt status. Called from interrupts, too. */
	uint8_t (*read_isr)(struct virtio_device *device);
};

/* Enters a device into the list and offers it to its driver. */
void virtio_register(struct virtio_device *device);

/* Takes a device off the list, after its driver's remove(). One that is not in it is ignored. */
void virtio_unregister(struct virtio_device *device);

/* Returns the first of all devices, in the order of their registration; see `next`. */
struct virtio_device *virtio_devices(void);

/* Marks a device as pulled out: it is broken, and its queues are dead. */
void virtio_gone(struct virtio_device *device);

/* Counts an interrupt, a mask of VIRTIO_ISR_*, and wakes waiters. Called from interrupts. */
void virtio_interrupt(struct virtio_device *device, uint8_t isr);

/*
 * Handles an interrupt of a line that other devices share: asks this one by
 * read_isr(), and passes its answer to virtio_interrupt(). Returns whether the
 * interrupt came from this device. Called from interrupts.
 */
bool virtio_interrupt_shared(struct virtio_device *device);

/* ---- Of queues; in virtq.c ---- */

/* Returns what a notification says with NOTIFICATION_DATA (2.9). */
uint32_t virtq_notification_data(const struct virtq *queue);

/*
 * Computes the page number by which a legacy device finds all three areas
 * (2.7.2). -EINVAL: it has more than 32 bits, and the log says so.
 */
int virtq_legacy_pfn(const struct virtq *queue, uint32_t *pfn);

#endif
