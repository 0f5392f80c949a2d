/* SPDX-License-Identifier: BSD-2-Clause */
/* Tab: completes the name of a command, or lists those that it could be. */
#include <string.h>

#include "kernel/line_edit_internal.h"

/* A name stands at the beginning of a command, or after `help`. */
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
	line_insert(edit, first + length, common - length);
	if (matches == 1)
		line_insert(edit, " ", 1);
	if (matches > 1 && common == length && second)
		list_names(edit, edit->line + start, length);
}
