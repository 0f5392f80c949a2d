/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Xen, if the guest runs on it: found by CPUID, called through its hypercall page (Xen's public
 * headers arch-x86/cpuid.h and xen.h). What there is to ask it for is in drivers/xen/xen_abi.h.
 */
#ifndef ARCH_XEN_H
#define ARCH_XEN_H

#include <stdbool.h>
#include <stdint.h>

/* Numbers of hypercalls. */
enum xen_hypercall {
	XEN_MEMORY_OP = 12,
	XEN_VERSION = 17,
	XEN_CONSOLE_IO = 18,
	XEN_SCHED_OP = 29,
	XEN_EVENT_CHANNEL_OP = 32,
	XEN_HVM_OP = 34,
};

/* Xen's error numbers, which are Linux's and not the C library's; it returns them negated. */
#define XEN_ENOSYS 38

/*
 * Looks for Xen, and has it fill the hypercall page. Once, before anything else of this
 * file; needs no memory, clock or console. Returns whether Xen is there.
 */
bool xen_find(void);

/* Tells whether Xen was found. May be called at any time. */
bool xen_is_there(void);

/*
 * Asks Xen. Pointers among the arguments are virtual addresses of mapped memory. Returns
 * what Xen returns: a count, or an error number of Xen's, negated; -XEN_ENOSYS without Xen.
 * May be called with interrupts off, and from an interrupt; it returns when all is done.
 */
long xen_hypercall(enum xen_hypercall number, uint64_t first, uint64_t second, uint64_t third);

#endif
