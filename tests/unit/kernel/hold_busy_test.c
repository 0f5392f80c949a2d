/* SPDX-License-Identifier: BSD-2-Clause */
/* Busy holds: what is rewritten, by whom, and that an old frame shows. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "arch/paging.h"
#include "kernel/hold.h"
#include "mm/ledger.h"
#include "tests/sim/sim_ram.h"
#include "tests/sim/sim_time.h"

#define RUNS 600 /* more than a frame of the hold's list has */
#define TURN 256 /* frames that are rewritten at a time */

static bool never(void)
{
	return false;
}

static int set_up_ram(void **state)
{
	(void)state;
	return sim_ram_reserve();
}

static int set_up(void **state)
{
	(void)state;
	sim_time_reset();
	sim_ram_start_all();
	return 0;
}

static int tear_down(void **state)
{
	char verdict[LEDGER_VERDICT_MAX];

	(void)state;
	assert_true(ledger_audit(verdict));
	assert_int_equal(ledger_count(OWNER_FREE), SIM_RAM_FRAMES);
	sim_ram_stop();
	return 0;
}

static unsigned take(uint64_t runs, unsigned order)
{
	unsigned id;

	assert_int_equal(hold_take(runs, order, never, &id), 0);
	return id;
}

static void assert_released(unsigned id, uint64_t wanted)
{
	uint64_t broken;
	pfn_t first;

	assert_int_equal(hold_release(id, NULL, &broken, &first), 0);
	assert_int_equal(broken, wanted);
}

/* How often all of the hold was rewritten. */
static uint64_t times(unsigned id)
{
	struct hold_info info;

	assert_true(hold_next(id - 1, &info));
	assert_int_equal(info.id, id);
	assert_true(info.busy);
	return info.rewritten;
}

/* ---- Rewriting ---- */

static void only_busy_holds_are_rewritten(void **state)
{
	static uint64_t before[2], after[2];
	unsigned idle = take(1, 0), busy;
	pfn_t pfns[2];

	(void)state;
	assert_false(hold_rewrite_some());
	assert_int_equal(hold_make_busy(idle + 1), -ENOENT);
	assert_int_equal(hold_make_busy(0), -ENOENT);
	busy = take(1, 0);
	assert_int_equal(frame_collect(OWNER_HELD, 0, 2, pfns), 2);
	for (int i = 0; i < 2; i++)
		before[i] = *(uint64_t *)phys_to_virt(pfn_to_paddr(pfns[i]));
	assert_int_equal(hold_make_busy(busy), 0);
	assert_true(hold_rewrite_some());
	for (int i = 0; i < 2; i++)
		after[i] = *(uint64_t *)phys_to_virt(pfn_to_paddr(pfns[i]));
	assert_int_equal((before[0] != after[0]) + (before[1] != after[1]), 1);
	/* Its one frame as often as a turn has frames. */
	assert_int_equal(times(busy), TURN);
	assert_released(busy, 0);
	assert_false(hold_rewrite_some());
	assert_released(idle, 0);
}

static void others_have_their_turn_after_each(void **state)
{
	unsigned a = take(2, 0), b = take(2, 0);
	uint64_t waits;

	(void)state;
	assert_int_equal(hold_make_busy(a), 0);
	assert_int_equal(hold_make_busy(b), 0);
	waits = sim_time_waits;
	assert_true(hold_rewrite_some());
	assert_int_equal(sim_time_waits - waits, 2);
	assert_int_equal(times(a), TURN / 2);
	assert_int_equal(times(b), TURN / 2);
	assert_released(a, 0);
	assert_released(b, 0);
}

/* ---- Verifying ---- */

/* At the start, in mid-way, and in the second round: frames of two times, in two orders. */
static void a_busy_hold_is_intact_wherever_its_rewriting_is(void **state)
{
	static const struct {
		uint64_t runs;
		unsigned order;
	} holds[] = { { RUNS, 0 }, { 75, 3 }, { 2, 9 } };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(holds); i++) {
		uint64_t frames = holds[i].runs << holds[i].order;

		for (unsigned turns = 0; turns < 2 * frames / TURN + 2; turns++) {
			unsigned id = take(holds[i].runs, holds[i].order);

			assert_int_equal(hold_make_busy(id), 0);
			for (unsigned t = 0; t < turns; t++)
				assert_true(hold_rewrite_some());
			assert_int_equal(times(id), turns * TURN / frames);
			assert_released(id, 0);
		}
	}
}

static unsigned looked;

static void find_none_busy(void)
{
	/* Once: rewriting would wait, too. */
	if (looked++ == 0)
		assert_false(hold_rewrite_some());
}

/* To verify it takes time, in which the task has its turns. */
static void a_hold_that_is_being_released_is_not_rewritten(void **state)
{
	unsigned id = take(RUNS, 0);

	(void)state;
	assert_int_equal(hold_make_busy(id), 0);
	assert_true(hold_rewrite_some());
	looked = 0;
	sim_time_on_wait = find_none_busy;
	assert_released(id, 0);
	sim_time_on_wait = NULL;
	assert_true(looked > 0);
}

/* As a move brings it that has lost the last write to it. */
static void an_old_frame_is_found(void **state)
{
	static uint8_t old[FRAME_SIZE];
	unsigned id = take(TURN, 0);
	pfn_t pfn;
	void *frame;

	(void)state;
	assert_int_equal(frame_collect(OWNER_HELD, 0, 1, &pfn), 1);
	frame = phys_to_virt(pfn_to_paddr(pfn));
	assert_int_equal(hold_make_busy(id), 0);
	for (int i = 0; i < 2; i++)
		assert_true(hold_rewrite_some());
	memcpy(old, frame, FRAME_SIZE);
	assert_true(hold_rewrite_some());
	assert_int_equal(times(id), 3);
	memcpy(frame, old, FRAME_SIZE);
	assert_released(id, 1);
}

/* ---- The task ---- */

static unsigned to_release;
static unsigned turns_left;

static void release_after_some_turns(void)
{
	if (turns_left > 0 && --turns_left == 0)
		assert_released(to_release, 0);
}

static void one_task_rewrites_until_no_hold_is_busy(void **state)
{
	(void)state;
	for (int again = 0; again < 2; again++) {
		sim_ram_task = NULL;
		assert_int_equal(hold_task_start(), 0);
		assert_non_null(sim_ram_task);
		void (*task)(void *) = sim_ram_task;
		sim_ram_task = NULL;
		/* It is there already. */
		assert_int_equal(hold_task_start(), 0);
		assert_null(sim_ram_task);
		to_release = take(RUNS, 0);
		assert_int_equal(hold_make_busy(to_release), 0);
		turns_left = 5;
		sim_time_on_wait = release_after_some_turns;
		task(NULL);
		sim_time_on_wait = NULL;
		assert_int_equal(turns_left, 0);
	}
}

/* ---- Poison ---- */

static uint64_t filled;
static size_t longest;
static pfn_t last_filled;
static unsigned steps; /* from a frame to the next one */

static void count_filled(pfn_t pfn, size_t count)
{
	steps += pfn == last_filled + 1;
	last_filled = pfn;
	filled += count;
	longest = count > longest ? count : longest;
}

/* frame_alloc() leaves these to their owner, who has to let others run in between. */
static void runs_longer_than_a_block_are_filled_frame_by_frame(void **state)
{
	unsigned id;

	(void)state;
	frame_set_poisoner(count_filled);
	filled = 0;
	id = take(2, 9);
	assert_int_equal(filled, 0);
	assert_released(id, 0);
	filled = 0;
	longest = 0;
	steps = 0;
	id = take(2, 10);
	/* And perhaps the frame of the hold's list. */
	assert_in_range(filled, 2 << 10, (2 << 10) + 1);
	assert_int_equal(longest, 1);
	/* From the first of a run to the last; runs may follow each other. */
	assert_in_range(steps, 2 * 1023, 2 * 1023 + 2);
	assert_released(id, 0);
	frame_set_poisoner(NULL);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(only_busy_holds_are_rewritten),
		TEST(others_have_their_turn_after_each),
		TEST(a_busy_hold_is_intact_wherever_its_rewriting_is),
		TEST(a_hold_that_is_being_released_is_not_rewritten),
		TEST(an_old_frame_is_found),
		TEST(one_task_rewrites_until_no_hold_is_busy),
		TEST(runs_longer_than_a_block_are_filled_frame_by_frame),
	};

	return cmocka_run_group_tests_name("hold_busy", tests, set_up_ram, NULL);
}
