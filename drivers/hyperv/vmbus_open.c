/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A channel that is opened, used, closed. The memory of its rings is told to the host as a list of
 * frames, a GPADL, with a number of ours; as long as the host has that list it may write there, and
 * the frames are nobody else's:
 *
 *	open	GPADL_HEADER (and bodies) -> GPADL_CREATED, OPEN -> OPEN_RESULT
 *	close	CLOSE, GPADL_TEARDOWN -> GPADL_TORNDOWN
 *
 * A host that does not answer keeps the frames for ever. One that withdraws the channel has let go
 * of them by that.
 */
#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "arch/clock.h"
#include "arch/phys_map.h"
#include "drivers/hyperv/hyperv.h"
#include "drivers/hyperv/vmbus_channel.h"
#include "drivers/hyperv/vmbus_internal.h"
#include "kernel/lib/log.h"
#include "mm/frame.h"

#define WORD_BITS 64

static uint64_t *signal_bits; /* a bit a channel, for those that share one interrupt */
static uint32_t last_number;  /* of a list of frames, or an opening */
static bool all_closed;	      /* for the host, which takes no signals for them any more */

void vmbus_open_begin(void *interrupt_page)
{
	/* The first half is the host's, for the guest. */
	signal_bits = (void *)((uint8_t *)interrupt_page + FRAME_SIZE / 2);
	all_closed = false;
}

/* ---- Opening ---- */

static size_t frames_of(const struct vmbus_channel *channel)
{
	return (size_t)1 << channel->order;
}

static pfn_t first_frame(const struct vmbus_channel *channel)
{
	return paddr_to_pfn(virt_to_phys(channel->memory));
}

static int alloc_memory(struct vmbus_channel *channel)
{
	pfn_t pfn;

	if (frame_alloc(channel->order, OWNER_KERNEL, &pfn))
		return -ENOMEM;
	channel->memory = phys_to_virt(pfn_to_paddr(pfn));
	memset(channel->memory, 0, frames_of(channel) * FRAME_SIZE);
	vmbus_rings_init(&channel->rings, channel->memory, frames_of(channel) / 2 - 1);
	return 0;
}

/* The host lets go of it, or has never had it. */
static void free_memory(struct vmbus_channel *channel)
{
	int err = frame_free(first_frame(channel), frames_of(channel), OWNER_KERNEL);

	assert(!err);
	channel->memory = NULL;
	channel->gpadl = 0;
}

/* The host may write there for ever. */
static void lose_memory(struct vmbus_channel *channel)
{
	log_debug("vmbus: channel %" PRIu32 ": the host keeps %zu frames", channel->offer.relid,
		  frames_of(channel));
	channel->memory = NULL;
	channel->gpadl = 0;
}

static bool is_answered(const void *arg)
{
	const struct vmbus_channel *channel = arg;

	return channel->answered || channel->rescinded;
}

/* Waits for an answer to what was posted last. */
static int await_answer(struct vmbus_channel *channel)
{
	int err = vmbus_await(is_answered, channel);

	if (err)
		return err;
	if (channel->rescinded)
		return -ENODEV;
	return channel->status == 0 ? 0 : -EIO;
}

/* The frames that did not fit the header follow in bodies. */
static int post_bodies(struct vmbus_channel *channel, size_t next)
{
	uint32_t number = 1;
	int err = 0;

	for (; !err && next < frames_of(channel); number++) {
		struct vmbus_gpadl_body body = { .header = { .type = VMBUS_GPADL_BODY },
						 .number = number,
						 .gpadl = channel->gpadl };
		size_t count = min_u64(frames_of(channel) - next, VMBUS_GPADL_BODY_FRAMES);

		for (size_t i = 0; i < count; i++)
			body.frame[i] = first_frame(channel) + next++;
		err = vmbus_post(&body, offsetof(struct vmbus_gpadl_body, frame) + 8 * count);
	}
	return err;
}

static int create_gpadl(struct vmbus_channel *channel)
{
	size_t frames = frames_of(channel), count = min_u64(frames, VMBUS_GPADL_HEADER_FRAMES);
	struct vmbus_gpadl_header header = {
		.header = { .type = VMBUS_GPADL_HEADER },
		.relid = channel->offer.relid,
		.gpadl = ++last_number,
		.range_bytes = (uint16_t)(8 + 8 * frames),
		.range_count = 1,
		.byte_count = (uint32_t)(frames * FRAME_SIZE),
	};
	int err;

	channel->gpadl = header.gpadl;
	channel->answered = false;
	channel->torn_down = false;
	for (size_t i = 0; i < count; i++)
		header.frame[i] = first_frame(channel) + i;
	err = vmbus_post(&header, offsetof(struct vmbus_gpadl_header, frame) + 8 * count);
	if (!err)
		err = post_bodies(channel, count);
	return err ? err : await_answer(channel);
}

static int post_open(struct vmbus_channel *channel)
{
	struct vmbus_open request = {
		.header = { .type = VMBUS_OPEN },
		.relid = channel->offer.relid,
		.open_id = ++last_number,
		.ring_gpadl = channel->gpadl,
		.target_vp = hyperv_vp_index(),
		.host_ring_page = (uint32_t)(frames_of(channel) / 2),
	};
	int err;

	channel->open_id = request.open_id;
	channel->answered = false;
	err = vmbus_post(&request, sizeof(request));
	if (!err)
		err = await_answer(channel);
	channel->open_id = 0;
	return err;
}

static int post_relid(uint32_t type, const struct vmbus_channel *channel)
{
	struct vmbus_relid message = { .header = { .type = type }, .relid = channel->offer.relid };

	return vmbus_post(&message, sizeof(message));
}

static void note_event(struct synic_listener *listener)
{
	vmbus_channel_wake(container_of(listener, struct vmbus_channel, listener));
}

static bool is_torn_down(const void *arg)
{
	const struct vmbus_channel *channel = arg;

	return channel->torn_down || channel->rescinded;
}

/* Has the host let go of the memory, which is nobody's after this. */
static void tear_down(struct vmbus_channel *channel)
{
	struct vmbus_gpadl_teardown request = { .header = { .type = VMBUS_GPADL_TEARDOWN },
						.relid = channel->offer.relid,
						.gpadl = channel->gpadl };

	if (!is_torn_down(channel) &&
	    (vmbus_post(&request, sizeof(request)) || vmbus_await(is_torn_down, channel)))
		lose_memory(channel);
	else
		free_memory(channel);
}

/* The list is made, or may be. */
static int give_up_opening(struct vmbus_channel *channel, int err)
{
	if (err == -ETIMEDOUT)
		lose_memory(channel);
	else
		tear_down(channel);
	return err;
}

static int open_rings(struct vmbus_channel *channel, unsigned order, struct wait_queue *waiters)
{
	int err;

	channel->order = order;
	err = alloc_memory(channel);
	if (err)
		return err;
	err = create_gpadl(channel);
	if (err) {
		/* Refused, or gone with the channel: the host does not have it. */
		if (channel->answered || channel->rescinded)
			free_memory(channel);
		else
			lose_memory(channel);
		return err;
	}
	/* Before it is open: the first event is not lost. */
	channel->waiters = waiters;
	channel->listener = (struct synic_listener){ .event = channel->offer.relid,
						     .handle = note_event };
	synic_listen(&channel->listener);
	err = post_open(channel);
	if (err) {
		synic_unlisten(&channel->listener);
		channel->waiters = NULL;
		if (err == -ETIMEDOUT)
			post_relid(VMBUS_CLOSE, channel);
		return give_up_opening(channel, err);
	}
	channel->state = CHANNEL_OPEN;
	return 0;
}

/* Why it could not be opened, with this error. */
static const char *why_closed(const struct vmbus_channel *channel, int err)
{
	const char *fault = vmbus_fault(channel);

	if (fault)
		return fault;
	return err == -ENOMEM	   ? "there is no memory for its rings"
	       : err == -ETIMEDOUT ? "the host does not answer"
				   : "the host does not open it";
}

/* Whoever closes it waits for the host, which is bounded, and so is this. */
static void wait_until_closed(const struct vmbus_channel *channel)
{
	while (channel->state == CHANNEL_CLOSING)
		task_sleep_until(clock_ns() + NS_PER_MS);
}

int vmbus_open(struct vmbus_channel *channel, unsigned order, struct wait_queue *waiters)
{
	int err;

	assert(order >= VMBUS_ORDER_MIN && order <= VMBUS_ORDER_MAX && waiters);
	wait_until_closed(channel);
	assert(channel->state == CHANNEL_OFFERED);
	if (vmbus_fault(channel))
		return -ENODEV;
	err = open_rings(channel, order, waiters);
	channel->closed = err ? why_closed(channel, err) : NULL;
	return err;
}

void vmbus_blame(struct vmbus_channel *channel, const char *why)
{
	assert(channel->state == CHANNEL_OPEN);
	if (!channel->fault)
		channel->fault = why;
}

void vmbus_close(struct vmbus_channel *channel)
{
	const char *fault;

	/* Once the other one is through it may be open anew: that is not to be closed. */
	if (channel->state != CHANNEL_OPEN) {
		wait_until_closed(channel);
		return;
	}
	fault = vmbus_fault(channel);
	channel->closed = fault ? fault : "its driver has closed it";
	synic_unlisten(&channel->listener);
	channel->waiters = NULL;
	channel->fault = NULL;
	channel->state = CHANNEL_CLOSING;
	if (post_relid(VMBUS_CLOSE, channel))
		lose_memory(channel);
	else
		tear_down(channel);
	channel->state = CHANNEL_OFFERED;
}

void vmbus_channel_release(struct vmbus_channel *channel)
{
	assert(channel->rescinded);
	vmbus_close(channel);
	post_relid(VMBUS_RELID_RELEASED, channel);
	channel->state = CHANNEL_NONE;
}

void vmbus_close_all(void)
{
	struct vmbus_channel *channel = NULL;

	all_closed = true;
	while ((channel = vmbus_channels_next(channel)))
		if (channel->state == CHANNEL_OPEN)
			post_relid(VMBUS_CLOSE, channel);
}

/* ---- Packets ---- */

static void signal_host(struct vmbus_channel *channel)
{
	uint32_t relid = channel->offer.relid, connection = channel->offer.connection;

	if (all_closed || vmbus_message_has_left())
		return;
	if (!(channel->offer.dedicated_interrupt & VMBUS_DEDICATED_INTERRUPT)) {
		__atomic_fetch_or(&signal_bits[relid / WORD_BITS], UINT64_C(1) << relid % WORD_BITS,
				  __ATOMIC_SEQ_CST);
		connection = VMBUS_CONNECTION_EVENTS;
	}
	channel->signals++;
	if (hyperv_signal_event(connection))
		channel->fault = "the host takes no signals for the channel";
}

int vmbus_send(struct vmbus_channel *channel, const void *message, size_t size,
	       uint64_t transaction)
{
	bool signal;
	int err;

	assert(channel->state == CHANNEL_OPEN);
	if (vmbus_fault(channel))
		return -EIO;
	err = vmbus_rings_write(&channel->rings, message, size, transaction, &signal);
	if (err)
		return err;
	channel->sent++;
	if (signal)
		signal_host(channel);
	return 0;
}

bool vmbus_has_room(struct vmbus_channel *channel, size_t size)
{
	assert(channel->state == CHANNEL_OPEN);
	return vmbus_fault(channel) || vmbus_rings_have_room(&channel->rings, size);
}

int vmbus_receive(struct vmbus_channel *channel, void *message, size_t room, size_t *size)
{
	bool signal;
	int err;

	assert(channel->state == CHANNEL_OPEN);
	if (vmbus_fault(channel))
		return -EIO;
	err = vmbus_rings_read(&channel->rings, message, room, size, &signal);
	if (err)
		return err;
	channel->received++;
	if (signal)
		signal_host(channel);
	return 0;
}

bool vmbus_has_message(const struct vmbus_channel *channel)
{
	assert(channel->state == CHANNEL_OPEN);
	return vmbus_fault(channel) || vmbus_rings_have_packet(&channel->rings);
}

void vmbus_want_signals(struct vmbus_channel *channel, bool wanted)
{
	assert(channel->state == CHANNEL_OPEN);
	vmbus_rings_want_signals(&channel->rings, wanted);
}
