/* SPDX-License-Identifier: BSD-2-Clause */
/* A block a turn, so that what comes meanwhile waits for about a millisecond. */
#include "kernel/poison_task.h"

#include "arch/clock.h"
#include "arch/irq.h"
#include "kernel/lib/log.h"
#include "kernel/task/task.h"
#include "mm/frame.h"

static struct wait_queue waiters;

static void wake(void)
{
	task_wake(&waiters);
}

static void fill(void *arg)
{
	(void)arg;
	for (;;) {
		uint64_t flags = irq_save();

		while (!frame_has_unfilled())
			task_wait(&waiters, DEADLINE_NEVER);
		irq_restore(flags);
		frame_fill_step();
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
