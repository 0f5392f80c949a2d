/* SPDX-License-Identifier: BSD-2-Clause */
/* The statistics queue: one buffer, always with the device. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/drivers/balloon/balloon_fixture.h"

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

/* Once more at the end is the same entry once more. */
static void assert_all_sixteen(const struct wire_stat *stats, size_t count)
{
	assert_int_equal(count, 18);
	for (size_t i = 0; i < 16; i++)
		assert_int_equal(stats[i].tag, i);
	assert_memory_equal(&stats[16], &stats[0], 2 * sizeof(stats[0]));
}

/* 5.5.6.3.1: each report has the same tags, and a length that is a multiple of 6. */
static void every_report_has_the_same_statistics(void **state)
{
	struct wire_stat first[WIRE_STATS_MAX], next[WIRE_STATS_MAX];
	size_t length;

	(void)state;
	start(STATS_VQ | DEFLATE_ON_OOM, NO_FLOOR);
	length = sim_balloon_ask_stats(&sim, first, sizeof(first));
	assert_int_equal(length % 6, 0);
	assert_all_sixteen(first, length / sizeof(first[0]));
	for (uint64_t target = 0; target <= 6000; target += 2000) {
		go_to(target);
		assert_int_equal(sim_balloon_ask_stats(&sim, next, sizeof(next)), length);
		assert_all_sixteen(next, length / sizeof(next[0]));
	}
	settle();
}

/* 5.5.6.3.3: both sides of this test have the guest's endianness. */
static void statistics_are_right_on_a_legacy_device(void **state)
{
	struct wire_stat stats[WIRE_STATS_MAX];
	size_t length;

	(void)state;
	plug_in(true, STATS_VQ);
	assert_int_equal(begin(NO_FLOOR), 0);
	assert_true(sim.virtio.device.accepted & STATS_VQ);
	go_to(1000);
	/* The first answer is old: the buffer was filled at the start. */
	sim_balloon_ask_stats(&sim, stats, sizeof(stats));
	settle();
	length = sim_balloon_ask_stats(&sim, stats, sizeof(stats));
	settle();
	assert_all_sixteen(stats, length / sizeof(stats[0]));
	assert_int_equal(stats[4].value, ledger_count(OWNER_FREE) * FRAME_SIZE);
	assert_int_equal(stats[5].value, (RAM_FRAMES - 1000) * FRAME_SIZE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(one_statistics_buffer_is_with_the_device_from_the_start),
		TEST(every_report_has_the_same_statistics),
		TEST(statistics_are_right_on_a_legacy_device),
	};

	return cmocka_run_group_tests_name("virtio_balloon_stats", tests, set_up_ram, NULL);
}
