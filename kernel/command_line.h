/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The kernel's command line, as -append gave it: words with blanks between
 * them, each `key=value`, `key="a value with blanks"` or just `key`.
 */
#ifndef KERNEL_COMMAND_LINE_H
#define KERNEL_COMMAND_LINE_H

#include "kernel/lib/types.h"

struct command_line_word {
	const char *text; /* not ended by a NUL */
	size_t length;	  /* > 0; with its quotes */
	bool complete;	  /* each of its quotes ends */
};

/*
 * Finds the next word after `*cursor`, which begins as the command line, and moves that
 * past it. Blanks in quotes are part of a word. Returns false at the end.
 */
bool command_line_word(const char **cursor, struct command_line_word *word);

/*
 * Stores the value of the last option named `key`; "" if it has none. Returns
 * false and stores nothing if there is no such option, or if its value does not
 * fit into `size` bytes or its quote does not end: half a value is no value.
 */
bool command_line_option(const char *command_line, const char *key, char *value, size_t size);

/*
 * Finds the next option named `key` after `*cursor`, which begins as the command
 * line: for options that may come more than once. Returns 1 and stores its
 * value; 0: there is none left; -EINVAL: its value does not fit into `size`
 * bytes, or its quote does not end.
 */
int command_line_next(const char **cursor, const char *key, char *value, size_t size);

/*
 * Removes what follows the last blank, the part of a word that is left of it where a line
 * was cut. A blank in quotes counts, too: what begins there has no end then.
 */
void command_line_drop_last_word(char *command_line);

#endif
