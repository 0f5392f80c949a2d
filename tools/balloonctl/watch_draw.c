/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The screen of `balloonctl watch`: see watch_draw.h. One or two guests have a name, a
 * bar, amounts and a course each; more are a table, below which the selected one has
 * the rows that are left.
 */
#include <assert.h>
#include <errno.h>
#include <math.h>
#include <string.h>

#include "tools/balloonctl/balloonctl.h"
#include "tools/balloonctl/report.h"
#include "tools/balloonctl/watch_draw.h"
#include "tools/balloonctl/watch_parts.h"

#define FRAME_ROWS 2 /* headline, legend */
#define FRAME_MIN 4  /* a screen of fewer rows has no frame */
#define BRIEF_ROWS 3 /* name, bar, amounts */
#define CHART_ROWS_MIN 3
#define FULL_ROWS (BRIEF_ROWS + CHART_ROWS_MIN + 1) /* with the axis of time */

/* ---- characters ---- */

const struct watch_shade watch_used = { 0x2588, '#', GRID_USED };     /* full block */
const struct watch_shade watch_unused = { 0x2591, '.', GRID_FREE };   /* light shade */
const struct watch_shade watch_taken = { 0x2592, '=', GRID_TAKEN };   /* medium shade */
const struct watch_shade watch_target = { 0x2502, '|', GRID_TARGET }; /* vertical line */
const struct watch_shade watch_ram = { 0x2594, '^', GRID_DIM };	      /* upper eighth */
const struct watch_shade watch_requested = { 0x00b7, '~', GRID_DIM }; /* middle dot */

void watch_put(struct grid *grid, int row, int column, const struct watch_shade *shade)
{
	grid_put(grid, row, column, grid->unicode ? shade->unicode : shade->ascii, shade->style);
}

/* ---- the state of a guest ---- */

const struct watch_view *watch_view_at(const struct watch_screen *screen, size_t place)
{
	assert(place < screen->count);
	return &screen->views[screen->order ? screen->order[place] : place];
}

static int64_t silence(const struct watch_screen *screen, const struct watch_view *view)
{
	int64_t age = screen->now - view->sample.time;

	if (view->sample.number == 0 || age <= screen->interval_ms + WATCH_SILENCE_MS)
		return 0;
	return age;
}

bool watch_has_amounts(const struct watch_screen *screen, const struct watch_view *view)
{
	enum condition condition = sample_condition(&view->sample);

	if (silence(screen, view) || !view->sample.seen)
		return false;
	return condition == CONDITION_UP || condition == CONDITION_PANICKED ||
	       condition == CONDITION_BUSY;
}

static void busy_words(const struct watch_screen *screen, const struct sample *sample,
		       char text[WATCH_TROUBLE])
{
	if (sample->seen)
		snprintf(text, WATCH_TROUBLE, "busy: another client has its socket; seen %d s ago",
			 (int)((screen->now - sample->seen) / 1000));
	else
		snprintf(text, WATCH_TROUBLE, "busy: another client has its socket");
}

void watch_trouble(const struct watch_screen *screen, const struct watch_view *view,
		   char text[WATCH_TROUBLE])
{
	const struct sample *sample = &view->sample;

	text[0] = '\0';
	if (sample->number == 0)
		snprintf(text, WATCH_TROUBLE, "connecting");
	else if (silence(screen, view))
		snprintf(text, WATCH_TROUBLE, "no answer for %d s",
			 (int)(silence(screen, view) / 1000));
	else if (sample->err == -EBUSY)
		busy_words(screen, sample, text);
	else if (sample->err == -ETIMEDOUT)
		snprintf(text, WATCH_TROUBLE, "no answer: %s", sample->error);
	else if (sample->err == -ENODEV)
		snprintf(text, WATCH_TROUBLE, "%s", sample->error);
	else if (sample->err)
		snprintf(text, WATCH_TROUBLE, "gone: %s", sample->error);
	else if (sample->state.panicked)
		snprintf(text, WATCH_TROUBLE, "panicked");
	else if (sample->state.complaint[0] != '\0')
		snprintf(text, WATCH_TROUBLE, "%s", sample->state.complaint);
	else if (sample->state.has_driver && !sample->state.driver_ok)
		snprintf(text, WATCH_TROUBLE, "no driver in the guest");
	else if (sample->state.paused)
		snprintf(text, WATCH_TROUBLE, "paused");
}

int watch_share(uint64_t part, uint64_t whole, int columns)
{
	return whole ? (int)lround((double)part / (double)whole * columns) : 0;
}

/* ---- words ---- */

/* "inflating 1.200 GiB/s"; leaves the text alone while nothing moves. */
static void rate_words(const struct watch_view *view, char *text, size_t size)
{
	double rate = history_rate(&view->history);
	char amount[SIZE_TEXT];

	if (fabs(rate) >= 1)
		snprintf(text, size, "%s %s/s", rate > 0 ? "inflating" : "deflating",
			 size_word((uint64_t)fabs(rate), amount));
}

#define RATES 3
#define RATES_GAP 3

/* Those that fit into `room` columns, at the right end of the row. */
static void draw_rates(struct grid *grid, int row, int column, const struct watch_view *view)
{
	char words[RATES][64] = { "", "", "" }, amount[SIZE_TEXT];
	int count = 0, width = 0, end = grid->columns - 1;
	double processors;

	rate_words(view, words[0], sizeof(words[0]));
	if (view->sample.has_cost)
		snprintf(words[1], sizeof(words[1]), "host %s",
			 size_word(view->sample.cost.resident, amount));
	if (history_cpu(&view->history, &processors))
		snprintf(words[2], sizeof(words[2]), "processor %3.0f %%", processors * 100);
	for (; count < RATES; count++) {
		int more = (int)strlen(words[count]);

		more += more && width ? RATES_GAP : 0;
		if (column + width + more > end)
			break;
		width += more;
	}
	column = end - width;
	for (int i = 0; i < count; i++) {
		if (words[i][0] == '\0')
			continue;
		column = grid_text(grid, row, column, GRID_PLAIN, words[i]) + RATES_GAP;
	}
}

int watch_put_name(struct grid *grid, int row, int width, enum grid_style style, const char *name)
{
	if (grid_width(name) <= width)
		return grid_text(grid, row, 1, style, name);
	if (width < 1)
		return 1;
	while (grid_width(name) > width - 1)
		name++;
	return grid_print(grid, row, 1, style, "~%s", name);
}

static void draw_headline(struct grid *grid, int row, const struct watch_screen *screen,
			  const struct watch_view *view)
{
	int column = watch_put_name(grid, row, grid->columns - 2, GRID_BOLD, view->name) + 2;
	char text[WATCH_TROUBLE];

	watch_trouble(screen, view, text);
	if (text[0] == '\0' && view->sample.situation.kind > SITUATION_NONE)
		report_write_situation(&view->sample.situation, text, sizeof(text));
	column = grid_words(grid, row, column, GRID_ALARM, text);
	if (watch_has_amounts(screen, view))
		draw_rates(grid, row, column + (text[0] ? 2 : 0), view);
}

/* ---- guests ---- */

/* In at least BRIEF_ROWS rows. */
static void draw_guest(struct grid *grid, int row, int rows, const struct watch_screen *screen,
		       const struct watch_view *view)
{
	draw_headline(grid, row, screen, view);
	if (watch_has_amounts(screen, view)) {
		watch_draw_bar(grid, row + 1, view);
		watch_draw_amounts(grid, row + 2, view);
	}
	if (rows >= FULL_ROWS && screen->stats)
		watch_draw_stats(grid, row + BRIEF_ROWS, rows - BRIEF_ROWS, view);
	else if (rows >= FULL_ROWS)
		watch_draw_chart(grid, row + BRIEF_ROWS, rows - BRIEF_ROWS - 1, screen, view);
}

static void draw_all(struct grid *grid, const struct watch_screen *screen)
{
	int rows = (grid->rows - FRAME_ROWS) / (int)screen->count;

	for (size_t i = 0; i < screen->count; i++)
		draw_guest(grid, 1 + (int)i * rows, rows, screen, watch_view_at(screen, i));
}

/* Above and below what is shown of guests; a screen without room for it is theirs. */
static bool has_frame(int rows)
{
	return rows >= FRAME_MIN;
}

size_t watch_fits(int rows, size_t count)
{
	int most = rows - (has_frame(rows) ? FRAME_ROWS : 0) - 1;

	if (most < 1)
		return 1;
	return count < (size_t)most ? count : (size_t)most;
}

static void draw_table(struct grid *grid, const struct watch_screen *screen)
{
	int fits = (int)watch_fits(grid->rows, screen->count);
	/* Below the frame's headline, the table's, its rows and a blank one. */
	int row = 3 + fits, rows = grid->rows - 1 - row;
	int top = has_frame(grid->rows) ? 1 : 0;

	/* A single row is a guest's: the table's headline is above the screen. */
	if (grid->rows == 1)
		top = -1;
	watch_draw_table(grid, top, fits, screen);
	if (rows >= BRIEF_ROWS)
		draw_guest(grid, row, rows, screen, watch_view_at(screen, screen->selected));
}

static bool is_table(const struct watch_screen *screen, int rows)
{
	size_t count = screen->count;

	if (count == 0 || (screen->single && rows >= FRAME_ROWS + BRIEF_ROWS))
		return false;
	return count >= WATCH_TABLE_MIN || (rows - FRAME_ROWS) / (int)count < BRIEF_ROWS;
}

/* ---- the frame ---- */

void watch_window_text(unsigned window, char *text, size_t size)
{
	int minutes = (int)(history_window_ms(window) / 60000);

	if (minutes < 60)
		snprintf(text, size, "%d min", minutes);
	else
		snprintf(text, size, "%d h", minutes / 60);
}

/* What does not fit is left out, and what comes after it. */
static void draw_title(struct grid *grid, const struct watch_screen *screen, bool table)
{
	size_t fits = watch_fits(grid->rows, screen->count), end = screen->first + fits;
	char parts[4][64] = { "", "", "", "" };
	char window[16];
	int column = 1;

	watch_window_text(screen->window, window, sizeof(window));
	snprintf(parts[0], sizeof(parts[0]), "balloonctl watch: %zu guest%s", screen->count,
		 screen->count == 1 ? "" : "s");
	snprintf(parts[1], sizeof(parts[1]), ", every %g s", screen->interval_ms / 1000.0);
	snprintf(parts[2], sizeof(parts[2]), ", %s", window);
	if (table && fits < screen->count)
		snprintf(parts[3], sizeof(parts[3]), "   %zu to %zu of %zu", screen->first + 1,
			 end < screen->count ? end : screen->count, screen->count);
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		if (column + (int)strlen(parts[i]) > grid->columns)
			return;
		column = grid_text(grid, 0, column, GRID_BOLD, parts[i]);
	}
}

#define HOW_TO_ASK "? keys" /* what a narrow screen shows in any case */

/* Whether any guest has memory still to come. */
static bool has_requested(const struct watch_screen *screen)
{
	for (size_t i = 0; i < screen->count; i++)
		if (watch_still_to_come(&screen->views[i]))
			return true;
	return false;
}

/* Whether the course of any guest has a line for its memory. */
static bool has_ram(const struct watch_screen *screen)
{
	bool moved = false;

	for (size_t i = 0; i < screen->count && !moved; i++)
		watch_chart_ram(screen, &screen->views[i], &moved);
	return moved;
}

static void draw_legend(struct grid *grid, const struct watch_screen *screen)
{
	const struct {
		const struct watch_shade *shade;
		const char *name;
		bool absent;
	} words[] = { { &watch_used, "used", false },
		      { &watch_unused, "free", false },
		      { &watch_taken, "taken", false },
		      { &watch_target, "target", false },
		      { &watch_requested, "requested", !has_requested(screen) },
		      { &watch_ram, "RAM it had", !has_ram(screen) } };
	int row = grid->rows - 1, column = 1, room = grid->columns - (int)strlen(HOW_TO_ASK) - 3;

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (words[i].absent)
			continue;
		if (column + 2 + (int)strlen(words[i].name) > room)
			break;
		watch_put(grid, row, column, words[i].shade);
		column = grid_text(grid, row, column + 2, GRID_DIM, words[i].name) + 3;
	}
	column = grid_field(grid, row, column, grid->columns, GRID_DIM, HOW_TO_ASK);
	grid_field(grid, row, column + 3, grid->columns, GRID_DIM, "q quits");
}

static void draw_keys(struct grid *grid)
{
	static const char *const keys[] = {
		"q         quit",
		"?         this list; any key leaves it",
		"up, down  select a guest (also k, j)",
		"Enter     the selected guest alone, or all again",
		"+, -      show a longer or shorter time",
		"s         show statistics, or the course again",
		"r         turn the order round",
		"^L        draw anew",
	};
#define KEY(constant, key, heading, what) { key, what },
	static const struct {
		char key;
		const char *what;
	} sorts[] = { WATCH_SORT_TABLE(KEY) };
#undef KEY
	const int nr_keys = (int)(sizeof(keys) / sizeof(keys[0]));

	grid_words(grid, 0, 1, GRID_BOLD, "balloonctl watch: keys");
	for (int i = 0; i < nr_keys; i++)
		grid_words(grid, 2 + i, 1, GRID_PLAIN, keys[i]);
	grid_words(grid, 3 + nr_keys, 1, GRID_DIM, "A table is sorted by");
	for (int i = 0; i < WATCH_SORTS; i++) {
		grid_put(grid, 4 + nr_keys + i, 1, (unsigned)sorts[i].key, GRID_BOLD);
		grid_words(grid, 4 + nr_keys + i, 11, GRID_PLAIN, sorts[i].what);
	}
}

void watch_draw(struct grid *grid, const struct watch_screen *screen)
{
	bool table = is_table(screen, grid->rows), framed = has_frame(grid->rows);

	assert(screen->count == 0 || screen->selected < screen->count);
	if (screen->keys) {
		draw_keys(grid);
		return;
	}
	if (framed) {
		draw_title(grid, screen, table);
		draw_legend(grid, screen);
	}
	if (screen->count == 0)
		grid_words(grid, framed ? 2 : 0, 1, GRID_PLAIN,
			   "no guest runs here yet; `make run` starts one");
	else if (table)
		draw_table(grid, screen);
	else if (screen->single)
		draw_guest(grid, 1, grid->rows - FRAME_ROWS, screen,
			   watch_view_at(screen, screen->selected));
	else
		draw_all(grid, screen);
}
