/* SPDX-License-Identifier: BSD-2-Clause */
/* tools/svg_plot.c: what is drawn where, and that the picture is always well-formed. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>

#include <cmocka.h>

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "tools/svg_plot.h"

#define GIB (1024.0 * 1024 * 1024)

/* By free(). */
static char *draw(const struct svg_plot *plot)
{
	char *text = NULL;
	size_t size;
	FILE *file = open_memstream(&text, &size);

	assert_non_null(file);
	assert_int_equal(svg_plot_write(file, plot), 0);
	fclose(file);
	return text;
}

static void assert_drawn(const char *svg, const char *part)
{
	if (!strstr(svg, part))
		fail_msg("there is no %s in\n%s", part, svg);
}

static unsigned count(const char *svg, const char *part)
{
	unsigned found = 0;

	while ((svg = strstr(svg, part))) {
		svg += strlen(part);
		found++;
	}
	return found;
}

/* Every element is closed by the right name, and no text has a bare < or &. */
static void assert_well_formed(const char *svg)
{
	char open[16][16];
	int depth = 0;

	for (const char *at = svg; (at = strchr(at, '<')); at++) {
		const char *end = strchr(at, '>');
		size_t len = strcspn(at + 1, " >/");

		assert_non_null(end);
		assert_true(len < 16);
		if (at[1] == '/') {
			len = (size_t)(end - at) - 2;
			assert_true(depth > 0);
			assert_int_equal(strlen(open[--depth]), len);
			assert_memory_equal(open[depth], at + 2, len);
		} else if (end[-1] != '/') {
			assert_true(depth < 16);
			memcpy(open[depth], at + 1, len);
			open[depth++][len] = '\0';
		}
		at = end;
	}
	assert_int_equal(depth, 0);
	for (const char *at = svg; (at = strchr(at, '&')); at++)
		assert_true(!strncmp(at, "&lt;", 4) || !strncmp(at, "&gt;", 4) ||
			    !strncmp(at, "&amp;", 5) || !strncmp(at, "&quot;", 6));
}

static void line_goes_through_its_points(void **state)
{
	static const double x[] = { 0, 5, 10 }, y[] = { 0, 4 * GIB, 2 * GIB };
	struct svg_series series = { .label = "left", .x = x, .y = y, .count = 3 };
	char *svg = draw(&(struct svg_plot){ .x = { .unit = SVG_TIME },
					     .y = { .unit = SVG_BYTES },
					     .series = &series,
					     .count = 1 });

	(void)state;
	assert_well_formed(svg);
	/* 82 to 776 across, 384 up to 84, which is 5 GiB. */
	assert_drawn(svg, "d=\"M82.0 384.0L429.0 144.0L776.0 264.0h1\"");
	assert_drawn(svg, ">0 B<");
	assert_drawn(svg, ">1 GiB<");
	assert_drawn(svg, ">4 GiB<");
	assert_drawn(svg, ">10 s<");
	assert_drawn(svg, ">left<");
	free(svg);
}

static void steps_hold_a_value_until_the_next(void **state)
{
	static const double x[] = { 0, 10 }, y[] = { 5, 10 };
	struct svg_series series = { .label = "target", .x = x, .y = y, .count = 2, .steps = true };
	char *svg = draw(&(struct svg_plot){ .series = &series, .count = 1 });

	(void)state;
	assert_drawn(svg, "M82.0 259.0H776.0V134.0");
	free(svg);
}

static void what_is_not_known_is_a_gap(void **state)
{
	const double x[] = { 0, 1, 2, 3, 4 }, y[] = { 1, 1, NAN, 2, 1e300 };
	struct svg_series series = { .label = "free", .x = x, .y = y, .count = 5 };
	char *svg = draw(&(struct svg_plot){ .series = &series, .count = 1 });

	(void)state;
	assert_well_formed(svg);
	/* Up to the last that is known, at x = 3; one alone is a dot. */
	assert_drawn(svg, "M82.0 264.0L313.3 264.0h1M776.0 144.0h1");
	assert_null(strstr(svg, "nan"));
	assert_null(strstr(svg, "inf"));
	free(svg);
}

static void many_points_in_a_pixel_keep_their_extremes(void **state)
{
	enum { N = 100000 };
	double *x = malloc(N * sizeof(double)), *y = malloc(N * sizeof(double));
	struct svg_series series = { .label = "a", .x = x, .y = y, .count = N };
	char *svg;

	(void)state;
	for (int i = 0; i < N; i++) {
		x[i] = i;
		y[i] = i == 54321 ? 1000 : i == 34567 ? 0 : 500;
	}
	svg = draw(&(struct svg_plot){ .series = &series, .count = 1 });
	assert_true(strlen(svg) < 64 * 1024);
	assert_drawn(svg, " 134.0L");
	assert_drawn(svg, " 384.0L");
	free(svg);
	free(x);
	free(y);
}

/* The first, the lowest, the highest and the last of a pixel's points, each once. */
static void points_in_a_pixel_are_drawn_once(void **state)
{
	static const struct {
		double y[4];
		const char *path;
	} all[] = {
		{ { 4, 6, 2, 10 }, "\"M82.0 284.0L82.2 234.0L82.2 334.0L776.0 134.0h1\"" },
		{ { 4, 2, 6, 10 }, "\"M82.0 284.0L82.2 334.0L82.2 234.0L776.0 134.0h1\"" },
		{ { 6, 2, 4, 10 }, "\"M82.0 234.0L82.2 334.0L82.2 284.0L776.0 134.0h1\"" },
		{ { 4, 4, 2, 10 }, "\"M82.0 284.0L82.2 334.0L776.0 134.0h1\"" },
		{ { 4, 4, 6, 10 }, "\"M82.0 284.0L82.2 234.0L776.0 134.0h1\"" },
		{ { 4, 6, 6, 10 }, "\"M82.0 284.0L82.2 234.0L776.0 134.0h1\"" },
	};
	static const double x[] = { 0, 0.1, 0.2, 600 };

	(void)state;
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		struct svg_series series = { .label = "a", .x = x, .y = all[i].y, .count = 4 };
		char *svg = draw(&(struct svg_plot){ .series = &series, .count = 1 });

		assert_drawn(svg, all[i].path);
		free(svg);
	}
}

/* Room above the highest line is a part of all the axis, also where that begins below 0. */
static void axis_may_begin_below_0(void **state)
{
	static const double x[] = { 0, 10 }, y[] = { -10, 10 };
	struct svg_series series = { .label = "a", .x = x, .y = y, .count = 2 };
	char *svg = draw(&(struct svg_plot){ .series = &series, .count = 1 });

	(void)state;
	assert_drawn(svg, "M82.0 384.0L776.0 144.0h1");
	assert_drawn(svg, ">-10<");
	assert_drawn(svg, ">15<");
	free(svg);
}

/* The words of the last tick end with the picture if they would not fit into it. */
static void words_do_not_reach_beyond_the_picture(void **state)
{
	static const double y[] = { 1, 1 };
	double x[] = { 0, 600 };
	struct svg_series series = { .label = "a", .x = x, .y = y, .count = 2 };
	struct svg_plot plot = { .x = { .unit = SVG_TIME }, .series = &series, .count = 1 };
	char *svg = draw(&plot);

	(void)state;
	assert_drawn(svg, "<text x=\"776.0\" y=\"404.0\" text-anchor=\"middle\">10 min<");
	free(svg);
	x[1] = 6000;
	svg = draw(&plot);
	assert_drawn(svg, "<text x=\"800.0\" y=\"404.0\" text-anchor=\"end\">100 min<");
	assert_drawn(svg, " text-anchor=\"middle\">90 min<");
	free(svg);
}

static void log_axis_has_powers_of_two_for_bytes(void **state)
{
	static const double x[] = { GIB / 8, GIB, 8 * GIB }, y[] = { 1, 2, 3 };
	struct svg_series series = { .label = "boot", .x = x, .y = y, .count = 3, .points = true };
	char *svg = draw(&(struct svg_plot){
		.x = { .unit = SVG_BYTES, .log = true }, .series = &series, .count = 1 });

	(void)state;
	/* Eight times is a half of the way. */
	assert_drawn(svg, "L429.0 ");
	assert_drawn(svg, ">128 MiB<");
	assert_drawn(svg, ">8 GiB<");
	assert_int_equal(count(svg, "<circle"), 3);
	free(svg);
}

static void log_axis_leaves_out_what_has_no_logarithm(void **state)
{
	static const double x[] = { 0, -3, 10, 1000 }, y[] = { 9, 9, 1, 1 };
	struct svg_series series = { .label = "a", .x = x, .y = y, .count = 4 };
	char *svg = draw(&(struct svg_plot){ .x = { .log = true }, .series = &series, .count = 1 });

	(void)state;
	assert_drawn(svg, "\"M82.0 134.0L776.0 134.0h1\"");
	assert_drawn(svg, ">100<");
	free(svg);
}

static void long_times_are_minutes_and_hours(void **state)
{
	static const double y[] = { 1, 1 }, minutes[] = { 0, 1500 }, hours[] = { 0, 100000 };
	struct svg_series series = { .label = "a", .x = minutes, .y = y, .count = 2 };
	struct svg_plot plot = { .x = { .unit = SVG_TIME }, .series = &series, .count = 1 };
	char *svg = draw(&plot);

	(void)state;
	assert_drawn(svg, ">25 min<");
	free(svg);
	series.x = hours;
	svg = draw(&plot);
	assert_drawn(svg, ">24 h<");
	free(svg);
}

static void values_have_up_to_six_steps(void **state)
{
	static const double x[] = { 0, 10 };
	double y[] = { 0, 5 };
	struct svg_series series = { .label = "a", .x = x, .y = y, .count = 2 };
	struct svg_plot plot = { .x = { .unit = SVG_TIME }, .series = &series, .count = 1 };
	char *svg = draw(&plot);

	(void)state;
	assert_drawn(svg, ">5<");
	free(svg);
	y[1] = 6;
	svg = draw(&plot);
	assert_drawn(svg, ">8<");
	assert_null(strstr(svg, ">5<"));
	free(svg);
}

/* Each on an axis that is as long as the twelve steps for which there is room. */
static void long_times_have_the_steps_of_a_clock(void **state)
{
	static const struct {
		double step;
		const char *first, *third;
	} clock[] = {
		{ 60, ">1 min<", ">3 min<" },	 { 120, ">2 min<", ">6 min<" },
		{ 300, ">5 min<", ">15 min<" },	 { 600, ">10 min<", ">30 min<" },
		{ 900, ">15 min<", ">45 min<" }, { 1800, ">30 min<", ">90 min<" },
		{ 3600, ">1 h<", ">3 h<" },	 { 7200, ">2 h<", ">6 h<" },
		{ 14400, ">4 h<", ">12 h<" },	 { 21600, ">6 h<", ">18 h<" },
		{ 43200, ">12 h<", ">36 h<" },	 { 86400, ">24 h<", ">72 h<" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(clock) / sizeof(clock[0]); i++) {
		const double x[] = { 0, 12 * clock[i].step }, y[] = { 1, 1 };
		struct svg_series series = { .label = "a", .x = x, .y = y, .count = 2 };
		char *svg = draw(&(struct svg_plot){
			.x = { .unit = SVG_TIME }, .series = &series, .count = 1 });

		assert_drawn(svg, clock[i].first);
		assert_drawn(svg, clock[i].third);
		free(svg);
	}
}

/* Where the frame begins at the left: "M82 Y V384". */
static double top_of_frame(const char *svg)
{
	const char *frame = strstr(svg, "<path class=\"axis\" d=\"M82 ");
	double top = 0;

	while (frame && !(sscanf(frame, "<path class=\"axis\" d=\"M82 %lf V384", &top) == 1 &&
			  strstr(frame, " V384") && strstr(frame, " V384") < strchr(frame, '>')))
		frame = strstr(frame + 1, "<path class=\"axis\" d=\"M82 ");
	assert_non_null(frame);
	return top;
}

/* Of any height: the highest line is not the frame's upper edge, nor lost below it. */
static void highest_line_has_room_above_it(void **state)
{
	static const double x[] = { 0, 1 };

	(void)state;
	for (double high = 0.9; high < 1e12; high *= 1.37) {
		double y[] = { high, high }, at = 0;
		struct svg_series series = { .label = "a", .x = x, .y = y, .count = 2 };
		struct svg_plot plot = { .series = &series, .count = 1 };
		char *svg;

		plot.y.unit = high < 1e6 ? SVG_NUMBER : SVG_BYTES;
		svg = draw(&plot);
		/* The legend and the axis have theirs before the line. */
		for (const char *line = svg; (line = strstr(line, " d=\"M82.0 ")); line++)
			assert_int_equal(sscanf(line, " d=\"M82.0 %lf", &at), 1);
		assert_true(at >= top_of_frame(svg) + 10 && at < 384 - 100);
		free(svg);
	}
}

static void legend_of_many_lines_moves_the_frame(void **state)
{
	static const double x[] = { 0, 1 };
	struct svg_series series[SVG_SERIES_MAX];
	struct svg_plot plot = { .series = series };
	char *svg;

	(void)state;
	for (size_t i = 0; i < SVG_SERIES_MAX; i++) {
		double lowest = 0, y;

		series[i] = (struct svg_series){
			.label = "a line with a long name, and more", .x = x, .y = x, .count = 2
		};
		plot.count = i + 1;
		svg = draw(&plot);
		for (const char *at = svg; (at = strstr(at, "text-anchor=\"start\"")); at++) {
			const char *start = at;

			while (strncmp(start, "y=\"", 3) != 0)
				start--;
			assert_int_equal(sscanf(start, "y=\"%lf", &y), 1);
			lowest = y > lowest ? y : lowest;
		}
		assert_true(lowest > 0 && top_of_frame(svg) >= lowest + 20);
		free(svg);
	}
}

/* One that is wider than the picture has a line of its own, but no empty one above it. */
static void legend_begins_in_its_first_line(void **state)
{
	static const double x[] = { 0, 1 };
	char name[121];
	struct svg_series series[2] = { { .label = name, .x = x, .y = x, .count = 2 },
					{ .label = "b", .x = x, .y = x, .count = 2 } };
	char *svg;

	(void)state;
	memset(name, 'a', 120);
	name[120] = '\0';
	svg = draw(&(struct svg_plot){ .series = series, .count = 2 });
	assert_drawn(svg, "<text x=\"110.0\" y=\"52.0\" text-anchor=\"start\">aaaa");
	assert_drawn(svg, "<text x=\"110.0\" y=\"70.0\" text-anchor=\"start\">b<");
	free(svg);
}

/* Whatever the time is, the axis ends at a tick with a label. */
static void last_tick_is_labelled(void **state)
{
	static const double y[] = { 1, 1 };

	(void)state;
	for (double seconds = 0.7; seconds < 1e6; seconds *= 1.31) {
		const double x[] = { 0, seconds };
		struct svg_series series = { .label = "a", .x = x, .y = y, .count = 2 };
		char *svg = draw(&(struct svg_plot){
			.x = { .unit = SVG_TIME }, .series = &series, .count = 1 });

		assert_drawn(svg, "d=\"M776.0 384 v5\"");
		if (!strstr(svg, "<text x=\"776.0\" y=\"404.0\" text-anchor=\"middle\">") &&
		    !strstr(svg, "<text x=\"800.0\" y=\"404.0\" text-anchor=\"end\">"))
			fail_msg("%g s: there is no last label in\n%s", seconds, svg);
		free(svg);
	}
}

static void flat_and_absurd_numbers_still_make_a_picture(void **state)
{
	static const double values[][2] = {
		{ 0, 0 }, { 1e99, 1e99 }, { 5, 5 }, { -1e100, 1e100 }, { 1e-300, 2e-300 }
	};

	(void)state;
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		for (int unit = SVG_NUMBER; unit <= SVG_TIME; unit++) {
			struct svg_series series = {
				.label = "a", .x = values[i], .y = values[i], .count = 2
			};
			struct svg_plot plot = { .x = { .unit = (enum svg_unit)unit },
						 .y = { .unit = (enum svg_unit)unit },
						 .series = &series,
						 .count = 1 };
			char *svg = draw(&plot);

			assert_well_formed(svg);
			if (strstr(svg, "nan") || strstr(svg, "inf"))
				fail_msg("no number: %s", svg);
			free(svg);
		}
	}
}

static void text_is_escaped(void **state)
{
	static const double x[] = { 0, 1 };
	struct svg_series series = { .label = "a<b & \"c\"\x1b\xff", .x = x, .y = x, .count = 2 };
	char *svg = draw(&(struct svg_plot){ .title = "</svg>\x1f\x7f\x80 ~",
					     .x = { .label = "x > y" },
					     .series = &series,
					     .count = 1 });

	(void)state;
	assert_well_formed(svg);
	assert_drawn(svg, "a&lt;b &amp; &quot;c&quot;?"
			  "?<");
	assert_drawn(svg, "<title>&lt;/svg&gt;?"
			  "?"
			  "? ~</title>");
	free(svg);
}

static void nothing_makes_no_picture(void **state)
{
	const double nothing[] = { NAN }, zero[] = { 0 };
	struct svg_series series[SVG_SERIES_MAX + 1] = { 0 };
	struct svg_plot plot = { .series = series, .count = 0 };
	FILE *file = tmpfile();

	(void)state;
	assert_int_equal(svg_plot_write(file, &plot), -EINVAL);
	plot.count = 1;
	series[0] = (struct svg_series){ .label = "", .x = nothing, .y = nothing, .count = 1 };
	assert_int_equal(svg_plot_write(file, &plot), -EINVAL);
	for (unsigned i = 0; i <= SVG_SERIES_MAX; i++)
		series[i] = (struct svg_series){ .label = "", .x = zero, .y = zero, .count = 1 };
	plot.count = SVG_SERIES_MAX + 1;
	assert_int_equal(svg_plot_write(file, &plot), -EINVAL);
	assert_int_equal(ftell(file), 0);
	fclose(file);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(line_goes_through_its_points),
		cmocka_unit_test(steps_hold_a_value_until_the_next),
		cmocka_unit_test(what_is_not_known_is_a_gap),
		cmocka_unit_test(many_points_in_a_pixel_keep_their_extremes),
		cmocka_unit_test(points_in_a_pixel_are_drawn_once),
		cmocka_unit_test(axis_may_begin_below_0),
		cmocka_unit_test(words_do_not_reach_beyond_the_picture),
		cmocka_unit_test(log_axis_has_powers_of_two_for_bytes),
		cmocka_unit_test(log_axis_leaves_out_what_has_no_logarithm),
		cmocka_unit_test(long_times_are_minutes_and_hours),
		cmocka_unit_test(values_have_up_to_six_steps),
		cmocka_unit_test(long_times_have_the_steps_of_a_clock),
		cmocka_unit_test(highest_line_has_room_above_it),
		cmocka_unit_test(legend_of_many_lines_moves_the_frame),
		cmocka_unit_test(legend_begins_in_its_first_line),
		cmocka_unit_test(last_tick_is_labelled),
		cmocka_unit_test(flat_and_absurd_numbers_still_make_a_picture),
		cmocka_unit_test(text_is_escaped),
		cmocka_unit_test(nothing_makes_no_picture),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
