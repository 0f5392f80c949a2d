/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * watch_draw.c: draws the screen of `balloonctl watch` into a grid from samples
 * that are given to it; asks no guest and knows no terminal. A number stands there
 * whole or not at all.
 */
#ifndef TOOLS_BALLOONCTL_WATCH_DRAW_H
#define TOOLS_BALLOONCTL_WATCH_DRAW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tools/balloonctl/grid.h"
#include "tools/balloonctl/history.h"
#include "tools/balloonctl/poller.h"

#define WATCH_TABLE_MIN 3 /* so many guests are a table */

/* A guest. */
struct watch_view {
	const char *name;
	struct sample sample; /* the newest */
	struct history history;
};

/* What a table is sorted by: X(constant, key, heading, what). */
#define WATCH_SORT_TABLE(X) \
	X(WATCH_BY_NAME, 'N', "GUEST", "name") \
	X(WATCH_BY_LEFT, 'M', "LEFT", "memory left") \
	X(WATCH_BY_TAKEN, 'T', "TAKEN", "memory taken") \
	X(WATCH_BY_GROWN, 'W', "GROWN", "memory grown") \
	X(WATCH_BY_TARGET, 'G', "TARGET", "target (memory to be left)") \
	X(WATCH_BY_FREE, 'F', "FREE", "memory free in the guest") \
	X(WATCH_BY_HOST, 'H', "HOST", "memory of the host") \
	X(WATCH_BY_CPU, 'P', "CPU", "processor") \
	X(WATCH_BY_RATE, 'C', "CHANGE/S", "change of what is taken")

#define WATCH_SORT_CONSTANT(constant, key, heading, what) constant,
enum watch_sort { WATCH_SORT_TABLE(WATCH_SORT_CONSTANT) WATCH_SORTS };
#undef WATCH_SORT_CONSTANT

struct watch_screen {
	const struct watch_view *views;
	size_t count;
	const size_t *order; /* indices of views as they are shown; NULL: as they are */
	size_t first;	     /* the topmost row of a table that is shown, an index of `order` */
	size_t selected;     /* likewise */
	bool single;	     /* only the selected one is shown, however many there are */
	bool stats;	     /* statistics are shown where the courses are else */
	bool keys;	     /* the list of keys is shown instead */
	enum watch_sort sort;
	bool reversed;
	unsigned window; /* of the course, see history_window_ms() */
	int64_t now;	 /* by deadline_now() */
	int interval_ms;
};

/* Draws the whole screen into a grid that is blank before. */
void watch_draw(struct grid *grid, const struct watch_screen *screen);

/* Tells how many rows of a table of `count` guests a screen of so many rows shows. */
size_t watch_fits(int rows, size_t count);

/* Writes the length of a window: "5 min", "24 h". */
void watch_window_text(unsigned window, char *text, size_t size);

/*
 * watch_sort.c: sorts the indices of the views: names upwards, amounts downwards, or the
 * other way; what is not known comes last in any case, and names decide between equals.
 */
void watch_sort(const struct watch_view *views, size_t *order, size_t count, enum watch_sort sort,
		bool reversed);

/*
 * watch_sort.c: stores the amount that a table shows of a guest and is sorted by; not for
 * WATCH_BY_NAME. false: it is not known.
 */
bool watch_amount(const struct watch_view *view, enum watch_sort sort, double *amount);

#endif
