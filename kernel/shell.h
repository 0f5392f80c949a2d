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

/* ---- shell.c ---- */

/* Finds a command by its name; NULL: there is none. */
const struct command *command_find(const char *name);

/* Returns the command after `previous` in alphabetical order, or the first; NULL at the end. */
const struct command *command_after(const struct command *previous);

/* Prints "usage: hold SIZE [order]". */
void command_print_usage(const struct command *command);

/* Tells whether text may be obeyed and shown: any other byte could steer the terminal. */
bool shell_is_plain(const char *text);

/*
 * Runs the commands of a line, which is changed on the way. Returns what the
 * first one that failed returned, a status of its own included; -ENOENT: it is
 * unknown; -EILSEQ: the line is not plain; -EINVAL, -E2BIG: it cannot be split;
 * -EINTR: Ctrl-C, and the rest of the line was not run. Only for the shell's task.
 */
int shell_run_line(char *text);

/* Remembers the name of something that failed, for shell_failure(). Text only. */
void shell_note_failure(const char *what);

/*
 * Gives the name of the first command that failed among those before the present one on
 * its line; if it is the first there, among all since boot. Stores the status that stands
 * for it, 1 to 127. NULL: none failed. Good until the line ends.
 */
const char *shell_failure(int *status);

/* ---- shell_task.c ---- */

/* Stores how many lines and bytes of input were dropped as too long or not printable. */
void shell_get_dropped(uint64_t *lines, uint64_t *bytes);

/* Runs the shell for ever; its argument is the kernel's command line. */
_Noreturn void shell_task(void *command_line);

#endif
