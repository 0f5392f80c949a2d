/* SPDX-License-Identifier: BSD-2-Clause */
/* Tests of drivers/hyperv/vmbus_cmd.c: what the command prints of a connection. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <string.h>

#include "drivers/hyperv/dm_abi.h"
#include "drivers/hyperv/synic.h"
#include "drivers/hyperv/vmbus_channel.h"
#include "drivers/hyperv/vmbus_internal.h"
#include "tests/sim/sim_command.h"
#include "tests/unit/drivers/hyperv/hyperv_fixture.h"

#define HEADING "RELID  TYPE                                  STATE       SENT RECEIVED  SIGNALS\n"

static struct vmbus_info connection;
static bool there;

/* ---- In place of vmbus.c, vmbus_message.c and synic.c ---- */

bool vmbus_get_info(struct vmbus_info *info)
{
	*info = connection;
	return there;
}

void synic_get_counts(struct synic_counts *counts)
{
	*counts = (struct synic_counts){ .events = 21, .interrupts = 22, .vector = 243 };
}

const char *vmbus_ignore(void)
{
	return NULL;
}

const char *vmbus_host_fault(void)
{
	return connection.fault;
}

static int set_up(void **state)
{
	(void)state;
	fake_hyperv_reset();
	fake_hyperv.cpuid.version = 10 << 16 | 3;
	fake_hyperv.cpuid.build = 20348;
	vmbus_channels_begin();
	there = true;
	connection = (struct vmbus_info){ .version = VMBUS_VERSION(5, 3),
					  .connect_us = 321,
					  .all_offers = true,
					  .posted = 11,
					  .taken = 12,
					  .ignored = 13 };
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	sim_command_forget();
	return 0;
}

static struct vmbus_channel *offered(uint32_t relid)
{
	const union vmbus_message message = {
		.offer = { .header = { .type = VMBUS_OFFER }, .type = DM_GUID, .relid = relid },
	};
	struct vmbus_channel *channel;

	assert_null(vmbus_channels_handle(&message));
	channel = vmbus_channels_new();
	vmbus_channel_announce(channel, NULL);
	return channel;
}

static void a_connection_is_told_in_lines(void **state)
{
	(void)state;
	assert_int_equal(sim_command("vmbus"), 0);
	assert_string_equal(sim_command_text,
			    "VMBus 5.3, connected in 321 us; Hyper-V 10.3, build 20348\n"
			    "Messages: 11 posted, 12 taken, 13 of them of no use; 21 events, "
			    "22 interrupts by vector 243\n" HEADING
			    "That is all, says the host.\n");
}

static void channels_are_told_with_what_they_are_at(void **state)
{
	struct vmbus_channel *channel;

	(void)state;
	channel = offered(1);
	channel->state = CHANNEL_OPEN;
	channel->sent = 101;
	channel->received = 102;
	channel->signals = 103;
	offered(2);
	channel = offered(2047);
	channel->state = CHANNEL_OPEN;
	channel->rescinded = true;
	channel = offered(3);
	channel->state = CHANNEL_OPEN;
	channel->fault = "a message is cut short";
	channel = offered(4);
	channel->state = CHANNEL_OPEN;
	channel->rings.fault = "the ring is full of nonsense";
	offered(5)->closed = "its driver has closed it";
	assert_int_equal(sim_command("vmbus"), 0);
	assert_non_null(strstr(
		sim_command_text, HEADING
		"    1  525074dc-8985-46e2-8057-a307dc18a502  open         101      102      103\n"
		"    2  525074dc-8985-46e2-8057-a307dc18a502  offered        0        0        0\n"
		" 2047  525074dc-8985-46e2-8057-a307dc18a502  gone           0        0        0\n"
		"       the host has withdrawn the channel\n"
		"    3  525074dc-8985-46e2-8057-a307dc18a502  broken         0        0        0\n"
		"       a message is cut short\n"
		"    4  525074dc-8985-46e2-8057-a307dc18a502  broken         0        0        0\n"
		"       the ring is full of nonsense\n"
		"    5  525074dc-8985-46e2-8057-a307dc18a502  closed         0        0        0\n"
		"       its driver has closed it\n"
		"That is all, says the host.\n"));
}

static void a_host_that_has_not_said_all_is_told(void **state)
{
	(void)state;
	connection.all_offers = false;
	assert_int_equal(sim_command("vmbus"), 0);
	assert_non_null(
		strstr(sim_command_text, HEADING "The host has not said that that is all.\n"));
}

static void a_host_that_was_given_up_is_told_first(void **state)
{
	(void)state;
	connection.fault = "a message is cut short";
	assert_int_equal(sim_command("vmbus"), 0);
	assert_ptr_equal(strstr(sim_command_text,
				"Not used any more: a message is cut short\nVMBus 5.3, "),
			 sim_command_text);
}

/* What is wrong with all of them is told once. */
static void channels_of_a_host_that_was_given_up_are_unused(void **state)
{
	(void)state;
	connection.fault = "a message is cut short";
	offered(1)->state = CHANNEL_OPEN;
	offered(2);
	offered(3)->rescinded = true;
	assert_int_equal(sim_command("vmbus"), 0);
	assert_non_null(strstr(
		sim_command_text, HEADING
		"    1  525074dc-8985-46e2-8057-a307dc18a502  unused         0        0        0\n"
		"    2  525074dc-8985-46e2-8057-a307dc18a502  unused         0        0        0\n"
		"    3  525074dc-8985-46e2-8057-a307dc18a502  gone           0        0        0\n"
		"That is all"));
}

static void a_host_that_never_answered_has_no_version(void **state)
{
	static const char text[] = "Not used: it does not answer\n"
				   "VMBus is not connected; Hyper-V 10.3, build 20348\n"
				   "Messages: ";

	(void)state;
	connection.version = 0;
	connection.fault = "it does not answer";
	assert_int_equal(sim_command("vmbus"), 0);
	assert_ptr_equal(strstr(sim_command_text, text), sim_command_text);
}

static void without_a_connection_there_is_nothing(void **state)
{
	(void)state;
	there = false;
	assert_int_equal(sim_command("vmbus"), -ENODEV);
	assert_string_equal(
		sim_command_text,
		"vmbus: there is none: this is not Hyper-V, or it offers no channels\n");
}

static void it_takes_no_words(void **state)
{
	(void)state;
	assert_int_equal(sim_command("vmbus now"), -EINVAL);
	assert_string_equal(sim_command_text, "");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		TEST(a_connection_is_told_in_lines),
		TEST(channels_are_told_with_what_they_are_at),
		TEST(a_host_that_has_not_said_all_is_told),
		TEST(a_host_that_was_given_up_is_told_first),
		TEST(channels_of_a_host_that_was_given_up_are_unused),
		TEST(a_host_that_never_answered_has_no_version),
		TEST(without_a_connection_there_is_nothing),
		TEST(it_takes_no_words),
	};

	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
