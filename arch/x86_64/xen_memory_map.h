/* SPDX-License-Identifier: BSD-2-Clause */
/* The memory map that Xen tells who asks for it (Xen's public/memory.h). */
#ifndef ARCH_X86_64_XEN_MEMORY_MAP_H
#define ARCH_X86_64_XEN_MEMORY_MAP_H

#include "arch/boot_info.h"

/*
 * Stores up to `room` entries, at most BOOT_MEMORY_MAX. Returns how many; 0: without Xen, or if
 * it does not tell. After xen_find(), before memory is in use.
 */
uint32_t xen_read_memory_map(struct boot_memory *memory, uint32_t room);

#endif
