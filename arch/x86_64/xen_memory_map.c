/* SPDX-License-Identifier: BSD-2-Clause */
/* One hypercall; its entries are an E820 map's, of 20 bytes, and what they say is input. */
#include "arch/x86_64/xen_memory_map.h"

#include <assert.h>

#include "arch/xen.h"
#include "arch/xen_memory_map.h"

uint32_t xen_read_memory_map(struct boot_memory *memory, uint32_t room)
{
	static struct xen_e820 entries[BOOT_MEMORY_MAX];
	struct xen_memory_map request = { .count = room, .buffer = (uintptr_t)entries };

	assert(room <= BOOT_MEMORY_MAX);
	if (xen_hypercall(XEN_MEMORY_OP, XEN_MEMORY_MEMORY_MAP, (uintptr_t)&request, 0) ||
	    request.count > room)
		return 0;
	for (uint32_t i = 0; i < request.count; i++)
		memory[i] = (struct boot_memory){ .start = entries[i].start,
						  .size = entries[i].size,
						  .type = entries[i].type };
	return request.count;
}
