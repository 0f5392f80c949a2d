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
#include <stdio.h>

#include "arch/clock.h"
#include "drivers/balloon/balloon_offer.h"
#include "drivers/balloon/balloon_recovery.h"
#include "drivers/balloon/balloon_state_internal.h"
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
static uint64_t inflate_by_ranges(struct balloon *balloon, uint64_t want)
{
	struct balloon_place place = balloon_next_place(balloon);
	uint64_t sent = balloon_ranges_leave(&balloon->ranges, &place, want / BLOCK_FRAMES);

	if (sent > 0 || balloon_ranges_sent_awake(&balloon->ranges) != DEADLINE_NEVER)
		return sent;
	sent = balloon_offer_leaving(balloon);
	/* While frames leave, the batches are for them. */
	return sent > 0 || ledger_count(balloon->owners->leaving) > 0
		       ? sent
		       : balloon_offer_free(balloon, want);
}

static uint64_t inflate(struct balloon *balloon, uint64_t want)
{
	/* Nor what leaves is offered: memory in need may have it, and the host wants none. */
	if (clock_ns() < balloon->hold_off_end || balloon_refusal_is_pause(&balloon->refusal))
		return 0;
	want = min_u64(want, balloon_frames_spare());
	if (balloon_effective_strategy(balloon) == BALLOON_RANGE_FIRST ||
	    ledger_count(balloon->owners->leaving) > 0)
		return inflate_by_ranges(balloon, want);
	return balloon_offer_free(balloon, want);
}

/*
 * Leaving frames are simply free again; after that, the host must give the rest back. While
 * a stretch is vacated (balloon_vacate.h) that rest is what it `held`, in its own turn.
 */
static uint64_t deflate(struct balloon *balloon, uint64_t want, uint64_t held)
{
	uint64_t freed = frame_free_owned(balloon->owners->leaving,
					  min_u64(want, BALLOON_FREE_FRAMES));
	uint64_t taken = ledger_count(balloon->owners->balloon) +
			 balloon_batches_inflating(&balloon->batches);

	if (freed || held > 0 || balloon_refusal_is_pause(&balloon->refusal))
		return freed;
	/* What leaves is not the host's yet: nothing that the target needs goes for it. */
	want = min_u64(want, taken - min_u64(taken, balloon->status.target));
	return balloon_offer_ballooned(balloon, balloon_refusal_passed(&balloon->refusal), want);
}

/*
 * A move lasts from its first offer to the last answer; only the two are recorded, and
 * how much of it was refused.
 * `ballooned` and `since` are from before the offer, as a host may answer in the call.
 */
static void begin_move(struct balloon *balloon, bool back, uint64_t offered, uint64_t ballooned,
		       uint64_t since)
{
	if (balloon->moving)
		return;
	balloon->moving = true;
	balloon->move_start = since;
	balloon_record(balloon, back ? BALLOON_EVENT_ASKED_BACK : BALLOON_EVENT_OFFERED, offered,
		       ballooned);
}

static void end_move(struct balloon *balloon)
{
	balloon_refusal_record(&balloon->refusal);
	if (!balloon->moving)
		return;
	balloon->moving = false;
	balloon_record(balloon, BALLOON_EVENT_ACKNOWLEDGED, ledger_count(balloon->owners->balloon),
		       (clock_ns() - balloon->move_start) / NS_PER_US);
}

/* While a stretch is vacated, the goal is the target and what the stretch `held` on top. */
static uint64_t offer(struct balloon *balloon)
{
	uint64_t held = balloon_vacate_begin_round(balloon), goal = balloon->status.target + held;
	uint64_t given = balloon_frames_given(balloon), since = clock_ns(), offered, missing;
	uint64_t ballooned = ledger_count(balloon->owners->balloon);
	bool back;

	/* Reached, and not only on its way: what is in-flight may still be refused. */
	if (held == 0 && given == goal &&
	    balloon_batches_sent_awake(&balloon->batches) == DEADLINE_NEVER)
		balloon_refusal_forgive(&balloon->refusal);
	offered = balloon_vacate_ask_back(balloon, held);
	back = offered > 0 || given > goal;
	if (offered == 0)
		offered = back ? deflate(balloon, given - goal, held)
			       : inflate(balloon, goal - given);
	if (offered > 0) {
		if (balloon->port->kick)
			balloon->port->kick();
		begin_move(balloon, back, offered, ballooned, since);
		balloon->resets_in_a_row = 0;
		return offered;
	}
	if (given != goal && balloon_sent_awake(balloon) == DEADLINE_NEVER)
		balloon_refusal_exhausted(&balloon->refusal);
	if (held > 0)
		balloon_vacate_note_stuck(balloon);
	missing = balloon_frames_short(balloon);
	if (missing > 0 && balloon->port->short_of)
		balloon->port->short_of(missing);
	if (missing > 0)
		balloon_tell_short(balloon, missing);
	return 0;
}

/*
 * The number told follows the operations, and one write may stand for several. A
 * watcher sees a few a second, and the last one at once.
 */
static void write_actual(struct balloon *balloon, bool busy)
{
	struct balloon_status *status = &balloon->status;
	uint64_t actual = ledger_count(balloon->owners->balloon);
	uint64_t now = clock_ns();

	if (actual == status->actual || (busy && now - balloon->actual_time < ACTUAL_INTERVAL_NS))
		return;
	balloon_tell_actual(balloon, actual);
	status->actual_writes++;
	balloon->actual_time = now;
}

/* ---- What the host says ---- */

/* Takes all that the host has finished; says what is wrong with it. */
static enum balloon_fault take_finished(struct balloon *balloon)
{
	enum balloon_fault fault = balloon->fault;
	uint64_t now_awake = clock_awake_ns();

	if (fault == BALLOON_OK)
		fault = balloon->port->take_finished();
	if (fault == BALLOON_OK && balloon_is_overdue(balloon_sent_awake(balloon), now_awake))
		fault = BALLOON_FAULT_SILENT;
	/* A host that asks for a reset owes no answers, but those that it gave must be right. */
	if (fault != BALLOON_OK && fault != BALLOON_FAULT_RULES &&
	    fault != BALLOON_FAULT_ALL_OURS && balloon->port->wants_reset &&
	    balloon->port->wants_reset())
		fault = BALLOON_FAULT_RESET_WANTED;
	return fault;
}

static enum balloon_fault read_target(struct balloon *balloon)
{
	uint64_t before = balloon->status.target, target = before;
	enum balloon_fault fault;

	/* Before the target is read: a change after that is not missed. */
	balloon->nudged = false;
	/* Leaving frames are not the host's: one that asks by deltas still asks for them. */
	fault = balloon->port->read_target(ledger_count(balloon->owners->balloon) +
						   balloon_batches_inflating(&balloon->batches),
					   &target);
	balloon->status.target = balloon->removing ? 0 : target;
	/* Asked for something else, it may be of another mind about single frames, too. */
	if (balloon->status.target != before) {
		balloon_record(balloon, BALLOON_EVENT_TARGET, balloon->status.target, before);
		balloon_refusal_forgive(&balloon->refusal);
	}
	return fault;
}

/* ---- One round, and the task ---- */

static bool step(struct balloon *balloon)
{
	enum balloon_fault fault;
	bool busy, more;
	uint64_t offered;

	if (!balloon_is_alive(balloon))
		return false;
	fault = take_finished(balloon);
	if (fault == BALLOON_OK)
		fault = read_target(balloon);
	if (fault != BALLOON_OK) {
		if (fault == BALLOON_FAULT_RESET_WANTED || fault == BALLOON_FAULT_ALL_OURS)
			balloon_recover(balloon, fault);
		else
			balloon_give_up(balloon, fault);
		return balloon_is_alive(balloon);
	}
	offered = offer(balloon);
	more = balloon->port->work && balloon->port->work(balloon_floor());
	busy = offered > 0 || balloon_batches_sent_awake(&balloon->batches) != DEADLINE_NEVER ||
	       ledger_count(balloon->owners->leaving) > 0;
	write_actual(balloon, busy);
	if (!busy)
		end_move(balloon);
	if (!busy && balloon_ranges_lend(&balloon->ranges))
		return true;
	/* The offer may have lacked what the host has finished meanwhile. */
	return more || (offered > 0 && balloon_batches_room(&balloon->batches) > 0) ||
	       balloon_has_news(balloon);
}

bool balloon_step(void)
{
	bool more = false;

	for (struct balloon *balloon = balloons; balloon < BALLOONS_END; balloon++)
		more |= step(balloon);
	return more;
}

static void balloon_task(void *arg)
{
	struct balloon *balloon = arg;

	/* That of an earlier host, which had not run yet, serves this one. */
	if (balloon->task_running)
		return;
	balloon->task_running = true;
	/* All others have had their turn up to now. */
	balloon->turn_end = clock_ns();
	while (balloon_is_alive(balloon) && !balloon->removing) {
		if (step(balloon))
			balloon_yield(balloon);
		else if (balloon_is_alive(balloon) && !balloon->removing)
			balloon_wait_for_news(balloon);
	}
	balloon->task_running = false;
}

/* ---- The end ---- */

void balloon_init(const struct balloon_config *config)
{
	balloon_vacate_forget();
	balloon_config = *config;
}

/* Every wait for the host in there is bounded, and so is this one. */
static void stop_task(struct balloon *balloon)
{
	while (balloon->task_running) {
		balloon_nudge(balloon);
		task_sleep_until(clock_ns() + NS_PER_MS);
	}
}

static bool has_frames(struct balloon *balloon)
{
	return balloon_frames_given(balloon) > 0 ||
	       balloon_batches_sent_awake(&balloon->batches) != DEADLINE_NEVER;
}

/* The target is 0 now; a batch that is not answered in time ends it, and so does a refusal. */
static void deflate_all(struct balloon *balloon)
{
	/* For what was refused for the last target the host may be of another mind, too. */
	balloon_refusal_forgive(&balloon->refusal);
	while (balloon_is_alive(balloon) && has_frames(balloon) && balloon->port->deflate &&
	       balloon_refusal_pause_end(&balloon->refusal) == 0) {
		if (step(balloon))
			balloon_yield(balloon);
		else if (balloon_is_alive(balloon) && has_frames(balloon))
			balloon_wait_for_news(balloon);
	}
}

static void stop(struct balloon *balloon)
{
	int err;

	if (!balloon->status.present)
		return;
	balloon_record(balloon, BALLOON_EVENT_PULLED, ledger_count(balloon->owners->balloon), 0);
	balloon->status.present = false;
	balloon->running = false;
	err = balloon->port->reset();
	if (err == -ETIMEDOUT || err == -EBUSY) {
		/* The next host has never had what this one keeps. */
		balloon_refusal_forgive(&balloon->refusal);
		balloon_free_all(balloon->owners->leaving);
		balloon_forsake_all(balloon);
	} else {
		balloon_take_back_all(balloon);
	}
}

static void detach(struct balloon *balloon)
{
	balloon->removing = true;
	stop_task(balloon);
	deflate_all(balloon);
	step(balloon); /* `actual` is 0 now */
	stop(balloon);
	balloon_forget(balloon);
}

void balloon_detach(const struct balloon_port *port)
{
	struct balloon *balloon = balloon_of(port);

	/* One that comes, or goes already, is left to whoever is at it. */
	if (balloon && !balloon->attaching && !balloon->removing)
		detach(balloon);
}

/* ---- The start with a host ---- */

static int create_task(struct balloon *balloon)
{
	int err = task_create(balloon->label, TASK_PRIORITY_DRIVER, balloon_task, balloon);

	if (!err)
		return 0;
	/* Nobody lets the host go meanwhile. */
	balloon->task_running = true;
	balloon_give_up(balloon, BALLOON_FAULT_NO_TASK);
	balloon->task_running = false;
	return err;
}

/* A new balloon, for this port; its batches and ranges know nothing of the rest. */
static void begin(struct balloon *balloon, const struct balloon_port *port)
{
	struct balloon_batches *batches = &balloon->batches;
	struct balloon_ranges *ranges = &balloon->ranges;

	balloon_forget(balloon);
	balloon->port = port;
	snprintf(balloon->name, sizeof(balloon->name), "%s", port->name);
	batches->port = port;
	batches->terms = &balloon->terms;
	batches->owners = balloon->owners;
	batches->refusal = &balloon->refusal;
	balloon_batches_begin(batches);
	ranges->port = port;
	ranges->terms = &balloon->terms;
	ranges->leaving_owner = balloon->owners->leaving;
	balloon_ranges_begin(ranges);
}

static int start(struct balloon *balloon)
{
	int err;

	if (balloon->port->forget)
		balloon->port->forget();
	err = balloon_start_port(balloon);
	if (err)
		return err;
	balloon->status.present = true;
	balloon_record(balloon, BALLOON_EVENT_PLUGGED, balloon->terms.deflate_on_oom,
		       balloon->terms.ranges);
	err = create_task(balloon);
	if (err)
		balloon->status.present = false;
	return err;
}

/* Tells whether another host can have the balloon: it was given up. */
static bool is_left(const struct balloon *balloon)
{
	return balloon->status.present && balloon->status.broken && !balloon->attaching &&
	       !balloon->removing;
}

/* The port's own, if it was given up; else one that nobody has; else one that was given up. */
static struct balloon *choose(const struct balloon_port *port)
{
	struct balloon *own = balloon_of(port);

	if (own)
		return is_left(own) ? own : NULL;
	for (struct balloon *balloon = balloons; balloon < BALLOONS_END; balloon++)
		if (!balloon_is_taken(balloon))
			return balloon;
	for (struct balloon *balloon = balloons; balloon < BALLOONS_END; balloon++)
		if (is_left(balloon))
			return balloon;
	return NULL;
}

int balloon_attach(const struct balloon_port *port, struct wait_queue *waiters)
{
	struct balloon *balloon = choose(port);
	int err;

	assert(port->start && port->terms && port->reset && port->give_up);
	assert(port->take_finished && port->read_target && port->inflate);
	if (!balloon)
		return -EBUSY;
	/* One that was given up leaves first, with all that is its own. */
	if (balloon->status.present)
		detach(balloon);
	begin(balloon, port);
	balloon->waiters = waiters ? waiters : &balloon->own_waiters;
	balloon->attaching = true;
	err = start(balloon);
	balloon->attaching = false;
	return err;
}

/* ---- The start with a host that was given up ---- */

int balloon_retry(struct balloon *balloon, const char **why)
{
	int err;

	*why = "there is no device";
	if (!balloon->status.present)
		return -ENODEV;
	*why = "the device is in use: there is nothing to retry";
	if (balloon_is_alive(balloon))
		return -EALREADY;
	*why = "it is being reset, or goes";
	if (balloon->task_running || balloon->removing)
		return -EBUSY;
	/* Nobody lets the host go meanwhile. */
	balloon->task_running = true;
	err = balloon_revive(balloon, why);
	balloon->task_running = false;
	if (err || balloon->removing)
		return err;
	err = create_task(balloon);
	*why = balloon->status.broken;
	return err;
}

int balloon_resume(const struct balloon_port *port)
{
	const char *why;

	assert(balloon_is_attached(port));
	return balloon_retry(balloon_of(port), &why);
}
