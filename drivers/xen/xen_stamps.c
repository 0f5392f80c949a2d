/* SPDX-License-Identifier: BSD-2-Clause */
/* The ring of Xen's events, and which of the calls for memory are in it; see xen_stamps.h. */
#include "drivers/xen/xen_stamps.h"

#include <assert.h>

#include "kernel/lib/types.h"

EVENTS_DEFINE(xen, XEN_STAMPS);

static bool due;	   /* there is a target, and nothing was called for since */
static bool open;	   /* the call that is on its way is recorded */
static uint64_t called_ns; /* that one */

void xen_stamp_target(uint64_t kib)
{
	due = true;
	xen_event(XEN_STAMP_TARGET, kib, 0);
}

void xen_stamp_call(size_t extents, unsigned order)
{
	assert(!open);
	if (!due)
		return;
	due = false;
	open = true;
	called_ns = lib_time_ns();
	xen_event(XEN_STAMP_CALL, (uint64_t)extents << order, order);
}

void xen_stamp_called(long done, unsigned order)
{
	if (!open)
		return;
	open = false;
	/* What is no count is an error: none was done. */
	xen_event(XEN_STAMP_CALLED, done > 0 ? (uint64_t)done << order : 0,
		  (lib_time_ns() - called_ns) / NS_PER_US);
}
