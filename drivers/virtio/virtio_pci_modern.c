/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The modern PCI transport (virtio 1.3, 4.1.4): vendor capabilities say where
 * in which BAR the common, notify, ISR and device structures lie. All they say
 * is checked; a capability that is wrong or unknown is passed over, and the first
 * usable one of each type is taken (4.1.4.1).
 */
#include <errno.h>
#include <inttypes.h>

#include "arch/mmio.h"
#include "arch/paging.h"
#include "drivers/virtio/virtio_pci_internal.h"
#include "drivers/virtio/virtq.h"
#include "kernel/lib/log.h"

/* struct virtio_pci_cap (4.1.4), offsets in config space from the capability. */
#define CAP_VENDOR 0x09 /* the id of all of them */
#define CAP_LEN 2	/* 8 */
#define CAP_CFG_TYPE 3	/* 8 */
#define CAP_BAR 4	/* 8 */
#define CAP_OFFSET 8	/* 32 */
#define CAP_LENGTH 12	/* 32 */
#define CAP_SIZE 16
#define CAP_NOTIFY_MULTIPLIER 16 /* 32; of the notify capability (4.1.4.4) */
#define CAP_NOTIFY_SIZE 20
#define CONFIG_SPACE_SIZE 256
#define CAPS_MAX 48

/* cfg_type */
#define CFG_COMMON 1
#define CFG_NOTIFY 2
#define CFG_ISR 3
#define CFG_DEVICE 4

/* struct virtio_pci_common_cfg (4.1.4.3). */
#define COMMON_DEVICE_FEATURE_SELECT 0 /* 32 */
#define COMMON_DEVICE_FEATURE 4	       /* 32 */
#define COMMON_DRIVER_FEATURE_SELECT 8 /* 32 */
#define COMMON_DRIVER_FEATURE 12       /* 32 */
#define COMMON_CONFIG_VECTOR 16	       /* 16 */
#define COMMON_NUM_QUEUES 18	       /* 16 */
#define COMMON_STATUS 20	       /* 8 */
#define COMMON_GENERATION 21	       /* 8 */
#define COMMON_QUEUE_SELECT 22	       /* 16 */
#define COMMON_QUEUE_SIZE 24	       /* 16 */
#define COMMON_QUEUE_VECTOR 26	       /* 16 */
#define COMMON_QUEUE_ENABLE 28	       /* 16 */
#define COMMON_QUEUE_NOTIFY_OFF 30     /* 16 */
#define COMMON_QUEUE_DESC 32	       /* 64, as two of 32 */
#define COMMON_QUEUE_DRIVER 40	       /* 64 */
#define COMMON_QUEUE_DEVICE 48	       /* 64 */
#define COMMON_SIZE 56

_Static_assert(COMMON_SIZE == COMMON_QUEUE_DEVICE + sizeof(uint64_t), "4.1.4.3: its last field");
_Static_assert(CAP_NOTIFY_SIZE == CAP_SIZE + sizeof(uint32_t), "4.1.4.4: one field more");

/* Windows are no larger than this, whatever a capability claims. */
#define CONFIG_WINDOW_MAX 4096
#define NOTIFY_WINDOW_MAX (4 * MIB)

/* One vendor capability, as found. */
struct capability {
	unsigned at; /* its place in config space */
	uint8_t size;
	uint8_t cfg_type;
	uint8_t bar;
	uint32_t offset;
	uint32_t length;
};

static uint8_t common_read8(struct virtio_device *device, unsigned reg)
{
	return mmio_read8((char *)virtio_pci_of(device)->common + reg);
}

static uint16_t common_read16(struct virtio_device *device, unsigned reg)
{
	return mmio_read16((char *)virtio_pci_of(device)->common + reg);
}

static uint32_t common_read32(struct virtio_device *device, unsigned reg)
{
	return mmio_read32((char *)virtio_pci_of(device)->common + reg);
}

static void common_write16(struct virtio_device *device, unsigned reg, uint16_t value)
{
	mmio_write16((char *)virtio_pci_of(device)->common + reg, value);
}

static void common_write32(struct virtio_device *device, unsigned reg, uint32_t value)
{
	mmio_write32((char *)virtio_pci_of(device)->common + reg, value);
}

/* Low half first; a 64-bit access is not guaranteed to exist (4.1.3.1). */
static void common_write_address(struct virtio_device *device, unsigned reg,
				 const volatile void *ring)
{
	paddr_t address = virt_to_phys((const void *)(uintptr_t)ring);

	common_write32(device, reg, (uint32_t)address);
	common_write32(device, reg + 4, (uint32_t)(address >> 32));
}

static uint8_t get_status(struct virtio_device *device)
{
	return common_read8(device, COMMON_STATUS);
}

static void set_status(struct virtio_device *device, uint8_t status)
{
	mmio_write8((char *)virtio_pci_of(device)->common + COMMON_STATUS, status);
}

static uint64_t get_features(struct virtio_device *device)
{
	uint64_t features;

	common_write32(device, COMMON_DEVICE_FEATURE_SELECT, 0);
	features = common_read32(device, COMMON_DEVICE_FEATURE);
	common_write32(device, COMMON_DEVICE_FEATURE_SELECT, 1);
	return features | (uint64_t)common_read32(device, COMMON_DEVICE_FEATURE) << 32;
}

static void set_features(struct virtio_device *device, uint64_t features)
{
	common_write32(device, COMMON_DRIVER_FEATURE_SELECT, 0);
	common_write32(device, COMMON_DRIVER_FEATURE, (uint32_t)features);
	common_write32(device, COMMON_DRIVER_FEATURE_SELECT, 1);
	common_write32(device, COMMON_DRIVER_FEATURE, (uint32_t)(features >> 32));
}

static size_t config_size(struct virtio_device *device)
{
	return virtio_pci_of(device)->config_size;
}

static uint32_t config_read32(struct virtio_device *device, size_t offset)
{
	char *reg = (char *)virtio_pci_of(device)->config + offset;

	assert(offset + sizeof(uint32_t) <= config_size(device));
	return mmio_read32(reg);
}

static void config_write32(struct virtio_device *device, size_t offset, uint32_t value)
{
	char *reg = (char *)virtio_pci_of(device)->config + offset;

	assert(offset + sizeof(uint32_t) <= config_size(device));
	mmio_write32(reg, value);
}

static uint8_t config_generation(struct virtio_device *device)
{
	return common_read8(device, COMMON_GENERATION);
}

static uint16_t queue_size_max(struct virtio_device *device, uint16_t index)
{
	if (index >= common_read16(device, COMMON_NUM_QUEUES))
		return 0;
	common_write16(device, COMMON_QUEUE_SELECT, index);
	return common_read16(device, COMMON_QUEUE_SIZE);
}

/*
 * Finds the place where the selected queue wants its notifications (4.1.4.4): of
 * 16 bits, or of 32 with NOTIFICATION_DATA (4.1.5.2).
 */
static int find_notify(struct virtio_device *device, struct virtq *queue)
{
	struct virtio_pci *vp = virtio_pci_of(device);
	size_t width = virtio_has(device, VIRTIO_F_NOTIFICATION_DATA) ? sizeof(uint32_t)
								      : sizeof(uint16_t);
	uint64_t offset = (uint64_t)common_read16(device, COMMON_QUEUE_NOTIFY_OFF) *
			  vp->notify_multiplier;

	if (offset + width > vp->notify_size) {
		log_warn("virtio: %s: queue %u wants notifications at 0x%" PRIx64
			 ", beyond 0x%" PRIx64,
			 device->address, queue->index, offset, vp->notify_size);
		return -EINVAL;
	}
	if (((uintptr_t)vp->notify + offset) % width != 0) {
		log_warn("virtio: %s: queue %u wants notifications at 0x%" PRIx64
			 ", which is not aligned",
			 device->address, queue->index, offset);
		return -EINVAL;
	}
	queue->notify = (char *)vp->notify + offset;
	return 0;
}

/* A vector is the device's only if it reads back (4.1.5.1.2). */
static void set_vector(struct virtio_device *device, unsigned reg, uint16_t vector)
{
	common_write16(device, reg, vector);
	if (common_read16(device, reg) != vector)
		virtio_pci_irq_fall_back(virtio_pci_of(device));
}

static void after_reset(struct virtio_device *device)
{
	if (virtio_pci_of(device)->vectors > 0)
		set_vector(device, COMMON_CONFIG_VECTOR, 0);
}

/* 4.1.5.1.3 */
static int queue_enable(struct virtio_device *device, struct virtq *queue)
{
	int err;

	common_write16(device, COMMON_QUEUE_SELECT, queue->index);
	if (common_read16(device, COMMON_QUEUE_ENABLE) != 0)
		return -EIO; /* the device was reset: it cannot be in use */
	err = find_notify(device, queue);
	if (err)
		return err;
	common_write16(device, COMMON_QUEUE_SIZE, queue->size);
	common_write_address(device, COMMON_QUEUE_DESC, queue->desc);
	common_write_address(device, COMMON_QUEUE_DRIVER, queue->avail);
	common_write_address(device, COMMON_QUEUE_DEVICE, queue->used);
	if (virtio_pci_of(device)->vectors > 0)
		set_vector(device, COMMON_QUEUE_VECTOR,
			   virtio_pci_queue_vector(virtio_pci_of(device)));
	common_write16(device, COMMON_QUEUE_ENABLE, 1);
	return common_read16(device, COMMON_QUEUE_ENABLE) == 1 ? 0 : -EIO;
}

static void queue_notify(struct virtio_device *device, struct virtq *queue)
{
	if (virtio_has(device, VIRTIO_F_NOTIFICATION_DATA))
		mmio_write32(queue->notify, virtq_notification_data(queue));
	else
		mmio_write16(queue->notify, queue->index);
}

static uint8_t read_isr(struct virtio_device *device)
{
	return mmio_read8(virtio_pci_of(device)->isr);
}

static const struct virtio_transport modern_transport = {
	.name = "pci modern",
	.legacy = false,
	.features = VIRTIO_BIT(VIRTIO_F_NOTIFICATION_DATA),
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

/* Reads one; false if it does not fit into config space, or is too short to be one. */
static bool read_capability(const struct pci_device *pci, unsigned at, struct capability *cap)
{
	if (at + CAP_SIZE > CONFIG_SPACE_SIZE)
		return false;
	cap->at = at;
	cap->size = pci_read8(pci, at + CAP_LEN);
	cap->cfg_type = pci_read8(pci, at + CAP_CFG_TYPE);
	cap->bar = pci_read8(pci, at + CAP_BAR);
	cap->offset = pci_read32(pci, at + CAP_OFFSET);
	cap->length = pci_read32(pci, at + CAP_LENGTH);
	return cap->size >= CAP_SIZE && at + cap->size <= CONFIG_SPACE_SIZE;
}

/*
 * Maps a window of at most `max` bytes on what a capability describes, if that has
 * at least `min` bytes, aligned to `align`, and lies within a memory BAR.
 */
static int map_capability(struct virtio_pci *vp, const struct capability *cap, uint32_t min,
			  uint64_t max, uint32_t align, void **window)
{
	const struct pci_bar *bar;

	if (cap->bar >= PCI_BARS || cap->length < min || cap->offset % align != 0)
		return -EINVAL;
	bar = &vp->pci->bar[cap->bar];
	if (bar->kind != PCI_BAR_MEMORY32 && bar->kind != PCI_BAR_MEMORY64)
		return -EINVAL;
	if ((uint64_t)cap->offset + cap->length > bar->size)
		return -EINVAL;
	return pci_map_bar(vp->pci, cap->bar, cap->offset, min_u64(cap->length, max), window);
}

/* The multiplier must be 0 or an even power of two, that is, not 1 (4.1.4.4.1). */
static int take_notify(struct virtio_pci *vp, const struct capability *cap)
{
	uint32_t multiplier;
	int err;

	if (cap->size < CAP_NOTIFY_SIZE)
		return -EINVAL;
	multiplier = pci_read32(vp->pci, cap->at + CAP_NOTIFY_MULTIPLIER);
	if (multiplier == 1 || multiplier & (multiplier - 1))
		return -EINVAL;
	err = map_capability(vp, cap, 2, NOTIFY_WINDOW_MAX, 2, &vp->notify);
	if (err)
		return err;
	vp->notify_multiplier = multiplier;
	vp->notify_size = min_u64(cap->length, NOTIFY_WINDOW_MAX);
	return 0;
}

static int take_config(struct virtio_pci *vp, const struct capability *cap)
{
	int err = map_capability(vp, cap, 1, CONFIG_WINDOW_MAX, 4, &vp->config);

	if (!err)
		vp->config_size = min_u64(cap->length, CONFIG_WINDOW_MAX);
	return err;
}

/* Takes it if it is the first usable one of its type. */
static int take_capability(struct virtio_pci *vp, const struct capability *cap)
{
	if (cap->cfg_type == CFG_COMMON && !vp->common)
		return map_capability(vp, cap, COMMON_SIZE, COMMON_SIZE, 4, &vp->common);
	if (cap->cfg_type == CFG_NOTIFY && !vp->notify)
		return take_notify(vp, cap);
	if (cap->cfg_type == CFG_ISR && !vp->isr)
		return map_capability(vp, cap, 1, 1, 1, &vp->isr);
	if (cap->cfg_type == CFG_DEVICE && !vp->config)
		return take_config(vp, cap);
	return 0;
}

/*
 * Ports may be a second way to notify (4.1.4.4), as with QEMU's modern-pio-notify: memory
 * is the way that is taken, and nothing is wrong.
 */
static bool is_by_ports(const struct virtio_pci *vp, const struct capability *cap)
{
	return cap->cfg_type == CFG_NOTIFY && cap->bar < PCI_BARS &&
	       vp->pci->bar[cap->bar].kind == PCI_BAR_IO;
}

/*
 * Walks the capabilities, which are in any order: QEMU has the common one last.
 * One that cannot be used does not end the walk.
 */
static void take_capabilities(struct virtio_pci *vp)
{
	struct capability cap;
	unsigned at = 0;

	for (unsigned i = 0; i < CAPS_MAX; i++) {
		at = pci_find_capability(vp->pci, CAP_VENDOR, at);
		if (at == 0)
			return;
		if (!read_capability(vp->pci, at, &cap) ||
		    (!is_by_ports(vp, &cap) && take_capability(vp, &cap)))
			log_debug("virtio: %s: capability at 0x%x cannot be used",
				  vp->device.address, at);
	}
}

int virtio_pci_modern_setup(struct virtio_pci *vp, const char **why)
{
	take_capabilities(vp);
	if (!vp->common)
		*why = "no usable common capability";
	else if (!vp->notify)
		*why = "no usable notify capability";
	else if (!vp->isr)
		*why = "no usable ISR capability";
	else {
		vp->device.transport = &modern_transport;
		return 0;
	}
	return -ENODEV;
}
