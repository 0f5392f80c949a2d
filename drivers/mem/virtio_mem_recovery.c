/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A virtio-mem device from reset to running and back: one that breaks the rules is given up,
 * one that asks for a reset gets it (virtio 1.3, 2.1.2). After each of these every frame has
 * its owner, and none is used that the device may have taken.
 */
#include <errno.h>

#include "arch/clock.h"
#include "drivers/mem/mem_events.h"
#include "drivers/mem/mem_leave.h"
#include "drivers/mem/virtio_mem_internal.h"
#include "kernel/lib/log.h"

/* After so many resets, each of them within this time of the last, a device is given up. */
#define RESETS_IN_A_ROW 5
#define RESETS_APART_NS (10 * NS_PER_S)

#define FEATURE_BIT(constant, bit, name) | VIRTIO_BIT(bit)
#define FEATURES_ALLOWED (0 VIRTIO_MEM_FEATURES(FEATURE_BIT))

void virtio_mem_refuse(struct virtio_mem *mem)
{
	virtio_distrust(mem->device, "its region cannot be used");
	virtio_reset(mem->device);
}

/* Reads and checks the config: of a device that was started before, it is the same. */
static int take_config(struct virtio_mem *mem)
{
	struct virtio_mem_config config;

	if (virtio_mem_read_config(mem->device, &config)) {
		virtio_break(mem->device, "its config is too short");
		return -ENODEV;
	}
	if (mem->source.part.blocks == 0) {
		if (virtio_mem_check_config(mem->source.name, &config, &mem->source.part)) {
			virtio_mem_refuse(mem);
			return -EINVAL;
		}
		mem->config = config;
		mem->config.requested = 0; /* whatever it is, it is news */
		return 0;
	}
	if (config.block_size != mem->config.block_size || config.addr != mem->config.addr ||
	    config.region_size != mem->config.region_size) {
		virtio_break(mem->device, "its region is another one after a reset");
		return -EINVAL;
	}
	return 0;
}

int virtio_mem_run_device(struct virtio_mem *mem)
{
	struct virtio_device *device = mem->device;
	int err = virtio_negotiate(device, FEATURES_ALLOWED);

	if (err)
		return err;
	if (!virtio_has(device, VIRTIO_F_VERSION_1)) {
		virtio_break(device, "a memory device is never a legacy one");
		return -ENOTSUP;
	}
	err = take_config(mem);
	if (err)
		return err;
	err = virtio_mem_queue_start(&mem->queue, device, mem->config.block_size);
	if (err) {
		virtio_break(device, "no queue, or no memory for it");
		virtio_mem_queue_stop(&mem->queue);
		return err;
	}
	virtio_ready(device);
	mem->changed = true;
	mem->running = true;
	return 0;
}

/* What the device was asked for is with it no more: what became of it is not known. */
static void abandon(struct virtio_mem *mem)
{
	virtio_mem_queue_stop(&mem->queue);
	mem->plugging = 0;
	mem->unplugging = 0;
	mem->refused = PFN_NONE;
	virtio_mem_record(mem);
}

/* Frames that it was asked to take stay claimed: nobody knows whether it has. */
void virtio_mem_give_up(struct virtio_mem *mem, const char *why)
{
	mem->running = false;
	mem_event(MEM_EVENT_GAVE_UP, mem->source.part.start, 0);
	mem_leave_end(&mem->source);
	virtio_break(mem->device, why);
	mem->source.trouble = mem->device->broken;
	abandon(mem);
}

/* 2.1.2: what is plugged stays plugged over a reset, and is asked for. */
void virtio_mem_recover(struct virtio_mem *mem)
{
	uint64_t now = clock_ns();

	if (now - mem->reset_time > RESETS_APART_NS)
		mem->resets_in_a_row = 0;
	mem->reset_time = now;
	mem->running = false;
	if (++mem->resets_in_a_row > RESETS_IN_A_ROW) {
		virtio_mem_give_up(mem, "it asks for one reset after the other");
		return;
	}
	if (virtio_reset(mem->device)) {
		virtio_mem_give_up(mem, "it asks for a reset and does not finish it");
		return;
	}
	abandon(mem);
	log_info("virtio-mem: %s: the device asked for a reset, and gets it", mem->source.name);
	if (virtio_mem_run_device(mem)) {
		virtio_mem_give_up(mem, "it cannot be started again");
		return;
	}
	mem->doubt = true;
}
