/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the guest has mapped where, by its own page tables (AMD APM volume 2, 5.3): those are
 * input. For personalities whose calls have virtual addresses.
 */
#include <stddef.h>

#include "tests/hypervisor/layout.h"
#include "tests/hypervisor/page_table.h"
#include "tests/hypervisor/personality.h"
#include "tests/hypervisor/svm.h"

#define CR0_PG (UINT64_C(1) << 31)
#define CR4_LA57 (UINT64_C(1) << 12)
#define EFER_LMA 0x400

/* The physical address of a virtual one in 64-bit mode. */
static bool translate(uint64_t address, uint64_t *physical)
{
	uint64_t table = guest.vmcb->cr3 & PTE_ADDRESS;

	for (unsigned level = guest.vmcb->cr4 & CR4_LA57 ? 5 : 4; level > 0; level--) {
		uint64_t page = UINT64_C(1) << (12 + 9 * (level - 1));
		const uint64_t *entry = machine_memory(
			table + table_index(address, level) * sizeof(*entry), sizeof(*entry));

		if (!entry || !(*entry & PTE_PRESENT))
			return false;
		table = *entry & PTE_ADDRESS;
		if (level == 1 || (level <= 3 && (*entry & PTE_LARGE))) {
			*physical = table / page * page + address % page;
			return true;
		}
	}
	return false;
}

void *machine_virtual(uint64_t address, uint64_t size)
{
	uint64_t first = 0, physical, offset;

	if (!(guest.vmcb->cr0 & CR0_PG) || !(guest.vmcb->efer & EFER_LMA))
		return machine_memory(address, size);
	if (size == 0 || size > UINT64_MAX - address || !translate(address, &first))
		return NULL;
	/* By bytes from the first one on: the page after the highest one has address 0. */
	for (offset = FRAME_SIZE - address % FRAME_SIZE; offset < size; offset += FRAME_SIZE)
		if (!translate(address + offset, &physical) || physical != first + offset)
			return NULL;
	return machine_memory(first, size);
}
