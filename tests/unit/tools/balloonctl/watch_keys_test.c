/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tools/balloonctl/watch.c on a pseudo terminal, as a person has it: what stands there
 * on terminals of several widths, what keys do, and how it ends. The terminal is a
 * VT100 of a hundred lines.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>

#include <cmocka.h>

#include <errno.h>
#include <pty.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/tools/balloonctl/fake_qemu.h"
#include "tools/balloonctl/balloonctl.h"
#include "tools/balloonctl/command.h"

#define ROWS 24
#define COLUMNS_MAX 200
#define ALARM_S 120u /* for ever */
#define GUESTS_MAX 3

/* ---- a terminal ---- */

struct terminal {
	int fd;
	pid_t pid;
	int columns, row, column;
	int top, bottom; /* rows that scroll */
	char cells[ROWS][COLUMNS_MAX];
	char escape[64]; /* a sequence that is not complete yet, without its ESC */
	size_t escape_len;
	bool in_escape;
	char text[ROWS * (COLUMNS_MAX + 1) + 1];
};

static void clear_cells(struct terminal *t, int row, int from, int to)
{
	memset(&t->cells[row][from], ' ', (size_t)(to - from));
}

static void clear_below(struct terminal *t)
{
	clear_cells(t, t->row, t->column, COLUMNS_MAX);
	for (int row = t->row + 1; row < ROWS; row++)
		clear_cells(t, row, 0, COLUMNS_MAX);
}

static void line_feed(struct terminal *t)
{
	if (t->row != t->bottom) {
		t->row += t->row < ROWS - 1;
		return;
	}
	memmove(t->cells[t->top], t->cells[t->top + 1],
		(size_t)(t->bottom - t->top) * sizeof(t->cells[0]));
	clear_cells(t, t->bottom, 0, COLUMNS_MAX);
}

static void reverse_line_feed(struct terminal *t)
{
	if (t->row != t->top) {
		t->row -= t->row > 0;
		return;
	}
	memmove(t->cells[t->top + 1], t->cells[t->top],
		(size_t)(t->bottom - t->top) * sizeof(t->cells[0]));
	clear_cells(t, t->top, 0, COLUMNS_MAX);
}

static void move_to(struct terminal *t, int row, int column)
{
	t->row = row < 0 ? 0 : row >= ROWS ? ROWS - 1 : row;
	t->column = column < 0 ? 0 : column >= t->columns ? t->columns - 1 : column;
}

/* ESC [ PARAMETERS LETTER. Attributes and modes change nothing that is looked at. */
static void control(struct terminal *t, const char *parameters, char letter)
{
	int first = 0, second = 0;

	sscanf(parameters, "%d;%d", &first, &second);
	switch (letter) {
	case 'H':
		move_to(t, (first ? first : 1) - 1, (second ? second : 1) - 1);
		break;
	case 'A':
		move_to(t, t->row - (first ? first : 1), t->column);
		break;
	case 'B':
		move_to(t, t->row + (first ? first : 1), t->column);
		break;
	case 'C':
		move_to(t, t->row, t->column + (first ? first : 1));
		break;
	case 'D':
		move_to(t, t->row, t->column - (first ? first : 1));
		break;
	case 'J':
		assert_int_equal(first, 0);
		clear_below(t);
		break;
	case 'K':
		if (first == 1)
			clear_cells(t, t->row, 0, t->column + 1);
		else
			clear_cells(t, t->row, t->column, COLUMNS_MAX);
		break;
	case 'r':
		t->top = (first ? first : 1) - 1;
		t->bottom = (second ? second : ROWS) - 1;
		assert_true(t->top < t->bottom && t->bottom < ROWS);
		move_to(t, 0, 0);
		break;
	default:
		if (!strchr("mhl", letter))
			fail_msg("the terminal has no ESC [ %s %c", parameters, letter);
	}
}

static void take_escape(struct terminal *t, char c)
{
	assert_true(t->escape_len < sizeof(t->escape) - 1);
	t->escape[t->escape_len++] = c;
	t->escape[t->escape_len] = '\0';
	if (t->escape[0] == '[') {
		if (t->escape_len == 1 || strchr("0123456789;?", c))
			return;
		control(t, t->escape + 1 + (t->escape[1] == '?'), c);
	} else if (strchr("()", t->escape[0]) && t->escape_len == 1) {
		return;
	} else if (t->escape[0] == 'M') {
		reverse_line_feed(t);
	} else if (t->escape[0] == 'D') {
		line_feed(t);
	}
	t->in_escape = false;
}

static void put_character(struct terminal *t, char c)
{
	/* The cursor stays at the right edge until there is more to write. */
	if (t->column == t->columns) {
		t->column = 0;
		line_feed(t);
	}
	t->cells[t->row][t->column++] = c;
}

static void take_byte(struct terminal *t, char c)
{
	if (t->in_escape) {
		take_escape(t, c);
	} else if (c == '\x1b') {
		t->in_escape = true;
		t->escape_len = 0;
	} else if (c == '\r') {
		t->column = 0;
	} else if (c == '\n') {
		line_feed(t);
	} else if (c == '\b') {
		move_to(t, t->row, t->column - 1);
	} else if (c == '\t') {
		move_to(t, t->row, (t->column | 7) + 1);
	} else if (c >= ' ') {
		put_character(t, c);
	}
}

/* The screen's rows without the blanks at their ends. */
static const char *text_of(struct terminal *t)
{
	size_t len = 0;

	for (int row = 0; row < ROWS; row++) {
		size_t end = len;

		for (int column = 0; column < t->columns; column++) {
			t->text[len++] = t->cells[row][column];
			if (t->cells[row][column] != ' ')
				end = len;
		}
		len = end;
		t->text[len++] = '\n';
	}
	t->text[len] = '\0';
	return t->text;
}

/* Reads what is there; false: nobody writes any more. */
static bool read_some(struct terminal *t)
{
	char buf[4096];
	ssize_t n = read(t->fd, buf, sizeof(buf));

	for (ssize_t i = 0; i < n; i++)
		take_byte(t, buf[i]);
	return n > 0;
}

static struct terminal *shown; /* when the time is up */

static void give_up(int number)
{
	(void)number;
	if (shown && write(STDERR_FILENO, shown->text, strlen(shown->text)) < 0)
		_exit(2);
	_exit(1);
}

/* Waits until `words` stand on the screen, or until they do no more. */
static void await(struct terminal *t, const char *words, bool there)
{
	shown = t;
	alarm(ALARM_S);
	while (!strstr(text_of(t), words) == there)
		if (!read_some(t))
			fail_msg("it ended without \"%s\" on\n%s", words, t->text);
	alarm(0);
}

static void press(struct terminal *t, char key)
{
	assert_int_equal(write(t->fd, &key, 1), 1);
}

static void resize(struct terminal *t, int columns)
{
	struct winsize size = { .ws_row = ROWS, .ws_col = (unsigned short)columns };

	t->columns = columns;
	assert_int_equal(ioctl(t->fd, TIOCSWINSZ, &size), 0);
}

/* ---- guests, and somebody who watches them ---- */

struct scene {
	struct fake_place places[GUESTS_MAX];
	size_t guests;
	struct terminal terminal;
};

/* In a process of its own. The guests' names are those of the sockets. */
static void watch(struct scene *scene)
{
	struct common common = { 0 };
	char *argv[GUESTS_MAX + 5] = { strdup("watch"), strdup("--ascii"), strdup("--interval"),
				       strdup("0.1") };
	int argc = 4;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	setenv("TERM", "vt100", 1);
	unsetenv("LINES");
	unsetenv("COLUMNS");
	for (size_t i = 0; i < scene->guests; i++)
		argv[argc++] = scene->places[i].path;
	/* What ncurses has allocated is nobody's leak. */
	_exit(command_run(command_find("watch"), &common, argc, argv));
}

/* Guests of 1 GiB with so many MiB left, on a terminal of so many columns. */
static void begin(struct scene *scene, size_t guests, const int64_t *left, int columns)
{
	struct winsize size = { .ws_row = ROWS, .ws_col = (unsigned short)columns };
	struct terminal *t = &scene->terminal;

	memset(scene, 0, sizeof(*scene));
	scene->guests = guests;
	for (size_t i = 0; i < guests; i++)
		fake_qemu_start(&(struct fake_qemu){ .left_before = left[i] * MIB },
				&scene->places[i]);
	t->columns = columns;
	t->bottom = ROWS - 1;
	memset(t->cells, ' ', sizeof(t->cells));
	fflush(NULL);
	t->pid = forkpty(&t->fd, NULL, NULL, &size);
	assert_true(t->pid >= 0);
	if (t->pid == 0)
		watch(scene);
}

/* It ends by itself, with success, and leaves the terminal in order. */
static void end(struct scene *scene)
{
	struct terminal *t = &scene->terminal;
	int status;

	shown = t;
	alarm(ALARM_S);
	while (read_some(t))
		;
	assert_int_equal(waitpid(t->pid, &status, 0), t->pid);
	alarm(0);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), EXIT_REACHED);
	close(t->fd);
	for (size_t i = 0; i < scene->guests; i++)
		fake_qemu_stop(&scene->places[i]);
}

/* A number is followed by all of its unit. */
static void assert_whole_numbers(const char *screen)
{
	for (const char *at = screen; (at = strpbrk(at, "0123456789"));) {
		const char *before = at, *after = at + strspn(at, "0123456789.");

		at = after;
		/* Digits in a name. */
		if (before > screen && !strchr(" +\n", before[-1]))
			continue;
		if (strncmp(after, " KiB", 4) && strncmp(after, " MiB", 4) &&
		    strncmp(after, " GiB", 4) && strncmp(after, " B", 2) &&
		    strncmp(after, " %", 2) && strncmp(after, " s", 2) &&
		    strncmp(after, " min", 4) && strncmp(after, " guest", 6) &&
		    strncmp(after, " |", 2))
			fail_msg("\"%.12s\" is no whole number in\n%s", before, screen);
	}
}

static void screens_of_many_widths_have_whole_numbers(void **state)
{
	static const int widths[] = { 40, 60, 80, 200 };
	static const int64_t left[] = { 768, 512, 896 };
	static struct scene scene;

	(void)state;
	for (size_t i = 0; i < sizeof(widths) / sizeof(widths[0]); i++) {
		for (size_t guests = 1; guests <= GUESTS_MAX; guests += GUESTS_MAX - 1) {
			begin(&scene, guests, left, widths[i]);
			await(&scene.terminal, "768.0 MiB", true);
			await(&scene.terminal, "256.0 MiB", true);
			assert_whole_numbers(text_of(&scene.terminal));
			press(&scene.terminal, 'q');
			end(&scene);
		}
	}
}

static void keys_do_what_their_list_says(void **state)
{
	static const int64_t left[] = { 768 };
	static struct scene scene;
	struct terminal *t = &scene.terminal;

	(void)state;
	begin(&scene, 1, left, 80);
	await(t, "left 768.0 MiB", true);
	await(t, "-5 min", true);
	press(t, '?');
	await(t, "balloonctl watch: keys", true);
	await(t, "left 768.0 MiB", false);
	/* The key that leaves the list does nothing else. */
	press(t, '+');
	await(t, "-5 min", true);
	press(t, '+');
	await(t, "-15 min", true);
	press(t, '-');
	press(t, '-');
	press(t, '-');
	await(t, "-1 min", true);
	resize(t, 40);
	await(t, "target left", false);
	await(t, "left 768.0 MiB", true);
	assert_whole_numbers(text_of(t));
	press(t, 'q');
	end(&scene);
}

/* The order of three guests by the ends of their rows' names. */
static void table_is_sorted_by_keys(void **state)
{
	static const int64_t left[] = { 512, 768, 256 };
	static struct scene scene;
	struct terminal *t = &scene.terminal;

	(void)state;
	begin(&scene, 3, left, 80);
	await(t, "512.0 MiB  512.0 MiB", true);
	await(t, "768.0 MiB  256.0 MiB", true);
	await(t, "256.0 MiB  768.0 MiB", true);
	press(t, 'T');
	/* Most is taken from the third. */
	alarm(ALARM_S);
	while (!(strstr(text_of(t), "256.0 MiB  768") < strstr(t->text, "512.0 MiB  512") &&
		 strstr(t->text, "512.0 MiB  512") < strstr(t->text, "768.0 MiB  256")))
		assert_true(read_some(t));
	press(t, 'r');
	while (!(strstr(text_of(t), "768.0 MiB  256") < strstr(t->text, "512.0 MiB  512") &&
		 strstr(t->text, "512.0 MiB  512") < strstr(t->text, "256.0 MiB  768")))
		assert_true(read_some(t));
	alarm(0);
	/* The selected one alone, and back. */
	press(t, '\n');
	await(t, "GUEST", false);
	press(t, '\n');
	await(t, "GUEST", true);
	press(t, 'j');
	press(t, 'k');
	kill(t->pid, SIGTERM);
	end(&scene);
}

static void watch_refuses_odd_windows(void **state)
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
	assert_says(run_command("/nowhere/a", "watch", "--window", "15m", NULL).err,
		    "a terminal is wanted");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(screens_of_many_widths_have_whole_numbers),
		cmocka_unit_test(keys_do_what_their_list_says),
		cmocka_unit_test(table_is_sorted_by_keys),
		cmocka_unit_test(watch_refuses_odd_windows),
	};

	signal(SIGALRM, give_up);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
