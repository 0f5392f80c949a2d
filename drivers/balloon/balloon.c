/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The balloon's whole life, top to bottom: a request, inflation, deflation,
 * what comes back from the device, telling the host, one round, waiting,
 * memory pressure, the start.
 *
 * A frame on its way changes owner twice:
 *
 *	free -> in-flight -> balloon	inflate: the second when the device has
 *	balloon -> in-flight -> free	deflate: acknowledged the buffer
 *
 * The owner map is the only list of the frames. A ballooned frame is never
 * touched.
 */
#include "drivers/balloon/balloon.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "arch/barrier.h"
#include "arch/clock.h"
#include "arch/cpu.h"
#include "arch/irq.h"
#include "arch/paging.h"
#include "drivers/virtio/virtio.h"
#include "drivers/virtio/virtq.h"
#include "kernel/lib/endian.h"
#include "kernel/lib/log.h"
#include "kernel/lib/panic.h"
#include "mm/frame.h"
#include "mm/ledger.h"

/* Device config (5.5.4), 4 bytes each. */
#define CONFIG_NUM_PAGES 0x00
#define CONFIG_ACTUAL 0x04

/* Queues (5.5.2). */
#define QUEUE_INFLATE 0
#define QUEUE_DEFLATE 1

#define FEATURES_ALLOWED \
	(VIRTIO_BIT(VIRTIO_BALLOON_F_MUST_TELL_HOST) | VIRTIO_BIT(VIRTIO_BALLOON_F_DEFLATE_ON_OOM))

/* Buffers that can be with the device at a time; one more is kept for reclaiming. */
#define REQUESTS 8
#define RECLAIM_REQUEST REQUESTS
#define REQUESTS_PER_BLOCK (BLOCK_FRAMES / BALLOON_BUFFER_FRAMES)

/* A PFN on the wire has 32 bits (5.5.6): frames from 16 TiB on are out of reach. */
#define WIRE_PFN_LIMIT ((pfn_t)1 << 32)

/* `actual` is written at the end of the work, and this often meanwhile. */
#define ACTUAL_INTERVAL_NS (NS_PER_S / 4)

/* While the floor is in the way, the free memory is looked at this often. */
#define RETRY_NS (NS_PER_S / 10)

/* Without any interrupt the target is read this often. */
#define IDLE_NS NS_PER_S

struct request {
	struct virtq *queue; /* it is with the device there; NULL: it is ours */
	size_t count;
	pfn_t pfns[BALLOON_BUFFER_FRAMES]; /* ours alone */
	le32 *wire;			   /* what the device reads */
};

static struct {
	struct virtio_device *device;
	struct virtq inflate;
	struct virtq deflate;
	struct request request[REQUESTS + 1];
	uint64_t inflating;	/* frames in requests on the inflate queue */
	uint64_t in_flight;	/* requests on either */
	uint64_t last_progress; /* when the device last took or finished one */
	uint64_t actual_time;	/* when `actual` was last written */
	uint64_t hold_off;	/* no inflation before */
	struct balloon_status status;
} balloon;

/* ---- A request: up to 256 frames on their way ---- */

static struct request *find_idle_request(void)
{
	for (size_t i = 0; i < REQUESTS; i++)
		if (!balloon.request[i].queue)
			return &balloon.request[i];
	return NULL;
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
	balloon.in_flight++;
	balloon.last_progress = clock_ns();
	return 0;
}

/* The device has acknowledged it: the frames arrive. */
static void finish_request(struct request *request)
{
	struct balloon_status *status = &balloon.status;

	if (request->queue == &balloon.inflate) {
		move_frames(request, OWNER_IN_FLIGHT, OWNER_BALLOON);
		balloon.inflating -= request->count;
		status->inflated += request->count;
		status->inflate_requests++;
	} else {
		move_frames(request, OWNER_IN_FLIGHT, OWNER_FREE);
		status->deflated += request->count;
		status->deflate_requests++;
	}
	request->queue = NULL;
	balloon.in_flight--;
	balloon.last_progress = clock_ns();
}

/*
 * The device is no longer expected to do anything, and has been reset: what it
 * had is ours again, on the side that it came from.
 */
static void abandon_requests(void)
{
	for (size_t i = 0; i <= REQUESTS; i++) {
		struct request *request = &balloon.request[i];

		if (!request->queue)
			continue;
		move_frames(request, OWNER_IN_FLIGHT,
			    request->queue == &balloon.inflate ? OWNER_FREE : OWNER_BALLOON);
		request->queue = NULL;
	}
	balloon.inflating = 0;
	balloon.in_flight = 0;
}

/*
 * May be called again: the first reason stays. A device that does not even
 * finish its reset may still discard the frames that it has: they stay
 * in-flight for good.
 */
static void give_up(const char *why)
{
	virtio_break(balloon.device, why);
	if (virtio_is_reset(balloon.device))
		abandon_requests();
}

/* How many more requests a queue can take. */
static size_t room(const struct virtq *queue)
{
	size_t idle = REQUESTS - balloon.in_flight;

	return idle < queue->free_count ? idle : queue->free_count;
}

/* ---- Inflation: free -> in-flight ---- */

/* Frames that belong to the balloon, or will when the device answers. */
static uint64_t frames_given(void)
{
	return ledger_count(OWNER_BALLOON) + balloon.inflating;
}

/* Free frames above the floor. */
static uint64_t frames_spare(void)
{
	uint64_t free = ledger_count(OWNER_FREE);

	return free > balloon.status.floor ? free - balloon.status.floor : 0;
}

/* The request's frames are in-flight; there was room. */
static void send_inflate(struct request *request)
{
	/* Only a broken queue refuses now; the next look at it tells. */
	if (send_request(request, &balloon.inflate))
		move_frames(request, OWNER_IN_FLIGHT, OWNER_FREE);
	else
		balloon.inflating += request->count;
}

/* A block that is free as a whole, in REQUESTS_PER_BLOCK requests. */
static size_t inflate_block(void)
{
	pfn_t pfn;

	if (frame_alloc_block(WIRE_PFN_LIMIT, OWNER_IN_FLIGHT, &pfn))
		return 0;
	for (pfn_t end = pfn + BLOCK_FRAMES; pfn < end;) {
		struct request *request = find_idle_request();

		for (request->count = 0; request->count < BALLOON_BUFFER_FRAMES; request->count++)
			request->pfns[request->count] = pfn++;
		send_inflate(request);
	}
	return BLOCK_FRAMES;
}

static size_t inflate_frames(uint64_t want)
{
	struct request *request = find_idle_request();
	size_t count = want < BALLOON_BUFFER_FRAMES ? (size_t)want : BALLOON_BUFFER_FRAMES;

	request->count = frame_alloc_bulk(count, WIRE_PFN_LIMIT, OWNER_IN_FLIGHT, request->pfns);
	if (request->count > 0)
		send_inflate(request);
	return request->count;
}

/* Offers up to `want` frames, whole blocks first. Returns how many were offered. */
static uint64_t inflate(uint64_t want)
{
	uint64_t spare = frames_spare();
	uint64_t offered = 0;

	if (clock_ns() < balloon.hold_off)
		return 0;
	if (want > spare)
		want = spare;
	while (offered < want) {
		bool block = want - offered >= BLOCK_FRAMES && frame_free_blocks() > 0 &&
			     balloon.inflate.size >= REQUESTS_PER_BLOCK;
		size_t n = 0;

		if (room(&balloon.inflate) < (block ? REQUESTS_PER_BLOCK : 1))
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

/* ---- Deflation: balloon -> in-flight ---- */

/* The lowest ballooned frames, at most `want`. */
static size_t send_deflate(struct request *request, uint64_t want)
{
	size_t count = want < BALLOON_BUFFER_FRAMES ? (size_t)want : BALLOON_BUFFER_FRAMES;

	request->count = frame_collect(OWNER_BALLOON, 0, count, request->pfns);
	if (request->count == 0)
		return 0;
	move_frames(request, OWNER_BALLOON, OWNER_IN_FLIGHT);
	if (send_request(request, &balloon.deflate)) {
		move_frames(request, OWNER_IN_FLIGHT, OWNER_BALLOON);
		return 0;
	}
	return request->count;
}

static uint64_t deflate(uint64_t want)
{
	uint64_t offered = 0;

	while (offered < want && room(&balloon.deflate) > 0) {
		size_t n = send_deflate(find_idle_request(), want - offered);

		if (n == 0)
			break;
		offered += n;
	}
	return offered;
}

/* ---- What comes back: in-flight -> balloon, in-flight -> free ---- */

static void take_finished(struct virtq *queue)
{
	void *request;
	int got;

	while ((got = virtq_get_used(queue, &request, NULL)) > 0)
		finish_request(request);
	if (got < 0)
		give_up("the used ring is not what a device may write");
}

static void take_all_finished(void)
{
	take_finished(&balloon.inflate);
	take_finished(&balloon.deflate);
}

/* The one deadline for an answer; and a device may say itself that it is lost. */
static void check_device(void)
{
	if (balloon.device->broken)
		return;
	if (balloon.in_flight > 0 && clock_ns() - balloon.last_progress > VIRTIO_DEADLINE_NS)
		give_up("no answer within 2 s");
}

/* ---- Telling the host ---- */

/*
 * 5.5.6.2: `actual` follows the operations, and one write may stand for
 * several. A watcher sees a few a second, and the last one at once.
 */
static void write_actual(bool busy)
{
	struct balloon_status *status = &balloon.status;
	uint64_t actual = ledger_count(OWNER_BALLOON);
	uint64_t now = clock_ns();

	if (actual == status->actual || (busy && now - balloon.actual_time < ACTUAL_INTERVAL_NS))
		return;
	virtio_config_write32(balloon.device, CONFIG_ACTUAL, (uint32_t)actual);
	status->actual = actual;
	status->actual_writes++;
	balloon.actual_time = now;
}

/* ---- One round ---- */

static uint64_t offer(uint64_t target)
{
	uint64_t given = frames_given();

	return given < target ? inflate(target - given) : deflate(given - target);
}

bool balloon_step(void)
{
	uint64_t offered;

	take_all_finished();
	check_device();
	if (balloon.device->broken)
		return false;
	/* Before the target is read: a change after that is not missed. */
	balloon.device->config_changed = false;
	balloon.status.target = virtio_config_read32(balloon.device, CONFIG_NUM_PAGES);
	offered = offer(balloon.status.target);
	if (offered > 0) {
		virtq_kick(&balloon.inflate);
		virtq_kick(&balloon.deflate);
		take_all_finished();
	}
	write_actual(offered > 0 || balloon.in_flight > 0);
	return offered > 0 && room(&balloon.inflate) > 0;
}

/* ---- Waiting ---- */

static bool has_news(void)
{
	return balloon.device->config_changed || virtq_has_used(&balloon.inflate) ||
	       virtq_has_used(&balloon.deflate);
}

static uint64_t next_look(void)
{
	uint64_t now = clock_ns();
	struct balloon_status status;

	if (balloon.in_flight > 0)
		return balloon.last_progress + VIRTIO_DEADLINE_NS + 1;
	balloon_status(&status);
	if (now < balloon.hold_off)
		return balloon.hold_off;
	return now + (status.shortfall > 0 ? RETRY_NS : IDLE_NS);
}

static void set_interrupts(bool wanted)
{
	virtq_set_interrupts(&balloon.inflate, wanted);
	virtq_set_interrupts(&balloon.deflate, wanted);
}

/* Until the device has news or it is time to look by ourselves. */
static void wait_for_news(void)
{
	bool (*wait)(struct wait_queue *, uint64_t) = balloon.in_flight > 0 ? task_wait_device
									    : task_wait;
	uint64_t deadline = next_look();
	uint64_t flags;

	set_interrupts(true);
	/* 2.7.13.3: the wish must be seen before we conclude that nothing is used. */
	dma_full_barrier();
	flags = irq_save();
	while (!has_news() && wait(&balloon.device->interrupts, deadline))
		;
	irq_restore(flags);
	set_interrupts(false);
}

static void balloon_task(void *arg)
{
	(void)arg;
	while (!balloon.device->broken) {
		if (balloon_step())
			task_yield();
		else if (!balloon.device->broken)
			wait_for_news();
	}
}

/* ---- Memory pressure ---- */

/* Sends one request and waits for it, without the task. Returns frames freed. */
static size_t take_back(uint64_t want)
{
	struct request *request = &balloon.request[RECLAIM_REQUEST];
	uint64_t deadline = clock_ns() + VIRTIO_DEADLINE_NS;
	size_t sent;

	if (balloon.deflate.free_count == 0)
		return 0;
	sent = send_deflate(request, want);
	if (sent == 0)
		return 0;
	virtq_kick(&balloon.deflate);
	for (take_all_finished(); request->queue; take_all_finished()) {
		if (clock_ns() > deadline)
			give_up("no answer to a deflate request within 2 s");
		cpu_relax();
	}
	return balloon.device->broken ? 0 : sent;
}

size_t balloon_reclaim(unsigned order)
{
	uint64_t want = order == 0 ? 1 : BLOCK_FRAMES;
	size_t freed = 0;
	size_t n;

	/* Without the bit: never below the target by ourselves (5.5.6.1). */
	if (!balloon.status.deflate_on_oom || balloon.device->broken)
		return 0;
	do {
		n = take_back(want - freed);
		freed += n;
	} while (n > 0 && freed < want);
	if (freed > 0) {
		balloon.status.oom_events++;
		balloon.status.oom_frames += freed;
		/* Or inflation would chase us at once. */
		balloon.hold_off = clock_ns() + BALLOON_HOLD_OFF_NS;
		/* `actual` has changed: the task has something to say. */
		balloon.device->config_changed = true;
		task_wake(&balloon.device->interrupts);
	}
	return freed;
}

/* ---- The start ---- */

static int create_queues(void)
{
	int err = virtq_create(balloon.device, QUEUE_INFLATE, &balloon.inflate);

	if (!err)
		err = virtq_create(balloon.device, QUEUE_DEFLATE, &balloon.deflate);
	return err;
}

/* What the device reads lies together, in frames of its own. */
static int alloc_wire(void)
{
	size_t bytes = (REQUESTS + 1) * BALLOON_BUFFER_FRAMES * sizeof(le32);
	unsigned order = 0;
	pfn_t pfn;
	int err;

	while (FRAME_SIZE << order < bytes)
		order++;
	err = frame_alloc(order, OWNER_VIRTQUEUES, &pfn);
	if (err)
		return err;
	for (size_t i = 0; i <= REQUESTS; i++)
		balloon.request[i].wire = (le32 *)phys_to_virt(pfn_to_paddr(pfn)) +
					  i * BALLOON_BUFFER_FRAMES;
	return 0;
}

int balloon_start(uint64_t floor)
{
	struct virtio_device *device = virtio_find(VIRTIO_ID_BALLOON);
	int err;

	memset(&balloon, 0, sizeof(balloon));
	balloon_set_floor(floor);
	if (!device)
		return -ENODEV;
	balloon.device = device;
	err = virtio_negotiate(device, FEATURES_ALLOWED);
	if (err)
		return err;
	err = create_queues();
	if (!err)
		err = alloc_wire();
	if (err)
		goto err_break;
	balloon.status.present = true;
	balloon.status.features = device->accepted;
	balloon.status.deflate_on_oom = virtio_has(device, VIRTIO_BALLOON_F_DEFLATE_ON_OOM);
	set_interrupts(false);
	virtio_ready(device);
	/* The device keeps the number over a reset; the balloon is empty now. */
	virtio_config_write32(device, CONFIG_ACTUAL, 0);
	err = task_create("balloon", TASK_PRIORITY_DRIVER, balloon_task, NULL);
	if (err)
		goto err_break;
	return 0;

err_break:
	virtio_break(device, "no queues or no memory for the balloon");
	return err;
}

void balloon_set_floor(uint64_t floor)
{
	balloon.status.floor = floor;
}

void balloon_status(struct balloon_status *status)
{
	uint64_t given = frames_given();

	*status = balloon.status;
	if (!status->present)
		return;
	status->broken = balloon.device->broken;
	status->shortfall = 0;
	if (status->target > given && status->target - given > frames_spare())
		status->shortfall = status->target - given - frames_spare();
}
