/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The packed virtqueue (virtio 1.3, 2.8): one ring of descriptors that both sides
 * go round, each at its own pace, and two small areas after it.
 *
 *	              bytes
 *	desc          16 * size   addr, len, id, flags   both write it
 *	driver_event  4           off_wrap, flags        the driver: interrupt me here
 *	device_event  4           off_wrap, flags        the device: notify me here
 *
 *	                last_used                    avail_idx
 *	                    v                            v
 *	      +------+------+----------------------------+------+------+
 *	      | free | free | used, or with the device   | free | free |  and round again
 *	      +------+------+----------------------------+------+------+
 *
 *	the driver fills descriptors in order and marks them available; a chain
 *	is a run of them, and carries one buffer id;
 *	the device marks a chain used by writing its id over the *next*
 *	descriptor of its own round, and skips as many as the chain had.
 *
 * Marks are two bits of the flags, AVAIL and USED, which mean something only
 * together with a wrap counter that each side flips at the end of a round:
 *
 *	              wrap counter 1         wrap counter 0
 *	available     AVAIL 1, USED 0        AVAIL 0, USED 1     (the driver's counter)
 *	used          AVAIL 1, USED 1        AVAIL 0, USED 0     (the device's counter)
 *
 * So no descriptor ever needs clearing. Chains come back in any order, and the
 * descriptors that described them are overwritten by then: only the shadow knows
 * which id is alive, and how many descriptors it has.
 */
#include <assert.h>
#include <errno.h>

#include "arch/barrier.h"
#include "drivers/virtio/virtq_internal.h"

#define DESC_F_BOTH (VIRTQ_DESC_F_AVAIL | VIRTQ_DESC_F_USED)

_Static_assert((VIRTQ_EVENT_WRAP & (VIRTQ_SIZE_MAX - 1)) == 0, "a place and its wrap counter");

static size_t packed_bytes(uint16_t size)
{
	return sizeof(struct virtq_packed_desc) * size + 2 * sizeof(struct virtq_event);
}

static void packed_init(struct virtq *queue, uint8_t *memory)
{
	struct virtq_event *events = (void *)(memory +
					      sizeof(struct virtq_packed_desc) * queue->size);

	/* 2.8.11: with the page, the ring is aligned to 16 and the events to 4 bytes. */
	assert((uintptr_t)memory % FRAME_SIZE == 0);
	queue->packed = (void *)memory;
	queue->driver_event = &events[0];
	queue->device_event = &events[1];
	/* Both counters begin at 1, so that zeros are neither available nor used. */
	queue->avail_wrap = true;
	queue->used_wrap = true;
}

/* Moves a place on by `count` descriptors, which are no more than the ring has. */
static void advance(const struct virtq *queue, uint16_t *at, bool *wrap, uint16_t count)
{
	uint16_t left = (uint16_t)(queue->size - *at);

	assert(*at < queue->size && count <= queue->size);
	if (count < left) {
		*at = (uint16_t)(*at + count);
	} else {
		*at = (uint16_t)(count - left);
		*wrap = !*wrap;
	}
}

/* Fills all but the flags, which make it available. */
static void fill(volatile struct virtq_packed_desc *desc, const struct virtq_buffer *buffer,
		 uint16_t id)
{
	desc->addr = cpu_to_le64(buffer->address);
	desc->len = cpu_to_le32(buffer->length);
	desc->id = cpu_to_le16(id);
}

/* Entries follow each other without NEXT, as many as the table is long (2.8.8). */
static void packed_fill_table(void *table, const struct virtq_buffer *buffers, unsigned count)
{
	volatile struct virtq_packed_desc *desc = table;

	for (unsigned k = 0; k < count; k++) {
		fill(&desc[k], &buffers[k], 0);
		desc[k].flags = cpu_to_le16(buffers[k].device_writes ? VIRTQ_DESC_F_WRITE : 0);
	}
}

/*
 * Holds back the flags of the first descriptor since the last kick. As the device
 * goes through the ring in order, it sees nothing after it either.
 */
static void put_one(struct virtq *queue, const struct virtq_buffer *buffer, uint16_t flags)
{
	volatile struct virtq_packed_desc *desc = &queue->packed[queue->avail_idx];

	if (buffer->device_writes)
		flags |= VIRTQ_DESC_F_WRITE;
	flags |= queue->avail_wrap ? VIRTQ_DESC_F_AVAIL : VIRTQ_DESC_F_USED;
	fill(desc, buffer, queue->free_head);
	if (queue->added == 0)
		queue->held_flags = flags;
	else
		desc->flags = cpu_to_le16(flags);
	queue->added++;
	advance(queue, &queue->avail_idx, &queue->avail_wrap, 1);
}

static void packed_put(struct virtq *queue, const struct virtq_buffer *buffers, unsigned count,
		       uint16_t flags)
{
	for (unsigned k = 0; k + 1 < count; k++)
		put_one(queue, &buffers[k], flags | VIRTQ_DESC_F_NEXT);
	put_one(queue, &buffers[count - 1], flags);
	queue->free_head = queue->shadow[queue->free_head].next;
}

/* Returns the place where the driver was `count` descriptors ago. */
static uint16_t back(const struct virtq *queue, uint16_t count, bool *wrap)
{
	bool same_round = count <= queue->avail_idx;

	assert(count <= queue->size);
	*wrap = same_round ? queue->avail_wrap : !queue->avail_wrap;
	return (uint16_t)(queue->avail_idx + (same_round ? 0 : queue->size) - count);
}

static void packed_publish(struct virtq *queue)
{
	bool wrap;

	queue->packed[back(queue, queue->added, &wrap)].flags = cpu_to_le16(queue->held_flags);
}

/*
 * Whether the event is among the descriptors just published. It is one of this
 * round, or of the round before with the other wrap counter: then it lies `size`
 * lower. The new descriptors may begin in the round before, too; counted modulo
 * 65536 both cases are one.
 */
static bool event_passed(const struct virtq *queue, uint16_t off_wrap)
{
	uint16_t event = (uint16_t)(off_wrap & ~VIRTQ_EVENT_WRAP);
	bool wrap = off_wrap & VIRTQ_EVENT_WRAP;

	if (wrap != queue->avail_wrap)
		event = (uint16_t)(event - queue->size);
	return virtq_passed_event(event, queue->avail_idx,
				  (uint16_t)(queue->avail_idx - queue->added));
}

/* Any value of the flags that the specification does not define means: notify. */
static bool packed_wants_notification(const struct virtq *queue)
{
	uint16_t flags = le16_to_cpu(queue->device_event->flags);

	/* The device writes the place before the flags that make it count. */
	dma_load_barrier();
	if (queue->event_idx && flags == VIRTQ_EVENT_DESC)
		return event_passed(queue, le16_to_cpu(queue->device_event->off_wrap));
	return flags != VIRTQ_EVENT_DISABLE;
}

static bool packed_has_used(const struct virtq *queue)
{
	uint16_t flags = le16_to_cpu(queue->packed[queue->last_used].flags);

	return (flags & DESC_F_BOTH) == (queue->used_wrap ? DESC_F_BOTH : 0);
}

static int packed_take_used(struct virtq *queue, struct virtq_taken *taken)
{
	volatile struct virtq_packed_desc *desc = &queue->packed[queue->last_used];
	uint16_t named;

	if (!packed_has_used(queue))
		return 0;
	/* The flags are read before what they cover, and before the buffer. */
	dma_load_barrier();
	named = le16_to_cpu(desc->id); /* once: the device could change it */
	if (!virtq_is_with_device(queue, named)) {
		taken->why = "a used descriptor names no chain in flight";
		return -EIO;
	}
	taken->id = named;
	taken->written = le32_to_cpu(desc->len);
	advance(queue, &queue->last_used, &queue->used_wrap, queue->shadow[named].chain);
	return 1;
}

/* A chain has one id, however many descriptors. */
static uint16_t packed_last_id(const struct virtq *queue, uint16_t id)
{
	(void)queue;
	return id;
}

static void packed_write_interrupts(struct virtq *queue)
{
	queue->driver_event->flags = cpu_to_le16(queue->interrupts ? VIRTQ_EVENT_ENABLE
								   : VIRTQ_EVENT_DISABLE);
}

/* The place after the last descriptor that the device was shown. */
static uint16_t packed_next_available(const struct virtq *queue)
{
	bool wrap;
	uint16_t next = back(queue, queue->added, &wrap);

	return next | (wrap ? VIRTQ_EVENT_WRAP : 0);
}

const struct virtq_ops virtq_packed_ops = {
	.bytes = packed_bytes,
	.init = packed_init,
	.fill_table = packed_fill_table,
	.put = packed_put,
	.publish = packed_publish,
	.wants_notification = packed_wants_notification,
	.has_used = packed_has_used,
	.take_used = packed_take_used,
	.last_id = packed_last_id,
	.write_interrupts = packed_write_interrupts,
	.next_available = packed_next_available,
};
