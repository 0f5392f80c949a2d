/* SPDX-License-Identifier: BSD-2-Clause */
/* The words of `stress`. A mistake is one line on the console, which says what would be right. */
#ifndef KERNEL_STRESS_WORDS_H
#define KERNEL_STRESS_WORDS_H

#include "kernel/stress.h"

/*
 * Fills `want`, whose `cache` is set, from a size and options, the words from argv[2] on.
 * -EINVAL: there is no size; -ERANGE: a mistake, which was told.
 */
int stress_parse(int argc, char **argv, struct stress_want *want);

/* Stores an option's number. -ERANGE: it is none, which was told. */
int stress_parse_number(const char *option, const char *word, uint64_t *number);

#endif
