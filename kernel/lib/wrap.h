/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Words on lines of at most 80 columns, which the console has: a word that would pass the
 * last column begins another line. Host programs include this file.
 *
 *	struct wrap line;
 *	wrap_begin(&line, 8);
 *	wrap_word(&line, "%s:", name);
 *	...
 *	wrap_end(&line);
 */
#ifndef KERNEL_LIB_WRAP_H
#define KERNEL_LIB_WRAP_H

#define WRAP_COLUMNS 80

/* Room for a word, or for a text of several, its NUL included; the rest is cut. */
#define WRAP_WORD_MAX 256

struct wrap {
	unsigned column; /* where the next character goes; 0: nothing is there yet */
	unsigned indent; /* of further lines */
};

/* Begins a paragraph. */
void wrap_begin(struct wrap *wrap, unsigned indent);

/* Prints what printf() would, as a word: it stays together, and a blank is before it. */
void wrap_word(struct wrap *wrap, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Prints a text: each blank in it may become the end of a line. */
void wrap_text(struct wrap *wrap, const char *text);

/* Ends the last line. */
void wrap_end(struct wrap *wrap);

#endif
