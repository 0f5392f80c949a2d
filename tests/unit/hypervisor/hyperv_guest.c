/* SPDX-License-Identifier: BSD-2-Clause */
/* A guest of Hyper-V, led by the hand; see hyperv_guest.h. */
#include "tests/unit/hypervisor/hyperv_guest.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#define GUEST_ID (HV_GUEST_OPEN_SOURCE | UINT64_C(1) << 56)

uint32_t guest_connection;
struct vmbus_offer guest_dm;

static uint32_t transaction;

void *guest_page(uint64_t pfn)
{
	return (void *)(uintptr_t)(pfn * FRAME_SIZE);
}

void guest_begin(uint64_t spare)
{
	static bool reserved;

	if (!reserved)
		assert_int_equal(sim_ram_reserve(), 0);
	reserved = true;
	sim_machine_start(&hyperv_personality, spare);
	memset(guest_page(GUEST_FIRST), 0, 0x200 * FRAME_SIZE);
	guest_connection = VMBUS_CONNECTION;
	transaction = 0;
}

int guest_set_up(void **state)
{
	(void)state;
	guest_begin(0);
	return 0;
}

/* ---- Hypercalls and the SynIC ---- */

void guest_enable(void)
{
	assert_true(sim_machine_msr_write(HV_MSR_GUEST_OS_ID, GUEST_ID));
	assert_true(sim_machine_msr_write(HV_MSR_HYPERCALL,
					  GUEST_HYPERCALL_PAGE * FRAME_SIZE | HV_MSR_ENABLE));
	assert_true(
		sim_machine_msr_write(HV_MSR_SIMP, GUEST_MESSAGES * FRAME_SIZE | HV_MSR_ENABLE));
	assert_true(sim_machine_msr_write(HV_MSR_SIEFP, GUEST_EVENTS * FRAME_SIZE | HV_MSR_ENABLE));
	assert_true(sim_machine_msr_write(HV_MSR_SINT0 + VMBUS_SINT, GUEST_VECTOR));
	assert_true(sim_machine_msr_write(HV_MSR_SCONTROL, HV_MSR_ENABLE));
}

uint64_t guest_hypercall(uint64_t control, uint64_t input, uint64_t output)
{
	struct guest_registers registers = { .rcx = control, .rdx = input, .r8 = output };

	assert_true(sim_machine_hypercall(&registers));
	return registers.rax;
}

uint64_t guest_post_to(uint32_t connection, const void *message, uint32_t bytes)
{
	struct hv_post_message *input = guest_page(GUEST_INPUT);

	*input = (struct hv_post_message){
		.connection = connection,
		.type = HV_MESSAGE_CHANNEL,
		.size = bytes,
	};
	memcpy(input->payload, message, bytes);
	return guest_hypercall(HV_POST_MESSAGE, GUEST_INPUT * FRAME_SIZE, 0);
}

void guest_post(const void *message, uint32_t bytes)
{
	assert_int_equal(guest_post_to(guest_connection, message, bytes), HV_SUCCESS);
}

bool guest_take(void *message)
{
	struct hv_message_page *page = guest_page(GUEST_MESSAGES);
	struct hv_message *slot = &page->slot[VMBUS_SINT];
	uint8_t vector;

	if (slot->type == HV_MESSAGE_NONE)
		return false;
	assert_int_equal(slot->type, HV_MESSAGE_CHANNEL);
	assert_true(slot->size <= HV_MESSAGE_PAYLOAD);
	memset(message, 0, HV_MESSAGE_PAYLOAD);
	memcpy(message, slot->payload, slot->size);
	while (sim_machine_take_interrupt(&vector))
		assert_int_equal(vector, GUEST_VECTOR);
	slot->type = HV_MESSAGE_NONE;
	if (slot->flags & HV_MESSAGE_PENDING)
		assert_true(sim_machine_msr_write(HV_MSR_EOM, 0));
	else
		sim_machine_ring();
	return true;
}

void guest_expect(uint32_t type, void *message)
{
	struct vmbus_header header;

	assert_true(guest_take(message));
	memcpy(&header, message, sizeof(header));
	assert_int_equal(header.type, type);
}

void guest_expect_silence(void)
{
	uint8_t message[HV_MESSAGE_PAYLOAD];

	assert_false(guest_take(message));
}

/* ---- The VMBus ---- */

bool guest_contact(uint32_t version)
{
	struct vmbus_initiate_contact contact = {
		.header.type = VMBUS_INITIATE_CONTACT,
		.version = version,
	};
	union {
		struct vmbus_version_response response;
		uint8_t bytes[HV_MESSAGE_PAYLOAD];
	} answer;

	guest_connection = VMBUS_CONNECTION_OLD;
	if (version >= VMBUS_VERSION(5, 0)) {
		guest_connection = VMBUS_CONNECTION;
		contact.interrupt_page = VMBUS_SINT;
	} else {
		contact.interrupt_page = GUEST_INTERRUPT_PAGE * FRAME_SIZE;
	}
	if (guest_post_to(guest_connection, &contact, sizeof(contact)) != HV_SUCCESS)
		return false;
	guest_expect(VMBUS_VERSION_RESPONSE, &answer);
	if (answer.response.supported && version >= VMBUS_VERSION(5, 0))
		guest_connection = answer.response.connection;
	return answer.response.supported;
}

void guest_request_offers(void)
{
	struct vmbus_header request = { .type = VMBUS_REQUEST_OFFERS };
	static const struct vmbus_guid dm = DM_GUID;
	union {
		struct vmbus_header header;
		struct vmbus_offer offer;
		uint8_t bytes[HV_MESSAGE_PAYLOAD];
	} message;

	guest_dm = (struct vmbus_offer){ 0 };
	guest_post(&request, sizeof(request));
	for (;;) {
		assert_true(guest_take(&message));
		if (message.header.type == VMBUS_ALL_OFFERS)
			return;
		assert_int_equal(message.header.type, VMBUS_OFFER);
		if (memcmp(&message.offer.type, &dm, sizeof(dm)) == 0)
			memcpy(&guest_dm, &message, VMBUS_OFFER_BYTES);
	}
}

void guest_make_gpadl(uint32_t gpadl, uint64_t first, uint32_t frames)
{
	struct vmbus_gpadl_header header = {
		.header.type = VMBUS_GPADL_HEADER,
		.relid = guest_dm.relid,
		.gpadl = gpadl,
		.range_bytes = (uint16_t)(8 + 8 * frames),
		.range_count = 1,
		.byte_count = frames * FRAME_SIZE,
	};
	struct vmbus_gpadl_body body = { .header.type = VMBUS_GPADL_BODY, .gpadl = gpadl };
	uint32_t done = 0, count;

	while (done < frames && done < VMBUS_GPADL_HEADER_FRAMES) {
		header.frame[done] = first + done;
		done++;
	}
	guest_post(&header, (uint32_t)(offsetof(struct vmbus_gpadl_header, frame) + 8 * done));
	while (done < frames) {
		for (count = 0; done < frames && count < VMBUS_GPADL_BODY_FRAMES; count++)
			body.frame[count] = first + done++;
		body.number++;
		guest_post(&body, (uint32_t)(offsetof(struct vmbus_gpadl_body, frame) + 8 * count));
	}
}

void guest_open_channel(void)
{
	struct vmbus_open open = {
		.header.type = VMBUS_OPEN,
		.relid = guest_dm.relid,
		.open_id = 7,
		.ring_gpadl = GUEST_GPADL,
		.host_ring_page = GUEST_RING_FRAMES,
	};
	union {
		struct vmbus_gpadl_created created;
		struct vmbus_open_result result;
		uint8_t bytes[HV_MESSAGE_PAYLOAD];
	} answer;

	memset(guest_page(GUEST_RINGS), 0, 2 * GUEST_RING_FRAMES * FRAME_SIZE);
	guest_ring(true)->features = VMBUS_RING_PENDING_SEND;
	guest_make_gpadl(GUEST_GPADL, GUEST_RINGS, 2 * GUEST_RING_FRAMES);
	guest_expect(VMBUS_GPADL_CREATED, &answer);
	assert_int_equal(answer.created.relid, guest_dm.relid);
	assert_int_equal(answer.created.gpadl, GUEST_GPADL);
	assert_int_equal(answer.created.status, 0);
	guest_post(&open, sizeof(open));
	guest_expect(VMBUS_OPEN_RESULT, &answer);
	assert_int_equal(answer.result.relid, guest_dm.relid);
	assert_int_equal(answer.result.open_id, 7);
	assert_int_equal(answer.result.status, 0);
}

void guest_close_channel(void)
{
	struct vmbus_relid close = { .header.type = VMBUS_CLOSE, .relid = guest_dm.relid };
	struct vmbus_gpadl_teardown teardown = {
		.header.type = VMBUS_GPADL_TEARDOWN,
		.relid = guest_dm.relid,
		.gpadl = GUEST_GPADL,
	};
	union {
		struct vmbus_gpadl_torndown torndown;
		uint8_t bytes[HV_MESSAGE_PAYLOAD];
	} answer;

	guest_post(&close, sizeof(close));
	guest_post(&teardown, sizeof(teardown));
	guest_expect(VMBUS_GPADL_TORNDOWN, &answer);
	assert_int_equal(answer.torndown.gpadl, GUEST_GPADL);
}

static void set_bit(uint8_t *bits, uint32_t bit)
{
	bits[bit / 8] = (uint8_t)(bits[bit / 8] | 1 << bit % 8);
}

void guest_signal(void)
{
	uint8_t *page = guest_page(GUEST_INTERRUPT_PAGE);

	if (!guest_dm.dedicated_interrupt)
		set_bit(page + FRAME_SIZE / 2, guest_dm.relid);
	assert_int_equal(guest_hypercall(HV_SIGNAL_EVENT | HV_CALL_FAST, guest_dm.connection, 0),
			 HV_SUCCESS);
}

bool guest_take_event(void)
{
	struct hv_event_page *page = guest_page(GUEST_EVENTS);
	uint32_t relid = guest_dm.relid;
	uint64_t *flags = &page->flags[VMBUS_SINT][relid / 64], bit = UINT64_C(1) << relid % 64;
	bool was_set = *flags & bit;
	uint8_t vector;

	while (sim_machine_take_interrupt(&vector))
		assert_int_equal(vector, GUEST_VECTOR);
	*flags &= ~bit;
	return was_set;
}

/* ---- The rings ---- */

struct vmbus_ring *guest_ring(bool to_guest)
{
	return guest_page(GUEST_RINGS + (to_guest ? GUEST_RING_FRAMES : 0));
}

/* Its frames lie side by side. */
static uint8_t *ring_data(bool to_guest)
{
	return (uint8_t *)guest_ring(to_guest) + FRAME_SIZE;
}

static uint32_t put_bytes(uint32_t at, const void *bytes, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		ring_data(false)[(at + i) % GUEST_RING_BYTES] = ((const uint8_t *)bytes)[i];
	return (at + count) % GUEST_RING_BYTES;
}

static uint32_t get_bytes(uint32_t at, void *bytes, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		((uint8_t *)bytes)[i] = ring_data(true)[(at + i) % GUEST_RING_BYTES];
	return (at + count) % GUEST_RING_BYTES;
}

uint32_t guest_put(const void *payload, uint32_t bytes)
{
	struct vmbus_ring *ring = guest_ring(false);
	uint32_t old = ring->write, padded = (bytes + 7) / 8 * 8;
	struct vmbus_packet packet = {
		.type = VMBUS_PACKET_INBAND,
		.offset8 = 2,
		.length8 = (uint16_t)(2 + padded / 8),
	};
	uint64_t trailer = (uint64_t)old << 32;
	uint32_t at = put_bytes(old, &packet, sizeof(packet));

	put_bytes(at, payload, bytes);
	at = put_bytes((at + padded) % GUEST_RING_BYTES, &trailer, sizeof(trailer));
	ring->write = at;
	return old;
}

void guest_send(void *packet, uint16_t type, uint32_t bytes)
{
	struct dm_header *header = packet;
	struct vmbus_ring *ring = guest_ring(false);
	bool was_empty = ring->read == ring->write;

	*header = (struct dm_header){
		.type = type,
		.size = (uint16_t)bytes,
		.transaction = ++transaction,
	};
	guest_put(packet, bytes);
	if (was_empty && !ring->interrupt_mask)
		guest_signal();
	else
		sim_machine_ring();
}

/* How much room the host has. */
static uint32_t room(const struct vmbus_ring *ring)
{
	return ring->write >= ring->read ? GUEST_RING_BYTES - (ring->write - ring->read)
					 : ring->read - ring->write;
}

uint32_t guest_receive(void *payload)
{
	struct vmbus_ring *ring = guest_ring(true);
	uint32_t before = room(ring), at = ring->read, bytes;
	struct vmbus_packet packet;
	uint64_t trailer;

	if (ring->read == ring->write)
		return 0;
	at = get_bytes(at, &packet, sizeof(packet));
	assert_int_equal(packet.type, VMBUS_PACKET_INBAND);
	assert_int_equal(packet.offset8, 2);
	bytes = (packet.length8 - 2) * 8u;
	assert_true(bytes <= DM_MESSAGE_MAX);
	memset(payload, 0, DM_MESSAGE_MAX);
	at = get_bytes(at, payload, bytes);
	at = get_bytes(at, &trailer, sizeof(trailer));
	assert_int_equal(trailer, (uint64_t)ring->read << 32);
	ring->read = at;
	if (ring->pending_send_bytes > 0 && before <= ring->pending_send_bytes &&
	    room(ring) > ring->pending_send_bytes)
		guest_signal();
	return bytes;
}

void guest_expect_packet(uint16_t type, void *packet)
{
	struct dm_header header;
	uint32_t bytes = guest_receive(packet);

	assert_true(bytes >= sizeof(header));
	memcpy(&header, packet, sizeof(header));
	assert_int_equal(header.type, type);
	assert_true(header.size <= bytes && bytes - header.size < 8);
}

void guest_expect_no_packet(void)
{
	uint8_t packet[DM_MESSAGE_MAX];

	assert_int_equal(guest_receive(packet), 0);
}

/* ---- All of it ---- */

static void negotiate(uint32_t version)
{
	struct dm_version_request request = { .version = version };
	union {
		struct dm_version_response response;
		uint8_t bytes[DM_MESSAGE_MAX];
	} answer;

	guest_send(&request, DM_VERSION_REQUEST, sizeof(request));
	guest_expect_packet(DM_VERSION_RESPONSE, &answer);
	assert_int_equal(answer.response.flags, DM_ACCEPTED);
	assert_int_equal(answer.response.header.transaction, transaction);
}

static void tell_capabilities(void)
{
	struct dm_capabilities capabilities = {
		.flags = DM_CAP_BALLOON | DM_CAP_HOT_ADD | 1 << DM_CAP_ALIGNMENT_SHIFT,
		.page_max = UINT64_MAX,
	};
	union {
		struct dm_capabilities_response response;
		struct dm_info info;
		uint8_t bytes[DM_MESSAGE_MAX];
	} answer;

	guest_send(&capabilities, DM_CAPABILITIES, sizeof(capabilities));
	guest_expect_packet(DM_CAPABILITIES_RESPONSE, &answer);
	assert_true(answer.response.flags & DM_ACCEPTED);
	guest_expect_packet(DM_INFO, &answer);
	assert_int_equal(answer.info.type, DM_INFO_PAGES_MAX);
}

void guest_negotiate(void)
{
	negotiate(DM_VERSION(2, 0));
	tell_capabilities();
}

void guest_reach(enum hyperv_progress progress)
{
	if (progress >= HYPERV_SYNIC)
		guest_enable();
	if (progress >= HYPERV_CONNECTED) {
		assert_true(guest_contact(VMBUS_VERSION(5, 3)));
		guest_request_offers();
	}
	if (progress >= HYPERV_OPENED)
		guest_open_channel();
	if (progress >= HYPERV_NEGOTIATED)
		negotiate(DM_VERSION(2, 0));
	if (progress >= HYPERV_READY)
		tell_capabilities();
	assert_int_equal(hyperv_control()->seen.progress, progress);
}

void guest_give(uint64_t first, uint64_t count, bool more)
{
	struct {
		struct dm_balloon_response head;
		uint64_t range[1];
	} response = { .range = { first | count << DM_RANGE_FIRST_BITS } };

	response.head.more_and_count = 1 << DM_COUNT_SHIFT | (more ? DM_MORE : 0);
	guest_send(&response, DM_BALLOON_RESPONSE, sizeof(response));
}
