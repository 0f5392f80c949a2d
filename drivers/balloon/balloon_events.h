/* SPDX-License-Identifier: BSD-2-Clause */
/* What the balloon records: see kernel/lib/events.h. Amounts are in frames. */
#ifndef DRIVERS_BALLOON_BALLOON_EVENTS_H
#define DRIVERS_BALLOON_BALLOON_EVENTS_H

#include "kernel/lib/events.h"

#define BALLOON_EVENTS(EVENT) \
	EVENT(BALLOON_EVENT_TARGET, "target", "frames", "before") /* the host asks for another */ \
	EVENT(BALLOON_EVENT_OFFERED, "offered", "frames", "#first") /* to be taken by the host */ \
	EVENT(BALLOON_EVENT_ASKED_BACK, "asked-back", "frames", "#first") /* to be given back */ \
	EVENT(BALLOON_EVENT_ACKNOWLEDGED, "acknowledged", "frames", "ns") /* and after how long */ \
	EVENT(BALLOON_EVENT_REFUSED, "refused", "frames", "reason")    /* enum balloon_refusal */ \
	EVENT(BALLOON_EVENT_RECLAIMED, "reclaimed", "frames", "order") /* for want of memory */ \
	EVENT(BALLOON_EVENT_GAVE_UP, "gave-up", "fault", "")	       /* enum balloon_fault */ \
	EVENT(BALLOON_EVENT_RECOVERED, "recovered", "fault", "ballooned") /* by a reset */ \
	EVENT(BALLOON_EVENT_ALL_OURS, "all-ours", "frames", "")	 /* the host forgot them */ \
	EVENT(BALLOON_EVENT_PLUGGED, "plugged", "#features", "") /* a device is used now */ \
	EVENT(BALLOON_EVENT_PULLED, "pulled", "ballooned", "")	 /* and here no longer */

EVENTS_DECLARE(balloon, BALLOON_EVENTS)

#endif
