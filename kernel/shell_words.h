/* SPDX-License-Identifier: BSD-2-Clause */
/* Words of a command: blanks are between them, double quotes keep blanks and `;`. */
#ifndef KERNEL_SHELL_WORDS_H
#define KERNEL_SHELL_WORDS_H

#define SHELL_WORDS_MAX 16

/*
 * Splits the first command of `text` into words, in place, and moves *text past
 * it. Returns their number; -EINVAL: a quote does not end; -E2BIG: more than
 * SHELL_WORDS_MAX words. A NULL follows the last word in argv.
 */
int shell_split(char **text, char *argv[SHELL_WORDS_MAX + 1]);

#endif
