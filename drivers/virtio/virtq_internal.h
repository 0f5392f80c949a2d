/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What virtq.c and the two formats of rings share. Not for device drivers or
 * transports.
 */
#ifndef DRIVERS_VIRTIO_VIRTQ_INTERNAL_H
#define DRIVERS_VIRTIO_VIRTQ_INTERNAL_H

#include "drivers/virtio/virtq.h"

/*
 * A format. virtq.c has checked all arguments, and calls none of these on a
 * queue that is broken; barriers are its business where a comment says so.
 */
struct virtq_ops {
	/* Memory for the three areas, which init() gets zeroed. */
	size_t (*bytes)(uint16_t size);
	void (*init)(struct virtq *queue, uint8_t *memory);
	/* Fills an indirect table. */
	void (*fill_table)(void *table, const struct virtq_buffer *buffers, unsigned count);
	/*
	 * Puts a chain under the id free_head, and takes that and what else it
	 * needs off the chain of free ids. `flags` are for each descriptor.
	 */
	void (*put)(struct virtq *queue, const struct virtq_buffer *buffers, unsigned count,
		    uint16_t flags);
	/* Shows the device what was added; between a store and a full barrier. */
	void (*publish)(struct virtq *queue);
	/* Whether the device wants to hear of what was just published. */
	bool (*wants_notification)(const struct virtq *queue);
	bool (*has_used)(const struct virtq *queue);
	/* 1 and the id of a used chain, taken off the ring; 0; or -EIO by virtq_violation(). */
	int (*take_used)(struct virtq *queue, uint16_t *id, uint32_t *written);
	/* The last of the ids that the chain took; `id` itself if only one. */
	uint16_t (*last_id)(const struct virtq *queue, uint16_t id);
	/* Tells the device queue->interrupts; a full barrier follows. */
	void (*write_interrupts)(struct virtq *queue);
	/* The upper half of the notification data (2.9). */
	uint16_t (*next_available)(const struct virtq *queue);
};

extern const struct virtq_ops virtq_split_ops;
extern const struct virtq_ops virtq_packed_ops;

/* The queue and its device are broken; returns -EIO. */
int virtq_violation(struct virtq *queue, const char *why);

/* Whether the device may return this id: it is of a chain that was shown to it. */
static inline bool virtq_is_with_device(const struct virtq *queue, uint32_t id)
{
	return id < queue->size && queue->shadow[id].token != NULL &&
	       queue->shadow[id].kick < queue->kicks;
}

/*
 * 2.7.10: whether the step of an index from `old` to `now` passed by `event`,
 * all modulo 65536. The event itself is passed by the step from event to event + 1.
 */
static inline bool virtq_passed_event(uint16_t event, uint16_t now, uint16_t old)
{
	return (uint16_t)(now - event - 1) < (uint16_t)(now - old);
}

#endif
