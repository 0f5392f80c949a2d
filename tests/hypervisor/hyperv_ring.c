/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The rings of a channel, from the host's side. In the ring to the host `write` is the guest's, and
 * `read` and `interrupt_mask` are the host's; in the ring to the guest it is the other way round,
 * and `pending_send_bytes` there is the host's, too. The host keeps its own index to itself, and
 * what lies about it in the guest's memory is only what it says. See drivers/hyperv/vmbus_abi.h.
 */
#include "tests/hypervisor/hyperv_host.h"

#include <string.h>

#include "tests/hypervisor/personality.h"

#define UNIT 8u /* all indices and lengths are multiples of it */

static void break_ring(struct host_ring *ring, const char *what)
{
	ring->broken = true;
	machine_violate(what);
}

/* ---- Where it lies ---- */

static struct vmbus_ring *control_of(struct host_ring *ring)
{
	struct vmbus_ring *control = ring->broken ? NULL
						  : machine_memory(ring->frame[0] << FRAME_BITS,
								   FRAME_BYTES);

	if (!control && !ring->broken)
		break_ring(ring, "a ring lies where the guest has no RAM");
	return control;
}

/* Copies from or to the data at `at`, around the end of it. Returns where it goes on. */
static uint32_t copy(struct host_ring *ring, uint32_t at, void *bytes, uint32_t count, bool write)
{
	uint8_t *other = bytes;

	while (count > 0 && !ring->broken) {
		uint32_t within = at % FRAME_BYTES, most = FRAME_BYTES - within;
		uint64_t frame = ring->frame[1 + at / FRAME_BYTES];
		uint8_t *data = machine_memory(frame << FRAME_BITS, FRAME_BYTES);
		uint32_t part = count < most ? count : most;

		if (!data) {
			break_ring(ring, "a ring lies where the guest has no RAM");
			break;
		}
		if (write)
			memcpy(data + within, other, part);
		else
			memcpy(other, data + within, part);
		other += part;
		count -= part;
		at = (at + part) % ring->bytes;
	}
	return at;
}

void ring_start(struct host_ring *ring, const uint64_t *frame, uint32_t frames, bool to_guest)
{
	const struct vmbus_ring *control;

	*ring = (struct host_ring){
		.frame = frame,
		.bytes = (frames - 1) * FRAME_BYTES,
		.to_guest = to_guest,
	};
	control = control_of(ring);
	if (control && (control->write != 0 || control->read != 0))
		break_ring(ring, "a ring was opened that is not empty");
}

/* ---- Indices ---- */

/* How many bytes are written and not read. */
static uint32_t used(const struct host_ring *ring, uint32_t write, uint32_t read)
{
	return write >= read ? write - read : ring->bytes - read + write;
}

static uint32_t *own_index(struct host_ring *ring, struct vmbus_ring *control)
{
	return ring->to_guest ? &control->write : &control->read;
}

static void store_index(struct host_ring *ring, struct vmbus_ring *control)
{
	uint32_t its_lie = ring->to_guest ? HYPERV_RING_WRITE : HYPERV_RING_READ;

	ring->stored = lie()->ring & its_lie ? lie()->ring_value : ring->index;
	*own_index(ring, control) = ring->stored;
}

/*
 * Reads the guest's index; as a reader it may only go on, and not past the host's. Returns whether
 * it is sound. If a lie was told about it, nothing that lies there is the guest's fault, or of use.
 */
static bool guests_index(struct host_ring *ring, const struct vmbus_ring *control, uint32_t *index)
{
	uint32_t its_lie = ring->to_guest ? HYPERV_RING_GUESTS_READ : HYPERV_RING_GUESTS_WRITE;
	uint32_t stored = ring->to_guest ? control->write : control->read;

	*index = ring->to_guest ? control->read : control->write;
	if (lie()->ring & its_lie)
		ring->broken = true;
	if (ring->broken)
		return false;
	if (stored != ring->stored) {
		break_ring(ring, "the guest wrote the host's index of a ring");
		return false;
	}
	if (*index >= ring->bytes || *index % UNIT != 0) {
		break_ring(ring, "the guest's index of a ring is none");
		return false;
	}
	if (ring->to_guest &&
	    used(ring, ring->index, *index) > used(ring, ring->index, ring->previous)) {
		break_ring(ring, "the guest has read what was never written");
		return false;
	}
	ring->previous = *index;
	return true;
}

void ring_work(struct host_ring *ring)
{
	struct vmbus_ring *control = control_of(ring);

	if (!control)
		return;
	if (*own_index(ring, control) == ring->stored)
		store_index(ring, control);
	if (ring->to_guest && lie()->ring & HYPERV_RING_GUESTS_READ)
		control->read = lie()->ring_value;
	if (!ring->to_guest && lie()->ring & HYPERV_RING_GUESTS_WRITE)
		control->write = lie()->ring_value;
	if (!ring->to_guest)
		control->interrupt_mask = wish()->polls != 0;
}

/* ---- From the guest ---- */

/* What a packet says of itself. Returns whether it may lie in `available` bytes. */
static bool check_packet(struct host_ring *ring, const struct vmbus_packet *packet,
			 uint32_t available)
{
	uint32_t length = packet->length8 * UNIT, offset = packet->offset8 * UNIT;

	if (offset < sizeof(*packet) || length < offset ||
	    length + VMBUS_PACKET_TRAILER > available) {
		break_ring(ring, "a packet in the ring is longer than what was written");
		return false;
	}
	if (packet->type != VMBUS_PACKET_INBAND) {
		break_ring(ring, "a packet in the ring is of a type that dm has not");
		return false;
	}
	return true;
}

/* Whether the guest waits for room of which there is enough now, and was not before. */
static bool is_awaited(const struct host_ring *ring, const struct vmbus_ring *control,
		       uint32_t used_before, uint32_t used_now)
{
	uint32_t wanted = control->pending_send_bytes;

	return wanted > 0 && control->features & VMBUS_RING_PENDING_SEND &&
	       ring->bytes - used_before <= wanted && ring->bytes - used_now > wanted;
}

bool ring_read(struct host_ring *ring, void *to, uint32_t most, uint32_t *bytes, bool *signal)
{
	struct vmbus_ring *control = control_of(ring);
	uint32_t write, available, offset, length, at;
	struct vmbus_packet packet;
	uint64_t trailer;

	if (!control || !guests_index(ring, control, &write))
		return false;
	available = used(ring, write, ring->index);
	if (available == 0)
		return false;
	if (available < sizeof(packet) + VMBUS_PACKET_TRAILER) {
		break_ring(ring, "a packet in the ring is shorter than any");
		return false;
	}
	at = copy(ring, ring->index, &packet, sizeof(packet), false);
	if (!check_packet(ring, &packet, available))
		return false;
	offset = packet.offset8 * UNIT;
	length = packet.length8 * UNIT;
	at = (at + offset - (uint32_t)sizeof(packet)) % ring->bytes;
	*bytes = length - offset < most ? length - offset : most;
	copy(ring, at, to, *bytes, false);
	copy(ring, (ring->index + length) % ring->bytes, &trailer, sizeof(trailer), false);
	if (ring->broken)
		return false;
	if (trailer != (uint64_t)ring->index << 32) {
		break_ring(ring, "a packet's trailer does not say where it began");
		return false;
	}
	ring->index = (ring->index + length + VMBUS_PACKET_TRAILER) % ring->bytes;
	store_index(ring, control);
	*signal = is_awaited(ring, control, available, used(ring, write, ring->index));
	seen()->packets_in++;
	return true;
}

/* ---- To the guest ---- */

static struct vmbus_packet packet_of(uint32_t length)
{
	struct vmbus_packet packet = {
		.type = VMBUS_PACKET_INBAND,
		.offset8 = sizeof(packet) / UNIT,
		.length8 = (uint16_t)(length / UNIT),
	};

	if (lie()->ring & HYPERV_RING_TYPE)
		packet.type = (uint16_t)lie()->ring_value;
	if (lie()->ring & HYPERV_RING_OFFSET)
		packet.offset8 = (uint16_t)lie()->ring_value;
	if (lie()->ring & HYPERV_RING_LENGTH)
		packet.length8 = (uint16_t)lie()->ring_value;
	return packet;
}

/* The header, the payload filled up to a whole unit, and where it began. */
static uint32_t put_packet(struct host_ring *ring, const void *payload, uint32_t bytes)
{
	uint32_t padding = -bytes % UNIT;
	uint64_t zero = 0, trailer = (uint64_t)ring->index << 32;
	struct vmbus_packet packet = packet_of((uint32_t)sizeof(packet) + bytes + padding);
	uint32_t at = copy(ring, ring->index, &packet, sizeof(packet), true);

	if (lie()->ring & HYPERV_RING_TRAILER)
		trailer = lie()->ring_value;
	at = copy(ring, at, (void *)(uintptr_t)payload, bytes, true);
	at = copy(ring, at, &zero, padding, true);
	return copy(ring, at, &trailer, sizeof(trailer), true);
}

bool ring_write(struct host_ring *ring, const void *payload, uint32_t bytes, bool *signal)
{
	uint32_t length = (uint32_t)sizeof(struct vmbus_packet) + bytes + -bytes % UNIT +
			  VMBUS_PACKET_TRAILER;
	struct vmbus_ring *control = control_of(ring);
	uint32_t read, in_use, at;

	if (!control || !guests_index(ring, control, &read))
		return false;
	/* A guest that can say when there is room has to. */
	if (ring->wants_room && control->features & VMBUS_RING_PENDING_SEND)
		return false;
	in_use = used(ring, ring->index, read);
	/* Full to the last byte would look empty. */
	if (ring->bytes - in_use <= length) {
		if (!ring->wants_room)
			seen()->ring_full++;
		ring->wants_room = true;
		control->pending_send_bytes = length;
		return false;
	}
	ring->wants_room = false;
	control->pending_send_bytes = 0;
	at = put_packet(ring, payload, bytes);
	if (ring->broken)
		return false;
	ring->index = at;
	store_index(ring, control);
	/* Who still has something to read looks again by itself. */
	*signal = in_use == 0 && control->interrupt_mask == 0;
	seen()->packets_out++;
	return true;
}

bool ring_take_room(struct host_ring *ring)
{
	bool wanted = ring->wants_room;

	ring->wants_room = false;
	return wanted;
}
