/* SPDX-License-Identifier: BSD-2-Clause */
/* How the balloon's task waits for the host, and how others end that wait. */
#ifndef DRIVERS_BALLOON_BALLOON_WAIT_H
#define DRIVERS_BALLOON_BALLOON_WAIT_H

#include "kernel/lib/types.h"

/* Returns since when the host owes an answer; DEADLINE_NEVER: it owes none. */
uint64_t balloon_waiting_since(void);

/* Tells whether the host has owed an answer for longer than any may take. */
bool balloon_answer_is_overdue(void);

/* Tells whether another round would find something new. */
bool balloon_has_news(void);

/* Sleeps until the host has news or it is time to look by ourselves. For the task alone. */
void balloon_wait_for_news(void);

/* Wakes the task, as there is something to do; for callers outside it. */
void balloon_nudge(void);

#endif
