/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * svg_plot.c: lines over x as an SVG picture that reads well 800 pixels wide,
 * on white as on black. Whatever the text and the numbers are, the result is
 * well-formed; text is ASCII, other bytes come as question marks.
 */
#ifndef TOOLS_SVG_PLOT_H
#define TOOLS_SVG_PLOT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#define SVG_SERIES_MAX 8 /* that can be told apart by their colours */

/* How the numbers of an axis are written. */
enum svg_unit {
	SVG_NUMBER, /* 1, 2 and 5 times powers of ten; the label says of what */
	SVG_BYTES,  /* powers of two, "512 MiB" */
	SVG_TIME,   /* seconds: "30 s", "5 min", "2 h" */
};

struct svg_axis {
	const char *label; /* or NULL */
	enum svg_unit unit;
	bool log; /* x only; values from 0 down are left out */
};

struct svg_series {
	const char *label;
	const double *x, *y; /* x ascending; one that is not finite (or beyond 1e100) is a gap */
	size_t count;
	bool steps;  /* a value holds until the next one */
	bool dashed; /* as targets are */
	bool points; /* a dot at each value: for a few */
};

struct svg_plot {
	const char *title; /* or NULL */
	struct svg_axis x, y;
	const struct svg_series *series;
	size_t count; /* of them, at most SVG_SERIES_MAX */
};

/*
 * Writes the picture. -EINVAL: there is nothing to be drawn, or too much; -EIO:
 * writing to `file` has failed.
 */
int svg_plot_write(FILE *file, const struct svg_plot *plot);

#endif
