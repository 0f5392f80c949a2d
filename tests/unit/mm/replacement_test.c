/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mm/replacement.c, each rule by itself, but for those of ghosts (replacement_ghost_test.c);
 * replacement_random_test.c has all of them at a time.
 */
#include "tests/unit/mm/replacement_fixture.h"

#include <string.h>

#define GHOST REPLACEMENT_GHOST
#define HALF_WAY REPLACEMENT_HALF_WAY

/* 10 pages: one of them in the queue, and ghosts live for 9 departures. */
#define SMALL 10

/* ---- Nothing, and one ---- */

static void of_nothing_nothing_is_chosen(void **state)
{
	uint32_t number = 77;

	(void)state;
	fixture_start(GHOST, SMALL);
	assert_false(replacement_choose(&replacement, UINT64_MAX, &number));
	assert_int_equal(number, 77);
	assert_int_equal(replacement.scanned, 0);
	fixture_assert_counts(0, 0);
}

static void the_only_page_goes_under_either_policy(void **state)
{
	(void)state;
	for (enum replacement_policy policy = GHOST; policy <= HALF_WAY; policy++) {
		fixture_start(policy, SMALL);
		assert_false(fixture_enter(5, 500));
		fixture_assert_counts(1, 0);
		used[5] = true;
		assert_int_equal(fixture_choose(), 5);
		fixture_assert_counts(0, 0);
		assert_int_equal(records[5].page, 500);
	}
}

static void nobody_is_chosen_if_no_page_may_be_looked_at(void **state)
{
	uint32_t number = 77;

	(void)state;
	fixture_start(GHOST, SMALL);
	fixture_fill(1, 3);
	assert_false(replacement_choose(&replacement, 0, &number));
	assert_int_equal(number, 77);
	fixture_assert_counts(3, 0);
	assert_int_equal(replacement.scanned, 0);
}

static void flags_of_whoever_tracks_a_page_are_left_alone(void **state)
{
	(void)state;
	fixture_start(GHOST, SMALL);
	records[3].page = PAGE_RECORD_OWN;
	fixture_enter(3, PAGE_RECORD_NUMBER);
	assert_int_equal(records[3].page & ~PAGE_RECORD_REPLACEMENT,
			 PAGE_RECORD_OWN | PAGE_RECORD_NUMBER);
	assert_int_equal(fixture_choose(), 3);
	assert_int_equal(records[3].page, PAGE_RECORD_OWN | PAGE_RECORD_NUMBER);
}

/* ---- The queue ---- */

static void new_pages_go_in_the_order_in_which_they_came_used_or_not(void **state)
{
	(void)state;
	fixture_start(GHOST, SMALL);
	fixture_fill(1, 9);
	memset(used, true, sizeof(used));
	for (uint32_t number = 1; number <= 9; number++)
		assert_int_equal(fixture_choose(), number);
	assert_int_equal(times_asked, 0);
	assert_int_equal(replacement.scanned, 9);
	assert_int_equal(replacement.departures, 9);
}

static void a_new_page_can_be_taken_out_at_any_place_of_the_queue(void **state)
{
	(void)state;
	for (uint32_t out = 1; out <= 6; out++) {
		fixture_start(GHOST, SMALL);
		fixture_fill(1, 6);
		replacement_remove(&replacement, out);
		fixture_assert_counts(5, 0);
		for (uint32_t number = 1; number <= 6; number++)
			if (number != out)
				assert_int_equal(fixture_choose(), number);
		fixture_assert_counts(0, 0);
	}
}

static void the_queue_gives_until_it_has_less_than_a_tenth(void **state)
{
	(void)state;
	fixture_start(GHOST, 100);
	fixture_fill_main(1, 80);
	fixture_fill(81, 92);
	/* 12 of 92; 9 of 89 are more than a tenth, rounded down; 7 of 87 are not. */
	for (uint32_t number = 81; number <= 85; number++)
		assert_int_equal(fixture_choose(), number);
	fixture_assert_counts(7, 80);
	assert_int_equal(fixture_choose(), 1);
	fixture_assert_counts(7, 79);
}

static void without_a_queue_main_gives_and_without_main_the_queue(void **state)
{
	(void)state;
	fixture_start(GHOST, 100);
	fixture_fill_main(1, 20);
	assert_int_equal(fixture_choose(), 1);
	fixture_start(GHOST, 100);
	fixture_fill(1, 20);
	for (uint32_t number = 1; number <= 20; number++)
		assert_int_equal(fixture_choose(), number);
}

/* ---- Half-way ---- */

static void what_was_used_only_in_the_first_half_goes(void **state)
{
	(void)state;
	fixture_start(HALF_WAY, 100);
	for (uint32_t number = 1; number <= 20; number++) {
		used[number] = true;
		fixture_enter(number, number);
	}
	/* 1 to 10 have come by the middle, and were forgotten there. */
	assert_int_equal(times_asked, 10);
	for (uint32_t number = 1; number <= 20; number++) {
		assert_int_equal(used[number], number > 10);
		used[number] = number > 10;
	}
	for (uint32_t number = 1; number <= 20; number++)
		assert_int_equal(fixture_choose(), number);
}

static void what_was_used_in_the_second_half_stays(void **state)
{
	(void)state;
	fixture_start(HALF_WAY, 100);
	fixture_fill(1, 20);
	used[3] = used[10] = true;
	assert_int_equal(fixture_choose(), 1);
	assert_int_equal(fixture_choose(), 2);
	assert_int_equal(replacement.scanned, 2);
	assert_int_equal(fixture_choose(), 4);
	assert_int_equal(replacement.scanned, 4);
	fixture_assert_counts(16, 1);
	for (uint32_t number = 5; number <= 9; number++)
		assert_int_equal(fixture_choose(), number);
	assert_int_equal(fixture_choose(), 11);
	fixture_assert_counts(9, 2);
	assert_int_equal(replacement.refaults, 0);
}

static void a_ghost_alone_asks_for_no_use_of_new_pages(void **state)
{
	(void)state;
	fixture_start(GHOST, 100);
	fixture_fill(1, 20);
	used[1] = used[2] = true;
	assert_true(replacement_may_go(&replacement, 1));
	assert_int_equal(fixture_choose(), 1);
	assert_int_equal(times_asked, 0);
}

static void the_policy_may_change_while_pages_are_in(void **state)
{
	(void)state;
	fixture_start(GHOST, 100);
	fixture_fill(1, 20);
	used[1] = used[3] = true;
	replacement.policy = HALF_WAY;
	assert_int_equal(fixture_choose(), 2);
	fixture_assert_counts(18, 1);
	replacement.policy = GHOST;
	assert_int_equal(fixture_choose(), 3);
	fixture_assert_counts(17, 1);
}

/* ---- The main ring ---- */

static void the_hand_passes_once_over_what_was_used(void **state)
{
	(void)state;
	fixture_start(GHOST, 100);
	fixture_fill_main(1, 9);
	used[1] = used[2] = used[4] = true;
	assert_int_equal(fixture_choose(), 3);
	assert_int_equal(replacement.scanned, 3);
	assert_false(used[1] || used[2]);
	assert_true(used[4]);
	for (uint32_t number = 5; number <= 9; number++)
		assert_int_equal(fixture_choose(), number);
	/* 4 was passed over, too; then they come in the order in which the hand left them. */
	assert_int_equal(fixture_choose(), 1);
	assert_int_equal(fixture_choose(), 2);
	assert_int_equal(fixture_choose(), 4);
	fixture_assert_counts(0, 0);
}

static void if_all_were_used_the_one_at_the_hand_goes_after_a_turn(void **state)
{
	(void)state;
	fixture_start(GHOST, 100);
	fixture_fill_main(1, 9);
	memset(used, true, sizeof(used));
	assert_int_equal(fixture_choose(), 1);
	assert_int_equal(replacement.scanned, 10);
}

static void choosing_looks_at_no_more_than_it_may_and_goes_on_from_there(void **state)
{
	uint32_t number = 77;

	(void)state;
	fixture_start(GHOST, 100);
	fixture_fill_main(1, 9);
	memset(used, true, sizeof(used));
	assert_false(replacement_choose(&replacement, 4, &number));
	assert_int_equal(number, 77);
	assert_int_equal(replacement.scanned, 4);
	assert_false(used[4]);
	assert_true(used[5]);
	used[6] = false;
	assert_true(replacement_choose(&replacement, 2, &number));
	assert_int_equal(number, 6);
	assert_int_equal(replacement.scanned, 6);
}

static void a_page_of_main_can_be_taken_out_at_any_place(void **state)
{
	(void)state;
	for (uint32_t out = 1; out <= 6; out++) {
		fixture_start(GHOST, SMALL);
		fixture_fill_main(1, 6);
		replacement_remove(&replacement, out);
		fixture_assert_counts(0, 5);
		for (uint32_t number = 1; number <= 6; number++)
			if (number != out)
				assert_int_equal(fixture_choose(), number);
	}
}

/* ---- Neighbours ---- */

static void a_neighbour_of_main_may_go_unless_it_was_used(void **state)
{
	(void)state;
	fixture_start(GHOST, 100);
	fixture_fill_main(1, 5);
	used[2] = true;
	replacement.scanned = 0;
	assert_true(replacement_may_go(&replacement, 1));
	assert_false(replacement_may_go(&replacement, 2));
	assert_int_equal(replacement.scanned, 2);
	/* It was asked, so the hand has passed it: it goes last. */
	assert_int_equal(fixture_choose(), 1);
	for (uint32_t number = 3; number <= 5; number++)
		assert_int_equal(fixture_choose(), number);
	assert_int_equal(fixture_choose(), 2);
}

static void a_new_neighbour_may_go_unless_it_was_used_in_the_second_half(void **state)
{
	(void)state;
	fixture_start(HALF_WAY, 100);
	fixture_fill(1, 20);
	used[2] = used[20] = true;
	assert_true(replacement_may_go(&replacement, 1));
	assert_true(replacement_may_go(&replacement, 20));
	fixture_assert_counts(20, 0);
	assert_false(replacement_may_go(&replacement, 2));
	fixture_assert_counts(19, 1);
	assert_int_equal(fixture_choose(), 1);
	assert_int_equal(fixture_choose(), 3);
}

static void a_neighbour_that_goes_leaves_a_ghost(void **state)
{
	(void)state;
	fixture_start(GHOST, 100);
	fixture_fill(1, 20);
	replacement_evict(&replacement, 7);
	assert_int_equal(replacement.departures, 1);
	assert_true(fixture_enter(7, 7));
	fixture_assert_counts(19, 1);
}

/* ---- Back again ---- */

static void what_could_not_go_comes_last_and_has_no_ghost(void **state)
{
	(void)state;
	fixture_start(GHOST, 100);
	fixture_fill_main(1, 9);
	assert_int_equal(fixture_choose(), 1);
	replacement_put_back(&replacement, 1);
	fixture_assert_counts(0, 9);
	for (uint32_t number = 2; number <= 9; number++)
		assert_int_equal(fixture_choose(), number);
	replacement_remove(&replacement, 1);
	fixture_fill(10, 40);
	assert_false(fixture_enter(1, 1));
}

static void a_new_page_that_could_not_go_is_main_s(void **state)
{
	(void)state;
	fixture_start(GHOST, 100);
	fixture_fill(1, 20);
	assert_int_equal(fixture_choose(), 1);
	replacement_put_back(&replacement, 1);
	fixture_assert_counts(19, 1);
	assert_int_equal(replacement.refaults, 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_teardown(name, fixture_stop)
	const struct CMUnitTest tests[] = {
		TEST(of_nothing_nothing_is_chosen),
		TEST(the_only_page_goes_under_either_policy),
		TEST(nobody_is_chosen_if_no_page_may_be_looked_at),
		TEST(flags_of_whoever_tracks_a_page_are_left_alone),
		TEST(new_pages_go_in_the_order_in_which_they_came_used_or_not),
		TEST(a_new_page_can_be_taken_out_at_any_place_of_the_queue),
		TEST(the_queue_gives_until_it_has_less_than_a_tenth),
		TEST(without_a_queue_main_gives_and_without_main_the_queue),
		TEST(what_was_used_only_in_the_first_half_goes),
		TEST(what_was_used_in_the_second_half_stays),
		TEST(a_ghost_alone_asks_for_no_use_of_new_pages),
		TEST(the_policy_may_change_while_pages_are_in),
		TEST(the_hand_passes_once_over_what_was_used),
		TEST(if_all_were_used_the_one_at_the_hand_goes_after_a_turn),
		TEST(choosing_looks_at_no_more_than_it_may_and_goes_on_from_there),
		TEST(a_page_of_main_can_be_taken_out_at_any_place),
		TEST(a_neighbour_of_main_may_go_unless_it_was_used),
		TEST(a_new_neighbour_may_go_unless_it_was_used_in_the_second_half),
		TEST(a_neighbour_that_goes_leaves_a_ghost),
		TEST(what_could_not_go_comes_last_and_has_no_ghost),
		TEST(a_new_page_that_could_not_go_is_main_s),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
