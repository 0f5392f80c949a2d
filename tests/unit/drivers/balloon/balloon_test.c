/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The balloon's life on a simulated virtio device, with the real allocator and the
 * real virtqueue. What the driver must not touch can be seen by asking the host which
 * pages of the simulated RAM exist.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>

#include <cmocka.h>

#include "arch/clock.h"
#include "drivers/balloon/balloon_batch.h"
#include "drivers/balloon/balloon_ranges.h"
#include "drivers/balloon/balloon_state_internal.h"
#include "mm/vm_events.h"
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

static void follows_a_target_that_was_there_before_the_start(void **state)
{
	(void)state;
	plug_in(false, VIRTIO_BIT(VIRTIO_F_VERSION_1));
	sim_balloon_set_target(&sim, 777);
	assert_int_equal(begin(NO_FLOOR), 0);
	settle();
	assert_balloon(777);
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

/* While a move lasts, a watcher sees it four times a second; and the end of it at once. */
static void writes_actual_four_times_a_second(void **state)
{
	(void)state;
	start(0, NO_FLOOR);
	sim_time_step_ns = 0;
	sim.completion = SIM_BALLOON_ON_DEMAND;
	go_to(12000);
	sim_time_advance(NS_PER_S);
	sim_balloon_complete(&sim, 1);
	settle();
	assert_int_equal(sim_balloon_actual(&sim), 256);
	sim_balloon_complete(&sim, 1);
	sim_time_advance(NS_PER_S / 4 - 1);
	settle();
	assert_int_equal(sim_balloon_actual(&sim), 256);
	sim_time_advance(1);
	settle();
	assert_int_equal(sim_balloon_actual(&sim), 512);
	assert_int_equal(ballooned(), 512);
	/* The last of it is not waited for. */
	drain();
	assert_balloon(12000);
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

static void what_reclaim_reserves_is_left_free_too(void **state)
{
	(void)state;
	vm_events.reserve = 2000;
	start(0, 1000);
	assert_int_equal(balloon_floor(), 2000);
	go_to(RAM_FRAMES);
	assert_int_equal(ledger_count(OWNER_FREE), 2000);
	vm_events.reserve = 0;
	assert_int_equal(balloon_floor(), 1000);
	settle();
	assert_int_equal(ledger_count(OWNER_FREE), 1000);
}

static uint64_t told_short;

static void note_short(uint64_t frames)
{
	told_short = frames;
}

static void whoever_can_free_memory_is_told_how_much_is_missing(void **state)
{
	uint64_t wakes;

	(void)state;
	balloon_set_short_hook(note_short);
	start(0, 1000);
	told_short = 0;
	go_to(5000);
	assert_int_equal(told_short, 0);
	go_to(RAM_FRAMES);
	assert_int_equal(told_short, status().shortfall);
	wakes = sim_time_wakes;
	balloon_try_again();
	assert_int_equal(sim_time_wakes, wakes + 1);
	balloon_set_short_hook(NULL);
	told_short = 0;
	settle();
	assert_int_equal(told_short, 0);
}

static void an_absurd_target_is_a_shortfall(void **state)
{
	(void)state;
	start(0, 100);
	go_to(UINT32_MAX);
	assert_int_equal(ledger_count(OWNER_FREE), 100);
	assert_int_equal(status().shortfall, UINT32_MAX - ballooned());
}

/* ---- What can go wrong ---- */

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

/* Each within ten seconds of the last: only what comes without any work between is too much. */
static void resets_with_progress_between_them_are_not_in_a_row(void **state)
{
	(void)state;
	start(0, NO_FLOOR);
	sim.keep_on_reset = true;
	for (uint64_t i = 1; i <= 20; i++) {
		go_to(100 * i);
		assert_balloon(100 * i);
		sim_virtio_need_reset(&sim.virtio);
		settle();
		assert_null(status().broken);
		assert_int_equal(status().recoveries, i);
	}
	for (uint64_t i = 21; i <= 24; i++) {
		sim_virtio_need_reset(&sim.virtio);
		settle();
		assert_int_equal(status().recoveries, i);
	}
	sim_virtio_need_reset(&sim.virtio);
	settle();
	assert_non_null(status().broken);
	assert_int_equal(status().recoveries, 24);
}

static void be_reset(unsigned times)
{
	for (unsigned i = 0; i < times; i++) {
		sim_virtio_need_reset(&sim.virtio);
		settle();
	}
}

/* Five in a row are borne, and a sixth if ten seconds have passed; not a moment less. */
static void resets_that_are_far_apart_are_not_in_a_row(void **state)
{
	(void)state;
	start(0, NO_FLOOR);
	sim_time_step_ns = 0;
	for (unsigned i = 1; i <= 5; i++) {
		be_reset(5);
		assert_null(status().broken);
		assert_int_equal(status().recoveries, 5 * i);
		sim_time_advance(10 * NS_PER_S + 1);
	}
	be_reset(5);
	sim_time_advance(10 * NS_PER_S);
	assert_string_equal(sim_log_info, "balloon: the host asked for a reset, and gets it");
	be_reset(1);
	assert_string_equal(status().broken, "it asks for one reset after the other");
	assert_int_equal(status().recoveries, 30);
}

static void counts_go_on_over_a_reset(void **state)
{
	struct balloon_stat stats[BALLOON_STATS_MAX];
	struct balloon_batch_counts counts;
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
	balloon_batches_counts(&balloons->batches, &counts);
	assert_int_equal(counts.inflated, 5000);
	assert_true(balloon_stats_last(stats, &requests, &time) > 0);
	assert_int_equal(requests, 1);
	balloon_ranges_counts(&balloons->ranges, &frames, &requests);
	assert_true(requests > 0);
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
	drain();
	assert_balloon(5000);
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
		if (status().shortfall == 0 || ledger_count(OWNER_IN_FLIGHT) > 0 ||
		    ledger_count(OWNER_LEAVING) + ledger_count(OWNER_REPORTED) > 0)
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
	sim_ram_task(balloons);
	sim_time_on_wait = NULL;
	assert_int_equal(scene, 7);
	assert_int_equal(ballooned(), 3000);
	/* It slept for most of it. */
	assert_true(sim_time_waits < 5000);
}

static void end_when_grown(void)
{
	if (ballooned() == 10000)
		virtio_break(&sim.virtio.device, "end of test");
}

/* The device takes all at once, and there is always something to do. */
static void others_run_between_the_rounds_of_the_task(void **state)
{
	(void)state;
	start(0, NO_FLOOR);
	sim_balloon_set_target(&sim, 10000);
	sim_time_on_wait = end_when_grown;
	sim_ram_task(balloons);
	sim_time_on_wait = NULL;
	/* Eight batches of 256 frames a round, and one to see that all is there. */
	assert_in_range(sim_time_waits, 5, 6);
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

static void others_run_while_a_device_leaves(void **state)
{
	uint64_t before;

	(void)state;
	start(0, NO_FLOOR);
	go_to(RAM_FRAMES / 2);
	before = sim_time_waits;
	unplug(false);
	/* Eight batches of 256 frames a round. */
	assert_in_range(sim_time_waits - before, RAM_FRAMES / 2 / 2048 - 1,
			RAM_FRAMES / 2 / 2048 + 1);
	plug_again();
}

static void complete_some(void)
{
	sim_balloon_complete(&sim, 1);
}

static void a_device_that_leaves_is_waited_for_to_the_last_frame(void **state)
{
	uint64_t before;

	(void)state;
	start(0, NO_FLOOR);
	sim.keep_on_reset = true;
	go_to(1);
	sim.completion = SIM_BALLOON_ON_DEMAND;
	sim_time_on_wait = complete_some;
	before = sim_time_waits;
	unplug(false);
	sim_time_on_wait = NULL;
	/* One wait for the answer. */
	assert_int_equal(sim_time_waits - before, 1);
	assert_int_equal(sim.inflated, 0);
	assert_int_equal(sim_balloon_actual(&sim), 0);
	plug_again();
}

/* While it owes an answer there is nothing to do but to sleep. */
static void complete_after_a_while(void)
{
	if (sim_time_waits % 4 == 0)
		sim_balloon_complete(&sim, SIZE_MAX);
}

static void a_device_that_leaves_slowly_is_slept_for(void **state)
{
	uint64_t began;

	(void)state;
	start(0, NO_FLOOR);
	sim.keep_on_reset = true;
	go_to(1000);
	sim.completion = SIM_BALLOON_ON_DEMAND;
	began = clock_ns();
	sim_time_waits = 0;
	sim_time_on_wait = complete_after_a_while;
	unplug(false);
	sim_time_on_wait = NULL;
	/* After a round that sent something two waits are slept out, and the answer ends one. */
	assert_int_equal(sim_time_waits, 4);
	assert_in_range(clock_ns() - began, CLOCK_AWAKE_STEP_NS, CLOCK_AWAKE_STEP_NS + NS_PER_MS);
	assert_int_equal(sim.inflated, 0);
	plug_again();
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(reaches_every_target_exactly),
		TEST(follows_a_target_that_was_there_before_the_start),
		TEST(survives_random_targets),
		TEST(never_touches_a_frame_that_it_gives),
		TEST(writes_actual_seldom),
		TEST(writes_actual_four_times_a_second),
		TEST(what_is_finished_in_mid_round_is_not_slept_over),
		TEST(stops_at_the_floor_and_says_by_how_much),
		TEST(goes_on_when_memory_is_freed_or_the_floor_sinks),
		TEST(what_reclaim_reserves_is_left_free_too),
		TEST(whoever_can_free_memory_is_told_how_much_is_missing),
		TEST(an_absurd_target_is_a_shortfall),
		TEST(a_device_that_never_answers_is_given_up_after_two_seconds),
		TEST(a_device_that_asks_for_a_reset_gets_it_and_the_balloon_goes_on),
		TEST(resets_with_progress_between_them_are_not_in_a_row),
		TEST(resets_that_are_far_apart_are_not_in_a_row),
		TEST(counts_go_on_over_a_reset),
		TEST(a_reset_in_mid_inflation_loses_nothing),
		TEST(the_task_follows_whatever_happens_until_the_device_is_gone),
		TEST(others_run_between_the_rounds_of_the_task),
		TEST(a_device_that_leaves_gets_all_frames_deflated),
		TEST(others_run_while_a_device_leaves),
		TEST(a_device_that_leaves_in_mid_inflate_loses_nothing),
		TEST(a_device_that_leaves_is_waited_for_to_the_last_frame),
		TEST(a_device_that_leaves_slowly_is_slept_for),
		TEST(a_device_that_leaves_and_does_not_answer_is_not_waited_for_long),
		TEST(a_device_that_is_gone_leaves_its_frames),
	};

	return cmocka_run_group_tests_name("balloon", tests, set_up_ram, NULL);
}
