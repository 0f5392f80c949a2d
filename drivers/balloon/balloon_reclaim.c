/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Memory pressure: an allocation has failed, and asks the balloons before it says so.
 * This runs in any task, in the midst of whatever a balloon's own task does; so it
 * allocates nothing, and what it finds wrong it leaves to that task.
 */
#include "drivers/balloon/balloon_reclaim.h"

#include <assert.h>

#include "arch/clock.h"
#include "arch/cpu.h"
#include "drivers/balloon/balloon_state_internal.h"
#include "drivers/balloon/balloon_wait.h"
#include "mm/frame.h"
#include "mm/ledger.h"
#include "mm/vm_events.h"

static uint64_t frames_wanted(unsigned order)
{
	return order == 0 ? 1 : max_u64(UINT64_C(1) << order, BLOCK_FRAMES);
}

/* When the oldest request was sent that has frames which are only lent. */
static uint64_t lent_awake(struct balloon *balloon)
{
	uint64_t sent_awake = balloon_ranges_sent_awake(&balloon->ranges);

	/* What else a port has asked has no frames, if it can reclaim none. */
	return balloon->port->reclaim && balloon->port->sent_awake
		       ? min_u64(sent_awake, balloon->port->sent_awake())
		       : sent_awake;
}

static void reclaim_ports_own(struct balloon *balloon)
{
	if (balloon->port->reclaim)
		balloon->port->reclaim();
}

/* Frames that are only lent come back first: they cost the host nothing. */
static size_t reclaim_lent(struct balloon *balloon)
{
	uint64_t before = ledger_count(OWNER_FREE);

	reclaim_ports_own(balloon);
	while (balloon->fault == BALLOON_OK && ledger_count(OWNER_FREE) == before &&
	       lent_awake(balloon) != DEADLINE_NEVER) {
		uint64_t now_awake = clock_awake_ns();

		balloon->fault = balloon->port->take_finished();
		reclaim_ports_own(balloon);
		/* Fail fast for the next caller. */
		if (balloon->fault == BALLOON_OK &&
		    balloon_is_overdue(lent_awake(balloon), now_awake))
			balloon->fault = BALLOON_FAULT_SILENT_LENT;
		cpu_relax();
	}
	if (balloon->fault != BALLOON_OK)
		balloon_nudge(balloon);
	return (size_t)(ledger_count(OWNER_FREE) - before);
}

/*
 * One batch of the balloon's frames, waited for. Returns how many are free now. Had an
 * earlier one not been answered, there would be a fault.
 */
static uint64_t take_back_some(struct balloon *balloon, uint64_t want)
{
	struct balloon_batch *batch = balloon_batch_spare(&balloon->batches);
	uint64_t sent_awake = clock_awake_ns();

	balloon_batch_add_owned(batch, balloon->owners->balloon,
				balloon_refusal_passed(&balloon->refusal), want);
	if (balloon_batch_send(batch) == 0)
		return 0;
	if (balloon->port->kick)
		balloon->port->kick();
	while (balloon_batch_arrived(batch) == BALLOON_NOT_ANSWERED) {
		uint64_t now_awake = clock_awake_ns();

		balloon->fault = balloon->port->take_finished();
		if (balloon->fault == BALLOON_OK && balloon_is_overdue(sent_awake, now_awake) &&
		    balloon_batch_arrived(batch) == BALLOON_NOT_ANSWERED)
			balloon->fault = BALLOON_FAULT_SILENT_WANTED;
		if (balloon->fault != BALLOON_OK)
			return 0;
		cpu_relax();
	}
	return balloon_batch_arrived(batch);
}

/* Frames that the host never gives back are passed over: others may come instead. */
static size_t take_back(struct balloon *balloon, uint64_t want)
{
	uint64_t start_awake = clock_awake_ns(), freed = 0;
	bool more = balloon->port->deflate;

	while (more && freed < want && !balloon_is_overdue(start_awake, clock_awake_ns())) {
		pfn_t passed = balloon_refusal_passed(&balloon->refusal);
		uint64_t some = take_back_some(balloon, want - freed);

		freed += some;
		more = balloon->fault == BALLOON_OK &&
		       (some > 0 || balloon_refusal_passed(&balloon->refusal) > passed);
	}
	return (size_t)freed;
}

/* Or inflation would chase us at once. */
static void hold_off(void)
{
	uint64_t end = clock_ns() + BALLOON_HOLD_OFF_NS;

	/* None of them: what one gave back is not for the other's host. */
	for (struct balloon *balloon = balloons; balloon < BALLOONS_END; balloon++)
		balloon->hold_off_end = end;
}

/* What the host has not, though it was to have it soon. */
static size_t take_back_unsent(struct balloon *balloon, unsigned order)
{
	size_t freed = balloon_refusal_release(&balloon->refusal);

	if (freed == 0)
		freed = (size_t)frame_free_owned(balloon->owners->leaving, frames_wanted(order));
	if (freed > 0)
		hold_off();
	return freed;
}

/* Whether the host can be asked: it keeps the rules, and was not found at fault. */
static bool is_usable(const struct balloon *balloon)
{
	return balloon_is_alive(balloon) && balloon->running && balloon->fault == BALLOON_OK;
}

/* What is not in the balloon: taken back in any case. */
static size_t reclaim_outside(struct balloon *balloon, unsigned order)
{
	size_t freed = take_back_unsent(balloon, order);

	if (freed == 0)
		freed = reclaim_lent(balloon);
	/* Ranges that the host was asked about meanwhile may leave now. */
	return freed > 0 ? freed : take_back_unsent(balloon, order);
}

/* What is in it. Without the host's word: never below the target by ourselves. */
static size_t reclaim_inside(struct balloon *balloon, unsigned order)
{
	size_t freed;

	if (!balloon->status.deflate_on_oom)
		return 0;
	freed = take_back(balloon, frames_wanted(order));
	if (freed > 0) {
		balloon->status.oom_events++;
		balloon->status.oom_frames += freed;
		balloon_record(balloon, BALLOON_EVENT_RECLAIMED, freed, order);
		hold_off();
	}
	/* `actual` has changed, or there is something to mend: the task's business. */
	balloon_nudge(balloon);
	return freed;
}

/* An allocation asks several times, but it is one that waits. */
static void count_stall(void)
{
	static uint64_t counted;

	if (vm_events.stalls == counted)
		return;
	counted = vm_events.stalls;
	vm_events.balloon_stalls++;
}

size_t balloon_reclaim(unsigned order)
{
	size_t freed = (size_t)balloon_free_in_need(frames_wanted(order));

	for (struct balloon *balloon = balloons; balloon < BALLOONS_END; balloon++)
		if (freed == 0 && is_usable(balloon))
			freed = reclaim_outside(balloon, order);
	for (struct balloon *balloon = balloons; balloon < BALLOONS_END; balloon++)
		if (freed == 0 && is_usable(balloon))
			freed = reclaim_inside(balloon, order);
	if (freed > 0)
		count_stall();
	return freed;
}
