/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Rules of virtio 1.3, 5.5, that only a device which goes to its limits can show:
 * one that writes into all that it has, interrupts for nothing, is a legacy one,
 * or sits in a machine of more than 16 TiB.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "arch/paging.h"
#include "drivers/balloon/balloon_pages.h"
#include "drivers/balloon/balloon_stats.h"
#include "mm/poison.h"
#include "tests/unit/drivers/balloon/balloon_fixture.h"

#define POISON 0xa5

/* ---- A device that writes into all that it has ---- */

static uint64_t scribbled; /* frames */

/* It does so when it gets a frame, and again as the last thing before it lets go. */
static void scribble(pfn_t pfn, uint64_t frames, bool device)
{
	const pfn_t first = paddr_to_pfn(RAM_START);

	(void)device;
	if (pfn < first || frames > RAM_FRAMES || pfn - first > RAM_FRAMES - frames)
		return;
	memset(phys_to_virt(pfn_to_paddr(pfn)), 0x5e + (int)(scribbled % 7), frames * FRAME_SIZE);
	scribbled += frames;
}

static void start_scribbling(uint64_t features, bool poison)
{
	struct balloon_config config = { .poison = poison, .poison_byte = POISON };

	if (poison)
		poison_enable(POISON);
	plug_in(false, features | VIRTIO_BIT(VIRTIO_F_VERSION_1));
	sim.own = scribble;
	scribbled = 0;
	assert_int_equal(balloon_start(&config), 0);
}

/* 5.5.6.5.1: their content is undefined; and 2.7.8.3, as the device says that it wrote nothing. */
static void what_is_in_hinted_frames_means_nothing(void **state)
{
	uint64_t free_before;

	(void)state;
	start_scribbling(HINT, false);
	free_before = ledger_count(OWNER_FREE);
	for (uint32_t i = 0; i < 3; i++) {
		hint_round(ROUND + i);
		assert_true(ledger_count(OWNER_HINTED) > 0);
		assert_books();
		hint_round(1);
		assert_int_equal(ledger_count(OWNER_FREE), free_before);
	}
	assert_true(scribbled > 0);
	go_to(5000);
	assert_balloon(5000);
}

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
	assert_true(status().features & REPORTING);
	assert_false(status().features & PAGE_POISON);
	frame_set_poisoner(NULL);
}

/* 5.5.6.5.1: they are initialised if they go back before DONE. */
static void hinted_frames_hold_the_poison_if_they_go_back_early(void **state)
{
	static pfn_t pfns[RAM_FRAMES];
	uint8_t wanted[FRAME_SIZE];
	size_t count;

	(void)state;
	memset(wanted, POISON, sizeof(wanted));
	start_scribbling(HINT | PAGE_POISON, true);
	hint_round(ROUND);
	count = frame_collect(OWNER_HINTED, 0, RAM_FRAMES, pfns);
	assert_int_equal(count, ledger_count(OWNER_HINTED));
	assert_true(count > 0);
	assert_int_equal(balloon_reclaim(0), count);
	for (size_t i = 0; i < count; i++)
		assert_memory_equal(phys_to_virt(pfn_to_paddr(pfns[i])), wanted, FRAME_SIZE);
	frame_set_poisoner(NULL);
}

/* ---- One that interrupts for nothing ---- */

static unsigned idle_interrupts;

/* While the task waits: 99 times in mid-flight, then with nothing to do at all. */
static void interrupt_for_nothing(void)
{
	idle_interrupts++;
	assert_null(status().broken);
	if (idle_interrupts < 100)
		assert_int_equal(ledger_count(OWNER_IN_FLIGHT), 1000);
	if (idle_interrupts == 100) {
		sim_balloon_complete(&sim, SIZE_MAX);
	} else if (idle_interrupts < 200) {
		sim_virtio_interrupt(&sim.virtio, VIRTIO_ISR_QUEUE);
	} else {
		assert_balloon(1000);
		virtio_break(&sim.virtio.device, "end of test");
	}
}

/* 2.7.7.1 */
static void interrupts_for_nothing_are_endured(void **state)
{
	(void)state;
	idle_interrupts = 0;
	start(REPORTING | STATS_VQ | HINT, NO_FLOOR);
	balloon_set_strategy(BALLOON_PORTABLE);
	sim.completion = SIM_BALLOON_ON_DEMAND;
	sim_balloon_set_target(&sim, 1000);
	sim_time_on_wait = interrupt_for_nothing;
	sim_ram_task(NULL);
	sim_time_on_wait = NULL;
	assert_int_equal(idle_interrupts, 200);
}

/* ---- A legacy one ---- */

static unsigned writes_of_actual;

static void write_config(struct virtio_device *device, size_t offset, uint32_t value)
{
	size_t width = sizeof(value);

	if (offset < SIM_BALLOON_ACTUAL + sizeof(uint32_t) && offset + width > SIM_BALLOON_ACTUAL) {
		assert_int_equal(offset, SIM_BALLOON_ACTUAL);
		writes_of_actual++;
	}
	sim_virtio_config_write(sim_virtio_of(device), offset, (unsigned)width, value);
}

/* 5.5.6.2.1 */
static void actual_is_written_in_one_access_on_a_legacy_device(void **state)
{
	(void)state;
	plug_in(true, 0);
	sim.virtio.transport.config_write32 = write_config;
	writes_of_actual = 0;
	assert_int_equal(begin(NO_FLOOR), 0);
	go_to(5000);
	assert_balloon(5000);
	go_to(17);
	assert_balloon(17);
	assert_true(writes_of_actual >= 3);
}

/* 5.5.6.3.3: both sides of this test have the guest's endianness. */
static void statistics_are_right_on_a_legacy_device(void **state)
{
	struct wire_stat stats[BALLOON_STATS_MAX];
	size_t length;

	(void)state;
	plug_in(true, STATS_VQ);
	assert_int_equal(begin(NO_FLOOR), 0);
	assert_true(status().features & STATS_VQ);
	go_to(1000);
	/* The first answer is old: the buffer was filled at the start. */
	sim_balloon_ask_stats(&sim, stats, sizeof(stats));
	settle();
	length = sim_balloon_ask_stats(&sim, stats, sizeof(stats));
	settle();
	assert_true(length >= 2 * sizeof(stats[0]));
	assert_int_equal(stats[0].tag, 4);
	assert_int_equal(stats[0].value, ledger_count(OWNER_FREE) * FRAME_SIZE);
	assert_int_equal(stats[1].tag, 5);
	assert_int_equal(stats[1].value, (RAM_FRAMES - 1000) * FRAME_SIZE);
}

/* 5.5.6.5.3 */
static void a_round_goes_on_a_legacy_device(void **state)
{
	uint64_t blocks;

	(void)state;
	plug_in(true, HINT);
	assert_int_equal(begin(NO_FLOOR), 0);
	assert_true(status().features & HINT);
	blocks = frame_free_blocks();
	hint_round(ROUND);
	assert_int_equal(sim.hint_command_count, 2);
	assert_int_equal(sim.hint_commands[0], ROUND);
	assert_int_equal(sim.hint_commands[1], 0);
	assert_int_equal(sim.hinted, blocks * BLOCK_SIZE);
	hint_round(1);
	assert_int_equal(frame_free_blocks(), blocks);
}

/* ---- One in a machine of more than 16 TiB ---- */

#define AROUND_LIMIT (3 * BLOCK_FRAMES)

static int set_up_at_the_limit(void **state)
{
	(void)state;
	set_up_beside(BALLOON_PFN_LIMIT - AROUND_LIMIT, 2 * AROUND_LIMIT);
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
		assert_int_equal(frame_owner(BALLOON_PFN_LIMIT), OWNER_FREE);
		go_to(0);
		assert_balloon(0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_is_in_hinted_frames_means_nothing),
		TEST(what_is_in_reported_frames_means_nothing),
		TEST(frames_need_not_keep_the_poison_if_the_device_does_not_know_it),
		TEST(hinted_frames_hold_the_poison_if_they_go_back_early),
		TEST(interrupts_for_nothing_are_endured),
		TEST(actual_is_written_in_one_access_on_a_legacy_device),
		TEST(statistics_are_right_on_a_legacy_device),
		TEST(a_round_goes_on_a_legacy_device),
		cmocka_unit_test_setup_teardown(
			frames_whose_number_has_more_than_32_bits_are_not_given,
			set_up_at_the_limit, tear_down),
	};

	return cmocka_run_group_tests_name("balloon_rules", tests, set_up_ram, NULL);
}
