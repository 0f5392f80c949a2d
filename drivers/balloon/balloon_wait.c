/* SPDX-License-Identifier: BSD-2-Clause */
/* The deadlines of the balloon's task; see balloon_wait.h. */
#include "drivers/balloon/balloon_wait.h"

#include <assert.h>

#include "arch/clock.h"
#include "arch/irq.h"
#include "drivers/balloon/balloon.h"
#include "drivers/balloon/balloon_batch.h"
#include "drivers/balloon/balloon_ranges.h"
#include "drivers/balloon/balloon_refusal.h"
#include "drivers/balloon/balloon_state_internal.h"
#include "kernel/task/task.h"

/* While the floor is in the way, the free memory is looked at this often. */
#define RETRY_NS (NS_PER_S / 10)

/* Without any interrupt the target is read this often. */
#define IDLE_NS TASK_LOOK_NS

/* The host has a turn of at least this length, this often. */
#define TURN_NS (NS_PER_MS / 10)
#define TURN_EVERY_NS (5 * NS_PER_MS)

_Static_assert(DEADLINE_NEVER == UINT64_MAX, "it comes after every moment");
_Static_assert(RETRY_NS < IDLE_NS && IDLE_NS < BALLOON_DEADLINE_NS,
	       "a look is never an overdue one");

uint64_t balloon_sent_awake(const struct balloon *balloon)
{
	uint64_t since = min_u64(balloon_batches_sent_awake(&balloon->batches),
				 balloon_ranges_sent_awake(&balloon->ranges));

	return balloon->port->sent_awake ? min_u64(since, balloon->port->sent_awake()) : since;
}

bool balloon_is_overdue(uint64_t sent_awake, uint64_t now_awake)
{
	return now_awake - min_u64(sent_awake, now_awake) > BALLOON_DEADLINE_NS;
}

bool balloon_has_news(const struct balloon *balloon)
{
	return balloon->nudged || (balloon->port->has_news && balloon->port->has_news());
}

static uint64_t next_look(const struct balloon *balloon)
{
	uint64_t now = clock_ns();
	uint64_t look = balloon->port->next_look ? balloon->port->next_look() : DEADLINE_NEVER;
	uint64_t pause_end = balloon_refusal_pause_end(&balloon->refusal);

	if (balloon_sent_awake(balloon) != DEADLINE_NEVER)
		return min_u64(look, now + CLOCK_AWAKE_LOOK_NS);
	look = min_u64(min_u64(look, balloon_ranges_next(&balloon->ranges)), task_next_look(now));
	if (now < balloon->hold_off_end)
		return min_u64(look, balloon->hold_off_end);
	if (pause_end)
		return min_u64(look, pause_end);
	return balloon_frames_short(balloon) > 0 ? min_u64(look, now + RETRY_NS) : look;
}

static void want_interrupts(const struct balloon *balloon, bool wanted)
{
	if (balloon->port->want_interrupts)
		balloon->port->want_interrupts(wanted);
}

void balloon_wait_for_news(struct balloon *balloon)
{
	/* A task that is owed an answer is seen waiting for a device. */
	bool owed = balloon_sent_awake(balloon) != DEADLINE_NEVER;
	uint64_t deadline = next_look(balloon);
	bool woken = true;
	uint64_t flags;

	assert(balloon->running);
	want_interrupts(balloon, true);
	flags = irq_save();
	while (woken && !balloon_has_news(balloon)) {
		woken = owed ? task_wait_device(balloon->waiters, deadline)
			     : task_wait(balloon->waiters, deadline);
		balloon->turn_end = clock_ns();
	}
	irq_restore(flags);
	want_interrupts(balloon, false);
}

void balloon_yield(struct balloon *balloon)
{
	uint64_t now = clock_ns();

	if (!balloon->terms.needs_turns || now - balloon->turn_end < TURN_EVERY_NS) {
		task_yield();
		return;
	}
	task_sleep_until(now + TURN_NS);
	balloon->turn_end = clock_ns();
}

void balloon_nudge(struct balloon *balloon)
{
	assert(balloon->waiters);
	balloon->nudged = true;
	task_wake(balloon->waiters);
}

void balloon_try_again(void)
{
	for (struct balloon *balloon = balloons; balloon < BALLOONS_END; balloon++)
		if (balloon_is_alive(balloon) && balloon->waiters)
			balloon_nudge(balloon);
}
