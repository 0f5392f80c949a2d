/* SPDX-License-Identifier: BSD-2-Clause */
/* Lines of at most 80 columns: see wrap.h. */
#include "kernel/lib/wrap.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void wrap_begin(struct wrap *wrap, unsigned indent)
{
	*wrap = (struct wrap){ .indent = indent };
}

static void put_word(struct wrap *wrap, const char *word, unsigned length)
{
	if (wrap->column > 0 && wrap->column + 1 + length > WRAP_COLUMNS) {
		printf("\n%*s", (int)wrap->indent, "");
		wrap->column = wrap->indent;
	} else if (wrap->column > 0) {
		printf(" ");
		wrap->column++;
	}
	printf("%.*s", (int)length, word);
	wrap->column += length;
}

void wrap_word(struct wrap *wrap, const char *fmt, ...)
{
	char word[WRAP_WORD_MAX];
	va_list args;

	va_start(args, fmt);
	vsnprintf(word, sizeof(word), fmt, args);
	va_end(args);
	put_word(wrap, word, (unsigned)strlen(word));
}

void wrap_text(struct wrap *wrap, const char *text)
{
	while (*(text += strspn(text, " "))) {
		unsigned length = (unsigned)strcspn(text, " ");

		put_word(wrap, text, length);
		text += length;
	}
}

void wrap_end(struct wrap *wrap)
{
	printf("\n");
	wrap->column = 0;
}
