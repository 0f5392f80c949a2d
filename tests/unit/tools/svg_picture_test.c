/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tools/svg_plot.c: whole pictures, each of which lies beside this file in svg_picture/
 * for a browser to show. Whoever changes how pictures look draws them anew, looks at
 * them, and puts them there.
 */
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

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define MIB (1024.0 * 1024)

static char *read_picture(const char *name)
{
	char path[128];
	FILE *file;
	char *text;
	size_t size;

	snprintf(path, sizeof(path), "tests/unit/tools/svg_picture/%s.svg", name);
	file = fopen(path, "r");
	if (!file)
		fail_msg("%s: %s", path, strerror(errno));
	text = calloc(1, 65536);
	size = fread(text, 1, 65535, file);
	assert_true(size > 0 && size < 65535);
	fclose(file);
	return text;
}

static void assert_picture(const char *name, const struct svg_plot *plot)
{
	char *is = NULL, *wanted;
	size_t size, same = 0;
	FILE *file = open_memstream(&is, &size);

	assert_int_equal(svg_plot_write(file, plot), 0);
	fclose(file);
	wanted = read_picture(name);
	while (is[same] && is[same] == wanted[same])
		same++;
	if (is[same] != wanted[same])
		fail_msg("%s: after %zu bytes \"%.60s\" instead of \"%.60s\"", name, same,
			 is + same, wanted + same);
	free(is);
	free(wanted);
}

/*
 * All of a picture: a title, labels of both axes, a legend of several rows with every
 * colour, lines, steps and dashes, gaps, and more than one point in a column of pixels.
 */
static void course_is_drawn_whole(void **state)
{
	static const double x[] = { 0, 10, 10.01, 10.02, 10.03, 10.04, 20, 30, 40, 50, 60 };
	static const double left[] = { 1024 * MIB, 768 * MIB, 900 * MIB, 100 * MIB,
				       800 * MIB,  512 * MIB, 512 * MIB, NAN,
				       640 * MIB,  NAN,	      700 * MIB };
	static const double target[] = { 1024 * MIB, 512 * MIB, 512 * MIB, 512 * MIB,
					 512 * MIB,  512 * MIB, 512 * MIB, 512 * MIB,
					 768 * MIB,  768 * MIB, 768 * MIB };
	/* Twice the same, down and back, and no more than one in a column. */
	static const double flat[] = { 0,   64 * MIB, 64 * MIB, 64 * MIB, 64 * MIB, 64 * MIB,
				       NAN, NAN,      NAN,	NAN,	  NAN };
	static const double dip[] = { 32 * MIB, 32 * MIB, 16 * MIB, 32 * MIB, 48 * MIB, 32 * MIB,
				      NAN,	NAN,	  NAN,	    NAN,      NAN };
	const struct svg_series series[] = {
		{ .label = "target (left)",
		  .x = x,
		  .y = target,
		  .count = COUNT(x),
		  .steps = true,
		  .dashed = true },
		{ .label = "left to the guest", .x = x, .y = left, .count = COUNT(x) },
		{ .label = "flat", .x = x, .y = flat, .count = COUNT(x) },
		{ .label = "with a dip", .x = x, .y = dip, .count = COUNT(x), .points = true },
		{ .label = "a fifth one, whose words are long", .x = x, .y = flat, .count = 2 },
		{ .label = "the sixth", .x = x + 1, .y = dip, .count = 1 },
		{ .label = "the seventh", .x = x, .y = dip, .count = 2 },
		{ .label = "the eighth and last", .x = x, .y = dip, .count = 2 },
	};

	(void)state;
	assert_picture("course", &(struct svg_plot){ .title = "Two < three & \"four\"",
						     .x = { .label = "time", .unit = SVG_TIME },
						     .y = { .label = "memory", .unit = SVG_BYTES },
						     .series = series,
						     .count = COUNT(series) });
}

/* The words of the first end where the second's begin, and of the third there is no room. */
static void sizes_on_a_log_axis_are_drawn_whole(void **state)
{
	static const double x[] = { 128 * MIB, 512 * MIB, 2048 * MIB, 65536 * MIB };
	static const double y[] = { 12, 13.5, 20, 600 }, z[] = { -20, 0, 100, NAN };
	const struct svg_series series[] = {
		{ .label = "boot", .x = x, .y = y, .count = 4, .points = true },
		{ .label = "", .x = x, .y = z, .count = 4, .steps = true },
	};

	(void)state;
	assert_picture("sizes", &(struct svg_plot){ .x = { .unit = SVG_BYTES, .log = true },
						    .y = { .label = "milliseconds" },
						    .series = series,
						    .count = 2 });
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(course_is_drawn_whole),
		cmocka_unit_test(sizes_on_a_log_axis_are_drawn_whole),
	};

	return cmocka_run_group_tests_name("svg_picture", tests, NULL, NULL);
}
