/* SPDX-License-Identifier: BSD-2-Clause */
/* Real tasks for host tests; see sim_tasks.h. */
#include "tests/sim/sim_tasks.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <ucontext.h>

#include "arch/clock.h"
#include "arch/context.h"
#include "arch/cpu.h"
#include "arch/irq.h"
#include "kernel/lib/elapsed.h"
#include "kernel/lib/panic.h"
#include "mm/stack.h"

#define HOST_STACK_SIZE (64 * 1024)

/* The world is not infinitely fast. */
#define TURN_NS (10 * NS_PER_US)

/* The first thing on a task's stack, from its low end. */
struct host_task {
	ucontext_t context;
	void (*fn)(void *);
	void *arg;
};

bool (*sim_tasks_world)(void);
uint64_t sim_tasks_idle_ns;
uint64_t sim_tasks_alarms, sim_tasks_turns;
uint64_t sim_tasks_step_ns;
int sim_tasks_stack_err;

static ucontext_t idle;
static struct elapsed elapsed;
static uint64_t counter_ns;
static uint64_t alarm;
static unsigned stacks;
static jmp_buf back;
static bool finished, runs;

static void complain(const char *what)
{
	fprintf(stderr, "sim_tasks: %s\n", what);
	abort();
}

/* Unless the program has another. */
__attribute__((weak)) void panic(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vfprintf(stderr, fmt, args);
	va_end(args);
	abort();
}

/* ---- Time ---- */

static void look(void)
{
	counter_ns += sim_tasks_step_ns;
	elapsed_look(&elapsed, counter_ns, CLOCK_AWAKE_STEP_NS);
}

uint64_t clock_ns(void)
{
	look();
	return elapsed.ns;
}

uint64_t clock_awake_ns(void)
{
	look();
	return elapsed.awake_ns;
}

void clock_set_alarm(uint64_t time)
{
	alarm = time;
}

void sim_tasks_jump(uint64_t ns)
{
	counter_ns += ns;
}

static void idle_for(uint64_t ns)
{
	counter_ns += ns;
	sim_tasks_idle_ns += ns;
}

static void let_time_pass(void)
{
	uint64_t now = clock_ns();

	if (sim_tasks_world && sim_tasks_world()) {
		sim_tasks_turns++;
		idle_for(TURN_NS);
	} else if (alarm == DEADLINE_NEVER) {
		complain("a wait that nothing ends");
	} else if (alarm > now) {
		idle_for(alarm - now);
	}
	if (alarm > clock_ns())
		return;
	sim_tasks_alarms++;
	task_alarm();
}

/* ---- Stacks, and switches between them ---- */

int stack_alloc(void **top)
{
	char *stack;

	if (sim_tasks_stack_err)
		return sim_tasks_stack_err;
	stack = malloc(HOST_STACK_SIZE);
	if (!stack)
		complain("no memory");
	stacks++;
	*top = stack + HOST_STACK_SIZE;
	return 0;
}

void stack_free(void *top)
{
	stacks--;
	free((char *)top - HOST_STACK_SIZE);
}

static void begin(unsigned high, unsigned low)
{
	struct host_task *task = (struct host_task *)((uintptr_t)high << 32 | low);

	task->fn(task->arg);
	complain("a task's first function returned");
}

void context_init(struct context *context, void *top, void (*fn)(void *), void *arg)
{
	struct host_task *task = (void *)((char *)top - HOST_STACK_SIZE);
	uint64_t address = (uintptr_t)task;

	task->fn = fn;
	task->arg = arg;
	getcontext(&task->context);
	task->context.uc_stack.ss_sp = task + 1;
	task->context.uc_stack.ss_size = HOST_STACK_SIZE - sizeof(*task);
	makecontext(&task->context, (void (*)(void))begin, 2, (unsigned)(address >> 32),
		    (unsigned)address);
	context->stack_pointer = address;
}

/* The idle task has no stack of its own. */
static ucontext_t *host_context(const struct context *context)
{
	struct host_task *task = (struct host_task *)(uintptr_t)context->stack_pointer;

	return task ? &task->context : &idle;
}

void context_switch(struct context *from, struct context *to)
{
	if (!fake_irqs_off)
		complain("a switch with interrupts on");
	swapcontext(host_context(from), host_context(to));
}

/* ---- Running them ---- */

void cpu_idle(void)
{
	if (!fake_irqs_off)
		complain("the processor idles with interrupts on");
	if (finished)
		longjmp(back, 1);
	let_time_pass();
}

void sim_tasks_reset(void)
{
	if (stacks > 0)
		complain("a task is left from before");
	task_init();
	fake_irqs_off = 0;
	counter_ns = 0;
	elapsed_begin(&elapsed, 0);
	alarm = DEADLINE_NEVER;
	sim_tasks_world = NULL;
	sim_tasks_idle_ns = sim_tasks_alarms = sim_tasks_turns = 0;
	sim_tasks_step_ns = 0;
	sim_tasks_stack_err = 0;
}

void sim_tasks_add(const char *name, void (*fn)(void *), void *arg)
{
	if (task_create(name, TASK_PRIORITY_DRIVER, fn, arg))
		complain("there are too many tasks");
}

static struct {
	void (*fn)(void *);
	void *arg;
} last;

static void run_last(void *arg)
{
	(void)arg;
	last.fn(last.arg);
	finished = true;
}

void sim_tasks_run(void (*fn)(void *), void *arg)
{
	last.fn = fn;
	last.arg = arg;
	finished = false;
	sim_tasks_add("test", run_last, NULL);
	runs = true;
	if (!setjmp(back))
		task_idle();
	runs = false;
	fake_irqs_off = 0;
}

bool sim_tasks_abandoned(void)
{
	return runs;
}

unsigned sim_tasks_left(void)
{
	return stacks;
}
