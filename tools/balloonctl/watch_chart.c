/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The course of a guest's balloon: see watch_parts.h. A column is a stretch of time, and
 * shows its extremes: solid up to the least that was taken, light up to the most, so
 * that neither a dip nor a peak can fall between two columns. The height is the most memory
 * that the guest had; if that changed, a line shows what it had.
 */
#include <assert.h>

#include "tools/balloonctl/balloonctl.h"
#include "tools/balloonctl/watch_parts.h"

#define CHART_ROWS_MAX 16
#define LABEL_COLUMNS 10
#define COLUMNS_MIN 10

static const struct watch_shade goal = { 0x2500, '-', GRID_TARGET };   /* horizontal line */
static const struct watch_shade absent = { 0x00d7, 'x', GRID_ALARM };  /* multiplication sign */
static const struct watch_shade between = { 0x2591, ':', GRID_TAKEN }; /* light shade */

struct chart {
	const struct history *history;
	unsigned window;
	int top, rows, column, columns;
	uint64_t ram;
	bool ram_moved;
	int64_t now, step, stale; /* milliseconds; a step is a column */
};

/* Gives the height in eighths of a row: at least one for the smallest amount. */
static int level_of(const struct chart *chart, uint64_t bytes)
{
	int level = watch_share(bytes, chart->ram, chart->rows * 8);

	assert(chart->rows > 0 && chart->ram > 0);
	if (level > chart->rows * 8)
		level = chart->rows * 8;
	return level == 0 && bytes > 0 ? 1 : level;
}

/* Fills so many eighths of a row, upwards from `row`. */
static void draw_column(struct grid *grid, int row, int column, int eighths)
{
	for (; eighths > 0; eighths -= 8, row--) {
		int level = eighths < 8 ? eighths : 8;
		unsigned ascii = level >= 6 ? '#' : level >= 3 ? '+' : '.';

		/* The lower blocks stand in order: one eighth to full. */
		grid_put(grid, row, column, grid->unicode ? 0x2580u + (unsigned)level : ascii,
			 GRID_TAKEN);
	}
}

/* The rows that an amount reaches into. */
static int rows_of(int level)
{
	return (level + 7) / 8;
}

static void draw_span(struct grid *grid, const struct chart *chart, int column,
		      const struct history_span *span)
{
	int bottom = chart->top + chart->rows - 1;
	int low = level_of(chart, span->low), high = level_of(chart, span->high);

	/* In one row there is room for one: the one that is no more. */
	if (rows_of(low) == rows_of(high) && span->high - span->last > span->last - span->low)
		low = high;
	if (chart->ram_moved && span->ram)
		watch_put(grid, bottom - (level_of(chart, span->ram) - 1) / 8, column, &watch_ram);
	for (int row = rows_of(low); row < rows_of(high); row++)
		watch_put(grid, bottom - row, column, &between);
	if (span->has_target) {
		int level = level_of(chart, span->target_taken);

		watch_put(grid, bottom - (level ? (level - 1) / 8 : 0), column, &goal);
	}
	draw_column(grid, bottom, column, low);
}

static void draw_course(struct grid *grid, const struct chart *chart)
{
	/* Columns stay where they are in time, or peaks would flicker. */
	int64_t end = chart->now / chart->step * chart->step + chart->step;

	for (int i = chart->columns - 1; i >= 0; i--, end -= chart->step) {
		int64_t until = end < chart->now ? end : chart->now;
		struct history_span span;

		if (!history_sum(chart->history, chart->window, end - chart->step, until,
				 chart->stale, &span))
			continue;
		if (span.seen)
			draw_span(grid, chart, chart->column + i, &span);
		if (span.missed)
			watch_put(grid, chart->top + chart->rows - 1, chart->column + i, &absent);
	}
}

static void draw_axes(struct grid *grid, const struct chart *chart)
{
	int bottom = chart->top + chart->rows, end = chart->column + chart->columns;
	char text[SIZE_TEXT];
	char window[16];

	size_format(chart->ram, text);
	grid_print(grid, chart->top, 0, GRID_DIM, "%*s", LABEL_COLUMNS, text);
	grid_print(grid, bottom - 1, 0, GRID_DIM, "%*s", LABEL_COLUMNS, "taken   0");
	for (int row = chart->top; row < bottom; row++)
		grid_put(grid, row, LABEL_COLUMNS + 1, grid->unicode ? 0x2502 : '|', GRID_DIM);
	watch_window_text(chart->window, window, sizeof(window));
	grid_field(grid, bottom, LABEL_COLUMNS + 2, end - 4, GRID_DIM, "-%s", window);
	grid_text(grid, bottom, end - 3, GRID_DIM, "now");
}

uint64_t watch_chart_ram(const struct watch_screen *screen, const struct watch_view *view,
			 bool *moved)
{
	return history_ram_most(&view->history, screen->window,
				screen->now - history_window_ms(screen->window), moved);
}

void watch_draw_chart(struct grid *grid, int top, int rows, const struct watch_screen *screen,
		      const struct watch_view *view)
{
	struct chart chart = {
		.history = &view->history,
		.window = screen->window,
		.top = top,
		.rows = rows < CHART_ROWS_MAX ? rows : CHART_ROWS_MAX,
		.column = LABEL_COLUMNS + 2,
		.columns = grid->columns - LABEL_COLUMNS - 3,
		.now = screen->now,
		.stale = 2 * screen->interval_ms + WATCH_SILENCE_MS,
	};

	chart.ram = watch_chart_ram(screen, view, &chart.ram_moved);
	if (chart.columns < COLUMNS_MIN || chart.ram == 0)
		return;
	chart.step = history_window_ms(chart.window) / chart.columns;
	draw_axes(grid, &chart);
	draw_course(grid, &chart);
}
