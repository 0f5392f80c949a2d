/* SPDX-License-Identifier: BSD-2-Clause */
/* Tests of tests/hypervisor/hyperv_ask.c: a level is wanted, the guest is asked for differences. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/hypervisor/hyperv_guest.h"

static union {
	struct dm_header header;
	struct dm_balloon balloon;
	struct dm_unballoon unballoon;
	struct dm_hot_add hot_add;
	uint8_t bytes[DM_MESSAGE_MAX];
} packet;

static struct hyperv_seen *seen(void)
{
	return &hyperv_control()->seen;
}

static int ready(void **state)
{
	guest_set_up(state);
	guest_reach(HYPERV_READY);
	return 0;
}

static void set_target(uint64_t frames)
{
	hv_control.common.target = frames;
	sim_machine_ring();
}

/* The host asks for so many frames. */
static void expect_balloon(uint32_t pages)
{
	guest_expect_packet(DM_BALLOON, &packet);
	assert_int_equal(packet.balloon.pages, pages);
}

static void answer_unballoon(void)
{
	struct dm_header response;

	guest_send(&response, DM_UNBALLOON_RESPONSE, sizeof(response));
}

static void a_target_is_reached_and_left_again(void **state)
{
	(void)state;
	set_target(1000);
	assert_true(guest_take_event());
	expect_balloon(1000);
	assert_int_equal(seen()->requests, 1);
	guest_give(GUEST_FREE, 600, true);
	assert_int_equal(seen()->waiting, 400);
	guest_give(GUEST_FREE + 1000, 400, false);
	assert_int_equal(seen()->requests, 0);
	assert_int_equal(seen()->ballooned, 1000);
	assert_true(sim_ram_is_lent(GUEST_FREE + 599));
	set_target(300);
	guest_expect_packet(DM_UNBALLOON, &packet);
	assert_int_equal(packet.unballoon.range_count, 2);
	assert_int_equal(packet.unballoon.more, 0);
	assert_int_equal(packet.unballoon.range[0], GUEST_FREE | UINT64_C(600) << 40);
	assert_int_equal(packet.unballoon.range[1], (GUEST_FREE + 1000) | UINT64_C(100) << 40);
	assert_int_equal(seen()->ballooned, 300);
	assert_false(sim_ram_is_lent(GUEST_FREE + 599));
	answer_unballoon();
	assert_int_equal(seen()->requests, 0);
	guest_expect_no_packet();
	assert_null(sim_machine_violation());
}

static void give_all(uint64_t first, uint64_t count)
{
	guest_expect_packet(DM_BALLOON, &packet);
	guest_give(first, count, false);
}

static void a_guest_that_gives_less_is_asked_again_after_a_second(void **state)
{
	(void)state;
	set_target(1000);
	expect_balloon(1000);
	guest_give(GUEST_FREE, 10, false);
	assert_int_equal(seen()->given_short, 1);
	assert_int_equal(seen()->requests, 0);
	assert_int_equal(seen()->waiting, 0);
	guest_expect_no_packet();
	sim_machine_time = 9999999;
	sim_machine_ring();
	guest_expect_no_packet();
	sim_machine_time = 10000000;
	sim_machine_ring();
	expect_balloon(990);
	guest_give(GUEST_FREE + 10, 1, false);
	/* Another target is asked for at once. */
	set_target(500);
	expect_balloon(489);
	assert_null(sim_machine_violation());
}

static void a_request_may_be_in_pieces(void **state)
{
	(void)state;
	hyperv_control()->wish.ask_most = 300;
	set_target(700);
	expect_balloon(300);
	guest_give(GUEST_FREE, 300, false);
	expect_balloon(300);
	guest_give(GUEST_FREE + 300, 300, false);
	expect_balloon(100);
	guest_give(GUEST_FREE + 600, 100, false);
	guest_expect_no_packet();
	assert_int_equal(seen()->asked, 700);
	assert_int_equal(seen()->given, 700);
	assert_int_equal(seen()->given_ranges, 3);
	assert_int_equal(seen()->responses, 3);
}

static void an_unballoon_may_be_in_pieces(void **state)
{
	(void)state;
	hyperv_control()->wish.ranges_most = 1;
	hyperv_control()->wish.order = HYPERV_SINGLES;
	set_target(3);
	give_all(GUEST_FREE, 3);
	set_target(0);
	guest_expect_packet(DM_UNBALLOON, &packet);
	assert_int_equal(packet.unballoon.more, DM_MORE);
	assert_int_equal(packet.unballoon.range_count, 1);
	guest_expect_packet(DM_UNBALLOON, &packet);
	assert_int_equal(packet.unballoon.more, DM_MORE);
	guest_expect_packet(DM_UNBALLOON, &packet);
	assert_int_equal(packet.unballoon.more, 0);
	assert_int_equal(seen()->requests, 1);
	answer_unballoon();
	assert_int_equal(seen()->requests, 0);
	assert_int_equal(seen()->returned, 3);
	assert_int_equal(seen()->returned_ranges, 3);
	assert_null(sim_machine_violation());
}

/* Single frames with holes between them, 1500 of them: more than a message has room for. */
static void a_message_has_at_most_510_ranges(void **state)
{
	(void)state;
	set_target(1500);
	guest_expect_packet(DM_BALLOON, &packet);
	for (uint64_t i = 0; i < 1500; i++)
		guest_give(GUEST_FREE + 2 * i, 1, i < 1499);
	set_target(0);
	guest_expect_packet(DM_UNBALLOON, &packet);
	assert_int_equal(packet.header.size, DM_MESSAGE_MAX);
	assert_int_equal(packet.unballoon.range_count, 510);
	assert_int_equal(packet.unballoon.more, DM_MORE);
	guest_expect_packet(DM_UNBALLOON, &packet);
	assert_int_equal(packet.unballoon.range_count, 510);
	guest_expect_packet(DM_UNBALLOON, &packet);
	assert_int_equal(packet.unballoon.range_count, 480);
	assert_int_equal(packet.unballoon.more, 0);
	answer_unballoon();
	assert_int_equal(seen()->ballooned, 0);
	assert_null(sim_machine_violation());
}

static void one_request_waits_for_the_other_unless_the_host_is_impatient(void **state)
{
	(void)state;
	set_target(100);
	give_all(GUEST_FREE, 100);
	set_target(0);
	guest_expect_packet(DM_UNBALLOON, &packet);
	set_target(50);
	guest_expect_no_packet();
	hyperv_control()->lie.impatient = 1;
	sim_machine_ring();
	expect_balloon(50);
	set_target(80);
	expect_balloon(30);
	assert_int_equal(seen()->requests, 3);
	answer_unballoon();
	guest_give(GUEST_FREE, 80, false);
	guest_give(GUEST_FREE + 80, 0, false);
	assert_string_equal(sim_machine_violation(), "a range without frames was given");
	assert_int_equal(seen()->requests, 0);
	assert_int_equal(seen()->ballooned, 80);
}

static void what_was_not_said_is_not_given_back(void **state)
{
	(void)state;
	set_target(100);
	give_all(GUEST_FREE, 100);
	hyperv_control()->lie.silent = HYPERV_BIT(HYPERV_DM_UNBALLOON);
	set_target(0);
	assert_int_equal(seen()->ballooned, 0);
	guest_expect_no_packet();
	guest_close_channel();
	assert_int_equal(seen()->ballooned, 100);
	assert_true(sim_ram_is_lent(GUEST_FREE + 99));
	assert_int_equal(seen()->requests, 0);
	hyperv_control()->lie.silent = 0;
	guest_open_channel();
	assert_null(sim_machine_violation());
}

static void balloons_of_nonsense_are_asked_for_as_often_as_wanted(void **state)
{
	static const uint32_t pages[] = { 0, UINT32_MAX };

	(void)state;
	for (uint32_t i = 0; i < 2; i++) {
		hyperv_control()->lie.balloon_pages = pages[i];
		hyperv_control()->lie.balloon_count += 2;
		sim_machine_ring();
		expect_balloon(pages[i]);
		expect_balloon(pages[i]);
		assert_int_equal(seen()->requests, 2);
		assert_int_equal(seen()->balloon_lies, 2 * (i + 1));
		for (unsigned n = 0; n < 2; n++) {
			struct dm_balloon_response nothing = { .more_and_count = 0 };

			guest_send(&nothing, DM_BALLOON_RESPONSE, sizeof(nothing));
		}
		assert_int_equal(seen()->requests, 0);
	}
	guest_expect_no_packet();
	assert_null(sim_machine_violation());
}

/* ---- HOT_ADD ---- */

#define SPARE UINT64_C(4096)
#define SPARE_FIRST (GUEST_FIRST + SIM_RAM_FRAMES - SPARE)

static int ready_to_grow(void **state)
{
	(void)state;
	guest_begin(SPARE);
	guest_reach(HYPERV_READY);
	return 0;
}

static void want_added(uint64_t frames)
{
	hyperv_control()->wish.added = frames;
	sim_machine_ring();
}

static void answer_hot_add(uint32_t pages, uint32_t result)
{
	struct dm_hot_add_response response = { .pages = pages, .result = result };

	guest_send(&response, DM_HOT_ADD_RESPONSE, sizeof(response));
}

static void memory_is_added_and_there_before_it_is_told_of(void **state)
{
	(void)state;
	assert_int_equal(seen()->ballooned, 0);
	assert_true(sim_ram_is_lent(SPARE_FIRST));
	/* The guest takes 2 MiB at a time. */
	want_added(1030);
	guest_expect_packet(DM_HOT_ADD, &packet);
	assert_int_equal(packet.header.size, sizeof(packet.hot_add));
	assert_int_equal(packet.hot_add.range, SPARE_FIRST | UINT64_C(1024) << 40);
	assert_int_equal(packet.hot_add.region, SPARE_FIRST | SPARE << 40);
	assert_false(sim_ram_is_lent(SPARE_FIRST + 1023));
	assert_true(sim_ram_is_lent(SPARE_FIRST + 1024));
	answer_hot_add(1024, DM_HOT_ADD_DONE);
	assert_int_equal(seen()->added, 1024);
	assert_int_equal(seen()->hot_add_pages, 1024);
	assert_int_equal(seen()->hot_add_result, DM_HOT_ADD_DONE);
	hyperv_control()->wish.no_region = 1;
	want_added(UINT64_MAX);
	guest_expect_packet(DM_HOT_ADD, &packet);
	assert_int_equal(packet.header.size, 16);
	assert_int_equal(packet.hot_add.range, (SPARE_FIRST + 1024) | (SPARE - 1024) << 40);
	answer_hot_add(SPARE - 1024, DM_HOT_ADD_DONE);
	assert_int_equal(seen()->added, SPARE);
	assert_int_equal(hv_control.common.added, SPARE);
	assert_int_equal(hv_control.common.ballooned, 0);
	assert_null(sim_machine_violation());
}

static void what_was_added_can_be_given(void **state)
{
	(void)state;
	want_added(1024);
	guest_expect_packet(DM_HOT_ADD, &packet);
	answer_hot_add(1024, DM_HOT_ADD_DONE);
	set_target(100);
	/* A range that begins in the memory of the boot. */
	give_all(SPARE_FIRST - 50, 100);
	assert_int_equal(seen()->ballooned, 100);
	set_target(0);
	guest_expect_packet(DM_UNBALLOON, &packet);
	assert_int_equal(packet.unballoon.range[0], (SPARE_FIRST - 50) | UINT64_C(100) << 40);
	answer_unballoon();
	assert_null(sim_machine_violation());
	set_target(1);
	give_all(SPARE_FIRST + 1024, 1);
	assert_string_equal(sim_machine_violation(), "a frame was given that was never added");
}

/* The guest wants whole units of 2 MiB, and what is spare begins in the middle of one. */
static void memory_is_added_by_the_guests_units(void **state)
{
	const uint64_t spare = SPARE + 100, first = SPARE_FIRST - 100;

	(void)state;
	guest_begin(spare);
	guest_reach(HYPERV_READY);
	want_added(spare);
	guest_expect_packet(DM_HOT_ADD, &packet);
	assert_int_equal(packet.hot_add.range, SPARE_FIRST | SPARE << 40);
	assert_int_equal(packet.hot_add.region, SPARE_FIRST | SPARE << 40);
	answer_hot_add(1024, DM_HOT_ADD_DONE);
	assert_int_equal(seen()->ballooned, 0);
	assert_true(sim_ram_is_lent(first));
	/* What is skipped is never given back, whatever the order. */
	set_target(20);
	guest_expect_packet(DM_BALLOON, &packet);
	guest_give(first - 10, 10, true);
	guest_give(SPARE_FIRST, 10, false);
	assert_int_equal(seen()->ballooned, 20);
	set_target(0);
	guest_expect_packet(DM_UNBALLOON, &packet);
	assert_int_equal(packet.unballoon.range_count, 2);
	assert_int_equal(packet.unballoon.range[0], (first - 10) | UINT64_C(10) << 40);
	assert_int_equal(packet.unballoon.range[1], SPARE_FIRST | UINT64_C(10) << 40);
	answer_unballoon();
	set_target(20);
	guest_expect_packet(DM_BALLOON, &packet);
	guest_give(first - 10, 10, true);
	guest_give(SPARE_FIRST, 10, false);
	for (uint32_t order = HYPERV_LOWEST; order <= HYPERV_SINGLES; order++) {
		hyperv_control()->wish.order = order;
		set_target(18 - 2 * order);
		guest_expect_packet(DM_UNBALLOON, &packet);
		answer_unballoon();
		assert_int_equal(seen()->ballooned, 18 - 2 * order);
	}
	set_target(0);
	guest_expect_packet(DM_UNBALLOON, &packet);
	assert_int_equal(host_frames_count(), spare - 1024);
	assert_true(sim_ram_is_lent(first));
	answer_unballoon();
	assert_null(sim_machine_violation());
	set_target(1);
	give_all(first + 99, 1);
	assert_string_equal(sim_machine_violation(), "a frame was given that was never added");
}

static void a_guest_may_take_less_or_nothing_or_never(void **state)
{
	(void)state;
	want_added(1024);
	guest_expect_packet(DM_HOT_ADD, &packet);
	answer_hot_add(512, DM_HOT_ADD_DONE);
	assert_int_equal(seen()->added, 512);
	assert_true(sim_ram_is_lent(SPARE_FIRST + 512));
	guest_expect_no_packet();
	sim_machine_time = 10000000;
	sim_machine_ring();
	guest_expect_packet(DM_HOT_ADD, &packet);
	answer_hot_add(0, 0);
	assert_int_equal(seen()->hot_add_never, 0);
	want_added(2048);
	guest_expect_packet(DM_HOT_ADD, &packet);
	answer_hot_add(0, DM_HOT_ADD_DONE);
	assert_int_equal(seen()->hot_add_never, 1);
	want_added(4096);
	sim_machine_time = 90000000;
	sim_machine_ring();
	guest_expect_no_packet();
	assert_int_equal(seen()->added, 512);
	assert_null(sim_machine_violation());
}

static void more_than_there_was_is_not_added(void **state)
{
	(void)state;
	want_added(1024);
	guest_expect_packet(DM_HOT_ADD, &packet);
	answer_hot_add(1025, DM_HOT_ADD_DONE);
	assert_string_equal(sim_machine_violation(), "more memory was added than there was");
	assert_int_equal(seen()->added, 1024);
}

static void memory_that_was_not_told_of_is_not_added(void **state)
{
	(void)state;
	hyperv_control()->lie.silent = HYPERV_BIT(HYPERV_DM_HOT_ADD);
	want_added(1024);
	assert_int_equal(seen()->added, 1024);
	guest_close_channel();
	assert_int_equal(seen()->added, 0);
	assert_true(sim_ram_is_lent(SPARE_FIRST));
}

static void memory_that_is_none_is_offered_as_often_as_wanted(void **state)
{
	(void)state;
	hyperv_control()->lie.hot_add_first = GUEST_FREE + 1;
	hyperv_control()->lie.hot_add_frames = 77;
	hyperv_control()->lie.hot_add_count = 2;
	sim_machine_ring();
	for (unsigned i = 0; i < 2; i++) {
		guest_expect_packet(DM_HOT_ADD, &packet);
		assert_int_equal(packet.hot_add.range, (GUEST_FREE + 1) | UINT64_C(77) << 40);
	}
	guest_expect_no_packet();
	answer_hot_add(0, DM_HOT_ADD_DONE);
	assert_int_equal(seen()->hot_add_lies, 2);
	assert_null(sim_machine_violation());
	assert_int_equal(seen()->hot_add_never, 0);
	answer_hot_add(77, DM_HOT_ADD_DONE);
	assert_string_equal(sim_machine_violation(), "memory was added where there is none to add");
}

/* ---- Mistakes ---- */

static void expect_violation(const char *what)
{
	assert_string_equal(sim_machine_violation(), what);
}

static void frames_are_given_once(void **state)
{
	(void)state;
	set_target(100);
	guest_expect_packet(DM_BALLOON, &packet);
	guest_give(GUEST_FREE, 10, true);
	guest_give(GUEST_FREE + 9, 10, true);
	expect_violation("a frame was given twice");
	assert_int_equal(seen()->ballooned, 10);
}

static void frames_are_ram(void **state)
{
	(void)state;
	set_target(100);
	give_all(7, 1);
	expect_violation("a frame was given that is no RAM");
	assert_int_equal(seen()->ballooned, 0);
}

static void no_more_is_given_than_was_asked_for(void **state)
{
	(void)state;
	set_target(100);
	give_all(GUEST_FREE, 101);
	expect_violation("more frames were given than the host asked for");
}

static void a_response_has_its_ranges(void **state)
{
	struct dm_balloon_response response = { .more_and_count = 1 << DM_COUNT_SHIFT };

	(void)state;
	set_target(100);
	guest_send(&response, DM_BALLOON_RESPONSE, sizeof(response));
	expect_violation("a BALLOON_RESPONSE is not as long as its ranges");
}

static void nobody_gives_unasked(void **state)
{
	(void)state;
	guest_give(GUEST_FREE, 1, false);
	expect_violation("a BALLOON_RESPONSE that nobody asked for");
	assert_int_equal(seen()->ballooned, 0);
}

static void nobody_answers_unasked(void **state)
{
	(void)state;
	answer_unballoon();
	expect_violation("an UNBALLOON_RESPONSE that nobody asked for");
}

static void nobody_adds_unasked(void **state)
{
	(void)state;
	answer_hot_add(512, DM_HOT_ADD_DONE);
	expect_violation("a HOT_ADD_RESPONSE that nobody asked for");
	assert_int_equal(seen()->added, 0);
}

static void an_answer_comes_after_the_last_piece(void **state)
{
	(void)state;
	set_target(1500);
	guest_expect_packet(DM_BALLOON, &packet);
	for (uint64_t i = 0; i < 1500; i++)
		guest_give(GUEST_FREE + 2 * i, 1, i < 1499);
	hyperv_control()->lie.silent = HYPERV_BIT(HYPERV_DM_UNBALLOON);
	set_target(0);
	answer_unballoon();
	expect_violation("an UNBALLOON was answered before all of it was said");
	assert_int_equal(seen()->requests, 1);
	/* Nor when its only piece waits to be said. */
	guest_begin(0);
	guest_reach(HYPERV_READY);
	set_target(10);
	give_all(GUEST_FREE, 10);
	hyperv_control()->lie.silent = HYPERV_BIT(HYPERV_DM_UNBALLOON);
	set_target(0);
	answer_unballoon();
	expect_violation("an UNBALLOON was answered before all of it was said");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(a_target_is_reached_and_left_again, ready),
		cmocka_unit_test_setup(a_guest_that_gives_less_is_asked_again_after_a_second,
				       ready),
		cmocka_unit_test_setup(a_request_may_be_in_pieces, ready),
		cmocka_unit_test_setup(an_unballoon_may_be_in_pieces, ready),
		cmocka_unit_test_setup(a_message_has_at_most_510_ranges, ready),
		cmocka_unit_test_setup(one_request_waits_for_the_other_unless_the_host_is_impatient,
				       ready),
		cmocka_unit_test_setup(what_was_not_said_is_not_given_back, ready),
		cmocka_unit_test_setup(balloons_of_nonsense_are_asked_for_as_often_as_wanted,
				       ready),
		cmocka_unit_test_setup(memory_is_added_and_there_before_it_is_told_of,
				       ready_to_grow),
		cmocka_unit_test_setup(what_was_added_can_be_given, ready_to_grow),
		cmocka_unit_test(memory_is_added_by_the_guests_units),
		cmocka_unit_test_setup(a_guest_may_take_less_or_nothing_or_never, ready_to_grow),
		cmocka_unit_test_setup(more_than_there_was_is_not_added, ready_to_grow),
		cmocka_unit_test_setup(memory_that_was_not_told_of_is_not_added, ready_to_grow),
		cmocka_unit_test_setup(memory_that_is_none_is_offered_as_often_as_wanted, ready),
		cmocka_unit_test_setup(frames_are_given_once, ready),
		cmocka_unit_test_setup(frames_are_ram, ready),
		cmocka_unit_test_setup(no_more_is_given_than_was_asked_for, ready),
		cmocka_unit_test_setup(a_response_has_its_ranges, ready),
		cmocka_unit_test_setup(nobody_gives_unasked, ready),
		cmocka_unit_test_setup(nobody_answers_unasked, ready),
		cmocka_unit_test_setup(nobody_adds_unasked, ready),
		cmocka_unit_test_setup(an_answer_comes_after_the_last_piece, ready),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
