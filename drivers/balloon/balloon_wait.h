/* SPDX-License-Identifier: BSD-2-Clause */
/* How the balloon's task waits for the host, and how others end that wait. */
#ifndef DRIVERS_BALLOON_BALLOON_WAIT_H
#define DRIVERS_BALLOON_BALLOON_WAIT_H

#include "kernel/lib/types.h"

/* Since when the host owes an answer; DEADLINE_NEVER: it owes none. */
uint64_t balloon_waiting_since(void);

/* True if it has owed one for longer than any answer may take. */
bool balloon_answer_is_overdue(void);

/* True if another round would find something new. */
bool balloon_has_news(void);

/* Sleeps until the host has news or it is time to look by ourselves. For the task alone. */
void balloon_wait_for_news(void);

/* There is something to do: for those outside the task. */
void balloon_nudge(void);

#endif
