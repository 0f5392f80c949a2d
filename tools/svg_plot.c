/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Lines over x as SVG: see svg_plot.h. The y axis begins at 0, and an even axis ends at
 * a tick. There is no
 * background, and all colours have enough contrast on white and on black.
 */
#include <errno.h>
#include <math.h>
#include <stdint.h>
#include <string.h>

#include "tools/svg_plot.h"
#include "tools/svg_scale.h"

#define WIDTH 800
#define HEIGHT 440
#define LEFT 82
#define RIGHT (WIDTH - 24)
#define TOP_MIN 84
#define BOTTOM (HEIGHT - 56)
#define TITLE_Y 26
#define LEGEND_Y 52
#define LEGEND_ROW 18
#define LEGEND_GAP 24 /* from its last line to the frame */
#define HEADROOM 0.05 /* above the highest line, so that it is not taken for the frame */
#define LETTER 7.2    /* width of one, about */
#define TICKS_X 12    /* not more, or they would touch */
#define TICKS_Y 6
#define DASHES " stroke-dasharray=\"7 6\""
#define INK "#7a7a7a" /* of text and axes */

/* After Okabe and Ito: distinct for colour-blind eyes, too. */
static const char *const colours[SVG_SERIES_MAX] = {
	"#0a84d8", "#d55e00", "#009e73", "#c45c9a", "#b58900", "#7a7a7a", "#8060d0", "#c03030",
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

/* ---- drawing ---- */

static void draw_x_axis(FILE *file, const struct svg_scale *x)
{
	char text[64];

	for (size_t i = 0; i < x->nr_ticks; i++) {
		double at = svg_pixel(x, x->ticks[i]);

		fprintf(file, "<path class=\"axis\" d=\"M%.1f %d v5\"/>\n", at, BOTTOM);
		svg_write_value(text, sizeof(text), x, x->ticks[i]);
		if (at + (double)strlen(text) * LETTER / 2 > WIDTH)
			put_label(file, WIDTH, BOTTOM + 20, "end", text);
		else
			put_label(file, at, BOTTOM + 20, "middle", text);
	}
	if (x->axis.label)
		put_label(file, (LEFT + RIGHT) / 2.0, HEIGHT - 12, "middle", x->axis.label);
}

static void draw_y_axis(FILE *file, const struct svg_scale *y)
{
	char text[64];

	for (size_t i = 0; i < y->nr_ticks; i++) {
		double at = svg_pixel(y, y->ticks[i]);

		fprintf(file, "<path class=\"grid\" d=\"M%d %.1f H%d\"/>\n", LEFT, at, RIGHT);
		svg_write_value(text, sizeof(text), y, y->ticks[i]);
		put_label(file, LEFT - 8, at + 4, "end", text);
	}
	if (!y->axis.label)
		return;
	fprintf(file, "<g transform=\"translate(16 %.1f) rotate(-90)\">", (y->end + BOTTOM) / 2);
	put_label(file, 0, 0, "middle", y->axis.label);
	fputs("</g>\n", file);
}

/*
 * Draws the legend if there is a file. A line of it is as long as the picture is wide,
 * then comes the next. Returns where the frame begins below it.
 */
static int draw_legend(FILE *file, const struct svg_plot *plot)
{
	int y = LEGEND_Y;
	double x = LEFT;

	for (size_t i = 0; i < plot->count; i++) {
		const struct svg_series *series = &plot->series[i];
		double width = 44 + (double)strlen(series->label) * LETTER;

		if (x > LEFT && x + width > RIGHT) {
			x = LEFT;
			y += LEGEND_ROW;
		}
		if (file) {
			fprintf(file, "<path class=\"line\" stroke=\"%s\"%s d=\"M%.1f %d h22\"/>\n",
				colours[i], series->dashed ? DASHES : "", x, y - 4);
			put_label(file, x + 28, y, "start", series->label);
		}
		x += width;
	}
	return y + LEGEND_GAP > TOP_MIN ? y + LEGEND_GAP : TOP_MIN;
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

static void draw_line(FILE *file, const struct svg_plot *plot, size_t index,
		      const struct svg_scale *x, const struct svg_scale *y)
{
	const struct svg_series *series = &plot->series[index];
	struct pen pen = { .file = file, .steps = series->steps };

	fprintf(file, "<path class=\"line\" stroke=\"%s\"%s d=\"", colours[index],
		series->dashed ? DASHES : "");
	for (size_t i = 0; i < series->count; i++) {
		if (svg_is_usable(plot, series->x[i], series->y[i]))
			pen_add(&pen, svg_pixel(x, series->x[i]), svg_pixel(y, series->y[i]));
		else
			pen_up(&pen);
	}
	pen_up(&pen);
	fputs("\"/>\n", file);
}

static void draw_dots(FILE *file, const struct svg_plot *plot, size_t index,
		      const struct svg_scale *x, const struct svg_scale *y)
{
	const struct svg_series *series = &plot->series[index];

	for (size_t i = 0; series->points && i < series->count; i++)
		if (svg_is_usable(plot, series->x[i], series->y[i]))
			fprintf(file, "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"3\" fill=\"%s\"/>\n",
				svg_pixel(x, series->x[i]), svg_pixel(y, series->y[i]),
				colours[index]);
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
	struct svg_scale x = { .axis = plot->x, .start = LEFT, .end = RIGHT };
	struct svg_scale y = { .axis = plot->y, .start = BOTTOM };

	if (plot->count > SVG_SERIES_MAX || !svg_find_range(plot, &x, &y))
		return -EINVAL;
	y.axis.log = false;
	y.end = draw_legend(NULL, plot);
	y.to += (y.to - y.from) * HEADROOM;
	svg_round_up(&y, TICKS_Y);
	if (!x.axis.log)
		svg_round_up(&x, TICKS_X);
	svg_make_ticks(&y, TICKS_Y);
	svg_make_ticks(&x, TICKS_X);
	draw_head(file, plot);
	draw_legend(file, plot);
	draw_y_axis(file, &y);
	draw_x_axis(file, &x);
	fprintf(file, "<path class=\"axis\" d=\"M%d %.0f V%d H%d\"/>\n", LEFT, y.end, BOTTOM,
		RIGHT);
	for (size_t i = 0; i < plot->count; i++) {
		draw_line(file, plot, i, &x, &y);
		draw_dots(file, plot, i, &x, &y);
	}
	fputs("</svg>\n", file);
	return ferror(file) ? -EIO : 0;
}
