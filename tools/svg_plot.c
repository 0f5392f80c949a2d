/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Lines over x as SVG: see svg_plot.h. The y axis begins at 0. There is no
 * background, and all colours have enough contrast on white and on black.
 */
#include <errno.h>
#include <math.h>
#include <stdint.h>
#include <string.h>

#include "tools/svg_plot.h"

#define WIDTH 800
#define HEIGHT 440
#define LEFT 82
#define RIGHT (WIDTH - 24)
#define TOP 84
#define BOTTOM (HEIGHT - 56)
#define TITLE_Y 26
#define LEGEND_Y 52
#define LEGEND_ROW 18
#define LETTER 7.2 /* width of one, about */
#define TICKS_MAX 32
#define TICKS_X 12 /* not more, or they would touch */
#define TICKS_Y 6
#define ABSURD 1e100 /* beyond it sums and products would overflow */
#define DASHES " stroke-dasharray=\"7 6\""
#define INK "#7a7a7a" /* of text and axes */

/* After Okabe and Ito: distinct for colour-blind eyes, too. */
static const char *const colours[SVG_SERIES_MAX] = {
	"#0a84d8", "#d55e00", "#009e73", "#c45c9a", "#b58900", "#7a7a7a", "#8060d0", "#c03030",
};

struct scale {
	struct svg_axis axis;
	double from, to;   /* values */
	double start, end; /* pixels */
	double ticks[TICKS_MAX];
	size_t nr_ticks;
	double step; /* between ticks, where they are even */
};

/* ---- text ---- */

/* Escaped for XML; what is not printable ASCII is replaced. */
static void put_text(FILE *file, const char *text)
{
	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;

		if (c == '<')
			fputs("&lt;", file);
		else if (c == '>')
			fputs("&gt;", file);
		else if (c == '&')
			fputs("&amp;", file);
		else if (c == '"')
			fputs("&quot;", file);
		else
			fputc(c < 0x20 || c > 0x7e ? '?' : c, file);
	}
}

static void put_label(FILE *file, double x, double y, const char *anchor, const char *text)
{
	fprintf(file, "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\">", x, y, anchor);
	put_text(file, text);
	fputs("</text>\n", file);
}

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

static void write_value(char *text, size_t size, const struct scale *scale, double value)
{
	/* Sums of steps are a hair beside 0. */
	if (fabs(value) < scale->step * 1e-9)
		value = 0;
	if (scale->axis.unit == SVG_BYTES)
		write_bytes(text, size, value);
	else if (scale->axis.unit == SVG_TIME)
		write_time(text, size, value, scale->step);
	else
		snprintf(text, size, "%.6g", value);
}

/* ---- scales ---- */

static double pixel(const struct scale *scale, double value)
{
	double part = scale->axis.log ? log(value / scale->from) / log(scale->to / scale->from)
				      : (value - scale->from) / (scale->to - scale->from);

	return scale->start + part * (scale->end - scale->start);
}

/* The smallest of 1, 2, 5 times a power of ten that is not below @raw. */
static double decimal_step(double raw)
{
	double power = pow(10, floor(log10(raw)));

	return raw <= power	  ? power
	       : raw <= 2 * power ? 2 * power
	       : raw <= 5 * power ? 5 * power
				  : 10 * power;
}

static double step_of(enum svg_unit unit, double raw)
{
	static const double seconds[] = { 60,	120,  300,   600,   900,   1800,
					  3600, 7200, 14400, 21600, 43200, 86400 };

	if (unit == SVG_BYTES)
		return fmax(pow(2, ceil(log2(raw))), 1);
	if (unit == SVG_TIME && raw > 30 && raw <= 86400) {
		size_t i = 0;

		while (seconds[i] < raw)
			i++;
		return seconds[i];
	}
	if (unit == SVG_TIME && raw > 20 && raw <= 30)
		return 30;
	return decimal_step(raw);
}

static void make_even_ticks(struct scale *scale, unsigned most)
{
	double first;

	scale->step = step_of(scale->axis.unit, (scale->to - scale->from) / most);
	first = ceil(scale->from / scale->step - 1e-9) * scale->step;
	for (unsigned i = 0; scale->nr_ticks < TICKS_MAX; i++) {
		double tick = first + i * scale->step, hair = (scale->to - scale->from) * 1e-9;

		if (tick > scale->to + hair)
			break;
		/* Below it is the first one, where a step is longer than the axis. */
		if (tick >= scale->from - hair)
			scale->ticks[scale->nr_ticks++] = tick;
	}
}

/* Powers of two or ten, a few of them left out where there are many. */
static void make_log_ticks(struct scale *scale)
{
	double base = scale->axis.unit == SVG_BYTES ? 2 : 10;
	double first = ceil(log(scale->from) / log(base) - 1e-9);
	double last = floor(log(scale->to) / log(base) + 1e-9);
	double stride = fmax(ceil((last - first + 1) / 10), 1);

	for (double e = first; e <= last && scale->nr_ticks < TICKS_MAX; e += stride)
		scale->ticks[scale->nr_ticks++] = pow(base, e);
	/* Less than a decade: better uneven than none. */
	if (scale->nr_ticks < 2) {
		scale->nr_ticks = 0;
		make_even_ticks(scale, TICKS_X);
	}
}

static bool usable(const struct svg_plot *plot, double x, double y)
{
	return fabs(x) <= ABSURD && fabs(y) <= ABSURD && (!plot->x.log || x > 0);
}

/* Whether there is anything; what is flat gets some height. */
static bool find_range(const struct svg_plot *plot, struct scale *x, struct scale *y)
{
	bool any = false;

	y->from = y->to = 0;
	for (size_t s = 0; s < plot->count; s++) {
		const struct svg_series *series = &plot->series[s];

		for (size_t i = 0; i < series->count; i++) {
			if (!usable(plot, series->x[i], series->y[i]))
				continue;
			x->from = any ? fmin(x->from, series->x[i]) : series->x[i];
			x->to = any ? fmax(x->to, series->x[i]) : series->x[i];
			y->from = fmin(y->from, series->y[i]);
			y->to = fmax(y->to, series->y[i]);
			any = true;
		}
	}
	if (x->to - x->from <= fabs(x->to) * 1e-9)
		x->to = x->axis.log ? x->from * 2 : x->from + fmax(1, fabs(x->from) * 1e-6);
	if (y->to <= y->from)
		y->to = y->from + 1;
	return any;
}

/* The axis ends at a tick. */
static void round_up(struct scale *y)
{
	double step = step_of(y->axis.unit, (y->to - y->from) / TICKS_Y);

	y->from = floor(y->from / step + 1e-9) * step;
	y->to = fmax(ceil(y->to / step - 1e-9) * step, y->from + step);
}

/* ---- drawing ---- */

static void draw_x_axis(FILE *file, const struct scale *x)
{
	char text[64];

	for (size_t i = 0; i < x->nr_ticks; i++) {
		double at = pixel(x, x->ticks[i]);

		fprintf(file, "<path class=\"axis\" d=\"M%.1f %d v5\"/>\n", at, BOTTOM);
		write_value(text, sizeof(text), x, x->ticks[i]);
		put_label(file, at, BOTTOM + 20, "middle", text);
	}
	if (x->axis.label)
		put_label(file, (LEFT + RIGHT) / 2.0, HEIGHT - 12, "middle", x->axis.label);
}

static void draw_y_axis(FILE *file, const struct scale *y)
{
	char text[64];

	for (size_t i = 0; i < y->nr_ticks; i++) {
		double at = pixel(y, y->ticks[i]);

		fprintf(file, "<path class=\"grid\" d=\"M%d %.1f H%d\"/>\n", LEFT, at, RIGHT);
		write_value(text, sizeof(text), y, y->ticks[i]);
		put_label(file, LEFT - 8, at + 4, "end", text);
	}
	if (!y->axis.label)
		return;
	fprintf(file, "<g transform=\"translate(16 %.1f) rotate(-90)\">", (TOP + BOTTOM) / 2.0);
	put_label(file, 0, 0, "middle", y->axis.label);
	fputs("</g>\n", file);
}

/* A line of the legend is as long as the picture is wide, then comes the next. */
static void draw_legend(FILE *file, const struct svg_plot *plot)
{
	double x = LEFT, y = LEGEND_Y;

	for (size_t i = 0; i < plot->count; i++) {
		const struct svg_series *series = &plot->series[i];
		double width = 44 + (double)strlen(series->label) * LETTER;

		if (x > LEFT && x + width > RIGHT) {
			x = LEFT;
			y += LEGEND_ROW;
		}
		fprintf(file, "<path class=\"line\" stroke=\"%s\"%s d=\"M%.1f %.1f h22\"/>\n",
			colours[i], series->dashed ? DASHES : "", x, y - 4);
		put_label(file, x + 28, y, "start", series->label);
		x += width;
	}
}

/*
 * A path of points. Of those that fall into the same column of pixels only the
 * first, the lowest, the highest and the last are drawn: a day of seconds must
 * not make a picture of megabytes.
 */
struct pen {
	FILE *file;
	bool steps;
	bool down;   /* in mid-line */
	double x, y; /* the last point drawn */
	long column; /* of pixels, at which the following stand */
	bool pending;
	double low, high, last, last_x;
};

static void pen_to(struct pen *pen, double x, double y)
{
	if (!pen->down)
		fprintf(pen->file, "M%.1f %.1f", x, y);
	else if (pen->steps)
		fprintf(pen->file, "H%.1fV%.1f", x, y);
	else
		fprintf(pen->file, "L%.1f %.1f", x, y);
	pen->down = true;
	pen->x = x;
	pen->y = y;
}

static void pen_flush(struct pen *pen)
{
	if (!pen->pending)
		return;
	pen->pending = false;
	if (pen->low != pen->last && pen->low != pen->y)
		pen_to(pen, pen->last_x, pen->low);
	if (pen->high != pen->last && pen->high != pen->y)
		pen_to(pen, pen->last_x, pen->high);
	pen_to(pen, pen->last_x, pen->last);
}

static void pen_add(struct pen *pen, double x, double y)
{
	if (!pen->down || lround(x) != pen->column) {
		pen_flush(pen);
		pen_to(pen, x, y);
		pen->column = lround(x);
		return;
	}
	pen->low = pen->pending ? fmin(pen->low, y) : y;
	pen->high = pen->pending ? fmax(pen->high, y) : y;
	pen->last = y;
	pen->last_x = x;
	pen->pending = true;
}

static void pen_up(struct pen *pen)
{
	pen_flush(pen);
	/* A point between two gaps would be invisible. */
	if (pen->down)
		fputs("h1", pen->file);
	pen->down = false;
}

static void draw_line(FILE *file, const struct svg_plot *plot, size_t index, const struct scale *x,
		      const struct scale *y)
{
	const struct svg_series *series = &plot->series[index];
	struct pen pen = { .file = file, .steps = series->steps };

	fprintf(file, "<path class=\"line\" stroke=\"%s\"%s d=\"", colours[index],
		series->dashed ? DASHES : "");
	for (size_t i = 0; i < series->count; i++) {
		if (usable(plot, series->x[i], series->y[i]))
			pen_add(&pen, pixel(x, series->x[i]), pixel(y, series->y[i]));
		else
			pen_up(&pen);
	}
	pen_up(&pen);
	fputs("\"/>\n", file);
}

static void draw_dots(FILE *file, const struct svg_plot *plot, size_t index, const struct scale *x,
		      const struct scale *y)
{
	const struct svg_series *series = &plot->series[index];

	for (size_t i = 0; series->points && i < series->count; i++)
		if (usable(plot, series->x[i], series->y[i]))
			fprintf(file, "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"3\" fill=\"%s\"/>\n",
				pixel(x, series->x[i]), pixel(y, series->y[i]), colours[index]);
}

static void draw_head(FILE *file, const struct svg_plot *plot)
{
	fprintf(file,
		"<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" width=\"%d\" "
		"height=\"%d\" font-family=\"sans-serif\" font-size=\"13\" fill=\"" INK "\">\n",
		WIDTH, HEIGHT, WIDTH, HEIGHT);
	fputs("<style>.line{fill:none;stroke-width:2;stroke-linejoin:round}"
	      ".axis{fill:none;stroke:" INK "}"
	      ".grid{fill:none;stroke:" INK ";stroke-opacity:.3}</style>\n",
	      file);
	if (!plot->title)
		return;
	fputs("<title>", file);
	put_text(file, plot->title);
	fprintf(file, "</title>\n<text x=\"%d\" y=\"%d\" font-size=\"16\">", LEFT, TITLE_Y);
	put_text(file, plot->title);
	fputs("</text>\n", file);
}

int svg_plot_write(FILE *file, const struct svg_plot *plot)
{
	struct scale x = { .axis = plot->x, .start = LEFT, .end = RIGHT };
	struct scale y = { .axis = plot->y, .start = BOTTOM, .end = TOP };

	if (plot->count > SVG_SERIES_MAX || !find_range(plot, &x, &y))
		return -EINVAL;
	y.axis.log = false;
	round_up(&y);
	make_even_ticks(&y, TICKS_Y);
	if (x.axis.log)
		make_log_ticks(&x);
	else
		make_even_ticks(&x, TICKS_X);
	draw_head(file, plot);
	draw_legend(file, plot);
	draw_y_axis(file, &y);
	draw_x_axis(file, &x);
	fprintf(file, "<path class=\"axis\" d=\"M%d %d V%d H%d\"/>\n", LEFT, TOP, BOTTOM, RIGHT);
	for (size_t i = 0; i < plot->count; i++) {
		draw_line(file, plot, i, &x, &y);
		draw_dots(file, plot, i, &x, &y);
	}
	fputs("</svg>\n", file);
	return ferror(file) ? -EIO : 0;
}
