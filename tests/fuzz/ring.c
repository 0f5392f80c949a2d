/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A virtqueue (virtio 1.3, 2.7 and 2.8), its driver's user and a simulated
 * device, all led by the input. As long as the device is honest every chain
 * comes to it as it was offered, and comes back in the order of its answers.
 * When it has lied the queue may break; but it returns nothing that is not in
 * flight, and at the end no frame is missing.
 */
#include "tests/fuzz/ring.h"

#include <errno.h>

#include "arch/paging.h"
#include "tests/sim/sim_frame.h"
#include "tests/sim/sim_log.h"
#include "tests/sim/sim_time.h"
#include "tests/sim/sim_virtio.h"

#define BUFFERS_MAX 40
#define BUFFER_BYTES 4096
#define BUFFER_BASE UINT64_C(0x123400000000)

enum op {
	OP_ADD,
	OP_KICK,
	OP_POP,
	OP_USE_OLDEST,
	OP_USE_ANY,
	OP_TAKE,
	OP_TAKE_ALL,
	OP_CHURN,
	OP_INTERRUPTS,
	OP_REMIND,
	OP_NO_NOTIFY,
	OP_NOTIFY_AFTER,
	OP_USE_WRONG,
	OP_MOVE_INDEX,
	OP_EDIT_USED,
	OP_EDIT_DRIVERS,
	OP_COUNT,
};

/* A chain, from virtq_add() until virtq_get_used() returns it. */
struct chain {
	bool in_flight;
	unsigned count, readable;
};

/* Chains in the order in which something happened to them. */
struct fifo {
	struct entry {
		struct chain *chain; /* NULL: unknown, after a lie */
		uint16_t head;	     /* where the device has it */
	} entry[VIRTQ_SIZE_MAX];
	size_t count;
};

static struct sim_virtio sim;
static struct virtq queue;
static struct chain chains[VIRTQ_SIZE_MAX];
static struct fifo offered, with_device, used;
static unsigned in_flight;
static bool lied, edited;

static void fifo_put(struct fifo *fifo, struct chain *chain, uint16_t head)
{
	fifo->entry[fifo->count++] = (struct entry){ chain, head };
}

static struct entry fifo_take(struct fifo *fifo, size_t at)
{
	struct entry entry = fifo->entry[at];

	fifo->count--;
	memmove(&fifo->entry[at], &fifo->entry[at + 1],
		(fifo->count - at) * sizeof(fifo->entry[0]));
	return entry;
}

/* ---- The driver's user ---- */

static uint64_t buffer_address(const struct chain *chain, unsigned k)
{
	return BUFFER_BASE + ((uint64_t)(chain - chains) * BUFFERS_MAX + k) * BUFFER_BYTES;
}

static struct chain *find_free(void)
{
	for (size_t i = 0; i < VIRTQ_SIZE_MAX; i++)
		if (!chains[i].in_flight)
			return &chains[i];
	return NULL;
}

static void add(unsigned count, unsigned readable)
{
	struct virtq_buffer buffers[BUFFERS_MAX];
	struct chain *chain = find_free();
	uint16_t room = queue.free_count;
	int err;

	if (!chain)
		return;
	for (unsigned k = 0; k < count; k++)
		buffers[k] = (struct virtq_buffer){ buffer_address(chain, k), BUFFER_BYTES - k,
						    k >= readable };
	err = virtq_add(&queue, buffers, count, chain);
	fuzz_require((err == -EIO) == virtq_is_broken(&queue), "add: %d", err);
	fuzz_require(err == 0 || err == -ENOSPC || err == -EIO, "add: %d", err);
	fuzz_require(err != -ENOSPC || count > room, "no room for %u of %u", count, room);
	if (err)
		return;
	*chain = (struct chain){ .in_flight = true, .count = count, .readable = readable };
	in_flight++;
	if (!lied)
		fifo_put(&offered, chain, 0);
}

static bool take(void)
{
	bool has_used = virtq_has_used(&queue);
	void *token = NULL;
	uint32_t written;
	int got = virtq_get_used(&queue, &token, &written);
	struct chain *chain = token;

	fuzz_require(has_used == (got != 0), "has_used is wrong");
	fuzz_require((got < 0) == virtq_is_broken(&queue), "get_used: %d", got);
	if (got != 1) {
		fuzz_require(lied || used.count == 0, "a used chain does not come");
		return false;
	}
	fuzz_require(chain >= chains && chain < chains + VIRTQ_SIZE_MAX && chain->in_flight,
		     "a chain that is not in flight");
	chain->in_flight = false;
	in_flight--;
	if (!lied)
		fuzz_require(used.count > 0 && fifo_take(&used, 0).chain == chain, "another chain");
	return true;
}

static void take_all(void)
{
	unsigned taken = 0;

	while (take())
		fuzz_require(++taken <= VIRTQ_SIZE_MAX, "no end of used chains");
}

/* ---- The device ---- */

static bool device_works(void)
{
	return sim.queue[0].enabled;
}

static void check_chain(const struct chain *chain, const struct sim_virtio_chain *seen)
{
	fuzz_require(seen->count == chain->count, "%u buffers instead of %u", seen->count,
		     chain->count);
	for (unsigned k = 0; k < seen->count; k++)
		fuzz_require(seen->buffer[k].address == buffer_address(chain, k) &&
				     seen->buffer[k].length == BUFFER_BYTES - k &&
				     seen->buffer[k].device_writes == (k >= chain->readable),
			     "buffer %u is another one", k);
}

/* Once the rings were edited, the simulation itself could not follow them. */
static bool pop(void)
{
	struct sim_virtio_chain seen;
	struct chain *chain = NULL;

	if (edited || !device_works() || with_device.count == VIRTQ_SIZE_MAX ||
	    !sim_virtio_pop(&sim, 0, &seen))
		return false;
	if (!lied) {
		fuzz_require(offered.count > 0, "a chain that nobody offered");
		chain = fifo_take(&offered, 0).chain;
		check_chain(chain, &seen);
	}
	fifo_put(&with_device, chain, seen.head);
	return true;
}

static void use(size_t at, uint32_t written)
{
	struct entry entry;

	if (with_device.count == 0 || !device_works())
		return;
	entry = fifo_take(&with_device, at % with_device.count);
	if (!lied)
		fifo_put(&used, entry.chain, 0);
	sim_virtio_push(&sim, 0, entry.head, written);
}

static void churn(unsigned times)
{
	take_all();
	for (; times > 0 && !lied; times--) {
		add(1, times % 2);
		virtq_kick(&queue);
		while (pop())
			;
		use(0, 0);
		take_all();
	}
}

static void edit(volatile void *area, size_t bytes, struct fuzz_input *in)
{
	size_t at = fuzz_number(in, 2) % bytes;
	uint8_t count = fuzz_byte(in) % 16 + 1;

	for (; count > 0; count--, at++)
		((volatile uint8_t *)area)[at % bytes] = fuzz_byte(in);
}

/* Edits areas that the device may write, as it must not. */
static void edit_used(bool packed, struct fuzz_input *in)
{
	lied = true;
	if (!packed) {
		edit(queue.used, sizeof(*queue.used) + 8u * queue.size + 2, in);
		return;
	}
	edited = true;
	if (fuzz_byte(in) % 4 == 0)
		edit(queue.device_event, sizeof(struct virtq_event), in);
	else
		edit(queue.packed, sizeof(struct virtq_packed_desc) * queue.size, in);
}

/* Edits areas that only the driver writes: it never reads them, so nothing comes of it. */
static void edit_drivers(bool packed, struct fuzz_input *in)
{
	edited = true;
	if (queue.tables && fuzz_byte(in) % 2 == 0)
		edit(queue.tables, FRAME_SIZE, in);
	else if (packed)
		edit(queue.driver_event, sizeof(struct virtq_event), in);
	else if (fuzz_byte(in) % 2 == 0)
		edit(queue.desc, sizeof(struct virtq_desc) * queue.size, in);
	else
		edit(queue.avail, sizeof(*queue.avail) + 2u * queue.size + 2, in);
}

static void move_index(uint16_t by)
{
	lied = true;
	sim_virtio_set_used_idx(&sim, 0, (uint16_t)(sim.queue[0].used_idx + by));
}

static void lie(bool packed, unsigned op, struct fuzz_input *in)
{
	if (!device_works())
		return;
	if (op == OP_USE_WRONG) {
		lied = true;
		sim_virtio_push(&sim, 0, (uint32_t)fuzz_number(in, 2), 0);
	} else if (op == OP_MOVE_INDEX && !packed) {
		move_index((uint16_t)fuzz_number(in, 2));
	} else if (op == OP_EDIT_USED) {
		edit_used(packed, in);
	} else if (op == OP_EDIT_DRIVERS) {
		edit_drivers(packed, in);
	}
}

static void wish(unsigned op, uint8_t argument)
{
	if (op == OP_INTERRUPTS)
		virtq_set_interrupts(&queue, argument % 2);
	else if (op == OP_REMIND)
		virtq_remind(&queue);
	else if (!device_works())
		return;
	else if (op == OP_NO_NOTIFY)
		sim_virtio_set_no_notify(&sim, 0, argument % 2);
	else if (virtio_has(&sim.device, VIRTIO_F_EVENT_IDX))
		sim_virtio_notify_after(&sim, 0, (uint16_t)(argument % queue.size + 1));
}

static void do_op(bool packed, struct fuzz_input *in)
{
	unsigned op = fuzz_byte(in) % OP_COUNT;
	unsigned argument;

	switch (op) {
	case OP_ADD:
		argument = fuzz_byte(in);
		add(argument % BUFFERS_MAX + 1, argument / BUFFERS_MAX);
		break;
	case OP_KICK:
		virtq_kick(&queue);
		break;
	case OP_POP:
		while (pop())
			;
		break;
	case OP_USE_OLDEST:
		use(0, 0);
		break;
	case OP_USE_ANY:
		argument = fuzz_byte(in);
		use(argument, argument << 25);
		break;
	case OP_TAKE:
		take();
		break;
	case OP_TAKE_ALL:
		take_all();
		break;
	case OP_CHURN:
		churn(fuzz_byte(in));
		break;
	case OP_INTERRUPTS:
	case OP_REMIND:
	case OP_NO_NOTIFY:
	case OP_NOTIFY_AFTER:
		wish(op, fuzz_byte(in));
		break;
	default:
		lie(packed, op, in);
		break;
	}
}

static void check_books(void)
{
	fuzz_require(lied || (!virtq_is_broken(&queue) && !sim.device.broken),
		     "broken by an honest device: %s", sim_log_warning);
	fuzz_require(edited || lied || !sim.violation, "the driver: %s", sim.violation);
	if (virtq_is_broken(&queue)) {
		fuzz_require(sim.device.broken && sim.device.distrusted, "broken, and trusted");
		return;
	}
	fuzz_require(queue.in_flight == in_flight, "%u in flight, not %u", queue.in_flight,
		     in_flight);
	fuzz_require(queue.free_count <= queue.size - in_flight &&
			     (in_flight > 0 || queue.free_count == queue.size),
		     "%u descriptors of %u are free", queue.free_count, queue.size);
}

/* ---- Beginning and end ---- */

/* As if so many chains had gone through it, so that the indices will wrap. */
static void age(uint16_t count)
{
	queue.avail_idx = queue.last_used = count;
	queue.avail->idx = queue.used->idx = cpu_to_le16(count);
	sim.queue[0].last_avail = sim.queue[0].used_idx = count;
	sim_virtio_set_no_notify(&sim, 0, false);
	virtq_set_interrupts(&queue, true);
}

static void begin(bool packed, struct fuzz_input *in)
{
	static const uint64_t bits[] = { VIRTIO_BIT(VIRTIO_F_EVENT_IDX),
					 VIRTIO_BIT(VIRTIO_F_INDIRECT_DESC),
					 VIRTIO_BIT(VIRTIO_F_NOTIFICATION_DATA) };
	uint64_t features = VIRTIO_BIT(VIRTIO_F_VERSION_1);
	uint8_t wanted = fuzz_byte(in);
	uint8_t size = fuzz_byte(in);
	uint16_t before = (uint16_t)fuzz_number(in, 2);

	for (size_t i = 0; i < ARRAY_SIZE(bits); i++)
		if (wanted >> i & 1)
			features |= bits[i];
	if (packed)
		features |= VIRTIO_BIT(VIRTIO_F_RING_PACKED);
	sim_time_reset();
	sim_log_reset();
	sim_frame_reset();
	sim_virtio_init(&sim, VIRTIO_ID_BALLOON, false, features, 1);
	fuzz_require(virtio_negotiate(&sim.device, 0) == 0, "not negotiated");
	sim.queue[0].size_max = (uint16_t)(packed ? size % 64 + 1 : 1 << size % 11);
	fuzz_require(virtq_create(&sim.device, 0, &queue) == 0, "not created");
	virtio_ready(&sim.device);
	if (!packed)
		age(before);
	memset(chains, 0, sizeof(chains));
	offered.count = with_device.count = used.count = 0;
	in_flight = 0;
	lied = edited = false;
}

void ring_fuzz(bool packed, const uint8_t *data, size_t size)
{
	struct fuzz_input in = { data, data + size };

	begin(packed, &in);
	while (fuzz_left(&in) > 0) {
		do_op(packed, &in);
		check_books();
	}
	virtio_break(&sim.device, "the end");
	fuzz_require(sim.status == 0, "broken, and not reset");
	virtq_destroy(&queue);
	fuzz_require(sim_frame_in_use() == 0, "%zu frames are left", sim_frame_in_use());
}
