/* SPDX-License-Identifier: BSD-2-Clause */
/* A picture made of characters: see grid.h. */
#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/lib/escape.h"
#include "tools/balloonctl/grid.h"

int grid_init(struct grid *grid, int rows, int columns, bool unicode)
{
	size_t count = (size_t)rows * (size_t)columns;

	assert(rows >= 0 && columns >= 0);
	*grid = (struct grid){ .rows = rows, .columns = columns, .unicode = unicode };
	grid->cells = malloc((count ? count : 1) * sizeof(grid->cells[0]));
	if (!grid->cells)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++)
		grid->cells[i] = (struct grid_cell){ .character = ' ' };
	return 0;
}

void grid_free(struct grid *grid)
{
	free(grid->cells);
	grid->cells = NULL;
}

void grid_put(struct grid *grid, int row, int column, unsigned character, enum grid_style style)
{
	struct grid_cell *cell;

	if (row < 0 || row >= grid->rows || column < 0 || column >= grid->columns)
		return;
	cell = &grid->cells[(size_t)row * (size_t)grid->columns + (size_t)column];
	cell->character = grid->unicode || character < 0x7f ? character : '?';
	cell->style = style;
}

int grid_text(struct grid *grid, int row, int column, enum grid_style style, const char *text)
{
	char shown[ESCAPE_MAX];

	for (; *text; text++) {
		size_t len = escape_byte((unsigned char)*text, shown);

		for (size_t i = 0; i < len; i++)
			grid_put(grid, row, column++, (unsigned char)shown[i], style);
	}
	return column;
}

int grid_print(struct grid *grid, int row, int column, enum grid_style style, const char *format,
	       ...)
{
	char text[512];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	return grid_text(grid, row, column, style, text);
}

int grid_width(const char *text)
{
	char shown[ESCAPE_MAX];
	int width = 0;

	for (; *text; text++)
		width += (int)escape_byte((unsigned char)*text, shown);
	return width;
}

int grid_field(struct grid *grid, int row, int column, int end, enum grid_style style,
	       const char *format, ...)
{
	char text[512];
	va_list args;

	assert(end <= grid->columns);
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	if (column + grid_width(text) > end)
		return column;
	return grid_text(grid, row, column, style, text);
}

/* The bytes of the next word, with the blanks before it; a number has its unit with it. */
static size_t word_length(const char *text)
{
	size_t blanks = strspn(text, " "), len = blanks + strcspn(text + blanks, " ");

	if (text[blanks] < '0' || text[blanks] > '9')
		return len;
	blanks = strspn(text + len, " ");
	return len + blanks + strcspn(text + len + blanks, " ");
}

int grid_words(struct grid *grid, int row, int column, enum grid_style style, const char *text)
{
	char word[512];

	while (*text) {
		size_t len = word_length(text);

		snprintf(word, sizeof(word), "%.*s", (int)len, text);
		if (column + grid_width(word) > grid->columns)
			break;
		column = grid_text(grid, row, column, style, word);
		text += len;
	}
	return column;
}
