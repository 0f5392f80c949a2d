/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A simulated virtio device behind struct virtio_transport: status, features,
 * configuration, and (in sim_virtq.c) the device's side of virtqueues. What a device of
 * some type does is put on top by callbacks. It watches the driver: a step out
 * of order, a feature that was not offered or a bad chain is a violation, and
 * a test ends with assert_null(sim.violation).
 *
 * The device's registers are also there as functions, for tests that put
 * simulated PCI registers in front of it.
 */
#ifndef TESTS_SIM_SIM_VIRTIO_H
#define TESTS_SIM_SIM_VIRTIO_H

#include <limits.h>

#include "drivers/virtio/virtio_transport.h"
#include "drivers/virtio/virtq.h"
#include "drivers/virtio/virtq_internal.h"

#define SIM_VIRTIO_CONFIG_MAX 64
#define SIM_VIRTIO_CHAIN_MAX 64
#define SIM_VIRTIO_QUEUE_SIZE_MAX 1024
#define SIM_VIRTIO_STATUS_LOG 16
#define SIM_VIRTIO_FOR_EVER UINT_MAX

struct sim_virtio;

struct sim_virtio_queue {
	uint16_t size_max; /* 0: there is no such queue */
	/* As the driver said. */
	uint16_t size;
	bool enabled;
	paddr_t desc;
	paddr_t avail;
	paddr_t used;
	/* The device's own state. */
	uint16_t last_avail; /* split: a count; packed: a place in the ring */
	uint16_t used_idx;
	bool avail_wrap; /* packed: the wrap counters of those */
	bool used_wrap;
	bool own_event;				   /* it does not ask for every notification */
	uint16_t slots[SIM_VIRTIO_QUEUE_SIZE_MAX]; /* packed: of chains in flight, by id */
	uint64_t notified;			   /* notifications that arrived */
	/* Called at each notification; may be NULL. */
	void (*notify)(struct sim_virtio *sim, unsigned index);
};

struct sim_virtio {
	struct virtio_device device; /* what the driver sees */
	struct virtio_transport transport;
	uint64_t features;	  /* offered */
	uint64_t driver_features; /* as written by the driver */
	uint8_t status;
	uint8_t isr;
	uint8_t generation;
	uint8_t config[SIM_VIRTIO_CONFIG_MAX];
	size_t config_size;
	struct sim_virtio_queue queue[VIRTIO_QUEUES_MAX];
	const char *violation;			   /* the driver's first mistake, or NULL */
	uint8_t status_log[SIM_VIRTIO_STATUS_LOG]; /* the first values written */
	unsigned status_writes;

	/* How it misbehaves. */
	bool gone;	      /* reads as all ones, writes do nothing */
	bool refuse_features; /* FEATURES_OK does not stay */
	bool refuse_queues;   /* queue_enable() fails */
	unsigned slow_reset;  /* reads of the status before it is 0 */
	unsigned restless;    /* config reads after which it changes */

	/* Hooks of the device on top; NULL: nothing happens. */
	void (*on_config_write)(struct sim_virtio *sim, size_t offset);
	void (*on_reset)(struct sim_virtio *sim);
	/* Delivers the interrupt; at first it calls virtio_interrupt() at once. */
	void (*raise)(struct sim_virtio *sim);
	void *front; /* belongs to the registers in front of it */
};

/*
 * A device of this type, just switched on: queues 0 to `queues` - 1 of size
 * 128, no config. Nothing is registered with virtio_register().
 */
void sim_virtio_init(struct sim_virtio *sim, uint16_t type, bool legacy, uint64_t features,
		     unsigned queues);

/* Returns the simulated device of a virtio_device. */
struct sim_virtio *sim_virtio_of(struct virtio_device *device);

/* Remembers the driver's first mistake. */
void sim_virtio_violate(struct sim_virtio *sim, const char *what);

/* The registers. */
uint8_t sim_virtio_get_status(struct sim_virtio *sim);
void sim_virtio_set_status(struct sim_virtio *sim, uint8_t status);
uint64_t sim_virtio_get_features(struct sim_virtio *sim);
void sim_virtio_set_features(struct sim_virtio *sim, uint64_t features);
uint32_t sim_virtio_config_read(struct sim_virtio *sim, size_t offset, unsigned width);
void sim_virtio_config_write(struct sim_virtio *sim, size_t offset, unsigned width, uint32_t value);
void sim_virtio_enable(struct sim_virtio *sim, unsigned index, uint16_t size, paddr_t desc,
		       paddr_t avail, paddr_t used);
void sim_virtio_notify(struct sim_virtio *sim, unsigned index);
void sim_virtio_notify_data(struct sim_virtio *sim, uint32_t data);
uint8_t sim_virtio_read_isr(struct sim_virtio *sim);

/* The device changes its config: a le32 field; new generation, interrupt. */
void sim_virtio_set_config32(struct sim_virtio *sim, size_t offset, uint32_t value);
uint32_t sim_virtio_config32(const struct sim_virtio *sim, size_t offset);

/* Raises an interrupt of this kind (VIRTIO_ISR_*). */
void sim_virtio_interrupt(struct sim_virtio *sim, uint8_t isr);

/* The device asks to be reset (2.1.2). */
void sim_virtio_need_reset(struct sim_virtio *sim);

struct sim_virtio_chain {
	uint16_t head; /* packed: the buffer id */
	unsigned count;
	struct virtq_buffer buffer[SIM_VIRTIO_CHAIN_MAX];
};

/* Takes the next chain that the driver offers; false if there is none. */
bool sim_virtio_pop(struct sim_virtio *sim, unsigned index, struct sim_virtio_chain *chain);

/*
 * Returns a chain as used, and interrupts unless the driver asked not to.
 * `id` should be a chain's head; what it is, is not checked.
 */
void sim_virtio_push(struct sim_virtio *sim, unsigned index, uint32_t id, uint32_t written);

/* Writes the used index itself, whatever it was; split rings only. */
void sim_virtio_set_used_idx(struct sim_virtio *sim, unsigned index, uint16_t idx);

/* Sets or clears the device's wish for no notifications. */
void sim_virtio_set_no_notify(struct sim_virtio *sim, unsigned index, bool wanted);

/*
 * With EVENT_IDX: a notification is wanted for the `count`th chain (split) or
 * descriptor (packed) from now on, 1 being the next.
 */
void sim_virtio_notify_after(struct sim_virtio *sim, unsigned index, uint16_t count);

/* Finds in the rings where the driver's next chain will be, as in 2.9. */
uint16_t sim_virtio_next_available(const struct sim_virtio *sim, unsigned index);

#endif
