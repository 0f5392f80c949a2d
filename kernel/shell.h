/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The shell: finds and runs the commands that files register with COMMAND()
 * (kernel/lib/command.h). Lines come from a person at the console and, first,
 * from run="..." on the kernel's command line.
 *
 * A line is commands with `;` between them; a command is words with blanks
 * between them; double quotes keep blanks and `;` in a word.
 */
#ifndef KERNEL_SHELL_H
#define KERNEL_SHELL_H

#include "kernel/lib/command.h"
#include "kernel/lib/types.h"

#define SHELL_PROMPT "aerostat> "
#define SHELL_WORDS_MAX 16

/* NULL if there is no such command. */
const struct command *command_find(const char *name);

/* In alphabetical order: the one after `previous`, or the first; NULL at the end. */
const struct command *command_after(const struct command *previous);

/* "usage: hold SIZE [order]" */
void command_print_usage(const struct command *command);

/*
 * Splits the first command of `text` into words, in place, and moves *text
 * behind it. Returns their number; -EINVAL: a quote does not end, -E2BIG: more
 * than SHELL_WORDS_MAX words. argv gets a NULL behind the last word.
 */
int shell_split(char **text, char *argv[SHELL_WORDS_MAX + 1]);

/*
 * Runs the commands of a line, which is changed on the way. Returns what the
 * last one returned; -EINTR: Ctrl-C, and the rest of the line was not run.
 * Only for the shell's task.
 */
int shell_run_line(char *text);

/* What the first command that failed since boot returned; 0 if none did. */
int shell_first_failure(void);

/* True once Ctrl-C was typed while the present command runs. */
bool shell_interrupted(void);

/* Lines and bytes of input that were dropped as too long or not printable. */
void shell_get_dropped(uint64_t *lines, uint64_t *bytes);

/* The shell's task; its argument is the kernel's command line. */
void shell_task(void *command_line);

#endif
