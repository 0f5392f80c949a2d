/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The events of memory that comes and goes, for kernel/lib/events.h. Amounts are in frames,
 * `pfn` is the first of them. Blocks that lie together are one event, however many.
 */
#ifndef DRIVERS_MEM_MEM_EVENTS_H
#define DRIVERS_MEM_MEM_EVENTS_H

#include "kernel/lib/events.h"

#define MEM_EVENTS(EVENT) \
	EVENT(MEM_EVENT_ANNOUNCED, "announced", "#pfn", "frames")    /* it may come */ \
	EVENT(MEM_EVENT_REQUESTED, "requested", "frames", "plugged") /* the host wants so much */ \
	EVENT(MEM_EVENT_PLUGGED, "plugged", "#pfn", "frames")	     /* it is there, and free */ \
	EVENT(MEM_EVENT_CLAIMED, "claimed", "#pfn", "frames")	     /* it is on its way out */ \
	EVENT(MEM_EVENT_LEFT, "left", "#pfn", "frames")		     /* the host has it */ \
	EVENT(MEM_EVENT_KEPT, "kept", "#pfn", "frames")	    /* the host would not have it: free */ \
	EVENT(MEM_EVENT_REACHED, "reached", "frames", "us") /* what is wanted, after so long */ \
	EVENT(MEM_EVENT_BUSY, "busy", "type", "") /* not now, says the device to a request */ \
	EVENT(MEM_EVENT_REFUSED, "refused", "type", "answer")	/* a request: nack or error */ \
	EVENT(MEM_EVENT_STUCK, "stuck", "requested", "plugged") /* that cannot be reached now */ \
	EVENT(MEM_EVENT_GAVE_UP, "gave-up", "#pfn", "")		/* the device of this region */ \
	EVENT(MEM_EVENT_PULLED, "pulled", "#pfn", "frames")	/* the device of this region */

EVENTS_DECLARE(mem, MEM_EVENTS)

#endif
