/* SPDX-License-Identifier: BSD-2-Clause */
/* Tests of tests/hypervisor/hyperv_ring.c through an open dm: packets, signals, lies, mistakes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "tests/unit/hypervisor/hyperv_guest.h"

static struct hyperv_wish *wish(void)
{
	return &hyperv_control()->wish;
}

static struct hyperv_lie *lie(void)
{
	return &hyperv_control()->lie;
}

static struct hyperv_seen *seen(void)
{
	return &hyperv_control()->seen;
}

static int opened(void **state)
{
	guest_set_up(state);
	guest_reach(HYPERV_OPENED);
	return 0;
}

static struct dm_version_request request = {
	.header = { .type = DM_VERSION_REQUEST, .size = sizeof(request) },
	.version = DM_VERSION(2, 0),
};

static uint8_t packet[DM_MESSAGE_MAX];

/* Pushes so many bytes into the ring to the guest. */
static void push(uint32_t bytes)
{
	hyperv_control()->push.packet = 1;
	hyperv_control()->push.length = bytes;
	hyperv_control()->push.number++;
	sim_machine_ring();
}

static void packets_of_any_length_go_around_the_end(void **state)
{
	(void)state;
	for (uint32_t i = 0; i < 1000; i++) {
		uint32_t bytes = 1 + i % HYPERV_PUSH_BYTES, padded = (bytes + 7) / 8 * 8;

		memset(hyperv_control()->push.bytes, (int)i, HYPERV_PUSH_BYTES);
		push(bytes);
		assert_int_equal(guest_receive(packet), padded);
		for (uint32_t n = 0; n < padded; n++)
			assert_int_equal(packet[n], n < bytes ? (uint8_t)i : 0);
		guest_send(&request, DM_VERSION_REQUEST, sizeof(request));
		guest_expect_packet(DM_VERSION_RESPONSE, packet);
	}
	assert_int_equal(seen()->packets_in, 1000);
	assert_int_equal(seen()->packets_out, 2000);
	assert_null(sim_machine_violation());
}

static void a_signal_comes_when_the_ring_was_empty(void **state)
{
	(void)state;
	push(8);
	assert_true(guest_take_event());
	push(8);
	assert_false(guest_take_event());
	assert_int_equal(guest_receive(packet), 8);
	assert_int_equal(guest_receive(packet), 8);
	guest_ring(true)->interrupt_mask = 1;
	push(8);
	assert_false(guest_take_event());
	assert_int_equal(guest_receive(packet), 8);
	guest_ring(true)->interrupt_mask = 0;
	push(8);
	assert_true(guest_take_event());
}

static void without_a_signal_nothing_is_read(void **state)
{
	(void)state;
	guest_put(&request, sizeof(request));
	sim_machine_ring();
	guest_expect_no_packet();
	guest_signal();
	guest_expect_packet(DM_VERSION_RESPONSE, packet);
	assert_int_equal(seen()->signals_idle, 0);
	assert_null(sim_machine_violation());
}

static void a_host_that_polls_wants_no_signals(void **state)
{
	(void)state;
	wish()->polls = 1;
	sim_machine_ring();
	assert_int_equal(guest_ring(false)->interrupt_mask, 1);
	guest_send(&request, DM_VERSION_REQUEST, sizeof(request));
	guest_expect_packet(DM_VERSION_RESPONSE, packet);
	assert_int_equal(seen()->signals, 0);
	wish()->polls = 0;
	sim_machine_ring();
	assert_int_equal(guest_ring(false)->interrupt_mask, 0);
}

static void a_full_ring_is_gone_on_with_when_the_guest_says_so(void **state)
{
	unsigned pushed = 0;

	(void)state;
	while (seen()->ring_full == 0) {
		push(HYPERV_PUSH_BYTES);
		pushed++;
		assert_true(pushed < 100);
	}
	assert_int_equal(pushed, GUEST_RING_BYTES / (HYPERV_PUSH_BYTES + 24) + 1);
	assert_int_equal(guest_ring(true)->pending_send_bytes, HYPERV_PUSH_BYTES + 24);
	/* Two packets make room enough, and guest_receive() says so. */
	assert_int_equal(guest_receive(packet), HYPERV_PUSH_BYTES);
	for (unsigned i = 1; i < pushed; i++)
		assert_int_equal(guest_receive(packet), HYPERV_PUSH_BYTES);
	guest_expect_no_packet();
	assert_int_equal(seen()->signals, 1);
	assert_int_equal(seen()->signals_idle, 0);
	assert_int_equal(guest_ring(true)->pending_send_bytes, 0);
	assert_null(sim_machine_violation());
}

static void a_ring_is_never_filled_to_the_last_byte(void **state)
{
	const unsigned packets = GUEST_RING_BYTES / (HYPERV_PUSH_BYTES + 24);
	const uint32_t left = GUEST_RING_BYTES - packets * (HYPERV_PUSH_BYTES + 24);

	(void)state;
	for (unsigned i = 0; i < packets; i++)
		push(HYPERV_PUSH_BYTES);
	push(left - 24);
	assert_int_equal(seen()->packets_out, packets);
	assert_int_equal(seen()->ring_full, 1);
	assert_int_equal(guest_receive(packet), HYPERV_PUSH_BYTES);
	assert_int_equal(seen()->packets_out, packets + 1);
}

static void a_guest_that_never_says_so_is_looked_at(void **state)
{
	struct vmbus_ring *ring = guest_ring(true);

	(void)state;
	ring->features = 0;
	while (seen()->ring_full == 0)
		push(HYPERV_PUSH_BYTES);
	ring->pending_send_bytes = 0; /* guest_receive() does not signal */
	while (guest_receive(packet) > 0)
		;
	sim_machine_ring();
	assert_int_equal(guest_receive(packet), HYPERV_PUSH_BYTES);
	assert_int_equal(seen()->signals, 0);
	/* The other one does not go on before it is told. */
	ring->features = VMBUS_RING_PENDING_SEND;
	while (seen()->ring_full == 1)
		push(HYPERV_PUSH_BYTES);
	ring->pending_send_bytes = 0;
	while (guest_receive(packet) > 0)
		;
	sim_machine_ring();
	guest_expect_no_packet();
	guest_signal();
	assert_int_equal(guest_receive(packet), HYPERV_PUSH_BYTES);
	assert_null(sim_machine_violation());
}

static void a_guest_that_waits_for_room_is_told(void **state)
{
	struct vmbus_ring *ring = guest_ring(false);
	unsigned packets = 0;

	(void)state;
	while (GUEST_RING_BYTES - ring->write > 2 * (sizeof(request) + 24)) {
		guest_put(&request, sizeof(request));
		packets++;
	}
	ring->features = VMBUS_RING_PENDING_SEND;
	ring->pending_send_bytes = GUEST_RING_BYTES / 2;
	lie()->silent = HYPERV_BIT(HYPERV_DM_VERSION);
	guest_signal();
	assert_true(guest_take_event());
	assert_int_equal(seen()->packets_in, packets);
	assert_int_equal(ring->read, ring->write);
	assert_int_equal(seen()->events, 1);
	assert_null(sim_machine_violation());
}

static void an_unread_ring_is_read_later(void **state)
{
	(void)state;
	lie()->unread = 1;
	guest_send(&request, DM_VERSION_REQUEST, sizeof(request));
	guest_expect_no_packet();
	assert_int_equal(guest_ring(false)->read, 0);
	lie()->unread = 0;
	sim_machine_ring();
	guest_expect_packet(DM_VERSION_RESPONSE, packet);
}

static void indices_may_be_lies(void **state)
{
	(void)state;
	lie()->ring = HYPERV_RING_WRITE | HYPERV_RING_READ;
	lie()->ring_value = 0xfffffff0;
	sim_machine_ring();
	assert_int_equal(guest_ring(true)->write, 0xfffffff0);
	assert_int_equal(guest_ring(false)->read, 0xfffffff0);
	lie()->ring = 0;
	sim_machine_ring();
	assert_int_equal(guest_ring(true)->write, 0);
	assert_int_equal(guest_ring(false)->read, 0);
	guest_send(&request, DM_VERSION_REQUEST, sizeof(request));
	guest_expect_packet(DM_VERSION_RESPONSE, packet);
	lie()->ring = HYPERV_RING_GUESTS_READ | HYPERV_RING_GUESTS_WRITE;
	lie()->ring_value = 4;
	sim_machine_ring();
	assert_int_equal(guest_ring(true)->read, 4);
	assert_int_equal(guest_ring(false)->write, 4);
	push(8);
	lie()->ring = 0;
	sim_machine_ring();
	/* Of no use any more, and nobody's fault. */
	assert_int_equal(guest_ring(true)->write, 40);
	assert_null(sim_machine_violation());
}

static void packets_may_be_lies(void **state)
{
	const struct vmbus_packet *first = (void *)((uint8_t *)guest_ring(true) + FRAME_SIZE);
	const uint64_t *trailer = (const uint64_t *)first + 3;

	(void)state;
	lie()->ring = HYPERV_RING_OFFSET | HYPERV_RING_LENGTH | HYPERV_RING_TYPE |
		      HYPERV_RING_TRAILER;
	lie()->ring_value = 0x1234;
	push(8);
	assert_int_equal(first->type, 0x1234);
	assert_int_equal(first->offset8, 0x1234);
	assert_int_equal(first->length8, 0x1234);
	assert_int_equal(*trailer, 0x1234);
	assert_int_equal(guest_ring(true)->write, 32);
}

/* ---- Mistakes ---- */

/* A packet of the guest's that is spoilt, in the ring to the host. */
static void spoil(unsigned how)
{
	uint8_t *data = (uint8_t *)guest_ring(false) + FRAME_SIZE;
	struct vmbus_packet *first = (void *)data;
	uint32_t old = guest_put(&request, sizeof(request));

	assert_int_equal(old, 0);
	switch (how) {
	case 0:
		first->offset8 = 1;
		break;
	case 1:
		first->length8 = 1;
		break;
	case 2:
		first->length8 = 6;
		break;
	case 3:
		first->type = 7;
		break;
	case 4:
		data[36] = 1;
		break;
	case 5:
		guest_ring(false)->write = 16;
		break;
	case 6:
		guest_ring(false)->write = GUEST_RING_BYTES;
		break;
	case 7:
		guest_ring(false)->write = 41;
		break;
	case 8:
		guest_ring(false)->read = 8;
		break;
	}
}

static void a_packet_that_is_wrong_is_a_mistake(void **state)
{
	static const char *const says[] = {
		"a packet in the ring is longer than what was written",
		"a packet in the ring is longer than what was written",
		"a packet in the ring is longer than what was written",
		"a packet in the ring is of a type that dm has not",
		"a packet's trailer does not say where it began",
		"a packet in the ring is shorter than any",
		"the guest's index of a ring is none",
		"the guest's index of a ring is none",
		"the guest wrote the host's index of a ring",
	};

	(void)state;
	for (unsigned i = 0; i < sizeof(says) / sizeof(says[0]); i++) {
		guest_begin(0);
		guest_reach(HYPERV_OPENED);
		spoil(i);
		guest_signal();
		assert_string_equal(sim_machine_violation(), says[i]);
		assert_int_equal(seen()->packets_in, 0);
		guest_expect_no_packet();
	}
}

static void the_guest_reads_what_is_there(void **state)
{
	(void)state;
	push(8);
	guest_ring(true)->read = 40;
	push(8);
	assert_string_equal(sim_machine_violation(), "the guest has read what was never written");
}

static void the_hosts_index_in_the_other_ring_is_the_hosts(void **state)
{
	(void)state;
	push(8);
	guest_ring(true)->write = 0;
	push(8);
	assert_string_equal(sim_machine_violation(), "the guest wrote the host's index of a ring");
}

static void rings_are_empty_when_they_open(void **state)
{
	struct vmbus_open open = {
		.header.type = VMBUS_OPEN,
		.ring_gpadl = GUEST_GPADL,
		.host_ring_page = GUEST_RING_FRAMES,
	};
	uint8_t message[HV_MESSAGE_PAYLOAD];

	(void)state;
	guest_begin(0);
	guest_reach(HYPERV_CONNECTED);
	guest_make_gpadl(GUEST_GPADL, GUEST_RINGS, 2 * GUEST_RING_FRAMES);
	guest_expect(VMBUS_GPADL_CREATED, message);
	guest_ring(true)->read = 8;
	open.relid = guest_dm.relid;
	guest_post(&open, sizeof(open));
	assert_string_equal(sim_machine_violation(), "a ring was opened that is not empty");
}

static void a_ring_is_not_given_away(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		guest_begin(0);
		guest_reach(HYPERV_OPENED);
		guest_put(&request, sizeof(request));
		host_frames_take(GUEST_RINGS + i, 1);
		guest_signal();
		assert_string_equal(sim_machine_violation(),
				    "a ring lies where the guest has no RAM");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(packets_of_any_length_go_around_the_end, opened),
		cmocka_unit_test_setup(a_signal_comes_when_the_ring_was_empty, opened),
		cmocka_unit_test_setup(without_a_signal_nothing_is_read, opened),
		cmocka_unit_test_setup(a_host_that_polls_wants_no_signals, opened),
		cmocka_unit_test_setup(a_full_ring_is_gone_on_with_when_the_guest_says_so, opened),
		cmocka_unit_test_setup(a_ring_is_never_filled_to_the_last_byte, opened),
		cmocka_unit_test_setup(a_guest_that_never_says_so_is_looked_at, opened),
		cmocka_unit_test_setup(a_guest_that_waits_for_room_is_told, opened),
		cmocka_unit_test_setup(an_unread_ring_is_read_later, opened),
		cmocka_unit_test_setup(indices_may_be_lies, opened),
		cmocka_unit_test_setup(packets_may_be_lies, opened),
		cmocka_unit_test_setup(a_packet_that_is_wrong_is_a_mistake, opened),
		cmocka_unit_test_setup(the_guest_reads_what_is_there, opened),
		cmocka_unit_test_setup(the_hosts_index_in_the_other_ring_is_the_hosts, opened),
		cmocka_unit_test_setup(rings_are_empty_when_they_open, opened),
		cmocka_unit_test_setup(a_ring_is_not_given_away, opened),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
