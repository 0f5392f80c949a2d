/* SPDX-License-Identifier: BSD-2-Clause */
/* Lists of lines, and how a page's are compared with real ones: see lines.h. */
#include "tests/docs/lines.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- Lists ---- */

static void *must(void *memory)
{
	if (!memory) {
		perror("docs test");
		exit(2);
	}
	return memory;
}

static void add_bytes(struct lines *lines, const char *text, size_t length)
{
	size_t size = (lines->count + 1) * sizeof(char *);

	lines->line = must(realloc(lines->line, size));
	lines->line[lines->count++] = must(strndup(text, length));
}

void lines_add(struct lines *lines, const char *text)
{
	add_bytes(lines, text, strlen(text));
}

void lines_add_text(struct lines *lines, const char *text)
{
	while (*text) {
		size_t length = strcspn(text, "\n"), end = length;

		while (end && strchr(" \t", text[end - 1]))
			end--;
		add_bytes(lines, text, end);
		text += length + (text[length] == '\n');
	}
}

void lines_free(struct lines *lines)
{
	for (size_t i = 0; i < lines->count; i++)
		free(lines->line[i]);
	free(lines->line);
	*lines = (struct lines){ 0 };
}

void lines_replace(struct lines *lines, size_t at, size_t count, const struct lines *with)
{
	struct lines all = { 0 };

	for (size_t i = 0; i < at; i++)
		lines_add(&all, lines->line[i]);
	for (size_t i = 0; i < with->count; i++)
		lines_add(&all, with->line[i]);
	for (size_t i = at + count; i < lines->count; i++)
		lines_add(&all, lines->line[i]);
	lines_free(lines);
	*lines = all;
}

/* ---- Comparing ---- */

#define HEX "0123456789abcdef"
#define ADDRESS_DIGITS 8

/* The length of the number at @text: 0x7f, 0011547d, 17 or 17.55; 0 if there is none. */
static size_t number_length(const char *text)
{
	size_t length = strspn(text, HEX);

	if (text[0] == '0' && text[1] == 'x' && isxdigit((unsigned char)text[2]))
		return 2 + strspn(text + 2, HEX);
	if (length >= ADDRESS_DIGITS && strcspn(text, "0123456789") < length)
		return length;
	length = strspn(text, "0123456789");
	if (length && text[length] == '.' && isdigit((unsigned char)text[length + 1]))
		length += 1 + strspn(text + length + 1, "0123456789");
	return length;
}

static size_t blanks(const char *text)
{
	return strspn(text, " \t");
}

static bool agree_but_for_numbers(const char *a, const char *b)
{
	for (;;) {
		size_t in_a = blanks(a), in_b = blanks(b);

		a += in_a;
		b += in_b;
		if (*a == '\0' || *b == '\0')
			return *a == *b;
		if (!in_a != !in_b && !number_length(a))
			return false;
		in_a = number_length(a);
		in_b = number_length(b);
		if (!in_a != !in_b || (!in_a && *a != *b))
			return false;
		a += in_a ? in_a : 1;
		b += in_b ? in_b : 1;
	}
}

static bool agree_exactly(const char *a, const char *b)
{
	size_t common = 0;

	while (a[common] && a[common] == b[common])
		common++;
	return a[common + blanks(a + common)] == '\0' && b[common + blanks(b + common)] == '\0';
}

static bool line_agrees(const char *shown, const char *said, const struct lines_rule *rule)
{
	if (!rule->numbers || (rule->exact && strstr(shown, rule->exact)))
		return agree_exactly(shown, said);
	return agree_but_for_numbers(shown, said);
}

static bool is_any(const char *line)
{
	return strcmp(line, LINES_ANY) == 0;
}

/* Stores in @at which line was said for each that was shown. */
static bool agree_from(char *const *shown, size_t count, const struct lines *said, size_t from,
		       const struct lines_rule *rule, size_t *at)
{
	if (count == 0)
		return from == said->count;
	if (!is_any(shown[0])) {
		*at = from;
		return from < said->count && line_agrees(shown[0], said->line[from], rule) &&
		       agree_from(shown + 1, count - 1, said, from + 1, rule, at + 1);
	}
	for (size_t next = from; next <= said->count; next++)
		if (agree_from(shown + 1, count - 1, said, next, rule, at + 1))
			return true;
	return false;
}

bool lines_agree(char *const *shown, size_t count, const struct lines *said,
		 const struct lines_rule *rule, struct lines *merged)
{
	size_t *at = must(calloc(count + 1, sizeof(*at)));
	bool agree = agree_from(shown, count, said, 0, rule, at);

	for (size_t i = 0; agree && merged && i < count; i++)
		lines_add(merged, is_any(shown[i]) ? LINES_ANY : said->line[at[i]]);
	free(at);
	return agree;
}
