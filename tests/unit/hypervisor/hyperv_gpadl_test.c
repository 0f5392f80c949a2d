/* SPDX-License-Identifier: BSD-2-Clause */
/* Tests of tests/hypervisor/hyperv_gpadl.c: lists of frames, with bodies, and with mistakes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/hypervisor/hyperv_guest.h"

static uint8_t answer[HV_MESSAGE_PAYLOAD];

static int connected(void **state)
{
	guest_set_up(state);
	guest_reach(HYPERV_CONNECTED);
	return 0;
}

/* A header of one frame, which a test spoils. */
static struct vmbus_gpadl_header good(void)
{
	return (struct vmbus_gpadl_header){
		.header.type = VMBUS_GPADL_HEADER,
		.relid = guest_dm.relid,
		.gpadl = 5,
		.range_bytes = 16,
		.range_count = 1,
		.byte_count = FRAME_SIZE,
		.frame = { GUEST_FREE },
	};
}

#define GOOD_BYTES (offsetof(struct vmbus_gpadl_header, frame) + sizeof(uint64_t))

static void lists_of_any_length_are_taken(void **state)
{
	static const uint32_t lengths[] = { 1, 26, 27, 54, 55, 512 };

	(void)state;
	for (uint32_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		guest_make_gpadl(100 + i, GUEST_FREE, lengths[i]);
		guest_expect(VMBUS_GPADL_CREATED, answer);
		guest_expect_silence();
	}
	assert_int_equal(hyperv_control()->seen.gpadls, 6);
	assert_null(sim_machine_violation());
}

static void there_are_only_so_many(void **state)
{
	(void)state;
	for (uint32_t i = 0; i < 8; i++) {
		guest_make_gpadl(1 + i, GUEST_FREE, 1);
		guest_expect(VMBUS_GPADL_CREATED, answer);
	}
	guest_make_gpadl(9, GUEST_FREE, 1);
	assert_string_equal(sim_machine_violation(), "there are more GPADLs than any guest needs");
}

static void spoil(unsigned how, struct vmbus_gpadl_header *header)
{
	switch (how) {
	case 0:
		header->gpadl = 0;
		break;
	case 1:
		header->range_count = 2;
		break;
	case 2:
		header->byte_offset = 8;
		break;
	case 3:
		header->byte_count = 0;
		break;
	case 4:
		header->byte_count = FRAME_SIZE + 1;
		break;
	case 5:
		header->range_bytes = 8;
		break;
	case 6:
		header->range_bytes = 24;
		break;
	case 7:
		header->range_bytes = 8 + 8 * 513;
		header->byte_count = 513 * FRAME_SIZE;
		break;
	}
}

static void a_header_that_contradicts_itself_is_a_mistake(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 8; i++) {
		struct vmbus_gpadl_header header;

		guest_begin(0);
		guest_reach(HYPERV_CONNECTED);
		header = good();
		spoil(i, &header);
		guest_post(&header, GOOD_BYTES);
		guest_expect_silence();
		assert_string_equal(sim_machine_violation(), "a GPADL's header contradicts itself");
	}
}

static void a_number_is_used_once(void **state)
{
	(void)state;
	guest_make_gpadl(5, GUEST_FREE, 1);
	guest_expect(VMBUS_GPADL_CREATED, answer);
	guest_make_gpadl(5, GUEST_FREE, 1);
	assert_string_equal(sim_machine_violation(), "a GPADL has the number of another one");
}

static void frames_are_ram(void **state)
{
	struct vmbus_gpadl_header header = good();

	(void)state;
	header.frame[0] = 7;
	guest_post(&header, GOOD_BYTES);
	assert_string_equal(sim_machine_violation(), "a GPADL has a frame that is no RAM");
	guest_expect_silence();
	/* Nothing is left of it. */
	header.frame[0] = GUEST_FREE;
	guest_post(&header, GOOD_BYTES);
	guest_expect(VMBUS_GPADL_CREATED, answer);
}

static void a_message_is_full_or_the_last_one(void **state)
{
	struct vmbus_gpadl_header header = good();

	(void)state;
	header.range_bytes = 8 + 8 * 2;
	header.byte_count = 2 * FRAME_SIZE;
	guest_post(&header, GOOD_BYTES);
	assert_string_equal(sim_machine_violation(),
			    "a message of a GPADL has fewer frames than it could");
}

static void a_body_belongs_to_a_header(void **state)
{
	struct vmbus_gpadl_body body = { .header.type = VMBUS_GPADL_BODY, .gpadl = 5 };

	(void)state;
	for (uint32_t gpadl = 0; gpadl < 2; gpadl++) {
		guest_begin(0);
		guest_reach(HYPERV_CONNECTED);
		body.gpadl = gpadl * 5;
		guest_post(&body, sizeof(body));
		assert_string_equal(sim_machine_violation(),
				    "a body without a GPADL that it belongs to");
	}
	/* Nor to a list that is complete. */
	guest_begin(0);
	guest_reach(HYPERV_CONNECTED);
	guest_make_gpadl(5, GUEST_FREE, 1);
	guest_expect(VMBUS_GPADL_CREATED, answer);
	guest_post(&body, sizeof(body));
	assert_string_equal(sim_machine_violation(), "a body without a GPADL that it belongs to");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(lists_of_any_length_are_taken, connected),
		cmocka_unit_test_setup(there_are_only_so_many, connected),
		cmocka_unit_test_setup(a_header_that_contradicts_itself_is_a_mistake, connected),
		cmocka_unit_test_setup(a_number_is_used_once, connected),
		cmocka_unit_test_setup(frames_are_ram, connected),
		cmocka_unit_test_setup(a_message_is_full_or_the_last_one, connected),
		cmocka_unit_test_setup(a_body_belongs_to_a_header, connected),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
