/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * xen_console.c: the console that Xen gives a domain: a ring in a page that xenconsoled reads and
 * writes (io/console.h); where there is none, as in the first domain, the hypervisor's own
 * (console_io), which has no input here.
 *
 * If nobody reads, output is dropped after a short wait, and counted; the guest goes on. What
 * the other end writes into the page is input: a ring that is said to hold more than it can is
 * taken for an empty one. All but xen_console_start() may be called before xen_console_init(),
 * and without Xen.
 */
#ifndef DRIVERS_XEN_XEN_CONSOLE_H
#define DRIVERS_XEN_XEN_CONSOLE_H

#include "kernel/lib/types.h"

/* Called with each byte of input as it arrives, with interrupts off. */
typedef void xen_console_input(uint8_t byte);

/* Finds the console; false: there is none. From now on output works. */
bool xen_console_init(void);

/* Returns what it is, for people; NULL: there is none. */
const char *xen_console_name(void);

/* Tells whether it takes input. */
bool xen_console_has_input(void);

/* Starts input, if it has any; after xen_events_start(). */
void xen_console_start(xen_console_input *input);

/*
 * Writes `length` bytes, in order. While the ring has no room, the calling task sleeps if
 * `may_sleep` is set and interrupts are on, else it yields the processor to Xen; both within a
 * bound. May be called from an interrupt.
 */
void xen_console_write(const char *text, size_t length, bool may_sleep);

/* Waits until all that was written is read, within a bound: before the domain ends. */
void xen_console_flush(void);

struct xen_console_counts {
	uint64_t sent;	       /* bytes that the ring, or Xen, took */
	uint64_t sent_dropped; /* bytes for which there was no room, as nobody read */
	uint64_t received;     /* bytes */
	uint64_t nonsense;     /* how often the ring was said to hold more than it can */
};

/* Stores what was counted since boot. */
void xen_console_get_counts(struct xen_console_counts *counts);

#endif
