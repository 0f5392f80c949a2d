/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A virtqueue in either of its two formats: split (virtio 1.3, 2.7) or packed
 * (2.8), whichever was negotiated; a device driver does not notice which. The
 * rings lie in frames of owner `virtqueues`, which the device can write at any
 * time. So whatever decides about memory is kept in private shadows and never
 * read back.
 *
 * A device that returns what is not with it breaks itself: from then on the
 * queue gives -EIO and is not looked at.
 *
 * Not for use in interrupts.
 */
#ifndef DRIVERS_VIRTIO_VIRTQ_H
#define DRIVERS_VIRTIO_VIRTQ_H

#include "drivers/virtio/virtio.h"
#include "kernel/lib/types.h"

struct virtq_avail;
struct virtq_desc;
struct virtq_event;
struct virtq_ops;
struct virtq_packed_desc;
struct virtq_used;

/* Our limit, as large as a balloon's largest queue: a legacy device allows no smaller size. */
#define VIRTQ_SIZE_MAX 1024

/* A piece of memory for the device: read by it, or written. */
struct virtq_buffer {
	paddr_t address;
	uint32_t length;
	bool device_writes;
};

/* A device driver reads `size`, `free_count` and `in_flight`, and writes nothing. */
struct virtq {
	struct virtio_device *device;
	const struct virtq_ops *ops; /* the format */
	uint64_t life;		     /* that of the device it was made in; 0: it is broken */
	uint16_t index;
	uint16_t size;	/* descriptors; a power of two if split */
	bool event_idx; /* EVENT_IDX was accepted */
	/*
	 * The three areas (2.6), of which transports tell the device: in the
	 * first name of each pair if split, in the second if packed.
	 */
	union {
		volatile struct virtq_desc *desc;	   /* the driver writes it */
		volatile struct virtq_packed_desc *packed; /* both write it */
	};
	union {
		volatile struct virtq_avail *avail;	   /* the driver writes it */
		volatile struct virtq_event *driver_event; /* the driver writes it */
	};
	union {
		volatile struct virtq_used *used;	   /* the device writes it */
		volatile struct virtq_event *device_event; /* the device writes it */
	};
	void *tables;	       /* a frame of indirect tables, or NULL */
	uint32_t tables_taken; /* a bit for each */
	uint16_t free_head;    /* of the free ids, linked by shadow[].next */
	uint16_t free_count;   /* free descriptors */
	uint16_t in_flight;    /* chains added and not yet taken back */
	uint16_t added;	       /* since the last kick: chains if split, descriptors if packed */
	uint16_t avail_idx;    /* split: shadow of avail->idx; packed: next descriptor to fill */
	uint16_t last_used;    /* split: used entries taken; packed: next descriptor to look at */
	bool avail_wrap;       /* packed: the wrap counters of those two (2.8.1) */
	bool used_wrap;
	uint16_t held_flags; /* packed: of the first descriptor added since the last kick */
	bool interrupts;     /* the device should interrupt when it has used a buffer */
	uint64_t kicks;
	struct {
		void *token;	/* of a chain in flight, at its id; else NULL */
		uint64_t kick;	/* `kicks` when it was added */
		uint16_t next;	/* next id in the list of free ones, or of a split chain */
		uint16_t chain; /* descriptors it takes in the ring */
		int8_t table;	/* its indirect table; -1: none */
	} shadow[VIRTQ_SIZE_MAX];
	uint64_t notifications; /* sent since it was made */
	void *notify;		/* the transport's */
};

/*
 * Tells whether the queue is dead: the device broke the rules, was reset or pulled out
 * since the queue was made, or the queue was never made.
 */
static inline bool virtq_is_broken(const struct virtq *queue)
{
	return !queue->life || queue->life != queue->device->life;
}

/*
 * Makes queue `index` of a device that was negotiated, of its largest size up to
 * VIRTQ_SIZE_MAX, in the format that was accepted, and enables it. -ENODEV: the
 * device has no such queue; -EINVAL: a split queue's size is no power of two, or
 * a legacy device insists on more than VIRTQ_SIZE_MAX, or the transport cannot
 * tell the device where it is; -ENOMEM: no frames; -EIO: the device is gone or
 * does not enable the queue.
 */
int virtq_create(struct virtio_device *device, uint16_t index, struct virtq *queue);

/*
 * Gives the rings back; nothing happens to a queue that was not made. The device
 * must have been reset: if it does not say so, their frames stay with it, and
 * the log says that.
 */
void virtq_destroy(struct virtq *queue);

/* As many buffers as an indirect table holds (2.7.5.3, 2.8.8). */
#define VIRTQ_TABLE_ENTRIES 32

/*
 * Offers `count` buffers as one chain: first those that the device reads, then
 * those that it writes. `token` (not NULL) comes back with the used entry. The
 * device does not see the chain before virtq_kick(). With INDIRECT_DESC, 2 to
 * VIRTQ_TABLE_ENTRIES buffers take one descriptor as long as there are tables; `free_count` of them
 * always fit. -ENOSPC: too few descriptors; -EIO: the queue is broken; -EINVAL:
 * no buffer or no token.
 */
int virtq_add(struct virtq *queue, const struct virtq_buffer *buffers, unsigned count, void *token);

/*
 * Publishes what was added and notifies the device unless it asked not to be.
 * Nothing happens if nothing was added since the last time.
 */
void virtq_kick(struct virtq *queue);

/* Notifies the device of what it has already; for one that may have forgotten. */
void virtq_remind(struct virtq *queue);

/*
 * Takes the next used chain. Returns 1 and its token; 0: there is none; -EIO: the
 * device broke the rules now or before: it is distrusted or was reset, and all its
 * queues are broken. `written` may be NULL; it is the device's word, not checked.
 */
int virtq_get_used(struct virtq *queue, void **token, uint32_t *written);

/* Tells whether virtq_get_used() would not return 0. */
bool virtq_has_used(const struct virtq *queue);

/*
 * Tells the device whether to interrupt when it has used a buffer; a hint
 * (2.7.7). It may say nothing of what it used before, so look at
 * virtq_has_used() after the call.
 */
void virtq_set_interrupts(struct virtq *queue, bool wanted);

#endif
