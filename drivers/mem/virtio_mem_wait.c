/* SPDX-License-Identifier: BSD-2-Clause */
/* When a virtio-mem device is looked at again, and what wakes its task before. */
#include <assert.h>

#include "arch/clock.h"
#include "arch/irq.h"
#include "drivers/mem/virtio_mem_internal.h"
#include "kernel/task/task.h"

/* While the balloon moves out. */
#define BALLOON_LOOK_NS NS_PER_MS

/* While an answer is owed: no time awake is missed. */
#define OWED_LOOK_NS (CLOCK_AWAKE_STEP_NS / 2)

bool virtio_mem_has_news(const struct virtio_mem *mem)
{
	return mem->removing || mem->device->config_changed || virtq_has_used(&mem->queue.virtq);
}

static uint64_t next_look(const struct virtio_mem *mem)
{
	uint64_t now = clock_ns();

	if (mem->queue.count > 0)
		return now + OWED_LOOK_NS;
	if (mem->waits)
		return now + BALLOON_LOOK_NS;
	if (now < mem->pause_end)
		return min_u64(mem->pause_end, task_next_look(now));
	return task_next_look(now);
}

void virtio_mem_wait(struct virtio_mem *mem)
{
	/* A task that is owed an answer is seen waiting for a device. */
	bool owed = mem->queue.count > 0;
	struct wait_queue *queue = &mem->device->interrupts;
	uint64_t deadline = next_look(mem);
	bool woken = true;
	uint64_t flags;

	assert(mem->running);
	virtq_set_interrupts(&mem->queue.virtq, true);
	flags = irq_save();
	while (woken && !virtio_mem_has_news(mem))
		woken = owed ? task_wait_device(queue, deadline) : task_wait(queue, deadline);
	irq_restore(flags);
	virtq_set_interrupts(&mem->queue.virtq, false);
	/* Without any interrupt the config is read at each look. */
	if (!woken && !owed && !mem->waits)
		mem->changed = true;
}
