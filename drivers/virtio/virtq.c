/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The split virtqueue (virtio 1.3, 2.7). Three parts in one run of frames:
 *
 *	desc	a table of buffers; written by the driver alone
 *	avail	a ring of heads of chains offered to the device, and a count of
 *		all that ever were (modulo 65536); written by the driver alone
 *	used	a ring of heads of chains that the device is done with, and a
 *		count; written by the device alone
 *
 * The legacy interface wants them in this order, and `used` on the next page
 * (2.7.2); the modern one does not mind, so there is one layout.
 */
#include "drivers/virtio/virtq.h"

#include <errno.h>
#include <string.h>

#include "arch/barrier.h"
#include "arch/paging.h"
#include "drivers/virtio/virtio.h"
#include "kernel/lib/log.h"
#include "mm/frame.h"

#define RING_ALIGN FRAME_SIZE

static size_t avail_offset(uint16_t size)
{
	return sizeof(struct virtq_desc) * size;
}

/* Each ring has one more le16 behind its entries, for EVENT_IDX. */
static size_t used_offset(uint16_t size)
{
	size_t avail = sizeof(struct virtq_avail) + sizeof(le16) * size + sizeof(le16);

	return align_up(avail_offset(size) + avail, RING_ALIGN);
}

static size_t rings_bytes(uint16_t size)
{
	return used_offset(size) + sizeof(struct virtq_used) +
	       sizeof(struct virtq_used_elem) * size + sizeof(le16);
}

static unsigned rings_order(uint16_t size)
{
	unsigned order = 0;

	while ((FRAME_SIZE << order) < rings_bytes(size))
		order++;
	return order;
}

/* The size to use, checked: the device's word is input. */
static int choose_size(struct virtio_device *device, uint16_t index, uint16_t *size)
{
	uint16_t max = device->transport->queue_size_max(device, index);

	if (max == 0)
		return -ENODEV;
	if (max == UINT16_MAX)
		return -EIO;
	if ((max & (max - 1)) != 0) {
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

static void init_rings(struct virtq *queue, uint8_t *memory)
{
	memset(memory, 0, rings_bytes(queue->size));
	queue->desc = (void *)memory;
	queue->avail = (void *)(memory + avail_offset(queue->size));
	queue->used = (void *)(memory + used_offset(queue->size));
	for (uint16_t i = 0; i < queue->size; i++)
		queue->shadow[i].next = (uint16_t)(i + 1);
	queue->free_head = 0;
	queue->free_count = queue->size;
}

int virtq_create(struct virtio_device *device, uint16_t index, struct virtq *queue)
{
	pfn_t pfn;
	int err;

	memset(queue, 0, sizeof(*queue));
	queue->device = device;
	queue->index = index;
	queue->broken = true; /* until it is made */
	if (index >= VIRTIO_QUEUES_MAX)
		return -ENODEV;
	err = choose_size(device, index, &queue->size);
	if (err != 0)
		return err;
	err = frame_alloc(rings_order(queue->size), OWNER_VIRTQUEUES, &pfn);
	if (err != 0)
		return -ENOMEM;
	init_rings(queue, phys_to_virt(pfn_to_paddr(pfn)));
	err = device->transport->queue_enable(device, queue);
	if (err != 0)
		goto err_free;
	queue->broken = false;
	device->queue[index] = queue;
	if (device->queue_count <= index)
		device->queue_count = (uint16_t)(index + 1);
	return 0;

err_free:
	frame_free(pfn, (size_t)1 << rings_order(queue->size), OWNER_VIRTQUEUES);
	queue->desc = NULL;
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
		frame_free(paddr_to_pfn(virt_to_phys((void *)(uintptr_t)queue->desc)),
			   (size_t)1 << rings_order(queue->size), OWNER_VIRTQUEUES);
	else
		log_warn("virtio: %s: not reset: the frames of queue %u stay with it",
			 device->address, queue->index);
	queue->desc = NULL;
	queue->broken = true;
}

/*
 * Fills free descriptors, in the order of the shadow's free chain; returns the
 * one behind the last. The chain's end is its missing NEXT flag.
 */
static uint16_t fill_chain(struct virtq *queue, const struct virtq_buffer *buffers, unsigned count)
{
	uint16_t i = queue->free_head;

	for (unsigned k = 0; k < count; k++) {
		uint16_t flags = buffers[k].device_writes ? VIRTQ_DESC_F_WRITE : 0;

		if (k + 1 < count)
			flags |= VIRTQ_DESC_F_NEXT;
		queue->desc[i].addr = cpu_to_le64(buffers[k].address);
		queue->desc[i].len = cpu_to_le32(buffers[k].length);
		queue->desc[i].flags = cpu_to_le16(flags);
		queue->desc[i].next = cpu_to_le16(k + 1 < count ? queue->shadow[i].next : 0);
		i = queue->shadow[i].next;
	}
	return i;
}

int virtq_add(struct virtq *queue, const struct virtq_buffer *buffers, unsigned count, void *token)
{
	uint16_t head = queue->free_head;

	if (queue->broken)
		return -EIO;
	if (count == 0 || token == NULL)
		return -EINVAL;
	if (count > queue->free_count)
		return -ENOSPC;
	queue->free_head = fill_chain(queue, buffers, count);
	queue->free_count = (uint16_t)(queue->free_count - count);
	queue->shadow[head].token = token;
	queue->shadow[head].chain = (uint16_t)count;
	/* The device does not look at this entry before avail->idx covers it. */
	queue->avail->ring[queue->avail_idx & (queue->size - 1)] = cpu_to_le16(head);
	queue->avail_idx++;
	return 0;
}

void virtq_kick(struct virtq *queue)
{
	if (queue->broken)
		return;
	/* Descriptors and ring entries are there before the count that covers them. */
	dma_store_barrier();
	queue->avail->idx = cpu_to_le16(queue->avail_idx);
	/*
	 * The count is there before we read whether the device sleeps. The
	 * other way round, it could go to sleep between our two accesses: it
	 * would see no new count, and we no wish for a notification.
	 */
	dma_full_barrier();
	if (le16_to_cpu(queue->used->flags) & VIRTQ_USED_F_NO_NOTIFY)
		return;
	queue->notifications++;
	queue->device->transport->queue_notify(queue->device, queue);
}

static int break_queue(struct virtq *queue, const char *why)
{
	queue->broken = true;
	virtio_break(queue->device, why);
	return -EIO;
}

/* Back into the chain of free descriptors; what desc[] says is not asked. */
static void free_chain(struct virtq *queue, uint16_t head)
{
	uint16_t tail = head;

	for (uint16_t k = 1; k < queue->shadow[head].chain; k++)
		tail = queue->shadow[tail].next;
	queue->shadow[tail].next = queue->free_head;
	queue->free_head = head;
	queue->free_count = (uint16_t)(queue->free_count + queue->shadow[head].chain);
	queue->shadow[head].token = NULL;
	queue->shadow[head].chain = 0;
}

int virtq_get_used(struct virtq *queue, void **token, uint32_t *written)
{
	volatile struct virtq_used_elem *entry;
	uint16_t new_entries;
	uint32_t id;

	if (queue->broken)
		return -EIO;
	new_entries = (uint16_t)(le16_to_cpu(queue->used->idx) - queue->last_used);
	if (new_entries == 0)
		return 0;
	/* One used entry for one chain: avail_idx - last_used are in flight. */
	if (new_entries > (uint16_t)(queue->avail_idx - queue->last_used))
		return break_queue(queue, "used index beyond what is in flight");
	/* The count is read before the entry that it covers, and before the buffer. */
	dma_load_barrier();
	entry = &queue->used->ring[queue->last_used & (queue->size - 1)];
	id = le32_to_cpu(entry->id); /* once: the device could change it */
	if (id >= queue->size || queue->shadow[id].token == NULL)
		return break_queue(queue, "a used entry names no chain in flight");
	if (written != NULL)
		*written = le32_to_cpu(entry->len);
	*token = queue->shadow[id].token;
	queue->last_used++;
	free_chain(queue, (uint16_t)id);
	return 1;
}

bool virtq_has_used(const struct virtq *queue)
{
	return queue->broken || le16_to_cpu(queue->used->idx) != queue->last_used;
}

void virtq_set_interrupts(struct virtq *queue, bool wanted)
{
	if (queue->broken)
		return;
	queue->avail->flags = cpu_to_le16(wanted ? 0 : VIRTQ_AVAIL_F_NO_INTERRUPT);
	/* The wish is there before the caller's last look at the used ring. */
	dma_full_barrier();
}
