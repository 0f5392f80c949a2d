/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The person's end of the serial line, or of Xen's console: what is written, what is read, Ctrl-C
 * and the magic key. printf() and the log end in console_write().
 *
 * In this order: console_init() as early as possible; console_start() when
 * interrupt handlers can be registered; console_use_tasks() in a task.
 */
#ifndef KERNEL_CONSOLE_H
#define KERNEL_CONSOLE_H

#include "kernel/lib/types.h"

/*
 * Starts output, by polling: on the first serial line that is there and on Xen's console, else on
 * port 0xe9, which has no input. Returns false if there is none of them.
 */
bool console_init(void);

/*
 * Shows `length` bytes; a newline ends a line, nothing else is converted. May
 * be called at any time, from an interrupt too: what cannot be shown because
 * nobody reads is dropped and counted. Sleeps only in a task.
 */
void console_write(const char *text, size_t length);

/*
 * Starts input, and output in the background; on Xen after xen_events_start(). Has a line in the
 * log if there is no input.
 */
void console_start(void);

/* Returns what the console is on, for people. */
const char *console_name(void);

/* Lets a writer in a task sleep, from here on, instead of polling. */
void console_use_tasks(void);

/* Makes console_write() return when all is sent, from here on: for a panic. */
void console_use_polling(void);

/* Sends what waits, within a bound: before the machine goes away. */
void console_flush(void);

/*
 * Has `magic` called on Break + `m`, in an interrupt: it may print, but finds
 * what it prints as the interrupted code left it.
 */
void console_set_magic(void (*magic)(void));

/* Returns the next byte of input; -EAGAIN: none came before the deadline. */
int console_read(uint64_t deadline);

/*
 * While a command runs, Ctrl-C is no input: it drops what was typed ahead, and
 * console_interrupted() is true until the next console_begin_command().
 */
void console_begin_command(void);
void console_end_command(void);
bool console_interrupted(void);

#endif
