/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * vmware_balloon_call.c: commands to VMware's balloon, and what their answers say beside their own
 * business: the target, that the host has forgotten everything, that nobody answers. For
 * vmware_balloon.c, its batches and its command.
 */
#ifndef DRIVERS_BALLOON_PORT_VMWARE_BALLOON_CALL_H
#define DRIVERS_BALLOON_PORT_VMWARE_BALLOON_CALL_H

#include "drivers/balloon/port/vmware_abi.h"
#include "kernel/lib/types.h"

/* What this driver can do. It has no doorbell: the host's is a PCI device of its own. */
#define VMWARE_CALL_CAPABILITIES \
	(VMWARE_BASIC | VMWARE_BATCHED | VMWARE_BATCHED_2M | VMWARE_64_BIT_TARGET)

/* Room for what vmware_call_failing_awake() says. */
#define VMWARE_CALL_SENTENCE_MAX 64

/* Another host comes: nothing is known of it, and nothing counted. */
void vmware_call_forget(void);

/*
 * Gives a command, other than START. Returns the status as the host gave it, VMWARE_RESET or
 * nonsense among them.
 */
uint32_t vmware_call(enum vmware_command command, uint64_t first, uint32_t second);

/*
 * Says what was wrong with an answer since the last time, at most once a second. The log may
 * sleep, as where a console is slow, and memory in need may give commands meanwhile: so nobody
 * says it in the midst of a batch.
 */
void vmware_call_say(void);

/*
 * Begins with a host, which forgets what it had. 0: what both can do is agreed. -EAGAIN: it is
 * busy, or wants that again; -ENODEV: nobody answers; -ENOTSUP: it can do nothing that this driver
 * can; -EIO: it answers nonsense.
 */
int vmware_call_start(void);

/* Ends with a host. Returns 0 if what it had is ours; else as vmware_call_start() does. */
int vmware_call_end(void);

/* Returns what was agreed with the host: bits of enum vmware_capability; 0: nothing. */
uint32_t vmware_call_capabilities(void);

/* Returns the frames that it wants, as it said last; 0 since vmware_call_start(). */
uint64_t vmware_call_target(void);

/* Tells whether it has forgotten everything since vmware_call_start(). */
bool vmware_call_is_forgotten(void);

/*
 * Returns since when it has answered nothing but nonsense, a clock_awake_ns() value;
 * DEADLINE_NEVER: its last answer was none. `*what` is that nonsense in words, until the next
 * command, or NULL.
 */
uint64_t vmware_call_failing_awake(const char **what);

/* Of one command. */
struct vmware_call_counts {
	uint64_t calls;
	uint64_t failed; /* that were not answered by SUCCESS */
};

/* Stores what was counted since vmware_call_forget(). */
void vmware_call_counts(enum vmware_command command, struct vmware_call_counts *counts);

#endif
