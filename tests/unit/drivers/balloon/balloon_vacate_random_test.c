/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The balloon beside memory that comes and goes, at random, with hosts of every kind: blocks
 * are plugged, claimed, kept, left; stretches are avoided and vacated; memory is allocated,
 * runs out and is freed; targets, floors and hosts change. After each step the books are
 * counted anew, and a round of the balloon has neither taken a frame that it must leave
 * alone nor let the number of ballooned frames fall below the target.
 *
 *	balloon_vacate_random SEED	walks with this seed alone
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "arch/clock.h"
#include "drivers/balloon/balloon_batch.h"
#include "drivers/balloon/balloon_place.h"
#include "drivers/balloon/balloon_ranges.h"
#include "drivers/balloon/balloon_refusal.h"
#include "drivers/balloon/balloon_state_internal.h"
#include "drivers/balloon/balloon_vacate.h"
#include "drivers/balloon/balloon_wait.h"
#include "tests/unit/drivers/balloon/balloon_fixture.h"
#include "tests/unit/drivers/balloon/random_guest.h"
#include "tests/unit/drivers/balloon/random_hosts.h"
#include "tests/unit/drivers/balloon/region_world.h"

#define STRETCHES 10
#define STEPS 80 /* in a stretch of the walk */
#define ROUNDS_MAX 30000
#define PAUSES_MAX 12
#define MOST (UPPER_END - WORLD_START)

static const uint64_t seeds[] = { 1, 2, 3, 4, 5 };
static uint64_t only_seed; /* 0: all of them */

static const struct random_host *host;

/* How often it has ended so, with one kind of host; and how often there was much to move. */
static uint64_t outcomes[BALLOON_GIVES_NONE + 1], moves;

/* ---- Blocks that come and go ---- */

struct region {
	pfn_t start;
	size_t blocks;
	enum { ABSENT, PLUGGED, CLAIMED } block[UPPER_BLOCKS];
};

static struct region regions[2];

static struct region *any_region(void)
{
	return &regions[below(2)];
}

static pfn_t block_of(const struct region *region, size_t i)
{
	return region->start + i * BLOCK_FRAMES;
}

static void plug_some(void)
{
	struct region *region = any_region();
	size_t i = (size_t)below(region->blocks), n = 0, most = 1 + (size_t)below(4);

	while (i + n < region->blocks && n < most && region->block[i + n] == ABSENT)
		region->block[i + n++] = PLUGGED;
	if (n > 0)
		region_world_plug(block_of(region, i), n);
}

static void claim_some(void)
{
	struct region *region = any_region();
	size_t unit = 1 + (size_t)below(2);
	const struct frame_region_part part = { region->start, region->blocks, unit };
	pfn_t pfn;
	size_t n = region_world_claim(&part, unit + (size_t)below(4), &pfn);

	for (size_t i = 0; i < n; i++) {
		assert_int_equal(region->block[(pfn - region->start) / BLOCK_FRAMES + i], PLUGGED);
		region->block[(pfn - region->start) / BLOCK_FRAMES + i] = CLAIMED;
	}
}

/* The host has taken what was claimed, or would not. */
static void answer_claims(void)
{
	struct region *region = any_region();

	for (size_t i = 0; i < region->blocks; i++) {
		if (region->block[i] != CLAIMED || one_in(3))
			continue;
		if (one_in(3)) {
			region_world_keep(block_of(region, i), 1);
			region->block[i] = PLUGGED;
		} else {
			region_world_leave(block_of(region, i), 1);
			region->block[i] = ABSENT;
		}
	}
}

static void check_blocks(void)
{
	uint64_t managed = BOOT_BLOCKS * BLOCK_FRAMES;

	for (size_t r = 0; r < ARRAY_SIZE(regions); r++) {
		for (size_t i = 0; i < regions[r].blocks; i++) {
			pfn_t pfn = block_of(&regions[r], i);

			if (regions[r].block[i] == ABSENT)
				assert_int_equal(frame_owner(pfn), OWNER_ABSENT);
			else
				managed += BLOCK_FRAMES;
			if (regions[r].block[i] == CLAIMED)
				assert_int_equal(frame_count_blocks(pfn, 1, OWNER_UNPLUGGED), 1);
		}
	}
	assert_int_equal(ledger_managed(), managed);
}

/* ---- The guest's own memory ---- */

static void allocate_some(void)
{
	unsigned order = one_in(3) ? (unsigned)below(BLOCK_ORDER + 1) : 0;
	pfn_t pfn;

	host->answer_at_once(true);
	for (uint64_t n = 1 + below(order == 0 ? 400 : 4); n > 0; n--)
		if (!frame_alloc(order, OWNER_HELD, &pfn))
			hold(pfn, order);
	host->answer_at_once(false);
}

static void run_out_of_memory(void)
{
	static pfn_t pfns[MOST];
	size_t count = frame_alloc_bulk(MOST, PFN_NONE, OWNER_HELD, pfns);

	for (size_t i = 0; i < count; i++)
		hold(pfns[i], 0);
}

/* ---- A round, and what it may do ---- */

struct picture {
	uint64_t target, recoveries;
	uint64_t taken;	       /* in the balloon, or on the way there */
	uint64_t host_avoided; /* the host's, of what is avoided */
	uint64_t boot_free, free;
};

/* Counts frames of what is avoided. */
static uint64_t avoided(enum owner owner)
{
	size_t count;
	const struct balloon_stretch *all = balloon_place_avoided(&count);
	uint64_t sum = 0;

	for (size_t i = 0; i < count; i++)
		sum += frames_of(owner, all[i].start, all[i].end);
	return sum;
}

static struct picture look(void)
{
	return (struct picture){
		.target = status().target,
		.recoveries = status().recoveries,
		.taken = ballooned() + balloon_batches_inflating(&balloons->batches),
		.host_avoided = avoided(OWNER_BALLOON) + avoided(OWNER_IN_FLIGHT),
		.boot_free = boot_free(),
		.free = ledger_count(OWNER_FREE),
	};
}

/* Boot memory that is lent comes back by itself: no inflation has it. */
static uint64_t lent(void)
{
	return ledger_count(OWNER_REPORTED) - balloon_ranges_leaving(&balloons->ranges);
}

static bool one_round(void)
{
	struct picture before = look(), after;
	bool more = balloon_step();

	after = look();
	assert_int_equal(frame_boot_free(), after.boot_free);
	assert_true(after.host_avoided <= before.host_avoided ||
		    after.recoveries != before.recoveries);
	if (after.recoveries != before.recoveries)
		return more;
	if (after.target == before.target && !host->deltas)
		assert_true(after.taken >= min_u64(before.taken, after.target));
	assert_int_equal(avoided(OWNER_LEAVING), 0);
	if (after.free > after.boot_free)
		assert_true(after.boot_free + lent() >= min_u64(before.boot_free, status().floor));
	return more;
}

static void check(void)
{
	assert_books();
	check_blocks();
	host->check();
	assert_null(status().broken);
}

static void come_to_rest(void)
{
	unsigned n = 0;

	do {
		while (one_round())
			assert_true(n++ < ROUNDS_MAX);
	} while (host->answer() > 0 || balloon_has_news(balloons));
	while (balloon_step())
		assert_true(n++ < ROUNDS_MAX);
}

/* ---- Moving out ---- */

static pfn_t stretch_start, stretch_end;

static void choose_stretch(void)
{
	const struct region *region = any_region();
	size_t first = (size_t)below(region->blocks);

	stretch_start = block_of(region, first);
	stretch_end = stretch_start + (1 + below(region->blocks - first)) * BLOCK_FRAMES;
}

static void avoid_some(void)
{
	struct balloon_stretch stretches[3];
	size_t count = (size_t)below(ARRAY_SIZE(stretches) + 1);

	for (size_t i = 0; i < count; i++) {
		const struct region *region = any_region();
		size_t first = one_in(2) ? 0 : (size_t)below(region->blocks);

		stretches[i].start = block_of(region, first);
		stretches[i].end = block_of(region, first + 1 + below(region->blocks - first));
	}
	balloon_avoid(stretches, count);
}

static void vacate_or_stay(void)
{
	if (one_in(3))
		avoid_some();
	if (one_in(6)) {
		balloon_stay();
		return;
	}
	if (one_in(3))
		choose_stretch();
	if (balloon_vacate(stretch_start, stretch_end) == BALLOON_VACANT)
		assert_int_equal(frames_of(OWNER_BALLOON, stretch_start, stretch_end), 0);
}

/* With a host that behaves: until the answer stands. */
static void vacate_to_the_end(void)
{
	uint64_t held = frames_of(OWNER_BALLOON, stretch_start, stretch_end);
	enum balloon_vacancy vacancy = balloon_vacate(stretch_start, stretch_end);

	for (int i = 0; vacancy == BALLOON_MOVING_OUT || (vacancy == BALLOON_GIVES_NONE && i < 4);
	     i++) {
		assert_true(i < PAUSES_MAX);
		come_to_rest();
		check();
		sim_time_advance(BALLOON_PAUSE_MAX_NS + NS_PER_MS);
		vacancy = balloon_vacate(stretch_start, stretch_end);
	}
	outcomes[vacancy]++;
	moves += vacancy == BALLOON_VACANT && held > BLOCK_FRAMES;
	if (vacancy == BALLOON_VACANT)
		assert_int_equal(frames_of(OWNER_BALLOON, stretch_start, stretch_end) +
					 frames_of(OWNER_IN_FLIGHT, stretch_start, stretch_end),
				 0);
	else if (vacancy == BALLOON_NO_ROOM)
		assert_int_equal(balloon_frames_spare(), 0);
	else
		assert_true(host->deltas);
}

/* A large balloon that became smaller: the lowest frames came back, those of regions did not. */
static void fill_regions(void)
{
	balloon_stay();
	balloon_avoid(NULL, 0);
	free_some();
	host->want(host->deltas ? MOST / 6 : MOST);
	for (int i = 0; i < 3; i++) {
		sim_time_advance(BALLOON_PAUSE_MAX_NS + NS_PER_MS);
		come_to_rest();
	}
	if (!host->deltas)
		host->want(below(1 + 2 * ballooned() / 3));
	come_to_rest();
	choose_stretch();
}

static void end_stretch(void)
{
	struct balloon_status s;

	come_to_rest();
	check();
	host->behave();
	if (one_in(2))
		fill_regions();
	vacate_to_the_end();
	check();
	balloon_stay();
	balloon_avoid(NULL, 0);
	for (int i = 0; i < 3; i++) {
		sim_time_advance(BALLOON_PAUSE_MAX_NS + NS_PER_MS);
		come_to_rest();
	}
	check();
	host->check_rest();
	s = status();
	assert_int_equal(s.actual, ballooned());
	if (s.target != ballooned()) {
		assert_true(s.target > ballooned());
		assert_true(ledger_count(OWNER_FREE) <= s.floor);
	}
}

/* ---- The walk ---- */

static void some_target(void)
{
	host->want(below(host->deltas ? MOST / 6 : MOST));
}

static void some_time(void)
{
	if (one_in(4))
		come_to_rest();
	/* Less than anybody's patience, if anything is owed. */
	sim_time_advance(below(balloon_sent_awake(balloons) == DEADLINE_NEVER ? 5 * NS_PER_S
									      : NS_PER_S / 5));
}

static void replace(void)
{
	host->unplug();
	assert_books();
	assert_int_equal(ledger_count(OWNER_BALLOON) + ledger_count(OWNER_IN_FLIGHT), 0);
	host->plug();
	some_target();
}

static void do_something(void)
{
	uint64_t dice = below(100);

	if (dice < 30) {
		for (uint64_t n = 1 + below(3); n > 0; n--)
			one_round();
	} else if (dice < 48) {
		host->act();
	} else if (dice < 60) {
		vacate_or_stay();
	} else if (dice < 68) {
		plug_some();
	} else if (dice < 74) {
		claim_some();
	} else if (dice < 78) {
		answer_claims();
	} else if (dice < 84) {
		allocate_some();
	} else if (dice < 90) {
		free_some();
	} else if (dice < 91) {
		run_out_of_memory();
	} else if (dice < 93) {
		balloon_set_floor(below(MOST / 8));
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

	print_message("             seed %llu\n", (unsigned long long)with);
	random_begin(with);
	sim_time_reset();
	sim_log_reset();
	region_world_start();
	regions[0] = (struct region){ .start = LOWER, .blocks = LOWER_BLOCKS };
	regions[1] = (struct region){ .start = UPPER, .blocks = UPPER_BLOCKS };
	frame_set_reclaimer(balloon_reclaim);
	hold_nothing();
	choose_stretch();
	balloon_init(&config);
	host->plug();
}

static void end_walk(void)
{
	free_all();
	host->unplug();
	assert_books();
	assert_int_equal(ledger_count(OWNER_BALLOON) + ledger_count(OWNER_IN_FLIGHT) +
				 ledger_count(OWNER_LEAVING) + ledger_count(OWNER_REFUSED),
			 0);
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
		}
		end_stretch();
	}
	end_walk();
}

static void walk_with(const struct random_host *this_host)
{
	host = this_host;
	for (size_t i = 0; i < ARRAY_SIZE(outcomes); i++)
		outcomes[i] = 0;
	moves = 0;
	random_begin_walks();
	for (size_t i = 0; i < ARRAY_SIZE(seeds) && only_seed == 0; i++)
		walk(seeds[i]);
	if (only_seed > 0) {
		walk(only_seed);
		return;
	}
	assert_true(outcomes[BALLOON_VACANT] > 0);
	assert_true(outcomes[host->deltas ? BALLOON_GIVES_NONE : BALLOON_NO_ROOM] > 0);
	assert_true(host->deltas || moves > 1);
}

static void beside_a_host_that_refuses_frames_and_forgets(void **state)
{
	(void)state;
	walk_with(&random_hosts[RANDOM_HOST_REFUSES]);
}

static void beside_a_host_without_memory_for_a_while(void **state)
{
	(void)state;
	walk_with(&random_hosts[RANDOM_HOST_HAS_NO_MEMORY]);
}

static void beside_a_host_that_asks_by_deltas(void **state)
{
	(void)state;
	walk_with(&random_hosts[RANDOM_HOST_ASKS_BY_DELTAS]);
}

static void beside_a_virtio_device(void **state)
{
	(void)state;
	walk_with(&random_hosts[RANDOM_HOST_VIRTIO]);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(beside_a_host_that_refuses_frames_and_forgets),
		cmocka_unit_test(beside_a_host_without_memory_for_a_while),
		cmocka_unit_test(beside_a_host_that_asks_by_deltas),
		cmocka_unit_test(beside_a_virtio_device),
	};

	only_seed = argc > 1 ? strtoull(argv[1], NULL, 0) : 0;
	return cmocka_run_group_tests_name("balloon_vacate_random", tests, set_up_ram, NULL);
}
