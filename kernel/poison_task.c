/* SPDX-License-Identifier: BSD-2-Clause */
/* 64 frames a turn, so that what comes meanwhile waits for a fraction of a millisecond. */
#include "kernel/poison_task.h"

#include "arch/clock.h"
#include "arch/irq.h"
#include "kernel/lib/log.h"
#include "kernel/task/task.h"
#include "mm/frame.h"

/* Blocks that are freed come in crowds: whoever frees them has better use for the machine. */
#define QUIET_NS (50 * NS_PER_MS)

static struct wait_queue waiters;

static void wake(void)
{
	task_wake(&waiters);
}

static void wait_unfilled(void)
{
	uint64_t flags = irq_save();

	while (!frame_has_unfilled())
		task_wait(&waiters, DEADLINE_NEVER);
	irq_restore(flags);
}

/* Waits until no block has become free for a while; returns the count that says so. */
static uint64_t wait_quiet(void)
{
	uint64_t events;

	do {
		events = frame_unreported_events();
		task_sleep_until(clock_ns() + QUIET_NS);
	} while (events != frame_unreported_events());
	return events;
}

static void fill(void *arg)
{
	(void)arg;
	for (;;) {
		uint64_t events;

		wait_unfilled();
		events = wait_quiet();
		while (events == frame_unreported_events() && frame_fill_step())
			task_yield();
	}
}

void poison_task_start(void)
{
	if (task_create("poison", TASK_PRIORITY_BACKGROUND, fill, NULL)) {
		log_warn("poison: no task; free memory is filled when it is allocated");
		return;
	}
	frame_set_unfilled_hook(wake);
}
