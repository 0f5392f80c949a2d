/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * xen_console.c: the console that Xen gives a domain: a ring in a page that xenconsoled reads and
 * writes (io/console.h); where there is none, as in the first domain, the hypervisor's own
 * (console_io), which has no input here.
 *
 * If nobody reads, output is dropped after a short wait, and counted; the guest goes on. What
 * the other end writes into the page is input: a ring that is said to hold more than it can is
 * emptied.
 */
#ifndef DRIVERS_XEN_XEN_CONSOLE_H
#define DRIVERS_XEN_XEN_CONSOLE_H

#include "kernel/lib/types.h"

/*
 * Called with each byte of input as it arrives, with interrupts off. Returns false to keep it
 * out of the input.
 */
typedef bool xen_console_filter(uint8_t byte);

/* Finds the console; false without Xen. From now on output works. */
bool xen_console_init(void);

/* Returns what it is on, for people; NULL: there is none. */
const char *xen_console_name(void);

/* Starts input; after xen_events_start(). `filter`: NULL for none. */
void xen_console_start(xen_console_filter *filter);

/*
 * Writes `length` bytes, in order. While the ring has no room, the calling task sleeps if
 * `may_sleep` is set and interrupts are on, else it yields the processor to Xen; both within a
 * bound. May be called from an interrupt.
 */
void xen_console_write(const char *text, size_t length, bool may_sleep);

/* Waits until all that was written is read, within a bound: before the domain ends. */
void xen_console_flush(void);

/* Takes the next byte of input; false if there is none. Never sleeps. */
bool xen_console_read(uint8_t *byte);

/* Forgets the input that nobody has read. */
void xen_console_discard_input(void);

#endif
