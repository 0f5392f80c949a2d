/* SPDX-License-Identifier: BSD-2-Clause */
/* A request's life: filled, sent, acknowledged; or abandoned, with its device. */
#include "drivers/balloon/balloon_pages.h"

#include <errno.h>
#include <string.h>

#include "arch/clock.h"
#include "arch/cpu.h"
#include "arch/paging.h"
#include "drivers/virtio/virtio.h"
#include "drivers/virtio/virtq.h"
#include "kernel/lib/endian.h"
#include "kernel/lib/panic.h"
#include "mm/frame.h"
#include "mm/ledger.h"

/* Queues (5.5.2). */
#define QUEUE_INFLATE 0
#define QUEUE_DEFLATE 1

/* Requests that can be with the device at a time; one more is kept for taking back. */
#define REQUESTS 8
#define TAKE_BACK_REQUEST REQUESTS

#define BUFFER_MAX BALLOON_BUFFER_BLOCK

struct request {
	struct virtq *queue; /* it is with the device there; NULL: it is ours */
	size_t count;
	pfn_t pfns[BUFFER_MAX]; /* ours alone */
	le32 *wire;		/* what the device reads */
};

static struct {
	struct virtq inflate;
	struct virtq deflate;
	size_t buffer; /* frames */
	struct request request[REQUESTS + 1];
	pfn_t wire;		/* first frame of all the buffers */
	uint64_t inflating;	/* frames in requests on the inflate queue */
	size_t in_flight;	/* requests on either */
	uint64_t last_progress; /* when a request was last sent or finished */
	struct balloon_pages_counts counts;
} pages;

/* ---- A request ---- */

static struct request *find_idle_request(void)
{
	for (size_t i = 0; i < REQUESTS; i++)
		if (!pages.request[i].queue)
			return &pages.request[i];
	return NULL;
}

/* How many more requests a queue can take. */
static size_t room(const struct virtq *queue)
{
	size_t idle = pages.in_flight < REQUESTS ? REQUESTS - pages.in_flight : 0;

	return virtq_is_broken(queue) ? 0 : idle < queue->free_count ? idle : queue->free_count;
}

/* Our books must agree with ourselves; if not, memory was overwritten. */
static void move_frames(const struct request *request, enum owner from, enum owner to)
{
	size_t i = 0;

	while (i < request->count) {
		pfn_t start = request->pfns[i];
		size_t run = 1;
		int err;

		while (i + run < request->count && request->pfns[i + run] == start + run)
			run++;
		err = to == OWNER_FREE ? frame_free(start, run, from)
				       : frame_change_owner(start, run, from, to);
		if (err)
			panic("balloon: frames %#llx+%zu are not %s; look for a wild write",
			      (unsigned long long)start, run, owner_name(from));
		i += run;
	}
}

/* Offers the request's frames, which are in-flight, to the device. */
static int send_request(struct request *request, struct virtq *queue)
{
	struct virtq_buffer buffer = {
		.address = virt_to_phys(request->wire),
		.length = (uint32_t)(request->count * sizeof(le32)),
	};
	int err;

	for (size_t i = 0; i < request->count; i++)
		request->wire[i] = cpu_to_le32((uint32_t)request->pfns[i]);
	err = virtq_add(queue, &buffer, 1, request);
	if (err)
		return err;
	request->queue = queue;
	pages.in_flight++;
	pages.last_progress = clock_ns();
	return 0;
}

/* The device has acknowledged it: the frames arrive. */
static void finish_request(struct request *request)
{
	if (request->queue == &pages.inflate) {
		move_frames(request, OWNER_IN_FLIGHT, OWNER_BALLOON);
		pages.inflating -= request->count;
		pages.counts.inflated += request->count;
		pages.counts.inflate_requests++;
	} else {
		move_frames(request, OWNER_IN_FLIGHT, OWNER_FREE);
		pages.counts.deflated += request->count;
		pages.counts.deflate_requests++;
	}
	request->queue = NULL;
	pages.in_flight--;
	pages.last_progress = clock_ns();
}

static int take_finished(struct virtq *queue)
{
	void *request;
	int got;

	while ((got = virtq_get_used(queue, &request, NULL)) > 0)
		finish_request(request);
	return got;
}

int balloon_pages_step(void)
{
	int err = take_finished(&pages.inflate);

	return err ? err : take_finished(&pages.deflate);
}

/* ---- Inflation ---- */

/* The request's frames are in-flight; there was room. */
static size_t send_inflate(struct request *request)
{
	/* Only a broken queue refuses now; the next look at it tells. */
	if (send_request(request, &pages.inflate)) {
		move_frames(request, OWNER_IN_FLIGHT, OWNER_FREE);
		return 0;
	}
	pages.inflating += request->count;
	return request->count;
}

/* How many requests a block takes. */
static size_t requests_per_block(void)
{
	return BLOCK_FRAMES / pages.buffer;
}

/* A block that is free as a whole. */
static size_t inflate_block(void)
{
	size_t sent = 0;
	pfn_t pfn;

	if (frame_alloc_block(BALLOON_PFN_LIMIT, OWNER_IN_FLIGHT, &pfn))
		return 0;
	for (pfn_t end = pfn + BLOCK_FRAMES; pfn < end;) {
		struct request *request = find_idle_request();

		for (request->count = 0; request->count < pages.buffer; request->count++)
			request->pfns[request->count] = pfn++;
		sent += send_inflate(request);
	}
	return sent;
}

static size_t inflate_frames(uint64_t want)
{
	struct request *request = find_idle_request();
	size_t count = want < pages.buffer ? (size_t)want : pages.buffer;

	request->count = frame_alloc_bulk(count, BALLOON_PFN_LIMIT, OWNER_IN_FLIGHT, request->pfns);
	return request->count > 0 ? send_inflate(request) : 0;
}

uint64_t balloon_pages_inflate(uint64_t want)
{
	uint64_t offered = 0;

	while (offered < want) {
		bool block = want - offered >= BLOCK_FRAMES && frame_free_blocks() > 0 &&
			     pages.inflate.size >= requests_per_block();
		size_t n = 0;

		if (room(&pages.inflate) < (block ? requests_per_block() : 1))
			break;
		if (block)
			n = inflate_block();
		if (n == 0)
			n = inflate_frames(want - offered);
		if (n == 0)
			break;
		offered += n;
	}
	return offered;
}

uint64_t balloon_pages_inflate_leaving(void)
{
	uint64_t offered = 0;

	while (ledger_count(OWNER_LEAVING) > 0 && room(&pages.inflate) > 0) {
		struct request *request = find_idle_request();
		size_t n;

		request->count = frame_collect(OWNER_LEAVING, 0, pages.buffer, request->pfns);
		move_frames(request, OWNER_LEAVING, OWNER_IN_FLIGHT);
		n = send_inflate(request);
		if (n == 0)
			break;
		offered += n;
	}
	return offered;
}

/* ---- Deflation ---- */

/* The lowest ballooned frames, at most `want`. */
static size_t send_deflate(struct request *request, uint64_t want)
{
	size_t count = want < pages.buffer ? (size_t)want : pages.buffer;

	request->count = frame_collect(OWNER_BALLOON, 0, count, request->pfns);
	if (request->count == 0)
		return 0;
	move_frames(request, OWNER_BALLOON, OWNER_IN_FLIGHT);
	if (send_request(request, &pages.deflate)) {
		move_frames(request, OWNER_IN_FLIGHT, OWNER_BALLOON);
		return 0;
	}
	return request->count;
}

uint64_t balloon_pages_deflate(uint64_t want)
{
	uint64_t offered = 0;

	while (offered < want && room(&pages.deflate) > 0) {
		size_t n = send_deflate(find_idle_request(), want - offered);

		if (n == 0)
			break;
		offered += n;
	}
	return offered;
}

/* One request, waited for. */
static int take_back_some(uint64_t want, size_t *freed)
{
	struct request *request = &pages.request[TAKE_BACK_REQUEST];
	uint64_t deadline = clock_ns() + VIRTIO_DEADLINE_NS;
	size_t sent;
	int err = 0;

	*freed = 0;
	/* Busy only if an earlier one was never answered. */
	if (request->queue)
		return -EIO;
	/* In a reset, or the task finds out what is wrong: no word on the device from here. */
	if (virtq_is_broken(&pages.deflate) || pages.deflate.free_count == 0)
		return 0;
	sent = send_deflate(request, want);
	if (sent == 0)
		return 0;
	virtq_kick(&pages.deflate);
	for (err = balloon_pages_step(); !err && request->queue; err = balloon_pages_step()) {
		if (clock_ns() > deadline)
			return -ETIMEDOUT;
		cpu_relax();
	}
	*freed = err ? 0 : sent;
	return err;
}

int balloon_pages_take_back(uint64_t want, size_t *freed)
{
	size_t some;
	int err;

	*freed = 0;
	do {
		err = take_back_some(want - *freed, &some);
		*freed += some;
	} while (!err && some > 0 && *freed < want);
	return err;
}

/* ---- Start and stop ---- */

static unsigned wire_order(void)
{
	unsigned order = 0;

	while (FRAME_SIZE << order < (REQUESTS + 1) * BUFFER_MAX * sizeof(le32))
		order++;
	return order;
}

/* What the device reads lies together, in frames of its own. */
static int alloc_wire(void)
{
	int err = frame_alloc(wire_order(), OWNER_VIRTQUEUES, &pages.wire);

	if (err)
		return err;
	for (size_t i = 0; i <= REQUESTS; i++)
		pages.request[i].wire = (le32 *)phys_to_virt(pfn_to_paddr(pages.wire)) +
					i * BUFFER_MAX;
	return 0;
}

static void free_wire(void)
{
	frame_free(pages.wire, (size_t)1 << wire_order(), OWNER_VIRTQUEUES);
}

int balloon_pages_start(struct virtio_device *device)
{
	int err;

	memset(&pages.inflate, 0, sizeof(pages.inflate));
	memset(&pages.deflate, 0, sizeof(pages.deflate));
	pages.buffer = BALLOON_BUFFER_PORTABLE;
	err = alloc_wire();
	if (err)
		return err;
	err = virtq_create(device, QUEUE_INFLATE, &pages.inflate);
	if (err)
		goto err_wire;
	err = virtq_create(device, QUEUE_DEFLATE, &pages.deflate);
	if (err)
		goto err_wire;
	return 0;

err_wire:
	/* The rings of a queue that is there go with it: balloon_pages_stop(). */
	free_wire();
	pages.wire = 0;
	return err;
}

void balloon_pages_stop(void)
{
	for (size_t i = 0; i <= REQUESTS; i++) {
		struct request *request = &pages.request[i];

		if (!request->queue)
			continue;
		move_frames(request, OWNER_IN_FLIGHT,
			    request->queue == &pages.inflate ? OWNER_FREE : OWNER_BALLOON);
		request->queue = NULL;
	}
	pages.inflating = 0;
	pages.in_flight = 0;
	if (pages.inflate.desc)
		virtq_destroy(&pages.inflate);
	if (pages.deflate.desc)
		virtq_destroy(&pages.deflate);
	if (pages.wire != 0)
		free_wire();
	pages.wire = 0;
}

void balloon_pages_forget(void)
{
	memset(&pages, 0, sizeof(pages));
}

void balloon_pages_set_buffer(size_t frames)
{
	pages.buffer = frames;
}

/* ---- What others want to know ---- */

void balloon_pages_kick(void)
{
	virtq_kick(&pages.inflate);
	virtq_kick(&pages.deflate);
}

uint64_t balloon_pages_inflating(void)
{
	return pages.inflating;
}

bool balloon_pages_have_room(void)
{
	return room(&pages.inflate) > 0;
}

bool balloon_pages_have_news(void)
{
	return virtq_has_used(&pages.inflate) || virtq_has_used(&pages.deflate);
}

bool balloon_pages_busy(uint64_t *since)
{
	*since = pages.last_progress;
	return pages.in_flight > 0;
}

void balloon_pages_set_interrupts(bool wanted)
{
	virtq_set_interrupts(&pages.inflate, wanted);
	virtq_set_interrupts(&pages.deflate, wanted);
}

void balloon_pages_counts(struct balloon_pages_counts *counts)
{
	*counts = pages.counts;
}
