/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A guest of Hyper-V that a test leads by the hand: each function is a step of a driver's, and
 * fails the test where a good host would do otherwise. It shares no code with the kernel's drivers.
 */
#ifndef TESTS_UNIT_HYPERVISOR_HYPERV_GUEST_H
#define TESTS_UNIT_HYPERVISOR_HYPERV_GUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "drivers/hyperv/dm_abi.h"
#include "drivers/hyperv/hyperv_abi.h"
#include "drivers/hyperv/vmbus_abi.h"
#include "tests/hypervisor/hyperv.h"
#include "tests/sim/sim_machine.h"

/* Where it has what; from GUEST_FREE on nothing is in use. Frames. */
#define GUEST_FIRST (SIM_RAM_START / FRAME_SIZE)
#define GUEST_HYPERCALL_PAGE GUEST_FIRST
#define GUEST_MESSAGES (GUEST_FIRST + 1)
#define GUEST_EVENTS (GUEST_FIRST + 2)
#define GUEST_INPUT (GUEST_FIRST + 3)
#define GUEST_INTERRUPT_PAGE (GUEST_FIRST + 4)
#define GUEST_RINGS (GUEST_FIRST + 16)
#define GUEST_FREE (GUEST_FIRST + 0x200)
#define GUEST_RING_FRAMES 5 /* of each of the two */
#define GUEST_RING_BYTES ((GUEST_RING_FRAMES - 1) * 4096u)
#define GUEST_GPADL 0xe1e10
#define GUEST_VECTOR 0xf3

extern uint32_t guest_connection;   /* where it posts */
extern struct vmbus_offer guest_dm; /* as it was offered */

/* Memory of the guest's. */
void *guest_page(uint64_t pfn);

/* Begins with `spare` frames that it is not told of. */
void guest_begin(uint64_t spare);

/* Does so as a test's set-up, with none. Returns 0. */
int guest_set_up(void **state);

/* Hypercalls and the SynIC. */
void guest_enable(void);
uint64_t guest_hypercall(uint64_t control, uint64_t input, uint64_t output);
uint64_t guest_post_to(uint32_t connection, const void *message, uint32_t bytes);

/* Posts; the host takes it. */
void guest_post(const void *message, uint32_t bytes);

/* Takes a message out of the slot, writes EOM if asked to. Returns whether there was one. */
bool guest_take(void *message);

/* Takes the next message, which is of this type. */
void guest_expect(uint32_t type, void *message);

/* No message waits. */
void guest_expect_silence(void);

/* The VMBus. */
bool guest_contact(uint32_t version);
void guest_request_offers(void);
void guest_make_gpadl(uint32_t gpadl, uint64_t first, uint32_t frames);
void guest_open_channel(void);
void guest_close_channel(void);
void guest_signal(void);

/* Takes the flag of the channel, and whether it was set. */
bool guest_take_event(void);

/* The rings. `guest_put` writes without a signal; `guest_send` signals by the rules. */
struct vmbus_ring *guest_ring(bool to_guest);
uint32_t guest_put(const void *payload, uint32_t bytes);
void guest_send(void *packet, uint16_t type, uint32_t bytes);
uint32_t guest_receive(void *payload);

/* The next packet is of this type. */
void guest_expect_packet(uint16_t type, void *packet);
void guest_expect_no_packet(void);

/* Agrees on a version, and tells capabilities, on a channel that is open. */
void guest_negotiate(void);

/* Goes on to a dm that is ready, from wherever guest_begin() has left it. */
void guest_reach(enum hyperv_progress progress);

/* Answers a BALLOON with one range. */
void guest_give(uint64_t first, uint64_t count, bool more);

#endif
