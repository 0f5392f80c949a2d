/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Lies in the rings (virtio 1.3, 2.7 and 2.8), in the device's part of them and in
 * the driver's, which it should never write. The ring is that of the queue on which
 * something is in flight at this step.
 */
#include <stdlib.h>
#include <string.h>

#include "arch/paging.h"
#include "tests/lies/lies.h"

#define WITH_RINGS (((1u << STEP_COUNT) - 1) & ~(1u << STEP_START))
/* In a reclaim the driver, and the device, write first what the lie was written into. */
#define BUT_RECLAIM (WITH_RINGS & ~(1u << STEP_RECLAIM))
/* There the chain is offered again at once, in the place where the lie was. */
#define BUT_STATS (WITH_RINGS & ~(1u << STEP_STATS))
#define WITH_RANGES (1u << STEP_RANGES | 1u << STEP_REPORT)

static struct sim_virtio_queue *ring(struct sim_balloon *sim)
{
	return &sim->virtio.queue[world_busy_queue()];
}

static void use(struct sim_balloon *sim, uint32_t id)
{
	sim_virtio_push(&sim->virtio, world_busy_queue(), id, 0);
}

static struct virtq_used *used_area(struct sim_balloon *sim)
{
	return phys_to_virt(ring(sim)->used);
}

static struct virtq_packed_desc *packed_area(struct sim_balloon *sim)
{
	return phys_to_virt(ring(sim)->desc);
}

/* ---- Ids ---- */

static void id_beyond_queue(struct sim_balloon *sim)
{
	use(sim, ring(sim)->size);
}

static void id_of_all_ones(struct sim_balloon *sim)
{
	use(sim, UINT32_MAX);
}

static void id_that_is_free(struct sim_balloon *sim)
{
	use(sim, ring(sim)->size - 1u);
}

static void id_used_twice(struct sim_balloon *sim)
{
	uint16_t head = 0;

	if (sim->pending_count > 0) {
		head = sim->pending[0].chain.head;
		sim_balloon_complete(sim, 1);
	}
	use(sim, head);
}

static void id_in_mid_chain(struct sim_balloon *sim)
{
	use(sim, sim->pending_count > 0 ? sim->pending[0].chain.head + 1u : 1);
}

/* ---- The used index ---- */

static void move_index(struct sim_balloon *sim, unsigned by)
{
	sim_virtio_set_used_idx(&sim->virtio, world_busy_queue(),
				(uint16_t)(ring(sim)->used_idx + by));
	sim_virtio_interrupt(&sim->virtio, VIRTIO_ISR_QUEUE);
}

static void index_without_entry(struct sim_balloon *sim)
{
	move_index(sim, 1);
}

static void index_of_a_round(struct sim_balloon *sim)
{
	move_index(sim, ring(sim)->size + 1u);
}

static void index_of_half_its_range(struct sim_balloon *sim)
{
	move_index(sim, 32768);
}

static void index_goes_back(struct sim_balloon *sim)
{
	move_index(sim, UINT16_MAX);
}

static void entry_without_index(struct sim_balloon *sim)
{
	uint16_t idx = ring(sim)->used_idx;

	sim_balloon_complete(sim, 1);
	sim_virtio_set_used_idx(&sim->virtio, world_busy_queue(), idx);
}

/* ---- Lengths ---- */

static void length_of_all_ones(struct sim_balloon *sim)
{
	sim->written = UINT32_MAX;
}

static void length_of_one(struct sim_balloon *sim)
{
	sim->written = 1;
}

static void right_lengths(struct sim_balloon *sim)
{
	sim->written = 0;
}

/* ---- What is the driver's to write ---- */

static void fill_desc(struct sim_balloon *sim, int byte)
{
	memset(phys_to_virt(ring(sim)->desc), byte, sizeof(struct virtq_desc) * ring(sim)->size);
}

static void descriptors_of_ones(struct sim_balloon *sim)
{
	fill_desc(sim, 0xff);
}

static void descriptors_of_zeros(struct sim_balloon *sim)
{
	fill_desc(sim, 0);
}

static void available_ring_of_ones(struct sim_balloon *sim)
{
	memset(phys_to_virt(ring(sim)->avail), 0xff,
	       sizeof(struct virtq_avail) + sizeof(le16) * (ring(sim)->size + 1u));
}

static void available_index_back(struct sim_balloon *sim)
{
	struct virtq_avail *avail = phys_to_virt(ring(sim)->avail);

	avail->idx = 0;
}

static void tables_of_ones(struct sim_balloon *sim)
{
	const struct virtio_device *device = world_device();
	struct virtq *queue = device ? device->queue[world_busy_queue()] : NULL;

	(void)sim;
	if (queue && queue->tables)
		memset(queue->tables, 0xff, FRAME_SIZE);
}

/* Page numbers, statistics, commands: all that the device was only to read. */
static void buffers_of_ones(struct sim_balloon *sim)
{
	for (size_t i = 0; i < sim->pending_count; i++) {
		const struct virtq_buffer *buffer = &sim->pending[i].chain.buffer[0];

		if (!buffer->device_writes)
			memset(phys_to_virt(buffer->address), 0xff, buffer->length);
	}
}

static void statistics_of_ones(struct sim_balloon *sim)
{
	const struct virtq_buffer *buffer = &sim->stats.buffer[0];

	if (sim->stats_held > 0)
		memset(phys_to_virt(buffer->address), 0xff, buffer->length);
}

/* ---- Wishes ---- */

static void no_notifications(struct sim_balloon *sim)
{
	sim_virtio_set_no_notify(&sim->virtio, world_busy_queue(), true);
}

static void notifications_again(struct sim_balloon *sim)
{
	if (ring(sim)->enabled)
		sim_virtio_set_no_notify(&sim->virtio, world_busy_queue(), false);
}

static void used_flags_of_ones(struct sim_balloon *sim)
{
	used_area(sim)->flags = cpu_to_le16(UINT16_MAX);
}

static void used_flags_of_zeros(struct sim_balloon *sim)
{
	if (ring(sim)->enabled)
		used_area(sim)->flags = 0;
}

static void far_event(struct sim_balloon *sim)
{
	sim_virtio_notify_after(&sim->virtio, world_busy_queue(), 1000);
}

static void reserved_event_flags(struct sim_balloon *sim)
{
	struct virtq_event *event = phys_to_virt(ring(sim)->used);

	event->flags = cpu_to_le16(UINT16_MAX);
}

static void event_beyond_the_ring(struct sim_balloon *sim)
{
	struct virtq_event *event = phys_to_virt(ring(sim)->used);

	event->off_wrap = cpu_to_le16(0x7fff);
	event->flags = cpu_to_le16(VIRTQ_EVENT_DESC);
}

static void event_enabled(struct sim_balloon *sim)
{
	struct virtq_event *event = phys_to_virt(ring(sim)->used);

	if (ring(sim)->enabled)
		event->flags = cpu_to_le16(VIRTQ_EVENT_ENABLE);
}

/* ---- All at once ---- */

static void used_ring_of_ones(struct sim_balloon *sim)
{
	memset(used_area(sim), 0xff,
	       sizeof(struct virtq_used) + sizeof(struct virtq_used_elem) * ring(sim)->size);
}

static void mark_used(struct sim_balloon *sim, uint16_t at, uint16_t id)
{
	struct virtq_packed_desc *desc = &packed_area(sim)[at];

	desc->id = cpu_to_le16(id);
	desc->flags = cpu_to_le16(ring(sim)->used_wrap ? VIRTQ_DESC_F_AVAIL | VIRTQ_DESC_F_USED
						       : 0);
}

static void next_descriptor_used_with_junk(struct sim_balloon *sim)
{
	mark_used(sim, ring(sim)->used_idx, 0x7fff);
}

static void all_descriptors_used_by_one(struct sim_balloon *sim)
{
	for (uint16_t at = 0; at < ring(sim)->size; at++)
		mark_used(sim, at, 0);
}

static void random_rings(struct sim_balloon *sim)
{
	uint8_t *desc = phys_to_virt(ring(sim)->desc);
	uint8_t *used = phys_to_virt(ring(sim)->used);

	for (size_t i = 0; i < sizeof(struct virtq_desc) * ring(sim)->size; i++)
		desc[i] = (uint8_t)rand();
	for (size_t i = 0; i < sizeof(struct virtq_event); i++)
		used[i] = (uint8_t)rand();
}

/* clang-format off */
const struct lie ring_lies[] = {
	{ "a used id is beyond the queue",		id_beyond_queue,
	  .only = WITH_RINGS, .must_break = true },
	{ "a used id is 2^32 - 1",			id_of_all_ones,
	  .only = WITH_RINGS, .must_break = true },
	{ "a used id is of a chain that is not in flight", id_that_is_free,
	  .only = WITH_RINGS, .must_break = true },
	{ "a chain is used twice",			id_used_twice,
	  .only = BUT_STATS, .must_break = true },
	{ "a used id is in the middle of a chain",	id_in_mid_chain,
	  .only = WITH_RANGES, .must_break = true },
	{ "the used index moves without an entry",	index_without_entry,
	  .only = WITH_RINGS, .split_only = true, .blind = true },
	{ "the used index jumps by a round and one",	index_of_a_round,
	  .only = WITH_RINGS, .split_only = true, .must_break = true },
	{ "the used index jumps by 32768",		index_of_half_its_range,
	  .only = WITH_RINGS, .split_only = true, .must_break = true },
	{ "the used index goes back by one",		index_goes_back,
	  .only = WITH_RINGS, .split_only = true, .must_break = true },
	{ "a used entry comes without its index",	entry_without_index,
	  .only = WITH_RINGS, .split_only = true, .blind = true },
	{ "the length written is 2^32 - 1",		length_of_all_ones, right_lengths,
	  .must_go_on = true },
	{ "the length written is 1",			length_of_one, right_lengths,
	  .must_go_on = true },
	{ "the descriptors are overwritten with ones",	descriptors_of_ones,
	  .only = WITH_RINGS, .blind = true },
	{ "the descriptors are overwritten with zeros",	descriptors_of_zeros,
	  .only = WITH_RINGS, .blind = true },
	{ "the available ring is overwritten with ones", available_ring_of_ones,
	  .only = WITH_RINGS, .split_only = true, .blind = true },
	{ "the available index is set back to 0",	available_index_back,
	  .only = WITH_RINGS, .split_only = true, .blind = true },
	{ "indirect tables are overwritten with ones",	tables_of_ones,
	  .only = WITH_RINGS, .must_go_on = true },
	{ "buffers to be read are overwritten with ones", buffers_of_ones,
	  .only = WITH_RINGS, .blind = true, .must_go_on = true },
	{ "the statistics are overwritten with ones",	statistics_of_ones,
	  .only = WITH_RINGS, .must_go_on = true },
	{ "no notification is wanted, ever",		no_notifications, notifications_again,
	  .only = WITH_RINGS },
	{ "the used ring's flags are all ones",		used_flags_of_ones, used_flags_of_zeros,
	  .only = WITH_RINGS, .split_only = true },
	{ "the available event is far away",		far_event, notifications_again,
	  .only = WITH_RINGS },
	{ "the device's event flags are reserved ones",	reserved_event_flags, event_enabled,
	  .only = WITH_RINGS, .packed_only = true, .must_go_on = true },
	{ "the device's event is beyond the ring",	event_beyond_the_ring, event_enabled,
	  .only = WITH_RINGS, .packed_only = true },
	{ "the used ring is overwritten with ones",	used_ring_of_ones,
	  .only = BUT_RECLAIM, .split_only = true, .must_break = true },
	{ "the next descriptor is used, with junk in it", next_descriptor_used_with_junk,
	  .only = BUT_RECLAIM, .packed_only = true, .must_break = true },
	{ "all descriptors are used by the same chain",	all_descriptors_used_by_one,
	  .only = WITH_RINGS, .packed_only = true, .blind = true },
	{ "the rings are full of random bytes",		random_rings,
	  .only = WITH_RINGS, .blind = true },
};
/* clang-format on */
const size_t ring_lie_count = ARRAY_SIZE(ring_lies);
