/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The channels, and what the host's messages say of them. An answer that comes late is about
 * nothing any more: numbers of lists of frames, and of openings, are never used twice.
 */
#include "drivers/hyperv/vmbus_channel.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "drivers/hyperv/synic.h"
#include "drivers/hyperv/vmbus_internal.h"

/* A host has some thirty; what is beyond is not looked at. */
#define CHANNELS_MAX 64

static struct vmbus_channel channels[CHANNELS_MAX];

void vmbus_channels_begin(void)
{
	memset(channels, 0, sizeof(channels));
}

struct vmbus_channel *vmbus_channels_next(struct vmbus_channel *channel)
{
	channel = channel ? channel + 1 : channels;
	while (channel < channels + CHANNELS_MAX && channel->state == CHANNEL_NONE)
		channel++;
	return channel < channels + CHANNELS_MAX ? channel : NULL;
}

static struct vmbus_channel *find(uint32_t relid)
{
	for (size_t i = 0; i < CHANNELS_MAX; i++)
		if (channels[i].state != CHANNEL_NONE && channels[i].offer.relid == relid)
			return &channels[i];
	return NULL;
}

static struct vmbus_channel *find_gpadl(uint32_t gpadl)
{
	for (size_t i = 0; i < CHANNELS_MAX; i++)
		if (gpadl != 0 && channels[i].gpadl == gpadl)
			return &channels[i];
	return NULL;
}

static struct vmbus_channel *find_state(enum channel_state state)
{
	for (size_t i = 0; i < CHANNELS_MAX; i++)
		if (channels[i].state == state)
			return &channels[i];
	return NULL;
}

void vmbus_channel_wake(struct vmbus_channel *channel)
{
	if (channel->waiters)
		task_wake(channel->waiters);
}

const char *vmbus_fault(const struct vmbus_channel *channel)
{
	if (vmbus_host_fault())
		return vmbus_host_fault();
	if (channel->rescinded)
		return "the host has withdrawn the channel";
	if (channel->state == CHANNEL_OPEN && channel->torn_down)
		return "the host has let go of the channel's memory";
	if (channel->state == CHANNEL_OPEN && channel->rings.fault)
		return channel->rings.fault;
	return channel->fault;
}

/* ---- What messages say ---- */

static const char *take_offer(const struct vmbus_offer *offer)
{
	struct vmbus_channel *channel = find_state(CHANNEL_NONE);

	if (offer->relid == 0 || offer->relid >= SYNIC_EVENTS)
		return "a channel has a number that no channel can have";
	if (find(offer->relid))
		return "two channels have one number";
	/* Only primary channels are for drivers; and a host may have too many. */
	if (!channel || offer->subchannel != 0)
		return vmbus_ignore();
	*channel = (struct vmbus_channel){ .state = CHANNEL_NEW, .offer = *offer };
	return NULL;
}

static const char *take_rescind(uint32_t relid)
{
	struct vmbus_channel *channel = find(relid);

	if (!channel || channel->rescinded)
		return vmbus_ignore();
	channel->rescinded = true;
	vmbus_channel_wake(channel);
	return NULL;
}

static const char *take_answer(struct vmbus_channel *channel, uint32_t status)
{
	if (!channel || channel->answered)
		return vmbus_ignore();
	channel->answered = true;
	channel->status = status;
	return NULL;
}

static const char *take_created(const struct vmbus_gpadl_created *created)
{
	struct vmbus_channel *channel = find_gpadl(created->gpadl);

	/* While it is opened, or open, the list is known already. */
	if (channel && (channel->open_id != 0 || channel->state == CHANNEL_OPEN))
		return vmbus_ignore();
	return take_answer(channel, created->status);
}

static const char *take_opened(const struct vmbus_open_result *result)
{
	struct vmbus_channel *channel = find(result->relid);

	if (channel && (channel->open_id == 0 || channel->open_id != result->open_id))
		channel = NULL;
	return take_answer(channel, result->status);
}

static const char *take_torn_down(uint32_t gpadl)
{
	struct vmbus_channel *channel = find_gpadl(gpadl);

	if (!channel)
		return vmbus_ignore();
	channel->torn_down = true;
	vmbus_channel_wake(channel);
	return NULL;
}

const char *vmbus_channels_handle(const union vmbus_message *message)
{
	switch (message->header.type) {
	case VMBUS_OFFER:
		return take_offer(&message->offer);
	case VMBUS_RESCIND_OFFER:
		return take_rescind(message->relid.relid);
	case VMBUS_GPADL_CREATED:
		return take_created(&message->gpadl_created);
	case VMBUS_OPEN_RESULT:
		return take_opened(&message->open_result);
	case VMBUS_GPADL_TORNDOWN:
		return take_torn_down(message->gpadl_torndown.gpadl);
	default:
		return vmbus_ignore();
	}
}

/* ---- The life of a channel, for vmbus.c ---- */

struct vmbus_channel *vmbus_channels_new(void)
{
	return find_state(CHANNEL_NEW);
}

struct vmbus_channel *vmbus_channels_rescinded(void)
{
	for (size_t i = 0; i < CHANNELS_MAX; i++)
		if (channels[i].state != CHANNEL_NONE && channels[i].rescinded)
			return &channels[i];
	return NULL;
}

const struct vmbus_guid *vmbus_channel_type(const struct vmbus_channel *channel)
{
	return &channel->offer.type;
}

struct vmbus_driver *vmbus_channel_driver(const struct vmbus_channel *channel)
{
	return channel->driver;
}

void vmbus_channel_announce(struct vmbus_channel *channel, struct vmbus_driver *driver)
{
	assert(channel->state == CHANNEL_NEW);
	channel->state = CHANNEL_OFFERED;
	channel->driver = driver;
}

/* A driver may wait in there, and channels may go meanwhile. */
void vmbus_channels_look(void)
{
	for (size_t i = 0; i < CHANNELS_MAX; i++) {
		struct vmbus_channel *channel = &channels[i];
		bool is_announced = channel->state > CHANNEL_NEW && !channel->rescinded;

		if (is_announced && channel->driver && channel->driver->look)
			channel->driver->look(channel);
	}
}

void vmbus_channels_wake_all(void)
{
	for (size_t i = 0; i < CHANNELS_MAX; i++)
		vmbus_channel_wake(&channels[i]);
}

/* ---- For people ---- */

bool vmbus_get_channel(size_t i, struct vmbus_channel_info *info)
{
	for (size_t at = 0; at < CHANNELS_MAX; at++) {
		const struct vmbus_channel *channel = &channels[at];

		if (channel->state == CHANNEL_NONE || i-- > 0)
			continue;
		*info = (struct vmbus_channel_info){
			.type = channel->offer.type,
			.instance = channel->offer.instance,
			.relid = channel->offer.relid,
			.connection = channel->offer.connection,
			.open = channel->state == CHANNEL_OPEN,
			.withdrawn = channel->rescinded,
			.fault = vmbus_fault(channel),
			.closed = channel->closed,
			.sent = channel->sent,
			.received = channel->received,
			.signals = channel->signals,
		};
		return true;
	}
	return false;
}

void vmbus_format_guid(const struct vmbus_guid *guid, char text[VMBUS_GUID_TEXT_MAX])
{
	/* The bytes in the order in which people write them; -1: a dash. */
	static const signed char order[] = { 3,	 2, 1, 0,  -1, 5,  4,  -1, 7,  6,
					     -1, 8, 9, -1, 10, 11, 12, 13, 14, 15 };
	size_t at = 0;

	for (size_t i = 0; i < ARRAY_SIZE(order); i++) {
		if (order[i] < 0)
			text[at++] = '-';
		else
			at += (size_t)snprintf(text + at, VMBUS_GUID_TEXT_MAX - at, "%02x",
					       guid->byte[order[i]]);
	}
	text[at] = '\0';
}
