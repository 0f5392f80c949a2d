/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From boot_info to a working frame allocator: finds out which memory there is,
 * maps all of it, finds a place for the frame map, and enters all frames that are
 * in use already under their owners.
 */
#ifndef MM_MEMORY_H
#define MM_MEMORY_H

#include "arch/boot_info.h"
#include "mm/memmap.h"

/* With less RAM, memory_init() fails. */
#define MEMORY_MIN (15 * MIB)

/*
 * Makes the frame allocator work; once, at boot. The kernel's image lies from
 * `image_start` up to, and without, `image_end`; `physical_bits` is the width of
 * physical addresses. -ENOMEM: there is less than MEMORY_MIN, or no place for the
 * tables; -EINVAL: the map has no RAM where the image lies.
 */
int memory_init(const struct boot_info *boot, paddr_t image_start, paddr_t image_end,
		unsigned physical_bits);

/* Returns the RAM that memory_init() found and the frame allocator manages. */
const struct memmap *memory_map(void);

/*
 * Returns the file that the loader brought, and stores its size. Its frames are the kernel's. NULL:
 * it brought none, of size 0; or one that could not be kept, as it lies outside of RAM, on no
 * page, or where the kernel or its tables are.
 */
const void *memory_module(size_t *size);

#endif
