/* SPDX-License-Identifier: BSD-2-Clause */
/* Batches as buffers of 32-bit PFNs; see virtio_balloon_pages.h. */
#include "drivers/balloon/port/virtio_balloon_pages.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "arch/paging.h"
#include "drivers/virtio/virtio.h"
#include "drivers/virtio/virtq.h"
#include "kernel/lib/endian.h"
#include "mm/frame.h"

/* Room for the PFNs of every batch, the one for memory pressure too. */
#define BUFFER_MAX VIRTIO_BALLOON_BUFFER_BLOCK
#define WIRE_ORDER 3
#define WIRE_FRAMES (1 << WIRE_ORDER)

_Static_assert((BALLOON_BATCHES + 1) * BUFFER_MAX * sizeof(le32) <= WIRE_FRAMES * FRAME_SIZE,
	       "all batches have room");
_Static_assert((BALLOON_BATCHES + 1) * BUFFER_MAX * sizeof(le32) > WIRE_FRAMES / 2 * FRAME_SIZE,
	       "and need it");
_Static_assert(VIRTIO_BALLOON_BUFFER_BLOCK == BLOCK_FRAMES, "a buffer holds a whole block");
_Static_assert(BLOCK_FRAMES % VIRTIO_BALLOON_BUFFER_PORTABLE == 0, "or a block fills several");
_Static_assert(VIRTIO_BALLOON_BUFFER_BLOCK <= BALLOON_BATCH_RUNS, "all of them single frames");

/* The device's. */
static struct {
	struct virtq inflate;
	struct virtq deflate;
	pfn_t wire_frame; /* first frame of all the buffers; 0: there are none */
	le32 *wire;	  /* what the device reads: BUFFER_MAX a batch */
} pages;

/* ---- A batch ---- */

/* Only now and here are the PFNs where the device can write: they are never read back. */
static int send(struct virtq *queue, struct balloon_batch *batch)
{
	le32 *wire = pages.wire + batch->index * BUFFER_MAX;
	struct virtq_buffer buffer = {
		.address = virt_to_phys(wire),
		.length = (uint32_t)(batch->frames * sizeof(le32)),
	};

	assert(batch->index <= BALLOON_BATCHES);
	assert(batch->frames > 0 && batch->frames <= BUFFER_MAX);
	for (size_t i = 0; i < batch->run_count; i++) {
		const struct frame_run *run = &batch->run[i];

		assert(run->first + run->count <= VIRTIO_BALLOON_PFN_LIMIT);
		for (uint64_t k = 0; k < run->count; k++)
			*wire++ = cpu_to_le32((uint32_t)(run->first + k));
	}
	/* No room, or a broken device, which the next look at it tells. */
	return virtq_add(queue, &buffer, 1, batch) ? -EAGAIN : 0;
}

int virtio_balloon_pages_inflate(struct balloon_batch *batch)
{
	assert(!batch->deflates);
	return send(&pages.inflate, batch);
}

int virtio_balloon_pages_deflate(struct balloon_batch *batch)
{
	assert(batch->deflates);
	return send(&pages.deflate, batch);
}

void virtio_balloon_pages_kick(void)
{
	virtq_kick(&pages.inflate);
	virtq_kick(&pages.deflate);
}

static int take(struct virtq *queue)
{
	void *token;
	int got;

	while ((got = virtq_get_used(queue, &token, NULL)) > 0) {
		struct balloon_batch *batch = token;

		assert(batch->deflates == (queue == &pages.deflate));
		balloon_batch_answered(batch);
	}
	return got;
}

int virtio_balloon_pages_take(void)
{
	int err = take(&pages.inflate);

	return err ? err : take(&pages.deflate);
}

bool virtio_balloon_pages_has_news(void)
{
	return virtq_has_used(&pages.inflate) || virtq_has_used(&pages.deflate);
}

void virtio_balloon_pages_want_interrupts(bool wanted)
{
	virtq_set_interrupts(&pages.inflate, wanted);
	virtq_set_interrupts(&pages.deflate, wanted);
}

void virtio_balloon_pages_terms(enum balloon_strategy strategy, struct balloon_terms *terms)
{
	uint64_t frames = strategy == BALLOON_WHOLE_BLOCK ? VIRTIO_BALLOON_BUFFER_BLOCK
							  : VIRTIO_BALLOON_BUFFER_PORTABLE;

	assert(pages.inflate.size > 0 && pages.deflate.size > 0);
	terms->pfn_limit = VIRTIO_BALLOON_PFN_LIMIT;
	terms->batches = (size_t)min_u64(BALLOON_BATCHES,
					 min_u64(pages.inflate.size, pages.deflate.size));
	terms->batch_frames = frames;
	terms->batch_block_frames = frames;
	terms->batch_runs = 1;
}

/* ---- Start and stop ---- */

static void free_wire(void)
{
	if (pages.wire_frame != 0)
		frame_free(pages.wire_frame, WIRE_FRAMES, OWNER_VIRTQUEUES);
	pages.wire_frame = 0;
}

int virtio_balloon_pages_start(struct virtio_device *device, uint16_t index)
{
	int err;

	/* All that the device reads lies together, in frames of its own. */
	err = frame_alloc(WIRE_ORDER, OWNER_VIRTQUEUES, &pages.wire_frame);
	if (err)
		return err;
	pages.wire = phys_to_virt(pfn_to_paddr(pages.wire_frame));
	err = virtq_create(device, index, &pages.inflate);
	if (!err)
		err = virtq_create(device, (uint16_t)(index + 1), &pages.deflate);
	if (err)
		free_wire();
	return err;
}

void virtio_balloon_pages_stop(void)
{
	virtq_destroy(&pages.inflate);
	virtq_destroy(&pages.deflate);
	free_wire();
}

void virtio_balloon_pages_forget(void)
{
	memset(&pages, 0, sizeof(pages));
}
