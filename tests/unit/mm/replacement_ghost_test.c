/* SPDX-License-Identifier: BSD-2-Clause */
/* mm/replacement.c: how long ghosts live, and where their memory ends. */
#include "tests/unit/mm/replacement_fixture.h"

#define GHOST REPLACEMENT_GHOST

static void a_page_that_comes_back_is_a_refault_and_stays(void **state)
{
	(void)state;
	fixture_start(GHOST, 100);
	fixture_fill(1, 20);
	assert_int_equal(fixture_choose(), 1);
	/* It comes into another frame; what counts is the page. */
	assert_true(fixture_enter(30, 1));
	assert_int_equal(replacement.refaults, 1);
	fixture_assert_counts(19, 1);
	assert_false(fixture_enter(1, 100));
	assert_int_equal(replacement.refaults, 1);
	fixture_assert_counts(20, 1);
}

/* `others` pages go after page 1, while 100 pages are in; does its ghost live? */
static bool ghost_lives_after(uint64_t others)
{
	bool lives;

	fixture_start(GHOST, 100);
	fixture_fill(1, 101);
	assert_int_equal(fixture_choose(), 1);
	for (uint32_t i = 0; i < others; i++) {
		uint32_t number = fixture_choose();

		assert_false(fixture_enter(number, 1000 + i));
	}
	fixture_assert_counts(100, 0);
	/* To ask changes nothing. */
	lives = replacement_has_ghost(&replacement, 1);
	assert_int_equal(replacement_has_ghost(&replacement, 1), lives);
	assert_int_equal(fixture_enter(1, 1), lives);
	assert_false(replacement_has_ghost(&replacement, 1));
	return lives;
}

static void a_ghost_lives_for_as_many_departures_as_nine_tenths_of_the_pages(void **state)
{
	(void)state;
	for (uint64_t others = 0; others < 90; others++)
		assert_true(ghost_lives_after(others));
	assert_false(ghost_lives_after(90));
	assert_false(ghost_lives_after(91));
	assert_false(ghost_lives_after(300));
}

static void with_fewer_pages_ghosts_live_for_less(void **state)
{
	(void)state;
	fixture_start(GHOST, 100);
	fixture_fill(1, 40);
	for (uint32_t number = 1; number <= 20; number++)
		assert_int_equal(fixture_choose(), number);
	/* 20 pages are in: 18 departures. 21 pages: 18; 22: 19. */
	assert_false(fixture_enter(1, 1));
	assert_false(fixture_enter(2, 2));
	assert_true(fixture_enter(3, 3));
}

static void ghosts_live_no_longer_than_there_is_memory_for(void **state)
{
	(void)state;
	fixture_start(GHOST, 20);
	fixture_fill(1, 100);
	for (uint32_t number = 1; number <= 30; number++)
		assert_int_equal(fixture_choose(), number);
	for (uint32_t number = 1; number <= 30; number++)
		assert_int_equal(fixture_enter(number, number), number > 12);
}

static void a_page_that_main_gave_up_comes_back_as_a_refault_and_is_new(void **state)
{
	(void)state;
	fixture_start(GHOST, 100);
	fixture_fill_main(1, 50);
	assert_int_equal(fixture_choose(), 1);
	replacement.refaults = 0;
	assert_true(fixture_enter(1, 1));
	assert_int_equal(replacement.refaults, 1);
	fixture_assert_counts(1, 49);
	/* From the queue it goes like any other, and then it stays. */
	replacement_evict(&replacement, 1);
	assert_true(fixture_enter(1, 1));
	fixture_assert_counts(0, 50);
}

static void a_ghost_is_good_for_one_return(void **state)
{
	(void)state;
	fixture_start(GHOST, 100);
	fixture_fill(1, 50);
	assert_int_equal(fixture_choose(), 1);
	assert_true(fixture_enter(1, 1));
	/* It is freed, and later something else has its number. */
	replacement_remove(&replacement, 1);
	assert_false(fixture_enter(1, 1));
}

static void the_latest_departure_of_a_page_counts(void **state)
{
	(void)state;
	fixture_start(GHOST, 100);
	fixture_fill(1, 102);
	assert_int_equal(fixture_choose(), 1);
	for (uint32_t number = 2; number <= 60; number++) {
		assert_int_equal(fixture_choose(), number);
		assert_false(fixture_enter(number, 1000 + number));
	}
	/* Back, gone once more, and 60 more go: the first departure was 120 ago. */
	assert_true(fixture_enter(1, 1));
	replacement_evict(&replacement, 1);
	for (uint32_t number = 61; number <= 102; number++) {
		assert_int_equal(fixture_choose(), number);
		assert_false(fixture_enter(number, 1000 + number));
	}
	assert_true(fixture_enter(1, 1));
}

static void a_page_that_is_removed_leaves_no_ghost(void **state)
{
	(void)state;
	fixture_start(GHOST, 100);
	fixture_fill(1, 50);
	replacement_remove(&replacement, 1);
	assert_int_equal(replacement.departures, 0);
	assert_false(fixture_enter(1, 1));
	assert_int_equal(replacement.refaults, 0);
}

static void ghosts_of_all_numbers_are_told_apart(void **state)
{
	/* Those of 40 bits whose lower 31 are the same, and what a key of a page must not be. */
	static const uint64_t pages[] = { 0,
					  1,
					  INT32_MAX,
					  UINT64_C(1) << 31,
					  UINT64_C(1) << 32,
					  UINT32_MAX,
					  UINT64_C(0x1ffffffff),
					  PAGE_RECORD_NUMBER };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(pages); i++) {
		fixture_start(GHOST, 100);
		for (uint32_t number = 1; number <= 50; number++)
			fixture_enter(number, 5000 + number);
		fixture_enter(100, pages[i]);
		replacement_evict(&replacement, 100);
		for (uint32_t k = 0; k < ARRAY_SIZE(pages); k++)
			if (k != i && !(pages[k] == 0 && pages[i] == INT32_MAX) &&
			    !(pages[i] == 0 && pages[k] == INT32_MAX))
				assert_false(fixture_enter(101 + k, pages[k]));
		assert_true(fixture_enter(100, pages[i]));
	}
}

static void without_memory_there_are_no_ghosts(void **state)
{
	(void)state;
	for (uint64_t pages = 0; pages <= 1; pages++) {
		fixture_start(GHOST, pages);
		fixture_fill(1, 50);
		assert_int_equal(fixture_choose(), 1);
		assert_int_equal(replacement.departures, 1);
		assert_false(fixture_enter(1, 1));
	}
}

static void ghosts_take_at_most_8_bytes_a_page(void **state)
{
	(void)state;
	assert_int_equal(replacement_ghost_bytes(0), 0);
	for (uint64_t pages = 1; pages < 100000; pages = pages * 3 / 2 + 1)
		assert_true(replacement_ghost_bytes(pages) <= 8 * pages);
}

/* Departures are pages 1 to 80, and then memory is for `pages`. */
static void make_80_ghosts(uint64_t pages)
{
	fixture_start(GHOST, 100);
	fixture_fill(1, 200);
	for (uint32_t number = 1; number <= 80; number++)
		assert_int_equal(fixture_choose(), number);
	fixture_set_ghosts(pages);
}

static void ghosts_survive_when_their_memory_grows(void **state)
{
	(void)state;
	make_80_ghosts(1000);
	for (uint32_t number = 81; number <= 90; number++)
		assert_int_equal(fixture_choose(), number);
	for (uint32_t number = 1; number <= 90; number++)
		assert_true(fixture_enter(number, number));
}

static void the_latest_ghosts_survive_when_their_memory_shrinks(void **state)
{
	(void)state;
	make_80_ghosts(50);
	for (uint32_t number = 1; number <= 80; number++)
		assert_int_equal(fixture_enter(number, number), number > 35);
}

static void what_has_come_back_is_no_ghost_again_when_memory_changes(void **state)
{
	(void)state;
	make_80_ghosts(100);
	assert_true(fixture_enter(50, 50));
	replacement_remove(&replacement, 50);
	fixture_set_ghosts(200);
	assert_false(fixture_enter(50, 50));
	assert_true(fixture_enter(51, 51));
}

/* Pages went while there was no memory: what it held before is no ghost of theirs. */
static void what_memory_held_before_is_no_ghost(void **state)
{
	(void)state;
	fixture_start(GHOST, 0);
	fixture_fill(1, 200);
	for (uint32_t number = 1; number <= 40; number++)
		assert_int_equal(fixture_choose(), number);
	fixture_set_ghosts(100);
	assert_false(fixture_enter(3, UINT32_C(0xa5a5a5a5)));
	assert_false(fixture_enter(4, UINT32_C(0x25a5a5a5)));
	assert_int_equal(fixture_choose(), 41);
	fixture_set_ghosts(200);
	assert_false(fixture_enter(1, UINT32_C(0xa5a5a5a5)));
	assert_false(fixture_enter(2, UINT32_C(0x25a5a5a5)));
	assert_false(fixture_enter(40, 40));
	assert_true(fixture_enter(41, 41));
}

static void memory_that_was_taken_away_comes_back_empty(void **state)
{
	void *memory;

	(void)state;
	make_80_ghosts(100);
	memory = replacement_set_ghosts(&replacement, NULL, 0);
	assert_null(replacement_set_ghosts(&replacement, memory, 100));
	for (uint32_t number = 1; number <= 80; number++)
		assert_false(fixture_enter(number, number));
}

static void the_memory_before_is_given_back(void **state)
{
	uint64_t first[20], second[20];

	(void)state;
	fixture_start(GHOST, 0);
	assert_null(replacement_set_ghosts(&replacement, first, 20));
	assert_ptr_equal(replacement_set_ghosts(&replacement, second, 20), first);
	assert_ptr_equal(replacement_set_ghosts(&replacement, NULL, 0), second);
	assert_null(replacement_set_ghosts(&replacement, NULL, 0));
}

/* After 2^32 departures their last 32 bits begin anew. */
static void ghosts_live_on_when_departures_pass_32_bits(void **state)
{
	(void)state;
	fixture_start(GHOST, 0);
	replacement.departures = UINT32_MAX - 40;
	fixture_set_ghosts(100);
	fixture_fill(1, 101);
	for (uint32_t number = 1; number <= 80; number++) {
		assert_int_equal(fixture_choose(), number);
		assert_false(fixture_enter(number, 1000 + number));
	}
	for (uint32_t number = 1; number <= 80; number++) {
		replacement_remove(&replacement, number);
		assert_true(fixture_enter(number, number));
	}
}

int main(void)
{
#define TEST(name) cmocka_unit_test_teardown(name, fixture_stop)
	const struct CMUnitTest tests[] = {
		TEST(a_page_that_comes_back_is_a_refault_and_stays),
		TEST(a_ghost_lives_for_as_many_departures_as_nine_tenths_of_the_pages),
		TEST(with_fewer_pages_ghosts_live_for_less),
		TEST(ghosts_live_no_longer_than_there_is_memory_for),
		TEST(a_page_that_main_gave_up_comes_back_as_a_refault_and_is_new),
		TEST(a_ghost_is_good_for_one_return),
		TEST(the_latest_departure_of_a_page_counts),
		TEST(a_page_that_is_removed_leaves_no_ghost),
		TEST(ghosts_of_all_numbers_are_told_apart),
		TEST(without_memory_there_are_no_ghosts),
		TEST(ghosts_take_at_most_8_bytes_a_page),
		TEST(ghosts_survive_when_their_memory_grows),
		TEST(the_latest_ghosts_survive_when_their_memory_shrinks),
		TEST(what_has_come_back_is_no_ghost_again_when_memory_changes),
		TEST(what_memory_held_before_is_no_ghost),
		TEST(memory_that_was_taken_away_comes_back_empty),
		TEST(the_memory_before_is_given_back),
		TEST(ghosts_live_on_when_departures_pass_32_bits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
