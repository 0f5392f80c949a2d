/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Cooperative tasks. A task gives up the machine in switch_away() and nowhere
 * else; who goes on is the first task that can run, beginning behind the last
 * one of the same priority. The table is small and is simply searched.
 *
 * Everything here happens with interrupts off, as wake-ups come from them.
 */
#include "kernel/task/task.h"

#include <errno.h>

#include "arch/clock.h"
#include "arch/context.h"
#include "arch/cpu.h"
#include "arch/irq.h"
#include "mm/stack.h"

#define TASKS_MAX 16
#define PRIORITY_IDLE 255

struct task {
	char state; /* 0: the slot is free; else as in task_info */
	uint8_t priority;
	const char *name;
	struct context context;
	void *stack; /* its top; NULL for the idle task */
	void (*fn)(void *);
	void *arg;
	uint64_t deadline;	  /* in S and D */
	struct wait_queue *queue; /* in which it waits, or NULL */
	struct task *next;	  /* in that queue */
	bool woken;		  /* by task_wake(), not by the deadline */
	uint64_t waits_at;
	uint64_t ticks;
};

static struct task tasks[TASKS_MAX];
static struct task *current = &tasks[0];

void task_init(void)
{
	tasks[0] = (struct task){ .state = 'R', .priority = PRIORITY_IDLE, .name = "idle" };
}

/* The best task that can run; the current one only if there is no other of its kind. */
static struct task *choose(void)
{
	size_t at = (size_t)(current - tasks);
	struct task *best = NULL;

	for (size_t i = 1; i <= TASKS_MAX; i++) {
		struct task *task = &tasks[(at + i) % TASKS_MAX];

		if (task->state == 'R' && (!best || task->priority < best->priority))
			best = task;
	}
	return best; /* the idle task can always run */
}

static void switch_away(void)
{
	struct task *previous = current;

	current = choose();
	if (current != previous)
		context_switch(&previous->context, &current->context);
}

/* Where every task begins, and where it ends. */
static void run_task(void *arg)
{
	struct task *task = arg;

	irq_enable();
	task->fn(task->arg);
	irq_disable();
	task->state = 'Z';
	switch_away();
}

int task_create(const char *name, enum task_priority priority, void (*fn)(void *), void *arg)
{
	struct task *task = tasks;
	void *stack;
	int err;

	while (task < tasks + TASKS_MAX && task->state != 0)
		task++;
	if (task == tasks + TASKS_MAX)
		return -EAGAIN;
	err = stack_alloc(&stack);
	if (err)
		return err;
	*task = (struct task){
		.priority = (uint8_t)priority,
		.name = name,
		.stack = stack,
		.fn = fn,
		.arg = arg,
	};
	context_init(&task->context, stack, run_task, task);
	task->state = 'R';
	return 0;
}

void task_yield(void)
{
	uint64_t flags = irq_save();

	switch_away();
	irq_restore(flags);
}

void task_set_priority(enum task_priority priority)
{
	current->priority = (uint8_t)priority;
}

/* Takes the current task out of the running, until task_wake() or the deadline. */
static bool wait(struct wait_queue *queue, uint64_t deadline, char state, void *at)
{
	if (clock_ns() >= deadline)
		return false;
	if (current->priority == PRIORITY_IDLE) {
		/* At boot, before there is anybody else: the next interrupt will do. */
		cpu_idle();
		return true;
	}
	current->woken = false;
	current->state = state;
	current->deadline = deadline;
	current->waits_at = (uintptr_t)at;
	current->queue = queue;
	if (queue) {
		current->next = queue->first;
		queue->first = current;
	}
	switch_away();
	current->waits_at = 0;
	return current->woken;
}

bool task_wait(struct wait_queue *queue, uint64_t deadline)
{
	return wait(queue, deadline, 'S', __builtin_return_address(0));
}

bool task_wait_device(struct wait_queue *queue, uint64_t deadline)
{
	return wait(queue, deadline, 'D', __builtin_return_address(0));
}

void task_sleep_until(uint64_t deadline)
{
	uint64_t flags = irq_save();

	while (wait(NULL, deadline, 'S', __builtin_return_address(0)))
		;
	irq_restore(flags);
}

void task_wake(struct wait_queue *queue)
{
	uint64_t flags = irq_save();

	for (struct task *task = queue->first; task; task = task->next) {
		task->state = 'R';
		task->woken = true;
		task->queue = NULL;
	}
	queue->first = NULL;
	irq_restore(flags);
}

static void leave_queue(struct task *task)
{
	if (!task->queue)
		return;
	for (struct task **at = &task->queue->first; *at; at = &(*at)->next) {
		if (*at == task) {
			*at = task->next;
			break;
		}
	}
	task->queue = NULL;
}

void task_tick(void)
{
	uint64_t now = clock_ns();

	current->ticks++;
	for (struct task *task = tasks; task < tasks + TASKS_MAX; task++) {
		if ((task->state == 'S' || task->state == 'D') && task->deadline <= now) {
			leave_queue(task);
			task->state = 'R';
		}
	}
}

static void bury(void)
{
	for (struct task *task = tasks; task < tasks + TASKS_MAX; task++) {
		if (task->state == 'Z') {
			stack_free(task->stack);
			task->state = 0;
		}
	}
}

void task_idle(void)
{
	irq_disable();
	for (;;) {
		bury();
		if (choose() == current)
			cpu_idle();
		switch_away();
	}
}

void task_for_each(void (*fn)(const struct task_info *info))
{
	for (unsigned i = 0; i < TASKS_MAX; i++) {
		const struct task *task = &tasks[i];
		struct task_info info = {
			.id = i,
			.state = task->state,
			.priority = task->priority,
			.ticks = task->ticks,
			.name = task->name,
			.waits_at = task->waits_at,
		};

		if (task->state != 0)
			fn(&info);
	}
}
