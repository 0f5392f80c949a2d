/* SPDX-License-Identifier: BSD-2-Clause */
/* Tests of drivers/hyperv/vmbus_open.c: packets through a channel, and the signals for them. */
#include "tests/unit/drivers/hyperv/open_fixture.h"

static struct vmbus_ring *ring(bool to_guest)
{
	return (to_guest ? &channel->rings.in : &channel->rings.out)->control;
}

static int send_bytes(size_t size)
{
	static const uint8_t bytes[FRAME_SIZE];

	return vmbus_send(channel, bytes, size, 0);
}

/* A packet of 8 bytes, as the host writes it. */
static void host_writes(void)
{
	const struct vmbus_packet packet = { .type = VMBUS_PACKET_INBAND,
					     .offset8 = 2,
					     .length8 = 3 };

	memcpy(channel->rings.in.data + ring(true)->write, &packet, sizeof(packet));
	ring(true)->write += sizeof(packet) + 8 + VMBUS_PACKET_TRAILER;
}

static int receive(void)
{
	uint8_t bytes[8];
	size_t size;

	return vmbus_receive(channel, bytes, sizeof(bytes), &size);
}

static void the_host_is_signalled_where_the_channel_has_its_own_interrupt(void **state)
{
	(void)state;
	open_channel();
	assert_int_equal(send_bytes(8), 0);
	assert_int_equal(host.signals, 1);
	assert_int_equal(host.signalled, CONNECTION);
	assert_int_equal(interrupt_page[FRAME_SIZE / 2 / 8], 0);
	/* It has not read the first one: it is awake. */
	assert_int_equal(send_bytes(8), 0);
	assert_int_equal(host.signals, 1);
	assert_int_equal(channel->sent, 2);
	assert_int_equal(channel->signals, 1);
}

static void channels_that_share_an_interrupt_have_a_bit_each(void **state)
{
	(void)state;
	channel = open_offered(70);
	channel->offer.dedicated_interrupt = 0;
	open_channel();
	assert_int_equal(send_bytes(8), 0);
	assert_int_equal(host.signalled, VMBUS_CONNECTION_EVENTS);
	assert_int_equal(interrupt_page[FRAME_SIZE / 2 / 8], 0);
	assert_int_equal(interrupt_page[FRAME_SIZE / 2 / 8 + 1], UINT64_C(1) << 6);
}

static void a_host_that_takes_no_signals_is_a_fault(void **state)
{
	(void)state;
	open_channel();
	host.signal_err = -EIO;
	assert_int_equal(send_bytes(8), 0);
	assert_string_equal(vmbus_fault(channel), "the host takes no signals for the channel");
	assert_int_equal(send_bytes(8), -EIO);
	assert_int_equal(receive(), -EIO);
	assert_true(vmbus_has_message(channel));
	assert_true(vmbus_has_room(channel, FRAME_SIZE));
	assert_int_equal(channel->sent, 1);
	/* Until it is opened anew. */
	vmbus_close(channel);
	host.signal_err = 0;
	open_channel();
	assert_null(vmbus_fault(channel));
}

/* Its driver may not know of it yet: that is no fault of the channel. */
static void what_is_closed_with_all_others_signals_nothing(void **state)
{
	(void)state;
	open_channel();
	vmbus_close_all();
	assert_int_equal(send_bytes(8), 0);
	assert_int_equal(host.signals, 0);
	assert_null(vmbus_fault(channel));
	/* Another connection. */
	vmbus_open_begin(interrupt_page);
	ring(false)->read = ring(false)->write;
	assert_int_equal(send_bytes(8), 0);
	assert_int_equal(host.signals, 1);
}

static void whoever_has_left_signals_nothing(void **state)
{
	(void)state;
	open_channel();
	host.has_left = true;
	assert_int_equal(send_bytes(8), 0);
	assert_int_equal(host.signals, 0);
}

static void a_full_ring_takes_nothing_until_there_is_room(void **state)
{
	(void)state;
	open_channel();
	assert_true(vmbus_has_room(channel, 2000));
	assert_int_equal(send_bytes(2000), 0);
	assert_int_equal(send_bytes(2000), 0);
	assert_false(vmbus_has_room(channel, 2000));
	assert_int_equal(send_bytes(2000), -EAGAIN);
	assert_int_equal(channel->sent, 2);
	ring(false)->read = ring(false)->write;
	assert_true(vmbus_has_room(channel, 2000));
	assert_int_equal(send_bytes(2000), 0);
}

static void packets_are_received_one_by_one(void **state)
{
	(void)state;
	open_channel();
	assert_false(vmbus_has_message(channel));
	assert_int_equal(receive(), -EAGAIN);
	host_writes();
	host_writes();
	assert_true(vmbus_has_message(channel));
	assert_int_equal(receive(), 0);
	assert_int_equal(receive(), 0);
	assert_int_equal(receive(), -EAGAIN);
	assert_int_equal(channel->received, 2);
	assert_int_equal(host.signals, 0);
}

static void a_host_that_waits_for_room_is_signalled(void **state)
{
	(void)state;
	open_channel();
	host_writes();
	ring(true)->pending_send_bytes = FRAME_SIZE - 32;
	assert_int_equal(receive(), 0);
	assert_int_equal(host.signals, 1);
}

static void a_broken_ring_is_the_channels_fault(void **state)
{
	(void)state;
	open_channel();
	ring(true)->write = 3;
	assert_true(vmbus_has_message(channel));
	assert_int_equal(receive(), -EIO);
	assert_non_null(vmbus_fault(channel));
	assert_int_equal(send_bytes(8), -EIO);
	assert_int_equal(host.signals, 0);
}

static void signals_are_wanted_or_not(void **state)
{
	(void)state;
	open_channel();
	assert_int_equal(ring(true)->interrupt_mask, 0);
	vmbus_want_signals(channel, false);
	assert_int_not_equal(ring(true)->interrupt_mask, 0);
	vmbus_want_signals(channel, true);
	assert_int_equal(ring(true)->interrupt_mask, 0);
}

#define TEST(name) cmocka_unit_test_setup(name, open_set_up)

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		TEST(the_host_is_signalled_where_the_channel_has_its_own_interrupt),
		TEST(channels_that_share_an_interrupt_have_a_bit_each),
		TEST(a_host_that_takes_no_signals_is_a_fault),
		TEST(what_is_closed_with_all_others_signals_nothing),
		TEST(whoever_has_left_signals_nothing),
		TEST(a_full_ring_takes_nothing_until_there_is_room),
		TEST(packets_are_received_one_by_one),
		TEST(a_host_that_waits_for_room_is_signalled),
		TEST(a_broken_ring_is_the_channels_fault),
		TEST(signals_are_wanted_or_not),
	};

	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
