/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The balloon driver on a simulated device, with the real allocator and the
 * real virtqueue. What the driver must not touch can be seen by asking the
 * host which pages of the simulated RAM exist.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <cmocka.h>

#include "arch/clock.h"
#include "arch/paging.h"
#include "drivers/balloon/balloon.h"
#include "drivers/balloon/balloon_account.h"
#include "drivers/balloon/balloon_pages.h"
#include "drivers/balloon/balloon_report.h"
#include "drivers/balloon/balloon_stats.h"
#include "drivers/virtio/virtio.h"
#include "drivers/virtio/virtio_feature_names.h"
#include "mm/frame.h"
#include "mm/ledger.h"
#include "mm/poison.h"
#include "tests/unit/drivers/balloon/balloon_fixture.h"

/* ---- Targets ---- */

static void reaches_every_target_exactly(void **state)
{
	static const uint64_t targets[] = { 1,	 0,    255,  256,  257, 511,   512,
					    513, 1000, 8192, 8191, 3,	10000, 0 };

	(void)state;
	start(0, NO_FLOOR);
	for (size_t i = 0; i < ARRAY_SIZE(targets); i++) {
		go_to(targets[i]);
		assert_balloon(targets[i]);
		assert_books();
	}
}

static void reaches_targets_on_a_legacy_device(void **state)
{
	(void)state;
	plug_in(true, 0);
	assert_int_equal(begin(NO_FLOOR), 0);
	go_to(5000);
	assert_balloon(5000);
	go_to(17);
	assert_balloon(17);
}

/* 5.5.6.2.1: a legacy device may claim any length. */
static void used_lengths_mean_nothing(void **state)
{
	static const uint32_t lengths[] = { 1, 1024, UINT32_MAX };

	(void)state;
	for (int legacy = 0; legacy < 2; legacy++) {
		if (legacy)
			plug_in(true, 0);
		else
			plug_in(false, VIRTIO_BIT(VIRTIO_F_VERSION_1));
		assert_int_equal(begin(NO_FLOOR), 0);
		for (size_t i = 0; i < ARRAY_SIZE(lengths); i++) {
			sim.written = lengths[i];
			go_to(3000);
			assert_balloon(3000);
			go_to(0);
			assert_balloon(0);
		}
		balloon_stop();
		sim_balloon_fini(&sim);
	}
	start(0, NO_FLOOR);
}

static void follows_a_target_that_was_there_before_the_start(void **state)
{
	(void)state;
	plug_in(false, VIRTIO_BIT(VIRTIO_F_VERSION_1));
	sim_balloon_set_target(&sim, 777);
	assert_int_equal(begin(NO_FLOOR), 0);
	settle();
	assert_balloon(777);
}

static void tells_the_device_at_the_start_that_the_balloon_is_empty(void **state)
{
	(void)state;
	plug_in(false, VIRTIO_BIT(VIRTIO_F_VERSION_1));
	sim_virtio_set_config32(&sim.virtio, SIM_BALLOON_ACTUAL, 4711);
	assert_int_equal(begin(NO_FLOOR), 0);
	assert_int_equal(sim_balloon_actual(&sim), 0);
}

static void gives_whole_blocks_first(void **state)
{
	pfn_t first, single;

	(void)state;
	start(0, NO_FLOOR);
	/* A broken block, with space for the odd frames. */
	assert_int_equal(frame_alloc(0, OWNER_KERNEL, &single), 0);
	go_to(3 * BLOCK_FRAMES + 5);
	assert_int_equal(frame_free_blocks(), RAM_FRAMES / BLOCK_FRAMES - 3 - 1);
	assert_int_equal(frame_collect(OWNER_BALLOON, 0, 1, &first), 1);
	assert_int_equal(sim.largest[SIM_BALLOON_INFLATE], BALLOON_BUFFER_PORTABLE);
	assert_int_equal(frame_free(single, 1, OWNER_KERNEL), 0);
}

static void survives_random_targets(void **state)
{
	(void)state;
	srand(1);
	start(0, NO_FLOOR);
	for (int i = 0; i < 1000; i++) {
		uint64_t target = (uint64_t)rand() % 12000;

		go_to(target);
		assert_balloon(target);
	}
}

static void never_touches_a_frame_that_it_gives(void **state)
{
	static unsigned char resident[RAM_FRAMES];
	size_t touched = 0;

	(void)state;
	start(0, NO_FLOOR);
	go_to(RAM_FRAMES / 2);
	go_to(0);
	mincore((void *)(uintptr_t)RAM_START, RAM_FRAMES * FRAME_SIZE, resident);
	for (size_t i = 0; i < RAM_FRAMES; i++)
		touched += resident[i] & 1;
	/* The rings and the buffers, and nothing else. */
	assert_true(touched <= ledger_count(OWNER_VIRTQUEUES));
}

static void writes_actual_seldom(void **state)
{
	(void)state;
	start(0, NO_FLOOR);
	go_to(12000);
	assert_balloon(12000);
	assert_in_range(status().actual_writes, 1, 2);
}

/* ---- In flight ---- */

static void frames_in_flight_are_in_neither_camp(void **state)
{
	uint64_t free_before;

	(void)state;
	start(0, NO_FLOOR);
	sim.completion = SIM_BALLOON_ON_DEMAND;
	free_before = ledger_count(OWNER_FREE);
	go_to(1000);
	assert_int_equal(ballooned(), 0);
	assert_int_equal(ledger_count(OWNER_IN_FLIGHT), 1000);
	assert_int_equal(ledger_count(OWNER_FREE), free_before - 1000);
	assert_int_equal(sim_balloon_actual(&sim), 0);
	sim_balloon_complete(&sim, 2);
	settle();
	assert_int_equal(ballooned(), 512);
	sim_balloon_complete(&sim, SIZE_MAX);
	settle();
	assert_balloon(1000);
	go_to(200);
	assert_int_equal(ballooned(), 200);
	assert_int_equal(ledger_count(OWNER_IN_FLIGHT), 800);
	assert_int_equal(ledger_count(OWNER_FREE), free_before - 1000);
	sim_balloon_complete(&sim, SIZE_MAX);
	settle();
	assert_balloon(200);
}

static void keeps_several_buffers_in_flight(void **state)
{
	(void)state;
	start(0, NO_FLOOR);
	sim.completion = SIM_BALLOON_ON_DEMAND;
	go_to(10000);
	assert_int_equal(sim.pending_count, 8);
	while (sim_balloon_complete(&sim, 3) > 0)
		settle();
	assert_balloon(10000);
}

/* A device that works beside us may finish at any moment of a round. */
static uint32_t finish_and_read_config(struct virtio_device *device, size_t offset)
{
	sim_balloon_complete(&sim, SIZE_MAX);
	return sim_virtio_config_read(sim_virtio_of(device), offset, sizeof(uint32_t));
}

static void what_is_finished_in_mid_round_is_not_slept_over(void **state)
{
	(void)state;
	start(0, NO_FLOOR);
	sim.completion = SIM_BALLOON_ON_DEMAND;
	sim_balloon_set_target(&sim, 10000);
	settle();
	assert_true(sim.pending_count > 0);
	sim.virtio.transport.config_read32 = finish_and_read_config;
	/* It may only rest when it is there, or while the device owes it an interrupt. */
	for (int rounds = 0; rounds < 1000 && ballooned() < 10000; rounds++)
		assert_true(balloon_step() || ballooned() == 10000 || sim.pending_count > 0);
	settle();
	assert_balloon(10000);
}

static void a_change_of_mind_in_flight_loses_nothing(void **state)
{
	(void)state;
	start(0, NO_FLOOR);
	sim.completion = SIM_BALLOON_ON_DEMAND;
	go_to(2000);
	go_to(100);
	go_to(1500);
	go_to(50);
	for (int i = 0; i < 1000 && (sim.pending_count > 0 || ballooned() != 50); i++) {
		sim_balloon_complete(&sim, 1);
		settle();
	}
	assert_balloon(50);
}

/* ---- The floor ---- */

static void stops_at_the_floor_and_says_by_how_much(void **state)
{
	uint64_t spare;

	(void)state;
	start(0, 1000);
	spare = ledger_count(OWNER_FREE) - 1000;
	go_to(RAM_FRAMES);
	assert_balloon(spare);
	assert_int_equal(ledger_count(OWNER_FREE), 1000);
	assert_int_equal(status().shortfall, RAM_FRAMES - spare);
	assert_int_equal(status().target, RAM_FRAMES);
}

static void goes_on_when_memory_is_freed_or_the_floor_sinks(void **state)
{
	pfn_t block;

	(void)state;
	start(0, 1000);
	assert_int_equal(frame_alloc(BLOCK_ORDER, OWNER_HELD, &block), 0);
	go_to(RAM_FRAMES);
	assert_int_equal(frame_free(block, BLOCK_FRAMES, OWNER_HELD), 0);
	settle();
	assert_int_equal(ledger_count(OWNER_FREE), 1000);
	balloon_set_floor(100);
	settle();
	assert_int_equal(ledger_count(OWNER_FREE), 100);
	go_to(0);
	assert_balloon(0);
	assert_int_equal(status().shortfall, 0);
}

static void an_absurd_target_is_a_shortfall(void **state)
{
	(void)state;
	start(0, 100);
	go_to(UINT32_MAX);
	assert_int_equal(ledger_count(OWNER_FREE), 100);
	assert_int_equal(status().shortfall, UINT32_MAX - ballooned());
}

/* ---- Memory pressure ---- */

static void gives_one_frame_back_for_one_allocation(void **state)
{
	pfn_t pfn;

	(void)state;
	start(DEFLATE_ON_OOM, NO_FLOOR);
	frame_set_reclaimer(balloon_reclaim);
	go_to(5000);
	exhaust();
	assert_int_equal(frame_alloc(0, OWNER_HELD, &pfn), 0);
	assert_int_equal(ballooned(), 4999);
	assert_int_equal(sim.inflated, 4999);
	assert_int_equal(status().oom_events, 1);
	assert_int_equal(status().oom_frames, 1);
}

static void gives_a_run_back_for_an_allocation_of_a_run(void **state)
{
	pfn_t pfn;

	(void)state;
	start(DEFLATE_ON_OOM, NO_FLOOR);
	frame_set_reclaimer(balloon_reclaim);
	go_to(5000);
	exhaust();
	assert_int_equal(frame_alloc(4, OWNER_HELD, &pfn), 0);
	assert_int_equal(frame_alloc(BLOCK_ORDER, OWNER_HELD, &pfn), 0);
	assert_books();
}

static void does_not_chase_what_it_gave_back(void **state)
{
	pfn_t pfn;

	(void)state;
	start(DEFLATE_ON_OOM, NO_FLOOR);
	frame_set_reclaimer(balloon_reclaim);
	go_to(5000);
	exhaust();
	assert_int_equal(frame_alloc(0, OWNER_HELD, &pfn), 0);
	assert_int_equal(frame_free(pfn, 1, OWNER_HELD), 0);
	settle();
	assert_balloon(4999);
	sim_time_advance(BALLOON_HOLD_OFF_NS + NS_PER_MS);
	settle();
	assert_balloon(5000);
}

static void without_the_bit_an_allocation_fails_and_the_balloon_stays(void **state)
{
	pfn_t pfn;

	(void)state;
	start(0, NO_FLOOR);
	frame_set_reclaimer(balloon_reclaim);
	go_to(5000);
	exhaust();
	assert_int_not_equal(frame_alloc(0, OWNER_HELD, &pfn), 0);
	assert_balloon(5000);
}

static void a_device_that_never_answers_a_reclaim_is_given_up(void **state)
{
	pfn_t pfn;

	(void)state;
	start(DEFLATE_ON_OOM, NO_FLOOR);
	frame_set_reclaimer(balloon_reclaim);
	go_to(5000);
	exhaust();
	sim.completion = SIM_BALLOON_NEVER;
	assert_int_not_equal(frame_alloc(0, OWNER_HELD, &pfn), 0);
	settle();
	assert_non_null(status().broken);
	assert_int_equal(ballooned(), 5000);
}

/* ---- Devices that break the rules ---- */

static void a_device_that_never_answers_is_given_up_after_two_seconds(void **state)
{
	(void)state;
	start(0, NO_FLOOR);
	sim.completion = SIM_BALLOON_NEVER;
	go_to(1000);
	assert_null(status().broken);
	sim_time_advance(VIRTIO_DEADLINE_NS + NS_PER_MS);
	settle();
	assert_non_null(status().broken);
	assert_int_equal(ledger_count(OWNER_IN_FLIGHT), 0);
	/* The frames and the rings are back. */
	assert_int_equal(ledger_count(OWNER_FREE), RAM_FRAMES);
}

static void a_bad_used_id_breaks_the_device_and_loses_no_frame(void **state)
{
	(void)state;
	start(0, NO_FLOOR);
	go_to(300);
	sim.bad_used_id = true;
	sim_balloon_set_target(&sim, 2000);
	settle();
	assert_non_null(status().broken);
	assert_int_equal(ledger_count(OWNER_IN_FLIGHT), 0);
	assert_int_equal(ledger_count(OWNER_FREE) + ballooned(), RAM_FRAMES);
	assert_int_equal(sim_log_warnings, 1);
}

static void a_queue_of_one_descriptor_is_slow_but_right(void **state)
{
	(void)state;
	plug_in(false, VIRTIO_BIT(VIRTIO_F_VERSION_1));
	sim.virtio.queue[SIM_BALLOON_INFLATE].size_max = 1;
	sim.virtio.queue[SIM_BALLOON_DEFLATE].size_max = 1;
	assert_int_equal(begin(NO_FLOOR), 0);
	go_to(3000);
	assert_balloon(3000);
	go_to(1);
	assert_balloon(1);
}

static void a_missing_queue_ends_the_start_with_an_error(void **state)
{
	(void)state;
	plug_in(false, VIRTIO_BIT(VIRTIO_F_VERSION_1));
	sim.virtio.queue[SIM_BALLOON_DEFLATE].size_max = 0;
	assert_int_not_equal(begin(NO_FLOOR), 0);
	assert_false(status().present);
	assert_true(sim_log_warnings > 0);
}

static void features_that_it_does_not_do_are_not_accepted(void **state)
{
	(void)state;
	start(UINT64_MAX & ~VIRTIO_BIT(VIRTIO_F_VERSION_1) & ~VIRTIO_BIT(VIRTIO_F_EVENT_IDX) &
		      ~VIRTIO_BIT(VIRTIO_F_RING_PACKED),
	      NO_FLOOR);
	assert_false(virtio_has(&sim.virtio.device, VIRTIO_BALLOON_F_PAGE_POISON));
	assert_false(virtio_has(&sim.virtio.device, VIRTIO_F_SR_IOV));
	assert_true(virtio_has(&sim.virtio.device, VIRTIO_BALLOON_F_MUST_TELL_HOST));
}

/* ---- Statistics ---- */

/* What the device finds in the buffer now; the driver fills the next one then. */
static uint64_t ask(uint16_t tag)
{
	struct wire_stat stats[BALLOON_STATS_MAX];
	size_t length = sim_balloon_ask_stats(&sim, stats, sizeof(stats));

	assert_int_equal(length % sizeof(stats[0]), 0);
	assert_int_equal(length % 6, 0);
	settle();
	for (size_t i = 0; i < length / sizeof(stats[0]); i++)
		if (stats[i].tag == tag)
			return stats[i].value;
	fail_msg("no statistic with tag %u", tag);
	return 0;
}

static void one_statistics_buffer_is_with_the_device_from_the_start(void **state)
{
	(void)state;
	start(STATS_VQ, NO_FLOOR);
	assert_int_equal(sim.stats_held, 1);
	for (int i = 0; i < 300; i++) {
		ask(5);
		assert_int_equal(sim.stats_held, 1);
	}
}

/* 5.5.6.3.1: each report has the same tags, each of them once. */
static void every_report_has_the_same_statistics(void **state)
{
	struct wire_stat first[BALLOON_STATS_MAX], next[BALLOON_STATS_MAX];
	size_t length;

	(void)state;
	start(STATS_VQ | DEFLATE_ON_OOM, NO_FLOOR);
	length = sim_balloon_ask_stats(&sim, first, sizeof(first));
	assert_true(length > 0);
	for (size_t i = 0; i < length / sizeof(first[0]); i++)
		for (size_t k = 0; k < i; k++)
			assert_int_not_equal(first[i].tag, first[k].tag);
	for (uint64_t target = 0; target <= 6000; target += 2000) {
		go_to(target);
		assert_int_equal(sim_balloon_ask_stats(&sim, next, sizeof(next)), length);
		for (size_t i = 0; i < length / sizeof(first[0]); i++)
			assert_int_equal(next[i].tag, first[i].tag);
	}
	settle();
}

static void statistics_are_those_of_the_moment_that_the_host_asks(void **state)
{
	(void)state;
	start(STATS_VQ, NO_FLOOR);
	go_to(1000);
	/* The first answer is old: the buffer was filled at the start. */
	ask(4);
	assert_int_equal(ask(4), ledger_count(OWNER_FREE) * FRAME_SIZE);
	assert_int_equal(ask(5), (RAM_FRAMES - 1000) * FRAME_SIZE);
}

static void statistics_count_ballooned_memory_by_the_mode(void **state)
{
	(void)state;
	start(STATS_VQ | DEFLATE_ON_OOM, NO_FLOOR);
	go_to(1000);
	ask(5);
	assert_int_equal(ask(5), RAM_FRAMES * FRAME_SIZE);
}

static void ballooned_memory_is_counted_once(void **state)
{
	struct balloon_account account;

	(void)state;
	start(0, NO_FLOOR);
	go_to(1000);
	balloon_account(&account);
	assert_int_equal(account.inflated_total, 1000);
	assert_int_equal(account.inflated_free, 0);
	start(DEFLATE_ON_OOM, NO_FLOOR);
	go_to(1000);
	balloon_account(&account);
	assert_int_equal(account.inflated_total, 0);
	assert_int_equal(account.inflated_free, 1000);
}

static void statistics_count_blocks_that_were_had_and_not(void **state)
{
	uint64_t had, not_had;
	pfn_t pfn;

	(void)state;
	start(STATS_VQ, NO_FLOOR);
	ask(8);
	had = ask(8);
	not_had = ask(9);
	assert_int_equal(frame_alloc(BLOCK_ORDER, OWNER_HELD, &pfn), 0);
	assert_int_not_equal(frame_alloc(FRAME_ORDER_MAX, OWNER_HELD, &pfn), 0);
	ask(8);
	assert_int_equal(ask(8), had + 1);
	assert_int_equal(ask(9), not_had + 1);
}

/* ---- Reporting ---- */

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

/* 2.7.5.2: the simulated device knows how long a chain may be. */
static void no_request_has_more_than_4_gib(void **state)
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
	while (sim.pending_count > 0 || ledger_count(OWNER_REPORTED) > 0) {
		settle();
		sim_balloon_complete(&sim, SIZE_MAX);
	}
	assert_int_equal(ledger_count(OWNER_FREE), free_before);
}

static void an_allocation_waits_for_what_is_being_reported(void **state)
{
	pfn_t pfn;

	(void)state;
	start(REPORTING, NO_FLOOR);
	frame_set_reclaimer(balloon_reclaim);
	sim.completion = SIM_BALLOON_ON_DEMAND;
	be_quiet();
	assert_true(ledger_count(OWNER_REPORTED) > 0);
	exhaust();
	sim_balloon_complete(&sim, SIZE_MAX);
	assert_int_equal(frame_alloc(0, OWNER_HELD, &pfn), 0);
}

/* ---- Strategies ---- */

static void range_first_tells_all_ranges_before_the_first_page_number(void **state)
{
	(void)state;
	start(REPORTING, NO_FLOOR);
	assert_int_equal(status().effective, BALLOON_RANGE_FIRST);
	go_to(20 * BLOCK_FRAMES + 7);
	assert_balloon(20 * BLOCK_FRAMES + 7);
	assert_int_equal(sim.reported, 20 * BLOCK_SIZE);
	/* No PFN had come when the last range did. */
	assert_int_equal(sim.inflates_before_report, 0);
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
	for (int i = 0; i < 1000 && ballooned() != 777; i++) {
		sim_balloon_complete(&sim, SIZE_MAX);
		settle();
	}
	sim_balloon_complete(&sim, SIZE_MAX);
	settle();
	assert_balloon(777);
	assert_int_equal(ledger_count(OWNER_LEAVING), 0);
}

static void whole_block_buffers_hold_a_whole_block(void **state)
{
	(void)state;
	start(0, NO_FLOOR);
	assert_int_equal(balloon_set_strategy(BALLOON_WHOLE_BLOCK), 0);
	go_to(4 * BLOCK_FRAMES);
	assert_balloon(4 * BLOCK_FRAMES);
	assert_int_equal(sim.largest[SIM_BALLOON_INFLATE], BLOCK_FRAMES);
	assert_int_equal(sim.buffers[SIM_BALLOON_INFLATE], 4);
}

static void every_strategy_is_found_by_its_name(void **state)
{
	enum balloon_strategy strategy;

	(void)state;
	for (int s = BALLOON_AUTO; s <= BALLOON_RANGE_FIRST; s++) {
		assert_int_equal(
			balloon_parse_strategy(balloon_strategy_name((enum balloon_strategy)s),
					       &strategy),
			0);
		assert_int_equal(strategy, s);
	}
	assert_int_equal(balloon_parse_strategy("fast", &strategy), -EINVAL);
	start(0, NO_FLOOR);
}

static void without_the_queue_there_are_no_statistics(void **state)
{
	struct balloon_stat stats[BALLOON_STATS_MAX];
	uint64_t requests, time;

	(void)state;
	start(0, NO_FLOOR);
	assert_int_equal(balloon_stats_last(stats, &requests, &time), 0);
}

static void range_first_needs_reporting(void **state)
{
	(void)state;
	start(0, NO_FLOOR);
	assert_int_not_equal(balloon_set_strategy(BALLOON_RANGE_FIRST), 0);
	assert_int_equal(status().effective, BALLOON_PORTABLE);
	go_to(2000);
	assert_balloon(2000);
}

static void range_first_from_the_start_without_reporting_is_said_once(void **state)
{
	struct balloon_config config = { .strategy = BALLOON_RANGE_FIRST };

	(void)state;
	plug_in(false, VIRTIO_BIT(VIRTIO_F_VERSION_1));
	assert_int_equal(balloon_start(&config), 0);
	assert_int_equal(status().strategy, BALLOON_AUTO);
	assert_int_equal(sim_log_warnings, 1);
	assert_non_null(strstr(sim_log_warning, "REPORTING"));
}

static void range_first_from_the_start_needs_no_word_with_reporting(void **state)
{
	struct balloon_config config = { .strategy = BALLOON_RANGE_FIRST };

	(void)state;
	plug_in(false, REPORTING | VIRTIO_BIT(VIRTIO_F_VERSION_1));
	assert_int_equal(balloon_start(&config), 0);
	assert_int_equal(status().strategy, BALLOON_RANGE_FIRST);
	assert_int_equal(sim_log_warnings, 0);
}

/* ---- Poison ---- */

static void poison_is_accepted_only_if_it_was_asked_for(void **state)
{
	struct balloon_config config = { .poison = true, .poison_byte = 0xa5 };

	(void)state;
	start(PAGE_POISON, NO_FLOOR);
	assert_false(status().features & PAGE_POISON);
	assert_string_equal(virtio_refusal_reason(&sim.virtio.device, VIRTIO_BALLOON_F_PAGE_POISON),
			    "only with poison=XX on the command line");
	balloon_stop();
	assert_int_equal(balloon_start(&config), 0);
	assert_true(status().features & PAGE_POISON);
	assert_int_equal(sim_virtio_config32(&sim.virtio, SIM_BALLOON_POISON), 0xa5a5a5a5);
}

static void reported_blocks_hold_the_poison(void **state)
{
	struct balloon_config config = { .poison = true, .poison_byte = 0xa5 };
	const pfn_t end = paddr_to_pfn(RAM_START) + RAM_FRAMES;
	uint64_t blocks;
	pfn_t hole;

	(void)state;
	start(PAGE_POISON | REPORTING, NO_FLOOR);
	balloon_stop();
	/* Two blocks in use: a request has more ranges than one. */
	hole = end - 4 * BLOCK_FRAMES;
	assert_int_equal(frame_reserve(hole, 1, OWNER_HELD), 0);
	assert_int_equal(frame_reserve(hole + 2 * BLOCK_FRAMES, 1, OWNER_HELD), 0);
	blocks = frame_free_blocks();
	assert_int_equal(balloon_start(&config), 0);
	assert_int_equal(status().effective, BALLOON_PORTABLE);
	be_quiet();
	assert_int_equal(sim.reported, blocks * BLOCK_SIZE);
	for (pfn_t pfn = hole + BLOCK_FRAMES; pfn < end; pfn += 2 * BLOCK_FRAMES) {
		const uint8_t *block = (void *)(uintptr_t)pfn_to_paddr(pfn);

		assert_int_equal(block[0], 0xa5);
		assert_int_equal(block[BLOCK_SIZE - 1], 0xa5);
	}
}

/* 5.5.6.6.1: kernel/main.c turns on both, poison of freed frames and the bit. */
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

		assert_int_equal(balloon_start(&config), 0);
		sim.completion = SIM_BALLOON_ON_DEMAND;
		if (strategies[i] == BALLOON_RANGE_FIRST)
			go_to(20 * BLOCK_FRAMES);
		else
			be_quiet();
		assert_int_equal(ledger_count(OWNER_REPORTED), 8 * BLOCK_FRAMES);
		balloon_stop();
	}
}

static void deflated_frames_hold_the_poison(void **state)
{
	struct balloon_config config = { .poison = true, .poison_byte = 0xa5 };
	uint8_t wanted[FRAME_SIZE];
	pfn_t pfns[1000];

	(void)state;
	memset(wanted, 0xa5, sizeof(wanted));
	plug_in(false, PAGE_POISON | VIRTIO_BIT(VIRTIO_F_VERSION_1));
	poison_enable(config.poison_byte);
	assert_int_equal(balloon_start(&config), 0);
	go_to(ARRAY_SIZE(pfns));
	assert_int_equal(frame_collect(OWNER_BALLOON, 0, ARRAY_SIZE(pfns), pfns), ARRAY_SIZE(pfns));
	go_to(0);
	for (size_t i = 0; i < ARRAY_SIZE(pfns); i++)
		assert_memory_equal(phys_to_virt(pfn_to_paddr(pfns[i])), wanted, FRAME_SIZE);
	frame_set_poisoner(NULL);
}

/* ---- Hinting ---- */

static void beside_hints_event_idx_is_declined_with_a_reason(void **state)
{
	(void)state;
	start(VIRTIO_BIT(VIRTIO_BALLOON_F_FREE_PAGE_HINT) | VIRTIO_BIT(VIRTIO_F_EVENT_IDX),
	      NO_FLOOR);
	assert_false(virtio_has(&sim.virtio.device, VIRTIO_F_EVENT_IDX));
	assert_string_equal(virtio_refusal_reason(&sim.virtio.device, VIRTIO_F_EVENT_IDX),
			    "not together with FREE_PAGE_HINT");
}

static void a_round_begins_with_its_id_and_ends_with_stop(void **state)
{
	uint64_t blocks;

	(void)state;
	start(HINT, NO_FLOOR);
	blocks = frame_free_blocks();
	hint_round(ROUND);
	assert_int_equal(sim.hint_command_count, 2);
	assert_int_equal(sim.hint_commands[0], ROUND);
	assert_int_equal(sim.hint_commands[1], 0);
	assert_int_equal(sim.hinted, blocks * BLOCK_SIZE);
	assert_int_equal(ledger_count(OWNER_HINTED), blocks * BLOCK_FRAMES);
}

/* 5.5.6.5.1 */
static void an_id_goes_out_once_whatever_else_changes(void **state)
{
	(void)state;
	start(HINT, NO_FLOOR);
	hint_round(ROUND);
	go_to(1);
	assert_int_equal(sim.hint_command_count, 2);
	hint_round(ROUND + 1);
	assert_int_equal(sim.hint_command_count, 4);
}

/* While a round runs, QEMU's config has STOP where the id was, and says nothing. */
static void a_shared_interrupt_does_not_end_a_round(void **state)
{
	uint64_t blocks;

	(void)state;
	start(HINT, NO_FLOOR);
	blocks = frame_free_blocks();
	sim.completion = SIM_BALLOON_ON_DEMAND;
	sim.virtio.device.shared_interrupt = true;
	sim_balloon_set_hint_id(&sim, ROUND);
	balloon_step();
	memset(sim.virtio.config + SIM_BALLOON_HINT_ID, 0, sizeof(uint32_t));
	for (int i = 0; i < 100; i++) {
		sim.virtio.device.config_changed = true;
		sim_balloon_complete(&sim, 1);
		settle();
	}
	assert_int_equal(sim.hinted, blocks * BLOCK_SIZE);
}

/* As after a migration in mid-round: the other device was never notified. */
static void a_device_that_forgot_the_hints_is_reminded(void **state)
{
	void (*notify)(struct sim_virtio * virtio, unsigned queue);

	(void)state;
	start(HINT, NO_FLOOR);
	notify = sim.virtio.queue[sim.hint_queue].notify;
	sim.virtio.queue[sim.hint_queue].notify = NULL;
	hint_round(ROUND);
	sim.virtio.queue[sim.hint_queue].notify = notify;
	assert_int_equal(sim.hint_command_count, 0);
	sim_time_advance(VIRTIO_DEADLINE_NS / 2 + NS_PER_MS);
	settle();
	assert_null(status().broken);
	assert_int_equal(sim.hint_commands[0], ROUND);
	hint_round(1);
	assert_int_equal(ledger_count(OWNER_HINTED), 0);
}

static void an_allocation_waits_for_what_is_being_hinted(void **state)
{
	void (*notify)(struct sim_virtio * virtio, unsigned queue);
	pfn_t pfn;

	(void)state;
	start(HINT, NO_FLOOR);
	frame_set_reclaimer(balloon_reclaim);
	notify = sim.virtio.queue[sim.hint_queue].notify;
	sim.virtio.queue[sim.hint_queue].notify = NULL;
	hint_round(ROUND);
	exhaust();
	sim.virtio.queue[sim.hint_queue].notify = notify;
	assert_int_equal(frame_alloc(0, OWNER_HELD, &pfn), 0);
}

static void an_allocation_does_not_wait_for_hints_for_ever(void **state)
{
	pfn_t pfn;
	uint64_t before;

	(void)state;
	start(HINT, NO_FLOOR);
	frame_set_reclaimer(balloon_reclaim);
	sim.completion = SIM_BALLOON_NEVER;
	hint_round(ROUND);
	exhaust();
	before = clock_ns();
	assert_int_equal(frame_alloc(0, OWNER_HELD, &pfn), -ENOMEM);
	assert_int_equal(frame_alloc(0, OWNER_HELD, &pfn), -ENOMEM);
	assert_true(clock_ns() - before < 2 * VIRTIO_DEADLINE_NS);
	settle();
	assert_non_null(status().broken);
}

static void hinted_blocks_come_back_on_done(void **state)
{
	uint64_t free_before;

	(void)state;
	start(HINT, NO_FLOOR);
	free_before = ledger_count(OWNER_FREE);
	hint_round(ROUND);
	assert_true(ledger_count(OWNER_FREE) < free_before);
	hint_round(1);
	assert_int_equal(ledger_count(OWNER_FREE), free_before);
}

static void hints_leave_the_floor(void **state)
{
	const uint64_t floor = RAM_FRAMES / 2;

	(void)state;
	start(HINT, floor);
	hint_round(ROUND);
	assert_true(sim.hinted > 0);
	assert_in_range(ledger_count(OWNER_FREE), floor, floor + BLOCK_FRAMES - 1);
}

static void stop_before_the_round_began_ends_it(void **state)
{
	(void)state;
	start(HINT, NO_FLOOR);
	sim_balloon_set_hint_id(&sim, ROUND);
	sim.completion = SIM_BALLOON_ON_DEMAND;
	balloon_step();
	sim_balloon_set_hint_id(&sim, ROUND + 1);
	balloon_step();
	sim_balloon_set_hint_id(&sim, 0);
	for (int i = 0; i < 50; i++) {
		sim_balloon_complete(&sim, SIZE_MAX);
		settle();
	}
	for (unsigned c = 0; c < sim.hint_command_count; c++)
		assert_int_not_equal(sim.hint_commands[c], ROUND + 1);
	hint_round(1);
	assert_int_equal(ledger_count(OWNER_HINTED), 0);
}

static void a_hint_queue_of_one_descriptor_is_slow_but_right(void **state)
{
	uint64_t blocks;

	(void)state;
	plug_in(false, HINT | VIRTIO_BIT(VIRTIO_F_VERSION_1));
	sim.virtio.queue[sim.hint_queue].size_max = 1;
	assert_int_equal(begin(NO_FLOOR), 0);
	sim.completion = SIM_BALLOON_ON_DEMAND;
	blocks = frame_free_blocks();
	sim_balloon_set_hint_id(&sim, ROUND);
	for (int i = 0; i < 50; i++) {
		settle();
		sim_balloon_complete(&sim, SIZE_MAX);
	}
	assert_int_equal(sim.hint_command_count, 2);
	assert_int_equal(sim.hinted, blocks * BLOCK_SIZE);
	hint_round(1);
	assert_int_equal(ledger_count(OWNER_HINTED), 0);
}

static void stop_in_mid_round_ends_the_hints(void **state)
{
	uint64_t free_before;

	(void)state;
	start(HINT, NO_FLOOR);
	free_before = ledger_count(OWNER_FREE);
	sim.completion = SIM_BALLOON_ON_DEMAND;
	hint_round(ROUND);
	hint_round(0);
	sim_balloon_complete(&sim, SIZE_MAX);
	settle();
	sim_balloon_complete(&sim, SIZE_MAX);
	settle();
	assert_int_equal(sim.hint_commands[sim.hint_command_count - 1], 0);
	hint_round(1);
	assert_int_equal(ledger_count(OWNER_FREE), free_before);
}

static void a_new_id_in_mid_round_begins_a_new_round(void **state)
{
	uint64_t free_before;

	(void)state;
	start(HINT, NO_FLOOR);
	free_before = ledger_count(OWNER_FREE);
	sim.completion = SIM_BALLOON_ON_DEMAND;
	hint_round(ROUND);
	hint_round(ROUND + 1);
	for (int i = 0; i < 10; i++) {
		sim_balloon_complete(&sim, SIZE_MAX);
		settle();
	}
	/* All blocks of the first round were with the device, and its STOP. */
	assert_int_equal(sim.hint_commands[0], ROUND);
	assert_int_equal(sim.hint_commands[1], 0);
	assert_int_equal(sim.hint_commands[2], ROUND + 1);
	hint_round(1);
	assert_int_equal(ledger_count(OWNER_FREE), free_before);
}

static void done_does_not_free_what_the_device_still_has(void **state)
{
	uint64_t free_before;

	(void)state;
	start(HINT, NO_FLOOR);
	free_before = ledger_count(OWNER_FREE);
	sim.completion = SIM_BALLOON_ON_DEMAND;
	hint_round(ROUND);
	sim_balloon_complete(&sim, 3);
	hint_round(1);
	assert_true(ledger_count(OWNER_IN_FLIGHT) > 0);
	assert_true(ledger_count(OWNER_FREE) < free_before);
	sim_balloon_complete(&sim, SIZE_MAX);
	settle();
	assert_int_equal(ledger_count(OWNER_FREE), free_before);
}

static void memory_pressure_takes_hinted_blocks_back(void **state)
{
	pfn_t pfn;

	(void)state;
	start(HINT, NO_FLOOR);
	frame_set_reclaimer(balloon_reclaim);
	hint_round(ROUND);
	exhaust();
	assert_true(ledger_count(OWNER_HINTED) > 0);
	assert_int_equal(frame_alloc(0, OWNER_HELD, &pfn), 0);
	assert_int_equal(ledger_count(OWNER_HINTED), 0);
}

/* ---- Recovery ---- */

static void a_device_that_asks_for_a_reset_gets_it_and_the_balloon_goes_on(void **state)
{
	(void)state;
	start(STATS_VQ | REPORTING | HINT, NO_FLOOR);
	sim.keep_on_reset = true;
	go_to(5000);
	sim_virtio_need_reset(&sim.virtio);
	settle();
	assert_null(status().broken);
	assert_int_equal(status().recoveries, 1);
	assert_int_equal(sim.stats_held, 1);
	assert_balloon(5000);
	go_to(100);
	assert_balloon(100);
}

static void counts_go_on_over_a_reset(void **state)
{
	struct balloon_stat stats[BALLOON_STATS_MAX];
	struct balloon_pages_counts counts;
	uint64_t requests, time, frames;
	uint8_t copy[256];

	(void)state;
	start(STATS_VQ | REPORTING, NO_FLOOR);
	sim.keep_on_reset = true;
	balloon_set_strategy(BALLOON_RANGE_FIRST);
	go_to(5000);
	sim_balloon_ask_stats(&sim, copy, sizeof(copy));
	settle();
	sim_virtio_need_reset(&sim.virtio);
	settle();
	assert_int_equal(status().recoveries, 1);
	balloon_pages_counts(&counts);
	assert_int_equal(counts.inflated, 5000);
	assert_true(balloon_stats_last(stats, &requests, &time) > 0);
	assert_int_equal(requests, 1);
	balloon_report_counts(&frames, &requests);
	assert_true(requests > 0);
}

static void what_a_given_up_device_has_is_not_said_to_come_back(void **state)
{
	struct balloon_account account;

	(void)state;
	start(DEFLATE_ON_OOM, NO_FLOOR);
	go_to(300);
	balloon_account(&account);
	assert_int_equal(account.inflated_free, 300);
	sim.bad_used_id = true;
	go_to(200);
	assert_non_null(status().broken);
	balloon_account(&account);
	assert_int_equal(account.inflated_free, 0);
	assert_int_equal(account.inflated_total, ballooned());
}

static void a_reset_in_mid_inflation_loses_nothing(void **state)
{
	(void)state;
	start(STATS_VQ, NO_FLOOR);
	sim.keep_on_reset = true;
	go_to(300);
	sim.completion = SIM_BALLOON_ON_DEMAND;
	go_to(5000);
	sim_virtio_need_reset(&sim.virtio);
	settle();
	assert_null(status().broken);
	assert_books();
	sim.completion = SIM_BALLOON_AT_ONCE;
	while (sim_balloon_complete(&sim, SIZE_MAX) > 0)
		settle();
	assert_balloon(5000);
}

static void a_device_that_asks_for_a_reset_during_reclaim_gets_it(void **state)
{
	(void)state;
	start(DEFLATE_ON_OOM, NO_FLOOR);
	sim.keep_on_reset = true;
	go_to(100);
	sim.completion = SIM_BALLOON_NEVER;
	sim_virtio_need_reset(&sim.virtio);
	assert_int_equal(balloon_reclaim(0), 0);
	sim.completion = SIM_BALLOON_AT_ONCE;
	settle();
	assert_null(status().broken);
	assert_int_equal(status().recoveries, 1);
	assert_balloon(100);
	go_to(300);
	assert_balloon(300);
}

static void a_device_that_dies_during_reclaim_does_not_hang_us(void **state)
{
	(void)state;
	start(DEFLATE_ON_OOM, NO_FLOOR);
	go_to(100);
	sim.completion = SIM_BALLOON_NEVER;
	sim.virtio.slow_reset = SIM_VIRTIO_FOR_EVER;
	assert_int_equal(balloon_reclaim(0), 0);
	settle();
	assert_non_null(status().broken);
	/* The device may still have the frame: it stays out of our hands. */
	assert_int_equal(ledger_count(OWNER_IN_FLIGHT), 1);
	assert_int_equal(ballooned(), 99);
}

/* Found by fuzzing: each allocation that failed waited as long as the first. */
static void a_report_without_an_answer_is_waited_for_once(void **state)
{
	uint64_t began;

	(void)state;
	start(REPORTING, NO_FLOOR);
	sim.completion = SIM_BALLOON_NEVER;
	be_quiet();
	assert_true(ledger_count(OWNER_REPORTED) > 0);
	sim_time_step_ns = NS_PER_MS;
	began = clock_ns();
	for (int i = 0; i < 20; i++)
		assert_int_equal(balloon_reclaim(0), 0);
	assert_true(clock_ns() - began < 2 * VIRTIO_DEADLINE_NS);
	settle();
	assert_non_null(status().broken);
	assert_int_equal(ledger_count(OWNER_REPORTED), 0);
	assert_books();
}

static void a_device_that_is_gone_is_not_obeyed(void **state)
{
	(void)state;
	start(0, NO_FLOOR);
	go_to(100);
	sim.virtio.gone = true;
	settle();
	assert_non_null(status().broken);
	assert_int_equal(ledger_count(OWNER_IN_FLIGHT), 0);
	assert_int_equal(ballooned(), 100);
}

/* ---- The task ---- */

static unsigned scene;

/* What the world does whenever the task waits or yields: one thing after the other. */
static void play(void)
{
	char stats[256];

	sim_balloon_complete(&sim, 2);
	switch (scene) {
	case 0:
		sim_balloon_set_target(&sim, 3000);
		scene++;
		break;
	case 1: /* then more than there is */
		if (ballooned() < 3000)
			break;
		sim_balloon_ask_stats(&sim, stats, sizeof(stats));
		sim_balloon_set_target(&sim, (uint32_t)RAM_FRAMES);
		scene++;
		break;
	case 2: /* memory is needed: inflation holds off */
		if (status().shortfall == 0 || ledger_count(OWNER_IN_FLIGHT) > 0)
			break;
		sim.completion = SIM_BALLOON_AT_ONCE;
		assert_int_equal(balloon_reclaim(0), 1);
		scene++;
		break;
	case 3: /* the floor sinks, and all is given but one block */
		if (status().oom_events != 1 || clock_ns() % 7 != 0)
			break;
		balloon_set_floor(0);
		sim_balloon_set_target(&sim, 3000);
		scene++;
		break;
	case 4:
		if (ballooned() != 3000 || sim_balloon_actual(&sim) != 3000)
			break;
		sim_balloon_set_hint_id(&sim, ROUND);
		scene++;
		break;
	case 5:
		if (sim.hint_command_count < 2)
			break;
		sim_balloon_set_hint_id(&sim, 1);
		scene++;
		break;
	case 6:
		if (ledger_count(OWNER_HINTED) > 0)
			break;
		sim.virtio.gone = true;
		virtio_gone(&sim.virtio.device);
		scene++;
		break;
	}
}

static void the_task_follows_whatever_happens_until_the_device_is_gone(void **state)
{
	(void)state;
	scene = 0;
	start(STATS_VQ | HINT | REPORTING | DEFLATE_ON_OOM, 2000);
	frame_set_reclaimer(balloon_reclaim);
	sim.completion = SIM_BALLOON_ON_DEMAND;
	sim_time_on_wait = play;
	sim_ram_task(NULL);
	sim_time_on_wait = NULL;
	assert_int_equal(scene, 7);
	assert_int_equal(ballooned(), 3000);
	/* It slept for most of it. */
	assert_true(sim_time_waits < 5000);
}

/* ---- The device goes, and comes ---- */

/* Takes the device away, in a state that the tests before it are not shown. */
static void unplug(bool gone)
{
	if (gone) {
		sim.virtio.gone = true;
		virtio_gone(&sim.virtio.device);
	}
	virtio_unregister(&sim.virtio.device);
	assert_int_equal(ledger_count(OWNER_FREE), RAM_FRAMES);
	assert_false(status().present);
}

static void plug_again(void)
{
	sim_balloon_fini(&sim);
	sim_balloon_init(&sim, false, VIRTIO_BIT(VIRTIO_F_VERSION_1) | DEFLATE_ON_OOM);
	virtio_register(&sim.virtio.device);
	assert_true(status().present);
}

static void a_device_that_leaves_gets_all_frames_deflated(void **state)
{
	(void)state;
	start(DEFLATE_ON_OOM, 1000);
	for (int i = 0; i < 3; i++) {
		go_to(5000);
		assert_balloon(5000);
		unplug(false);
		assert_int_equal(sim.inflated, 0);
		assert_int_equal(sim_balloon_actual(&sim), 0);
		assert_int_equal(sim.virtio.status, 0);
		assert_int_equal(balloon_reclaim(0), 0);
		plug_again();
		assert_int_equal(status().floor, 1000);
	}
	go_to(100);
	assert_balloon(100);
}

static void complete_some(void)
{
	sim_balloon_complete(&sim, 1);
}

static void a_device_that_leaves_in_mid_inflate_loses_nothing(void **state)
{
	(void)state;
	start(0, NO_FLOOR);
	sim.completion = SIM_BALLOON_ON_DEMAND;
	go_to(10000);
	sim_balloon_complete(&sim, 3);
	settle();
	assert_true(ledger_count(OWNER_IN_FLIGHT) > 0);
	sim_time_on_wait = complete_some;
	unplug(false);
	sim_time_on_wait = NULL;
	assert_int_equal(sim.inflated, 0);
	plug_again();
}

static void a_device_that_leaves_and_does_not_answer_is_not_waited_for_long(void **state)
{
	uint64_t before;

	(void)state;
	start(0, NO_FLOOR);
	go_to(3000);
	sim.completion = SIM_BALLOON_NEVER;
	before = clock_ns();
	unplug(false);
	assert_true(clock_ns() - before < 3 * NS_PER_S);
	plug_again();
}

static void a_device_that_is_gone_leaves_its_frames(void **state)
{
	(void)state;
	start(0, NO_FLOOR);
	sim.completion = SIM_BALLOON_ON_DEMAND;
	go_to(10000);
	sim_balloon_complete(&sim, 5);
	settle();
	assert_true(ballooned() > 0 && ledger_count(OWNER_IN_FLIGHT) > 0);
	unplug(true);
	plug_again();
	go_to(300);
	assert_balloon(300);
}

static void all_ones_are_no_target(void **state)
{
	(void)state;
	start(0, NO_FLOOR);
	go_to(500);
	sim.virtio.gone = true;
	balloon_step();
	assert_non_null(status().broken);
	assert_int_equal(ballooned(), 500);
	sim.virtio.gone = false;
}

static void a_start_that_fails_keeps_no_frame(void **state)
{
	(void)state;
	plug_in(false, VIRTIO_BIT(VIRTIO_F_VERSION_1));
	sim.virtio.queue[1].size_max = 0;
	assert_int_equal(begin(0), -ENODEV);
	assert_int_equal(ledger_count(OWNER_FREE), RAM_FRAMES);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(reaches_every_target_exactly),
		TEST(reaches_targets_on_a_legacy_device),
		TEST(used_lengths_mean_nothing),
		TEST(follows_a_target_that_was_there_before_the_start),
		TEST(tells_the_device_at_the_start_that_the_balloon_is_empty),
		TEST(gives_whole_blocks_first),
		TEST(survives_random_targets),
		TEST(never_touches_a_frame_that_it_gives),
		TEST(writes_actual_seldom),
		TEST(frames_in_flight_are_in_neither_camp),
		TEST(keeps_several_buffers_in_flight),
		TEST(what_is_finished_in_mid_round_is_not_slept_over),
		TEST(a_change_of_mind_in_flight_loses_nothing),
		TEST(stops_at_the_floor_and_says_by_how_much),
		TEST(goes_on_when_memory_is_freed_or_the_floor_sinks),
		TEST(an_absurd_target_is_a_shortfall),
		TEST(gives_one_frame_back_for_one_allocation),
		TEST(gives_a_run_back_for_an_allocation_of_a_run),
		TEST(does_not_chase_what_it_gave_back),
		TEST(without_the_bit_an_allocation_fails_and_the_balloon_stays),
		TEST(a_device_that_never_answers_a_reclaim_is_given_up),
		TEST(a_device_that_never_answers_is_given_up_after_two_seconds),
		TEST(a_bad_used_id_breaks_the_device_and_loses_no_frame),
		TEST(a_queue_of_one_descriptor_is_slow_but_right),
		TEST(a_missing_queue_ends_the_start_with_an_error),
		TEST(features_that_it_does_not_do_are_not_accepted),
		TEST(one_statistics_buffer_is_with_the_device_from_the_start),
		TEST(every_report_has_the_same_statistics),
		TEST(statistics_are_those_of_the_moment_that_the_host_asks),
		TEST(statistics_count_ballooned_memory_by_the_mode),
		TEST(ballooned_memory_is_counted_once),
		TEST(statistics_count_blocks_that_were_had_and_not),
		TEST(all_free_blocks_are_reported_once),
		TEST(a_block_is_reported_again_after_it_was_used),
		TEST(a_small_queue_reports_all_blocks),
		TEST(reported_frames_are_out_of_hands_until_acknowledged),
		cmocka_unit_test_setup_teardown(no_request_has_more_than_4_gib, set_up_large,
						tear_down),
		TEST(an_allocation_waits_for_what_is_being_reported),
		TEST(range_first_tells_all_ranges_before_the_first_page_number),
		TEST(range_first_survives_random_targets_and_slow_answers),
		TEST(whole_block_buffers_hold_a_whole_block),
		TEST(every_strategy_is_found_by_its_name),
		TEST(without_the_queue_there_are_no_statistics),
		TEST(range_first_needs_reporting),
		TEST(range_first_from_the_start_without_reporting_is_said_once),
		TEST(range_first_from_the_start_needs_no_word_with_reporting),
		TEST(poison_is_accepted_only_if_it_was_asked_for),
		TEST(reported_blocks_hold_the_poison),
		TEST(no_more_than_16_mib_are_poisoned_at_once),
		TEST(deflated_frames_hold_the_poison),
		TEST(beside_hints_event_idx_is_declined_with_a_reason),
		TEST(a_round_begins_with_its_id_and_ends_with_stop),
		TEST(an_id_goes_out_once_whatever_else_changes),
		TEST(a_shared_interrupt_does_not_end_a_round),
		TEST(a_device_that_forgot_the_hints_is_reminded),
		TEST(an_allocation_waits_for_what_is_being_hinted),
		TEST(an_allocation_does_not_wait_for_hints_for_ever),
		TEST(hinted_blocks_come_back_on_done),
		TEST(hints_leave_the_floor),
		TEST(stop_before_the_round_began_ends_it),
		TEST(a_hint_queue_of_one_descriptor_is_slow_but_right),
		TEST(stop_in_mid_round_ends_the_hints),
		TEST(a_new_id_in_mid_round_begins_a_new_round),
		TEST(done_does_not_free_what_the_device_still_has),
		TEST(memory_pressure_takes_hinted_blocks_back),
		TEST(a_device_that_asks_for_a_reset_gets_it_and_the_balloon_goes_on),
		TEST(counts_go_on_over_a_reset),
		TEST(what_a_given_up_device_has_is_not_said_to_come_back),
		TEST(a_reset_in_mid_inflation_loses_nothing),
		TEST(a_device_that_asks_for_a_reset_during_reclaim_gets_it),
		TEST(a_device_that_dies_during_reclaim_does_not_hang_us),
		TEST(a_report_without_an_answer_is_waited_for_once),
		TEST(a_device_that_is_gone_is_not_obeyed),
		TEST(the_task_follows_whatever_happens_until_the_device_is_gone),
		TEST(a_device_that_leaves_gets_all_frames_deflated),
		TEST(a_device_that_leaves_in_mid_inflate_loses_nothing),
		TEST(a_device_that_leaves_and_does_not_answer_is_not_waited_for_long),
		TEST(a_device_that_is_gone_leaves_its_frames),
		TEST(all_ones_are_no_target),
		TEST(a_start_that_fails_keeps_no_frame),
	};

	return cmocka_run_group_tests_name("balloon", tests, set_up_ram, NULL);
}
