/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tools/balloonctl/watch.c on a terminal: what a person sees, on terminals of several
 * sizes, and which keys do what. What is drawn where is for watch_draw_test.c.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>

#include <cmocka.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/tools/balloonctl/fake_qemu.h"
#include "tests/unit/tools/balloonctl/screen.h"
#include "tests/unit/tools/failing.h"
#include "tools/balloonctl/command.h"

#define BLUE 4
#define GREEN 2
#define MAGENTA 5
#define YELLOW 3
#define RED 1

#define CLEAR_KEY "\x0c" /* Ctrl-L */
#define UP_KEY "\x1bOA"	 /* as xterm sends them to a program that wants a keypad */
#define DOWN_KEY "\x1bOB"

#define FAILED 64 /* besides the status */

static struct screen screen;
static unsigned failing; /* the allocation that fails, from 1; 0: none does */

/* The words of a command after its name; NULL ends them. */
static int watch(void *arg)
{
	const char *const *words = arg;
	struct common common = { .guest = NULL };
	char *argv[16] = { strdup("watch") };
	int argc = 1, status;

	while (words[argc - 1]) {
		argv[argc] = strdup(words[argc - 1]);
		argc++;
	}
	complain_for("watch");
	fail_nth(FAILING_MEMORY, failing);
	status = command_run(&command_watch, &common, argc, argv);
	status |= failed_call() ? FAILED : 0;
	fail_nth(FAILING_MEMORY, 0);
	while (argc)
		free(argv[--argc]);
	return status;
}

static void start(int rows, int columns, const char *term, const char *const *words)
{
	screen_start(&screen, rows, columns, term, watch, (void *)(uintptr_t)words);
}

#define START_WIDE(rows, columns, ...) \
	start(rows, columns, "xterm", (const char *const[]){ __VA_ARGS__, NULL })
#define START(rows, ...) START_WIDE(rows, 80, __VA_ARGS__)

static void await(const char *text)
{
	int row, column;

	screen_await(&screen, text, &row, &column);
}

static void quit(const char *key)
{
	screen_type(&screen, key);
	assert_int_equal(screen_end(&screen), EXIT_REACHED);
}

/* The mark before a word of the legend, and how it is drawn. */
static const struct screen_cell *mark_of(const char *word)
{
	int column;

	for (column = 0; column + (int)strlen(word) < screen.columns; column++) {
		const struct screen_cell *row = screen.cells[screen.rows - 1];
		size_t same = 0;

		while (word[same] && row[column + (int)same].character == (unsigned)word[same])
			same++;
		if (!word[same])
			return &row[column - 2];
	}
	fail_msg("the last row has no \"%s\"", word);
	return NULL;
}

static void guest_is_watched_until_q(void **state)
{
	const struct fake_qemu qemu = { .left_before = 768 * MIB };
	struct fake_place place;
	int row, column;

	(void)state;
	fake_qemu_start(&qemu, &place);
	START(24, place.path);
	screen_await(&screen, "768.0 MiB", &row, &column);
	screen_await(&screen, "balloonctl watch: 1 guest, every 1 s", &row, &column);
	assert_int_equal(row, 0);
	assert_true(screen.cells[row][column].bold);
	screen_await(&screen, "q quits", &row, &column);
	assert_int_equal(row, 23);
	assert_true(screen.cells[row][column].dim);
	assert_true(screen.hides_cursor && screen.is_other);
	quit("q");
	/* The person has the terminal back as it was. */
	assert_false(screen.hides_cursor || screen.is_other);
	fake_qemu_stop(&place);
}

static void capital_q_quits_as_well(void **state)
{
	(void)state;
	START(24, "/nowhere/a");
	await("q quits");
	quit("Q");
}

/* Nothing of what is typed appears. */
static void other_keys_do_nothing(void **state)
{
	(void)state;
	START(24, "/nowhere/a");
	await("gone");
	screen_type(&screen, "Wxyz\n");
	screen_soil(&screen);
	screen_type(&screen, CLEAR_KEY);
	await("gone");
	assert_false(screen_shows(&screen, "Wxyz", NULL, NULL));
	quit("q");
}

static void marks_have_their_colours(void **state)
{
	(void)state;
	START(24, "/nowhere/a");
	await("q quits");
	assert_int_equal(mark_of("used")->colour, BLUE);
	assert_int_equal(mark_of("free")->colour, GREEN);
	assert_int_equal(mark_of("taken")->colour, MAGENTA);
	assert_int_equal(mark_of("target")->colour, YELLOW);
	assert_false(mark_of("used")->bold || mark_of("used")->dim);
	quit("q");
}

static void what_is_wrong_is_red_and_bold(void **state)
{
	int row, column;

	(void)state;
	START(24, "/nowhere/a");
	screen_await(&screen, "gone: /nowhere", &row, &column);
	assert_int_equal(screen.cells[row][column].colour, RED);
	assert_true(screen.cells[row][column].bold);
	/* Its name has no colour. */
	assert_true(screen_shows(&screen, "/nowhere/a", &row, &column));
	assert_int_equal(screen.cells[row][column].colour, SCREEN_NO_COLOUR);
	quit("q");
}

static void terminal_without_colours_does(void **state)
{
	const char *const words[] = { "/nowhere/a", NULL };

	(void)state;
	start(24, 80, "vt220", words);
	await("q quits");
	assert_int_equal(mark_of("used")->colour, SCREEN_NO_COLOUR);
	quit("q");
}

static void interval_is_shown(void **state)
{
	(void)state;
	START(24, "--interval", "0.5", "/nowhere/a");
	await("every 0.5 s");
	quit("q");
}

/* ---- UTF-8 ---- */

static bool shows_more_than_ascii(void)
{
	for (int r = 0; r < screen.rows; r++)
		for (int c = 0; c < screen.columns; c++)
			if (screen.cells[r][c].character > 0x7f)
				return true;
	return false;
}

static void locale_decides_what_is_drawn_with(void **state)
{
	(void)state;
	setenv("LC_ALL", "C.UTF-8", 1);
	START(24, "/nowhere/a");
	await("q quits");
	assert_true(shows_more_than_ascii());
	assert_int_equal(mark_of("target")->character, 0x2502);
	quit("q");
	START(24, "--ascii", "/nowhere/a");
	await("q quits");
	assert_false(shows_more_than_ascii());
	quit("q");
	setenv("LC_ALL", "C", 1);
	START(24, "/nowhere/a");
	await("q quits");
	assert_false(shows_more_than_ascii());
	quit("q");
}

/* ---- scrolling ---- */

#define NINE_GUESTS \
	"/no/g1", "/no/g2", "/no/g3", "/no/g4", "/no/g5", "/no/g6", "/no/g7", "/no/g8", "/no/g9"

/* Of eight rows five are guests'. */
static void arrows_select_and_scroll(void **state)
{
	(void)state;
	START(8, NINE_GUESTS);
	await("1 to 5 of 9");
	await(">/no/g1 ");
	await("/no/g5 ");
	assert_false(screen_shows(&screen, "/no/g6", NULL, NULL));
	/* There is nothing above. */
	screen_type(&screen, UP_KEY);
	screen_type(&screen, DOWN_KEY);
	await(">/no/g2 ");
	screen_type(&screen, "jjj");
	await(">/no/g5 ");
	await("1 to 5 of 9");
	screen_type(&screen, "j");
	await(">/no/g6 ");
	await("2 to 6 of 9");
	screen_await_without(&screen, "/no/g1 ");
	/* Nor below. */
	screen_type(&screen, "jjjjk");
	await(">/no/g8 ");
	await("5 to 9 of 9");
	screen_type(&screen, UP_KEY UP_KEY "k");
	await(">/no/g5 ");
	await("5 to 9 of 9");
	screen_type(&screen, "k");
	await(">/no/g4 ");
	await("4 to 8 of 9");
	quit("q");
}

static void selected_guest_is_shown_alone(void **state)
{
	static const char *const enter[] = { "\n", "\r", "\x1bOM" };

	(void)state;
	START(8, NINE_GUESTS);
	await("1 to 5 of 9");
	screen_type(&screen, "j");
	for (size_t i = 0; i < sizeof(enter) / sizeof(enter[0]); i++) {
		await(">/no/g2 ");
		screen_type(&screen, enter[i]);
		screen_await_without(&screen, "GUEST");
		await(" /no/g2  gone: ");
		screen_await_without(&screen, "/no/g1");
		screen_type(&screen, "\n");
		await("GUEST");
	}
	quit("q");
}

/* No row is blank as long as a guest is not shown. */
static void larger_terminal_shows_more_at_once(void **state)
{
	(void)state;
	START(8, NINE_GUESTS);
	await("1 to 5 of 9");
	screen_type(&screen, "jjjjjjjj");
	await("5 to 9 of 9");
	screen_resize(&screen, 10, 80);
	await("3 to 9 of 9");
	await("/no/g3 ");
	screen_resize(&screen, 12, 80);
	await("/no/g1 ");
	screen_await_without(&screen, "of 9");
	await(">/no/g9 ");
	quit("q");
}

/* Only its width: what is shown stays where it was. */
static void wider_terminal_scrolls_nothing(void **state)
{
	(void)state;
	START_WIDE(8, 40, NINE_GUESTS);
	await("/no/g5 ");
	screen_type(&screen, "jjjjj");
	await(">/no/g6 ");
	assert_false(screen_shows(&screen, "file or directory", NULL, NULL));
	screen_resize(&screen, 8, 100);
	await("/no/g2  gone: /no: No such file or directory");
	await("2 to 6 of 9");
	await(">/no/g6 ");
	quit("q");
}

/* As in a corner of a tiled screen: what is there is whole, and comes back. */
static void terminal_may_be_tiny(void **state)
{
	static const int64_t left[] = { 768 };
	const struct fake_qemu qemu = { .left_before = left[0] * MIB };
	struct fake_place place;

	(void)state;
	fake_qemu_start(&qemu, &place);
	START(24, "--ascii", place.path);
	await("left 768.0 MiB");
	screen_resize(&screen, 1, 80);
	screen_await_at(&screen, 0, "  768.0 MiB  256.0 MiB");
	screen_await_at(&screen, 0, ">~");
	screen_resize(&screen, 2, 80);
	screen_await_at(&screen, 0, " GUEST");
	screen_await_at(&screen, 1, "  768.0 MiB  256.0 MiB");
	screen_resize(&screen, 4, 12);
	screen_await_at(&screen, 2, "/fake.qmp");
	screen_await_at(&screen, 3, " ? keys");
	screen_resize(&screen, 24, 80);
	await("left 768.0 MiB");
	await("q quits");
	quit("q");
	/* From the start, too. */
	START_WIDE(1, 8, place.path);
	await("~e.qmp");
	quit("q");
	fake_qemu_stop(&place);
}

static void clear_key_draws_all_anew(void **state)
{
	unsigned before;

	(void)state;
	START(24, "/nowhere/a");
	await("gone");
	before = screen.clearings;
	screen_soil(&screen);
	screen_type(&screen, CLEAR_KEY);
	await("balloonctl watch: 1 guest");
	await("q quits");
	assert_false(screen_shows(&screen, "~~", NULL, NULL));
	assert_true(screen.clearings > before);
	quit("q");
}

/* ---- three guests ---- */

#define GUESTS 3
#define FIRST_ROW 2 /* of a table: the screen's headline and its own are above */

static struct fake_place places[GUESTS];

/* Of 1 GiB each, with so many MiB left. */
static void start_guests(size_t count, const int64_t *left)
{
	for (size_t i = 0; i < count; i++)
		fake_qemu_start(&(struct fake_qemu){ .left_before = left[i] * MIB }, &places[i]);
}

static void stop_guests(size_t count)
{
	for (size_t i = 0; i < count; i++)
		fake_qemu_stop(&places[i]);
}

/* What is left and taken stands in the rows in this order, and the guest stays selected. */
static void await_order(const int64_t *left, int64_t selected)
{
	for (int i = 0; i < GUESTS; i++) {
		char words[64];

		snprintf(words, sizeof(words), "%lld.0 MiB  %lld.0 MiB", (long long)left[i],
			 1024 - (long long)left[i]);
		screen_await_at(&screen, FIRST_ROW + i, words);
		if (left[i] == selected)
			screen_await_at(&screen, FIRST_ROW + i, ">");
	}
}

static void table_is_sorted_by_keys(void **state)
{
	static const int64_t left[GUESTS] = { 768, 256, 512 }, most[GUESTS] = { 768, 512, 256 },
			     least[GUESTS] = { 256, 512, 768 };
	int64_t by_name[GUESTS], selected = left[0]; /* the one that was named first */

	(void)state;
	start_guests(GUESTS, left);
	for (int i = 0; i < GUESTS; i++) {
		int before = 0;

		for (int other = 0; other < GUESTS; other++)
			before += strcmp(places[other].path, places[i].path) < 0;
		by_name[before] = left[i];
	}
	START(24, places[0].path, places[1].path, places[2].path);
	/* As they were named, until a key asks for something else. */
	await_order(left, selected);
	screen_type(&screen, "T");
	await_order(least, selected);
	screen_type(&screen, "r");
	await_order(most, selected);
	/* The order is turned round until another is asked for. */
	screen_type(&screen, "T");
	await_order(least, selected);
	screen_type(&screen, "M");
	await_order(most, selected);
	screen_type(&screen, "N");
	await_order(by_name, selected);
	quit("q");
	stop_guests(GUESTS);
}

/* ---- numbers ---- */

static const char *screen_text(void)
{
	static char text[SCREEN_ROWS_MAX * (SCREEN_COLUMNS_MAX + 1) + 1];
	size_t length = 0;

	for (int r = 0; r < screen.rows; r++) {
		size_t end = length;

		for (int c = 0; c < screen.columns; c++) {
			text[length++] = (char)screen.cells[r][c].character;
			if (screen.cells[r][c].character != ' ')
				end = length;
		}
		length = end;
		text[length++] = '\n';
	}
	text[length] = '\0';
	return text;
}

/*
 * A number is followed by all of its unit: when the program has ended, for before that
 * half of a picture may have come.
 */
static void assert_whole_numbers(void)
{
	static const char *const units[] = { " KiB", " MiB", " GiB",   " B", " %",
					     " s",   " min", " guest", " |" };
	const char *text = screen_text();

	for (const char *at = text; (at = strpbrk(at, "0123456789"));) {
		const char *before = at, *after = at + strspn(at, "0123456789.");
		bool whole = false;

		at = after;
		/* Digits in a name. */
		if (before > text && !strchr(" +\n", before[-1]))
			continue;
		for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
			whole = whole || !strncmp(after, units[i], strlen(units[i]));
		if (!whole)
			fail_msg("\"%.12s\" is no whole number in\n%s", before, text);
	}
}

static void screens_of_many_widths_have_whole_numbers(void **state)
{
	static const int widths[] = { 40, 60, 80, 200 };
	static const int64_t left[GUESTS] = { 768, 512, 896 };

	(void)state;
	for (size_t i = 0; i < sizeof(widths) / sizeof(widths[0]); i++) {
		for (size_t guests = 1; guests <= GUESTS; guests += GUESTS - 1) {
			start_guests(guests, left);
			START_WIDE(24, widths[i], "--ascii", "--interval", "0.1", places[0].path,
				   guests > 1 ? places[1].path : NULL, places[2].path);
			await("768.0 MiB");
			await("256.0 MiB");
			quit("q");
			assert_whole_numbers();
			stop_guests(guests);
		}
	}
}

/* ---- the list of keys, and the window ---- */

static void keys_are_listed(void **state)
{
	static const int64_t left[] = { 768 };

	(void)state;
	start_guests(1, left);
	START(12, places[0].path);
	await("left 768.0 MiB");
	screen_type(&screen, "?");
	await("balloonctl watch: keys");
	screen_await_without(&screen, "left 768.0 MiB");
	/* There is room for all of it now, and it is still there. */
	screen_resize(&screen, 24, 80);
	await("change of what is taken");
	/* The key that leaves it does nothing else. */
	screen_type(&screen, "+");
	await("left 768.0 MiB");
	await("every 1 s, 5 min");
	/* Statistics, instead of the course, and back. */
	screen_type(&screen, "s");
	await("not known yet");
	screen_type(&screen, "s");
	screen_await_without(&screen, "not known yet");
	screen_type(&screen, "?");
	await("balloonctl watch: keys");
	quit("q");
	stop_guests(1);
}

static void window_is_changed_by_keys(void **state)
{
	static const int64_t left[] = { 768 };

	(void)state;
	start_guests(1, left);
	START(24, "--ascii", "--interval", "0.1", places[0].path);
	await("every 0.1 s, 5 min");
	await("-5 min");
	screen_type(&screen, "+");
	await("-15 min");
	await(", 15 min");
	screen_type(&screen, "--");
	await("-1 min");
	/* There is none beyond, at either end. */
	screen_type(&screen, "--+");
	await("-5 min");
	screen_type(&screen, "++++++");
	await("-24 h");
	screen_type(&screen, "-");
	await("-6 h");
	screen_resize(&screen, 24, 40);
	screen_await_without(&screen, "target left");
	await("left 768.0 MiB");
	quit("q");
	assert_whole_numbers();
	START(24, "--window", "1h", places[0].path);
	await("every 1 s, 1 h");
	quit("q");
	stop_guests(1);
}

static void odd_windows_are_refused(void **state)
{
	static const char *const bad[] = { "", "m", "5", "7m", "1", "1x", "5mi", "25h", "-1h" };

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct outcome end = run_command("/nowhere/a", "watch", "--window", bad[i], NULL);

		assert_int_equal(end.status, EXIT_USAGE);
		assert_says(end.err, "1m, 5m, 15m, 1h, 6h or 24h is wanted");
	}
	/* A good one gets as far as the terminal, which is none here. */
	assert_says(run_command("/nowhere/a", "watch", "--window", "24h", NULL).err,
		    "a terminal is wanted");
	assert_says(run_command("/nowhere/a", "watch", "--window", "15min", NULL).err,
		    "a terminal is wanted");
}

/* ---- guests that come ---- */

static void guest_that_comes_is_shown(void **state)
{
	const struct fake_qemu qemu = { .left_before = 640 * MIB };
	char base[] = "/tmp/balloonctl-XXXXXX", folder[64], path[96];
	struct fake_place place;

	(void)state;
	assert_non_null(mkdtemp(base));
	snprintf(folder, sizeof(folder), "%s/aerostat-%u", base, (unsigned)geteuid());
	snprintf(path, sizeof(path), "%s/newcomer.qmp", folder);
	assert_int_equal(mkdir(folder, 0700), 0);
	setenv("XDG_RUNTIME_DIR", base, 1);
	fake_qemu_start(&qemu, &place);
	start(24, 80, "xterm", (const char *const[]){ NULL });
	await("no guest runs here yet");
	assert_int_equal(link(place.path, path), 0);
	await("newcomer");
	await("640.0 MiB");
	await("1 guest,");
	screen_await_without(&screen, "no guest runs here");
	quit("q");
	fake_qemu_stop(&place);
	unlink(path);
	rmdir(folder);
	assert_int_equal(rmdir(base), 0);
	unsetenv("XDG_RUNTIME_DIR");
}

static void guest_that_goes_is_shown_as_gone(void **state)
{
	const struct fake_qemu qemu = { .left_before = 640 * MIB };
	struct fake_place place;

	(void)state;
	fake_qemu_start(&qemu, &place);
	START(24, "--interval", "0.1", place.path);
	await("640.0 MiB");
	fake_qemu_stop(&place);
	await("gone: ");
	quit("q");
}

/* ---- how it begins and ends ---- */

static void signal_ends_it_in_order(void **state)
{
	static const int signals[] = { SIGTERM, SIGINT, SIGHUP };

	(void)state;
	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
		START(24, "/nowhere/a");
		await("gone");
		kill(screen.pid, signals[i]);
		assert_int_equal(screen_end(&screen), EXIT_REACHED);
		assert_false(screen.hides_cursor || screen.is_other);
	}
}

static void terminal_that_is_not_known_is_refused(void **state)
{
	const char *const words[] = { "/nowhere/a", NULL };

	(void)state;
	start(24, 80, "nonsense", words);
	assert_int_equal(screen_end(&screen), EXIT_WRONG);
	screen_assert_shows(&screen,
			    "balloonctl watch: the terminal 'nonsense' is not known; set TERM");
	start(24, 80, NULL, words);
	assert_int_equal(screen_end(&screen), EXIT_WRONG);
	screen_assert_shows(&screen, "balloonctl watch: the terminal '' is not known; set TERM");
}

static void terminal_is_wanted(void **state)
{
	struct outcome got = run_command(NULL, "watch", "/nowhere/a", NULL);

	(void)state;
	assert_int_equal(got.status, EXIT_WRONG);
	assert_says(got.err, "a terminal is wanted; for scripts there are watch --json, stats and "
			     "record\n");
	assert_string_equal(got.out, "");
}

/* Only one of the two. */
static int watch_without_input(void *arg)
{
	close(STDIN_FILENO);
	return watch(arg);
}

static int watch_into_a_file(void *arg)
{
	fclose(stdout);
	return watch(arg);
}

static void terminal_is_wanted_on_both_sides(void **state)
{
	static const char *const words[] = { "/nowhere/a", NULL };

	(void)state;
	screen_start(&screen, 24, 80, "xterm", watch_without_input, (void *)(uintptr_t)words);
	assert_int_equal(screen_end(&screen), EXIT_WRONG);
	screen_assert_shows(&screen, "a terminal is wanted");
	screen_start(&screen, 24, 80, "xterm", watch_into_a_file, (void *)(uintptr_t)words);
	assert_int_equal(screen_end(&screen), EXIT_WRONG);
	screen_assert_shows(&screen, "a terminal is wanted");
}

/* ---- without memory ---- */

/* Whatever it was for, it is told, or is done without; and the terminal is as it was. */
static void memory_that_is_short_is_told(void **state)
{
	static const char *const words[] = { "/nowhere/a", NULL };
	int status;

	(void)state;
	failing = 0;
	do {
		failing++;
		screen_start(&screen, 24, 80, "xterm", watch, (void *)(uintptr_t)words);
		screen_type(&screen, "q");
		status = screen_end(&screen);
		assert_int_equal(status & ~FAILED & ~EXIT_WRONG, 0);
		assert_false(screen.hides_cursor || screen.is_other);
		if ((status & EXIT_WRONG) &&
		    !screen_shows(&screen, "Cannot allocate memory", NULL, NULL))
			screen_assert_shows(&screen, "out of memory");
	} while (status & FAILED);
	assert_int_equal(status, EXIT_REACHED);
	assert_true(failing > 4);
	failing = 0;
}

static void arguments_are_checked(void **state)
{
	struct outcome got = run_command(NULL, "watch", "--interval", "0", NULL);

	(void)state;
	assert_int_equal(got.status, EXIT_USAGE);
	assert_says(got.err, "--interval 0: seconds are wanted, 0.1 to 3600");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(guest_is_watched_until_q),
		cmocka_unit_test(capital_q_quits_as_well),
		cmocka_unit_test(other_keys_do_nothing),
		cmocka_unit_test(marks_have_their_colours),
		cmocka_unit_test(what_is_wrong_is_red_and_bold),
		cmocka_unit_test(terminal_without_colours_does),
		cmocka_unit_test(interval_is_shown),
		cmocka_unit_test(locale_decides_what_is_drawn_with),
		cmocka_unit_test(arrows_select_and_scroll),
		cmocka_unit_test(selected_guest_is_shown_alone),
		cmocka_unit_test(larger_terminal_shows_more_at_once),
		cmocka_unit_test(wider_terminal_scrolls_nothing),
		cmocka_unit_test(terminal_may_be_tiny),
		cmocka_unit_test(clear_key_draws_all_anew),
		cmocka_unit_test(table_is_sorted_by_keys),
		cmocka_unit_test(screens_of_many_widths_have_whole_numbers),
		cmocka_unit_test(keys_are_listed),
		cmocka_unit_test(window_is_changed_by_keys),
		cmocka_unit_test(odd_windows_are_refused),
		cmocka_unit_test(guest_that_comes_is_shown),
		cmocka_unit_test(guest_that_goes_is_shown_as_gone),
		cmocka_unit_test(signal_ends_it_in_order),
		cmocka_unit_test(terminal_that_is_not_known_is_refused),
		cmocka_unit_test(terminal_is_wanted),
		cmocka_unit_test(terminal_is_wanted_on_both_sides),
		cmocka_unit_test(memory_that_is_short_is_told),
		cmocka_unit_test(arguments_are_checked),
	};

	return cmocka_run_group_tests_name("balloonctl/watch", tests, NULL, NULL);
}
