/* SPDX-License-Identifier: BSD-2-Clause */
/* The terminal that `balloonctl watch` draws on. */
#ifndef TOOLS_BALLOONCTL_WATCH_TERMINAL_H
#define TOOLS_BALLOONCTL_WATCH_TERMINAL_H

struct grid;

/*
 * Takes the terminal, whose getch() waits so many milliseconds at most; endwin() gives it
 * back. Signals that end the program are noted from here on (stop_asked()). Returns an exit
 * status; what is wrong was said.
 */
int watch_terminal_start(int wait_ms);

/* Shows all cells of a grid of the terminal's size. */
void watch_terminal_show(const struct grid *grid);

#endif
