/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Requests to a disk: from their submission, in as many parts as the device wants, to their
 * end; waiting for them; and how a disk breaks. Everything here but the waits and a reset that may
 * sleep can be called while the calling task must not sleep.
 */
#include <assert.h>
#include <errno.h>

#include "arch/clock.h"
#include "arch/cpu.h"
#include "arch/irq.h"
#include "drivers/block/block_internal.h"
#include "kernel/task/task.h"

/* A flush takes as long as the host's disk needs for all that its cache holds. */
#define FLUSH_DEADLINE_NS (60 * NS_PER_S)

_Static_assert(BLOCK_DEADLINE_NS == 2 * NS_PER_S, "people are told so");

/* ---- The end of a disk ---- */

void block_request_break(struct block_disk *disk, const char *why)
{
	if (disk->broken)
		return;
	virtio_distrust(disk->device, why);
	disk->broken = disk->device->broken;
	/* Its task resets it. */
	task_wake(&disk->device->interrupts);
	task_wake(&disk->finished);
}

void block_request_judge(struct block_disk *disk, uint64_t now_awake)
{
	uint64_t most_ns = disk->flushes > 0 ? FLUSH_DEADLINE_NS : BLOCK_DEADLINE_NS;

	/* It may have answered after that moment. */
	if (disk->in_flight == 0 || now_awake < disk->answered_awake + most_ns)
		return;
	block_request_break(disk, disk->flushes > 0 ? "it has not answered for a minute"
						    : "it has not answered for 2 s");
}

/* ---- The end of a request ---- */

static void count_bytes(struct block_disk *disk, const struct block_slot *slot)
{
	if (slot->type == VIRTIO_BLK_T_IN)
		disk->read_bytes += slot->bytes;
	else if (slot->type == VIRTIO_BLK_T_OUT)
		disk->written_bytes += slot->bytes;
}

static void finish(struct block_disk *disk, struct block_slot *slot, int error)
{
	struct block_request *request = slot->request;

	assert(disk->in_flight > 0);
	if (error)
		disk->errors++;
	else
		count_bytes(disk, slot);
	slot->request = NULL;
	disk->in_flight--;
	request->error = error;
	request->done = true;
	if (request->finished)
		request->finished(request);
}

void block_request_end(struct block_disk *disk, bool may_sleep)
{
	int err = may_sleep ? virtio_reset(disk->device) : virtio_reset_here(disk->device);

	assert(disk->broken);
	for (unsigned i = 0; disk->queue && i < BLOCK_SLOTS; i++) {
		struct block_slot *slot = &disk->queue->slot[i];

		if (slot->request)
			finish(disk, slot, err == -ETIMEDOUT ? -EBUSY : -EIO);
	}
	task_wake(&disk->finished);
}

/* ---- Parts of it ---- */

/*
 * The next part of a request always has room: it is no longer a chain than the one before,
 * whose descriptors are free again.
 */
static void send_part(struct block_disk *disk, struct block_slot *slot)
{
	int err = virtio_blk_send(disk, slot);

	/* Else the queue is broken, which the next look finds. */
	assert(err != -ENOSPC);
}

static void take_part(struct block_disk *disk, struct block_slot *slot, int error)
{
	slot->done += slot->part;
	if (!error && slot->done < slot->bytes) {
		send_part(disk, slot);
		return;
	}
	/* Before anybody is told, who may submit the next one at once. */
	block_rate_count(&disk->rate, disk->answered_awake);
	if (disk->in_flight == 1)
		block_rate_idle(&disk->rate, disk->answered_awake);
	finish(disk, slot, error);
}

bool block_poll(struct block_disk *disk)
{
	struct block_slot *slot;
	bool any = false;
	int got, error;

	if (disk->broken)
		return false;
	while ((got = virtio_blk_take(disk, &slot, &error)) > 0) {
		disk->answered_awake = clock_awake_ns();
		take_part(disk, slot, error);
		any = true;
	}
	if (got < 0) {
		block_request_break(disk, "its queue is broken");
		return any;
	}
	if (!any)
		return false;
	virtq_kick(&disk->queue->virtq);
	task_wake(&disk->finished);
	return true;
}

/* ---- Its begin ---- */

static struct block_slot *find_slot(struct block_disk *disk)
{
	struct block_slot *slot = disk->queue->slot;

	while (slot->request)
		slot++;
	assert(slot < disk->queue->slot + BLOCK_SLOTS);
	return slot;
}

void block_request_send(struct block_disk *disk, enum virtio_blk_type type, uint32_t bytes,
			struct block_request *request)
{
	uint64_t now_awake = clock_awake_ns();
	struct block_slot *slot;

	assert(block_has_room(disk));
	slot = find_slot(disk);
	*slot = (struct block_slot){ .request = request, .type = type, .bytes = bytes };
	request->done = false;
	request->error = 0;
	if (disk->in_flight++ == 0) {
		disk->answered_awake = now_awake;
		block_rate_busy(&disk->rate, now_awake);
	}
	send_part(disk, slot);
	virtq_kick(&disk->queue->virtq);
	if (disk->dozing)
		task_wake(&disk->device->interrupts);
}

bool block_has_room(const struct block_disk *disk)
{
	return !disk->broken && disk->in_flight < disk->rate.room && virtio_blk_has_room(disk);
}

int block_submit(struct block_disk *disk, struct block_request *request)
{
	uint64_t pages = block_pages(disk);
	unsigned count = request->count;

	assert(count <= BLOCK_PAGES_MAX);
	if (disk->broken)
		return -EIO;
	if (request->write && !disk->writes)
		return -EROFS;
	if (count == 0 || request->page >= pages || count > pages - request->page)
		return -EINVAL;
	if (!block_has_room(disk))
		return -EAGAIN;
	block_request_send(disk, request->write ? VIRTIO_BLK_T_OUT : VIRTIO_BLK_T_IN,
			   (uint32_t)(count * FRAME_SIZE), request);
	return 0;
}

/* ---- Waiting ---- */

/* The clock by which the disk is judged is looked at often enough. */
static void sleep_a_while(struct block_disk *disk)
{
	task_wait_device(&disk->finished, clock_ns() + CLOCK_AWAKE_LOOK_NS);
}

int block_wait(struct block_disk *disk, struct block_request *request)
{
	uint64_t flags = irq_save();

	while (!request->done)
		sleep_a_while(disk);
	irq_restore(flags);
	return request->error;
}

void block_wait_for_room(struct block_disk *disk)
{
	uint64_t flags;

	block_poll(disk);
	flags = irq_save();
	while (!disk->broken && !block_has_room(disk))
		sleep_a_while(disk);
	irq_restore(flags);
}

int block_wait_here(struct block_disk *disk, struct block_request *request)
{
	while (!request->done) {
		uint64_t now_awake = clock_awake_ns();

		block_poll(disk);
		if (!request->done)
			block_request_judge(disk, now_awake);
		if (disk->broken && !request->done)
			block_request_end(disk, false);
		cpu_relax();
	}
	return request->error;
}

int block_flush(struct block_disk *disk)
{
	struct block_request request = { .write = true };
	int err;

	/* 5.2.5.1: without FLUSH what is done lasts. */
	if (!disk->broken && !disk->can_flush)
		return 0;
	block_wait_for_room(disk);
	if (disk->broken)
		return -EIO;
	disk->flushes++;
	block_request_send(disk, VIRTIO_BLK_T_FLUSH, 0, &request);
	err = block_wait(disk, &request);
	disk->flushes--;
	return err;
}
