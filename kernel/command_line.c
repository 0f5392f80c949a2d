/* SPDX-License-Identifier: BSD-2-Clause */
/* Finds options on the kernel's command line, which is the host's input. */
#include "kernel/command_line.h"

#include <errno.h>
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

/* The value of the option that [word, end) is, or NULL: it is another one. */
static const char *value_of(const char *word, const char *end, const char *key)
{
	size_t length = strlen(key);

	if (strncmp(word, key, length) != 0)
		return NULL;
	if (word[length] != '=' && word + length != end)
		return NULL;
	return word + length + (word[length] == '=');
}

bool command_line_word(const char **cursor, struct command_line_word *word)
{
	const char *start = skip_blanks(*cursor);

	*cursor = word_end(start, &word->complete);
	word->text = start;
	word->length = (size_t)(*cursor - start);
	return word->length > 0;
}

int command_line_next(const char **cursor, const char *key, char *value, size_t size)
{
	struct command_line_word word;

	while (command_line_word(cursor, &word)) {
		const char *end = word.text + word.length;
		const char *found = value_of(word.text, end, key);

		if (found)
			return word.complete && copy_value(found, end, value, size) ? 1 : -EINVAL;
	}
	return 0;
}

bool command_line_option(const char *command_line, const char *key, char *value, size_t size)
{
	const char *found = NULL;
	const char *found_end = NULL;
	struct command_line_word word;

	while (command_line_word(&command_line, &word)) {
		const char *end = word.text + word.length;
		const char *start = value_of(word.text, end, key);

		if (!start)
			continue;
		if (!word.complete)
			return false;
		found = start;
		found_end = end;
	}
	return found && copy_value(found, found_end, value, size);
}

void command_line_drop_last_word(char *command_line)
{
	size_t length = strlen(command_line);

	while (length > 0 && !is_blank(command_line[length - 1]))
		length--;
	command_line[length] = '\0';
}
