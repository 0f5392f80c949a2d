/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The split virtqueue (virtio 1.3, 2.7): three areas in one run of frames.
 *
 *	          bytes
 *	desc      16 * size   addr, len, flags, next     a buffer each; a chain is
 *	                                                 linked by `next`
 *	avail     2           flags                      no interrupts, please
 *	          2           idx                        chains offered since the start
 *	          2 * size    ring[]                     the head of each
 *	          2           used_event                 interrupt me after this USED entry
 *	          ...         (to the next page)
 *	used      2           flags                      no notifications, please
 *	          2           idx                        chains used since the start
 *	          8 * size    ring[]: id, len            the head of each, bytes written
 *	          2           avail_event                notify me of this AVAILABLE entry
 *
 * The driver alone writes desc and avail, the device alone writes used; so each
 * says in its own area what it wants to hear of the other's, and the two events
 * stand crosswise: used_event at the end of avail, avail_event at the end of
 * used. They count with EVENT_IDX, the flags without it. Indices count modulo
 * 65536, and entry n of a ring is ring[n % size].
 *
 * The legacy interface wants the areas in this order, and `used` on the next
 * page (2.7.2); the modern one does not mind, so there is one layout.
 */
#include <assert.h>
#include <errno.h>

#include "arch/barrier.h"
#include "drivers/virtio/virtq_internal.h"

#define RING_ALIGN FRAME_SIZE

static size_t avail_offset(uint16_t size)
{
	return sizeof(struct virtq_desc) * size;
}

/* Each ring has one more le16 after its entries, for EVENT_IDX. */
static size_t used_offset(uint16_t size)
{
	size_t avail = sizeof(struct virtq_avail) + sizeof(le16) * size + sizeof(le16);

	return align_up(avail_offset(size) + avail, RING_ALIGN);
}

static size_t split_bytes(uint16_t size)
{
	return used_offset(size) + sizeof(struct virtq_used) +
	       sizeof(struct virtq_used_elem) * size + sizeof(le16);
}

static volatile le16 *used_event(const struct virtq *queue)
{
	return &queue->avail->ring[queue->size];
}

static uint16_t avail_event(const struct virtq *queue)
{
	volatile void *end = &queue->used->ring[queue->size];

	return le16_to_cpu(*(volatile le16 *)end);
}

static void split_init(struct virtq *queue, uint8_t *memory)
{
	/* 2.7.1: with the page, desc is aligned to 16, avail to 2 and used to 4 bytes. */
	assert((uintptr_t)memory % RING_ALIGN == 0);
	queue->desc = (void *)memory;
	queue->avail = (void *)(memory + avail_offset(queue->size));
	queue->used = (void *)(memory + used_offset(queue->size));
}

static void fill(volatile struct virtq_desc *desc, const struct virtq_buffer *buffer,
		 uint16_t flags, uint16_t next)
{
	if (buffer->device_writes)
		flags |= VIRTQ_DESC_F_WRITE;
	desc->addr = cpu_to_le64(buffer->address);
	desc->len = cpu_to_le32(buffer->length);
	desc->flags = cpu_to_le16(flags);
	desc->next = cpu_to_le16(next);
}

static void split_fill_table(void *table, const struct virtq_buffer *buffers, unsigned count)
{
	volatile struct virtq_desc *desc = table;

	for (unsigned k = 0; k + 1 < count; k++)
		fill(&desc[k], &buffers[k], VIRTQ_DESC_F_NEXT, (uint16_t)(k + 1));
	fill(&desc[count - 1], &buffers[count - 1], 0, 0);
}

/*
 * Fills free descriptors, in the order of the shadow's list of them. A chain ends
 * at the descriptor without a NEXT flag.
 */
static void split_put(struct virtq *queue, const struct virtq_buffer *buffers, unsigned count,
		      uint16_t flags)
{
	uint16_t head = queue->free_head;
	uint16_t i = head;

	for (unsigned k = 0; k < count; k++) {
		uint16_t next = queue->shadow[i].next;

		assert(i < queue->size && !queue->shadow[i].token);
		if (k + 1 < count)
			fill(&queue->desc[i], &buffers[k], flags | VIRTQ_DESC_F_NEXT, next);
		else
			fill(&queue->desc[i], &buffers[k], flags, 0);
		i = next;
	}
	queue->free_head = i;
	/* The device does not look at this entry before avail->idx covers it. */
	queue->avail->ring[queue->avail_idx & (queue->size - 1)] = cpu_to_le16(head);
	queue->avail_idx++;
	queue->added++;
}

static void split_publish(struct virtq *queue)
{
	queue->avail->idx = cpu_to_le16(queue->avail_idx);
}

static bool split_wants_notification(const struct virtq *queue)
{
	uint16_t before = (uint16_t)(queue->avail_idx - queue->added);

	if (queue->event_idx)
		return virtq_passed_event(avail_event(queue), queue->avail_idx, before);
	return !(le16_to_cpu(queue->used->flags) & VIRTQ_USED_F_NO_NOTIFY);
}

static bool split_has_used(const struct virtq *queue)
{
	return le16_to_cpu(queue->used->idx) != queue->last_used;
}

/*
 * Writes the wish as an index: that of the next used entry for an interrupt,
 * and for none the one before it, which is 65535 entries away.
 */
static void write_used_event(struct virtq *queue)
{
	*used_event(queue) = cpu_to_le16((uint16_t)(queue->last_used - !queue->interrupts));
}

/* With EVENT_IDX the flags stay 0 (2.7.7.1). */
static void split_write_interrupts(struct virtq *queue)
{
	if (queue->event_idx)
		write_used_event(queue);
	else
		queue->avail->flags = cpu_to_le16(queue->interrupts ? 0
								    : VIRTQ_AVAIL_F_NO_INTERRUPT);
}

/* Moves the index that is wanted on with what was taken. */
static void follow_used_event(struct virtq *queue)
{
	if (!queue->event_idx)
		return;
	write_used_event(queue);
	/* The wish is there before the used index is read again, or both sides wait. */
	if (queue->interrupts)
		dma_full_barrier();
}

static int split_take_used(struct virtq *queue, struct virtq_taken *taken)
{
	uint16_t new_entries = (uint16_t)(le16_to_cpu(queue->used->idx) - queue->last_used);
	volatile struct virtq_used_elem *entry;
	uint32_t named;

	if (new_entries == 0)
		return 0;
	/* There is one used entry for each chain. */
	if (new_entries > queue->in_flight) {
		taken->why = "used index beyond what is in flight";
		return -EIO;
	}
	/* The count is read before the entry that it covers, and before the buffer. */
	dma_load_barrier();
	entry = &queue->used->ring[queue->last_used & (queue->size - 1)];
	named = le32_to_cpu(entry->id); /* once: the device could change it */
	if (!virtq_is_with_device(queue, named)) {
		taken->why = "a used entry names no chain in flight";
		return -EIO;
	}
	taken->id = (uint16_t)named;
	taken->written = le32_to_cpu(entry->len);
	queue->last_used++;
	follow_used_event(queue);
	return 1;
}

/* Follows the shadow, never desc[]: the device can write that. */
static uint16_t split_last_id(const struct virtq *queue, uint16_t id)
{
	uint16_t last = id;

	for (uint16_t k = 1; k < queue->shadow[id].chain; k++)
		last = queue->shadow[last].next;
	assert(last < queue->size);
	return last;
}

/*
 * The available index as the device was shown it. Its upper bit stands where
 * packed rings have the wrap counter.
 */
static uint16_t split_next_available(const struct virtq *queue)
{
	return (uint16_t)(queue->avail_idx - queue->added);
}

const struct virtq_ops virtq_split_ops = {
	.bytes = split_bytes,
	.init = split_init,
	.fill_table = split_fill_table,
	.put = split_put,
	.publish = split_publish,
	.wants_notification = split_wants_notification,
	.has_used = split_has_used,
	.take_used = split_take_used,
	.last_id = split_last_id,
	.write_interrupts = split_write_interrupts,
	.next_available = split_next_available,
};
