/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Real tasks for host tests: kernel/task/task.c with real switches between stacks, by ucontext,
 * and a clock that stands still but while the processor idles. Then the world has its turn; if it
 * has nothing to do, time goes on to the next alarm. Defines both clocks of arch/clock.h.
 */
#ifndef TESTS_SIM_SIM_TASKS_H
#define TESTS_SIM_SIM_TASKS_H

#include "kernel/task/task.h"

/*
 * Called when no task can run, with interrupts off: here devices work, and interrupt. Returns
 * whether they did anything; if not, time goes on. NULL: there is no world.
 */
extern bool (*sim_tasks_world)(void);

/* So long the processor was idle. */
extern uint64_t sim_tasks_idle_ns;

/* How often the clock's alarm rang, and the world did something. */
extern uint64_t sim_tasks_alarms, sim_tasks_turns;

/* How long each look at a clock takes, so that busy waits end; 0 after a reset. */
extern uint64_t sim_tasks_step_ns;

/* What stack_alloc() returns; 0 after a reset. */
extern int sim_tasks_stack_err;

/* Begins with no tasks, at time 0. No task is left from before. */
void sim_tasks_reset(void);

/* Starts a task that runs `fn`. */
void sim_tasks_add(const char *name, void (*fn)(void *), void *arg);

/*
 * Runs all tasks until `fn`, in a task of its own, has returned; others are left where they wait.
 * Ends the program if nothing can ever wake a task again.
 */
void sim_tasks_run(void (*fn)(void *), void *arg);

/* Tells whether the last run was left from within a task, as by a failed assertion. */
bool sim_tasks_abandoned(void);

/* Returns how many tasks there are, those that have ended left out. */
unsigned sim_tasks_left(void);

/* Stops the guest: the clock is so far ahead at its next look. */
void sim_tasks_jump(uint64_t ns);

#endif
