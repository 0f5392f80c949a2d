/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is counted, and the queue that tells it. Only what this kernel really
 * counts has a line in the table; a tag is added by adding one.
 *
 * The number of lines should stay divisible by 3: an older text of the
 * specification wants the buffer's size to be a multiple of 6, and then it is.
 */
#include "drivers/balloon/balloon_stats.h"

#include <string.h>

#include "arch/clock.h"
#include "arch/paging.h"
#include "drivers/balloon/balloon.h"
#include "drivers/balloon/balloon_account.h"
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

/* Everything that values are taken from, read at one moment. */
struct sources {
	struct balloon_account account;
	struct balloon_status balloon;
	struct frame_events events;
};

/* X(tag, QMP's name without "stat-", value) */
#define STAT_TABLE(X) \
	X(4, "free-memory", pfn_to_paddr(s->account.free)) \
	X(5, "total-memory", pfn_to_paddr(s->account.total)) \
	X(6, "available-memory", pfn_to_paddr(s->account.available)) \
	X(8, "htlb-pgalloc", s->events.block_allocs) \
	X(9, "htlb-pgfail", s->events.block_failures) \
	X(10, "oom-kills", s->events.failures) \
	X(11, "alloc-stalls", s->events.stalls) \
	X(13, "direct-scans", s->balloon.oom_frames) \
	X(15, "direct-reclaims", s->balloon.oom_frames)

#define STAT_ONE(tag, name, value) +1
#define STATS (0 STAT_TABLE(STAT_ONE))

_Static_assert(STATS <= BALLOON_STATS_MAX, "balloon_stats.h");
_Static_assert(STATS * sizeof(struct wire_stat) % 6 == 0, "see above");

static struct {
	bool present;
	struct virtq queue;
	pfn_t frame;		/* of the buffer */
	struct wire_stat *wire; /* what the device reads */
	struct balloon_stat last[STATS];
	uint64_t requests;
	uint64_t time; /* of `last` */
} stats;

/* Never in use by the device when it is called. */
static void fill_buffer(void)
{
	struct sources sources;
	const struct sources *s = &sources;
	size_t i = 0;

	balloon_account(&sources.account);
	balloon_status(&sources.balloon);
	frame_events(&sources.events);
#define STAT_FILL(tag_, name_, value_) \
	stats.last[i++] = \
		(struct balloon_stat){ .name = (name_), .tag = (tag_), .value = (value_) };
	STAT_TABLE(STAT_FILL)
	stats.time = clock_ns();
	for (i = 0; i < STATS; i++)
		stats.wire[i] = (struct wire_stat){
			.tag = cpu_to_le16(stats.last[i].tag),
			.value = cpu_to_le64(stats.last[i].value),
		};
}

static int queue_buffer(void)
{
	struct virtq_buffer buffer = {
		.address = virt_to_phys(stats.wire),
		.length = sizeof(struct wire_stat) * STATS,
	};

	fill_buffer();
	return virtq_add(&stats.queue, &buffer, 1, &stats);
}

int balloon_stats_start(struct virtio_device *device, uint16_t index)
{
	int err = frame_alloc(0, OWNER_VIRTQUEUES, &stats.frame);

	if (err)
		return err;
	stats.wire = phys_to_virt(pfn_to_paddr(stats.frame));
	err = virtq_create(device, index, &stats.queue);
	if (err)
		goto err_frame;
	stats.present = true;
	return queue_buffer();

err_frame:
	frame_free(stats.frame, 1, OWNER_VIRTQUEUES);
	return err;
}

void balloon_stats_ready(void)
{
	if (stats.present)
		virtq_kick(&stats.queue);
}

int balloon_stats_step(void)
{
	void *token;
	int got = stats.present ? virtq_get_used(&stats.queue, &token, NULL) : 0;

	if (got <= 0)
		return got;
	stats.requests++;
	got = queue_buffer();
	if (got == 0)
		virtq_kick(&stats.queue);
	return got;
}

bool balloon_stats_has_news(void)
{
	return stats.present && virtq_has_used(&stats.queue);
}

void balloon_stats_set_interrupts(bool wanted)
{
	if (stats.present)
		virtq_set_interrupts(&stats.queue, wanted);
}

void balloon_stats_stop(void)
{
	if (!stats.present)
		return;
	virtq_destroy(&stats.queue);
	frame_free(stats.frame, 1, OWNER_VIRTQUEUES);
	stats.present = false;
}

void balloon_stats_forget(void)
{
	memset(&stats, 0, sizeof(stats));
}

size_t balloon_stats_last(struct balloon_stat out[BALLOON_STATS_MAX], uint64_t *requests,
			  uint64_t *time)
{
	if (!stats.present)
		return 0;
	for (size_t i = 0; i < STATS; i++)
		out[i] = stats.last[i];
	*requests = stats.requests;
	*time = stats.time;
	return STATS;
}
