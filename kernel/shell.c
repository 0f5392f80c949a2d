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

/* Room for the name of what failed; a longer one is cut. */
#define FAILURE_MAX 32

/* ---- The table of commands ---- */

const struct command *command_find(const char *name)
{
	for (const struct command *c = __start_commands; c < __stop_commands; c++)
		if (strcmp(c->name, name) == 0)
			return c;
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

/* ---- What failed ---- */

struct failure {
	char what[FAILURE_MAX]; /* "": nothing failed */
	int status;
};

/* The first on the present line, and the first of all. */
static struct failure failed_on_line, failed_ever;
static unsigned commands_on_line; /* the one that runs included */

static void note(struct failure *failure, const char *what, int status)
{
	if (failure->what[0])
		return;
	snprintf(failure->what, sizeof(failure->what), "%s", what);
	failure->status = status;
}

static void note_failure(const char *what, int status)
{
	note(&failed_on_line, what, status);
	note(&failed_ever, what, status);
}

void shell_note_failure(const char *what)
{
	note_failure(what, COMMAND_FAILED);
}

const char *shell_failure(int *status)
{
	const struct failure *failed = commands_on_line > 1 ? &failed_on_line : &failed_ever;

	if (!failed->what[0])
		return NULL;
	*status = failed->status;
	return failed->what;
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
	if (console_interrupted()) {
		printf("^C\n");
		return -EINTR;
	}
	if (result == -EINVAL)
		command_print_usage(command);
	return result;
}

/* Says what is wrong with a line that cannot be split further. */
static int refuse_line(int err)
{
	const char *why = err == -E2BIG ? "too many words" : "a quote does not end";

	printf("%s\n", why);
	shell_note_failure(why);
	return err;
}

static int run_words(int argc, char **argv)
{
	int err;

	commands_on_line++;
	err = run_command(argc, argv);
	if (err)
		note_failure(argv[0], err > 0 ? err : COMMAND_FAILED);
	return err;
}

int shell_run_line(char *text)
{
	char *argv[SHELL_WORDS_MAX + 1];
	int first = 0;
	int err = 0;
	int argc;

	failed_on_line.what[0] = '\0';
	commands_on_line = 0;
	if (!shell_is_plain(text)) {
		printf("line with bytes that are not printable: dropped\n");
		shell_note_failure("a line that is no text");
		return -EILSEQ;
	}
	while (*text && err != -EINTR) {
		argc = shell_split(&text, argv);
		err = argc < 0 ? refuse_line(argc) : argc > 0 ? run_words(argc, argv) : 0;
		first = first ? first : err;
		if (argc < 0)
			break;
	}
	return first;
}
