/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Time and waiting for host tests: both clocks of arch/clock.h and the waiting half of
 * kernel/task/task.h (not task_create()). There are no tasks: the test's own thread
 * waits, and the counter jumps to the end of the wait. As no tick comes meanwhile, only
 * the least of a long wait counts as time awake.
 */
#ifndef TESTS_SIM_SIM_TIME_H
#define TESTS_SIM_SIM_TIME_H

#include "kernel/task/task.h"

/* How long each reading of the clock takes, so that busy waits end; 1000 after a reset. */
extern uint64_t sim_time_step_ns;

/* Sets both clocks to 0; no callbacks, no counts. */
void sim_time_reset(void);

/* Lets the guest run for so long: both clocks go forward. */
void sim_time_advance(uint64_t ns);

/*
 * Stops the guest: at its next look the counter is so far ahead, or behind. Jumps
 * between two looks add up.
 */
void sim_time_jump(int64_t ns);

/* Called at each look at a clock, before the counter moves. NULL: nothing. */
extern void (*sim_time_on_look)(void);

/* Looks so far, this one included. */
extern uint64_t sim_time_looks;

/*
 * Called once by every task_yield(), task_sleep_until() and task_wait(), before the
 * clock moves: here a device that answers late gives its answer. NULL: nothing.
 */
extern void (*sim_time_on_wait)(void);

/* Waits so far: yields, sleeps, and task_wait()s. */
extern uint64_t sim_time_waits;

/* Those of them that were task_wait_device(). */
extern uint64_t sim_time_device_waits;

/* Calls of task_wake(). */
extern uint64_t sim_time_wakes;

/* For how long nothing ran: by sleeps, and waits that nobody ended. */
extern uint64_t sim_time_slept_ns;

#endif
