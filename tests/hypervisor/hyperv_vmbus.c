/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Hyper-V's side of the VMBus: the connection, what guests post to it, and signals in the manner of
 * old guests. See drivers/hyperv/vmbus_abi.h for the messages.
 */
#include "tests/hypervisor/hyperv_host.h"

#include <string.h>

#include "tests/hypervisor/hyperv_channel.h"
#include "tests/hypervisor/personality.h"

#define NEWEST VMBUS_VERSION(5, 3)

/* Where guests post since VERSION_RESPONSE has told them so. */
#define TOLD_CONNECTION 0x10001

static const uint32_t versions[] = {
	VMBUS_VERSION(0, 13), VMBUS_VERSION(1, 1),
	VMBUS_VERSION(2, 4),  VMBUS_VERSION(3, 0),
	VMBUS_VERSION(4, 0),  VMBUS_VERSION(4, 1),
	VMBUS_VERSION(5, 0),  VMBUS_VERSION(5, 1),
	VMBUS_VERSION(5, 2),  NEWEST,
};

static uint32_t version; /* 0: not connected */
static uint64_t interrupt_page;

static void disconnect(void)
{
	channel_forget_all();
	version = 0;
	interrupt_page = 0;
}

void host_vmbus_start(void)
{
	version = 0;
	interrupt_page = 0;
	channel_start();
}

static uint32_t newest_version(void)
{
	return wish()->vmbus_version ? wish()->vmbus_version : NEWEST;
}

static bool has_own_interrupts(void)
{
	return version >= VMBUS_VERSION(2, 4);
}

/* ---- Connection ---- */

static bool is_version(uint32_t asked)
{
	for (size_t i = 0; i < sizeof(versions) / sizeof(versions[0]); i++)
		if (versions[i] == asked)
			return asked <= newest_version();
	return false;
}

/* A new contact ends the one before: so a kernel that another one has started begins. */
static void initiate_contact(const struct vmbus_initiate_contact *message)
{
	bool accepted = is_version(message->version) && !is_in(lie()->refused, HYPERV_VERSION);
	struct vmbus_version_response response = {
		.header.type = VMBUS_VERSION_RESPONSE,
		.supported = accepted,
	};

	if (message->target_vp != 0)
		machine_violate("messages are to go to a processor that there is not");
	disconnect();
	if (accepted) {
		version = message->version;
		seen()->vmbus_version = version;
		seen()->connects++;
		seen()->progress = HYPERV_CONNECTED;
		if (version >= VMBUS_VERSION(5, 0))
			response.connection = TOLD_CONNECTION;
		else
			interrupt_page = message->interrupt_page;
	}
	host_synic_tell(HYPERV_VERSION, &response, sizeof(response));
}

static void unload(void)
{
	struct vmbus_header response = { .type = VMBUS_UNLOAD_RESPONSE };

	disconnect();
	host_synic_forget();
	seen()->unloads++;
	seen()->progress = HYPERV_SYNIC;
	host_synic_tell(HYPERV_UNLOAD_RESPONSE, &response, sizeof(response));
}

/* ---- What is posted ---- */

/* How long each must be, at least; 0: no guest posts it. */
static uint32_t least_bytes(uint32_t type)
{
	switch (type) {
	case VMBUS_INITIATE_CONTACT:
		return sizeof(struct vmbus_initiate_contact);
	case VMBUS_REQUEST_OFFERS:
	case VMBUS_UNLOAD:
		return sizeof(struct vmbus_header);
	case VMBUS_GPADL_HEADER:
		return offsetof(struct vmbus_gpadl_header, frame);
	case VMBUS_GPADL_BODY:
		return offsetof(struct vmbus_gpadl_body, frame);
	case VMBUS_OPEN:
		return sizeof(struct vmbus_open);
	case VMBUS_CLOSE:
	case VMBUS_RELID_RELEASED:
		return sizeof(struct vmbus_relid);
	case VMBUS_GPADL_TEARDOWN:
		return sizeof(struct vmbus_gpadl_teardown);
	default:
		return 0;
	}
}

union vmbus_message {
	struct vmbus_header header;
	struct vmbus_initiate_contact contact;
	struct vmbus_gpadl_header gpadl_header;
	struct vmbus_gpadl_body gpadl_body;
	struct vmbus_gpadl_teardown teardown;
	struct vmbus_open open;
	struct vmbus_relid relid;
	uint8_t bytes[HV_MESSAGE_PAYLOAD];
};

static void handle(const union vmbus_message *message, uint32_t bytes)
{
	switch (message->header.type) {
	case VMBUS_INITIATE_CONTACT:
		initiate_contact(&message->contact);
		break;
	case VMBUS_REQUEST_OFFERS:
		channel_request_offers(!has_own_interrupts());
		break;
	case VMBUS_GPADL_HEADER:
		channel_gpadl_header(&message->gpadl_header, bytes);
		break;
	case VMBUS_GPADL_BODY:
		channel_gpadl_body(&message->gpadl_body, bytes);
		break;
	case VMBUS_GPADL_TEARDOWN:
		channel_gpadl_teardown(&message->teardown);
		break;
	case VMBUS_OPEN:
		channel_open(&message->open);
		break;
	case VMBUS_CLOSE:
		channel_close(&message->relid);
		break;
	case VMBUS_RELID_RELEASED:
		channel_release(&message->relid);
		break;
	case VMBUS_UNLOAD:
		unload();
		break;
	}
}

/* Hosts before 5.0 have the old connection only; later ones tell the guest of another. */
static bool is_connection(uint32_t connection, uint32_t type)
{
	if (type != VMBUS_INITIATE_CONTACT && version >= VMBUS_VERSION(5, 0))
		return connection == TOLD_CONNECTION;
	if (type == VMBUS_INITIATE_CONTACT && connection == VMBUS_CONNECTION)
		return newest_version() >= VMBUS_VERSION(5, 0);
	return connection == VMBUS_CONNECTION_OLD;
}

uint64_t host_vmbus_post(uint32_t connection, const void *posted, uint32_t bytes)
{
	union vmbus_message message = { 0 };
	uint32_t type;

	memcpy(&message, posted, bytes);
	type = message.header.type;
	if (bytes < sizeof(message.header) || least_bytes(type) == 0) {
		machine_violate("a message was posted of a type that guests do not post");
		return HV_INVALID_PARAMETER;
	}
	if (!is_connection(connection, type))
		return HV_INVALID_CONNECTION;
	if (bytes < least_bytes(type)) {
		machine_violate("a message was posted that is too short");
		return HV_INVALID_PARAMETER;
	}
	if (!host_synic_has_room())
		return HV_INSUFFICIENT_BUFFERS;
	if (version == 0 && type != VMBUS_INITIATE_CONTACT) {
		machine_violate("a message was posted without a connection");
		return HV_SUCCESS;
	}
	if (!host_synic_is_ready())
		machine_violate("a message was posted before the SynIC could take the answer");
	channel_count_said();
	handle(&message, bytes);
	return HV_SUCCESS;
}

/* ---- Signals ---- */

/* The guest's half of the page says which channels of old are meant. */
bool host_vmbus_take_old_signal(uint32_t relid)
{
	uint8_t *page = machine_memory(interrupt_page, FRAME_BYTES);
	uint8_t *byte, bit = (uint8_t)(1 << relid % 8);

	if (!page) {
		machine_violate("the page of interrupts lies where the guest has no RAM");
		return false;
	}
	byte = page + FRAME_BYTES / 2 + relid / 8;
	if (!(*byte & bit))
		return false;
	*byte = (uint8_t)(*byte & ~bit);
	return true;
}

/* As the guest's version has it: a flag for its channel, or one for all and a bit in its page. */
void host_vmbus_signal_guest(uint32_t relid)
{
	uint8_t *page;

	if (has_own_interrupts()) {
		host_synic_signal(relid);
		return;
	}
	page = machine_memory(interrupt_page, FRAME_BYTES);
	if (!page) {
		machine_violate("the page of interrupts lies where the guest has no RAM");
		return;
	}
	page[relid / 8] = (uint8_t)(page[relid / 8] | 1 << relid % 8);
	host_synic_signal(0);
}
