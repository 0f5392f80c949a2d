/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Tests of drivers/hyperv/vmbus_ring.c against a host that works at the same time: what it does at
 * a barrier is between two looks of the guest's. And what is exactly so much, or nothing.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "arch/barrier.h"
#include "drivers/hyperv/vmbus_ring.h"
#include "kernel/lib/types.h"

#define SIZE 4096 /* of the data of each ring */
#define PAYLOAD 512
#define PACKET (16 + PAYLOAD + 8)
#define PACKETS (SIZE / PACKET) /* so many fit, and 344 bytes are left */
#define LEFT (SIZE - PACKETS * PACKET)

static struct vmbus_rings rings;
static uint8_t *memory;
static bool signal;

/* What the host does at the next barrier of a kind. */
static void (*meanwhile)(void);
static enum fake_barrier at;

void fake_barrier(enum fake_barrier kind)
{
	void (*act)(void) = meanwhile;

	if (kind != at || !act)
		return;
	meanwhile = NULL;
	act();
}

static int begin(void **state)
{
	(void)state;
	meanwhile = NULL;
	at = FAKE_BARRIER_FULL;
	memory = aligned_alloc(4096, 4 * 4096);
	memset(memory, 0, 4 * 4096);
	vmbus_rings_init(&rings, memory, 1);
	return 0;
}

static int end(void **state)
{
	(void)state;
	assert_null(meanwhile);
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
	return (void *)(memory + 2 * 4096);
}

/* Packets from the start of the ring on, as long as there is one. */
static void host_sends(unsigned packets, uint16_t payload)
{
	const struct vmbus_packet packet = { .type = VMBUS_PACKET_INBAND,
					     .offset8 = 2,
					     .length8 = (uint16_t)(2 + payload / 8) };

	for (unsigned i = 0; i < packets; i++) {
		memcpy(memory + 3 * 4096 + to_guest()->write, &packet, sizeof(packet));
		to_guest()->write += 16u + payload + 8u;
	}
}

/* ---- The guest ---- */

static int send_packet(void)
{
	static const uint8_t payload[PAYLOAD];

	return vmbus_rings_write(&rings, payload, sizeof(payload), 0, &signal);
}

static void fill_up(void)
{
	for (unsigned i = 0; i < PACKETS; i++)
		assert_int_equal(send_packet(), 0);
}

static int receive(void)
{
	uint8_t payload[PAYLOAD];
	size_t size;

	return vmbus_rings_read(&rings, payload, sizeof(payload), &size, &signal);
}

/* ---- Meanwhile ---- */

static void make_room(void)
{
	/* It is told for how much before the guest looks once more. */
	assert_int_equal(to_host()->pending_send_bytes, PACKET);
	to_host()->read = to_host()->write;
}

static void room_that_is_made_just_before_the_wait_is_used(void **state)
{
	(void)state;
	fill_up();
	meanwhile = make_room;
	assert_int_equal(send_packet(), 0);
	assert_int_equal(to_host()->pending_send_bytes, 0);
	assert_true(signal);
}

static void break_read(void)
{
	to_host()->read = 3;
}

static void nonsense_just_before_the_wait_breaks_the_writer(void **state)
{
	(void)state;
	fill_up();
	meanwhile = break_read;
	assert_int_equal(send_packet(), -EIO);
	assert_string_equal(rings.fault, "it has read up to where no packet can end");
}

static void read_the_first(void)
{
	to_host()->read = PACKET;
}

/* It had one packet to read, and sees the second one no more. */
static void a_reader_that_falls_asleep_just_then_is_signalled(void **state)
{
	(void)state;
	assert_int_equal(send_packet(), 0);
	meanwhile = read_the_first;
	assert_int_equal(send_packet(), 0);
	assert_true(signal);
}

static void wait_for_600(void)
{
	to_guest()->pending_send_bytes = 600;
}

static void a_writer_that_begins_to_wait_just_then_is_signalled(void **state)
{
	(void)state;
	host_sends(PACKETS, PAYLOAD);
	meanwhile = wait_for_600;
	assert_int_equal(receive(), 0);
	assert_true(signal);
}

/* It leaves 8 bytes of what is left, and waits for less than that was. */
static void fill_up_and_wait(void)
{
	host_sends(1, LEFT - 32);
	to_guest()->pending_send_bytes = LEFT - 40;
}

static void a_writer_that_writes_and_waits_meanwhile_is_signalled(void **state)
{
	(void)state;
	host_sends(PACKETS, PAYLOAD);
	at = FAKE_BARRIER_LOAD;
	meanwhile = fill_up_and_wait;
	assert_int_equal(receive(), 0);
	assert_true(signal);
	assert_int_equal(receive(), 0);
	assert_false(signal);
}

static void break_write(void)
{
	to_guest()->write = SIZE;
}

static void a_writer_that_waits_with_nonsense_is_not_signalled(void **state)
{
	(void)state;
	host_sends(2, PAYLOAD);
	to_guest()->pending_send_bytes = 800;
	assert_int_equal(receive(), 0);
	assert_false(signal);
	at = FAKE_BARRIER_LOAD;
	meanwhile = break_write;
	assert_int_equal(receive(), 0);
	assert_false(signal);
	assert_int_equal(receive(), -EIO);
}

/* ---- Exactly so much, and nothing ---- */

static void a_writer_is_signalled_when_there_is_more_than_it_waits_for(void **state)
{
	(void)state;
	host_sends(PACKETS, PAYLOAD);
	to_guest()->pending_send_bytes = LEFT + PACKET;
	assert_int_equal(receive(), 0);
	assert_false(signal);
	assert_int_equal(receive(), 0);
	assert_true(signal);
}

static void a_packet_of_nothing_is_a_packet(void **state)
{
	(void)state;
	host_sends(1, 0);
	assert_int_equal(receive(), 0);
	assert_int_equal(receive(), -EAGAIN);
}

static void an_index_of_nonsense_is_told_as_such(void **state)
{
	(void)state;
	to_guest()->write = SIZE;
	assert_int_equal(receive(), -EIO);
	assert_string_equal(rings.fault, "it has written up to where no packet can end");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		TEST(room_that_is_made_just_before_the_wait_is_used),
		TEST(nonsense_just_before_the_wait_breaks_the_writer),
		TEST(a_reader_that_falls_asleep_just_then_is_signalled),
		TEST(a_writer_that_begins_to_wait_just_then_is_signalled),
		TEST(a_writer_that_writes_and_waits_meanwhile_is_signalled),
		TEST(a_writer_that_waits_with_nonsense_is_not_signalled),
		TEST(a_writer_is_signalled_when_there_is_more_than_it_waits_for),
		TEST(a_packet_of_nothing_is_a_packet),
		TEST(an_index_of_nonsense_is_told_as_such),
	};

	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
