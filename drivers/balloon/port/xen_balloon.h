/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * xen_balloon.c: the balloon on Xen (public/memory.h). The toolstack writes the size it wants the
 * domain to have, memory/target, beside the largest it was made for, memory/static-max, both in
 * KiB; what is between them is in the balloon. Frames are given by decrease_reservation and
 * come back by populate_physmap, whole blocks as extents of 2 MiB. Xen answers in the call, how
 * many extents it did; what it refused is asked for again after a pause, for ever.
 *
 * In a domain without a store, as Xen's first one is, a person is the toolstack:
 * xen_balloon_set_target().
 */
#ifndef DRIVERS_BALLOON_PORT_XEN_BALLOON_H
#define DRIVERS_BALLOON_PORT_XEN_BALLOON_H

#include "drivers/balloon/balloon_port.h"
#include "kernel/lib/types.h"

/*
 * Attaches the balloon to Xen, after xenstore_start(), in a task. -ENODEV: no Xen; or its memory
 * operations or the target are missing, which is logged; -ETIMEDOUT: the store does not answer,
 * and it may be tried again when it does; else errors of balloon_attach().
 */
int xen_balloon_start(void);

/*
 * Waits until the first target is reached or cannot be, in a domain that was started with less
 * memory than it may have: nothing else may allocate before. At most 2 s. In a task.
 */
void xen_balloon_wait_for_first_target(void);

/*
 * Sets the size that the domain is to have. -ENODEV: there is no balloon on Xen; -EBUSY: the
 * toolstack's target is followed; -ERANGE: it is nothing, or more than the domain began with.
 */
int xen_balloon_set_target(uint64_t kib);

/* What is between the two is in the balloon, or will be. */
struct xen_balloon_target {
	uint64_t max_kib; /* the largest that the domain may be */
	uint64_t kib;	  /* that it is to be: the last good target */
};

/* Stores the target. Returns false if there is no balloon on Xen. */
bool xen_balloon_get_target(struct xen_balloon_target *target);

/* For the console's command. */
extern const struct balloon_port xen_balloon_port;

#endif
