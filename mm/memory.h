/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From boot_info to a working frame allocator: which memory there is, page
 * tables for all of it, a place for the frame map, and everything that is in
 * use already entered under its owner.
 */
#ifndef MM_MEMORY_H
#define MM_MEMORY_H

#include "arch/boot_info.h"
#include "mm/memmap.h"

/* What a kernel can begin with; checked by memory_init(). */
#define MEMORY_MIN (15 * MIB)

/*
 * Once, at boot. `image_end` is the physical address behind the kernel's
 * image, which begins at `image_start`. -ENOMEM: less than MEMORY_MIN, or no
 * place for the tables; -EINVAL: the map has no RAM where the image lies. What
 * was found can be read with memory_map().
 */
int memory_init(const struct boot_info *boot, paddr_t image_start, paddr_t image_end,
		unsigned physical_bits);

/* The RAM found, as the frame allocator manages it. */
const struct memmap *memory_map(void);

#endif
