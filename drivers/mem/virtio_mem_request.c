/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Requests on their way; see virtio_mem_request.h. What the device reads and writes lies in
 * a frame of its own, so that one that does not finish its reset can keep it; what was
 * asked is kept where no device can write.
 */
#include "drivers/mem/virtio_mem_request.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "arch/clock.h"
#include "arch/cpu.h"
#include "arch/paging.h"
#include "kernel/lib/endian.h"
#include "mm/frame.h"

/* For so long an answer is waited for without leaving the processor to others. */
#define POLL_NS (50 * NS_PER_US)

/* So many frames, by their order, has the driver's side of a queue. */
#define VIRTQ_ORDER 3

_Static_assert(sizeof(struct virtq) <= FRAME_SIZE << VIRTQ_ORDER, "it has room there");

#define QUEUE_INDEX 0 /* 5.15.2 */
#define BUFFERS 2     /* a request, and its answer */

/* 5.15.6: a request. */
struct wire_request {
	le16 type;
	le16 pad0[3];
	le64 addr;
	le16 nb_blocks;
	le16 pad1[3];
};

_Static_assert(sizeof(struct wire_request) == 24, "as the device reads it");
_Static_assert(offsetof(struct wire_request, addr) == 8, "likewise");
_Static_assert(offsetof(struct wire_request, nb_blocks) == 16, "likewise");

/* And its answer. */
struct wire_answer {
	le16 type;
	le16 pad[3];
	le16 state;
};

_Static_assert(sizeof(struct wire_answer) == 10, "as the device writes it");
_Static_assert(offsetof(struct wire_answer, state) == 8, "likewise");

struct wire {
	struct wire_request request;
	volatile struct wire_answer answer;
};

_Static_assert(VIRTIO_MEM_REQUESTS * sizeof(struct wire) <= FRAME_SIZE, "all have room");

static struct wire *wire_of(const struct virtio_mem_queue *queue, size_t slot)
{
	struct wire *wires = phys_to_virt(pfn_to_paddr(queue->wire_frame));

	return &wires[slot];
}

/* ---- Start and stop ---- */

static void forget_requests(struct virtio_mem_queue *queue)
{
	memset(queue->slot, 0, sizeof(queue->slot));
	queue->count = 0;
}

/* Few guests have such a device, and none has many: its queue costs them nothing. -ENOMEM. */
static int make_virtq(struct virtio_mem_queue *queue)
{
	pfn_t pfn;

	if (queue->virtq)
		return 0;
	if (frame_alloc(VIRTQ_ORDER, OWNER_VIRTQUEUES, &pfn))
		return -ENOMEM;
	queue->virtq = phys_to_virt(pfn_to_paddr(pfn));
	memset(queue->virtq, 0, sizeof(*queue->virtq));
	return 0;
}

static void free_virtq(struct virtio_mem_queue *queue)
{
	int err = frame_free(paddr_to_pfn(virt_to_phys(queue->virtq)), (size_t)1 << VIRTQ_ORDER,
			     OWNER_VIRTQUEUES);

	assert(!err);
	queue->virtq = NULL;
}

int virtio_mem_queue_start(struct virtio_mem_queue *queue, struct virtio_device *device,
			   uint64_t block_size)
{
	int err;

	queue->wire_frame = PFN_NONE;
	queue->block_size = block_size;
	forget_requests(queue);
	err = make_virtq(queue);
	if (!err)
		err = virtq_create(device, QUEUE_INDEX, queue->virtq);
	if (err)
		return err;
	if (queue->virtq->size < BUFFERS)
		return -EINVAL;
	err = frame_alloc(0, OWNER_VIRTQUEUES, &queue->wire_frame);
	if (err) {
		queue->wire_frame = PFN_NONE;
		return err;
	}
	virtq_set_interrupts(queue->virtq, false);
	return 0;
}

static void give_back(struct virtio_mem_queue *queue)
{
	virtq_destroy(queue->virtq);
	free_virtq(queue);
}

void virtio_mem_queue_stop(struct virtio_mem_queue *queue)
{
	forget_requests(queue);
	if (!queue->virtq || !queue->virtq->device || !virtio_is_reset(queue->virtq->device))
		return;
	if (queue->wire_frame != PFN_NONE)
		frame_free(queue->wire_frame, 1, OWNER_VIRTQUEUES);
	queue->wire_frame = PFN_NONE;
	give_back(queue);
}

void virtio_mem_queue_forsake(struct virtio_mem_queue *queue)
{
	virtio_mem_queue_stop(queue);
	if (queue->virtq)
		give_back(queue);
}

/* ---- Asking ---- */

bool virtio_mem_has_room(const struct virtio_mem_queue *queue)
{
	return queue->count < VIRTIO_MEM_REQUESTS && queue->virtq->free_count >= BUFFERS;
}

static size_t find_slot(const struct virtio_mem_queue *queue)
{
	size_t slot = 0;

	while (slot < VIRTIO_MEM_REQUESTS && queue->slot[slot].with_device)
		slot++;
	assert(slot < VIRTIO_MEM_REQUESTS);
	return slot;
}

static void write_wire(struct wire *wire, const struct virtio_mem_request *request, uint64_t blocks)
{
	memset(wire, 0, sizeof(*wire));
	wire->request.type = cpu_to_le16((uint16_t)request->type);
	wire->request.addr = cpu_to_le64(request->start);
	wire->request.nb_blocks = cpu_to_le16((uint16_t)blocks);
	/* No answer: a device that writes none has said nothing. */
	wire->answer.type = cpu_to_le16(UINT16_MAX);
	wire->answer.state = cpu_to_le16(UINT16_MAX);
}

int virtio_mem_send(struct virtio_mem_queue *queue, enum virtio_mem_type type, paddr_t start,
		    uint64_t bytes)
{
	size_t slot = find_slot(queue);
	struct wire *wire = wire_of(queue, slot);
	paddr_t at = virt_to_phys(wire);
	struct virtq_buffer buffer[BUFFERS] = {
		{ .address = at, .length = sizeof(wire->request) },
		{ .address = at + offsetof(struct wire, answer),
		  .length = sizeof(wire->answer),
		  .device_writes = true },
	};

	assert(bytes % queue->block_size == 0 && bytes / queue->block_size <= UINT16_MAX);
	assert(type == VIRTIO_MEM_UNPLUG_ALL ? bytes == 0 : bytes > 0);
	queue->slot[slot].request =
		(struct virtio_mem_request){ .type = type, .start = start, .bytes = bytes };
	write_wire(wire, &queue->slot[slot].request, bytes / queue->block_size);
	if (virtq_add(queue->virtq, buffer, BUFFERS, &queue->slot[slot]))
		return -EIO;
	queue->slot[slot].with_device = true;
	queue->slot[slot].sent_awake = clock_awake_ns();
	queue->count++;
	return 0;
}

uint64_t virtio_mem_kick(struct virtio_mem_queue *queue)
{
	uint64_t start = clock_ns(), end;

	virtq_kick(queue->virtq);
	end = clock_ns() + POLL_NS;
	while (!virtq_has_used(queue->virtq) && clock_ns() < end)
		cpu_relax();
	return clock_ns() - start;
}

/* ---- Answers ---- */

/* Reads an answer, once; returns what is wrong with it, or NULL. */
static const char *read_answer(const struct wire *wire, uint32_t written,
			       struct virtio_mem_request *request)
{
	uint16_t answer = le16_to_cpu(wire->answer.type);
	uint16_t state = le16_to_cpu(wire->answer.state);

	if (written < sizeof(wire->answer))
		return "its answer is too short to be one";
	if (answer > VIRTIO_MEM_ERROR)
		return "it answers what is no answer";
	request->answer = answer;
	if (request->type != VIRTIO_MEM_STATE || answer != VIRTIO_MEM_ACK)
		return NULL;
	if (state > VIRTIO_MEM_MIXED)
		return "it answers with a state that is none";
	request->state = state;
	return NULL;
}

int virtio_mem_take(struct virtio_mem_queue *queue, struct virtio_mem_request *request)
{
	typeof(&queue->slot[0]) slot;
	const char *wrong;
	uint32_t written;
	void *token;
	int got = virtq_get_used(queue->virtq, &token, &written);

	if (got <= 0)
		return got;
	slot = token;
	assert(slot->with_device && queue->count > 0);
	*request = slot->request;
	wrong = read_answer(wire_of(queue, (size_t)(slot - queue->slot)), written, request);
	if (wrong) {
		virtio_distrust(queue->virtq->device, wrong);
		return -EIO;
	}
	slot->with_device = false;
	queue->count--;
	return 1;
}

uint64_t virtio_mem_sent_awake(const struct virtio_mem_queue *queue)
{
	uint64_t oldest = DEADLINE_NEVER;

	for (size_t i = 0; i < VIRTIO_MEM_REQUESTS; i++)
		if (queue->slot[i].with_device)
			oldest = min_u64(oldest, queue->slot[i].sent_awake);
	return oldest;
}
