/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The line editor, without any input or output of its own: bytes are fed in,
 * text for the terminal comes out through a callback, and now and then a line
 * is complete. Moving the cursor is done with backspaces, so any terminal will
 * do, as long as the line fits into its width.
 *
 * Input is hostile: every byte value in every state is harmless. Only
 * printable ASCII gets into a line, and a line into which anything else was fed
 * is dropped as a whole.
 */
#ifndef KERNEL_LINE_EDIT_H
#define KERNEL_LINE_EDIT_H

#include "kernel/lib/types.h"

#define LINE_MAX_LENGTH 255
#define LINE_HISTORY 32

enum line_escape {
	LINE_ESCAPE_NONE,
	LINE_ESCAPE_BEGUN,   /* after ESC */
	LINE_ESCAPE_BRACKET, /* after ESC [ */
	LINE_ESCAPE_O,	     /* after ESC O */
};

/* The caller's; everything but the counters is private. */
struct line_edit {
	const char *prompt;
	void (*emit)(const char *text, size_t length);
	const char *(*name_after)(const char *previous);

	char line[LINE_MAX_LENGTH + 1]; /* always NUL-terminated */
	size_t length;
	size_t cursor;
	bool overlong; /* the rest of the line is thrown away */
	bool binary;   /* had bytes that are no text: will be dropped */
	bool after_cr; /* a LF now belongs to it */
	bool after_tab;

	enum line_escape escape;
	unsigned escape_length;
	char parameter; /* the only one of an ESC [ sequence, if one digit */

	char history[LINE_HISTORY][LINE_MAX_LENGTH + 1];
	size_t history_count;		 /* lines ever kept */
	size_t history_back;		 /* how far back the person went; 0: own line */
	char draft[LINE_MAX_LENGTH + 1]; /* own line, meanwhile */

	uint64_t dropped_bytes; /* not printable and no key that is known */
	uint64_t dropped_lines; /* longer than LINE_MAX_LENGTH, or with such bytes */
};

/*
 * Sets up an editor. `emit` shows text. `name_after` gives the words that Tab completes, in
 * alphabetical order: the first one after `previous`, NULL for the very first;
 * NULL at the end. Strings are kept, not copied.
 */
void line_edit_init(struct line_edit *edit, const char *prompt,
		    void (*emit)(const char *text, size_t length),
		    const char *(*name_after)(const char *previous));

/* Shows the prompt and begins an empty line. */
void line_edit_begin(struct line_edit *edit);

/*
 * Shows text that comes from elsewhere while a line is typed: it gets rows of
 * its own, and the prompt and the line follow it. `text` ends with a newline. The first byte
 * of that row is the prompt's only if nothing of a line was typed.
 */
void line_edit_interject(struct line_edit *edit, const char *text, size_t length);

/*
 * Takes one byte. Returns the line if it is complete, else NULL. It may be
 * changed and is valid until line_edit_begin(), which the caller owes now.
 */
char *line_edit_feed(struct line_edit *edit, uint8_t byte);

#endif
