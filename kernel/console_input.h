/* SPDX-License-Identifier: BSD-2-Clause */
/* What was typed and not read yet, from wherever the console takes input. */
#ifndef KERNEL_CONSOLE_INPUT_H
#define KERNEL_CONSOLE_INPUT_H

#include "kernel/lib/types.h"

/* Adds a byte, and wakes who waits; one too many is dropped and counted. In an interrupt. */
void console_input_put(uint8_t byte);

/* Takes the next byte; false: there is none. Never sleeps. */
bool console_input_take(uint8_t *byte);

/* Sleeps until there is input (true) or the deadline has passed (false). In a task. */
bool console_input_wait(uint64_t deadline);

/* Forgets what nobody has read. */
void console_input_discard(void);

/* Returns how many bytes were dropped since boot, as there was no room for them. */
uint64_t console_input_dropped(void);

#endif
