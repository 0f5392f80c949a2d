/* SPDX-License-Identifier: BSD-2-Clause */
/* When free memory is filled: not before blocks have stopped coming, and in small turns. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "arch/clock.h"
#include "arch/irq.h"
#include "arch/paging.h"
#include "kernel/poison_task.h"
#include "mm/ledger.h"
#include "mm/poison.h"
#include "tests/sim/sim_log.h"
#include "tests/sim/sim_ram.h"
#include "tests/sim/sim_time.h"

#define POISON 0xa5
#define JUNK 0x11
#define QUIET_NS (50 * NS_PER_MS)
#define TURN 64 /* frames */

static pfn_t blocks[3];
static jmp_buf nothing_left;

/* A wait of the task: when it began, and how much of the blocks was filled by then. */
static struct {
	uint64_t at;
	size_t filled;
} wait_at[64];
static size_t wait_count;
static uint64_t free_before[8]; /* waits before which a block is freed; 0: none */
static size_t freed;

static int set_up_ram(void **state)
{
	(void)state;
	return sim_ram_reserve();
}

/* Three blocks in use hold junk; all else is free, and was never anybody's. */
static int set_up(void **state)
{
	(void)state;
	sim_time_reset();
	sim_log_reset();
	sim_ram_start_all();
	for (size_t i = 0; i < ARRAY_SIZE(blocks); i++) {
		assert_int_equal(frame_alloc(BLOCK_ORDER, OWNER_HELD, &blocks[i]), 0);
		memset(phys_to_virt(pfn_to_paddr(blocks[i])), JUNK, BLOCK_FRAMES * FRAME_SIZE);
	}
	poison_enable(POISON);
	sim_ram_task = NULL;
	sim_ram_task_err = 0;
	memset(free_before, 0, sizeof(free_before));
	wait_count = freed = 0;
	return 0;
}

static int tear_down(void **state)
{
	char verdict[LEDGER_VERDICT_MAX];

	(void)state;
	sim_time_on_wait = NULL;
	irq_enable();
	assert_true(ledger_audit(verdict));
	sim_ram_stop();
	return 0;
}

/* A frame is filled when all of it is. */
static size_t filled(void)
{
	size_t n = 0;

	for (size_t i = 0; i < ARRAY_SIZE(blocks); i++)
		for (pfn_t f = 0; f < BLOCK_FRAMES; f++) {
			const uint8_t *frame = phys_to_virt(pfn_to_paddr(blocks[i] + f));

			n += frame[0] == POISON && memcmp(frame, frame + 1, FRAME_SIZE - 1) == 0;
		}
	return n;
}

static bool must_free(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(free_before); i++)
		if (free_before[i] == wait_count)
			return true;
	return false;
}

/*
 * Frees a block when its turn has come; ends the task when it waits for one that does not
 * come, which it does with interrupts off.
 */
static void on_wait(void)
{
	assert_true(wait_count < ARRAY_SIZE(wait_at));
	wait_at[wait_count].at = clock_ns();
	wait_at[wait_count++].filled = filled();
	if (must_free())
		assert_int_equal(frame_free(blocks[freed++], BLOCK_FRAMES, OWNER_HELD), 0);
	else if (fake_irqs_off && !frame_has_unfilled())
		longjmp(nothing_left, 1);
}

static void run_task(void)
{
	poison_task_start();
	assert_non_null(sim_ram_task);
	sim_time_on_wait = on_wait;
	if (setjmp(nothing_left) == 0)
		sim_ram_task(NULL);
	sim_time_on_wait = NULL;
}

static void assert_slept(size_t wait)
{
	assert_in_range(wait_at[wait].at - wait_at[wait - 1].at, QUIET_NS,
			QUIET_NS + 10 * NS_PER_US);
}

/* The first wait is for a block, the second for quiet; from then on it is 64 frames a turn. */
static void a_block_is_filled_when_it_has_been_quiet(void **state)
{
	(void)state;
	free_before[0] = 1;
	run_task();
	assert_int_equal(wait_at[1].filled, 0);
	assert_slept(2);
	for (size_t turn = 1; turn <= BLOCK_FRAMES / TURN; turn++) {
		assert_int_equal(wait_at[1 + turn].filled, turn * TURN);
		if (turn > 1)
			assert_true(wait_at[1 + turn].at - wait_at[turn].at < NS_PER_MS);
	}
	/* And then it waits for the next one. */
	assert_int_equal(wait_count, 3 + BLOCK_FRAMES / TURN);
	assert_int_equal(filled(), BLOCK_FRAMES);
}

static void while_blocks_come_it_waits(void **state)
{
	(void)state;
	free_before[0] = 1;
	free_before[1] = 2;
	free_before[2] = 3;
	run_task();
	for (size_t wait = 2; wait < 5; wait++) {
		assert_slept(wait);
		assert_int_equal(wait_at[wait - 1].filled, 0);
	}
	assert_int_equal(wait_count, 5 + 3 * BLOCK_FRAMES / TURN);
	assert_int_equal(filled(), 3 * BLOCK_FRAMES);
}

/* One that comes between two turns ends them until it is quiet again. */
static void a_block_that_comes_meanwhile_is_waited_for(void **state)
{
	(void)state;
	free_before[0] = 1;
	free_before[1] = 4;
	run_task();
	assert_int_equal(wait_at[3].filled, 2 * TURN);
	assert_int_equal(wait_at[4].filled, 2 * TURN);
	assert_slept(5);
	assert_int_equal(wait_at[5].filled, 3 * TURN);
	assert_int_equal(filled(), 2 * BLOCK_FRAMES);
}

static void without_a_task_it_is_told(void **state)
{
	(void)state;
	sim_ram_task_err = -ENOMEM;
	poison_task_start();
	assert_int_equal(sim_log_warnings, 1);
	assert_string_equal(sim_log_warning,
			    "poison: no task; free memory is filled when it is allocated");
	/* Nobody is woken for it. */
	assert_int_equal(frame_free(blocks[0], BLOCK_FRAMES, OWNER_HELD), 0);
	assert_int_equal(sim_time_wakes, 0);
}

/* A second block does not wake it again: it is about to look anyway. */
static void the_first_block_wakes_it(void **state)
{
	(void)state;
	poison_task_start();
	assert_int_equal(sim_log_warnings, 0);
	assert_int_equal(frame_free(blocks[0], BLOCK_FRAMES, OWNER_HELD), 0);
	assert_int_equal(sim_time_wakes, 1);
	assert_int_equal(frame_free(blocks[1], BLOCK_FRAMES, OWNER_HELD), 0);
	assert_int_equal(sim_time_wakes, 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_block_is_filled_when_it_has_been_quiet),
		TEST(while_blocks_come_it_waits),
		TEST(a_block_that_comes_meanwhile_is_waited_for),
		TEST(without_a_task_it_is_told),
		TEST(the_first_block_wakes_it),
	};

	return cmocka_run_group_tests_name("poison_task", tests, set_up_ram, NULL);
}
