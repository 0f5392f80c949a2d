/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tools/balloonctl/watch.c without a terminal, by a clock of this test's own: what each key
 * does, picture by picture, which guests are looked for and when, how it ends.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>

#include <cmocka.h>

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <ncurses.h>

#include "tests/unit/tools/balloonctl/fake_pollers.h"
#include "tests/unit/tools/failing.h"
#include "tools/balloonctl/command.h"
#include "tools/balloonctl/periodic.h"
#include "tools/balloonctl/watch_draw.h"
#include "tools/balloonctl/watch_terminal.h"

#define ALARM_S 60u /* for ever */
#define TIMEOUT_MS 700
#define REDRAW_MS 250
#define PICTURES 64
#define ROWS_MAX 40
#define COLUMNS_MAX 128

/* ---- a terminal: pictures, and a key after each ---- */

static char pictures[PICTURES][ROWS_MAX][COLUMNS_MAX];
static size_t nr_pictures;
static bool unicode;
static const int *keys; /* ERR: none is pressed; 0: for ever */
static int start_status, wait_ms;
static unsigned nr_ends, nr_clears;
static size_t lines_at; /* the terminal has other rows after so many pictures; 0: never */
static int lines_then;

int __wrap_watch_terminal_start(int ms);
int __wrap_watch_terminal_start(int ms)
{
	wait_ms = ms;
	stop_on_signals();
	return start_status;
}

void __wrap_watch_terminal_show(const struct grid *grid);
void __wrap_watch_terminal_show(const struct grid *grid)
{
	assert_true(nr_pictures < PICTURES && grid->rows <= ROWS_MAX);
	assert_true(grid->columns < COLUMNS_MAX);
	assert_true(grid->rows == LINES && grid->columns == COLS);
	unicode = grid->unicode;
	for (int row = 0; row < grid->rows; row++) {
		char *text = pictures[nr_pictures][row];
		int length = grid->columns;

		for (int i = 0; i < length; i++)
			text[i] = (char)grid->cells[row * grid->columns + i].character;
		while (length > 0 && text[length - 1] == ' ')
			length--;
		text[length] = '\0';
	}
	nr_pictures++;
}

int __wrap_wgetch(WINDOW *window);
int __wrap_wgetch(WINDOW *window)
{
	(void)window;
	if (lines_at && nr_pictures == lines_at)
		LINES = lines_then;
	fake_pass(REDRAW_MS);
	return *keys ? *keys++ : ERR;
}

int __wrap_endwin(void);
int __wrap_endwin(void)
{
	nr_ends++;
	return OK;
}

int __wrap_clearok(WINDOW *window, bool on);
int __wrap_clearok(WINDOW *window, bool on)
{
	(void)window;
	nr_clears += on;
	return OK;
}

/* ---- the command ---- */

static char err[4096];

static int begin(void **state)
{
	(void)state;
	alarm(ALARM_S);
	fake_begin();
	memset(pictures, 0, sizeof(pictures));
	nr_pictures = 0;
	start_status = 0;
	nr_ends = nr_clears = 0;
	lines_at = 0;
	LINES = 24;
	COLS = 80;
	return 0;
}

static int run_words(const int *typed, char **argv)
{
	const struct common common = { .timeout_ms = TIMEOUT_MS };
	FILE *file = tmpfile();
	int saved = dup(STDERR_FILENO), status, argc = 0;

	keys = typed;
	while (argv[argc])
		argc++;
	fflush(NULL);
	dup2(fileno(file), STDERR_FILENO);
	status = command_run(command_find("watch"), &common, argc, argv);
	fflush(NULL);
	dup2(saved, STDERR_FILENO);
	close(saved);
	rewind(file);
	err[fread(err, 1, sizeof(err) - 1, file)] = '\0';
	fclose(file);
	return status;
}

#define KEYS(...) ((const int[]){ __VA_ARGS__, 0 })
#define RUN(keys, ...) \
	run_words(keys, (char **)(uintptr_t)(const char *const[]){ "watch", __VA_ARGS__ })

static bool shows(size_t picture, const char *words)
{
	assert_true(picture < nr_pictures);
	for (int row = 0; row < ROWS_MAX; row++)
		if (strstr(pictures[picture][row], words))
			return true;
	return false;
}

/* Names of the table, topmost first, a letter each; capital: it is selected. */
static const char *table_of(size_t picture)
{
	static char text[ROWS_MAX + 1];
	int length = 0;

	for (int row = 2; row < LINES - 1; row++) {
		const char *line = pictures[picture][row];

		if (!line[0] || !line[1])
			break;
		text[length++] = line[0] == '>' ? (char)(line[1] - 'a' + 'A') : line[1];
	}
	text[length] = '\0';
	return text;
}

static void assert_tables(const char *const *tables)
{
	for (size_t i = 0; tables[i]; i++)
		if (i >= nr_pictures || strcmp(table_of(i), tables[i]) != 0)
			fail_msg("picture %zu has %s, not %s", i, table_of(i), tables[i]);
}

#define ASSERT_TABLES(...) assert_tables((const char *const[]){ __VA_ARGS__, NULL })

/* Each with its own amounts; the names are in no order. */
static void add_guests(size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct sample *sample = fake_add(i, 0);

		sample->state.left = 100 * (i + 1);
		sample->state.taken = 1000 - sample->state.left;
	}
}

/* ---- keys ---- */

static void keys_select_a_guest_of_the_table(void **state)
{
	(void)state;
	add_guests(3);
	assert_int_equal(RUN(KEYS('j', 'j', 'j', 'k', 'k', 'k', 'q'), "c", "a", "b", NULL),
			 EXIT_REACHED);
	assert_string_equal(err, "");
	ASSERT_TABLES("Cab", "cAb", "caB", "caB", "cAb", "Cab", "Cab");
	assert_int_equal(nr_pictures, 7);
	assert_int_equal(nr_ends, 1);
	assert_int_equal(wait_ms, REDRAW_MS);
	for (size_t i = 0; i < 3; i++)
		assert_true(fake.pollers[i].stopped);
	begin(NULL);
	add_guests(3);
	RUN(KEYS(KEY_DOWN, KEY_UP, KEY_LEFT, 'x', 'Q'), "c", "a", "b", NULL);
	ASSERT_TABLES("Cab", "cAb", "Cab", "Cab", "Cab");
	assert_int_equal(nr_pictures, 5);
}

static void selected_guest_is_among_those_that_are_shown(void **state)
{
	(void)state;
	add_guests(6);
	/* A headline, a heading, three guests, a blank row and the legend. */
	LINES = 6;
	RUN(KEYS('j', 'j', 'j', 'j', 'j', 'j', 'k', 'k', 'k', 'k', 'q'), "a", "b", "c", "d", "e",
	    "f", NULL);
	ASSERT_TABLES("Abc", "aBc", "abC", "bcD", "cdE", "deF", "deF", "dEf", "Def", "Cde", "Bcd");
	assert_true(shows(0, "1 to 3 of 6") && shows(4, "3 to 5 of 6"));
	/* Wherever it is sorted to. */
	begin(NULL);
	add_guests(4);
	LINES = 5;
	RUN(KEYS('M', 'q'), "a", "b", "c", "d", NULL);
	ASSERT_TABLES("Ab", "bA");
}

static void rows_of_a_terminal_that_grows_are_all_used(void **state)
{
	static const struct {
		int rows;
		const char *table;
	} all[] = {
		{ 6, "deF" }, { 7, "cdeF" }, { 8, "bcdeF" }, { 9, "abcdeF" }, { 24, "abcdeF" }
	};

	(void)state;
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		begin(NULL);
		add_guests(6);
		LINES = 6;
		lines_at = 6;
		lines_then = all[i].rows;
		RUN(KEYS('j', 'j', 'j', 'j', 'j', KEY_RESIZE, 'q'), "a", "b", "c", "d", "e", "f",
		    NULL);
		assert_string_equal(table_of(6), all[i].table);
	}
	/* One that shrinks shows the selected one yet. */
	begin(NULL);
	add_guests(4);
	LINES = 24;
	lines_at = 3;
	lines_then = 5;
	RUN(KEYS('j', 'j', KEY_RESIZE, 'q'), "a", "b", "c", "d", NULL);
	assert_string_equal(table_of(3), "bC");
}

static void keys_change_the_window(void **state)
{
	static const char *const longer[] = { ", 5 min", ", 15 min", ", 1 h", ", 6 h", ", 24 h" };

	(void)state;
	add_guests(1);
	RUN(KEYS('+', '+', '+', '+', '+', '-', '-', '-', '-', '-', '-', 'q'), "a", NULL);
	for (size_t i = 0; i < 5; i++)
		assert_true(shows(i, longer[i]));
	assert_true(shows(5, ", 24 h") && shows(6, ", 6 h") && shows(9, ", 5 min"));
	assert_true(shows(10, ", 1 min") && shows(11, ", 1 min"));
}

static void list_of_keys_is_left_by_any_of_them(void **state)
{
	(void)state;
	add_guests(3);
	RUN(KEYS('?', ERR, KEY_RESIZE, 'j', 'j', '?', '?', '?', 'q'), "c", "a", "b", NULL);
	for (size_t i = 0; i < 9; i++)
		assert_int_equal(shows(i, "balloonctl watch: keys"),
				 (i >= 1 && i <= 3) || i == 6 || i == 8);
	/* That one does nothing else. */
	assert_string_equal(table_of(4), "Cab");
	assert_string_equal(table_of(5), "cAb");
	assert_int_equal(nr_pictures, 9);
}

static void selected_guest_is_shown_alone_and_with_others(void **state)
{
	(void)state;
	add_guests(3);
	RUN(KEYS('j', '\n', 'j', '\r', KEY_ENTER, KEY_ENTER, 'q'), "c", "a", "b", NULL);
	assert_true(shows(1, "GUEST") && !shows(2, "GUEST") && !shows(3, "GUEST"));
	assert_string_equal(pictures[2][1], " a");
	assert_string_equal(pictures[3][1], " b");
	assert_true(shows(4, "GUEST") && !shows(5, "GUEST") && shows(6, "GUEST"));
	assert_string_equal(table_of(4), "caB");
}

static void keys_sort_the_table(void **state)
{
	(void)state;
	add_guests(3);
	RUN(KEYS('N', 'M', 'T', 'r', 'r', 'N', 'r', 'q'), "c", "a", "b", NULL);
	/* The same guest stays selected; another order begins as it should. */
	ASSERT_TABLES("Cab", "abC", "baC", "Cab", "baC", "Cab", "abC", "Cba");
	/* Turned round first it is by name. */
	begin(NULL);
	add_guests(3);
	RUN(KEYS('j', 'r', 'M', 'q'), "c", "a", "b", NULL);
	ASSERT_TABLES("Cab", "cAb", "cbA", "bAc");
}

static void every_column_has_its_key(void **state)
{
	(void)state;
	for (size_t i = 0; i < 3; i++) {
		for (int look = 0; look <= 1; look++) {
			struct sample *sample = fake_add(i, look ? 200 : 0);

			sample->state.has_target = true;
			sample->state.target_left = (uint64_t[]){ 300, 200, 250 }[i];
			sample->has_stats = sample->has_cost = true;
			sample->stats.ever = true;
			sample->stats.present = 1u << STAT_FREE_MEMORY;
			sample->stats.value[STAT_FREE_MEMORY] = (uint64_t[]){ 30, 40, 20 }[i];
			sample->cost.resident = (uint64_t[]){ 5, 7, 9 }[i];
			sample->cost.cpu_ms = look ? (uint64_t[]){ 60, 50, 70 }[i] : 0;
			sample->state.taken = look ? (uint64_t[]){ 210, 220, 280 }[i] : 200;
			sample->state.left = 1000 - sample->state.taken;
		}
	}
	COLS = 100;
	RUN(KEYS('G', 'F', 'H', 'P', 'C', 'n', 'q'), "c", "a", "b", NULL);
	ASSERT_TABLES("Cab", "Cba", "aCb", "baC", "bCa", "baC", "baC");
}

static void key_draws_all_anew(void **state)
{
	(void)state;
	add_guests(1);
	RUN(KEYS('L' & 0x1f, 'l', 'q'), "a", NULL);
	assert_int_equal(nr_clears, 1);
	assert_int_equal(nr_pictures, 3);
}

/* ---- guests ---- */

/* Every two seconds, by pictures a quarter of a second apart. */
static void guests_that_come_are_found(void **state)
{
	static const int typed[] = { ERR, ERR, ERR, ERR, ERR, ERR, ERR, ERR, ERR, ERR,
				     ERR, ERR, ERR, ERR, ERR, ERR, ERR, 'q', 0 };

	(void)state;
	fake.nr_found = 1;
	add_guests(2);
	LINES = 24;
	assert_int_equal(RUN(typed, NULL), EXIT_REACHED);
	assert_int_equal(nr_pictures, 18);
	/* At the beginning, at 2 and at 4 seconds. */
	assert_int_equal(fake.nr_lists, 3);
	assert_true(shows(17, "watch: 1 guest,"));
	/* None at first. */
	begin(NULL);
	assert_int_equal(RUN(KEYS(ERR, 'j', 'k', 'N', '\n', 'q'), NULL), EXIT_REACHED);
	assert_true(shows(5, "watch: 0 guests,") && shows(5, "no guest runs here yet"));
}

/* At the next search; the selected one stays, wherever it stands then. */
static void newcomer_is_drawn(void **state)
{
	static const int typed[] = { 'N', 'r', ERR, ERR, ERR, ERR, ERR, ERR, 'q', 0 };

	(void)state;
	add_guests(2);
	fake.nr_found = 1;
	fake.another_at = FAKE_BEGIN + 250;
	assert_int_equal(RUN(typed, NULL), EXIT_REACHED);
	assert_int_equal(fake.nr_pollers, 2);
	assert_true(shows(7, "watch: 1 guest,") && shows(8, "watch: 2 guests,"));
	assert_int_equal(fake.nr_lists, 2);
	assert_string_equal(pictures[8][1], " g1");
}

static void what_is_seen_is_drawn(void **state)
{
	struct sample *sample;

	(void)state;
	fake_add(0, 250);
	sample = fake_add(0, 500);
	sample->state.left = 300;
	sample->state.taken = 700;
	RUN(KEYS(ERR, ERR, 'q'), "web", "--interval", "0.5", NULL);
	assert_true(shows(0, "connecting"));
	assert_true(shows(1, "left 800 B") && shows(2, "left 300 B"));
	assert_true(shows(2, "taken 700 B") && shows(2, "inflating"));
	assert_true(shows(0, "every 0.5 s"));
	assert_int_equal(fake.pollers[0].rate.interval_ms, 500);
	assert_int_equal(fake.pollers[0].rate.timeout_ms, TIMEOUT_MS);
}

/* ---- beginning and end ---- */

static void characters_are_those_of_the_locale(void **state)
{
	(void)state;
	add_guests(1);
	setenv("LC_ALL", "C.UTF-8", 1);
	RUN(KEYS('q'), "a", NULL);
	assert_true(unicode);
	begin(NULL);
	RUN(KEYS('q'), "a", "--ascii", NULL);
	assert_false(unicode);
	begin(NULL);
	setenv("LC_ALL", "C", 1);
	RUN(KEYS('q'), "a", NULL);
	assert_false(unicode);
	unsetenv("LC_ALL");
}

static void windows_are_named_in_several_ways(void **state)
{
	static const struct {
		const char *value, *title;
	} all[] = {
		{ "1m", ", 1 min" },   { "1min", ", 1 min" },	{ "5m", ", 5 min" },
		{ "15m", ", 15 min" }, { "15min", ", 15 min" }, { "1h", ", 1 h" },
		{ "6h", ", 6 h" },     { "24h", ", 24 h" },
	};
	static const char *const bad[] = { "", "1", "m", "1mi", "2m", "5", "h", "24", "1hh", "1d" };

	(void)state;
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		begin(NULL);
		add_guests(1);
		assert_int_equal(RUN(KEYS('q'), "a", "--window", all[i].value, NULL), EXIT_REACHED);
		assert_true(shows(0, all[i].title));
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		begin(NULL);
		assert_int_equal(RUN(KEYS('q'), "a", "--window", bad[i], NULL), EXIT_USAGE);
		assert_non_null(strstr(err, ": 1m, 5m, 15m, 1h, 6h or 24h is wanted\n"));
		assert_int_equal(nr_pictures, 0);
	}
}

static void signal_ends_it(void **state)
{
	(void)state;
	add_guests(1);
	fake.stop_at = FAKE_BEGIN + 600;
	assert_int_equal(RUN(KEYS(ERR, ERR, ERR, ERR, 'q'), "a", NULL), EXIT_REACHED);
	assert_int_equal(nr_pictures, 3);
	assert_int_equal(nr_ends, 1);
	assert_true(fake.pollers[0].stopped);
}

static void terminal_that_does_not_start_is_the_end(void **state)
{
	(void)state;
	add_guests(1);
	start_status = EXIT_WRONG;
	assert_int_equal(RUN(KEYS('q'), "a", NULL), EXIT_WRONG);
	assert_true(nr_pictures == 0 && nr_ends == 0);
	assert_true(fake.pollers[0].stopped);
}

static void memory_that_is_short_ends_it(void **state)
{
	unsigned n = 0;
	int status;

	(void)state;
	do {
		begin(NULL);
		add_guests(1);
		fail_nth(FAILING_MEMORY, ++n);
		status = RUN(KEYS('q'), "a", NULL);
		assert_int_equal(status, failed_call() ? EXIT_WRONG : EXIT_REACHED);
		if (!failed_call())
			continue;
		assert_true(strstr(err, "out of memory") || strstr(err, strerror(ENOMEM)));
		assert_int_equal(nr_pictures, 0);
	} while (failed_call());
	fail_nth(FAILING_MEMORY, 0);
	/* The guests, the views, their order, the picture. */
	assert_true(n > 4);
	assert_int_equal(nr_ends, 1);
}

#define WATCH_TEST(name) cmocka_unit_test_setup(name, begin)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WATCH_TEST(keys_select_a_guest_of_the_table),
		WATCH_TEST(selected_guest_is_among_those_that_are_shown),
		WATCH_TEST(rows_of_a_terminal_that_grows_are_all_used),
		WATCH_TEST(keys_change_the_window),
		WATCH_TEST(list_of_keys_is_left_by_any_of_them),
		WATCH_TEST(selected_guest_is_shown_alone_and_with_others),
		WATCH_TEST(keys_sort_the_table),
		WATCH_TEST(every_column_has_its_key),
		WATCH_TEST(key_draws_all_anew),
		WATCH_TEST(guests_that_come_are_found),
		WATCH_TEST(newcomer_is_drawn),
		WATCH_TEST(what_is_seen_is_drawn),
		WATCH_TEST(characters_are_those_of_the_locale),
		WATCH_TEST(windows_are_named_in_several_ways),
		WATCH_TEST(signal_ends_it),
		WATCH_TEST(terminal_that_does_not_start_is_the_end),
		WATCH_TEST(memory_that_is_short_ends_it),
	};

	return cmocka_run_group_tests_name("balloonctl/watch_clock", tests, NULL, NULL);
}
