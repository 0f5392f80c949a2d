/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Values of JSON that need care; the rest is printf(). One command prints one object, on
 * one line: docs/schemas has what is in each.
 */
#ifndef KERNEL_LIB_JSON_H
#define KERNEL_LIB_JSON_H

/* Prints text in quotes, what is special in it escaped; null for NULL. */
void json_print_string(const char *text);

#endif
