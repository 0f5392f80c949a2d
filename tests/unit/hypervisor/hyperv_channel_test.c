/* SPDX-License-Identifier: BSD-2-Clause */
/* Tests of tests/hypervisor/hyperv_channel.c: offers, opening, closing, rescission, signals. */
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

static int connected(void **state)
{
	guest_set_up(state);
	guest_reach(HYPERV_CONNECTED);
	return 0;
}

static int opened(void **state)
{
	guest_set_up(state);
	guest_reach(HYPERV_OPENED);
	return 0;
}

static int ready(void **state)
{
	guest_set_up(state);
	guest_reach(HYPERV_READY);
	return 0;
}

static void post_relid(uint32_t type, uint32_t relid)
{
	struct vmbus_relid message = { .header.type = type, .relid = relid };

	guest_post(&message, sizeof(message));
}

static void post_teardown(uint32_t gpadl)
{
	struct vmbus_gpadl_teardown message = {
		.header.type = VMBUS_GPADL_TEARDOWN,
		.relid = guest_dm.relid,
		.gpadl = gpadl,
	};

	guest_post(&message, sizeof(message));
}

/* Opens as it is, without a GPADL being made. Returns the status in the answer. */
static uint32_t open_with(uint32_t relid, uint32_t gpadl, uint32_t page)
{
	struct vmbus_open open = {
		.header.type = VMBUS_OPEN,
		.relid = relid,
		.open_id = 9,
		.ring_gpadl = gpadl,
		.host_ring_page = page,
	};
	union {
		struct vmbus_open_result result;
		uint8_t bytes[HV_MESSAGE_PAYLOAD];
	} answer;

	guest_post(&open, sizeof(open));
	guest_expect(VMBUS_OPEN_RESULT, &answer);
	assert_int_equal(answer.result.open_id, 9);
	return answer.result.status;
}

static uint32_t expect_rescission(void)
{
	union {
		struct vmbus_relid message;
		uint8_t bytes[HV_MESSAGE_PAYLOAD];
	} rescission;

	guest_expect(VMBUS_RESCIND_OFFER, &rescission);
	return rescission.message.relid;
}

static void dm_is_offered_alone(void **state)
{
	(void)state;
	assert_int_equal(seen()->told[HYPERV_OFFER], 1);
	assert_int_equal(guest_dm.subchannel, 0);
	assert_int_equal(guest_dm.monitor_allocated, 0);
	assert_int_equal(guest_dm.dedicated_interrupt, VMBUS_DEDICATED_INTERRUPT);
	assert_int_not_equal(guest_dm.connection, VMBUS_CONNECTION_EVENTS);
}

static void other_channels_come_first_and_open_in_silence(void **state)
{
	struct vmbus_header request = { .type = VMBUS_REQUEST_OFFERS };
	struct vmbus_offer other, dm;
	uint8_t message[HV_MESSAGE_PAYLOAD];

	(void)state;
	guest_begin(0);
	guest_enable();
	wish()->other_channels = 5;
	assert_true(guest_contact(VMBUS_VERSION(5, 3)));
	guest_post(&request, sizeof(request));
	guest_expect(VMBUS_OFFER, message);
	memcpy(&other, message, VMBUS_OFFER_BYTES);
	guest_expect(VMBUS_OFFER, message);
	guest_expect(VMBUS_OFFER, message);
	guest_expect(VMBUS_OFFER, message);
	memcpy(&dm, message, VMBUS_OFFER_BYTES);
	guest_expect(VMBUS_ALL_OFFERS, message);
	assert_memory_equal(&dm.type, (&(struct vmbus_guid)DM_GUID), sizeof(dm.type));
	assert_memory_not_equal(&other.type, &dm.type, sizeof(dm.type));
	assert_memory_not_equal(&other.instance, &dm.instance, sizeof(dm.instance));
	assert_int_not_equal(other.relid, dm.relid);
	guest_dm = other;
	guest_open_channel();
	guest_put(message, 8);
	guest_signal();
	assert_int_equal(seen()->progress, HYPERV_CONNECTED);
	assert_int_equal(seen()->packets_in, 0);
	guest_close_channel();
	assert_null(sim_machine_violation());
}

static void there_may_be_no_dm_until_there_is(void **state)
{
	uint8_t message[HV_MESSAGE_PAYLOAD];

	(void)state;
	guest_begin(0);
	guest_enable();
	wish()->no_dm = 1;
	assert_true(guest_contact(VMBUS_VERSION(5, 3)));
	guest_request_offers();
	assert_int_equal(guest_dm.relid, 0);
	wish()->no_dm = 0;
	sim_machine_ring();
	guest_expect(VMBUS_OFFER, message);
	memcpy(&guest_dm, message, VMBUS_OFFER_BYTES);
	guest_open_channel();
	assert_null(sim_machine_violation());
}

static void a_channel_closes_and_opens_again(void **state)
{
	(void)state;
	assert_int_equal(seen()->progress, HYPERV_READY);
	guest_close_channel();
	assert_int_equal(seen()->progress, HYPERV_CONNECTED);
	assert_int_equal(seen()->closes, 1);
	guest_open_channel();
	assert_int_equal(seen()->opens, 2);
	assert_int_equal(seen()->gpadls, 2);
	assert_null(sim_machine_violation());
}

static void dm_is_rescinded_and_offered_anew(void **state)
{
	uint32_t relid = guest_dm.relid;
	uint8_t message[HV_MESSAGE_PAYLOAD];

	(void)state;
	wish()->no_dm = 1;
	sim_machine_ring();
	assert_int_equal(expect_rescission(), relid);
	assert_int_equal(seen()->progress, HYPERV_CONNECTED);
	guest_close_channel();
	wish()->no_dm = 0;
	sim_machine_ring();
	guest_expect_silence();
	post_relid(VMBUS_RELID_RELEASED, relid);
	guest_expect(VMBUS_OFFER, message);
	memcpy(&guest_dm, message, VMBUS_OFFER_BYTES);
	assert_int_not_equal(guest_dm.relid, relid);
	guest_open_channel();
	assert_int_equal(seen()->rescinds, 1);
	assert_int_equal(seen()->releases, 1);
	assert_null(sim_machine_violation());
}

static void a_lie_rescinds_at_any_message(void **state)
{
	uint8_t message[HV_MESSAGE_PAYLOAD];
	struct dm_version_request request = { .version = DM_VERSION(2, 0) };

	(void)state;
	lie()->rescind_at = (uint32_t)seen()->said + 1;
	guest_send(&request, DM_VERSION_REQUEST, sizeof(request));
	assert_int_equal(expect_rescission(), guest_dm.relid);
	guest_expect_no_packet();
	post_relid(VMBUS_RELID_RELEASED, guest_dm.relid);
	guest_expect_silence();
	wish()->offer_again = 1;
	sim_machine_ring();
	guest_expect(VMBUS_OFFER, message);
	memcpy(&guest_dm, message, VMBUS_OFFER_BYTES);
	/* Once for each number; and the old channel's GPADL has gone with it. */
	guest_open_channel();
	guest_expect_silence();
	assert_null(sim_machine_violation());
}

static void a_gpadl_may_be_torn_down_unasked(void **state)
{
	uint8_t message[HV_MESSAGE_PAYLOAD];

	(void)state;
	lie()->torn_down_at = 1;
	guest_open_channel();
	/* At the first message after it was opened. */
	post_relid(VMBUS_CLOSE, guest_dm.relid);
	guest_expect(VMBUS_GPADL_TORNDOWN, message);
	guest_expect_silence();
	/* A closed channel has no ring. */
	lie()->torn_down_at = 2;
	post_teardown(GUEST_GPADL);
	guest_expect(VMBUS_GPADL_TORNDOWN, message);
	guest_expect_silence();
	assert_null(sim_machine_violation());
}

static void refusals_are_told(void **state)
{
	union {
		struct vmbus_gpadl_created created;
		uint8_t bytes[HV_MESSAGE_PAYLOAD];
	} answer;

	(void)state;
	lie()->refused = HYPERV_BIT(HYPERV_GPADL_CREATED) | HYPERV_BIT(HYPERV_OPEN_RESULT);
	guest_make_gpadl(GUEST_GPADL, GUEST_RINGS, 10);
	guest_expect(VMBUS_GPADL_CREATED, &answer);
	assert_int_not_equal(answer.created.status, 0);
	lie()->refused = HYPERV_BIT(HYPERV_OPEN_RESULT);
	guest_make_gpadl(GUEST_GPADL, GUEST_RINGS, 10);
	guest_expect(VMBUS_GPADL_CREATED, &answer);
	assert_int_equal(answer.created.status, 0);
	assert_int_not_equal(open_with(guest_dm.relid, GUEST_GPADL, 5), 0);
	assert_int_equal(seen()->opens, 0);
	assert_int_equal(seen()->progress, HYPERV_CONNECTED);
	assert_null(sim_machine_violation());
}

static void signals_go_to_a_channel(void **state)
{
	(void)state;
	guest_signal();
	assert_int_equal(seen()->signals, 1);
	assert_int_equal(seen()->signals_idle, 1);
	assert_int_equal(guest_hypercall(HV_SIGNAL_EVENT | HV_CALL_FAST, 0x12345, 0),
			 HV_INVALID_CONNECTION);
	assert_null(sim_machine_violation());
}

/* ---- Mistakes ---- */

static void expect_violation(const char *what)
{
	assert_string_equal(sim_machine_violation(), what);
}

static void a_gpadl_needs_an_offer(void **state)
{
	(void)state;
	guest_dm.relid++;
	guest_make_gpadl(GUEST_GPADL, GUEST_RINGS, 10);
	expect_violation("a GPADL for a channel that is not offered");
}

static void opening_needs_an_offer(void **state)
{
	(void)state;
	assert_int_not_equal(open_with(guest_dm.relid + 1, GUEST_GPADL, 5), 0);
	expect_violation("a channel was opened that is not offered");
}

static void opening_needs_the_channels_own_gpadl(void **state)
{
	(void)state;
	assert_int_not_equal(open_with(guest_dm.relid, GUEST_GPADL, 5), 0);
	expect_violation("a channel was opened with a GPADL that is not its own");
}

static void opening_twice_is_a_mistake(void **state)
{
	(void)state;
	assert_int_not_equal(open_with(guest_dm.relid, GUEST_GPADL, 5), 0);
	expect_violation("a channel was opened twice");
}

static void both_rings_need_data(void **state)
{
	static const uint32_t pages[] = { 0, 1, 9, 10, UINT32_MAX };
	uint8_t message[HV_MESSAGE_PAYLOAD];

	(void)state;
	for (size_t i = 0; i < sizeof(pages) / sizeof(pages[0]); i++) {
		guest_begin(0);
		guest_reach(HYPERV_CONNECTED);
		guest_make_gpadl(GUEST_GPADL, GUEST_RINGS, 10);
		guest_expect(VMBUS_GPADL_CREATED, message);
		assert_int_not_equal(open_with(guest_dm.relid, GUEST_GPADL, pages[i]), 0);
		expect_violation("a channel was opened with a ring without data");
	}
}

static void a_gpadl_in_use_is_not_torn_down(void **state)
{
	(void)state;
	post_teardown(GUEST_GPADL);
	expect_violation("the GPADL of an open channel was torn down");
	guest_expect_silence();
}

static void a_gpadl_is_torn_down_once(void **state)
{
	(void)state;
	guest_close_channel();
	post_teardown(GUEST_GPADL);
	expect_violation("a GPADL was torn down that there is not");
}

static void a_closed_channel_is_not_closed(void **state)
{
	(void)state;
	post_relid(VMBUS_CLOSE, guest_dm.relid);
	expect_violation("a channel was closed that is not open");
}

static void only_a_rescinded_channel_is_released(void **state)
{
	(void)state;
	post_relid(VMBUS_RELID_RELEASED, guest_dm.relid);
	expect_violation("a channel was released that was not rescinded");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(dm_is_offered_alone, connected),
		cmocka_unit_test_setup(other_channels_come_first_and_open_in_silence, connected),
		cmocka_unit_test_setup(there_may_be_no_dm_until_there_is, connected),
		cmocka_unit_test_setup(a_channel_closes_and_opens_again, ready),
		cmocka_unit_test_setup(dm_is_rescinded_and_offered_anew, ready),
		cmocka_unit_test_setup(a_lie_rescinds_at_any_message, opened),
		cmocka_unit_test_setup(a_gpadl_may_be_torn_down_unasked, connected),
		cmocka_unit_test_setup(refusals_are_told, connected),
		cmocka_unit_test_setup(signals_go_to_a_channel, opened),
		cmocka_unit_test_setup(a_gpadl_needs_an_offer, connected),
		cmocka_unit_test_setup(opening_needs_an_offer, connected),
		cmocka_unit_test_setup(opening_needs_the_channels_own_gpadl, connected),
		cmocka_unit_test_setup(opening_twice_is_a_mistake, opened),
		cmocka_unit_test_setup(both_rings_need_data, connected),
		cmocka_unit_test_setup(a_gpadl_in_use_is_not_torn_down, opened),
		cmocka_unit_test_setup(a_gpadl_is_torn_down_once, opened),
		cmocka_unit_test_setup(a_closed_channel_is_not_closed, connected),
		cmocka_unit_test_setup(only_a_rescinded_channel_is_released, opened),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
