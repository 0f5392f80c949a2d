/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Dynamic memory's channel: version, capabilities, reports; and the places where what the host
 * says waits for room in the ring, one for each kind. See drivers/hyperv/dm_abi.h.
 */
#include "tests/hypervisor/hyperv_host.h"

#include <string.h>

#include "tests/hypervisor/personality.h"

#define NEWEST DM_VERSION(2, 0)
#define KINDS (HYPERV_KINDS - HYPERV_DM)
#define UNKNOWN_TYPE 0x7777
#define FOREIGN_BITS UINT32_C(0x5a5a0000)

/* What waits to be said. */
struct place {
	uint32_t times; /* 0: nothing does */
	uint32_t bytes;
	union {
		struct dm_header header;
		uint8_t byte[DM_MESSAGE_MAX];
	};
};

union packet {
	struct dm_header header;
	struct dm_version_request version;
	struct dm_capabilities capabilities;
	struct dm_status status;
	struct dm_balloon_response balloon;
	struct dm_hot_add_response hot_add;
	/* Longer than any may be, so that too long a one is seen. */
	uint8_t byte[DM_MESSAGE_MAX + 8];
};

static const uint16_t types[KINDS] = {
	[HYPERV_DM_VERSION - HYPERV_DM] = DM_VERSION_RESPONSE,
	[HYPERV_DM_CAPABILITIES - HYPERV_DM] = DM_CAPABILITIES_RESPONSE,
	[HYPERV_DM_INFO - HYPERV_DM] = DM_INFO,
	[HYPERV_DM_BALLOON - HYPERV_DM] = DM_BALLOON,
	[HYPERV_DM_UNBALLOON - HYPERV_DM] = DM_UNBALLOON,
	[HYPERV_DM_HOT_ADD - HYPERV_DM] = DM_HOT_ADD,
};

static struct place places[KINDS];
static struct host_ring *in, *out; /* NULL: the channel is not open */
static uint32_t relid;
static bool was_signalled;
static uint32_t transaction; /* of the host's own */

void host_dm_start(void)
{
	in = out = NULL;
	transaction = 0;
	memset(places, 0, sizeof(places));
	ask_close(false, false);
}

void host_dm_open(uint32_t channel, struct host_ring *from_guest, struct host_ring *to_guest)
{
	in = from_guest;
	out = to_guest;
	relid = channel;
	was_signalled = false;
}

static struct place *place_of(enum hyperv_kind kind)
{
	return &places[kind - HYPERV_DM];
}

bool host_dm_may_say(enum hyperv_kind kind)
{
	return place_of(kind)->times == 0;
}

void host_dm_close(void)
{
	ask_close(!host_dm_may_say(HYPERV_DM_UNBALLOON), !host_dm_may_say(HYPERV_DM_HOT_ADD));
	memset(places, 0, sizeof(places));
	in = out = NULL;
}

void host_dm_signalled(void)
{
	was_signalled = true;
}

/* ---- What the host says ---- */

static void say(enum hyperv_kind kind, void *packet, uint32_t bytes, uint32_t its_transaction)
{
	struct place *place = place_of(kind);

	memcpy(place->byte, packet, bytes);
	place->header.type = types[kind - HYPERV_DM];
	place->header.size = (uint16_t)bytes;
	place->header.transaction = its_transaction;
	if (is_in(lie()->unknown, kind))
		place->header.type ^= UNKNOWN_TYPE;
	if (is_in(lie()->foreign, kind))
		place->header.transaction ^= FOREIGN_BITS;
	if (is_in(lie()->sized, kind))
		place->header.size = (uint16_t)lie()->size_value;
	if (is_in(lie()->cut, kind) && lie()->cut_bytes < bytes)
		bytes = lie()->cut_bytes;
	place->bytes = bytes;
	place->times = is_in(lie()->twice, kind) ? 2 : 1;
}

void host_dm_say(enum hyperv_kind kind, void *packet, uint32_t bytes)
{
	say(kind, packet, bytes, ++transaction);
}

bool host_dm_push(const void *packet, uint32_t bytes)
{
	struct place *place = place_of(HYPERV_PUSHED);

	if (!out || place->times > 0)
		return false;
	memcpy(place->byte, packet, bytes);
	place->bytes = bytes;
	place->times = 1;
	return true;
}

/* Writes what waits, as far as there is room. Returns whether anything was written. */
static bool flush(void)
{
	bool wrote = false, signal;

	for (uint32_t i = 0; out && i < KINDS; i++) {
		struct place *place = &places[i];

		while (place->times > 0 && !is_in(lie()->silent, HYPERV_DM + i) &&
		       ring_write(out, place->byte, place->bytes, &signal)) {
			place->times--;
			seen()->told[HYPERV_DM + i]++;
			if (signal)
				host_vmbus_signal_guest(relid);
			wrote = true;
		}
	}
	return wrote;
}

/* ---- What the guest says ---- */

static bool is_version(uint32_t version)
{
	uint32_t newest = wish()->dm_version ? wish()->dm_version : NEWEST;

	return version <= newest && (version == DM_VERSION(0, 3) || version == DM_VERSION(1, 0) ||
				     version == DM_VERSION(2, 0));
}

static void version_request(const struct dm_version_request *request)
{
	bool accepted = is_version(request->version) && !is_in(lie()->refused, HYPERV_DM_VERSION);
	struct dm_version_response response = { .flags = accepted ? DM_ACCEPTED : 0 };

	if (seen()->progress >= HYPERV_READY) {
		machine_violate("a version was asked for after the capabilities");
		return;
	}
	if (accepted) {
		seen()->dm_version = request->version;
		seen()->progress = HYPERV_NEGOTIATED;
	}
	say(HYPERV_DM_VERSION, &response, sizeof(response), request->header.transaction);
}

static void tell_most(void)
{
	uint64_t first, spare = machine_spare(&first);
	struct dm_info info = {
		.size = 2 * sizeof(uint32_t) + sizeof(info.value),
		.type = DM_INFO_PAGES_MAX,
		.value_size = sizeof(info.value),
		.value = wish()->pages_max ? wish()->pages_max : machine_ram_frames() + spare,
	};

	if (!wish()->no_info)
		host_dm_say(HYPERV_DM_INFO, &info, sizeof(info));
}

static void capabilities(const struct dm_capabilities *message)
{
	bool accepted = !is_in(lie()->refused, HYPERV_DM_CAPABILITIES);
	struct dm_capabilities_response response = {
		.flags = (accepted ? DM_ACCEPTED : 0) |
			 (wish()->no_reports ? DM_CAP_NO_REPORTS : 0),
	};

	if (seen()->progress != HYPERV_NEGOTIATED) {
		machine_violate("capabilities were told before a version, or twice");
		return;
	}
	seen()->capabilities = message->flags;
	seen()->pages_min = message->pages_min;
	seen()->page_max = message->page_max;
	say(HYPERV_DM_CAPABILITIES, &response, sizeof(response), message->header.transaction);
	if (!accepted)
		return;
	seen()->progress = HYPERV_READY;
	tell_most();
}

static void status(const struct dm_status *message)
{
	seen()->reports++;
	seen()->available = message->available;
	seen()->committed = message->committed;
	seen()->page_file = message->page_file;
	seen()->zero_free = message->zero_free;
	seen()->page_file_writes = message->page_file_writes;
	seen()->io_difference = message->io_difference;
	seen()->reported_100ns = machine_time_100ns();
}

/* How long each is; 0: no guest says it. A BALLOON_RESPONSE may be longer. */
static uint32_t bytes_of(uint16_t type)
{
	switch (type) {
	case DM_VERSION_REQUEST:
		return sizeof(struct dm_version_request);
	case DM_CAPABILITIES:
		return sizeof(struct dm_capabilities);
	case DM_STATUS:
		return sizeof(struct dm_status);
	case DM_BALLOON_RESPONSE:
		return sizeof(struct dm_balloon_response);
	case DM_UNBALLOON_RESPONSE:
		return sizeof(struct dm_header);
	case DM_HOT_ADD_RESPONSE:
		return sizeof(struct dm_hot_add_response);
	default:
		return 0;
	}
}

static bool is_sound(const struct dm_header *header, uint32_t bytes)
{
	uint32_t expected;

	if (bytes < sizeof(*header) || header->size < sizeof(*header) || header->size > bytes ||
	    header->size > DM_MESSAGE_MAX) {
		machine_violate("a packet of dm is not as long as its header says");
		return false;
	}
	expected = bytes_of(header->type);
	if (expected == 0) {
		machine_violate("a packet of dm of a type that guests do not send");
		return false;
	}
	if (header->type == DM_BALLOON_RESPONSE ? header->size < expected
						: header->size != expected) {
		machine_violate("a packet of dm has not the length of its type");
		return false;
	}
	return true;
}

static void handle(const union packet *packet)
{
	if (packet->header.type == DM_VERSION_REQUEST) {
		version_request(&packet->version);
		return;
	}
	if (packet->header.type == DM_CAPABILITIES) {
		capabilities(&packet->capabilities);
		return;
	}
	if (seen()->progress != HYPERV_READY) {
		machine_violate("a packet of dm before the capabilities");
		return;
	}
	switch (packet->header.type) {
	case DM_STATUS:
		status(&packet->status);
		break;
	case DM_BALLOON_RESPONSE:
		ask_balloon_response(&packet->balloon);
		break;
	case DM_UNBALLOON_RESPONSE:
		ask_unballoon_response();
		break;
	case DM_HOT_ADD_RESPONSE:
		ask_hot_add_response(&packet->hot_add);
		break;
	}
}

/* Answers wait one of each kind, so each is sent before the next packet is read. */
static void read_all(void)
{
	static union packet packet;
	uint32_t bytes, packets = 0;
	bool signal;

	while (in && ring_read(in, &packet, sizeof(packet), &bytes, &signal)) {
		packets++;
		if (signal)
			host_vmbus_signal_guest(relid);
		channel_count_said();
		if (in && is_sound(&packet.header, bytes))
			handle(&packet);
		flush();
	}
	if (was_signalled && in && !ring_take_room(out) && packets == 0)
		seen()->signals_idle++;
	was_signalled = false;
}

void host_dm_work(void)
{
	ring_work(in);
	ring_work(out);
	if ((was_signalled || wish()->polls) && !lie()->unread)
		read_all();
	do
		flush();
	while (out && seen()->progress == HYPERV_READY && ask_work(seen()->capabilities));
}
