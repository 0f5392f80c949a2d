/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One request is with the device at a time: a chain of up to 32 ranges, as
 * many as QEMU's queue has descriptors. What a range is for is one flag of the
 * request, and decides only what becomes of its frames afterwards.
 */
#include "drivers/balloon/balloon_report.h"

#include <errno.h>
#include <string.h>

#include "arch/clock.h"
#include "arch/paging.h"
#include "drivers/virtio/virtio.h"
#include "drivers/virtio/virtq.h"
#include "kernel/lib/panic.h"
#include "mm/frame.h"
#include "mm/ledger.h"

#define RANGES 32

/* Nothing should be lent in pieces larger than this. */
#define RANGE_BLOCKS_MAX (GIB / BLOCK_SIZE)

/* 2.7.5.2: a chain has at most 2^32 bytes. */
#define REQUEST_BLOCKS_MAX (4 * GIB / BLOCK_SIZE)

/* With poison: nobody else runs while a request is filled, and memory is slow at first touch. */
#define POISONED_BLOCKS_MAX (16 * MIB / BLOCK_SIZE)

struct range {
	pfn_t pfn;
	size_t blocks;
};

static struct {
	bool present;
	const uint8_t *poison;
	struct virtq queue;
	struct range range[RANGES];
	size_t count;	 /* of ranges with the device; 0: it has none */
	uint64_t frames; /* in them */
	bool leaving;	 /* what they are for */
	uint64_t since;	 /* when they were sent */
	uint64_t events; /* frame_unreported_events(), when last looked at */
	uint64_t quiet_since;
	uint64_t reported; /* counts for people */
	uint64_t requests;
} report;

int balloon_report_start(struct virtio_device *device, uint16_t index, const uint8_t *poison)
{
	uint64_t reported = report.reported, requests = report.requests;
	int err;

	balloon_report_forget();
	report.reported = reported;
	report.requests = requests;
	err = virtq_create(device, index, &report.queue);
	if (err)
		return err;
	report.present = true;
	report.poison = poison;
	report.quiet_since = clock_ns();
	return 0;
}

bool balloon_report_present(void)
{
	return report.present;
}

/* ---- A request ---- */

static size_t smaller(uint64_t a, uint64_t b)
{
	return (size_t)(a < b ? a : b);
}

static bool can_send(void)
{
	return report.present && report.count == 0 && !virtq_is_broken(&report.queue);
}

/* How many of so many blocks one request takes. */
static uint64_t request_blocks(uint64_t blocks)
{
	return smaller(blocks, report.poison ? POISONED_BLOCKS_MAX : REQUEST_BLOCKS_MAX);
}

/* How many ranges fit into a chain. */
static size_t ranges_max(void)
{
	return report.queue.size < RANGES ? report.queue.size : RANGES;
}

/* The frames, which are `reported`, get a new owner; our books must agree with us. */
static void settle_ranges(enum owner to)
{
	for (size_t i = 0; i < report.count; i++) {
		const struct range *range = &report.range[i];
		int err = to == OWNER_FREE
				  ? frame_free_reported(range->pfn, range->blocks, OWNER_REPORTED)
				  : frame_change_owner(range->pfn, range->blocks * BLOCK_FRAMES,
						       OWNER_REPORTED, to);

		if (err)
			panic("balloon: blocks at %#llx are not reported; look for a wild write",
			      (unsigned long long)range->pfn);
	}
	report.count = 0;
	report.frames = 0;
}

/* 5.5.6.7: with PAGE_POISON, what is reported holds the poison. */
static void poison_range(const struct range *range)
{
	if (report.poison)
		memset(phys_to_virt(pfn_to_paddr(range->pfn)), *report.poison,
		       range->blocks * BLOCK_SIZE);
}

/* Sends the ranges that were collected. Returns whether there were any, and they went. */
static bool send_ranges(bool leaving)
{
	struct virtq_buffer buffer[RANGES];

	if (report.count == 0)
		return false;
	for (size_t i = 0; i < report.count; i++) {
		poison_range(&report.range[i]);
		buffer[i] = (struct virtq_buffer){
			.address = pfn_to_paddr(report.range[i].pfn),
			.length = (uint32_t)(report.range[i].blocks * BLOCK_SIZE),
			.device_writes = true,
		};
	}
	report.leaving = leaving;
	report.since = clock_ns();
	if (virtq_add(&report.queue, buffer, (unsigned)report.count, &report)) {
		settle_ranges(OWNER_FREE);
		return false;
	}
	report.requests++;
	virtq_kick(&report.queue);
	return true;
}

static void add_range(pfn_t pfn, size_t blocks)
{
	report.range[report.count++] = (struct range){ pfn, blocks };
	report.frames += blocks * BLOCK_FRAMES;
}

/* Looks whether blocks have become free; each time, the quiet begins anew. */
static void watch_activity(void)
{
	uint64_t events = frame_unreported_events();

	if (events != report.events) {
		report.events = events;
		report.quiet_since = clock_ns();
	}
}

int balloon_report_step(void)
{
	void *token;
	int got = report.present ? virtq_get_used(&report.queue, &token, NULL) : 0;

	if (got <= 0)
		return got;
	if (!report.leaving)
		report.reported += report.frames;
	watch_activity();
	settle_ranges(report.leaving ? OWNER_LEAVING : OWNER_FREE);
	/* That these came back does not end the quiet. */
	report.events = frame_unreported_events();
	return 0;
}

/* ---- Free page reporting ---- */

bool balloon_report_free_blocks(void)
{
	/* Half of what is free stays with the allocator meanwhile. */
	uint64_t budget = request_blocks((frame_free_blocks() + 1) / 2);
	struct range range;

	if (!can_send())
		return false;
	watch_activity();
	if (clock_ns() - report.quiet_since < BALLOON_REPORT_QUIET_NS)
		return false;
	while (report.count < ranges_max() && budget > 0 &&
	       !frame_alloc_unreported(smaller(budget, RANGE_BLOCKS_MAX), OWNER_REPORTED,
				       &range.pfn, &range.blocks)) {
		add_range(range.pfn, range.blocks);
		budget -= range.blocks;
	}
	return send_ranges(false);
}

uint64_t balloon_report_next(void)
{
	if (!can_send())
		return DEADLINE_NEVER;
	watch_activity();
	if (!frame_has_unreported())
		return DEADLINE_NEVER;
	return report.quiet_since + BALLOON_REPORT_QUIET_NS;
}

/* ---- Leaving ---- */

uint64_t balloon_report_leaving(uint64_t blocks, pfn_t limit)
{
	struct range range;

	if (!can_send())
		return 0;
	blocks = request_blocks(blocks);
	while (report.count < ranges_max() && blocks > 0 &&
	       !frame_alloc_blocks(smaller(blocks, RANGE_BLOCKS_MAX), limit, OWNER_REPORTED,
				   &range.pfn, &range.blocks)) {
		add_range(range.pfn, range.blocks);
		blocks -= range.blocks;
	}
	return send_ranges(true) ? report.frames : 0;
}

uint64_t balloon_report_leaving_sent(void)
{
	return report.leaving ? report.frames : 0;
}

/* ---- The rest ---- */

bool balloon_report_busy(uint64_t *since)
{
	*since = report.since;
	return report.present && report.count > 0;
}

bool balloon_report_has_news(void)
{
	return report.present && virtq_has_used(&report.queue);
}

void balloon_report_set_interrupts(bool wanted)
{
	if (report.present)
		virtq_set_interrupts(&report.queue, wanted);
}

void balloon_report_stop(void)
{
	if (!report.present)
		return;
	settle_ranges(OWNER_FREE);
	virtq_destroy(&report.queue);
	report.present = false;
}

void balloon_report_forget(void)
{
	memset(&report, 0, sizeof(report));
}

void balloon_report_counts(uint64_t *frames, uint64_t *requests)
{
	*frames = report.reported;
	*requests = report.requests;
}
