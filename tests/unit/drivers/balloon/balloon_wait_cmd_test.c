/* SPDX-License-Identifier: BSD-2-Clause */
/* drivers/balloon/balloon_wait_cmd.c, with a balloon that moves as each test says. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "arch/clock.h"
#include "drivers/balloon/balloon_state.h"
#include "drivers/balloon/balloon_wait_cmd.h"
#include "kernel/lib/hooks.h"
#include "tests/sim/sim_time.h"

/* ---- The balloon ---- */

static struct balloon_status now, second;
static uint64_t frames_per_look;
static uint64_t moves_left;
static uint64_t waits_before_ctrl_c;

bool balloon_status_of(size_t number, struct balloon_status *status)
{
	assert_true(number < BALLOONS);
	*status = number == 0 ? now : second;
	return status->present;
}

void balloon_status(struct balloon_status *sum)
{
	*sum = now;
	sum->target += second.target;
	sum->actual += second.actual;
}

static bool interrupted(void)
{
	return sim_time_waits >= waits_before_ctrl_c;
}

/* Each wait of the command lets it go on. */
static void move(void)
{
	if (moves_left == 0)
		return;
	moves_left--;
	now.actual += frames_per_look;
}

static int begin(void **state)
{
	(void)state;
	sim_time_reset();
	sim_time_on_wait = move;
	lib_set_interrupted(interrupted);
	waits_before_ctrl_c = UINT64_MAX;
	now = (struct balloon_status){ .present = true, .target = 256 };
	second = (struct balloon_status){ 0 };
	frames_per_look = 0;
	moves_left = UINT64_MAX;
	return 0;
}

static void assert_says(const char *seconds, int status, const char *text)
{
	FILE *console = stdout;
	char *said = NULL;
	size_t length;
	int is;

	stdout = open_memstream(&said, &length);
	is = balloon_wait_for_target(seconds);
	fclose(stdout);
	stdout = console;
	if (is != status || strcmp(said, text) != 0)
		fail_msg("%d, not %d: %s", is, status, said);
	free(said);
}

/* That one has too much what the other lacks is no reason to be content. */
static void each_of_two_is_waited_for(void **state)
{
	(void)state;
	second = (struct balloon_status){ .present = true, .target = 100, .actual = 100 };
	now.actual = 206;
	frames_per_look = 10;
	assert_says(NULL, BALLOON_WAIT_REACHED, "");
	assert_int_equal(now.actual, 256);
	moves_left = 0;
	now.actual = 206;
	second.actual = 150;
	assert_says("1", BALLOON_WAIT_TIME_UP,
		    "balloon: time is up: 1.4 MiB of 1.4 MiB are taken\n");
	second.broken = "it is gone";
	assert_says("1", BALLOON_WAIT_GIVEN_UP, "balloon: the device was given up: it is gone\n");
}

static void a_balloon_that_is_there_is_not_waited_for(void **state)
{
	(void)state;
	now.actual = 256;
	assert_says(NULL, 0, "");
	assert_says("0", 0, "");
	assert_int_equal(sim_time_waits, 0);
}

static void it_waits_as_long_as_the_balloon_moves(void **state)
{
	(void)state;
	/* A frame each time it looks, in both directions: far more than five seconds. */
	now.target = 2000;
	frames_per_look = 1;
	assert_says(NULL, 0, "");
	assert_int_equal(sim_time_waits, 2000);
	now.target = 1000;
	frames_per_look = UINT64_MAX;
	assert_says("60", 0, "");
	assert_int_equal(now.actual, 1000);
}

static void five_seconds_without_a_move_are_a_shortfall(void **state)
{
	(void)state;
	frames_per_look = 64;
	moves_left = 2;
	assert_says(NULL, 3, "balloon: nothing has moved for 5 s: 512 KiB of 1.0 MiB are taken\n");
	assert_in_range(clock_awake_ns(), 5 * NS_PER_S, 6 * NS_PER_S);
}

/* A look takes no time here: every hundredth of a second there is one. */
static void the_moments_are_exact(void **state)
{
	(void)state;
	sim_time_step_ns = 0;
	assert_says(NULL, 3, "balloon: nothing has moved for 5 s: 0 B of 1.0 MiB are taken\n");
	assert_int_equal(sim_time_waits, 500);
	begin(NULL);
	sim_time_step_ns = 0;
	assert_says("0", 4, "balloon: time is up: 0 B of 1.0 MiB are taken\n");
	assert_int_equal(sim_time_waits, 0);
	assert_says("0.025", 4, "balloon: time is up: 0 B of 1.0 MiB are taken\n");
	assert_int_equal(sim_time_waits, 3);
}

static void a_new_target_is_a_move(void **state)
{
	(void)state;
	now.target = 128;
	sim_time_on_wait = NULL;
	assert_says(NULL, 3, "balloon: nothing has moved for 5 s: 0 B of 512 KiB are taken\n");
	now.target = 0;
	assert_says(NULL, 0, "");
}

/* An hour that the guest was stopped for is no standstill. */
static void stop_once(void)
{
	if (sim_time_waits == 3)
		sim_time_jump((int64_t)(3600 * NS_PER_S));
	if (sim_time_waits > 10)
		move();
}

static void a_guest_that_was_stopped_goes_on(void **state)
{
	(void)state;
	frames_per_look = 64;
	sim_time_on_wait = stop_once;
	assert_says(NULL, 0, "");
}

static void time_that_is_up_is_said(void **state)
{
	(void)state;
	assert_says("2.5", 4, "balloon: time is up: 0 B of 1.0 MiB are taken\n");
	assert_in_range(clock_ns(), 5 * NS_PER_S / 2, 3 * NS_PER_S);
	assert_says("0", 4, "balloon: time is up: 0 B of 1.0 MiB are taken\n");
}

static void without_a_device_that_works_there_is_nothing_to_wait_for(void **state)
{
	(void)state;
	now.broken = "no answer within 2 s";
	assert_says("9", 6, "balloon: the device was given up: no answer within 2 s\n");
	now.present = false;
	assert_says(NULL, 5, "balloon: the machine has no usable balloon device\n");
	assert_int_equal(sim_time_waits, 0);
}

static void ctrl_c_ends_it(void **state)
{
	(void)state;
	waits_before_ctrl_c = 7;
	assert_says(NULL, -EINTR, "balloon: interrupted: 0 B of 1.0 MiB are taken\n");
	assert_int_equal(sim_time_waits, 7);
}

static void what_is_no_time_is_quoted(void **state)
{
	(void)state;
	assert_says("5m", -ERANGE,
		    "balloon: 5m is no time; write a number of seconds, as 10 or 0.5\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(a_balloon_that_is_there_is_not_waited_for, begin),
		cmocka_unit_test_setup(each_of_two_is_waited_for, begin),
		cmocka_unit_test_setup(it_waits_as_long_as_the_balloon_moves, begin),
		cmocka_unit_test_setup(five_seconds_without_a_move_are_a_shortfall, begin),
		cmocka_unit_test_setup(the_moments_are_exact, begin),
		cmocka_unit_test_setup(a_new_target_is_a_move, begin),
		cmocka_unit_test_setup(a_guest_that_was_stopped_goes_on, begin),
		cmocka_unit_test_setup(time_that_is_up_is_said, begin),
		cmocka_unit_test_setup(without_a_device_that_works_there_is_nothing_to_wait_for,
				       begin),
		cmocka_unit_test_setup(ctrl_c_ends_it, begin),
		cmocka_unit_test_setup(what_is_no_time_is_quoted, begin),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
