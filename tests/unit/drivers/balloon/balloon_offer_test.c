/* SPDX-License-Identifier: BSD-2-Clause */
/* Which frames are offered: whole blocks first. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "drivers/balloon/port/virtio_balloon_pages.h"
#include "tests/unit/drivers/balloon/balloon_fixture.h"

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
	assert_int_equal(sim.largest[SIM_BALLOON_INFLATE], VIRTIO_BALLOON_BUFFER_PORTABLE);
	assert_int_equal(frame_free(single, 1, OWNER_KERNEL), 0);
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

/* And no frame is counted that was not offered. */
static void three_blocks_are_six_buffers_of_page_numbers(void **state)
{
	(void)state;
	start(0, NO_FLOOR);
	go_to(3 * BLOCK_FRAMES);
	assert_balloon(3 * BLOCK_FRAMES);
	assert_int_equal(sim.buffers[SIM_BALLOON_INFLATE], 6);
	assert_int_equal(sim.pfns[SIM_BALLOON_INFLATE], 3 * BLOCK_FRAMES);
}

/* The two fill it. */
static void a_queue_of_two_takes_a_block(void **state)
{
	(void)state;
	plug_in(false, VIRTIO_BIT(VIRTIO_F_VERSION_1));
	sim.virtio.queue[0].size_max = sim.virtio.queue[1].size_max = 2;
	assert_int_equal(begin(NO_FLOOR), 0);
	assert_int_equal(frame_reserve(paddr_to_pfn(RAM_START) + 20 * BLOCK_FRAMES, 1, OWNER_HELD),
			 0);
	assert_int_equal(frame_free_blocks(), RAM_FRAMES / BLOCK_FRAMES - 2);
	go_to(BLOCK_FRAMES);
	assert_balloon(BLOCK_FRAMES);
	assert_int_equal(frame_free_blocks(), RAM_FRAMES / BLOCK_FRAMES - 3);
}

static void use_queues_of(uint16_t size, uint64_t features)
{
	uint64_t blocks;

	plug_in(false, features | STATS_VQ | REPORTING | VIRTIO_BIT(VIRTIO_F_VERSION_1));
	for (unsigned q = 0; q <= sim.report_queue; q++)
		sim.virtio.queue[q].size_max = size;
	assert_int_equal(begin(NO_FLOOR), 0);
	go_to(3000);
	assert_balloon(3000);
	ask(4);
	assert_int_equal(ask(4), ledger_count(OWNER_FREE) * FRAME_SIZE);
	blocks = frame_free_blocks() * BLOCK_SIZE + sim.reported;
	be_quiet();
	assert_int_equal(sim.reported, blocks);
	go_to(1);
	assert_balloon(1);
	for (unsigned q = 0; q <= sim.report_queue; q++)
		assert_int_equal(sim.virtio.queue[q].size, size);
	tear_down(NULL);
	set_up(NULL);
}

static void small_queues_are_slow_but_right(void **state)
{
	static const uint16_t sizes[] = { 1, 2, 4, 8 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		use_queues_of(sizes[i], 0);
		use_queues_of(sizes[i], VIRTIO_BIT(VIRTIO_F_RING_PACKED));
	}
	use_queues_of(3, VIRTIO_BIT(VIRTIO_F_RING_PACKED));
	start(0, NO_FLOOR);
}

/* What a device got in one round, before others had their turn. */
struct round {
	uint64_t pfns[2];  /* by queue */
	uint64_t reported; /* bytes */
};

/* Goes to a target, round by round, and notes the largest. */
static void watch_rounds(uint64_t target, struct round *most)
{
	bool more = true;

	*most = (struct round){ 0 };
	sim_balloon_set_target(&sim, (uint32_t)target);
	while (more) {
		struct round before = { { sim.pfns[0], sim.pfns[1] }, sim.reported };

		more = balloon_step();
		for (unsigned q = 0; q < 2; q++)
			most->pfns[q] = max_u64(most->pfns[q], sim.pfns[q] - before.pfns[q]);
		most->reported = max_u64(most->reported, sim.reported - before.reported);
	}
	assert_balloon(target);
}

/* The device works within the notification, so that nobody else runs meanwhile. */
static void a_round_is_bounded_with_each_strategy(void **state)
{
	static const struct {
		enum balloon_strategy strategy;
		struct round most;
		uint64_t deflated;
	} cases[] = {
		{ BALLOON_PORTABLE, { { 8 * 256 }, 0 }, 8 * 256 },
		{ BALLOON_WHOLE_BLOCK, { { 8 * 512 }, 0 }, 8 * 512 },
		/* 40 MiB are less than a request may have. */
		{ BALLOON_RANGE_FIRST, { { 8 * 256 }, 40 * MIB }, 8 * 256 },
	};

	(void)state;
	start(REPORTING, NO_FLOOR);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct round most;

		assert_int_equal(balloon_set_strategy(cases[i].strategy), 0);
		watch_rounds(20 * BLOCK_FRAMES, &most);
		assert_int_equal(most.pfns[0], cases[i].most.pfns[0]);
		assert_int_equal(most.reported, cases[i].most.reported);
		watch_rounds(0, &most);
		assert_int_equal(most.pfns[1], cases[i].deflated);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(gives_whole_blocks_first),
		TEST(whole_block_buffers_hold_a_whole_block),
		TEST(three_blocks_are_six_buffers_of_page_numbers),
		TEST(a_queue_of_two_takes_a_block),
		TEST(small_queues_are_slow_but_right),
		TEST(a_round_is_bounded_with_each_strategy),
	};

	return cmocka_run_group_tests_name("balloon_offer", tests, set_up_ram, NULL);
}
