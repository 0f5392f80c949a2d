/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * virtio-mem devices (virtio 1.3, 5.15): a small table of them, their start, their tasks and
 * their end. Regions are announced in the order of their addresses, so those of the boot wait
 * for each other.
 */
#include "drivers/mem/virtio_mem.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "arch/clock.h"
#include "drivers/mem/mem_events.h"
#include "drivers/mem/mem_leave.h"
#include "drivers/mem/mem_lost.h"
#include "drivers/mem/virtio_mem_internal.h"
#include "kernel/lib/log.h"
#include "kernel/task/task.h"
#include "mm/frame.h"
#include "mm/memory_region.h"

struct virtio_mem virtio_mem_devices[VIRTIO_MEM_DEVICES];
static bool begun; /* regions are announced as soon as they are found */

/* ---- The table ---- */

/* What is left of a device that was pulled out keeps its place. */
static bool is_taken(const struct virtio_mem *mem)
{
	return mem->device || mem->announced;
}

/* Finds the place of a device; with NULL a free one; or NULL. */
static struct virtio_mem *find(const struct virtio_device *device)
{
	for (size_t i = 0; i < VIRTIO_MEM_DEVICES; i++)
		if (device ? virtio_mem_devices[i].device == device
			   : !is_taken(&virtio_mem_devices[i]))
			return &virtio_mem_devices[i];
	return NULL;
}

static void forget(struct virtio_mem *mem)
{
	/* A task that has not seen yet that its device is gone ends by itself. */
	assert(!mem->task_running);
	memset(mem, 0, sizeof(*mem));
}

/* ---- A task for each ---- */

static void mem_task(void *arg)
{
	struct virtio_mem *mem = arg;

	/* That of an earlier device in this place, which had not run yet, serves this one. */
	if (mem->task_running)
		return;
	mem->task_running = true;
	while (mem->running && !mem->removing) {
		if (virtio_mem_step(mem))
			task_yield();
		else if (mem->running && !mem->removing)
			virtio_mem_wait(mem);
	}
	mem->task_running = false;
}

/* Every wait for the device in there is bounded, and so is this one. */
static void stop_task(struct virtio_mem *mem)
{
	mem->removing = true;
	while (mem->task_running) {
		task_wake(&mem->device->interrupts);
		task_sleep_until(clock_ns() + NS_PER_MS);
	}
}

/* ---- The start ---- */

/* The device is not used, and one line has said why. */
static void drop(struct virtio_mem *mem)
{
	virtio_mem_refuse(mem);
	virtio_mem_queue_forsake(&mem->queue);
	forget(mem);
}

static void announce(struct virtio_mem *mem)
{
	const struct frame_region_part *part = &mem->source.part;

	if (virtio_mem_announce(mem->source.name, &mem->config, part)) {
		drop(mem);
		return;
	}
	mem_event(MEM_EVENT_ANNOUNCED, part->start, part->blocks * BLOCK_FRAMES);
	mem->announced = true;
	mem_source_add(&mem->source);
	log_info("virtio-mem: %s: up to %" PRIu64 " MiB from 0x%" PRIx64
		 " on, in blocks of %" PRIu64 " KiB",
		 mem->source.name, part->blocks * BLOCK_SIZE / MIB, pfn_to_paddr(part->start),
		 mem->config.block_size / KIB);
	if (task_create("virtio-mem", TASK_PRIORITY_DRIVER, mem_task, mem)) {
		mem->running = false;
		virtio_break(mem->device, "no task for the memory device");
		mem->source.trouble = mem->device->broken;
		virtio_mem_queue_stop(&mem->queue);
	}
}

static int probe(struct virtio_device *device)
{
	struct virtio_mem *mem = find(NULL);
	int err;

	/* It is probed again. */
	if (find(device))
		return 0;
	if (!mem) {
		log_warn("virtio-mem: %s: not used: there are %d of them already", device->address,
			 VIRTIO_MEM_DEVICES);
		return -ENOSPC;
	}
	forget(mem);
	mem->device = device;
	mem->reached = true;
	mem->refused = PFN_NONE;
	mem->source.kind = "virtio-mem";
	memcpy(mem->source.name, device->address, sizeof(mem->source.name));
	err = virtio_mem_run_device(mem);
	if (err) {
		virtio_mem_queue_forsake(&mem->queue);
		forget(mem);
		return err;
	}
	mem->next = mem->source.part.start;
	mem->unknown = mem->config.plugged > 0;
	if (begun)
		announce(mem);
	return mem->device ? 0 : -EINVAL;
}

void virtio_mem_begin(void)
{
	struct virtio_mem *lowest;

	begun = true;
	do {
		lowest = NULL;
		for (size_t i = 0; i < VIRTIO_MEM_DEVICES; i++) {
			struct virtio_mem *mem = &virtio_mem_devices[i];

			if (mem->device && !mem->announced &&
			    (!lowest || mem->source.part.start < lowest->source.part.start))
				lowest = mem;
		}
		if (lowest)
			announce(lowest);
	} while (lowest);
}

/* ---- The end ---- */

/* What was claimed is the host's: the device is reset, or gone. */
static void let_claimed_go(struct virtio_mem *mem)
{
	const struct frame_region_part *part = &mem->source.part;
	pfn_t end = frame_region_part_end(part);
	pfn_t pfn = part->start;

	while (frame_find(OWNER_UNPLUGGED, pfn, end, &pfn)) {
		size_t max = (size_t)((end - pfn) / BLOCK_FRAMES);
		size_t blocks = frame_count_blocks(pfn, max, OWNER_UNPLUGGED);

		virtio_mem_leave(mem, pfn, blocks);
	}
}

/*
 * Returns whether what is left of the device's memory is of no use to anybody; else the device
 * may have it still.
 */
static bool let_go(struct virtio_mem *mem)
{
	mem_event(MEM_EVENT_PULLED, mem->source.part.start, mem->source.plugged);
	mem_leave_end(&mem->source);
	if (virtio_reset(mem->device) == -ETIMEDOUT) {
		mem->source.trouble = "its device was pulled out without an end";
		return false;
	}
	let_claimed_go(mem);
	virtio_mem_record(mem);
	mem_lost_look(&mem->source);
	mem->source.trouble = "its device was pulled out";
	return true;
}

/* What is left of a device that was pulled out: its users may free it some time. */
static void lost_task(void *arg)
{
	struct virtio_mem *mem = arg;

	while (mem->source.plugged > 0) {
		task_sleep_until(task_next_look(clock_ns()));
		mem_lost_look(&mem->source);
	}
	log_info("virtio-mem: %s: nothing of what was pulled out is in use any more",
		 mem->source.name);
	mem_source_remove(&mem->source);
	forget(mem);
}

static void remove_device(struct virtio_device *device)
{
	struct virtio_mem *mem = find(device);
	bool lost;

	if (!mem)
		return;
	stop_task(mem);
	mem->running = false;
	lost = mem->announced && let_go(mem);
	virtio_mem_queue_forsake(&mem->queue);
	if (mem->source.plugged == 0) {
		if (mem->announced)
			mem_source_remove(&mem->source);
		forget(mem);
		return;
	}
	log_warn("virtio-mem: %s: pulled out with %" PRIu64 " MiB in use, which cannot be replaced",
		 mem->source.name, mem->source.plugged * FRAME_SIZE / MIB);
	mem->device = NULL;
	mem->source.requested = 0;
	/* Without a task it stays as it is. */
	if (lost)
		task_create("virtio-mem", TASK_PRIORITY_DRIVER, lost_task, mem);
}

#define FEATURE_NAME(constant, bit, name) { bit, name },

static const struct virtio_feature_name feature_names[] = {
	VIRTIO_MEM_FEATURES(FEATURE_NAME){ 0, NULL },
};

static struct virtio_driver driver = {
	.type = VIRTIO_ID_MEM,
	.feature_names = feature_names,
	.probe = probe,
	.remove = remove_device,
};

void virtio_mem_start(void)
{
	memset(virtio_mem_devices, 0, sizeof(virtio_mem_devices));
	begun = false;
	virtio_register_driver(&driver);
}
