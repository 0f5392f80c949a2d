/* SPDX-License-Identifier: BSD-2-Clause */
/* The power button: its task, the impatient second press; memory that changes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arch/clock.h"
#include "arch/irq.h"
#include "drivers/acpi/acpi_notify.h"
#include "drivers/mem/dimm.h"
#include "kernel/acpi_task.h"
#include "kernel/lib/types.h"
#include "kernel/task/task.h"
#include "mm/ledger.h"
#include "tests/sim/sim_log.h"

static const struct acpi_notify_ops *ops;
static int notify_err, create_err;
static void (*task)(void *);
static unsigned turned_off, woken, checked, started, looked, stepped;
static unsigned leaving; /* so many steps more want another one */
static uint64_t now;
static jmp_buf asleep;
static bool press_again;
static bool in_interrupt;

/* ---- What it calls ---- */

int acpi_notify_start(const struct acpi_notify_ops *callbacks)
{
	ops = callbacks;
	return notify_err;
}

/* An event of before would be dropped when listening begins. */
void dimm_start(void)
{
	assert_non_null(ops);
	started++;
}

void dimm_look(void)
{
	assert_int_equal(started, 1);
	assert_false(fake_irqs_off);
	looked++;
}

bool dimm_step(void)
{
	assert_false(fake_irqs_off);
	stepped++;
	if (leaving == 0)
		return false;
	leaving--;
	return true;
}

/* The machine cannot be turned off here: the test goes on. */
static void turn_off(void)
{
	/* The ledger was looked at, but not in an interrupt. */
	assert_int_equal(checked, in_interrupt ? 0 : turned_off + 1);
	turned_off++;
	assert_int_equal(fake_irqs_off, in_interrupt);
	if (press_again)
		ops->power_button();
}

int task_create(const char *name, enum task_priority priority, void (*fn)(void *), void *arg)
{
	(void)arg;
	assert_string_equal(name, "acpi");
	assert_int_equal(priority, TASK_PRIORITY_DRIVER);
	task = fn;
	return create_err;
}

/* Time passes, or nothing wakes it: back to the test. */
bool task_wait(struct wait_queue *queue, uint64_t deadline)
{
	(void)queue;
	/* What comes between the look and the wait would be missed. */
	assert_true(fake_irqs_off);
	if (deadline == DEADLINE_NEVER)
		longjmp(asleep, 1);
	assert_true(deadline > now && deadline - now <= CLOCK_AWAKE_STEP_NS);
	now = deadline;
	return false;
}

void task_wake(struct wait_queue *queue)
{
	(void)queue;
	woken++;
}

uint64_t clock_ns(void)
{
	return now;
}

bool ledger_check(char verdict[LEDGER_VERDICT_MAX])
{
	checked++;
	strcpy(verdict, "ok (1 frames)");
	return true;
}

/* ---- Tests ---- */

static void run_task(void)
{
	fake_irqs_off = 0;
	if (setjmp(asleep) == 0)
		task(NULL);
}

static void press(void)
{
	ops->power_button();
}

static void assert_says(void (*act)(void), const char *text)
{
	FILE *console = stdout;
	char *said = NULL;
	size_t length;

	stdout = open_memstream(&said, &length);
	act();
	fclose(stdout);
	stdout = console;
	assert_string_equal(said, text);
	free(said);
}

static int setup(void **state)
{
	(void)state;
	sim_log_reset();
	notify_err = create_err = 0;
	task = NULL;
	ops = NULL;
	turned_off = woken = checked = started = looked = stepped = leaving = 0;
	press_again = in_interrupt = false;
	fake_irqs_off = 0;
	now += 10 * NS_PER_S;
	acpi_task_start(turn_off);
	return 0;
}

static void a_press_wakes_the_task_which_turns_the_machine_off(void **state)
{
	(void)state;
	run_task();
	assert_int_equal(turned_off, 0);
	ops->power_button();
	assert_int_equal(turned_off, 0);
	assert_int_equal(woken, 1);
	assert_says(run_task, "\nThe power button was pressed: the machine is turned off.\n"
			      "Ledger: ok (1 frames)\n");
	assert_int_equal(turned_off, 1);
	/* That failed here; the next press is a first one again. */
	now += 5 * NS_PER_S;
	ops->power_button();
	assert_int_equal(turned_off, 1);
	run_task();
	assert_int_equal(turned_off, 2);
}

static void two_presses_at_once_are_one(void **state)
{
	(void)state;
	ops->power_button();
	now += NS_PER_S - 1;
	ops->power_button();
	assert_int_equal(turned_off, 0);
	run_task();
	assert_int_equal(turned_off, 1);
	run_task();
	assert_int_equal(turned_off, 1);
}

static void a_press_after_a_second_of_nothing_acts_at_once(void **state)
{
	(void)state;
	ops->power_button();
	now += NS_PER_S;
	fake_irqs_off = in_interrupt = true;
	assert_says(press, "\nThe power button was pressed again: the machine is turned off.\n"
			   "Ledger: not checked, as no task has its turn any more\n");
	assert_int_equal(turned_off, 1);
	ops->power_button();
	assert_int_equal(turned_off, 1);
}

static void a_press_while_the_machine_goes_is_nothing_new(void **state)
{
	(void)state;
	press_again = true;
	ops->power_button();
	run_task();
	assert_int_equal(turned_off, 1);
}

static void memory_is_looked_at_when_it_changes(void **state)
{
	(void)state;
	assert_int_equal(started, 1);
	run_task();
	assert_int_equal(looked, 0);
	ops->memory();
	assert_int_equal(looked, 0);
	assert_int_equal(woken, 1);
	run_task();
	assert_int_equal(looked, 1);
	assert_int_equal(stepped, 1);
	assert_int_equal(turned_off, 0);
	/* Both at once. */
	ops->memory();
	ops->power_button();
	run_task();
	assert_int_equal(looked, 2);
	assert_int_equal(turned_off, 1);
}

static void memory_that_leaves_has_its_steps(void **state)
{
	(void)state;
	leaving = 3;
	ops->memory();
	run_task();
	assert_int_equal(looked, 1);
	assert_int_equal(stepped, 4);
}

static void the_button_is_obeyed_while_memory_leaves(void **state)
{
	(void)state;
	leaving = 3;
	ops->memory();
	ops->power_button();
	run_task();
	assert_int_equal(turned_off, 1);
	assert_int_equal(stepped, 4);
}

static void a_machine_without_a_button_gets_no_task(void **state)
{
	(void)state;
	task = NULL;
	started = 0;
	notify_err = -ENODEV;
	acpi_task_start(turn_off);
	assert_null(task);
	assert_int_equal(sim_log_warnings, 0);
	assert_int_equal(sim_log_debugs, 1);
}

static void without_a_task_there_is_a_warning(void **state)
{
	(void)state;
	create_err = -ENOMEM;
	started = 0;
	acpi_task_start(turn_off);
	assert_int_equal(sim_log_warnings, 1);
}

#define TEST(name) cmocka_unit_test_setup(name, setup)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_press_wakes_the_task_which_turns_the_machine_off),
		TEST(two_presses_at_once_are_one),
		TEST(a_press_while_the_machine_goes_is_nothing_new),
		TEST(memory_is_looked_at_when_it_changes),
		TEST(memory_that_leaves_has_its_steps),
		TEST(the_button_is_obeyed_while_memory_leaves),
		TEST(a_machine_without_a_button_gets_no_task),
		TEST(without_a_task_there_is_a_warning),
		/* The last: the button stays pressed. */
		TEST(a_press_after_a_second_of_nothing_acts_at_once),
	};

	return cmocka_run_group_tests_name("acpi_task", tests, NULL, NULL);
}
