/* SPDX-License-Identifier: BSD-2-Clause */
/* Switching between stacks. */
#ifndef ARCH_CONTEXT_H
#define ARCH_CONTEXT_H

#include "kernel/lib/types.h"

/*
 * A task that does not run: its registers lie on its stack, below the return
 * address of context_switch().
 */
struct context {
	uint64_t stack_pointer;
};

/*
 * Prepares a context that begins in fn(arg), which never returns. `top` is the
 * end of its stack, a multiple of 16.
 */
void context_init(struct context *context, void *top, void (*fn)(void *), void *arg);

/* Saves the running context in `from` and continues `to`. With interrupts off. */
void context_switch(struct context *from, struct context *to);

#endif
