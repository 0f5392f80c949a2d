/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The input arrives over the serial line. It is fed to the line editor, whose text
 * goes to a terminal of the simplest kind: that must show what the editor holds. A
 * complete line is split into commands and words as in the shell. A byte of 0
 * makes a line of the log come in between.
 */
#include "tests/fuzz/fuzz.h"

#include "kernel/console.h"
#include "kernel/console_input.h"
#include "kernel/lib/log.h"
#include "kernel/task/task.h"
#include "kernel/line_edit.h"
#include "kernel/shell.h"
#include "kernel/shell_words.h"

#define PROMPT "> "
#define LOG_LINE "log\n"
#define CLEAR "\x1b[H\x1b[2J"
#define WIDTH (strlen(PROMPT) + LINE_MAX_LENGTH + strlen("^C"))

/* The linker's bounds of the table of commands: there are none. */
const struct command __start_commands[1], __stop_commands[1];

static struct line_edit edit;
static char row[LINE_MAX_LENGTH + 10];
static size_t column;

/* ---- The terminal ---- */

static void put(char c)
{
	if (c == '\n') {
		memset(row, ' ', WIDTH);
		column = 0;
	} else if (c == '\b') {
		fuzz_require(column > 0, "a backspace beyond the row's start");
		column--;
	} else {
		fuzz_require(c >= 0x20 && c < 0x7f, "byte %#x on the terminal", (unsigned)c);
		fuzz_require(column < WIDTH, "more than the row holds");
		row[column++] = c;
	}
}

static void emit(const char *text, size_t length)
{
	if (length == strlen(CLEAR) && memcmp(text, CLEAR, length) == 0) {
		put('\n');
		return;
	}
	for (size_t i = 0; i < length; i++)
		put(text[i]);
}

static const char *name_after(const char *previous)
{
	static const char *const names[] = { "audit", "balloon", "held", "help", "hold" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (!previous || strcmp(names[i], previous) > 0)
			return names[i];
	return NULL;
}

static void check_row(void)
{
	size_t prompt = strlen(PROMPT);

	fuzz_require(edit.length <= LINE_MAX_LENGTH && edit.cursor <= edit.length,
		     "length %zu, cursor %zu", edit.length, edit.cursor);
	fuzz_require(strlen(edit.line) == edit.length, "the line's end is not where it should be");
	fuzz_require(column == prompt + edit.cursor, "the cursor is elsewhere");
	fuzz_require(memcmp(row, PROMPT, prompt) == 0 &&
			     memcmp(row + prompt, edit.line, edit.length) == 0,
		     "the terminal shows another line");
	for (size_t i = prompt + edit.length; i < WIDTH; i++)
		fuzz_require(row[i] == ' ', "something is left after the line");
}

/* ---- The shell; no command is run, so this is all that it needs ---- */

void console_use_tasks(void)
{
}

void console_write(const char *text, size_t length)
{
	(void)text, (void)length;
}

int console_read(uint64_t deadline)
{
	(void)deadline;
	abort();
}

void console_begin_command(void)
{
}

void console_end_command(void)
{
}

bool console_interrupted(void)
{
	return false;
}

uint64_t console_input_dropped(void)
{
	return 0;
}

void log_set_show(void (*show)(const char *line, size_t length))
{
	(void)show;
}

void task_set_priority(enum task_priority priority)
{
	(void)priority;
}

/* In a buffer of just the line's size. */
static void check_words(const char *line)
{
	char *text = strdup(line), *rest = text, *before;
	const char *end = text + strlen(line);
	char *argv[SHELL_WORDS_MAX + 1];
	int argc;

	while (*rest) {
		before = rest;
		argc = shell_split(&rest, argv);
		if (argc < 0)
			break;
		fuzz_require(argc <= SHELL_WORDS_MAX && !argv[argc], "%d words", argc);
		fuzz_require(rest > before && rest <= end, "split to %td", rest - text);
		for (int i = 0; i < argc; i++)
			fuzz_require(argv[i] >= before && argv[i] + strlen(argv[i]) <= rest &&
					     !strchr(argv[i], '"'),
				     "word %d", i);
	}
	free(text);
}

static void check_line(const char *line)
{
	fuzz_require(strlen(line) <= LINE_MAX_LENGTH, "a line of %zu bytes", strlen(line));
	for (const char *c = line; *c; c++)
		fuzz_require(*c >= 0x20 && *c < 0x7f, "byte %#x in a line", (unsigned)*c);
	check_words(line);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *line;

	put('\n');
	line_edit_init(&edit, PROMPT, emit, name_after);
	line_edit_begin(&edit);
	for (size_t i = 0; i < size; i++) {
		if (data[i] == 0)
			line_edit_interject(&edit, LOG_LINE, strlen(LOG_LINE));
		line = line_edit_feed(&edit, data[i]);
		if (line) {
			check_line(line);
			fuzz_require(column == 0, "no new row after a line");
			line_edit_begin(&edit);
		}
		check_row();
	}
	return 0;
}
