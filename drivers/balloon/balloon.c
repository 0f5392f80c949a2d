/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The balloon's life, top to bottom: what is offered to the host and in which way,
 * what the host says, one round, the end of a host, the start with the next or with one
 * that was given up. The host is reached through a port (balloon_port.h), whichever
 * hypervisor it is; what can go wrong with it is in balloon_recovery.c.
 *
 *	free ──► in-flight ──► balloon ──► in-flight ──► free
 *	  └► reported ► leaving ┘              (range-first)
 *
 * The owner map is the only list of the frames. A ballooned one is never touched.
 */
#include "drivers/balloon/balloon.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "arch/clock.h"
#include "drivers/balloon/balloon_batch.h"
#include "drivers/balloon/balloon_events.h"
#include "drivers/balloon/balloon_offer.h"
#include "drivers/balloon/balloon_ranges.h"
#include "drivers/balloon/balloon_recovery.h"
#include "drivers/balloon/balloon_refusal.h"
#include "drivers/balloon/balloon_state_internal.h"
#include "drivers/balloon/balloon_stats.h"
#include "drivers/balloon/balloon_vacate.h"
#include "drivers/balloon/balloon_wait.h"
#include "kernel/task/task.h"
#include "mm/frame.h"
#include "mm/ledger.h"

/* `actual` is written at the end of the work, and this often meanwhile. */
#define ACTUAL_INTERVAL_NS (NS_PER_S / 4)

/* ---- What is offered ---- */

/*
 * Range-first: all the ranges of a target go before the first frame, so that the
 * host has the memory in milliseconds. Single frames are for what is left: of boot memory,
 * then of regions.
 */
static uint64_t inflate_by_ranges(uint64_t want)
{
	struct balloon_place place = balloon_next_place();
	uint64_t sent = balloon_ranges_leave(&place, want / BLOCK_FRAMES);

	if (sent > 0 || balloon_ranges_sent_awake() != DEADLINE_NEVER)
		return sent;
	sent = balloon_offer_leaving();
	/* While frames leave, the batches are for them. */
	return sent > 0 || ledger_count(OWNER_LEAVING) > 0 ? sent : balloon_offer_free(want);
}

static uint64_t inflate(uint64_t want)
{
	/* Nor what leaves is offered: memory in need may have it, and the host wants none. */
	if (clock_ns() < balloon.hold_off_end || balloon_refusal_is_pause())
		return 0;
	want = min_u64(want, balloon_frames_spare());
	if (balloon_effective_strategy() == BALLOON_RANGE_FIRST || ledger_count(OWNER_LEAVING) > 0)
		return inflate_by_ranges(want);
	return balloon_offer_free(want);
}

/*
 * Leaving frames are simply free again; after that, the host must give the rest back. While
 * a stretch is vacated (balloon_vacate.h) that rest is what it `held`, in its own turn.
 */
static uint64_t deflate(uint64_t want, uint64_t held)
{
	uint64_t freed = frame_free_owned(OWNER_LEAVING, min_u64(want, BALLOON_FREE_FRAMES));
	uint64_t taken = ledger_count(OWNER_BALLOON) + balloon_batches_inflating();

	if (freed || held > 0 || balloon_refusal_is_pause())
		return freed;
	/* What leaves is not the host's yet: nothing that the target needs goes for it. */
	want = min_u64(want, taken - min_u64(taken, balloon.status.target));
	return balloon_offer_ballooned(balloon_refusal_passed(), want);
}

/*
 * A move lasts from its first offer to the last answer; only the two are recorded, and
 * how much of it was refused.
 * `ballooned` and `since` are from before the offer, as a host may answer in the call.
 */
static void begin_move(bool back, uint64_t offered, uint64_t ballooned, uint64_t since)
{
	if (balloon.moving)
		return;
	balloon.moving = true;
	balloon.move_start = since;
	balloon_event(back ? BALLOON_EVENT_ASKED_BACK : BALLOON_EVENT_OFFERED, offered, ballooned);
}

static void end_move(void)
{
	balloon_refusal_record();
	if (!balloon.moving)
		return;
	balloon.moving = false;
	balloon_event(BALLOON_EVENT_ACKNOWLEDGED, ledger_count(OWNER_BALLOON),
		      (clock_ns() - balloon.move_start) / NS_PER_US);
}

/* While a stretch is vacated, the goal is the target and what the stretch `held` on top. */
static uint64_t offer(void)
{
	uint64_t held = balloon_vacate_begin_round(), goal = balloon.status.target + held;
	uint64_t given = balloon_frames_given(), since = clock_ns(), offered, missing;
	uint64_t ballooned = ledger_count(OWNER_BALLOON);
	bool back;

	/* Reached, and not only on its way: what is in-flight may still be refused. */
	if (held == 0 && given == goal && balloon_batches_sent_awake() == DEADLINE_NEVER)
		balloon_refusal_forgive();
	offered = balloon_vacate_ask_back(held);
	back = offered > 0 || given > goal;
	if (offered == 0)
		offered = back ? deflate(given - goal, held) : inflate(goal - given);
	if (offered > 0) {
		if (balloon.port->kick)
			balloon.port->kick();
		begin_move(back, offered, ballooned, since);
		balloon.resets_in_a_row = 0;
		return offered;
	}
	if (given != goal && balloon_sent_awake() == DEADLINE_NEVER)
		balloon_refusal_exhausted();
	if (held > 0)
		balloon_vacate_note_stuck();
	missing = balloon_frames_short();
	if (missing > 0 && balloon.port->short_of)
		balloon.port->short_of(missing);
	return 0;
}

/*
 * The number told follows the operations, and one write may stand for several. A
 * watcher sees a few a second, and the last one at once.
 */
static void write_actual(bool busy)
{
	struct balloon_status *status = &balloon.status;
	uint64_t actual = ledger_count(OWNER_BALLOON);
	uint64_t now = clock_ns();

	if (actual == status->actual || (busy && now - balloon.actual_time < ACTUAL_INTERVAL_NS))
		return;
	balloon_tell_actual(actual);
	status->actual_writes++;
	balloon.actual_time = now;
}

/* ---- What the host says ---- */

/* Takes all that the host has finished; says what is wrong with it. */
static enum balloon_fault take_finished(void)
{
	enum balloon_fault fault = balloon.fault;
	uint64_t now_awake = clock_awake_ns();

	if (fault == BALLOON_OK)
		fault = balloon.port->take_finished();
	if (fault == BALLOON_OK && balloon_is_overdue(balloon_sent_awake(), now_awake))
		fault = BALLOON_FAULT_SILENT;
	/* A host that asks for a reset owes no answers, but those that it gave must be right. */
	if (fault != BALLOON_OK && fault != BALLOON_FAULT_RULES &&
	    fault != BALLOON_FAULT_ALL_OURS && balloon.port->wants_reset &&
	    balloon.port->wants_reset())
		fault = BALLOON_FAULT_RESET_WANTED;
	return fault;
}

static enum balloon_fault read_target(void)
{
	uint64_t before = balloon.status.target, target = before;
	enum balloon_fault fault;

	/* Before the target is read: a change after that is not missed. */
	balloon.nudged = false;
	/* Leaving frames are not the host's: one that asks by deltas still asks for them. */
	fault = balloon.port->read_target(ledger_count(OWNER_BALLOON) + balloon_batches_inflating(),
					  &target);
	balloon.status.target = balloon.removing ? 0 : target;
	/* Asked for something else, it may be of another mind about single frames, too. */
	if (balloon.status.target != before) {
		balloon_event(BALLOON_EVENT_TARGET, balloon.status.target, before);
		balloon_refusal_forgive();
	}
	return fault;
}

/* ---- One round, and the task ---- */

bool balloon_step(void)
{
	enum balloon_fault fault;
	bool busy, more;
	uint64_t offered;

	if (!balloon_is_alive())
		return false;
	fault = take_finished();
	if (fault == BALLOON_OK)
		fault = read_target();
	if (fault != BALLOON_OK) {
		if (fault == BALLOON_FAULT_RESET_WANTED || fault == BALLOON_FAULT_ALL_OURS)
			balloon_recover(fault);
		else
			balloon_give_up(fault);
		return balloon_is_alive();
	}
	offered = offer();
	more = balloon.port->work && balloon.port->work(balloon.config.floor);
	busy = offered > 0 || balloon_batches_sent_awake() != DEADLINE_NEVER ||
	       ledger_count(OWNER_LEAVING) > 0;
	write_actual(busy);
	if (!busy)
		end_move();
	if (!busy && balloon_ranges_lend())
		return true;
	/* The offer may have lacked what the host has finished meanwhile. */
	return more || (offered > 0 && balloon_batches_room() > 0) || balloon_has_news();
}

static void balloon_task(void *arg)
{
	(void)arg;
	/* That of an earlier host, which had not run yet, serves this one. */
	if (balloon.task_running)
		return;
	balloon.task_running = true;
	/* All others have had their turn up to now. */
	balloon.turn_end = clock_ns();
	while (balloon_is_alive() && !balloon.removing) {
		if (balloon_step())
			balloon_yield();
		else if (balloon_is_alive() && !balloon.removing)
			balloon_wait_for_news();
	}
	balloon.task_running = false;
}

/* ---- The end ---- */

/* No host, and nothing is counted; the settings stay. */
static void forget_host(void)
{
	struct balloon_config config = balloon.config;

	memset(&balloon, 0, sizeof(balloon));
	balloon.config = config;
	balloon.terms.best = BALLOON_PORTABLE;
	balloon_refusal_forget();
	balloon_stats_forget();
}

void balloon_init(const struct balloon_config *config)
{
	balloon_vacate_forget();
	balloon.config = *config;
}

/* Every wait for the host in there is bounded, and so is this one. */
static void stop_task(void)
{
	while (balloon.task_running) {
		balloon_nudge();
		task_sleep_until(clock_ns() + NS_PER_MS);
	}
}

static bool has_frames(void)
{
	return balloon_frames_given() > 0 || balloon_batches_sent_awake() != DEADLINE_NEVER;
}

/* The target is 0 now; a batch that is not answered in time ends it, and so does a refusal. */
static void deflate_all(void)
{
	/* For what was refused for the last target the host may be of another mind, too. */
	balloon_refusal_forgive();
	while (balloon_is_alive() && has_frames() && balloon.port->deflate &&
	       balloon_refusal_pause_end() == 0) {
		if (balloon_step())
			balloon_yield();
		else if (balloon_is_alive() && has_frames())
			balloon_wait_for_news();
	}
}

static void stop(void)
{
	int err;

	if (!balloon.status.present)
		return;
	balloon_event(BALLOON_EVENT_PULLED, ledger_count(OWNER_BALLOON), 0);
	balloon.status.present = false;
	balloon.running = false;
	err = balloon.port->reset();
	if (err == -ETIMEDOUT || err == -EBUSY) {
		/* The next host has never had what this one keeps. */
		balloon_free_all(OWNER_LEAVING);
		balloon_forsake_all();
	} else {
		balloon_take_back_all();
	}
}

void balloon_detach(void)
{
	balloon.removing = true;
	stop_task();
	deflate_all();
	balloon_step(); /* `actual` is 0 now */
	stop();
	forget_host();
}

/* ---- The start with a host ---- */

static int create_task(void)
{
	int err = task_create("balloon", TASK_PRIORITY_DRIVER, balloon_task, NULL);

	if (!err)
		return 0;
	/* Nobody lets the host go meanwhile. */
	balloon.task_running = true;
	balloon_give_up(BALLOON_FAULT_NO_TASK);
	balloon.task_running = false;
	return err;
}

/* Nobody uses another host. */
static int attach(const struct balloon_port *port, struct wait_queue *waiters)
{
	int err;

	/* One that was given up leaves first, with all that is its own. */
	balloon_detach();
	balloon_batches_begin(port, &balloon.terms);
	balloon_ranges_begin(port, &balloon.terms);
	if (port->forget)
		port->forget();
	balloon.port = port;
	balloon.waiters = waiters ? waiters : &balloon.own_waiters;
	err = balloon_start_port();
	if (err)
		return err;
	balloon.status.present = true;
	balloon_event(BALLOON_EVENT_PLUGGED, balloon.terms.deflate_on_oom, balloon.terms.ranges);
	err = create_task();
	if (err)
		balloon.status.present = false;
	return err;
}

int balloon_attach(const struct balloon_port *port, struct wait_queue *waiters)
{
	static bool attaching; /* a host may be waited for at its start */
	int err;

	assert(port->start && port->terms && port->reset && port->give_up);
	assert(port->take_finished && port->read_target && port->inflate);
	if (attaching || balloon_is_alive())
		return -EBUSY;
	attaching = true;
	err = attach(port, waiters);
	attaching = false;
	return err;
}

/* ---- The start with a host that was given up ---- */

int balloon_retry(const char **why)
{
	int err;

	*why = "there is no device";
	if (!balloon.status.present)
		return -ENODEV;
	*why = "the device is in use: there is nothing to retry";
	if (balloon_is_alive())
		return -EALREADY;
	*why = "it is being reset, or goes";
	if (balloon.task_running || balloon.removing)
		return -EBUSY;
	/* Nobody lets the host go meanwhile. */
	balloon.task_running = true;
	err = balloon_revive(why);
	balloon.task_running = false;
	if (err || balloon.removing)
		return err;
	err = create_task();
	*why = balloon.status.broken;
	return err;
}

bool balloon_is_attached(const struct balloon_port *port)
{
	return balloon.status.present && balloon.port == port;
}

int balloon_resume(const struct balloon_port *port)
{
	const char *why;

	assert(balloon_is_attached(port));
	return balloon_retry(&why);
}
