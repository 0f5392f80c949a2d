/* SPDX-License-Identifier: BSD-2-Clause */
/* From where inflation takes frames: memory of the boot first, then regions. */
#include "drivers/balloon/balloon_place.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "drivers/balloon/balloon_offer.h"
#include "drivers/balloon/balloon_ranges.h"
#include "drivers/balloon/balloon_state_internal.h"
#include "drivers/balloon/balloon_vacate.h"
#include "tests/unit/drivers/balloon/host_fixture.h"
#include "tests/unit/drivers/balloon/region_world.h"

#define FLOOR 700

/* A batch of this host holds a block in pieces, or several as such. */
static bool in_pieces;

static void plug_everything(void)
{
	region_world_plug(LOWER, LOWER_BLOCKS);
	region_world_plug(UPPER, UPPER_BLOCKS);
}

static int set_up_place(void **state)
{
	set_up_host(state);
	sim_ram_stop();
	region_world_start();
	if (in_pieces)
		host.terms.batch_frames = host.terms.batch_block_frames = BLOCK_FRAMES / 2;
	return 0;
}

static int set_up_pieces(void **state)
{
	in_pieces = true;
	set_up_place(state);
	in_pieces = false;
	return 0;
}

static int tear_down_place(void **state)
{
	(void)state;
	assert_books();
	balloon_detach(balloons->port);
	if (host.has.violation)
		fail_msg("%s", host.has.violation);
	assert_int_equal(ballooned() + ledger_count(OWNER_IN_FLIGHT), 0);
	assert_books();
	sim_ram_stop();
	return 0;
}

static void attach(uint64_t floor)
{
	assert_int_equal(host_attach(floor), 0);
}

static uint64_t ballooned_in(pfn_t start, pfn_t end)
{
	return frames_of(OWNER_BALLOON, start, end);
}

static void avoid(pfn_t start, pfn_t end)
{
	const struct balloon_stretch stretch = { start, end };

	balloon_avoid(&stretch, 1);
}

static void memory_of_the_boot_goes_first_but_for_the_floor(void **state)
{
	uint64_t most;

	(void)state;
	plug_everything();
	attach(FLOOR);
	most = boot_free() - FLOOR;
	host_wants(most - 1);
	assert_host_has(most - 1);
	assert_int_equal(ballooned_in(WORLD_START, BOOT_END), most - 1);
	host_wants(most + 1);
	assert_host_has(most + 1);
	assert_int_equal(boot_free(), FLOOR);
	assert_int_equal(ballooned_in(LOWER, LOWER_END), 1);
	host_wants(most + 3 * BLOCK_FRAMES);
	assert_int_equal(boot_free(), FLOOR);
	assert_int_equal(ballooned_in(LOWER, LOWER_END), 3 * BLOCK_FRAMES);
}

/* The crumbs of the boot before a block of a region; there, blocks before crumbs. */
static void in_each_place_whole_blocks_go_first(void **state)
{
	uint64_t most;

	(void)state;
	plug_everything();
	assert_int_equal(frame_reserve(LOWER + 7, 1, OWNER_HELD), 0);
	attach(FLOOR);
	most = boot_free() - FLOOR;
	host_wants(most + 2 * BLOCK_FRAMES);
	assert_int_equal(ballooned_in(WORLD_START, BOOT_END), most);
	assert_int_equal(ballooned_in(LOWER, LOWER + BLOCK_FRAMES), 0);
	assert_int_equal(ballooned_in(LOWER + BLOCK_FRAMES, LOWER + 3 * BLOCK_FRAMES),
			 2 * BLOCK_FRAMES);
	host_wants(most + 2 * BLOCK_FRAMES + 5);
	assert_int_equal(ballooned_in(LOWER, LOWER + BLOCK_FRAMES), 5);
}

static void blocks_that_boot_memory_has_go_before_its_crumbs(void **state)
{
	uint64_t whole;

	(void)state;
	plug_everything();
	assert_int_equal(frame_reserve(WORLD_START + BLOCK_FRAMES, 1, OWNER_HELD), 0);
	attach(0);
	whole = frame_free_blocks() - LOWER_BLOCKS - UPPER_BLOCKS;
	host_wants(whole * BLOCK_FRAMES);
	assert_int_equal(ballooned_in(WORLD_START, BOOT_END), whole * BLOCK_FRAMES);
	assert_int_equal(frame_free_blocks(), LOWER_BLOCKS + UPPER_BLOCKS);
	assert_int_equal(frames_of(OWNER_FREE, WORLD_START + BLOCK_FRAMES,
				   WORLD_START + 2 * BLOCK_FRAMES),
			 BLOCK_FRAMES - 1);
}

static void crumbs_of_boot_memory_go_before_blocks_of_regions(void **state)
{
	(void)state;
	plug_everything();
	for (size_t i = 0; i < BOOT_BLOCKS; i++)
		if (frame_owner(WORLD_START + i * BLOCK_FRAMES + 9) == OWNER_FREE)
			assert_int_equal(frame_reserve(WORLD_START + i * BLOCK_FRAMES + 9, 1,
						       OWNER_HELD),
					 0);
	attach(0);
	assert_true(boot_free() > 3 * BLOCK_FRAMES);
	host_wants(3 * BLOCK_FRAMES);
	assert_int_equal(ballooned_in(WORLD_START, BOOT_END), 3 * BLOCK_FRAMES);
	assert_int_equal(frame_free_blocks(), LOWER_BLOCKS + UPPER_BLOCKS);
}

static void all_that_is_above_the_floor_is_taken_in_the_end(void **state)
{
	uint64_t free;

	(void)state;
	plug_everything();
	attach(FLOOR);
	free = ledger_count(OWNER_FREE);
	host_wants(free);
	assert_host_has(free - FLOOR);
	assert_int_equal(status().shortfall, FLOOR);
	assert_int_equal(boot_free(), FLOOR);
	assert_int_equal(balloon_spare(), 0);
}

/* What the kernel has used is no reason to leave it more. */
static void a_boot_memory_below_the_floor_is_left_alone(void **state)
{
	pfn_t pfn;

	(void)state;
	plug_everything();
	attach(FLOOR);
	while (boot_free() > FLOOR - 100)
		assert_int_equal(frame_alloc_boot(0, OWNER_HELD, &pfn), 0);
	host_wants(1000);
	assert_host_has(1000);
	assert_int_equal(boot_free(), FLOOR - 100);
	assert_int_equal(ballooned_in(LOWER, LOWER_END), 1000);
	host_wants(ledger_managed());
	assert_int_equal(ledger_count(OWNER_FREE), FLOOR);
	assert_int_equal(boot_free(), FLOOR - 100);
}

static void without_free_frames_in_regions_all_is_one_place(void **state)
{
	uint64_t free;

	(void)state;
	attach(FLOOR);
	free = ledger_count(OWNER_FREE);
	assert_int_equal(free, boot_free());
	host_wants(free - FLOOR);
	assert_host_has(free - FLOOR);
	assert_int_equal(balloon_next_place(balloons).frames, 0);
	assert_int_equal(balloon_next_place(balloons).from, 0);
	assert_true(balloon_next_place(balloons).end == PFN_NONE);
}

static void nothing_is_taken_of_what_leaves(void **state)
{
	uint64_t most;

	(void)state;
	plug_everything();
	attach(FLOOR);
	most = boot_free() - FLOOR + LOWER_BLOCKS * BLOCK_FRAMES;
	avoid(UPPER, UPPER_END);
	assert_int_equal(balloon_frames_spare(), most);
	host_wants(most + 10);
	assert_host_has(most);
	assert_int_equal(ballooned_in(UPPER, UPPER_END), 0);
	assert_int_equal(boot_free(), FLOOR);
	assert_int_equal(status().shortfall, 10);
	assert_int_equal(balloon_frames_spare(), 0);
	assert_int_equal(balloon_spare(), UPPER_BLOCKS * BLOCK_FRAMES);
	balloon_avoid(NULL, 0);
	assert_true(balloons->nudged);
	settle();
	assert_host_has(most + 10);
	assert_int_equal(ballooned_in(UPPER, UPPER_END), 10);
	assert_int_equal(status().shortfall, 0);
}

static void if_all_regions_leave_boot_memory_is_left(void **state)
{
	uint64_t most;

	(void)state;
	plug_everything();
	attach(FLOOR);
	most = boot_free() - FLOOR;
	avoid(LOWER, UPPER_END);
	host_wants(ledger_managed());
	assert_host_has(most);
	assert_int_equal(boot_free(), FLOOR);
}

/* What leaves, or is stuck, is no border: what lies above it is taken as well. */
static void memory_above_what_leaves_is_taken(void **state)
{
	uint64_t most;

	(void)state;
	plug_everything();
	attach(FLOOR);
	most = boot_free() - FLOOR + UPPER_BLOCKS * BLOCK_FRAMES;
	avoid(LOWER, LOWER_END);
	assert_int_equal(balloon_frames_spare(), most);
	host_wants(most + 10);
	assert_host_has(most);
	assert_int_equal(status().shortfall, 10);
	assert_int_equal(ballooned_in(LOWER, LOWER_END), 0);
	assert_int_equal(ballooned_in(UPPER, UPPER_END), UPPER_BLOCKS * BLOCK_FRAMES);
	assert_int_equal(boot_free(), FLOOR);
}

/* Two that leave, with gaps below, between and above. */
static void the_gaps_between_what_leaves_go_from_the_lowest_up(void **state)
{
	const struct balloon_stretch stretches[] = {
		{ UPPER + 4 * BLOCK_FRAMES, UPPER + 6 * BLOCK_FRAMES },
		{ LOWER + 2 * BLOCK_FRAMES, LOWER + 3 * BLOCK_FRAMES },
		{ UPPER + 5 * BLOCK_FRAMES, UPPER + 7 * BLOCK_FRAMES },
	};
	const size_t gaps[] = { 2 * BLOCK_FRAMES, 3 * BLOCK_FRAMES + 4 * BLOCK_FRAMES,
				3 * BLOCK_FRAMES };
	uint64_t most;

	(void)state;
	plug_everything();
	attach(FLOOR);
	balloon_avoid(stretches, ARRAY_SIZE(stretches));
	most = boot_free() - FLOOR;
	assert_int_equal(balloon_frames_spare(), most + gaps[0] + gaps[1] + gaps[2]);
	host_wants(most += gaps[0]);
	assert_int_equal(ballooned_in(LOWER, LOWER + 2 * BLOCK_FRAMES), gaps[0]);
	host_wants(most += gaps[1] - 5);
	assert_int_equal(ballooned_in(LOWER + 3 * BLOCK_FRAMES, UPPER + 4 * BLOCK_FRAMES),
			 gaps[1] - 5);
	host_wants(most += 5 + gaps[2] + 1);
	assert_host_has(most - 1);
	assert_int_equal(ballooned_in(UPPER + 7 * BLOCK_FRAMES, UPPER_END), gaps[2]);
	assert_int_equal(balloon_next_place(balloons).frames, 0);
}

static void what_is_avoided_is_joined_where_it_touches(void **state)
{
	const struct balloon_stretch stretches[] = {
		{ UPPER + 8 * BLOCK_FRAMES, UPPER_END },
		{ UPPER, UPPER + 2 * BLOCK_FRAMES },
		{ UPPER + 2 * BLOCK_FRAMES, UPPER + 3 * BLOCK_FRAMES },
		{ LOWER, LOWER_END },
	};
	const struct balloon_stretch *avoided;
	size_t count;

	(void)state;
	balloon_place_avoid(stretches, ARRAY_SIZE(stretches), NULL);
	avoided = balloon_place_avoided(&count);
	assert_int_equal(count, 3);
	assert_int_equal(avoided[0].start, LOWER);
	assert_int_equal(avoided[1].start, UPPER);
	assert_int_equal(avoided[1].end, UPPER + 3 * BLOCK_FRAMES);
	assert_int_equal(avoided[2].end, UPPER_END);
	balloon_place_avoid(stretches, ARRAY_SIZE(stretches),
			    &(struct balloon_stretch){ LOWER + BLOCK_FRAMES, UPPER_END });
	avoided = balloon_place_avoided(&count);
	assert_int_equal(count, 1);
	assert_int_equal(avoided[0].start, LOWER);
	assert_int_equal(avoided[0].end, UPPER_END);
	balloon_place_avoid(NULL, 0, NULL);
}

static void what_is_avoided_is_forgotten_with_the_balloon(void **state)
{
	const struct balloon_config config = { .floor = FLOOR };
	size_t count;

	(void)state;
	avoid(LOWER, UPPER_END);
	balloon_vacate(UPPER, UPPER_END);
	balloon_init(&config);
	(void)balloon_place_avoided(&count);
	assert_int_equal(count, 0);
}

/* The host's own limit holds everywhere. */
static void the_hosts_limit_holds_in_each_place(void **state)
{
	uint64_t most;

	(void)state;
	plug_everything();
	host.terms.pfn_limit = LOWER + BLOCK_FRAMES + 3;
	attach(0);
	most = boot_free() + BLOCK_FRAMES + 3;
	host_wants(ledger_managed());
	assert_host_has(most);
	assert_int_equal(ballooned_in(LOWER + BLOCK_FRAMES + 3, UPPER_END), 0);
}

static void the_spare_is_known_without_a_host(void **state)
{
	const struct balloon_config config = { .floor = FLOOR };

	(void)state;
	balloon_init(&config);
	assert_int_equal(balloon_spare(), ledger_count(OWNER_FREE) - FLOOR);
	balloon_set_floor(ledger_count(OWNER_FREE) + 1);
	assert_int_equal(balloon_spare(), 0);
}

/* ---- Ranges ---- */

static struct frame_run sent[8];
static size_t sent_count;

static int send_ranges(const struct frame_run *ranges, size_t count)
{
	for (size_t i = 0; i < count && sent_count < ARRAY_SIZE(sent); i++)
		sent[sent_count++] = ranges[i];
	balloon_ranges_answered(balloons->ranges.range);
	return 0;
}

static void ranges_leave_boot_memory_first(void **state)
{
	uint64_t most, blocks;

	(void)state;
	plug_everything();
	host.port.send_ranges = send_ranges;
	host.terms.ranges = 1;
	host.terms.range_blocks = 100;
	host.terms.best = BALLOON_RANGE_FIRST;
	sent_count = 0;
	attach(FLOOR);
	most = boot_free() - FLOOR;
	blocks = most / BLOCK_FRAMES;
	host_wants(most + 2 * BLOCK_FRAMES);
	assert_host_has(most + 2 * BLOCK_FRAMES);
	assert_int_equal(boot_free(), FLOOR);
	assert_int_equal(sent_count, 2);
	assert_int_equal(sent[0].count, blocks * BLOCK_FRAMES);
	assert_true(sent[0].first < BOOT_END);
	/* Between the two the crumbs of the boot went. */
	assert_int_equal(sent[1].first, LOWER);
	assert_int_equal(sent[1].count, 2 * BLOCK_FRAMES);
}

static void leaving_frames_are_free_again_where_memory_leaves(void **state)
{
	pfn_t pfn;

	(void)state;
	plug_everything();
	attach(0);
	/* As if they had just been told as a range. */
	assert_int_equal(frame_reserve(UPPER, 3 * BLOCK_FRAMES, OWNER_LEAVING), 0);
	assert_int_equal(frame_reserve(UPPER + 5 * BLOCK_FRAMES + 7, 1, OWNER_LEAVING), 0);
	assert_int_equal(frame_reserve(LOWER_END - 1, 1, OWNER_LEAVING), 0);
	avoid(UPPER, UPPER_END);
	host_wants(5);
	assert_int_equal(frames_of(OWNER_FREE, UPPER, UPPER_END), UPPER_BLOCKS * BLOCK_FRAMES);
	/* What leaves below it goes on. */
	assert_int_equal(frame_owner(LOWER_END - 1), OWNER_BALLOON);
	assert_host_has(5);
	assert_int_equal(frame_collect(OWNER_LEAVING, 0, 1, &pfn), 0);
}

static void lending_takes_free_blocks_anywhere(void **state)
{
	(void)state;
	plug_everything();
	host.port.send_ranges = send_ranges;
	host.terms.ranges = 1;
	host.terms.range_blocks = 100;
	sent_count = 0;
	assert_int_equal(frame_reserve(UPPER, BLOCK_FRAMES, OWNER_HELD), 0);
	attach(0);
	avoid(LOWER, UPPER_END);
	/* A block that has come is not told of; one that was used is. */
	assert_int_equal(frame_free(UPPER, BLOCK_FRAMES, OWNER_HELD), 0);
	for (int i = 0; i < 4; i++)
		be_quiet();
	assert_true(sent_count > 0);
	assert_int_equal(sent[sent_count - 1].first, UPPER);
	assert_int_equal(sent[sent_count - 1].count, BLOCK_FRAMES);
	balloon_avoid(NULL, 0);
}

#define PLACE_TEST(name) \
	cmocka_unit_test_setup_teardown(name, set_up_place, tear_down_place), \
	{ \
#name "_in_pieces", name, set_up_pieces, tear_down_place, NULL \
	}

int main(void)
{
	const struct CMUnitTest tests[] = {
		PLACE_TEST(memory_of_the_boot_goes_first_but_for_the_floor),
		PLACE_TEST(in_each_place_whole_blocks_go_first),
		PLACE_TEST(blocks_that_boot_memory_has_go_before_its_crumbs),
		PLACE_TEST(crumbs_of_boot_memory_go_before_blocks_of_regions),
		PLACE_TEST(all_that_is_above_the_floor_is_taken_in_the_end),
		PLACE_TEST(a_boot_memory_below_the_floor_is_left_alone),
		PLACE_TEST(without_free_frames_in_regions_all_is_one_place),
		PLACE_TEST(nothing_is_taken_of_what_leaves),
		PLACE_TEST(if_all_regions_leave_boot_memory_is_left),
		PLACE_TEST(memory_above_what_leaves_is_taken),
		PLACE_TEST(the_gaps_between_what_leaves_go_from_the_lowest_up),
		PLACE_TEST(what_is_avoided_is_joined_where_it_touches),
		PLACE_TEST(what_is_avoided_is_forgotten_with_the_balloon),
		PLACE_TEST(the_hosts_limit_holds_in_each_place),
		PLACE_TEST(the_spare_is_known_without_a_host),
		PLACE_TEST(ranges_leave_boot_memory_first),
		PLACE_TEST(leaving_frames_are_free_again_where_memory_leaves),
		PLACE_TEST(lending_takes_free_blocks_anywhere),
	};

	return cmocka_run_group_tests_name("balloon_place", tests, set_up_ram, NULL);
}
