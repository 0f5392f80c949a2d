/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Moving out of memory that is to leave. After each round, and at each frame that the host
 * gives back, it has as many as it wants.
 */
#include "drivers/balloon/balloon_vacate.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "arch/clock.h"
#include "drivers/balloon/balloon_batch.h"
#include "drivers/balloon/balloon_place.h"
#include "drivers/balloon/balloon_ranges.h"
#include "drivers/balloon/balloon_refusal.h"
#include "drivers/balloon/balloon_state_internal.h"
#include "tests/unit/drivers/balloon/host_fixture.h"
#include "tests/unit/drivers/balloon/region_world.h"

#define FLOOR 300

/* What the fixture's host refuses, and whether it must always have its target. */
static bool (*refuses)(bool deflates, pfn_t pfn, enum balloon_refusal *why);
static bool exact;

static bool watch(bool deflates, pfn_t pfn, enum balloon_refusal *why)
{
	if (refuses && refuses(deflates, pfn, why))
		return true;
	if (exact && deflates)
		assert_true(host.has.count > host.target);
	return false;
}

static int set_up_vacate(void **state)
{
	set_up_host(state);
	sim_ram_stop();
	region_world_start();
	region_world_plug(LOWER, LOWER_BLOCKS);
	region_world_plug(UPPER, UPPER_BLOCKS);
	refuses = NULL;
	exact = true;
	host.refuses = watch;
	return 0;
}

static int tear_down_vacate(void **state)
{
	(void)state;
	assert_books();
	exact = false;
	host.late = false;
	balloon_stay();
	balloon_detach(balloons->port);
	if (host.has.violation)
		fail_msg("%s", host.has.violation);
	assert_int_equal(ballooned() + ledger_count(OWNER_IN_FLIGHT) + ledger_count(OWNER_LEAVING),
			 0);
	assert_books();
	sim_ram_stop();
	return 0;
}

static uint64_t ballooned_in(pfn_t start, pfn_t end)
{
	return frames_of(OWNER_BALLOON, start, end);
}

/*
 * The host has `in` frames of the upper region's first blocks, and nothing else above the
 * boot: the balloon was large once.
 */
static void begin_with_frames_in_the_upper_region(uint64_t floor, uint64_t in)
{
	uint64_t most;

	assert_int_equal(host_attach(floor), 0);
	most = boot_free() - floor + LOWER_BLOCKS * BLOCK_FRAMES;
	exact = false;
	host_wants(most + in);
	assert_host_has(most + in);
	assert_int_equal(ballooned_in(UPPER, UPPER_END), in);
	/* The lowest come back. */
	host_wants(in);
	assert_host_has(in);
	assert_int_equal(ballooned_in(UPPER, UPPER_END), in);
	exact = true;
}

/* A round, and what must be true after it: the host has, or will have, what it wants. */
static bool one_round(void)
{
	bool more = balloon_step();

	assert_books();
	assert_true(ballooned() + balloon_batches_inflating(&balloons->batches) >= host.target);
	assert_true(host.has.count >= host.target);
	assert_true(ledger_count(OWNER_FREE) >= status().floor);
	return more;
}

static void rounds(void)
{
	for (int n = 0; one_round(); n++)
		assert_true(n < 10000);
}

static enum balloon_vacancy vacate_until_settled(pfn_t start, pfn_t end)
{
	enum balloon_vacancy vacancy = balloon_vacate(start, end);

	for (int n = 0; vacancy == BALLOON_MOVING_OUT; n++) {
		assert_true(n < 1000);
		rounds();
		vacancy = balloon_vacate(start, end);
	}
	return vacancy;
}

static void an_empty_stretch_is_vacant_at_once(void **state)
{
	(void)state;
	assert_int_equal(balloon_vacate(UPPER, UPPER_END), BALLOON_VACANT);
	assert_int_equal(host_attach(FLOOR), 0);
	host_wants(100);
	assert_int_equal(balloon_vacate(UPPER, UPPER_END), BALLOON_VACANT);
	assert_host_has(100);
}

/* It comes back by itself. */
static void a_block_that_is_lent_is_not_the_balloons(void **state)
{
	(void)state;
	assert_int_equal(host_attach(FLOOR), 0);
	assert_int_equal(frame_reserve(UPPER, BLOCK_FRAMES, OWNER_REPORTED), 0);
	assert_int_equal(balloon_vacate(UPPER, UPPER_END), BALLOON_VACANT);
}

static void a_stretch_may_become_longer(void **state)
{
	(void)state;
	begin_with_frames_in_the_upper_region(FLOOR, 100);
	assert_int_equal(vacate_until_settled(UPPER, UPPER + 40), BALLOON_VACANT);
	assert_int_equal(ballooned_in(UPPER, UPPER_END), 60);
	assert_int_equal(vacate_until_settled(UPPER, UPPER_END), BALLOON_VACANT);
	assert_int_equal(ballooned_in(UPPER, UPPER_END), 0);
	assert_host_has(100);
}

static void the_task_is_woken(void **state)
{
	(void)state;
	begin_with_frames_in_the_upper_region(FLOOR, 10);
	assert_false(balloons->nudged);
	assert_int_equal(balloon_vacate(UPPER, UPPER_END), BALLOON_MOVING_OUT);
	assert_true(balloons->nudged);
	rounds();
	assert_int_equal(balloon_vacate(UPPER, UPPER_END), BALLOON_VACANT);
	assert_host_has(10);
	assert_int_equal(ballooned_in(WORLD_START, BOOT_END), 10);
}

/* Others are inflated and have arrived, before a frame is asked back; exactly as many. */
static void frames_are_replaced_first_then_asked_back(void **state)
{
	(void)state;
	begin_with_frames_in_the_upper_region(FLOOR, 600);
	host.late = true;
	assert_int_equal(balloon_vacate(UPPER, UPPER_END), BALLOON_MOVING_OUT);
	one_round();
	assert_int_equal(balloon_batches_inflating(&balloons->batches), 600);
	assert_int_equal(ballooned(), 600);
	one_round();
	assert_int_equal(ledger_count(OWNER_IN_FLIGHT), 600);
	host.answers = true;
	one_round();
	/* The replacement has come, and the others are on their way. */
	assert_int_equal(balloon_batches_inflating(&balloons->batches), 0);
	assert_int_equal(ledger_count(OWNER_IN_FLIGHT), 600);
	assert_int_equal(ballooned(), 600);
	assert_int_equal(ballooned_in(UPPER, UPPER_END), 0);
	assert_int_equal(host.has.count, 1200);
	assert_int_equal(balloon_vacate(UPPER, UPPER_END), BALLOON_MOVING_OUT);
	host.answers = true;
	one_round();
	assert_int_equal(balloon_vacate(UPPER, UPPER_END), BALLOON_VACANT);
	assert_host_has(600);
	assert_int_equal(host.actual, 600);
}

/* More than a turn has; in no moment much more than the target. */
static void a_large_stretch_is_vacated_turn_by_turn(void **state)
{
	const uint64_t in = UPPER_BLOCKS * BLOCK_FRAMES;
	uint64_t most = 0;

	(void)state;
	host.terms.batches = 1;
	host.terms.batch_frames = host.terms.batch_block_frames = BLOCK_FRAMES;
	begin_with_frames_in_the_upper_region(FLOOR, in);
	assert_int_equal(balloon_vacate(UPPER, UPPER_END), BALLOON_MOVING_OUT);
	for (bool more = true; more;) {
		more = one_round();
		most = max_u64(most, ballooned());
	}
	assert_int_equal(most, in + BLOCK_FRAMES);
	assert_int_equal(balloon_vacate(UPPER, UPPER_END), BALLOON_VACANT);
	assert_host_has(in);
	assert_int_equal(frames_of(OWNER_FREE, UPPER, UPPER_END), in);
	assert_true(boot_free() >= FLOOR);
}

/* Not the lowest ones, and none of those beside it. */
static void only_frames_of_the_stretch_are_asked_back(void **state)
{
	const pfn_t start = UPPER + 2 * BLOCK_FRAMES, end = UPPER + 4 * BLOCK_FRAMES;

	(void)state;
	begin_with_frames_in_the_upper_region(FLOOR, 6 * BLOCK_FRAMES);
	assert_int_equal(vacate_until_settled(start, end), BALLOON_VACANT);
	assert_host_has(6 * BLOCK_FRAMES);
	assert_int_equal(frames_of(OWNER_FREE, start, end), 2 * BLOCK_FRAMES);
	assert_int_equal(ballooned_in(UPPER, start), 2 * BLOCK_FRAMES);
	assert_int_equal(ballooned_in(end, UPPER_END), 2 * BLOCK_FRAMES);
	assert_int_equal(ballooned_in(WORLD_START, LOWER_END), 2 * BLOCK_FRAMES);
}

static void frames_on_their_way_are_waited_for(void **state)
{
	(void)state;
	exact = false;
	begin_with_frames_in_the_upper_region(FLOOR, 20);
	host.late = true;
	host_wants(10);
	assert_int_equal(ballooned_in(UPPER, UPPER_END), 10);
	assert_int_equal(ledger_count(OWNER_IN_FLIGHT), 10);
	assert_int_equal(balloon_vacate(UPPER, UPPER + 10), BALLOON_MOVING_OUT);
	rounds();
	assert_int_equal(balloon_vacate(UPPER, UPPER + 10), BALLOON_MOVING_OUT);
	host.answers = true;
	rounds();
	assert_int_equal(balloon_vacate(UPPER, UPPER + 10), BALLOON_VACANT);
	assert_host_has(10);
}

/* ---- The floor ---- */

/* All memory is held but for so many frames of the boot. */
static void leave_free(uint64_t frames)
{
	pfn_t pfn;

	while (boot_free() > frames)
		assert_int_equal(frame_alloc_boot(0, OWNER_HELD, &pfn), 0);
	for (pfn = LOWER; pfn < UPPER_END; pfn++)
		if (frame_owner(pfn) == OWNER_FREE)
			assert_int_equal(frame_reserve(pfn, 1, OWNER_HELD), 0);
	assert_int_equal(ledger_count(OWNER_FREE), frames);
}

static void with_exactly_the_floor_free_there_is_no_room(void **state)
{
	uint64_t offers;

	(void)state;
	begin_with_frames_in_the_upper_region(FLOOR, 40);
	leave_free(FLOOR);
	offers = host.offers;
	/* That is known before the task has had its turn. */
	assert_int_equal(balloon_vacate(UPPER, UPPER_END), BALLOON_NO_ROOM);
	rounds();
	assert_int_equal(balloon_vacate(UPPER, UPPER_END), BALLOON_NO_ROOM);
	assert_int_equal(host.offers, offers);
	assert_host_has(40);
	assert_int_equal(ballooned_in(UPPER, UPPER_END), 40);
	assert_int_equal(status().shortfall, 0);
	/* Asked again, it looks again. */
	assert_int_equal(balloon_vacate(UPPER, UPPER_END), BALLOON_NO_ROOM);
	assert_true(balloons->nudged);
	/* Each frame that is freed elsewhere is room for one. */
	assert_int_equal(frame_free_owned(OWNER_HELD, 1), 1);
	host.late = true;
	assert_int_equal(balloon_vacate(UPPER, UPPER_END), BALLOON_MOVING_OUT);
	one_round();
	/* It is taken, and not there yet. */
	assert_int_equal(ledger_count(OWNER_FREE), FLOOR);
	assert_int_equal(balloon_vacate(UPPER, UPPER_END), BALLOON_MOVING_OUT);
	host.answers = true;
	one_round();
	host.late = false;
	assert_int_equal(vacate_until_settled(UPPER, UPPER_END), BALLOON_NO_ROOM);
	assert_int_equal(ballooned_in(UPPER, UPPER_END), 39);
	assert_int_equal(frame_free_owned(OWNER_HELD, 39), 39);
	assert_int_equal(vacate_until_settled(UPPER, UPPER_END), BALLOON_VACANT);
	assert_host_has(40);
}

/* Frames above are free, but are to leave as well. */
static void free_frames_of_the_stretch_are_no_room(void **state)
{
	(void)state;
	begin_with_frames_in_the_upper_region(FLOOR, 40);
	/* Boot memory and the lower region are full but for the floor. */
	assert_true(boot_free() > FLOOR);
	while (boot_free() > FLOOR) {
		pfn_t pfn;

		assert_int_equal(frame_alloc_boot(0, OWNER_HELD, &pfn), 0);
	}
	assert_int_equal(frame_reserve(LOWER, LOWER_BLOCKS * BLOCK_FRAMES, OWNER_HELD), 0);
	assert_true(balloon_spare() > 40);
	assert_int_equal(vacate_until_settled(UPPER, UPPER_END), BALLOON_NO_ROOM);
	assert_host_has(40);
	/* The lower region has one more: they go one by one. */
	assert_int_equal(frame_free(LOWER + 9, 1, OWNER_HELD), 0);
	assert_int_equal(vacate_until_settled(UPPER, UPPER_END), BALLOON_NO_ROOM);
	assert_int_equal(ballooned_in(UPPER, UPPER_END), 39);
	assert_int_equal(frame_owner(LOWER + 9), OWNER_BALLOON);
	assert_int_equal(frame_free(LOWER + 10, 39, OWNER_HELD), 0);
	assert_int_equal(vacate_until_settled(UPPER, UPPER_END), BALLOON_VACANT);
	assert_host_has(40);
}

static void what_the_target_lacks_comes_first(void **state)
{
	(void)state;
	begin_with_frames_in_the_upper_region(FLOOR, 40);
	leave_free(FLOOR + 5);
	exact = false;
	host_wants(100);
	assert_host_has(45);
	assert_int_equal(status().shortfall, 55);
	balloon_vacate(UPPER, UPPER_END);
	settle();
	assert_int_equal(balloon_vacate(UPPER, UPPER_END), BALLOON_NO_ROOM);
	assert_host_has(45);
	assert_int_equal(status().shortfall, 55);
	balloon_stay();
	settle();
	assert_host_has(45);
}

/* ---- Hosts that do not give back ---- */

static void a_host_that_never_gives_back_gives_none(void **state)
{
	(void)state;
	begin_with_frames_in_the_upper_region(FLOOR, 40);
	host.port.deflate = NULL;
	assert_int_equal(balloon_vacate(UPPER, UPPER_END), BALLOON_GIVES_NONE);
	rounds();
	assert_int_equal(balloon_vacate(UPPER, UPPER_END), BALLOON_GIVES_NONE);
	assert_host_has(40);
	host.port.deflate = host.port.inflate;
}

static bool keeps_the_third(bool deflates, pfn_t pfn, enum balloon_refusal *why)
{
	*why = BALLOON_REFUSED_FRAME;
	return deflates && pfn == UPPER + 2;
}

static bool keeps_all_for_now(bool deflates, pfn_t pfn, enum balloon_refusal *why)
{
	(void)pfn;
	*why = BALLOON_REFUSED_FOR_NOW;
	return deflates;
}

static bool takes_no_more(bool deflates, pfn_t pfn, enum balloon_refusal *why)
{
	(void)pfn;
	*why = BALLOON_REFUSED_ENOUGH;
	return !deflates && host.has.count >= host.target;
}

static void a_frame_that_is_kept_is_not_asked_for_without_end(void **state)
{
	uint64_t offers;

	(void)state;
	begin_with_frames_in_the_upper_region(FLOOR, 40);
	refuses = keeps_the_third;
	assert_int_equal(vacate_until_settled(UPPER, UPPER_END), BALLOON_GIVES_NONE);
	assert_int_equal(ballooned_in(UPPER, UPPER_END), 1);
	assert_int_equal(frame_owner(UPPER + 2), OWNER_BALLOON);
	for (int i = 0; i < 20; i++)
		rounds();
	/* The one that was inflated for it has no other to go for it yet, or went itself. */
	offers = host.offers;
	for (int i = 0; i < 20; i++) {
		balloon_vacate(UPPER, UPPER_END);
		rounds();
	}
	assert_int_equal(host.offers, offers);
	refuses = NULL;
	sim_time_advance(BALLOON_PAUSE_MAX_NS + 1);
	assert_int_equal(vacate_until_settled(UPPER, UPPER_END), BALLOON_VACANT);
	rounds();
	assert_host_has(40);
}

/* Others can go for it, so the target is reached each time. */
static void a_frame_that_is_kept_among_others_is_asked_for_once_a_second(void **state)
{
	uint64_t offers;

	(void)state;
	begin_with_frames_in_the_upper_region(FLOOR, 100);
	refuses = keeps_the_third;
	offers = host.offers;
	assert_int_equal(vacate_until_settled(UPPER, UPPER + 40), BALLOON_GIVES_NONE);
	assert_host_has(100);
	/* Others, those of the stretch, and one that goes for the one that is kept. */
	assert_int_equal(host.offers, offers + 3);
	offers = host.offers;
	for (int i = 0; i < 20; i++) {
		assert_int_equal(balloon_vacate(UPPER, UPPER + 40), BALLOON_GIVES_NONE);
		rounds();
	}
	assert_int_equal(host.offers, offers);
	assert_int_equal(ballooned_in(UPPER, UPPER + 40), 1);
	sim_time_advance(NS_PER_S);
	assert_int_equal(vacate_until_settled(UPPER, UPPER + 40), BALLOON_GIVES_NONE);
	assert_in_range(host.offers, offers + 1, offers + 10);
	assert_host_has(100);
}

static void a_host_that_gives_none_for_now_is_asked_later(void **state)
{
	uint64_t offers;

	(void)state;
	begin_with_frames_in_the_upper_region(FLOOR, 40);
	refuses = keeps_all_for_now;
	assert_int_equal(vacate_until_settled(UPPER, UPPER_END), BALLOON_GIVES_NONE);
	offers = host.offers;
	for (int i = 0; i < 20; i++) {
		rounds();
		assert_int_equal(balloon_vacate(UPPER, UPPER_END), BALLOON_GIVES_NONE);
	}
	assert_int_equal(host.offers, offers);
	assert_int_equal(ballooned_in(UPPER, UPPER_END), 40);
	refuses = NULL;
	sim_time_advance(BALLOON_PAUSE_MAX_NS + 1);
	assert_int_equal(vacate_until_settled(UPPER, UPPER_END), BALLOON_VACANT);
	assert_host_has(40);
}

static void a_host_that_has_enough_is_left_alone(void **state)
{
	uint64_t offers;

	(void)state;
	begin_with_frames_in_the_upper_region(FLOOR, 40);
	refuses = takes_no_more;
	assert_int_equal(vacate_until_settled(UPPER, UPPER_END), BALLOON_GIVES_NONE);
	offers = host.offers;
	for (int i = 0; i < 20; i++) {
		rounds();
		assert_int_equal(balloon_vacate(UPPER, UPPER_END), BALLOON_GIVES_NONE);
	}
	assert_int_equal(host.offers, offers);
	/* Asked a few times in five minutes. */
	for (int i = 0; i < 300; i++) {
		sim_time_advance(NS_PER_S);
		balloon_vacate(UPPER, UPPER_END);
		rounds();
	}
	assert_in_range(host.offers, offers + 2, offers + 20);
	assert_host_has(40);
	assert_int_equal(ballooned_in(UPPER, UPPER_END), 40);
	balloon_stay();
	rounds();
	assert_host_has(40);
}

static void a_host_that_takes_no_batch_gives_none(void **state)
{
	(void)state;
	begin_with_frames_in_the_upper_region(FLOOR, 40);
	host.err = -EAGAIN;
	assert_int_equal(vacate_until_settled(UPPER, UPPER_END), BALLOON_GIVES_NONE);
	assert_host_has(40);
	host.err = 0;
	balloon_vacate(UPPER, UPPER_END);
	rounds();
	assert_int_equal(balloon_vacate(UPPER, UPPER_END), BALLOON_VACANT);
}

/* The last spare frame has taken a place; that there is no room now is not the reason. */
static void a_host_that_takes_no_batch_is_not_for_want_of_room(void **state)
{
	(void)state;
	begin_with_frames_in_the_upper_region(FLOOR, 40);
	leave_free(FLOOR + 1);
	host.late = true;
	balloon_vacate(UPPER, UPPER_END);
	one_round();
	assert_int_equal(balloon_batches_inflating(&balloons->batches), 1);
	host.err = -EAGAIN;
	host.answers = true;
	one_round();
	assert_int_equal(ballooned(), 41);
	assert_int_equal(balloon_vacate(UPPER, UPPER_END), BALLOON_GIVES_NONE);
	host.err = 0;
	host.late = false;
	rounds();
	assert_int_equal(balloon_vacate(UPPER, UPPER_END), BALLOON_NO_ROOM);
	assert_host_has(40);
}

/* ---- In mid-move ---- */

/* Replacements have arrived, and frames of the stretch are on their way out. */
static void go_half_way(uint64_t in)
{
	begin_with_frames_in_the_upper_region(FLOOR, in);
	host.late = true;
	assert_int_equal(balloon_vacate(UPPER, UPPER_END), BALLOON_MOVING_OUT);
	one_round();
	assert_int_equal(balloon_batches_inflating(&balloons->batches), in);
}

static void answer_and_go_on(void)
{
	for (int i = 0; i < 10; i++) {
		host.answers = true;
		rounds();
	}
}

static void a_lower_target_takes_frames_of_the_stretch_first(void **state)
{
	(void)state;
	go_half_way(50);
	host.target = 20;
	rounds();
	/* What arrives later is for the new target. */
	assert_int_equal(ballooned_in(UPPER, UPPER_END), 20);
	answer_and_go_on();
	assert_int_equal(balloon_vacate(UPPER, UPPER_END), BALLOON_VACANT);
	assert_host_has(20);
}

static void a_target_of_nothing_empties_it(void **state)
{
	(void)state;
	go_half_way(50);
	host.target = 0;
	answer_and_go_on();
	assert_int_equal(balloon_vacate(UPPER, UPPER_END), BALLOON_VACANT);
	assert_host_has(0);
}

static void a_higher_target_is_reached_as_well(void **state)
{
	(void)state;
	go_half_way(50);
	exact = false;
	host.target = 500;
	for (int i = 0; i < 10; i++) {
		host.answers = true;
		settle();
	}
	assert_int_equal(balloon_vacate(UPPER, UPPER_END), BALLOON_VACANT);
	assert_host_has(500);
	assert_int_equal(ballooned_in(UPPER, UPPER_END), 0);
}

static void a_move_that_is_called_off_ends_at_the_target(void **state)
{
	(void)state;
	go_half_way(50);
	balloon_stay();
	answer_and_go_on();
	assert_host_has(50);
	assert_false(balloon_step());
}

static void another_stretch_takes_its_place(void **state)
{
	(void)state;
	begin_with_frames_in_the_upper_region(FLOOR, 4 * BLOCK_FRAMES);
	host.late = true;
	balloon_vacate(UPPER, UPPER + BLOCK_FRAMES);
	one_round();
	balloon_vacate(UPPER + BLOCK_FRAMES, UPPER + 2 * BLOCK_FRAMES);
	answer_and_go_on();
	assert_int_equal(balloon_vacate(UPPER + BLOCK_FRAMES, UPPER + 2 * BLOCK_FRAMES),
			 BALLOON_VACANT);
	assert_int_equal(ballooned_in(UPPER + BLOCK_FRAMES, UPPER + 2 * BLOCK_FRAMES), 0);
	assert_int_equal(ballooned_in(UPPER, UPPER + BLOCK_FRAMES), BLOCK_FRAMES);
	assert_host_has(4 * BLOCK_FRAMES);
}

static void a_host_that_forgets_everything_is_given_others(void **state)
{
	(void)state;
	go_half_way(50);
	host.fault = BALLOON_FAULT_ALL_OURS;
	balloon_step();
	assert_books();
	assert_int_equal(ballooned() + ledger_count(OWNER_IN_FLIGHT), 0);
	assert_int_equal(balloon_vacate(UPPER, UPPER_END), BALLOON_VACANT);
	host.late = false;
	settle();
	assert_host_has(50);
	assert_int_equal(ballooned_in(UPPER, UPPER_END), 0);
}

static void a_host_that_is_given_up_keeps_what_it_has(void **state)
{
	(void)state;
	go_half_way(50);
	host.fault = BALLOON_FAULT_RULES;
	balloon_step();
	assert_books();
	assert_non_null(status().broken);
	assert_int_equal(ledger_count(OWNER_IN_FLIGHT), 0);
	assert_int_equal(ballooned_in(UPPER, UPPER_END), 50);
	assert_int_equal(balloon_vacate(UPPER, UPPER_END), BALLOON_GIVES_NONE);
	assert_false(balloon_step());
	balloon_avoid(&(struct balloon_stretch){ UPPER, UPPER_END }, 1);
	balloon_avoid(NULL, 0);
	balloon_stay();
}

static void a_silent_host_is_given_up_in_mid_move(void **state)
{
	(void)state;
	go_half_way(50);
	for (int i = 0; i < 300 && balloon_is_alive(balloons); i++) {
		assert_int_equal(balloon_vacate(UPPER, UPPER_END), BALLOON_MOVING_OUT);
		sim_time_advance(NS_PER_MS * 10);
		balloon_step();
	}
	assert_non_null(status().broken);
	assert_int_equal(balloon_vacate(UPPER, UPPER_END), BALLOON_GIVES_NONE);
	assert_books();
}

static void a_host_that_goes_leaves_nothing(void **state)
{
	(void)state;
	go_half_way(50);
	host.late = false;
	exact = false;
	balloon_detach(balloons->port);
	assert_books();
	assert_int_equal(balloon_vacate(UPPER, UPPER_END), BALLOON_VACANT);
	assert_int_equal(host.has.count, 0);
	assert_int_equal(ledger_count(OWNER_BALLOON) + ledger_count(OWNER_IN_FLIGHT), 0);
}

/* Frames that went with a host which did not let go of them never come back. */
static void frames_that_a_host_took_along_are_never_given(void **state)
{
	(void)state;
	assert_int_equal(host_attach(FLOOR), 0);
	assert_int_equal(frame_reserve(UPPER, 5, OWNER_IN_FLIGHT), 0);
	assert_int_equal(balloon_vacate(UPPER, UPPER_END), BALLOON_GIVES_NONE);
	assert_int_equal(frame_free(UPPER, 5, OWNER_IN_FLIGHT), 0);
	assert_int_equal(balloon_vacate(UPPER, UPPER_END), BALLOON_VACANT);
}

static void memory_that_is_short_meanwhile_is_served(void **state)
{
	pfn_t pfn;

	(void)state;
	host.terms.deflate_on_oom = true;
	begin_with_frames_in_the_upper_region(FLOOR, 50);
	balloon_vacate(UPPER, UPPER_END);
	one_round();
	assert_int_equal(ballooned(), 100);
	exact = false;
	exhaust();
	frame_set_reclaimer(balloon_reclaim);
	for (int i = 0; i < 60; i++)
		assert_int_equal(frame_alloc(0, OWNER_HELD, &pfn), 0);
	frame_set_reclaimer(NULL);
	assert_books();
	settle();
	assert_int_equal(ballooned(), host.has.count);
	/* Inflation is held off: nothing is lost, and nothing goes on. */
	assert_int_equal(balloon_vacate(UPPER, UPPER_END) == BALLOON_VACANT,
			 ballooned_in(UPPER, UPPER_END) == 0);
	frame_free_owned(OWNER_HELD, UINT64_MAX);
	sim_time_advance(BALLOON_HOLD_OFF_NS + 1);
	settle();
	balloon_vacate(UPPER, UPPER_END);
	settle();
	assert_int_equal(balloon_vacate(UPPER, UPPER_END), BALLOON_VACANT);
	assert_host_has(50);
}

/* ---- Ranges ---- */

static bool ranges_late;

static int send_ranges(const struct frame_run *ranges, size_t count)
{
	(void)ranges, (void)count;
	if (!ranges_late)
		balloon_ranges_answered(balloons->ranges.range);
	return 0;
}

static void frames_that_leave_are_freed_and_others_offered(void **state)
{
	uint64_t most;

	(void)state;
	host.port.send_ranges = send_ranges;
	host.terms.ranges = 1;
	host.terms.range_blocks = 2;
	host.terms.best = BALLOON_RANGE_FIRST;
	ranges_late = false;
	assert_int_equal(host_attach(FLOOR), 0);
	most = boot_free() - FLOOR + LOWER_BLOCKS * BLOCK_FRAMES;
	exact = false;
	host_wants(most);
	assert_host_has(most);
	ranges_late = true;
	host_wants(most + 2 * BLOCK_FRAMES);
	assert_int_equal(frames_of(OWNER_REPORTED, UPPER, UPPER_END), 2 * BLOCK_FRAMES);
	assert_int_equal(balloon_vacate(UPPER, UPPER_END), BALLOON_MOVING_OUT);
	settle();
	assert_int_equal(balloon_vacate(UPPER, UPPER_END), BALLOON_MOVING_OUT);
	/* There is no room for them elsewhere; the host will wait. */
	ranges_late = false;
	balloon_ranges_answered(balloons->ranges.range);
	assert_int_equal(frames_of(OWNER_LEAVING, UPPER, UPPER_END), 2 * BLOCK_FRAMES);
	settle();
	assert_int_equal(balloon_vacate(UPPER, UPPER_END), BALLOON_VACANT);
	assert_int_equal(frames_of(OWNER_FREE, UPPER, UPPER_END), UPPER_BLOCKS * BLOCK_FRAMES);
	assert_host_has(most);
	assert_int_equal(status().shortfall, 2 * BLOCK_FRAMES);
	balloon_stay();
	settle();
	assert_host_has(most + 2 * BLOCK_FRAMES);
}

static void what_leaves_is_no_reason_to_ask_others_back(void **state)
{
	(void)state;
	host.port.send_ranges = send_ranges;
	host.terms.ranges = 1;
	host.terms.range_blocks = 2;
	host.terms.best = BALLOON_RANGE_FIRST;
	ranges_late = true;
	assert_int_equal(host_attach(FLOOR), 0);
	host_wants(100);
	host_wants(100 + 2 * BLOCK_FRAMES);
	assert_int_equal(balloon_ranges_leaving(&balloons->ranges), 2 * BLOCK_FRAMES);
	/* More than it has, but less than it would have. */
	host_wants(600);
	assert_host_has(100);
	ranges_late = false;
	balloon_ranges_answered(balloons->ranges.range);
	settle();
	assert_host_has(600);
	assert_int_equal(ledger_count(OWNER_LEAVING), 0);
}

static void replacements_leave_as_ranges_first(void **state)
{
	(void)state;
	host.port.send_ranges = send_ranges;
	host.terms.ranges = 2;
	host.terms.range_blocks = 4;
	host.terms.best = BALLOON_RANGE_FIRST;
	ranges_late = false;
	begin_with_frames_in_the_upper_region(FLOOR, 3 * BLOCK_FRAMES);
	assert_int_equal(vacate_until_settled(UPPER, UPPER_END), BALLOON_VACANT);
	assert_host_has(3 * BLOCK_FRAMES);
	assert_int_equal(ledger_count(OWNER_LEAVING), 0);
}

static bool is_whole_block(pfn_t pfn)
{
	pfn_t block = align_down(pfn, BLOCK_FRAMES);

	return frames_of(OWNER_FREE, block, block + BLOCK_FRAMES) == BLOCK_FRAMES;
}

/* Not all that a large stretch has leaves before the first frame of it comes back. */
static void a_turn_is_a_few_blocks(void **state)
{
	const uint64_t in = UPPER_BLOCKS * BLOCK_FRAMES;
	uint64_t most = 0;

	(void)state;
	host.port.send_ranges = send_ranges;
	host.terms.ranges = 4;
	host.terms.range_blocks = 100;
	host.terms.best = BALLOON_RANGE_FIRST;
	ranges_late = false;
	/* Whole blocks only, or the crumbs of the boot would go in between. */
	for (pfn_t pfn = WORLD_START; pfn < BOOT_END; pfn++)
		if (frame_owner(pfn) == OWNER_FREE && !is_whole_block(pfn))
			assert_int_equal(frame_reserve(pfn, 1, OWNER_HELD), 0);
	begin_with_frames_in_the_upper_region(0, in);
	balloon_vacate(UPPER, UPPER_END);
	for (bool more = true; more;) {
		more = one_round();
		most = max_u64(most, balloon_frames_given(balloons));
	}
	assert_int_equal(most, in + 8 * BLOCK_FRAMES);
	assert_int_equal(balloon_vacate(UPPER, UPPER_END), BALLOON_VACANT);
	assert_host_has(in);
}

/* ---- The virtio device ---- */

static int set_up_virtio(void **state)
{
	set_up(state);
	sim_ram_stop();
	region_world_start();
	region_world_plug(LOWER, LOWER_BLOCKS);
	region_world_plug(UPPER, UPPER_BLOCKS);
	return 0;
}

static void own(pfn_t pfn, uint64_t frames, bool device)
{
	if (frames < UINT64_MAX)
		sim_ram_lend(pfn, frames, device);
}

static void a_virtio_device_is_moved_out(void **state)
{
	const uint64_t in = 3 * BLOCK_FRAMES + 17;
	uint64_t most;

	(void)state;
	plug_in(false, VIRTIO_BIT(VIRTIO_F_VERSION_1));
	sim.own = own;
	assert_int_equal(begin(FLOOR), 0);
	most = boot_free() - FLOOR + LOWER_BLOCKS * BLOCK_FRAMES;
	go_to(most + in);
	go_to(in);
	assert_balloon(in);
	assert_int_equal(ballooned_in(UPPER, UPPER_END), in);
	sim.completion = SIM_BALLOON_ON_DEMAND;
	for (int n = 0; balloon_vacate(UPPER, UPPER_END) == BALLOON_MOVING_OUT; n++) {
		assert_true(n < 1000);
		balloon_step();
		assert_true(sim.inflated >= in);
		assert_true(ballooned() + balloon_batches_inflating(&balloons->batches) >= in);
		sim_balloon_complete(&sim, 1);
		assert_true(sim.inflated >= in);
		assert_true(sim_balloon_actual(&sim) >= in);
	}
	assert_int_equal(balloon_vacate(UPPER, UPPER_END), BALLOON_VACANT);
	drain();
	assert_balloon(in);
	assert_int_equal(ballooned_in(UPPER, UPPER_END), 0);
}

static void a_reset_in_mid_move_loses_nothing(void **state)
{
	const uint64_t in = 3 * BLOCK_FRAMES + 17;

	(void)state;
	plug_in(false, VIRTIO_BIT(VIRTIO_F_VERSION_1));
	sim.keep_on_reset = true;
	assert_int_equal(begin(FLOOR), 0);
	go_to(boot_free() - FLOOR + LOWER_BLOCKS * BLOCK_FRAMES + in);
	go_to(in);
	for (int n = 0; n < 4; n++) {
		sim.completion = SIM_BALLOON_ON_DEMAND;
		balloon_vacate(UPPER, UPPER_END);
		for (int i = 0; i < n; i++) {
			balloon_step();
			sim_balloon_complete(&sim, SIZE_MAX);
		}
		/* Nothing that the device has answered is still unseen. */
		settle();
		sim_virtio_need_reset(&sim.virtio);
		balloon_step();
		assert_books();
		assert_int_equal(status().recoveries, (uint64_t)n + 1);
	}
	sim.completion = SIM_BALLOON_AT_ONCE;
	settle();
	assert_int_equal(balloon_vacate(UPPER, UPPER_END), BALLOON_VACANT);
	assert_balloon(in);
}

#define VACATE_TEST(name) cmocka_unit_test_setup_teardown(name, set_up_vacate, tear_down_vacate)
#define VIRTIO_TEST(name) cmocka_unit_test_setup_teardown(name, set_up_virtio, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		VACATE_TEST(an_empty_stretch_is_vacant_at_once),
		VACATE_TEST(a_block_that_is_lent_is_not_the_balloons),
		VACATE_TEST(a_stretch_may_become_longer),
		VACATE_TEST(the_task_is_woken),
		VACATE_TEST(frames_are_replaced_first_then_asked_back),
		VACATE_TEST(a_large_stretch_is_vacated_turn_by_turn),
		VACATE_TEST(only_frames_of_the_stretch_are_asked_back),
		VACATE_TEST(frames_on_their_way_are_waited_for),
		VACATE_TEST(with_exactly_the_floor_free_there_is_no_room),
		VACATE_TEST(free_frames_of_the_stretch_are_no_room),
		VACATE_TEST(what_the_target_lacks_comes_first),
		VACATE_TEST(a_host_that_never_gives_back_gives_none),
		VACATE_TEST(a_frame_that_is_kept_is_not_asked_for_without_end),
		VACATE_TEST(a_frame_that_is_kept_among_others_is_asked_for_once_a_second),
		VACATE_TEST(a_host_that_gives_none_for_now_is_asked_later),
		VACATE_TEST(a_host_that_has_enough_is_left_alone),
		VACATE_TEST(a_host_that_takes_no_batch_gives_none),
		VACATE_TEST(a_host_that_takes_no_batch_is_not_for_want_of_room),
		VACATE_TEST(a_lower_target_takes_frames_of_the_stretch_first),
		VACATE_TEST(a_target_of_nothing_empties_it),
		VACATE_TEST(a_higher_target_is_reached_as_well),
		VACATE_TEST(a_move_that_is_called_off_ends_at_the_target),
		VACATE_TEST(another_stretch_takes_its_place),
		VACATE_TEST(a_host_that_forgets_everything_is_given_others),
		VACATE_TEST(a_host_that_is_given_up_keeps_what_it_has),
		VACATE_TEST(a_silent_host_is_given_up_in_mid_move),
		VACATE_TEST(a_host_that_goes_leaves_nothing),
		VACATE_TEST(frames_that_a_host_took_along_are_never_given),
		VACATE_TEST(memory_that_is_short_meanwhile_is_served),
		VACATE_TEST(frames_that_leave_are_freed_and_others_offered),
		VACATE_TEST(what_leaves_is_no_reason_to_ask_others_back),
		VACATE_TEST(replacements_leave_as_ranges_first),
		VACATE_TEST(a_turn_is_a_few_blocks),
		VIRTIO_TEST(a_virtio_device_is_moved_out),
		VIRTIO_TEST(a_reset_in_mid_move_loses_nothing),
	};

	return cmocka_run_group_tests_name("balloon_vacate", tests, set_up_ram, NULL);
}
