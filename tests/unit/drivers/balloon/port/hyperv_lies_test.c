/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Each lie of hyperv_lies.c at each step of the balloon's life on Hyper-V. Then:
 *
 *	an end		the guest waits for nothing any more, though nobody answers
 *	the ledger	whole, by a count of every frame, and no frame is free that the host has
 *	a line		if the host was given up, and of each kind one a second at most
 *	recovery	once it behaves: a target is reached, where the host's own books are right
 */
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
#include "drivers/balloon/balloon.h"
#include "drivers/balloon/balloon_port.h"
#include "drivers/balloon/balloon_state_internal.h"
#include "mm/ledger.h"
#include "tests/unit/drivers/balloon/port/hyperv_lies.h"

#define FEW 16	   /* variants */
#define GIVEN 3000 /* frames in the balloon at the later steps */

static const char *const step_names[HYPERV_STEPS] = { "start", "idle",	   "give", "take",
						      "add",   "withdraw", "end" };

static struct {
	const struct hyperv_lie_row *row;
	unsigned variant;
	enum hyperv_step step;
} now;

static char where[256];

static struct hyperv_wish *wish(void)
{
	return &hyperv_control()->wish;
}

static void check(const char *when)
{
	const char *mistake = hyperv_world_mistake();

	if (mistake)
		fail_msg("%s: %s", when, mistake);
}

/* Why the host is not used any more; NULL: it is. */
static const char *given_up(void)
{
	struct balloon_status status;
	struct vmbus_info info;

	balloon_status(&status);
	vmbus_get_info(&info);
	return info.fault ? info.fault : status.broken;
}

static void tell(void)
{
	hyperv_world.blind = now.row->blind;
	hyperv_world.crossing = now.row->crossing;
	now.row->tell(now.variant);
}

static void come_to_step(void)
{
	if (now.step >= HYPERV_STEP_TAKE && !hyperv_world_reach(GIVEN))
		fail_msg("an honest host has %u frames", (unsigned)ledger_count(OWNER_BALLOON));
	tell();
	switch (now.step) {
	case HYPERV_STEP_GIVE:
		hv_control.common.target = GIVEN;
		break;
	case HYPERV_STEP_TAKE:
		hv_control.common.target = 200;
		break;
	case HYPERV_STEP_ADD:
		wish()->added = 4 * BLOCK_FRAMES;
		break;
	case HYPERV_STEP_WITHDRAW:
		wish()->no_dm = 1;
		hyperv_world_wait(NS_PER_S);
		wish()->no_dm = 0;
		break;
	default:
		break;
	}
}

/* The host goes on wishing. */
static void go_on(void)
{
	static const uint64_t wishes[] = { 1500, 2500 };

	for (size_t i = 0; i < ARRAY_SIZE(wishes); i++) {
		hyperv_world_wait(5 * NS_PER_S);
		check("after the lie");
		hv_control.common.target = wishes[i];
	}
	hyperv_world_wait(5 * NS_PER_S);
	check("after other targets");
}

static void check_verdict(void)
{
	bool must_break = now.row->breaks & HYPERV_STEP_BIT(now.step);

	if (must_break && !given_up() && hyperv_world.lines == 0)
		fail_msg("the driver believes it");
	if (now.row->must_go_on && given_up())
		fail_msg("given up on what is no fault: %s", given_up());
	if (given_up() && hyperv_world.lines == 0)
		fail_msg("given up without a word: %s", given_up());
}

static void reach(uint64_t frames)
{
	if (!hyperv_world_reach(frames))
		fail_msg("afterwards %u frames are wanted, and %u are there, %u says the host; %s",
			 (unsigned)frames, (unsigned)ledger_count(OWNER_BALLOON),
			 (unsigned)hyperv_control()->seen.ballooned,
			 given_up() ? given_up() : "it is used");
	check("after recovery");
}

static void recover(void)
{
	struct balloon_status status;
	struct vmbus_info info;
	const char *why;

	hyperv_world_behave();
	wish()->no_dm = 0;
	hyperv_world_wait(8 * NS_PER_S);
	balloon_status(&status);
	vmbus_get_info(&info);
	if (status.present && status.broken && !info.fault)
		balloon_retry(balloons, &why);
	check("after a retry");
	if (now.row->blind || !status.present || info.fault || given_up())
		return;
	reach(2 * BLOCK_FRAMES + 77);
	reach(0);
}

static void live(void *arg)
{
	int err;

	(void)arg;
	if (now.step == HYPERV_STEP_START)
		tell();
	err = hyperv_world_start();
	assert_int_equal(err, 0);
	if (now.step == HYPERV_STEP_START)
		hyperv_world_await(hyperv_world_is_ready, 15 * NS_PER_S);
	else if (!hyperv_world_await(hyperv_world_is_ready, 5 * NS_PER_S))
		fail_msg("an honest host is not used: %s", hyperv_world.line);
	if (now.step != HYPERV_STEP_START)
		come_to_step();
	if (now.step != HYPERV_STEP_END) {
		go_on();
		check_verdict();
		recover();
	}
	check("at the end");
}

static void try(void)
{
	const char *mistake;

	snprintf(where, sizeof(where), "%s (%u); at step %s", now.row->name, now.variant,
		 step_names[now.step]);
	hyperv_world_begin();
	sim_tasks_run(live, NULL);
	mistake = hyperv_world_end();
	if (mistake)
		fail_msg("after the end: %s", mistake);
}

/* Of a lie with many variants each is told at two of the steps, which take turns. */
static bool is_due(void)
{
	unsigned turn = now.variant + now.variant / HYPERV_STEPS;

	return now.row->variants <= FEW || turn % HYPERV_STEPS == now.step ||
	       (turn + 3) % HYPERV_STEPS == now.step;
}

static void lie_is_survived(void **state)
{
	now.row = *state;
	for (now.step = 0; now.step < HYPERV_STEPS; now.step++)
		for (now.variant = 0; now.variant < now.row->variants; now.variant++)
			if (is_due())
				try();
	where[0] = '\0';
}

static int tell_where(void **state)
{
	(void)state;
	if (where[0] == '\0')
		return 0;
	fprintf(stderr, "         %s\n", where);
	/* Whatever state the tasks are in: they cannot go on. */
	exit(1);
}

/* A sanitizer's report ends the program: it should say what was tried. */
void __asan_on_error(void);
void __asan_on_error(void)
{
	fprintf(stderr, "In: %s\n", where);
}

int main(int argc, char **argv)
{
	struct CMUnitTest *tests = calloc(hyperv_lie_count, sizeof(*tests));
	int failed;

	for (size_t i = 0; i < hyperv_lie_count; i++)
		tests[i] = (struct CMUnitTest){
			.name = hyperv_lies[i].name,
			.test_func = lie_is_survived,
			.teardown_func = tell_where,
			.initial_state = (void *)(uintptr_t)&hyperv_lies[i],
		};
	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	failed = hyperv_world_reserve() != 0
			 ? 1
			 : _cmocka_run_group_tests("hyperv_lies", tests, hyperv_lie_count, NULL,
						   NULL);
	free(tests);
	return failed;
}
