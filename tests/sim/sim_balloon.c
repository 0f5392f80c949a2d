/* SPDX-License-Identifier: BSD-2-Clause */
/* A simulated balloon device; see sim_balloon.h. */
#include "tests/sim/sim_balloon.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "arch/paging.h"
#include "drivers/balloon/port/virtio_balloon_names.h"
#include "tests/sim/sim_bits.h"

#define SET_BYTES ((size_t)1 << 29) /* 2^32 bits */

static struct sim_balloon *balloon_of(struct sim_virtio *virtio)
{
	return container_of(virtio, struct sim_balloon, virtio);
}

static void map_set(struct sim_balloon *sim)
{
	sim->set = mmap(NULL, SET_BYTES, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (sim->set == MAP_FAILED) {
		perror("sim_balloon: mmap");
		abort();
	}
}

/* Mapping afresh costs nothing, clearing 512 MiB would. */
static void clear_set(struct sim_balloon *sim)
{
	munmap(sim->set, SET_BYTES);
	map_set(sim);
	sim->inflated = 0;
}

bool sim_balloon_has(const struct sim_balloon *sim, pfn_t pfn)
{
	return pfn <= UINT32_MAX && sim_bits_test(sim->set, pfn);
}

pfn_t sim_balloon_next(const struct sim_balloon *sim, pfn_t from, pfn_t end)
{
	return sim_bits_next(sim->set, from, end);
}

static void own(struct sim_balloon *sim, pfn_t pfn, uint64_t frames, bool device)
{
	if (sim->own)
		sim->own(pfn, frames, device);
}

static void inflate(struct sim_balloon *sim, uint32_t pfn)
{
	if (sim_balloon_has(sim, pfn)) {
		sim->double_inflates++;
		return;
	}
	sim_bits_add(sim->set, pfn);
	sim->inflated++;
}

static void deflate(struct sim_balloon *sim, uint32_t pfn)
{
	if (!sim_balloon_has(sim, pfn)) {
		sim->wrong_deflates++;
		return;
	}
	sim_bits_remove(sim->set, pfn);
	sim->inflated--;
	own(sim, pfn, 1, false);
}

/* Returns the number of PFNs in one buffer of a chain, all of them obeyed. */
static uint64_t obey_buffer(struct sim_balloon *sim, unsigned queue,
			    const struct virtq_buffer *buffer)
{
	const le32 *pfns = phys_to_virt(buffer->address);
	uint64_t count = buffer->length / sizeof(*pfns);

	if (buffer->device_writes || buffer->length % sizeof(*pfns) != 0 || count == 0) {
		sim_virtio_violate(&sim->virtio, "a buffer that holds no PFNs");
		return 0;
	}
	for (uint64_t i = 0; i < count; i++) {
		uint32_t pfn = le32_to_cpu(pfns[i]);

		if (queue == SIM_BALLOON_DEFLATE) {
			deflate(sim, pfn);
			continue;
		}
		if (i > 0 && pfn <= le32_to_cpu(pfns[i - 1]))
			sim->not_ascending++;
		inflate(sim, pfn);
	}
	return count;
}

/* Ranges are whole blocks for the device to discard. */
static uint64_t obey_ranges(struct sim_balloon *sim, const struct sim_virtio_chain *chain)
{
	uint64_t bytes = 0;

	for (unsigned i = 0; i < chain->count; i++) {
		const struct virtq_buffer *range = &chain->buffer[i];

		if (!range->device_writes || range->address % BLOCK_SIZE != 0 ||
		    range->length % BLOCK_SIZE != 0)
			sim_virtio_violate(&sim->virtio, "a range that is not whole blocks");
		bytes += range->length;
	}
	if (bytes > UINT64_C(1) << 32)
		sim_virtio_violate(&sim->virtio, "a chain of more than 2^32 bytes");
	return bytes;
}

static void obey_hint(struct sim_balloon *sim, const struct sim_virtio_chain *chain)
{
	const struct virtq_buffer *first = &chain->buffer[0];

	if (first->device_writes) {
		sim->hinted += obey_ranges(sim, chain);
	} else if (first->length != 4) {
		sim_virtio_violate(&sim->virtio, "a hint command that has not 4 bytes");
	} else if (sim->hint_command_count < ARRAY_SIZE(sim->hint_commands)) {
		const le32 *command = phys_to_virt(first->address);

		sim->hint_commands[sim->hint_command_count++] = le32_to_cpu(*command);
	}
}

static void own_ranges(struct sim_balloon *sim, const struct sim_virtio_chain *chain, bool device)
{
	for (unsigned i = 0; i < chain->count; i++)
		if (chain->buffer[i].device_writes)
			own(sim, paddr_to_pfn(chain->buffer[i].address),
			    chain->buffer[i].length / FRAME_SIZE, device);
}

/* From the moment that the device sees them, it may do as it likes with them. */
static void taken(struct sim_balloon *sim, unsigned queue, const struct sim_virtio_chain *chain)
{
	if (queue != SIM_BALLOON_INFLATE) {
		own_ranges(sim, chain, true);
		return;
	}
	for (unsigned i = 0; i < chain->count; i++) {
		const le32 *pfns = phys_to_virt(chain->buffer[i].address);

		for (size_t k = 0; k < chain->buffer[i].length / sizeof(*pfns); k++)
			own(sim, le32_to_cpu(pfns[k]), 1, true);
	}
}

static void acknowledge_other(struct sim_balloon *sim, unsigned queue,
			      const struct sim_virtio_chain *chain)
{
	if (queue == sim->report_queue) {
		sim->report_requests++;
		sim->reported += obey_ranges(sim, chain);
		sim->inflates_before_report = sim->buffers[SIM_BALLOON_INFLATE];
		if (chain->count > sim->ranges_most)
			sim->ranges_most = chain->count;
	} else {
		obey_hint(sim, chain);
	}
	own_ranges(sim, chain, false);
	sim_virtio_push(&sim->virtio, queue, chain->head, sim->written);
}

static void acknowledge(struct sim_balloon *sim, unsigned queue,
			const struct sim_virtio_chain *chain)
{
	uint32_t id = chain->head;
	uint64_t count = 0;

	if (queue > SIM_BALLOON_DEFLATE) {
		acknowledge_other(sim, queue, chain);
		return;
	}

	for (unsigned i = 0; i < chain->count; i++)
		count += obey_buffer(sim, queue, &chain->buffer[i]);
	sim->buffers[queue]++;
	sim->pfns[queue] += count;
	if (count > sim->largest[queue])
		sim->largest[queue] = count;
	if (sim->bad_used_id)
		id = sim->virtio.queue[queue].size;
	sim->bad_used_id = false;
	sim_virtio_push(&sim->virtio, queue, id, sim->written);
}

static void defer(struct sim_balloon *sim, unsigned queue, const struct sim_virtio_chain *chain)
{
	if (sim->pending_count == SIM_BALLOON_PENDING_MAX) {
		sim_virtio_violate(&sim->virtio, "more buffers than the simulation can hold");
		return;
	}
	sim->pending[sim->pending_count].queue = queue;
	sim->pending[sim->pending_count].chain = *chain;
	sim->pending_count++;
}

static void notified(struct sim_virtio *virtio, unsigned queue)
{
	struct sim_balloon *sim = balloon_of(virtio);
	struct sim_virtio_chain chain;

	while (sim_virtio_pop(virtio, queue, &chain)) {
		taken(sim, queue, &chain);
		if (sim->stats_queue && queue == sim->stats_queue) {
			sim->stats = chain;
			if (++sim->stats_held > 1)
				sim_virtio_violate(virtio, "a second statistics buffer");
		} else if (sim->completion == SIM_BALLOON_AT_ONCE)
			acknowledge(sim, queue, &chain);
		else if (sim->completion == SIM_BALLOON_ON_DEMAND)
			defer(sim, queue, &chain);
	}
}

size_t sim_balloon_complete(struct sim_balloon *sim, size_t count)
{
	struct sim_balloon_pending oldest;
	size_t done = 0;

	/* An interrupt may bring new buffers, or a reset: look again each time. */
	for (; done < count && sim->pending_count > 0; done++) {
		oldest = sim->pending[0];
		sim->pending_count--;
		memmove(&sim->pending[0], &sim->pending[1],
			sim->pending_count * sizeof(sim->pending[0]));
		acknowledge(sim, oldest.queue, &oldest.chain);
	}
	return done;
}

static void config_written(struct sim_virtio *virtio, size_t offset)
{
	if (offset == SIM_BALLOON_ACTUAL)
		balloon_of(virtio)->actual_writes++;
	else if (offset == SIM_BALLOON_NUM_PAGES)
		sim_virtio_violate(virtio, "num_pages is the device's to write");
	else if (offset == SIM_BALLOON_HINT_ID)
		sim_virtio_violate(virtio, "free_page_hint_cmd_id is the device's to write");
	else if (!(virtio->driver_features & VIRTIO_BIT(VIRTIO_BALLOON_F_PAGE_POISON)))
		sim_virtio_violate(virtio, "poison_val is there with PAGE_POISON only");
	else if (virtio->status & VIRTIO_STATUS_DRIVER_OK)
		sim_virtio_violate(virtio, "poison_val was written after DRIVER_OK");
}

void sim_balloon_forget(struct sim_balloon *sim)
{
	sim->pending_count = 0;
	sim->stats_held = 0;
	if (!sim->keep_on_reset && sim->inflated > 0)
		clear_set(sim);
	own(sim, 0, UINT64_MAX, false);
}

/* As QEMU: num_pages and actual survive a reset. */
static void was_reset(struct sim_virtio *virtio)
{
	sim_balloon_forget(balloon_of(virtio));
}

void sim_balloon_init(struct sim_balloon *sim, bool legacy, uint64_t features)
{
	unsigned queues = 2;

	memset(sim, 0, sizeof(*sim));
	/* 5.5.3: STATS_VQ is bit 1, FREE_PAGE_HINT bit 3, REPORTING bit 5. */
	if (features & VIRTIO_BIT(1))
		sim->stats_queue = queues++;
	if (features & VIRTIO_BIT(3))
		sim->hint_queue = queues++;
	if (features & VIRTIO_BIT(5))
		sim->report_queue = queues++;
	sim_virtio_init(&sim->virtio, VIRTIO_ID_BALLOON, legacy, features, queues);
	sim->virtio.config_size = SIM_BALLOON_CONFIG_SIZE;
	sim->virtio.on_config_write = config_written;
	sim->virtio.on_reset = was_reset;
	for (unsigned q = 0; q < queues; q++)
		sim->virtio.queue[q].notify = notified;
	if (sim->report_queue)
		sim->virtio.queue[sim->report_queue].size_max = 32;
	map_set(sim);
}

void sim_balloon_fini(struct sim_balloon *sim)
{
	munmap(sim->set, SET_BYTES);
}

void sim_balloon_set_target(struct sim_balloon *sim, uint32_t pages)
{
	sim_virtio_set_config32(&sim->virtio, SIM_BALLOON_NUM_PAGES, pages);
}

uint32_t sim_balloon_actual(const struct sim_balloon *sim)
{
	return sim_virtio_config32(&sim->virtio, SIM_BALLOON_ACTUAL);
}

size_t sim_balloon_ask_stats(struct sim_balloon *sim, void *copy, size_t size)
{
	const struct virtq_buffer *buffer = &sim->stats.buffer[0];
	size_t length = buffer->length < size ? buffer->length : size;

	if (sim->stats_held != 1) {
		sim_virtio_violate(&sim->virtio, "no statistics buffer with the device");
		return 0;
	}
	memcpy(copy, phys_to_virt(buffer->address), length);
	sim->stats_held--;
	sim_virtio_push(&sim->virtio, sim->stats_queue, sim->stats.head, 0);
	return buffer->length;
}

void sim_balloon_set_hint_id(struct sim_balloon *sim, uint32_t id)
{
	sim_virtio_set_config32(&sim->virtio, SIM_BALLOON_HINT_ID, id);
}
