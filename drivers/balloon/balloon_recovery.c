/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What can go wrong with a host, and what becomes of its frames then; see
 * balloon_recovery.h.
 */
#include "drivers/balloon/balloon_recovery.h"

#include <assert.h>
#include <errno.h>

#include "arch/clock.h"
#include "drivers/balloon/balloon_batch.h"
#include "drivers/balloon/balloon_events.h"
#include "drivers/balloon/balloon_ranges.h"
#include "drivers/balloon/balloon_refusal.h"
#include "drivers/balloon/balloon_state_internal.h"
#include "drivers/balloon/balloon_stats.h"
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
static void take_back_all_in_flight(void)
{
	balloon_batches_abandon();
	balloon_ranges_abandon();
	balloon_refusal_forgive();
	balloon_stats_abandon();
	balloon.terms = (struct balloon_terms){ .best = BALLOON_PORTABLE };
	assert(balloon_frames_given() == ledger_count(OWNER_BALLOON) + ledger_count(OWNER_LEAVING));
}

void balloon_take_back_all(void)
{
	take_back_all_in_flight();
	balloon_free_all(OWNER_LEAVING);
	balloon_free_all(OWNER_BALLOON);
	assert(balloon_frames_given() == 0);
}

/* After reset() or give_up() with this result. */
static void take_back_after_reset(int err)
{
	if (err == 0 && balloon.port->reset_empties)
		balloon_take_back_all();
	else if (err != -ETIMEDOUT)
		take_back_all_in_flight();
}

void balloon_forsake_all(void)
{
	pfn_t first;

	while (frame_collect(OWNER_BALLOON, 0, 1, &first) == 1) {
		size_t blocks = frame_count_blocks(first, BALLOON_FREE_FRAMES / BLOCK_FRAMES,
						   OWNER_BALLOON);
		int err = frame_change_owner(first, blocks > 0 ? blocks * BLOCK_FRAMES : 1,
					     OWNER_BALLOON, OWNER_IN_FLIGHT);

		assert(!err);
		task_yield();
	}
}

void balloon_give_up(enum balloon_fault fault)
{
	const char *why = balloon_fault_sentence(fault);

	assert(fault != BALLOON_OK);
	balloon_refusal_record();
	balloon_event(BALLOON_EVENT_GAVE_UP, fault, 0);
	balloon.running = false;
	/* What it refused, and what only leaves, is not its own, whether it lets go or not. */
	balloon_refusal_forgive();
	balloon_free_all(OWNER_LEAVING);
	take_back_after_reset(balloon.port->give_up(&why));
	balloon.status.broken = why;
	/* Ballooned frames do not come back from it, and are accounted for so. */
	balloon.status.deflate_on_oom = false;
}

int balloon_start_port(void)
{
	int err = balloon.port->start();

	if (err)
		return err;
	balloon_agree();
	balloon.running = true;
	balloon.status.deflate_on_oom = balloon.terms.deflate_on_oom;
	/* A host may keep the number over a reset; what we have is the truth. */
	balloon_tell_actual(ledger_count(OWNER_BALLOON));
	return 0;
}

void balloon_recover(enum balloon_fault fault)
{
	static uint64_t said_ns;
	bool forgotten = fault == BALLOON_FAULT_ALL_OURS;
	uint64_t now = clock_ns();

	if (now - balloon.reset_time > RESETS_APART_NS)
		balloon.resets_in_a_row = 0;
	balloon.reset_time = now;
	balloon.fault = BALLOON_OK;
	balloon.running = false;
	if (forgotten) {
		balloon_event(BALLOON_EVENT_ALL_OURS, ledger_count(OWNER_BALLOON), 0);
		balloon_take_back_all();
	}
	if (++balloon.resets_in_a_row > RESETS_IN_A_ROW) {
		balloon_give_up(BALLOON_FAULT_RESTLESS);
		return;
	}
	if (!forgotten) {
		if (!is_at_rest(balloon.port->reset())) {
			balloon_give_up(BALLOON_FAULT_NO_RESET);
			return;
		}
		take_back_all_in_flight();
	}
	if (log_is_due(&said_ns, now))
		log_info(forgotten
				 ? "balloon: the host has forgotten the balloon, which is empty now"
				 : "balloon: the host asked for a reset, and gets it");
	if (balloon_start_port()) {
		balloon_give_up(BALLOON_FAULT_NO_RESTART);
		return;
	}
	balloon.status.recoveries++;
	balloon_event(BALLOON_EVENT_RECOVERED, fault, ledger_count(OWNER_BALLOON));
}

/* At most what was in the balloon is still the host's, and it owes nothing. */
int balloon_revive(const char **why)
{
	int err = balloon.port->reset();

	*why = "it does not finish its reset";
	take_back_after_reset(err);
	if (err == -ETIMEDOUT)
		return err;
	*why = "it is gone";
	if (!is_at_rest(err))
		return err;
	balloon.fault = BALLOON_OK;
	balloon.resets_in_a_row = 0;
	balloon.moving = false;
	err = balloon_start_port();
	if (err) {
		balloon_give_up(BALLOON_FAULT_NO_RESTART);
		*why = balloon.status.broken;
		return err;
	}
	balloon.status.broken = NULL;
	balloon_event(BALLOON_EVENT_RETRIED, ledger_count(OWNER_BALLOON), 0);
	log_info("balloon: the host is in use again");
	return 0;
}
