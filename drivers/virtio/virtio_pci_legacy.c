/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The legacy interface of transitional PCI devices (virtio 1.3, 4.1.4.10 and
 * the "legacy interface" parts of chapters 2 to 4): a block of ports in BAR 0.
 * No FEATURES_OK, 32 feature bits, queues of the size that the device wants,
 * given to it as one page number.
 */
#include <errno.h>

#include "arch/io.h"
#include "drivers/virtio/virtio_pci_internal.h"
#include "drivers/virtio/virtq.h"

/* Ports from the start of BAR 0. */
#define LEGACY_DEVICE_FEATURES 0 /* 32 */
#define LEGACY_DRIVER_FEATURES 4 /* 32 */
#define LEGACY_QUEUE_PFN 8	 /* 32 */
#define LEGACY_QUEUE_SIZE 12	 /* 16, read only */
#define LEGACY_QUEUE_SELECT 14	 /* 16 */
#define LEGACY_QUEUE_NOTIFY 16	 /* 16 */
#define LEGACY_STATUS 18	 /* 8 */
#define LEGACY_ISR 19		 /* 8 */
#define LEGACY_CONFIG 20	 /* without MSI-X */
#define LEGACY_CONFIG_VECTOR 20	 /* 16; with MSI-X on */
#define LEGACY_QUEUE_VECTOR 22	 /* 16 */
#define LEGACY_CONFIG_MSIX 24

_Static_assert(LEGACY_CONFIG_MSIX - LEGACY_CONFIG == VIRTIO_PCI_VECTORS_MAX * sizeof(uint16_t),
	       "4.1.4.10: MSI-X moves the config by its two vectors");

static uint16_t port(struct virtio_device *device, unsigned reg)
{
	return (uint16_t)(virtio_pci_of(device)->port + reg);
}

static uint8_t get_status(struct virtio_device *device)
{
	return io_read8(port(device, LEGACY_STATUS));
}

static void set_status(struct virtio_device *device, uint8_t status)
{
	io_write8(port(device, LEGACY_STATUS), status);
}

static uint64_t get_features(struct virtio_device *device)
{
	return io_read32(port(device, LEGACY_DEVICE_FEATURES));
}

static void set_features(struct virtio_device *device, uint64_t features)
{
	io_write32(port(device, LEGACY_DRIVER_FEATURES), (uint32_t)features);
}

/* The device's config moves when MSI-X is turned on or off (4.1.4.10). */
static unsigned config_start(struct virtio_device *device)
{
	return virtio_pci_of(device)->vectors > 0 ? LEGACY_CONFIG_MSIX : LEGACY_CONFIG;
}

static size_t config_size(struct virtio_device *device)
{
	return virtio_pci_of(device)->config_size + LEGACY_CONFIG - config_start(device);
}

static uint32_t config_read32(struct virtio_device *device, size_t offset)
{
	uint16_t at = port(device, config_start(device) + (unsigned)offset);

	assert(offset + sizeof(uint32_t) <= config_size(device));
	return io_read32(at);
}

static void config_write32(struct virtio_device *device, size_t offset, uint32_t value)
{
	uint16_t at = port(device, config_start(device) + (unsigned)offset);

	assert(offset + sizeof(uint32_t) <= config_size(device));
	io_write32(at, value);
}

/* A legacy device has none (2.5.4): a field of four bytes is whole by its one access. */
static uint8_t config_generation(struct virtio_device *device)
{
	(void)device;
	return 0;
}

static uint16_t queue_size_max(struct virtio_device *device, uint16_t index)
{
	io_write16(port(device, LEGACY_QUEUE_SELECT), index);
	return io_read16(port(device, LEGACY_QUEUE_SIZE));
}

/* A vector is the device's only if it reads back (4.1.5.1.2). */
static void set_vector(struct virtio_device *device, unsigned reg, uint16_t vector)
{
	io_write16(port(device, reg), vector);
	if (io_read16(port(device, reg)) != vector)
		virtio_pci_irq_fall_back(virtio_pci_of(device));
}

static void after_reset(struct virtio_device *device)
{
	if (virtio_pci_of(device)->vectors > 0)
		set_vector(device, LEGACY_CONFIG_VECTOR, 0);
}

static int queue_enable(struct virtio_device *device, struct virtq *queue)
{
	uint32_t pfn;
	int err = virtq_legacy_pfn(queue, &pfn);

	if (err)
		return err;
	io_write16(port(device, LEGACY_QUEUE_SELECT), queue->index);
	if (io_read32(port(device, LEGACY_QUEUE_PFN)) != 0)
		return -EIO; /* the device was reset: it cannot be in use */
	if (virtio_pci_of(device)->vectors > 0)
		set_vector(device, LEGACY_QUEUE_VECTOR,
			   virtio_pci_queue_vector(virtio_pci_of(device)));
	io_write32(port(device, LEGACY_QUEUE_PFN), pfn);
	return io_read32(port(device, LEGACY_QUEUE_PFN)) == pfn ? 0 : -EIO;
}

static void queue_notify(struct virtio_device *device, struct virtq *queue)
{
	io_write16(port(device, LEGACY_QUEUE_NOTIFY), queue->index);
}

static uint8_t read_isr(struct virtio_device *device)
{
	return io_read8(port(device, LEGACY_ISR));
}

static const struct virtio_transport legacy_transport = {
	.name = "pci legacy",
	.legacy = true,
	.fixed_queue_size = true,
	.is_gone = virtio_pci_is_gone,
	.get_status = get_status,
	.set_status = set_status,
	.get_features = get_features,
	.set_features = set_features,
	.config_size = config_size,
	.config_read32 = config_read32,
	.config_write32 = config_write32,
	.config_generation = config_generation,
	.queue_size_max = queue_size_max,
	.queue_enable = queue_enable,
	.queue_notify = queue_notify,
	.after_reset = after_reset,
	.read_isr = read_isr,
};

int virtio_pci_legacy_setup(struct virtio_pci *vp, const char **why)
{
	const struct pci_bar *bar = &vp->pci->bar[0];

	if (bar->kind != PCI_BAR_IO) {
		*why = "BAR 0 is no block of ports";
		return -ENODEV;
	}
	if (bar->address == 0 || bar->size < LEGACY_CONFIG_MSIX ||
	    bar->address + bar->size > (uint64_t)UINT16_MAX + 1) {
		*why = "BAR 0 has no usable ports";
		return -ENODEV;
	}
	vp->port = (uint16_t)bar->address;
	vp->config_size = (size_t)bar->size - LEGACY_CONFIG;
	vp->device.transport = &legacy_transport;
	return 0;
}
