/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Virtio over MMIO (virtio 1.3, 4.2): version 2, and version 1, which is the
 * legacy interface (4.2.4). They differ in how a queue is told to the device,
 * and in FEATURES_OK, which version 1 does not know.
 */
#include "drivers/virtio/virtio_mmio.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "arch/irq.h"
#include "arch/mmio.h"
#include "arch/paging.h"
#include "drivers/virtio/virtio.h"
#include "drivers/virtio/virtq.h"
#include "kernel/lib/log.h"
#include "kernel/lib/parse.h"

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
#define MMIO_CONFIG 0x100	/* any width */

#define MAGIC 0x74726976 /* "virt" */
#define VERSION_LEGACY 1
#define VERSION_MODERN 2

#define ALL_ONES UINT32_MAX
#define ISR_GONE 0xff

/* The interrupts that there are; a device that never tires is left after so many. */
#define ISR_KNOWN (VIRTIO_ISR_QUEUE | VIRTIO_ISR_CONFIG)
#define ISR_READS_MAX 16

/* A device's config needs no more than this, whatever a command line claims. */
#define WINDOW_MAX 4096

#define VIRTIO_MMIO_MAX 32

struct virtio_mmio {
	struct virtio_device device;
	struct irq_handler irq;
	struct virtio_mmio_place place;
	char *window;
};

static struct virtio_mmio devices[VIRTIO_MMIO_MAX];
static size_t device_count;

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
	return (size_t)mmio_of(device)->place.size - MMIO_CONFIG;
}

static uint32_t config_read32(struct virtio_device *device, size_t offset)
{
	const char *reg = mmio_of(device)->window + MMIO_CONFIG + offset;

	return mmio_read32(reg);
}

static void config_write32(struct virtio_device *device, size_t offset, uint32_t value)
{
	char *reg = mmio_of(device)->window + MMIO_CONFIG + offset;

	mmio_write32(reg, value);
}

static bool is_gone(struct virtio_device *device)
{
	return read_register(device, MMIO_MAGIC) != MAGIC;
}

/* Too large to be a size is as good as all ones: the device is gone. */
static uint16_t queue_size_max(struct virtio_device *device, uint16_t index)
{
	uint32_t max;

	write_register(device, MMIO_QUEUE_SEL, index);
	max = read_register(device, MMIO_QUEUE_NUM_MAX);
	return max < UINT16_MAX ? (uint16_t)max : UINT16_MAX;
}

static void queue_notify(struct virtio_device *device, struct virtq *queue)
{
	write_register(device, MMIO_QUEUE_NOTIFY,
		       virtio_has(device, VIRTIO_F_NOTIFICATION_DATA)
			       ? virtq_notification_data(queue)
			       : queue->index);
}

/*
 * Reading alone acknowledges nothing here (4.2.2.1). It goes on until nothing
 * is left: on a line that triggers by edge, an event that came between reading
 * and acknowledging would otherwise keep the line up, and it silent for good.
 */
static uint8_t read_isr(struct virtio_device *device)
{
	uint32_t seen = 0;

	for (unsigned i = 0; i < ISR_READS_MAX; i++) {
		uint32_t status = read_register(device, MMIO_INTERRUPT_STATUS);

		if (status == ALL_ONES)
			return ISR_GONE;
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

/* There is none (2.5.4): a field of four bytes is whole by its one access. */
static uint8_t legacy_generation(struct virtio_device *device)
{
	(void)device;
	return 0;
}

/*
 * 4.2.4.1: one page number for all three rings, `used` on the next page.
 * Unlike on legacy PCI the driver chooses the queue's size. The page size is
 * told each time, as it must be known before any queue is.
 */
static int legacy_queue_enable(struct virtio_device *device, struct virtq *queue)
{
	pfn_t pfn = paddr_to_pfn(virt_to_phys((const void *)(uintptr_t)queue->desc));

	if (pfn > UINT32_MAX) {
		log_warn("virtio: %s: queue %u lies too high for a legacy device", device->address,
			 queue->index);
		return -EINVAL;
	}
	write_register(device, MMIO_GUEST_PAGE_SIZE, FRAME_SIZE);
	write_register(device, MMIO_QUEUE_SEL, queue->index);
	if (read_register(device, MMIO_QUEUE_PFN) != 0)
		return -EIO; /* the device was reset: it cannot be in use */
	write_register(device, MMIO_QUEUE_NUM, queue->size);
	write_register(device, MMIO_QUEUE_ALIGN, FRAME_SIZE);
	write_register(device, MMIO_QUEUE_PFN, (uint32_t)pfn);
	return read_register(device, MMIO_QUEUE_PFN) == (uint32_t)pfn ? 0 : -EIO;
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

/* ---- Finding out what lies at a place ---- */

/* The line may be shared: the device is asked whether it was it. */
static bool handle_interrupt(struct irq_handler *handler)
{
	struct virtio_mmio *mmio = container_of(handler, struct virtio_mmio, irq);
	uint8_t isr = read_isr(&mmio->device);

	if (isr == ISR_GONE) {
		/* It cannot have been it; but whoever waits should look. */
		task_wake(&mmio->device.interrupts);
		return false;
	}
	if (isr == 0)
		return false;
	virtio_interrupt(&mmio->device, isr);
	return true;
}

static int refuse(const struct virtio_mmio *mmio, int err, const char *why)
{
	log_warn("virtio: %s: left alone: %s", mmio->device.address, why);
	return err;
}

/* Page 0 and what else cannot be read would be a fault. */
static int map_registers(struct virtio_mmio *mmio)
{
	struct virtio_mmio_place *place = &mmio->place;
	void *window;

	if (place->size <= MMIO_CONFIG)
		return refuse(mmio, -EINVAL, "too small for virtio registers");
	if (place->size > WINDOW_MAX)
		place->size = WINDOW_MAX;
	if (place->base < FRAME_SIZE || place->base % sizeof(uint32_t) != 0 ||
	    paging_map_device(place->base, place->size, &window))
		return refuse(mmio, -EINVAL, "no address for registers");
	mmio->window = window;
	return 0;
}

/* 4.2.2.2: magic, version and device id, in this order. 1: an empty place. */
static int identify(struct virtio_mmio *mmio)
{
	uint32_t version, id;

	if (read_register(&mmio->device, MMIO_MAGIC) != MAGIC)
		return refuse(mmio, -ENODEV, "no virtio device lies there");
	version = read_register(&mmio->device, MMIO_VERSION);
	if (version != VERSION_LEGACY && version != VERSION_MODERN)
		return refuse(mmio, -ENODEV, "of an unknown version");
	id = read_register(&mmio->device, MMIO_DEVICE_ID);
	if (id == 0)
		return 1;
	if (id > UINT16_MAX)
		return refuse(mmio, -ENODEV, "of an impossible type");
	mmio->device.type = (uint16_t)id;
	mmio->device.transport = version == VERSION_LEGACY ? &legacy_transport : &modern_transport;
	return 0;
}

static void connect_interrupt(struct virtio_mmio *mmio)
{
	struct virtio_device *device = &mmio->device;

	mmio->irq.handle = handle_interrupt;
	if (mmio->place.has_irq &&
	    irq_register_gsi(mmio->place.gsi, mmio->place.level, &mmio->irq) == 0) {
		snprintf(device->interrupts_by, sizeof(device->interrupts_by), "GSI %u",
			 (unsigned)mmio->place.gsi);
		return;
	}
	snprintf(device->interrupts_by, sizeof(device->interrupts_by), "nothing");
	if (mmio->place.has_irq)
		log_warn("virtio: %s: interrupt %u cannot be used: it will be polled",
			 device->address, (unsigned)mmio->place.gsi);
	else
		log_warn("virtio: %s: has no interrupt: it will be polled", device->address);
	mmio->place.has_irq = false;
}

static bool is_known(paddr_t base)
{
	for (size_t i = 0; i < device_count; i++)
		if (devices[i].place.base == base)
			return true;
	return false;
}

int virtio_mmio_add(const struct virtio_mmio_place *place)
{
	struct virtio_mmio *mmio = &devices[device_count];
	int err;

	if (is_known(place->base))
		return 0;
	if (device_count == VIRTIO_MMIO_MAX) {
		log_warn("virtio: more than %d devices in memory: the others are left alone",
			 VIRTIO_MMIO_MAX);
		return -ENOSPC;
	}
	memset(mmio, 0, sizeof(*mmio));
	mmio->place = *place;
	mmio->device.transport_data = mmio;
	snprintf(mmio->device.address, sizeof(mmio->device.address), "mmio@%llx",
		 (unsigned long long)place->base);
	err = map_registers(mmio);
	if (err == 0)
		err = identify(mmio);
	if (err != 0)
		return err < 0 ? err : 0;
	/* What the firmware did with it ends here, and no old interrupt is pending. */
	set_status(&mmio->device, 0);
	read_isr(&mmio->device);
	device_count++;
	virtio_register(&mmio->device);
	connect_interrupt(mmio);
	return 0;
}

void virtio_mmio_forget(void)
{
	for (size_t i = 0; i < device_count; i++) {
		if (devices[i].place.has_irq)
			irq_unregister_gsi(devices[i].place.gsi, &devices[i].irq);
		virtio_unregister(&devices[i].device);
	}
	device_count = 0;
}

/* ---- The command line ---- */

#define NUMBER_MAX 24

/* Cuts off what stands before `separator`, or all of it if that is 0. */
static int take_word(const char **text, char separator, char word[NUMBER_MAX])
{
	const char *end = separator ? strchr(*text, separator) : *text + strlen(*text);
	size_t length;

	if (end == NULL)
		return -EINVAL;
	length = (size_t)(end - *text);
	if (length >= NUMBER_MAX)
		return -EINVAL;
	memcpy(word, *text, length);
	word[length] = '\0';
	*text = separator ? end + 1 : end;
	return 0;
}

static int take_number(const char **text, char separator, uint64_t *value)
{
	char word[NUMBER_MAX];

	if (take_word(text, separator, word) || parse_u64(word, value))
		return -EINVAL;
	return 0;
}

static int take_size(const char **text, uint64_t *size)
{
	char word[NUMBER_MAX];

	if (take_word(text, '@', word))
		return -EINVAL;
	return parse_u64(word, size) && parse_size(word, size) ? -EINVAL : 0;
}

int virtio_mmio_parse(const char *text, struct virtio_mmio_place *place)
{
	uint64_t size, base, irq, id;
	const char *at = text;

	if (take_size(&at, &size) || take_number(&at, ':', &base))
		return -EINVAL;
	if (strchr(at, ':')) {
		if (take_number(&at, ':', &irq) || take_number(&at, '\0', &id))
			return -EINVAL;
	} else if (take_number(&at, '\0', &irq)) {
		return -EINVAL;
	}
	if (irq > UINT32_MAX)
		return -EINVAL;
	/* Nobody says how it is triggered. An edge serves devices of both kinds; see read_isr(). */
	*place = (struct virtio_mmio_place){
		.base = base, .size = size, .has_irq = true, .gsi = (uint32_t)irq, .level = false
	};
	return 0;
}
