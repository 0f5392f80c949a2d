/* SPDX-License-Identifier: BSD-2-Clause */
/* One byte value for the allocator to fill frames with. */
#include "mm/poison.h"

#include <string.h>

#include "arch/paging.h"
#include "mm/frame.h"

static uint8_t poison_byte;

static void fill(pfn_t pfn, size_t count)
{
	memset(phys_to_virt(pfn_to_paddr(pfn)), poison_byte, count * FRAME_SIZE);
}

void poison_enable(uint8_t byte)
{
	poison_byte = byte;
	frame_set_poisoner(fill);
}
