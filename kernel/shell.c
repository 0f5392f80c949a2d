/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The shell. It knows no command by name: the linker gathers them in one
 * section, in no order.
 */
#include "kernel/shell.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "arch/boot_info.h"
#include "kernel/command_line.h"
#include "kernel/console.h"
#include "kernel/lib/log.h"
#include "kernel/task/task.h"
#include "kernel/line_edit.h"

static struct line_edit editor;
static volatile bool reading; /* the editor has the console's last row */
static int first_failure;

/* ---- The table of commands ---- */

const struct command *command_find(const char *name)
{
	for (const struct command *c = __start_commands; c < __stop_commands; c++) {
		if (strcmp(c->name, name) == 0)
			return c;
	}
	return NULL;
}

const struct command *command_after(const struct command *previous)
{
	const struct command *next = NULL;

	for (const struct command *c = __start_commands; c < __stop_commands; c++) {
		if (previous && strcmp(c->name, previous->name) <= 0)
			continue;
		if (!next || strcmp(c->name, next->name) < 0)
			next = c;
	}
	return next;
}

/* The same by name, for the line editor. */
static const char *name_after(const char *previous)
{
	const struct command *next = command_after(previous ? command_find(previous) : NULL);

	return next ? next->name : NULL;
}

void command_print_usage(const struct command *command)
{
	printf("usage: %s%s%s\n", command->name, *command->arguments ? " " : "",
	       command->arguments);
}

/* ---- Lines ---- */

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/*
 * Takes the word that *text begins with: cuts out its quotes and ends it, in
 * place, and moves *text behind the character that ended it, stored in *end.
 */
static int split_word(char **text, char *end)
{
	bool quoted = false;
	char *in = *text;
	char *out = *text;

	for (; *in && (quoted || (!is_blank(*in) && *in != ';')); in++) {
		if (*in == '"')
			quoted = !quoted;
		else
			*out++ = *in;
	}
	*end = *in;
	*text = *in ? in + 1 : in;
	*out = '\0';
	return quoted ? -EINVAL : 0;
}

int shell_split(char **text, char *argv[SHELL_WORDS_MAX + 1])
{
	char *p = *text;
	char end = ' ';
	int argc = 0;
	char *word;
	int err;

	while (is_blank(end)) {
		p += strspn(p, " \t");
		if (*p == '\0' || *p == ';') {
			p += *p == ';';
			break;
		}
		if (argc == SHELL_WORDS_MAX)
			return -E2BIG;
		word = p;
		err = split_word(&p, &end);
		if (err)
			return err;
		argv[argc++] = word;
	}
	argv[argc] = NULL;
	*text = p;
	return argc;
}

/* Only such text is obeyed, and shown: it could steer the terminal otherwise. */
static bool is_plain(const char *text)
{
	for (; *text; text++) {
		if (*text != '\t' && (*text < 0x20 || *text > 0x7e))
			return false;
	}
	return true;
}

static int note_failure(int result)
{
	if (result < 0 && first_failure == 0)
		first_failure = result;
	return result;
}

static int run_command(int argc, char **argv)
{
	const struct command *command = command_find(argv[0]);
	int result;

	if (!command) {
		printf("%s: no such command; help lists them\n", argv[0]);
		return -ENOENT;
	}
	console_begin_command();
	/* A line is answered at once; a command that yields takes turns with the drivers. */
	task_set_priority(TASK_PRIORITY_DRIVER);
	result = command->run(argc, argv);
	task_set_priority(TASK_PRIORITY_SHELL);
	console_end_command();
	if (shell_interrupted()) {
		printf("^C\n");
		return -EINTR;
	}
	if (result == -EINVAL)
		command_print_usage(command);
	return result;
}

int shell_run_line(char *text)
{
	char *argv[SHELL_WORDS_MAX + 1];
	int result = 0;
	int argc;

	if (!is_plain(text)) {
		printf("line with bytes that are not printable: dropped\n");
		return note_failure(-EILSEQ);
	}
	while (*text && result != -EINTR) {
		argc = shell_split(&text, argv);
		if (argc < 0) {
			printf("%s\n", argc == -E2BIG ? "too many words" : "a quote does not end");
			return note_failure(argc);
		}
		if (argc > 0)
			result = note_failure(run_command(argc, argv));
	}
	return result;
}

int shell_first_failure(void)
{
	return first_failure;
}

bool shell_interrupted(void)
{
	return console_interrupted();
}

void shell_get_dropped(uint64_t *lines, uint64_t *bytes)
{
	*lines = editor.dropped_lines;
	*bytes = editor.dropped_bytes;
}

/* ---- The task ---- */

/* Shown as if typed, so that the output can be told apart by command. */
static void run_option(const char *command_line)
{
	static char text[BOOT_COMMAND_LINE_MAX];

	if (!command_line_option(command_line, "run", text, sizeof(text)))
		return;
	printf("%s", SHELL_PROMPT);
	puts(is_plain(text) ? text : "?");
	shell_run_line(text);
}

static char *read_line(void)
{
	char *line = NULL;
	int byte;

	line_edit_begin(&editor);
	reading = true;
	while (!line) {
		byte = console_read(DEADLINE_NEVER);
		if (byte >= 0)
			line = line_edit_feed(&editor, (uint8_t)byte);
	}
	reading = false;
	return line;
}

/* A line of the log does not tear a half-typed line apart. */
static void show_log_line(const char *line, size_t length)
{
	if (reading)
		line_edit_interject(&editor, line, length);
	else
		console_write(line, length);
}

void shell_task(void *command_line)
{
	console_use_tasks();
	run_option(command_line);
	line_edit_init(&editor, SHELL_PROMPT, console_write, name_after);
	log_set_show(show_log_line);
	for (;;)
		shell_run_line(read_line());
}
