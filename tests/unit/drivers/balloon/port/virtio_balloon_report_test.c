/* SPDX-License-Identifier: BSD-2-Clause */
/* The reporting queue: chains of ranges, and what the device may do to them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>

#include "drivers/balloon/balloon_ranges.h"
#include "drivers/balloon/port/virtio_balloon_report.h"
#include "mm/poison.h"
#include "tests/unit/drivers/balloon/balloon_fixture.h"

static void a_small_queue_reports_all_blocks(void **state)
{
	const pfn_t end = paddr_to_pfn(RAM_START) + RAM_FRAMES;
	uint64_t blocks;

	(void)state;
	plug_in(false, REPORTING | VIRTIO_BIT(VIRTIO_F_VERSION_1));
	sim.virtio.queue[2].size_max = 2;
	assert_int_equal(begin(NO_FLOOR), 0);
	/* More ranges than the queue has descriptors. */
	for (unsigned i = 1; i <= 4; i++)
		assert_int_equal(frame_reserve(end - 2 * i * BLOCK_FRAMES, 1, OWNER_HELD), 0);
	blocks = frame_free_blocks();
	be_quiet();
	assert_int_equal(sim.reported, blocks * BLOCK_SIZE);
}

#define HIGH_FRAMES (10 * GIB / FRAME_SIZE)
#define HIGH_START (4 * GIB / FRAME_SIZE)

static int set_up_large(void **state)
{
	(void)state;
	set_up_beside(HIGH_START, HIGH_FRAMES);
	return 0;
}

#define REQUEST_FRAMES (64 * MIB / FRAME_SIZE)

/* The simulated device also knows how long a chain may be (2.7.5.2). */
static void all_of_10_gib_is_told_in_the_end(void **state)
{
	const uint64_t blocks = HIGH_FRAMES / BLOCK_FRAMES;

	(void)state;
	start(REPORTING, NO_FLOOR);
	be_quiet();
	assert_true(sim.reported >= blocks * BLOCK_SIZE);
	sim.reported = 0;
	go_to(HIGH_FRAMES);
	assert_balloon(HIGH_FRAMES);
	assert_int_equal(sim.reported, blocks * BLOCK_SIZE);
	go_to(0);
}

/* Answers as they come, and returns the most frames that one request had. */
static uint64_t largest_request(void)
{
	uint64_t most = 0;

	do {
		settle();
		if (ledger_count(OWNER_REPORTED) > most)
			most = ledger_count(OWNER_REPORTED);
	} while (sim_balloon_complete(&sim, SIZE_MAX) > 0);
	return most;
}

/* Or nobody else would run while a device discards gigabytes. */
static void no_request_has_more_than_64_mib(void **state)
{
	(void)state;
	start(REPORTING, NO_FLOOR);
	sim.completion = SIM_BALLOON_ON_DEMAND;
	settle();
	sim_time_advance(2 * NS_PER_S);
	assert_int_equal(largest_request(), REQUEST_FRAMES);
	assert_true(sim.reported >= HIGH_FRAMES * FRAME_SIZE);
	sim_balloon_set_target(&sim, HIGH_FRAMES);
	assert_int_equal(largest_request(), REQUEST_FRAMES);
	assert_balloon(HIGH_FRAMES);
}

/* A chain may be an indirect table, and that holds so many. */
static void no_request_has_more_than_32_ranges(void **state)
{
	uint64_t blocks;

	(void)state;
	plug_in(false, REPORTING | VIRTIO_BIT(VIRTIO_F_VERSION_1));
	sim.virtio.queue[sim.report_queue].size_max = 128;
	assert_int_equal(begin(NO_FLOOR), 0);
	/* Every other block is in use: each of the others is a range. */
	for (unsigned i = 0; i < 100; i++)
		assert_int_equal(frame_reserve(HIGH_START + 2 * i * BLOCK_FRAMES, 1, OWNER_HELD),
				 0);
	assert_int_equal(frame_reserve(HIGH_START + 200 * BLOCK_FRAMES,
				       HIGH_FRAMES - 200 * BLOCK_FRAMES, OWNER_HELD),
			 0);
	blocks = frame_free_blocks();
	assert_true(blocks > 100);
	be_quiet();
	assert_int_equal(sim.reported, blocks * BLOCK_SIZE);
	assert_int_equal(sim.ranges_most, 32);
}

/* Nothing is told to it, and nothing of it is missing. */
static void a_device_that_broke_a_moment_ago_is_told_no_range(void **state)
{
	const struct frame_run range = { RAM_START / FRAME_SIZE + 4 * BLOCK_FRAMES, BLOCK_FRAMES };

	(void)state;
	start(REPORTING, NO_FLOOR);
	virtio_break(&sim.virtio.device, "end of test");
	assert_int_equal(virtio_balloon_report_send(&range, 1), -EIO);
	assert_int_equal(sim.report_requests, 0);
	/* As it is with the device that follows. */
	end_driver();
	assert_int_equal(begin(NO_FLOOR), 0);
	be_quiet();
	assert_true(sim.reported > 0);
}

/* ---- Poison ---- */

static void reported_blocks_hold_the_poison(void **state)
{
	struct balloon_config config = { .poison = true, .poison_byte = 0xa5 };
	const pfn_t end = paddr_to_pfn(RAM_START) + RAM_FRAMES;
	uint64_t blocks;
	pfn_t hole;

	(void)state;
	start(PAGE_POISON | REPORTING, NO_FLOOR);
	end_driver();
	/* Two blocks in use: a request has more ranges than one. */
	hole = end - 4 * BLOCK_FRAMES;
	assert_int_equal(frame_reserve(hole, 1, OWNER_HELD), 0);
	assert_int_equal(frame_reserve(hole + 2 * BLOCK_FRAMES, 1, OWNER_HELD), 0);
	blocks = frame_free_blocks();
	assert_int_equal(begin_with(&config), 0);
	assert_int_equal(status().effective, BALLOON_PORTABLE);
	be_quiet();
	assert_int_equal(sim.reported, blocks * BLOCK_SIZE);
	for (pfn_t pfn = hole + BLOCK_FRAMES; pfn < end; pfn += 2 * BLOCK_FRAMES) {
		const uint8_t *block = (void *)(uintptr_t)pfn_to_paddr(pfn);

		assert_int_equal(block[0], 0xa5);
		assert_int_equal(block[BLOCK_SIZE - 1], 0xa5);
	}
}

/* Or nobody else would run while gigabytes are filled. */
static void no_more_than_16_mib_are_poisoned_at_once(void **state)
{
	static const enum balloon_strategy strategies[] = { BALLOON_PORTABLE, BALLOON_RANGE_FIRST };

	(void)state;
	plug_in(false, PAGE_POISON | REPORTING | VIRTIO_BIT(VIRTIO_F_VERSION_1));
	for (size_t i = 0; i < 2; i++) {
		struct balloon_config config = { .strategy = strategies[i],
						 .poison = true,
						 .poison_byte = 0xa5 };

		assert_int_equal(begin_with(&config), 0);
		sim.completion = SIM_BALLOON_ON_DEMAND;
		if (strategies[i] == BALLOON_RANGE_FIRST)
			go_to(20 * BLOCK_FRAMES);
		else
			be_quiet();
		assert_int_equal(ledger_count(OWNER_REPORTED), 8 * BLOCK_FRAMES);
		end_driver();
	}
}

/* A guest moves for a while, with a floor that keeps half of its memory from being hinted. */
static void report_around_a_move(bool poison)
{
	struct balloon_config config = { .floor = RAM_FRAMES / 2,
					 .poison = poison,
					 .poison_byte = POISON };
	uint64_t blocks;

	plug_in(false, HINT | PAGE_POISON | REPORTING | VIRTIO_BIT(VIRTIO_F_VERSION_1));
	if (poison)
		poison_enable(POISON);
	assert_int_equal(begin_with(&config), 0);
	blocks = frame_free_blocks();
	hint_round(ROUND);
	assert_true(ledger_count(OWNER_HINTED) > 0);
	be_quiet();
	assert_int_equal(sim.reported, poison ? 0 : frame_free_blocks() * BLOCK_SIZE);
	hint_round(1);
	be_quiet();
	assert_int_equal(sim.reported, blocks * BLOCK_SIZE);
	frame_set_poisoner(NULL);
}

/* What is filled for a report would have to be sent again. */
static void poisoned_blocks_are_reported_after_a_move(void **state)
{
	(void)state;
	report_around_a_move(true);
}

static void other_blocks_are_reported_while_a_guest_moves(void **state)
{
	(void)state;
	report_around_a_move(false);
}

/* ---- A device that writes into all that it has ---- */

static void report_and_go_on(bool poison)
{
	uint64_t blocks;

	start_scribbling(REPORTING, poison);
	blocks = frame_free_blocks();
	be_quiet();
	assert_int_equal(sim.reported, blocks * BLOCK_SIZE);
	assert_int_equal(scribbled, 2 * blocks * BLOCK_FRAMES);
	assert_int_equal(frame_free_blocks(), blocks);
	go_to(5000);
	assert_balloon(5000);
	go_to(0);
	be_quiet();
	assert_balloon(0);
}

/* 5.5.6.7.1 */
static void what_is_in_reported_frames_means_nothing(void **state)
{
	(void)state;
	report_and_go_on(false);
}

/* 5.5.3.1: we fill what we free, and expect nothing of it: REPORTING may be accepted alone. */
static void frames_need_not_keep_the_poison_if_the_device_does_not_know_it(void **state)
{
	(void)state;
	report_and_go_on(true);
	assert_true(sim.virtio.device.accepted & REPORTING);
	assert_false(sim.virtio.device.accepted & PAGE_POISON);
	frame_set_poisoner(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_small_queue_reports_all_blocks),
		cmocka_unit_test_setup_teardown(all_of_10_gib_is_told_in_the_end, set_up_large,
						tear_down),
		cmocka_unit_test_setup_teardown(no_request_has_more_than_64_mib, set_up_large,
						tear_down),
		cmocka_unit_test_setup_teardown(no_request_has_more_than_32_ranges, set_up_large,
						tear_down),
		TEST(a_device_that_broke_a_moment_ago_is_told_no_range),
		TEST(reported_blocks_hold_the_poison),
		TEST(no_more_than_16_mib_are_poisoned_at_once),
		TEST(poisoned_blocks_are_reported_after_a_move),
		TEST(other_blocks_are_reported_while_a_guest_moves),
		TEST(what_is_in_reported_frames_means_nothing),
		TEST(frames_need_not_keep_the_poison_if_the_device_does_not_know_it),
	};

	return cmocka_run_group_tests_name("virtio_balloon_report", tests, set_up_ram, NULL);
}
