/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Cooperative tasks. One CPU, no preemption: between two calls that may sleep
 * or yield, a task has the machine to itself but for interrupt handlers.
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
#ifndef KERNEL_TASK_TASK_H
#define KERNEL_TASK_TASK_H

#include "kernel/lib/types.h"

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

/* ---- The scheduler's own side: for kernel_main() and `ps` ---- */

/*
 * The boot stack becomes the idle task, which runs when nobody else can, ends
 * finished tasks, and halts the processor.
 */

/* Once, before any other call; the caller becomes the idle task. */
void task_init(void);

/* The clock's tick: wakes whose deadline has passed. From the interrupt. */
void task_tick(void);

/* What the idle task does for the rest of its life. */
_Noreturn void task_idle(void);

/* One line of `ps`. */
struct task_info {
	unsigned id;
	char state; /* R runs or could, S sleeps, D waits for a device, Z has ended */
	unsigned priority;
	uint64_t ticks; /* jiffies that came while it ran */
	const char *name;
	uint64_t waits_at; /* a code address, 0 if it does not wait */
};

/* Calls `fn` for every task, by id. */
void task_for_each(void (*fn)(const struct task_info *info));

#endif
