/* SPDX-License-Identifier: BSD-2-Clause */
/* The balloon as the allocator's last resort. */
#ifndef DRIVERS_BALLOON_BALLOON_RECLAIM_H
#define DRIVERS_BALLOON_BALLOON_RECLAIM_H

#include "kernel/lib/types.h"

/* Inflation waits this long after frames were given back for want of memory. */
#define BALLOON_HOLD_OFF_NS (2 * NS_PER_S)

/*
 * Frees frames for an allocation of 2^order: a frame_reclaimer (mm/frame.h). First
 * what the host refused, was to have soon (`leaving`) or was only lent; then, where the
 * host lets ballooned memory come back by itself, what is in the balloon: one frame for
 * order 0, else a block or the whole run. Returns how many are free now. If it helped, the
 * newest of vm_events.stalls is one of balloon_stalls, too. Allocates nothing, waits for the
 * host at most BALLOON_DEADLINE_NS.
 */
size_t balloon_reclaim(unsigned order);

#endif
