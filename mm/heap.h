/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The ground of newlib's malloc(): sbrk() over a window of virtual addresses
 * whose pages are frames of owner `heap`. Memory that malloc() trims off the
 * top goes back to the frame allocator at once.
 *
 * Heap memory is not contiguous in physical memory: never for a device.
 */
#ifndef MM_HEAP_H
#define MM_HEAP_H

#include <stddef.h>

/*
 * Moves the end of the heap by `increment` bytes; called by newlib. Returns where
 * the end was, or (void *)-1 with errno ENOMEM: nothing has changed then.
 */
void *sbrk(ptrdiff_t increment);

/* Counts the bytes between the heap's start and its end. */
size_t heap_size(void);

#endif
