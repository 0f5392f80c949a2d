/* SPDX-License-Identifier: BSD-2-Clause */
/* Memory pressure in the guest: its own books, waits, and what `pressure` prints of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "arch/clock.h"
#include "drivers/balloon/balloon_account.h"
#include "drivers/balloon/balloon_reclaim.h"
#include "kernel/pressure.h"
#include "kernel/vm/vm.h"
#include "mm/vm_events.h"
#include "tests/schema/assert_fits.h"
#include "tests/sim/sim_command.h"
#include "tests/sim/sim_time.h"

#define RECLAIM_MS 20

struct psi vm_psi;
static size_t reclaimed;
static uint64_t looks; /* at the accounts: readings */

/* ---- What it asks ---- */

void balloon_account(struct balloon_account *account)
{
	looks++;
	*account = balloon_account_of(98304, 1000, 0, 0);
}

size_t balloon_reclaim(unsigned order)
{
	assert_int_equal(order, 3);
	vm_events.balloon_stalls++;
	sim_time_advance(RECLAIM_MS * NS_PER_MS);
	return reclaimed;
}

/* ---- Tests ---- */

static int set_up(void **state)
{
	(void)state;
	sim_time_reset();
	sim_time_step_ns = 0;
	vm_events = (struct vm_events){ 0 };
	reclaimed = 8;
	psi_init(&vm_psi, clock_ns());
	pressure_start();
	looks = 0;
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	sim_command_forget();
	return 0;
}

static void advance(uint64_t ms)
{
	sim_time_advance(ms * NS_PER_MS);
}

/* An allocation that finds no frame: mm/frame.c counts it, then asks. */
static void stall(void)
{
	vm_events.stalls++;
	assert_int_equal(pressure_reclaim(3), reclaimed);
}

static struct pressure look(void)
{
	struct pressure pressure;

	pressure_look(&pressure);
	return pressure;
}

static void in_the_first_second_its_end_is_waited_for(void **state)
{
	(void)state;
	advance(300);
	stall();
	assert_int_equal(look().situation.kind, SITUATION_NONE);
	assert_int_equal(clock_ns(), NS_PER_S);
	assert_int_equal(look().situation.sureness, SURENESS_SURE);
	assert_int_equal(look().moved.value[READING_STALLS], 1);
	/* And not again. */
	assert_int_equal(clock_ns(), NS_PER_S);
}

static void allocations_that_take_from_the_balloon_wait_for_it(void **state)
{
	struct pressure p;

	(void)state;
	advance(5000);
	for (int i = 0; i < 100; i++)
		stall();
	p = look();
	assert_int_equal(p.situation.kind, SITUATION_STALLS);
	assert_int_equal(p.situation.cause, STALL_BALLOON);
	assert_int_equal(p.moved.value[READING_STALLS], 100);
	assert_int_equal(p.some.total_us, 100 * RECLAIM_MS * 1000);
	assert_int_equal(p.full.total_us, 100 * RECLAIM_MS * 1000);
	/* 2 s of the last 7: the period from 4 to 6 s had half of it. */
	assert_int_equal(p.some.average[PSI_10_S], 906);
	advance(20000);
	p = look();
	assert_int_equal(p.situation.kind, SITUATION_NONE);
	assert_int_equal(p.for_ms, 20000);
}

/* Or pressure would be made by looking at it. */
static void readings_are_taken_ten_times_a_second_at_most(void **state)
{
	(void)state;
	for (int i = 0; i < 1000; i++) {
		vm_events.stalls++;
		pressure_reclaim(3);
	}
	assert_int_equal(looks, 1000 * RECLAIM_MS / 100);
	advance(100);
	assert_int_equal(looks, 1000 * RECLAIM_MS / 100);
}

/* A wait of others goes on as it was. */
static void the_balloons_wait_is_one_of_all(void **state)
{
	struct pressure p;

	(void)state;
	psi_set(&vm_psi, 1, true, clock_ns());
	advance(100);
	stall();
	advance(7);
	psi_set(&vm_psi, 1, false, clock_ns());
	advance(3);
	stall();
	advance(10);
	psi_set(&vm_psi, 0, true, clock_ns());
	advance(1000);
	p = look();
	assert_int_equal(p.some.total_us, (100 + 7 + 3 + 10 + 2 * RECLAIM_MS) * 1000);
	assert_int_equal(p.full.total_us, (3 + 10 + 2 * RECLAIM_MS) * 1000);
}

/* Nobody has looked for long: what moved in an hour says nothing of now. */
static void what_moved_unseen_is_not_judged_by(void **state)
{
	uint64_t begin;

	(void)state;
	advance(3600000);
	vm_events.stalls += 1000000;
	vm_events.limit_stalls += 1000000;
	begin = clock_ns();
	assert_int_equal(look().situation.kind, SITUATION_NONE);
	assert_int_equal(clock_ns() - begin, NS_PER_S);
	/* Seen a moment ago, or nothing moved: at once. */
	advance(9000);
	vm_events.stalls++;
	begin = clock_ns();
	look();
	advance(3600000);
	look();
	assert_int_equal(clock_ns() - begin, 3600 * NS_PER_S);
}

static void the_command_says_it_in_words(void **state)
{
	(void)state;
	advance(2000);
	for (int i = 0; i < 50; i++)
		stall();
	vm_events.oom_kills = 0;
	vm_events.major_faults = 9;
	vm_events.async_scanned = 300;
	assert_int_equal(sim_command("pressure"), 0);
	assert_string_equal(
		sim_command_text,
		"Situation: waits for the balloon (sure), for 0.7 s\n"
		"Waited for memory:\n"
		"  of the last   10 s      60 s     300 s             total\n"
		"  some        0.00 %    0.00 %    0.00 %        1.000000 s\n"
		"  full        0.00 %    0.00 %    0.00 %        1.000000 s\n"
		"Each second of the last 3.0 s:\n"
		"  stalls 16.6\n"
		"    at a limit 0.0, for the balloon 16.6, for a slow disk 0.0\n"
		"  scanned 400 kB in the background, 0 kB by tasks\n"
		"  reclaimed 0 kB in the background, 0 kB by tasks\n"
		"  back again 0 kB; swapped in 0 kB, out 0 kB; major faults 3.0\n"
		"Killed for want of memory: 0 tasks\n");
	assert_int_equal(sim_command("pressure now"), -EINVAL);
	assert_int_equal(sim_command("pressure -j -j"), -EINVAL);
}

static void the_command_says_it_in_json(void **state)
{
	(void)state;
	assert_int_equal(sim_command("pressure -j"), 0);
	assert_fits("guest-pressure", sim_command_text);
	advance(2000);
	for (int i = 0; i < 50; i++)
		stall();
	advance(2000);
	assert_int_equal(sim_command("pressure -j"), 0);
	assert_fits("guest-pressure", sim_command_text);
	assert_string_equal(
		sim_command_text,
		"{\"situation\":\"stalls\",\"cause\":\"balloon\",\"sureness\":\"sure\","
		"\"for-ms\":2680,"
		"\"some\":{\"avg10\":7.42,\"avg60\":1.59,\"avg300\":0.33,\"total-us\":1000000},"
		"\"full\":{\"avg10\":7.42,\"avg60\":1.59,\"avg300\":0.33,\"total-us\":1000000},"
		"\"over-ms\":6000,\"moved\":{\"oom-kills\":0,\"alloc-stalls\":50,\"async-scans\":0,"
		"\"direct-scans\":0,\"async-reclaims\":0,\"direct-reclaims\":0,\"swap-in\":0,"
		"\"swap-out\":0,\"major-faults\":0,\"refaults\":0,\"limit-stalls\":0,"
		"\"balloon-stalls\":50,\"disk-stalls\":0},\"killed\":0}\n");
	vm_events.oom_kills = 3;
	assert_int_equal(sim_command("pressure -j"), 0);
	assert_fits("guest-pressure", sim_command_text);
	assert_non_null(strstr(sim_command_text, "{\"situation\":\"critical\",\"sureness\""));
	assert_non_null(strstr(sim_command_text, "},\"killed\":3}"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(in_the_first_second_its_end_is_waited_for),
		TEST(allocations_that_take_from_the_balloon_wait_for_it),
		TEST(readings_are_taken_ten_times_a_second_at_most),
		TEST(the_balloons_wait_is_one_of_all),
		TEST(what_moved_unseen_is_not_judged_by),
		TEST(the_command_says_it_in_words),
		TEST(the_command_says_it_in_json),
	};

	return cmocka_run_group_tests_name("pressure", tests, NULL, NULL);
}
