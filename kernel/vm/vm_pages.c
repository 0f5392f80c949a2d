/* SPDX-License-Identifier: BSD-2-Clause */
/* A page comes and goes: its frame, its record, its entry, and the books on all three. */
#include <assert.h>
#include <errno.h>
#include <inttypes.h>

#include "arch/phys_map.h"
#include "kernel/lib/panic.h"
#include "kernel/vm/vm_internal.h"
#include "mm/frame.h"

struct replacement vm_replacement;
struct vm_region vm_regions[VM_REGIONS_MAX];
struct wait_queue vm_changed;

/* Room for ghosts is doubled when there are more pages. */
#define GHOSTS_MIN 1024

/* Pages that are dropped before others may run. */
#define DROPS_MAX 256

static struct {
	bool anonymous; /* they have records */
	pfn_t ghosts;	/* frames of 2^ghosts_order; with ghost_pages */
	unsigned ghosts_order;
	uint64_t ghost_pages;
} tracked;

static struct page_record *record_of(uint32_t number)
{
	return page_record(number);
}

static bool take_used(const struct page_record *record)
{
	return paging_demand_take_used(record->page & PAGE_RECORD_NUMBER);
}

static const struct replacement_ops replacement_ops = { record_of, take_used };

void vm_pages_start(void)
{
	replacement_init(&vm_replacement, &replacement_ops, REPLACEMENT_GHOST);
}

struct vm_region *vm_region_of(uint64_t page)
{
	uint64_t number = page / VM_REGION_PAGES;

	return number < VM_REGIONS_MAX && vm_regions[number].used ? &vm_regions[number] : NULL;
}

bool vm_is_tracked(const struct vm_region *region)
{
	return region->kind == VM_CACHE || tracked.anonymous;
}

/* ---- Ghosts ---- */

static void free_ghosts(void)
{
	if (tracked.ghost_pages > 0 &&
	    frame_free(tracked.ghosts, (size_t)1 << tracked.ghosts_order, OWNER_PAGE_RECORDS))
		panic("vm: the frames of ghosts are somebody else's; look for a wild write");
	tracked.ghost_pages = 0;
}

static void drop_ghosts(void)
{
	replacement_set_ghosts(&vm_replacement, NULL, 0);
	free_ghosts();
}

/* Without as many as there are pages replacement still works, only not as well. */
static void grow_ghosts(void)
{
	uint64_t pages = max_u64(GHOSTS_MIN, 2 * tracked.ghost_pages);
	unsigned order = frame_order_for(align_up(replacement_ghost_bytes(pages), FRAME_SIZE) /
					 FRAME_SIZE);
	pfn_t pfn;

	if (frame_alloc_boot(order, OWNER_PAGE_RECORDS, &pfn))
		return;
	replacement_set_ghosts(&vm_replacement, phys_to_virt(pfn_to_paddr(pfn)), pages);
	free_ghosts();
	tracked.ghosts = pfn;
	tracked.ghosts_order = order;
	tracked.ghost_pages = pages;
}

/* ---- One page ---- */

static void count_resident(struct vm_region *region, int64_t change)
{
	uint64_t *level = region->kind == VM_CACHE ? &vm_events.cached : &vm_events.anonymous;

	region->resident += (uint64_t)change;
	*level += (uint64_t)change;
}

/* Cached pages are not for writing until somebody does: then they are dirty. */
static void map(const struct vm_region *region, uint64_t page, pfn_t pfn)
{
	paging_demand_map(page, pfn, region->kind == VM_ANONYMOUS);
}

static void enter(pfn_t pfn)
{
	assert(pfn <= UINT32_MAX);
	vm_events.refaults += replacement_enter(&vm_replacement, (uint32_t)pfn);
}

int vm_page_comes(struct vm_region *region, uint64_t page, pfn_t pfn, bool from_disk)
{
	if (vm_is_tracked(region)) {
		int err = page_record_track(pfn);

		if (err)
			return err;
		page_record(pfn)->page = page | (from_disk ? VM_PAGE_CAME_BACK : 0);
	}
	map(region, page, pfn);
	count_resident(region, 1);
	if (vm_is_tracked(region)) {
		enter(pfn);
		if (page_record_count() > tracked.ghost_pages)
			grow_ghosts();
	}
	return 0;
}

void vm_page_stays(struct vm_region *region, uint64_t page, pfn_t pfn)
{
	map(region, page, pfn);
	replacement_put_back(&vm_replacement, (uint32_t)pfn);
}

void vm_page_set_dirty(pfn_t pfn, bool dirty)
{
	struct page_record *record = page_record(pfn);

	if (dirty == !!(record->page & VM_PAGE_DIRTY))
		return;
	record->page ^= VM_PAGE_DIRTY;
	vm_events.dirty += dirty ? 1 : UINT64_MAX;
}

void vm_page_goes(struct vm_region *region, pfn_t pfn)
{
	assert(page_record_is_tracked(pfn) == vm_is_tracked(region));
	if (vm_is_tracked(region)) {
		vm_page_set_dirty(pfn, false);
		page_record_untrack(pfn);
	}
	count_resident(region, -1);
	if (frame_free(pfn, 1, vm_owner(region)))
		panic("vm: frame %#" PRIx64 " is of `%s`; look for a wild write", pfn,
		      owner_name(frame_owner(pfn)));
}

void vm_page_trim(const struct vm_region *region, uint64_t page)
{
	if (region->tabling == 0)
		paging_demand_trim(page);
}

/* ---- Many pages ---- */

static void drop_page(struct vm_region *region, uint64_t page)
{
	uint64_t note = paging_demand_note(page);
	pfn_t pfn = paging_demand_unmap(page, 0);

	if (pfn != PFN_NONE) {
		if (vm_is_tracked(region))
			replacement_remove(&vm_replacement, (uint32_t)pfn);
		/* Nobody touches it any more, so nothing need be flushed first. */
		vm_page_goes(region, pfn);
	} else if ((note & VM_NOTE_MARK) == VM_NOTE_SWAPPED) {
		vm_swap_give(note >> 2, 1);
		region->swapped--;
		paging_demand_set_note(page, 0);
	}
}

uint64_t vm_pages_drop(struct vm_region *region, uint64_t page, uint64_t end)
{
	uint64_t last = page;

	for (unsigned i = 0; i < DROPS_MAX && page != PAGING_DEMAND_NONE; i++) {
		/* The tables of pages that were passed may map nothing any more. */
		if (page / BLOCK_FRAMES != last / BLOCK_FRAMES)
			vm_page_trim(region, last);
		drop_page(region, page);
		last = page;
		page = paging_demand_next(page + 1, end);
	}
	vm_page_trim(region, last);
	if (page == PAGING_DEMAND_NONE && page_record_count() == 0)
		drop_ghosts();
	return page;
}

/* ---- Once there is a swap disk ---- */

/* Gives records to the region's pages before `end`; returns where it got to. */
static uint64_t track_pages(struct vm_region *region, uint64_t end)
{
	for (uint64_t page = paging_demand_next(region->first, end); page != PAGING_DEMAND_NONE;
	     page = paging_demand_next(page + 1, end)) {
		pfn_t pfn = paging_demand_frame(page);

		if (page_record_track(pfn))
			return page;
		page_record(pfn)->page = page;
		enter(pfn);
	}
	return end;
}

static void untrack_pages(struct vm_region *region, uint64_t end)
{
	for (uint64_t page = paging_demand_next(region->first, end); page != PAGING_DEMAND_NONE;
	     page = paging_demand_next(page + 1, end)) {
		pfn_t pfn = paging_demand_frame(page);

		replacement_remove(&vm_replacement, (uint32_t)pfn);
		page_record_untrack(pfn);
	}
}

int vm_pages_track_anonymous(void)
{
	struct vm_region *region = vm_regions;
	uint64_t got;

	if (tracked.anonymous)
		return 0;
	for (; region < vm_regions + VM_REGIONS_MAX; region++) {
		if (!region->used || region->kind != VM_ANONYMOUS)
			continue;
		got = track_pages(region, region->first + region->pages);
		if (got < region->first + region->pages)
			goto err;
	}
	tracked.anonymous = true;
	return 0;

err:
	untrack_pages(region, got);
	while (region-- > vm_regions)
		if (region->used && region->kind == VM_ANONYMOUS)
			untrack_pages(region, region->first + region->pages);
	return -ENOMEM;
}
