/* SPDX-License-Identifier: BSD-2-Clause */
/* The inflate and deflate queues: page frame numbers on the wire. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "arch/paging.h"
#include "drivers/balloon/port/virtio_balloon_pages.h"
#include "mm/poison.h"
#include "tests/unit/drivers/balloon/balloon_fixture.h"

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
		end_driver();
		sim_balloon_fini(&sim);
	}
	start(0, NO_FLOOR);
}

/* 5.5.6.6.1: kernel/main.c turns on both, poison of freed frames and the bit. */
static void deflated_frames_hold_the_poison(void **state)
{
	struct balloon_config config = { .poison = true, .poison_byte = 0xa5 };
	uint8_t wanted[FRAME_SIZE];
	pfn_t pfns[1000];

	(void)state;
	memset(wanted, 0xa5, sizeof(wanted));
	plug_in(false, PAGE_POISON | VIRTIO_BIT(VIRTIO_F_VERSION_1));
	poison_enable(config.poison_byte);
	assert_int_equal(begin_with(&config), 0);
	go_to(ARRAY_SIZE(pfns));
	assert_int_equal(frame_collect(OWNER_BALLOON, 0, ARRAY_SIZE(pfns), pfns), ARRAY_SIZE(pfns));
	go_to(0);
	/* Those that are used at once, and those that the background comes to first. */
	for (size_t i = 0; i < ARRAY_SIZE(pfns); i += 2)
		assert_int_equal(frame_reserve(pfns[i], 1, OWNER_HEAP), 0);
	for (size_t i = 0; i < ARRAY_SIZE(pfns); i += 2)
		assert_memory_equal(phys_to_virt(pfn_to_paddr(pfns[i])), wanted, FRAME_SIZE);
	while (frame_fill_step())
		;
	for (size_t i = 1; i < ARRAY_SIZE(pfns); i += 2)
		assert_memory_equal(phys_to_virt(pfn_to_paddr(pfns[i])), wanted, FRAME_SIZE);
	frame_set_poisoner(NULL);
}

static uint64_t filled;

static void count_filled(pfn_t pfn, size_t count)
{
	(void)pfn;
	filled += count;
}

/* Or it would take eight times as long. */
static void deflating_writes_to_no_frame(void **state)
{
	(void)state;
	start(0, NO_FLOOR);
	frame_set_poisoner(count_filled);
	filled = 0;
	for (int i = 0; i < 3; i++) {
		go_to(10000);
		assert_balloon(10000);
		go_to(0);
		assert_balloon(0);
	}
	assert_int_equal(filled, 0);
	while (frame_fill_step())
		;
	assert_true(filled >= 10000);
	frame_set_poisoner(NULL);
}

/* ---- A machine of more than 16 TiB ---- */

#define AROUND_LIMIT (3 * BLOCK_FRAMES)

static int set_up_at_the_limit(void **state)
{
	(void)state;
	set_up_beside(VIRTIO_BALLOON_PFN_LIMIT - AROUND_LIMIT, 2 * AROUND_LIMIT);
	return 0;
}

/* 5.5.6: the device would take such a number for that of another frame. */
static void frames_whose_number_has_more_than_32_bits_are_not_given(void **state)
{
	static const enum balloon_strategy strategies[] = { BALLOON_PORTABLE, BALLOON_WHOLE_BLOCK,
							    BALLOON_RANGE_FIRST };

	(void)state;
	start(REPORTING, NO_FLOOR);
	for (size_t i = 0; i < ARRAY_SIZE(strategies); i++) {
		assert_int_equal(balloon_set_strategy(strategies[i]), 0);
		go_to(RAM_FRAMES + 2 * AROUND_LIMIT);
		assert_int_equal(ledger_count(OWNER_FREE), AROUND_LIMIT);
		assert_balloon(RAM_FRAMES + AROUND_LIMIT - ledger_count(OWNER_VIRTQUEUES));
		assert_true(sim_balloon_has(&sim, UINT32_MAX));
		assert_int_equal(frame_owner(VIRTIO_BALLOON_PFN_LIMIT), OWNER_FREE);
		go_to(0);
		assert_balloon(0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(used_lengths_mean_nothing),
		TEST(deflated_frames_hold_the_poison),
		TEST(deflating_writes_to_no_frame),
		cmocka_unit_test_setup_teardown(
			frames_whose_number_has_more_than_32_bits_are_not_given,
			set_up_at_the_limit, tear_down),
	};

	return cmocka_run_group_tests_name("virtio_balloon_pages", tests, set_up_ram, NULL);
}
