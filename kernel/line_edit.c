/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The line editor: a state machine over bytes. What a key does to the line and
 * the terminal is in line_edit_text.c, what Tab does in line_edit_complete.c.
 */
#include "kernel/line_edit.h"

#include <stdio.h>
#include <string.h>

#include "kernel/line_edit_internal.h"

#define CTRL(letter) ((letter)&0x1f)
#define KEY_ESCAPE 0x1b
#define KEY_DELETE 0x7f

/* A sequence that does not end is given up. */
#define ESCAPE_SEQUENCE_MAX 16

/* ---- History ---- */

static char *history_line(struct line_edit *edit, size_t back)
{
	return edit->history[(edit->history_count - back) % LINE_HISTORY];
}

static void history_keep(struct line_edit *edit)
{
	if (edit->line[strspn(edit->line, " ")] == '\0')
		return;
	/* Of the first line, that is an empty one. */
	if (strcmp(history_line(edit, 1), edit->line) == 0)
		return;
	strcpy(edit->history[edit->history_count++ % LINE_HISTORY], edit->line);
}

static void history_go(struct line_edit *edit, size_t back)
{
	if (back > edit->history_count || back > LINE_HISTORY)
		return;
	if (edit->history_back == 0)
		strcpy(edit->draft, edit->line);
	edit->history_back = back;
	line_replace(edit, back == 0 ? edit->draft : history_line(edit, back));
}

static void history_older(struct line_edit *edit)
{
	history_go(edit, edit->history_back + 1);
}

static void history_newer(struct line_edit *edit)
{
	if (edit->history_back > 0)
		history_go(edit, edit->history_back - 1);
}

/* ---- Keys ---- */

static void clear_line(struct line_edit *edit)
{
	edit->line[0] = '\0';
	edit->length = 0;
	edit->cursor = 0;
	edit->overlong = false;
	edit->binary = false;
	edit->history_back = 0;
}

/* A line with such a byte was not typed by a person: nothing of it is obeyed. */
static void drop_byte(struct line_edit *edit)
{
	edit->dropped_bytes++;
	edit->binary = true;
}

static char *end_line(struct line_edit *edit)
{
	char message[80];

	line_move_to(edit, edit->length);
	line_emit(edit, "\n");
	if (!edit->overlong && !edit->binary) {
		history_keep(edit);
		return edit->line;
	}
	edit->dropped_lines++;
	if (edit->overlong)
		snprintf(message, sizeof(message), "line of more than %d bytes: dropped\n",
			 LINE_MAX_LENGTH);
	else
		snprintf(message, sizeof(message), "line with bytes that are no text: dropped\n");
	line_emit(edit, message);
	line_edit_begin(edit);
	return NULL;
}

static void cancel_line(struct line_edit *edit)
{
	line_move_to(edit, edit->length);
	line_emit(edit, "^C\n");
	line_edit_begin(edit);
}

static void clear_screen(struct line_edit *edit)
{
	line_emit(edit, "\x1b[H\x1b[2J");
	line_show(edit);
}

static void move_left(struct line_edit *edit)
{
	if (edit->cursor > 0)
		line_move_to(edit, edit->cursor - 1);
}

static void move_right(struct line_edit *edit)
{
	if (edit->cursor < edit->length)
		line_move_to(edit, edit->cursor + 1);
}

static void erase_left(struct line_edit *edit)
{
	if (edit->cursor > 0)
		line_erase_to(edit, edit->cursor - 1);
}

static void erase_right(struct line_edit *edit)
{
	if (edit->cursor < edit->length)
		line_erase_to(edit, edit->cursor + 1);
}

static void feed_control(struct line_edit *edit, uint8_t byte)
{
	switch (byte) {
	case CTRL('A'):
		line_move_to(edit, 0);
		break;
	case CTRL('B'):
		move_left(edit);
		break;
	case CTRL('E'):
		line_move_to(edit, edit->length);
		break;
	case CTRL('F'):
		move_right(edit);
		break;
	case CTRL('H'):
	case KEY_DELETE:
		erase_left(edit);
		break;
	case CTRL('K'):
		line_erase_to(edit, edit->length);
		break;
	case CTRL('L'):
		clear_screen(edit);
		break;
	case CTRL('U'):
		line_erase_to(edit, 0);
		/* What was not shown has gone with the rest. */
		edit->binary = false;
		break;
	case CTRL('W'):
		line_erase_to(edit, line_word_before(edit));
		break;
	default:
		drop_byte(edit);
		break;
	}
}

/* The last byte of ESC [ or ESC O: which key was it? */
static void feed_final(struct line_edit *edit, uint8_t byte)
{
	/* VT220 keys: ESC [ number ~ */
	if (byte == '~') {
		switch (edit->parameter) {
		case '1':
		case '7':
			byte = 'H';
			break;
		case '3':
			erase_right(edit);
			return;
		case '4':
		case '8':
			byte = 'F';
			break;
		}
	} else if (edit->parameter) {
		/* With a modifier: no key of ours. */
		return;
	}
	switch (byte) {
	case 'A':
		history_older(edit);
		break;
	case 'B':
		history_newer(edit);
		break;
	case 'C':
		move_right(edit);
		break;
	case 'D':
		move_left(edit);
		break;
	case 'F':
		line_move_to(edit, edit->length);
		break;
	case 'H':
		line_move_to(edit, 0);
		break;
	}
}

/* A byte after ESC that is no control character. */
static void feed_escape(struct line_edit *edit, uint8_t byte)
{
	enum line_escape state = edit->escape;

	edit->escape = LINE_ESCAPE_NONE;
	if (byte > '~') {
		drop_byte(edit);
	} else if (state == LINE_ESCAPE_BEGUN) {
		edit->parameter = 0;
		edit->escape_length = 0;
		/* Anything else is Alt with a letter: no key of ours. */
		if (byte == '[')
			edit->escape = LINE_ESCAPE_BRACKET;
		else if (byte == 'O')
			edit->escape = LINE_ESCAPE_O;
	} else if (byte >= '@') {
		feed_final(edit, byte);
	} else if (state == LINE_ESCAPE_BRACKET && ++edit->escape_length < ESCAPE_SEQUENCE_MAX) {
		/* More than one character of parameters: no key of ours. */
		edit->parameter = edit->escape_length == 1 ? (char)byte : '?';
		edit->escape = LINE_ESCAPE_BRACKET;
	}
}

/* A byte of a line that is too long already, and not its end. */
static void feed_overlong(struct line_edit *edit, uint8_t byte)
{
	if (byte == CTRL('C'))
		cancel_line(edit);
}

void line_edit_interject(struct line_edit *edit, const char *text, size_t length)
{
	line_emit(edit, "\n");
	edit->emit(text, length);
	/* Who waits for a prompt at the start of a row does not take this one for an answer's. */
	if (edit->length > 0)
		line_emit(edit, " \b");
	line_show(edit);
}

void line_edit_init(struct line_edit *edit, const char *prompt,
		    void (*emit)(const char *text, size_t length),
		    const char *(*name_after)(const char *previous))
{
	memset(edit, 0, sizeof(*edit));
	edit->prompt = prompt;
	edit->emit = emit;
	edit->name_after = name_after;
}

void line_edit_begin(struct line_edit *edit)
{
	clear_line(edit);
	line_show(edit);
}

char *line_edit_feed(struct line_edit *edit, uint8_t byte)
{
	bool after_cr = edit->after_cr;
	bool after_tab = edit->after_tab;
	char c = (char)byte;

	edit->after_cr = byte == '\r';
	edit->after_tab = byte == '\t';
	if (byte == '\n' && after_cr)
		return NULL;
	/* A sequence that is cut off by a control character is over. */
	if (byte < ' ' || byte == KEY_DELETE)
		edit->escape = LINE_ESCAPE_NONE;
	if (byte == '\r' || byte == '\n')
		return end_line(edit);

	if (edit->overlong)
		feed_overlong(edit, byte);
	else if (edit->escape != LINE_ESCAPE_NONE)
		feed_escape(edit, byte);
	else if (byte == KEY_ESCAPE)
		edit->escape = LINE_ESCAPE_BEGUN;
	else if (byte == '\t')
		line_complete(edit, after_tab);
	else if (byte == CTRL('C'))
		cancel_line(edit);
	else if (byte < ' ' || byte == KEY_DELETE)
		feed_control(edit, byte);
	else if (byte <= '~')
		line_insert(edit, &c, 1);
	else
		drop_byte(edit);
	return NULL;
}
