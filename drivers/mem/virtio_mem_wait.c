/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * When a virtio-mem device is asked or looked at again, because it, or somebody else, is not
 * ready yet, and what wakes its task before.
 */
#include <assert.h>
#include <inttypes.h>

#include "arch/clock.h"
#include "arch/irq.h"
#include "drivers/mem/mem_events.h"
#include "drivers/mem/virtio_mem_internal.h"
#include "kernel/lib/log.h"
#include "kernel/task/task.h"

/* While the balloon moves out. */
#define BALLOON_LOOK_NS NS_PER_MS

/* A device that is busy is asked again after this, and then more and more seldom. */
#define BUSY_LEAST_NS (NS_PER_S / 10)
#define BUSY_MOST_NS (5 * NS_PER_S)

/* So long the balloon may take before it is looked at once a second only. */
#define BALLOON_PATIENCE_NS NS_PER_S

/* ---- When it cannot be had now ---- */

void virtio_mem_pause(struct virtio_mem *mem, const char *why)
{
	mem->pause_end = task_next_look(clock_ns());
	mem->source.trouble = why;
	if (mem->stuck)
		return;
	mem->stuck = true;
	mem_event(MEM_EVENT_STUCK, mem->wanted, mem->source.plugged);
}

void virtio_mem_stay(struct virtio_mem *mem, const char *why)
{
	virtio_mem_pause(mem, why);
	if (mem->said)
		return;
	mem->said = true;
	log_warn("virtio-mem: %s: %" PRIu64 " MiB are requested, and %" PRIu64 " MiB are there: %s",
		 mem->source.name, mem->source.requested * FRAME_SIZE / MIB,
		 mem->source.plugged * FRAME_SIZE / MIB, why);
}

/* Several requests may be answered so at once: that is one time. The event is of the first. */
void virtio_mem_wait_for_busy(struct virtio_mem *mem, enum virtio_mem_type type)
{
	uint64_t now = clock_ns();

	mem->source.trouble = "the device is busy, and is asked again and again";
	if (mem->busy_ns > 0 && now < mem->pause_end)
		return;
	if (mem->busy_ns == 0)
		mem_event(MEM_EVENT_BUSY, type, 0);
	mem->busy_ns = mem->busy_ns > 0 ? min_u64(2 * mem->busy_ns, BUSY_MOST_NS) : BUSY_LEAST_NS;
	mem->pause_end = now + mem->busy_ns;
	/* To say so took it no time, which says nothing about the work. */
	virtio_mem_begin_slowly(mem);
}

/* It moves out at its own pace; but where nothing comes of that it is looked at seldom. */
void virtio_mem_wait_for_balloon(struct virtio_mem *mem, bool sent, const char *why)
{
	uint64_t now = clock_ns();

	if (mem->waits_since == 0 || sent)
		mem->waits_since = now;
	mem->waits = now - mem->waits_since < BALLOON_PATIENCE_NS;
	if (!mem->waits)
		virtio_mem_pause(mem, why);
}

/* ---- Waiting ---- */

bool virtio_mem_has_news(const struct virtio_mem *mem)
{
	return mem->removing || mem->device->config_changed || virtq_has_used(mem->queue.virtq);
}

static uint64_t next_look(const struct virtio_mem *mem)
{
	uint64_t now = clock_ns();

	if (mem->queue.count > 0)
		return now + CLOCK_AWAKE_LOOK_NS;
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
	virtq_set_interrupts(mem->queue.virtq, true);
	flags = irq_save();
	while (woken && !virtio_mem_has_news(mem))
		woken = owed ? task_wait_device(queue, deadline) : task_wait(queue, deadline);
	irq_restore(flags);
	virtq_set_interrupts(mem->queue.virtq, false);
	/* Without any interrupt the config is read at each look. */
	if (!woken && !owed && !mem->waits)
		mem->changed = true;
}
