/* SPDX-License-Identifier: BSD-2-Clause */
/* Slots of the stacks' window: a stack at the upper end of each, a hole below it. */
#include "mm/stack.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>

#include "arch/paging.h"
#include "kernel/lib/panic.h"
#include "mm/frame.h"

#define SLOT_SIZE (4 * (uint64_t)STACK_SIZE)

static uint32_t slots_used; /* a bit for each slot */

_Static_assert(STACKS_MAX == 32, "slots_used has a bit for each stack");
_Static_assert(STACK_SIZE % FRAME_SIZE == 0, "a stack has whole pages");
_Static_assert(SLOT_SIZE > STACK_SIZE, "a hole lies below each stack");
_Static_assert(PAGING_STACKS_START % FRAME_SIZE == 0, "the stacks' window begins with a page");

/* The address after a slot. */
static uint64_t slot_end(unsigned slot)
{
	return PAGING_STACKS_START + (slot + 1) * SLOT_SIZE;
}

/* Unmaps and frees pages, downwards, so that empty page tables are freed, too. */
static void unmap_pages(uint64_t from, uint64_t to)
{
	assert(from % FRAME_SIZE == 0 && to - from <= STACK_SIZE);
	for (uint64_t page = to - FRAME_SIZE; page >= from; page -= FRAME_SIZE) {
		pfn_t pfn = paging_unmap_page(page);

		if (pfn == PFN_NONE || frame_free(pfn, 1, OWNER_STACKS))
			panic("stack: page %#" PRIx64 " has a frame of `%s`; look for a wild write",
			      page, owner_name(frame_owner(pfn)));
	}
}

/* Maps a new frame to a page; -ENOMEM. */
static int map_page(uint64_t page)
{
	pfn_t pfn;
	int err = frame_alloc(0, OWNER_STACKS, &pfn);

	if (err)
		return err;
	if (paging_map_page(page, pfn)) {
		err = frame_free(pfn, 1, OWNER_STACKS);
		assert(!err);
		return -ENOMEM;
	}
	return 0;
}

int stack_alloc(void **top)
{
	unsigned slot;
	uint64_t start;

	if (slots_used == UINT32_MAX)
		return -EAGAIN;
	slot = (unsigned)__builtin_ctz(~slots_used);
	start = slot_end(slot) - STACK_SIZE;
	for (uint64_t page = start; page < slot_end(slot); page += FRAME_SIZE) {
		if (map_page(page)) {
			unmap_pages(start, page);
			return -ENOMEM;
		}
	}
	slots_used |= UINT32_C(1) << slot;
	*top = (void *)(uintptr_t)slot_end(slot);
	return 0;
}

void stack_free(void *top)
{
	uint64_t end = (uintptr_t)top;
	unsigned slot = (unsigned)((end - PAGING_STACKS_START) / SLOT_SIZE) - 1;

	assert(slot < STACKS_MAX && end == slot_end(slot));
	assert(slots_used >> slot & 1);
	unmap_pages(end - STACK_SIZE, end);
	slots_used &= ~(UINT32_C(1) << slot);
}
