/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The line editor: a state machine over bytes. The line is line[0 ... length),
 * the terminal's cursor stands at `cursor`, and every function that changes
 * one of them has shown the change when it returns.
 */
#include "kernel/line_edit.h"

#include <stdio.h>
#include <string.h>

#define CTRL(letter) ((letter)&0x1f)
#define KEY_ESCAPE 0x1b
#define KEY_DELETE 0x7f

/* A sequence that does not end is given up. */
#define ESCAPE_SEQUENCE_MAX 16

/* ---- What the terminal shows ---- */

static void emit_text(struct line_edit *edit, const char *text)
{
	edit->emit(text, strlen(text));
}

static void emit_repeated(struct line_edit *edit, char c, size_t count)
{
	while (count-- > 0)
		edit->emit(&c, 1);
}

static void move_to(struct line_edit *edit, size_t cursor)
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

static void show_prompt_and_line(struct line_edit *edit)
{
	size_t cursor = edit->cursor;

	emit_text(edit, edit->prompt);
	edit->cursor = 0;
	move_to(edit, edit->length);
	move_to(edit, cursor);
}

void line_edit_interject(struct line_edit *edit, const char *text, size_t length)
{
	emit_text(edit, "\n");
	edit->emit(text, length);
	show_prompt_and_line(edit);
}

/* ---- Changing the line ---- */

static void insert(struct line_edit *edit, const char *text, size_t count)
{
	size_t cursor = edit->cursor;

	if (edit->length + count > LINE_MAX_LENGTH) {
		edit->overlong = true;
		return;
	}
	memmove(edit->line + cursor + count, edit->line + cursor, edit->length - cursor + 1);
	memcpy(edit->line + cursor, text, count);
	edit->length += count;
	move_to(edit, cursor + count);
	if (edit->cursor < edit->length)
		show_tail(edit, 0);
}

/* Takes out what lies between the cursor and `other`, on either side of it. */
static void erase_to(struct line_edit *edit, size_t other)
{
	size_t end = edit->cursor > other ? edit->cursor : other;
	size_t count;

	if (other < edit->cursor)
		move_to(edit, other);
	count = end - edit->cursor;
	if (count == 0)
		return;
	memmove(edit->line + edit->cursor, edit->line + end, edit->length - end + 1);
	edit->length -= count;
	show_tail(edit, count);
}

static void replace_line(struct line_edit *edit, const char *text)
{
	move_to(edit, 0);
	erase_to(edit, edit->length);
	insert(edit, text, strlen(text));
}

/* Where the word left of the cursor begins. */
static size_t word_before(const struct line_edit *edit)
{
	size_t i = edit->cursor;

	while (i > 0 && edit->line[i - 1] == ' ')
		i--;
	while (i > 0 && edit->line[i - 1] != ' ')
		i--;
	return i;
}

/* ---- History ---- */

static char *history_line(struct line_edit *edit, size_t back)
{
	return edit->history[(edit->history_count - back) % LINE_HISTORY];
}

static void history_keep(struct line_edit *edit)
{
	if (edit->line[strspn(edit->line, " ")] == '\0')
		return;
	if (edit->history_count > 0 && strcmp(history_line(edit, 1), edit->line) == 0)
		return;
	memcpy(edit->history[edit->history_count++ % LINE_HISTORY], edit->line, edit->length + 1);
}

static void history_go(struct line_edit *edit, size_t back)
{
	if (back > edit->history_count || back > LINE_HISTORY)
		return;
	if (edit->history_back == 0)
		memcpy(edit->draft, edit->line, edit->length + 1);
	edit->history_back = back;
	replace_line(edit, back == 0 ? edit->draft : history_line(edit, back));
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

/* ---- Completion ---- */

/* A name stands at the beginning of a command, or behind `help`. */
static bool name_expected(const struct line_edit *edit, size_t start)
{
	const char *line = edit->line;

	while (start > 0 && line[start - 1] == ' ')
		start--;
	if (start >= 4 && strncmp(line + start - 4, "help", 4) == 0) {
		start -= 4;
		while (start > 0 && line[start - 1] == ' ')
			start--;
	}
	return start == 0 || line[start - 1] == ';';
}

static size_t common_length(const char *a, const char *b)
{
	size_t n = 0;

	while (a[n] && a[n] == b[n])
		n++;
	return n;
}

static void list_names(struct line_edit *edit, const char *start, size_t length)
{
	const char *name;

	emit_text(edit, "\n");
	for (name = edit->name_after(NULL); name; name = edit->name_after(name)) {
		if (strncmp(name, start, length) == 0) {
			emit_text(edit, name);
			emit_text(edit, "  ");
		}
	}
	emit_text(edit, "\n");
	show_prompt_and_line(edit);
}

static void complete(struct line_edit *edit, bool second)
{
	size_t start = edit->cursor;
	size_t matches = 0;
	size_t common = 0;
	const char *first = NULL;
	const char *name;
	size_t length;

	while (start > 0 && edit->line[start - 1] != ' ' && edit->line[start - 1] != ';')
		start--;
	length = edit->cursor - start;
	if (!name_expected(edit, start))
		return;
	for (name = edit->name_after(NULL); name; name = edit->name_after(name)) {
		if (strncmp(name, edit->line + start, length) != 0)
			continue;
		common = first ? common_length(first, name) : strlen(name);
		/* Sorted: what the first and the last share, all share. */
		if (!first)
			first = name;
		matches++;
	}
	if (matches == 0 || edit->length + common - length + 1 > LINE_MAX_LENGTH)
		return;
	insert(edit, first + length, common - length);
	if (matches == 1)
		insert(edit, " ", 1);
	if (matches > 1 && common == length && second)
		list_names(edit, edit->line + start, length);
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

/* What holds such a byte was not typed by a person: nothing of it is obeyed. */
static void drop_byte(struct line_edit *edit)
{
	edit->dropped_bytes++;
	edit->binary = true;
}

static char *end_line(struct line_edit *edit)
{
	char message[80];

	move_to(edit, edit->length);
	emit_text(edit, "\n");
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
	emit_text(edit, message);
	line_edit_begin(edit);
	return NULL;
}

static void cancel_line(struct line_edit *edit)
{
	move_to(edit, edit->length);
	emit_text(edit, "^C\n");
	line_edit_begin(edit);
}

static void clear_screen(struct line_edit *edit)
{
	emit_text(edit, "\x1b[H\x1b[2J");
	show_prompt_and_line(edit);
}

static void move_left(struct line_edit *edit)
{
	if (edit->cursor > 0)
		move_to(edit, edit->cursor - 1);
}

static void move_right(struct line_edit *edit)
{
	if (edit->cursor < edit->length)
		move_to(edit, edit->cursor + 1);
}

static void erase_left(struct line_edit *edit)
{
	if (edit->cursor > 0)
		erase_to(edit, edit->cursor - 1);
}

static void erase_right(struct line_edit *edit)
{
	if (edit->cursor < edit->length)
		erase_to(edit, edit->cursor + 1);
}

static void feed_control(struct line_edit *edit, uint8_t byte)
{
	switch (byte) {
	case CTRL('A'):
		move_to(edit, 0);
		break;
	case CTRL('B'):
		move_left(edit);
		break;
	case CTRL('E'):
		move_to(edit, edit->length);
		break;
	case CTRL('F'):
		move_right(edit);
		break;
	case CTRL('H'):
	case KEY_DELETE:
		erase_left(edit);
		break;
	case CTRL('K'):
		erase_to(edit, edit->length);
		break;
	case CTRL('L'):
		clear_screen(edit);
		break;
	case CTRL('U'):
		erase_to(edit, 0);
		edit->binary = false;
		break;
	case CTRL('W'):
		erase_to(edit, word_before(edit));
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
		byte = 0;
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
		move_to(edit, edit->length);
		break;
	case 'H':
		move_to(edit, 0);
		break;
	}
}

/* A byte behind ESC, and no control character. */
static void feed_escape(struct line_edit *edit, uint8_t byte)
{
	enum line_escape state = edit->escape;

	edit->escape = LINE_ESCAPE_NONE;
	if (byte >= 0x80) {
		drop_byte(edit);
	} else if (state == LINE_ESCAPE_BEGUN) {
		edit->parameter = 0;
		edit->escape_length = 0;
		/* Anything else is Alt with a letter: no key of ours. */
		if (byte == '[')
			edit->escape = LINE_ESCAPE_BRACKET;
		else if (byte == 'O')
			edit->escape = LINE_ESCAPE_O;
	} else if (byte >= 0x40) {
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
	emit_text(edit, edit->prompt);
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
	if (byte < 0x20 || byte == KEY_DELETE)
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
		complete(edit, after_tab);
	else if (byte == CTRL('C'))
		cancel_line(edit);
	else if (byte < 0x20 || byte == KEY_DELETE)
		feed_control(edit, byte);
	else if (byte < 0x80)
		insert(edit, &c, 1);
	else
		drop_byte(edit);
	return NULL;
}
