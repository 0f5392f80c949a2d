/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Virtqueues: what is the same for split and packed rings (virtio 1.3, 2.6).
 * Making and destroying them, the shadow of chains in flight, the order of
 * publishing and notifying, and indirect tables (2.7.5.3). How the rings
 * themselves look is known to virtq_split.c and virtq_packed.c alone.
 */
#include "drivers/virtio/virtq.h"

#include <errno.h>
#include <string.h>

#include "arch/barrier.h"
#include "arch/paging.h"
#include "drivers/virtio/virtio.h"
#include "drivers/virtio/virtq_internal.h"
#include "kernel/lib/log.h"
#include "mm/frame.h"

#define NO_TABLE (-1)
#define TABLE_BYTES (VIRTQ_TABLE_ENTRIES * sizeof(struct virtq_desc))

_Static_assert(VIRTQ_TABLES *TABLE_BYTES <= FRAME_SIZE, "a queue's tables fill one frame");
_Static_assert(sizeof(struct virtq_desc) == sizeof(struct virtq_packed_desc), "in both formats");

static unsigned rings_order(const struct virtq *queue)
{
	unsigned order = 0;

	while ((FRAME_SIZE << order) < queue->ops->bytes(queue->size))
		order++;
	return order;
}

static pfn_t frame_of(const volatile void *memory)
{
	return paddr_to_pfn(virt_to_phys((const void *)(uintptr_t)memory));
}

/* ---- Making and destroying ---- */

/* The size to use, checked: the device's word is input. */
static int choose_size(struct virtio_device *device, uint16_t index, uint16_t *size)
{
	uint16_t max = device->transport->queue_size_max(device, index);

	if (max == 0)
		return -ENODEV;
	if (max == UINT16_MAX)
		return -EIO;
	if ((max & (max - 1)) != 0 && !virtio_has(device, VIRTIO_F_RING_PACKED)) {
		log_warn("virtio: %s: queue %u has size %u, which is no power of two",
			 device->address, index, max);
		return -EINVAL;
	}
	if (device->transport->fixed_queue_size && max > VIRTQ_SIZE_MAX) {
		log_warn("virtio: %s: legacy queue %u has size %u, more than our %u",
			 device->address, index, max, VIRTQ_SIZE_MAX);
		return -EINVAL;
	}
	*size = max < VIRTQ_SIZE_MAX ? max : VIRTQ_SIZE_MAX;
	return 0;
}

static int alloc_tables(struct virtq *queue)
{
	pfn_t pfn;

	if (!virtio_has(queue->device, VIRTIO_F_INDIRECT_DESC))
		return 0;
	if (frame_alloc(0, OWNER_VIRTQUEUES, &pfn) != 0)
		return -ENOMEM;
	queue->tables = phys_to_virt(pfn_to_paddr(pfn));
	return 0;
}

static int alloc_rings(struct virtq *queue)
{
	uint8_t *memory;
	pfn_t pfn;

	if (frame_alloc(rings_order(queue), OWNER_VIRTQUEUES, &pfn) != 0)
		return -ENOMEM;
	memory = phys_to_virt(pfn_to_paddr(pfn));
	memset(memory, 0, queue->ops->bytes(queue->size));
	queue->ops->init(queue, memory);
	return 0;
}

static void free_frames(struct virtq *queue)
{
	if (queue->desc != NULL)
		frame_free(frame_of(queue->desc), (size_t)1 << rings_order(queue),
			   OWNER_VIRTQUEUES);
	if (queue->tables != NULL)
		frame_free(frame_of(queue->tables), 1, OWNER_VIRTQUEUES);
	queue->desc = NULL;
	queue->tables = NULL;
}

/* Nothing is in flight; the device may interrupt. */
static void init_shadow(struct virtq *queue)
{
	for (uint16_t i = 0; i < queue->size; i++)
		queue->shadow[i].next = (uint16_t)(i + 1);
	queue->free_head = 0;
	queue->free_count = queue->size;
	queue->interrupts = true;
}

int virtq_create(struct virtio_device *device, uint16_t index, struct virtq *queue)
{
	int err;

	memset(queue, 0, sizeof(*queue));
	queue->device = device;
	queue->index = index;
	queue->broken = true; /* until it is made */
	if (index >= VIRTIO_QUEUES_MAX)
		return -ENODEV;
	queue->ops = virtio_has(device, VIRTIO_F_RING_PACKED) ? &virtq_packed_ops
							      : &virtq_split_ops;
	queue->event_idx = virtio_has(device, VIRTIO_F_EVENT_IDX);
	err = choose_size(device, index, &queue->size);
	if (err != 0)
		return err;
	init_shadow(queue);
	err = alloc_rings(queue);
	if (err == 0)
		err = alloc_tables(queue);
	if (err == 0)
		err = device->transport->queue_enable(device, queue);
	if (err != 0)
		goto err_free;
	queue->broken = false;
	device->queue[index] = queue;
	if (device->queue_count <= index)
		device->queue_count = (uint16_t)(index + 1);
	return 0;

err_free:
	free_frames(queue);
	return err;
}

void virtq_destroy(struct virtq *queue)
{
	struct virtio_device *device = queue->device;

	if (queue->desc == NULL)
		return;
	device->queue[queue->index] = NULL;
	while (device->queue_count > 0 && device->queue[device->queue_count - 1] == NULL)
		device->queue_count--;
	if (virtio_is_reset(device))
		free_frames(queue);
	else
		log_warn("virtio: %s: not reset: the frames of queue %u stay with it",
			 device->address, queue->index);
	queue->desc = NULL;
	queue->tables = NULL;
	queue->broken = true;
}

/* ---- Offering ---- */

static void *table_at(const struct virtq *queue, int table)
{
	return (uint8_t *)queue->tables + (size_t)table * TABLE_BYTES;
}

/*
 * A free table for so many buffers. A chain may not be longer than the queue,
 * with a table or without (2.7.5.3.1).
 */
static int find_table(const struct virtq *queue, unsigned count)
{
	if (queue->tables == NULL || count < 2 || count > VIRTQ_TABLE_ENTRIES ||
	    count > queue->size || queue->free_count == 0)
		return NO_TABLE;
	for (int table = 0; table < VIRTQ_TABLES; table++)
		if ((queue->tables_taken >> table & 1) == 0)
			return table;
	return NO_TABLE;
}

int virtq_add(struct virtq *queue, const struct virtq_buffer *buffers, unsigned count, void *token)
{
	uint16_t id = queue->free_head;
	struct virtq_buffer whole_table;
	uint16_t flags = 0;
	int table;

	if (queue->broken)
		return -EIO;
	if (count == 0 || token == NULL)
		return -EINVAL;
	table = find_table(queue, count);
	if (table == NO_TABLE && count > queue->free_count)
		return -ENOSPC;
	if (table != NO_TABLE) {
		queue->ops->fill_table(table_at(queue, table), buffers, count);
		queue->tables_taken |= UINT32_C(1) << table;
		whole_table = (struct virtq_buffer){
			.address = virt_to_phys(table_at(queue, table)),
			.length = (uint32_t)(count * sizeof(struct virtq_desc)),
		};
		buffers = &whole_table;
		count = 1;
		flags = VIRTQ_DESC_F_INDIRECT;
	}
	queue->ops->put(queue, buffers, count, flags);
	queue->free_count = (uint16_t)(queue->free_count - count);
	queue->in_flight++;
	queue->shadow[id].token = token;
	queue->shadow[id].kick = queue->kicks;
	queue->shadow[id].chain = (uint16_t)count;
	queue->shadow[id].table = (int8_t)table;
	return 0;
}

static void notify(struct virtq *queue)
{
	queue->notifications++;
	queue->device->transport->queue_notify(queue->device, queue);
}

void virtq_kick(struct virtq *queue)
{
	bool wanted;

	if (queue->broken || queue->added == 0)
		return;
	/* Descriptors and ring entries are there before what makes them count. */
	dma_store_barrier();
	queue->ops->publish(queue);
	queue->kicks++;
	/*
	 * They count before we read whether the device sleeps. The other way
	 * round, it could go to sleep between our two accesses: it would see
	 * nothing new, and we no wish for a notification.
	 */
	dma_full_barrier();
	wanted = queue->ops->wants_notification(queue);
	queue->added = 0;
	if (wanted)
		notify(queue);
}

void virtq_remind(struct virtq *queue)
{
	if (!queue->broken)
		notify(queue);
}

uint32_t virtq_notification_data(const struct virtq *queue)
{
	return (uint32_t)queue->ops->next_available(queue) << 16 | queue->index;
}

/* ---- Taking back ---- */

int virtq_violation(struct virtq *queue, const char *why)
{
	queue->broken = true;
	virtio_break(queue->device, why);
	return -EIO;
}

/* Its ids go back to the free ones, and so does its table. */
static void free_chain(struct virtq *queue, uint16_t id)
{
	queue->shadow[queue->ops->last_id(queue, id)].next = queue->free_head;
	queue->free_head = id;
	queue->free_count = (uint16_t)(queue->free_count + queue->shadow[id].chain);
	queue->in_flight--;
	if (queue->shadow[id].table != NO_TABLE)
		queue->tables_taken &= ~(UINT32_C(1) << queue->shadow[id].table);
	queue->shadow[id].token = NULL;
	queue->shadow[id].chain = 0;
}

int virtq_get_used(struct virtq *queue, void **token, uint32_t *written)
{
	uint32_t length;
	uint16_t id;
	int got;

	if (queue->broken)
		return -EIO;
	got = queue->ops->take_used(queue, &id, &length);
	if (got != 1)
		return got;
	*token = queue->shadow[id].token;
	if (written != NULL)
		*written = length;
	free_chain(queue, id);
	return 1;
}

bool virtq_has_used(const struct virtq *queue)
{
	return queue->broken || queue->ops->has_used(queue);
}

void virtq_set_interrupts(struct virtq *queue, bool wanted)
{
	if (queue->broken)
		return;
	queue->interrupts = wanted;
	queue->ops->write_interrupts(queue);
	/* The wish is there before the caller's last look at the ring. */
	dma_full_barrier();
}
