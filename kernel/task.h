/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The scheduler's own side of tasks; what a task may do is in
 * kernel/lib/task.h. The boot stack becomes the idle task, which runs when
 * nobody else can, ends finished tasks, and halts the processor.
 */
#ifndef KERNEL_TASK_H
#define KERNEL_TASK_H

#include "kernel/lib/task.h"

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
