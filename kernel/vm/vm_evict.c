/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Taking pages out. A cached page that its disk has goes at once; others are written first,
 * and neighbours that may go, too, go along: a request costs hardly more for 32 pages than
 * for one.
 */
#include <assert.h>

#include "kernel/vm/vm_internal.h"
#include "mm/frame.h"

/* Pages that one call looks at: some hundred microseconds of work. */
#define LOOKS_MAX 512

/* Cached pages that went, until the processor has forgotten them. */
struct dropped {
	struct vm_region *region;
	unsigned count;
	pfn_t frames[BLOCK_PAGES_MAX];
};

static struct page_record *record_of(pfn_t pfn)
{
	return page_record(pfn);
}

static uint64_t page_of(pfn_t pfn)
{
	return record_of(pfn)->page & PAGE_RECORD_NUMBER;
}

static bool is_dirty(pfn_t pfn)
{
	return record_of(pfn)->page & VM_PAGE_DIRTY;
}

static bool has_room(const struct block_disk *disk)
{
	return disk && block_has_room(disk);
}

static bool swap_has_slots(void)
{
	return vm_swap_disk && vm_events.swapped < vm_events.swap_total;
}

bool vm_can_evict(void)
{
	return vm_events.cached > (vm_cache_disk ? 0 : vm_events.dirty) ||
	       (swap_has_slots() && vm_events.anonymous > 0);
}

bool vm_can_evict_own(void)
{
	return swap_has_slots();
}

bool vm_is_waiting_for_disk(void)
{
	return (swap_has_slots() && !has_room(vm_swap_disk)) ||
	       (vm_events.dirty > 0 && vm_cache_disk && !has_room(vm_cache_disk));
}

/* ---- Pages that must be written ---- */

/* Adds a page to what goes out: nobody reaches it any more. */
static void add(struct vm_transfer *t, pfn_t pfn)
{
	uint64_t page = t->page + t->request.count;

	if (paging_demand_unmap(page, 0) != pfn)
		assert(false);
	vm_page_set_dirty(pfn, false);
	t->request.frames[t->request.count++] = pfn;
}

/* The neighbour after those that go, if it may go with them; else PFN_NONE. */
static pfn_t find_neighbour(const struct vm_transfer *t)
{
	uint64_t page = t->page + t->request.count;
	pfn_t pfn = vm_region_of(page) == t->region ? paging_demand_frame(page) : PFN_NONE;

	if (pfn == PFN_NONE || (t->region->kind == VM_CACHE && !is_dirty(pfn)) ||
	    !replacement_may_go(&vm_replacement, (uint32_t)pfn))
		return PFN_NONE;
	return pfn;
}

/* Takes neighbours along, up to `most` pages in all. */
static void add_neighbours(struct vm_transfer *t, unsigned most)
{
	while (t->request.count < most) {
		pfn_t pfn = find_neighbour(t);

		if (pfn == PFN_NONE)
			return;
		replacement_evict(&vm_replacement, (uint32_t)pfn);
		add(t, pfn);
	}
}

/* The disk would not: all of it stays. */
static void take_back(struct vm_transfer *t, struct vm_region *region)
{
	for (unsigned i = 0; i < t->request.count; i++) {
		pfn_t pfn = t->request.frames[i];

		vm_page_stays(region, t->page + i, pfn);
		if (region->kind == VM_CACHE)
			vm_page_set_dirty(pfn, true);
	}
	if (region->kind == VM_ANONYMOUS)
		vm_swap_spoil(t->request.page, t->request.count);
}

/* Writes a page that is in no ring, and neighbours. Returns how many are on their way. */
static unsigned write_out(struct vm_region *region, pfn_t pfn, enum vm_by by, bool uncounted)
{
	struct vm_transfer *t = vm_transfer_new(region, page_of(pfn));
	unsigned most = BLOCK_PAGES_MAX, count;
	uint64_t slot = page_of(pfn) - region->first;

	assert(t);
	if (region->kind == VM_ANONYMOUS) {
		most = vm_swap_take(most, &slot);
		assert(most > 0);
	}
	t->request.write = true;
	t->request.page = slot;
	t->by = by;
	t->uncounted = uncounted;
	add(t, pfn);
	add_neighbours(t, most);
	count = t->request.count;
	if (region->kind == VM_ANONYMOUS)
		vm_swap_give(slot + count, most - count);
	paging_demand_flush();
	if (vm_transfer_begin(t)) {
		take_back(t, region);
		return 0;
	}
	vm_finish_in_lockstep();
	return count;
}

/* ---- Pages that are only written back ---- */

/* Writes a dirty page and those after it that are dirty, too. Returns how many. */
static unsigned write_in_place(struct vm_region *region, uint64_t page)
{
	struct vm_transfer *t = vm_transfer_new(region, page);
	uint64_t end = min_u64(page + BLOCK_PAGES_MAX, region->first + region->pages);
	pfn_t pfn;

	assert(t);
	t->request.write = true;
	t->request.page = page - region->first;
	t->stays = true;
	for (; page < end; page++) {
		pfn = paging_demand_frame(page);
		if (pfn == PFN_NONE || !is_dirty(pfn))
			break;
		replacement_remove(&vm_replacement, (uint32_t)pfn);
		add(t, pfn);
	}
	paging_demand_flush();
	if (vm_transfer_begin(t)) {
		take_back(t, region);
		return 0;
	}
	return t->request.count;
}

uint64_t vm_write_back(struct vm_region *region, uint64_t page, bool *refused)
{
	uint64_t end = region->first + region->pages;

	while ((page = paging_demand_next(page, end)) != PAGING_DEMAND_NONE) {
		pfn_t pfn = paging_demand_frame(page);
		unsigned n = 1;

		if (pfn != PFN_NONE && is_dirty(pfn)) {
			if (!has_room(vm_cache_disk) || !vm_transfer_is_free())
				return page;
			n = write_in_place(region, page);
			*refused |= n == 0;
		}
		page += max_u64(n, 1);
	}
	return PAGING_DEMAND_NONE;
}

/* ---- By the rules of replacement ---- */

static void free_dropped(struct dropped *dropped, enum vm_by by)
{
	if (dropped->count == 0)
		return;
	paging_demand_flush();
	for (unsigned i = 0; i < dropped->count; i++) {
		uint64_t page = page_of(dropped->frames[i]);
		bool last = i + 1 == dropped->count;

		vm_page_goes(dropped->region, dropped->frames[i]);
		/* Or a disk that is read from its start to its end would leave all its tables. */
		if (last || page / BLOCK_FRAMES != page_of(dropped->frames[i + 1]) / BLOCK_FRAMES)
			vm_page_trim(dropped->region, page);
	}
	vm_count_reclaimed(by, dropped->count);
	dropped->count = 0;
}

/* Takes out a page that was chosen. Returns how many go, with it; 0: it could not. */
static unsigned take_out(pfn_t pfn, enum vm_by by, struct dropped *dropped)
{
	uint64_t page = page_of(pfn);
	struct vm_region *region = vm_region_of(page);
	bool clean = region->kind == VM_CACHE && !is_dirty(pfn);
	bool can_write = region->kind == VM_CACHE ? !!vm_cache_disk : swap_has_slots();

	if (!clean && can_write)
		return write_out(region, pfn, by, false);
	if (!clean) {
		replacement_put_back(&vm_replacement, (uint32_t)pfn);
		return 0;
	}
	paging_demand_unmap(page, 0);
	dropped->region = region;
	dropped->frames[dropped->count++] = pfn;
	if (dropped->count == ARRAY_SIZE(dropped->frames))
		free_dropped(dropped, by);
	return 1;
}

uint64_t vm_evict_among(enum vm_by by, uint64_t want, uint64_t most)
{
	uint64_t before = vm_replacement.scanned, looks = 0, gone = 0;
	struct dropped dropped = { .count = 0 };
	uint32_t number;

	assert(!vm_busy);
	vm_busy = true;
	while (gone < want && looks < most && !vm_is_waiting_for_disk() && vm_transfer_is_free() &&
	       replacement_choose(&vm_replacement, most - looks, &number)) {
		gone += take_out(number, by, &dropped);
		looks = vm_replacement.scanned - before;
	}
	free_dropped(&dropped, by);
	vm_busy = false;
	/* Or a page whose mark was taken, and is touched now, would look unused. */
	paging_demand_flush();
	looks = vm_replacement.scanned - before;
	if (by == VM_BY_TASK)
		vm_events.direct_scanned += looks;
	else
		vm_events.async_scanned += looks;
	return gone;
}

uint64_t vm_evict(enum vm_by by, uint64_t want)
{
	return vm_evict_among(by, want, LOOKS_MAX);
}

/* ---- At a task's own limit ---- */

/*
 * The region's next page in memory that was not used since the hand came by, or PFN_NONE. After a
 * round of pages that were all used there is one.
 */
static pfn_t next_own(struct vm_region *region)
{
	uint64_t end = region->first + region->pages;
	unsigned rounds = 0;

	while (rounds < 3) {
		uint64_t page = paging_demand_next(region->hand, end);
		pfn_t pfn;

		if (page == PAGING_DEMAND_NONE) {
			region->hand = region->first;
			rounds++;
			continue;
		}
		region->hand = page + 1;
		pfn = paging_demand_frame(page);
		if (pfn != PFN_NONE && !paging_demand_take_used(page))
			return pfn;
	}
	return PFN_NONE;
}

uint64_t vm_evict_own(struct vm_region *region, uint64_t want)
{
	uint64_t gone = 0;

	while (gone < want && swap_has_slots() && has_room(vm_swap_disk) && vm_transfer_is_free()) {
		pfn_t pfn = next_own(region);

		if (pfn == PFN_NONE)
			break;
		replacement_evict(&vm_replacement, (uint32_t)pfn);
		gone += write_out(region, pfn, VM_BY_TASK, true);
	}
	paging_demand_flush();
	return gone;
}
