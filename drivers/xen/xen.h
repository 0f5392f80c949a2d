/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * xen.c: what a guest asks Xen for, one hypercall each. All may be called at any time, also
 * without Xen, where they fail. A `long` result is Xen's own: a count, or an error negated.
 */
#ifndef DRIVERS_XEN_XEN_H
#define DRIVERS_XEN_XEN_H

#include "arch/xen.h"
#include "drivers/xen/xen_abi.h"
#include "kernel/lib/types.h"

#define XEN_VERSION_TEXT_MAX 32

/* Stores which Xen it is, as "4.17.7". -EIO: it does not tell. */
int xen_get_version(char text[XEN_VERSION_TEXT_MAX]);

/* Returns a parameter of this domain; 0: it has none. */
uint64_t xen_param(enum xen_param index);

/* Sets a parameter of this domain. -EIO: Xen would not. */
int xen_set_param(enum xen_param index, uint64_t value);

/* Interrupts the other end of an event channel. */
void xen_notify(uint32_t port);

/*
 * Has Xen take (XEN_MEMORY_DECREASE_RESERVATION) or give (XEN_MEMORY_POPULATE_PHYSMAP) extents
 * of 2^order frames that begin at these. Returns how many of them, from the first on, were done,
 * or an error. Xen believes whatever it is told: an extent must be aligned, and its frames ours
 * to give, or given.
 */
long xen_change_reservation(enum xen_memory_command command, const pfn_t *extents, size_t count,
			    unsigned order);

/* Tells whether Xen says that memory is at a frame number; where one was given there is none. */
bool xen_frame_is_there(pfn_t pfn);

/* Returns how many frames Xen counts for this domain; negative: an error. */
long xen_current_frames(void);

/* Returns how many it may have. */
long xen_maximum_frames(void);

/* Has Xen share its struct xen_shared_info at this frame, whose own memory it takes. -EIO. */
int xen_share_page(pfn_t pfn);

/* Has Xen interrupt the first processor by this vector when there are events. -EIO. */
int xen_set_upcall_vector(unsigned vector);

/* Shows text on the hypervisor's own console. -EIO: this domain may not. */
int xen_write_console(const char *text, size_t length);

/* Lets another domain have the processor for a moment. */
void xen_yield(void);

/* Ends the domain. Returns if Xen does not do it. */
void xen_shut_down(enum xen_shutdown reason);

#endif
