/* SPDX-License-Identifier: BSD-2-Clause */
/* Gigabytes that come back: piece by piece, so that others run in between. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <ucontext.h>

#include "drivers/balloon/balloon_reclaim.h"
#include "drivers/balloon/balloon_recovery.h"
#include "drivers/balloon/balloon_state_internal.h"
#include "tests/unit/drivers/balloon/balloon_fixture.h"

#define HIGH_START (4 * GIB / FRAME_SIZE)
#define HIGH_FRAMES (10 * GIB / FRAME_SIZE)
#define PIECE (64 * MIB / FRAME_SIZE)
#define PIECES (HIGH_FRAMES / PIECE)

static int set_up_large(void **state)
{
	(void)state;
	set_up_beside(HIGH_START, HIGH_FRAMES);
	return 0;
}

/* 10 GiB, all whole blocks but the first. */
static void give_all_to(enum owner owner)
{
	assert_int_equal(frame_reserve(HIGH_START, HIGH_FRAMES, owner), 0);
	assert_int_equal(frame_free(HIGH_START + 7, 1, owner), 0);
}

static void some_are_a_piece_and_all_are_many(void **state)
{
	uint64_t all = HIGH_FRAMES - 1;

	(void)state;
	start(0, NO_FLOOR);
	give_all_to(OWNER_LEAVING);
	sim_time_waits = 0;
	assert_true(balloon_free_some(OWNER_LEAVING));
	assert_int_equal(ledger_count(OWNER_LEAVING), all - PIECE);
	assert_int_equal(sim_time_waits, 0);
	balloon_free_all(OWNER_LEAVING);
	assert_int_equal(ledger_count(OWNER_LEAVING), 0);
	/* After the last, which is a frame short of a piece, there is nothing to wait for. */
	assert_int_equal(sim_time_waits, PIECES - 2);
	assert_false(balloon_free_some(OWNER_LEAVING));
}

/* Rounds until nothing is to do; returns the most frames that one of them took from `owner`. */
static uint64_t most_in_a_round(enum owner owner)
{
	uint64_t most = 0, before;
	bool more = true;

	while (more) {
		before = ledger_count(owner);
		more = balloon_step();
		most = max_u64(most, before - ledger_count(owner));
	}
	return most;
}

static void what_leaves_comes_back_in_many_rounds(void **state)
{
	(void)state;
	start(0, NO_FLOOR);
	give_all_to(OWNER_LEAVING);
	assert_int_equal(most_in_a_round(OWNER_LEAVING), PIECE);
	assert_int_equal(ledger_count(OWNER_LEAVING), 0);
}

static void what_was_hinted_comes_back_in_many_rounds(void **state)
{
	(void)state;
	start(HINT, NO_FLOOR);
	hint_round(ROUND);
	assert_true(ledger_count(OWNER_HINTED) >= HIGH_FRAMES);
	sim_balloon_set_hint_id(&sim, 1);
	assert_int_equal(most_in_a_round(OWNER_HINTED), PIECE);
	assert_int_equal(ledger_count(OWNER_HINTED), 0);
}

/* An allocation may want a gigabyte at most. */
static void a_gigabyte_of_what_was_hinted_comes_back_for_an_allocation(void **state)
{
	uint64_t hinted;
	pfn_t pfn;

	(void)state;
	start(HINT, NO_FLOOR);
	hint_round(ROUND);
	exhaust();
	frame_set_reclaimer(balloon_reclaim);
	hinted = ledger_count(OWNER_HINTED);
	assert_int_equal(frame_alloc(0, OWNER_HELD, &pfn), 0);
	assert_int_equal(ledger_count(OWNER_HINTED), hinted - GIB / FRAME_SIZE);
	assert_int_equal(frame_alloc(FRAME_ORDER_MAX, OWNER_HELD, &pfn), 0);
}

static void others_run_while_a_lost_balloon_is_left_to_its_host(void **state)
{
	(void)state;
	start(0, NO_FLOOR);
	end_driver();
	give_all_to(OWNER_BALLOON);
	sim_time_waits = 0;
	balloon_forsake_all(balloons);
	assert_int_equal(ledger_count(OWNER_BALLOON), 0);
	assert_int_equal(ledger_count(OWNER_IN_FLIGHT), HIGH_FRAMES - 1);
	/* The first block frame by frame, the others in pieces. */
	assert_int_equal(sim_time_waits, BLOCK_FRAMES - 1 + PIECES);
}

static void a_single_block_is_left_to_its_host_as_one(void **state)
{
	(void)state;
	start(0, NO_FLOOR);
	end_driver();
	assert_int_equal(frame_reserve(HIGH_START, BLOCK_FRAMES, OWNER_BALLOON), 0);
	sim_time_waits = 0;
	balloon_forsake_all(balloons);
	assert_int_equal(ledger_count(OWNER_IN_FLIGHT), BLOCK_FRAMES);
	assert_int_equal(sim_time_waits, 1);
}

/* ---- Two at a time ---- */

static const enum owner owners[] = { OWNER_LEAVING, OWNER_BALLOON_2 };

static ucontext_t test_context, task_context[2];
static bool ended[2];
static int running;

static void free_all_of_one(int task)
{
	balloon_free_all(owners[task]);
	ended[task] = true;
}

static void let_the_test_run(void)
{
	swapcontext(&task_context[running], &test_context);
}

static void run(int task)
{
	running = task;
	swapcontext(&test_context, &task_context[task]);
}

/* The first to begin is the first to end, too. */
static void two_free_at_a_time_and_need_has_what_they_free_and_nothing_else(void **state)
{
	static char stack[2][65536];

	(void)state;
	start(0, NO_FLOOR);
	assert_int_equal(frame_reserve(HIGH_START, 2 * PIECE, owners[0]), 0);
	assert_int_equal(frame_reserve(HIGH_START + 2 * PIECE, 5 * PIECE, owners[1]), 0);
	sim_time_on_wait = let_the_test_run;
	for (int task = 0; task < 2; task++) {
		ended[task] = false;
		getcontext(&task_context[task]);
		task_context[task].uc_stack.ss_sp = stack[task];
		task_context[task].uc_stack.ss_size = sizeof(stack[task]);
		task_context[task].uc_link = &test_context;
		makecontext(&task_context[task], (void (*)(void))free_all_of_one, 1, task);
		run(task);
	}
	while (!ended[0])
		run(0);
	/* The other has not freed all: that is there for whoever needs it. */
	assert_false(ended[1]);
	assert_true(balloon_free_in_need(10) >= 10);
	while (!ended[1])
		run(1);
	sim_time_on_wait = NULL;
	for (int task = 0; task < 2; task++)
		assert_int_equal(frame_reserve(HIGH_START + (pfn_t)task * BLOCK_FRAMES,
					       BLOCK_FRAMES, owners[task]),
				 0);
	assert_int_equal(balloon_free_in_need(1), 0);
	for (int task = 0; task < 2; task++)
		assert_int_equal(frame_free(HIGH_START + (pfn_t)task * BLOCK_FRAMES, BLOCK_FRAMES,
					    owners[task]),
				 0);
}

#undef TEST
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up_large, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(some_are_a_piece_and_all_are_many),
		TEST(what_leaves_comes_back_in_many_rounds),
		TEST(what_was_hinted_comes_back_in_many_rounds),
		TEST(a_gigabyte_of_what_was_hinted_comes_back_for_an_allocation),
		TEST(others_run_while_a_lost_balloon_is_left_to_its_host),
		TEST(a_single_block_is_left_to_its_host_as_one),
		TEST(two_free_at_a_time_and_need_has_what_they_free_and_nothing_else),
	};

	return cmocka_run_group_tests_name("balloon_free", tests, set_up_ram, NULL);
}
