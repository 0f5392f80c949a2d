/* SPDX-License-Identifier: BSD-2-Clause */
/* How the balloon's task waits for the host, and how others end that wait. */
#ifndef DRIVERS_BALLOON_BALLOON_WAIT_H
#define DRIVERS_BALLOON_BALLOON_WAIT_H

#include "kernel/lib/types.h"

struct balloon;

/* Returns when the oldest request without an answer was sent; DEADLINE_NEVER: there is none. */
uint64_t balloon_sent_awake(const struct balloon *balloon);

/*
 * Tells whether a request that has no answer at `now_awake`, and was sent at
 * `sent_awake`, has waited for longer than any may; not if that is DEADLINE_NEVER. Read
 * `now_awake` first, then take all that the host has finished, then see what is still
 * owed: so one whose answer is there is never given up, however long the guest was
 * stopped between any two of these.
 */
bool balloon_is_overdue(uint64_t sent_awake, uint64_t now_awake);

/* Tells whether another round would find something new. */
bool balloon_has_news(const struct balloon *balloon);

/* Sleeps until the host has news or it is time to look by ourselves. For the task alone. */
void balloon_wait_for_news(struct balloon *balloon);

/*
 * Lets other tasks run and, every few milliseconds, a host that needs it: one that works within
 * the notification may hold a lock meanwhile that its console waits for, and that this processor
 * takes again at once unless it halts. Where time comes by ticks alone, that sleep lasts until
 * the next one. For the task, between two rounds that found work.
 */
void balloon_yield(struct balloon *balloon);

/* Wakes the task, as there is something to do; for callers outside it. */
void balloon_nudge(struct balloon *balloon);

#endif
