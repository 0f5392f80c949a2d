/* SPDX-License-Identifier: BSD-2-Clause */
/* Tests of drivers/hyperv/vmbus_channel.c: what messages make of the channels. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "drivers/hyperv/synic.h"
#include "drivers/hyperv/vmbus_channel.h"
#include "drivers/hyperv/vmbus_internal.h"
#include "tests/sim/sim_time.h"

#define CHANNELS_MAX 64
#define RELID 9
#define GPADL 0x501
#define OPEN_ID 0x502

static unsigned ignored;
static const char *host_fault;
static struct wait_queue waiters;
static struct vmbus_driver driver;

/* ---- In place of vmbus_message.c ---- */

const char *vmbus_ignore(void)
{
	ignored++;
	return NULL;
}

const char *vmbus_host_fault(void)
{
	return host_fault;
}

/* ---- What the host says ---- */

static const char *offer(uint32_t relid)
{
	const union vmbus_message message = {
		.offer = { .header = { .type = VMBUS_OFFER },
			   .type = { { 1 } },
			   .instance = { { 2 } },
			   .relid = relid,
			   .connection = 0x10000 | relid },
	};

	return vmbus_channels_handle(&message);
}

static const char *rescind(uint32_t relid)
{
	const union vmbus_message message = {
		.relid = { .header = { .type = VMBUS_RESCIND_OFFER }, .relid = relid },
	};

	return vmbus_channels_handle(&message);
}

static void say_created(uint32_t gpadl, uint32_t status)
{
	const union vmbus_message message = {
		.gpadl_created = { .header = { .type = VMBUS_GPADL_CREATED },
				   .relid = RELID,
				   .gpadl = gpadl,
				   .status = status },
	};

	assert_null(vmbus_channels_handle(&message));
}

static void say_opened(uint32_t relid, uint32_t open_id, uint32_t status)
{
	const union vmbus_message message = {
		.open_result = { .header = { .type = VMBUS_OPEN_RESULT },
				 .relid = relid,
				 .open_id = open_id,
				 .status = status },
	};

	assert_null(vmbus_channels_handle(&message));
}

static void say_torn_down(uint32_t gpadl)
{
	const union vmbus_message message = {
		.gpadl_torndown = { .header = { .type = VMBUS_GPADL_TORNDOWN }, .gpadl = gpadl },
	};

	assert_null(vmbus_channels_handle(&message));
}

static int set_up(void **state)
{
	(void)state;
	vmbus_channels_begin();
	sim_time_reset();
	ignored = 0;
	host_fault = NULL;
	return 0;
}

/* A channel that its driver knows. */
static struct vmbus_channel *announced(void)
{
	struct vmbus_channel *channel;

	assert_null(offer(RELID));
	channel = vmbus_channels_new();
	assert_non_null(channel);
	vmbus_channel_announce(channel, &driver);
	return channel;
}

/* ---- Offers ---- */

static void an_offer_is_new_until_it_is_announced(void **state)
{
	struct vmbus_channel *channel;

	(void)state;
	assert_null(vmbus_channels_new());
	assert_null(offer(RELID));
	channel = vmbus_channels_new();
	assert_non_null(channel);
	assert_int_equal(channel->offer.relid, RELID);
	assert_int_equal(vmbus_channel_type(channel)->byte[0], 1);
	assert_null(vmbus_channel_driver(channel));
	vmbus_channel_announce(channel, &driver);
	assert_ptr_equal(vmbus_channel_driver(channel), &driver);
	assert_null(vmbus_channels_new());
	assert_int_equal(ignored, 0);
}

static void numbers_that_no_channel_can_have_are_a_fault(void **state)
{
	(void)state;
	assert_non_null(offer(0));
	assert_non_null(offer(SYNIC_EVENTS));
	assert_non_null(offer(UINT32_MAX));
	assert_null(vmbus_channels_new());
	assert_null(offer(SYNIC_EVENTS - 1));
	assert_non_null(vmbus_channels_new());
}

static void two_channels_of_one_number_are_a_fault(void **state)
{
	struct vmbus_channel *channel = announced();

	(void)state;
	assert_null(offer(RELID + 1));
	assert_string_equal(offer(RELID), "two channels have one number");
	/* Once the first one is nobody's its number is free. */
	channel->state = CHANNEL_NONE;
	assert_null(offer(RELID));
}

static void subchannels_are_for_nobody(void **state)
{
	const union vmbus_message message = {
		.offer = { .header = { .type = VMBUS_OFFER }, .relid = RELID, .subchannel = 1 },
	};

	(void)state;
	assert_null(vmbus_channels_handle(&message));
	assert_int_equal(ignored, 1);
	assert_null(vmbus_channels_new());
}

static void more_channels_than_there_is_room_for_are_ignored(void **state)
{
	struct vmbus_channel *channel = NULL;
	unsigned count = 0;

	(void)state;
	for (uint32_t i = 1; i <= CHANNELS_MAX + 2; i++)
		assert_null(offer(i));
	assert_int_equal(ignored, 2);
	while ((channel = vmbus_channels_next(channel)))
		assert_int_equal(channel->offer.relid, ++count);
	assert_int_equal(count, CHANNELS_MAX);
}

static void channels_that_are_none_are_passed_over(void **state)
{
	struct vmbus_channel *first, *second, *third;

	(void)state;
	assert_null(vmbus_channels_next(NULL));
	for (uint32_t i = 1; i <= 3; i++)
		assert_null(offer(i));
	first = vmbus_channels_next(NULL);
	second = vmbus_channels_next(first);
	third = vmbus_channels_next(second);
	assert_null(vmbus_channels_next(third));
	second->state = CHANNEL_NONE;
	assert_ptr_equal(vmbus_channels_next(first), third);
	first->state = CHANNEL_NONE;
	assert_ptr_equal(vmbus_channels_next(NULL), third);
	/* The next offer takes the first place. */
	assert_null(offer(4));
	assert_ptr_equal(vmbus_channels_new(), first);
}

static void messages_that_are_not_about_channels_are_ignored(void **state)
{
	const union vmbus_message message = { .header = { .type = VMBUS_ALL_OFFERS } };

	(void)state;
	assert_null(vmbus_channels_handle(&message));
	assert_int_equal(ignored, 1);
}

/* ---- The end of a channel ---- */

static void a_channel_is_withdrawn_once(void **state)
{
	struct vmbus_channel *channel = announced();

	(void)state;
	assert_null(vmbus_channels_rescinded());
	assert_null(rescind(RELID + 1));
	assert_int_equal(ignored, 1);
	channel->waiters = &waiters;
	assert_null(rescind(RELID));
	assert_ptr_equal(vmbus_channels_rescinded(), channel);
	assert_int_equal(sim_time_wakes, 1);
	assert_null(rescind(RELID));
	assert_int_equal(ignored, 2);
	assert_int_equal(sim_time_wakes, 1);
	/* What is nobody's is not withdrawn. */
	channel->state = CHANNEL_NONE;
	assert_null(vmbus_channels_rescinded());
}

static void a_channel_that_nobody_waits_for_wakes_nobody(void **state)
{
	(void)state;
	announced();
	assert_null(rescind(RELID));
	assert_int_equal(sim_time_wakes, 0);
}

static void all_who_wait_are_woken_at_the_end(void **state)
{
	(void)state;
	announced()->waiters = &waiters;
	assert_null(offer(RELID + 1));
	assert_null(offer(RELID + 2));
	vmbus_channels_next(vmbus_channels_new())->waiters = &waiters;
	vmbus_channels_wake_all();
	assert_int_equal(sim_time_wakes, 2);
}

/* ---- Answers ---- */

static void a_list_is_answered_for_once(void **state)
{
	struct vmbus_channel *channel = announced();

	(void)state;
	channel->gpadl = GPADL;
	say_created(GPADL + 1, 0);
	assert_false(channel->answered);
	assert_int_equal(ignored, 1);
	say_created(GPADL, 5);
	assert_true(channel->answered);
	assert_int_equal(channel->status, 5);
	say_created(GPADL, 0);
	assert_int_equal(channel->status, 5);
	assert_int_equal(ignored, 2);
}

static void a_list_without_a_number_is_nobodys(void **state)
{
	struct vmbus_channel *channel = announced();

	(void)state;
	assert_int_equal(channel->gpadl, 0);
	say_created(0, 0);
	say_torn_down(0);
	assert_false(channel->answered || channel->torn_down);
	assert_int_equal(ignored, 2);
}

/* The answer to OPEN is waited for then. */
static void a_list_that_is_known_is_not_answered_for_again(void **state)
{
	struct vmbus_channel *channel = announced();

	(void)state;
	channel->gpadl = GPADL;
	channel->open_id = OPEN_ID;
	say_created(GPADL, 0);
	assert_false(channel->answered);
	channel->open_id = 0;
	channel->state = CHANNEL_OPEN;
	say_created(GPADL, 0);
	assert_false(channel->answered);
	assert_int_equal(ignored, 2);
}

static void an_opening_is_answered_for_by_its_number(void **state)
{
	struct vmbus_channel *channel = announced();

	(void)state;
	/* Nothing is being opened, whatever the number is. */
	say_opened(RELID, 0, 0);
	say_opened(RELID, OPEN_ID, 0);
	channel->open_id = OPEN_ID;
	say_opened(RELID, OPEN_ID - 1, 0);
	say_opened(RELID + 1, OPEN_ID, 0);
	assert_false(channel->answered);
	assert_int_equal(ignored, 4);
	say_opened(RELID, OPEN_ID, 7);
	assert_true(channel->answered);
	assert_int_equal(channel->status, 7);
	say_opened(RELID, OPEN_ID, 0);
	assert_int_equal(channel->status, 7);
	assert_int_equal(ignored, 5);
}

static void a_list_that_is_let_go_of_wakes_whoever_waits(void **state)
{
	struct vmbus_channel *channel = announced();

	(void)state;
	channel->gpadl = GPADL;
	channel->waiters = &waiters;
	say_torn_down(GPADL - 1);
	assert_false(channel->torn_down);
	say_torn_down(GPADL);
	assert_true(channel->torn_down);
	assert_int_equal(sim_time_wakes, 1);
	assert_int_equal(ignored, 1);
}

/* ---- Faults ---- */

static void the_gravest_fault_is_told(void **state)
{
	struct vmbus_channel *channel = announced();

	(void)state;
	assert_null(vmbus_fault(channel));
	channel->state = CHANNEL_OPEN;
	assert_null(vmbus_fault(channel));
	channel->fault = "no signals";
	assert_string_equal(vmbus_fault(channel), "no signals");
	channel->rings.fault = "rings";
	assert_string_equal(vmbus_fault(channel), "rings");
	channel->torn_down = true;
	assert_non_null(strstr(vmbus_fault(channel), "let go of"));
	channel->rescinded = true;
	assert_non_null(strstr(vmbus_fault(channel), "withdrawn"));
	host_fault = "the host";
	assert_string_equal(vmbus_fault(channel), "the host");
}

/* What is left of the last opening is no fault of the channel. */
static void a_closed_channel_has_no_faults_of_its_rings(void **state)
{
	struct vmbus_channel *channel = announced();

	(void)state;
	channel->rings.fault = "rings";
	channel->torn_down = true;
	assert_null(vmbus_fault(channel));
}

/* ---- For people ---- */

static void channels_are_told_of_one_by_one(void **state)
{
	struct vmbus_channel_info info;
	struct vmbus_channel *channel;

	(void)state;
	assert_false(vmbus_get_channel(0, &info));
	channel = announced();
	assert_null(offer(RELID + 1));
	assert_null(offer(RELID + 2));
	vmbus_channels_new()->state = CHANNEL_NONE;
	channel->state = CHANNEL_OPEN;
	channel->sent = 3;
	channel->received = 2;
	channel->signals = 1;
	assert_true(vmbus_get_channel(0, &info));
	assert_int_equal(info.relid, RELID);
	assert_int_equal(info.connection, 0x10000 | RELID);
	assert_int_equal(info.type.byte[0], 1);
	assert_int_equal(info.instance.byte[0], 2);
	assert_true(info.open);
	assert_null(info.fault);
	assert_true(info.sent == 3 && info.received == 2 && info.signals == 1);
	assert_true(vmbus_get_channel(1, &info));
	assert_int_equal(info.relid, RELID + 2);
	assert_false(info.open);
	assert_false(vmbus_get_channel(2, &info));
}

static void a_guid_is_written_as_people_write_it(void **state)
{
	static const struct vmbus_guid guid = { { 0xdc, 0x74, 0x50, 0x52, 0x85, 0x89, 0xe2, 0x46,
						  0x80, 0x57, 0xa3, 0x07, 0xdc, 0x18, 0xa5,
						  0x02 } };
	char text[VMBUS_GUID_TEXT_MAX];

	(void)state;
	vmbus_format_guid(&guid, text);
	assert_string_equal(text, "525074dc-8985-46e2-8057-a307dc18a502");
}

#define TEST(name) cmocka_unit_test_setup(name, set_up)

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		TEST(an_offer_is_new_until_it_is_announced),
		TEST(numbers_that_no_channel_can_have_are_a_fault),
		TEST(two_channels_of_one_number_are_a_fault),
		TEST(subchannels_are_for_nobody),
		TEST(more_channels_than_there_is_room_for_are_ignored),
		TEST(channels_that_are_none_are_passed_over),
		TEST(messages_that_are_not_about_channels_are_ignored),
		TEST(a_channel_is_withdrawn_once),
		TEST(a_channel_that_nobody_waits_for_wakes_nobody),
		TEST(all_who_wait_are_woken_at_the_end),
		TEST(a_list_is_answered_for_once),
		TEST(a_list_without_a_number_is_nobodys),
		TEST(a_list_that_is_known_is_not_answered_for_again),
		TEST(an_opening_is_answered_for_by_its_number),
		TEST(a_list_that_is_let_go_of_wakes_whoever_waits),
		TEST(the_gravest_fault_is_told),
		TEST(a_closed_channel_has_no_faults_of_its_rings),
		TEST(channels_are_told_of_one_by_one),
		TEST(a_guid_is_written_as_people_write_it),
	};

	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
