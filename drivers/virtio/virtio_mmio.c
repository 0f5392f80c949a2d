/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Virtio devices whose registers lie at a place in memory (virtio 1.3, 4.2):
 * whether there is one, and its interrupt. The registers themselves are in
 * virtio_mmio_registers.c, the command line's form in virtio_mmio_parse.c.
 */
#include "drivers/virtio/virtio_mmio.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "arch/paging.h"
#include "drivers/virtio/virtio_mmio_internal.h"
#include "kernel/lib/log.h"

/* A device's config needs no more than this, whatever a command line claims. */
#define WINDOW_MAX 4096

#define VIRTIO_MMIO_MAX 32

_Static_assert(WINDOW_MAX > VIRTIO_MMIO_CONFIG, "there is a config in a window");

static struct virtio_mmio devices[VIRTIO_MMIO_MAX];
static size_t device_count;

static bool handle_interrupt(struct irq_handler *handler)
{
	return virtio_interrupt_shared(&container_of(handler, struct virtio_mmio, irq)->device);
}

static int refuse(const struct virtio_mmio *mmio, int err, const char *why)
{
	log_warn("virtio: %s: left alone: %s", mmio->device.address, why);
	return err;
}

/* Maps the place, if it can be one: page 0, or what is not memory, would be a fault. */
static int map_registers(struct virtio_mmio *mmio)
{
	struct virtio_mmio_place *place = &mmio->place;
	void *window;

	if (place->size <= VIRTIO_MMIO_CONFIG)
		return refuse(mmio, -EINVAL, "too small for virtio registers");
	place->size = min_u64(place->size, WINDOW_MAX);
	if (place->base < FRAME_SIZE || place->base % sizeof(uint32_t) != 0 ||
	    paging_map_device(place->base, place->size, &window))
		return refuse(mmio, -EINVAL, "no address for registers");
	mmio->window = window;
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

/* Makes the entry a device that nobody drives yet. 1: the place is empty. */
static int setup(struct virtio_mmio *mmio, const struct virtio_mmio_place *place)
{
	const char *why;
	int err;

	memset(mmio, 0, sizeof(*mmio));
	mmio->place = *place;
	mmio->device.transport_data = mmio;
	snprintf(mmio->device.address, sizeof(mmio->device.address), "mmio@%" PRIx64, place->base);
	err = map_registers(mmio);
	if (err)
		return err;
	err = virtio_mmio_identify(mmio, &why);
	if (err < 0)
		return refuse(mmio, err, why);
	if (err)
		return err;
	/* End whatever the firmware did with the device, and drop an old interrupt. */
	mmio->device.transport->set_status(&mmio->device, 0);
	mmio->device.transport->read_isr(&mmio->device);
	return 0;
}

int virtio_mmio_add(const struct virtio_mmio_place *place)
{
	int err;

	assert(device_count <= VIRTIO_MMIO_MAX);
	if (is_known(place->base))
		return 0;
	if (device_count == VIRTIO_MMIO_MAX) {
		log_warn("virtio: more than %d devices in memory: the others are left alone",
			 VIRTIO_MMIO_MAX);
		return -ENOSPC;
	}
	err = setup(&devices[device_count], place);
	if (err)
		return err < 0 ? err : 0;
	device_count++;
	virtio_register(&devices[device_count - 1].device);
	connect_interrupt(&devices[device_count - 1]);
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
