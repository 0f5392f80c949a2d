/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Time and waiting for host tests: clock_ns() and the waiting half of
 * kernel/task/task.h (not task_create()). There are no tasks: the test's
 * own thread waits, and the clock jumps to the end of the wait.
 */
#ifndef TESTS_SIM_SIM_TIME_H
#define TESTS_SIM_SIM_TIME_H

#include "kernel/task/task.h"

/* How long each reading of the clock takes, so that busy waits end; 100 after a reset. */
extern uint64_t sim_time_step_ns;

/* Sets the clock to 0; no callback, no counts. */
void sim_time_reset(void);

/* Moves the clock forward. */
void sim_time_advance(uint64_t ns);

/*
 * Called once by every task_yield(), task_sleep_until() and task_wait(), before the
 * clock moves: here a device that answers late gives its answer. NULL: nothing.
 */
extern void (*sim_time_on_wait)(void);

/* Waits so far: yields, sleeps, and task_wait()s. */
extern uint64_t sim_time_waits;

/* Calls of task_wake(). */
extern uint64_t sim_time_wakes;

#endif
