/* SPDX-License-Identifier: BSD-2-Clause */
/* tools/balloonctl/progress.c, progress_text.c: the bar never lies and never breaks a line. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>

#include <cmocka.h>

#include <string.h>

#include "tools/balloonctl/progress.h"

#define MIB (1024ull * 1024)
#define RAM (1024 * MIB)

/* On a terminal, or not; nothing is shown until there is a second sample. */
static void begin(struct progress *progress, uint64_t from, uint64_t to, bool terminal)
{
	progress_begin(progress, RAM, from, to, 1000);
	progress->terminal = terminal;
}

static void add(struct progress *progress, uint64_t left, int64_t now)
{
	unsigned at = progress->count++ % PROGRESS_SAMPLES;

	progress->samples[at].left = left;
	progress->samples[at].time = now;
}

static void assert_text(const struct progress *progress, size_t width, const char *text)
{
	char is[200];

	memset(is, 'x', sizeof(is));
	progress_text(progress, is, width);
	assert_true(strlen(is) <= width);
	assert_string_equal(is, text);
}

static void bar_has_rate_and_time_left(void **state)
{
	struct progress p;

	(void)state;
	begin(&p, RAM, 512 * MIB, true);
	add(&p, 768 * MIB, 3000);
	assert_text(&p, 79,
		    "[####.....]  50%  768.0 MiB left, 256.0 MiB taken, 128.0 MiB/s, 2 s to go");
	add(&p, 512 * MIB, 4000);
	assert_text(&p, 79, "[#########] 100%  512.0 MiB left, 512.0 MiB taken");
}

static void longest_words_fit_beside_a_bar_in_80_columns(void **state)
{
	struct progress p;

	(void)state;
	begin(&p, 1000 * MIB, 100 * MIB, true);
	add(&p, 150 * MIB, 2000);
	assert_text(
		&p, 79,
		"[########.]  94%  150.0 MiB left, 874.0 MiB taken, 850.0 MiB/s, under 1 s to go");
}

static void rate_is_known_after_a_millisecond(void **state)
{
	struct progress p;

	(void)state;
	begin(&p, RAM, 512 * MIB, false);
	add(&p, 1023 * MIB, 1001);
	assert_text(&p, 120, "  0%  1023 MiB left, 1.000 MiB taken, 1000 MiB/s, under 1 s to go");
}

static void lines_have_no_bar(void **state)
{
	struct progress p;

	(void)state;
	begin(&p, 256 * MIB, RAM, false);
	add(&p, 1000 * MIB, 1100);
	assert_text(&p, 120, " 96%  1000 MiB left, 24.00 MiB taken, 7.266 GiB/s, under 1 s to go");
}

static void who_stands_still_has_no_rate(void **state)
{
	struct progress p;

	(void)state;
	begin(&p, RAM, 512 * MIB, false);
	add(&p, 768 * MIB, 1500);
	for (int i = 0; i < PROGRESS_SAMPLES; i++)
		add(&p, 768 * MIB, 1700 + i * 200);
	assert_text(&p, 120, " 50%  768.0 MiB left, 256.0 MiB taken");
	/* In no time. */
	begin(&p, RAM, 512 * MIB, false);
	add(&p, 768 * MIB, 1000);
	assert_text(&p, 120, " 50%  768.0 MiB left, 256.0 MiB taken");
}

static void wrong_direction_is_no_progress(void **state)
{
	struct progress p;

	(void)state;
	begin(&p, 512 * MIB, 256 * MIB, false);
	add(&p, 768 * MIB, 2000);
	assert_text(&p, 120, "  0%  768.0 MiB left, 256.0 MiB taken");
	begin(&p, 512 * MIB, 256 * MIB, false);
	add(&p, 0, 2000);
	assert_text(&p, 120, "100%  0 B left, 1.000 GiB taken");
	/* Half of the way too far. */
	begin(&p, 512 * MIB, 256 * MIB, false);
	add(&p, 128 * MIB, 2000);
	assert_text(&p, 120, "100%  128.0 MiB left, 896.0 MiB taken");
	/* Who is there already has no way: neither this one back. */
	begin(&p, 512 * MIB, 512 * MIB, false);
	for (int i = 0; i < 2 * PROGRESS_SAMPLES; i++)
		add(&p, (700 - (uint64_t)i) * MIB, 2000 + i * 100);
	add(&p, 600 * MIB, 9000);
	assert_text(&p, 120, "100%  600.0 MiB left, 424.0 MiB taken");
}

static void rate_is_that_of_the_newest_samples(void **state)
{
	struct progress p;

	(void)state;
	begin(&p, RAM, 0, false);
	add(&p, 512 * MIB, 1001);
	for (int i = 1; i <= 100; i++)
		add(&p, (512 - (uint64_t)i) * MIB, 1000 + i * 1000);
	assert_text(&p, 120, " 59%  412.0 MiB left, 612.0 MiB taken, 1.000 MiB/s, 412 s to go");
	/* 14 MiB in the last seven seconds. */
	add(&p, 404 * MIB, 102000);
	assert_text(&p, 120, " 60%  404.0 MiB left, 620.0 MiB taken, 2.000 MiB/s, 202 s to go");
}

static void narrow_terminal_has_what_fits(void **state)
{
	struct progress p;

	(void)state;
	begin(&p, RAM, 512 * MIB, true);
	add(&p, 768 * MIB, 3000);
	assert_text(&p, 20, " 50%  768.0 MiB left");
	assert_text(&p, 1, " ");
}

/* Memory that is plugged or unplugged on the way counts at once. */
static void ram_may_change_on_the_way(void **state)
{
	struct progress p;

	(void)state;
	begin(&p, RAM, 512 * MIB, false);
	progress_update(&p, 1536 * MIB, 1536 * MIB, 1001);
	assert_text(&p, 100, "  0%  1.500 GiB left, 0 B taken");
	progress_update(&p, 768 * MIB, 512 * MIB, 1002);
	assert_text(&p, 100, "100%  512.0 MiB left, 256.0 MiB taken");
}

/* A byte to go is not none. */
static void least_way_is_one(void **state)
{
	struct progress p;

	(void)state;
	begin(&p, RAM, RAM - 1, false);
	add(&p, RAM, 2000);
	assert_text(&p, 120, "  0%  1.000 GiB left, 0 B taken");
	add(&p, RAM - 1, 3000);
	assert_text(&p, 120, "100%  1.000 GiB left, 1 B taken");
	begin(&p, RAM, RAM - 2, false);
	add(&p, RAM - 1, 2000);
	assert_text(&p, 120, " 50%  1.000 GiB left, 1 B taken, 1 B/s, 1 s to go");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bar_has_rate_and_time_left),
		cmocka_unit_test(longest_words_fit_beside_a_bar_in_80_columns),
		cmocka_unit_test(rate_is_known_after_a_millisecond),
		cmocka_unit_test(lines_have_no_bar),
		cmocka_unit_test(who_stands_still_has_no_rate),
		cmocka_unit_test(wrong_direction_is_no_progress),
		cmocka_unit_test(rate_is_that_of_the_newest_samples),
		cmocka_unit_test(narrow_terminal_has_what_fits),
		cmocka_unit_test(ram_may_change_on_the_way),
		cmocka_unit_test(least_way_is_one),
	};

	return cmocka_run_group_tests_name("balloonctl/progress", tests, NULL, NULL);
}
