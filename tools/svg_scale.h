/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * svg_scale.c: an axis of a picture: from values to pixels, and where its ticks
 * are. Only svg_plot.c includes it.
 */
#ifndef TOOLS_SVG_SCALE_H
#define TOOLS_SVG_SCALE_H

#include "tools/svg_plot.h"

#define SVG_TICKS_MAX 32

struct svg_scale {
	struct svg_axis axis;
	double from, to;   /* values */
	double start, end; /* pixels */
	double ticks[SVG_TICKS_MAX];
	size_t nr_ticks;
	double step; /* between ticks, where they are even */
};

/* Tells whether a point can be drawn: both numbers are finite, and x fits the axis. */
bool svg_is_usable(const struct svg_plot *plot, double x, double y);

/*
 * Finds what the axes must reach: the range of all points that can be drawn,
 * wider where it would be flat; y includes 0. false: there is no such point.
 */
bool svg_find_range(const struct svg_plot *plot, struct svg_scale *x, struct svg_scale *y);

/* Extends an axis that has a range to begin and end at one of about `most` even ticks. */
void svg_round_up(struct svg_scale *scale, unsigned most);

/*
 * Chooses about `most` ticks of an axis that has a range: even ones, or powers of
 * two or ten if it is logarithmic.
 */
void svg_make_ticks(struct svg_scale *scale, unsigned most);

/* Gives the pixel at which a value within the range stands. */
double svg_pixel(const struct svg_scale *scale, double value);

/* Writes the value of a tick in the unit of its axis. */
void svg_write_value(char *text, size_t size, const struct svg_scale *scale, double value);

#endif
