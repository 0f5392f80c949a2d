/* SPDX-License-Identifier: BSD-2-Clause */
/* Time and waiting for host tests; see sim_time.h. */
#include "tests/sim/sim_time.h"

#include <stdio.h>
#include <stdlib.h>

#include "arch/clock.h"

void (*sim_time_on_wait)(void);
uint64_t sim_time_step_ns;
uint64_t sim_time_waits;
uint64_t sim_time_wakes;

static uint64_t now;
static struct wait_queue *waited_for;
static bool woken;

void sim_time_reset(void)
{
	now = 0;
	sim_time_step_ns = 100;
	sim_time_on_wait = NULL;
	sim_time_waits = 0;
	sim_time_wakes = 0;
	waited_for = NULL;
	woken = false;
}

void sim_time_advance(uint64_t ns)
{
	now += ns;
}

uint64_t clock_ns(void)
{
	now += sim_time_step_ns;
	return now;
}

uint64_t clock_jiffies(void)
{
	return now / (NS_PER_S / TICK_HZ);
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
	if (deadline > now)
		now = deadline;
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
	return task_wait(queue, deadline);
}
