/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tools/balloonctl/grid.c, and watch_table.c and watch_sort.c on it: what fits into a row and
 * what does not, and in which order equals stand.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/tools/failing.h"
#include "tools/balloonctl/grid.h"
#include "tools/balloonctl/watch_draw.h"

#define MIB (1024ull * 1024)

/* A row of ASCII, without the blanks at its end. */
static const char *row_of(const struct grid *grid, int row)
{
	static char text[256];
	int length = grid->columns;

	assert_true(length < (int)sizeof(text));
	for (int i = 0; i < length; i++)
		text[i] = (char)grid->cells[row * grid->columns + i].character;
	while (length > 0 && text[length - 1] == ' ')
		length--;
	text[length] = '\0';
	return text;
}

/* ---- characters ---- */

static void grid_without_memory_is_none(void **state)
{
	struct grid grid;

	(void)state;
	fail_nth(FAILING_MEMORY, 1);
	assert_int_equal(grid_init(&grid, 2, 2, false), -ENOMEM);
	fail_nth(FAILING_MEMORY, 0);
	grid_free(&grid);
}

static void all_of_ascii_is_drawn_and_nothing_else(void **state)
{
	struct grid grid;

	(void)state;
	assert_int_equal(grid_init(&grid, 2, 4, false), 0);
	grid_put(&grid, 0, 0, ' ', GRID_PLAIN);
	grid_put(&grid, 0, 1, '~', GRID_PLAIN);
	grid_put(&grid, 0, 2, 0x7f, GRID_PLAIN);
	grid_put(&grid, 0, 3, 0x2588, GRID_PLAIN);
	assert_string_equal(row_of(&grid, 0), " ~??");
	/* Beside it there is nothing. */
	grid_put(&grid, -1, 0, 'x', GRID_PLAIN);
	grid_put(&grid, 2, 0, 'x', GRID_PLAIN);
	grid_put(&grid, 1, -1, 'x', GRID_PLAIN);
	grid_put(&grid, 0, 4, 'x', GRID_PLAIN);
	assert_string_equal(row_of(&grid, 0), " ~??");
	assert_string_equal(row_of(&grid, 1), "");
	grid_free(&grid);
}

/* ---- words ---- */

static void assert_words(int columns, int column, const char *text, const char *row, int end)
{
	struct grid grid;

	assert_int_equal(grid_init(&grid, 1, columns, false), 0);
	assert_int_equal(grid_words(&grid, 0, column, GRID_PLAIN, text), end);
	assert_string_equal(row_of(&grid, 0), row);
	grid_free(&grid);
}

static void words_are_drawn_whole(void **state)
{
	(void)state;
	assert_words(8, 1, "one two", " one two", 8);
	assert_words(7, 1, "one two", " one", 4);
	assert_words(8, 1, "one two three", " one two", 8);
	assert_words(2, 1, "one", "", 1);
	/* An escaped byte is as wide as it is drawn. */
	assert_words(6, 0, "ab\x1b", "ab\\x1b", 6);
	assert_words(5, 0, "ab\x1b", "", 0);
}

/* A number alone would be taken for another amount. */
static void number_stays_with_its_unit(void **state)
{
	(void)state;
	assert_words(10, 0, "for 12 GiB", "for 12 GiB", 10);
	assert_words(9, 0, "for 12 GiB", "for", 3);
	assert_words(5, 0, "12 GiB", "", 0);
	assert_words(5, 0, "for 0 s", "for", 3);
	assert_words(5, 0, "for 9 s", "for", 3);
	assert_words(7, 0, "for 0 s ago", "for 0 s", 7);
	/* What only looks like one needs no unit. */
	assert_words(5, 0, "for / s", "for /", 5);
	assert_words(5, 0, "for : s", "for :", 5);
}

static void field_is_drawn_whole(void **state)
{
	struct grid grid;

	(void)state;
	assert_int_equal(grid_init(&grid, 1, 8, false), 0);
	assert_int_equal(grid_field(&grid, 0, 1, 6, GRID_PLAIN, "%d", 12345), 6);
	assert_int_equal(grid_field(&grid, 0, 1, 5, GRID_PLAIN, "%d", 67890), 1);
	assert_string_equal(row_of(&grid, 0), " 12345");
	grid_free(&grid);
}

/* ---- a table ---- */

static void add(struct watch_view *view, uint64_t number, uint64_t taken)
{
	view->sample = (struct sample){
		.number = number,
		.time = (int64_t)number * 1000,
		.seen = (int64_t)number * 1000,
		.state = { .ram = 1024 * MIB, .left = 1024 * MIB - taken, .taken = taken },
	};
	history_add(&view->history, &view->sample);
}

static void draw(struct grid *grid, const struct watch_screen *screen, int rows, int columns)
{
	assert_int_equal(grid_init(grid, rows, columns, false), 0);
	watch_draw(grid, screen);
}

static struct watch_screen screen_of(const struct watch_view *views, size_t count)
{
	return (struct watch_screen){ .views = views,
				      .count = count,
				      .window = HISTORY_DEFAULT,
				      .now = views[0].sample.time,
				      .interval_ms = 1000 };
}

static void screen_of_so_many_rows_shows_so_many_guests(void **state)
{
	(void)state;
	assert_int_equal(watch_fits(24, 40), 21);
	assert_int_equal(watch_fits(24, 21), 21);
	assert_int_equal(watch_fits(24, 2), 2);
	assert_int_equal(watch_fits(5, 40), 2);
	assert_int_equal(watch_fits(4, 40), 1);
	/* Without headline and legend; then also without the heading, as one in any case. */
	assert_int_equal(watch_fits(3, 40), 2);
	assert_int_equal(watch_fits(2, 40), 1);
	assert_int_equal(watch_fits(1, 40), 1);
}

static void long_table_leaves_the_last_row_to_the_legend(void **state)
{
	static struct watch_view views[40];
	struct watch_screen screen;
	struct grid grid;

	(void)state;
	for (size_t i = 0; i < 40; i++) {
		views[i].name = "a-guest";
		add(&views[i], 1, 256 * MIB);
	}
	screen = screen_of(views, 40);
	draw(&grid, &screen, 12, 100);
	assert_string_equal(row_of(&grid, 11),
			    " # used   . free   = taken   | target   ? keys   q quits");
	assert_int_equal(strncmp(row_of(&grid, 10), " a-guest ", 9), 0);
	grid_free(&grid);
}

static void name_that_is_escaped_is_cut_before_the_amounts(void **state)
{
	static struct watch_view views[3] = { { .name = "\1\2\3\4\5\6\7" },
					      { .name = "b" },
					      { .name = "c" } };
	struct watch_screen screen;
	struct grid grid;

	(void)state;
	for (size_t i = 0; i < 3; i++)
		add(&views[i], 1, 256 * MIB);
	screen = screen_of(views, 3);
	draw(&grid, &screen, 24, 60);
	/*
	 * Twenty-four columns are for names, whose end is shown; the column of the target is
	 * not known.
	 */
	assert_string_equal(row_of(&grid, 2),
			    ">~\\x03\\x04\\x05\\x06\\x07     768.0 MiB  256.0 MiB");
	assert_string_equal(row_of(&grid, 3), " b                         768.0 MiB  256.0 MiB");
	grid_free(&grid);
}

static void table_shows_a_byte_a_second(void **state)
{
	static struct watch_view views[3] = { { .name = "a" }, { .name = "b" }, { .name = "c" } };
	struct watch_screen screen;
	struct grid grid;

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		add(&views[i], 1, MIB);
		add(&views[i], 2, MIB + i - 1);
	}
	screen = screen_of(views, 3);
	draw(&grid, &screen, 24, 100);
	assert_non_null(strstr(row_of(&grid, 2), " -1 B"));
	assert_null(strstr(row_of(&grid, 3), "0 B"));
	assert_non_null(strstr(row_of(&grid, 4), " +1 B"));
	grid_free(&grid);
}

/* Alone it is as it would be if there were no others. */
static void guest_alone_is_drawn_as_the_only_one(void **state)
{
	static struct watch_view views[3] = { { .name = "web" }, { .name = "b" }, { .name = "c" } };
	struct watch_screen screen;
	struct grid one, alone;
	char row[256];

	(void)state;
	for (size_t i = 0; i < 3; i++)
		add(&views[i], 1, 256 * MIB);
	screen = screen_of(views, 1);
	draw(&one, &screen, 12, 80);
	screen = screen_of(views, 3);
	screen.single = true;
	draw(&alone, &screen, 12, 80);
	for (int i = 1; i < 12; i++) {
		strcpy(row, row_of(&one, i));
		assert_string_equal(row_of(&alone, i), row);
	}
	grid_free(&one);
	grid_free(&alone);
}

/* ---- its order ---- */

static void assert_order(const struct watch_view *views, bool reversed, const char *names)
{
	size_t order[4] = { 0, 1, 2, 3 };
	char text[5] = "";

	watch_sort(views, order, 4, WATCH_BY_TAKEN, reversed);
	for (size_t i = 0; i < 4; i++)
		text[i] = views[order[i]].name[0];
	assert_string_equal(text, names);
}

static void names_decide_between_equals(void **state)
{
	static struct watch_view up[4] = {
		{ .name = "a" }, { .name = "b" }, { .name = "c" }, { .name = "d" }
	};
	static struct watch_view down[4] = {
		{ .name = "d" }, { .name = "c" }, { .name = "b" }, { .name = "a" }
	};

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		add(&up[i], 1, MIB);
		add(&down[i], 1, MIB);
	}
	for (int reversed = 0; reversed <= 1; reversed++) {
		assert_order(up, reversed, "abcd");
		assert_order(down, reversed, "abcd");
	}
	/* What is not known is equal, and last. */
	up[0].sample.seen = up[2].sample.seen = 0;
	assert_order(up, false, "bdac");
	assert_order(up, true, "bdac");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(grid_without_memory_is_none),
		cmocka_unit_test(all_of_ascii_is_drawn_and_nothing_else),
		cmocka_unit_test(words_are_drawn_whole),
		cmocka_unit_test(number_stays_with_its_unit),
		cmocka_unit_test(field_is_drawn_whole),
		cmocka_unit_test(screen_of_so_many_rows_shows_so_many_guests),
		cmocka_unit_test(long_table_leaves_the_last_row_to_the_legend),
		cmocka_unit_test(name_that_is_escaped_is_cut_before_the_amounts),
		cmocka_unit_test(table_shows_a_byte_a_second),
		cmocka_unit_test(guest_alone_is_drawn_as_the_only_one),
		cmocka_unit_test(names_decide_between_equals),
	};

	return cmocka_run_group_tests_name("balloonctl/grid", tests, NULL, NULL);
}
