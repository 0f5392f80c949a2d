/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hyperv_balloon.c: the balloon on Hyper-V: dynamic memory, over a channel of VMBus. The host asks
 * for so many frames more, and gives back frames that it chooses; it is told of the guest's memory
 * once a second, if it wants that. What it has it keeps, whatever becomes of the channel: a channel
 * that is withdrawn, and offered anew, goes on where the old one was.
 *
 * Free memory is reported by a hypercall, where Hyper-V takes such hints ("cold discard").
 */
#ifndef DRIVERS_BALLOON_PORT_HYPERV_BALLOON_H
#define DRIVERS_BALLOON_PORT_HYPERV_BALLOON_H

#include "drivers/balloon/balloon_port.h"
#include "drivers/balloon/port/hyperv_balloon_requests.h"
#include "kernel/lib/types.h"

/* Waits for the channel. Before vmbus_start(). */
void hyperv_balloon_start(void);

struct hyperv_balloon_status {
	uint32_t version; /* of dynamic memory, agreed last */
	bool starting;	  /* both sides are about to agree */
	bool running;	  /* if neither: it was given up */
	bool wants_status;
	uint64_t pages_max; /* that the guest may ever have; 0: the host does not tell */
	uint64_t available; /* as in the STATUS that was sent last, all in frames: */
	uint64_t committed;
	uint64_t statuses;	  /* sent */
	uint64_t statuses_unsent; /* as the ring had no room */
	bool takes_hints;
	uint64_t hints, hint_ranges, hint_frames; /* calls, and what they told of */
	struct dm_counts messages;
};

/* Stores the port's state. Returns false if it was never in use, or another is in its place. */
bool hyperv_balloon_get_status(struct hyperv_balloon_status *status);

/* Counts what the guest uses, in frames, as Hyper-V is told: used, ballooned, the floor. */
uint64_t hyperv_balloon_committed(void);

/* For the console's command. */
extern const struct balloon_port hyperv_balloon_port;

#endif
