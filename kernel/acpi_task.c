/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The power button, and memory that comes and goes. The task acts when it gets its turn,
 * which may take as long as a command that never rests; a guest that hangs gives it none,
 * and is turned off by a second press, as a person does to a machine that does not obey.
 */
#include "kernel/acpi_task.h"

#include <stdio.h>

#include "arch/clock.h"
#include "arch/irq.h"
#include "drivers/acpi/acpi_notify.h"
#include "drivers/mem/dimm.h"
#include "kernel/lib/log.h"
#include "kernel/task/task.h"
#include "mm/ledger.h"

/* So long the task may take before another press counts as impatience. */
#define PATIENCE_NS NS_PER_S

static void (*power_off)(void);
static struct wait_queue waiters;
static volatile enum {
	BUTTON_UP,
	BUTTON_PRESSED, /* the task has yet to see it */
	BUTTON_OBEYED,	/* the machine is being turned off */
} button;
static uint64_t pressed_at;
static volatile bool memory_changed;

static void say_goodbye(const char *what, const char *verdict)
{
	printf("\nThe power button was pressed%s: the machine is turned off.\nLedger: %s\n", what,
	       verdict);
}

static void turn_off(void)
{
	char verdict[LEDGER_VERDICT_MAX];

	ledger_check(verdict);
	say_goodbye("", verdict);
	power_off();
}

/* In the interrupt of a guest that hangs: nobody knows what it was doing to its books. */
static void turn_off_at_once(void)
{
	say_goodbye(" again", "not checked, as no task has its turn any more");
	power_off();
}

/* Runs in the interrupt. */
static void power_button(void)
{
	uint64_t now = clock_ns();

	if (button == BUTTON_UP) {
		button = BUTTON_PRESSED;
		pressed_at = now;
		task_wake(&waiters);
	} else if (button == BUTTON_PRESSED && now - pressed_at >= PATIENCE_NS) {
		button = BUTTON_OBEYED;
		turn_off_at_once();
	}
}

/* So does this. */
static void memory(void)
{
	memory_changed = true;
	task_wake(&waiters);
}

static const struct acpi_notify_ops notify_ops = {
	.power_button = power_button,
	.memory = memory,
};

static void wait_for_news(uint64_t deadline)
{
	uint64_t flags = irq_save();

	while (button != BUTTON_PRESSED && !memory_changed && task_wait(&waiters, deadline))
		;
	irq_restore(flags);
}

static void acpi_task(void *arg)
{
	bool leaving = false; /* memory is, which takes its time */

	(void)arg;
	for (;;) {
		wait_for_news(leaving ? clock_ns() + DIMM_STEP_NS : DEADLINE_NEVER);
		if (memory_changed) {
			memory_changed = false;
			dimm_look();
		}
		leaving = dimm_step();
		if (button != BUTTON_PRESSED)
			continue;
		button = BUTTON_OBEYED;
		turn_off();
		button = BUTTON_UP;
	}
}

void acpi_task_start(void (*turns_off)(void))
{
	int err;

	power_off = turns_off;
	err = acpi_notify_start(&notify_ops);
	/* After that: what comes from now on is told. */
	dimm_start();
	if (err) {
		log_debug("acpi: no power button");
		return;
	}
	if (task_create("acpi", TASK_PRIORITY_DRIVER, acpi_task, NULL))
		log_warn("acpi: no task: the power button is obeyed when it is pressed twice");
}
