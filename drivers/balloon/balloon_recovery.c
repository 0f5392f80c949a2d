/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What can go wrong with a host, and what becomes of its frames then; see
 * balloon_recovery.h.
 */
#include "drivers/balloon/balloon_recovery.h"

#include <assert.h>
#include <errno.h>

#include "arch/clock.h"
#include "drivers/balloon/balloon_state_internal.h"
#include "kernel/lib/log.h"
#include "kernel/task/task.h"
#include "mm/frame.h"
#include "mm/ledger.h"

/* After so many resets, each of them within this time of the last, a host is given up. */
#define RESETS_IN_A_ROW 5
#define RESETS_APART_NS (10 * NS_PER_S)

/* Whether it can be started again, after a reset() with this result. */
static bool is_at_rest(int err)
{
	return err == 0 || err == -EBUSY;
}

/* The host was reset: what it had is on its way no more. */
static void take_back_all_in_flight(struct balloon *balloon)
{
	balloon_batches_abandon(&balloon->batches);
	balloon_ranges_abandon(&balloon->ranges);
	balloon_refusal_forgive(&balloon->refusal);
	balloon->terms = (struct balloon_terms){ .best = BALLOON_PORTABLE };
	assert(balloon_frames_given(balloon) ==
	       ledger_count(balloon->owners->balloon) + ledger_count(balloon->owners->leaving));
}

void balloon_take_back_all(struct balloon *balloon)
{
	take_back_all_in_flight(balloon);
	balloon_free_all(balloon->owners->leaving);
	balloon_free_all(balloon->owners->balloon);
	assert(balloon_frames_given(balloon) == 0);
}

/* After reset() or give_up() with this result. */
static void take_back_after_reset(struct balloon *balloon, int err)
{
	if (err == 0 && balloon->port->reset_empties)
		balloon_take_back_all(balloon);
	else if (err != -ETIMEDOUT)
		take_back_all_in_flight(balloon);
}

void balloon_forsake_all(struct balloon *balloon)
{
	pfn_t first;

	while (frame_collect(balloon->owners->balloon, 0, 1, &first) == 1) {
		size_t blocks = frame_count_blocks(first, BALLOON_FREE_FRAMES / BLOCK_FRAMES,
						   balloon->owners->balloon);
		int err = frame_change_owner(first, blocks > 0 ? blocks * BLOCK_FRAMES : 1,
					     balloon->owners->balloon, OWNER_IN_FLIGHT);

		assert(!err);
		task_yield();
	}
}

void balloon_give_up(struct balloon *balloon, enum balloon_fault fault)
{
	const char *why = balloon_fault_sentence(fault);

	assert(fault != BALLOON_OK);
	balloon_refusal_record(&balloon->refusal);
	balloon_record(balloon, BALLOON_EVENT_GAVE_UP, fault, 0);
	balloon->running = false;
	/* What it refused, and what only leaves, is not its own, whether it lets go or not. */
	balloon_refusal_forgive(&balloon->refusal);
	balloon_free_all(balloon->owners->leaving);
	take_back_after_reset(balloon, balloon->port->give_up(&why));
	balloon->status.broken = why;
	/* Ballooned frames do not come back from it, and are accounted for so. */
	balloon->status.deflate_on_oom = false;
}

int balloon_start_port(struct balloon *balloon)
{
	int err = balloon->port->start();

	if (err)
		return err;
	balloon_agree(balloon);
	balloon->running = true;
	balloon->status.deflate_on_oom = balloon->terms.deflate_on_oom;
	/* A host may keep the number over a reset; what we have is the truth. */
	balloon_tell_actual(balloon, ledger_count(balloon->owners->balloon));
	return 0;
}

void balloon_recover(struct balloon *balloon, enum balloon_fault fault)
{
	bool forgotten = fault == BALLOON_FAULT_ALL_OURS;
	uint64_t now = clock_ns();

	if (now - balloon->reset_time > RESETS_APART_NS)
		balloon->resets_in_a_row = 0;
	balloon->reset_time = now;
	balloon->fault = BALLOON_OK;
	balloon->running = false;
	if (forgotten) {
		balloon_record(balloon, BALLOON_EVENT_ALL_OURS,
			       ledger_count(balloon->owners->balloon), 0);
		balloon_take_back_all(balloon);
	}
	if (++balloon->resets_in_a_row > RESETS_IN_A_ROW) {
		balloon_give_up(balloon, BALLOON_FAULT_RESTLESS);
		return;
	}
	if (!forgotten) {
		if (!is_at_rest(balloon->port->reset())) {
			balloon_give_up(balloon, BALLOON_FAULT_NO_RESET);
			return;
		}
		take_back_all_in_flight(balloon);
	}
	if (log_is_due(&balloon->reset_said_ns, now))
		log_info(forgotten ? "%s: the host has forgotten the balloon, which is empty now"
				   : "%s: the host asked for a reset, and gets it",
			 balloon->label);
	if (balloon_start_port(balloon)) {
		balloon_give_up(balloon, BALLOON_FAULT_NO_RESTART);
		return;
	}
	balloon->status.recoveries++;
	balloon_record(balloon, BALLOON_EVENT_RECOVERED, fault,
		       ledger_count(balloon->owners->balloon));
}

/* At most what was in the balloon is still the host's, and it owes nothing. */
int balloon_revive(struct balloon *balloon, const char **why)
{
	int err = balloon->port->reset();

	*why = "it does not finish its reset";
	if (err == -ETIMEDOUT)
		return err;
	take_back_after_reset(balloon, err);
	*why = "it is gone";
	if (!is_at_rest(err))
		return err;
	balloon->fault = BALLOON_OK;
	balloon->resets_in_a_row = 0;
	balloon->moving = false;
	err = balloon_start_port(balloon);
	if (err) {
		balloon_give_up(balloon, BALLOON_FAULT_NO_RESTART);
		*why = balloon->status.broken;
		return err;
	}
	balloon->status.broken = NULL;
	balloon_record(balloon, BALLOON_EVENT_RETRIED, ledger_count(balloon->owners->balloon), 0);
	log_info("%s: the host is in use again", balloon->label);
	return 0;
}
