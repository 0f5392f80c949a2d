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

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(gives_whole_blocks_first),
		TEST(whole_block_buffers_hold_a_whole_block),
		TEST(a_queue_of_one_descriptor_is_slow_but_right),
	};

	return cmocka_run_group_tests_name("balloon_offer", tests, set_up_ram, NULL);
}
