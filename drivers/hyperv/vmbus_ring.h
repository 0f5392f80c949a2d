/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * vmbus_ring.c: the two rings of a channel, each a page of control and pages of data. The guest
 * writes into one and reads the other. What it knows itself, as how far it has written, is kept
 * here and never read back; each word of the host's is read once, and checked before it is used.
 * A ring that the host has broken stays broken.
 *
 * Pure: memory and numbers, no hypercalls, no waits. Sizes are in bytes.
 */
#ifndef DRIVERS_HYPERV_VMBUS_RING_H
#define DRIVERS_HYPERV_VMBUS_RING_H

#include "drivers/hyperv/vmbus_abi.h"
#include "kernel/lib/types.h"

/* One of the two. */
struct vmbus_ring_half {
	struct vmbus_ring *control; /* shared with the host */
	uint8_t *data;		    /* likewise */
	uint32_t size;		    /* of the data */
	uint32_t index;		    /* this side's own: `write` or `read` */
};

struct vmbus_rings {
	struct vmbus_ring_half out; /* from the guest to the host */
	struct vmbus_ring_half in;
	const char *fault; /* what the host has done to them; NULL: nothing */
};

/* Lays both over `memory`, which is zeroed: 2 * (1 + data_pages) pages. */
void vmbus_rings_init(struct vmbus_rings *rings, void *memory, size_t data_pages);

/*
 * Writes a packet, in band, which must fit an empty ring, and lets the host see it; stores whether
 * the host wants to be signalled. -EAGAIN: there is no room, and the host has been told for how
 * much to wake us; -EIO: it has broken the rings.
 */
int vmbus_rings_write(struct vmbus_rings *rings, const void *payload, size_t size,
		      uint64_t transaction, bool *signal);

/* Tells whether a payload of `size` would be written, or would fail for good. */
bool vmbus_rings_have_room(struct vmbus_rings *rings, size_t size);

/*
 * Copies the next packet's payload, and takes the packet out of the ring; stores whether the host
 * waits for the room and wants to be signalled. -EAGAIN: there is none; -EIO: the host has broken
 * the rings, as by a packet with more than `room` bytes of payload.
 */
int vmbus_rings_read(struct vmbus_rings *rings, void *payload, size_t room, size_t *size,
		     bool *signal);

/* Tells whether vmbus_rings_read() would find a packet, or an error. With interrupts off, too. */
bool vmbus_rings_have_packet(const struct vmbus_rings *rings);

/* Says whether the host is to signal when it has written; it sees that before any later look. */
void vmbus_rings_want_signals(struct vmbus_rings *rings, bool wanted);

#endif
