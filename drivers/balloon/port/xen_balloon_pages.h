/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * xen_balloon_pages.c: frames on their way to Xen and back, answered in the call; for
 * xen_balloon.c and its commands.
 */
#ifndef DRIVERS_BALLOON_PORT_XEN_BALLOON_PAGES_H
#define DRIVERS_BALLOON_PORT_XEN_BALLOON_PAGES_H

#include "drivers/balloon/balloon_port.h"

/* Begins anew, with a Xen that is well. -ENODEV: it has no such memory operations. */
int xen_balloon_pages_start(void);

/* Stores what Xen takes in a batch, with this strategy: `portable` gives single frames only. */
void xen_balloon_pages_terms(enum balloon_strategy strategy, struct balloon_terms *terms);

/* Another target: what was found out about the pace of Xen is not known of the frames for it. */
void xen_balloon_pages_begin_target(void);

/* The operations of a port. All of a batch is answered by then. -EIO: Xen is at fault. */
uint64_t xen_balloon_pages_blocks(bool back);
int xen_balloon_pages_inflate(struct balloon_batch *batch);
int xen_balloon_pages_deflate(struct balloon_batch *batch);

/* Returns what is wrong with Xen's answers, and stores why, for people. */
enum balloon_fault xen_balloon_pages_fault(const char **why);

/* Of either direction, since boot. */
struct xen_balloon_counts {
	uint64_t calls;
	uint64_t blocks; /* done as extents of 2 MiB */
	uint64_t frames; /* done one by one */
	uint64_t untold; /* frames that moved, though Xen did not count them */
	uint64_t call_ns_max;
};

/* Stores what was counted: of giving, or of taking back. */
void xen_balloon_pages_counts(bool back, struct xen_balloon_counts *counts);

#endif
