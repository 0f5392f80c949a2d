/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The screen of `balloonctl watch`: see watch_draw.h. A guest gets as many
 * rows as there are for it: name, bar, amounts and a course; or without the
 * course; or all in one row.
 */
#include <assert.h>
#include <errno.h>
#include <math.h>
#include <string.h>

#include "tools/balloonctl/balloonctl.h"
#include "tools/balloonctl/watch_draw.h"

#define FRAME_ROWS 2 /* headline, legend */
#define BRIEF_ROWS 3 /* name, bar, amounts */
#define CHART_ROWS_MIN 3
#define CHART_ROWS_MAX 16
#define FULL_ROWS (BRIEF_ROWS + CHART_ROWS_MIN + 1) /* with the axis of time */
#define LABEL_COLUMNS 10
#define NAME_COLUMNS 20 /* in a single row */
#define SILENCE_MS 5000 /* on top of the interval; a guest silent for longer hangs */

/* ---- characters ---- */

struct shade {
	unsigned unicode, ascii;
	enum grid_style style;
};

static const struct shade used = { 0x2588, '#', GRID_USED };	 /* full block */
static const struct shade unused = { 0x2591, '.', GRID_FREE };	 /* light shade */
static const struct shade taken = { 0x2592, '=', GRID_TAKEN };	 /* medium shade */
static const struct shade target = { 0x2502, '|', GRID_TARGET }; /* vertical line */
static const struct shade goal = { 0x2500, '-', GRID_TARGET };	 /* horizontal line */
static const struct shade absent = { 0x00d7, 'x', GRID_DIM };	 /* multiplication sign */

static void put_shade(struct grid *grid, int row, int column, const struct shade *shade)
{
	grid_put(grid, row, column, grid->unicode ? shade->unicode : shade->ascii, shade->style);
}

/* ---- the state of a guest ---- */

static bool is_gone(const struct watch_view *view)
{
	return view->sample.number == 0 || view->sample.err;
}

static int64_t silence(const struct watch_screen *screen, const struct watch_view *view)
{
	int64_t age = screen->now - view->sample.time;

	if (view->sample.number == 0 || age <= screen->interval_ms + SILENCE_MS)
		return 0;
	return age;
}

/* Writes what is wrong with the guest; "" if nothing is. */
static void trouble(const struct watch_screen *screen, const struct watch_view *view, char *text,
		    size_t size)
{
	const struct sample *sample = &view->sample;

	text[0] = '\0';
	if (sample->number == 0)
		snprintf(text, size, "connecting");
	else if (silence(screen, view))
		snprintf(text, size, "no answer for %d s", (int)(silence(screen, view) / 1000));
	else if (sample->err == -ETIMEDOUT)
		snprintf(text, size, "no answer: %s", sample->error);
	else if (sample->err == -ENODEV)
		snprintf(text, size, "%s", sample->error);
	else if (sample->err)
		snprintf(text, size, "gone: %s", sample->error);
	else if (sample->state.complaint[0] != '\0')
		snprintf(text, size, "%s", sample->state.complaint);
	else if (sample->state.has_features && !sample->state.driver_ok)
		snprintf(text, size, "no driver in the guest");
	else if (sample->state.paused)
		snprintf(text, size, "paused");
}

/* ---- a bar: used, free and taken memory, and the target ---- */

static int share(uint64_t part, uint64_t whole, int columns)
{
	return whole ? (int)lround((double)part / (double)whole * columns) : 0;
}

static void draw_bar(struct grid *grid, int row, int column, int width,
		     const struct watch_view *view)
{
	const struct guest_state *state = &view->sample.state;
	int inner = width - 2, left = share(state->left, state->ram, inner), busy = left;
	uint64_t free;

	if (inner < 1)
		return;
	if (sample_stat(&view->sample, STAT_FREE_MEMORY, &free) && free <= state->left)
		busy = share(state->left - free, state->ram, inner);
	grid_text(grid, row, column, GRID_DIM, "[");
	for (int i = 0; i < inner; i++)
		put_shade(grid, row, column + 1 + i,
			  i < busy   ? &used
			  : i < left ? &unused
				     : &taken);
	if (state->has_target) {
		int at = share(state->target_left, state->ram, inner);

		put_shade(grid, row, column + 1 + (at < inner ? at : inner - 1), &target);
	}
	grid_text(grid, row, column + width - 1, GRID_DIM, "]");
}

/* ---- words ---- */

static int draw_amount(struct grid *grid, int row, int column, const char *name, uint64_t bytes)
{
	char text[SIZE_TEXT];

	return grid_print(grid, row, column, GRID_PLAIN, "%s %-10s ", name, size_word(bytes, text));
}

static void draw_amounts(struct grid *grid, int row, const struct watch_view *view)
{
	const struct guest_state *state = &view->sample.state;
	uint64_t free;
	int column = 1;

	column = draw_amount(grid, row, column, "left", state->left);
	column = draw_amount(grid, row, column, "taken", state->taken);
	if (sample_stat(&view->sample, STAT_FREE_MEMORY, &free))
		column = draw_amount(grid, row, column, "free", free);
	if (state->has_target)
		draw_amount(grid, row, column, "target left", state->target_left);
}

/* "inflating 1.200 GiB/s", "" while it stands still. */
static void rate_words(const struct watch_view *view, char *text, size_t size)
{
	double rate = history_rate(&view->history);
	char amount[SIZE_TEXT];

	text[0] = '\0';
	if (fabs(rate) >= 1)
		snprintf(text, size, "%s %s/s", rate > 0 ? "inflating" : "deflating",
			 size_word((uint64_t)fabs(rate), amount));
}

static void draw_rates(struct grid *grid, int row, int column, const struct watch_view *view)
{
	char text[160], amount[SIZE_TEXT];
	double processors;
	int len, start;

	rate_words(view, text, sizeof(text));
	len = (int)strlen(text);
	if (view->sample.has_cost)
		len += snprintf(text + len, sizeof(text) - (size_t)len, "   host %s",
				size_word(view->sample.cost.resident, amount));
	if (history_cpu(&view->history, &processors))
		len += snprintf(text + len, sizeof(text) - (size_t)len, "   processor %3.0f %%",
				processors * 100);
	start = grid->columns - 1 - len;
	grid_text(grid, row, start > column ? start : column, GRID_PLAIN, text);
}

static void draw_headline(struct grid *grid, int row, const struct watch_screen *screen,
			  const struct watch_view *view)
{
	int column = grid_text(grid, row, 1, GRID_BOLD, view->name) + 2;
	char text[SAMPLE_ERROR + 32];

	trouble(screen, view, text, sizeof(text));
	column = grid_text(grid, row, column, GRID_ALARM, text);
	if (!is_gone(view) && !silence(screen, view))
		draw_rates(grid, row, column + (text[0] ? 2 : 0), view);
}

/* ---- the course ---- */

/* Fills so many eighths of a row, upwards from `row`. */
static void draw_column(struct grid *grid, int row, int column, int eighths)
{
	for (; eighths > 0; eighths -= 8, row--) {
		int level = eighths < 8 ? eighths : 8;
		unsigned ascii = level >= 6 ? '#' : level >= 3 ? ':' : '.';

		/* The lower blocks stand in order: one eighth to full. */
		grid_put(grid, row, column, grid->unicode ? 0x2580u + (unsigned)level : ascii,
			 GRID_TAKEN);
	}
}

struct chart {
	const struct history *history;
	int top, rows, column, columns;
	uint64_t ram;
	int64_t now, step, stale; /* milliseconds; a step is a column */
};

/* Gives the height in eighths of a row: at least one for the smallest amount. */
static int level_of(const struct chart *chart, uint64_t bytes)
{
	int level = share(bytes, chart->ram, chart->rows * 8);

	assert(chart->rows > 0 && chart->ram > 0);
	if (level > chart->rows * 8)
		level = chart->rows * 8;
	return level == 0 && bytes > 0 ? 1 : level;
}

static void draw_point(struct grid *grid, const struct chart *chart, int i)
{
	/* Columns stay where they are in time, or peaks would flicker. */
	int64_t time = chart->now / chart->step * chart->step -
		       (int64_t)(chart->columns - 2 - i) * chart->step;
	int bottom = chart->top + chart->rows - 1, column = chart->column + i;
	const struct history_point *point;

	if (time > chart->now)
		time = chart->now;
	point = history_at(chart->history, time, chart->stale);
	if (!point)
		return;
	if (point->gone) {
		put_shade(grid, bottom, column, &absent);
		return;
	}
	if (point->has_target) {
		int level = level_of(chart, point->target_taken);

		put_shade(grid, bottom - (level ? (level - 1) / 8 : 0), column, &goal);
	}
	draw_column(grid, bottom, column, level_of(chart, point->taken));
}

static void draw_axes(struct grid *grid, const struct chart *chart)
{
	int bottom = chart->top + chart->rows;
	char text[SIZE_TEXT];

	size_format(chart->ram, text);
	grid_print(grid, chart->top, 0, GRID_DIM, "%*s", LABEL_COLUMNS, text);
	grid_print(grid, bottom - 1, 0, GRID_DIM, "%*s", LABEL_COLUMNS, "taken   0");
	for (int row = chart->top; row < bottom; row++)
		grid_put(grid, row, LABEL_COLUMNS + 1, grid->unicode ? 0x2502 : '|', GRID_DIM);
	grid_print(grid, bottom, LABEL_COLUMNS + 2, GRID_DIM, "-%d min", HISTORY_MS / 60000);
	grid_text(grid, bottom, chart->column + chart->columns - 3, GRID_DIM, "now");
}

static void draw_chart(struct grid *grid, int top, int rows, const struct watch_screen *screen,
		       const struct watch_view *view)
{
	struct chart chart = {
		.top = top,
		.rows = rows < CHART_ROWS_MAX ? rows : CHART_ROWS_MAX,
		.column = LABEL_COLUMNS + 2,
		.columns = grid->columns - LABEL_COLUMNS - 3,
		.ram = history_ram(&view->history),
		.now = screen->now,
		.stale = 2 * screen->interval_ms + SILENCE_MS,
		.history = &view->history,
	};

	if (chart.columns < 10 || chart.ram == 0)
		return;
	chart.step = HISTORY_MS / chart.columns;
	draw_axes(grid, &chart);
	for (int i = 0; i < chart.columns; i++)
		draw_point(grid, &chart, i);
}

/* ---- guests ---- */

static void draw_one_row(struct grid *grid, int row, const struct watch_screen *screen,
			 const struct watch_view *view)
{
	char text[SAMPLE_ERROR + 32], left[SIZE_TEXT];
	int width = grid->columns - NAME_COLUMNS - 36;
	int column;

	grid_print(grid, row, 1, GRID_BOLD, "%.*s", NAME_COLUMNS - 1, view->name);
	column = NAME_COLUMNS + 1;
	trouble(screen, view, text, sizeof(text));
	if (is_gone(view) || silence(screen, view)) {
		grid_text(grid, row, column, GRID_ALARM, text);
		return;
	}
	if (width >= 6)
		draw_bar(grid, row, column, width, view);
	column += width >= 6 ? width + 1 : 0;
	size_format(view->sample.state.left, left);
	column = grid_print(grid, row, column, GRID_PLAIN, "%s left  ", left);
	if (text[0] == '\0')
		rate_words(view, text, sizeof(text));
	grid_text(grid, row, column, GRID_PLAIN, text);
}

static void draw_guest(struct grid *grid, int row, int rows, const struct watch_screen *screen,
		       const struct watch_view *view)
{
	if (rows < BRIEF_ROWS) {
		draw_one_row(grid, row, screen, view);
		return;
	}
	draw_headline(grid, row, screen, view);
	if (!is_gone(view)) {
		draw_bar(grid, row + 1, 1, grid->columns - 2, view);
		draw_amounts(grid, row + 2, view);
	}
	if (rows >= FULL_ROWS)
		draw_chart(grid, row + BRIEF_ROWS, rows - BRIEF_ROWS - 1, screen, view);
}

static void draw_legend(struct grid *grid, bool scrolls)
{
	static const struct {
		const struct shade *shade;
		const char *name;
	} words[] = {
		{ &used, "used" }, { &unused, "free" }, { &taken, "taken" }, { &target, "target" }
	};
	int row = grid->rows - 1, column = 1;

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		put_shade(grid, row, column, words[i].shade);
		column = grid_text(grid, row, column + 2, GRID_DIM, words[i].name) + 3;
	}
	grid_text(grid, row, column, GRID_DIM, scrolls ? "arrows scroll   q quits" : "q quits");
}

/* Gives the rows for each of `count` guests. */
static int rows_each(int rows, size_t count)
{
	int most = rows - FRAME_ROWS;

	if (count == 0 || most < 1)
		return 1;
	most = count > (size_t)most ? 1 : most / (int)count;
	return most >= BRIEF_ROWS ? most : 1;
}

size_t watch_fits(int rows, size_t count)
{
	int fits = (rows - FRAME_ROWS) / rows_each(rows, count);

	return fits < 1 ? 1 : (size_t)fits;
}

void watch_draw(struct grid *grid, const struct watch_screen *screen)
{
	int rows = rows_each(grid->rows, screen->count), row = 1;
	size_t fits = watch_fits(grid->rows, screen->count), end = screen->first + fits;
	bool scrolls = fits < screen->count;

	assert(screen->first <= screen->count);
	if (end > screen->count)
		end = screen->count;
	grid_print(grid, 0, 1, GRID_BOLD, "balloonctl watch: %zu guest%s, every %g s",
		   screen->count, screen->count == 1 ? "" : "s", screen->interval_ms / 1000.0);
	if (scrolls)
		grid_print(grid, 0, grid->columns - 20, GRID_DIM, "%zu to %zu of %zu",
			   screen->first + 1, end, screen->count);
	if (screen->count == 0)
		grid_text(grid, 2, 1, GRID_PLAIN, "no guest runs here yet; `make run` starts one");
	for (size_t i = screen->first; i < end; i++, row += rows)
		draw_guest(grid, row, rows, screen, &screen->views[i]);
	draw_legend(grid, scrolls);
}
