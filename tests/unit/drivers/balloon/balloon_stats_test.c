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

/* Each figure another one, so that none can stand for its neighbour. */
static void statistics_tell_failures_from_stalls_and_frames(void **state)
{
	(void)state;
	start(STATS_VQ | DEFLATE_ON_OOM, NO_FLOOR);
	go_to(1000);
	exhaust();
	allocate(3, -ENOMEM); /* nobody is asked */
	frame_set_reclaimer(balloon_reclaim);
	allocate(5, 0);
	assert_int_equal(frame_free_owned(OWNER_HELD, 100), 100);
	allocate(100, 0); /* of what is free, which is no stall */
	allocate(2, 0);
	frame_set_reclaimer(NULL);
	ask(10);
	assert_int_equal(ask(10), 3);
	assert_int_equal(ask(11), 7);
	assert_int_equal(ask(13), status().oom_frames);
	assert_int_equal(ask(15), status().oom_frames);
	assert_int_equal(status().oom_frames, 7);
	assert_int_equal(ask(8), 0);
	assert_int_equal(ask(9), 0);
	assert_int_equal(ask(6), ledger_count(OWNER_FREE) * FRAME_SIZE);
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
		TEST(statistics_tell_failures_from_stalls_and_frames),
		TEST(without_the_queue_there_are_no_statistics),
	};

	return cmocka_run_group_tests_name("balloon_stats", tests, set_up_ram, NULL);
}
