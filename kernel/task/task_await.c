/* SPDX-License-Identifier: BSD-2-Clause */
/* Waiting for something that happens once, with an end that only time awake brings nearer. */
#include <assert.h>

#include "arch/clock.h"
#include "arch/irq.h"
#include "kernel/task/task.h"

void task_await(struct wait_queue *queue, const bool *happened, uint64_t most_ns)
{
	uint64_t start_awake = clock_awake_ns();
	uint64_t flags = irq_save();

	assert(queue && happened);
	while (!*happened && clock_awake_ns() - start_awake < most_ns)
		task_wait(queue, clock_ns() + CLOCK_AWAKE_LOOK_NS);
	irq_restore(flags);
}
