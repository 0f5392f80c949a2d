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

/* The smaller number runs first; tasks of one priority take turns. */
enum task_priority {
	TASK_PRIORITY_SHELL = 0,
	TASK_PRIORITY_DRIVER = 1,
	TASK_PRIORITY_BACKGROUND = 2, /* for work that nobody waits for */
};

struct task;

struct wait_queue {
	struct task *first;
};

/*
 * Starts a task on a stack of its own (owner: stacks). `name` is kept, not
 * copied. The task ends when `fn` returns. -EAGAIN: there are too many tasks;
 * -ENOMEM: there is no memory for a stack.
 */
int task_create(const char *name, enum task_priority priority, void (*fn)(void *), void *arg);

/* Ends the calling task from within any call; what it holds is lost. Not for the idle task. */
_Noreturn void task_exit(void);

/* Returns the calling task's number, as `ps` shows it; another one may have it after its end. */
unsigned task_id(void);

/* Gives every task of the same or a higher priority a turn. */
void task_yield(void);

/* Changes the calling task's priority, from its next wait or yield on. Not for the idle task. */
void task_set_priority(enum task_priority priority);

/* Sleeps until the clock says `deadline`, whatever wakes the task before. */
void task_sleep_until(uint64_t deadline);

/*
 * Sleeps until the queue is woken (true) or the deadline has passed (false). A
 * wake-up before the call does not count: so call it with interrupts off, after a
 * look at what is waited for, as shown above.
 */
bool task_wait(struct wait_queue *queue, uint64_t deadline);

/* Does what task_wait() does, for an answer that a device owes: `ps` shows D, not S. */
bool task_wait_device(struct wait_queue *queue, uint64_t deadline);

/*
 * Sleeps until `*happened` is set, after which the queue is woken, or for `most_ns` in which the
 * guest ran (clock_awake_ns()). In a task.
 */
void task_await(struct wait_queue *queue, const bool *happened, uint64_t most_ns);

/* Lets all waiters of a queue run again. May be called from an interrupt. */
void task_wake(struct wait_queue *queue);

/*
 * Whoever only looks whether something has changed does so at moments that all of them
 * share, so that an idle machine wakes up once a second for all.
 */
#define TASK_LOOK_NS NS_PER_S

/* Returns the first such moment after `now`, of clock_ns(). */
static inline uint64_t task_next_look(uint64_t now)
{
	return now - now % TASK_LOOK_NS + TASK_LOOK_NS;
}

/* ---- The scheduler's own side: for kernel_main() and `ps` ---- */

/*
 * The boot stack becomes the idle task. It runs when no other task can, frees
 * what finished tasks had, and halts the processor.
 */

/* Makes the caller the idle task, and the only one. Before any other call. */
void task_init(void);

/* Wakes tasks whose deadline has passed, and sets the clock's next alarm, which calls it. */
void task_alarm(void);

/* Runs the idle task; it never returns. */
_Noreturn void task_idle(void);

/* One line of `ps`. */
struct task_info {
	unsigned id;
	char state; /* R: runs or could, S: sleeps, D: waits for a device, Z: has ended */
	unsigned priority;
	uint64_t jiffies; /* for how long it ran; the idle task, too, while it sleeps */
	const char *name;
	uint64_t waits_at; /* code address of the wait; 0: it does not wait */
};

/* Calls `fn` for every task, by id. */
void task_for_each(void (*fn)(const struct task_info *info));

#endif
