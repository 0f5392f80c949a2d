/* SPDX-License-Identifier: BSD-2-Clause */
/* The task of Xen's toolstack: what is started in which order, orders, and who waits for it. */
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
#include "drivers/balloon/port/xen_balloon.h"
#include "drivers/xen/xen.h"
#include "drivers/xen/xen_events.h"
#include "drivers/xen/xenstore.h"
#include "kernel/lib/types.h"
#include "kernel/task/task.h"
#include "kernel/xen_task.h"
#include "mm/ledger.h"
#include "tests/sim/sim_log.h"

static bool there;
static unsigned silent_looks;		    /* so often the store is found silent still */
static int balloon_errs[2], follow_errs[2]; /* of the first calls, if not 0 */
static int events_err, param_err, store_err, balloon_err, follow_err, write_err, create_err;
static unsigned calls, events_started, store_started, balloon_started, followed; /* when, or 0 */
static uint64_t callback;
static struct xenstore_node *node;
static const char *pending[4]; /* what the toolstack will write, one after the other */
static size_t next_pending;
static unsigned writes, woken, turned_off, rebooted, waited_for_target;
static void (*task)(void *);
static uint64_t now;
static bool task_runs_meanwhile;
static jmp_buf asleep;

/* ---- What it calls ---- */

bool xen_is_there(void)
{
	return there;
}

int xen_events_start(void)
{
	events_started = ++calls;
	return events_err;
}

int xen_set_param(enum xen_param index, uint64_t value)
{
	assert_int_equal(index, XEN_PARAM_CALLBACK_IRQ);
	callback = value;
	return param_err;
}

int xenstore_start(void)
{
	store_started = ++calls;
	return store_err;
}

bool xenstore_is_silent(void)
{
	return silent_looks > 0;
}

/* Of the first calls, each of which ends one. */
static int first_error(int errs[2], int err)
{
	int first = errs[0];

	errs[0] = errs[1];
	errs[1] = 0;
	return first ? first : err;
}

int xen_balloon_start(void)
{
	balloon_started = ++calls;
	return first_error(balloon_errs, balloon_err);
}

void xen_balloon_wait_for_first_target(void)
{
	waited_for_target++;
}

static void change(const char *value)
{
	node->exists = value;
	node->length = value ? strlen(value) : 0;
	memset(node->value, 0, sizeof(node->value));
	if (value)
		memcpy(node->value, value, node->length);
	node->changes++;
}

int xenstore_follow(struct xenstore_node *followee)
{
	int err = first_error(follow_errs, follow_err);

	followed = ++calls;
	/* It would take the processor from the balloon. */
	assert_true(waited_for_target > 0);
	if (err)
		return err;
	node = followee;
	node->changes = 0;
	assert_string_equal(node->path, "control/shutdown");
	change(next_pending == 0 && pending[0] ? pending[next_pending++] : NULL);
	return 0;
}

/* What was written is read back by the store's task before this returns. */
int xenstore_write(const char *path, const char *value)
{
	assert_string_equal(path, "control/shutdown");
	assert_string_equal(value, "");
	/* Before anything is done about it. */
	assert_int_equal(turned_off + rebooted, 0);
	writes++;
	if (write_err == 0)
		change(value);
	return write_err;
}

int task_create(const char *name, enum task_priority priority, void (*fn)(void *), void *arg)
{
	(void)arg;
	assert_string_equal(name, "xen");
	assert_int_equal(priority, TASK_PRIORITY_DRIVER);
	task = fn;
	return create_err;
}

static void run_task(void);

bool task_wait(struct wait_queue *queue, uint64_t deadline)
{
	(void)queue;
	assert_true(fake_irqs_off);
	if (deadline == DEADLINE_NEVER) {
		if (next_pending >= ARRAY_SIZE(pending) || !pending[next_pending])
			longjmp(asleep, 1);
		change(pending[next_pending++]);
		return true;
	}
	/* Time awake counts no more of a wait than this. */
	assert_true(deadline > now && deadline - now < CLOCK_AWAKE_STEP_NS);
	now = deadline;
	if (task_runs_meanwhile) {
		task_runs_meanwhile = false;
		run_task();
		irq_disable();
		return true;
	}
	return false;
}

void task_wake(struct wait_queue *queue)
{
	(void)queue;
	woken++;
}

/* Once a second, with all the others. */
void task_sleep_until(uint64_t deadline)
{
	assert_false(fake_irqs_off);
	assert_int_equal(deadline, task_next_look(now));
	now = deadline;
	if (silent_looks > 0)
		silent_looks--;
}

uint64_t clock_ns(void)
{
	return now;
}

uint64_t clock_awake_ns(void)
{
	return now;
}

bool ledger_check(char verdict[LEDGER_VERDICT_MAX])
{
	strcpy(verdict, "ok (1 frames)");
	return true;
}

/* ---- Tests ---- */

/* Neither can end anything here: the task goes on. */
static void power_off(void)
{
	turned_off++;
}

static void reboot(void)
{
	rebooted++;
}

static const struct xen_task_ops ops = { .power_off = power_off, .reboot = reboot };

static void run_task(void)
{
	fake_irqs_off = 0;
	if (setjmp(asleep) == 0)
		task(NULL);
	fake_irqs_off = 0;
}

static void assert_says(const char *text)
{
	FILE *console = stdout;
	char *said = NULL;
	size_t length;

	stdout = open_memstream(&said, &length);
	run_task();
	fclose(stdout);
	stdout = console;
	assert_string_equal(said, text);
	free(said);
}

static int begin(void **state)
{
	(void)state;
	sim_log_reset();
	there = true;
	events_err = param_err = store_err = balloon_err = follow_err = write_err = create_err = 0;
	calls = events_started = store_started = balloon_started = followed = 0;
	callback = 0;
	memset(pending, 0, sizeof(pending));
	next_pending = 0;
	silent_looks = 0;
	memset(balloon_errs, 0, sizeof(balloon_errs));
	memset(follow_errs, 0, sizeof(follow_errs));
	writes = woken = turned_off = rebooted = waited_for_target = 0;
	task = NULL;
	task_runs_meanwhile = false;
	now += 10 * NS_PER_S;
	fake_irqs_off = 0;
	return 0;
}

static void start(void)
{
	xen_task_init();
	xen_task_start(&ops);
}

static void without_xen_nothing_is_started_and_nobody_waits(void **state)
{
	uint64_t before = now;

	(void)state;
	there = false;
	start();
	xen_task_wait_for_memory();
	assert_null(task);
	assert_int_equal(calls, 0);
	assert_int_equal(waited_for_target, 0);
	assert_true(now == before);
}

/* Also the first in which the shell waits: what has begun does not end. */
static void the_shell_waits_for_the_balloon_but_not_for_ever(void **state)
{
	uint64_t before = now;

	(void)state;
	start();
	xen_task_wait_for_memory();
	assert_in_range(now - before, XENSTORE_DEADLINE_NS, XENSTORE_DEADLINE_NS + NS_PER_S);
	assert_int_equal(waited_for_target, 1);
	assert_false(fake_irqs_off);
	before = now;
	task_runs_meanwhile = true;
	xen_task_wait_for_memory();
	assert_true(now - before < XENSTORE_DEADLINE_NS / 2);
	/* And the task did. */
	assert_int_equal(waited_for_target, 3);
	before = now;
	xen_task_wait_for_memory();
	assert_true(now == before);
}

static void the_balloon_comes_after_the_store_and_before_orders(void **state)
{
	(void)state;
	start();
	assert_int_equal(events_started, 1);
	assert_int_equal(callback, 1);
	run_task();
	assert_int_equal(store_started, 2);
	assert_int_equal(balloon_started, 3);
	assert_int_equal(followed, 4);
	assert_int_equal(writes, 0);
	assert_int_equal(sim_log_warnings, 0);
}

static void poweroff_and_halt_end_the_guest_once_taken_back(void **state)
{
	static const char *const words[] = { "poweroff", "halt" };

	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		begin(state);
		pending[0] = "";
		pending[1] = words[i];
		start();
		assert_says("\nThe toolstack asks the guest to power off.\n"
			    "Ledger: ok (1 frames)\n");
		assert_int_equal(turned_off, 1);
		assert_int_equal(rebooted, 0);
		assert_int_equal(writes, 1);
	}
}

/* It was there before anybody listened. */
static void an_order_of_before_is_obeyed(void **state)
{
	(void)state;
	pending[0] = "reboot";
	start();
	assert_says("\nThe toolstack asks the guest to reboot.\nLedger: ok (1 frames)\n");
	assert_int_equal(rebooted, 1);
	assert_int_equal(turned_off, 0);
}

static void suspend_is_refused_with_a_line(void **state)
{
	(void)state;
	pending[0] = "suspend";
	start();
	assert_says("");
	assert_int_equal(writes, 1);
	assert_int_equal(turned_off + rebooted, 0);
	assert_int_equal(sim_log_warnings, 1);
	assert_string_equal(sim_log_warning, "xen: the toolstack asks for \"suspend\", which this "
					     "guest does not do");
}

static void nonsense_costs_one_line_a_second(void **state)
{
	(void)state;
	pending[0] = "power";
	pending[1] = "poweroff ";
	pending[2] = "Reboot";
	pending[3] = "x";
	start();
	assert_says("");
	assert_int_equal(writes, 4);
	assert_int_equal(turned_off + rebooted, 0);
	assert_int_equal(sim_log_warnings, 1);
}

/* A store that takes no write: the order stands, and is no new one. */
static void an_order_that_cannot_be_taken_back_is_obeyed_once(void **state)
{
	(void)state;
	pending[0] = "poweroff";
	write_err = -EACCES;
	start();
	assert_says("\nThe toolstack asks the guest to power off.\nLedger: ok (1 frames)\n");
	assert_int_equal(turned_off, 1);
}

static void without_a_store_there_is_a_balloon_but_no_orders(void **state)
{
	(void)state;
	store_err = -ENODEV;
	start();
	run_task();
	assert_int_equal(balloon_started, 3);
	assert_int_equal(followed, 0);
	assert_int_equal(sim_log_warnings, 0);
	begin(state);
	store_err = -EIO;
	balloon_err = -ENODEV;
	start();
	run_task();
	assert_int_equal(sim_log_warnings, 1);
	assert_string_equal(sim_log_warning, "xen: the store cannot be used: error 5");
}

/* What was asked of it when it was silent is asked again. The store has said its line. */
static void a_store_that_is_silent_at_first_is_waited_for(void **state)
{
	uint64_t before = now;

	(void)state;
	store_err = -ETIMEDOUT;
	balloon_errs[0] = follow_errs[0] = follow_errs[1] = -ETIMEDOUT;
	silent_looks = 5;
	pending[0] = "reboot";
	start();
	assert_says("\nThe toolstack asks the guest to reboot.\nLedger: ok (1 frames)\n");
	assert_int_equal(rebooted, 1);
	/* Five looks for the balloon, and one each for orders, as it is not silent any more. */
	assert_in_range(now - before, 6 * NS_PER_S + 1, 7 * NS_PER_S);
	/* The events, the store, the balloon twice, orders three times. */
	assert_int_equal(balloon_started, 4);
	assert_int_equal(followed, 7);
	/* The shell did not wait all the time. */
	assert_int_equal(woken, 2);
	assert_int_equal(sim_log_warnings, 0);
}

static void a_store_that_is_given_up_in_its_silence_is_not_waited_for(void **state)
{
	(void)state;
	store_err = balloon_errs[0] = -ETIMEDOUT;
	balloon_err = -ENODEV;
	follow_err = -EIO;
	start();
	run_task();
	assert_int_equal(followed, 5);
	assert_int_equal(sim_log_warnings, 1);
	assert_string_equal(
		sim_log_warning,
		"xen: control/shutdown cannot be followed: `xl shutdown` is not obeyed");
}

static void what_cannot_be_started_is_said(void **state)
{
	(void)state;
	events_err = -ENOSPC;
	start();
	assert_int_equal(sim_log_warnings, 1);
	run_task();
	/* Nobody would hear of answers. */
	assert_int_equal(store_started, 0);
	assert_int_equal(balloon_started, 2);
	begin(state);
	param_err = -EIO;
	balloon_err = -EBUSY;
	follow_err = -EACCES;
	start();
	assert_int_equal(sim_log_warnings, 1);
	run_task();
	assert_int_equal(sim_log_warnings, 3);
	begin(state);
	create_err = -ENOMEM;
	start();
	assert_int_equal(sim_log_warnings, 1);
}

#define TEST(name) cmocka_unit_test_setup(name, begin)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(without_xen_nothing_is_started_and_nobody_waits),
		TEST(the_shell_waits_for_the_balloon_but_not_for_ever),
		TEST(the_balloon_comes_after_the_store_and_before_orders),
		TEST(poweroff_and_halt_end_the_guest_once_taken_back),
		TEST(an_order_of_before_is_obeyed),
		TEST(suspend_is_refused_with_a_line),
		TEST(nonsense_costs_one_line_a_second),
		TEST(an_order_that_cannot_be_taken_back_is_obeyed_once),
		TEST(without_a_store_there_is_a_balloon_but_no_orders),
		TEST(a_store_that_is_silent_at_first_is_waited_for),
		TEST(a_store_that_is_given_up_in_its_silence_is_not_waited_for),
		TEST(what_cannot_be_started_is_said),
	};

	return cmocka_run_group_tests_name("xen_task", tests, NULL, NULL);
}
