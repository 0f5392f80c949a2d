/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * lines.c: lists of lines, and whether what a page shows is what was said.
 */
#ifndef TESTS_DOCS_LINES_H
#define TESTS_DOCS_LINES_H

#include <stdbool.h>
#include <stddef.h>

/* A line of a page that stands for any number of lines. */
#define LINES_ANY "..."

struct lines {
	char **line; /* without their newlines; the list's own */
	size_t count;
};

/* What may differ. */
struct lines_rule {
	bool numbers;	   /* any number for any other, any blanks for any others */
	const char *exact; /* yet not in lines that contain this; NULL: in all */
};

/* Adds a copy of @text at the end. */
void lines_add(struct lines *lines, const char *text);

/* Adds each line of @text, without blanks at its end. */
void lines_add_text(struct lines *lines, const char *text);

/* Empties the list. */
void lines_free(struct lines *lines);

/* Replaces @count lines from @at on by copies of @with. */
void lines_replace(struct lines *lines, size_t at, size_t count, const struct lines *with);

/*
 * Compares the @count lines at @shown, some of which may be LINES_ANY, with
 * @said. On success @merged, if not NULL, gets what was said, with LINES_ANY
 * where that was shown.
 */
bool lines_agree(char *const *shown, size_t count, const struct lines *said,
		 const struct lines_rule *rule, struct lines *merged);

#endif
