/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * watch_draw.c: draws the screen of `balloonctl watch` into a grid from samples
 * that are given to it; asks no guest and knows no terminal.
 */
#ifndef TOOLS_BALLOONCTL_WATCH_DRAW_H
#define TOOLS_BALLOONCTL_WATCH_DRAW_H

#include <stddef.h>
#include <stdint.h>

#include "tools/balloonctl/grid.h"
#include "tools/balloonctl/history.h"
#include "tools/balloonctl/poller.h"

/* A guest. */
struct watch_view {
	const char *name;
	struct sample sample; /* the newest */
	struct history history;
};

struct watch_screen {
	const struct watch_view *views;
	size_t count;
	size_t first; /* the topmost that is shown */
	int64_t now;  /* by deadline_now() */
	int interval_ms;
};

/* Draws the whole screen into a grid that is blank before. */
void watch_draw(struct grid *grid, const struct watch_screen *screen);

/* Tells how many of `count` guests a screen of so many rows shows at once, at least 1. */
size_t watch_fits(int rows, size_t count);

#endif
