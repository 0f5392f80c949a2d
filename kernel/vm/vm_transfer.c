/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Pages on their way to a disk, and back. While a page moves it is not mapped, and its
 * entry's note names its transfer; its frame belongs to the disk. A page that is wanted
 * while it goes out is mapped again when it has been written.
 */
#include <assert.h>
#include <errno.h>
#include <inttypes.h>

#include "arch/clock.h"
#include "arch/irq.h"
#include "kernel/lib/log.h"
#include "kernel/vm/vm_internal.h"
#include "mm/frame.h"

#define TRANSFERS 32

/* Every wait ends before, as disks do; a look too many costs nothing. */
#define WAIT_NS NS_PER_S

struct block_disk *vm_cache_disk;
uint64_t vm_leaving;
bool vm_busy;
bool vm_lockstep;

static struct vm_transfer transfers[TRANSFERS];

static struct vm_transfer *find_free(void)
{
	for (struct vm_transfer *t = transfers; t < transfers + TRANSFERS; t++)
		if (!t->region)
			return t;
	return NULL;
}

bool vm_transfer_is_free(void)
{
	return find_free();
}

struct vm_transfer *vm_transfer_new(struct vm_region *region, uint64_t page)
{
	struct vm_transfer *t = find_free();

	if (t)
		*t = (struct vm_transfer){
			.region = region,
			.page = page,
			.disk = vm_disk_of(region),
		};
	return t;
}

static bool is_anonymous(const struct vm_transfer *t)
{
	return t->region->kind == VM_ANONYMOUS;
}

void vm_transfer_want(uint64_t page)
{
	uint64_t note = paging_demand_note(page);
	struct vm_transfer *t = &transfers[note >> 2];

	assert((note & VM_NOTE_MARK) == VM_NOTE_MOVING && t->region);
	assert(page >= t->page && page < t->page + t->request.count);
	t->wanted |= UINT32_C(1) << (page - t->page);
}

/* ---- A write has ended ---- */

/* It stays in memory, where it is the only copy, or is wanted. */
static void keep(struct vm_transfer *t, unsigned i)
{
	pfn_t pfn = t->request.frames[i];

	vm_page_stays(t->region, t->page + i, pfn);
	if (is_anonymous(t) && !t->request.error)
		vm_swap_give(t->request.page + i, 1);
	if (!is_anonymous(t) && t->request.error)
		vm_page_set_dirty(pfn, true);
}

/* Nobody will ask for it again. */
static void drop(struct vm_transfer *t, unsigned i)
{
	paging_demand_set_note(t->page + i, 0);
	if (is_anonymous(t) && !t->request.error)
		vm_swap_give(t->request.page + i, 1);
	vm_page_goes(t->region, t->request.frames[i]);
}

void vm_count_reclaimed(enum vm_by by, uint64_t pages)
{
	if (by == VM_BY_TASK)
		vm_events.direct_reclaimed += pages;
	else
		vm_events.async_reclaimed += pages;
}

static void leave(struct vm_transfer *t, unsigned i)
{
	if (is_anonymous(t)) {
		paging_demand_set_note(t->page + i, vm_note(t->request.page + i, VM_NOTE_SWAPPED));
		t->region->swapped++;
	} else {
		paging_demand_set_note(t->page + i, 0);
	}
	vm_page_goes(t->region, t->request.frames[i]);
	if (!t->uncounted)
		vm_count_reclaimed(t->by, 1);
}

/*
 * With interrupts off, so that the console does not sleep: whoever ran meanwhile would find pages
 * that are nowhere. Once a second, as a disk may refuse everything.
 */
static void tell_of_write_error(const struct vm_transfer *t)
{
	static uint64_t said_ns;
	struct block_info info;
	uint64_t flags;

	if (!log_is_due(&said_ns, clock_ns()))
		return;
	block_info(t->disk, &info);
	flags = irq_save();
	log_warn("vm: disk %s did not take %u pages from page %" PRIu64 " on: %s", info.name,
		 t->request.count, t->request.page,
		 is_anonymous(t) ? "they stay in memory, and these slots are not used again"
				 : "they stay in memory, and their users end");
	irq_restore(flags);
}

static void end_write(struct vm_transfer *t)
{
	if (t->request.error) {
		tell_of_write_error(t);
		if (is_anonymous(t))
			vm_swap_spoil(t->request.page, t->request.count);
		else
			vm_doom_cache_users("the cache's disk did not take what was written");
	} else if (is_anonymous(t)) {
		vm_events.swap_out_bytes += t->request.count * FRAME_SIZE;
	}
	for (unsigned i = 0; i < t->request.count; i++) {
		if (t->region->going)
			drop(t, i);
		else if (t->request.error || t->stays || t->wanted >> i & 1)
			keep(t, i);
		else
			leave(t, i);
	}
	if (!is_anonymous(t)) {
		vm_page_trim(t->region, t->page);
		vm_page_trim(t->region, t->page + t->request.count - 1);
	}
	vm_leaving -= t->request.count;
}

/* ---- A read has ended ---- */

/* A page that did not come: whoever waits for it will see, and ask for it alone. */
static void restore(struct vm_transfer *t, unsigned i)
{
	paging_demand_set_note(t->page + i,
			       is_anonymous(t) ? vm_note(t->request.page + i, VM_NOTE_SWAPPED) : 0);
	/* A device that could not be reset may write to it whenever it likes. */
	if (t->request.error != -EBUSY && frame_free(t->request.frames[i], 1, vm_owner(t->region)))
		assert(false);
}

static void arrive(struct vm_transfer *t, unsigned i)
{
	if (vm_page_comes(t->region, t->page + i, t->request.frames[i], true)) {
		restore(t, i);
	} else if (is_anonymous(t)) {
		vm_swap_give(t->request.page + i, 1);
		t->region->swapped--;
	}
}

static void end_read(struct vm_transfer *t)
{
	if (!t->request.error && is_anonymous(t))
		vm_events.swap_in_bytes += t->request.count * FRAME_SIZE;
	for (unsigned i = 0; i < t->request.count; i++) {
		if (!t->request.error) {
			arrive(t, i);
			continue;
		}
		restore(t, i);
		vm_page_failed(t->page + i);
	}
	if (t->region->going) {
		vm_pages_drop(t->region, t->page, t->page + t->request.count);
		paging_demand_flush();
	}
}

/* ---- Its life ---- */

/* In the disk's task, or in that of whoever polls. */
static void finished(struct block_request *request)
{
	struct vm_transfer *t = container_of(request, struct vm_transfer, request);
	struct vm_region *region = t->region;

	assert(region && region->moving > 0 && !vm_busy);
	vm_busy = true;
	if (request->write)
		end_write(t);
	else
		end_read(t);
	region->moving--;
	region->backing -= t->stays;
	t->region = NULL;
	vm_busy = false;
	task_wake(&vm_changed);
}

void vm_transfer_finish_here(void)
{
	for (struct vm_transfer *t = transfers; t < transfers + TRANSFERS; t++) {
		if (!t->region || !t->request.write)
			continue;
		block_wait_here(t->disk, &t->request);
		return;
	}
}

bool vm_finish_in_lockstep(void)
{
	bool busy = vm_busy, any = false;

	if (!vm_lockstep)
		return false;
	vm_busy = false;
	for (struct vm_transfer *t = transfers; t < transfers + TRANSFERS; t++) {
		if (!t->region)
			continue;
		block_wait_here(t->disk, &t->request);
		any = true;
	}
	vm_busy = busy;
	return any;
}

void vm_transfer_cancel(struct vm_transfer *t)
{
	t->region = NULL;
}

int vm_transfer_begin(struct vm_transfer *t)
{
	uint64_t note = vm_note((uint64_t)(t - transfers), VM_NOTE_MOVING);
	int err;

	assert(t->region && t->request.count > 0);
	t->request.finished = finished;
	err = t->disk ? block_submit(t->disk, &t->request) : -EIO;
	if (err) {
		vm_transfer_cancel(t);
		return err;
	}
	for (unsigned i = 0; i < t->request.count; i++)
		paging_demand_set_note(t->page + i, note);
	t->region->moving++;
	t->region->backing += t->stays;
	if (t->request.write)
		vm_leaving += t->request.count;
	return 0;
}

/* ---- Waiting for them ---- */

void vm_wait_cold(void)
{
	uint64_t flags;

	if (vm_finish_in_lockstep())
		return;
	flags = irq_save();
	task_wait_device(&vm_changed, clock_ns() + WAIT_NS);
	irq_restore(flags);
}

void vm_wait(void)
{
	vm_stall_begin();
	vm_wait_cold();
	vm_stall_end();
}
