/* SPDX-License-Identifier: BSD-2-Clause */
/* QEMU's arguments, as a benchmark puts them together, and the text of their words. */
#ifndef TESTS_BENCH_ARGUMENTS_H
#define TESTS_BENCH_ARGUMENTS_H

#include <stddef.h>

#define ARGUMENTS_MAX 48

/* All zeros: none yet. `argv` always ends with NULL. */
struct arguments {
	const char *argv[ARGUMENTS_MAX];
	size_t count;
	char text[2048];
	size_t len;
};

/* Adds a word, which is kept, not copied. Where there is no room the program ends, and says so. */
void arguments_add(struct arguments *a, const char *word);

/* Adds a word that is made here, as by printf(3), and kept in `a`. Ends like arguments_add(). */
__attribute__((format(printf, 2, 3))) void arguments_add_text(struct arguments *a,
							      const char *format, ...);

#endif
