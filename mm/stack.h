/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Stacks for tasks: STACK_SIZE bytes each, below which nothing is mapped.
 * Stack memory is not contiguous in physical memory: never for a device.
 */
#ifndef MM_STACK_H
#define MM_STACK_H

#define STACK_SIZE 16384
#define STACKS_MAX 32

/*
 * Allocates a stack and stores its top, the address after its last byte. -EAGAIN:
 * STACKS_MAX are in use; -ENOMEM: there are no frames for it, or for page tables.
 */
int stack_alloc(void **top);

/* Frees a stack that stack_alloc() gave; the caller does not run on it. */
void stack_free(void *top);

#endif
