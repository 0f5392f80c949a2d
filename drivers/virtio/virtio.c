/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Virtio devices above the transport (virtio 1.3): the list of devices and that
 * of drivers, status and features (2.1, 2.2), the order of initialisation
 * (3.1.1), access to the device's configuration (2.5). Knows no bus and no
 * queue's inside; every wait here has a deadline.
 */
#include "drivers/virtio/virtio.h"

#include <assert.h>
#include <errno.h>

#include "arch/clock.h"
#include "arch/cpu.h"
#include "arch/irq.h"
#include "drivers/virtio/virtio_events.h"
#include "drivers/virtio/virtio_transport.h"
#include "kernel/lib/log.h"

/* Every register of a device that was pulled out reads as this. */
#define STATUS_ALL_ONES 0xff

/* A reset is mostly immediate: only after this is the CPU left to others. */
#define RESET_SPIN_NS (100 * NS_PER_US)
#define RESET_POLL_NS NS_PER_MS

/* A config that still changes after so many reads is taken as it is. */
#define CONFIG_READS_MAX 64

_Static_assert(VIRTIO_ISR_GONE & ~(VIRTIO_ISR_QUEUE | VIRTIO_ISR_CONFIG),
	       "no interrupt is all ones");
_Static_assert(RESET_SPIN_NS < VIRTIO_DEADLINE_NS, "a reset can take longer than its spin");
_Static_assert(RESET_POLL_NS < CLOCK_AWAKE_STEP_NS, "all of a wait is seen");

EVENTS_DEFINE(virtio, VIRTIO_EVENTS);

static struct virtio_device *first_device;
static struct virtio_driver *first_driver;
static uint64_t lives; /* of all devices, so that no number comes twice */

/* ---- Devices and drivers ---- */

struct virtio_device *virtio_devices(void)
{
	return first_device;
}

static int probe_device(struct virtio_driver *driver, struct virtio_device *device)
{
	int err = driver->probe(device);

	device->driver = err ? NULL : driver;
	return err;
}

static void list_driver(struct virtio_driver *driver)
{
	struct virtio_driver **link = &first_driver;

	while (*link && *link != driver)
		link = &(*link)->next;
	if (*link == driver)
		return;
	driver->next = NULL;
	*link = driver;
}

int virtio_register_driver(struct virtio_driver *driver)
{
	int first_err = -ENODEV;

	assert(driver->probe && driver->remove);
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

const struct virtio_driver *virtio_find_driver(uint16_t type)
{
	const struct virtio_driver *driver = first_driver;

	while (driver && driver->type != type)
		driver = driver->next;
	return driver;
}

void virtio_register(struct virtio_device *device)
{
	struct virtio_device **link = &first_device;

	assert(device->type != 0); /* the transport has seen that something is there */
	for (; *link; link = &(*link)->next)
		assert(*link != device);
	device->next = NULL;
	*link = device;
	for (struct virtio_driver *driver = first_driver; driver; driver = driver->next)
		if (driver->type == device->type)
			probe_device(driver, device);
}

void virtio_unregister(struct virtio_device *device)
{
	struct virtio_device **link = &first_device;

	if (device->driver)
		device->driver->remove(device);
	device->driver = NULL;
	while (*link && *link != device)
		link = &(*link)->next;
	if (*link)
		*link = device->next;
}

struct virtio_device *virtio_find(uint16_t type)
{
	struct virtio_device *device = first_device;

	while (device && device->type != type)
		device = device->next;
	return device;
}

/* ---- Reset ---- */

static bool is_gone(struct virtio_device *device, uint8_t status)
{
	const struct virtio_transport *transport = device->transport;

	if (device->gone)
		return true;
	return status == STATUS_ALL_ONES && (!transport->is_gone || transport->is_gone(device));
}

static int reset(struct virtio_device *device, bool may_sleep)
{
	uint64_t start_awake = clock_awake_ns();

	/* It forgets its queues: nothing comes out of them any more. */
	device->life = ++lives;
	device->distrusted = false;
	device->transport->set_status(device, 0);
	for (;;) {
		/* The time before the status: what came meanwhile is seen before it is judged. */
		uint64_t waited = clock_awake_ns() - start_awake;
		uint8_t status = device->transport->get_status(device);

		if (status == 0) {
			virtio_event(VIRTIO_EVENT_RESET, device->type, waited / NS_PER_US);
			return 0;
		}
		if (is_gone(device, status))
			return -EIO;
		if (waited >= VIRTIO_DEADLINE_NS)
			return -ETIMEDOUT;
		if (!may_sleep || waited < RESET_SPIN_NS)
			cpu_relax();
		else
			task_sleep_until(clock_ns() + RESET_POLL_NS);
	}
}

int virtio_reset(struct virtio_device *device)
{
	return reset(device, true);
}

int virtio_reset_here(struct virtio_device *device)
{
	return reset(device, false);
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

/* ---- The order of initialisation ---- */

/* 2.1.1, 3.1.1: the device may know that we have given up. */
static void set_failed(struct virtio_device *device)
{
	uint8_t status = device->transport->get_status(device);

	if (status != STATUS_ALL_ONES)
		device->transport->set_status(device, status | VIRTIO_STATUS_FAILED);
}

/* Marks a device whose initialisation failed; returns `err`. */
static int fail_device(struct virtio_device *device, int err, const char *why)
{
	assert(err < 0);
	set_failed(device);
	device->accepted = 0;
	device->broken = why;
	log_warn("virtio: %s: %s", device->address, why);
	virtio_event(VIRTIO_EVENT_REFUSED, device->type, (uint64_t)-err);
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
	allowed = virtio_features_allowed(allowed, transport->features) & ~device->declined;
	device->accepted = device->offered & allowed;
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
	if (err)
		return fail_device(device, err, "does not finish its reset");
	if (transport->after_reset)
		transport->after_reset(device);
	device->config_changed = false;
	device->generation = transport->config_generation(device);
	device->generation_moves = false;
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

	assert(device->queue_count > 0 && device->queue_count <= VIRTIO_QUEUES_MAX);
	assert(!(device->accepted & ~device->offered));
	if (!transport->legacy)
		status |= VIRTIO_STATUS_FEATURES_OK;
	transport->set_status(device, status);
	virtio_event(VIRTIO_EVENT_STARTED, device->type, device->accepted);
	/*
	 * An interrupt status left over from before would keep INTx asserted
	 * (or, on an edge, silent for ever): it is read here once, and what it
	 * says is not lost.
	 */
	flags = irq_save();
	isr = transport->read_isr(device);
	if (isr)
		virtio_interrupt(device, isr);
	irq_restore(flags);
}

/* ---- The end ---- */

void virtio_distrust(struct virtio_device *device, const char *why)
{
	assert(why);
	if (device->broken)
		return;
	device->broken = why;
	device->distrusted = true;
	device->life = ++lives;
	virtio_event(VIRTIO_EVENT_BROKEN, device->type, 0);
	set_failed(device);
}

void virtio_break(struct virtio_device *device, const char *why)
{
	int err;

	virtio_distrust(device, why);
	if (!device->distrusted)
		return;
	/* Reset it all the same: only then does it leave our memory alone. */
	err = virtio_reset(device);
	log_warn("virtio: %s: broken: %s%s%s", device->address, device->broken,
		 err == -ETIMEDOUT ? "; and it does not finish its reset" : "",
		 device->driver && device->driver->remedy ? device->driver->remedy : "");
}

void virtio_gone(struct virtio_device *device)
{
	virtio_event(VIRTIO_EVENT_GONE, device->type, 0);
	device->broken = "gone";
	device->gone = true;
	device->life = 0;
	task_wake(&device->interrupts);
}

/* ---- Its configuration ---- */

bool virtio_config_has(struct virtio_device *device, size_t offset, size_t width)
{
	size_t size = device->transport->config_size(device);

	return size >= width && offset <= size - width;
}

/* Reads one or two words, or 0 if they lie beyond the config. */
static uint64_t config_read(struct virtio_device *device, size_t offset, size_t words)
{
	const struct virtio_transport *transport = device->transport;
	uint64_t value = 0;
	uint8_t before;

	if (!virtio_config_has(device, offset, words * sizeof(uint32_t)))
		return 0;
	assert(offset % sizeof(uint32_t) == 0);
	for (unsigned i = 0; i < CONFIG_READS_MAX; i++) {
		before = transport->config_generation(device);
		value = transport->config_read32(device, offset);
		if (words == 2)
			value |= (uint64_t)transport->config_read32(device, offset + 4) << 32;
		if (transport->config_generation(device) == before)
			break;
	}
	return value;
}

uint32_t virtio_config_read32(struct virtio_device *device, size_t offset)
{
	return (uint32_t)config_read(device, offset, 1);
}

uint64_t virtio_config_read64(struct virtio_device *device, size_t offset)
{
	return config_read(device, offset, 2);
}

void virtio_config_write32(struct virtio_device *device, size_t offset, uint32_t value)
{
	if (!virtio_config_has(device, offset, sizeof(value)))
		return;
	assert(offset % sizeof(value) == 0);
	device->transport->config_write32(device, offset, value);
}

bool virtio_config_has_moved(struct virtio_device *device)
{
	uint8_t before = device->generation;

	device->generation = device->transport->config_generation(device);
	if (device->generation == before)
		return false;
	device->generation_moves = true;
	return true;
}

bool virtio_config_is_new(struct virtio_device *device)
{
	bool moved = virtio_config_has_moved(device);

	return moved || device->transport->legacy ||
	       !(device->shared_interrupt || device->generation_moves);
}

/* ---- Interrupts ---- */

void virtio_interrupt(struct virtio_device *device, uint8_t isr)
{
	device->interrupt_count++;
	if (isr & VIRTIO_ISR_CONFIG)
		device->config_changed = true;
	task_wake(&device->interrupts);
}

/* Reading the status also makes the device let go of the line (4.1.4.5). */
bool virtio_interrupt_shared(struct virtio_device *device)
{
	uint8_t isr = device->transport->read_isr(device);

	if (isr == VIRTIO_ISR_GONE) {
		/* It cannot have been this device; but a task that waits should look. */
		task_wake(&device->interrupts);
		return false;
	}
	if (!isr)
		return false;
	virtio_interrupt(device, isr);
	return true;
}
