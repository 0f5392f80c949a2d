/* SPDX-License-Identifier: BSD-2-Clause */
/* A terminal for tests: see screen.h. It knows what ncurses asks of an xterm. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>

#include "tests/unit/tools/balloonctl/screen.h"

#include <cmocka.h>

#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "tools/deadline.h"

#define LONG_MS 120000 /* for what comes */

enum { GROUND, ESCAPED, CONTROL, ONE_MORE };

static const struct screen_cell blank = { .character = ' ', .colour = SCREEN_NO_COLOUR };

/* ---- what it shows ---- */

/* Where text begins in a row; -1: it is not there. */
static int find_in_row(const struct screen *screen, int row, const char *text)
{
	int length = (int)strlen(text);

	for (int c = 0; c + length <= screen->columns; c++) {
		const struct screen_cell *cells = &screen->cells[row][c];
		int same = 0;

		while (same < length && cells[same].character == (unsigned char)text[same])
			same++;
		if (same == length)
			return c;
	}
	return -1;
}

bool screen_shows(const struct screen *screen, const char *text, int *row, int *column)
{
	for (int r = 0; r < screen->rows; r++) {
		int at = find_in_row(screen, r, text);

		if (at < 0)
			continue;
		if (row) {
			*row = r;
			*column = at;
		}
		return true;
	}
	return false;
}

static void fail_showing(struct screen *screen, const char *what, const char *text)
{
	for (int r = 0; r < screen->rows; r++) {
		for (int c = 0; c < screen->columns; c++) {
			unsigned character = screen->cells[r][c].character;

			fputc(character < 0x7f ? (int)character : '?', stderr);
		}
		fputc('\n', stderr);
	}
	kill(screen->pid, SIGKILL);
	fail_msg("%s \"%s\" on this screen", what, text);
}

static void erase(struct screen *screen, int row, int from, int to)
{
	for (int c = from; c < to && c < screen->columns; c++)
		screen->cells[row][c] = blank;
}

static void erase_rows(struct screen *screen, int from, int to)
{
	if (from == 0 && to == screen->rows)
		screen->clearings++;
	for (int r = from; r < to; r++)
		erase(screen, r, 0, screen->columns);
}

void screen_soil(struct screen *screen)
{
	for (int r = 0; r < screen->rows; r++)
		for (int c = 0; c < screen->columns; c++)
			screen->cells[r][c].character = '~';
}

/* ---- what it is told ---- */

/* Moves the rows from `from` to the end of the region up; down, if `by` is negative. */
static void scroll_rows(struct screen *screen, int from, int by)
{
	int rest = screen->bottom - from - abs(by);

	assert_true(rest >= 0);
	memmove(screen->cells[by > 0 ? from : from - by], screen->cells[by > 0 ? from + by : from],
		(size_t)rest * sizeof(screen->cells[0]));
	for (int r = by > 0 ? from + rest : from; r < (by > 0 ? screen->bottom : from - by); r++)
		erase(screen, r, 0, screen->columns);
}

static void next_row(struct screen *screen)
{
	if (screen->row == screen->bottom - 1)
		scroll_rows(screen, screen->top, 1);
	else if (screen->row < screen->rows - 1)
		screen->row++;
}

static void row_before(struct screen *screen)
{
	if (screen->row == screen->top)
		scroll_rows(screen, screen->top, -1);
	else if (screen->row > 0)
		screen->row--;
}

static void put(struct screen *screen, unsigned character)
{
	struct screen_cell *cell;

	if (screen->wraps) {
		screen->column = 0;
		next_row(screen);
	}
	screen->wraps = screen->column == screen->columns - 1;
	cell = &screen->cells[screen->row][screen->column];
	*cell = screen->pen;
	cell->character = screen->last = character;
	screen->column += !screen->wraps;
}

static int within(int value, int size)
{
	return value < 0 ? 0 : value >= size ? size - 1 : value;
}

static void move(struct screen *screen, int row, int column)
{
	screen->row = within(row, screen->rows);
	screen->column = within(column, screen->columns);
	screen->wraps = false;
}

static void change_pen(struct screen *screen)
{
	for (int i = 0; i < screen->nr_numbers; i++) {
		int n = screen->numbers[i];

		if (n == 0)
			screen->pen = blank;
		else if (n == 1)
			screen->pen.bold = true;
		else if (n == 2)
			screen->pen.dim = true;
		else if (n == 22)
			screen->pen.bold = screen->pen.dim = false;
		else if (n >= 30 && n <= 37)
			screen->pen.colour = n - 30;
		else if (n == 39)
			screen->pen.colour = SCREEN_NO_COLOUR;
	}
}

static void change_mode(struct screen *screen, bool on)
{
	if (screen->is_private && screen->numbers[0] == 25)
		screen->hides_cursor = !on;
	if (screen->is_private && screen->numbers[0] == 1049)
		screen->is_other = on;
}

/* How ncurses moves what is right of the cursor. */
static void shift(struct screen *screen, int by)
{
	struct screen_cell *cells = screen->cells[screen->row];
	int rest = screen->columns - screen->column - abs(by);

	if (by > 0) {
		memmove(&cells[screen->column + by], &cells[screen->column],
			(size_t)rest * sizeof(*cells));
		erase(screen, screen->row, screen->column, screen->column + by);
	} else {
		memmove(&cells[screen->column], &cells[screen->column - by],
			(size_t)rest * sizeof(*cells));
		erase(screen, screen->row, screen->columns + by, screen->columns);
	}
}

static void erase_in_screen(struct screen *screen, int which)
{
	erase_rows(screen, which == 2 ? 0 : screen->row + (screen->column > 0),
		   which == 1 ? screen->row : screen->rows);
	if (which == 0)
		erase(screen, screen->row, screen->column, screen->columns);
}

static void change_region(struct screen *screen)
{
	screen->top = screen->numbers[0] ? screen->numbers[0] - 1 : 0;
	screen->bottom = screen->nr_numbers > 1 ? screen->numbers[1] : screen->rows;
	assert_true(screen->top < screen->bottom && screen->bottom <= screen->rows);
	move(screen, 0, 0);
}

/* Moves the cursor; false: it is another command. */
static bool move_by(struct screen *screen, char command, int times)
{
	int row = screen->row, column = screen->column;

	switch (command) {
	case 'H':
		move(screen, times - 1, screen->nr_numbers > 1 ? screen->numbers[1] - 1 : 0);
		return true;
	case 'd':
		move(screen, times - 1, column);
		return true;
	case 'G':
		move(screen, row, times - 1);
		return true;
	case 'A':
		move(screen, row - times, column);
		return true;
	case 'B':
		move(screen, row + times, column);
		return true;
	case 'C':
		move(screen, row, column + times);
		return true;
	case 'D':
		move(screen, row, column - times);
		return true;
	default:
		return false;
	}
}

/* Moves rows; false: it is another command. */
static bool scroll_by(struct screen *screen, char command, int times)
{
	switch (command) {
	case 'L':
		scroll_rows(screen, screen->row, -times);
		return true;
	case 'M':
		scroll_rows(screen, screen->row, times);
		return true;
	case 'S':
		scroll_rows(screen, screen->top, times);
		return true;
	case 'T':
		scroll_rows(screen, screen->top, -times);
		return true;
	case 'r':
		change_region(screen);
		return true;
	default:
		return false;
	}
}

static void obey(struct screen *screen, char command)
{
	int n = screen->numbers[0], times = n ? n : 1;
	int row = screen->row, column = screen->column;

	if (move_by(screen, command, times) || scroll_by(screen, command, times))
		return;
	switch (command) {
	case 'J':
		erase_in_screen(screen, n);
		break;
	case 'K':
		erase(screen, row, n ? 0 : column, n == 1 ? column + 1 : screen->columns);
		break;
	case 'X':
		erase(screen, row, column, column + times);
		break;
	case 'b':
		while (times-- > 0)
			put(screen, screen->last);
		break;
	case '@':
		shift(screen, times);
		break;
	case 'P':
		shift(screen, -times);
		break;
	case 'm':
		change_pen(screen);
		break;
	case 'h':
	case 'l':
		change_mode(screen, command == 'h');
		break;
	}
}

static void take_control(struct screen *screen, char c)
{
	if (c >= '0' && c <= '9') {
		int *number = &screen->numbers[screen->nr_numbers - 1];

		*number = *number * 10 + c - '0';
	} else if (c == ';' && screen->nr_numbers < 16) {
		screen->numbers[screen->nr_numbers++] = 0;
	} else if (c == '?') {
		screen->is_private = true;
	} else if (c >= '@') {
		obey(screen, c);
		screen->state = GROUND;
	}
}

static void take_escaped(struct screen *screen, char c)
{
	if (c == 'M')
		row_before(screen);
	screen->state = c == '[' ? CONTROL : strchr("()#", c) ? ONE_MORE : GROUND;
	screen->nr_numbers = 1;
	screen->numbers[0] = 0;
	screen->is_private = false;
}

static void take_text(struct screen *screen, unsigned char c)
{
	if (c >= 0xc0) {
		screen->more = c >= 0xf0 ? 3 : c >= 0xe0 ? 2 : 1;
		screen->decoded = c & (0x3fu >> screen->more);
	} else if (c >= 0x80 && screen->more) {
		screen->decoded = screen->decoded << 6 | (c & 0x3f);
		if (--screen->more == 0)
			put(screen, screen->decoded);
	} else if (c >= ' ') {
		put(screen, c);
	} else if (c == '\r') {
		move(screen, screen->row, 0);
	} else if (c == '\b') {
		move(screen, screen->row, screen->column - 1);
	} else if (c == '\n') {
		screen->wraps = false;
		next_row(screen);
	} else if (c == '\t') {
		move(screen, screen->row, screen->column / 8 * 8 + 8);
	} else if (c == '\x1b') {
		screen->state = ESCAPED;
	}
}

static void take(struct screen *screen, const char *bytes, ssize_t count)
{
	for (ssize_t i = 0; i < count; i++)
		switch (screen->state) {
		case GROUND:
			take_text(screen, (unsigned char)bytes[i]);
			break;
		case ESCAPED:
			take_escaped(screen, bytes[i]);
			break;
		case CONTROL:
			take_control(screen, bytes[i]);
			break;
		default:
			screen->state = GROUND;
			break;
		}
}

/* ---- the program ---- */

/* What is typed would stand in the midst of what the program says at that moment. */
static void stop_echo(void)
{
	struct termios modes;

	tcgetattr(STDIN_FILENO, &modes);
	modes.c_lflag &= ~(tcflag_t)ECHO;
	tcsetattr(STDIN_FILENO, TCSANOW, &modes);
}

void screen_start(struct screen *screen, int rows, int columns, const char *term,
		  int (*run)(void *arg), void *arg)
{
	static const int crashes[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT };
	struct winsize size = { .ws_row = (unsigned short)rows, .ws_col = (unsigned short)columns };

	assert_true(rows <= SCREEN_ROWS_MAX && columns <= SCREEN_COLUMNS_MAX);
	memset(screen, 0, sizeof(*screen));
	screen->rows = rows;
	screen->columns = columns;
	screen->bottom = rows;
	screen->pen = blank;
	erase_rows(screen, 0, rows);
	screen->clearings = 0;
	fflush(NULL);
	screen->pid = forkpty(&screen->fd, NULL, NULL, &size);
	assert_true(screen->pid >= 0);
	if (screen->pid)
		return;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	stop_echo();
	/* cmocka would go on with the next test. */
	for (size_t i = 0; i < sizeof(crashes) / sizeof(crashes[0]); i++)
		signal(crashes[i], SIG_DFL);
	unsetenv("LINES");
	unsetenv("COLUMNS");
	if (term)
		setenv("TERM", term, 1);
	else
		unsetenv("TERM");
	exit(run(arg));
}

void screen_type(struct screen *screen, const char *keys)
{
	assert_int_equal(write(screen->fd, keys, strlen(keys)), strlen(keys));
}

void screen_resize(struct screen *screen, int rows, int columns)
{
	struct winsize size = { .ws_row = (unsigned short)rows, .ws_col = (unsigned short)columns };

	assert_true(rows <= SCREEN_ROWS_MAX && columns <= SCREEN_COLUMNS_MAX);
	screen->rows = rows;
	screen->columns = columns;
	screen->top = 0;
	screen->bottom = rows;
	assert_int_equal(ioctl(screen->fd, TIOCSWINSZ, &size), 0);
}

/* Reads what is there, or waits for it; false: the program has closed its end. */
static bool read_some(struct screen *screen, int64_t deadline)
{
	struct pollfd pollfd = { .fd = screen->fd, .events = POLLIN };
	char bytes[4096];
	ssize_t count;

	if (poll(&pollfd, 1, deadline_left(deadline)) <= 0)
		return true;
	count = read(screen->fd, bytes, sizeof(bytes));
	/* What was written right before the other end was closed may be there at the next look. */
	if (count < 0)
		count = read(screen->fd, bytes, sizeof(bytes));
	if (count <= 0)
		return false;
	take(screen, bytes, count);
	return true;
}

static void read_until(struct screen *screen, const char *text, bool shows)
{
	int64_t deadline = deadline_in(LONG_MS);
	bool goes_on = true;

	while (screen_shows(screen, text, NULL, NULL) != shows) {
		if (!goes_on || deadline_left(deadline) == 0)
			fail_showing(screen, shows ? "there is no" : "there is still", text);
		goes_on = read_some(screen, deadline);
	}
}

void screen_await(struct screen *screen, const char *text, int *row, int *column)
{
	read_until(screen, text, true);
	screen_shows(screen, text, row, column);
}

void screen_await_at(struct screen *screen, int row, const char *text)
{
	int64_t deadline = deadline_in(LONG_MS);
	bool goes_on = true;

	while (find_in_row(screen, row, text) < 0) {
		if (!goes_on || deadline_left(deadline) == 0)
			fail_showing(screen, "its row does not have", text);
		goes_on = read_some(screen, deadline);
	}
}

void screen_await_without(struct screen *screen, const char *text)
{
	read_until(screen, text, false);
}

void screen_assert_shows(struct screen *screen, const char *text)
{
	if (!screen_shows(screen, text, NULL, NULL))
		fail_showing(screen, "there is no", text);
}

int screen_end(struct screen *screen)
{
	int64_t deadline = deadline_in(LONG_MS);
	int status;

	while (read_some(screen, deadline))
		if (deadline_left(deadline) == 0)
			fail_showing(screen, "the program does not end after", "");
	close(screen->fd);
	assert_int_equal(waitpid(screen->pid, &status, 0), screen->pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
