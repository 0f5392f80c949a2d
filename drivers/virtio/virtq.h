/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A virtqueue in either of its two formats: split (virtio 1.3, 2.7) or packed
 * (2.8), whichever was negotiated; a device driver does not notice which. The
 * rings lie in frames of owner `virtqueues`, which the device can write at any
 * time; whatever decides about memory is therefore kept in private shadows
 * and never read back.
 *
 * A device that returns what is not with it breaks itself: from then on the
 * queue gives -EIO and is not looked at.
 *
 *   virtq.c		making a queue, what both formats share, indirect tables
 *   virtq_split.c	three areas: descriptors, available ring, used ring
 *   virtq_packed.c	one ring that both sides write
 *
 * Not for use in interrupts.
 */
#ifndef DRIVERS_VIRTIO_VIRTQ_H
#define DRIVERS_VIRTIO_VIRTQ_H

#include "kernel/lib/endian.h"
#include "kernel/lib/types.h"

struct virtio_device;
struct virtq_ops;

/* Ours: what the largest queue of a balloon has; a legacy device lets no one choose less. */
#define VIRTQ_SIZE_MAX 1024

/* Descriptor flags; the last two are of packed rings alone (2.8.1). */
#define VIRTQ_DESC_F_NEXT 1
#define VIRTQ_DESC_F_WRITE 2
#define VIRTQ_DESC_F_INDIRECT 4
#define VIRTQ_DESC_F_AVAIL (1 << 7)
#define VIRTQ_DESC_F_USED (1 << 15)

/* Split: the flags of avail and used (2.7.6, 2.7.8); without EVENT_IDX. */
#define VIRTQ_AVAIL_F_NO_INTERRUPT 1
#define VIRTQ_USED_F_NO_NOTIFY 1

/* Packed: the flags of struct virtq_event (2.8.10). */
#define VIRTQ_EVENT_ENABLE 0
#define VIRTQ_EVENT_DISABLE 1
#define VIRTQ_EVENT_DESC 2 /* at the descriptor that off_wrap says; with EVENT_IDX */
#define VIRTQ_EVENT_WRAP (1 << 15)

/* One frame of indirect tables for each queue (2.7.5.3, 2.8.8). */
#define VIRTQ_TABLE_ENTRIES 32
#define VIRTQ_TABLES 8

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

struct virtq_packed_desc {
	le64 addr; /* physical */
	le32 len;
	le16 id;
	le16 flags;
};

/* Tells the other side when an interrupt or a notification is wanted. */
struct virtq_event {
	le16 off_wrap;
	le16 flags;
};

_Static_assert(sizeof(struct virtq_desc) == 16, "2.7.5");
_Static_assert(sizeof(struct virtq_used_elem) == 8, "2.7.8");
_Static_assert(sizeof(struct virtq_packed_desc) == 16, "2.8.13");
_Static_assert(sizeof(struct virtq_event) == 4, "2.8.14");

/* A piece of memory for the device: read by it, or written. */
struct virtq_buffer {
	paddr_t address;
	uint32_t length;
	bool device_writes;
};

struct virtq {
	struct virtio_device *device;
	const struct virtq_ops *ops; /* the format */
	uint16_t index;
	uint16_t size; /* descriptors; a power of two if split */
	bool broken;
	bool event_idx; /* EVENT_IDX was accepted */
	/*
	 * The three areas (2.6), of which transports tell the device: in the
	 * first name of each pair if split, in the second if packed.
	 */
	union {
		volatile struct virtq_desc *desc;	   /* the driver's alone */
		volatile struct virtq_packed_desc *packed; /* written by both */
	};
	union {
		volatile struct virtq_avail *avail; /* the driver's alone */
		volatile struct virtq_event *driver_event;
	};
	union {
		volatile struct virtq_used *used; /* the device's alone */
		volatile struct virtq_event *device_event;
	};
	void *tables;	       /* VIRTQ_TABLES indirect tables; NULL: INDIRECT_DESC is not used */
	uint32_t tables_taken; /* a bit for each */
	uint16_t free_head;    /* shadow: chain of free ids */
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
		uint16_t next;	/* next id in the chain of free ones, or of a split chain */
		uint16_t chain; /* descriptors it takes in the ring */
		int8_t table;	/* its indirect table; -1: none */
	} shadow[VIRTQ_SIZE_MAX];
	uint64_t notifications; /* kicks sent; statistics */
	void *notify;		/* the transport's */
};

/*
 * Makes queue `index` of the device, of its largest size up to VIRTQ_SIZE_MAX,
 * in the format that was negotiated, and enables it. -ENODEV: the device has no
 * such queue; -EINVAL: a split queue's size is no power of two, or a legacy
 * device insists on a larger one than VIRTQ_SIZE_MAX; -ENOMEM; -EIO.
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
 * before virtq_kick(). With INDIRECT_DESC, 2 to VIRTQ_TABLE_ENTRIES buffers
 * take one descriptor as long as there are tables; `free_count` of them always
 * fit. -ENOSPC: too few descriptors; -EIO: broken; -EINVAL: no buffer or no
 * token.
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
 * Takes the next used chain. 1 and its token; 0: none; -EIO: the device broke
 * the rules: it has been reset by virtio_break(), and all its queues are
 * broken. `written` may be NULL; it is the device's word, not checked.
 */
int virtq_get_used(struct virtq *queue, void **token, uint32_t *written);

/* True if virtq_get_used() would not return 0. */
bool virtq_has_used(const struct virtq *queue);

/*
 * Whether the device should interrupt when it has used a buffer; a hint (2.7.7).
 * It may say nothing of what it used before, so virtq_has_used() is asked after
 * the wish.
 */
void virtq_set_interrupts(struct virtq *queue, bool wanted);

/* For transports: what a notification says with NOTIFICATION_DATA (2.9). */
uint32_t virtq_notification_data(const struct virtq *queue);

#endif
