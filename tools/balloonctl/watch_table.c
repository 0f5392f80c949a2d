/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Guests as a table, a row each: see watch_parts.h. On a narrow screen the columns at the
 * right are left out; that of what has grown is there if any guest can grow.
 */
#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "tools/balloonctl/balloonctl.h"
#include "tools/balloonctl/watch_parts.h"

#define NAME_MIN 5
#define NAME_MAX 24
#define GAP 2

#define HEADING(constant, key, heading, what) [constant] = heading,
static const char *const headings[] = { WATCH_SORT_TABLE(HEADING) };
#undef HEADING

static const int widths[WATCH_SORTS] = {
	[WATCH_BY_LEFT] = 9, [WATCH_BY_TAKEN] = 9, [WATCH_BY_GROWN] = 9, [WATCH_BY_TARGET] = 9,
	[WATCH_BY_FREE] = 9, [WATCH_BY_HOST] = 9,  [WATCH_BY_CPU] = 6,	 [WATCH_BY_RATE] = 10,
};

static bool has_column(const struct watch_screen *screen, enum watch_sort column)
{
	double amount;

	if (column != WATCH_BY_GROWN)
		return true;
	for (size_t i = 0; i < screen->count; i++)
		if (watch_amount(&screen->views[i], column, &amount))
			return true;
	return false;
}

/* As wide as the longest name, within limits, and within the screen. */
static int name_width(const struct grid *grid, const struct watch_screen *screen)
{
	int width = NAME_MIN, most = grid->columns - 2;

	most = most < NAME_MAX ? most : NAME_MAX;

	for (size_t i = 0; i < screen->count; i++) {
		int one = grid_width(screen->views[i].name);

		width = one > width ? one : width;
	}
	return width < most ? width : most;
}

/* Leaves the text alone where there is nothing to say. */
static void write_amount(enum watch_sort column, double amount, char text[SIZE_TEXT + 1])
{
	char size[SIZE_TEXT];

	if (column == WATCH_BY_CPU) {
		snprintf(text, SIZE_TEXT, "%.0f %%", amount * 100);
	} else if (column == WATCH_BY_RATE) {
		/* Less than a byte a second is none. */
		if (fabs(amount) >= 1)
			snprintf(text, SIZE_TEXT + 1, "%c%s", amount < 0 ? '-' : '+',
				 size_word((uint64_t)fabs(amount), size));
	} else {
		size_format((uint64_t)amount, text);
	}
}

static void draw_headings(struct grid *grid, int row, int width, const struct watch_screen *screen)
{
	int column = 1 + width;

	grid_field(grid, row, 1, grid->columns,
		   screen->sort == WATCH_BY_NAME ? GRID_BOLD : GRID_DIM, "%s",
		   headings[WATCH_BY_NAME]);
	for (enum watch_sort i = WATCH_BY_NAME + 1; i < WATCH_SORTS; i++) {
		enum grid_style style = screen->sort == i ? GRID_BOLD : GRID_DIM;
		int end = column + GAP + widths[i];

		if (!has_column(screen, i))
			continue;
		if (end >= grid->columns)
			break;
		grid_print(grid, row, column + GAP, style, "%*s", widths[i], headings[i]);
		column = end;
	}
}

/* Gives the column after the amounts. */
static int draw_amounts(struct grid *grid, int row, int column, const struct watch_screen *screen,
			const struct watch_view *view)
{
	for (enum watch_sort i = WATCH_BY_NAME + 1; i < WATCH_SORTS; i++) {
		int end = column + GAP + widths[i];
		char text[SIZE_TEXT + 1] = "";
		double amount;

		if (!has_column(screen, i))
			continue;
		if (end >= grid->columns)
			break;
		if (watch_amount(view, i, &amount))
			write_amount(i, amount, text);
		assert((int)strlen(text) <= widths[i]);
		grid_print(grid, row, column + GAP, GRID_PLAIN, "%*s", widths[i], text);
		column = end;
	}
	return column;
}

/* What is wrong stands in the place of the amounts, or after them. */
static void draw_row(struct grid *grid, int row, int width, const struct watch_screen *screen,
		     size_t place)
{
	const struct watch_view *view = watch_view_at(screen, place);
	char trouble[WATCH_TROUBLE];
	int column = 1 + width;
	enum grid_style style;

	watch_trouble(screen, view, trouble);
	style = trouble[0] != '\0' ? GRID_ALARM : GRID_BOLD;
	if (place == screen->selected)
		grid_put(grid, row, 0, '>', GRID_BOLD);
	watch_put_name(grid, row, width, style, view->name);
	if (watch_has_amounts(screen, view))
		column = draw_amounts(grid, row, column, screen, view);
	grid_words(grid, row, column + GAP, GRID_ALARM, trouble);
}

void watch_draw_table(struct grid *grid, int top, int rows, const struct watch_screen *screen)
{
	int width = name_width(grid, screen);

	draw_headings(grid, top, width, screen);
	for (int i = 0; i < rows && screen->first + (size_t)i < screen->count; i++)
		draw_row(grid, top + 1 + i, width, screen, screen->first + (size_t)i);
}
