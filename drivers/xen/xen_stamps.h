/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * xen_stamps.c: Xen's events, for kernel/lib/events.h: how soon a domain does what its toolstack
 * wants. Xen's own events are those of xen_events.h.
 *
 * An event of the store, the answer to the reading that follows it, the target that the balloon
 * makes of it, and the first call for memory after that are recorded. The further calls of a move
 * are not, so that a large one does not push out how it came to be: balloon_events.h has its end.
 */
#ifndef DRIVERS_XEN_XEN_STAMPS_H
#define DRIVERS_XEN_XEN_STAMPS_H

#include "kernel/lib/events.h"

#define XEN_STAMPS(EVENT) \
	EVENT(XEN_STAMP_ANSWERS, "answers", "after-silence", "") /* the store, first or again */ \
	EVENT(XEN_STAMP_WATCH, "watch", "us", "") /* of what is followed; since it interrupted */ \
	EVENT(XEN_STAMP_READ, "read", "bytes", "errno")	  /* what is followed */ \
	EVENT(XEN_STAMP_TARGET, "target", "kib", "")	  /* the balloon goes by it now */ \
	EVENT(XEN_STAMP_CALL, "call", "frames", "order")  /* for memory: the first since then */ \
	EVENT(XEN_STAMP_CALLED, "called", "frames", "us") /* it has ended, with so many done */

EVENTS_DECLARE(xen, XEN_STAMPS)

/* Records a target. */
void xen_stamp_target(uint64_t kib);

/*
 * Record that a call for memory begins, with extents of 2^order frames, and that it has ended:
 * `done` is Xen's answer. In pairs; only the first since a target leaves an event.
 */
void xen_stamp_call(size_t extents, unsigned order);
void xen_stamp_called(long done, unsigned order);

#endif
