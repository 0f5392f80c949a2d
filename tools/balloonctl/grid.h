/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * grid.c: a picture made of characters, drawn into memory, so that drawing
 * needs no terminal. What does not fit is cut off, or left out where that is said.
 */
#ifndef TOOLS_BALLOONCTL_GRID_H
#define TOOLS_BALLOONCTL_GRID_H

#include <stdbool.h>
#include <stdio.h>

enum grid_style {
	GRID_PLAIN,
	GRID_BOLD,
	GRID_DIM,
	GRID_USED,
	GRID_FREE,
	GRID_TAKEN,
	GRID_TARGET,
	GRID_ALARM,
	GRID_STYLES,
};

struct grid_cell {
	unsigned character; /* Unicode, one column wide */
	enum grid_style style;
};

struct grid {
	int rows, columns;
	bool unicode; /* else only ASCII may be put into it */
	struct grid_cell *cells;
};

/* Makes a blank grid; -ENOMEM. */
int grid_init(struct grid *grid, int rows, int columns, bool unicode);

/* Frees the cells. */
void grid_free(struct grid *grid);

/*
 * Puts one character, as Unicode or ASCII, into a cell; nothing happens outside the
 * grid. Where only ASCII may be put, other characters become question marks.
 */
void grid_put(struct grid *grid, int row, int column, unsigned character, enum grid_style style);

/* Puts ASCII text; other bytes come as \xNN. Returns the column after it. */
int grid_text(struct grid *grid, int row, int column, enum grid_style style, const char *text);

/* Puts text as printf() makes it, at most 511 bytes. Returns the column after it. */
__attribute__((format(printf, 5, 6))) int grid_print(struct grid *grid, int row, int column,
						     enum grid_style style, const char *format,
						     ...);

/*
 * Puts text as grid_print() does, but only if all of it fits into the row before
 * column `end`. Returns the column after it, or `column` if it was left out.
 */
__attribute__((format(printf, 6, 7))) int grid_field(struct grid *grid, int row, int column,
						     int end, enum grid_style style,
						     const char *format, ...);

/* Puts as many whole words of the text as fit into the row. Returns the column after them. */
int grid_words(struct grid *grid, int row, int column, enum grid_style style, const char *text);

/* Returns the columns that the text takes. */
int grid_width(const char *text);

#endif
