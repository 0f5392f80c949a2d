/* SPDX-License-Identifier: BSD-2-Clause */
/* Finds options on the kernel's command line, which is the host's input. */
#include "kernel/command_line.h"

#include <string.h>

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static const char *skip_blanks(const char *text)
{
	while (is_blank(*text))
		text++;
	return text;
}

/* The end of the word that `text` begins with; blanks in quotes are part of it. */
static const char *word_end(const char *text, bool *complete)
{
	bool quoted = false;

	for (; *text && (quoted || !is_blank(*text)); text++) {
		if (*text == '"')
			quoted = !quoted;
	}
	*complete = !quoted;
	return text;
}

/* Copies without the quotes. */
static bool copy_value(const char *start, const char *end, char *value, size_t size)
{
	size_t length = 0;

	for (const char *p = start; p < end; p++)
		length += *p != '"';
	if (length >= size)
		return false;
	for (; start < end; start++) {
		if (*start != '"')
			*value++ = *start;
	}
	*value = '\0';
	return true;
}

bool command_line_option(const char *command_line, const char *key, char *value, size_t size)
{
	size_t key_length = strlen(key);
	const char *found = NULL;
	const char *found_end = NULL;
	const char *word = skip_blanks(command_line);
	bool complete = true;
	const char *end;

	for (; *word; word = skip_blanks(end)) {
		end = word_end(word, &complete);
		if (strncmp(word, key, key_length) != 0)
			continue;
		if (word[key_length] != '=' && word + key_length != end)
			continue;
		if (!complete)
			return false;
		found = word + key_length + (word[key_length] == '=');
		found_end = end;
	}
	return found && copy_value(found, found_end, value, size);
}
