/* SPDX-License-Identifier: BSD-2-Clause */
/* Ranges as one chain of buffers; see virtio_balloon_report.h. */
#include "drivers/balloon/port/virtio_balloon_report.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "arch/paging.h"
#include "drivers/balloon/port/virtio_balloon_names.h"
#include "drivers/virtio/virtio.h"
#include "drivers/virtio/virtq.h"

/* As many as QEMU's queue has descriptors. */
#define RANGES 32

/*
 * A device may discard within the notification, and then nobody else runs: 64 MiB of shared
 * memory are some 11 ms, of anonymous memory less than 1 ms. Nor is more needed: a request
 * costs a few microseconds itself. Far below 2^32 bytes, the most of a chain (2.7.5.2).
 */
#define REQUEST_BLOCKS_MAX 32

/*
 * With poison, 16 MiB: nobody else runs while a request is filled, and memory is slow at
 * first touch.
 */
#define POISONED_BLOCKS_MAX 8

_Static_assert(RANGES <= BALLOON_RANGES, "balloon_port.h");
_Static_assert(RANGES <= VIRTQ_TABLE_ENTRIES, "a chain may be an indirect table");

/* The device's; zeroed by the start. */
static struct {
	bool present;
	bool poisons; /* 5.5.6.7: with PAGE_POISON, what is reported holds the poison */
	uint8_t poison;
	struct virtq queue;
	bool with_device;
	const struct frame_run *ranges; /* while it is */
} report;

int virtio_balloon_report_start(struct virtio_device *device, uint16_t index)
{
	int err;

	memset(&report, 0, sizeof(report));
	err = virtq_create(device, index, &report.queue);
	if (err)
		return err;
	report.present = true;
	/* The bit is declined where freed frames are not filled. */
	balloon_poison(&report.poison);
	report.poisons = virtio_has(device, VIRTIO_BALLOON_F_PAGE_POISON);
	return 0;
}

void virtio_balloon_report_terms(struct balloon_terms *terms)
{
	uint8_t byte;

	terms->best = BALLOON_PORTABLE;
	if (!report.present)
		return;
	terms->ranges = (size_t)min_u64(report.queue.size, RANGES);
	terms->range_blocks = report.poisons ? POISONED_BLOCKS_MAX : REQUEST_BLOCKS_MAX;
	/* With poison QEMU acknowledges ranges and discards nothing. */
	if (!balloon_poison(&byte))
		terms->best = BALLOON_RANGE_FIRST;
}

static void poison_range(const struct frame_run *range)
{
	if (report.poisons)
		memset(phys_to_virt(pfn_to_paddr(range->first)), report.poison,
		       range->count * FRAME_SIZE);
}

int virtio_balloon_report_send(const struct frame_run *ranges, size_t count)
{
	struct virtq_buffer buffer[RANGES];
	uint64_t bytes = 0;

	assert(report.present && !report.with_device);
	assert(count > 0 && count <= RANGES && count <= report.queue.size);
	for (size_t i = 0; i < count; i++) {
		poison_range(&ranges[i]);
		buffer[i] = (struct virtq_buffer){
			.address = pfn_to_paddr(ranges[i].first),
			.length = (uint32_t)(ranges[i].count * FRAME_SIZE),
			.device_writes = true,
		};
		bytes += ranges[i].count * FRAME_SIZE;
	}
	assert(bytes <= REQUEST_BLOCKS_MAX * BLOCK_SIZE);
	if (virtq_add(&report.queue, buffer, (unsigned)count, &report))
		return -EIO;
	report.with_device = true;
	report.ranges = ranges;
	virtq_kick(&report.queue);
	return 0;
}

int virtio_balloon_report_take(void)
{
	void *token;
	int got = report.present ? virtq_get_used(&report.queue, &token, NULL) : 0;

	if (got <= 0)
		return got;
	assert(report.with_device);
	report.with_device = false;
	balloon_ranges_answered(report.ranges);
	return 0;
}

bool virtio_balloon_report_has_news(void)
{
	return report.present && virtq_has_used(&report.queue);
}

void virtio_balloon_report_want_interrupts(bool wanted)
{
	virtq_set_interrupts(&report.queue, wanted);
}

void virtio_balloon_report_stop(void)
{
	virtq_destroy(&report.queue);
	report.present = false;
}

void virtio_balloon_report_forget(void)
{
	memset(&report, 0, sizeof(report));
}
