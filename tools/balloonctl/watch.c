/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * balloonctl watch: guests on a live screen. Pollers look at the guests,
 * watch_draw.c draws; here is only what needs a terminal.
 */
#include <assert.h>
#include <errno.h>
#include <langinfo.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <wchar.h>

#include <getopt.h>
#include <ncurses.h>

#include "tools/balloonctl/command.h"
#include "tools/balloonctl/guest_set.h"
#include "tools/balloonctl/periodic.h"
#include "tools/balloonctl/watch_draw.h"
#include "tools/deadline.h"

#define REDRAW_MS 250
#define FIND_MS 2000 /* between two searches for new guests */

static const char help[] =
	"usage: balloonctl watch [--interval SEC] [--ascii] [GUEST...]\n"
	"\n"
	"Shows guests on a live screen: memory used, free and taken by the balloon, its\n"
	"target, rates, and the course of the last five minutes. Without a GUEST (or -g)\n"
	"all that `make run` has started, and new ones as they come. A guest that ends is\n"
	"shown as gone until it is back. \"host\" is the memory of the machine that QEMU\n"
	"occupies (Pss).\n"
	"\n"
	"  --interval SEC   look every SEC seconds, 0.1 to 3600 (default 1)\n"
	"  --ascii          draw with ASCII only; so it does where the locale has no UTF-8\n"
	"\n"
	"Keys: q quits, arrows scroll. If nobody asks a guest for its statistics, it is\n"
	"asked every second (or SEC) as long as this runs.\n";

struct request {
	char **guests;
	size_t guest_count;
	int interval_ms;
	bool ascii;
};

struct watch {
	struct guest_set set;
	struct watch_view *views; /* one for each poller */
	size_t count, first;
	int interval_ms;
	bool unicode;
};

/* ---- the terminal ---- */

static void start_colours(void)
{
	static const struct {
		short style, colour;
	} pairs[] = { { GRID_USED, COLOR_BLUE },
		      { GRID_FREE, COLOR_GREEN },
		      { GRID_TAKEN, COLOR_MAGENTA },
		      { GRID_TARGET, COLOR_YELLOW },
		      { GRID_ALARM, COLOR_RED } };

	if (!has_colors() || start_color() == ERR)
		return;
	/* On whatever background the person has. */
	use_default_colors();
	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++)
		init_pair(pairs[i].style, pairs[i].colour, -1);
}

static int start_screen(void)
{
	/* initscr() would end the program with words of its own. */
	if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO)) {
		complain("a terminal is wanted; for scripts there are stats and record");
		return EXIT_WRONG;
	}
	if (!newterm(NULL, stdout, stdin)) {
		complain("the terminal '%s' is not known; set TERM",
			 getenv("TERM") ? getenv("TERM") : "");
		return EXIT_WRONG;
	}
	/* After ncurses, which would end the program at once. */
	stop_on_signals();
	start_colours();
	cbreak();
	noecho();
	keypad(stdscr, TRUE);
	curs_set(0);
	timeout(REDRAW_MS);
	return EXIT_REACHED;
}

static attr_t attributes(enum grid_style style)
{
	switch (style) {
	case GRID_BOLD:
	case GRID_ALARM:
		return A_BOLD;
	case GRID_DIM:
		return A_DIM;
	default:
		return A_NORMAL;
	}
}

static void show_cell(int row, int column, const struct grid_cell *cell)
{
	short pair = cell->style >= GRID_USED ? (short)cell->style : 0;
	wchar_t text[] = { (wchar_t)cell->character, L'\0' };
	cchar_t shown;

	if (setcchar(&shown, text, attributes(cell->style), pair, NULL) == OK)
		mvadd_wch(row, column, &shown);
}

static void show_grid(const struct grid *grid)
{
	for (int row = 0; row < grid->rows; row++)
		for (int column = 0; column < grid->columns; column++)
			show_cell(row, column, &grid->cells[row * grid->columns + column]);
	refresh();
}

/* ---- guests ---- */

static int make_views(struct watch *watch)
{
	struct watch_view *views;

	if (watch->count == watch->set.count)
		return 0;
	views = realloc(watch->views, watch->set.count * sizeof(views[0]));
	if (!views)
		return -ENOMEM;
	watch->views = views;
	for (; watch->count < watch->set.count; watch->count++) {
		struct watch_view *view = &views[watch->count];

		memset(view, 0, sizeof(*view));
		view->name = poller_name(watch->set.pollers[watch->count]);
	}
	return 0;
}

static void collect(struct watch *watch)
{
	for (size_t i = 0; i < watch->count; i++) {
		struct watch_view *view = &watch->views[i];

		poller_latest(watch->set.pollers[i], &view->sample);
		history_add(&view->history, &view->sample);
	}
}

static int draw(const struct watch *watch)
{
	struct watch_screen screen = {
		.views = watch->views,
		.count = watch->count,
		.first = watch->first,
		.now = deadline_now(),
		.interval_ms = watch->interval_ms,
	};
	struct grid grid;
	int err = grid_init(&grid, LINES, COLS, watch->unicode);

	if (err)
		return err;
	watch_draw(&grid, &screen);
	show_grid(&grid);
	grid_free(&grid);
	return 0;
}

/* -ENOMEM. */
static int show(struct watch *watch)
{
	int err = make_views(watch);

	if (err)
		return err;
	collect(watch);
	return draw(watch);
}

static void scroll_by(struct watch *watch, int by)
{
	size_t fits = watch_fits(LINES, watch->count);
	size_t last = watch->count > fits ? watch->count - fits : 0;

	if (by < 0)
		watch->first -= watch->first > 0;
	else
		watch->first += (size_t)by;
	if (watch->first > last)
		watch->first = last;
}

/* Does what a key asks for; false: quit. */
static bool obey(struct watch *watch, int key)
{
	switch (key) {
	case 'q':
	case 'Q':
		return false;
	case KEY_UP:
	case 'k':
		scroll_by(watch, -1);
		break;
	case KEY_DOWN:
	case 'j':
		scroll_by(watch, 1);
		break;
	case KEY_RESIZE:
		scroll_by(watch, 0);
		break;
	case 'L' & 0x1f:
		clearok(stdscr, TRUE);
		break;
	}
	return true;
}

static int show_until_told(struct watch *watch)
{
	int64_t find = deadline_in(FIND_MS);
	int key;

	do {
		if (deadline_left(find) == 0) {
			guest_set_find(&watch->set);
			find = deadline_in(FIND_MS);
		}
		if (show(watch))
			return EXIT_WRONG;
		/* Waits REDRAW_MS at most. A terminal that is gone sends SIGHUP. */
		key = getch();
	} while (obey(watch, key) && !stop_asked());
	return EXIT_REACHED;
}

/* ---- the command ---- */

static bool take_option(void *request, int letter, const char *value)
{
	struct request *r = request;

	if (letter == 'i')
		return !interval_parse("--interval", value, &r->interval_ms);
	assert(letter == 'a');
	r->ascii = true;
	return true;
}

static bool take_words(void *request, char **words, size_t count)
{
	struct request *r = request;

	r->guests = words;
	r->guest_count = count;
	return true;
}

static int run(const struct call *call)
{
	const struct request *request = call->request;
	struct poller_rate rate = poller_rate_of(call->common, request->interval_ms);
	struct watch watch = { .interval_ms = request->interval_ms };
	int status = guest_set_open(&watch.set, call->common, request->guests, request->guest_count,
				    &rate);

	if (status)
		return status;
	setlocale(LC_CTYPE, "");
	watch.unicode = !request->ascii && !strcmp(nl_langinfo(CODESET), "UTF-8");
	status = start_screen();
	if (!status) {
		status = show_until_told(&watch);
		endwin();
		if (status)
			complain("out of memory");
	}
	guest_set_close(&watch.set);
	free(watch.views);
	return status;
}

static const struct option options[] = {
	{ "interval", required_argument, NULL, 'i' },
	{ "ascii", no_argument, NULL, 'a' },
	{ "help", no_argument, NULL, 'h' },
	{ 0 },
};

const struct command command_watch = {
	.name = "watch",
	.arguments = "[GUEST...]",
	.summary = "a live screen of one or many guests",
	.help = help,
	.options = options,
	.defaults = &(const struct request){ .interval_ms = 1000 },
	.request_size = sizeof(struct request),
	.take_option = take_option,
	.take_words = take_words,
	.run = run,
};
