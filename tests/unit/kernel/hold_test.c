/* SPDX-License-Identifier: BSD-2-Clause */
/* kernel/hold.c with the real allocator on 64 MiB: what is taken, and what is noticed. */
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

#define NO_HOLD 0
#define RUNS_A_PAGE 510 /* of addresses that a frame of the list has room for */
#define WORDS (FRAME_SIZE / sizeof(uint64_t))

static unsigned asked, stop_at;
static uint64_t held_when_asked;

static bool stop_sometime(void)
{
	held_when_asked = ledger_count(OWNER_HELD);
	return ++asked == stop_at;
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
	asked = stop_at = 0;
	return 0;
}

static void assert_nothing_is_held(void)
{
	struct hold_info info;
	char verdict[LEDGER_VERDICT_MAX];

	assert_false(hold_next(0, &info));
	assert_int_equal(ledger_count(OWNER_FREE), SIM_RAM_FRAMES);
	assert_true(ledger_audit(verdict));
	assert_int_equal(ledger_refused(), 0);
}

static int tear_down(void **state)
{
	struct hold_info info;
	uint64_t broken;
	pfn_t first;

	(void)state;
	while (hold_next(0, &info))
		assert_int_equal(hold_release(info.id, NULL, &broken, &first), 0);
	assert_nothing_is_held();
	sim_ram_stop();
	return 0;
}

static unsigned take(uint64_t runs, unsigned order)
{
	unsigned id = NO_HOLD;

	assert_int_equal(hold_take(runs, order, stop_sometime, &id), 0);
	assert_int_not_equal(id, NO_HOLD);
	return id;
}

/* Returns how many frames were broken; the lowest must be this one. */
static uint64_t release(unsigned id, pfn_t lowest)
{
	uint64_t broken = 12345;
	pfn_t first = 12345;

	assert_int_equal(hold_release(id, NULL, &broken, &first), 0);
	assert_int_equal(first, lowest);
	return broken;
}

static uint64_t *words_of(pfn_t pfn)
{
	return phys_to_virt(pfn_to_paddr(pfn));
}

/* Stores the held frames, all of them or the lowest ones. */
static size_t held(pfn_t *pfns, size_t count)
{
	return frame_collect(OWNER_HELD, 0, count, pfns);
}

/* ---- Taking ---- */

static void so_many_runs_are_held_and_come_back(void **state)
{
	static const struct {
		uint64_t runs;
		unsigned order;
		uint64_t pages;
	} holds[] = {
		{ 1, 0, 1 },
		{ 7, 3, 1 },
		{ 2, 9, 1 },
		{ 1, 10, 1 },
		{ RUNS_A_PAGE, 0, 1 },
		{ RUNS_A_PAGE + 1, 0, 2 },
		{ 2 * RUNS_A_PAGE + 1, 1, 3 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(holds); i++) {
		unsigned id = take(holds[i].runs, holds[i].order);
		struct hold_info info;

		assert_int_equal(ledger_count(OWNER_HELD), holds[i].runs << holds[i].order);
		assert_int_equal(ledger_count(OWNER_KERNEL), holds[i].pages);
		assert_true(hold_next(0, &info));
		assert_int_equal(info.id, id);
		assert_int_equal(info.runs, holds[i].runs);
		assert_int_equal(info.order, holds[i].order);
		assert_int_equal(release(id, PFN_NONE), 0);
		assert_nothing_is_held();
	}
}

/* Asked before each frame: others had their turn after every 256. */
static uint64_t turns_seen;
static unsigned turn_at, full_turns;

static bool watch_turns(void)
{
	asked++;
	if (sim_time_waits == turns_seen)
		return false;
	if (turns_seen > 0) {
		assert_int_equal(asked - turn_at, 256);
		full_turns++;
	}
	turns_seen = sim_time_waits;
	turn_at = asked;
	return false;
}

static void others_have_their_turn_after_256_frames(void **state)
{
	unsigned id;

	(void)state;
	turns_seen = turn_at = full_turns = 0;
	assert_int_equal(hold_take(2048, 0, watch_turns, &id), 0);
	assert_int_equal(sim_time_waits, 8);
	assert_in_range(full_turns, 6, 7);
	/* Each frame is verified, and then freed. */
	assert_int_equal(release(id, PFN_NONE), 0);
	assert_int_equal(sim_time_waits, 8 + 16);
}

static void a_hold_that_does_not_fit_leaves_nothing(void **state)
{
	unsigned id;

	(void)state;
	assert_int_equal(hold_take(SIM_RAM_FRAMES, 0, stop_sometime, &id), -ENOMEM);
	assert_nothing_is_held();
	assert_int_equal(hold_take(SIM_RAM_FRAMES / BLOCK_FRAMES, BLOCK_ORDER, stop_sometime, &id),
			 -ENOMEM);
	assert_nothing_is_held();
	take(SIM_RAM_FRAMES / BLOCK_FRAMES - 1, BLOCK_ORDER);
}

/* Where the last frame is taken, there is none to note its address in. */
static void a_run_without_a_page_for_its_address_is_given_back(void **state)
{
	unsigned all, id;

	(void)state;
	/* Of all frames one is the list's, so many times. */
	all = take(SIM_RAM_FRAMES - (SIM_RAM_FRAMES + RUNS_A_PAGE) / (RUNS_A_PAGE + 1), 0);
	assert_int_equal(ledger_count(OWNER_FREE), 0);
	release(all, PFN_NONE);
	all = take(SIM_RAM_FRAMES - (SIM_RAM_FRAMES + RUNS_A_PAGE) / (RUNS_A_PAGE + 1) - 1, 0);
	assert_int_equal(ledger_count(OWNER_FREE), 1);
	assert_int_equal(hold_take(1, 0, stop_sometime, &id), -ENOMEM);
	assert_int_equal(ledger_count(OWNER_FREE), 1);
	assert_int_equal(release(all, PFN_NONE), 0);
}

static void taking_stops_when_it_is_told_to(void **state)
{
	unsigned id;

	(void)state;
	stop_at = 100;
	assert_int_equal(hold_take(1000, 2, stop_sometime, &id), -EINTR);
	assert_int_equal(asked, 100);
	/* Asked before each frame is filled. */
	assert_int_equal(held_when_asked, 4 * 25);
	assert_nothing_is_held();
	take(1000, 2);
	assert_int_equal(asked, 4100);
}

static void there_are_so_many_holds_and_no_more(void **state)
{
	unsigned ids[HOLDS_MAX], id = NO_HOLD;

	(void)state;
	for (unsigned i = 0; i < HOLDS_MAX; i++)
		ids[i] = take(i + 1, 0);
	assert_int_equal(hold_take(1, 0, stop_sometime, &id), -EAGAIN);
	assert_int_equal(release(ids[5], PFN_NONE), 0);
	id = take(1, 0);
	assert_true(id > ids[HOLDS_MAX - 1]);
}

static void holds_are_listed_in_the_order_of_their_ids(void **state)
{
	unsigned expected[4], id = 0, first = take(1, 0);
	struct hold_info info;

	(void)state;
	for (unsigned i = 0; i < 3; i++)
		expected[i] = take(2, i);
	/* The last one is where the first one was. */
	assert_int_equal(release(first, PFN_NONE), 0);
	expected[3] = take(4, 0);
	for (unsigned i = 0; i < 4; i++) {
		assert_true(hold_next(id, &info));
		assert_int_equal(info.id, expected[i]);
		id = info.id;
	}
	assert_false(hold_next(id, &info));
}

/* ---- The pattern ---- */

static void no_two_words_of_a_hold_are_the_same(void **state)
{
	pfn_t pfns[4];
	unsigned id = take(4, 0);

	(void)state;
	assert_int_equal(held(pfns, 4), 4);
	for (size_t a = 0; a < 4 * WORDS; a++)
		for (size_t b = 0; b < a; b++)
			assert_int_not_equal(words_of(pfns[a / WORDS])[a % WORDS],
					     words_of(pfns[b / WORDS])[b % WORDS]);
	assert_int_equal(release(id, PFN_NONE), 0);
}

static void every_bit_of_a_frame_is_verified(void **state)
{
	(void)state;
	for (size_t word = 0; word < WORDS; word++) {
		unsigned id = take(3, 0);
		pfn_t pfns[3];

		held(pfns, 3);
		words_of(pfns[1])[word] ^= UINT64_C(1) << word % 64;
		assert_int_equal(release(id, pfns[1]), 1);
	}
}

static void break_every_other_frame(uint64_t runs, unsigned order)
{
	static pfn_t pfns[2 * BLOCK_FRAMES];
	unsigned id = take(runs, order);
	size_t count = held(pfns, ARRAY_SIZE(pfns));

	assert_int_equal(count, runs << order);
	for (size_t i = 1; i < count; i += 2)
		words_of(pfns[i])[i % WORDS] = 0;
	assert_int_equal(release(id, pfns[1]), count / 2);
	assert_nothing_is_held();
}

static void all_broken_frames_are_counted_and_the_lowest_is_named(void **state)
{
	(void)state;
	break_every_other_frame(600, 0);
	break_every_other_frame(100, 3);
	break_every_other_frame(2, BLOCK_ORDER);
}

static void frames_that_changed_places_are_broken(void **state)
{
	unsigned id = take(2, 0);
	uint64_t copy[WORDS];
	pfn_t pfns[2];

	(void)state;
	held(pfns, 2);
	memcpy(copy, words_of(pfns[0]), FRAME_SIZE);
	memcpy(words_of(pfns[0]), words_of(pfns[1]), FRAME_SIZE);
	memcpy(words_of(pfns[1]), copy, FRAME_SIZE);
	assert_int_equal(release(id, pfns[0]), 2);
}

/* As a device would that restores what was there when it took the frame. */
static void what_an_earlier_hold_wrote_is_broken(void **state)
{
	uint64_t copy[WORDS];
	pfn_t before, after;
	unsigned id = take(1, 0);

	(void)state;
	held(&before, 1);
	memcpy(copy, words_of(before), FRAME_SIZE);
	assert_int_equal(release(id, PFN_NONE), 0);
	id = take(1, 0);
	held(&after, 1);
	assert_int_equal(after, before);
	memcpy(words_of(after), copy, FRAME_SIZE);
	assert_int_equal(release(id, after), 1);
}

static void a_frame_of_zeroes_is_broken(void **state)
{
	unsigned id = take(1, 4);
	pfn_t pfns[16];

	(void)state;
	held(pfns, 16);
	memset(words_of(pfns[15]), 0, FRAME_SIZE);
	assert_int_equal(release(id, pfns[15]), 1);
}

/* ---- Releasing ---- */

static void what_is_no_hold_is_not_released(void **state)
{
	unsigned id = take(1, 0);
	uint64_t broken = 5;
	pfn_t first = 5;

	(void)state;
	assert_int_equal(hold_release(id + 1, NULL, &broken, &first), -ENOENT);
	assert_int_equal(broken, 0);
	assert_int_equal(first, PFN_NONE);
	assert_int_equal(hold_release(NO_HOLD, NULL, &broken, &first), -ENOENT);
	assert_int_equal(ledger_count(OWNER_HELD), 1);
	assert_int_equal(release(id, PFN_NONE), 0);
	assert_int_equal(hold_release(id, NULL, &broken, &first), -ENOENT);
}

/* A frame of the first run that is looked at, and one that nobody comes to look at. */
static void a_release_that_is_stopped_frees_all_the_same(void **state)
{
	unsigned id;
	uint64_t broken;
	pfn_t first, pfns[16];

	(void)state;
	id = take(8, 1);
	held(pfns, 16);
	memset(words_of(pfns[0]), 0, FRAME_SIZE);
	memset(words_of(pfns[15]), 0, FRAME_SIZE);
	stop_at = asked + 3;
	assert_int_equal(hold_release(id, stop_sometime, &broken, &first), -EINTR);
	assert_int_equal(asked, stop_at);
	assert_int_equal(broken, 1);
	assert_int_equal(first, pfns[0]);
	assert_nothing_is_held();
	assert_int_equal(hold_release(id, NULL, &broken, &first), -ENOENT);
}

/* Of what a hold and its release do, others wait for 256 frames at most, a millisecond or so. */
/* ---- Half of it ---- */

/* Over more than a page of addresses, with an odd number of runs. */
static void every_second_run_goes(void **state)
{
	const uint64_t runs = 2 * RUNS_A_PAGE + 1;
	static pfn_t before[2 * RUNS_A_PAGE + 1], after[2 * RUNS_A_PAGE + 1];
	struct hold_info info;
	uint64_t broken;
	unsigned id;
	pfn_t first;

	(void)state;
	id = take(runs, 0);
	assert_int_equal(held(before, runs), runs);
	assert_int_equal(hold_release_half(id, NULL, &broken, &first), 0);
	assert_int_equal(broken, 0);
	assert_int_equal(first, PFN_NONE);
	assert_true(hold_next(0, &info));
	assert_int_equal(info.runs, RUNS_A_PAGE + 1);
	assert_int_equal(held(after, runs), RUNS_A_PAGE + 1);
	for (size_t i = 0; i <= RUNS_A_PAGE; i++)
		assert_int_equal(after[i], before[2 * i]);
	assert_int_equal(release(id, PFN_NONE), 0);
}

/* Only what goes is verified; the rest is, when it goes. */
static void half_of_a_broken_hold_is_broken(void **state)
{
	uint64_t broken;
	unsigned id;
	pfn_t pfns[4], first;

	(void)state;
	id = take(4, 0);
	assert_int_equal(held(pfns, 4), 4);
	words_of(pfns[2])[0] ^= 1;
	words_of(pfns[3])[0] ^= 1;
	assert_int_equal(hold_release_half(id, NULL, &broken, &first), 0);
	assert_int_equal(broken, 1);
	assert_int_equal(first, pfns[3]);
	assert_int_equal(release(id, pfns[2]), 1);
}

static void half_of_a_busy_hold_or_of_none_is_refused(void **state)
{
	uint64_t broken;
	unsigned id;
	pfn_t first;

	(void)state;
	assert_int_equal(hold_release_half(NO_HOLD, NULL, &broken, &first), -ENOENT);
	id = take(4, 0);
	assert_int_equal(hold_release_half(id + 1, NULL, &broken, &first), -ENOENT);
	assert_int_equal(hold_make_busy(id), 0);
	assert_int_equal(hold_release_half(id, NULL, &broken, &first), -EBUSY);
	assert_int_equal(ledger_count(OWNER_HELD), 4);
	assert_int_equal(release(id, PFN_NONE), 0);
}

static void half_a_release_that_is_stopped_frees_its_half(void **state)
{
	uint64_t broken;
	unsigned id;
	pfn_t first;

	(void)state;
	id = take(4, 0);
	asked = 0;
	stop_at = 1;
	assert_int_equal(hold_release_half(id, stop_sometime, &broken, &first), -EINTR);
	assert_int_equal(ledger_count(OWNER_HELD), 2);
	assert_int_equal(release(id, PFN_NONE), 0);
}

static void others_have_their_turns(void **state)
{
	uint64_t before = sim_time_waits;
	unsigned id = take(4, BLOCK_ORDER);

	(void)state;
	assert_in_range(sim_time_waits - before, 7, 9);
	before = sim_time_waits;
	release(id, PFN_NONE);
	assert_in_range(sim_time_waits - before, 7, 9);
	before = sim_time_waits;
	id = take(1024, 0);
	assert_in_range(sim_time_waits - before, 3, 5);
	release(id, PFN_NONE);
}

/* What is freed without a look at it is work, too. */
static void others_have_their_turns_when_half_a_release_is_stopped(void **state)
{
	unsigned id = take(4096, 0);
	uint64_t before, broken;
	pfn_t first;

	(void)state;
	asked = 0;
	stop_at = 1;
	before = sim_time_waits;
	assert_int_equal(hold_release_half(id, stop_sometime, &broken, &first), -EINTR);
	assert_in_range(sim_time_waits - before, 7, 9);
	release(id, PFN_NONE);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(so_many_runs_are_held_and_come_back),
		TEST(others_have_their_turn_after_256_frames),
		TEST(a_hold_that_does_not_fit_leaves_nothing),
		TEST(a_run_without_a_page_for_its_address_is_given_back),
		TEST(taking_stops_when_it_is_told_to),
		TEST(there_are_so_many_holds_and_no_more),
		TEST(holds_are_listed_in_the_order_of_their_ids),
		TEST(no_two_words_of_a_hold_are_the_same),
		TEST(every_bit_of_a_frame_is_verified),
		TEST(all_broken_frames_are_counted_and_the_lowest_is_named),
		TEST(frames_that_changed_places_are_broken),
		TEST(what_an_earlier_hold_wrote_is_broken),
		TEST(a_frame_of_zeroes_is_broken),
		TEST(a_release_that_is_stopped_frees_all_the_same),
		TEST(what_is_no_hold_is_not_released),
		TEST(every_second_run_goes),
		TEST(half_of_a_broken_hold_is_broken),
		TEST(half_of_a_busy_hold_or_of_none_is_refused),
		TEST(half_a_release_that_is_stopped_frees_its_half),
		TEST(others_have_their_turns),
		TEST(others_have_their_turns_when_half_a_release_is_stopped),
	};

	return cmocka_run_group_tests_name("hold", tests, set_up_ram, NULL);
}
