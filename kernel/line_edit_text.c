/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The line and the terminal's cursor: every function that changes one of them
 * has shown the change when it returns.
 */
#include <string.h>

#include "kernel/line_edit_internal.h"

/* ---- What the terminal shows ---- */

void line_emit(struct line_edit *edit, const char *text)
{
	edit->emit(text, strlen(text));
}

static void emit_repeated(struct line_edit *edit, char c, size_t count)
{
	while (count-- > 0)
		edit->emit(&c, 1);
}

void line_move_to(struct line_edit *edit, size_t cursor)
{
	if (cursor < edit->cursor)
		emit_repeated(edit, '\b', edit->cursor - cursor);
	else
		edit->emit(edit->line + edit->cursor, cursor - edit->cursor);
	edit->cursor = cursor;
}

/* Shows the line from the cursor on, over `erased` characters more that were there. */
static void show_tail(struct line_edit *edit, size_t erased)
{
	edit->emit(edit->line + edit->cursor, edit->length - edit->cursor);
	emit_repeated(edit, ' ', erased);
	emit_repeated(edit, '\b', edit->length - edit->cursor + erased);
}

void line_show(struct line_edit *edit)
{
	size_t cursor = edit->cursor;

	line_emit(edit, edit->prompt);
	edit->cursor = 0;
	line_move_to(edit, edit->length);
	line_move_to(edit, cursor);
}

/* ---- Changing the line ---- */

void line_insert(struct line_edit *edit, const char *text, size_t count)
{
	size_t cursor = edit->cursor;

	if (edit->length + count > LINE_MAX_LENGTH) {
		edit->overlong = true;
		return;
	}
	memmove(edit->line + cursor + count, edit->line + cursor, edit->length - cursor + 1);
	memcpy(edit->line + cursor, text, count);
	edit->length += count;
	line_move_to(edit, cursor + count);
	if (edit->cursor < edit->length)
		show_tail(edit, 0);
}

void line_erase_to(struct line_edit *edit, size_t other)
{
	size_t end = max_u64(edit->cursor, other);
	size_t count;

	if (other < edit->cursor)
		line_move_to(edit, other);
	count = end - edit->cursor;
	memmove(edit->line + edit->cursor, edit->line + end, edit->length - end + 1);
	edit->length -= count;
	show_tail(edit, count);
}

void line_replace(struct line_edit *edit, const char *text)
{
	line_move_to(edit, 0);
	line_erase_to(edit, edit->length);
	line_insert(edit, text, strlen(text));
}

size_t line_before_blanks(const char *line, size_t end)
{
	while (end > 0 && line[end - 1] == ' ')
		end--;
	return end;
}

size_t line_word_before(const struct line_edit *edit)
{
	size_t i = line_before_blanks(edit->line, edit->cursor);

	while (i > 0 && edit->line[i - 1] != ' ')
		i--;
	return i;
}
