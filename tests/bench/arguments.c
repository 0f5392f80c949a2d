/* SPDX-License-Identifier: BSD-2-Clause */
/* QEMU's arguments; see arguments.h. */
#include "tests/bench/arguments.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

__attribute__((noreturn)) static void no_room(void)
{
	fprintf(stderr, "bench: too much for QEMU's command line; a path may be too long\n");
	exit(1);
}

void arguments_add(struct arguments *a, const char *word)
{
	if (a->count + 1 >= ARGUMENTS_MAX)
		no_room();
	a->argv[a->count++] = word;
}

void arguments_add_text(struct arguments *a, const char *format, ...)
{
	char *word = a->text + a->len;
	va_list args;

	va_start(args, format);
	a->len += (size_t)vsnprintf(word, sizeof(a->text) - a->len, format, args) + 1;
	va_end(args);
	if (a->len > sizeof(a->text))
		no_room();
	arguments_add(a, word);
}
