/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Cooperative tasks, as the layers below kernel/ see them. One CPU, no
 * preemption: between two calls that may sleep or yield, a task has the
 * machine to itself but for interrupt handlers.
 *
 * Waiting without losing a wake-up:
 *
 *	uint64_t deadline = clock_ns() + NS_PER_S;
 *	uint64_t flags = irq_save();
 *	while (!ready && task_wait(&queue, deadline))
 *		;
 *	irq_restore(flags);
 *
 * task_wait() is called with interrupts off and returns with them off; in
 * between they are on. It may return true for nothing, so look again.
 */
#ifndef KERNEL_LIB_TASK_H
#define KERNEL_LIB_TASK_H

#include "kernel/lib/types.h"

#define NS_PER_US UINT64_C(1000)
#define NS_PER_MS UINT64_C(1000000)
#define NS_PER_S UINT64_C(1000000000)
#define DEADLINE_NEVER UINT64_MAX

/* Smaller runs first; tasks of one priority take turns. */
enum task_priority {
	TASK_PRIORITY_SHELL = 0,
	TASK_PRIORITY_DRIVER = 1,
};

struct task;

struct wait_queue {
	struct task *first;
};

/*
 * Starts a task on a stack of its own (owner: stacks). `name` is kept, not
 * copied. The task ends when `fn` returns. -ENOMEM, -EAGAIN (too many tasks).
 */
int task_create(const char *name, enum task_priority priority, void (*fn)(void *), void *arg);

/* Lets every task of the same or a higher priority have its turn. */
void task_yield(void);

/* For the calling task, from its next wait or yield on. */
void task_set_priority(enum task_priority priority);

/* `deadline` is a clock_ns() value. */
void task_sleep_until(uint64_t deadline);

/*
 * Sleeps until the queue is woken (true) or the deadline has passed (false).
 * With interrupts off; see above.
 */
bool task_wait(struct wait_queue *queue, uint64_t deadline);

/* The same for an answer that a device owes: `ps` shows such a task as D, not S. */
bool task_wait_device(struct wait_queue *queue, uint64_t deadline);

/* Makes all waiters ready. May be called from an interrupt. */
void task_wake(struct wait_queue *queue);

#endif
