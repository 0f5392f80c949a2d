/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * VMBus: the messages by which a host offers channels and a guest opens them, and the rings of a
 * channel. (Hyper-V has no public specification of it; Linux's and Microsoft's open sources
 * agree.) Little-endian, packed by nature but for one message. What the host writes is input.
 */
#ifndef DRIVERS_HYPERV_VMBUS_ABI_H
#define DRIVERS_HYPERV_VMBUS_ABI_H

#include <stddef.h>
#include <stdint.h>

#define VMBUS_SINT 2

/* Where messages are posted: until version 5.0, and from there on until VERSION_RESPONSE tells. */
#define VMBUS_CONNECTION_OLD 1
#define VMBUS_CONNECTION 4

/* Where all channels are signalled that have no interrupt of their own. */
#define VMBUS_CONNECTION_EVENTS 2

#define VMBUS_VERSION(major, minor) ((uint32_t)(major) << 16 | (minor))

enum vmbus_message_type {
	VMBUS_OFFER = 1,	 /* host */
	VMBUS_RESCIND_OFFER = 2, /* host */
	VMBUS_REQUEST_OFFERS = 3,
	VMBUS_ALL_OFFERS = 4, /* host */
	VMBUS_OPEN = 5,
	VMBUS_OPEN_RESULT = 6, /* host */
	VMBUS_CLOSE = 7,
	VMBUS_GPADL_HEADER = 8,
	VMBUS_GPADL_BODY = 9,
	VMBUS_GPADL_CREATED = 10, /* host */
	VMBUS_GPADL_TEARDOWN = 11,
	VMBUS_GPADL_TORNDOWN = 12, /* host */
	VMBUS_RELID_RELEASED = 13,
	VMBUS_INITIATE_CONTACT = 14,
	VMBUS_VERSION_RESPONSE = 15, /* host */
	VMBUS_UNLOAD = 16,
	VMBUS_UNLOAD_RESPONSE = 17, /* host */
};

struct vmbus_header {
	uint32_t type;
	uint32_t reserved;
};

struct vmbus_initiate_contact {
	struct vmbus_header header;
	uint32_t version;
	uint32_t target_vp;
	/*
	 * Until 1.1: the address of a page, a bit a channel for the guest in its first half, for
	 * the host in its second. From 5.0 on VMBUS_SINT in the lowest byte.
	 */
	uint64_t interrupt_page;
	uint64_t monitor_page[2]; /* from the host to the guest, and back */
};

struct vmbus_version_response {
	struct vmbus_header header;
	uint8_t supported;
	uint8_t state; /* 0: connected */
	uint16_t reserved;
	uint32_t connection; /* from 5.0 on: where messages are posted */
};

struct vmbus_guid {
	uint8_t byte[16]; /* the first three parts are little-endian numbers */
};

#define VMBUS_USER_BYTES 120
#define VMBUS_MONITOR_ALLOCATED 1
#define VMBUS_DEDICATED_INTERRUPT 1

struct vmbus_offer {
	struct vmbus_header header;
	struct vmbus_guid type;
	struct vmbus_guid instance;
	uint64_t reserved[2];
	uint16_t flags;
	uint16_t mmio_mib;
	uint8_t user[VMBUS_USER_BYTES];
	uint16_t subchannel; /* 0: the primary channel */
	uint16_t reserved2;
	uint32_t relid; /* the channel's number while this connection lasts */
	uint8_t monitor_id;
	uint8_t monitor_allocated;
	uint16_t dedicated_interrupt; /* from 2.4 on: signals go to `connection` */
	uint32_t connection;
};

/* REQUEST_OFFERS, ALL_OFFERS, UNLOAD and UNLOAD_RESPONSE are a header alone. */

struct vmbus_relid {
	struct vmbus_header header; /* RESCIND_OFFER, CLOSE, RELID_RELEASED */
	uint32_t relid;
};

/* A list of frames that both sides use: the guest's number for it is never 0. */
#define VMBUS_GPADL_HEADER_FRAMES 26
#define VMBUS_GPADL_BODY_FRAMES 28

struct vmbus_gpadl_header {
	struct vmbus_header header;
	uint32_t relid;
	uint32_t gpadl;
	uint16_t range_bytes; /* 8 + 8 for each frame, those of the bodies too */
	uint16_t range_count; /* 1 */
	uint32_t byte_count;
	uint32_t byte_offset;
	/* Not aligned to its size in the structure's natural shape. */
	uint64_t frame[VMBUS_GPADL_HEADER_FRAMES] __attribute__((packed, aligned(4)));
};

struct vmbus_gpadl_body {
	struct vmbus_header header;
	uint32_t number; /* of the bodies, from 1 on; Linux leaves it 0 */
	uint32_t gpadl;
	uint64_t frame[VMBUS_GPADL_BODY_FRAMES];
};

struct vmbus_gpadl_created {
	struct vmbus_header header;
	uint32_t relid;
	uint32_t gpadl;
	uint32_t status; /* 0: it is */
};

struct vmbus_gpadl_teardown {
	struct vmbus_header header;
	uint32_t relid;
	uint32_t gpadl;
};

struct vmbus_gpadl_torndown {
	struct vmbus_header header;
	uint32_t gpadl;
};

struct vmbus_open {
	struct vmbus_header header;
	uint32_t relid;
	uint32_t open_id;
	uint32_t ring_gpadl;
	uint32_t target_vp;
	uint32_t host_ring_page; /* where in the GPADL the ring to the guest begins */
	uint8_t user[VMBUS_USER_BYTES];
};

struct vmbus_open_result {
	struct vmbus_header header;
	uint32_t relid;
	uint32_t open_id;
	uint32_t status; /* 0: it is open */
};

_Static_assert(sizeof(struct vmbus_initiate_contact) == 40, "struct vmbus_initiate_contact");
_Static_assert(sizeof(struct vmbus_version_response) == 16, "struct vmbus_version_response");
_Static_assert(sizeof(struct vmbus_offer) == 196 || sizeof(struct vmbus_offer) == 200,
	       "struct vmbus_offer");
_Static_assert(offsetof(struct vmbus_offer, flags) == 56, "struct vmbus_offer");
_Static_assert(offsetof(struct vmbus_offer, subchannel) == 180, "struct vmbus_offer");
_Static_assert(offsetof(struct vmbus_offer, relid) == 184, "struct vmbus_offer");
_Static_assert(offsetof(struct vmbus_offer, connection) == 192, "struct vmbus_offer");
_Static_assert(offsetof(struct vmbus_gpadl_header, frame) == 28, "struct vmbus_gpadl_header");
_Static_assert(sizeof(struct vmbus_gpadl_body) == 240, "struct vmbus_gpadl_body");
_Static_assert(sizeof(struct vmbus_open) == 148, "struct vmbus_open");

/* Of an offer, what is on the wire. */
#define VMBUS_OFFER_BYTES 196

/* ---- Rings ---- */

/*
 * A page of control, then pages of data. `write` is the writer's, `read` and `interrupt_mask` are
 * the reader's. Both are offsets in bytes into the data; equal: empty, so it is never filled to
 * the last byte.
 */
struct vmbus_ring {
	uint32_t write;
	uint32_t read;
	uint32_t interrupt_mask;     /* not 0: the reader does not want to be signalled */
	uint32_t pending_send_bytes; /* so much room a writer waits for */
	uint32_t reserved[12];
	uint32_t features;
};

_Static_assert(offsetof(struct vmbus_ring, features) == 64, "struct vmbus_ring");

#define VMBUS_RING_PENDING_SEND 1 /* a feature: pending_send_bytes is looked at */

enum vmbus_packet_type {
	VMBUS_PACKET_INBAND = 6,
};

/*
 * Before each payload, which is padded to 8 bytes. After it comes one uint64_t: what `write` was
 * before this packet, << 32.
 */
struct vmbus_packet {
	uint16_t type;
	uint16_t offset8; /* of the payload from here, in units of 8 bytes */
	uint16_t length8; /* of header and payload */
	uint16_t flags;
	uint64_t transaction;
};

_Static_assert(sizeof(struct vmbus_packet) == 16, "struct vmbus_packet");

#define VMBUS_PACKET_TRAILER 8

#endif
