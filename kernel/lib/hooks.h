/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The library calls nothing above itself, so it is handed a console, a clock and
 * the person's Ctrl-C. kernel/main.c does so first of all; a host program that takes
 * parts of the library hands it its own, or none. What a panic needs is in panic.h.
 */
#ifndef KERNEL_LIB_HOOKS_H
#define KERNEL_LIB_HOOKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * From here on `write` shows all text: printf(), puts(), putchar() and the
 * log's lines. It may be called at any time, from an interrupt too. Before,
 * and after NULL, text is dropped; the log keeps its lines all the same.
 */
void lib_set_console(void (*write)(const char *text, size_t length));

/* From here on `clock` tells the time in ns since boot; before, and after NULL, it is 0. */
void lib_set_clock(uint64_t (*clock)(void));

/*
 * From here on `interrupted` tells whether a person wants the present command to end
 * (Ctrl-C); before, and after NULL, nobody does.
 */
void lib_set_interrupted(bool (*interrupted)(void));

/* Tells whether the present command is to end: asked by one that takes long, and at each wait. */
bool lib_interrupted(void);

/* Shows `length` bytes on the console, if there is one. */
void lib_write(const char *text, size_t length);

/* Returns ns since boot, 0 without a clock. */
uint64_t lib_time_ns(void);

#endif
