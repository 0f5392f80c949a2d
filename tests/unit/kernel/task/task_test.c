/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * kernel/task/task.c: the scheduler, with real switches between stacks, by
 * ucontext. The test itself is the idle task; what tasks do is read from a trace.
 * Time stands still but while the processor idles: then it goes on by ticks.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <ucontext.h>

#include "arch/clock.h"
#include "arch/context.h"
#include "arch/cpu.h"
#include "arch/irq.h"
#include "kernel/task/task.h"
#include "mm/stack.h"

#define TICK_NS (NS_PER_S / TICK_HZ)
#define HOST_STACK_SIZE 65536
#define TASKS_MOST 31 /* beside the idle task */
#define CONTEXTS 80

/* ---- The machine ---- */

struct beginning {
	void (*fn)(void *);
	void *arg;
};

static struct host_context {
	ucontext_t host;
	struct beginning beginning;
} contexts[CONTEXTS];

static unsigned contexts_used;
static uint64_t now;
static uint64_t alarm;
static unsigned alarms_set;
static unsigned stacks;
static bool no_stacks;
static unsigned idles;
static void (*on_idle)(void); /* what interrupts do; NULL: there will be none any more */
static jmp_buf idle_for_good;

uint64_t clock_ns(void)
{
	return now;
}

void clock_set_alarm(uint64_t time)
{
	assert_int_equal(fake_irqs_off, 1);
	alarm = time;
	alarms_set++;
}

int stack_alloc(void **top)
{
	if (no_stacks)
		return -ENOMEM;
	stacks++;
	*top = (char *)malloc(HOST_STACK_SIZE) + HOST_STACK_SIZE;
	return 0;
}

void stack_free(void *top)
{
	stacks--;
	free((char *)top - HOST_STACK_SIZE);
}

static struct host_context *new_context(struct context *context)
{
	struct host_context *new = &contexts[contexts_used++];

	assert_true(contexts_used <= CONTEXTS);
	context->stack_pointer = (uintptr_t) new;
	return new;
}

static void begin(unsigned number)
{
	contexts[number].beginning.fn(contexts[number].beginning.arg);
	abort(); /* see arch/context.h: it never returns */
}

void context_init(struct context *context, void *top, void (*fn)(void *), void *arg)
{
	struct host_context *new = new_context(context);

	new->beginning = (struct beginning){ fn, arg };
	getcontext(&new->host);
	new->host.uc_stack.ss_sp = (char *)top - HOST_STACK_SIZE;
	new->host.uc_stack.ss_size = HOST_STACK_SIZE;
	makecontext(&new->host, (void (*)(void))begin, 1, (unsigned)(new - contexts));
}

void context_switch(struct context *from, struct context *to)
{
	struct host_context *left = (struct host_context *)(uintptr_t)from->stack_pointer;
	struct host_context *entered = (struct host_context *)(uintptr_t)to->stack_pointer;

	assert_int_equal(fake_irqs_off, 1);
	/* Who goes on alone does so at once. */
	assert_ptr_not_equal(from, to);
	swapcontext(&(left ? left : new_context(from))->host, &entered->host);
}

void cpu_idle(void)
{
	assert_int_equal(fake_irqs_off, 1);
	if (!on_idle)
		longjmp(idle_for_good, 1);
	idles++;
	on_idle();
}

static void tick(void)
{
	int irqs_off = fake_irqs_off;

	now += TICK_NS;
	fake_irqs_off = 1;
	task_alarm();
	fake_irqs_off = irqs_off;
}

/* ---- What tasks did ---- */

static char trace[256];

static void note(char what)
{
	size_t length = strlen(trace);

	assert_true(length + 1 < sizeof(trace));
	trace[length] = what;
}

static void assert_trace(const char *expect)
{
	assert_string_equal(trace, expect);
	memset(trace, 0, sizeof(trace));
}

/* Runs tasks until none can run. */
static void run(void)
{
	on_idle = NULL;
	if (!setjmp(idle_for_good))
		task_idle();
	fake_irqs_off = 0;
}

static unsigned ticks_left;

static void tick_and_stop(void)
{
	tick();
	if (--ticks_left == 0)
		on_idle = NULL;
}

/* Runs tasks until none can run, `ticks` ticks from now. */
static void run_for(unsigned ticks)
{
	ticks_left = ticks;
	on_idle = tick_and_stop;
	if (!setjmp(idle_for_good))
		task_idle();
	fake_irqs_off = 0;
}

static void create(const char *name, enum task_priority priority, void (*fn)(void *))
{
	assert_int_equal(task_create(name, priority, fn, (void *)(uintptr_t)name), 0);
}

static int set_up(void **state)
{
	(void)state;
	now = 0;
	task_init();
	alarm = DEADLINE_NEVER;
	alarms_set = 0;
	contexts_used = 0;
	idles = 0;
	no_stacks = false;
	memset(trace, 0, sizeof(trace));
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	return stacks == 0 && fake_irqs_off == 0 ? 0 : -1;
}

/* ---- Turns ---- */

static void note_name_thrice(void *arg)
{
	const char *name = arg;

	for (unsigned i = 0; i < 3; i++) {
		note(*name);
		task_yield();
		assert_int_equal(fake_irqs_off, 0);
	}
}

static void equals_take_turns(void **state)
{
	(void)state;
	create("a", TASK_PRIORITY_DRIVER, note_name_thrice);
	create("b", TASK_PRIORITY_DRIVER, note_name_thrice);
	create("c", TASK_PRIORITY_DRIVER, note_name_thrice);
	assert_trace("");
	run();
	assert_trace("abcabcabc");
}

static void the_smaller_priority_runs_first_whoever_was_there_before(void **state)
{
	(void)state;
	create("d", TASK_PRIORITY_DRIVER, note_name_thrice);
	create("s", TASK_PRIORITY_SHELL, note_name_thrice);
	create("e", TASK_PRIORITY_DRIVER, note_name_thrice);
	run();
	assert_trace("sssdedede");
}

static struct wait_queue bell;

static void answer_bell(void *arg)
{
	uint64_t flags = irq_save();

	for (unsigned i = 0; i < *(unsigned *)arg; i++) {
		task_wait(&bell, DEADLINE_NEVER);
		note('!');
	}
	irq_restore(flags);
}

static void ring_thrice(void *arg)
{
	for (unsigned i = 0; i < 3; i++) {
		note(*(const char *)arg);
		task_wake(&bell);
		task_yield();
	}
}

static void whoever_comes_between_does_not_change_whose_turn_it_is(void **state)
{
	unsigned rings = 6;

	(void)state;
	create("a", TASK_PRIORITY_DRIVER, ring_thrice);
	assert_int_equal(task_create("answer", TASK_PRIORITY_SHELL, answer_bell, &rings), 0);
	create("b", TASK_PRIORITY_DRIVER, ring_thrice);
	run();
	assert_trace("a!b!a!b!a!b!");
}

static void step_back(void *arg)
{
	(void)arg;
	note('1');
	task_set_priority(TASK_PRIORITY_DRIVER);
	note('2');
	task_yield();
	note('3');
}

static void a_new_priority_counts_from_the_next_yield(void **state)
{
	(void)state;
	create("step back", TASK_PRIORITY_SHELL, step_back);
	create("d", TASK_PRIORITY_DRIVER, note_name_thrice);
	run();
	assert_trace("12d3dd");
}

static void create_another(void *arg)
{
	(void)arg;
	note('<');
	create("n", TASK_PRIORITY_SHELL, note_name_thrice);
	note('>');
}

static void a_new_task_waits_for_its_turn(void **state)
{
	(void)state;
	create("parent", TASK_PRIORITY_DRIVER, create_another);
	run();
	assert_trace("<>nnn");
}

/* ---- Beginning and end ---- */

static void look_around(void *arg)
{
	*(int *)arg = fake_irqs_off ? 1 : 2;
}

static void a_task_gets_its_argument_and_interrupts(void **state)
{
	int seen = 0;

	(void)state;
	assert_int_equal(task_create("look", TASK_PRIORITY_SHELL, look_around, &seen), 0);
	run();
	assert_int_equal(seen, 2);
}

static void the_idle_task_frees_what_finished_tasks_had(void **state)
{
	(void)state;
	create("a", TASK_PRIORITY_SHELL, note_name_thrice);
	create("b", TASK_PRIORITY_SHELL, note_name_thrice);
	assert_int_equal(stacks, 2);
	run();
	assert_int_equal(stacks, 0);
}

/* The idle task never runs while another can. */
static void create_after_others_ended(void *arg)
{
	(void)arg;
	for (unsigned i = 0; i < 2 * TASKS_MOST; i++) {
		create("c", TASK_PRIORITY_SHELL, note_name_thrice);
		for (unsigned turns = 0; turns < 4; turns++)
			task_yield();
	}
}

static void a_busy_task_leaves_room_for_others_that_come_and_go(void **state)
{
	(void)state;
	create("b", TASK_PRIORITY_SHELL, create_after_others_ended);
	run();
	assert_int_equal(strlen(trace), 3 * 2 * TASKS_MOST);
	assert_int_equal(stacks, 0);
}

static void leave(void)
{
	note('x');
	task_exit();
}

static void end_in_a_call(void *arg)
{
	*(unsigned *)arg = task_id();
	note('<');
	leave();
	note('>');
}

static void a_task_can_end_in_the_midst_of_a_call(void **state)
{
	unsigned first = 0, second = 0;

	(void)state;
	assert_int_equal(task_create("a", TASK_PRIORITY_SHELL, end_in_a_call, &first), 0);
	assert_int_equal(task_create("b", TASK_PRIORITY_SHELL, end_in_a_call, &second), 0);
	run();
	assert_trace("<x<x");
	assert_int_equal(stacks, 0);
	assert_int_equal(first, 1);
	assert_int_equal(second, 2);
	assert_int_equal(task_id(), 0);
	/* Its number is free again. */
	assert_int_equal(task_create("c", TASK_PRIORITY_SHELL, end_in_a_call, &second), 0);
	run();
	assert_int_equal(second, 1);
	assert_trace("<x");
}

static unsigned tasks_seen;

static void count_task(const struct task_info *info)
{
	tasks_seen++;
	assert_non_null(info->name);
}

static void one_task_too_many_is_refused(void **state)
{
	(void)state;
	for (unsigned round = 0; round < 2; round++) {
		for (unsigned i = 0; i < TASKS_MOST; i++)
			create("a", TASK_PRIORITY_SHELL, note_name_thrice);
		assert_int_equal(task_create("b", TASK_PRIORITY_SHELL, note_name_thrice, NULL),
				 -EAGAIN);
		assert_int_equal(stacks, TASKS_MOST);
		tasks_seen = 0;
		task_for_each(count_task);
		assert_int_equal(tasks_seen, TASKS_MOST + 1);
		run();
		assert_int_equal(strlen(trace), 3 * TASKS_MOST);
		memset(trace, 0, sizeof(trace));
	}
}

static void a_task_without_a_stack_is_none(void **state)
{
	(void)state;
	no_stacks = true;
	assert_int_equal(task_create("a", TASK_PRIORITY_SHELL, note_name_thrice, NULL), -ENOMEM);
	tasks_seen = 0;
	task_for_each(count_task);
	assert_int_equal(tasks_seen, 1);
	run();
	assert_trace("");
}

/* ---- Waiting ---- */

static struct wait_queue queue, other;
static bool ready;

/* As the header shows it. Notes the answer: + woken, - the deadline. */
static void wait_for_ready(uint64_t deadline)
{
	uint64_t flags = irq_save();

	while (!ready && task_wait(&queue, deadline))
		assert_int_equal(fake_irqs_off, 1);
	assert_int_equal(fake_irqs_off, 1);
	irq_restore(flags);
	note(ready ? '+' : '-');
}

static void wait_five_ticks(void *arg)
{
	(void)arg;
	wait_for_ready(now + 5 * TICK_NS);
}

static void make_ready(void *arg)
{
	(void)arg;
	note('!');
	ready = true;
	task_wake(&queue);
}

static void a_wait_ends_at_its_deadline_and_not_before(void **state)
{
	(void)state;
	ready = false;
	create("waiter", TASK_PRIORITY_DRIVER, wait_five_ticks);
	run_for(4);
	assert_trace("");
	run_for(1);
	assert_trace("-");
	assert_int_equal(idles, 5);
	assert_int_equal(now, 5 * TICK_NS);
}

static void a_wake_up_ends_a_wait(void **state)
{
	(void)state;
	ready = false;
	create("waiter", TASK_PRIORITY_DRIVER, wait_five_ticks);
	run();
	create("waker", TASK_PRIORITY_DRIVER, make_ready);
	run();
	assert_trace("!+");
	assert_int_equal(now, 0);
}

static void wake_from_interrupt(void)
{
	on_idle = NULL;
	make_ready(NULL);
}

static void an_interrupt_may_wake(void **state)
{
	(void)state;
	ready = false;
	create("waiter", TASK_PRIORITY_DRIVER, wait_five_ticks);
	on_idle = wake_from_interrupt;
	if (!setjmp(idle_for_good))
		task_idle();
	fake_irqs_off = 0;
	assert_trace("!+");
}

static void what_came_before_the_wait_is_seen(void **state)
{
	(void)state;
	ready = false;
	create("waker", TASK_PRIORITY_DRIVER, make_ready);
	create("waiter", TASK_PRIORITY_DRIVER, wait_five_ticks);
	run();
	assert_trace("!+");
}

/* Without the look at `ready`. */
static void wait_blindly(void *arg)
{
	(void)arg;
	irq_disable();
	note(task_wait(&queue, 5 * TICK_NS) ? '+' : '-');
	irq_enable();
}

static void a_wake_up_is_not_kept_for_who_waits_later(void **state)
{
	(void)state;
	create("waker", TASK_PRIORITY_DRIVER, make_ready);
	create("waiter", TASK_PRIORITY_DRIVER, wait_blindly);
	run();
	assert_trace("!");
	run_for(5);
	assert_trace("-");
}

static void a_deadline_that_has_passed_is_no_wait(void **state)
{
	(void)state;
	now = 5 * TICK_NS;
	create("waiter", TASK_PRIORITY_DRIVER, wait_blindly);
	create("a", TASK_PRIORITY_DRIVER, note_name_thrice);
	run();
	assert_trace("-aaa");
}

static uintptr_t device_return, name_return, sleep_return; /* who called whom that waits */

static void wait_by_name(void *arg)
{
	const char *name = arg;
	uint64_t ticks = (uint64_t)(name[1] - '0');

	name_return = (uintptr_t)__builtin_return_address(0);
	irq_disable();
	if (task_wait(&queue, ticks * TICK_NS))
		note(*name);
	else
		note((char)(*name - 'a' + 'A'));
	irq_enable();
}

static void one_wake_up_wakes_all_who_wait(void **state)
{
	(void)state;
	create("a9", TASK_PRIORITY_DRIVER, wait_by_name);
	create("b9", TASK_PRIORITY_DRIVER, wait_by_name);
	create("c9", TASK_PRIORITY_DRIVER, wait_by_name);
	run();
	task_wake(&queue);
	run();
	assert_trace("abc");
}

/* The first, the last and one in the middle of the queue. After b it is c's turn. */
static void who_is_late_leaves_the_queue_to_the_others(void **state)
{
	static const char *const names[] = { "a9", "b9", "c9" };
	static const char *const late[] = { "a1", "b1", "c1" };
	static const char *const rest[] = { "bc", "ca", "ab" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		char expect[] = { (char)('A' + (char)i), '\0' };

		now = 0;
		for (size_t j = 0; j < ARRAY_SIZE(names); j++)
			create(i == j ? late[j] : names[j], TASK_PRIORITY_DRIVER, wait_by_name);
		run_for(2);
		assert_trace(expect);
		task_wake(&queue);
		run();
		assert_trace(rest[i]);
	}
}

static void wait_here_and_there(void *arg)
{
	(void)arg;
	irq_disable();
	note(task_wait(&queue, 1 * TICK_NS) ? '+' : '-');
	note(task_wait(&other, 9 * TICK_NS) ? '+' : '-');
	irq_enable();
}

static void who_left_a_queue_is_not_woken_by_it(void **state)
{
	(void)state;
	create("waiter", TASK_PRIORITY_DRIVER, wait_here_and_there);
	run_for(2);
	assert_trace("-");
	task_wake(&queue);
	run();
	assert_trace("");
	task_wake(&other);
	run();
	assert_trace("+");
}

static void each_wait_has_its_own_answer(void **state)
{
	(void)state;
	create("waiter", TASK_PRIORITY_DRIVER, wait_here_and_there);
	run();
	task_wake(&queue);
	run();
	assert_trace("+");
	run_for(9);
	assert_trace("-");
}

static void wait_for_a_device(void *arg)
{
	(void)arg;
	device_return = (uintptr_t)__builtin_return_address(0);
	irq_disable();
	note(task_wait_device(&queue, 9 * TICK_NS) ? '+' : '-');
	irq_enable();
}

static void a_silent_device_is_given_up_at_the_deadline(void **state)
{
	(void)state;
	create("device", TASK_PRIORITY_DRIVER, wait_for_a_device);
	run_for(8);
	assert_trace("");
	run_for(1);
	assert_trace("-");
}

static void sleep_three_ticks(void *arg)
{
	(void)arg;
	task_sleep_until(3 * TICK_NS);
	note('z');
}

static void a_sleep_ends_on_time(void **state)
{
	(void)state;
	create("sleeper", TASK_PRIORITY_DRIVER, sleep_three_ticks);
	run_for(2);
	assert_trace("");
	run_for(1);
	assert_trace("z");
}

static unsigned interrupts;

static void interrupt_without_news(void)
{
	interrupts++;
	tick();
}

static void before_there_are_tasks_waiting_is_idling(void **state)
{
	unsigned waits = 0;

	(void)state;
	interrupts = 0;
	on_idle = interrupt_without_news;
	irq_disable();
	while (task_wait(&queue, 3 * TICK_NS))
		waits++;
	irq_enable();
	assert_int_equal(waits, 3);
	assert_int_equal(interrupts, 3);
	task_sleep_until(5 * TICK_NS);
	assert_int_equal(interrupts, 5);
}

/* ---- The alarm ---- */

static void a_machine_without_deadlines_sleeps_for_good(void **state)
{
	(void)state;
	create("a", TASK_PRIORITY_DRIVER, note_name_thrice);
	run();
	assert_trace("aaa");
	assert_true(alarm == DEADLINE_NEVER);
}

static void an_idle_machine_sleeps_until_the_next_deadline(void **state)
{
	(void)state;
	create("a9", TASK_PRIORITY_DRIVER, wait_by_name);
	create("b7", TASK_PRIORITY_DRIVER, wait_by_name);
	create("c8", TASK_PRIORITY_DRIVER, wait_by_name);
	run();
	assert_int_equal(alarm, 7 * TICK_NS);
	/* One that rings too early, as any alarm may. */
	run_for(1);
	assert_int_equal(alarm, 7 * TICK_NS);
	run_for(6);
	assert_trace("B");
	assert_int_equal(alarm, 8 * TICK_NS);
	task_wake(&queue);
	run();
	assert_trace("ca");
}

static void sleep_a_little(void *arg)
{
	(void)arg;
	assert_int_equal(alarm, now + TICK_NS);
	irq_disable();
	task_wait(&queue, now + TICK_NS / 10);
	irq_enable();
}

static void note_alarm(void *arg)
{
	*(uint64_t *)arg = alarm;
}

/* While another task runs, too. */
static void a_near_deadline_is_not_left_to_the_tick(void **state)
{
	uint64_t seen = 0;

	(void)state;
	create("little", TASK_PRIORITY_SHELL, sleep_a_little);
	assert_int_equal(task_create("b", TASK_PRIORITY_DRIVER, note_alarm, &seen), 0);
	run();
	assert_int_equal(seen, TICK_NS / 10);
	task_wake(&queue);
	run();
}

static void wait_as_long(void *arg)
{
	unsigned *seen = arg;

	*seen = alarms_set;
	irq_disable();
	task_wait(&queue, TICK_NS / 10);
	irq_enable();
}

static void note_alarms_set(void *arg)
{
	unsigned *seen = arg;

	*seen = alarms_set - *seen;
}

static void for_the_same_deadline_the_alarm_is_set_once(void **state)
{
	unsigned seen = 0;

	(void)state;
	create("little", TASK_PRIORITY_SHELL, sleep_a_little);
	assert_int_equal(task_create("b", TASK_PRIORITY_DRIVER, wait_as_long, &seen), 0);
	assert_int_equal(task_create("c", TASK_PRIORITY_BACKGROUND, note_alarms_set, &seen), 0);
	run();
	assert_int_equal(seen, 0);
	task_wake(&queue);
	assert_int_equal(fake_irqs_off, 0);
	run();
}

static void tick_and_see(void *arg)
{
	(void)arg;
	for (unsigned i = 0; i < 3; i++) {
		assert_int_equal(alarm, now + TICK_NS);
		tick();
	}
}

static void a_task_that_runs_is_looked_at_every_tick(void **state)
{
	(void)state;
	create("busy", TASK_PRIORITY_DRIVER, tick_and_see);
	run();
	assert_int_equal(now, 3 * TICK_NS);
	assert_true(alarm == DEADLINE_NEVER);
}

static void (*on_wake)(void *);

static void wait_and_see(void *arg)
{
	irq_disable();
	task_wait(&queue, DEADLINE_NEVER);
	irq_enable();
	on_wake(arg);
}

static void sleep_long_and_wake(void)
{
	on_idle = NULL;
	now += 500 * TICK_NS;
	task_wake(&queue);
}

static void a_device_that_wakes_a_machine_starts_the_tick(void **state)
{
	(void)state;
	on_wake = tick_and_see;
	create("waiter", TASK_PRIORITY_DRIVER, wait_and_see);
	run();
	assert_true(alarm == DEADLINE_NEVER);
	on_idle = sleep_long_and_wake;
	if (!setjmp(idle_for_good))
		task_idle();
	fake_irqs_off = 0;
	assert_int_equal(now, 503 * TICK_NS);
	assert_true(alarm == DEADLINE_NEVER);
}

static void sleep_until_soon(void *arg)
{
	(void)arg;
	task_sleep_until(500 * TICK_NS + TICK_NS / 2);
}

static void a_deadline_before_the_next_tick_stays(void **state)
{
	uint64_t seen = 0;

	(void)state;
	on_wake = note_alarm;
	create("soon", TASK_PRIORITY_DRIVER, sleep_until_soon);
	assert_int_equal(task_create("waiter", TASK_PRIORITY_DRIVER, wait_and_see, &seen), 0);
	run();
	on_idle = sleep_long_and_wake;
	if (!setjmp(idle_for_good))
		task_idle();
	fake_irqs_off = 0;
	assert_int_equal(seen, 500 * TICK_NS + TICK_NS / 2);
	run_for(1);
}

static unsigned naps;

static void nap_and_wake(void)
{
	now += TICK_NS / 1000;
	task_wake(&queue);
}

static void nap_for_long(void *arg)
{
	(void)arg;
	irq_disable();
	while (naps-- > 0)
		task_wait(&queue, DEADLINE_NEVER);
	on_idle = NULL;
	irq_enable();
}

/* A device that answers fast: the alarm is set now and then, and not at each answer. */
static void naps_do_not_set_the_alarm_each_time(void **state)
{
	(void)state;
	naps = 900;
	create("napper", TASK_PRIORITY_DRIVER, nap_for_long);
	on_idle = nap_and_wake;
	if (!setjmp(idle_for_good))
		task_idle();
	fake_irqs_off = 0;
	assert_int_equal(idles, 900);
	assert_in_range(alarms_set, 1, 20);
}

/* ---- What `ps` shows ---- */

static struct task_info infos[TASKS_MOST + 1];
static size_t info_count;

static void keep_info(const struct task_info *info)
{
	infos[info_count++] = *info;
}

static void states_are_told_by_task_id(void **state)
{
	(void)state;
	create("a9", TASK_PRIORITY_DRIVER, wait_by_name);
	create("device", TASK_PRIORITY_SHELL, wait_for_a_device);
	run_for(2);
	create("new", TASK_PRIORITY_DRIVER, note_name_thrice);
	info_count = 0;
	task_for_each(keep_info);
	assert_int_equal(info_count, 4);
	for (unsigned i = 0; i < info_count; i++)
		assert_int_equal(infos[i].id, i);
	assert_string_equal(infos[0].name, "idle");
	assert_int_equal(infos[0].state, 'R');
	assert_int_equal(infos[0].priority, 255);
	assert_int_equal(infos[0].jiffies, 2);
	assert_int_equal(infos[1].state, 'S');
	assert_int_not_equal(infos[1].waits_at, 0);
	assert_int_not_equal(infos[1].waits_at, name_return);
	assert_int_equal(infos[1].priority, TASK_PRIORITY_DRIVER);
	assert_string_equal(infos[2].name, "device");
	assert_int_equal(infos[2].state, 'D');
	assert_int_not_equal(infos[2].waits_at, 0);
	assert_int_not_equal(infos[2].waits_at, device_return);
	assert_int_equal(infos[2].priority, TASK_PRIORITY_SHELL);
	assert_int_equal(infos[3].state, 'R');
	assert_int_equal(infos[3].waits_at, 0);
	task_wake(&queue);
	run();
	assert_trace("+nann");
}

static void __attribute__((noinline)) sleep_here(void)
{
	sleep_return = (uintptr_t)__builtin_return_address(0);
	task_sleep_until(9 * TICK_NS);
	note('z');
}

static void sleep_in_a_call(void *arg)
{
	(void)arg;
	sleep_here();
}

/* The place is where it sleeps, not who called that. */
static void where_a_task_sleeps_is_told(void **state)
{
	(void)state;
	create("sleeper", TASK_PRIORITY_DRIVER, sleep_in_a_call);
	run_for(1);
	info_count = 0;
	task_for_each(keep_info);
	assert_int_equal(infos[1].state, 'S');
	assert_int_not_equal(infos[1].waits_at, 0);
	assert_int_not_equal(infos[1].waits_at, sleep_return);
	run_for(8);
	assert_trace("z");
}

static void look_after_a_wait(void *arg)
{
	(void)arg;
	task_sleep_until(TICK_NS);
	info_count = 0;
	task_for_each(keep_info);
}

static void who_runs_again_waits_nowhere(void **state)
{
	(void)state;
	create("look", TASK_PRIORITY_DRIVER, look_after_a_wait);
	run_for(1);
	assert_int_equal(info_count, 2);
	assert_int_equal(infos[1].state, 'R');
	assert_int_equal(infos[1].waits_at, 0);
}

static void end_at_once(void *arg)
{
	(void)arg;
	tick();
	tick();
}

static void look_at_others(void *arg)
{
	(void)arg;
	info_count = 0;
	task_for_each(keep_info);
}

static void time_counts_for_the_task_that_runs_and_its_end_is_seen(void **state)
{
	(void)state;
	create("busy", TASK_PRIORITY_DRIVER, end_at_once);
	create("look", TASK_PRIORITY_DRIVER, look_at_others);
	run();
	assert_int_equal(info_count, 3);
	assert_int_equal(infos[0].jiffies, 0);
	assert_int_equal(infos[1].state, 'Z');
	assert_int_equal(infos[1].jiffies, 2);
	assert_int_equal(infos[2].jiffies, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(equals_take_turns),
		TEST(the_smaller_priority_runs_first_whoever_was_there_before),
		TEST(whoever_comes_between_does_not_change_whose_turn_it_is),
		TEST(a_new_priority_counts_from_the_next_yield),
		TEST(a_new_task_waits_for_its_turn),
		TEST(a_task_gets_its_argument_and_interrupts),
		TEST(the_idle_task_frees_what_finished_tasks_had),
		TEST(a_task_can_end_in_the_midst_of_a_call),
		TEST(a_busy_task_leaves_room_for_others_that_come_and_go),
		TEST(one_task_too_many_is_refused),
		TEST(a_task_without_a_stack_is_none),
		TEST(a_wait_ends_at_its_deadline_and_not_before),
		TEST(a_wake_up_ends_a_wait),
		TEST(an_interrupt_may_wake),
		TEST(what_came_before_the_wait_is_seen),
		TEST(a_wake_up_is_not_kept_for_who_waits_later),
		TEST(a_deadline_that_has_passed_is_no_wait),
		TEST(one_wake_up_wakes_all_who_wait),
		TEST(who_is_late_leaves_the_queue_to_the_others),
		TEST(who_left_a_queue_is_not_woken_by_it),
		TEST(each_wait_has_its_own_answer),
		TEST(a_silent_device_is_given_up_at_the_deadline),
		TEST(a_sleep_ends_on_time),
		TEST(before_there_are_tasks_waiting_is_idling),
		TEST(a_machine_without_deadlines_sleeps_for_good),
		TEST(an_idle_machine_sleeps_until_the_next_deadline),
		TEST(a_near_deadline_is_not_left_to_the_tick),
		TEST(a_task_that_runs_is_looked_at_every_tick),
		TEST(a_device_that_wakes_a_machine_starts_the_tick),
		TEST(for_the_same_deadline_the_alarm_is_set_once),
		TEST(a_deadline_before_the_next_tick_stays),
		TEST(naps_do_not_set_the_alarm_each_time),
		TEST(where_a_task_sleeps_is_told),
		TEST(states_are_told_by_task_id),
		TEST(who_runs_again_waits_nowhere),
		TEST(time_counts_for_the_task_that_runs_and_its_end_is_seen),
	};

	return cmocka_run_group_tests_name("task", tests, NULL, NULL);
}
