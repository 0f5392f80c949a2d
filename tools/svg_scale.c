/* SPDX-License-Identifier: BSD-2-Clause */
/* Axes: see svg_scale.h. */
#include "tools/svg_scale.h"

#include <assert.h>
#include <float.h>
#include <math.h>

#include "kernel/lib/types.h"

#define ABSURD 1e100 /* beyond it sums and products would overflow */
#define TINY DBL_MIN /* below it numbers lose their digits, and powers of ten are 0 */

/* ---- values as text ---- */

static void write_bytes(char *text, size_t size, double value)
{
	static const char *const units[] = { "B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB" };
	size_t unit = 0;

	for (; fabs(value) >= 1024 && unit < 6; unit++)
		value /= 1024;
	snprintf(text, size, "%.4g %s", value, units[unit]);
}

/* All ticks of an axis in the unit of its step. */
static void write_time(char *text, size_t size, double value, double step)
{
	if (step >= 3600)
		snprintf(text, size, "%g h", value / 3600);
	else if (step >= 60)
		snprintf(text, size, "%g min", value / 60);
	else
		snprintf(text, size, "%.6g s", value);
}

void svg_write_value(char *text, size_t size, const struct svg_scale *scale, double value)
{
	/* A sum of steps that should be 0 may be a little beside it. */
	if (fabs(value) < scale->step * 1e-9)
		value = 0;
	if (scale->axis.unit == SVG_BYTES)
		write_bytes(text, size, value);
	else if (scale->axis.unit == SVG_TIME)
		write_time(text, size, value, scale->step);
	else
		snprintf(text, size, "%.6g", value);
}

/* ---- the axis ---- */

double svg_pixel(const struct svg_scale *scale, double value)
{
	double part = scale->axis.log ? log(value / scale->from) / log(scale->to / scale->from)
				      : (value - scale->from) / (scale->to - scale->from);

	assert(scale->from < scale->to && (!scale->axis.log || scale->from > 0));
	return scale->start + part * (scale->end - scale->start);
}

/* The first of these that is not below `raw`; the last one fits if none of them does. */
static double first_that_fits(const double *steps, size_t count, double raw)
{
	size_t i = 0;

	while (i + 1 < count && steps[i] < raw)
		i++;
	return steps[i];
}

/*
 * The smallest of 1, 2, 5 times a power of ten that is above `raw`, which is itself none of
 * them: step_of() has taken a hair off it. A quotient may be 10 and a little by rounding.
 */
static double decimal_step(double raw)
{
	static const double steps[] = { 2, 5, 10 };
	double power = pow(10, floor(log10(raw)));

	/* See TINY. */
	assert(power > 0);
	return power * first_that_fits(steps, ARRAY_SIZE(steps), raw / power);
}

static double step_of(enum svg_unit unit, double raw)
{
	static const double clock[] = { 30,   60,   120,   300,	  600,	 900,  1800,
					3600, 7200, 14400, 21600, 43200, 86400 };

	/* A step that fits but for rounding fits. */
	raw *= 1 - 1e-12;
	if (unit == SVG_BYTES)
		return fmax(pow(2, ceil(log2(raw))), 1);
	if (unit == SVG_TIME && raw > 20 && raw <= 86400)
		return first_that_fits(clock, ARRAY_SIZE(clock), raw);
	return decimal_step(raw);
}

static void make_even_ticks(struct svg_scale *scale, unsigned most)
{
	double first;

	scale->step = step_of(scale->axis.unit, (scale->to - scale->from) / most);
	first = ceil(scale->from / scale->step - 1e-9) * scale->step;
	for (unsigned i = 0; scale->nr_ticks < SVG_TICKS_MAX; i++) {
		double tick = first + i * scale->step, hair = (scale->to - scale->from) * 1e-9;

		if (tick > scale->to + hair)
			break;
		/* The first one lies below the axis if a step is longer than it. */
		if (tick >= scale->from - hair)
			scale->ticks[scale->nr_ticks++] = tick;
	}
}

/* Powers of two or ten; some are left out where there are more than ten. */
static void make_log_ticks(struct svg_scale *scale, unsigned most)
{
	double base = scale->axis.unit == SVG_BYTES ? 2 : 10;
	double first = ceil(log(scale->from) / log(base) - 1e-9);
	double last = floor(log(scale->to) / log(base) + 1e-9);
	double stride = ceil((last - first + 1) / 10);

	for (double e = first; e <= last; e += stride)
		scale->ticks[scale->nr_ticks++] = pow(base, e);
	/* Less than a decade: better uneven than none. */
	if (scale->nr_ticks < 2) {
		scale->nr_ticks = 0;
		make_even_ticks(scale, most);
	}
}

bool svg_is_usable(const struct svg_plot *plot, double x, double y)
{
	return fabs(x) <= ABSURD && fabs(y) <= ABSURD && (!plot->x.log || x >= TINY);
}

bool svg_find_range(const struct svg_plot *plot, struct svg_scale *x, struct svg_scale *y)
{
	bool any = false;

	y->from = y->to = 0;
	for (size_t s = 0; s < plot->count; s++) {
		const struct svg_series *series = &plot->series[s];

		for (size_t i = 0; i < series->count; i++) {
			if (!svg_is_usable(plot, series->x[i], series->y[i]))
				continue;
			x->from = any ? fmin(x->from, series->x[i]) : series->x[i];
			x->to = any ? fmax(x->to, series->x[i]) : series->x[i];
			y->from = fmin(y->from, series->y[i]);
			y->to = fmax(y->to, series->y[i]);
			any = true;
		}
	}
	if (x->to - x->from <= fmax(fabs(x->to) * 1e-9, TINY))
		x->to = x->axis.log ? x->from * 2 : x->from + fmax(1, fabs(x->from) * 1e-6);
	if (y->to - y->from <= TINY)
		y->to = y->from + 1;
	return any;
}

void svg_round_up(struct svg_scale *scale, unsigned most)
{
	double step = 0, last;

	assert(scale->from < scale->to && most > 0);
	/* A longer axis may want longer steps. */
	do {
		last = step;
		step = step_of(scale->axis.unit, (scale->to - scale->from) / most);
		scale->from = floor(scale->from / step + 1e-9) * step;
		scale->to = fmax(ceil(scale->to / step - 1e-9) * step, scale->from + step);
	} while (step > last);
}

void svg_make_ticks(struct svg_scale *scale, unsigned most)
{
	assert(scale->from < scale->to && most > 0);
	if (scale->axis.log)
		make_log_ticks(scale, most);
	else
		make_even_ticks(scale, most);
}
