/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where text for a person goes, as the layers below kernel/ see it: printf()
 * and the log end here. kernel/console.c has the rest.
 */
#ifndef KERNEL_LIB_CONSOLE_H
#define KERNEL_LIB_CONSOLE_H

#include "kernel/lib/types.h"

/*
 * Shows `length` bytes; a newline ends a line, nothing else is converted. May
 * be called at any time, from an interrupt too: what cannot be shown because
 * nobody reads is dropped and counted. Sleeps only in a task.
 */
void console_write(const char *text, size_t length);

#endif
