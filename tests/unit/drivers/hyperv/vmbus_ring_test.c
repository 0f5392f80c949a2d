/* SPDX-License-Identifier: BSD-2-Clause */
/* Tests of drivers/hyperv/vmbus_ring.c: the host's side is played by hand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "drivers/hyperv/vmbus_ring.h"
#include "kernel/lib/types.h"

#define DATA_PAGES 1
#define SIZE (DATA_PAGES * 4096)
#define ROOM 512

static struct vmbus_rings rings;
static uint8_t *memory;
static uint8_t got[ROOM];
static size_t got_size;
static bool signal;

static int begin(void **state)
{
	(void)state;
	memory = aligned_alloc(4096, 2 * (1 + DATA_PAGES) * 4096);
	memset(memory, 0, 2 * (1 + DATA_PAGES) * 4096);
	vmbus_rings_init(&rings, memory, DATA_PAGES);
	return 0;
}

static int end(void **state)
{
	(void)state;
	free(memory);
	return 0;
}

/* ---- The host ---- */

static struct vmbus_ring *to_host(void)
{
	return (void *)memory;
}

static struct vmbus_ring *to_guest(void)
{
	return (void *)(memory + (1 + DATA_PAGES) * 4096);
}

static uint8_t *data_of(struct vmbus_ring *ring)
{
	return (uint8_t *)ring + 4096;
}

static void host_put(const void *bytes, size_t size)
{
	struct vmbus_ring *ring = to_guest();

	for (size_t i = 0; i < size; i++)
		data_of(ring)[(ring->write + i) % SIZE] = ((const uint8_t *)bytes)[i];
	ring->write = (uint32_t)((ring->write + size) % SIZE);
}

/* A packet as it should be, but for what `change` does to it. */
static void host_send(const void *payload, size_t size, void (*change)(struct vmbus_packet *))
{
	struct vmbus_packet packet = { .type = VMBUS_PACKET_INBAND,
				       .offset8 = 2,
				       .length8 = (uint16_t)(2 + (size + 7) / 8) };
	uint64_t trailer = (uint64_t)to_guest()->write << 32;
	uint8_t padded[ROOM] = { 0 };

	memcpy(padded, payload, size);
	if (change)
		change(&packet);
	host_put(&packet, sizeof(packet));
	host_put(padded, (size + 7) / 8 * 8);
	host_put(&trailer, sizeof(trailer));
}

static void host_get(void *bytes, size_t size)
{
	struct vmbus_ring *ring = to_host();

	for (size_t i = 0; i < size; i++)
		((uint8_t *)bytes)[i] = data_of(ring)[(ring->read + i) % SIZE];
	ring->read = (uint32_t)((ring->read + size) % SIZE);
}

static int receive(void)
{
	return vmbus_rings_read(&rings, got, sizeof(got), &got_size, &signal);
}

static void expect_broken(void)
{
	assert_true(vmbus_rings_have_packet(&rings));
	assert_int_equal(receive(), -EIO);
	assert_non_null(rings.fault);
	/* It stays so, whatever the host does then. */
	to_guest()->write = 0;
	assert_int_equal(receive(), -EIO);
	assert_int_equal(vmbus_rings_write(&rings, "x", 1, 0, &signal), -EIO);
	assert_true(vmbus_rings_have_room(&rings, 1));
}

/* ---- Writing ---- */

static void a_packet_is_written_as_the_host_reads_it(void **state)
{
	struct vmbus_packet packet;
	char payload[16];
	uint64_t trailer;

	(void)state;
	assert_int_equal(vmbus_rings_write(&rings, "twelve bytes", 12, 77, &signal), 0);
	assert_int_equal(to_host()->write, 16 + 16 + 8);
	host_get(&packet, sizeof(packet));
	assert_int_equal(packet.type, VMBUS_PACKET_INBAND);
	assert_int_equal(packet.offset8, 2);
	assert_int_equal(packet.length8, 4);
	assert_int_equal(packet.flags, 0);
	assert_int_equal(packet.transaction, 77);
	host_get(payload, sizeof(payload));
	assert_memory_equal(payload, "twelve bytes\0\0\0\0", 16);
	host_get(&trailer, sizeof(trailer));
	assert_int_equal(trailer, 0);
	assert_int_equal(vmbus_rings_write(&rings, "y", 1, 0, &signal), 0);
	host_get(&packet, sizeof(packet));
	host_get(payload, 8);
	host_get(&trailer, sizeof(trailer));
	assert_true(trailer == UINT64_C(40) << 32);
}

static void a_reader_that_had_all_is_signalled(void **state)
{
	(void)state;
	assert_int_equal(vmbus_rings_write(&rings, "a", 1, 0, &signal), 0);
	assert_true(signal);
	assert_int_equal(vmbus_rings_write(&rings, "b", 1, 0, &signal), 0);
	assert_false(signal);
	to_host()->read = to_host()->write;
	assert_int_equal(vmbus_rings_write(&rings, "c", 1, 0, &signal), 0);
	assert_true(signal);
	to_host()->read = to_host()->write;
	to_host()->interrupt_mask = 1;
	assert_int_equal(vmbus_rings_write(&rings, "d", 1, 0, &signal), 0);
	assert_false(signal);
}

static void a_ring_is_never_filled_to_the_last_byte(void **state)
{
	char payload[SIZE] = { 0 };
	size_t most = SIZE - 8 - 24; /* but for 8 bytes, header and trailer */

	(void)state;
	assert_true(vmbus_rings_have_room(&rings, most));
	assert_int_equal(vmbus_rings_write(&rings, payload, most, 0, &signal), 0);
	assert_int_equal(to_host()->write, SIZE - 8);
	assert_false(vmbus_rings_have_room(&rings, 1));
	assert_int_equal(vmbus_rings_write(&rings, "x", 1, 0, &signal), -EAGAIN);
	assert_int_equal(to_host()->write, SIZE - 8);
}

static void packets_that_fill_it_exactly_do_not_fit(void **state)
{
	char payload[SIZE] = { 0 };

	(void)state;
	assert_int_equal(vmbus_rings_write(&rings, payload, 2000, 0, &signal), 0);
	assert_int_equal(vmbus_rings_write(&rings, payload, SIZE - 2024 - 24, 0, &signal), -EAGAIN);
	assert_int_equal(vmbus_rings_write(&rings, payload, SIZE - 2024 - 32, 0, &signal), 0);
	assert_int_not_equal(to_host()->write, to_host()->read);
}

static void a_full_ring_tells_for_how_much_it_waits(void **state)
{
	char payload[SIZE] = { 0 };

	(void)state;
	assert_int_equal(to_host()->features & VMBUS_RING_PENDING_SEND, VMBUS_RING_PENDING_SEND);
	assert_int_equal(vmbus_rings_write(&rings, payload, SIZE - 8 - 24 - 24, 0, &signal), 0);
	assert_int_equal(vmbus_rings_write(&rings, payload, 24, 0, &signal), -EAGAIN);
	assert_int_equal(to_host()->pending_send_bytes, 48);
	/* One byte more than that is what a host looks for. */
	to_host()->read = 24;
	assert_true(vmbus_rings_have_room(&rings, 24));
	assert_int_equal(vmbus_rings_write(&rings, payload, 24, 0, &signal), 0);
	assert_int_equal(to_host()->pending_send_bytes, 0);
}

static void packets_go_around_the_end(void **state)
{
	uint8_t payload[100], copy[104];
	struct vmbus_packet packet;
	uint64_t trailer;

	(void)state;
	for (unsigned i = 0; i < 1000; i++) {
		size_t size = 1 + i % sizeof(payload);

		memset(payload, (int)i, sizeof(payload));
		assert_int_equal(vmbus_rings_write(&rings, payload, size, i, &signal), 0);
		host_get(&packet, sizeof(packet));
		assert_int_equal(packet.transaction, i);
		host_get(copy, (packet.length8 - 2u) * 8);
		assert_memory_equal(copy, payload, size);
		host_get(&trailer, sizeof(trailer));
		assert_int_equal(to_host()->read, to_host()->write);
	}
}

static void an_index_of_nonsense_breaks_the_writer(void **state)
{
	static const uint32_t wrong[] = { SIZE, SIZE + 8, 1, 4, UINT32_MAX, 0x80000000 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		memset(memory, 0, 2 * (1 + DATA_PAGES) * 4096);
		vmbus_rings_init(&rings, memory, DATA_PAGES);
		to_host()->read = wrong[i];
		assert_int_equal(vmbus_rings_write(&rings, "x", 1, 0, &signal), -EIO);
		assert_int_equal(to_host()->write, 0);
		assert_non_null(rings.fault);
	}
}

static void what_the_host_does_to_our_index_is_not_read_back(void **state)
{
	(void)state;
	assert_int_equal(vmbus_rings_write(&rings, "a", 1, 0, &signal), 0);
	to_host()->write = 0x12345678;
	assert_int_equal(vmbus_rings_write(&rings, "b", 1, 0, &signal), 0);
	assert_int_equal(to_host()->write, 64);
	host_send("c", 1, NULL);
	assert_int_equal(receive(), 0);
	to_guest()->read = 0x12345678;
	host_send("d", 1, NULL);
	assert_int_equal(receive(), 0);
	assert_int_equal(got[0], 'd');
	assert_int_equal(to_guest()->read, 64);
}

/* ---- Reading ---- */

static void a_packet_is_read_once(void **state)
{
	(void)state;
	assert_false(vmbus_rings_have_packet(&rings));
	assert_int_equal(receive(), -EAGAIN);
	host_send("hello", 5, NULL);
	assert_true(vmbus_rings_have_packet(&rings));
	assert_int_equal(receive(), 0);
	assert_int_equal(got_size, 8);
	assert_memory_equal(got, "hello\0\0\0", 8);
	assert_int_equal(to_guest()->read, to_guest()->write);
	assert_int_equal(receive(), -EAGAIN);
}

static void packets_are_read_around_the_end(void **state)
{
	uint8_t payload[100];

	(void)state;
	for (unsigned i = 0; i < 1000; i++) {
		size_t size = 8 + i % 11 * 8;

		memset(payload, (int)i, sizeof(payload));
		host_send(payload, size, NULL);
		assert_int_equal(receive(), 0);
		assert_int_equal(got_size, size);
		assert_memory_equal(got, payload, size);
	}
}

static void offset_by_8(struct vmbus_packet *packet)
{
	packet->offset8 = 3;
}

static void a_payload_may_begin_later(void **state)
{
	(void)state;
	host_send("12345678abcdefgh", 16, offset_by_8);
	assert_int_equal(receive(), 0);
	assert_int_equal(got_size, 8);
	assert_memory_equal(got, "abcdefgh", 8);
}

static void length_0(struct vmbus_packet *packet)
{
	packet->length8 = 0;
}

static void length_max(struct vmbus_packet *packet)
{
	packet->length8 = UINT16_MAX;
}

static void length_of_a_trailer_more(struct vmbus_packet *packet)
{
	packet->length8++;
}

static void offset_0(struct vmbus_packet *packet)
{
	packet->offset8 = 0;
}

static void offset_beyond(struct vmbus_packet *packet)
{
	packet->offset8 = (uint16_t)(packet->length8 + 1);
}

static void other_type(struct vmbus_packet *packet)
{
	packet->type = 7;
}

static void a_packet_of_nonsense_breaks_the_reader(void **state)
{
	static void (*const changes[])(struct vmbus_packet *) = {
		length_0, length_max, length_of_a_trailer_more, offset_0, offset_beyond, other_type,
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(changes); i++) {
		memset(memory, 0, 2 * (1 + DATA_PAGES) * 4096);
		vmbus_rings_init(&rings, memory, DATA_PAGES);
		host_send("hello", 5, changes[i]);
		expect_broken();
	}
}

static void a_write_index_of_nonsense_breaks_the_reader(void **state)
{
	static const uint32_t wrong[] = { SIZE, SIZE + 8, 1, 4, 16, UINT32_MAX };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		memset(memory, 0, 2 * (1 + DATA_PAGES) * 4096);
		vmbus_rings_init(&rings, memory, DATA_PAGES);
		to_guest()->write = wrong[i];
		expect_broken();
	}
}

static void a_packet_longer_than_the_readers_room_breaks_it(void **state)
{
	uint8_t payload[24] = { 0 };

	(void)state;
	host_send(payload, 16, NULL);
	assert_int_equal(vmbus_rings_read(&rings, got, 16, &got_size, &signal), 0);
	host_send(payload, 24, NULL);
	assert_int_equal(vmbus_rings_read(&rings, got, 16, &got_size, &signal), -EIO);
}

static void a_writer_that_waits_is_signalled_once_there_is_room(void **state)
{
	uint8_t payload[ROOM] = { 0 };

	(void)state;
	for (unsigned i = 0; i < 7; i++)
		host_send(payload, ROOM, NULL);
	/* 4096 - 7 * 536 = 344 are left, and 600 are waited for. */
	to_guest()->pending_send_bytes = 600;
	assert_int_equal(receive(), 0);
	assert_true(signal);
	assert_int_equal(receive(), 0);
	assert_false(signal);
	to_guest()->pending_send_bytes = 0;
	assert_int_equal(receive(), 0);
	assert_false(signal);
	to_guest()->pending_send_bytes = 3000;
	assert_int_equal(receive(), 0);
	assert_false(signal);
	assert_int_equal(receive(), 0);
	assert_true(signal);
}

static void the_mask_is_what_the_reader_wants(void **state)
{
	(void)state;
	vmbus_rings_want_signals(&rings, false);
	assert_int_equal(to_guest()->interrupt_mask, 1);
	vmbus_rings_want_signals(&rings, true);
	assert_int_equal(to_guest()->interrupt_mask, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_packet_is_written_as_the_host_reads_it),
		TEST(a_reader_that_had_all_is_signalled),
		TEST(a_ring_is_never_filled_to_the_last_byte),
		TEST(packets_that_fill_it_exactly_do_not_fit),
		TEST(a_full_ring_tells_for_how_much_it_waits),
		TEST(packets_go_around_the_end),
		TEST(an_index_of_nonsense_breaks_the_writer),
		TEST(what_the_host_does_to_our_index_is_not_read_back),
		TEST(a_packet_is_read_once),
		TEST(packets_are_read_around_the_end),
		TEST(a_payload_may_begin_later),
		TEST(a_packet_of_nonsense_breaks_the_reader),
		TEST(a_write_index_of_nonsense_breaks_the_reader),
		TEST(a_packet_longer_than_the_readers_room_breaks_it),
		TEST(a_writer_that_waits_is_signalled_once_there_is_room),
		TEST(the_mask_is_what_the_reader_wants),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
