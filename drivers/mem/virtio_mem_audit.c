/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Whether a virtio-mem device and the frame map agree on what is plugged, asked by STATE
 * requests (virtio 1.3, 5.15.6.6) after anything that leaves a doubt. One request is on its
 * way at a time here.
 */
#include <assert.h>
#include <errno.h>
#include <inttypes.h>

#include "arch/clock.h"
#include "arch/irq.h"
#include "drivers/mem/virtio_mem_internal.h"
#include "kernel/lib/log.h"
#include "kernel/task/task.h"
#include "mm/frame.h"

/* ---- One question ---- */

bool virtio_mem_is_overdue(const struct virtio_mem *mem)
{
	uint64_t now_awake = clock_awake_ns();
	uint64_t sent_awake = min_u64(virtio_mem_sent_awake(&mem->queue), now_awake);

	return now_awake - sent_awake > VIRTIO_DEADLINE_NS;
}

static void wait_for_answer(struct virtio_mem *mem)
{
	struct virtq *virtq = mem->queue.virtq;
	uint64_t deadline = clock_ns() + CLOCK_AWAKE_LOOK_NS;
	uint64_t flags;

	virtq_set_interrupts(virtq, true);
	flags = irq_save();
	while (!virtq_has_used(virtq) && task_wait_device(&mem->device->interrupts, deadline))
		;
	irq_restore(flags);
	virtq_set_interrupts(virtq, false);
}

int virtio_mem_ask(struct virtio_mem *mem, enum virtio_mem_type type, paddr_t start, uint64_t bytes,
		   struct virtio_mem_request *request)
{
	int got;

	assert(mem->queue.count == 0);
	if (virtio_mem_send(&mem->queue, type, start, bytes))
		return -EIO;
	virtio_mem_kick(&mem->queue);
	while ((got = virtio_mem_take(&mem->queue, request)) == 0) {
		if (virtio_mem_is_overdue(mem))
			return -ETIMEDOUT;
		wait_for_answer(mem);
	}
	return got < 0 ? got : 0;
}

/* ---- The audit ---- */

struct audit {
	struct virtio_mem *mem;
	const char **why;
	uint64_t asked;
	uint64_t amended; /* bytes of which device and books did not say the same */
};

static int contradiction(struct audit *audit, const char *why)
{
	*audit->why = why;
	return -EPROTO;
}

/* -EAGAIN, -EPROTO, -EIO, -ETIMEDOUT: as virtio_mem_audit(). */
static int ask(struct audit *audit, enum virtio_mem_type type, paddr_t start, uint64_t bytes,
	       enum virtio_mem_state *state)
{
	struct virtio_mem_request request;
	int err;

	/* Others have their turn, even if the device answers at once. */
	if (++audit->asked % 64 == 0)
		task_yield();
	if (audit->mem->removing)
		return -EAGAIN;
	err = virtio_mem_ask(audit->mem, type, start, bytes, &request);
	if (err)
		return err;
	if (request.answer == VIRTIO_MEM_BUSY)
		return -EAGAIN;
	if (request.answer != VIRTIO_MEM_ACK)
		return contradiction(audit, type == VIRTIO_MEM_STATE
						    ? "it does not tell the state of its blocks"
						    : "it does not unplug what it says is plugged");
	if (type == VIRTIO_MEM_STATE)
		*state = request.state;
	return 0;
}

/* What is claimed is answered for unit by unit. */
static int settle_claimed(struct audit *audit, enum virtio_mem_state state, paddr_t start,
			  uint64_t bytes)
{
	pfn_t pfn = paddr_to_pfn(start);
	size_t blocks = (size_t)(bytes / BLOCK_SIZE);

	if (state == VIRTIO_MEM_MIXED)
		return contradiction(audit, "it has plugged a part of a block");
	audit->amended += bytes;
	if (state == VIRTIO_MEM_PLUGGED)
		virtio_mem_keep(audit->mem, pfn, blocks);
	else
		virtio_mem_leave(audit->mem, pfn, blocks);
	return 0;
}

static int settle_absent(struct audit *audit, enum virtio_mem_state state, paddr_t start,
			 uint64_t bytes)
{
	if (state == VIRTIO_MEM_UNPLUGGED)
		return 0;
	if (state == VIRTIO_MEM_MIXED)
		return contradiction(audit, "it has plugged a part of a block");
	audit->amended += bytes;
	return ask(audit, VIRTIO_MEM_UNPLUG, start, bytes, NULL);
}

/* Compares a run of one kind with what the device says of it, half by half if it must be. */
static int compare(struct audit *audit, enum owner owner, paddr_t start, uint64_t bytes)
{
	const struct virtio_mem *mem = audit->mem;
	/* Blocks of the device's that are smaller than ours matter only where nothing is ours. */
	uint64_t least = owner == OWNER_ABSENT ? mem->config.block_size
					       : mem->source.part.unit * BLOCK_SIZE;
	enum virtio_mem_state state = VIRTIO_MEM_MIXED;
	uint64_t half = align_down(bytes / 2, least);
	int err = ask(audit, VIRTIO_MEM_STATE, start, bytes, &state);

	if (err)
		return err;
	if (owner != OWNER_ABSENT && owner != OWNER_UNPLUGGED)
		return state == VIRTIO_MEM_PLUGGED
			       ? 0
			       : contradiction(audit, "it says that memory in use is not there");
	if (state == VIRTIO_MEM_MIXED && half > 0) {
		err = compare(audit, owner, start, half);
		return err ? err : compare(audit, owner, start + half, bytes - half);
	}
	return owner == OWNER_ABSENT ? settle_absent(audit, state, start, bytes)
				     : settle_claimed(audit, state, start, bytes);
}

/* Absent, claimed, or anything else: which is OWNER_FREE here. */
static enum owner kind_of(pfn_t pfn)
{
	enum owner owner = frame_owner(pfn);

	return owner == OWNER_ABSENT || owner == OWNER_UNPLUGGED ? owner : OWNER_FREE;
}

static int compare_all(struct audit *audit)
{
	const struct virtio_mem *mem = audit->mem;
	uint64_t step = mem->source.part.unit * BLOCK_FRAMES;
	uint64_t most = virtio_mem_blocks_max(mem) * BLOCK_FRAMES;
	pfn_t end = virtio_mem_usable_end(mem);
	pfn_t next;

	for (pfn_t pfn = mem->source.part.start; pfn < end; pfn = next) {
		enum owner kind = kind_of(pfn);
		int err;

		for (next = pfn + step; next < end && next - pfn + step <= most; next += step)
			if (kind_of(next) != kind)
				break;
		err = compare(audit, kind, pfn_to_paddr(pfn), (next - pfn) * FRAME_SIZE);
		if (err)
			return err;
	}
	return 0;
}

/* Tells whether something of ours lies where the device has no usable memory any more. */
static bool has_beyond(const struct virtio_mem *mem)
{
	const struct frame_region_part *part = &mem->source.part;
	pfn_t end = frame_region_part_end(part);

	return frame_region_find(virtio_mem_usable_end(mem), end, false) < end;
}

int virtio_mem_audit(struct virtio_mem *mem, const char **why)
{
	struct audit audit = { .mem = mem, .why = why };
	int err;

	if (mem->source.plugged > 0 && has_beyond(mem))
		return contradiction(&audit, "it says that memory in use is not usable");
	err = compare_all(&audit);
	virtio_mem_record(mem);
	if (!err)
		mem->next = mem->source.part.start;
	if (audit.amended > 0 && !mem->doubt_named) {
		mem->doubt_named = true;
		log_info("virtio-mem: %s: asked for the state of its blocks: %" PRIu64
			 " MiB were in doubt",
			 mem->source.name, audit.amended / MIB);
	}
	return err;
}
