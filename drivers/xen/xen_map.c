/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Pages of the toolstack's in the domain; see xen_map.h. Where they lie, below 4 GiB beside the
 * local APIC, all is mapped as registers are, uncached; so they get addresses of their own.
 */
#include "drivers/xen/xen_map.h"

#include <errno.h>

#include "arch/cpu.h"
#include "arch/paging.h"

int xen_map_page(pfn_t pfn, void **window)
{
	static uint64_t next = PAGING_SHARED_START;

	if (pfn == 0 || pfn >= UINT64_C(1) << (cpu_physical_bits() - FRAME_SHIFT))
		return -EINVAL;
	if (paging_map_page(next, pfn))
		return -ENOMEM;
	*window = (void *)(uintptr_t)next;
	next += FRAME_SIZE;
	return 0;
}
