/* SPDX-License-Identifier: BSD-2-Clause */
/* Tests of tests/hypervisor/hyperv_synic.c: messages, their slot, EOM, flags, interrupts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "tests/unit/hypervisor/hyperv_guest.h"

static struct hyperv_lie *lie(void)
{
	return &hyperv_control()->lie;
}

static struct hyperv_seen *seen(void)
{
	return &hyperv_control()->seen;
}

static struct hv_message *slot(void)
{
	struct hv_message_page *page = guest_page(GUEST_MESSAGES);

	return &page->slot[VMBUS_SINT];
}

static int connected(void **state)
{
	guest_set_up(state);
	guest_enable();
	assert_true(guest_contact(VMBUS_VERSION(5, 3)));
	return 0;
}

static void request_offers(void)
{
	struct vmbus_header request = { .type = VMBUS_REQUEST_OFFERS };

	guest_post(&request, sizeof(request));
}

static uint64_t read_msr(uint32_t msr)
{
	uint64_t value = ~UINT64_C(0);

	assert_true(sim_machine_msr_read(msr, &value));
	return value;
}

static void all_sources_are_masked_at_the_start(void **state)
{
	(void)state;
	for (uint32_t i = 0; i < HV_SINT_COUNT; i++)
		assert_int_equal(read_msr(HV_MSR_SINT0 + i), HV_SINT_MASKED);
	assert_int_equal(read_msr(HV_MSR_SVERSION), 1);
	assert_int_equal(read_msr(HV_MSR_EOM), 0);
	assert_false(sim_machine_msr_write(HV_MSR_SINT0 + HV_SINT_COUNT, 0x30));
	assert_false(sim_machine_msr_read(HV_MSR_SINT0 + HV_SINT_COUNT, &(uint64_t){ 0 }));
	guest_enable();
	assert_int_equal(read_msr(HV_MSR_SINT0 + VMBUS_SINT), GUEST_VECTOR);
	assert_int_equal(read_msr(HV_MSR_SCONTROL), HV_MSR_ENABLE);
	assert_int_equal(read_msr(HV_MSR_SIMP), GUEST_MESSAGES * FRAME_SIZE | HV_MSR_ENABLE);
	assert_int_equal(read_msr(HV_MSR_SIEFP), GUEST_EVENTS * FRAME_SIZE | HV_MSR_ENABLE);
	assert_int_equal(seen()->progress, HYPERV_SYNIC);
}

static void pages_are_empty_when_they_are_enabled(void **state)
{
	(void)state;
	memset(guest_page(GUEST_MESSAGES), 0xff, FRAME_SIZE);
	memset(guest_page(GUEST_EVENTS), 0xff, FRAME_SIZE);
	guest_enable();
	assert_int_equal(slot()->type, HV_MESSAGE_NONE);
	assert_int_equal(*(uint64_t *)guest_page(GUEST_EVENTS), 0);
	/* Once more is no news. */
	slot()->type = 5;
	assert_true(sim_machine_msr_write(HV_MSR_SIMP, GUEST_MESSAGES * FRAME_SIZE | 1));
	assert_int_equal(slot()->type, 5);
}

static void a_message_waits_for_the_slot_and_for_eom(void **state)
{
	struct vmbus_header message;
	uint8_t vector;

	(void)state;
	request_offers();
	/* The offer is there, and the end of them waits: the guest is told when it was read. */
	assert_int_equal(slot()->type, HV_MESSAGE_CHANNEL);
	assert_int_equal(slot()->size, VMBUS_OFFER_BYTES);
	assert_int_equal(slot()->flags, HV_MESSAGE_PENDING);
	assert_true(sim_machine_take_interrupt(&vector));
	assert_int_equal(vector, GUEST_VECTOR);
	slot()->type = HV_MESSAGE_NONE;
	sim_machine_ring();
	assert_int_equal(slot()->type, HV_MESSAGE_NONE);
	assert_true(sim_machine_msr_write(HV_MSR_EOM, 0));
	memcpy(&message, slot()->payload, sizeof(message));
	assert_int_equal(message.type, VMBUS_ALL_OFFERS);
	assert_int_equal(slot()->flags, 0);
	assert_true(sim_machine_take_interrupt(&vector));
	assert_int_equal(seen()->eoms, 1);
	assert_int_equal(seen()->eoms_unasked, 0);
	assert_true(sim_machine_msr_write(HV_MSR_EOM, 0));
	assert_int_equal(seen()->eoms_unasked, 1);
	assert_null(sim_machine_violation());
}

static void a_slot_that_is_taken_gets_the_flag_later(void **state)
{
	struct vmbus_header unload = { .type = VMBUS_UNLOAD };
	uint8_t message[HV_MESSAGE_PAYLOAD];

	(void)state;
	request_offers();
	assert_true(guest_take(message));
	/* ALL_OFFERS is in the slot, with nothing after it. */
	assert_int_equal(slot()->flags, 0);
	guest_post(&unload, sizeof(unload));
	assert_int_equal(slot()->flags, HV_MESSAGE_PENDING);
	guest_expect(VMBUS_ALL_OFFERS, message);
	guest_expect(VMBUS_UNLOAD_RESPONSE, message);
	guest_expect_silence();
}

static void eom_that_is_not_heard_is_heard_later(void **state)
{
	uint8_t message[HV_MESSAGE_PAYLOAD];

	(void)state;
	lie()->no_eom = 1;
	request_offers();
	guest_expect(VMBUS_OFFER, message);
	guest_expect_silence();
	lie()->no_eom = 0;
	sim_machine_ring();
	guest_expect(VMBUS_ALL_OFFERS, message);
}

static void interrupts_may_fail_to_come_or_storm(void **state)
{
	uint8_t vector;

	(void)state;
	lie()->no_interrupts = 1;
	request_offers();
	assert_false(sim_machine_take_interrupt(&vector));
	lie()->no_interrupts = 0;
	lie()->storm = 1000;
	for (unsigned i = 0; i < 3; i++) {
		sim_machine_ring();
		assert_true(sim_machine_take_interrupt(&vector));
	}
	assert_true(seen()->interrupts >= 3000);
	lie()->storm = 0;
	sim_machine_ring();
	assert_false(sim_machine_take_interrupt(&vector));
}

static void a_masked_source_is_not_told(void **state)
{
	uint8_t message[HV_MESSAGE_PAYLOAD];
	uint8_t vector;

	(void)state;
	assert_true(sim_machine_msr_write(HV_MSR_SINT0 + VMBUS_SINT, HV_SINT_MASKED));
	request_offers();
	assert_string_equal(sim_machine_violation(),
			    "a message was posted before the SynIC could take the answer");
	assert_false(sim_machine_take_interrupt(&vector));
	guest_expect_silence();
	assert_true(sim_machine_msr_write(HV_MSR_SINT0 + VMBUS_SINT, GUEST_VECTOR));
	assert_true(sim_machine_take_interrupt(&vector));
	guest_expect(VMBUS_OFFER, message);
}

static void a_vector_below_16_is_a_mistake(void **state)
{
	(void)state;
	assert_true(sim_machine_msr_write(HV_MSR_SINT0, HV_SINT_MASKED | 3));
	assert_null(sim_machine_violation());
	assert_false(sim_machine_msr_write(HV_MSR_SINT0, 15));
	assert_string_equal(sim_machine_violation(), "a SINT with a vector below 16");
	assert_true(sim_machine_msr_write(HV_MSR_SINT0, 16));
}

static void pages_outside_ram_are_mistakes(void **state)
{
	(void)state;
	assert_true(sim_machine_msr_write(HV_MSR_SIMP, UINT64_C(1) << 50 | HV_MSR_ENABLE));
	assert_string_equal(sim_machine_violation(),
			    "a page of the SynIC lies where the guest has no RAM");
}

static void a_page_that_was_given_away_is_a_mistake(void **state)
{
	(void)state;
	host_frames_take(GUEST_MESSAGES, 1);
	request_offers();
	assert_string_equal(sim_machine_violation(),
			    "a page of the SynIC lies where the guest has no RAM");
}

static void what_is_kept_back_comes_late_and_others_pass_it(void **state)
{
	uint8_t message[HV_MESSAGE_PAYLOAD];

	(void)state;
	lie()->silent = HYPERV_BIT(HYPERV_OFFER);
	request_offers();
	guest_expect(VMBUS_ALL_OFFERS, message);
	guest_expect_silence();
	lie()->silent = 0;
	sim_machine_ring();
	guest_expect(VMBUS_OFFER, message);
	assert_int_equal(seen()->told[HYPERV_OFFER], 1);
}

static void what_is_said_may_be_twice_cut_short_or_unknown(void **state)
{
	uint8_t message[HV_MESSAGE_PAYLOAD];

	(void)state;
	lie()->twice = HYPERV_BIT(HYPERV_ALL_OFFERS);
	lie()->cut = HYPERV_BIT(HYPERV_OFFER);
	lie()->cut_bytes = 100;
	lie()->unknown = HYPERV_BIT(HYPERV_ALL_OFFERS);
	request_offers();
	assert_int_equal(slot()->size, 100);
	guest_expect(VMBUS_OFFER, message);
	guest_expect(VMBUS_ALL_OFFERS ^ 0x7777, message);
	guest_expect(VMBUS_ALL_OFFERS ^ 0x7777, message);
	guest_expect_silence();
}

static void numbers_may_be_others(void **state)
{
	struct vmbus_offer offer;
	uint8_t message[HV_MESSAGE_PAYLOAD];

	(void)state;
	lie()->foreign = HYPERV_BIT(HYPERV_OFFER);
	request_offers();
	guest_expect(VMBUS_OFFER, message);
	memcpy(&offer, message, VMBUS_OFFER_BYTES);
	assert_int_equal(offer.relid & 0xffff0000, 0x5a5a0000);
}

static void a_full_queue_makes_the_guest_wait(void **state)
{
	struct vmbus_initiate_contact contact = {
		.header.type = VMBUS_INITIATE_CONTACT,
		.version = VMBUS_VERSION(5, 3),
	};
	uint64_t status = HV_SUCCESS;
	uint8_t message[HV_MESSAGE_PAYLOAD];
	unsigned posted = 0, answered = 0;

	(void)state;
	while (posted < 1000 && status == HV_SUCCESS) {
		status = guest_post_to(VMBUS_CONNECTION, &contact, sizeof(contact));
		posted++;
	}
	assert_int_equal(status, HV_INSUFFICIENT_BUFFERS);
	while (guest_take(message))
		answered++;
	assert_int_equal(answered, posted - 1);
	assert_int_equal(seen()->lost, 0);
	assert_int_equal(guest_post_to(VMBUS_CONNECTION, &contact, sizeof(contact)), HV_SUCCESS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(all_sources_are_masked_at_the_start, guest_set_up),
		cmocka_unit_test_setup(pages_are_empty_when_they_are_enabled, guest_set_up),
		cmocka_unit_test_setup(a_message_waits_for_the_slot_and_for_eom, connected),
		cmocka_unit_test_setup(a_slot_that_is_taken_gets_the_flag_later, connected),
		cmocka_unit_test_setup(eom_that_is_not_heard_is_heard_later, connected),
		cmocka_unit_test_setup(interrupts_may_fail_to_come_or_storm, connected),
		cmocka_unit_test_setup(a_masked_source_is_not_told, connected),
		cmocka_unit_test_setup(a_vector_below_16_is_a_mistake, guest_set_up),
		cmocka_unit_test_setup(pages_outside_ram_are_mistakes, guest_set_up),
		cmocka_unit_test_setup(a_page_that_was_given_away_is_a_mistake, connected),
		cmocka_unit_test_setup(what_is_kept_back_comes_late_and_others_pass_it, connected),
		cmocka_unit_test_setup(what_is_said_may_be_twice_cut_short_or_unknown, connected),
		cmocka_unit_test_setup(numbers_may_be_others, connected),
		cmocka_unit_test_setup(a_full_queue_makes_the_guest_wait, connected),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
