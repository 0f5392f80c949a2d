/* SPDX-License-Identifier: BSD-2-Clause */
/* The heap's pages: mapped when the end moves up, given back when it moves down. */
#include "mm/heap.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>

#include "arch/paging.h"
#include "kernel/lib/panic.h"
#include "mm/frame.h"

static uint64_t heap_end = PAGING_HEAP_START;

_Static_assert(PAGING_HEAP_START % FRAME_SIZE == 0 && PAGING_HEAP_SIZE % FRAME_SIZE == 0,
	       "the heap's window has whole pages");
_Static_assert(PAGING_HEAP_START + PAGING_HEAP_SIZE > PAGING_HEAP_START,
	       "the heap's window does not wrap around");

/* Unmaps and frees pages, downwards, so that empty page tables are freed, too. */
static void unmap_pages(uint64_t from, uint64_t to)
{
	assert(from % FRAME_SIZE == 0 && to % FRAME_SIZE == 0);
	assert(from >= PAGING_HEAP_START && from <= to);
	for (uint64_t page = to - FRAME_SIZE; page >= from; page -= FRAME_SIZE) {
		pfn_t pfn = paging_unmap_page(page);

		if (pfn == PFN_NONE || frame_free(pfn, 1, OWNER_HEAP))
			panic("heap: page %#" PRIx64 " has a frame of `%s`; look for a wild write",
			      page, owner_name(frame_owner(pfn)));
	}
}

/* Maps new frames to all pages or to none; -ENOMEM. */
static int map_pages(uint64_t from, uint64_t to)
{
	pfn_t pfn;

	assert(from % FRAME_SIZE == 0 && to % FRAME_SIZE == 0);

	for (uint64_t page = from; page < to; page += FRAME_SIZE) {
		int err = frame_alloc(0, OWNER_HEAP, &pfn);

		if (!err && paging_map_page(page, pfn)) {
			err = frame_free(pfn, 1, OWNER_HEAP);
			assert(!err);
			err = -ENOMEM;
		}
		if (err) {
			unmap_pages(from, page);
			return err;
		}
	}
	return 0;
}

void *sbrk(ptrdiff_t increment)
{
	uint64_t old = heap_end;
	uint64_t new = old + (uint64_t)increment;
	uint64_t old_page = align_up(old, FRAME_SIZE);

	if (new < PAGING_HEAP_START || new > PAGING_HEAP_START + PAGING_HEAP_SIZE)
		goto err_nomem;
	if (increment > 0 && map_pages(old_page, align_up(new, FRAME_SIZE)))
		goto err_nomem;
	if (increment < 0)
		unmap_pages(align_up(new, FRAME_SIZE), old_page);
	heap_end = new;
	assert(heap_end >= PAGING_HEAP_START && heap_end - PAGING_HEAP_START <= PAGING_HEAP_SIZE);
	return (void *)(uintptr_t)old;

err_nomem:
	errno = ENOMEM;
	return (void *)-1;
}

size_t heap_size(void)
{
	return (size_t)(heap_end - PAGING_HEAP_START);
}
