/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Stacks for tasks: STACK_SIZE bytes each, below which nothing is mapped.
 * Stack memory is not contiguous in physical memory: never for a device.
 */
#ifndef MM_STACK_H
#define MM_STACK_H

#define STACK_SIZE 16384
#define STACKS_MAX 32

/* Stores the address behind a new stack. -ENOMEM; -EAGAIN: STACKS_MAX are in use. */
int stack_alloc(void **top);

void stack_free(void *top);

#endif
