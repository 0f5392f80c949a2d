/* SPDX-License-Identifier: BSD-2-Clause */
/* Tab: completes the name of a command, or lists those that it could be. */
#include <string.h>

#include "kernel/line_edit_internal.h"

/* Returns where the word that ends at `end` begins. */
static size_t word_start(const char *line, size_t end)
{
	while (end > 0 && line[end - 1] != ' ' && line[end - 1] != ';')
		end--;
	return end;
}

/* A name stands at the beginning of a command, or after `help`. */
static bool name_expected(const char *line, size_t start)
{
	static const char help[] = "help";
	size_t end = line_before_blanks(line, start);
	size_t word = word_start(line, end);

	if (end - word == strlen(help) && strncmp(line + word, help, strlen(help)) == 0)
		end = line_before_blanks(line, word);
	return end == 0 || line[end - 1] == ';';
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

	line_emit(edit, "\n");
	for (name = edit->name_after(NULL); name; name = edit->name_after(name)) {
		if (strncmp(name, start, length) == 0) {
			line_emit(edit, name);
			line_emit(edit, "  ");
		}
	}
	line_emit(edit, "\n");
	line_show(edit);
}

void line_complete(struct line_edit *edit, bool second)
{
	size_t start = word_start(edit->line, edit->cursor);
	size_t length = edit->cursor - start;
	const char *first = NULL, *last = NULL;
	const char *name;
	size_t common;

	if (!name_expected(edit->line, start))
		return;
	for (name = edit->name_after(NULL); name; name = edit->name_after(name)) {
		if (strncmp(name, edit->line + start, length) != 0)
			continue;
		if (!first)
			first = name;
		last = name;
	}
	if (!first)
		return;
	/* Sorted: what the first and the last share, all share. */
	common = common_length(first, last);
	if (edit->length + common - length + 1 > LINE_MAX_LENGTH)
		return;
	line_insert(edit, first + length, common - length);
	if (first == last)
		line_insert(edit, " ", 1);
	else if (common == length && second)
		list_names(edit, edit->line + start, length);
}
