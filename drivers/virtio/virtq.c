/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Virtqueues: what is the same for split and packed rings (virtio 1.3, 2.6).
 * Making and destroying them, the shadow of chains in flight, the order of
 * publishing and notifying, and indirect tables (2.7.5.3). Only virtq_split.c
 * and virtq_packed.c know how the rings themselves look.
 */
#include "drivers/virtio/virtq.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "arch/barrier.h"
#include "arch/paging.h"
#include "drivers/virtio/virtio_transport.h"
#include "drivers/virtio/virtq_internal.h"
#include "kernel/lib/log.h"
#include "mm/frame.h"

#define NO_TABLE (-1)
#define TABLE_BYTES (VIRTQ_TABLE_ENTRIES * sizeof(struct virtq_desc))

_Static_assert(VIRTQ_TABLES *TABLE_BYTES <= FRAME_SIZE, "a queue's tables fill one frame");
_Static_assert(VIRTQ_TABLES <= 32, "a bit of tables_taken for each");
_Static_assert(sizeof(struct virtq_desc) == sizeof(struct virtq_packed_desc), "in both formats");
_Static_assert((VIRTQ_SIZE_MAX & (VIRTQ_SIZE_MAX - 1)) == 0, "2.7: a split queue may have it");

static unsigned rings_order(const struct virtq *queue)
{
	return frame_order_for(align_up(queue->ops->bytes(queue->size), FRAME_SIZE) / FRAME_SIZE);
}

static pfn_t frame_of(const volatile void *memory)
{
	return paddr_to_pfn(virt_to_phys((const void *)(uintptr_t)memory));
}

/* ---- Making and destroying ---- */

/* Chooses the size; the device's word is input. */
static int choose_size(struct virtio_device *device, uint16_t index, uint16_t *size)
{
	uint16_t max = device->transport->queue_size_max(device, index);

	if (max == 0)
		return -ENODEV;
	if (max == UINT16_MAX)
		return -EIO;
	if ((max & (max - 1)) && !virtio_has(device, VIRTIO_F_RING_PACKED)) {
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
	if (frame_alloc(0, OWNER_VIRTQUEUES, &pfn))
		return -ENOMEM;
	queue->tables = phys_to_virt(pfn_to_paddr(pfn));
	return 0;
}

static int alloc_rings(struct virtq *queue)
{
	uint8_t *memory;
	pfn_t pfn;

	if (frame_alloc(rings_order(queue), OWNER_VIRTQUEUES, &pfn))
		return -ENOMEM;
	memory = phys_to_virt(pfn_to_paddr(pfn));
	memset(memory, 0, queue->ops->bytes(queue->size));
	queue->ops->init(queue, memory);
	return 0;
}

static void free_frames(struct virtq *queue)
{
	if (queue->desc)
		frame_free(frame_of(queue->desc), (size_t)1 << rings_order(queue),
			   OWNER_VIRTQUEUES);
	if (queue->tables)
		frame_free(frame_of(queue->tables), 1, OWNER_VIRTQUEUES);
	queue->desc = NULL;
	queue->tables = NULL;
}

/* Nothing is in flight; the device may interrupt. */
static void init_shadow(struct virtq *queue)
{
	assert(queue->size > 0 && queue->size <= VIRTQ_SIZE_MAX);
	for (uint16_t i = 0; i < queue->size; i++)
		queue->shadow[i].next = (uint16_t)(i + 1);
	queue->free_head = 0;
	queue->free_count = queue->size;
	queue->interrupts = true;
}

/* All but the size: the queue is broken until it is made. */
static void init_queue(struct virtq *queue, struct virtio_device *device, uint16_t index)
{
	memset(queue, 0, sizeof(*queue));
	queue->device = device;
	queue->index = index;
	queue->ops = virtio_has(device, VIRTIO_F_RING_PACKED) ? &virtq_packed_ops
							      : &virtq_split_ops;
	queue->event_idx = virtio_has(device, VIRTIO_F_EVENT_IDX);
}

int virtq_create(struct virtio_device *device, uint16_t index, struct virtq *queue)
{
	int err;

	assert(device->life); /* it was negotiated */
	init_queue(queue, device, index);
	if (index >= VIRTIO_QUEUES_MAX)
		return -ENODEV;
	assert(!device->queue[index]);
	err = choose_size(device, index, &queue->size);
	if (err)
		return err;
	init_shadow(queue);
	err = alloc_rings(queue);
	if (!err)
		err = alloc_tables(queue);
	if (!err)
		err = device->transport->queue_enable(device, queue);
	if (err)
		goto err_free;
	queue->life = device->life;
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

	if (!queue->desc)
		return;
	assert(device->queue[queue->index] == queue);
	device->queue[queue->index] = NULL;
	while (device->queue_count > 0 && !device->queue[device->queue_count - 1])
		device->queue_count--;
	if (virtio_is_reset(device))
		free_frames(queue);
	else
		log_warn("virtio: %s: not reset: the frames of queue %u stay with it",
			 device->address, queue->index);
	queue->desc = NULL;
	queue->tables = NULL;
	queue->life = 0;
}

/* ---- Offering ---- */

static void *table_at(const struct virtq *queue, int table)
{
	return (uint8_t *)queue->tables + (size_t)table * TABLE_BYTES;
}

/*
 * Finds a free table for so many buffers, or NO_TABLE. A chain may not be longer
 * than the queue, with a table or without (2.7.5.3.1).
 */
static int find_table(const struct virtq *queue, unsigned count)
{
	if (!queue->tables || count < 2 || count > VIRTQ_TABLE_ENTRIES || count > queue->size ||
	    queue->free_count == 0)
		return NO_TABLE;
	for (int table = 0; table < VIRTQ_TABLES; table++)
		if (!(queue->tables_taken >> table & 1))
			return table;
	return NO_TABLE;
}

/* 2.7.4.2, 2.8.17: what the device reads comes before what it writes. */
static bool is_ordered(const struct virtq_buffer *buffers, unsigned count)
{
	for (unsigned k = 1; k < count; k++)
		if (buffers[k - 1].device_writes && !buffers[k].device_writes)
			return false;
	return true;
}

/* Fills a table; returns the buffer that stands for it in the ring. */
static struct virtq_buffer use_table(struct virtq *queue, int table,
				     const struct virtq_buffer *buffers, unsigned count)
{
	queue->ops->fill_table(table_at(queue, table), buffers, count);
	queue->tables_taken |= UINT32_C(1) << table;
	return (struct virtq_buffer){
		.address = virt_to_phys(table_at(queue, table)),
		.length = (uint32_t)(count * sizeof(struct virtq_desc)),
	};
}

int virtq_add(struct virtq *queue, const struct virtq_buffer *buffers, unsigned count, void *token)
{
	uint16_t id = queue->free_head;
	struct virtq_buffer whole_table;
	uint16_t flags = 0;
	int table;

	if (virtq_is_broken(queue))
		return -EIO;
	if (count == 0 || !token)
		return -EINVAL;
	assert(is_ordered(buffers, count));
	table = find_table(queue, count);
	if (table == NO_TABLE && count > queue->free_count)
		return -ENOSPC;
	if (table != NO_TABLE) {
		whole_table = use_table(queue, table, buffers, count);
		buffers = &whole_table;
		count = 1;
		flags = VIRTQ_DESC_F_INDIRECT;
	}
	assert(id < queue->size && !queue->shadow[id].token);
	assert(count <= queue->free_count && queue->free_count <= queue->size);
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

	if (virtq_is_broken(queue) || queue->added == 0)
		return;
	assert(queue->in_flight > 0 && queue->added <= queue->size - queue->free_count);
	/* Descriptors and ring entries are written before the index or flags that publish them. */
	dma_store_barrier();
	queue->ops->publish(queue);
	queue->kicks++;
	/*
	 * They count before we read whether the device sleeps. In the other order,
	 * it could go to sleep between our two accesses: it would see nothing new,
	 * and we no wish for a notification.
	 */
	dma_full_barrier();
	wanted = queue->ops->wants_notification(queue);
	queue->added = 0;
	if (wanted)
		notify(queue);
}

void virtq_remind(struct virtq *queue)
{
	if (!virtq_is_broken(queue))
		notify(queue);
}

uint32_t virtq_notification_data(const struct virtq *queue)
{
	return (uint32_t)queue->ops->next_available(queue) << 16 | queue->index;
}

int virtq_legacy_pfn(const struct virtq *queue, uint32_t *pfn)
{
	pfn_t whole = frame_of(queue->desc);

	if (whole > UINT32_MAX) {
		log_warn("virtio: %s: queue %u lies too high for a legacy device",
			 queue->device->address, queue->index);
		return -EINVAL;
	}
	*pfn = (uint32_t)whole;
	return 0;
}

/* ---- Taking back ---- */

/* Gives a chain's ids back to the free ones, and its table, too. */
static void free_chain(struct virtq *queue, uint16_t id)
{
	uint16_t last = queue->ops->last_id(queue, id);
	uint16_t chain = queue->shadow[id].chain;
	int table = queue->shadow[id].table;

	assert(queue->in_flight > 0);
	assert(chain > 0 && chain <= queue->size - queue->free_count);
	assert(table == NO_TABLE || queue->tables_taken >> table & 1);
	queue->shadow[last].next = queue->free_head;
	queue->free_head = id;
	queue->free_count = (uint16_t)(queue->free_count + chain);
	queue->in_flight--;
	if (table != NO_TABLE)
		queue->tables_taken &= ~(UINT32_C(1) << table);
	queue->shadow[id].token = NULL;
	queue->shadow[id].chain = 0;
}

int virtq_get_used(struct virtq *queue, void **token, uint32_t *written)
{
	struct virtq_taken taken;
	int got;

	if (virtq_is_broken(queue))
		return -EIO;
	got = queue->ops->take_used(queue, &taken);
	if (got < 0) {
		queue->life = 0;
		virtio_distrust(queue->device, taken.why);
		return -EIO;
	}
	if (got == 0)
		return 0;
	assert(queue->shadow[taken.id].token);
	*token = queue->shadow[taken.id].token;
	if (written)
		*written = taken.written;
	free_chain(queue, taken.id);
	return 1;
}

bool virtq_has_used(const struct virtq *queue)
{
	return virtq_is_broken(queue) || queue->ops->has_used(queue);
}

void virtq_set_interrupts(struct virtq *queue, bool wanted)
{
	if (virtq_is_broken(queue))
		return;
	queue->interrupts = wanted;
	queue->ops->write_interrupts(queue);
	/* The wish is there before the caller's last look at the ring. */
	dma_full_barrier();
}
