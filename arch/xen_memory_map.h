/* SPDX-License-Identifier: BSD-2-Clause */
/* How Xen tells a guest its memory map when it is asked (Xen's public/memory.h). */
#ifndef ARCH_XEN_MEMORY_MAP_H
#define ARCH_XEN_MEMORY_MAP_H

#include <stdint.h>

/* The command of XEN_MEMORY_OP. */
#define XEN_MEMORY_MEMORY_MAP 9

struct xen_memory_map {
	uint32_t count; /* room; then how many there are */
	uint32_t pad;
	uint64_t buffer; /* virtual address of struct xen_e820 */
};

_Static_assert(sizeof(struct xen_memory_map) == 16, "struct xen_memory_map");

struct xen_e820 {
	uint64_t start;
	uint64_t size;
	uint32_t type;
} __attribute__((packed));

_Static_assert(sizeof(struct xen_e820) == 20, "an E820 entry");

#endif
