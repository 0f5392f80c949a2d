/* SPDX-License-Identifier: BSD-2-Clause */
/* A simulated virtio-mem device; see sim_mem.h. */
#include "tests/sim/sim_mem.h"

#include <stdlib.h>
#include <string.h>

#include "arch/paging.h"

/* 5.15.6, in bytes. */
#define REQUEST_SIZE 24
#define REQUEST_ADDR 8
#define REQUEST_NB_BLOCKS 16
#define ANSWER_SIZE 10
#define ANSWER_STATE 8

static struct sim_mem *mem_of(struct sim_virtio *virtio)
{
	return container_of(virtio, struct sim_mem, virtio);
}

void sim_mem_show(struct sim_mem *sim, size_t offset, uint64_t value)
{
	memcpy(sim->virtio.config + offset, &value, sizeof(value));
	sim->virtio.generation++;
}

static void show_all(struct sim_mem *sim)
{
	sim_mem_show(sim, SIM_MEM_BLOCK_SIZE, sim->block_size);
	sim_mem_show(sim, SIM_MEM_ADDR, sim->addr);
	sim_mem_show(sim, SIM_MEM_REGION_SIZE, sim->region_size);
	sim_mem_show(sim, SIM_MEM_USABLE, sim->usable);
	sim_mem_show(sim, SIM_MEM_PLUGGED, sim->plugged);
	sim_mem_show(sim, SIM_MEM_REQUESTED, sim->requested);
}

/* ---- Its blocks ---- */

/* Tells whether an address is that of a block, and so many from there on are usable. */
static bool is_valid(const struct sim_mem *sim, uint64_t addr, uint64_t blocks)
{
	return blocks > 0 && addr >= sim->addr && (addr - sim->addr) % sim->block_size == 0 &&
	       addr - sim->addr < sim->usable &&
	       blocks <= (sim->usable - (addr - sim->addr)) / sim->block_size;
}

static size_t index_of(const struct sim_mem *sim, uint64_t addr)
{
	return (size_t)((addr - sim->addr) / sim->block_size);
}

static size_t count(const struct sim_mem *sim, uint64_t addr, uint64_t blocks)
{
	size_t n = 0;

	for (size_t i = index_of(sim, addr), end = i + blocks; i < end; i++)
		n += sim->is_plugged[i];
	return n;
}

static bool guest_uses(const struct sim_mem *sim, uint64_t addr, uint64_t bytes)
{
	size_t first = (size_t)((addr - sim->addr) / BLOCK_SIZE);
	size_t end = (size_t)(align_up(addr + bytes - sim->addr, BLOCK_SIZE) / BLOCK_SIZE);

	return memchr(sim->is_mapped + first, 1, end - first);
}

void sim_mem_set(struct sim_mem *sim, paddr_t addr, uint64_t bytes, bool plugged)
{
	uint64_t blocks = bytes / sim->block_size;
	size_t before = count(sim, addr, blocks);

	if (!plugged && !sim->blind && guest_uses(sim, addr, bytes))
		sim_virtio_violate(&sim->virtio, "memory is unplugged that is mapped");
	memset(sim->is_plugged + index_of(sim, addr), plugged, blocks);
	sim->plugged += (plugged ? blocks : 0) * sim->block_size;
	sim->plugged -= before * sim->block_size;
	sim_mem_show(sim, SIM_MEM_PLUGGED, sim->plugged);
}

bool sim_mem_has(const struct sim_mem *sim, paddr_t addr, uint64_t bytes)
{
	uint64_t blocks = bytes / sim->block_size;

	return count(sim, addr, blocks) == blocks;
}

void sim_mem_map(struct sim_mem *sim, paddr_t addr, uint64_t bytes, bool mapped)
{
	if (addr < sim->addr || addr - sim->addr >= sim->region_size)
		return;
	if (mapped && !sim->blind && !sim_mem_has(sim, addr, bytes))
		sim_virtio_violate(&sim->virtio, "memory is mapped that is not plugged");
	memset(sim->is_mapped + (addr - sim->addr) / BLOCK_SIZE, mapped, bytes / BLOCK_SIZE);
}

/* ---- Requests ---- */

static uint16_t plug(struct sim_mem *sim, uint64_t addr, uint64_t blocks)
{
	if (!is_valid(sim, addr, blocks) || count(sim, addr, blocks) > 0)
		return VIRTIO_MEM_ERROR;
	if (sim->plugged + blocks * sim->block_size > sim->requested)
		return VIRTIO_MEM_NACK;
	sim_mem_set(sim, addr, blocks * sim->block_size, true);
	return VIRTIO_MEM_ACK;
}

static uint16_t unplug(struct sim_mem *sim, uint64_t addr, uint64_t blocks)
{
	if (!is_valid(sim, addr, blocks) || count(sim, addr, blocks) < blocks)
		return VIRTIO_MEM_ERROR;
	sim_mem_set(sim, addr, blocks * sim->block_size, false);
	return VIRTIO_MEM_ACK;
}

static uint64_t usable_for(const struct sim_mem *sim)
{
	return min_u64(sim->region_size, sim->requested > 0 ? sim->requested + SIM_MEM_MARGIN : 0);
}

static uint16_t unplug_all(struct sim_mem *sim)
{
	sim_mem_set(sim, sim->addr, sim->region_size, false);
	sim->usable = usable_for(sim);
	sim_mem_show(sim, SIM_MEM_USABLE, sim->usable);
	return VIRTIO_MEM_ACK;
}

static uint16_t tell_state(const struct sim_mem *sim, uint64_t addr, uint64_t blocks,
			   uint16_t *state)
{
	size_t n;

	if (!is_valid(sim, addr, blocks))
		return VIRTIO_MEM_ERROR;
	n = count(sim, addr, blocks);
	*state = n == blocks ? VIRTIO_MEM_PLUGGED : n > 0 ? VIRTIO_MEM_MIXED : VIRTIO_MEM_UNPLUGGED;
	return VIRTIO_MEM_ACK;
}

static void obey(struct sim_mem *sim, const struct sim_mem_request *request,
		 struct sim_mem_answer *answer)
{
	*answer = (struct sim_mem_answer){ .type = VIRTIO_MEM_ERROR };
	if (sim->lie && sim->lie(sim, request, answer))
		return;
	if (request->type == VIRTIO_MEM_STATE ? sim->busy_with_state : sim->busy)
		answer->type = VIRTIO_MEM_BUSY;
	else if (request->type == VIRTIO_MEM_PLUG)
		answer->type = plug(sim, request->addr, request->nb_blocks);
	else if (request->type == VIRTIO_MEM_UNPLUG)
		answer->type = unplug(sim, request->addr, request->nb_blocks);
	else if (request->type == VIRTIO_MEM_UNPLUG_ALL)
		answer->type = unplug_all(sim);
	else
		answer->type = tell_state(sim, request->addr, request->nb_blocks, &answer->state);
}

static void send(struct sim_mem *sim, const struct sim_mem_request *request,
		 const struct sim_mem_answer *answer)
{
	uint8_t *at = phys_to_virt(request->answer_at);

	memset(at, 0, ANSWER_SIZE);
	memcpy(at, &answer->type, sizeof(answer->type));
	memcpy(at + ANSWER_STATE, &answer->state, sizeof(answer->state));
	if (answer->type < ARRAY_SIZE(sim->answers))
		sim->answers[answer->type]++;
	sim_virtio_push(&sim->virtio, 0, request->head, sim->written);
}

/* Reads what a request says; a bad one is a violation, and is not answered. */
static bool read_request(struct sim_mem *sim, const struct sim_virtio_chain *chain,
			 struct sim_mem_request *request)
{
	const uint8_t *at;

	if (chain->count != 2 || chain->buffer[0].device_writes ||
	    !chain->buffer[1].device_writes || chain->buffer[0].length < REQUEST_SIZE ||
	    chain->buffer[1].length < ANSWER_SIZE) {
		sim_virtio_violate(&sim->virtio, "a chain that is no request");
		return false;
	}
	at = phys_to_virt(chain->buffer[0].address);
	request->head = chain->head;
	request->answer_at = chain->buffer[1].address;
	memcpy(&request->type, at, sizeof(request->type));
	memcpy(&request->addr, at + REQUEST_ADDR, sizeof(request->addr));
	memcpy(&request->nb_blocks, at + REQUEST_NB_BLOCKS, sizeof(request->nb_blocks));
	if (request->type >= SIM_MEM_TYPES)
		sim_virtio_violate(&sim->virtio, "a request of no type");
	return request->type < SIM_MEM_TYPES;
}

static void remove_first(struct sim_mem *sim)
{
	sim->pending_count--;
	memmove(sim->pending, sim->pending + 1, sim->pending_count * sizeof(sim->pending[0]));
}

size_t sim_mem_complete(struct sim_mem *sim, size_t most)
{
	size_t n = 0;

	for (; n < most && sim->pending_count > 0; n++) {
		struct sim_mem_request request = sim->pending[0];
		struct sim_mem_answer answer;

		remove_first(sim);
		obey(sim, &request, &answer);
		send(sim, &request, &answer);
	}
	return n;
}

bool sim_mem_answer(struct sim_mem *sim, uint16_t type, uint16_t state)
{
	struct sim_mem_answer answer = { .type = type, .state = state };
	struct sim_mem_request request = sim->pending[0];

	if (sim->pending_count == 0)
		return false;
	remove_first(sim);
	send(sim, &request, &answer);
	return true;
}

static void notify(struct sim_virtio *virtio, unsigned index)
{
	struct sim_mem *sim = mem_of(virtio);
	struct sim_virtio_chain chain;

	while (sim_virtio_pop(virtio, index, &chain)) {
		struct sim_mem_request *request = &sim->pending[sim->pending_count];

		if (sim->pending_count == SIM_MEM_PENDING_MAX) {
			sim_virtio_violate(virtio, "too many requests");
			return;
		}
		if (!read_request(sim, &chain, request))
			continue;
		sim->requests[request->type]++;
		sim->largest = max_u64(sim->largest, request->nb_blocks);
		if (sim->completion != SIM_MEM_NEVER)
			sim->pending_count++;
		sim->most_pending = max_u64(sim->most_pending, sim->pending_count);
	}
	if (sim->completion == SIM_MEM_AT_ONCE)
		sim_mem_complete(sim, SIZE_MAX);
}

/* What was asked is forgotten; what is plugged stays so. */
static void on_reset(struct sim_virtio *virtio)
{
	struct sim_mem *sim = mem_of(virtio);

	sim->pending_count = 0;
	if (sim->forgetful)
		sim_mem_set(sim, sim->addr, sim->region_size, false);
}

static void on_config_write(struct sim_virtio *virtio, size_t offset)
{
	(void)offset;
	sim_virtio_violate(virtio, "the config was written");
}

/* ---- From outside ---- */

void sim_mem_request_size(struct sim_mem *sim, uint64_t bytes)
{
	sim->requested = bytes;
	sim->usable = max_u64(sim->usable, usable_for(sim));
	sim_mem_show(sim, SIM_MEM_USABLE, sim->usable);
	sim_mem_show(sim, SIM_MEM_REQUESTED, bytes);
	if (sim->virtio.status & VIRTIO_STATUS_DRIVER_OK)
		sim_virtio_interrupt(&sim->virtio, VIRTIO_ISR_CONFIG);
}

void sim_mem_init(struct sim_mem *sim, uint64_t features, paddr_t addr, uint64_t region_size,
		  uint64_t block_size)
{
	memset(sim, 0, sizeof(*sim));
	sim_virtio_init(&sim->virtio, VIRTIO_ID_MEM, false, features, 1);
	sim->virtio.config_size = SIM_MEM_CONFIG_SIZE;
	sim->virtio.queue[0].notify = notify;
	sim->virtio.on_reset = on_reset;
	sim->virtio.on_config_write = on_config_write;
	sim->written = ANSWER_SIZE;
	sim->addr = addr;
	sim->region_size = region_size;
	sim->block_size = block_size;
	sim->is_plugged = calloc(region_size / block_size + 1, 1);
	sim->is_mapped = calloc(region_size / BLOCK_SIZE + 2, 1);
	if (!sim->is_plugged || !sim->is_mapped)
		abort();
	show_all(sim);
}

void sim_mem_fini(struct sim_mem *sim)
{
	free(sim->is_plugged);
	free(sim->is_mapped);
	sim->is_plugged = NULL;
	sim->is_mapped = NULL;
}
