/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Cooperative tasks. A task gives up the machine in switch_away() and nowhere
 * else. Of the tasks that can run, one with the smallest priority goes on: the
 * next in the table after the current one, so that equals take turns. The table
 * is small and is simply searched.
 *
 * All of this happens with interrupts off, as interrupts wake tasks.
 *
 * While a task runs, task_alarm() is called at least every tick. A processor that idles
 * sleeps until the next deadline.
 */
#include "kernel/task/task.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "arch/clock.h"
#include "arch/context.h"
#include "arch/cpu.h"
#include "arch/irq.h"
#include "kernel/lib/panic.h"
#include "mm/stack.h"

#define TASKS_MAX 32
#define PRIORITY_IDLE 255
#define TICK_NS (NS_PER_S / TICK_HZ)

/* Setting the alarm costs about what waking up for nothing does, if it is done so often. */
#define PUT_OFF_MAX 4

_Static_assert(TASKS_MAX - 1 <= STACKS_MAX, "every task but the idle one has a stack");
_Static_assert(TASK_PRIORITY_BACKGROUND < PRIORITY_IDLE, "the idle task runs last");
_Static_assert(TASKS_MAX <= UINT8_MAX + 1, "last_of");

struct task {
	char state; /* 0: the slot is free; others: see struct task_info */
	uint8_t priority;
	const char *name;
	struct context context;
	void *stack; /* its top; NULL for the idle task */
	void (*fn)(void *);
	void *arg;
	uint64_t deadline;	  /* in S and D */
	struct wait_queue *queue; /* where it waits, or NULL */
	struct task *next;	  /* in that queue */
	bool woken;		  /* by task_wake() rather than by the deadline */
	uint64_t waits_at;
	uint64_t ran_ns;
};

static struct task tasks[TASKS_MAX];
static struct task *current = &tasks[0];
static uint8_t last_of[PRIORITY_IDLE + 1]; /* of each priority, the task that ran last */
static uint64_t current_since;		   /* when it began to run, or was last accounted for */

static uint64_t alarm = DEADLINE_NEVER; /* when task_alarm() is to be called next */
static unsigned put_offs;		/* of the tick, since one came or the halt was long */

void task_init(void)
{
	memset(tasks, 0, sizeof(tasks));
	memset(last_of, 0, sizeof(last_of));
	current = &tasks[0];
	current_since = clock_ns();
	alarm = DEADLINE_NEVER;
	tasks[0] = (struct task){ .state = 'R', .priority = PRIORITY_IDLE, .name = "idle" };
}

static bool interrupts_are_off(void)
{
	return !irq_flags_enabled(irq_save());
}

/*
 * The task that is to run next: of the best priority, the one after that which ran last, whoever of
 * another priority ran since.
 */
static struct task *choose(void)
{
	unsigned best = PRIORITY_IDLE;
	size_t last;

	for (const struct task *task = tasks; task < tasks + TASKS_MAX; task++)
		if (task->state == 'R')
			best = (unsigned)min_u64(best, task->priority);
	last = last_of[best];
	for (size_t i = 1; i <= TASKS_MAX; i++) {
		struct task *task = &tasks[(last + i) % TASKS_MAX];

		if (task->state == 'R' && task->priority == best)
			return task;
	}
	/* The idle task can always run. */
	assert(false);
	return NULL;
}

/* Counts the time since the last call as the current task's. */
static void account(void)
{
	uint64_t now = clock_ns();

	current->ran_ns += now - current_since;
	current_since = now;
}

/* Lets another task run; returns when this one is chosen again. */
static void switch_away(void)
{
	struct task *previous = current;
	struct task *next = choose();

	if (next == previous)
		return;
	account();
	current = next;
	last_of[next->priority] = (uint8_t)(next - tasks);
	context_switch(&previous->context, &next->context);
}

static void set_alarm(uint64_t at)
{
	alarm = at;
	clock_set_alarm(at);
}

/* The first moment at which a task is to be woken. */
static uint64_t next_deadline(void)
{
	uint64_t next = DEADLINE_NEVER;

	for (const struct task *task = tasks; task < tasks + TASKS_MAX; task++) {
		if (task->state == 'S' || task->state == 'D')
			next = min_u64(next, task->deadline);
	}
	return next;
}

void task_exit(void)
{
	assert(current != &tasks[0]);
	irq_disable();
	current->state = 'Z';
	switch_away();
	/* Nobody runs a task that has ended. */
	panic("task %u runs on after its end", task_id());
}

unsigned task_id(void)
{
	return (unsigned)(current - tasks);
}

/* The life of a task, on its own stack. */
static void run_task(void *arg)
{
	struct task *task = arg;

	assert(task == current && task->state == 'R');
	irq_enable();
	task->fn(task->arg);
	task_exit();
}

/* Frees the stacks and slots of tasks that have ended. */
static void bury(void)
{
	for (struct task *task = tasks; task < tasks + TASKS_MAX; task++) {
		if (task->state == 'Z') {
			assert(task->stack && task != current);
			stack_free(task->stack);
			task->state = 0;
		}
	}
}

int task_create(const char *name, enum task_priority priority, void (*fn)(void *), void *arg)
{
	struct task *task = tasks;
	void *stack;
	int err;

	assert(name && fn);
	/* The idle task may not have run for long. */
	bury();
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
	assert(priority <= TASK_PRIORITY_BACKGROUND);
	assert(current->priority != PRIORITY_IDLE);
	current->priority = (uint8_t)priority;
	last_of[priority] = (uint8_t)(current - tasks);
}

/*
 * Stops the current task until task_wake() or the deadline; `at` is the caller's
 * address, for `ps`. Returns whether it was task_wake().
 */
static bool wait(struct wait_queue *queue, uint64_t deadline, char state, void *at)
{
	/* Or a wake-up between the caller's last look and this would be lost. */
	assert(interrupts_are_off());
	if (clock_ns() >= deadline)
		return false;
	if (deadline < alarm)
		set_alarm(deadline);
	if (current->priority == PRIORITY_IDLE) {
		/* At boot, before there are other tasks: any interrupt may be the one. */
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
		assert(task->queue == queue && (task->state == 'S' || task->state == 'D'));
		task->state = 'R';
		task->woken = true;
		task->queue = NULL;
	}
	queue->first = NULL;
	irq_restore(flags);
}

/* Takes a task, whose deadline has passed, out of the queue in which it waits, if any. */
static void leave_queue(struct task *task)
{
	struct task **at;

	if (!task->queue)
		return;
	at = &task->queue->first;
	while (*at && *at != task)
		at = &(*at)->next;
	assert(*at);
	*at = task->next;
	task->queue = NULL;
}

void task_alarm(void)
{
	uint64_t now = clock_ns();

	for (struct task *task = tasks; task < tasks + TASKS_MAX; task++) {
		if ((task->state == 'S' || task->state == 'D') && task->deadline <= now) {
			leave_queue(task);
			task->state = 'R';
		}
	}
	put_offs = 0;
	set_alarm(min_u64(now + TICK_NS, next_deadline()));
}

/*
 * Halts until an interrupt. The tick that the last busy time left is put off, unless
 * busy times are short and follow each other fast: then it may come, once.
 */
static void halt(void)
{
	uint64_t start = clock_ns(), next = next_deadline(), end;

	if (next > alarm && put_offs < PUT_OFF_MAX) {
		put_offs++;
		set_alarm(next);
	}
	cpu_idle();
	end = clock_ns();
	if (end - start >= TICK_NS)
		put_offs = 0;
	if (choose() != current && alarm > end + TICK_NS)
		set_alarm(end + TICK_NS);
}

void task_idle(void)
{
	assert(current == &tasks[0] && current->priority == PRIORITY_IDLE);
	irq_disable();
	set_alarm(min_u64(clock_ns() + TICK_NS, next_deadline()));
	for (;;) {
		bury();
		if (choose() == current)
			halt();
		switch_away();
	}
}

void task_for_each(void (*fn)(const struct task_info *info))
{
	uint64_t flags = irq_save();

	account();
	irq_restore(flags);
	for (unsigned i = 0; i < TASKS_MAX; i++) {
		const struct task *task = &tasks[i];
		struct task_info info = {
			.id = i,
			.state = task->state,
			.priority = task->priority,
			.jiffies = task->ran_ns / TICK_NS,
			.name = task->name,
			.waits_at = task->waits_at,
		};

		if (task->state != 0)
			fn(&info);
	}
}
