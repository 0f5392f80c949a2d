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

/* What an interrupt was for (4.1.4.5); all ones: nobody answers. */
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
	/* Whether nobody is there; asked when the status reads as all ones. NULL: then it is so. */
	bool (*is_gone)(struct virtio_device *device);
	uint8_t (*get_status)(struct virtio_device *device);
	void (*set_status)(struct virtio_device *device, uint8_t status);
	uint64_t (*get_features)(struct virtio_device *device);
	void (*set_features)(struct virtio_device *device, uint64_t features);
	/* Bytes of device config that can be reached. */
	size_t (*config_size)(struct virtio_device *device);
	/* One access of four bytes (5.5.6.2.1) within config_size(). */
	uint32_t (*config_read32)(struct virtio_device *device, size_t offset);
	void (*config_write32)(struct virtio_device *device, size_t offset, uint32_t value);
	/* Changes whenever the config did (2.5.3); always 0 on legacy. */
	uint8_t (*config_generation)(struct virtio_device *device);
	/* The largest size of queue `index`; 0: there is none. UINT16_MAX: the device is gone. */
	uint16_t (*queue_size_max)(struct virtio_device *device, uint16_t index);
	/*
	 * Tells the device where the queue's rings lie, and enables it. -EIO: it was
	 * in use, or does not get ready; -EINVAL: it cannot reach the rings, or we not
	 * its notifications.
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

/* Takes a device off the list, after its driver's remove(); nothing if it is not there. */
void virtio_unregister(struct virtio_device *device);

/* Returns the first of all devices, in the order of their registration; see `next`. */
struct virtio_device *virtio_devices(void);

/* Notes that the device was pulled out: it is broken, and its queues are dead. */
void virtio_gone(struct virtio_device *device);

/* Passes on what an interrupt means, a mask of VIRTIO_ISR_*. From the interrupt. */
void virtio_interrupt(struct virtio_device *device, uint8_t isr);

/*
 * Does the same for a line that other devices share: asks the device by
 * read_isr(). Returns whether the interrupt was its. From the interrupt.
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
