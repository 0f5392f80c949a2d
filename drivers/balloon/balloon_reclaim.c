/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Memory pressure: an allocation has failed, and asks the balloon before it says so.
 * This runs in any task, in the midst of whatever the balloon's own task does; so it
 * allocates nothing, and what it finds wrong it leaves to that task.
 */
#include "drivers/balloon/balloon_reclaim.h"

#include <assert.h>

#include "arch/clock.h"
#include "arch/cpu.h"
#include "drivers/balloon/balloon_batch.h"
#include "drivers/balloon/balloon_events.h"
#include "drivers/balloon/balloon_ranges.h"
#include "drivers/balloon/balloon_refusal.h"
#include "drivers/balloon/balloon_state_internal.h"
#include "drivers/balloon/balloon_wait.h"
#include "mm/frame.h"
#include "mm/ledger.h"

static uint64_t frames_wanted(unsigned order)
{
	return order == 0 ? 1 : max_u64(UINT64_C(1) << order, BLOCK_FRAMES);
}

/* When the oldest request was sent that has frames which are only lent. */
static uint64_t lent_awake(void)
{
	uint64_t sent_awake = balloon_ranges_sent_awake();

	/* What else a port has asked has no frames, if it can reclaim none. */
	return balloon.port->reclaim && balloon.port->sent_awake
		       ? min_u64(sent_awake, balloon.port->sent_awake())
		       : sent_awake;
}

static void reclaim_ports_own(void)
{
	if (balloon.port->reclaim)
		balloon.port->reclaim();
}

/* Frames that are only lent come back first: they cost the host nothing. */
static size_t reclaim_lent(void)
{
	uint64_t before = ledger_count(OWNER_FREE);

	reclaim_ports_own();
	while (balloon.fault == BALLOON_OK && ledger_count(OWNER_FREE) == before &&
	       lent_awake() != DEADLINE_NEVER) {
		uint64_t now_awake = clock_awake_ns();

		balloon.fault = balloon.port->take_finished();
		reclaim_ports_own();
		/* Fail fast for the next caller. */
		if (balloon.fault == BALLOON_OK && balloon_is_overdue(lent_awake(), now_awake))
			balloon.fault = BALLOON_FAULT_SILENT_LENT;
		cpu_relax();
	}
	if (balloon.fault != BALLOON_OK)
		balloon_nudge();
	return (size_t)(ledger_count(OWNER_FREE) - before);
}

/*
 * One batch of the balloon's frames, waited for. Returns how many are free now. Had an
 * earlier one not been answered, there would be a fault.
 */
static uint64_t take_back_some(uint64_t want)
{
	struct balloon_batch *batch = balloon_batch_spare();
	uint64_t sent_awake = clock_awake_ns();

	balloon_batch_add_owned(batch, OWNER_BALLOON, balloon_refusal_passed(), want);
	if (balloon_batch_send(batch) == 0)
		return 0;
	if (balloon.port->kick)
		balloon.port->kick();
	while (balloon_batch_arrived(batch) == BALLOON_NOT_ANSWERED) {
		uint64_t now_awake = clock_awake_ns();

		balloon.fault = balloon.port->take_finished();
		if (balloon.fault == BALLOON_OK && balloon_is_overdue(sent_awake, now_awake) &&
		    balloon_batch_arrived(batch) == BALLOON_NOT_ANSWERED)
			balloon.fault = BALLOON_FAULT_SILENT_WANTED;
		if (balloon.fault != BALLOON_OK)
			return 0;
		cpu_relax();
	}
	return balloon_batch_arrived(batch);
}

/* Frames that the host never gives back are passed over: others may come instead. */
static size_t take_back(uint64_t want)
{
	uint64_t start_awake = clock_awake_ns(), freed = 0;
	bool more = balloon.port->deflate;

	while (more && freed < want && !balloon_is_overdue(start_awake, clock_awake_ns())) {
		pfn_t passed = balloon_refusal_passed();
		uint64_t some = take_back_some(want - freed);

		freed += some;
		more = balloon.fault == BALLOON_OK &&
		       (some > 0 || balloon_refusal_passed() > passed);
	}
	return (size_t)freed;
}

/* Or inflation would chase us at once. */
static void hold_off(void)
{
	balloon.hold_off_end = clock_ns() + BALLOON_HOLD_OFF_NS;
}

/* What the host has not, though it was to have it soon. */
static size_t take_back_unsent(unsigned order)
{
	size_t freed = balloon_refusal_release();

	if (freed == 0)
		freed = (size_t)frame_free_owned(OWNER_LEAVING, frames_wanted(order));
	if (freed > 0)
		hold_off();
	return freed;
}

size_t balloon_reclaim(unsigned order)
{
	size_t freed = (size_t)balloon_free_in_need(frames_wanted(order));

	if (freed > 0)
		return freed;
	if (!balloon_is_alive() || !balloon.running || balloon.fault != BALLOON_OK)
		return 0;
	freed = take_back_unsent(order);
	if (freed == 0)
		freed = reclaim_lent();
	/* Ranges that the host was asked about meanwhile may leave now. */
	if (freed == 0)
		freed = take_back_unsent(order);
	/* Without the host's word: never below the target by ourselves. */
	if (freed > 0 || !balloon.status.deflate_on_oom || balloon.fault != BALLOON_OK)
		return freed;
	freed = take_back(frames_wanted(order));
	if (freed > 0) {
		balloon.status.oom_events++;
		balloon.status.oom_frames += freed;
		balloon_event(BALLOON_EVENT_RECLAIMED, freed, order);
		hold_off();
	}
	/* `actual` has changed, or there is something to mend: the task's business. */
	balloon_nudge();
	return freed;
}
