/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Numbers and sizes as people write them. All functions take a whole string:
 * what follows the number makes it wrong. Nothing is changed on an error.
 * Host programs include this file.
 */
#ifndef KERNEL_LIB_PARSE_H
#define KERNEL_LIB_PARSE_H

#include "kernel/lib/types.h"

/* Room for the longest text of format_size() and format_size_exact(), its NUL included. */
#define FORMAT_SIZE_MAX 24

/* Reads a decimal number, or a hexadecimal one after 0x. -EINVAL: no number; -ERANGE: too large. */
int parse_u64(const char *text, uint64_t *value);

/*
 * Reads a size in bytes: a decimal number and, right after it, nothing or one
 * of k K m M g G t T (times 1024, 1024^2, ...), which "B" or "iB" may follow. With
 * a unit there may be a point and 1 to 15 digits, as in 1.5G; fractions of a byte
 * are dropped. -EINVAL: not of this form; -ERANGE: 2^64 or more.
 */
int parse_size(const char *text, uint64_t *bytes);

/*
 * Reads seconds, "10" or "0.5", as nanoseconds: at most 10^9, with up to 15 digits after
 * the point, of which nine count. -EINVAL: not of this form; -ERANGE: more.
 */
int parse_seconds(const char *text, uint64_t *ns);

/* Writes "64.0 MiB", "4 KiB" or "100 B": for people, rounded to nearest, one digit. */
const char *format_size(uint64_t bytes, char text[FORMAT_SIZE_MAX]);

/*
 * Writes "4K", "2M", "1026M": in the largest of K, M, G and T of which it is a whole number. After
 * a number of bytes stands `unit`, "B" or "": "100B"; nothing is "0". parse_size() reads it.
 */
const char *format_size_exact(uint64_t bytes, const char *unit, char text[FORMAT_SIZE_MAX]);

#endif
