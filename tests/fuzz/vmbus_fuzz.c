/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The rings of a channel, beside a host that writes whatever the input says, wherever it likes in
 * them. The driver reads nothing beyond the rings, keeps its own place, believes no length, and
 * stays with what it has found wrong. What an honest host writes is read as it was written.
 */
#include <errno.h>

#include "drivers/hyperv/vmbus_ring.h"
#include "tests/fuzz/fuzz.h"

#define DATA_PAGES 1
#define DATA_BYTES (DATA_PAGES * 4096)
#define HALF (4096 + DATA_BYTES)
#define ROOM 600

enum op {
	OP_WRITE, /* by the guest */
	OP_READ,
	OP_SEND, /* by the host, as it should be */
	OP_TAKE, /* all that is in its ring */
	OP_MASK,
	/* From here on it lies. */
	OP_EDIT,
	OP_INDEX,
	OPS,
};

static struct fuzz_input in;
static struct vmbus_rings rings;
static uint8_t *memory;
static bool lied;
static uint8_t expected[64]; /* the first bytes of packets that were sent, and not read */
static size_t expected_count;

static struct vmbus_ring *to_host(void)
{
	return (void *)memory;
}

static struct vmbus_ring *to_guest(void)
{
	return (void *)(memory + HALF);
}

static void put(uint32_t *at, const void *bytes, size_t size)
{
	for (size_t i = 0; i < size; i++, *at = (*at + 1) % DATA_BYTES)
		memory[HALF + 4096 + *at] = ((const uint8_t *)bytes)[i];
}

static void host_sends(void)
{
	uint8_t first = fuzz_byte(&in), payload[256];
	size_t words = 1 + first % 32;
	struct vmbus_packet packet = { .type = VMBUS_PACKET_INBAND,
				       .offset8 = 2,
				       .length8 = (uint16_t)(2 + words) };
	uint32_t at = to_guest()->write % DATA_BYTES, read = to_guest()->read;
	size_t bytes = (packet.length8 + 1u) * 8;
	uint64_t trailer = (uint64_t)at << 32;

	if (!lied && (read + DATA_BYTES - at - 1) % DATA_BYTES < bytes)
		return;
	if (expected_count == sizeof(expected))
		return;
	memset(payload, first, sizeof(payload));
	put(&at, &packet, sizeof(packet));
	put(&at, payload, words * 8);
	put(&at, &trailer, sizeof(trailer));
	to_guest()->write = at;
	expected[expected_count++] = first;
}

static void guest_reads(void)
{
	uint8_t payload[ROOM];
	size_t size = 0;
	bool signal;
	int err = vmbus_rings_read(&rings, payload, sizeof(payload), &size, &signal);

	fuzz_require(err == 0 || err == -EAGAIN || err == -EIO, "error %d", err);
	fuzz_require(err != -EIO || rings.fault, "an error without a reason");
	fuzz_require(err == 0 || !signal, "a signal for nothing");
	fuzz_require(err != 0 || size <= ROOM, "%zu bytes", size);
	if (lied)
		return;
	fuzz_require((err == 0) == (expected_count > 0), "what was sent is not there: %d", err);
	if (err)
		return;
	fuzz_require(size == 8 * (1 + expected[0] % 32u), "another size: %zu", size);
	for (size_t i = 0; i < size; i++)
		fuzz_require(payload[i] == expected[0], "another byte at %zu", i);
	memmove(expected, expected + 1, --expected_count);
}

static void guest_writes(void)
{
	uint8_t payload[ROOM] = { 0 };
	size_t size = 1 + fuzz_number(&in, 2) % ROOM;
	bool signal, room = vmbus_rings_have_room(&rings, size);
	uint32_t before = rings.out.index;
	int err = vmbus_rings_write(&rings, payload, size, 7, &signal);

	fuzz_require(err == 0 || err == -EAGAIN || err == -EIO, "error %d", err);
	fuzz_require(room == (err != -EAGAIN), "there is room, and there is not");
	fuzz_require(err == 0 || rings.out.index == before, "an error that moves");
	fuzz_require(lied || err != -EIO, "an honest host is broken");
}

static void edit(void)
{
	size_t at = fuzz_number(&in, 2) % (2 * HALF), length = fuzz_byte(&in) % 32;

	for (; length > 0 && at < 2 * HALF; length--)
		memory[at++] = fuzz_byte(&in);
}

static void move_index(void)
{
	uint8_t which = fuzz_byte(&in);
	struct vmbus_ring *ring = which & 1 ? to_host() : to_guest();
	uint32_t value = (uint32_t)fuzz_number(&in, which & 4 ? 4 : 2);

	*(which & 2 ? &ring->write : &ring->read) = which & 8 ? value & ~7u : value;
}

static void do_op(enum op op)
{
	switch (op) {
	case OP_WRITE:
		guest_writes();
		break;
	case OP_READ:
		guest_reads();
		break;
	case OP_SEND:
		host_sends();
		break;
	case OP_TAKE:
		to_host()->read = to_host()->write;
		break;
	case OP_MASK:
		vmbus_rings_want_signals(&rings, fuzz_byte(&in) & 1);
		to_guest()->pending_send_bytes = fuzz_byte(&in) * 16u;
		break;
	case OP_EDIT:
		lied = true;
		edit();
		break;
	default:
		lied = true;
		move_index();
		break;
	}
	fuzz_require(rings.in.index < DATA_BYTES && rings.out.index < DATA_BYTES, "lost its place");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	in = (struct fuzz_input){ data, data + size };
	memory = aligned_alloc(4096, 2 * HALF);
	memset(memory, 0, 2 * HALF);
	vmbus_rings_init(&rings, memory, DATA_PAGES);
	lied = false;
	expected_count = 0;
	while (fuzz_left(&in) > 0)
		do_op(fuzz_byte(&in) % OPS);
	free(memory);
	return 0;
}
