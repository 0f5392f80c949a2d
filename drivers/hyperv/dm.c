/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The messages of dynamic memory; see dm.h. The guest proposes versions from the newest down, then
 * says what it can do; the host answers each. From then on the host asks, when it likes.
 */
#include "drivers/hyperv/dm.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "arch/clock.h"
#include "arch/irq.h"
#include "kernel/lib/types.h"

/* Both rings together: 2 * 28 KiB of data, six of the longest messages each way. */
#define RING_ORDER 4

/* After so many messages that ask for nothing others have a turn. */
#define TURN_MESSAGES 32

static const uint32_t versions[] = { DM_VERSION(2, 0), DM_VERSION(1, 0), DM_VERSION(0, 3) };

/* ---- Ranges ---- */

uint64_t dm_range(uint64_t first, uint64_t count)
{
	assert(first >> DM_RANGE_FIRST_BITS == 0 && count > 0 && count <= DM_RANGE_COUNT_MAX);
	return count << DM_RANGE_FIRST_BITS | first;
}

uint64_t dm_range_first(uint64_t range)
{
	return range & ((UINT64_C(1) << DM_RANGE_FIRST_BITS) - 1);
}

uint64_t dm_range_count(uint64_t range)
{
	return range >> DM_RANGE_FIRST_BITS;
}

/* ---- What the host says ---- */

/* The least bytes of a message of the host's; 0: it is none that is known. */
static size_t least_size(unsigned type)
{
	switch (type) {
	case DM_VERSION_RESPONSE:
		return sizeof(struct dm_version_response);
	case DM_CAPABILITIES_RESPONSE:
		return sizeof(struct dm_capabilities_response);
	case DM_BALLOON:
		return offsetof(struct dm_balloon, reserved);
	case DM_UNBALLOON:
		return sizeof(struct dm_unballoon);
	case DM_HOT_ADD:
		return offsetof(struct dm_hot_add, region);
	case DM_INFO:
		return offsetof(struct dm_info, type);
	default:
		return 0;
	}
}

/* Returns what is wrong with a message of so many bytes, or NULL; makes it what dm.h says. */
static const char *check(union dm_message *message, size_t size)
{
	const struct dm_header *header = &message->header;

	assert(size <= sizeof(*message));
	if (size < sizeof(*header) || header->size < sizeof(*header) || header->size > size)
		return "a message is cut short";
	if (header->size < least_size(header->type))
		return "a message is shorter than its kind";
	if (header->type == DM_UNBALLOON &&
	    message->unballoon.range_count >
		    (header->size - sizeof(struct dm_unballoon)) / sizeof(uint64_t))
		return "a message counts more ranges than it has";
	if (header->type == DM_HOT_ADD && header->size < sizeof(struct dm_hot_add))
		message->hot_add.region = 0;
	return NULL;
}

const char *dm_fault(const struct dm *dm)
{
	const char *fault = dm->channel ? vmbus_fault(dm->channel) : NULL;

	return fault ? fault : dm->fault;
}

static void take_info(struct dm *dm)
{
	const struct dm_info *info = &dm->message.info;

	if (info->header.size < sizeof(*info) || info->type != DM_INFO_PAGES_MAX)
		dm->counts.ignored++;
	else
		dm->pages_max = info->value;
}

/* The host is not used any more, and `vmbus` shows why, too. */
static int give_up(struct dm *dm, const char *why)
{
	dm->fault = why;
	vmbus_blame(dm->channel, why);
	return -EIO;
}

/* Takes the next message, whatever it is. */
static int receive(struct dm *dm)
{
	const char *wrong;
	size_t size;
	int err;

	if (dm->fault)
		return -EIO;
	err = vmbus_receive(dm->channel, &dm->message, sizeof(dm->message), &size);
	if (err)
		return err;
	dm->counts.received++;
	wrong = check(&dm->message, size);
	return wrong ? give_up(dm, wrong) : 0;
}

/* Whether it is a request; what else there is has been dealt with. */
static bool asks(struct dm *dm)
{
	switch (dm->message.header.type) {
	case DM_BALLOON:
	case DM_UNBALLOON:
	case DM_HOT_ADD:
		return true;
	case DM_INFO:
		take_info(dm);
		return false;
	default:
		/* An answer that comes late, or twice, or what nobody knows. */
		dm->counts.ignored++;
		return false;
	}
}

int dm_receive(struct dm *dm)
{
	for (unsigned i = 0; i < TURN_MESSAGES; i++) {
		int err = receive(dm);

		if (err || asks(dm))
			return err;
	}
	return -EAGAIN;
}

int dm_send(struct dm *dm, struct dm_header *message)
{
	int err;

	message->transaction = dm->transaction + 1;
	err = vmbus_send(dm->channel, message, message->size, 0);
	if (err)
		return err;
	dm->transaction++;
	dm->counts.sent++;
	return 0;
}

/* ---- The agreement ---- */

/* Sleeps until something has come, or for a moment if so much has that others are to run first. */
static void wait_for_more(struct dm *dm, bool others_first, struct wait_queue *waiters)
{
	uint64_t flags;

	if (others_first) {
		task_sleep_until(clock_ns() + NS_PER_MS);
		return;
	}
	flags = irq_save();
	if (!vmbus_has_message(dm->channel))
		task_wait_device(waiters, clock_ns() + CLOCK_AWAKE_LOOK_NS);
	irq_restore(flags);
}

/* Waits for an answer of this type, which `dm->message` has then. */
static int await(struct dm *dm, unsigned type, struct wait_queue *waiters)
{
	uint64_t since_awake = clock_awake_ns();
	int err;

	for (unsigned i = 1;; i++) {
		err = receive(dm);
		if (!err && dm->message.header.type == type)
			return 0;
		if (!err && asks(dm))
			return give_up(dm, "it asks before it has agreed to anything");
		if (err && err != -EAGAIN)
			return err;
		if (clock_awake_ns() - since_awake > VMBUS_DEADLINE_NS)
			return -ETIMEDOUT;
		wait_for_more(dm, i % TURN_MESSAGES == 0, waiters);
	}
}

static int propose_version(struct dm *dm, uint32_t version, bool last, struct wait_queue *waiters)
{
	struct dm_version_request request = {
		.header = { .type = DM_VERSION_REQUEST, .size = sizeof(request) },
		.version = version,
		.flags = last ? DM_LAST_ATTEMPT : 0,
	};
	int err = dm_send(dm, &request.header);

	if (!err)
		err = await(dm, DM_VERSION_RESPONSE, waiters);
	if (err)
		return err;
	return dm->message.version_response.flags & DM_ACCEPTED ? 0 : -ENOTSUP;
}

static int agree_version(struct dm *dm, struct wait_queue *waiters)
{
	int err = -ENOTSUP;

	for (size_t i = 0; err == -ENOTSUP && i < ARRAY_SIZE(versions); i++) {
		err = propose_version(dm, versions[i], i + 1 == ARRAY_SIZE(versions), waiters);
		if (!err)
			dm->version = versions[i];
	}
	return err;
}

static int agree_capabilities(struct dm *dm, uint64_t capabilities, struct wait_queue *waiters)
{
	struct dm_capabilities message = {
		.header = { .type = DM_CAPABILITIES, .size = sizeof(message) },
		.flags = capabilities,
		.page_max = UINT64_MAX,
	};
	int err = dm_send(dm, &message.header);

	if (!err)
		err = await(dm, DM_CAPABILITIES_RESPONSE, waiters);
	if (err)
		return err;
	dm->wants_status = !(dm->message.capabilities_response.flags & DM_CAP_NO_REPORTS);
	return dm->message.capabilities_response.flags & DM_ACCEPTED ? 0 : -ENOTSUP;
}

/* Whoever stops it waits for the host, which is bounded, and so is this. */
static void wait_until_stopped(const struct dm *dm)
{
	while (dm->stopping)
		task_sleep_until(clock_ns() + NS_PER_MS);
}

int dm_start(struct dm *dm, struct vmbus_channel *channel, uint64_t capabilities,
	     struct wait_queue *waiters)
{
	int err;

	wait_until_stopped(dm);
	memset(dm, 0, sizeof(*dm));
	err = vmbus_open(channel, RING_ORDER, waiters);
	if (err)
		return err;
	dm->channel = channel;
	err = agree_version(dm, waiters);
	if (!err)
		err = agree_capabilities(dm, capabilities, waiters);
	if (err) {
		/* The channel's own fault is gone with it. */
		if (!dm->fault)
			dm->fault = vmbus_fault(channel);
		dm_stop(dm);
	}
	return err;
}

void dm_stop(struct dm *dm)
{
	/* Once the other one is through the channel may be open anew: that is not to be stopped. */
	if (dm->stopping) {
		wait_until_stopped(dm);
		return;
	}
	if (!dm->channel)
		return;
	dm->stopping = true;
	vmbus_close(dm->channel);
	dm->channel = NULL;
	dm->stopping = false;
}
