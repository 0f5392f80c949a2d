/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Packets in a ring. The writer publishes by `write`, the reader gives room back by `read`; both
 * are offsets into the data, multiples of 8, and equal where it is empty.
 *
 *	write: data, barrier, `write`, barrier, then look whether the reader sleeps
 *	read:  `write`, barrier, data, barrier, `read`, barrier, then look whether the writer waits
 */
#include "drivers/hyperv/vmbus_ring.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "arch/barrier.h"
#include "kernel/lib/types.h"

#define WORD 8u /* bytes: all is a multiple of it */

static uint32_t load(const uint32_t *shared)
{
	return __atomic_load_n(shared, __ATOMIC_RELAXED);
}

static void store(uint32_t *shared, uint32_t value)
{
	__atomic_store_n(shared, value, __ATOMIC_RELAXED);
}

static void init_half(struct vmbus_ring_half *half, uint8_t *memory, size_t data_pages)
{
	half->control = (struct vmbus_ring *)(void *)memory;
	half->data = memory + FRAME_SIZE;
	half->size = (uint32_t)(data_pages * FRAME_SIZE);
	half->index = 0;
	half->control->features = VMBUS_RING_PENDING_SEND;
}

void vmbus_rings_init(struct vmbus_rings *rings, void *memory, size_t data_pages)
{
	assert(data_pages > 0 && (uintptr_t)memory % FRAME_SIZE == 0);
	init_half(&rings->out, memory, data_pages);
	init_half(&rings->in, (uint8_t *)memory + (1 + data_pages) * FRAME_SIZE, data_pages);
	rings->fault = NULL;
}

static int break_rings(struct vmbus_rings *rings, const char *why)
{
	rings->fault = why;
	return -EIO;
}

/* What a payload takes in a ring. */
static uint32_t packet_bytes(size_t size)
{
	return (uint32_t)(sizeof(struct vmbus_packet) + align_up(size, WORD) +
			  VMBUS_PACKET_TRAILER);
}

/* The longest payload that fits an empty ring. */
static size_t payload_max(const struct vmbus_ring_half *half)
{
	return half->size - WORD - packet_bytes(0);
}

/* Bytes from one offset to another, in the ring's direction. */
static uint32_t distance(const struct vmbus_ring_half *half, uint32_t from, uint32_t to)
{
	return to >= from ? to - from : half->size - from + to;
}

static bool is_offset(const struct vmbus_ring_half *half, uint32_t offset)
{
	return offset < half->size && offset % WORD == 0;
}

static uint32_t advance(const struct vmbus_ring_half *half, uint32_t offset, uint32_t bytes)
{
	offset += bytes;
	return offset >= half->size ? offset - half->size : offset;
}

/* ---- Bytes, around the end ---- */

static uint32_t put(struct vmbus_ring_half *half, uint32_t at, const void *bytes, size_t size)
{
	size_t first = min_u64(size, half->size - at);

	memcpy(half->data + at, bytes, first);
	memcpy(half->data, (const uint8_t *)bytes + first, size - first);
	return advance(half, at, (uint32_t)size);
}

static uint32_t get(const struct vmbus_ring_half *half, uint32_t at, void *bytes, size_t size)
{
	size_t first = min_u64(size, half->size - at);

	memcpy(bytes, half->data + at, first);
	memcpy((uint8_t *)bytes + first, half->data, size - first);
	return advance(half, at, (uint32_t)size);
}

/* ---- Writing ---- */

/* Stores how many bytes may be written: never so many that a full ring looks empty. */
static int room_out(struct vmbus_rings *rings, uint32_t *room)
{
	const struct vmbus_ring_half *out = &rings->out;
	uint32_t read = load(&out->control->read);

	if (rings->fault)
		return -EIO;
	if (!is_offset(out, read))
		return break_rings(rings, "it has read up to where no packet can end");
	/* The host has taken what is before `read` before that is written over. */
	dma_load_barrier();
	*room = out->size - distance(out, read, out->index) - WORD;
	return 0;
}

/*
 * A host that makes room looks at what is asked for after it has moved `read`: so one of both
 * sees the other.
 */
static int wait_for_room(struct vmbus_rings *rings, uint32_t bytes)
{
	uint32_t room;
	int err;

	store(&rings->out.control->pending_send_bytes, bytes);
	dma_full_barrier();
	err = room_out(rings, &room);
	if (err)
		return err;
	return room >= bytes ? 0 : -EAGAIN;
}

static void put_packet(struct vmbus_ring_half *out, const void *payload, size_t size,
		       uint64_t transaction)
{
	static const uint8_t padding[WORD];
	uint64_t trailer = (uint64_t)out->index << 32;
	struct vmbus_packet packet = {
		.type = VMBUS_PACKET_INBAND,
		.offset8 = sizeof(packet) / WORD,
		.length8 = (uint16_t)((sizeof(packet) + align_up(size, WORD)) / WORD),
		.transaction = transaction,
	};
	uint32_t at = put(out, out->index, &packet, sizeof(packet));

	at = put(out, at, payload, size);
	at = put(out, at, padding, align_up(size, WORD) - size);
	out->index = put(out, at, &trailer, sizeof(trailer));
}

/* The mask is read before `read`: a host that takes it off then looks once more by itself. */
static bool reader_sleeps(const struct vmbus_ring_half *out, uint32_t written_before)
{
	if (load(&out->control->interrupt_mask))
		return false;
	dma_load_barrier();
	return load(&out->control->read) == written_before;
}

int vmbus_rings_write(struct vmbus_rings *rings, const void *payload, size_t size,
		      uint64_t transaction, bool *signal)
{
	struct vmbus_ring_half *out = &rings->out;
	uint32_t bytes = packet_bytes(size), before = out->index, room;
	int err;

	assert(size > 0 && size <= payload_max(out));
	*signal = false;
	err = room_out(rings, &room);
	if (!err && room < bytes)
		err = wait_for_room(rings, bytes);
	if (err)
		return err;
	store(&out->control->pending_send_bytes, 0);
	put_packet(out, payload, size, transaction);
	dma_store_barrier();
	store(&out->control->write, out->index);
	dma_full_barrier();
	*signal = reader_sleeps(out, before);
	return 0;
}

bool vmbus_rings_have_room(struct vmbus_rings *rings, size_t size)
{
	uint32_t room;

	return room_out(rings, &room) || room >= packet_bytes(size);
}

/* ---- Reading ---- */

/* Stores how many bytes the host has written, and nobody has read. */
static int filled_in(struct vmbus_rings *rings, uint32_t *filled)
{
	const struct vmbus_ring_half *in = &rings->in;
	uint32_t write = load(&in->control->write);

	if (rings->fault)
		return -EIO;
	if (!is_offset(in, write))
		return break_rings(rings, "it has written up to where no packet can end");
	dma_load_barrier();
	*filled = distance(in, in->index, write);
	return *filled > 0 ? 0 : -EAGAIN;
}

/* What is wrong with a packet, of which a copy is looked at; NULL: nothing. */
static const char *wrong_with(const struct vmbus_packet *packet, uint32_t filled, size_t room)
{
	uint32_t length = packet->length8 * WORD;
	uint32_t offset = packet->offset8 * WORD;

	if (length + VMBUS_PACKET_TRAILER > filled)
		return "a packet is longer than what it has written";
	if (offset < sizeof(*packet) || offset > length)
		return "a packet's payload lies outside of it";
	if (packet->type != VMBUS_PACKET_INBAND)
		return "a packet is of a kind that nobody asked for";
	if (length - offset > room)
		return "a packet is longer than a message may be";
	return NULL;
}

/*
 * A host that waits for room has said for how much before its last look at `read`. It is signalled
 * when there is as much for the first time. How much it has written by then it says as it waits:
 * that may be more than there was to read.
 */
static bool writer_waits(const struct vmbus_ring_half *in, uint32_t bytes)
{
	uint32_t wanted = load(&in->control->pending_send_bytes), write, room;

	dma_load_barrier();
	write = load(&in->control->write);
	/* The next look at it will tell. */
	if (!is_offset(in, write))
		return false;
	room = in->size - distance(in, in->index, write);
	/* There always is some room, so 0 is no wish. */
	return room - bytes <= wanted && room > wanted;
}

int vmbus_rings_read(struct vmbus_rings *rings, void *payload, size_t room, size_t *size,
		     bool *signal)
{
	struct vmbus_ring_half *in = &rings->in;
	struct vmbus_packet packet;
	uint32_t filled, bytes, skip;
	const char *wrong;
	int err = filled_in(rings, &filled);

	*signal = false;
	if (err)
		return err;
	if (filled < packet_bytes(0))
		return break_rings(rings, "it has written less than a packet");
	get(in, in->index, &packet, sizeof(packet));
	wrong = wrong_with(&packet, filled, room);
	if (wrong)
		return break_rings(rings, wrong);
	skip = packet.offset8 * WORD;
	*size = packet.length8 * WORD - skip;
	get(in, advance(in, in->index, skip), payload, *size);
	bytes = packet.length8 * WORD + VMBUS_PACKET_TRAILER;
	in->index = advance(in, in->index, bytes);
	/* All of it has been read before the host may write there again. */
	dma_load_barrier();
	dma_store_barrier();
	store(&in->control->read, in->index);
	dma_full_barrier();
	*signal = writer_waits(in, bytes);
	return 0;
}

bool vmbus_rings_have_packet(const struct vmbus_rings *rings)
{
	return rings->fault || load(&rings->in.control->write) != rings->in.index;
}

void vmbus_rings_want_signals(struct vmbus_rings *rings, bool wanted)
{
	store(&rings->in.control->interrupt_mask, !wanted);
	dma_full_barrier();
}
