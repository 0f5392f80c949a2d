/* SPDX-License-Identifier: BSD-2-Clause */
/* Tests of tests/hypervisor/hyperv_vmbus.c: versions, where messages go, what no state allows. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

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

static int synic(void **state)
{
	guest_set_up(state);
	guest_reach(HYPERV_SYNIC);
	return 0;
}

static int connected(void **state)
{
	guest_set_up(state);
	guest_reach(HYPERV_CONNECTED);
	return 0;
}

static void each_version_that_there_is_is_taken(void **state)
{
	static const uint32_t versions[] = {
		VMBUS_VERSION(0, 13), VMBUS_VERSION(1, 1), VMBUS_VERSION(2, 4), VMBUS_VERSION(3, 0),
		VMBUS_VERSION(4, 0),  VMBUS_VERSION(4, 1), VMBUS_VERSION(5, 0), VMBUS_VERSION(5, 1),
		VMBUS_VERSION(5, 2),  VMBUS_VERSION(5, 3),
	};

	(void)state;
	for (size_t i = 0; i < sizeof(versions) / sizeof(versions[0]); i++) {
		guest_begin(0);
		guest_enable();
		assert_true(guest_contact(versions[i]));
		assert_int_equal(seen()->vmbus_version, versions[i]);
		assert_int_equal(seen()->progress, HYPERV_CONNECTED);
		guest_request_offers();
		assert_int_not_equal(guest_dm.relid, 0);
		assert_int_equal(guest_dm.dedicated_interrupt, versions[i] >= VMBUS_VERSION(2, 4));
		assert_null(sim_machine_violation());
	}
}

static void a_guest_goes_down_to_the_version_that_the_host_has(void **state)
{
	(void)state;
	assert_false(guest_contact(VMBUS_VERSION(6, 0)));
	assert_false(guest_contact(VMBUS_VERSION(5, 4)));
	wish()->vmbus_version = VMBUS_VERSION(4, 0);
	/* A host before 5.0 has no such connection. */
	assert_int_equal(guest_post_to(VMBUS_CONNECTION,
				       &(struct vmbus_initiate_contact){
					       .header.type = VMBUS_INITIATE_CONTACT },
				       sizeof(struct vmbus_initiate_contact)),
			 HV_INVALID_CONNECTION);
	assert_false(guest_contact(VMBUS_VERSION(5, 0)));
	assert_false(guest_contact(VMBUS_VERSION(4, 1)));
	assert_int_equal(seen()->connects, 0);
	assert_true(guest_contact(VMBUS_VERSION(4, 0)));
	assert_int_equal(seen()->connects, 1);
	assert_null(sim_machine_violation());
}

static void all_versions_may_be_refused(void **state)
{
	(void)state;
	lie()->refused = HYPERV_BIT(HYPERV_VERSION);
	assert_false(guest_contact(VMBUS_VERSION(5, 3)));
	assert_false(guest_contact(VMBUS_VERSION(2, 4)));
	assert_int_equal(seen()->progress, HYPERV_SYNIC);
}

static void messages_go_where_the_host_said(void **state)
{
	struct vmbus_header request = { .type = VMBUS_REQUEST_OFFERS };
	uint8_t message[HV_MESSAGE_PAYLOAD];
	uint32_t told;

	(void)state;
	assert_true(guest_contact(VMBUS_VERSION(5, 3)));
	told = guest_connection;
	assert_int_not_equal(told, VMBUS_CONNECTION);
	assert_int_equal(guest_post_to(VMBUS_CONNECTION, &request, sizeof(request)),
			 HV_INVALID_CONNECTION);
	assert_int_equal(guest_post_to(VMBUS_CONNECTION_OLD, &request, sizeof(request)),
			 HV_INVALID_CONNECTION);
	assert_int_equal(guest_post_to(told, &request, sizeof(request)), HV_SUCCESS);
	while (guest_take(message))
		;
	assert_true(guest_contact(VMBUS_VERSION(4, 1)));
	assert_int_equal(guest_post_to(told, &request, sizeof(request)), HV_INVALID_CONNECTION);
	assert_int_equal(guest_post_to(VMBUS_CONNECTION_OLD, &request, sizeof(request)),
			 HV_SUCCESS);
}

static void unload_ends_the_connection(void **state)
{
	struct vmbus_header message = { .type = VMBUS_UNLOAD };
	uint8_t bytes[HV_MESSAGE_PAYLOAD];

	(void)state;
	guest_post(&message, sizeof(message));
	guest_expect(VMBUS_UNLOAD_RESPONSE, bytes);
	assert_int_equal(seen()->unloads, 1);
	assert_int_equal(seen()->progress, HYPERV_SYNIC);
	/* And another one may begin. */
	assert_true(guest_contact(VMBUS_VERSION(5, 0)));
	guest_request_offers();
	assert_int_equal(seen()->connects, 2);
	assert_null(sim_machine_violation());
}

static void a_new_contact_ends_the_old_one(void **state)
{
	(void)state;
	guest_open_channel();
	assert_true(guest_contact(VMBUS_VERSION(5, 3)));
	assert_int_equal(seen()->progress, HYPERV_CONNECTED);
	guest_request_offers();
	guest_open_channel();
	assert_int_equal(seen()->opens, 2);
	assert_null(sim_machine_violation());
}

static void expect_mistake(uint32_t connection, const void *message, uint32_t bytes,
			   const char *what)
{
	guest_post_to(connection, message, bytes);
	assert_string_equal(sim_machine_violation(), what);
}

static void a_message_needs_a_connection(void **state)
{
	struct vmbus_header request = { .type = VMBUS_REQUEST_OFFERS };

	(void)state;
	expect_mistake(VMBUS_CONNECTION_OLD, &request, sizeof(request),
		       "a message was posted without a connection");
	guest_expect_silence();
}

static void an_unknown_message_is_a_mistake(void **state)
{
	struct vmbus_header message = { .type = VMBUS_OFFER };

	(void)state;
	expect_mistake(guest_connection, &message, sizeof(message),
		       "a message was posted of a type that guests do not post");
}

static void half_a_header_is_a_mistake(void **state)
{
	struct vmbus_header message = { .type = VMBUS_UNLOAD };

	(void)state;
	expect_mistake(guest_connection, &message, 4,
		       "a message was posted of a type that guests do not post");
}

static void a_short_message_is_a_mistake(void **state)
{
	struct vmbus_open message = { .header.type = VMBUS_OPEN };

	(void)state;
	expect_mistake(guest_connection, &message, sizeof(message) - 1,
		       "a message was posted that is too short");
}

static void another_processor_is_a_mistake(void **state)
{
	struct vmbus_initiate_contact message = {
		.header.type = VMBUS_INITIATE_CONTACT,
		.version = VMBUS_VERSION(5, 3),
		.target_vp = 1,
	};

	(void)state;
	expect_mistake(VMBUS_CONNECTION, &message, sizeof(message),
		       "messages are to go to a processor that there is not");
}

static void offers_are_requested_once(void **state)
{
	struct vmbus_header message = { .type = VMBUS_REQUEST_OFFERS };

	(void)state;
	expect_mistake(guest_connection, &message, sizeof(message), "offers were requested twice");
}

/* dm as far as its version, in the manner of guests before 2.4. */
static void old_guests_are_signalled_by_bits(void **state)
{
	struct dm_version_request request = { .version = DM_VERSION(0, 3) };
	uint8_t *page = guest_page(GUEST_INTERRUPT_PAGE), packet[DM_MESSAGE_MAX];
	struct hv_event_page *events = guest_page(GUEST_EVENTS);

	(void)state;
	assert_true(guest_contact(VMBUS_VERSION(1, 1)));
	guest_request_offers();
	assert_int_equal(guest_dm.connection, VMBUS_CONNECTION_EVENTS);
	guest_open_channel();
	guest_send(&request, DM_VERSION_REQUEST, sizeof(request));
	assert_int_equal(page[FRAME_SIZE / 2 + guest_dm.relid / 8], 0);
	assert_int_equal(page[guest_dm.relid / 8], 1 << guest_dm.relid % 8);
	assert_int_equal(events->flags[VMBUS_SINT][0], 1);
	guest_expect_packet(DM_VERSION_RESPONSE, packet);
	/* Without its bit a signal is not this channel's. */
	guest_put(&request, sizeof(request));
	assert_int_equal(guest_hypercall(HV_SIGNAL_EVENT | HV_CALL_FAST, VMBUS_CONNECTION_EVENTS,
					 0),
			 HV_SUCCESS);
	guest_expect_no_packet();
	assert_null(sim_machine_violation());
}

static void a_page_of_bits_outside_ram_is_a_mistake(void **state)
{
	struct vmbus_initiate_contact contact = {
		.header.type = VMBUS_INITIATE_CONTACT,
		.version = VMBUS_VERSION(1, 1),
		.interrupt_page = UINT64_C(1) << 45,
	};
	uint8_t answer[HV_MESSAGE_PAYLOAD];

	(void)state;
	guest_connection = VMBUS_CONNECTION_OLD;
	guest_post(&contact, sizeof(contact));
	guest_expect(VMBUS_VERSION_RESPONSE, answer);
	guest_request_offers();
	guest_open_channel();
	assert_null(sim_machine_violation());
	guest_signal();
	assert_string_equal(sim_machine_violation(),
			    "the page of interrupts lies where the guest has no RAM");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_version_that_there_is_is_taken),
		cmocka_unit_test_setup(a_guest_goes_down_to_the_version_that_the_host_has, synic),
		cmocka_unit_test_setup(all_versions_may_be_refused, synic),
		cmocka_unit_test_setup(messages_go_where_the_host_said, synic),
		cmocka_unit_test_setup(unload_ends_the_connection, connected),
		cmocka_unit_test_setup(a_new_contact_ends_the_old_one, connected),
		cmocka_unit_test_setup(a_message_needs_a_connection, synic),
		cmocka_unit_test_setup(an_unknown_message_is_a_mistake, connected),
		cmocka_unit_test_setup(half_a_header_is_a_mistake, connected),
		cmocka_unit_test_setup(a_short_message_is_a_mistake, connected),
		cmocka_unit_test_setup(another_processor_is_a_mistake, synic),
		cmocka_unit_test_setup(offers_are_requested_once, connected),
		cmocka_unit_test_setup(old_guests_are_signalled_by_bits, synic),
		cmocka_unit_test_setup(a_page_of_bits_outside_ram_is_a_mistake, synic),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
