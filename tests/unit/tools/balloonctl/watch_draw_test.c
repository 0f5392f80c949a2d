/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tools/balloonctl/watch_draw.c, grid.c and history.c: what stands on the
 * screen, row by row, without a terminal.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>

#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tools/balloonctl/watch_draw.h"

#define MIB (1024ull * 1024)
#define RAM (1024 * MIB)
#define START 1000000
#define UTF8_MAX 3 /* bytes of a character that a grid holds */

/* A guest with a quarter taken, a half free, all of it known. */
static struct sample sample_of(uint64_t number, uint64_t taken)
{
	struct sample sample = {
		.number = number,
		.time = START + (int64_t)number * 1000,
		.state = { .ram = RAM,
			   .left = RAM - taken,
			   .taken = taken,
			   .has_target = true,
			   .target_left = 512 * MIB },
		.has_stats = true,
		.stats = { .ever = true, .present = 1u << STAT_FREE_MEMORY },
		.has_cost = true,
		.cost = { .resident = 100 * MIB, .cpu_ms = 500 * number },
	};

	sample.stats.value[STAT_FREE_MEMORY] = 512 * MIB;
	return sample;
}

static void add(struct watch_view *view, struct sample sample)
{
	view->sample = sample;
	history_add(&view->history, &view->sample);
}

static size_t put_utf8(char *out, unsigned character)
{
	if (character < 0x80) {
		out[0] = (char)character;
		return 1;
	}
	if (character < 0x800) {
		out[0] = (char)(0xc0 | character >> 6);
		out[1] = (char)(0x80 | (character & 0x3f));
		return 2;
	}
	out[0] = (char)(0xe0 | (character >> 12 & 0x0f));
	out[1] = (char)(0x80 | (character >> 6 & 0x3f));
	out[2] = (char)(0x80 | (character & 0x3f));
	return 3;
}

/* One row as UTF-8, without the blanks at its end; by free(). */
static char *grid_row(const struct grid *grid, int row)
{
	const struct grid_cell *cells = &grid->cells[(size_t)row * (size_t)grid->columns];
	char *text = malloc((size_t)grid->columns * UTF8_MAX + 1);
	size_t len = 0, end = 0;

	for (int i = 0; text && i < grid->columns; i++) {
		len += put_utf8(text + len, cells[i].character);
		if (cells[i].character != ' ')
			end = len;
	}
	if (text)
		text[end] = '\0';
	return text;
}

/* The screen as text, at the time of the first guest's last sample; by free(). */
static char *draw_at(const struct watch_view *views, size_t count, int rows, int columns,
		     bool unicode, int64_t later)
{
	struct watch_screen screen = { .views = views,
				       .count = count,
				       .now = (count ? views[0].sample.time : START) + later,
				       .interval_ms = 1000 };
	char *text = calloc(1, (size_t)rows * (size_t)columns * 4);
	struct grid grid;

	assert_int_equal(grid_init(&grid, rows, columns, unicode), 0);
	watch_draw(&grid, &screen);
	for (int i = 0; i < rows; i++) {
		char *row = grid_row(&grid, i);

		strcat(strcat(text, row), "\n");
		free(row);
	}
	grid_free(&grid);
	return text;
}

static char *draw(const struct watch_view *views, size_t count, int rows, int columns)
{
	return draw_at(views, count, rows, columns, false, 0);
}

static void assert_shows(char *screen, const char *words)
{
	if (!strstr(screen, words))
		fail_msg("there is no \"%s\" in\n%s", words, screen);
	free(screen);
}

static void assert_hides(char *screen, const char *words)
{
	if (strstr(screen, words))
		fail_msg("there is \"%s\" in\n%s", words, screen);
	free(screen);
}

static void small_screen_is_as_drawn_here(void **state)
{
	static struct watch_view view = { .name = "web" };

	(void)state;
	for (uint64_t i = 1; i <= 3; i++)
		add(&view, sample_of(i, i * 128 * MIB));
	assert_shows(draw(&view, 1, 12, 66),
		     " balloonctl watch: 1 guest, every 1 s\n"
		     " web     inflating 128.0 MiB/s   host 100.0 MiB   processor  50 %\n"
		     " [########.......................|.......=======================]\n"
		     " left 640.0 MiB  taken 384.0 MiB  free 512.0 MiB  target left 512.\n"
		     " 1.000 GiB |\n"
		     "           |\n"
		     "           |\n"
		     "           |                                                   -.\n"
		     "           |                                                    #\n"
		     " taken   0 |                                                   ##\n"
		     "            -5 min                                            now\n"
		     " # used   . free   = taken   | target   q quits\n");
}

static void unicode_screen_has_blocks(void **state)
{
	static struct watch_view view = { .name = "web" };
	char *screen;

	(void)state;
	add(&view, sample_of(1, 256 * MIB));
	screen = draw_at(&view, 1, 24, 80, true, 0);
	/* used 256, free 512 with the target in it, taken 256 MiB */
	assert_shows(screen, "[\u2588\u2588\u2588\u2588\u2588\u2588\u2588\u2588\u2588\u2588");
	screen = draw_at(&view, 1, 24, 80, true, 0);
	assert_shows(screen, "\u2591\u2502\u2591");
	screen = draw_at(&view, 1, 24, 80, true, 0);
	assert_shows(screen, "\u2592\u2592\u2592]");
	/* 16 rows of 8 are 1 GiB: 4 whole ones, and none begun */
	screen = draw_at(&view, 1, 24, 80, true, 0);
	assert_shows(screen, " taken   0 \u2502");
}

static void levels_between_rows_are_eighths(void **state)
{
	static struct watch_view view = { .name = "web" };
	struct sample sample = sample_of(1, RAM / 16 * 3 + RAM / 128 * 5);

	(void)state;
	sample.state.has_target = false;
	add(&view, sample);
	/* The top of the column: five eighths. */
	assert_shows(draw_at(&view, 1, 24, 80, true, 0), " \u2585\n");
	assert_shows(draw_at(&view, 1, 24, 80, false, 0), " :\n");
}

static void tells_inflating_from_deflating(void **state)
{
	static struct watch_view view = { .name = "web" };

	(void)state;
	add(&view, sample_of(1, 512 * MIB));
	assert_hides(draw(&view, 1, 24, 80), "flating");
	add(&view, sample_of(2, 256 * MIB));
	assert_shows(draw(&view, 1, 24, 80), "deflating 256.0 MiB/s");
	for (uint64_t i = 3; i <= 6; i++)
		add(&view, sample_of(i, 256 * MIB));
	assert_hides(draw(&view, 1, 24, 80), "flating");
}

static void gone_guest_shows_as_gone_and_comes_back(void **state)
{
	static struct watch_view view = { .name = "web" };
	struct sample dead = {
		.number = 2, .time = START + 2000, .err = -ENOENT, .error = "no\x1bsocket"
	};
	char *screen;

	(void)state;
	add(&view, sample_of(1, 256 * MIB));
	add(&view, dead);
	screen = draw(&view, 1, 24, 80);
	assert_null(strstr(screen, "taken 256"));
	assert_null(strstr(screen, "\x1b"));
	assert_shows(screen, " web  gone: no\\x1bsocket\n");
	/* The course goes on. */
	assert_shows(draw_at(&view, 1, 24, 80, false, 3000), "x\n");
	for (uint64_t i = 3; i < 12; i++)
		add(&view, sample_of(i, 128 * MIB));
	assert_hides(draw(&view, 1, 24, 80), "gone");
	assert_shows(draw(&view, 1, 24, 80), "taken 128.0 MiB");
}

static void guest_that_hangs_is_said_to(void **state)
{
	static struct watch_view view = { .name = "web" };

	(void)state;
	assert_shows(draw(&view, 1, 24, 80), " web  connecting");
	add(&view, sample_of(1, 256 * MIB));
	assert_hides(draw_at(&view, 1, 24, 80, false, 5000), "no answer");
	assert_shows(draw_at(&view, 1, 24, 80, false, 42000), "no answer for 42 s");
}

static void what_is_not_known_is_not_shown(void **state)
{
	static struct watch_view view = { .name = "web" };
	struct sample sample = sample_of(1, 256 * MIB);
	char *screen;

	(void)state;
	sample.state.has_target = sample.has_cost = sample.stats.ever = false;
	sample.stats.value[STAT_FREE_MEMORY] = UINT64_MAX;
	add(&view, sample);
	screen = draw(&view, 1, 12, 80);
	assert_null(strstr(screen, "host"));
	assert_null(strstr(screen, "processor"));
	assert_null(strstr(screen, "target left"));
	assert_shows(screen, " left 768.0 MiB  taken 256.0 MiB\n");
	/* All that is left may be in use. */
	assert_shows(draw(&view, 1, 12, 40), "[###########################=========]");
}

static void free_memory_that_cannot_be_is_not_drawn(void **state)
{
	static struct watch_view view = { .name = "web" };
	struct sample sample = sample_of(1, 256 * MIB);

	(void)state;
	sample.stats.value[STAT_FREE_MEMORY] = UINT64_MAX - 1;
	sample.state.target_left = RAM;
	add(&view, sample);
	assert_shows(draw(&view, 1, 12, 40), "[###########################========|]");
	view.sample.stats.value[STAT_FREE_MEMORY] = 1000 * MIB;
	assert_shows(draw(&view, 1, 12, 40), "[###########################========|]");
}

static void says_what_is_wrong_with_a_guest(void **state)
{
	static struct watch_view view = { .name = "web" };
	struct sample sample = sample_of(1, 0);

	(void)state;
	sample.state.has_features = true;
	add(&view, sample);
	assert_shows(draw(&view, 1, 24, 80), "no driver in the guest");
	view.sample.state.driver_ok = view.sample.state.paused = true;
	assert_shows(draw(&view, 1, 24, 80), " web  paused");
	strcpy(view.sample.state.complaint, "left is negative");
	assert_shows(draw(&view, 1, 24, 80), " web  left is negative");
}

/* Rows: of many guests each gets fewer, and those beyond scroll. */
static void many_guests_share_the_rows(void **state)
{
	static struct watch_view views[40];
	static char names[40][8];
	char *screen;

	(void)state;
	for (unsigned i = 0; i < 40; i++) {
		snprintf(names[i], sizeof(names[i]), "g%u", i);
		views[i].name = names[i];
		add(&views[i], sample_of(1, 256 * MIB));
	}
	/* Three with a course, six with three rows, twenty-two with one. */
	screen = draw(views, 3, 24, 80);
	assert_shows(strdup(screen), " g2  ");
	assert_shows(screen, "-5 min");
	screen = draw(views, 6, 24, 80);
	assert_null(strstr(screen, "-5 min"));
	assert_shows(screen, " g5  ");
	screen = draw(views, 22, 24, 80);
	assert_null(strstr(screen, "arrows"));
	assert_shows(screen, "\n g21 ");
	screen = draw(views, 40, 24, 80);
	assert_shows(strdup(screen), "1 to 22 of 40");
	assert_shows(strdup(screen), "arrows scroll");
	assert_hides(screen, "g22");
	assert_int_equal(watch_fits(24, 40), 22);
	assert_int_equal(watch_fits(24, 3), 3);
	assert_int_equal(watch_fits(1, 5), 1);
}

static void single_row_has_name_bar_and_amount(void **state)
{
	static struct watch_view views[9] = { { .name = "web" } };

	(void)state;
	add(&views[0], sample_of(1, 256 * MIB));
	add(&views[0], sample_of(2, 512 * MIB));
	for (int i = 1; i < 9; i++)
		views[i].name = "db";
	assert_shows(draw(views, 9, 12, 80),
		     "\n web                 [...........|==========] 512.0 MiB left  "
		     "inflating 256.0 Mi\n");
	assert_shows(draw(views, 9, 12, 80), "\n db                  connecting\n");
}

static void no_size_of_screen_goes_wrong(void **state)
{
	static struct watch_view views[5];

	(void)state;
	for (int i = 0; i < 5; i++) {
		views[i].name =
			"a name that is longer than most screens are wide, and not plain \n";
		add(&views[i], sample_of(1, (uint64_t)i * 256 * MIB));
	}
	for (int rows = 1; rows < 40; rows++)
		for (int columns = 1; columns < 140; columns += 3)
			for (size_t count = 0; count <= 5; count += 1 + count)
				free(draw_at(views, count, rows, columns, rows & 1, 0));
}

static void no_guest_is_said(void **state)
{
	(void)state;
	assert_shows(draw(NULL, 0, 24, 80), "no guest runs here yet");
}

static void history_keeps_five_minutes_at_any_pace(void **state)
{
	static struct history history;
	const struct history_point *point;

	(void)state;
	for (uint64_t i = 1; i <= 10000; i++) {
		struct sample sample = sample_of(i, i * 4096);

		sample.time = START + (int64_t)i * 100;
		history_add(&history, &sample);
	}
	point = history_at(&history, START + 10000 * 100, 1000);
	assert_non_null(point);
	assert_int_equal(point->taken, 10000 * 4096);
	point = history_at(&history, START + 10000 * 100 - HISTORY_MS + 1000, 1000);
	assert_non_null(point);
	assert_in_range(point->taken, 7000 * 4096, 7010 * 4096);
	assert_null(history_at(&history, START + 10000 * 100 + 1001, 1000));
	assert_null(history_at(&history, START, 1000));
}

static void sample_is_noted_once(void **state)
{
	static struct history history;
	struct sample sample = { .number = 0 };

	(void)state;
	/* None yet. */
	history_add(&history, &sample);
	assert_int_equal(history.count, 0);
	sample = sample_of(1, 0);
	history_add(&history, &sample);
	history_add(&history, &sample);
	assert_int_equal(history.count, 1);
}

static void rate_does_not_span_an_absence(void **state)
{
	static struct history history;
	struct sample sample = sample_of(1, 512 * MIB);
	struct sample dead = { .number = 2, .time = START + 2000, .err = -ENOENT };
	double processors;

	(void)state;
	history_add(&history, &sample);
	history_add(&history, &dead);
	sample = sample_of(3, 0);
	history_add(&history, &sample);
	assert_true(history_rate(&history) == 0);
	assert_false(history_cpu(&history, &processors));
	sample = sample_of(4, 64 * MIB);
	history_add(&history, &sample);
	assert_true(history_rate(&history) == 64.0 * MIB);
	assert_true(history_cpu(&history, &processors) && processors == 0.5);
}

/* A byte a second is a movement, in either direction; half of one is none. */
static void least_rate_is_shown(void **state)
{
	static struct watch_view view;

	(void)state;
	memset(&view, 0, sizeof(view));
	view.name = "a";
	add(&view, sample_of(1, MIB));
	add(&view, sample_of(2, MIB + 1));
	assert_shows(draw(&view, 1, 24, 80), "inflating 1 B/s");
	add(&view, sample_of(3, MIB + 1));
	assert_hides(draw(&view, 1, 24, 80), "flating");
	memset(&view.history, 0, sizeof(view.history));
	add(&view, sample_of(1, MIB + 1));
	add(&view, sample_of(2, MIB));
	assert_shows(draw(&view, 1, 24, 80), "deflating 1 B/s");
}

/* The line of a target of nothing is at the bottom, and so is that of less than a row. */
static void target_of_nothing_is_at_the_bottom(void **state)
{
	static const uint64_t targets[] = { RAM, RAM - MIB };
	static struct watch_view view;

	(void)state;
	for (int i = 0; i < 2; i++) {
		struct sample sample = sample_of(1, 0);
		char *text, *bottom, *above;

		memset(&view, 0, sizeof(view));
		view.name = "a";
		sample.state.target_left = targets[i];
		add(&view, sample);
		text = draw(&view, 1, 24, 80);
		bottom = strstr(text, "taken   0");
		assert_non_null(bottom);
		assert_true(strcspn(bottom, "-") < strcspn(bottom, "\n"));
		/* The row above it, which ends where this one begins. */
		while (*--bottom != '\n')
			;
		*bottom = '\0';
		above = strrchr(text, '\n');
		assert_null(strchr(above, '-'));
		free(text);
	}
}

/* The smallest screens with a chart, and the largest without. */
static void chart_needs_its_rows(void **state)
{
	static struct watch_view view;
	int rows = 4;

	(void)state;
	memset(&view, 0, sizeof(view));
	view.name = "a";
	add(&view, sample_of(1, 256 * MIB));
	for (; rows < 40; rows++) {
		char *text = draw(&view, 1, rows, 80);
		bool has = strstr(text, "-5 min");

		/* With its axis there is its bottom, and the row of the time below it. */
		assert_true(has == !!strstr(text, "taken   0"));
		free(text);
		if (has)
			break;
	}
	/* A headline and a legend; three rows for the guest; three of a chart, and the time. */
	assert_int_equal(rows, 9);
}

/* Each kind of trouble, and what a person is told of it. */
static void trouble_is_told_by_its_kind(void **state)
{
	static const struct {
		int err;
		const char *error, *shows;
	} all[] = { { -ETIMEDOUT, "no greeting", "no answer: no greeting" },
		    { -ENODEV, "the machine has none", "the machine has none" },
		    { -EPIPE, "broken", "gone: broken" } };
	static struct watch_view view;

	(void)state;
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		struct sample sample = { .number = 1, .time = START, .err = all[i].err };
		char *text;

		strcpy(sample.error, all[i].error);
		memset(&view, 0, sizeof(view));
		view.name = "a";
		add(&view, sample);
		text = draw(&view, 1, 24, 80);
		if (!strstr(text, all[i].shows))
			fail_msg("%s", text);
		assert_true((i == 2) == !!strstr(text, "gone: "));
		assert_true((i == 0) == !!strstr(text, "no answer: "));
		free(text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(small_screen_is_as_drawn_here),
		cmocka_unit_test(unicode_screen_has_blocks),
		cmocka_unit_test(levels_between_rows_are_eighths),
		cmocka_unit_test(tells_inflating_from_deflating),
		cmocka_unit_test(gone_guest_shows_as_gone_and_comes_back),
		cmocka_unit_test(guest_that_hangs_is_said_to),
		cmocka_unit_test(what_is_not_known_is_not_shown),
		cmocka_unit_test(free_memory_that_cannot_be_is_not_drawn),
		cmocka_unit_test(says_what_is_wrong_with_a_guest),
		cmocka_unit_test(many_guests_share_the_rows),
		cmocka_unit_test(single_row_has_name_bar_and_amount),
		cmocka_unit_test(no_size_of_screen_goes_wrong),
		cmocka_unit_test(no_guest_is_said),
		cmocka_unit_test(history_keeps_five_minutes_at_any_pace),
		cmocka_unit_test(sample_is_noted_once),
		cmocka_unit_test(rate_does_not_span_an_absence),
		cmocka_unit_test(least_rate_is_shown),
		cmocka_unit_test(trouble_is_told_by_its_kind),
		cmocka_unit_test(target_of_nothing_is_at_the_bottom),
		cmocka_unit_test(chart_needs_its_rows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
