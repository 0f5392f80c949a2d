/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * balloonctl watch: guests on a live screen. Pollers look at the guests, watch_draw.c
 * draws, watch_terminal.c has the terminal; here is what keys do.
 */
#include <assert.h>
#include <errno.h>
#include <langinfo.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>

#include <getopt.h>
#include <ncurses.h>

#include "tools/balloonctl/command.h"
#include "tools/balloonctl/guest_set.h"
#include "tools/balloonctl/periodic.h"
#include "tools/balloonctl/watch_draw.h"
#include "tools/balloonctl/watch_lines.h"
#include "tools/balloonctl/watch_terminal.h"
#include "tools/deadline.h"

#define REDRAW_MS 250
#define FIND_MS 2000 /* between two searches for new guests */

static const char help[] =
	"usage: balloonctl watch [--interval SEC] [--window TIME] [--ascii] [GUEST...]\n"
	"       balloonctl watch --json [--interval SEC] [GUEST...]\n"
	"\n"
	"Shows guests on a live screen: memory used, free and taken by the balloon, its\n"
	"target, rates, and the course of the last five minutes, of which each column\n"
	"shows the least and the most that was taken in its time. From three guests on it\n"
	"is a table, with the selected one below. Without a GUEST (or -g) all that\n"
	"`make run` has started, and new ones as they come. A guest that ends is shown as\n"
	"gone until it is back. \"host\" is the memory of the machine that QEMU occupies\n"
	"(Pss). Of a guest with virtio-mem devices \"grown\" is what they have plugged, of\n"
	"what is requested of them; what is still to come is at the end of the bar, and a\n"
	"line in the course is its RAM where that has changed. What a guest suffers from,\n"
	"by its statistics, stands beside its name, and how sure that is.\n"
	"\n"
	"  --interval SEC   look every SEC seconds, 0.1 to 3600 (default 1)\n"
	"  --window TIME    show the course of the last 1m, 5m, 15m, 1h, 6h or 24h\n"
	"  --ascii          draw with ASCII only, as where the locale has no UTF-8\n"
	"  --json           no screen, but a line for each look at a guest: an object,\n"
	"                   all amounts in bytes; until a signal, or until nobody reads\n"
	"\n"
	"Keys: q quits, ? lists the others: arrows select a guest, capital letters sort\n"
	"as in virt-top, + and - change the window, s shows statistics. If nobody asks\n"
	"a guest for its statistics, it is asked every second (or SEC) as long as this\n"
	"runs.\n";

struct request {
	char **guests;
	size_t guest_count;
	int interval_ms;
	unsigned window;
	bool ascii, json;
	bool drawn; /* it was said how it is to be drawn */
};

struct watch {
	struct guest_set set;
	struct watch_view *views; /* one for each poller */
	size_t *order;		  /* of them, as they are sorted */
	size_t count;
	size_t first;	 /* of the table's rows that are shown */
	size_t selected; /* an index of `order` */
	bool single, keys, stats;
	bool sorted, reversed; /* until a key says so they stand as they were named or found */
	enum watch_sort sort;
	unsigned window;
	int interval_ms;
	bool unicode;
};

/* ---- guests ---- */

static int make_views(struct watch *watch)
{
	struct watch_view *views;
	size_t *order;

	if (watch->count == watch->set.count)
		return 0;
	views = realloc(watch->views, watch->set.count * sizeof(views[0]));
	if (!views)
		return -ENOMEM;
	watch->views = views;
	order = realloc(watch->order, watch->set.count * sizeof(order[0]));
	if (!order)
		return -ENOMEM;
	watch->order = order;
	for (; watch->count < watch->set.count; watch->count++) {
		struct watch_view *view = &views[watch->count];

		memset(view, 0, sizeof(*view));
		view->name = poller_name(watch->set.pollers[watch->count]);
		order[watch->count] = watch->count;
	}
	return 0;
}

/* The same guest stays selected wherever it is sorted to. */
static void sort(struct watch *watch)
{
	size_t selected = watch->count ? watch->order[watch->selected] : 0;

	if (!watch->sorted)
		return;
	watch_sort(watch->views, watch->order, watch->count, watch->sort, watch->reversed);
	for (size_t i = 0; i < watch->count; i++)
		if (watch->order[i] == selected)
			watch->selected = i;
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
		.order = watch->order,
		.first = watch->first,
		.selected = watch->selected,
		.single = watch->single,
		.keys = watch->keys,
		.stats = watch->stats,
		.sort = watch->sort,
		.reversed = watch->reversed,
		.window = watch->window,
		.now = deadline_now(),
		.interval_ms = watch->interval_ms,
	};
	struct grid grid;
	int err = grid_init(&grid, LINES, COLS, watch->unicode);

	if (err)
		return err;
	watch_draw(&grid, &screen);
	watch_terminal_show(&grid);
	grid_free(&grid);
	return 0;
}

/* The selected row is one of those that are shown, and all rows are used. */
static void scroll_to_selected(struct watch *watch)
{
	size_t fits = watch_fits(LINES, watch->count);

	if (watch->first > watch->selected)
		watch->first = watch->selected;
	if (watch->selected >= watch->first + fits)
		watch->first = watch->selected + 1 - fits;
	while (watch->first > 0 && watch->first + fits > watch->count)
		watch->first--;
}

/* -ENOMEM. */
static int show(struct watch *watch)
{
	int err = make_views(watch);

	if (err)
		return err;
	collect(watch);
	sort(watch);
	scroll_to_selected(watch);
	return draw(watch);
}

static void select_other(struct watch *watch, bool down)
{
	if (down && watch->selected + 1 < watch->count)
		watch->selected++;
	else if (!down && watch->selected > 0)
		watch->selected--;
}

static void change_window(struct watch *watch, bool longer)
{
	if (longer && watch->window + 1 < HISTORY_WINDOWS)
		watch->window++;
	else if (!longer && watch->window > 0)
		watch->window--;
}

static void sort_by_key(struct watch *watch, int key)
{
#define KEY(constant, key, heading, what) key,
	static const char keys[] = { WATCH_SORT_TABLE(KEY) };
#undef KEY

	for (enum watch_sort i = 0; i < WATCH_SORTS; i++) {
		if (key != keys[i])
			continue;
		watch->sort = i;
		watch->sorted = true;
		watch->reversed = false;
	}
}

/* Does what a key asks for; false: quit. */
static bool obey(struct watch *watch, int key)
{
	/* Any key leaves the list of keys, and does nothing else; ERR is none. */
	if (watch->keys && key != 'q' && key != ERR && key != KEY_RESIZE) {
		watch->keys = false;
		return true;
	}
	switch (key) {
	case 'q':
	case 'Q':
		return false;
	case '?':
		watch->keys = true;
		break;
	case KEY_UP:
	case 'k':
	case KEY_DOWN:
	case 'j':
		select_other(watch, key == KEY_DOWN || key == 'j');
		break;
	case '+':
	case '-':
		change_window(watch, key == '+');
		break;
	case 'r':
		watch->sorted = true;
		watch->reversed = !watch->reversed;
		break;
	case 's':
		watch->stats = !watch->stats;
		break;
	case '\n':
	case '\r':
	case KEY_ENTER:
		watch->single = !watch->single;
		break;
	case 'L' & 0x1f:
		clearok(stdscr, TRUE);
		break;
	default:
		sort_by_key(watch, key);
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

/* As the axis has it, without the blank: "5m", "5min", "1h". */
static bool take_window(struct request *request, const char *value)
{
	for (unsigned i = 0; i < HISTORY_WINDOWS; i++) {
		char text[16], *blank;

		watch_window_text(i, text, sizeof(text));
		blank = strchr(text, ' ');
		assert(blank);
		memmove(blank, blank + 1, strlen(blank));
		if (!strcmp(value, text) || (!strncmp(value, text, strlen(value)) && value[0] &&
					     value[strlen(value) - 1] == *blank)) {
			request->window = i;
			return true;
		}
	}
	complain("--window %s: 1m, 5m, 15m, 1h, 6h or 24h is wanted", value);
	return false;
}

static bool take_option(void *request, int letter, const char *value)
{
	struct request *r = request;

	if (letter == 'i')
		return !interval_parse("--interval", value, &r->interval_ms);
	if (letter == 'j') {
		r->json = true;
		return true;
	}
	r->drawn = true;
	if (letter == 'w')
		return take_window(r, value);
	assert(letter == 'a');
	r->ascii = true;
	return true;
}

static bool take_words(void *request, char **words, size_t count)
{
	struct request *r = request;

	r->guests = words;
	r->guest_count = count;
	if (r->json && r->drawn)
		complain("--json draws nothing: --window and --ascii are for the screen");
	return !r->json || !r->drawn;
}

static int watch_on_screen(struct watch *watch)
{
	int status = watch_terminal_start(REDRAW_MS);

	if (status)
		return status;
	status = show_until_told(watch);
	endwin();
	if (status)
		complain("out of memory");
	return status;
}

static int run(const struct call *call)
{
	const struct request *request = call->request;
	struct poller_rate rate = poller_rate_of(call->common, request->interval_ms);
	struct watch watch = { .interval_ms = request->interval_ms, .window = request->window };
	int status;

	/* Before there are threads: a parser of JSON in one of them uses what this replaces. */
	setlocale(LC_CTYPE, "");
	status = guest_set_open(&watch.set, call->common, request->guests, request->guest_count,
				&rate);
	if (status)
		return status;
	watch.unicode = !request->ascii && !strcmp(nl_langinfo(CODESET), "UTF-8");
	if (request->json)
		watch_lines(&watch.set);
	else
		status = watch_on_screen(&watch);
	guest_set_close(&watch.set);
	free(watch.order);
	free(watch.views);
	end_by_pipe();
	return status;
}

static const struct option options[] = {
	{ "interval", required_argument, NULL, 'i' }, { "window", required_argument, NULL, 'w' },
	{ "ascii", no_argument, NULL, 'a' },	      { "json", no_argument, NULL, 'j' },
	{ "help", no_argument, NULL, 'h' },	      { 0 },
};

const struct command command_watch = {
	.name = "watch",
	.arguments = "[--json] [GUEST...]",
	.summary = "a live screen of one or many guests",
	.help = help,
	.options = options,
	.defaults = &(const struct request){ .interval_ms = 1000, .window = HISTORY_DEFAULT },
	.request_size = sizeof(struct request),
	.take_option = take_option,
	.take_words = take_words,
	.run = run,
};
