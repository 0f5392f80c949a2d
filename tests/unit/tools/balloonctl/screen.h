/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * screen.c: a terminal for the tests of balloonctl, as xterm is one: a command runs on
 * it in a process of its own, and what it writes becomes a picture that can be looked at.
 */
#ifndef TESTS_UNIT_TOOLS_BALLOONCTL_SCREEN_H
#define TESTS_UNIT_TOOLS_BALLOONCTL_SCREEN_H

#include <stdbool.h>
#include <sys/types.h>

#define SCREEN_ROWS_MAX 60
#define SCREEN_COLUMNS_MAX 200
#define SCREEN_NO_COLOUR (-1)

struct screen_cell {
	unsigned character; /* of Unicode */
	bool bold, dim;
	int colour; /* 0 to 7, or SCREEN_NO_COLOUR */
};

struct screen {
	int rows, columns;
	struct screen_cell cells[SCREEN_ROWS_MAX][SCREEN_COLUMNS_MAX];
	bool hides_cursor;
	bool is_other;	    /* a screen beside the person's own, as full-screen programs have */
	unsigned clearings; /* how many times all of it was erased */

	/* The terminal's own. */
	pid_t pid;
	int fd;
	int row, column;
	int top, bottom; /* of the rows that scroll, and the one after them */
	bool wraps;	 /* a character was put into the last column */
	struct screen_cell pen;
	unsigned last, decoded, more; /* character; of UTF-8: its bits, bytes that are missing */
	int state, nr_numbers, numbers[16];
	bool is_private;
};

/* Starts `run` on a terminal of this size with TERM set to `term`; NULL: without TERM. */
void screen_start(struct screen *screen, int rows, int columns, const char *term,
		  int (*run)(void *arg), void *arg);

/* Types keys as they are. */
void screen_type(struct screen *screen, const char *keys);

/* Makes the terminal larger or smaller. */
void screen_resize(struct screen *screen, int rows, int columns);

/* Reads until `text` is on the screen, and stores where; fails the test if it never is. */
void screen_await(struct screen *screen, const char *text, int *row, int *column);

/* Reads until `text` is in one row. */
void screen_await_at(struct screen *screen, int row, const char *text);

/* Reads until `text` is not on the screen any more. */
void screen_await_without(struct screen *screen, const char *text);

/* Fails, and shows the screen, if `text` is not on it now. */
void screen_assert_shows(struct screen *screen, const char *text);

/* Tells whether `text` is on the screen now, and stores where; `row` may be NULL. */
bool screen_shows(const struct screen *screen, const char *text, int *row, int *column);

/* Puts something else into every cell, as a line that came from elsewhere would. */
void screen_soil(struct screen *screen);

/* Reads until the program ends, and gives its exit status, or 128 + the signal. */
int screen_end(struct screen *screen);

#endif
