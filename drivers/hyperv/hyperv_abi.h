/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Hyper-V's interface to its guests on x86_64, as far as it is used here (Hypervisor Top Level
 * Functional Specification, 6.0b: "TLFS"). Little-endian. What the host writes is input.
 */
#ifndef DRIVERS_HYPERV_HYPERV_ABI_H
#define DRIVERS_HYPERV_HYPERV_ABI_H

#include <stddef.h>
#include <stdint.h>

/* ---- CPUID (TLFS 2.4) ---- */

#define HV_SIGNATURE "Microsoft Hv"
#define HV_INTERFACE UINT32_C(0x31237648) /* "Hv#1" */

/* Leaves above the first one of the range. */
enum hv_leaf {
	HV_LEAF_RANGE = 0,
	HV_LEAF_INTERFACE = 1,
	HV_LEAF_VERSION = 2,
	HV_LEAF_FEATURES = 3,
	HV_LEAF_HINTS = 4,
	HV_LEAF_LIMITS = 5, /* the least that the highest one must be */
};

/* Leaf 3: EAX, EBX, EDX. */
#define HV_ACCESS_REFERENCE_COUNTER (UINT32_C(1) << 1)
#define HV_ACCESS_SYNIC (UINT32_C(1) << 2)
#define HV_ACCESS_HYPERCALL (UINT32_C(1) << 5)
#define HV_ACCESS_VP_INDEX (UINT32_C(1) << 6)
#define HV_ACCESS_REFERENCE_TSC (UINT32_C(1) << 9)
#define HV_ACCESS_FREQUENCY (UINT32_C(1) << 11)
#define HV_ACCESS_TSC_INVARIANT (UINT32_C(1) << 15)
#define HV_ACCESS_HIGH_POST_MESSAGES (UINT32_C(1) << 4)
#define HV_ACCESS_HIGH_SIGNAL_EVENTS (UINT32_C(1) << 5)
#define HV_ACCESS_HIGH_EXTENDED (UINT32_C(1) << 20)
#define HV_FEATURE_FREQUENCY (UINT32_C(1) << 8)
#define HV_FEATURE_CRASH (UINT32_C(1) << 10)

/* Leaf 4, EAX. */
#define HV_HINT_NO_AUTO_EOI (UINT32_C(1) << 9)

/* ---- MSRs (TLFS, appendix C) ---- */

enum hv_msr {
	HV_MSR_GUEST_OS_ID = 0x40000000, /* not 0 before the hypercall page is enabled */
	HV_MSR_HYPERCALL = 0x40000001,
	HV_MSR_VP_INDEX = 0x40000002,
	HV_MSR_RESET = 0x40000003,
	HV_MSR_REFERENCE_COUNTER = 0x40000020, /* in units of 100 ns */
	HV_MSR_TSC_FREQUENCY = 0x40000022,
	HV_MSR_APIC_FREQUENCY = 0x40000023,
	HV_MSR_VP_ASSIST = 0x40000073,
	HV_MSR_SCONTROL = 0x40000080,
	HV_MSR_SVERSION = 0x40000081,
	HV_MSR_SIEFP = 0x40000082,
	HV_MSR_SIMP = 0x40000083,
	HV_MSR_EOM = 0x40000084,
	HV_MSR_SINT0 = 0x40000090,    /* to SINT15 */
	HV_MSR_CRASH_P0 = 0x40000100, /* to P4 */
	HV_MSR_CRASH_CONTROL = 0x40000105,
	HV_MSR_TSC_INVARIANT = 0x40000118, /* bit 0: the guest knows that its TSC is */
};

/* Bit 63: open source; 62:56: a type of its own; 15:0: a version. */
#define HV_GUEST_OPEN_SOURCE (UINT64_C(1) << 63)

/*
 * Of HYPERCALL, SCONTROL, SIEFP, SIMP: in the others than SCONTROL a frame is in 63:12. What is
 * named neither here nor below is reserved, and stays as it is found.
 */
#define HV_MSR_ENABLE UINT64_C(1)
#define HV_MSR_FRAME (~UINT64_C(0xfff))

#define HV_SINT_COUNT 16
#define HV_SINT_VECTOR_MASK UINT64_C(0xff)
#define HV_SINT_VECTOR_MIN 16
#define HV_SINT_MASKED (UINT64_C(1) << 16)
#define HV_SINT_AUTO_EOI (UINT64_C(1) << 17)
#define HV_SINT_POLLING (UINT64_C(1) << 18) /* messages come without an interrupt */

/* ---- Hypercalls (TLFS 3) ---- */

enum hv_hypercall {
	HV_POST_MESSAGE = 0x5c,
	HV_SIGNAL_EVENT = 0x5d,		    /* fast: the connection */
	HV_EXT_QUERY_CAPABILITIES = 0x8001, /* output: uint64_t */
	HV_EXT_MEMORY_HEAT_HINT = 0x8003,   /* repeated, once a range */
};

#define HV_CALL_FAST (UINT64_C(1) << 16)
#define HV_CALL_REPEAT_SHIFT 32 /* 43:32: the count; in a result: how many were done */
#define HV_CALL_REPEAT_MASK UINT64_C(0xfff)
#define HV_STATUS_MASK UINT64_C(0xffff)

enum hv_status {
	HV_SUCCESS = 0,
	HV_INVALID_CODE = 2,
	HV_INVALID_INPUT = 3,
	HV_INVALID_ALIGNMENT = 4,
	HV_INVALID_PARAMETER = 5,
	HV_ACCESS_DENIED = 6,
	HV_INSUFFICIENT_MEMORY = 0x0b,
	HV_INVALID_CONNECTION = 0x12,
	HV_INSUFFICIENT_BUFFERS = 0x13, /* later, perhaps */
};

#define HV_MESSAGE_PAYLOAD 240

struct hv_post_message {
	uint32_t connection;
	uint32_t reserved;
	uint32_t type; /* HV_MESSAGE_CHANNEL */
	uint32_t size; /* of the payload that matters */
	uint8_t payload[HV_MESSAGE_PAYLOAD];
};

_Static_assert(sizeof(struct hv_post_message) == 256, "struct hv_post_message");

/* Memory that the guest does without for now: cold discard. */
#define HV_EXT_COLD_DISCARD (UINT64_C(1) << 8)
#define HV_HEAT_COLD_DISCARD 2
#define HV_HEAT_RANGES 511

/*
 * In a range: 10:0 additional pages, then what a page is, then where the first one begins: in 63:21
 * of its address if it is a large one, else in 63:12.
 */
#define HV_HEAT_MORE_MASK UINT64_C(0x7ff)
#define HV_HEAT_LARGE (UINT64_C(1) << 11)
#define HV_HEAT_GIB (UINT64_C(1) << 12) /* of 1 GiB; else of 2 MiB */
#define HV_HEAT_LARGE_SHIFT 21
#define HV_HEAT_PAGE_SHIFT 12

struct hv_heat_hint {
	uint64_t type;
	uint64_t range[HV_HEAT_RANGES];
};

_Static_assert(sizeof(struct hv_heat_hint) == 4096, "struct hv_heat_hint");

/* ---- Messages and events (TLFS 11) ---- */

enum hv_message_type {
	HV_MESSAGE_NONE = 0, /* the slot is empty: the guest's to write */
	HV_MESSAGE_CHANNEL = 1,
};

#define HV_MESSAGE_PENDING 1 /* another waits for the slot: the guest writes EOM */

/* A slot of the page at SIMP, which the host fills and the guest empties. */
struct hv_message {
	uint32_t type;
	uint8_t size; /* of the payload */
	uint8_t flags;
	uint16_t reserved;
	uint64_t origin;
	uint8_t payload[HV_MESSAGE_PAYLOAD];
};

_Static_assert(sizeof(struct hv_message) == 256, "struct hv_message");

struct hv_message_page {
	struct hv_message slot[HV_SINT_COUNT];
};

/* The page at SIEFP: a bit a channel, which the host sets and the guest clears. */
struct hv_event_page {
	uint64_t flags[HV_SINT_COUNT][32];
};

_Static_assert(sizeof(struct hv_event_page) == 4096, "struct hv_event_page");

#endif
