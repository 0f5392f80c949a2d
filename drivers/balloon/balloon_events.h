/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A balloon's events, for kernel/lib/events.h. Amounts are in frames. A move is
 * recorded at its first offer and when the last answer is there, not batch by batch,
 * and what was refused in it, frame by frame, then, too: so a large one does not push
 * out how it came to be.
 */
#ifndef DRIVERS_BALLOON_BALLOON_EVENTS_H
#define DRIVERS_BALLOON_BALLOON_EVENTS_H

#include "kernel/lib/events.h"

#define BALLOON_EVENTS(EVENT) \
	EVENT(BALLOON_EVENT_TARGET, "target", "frames", "before") /* the host asks for another */ \
	EVENT(BALLOON_EVENT_OFFERED, "offered", "frames", "ballooned")	     /* a move begins */ \
	EVENT(BALLOON_EVENT_ASKED_BACK, "asked-back", "frames", "ballooned") /* one back */ \
	EVENT(BALLOON_EVENT_ACKNOWLEDGED, "acknowledged", "ballooned", "us") /* it has ended */ \
	EVENT(BALLOON_EVENT_REFUSED, "refused", "frames", "reason")    /* enum balloon_refusal */ \
	EVENT(BALLOON_EVENT_RECLAIMED, "reclaimed", "frames", "order") /* for want of memory */ \
	EVENT(BALLOON_EVENT_GAVE_UP, "gave-up", "fault", "")	       /* enum balloon_fault */ \
	EVENT(BALLOON_EVENT_RECOVERED, "recovered", "fault", "ballooned") /* by a reset */ \
	EVENT(BALLOON_EVENT_RETRIED, "retried", "ballooned", "") /* one given up is in use */ \
	EVENT(BALLOON_EVENT_ALL_OURS, "all-ours", "frames", "")	 /* the host forgot them */ \
	EVENT(BALLOON_EVENT_PLUGGED, "plugged", "deflate-on-oom", "ranges") /* a host is there */ \
	EVENT(BALLOON_EVENT_PULLED, "pulled", "ballooned", "")		    /* it goes */

EVENTS_DECLARE(balloon, BALLOON_EVENTS)

/* Of a second balloon, on a machine with two. */
extern struct event_ring balloon_2_events;

#endif
