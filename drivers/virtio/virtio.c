/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Virtio devices above the transport (virtio 1.3): the list of devices, status
 * and features (2.1, 2.2), the order of initialisation (3.1.1), access to the
 * device's configuration (2.5). Knows no bus; every wait here has a deadline.
 */
#include "drivers/virtio/virtio.h"

#include <errno.h>

#include "arch/clock.h"
#include "arch/cpu.h"
#include "arch/irq.h"
#include "drivers/virtio/virtq.h"
#include "kernel/lib/log.h"

/* What every register of a function that is not there any more reads as. */
#define STATUS_ALL_ONES 0xff

/* A reset is mostly immediate: only after this is the CPU left to others. */
#define RESET_SPIN_NS (100 * NS_PER_US)

/* A config that still changes after so many reads is taken as it is. */
#define CONFIG_READS_MAX 64

static struct virtio_device *first_device;
static struct virtio_driver *first_driver;

struct virtio_device *virtio_devices(void)
{
	return first_device;
}

static int probe_device(struct virtio_driver *driver, struct virtio_device *device)
{
	int err = driver->probe(device);

	device->driver = err == 0 ? driver : NULL;
	return err;
}

static void list_driver(struct virtio_driver *driver)
{
	struct virtio_driver **link = &first_driver;

	while (*link != NULL && *link != driver)
		link = &(*link)->next;
	if (*link == driver)
		return;
	driver->next = NULL;
	*link = driver;
}

int virtio_register_driver(struct virtio_driver *driver)
{
	int first_err = -ENODEV;

	list_driver(driver);
	for (struct virtio_device *device = first_device; device; device = device->next) {
		int err;

		if (device->type != driver->type)
			continue;
		err = probe_device(driver, device);
		if (first_err == -ENODEV)
			first_err = err;
	}
	return first_err;
}

void virtio_register(struct virtio_device *device)
{
	struct virtio_device **link = &first_device;

	while (*link != NULL)
		link = &(*link)->next;
	device->next = NULL;
	*link = device;
	for (struct virtio_driver *driver = first_driver; driver; driver = driver->next)
		if (driver->type == device->type)
			probe_device(driver, device);
}

void virtio_unregister(struct virtio_device *device)
{
	struct virtio_device **link = &first_device;

	if (device->driver != NULL)
		device->driver->remove(device);
	device->driver = NULL;
	while (*link != NULL && *link != device)
		link = &(*link)->next;
	if (*link != NULL)
		*link = device->next;
}

struct virtio_device *virtio_find(uint16_t type)
{
	struct virtio_device *device = first_device;

	while (device != NULL && device->type != type)
		device = device->next;
	return device;
}

static bool is_gone(struct virtio_device *device, uint8_t status)
{
	const struct virtio_transport *transport = device->transport;

	if (device->gone)
		return true;
	return status == STATUS_ALL_ONES && (!transport->is_gone || transport->is_gone(device));
}

/* A reset device has forgotten its queues: nothing comes out of them any more. */
static void break_queues(struct virtio_device *device)
{
	for (size_t i = 0; i < VIRTIO_QUEUES_MAX; i++)
		if (device->queue[i] != NULL)
			device->queue[i]->broken = true;
}

int virtio_reset(struct virtio_device *device)
{
	uint64_t start = clock_ns();
	uint64_t now = start;

	break_queues(device);
	device->transport->set_status(device, 0);
	for (;;) {
		uint8_t status = device->transport->get_status(device);

		if (status == 0)
			return 0;
		if (is_gone(device, status))
			return -EIO;
		now = clock_ns();
		if (now - start >= VIRTIO_DEADLINE_NS)
			return -ETIMEDOUT;
		if (now - start < RESET_SPIN_NS)
			cpu_relax();
		else
			task_sleep_until(now + NS_PER_MS);
	}
}

/* 2.1.1, 3.1.1: the device may know that we have given up. */
static void set_failed(struct virtio_device *device)
{
	uint8_t status = device->transport->get_status(device);

	if (status != STATUS_ALL_ONES)
		device->transport->set_status(device, status | VIRTIO_STATUS_FAILED);
}

/* A device that initialisation failed on; the caller passes `err` on. */
static int fail_device(struct virtio_device *device, int err, const char *why)
{
	set_failed(device);
	device->accepted = 0;
	device->broken = why;
	log_warn("virtio: %s: %s", device->address, why);
	return err;
}

/* Steps 4 to 6 (3.1.1): on a legacy device there is only the first half of 4. */
static int negotiate_features(struct virtio_device *device, uint64_t allowed)
{
	const struct virtio_transport *transport = device->transport;
	uint8_t status = VIRTIO_STATUS_ACKNOWLEDGE | VIRTIO_STATUS_DRIVER;

	device->offered = transport->get_features(device);
	if (transport->get_status(device) == STATUS_ALL_ONES)
		return fail_device(device, -EIO, "all registers read as ones");
	device->accepted = device->offered & virtio_features_allowed(device, allowed);
	if (!transport->legacy && !virtio_has(device, VIRTIO_F_VERSION_1))
		return fail_device(device, -ENOTSUP, "does not offer VERSION_1");
	transport->set_features(device, device->accepted);
	if (transport->legacy)
		return 0;
	transport->set_status(device, status | VIRTIO_STATUS_FEATURES_OK);
	status = transport->get_status(device);
	if (status == STATUS_ALL_ONES)
		return fail_device(device, -EIO, "all registers read as ones");
	if (!(status & VIRTIO_STATUS_FEATURES_OK))
		return fail_device(device, -ENOTSUP, "refuses our choice of features");
	return 0;
}

int virtio_negotiate(struct virtio_device *device, uint64_t allowed)
{
	const struct virtio_transport *transport = device->transport;
	int err;

	device->broken = NULL;
	device->offered = 0;
	device->accepted = 0;
	err = virtio_reset(device);
	if (err == -EIO)
		return fail_device(device, err, "gone: all registers read as ones");
	if (err != 0)
		return fail_device(device, err, "does not finish its reset");
	if (transport->after_reset != NULL)
		transport->after_reset(device);
	device->config_changed = false;
	device->generation = -1;
	transport->set_status(device, VIRTIO_STATUS_ACKNOWLEDGE);
	transport->set_status(device, VIRTIO_STATUS_ACKNOWLEDGE | VIRTIO_STATUS_DRIVER);
	return negotiate_features(device, allowed);
}

void virtio_ready(struct virtio_device *device)
{
	const struct virtio_transport *transport = device->transport;
	uint8_t status = VIRTIO_STATUS_ACKNOWLEDGE | VIRTIO_STATUS_DRIVER | VIRTIO_STATUS_DRIVER_OK;
	uint64_t flags;
	uint8_t isr;

	if (!transport->legacy)
		status |= VIRTIO_STATUS_FEATURES_OK;
	transport->set_status(device, status);
	/*
	 * An interrupt status left over from before would keep INTx asserted
	 * (or, on an edge, silent for good): it is read here once, and what it
	 * says is not lost.
	 */
	flags = irq_save();
	isr = transport->read_isr(device);
	if (isr != 0)
		virtio_interrupt(device, isr);
	irq_restore(flags);
}

void virtio_break(struct virtio_device *device, const char *why)
{
	int err;

	if (device->broken != NULL)
		return;
	device->broken = why;
	set_failed(device);
	/* Reset all the same: only then does it leave our memory alone. */
	err = virtio_reset(device);
	log_warn("virtio: %s: broken: %s%s", device->address, why,
		 err == -ETIMEDOUT ? "; and it does not finish its reset" : "");
}

void virtio_gone(struct virtio_device *device)
{
	device->broken = "gone";
	device->gone = true;
	break_queues(device);
	task_wake(&device->interrupts);
}

bool virtio_is_reset(struct virtio_device *device)
{
	uint8_t status = device->transport->get_status(device);

	return status == 0 || is_gone(device, status);
}

bool virtio_needs_reset(struct virtio_device *device)
{
	uint8_t status = device->transport->get_status(device);

	return status == STATUS_ALL_ONES || (status & VIRTIO_STATUS_NEEDS_RESET);
}

bool virtio_config_has(struct virtio_device *device, size_t offset, size_t width)
{
	size_t size = device->transport->config_size(device);

	return size >= width && offset <= size - width;
}

uint32_t virtio_config_read32(struct virtio_device *device, size_t offset)
{
	const struct virtio_transport *transport = device->transport;
	uint32_t value = 0;
	uint8_t before;

	if (!virtio_config_has(device, offset, sizeof(value)))
		return 0;
	for (unsigned i = 0; i < CONFIG_READS_MAX; i++) {
		before = transport->config_generation(device);
		value = transport->config_read32(device, offset);
		if (transport->config_generation(device) == before)
			break;
	}
	return value;
}

void virtio_config_write32(struct virtio_device *device, size_t offset, uint32_t value)
{
	if (virtio_config_has(device, offset, sizeof(value)))
		device->transport->config_write32(device, offset, value);
}

bool virtio_config_is_new(struct virtio_device *device)
{
	int before = device->generation;

	device->generation = device->transport->config_generation(device);
	return !device->shared_interrupt || device->transport->legacy ||
	       device->generation != before;
}

void virtio_interrupt(struct virtio_device *device, uint8_t isr)
{
	device->interrupt_count++;
	if (isr & VIRTIO_ISR_CONFIG)
		device->config_changed = true;
	task_wake(&device->interrupts);
}
