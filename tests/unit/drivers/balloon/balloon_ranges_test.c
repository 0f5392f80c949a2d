/* SPDX-License-Identifier: BSD-2-Clause */
/* Ranges: blocks that are lent, and blocks that leave. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "drivers/balloon/balloon_ranges.h"
#include "drivers/balloon/balloon_state_internal.h"
#include "tests/unit/drivers/balloon/balloon_fixture.h"

/* ---- Lending ---- */

static void all_free_blocks_are_reported_once(void **state)
{
	uint64_t blocks;

	(void)state;
	start(REPORTING, NO_FLOOR);
	blocks = frame_free_blocks();
	settle();
	assert_int_equal(sim.reported, 0);
	be_quiet();
	assert_int_equal(sim.reported, blocks * BLOCK_SIZE);
	be_quiet();
	be_quiet();
	assert_int_equal(sim.reported, blocks * BLOCK_SIZE);
	assert_int_equal(frame_free_blocks(), blocks);
}

static void a_block_is_reported_again_after_it_was_used(void **state)
{
	uint64_t before;
	pfn_t pfn;

	(void)state;
	start(REPORTING, NO_FLOOR);
	be_quiet();
	before = sim.reported;
	assert_int_equal(frame_alloc(BLOCK_ORDER, OWNER_HELD, &pfn), 0);
	assert_int_equal(frame_free(pfn, BLOCK_FRAMES, OWNER_HELD), 0);
	settle();
	assert_int_equal(sim.reported, before); /* it may be wanted again at once */
	be_quiet();
	assert_int_equal(sim.reported, before + BLOCK_SIZE);
}

static void reported_frames_are_out_of_hands_until_acknowledged(void **state)
{
	uint64_t free_before;

	(void)state;
	start(REPORTING, NO_FLOOR);
	free_before = ledger_count(OWNER_FREE);
	sim.completion = SIM_BALLOON_ON_DEMAND;
	be_quiet();
	assert_true(ledger_count(OWNER_REPORTED) > 0);
	/* Half of the blocks at most. */
	assert_true(ledger_count(OWNER_REPORTED) * 2 <= free_before + BLOCK_FRAMES);
	assert_books();
	sim_balloon_complete(&sim, SIZE_MAX);
	assert_int_equal(ledger_count(OWNER_FREE) + ledger_count(OWNER_REPORTED), free_before);
	drain();
	assert_int_equal(ledger_count(OWNER_REPORTED), 0);
	assert_int_equal(ledger_count(OWNER_FREE), free_before);
}

/* The device may not have looked at them before it was reset. */
static void ranges_that_a_reset_interrupts_are_reported_again(void **state)
{
	uint64_t free_before, blocks;

	(void)state;
	start(REPORTING, NO_FLOOR);
	free_before = ledger_count(OWNER_FREE);
	blocks = frame_free_blocks();
	sim.completion = SIM_BALLOON_ON_DEMAND;
	be_quiet();
	assert_true(ledger_count(OWNER_REPORTED) > 0);
	sim_virtio_need_reset(&sim.virtio);
	settle();
	assert_int_equal(status().recoveries, 1);
	assert_int_equal(ledger_count(OWNER_REPORTED), 0);
	assert_int_equal(ledger_count(OWNER_FREE), free_before);
	assert_int_equal(sim.reported, 0);
	sim.completion = SIM_BALLOON_AT_ONCE;
	be_quiet();
	assert_int_equal(sim.reported, blocks * BLOCK_SIZE);
}

/* The larger half of the blocks, and one if there is only one. */
static void of_the_free_blocks_half_are_lent_at_a_time(void **state)
{
	static const uint64_t cases[][2] = { { 1, 1 }, { 2, 1 }, { 4, 2 }, { 5, 3 }, { 9, 5 } };
	pfn_t pfn;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		start(REPORTING, NO_FLOOR);
		while (frame_free_blocks() > cases[i][0])
			assert_int_equal(frame_alloc(BLOCK_ORDER, OWNER_HELD, &pfn), 0);
		sim.completion = SIM_BALLOON_ON_DEMAND;
		be_quiet();
		assert_int_equal(ledger_count(OWNER_REPORTED), cases[i][1] * BLOCK_FRAMES);
		drain();
		assert_int_equal(sim.reported, cases[i][0] * BLOCK_SIZE);
		if (i + 1 < ARRAY_SIZE(cases)) {
			tear_down(state);
			set_up(state);
		}
	}
}

/* It may be wanted again at once, as any other. */
static void a_block_that_is_freed_while_others_are_lent_is_not_lent_at_once(void **state)
{
	uint64_t lent;
	pfn_t pfn;

	(void)state;
	start(REPORTING, NO_FLOOR);
	assert_int_equal(frame_alloc(BLOCK_ORDER, OWNER_HELD, &pfn), 0);
	while (frame_free_blocks() > 1) {
		pfn_t other;

		assert_int_equal(frame_alloc(BLOCK_ORDER, OWNER_HELD, &other), 0);
	}
	sim.completion = SIM_BALLOON_ON_DEMAND;
	be_quiet();
	assert_int_equal(ledger_count(OWNER_REPORTED), BLOCK_FRAMES);
	assert_int_equal(frame_free(pfn, BLOCK_FRAMES, OWNER_HELD), 0);
	drain();
	lent = sim.reported;
	assert_int_equal(lent, BLOCK_SIZE);
	be_quiet();
	drain();
	assert_int_equal(sim.reported, lent + BLOCK_SIZE);
}

static void answer(void)
{
	sim_balloon_complete(&sim, SIZE_MAX);
	settle();
}

/* Memory was overwritten: going on would make it worse. */
static void a_lent_block_that_is_anothers_is_a_panic(void **state)
{
	pfn_t pfn;

	(void)state;
	start(REPORTING, NO_FLOOR);
	sim.completion = SIM_BALLOON_ON_DEMAND;
	be_quiet();
	assert_int_equal(frame_collect(OWNER_REPORTED, 0, 1, &pfn), 1);
	assert_int_equal(frame_change_owner(pfn, 1, OWNER_REPORTED, OWNER_HELD), 0);
	assert_panics(answer, "are not reported; look for a wild write");
	assert_int_equal(frame_change_owner(pfn, 1, OWNER_HELD, OWNER_REPORTED), 0);
}

/* ---- Leaving ---- */

static void a_single_block_leaves_as_a_range(void **state)
{
	(void)state;
	start(REPORTING, NO_FLOOR);
	go_to(BLOCK_FRAMES);
	assert_balloon(BLOCK_FRAMES);
	assert_int_equal(sim.reported, BLOCK_SIZE);
	assert_int_equal(sim.inflates_before_report, 0);
}

static void range_first_tells_all_ranges_before_the_first_page_number(void **state)
{
	uint64_t lent, requests;

	(void)state;
	start(REPORTING, NO_FLOOR);
	assert_int_equal(status().effective, BALLOON_RANGE_FIRST);
	go_to(20 * BLOCK_FRAMES + 7);
	assert_balloon(20 * BLOCK_FRAMES + 7);
	assert_int_equal(sim.reported, 20 * BLOCK_SIZE);
	/* No PFN had come when the last range did. */
	assert_int_equal(sim.inflates_before_report, 0);
	/* What leaves is not lent. */
	balloon_ranges_counts(&balloons->ranges, &lent, &requests);
	assert_int_equal(lent, 0);
	assert_true(requests > 0);
	go_to(3);
	assert_balloon(3);
}

static void range_first_survives_random_targets_and_slow_answers(void **state)
{
	(void)state;
	srand(2);
	start(REPORTING, NO_FLOOR);
	sim.completion = SIM_BALLOON_ON_DEMAND;
	for (int i = 0; i < 500; i++) {
		uint64_t target = (uint64_t)rand() % 12000;

		sim_balloon_set_target(&sim, (uint32_t)target);
		for (int rounds = rand() % 20; rounds > 0; rounds--) {
			settle();
			sim_balloon_complete(&sim, (size_t)(rand() % 4));
		}
		assert_books();
	}
	go_to(777);
	drain();
	assert_balloon(777);
	assert_int_equal(ledger_count(OWNER_LEAVING), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(all_free_blocks_are_reported_once),
		TEST(a_block_is_reported_again_after_it_was_used),
		TEST(reported_frames_are_out_of_hands_until_acknowledged),
		TEST(ranges_that_a_reset_interrupts_are_reported_again),
		TEST(of_the_free_blocks_half_are_lent_at_a_time),
		TEST(a_block_that_is_freed_while_others_are_lent_is_not_lent_at_once),
		TEST(a_lent_block_that_is_anothers_is_a_panic),
		TEST(a_single_block_leaves_as_a_range),
		TEST(range_first_tells_all_ranges_before_the_first_page_number),
		TEST(range_first_survives_random_targets_and_slow_answers),
	};

	return cmocka_run_group_tests_name("balloon_ranges", tests, set_up_ram, NULL);
}
