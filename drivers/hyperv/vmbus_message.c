/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Messages to and from the host. A message is copied out of the SynIC's slot, and only that copy is
 * looked at: its size first, so that none is read beyond what the host has written.
 */
#include <assert.h>
#include <errno.h>
#include <string.h>

#include "arch/clock.h"
#include "arch/irq.h"
#include "drivers/hyperv/hyperv.h"
#include "drivers/hyperv/synic.h"
#include "drivers/hyperv/vmbus_internal.h"
#include "kernel/lib/log.h"

/* After so many messages in a row others have a turn. */
#define TURN_MESSAGES 32

/* Between two tries to post where there is no room. */
#define POST_RETRY_NS NS_PER_MS

/* An older host's VERSION_RESPONSE ends before `connection`. */
#define VERSION_RESPONSE_BYTES 10

static struct {
	const char *(*handle)(const union vmbus_message *message);
	struct wait_queue waiters;
	uint32_t connection;
	const char *fault;
	bool left; /* this side has left: nothing is said any more */
	struct vmbus_message_counts counts;
} bus;

void vmbus_message_begin(const char *(*handle)(const union vmbus_message *message))
{
	bus.handle = handle;
	bus.fault = NULL;
	bus.left = false;
	bus.connection = VMBUS_CONNECTION_OLD;
	bus.counts = (struct vmbus_message_counts){ 0 };
}

struct wait_queue *vmbus_message_waiters(void)
{
	return &bus.waiters;
}

void vmbus_message_set_connection(uint32_t connection)
{
	bus.connection = connection;
}

void vmbus_message_leave(void)
{
	bus.left = true;
}

bool vmbus_message_has_left(void)
{
	return bus.left;
}

void vmbus_message_get_counts(struct vmbus_message_counts *counts)
{
	*counts = bus.counts;
}

/* ---- The end of a host ---- */

void vmbus_give_up(const char *why)
{
	if (bus.fault)
		return;
	bus.fault = why;
	log_warn("vmbus: Hyper-V's channels are not used any more: %s", why);
	task_wake(&bus.waiters);
}

const char *vmbus_host_fault(void)
{
	return bus.fault;
}

const char *vmbus_ignore(void)
{
	bus.counts.ignored++;
	return NULL;
}

/* ---- From the host ---- */

/* The least bytes of a message that is handled; 0: it is not. */
static size_t least_size(uint32_t type)
{
	switch (type) {
	case VMBUS_OFFER:
		return VMBUS_OFFER_BYTES;
	case VMBUS_RESCIND_OFFER:
		return sizeof(struct vmbus_relid);
	case VMBUS_ALL_OFFERS:
	case VMBUS_UNLOAD_RESPONSE:
		return sizeof(struct vmbus_header);
	case VMBUS_OPEN_RESULT:
		return sizeof(struct vmbus_open_result);
	case VMBUS_GPADL_CREATED:
		return sizeof(struct vmbus_gpadl_created);
	case VMBUS_GPADL_TORNDOWN:
		return sizeof(struct vmbus_gpadl_torndown);
	case VMBUS_VERSION_RESPONSE:
		return VERSION_RESPONSE_BYTES;
	default:
		return 0;
	}
}

/* Returns what is wrong with it, or NULL. */
static const char *handle(const struct hv_message *from)
{
	union vmbus_message message = { .bytes = { 0 } };
	size_t least;

	if (from->type != HV_MESSAGE_CHANNEL)
		return vmbus_ignore();
	if (from->size > sizeof(message) || from->size < sizeof(message.header))
		return "a message has no size that a message can have";
	memcpy(&message, from->payload, from->size);
	least = least_size(message.header.type);
	if (least == 0)
		return vmbus_ignore();
	if (from->size < least)
		return "a message is cut short";
	return bus.handle(&message);
}

bool vmbus_message_take(void)
{
	struct hv_message message;
	const char *wrong;

	for (unsigned i = 0; i < TURN_MESSAGES && !bus.fault; i++) {
		if (!synic_take_message(&message))
			return false;
		bus.counts.taken++;
		wrong = handle(&message);
		/* What is known has changed, and others may wait for that. */
		task_wake(&bus.waiters);
		if (wrong)
			vmbus_give_up(wrong);
	}
	return !bus.fault && synic_has_message();
}

/* ---- To the host ---- */

/*
 * A guest that posts too fast is told that there is no such connection, too. Only the first message
 * asks whether there is one.
 */
static bool may_go_later(int err, const struct vmbus_header *message)
{
	return err == -EAGAIN || (err == -ENXIO && message->type != VMBUS_INITIATE_CONTACT);
}

int vmbus_post(const void *message, size_t size)
{
	uint64_t since_awake = clock_awake_ns();
	int err;

	if (bus.fault || bus.left)
		return -EIO;
	for (;;) {
		err = hyperv_post_message(bus.connection, message, size);
		if (!may_go_later(err, message))
			break;
		if (clock_awake_ns() - since_awake > VMBUS_DEADLINE_NS)
			return -ETIMEDOUT;
		task_sleep_until(clock_ns() + POST_RETRY_NS);
	}
	if (!err)
		bus.counts.posted++;
	return err;
}

int vmbus_await(bool (*done)(const void *arg), const void *arg)
{
	uint64_t since_awake = clock_awake_ns(), flags;
	bool more;

	for (;;) {
		more = vmbus_message_take();
		if (done(arg))
			return 0;
		if (bus.fault || bus.left)
			return -EIO;
		if (clock_awake_ns() - since_awake > VMBUS_DEADLINE_NS)
			return -ETIMEDOUT;
		if (more) {
			/* Whatever comes so fast leaves others their turn. */
			task_sleep_until(clock_ns() + POST_RETRY_NS);
			continue;
		}
		flags = irq_save();
		if (!synic_has_message())
			task_wait_device(&bus.waiters, clock_ns() + CLOCK_AWAKE_LOOK_NS);
		irq_restore(flags);
	}
}
