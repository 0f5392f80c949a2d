/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Shared by virtq.c and the two formats of rings: the structures that lie in
 * memory for the device, and the operations of a format. Not for device drivers
 * or transports.
 */
#ifndef DRIVERS_VIRTIO_VIRTQ_INTERNAL_H
#define DRIVERS_VIRTIO_VIRTQ_INTERNAL_H

#include "drivers/virtio/virtq.h"
#include "kernel/lib/endian.h"

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
_Static_assert(offsetof(struct virtq_desc, next) == 14, "2.7.5");
_Static_assert(offsetof(struct virtq_avail, ring) == 4, "2.7.6");
_Static_assert(sizeof(struct virtq_used_elem) == 8, "2.7.8");
_Static_assert(offsetof(struct virtq_used, ring) == 4, "2.7.8");
_Static_assert(sizeof(struct virtq_packed_desc) == 16, "2.8.13");
_Static_assert(offsetof(struct virtq_packed_desc, flags) == 14, "2.8.13");
_Static_assert(sizeof(struct virtq_event) == 4, "2.8.14");
_Static_assert(VIRTQ_SIZE_MAX <= 1 << 15, "2.7: places in a ring leave room for a wrap counter");

/* A used chain as a format found it. */
struct virtq_taken {
	uint16_t id;
	uint32_t written; /* the device's word */
	const char *why;  /* for -EIO: the rule that the device broke */
};

/*
 * A format. virtq.c has checked all arguments, and calls none of these on a
 * queue that is broken; barriers are its business where a comment says so.
 */
struct virtq_ops {
	/* Bytes of memory for the three areas, which init() gets zeroed. */
	size_t (*bytes)(uint16_t size);
	/* Lays the areas into memory that begins with a page. */
	void (*init)(struct virtq *queue, uint8_t *memory);
	/* Fills an indirect table. */
	void (*fill_table)(void *table, const struct virtq_buffer *buffers, unsigned count);
	/*
	 * Puts a chain under the id free_head, and takes that and what else it
	 * needs off the list of free ids. `flags` are for each descriptor.
	 */
	void (*put)(struct virtq *queue, const struct virtq_buffer *buffers, unsigned count,
		    uint16_t flags);
	/* Shows the device what was added; between a store barrier and a full one. */
	void (*publish)(struct virtq *queue);
	/* Whether the device wants to hear of what was just published. */
	bool (*wants_notification)(const struct virtq *queue);
	bool (*has_used)(const struct virtq *queue);
	/* Takes a used chain off the ring: 1; 0: there is none; -EIO: the device broke a rule. */
	int (*take_used)(struct virtq *queue, struct virtq_taken *taken);
	/* The last of the ids that the chain took; `id` itself if only one. */
	uint16_t (*last_id)(const struct virtq *queue, uint16_t id);
	/* Tells the device queue->interrupts; a full barrier follows. */
	void (*write_interrupts)(struct virtq *queue);
	/* The upper half of the notification data (2.9). */
	uint16_t (*next_available)(const struct virtq *queue);
};

extern const struct virtq_ops virtq_split_ops;
extern const struct virtq_ops virtq_packed_ops;

/* Tells whether the device may return this id: it is of a chain that was shown to it. */
static inline bool virtq_is_with_device(const struct virtq *queue, uint32_t id)
{
	return id < queue->size && queue->shadow[id].token && queue->shadow[id].kick < queue->kicks;
}

/*
 * Tells whether the step of an index from `old` to `now` passed by `event` (2.7.10),
 * all modulo 65536. The event itself is passed by the step from event to event + 1.
 */
static inline bool virtq_passed_event(uint16_t event, uint16_t now, uint16_t old)
{
	return (uint16_t)(now - event - 1) < (uint16_t)(now - old);
}

#endif
