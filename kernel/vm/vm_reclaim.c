/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Frames, with patience. Below the low watermark a task in the background takes pages out
 * until there are as many free frames as the high one says. Who finds no more than the
 * reserve does so itself, and waits: first for pages, then for the balloon, then for a
 * task's end. The reserve is for the kernel's own needs meanwhile.
 */
#include <assert.h>
#include <errno.h>

#include "arch/clock.h"
#include "arch/irq.h"
#include "drivers/balloon/balloon.h"
#include "kernel/lib/log.h"
#include "kernel/pressure.h"
#include "kernel/vm/vm_internal.h"
#include "mm/frame.h"
#include "mm/ledger.h"

/* The reserve is a 256th of memory; low is twice, high three times as much. */
#define RESERVE_SHARE 256
#define RESERVE_MIN 64
#define RESERVE_MAX 16384

/* So many frames are freed for the host at a time. */
#define HOST_STEP 1024

/* Pages of one round: a request's. */
#define ROUND BLOCK_PAGES_MAX

/*
 * It is hopeless after so many rounds in which no page went, if each page was looked at so
 * often.
 */
#define FRUITLESS_ROUNDS 64
#define FRUITLESS_LOOKS 3

static struct {
	uint64_t low, high; /* watermarks; 0 without a disk */
	struct wait_queue wanted;
	uint64_t host_wants; /* frames more, in the balloon */
	bool backed_off;
} reclaim;

static uint64_t free_frames(void)
{
	return ledger_count(OWNER_FREE);
}

/* ---- For the kernel itself ---- */

/*
 * Frees frames for an allocation of the kernel's that finds none: a frame_reclaimer
 * (mm/frame.h). It must not sleep, so a disk is polled.
 */
static size_t reclaim_here(unsigned order)
{
	uint64_t before = free_frames();
	size_t want = (size_t)1 << min_u64(order, BLOCK_ORDER), freed;

	/* Pages lie here and there, the balloon has whole runs. */
	freed = order > 0 ? balloon_reclaim(order) : 0;
	if (freed > 0)
		return freed;
	/* While a page is on its way in or out the books are not in order. */
	if (!vm_busy && vm_can_evict()) {
		vm_evict(VM_BY_TASK, max_u64(want, ROUND));
		vm_transfer_finish_here();
	}
	if (free_frames() > before)
		return (size_t)(free_frames() - before);
	return pressure_reclaim(order);
}

/* ---- How long it is worth while ---- */

/* Looking for pages, since one went. */
struct search {
	uint64_t reclaimed, scanned, begin_ns;
	unsigned rounds;
};

/*
 * Counts a round of it. Pages that are written and come back, as their disk refuses them, do
 * not count.
 */
static void search(struct search *s)
{
	uint64_t reclaimed = vm_events.async_reclaimed + vm_events.direct_reclaimed;

	if (s->rounds++ == 0 || reclaimed != s->reclaimed)
		*s = (struct search){ reclaimed, vm_replacement.scanned, clock_ns(), 1 };
}

static bool is_hopeless(const struct search *s)
{
	return s->rounds > FRUITLESS_ROUNDS &&
	       vm_replacement.scanned - s->scanned >= FRUITLESS_LOOKS * page_record_count();
}

/* ---- In the background ---- */

static void wake(void)
{
	task_wake(&reclaim.wanted);
}

/*
 * Above the floor the balloon finds something to take. A piece at a time: the host's mind may
 * change.
 */
static void host_is_short(uint64_t frames)
{
	reclaim.host_wants = min_u64(frames, HOST_STEP);
	wake();
}

/* What is to be free: by the watermarks, or for the host. */
static uint64_t goal(void)
{
	uint64_t for_host = reclaim.host_wants > 0 ? balloon_floor() + reclaim.host_wants : 0;

	return max_u64(reclaim.high, for_host);
}

static bool is_wanted(void)
{
	return free_frames() < reclaim.low || (reclaim.host_wants > 0 && vm_can_evict());
}

/* Nothing can go, or everything is in use: looks at a 64th of the pages, once a second. */
static void look_slowly(void)
{
	reclaim.backed_off = true;
	vm_evict_among(VM_BY_BACKGROUND, ROUND, page_record_count() / 64 + 1);
	task_sleep_until(task_next_look(clock_ns()));
}

/* Takes some pages out; waits if that is for a disk. */
static void look(void)
{
	reclaim.backed_off = false;
	if (vm_evict(VM_BY_BACKGROUND, ROUND) == 0 && (vm_leaving > 0 || vm_is_waiting_for_disk()))
		vm_wait();
	else
		task_yield();
}

/*
 * Takes pages out until there are enough free frames. While nothing goes it looks slowly, but no
 * longer for the host alone. Returns whether any page went.
 */
static bool fill_up(void)
{
	struct search s = { .rounds = 0 };
	uint64_t reclaimed = vm_events.async_reclaimed;

	while (free_frames() < goal()) {
		bool hopeless;

		search(&s);
		hopeless = !vm_can_evict() || is_hopeless(&s);
		if (hopeless && free_frames() >= reclaim.high)
			break;
		if (free_frames() + vm_leaving >= goal())
			vm_wait();
		else if (hopeless)
			look_slowly();
		else
			look();
		pressure_note();
	}
	reclaim.backed_off = false;
	return vm_events.async_reclaimed != reclaimed;
}

/* If nothing went, the balloon would only say the same again. */
static void serve(void)
{
	bool for_host = reclaim.host_wants > 0;

	/* Memory may have come or gone. */
	vm_reclaim_set_watermarks();
	if (fill_up() && for_host) {
		reclaim.host_wants = 0;
		balloon_try_again();
	}
	reclaim.host_wants = 0;
}

static void background(void *unused)
{
	(void)unused;
	for (;;) {
		uint64_t flags = irq_save();

		while (!is_wanted()) {
			reclaim.host_wants = 0;
			task_wait(&reclaim.wanted, DEADLINE_NEVER);
		}
		irq_restore(flags);
		serve();
	}
}

/* ---- In want of memory ---- */

/*
 * Takes out some pages. Returns whether there may be frames now, or soon; false: nothing goes, and
 * nothing is under way. `by_disk` becomes true with a wait for a disk that has no room.
 */
static bool reclaim_directly(struct search *s, bool *by_disk)
{
	uint64_t gone = vm_evict(VM_BY_TASK, ROUND);
	bool waiting = vm_is_waiting_for_disk();

	search(s);
	if (is_hopeless(s) || (gone == 0 && vm_leaving == 0 && !vm_can_evict()))
		return false;
	if (free_frames() > vm_events.reserve)
		return true;
	*by_disk |= waiting;
	if (vm_leaving > 0 || waiting)
		vm_wait();
	else
		task_yield();
	return true;
}

/* -EINTR: the caller is to end. */
static int make_room(void)
{
	const struct vm_user *self = vm_user_self();
	struct search s = { .rounds = 0 };
	bool by_disk = false;

	vm_events.stalls++;
	vm_stall_begin();
	wake();
	while (free_frames() <= vm_events.reserve && !(self && self->doomed)) {
		if (reclaim_directly(&s, &by_disk))
			continue;
		if (balloon_reclaim(0) > 0)
			continue;
		s.rounds = 0;
		if (!vm_kill(clock_ns() - s.begin_ns))
			break;
	}
	vm_stall_end();
	vm_events.disk_stalls += by_disk;
	pressure_note();
	if (self && self->doomed)
		return -EINTR;
	return free_frames() > vm_events.reserve ? 0 : -ENOMEM;
}

/* Whether a region has its own limit, and as many pages in memory. */
static bool is_at_limit(const struct vm_region *region)
{
	return region->limit > 0 && region->resident >= region->limit;
}

/* At a task's own limit its own pages make room. */
static int wait_at_limit(struct vm_region *region)
{
	const struct vm_user *self = vm_user_self();
	int err = 0;

	vm_events.stalls++;
	vm_events.limit_stalls++;
	vm_stall_begin();
	while (is_at_limit(region) && !err) {
		vm_evict_own(region, ROUND);
		if (self && self->doomed)
			err = -EINTR;
		else if (region->moving == 0 && !vm_can_evict_own())
			err = -ENOMEM;
		else if (is_at_limit(region))
			vm_wait();
	}
	vm_stall_end();
	pressure_note();
	return err;
}

int vm_frame_take(struct vm_region *region, pfn_t *pfn)
{
	int err = is_at_limit(region) ? wait_at_limit(region) : 0;

	if (!err && free_frames() <= vm_events.reserve)
		err = make_room();
	return err ? err : frame_alloc(0, vm_owner(region), pfn);
}

int vm_frame_take_spare(struct vm_region *region, pfn_t *pfn)
{
	if (is_at_limit(region) || free_frames() <= vm_events.reserve + ROUND)
		return -ENOMEM;
	return frame_alloc(0, vm_owner(region), pfn);
}

void vm_reclaim_figures(struct vm_figures *figures)
{
	figures->low = reclaim.low;
	figures->high = reclaim.high;
	figures->backed_off = reclaim.backed_off;
}

void vm_reclaim_set_watermarks(void)
{
	uint64_t reserve = min_u64(max_u64(ledger_managed() / RESERVE_SHARE, RESERVE_MIN),
				   RESERVE_MAX);

	if (!vm_swap_disk && !vm_cache_disk)
		reserve = 0;
	vm_events.reserve = reserve;
	reclaim.low = 2 * reserve;
	reclaim.high = 3 * reserve;
	frame_set_low_hook(reclaim.low, reserve > 0 ? wake : NULL);
	frame_set_reclaimer(reserve > 0 ? reclaim_here : pressure_reclaim);
}

void vm_reclaim_start(void)
{
	balloon_set_short_hook(host_is_short);
	if (task_create("reclaim", TASK_PRIORITY_BACKGROUND, background, NULL))
		log_warn("vm: no task for background reclaim; tasks in want of memory do it");
}
