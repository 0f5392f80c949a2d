/* SPDX-License-Identifier: BSD-2-Clause */
/* A simulated virtio-blk device; see sim_blk.h. */
#include "tests/sim/sim_blk.h"

#include <stdlib.h>
#include <string.h>

#include "arch/paging.h"

/* 5.2.6, in bytes. */
#define HEADER_SIZE 16
#define HEADER_RESERVED 4
#define HEADER_SECTOR 8
#define SERIAL_SIZE 20

static struct sim_blk *blk_of(struct sim_virtio *virtio)
{
	return container_of(virtio, struct sim_blk, virtio);
}

static bool has(const struct sim_blk *sim, unsigned bit)
{
	return sim->virtio.driver_features >> bit & 1;
}

/* ---- Its config ---- */

void sim_blk_show(struct sim_blk *sim, size_t offset, uint32_t value)
{
	memcpy(sim->virtio.config + offset, &value, sizeof(value));
	/* Once a driver has read them, they hold. */
	if (sim->virtio.status & VIRTIO_STATUS_DRIVER_OK)
		return;
	if (offset == SIM_BLK_SEG_MAX)
		sim->seg_max = value;
	else if (offset == SIM_BLK_SIZE_MAX)
		sim->size_max = value;
}

static void show_size(struct sim_blk *sim)
{
	sim_blk_show(sim, SIM_BLK_CAPACITY, (uint32_t)sim->sectors);
	sim_blk_show(sim, SIM_BLK_CAPACITY + 4, (uint32_t)(sim->sectors >> 32));
}

void sim_blk_resize(struct sim_blk *sim, uint64_t sectors)
{
	sim->sectors = sectors;
	show_size(sim);
	sim->virtio.generation++;
	if (sim->virtio.status & VIRTIO_STATUS_DRIVER_OK)
		sim_virtio_interrupt(&sim->virtio, VIRTIO_ISR_CONFIG);
}

/* ---- Requests: their shape ---- */

/* The buffers between header and status. */
static const struct virtq_buffer *first_piece(const struct sim_blk_request *request)
{
	return &request->chain.buffer[1];
}

static unsigned count_pieces(const struct sim_blk_request *request)
{
	return request->chain.count - 2;
}

static uint8_t *status_of(const struct sim_blk_request *request)
{
	return phys_to_virt(request->chain.buffer[request->chain.count - 1].address);
}

/* Each returns what the driver did wrong, or NULL. */

static const char *read_header(struct sim_blk_request *request)
{
	const struct virtq_buffer *header = &request->chain.buffer[0];
	const struct virtq_buffer *last = &request->chain.buffer[request->chain.count - 1];
	const uint8_t *at = phys_to_virt(header->address);
	uint32_t reserved;

	if (request->chain.count < 2 || header->device_writes || header->length != HEADER_SIZE)
		return "a request without a header of its own";
	if (!last->device_writes || last->length != 1)
		return "a request without a status byte of its own";
	if (*status_of(request) <= 2)
		return "a status byte that looks well before it is written";
	memcpy(&request->type, at, sizeof(request->type));
	memcpy(&reserved, at + HEADER_RESERVED, sizeof(reserved));
	memcpy(&request->sector, at + HEADER_SECTOR, sizeof(request->sector));
	return reserved == 0 ? NULL : "a header whose second word is not 0";
}

static const char *read_pieces(struct sim_blk *sim, struct sim_blk_request *request)
{
	const struct virtq_buffer *piece = first_piece(request);

	request->data = 0;
	for (unsigned i = 0; i < count_pieces(request); i++) {
		request->data += piece[i].length;
		if (piece[i].device_writes != (request->type != VIRTIO_BLK_T_OUT))
			return "data of the wrong direction";
		if (has(sim, VIRTIO_BLK_F_SIZE_MAX) && piece[i].length > sim->size_max)
			return "a piece above SIZE_MAX";
		if (i > 0 && piece[i - 1].address + piece[i - 1].length == piece[i].address &&
		    !has(sim, VIRTIO_BLK_F_SIZE_MAX))
			return "neighbours in two pieces";
	}
	/* One is the least that a device can do with. */
	if (count_pieces(request) > 1 &&
	    (!has(sim, VIRTIO_BLK_F_SEG_MAX) || count_pieces(request) > sim->seg_max))
		return "more pieces than SEG_MAX";
	return NULL;
}

static const char *check_type(const struct sim_blk *sim, const struct sim_blk_request *request)
{
	switch (request->type) {
	case VIRTIO_BLK_T_OUT:
		if (has(sim, VIRTIO_BLK_F_RO))
			return "a write to a read-only disk";
		/* fall through */
	case VIRTIO_BLK_T_IN:
		return request->data > 0 && request->data % SIM_BLK_SECTOR == 0
			       ? NULL
			       : "data that is no number of sectors";
	case VIRTIO_BLK_T_FLUSH:
		if (!has(sim, VIRTIO_BLK_F_FLUSH))
			return "a flush that was not accepted";
		return request->data == 0 && request->sector == 0 ? NULL : "a flush of something";
	case VIRTIO_BLK_T_GET_ID:
		return request->data == SERIAL_SIZE ? NULL : "no room for a serial number";
	default:
		return "a request of no type";
	}
}

/* ---- Requests: what they do ---- */

static void move(struct sim_blk *sim, const struct sim_blk_request *request, uint8_t *content)
{
	const struct virtq_buffer *piece = first_piece(request);

	(void)sim;
	for (unsigned i = 0; i < count_pieces(request); i++) {
		void *memory = phys_to_virt(piece[i].address);

		if (piece[i].device_writes)
			memcpy(memory, content, piece[i].length);
		else
			memcpy(content, memory, piece[i].length);
		content += piece[i].length;
	}
}

static bool is_bad(const struct sim_blk *sim, const struct sim_blk_request *request)
{
	bool fails = request->type == VIRTIO_BLK_T_IN ? sim->fails_reads : sim->fails_writes;

	return fails && request->sector + request->data / SIM_BLK_SECTOR > sim->bad_sector;
}

static uint8_t read_or_write(struct sim_blk *sim, const struct sim_blk_request *request)
{
	uint64_t count = request->data / SIM_BLK_SECTOR;
	uint64_t end = min_u64(sim->sectors, sim->sectors_made);

	if (request->sector > end || count > end - request->sector || is_bad(sim, request))
		return 1;
	move(sim, request, sim->content + request->sector * SIM_BLK_SECTOR);
	return 0;
}

static uint8_t obey(struct sim_blk *sim, const struct sim_blk_request *request)
{
	if (request->type == VIRTIO_BLK_T_FLUSH)
		return sim->fails_writes ? 1 : 0;
	if (request->type != VIRTIO_BLK_T_GET_ID)
		return read_or_write(sim, request);
	if (sim->no_serial)
		return 2;
	move(sim, request, (uint8_t *)sim->serial);
	return 0;
}

static void answer(struct sim_blk *sim, const struct sim_blk_request *request, bool merged_with_bad)
{
	bool reads = request->type == VIRTIO_BLK_T_IN;
	uint8_t status = reads && merged_with_bad ? 1 : obey(sim, request);
	uint32_t written = 1 + (request->type == VIRTIO_BLK_T_OUT ? 0 : request->data);

	if (sim->status >= 0)
		status = (uint8_t)sim->status;
	if (!sim->no_status)
		*status_of(request) = status;
	sim_virtio_push(&sim->virtio, 0, request->chain.head, written + (uint32_t)sim->written);
	if (reads && status && sim->on_failure)
		sim->on_failure(sim);
}

static bool one_is_bad(const struct sim_blk *sim)
{
	for (size_t i = 0; i < sim->pending_count; i++)
		if (sim->pending[i].type == VIRTIO_BLK_T_IN && is_bad(sim, &sim->pending[i]))
			return true;
	return false;
}

size_t sim_blk_complete(struct sim_blk *sim, size_t most)
{
	bool merged_with_bad = sim->merges && one_is_bad(sim);
	size_t n = 0;

	for (; n < most && sim->pending_count > 0; n++) {
		size_t at = sim->newest_first ? sim->pending_count - 1 : 0;
		struct sim_blk_request request = sim->pending[at];

		sim->pending_count--;
		memmove(sim->pending + at, sim->pending + at + 1,
			(sim->pending_count - at) * sizeof(request));
		answer(sim, &request, merged_with_bad);
	}
	return n;
}

bool sim_blk_turn(struct sim_blk *sim, uint64_t now_ns)
{
	if (sim->completion == SIM_BLK_IN_TURN)
		return sim_blk_complete(sim, SIZE_MAX) > 0;
	if (sim->completion != SIM_BLK_PACED || now_ns - sim->paced_ns < sim->pace_ns ||
	    sim->pending_count == 0)
		return false;
	sim->paced_ns = now_ns;
	return sim_blk_complete(sim, 1) > 0;
}

static void take(struct sim_blk *sim, const struct sim_virtio_chain *chain)
{
	struct sim_blk_request *request = &sim->pending[sim->pending_count];
	const char *wrong;

	request->chain = *chain;
	wrong = read_header(request);
	if (!wrong)
		wrong = read_pieces(sim, request);
	if (!wrong)
		wrong = check_type(sim, request);
	if (wrong) {
		sim_virtio_violate(&sim->virtio, wrong);
		return;
	}
	sim->requests[request->type]++;
	sim->most_pieces = (unsigned)max_u64(sim->most_pieces, count_pieces(request));
	if (sim->completion != SIM_BLK_NEVER)
		sim->pending_count++;
	sim->most_pending = max_u64(sim->most_pending, sim->pending_count);
}

static void notify(struct sim_virtio *virtio, unsigned index)
{
	struct sim_blk *sim = blk_of(virtio);
	struct sim_virtio_chain chain;

	while (sim_virtio_pop(virtio, index, &chain)) {
		if (sim->pending_count == SIM_BLK_PENDING_MAX) {
			sim_virtio_violate(virtio, "too many requests");
			return;
		}
		take(sim, &chain);
	}
	if (sim->completion == SIM_BLK_AT_ONCE)
		sim_blk_complete(sim, SIZE_MAX);
}

static void on_reset(struct sim_virtio *virtio)
{
	blk_of(virtio)->pending_count = 0;
}

static void on_config_write(struct sim_virtio *virtio, size_t offset)
{
	(void)offset;
	sim_virtio_violate(virtio, "the config was written");
}

/* No two sectors are the same, nor begin as they end. */
static void fill(struct sim_blk *sim, uint64_t bytes)
{
	memset(sim->content, 0x5a, bytes);
	for (uint64_t at = 0; at + SIM_BLK_SECTOR <= bytes; at += SIM_BLK_SECTOR) {
		uint64_t end = ~at;

		memcpy(sim->content + at, &at, sizeof(at));
		memcpy(sim->content + at + SIM_BLK_SECTOR - sizeof(end), &end, sizeof(end));
	}
}

void sim_blk_init(struct sim_blk *sim, uint64_t features, uint64_t bytes)
{
	bool legacy = !(features & VIRTIO_BIT(VIRTIO_F_VERSION_1));

	memset(sim, 0, sizeof(*sim));
	sim_virtio_init(&sim->virtio, VIRTIO_ID_BLOCK, legacy, features, 1);
	sim->virtio.config_size = SIM_BLK_CONFIG_SIZE;
	sim->virtio.queue[0].notify = notify;
	sim->virtio.on_reset = on_reset;
	sim->virtio.on_config_write = on_config_write;
	sim->status = -1;
	memcpy(sim->serial, "sim", 3);
	sim->sectors = sim->sectors_made = bytes / SIM_BLK_SECTOR;
	sim->content = malloc(bytes + 1);
	if (!sim->content)
		abort();
	fill(sim, bytes);
	show_size(sim);
	sim_blk_show(sim, SIM_BLK_SEG_MAX, 126);
	sim_blk_show(sim, SIM_BLK_BLK_SIZE, SIM_BLK_SECTOR);
}

void sim_blk_fini(struct sim_blk *sim)
{
	free(sim->content);
	sim->content = NULL;
}
