/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * vmware_balloon_pages.c: frames on their way to VMware and back, answered in the call; for
 * vmware_balloon.c and its command.
 */
#ifndef DRIVERS_BALLOON_PORT_VMWARE_BALLOON_PAGES_H
#define DRIVERS_BALLOON_PORT_VMWARE_BALLOON_PAGES_H

#include "drivers/balloon/balloon_port.h"

/* The host was started: it has nothing, and has broken no rule. */
void vmware_balloon_pages_begin(void);

/* Stores what it takes in a batch, with this strategy: `portable` gives single frames only. */
void vmware_balloon_pages_terms(enum balloon_strategy strategy, struct balloon_terms *terms);

/*
 * The operations of a port. All of a batch is answered by then. -EIO: none of it is the host's,
 * which has forgotten everything, or has broken the rules before.
 */
int vmware_balloon_pages_inflate(struct balloon_batch *batch);
int vmware_balloon_pages_deflate(struct balloon_batch *batch);

/* Returns how many frames the host has, since vmware_balloon_pages_begin(). */
uint64_t vmware_balloon_pages_given(void);

/* Returns what is wrong with the host's use of the batch page; NULL: nothing. */
const char *vmware_balloon_pages_fault(void);

/* Another host comes: counts begin anew. */
void vmware_balloon_pages_forget(void);

/* Frames, or blocks. */
struct vmware_balloon_counts {
	uint64_t offered;  /* to the host */
	uint64_t scarce;   /* times that there was none to offer, though one was wanted */
	uint64_t refused;  /* of those offered */
	uint64_t returned; /* of those refused, blocks whose frames were not tried one by one */
	uint64_t kept;	   /* that the host would not give back */
	uint64_t freed;	   /* that it gave back */
};

/* Stores what was counted: of blocks, or of single frames. */
void vmware_balloon_pages_counts(bool blocks, struct vmware_balloon_counts *counts);

/* Counts that no frame could be had for the target. */
void vmware_balloon_pages_note_scarce(void);

#endif
