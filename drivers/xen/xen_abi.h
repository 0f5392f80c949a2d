/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Xen's interface to its guests on x86_64, as far as it is used here (Xen's public headers
 * memory.h, event_channel.h, hvm/hvm_op.h, hvm/params.h, sched.h, io/console.h, io/xs_wire.h).
 * Little-endian, and shared with the hypervisor or another domain: what they write is input.
 */
#ifndef DRIVERS_XEN_XEN_ABI_H
#define DRIVERS_XEN_XEN_ABI_H

#include <stddef.h>
#include <stdint.h>

#include "arch/xen_memory_map.h"

#define XEN_DOMID_SELF 0x7ff0

/* ---- Memory (memory.h) ---- */

enum xen_memory_command {
	XEN_MEMORY_DECREASE_RESERVATION = 1,
	XEN_MEMORY_CURRENT_RESERVATION = 3,
	XEN_MEMORY_MAXIMUM_RESERVATION = 4,
	XEN_MEMORY_POPULATE_PHYSMAP = 6,
	XEN_MEMORY_ADD_TO_PHYSMAP = 7, /* 9: arch/xen_memory_map.h */
};

/* Extents of 2^order frames. The answer is how many were done, in their order. */
struct xen_memory_reservation {
	uint64_t extents; /* virtual address of the first frame number of each */
	uint64_t count;
	uint32_t order;
	uint32_t flags;
	uint16_t domid;
	uint16_t pad[3];
};

_Static_assert(sizeof(struct xen_memory_reservation) == 32, "struct xen_memory_reservation");

#define XEN_MAP_SPACE_SHARED_INFO 0

struct xen_add_to_physmap {
	uint16_t domid;
	uint16_t size;
	uint32_t space;
	uint64_t index;
	uint64_t pfn;
};

_Static_assert(sizeof(struct xen_add_to_physmap) == 24, "struct xen_add_to_physmap");

/* ---- The ends (sched.h) ---- */

enum xen_sched_command {
	XEN_SCHED_YIELD = 0,
	XEN_SCHED_SHUTDOWN = 2, /* uint32_t: enum xen_shutdown */
};

enum xen_shutdown {
	XEN_SHUTDOWN_POWER_OFF = 0,
	XEN_SHUTDOWN_REBOOT = 1,
	XEN_SHUTDOWN_CRASH = 3,
};

/* ---- Parameters of a domain (hvm/params.h, hvm/hvm_op.h) ---- */

enum xen_hvm_command {
	XEN_HVM_SET_PARAM = 0,
	XEN_HVM_GET_PARAM = 1,
	XEN_HVM_GET_MEM_TYPE = 15,
	XEN_HVM_SET_UPCALL_VECTOR = 23,
};

enum xen_param {
	XEN_PARAM_CALLBACK_IRQ = 0,
	XEN_PARAM_STORE_PFN = 1,
	XEN_PARAM_STORE_PORT = 2,
	XEN_PARAM_CONSOLE_PFN = 17,
	XEN_PARAM_CONSOLE_PORT = 18,
};

struct xen_hvm_param {
	uint16_t domid;
	uint16_t pad;
	uint32_t index;
	uint64_t value;
};

_Static_assert(sizeof(struct xen_hvm_param) == 16, "struct xen_hvm_param");

/* What lies at a frame number: RAM, of some kind, or nothing, as where a frame was given. */
#define XEN_MEM_TYPE_NONE 2

struct xen_hvm_mem_type {
	uint16_t domid;
	uint16_t type; /* Xen's answer */
	uint16_t pad[2];
	uint64_t pfn;
};

_Static_assert(sizeof(struct xen_hvm_mem_type) == 16, "struct xen_hvm_get_mem_type");

struct xen_upcall_vector {
	uint32_t vcpu;
	uint8_t vector;
	uint8_t pad[3];
};

/* ---- Events (event_channel.h, xen.h) ---- */

#define XEN_EVENT_SEND 4 /* uint32_t: port */

#define XEN_EVENT_WORDS 64
#define XEN_EVENT_PORTS (XEN_EVENT_WORDS * 64)
#define XEN_VCPUS 32

struct xen_vcpu_info {
	volatile uint8_t pending; /* Xen sets it, and interrupts */
	volatile uint8_t mask;
	uint8_t pad[6];
	volatile uint64_t words; /* which words of `pending` below have news */
	uint64_t rest[6];
};

/* A page that Xen and the guest write. */
struct xen_shared_info {
	struct xen_vcpu_info vcpu[XEN_VCPUS];
	volatile uint64_t pending[XEN_EVENT_WORDS]; /* a bit per port: Xen sets, the guest clears */
	volatile uint64_t mask[XEN_EVENT_WORDS];    /* the guest's */
	uint8_t rest[1024];
};

_Static_assert(sizeof(struct xen_vcpu_info) == 64, "struct vcpu_info");
_Static_assert(offsetof(struct xen_shared_info, pending) == 2048, "struct shared_info");
_Static_assert(sizeof(struct xen_shared_info) == 4096, "a page");

/* ---- The console (io/console.h) ---- */

#define XEN_CONSOLE_WRITE 0

#define XEN_CONSOLE_IN_SIZE 1024
#define XEN_CONSOLE_OUT_SIZE 2048

/* The counts run freely; their remainder is the place in the ring. */
struct xen_console_ring {
	char in[XEN_CONSOLE_IN_SIZE];
	char out[XEN_CONSOLE_OUT_SIZE];
	volatile uint32_t in_cons; /* the guest's */
	volatile uint32_t in_prod;
	volatile uint32_t out_cons;
	volatile uint32_t out_prod; /* the guest's */
};

_Static_assert(offsetof(struct xen_console_ring, in_cons) == 3072, "struct xencons_interface");

/* ---- Xenstore (io/xs_wire.h) ---- */

#define XENSTORE_RING_SIZE 1024
#define XENSTORE_PAYLOAD_MAX 4096

struct xenstore_ring {
	char request[XENSTORE_RING_SIZE];
	char response[XENSTORE_RING_SIZE];
	volatile uint32_t request_cons;
	volatile uint32_t request_prod;	 /* the guest's */
	volatile uint32_t response_cons; /* the guest's */
	volatile uint32_t response_prod;
	volatile uint32_t features;
	volatile uint32_t connection;
	volatile uint32_t error;
};

_Static_assert(offsetof(struct xenstore_ring, request_cons) == 2048,
	       "struct xenstore_domain_interface");

enum xenstore_type {
	XENSTORE_READ = 2,
	XENSTORE_WATCH = 4,
	XENSTORE_UNWATCH = 5,
	XENSTORE_WRITE = 11,
	XENSTORE_WATCH_EVENT = 15,
	XENSTORE_ERROR = 16,
	XENSTORE_RESET_WATCHES = 21,
};

struct xenstore_header {
	uint32_t type;
	uint32_t id; /* the answer has the request's; an event has 0 */
	uint32_t transaction;
	uint32_t length; /* of what follows, in bytes; at most XENSTORE_PAYLOAD_MAX */
};

_Static_assert(sizeof(struct xenstore_header) == 16, "struct xsd_sockmsg");

#endif
