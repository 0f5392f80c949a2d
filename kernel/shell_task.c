/* SPDX-License-Identifier: BSD-2-Clause */
/* The shell's task: where lines come from, and what the console shows meanwhile. */
#include <inttypes.h>
#include <stdio.h>

#include "arch/boot_info.h"
#include "kernel/command_line.h"
#include "kernel/console.h"
#include "kernel/console_input.h"
#include "kernel/lib/log.h"
#include "kernel/line_edit.h"
#include "kernel/option_words.h"
#include "kernel/shell.h"

static struct line_edit editor;
static volatile bool reading; /* the editor has the console's last row */

void shell_get_dropped(uint64_t *lines, uint64_t *bytes)
{
	*lines = editor.dropped_lines;
	*bytes = editor.dropped_bytes;
}

/* Shown as if typed, so that the output can be told apart by command. */
static void run_option(const char *command_line)
{
	static char text[BOOT_COMMAND_LINE_MAX];

	if (option_words_have_mistakes())
		shell_note_failure("a word of the command line");
	if (!command_line_option(command_line, OPTION_RUN, text, sizeof(text)))
		return;
	printf("%s", SHELL_PROMPT);
	puts(shell_is_plain(text) ? text : "?");
	shell_run_line(text);
}

/* What was typed ahead, and was too much, may have been half a command. */
static void tell_lost_input(void)
{
	static uint64_t told;
	uint64_t dropped = console_input_dropped();

	if (dropped == told)
		return;
	printf("%" PRIu64 " bytes of input were lost: they came faster than they were taken\n",
	       dropped - told);
	told = dropped;
	shell_note_failure("input that was lost");
}

static char *read_line(void)
{
	uint64_t dropped = editor.dropped_lines;
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
	if (editor.dropped_lines != dropped)
		shell_note_failure("a line that was dropped");
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

/* For the line editor: the name of the next command, NULL at the end. */
static const char *name_after(const char *previous)
{
	const struct command *next = command_after(previous ? command_find(previous) : NULL);

	return next ? next->name : NULL;
}

void shell_task(void *command_line)
{
	console_use_tasks();
	run_option(command_line);
	line_edit_init(&editor, SHELL_PROMPT, console_write, name_after);
	log_set_show(show_log_line);
	for (;;) {
		tell_lost_input();
		shell_run_line(read_line());
	}
}
