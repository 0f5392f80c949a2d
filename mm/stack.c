/* SPDX-License-Identifier: BSD-2-Clause */
/* Slots of the stacks window: a stack at the upper end of each, a hole below it. */
#include "mm/stack.h"

#include <assert.h>
#include <errno.h>

#include "arch/paging.h"
#include "mm/frame.h"

#define SLOT_SIZE (4 * (uint64_t)STACK_SIZE)

static uint32_t slots_used;

_Static_assert(STACKS_MAX <= 32, "a bit of slots_used for each");

/* Frees the pages from `from` up to the slot's end, lowest last. */
static void unmap_pages(uint64_t from, uint64_t top)
{
	for (uint64_t page = top - FRAME_SIZE; page >= from; page -= FRAME_SIZE) {
		pfn_t pfn = paging_unmap_page(page);

		if (pfn != PFN_NONE)
			frame_free(pfn, 1, OWNER_STACKS);
	}
}

int stack_alloc(void **top)
{
	unsigned slot = (unsigned)__builtin_ctz(~slots_used);
	uint64_t end;
	pfn_t pfn;

	if (slots_used == UINT32_MAX)
		return -EAGAIN;
	end = PAGING_STACKS_START + (slot + 1) * SLOT_SIZE;
	for (uint64_t page = end - STACK_SIZE; page < end; page += FRAME_SIZE) {
		if (frame_alloc(0, OWNER_STACKS, &pfn))
			goto err_unmap;
		if (paging_map_page(page, pfn)) {
			frame_free(pfn, 1, OWNER_STACKS);
			goto err_unmap;
		}
	}
	slots_used |= UINT32_C(1) << slot;
	*top = (void *)(uintptr_t)end;
	return 0;

err_unmap:
	unmap_pages(end - STACK_SIZE, end);
	return -ENOMEM;
}

void stack_free(void *top)
{
	uint64_t end = (uintptr_t)top;
	unsigned slot = (unsigned)((end - PAGING_STACKS_START) / SLOT_SIZE) - 1;

	assert(slot < STACKS_MAX && slots_used >> slot & 1);
	unmap_pages(end - STACK_SIZE, end);
	slots_used &= ~(UINT32_C(1) << slot);
}
