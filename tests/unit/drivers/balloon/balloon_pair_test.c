/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Two balloons in one guest: a host that answers in the call and lets frames come back in
 * need, as VMware, beside one that asks by deltas and does not, as Hyper-V. Each has its
 * target, and nobody has a frame of the other's.
 */
#include <errno.h>
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "arch/clock.h"
#include "drivers/balloon/balloon_account.h"
#include "drivers/balloon/balloon_state_internal.h"
#include "drivers/balloon/balloon_vacate.h"
#include "tests/sim/sim_command.h"
#include "tests/sim/sim_detach.h"
#include "tests/sim/sim_port_delta.h"
#include "tests/sim/sim_port_sync.h"
#include "tests/unit/drivers/balloon/balloon_fixture.h"
#include "tests/unit/drivers/balloon/region_world.h"

#define FLOOR 300

#define PAIR_TEST(name) cmocka_unit_test_setup_teardown(name, set_up_pair, tear_down_pair)

static struct balloon_status of(size_t number)
{
	struct balloon_status status;

	assert_true(balloon_status_of(number, &status));
	return status;
}

/* What each host has is in its balloon, and on nobody else's list. */
static void assert_apart(void)
{
	for (size_t i = 0; i < RAM_FRAMES; i++)
		assert_false(sim_sync.host.has[i] && sim_delta.host.has[i]);
	assert_int_equal(sim_sync.host.count, ledger_count(OWNER_BALLOON));
	assert_int_equal(sim_delta.host.count, ledger_count(OWNER_BALLOON_2));
	assert_books();
}

static void attach_both(void)
{
	assert_int_equal(balloon_attach(sim_port_sync(), NULL), 0);
	assert_int_equal(balloon_attach(sim_port_delta(), &sim_delta.waiters), 0);
	assert_int_equal(balloon_count(), 2);
}

static int set_up_pair(void **state)
{
	const struct balloon_config config = { .floor = FLOOR };

	set_up(state);
	sim_port_sync_init();
	sim_port_delta_init();
	sim_delta.at_once = true;
	frame_set_reclaimer(balloon_reclaim);
	balloon_init(&config);
	attach_both();
	return 0;
}

static int tear_down_pair(void **state)
{
	(void)state;
	balloon_stay();
	sim_detach_all();
	assert_books();
	frame_free_owned(OWNER_HELD, UINT64_MAX);
	if (sim_sync.host.violation || sim_delta.host.violation)
		fail_msg("%s", sim_sync.host.violation ? sim_sync.host.violation
						       : sim_delta.host.violation);
	sim_command_forget();
	sim_ram_stop();
	return 0;
}

static void want(uint64_t sync, uint64_t more_of_delta)
{
	sim_sync.target = sync;
	sim_port_delta_ask(more_of_delta);
	settle();
}

/* The first frames that the host of deltas has go back. */
static void delta_returns(uint64_t count)
{
	pfn_t first;
	uint64_t n = sim_host_find(&sim_delta.host, 0, count, &first);

	assert_int_equal(n, count);
	assert_true(sim_port_delta_return(first, n, true));
	settle();
}

/* ---- Targets ---- */

static void each_has_its_target_and_its_own_frames(void **state)
{
	(void)state;
	want(3000, 2000);
	assert_int_equal(sim_sync.host.count, 3000);
	assert_int_equal(sim_delta.host.count, 2000);
	assert_apart();
	assert_int_equal(balloon_frames_of(sim_port_sync()), 3000);
	assert_int_equal(balloon_frames_of(sim_port_delta()), 2000);
	/* What comes back is not the other's. */
	want(100, 0);
	assert_int_equal(sim_sync.host.count, 100);
	assert_int_equal(sim_delta.host.count, 2000);
	assert_apart();
	delta_returns(500);
	assert_int_equal(sim_sync.host.count, 100);
	assert_int_equal(sim_delta.host.count, 1500);
	assert_apart();
}

static void a_frame_of_the_others_is_not_given_back(void **state)
{
	pfn_t first;

	(void)state;
	want(600, 600);
	assert_int_equal(sim_host_find(&sim_sync.host, 0, 8, &first), 8);
	assert_int_equal(balloon_return_run(sim_port_delta(), first, 8), -EINVAL);
	assert_int_equal(sim_host_find(&sim_delta.host, 0, 8, &first), 8);
	assert_int_equal(balloon_return_run(sim_port_sync(), first, 8), -EINVAL);
	assert_apart();
}

/* Whoever comes first has it; both together stop at the floor, and it is known what is missing. */
static void the_floor_is_for_both_together(void **state)
{
	struct balloon_status sum;

	(void)state;
	want(RAM_FRAMES / 2, RAM_FRAMES);
	assert_int_equal(ledger_count(OWNER_FREE), FLOOR);
	assert_int_equal(sim_sync.host.count + sim_delta.host.count, RAM_FRAMES - FLOOR);
	balloon_status(&sum);
	assert_true(sum.present);
	assert_int_equal(sum.actual, RAM_FRAMES - FLOOR);
	assert_int_equal(sum.target, of(0).target + of(1).target);
	assert_int_equal(sum.shortfall, sum.target - sum.actual);
	assert_apart();
	/* One makes room for the other. */
	sim_sync.target = 0;
	settle();
	assert_int_equal(sim_sync.host.count, 0);
	assert_int_equal(ledger_count(OWNER_FREE), RAM_FRAMES - sim_delta.host.count);
	assert_apart();
}

/* ---- Accounting ---- */

static void each_is_accounted_in_its_own_way(void **state)
{
	struct balloon_account account;

	(void)state;
	want(1000, 700);
	balloon_account(&account);
	assert_int_equal(account.inflated_free, 1000);
	assert_int_equal(account.inflated_total, 700);
	assert_int_equal(account.total, RAM_FRAMES - 700);
	assert_int_equal(account.free, RAM_FRAMES - 1700);
}

static void the_console_says_which_has_what(void **state)
{
	(void)state;
	want(256, 512);
	assert_int_equal(sim_command("balloon"), 0);
	assert_non_null(strstr(sim_command_text, "balloon: sync\n"
						 "InflatedTotal: 0 kB\nInflatedFree: 1024 kB\n"
						 "Target: 1024 kB\nActual: 1024 kB\n"));
	assert_non_null(strstr(sim_command_text, "balloon-2: delta\n"
						 "InflatedTotal: 2048 kB\nInflatedFree: 0 kB\n"
						 "Target: 2048 kB\nActual: 2048 kB\n"));
	assert_int_equal(sim_command("balloon -j"), 0);
	assert_non_null(strstr(sim_command_text, "{\"name\":\"balloon\",\"port\":\"sync\","
						 "\"inflated-total\":0,"
						 "\"inflated-free\":1048576,"));
	assert_non_null(strstr(sim_command_text, "}\n{\"name\":\"balloon-2\",\"port\":\"delta\","
						 "\"inflated-total\":2097152,"
						 "\"inflated-free\":0,"));
}

static void settings_are_for_both(void **state)
{
	(void)state;
	assert_int_equal(sim_command("balloon strategy whole-block"), 0);
	assert_int_equal(of(0).effective, BALLOON_WHOLE_BLOCK);
	assert_int_equal(of(1).effective, BALLOON_WHOLE_BLOCK);
	/* One of them can: the other does what it can. */
	assert_int_equal(balloons[0].terms.ranges, 0);
	assert_true(balloons[1].terms.ranges > 0);
	assert_int_equal(sim_command("balloon strategy range-first"), 0);
	assert_int_equal(of(0).strategy, BALLOON_AUTO);
	assert_int_equal(of(1).effective, BALLOON_RANGE_FIRST);
	assert_int_equal(sim_command("balloon floor 4M"), 0);
	want(RAM_FRAMES, 0);
	assert_int_equal(ledger_count(OWNER_FREE), 4 * MIB / FRAME_SIZE);
}

static void each_records_its_own_events(void **state)
{
	struct event event;

	(void)state;
	memset(&balloon_events, 0, sizeof(balloon_events));
	memset(&balloon_2_events, 0, sizeof(balloon_2_events));
	want(40, 0);
	assert_int_equal(balloon_2_events.recorded, 0);
	assert_true(events_get(&balloon_events, 1, &event));
	assert_int_equal(event.type, BALLOON_EVENT_TARGET);
	assert_int_equal(event.argument[0], 40);
	want(40, 50);
	assert_true(events_get(&balloon_2_events, 1, &event));
	assert_int_equal(event.type, BALLOON_EVENT_TARGET);
	assert_int_equal(event.argument[0], 50);
}

/* ---- What goes wrong with one ---- */

static void one_that_forgets_everything_leaves_the_other_alone(void **state)
{
	(void)state;
	want(3000, 2000);
	sim_sync.target = 0;
	sim_port_sync_forget();
	settle();
	assert_int_equal(of(0).recoveries, 1);
	assert_int_equal(of(0).actual, 0);
	assert_int_equal(sim_delta.host.count, 2000);
	assert_apart();
}

static void one_that_is_given_up_leaves_the_other_alone_and_is_tried_again(void **state)
{
	(void)state;
	want(1000, 2000);
	/* It keeps what it has over its resets. */
	sim_sync.resets_well = UINT64_MAX;
	sim_sync.fault = BALLOON_FAULT_RULES;
	settle();
	assert_non_null(of(0).broken);
	assert_null(of(1).broken);
	want(1500, 700);
	assert_int_equal(sim_sync.host.count, 1000);
	assert_int_equal(sim_delta.host.count, 2700);
	assert_apart();
	assert_int_equal(sim_command("balloon wait"), 6);
	assert_int_equal(sim_command("balloon retry"), 0);
	settle();
	assert_null(of(0).broken);
	assert_int_equal(sim_sync.host.count, 1500);
	/* Both are well: there is nothing to retry. */
	assert_int_equal(sim_command("balloon retry"), -EALREADY);
	assert_apart();
	sim_sync.resets_well = 0;
}

static void what_one_has_set_aside_does_not_come_back_with_the_others_target(void **state)
{
	uint64_t aside;

	(void)state;
	sim_sync.refuse_every = 3;
	sim_sync.one_reason = true;
	sim_sync.target = 2000;
	balloon_step();
	aside = ledger_count(OWNER_REFUSED);
	assert_true(aside > 0);
	/* It reaches its target and forgives what it was refused, which is nothing. */
	sim_port_delta_ask(10);
	for (int i = 0; i < 4; i++)
		balloon_step();
	assert_int_equal(of(1).actual, 10);
	assert_true(ledger_count(OWNER_REFUSED) >= aside);
}

static void one_goes_and_comes_again_beside_the_other(void **state)
{
	(void)state;
	want(1000, 2000);
	balloon_detach(sim_port_sync());
	assert_int_equal(balloon_count(), 1);
	assert_int_equal(ledger_count(OWNER_BALLOON), 0);
	assert_int_equal(sim_delta.host.count, 2000);
	sim_port_delta_ask(100);
	settle();
	assert_int_equal(sim_delta.host.count, 2100);
	sim_sync.target = 50;
	assert_int_equal(balloon_attach(sim_port_sync(), NULL), 0);
	settle();
	assert_int_equal(balloon_count(), 2);
	assert_apart();
	assert_int_equal(sim_sync.host.count, 50);
}

/* ---- Memory in need ---- */

static void frames_come_back_from_the_one_that_lets_them(void **state)
{
	struct balloon_status sum;

	(void)state;
	want(2000, 2000);
	exhaust();
	assert_true(balloon_reclaim(0) > 0);
	settle();
	assert_int_equal(sim_delta.host.count, 2000);
	assert_true(sim_sync.host.count < 2000);
	balloon_status(&sum);
	assert_int_equal(sum.oom_events, 1);
	assert_int_equal(of(0).oom_events, 1);
	assert_int_equal(of(1).oom_events, 0);
	assert_apart();
	/* What came back is not for the other's host. */
	sim_port_delta_ask(10);
	settle();
	assert_int_equal(sim_delta.host.count, 2000);
}

/* Of either of them. */
static void frames_that_only_leave_come_back_first(void **state)
{
	(void)state;
	assert_int_equal(balloon_set_strategy(BALLOON_RANGE_FIRST), 0);
	sim_port_delta_ask(4 * BLOCK_FRAMES);
	balloon_step();
	assert_true(ledger_count(OWNER_LEAVING_2) > 0);
	assert_int_equal(ledger_count(OWNER_LEAVING), 0);
	exhaust();
	assert_int_equal(balloon_reclaim(0), 1);
	assert_int_equal(of(0).oom_events + of(1).oom_events, 0);
}

/* ---- Memory that is to leave ---- */

static uint64_t held_in(pfn_t start, pfn_t end)
{
	return frames_of(OWNER_BALLOON, start, end) + frames_of(OWNER_BALLOON_2, start, end);
}

/* Both are in the upper region, and one of them gives nothing back by itself. */
static void a_stretch_is_vacant_when_neither_has_any_of_it(void **state)
{
	enum balloon_vacancy got = BALLOON_MOVING_OUT;

	(void)state;
	sim_detach_all();
	sim_ram_stop();
	region_world_start();
	region_world_plug(LOWER, LOWER_BLOCKS);
	region_world_plug(UPPER, UPPER_BLOCKS);
	attach_both();
	assert_int_equal(balloon_giving_owners(), owner_bit(OWNER_BALLOON));
	want(boot_free() + LOWER_BLOCKS * BLOCK_FRAMES, 0);
	want(sim_sync.target + BLOCK_FRAMES, 700);
	assert_true(frames_of(OWNER_BALLOON, UPPER, UPPER_END) > 0);
	assert_true(frames_of(OWNER_BALLOON_2, UPPER, UPPER_END) > 0);
	/* There is room elsewhere. */
	want(1000, 0);
	for (int i = 0; i < 100 && got == BALLOON_MOVING_OUT; i++) {
		got = balloon_vacate(UPPER, UPPER_END);
		settle();
		sim_time_advance(NS_PER_MS);
	}
	assert_int_equal(frames_of(OWNER_BALLOON, UPPER, UPPER_END), 0);
	assert_int_equal(got, BALLOON_GIVES_NONE);
	assert_int_equal(balloon_vacate(UPPER, UPPER_END), BALLOON_GIVES_NONE);
	while (sim_delta.host.count > 0) {
		pfn_t first;
		uint64_t n = sim_host_find(&sim_delta.host, 0, 512, &first);

		assert_true(sim_port_delta_return(first, n, true));
		settle();
	}
	assert_int_equal(held_in(UPPER, UPPER_END), 0);
	assert_int_equal(balloon_vacate(UPPER, UPPER_END), BALLOON_VACANT);
	assert_int_equal(sim_sync.host.count, 1000);
}

/* ---- At random ---- */

static uint64_t seed = 88172645463325252u;

static uint64_t below(uint64_t n)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed % n;
}

static void do_something(void)
{
	pfn_t first;
	uint64_t n;

	switch (below(8)) {
	case 0:
		sim_sync.target = below(RAM_FRAMES);
		break;
	case 1:
		sim_port_delta_ask(below(RAM_FRAMES / 4));
		break;
	case 2:
	case 3:
		n = sim_host_find(&sim_delta.host, below(RAM_FRAMES), 1 + below(2000), &first);
		if (n > 0)
			sim_port_delta_return(first, n, true);
		break;
	case 4:
		sim_sync.refuse_every = (unsigned)below(3) * 7;
		break;
	case 5:
		if (below(4) == 0)
			sim_port_sync_forget();
		break;
	case 6:
		balloon_reclaim((unsigned)below(3));
		break;
	default:
		sim_time_advance(below(3 * NS_PER_S));
		break;
	}
}

static void whatever_happens_each_has_its_own(void **state)
{
	(void)state;
	for (int i = 0; i < 3000; i++) {
		do_something();
		balloon_step();
		if (below(10) == 0)
			settle();
		if (sim_sync.host.violation || sim_delta.host.violation)
			fail_msg("step %d: %s", i,
				 sim_sync.host.violation ? sim_sync.host.violation
							 : sim_delta.host.violation);
		assert_null(of(1).broken);
	}
	sim_sync.refuse_every = 0;
	sim_sync.target = 111;
	for (int i = 0; i < 100; i++) {
		settle();
		sim_time_advance(NS_PER_S);
	}
	assert_int_equal(sim_sync.host.count, 111);
	assert_apart();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		PAIR_TEST(each_has_its_target_and_its_own_frames),
		PAIR_TEST(a_frame_of_the_others_is_not_given_back),
		PAIR_TEST(the_floor_is_for_both_together),
		PAIR_TEST(each_is_accounted_in_its_own_way),
		PAIR_TEST(the_console_says_which_has_what),
		PAIR_TEST(settings_are_for_both),
		PAIR_TEST(each_records_its_own_events),
		PAIR_TEST(one_that_forgets_everything_leaves_the_other_alone),
		PAIR_TEST(one_that_is_given_up_leaves_the_other_alone_and_is_tried_again),
		PAIR_TEST(what_one_has_set_aside_does_not_come_back_with_the_others_target),
		PAIR_TEST(one_goes_and_comes_again_beside_the_other),
		PAIR_TEST(frames_come_back_from_the_one_that_lets_them),
		PAIR_TEST(frames_that_only_leave_come_back_first),
		PAIR_TEST(a_stretch_is_vacant_when_neither_has_any_of_it),
		PAIR_TEST(whatever_happens_each_has_its_own),
	};

	return cmocka_run_group_tests_name("balloon_pair", tests, set_up_ram, NULL);
}
