/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The device's side of virtqueues, split (virtio 1.3, 2.7) and packed (2.8),
 * with indirect tables and event suppression; see sim_virtio.h. Written from
 * the specification's words for devices: it asks for single steps where the
 * driver computes with differences, and shares only the ring structures.
 */
#include <string.h>

#include "arch/paging.h"
#include "tests/sim/sim_virtio.h"

static bool negotiated(const struct sim_virtio *sim, unsigned bit)
{
	return sim->driver_features >> bit & 1;
}

static bool is_packed(const struct sim_virtio *sim)
{
	return negotiated(sim, VIRTIO_F_RING_PACKED);
}

static struct virtq_avail *avail_ring(const struct sim_virtio_queue *queue)
{
	return phys_to_virt(queue->avail);
}

static struct virtq_used *used_ring(const struct sim_virtio_queue *queue)
{
	return phys_to_virt(queue->used);
}

static struct virtq_packed_desc *packed_ring(const struct sim_virtio_queue *queue)
{
	return phys_to_virt(queue->desc);
}

static void put16(void *at, uint16_t value)
{
	le16 wire = cpu_to_le16(value);

	memcpy(at, &wire, sizeof(wire));
}

static uint16_t get16(const void *at)
{
	le16 wire;

	memcpy(&wire, at, sizeof(wire));
	return le16_to_cpu(wire);
}

static void put_avail_event(const struct sim_virtio_queue *queue, uint16_t event)
{
	put16(&used_ring(queue)->ring[queue->size], event);
}

/* Each of these returns what the driver did wrong, or NULL. */

static const char *add_buffer(struct sim_virtio_chain *chain, le64 addr, le32 len, uint16_t flags)
{
	struct virtq_buffer *buffer = &chain->buffer[chain->count];

	if (chain->count == SIM_VIRTIO_CHAIN_MAX)
		return "a chain of more buffers than a device takes";
	buffer->address = le64_to_cpu(addr);
	buffer->length = le32_to_cpu(len);
	buffer->device_writes = flags & VIRTQ_DESC_F_WRITE;
	if (chain->count > 0 && buffer[-1].device_writes && !buffer->device_writes)
		return "a buffer to be read after one to be written"; /* 2.7.4.2 */
	chain->count++;
	return NULL;
}

static const char *check_indirect(const struct sim_virtio *sim, uint16_t flags, uint32_t length)
{
	if (!negotiated(sim, VIRTIO_F_INDIRECT_DESC))
		return "an indirect table without INDIRECT_DESC";
	if (flags & VIRTQ_DESC_F_NEXT)
		return "INDIRECT together with NEXT";
	if (length == 0 || length % sizeof(struct virtq_desc) != 0)
		return "an indirect table of a bad length";
	return NULL;
}

static const char *read_table(const struct virtq_desc *desc, uint32_t count,
			      struct sim_virtio_chain *chain)
{
	uint16_t i = 0;

	for (;;) {
		uint16_t flags = le16_to_cpu(desc[i].flags);
		const char *wrong = add_buffer(chain, desc[i].addr, desc[i].len, flags);

		if (wrong)
			return wrong;
		if (flags & VIRTQ_DESC_F_INDIRECT)
			return "an indirect table in an indirect table";
		if (!(flags & VIRTQ_DESC_F_NEXT))
			return chain->count == count ? NULL : "a table longer than its chain";
		i = le16_to_cpu(desc[i].next);
		if (i >= count)
			return "a descriptor beyond its table";
	}
}

static const char *read_packed_table(const struct virtq_packed_desc *desc, uint32_t count,
				     struct sim_virtio_chain *chain)
{
	for (uint32_t i = 0; i < count; i++) {
		uint16_t flags = le16_to_cpu(desc[i].flags);
		const char *wrong = add_buffer(chain, desc[i].addr, desc[i].len, flags);

		if (wrong)
			return wrong;
		if (flags & ~VIRTQ_DESC_F_WRITE)
			return "a packed table with flags other than WRITE";
	}
	return NULL;
}

static const char *read_split(const struct sim_virtio *sim, const struct sim_virtio_queue *queue,
			      struct sim_virtio_chain *chain)
{
	const struct virtq_desc *desc = phys_to_virt(queue->desc);
	uint16_t i = chain->head;

	for (;;) {
		const char *wrong;
		uint16_t flags;
		uint32_t len;

		if (i >= queue->size)
			return "a descriptor beyond the queue";
		flags = le16_to_cpu(desc[i].flags);
		len = le32_to_cpu(desc[i].len);
		if (flags & VIRTQ_DESC_F_INDIRECT) {
			wrong = check_indirect(sim, flags, len);
			return wrong ? wrong
				     : read_table(phys_to_virt(le64_to_cpu(desc[i].addr)), len / 16,
						  chain);
		}
		wrong = add_buffer(chain, desc[i].addr, desc[i].len, flags);
		if (wrong || !(flags & VIRTQ_DESC_F_NEXT))
			return wrong;
		i = le16_to_cpu(desc[i].next);
	}
}

static void step(const struct sim_virtio_queue *queue, uint16_t *at, bool *wrap)
{
	if (++*at == queue->size) {
		*at = 0;
		*wrap = !*wrap;
	}
}

/* 2.8.1: the driver sets AVAIL to its counter and USED to the inverse. */
static bool is_available(const struct sim_virtio_queue *queue, uint16_t at, bool wrap)
{
	uint16_t flags = le16_to_cpu(packed_ring(queue)[at].flags);

	return !!(flags & VIRTQ_DESC_F_AVAIL) == wrap && !!(flags & VIRTQ_DESC_F_USED) != wrap;
}

static const char *read_packed(const struct sim_virtio *sim, struct sim_virtio_queue *queue,
			       struct sim_virtio_chain *chain)
{
	uint16_t slots = 0;
	uint16_t flags;

	do {
		const struct virtq_packed_desc *desc = &packed_ring(queue)[queue->last_avail];
		const char *wrong;

		if (!is_available(queue, queue->last_avail, queue->avail_wrap))
			return "a chain that was published in part";
		flags = le16_to_cpu(desc->flags);
		wrong = flags & VIRTQ_DESC_F_INDIRECT
				? check_indirect(sim, flags, le32_to_cpu(desc->len))
				: add_buffer(chain, desc->addr, desc->len, flags);
		if (!wrong && (flags & VIRTQ_DESC_F_INDIRECT))
			wrong = read_packed_table(phys_to_virt(le64_to_cpu(desc->addr)),
						  le32_to_cpu(desc->len) / 16, chain);
		if (wrong)
			return wrong;
		chain->head = le16_to_cpu(desc->id);
		slots++;
		step(queue, &queue->last_avail, &queue->avail_wrap);
	} while (flags & VIRTQ_DESC_F_NEXT);
	if (chain->head >= queue->size)
		return "a buffer id beyond the queue";
	if (queue->slots[chain->head] != 0)
		return "a buffer id that is in flight already";
	queue->slots[chain->head] = slots;
	return NULL;
}

static bool pop_head(struct sim_virtio *sim, struct sim_virtio_queue *queue, uint16_t *head)
{
	const struct virtq_avail *avail = avail_ring(queue);
	uint16_t offered;

	if (is_packed(sim))
		return is_available(queue, queue->last_avail, queue->avail_wrap);
	offered = (uint16_t)(le16_to_cpu(avail->idx) - queue->last_avail);
	if (offered > queue->size)
		sim_virtio_violate(sim, "more chains than the ring has entries");
	if (offered == 0)
		return false;
	*head = le16_to_cpu(avail->ring[queue->last_avail % queue->size]);
	queue->last_avail++;
	return true;
}

bool sim_virtio_pop(struct sim_virtio *sim, unsigned index, struct sim_virtio_chain *chain)
{
	struct sim_virtio_queue *queue = &sim->queue[index];
	const char *wrong;

	chain->count = 0;
	if (!queue->enabled || !pop_head(sim, queue, &chain->head))
		return false;
	wrong = is_packed(sim) ? read_packed(sim, queue, chain) : read_split(sim, queue, chain);
	if (!wrong && chain->count > queue->size)
		wrong = "a chain longer than the queue";
	if (wrong) {
		sim_virtio_violate(sim, wrong);
		return false;
	}
	/* As QEMU: the next chain is wanted to be told. */
	if (!is_packed(sim) && negotiated(sim, VIRTIO_F_EVENT_IDX) && !queue->own_event)
		put_avail_event(queue, queue->last_avail);
	return true;
}

static bool push_split(struct sim_virtio *sim, struct sim_virtio_queue *queue, uint32_t id,
		       uint32_t written)
{
	struct virtq_used *used = used_ring(queue);
	struct virtq_used_elem *entry = &used->ring[queue->used_idx % queue->size];
	uint16_t flags = le16_to_cpu(avail_ring(queue)->flags);
	uint16_t this_entry = queue->used_idx;

	entry->id = cpu_to_le32(id);
	entry->len = cpu_to_le32(written);
	queue->used_idx++;
	used->idx = cpu_to_le16(queue->used_idx);
	if (!negotiated(sim, VIRTIO_F_EVENT_IDX))
		return !(flags & VIRTQ_AVAIL_F_NO_INTERRUPT);
	if (flags != 0)
		sim_virtio_violate(sim, "flags of the available ring with EVENT_IDX"); /* 2.7.7.1 */
	return get16(&avail_ring(queue)->ring[queue->size]) == this_entry;
}

/* Whether one of the `slots` from here on is the one that the driver named. */
static bool is_event_among(const struct sim_virtio_queue *queue, uint16_t off_wrap, uint16_t slots)
{
	uint16_t at = queue->used_idx;
	bool wrap = queue->used_wrap;

	for (; slots > 0; slots--) {
		if (off_wrap == (at | (wrap ? VIRTQ_EVENT_WRAP : 0)))
			return true;
		step(queue, &at, &wrap);
	}
	return false;
}

static bool packed_interrupt_wanted(struct sim_virtio *sim, const struct sim_virtio_queue *queue,
				    uint16_t slots)
{
	const struct virtq_event *event = phys_to_virt(queue->avail);

	switch (le16_to_cpu(event->flags)) {
	case VIRTQ_EVENT_ENABLE:
		return true;
	case VIRTQ_EVENT_DISABLE:
		return false;
	case VIRTQ_EVENT_DESC:
		if (!negotiated(sim, VIRTIO_F_EVENT_IDX))
			sim_virtio_violate(sim, "an event by descriptor without EVENT_IDX");
		return is_event_among(queue, le16_to_cpu(event->off_wrap), slots);
	default:
		sim_virtio_violate(sim, "reserved flags of event suppression");
		return true;
	}
}

/* An id that has no chain takes one slot, as a device gone wild would do it. */
static bool push_packed(struct sim_virtio *sim, struct sim_virtio_queue *queue, uint32_t id,
			uint32_t written)
{
	struct virtq_packed_desc *desc = &packed_ring(queue)[queue->used_idx];
	uint16_t slots = id < queue->size && queue->slots[id] != 0 ? queue->slots[id] : 1;
	bool wanted = packed_interrupt_wanted(sim, queue, slots);
	uint16_t marks = VIRTQ_DESC_F_AVAIL | VIRTQ_DESC_F_USED;

	desc->id = cpu_to_le16((uint16_t)id);
	desc->len = cpu_to_le32(written);
	desc->flags = cpu_to_le16(queue->used_wrap ? marks : 0);
	if (id < queue->size)
		queue->slots[id] = 0;
	for (uint16_t i = 0; i < slots; i++)
		step(queue, &queue->used_idx, &queue->used_wrap);
	return wanted;
}

void sim_virtio_push(struct sim_virtio *sim, unsigned index, uint32_t id, uint32_t written)
{
	struct sim_virtio_queue *queue = &sim->queue[index];

	if (is_packed(sim) ? push_packed(sim, queue, id, written)
			   : push_split(sim, queue, id, written))
		sim_virtio_interrupt(sim, VIRTIO_ISR_QUEUE);
}

void sim_virtio_set_used_idx(struct sim_virtio *sim, unsigned index, uint16_t idx)
{
	sim->queue[index].used_idx = idx;
	used_ring(&sim->queue[index])->idx = cpu_to_le16(idx);
}

void sim_virtio_set_no_notify(struct sim_virtio *sim, unsigned index, bool wanted)
{
	struct sim_virtio_queue *queue = &sim->queue[index];
	struct virtq_event *event = phys_to_virt(queue->used);

	queue->own_event = wanted;
	if (is_packed(sim))
		event->flags = cpu_to_le16(wanted ? VIRTQ_EVENT_DISABLE : VIRTQ_EVENT_ENABLE);
	else if (negotiated(sim, VIRTIO_F_EVENT_IDX))
		put_avail_event(queue, (uint16_t)(queue->last_avail - wanted));
	else
		used_ring(queue)->flags = cpu_to_le16(wanted ? VIRTQ_USED_F_NO_NOTIFY : 0);
}

void sim_virtio_notify_after(struct sim_virtio *sim, unsigned index, uint16_t count)
{
	struct sim_virtio_queue *queue = &sim->queue[index];
	struct virtq_event *event = phys_to_virt(queue->used);
	uint16_t at = queue->last_avail;
	bool wrap = queue->avail_wrap;

	queue->own_event = true;
	if (!is_packed(sim)) {
		put_avail_event(queue, (uint16_t)(queue->last_avail + count - 1));
		return;
	}
	for (uint16_t i = 1; i < count; i++)
		step(queue, &at, &wrap);
	event->off_wrap = cpu_to_le16((uint16_t)(at | (wrap ? VIRTQ_EVENT_WRAP : 0)));
	event->flags = cpu_to_le16(VIRTQ_EVENT_DESC);
}

uint16_t sim_virtio_next_available(const struct sim_virtio *sim, unsigned index)
{
	const struct sim_virtio_queue *queue = &sim->queue[index];
	uint16_t at = queue->last_avail;
	bool wrap = queue->avail_wrap;

	if (!is_packed(sim))
		return le16_to_cpu(avail_ring(queue)->idx);
	for (uint16_t i = 0; i < queue->size && is_available(queue, at, wrap); i++)
		step(queue, &at, &wrap);
	return (uint16_t)(at | (wrap ? VIRTQ_EVENT_WRAP : 0));
}
