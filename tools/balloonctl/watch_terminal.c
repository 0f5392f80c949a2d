/* SPDX-License-Identifier: BSD-2-Clause */
/* A grid on a terminal, by ncurses: see watch_terminal.h. */
#include "tools/balloonctl/watch_terminal.h"

#include <stdlib.h>
#include <unistd.h>
#include <wchar.h>

#include <ncurses.h>

#include "tools/balloonctl/command.h"
#include "tools/balloonctl/grid.h"
#include "tools/balloonctl/periodic.h"

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

int watch_terminal_start(int wait_ms)
{
	/* initscr() would end the program with words of its own. */
	if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO)) {
		complain("a terminal is wanted; for scripts there are watch --json, stats and "
			 "record");
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
	timeout(wait_ms);
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

void watch_terminal_show(const struct grid *grid)
{
	for (int row = 0; row < grid->rows; row++)
		for (int column = 0; column < grid->columns; column++)
			show_cell(row, column, &grid->cells[row * grid->columns + column]);
	refresh();
}
