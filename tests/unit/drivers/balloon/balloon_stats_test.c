/* SPDX-License-Identifier: BSD-2-Clause */
/* What is counted for the host, as it comes out at the device. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>

#include "drivers/balloon/balloon_reclaim.h"
#include "drivers/balloon/balloon_stats.h"
#include "mm/vm_events.h"
#include "tests/unit/drivers/balloon/balloon_fixture.h"

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

static void allocate(unsigned times, int result)
{
	pfn_t pfn;

	for (unsigned i = 0; i < times; i++)
		assert_int_equal(frame_alloc(0, OWNER_HELD, &pfn), result);
}

/* The reclaimer is asked for each of them, and the balloon helps. Nothing was scanned. */
static void frames_out_of_the_balloon_are_stalls_and_no_scans(void **state)
{
	uint64_t balloon_stalls = vm_events.balloon_stalls, stalls;

	(void)state;
	start(STATS_VQ | DEFLATE_ON_OOM, NO_FLOOR);
	go_to(1000);
	exhaust();
	ask(11);
	stalls = ask(11);
	allocate(3, -ENOMEM); /* nobody is asked */
	frame_set_reclaimer(balloon_reclaim);
	allocate(5, 0);
	assert_int_equal(frame_free_owned(OWNER_HELD, 100), 100);
	allocate(100, 0); /* of what is free, which is no stall */
	allocate(2, 0);
	frame_set_reclaimer(NULL);
	ask(11);
	assert_int_equal(ask(11), stalls + 7);
	assert_int_equal(vm_events.balloon_stalls, balloon_stalls + 7);
	assert_int_equal(status().oom_frames, 7);
	for (uint16_t tag = 12; tag < 16; tag++)
		assert_int_equal(ask(tag), 0);
	assert_int_equal(ask(8), 0);
	assert_int_equal(ask(9), 0);
	assert_int_equal(ask(10), 0); /* nobody was killed */
	assert_int_equal(ask(6), ledger_count(OWNER_FREE) * FRAME_SIZE);
}

/* Each figure another one, so that none can stand for its neighbour. */
static void every_figure_of_the_books_has_its_tag(void **state)
{
	const struct vm_events before = vm_events;

	(void)state;
	start(STATS_VQ, NO_FLOOR);
	vm_events = (struct vm_events){
		.swap_in_bytes = 40960,
		.swap_out_bytes = 8192,
		.major_faults = 102,
		.faults = 103,
		.oom_kills = 110,
		.stalls = 111,
		.async_scanned = 112,
		.direct_scanned = 113,
		.async_reclaimed = 114,
		.direct_reclaimed = 115,
		.refaults = 1,
		.limit_stalls = 2,
		.balloon_stalls = 3,
		.disk_stalls = 4,
		.cached = 107,
		.dirty = 6,
		.anonymous = 7,
		.swapped = 8,
		.swap_total = 9,
		.reserve = 10,
	};
	ask(0);
	assert_int_equal(ask(0), 40960);
	assert_int_equal(ask(1), 8192);
	assert_int_equal(ask(2), 102);
	assert_int_equal(ask(3), 103);
	assert_int_equal(ask(4), ledger_count(OWNER_FREE) * FRAME_SIZE);
	assert_int_equal(ask(5), RAM_FRAMES * FRAME_SIZE);
	/* But for the reserve, and as many clean pages. */
	assert_int_equal(ask(6), (ledger_count(OWNER_FREE) - 10 + (101 - 10)) * FRAME_SIZE);
	assert_int_equal(ask(7), 107 * FRAME_SIZE);
	assert_int_equal(ask(10), 110);
	assert_int_equal(ask(11), 111);
	assert_int_equal(ask(12), 112 * FRAME_SIZE);
	assert_int_equal(ask(13), 113 * FRAME_SIZE);
	assert_int_equal(ask(14), 114 * FRAME_SIZE);
	assert_int_equal(ask(15), 115 * FRAME_SIZE);
	vm_events = before;
}

static void without_the_queue_there_are_no_statistics(void **state)
{
	struct balloon_stat stats[BALLOON_STATS_MAX];
	uint64_t requests, time;

	(void)state;
	start(0, NO_FLOOR);
	assert_int_equal(balloon_stats_last(stats, &requests, &time), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(statistics_are_those_of_the_moment_that_the_host_asks),
		TEST(statistics_count_ballooned_memory_by_the_mode),
		TEST(statistics_count_blocks_that_were_had_and_not),
		TEST(frames_out_of_the_balloon_are_stalls_and_no_scans),
		TEST(every_figure_of_the_books_has_its_tag),
		TEST(without_the_queue_there_are_no_statistics),
	};

	return cmocka_run_group_tests_name("balloon_stats", tests, set_up_ram, NULL);
}
