/* SPDX-License-Identifier: BSD-2-Clause */
/* Time and waiting for host tests; see sim_time.h. */
#include "tests/sim/sim_time.h"

#include <stdio.h>
#include <stdlib.h>

#include "arch/clock.h"
#include "kernel/lib/elapsed.h"

void (*sim_time_on_wait)(void);
void (*sim_time_on_look)(void);
uint64_t sim_time_step_ns;
uint64_t sim_time_looks;
uint64_t sim_time_waits;
uint64_t sim_time_device_waits;
uint64_t sim_time_wakes;
uint64_t sim_time_slept_ns;

static uint64_t counter_ns;
static struct elapsed elapsed;
static struct wait_queue *waited_for;
static bool woken;

void sim_time_reset(void)
{
	counter_ns = 0;
	elapsed_begin(&elapsed, 0);
	sim_time_step_ns = 1000;
	sim_time_on_wait = NULL;
	sim_time_on_look = NULL;
	sim_time_looks = 0;
	sim_time_waits = 0;
	sim_time_device_waits = 0;
	sim_time_wakes = 0;
	sim_time_slept_ns = 0;
	waited_for = NULL;
	woken = false;
}

void sim_time_advance(uint64_t ns)
{
	while (ns > 0) {
		uint64_t step = min_u64(ns, CLOCK_AWAKE_STEP_NS);

		counter_ns += step;
		elapsed_look(&elapsed, counter_ns, CLOCK_AWAKE_STEP_NS);
		ns -= step;
	}
}

void sim_time_jump(int64_t ns)
{
	counter_ns += (uint64_t)ns;
}

static void look(void)
{
	sim_time_looks++;
	if (sim_time_on_look)
		sim_time_on_look();
	counter_ns += sim_time_step_ns;
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

uint64_t clock_jiffies(void)
{
	return elapsed.ns / (NS_PER_S / TICK_HZ);
}

static void let_world_run(void)
{
	sim_time_waits++;
	if (sim_time_on_wait)
		sim_time_on_wait();
}

static void move_to(uint64_t deadline)
{
	if (deadline == DEADLINE_NEVER) {
		fprintf(stderr, "sim_time: a wait that nothing ends\n");
		abort();
	}
	if (deadline <= elapsed.ns)
		return;
	counter_ns += deadline - elapsed.ns;
	sim_time_slept_ns += deadline - elapsed.ns;
}

void task_yield(void)
{
	let_world_run();
}

void task_sleep_until(uint64_t deadline)
{
	let_world_run();
	move_to(deadline);
}

bool task_wait(struct wait_queue *queue, uint64_t deadline)
{
	waited_for = queue;
	woken = false;
	let_world_run();
	waited_for = NULL;
	if (woken)
		return true;
	move_to(deadline);
	return false;
}

void task_wake(struct wait_queue *queue)
{
	sim_time_wakes++;
	if (queue == waited_for)
		woken = true;
}

bool task_wait_device(struct wait_queue *queue, uint64_t deadline)
{
	sim_time_device_waits++;
	return task_wait(queue, deadline);
}
