/* SPDX-License-Identifier: BSD-2-Clause */
/* Waiting for what happens once: before, meanwhile, never, and while the guest is stopped. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "arch/clock.h"
#include "arch/irq.h"
#include "tests/sim/sim_tasks.h"

#define MOST_NS (100 * NS_PER_MS)

static struct wait_queue queue;
static bool happened;
static uint64_t happens_ns, stop_ns; /* after so long it does; and so long is a stop before */
static uint64_t waited_ns, waited_awake_ns;

static void let_it_happen(void *arg)
{
	(void)arg;
	task_sleep_until(clock_ns() + happens_ns);
	happened = true;
	task_wake(&queue);
}

static void wake_for_nothing(void *arg)
{
	(void)arg;
	task_wake(&queue);
	task_yield();
	task_wake(&queue);
}

static void await(void *arg)
{
	uint64_t begin_awake = clock_awake_ns(), begin = clock_ns();

	(void)arg;
	if (happens_ns > 0)
		sim_tasks_add("other", let_it_happen, NULL);
	sim_tasks_add("noise", wake_for_nothing, NULL);
	sim_tasks_jump(stop_ns);
	task_await(&queue, &happened, MOST_NS);
	waited_ns = clock_ns() - begin;
	waited_awake_ns = clock_awake_ns() - begin_awake;
	assert_false(fake_irqs_off);
}

static int set_up(void **state)
{
	(void)state;
	sim_tasks_reset();
	sim_tasks_world = NULL;
	happened = false;
	happens_ns = stop_ns = 0;
	return 0;
}

static void what_has_happened_is_not_waited_for(void **state)
{
	(void)state;
	happened = true;
	sim_tasks_run(await, NULL);
	assert_int_equal(waited_ns, 0);
}

static void the_wait_ends_when_it_happens(void **state)
{
	(void)state;
	/* Between two of the looks that it takes by itself. */
	happens_ns = MOST_NS / 2 + 1;
	sim_tasks_run(await, NULL);
	assert_true(happened);
	assert_int_equal(waited_ns, MOST_NS / 2 + 1);
}

static void what_never_happens_is_waited_for_so_long(void **state)
{
	(void)state;
	sim_tasks_run(await, NULL);
	assert_in_range(waited_ns, MOST_NS, MOST_NS + CLOCK_AWAKE_STEP_NS);
}

/* Of the stop only a step counts. */
static void a_stop_does_not_end_the_wait(void **state)
{
	(void)state;
	stop_ns = 10 * MOST_NS;
	sim_tasks_run(await, NULL);
	assert_in_range(waited_awake_ns, MOST_NS, MOST_NS + CLOCK_AWAKE_STEP_NS);
	assert_true(waited_ns >= 10 * MOST_NS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(what_has_happened_is_not_waited_for, set_up),
		cmocka_unit_test_setup(the_wait_ends_when_it_happens, set_up),
		cmocka_unit_test_setup(what_never_happens_is_waited_for_so_long, set_up),
		cmocka_unit_test_setup(a_stop_does_not_end_the_wait, set_up),
	};

	return cmocka_run_group_tests_name("task_await", tests, NULL, NULL);
}
