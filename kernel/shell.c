/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Commands, and lines of them. The shell knows no command by name: the linker
 * gathers them in one section, in no order.
 */
#include "kernel/shell.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "kernel/console.h"
#include "kernel/shell_words.h"
#include "kernel/task/task.h"

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

void command_print_usage(const struct command *command)
{
	printf("usage: %s%s%s\n", command->name, *command->arguments ? " " : "",
	       command->arguments);
}

/* ---- Lines ---- */

bool shell_is_plain(const char *text)
{
	for (; *text; text++) {
		if (*text != '\t' && (*text < 0x20 || *text > 0x7e))
			return false;
	}
	return true;
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

	if (!shell_is_plain(text)) {
		printf("line with bytes that are not printable: dropped\n");
		return -EILSEQ;
	}
	while (*text && result != -EINTR) {
		argc = shell_split(&text, argv);
		if (argc < 0) {
			printf("%s\n", argc == -E2BIG ? "too many words" : "a quote does not end");
			return argc;
		}
		if (argc > 0)
			result = run_command(argc, argv);
	}
	return result;
}

bool shell_interrupted(void)
{
	return console_interrupted();
}
