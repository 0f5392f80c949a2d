/* SPDX-License-Identifier: BSD-2-Clause */
/* Switching between stacks. */
#ifndef ARCH_CONTEXT_H
#define ARCH_CONTEXT_H

#include "kernel/lib/types.h"

/*
 * What a task left behind when it was switched away from: the rest lies on
 * its stack, below the return address of context_switch().
 */
struct context {
	uint64_t stack_pointer;
};

/* Prepares a context that begins in fn(arg) on the stack that ends at `top`. fn never returns. */
void context_init(struct context *context, void *top, void (*fn)(void *), void *arg);

/* Saves into `from`, goes on in `to`. With interrupts off. */
void context_switch(struct context *from, struct context *to);

#endif
