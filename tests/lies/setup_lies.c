/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Lies while the device is set up (virtio 1.3, 3.1.1): at the start, and when it is
 * started again after a reset that it asked for. Also, at the same places, no lie
 * but a lack of memory.
 */
#include "drivers/balloon/port/virtio_balloon_names.h"
#include "mm/frame.h"
#include "mm/ledger.h"
#include "tests/lies/lies.h"

#define SET_UP (1u << STEP_START | 1u << STEP_RECOVER)
#define AT_START (1u << STEP_START)

/* ---- Features ---- */

static uint64_t features;

static void refuse_features(struct sim_balloon *sim)
{
	sim->virtio.refuse_features = true;
}

static void offer(struct sim_balloon *sim, uint64_t offered)
{
	features = sim->virtio.features;
	sim->virtio.features = offered;
}

static void offer_as_before(struct sim_balloon *sim)
{
	sim->virtio.features = features;
}

static void offer_nothing(struct sim_balloon *sim)
{
	offer(sim, 0);
}

static void offer_all(struct sim_balloon *sim)
{
	offer(sim, UINT64_MAX);
}

static void offer_no_version_1(struct sim_balloon *sim)
{
	offer(sim, sim->virtio.features & ~VIRTIO_BIT(VIRTIO_F_VERSION_1));
}

static void offer_unknown(struct sim_balloon *sim)
{
	offer(sim, sim->virtio.features | UINT64_C(0xff) << 50 | VIRTIO_BIT(23));
}

static void offer_must_tell_host(struct sim_balloon *sim)
{
	offer(sim, sim->virtio.features | VIRTIO_BIT(VIRTIO_BALLOON_F_MUST_TELL_HOST));
}

/* The queue that was there for it is not any more, or has another number. */
static void offer_no_statistics(struct sim_balloon *sim)
{
	offer(sim, sim->virtio.features & ~VIRTIO_BIT(VIRTIO_BALLOON_F_STATS_VQ));
}

static void (*reset_rightly)(struct sim_virtio *virtio);

static void other_ring_after_reset(struct sim_virtio *virtio)
{
	reset_rightly(virtio);
	if (!virtio->transport.legacy)
		virtio->features ^= VIRTIO_BIT(VIRTIO_F_RING_PACKED) |
				    VIRTIO_BIT(VIRTIO_F_EVENT_IDX);
}

static void change_features_at_each_reset(struct sim_balloon *sim)
{
	reset_rightly = sim->virtio.on_reset;
	sim->virtio.on_reset = other_ring_after_reset;
}

static void reset_as_before(struct sim_balloon *sim)
{
	sim->virtio.on_reset = reset_rightly;
}

/* ---- Queues ---- */

static uint16_t sizes[VIRTIO_QUEUES_MAX];

static void keep_sizes(const struct sim_balloon *sim)
{
	for (unsigned i = 0; i < VIRTIO_QUEUES_MAX; i++)
		sizes[i] = sim->virtio.queue[i].size_max;
}

static void sizes_as_before(struct sim_balloon *sim)
{
	for (unsigned i = 0; i < VIRTIO_QUEUES_MAX; i++)
		sim->virtio.queue[i].size_max = sizes[i];
}

static void resize_all(struct sim_balloon *sim, uint16_t size)
{
	keep_sizes(sim);
	for (unsigned i = 0; i < VIRTIO_QUEUES_MAX; i++)
		if (sizes[i] > 0)
			sim->virtio.queue[i].size_max = size;
}

static void resize(struct sim_balloon *sim, unsigned queue, uint16_t size)
{
	keep_sizes(sim);
	sim->virtio.queue[queue].size_max = size;
}

static void queues_of_1(struct sim_balloon *sim)
{
	resize_all(sim, 1);
}

static void queues_of_2(struct sim_balloon *sim)
{
	resize_all(sim, 2);
}

static void queues_of_3(struct sim_balloon *sim)
{
	resize_all(sim, 3);
}

static void queues_of_32768(struct sim_balloon *sim)
{
	resize_all(sim, 32768);
}

static void queues_of_65535(struct sim_balloon *sim)
{
	resize_all(sim, UINT16_MAX);
}

static void no_queues(struct sim_balloon *sim)
{
	resize_all(sim, 0);
}

static void no_inflate_queue(struct sim_balloon *sim)
{
	resize(sim, SIM_BALLOON_INFLATE, 0);
}

static void no_deflate_queue(struct sim_balloon *sim)
{
	resize(sim, SIM_BALLOON_DEFLATE, 0);
}

static void no_statistics_queue(struct sim_balloon *sim)
{
	resize(sim, sim->stats_queue, 0);
}

static void no_reporting_queue(struct sim_balloon *sim)
{
	resize(sim, sim->report_queue, 0);
}

static void deflate_queue_of_1(struct sim_balloon *sim)
{
	resize(sim, SIM_BALLOON_DEFLATE, 1);
}

static void refuse_queues(struct sim_balloon *sim)
{
	sim->virtio.refuse_queues = true;
}

/* ---- Memory ---- */

/* All but so many frames is taken; and given back when the lie has been told. */
static void leave_frames(uint64_t count)
{
	pfn_t pfns[512];

	while (ledger_count(OWNER_FREE) > count) {
		uint64_t more = ledger_count(OWNER_FREE) - count;

		if (frame_alloc_bulk(more < ARRAY_SIZE(pfns) ? (size_t)more : ARRAY_SIZE(pfns),
				     PFN_NONE, OWNER_HEAP, pfns) == 0)
			break;
	}
}

static void give_back(struct sim_balloon *sim)
{
	(void)sim;
	frame_free_owned(OWNER_HEAP, UINT64_MAX);
}

#define LEAVE(count) \
	static void leave_##count(struct sim_balloon *sim) \
	{ \
		(void)sim; \
		leave_frames(count); \
	}
LEAVE(0)
LEAVE(1)
LEAVE(4)
LEAVE(6)
LEAVE(8)
LEAVE(9)
LEAVE(10)
LEAVE(12)
LEAVE(16)
LEAVE(20)
LEAVE(300)

/* clang-format off */
const struct lie setup_lies[] = {
	{ "FEATURES_OK does not stay",			refuse_features, .only = SET_UP },
	{ "nothing is offered",				offer_nothing, offer_as_before,
	  .only = SET_UP },
	{ "all 64 features are offered",		offer_all, offer_as_before,
	  .only = SET_UP, .blind = true },
	{ "VERSION_1 is not offered",			offer_no_version_1, offer_as_before,
	  .only = SET_UP },
	{ "unknown features are offered",		offer_unknown, offer_as_before,
	  .only = SET_UP, .must_go_on = true },
	{ "MUST_TELL_HOST is offered",			offer_must_tell_host, offer_as_before,
	  .only = SET_UP, .must_go_on = true },
	{ "a feature is gone after a reset",		offer_no_statistics, offer_as_before,
	  .only = 1u << STEP_RECOVER, .blind = true },
	{ "each reset changes what is offered",
	  change_features_at_each_reset, reset_as_before,
	  .only = SET_UP, .blind = true },
	{ "there are no queues",			no_queues, sizes_as_before,
	  .only = SET_UP, .must_break = true },
	{ "there is no inflate queue",			no_inflate_queue, sizes_as_before,
	  .only = SET_UP, .must_break = true },
	{ "there is no deflate queue",			no_deflate_queue, sizes_as_before,
	  .only = SET_UP, .must_break = true },
	{ "there is no statistics queue",		no_statistics_queue, sizes_as_before,
	  .only = SET_UP },
	{ "there is no reporting queue",		no_reporting_queue, sizes_as_before,
	  .only = SET_UP },
	{ "queues have one descriptor",			queues_of_1, sizes_as_before,
	  .only = SET_UP, .must_go_on = true },
	{ "queues have two descriptors",		queues_of_2, sizes_as_before,
	  .only = SET_UP, .must_go_on = true },
	{ "queues have three descriptors",		queues_of_3, sizes_as_before,
	  .only = SET_UP },
	{ "queues have 32768 descriptors",		queues_of_32768, sizes_as_before,
	  .only = SET_UP },
	{ "queues have 65535 descriptors",		queues_of_65535, sizes_as_before,
	  .only = SET_UP, .must_break = true },
	{ "the deflate queue has one descriptor",	deflate_queue_of_1, sizes_as_before,
	  .only = SET_UP, .must_go_on = true },
	{ "no queue can be enabled",			refuse_queues,
	  .only = SET_UP, .must_break = true },
	{ "memory is missing: no frame is left",	leave_0, give_back, .only = AT_START },
	{ "memory is missing: 1 frame is left",		leave_1, give_back, .only = AT_START },
	{ "memory is missing: 4 frames are left",	leave_4, give_back, .only = AT_START },
	{ "memory is missing: 6 frames are left",	leave_6, give_back, .only = AT_START },
	{ "memory is missing: 8 frames are left",	leave_8, give_back, .only = AT_START },
	{ "memory is missing: 9 frames are left",	leave_9, give_back, .only = AT_START },
	{ "memory is missing: 10 frames are left",	leave_10, give_back, .only = AT_START },
	{ "memory is missing: 12 frames are left",	leave_12, give_back, .only = AT_START },
	{ "memory is missing: 16 frames are left",	leave_16, give_back, .only = AT_START },
	{ "memory is missing: 20 frames are left",	leave_20, give_back, .only = AT_START },
	{ "memory is missing: 300 frames are left",	leave_300, give_back, .only = AT_START },
};
/* clang-format on */
const size_t setup_lie_count = ARRAY_SIZE(setup_lies);
