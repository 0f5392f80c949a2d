/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the files share that draw the screen of `balloonctl watch`; only they include it.
 */
#ifndef TOOLS_BALLOONCTL_WATCH_PARTS_H
#define TOOLS_BALLOONCTL_WATCH_PARTS_H

#include "tools/balloonctl/watch_draw.h"

#define WATCH_SILENCE_MS 5000 /* on top of the interval; a guest silent for longer hangs */
#define WATCH_TROUBLE (SAMPLE_ERROR + 64)

/* A character, and what stands for it where there is only ASCII. */
struct watch_shade {
	unsigned unicode, ascii;
	enum grid_style style;
};

extern const struct watch_shade watch_used, watch_unused, watch_taken, watch_target, watch_ram,
	watch_requested;

/* watch_draw.c: puts the character that this grid can have. */
void watch_put(struct grid *grid, int row, int column, const struct watch_shade *shade);

/*
 * watch_draw.c: puts a guest's name at the left. Of one that is wider than `width` it is the
 * end, after a ~: there names differ. Returns the column after it.
 */
int watch_put_name(struct grid *grid, int row, int width, enum grid_style style, const char *name);

/* watch_draw.c: Returns part / whole of `columns`, rounded; 0 of nothing. */
int watch_share(uint64_t part, uint64_t whole, int columns);

/* watch_draw.c: gives the guest that stands at this place of the order. */
const struct watch_view *watch_view_at(const struct watch_screen *screen, size_t place);

/* watch_draw.c: tells whether amounts of the guest can be shown now. */
bool watch_has_amounts(const struct watch_screen *screen, const struct watch_view *view);

/* watch_draw.c: writes what is wrong with the guest; "" if nothing is. */
void watch_trouble(const struct watch_screen *screen, const struct watch_view *view,
		   char text[WATCH_TROUBLE]);

/* watch_bar.c: gives the bytes that are requested of virtio-mem devices, and not plugged yet. */
uint64_t watch_still_to_come(const struct watch_view *view);

/* watch_bar.c: draws a bar over a row: used, free, taken, still to come, and the target. */
void watch_draw_bar(struct grid *grid, int row, const struct watch_view *view);

/* watch_bar.c: puts amounts into a row; those that do not fit are left out from the right. */
void watch_draw_amounts(struct grid *grid, int row, const struct watch_view *view);

/*
 * watch_chart.c: gives the memory that is the height of a guest's course; *moved tells whether
 * the guest had less in its time, too, and a line for it is drawn.
 */
uint64_t watch_chart_ram(const struct watch_screen *screen, const struct watch_view *view,
			 bool *moved);

/* watch_chart.c: draws the course of a guest in so many rows and an axis below them. */
void watch_draw_chart(struct grid *grid, int top, int rows, const struct watch_screen *screen,
		      const struct watch_view *view);

/* watch_stats.c: draws the situation, and below it all statistics that the guest has sent. */
void watch_draw_stats(struct grid *grid, int top, int rows, const struct watch_view *view);

/* watch_table.c: draws a heading, and the guests from screen->first on in `rows` rows. */
void watch_draw_table(struct grid *grid, int top, int rows, const struct watch_screen *screen);

#endif
