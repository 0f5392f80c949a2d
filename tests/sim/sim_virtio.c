/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A simulated virtio device (virtio 1.3, chapter 2); see sim_virtio.h. It is
 * written from the specification's device side. The rings are in sim_virtq.c.
 */
#include "tests/sim/sim_virtio.h"

#include <errno.h>
#include <string.h>

#include "arch/paging.h"

#define SIM_QUEUE_SIZE 128

struct sim_virtio *sim_virtio_of(struct virtio_device *device)
{
	return container_of(device, struct sim_virtio, device);
}

void sim_virtio_violate(struct sim_virtio *sim, const char *what)
{
	if (!sim->violation)
		sim->violation = what;
}

static bool has(const struct sim_virtio *sim, unsigned bit)
{
	return sim->driver_features >> bit & 1;
}

static bool driver_ok(const struct sim_virtio *sim)
{
	return sim->status & VIRTIO_STATUS_DRIVER_OK;
}

static void reset(struct sim_virtio *sim)
{
	sim->status = 0;
	sim->isr = 0;
	sim->driver_features = 0;
	for (unsigned i = 0; i < VIRTIO_QUEUES_MAX; i++) {
		struct sim_virtio_queue *queue = &sim->queue[i];

		queue->enabled = false;
	}
	if (sim->on_reset)
		sim->on_reset(sim);
}

uint8_t sim_virtio_get_status(struct sim_virtio *sim)
{
	if (sim->gone)
		return 0xff;
	if (sim->slow_reset > 0 && sim->status_writes > 0 && sim->status == 0) {
		if (sim->slow_reset != SIM_VIRTIO_FOR_EVER)
			sim->slow_reset--;
		return VIRTIO_STATUS_ACKNOWLEDGE; /* not there yet */
	}
	return sim->status;
}

/* Checks which status a driver writes on top of which (3.1.1). */
static void check_status(struct sim_virtio *sim, uint8_t status)
{
	uint8_t ready = sim->transport.legacy ? VIRTIO_STATUS_DRIVER : VIRTIO_STATUS_FEATURES_OK;

	if (sim->status & ~status & (uint8_t)~VIRTIO_STATUS_NEEDS_RESET)
		sim_virtio_violate(sim, "a status bit was taken back");
	if ((status & VIRTIO_STATUS_DRIVER) && !(sim->status & VIRTIO_STATUS_ACKNOWLEDGE))
		sim_virtio_violate(sim, "DRIVER without ACKNOWLEDGE");
	if ((status & VIRTIO_STATUS_FEATURES_OK) && sim->transport.legacy)
		sim_virtio_violate(sim, "FEATURES_OK on a legacy device");
	if ((status & VIRTIO_STATUS_FEATURES_OK) && !(sim->status & VIRTIO_STATUS_DRIVER))
		sim_virtio_violate(sim, "FEATURES_OK without DRIVER");
	if ((status & VIRTIO_STATUS_DRIVER_OK) && !(sim->status & ready))
		sim_virtio_violate(sim, "DRIVER_OK too early");
}

static bool features_acceptable(const struct sim_virtio *sim)
{
	if (sim->refuse_features || (sim->driver_features & ~sim->features))
		return false;
	return sim->driver_features & VIRTIO_BIT(VIRTIO_F_VERSION_1);
}

void sim_virtio_set_status(struct sim_virtio *sim, uint8_t status)
{
	if (sim->status_writes < SIM_VIRTIO_STATUS_LOG)
		sim->status_log[sim->status_writes] = status;
	sim->status_writes++;
	if (sim->gone)
		return;
	if (status == 0) {
		reset(sim);
		return;
	}
	check_status(sim, status);
	if ((status & VIRTIO_STATUS_FEATURES_OK) && !features_acceptable(sim))
		status &= (uint8_t)~VIRTIO_STATUS_FEATURES_OK;
	sim->status = status | (sim->status & VIRTIO_STATUS_NEEDS_RESET);
}

uint64_t sim_virtio_get_features(struct sim_virtio *sim)
{
	uint64_t features = sim->gone ? UINT64_MAX : sim->features;

	if (!(sim->status & VIRTIO_STATUS_DRIVER))
		sim_virtio_violate(sim, "features were read before DRIVER");
	return sim->transport.legacy ? (uint32_t)features : features;
}

void sim_virtio_set_features(struct sim_virtio *sim, uint64_t features)
{
	if (sim->gone)
		return;
	if (features & ~sim->features)
		sim_virtio_violate(sim, "a feature that was not offered");
	if (sim->status & (VIRTIO_STATUS_FEATURES_OK | VIRTIO_STATUS_DRIVER_OK))
		sim_virtio_violate(sim, "features were written too late");
	sim->driver_features = features;
}

/* A config that will not hold still shows another value at each reading. */
uint32_t sim_virtio_config_read(struct sim_virtio *sim, size_t offset, unsigned width)
{
	uint32_t value = 0;

	if (sim->gone)
		return UINT32_MAX;
	if (offset + width > sim->config_size) {
		sim_virtio_violate(sim, "config read beyond its end");
		return UINT32_MAX;
	}
	memcpy(&value, sim->config + offset, width);
	if (sim->restless > 0) {
		if (sim->restless != SIM_VIRTIO_FOR_EVER)
			sim->restless--;
		sim->generation++;
		sim->config[offset]++;
	}
	return value;
}

void sim_virtio_config_write(struct sim_virtio *sim, size_t offset, unsigned width, uint32_t value)
{
	if (sim->gone)
		return;
	if (!(sim->status & VIRTIO_STATUS_DRIVER))
		sim_virtio_violate(sim, "config write before DRIVER");
	if (!sim->transport.legacy && !(sim->status & VIRTIO_STATUS_FEATURES_OK))
		sim_virtio_violate(sim, "config write before FEATURES_OK");
	if (offset + width > sim->config_size) {
		sim_virtio_violate(sim, "config write beyond its end");
		return;
	}
	memcpy(sim->config + offset, &value, width);
	if (sim->on_config_write)
		sim->on_config_write(sim, offset);
}

void sim_virtio_enable(struct sim_virtio *sim, unsigned index, uint16_t size, paddr_t desc,
		       paddr_t avail, paddr_t used)
{
	struct sim_virtio_queue *queue = &sim->queue[index];

	if (!sim->transport.legacy && !(sim->status & VIRTIO_STATUS_FEATURES_OK))
		sim_virtio_violate(sim, "a queue was made before FEATURES_OK");
	if (driver_ok(sim))
		sim_virtio_violate(sim, "a queue was made after DRIVER_OK");
	if (queue->enabled)
		sim_virtio_violate(sim, "a queue was made twice");
	if (size == 0 || size > queue->size_max)
		sim_virtio_violate(sim, "a queue of a bad size");
	if ((size & (size - 1)) != 0 && !has(sim, VIRTIO_F_RING_PACKED))
		sim_virtio_violate(sim, "a queue of a bad size");
	if (sim->transport.fixed_queue_size && size != queue->size_max)
		sim_virtio_violate(sim, "a legacy queue of another size");
	if (desc % 16 != 0 || avail % 2 != 0 || used % 4 != 0 ||
	    (has(sim, VIRTIO_F_RING_PACKED) && avail % 4 != 0))
		sim_virtio_violate(sim, "a ring that is not aligned");
	queue->size = size;
	queue->desc = desc;
	queue->avail = avail;
	queue->used = used;
	queue->last_avail = 0;
	queue->used_idx = 0;
	queue->avail_wrap = true;
	queue->used_wrap = true;
	queue->own_event = false;
	memset(queue->slots, 0, sizeof(queue->slots));
	queue->enabled = true;
}

static void notify(struct sim_virtio *sim, unsigned index)
{
	if (sim->gone)
		return;
	if (index >= VIRTIO_QUEUES_MAX || !sim->queue[index].enabled) {
		sim_virtio_violate(sim, "a notification for no queue");
		return;
	}
	if (!driver_ok(sim))
		sim_virtio_violate(sim, "a notification before DRIVER_OK");
	sim->queue[index].notified++;
	if (sim->queue[index].notify)
		sim->queue[index].notify(sim, index);
}

void sim_virtio_notify(struct sim_virtio *sim, unsigned index)
{
	if (!sim->gone && has(sim, VIRTIO_F_NOTIFICATION_DATA))
		sim_virtio_violate(sim, "a notification without its data");
	notify(sim, index);
}

void sim_virtio_notify_data(struct sim_virtio *sim, uint32_t data)
{
	unsigned index = data & 0xffff;

	if (sim->gone)
		return;
	if (!has(sim, VIRTIO_F_NOTIFICATION_DATA))
		sim_virtio_violate(sim, "notification data without the feature");
	if (index < VIRTIO_QUEUES_MAX && sim->queue[index].enabled &&
	    data >> 16 != sim_virtio_next_available(sim, index))
		sim_virtio_violate(sim, "notification data that names another place");
	notify(sim, index);
}

uint8_t sim_virtio_read_isr(struct sim_virtio *sim)
{
	uint8_t isr = sim->gone ? 0xff : sim->isr;

	sim->isr = 0;
	return isr;
}

void sim_virtio_set_config32(struct sim_virtio *sim, size_t offset, uint32_t value)
{
	memcpy(sim->config + offset, &value, sizeof(value));
	sim->generation++;
	if (driver_ok(sim))
		sim_virtio_interrupt(sim, VIRTIO_ISR_CONFIG);
}

uint32_t sim_virtio_config32(const struct sim_virtio *sim, size_t offset)
{
	uint32_t value;

	memcpy(&value, sim->config + offset, sizeof(value));
	return value;
}

void sim_virtio_interrupt(struct sim_virtio *sim, uint8_t isr)
{
	if (sim->gone)
		return;
	sim->isr |= isr;
	if (sim->raise)
		sim->raise(sim);
}

void sim_virtio_need_reset(struct sim_virtio *sim)
{
	sim->status |= VIRTIO_STATUS_NEEDS_RESET;
	sim_virtio_interrupt(sim, VIRTIO_ISR_CONFIG);
}

/* The transport: nothing but the registers above. */

static uint8_t transport_get_status(struct virtio_device *device)
{
	return sim_virtio_get_status(sim_virtio_of(device));
}

static void transport_set_status(struct virtio_device *device, uint8_t status)
{
	sim_virtio_set_status(sim_virtio_of(device), status);
}

static uint64_t transport_get_features(struct virtio_device *device)
{
	return sim_virtio_get_features(sim_virtio_of(device));
}

static void transport_set_features(struct virtio_device *device, uint64_t features)
{
	sim_virtio_set_features(sim_virtio_of(device), features);
}

static size_t transport_config_size(struct virtio_device *device)
{
	return sim_virtio_of(device)->config_size;
}

static uint32_t transport_config_read32(struct virtio_device *device, size_t offset)
{
	return sim_virtio_config_read(sim_virtio_of(device), offset, sizeof(uint32_t));
}

static void transport_config_write32(struct virtio_device *device, size_t offset, uint32_t value)
{
	sim_virtio_config_write(sim_virtio_of(device), offset, sizeof(value), value);
}

static uint8_t transport_config_generation(struct virtio_device *device)
{
	struct sim_virtio *sim = sim_virtio_of(device);

	return sim->transport.legacy ? 0 : sim->generation;
}

static uint16_t transport_queue_size_max(struct virtio_device *device, uint16_t index)
{
	struct sim_virtio *sim = sim_virtio_of(device);

	return sim->gone ? UINT16_MAX : sim->queue[index].size_max;
}

static int transport_queue_enable(struct virtio_device *device, struct virtq *queue)
{
	struct sim_virtio *sim = sim_virtio_of(device);

	if (sim->refuse_queues || sim->gone)
		return -EIO;
	sim_virtio_enable(sim, queue->index, queue->size,
			  virt_to_phys((const void *)(uintptr_t)queue->desc),
			  virt_to_phys((const void *)(uintptr_t)queue->avail),
			  virt_to_phys((const void *)(uintptr_t)queue->used));
	return 0;
}

static void transport_queue_notify(struct virtio_device *device, struct virtq *queue)
{
	if (virtio_has(device, VIRTIO_F_NOTIFICATION_DATA))
		sim_virtio_notify_data(sim_virtio_of(device), virtq_notification_data(queue));
	else
		sim_virtio_notify(sim_virtio_of(device), queue->index);
}

static uint8_t transport_read_isr(struct virtio_device *device)
{
	return sim_virtio_read_isr(sim_virtio_of(device));
}

static const struct virtio_transport sim_transport = {
	.name = "simulated",
	.features = VIRTIO_BIT(VIRTIO_F_NOTIFICATION_DATA),
	.get_status = transport_get_status,
	.set_status = transport_set_status,
	.get_features = transport_get_features,
	.set_features = transport_set_features,
	.config_size = transport_config_size,
	.config_read32 = transport_config_read32,
	.config_write32 = transport_config_write32,
	.config_generation = transport_config_generation,
	.queue_size_max = transport_queue_size_max,
	.queue_enable = transport_queue_enable,
	.queue_notify = transport_queue_notify,
	.read_isr = transport_read_isr,
};

static void raise_at_once(struct sim_virtio *sim)
{
	virtio_interrupt(&sim->device, sim_virtio_read_isr(sim));
}

void sim_virtio_init(struct sim_virtio *sim, uint16_t type, bool legacy, uint64_t features,
		     unsigned queues)
{
	memset(sim, 0, sizeof(*sim));
	sim->transport = sim_transport;
	sim->transport.legacy = legacy;
	sim->transport.fixed_queue_size = legacy;
	sim->device.transport = &sim->transport;
	sim->device.type = type;
	memcpy(sim->device.address, "simulated", sizeof("simulated"));
	sim->features = features;
	sim->raise = raise_at_once;
	for (unsigned i = 0; i < queues; i++)
		sim->queue[i].size_max = SIM_QUEUE_SIZE;
}
