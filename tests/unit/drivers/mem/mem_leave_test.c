/* SPDX-License-Identifier: BSD-2-Clause */
/* drivers/mem/mem_leave.c: which blocks leave, in which order, and what is in the way. */
#include "tests/unit/drivers/mem/mem_fixture.h"

#include <string.h>

#include "drivers/mem/mem_leave.h"

#define BLOCKS 32

static struct mem_source one, other;

static const char *why;
static pfn_t pfn;
static size_t blocks;

static void start(size_t unit)
{
	mem_fixture_boot();
	assert_int_equal(memory_region_announce(REGION, 2 * BLOCKS), 0);
	assert_int_equal(memory_region_plug(REGION, 2 * BLOCKS), 0);
	one = (struct mem_source){ .kind = "virtio-mem", .part = { REGION, BLOCKS, unit } };
	other = (struct mem_source){ .kind = "virtio-mem",
				     .part = { REGION + BLOCKS * B, BLOCKS, unit } };
	mem_source_add(&one);
	mem_source_add(&other);
	why = "";
	mem_leave_begin(&one);
}

static int set_up(void **state)
{
	(void)state;
	start(1);
	return 0;
}

static int tear_down(void **state)
{
	mem_leave_end(&one);
	mem_leave_end(&other);
	assert_int_equal(fake_balloon.limit, BALLOON_ANYWHERE);
	assert_false(fake_balloon.moving);
	return mem_fixture_tear_down(state);
}

static enum mem_leave leave(size_t max)
{
	return mem_leave(&one, max, &pfn, &blocks, &why);
}

/* As a DIMM does, which is one unit. */
static enum mem_leave leave_whole(struct mem_source *source)
{
	enum mem_leave left;

	source->part.unit = source->part.blocks;
	left = mem_leave(source, source->part.blocks, &pfn, &blocks, &why);
	if (left == MEM_LEAVE_CLAIMED) {
		assert_int_equal(pfn, source->part.start);
		assert_int_equal(blocks, source->part.blocks);
	}
	return left;
}

static void expect_claimed(pfn_t first, size_t count)
{
	assert_int_equal(pfn, first);
	assert_int_equal(blocks, count);
	assert_int_equal(frame_count_blocks(pfn, blocks, OWNER_UNPLUGGED), blocks);
}

static void the_highest_free_blocks_leave_first(void **state)
{
	(void)state;
	mem_fixture_take(REGION + 20 * B + 5, 1, OWNER_HELD);
	assert_int_equal(leave(1000), MEM_LEAVE_CLAIMED);
	expect_claimed(REGION + 21 * B, 11);
	assert_int_equal(leave(7), MEM_LEAVE_CLAIMED);
	expect_claimed(REGION + 13 * B, 7);
	assert_int_equal(fake_balloon.vacated, 0);
}

static void what_is_used_is_in_the_way(void **state)
{
	(void)state;
	mem_fixture_take(REGION, BLOCKS * B, OWNER_HELD);
	assert_int_equal(leave(8), MEM_LEAVE_STUCK);
	assert_string_equal(why, "what is left of it is in use");
	assert_int_equal(fake_balloon.vacated, 0);
}

/* 64 blocks of the region and 16 of the boot are free, less what the books take. */
static void the_floor_is_not_passed(void **state)
{
	uint64_t free = ledger_count(OWNER_FREE);

	(void)state;
	fake_balloon.floor = free - 3 * B - 17;
	assert_int_equal(leave(8), MEM_LEAVE_CLAIMED);
	expect_claimed(REGION + 29 * B, 3);
	assert_int_equal(leave(8), MEM_LEAVE_STUCK);
	assert_string_equal(why, "the floor of free memory would be passed");
	assert_true(ledger_count(OWNER_FREE) >= fake_balloon.floor);
}

/* A unit of two, and room above the floor for one and a half. */
static void a_unit_that_would_pass_the_floor_stays_whole(void **state)
{
	(void)state;
	mem_leave_end(&one);
	fixture_stop(state);
	start(2);
	fake_balloon.floor = ledger_count(OWNER_FREE) - 2 * B + 1;
	assert_int_equal(leave(8), MEM_LEAVE_STUCK);
	assert_string_equal(why, "the floor of free memory would be passed");
	fake_balloon.floor--;
	assert_int_equal(leave(8), MEM_LEAVE_CLAIMED);
	expect_claimed(REGION + 30 * B, 2);
}

/* All of the source is used but two units, of which the balloon holds some frames. */
static void let_the_balloon_hold(void)
{
	mem_fixture_take(REGION, 8 * B, OWNER_HELD);
	mem_fixture_take(REGION + 10 * B, 22 * B, OWNER_HELD);
	mem_fixture_take(REGION + 8 * B + 3, 150, OWNER_BALLOON);
	mem_fixture_take(REGION + 9 * B + 3, 150, OWNER_BALLOON);
}

static void the_balloon_moves_out_and_then_its_blocks_leave(void **state)
{
	(void)state;
	let_the_balloon_hold();
	assert_int_equal(leave(8), MEM_LEAVE_LATER);
	assert_int_equal(fake_balloon.start, REGION + 8 * B);
	assert_int_equal(fake_balloon.end, REGION + 10 * B);
	assert_true(fake_balloon.moving);
	/* The lower one is free now, and may leave while the balloon moves out of the other. */
	assert_int_equal(leave(8), MEM_LEAVE_LATER);
	assert_int_equal(leave(8), MEM_LEAVE_CLAIMED);
	expect_claimed(REGION + 8 * B, 1);
	assert_int_equal(fake_balloon.start, REGION + 8 * B);
	while (leave(8) == MEM_LEAVE_LATER)
		assert_int_equal(fake_balloon.end, REGION + 10 * B);
	expect_claimed(REGION + 9 * B, 1);
	assert_int_equal(ledger_count(OWNER_BALLOON), 300);
	/* It says that it is done, and nothing is left. */
	assert_int_equal(leave(8), MEM_LEAVE_STUCK);
	assert_false(fake_balloon.moving);
}

/* Whoever asks seldom does not find out in two steps. */
static void what_the_balloon_is_out_of_is_claimed_at_once(void **state)
{
	(void)state;
	let_the_balloon_hold();
	assert_int_equal(leave(8), MEM_LEAVE_LATER);
	fake_balloon.step = 1000;
	assert_int_equal(leave(8), MEM_LEAVE_CLAIMED);
	expect_claimed(REGION + 8 * B, 2);
	assert_false(fake_balloon.moving);
}

/* The balloon asks frames back in batches: meanwhile their block is nobody's as a whole. */
static void a_stretch_is_kept_while_frames_of_it_are_in_flight(void **state)
{
	(void)state;
	let_the_balloon_hold();
	fake_balloon.step = 0;
	assert_int_equal(leave(8), MEM_LEAVE_LATER);
	assert_int_equal(frame_change_owner(REGION + 8 * B + 3, 9, OWNER_BALLOON, OWNER_IN_FLIGHT),
			 0);
	assert_int_equal(frame_change_owner(REGION + 9 * B + 3, 9, OWNER_BALLOON, OWNER_IN_FLIGHT),
			 0);
	assert_int_equal(leave(8), MEM_LEAVE_LATER);
	assert_int_equal(fake_balloon.start, REGION + 8 * B);
	assert_int_equal(fake_balloon.end, REGION + 10 * B);
	assert_int_equal(fake_balloon.vacated, 2);
}

static void expect_stuck_by(enum balloon_vacancy answer, const char *sentence)
{
	fake_balloon.answers = true;
	fake_balloon.answer = answer;
	assert_int_equal(leave(8), MEM_LEAVE_STUCK);
	assert_non_null(strstr(why, sentence));
	assert_false(fake_balloon.moving);
}

static void a_balloon_that_stays_is_named(void **state)
{
	(void)state;
	let_the_balloon_hold();
	expect_stuck_by(BALLOON_NO_ROOM, "the floor leaves no other memory");
	expect_stuck_by(BALLOON_GIVES_NONE, "its host gives none back");
}

/* The higher one is the first balloon's, which would be in the way for ever. */
static void a_balloon_that_gives_none_is_not_in_the_others_way(void **state)
{
	(void)state;
	let_the_balloon_hold();
	assert_int_equal(
		frame_change_owner(REGION + 8 * B + 3, 150, OWNER_BALLOON, OWNER_BALLOON_2), 0);
	fake_balloon.first_keeps = true;
	assert_int_equal(leave(8), MEM_LEAVE_LATER);
	assert_int_equal(fake_balloon.start, REGION + 8 * B);
	assert_int_equal(fake_balloon.end, REGION + 9 * B);
	assert_int_equal(frame_free(REGION + 8 * B + 3, 150, OWNER_BALLOON_2), 0);
	assert_int_equal(leave(8), MEM_LEAVE_CLAIMED);
	expect_claimed(REGION + 8 * B, 1);
	/* Now it is, and says why. */
	expect_stuck_by(BALLOON_GIVES_NONE, "its host gives none back");
}

static void one_source_at_a_time_is_served(void **state)
{
	(void)state;
	let_the_balloon_hold();
	mem_fixture_take(REGION + BLOCKS * B, (BLOCKS - 1) * B, OWNER_HELD);
	mem_fixture_take(REGION + (2 * BLOCKS - 1) * B, 150, OWNER_BALLOON);
	mem_leave_begin(&other);
	assert_int_equal(leave(8), MEM_LEAVE_LATER);
	assert_string_equal(why, "the balloon takes long to move out of it");
	assert_int_equal(mem_leave(&other, 8, &pfn, &blocks, &why), MEM_LEAVE_LATER);
	assert_string_equal(why, "the balloon moves out of other memory first");
	assert_int_equal(fake_balloon.start, REGION + 8 * B);
	assert_int_equal(fake_balloon.vacated, 1);
	/* The first one wants no more: it is the other's turn. */
	mem_leave_end(&one);
	assert_false(fake_balloon.moving);
	assert_int_equal(mem_leave(&other, 8, &pfn, &blocks, &why), MEM_LEAVE_LATER);
	assert_int_equal(fake_balloon.start, REGION + (2 * BLOCKS - 1) * B);
}

/*
 * In mid-turn the balloon has more than its target, and other memory is not free for it:
 * that is no reason to stop, for the source itself or for another.
 */
static void a_turn_of_the_balloon_does_not_count_as_the_floor(void **state)
{
	(void)state;
	let_the_balloon_hold();
	mem_leave_begin(&other);
	assert_int_equal(leave(8), MEM_LEAVE_LATER);
	fake_balloon.floor = ledger_count(OWNER_FREE) - B / 2;
	assert_int_equal(leave(8), MEM_LEAVE_LATER);
	assert_true(fake_balloon.moving);
	assert_int_equal(fake_balloon.vacated, 2);
	assert_int_equal(mem_leave(&other, 8, &pfn, &blocks, &why), MEM_LEAVE_LATER);
	assert_int_equal(leave_whole(&other), MEM_LEAVE_LATER);
	assert_int_equal(fake_balloon.vacated, 2);
	/* The turn is over. */
	fake_balloon.floor -= 2 * B;
	while (leave(8) == MEM_LEAVE_LATER)
		assert_true(fake_balloon.moving);
	expect_claimed(REGION + 8 * B, 1);
}

/* If it is in the way in the end, the balloon has moved once, and does not move again. */
static void the_floor_is_looked_at_when_the_balloon_is_out(void **state)
{
	unsigned vacated;

	(void)state;
	let_the_balloon_hold();
	assert_int_equal(leave(8), MEM_LEAVE_LATER);
	fake_balloon.floor = ledger_count(OWNER_FREE) - B / 2;
	while (leave(8) == MEM_LEAVE_LATER)
		;
	assert_string_equal(why, "the floor of free memory would be passed");
	assert_false(fake_balloon.moving);
	assert_int_equal(ledger_count(OWNER_UNPLUGGED), 0);
	vacated = fake_balloon.vacated;
	assert_int_equal(leave(8), MEM_LEAVE_STUCK);
	assert_int_equal(fake_balloon.vacated, vacated);
}

/* A host that has it for a moment only is waited for. */
static void what_the_host_has_for_a_moment_is_waited_for(void **state)
{
	static const enum owner for_a_moment[] = { OWNER_IN_FLIGHT, OWNER_LEAVING, OWNER_REPORTED,
						   OWNER_HINTED };

	(void)state;
	mem_fixture_take(REGION, (BLOCKS - 1) * B, OWNER_HELD);
	for (size_t i = 0; i < ARRAY_SIZE(for_a_moment); i++) {
		mem_fixture_take(REGION + (BLOCKS - 1) * B, B, for_a_moment[i]);
		why = "";
		assert_int_equal(leave(8), MEM_LEAVE_LATER);
		assert_string_equal(why, "the balloon's host has some of it");
		mem_fixture_give_back(REGION + (BLOCKS - 1) * B, B, for_a_moment[i]);
	}
	/* Not elsewhere. */
	mem_fixture_take(REGION + (BLOCKS - 1) * B, B, OWNER_HELD);
	mem_fixture_take(REGION + BLOCKS * B, B, OWNER_REPORTED);
	assert_int_equal(leave(8), MEM_LEAVE_STUCK);
}

static void expect_stretch(size_t i, pfn_t first, pfn_t end)
{
	assert_true(i < fake_balloon.stretch_count);
	assert_int_equal(fake_balloon.stretches[i].start, first);
	assert_int_equal(fake_balloon.stretches[i].end, end);
}

static void inflation_stays_out_of_all_that_gives_back(void **state)
{
	const pfn_t middle = REGION + BLOCKS * B, end = REGION + 2 * BLOCKS * B;

	(void)state;
	expect_stretch(0, REGION, middle);
	assert_int_equal(fake_balloon.stretch_count, 1);
	assert_int_equal(fake_balloon.avoided, 1);
	mem_leave_begin(&one);
	assert_int_equal(fake_balloon.avoided, 1);
	/* They lie together. */
	mem_leave_begin(&other);
	assert_int_equal(fake_balloon.stretch_count, 1);
	expect_stretch(0, REGION, end);
	mem_leave_end(&one);
	assert_int_equal(fake_balloon.stretch_count, 1);
	expect_stretch(0, middle, end);
	mem_leave_end(&other);
	assert_int_equal(fake_balloon.stretch_count, 0);
	mem_leave_end(&other);
	assert_int_equal(fake_balloon.avoided, 4);
}

/* Every other one of many gives back. */
static void what_does_not_give_back_stays_open(void **state)
{
	static struct mem_source many[2 * BALLOON_STRETCHES + 3];
	pfn_t first = REGION + 2 * BLOCKS * B;

	(void)state;
	mem_leave_end(&one);
	for (size_t i = 0; i < ARRAY_SIZE(many); i++) {
		many[i] = (struct mem_source){ .kind = "dimm", .part = { first + i * B, 1, 1 } };
		mem_source_add(&many[i]);
	}
	for (size_t i = 0; i < 2 * BALLOON_STRETCHES; i += 2)
		mem_leave_begin(&many[i]);
	assert_int_equal(fake_balloon.stretch_count, BALLOON_STRETCHES);
	for (size_t i = 0; i < BALLOON_STRETCHES; i++)
		expect_stretch(i, first + 2 * i * B, first + (2 * i + 1) * B);
	/* One more than can be told apart. */
	mem_leave_begin(&many[2 * BALLOON_STRETCHES + 2]);
	assert_int_equal(fake_balloon.stretch_count, BALLOON_STRETCHES);
	expect_stretch(0, first, first + B);
	expect_stretch(BALLOON_STRETCHES - 1, first + (2 * BALLOON_STRETCHES - 2) * B,
		       first + (2 * BALLOON_STRETCHES + 3) * B);
	for (size_t i = 0; i < ARRAY_SIZE(many); i++) {
		mem_leave_end(&many[i]);
		mem_source_remove(&many[i]);
	}
}

/* ---- A DIMM ---- */

static void a_whole_source_leaves_at_once(void **state)
{
	(void)state;
	assert_int_equal(leave_whole(&one), MEM_LEAVE_CLAIMED);
	assert_int_equal(frame_count_blocks(REGION, BLOCKS, OWNER_UNPLUGGED), BLOCKS);
	assert_int_equal(ledger_count(OWNER_UNPLUGGED), BLOCKS * B);
}

static void a_frame_in_use_keeps_a_whole_source(void **state)
{
	(void)state;
	mem_fixture_take(REGION + 17 * B + 3, 1, OWNER_HELD);
	mem_fixture_take(REGION + 18 * B + 3, 1, OWNER_BALLOON);
	assert_int_equal(leave_whole(&one), MEM_LEAVE_STUCK);
	assert_string_equal(why, "what is left of it is in use");
	assert_int_equal(fake_balloon.vacated, 0);
	assert_int_equal(ledger_count(OWNER_UNPLUGGED), 0);
}

static void the_balloon_moves_out_of_a_whole_source(void **state)
{
	(void)state;
	mem_fixture_take(REGION + 17 * B, 150, OWNER_BALLOON);
	mem_fixture_take(REGION + 3 * B, 150, OWNER_BALLOON);
	while (leave_whole(&one) == MEM_LEAVE_LATER)
		assert_int_equal(fake_balloon.end, REGION + BLOCKS * B);
	assert_int_equal(fake_balloon.start, REGION);
	assert_int_equal(ledger_count(OWNER_UNPLUGGED), BLOCKS * B);
	assert_int_equal(ledger_count(OWNER_BALLOON), 300);
}

static void a_whole_source_is_claimed_as_soon_as_the_balloon_is_out(void **state)
{
	(void)state;
	mem_fixture_take(REGION + 17 * B, 150, OWNER_BALLOON);
	assert_int_equal(leave_whole(&one), MEM_LEAVE_LATER);
	fake_balloon.step = 1000;
	assert_int_equal(leave_whole(&one), MEM_LEAVE_CLAIMED);
	assert_false(fake_balloon.moving);
}

static void a_turn_of_the_balloon_does_not_keep_a_whole_source(void **state)
{
	(void)state;
	fake_balloon.step = 40;
	mem_fixture_take(REGION + 17 * B, 150, OWNER_BALLOON);
	assert_int_equal(leave_whole(&one), MEM_LEAVE_LATER);
	fake_balloon.floor = ledger_count(OWNER_FREE) - BLOCKS * B + 1;
	assert_int_equal(leave_whole(&one), MEM_LEAVE_LATER);
	assert_true(fake_balloon.moving);
	fake_balloon.floor--;
	while (leave_whole(&one) == MEM_LEAVE_LATER)
		;
	assert_int_equal(ledger_count(OWNER_UNPLUGGED), BLOCKS * B);
}

static void a_whole_source_does_not_pass_the_floor(void **state)
{
	(void)state;
	fake_balloon.floor = ledger_count(OWNER_FREE) - BLOCKS * B + 1;
	assert_int_equal(leave_whole(&one), MEM_LEAVE_STUCK);
	assert_string_equal(why, "the floor of free memory would be passed");
	fake_balloon.floor--;
	assert_int_equal(leave_whole(&one), MEM_LEAVE_CLAIMED);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest leaving[] = {
		TEST(the_highest_free_blocks_leave_first),
		TEST(what_is_used_is_in_the_way),
		TEST(the_floor_is_not_passed),
		TEST(a_unit_that_would_pass_the_floor_stays_whole),
		TEST(inflation_stays_out_of_all_that_gives_back),
		TEST(what_does_not_give_back_stays_open),
	};
	const struct CMUnitTest balloon[] = {
		TEST(the_balloon_moves_out_and_then_its_blocks_leave),
		TEST(what_the_balloon_is_out_of_is_claimed_at_once),
		TEST(a_stretch_is_kept_while_frames_of_it_are_in_flight),
		TEST(a_balloon_that_stays_is_named),
		TEST(a_balloon_that_gives_none_is_not_in_the_others_way),
		TEST(one_source_at_a_time_is_served),
		TEST(a_turn_of_the_balloon_does_not_count_as_the_floor),
		TEST(the_floor_is_looked_at_when_the_balloon_is_out),
		TEST(what_the_host_has_for_a_moment_is_waited_for),
	};
	const struct CMUnitTest whole[] = {
		TEST(a_whole_source_leaves_at_once),
		TEST(a_frame_in_use_keeps_a_whole_source),
		TEST(the_balloon_moves_out_of_a_whole_source),
		TEST(a_whole_source_is_claimed_as_soon_as_the_balloon_is_out),
		TEST(a_turn_of_the_balloon_does_not_keep_a_whole_source),
		TEST(a_whole_source_does_not_pass_the_floor),
	};

	return cmocka_run_group_tests(leaving, region_fixture_reserve, NULL) +
	       cmocka_run_group_tests(balloon, NULL, NULL) +
	       cmocka_run_group_tests(whole, NULL, NULL);
}
