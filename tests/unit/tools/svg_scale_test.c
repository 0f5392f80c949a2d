/* SPDX-License-Identifier: BSD-2-Clause */
/* tools/svg_scale.c by itself: steps, ticks, ranges and words, at their edges. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>

#include <cmocka.h>

#include <float.h>
#include <math.h>
#include <string.h>

#include "tools/svg_scale.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define KIB 1024.0
#define MIB (1024 * KIB)
#define GIB (1024 * MIB)

static bool is_near(double a, double b)
{
	return fabs(a - b) <= 1e-9 * fabs(b) + 1e-300;
}

/* ---- words ---- */

static void assert_word(enum svg_unit unit, double step, double value, const char *word)
{
	struct svg_scale scale = { .axis.unit = unit, .step = step };
	char text[64];

	svg_write_value(text, sizeof(text), &scale, value);
	assert_string_equal(text, word);
}

static void bytes_have_the_largest_unit_that_fits(void **state)
{
	(void)state;
	assert_word(SVG_BYTES, 1, 0, "0 B");
	assert_word(SVG_BYTES, 1, 1023, "1023 B");
	assert_word(SVG_BYTES, 1, 1024, "1 KiB");
	assert_word(SVG_BYTES, 1, -1024, "-1 KiB");
	assert_word(SVG_BYTES, 1, 1536, "1.5 KiB");
	assert_word(SVG_BYTES, 1, MIB - KIB, "1023 KiB");
	assert_word(SVG_BYTES, 1, MIB, "1 MiB");
	assert_word(SVG_BYTES, 1, GIB, "1 GiB");
	assert_word(SVG_BYTES, 1, 1024 * GIB, "1 TiB");
	assert_word(SVG_BYTES, 1, GIB * MIB, "1 PiB");
	assert_word(SVG_BYTES, 1, GIB * GIB, "1 EiB");
	assert_word(SVG_BYTES, 1, GIB * GIB * KIB, "1024 EiB");
}

static void time_has_the_unit_of_its_step(void **state)
{
	(void)state;
	assert_word(SVG_TIME, 1, 7200, "7200 s");
	assert_word(SVG_TIME, 30, 90, "90 s");
	assert_word(SVG_TIME, 59, 59, "59 s");
	assert_word(SVG_TIME, 60, 90, "1.5 min");
	assert_word(SVG_TIME, 1800, 5400, "90 min");
	assert_word(SVG_TIME, 3599, 3600, "60 min");
	assert_word(SVG_TIME, 3600, 5400, "1.5 h");
	assert_word(SVG_TIME, 0.1, 0.3, "0.3 s");
}

static void numbers_are_bare_and_almost_nothing_is_0(void **state)
{
	(void)state;
	assert_word(SVG_NUMBER, 1, 12.5, "12.5");
	assert_word(SVG_NUMBER, 1, 1234567, "1.23457e+06");
	assert_word(SVG_NUMBER, 1, 1e-10, "0");
	assert_word(SVG_NUMBER, 1, -1e-10, "0");
	assert_word(SVG_NUMBER, 1, 1e-9, "1e-09");
	assert_word(SVG_NUMBER, 1, 2e-9, "2e-09");
	assert_word(SVG_NUMBER, 1000, 1e-7, "0");
	assert_word(SVG_NUMBER, 0, 1e-10, "1e-10");
}

/* ---- pixels ---- */

static void pixels_are_in_proportion(void **state)
{
	struct svg_scale scale = { .from = 10, .to = 30, .start = 100, .end = 500 };

	(void)state;
	assert_true(is_near(svg_pixel(&scale, 10), 100));
	assert_true(is_near(svg_pixel(&scale, 15), 200));
	assert_true(is_near(svg_pixel(&scale, 30), 500));
	/* Upwards, as on a screen. */
	scale.start = 500;
	scale.end = 100;
	assert_true(is_near(svg_pixel(&scale, 15), 400));
	scale = (struct svg_scale){ .axis.log = true, .from = 2, .to = 32, .start = 10, .end = 50 };
	assert_true(is_near(svg_pixel(&scale, 2), 10));
	assert_true(is_near(svg_pixel(&scale, 4), 20));
	assert_true(is_near(svg_pixel(&scale, 32), 50));
}

/* ---- ticks ---- */

static void assert_ticks(const struct svg_scale *scale, const double *ticks, size_t count)
{
	assert_int_equal(scale->nr_ticks, count);
	for (size_t i = 0; i < count; i++)
		if (!is_near(scale->ticks[i], ticks[i]))
			fail_msg("tick %zu is %g, not %g", i, scale->ticks[i], ticks[i]);
}

#define ASSERT_TICKS(scale, ...) \
	assert_ticks(scale, (const double[]){ __VA_ARGS__ }, \
		     COUNT(((const double[]){ __VA_ARGS__ })))

static struct svg_scale scale_of(enum svg_unit unit, double from, double to, unsigned most)
{
	struct svg_scale scale = { .axis.unit = unit, .from = from, .to = to };

	svg_make_ticks(&scale, most);
	return scale;
}

/* The step for so much of the axis each. */
static double step_for(enum svg_unit unit, double raw)
{
	return scale_of(unit, 0, 4 * raw, 4).step;
}

static void steps_are_1_2_and_5_times_a_power_of_ten(void **state)
{
	static const struct {
		double raw, step;
	} all[] = { { 1, 1 },	   { 1.001, 2 },  { 2, 2 },	 { 2.001, 5 },	{ 5, 5 },
		    { 5.001, 10 }, { 9.999, 10 }, { 10, 10 },	 { 10.01, 20 }, { 0.5, 0.5 },
		    { 0.51, 1 },   { 0.2, 0.2 },  { 0.21, 0.5 }, { 300, 500 },	{ 1e9, 1e9 } };

	(void)state;
	for (size_t i = 0; i < COUNT(all); i++)
		if (!is_near(step_for(SVG_NUMBER, all[i].raw), all[i].step))
			fail_msg("%g: %g", all[i].raw, step_for(SVG_NUMBER, all[i].raw));
}

static void steps_of_bytes_are_powers_of_two_from_1(void **state)
{
	static const struct {
		double raw, step;
	} all[] = { { 0.1, 1 },
		    { 0.5, 1 },
		    { 1, 1 },
		    { 1.5, 2 },
		    { 2, 2 },
		    { 2.1, 4 },
		    { 1000, 1024 },
		    { 1024, 1024 },
		    { 1025, 2048 },
		    { GIB, GIB },
		    { GIB * 1.001, 2 * GIB } };

	(void)state;
	for (size_t i = 0; i < COUNT(all); i++)
		if (!is_near(step_for(SVG_BYTES, all[i].raw), all[i].step))
			fail_msg("%g: %g", all[i].raw, step_for(SVG_BYTES, all[i].raw));
}

static void steps_of_time_are_those_of_a_clock(void **state)
{
	static const struct {
		double raw, step;
	} all[] = {
		{ 0.3, 0.5 },
		{ 10, 10 },
		{ 19, 20 },
		{ 20, 20 },
		{ 20.1, 30 },
		{ 21, 30 },
		{ 29.9, 30 },
		{ 30, 30 },
		{ 30.1, 60 },
		{ 31, 60 },
		{ 60, 60 },
		{ 60.1, 120 },
		{ 120, 120 },
		{ 120.1, 300 },
		{ 300, 300 },
		{ 300.1, 600 },
		{ 600, 600 },
		{ 600.1, 900 },
		{ 900, 900 },
		{ 900.1, 1800 },
		{ 1800, 1800 },
		{ 1801, 3600 },
		{ 3600, 3600 },
		{ 3601, 7200 },
		{ 7200, 7200 },
		{ 7201, 14400 },
		{ 14400, 14400 },
		{ 14401, 21600 },
		{ 21600, 21600 },
		{ 21601, 43200 },
		{ 43200, 43200 },
		{ 43201, 86400 },
		{ 86400, 86400 },
		/* Beyond a day there is no clock. */
		{ 86401, 100000 },
		{ 100001, 200000 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(all); i++)
		if (!is_near(step_for(SVG_TIME, all[i].raw), all[i].step))
			fail_msg("%g: %g", all[i].raw, step_for(SVG_TIME, all[i].raw));
}

/* By as much as sums may be beside what they should be. */
static void step_that_fits_but_for_rounding_fits(void **state)
{
	static const double decimals[] = { 0.01, 0.02, 0.05, 1, 2, 5, 1000, 2000, 5000 };
	static const double times[] = { 10,   20,   30,	  60,	 120,	300,   600,  900,
					1800, 3600, 7200, 14400, 21600, 43200, 86400 };

	(void)state;
	for (int hair = 0; hair < 10; hair++) {
		double more = 1 + hair * 1e-13;

		for (size_t i = 0; i < COUNT(decimals); i++)
			if (!is_near(step_for(SVG_NUMBER, decimals[i] * more), decimals[i]))
				fail_msg("%g", step_for(SVG_NUMBER, decimals[i] * more));
		for (size_t i = 0; i < COUNT(times); i++)
			if (!is_near(step_for(SVG_TIME, times[i] * more), times[i]))
				fail_msg("%g s", step_for(SVG_TIME, times[i] * more));
	}
}

static void ticks_are_multiples_of_the_step_within_the_axis(void **state)
{
	struct svg_scale scale = scale_of(SVG_NUMBER, 0, 10, 5);

	(void)state;
	ASSERT_TICKS(&scale, 0, 2, 4, 6, 8, 10);
	scale = scale_of(SVG_NUMBER, 1, 9.9, 5);
	ASSERT_TICKS(&scale, 2, 4, 6, 8);
	scale = scale_of(SVG_NUMBER, -3, 3, 6);
	ASSERT_TICKS(&scale, -3, -2, -1, 0, 1, 2, 3);
	/* A hair beside a tick is on it, for sums are not exact. */
	scale = scale_of(SVG_NUMBER, 2 + 1e-10, 10 - 1e-10, 4);
	ASSERT_TICKS(&scale, 2, 4, 6, 8, 10);
	scale = scale_of(SVG_NUMBER, 2.001, 9.999, 4);
	ASSERT_TICKS(&scale, 4, 6, 8);
	/* A hair of the axis, however far it is from 0. */
	scale = scale_of(SVG_NUMBER, 1000, 1000.999999, 5);
	ASSERT_TICKS(&scale, 1000, 1000.2, 1000.4, 1000.6, 1000.8);
	/* Steps of a tenth do not add up to one, either. */
	scale = scale_of(SVG_NUMBER, 0, 1, 10);
	assert_int_equal(scale.nr_ticks, 11);
	/* One that is longer than the axis. */
	scale = scale_of(SVG_BYTES, 0.25, 0.75, 4);
	assert_int_equal(scale.nr_ticks, 0);
	assert_true(scale.step == 1);
}

static void ticks_are_no_more_than_there_is_room_for(void **state)
{
	struct svg_scale scale = scale_of(SVG_NUMBER, 0, 31, 31);

	(void)state;
	assert_int_equal(scale.nr_ticks, 32);
	assert_true(is_near(scale.ticks[31], 31));
	scale = scale_of(SVG_NUMBER, 0, 50, 50);
	assert_int_equal(scale.nr_ticks, SVG_TICKS_MAX);
	assert_true(is_near(scale.ticks[SVG_TICKS_MAX - 1], SVG_TICKS_MAX - 1));
	assert_true(is_near(scale.step, 1));
}

static struct svg_scale log_scale_of(enum svg_unit unit, double from, double to)
{
	struct svg_scale scale = { .axis = { .unit = unit, .log = true }, .from = from, .to = to };

	svg_make_ticks(&scale, 5);
	return scale;
}

static void log_ticks_are_powers(void **state)
{
	struct svg_scale scale = log_scale_of(SVG_NUMBER, 1, 1000);

	(void)state;
	ASSERT_TICKS(&scale, 1, 10, 100, 1000);
	scale = log_scale_of(SVG_NUMBER, 0.5, 1500);
	ASSERT_TICKS(&scale, 1, 10, 100, 1000);
	scale = log_scale_of(SVG_NUMBER, 1.1, 999);
	ASSERT_TICKS(&scale, 10, 100);
	scale = log_scale_of(SVG_BYTES, KIB, 8 * KIB);
	ASSERT_TICKS(&scale, KIB, 2 * KIB, 4 * KIB, 8 * KIB);
	/* Ten are shown; of eleven every second. */
	scale = log_scale_of(SVG_BYTES, 1, 512);
	ASSERT_TICKS(&scale, 1, 2, 4, 8, 16, 32, 64, 128, 256, 512);
	scale = log_scale_of(SVG_BYTES, 1, 1024);
	ASSERT_TICKS(&scale, 1, 4, 16, 64, 256, 1024);
	scale = log_scale_of(SVG_BYTES, 1, MIB);
	ASSERT_TICKS(&scale, 1, 8, 64, 512, 4096, 32768, 262144);
	/* One alone would not tell which way numbers grow, two do. */
	scale = log_scale_of(SVG_NUMBER, 5, 15);
	ASSERT_TICKS(&scale, 6, 8, 10, 12, 14);
	scale = log_scale_of(SVG_NUMBER, 1, 10);
	ASSERT_TICKS(&scale, 1, 10);
	scale = log_scale_of(SVG_NUMBER, 2, 7);
	ASSERT_TICKS(&scale, 2, 3, 4, 5, 6, 7);
}

static void range_is_rounded_to_ticks(void **state)
{
	struct svg_scale y = { .from = 0, .to = 5.2 };

	(void)state;
	svg_round_up(&y, 6);
	assert_true(is_near(y.from, 0) && is_near(y.to, 6));
	y = (struct svg_scale){ .from = -0.3, .to = 6 };
	svg_round_up(&y, 7);
	assert_true(is_near(y.from, -1) && is_near(y.to, 6));
	/* What is on a tick by a hair stays there. */
	y = (struct svg_scale){ .from = -2 - 1e-10, .to = 6 + 1e-10 };
	svg_round_up(&y, 8);
	assert_true(is_near(y.from, -2) && is_near(y.to, 6));
	y = (struct svg_scale){ .from = -2e-10, .to = 6 + 2e-10 };
	svg_round_up(&y, 6);
	assert_true(y.from == 0 && is_near(y.to, 6));
	y = (struct svg_scale){ .from = -0.01, .to = 6.01 };
	svg_round_up(&y, 6);
	assert_true(is_near(y.from, -2) && is_near(y.to, 8));
	y = (struct svg_scale){ .axis.unit = SVG_BYTES, .from = 0, .to = 0.5 };
	svg_round_up(&y, 6);
	assert_true(y.from == 0 && y.to == 1);
	y = (struct svg_scale){ .axis.unit = SVG_BYTES, .from = 0, .to = 3 * GIB + 100 };
	svg_round_up(&y, 6);
	assert_true(is_near(y.to, 4 * GIB));
	y = (struct svg_scale){ .axis.unit = SVG_BYTES, .from = -5e-10, .to = 5e-10 };
	svg_round_up(&y, 6);
	assert_true(y.from == 0 && y.to == 1);
}

/* Seven steps of 1 do not fit, where six of them did before they were rounded. */
static void range_that_grows_by_rounding_may_have_longer_steps(void **state)
{
	struct svg_scale y = { .from = -0.1, .to = 5.9 };

	(void)state;
	svg_round_up(&y, 6);
	assert_true(is_near(y.from, -2) && is_near(y.to, 6));
	svg_make_ticks(&y, 6);
	ASSERT_TICKS(&y, -2, 0, 2, 4, 6);
}

/* ---- what can be drawn ---- */

static void absurd_numbers_are_not_usable(void **state)
{
	const struct svg_plot plain = { 0 }, log_plot = { .x.log = true };

	(void)state;
	assert_true(svg_is_usable(&plain, 0, 0));
	assert_true(svg_is_usable(&plain, -5, -5));
	assert_true(svg_is_usable(&plain, 1e100, -1e100));
	assert_true(svg_is_usable(&plain, -1e100, 1e100));
	assert_false(svg_is_usable(&plain, 1.1e100, 0));
	assert_false(svg_is_usable(&plain, 0, -1.1e100));
	assert_false(svg_is_usable(&plain, NAN, 0));
	assert_false(svg_is_usable(&plain, 0, NAN));
	assert_false(svg_is_usable(&plain, INFINITY, 0));
	assert_true(svg_is_usable(&log_plot, 1e-300, 0));
	assert_true(svg_is_usable(&log_plot, DBL_MIN, 0));
	assert_false(svg_is_usable(&log_plot, DBL_MIN / 2, 0));
	assert_true(svg_is_usable(&log_plot, 0.5, -1));
	assert_false(svg_is_usable(&log_plot, 0, 0));
	assert_false(svg_is_usable(&log_plot, -1, 0));
}

static bool find(bool log_axis, const struct svg_series *series, size_t count, struct svg_scale *x,
		 struct svg_scale *y)
{
	struct svg_plot plot = { .x.log = log_axis, .series = series, .count = count };

	*x = (struct svg_scale){ .axis = plot.x };
	*y = (struct svg_scale){ 0 };
	return svg_find_range(&plot, x, y);
}

static void range_holds_all_series_and_zero(void **state)
{
	static const double x1[] = { 5, 3, 7 }, y1[] = { 2, 9, 4 };
	static const double x2[] = { 6, NAN, 8, 1 }, y2[] = { -3, 50, 1, NAN };
	const struct svg_series series[] = { { .x = x1, .y = y1, .count = 3 },
					     { .x = x2, .y = y2, .count = 4 } };
	struct svg_scale x, y;

	(void)state;
	assert_true(find(false, series, 2, &x, &y));
	assert_true(x.from == 3 && x.to == 8);
	assert_true(y.from == -3 && y.to == 9);
	assert_true(find(false, series, 1, &x, &y));
	assert_true(x.from == 3 && x.to == 7);
	assert_true(y.from == 0 && y.to == 9);
	assert_true(find(false, series + 1, 1, &x, &y));
	assert_true(x.from == 6 && x.to == 8 && y.from == -3 && y.to == 1);
	assert_false(find(false, series, 0, &x, &y));
}

static void range_of_one_value_has_some_width(void **state)
{
	static const double zero[] = { 0 }, five[] = { 5, 5 }, large[] = { 4e6 }, minus[] = { -2 };
	static const double close[] = { 5, 5 + 1e-9 }, apart[] = { 5, 5 + 1e-8 };
	struct svg_series series = { .x = five, .y = zero, .count = 1 };
	struct svg_scale x, y;

	(void)state;
	assert_true(find(false, &series, 1, &x, &y));
	assert_true(x.from == 5 && x.to == 6 && y.from == 0 && y.to == 1);
	assert_true(find(true, &series, 1, &x, &y));
	assert_true(x.from == 5 && x.to == 10);
	series = (struct svg_series){ .x = zero, .y = minus, .count = 1 };
	assert_true(find(false, &series, 1, &x, &y));
	assert_true(x.from == 0 && x.to == 1 && y.from == -2 && y.to == 0);
	series = (struct svg_series){ .x = large, .y = five, .count = 1 };
	assert_true(find(false, &series, 1, &x, &y));
	assert_true(is_near(x.to, 4e6 + 4) && y.to == 5);
	series = (struct svg_series){ .x = minus, .y = five, .count = 1 };
	assert_true(find(false, &series, 1, &x, &y));
	assert_true(x.from == -2 && x.to == -1);
	series = (struct svg_series){ .x = close, .y = five, .count = 2 };
	assert_true(find(false, &series, 1, &x, &y));
	assert_true(x.from == 5 && x.to == 6);
	series.x = apart;
	assert_true(find(false, &series, 1, &x, &y));
	assert_true(x.to == apart[1]);
}

/* Numbers that strtod() reads, and that have no powers of ten between them. */
static void range_of_almost_nothing_is_none(void **state)
{
	static const double tiny[] = { 0, 3e-323 }, below[] = { -3e-323, 0 }, zero[] = { 0, 0 };
	static const double least[] = { 0, 2 * DBL_MIN };
	struct svg_series series = { .x = tiny, .y = tiny, .count = 2 };
	struct svg_scale x, y;

	(void)state;
	assert_true(find(false, &series, 1, &x, &y));
	assert_true(x.from == 0 && x.to == 1 && y.from == 0 && y.to == 1);
	series = (struct svg_series){ .x = below, .y = below, .count = 2 };
	assert_true(find(false, &series, 1, &x, &y));
	assert_true(x.to == x.from + 1 && y.to == y.from + 1);
	/* With the least that is something there are ticks still. */
	series = (struct svg_series){ .x = least, .y = zero, .count = 2 };
	assert_true(find(false, &series, 1, &x, &y));
	assert_true(x.to == 2 * DBL_MIN);
	svg_make_ticks(&x, 8);
	assert_int_equal(x.nr_ticks, 5);
	assert_true(x.ticks[1] > 0.9e-308 && x.ticks[1] < 1.1e-308);
	series.x = least + 1;
	series.count = 1;
	assert_true(find(true, &series, 1, &x, &y));
	assert_true(x.from == 2 * DBL_MIN && x.to == 4 * DBL_MIN);
	svg_make_ticks(&x, 8);
	assert_true(x.nr_ticks > 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bytes_have_the_largest_unit_that_fits),
		cmocka_unit_test(time_has_the_unit_of_its_step),
		cmocka_unit_test(numbers_are_bare_and_almost_nothing_is_0),
		cmocka_unit_test(pixels_are_in_proportion),
		cmocka_unit_test(steps_are_1_2_and_5_times_a_power_of_ten),
		cmocka_unit_test(steps_of_bytes_are_powers_of_two_from_1),
		cmocka_unit_test(steps_of_time_are_those_of_a_clock),
		cmocka_unit_test(step_that_fits_but_for_rounding_fits),
		cmocka_unit_test(ticks_are_multiples_of_the_step_within_the_axis),
		cmocka_unit_test(ticks_are_no_more_than_there_is_room_for),
		cmocka_unit_test(log_ticks_are_powers),
		cmocka_unit_test(range_is_rounded_to_ticks),
		cmocka_unit_test(range_that_grows_by_rounding_may_have_longer_steps),
		cmocka_unit_test(absurd_numbers_are_not_usable),
		cmocka_unit_test(range_holds_all_series_and_zero),
		cmocka_unit_test(range_of_one_value_has_some_width),
		cmocka_unit_test(range_of_almost_nothing_is_none),
	};

	return cmocka_run_group_tests_name("svg_scale", tests, NULL, NULL);
}
