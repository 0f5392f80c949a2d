/* SPDX-License-Identifier: BSD-2-Clause */
/* Tests of tests/hypervisor/hyperv_dm.c: version, capabilities, reports, what is said otherwise. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "tests/unit/hypervisor/hyperv_guest.h"

static union {
	struct dm_header header;
	struct dm_version_response version;
	struct dm_capabilities_response capabilities;
	struct dm_info info;
	uint8_t bytes[DM_MESSAGE_MAX];
} packet;

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

static int negotiated(void **state)
{
	guest_set_up(state);
	guest_reach(HYPERV_NEGOTIATED);
	return 0;
}

static int ready(void **state)
{
	guest_set_up(state);
	guest_reach(HYPERV_READY);
	return 0;
}

static void send_version(uint32_t version)
{
	struct dm_version_request request = { .version = version };

	guest_send(&request, DM_VERSION_REQUEST, sizeof(request));
}

static bool is_accepted(uint32_t version)
{
	send_version(version);
	guest_expect_packet(DM_VERSION_RESPONSE, &packet);
	return packet.version.flags & DM_ACCEPTED;
}

static void send_capabilities(void)
{
	struct dm_capabilities message = {
		.flags = DM_CAP_BALLOON,
		.pages_min = 12,
		.page_max = 34,
	};

	guest_send(&message, DM_CAPABILITIES, sizeof(message));
}

static void each_version_that_there_is_is_taken(void **state)
{
	(void)state;
	assert_false(is_accepted(DM_VERSION(3, 0)));
	assert_false(is_accepted(DM_VERSION(1, 1)));
	assert_int_equal(seen()->progress, HYPERV_OPENED);
	assert_true(is_accepted(DM_VERSION(2, 0)));
	assert_true(is_accepted(DM_VERSION(1, 0)));
	assert_true(is_accepted(DM_VERSION(0, 3)));
	assert_int_equal(seen()->dm_version, DM_VERSION(0, 3));
	wish()->dm_version = DM_VERSION(1, 0);
	assert_false(is_accepted(DM_VERSION(2, 0)));
	assert_true(is_accepted(DM_VERSION(1, 0)));
	lie()->refused = HYPERV_BIT(HYPERV_DM_VERSION);
	assert_false(is_accepted(DM_VERSION(0, 3)));
	assert_null(sim_machine_violation());
}

static void capabilities_are_kept_and_answered(void **state)
{
	(void)state;
	wish()->no_reports = 1;
	wish()->pages_max = 777;
	send_capabilities();
	guest_expect_packet(DM_CAPABILITIES_RESPONSE, &packet);
	assert_int_equal(packet.capabilities.flags, DM_ACCEPTED | DM_CAP_NO_REPORTS);
	guest_expect_packet(DM_INFO, &packet);
	assert_int_equal(packet.info.value, 777);
	assert_int_equal(packet.info.size, 16);
	assert_int_equal(packet.info.value_size, 8);
	assert_int_equal(seen()->capabilities, DM_CAP_BALLOON);
	assert_int_equal(seen()->pages_min, 12);
	assert_int_equal(seen()->page_max, 34);
	assert_int_equal(seen()->progress, HYPERV_READY);
	assert_null(sim_machine_violation());
}

static void the_most_that_there_may_be_is_told_or_not(void **state)
{
	(void)state;
	guest_begin(1024);
	guest_reach(HYPERV_NEGOTIATED);
	send_capabilities();
	guest_expect_packet(DM_CAPABILITIES_RESPONSE, &packet);
	assert_int_equal(packet.capabilities.flags, DM_ACCEPTED);
	guest_expect_packet(DM_INFO, &packet);
	assert_int_equal(packet.info.value, SIM_RAM_FRAMES);
	guest_begin(0);
	guest_reach(HYPERV_NEGOTIATED);
	wish()->no_info = 1;
	send_capabilities();
	guest_expect_packet(DM_CAPABILITIES_RESPONSE, &packet);
	guest_expect_no_packet();
}

static void capabilities_may_be_refused(void **state)
{
	(void)state;
	lie()->refused = HYPERV_BIT(HYPERV_DM_CAPABILITIES);
	send_capabilities();
	guest_expect_packet(DM_CAPABILITIES_RESPONSE, &packet);
	assert_int_equal(packet.capabilities.flags & DM_ACCEPTED, 0);
	guest_expect_no_packet();
	assert_int_equal(seen()->progress, HYPERV_NEGOTIATED);
}

static void reports_are_kept(void **state)
{
	struct dm_status status = {
		.available = 1,
		.committed = 2,
		.page_file = 3,
		.zero_free = 4,
		.page_file_writes = 5,
		.io_difference = 6,
	};

	(void)state;
	sim_machine_time = 450000000;
	guest_send(&status, DM_STATUS, sizeof(status));
	guest_send(&status, DM_STATUS, sizeof(status));
	assert_int_equal(seen()->reports, 2);
	assert_int_equal(seen()->available, 1);
	assert_int_equal(seen()->committed, 2);
	assert_int_equal(seen()->page_file, 3);
	assert_int_equal(seen()->zero_free, 4);
	assert_int_equal(seen()->page_file_writes, 5);
	assert_int_equal(seen()->io_difference, 6);
	assert_int_equal(seen()->reported_100ns, 450000000);
	assert_null(sim_machine_violation());
}

static void balloonctl_is_told_of_driver_and_reports(void **state)
{
	const struct hv_control_common *told = &hv_control.common;
	struct dm_status status = { .available = 7, .committed = 2 };
	uint64_t said = told->said;

	(void)state;
	assert_int_equal(told->driver, HV_DRIVER_RUNS);
	assert_int_equal(told->reports, 0);
	sim_machine_time = 450000000;
	guest_send(&status, DM_STATUS, sizeof(status));
	assert_true(told->said > said);
	assert_int_equal(told->reports, 1);
	assert_int_equal(told->available, 7);
	assert_int_equal(told->reported_100ns, 450000000);
	sim_machine_time = 460000000;
	guest_signal();
	assert_int_equal(told->looked_100ns, 460000000);
	guest_close_channel();
	assert_int_equal(told->driver, HV_DRIVER_NONE);
	sim_machine_restart();
	assert_int_equal(told->driver, HV_DRIVER_NONE);
	assert_int_equal(told->reports, 0);
}

static void answers_may_be_kept_back_and_come_late(void **state)
{
	(void)state;
	lie()->silent = HYPERV_BIT(HYPERV_DM_CAPABILITIES);
	send_capabilities();
	guest_expect_packet(DM_INFO, &packet);
	guest_expect_no_packet();
	lie()->silent = 0;
	sim_machine_ring();
	guest_expect_packet(DM_CAPABILITIES_RESPONSE, &packet);
}

static void answers_may_be_others_than_they_should(void **state)
{
	uint32_t mask = HYPERV_BIT(HYPERV_DM_VERSION);

	(void)state;
	lie()->twice = mask;
	assert_true(is_accepted(DM_VERSION(2, 0)));
	guest_expect_packet(DM_VERSION_RESPONSE, &packet);
	guest_expect_no_packet();
	lie()->twice = 0;
	lie()->unknown = mask;
	send_version(DM_VERSION(2, 0));
	guest_expect_packet(DM_VERSION_RESPONSE ^ 0x7777, &packet);
	lie()->unknown = 0;
	lie()->foreign = mask;
	send_version(DM_VERSION(2, 0));
	guest_expect_packet(DM_VERSION_RESPONSE, &packet);
	assert_int_equal(packet.header.transaction & 0xffff0000, 0x5a5a0000);
	lie()->foreign = 0;
	lie()->sized = mask;
	lie()->size_value = 60000;
	lie()->cut = mask;
	lie()->cut_bytes = 8;
	send_version(DM_VERSION(2, 0));
	assert_int_equal(guest_receive(&packet), 8);
	assert_int_equal(packet.header.size, 60000);
	assert_int_equal(seen()->told[HYPERV_DM_VERSION], 5);
}

/* ---- Mistakes ---- */

static void expect_mistake(enum hyperv_progress progress, void *message, uint16_t type,
			   uint32_t bytes, const char *what)
{
	guest_begin(0);
	guest_reach(progress);
	guest_send(message, type, bytes);
	assert_string_equal(sim_machine_violation(), what);
}

static void each_type_has_its_length(void **state)
{
	static uint8_t message[4104];
	static const uint16_t types[] = {
		DM_VERSION_REQUEST,  DM_CAPABILITIES,	    DM_STATUS,
		DM_BALLOON_RESPONSE, DM_UNBALLOON_RESPONSE, DM_HOT_ADD_RESPONSE,
	};

	(void)state;
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		expect_mistake(HYPERV_READY, message, types[i],
			       types[i] == DM_BALLOON_RESPONSE ? 12 : 24,
			       "a packet of dm has not the length of its type");
	expect_mistake(HYPERV_READY, message, DM_BALLOON, 16,
		       "a packet of dm of a type that guests do not send");
	expect_mistake(HYPERV_READY, message, DM_STATUS, sizeof(message),
		       "a packet of dm is not as long as its header says");
}

static void a_header_says_how_long_it_is(void **state)
{
	static const uint16_t sizes[] = { 0, 7, 56, 0xffff };

	(void)state;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		struct dm_status status = { .header = { DM_STATUS, sizes[i], 1 } };

		guest_begin(0);
		guest_reach(HYPERV_READY);
		guest_put(&status, sizeof(status));
		guest_signal();
		assert_string_equal(sim_machine_violation(),
				    "a packet of dm is not as long as its header says");
	}
	guest_begin(0);
	guest_reach(HYPERV_READY);
	guest_put(NULL, 0);
	guest_signal();
	assert_string_equal(sim_machine_violation(),
			    "a packet of dm is not as long as its header says");
}

static void nothing_comes_before_the_capabilities(void **state)
{
	struct dm_status status;

	(void)state;
	expect_mistake(HYPERV_NEGOTIATED, &status, DM_STATUS, sizeof(status),
		       "a packet of dm before the capabilities");
}

static void capabilities_come_once_after_a_version(void **state)
{
	struct dm_capabilities message = { .flags = 0 };

	(void)state;
	expect_mistake(HYPERV_OPENED, &message, DM_CAPABILITIES, sizeof(message),
		       "capabilities were told before a version, or twice");
	expect_mistake(HYPERV_READY, &message, DM_CAPABILITIES, sizeof(message),
		       "capabilities were told before a version, or twice");
}

static void versions_come_before_capabilities(void **state)
{
	struct dm_version_request message = { .version = DM_VERSION(2, 0) };

	(void)state;
	expect_mistake(HYPERV_READY, &message, DM_VERSION_REQUEST, sizeof(message),
		       "a version was asked for after the capabilities");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(each_version_that_there_is_is_taken, opened),
		cmocka_unit_test_setup(capabilities_are_kept_and_answered, negotiated),
		cmocka_unit_test(the_most_that_there_may_be_is_told_or_not),
		cmocka_unit_test_setup(capabilities_may_be_refused, negotiated),
		cmocka_unit_test_setup(reports_are_kept, ready),
		cmocka_unit_test_setup(balloonctl_is_told_of_driver_and_reports, ready),
		cmocka_unit_test_setup(answers_may_be_kept_back_and_come_late, negotiated),
		cmocka_unit_test_setup(answers_may_be_others_than_they_should, opened),
		cmocka_unit_test(each_type_has_its_length),
		cmocka_unit_test(a_header_says_how_long_it_is),
		cmocka_unit_test(nothing_comes_before_the_capabilities),
		cmocka_unit_test(capabilities_come_once_after_a_version),
		cmocka_unit_test(versions_come_before_capabilities),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
