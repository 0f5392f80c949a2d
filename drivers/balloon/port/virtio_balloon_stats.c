/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The core's figures under virtio's tags. Only what this kernel really counts has a
 * line in the table; a tag is added by adding one.
 *
 * An older text of the specification wants the buffer's size to be a multiple of 6, which that
 * of three entries is. So the first ones come once more at the end, if need be: with
 * the same values, as all are read at one moment.
 */
#include "drivers/balloon/port/virtio_balloon_stats.h"

#include <assert.h>
#include <string.h>

#include "arch/paging.h"
#include "drivers/balloon/balloon_stats.h"
#include "drivers/balloon/port/virtio_balloon_names.h"
#include "drivers/virtio/virtio.h"
#include "drivers/virtio/virtq.h"
#include "kernel/lib/endian.h"
#include "mm/frame.h"

/* struct virtio_balloon_stat (5.5.6.3): ten bytes, no padding. */
struct wire_stat {
	le16 tag;
	le64 value;
} __attribute__((packed));

_Static_assert(sizeof(struct wire_stat) == 10, "5.5.6.3");

/* X(tag, the core's figure) */
#define SENT(X) \
	X(STAT_SWAP_IN, swap_in) \
	X(STAT_SWAP_OUT, swap_out) \
	X(STAT_MAJOR_FAULTS, major_faults) \
	X(STAT_MINOR_FAULTS, faults) \
	X(STAT_FREE_MEMORY, free_memory) \
	X(STAT_TOTAL_MEMORY, total_memory) \
	X(STAT_AVAILABLE_MEMORY, available_memory) \
	X(STAT_DISK_CACHES, disk_caches) \
	X(STAT_HTLB_PGALLOC, block_allocs) \
	X(STAT_HTLB_PGFAIL, block_failures) \
	X(STAT_OOM_KILLS, oom_kills) \
	X(STAT_ALLOC_STALLS, stalls) \
	X(STAT_ASYNC_SCANS, async_scans) \
	X(STAT_DIRECT_SCANS, direct_scans) \
	X(STAT_ASYNC_RECLAIMS, async_reclaims) \
	X(STAT_DIRECT_RECLAIMS, direct_reclaims)

#define SENT_ONE(tag, figure) +1
#define STATS (0 SENT(SENT_ONE))
#define ENTRIES ((STATS + 2) / 3 * 3)

_Static_assert(STATS <= BALLOON_STATS_MAX, "balloon_stats.h");
_Static_assert(ENTRIES * sizeof(struct wire_stat) % 6 == 0, "see above");
_Static_assert(ENTRIES * sizeof(struct wire_stat) <= FRAME_SIZE, "the buffer is one frame");

static const char *const names[STAT_COUNT] = {
#define STAT_NAME(constant, tag, qmp, virsh, unit) [tag] = (qmp),
	VIRTIO_BALLOON_STATS(STAT_NAME)
};

/* The device's. */
static struct {
	bool present;
	struct virtq queue;
	pfn_t frame;		/* of the buffer */
	struct wire_stat *wire; /* what the device reads */
} stats;

/* Never in use by the device when it is called. */
static void fill_buffer(bool asked)
{
	struct balloon_stat report[STATS];
	struct balloon_figures figures;
	size_t n = 0;

	balloon_figures(&figures);
#define SENT_FILL(tag_, figure) \
	report[n++] = (struct balloon_stat){ names[tag_], (tag_), figures.figure };
	SENT(SENT_FILL)
	assert(n == STATS);
	for (size_t i = 0; i < ENTRIES; i++)
		stats.wire[i] = (struct wire_stat){
			.tag = cpu_to_le16(report[i % STATS].tag),
			.value = cpu_to_le64(report[i % STATS].value),
		};
	balloon_stats_keep(report, STATS, asked);
}

static int queue_buffer(bool asked)
{
	struct virtq_buffer buffer = {
		.address = virt_to_phys(stats.wire),
		.length = sizeof(struct wire_stat) * ENTRIES,
	};

	fill_buffer(asked);
	return virtq_add(&stats.queue, &buffer, 1, &stats);
}

int virtio_balloon_stats_start(struct virtio_device *device, uint16_t index)
{
	int err = frame_alloc(0, OWNER_VIRTQUEUES, &stats.frame);

	if (err)
		return err;
	stats.wire = phys_to_virt(pfn_to_paddr(stats.frame));
	err = virtq_create(device, index, &stats.queue);
	if (err)
		goto err_frame;
	stats.present = true;
	return queue_buffer(false);

err_frame:
	frame_free(stats.frame, 1, OWNER_VIRTQUEUES);
	return err;
}

void virtio_balloon_stats_ready(void)
{
	virtq_kick(&stats.queue);
}

int virtio_balloon_stats_take(void)
{
	void *token;
	int got = stats.present ? virtq_get_used(&stats.queue, &token, NULL) : 0;

	if (got <= 0)
		return got;
	assert(token == &stats);
	got = queue_buffer(true);
	if (got == 0)
		virtq_kick(&stats.queue);
	return got;
}

bool virtio_balloon_stats_has_news(void)
{
	return stats.present && virtq_has_used(&stats.queue);
}

void virtio_balloon_stats_want_interrupts(bool wanted)
{
	virtq_set_interrupts(&stats.queue, wanted);
}

void virtio_balloon_stats_stop(void)
{
	if (!stats.present)
		return;
	virtq_destroy(&stats.queue);
	frame_free(stats.frame, 1, OWNER_VIRTQUEUES);
	stats.present = false;
	balloon_stats_abandon();
}

void virtio_balloon_stats_forget(void)
{
	memset(&stats, 0, sizeof(stats));
	balloon_stats_forget();
}
