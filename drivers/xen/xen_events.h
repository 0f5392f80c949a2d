/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * xen_events.c: event channels, two levels of bits in a page that Xen shares (event_channel.h).
 * Xen interrupts by a vector of the local APIC; who listens to a port is called then.
 */
#ifndef DRIVERS_XEN_XEN_EVENTS_H
#define DRIVERS_XEN_XEN_EVENTS_H

#include "kernel/lib/types.h"

struct xen_event_handler {
	/* Called with interrupts off, once or more for what has happened. */
	void (*handle)(struct xen_event_handler *handler);
	uint32_t port;
	struct xen_event_handler *next; /* the list's */
};

/*
 * Has Xen share its page and interrupt by a vector. Once, after irq_init(), on Xen. -ENOTSUP:
 * there is no local APIC; -ENOSPC: no vector is left; -EIO: Xen would not.
 */
int xen_events_start(void);

/*
 * Calls the handler for each event on its port from now on, and once at once if one is pending.
 * The handler is the caller's and stays linked. Several may listen to one port.
 */
void xen_events_listen(struct xen_event_handler *handler);

struct xen_event_counts {
	uint64_t upcalls;
	uint64_t events;    /* bits that were set, of ports that somebody listens to */
	uint64_t unclaimed; /* upcalls without any such event */
};

/* Stores what was counted since boot. */
void xen_events_get_counts(struct xen_event_counts *counts);

#endif
