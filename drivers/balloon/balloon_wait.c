/* SPDX-License-Identifier: BSD-2-Clause */
/* The deadlines of the balloon's task; see balloon_wait.h. */
#include "drivers/balloon/balloon_wait.h"

#include <assert.h>

#include "arch/barrier.h"
#include "arch/clock.h"
#include "arch/irq.h"
#include "drivers/balloon/balloon_batch.h"
#include "drivers/balloon/balloon_ranges.h"
#include "drivers/balloon/balloon_refusal.h"
#include "drivers/balloon/balloon_state_internal.h"
#include "kernel/task/task.h"

/* While the floor is in the way, the free memory is looked at this often. */
#define RETRY_NS (NS_PER_S / 10)

/* Without any interrupt the target is read this often. */
#define IDLE_NS NS_PER_S

_Static_assert(RETRY_NS < IDLE_NS && IDLE_NS < BALLOON_DEADLINE_NS,
	       "a look is never an overdue one");

uint64_t balloon_waiting_since(void)
{
	uint64_t since = min_u64(balloon_batches_waiting_since(), balloon_ranges_waiting_since());

	return balloon.port->waiting_since ? min_u64(since, balloon.port->waiting_since()) : since;
}

bool balloon_answer_is_overdue(void)
{
	uint64_t since = balloon_waiting_since();

	return since != DEADLINE_NEVER && clock_ns() - since > BALLOON_DEADLINE_NS;
}

bool balloon_has_news(void)
{
	return balloon.nudged || (balloon.port->has_news && balloon.port->has_news());
}

static uint64_t next_look(void)
{
	uint64_t now = clock_ns(), since = balloon_waiting_since();
	uint64_t look = balloon.port->next_look ? balloon.port->next_look() : DEADLINE_NEVER;
	uint64_t pause_end = balloon_refusal_pause_end();

	if (since != DEADLINE_NEVER)
		return min_u64(look, since + BALLOON_DEADLINE_NS + 1);
	look = min_u64(min_u64(look, balloon_ranges_next()), now + IDLE_NS);
	if (now < balloon.hold_off_end)
		return min_u64(look, balloon.hold_off_end);
	if (pause_end > 0)
		return min_u64(look, pause_end);
	return balloon_frames_short() > 0 ? min_u64(look, now + RETRY_NS) : look;
}

static void want_interrupts(bool wanted)
{
	if (balloon.port->want_interrupts)
		balloon.port->want_interrupts(wanted);
}

void balloon_wait_for_news(void)
{
	/* A task that is owed an answer is seen waiting for a device. */
	bool owed = balloon_waiting_since() != DEADLINE_NEVER;
	uint64_t deadline = next_look();
	bool woken = true;
	uint64_t flags;

	assert(balloon.running);
	want_interrupts(true);
	/* The wish must be seen before we conclude that there is no news. */
	dma_full_barrier();
	flags = irq_save();
	while (woken && !balloon_has_news())
		woken = owed ? task_wait_device(balloon.waiters, deadline)
			     : task_wait(balloon.waiters, deadline);
	irq_restore(flags);
	want_interrupts(false);
}

void balloon_nudge(void)
{
	assert(balloon.waiters);
	balloon.nudged = true;
	task_wake(balloon.waiters);
}
