/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tools/balloonctl/progress.c on terminals of many widths, and in a file. The words
 * themselves are for progress_test.c.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tests/unit/tools/balloonctl/screen.h"
#include "tools/balloonctl/progress.h"

#define MIB (1024ull * 1024)
#define RAM (1024 * MIB)

/* ---- a terminal ---- */

static struct screen screen;

/* Half of the way; `arg` says whether it goes on to the end. */
static int move_to_half(void *arg)
{
	const bool *to_the_end = arg;
	struct progress progress;

	progress_begin(&progress, RAM, RAM, RAM / 2, 1000);
	progress_update(&progress, RAM, 768 * MIB, 3000);
	if (*to_the_end)
		progress_update(&progress, RAM, 512 * MIB, 4000);
	progress_end(&progress);
	puts("after");
	/* Nothing is left that could be ended. */
	progress_end(&progress);
	puts("it");
	return 0;
}

static void show(int columns, bool to_the_end)
{
	screen_start(&screen, 9, columns, "xterm", move_to_half, &to_the_end);
	assert_int_equal(screen_end(&screen), 0);
}

static void assert_row(int row, const char *text)
{
	for (int c = 0; c < screen.columns; c++) {
		unsigned wanted = c < (int)strlen(text) ? (unsigned char)text[c] : ' ';

		if (screen.cells[row][c].character != wanted)
			fail_msg("row %d, column %d: '%c' instead of '%c'", row, c,
				 (int)screen.cells[row][c].character, (int)wanted);
	}
}

static void bar_stands_on_one_line(void **state)
{
	(void)state;
	show(80, false);
	assert_row(0, "[####.....]  50%  768.0 MiB left, 256.0 MiB taken, 128.0 MiB/s, 2 s to go");
	assert_row(1, "after");
	assert_row(2, "it");
	/* Nothing of the longer words stays behind the shorter ones. */
	show(80, true);
	assert_row(0, "[#########] 100%  512.0 MiB left, 512.0 MiB taken");
	assert_row(1, "after");
}

#define WORDS "  50%  768.0 MiB left, 256.0 MiB taken, 128.0 MiB/s, 2 s to go"

/* The last column stays free. */
static void bar_is_as_wide_as_the_terminal(void **state)
{
	(void)state;
	show(81, false);
	assert_row(0, "[#####.....]  50%  768.0 MiB left, 256.0 MiB taken, 128.0 MiB/s, 2 s to go");
	show(80, false);
	assert_row(0, "[####.....]" WORDS);
	/* Too narrow for one. */
	show(79, false);
	assert_row(0, "[####....]" WORDS);
	show(78, false);
	assert_row(0, &WORDS[1]);
	/* And long enough. */
	show(109, false);
	assert_row(0, "[###################...................]" WORDS);
	show(110, false);
	assert_row(0, "[###################...................]" WORDS);
	show(200, false);
	assert_row(0, "[###################...................]" WORDS);
	show(20, false);
	assert_row(0, " 50%  768.0 MiB lef");
	assert_row(1, "after");
	show(2, false);
	assert_row(0, " ");
	assert_row(1, "af");
}

/* It is said to be 0 columns wide, or 1, by what does not know. */
static void unknown_width_is_80(void **state)
{
	struct screen *s = &screen;
	bool to_the_end = false;

	(void)state;
	for (int columns = 0; columns < 2; columns++) {
		screen_start(s, 9, columns, "xterm", move_to_half, &to_the_end);
		s->columns = 80;
		assert_int_equal(screen_end(s), 0);
		assert_row(0, "[####.....]  50%  768.0 MiB left, 256.0 MiB taken, 128.0 MiB/s, "
			      "2 s to go");
	}
}

/* ---- a file ---- */

static void assert_written(const char *text)
{
	static char is[4096];
	off_t end = lseek(STDOUT_FILENO, 0, SEEK_CUR);

	assert_true(end >= 0);
	assert_int_equal(pread(STDOUT_FILENO, is, sizeof(is) - 1, 0), end);
	is[end] = '\0';
	assert_string_equal(is, text);
}

#define HALF " 50%  768.0 MiB left, 256.0 MiB taken"

static void file_gets_a_line_a_second(void **state)
{
	struct progress progress;
	FILE *file = tmpfile();
	int saved;

	(void)state;
	assert_non_null(file);
	fflush(NULL);
	saved = dup(STDOUT_FILENO);
	dup2(fileno(file), STDOUT_FILENO);
	progress_begin(&progress, RAM, RAM, RAM / 2, 1000);
	assert_written("");
	progress_update(&progress, RAM, 768 * MIB, 1999);
	assert_written("");
	/* What is written is there at once. */
	progress_update(&progress, RAM, 768 * MIB, 2000);
	assert_written(HALF ", 256.0 MiB/s, 1 s to go\n");
	progress_update(&progress, RAM, 768 * MIB, 2999);
	progress_update(&progress, RAM, 768 * MIB, 3000);
	assert_written(HALF ", 256.0 MiB/s, 1 s to go\n" HALF ", 128.0 MiB/s, 2 s to go\n");
	progress_end(&progress);
	fflush(stdout);
	assert_written(HALF ", 256.0 MiB/s, 1 s to go\n" HALF ", 128.0 MiB/s, 2 s to go\n");
	dup2(saved, STDOUT_FILENO);
	close(saved);
	fclose(file);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bar_stands_on_one_line),
		cmocka_unit_test(bar_is_as_wide_as_the_terminal),
		cmocka_unit_test(unknown_width_is_80),
		cmocka_unit_test(file_gets_a_line_a_second),
	};

	return cmocka_run_group_tests_name("balloonctl/progress_shows", tests, NULL, NULL);
}
