/* SPDX-License-Identifier: BSD-2-Clause */
/* Tests of tests/hypervisor/hyperv_ranges.c: what the host gives back, in order and in lies. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/hypervisor/hyperv_guest.h"

static union {
	struct dm_header header;
	struct dm_unballoon unballoon;
	uint8_t bytes[DM_MESSAGE_MAX];
} packet;

static uint64_t first_of(uint32_t range)
{
	return packet.unballoon.range[range] & ((UINT64_C(1) << 40) - 1);
}

static uint64_t count_of(uint32_t range)
{
	return packet.unballoon.range[range] >> 40;
}

static void set_target(uint64_t frames)
{
	hv_control.common.target = frames;
	sim_machine_ring();
}

/* Two runs are in the balloon: 100 frames at GUEST_FREE, 50 at GUEST_FREE + 1000. */
static int with_two_runs(void **state)
{
	guest_set_up(state);
	guest_reach(HYPERV_READY);
	set_target(150);
	guest_expect_packet(DM_BALLOON, &packet);
	guest_give(GUEST_FREE, 100, true);
	guest_give(GUEST_FREE + 1000, 50, false);
	return 0;
}

static void unballoon(uint64_t target, uint32_t order)
{
	hyperv_control()->wish.order = order;
	set_target(target);
	guest_expect_packet(DM_UNBALLOON, &packet);
}

static void the_lowest_come_first(void **state)
{
	(void)state;
	unballoon(70, HYPERV_LOWEST);
	assert_int_equal(packet.unballoon.range_count, 1);
	assert_int_equal(first_of(0), GUEST_FREE);
	assert_int_equal(count_of(0), 80);
}

static void the_highest_come_first(void **state)
{
	(void)state;
	unballoon(70, HYPERV_HIGHEST);
	assert_int_equal(packet.unballoon.range_count, 2);
	assert_int_equal(first_of(0), GUEST_FREE + 1000);
	assert_int_equal(count_of(0), 50);
	assert_int_equal(first_of(1), GUEST_FREE + 70);
	assert_int_equal(count_of(1), 30);
}

static void single_frames_do_not_lie_side_by_side(void **state)
{
	(void)state;
	unballoon(75, HYPERV_SINGLES);
	assert_int_equal(packet.unballoon.range_count, 75);
	for (uint32_t i = 0; i < 75; i++) {
		assert_int_equal(count_of(i), 1);
		assert_int_equal(first_of(i),
				 i < 50 ? GUEST_FREE + 2 * i : GUEST_FREE + 1000 + 2 * (i - 50));
	}
	/* Then those between them. */
	guest_send(&(struct dm_header){ 0 }, DM_UNBALLOON_RESPONSE, sizeof(struct dm_header));
	unballoon(74, HYPERV_SINGLES);
	assert_int_equal(first_of(0), GUEST_FREE + 1);
}

/* All come back once, wherever they lie, in more than one message's order. */
static void scattered_ones_are_all_of_them_in_the_end(void **state)
{
	uint32_t ranges, ups = 0;
	uint64_t frames = 0;

	(void)state;
	unballoon(0, HYPERV_SCATTERED);
	ranges = packet.unballoon.range_count;
	assert_true(ranges > 3);
	for (uint32_t i = 0; i < ranges; i++) {
		frames += count_of(i);
		ups += i > 0 && first_of(i) > first_of(i - 1);
	}
	assert_int_equal(frames, 150);
	assert_in_range(ups, 1, ranges - 2);
	for (uint64_t i = 0; i < 2000; i++)
		assert_false(host_frames_has(GUEST_FREE + i));
	assert_null(sim_machine_violation());
}

/* The one range of an UNBALLOON of 10 frames, and what a lie puts after it. */
static void lie_in(uint32_t lies)
{
	hyperv_control()->lie.ranges = lies;
	unballoon(140, HYPERV_LOWEST);
}

static void frames_that_the_guest_has_may_be_given(void **state)
{
	(void)state;
	lie_in(HYPERV_RANGE_NOT_GIVEN);
	assert_int_equal(packet.unballoon.range_count, 2);
	assert_int_equal(first_of(0), GUEST_FREE);
	assert_true(machine_is_ram(first_of(1), 1));
	assert_false(first_of(1) >= GUEST_FREE && first_of(1) < GUEST_FREE + 2000);
	assert_int_equal(count_of(1), 1);
}

static void frames_that_are_no_ram_may_be_given(void **state)
{
	(void)state;
	lie_in(HYPERV_RANGE_NO_RAM);
	assert_int_equal(packet.unballoon.range_count, 2);
	assert_false(machine_is_ram(first_of(1), 1));
}

static void a_range_may_be_given_twice(void **state)
{
	(void)state;
	lie_in(HYPERV_RANGE_TWICE);
	assert_int_equal(packet.unballoon.range_count, 2);
	assert_int_equal(packet.unballoon.range[1], packet.unballoon.range[0]);
}

static void a_range_may_reach_beyond_what_was_given(void **state)
{
	(void)state;
	lie_in(HYPERV_RANGE_BEYOND);
	assert_int_equal(packet.unballoon.range_count, 1);
	assert_int_equal(first_of(0), GUEST_FREE);
	assert_int_equal(count_of(0), 101);
	/* The host itself gave what it wanted to. */
	assert_int_equal(hyperv_control()->seen.ballooned, 140);
}

static void ranges_may_be_empty_or_huge(void **state)
{
	(void)state;
	lie_in(HYPERV_RANGE_EMPTY | HYPERV_RANGE_HUGE);
	assert_int_equal(packet.unballoon.range_count, 3);
	assert_int_equal(count_of(1), 0);
	assert_int_equal(first_of(1), GUEST_FREE);
	assert_int_equal(count_of(2), DM_RANGE_COUNT_MAX);
}

static void more_ranges_may_be_promised(void **state)
{
	(void)state;
	lie_in(HYPERV_RANGE_COUNT | HYPERV_RANGE_MORE);
	assert_int_equal(packet.unballoon.range_count, 1001);
	assert_int_equal(packet.unballoon.more, DM_MORE);
	assert_int_equal(packet.header.size, 24);
	guest_expect_no_packet();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(the_lowest_come_first, with_two_runs),
		cmocka_unit_test_setup(the_highest_come_first, with_two_runs),
		cmocka_unit_test_setup(single_frames_do_not_lie_side_by_side, with_two_runs),
		cmocka_unit_test_setup(scattered_ones_are_all_of_them_in_the_end, with_two_runs),
		cmocka_unit_test_setup(frames_that_the_guest_has_may_be_given, with_two_runs),
		cmocka_unit_test_setup(frames_that_are_no_ram_may_be_given, with_two_runs),
		cmocka_unit_test_setup(a_range_may_be_given_twice, with_two_runs),
		cmocka_unit_test_setup(a_range_may_reach_beyond_what_was_given, with_two_runs),
		cmocka_unit_test_setup(ranges_may_be_empty_or_huge, with_two_runs),
		cmocka_unit_test_setup(more_ranges_may_be_promised, with_two_runs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
