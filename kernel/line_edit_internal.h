/* SPDX-License-Identifier: BSD-2-Clause */
/* Shared by the line editor's files; see line_edit.h. */
#ifndef KERNEL_LINE_EDIT_INTERNAL_H
#define KERNEL_LINE_EDIT_INTERNAL_H

#include "kernel/line_edit.h"

/* ---- line_edit_text.c: the line is line[0 ... length), the cursor stands at `cursor` ---- */

/* Shows text where the terminal's cursor is. */
void line_emit(struct line_edit *edit, const char *text);

/* Moves the cursor. */
void line_move_to(struct line_edit *edit, size_t cursor);

/* Shows the prompt and the line on a new row, the cursor where it was in the line. */
void line_show(struct line_edit *edit);

/* Inserts at the cursor, which moves along; a line that would be too long becomes overlong. */
void line_insert(struct line_edit *edit, const char *text, size_t count);

/* Takes out what lies between the cursor and `other`, on either side of it. */
void line_erase_to(struct line_edit *edit, size_t other);

/* Puts another text in place of the line, the cursor at its end. */
void line_replace(struct line_edit *edit, const char *text);

/* Returns where the blanks begin that stand before `end`; there may be none. */
size_t line_before_blanks(const char *line, size_t end);

/* Returns where the word left of the cursor begins. */
size_t line_word_before(const struct line_edit *edit);

/* ---- line_edit_complete.c ---- */

/* Completes the name at the cursor; a `second` Tab lists what it could be. */
void line_complete(struct line_edit *edit, bool second);

#endif
