/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A page is touched that is not there. It comes as zeros, or from the swap disk, or from
 * the cache's disk, there with those after it as long as that pays.
 */
#include <assert.h>
#include <errno.h>
#include <string.h>

#include "arch/phys_map.h"
#include "kernel/lib/log.h"
#include "kernel/vm/vm_internal.h"
#include "mm/frame.h"

/* A page is asked for so often until it counts as one that cannot be read. */
#define READS_MAX 2

/* ---- Zeros ---- */

static int bring_zeros(struct vm_region *region, uint64_t page)
{
	pfn_t pfn;
	int err = vm_frame_take(region, &pfn);

	if (err)
		return err;
	memset(phys_to_virt(pfn_to_paddr(pfn)), 0, FRAME_SIZE);
	region->tabling++;
	err = paging_demand_prepare(page);
	if (!err)
		err = vm_page_comes(region, page, pfn, false);
	region->tabling--;
	if (err && frame_free(pfn, 1, OWNER_ANON))
		assert(false);
	return err;
}

/* ---- From a disk ---- */

/* Whether a page can be read beside the one at `source` of the disk, `i` pages before. */
static bool is_beside(const struct vm_region *region, uint64_t page, uint64_t source)
{
	if (paging_demand_frame(page) != PFN_NONE)
		return false;
	if (region->kind == VM_CACHE)
		return paging_demand_note(page) == 0;
	return paging_demand_note(page) == vm_note(source, VM_NOTE_SWAPPED);
}

/*
 * How many pages to read: twice as many as last time if the last ones were read and used up,
 * half as many if something else is wanted; those that the user has announced; one, if reading
 * it with others has failed; and no more than its limit lets in.
 */
static unsigned plan(struct vm_user *user, uint64_t page)
{
	const struct vm_region *region = user->region;
	uint64_t most = BLOCK_PAGES_MAX, count;

	if (user->failures > 0)
		return 1;
	if (region->limit > 0)
		most = min_u64(most, region->limit - region->resident);
	user->ahead = page == user->ahead_next ? 2 * user->ahead : user->ahead / 2;
	user->ahead = (unsigned)min_u64(max_u64(user->ahead, 1), BLOCK_PAGES_MAX);
	count = user->ahead;
	if (page >= user->will_first && page < user->will_end)
		count = max_u64(count, user->will_end - page);
	return (unsigned)min_u64(count, most);
}

/* Adds frames for the pages after the first, as far as there is plenty. */
static void add_ahead(struct vm_transfer *t, unsigned most)
{
	uint64_t end = t->region->first + t->region->pages;

	while (t->request.count < most && t->page + t->request.count < end) {
		unsigned i = t->request.count;

		if (!is_beside(t->region, t->page + i, t->request.page + i) ||
		    vm_frame_take_spare(t->region, &t->request.frames[i]))
			return;
		if (paging_demand_prepare(t->page + i)) {
			frame_free(t->request.frames[i], 1, vm_owner(t->region));
			return;
		}
		t->request.count++;
	}
}

/*
 * Waits until a request can be handed over: a stall, by the disk. -EIO: the disk is gone; -EINTR:
 * the user is to end.
 */
static int wait_for_room(const struct vm_user *user)
{
	bool waited = false;

	while (!user->doomed) {
		const struct block_disk *disk = vm_disk_of(user->region);

		if (!disk)
			return -EIO;
		if (block_has_room(disk) && vm_transfer_is_free())
			return 0;
		vm_events.stalls += !waited;
		vm_events.disk_stalls += !waited;
		waited = true;
		vm_wait();
	}
	return -EINTR;
}

/* Hands over a transfer for a page, and for some after it. Sleeps for nobody but tables' frames. */
static int begin_read(struct vm_transfer *t, struct vm_user *user, pfn_t pfn)
{
	struct vm_region *region = user->region;
	int err = paging_demand_prepare(t->page);

	t->request.frames[0] = pfn;
	t->request.count = 1;
	if (!err)
		add_ahead(t, plan(user, t->page));
	user->ahead_next = t->page + t->request.count;
	if (!err)
		err = vm_transfer_begin(t);
	else
		vm_transfer_cancel(t);
	/* Those beside the first; that is the caller's on an error. */
	for (unsigned i = 1; err && i < t->request.count; i++)
		frame_free(t->request.frames[i], 1, vm_owner(region));
	return err;
}

/* Reads a page that nobody else has begun to read, and some after it. */
static int read(struct vm_user *user, uint64_t page, pfn_t pfn)
{
	struct vm_region *region = user->region;
	struct vm_transfer *t = vm_transfer_new(region, page);
	int err;

	assert(t);
	t->request.page = region->kind == VM_CACHE ? page - region->first
						   : paging_demand_note(page) >> 2;
	region->tabling++;
	err = begin_read(t, user, pfn);
	region->tabling--;
	return err;
}

/* Has a page read that is on a disk only. Sleeps; the page comes then, or it does not. */
static int bring_from_disk(struct vm_user *user, uint64_t page)
{
	uint64_t note = paging_demand_note(page);
	pfn_t pfn;
	int err = vm_frame_take(user->region, &pfn);

	if (err)
		return err;
	err = wait_for_room(user);
	/* Another user of the cache may have been faster. */
	if (!err && (paging_demand_frame(page) != PFN_NONE || paging_demand_note(page) != note))
		err = -EAGAIN;
	if (!err)
		err = read(user, page, pfn);
	if (err)
		frame_free(pfn, 1, vm_owner(user->region));
	return err == -EAGAIN ? 0 : err;
}

/* ---- A touch ---- */

/* A write to a page of the cache: its disk is to have it some day. */
static bool make_writable(const struct vm_user *user, uint64_t page, pfn_t pfn)
{
	if (!user->writes)
		return false;
	if (user->region->kind == VM_CACHE)
		vm_page_set_dirty(pfn, true);
	paging_demand_allow_writes(page);
	return true;
}

static bool is_moving(uint64_t page)
{
	return (paging_demand_note(page) & VM_NOTE_MARK) == VM_NOTE_MOVING;
}

static bool is_on_disk(const struct vm_region *region, uint64_t page)
{
	return region->kind == VM_CACHE || paging_demand_note(page) != 0;
}

/*
 * Until the page is there. One that could not be read is asked for once more, alone: a disk's
 * error may be about another. One that came and went again before its user ran is just asked for.
 */
static int bring_in(struct vm_user *user, uint64_t page)
{
	/* Whatever memory there were, a page of the cache has to be read once. */
	bool cold = user->region->kind == VM_CACHE && !replacement_has_ghost(&vm_replacement, page);
	bool major = false;
	int err = 0;

	user->touches = page;
	user->failures = 0;
	while (!err && !user->doomed && paging_demand_frame(page) == PFN_NONE) {
		if (is_moving(page)) {
			vm_transfer_want(page);
			if (cold)
				vm_wait_cold();
			else
				vm_wait();
		} else if (user->failures == READS_MAX) {
			err = -EIO;
		} else if (is_on_disk(user->region, page)) {
			vm_events.major_faults += !major;
			major = true;
			err = bring_from_disk(user, page);
		} else {
			err = bring_zeros(user->region, page);
		}
	}
	user->touches = PAGING_DEMAND_NONE;
	return err;
}

/* The task ends here: what it was about to do with the page is lost. */
static _Noreturn void end(void)
{
	vm_user_end();
	task_exit();
}

static const char *why(int err)
{
	return err == -ENOMEM ? "there is no memory for a page"
			      : "a page could not be read from its disk";
}

static bool touch(uint64_t page, bool write)
{
	struct vm_user *user = vm_user_self();
	pfn_t pfn;
	int err;

	if (!user || page < user->first || page - user->first >= user->pages)
		return false;
	vm_events.faults++;
	pfn = paging_demand_frame(page);
	if (pfn != PFN_NONE)
		return write && make_writable(user, page, pfn);
	err = bring_in(user, page);
	if (err && !user->doomed)
		user->doomed = why(err);
	if (user->doomed)
		end();
	return true;
}

void vm_fault_start(void)
{
	paging_demand_set_handler(touch);
}

/* ---- What users say of their pages ---- */

bool vm_page_came_back(uint64_t page)
{
	const struct vm_user *user = vm_user_self();
	struct page_record *record;
	pfn_t pfn;
	bool came;

	assert(user && page < user->pages);
	pfn = paging_demand_frame(user->first + page);
	if (pfn == PFN_NONE || !vm_is_tracked(user->region))
		return false;
	record = page_record(pfn);
	came = record->page & VM_PAGE_CAME_BACK;
	record->page &= ~VM_PAGE_CAME_BACK;
	return came;
}

void vm_page_is_wrong(uint64_t page)
{
	log_warn("vm: page %llu of task %u is not what was written there", (unsigned long long)page,
		 task_id());
}

void vm_user_will_touch(uint64_t page, uint64_t count)
{
	struct vm_user *user = vm_user_self();

	assert(user && page <= user->pages && count <= user->pages - page);
	user->will_first = user->first + page;
	user->will_end = user->will_first + count;
}
