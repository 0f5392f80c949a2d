/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The channels of the VMBus: offered, given GPADLs, opened, closed, and rescinded at any time,
 * until the guest lets go of them. See drivers/hyperv/vmbus_abi.h for the messages.
 */
#include "tests/hypervisor/hyperv_channel.h"

#include <string.h>

#include "tests/hypervisor/hyperv_gpadl.h"
#include "tests/hypervisor/personality.h"

#define CHANNELS 4 /* dm's is the last one */
#define DM (CHANNELS - 1)
#define FIRST_RELID 11
#define RELID_MAX 2047
#define FIRST_CONNECTION 0x20000

enum channel_state {
	CHANNEL_ABSENT,
	CHANNEL_OFFERED,
	CHANNEL_OPEN,
	CHANNEL_RESCINDED, /* the guest has not let go of it */
};

struct channel {
	enum channel_state state;
	uint32_t relid;
	uint32_t ring_gpadl; /* that it was opened with; 0: none */
	struct host_ring in, out;
};

static struct channel channels[CHANNELS];
static bool old_signals; /* of guests before 2.4 */
static bool offers_requested;
static uint32_t next_relid;
static uint32_t rescind_told, torn_down_told; /* lies: each once for each number that is set */
static bool dm_is_withheld;		      /* it was rescinded by a lie */

void channel_start(void)
{
	channels[DM].state = CHANNEL_ABSENT;
	channel_forget_all();
	next_relid = FIRST_RELID;
	rescind_told = torn_down_told = 0;
}

void channel_forget_all(void)
{
	if (channels[DM].state == CHANNEL_OPEN)
		host_dm_close();
	memset(channels, 0, sizeof(channels));
	gpadl_forget_all();
	offers_requested = false;
	dm_is_withheld = false;
}

static struct channel *find_channel(uint32_t relid)
{
	for (size_t i = 0; i < CHANNELS; i++)
		if (channels[i].state != CHANNEL_ABSENT && channels[i].relid == relid)
			return &channels[i];
	return NULL;
}

/* ---- Offers ---- */

static uint32_t connection_of(const struct channel *channel)
{
	return old_signals ? VMBUS_CONNECTION_EVENTS : FIRST_CONNECTION + channel->relid;
}

static void offer(struct channel *channel)
{
	static const struct vmbus_guid dm = DM_GUID;
	struct vmbus_offer message = { .header.type = VMBUS_OFFER };

	channel->relid = next_relid;
	next_relid = next_relid < RELID_MAX ? next_relid + 1 : FIRST_RELID;
	channel->state = CHANNEL_OFFERED;
	if (channel == &channels[DM])
		message.type = dm;
	else
		memset(&message.type, 0xae, sizeof(message.type));
	memcpy(&message.instance, &message.type, sizeof(message.instance));
	message.instance.byte[0] = (uint8_t)(channel - channels + 1);
	message.relid = channel->relid;
	message.dedicated_interrupt = old_signals ? 0 : VMBUS_DEDICATED_INTERRUPT;
	message.connection = connection_of(channel);
	host_synic_tell(HYPERV_OFFER, &message, VMBUS_OFFER_BYTES);
}

void channel_request_offers(bool for_old_guest)
{
	struct vmbus_header all = { .type = VMBUS_ALL_OFFERS };

	if (offers_requested) {
		machine_violate("offers were requested twice");
		return;
	}
	offers_requested = true;
	old_signals = for_old_guest;
	for (uint32_t i = 0; i < DM && i < wish()->other_channels; i++)
		offer(&channels[i]);
	if (!wish()->no_dm)
		offer(&channels[DM]);
	host_synic_tell(HYPERV_ALL_OFFERS, &all, sizeof(all));
}

static void close_channel(struct channel *channel)
{
	if (channel == &channels[DM] && channel->state == CHANNEL_OPEN) {
		host_dm_close();
		seen()->progress = HYPERV_CONNECTED;
	}
}

static void rescind(struct channel *channel)
{
	struct vmbus_relid message = {
		.header.type = VMBUS_RESCIND_OFFER,
		.relid = channel->relid,
	};

	close_channel(channel);
	channel->state = CHANNEL_RESCINDED;
	seen()->rescinds++;
	host_synic_tell(HYPERV_RESCIND, &message, sizeof(message));
}

static bool is_offered(const struct channel *channel)
{
	return channel->state == CHANNEL_OFFERED || channel->state == CHANNEL_OPEN;
}

/* ---- GPADLs ---- */

static void tell_created(uint32_t relid, uint32_t gpadl)
{
	struct vmbus_gpadl_created response = {
		.header.type = VMBUS_GPADL_CREATED,
		.relid = relid,
		.gpadl = gpadl,
		.status = is_in(lie()->refused, HYPERV_GPADL_CREATED),
	};

	if (response.status)
		gpadl_forget(gpadl);
	else
		seen()->gpadls++;
	host_synic_tell(HYPERV_GPADL_CREATED, &response, sizeof(response));
}

void channel_gpadl_header(const struct vmbus_gpadl_header *message, uint32_t bytes)
{
	const struct channel *channel = find_channel(message->relid);

	if (!channel || !is_offered(channel)) {
		machine_violate("a GPADL for a channel that is not offered");
		return;
	}
	if (gpadl_begin(message, bytes))
		tell_created(message->relid, message->gpadl);
}

void channel_gpadl_body(const struct vmbus_gpadl_body *message, uint32_t bytes)
{
	uint32_t relid;

	if (gpadl_go_on(message, bytes, &relid))
		tell_created(relid, message->gpadl);
}

static void tell_torndown(uint32_t gpadl)
{
	struct vmbus_gpadl_torndown response = {
		.header.type = VMBUS_GPADL_TORNDOWN,
		.gpadl = gpadl,
	};

	host_synic_tell(HYPERV_GPADL_TORNDOWN, &response, sizeof(response));
}

void channel_gpadl_teardown(const struct vmbus_gpadl_teardown *message)
{
	for (size_t i = 0; i < CHANNELS; i++)
		if (channels[i].state == CHANNEL_OPEN && channels[i].ring_gpadl == message->gpadl) {
			machine_violate("the GPADL of an open channel was torn down");
			return;
		}
	if (!gpadl_forget(message->gpadl)) {
		machine_violate("a GPADL was torn down that there is not");
		return;
	}
	tell_torndown(message->gpadl);
}

/* ---- Open and closed ---- */

/* The rings lie one after the other in the GPADL: the guest's to the host first. */
static bool open_rings(struct channel *channel, const struct vmbus_open *message)
{
	uint32_t frames;
	const uint64_t *frame = gpadl_frames(message->relid, message->ring_gpadl, &frames);

	if (!frame) {
		machine_violate("a channel was opened with a GPADL that is not its own");
		return false;
	}
	if (message->host_ring_page < 2 || message->host_ring_page + UINT64_C(2) > frames) {
		machine_violate("a channel was opened with a ring without data");
		return false;
	}
	ring_start(&channel->in, frame, message->host_ring_page, false);
	ring_start(&channel->out, frame + message->host_ring_page, frames - message->host_ring_page,
		   true);
	return true;
}

void channel_open(const struct vmbus_open *message)
{
	struct channel *channel = find_channel(message->relid);
	struct vmbus_open_result result = {
		.header.type = VMBUS_OPEN_RESULT,
		.relid = message->relid,
		.open_id = message->open_id,
		.status = 1,
	};

	if (!channel || !is_offered(channel)) {
		machine_violate("a channel was opened that is not offered");
	} else if (channel->state == CHANNEL_OPEN) {
		machine_violate("a channel was opened twice");
	} else if (open_rings(channel, message) && !is_in(lie()->refused, HYPERV_OPEN_RESULT)) {
		channel->state = CHANNEL_OPEN;
		channel->ring_gpadl = message->ring_gpadl;
		result.status = 0;
		seen()->opens++;
	}
	host_synic_tell(HYPERV_OPEN_RESULT, &result, sizeof(result));
	if (result.status == 0 && channel == &channels[DM]) {
		seen()->progress = HYPERV_OPENED;
		host_dm_open(channel->relid, &channel->in, &channel->out);
	}
}

void channel_close(const struct vmbus_relid *message)
{
	struct channel *channel = find_channel(message->relid);

	if (!channel || channel->state == CHANNEL_OFFERED) {
		machine_violate("a channel was closed that is not open");
		return;
	}
	seen()->closes++;
	close_channel(channel);
	channel->ring_gpadl = 0;
	if (channel->state == CHANNEL_OPEN)
		channel->state = CHANNEL_OFFERED;
}

void channel_release(const struct vmbus_relid *message)
{
	struct channel *channel = find_channel(message->relid);

	if (!channel || channel->state != CHANNEL_RESCINDED) {
		machine_violate("a channel was released that was not rescinded");
		return;
	}
	seen()->releases++;
	channel->state = CHANNEL_ABSENT;
	gpadl_forget_of(channel->relid);
}

/* ---- Signals ---- */

uint64_t channel_signal(uint32_t connection)
{
	uint64_t status = HV_INVALID_CONNECTION;

	for (size_t i = 0; i < CHANNELS; i++) {
		const struct channel *channel = &channels[i];

		if (channel->state == CHANNEL_ABSENT || connection_of(channel) != connection)
			continue;
		status = HV_SUCCESS;
		if (i == DM && channel->state == CHANNEL_OPEN &&
		    (!old_signals || host_vmbus_take_old_signal(channel->relid)))
			host_dm_signalled();
	}
	return status;
}

/* ---- What the test wants ---- */

/* Whether it is time for a lie that is told at so many messages, and was not told. */
static bool is_due(uint32_t at, uint32_t *told)
{
	if (at == 0 || at == *told || seen()->said < at)
		return false;
	*told = at;
	return true;
}

void channel_count_said(void)
{
	struct channel *channel = &channels[DM];

	seen()->said++;
	if (channel->ring_gpadl && is_due(lie()->torn_down_at, &torn_down_told))
		tell_torndown(channel->ring_gpadl);
	if (is_offered(channel) && is_due(lie()->rescind_at, &rescind_told)) {
		rescind(channel);
		dm_is_withheld = true;
	}
}

void channel_work(void)
{
	struct channel *channel = &channels[DM];

	if (wish()->no_dm || wish()->offer_again)
		dm_is_withheld = false;
	if (offers_requested && wish()->no_dm && is_offered(channel))
		rescind(channel);
	if (offers_requested && !wish()->no_dm && !dm_is_withheld &&
	    channel->state == CHANNEL_ABSENT)
		offer(channel);
	if (channel->state == CHANNEL_OPEN)
		host_dm_work();
}
