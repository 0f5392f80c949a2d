/* SPDX-License-Identifier: BSD-2-Clause */
/* Tests of drivers/hyperv/hyperv.c: how each hypercall is made, and what becomes of its answer. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <string.h>

#include "drivers/hyperv/hyperv.h"
#include "tests/sim/sim_frame.h"
#include "tests/unit/drivers/hyperv/hyperv_fixture.h"

/* A result's bits that are no status. */
#define MORE_BITS (UINT64_C(0xfff) << 48 | UINT64_C(1) << 16)

static int set_up(void **state)
{
	(void)state;
	fake_hyperv_reset();
	sim_frame_reset();
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	hyperv_stop();
	assert_int_equal(sim_frame_in_use(), 0);
	return 0;
}

/* What a hypercall finds at the address that it was given. */
static const void *input(void)
{
	return (const void *)(uintptr_t)fake_hyperv.input;
}

/* ---- The frame ---- */

static void without_hyperv_there_is_no_frame(void **state)
{
	(void)state;
	fake_hyperv.there = false;
	assert_int_equal(hyperv_start(), -ENODEV);
	assert_int_equal(sim_frame_in_use(), 0);
}

static void a_frame_is_taken_once_and_given_back(void **state)
{
	(void)state;
	assert_int_equal(hyperv_start(), 0);
	assert_int_equal(hyperv_start(), 0);
	assert_int_equal(sim_frame_in_use(), 1);
	hyperv_stop();
	assert_int_equal(sim_frame_in_use(), 0);
	hyperv_stop();
	assert_int_equal(hyperv_start(), 0);
	assert_int_equal(sim_frame_in_use(), 1);
}

static void without_memory_there_is_no_start(void **state)
{
	(void)state;
	sim_frame_fail(true);
	assert_int_equal(hyperv_start(), -ENOMEM);
	sim_frame_fail(false);
	assert_int_equal(hyperv_start(), 0);
}

/* ---- The processor ---- */

static void its_number_is_asked_for_where_that_is_allowed(void **state)
{
	(void)state;
	fake_hyperv.vp_index = 7;
	assert_int_equal(hyperv_vp_index(), 7);
	/* An MSR that is not allowed ends in an exception. */
	fake_hyperv.cpuid.access_low &= ~HV_ACCESS_VP_INDEX;
	assert_int_equal(hyperv_vp_index(), 0);
	assert_int_equal(fake_hyperv.msr_reads, 1);
}

/* ---- Messages and signals ---- */

static void a_message_is_posted_whole(void **state)
{
	uint8_t payload[HV_MESSAGE_PAYLOAD];
	const struct hv_post_message *posted;

	(void)state;
	memset(payload, 0x5a, sizeof(payload));
	assert_int_equal(hyperv_start(), 0);
	assert_int_equal(hyperv_post_message(4, payload, sizeof(payload)), 0);
	posted = input();
	assert_int_equal(fake_hyperv.control, HV_POST_MESSAGE);
	assert_int_equal(fake_hyperv.output, 0);
	assert_int_equal(fake_hyperv.input % FRAME_SIZE, 0);
	assert_int_equal(posted->connection, 4);
	assert_int_equal(posted->reserved, 0);
	assert_int_equal(posted->type, HV_MESSAGE_CHANNEL);
	assert_int_equal(posted->size, sizeof(payload));
	assert_memory_equal(posted->payload, payload, sizeof(payload));
}

static void nothing_of_an_older_message_follows_a_shorter_one(void **state)
{
	static const uint8_t nothing[HV_MESSAGE_PAYLOAD];
	const struct hv_post_message *posted;

	(void)state;
	assert_int_equal(hyperv_start(), 0);
	assert_int_equal(hyperv_post_message(1, "a long message", 14), 0);
	assert_int_equal(hyperv_post_message(1, "b", 1), 0);
	posted = input();
	assert_int_equal(posted->size, 1);
	assert_int_equal(posted->payload[0], 'b');
	assert_memory_equal(posted->payload + 1, nothing, sizeof(nothing) - 1);
}

static const struct {
	unsigned status;
	int posted, signalled;
} answers[] = {
	{ HV_SUCCESS, 0, 0 },
	{ HV_INSUFFICIENT_MEMORY, -EAGAIN, -EIO },
	{ HV_INSUFFICIENT_BUFFERS, -EAGAIN, -EIO },
	{ HV_INVALID_CONNECTION, -ENXIO, -ENXIO },
	{ HV_INVALID_CODE, -EIO, -EIO },
	{ HV_ACCESS_DENIED, -EIO, -EIO },
	{ 0xffff, -EIO, -EIO },
};

static void answers_are_told_apart_by_their_status_alone(void **state)
{
	(void)state;
	assert_int_equal(hyperv_start(), 0);
	for (size_t i = 0; i < ARRAY_SIZE(answers); i++) {
		fake_hyperv.result = answers[i].status;
		assert_int_equal(hyperv_post_message(1, "x", 1), answers[i].posted);
		assert_int_equal(hyperv_signal_event(9), answers[i].signalled);
		fake_hyperv.result |= MORE_BITS;
		assert_int_equal(hyperv_post_message(1, "x", 1), answers[i].posted);
		assert_int_equal(hyperv_signal_event(9), answers[i].signalled);
	}
}

static void a_signal_needs_no_memory(void **state)
{
	(void)state;
	assert_int_equal(hyperv_signal_event(0x10002), 0);
	assert_int_equal(fake_hyperv.control, HV_SIGNAL_EVENT | HV_CALL_FAST);
	assert_int_equal(fake_hyperv.input, 0x10002);
	assert_int_equal(fake_hyperv.output, 0);
}

/* ---- Extended hypercalls ---- */

static void write_capabilities(void)
{
	*(uint64_t *)(uintptr_t)fake_hyperv.output = HV_EXT_COLD_DISCARD | 1;
}

static void extended_hypercalls_are_asked_for_where_there_are_any(void **state)
{
	(void)state;
	assert_int_equal(hyperv_start(), 0);
	fake_hyperv.on_call = write_capabilities;
	assert_int_equal(hyperv_ext_capabilities(), HV_EXT_COLD_DISCARD | 1);
	assert_int_equal(fake_hyperv.control, HV_EXT_QUERY_CAPABILITIES);
	assert_int_equal(fake_hyperv.input, 0);
	fake_hyperv.cpuid.access_high &= ~HV_ACCESS_HIGH_EXTENDED;
	assert_int_equal(hyperv_ext_capabilities(), 0);
	assert_int_equal(fake_hyperv.calls, 1);
}

static void a_call_that_failed_has_told_of_nothing(void **state)
{
	(void)state;
	assert_int_equal(hyperv_start(), 0);
	fake_hyperv.on_call = write_capabilities;
	fake_hyperv.result = HV_INVALID_CODE;
	assert_int_equal(hyperv_ext_capabilities(), 0);
}

static void what_lay_there_before_is_no_capability(void **state)
{
	(void)state;
	assert_int_equal(hyperv_start(), 0);
	assert_int_equal(hyperv_post_message(UINT32_MAX, "x", 1), 0);
	assert_int_equal(hyperv_ext_capabilities(), 0);
}

/* ---- Cold memory ---- */

static uint64_t done(uint64_t count, unsigned status)
{
	return count << HV_CALL_REPEAT_SHIFT | status;
}

static void blocks_are_told_as_large_pages(void **state)
{
	static const struct hyperv_blocks blocks[] = { { 3, 1 },
						       { 0x1000, HYPERV_COLD_BLOCKS_MAX } };
	const struct hv_heat_hint *hint;

	(void)state;
	assert_int_equal(hyperv_start(), 0);
	fake_hyperv.result = done(2, HV_SUCCESS);
	assert_int_equal(hyperv_discard_cold(blocks, 2), 0);
	hint = input();
	assert_int_equal(fake_hyperv.control,
			 HV_EXT_MEMORY_HEAT_HINT | UINT64_C(2) << HV_CALL_REPEAT_SHIFT);
	assert_int_equal(fake_hyperv.output, 0);
	assert_int_equal(hint->type, HV_HEAT_COLD_DISCARD);
	assert_int_equal(hint->range[0], UINT64_C(3) << 21 | HV_HEAT_LARGE);
	assert_int_equal(hint->range[1], UINT64_C(0x1000) << 21 | HV_HEAT_LARGE | 2047);
}

static void a_frame_full_of_ranges_is_told_at_once(void **state)
{
	struct hyperv_blocks blocks[HV_HEAT_RANGES];
	const struct hv_heat_hint *hint;

	(void)state;
	for (size_t i = 0; i < HV_HEAT_RANGES; i++)
		blocks[i] = (struct hyperv_blocks){ 2 * i, 1 };
	assert_int_equal(hyperv_start(), 0);
	fake_hyperv.result = done(HV_HEAT_RANGES, HV_SUCCESS);
	assert_int_equal(hyperv_discard_cold(blocks, HV_HEAT_RANGES), 0);
	hint = input();
	assert_int_equal(hint->range[510], UINT64_C(1020) << 21 | HV_HEAT_LARGE);
}

static void hints_that_were_not_all_taken_are_an_error(void **state)
{
	static const struct hyperv_blocks blocks[] = { { 3, 1 }, { 9, 2 } };
	static const unsigned counts[] = { 0, 1, 3 };

	(void)state;
	assert_int_equal(hyperv_start(), 0);
	for (size_t i = 0; i < ARRAY_SIZE(counts); i++) {
		fake_hyperv.result = done(counts[i], HV_SUCCESS);
		assert_int_equal(hyperv_discard_cold(blocks, 2), -EIO);
	}
	fake_hyperv.result = done(2, HV_ACCESS_DENIED);
	assert_int_equal(hyperv_discard_cold(blocks, 2), -EIO);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		TEST(without_hyperv_there_is_no_frame),
		TEST(a_frame_is_taken_once_and_given_back),
		TEST(without_memory_there_is_no_start),
		TEST(its_number_is_asked_for_where_that_is_allowed),
		TEST(a_message_is_posted_whole),
		TEST(nothing_of_an_older_message_follows_a_shorter_one),
		TEST(answers_are_told_apart_by_their_status_alone),
		TEST(a_signal_needs_no_memory),
		TEST(extended_hypercalls_are_asked_for_where_there_are_any),
		TEST(a_call_that_failed_has_told_of_nothing),
		TEST(what_lay_there_before_is_no_capability),
		TEST(blocks_are_told_as_large_pages),
		TEST(a_frame_full_of_ranges_is_told_at_once),
		TEST(hints_that_were_not_all_taken_are_an_error),
	};

	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
