/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What newlib's malloc() stands on: sbrk() over a window of virtual addresses
 * whose pages are frames of owner `heap`. Memory that malloc() trims off the
 * top goes back to the frame allocator at once.
 *
 * Heap memory is not contiguous in physical memory: never for a device.
 */
#ifndef MM_HEAP_H
#define MM_HEAP_H

#include <stddef.h>

/* newlib's: moves the end of the heap; (void *)-1 and errno ENOMEM if it cannot. */
void *sbrk(ptrdiff_t increment);

/* Bytes between the heap's start and its end. */
size_t heap_size(void);

#endif
