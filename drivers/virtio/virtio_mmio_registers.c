/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The two transports of virtio over MMIO (virtio 1.3, 4.2): version 2, and
 * version 1, which is the legacy interface (4.2.4). They differ in how a queue is
 * told to the device, and in FEATURES_OK, which version 1 does not know.
 */
#include <assert.h>
#include <errno.h>

#include "arch/mmio.h"
#include "arch/paging.h"
#include "drivers/virtio/virtio_mmio_internal.h"
#include "drivers/virtio/virtq.h"

/* Registers (4.2.2), 32 bits each, with (1) only in version 1, with (2) only in 2. */
#define MMIO_MAGIC 0x000
#define MMIO_VERSION 0x004
#define MMIO_DEVICE_ID 0x008
#define MMIO_DEVICE_FEATURES 0x010
#define MMIO_DEVICE_FEATURES_SEL 0x014
#define MMIO_DRIVER_FEATURES 0x020
#define MMIO_DRIVER_FEATURES_SEL 0x024
#define MMIO_GUEST_PAGE_SIZE 0x028 /* (1) */
#define MMIO_QUEUE_SEL 0x030
#define MMIO_QUEUE_NUM_MAX 0x034
#define MMIO_QUEUE_NUM 0x038
#define MMIO_QUEUE_ALIGN 0x03c /* (1) */
#define MMIO_QUEUE_PFN 0x040   /* (1) */
#define MMIO_QUEUE_READY 0x044 /* (2) */
#define MMIO_QUEUE_NOTIFY 0x050
#define MMIO_INTERRUPT_STATUS 0x060
#define MMIO_INTERRUPT_ACK 0x064
#define MMIO_STATUS 0x070
#define MMIO_QUEUE_DESC 0x080	/* (2) 64, as two of 32 */
#define MMIO_QUEUE_DRIVER 0x090 /* (2) */
#define MMIO_QUEUE_DEVICE 0x0a0 /* (2) */
#define MMIO_GENERATION 0x0fc	/* (2) */

#define MAGIC 0x74726976 /* "virt" */
#define VERSION_LEGACY 1
#define VERSION_MODERN 2

#define ALL_ONES UINT32_MAX

/* The interrupts that there are; so many reads at a time, if a device never tires of them. */
#define ISR_KNOWN (VIRTIO_ISR_QUEUE | VIRTIO_ISR_CONFIG)
#define ISR_READS_MAX 16

_Static_assert(MMIO_GENERATION + sizeof(uint32_t) == VIRTIO_MMIO_CONFIG,
	       "4.2.2: the last register");

static struct virtio_mmio *mmio_of(struct virtio_device *device)
{
	return device->transport_data;
}

static uint32_t read_register(struct virtio_device *device, unsigned reg)
{
	return mmio_read32(mmio_of(device)->window + reg);
}

static void write_register(struct virtio_device *device, unsigned reg, uint32_t value)
{
	mmio_write32(mmio_of(device)->window + reg, value);
}

/* ---- What both versions have ---- */

static uint8_t get_status(struct virtio_device *device)
{
	return (uint8_t)read_register(device, MMIO_STATUS);
}

static void set_status(struct virtio_device *device, uint8_t status)
{
	write_register(device, MMIO_STATUS, status);
}

static size_t config_size(struct virtio_device *device)
{
	return (size_t)mmio_of(device)->place.size - VIRTIO_MMIO_CONFIG;
}

static uint32_t config_read32(struct virtio_device *device, size_t offset)
{
	assert(offset + sizeof(uint32_t) <= config_size(device));
	return read_register(device, VIRTIO_MMIO_CONFIG + (unsigned)offset);
}

static void config_write32(struct virtio_device *device, size_t offset, uint32_t value)
{
	assert(offset + sizeof(uint32_t) <= config_size(device));
	write_register(device, VIRTIO_MMIO_CONFIG + (unsigned)offset, value);
}

static bool is_gone(struct virtio_device *device)
{
	return read_register(device, MMIO_MAGIC) != MAGIC;
}

/* A number that is too large to be a size is as good as all ones: the device is gone. */
static uint16_t queue_size_max(struct virtio_device *device, uint16_t index)
{
	uint32_t max;

	write_register(device, MMIO_QUEUE_SEL, index);
	max = read_register(device, MMIO_QUEUE_NUM_MAX);
	return (uint16_t)min_u64(max, UINT16_MAX);
}

static void queue_notify(struct virtio_device *device, struct virtq *queue)
{
	write_register(device, MMIO_QUEUE_NOTIFY,
		       virtio_has(device, VIRTIO_F_NOTIFICATION_DATA)
			       ? virtq_notification_data(queue)
			       : queue->index);
}

/*
 * Acknowledges by a write, as reading alone does not here (4.2.2.1), until
 * nothing is left: an event that came between reading and acknowledging would
 * otherwise keep the line up, and a line that triggers by edge silent for ever.
 */
static uint8_t read_isr(struct virtio_device *device)
{
	uint32_t seen = 0;

	for (unsigned i = 0; i < ISR_READS_MAX; i++) {
		uint32_t status = read_register(device, MMIO_INTERRUPT_STATUS);

		if (status == ALL_ONES)
			return VIRTIO_ISR_GONE;
		if ((status & ISR_KNOWN) == 0)
			break;
		write_register(device, MMIO_INTERRUPT_ACK, status & ISR_KNOWN);
		seen |= status & ISR_KNOWN;
	}
	return (uint8_t)seen;
}

/* ---- Version 2 ---- */

static uint64_t modern_get_features(struct virtio_device *device)
{
	uint64_t features;

	write_register(device, MMIO_DEVICE_FEATURES_SEL, 0);
	features = read_register(device, MMIO_DEVICE_FEATURES);
	write_register(device, MMIO_DEVICE_FEATURES_SEL, 1);
	return features | (uint64_t)read_register(device, MMIO_DEVICE_FEATURES) << 32;
}

static void modern_set_features(struct virtio_device *device, uint64_t features)
{
	write_register(device, MMIO_DRIVER_FEATURES_SEL, 0);
	write_register(device, MMIO_DRIVER_FEATURES, (uint32_t)features);
	write_register(device, MMIO_DRIVER_FEATURES_SEL, 1);
	write_register(device, MMIO_DRIVER_FEATURES, (uint32_t)(features >> 32));
}

static uint8_t modern_generation(struct virtio_device *device)
{
	return (uint8_t)read_register(device, MMIO_GENERATION);
}

static void write_address(struct virtio_device *device, unsigned reg, const volatile void *ring)
{
	paddr_t address = virt_to_phys((const void *)(uintptr_t)ring);

	write_register(device, reg, (uint32_t)address);
	write_register(device, reg + 4, (uint32_t)(address >> 32));
}

/* 4.2.3.2 */
static int modern_queue_enable(struct virtio_device *device, struct virtq *queue)
{
	write_register(device, MMIO_QUEUE_SEL, queue->index);
	if (read_register(device, MMIO_QUEUE_READY) != 0)
		return -EIO; /* the device was reset: it cannot be in use */
	write_register(device, MMIO_QUEUE_NUM, queue->size);
	write_address(device, MMIO_QUEUE_DESC, queue->desc);
	write_address(device, MMIO_QUEUE_DRIVER, queue->avail);
	write_address(device, MMIO_QUEUE_DEVICE, queue->used);
	write_register(device, MMIO_QUEUE_READY, 1);
	return read_register(device, MMIO_QUEUE_READY) == 1 ? 0 : -EIO;
}

static const struct virtio_transport modern_transport = {
	.name = "mmio modern",
	.legacy = false,
	.features = VIRTIO_BIT(VIRTIO_F_NOTIFICATION_DATA),
	.is_gone = is_gone,
	.get_status = get_status,
	.set_status = set_status,
	.get_features = modern_get_features,
	.set_features = modern_set_features,
	.config_size = config_size,
	.config_read32 = config_read32,
	.config_write32 = config_write32,
	.config_generation = modern_generation,
	.queue_size_max = queue_size_max,
	.queue_enable = modern_queue_enable,
	.queue_notify = queue_notify,
	.read_isr = read_isr,
};

/* ---- Version 1 ---- */

static uint64_t legacy_get_features(struct virtio_device *device)
{
	write_register(device, MMIO_DEVICE_FEATURES_SEL, 0);
	return read_register(device, MMIO_DEVICE_FEATURES);
}

static void legacy_set_features(struct virtio_device *device, uint64_t features)
{
	write_register(device, MMIO_DRIVER_FEATURES_SEL, 0);
	write_register(device, MMIO_DRIVER_FEATURES, (uint32_t)features);
}

/* A legacy device has none (2.5.4): a field of four bytes is whole by its one access. */
static uint8_t legacy_generation(struct virtio_device *device)
{
	(void)device;
	return 0;
}

/*
 * 4.2.4.1: one page number for all three areas, `used` on the next page. Unlike
 * on legacy PCI the driver chooses the queue's size. The page size is written each
 * time, as the device must know it before any queue.
 */
static int legacy_queue_enable(struct virtio_device *device, struct virtq *queue)
{
	uint32_t pfn;
	int err = virtq_legacy_pfn(queue, &pfn);

	if (err)
		return err;
	write_register(device, MMIO_GUEST_PAGE_SIZE, FRAME_SIZE);
	write_register(device, MMIO_QUEUE_SEL, queue->index);
	if (read_register(device, MMIO_QUEUE_PFN) != 0)
		return -EIO; /* the device was reset: it cannot be in use */
	write_register(device, MMIO_QUEUE_NUM, queue->size);
	write_register(device, MMIO_QUEUE_ALIGN, FRAME_SIZE);
	write_register(device, MMIO_QUEUE_PFN, pfn);
	return read_register(device, MMIO_QUEUE_PFN) == pfn ? 0 : -EIO;
}

static const struct virtio_transport legacy_transport = {
	.name = "mmio legacy",
	.legacy = true,
	.is_gone = is_gone,
	.get_status = get_status,
	.set_status = set_status,
	.get_features = legacy_get_features,
	.set_features = legacy_set_features,
	.config_size = config_size,
	.config_read32 = config_read32,
	.config_write32 = config_write32,
	.config_generation = legacy_generation,
	.queue_size_max = queue_size_max,
	.queue_enable = legacy_queue_enable,
	.queue_notify = queue_notify,
	.read_isr = read_isr,
};

/* ---- Which version ---- */

/* 4.2.2.2: magic, version and device id, in this order. */
int virtio_mmio_identify(struct virtio_mmio *mmio, const char **why)
{
	struct virtio_device *device = &mmio->device;
	uint32_t version, id;

	if (is_gone(device)) {
		*why = "no virtio device lies there";
		return -ENODEV;
	}
	version = read_register(device, MMIO_VERSION);
	if (version != VERSION_LEGACY && version != VERSION_MODERN) {
		*why = "of an unknown version";
		return -ENODEV;
	}
	id = read_register(device, MMIO_DEVICE_ID);
	if (id == 0)
		return 1;
	if (id > UINT16_MAX) {
		*why = "of an impossible type";
		return -ENODEV;
	}
	device->type = (uint16_t)id;
	device->transport = version == VERSION_LEGACY ? &legacy_transport : &modern_transport;
	return 0;
}
