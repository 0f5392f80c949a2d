/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A kernel in a process: see foreign_kernel.h. One mutex is the processor. A task
 * is a thread that holds it and lets go of it only where it waits; an interrupt
 * is a device's thread that gets hold of it.
 */
#include "tests/porting/foreign_kernel.h"

#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>

#include "arch/clock.h"
#include "arch/irq.h"
#include "arch/paging.h"
#include "kernel/lib/elapsed.h"
#include "kernel/lib/log.h"
#include "kernel/lib/panic.h"
#include "tests/porting/toy_balloon.h"

char *pool;

/* ---- The log, and the end ---- */

static void say(const char *what, const char *fmt, va_list args)
{
	printf("%s", what);
	vprintf(fmt, args);
	printf("\n");
}

void log_info(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	say("log: ", fmt, args);
	va_end(args);
}

void log_warn(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	say("log: warning: ", fmt, args);
	va_end(args);
}

void log_debug(const char *fmt, ...)
{
	(void)fmt;
}

void panic(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	say("panic: ", fmt, args);
	va_end(args);
	fflush(stdout);
	abort();
}

/* ---- Time ---- */

static uint64_t start_ns;

static uint64_t monotonic_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec;
}

uint64_t clock_ns(void)
{
	return monotonic_ns() - start_ns;
}

uint64_t clock_awake_ns(void)
{
	static struct elapsed elapsed;

	elapsed_look(&elapsed, clock_ns(), CLOCK_AWAKE_STEP_NS);
	return elapsed.awake_ns;
}

/* ---- Tasks ---- */

static pthread_mutex_t processor = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t wakeups;

/* One that waits; it lies on that thread's stack. */
struct task {
	struct task *next; /* of its queue */
	bool woken;
};

struct start {
	void (*fn)(void *);
	void *arg;
};

static void *run_task(void *arg)
{
	struct start start = *(struct start *)arg;

	free(arg);
	pthread_mutex_lock(&processor);
	start.fn(start.arg);
	pthread_mutex_unlock(&processor);
	return NULL;
}

int task_create(const char *name, enum task_priority priority, void (*fn)(void *), void *arg)
{
	struct start *start = malloc(sizeof(*start));
	pthread_t thread;

	(void)name, (void)priority;
	if (!start)
		return -ENOMEM;
	*start = (struct start){ .fn = fn, .arg = arg };
	if (pthread_create(&thread, NULL, run_task, start)) {
		free(start);
		return -EAGAIN;
	}
	pthread_detach(thread);
	return 0;
}

/* Lets go of the processor until something was woken, or the deadline. False: that has passed. */
static bool wait_until(uint64_t deadline)
{
	uint64_t at = start_ns + deadline;
	struct timespec end = { .tv_sec = (time_t)(at / NS_PER_S),
				.tv_nsec = (long)(at % NS_PER_S) };

	if (deadline == DEADLINE_NEVER)
		return pthread_cond_wait(&wakeups, &processor) == 0;
	return pthread_cond_timedwait(&wakeups, &processor, &end) != ETIMEDOUT;
}

static void leave_queue(struct wait_queue *queue, const struct task *task)
{
	for (struct task **at = &queue->first; *at; at = &(*at)->next) {
		if (*at == task) {
			*at = task->next;
			return;
		}
	}
}

bool task_wait(struct wait_queue *queue, uint64_t deadline)
{
	struct task self = { .next = queue->first };

	queue->first = &self;
	while (!self.woken && wait_until(deadline))
		;
	if (!self.woken)
		leave_queue(queue, &self);
	return self.woken;
}

bool task_wait_device(struct wait_queue *queue, uint64_t deadline)
{
	return task_wait(queue, deadline);
}

void task_wake(struct wait_queue *queue)
{
	for (struct task *task = queue->first; task; task = task->next)
		task->woken = true;
	queue->first = NULL;
	pthread_cond_broadcast(&wakeups);
}

void task_sleep_until(uint64_t deadline)
{
	while (wait_until(deadline))
		;
}

void task_yield(void)
{
	pthread_mutex_unlock(&processor);
	sched_yield();
	pthread_mutex_lock(&processor);
}

/* ---- Interrupts, registers ---- */

static struct irq_handler *handlers[16];

int irq_register_gsi(uint32_t gsi, bool level, struct irq_handler *handler)
{
	(void)level;
	if (gsi >= ARRAY_SIZE(handlers) || handlers[gsi])
		return -ENOSPC;
	handlers[gsi] = handler;
	return 0;
}

void irq_unregister_gsi(uint32_t gsi, struct irq_handler *handler)
{
	if (handlers[gsi] == handler)
		handlers[gsi] = NULL;
}

void kernel_interrupt(uint32_t gsi)
{
	pthread_mutex_lock(&processor);
	if (handlers[gsi])
		handlers[gsi]->handle(handlers[gsi]);
	pthread_mutex_unlock(&processor);
}

int paging_map_device(paddr_t paddr, uint64_t size, void **window)
{
	if (paddr != TOY_PADDR || size > TOY_SIZE)
		return -EINVAL;
	*window = toy_window;
	return 0;
}

/* ---- The start ---- */

void kernel_start(void)
{
	pthread_condattr_t attributes;

	start_ns = monotonic_ns();
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&wakeups, &attributes);
	pool = mmap(NULL, POOL_FRAMES * FRAME_SIZE, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (pool == MAP_FAILED)
		panic("no memory for the pool");
	pthread_mutex_lock(&processor);
}
