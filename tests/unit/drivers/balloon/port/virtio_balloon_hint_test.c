/* SPDX-License-Identifier: BSD-2-Clause */
/* The hinting queue: rounds, their ids, and frames that come back when all is said. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "arch/paging.h"
#include "drivers/balloon/port/virtio_balloon_hint.h"
#include "tests/unit/drivers/balloon/balloon_fixture.h"

/* ---- Rounds ---- */

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

static bool changes; /* while its id is read */

static uint32_t read_id_that_changes(struct virtio_device *device, size_t offset)
{
	uint32_t value = sim_virtio_config_read(&sim.virtio, offset, sizeof(value));

	(void)device;
	if (offset == SIM_BALLOON_HINT_ID && changes) {
		sim.virtio.generation++;
		changes = false;
	}
	return value;
}

/* The interrupt of a change that was seen already comes when QEMU has STOP there. */
static void check_late_interrupt(bool shared)
{
	uint64_t blocks;

	start(HINT, NO_FLOOR);
	blocks = frame_free_blocks();
	sim.completion = SIM_BALLOON_ON_DEMAND;
	sim.virtio.device.shared_interrupt = shared;
	sim.virtio.transport.config_read32 = read_id_that_changes;
	changes = true;
	sim_balloon_set_hint_id(&sim, ROUND);
	balloon_step();
	assert_false(changes);
	memset(sim.virtio.config + SIM_BALLOON_HINT_ID, 0, sizeof(uint32_t));
	sim.virtio.device.config_changed = true;
	settle();
	for (int i = 0; i < 100; i++) {
		sim_balloon_complete(&sim, 1);
		settle();
	}
	assert_int_equal(sim.hinted, blocks * BLOCK_SIZE);
}

static void a_late_interrupt_does_not_end_a_round(void **state)
{
	check_late_interrupt(true);
	tear_down(state);
	set_up(state);
	check_late_interrupt(false);
}

/* The first interrupt of all is about something else, and the id comes before it is read. */
static uint32_t read_target_when_a_round_begins(struct virtio_device *device, size_t offset)
{
	uint32_t value = sim_virtio_config_read(&sim.virtio, offset, sizeof(value));

	(void)device;
	if (offset == SIM_BALLOON_NUM_PAGES && changes) {
		changes = false;
		sim_balloon_set_hint_id(&sim, ROUND);
	}
	return value;
}

static void the_second_change_ever_does_not_end_its_round(void **state)
{
	uint64_t blocks;

	(void)state;
	start(HINT, NO_FLOOR);
	blocks = frame_free_blocks();
	sim.completion = SIM_BALLOON_ON_DEMAND;
	sim.virtio.transport.config_read32 = read_target_when_a_round_begins;
	changes = true;
	sim_balloon_set_hint_id(&sim, 0);
	balloon_step();
	assert_false(changes);
	assert_true(sim.virtio.device.config_changed);
	memset(sim.virtio.config + SIM_BALLOON_HINT_ID, 0, sizeof(uint32_t));
	settle();
	for (int i = 0; i < 100; i++) {
		sim_balloon_complete(&sim, 1);
		settle();
	}
	assert_int_equal(sim.hinted, blocks * BLOCK_SIZE);
}

/* As on a host that counts from 0 where the guest came from another. */
static void change_id_unseen(uint32_t id)
{
	uint8_t generation = sim.virtio.generation;

	sim_balloon_set_hint_id(&sim, id);
	sim.virtio.generation = generation;
	settle();
}

static void an_id_and_done_are_seen_by_themselves(void **state)
{
	(void)state;
	start(HINT, NO_FLOOR);
	hint_round(ROUND);
	hint_round(ROUND + 1);
	change_id_unseen(ROUND + 2);
	assert_int_equal(sim.hint_command_count, 6);
	assert_true(ledger_count(OWNER_HINTED) > 0);
	change_id_unseen(1);
	assert_int_equal(ledger_count(OWNER_HINTED), 0);
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

static void a_hint_that_is_forgotten_is_noticed_two_seconds_after_it_was_sent(void **state)
{
	(void)state;
	start(HINT, NO_FLOOR);
	sim.completion = SIM_BALLOON_ON_DEMAND;
	hint_round(ROUND);
	assert_true(sim.pending_count >= 4);
	/* The others are answered one by one, the last of them a tenth before the end. */
	sim.pending[1] = sim.pending[--sim.pending_count];
	for (int i = 0; i < 19; i++) {
		sim_time_advance(NS_PER_S / 10);
		if (i % 8 == 0 || i > 16)
			sim_balloon_complete(&sim, i > 16 ? SIZE_MAX : 1);
		settle();
		assert_null(status().broken);
	}
	assert_int_equal(sim.pending_count, 0);
	sim_time_advance(NS_PER_S / 10 + NS_PER_MS);
	settle();
	assert_non_null(status().broken);
	assert_int_equal(ledger_count(OWNER_IN_FLIGHT) + ledger_count(OWNER_HINTED), 0);
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
	drain();
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
	drain();
	assert_int_equal(sim.hint_command_count, 2);
	assert_int_equal(sim.hinted, blocks * BLOCK_SIZE);
	sim_balloon_set_hint_id(&sim, ROUND + 1);
	drain();
	assert_int_equal(sim.hinted, 2 * blocks * BLOCK_SIZE);
	hint_round(1);
	assert_int_equal(ledger_count(OWNER_HINTED), 0);
}

/* It waits for its descriptor, whatever is said meanwhile, and is said once. */
static void stop_that_waits_is_not_forgotten(void **state)
{
	(void)state;
	plug_in(false, HINT | VIRTIO_BIT(VIRTIO_F_VERSION_1));
	sim.virtio.queue[sim.hint_queue].size_max = 1;
	assert_int_equal(begin(NO_FLOOR), 0);
	sim.completion = SIM_BALLOON_ON_DEMAND;
	hint_round(ROUND);
	sim_balloon_complete(&sim, 1);
	settle();
	assert_true(ledger_count(OWNER_IN_FLIGHT) > 0);
	for (int i = 0; i < 3; i++)
		hint_round(0);
	drain();
	assert_int_equal(sim.hint_command_count, 2);
	assert_int_equal(sim.hint_commands[1], 0);
}

/* A round runs, of which the device answers when it is told to. Returns the frames free before. */
static uint64_t start_round(void)
{
	uint64_t free_before;

	start(HINT, NO_FLOOR);
	free_before = ledger_count(OWNER_FREE);
	sim.completion = SIM_BALLOON_ON_DEMAND;
	hint_round(ROUND);
	return free_before;
}

static void a_driver_that_ends_in_mid_round_keeps_nothing(void **state)
{
	uint64_t answers;

	(void)state;
	/* With the device are the command and all of the hints; then the first ones are not. */
	for (answers = 0; answers < 4; answers++) {
		start_round();
		sim_balloon_complete(&sim, answers);
		balloon_step();
		assert_true(ledger_count(OWNER_IN_FLIGHT) > 0);
		end_driver();
		assert_int_equal(ledger_count(OWNER_FREE), RAM_FRAMES);
		tear_down(NULL);
		set_up(NULL);
	}
	start(HINT, NO_FLOOR);
}

static void stop_in_mid_round_ends_the_hints(void **state)
{
	uint64_t free_before = start_round();

	(void)state;
	hint_round(0);
	drain();
	assert_int_equal(sim.hint_commands[sim.hint_command_count - 1], 0);
	hint_round(1);
	assert_int_equal(ledger_count(OWNER_FREE), free_before);
}

static void a_new_id_in_mid_round_begins_a_new_round(void **state)
{
	uint64_t free_before = start_round();

	(void)state;
	hint_round(ROUND + 1);
	drain();
	/* All blocks of the first round were with the device, and its STOP. */
	assert_int_equal(sim.hint_commands[0], ROUND);
	assert_int_equal(sim.hint_commands[1], 0);
	assert_int_equal(sim.hint_commands[2], ROUND + 1);
	hint_round(1);
	assert_int_equal(ledger_count(OWNER_FREE), free_before);
}

static void done_does_not_free_what_the_device_still_has(void **state)
{
	uint64_t free_before = start_round();

	(void)state;
	sim_balloon_complete(&sim, 3);
	hint_round(1);
	assert_true(ledger_count(OWNER_IN_FLIGHT) > 0);
	assert_true(ledger_count(OWNER_FREE) < free_before);
	drain();
	assert_int_equal(ledger_count(OWNER_FREE), free_before);
}

/* 5.5.6.5.3 */
static void a_round_goes_on_a_legacy_device(void **state)
{
	uint64_t blocks;

	(void)state;
	plug_in(true, HINT);
	assert_int_equal(begin(NO_FLOOR), 0);
	assert_true(sim.virtio.device.accepted & HINT);
	blocks = frame_free_blocks();
	hint_round(ROUND);
	assert_int_equal(sim.hint_command_count, 2);
	assert_int_equal(sim.hint_commands[0], ROUND);
	assert_int_equal(sim.hint_commands[1], 0);
	assert_int_equal(sim.hinted, blocks * BLOCK_SIZE);
	hint_round(1);
	assert_int_equal(frame_free_blocks(), blocks);
}

/* ---- A device that writes into all that it has ---- */

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
		assert_int_equal(frame_reserve(pfns[i], 1, OWNER_HELD), 0);
	for (size_t i = 0; i < count; i++)
		assert_memory_equal(phys_to_virt(pfn_to_paddr(pfns[i])), wanted, FRAME_SIZE);
	frame_set_poisoner(NULL);
}

static void hinted_frames_hold_the_poison_some_time_after_done(void **state)
{
	static pfn_t pfns[RAM_FRAMES];
	uint8_t wanted[FRAME_SIZE];
	size_t count;

	(void)state;
	memset(wanted, POISON, sizeof(wanted));
	start_scribbling(HINT | PAGE_POISON, true);
	hint_round(ROUND);
	count = frame_collect(OWNER_HINTED, 0, RAM_FRAMES, pfns);
	assert_true(count > 0);
	hint_round(1);
	while (frame_fill_step())
		;
	for (size_t i = 0; i < count; i++)
		assert_memory_equal(phys_to_virt(pfn_to_paddr(pfns[i])), wanted, FRAME_SIZE);
	assert_books();
	frame_set_poisoner(NULL);
}

/* ---- Rounds that follow rounds ---- */

static uint64_t filled;

static void count_filled(pfn_t pfn, size_t count)
{
	(void)pfn;
	filled += count;
}

/* Or the host has to send them again, and the move does not end. */
static void a_round_after_a_round_writes_to_no_frame(void **state)
{
	(void)state;
	start(HINT, NO_FLOOR);
	frame_set_poisoner(count_filled);
	filled = 0;
	for (uint32_t i = 0; i < 5; i++) {
		hint_round(ROUND + i);
		assert_true(ledger_count(OWNER_HINTED) > 0);
		assert_false(frame_fill_step());
	}
	assert_int_equal(filled, 0);
	hint_round(1);
	while (frame_fill_step())
		;
	assert_int_equal(filled, sim.hinted / FRAME_SIZE / 5);
	frame_set_poisoner(NULL);
}

/* Nobody else gets them in between, and blocks that became free meanwhile are hinted, too. */
static void a_round_after_a_round_hints_the_same_blocks_and_frees_none(void **state)
{
	uint64_t events, blocks;
	pfn_t pfn;

	(void)state;
	start(HINT, NO_FLOOR);
	assert_int_equal(frame_alloc(BLOCK_ORDER, OWNER_HELD, &pfn), 0);
	blocks = frame_free_blocks();
	hint_round(ROUND);
	assert_int_equal(sim.hinted, blocks * BLOCK_SIZE);
	assert_int_equal(frame_free(pfn, BLOCK_FRAMES, OWNER_HELD), 0);
	events = frame_unreported_events();
	sim.hinted = 0;
	hint_round(ROUND + 1);
	assert_int_equal(sim.hinted, (blocks + 1) * BLOCK_SIZE);
	assert_int_equal(frame_unreported_events(), events);
	assert_int_equal(ledger_count(OWNER_HINTED), (blocks + 1) * BLOCK_FRAMES);
	assert_books();
}

/* What memory pressure took is not hinted, and what it gave back is, once. */
static void a_round_goes_on_when_its_blocks_were_taken_back(void **state)
{
	uint64_t blocks, free_before = start_round();

	(void)state;
	blocks = frame_free_blocks() + ledger_count(OWNER_IN_FLIGHT) / BLOCK_FRAMES;
	drain();
	hint_round(ROUND + 1);
	sim_balloon_complete(&sim, 2);
	settle();
	assert_true(balloon_reclaim(0) > 0);
	drain();
	hint_round(ROUND + 2);
	sim.hinted = 0;
	drain();
	assert_int_equal(sim.hinted, blocks * BLOCK_SIZE);
	hint_round(1);
	drain();
	assert_int_equal(ledger_count(OWNER_FREE), free_before);
}

/* A device that goes, and one that is reset in mid-round, pause nothing any more. */
static void filling_goes_on_when_the_device_is_gone(void **state)
{
	(void)state;
	start(HINT, NO_FLOOR);
	frame_set_poisoner(count_filled);
	hint_round(ROUND);
	assert_false(frame_fill_step());
	end_driver();
	assert_true(frame_fill_step());
	frame_set_poisoner(NULL);
}

/* What the guest itself frees meanwhile is left as it is, and the next round hints it. */
static void nothing_is_filled_while_a_guest_moves(void **state)
{
	pfn_t pfn;

	(void)state;
	start(HINT, NO_FLOOR);
	frame_set_poisoner(count_filled);
	filled = 0;
	assert_int_equal(frame_alloc(BLOCK_ORDER, OWNER_HELD, &pfn), 0);
	hint_round(ROUND);
	hint_round(0);
	assert_int_equal(frame_free(pfn, BLOCK_FRAMES, OWNER_HELD), 0);
	assert_false(frame_has_unfilled());
	assert_false(frame_fill_step());
	assert_int_equal(filled, 0);
	hint_round(1);
	assert_true(frame_fill_step());
	frame_set_poisoner(NULL);
}

static void hints_of_the_next_device_are_counted_anew(void **state)
{
	uint64_t frames, rounds;

	(void)state;
	start(HINT, NO_FLOOR);
	hint_round(ROUND);
	hint_round(1);
	virtio_balloon_hint_counts(&frames, &rounds);
	assert_true(frames > 0);
	assert_int_equal(rounds, 1);
	end_driver();
	assert_int_equal(begin(NO_FLOOR), 0);
	virtio_balloon_hint_counts(&frames, &rounds);
	assert_int_equal(frames, 0);
	assert_int_equal(rounds, 0);
}

/* What it has returned is the guest's, and nobody waits for a move that it was part of. */
static void a_device_that_never_ends_its_reset_keeps_no_hinted_frame(void **state)
{
	pfn_t pfn;

	(void)state;
	start(HINT | DEFLATE_ON_OOM, NO_FLOOR);
	frame_set_poisoner(count_filled);
	hint_round(ROUND);
	assert_true(ledger_count(OWNER_HINTED) > 0);
	assert_int_equal(frame_alloc(0, OWNER_HELD, &pfn), 0);
	hint_round(0);
	assert_true(frame_filling_is_paused());
	sim.completion = SIM_BALLOON_NEVER;
	sim.virtio.slow_reset = SIM_VIRTIO_FOR_EVER;
	go_to(100);
	sim_time_advance(BALLOON_DEADLINE_NS + NS_PER_MS);
	settle();
	assert_non_null(status().broken);
	assert_int_equal(ledger_count(OWNER_HINTED), 0);
	assert_false(frame_filling_is_paused());
	assert_int_equal(frame_free(pfn, 1, OWNER_HELD), 0);
	frame_set_poisoner(NULL);
}

static void a_device_that_never_ends_its_reset_is_pulled_out(void **state)
{
	(void)state;
	start(HINT, NO_FLOOR);
	frame_set_poisoner(count_filled);
	hint_round(ROUND);
	sim.virtio.slow_reset = SIM_VIRTIO_FOR_EVER;
	end_driver();
	assert_int_equal(ledger_count(OWNER_HINTED), 0);
	assert_false(frame_filling_is_paused());
	frame_set_poisoner(NULL);
}

/* ---- One buffer of many ---- */

/* Brings the device to have one buffer and no other: the id, a hint, or STOP. */
static void leave_the_id(void)
{
	balloon_set_floor(RAM_FRAMES);
	sim_balloon_set_hint_id(&sim, ROUND);
	balloon_step();
}

static void leave_the_first_hint(void)
{
	hint_round(ROUND);
	sim_balloon_complete(&sim, 1);
	while (sim.pending_count > 1)
		sim.pending[1] = sim.pending[--sim.pending_count];
}

static void leave_a_late_hint(void)
{
	hint_round(ROUND);
	sim_balloon_complete(&sim, sim.pending_count - 2);
	sim.pending_count = 1;
}

static void leave_stop(void)
{
	hint_round(ROUND);
	sim_balloon_complete(&sim, sim.pending_count - 1);
}

/* The others are answered, STOP included. */
static void leave_only_the_first_hint(void)
{
	hint_round(ROUND);
	sim_balloon_complete(&sim, 1);
	for (int i = 0; i < 2; i++) {
		sim.pending[sim.pending_count] = sim.pending[0];
		for (size_t j = 0; j < sim.pending_count; j++)
			sim.pending[j] = sim.pending[j + 1];
		sim_balloon_complete(&sim, sim.pending_count - 1);
		settle();
	}
	assert_int_equal(sim.pending_count, 1);
}

static void (*const leave_one[])(void) = { leave_the_id, leave_the_first_hint,
					   leave_only_the_first_hint, leave_a_late_hint,
					   leave_stop };

static void each_single_buffer_that_is_forgotten_is_noticed(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(leave_one); i++) {
		start(HINT, NO_FLOOR);
		sim.completion = SIM_BALLOON_ON_DEMAND;
		leave_one[i]();
		settle();
		sim.completion = SIM_BALLOON_NEVER;
		sim.pending_count = 0;
		sim_time_advance(BALLOON_DEADLINE_NS - NS_PER_MS);
		settle();
		assert_null(status().broken);
		sim_time_advance(2 * NS_PER_MS);
		settle();
		assert_string_equal(status().broken, "no answer within 2 s");
		assert_int_equal(ledger_count(OWNER_IN_FLIGHT) + ledger_count(OWNER_HINTED), 0);
		if (i + 1 < ARRAY_SIZE(leave_one)) {
			tear_down(state);
			set_up(state);
		}
	}
}

/* Once a second, and not more often: a notification is expensive. */
static void a_device_is_reminded_of_each_buffer_after_a_second(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(leave_one); i++) {
		uint64_t notified;

		start(HINT, NO_FLOOR);
		sim.completion = SIM_BALLOON_ON_DEMAND;
		leave_one[i]();
		settle();
		sim_time_step_ns = 0;
		notified = sim.virtio.queue[sim.hint_queue].notified;
		sim_time_advance(VIRTIO_DEADLINE_NS / 2 - NS_PER_MS);
		settle();
		assert_int_equal(sim.virtio.queue[sim.hint_queue].notified, notified);
		sim_time_advance(2 * NS_PER_MS);
		settle();
		assert_int_equal(sim.virtio.queue[sim.hint_queue].notified, notified + 1);
		sim_time_advance(VIRTIO_DEADLINE_NS / 2 - 2 * NS_PER_MS);
		settle();
		assert_int_equal(sim.virtio.queue[sim.hint_queue].notified, notified + 1);
		if (i + 1 < ARRAY_SIZE(leave_one)) {
			tear_down(state);
			set_up(state);
		}
	}
}

static void a_new_round_waits_for_the_last_buffer_of_the_old_one(void **state)
{
	start_round();
	(void)state;
	sim_balloon_complete(&sim, sim.pending_count - 1);
	settle();
	assert_int_equal(ledger_count(OWNER_IN_FLIGHT), 0); /* STOP is left */
	sim_balloon_complete(&sim, sim.pending_count - 1);
	hint_round(ROUND + 1);
	assert_int_equal(sim.pending_count, 1);
	assert_int_equal(sim.hint_command_count, 1);
	drain();
	assert_int_equal(sim.hint_commands[2], ROUND + 1);
	assert_int_equal(sim.hint_command_count, 4);
}

static unsigned interrupts;

static void count_interrupt(struct sim_virtio *virtio)
{
	interrupts++;
	virtio_interrupt(&virtio->device, sim_virtio_read_isr(virtio));
}

/* From QEMU 7.2's hinting thread one would be its end. */
static void the_hinting_queue_never_interrupts(void **state)
{
	start_round();
	(void)state;
	sim.virtio.raise = count_interrupt;
	interrupts = 0;
	while (sim.pending_count > 0) {
		sim_balloon_complete(&sim, SIZE_MAX);
		settle();
	}
	assert_int_equal(sim.hint_command_count, 2);
	assert_int_equal(interrupts, 0);
}

/* Memory that was used before: what a command says is written, and not found there. */
static void commands_are_right_in_memory_that_was_used(void **state)
{
	(void)state;
	memset((void *)(uintptr_t)RAM_START, 0xee, RAM_FRAMES * FRAME_SIZE);
	start(HINT, NO_FLOOR);
	hint_round(ROUND);
	assert_int_equal(sim.hint_commands[0], ROUND);
	assert_int_equal(sim.hint_commands[1], 0);
}

/* Its first round begins with an id again, and nothing of the old one goes on. */
static void a_reset_in_mid_round_ends_the_round(void **state)
{
	uint64_t free_before = start_round();

	(void)state;
	sim_balloon_complete(&sim, 3);
	settle();
	sim_virtio_need_reset(&sim.virtio);
	balloon_step();
	assert_int_equal(status().recoveries, 1);
	assert_int_equal(ledger_count(OWNER_FREE), free_before);
	settle();
	if (sim.pending_count > 0)
		assert_false(sim.pending[0].chain.buffer[0].device_writes);
	sim.hint_command_count = 0;
	hint_round(ROUND + 1);
	drain();
	assert_int_equal(sim.hint_commands[sim.hint_command_count - 2], ROUND + 1);
	assert_int_equal(sim.hint_commands[sim.hint_command_count - 1], 0);
	hint_round(1);
	assert_int_equal(ledger_count(OWNER_FREE), free_before);
}

static void a_device_that_broke_a_moment_ago_is_offered_no_hint(void **state)
{
	uint64_t in_flight, free_before = start_round();

	(void)state;
	in_flight = ledger_count(OWNER_IN_FLIGHT);
	virtio_break(&sim.virtio.device, "end of test");
	assert_false(virtio_balloon_hint_offer(NO_FLOOR));
	assert_int_equal(ledger_count(OWNER_IN_FLIGHT), in_flight);
	settle();
	assert_true(ledger_count(OWNER_FREE) > free_before); /* with the rings */
}

static void answer(void)
{
	drain();
}

static void a_hinted_block_that_is_anothers_is_a_panic(void **state)
{
	pfn_t pfn;

	start_round();
	(void)state;
	assert_int_equal(frame_collect(OWNER_IN_FLIGHT, 0, 1, &pfn), 1);
	assert_int_equal(frame_change_owner(pfn, 1, OWNER_IN_FLIGHT, OWNER_HELD), 0);
	assert_panics(answer, "a hinted frame had another owner; look for a wild write");
	assert_int_equal(frame_change_owner(pfn, 1, OWNER_HELD, OWNER_IN_FLIGHT), 0);
	drain();
}

/* ---- Much memory ---- */

#define HIGH_START (4 * GIB / FRAME_SIZE)
#define HIGH_FRAMES (2 * GIB / FRAME_SIZE)

static int set_up_large(void **state)
{
	(void)state;
	set_up_beside(HIGH_START, HIGH_FRAMES);
	return 0;
}

/* Of so many bytes that no answer takes long, and as many of them as keep a host busy. */
static void with_the_device_are_32_hints_of_16_mib(void **state)
{
	uint64_t frames, rounds, bytes = 0;

	(void)state;
	start(HINT, NO_FLOOR);
	sim.completion = SIM_BALLOON_ON_DEMAND;
	hint_round(ROUND);
	assert_int_equal(sim.pending_count, 1 + 32);
	for (size_t i = 1; i < sim.pending_count; i++) {
		assert_int_equal(sim.pending[i].chain.count, 1);
		assert_in_range(sim.pending[i].chain.buffer[0].length, BLOCK_SIZE, 16 * MIB);
		bytes += sim.pending[i].chain.buffer[0].length;
	}
	assert_int_equal(sim.pending[32].chain.buffer[0].length, 16 * MIB);
	assert_int_equal(ledger_count(OWNER_IN_FLIGHT), bytes / FRAME_SIZE);
	/* Nothing is counted before the device has noted it. */
	virtio_balloon_hint_counts(&frames, &rounds);
	assert_int_equal(frames, 0);
	assert_int_equal(rounds, 1);
	/* Each that is back makes room for one. */
	sim_balloon_complete(&sim, 3);
	settle();
	assert_int_equal(sim.pending_count, 32);
	drain();
	assert_int_equal(sim.hinted, (RAM_FRAMES + HIGH_FRAMES - BLOCK_FRAMES) * FRAME_SIZE);
	virtio_balloon_hint_counts(&frames, &rounds);
	assert_int_equal(frames, sim.hinted / FRAME_SIZE);
	assert_int_equal(sim.hint_command_count, 2);
	hint_round(1);
	assert_int_equal(ledger_count(OWNER_HINTED), 0);
}

/* What is with the device stays there, and nothing more comes. */
static void stop_ends_a_round_with_much_left(void **state)
{
	(void)state;
	start(HINT, NO_FLOOR);
	sim.completion = SIM_BALLOON_ON_DEMAND;
	hint_round(ROUND);
	assert_int_equal(sim.pending_count, 1 + 32);
	hint_round(0);
	drain();
	assert_in_range(sim.hinted, 31 * 16 * MIB, 32 * 16 * MIB);
	assert_int_equal(sim.hint_command_count, 2);
	assert_int_equal(sim.hint_commands[1], 0);
	/* One that did not begin needs no end. */
	hint_round(ROUND + 1);
	sim_balloon_complete(&sim, 1);
	hint_round(ROUND + 2);
	hint_round(0);
	drain();
	assert_int_equal(sim.hint_command_count, 3);
	assert_int_equal(sim.hint_commands[2], ROUND + 1);
	hint_round(1);
	assert_int_equal(ledger_count(OWNER_HINTED), 0);
}

/* The floor is kept to the frame: what is spare is hinted if it is a block, and not if less. */
static void a_block_is_hinted_if_it_is_spare_to_the_last_frame(void **state)
{
	for (uint64_t less = 0; less < 2; less++) {
		start(HINT, NO_FLOOR);
		balloon_set_floor(ledger_count(OWNER_FREE) - BLOCK_FRAMES + less);
		hint_round(ROUND);
		assert_int_equal(ledger_count(OWNER_HINTED), less ? 0 : BLOCK_FRAMES);
		assert_int_equal(sim.hint_command_count, 2);
		if (!less) {
			tear_down(state);
			set_up(state);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_round_begins_with_its_id_and_ends_with_stop),
		TEST(an_id_goes_out_once_whatever_else_changes),
		TEST(a_shared_interrupt_does_not_end_a_round),
		TEST(a_late_interrupt_does_not_end_a_round),
		TEST(the_second_change_ever_does_not_end_its_round),
		TEST(an_id_and_done_are_seen_by_themselves),
		TEST(a_device_that_forgot_the_hints_is_reminded),
		TEST(a_hint_that_is_forgotten_is_noticed_two_seconds_after_it_was_sent),
		TEST(hinted_blocks_come_back_on_done),
		TEST(hints_leave_the_floor),
		TEST(stop_before_the_round_began_ends_it),
		TEST(a_hint_queue_of_one_descriptor_is_slow_but_right),
		TEST(stop_that_waits_is_not_forgotten),
		TEST(a_driver_that_ends_in_mid_round_keeps_nothing),
		TEST(hints_of_the_next_device_are_counted_anew),
		TEST(a_device_that_never_ends_its_reset_keeps_no_hinted_frame),
		TEST(a_device_that_never_ends_its_reset_is_pulled_out),
		TEST(stop_in_mid_round_ends_the_hints),
		TEST(a_new_id_in_mid_round_begins_a_new_round),
		TEST(done_does_not_free_what_the_device_still_has),
		TEST(a_round_goes_on_a_legacy_device),
		TEST(what_is_in_hinted_frames_means_nothing),
		TEST(hinted_frames_hold_the_poison_if_they_go_back_early),
		TEST(hinted_frames_hold_the_poison_some_time_after_done),
		TEST(a_round_after_a_round_writes_to_no_frame),
		TEST(a_round_after_a_round_hints_the_same_blocks_and_frees_none),
		TEST(a_round_goes_on_when_its_blocks_were_taken_back),
		TEST(filling_goes_on_when_the_device_is_gone),
		TEST(nothing_is_filled_while_a_guest_moves),
		TEST(each_single_buffer_that_is_forgotten_is_noticed),
		TEST(a_device_is_reminded_of_each_buffer_after_a_second),
		TEST(a_new_round_waits_for_the_last_buffer_of_the_old_one),
		TEST(the_hinting_queue_never_interrupts),
		TEST(commands_are_right_in_memory_that_was_used),
		TEST(a_reset_in_mid_round_ends_the_round),
		TEST(a_device_that_broke_a_moment_ago_is_offered_no_hint),
		TEST(a_hinted_block_that_is_anothers_is_a_panic),
		TEST(a_block_is_hinted_if_it_is_spare_to_the_last_frame),
		cmocka_unit_test_setup_teardown(stop_ends_a_round_with_much_left, set_up_large,
						tear_down),
		cmocka_unit_test_setup_teardown(with_the_device_are_32_hints_of_16_mib,
						set_up_large, tear_down),
	};

	return cmocka_run_group_tests_name("virtio_balloon_hint", tests, set_up_ram, NULL);
}
