/* SPDX-License-Identifier: BSD-2-Clause */
/* Words of a command, in the place where they stand: no memory is needed for them. */
#include "kernel/shell_words.h"

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/*
 * Takes the word that *text begins with: cuts out its quotes and ends it, in
 * place, and moves *text past the character that ended it, stored in *end.
 */
static int split_word(char **text, char *end)
{
	bool quoted = false;
	char *in = *text;
	char *out = *text;

	for (; *in && (quoted || (!is_blank(*in) && *in != ';')); in++) {
		if (*in == '"')
			quoted = !quoted;
		else
			*out++ = *in;
	}
	*end = *in;
	*text = *in ? in + 1 : in;
	*out = '\0';
	return quoted ? -EINVAL : 0;
}

int shell_split(char **text, char *argv[SHELL_WORDS_MAX + 1])
{
	char *p = *text;
	char end = ' ';
	int argc = 0;
	char *word;
	int err;

	while (is_blank(end)) {
		p += strspn(p, " \t");
		if (*p == '\0' || *p == ';') {
			p += *p == ';';
			break;
		}
		if (argc == SHELL_WORDS_MAX)
			return -E2BIG;
		word = p;
		err = split_word(&p, &end);
		if (err)
			return err;
		argv[argc++] = word;
	}
	argv[argc] = NULL;
	*text = p;
	return argc;
}
