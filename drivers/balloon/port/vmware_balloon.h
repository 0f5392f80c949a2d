/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * vmware_balloon.c: the balloon on VMware (vmware_abi.h). The guest asks for the target once a
 * second; frames and whole blocks are locked to give them, and unlocked before they are used
 * again, all of it answered in the call. The host may forget the whole balloon at any command
 * (RESET): then all frames are free, and it is started anew. Memory in need comes back unasked.
 */
#ifndef DRIVERS_BALLOON_PORT_VMWARE_BALLOON_H
#define DRIVERS_BALLOON_PORT_VMWARE_BALLOON_H

#include "drivers/balloon/balloon_port.h"
#include "kernel/lib/types.h"

#define VMWARE_BALLOON_POLL_NS NS_PER_S
#define VMWARE_BALLOON_POLL_MIN_NS NS_PER_MS
#define VMWARE_BALLOON_POLL_MAX_NS (60 * NS_PER_S)

/*
 * Begins with VMware's balloon, if the hypervisor says that it is VMware. A host that is busy is
 * asked again once a second, by a task; any other that has no balloon is left alone. So it is if
 * two other balloons are in use. `poll_ns`: how often to ask for the target, more
 * than 0. Once, when other ports have had their turn.
 */
void vmware_balloon_start(uint64_t poll_ns);

/*
 * Tells the host, if it is in use, that the guest goes: memory that is touched from now on is
 * the guest's. What is in the balloon stays there. From any context.
 */
void vmware_balloon_leave(void);

/* What has come of it. */
struct vmware_balloon_state {
	uint32_t capabilities; /* agreed with the host */
	bool resetting;	       /* it has forgotten everything, and was not started anew */
	uint64_t target;       /* frames, as it said last */
	uint64_t polls;
	uint64_t resets; /* times that it has forgotten everything */
};

/* Stores that. Returns false if VMware's balloon was never in use, or another is in its place. */
bool vmware_balloon_get_state(struct vmware_balloon_state *state);

/* For the console's command. */
extern const struct balloon_port vmware_balloon_port;

#endif
