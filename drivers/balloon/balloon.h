/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The memory balloon: moves the number of frames that belong to OWNER_BALLOON (of a second
 * host, to OWNER_BALLOON_2) to the host's target, exactly to the frame, and tells the truth on
 * the way. Policy is the host's; the one thing it does not decide is the floor, below which
 * inflation never takes the guest's free memory. This file is for the kernel; what
 * a hypervisor's port needs is balloon_port.h.
 *
 *   balloon.c		its life: what is offered, a round, the end, the start
 *   balloon_recovery.c	what can go wrong: resets, a host that is given up, or tried again
 *   balloon_place.c	from where they are taken
 *   balloon_offer.c	which frames go
 *   balloon_vacate.c	frames of memory that is to leave, out of the balloon
 *   balloon_batch.c	frames on their way, in batches
 *   balloon_ranges.c	whole blocks that are lent to the host, or leave, as ranges
 *   balloon_refusal.c	frames that the host refused, and how long it is left alone then
 *   balloon_wait.c	how the task waits
 *   balloon_reclaim.c	memory pressure
 *   balloon_state.c	the port, the status; what a reader from outside finds
 *   balloon_settings.c	how people write the settings
 *   balloon_account.c	the meaning of show_mem's figures
 *   balloon_stats.c	everything that is counted for the host
 *   balloon_events.c	the events that it records
 *   balloon_cmd.c	the console's commands
 *   balloon_wait_cmd.c	one of them, which waits for the target
 *   port/		one hypervisor each
 *
 * Nothing here is for interrupts, but balloon_status().
 */
#ifndef DRIVERS_BALLOON_BALLOON_H
#define DRIVERS_BALLOON_BALLOON_H

#include "drivers/balloon/balloon_reclaim.h"
#include "drivers/balloon/balloon_state.h"
#include "kernel/lib/types.h"

/* Begins with these settings, and waits for ports to be attached (balloon_port.h). */
void balloon_init(const struct balloon_config *config);

/*
 * Runs one round of each balloon's task: takes what the host has finished, offers it
 * what the target asks for, writes the number of ballooned frames when that is
 * due. Returns whether another round would find something to do at once.
 */
bool balloon_step(void);

/*
 * Has `hook` called, in a balloon's task, when a host wants so many frames more than the guest
 * has free above its floor; it may wake tasks only. Whoever frees some says so by
 * balloon_try_again(). NULL: nobody does.
 */
void balloon_set_short_hook(void (*hook)(uint64_t frames));

/* Lets all balloons look at once whether there are frames for them. */
void balloon_try_again(void);

/* Returns the frames that inflation leaves free: floor=, and no less than reclaim's reserve. */
uint64_t balloon_floor(void);

#endif
