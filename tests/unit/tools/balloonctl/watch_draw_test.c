/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tools/balloonctl/watch_draw.c, watch_chart.c, watch_table.c, watch_sort.c, grid.c and
 * history.c: what stands on the screen, row by row, without a terminal.
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
		.seen = START + (int64_t)number * 1000,
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

/* As a person has it who has pressed no key. */
static struct watch_screen screen_of(const struct watch_view *views, size_t count, int64_t later)
{
	return (struct watch_screen){ .views = views,
				      .count = count,
				      .window = HISTORY_DEFAULT,
				      .now = (count ? views[0].sample.time : START) + later,
				      .interval_ms = 1000 };
}

/* By free(). */
static char *draw_screen(const struct watch_screen *screen, int rows, int columns, bool unicode)
{
	char *text = calloc(1, (size_t)rows * ((size_t)columns * UTF8_MAX + 1) + 1);
	struct grid grid;

	assert_int_equal(grid_init(&grid, rows, columns, unicode), 0);
	watch_draw(&grid, screen);
	for (int i = 0; i < rows; i++) {
		char *row = grid_row(&grid, i);

		strcat(strcat(text, row), "\n");
		free(row);
	}
	grid_free(&grid);
	return text;
}

/* The screen as text, at the time of the first guest's last sample; by free(). */
static char *draw_at(const struct watch_view *views, size_t count, int rows, int columns,
		     bool unicode, int64_t later)
{
	struct watch_screen screen = screen_of(views, count, later);

	return draw_screen(&screen, rows, columns, unicode);
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

/* All of it. */
static void assert_screen(char *screen, const char *text)
{
	assert_string_equal(screen, text);
	free(screen);
}

static void small_screen_is_as_drawn_here(void **state)
{
	static struct watch_view view = { .name = "web" };

	(void)state;
	for (uint64_t i = 1; i <= 3; i++)
		add(&view, sample_of(i, i * 128 * MIB));
	assert_shows(draw(&view, 1, 12, 66),
		     " balloonctl watch: 1 guest, every 1 s, 5 min\n"
		     " web     inflating 128.0 MiB/s   host 100.0 MiB   processor  50 %\n"
		     " [########.......................|.......=======================]\n"
		     " left 640.0 MiB  taken 384.0 MiB  free 512.0 MiB\n"
		     " 1.000 GiB |\n"
		     "           |\n"
		     "           |\n"
		     "           |                                                   --\n"
		     "           |                                                    +\n"
		     " taken   0 |                                                   ##\n"
		     "            -5 min                                            now\n"
		     " # used   . free   = taken   | target   ? keys   q quits\n");
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
	assert_shows(draw_at(&view, 1, 24, 80, false, 0), " +\n");
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

static void a_narrow_screen_tells_how_to_ask(void **state)
{
	static struct watch_view view = { .name = "web" };

	(void)state;
	add(&view, sample_of(1, 0));
	assert_shows(draw(&view, 1, 24, 80), "? keys   q quits");
	assert_shows(draw(&view, 1, 24, 40), "taken   ? keys");
	assert_shows(draw(&view, 1, 24, 20), "? keys");
}

static void says_what_is_wrong_with_a_guest(void **state)
{
	static struct watch_view view = { .name = "web" };
	struct sample sample = sample_of(1, 0);

	(void)state;
	sample.state.has_features = sample.state.has_driver = true;
	add(&view, sample);
	assert_shows(draw(&view, 1, 24, 80), "no driver in the guest");
	view.sample.state.driver_ok = view.sample.state.paused = true;
	assert_shows(draw(&view, 1, 24, 80), " web  paused");
	strcpy(view.sample.state.complaint, "left is negative");
	assert_shows(draw(&view, 1, 24, 80), " web  left is negative");
	/* What it suffers from is no news beside that. */
	view.sample.situation = (struct situation){ .kind = SITUATION_CRITICAL };
	assert_shows(draw(&view, 1, 24, 80), " web  left is negative");
	view.sample.state.panicked = true;
	assert_shows(draw(&view, 1, 24, 80), " web  panicked");
	assert_shows(draw(&view, 1, 24, 80), "left 1.000 GiB");
}

/* From three guests on; below it the selected one has the rows that are left. */
static void many_guests_are_a_table(void **state)
{
	static struct watch_view views[40];
	static char names[40][8];
	struct watch_screen screen;
	char *text;

	(void)state;
	for (unsigned i = 0; i < 40; i++) {
		snprintf(names[i], sizeof(names[i]), "g%u", i);
		views[i].name = names[i];
		add(&views[i], sample_of(1, 256 * MIB));
	}
	assert_hides(draw(views, 2, 24, 80), "GUEST");
	text = draw(views, 3, 24, 80);
	assert_shows(strdup(text),
		     " GUEST       LEFT      TAKEN     TARGET       FREE       HOST     CPU\n"
		     ">g0     768.0 MiB  256.0 MiB  512.0 MiB  512.0 MiB  100.0 MiB\n"
		     " g1     768.0 MiB  ");
	assert_shows(text, "-5 min");
	screen = screen_of(views, 3, 0);
	screen.selected = 2;
	text = draw_screen(&screen, 24, 80, false);
	assert_shows(strdup(text), "\n g0     768");
	assert_shows(strdup(text), "\n>g2     768");
	assert_shows(text, "\n\n g2       ");
	/* Twenty-one with one, and no row for more. */
	assert_shows(draw(views, 21, 24, 80), "\n g20    768");
	text = draw(views, 40, 24, 80);
	assert_shows(strdup(text), "1 to 21 of 40");
	assert_hides(text, "g21");
	screen = screen_of(views, 40, 0);
	screen.first = 19;
	screen.selected = 39;
	text = draw_screen(&screen, 24, 80, false);
	assert_shows(strdup(text), "20 to 40 of 40");
	assert_shows(text, "\n>g39    768");
	assert_int_equal(watch_fits(24, 40), 21);
	assert_int_equal(watch_fits(24, 3), 3);
	assert_int_equal(watch_fits(1, 5), 1);
	assert_int_equal(watch_fits(4, 5), 1);
	assert_int_equal(watch_fits(4, 0), 0);
}

static void selected_guest_can_have_the_screen(void **state)
{
	static struct watch_view views[3] = { { .name = "web" },
					      { .name = "db" },
					      { .name = "x" } };
	struct watch_screen screen;
	char *text;

	(void)state;
	for (int i = 0; i < 3; i++)
		add(&views[i], sample_of(1, 256 * MIB));
	screen = screen_of(views, 3, 0);
	screen.single = true;
	screen.selected = 1;
	text = draw_screen(&screen, 24, 80, false);
	assert_null(strstr(text, "web"));
	assert_shows(text, "\n db    ");
}

static void table_says_what_is_wrong_with_a_guest(void **state)
{
	static struct watch_view views[4] = {
		{ .name = "web" }, { .name = "db" }, { .name = "mail" }, { .name = "x" }
	};
	struct sample busy = sample_of(1, 256 * MIB);
	char *text;

	(void)state;
	add(&views[0], sample_of(1, 256 * MIB));
	add(&views[0], sample_of(2, 512 * MIB));
	add(&views[2],
	    (struct sample){ .number = 1, .time = START, .err = -ENOENT, .error = "no socket" });
	busy.err = -EBUSY;
	busy.time = START + 3000;
	busy.state.has_target = busy.has_cost = busy.stats.ever = false;
	add(&views[3], busy);
	text = draw(views, 4, 12, 150);
	assert_shows(strdup(text), "  +256.0 MiB\n");
	assert_shows(strdup(text), "\n db     connecting\n");
	assert_shows(strdup(text), "\n mail   gone: no socket\n");
	/* What is not known is blank, and what was seen stands. */
	assert_shows(strdup(text), "\n x      768.0 MiB  256.0 MiB            ");
	assert_shows(text, "   busy: another client has its socket; seen 1 s ago\n");
}

static void assert_order(const struct watch_view *views, enum watch_sort sort, bool reversed,
			 const char *names)
{
	size_t order[] = { 0, 1, 2, 3 };
	char got[8] = "";

	watch_sort(views, order, 4, sort, reversed);
	for (size_t i = 0; i < 4; i++)
		strcat(got, views[order[i]].name);
	assert_string_equal(got, names);
}

static void table_is_sorted_by_any_column(void **state)
{
	static struct watch_view views[4] = {
		{ .name = "b" }, { .name = "a" }, { .name = "d" }, { .name = "c" }
	};
	struct sample sample;

	(void)state;
	/* "c" was never seen; of "d" only what QEMU says is known. */
	for (unsigned i = 0; i < 3; i++) {
		sample = sample_of(1, 0);
		sample.cost.cpu_ms = 0;
		add(&views[i], sample);
		sample = sample_of(2, (3 - i) * 64 * MIB);
		sample.state.target_left = (i + 1) * 128 * MIB;
		sample.stats.value[STAT_FREE_MEMORY] = i * 32 * MIB;
		sample.cost.resident = (i + 5) * 16 * MIB;
		sample.cost.cpu_ms = i * 100;
		if (i == 2)
			sample.has_cost = sample.has_stats = sample.state.has_target = false;
		add(&views[i], sample);
	}
	assert_order(views, WATCH_BY_NAME, false, "abcd");
	assert_order(views, WATCH_BY_NAME, true, "dcba");
	assert_order(views, WATCH_BY_LEFT, false, "dabc");
	assert_order(views, WATCH_BY_LEFT, true, "badc");
	assert_order(views, WATCH_BY_TAKEN, false, "badc");
	assert_order(views, WATCH_BY_TARGET, false, "abcd");
	assert_order(views, WATCH_BY_TARGET, true, "bacd");
	assert_order(views, WATCH_BY_FREE, false, "abcd");
	assert_order(views, WATCH_BY_HOST, false, "abcd");
	assert_order(views, WATCH_BY_HOST, true, "bacd");
	assert_order(views, WATCH_BY_CPU, false, "abcd");
	assert_order(views, WATCH_BY_RATE, false, "badc");
	assert_order(views, WATCH_BY_RATE, true, "dabc");
}

/* How each cell looks: b for bold, and so on; blank where nothing stands. By free(). */
static char *draw_styles(const struct watch_screen *screen, int rows, int columns)
{
	static const char letters[] = {
		[GRID_PLAIN] = 'p', [GRID_DIM] = 'd',  [GRID_BOLD] = 'b',  [GRID_ALARM] = 'a',
		[GRID_USED] = 'u',  [GRID_FREE] = 'f', [GRID_TAKEN] = 't', [GRID_TARGET] = 'g',
	};
	char *text = malloc((size_t)rows * ((size_t)columns + 1) + 1), *to = text;
	struct grid grid;

	assert_int_equal(grid_init(&grid, rows, columns, false), 0);
	watch_draw(&grid, screen);
	for (int i = 0; i < rows * columns; i++) {
		*to++ = grid.cells[i].character == ' ' ? ' ' : letters[grid.cells[i].style];
		if (i % columns != columns - 1)
			continue;
		while (to > text && to[-1] == ' ')
			to--;
		*to++ = '\n';
	}
	*to = '\0';
	grid_free(&grid);
	return text;
}

/* Two that are there, and one that was not seen yet. */
static struct watch_view *three_guests(void)
{
	static struct watch_view views[3];

	memset(views, 0, sizeof(views));
	views[0].name = "mail-server";
	views[1].name = "db";
	views[2].name = "x";
	for (int i = 0; i < 2; i++)
		add(&views[i], sample_of(1, 256 * MIB));
	return views;
}

static void table_has_its_styles(void **state)
{
	const struct watch_view *views = three_guests();
	struct watch_screen screen;

	(void)state;
	screen = screen_of(views, 3, 0);
	assert_screen(draw_styles(&screen, 16, 90),
		      " bbbbbbbbbb bbbbbb b bbbbbbb bbbbb b bb b bbb\n"
		      " bbbbb             dddd      ddddd     dddddd       dddd       dddd     ddd "
		      "   dddddddd\n"
		      "bbbbbbbbbbbb  ppppp ppp  ppppp ppp  ppppp ppp  ppppp ppp  ppppp ppp\n"
		      " bb           ppppp ppp  ppppp ppp  ppppp ppp  ppppp ppp  ppppp ppp\n"
		      " a            aaaaaaaaaa\n"
		      "\n"
		      " bbbbbbbbbbb                                                               "
		      "pppp ppppp ppp\n"
		      " duuuuuuuuuuuuuuuuuuuuuufffffffffffffffffffffgfffffffffffffffffffffttttttttt"
		      "ttttttttttttd\n"
		      " pppp ppppp ppp  ppppp ppppp ppp  pppp ppppp ppp  pppppp pppp ppppp ppp\n"
		      " ddddd ddd d\n"
		      "           d\n"
		      "           d                                                                "
		      "            g\n"
		      "           d                                                                "
		      "            t\n"
		      " ddddd   d d                                                                "
		      "            t\n"
		      "            dd ddd                                                          "
		      "          ddd\n"
		      " u dddd   f dddd   t ddddd   g dddddd   d dddd   d ddddd\n");
	screen.sort = WATCH_BY_TAKEN;
	assert_screen(draw_styles(&screen, 6, 90),
		      " bbbbbbbbbb bbbbbb b bbbbbbb bbbbb b bb b bbb\n"
		      " ddddd             dddd      bbbbb     dddddd       dddd       dddd     ddd "
		      "   dddddddd\n"
		      "bbbbbbbbbbbb  ppppp ppp  ppppp ppp  ppppp ppp  ppppp ppp  ppppp ppp\n"
		      " bb           ppppp ppp  ppppp ppp  ppppp ppp  ppppp ppp  ppppp ppp\n"
		      " a            aaaaaaaaaa\n"
		      " u dddd   f dddd   t ddddd   g dddddd   d dddd   d ddddd\n");
}

static void guest_that_is_gone_has_its_styles(void **state)
{
	struct watch_view *views = three_guests();
	struct watch_screen screen;

	(void)state;
	add(&views[1], (struct sample){ .number = 2, .time = START + 2000, .err = -EPIPE });
	screen = screen_of(&views[1], 1, 0);
	assert_screen(draw_styles(&screen, 12, 60),
		      " bbbbbbbbbb bbbbbb b bbbbbb bbbbb b bb b bbb\n"
		      " bb  aaaaa\n"
		      "\n"
		      "\n"
		      " ddddd ddd d\n"
		      "           d\n"
		      "           d\n"
		      "           d                                             g\n"
		      "           d                                             t\n"
		      " ddddd   d d                                             ta\n"
		      "            dd ddd                                      ddd\n"
		      " u dddd   f dddd   t ddddd   g dddddd   d dddd   d ddddd\n");
}

static void what_a_guest_suffers_from_stands_beside_its_name(void **state)
{
	static struct watch_view view = { .name = "web" };

	(void)state;
	for (uint64_t i = 1; i <= 3; i++)
		add(&view, sample_of(i, i * 128 * MIB));
	view.sample.situation =
		(struct situation){ .kind = SITUATION_NONE, .sureness = SURENESS_LIKELY };
	assert_hides(draw(&view, 1, 12, 80), "pressure");
	view.sample.situation.kind = SITUATION_STALLS;
	view.sample.situation.cause = STALL_BALLOON;
	assert_shows(draw(&view, 1, 12, 80), " web  waits for the balloon (likely)  ");
	assert_shows(draw(&view, 1, 12, 110), " web  waits for the balloon (likely)  ");
	assert_shows(draw(&view, 1, 12, 110), "inflating 128.0 MiB/s   host");
}

/* All of them; what was not sent is left out. */
static void statistics_take_the_place_of_the_course(void **state)
{
	static struct watch_view view = { .name = "web" };
	struct watch_screen screen;

	(void)state;
	add(&view, sample_of(1, 256 * MIB));
	for (unsigned i = 0; i < STAT_COUNT; i++) {
		view.sample.stats.present |= 1u << i;
		view.sample.stats.value[i] = (100 + i) * MIB;
	}
	view.sample.situation =
		(struct situation){ .kind = SITUATION_NONE, .sureness = SURENESS_LIKELY };
	screen = screen_of(&view, 1, 0);
	screen.stats = true;
	assert_shows(draw_screen(&screen, 14, 80, false),
		     " left 768.0 MiB  taken 256.0 MiB  free 104.0 MiB  target left 512.0 MiB\n"
		     " no pressure (likely)\n"
		     " swap-in             100.0 MiB         htlb-pgalloc        113246208\n"
		     " swap-out            101.0 MiB         htlb-pgfail         114294784\n"
		     " major-faults        106954752         oom-kills           115343360\n"
		     " minor-faults        108003328         alloc-stalls        116391936\n"
		     " free-memory         104.0 MiB         async-scans         117440512\n"
		     " total-memory        105.0 MiB         direct-scans        118489088\n"
		     " available-memory    106.0 MiB         async-reclaims      119537664\n"
		     " disk-caches         107.0 MiB         direct-reclaims     120586240\n");
	assert_shows(draw_screen(&screen, 24, 80, false),
		     "\n direct-reclaims     120586240\n");
	/* No room below the amounts. */
	assert_hides(draw_screen(&screen, 8, 80, false), "no pressure");
	/* As QEMU 7.2 has them. */
	view.sample.stats.present = 0x3ff;
	assert_hides(draw_screen(&screen, 24, 80, false), "oom-kills");
	view.sample.situation.kind = SITUATION_UNKNOWN;
	assert_shows(draw_screen(&screen, 24, 80, false), "\n not known yet\n swap-in");
}

static void list_of_keys_is_as_drawn_here(void **state)
{
	struct watch_screen screen = screen_of(NULL, 0, 0);

	(void)state;
	screen.keys = true;
	assert_screen(draw_styles(&screen, 21, 70),
		      " bbbbbbbbbb bbbbbb bbbb\n"
		      "\n"
		      " p         pppp\n"
		      " p         pppp ppppp ppp ppp pppppp pp\n"
		      " ppp pppp  pppppp p ppppp ppppp pp pp\n"
		      " ppppp     ppp pppppppp ppppp pppppp pp ppp ppppp\n"
		      " pp p      pppp p pppppp pp ppppppp pppp\n"
		      " p         pppp ppppppppppp pp ppp pppppp ppppp\n"
		      " p         pppp ppp ppppp ppppp\n"
		      " pp        pppp pppp\n"
		      "\n"
		      " d ddddd dd dddddd dd\n"
		      " b         pppp\n"
		      " b         pppppp pppp\n"
		      " b         pppppp ppppp\n"
		      " b         pppppp ppppp\n"
		      " b         pppppp ppppppp pp pp ppppp\n"
		      " b         pppppp pppp pp ppp ppppp\n"
		      " b         pppppp pp ppp pppp\n"
		      " b         ppppppppp\n"
		      " b         pppppp pp pppp pp ppppp\n");
	assert_screen(draw_screen(&screen, 21, 70, false),
		      " balloonctl watch: keys\n"
		      "\n"
		      " q         quit\n"
		      " ?         this list; any key leaves it\n"
		      " up, down  select a guest (also k, j)\n"
		      " Enter     the selected guest alone, or all again\n"
		      " +, -      show a longer or shorter time\n"
		      " s         show statistics, or the course again\n"
		      " r         turn the order round\n"
		      " ^L        draw anew\n"
		      "\n"
		      " A table is sorted by\n"
		      " N         name\n"
		      " M         memory left\n"
		      " T         memory taken\n"
		      " W         memory grown\n"
		      " G         target (memory to be left)\n"
		      " F         memory free in the guest\n"
		      " H         memory of the host\n"
		      " P         processor\n"
		      " C         change of what is taken\n");
}

static void keys_are_listed(void **state)
{
	struct watch_screen screen = screen_of(NULL, 0, 0);
	char *text;

	(void)state;
	screen.keys = true;
	text = draw_screen(&screen, 24, 80, false);
	assert_shows(strdup(text), "\n q         quit\n");
	assert_shows(strdup(text), "\n +, -      show a longer or shorter time\n");
	assert_shows(text, "\n P         processor\n");
}

/* No part of a field that is longer than its name, unless all of it is there. */
static void assert_whole(const char *screen, const char *field, size_t name_len, int columns)
{
	char part[64];

	for (size_t len = name_len + 2; len < strlen(field); len++) {
		const char *at = screen;

		snprintf(part, sizeof(part), "%.*s", (int)len, field);
		while ((at = strstr(at, part))) {
			if (strncmp(at, field, strlen(field)) != 0)
				fail_msg("%d columns: \"%s\" is cut in\n%s", columns, field,
					 screen);
			at++;
		}
	}
}

/* They are left out whole, on screens of any width. */
static void numbers_are_never_cut(void **state)
{
	static const struct {
		const char *field;
		size_t name_len;
	} fields[] = { { "left 640.0 MiB", 4 },
		       { "taken 384.0 MiB", 5 },
		       { "free 512.0 MiB", 4 },
		       { "target left 512.0 MiB", 11 },
		       { "host 100.0 MiB", 4 },
		       { "processor  50 %", 10 },
		       { "inflating 128.0 MiB/s", 9 },
		       { "  640.0 MiB", 1 },
		       { "  384.0 MiB", 1 },
		       { "every 1 s", 5 },
		       { "+128.0 MiB", 0 },
		       { "no answer for 1234 s", 13 } };
	static struct watch_view views[5];

	(void)state;
	for (size_t i = 0; i < 5; i++) {
		views[i].name = "web";
		for (uint64_t n = 1; n <= 3; n++)
			add(&views[i], sample_of(n, n * 128 * MIB));
	}
	for (int columns = 1; columns < 220; columns++) {
		for (size_t count = 1; count <= 5; count += 2) {
			for (int64_t later = 0; later <= 1234000; later += 1234000) {
				char *text = draw_at(views, count, 24, columns, false, later);

				for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
					assert_whole(text, fields[i].field, fields[i].name_len,
						     columns);
				free(text);
			}
		}
	}
	/* And where there is room they are there. */
	for (size_t i = 0; i < 7; i++)
		assert_shows(draw(views, 1, 24, 100), fields[i].field);
}

/* A guest that was looked at once a second, and was given everything for one of them. */
static void watch_a_dip(struct watch_view *view, uint64_t seconds, uint64_t dip)
{
	for (uint64_t i = 1; i <= seconds; i++)
		add(view, sample_of(i, i == dip ? 0 : 512 * MIB));
}

/* Whatever the window is: a column has the extremes of its time. */
static void dip_of_a_second_cannot_vanish(void **state)
{
	static struct watch_view view, peak;
	struct watch_screen screen;
	char *text;

	(void)state;
	view.name = peak.name = "web";
	watch_a_dip(&view, 3000, 2900);
	for (unsigned window = HISTORY_DEFAULT; window < HISTORY_WINDOWS; window++) {
		screen = screen_of(&view, 1, 0);
		screen.window = window;
		text = draw_screen(&screen, 14, 40, false);
		/* Empty at the bottom, and light above it. */
		assert_non_null(strstr(text, ":"));
		assert_non_null(strstr(strstr(text, "taken   0 |"), ":"));
		free(text);
	}
	/* A peak, likewise: twice what was taken else. */
	for (uint64_t i = 1; i <= 3000; i++)
		add(&peak, sample_of(i, i == 2900 ? RAM : 512 * MIB));
	screen = screen_of(&peak, 1, 0);
	screen.window = HISTORY_WINDOWS - 1;
	text = draw_screen(&screen, 14, 40, false);
	assert_non_null(strstr(strstr(text, "1.000 GiB |"), ":"));
	assert_shows(text, "-24 h");
}

static void absence_of_a_second_cannot_vanish(void **state)
{
	static struct watch_view view = { .name = "web" };
	struct watch_screen screen;

	(void)state;
	for (uint64_t i = 1; i <= 3000; i++) {
		struct sample sample = sample_of(i, 512 * MIB);

		if (i == 2900)
			sample =
				(struct sample){ .number = i, .time = sample.time, .err = -ENOENT };
		add(&view, sample);
	}
	screen = screen_of(&view, 1, 0);
	screen.window = HISTORY_WINDOWS - 2;
	assert_shows(draw_screen(&screen, 14, 60, false), "x");
}

static void busy_guest_shows_what_was_seen(void **state)
{
	static struct watch_view view = { .name = "web" };
	struct sample busy = sample_of(2, 256 * MIB);
	char *text;

	(void)state;
	add(&view, sample_of(1, 256 * MIB));
	busy.err = -EBUSY;
	busy.seen = START + 1000;
	busy.time = START + 61000;
	add(&view, busy);
	text = draw(&view, 1, 24, 100);
	assert_shows(strdup(text), " web  busy: another client has its socket; seen 60 s ago");
	assert_shows(strdup(text), "taken 256.0 MiB");
	/* It is not gone, and nobody knows how it went on. */
	assert_null(strstr(text, "x\n"));
	free(text);
	busy = (struct sample){ .number = 3, .time = START + 62000, .err = -EBUSY };
	add(&view, busy);
	text = draw(&view, 1, 24, 100);
	assert_null(strstr(text, "seen"));
	assert_hides(text, "taken 256");
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
	assert_screen(draw(NULL, 0, 5, 80),
		      " balloonctl watch: 0 guests, every 1 s, 5 min\n\n"
		      " no guest runs here yet; `make run` starts one\n\n"
		      " # used   . free   = taken   | target   ? keys   q quits\n");
}

static void history_keeps_each_window_at_any_pace(void **state)
{
	static struct history history;
	const int64_t end = START + 10000 * 100;
	struct history_span span;

	(void)state;
	for (uint64_t i = 1; i <= 10000; i++) {
		struct sample sample = sample_of(i, i * 4096);

		sample.time = START + (int64_t)i * 100;
		history_add(&history, &sample);
	}
	assert_true(history_sum(&history, 1, end - 1, end, 1000, &span));
	assert_int_equal(span.last, 10000 * 4096);
	/* Five minutes ago: to a step of the window. */
	assert_true(history_sum(&history, 1, end - 300000, end - 290000, 1000, &span));
	assert_in_range(span.last, 7080 * 4096, 7100 * 4096);
	assert_in_range(span.low, 6990 * 4096, 7010 * 4096);
	assert_int_equal(span.high, span.last);
	/* The last state holds for as long as it is believed. */
	assert_true(history_sum(&history, 1, end + 500, end + 1000, 1000, &span));
	assert_int_equal(span.low, 10000 * 4096);
	assert_false(history_sum(&history, 1, end + 500, end + 1001, 1000, &span));
	assert_false(history_sum(&history, 1, START - 1000, START, 1000, &span));
	/* A day has all of it. */
	assert_true(history_sum(&history, 5, START, end, 1000, &span));
	assert_int_equal(span.low, 4096);
	assert_int_equal(span.high, 10000 * 4096);
}

static void sample_is_noted_once(void **state)
{
	static struct history history;
	struct sample sample = { .number = 0 };

	(void)state;
	/* None yet. */
	history_add(&history, &sample);
	assert_int_equal(history.rings[0].count, 0);
	sample = sample_of(1, 0);
	history_add(&history, &sample);
	history_add(&history, &sample);
	assert_int_equal(history.rings[0].count, 1);
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

/* ---- the chart, column by column ---- */

#define CHART_TOP 4  /* below the title, the name, the bar and the amounts */
#define CHART_ROWS 4 /* so that a row has eight of the 32 amounts below */
#define AMOUNTS 32
#define AMOUNT(n) (RAM / AMOUNTS * (unsigned long long)(n))

/* A guest of this moment, without a target. */
static void add_taken(struct watch_view *view, uint64_t number, uint64_t taken)
{
	struct sample sample = sample_of(number, taken);

	sample.state.has_target = false;
	add(view, sample);
}

/* Of the last minute, the amounts and, below them, the chart, so many columns of it. */
static void assert_chart(const struct watch_view *view, int columns, bool unicode, int64_t later,
			 const char *rows)
{
	struct watch_screen screen = screen_of(view, 1, later);
	char *text, *from, *to;

	screen.window = 0;
	text = draw_screen(&screen, CHART_TOP + CHART_ROWS + 2, columns + 13, unicode);
	from = text;
	for (int i = 0; i < CHART_TOP - 1; i++)
		from = strchr(from, '\n') + 1;
	to = from;
	for (int i = 0; i <= CHART_ROWS + 1; i++)
		to = strchr(to, '\n') + 1;
	*to = '\0';
	assert_string_equal(from, rows);
	free(text);
}

/* A column is a second: nothing, a byte, each eighth, and more than there is. */
static void each_eighth_has_its_block(void **state)
{
	static struct watch_view view = { .name = "web" };
	uint64_t number = 1;

	(void)state;
	add_taken(&view, number++, 2 * RAM);
	add_taken(&view, number++, AMOUNT(AMOUNTS + 2));
	add_taken(&view, number++, 0);
	add_taken(&view, number++, 1);
	for (int i = 1; i <= AMOUNTS; i++)
		add_taken(&view, number++, AMOUNT(i));
	add_taken(&view, number++, 0);
	assert_chart(&view, 60, false, 0,
		     " left 1.000 GiB  taken 0 B        free 512.0 MiB\n"
		     " 1.000 GiB |                      ##                          ..+++###\n"
		     "           |                      ##                  ..+++###########\n"
		     "           |                      ##          ..+++###################\n"
		     " taken   0 |                      ## ...+++###########################\n"
		     "            -1 min                                                   now\n");
	assert_chart(&view, 60, true, 0,
		     " left 1.000 GiB  taken 0 B        free 512.0 MiB\n"
		     " 1.000 GiB \u2502                      \u2588\u2588                          "
		     "\u2581\u2582\u2583\u2584\u2585\u2586\u2587\u2588\n"
		     "           \u2502                      \u2588\u2588                  "
		     "\u2581\u2582\u2583\u2584\u2585\u2586\u2587\u2588\u2588\u2588\u2588\u2588"
		     "\u2588\u2588\u2588\u2588\n"
		     "           \u2502                      \u2588\u2588          "
		     "\u2581\u2582\u2583\u2584\u2585\u2586\u2587\u2588\u2588\u2588\u2588\u2588"
		     "\u2588\u2588\u2588\u2588\u2588\u2588\u2588\u2588\u2588\u2588\u2588\u2588\n"
		     " taken   0 \u2502                      \u2588\u2588 "
		     "\u2581\u2581\u2582\u2583\u2584\u2585\u2586\u2587\u2588\u2588\u2588\u2588"
		     "\u2588\u2588\u2588\u2588\u2588\u2588\u2588\u2588\u2588\u2588\u2588\u2588"
		     "\u2588\u2588\u2588\u2588\u2588\u2588\u2588\u2588\u2588\n"
		     "            -1 min                                                   now\n");
}

/* Three in a column: the least is solid, the most is light, and the last decides in a row. */
static void column_shows_its_extremes(void **state)
{
	static const int amounts[][3] = {
		{ 0, 32, 0 },	{ 32, 0, 32 }, { 8, 9, 8 },    { 9, 8, 9 },    { 7, 8, 7 },
		{ 8, 7, 8 },	{ 8, 16, 8 },  { 8, 17, 9 },   { 1, 15, 1 },   { 1, 7, 4 },
		{ 1, 7, 3 },	{ 1, 7, 5 },   { 17, 24, 17 }, { 17, 24, 24 }, { 24, 17, 21 },
		{ 16, 25, 16 }, { 0, 1, 0 },   { 1, 0, 1 },    { 32, 25, 30 },
	};
	static struct watch_view view = { .name = "web" };
	uint64_t number = 3; /* the first of a column, as START is not */

	(void)state;
	for (size_t i = 0; i < sizeof(amounts) / sizeof(amounts[0]); i++)
		for (int j = 0; j < 3; j++)
			add_taken(&view, number++, AMOUNT(amounts[i][j]));
	/* The last column has begun just now, and shows what holds. */
	assert_chart(&view, 20, false, 0,
		     " left 64.00 MiB  taken 960.0 MiB\n"
		     " 1.000 GiB |::             :  .#\n"
		     "           |::     :    #..:  ##\n"
		     "           |::::  :::   ####  ##\n"
		     " taken   0 |::######..#.####::##\n"
		     "            -1 min           now\n");
	assert_chart(&view, 20, true, 0,
		     " left 64.00 MiB  taken 960.0 MiB\n"
		     " 1.000 GiB \u2502\u2591\u2591             \u2591  \u2581\u2586\n"
		     "           \u2502\u2591\u2591     \u2591    \u2588\u2581\u2581\u2591  "
		     "\u2588\u2588\n"
		     "           \u2502\u2591\u2591\u2591\u2591  \u2591\u2591\u2591   "
		     "\u2588\u2588\u2588\u2588  \u2588\u2588\n"
		     " taken   0 "
		     "\u2502\u2591\u2591\u2588\u2588\u2588\u2587\u2588\u2588\u2581\u2581\u2587"
		     "\u2581\u2588\u2588\u2588\u2588\u2591\u2591\u2588\u2588\n"
		     "            -1 min           now\n");
}

/* The line is in the row in which a column of the target would end, and behind a column. */
static void target_is_a_line(void **state)
{
	static struct watch_view view = { .name = "web" };
	uint64_t number = 1;

	(void)state;
	for (int i = 0; i <= AMOUNTS; i++) {
		struct sample sample = sample_of(number++, 0);

		sample.state.target_left = RAM - AMOUNT(i);
		add(&view, sample);
	}
	for (int i = 0; i <= AMOUNTS; i += 4) {
		struct sample sample = sample_of(number++, AMOUNT(12));

		sample.state.target_left = RAM - AMOUNT(i);
		add(&view, sample);
	}
	assert_chart(&view, 60, false, 0,
		     " left 640.0 MiB  taken 384.0 MiB  free 512.0 MiB  target left 0 B\n"
		     " 1.000 GiB |                                          --------       ---\n"
		     "           |                                  --------             --\n"
		     "           |                          --------                ++++++++++\n"
		     " taken   0 |                 ---------                        ##########\n"
		     "            -1 min                                                   now\n");
}

/* The last state holds for two intervals and five seconds; an absence likewise. */
static void silence_has_an_end(void **state)
{
	static struct watch_view view = { .name = "web" };
	struct sample dead = { .number = 2, .time = START + 2000, .err = -ENOENT };

	(void)state;
	add_taken(&view, 1, AMOUNT(12));
	assert_chart(&view, 60, false, 20000,
		     "\n"
		     " 1.000 GiB |\n"
		     "           |\n"
		     "           |                                      ++++++++\n"
		     " taken   0 |                                      ########\n"
		     "            -1 min                                                   now\n");
	add(&view, dead);
	assert_chart(&view, 60, false, 20999,
		     "\n"
		     " 1.000 GiB |\n"
		     "           |\n"
		     "           |                                     +\n"
		     " taken   0 |                                     #xxxxxxxx\n"
		     "            -1 min                                                   now\n");
	add_taken(&view, 30, AMOUNT(3));
	assert_chart(&view, 60, false, 500,
		     " left 928.0 MiB  taken 96.00 MiB  free 512.0 MiB\n"
		     " 1.000 GiB |\n"
		     "           |\n"
		     "           |                             +\n"
		     " taken   0 |                             #xxxxxxxx                    ++\n"
		     "            -1 min                                                   now\n");
}

static void chart_has_ten_columns_and_sixteen_rows(void **state)
{
	static struct watch_view view = { .name = "web" };

	(void)state;
	add_taken(&view, 1, AMOUNT(12));
	assert_chart(&view, 10, false, 0,
		     " left 640.0 MiB\n"
		     " 1.000 GiB |\n"
		     "           |\n"
		     "           |         +\n"
		     " taken   0 |         #\n"
		     "            -1 min now\n");
	assert_chart(&view, 9, false, 0,
		     " left 640.0 MiB\n"
		     "\n"
		     "\n"
		     "\n"
		     "\n"
		     "\n");
	assert_screen(
		draw(&view, 1, 30, 80),
		" balloonctl watch: 1 guest, every 1 s, 5 min\n"
		" web                                                             host 100.0 MiB\n"
		" [##########......................................============================]\n"
		" left 640.0 MiB  taken 384.0 MiB  free 512.0 MiB\n"
		" 1.000 GiB |\n"
		"           |\n"
		"           |\n"
		"           |\n"
		"           |\n"
		"           |\n"
		"           |\n"
		"           |\n"
		"           |\n"
		"           |\n"
		"           |                                                                  #\n"
		"           |                                                                  #\n"
		"           |                                                                  #\n"
		"           |                                                                  #\n"
		"           |                                                                  #\n"
		" taken   0 |                                                                  #\n"
		"            -5 min                                                          now\n"
		"\n"
		"\n"
		"\n"
		"\n"
		"\n"
		"\n"
		"\n"
		"\n"
		" # used   . free   = taken   | target   ? keys   q quits\n");
}

/* The longest of the windows' names reaches up to two columns before "now". */
static void window_is_named_where_there_is_room(void **state)
{
	static struct watch_view view = { .name = "web" };
	struct watch_screen screen;

	(void)state;
	add_taken(&view, 1, AMOUNT(12));
	screen = screen_of(&view, 1, 0);
	screen.window = 2;
	assert_shows(draw_screen(&screen, 12, 24, false), "\n            -15 min now\n");
	assert_shows(draw_screen(&screen, 12, 23, false), "\n                   now\n");
}

/* Without RAM there is no scale. */
static void guest_that_was_never_seen_has_no_chart(void **state)
{
	static struct watch_view view = { .name = "web" };

	(void)state;
	add(&view, (struct sample){ .number = 1, .time = START, .err = -EPIPE, .error = "x" });
	assert_screen(draw(&view, 1, 9, 60), " balloonctl watch: 1 guest, every 1 s, 5 min\n"
					     " web  gone: x\n\n\n\n\n\n\n"
					     " # used   . free   = taken   | target   ? keys   q "
					     "quits\n");
}

/* ---- a table, cell by cell ---- */

/* Six of all kinds; by the processor's time, and the fourth is selected. */
static struct watch_screen screen_of_six(void)
{
	static struct watch_view views[6] = {
		{ .name = "web" },    { .name = "a-name-that-is-longer-than-it-may-be" },
		{ .name = "x\x01y" }, { .name = "db" },
		{ .name = "mail" },   { .name = "new" }
	};
	struct watch_screen screen;
	struct sample sample;

	for (size_t i = 0; i < 6; i++) {
		memset(&views[i].sample, 0, sizeof(views[i].sample));
		memset(&views[i].history, 0, sizeof(views[i].history));
	}
	for (uint64_t i = 1; i <= 3; i++)
		for (uint64_t j = 0; j < 5; j++)
			add(&views[j],
			    sample_of(i, j == 1 ? RAM - i * 200 * MIB : 512 * j + i * j));
	sample = sample_of(4, 0);
	sample.cost.cpu_ms = 13850;
	sample.state.has_target = false;
	sample.state.panicked = true;
	add(&views[3], sample);
	sample = sample_of(4, 4 * 513);
	sample.err = -EPIPE;
	strcpy(sample.error, "broken");
	add(&views[4], sample);
	screen = screen_of(views, 6, 1000);
	screen.sort = WATCH_BY_CPU;
	screen.selected = 3;
	return screen;
}

static void table_is_as_drawn_here(void **state)
{
	struct watch_screen screen = screen_of_six();

	(void)state;
	assert_screen(draw_screen(&screen, 14, 170, false),
		      " balloonctl watch: 6 guests, every 1 s, 5 min\n"
		      " GUEST                          LEFT      TAKEN     TARGET       FREE       "
		      "HOST     CPU    CHANGE/S\n"
		      " web                       1.000 GiB        0 B  512.0 MiB  512.0 MiB  "
		      "100.0 MiB    50 %\n"
		      " ~s-longer-than-it-may-be  600.0 MiB  424.0 MiB  512.0 MiB  512.0 MiB  "
		      "100.0 MiB    50 %  -200.0 MiB\n"
		      " x\\x01y                    1.000 GiB  1.006 KiB  512.0 MiB  512.0 MiB  "
		      "100.0 MiB    50 %        +2 B\n"
		      ">db                        1.000 GiB        0 B             512.0 MiB  "
		      "100.0 MiB   445 %      -513 B  panicked\n"
		      " mail                      gone: broken\n"
		      " new                       connecting\n"
		      "\n"
		      " db  panicked                                                               "
		      "                                         deflating 513 B/s   host 100.0 MiB "
		      "  processor 445 %\n"
		      " [##########################################################################"
		      "#########..................................................................."
		      "................]\n"
		      " left 1.000 GiB  taken 0 B        free 512.0 MiB\n"
		      "\n"
		      " # used   . free   = taken   | target   ? keys   q quits\n");
}

static void narrow_table_leaves_columns_out(void **state)
{
	struct watch_screen screen = screen_of_six();

	(void)state;
	assert_screen(
		draw_screen(&screen, 9, 85, false),
		" balloonctl watch: 6 guests, every 1 s, 5 min\n"
		" GUEST                          LEFT      TAKEN     TARGET       FREE       HOST\n"
		" web                       1.000 GiB        0 B  512.0 MiB  512.0 MiB  100.0 MiB\n"
		" ~s-longer-than-it-may-be  600.0 MiB  424.0 MiB  512.0 MiB  512.0 MiB  100.0 MiB\n"
		" x\\x01y                    1.000 GiB  1.006 KiB  512.0 MiB  512.0 MiB  100.0 "
		"MiB\n"
		">db                        1.000 GiB        0 B             512.0 MiB  100.0 MiB\n"
		" mail                      gone: broken\n"
		" new                       connecting\n"
		" # used   . free   = taken   | target   ? keys   q quits\n");
	/* A column of the screen less, and one of the table goes. */
	assert_shows(draw_screen(&screen, 9, 89, false), "  CPU\n web ");
	assert_shows(draw_screen(&screen, 9, 89, false), "  50 %\n ~s-long");
	assert_shows(draw_screen(&screen, 9, 88, false), " HOST\n web ");
	assert_shows(draw_screen(&screen, 9, 88, false), " MiB\n ~s-long");
}

/* ---- what fits, to the column ---- */

static void words_come_and_go_with_their_column(void **state)
{
	static const struct {
		int columns; /* from so many on */
		const char *words;
	} all[] = { { 26, " balloonctl watch: 1 guest" },
		    { 37, " guest, every 1 s" },
		    { 44, " s, 5 min" },
		    { 7, "\n ? keys" },
		    { 16, "\n # used   ? keys" },
		    { 25, "   . free" },
		    { 35, "   = taken" },
		    { 46, "   | target" },
		    { 56, "   q quits" },
		    { 28, "inflating" },
		    { 45, "host" },
		    { 63, "processor" },
		    { 15, " left 640.0 MiB" },
		    { 32, "  taken 384.0 MiB" },
		    { 48, "  free 512.0 MiB" },
		    { 71, "  target left 512.0 MiB" },
		    { 5, " [" } };
	static struct watch_view view = { .name = "web" };

	(void)state;
	for (uint64_t i = 1; i <= 3; i++)
		add(&view, sample_of(i, i * 128 * MIB));
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		assert_shows(draw(&view, 1, 8, all[i].columns), all[i].words);
		assert_hides(draw(&view, 1, 8, all[i].columns - 1), all[i].words);
	}
	/* No word is cut. */
	assert_shows(draw(&view, 1, 6, 6), "\n\n\n");
	assert_shows(draw(&view, 1, 8, 15), "\n ? keys\n");
	assert_shows(draw(&view, 1, 8, 24), "\n # used   ? keys\n");
	assert_shows(draw(&view, 1, 8, 36), "\n # used   . free   = taken   ? keys\n");
	/* Two columns after what is wrong. */
	memset(&view.history, 0, sizeof(view.history));
	add(&view, sample_of(1, 256 * MIB));
	view.sample.state.paused = true;
	assert_shows(draw(&view, 1, 8, 29), "\n web  paused  host 100.0 MiB\n");
	assert_shows(draw(&view, 1, 8, 28), "\n web  paused\n");
}

/* Of a name that does not fit, its end, where names differ. */
static void name_that_is_too_wide_shows_its_end(void **state)
{
	static struct watch_view views[3] = { { .name = "/run/vm/web-1.qmp" },
					      { .name = "/run/vm/web-2.qmp" },
					      { .name = "/run/vm/x\n" } };

	(void)state;
	for (int i = 0; i < 3; i++)
		add(&views[i], sample_of(1, 256 * MIB));
	assert_shows(draw(views, 1, 5, 19), "\n /run/vm/web-1.qmp\n");
	assert_shows(draw(views, 1, 5, 18), "\n ~un/vm/web-1.qmp\n");
	assert_shows(draw(views, 1, 5, 4), "\n ~p\n");
	assert_shows(draw(views, 1, 5, 3), "\n ~\n");
	assert_shows(draw(views, 1, 5, 2), "\n\n");
	assert_screen(draw(views, 3, 6, 12), "\n GUEST\n>~web-1.qmp\n ~web-2.qmp\n"
					     " ~/vm/x\\x0a\n ? keys\n");
	assert_screen(draw(views, 3, 6, 6), "\n GUEST\n>~qmp\n ~qmp\n ~\n\n");
	assert_screen(draw(views, 3, 6, 5), "\n\n>~mp\n ~mp\n ~\n\n");
}

/* Whole rows are left out, and nothing stands on anything else. */
static void screen_of_few_rows_has_what_fits(void **state)
{
	static struct watch_view views[3] = { { .name = "web" },
					      { .name = "db" },
					      { .name = "x" } };
	static const char heading[] = " GUEST       LEFT      TAKEN     TARGET\n",
			  web[] = "  768.0 MiB  256.0 MiB  512.0 MiB\n";
	char text[512];

	(void)state;
	for (int i = 0; i < 3; i++)
		add(&views[i], sample_of(1, 256 * MIB));
	for (size_t count = 1; count <= 3; count++) {
		struct watch_screen screen = screen_of(views, count, 0);

		/* Alone or not. */
		screen.single = count == 2;
		snprintf(text, sizeof(text), ">web  %s", web);
		assert_screen(draw_screen(&screen, 1, 43, false), text);
		snprintf(text, sizeof(text), "%s>web  %s", heading, web);
		assert_screen(draw_screen(&screen, 2, 43, false), text);
		snprintf(text, sizeof(text), "%s>web  %s%s%s", heading, web,
			 count > 1 ? " db   " : "", count > 1 ? web : "\n");
		assert_screen(draw_screen(&screen, 3, 43, false), text);
	}
	snprintf(text, sizeof(text), " balloonctl watch: 1 guest, every 1 s\n%s>web  %s%s", heading,
		 web, " # used   . free   = taken   ? keys\n");
	assert_screen(draw(views, 1, 4, 43), text);
	assert_screen(draw(NULL, 0, 1, 80), " no guest runs here yet; `make run` starts one\n");
	assert_screen(draw(NULL, 0, 3, 80), " no guest runs here yet; `make run` starts one\n\n\n");
}

static void two_guests_need_three_rows_each(void **state)
{
	static struct watch_view views[2] = { { .name = "web" }, { .name = "db" } };

	(void)state;
	for (int i = 0; i < 2; i++)
		add(&views[i], sample_of(1, 256 * MIB));
	assert_shows(draw(views, 2, 7, 80), "\n GUEST");
	assert_screen(draw(views, 2, 8, 50), " balloonctl watch: 2 guests, every 1 s, 5 min\n"
					     " web                               host 100.0 MiB\n"
					     " [############...........|...........===========]\n"
					     " left 768.0 MiB  taken 256.0 MiB  free 512.0 MiB\n"
					     " db                                host 100.0 MiB\n"
					     " [############...........|...........===========]\n"
					     " left 768.0 MiB  taken 256.0 MiB  free 512.0 MiB\n"
					     " # used   . free   = taken   | target   ? keys\n");
}

static void selected_guest_has_three_rows_or_none(void **state)
{
	static struct watch_view views[3] = { { .name = "web" },
					      { .name = "db" },
					      { .name = "x" } };

	(void)state;
	for (int i = 0; i < 3; i++)
		add(&views[i], sample_of(1, 256 * MIB));
	/* Title, heading, three guests, a blank one, three rows, the legend. */
	assert_shows(draw(views, 3, 10, 80), "\n\n web ");
	assert_hides(draw(views, 3, 9, 80), "\n\n web ");
}

static void windows_have_their_names(void **state)
{
	static const char *const names[] = { "1 min", "5 min", "15 min", "1 h", "6 h", "24 h" };
	char text[16];

	(void)state;
	for (unsigned i = 0; i < HISTORY_WINDOWS; i++) {
		watch_window_text(i, text, sizeof(text));
		assert_string_equal(text, names[i]);
	}
}

/* The interval and five seconds; and a guest that says nothing of its RAM has a bar, too. */
static void states_at_their_limits(void **state)
{
	static struct watch_view view = { .name = "web" };
	struct sample sample = sample_of(1, 256 * MIB);

	(void)state;
	add(&view, sample);
	assert_hides(draw_at(&view, 1, 12, 60, false, 6000), "no answer");
	assert_shows(draw_at(&view, 1, 12, 60, false, 6001), " web  no answer for 6 s\n");
	strcpy(view.sample.state.complaint, "?");
	assert_shows(draw(&view, 1, 12, 60), " web  ?  ");
	view.sample = sample_of(1, 0);
	view.sample.state.ram = view.sample.state.left = view.sample.state.target_left = 0;
	assert_shows(draw(&view, 1, 8, 20), "\n [|===============]\n");
	view.sample.state.has_target = false;
	assert_shows(draw(&view, 1, 8, 20), "\n [================]\n");
	view.sample.err = -EBUSY;
	view.sample.seen = 0;
	assert_shows(draw(&view, 1, 8, 60), " web  busy: another client has its socket\n");
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
		cmocka_unit_test(a_narrow_screen_tells_how_to_ask),
		cmocka_unit_test(says_what_is_wrong_with_a_guest),
		cmocka_unit_test(many_guests_are_a_table),
		cmocka_unit_test(selected_guest_can_have_the_screen),
		cmocka_unit_test(table_says_what_is_wrong_with_a_guest),
		cmocka_unit_test(table_is_sorted_by_any_column),
		cmocka_unit_test(table_has_its_styles),
		cmocka_unit_test(guest_that_is_gone_has_its_styles),
		cmocka_unit_test(list_of_keys_is_as_drawn_here),
		cmocka_unit_test(what_a_guest_suffers_from_stands_beside_its_name),
		cmocka_unit_test(statistics_take_the_place_of_the_course),
		cmocka_unit_test(keys_are_listed),
		cmocka_unit_test(numbers_are_never_cut),
		cmocka_unit_test(dip_of_a_second_cannot_vanish),
		cmocka_unit_test(absence_of_a_second_cannot_vanish),
		cmocka_unit_test(busy_guest_shows_what_was_seen),
		cmocka_unit_test(no_size_of_screen_goes_wrong),
		cmocka_unit_test(no_guest_is_said),
		cmocka_unit_test(history_keeps_each_window_at_any_pace),
		cmocka_unit_test(sample_is_noted_once),
		cmocka_unit_test(rate_does_not_span_an_absence),
		cmocka_unit_test(least_rate_is_shown),
		cmocka_unit_test(trouble_is_told_by_its_kind),
		cmocka_unit_test(target_of_nothing_is_at_the_bottom),
		cmocka_unit_test(chart_needs_its_rows),
		cmocka_unit_test(each_eighth_has_its_block),
		cmocka_unit_test(column_shows_its_extremes),
		cmocka_unit_test(target_is_a_line),
		cmocka_unit_test(silence_has_an_end),
		cmocka_unit_test(chart_has_ten_columns_and_sixteen_rows),
		cmocka_unit_test(window_is_named_where_there_is_room),
		cmocka_unit_test(guest_that_was_never_seen_has_no_chart),
		cmocka_unit_test(table_is_as_drawn_here),
		cmocka_unit_test(narrow_table_leaves_columns_out),
		cmocka_unit_test(words_come_and_go_with_their_column),
		cmocka_unit_test(name_that_is_too_wide_shows_its_end),
		cmocka_unit_test(screen_of_few_rows_has_what_fits),
		cmocka_unit_test(two_guests_need_three_rows_each),
		cmocka_unit_test(selected_guest_has_three_rows_or_none),
		cmocka_unit_test(windows_have_their_names),
		cmocka_unit_test(states_at_their_limits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
