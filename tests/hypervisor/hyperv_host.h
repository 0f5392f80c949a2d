/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the files of the Hyper-V personality are to each other:
 *
 *	hyperv.c	CPUID, MSRs, hypercalls, and the turns of the others
 *	hyperv_synic.c	messages to the guest, flags of events, interrupts
 *	hyperv_vmbus.c	the connection, and what is posted
 *	hyperv_channel.c	channels: offers, opening, rescission; hyperv_gpadl.c
 *	hyperv_ring.c	the two rings of a channel
 *	hyperv_dm.c	what goes through dm's rings, and is negotiated there
 *	hyperv_ask.c	BALLOON, UNBALLOON, HOT_ADD, and their answers
 *	hyperv_ranges.c	which frames come and go
 *
 * A guest's mistake is said once, by machine_violate(), and what it asked for is not done. Where it
 * cannot be seen whether it is one (as an address outside RAM is), it is one.
 */
#ifndef TESTS_HYPERVISOR_HYPERV_HOST_H
#define TESTS_HYPERVISOR_HYPERV_HOST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "drivers/hyperv/dm_abi.h"
#include "drivers/hyperv/hyperv_abi.h"
#include "drivers/hyperv/vmbus_abi.h"
#include "tests/hypervisor/hyperv.h"

#define FRAME_BYTES 4096
#define FRAME_BITS 12

/* Returns what the test wishes. */
static inline const struct hyperv_wish *wish(void)
{
	return &hyperv_control()->wish;
}

/* Returns what is to be told otherwise than it is. */
static inline const struct hyperv_lie *lie(void)
{
	return &hyperv_control()->lie;
}

/* Returns what the host has seen. */
static inline struct hyperv_seen *seen(void)
{
	return &hyperv_control()->seen;
}

/* Tells whether a lie's mask has a kind. */
static inline bool is_in(uint32_t mask, enum hyperv_kind kind)
{
	return mask & HYPERV_BIT(kind);
}

/* ---- hyperv_synic.c ---- */

/* The guest begins: nothing is enabled. */
void host_synic_start(void);

/* MSRs that are the synthetic interrupt controller's; false: it is none of them. */
bool host_synic_msr_read(uint32_t msr, uint64_t *value);
bool host_synic_msr_write(uint32_t msr, uint64_t value);

/* Tells whether the guest can be told anything. */
bool host_synic_is_ready(void);

/* Room for what one message of the guest's may be answered with; if not, it has to wait. */
bool host_synic_has_room(void);

/* Says something, now or as soon as the guest has read what was said before. */
void host_synic_tell(enum hyperv_kind kind, const void *message, uint32_t bytes);

/* Forgets all that was not said yet. */
void host_synic_forget(void);

/* Sets the flag of a channel, and interrupts. */
void host_synic_signal(uint32_t relid);

/* Says what can be said now, and storms. */
void host_synic_work(void);

/* ---- hyperv_vmbus.c ---- */

/* The guest begins: it is not connected. */
void host_vmbus_start(void);

/* A message of the guest's, to a connection. Returns enum hv_status. */
uint64_t host_vmbus_post(uint32_t connection, const void *message, uint32_t bytes);

/* Tells whether a guest of old has set a channel's bit, and clears it. */
bool host_vmbus_take_old_signal(uint32_t relid);

/* Tells the guest that a channel has news, in the manner of its version. */
void host_vmbus_signal_guest(uint32_t relid);

/* ---- hyperv_channel.c ---- */

/* SignalEvent. Returns enum hv_status. */
uint64_t channel_signal(uint32_t connection);

/* Offers and rescinds as the test wishes, and lets dm look. */
void channel_work(void);

/* The guest has said something: the lies that are told at so many happen. */
void channel_count_said(void);

/* ---- hyperv_ring.c ---- */

/* One of a channel's rings: its control page and its data, wherever their frames lie. */
struct host_ring {
	const uint64_t *frame; /* the control page's, then the data's */
	uint32_t bytes;	       /* of data */
	bool to_guest;
	uint32_t index;	   /* the host's own: `write` of the ring to the guest, else `read` */
	uint32_t stored;   /* what the host wrote there last */
	uint32_t previous; /* where the guest's index was last */
	bool broken;	   /* the guest has made it unusable */
	bool wants_room;   /* the host waits for room, and has said so */
};

/* A ring begins, both indices at 0. `frames` > 1; the list stays the caller's. */
void ring_start(struct host_ring *ring, const uint64_t *frame, uint32_t frames, bool to_guest);

/* Tells the lies about indices, or takes them back; and whether the host wants signals. */
void ring_work(struct host_ring *ring);

/*
 * Reads a packet's payload into `to`, which has `most` bytes, and gives its room back. Returns
 * whether there was one. `*signal`: the guest waits for the room that there is now.
 */
bool ring_read(struct host_ring *ring, void *to, uint32_t most, uint32_t *bytes, bool *signal);

/*
 * Writes a packet. Returns whether there was room; if not, the guest is asked to say when there
 * is. `*signal`: the guest wants to be told.
 */
bool ring_write(struct host_ring *ring, const void *payload, uint32_t bytes, bool *signal);

/* The guest has said that there is room. Returns whether the host was waiting for it. */
bool ring_take_room(struct host_ring *ring);

/* ---- hyperv_dm.c ---- */

/* The guest begins: the channel is closed. */
void host_dm_start(void);

/* The channel's rings are open, or are no more: the rings stay the caller's. */
void host_dm_open(uint32_t relid, struct host_ring *in, struct host_ring *out);
void host_dm_close(void);

/* The guest has signalled. */
void host_dm_signalled(void);

/* Reads, answers and asks. */
void host_dm_work(void);

/* Says bytes that a test made up, at most HYPERV_PUSH_BYTES. Returns whether that could be done. */
bool host_dm_push(const void *packet, uint32_t bytes);

/* Tells whether nothing of a kind waits to be said. */
bool host_dm_may_say(enum hyperv_kind kind);

/* Says a packet as soon as there is room. Its header's type and transaction are filled in here. */
void host_dm_say(enum hyperv_kind kind, void *packet, uint32_t bytes);

/* ---- hyperv_ask.c ---- */

/* The channel closes. `unballoon_is_unsaid`: what was last given back was not. */
void ask_close(bool unballoon_is_unsaid, bool hot_add_is_unsaid);

/* Asks for what the test wants. Returns whether it did. */
bool ask_work(uint64_t capabilities);

/* The guest's answers; each has at least the bytes of its structure, and `size` in all. */
void ask_balloon_response(const struct dm_balloon_response *response);
void ask_unballoon_response(void);
void ask_hot_add_response(const struct dm_hot_add_response *response);

/* ---- hyperv_ranges.c ---- */

/* The guest begins. */
void ranges_start(void);

/* Frames that the guest has given: without those of the spare ones that it never had. */
uint64_t ranges_ballooned(void);

/* Takes a range that the guest gives. Returns whether it could be taken. */
bool ranges_take(uint64_t first, uint64_t count);

/*
 * Gives frames back, at most `most`, in at most `ranges_most` ranges, which it writes as UNBALLOON
 * has them. Returns how many ranges; `*frames`: how many frames.
 */
uint32_t ranges_return(uint64_t most, uint64_t *range, uint32_t ranges_most, uint64_t *frames);

/* Takes back what it was about to give: the guest never heard of it. */
void ranges_take_back(const uint64_t *range, uint32_t count);

#define RANGE_LIES 8

/* Adds the ranges that are lies, at most RANGE_LIES. Returns how many there are now. */
uint32_t ranges_lie(uint64_t *range, uint32_t count);

/* Spare frames: all of them, and those that the guest has, from the first on. */
uint64_t ranges_spare(uint64_t *first);
uint64_t ranges_added(void);

/* Leaves out those before the first multiple of `frames`, unless the guest has some already. */
void ranges_align_spare(uint64_t frames);

/* Lets the guest have so many spare frames, from the first on. */
void ranges_set_added(uint64_t frames);

/* A run of frames as it is on the wire. */
static inline uint64_t range_of(uint64_t first, uint64_t count)
{
	return first | count << DM_RANGE_FIRST_BITS;
}

static inline uint64_t range_first(uint64_t range)
{
	return range & ((UINT64_C(1) << DM_RANGE_FIRST_BITS) - 1);
}

static inline uint64_t range_count(uint64_t range)
{
	return range >> DM_RANGE_FIRST_BITS;
}

#endif
