/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The split virtqueue (virtio 1.3, 2.7). The rings lie in frames of owner
 * `virtqueues`, which the device can write at any time; whatever decides
 * about memory is therefore kept in private shadows and never read back.
 *
 * A used entry that names a descriptor which is not the head of a chain in
 * flight breaks the device: from then on the queue gives -EIO and is not
 * looked at.
 *
 * Not for use in interrupts.
 */
#ifndef DRIVERS_VIRTIO_VIRTQ_H
#define DRIVERS_VIRTIO_VIRTQ_H

#include "kernel/lib/endian.h"
#include "kernel/lib/types.h"

struct virtio_device;

/* Ours: what the largest queue of a balloon has; a legacy device lets no one choose less. */
#define VIRTQ_SIZE_MAX 1024

#define VIRTQ_DESC_F_NEXT 1
#define VIRTQ_DESC_F_WRITE 2
#define VIRTQ_AVAIL_F_NO_INTERRUPT 1
#define VIRTQ_USED_F_NO_NOTIFY 1

struct virtq_desc {
	le64 addr; /* physical */
	le32 len;
	le16 flags;
	le16 next;
};

struct virtq_avail {
	le16 flags;
	le16 idx;
	le16 ring[]; /* and then le16 used_event */
};

struct virtq_used_elem {
	le32 id;
	le32 len;
};

struct virtq_used {
	le16 flags;
	le16 idx;
	struct virtq_used_elem ring[]; /* and then le16 avail_event */
};

_Static_assert(sizeof(struct virtq_desc) == 16, "2.7.5");
_Static_assert(sizeof(struct virtq_used_elem) == 8, "2.7.8");

/* A piece of memory for the device: read by it, or written. */
struct virtq_buffer {
	paddr_t address;
	uint32_t length;
	bool device_writes;
};

struct virtq {
	struct virtio_device *device;
	uint16_t index;
	uint16_t size; /* descriptors, a power of two */
	bool broken;
	volatile struct virtq_desc *desc;   /* written by the driver alone */
	volatile struct virtq_avail *avail; /* written by the driver alone */
	volatile struct virtq_used *used;   /* written by the device alone */
	uint16_t free_head;		    /* shadow: chain of free descriptors */
	uint16_t free_count;
	uint16_t avail_idx; /* shadow of avail->idx */
	uint16_t last_used; /* used entries up to here were taken */
	struct {
		void *token;	/* of the head of a chain in flight, else NULL */
		uint16_t next;	/* shadow of the descriptor's next */
		uint16_t chain; /* descriptors in the chain, for the head */
	} shadow[VIRTQ_SIZE_MAX];
	uint64_t notifications; /* kicks sent; statistics */
	void *notify;		/* the transport's */
};

/*
 * Makes queue `index` of the device, of its largest size up to VIRTQ_SIZE_MAX,
 * and enables it. -ENODEV: the device has no such queue; -EINVAL: its size is
 * no power of two, or a legacy device insists on a larger one than
 * VIRTQ_SIZE_MAX; -ENOMEM; -EIO.
 */
int virtq_create(struct virtio_device *device, uint16_t index, struct virtq *queue);

/*
 * Gives the rings back. The device must have been reset: where it does not
 * say so, their frames stay with it, and a line in the log says that.
 */
void virtq_destroy(struct virtq *queue);

/*
 * Offers `count` buffers as one chain, those that the device reads first.
 * `token` (not NULL) comes back with the used entry. Not seen by the device
 * before virtq_kick(). -ENOSPC: too few descriptors; -EIO: broken; -EINVAL: no
 * buffer or no token.
 */
int virtq_add(struct virtq *queue, const struct virtq_buffer *buffers, unsigned count, void *token);

/* Publishes what was added and notifies the device unless it asked not to be. */
void virtq_kick(struct virtq *queue);

/*
 * Takes the next used chain. 1 and its token; 0: none; -EIO: the device broke
 * the rules: it has been reset by virtio_break(), and all its queues are
 * broken. `written` may be NULL; it is the device's word, not checked.
 */
int virtq_get_used(struct virtq *queue, void **token, uint32_t *written);

/* True if virtq_get_used() would not return 0. */
bool virtq_has_used(const struct virtq *queue);

/* Whether the device should interrupt when it has used a buffer; a hint (2.7.7). */
void virtq_set_interrupts(struct virtq *queue, bool wanted);

#endif
