/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The balloon's core beside hypervisors of every kind, at random: one that answers in
 * the call and refuses single frames or forgets everything, one that has no memory for
 * a while, one that asks by deltas and gives back what it likes, Xen that refuses and counts
 * short, and the virtio device.
 * The same guest allocates, writes, frees, runs out of memory and changes its settings.
 * After each step the books are held against the host's; at the end of each stretch
 * the target is reached, or it is known why not; and a host that goes leaves nothing.
 *
 *	balloon_ports_random SEED	walks with this seed alone
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "arch/clock.h"
#include "drivers/balloon/balloon_account.h"
#include "drivers/balloon/balloon_refusal.h"
#include "drivers/balloon/balloon_state_internal.h"
#include "drivers/balloon/balloon_wait.h"
#include "tests/unit/drivers/balloon/balloon_fixture.h"
#include "tests/unit/drivers/balloon/random_guest.h"
#include "tests/unit/drivers/balloon/random_hosts.h"

#define STRETCHES 12
#define STEPS 100 /* in a stretch */
#define MAP_STEPS 20
#define ROUNDS_MAX (2 * FRAMES) /* of a host that takes one frame at a time */

static const uint64_t seeds[] = { 1, 2, 3 };
static uint64_t only_seed; /* 0: all of them */

static const struct random_host *host;

/* ---- The guest ---- */

/* Returns whether there was a run. */
static bool allocate(unsigned order)
{
	pfn_t pfn;

	if (frame_alloc(order, OWNER_HELD, &pfn)) {
		if (order > 0)
			return false;
		assert_int_equal(ledger_count(OWNER_FREE) + ledger_count(OWNER_REFUSED) +
					 ledger_count(OWNER_REPORTED) + ledger_count(OWNER_LEAVING),
				 0);
		if (host->returns_at_oom && !host->excuses())
			assert_int_equal(ballooned(), 0);
		return false;
	}
	hold(pfn, order);
	return true;
}

static void allocate_some(void)
{
	unsigned order = one_in(3) ? (unsigned)below(BLOCK_ORDER + 1) : 0;
	uint64_t n = 1 + below(order == 0 ? 200 : 4);

	host->answer_at_once(true);
	while (n-- > 0 && allocate(order))
		;
	host->answer_at_once(false);
}

/* All that is free, and more. */
static void run_out_of_memory(void)
{
	static pfn_t pfns[FRAMES];
	size_t count = frame_alloc_bulk(FRAMES, PFN_NONE, OWNER_HELD, pfns);

	for (size_t i = 0; i < count; i++)
		hold(pfns[i], 0);
	host->answer_at_once(true);
	for (uint64_t n = below(20); n > 0 && allocate(0); n--)
		;
	host->answer_at_once(false);
}

/* ---- The comparison ---- */

static void check_account(void)
{
	struct balloon_status s = status();
	struct balloon_account account;

	assert_true(s.present);
	if (s.broken)
		fail_msg("it is given up: %s", s.broken);
	assert_int_equal(s.deflate_on_oom, host->returns_at_oom);
	balloon_account(&account);
	assert_int_equal(account.inflated_free, host->returns_at_oom ? ballooned() : 0);
	assert_int_equal(account.inflated_total, host->returns_at_oom ? 0 : ballooned());
	assert_int_equal(account.free, ledger_count(OWNER_FREE));
}

/* Frame by frame: what belongs to whom, and who may touch it. */
static void check_map(void)
{
	bool ahead = host->is_ahead();

	for (pfn_t pfn = FIRST; pfn < FIRST + FRAMES; pfn++) {
		enum owner owner = frame_owner(pfn);
		bool has = host->has(pfn);

		if (owner == OWNER_BALLOON && !has && !ahead)
			fail_msg("frame %#llx is the balloon's, and the host has it not",
				 (unsigned long long)pfn);
		if (has && owner != OWNER_BALLOON && owner != OWNER_IN_FLIGHT)
			fail_msg("frame %#llx is %s, and the host has it", (unsigned long long)pfn,
				 owner_name(owner));
		if ((owner == OWNER_FREE || owner == OWNER_HELD || owner == OWNER_REFUSED) &&
		    sim_ram_is_lent(pfn))
			fail_msg("frame %#llx is %s, and the host may use it",
				 (unsigned long long)pfn, owner_name(owner));
	}
}

static void check(void)
{
	assert_books();
	check_account();
	host->check();
}

/* ---- Rest ---- */

static void rounds(void)
{
	for (unsigned n = 0; balloon_step(); n++)
		assert_true(n < ROUNDS_MAX);
}

/* Until the host owes nothing, and nothing is to do at once. */
static void come_to_rest(void)
{
	do
		rounds();
	while (host->answer() > 0 || balloon_has_news(balloons));
	rounds();
}

/* What is not given now has a reason, and the status tells how much that is. */
static void check_explained(void)
{
	struct balloon_status s = status();
	uint64_t leaving = ledger_count(OWNER_LEAVING), given = ballooned() + leaving;
	bool left_alone = clock_ns() < balloons->hold_off_end ||
			  clock_ns() < balloon_refusal_pause_end(&balloons->refusal);

	assert_int_equal(ledger_count(OWNER_IN_FLIGHT), 0);
	assert_true(leaving == 0 || left_alone);
	if (s.target == given) {
		assert_int_equal(s.shortfall, 0);
		assert_int_equal(ledger_count(OWNER_REFUSED), 0);
		return;
	}
	/* Either the host wants it so, or the guest has no more than its floor. */
	assert_true(left_alone || (s.target > given && ledger_count(OWNER_FREE) <= s.floor));
	assert_int_equal(s.shortfall, s.target > given ? s.target - given : 0);
}

/* With a host that behaves nothing but the floor is a reason. */
static void check_exact(void)
{
	struct balloon_status s = status();

	assert_int_equal(ledger_count(OWNER_IN_FLIGHT) + ledger_count(OWNER_LEAVING) +
				 ledger_count(OWNER_REPORTED) + ledger_count(OWNER_REFUSED),
			 0);
	if (s.target != ballooned()) {
		assert_true(s.target > ballooned());
		assert_true(ledger_count(OWNER_FREE) <= s.floor);
	}
	assert_int_equal(s.shortfall, s.target - ballooned());
	assert_int_equal(s.actual, ballooned());
	host->check_rest();
	check_map();
}

static void end_stretch(void)
{
	come_to_rest();
	check();
	check_explained();
	host->behave();
	/* The longest pause there can be; then what was held off, and is lent. */
	for (int i = 0; i < 3; i++) {
		sim_time_advance(BALLOON_PAUSE_MAX_NS + NS_PER_MS);
		come_to_rest();
	}
	check();
	check_exact();
}

/* ---- The walk ---- */

static void some_floor(void)
{
	balloon_set_floor(one_in(4) ? 0 : below(FRAMES / 2));
}

static void some_strategy(void)
{
	(void)!balloon_set_strategy((enum balloon_strategy)below(BALLOON_STRATEGIES));
}

static void some_target(void)
{
	uint64_t most = host->deltas ? FRAMES / 2 : FRAMES + FRAMES / 8;

	host->want(one_in(8) && !host->deltas ? 0 : below(most));
}

static void some_time(void)
{
	if (one_in(4))
		come_to_rest();
	/* Less than anybody's patience, if anything is owed. */
	sim_time_advance(below(balloon_sent_awake(balloons) == DEADLINE_NEVER ? 5 * NS_PER_S
									      : NS_PER_S / 5));
}

/* The host goes, in mid-flight; and another comes. */
static void replace(void)
{
	host->unplug();
	assert_books();
	assert_int_equal(ledger_count(OWNER_FREE) + ledger_count(OWNER_HELD), FRAMES);
	assert_false(status().present);
	host->plug();
	host->want(below(FRAMES));
}

static void do_something(void)
{
	uint64_t dice = below(100);

	if (dice < 38) {
		for (uint64_t n = 1 + below(3); n > 0; n--)
			balloon_step();
	} else if (dice < 62) {
		host->act();
	} else if (dice < 74) {
		allocate_some();
	} else if (dice < 84) {
		free_some();
	} else if (dice < 88) {
		run_out_of_memory();
	} else if (dice < 91) {
		some_floor();
	} else if (dice < 93) {
		some_strategy();
	} else if (dice < 96) {
		some_time();
	} else if (dice < 99) {
		some_target();
	} else if (one_in(2)) {
		replace();
	}
}

static void begin_walk(uint64_t with)
{
	static const struct balloon_config config = { .floor = 0 };
	static const struct memmap map = { .count = 1,
					   .range = { { FIRST, FIRST + FRAMES } },
					   .frames = FRAMES };

	print_message("             seed %llu\n", (unsigned long long)with);
	random_begin(with);
	sim_time_reset();
	sim_log_reset();
	sim_ram_start(&map);
	frame_set_reclaimer(balloon_reclaim);
	hold_nothing();
	balloon_init(&config);
	host->plug();
}

static void end_walk(void)
{
	free_all();
	host->unplug();
	assert_books();
	assert_int_equal(ledger_count(OWNER_FREE), FRAMES);
	for (pfn_t pfn = FIRST; pfn < FIRST + FRAMES; pfn++)
		assert_false(sim_ram_is_lent(pfn));
	sim_ram_stop();
}

static void walk(uint64_t with)
{
	begin_walk(with);
	for (unsigned n = 0; n < STRETCHES; n++) {
		some_target();
		for (unsigned i = 0; i < STEPS; i++) {
			do_something();
			check();
			if (i % MAP_STEPS == 0)
				check_map();
		}
		end_stretch();
	}
	end_walk();
}

static void walk_with(const struct random_host *this_host)
{
	host = this_host;
	random_begin_walks();
	for (size_t i = 0; i < ARRAY_SIZE(seeds) && only_seed == 0; i++)
		walk(seeds[i]);
	if (only_seed > 0)
		walk(only_seed);
	else
		host->check_walk();
}

static void a_host_that_refuses_frames_and_forgets_has_no_frame_too_many(void **state)
{
	(void)state;
	walk_with(&random_hosts[RANDOM_HOST_REFUSES]);
}

static void a_host_without_memory_for_a_while_is_asked_again(void **state)
{
	(void)state;
	walk_with(&random_hosts[RANDOM_HOST_HAS_NO_MEMORY]);
}

static void a_host_that_asks_by_deltas_gets_what_it_asks_or_hears_why_not(void **state)
{
	(void)state;
	walk_with(&random_hosts[RANDOM_HOST_ASKS_BY_DELTAS]);
}

static void xen_has_what_the_toolstack_says_and_the_books_say(void **state)
{
	(void)state;
	walk_with(&random_xen);
}

static void a_virtio_device_gets_its_target(void **state)
{
	(void)state;
	walk_with(&random_hosts[RANDOM_HOST_VIRTIO]);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_host_that_refuses_frames_and_forgets_has_no_frame_too_many),
		cmocka_unit_test(a_host_without_memory_for_a_while_is_asked_again),
		cmocka_unit_test(a_host_that_asks_by_deltas_gets_what_it_asks_or_hears_why_not),
		cmocka_unit_test(xen_has_what_the_toolstack_says_and_the_books_say),
		cmocka_unit_test(a_virtio_device_gets_its_target),
	};

	only_seed = argc > 1 ? strtoull(argv[1], NULL, 0) : 0;
	return cmocka_run_group_tests_name("balloon_ports_random", tests, set_up_ram, NULL);
}
