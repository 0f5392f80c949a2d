/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Requests to a virtio-mem device (virtio 1.3, 5.15.6) and their answers. Up to
 * VIRTIO_MEM_REQUESTS are on their way at a time, and come back in any order. Knows
 * nothing of frames: an answer is only checked for being one.
 */
#ifndef DRIVERS_MEM_VIRTIO_MEM_REQUEST_H
#define DRIVERS_MEM_VIRTIO_MEM_REQUEST_H

#include "drivers/virtio/virtq.h"
#include "kernel/lib/types.h"

/* struct virtio_mem_req's `type` (5.15.6). */
enum virtio_mem_type {
	VIRTIO_MEM_PLUG = 0,
	VIRTIO_MEM_UNPLUG = 1,
	VIRTIO_MEM_UNPLUG_ALL = 2,
	VIRTIO_MEM_STATE = 3,
};

/* struct virtio_mem_resp's `type`. */
enum virtio_mem_answer {
	VIRTIO_MEM_ACK = 0,
	VIRTIO_MEM_NACK = 1,
	VIRTIO_MEM_BUSY = 2,
	VIRTIO_MEM_ERROR = 3,
};

/* And its `state`. */
enum virtio_mem_state {
	VIRTIO_MEM_PLUGGED = 0,
	VIRTIO_MEM_UNPLUGGED = 1,
	VIRTIO_MEM_MIXED = 2,
};

/* So many are with the device at a time. */
#define VIRTIO_MEM_REQUESTS 8

struct virtio_mem_request {
	enum virtio_mem_type type;
	paddr_t start; /* both are 0 with UNPLUG_ALL */
	uint64_t bytes;
	enum virtio_mem_answer answer;
	enum virtio_mem_state state; /* if it was STATE, and was acknowledged */
};

/* All of it is private. */
struct virtio_mem_queue {
	struct virtq *virtq; /* in frames of its own; NULL: none */
	uint64_t block_size; /* the device's */
	pfn_t wire_frame;    /* what the device reads and writes; PFN_NONE: there is none */
	size_t count;	     /* requests with the device */
	struct {
		bool with_device;
		uint64_t sent_awake;
		struct virtio_mem_request request;
	} slot[VIRTIO_MEM_REQUESTS];
};

/*
 * Makes the device's queue, and room for requests, whose blocks have `block_size` bytes.
 * -ENODEV, -EINVAL, -ENOMEM, -EIO: as virtq_create(); -EINVAL: a request does not fit. On
 * an error, too, virtio_mem_queue_stop() comes once the device was reset.
 */
int virtio_mem_queue_start(struct virtio_mem_queue *queue, struct virtio_device *device,
			   uint64_t block_size);

/*
 * Forgets all requests, and gives back what virtio_mem_queue_start() made if the device was
 * reset; if not, another call may do so later.
 */
void virtio_mem_queue_stop(struct virtio_mem_queue *queue);

/* Stops the queue for good: a device that was not reset keeps the frames, and the log says so. */
void virtio_mem_queue_forsake(struct virtio_mem_queue *queue);

/* Tells whether one more request has room. */
bool virtio_mem_has_room(const struct virtio_mem_queue *queue);

/*
 * Adds a request; needs room. The device does not see it before virtio_mem_kick(). -EIO:
 * the queue is broken.
 */
int virtio_mem_send(struct virtio_mem_queue *queue, enum virtio_mem_type type, paddr_t start,
		    uint64_t bytes);

/*
 * Lets the device see what was added, and waits a moment for an answer: many give it at once.
 * Returns for how many ns nobody else could run.
 */
uint64_t virtio_mem_kick(struct virtio_mem_queue *queue);

/*
 * Takes an answer and its request: 1; 0: there is none now; -EIO: the device broke the
 * rules, or was reset.
 */
int virtio_mem_take(struct virtio_mem_queue *queue, struct virtio_mem_request *request);

/* Returns when the oldest request without an answer was sent; DEADLINE_NEVER: there is none. */
uint64_t virtio_mem_sent_awake(const struct virtio_mem_queue *queue);

#endif
