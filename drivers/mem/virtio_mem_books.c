/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a virtio-mem device's answers do to the frame map, and what is read there: whether a
 * block is plugged is known by its owner, and nowhere else.
 */
#include <assert.h>

#include "drivers/mem/mem_events.h"
#include "drivers/mem/virtio_mem_internal.h"
#include "mm/frame.h"
#include "mm/memory_region.h"

/* The most that is asked for at once: the console has its turn in between. */
#define REQUEST_BLOCKS 2048

/*
 * A device may do all of it within the notification, and then nobody else runs. 4 GiB of
 * anonymous memory that was touched leave in some 10 ms, but 64 MiB of shared memory take as
 * long. So it begins with 256 MiB, and goes by how long that took.
 */
#define FIRST_BLOCKS 128
#define LEAST_BLOCKS 8
#define KICK_SHORT_NS (5 * NS_PER_MS)
#define KICK_LONG_NS (20 * NS_PER_MS)

/* The most blocks of the device's in a request (5.15.6). */
#define NB_BLOCKS_MAX UINT16_MAX

/* ---- Events: blocks that lie together are one ---- */

void virtio_mem_record(struct virtio_mem *mem)
{
	struct virtio_mem_run *run = &mem->run;

	if (run->frames > 0 && run->recorded++ < VIRTIO_MEM_RECORDED)
		mem_event(run->left ? MEM_EVENT_LEFT : MEM_EVENT_PLUGGED, run->start, run->frames);
	run->frames = 0;
}

static void note(struct virtio_mem *mem, bool left, pfn_t pfn, uint64_t frames)
{
	struct virtio_mem_run *run = &mem->run;
	bool above = pfn == run->start + run->frames;
	bool below = pfn + frames == run->start;

	if (run->left != left || run->frames == 0 || (!above && !below)) {
		virtio_mem_record(mem);
		run->left = left;
		run->start = pfn;
	} else if (below) {
		run->start = pfn;
	}
	run->frames += frames;
}

/* ---- Blocks ---- */

void virtio_mem_come(struct virtio_mem *mem, pfn_t pfn, size_t blocks)
{
	int err = memory_region_plug(pfn, blocks);

	/* Nobody else plugs there, and each request was about absent blocks. */
	assert(!err);
	mem->source.plugged += blocks * BLOCK_FRAMES;
	note(mem, false, pfn, blocks * BLOCK_FRAMES);
}

void virtio_mem_leave(struct virtio_mem *mem, pfn_t pfn, size_t blocks)
{
	int err = memory_region_leave(pfn, blocks);

	assert(!err && mem->source.plugged >= blocks * BLOCK_FRAMES);
	mem->source.plugged -= blocks * BLOCK_FRAMES;
	mem->next = min_u64(mem->next, pfn);
	note(mem, true, pfn, blocks * BLOCK_FRAMES);
}

void virtio_mem_keep(struct virtio_mem *mem, pfn_t pfn, size_t blocks)
{
	memory_region_keep(pfn, blocks);
	virtio_mem_record(mem);
	/* One that asks to be asked again does so for as long as it migrates. */
	if (mem->claims <= VIRTIO_MEM_RECORDED)
		mem_event(MEM_EVENT_KEPT, pfn, blocks * BLOCK_FRAMES);
}

/* Returns so many blocks, or fewer, as whole units. */
static size_t whole_units(const struct virtio_mem *mem, uint64_t blocks)
{
	size_t unit = mem->source.part.unit;

	return (size_t)max_u64(blocks - blocks % unit, unit);
}

size_t virtio_mem_blocks_max(const struct virtio_mem *mem)
{
	uint64_t most = REQUEST_BLOCKS;

	if (mem->config.block_size < BLOCK_SIZE)
		most = min_u64(most, NB_BLOCKS_MAX * mem->config.block_size / BLOCK_SIZE);
	return whole_units(mem, most);
}

size_t virtio_mem_blocks_now(const struct virtio_mem *mem)
{
	return whole_units(mem, min_u64(mem->at_once, virtio_mem_blocks_max(mem)));
}

void virtio_mem_begin_slowly(struct virtio_mem *mem)
{
	mem->at_once = FIRST_BLOCKS;
}

void virtio_mem_kick_some(struct virtio_mem *mem)
{
	uint64_t took = virtio_mem_kick(&mem->queue);

	if (took < KICK_SHORT_NS)
		mem->at_once = min_u64(2 * mem->at_once, REQUEST_BLOCKS);
	else if (took > KICK_LONG_NS)
		mem->at_once = max_u64(mem->at_once / 2, LEAST_BLOCKS);
}

size_t virtio_mem_find_absent(const struct virtio_mem *mem, pfn_t *pfn, pfn_t end, size_t max)
{
	size_t unit = mem->source.part.unit;
	uint64_t step = unit * BLOCK_FRAMES;
	/* Units come and go as a whole. */
	pfn_t at = frame_region_find(*pfn, max_u64(*pfn, end), true);
	size_t blocks = 0;

	*pfn = at;
	while (blocks + unit <= max && at < end && frame_owner(at) == OWNER_ABSENT) {
		blocks += unit;
		at += step;
	}
	return blocks;
}

pfn_t virtio_mem_usable_end(const struct virtio_mem *mem)
{
	const struct frame_region_part *part = &mem->source.part;
	uint64_t step = part->unit * BLOCK_FRAMES;
	pfn_t end = frame_region_part_end(part);
	paddr_t usable = mem->config.addr + min_u64(mem->config.usable, mem->config.region_size);

	end = min_u64(end, paddr_to_pfn(usable));
	return end < part->start ? part->start : end - (end - part->start) % step;
}
