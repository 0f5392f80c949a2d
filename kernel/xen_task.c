/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An order is a word in the store. It is taken back, by an empty value, before it is obeyed or
 * refused: that tells the toolstack that it was seen. Anybody may write there what they like.
 */
#include "kernel/xen_task.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "arch/clock.h"
#include "arch/irq.h"
#include "drivers/balloon/port/xen_balloon.h"
#include "drivers/xen/xen.h"
#include "drivers/xen/xen_events.h"
#include "drivers/xen/xenstore.h"
#include "kernel/lib/log.h"
#include "kernel/task/task.h"
#include "mm/ledger.h"

#define ORDER_PATH "control/shutdown"

/* xl asks whether the guest has told where it wants its events: anything but 0 will do. */
#define CALLBACK_TOLD 1

static const struct xen_task_ops *ops;
static bool has_events;
static bool begun; /* the balloon has been started, or cannot be */
static struct wait_queue waiters;
static struct wait_queue news;
static struct xenstore_node order = { .path = ORDER_PATH, .waiters = &news };

void xen_task_init(void)
{
	int err;

	if (!xen_is_there())
		return;
	err = xen_events_start();
	has_events = !err;
	if (err)
		log_warn("xen: no events (error %d), and so no store and no input", -err);
	else if (xen_set_param(XEN_PARAM_CALLBACK_IRQ, CALLBACK_TOLD))
		log_warn("xen: xl may think that this guest obeys no shutdown");
}

/* The store may be silent from the start, and answer later. At least until the next look. */
static void wait_for_store(void)
{
	do {
		task_sleep_until(task_next_look(clock_ns()));
	} while (xenstore_is_silent());
}

/* ---- Orders ---- */

static void say_goodbye(const char *verb)
{
	char verdict[LEDGER_VERDICT_MAX];

	ledger_check(verdict);
	printf("\nThe toolstack asks the guest to %s.\nLedger: %s\n", verb, verdict);
}

static void refuse(const char *word)
{
	static uint64_t said_ns;

	if (!log_is_due(&said_ns, clock_ns()))
		return;
	log_warn("xen: the toolstack asks for \"%s\", which this guest does not do", word);
}

static void obey(const char *word)
{
	if (strcmp(word, "poweroff") == 0 || strcmp(word, "halt") == 0) {
		say_goodbye("power off");
		ops->power_off();
	} else if (strcmp(word, "reboot") == 0) {
		say_goodbye("reboot");
		ops->reboot();
	} else {
		refuse(word);
	}
}

static void wait_for_order(uint64_t seen)
{
	uint64_t flags = irq_save();

	while (order.changes == seen)
		task_wait(&news, DEADLINE_NEVER);
	irq_restore(flags);
}

static int follow_order(void)
{
	int err = xenstore_follow(&order);

	while (err == -ETIMEDOUT) {
		wait_for_store();
		err = xenstore_follow(&order);
	}
	return err;
}

static void follow_orders(void)
{
	char word[XENSTORE_NODE_MAX];
	uint64_t seen = 0;

	if (follow_order()) {
		log_warn("xen: " ORDER_PATH " cannot be followed: `xl shutdown` is not obeyed");
		return;
	}
	for (;;) {
		wait_for_order(seen);
		seen = order.changes;
		/* The node changes while anything here waits. */
		memcpy(word, order.value, sizeof(word));
		if (!order.exists || !word[0])
			continue;
		if (xenstore_write(ORDER_PATH, ""))
			log_debug("xen: " ORDER_PATH " could not be written");
		obey(word);
	}
}

/* ---- The task ---- */

/* Returns whether there is one, perhaps a silent one, which has said so. */
static bool start_store(void)
{
	int err = has_events ? xenstore_start() : -ENODEV;

	if (err == -ENODEV)
		log_debug("xen: no store");
	else if (err && err != -ETIMEDOUT)
		log_warn("xen: the store cannot be used: error %d", -err);
	return !err || err == -ETIMEDOUT;
}

static void begin(void)
{
	begun = true;
	task_wake(&waiters);
}

/*
 * Up to its first target: what else is asked of the store gives the processor, where there is but
 * one, to xenstored.
 */
static void start_balloon(void)
{
	int err = xen_balloon_start();

	while (err == -ETIMEDOUT) {
		/* Nobody else waits for that. */
		begin();
		wait_for_store();
		err = xen_balloon_start();
	}
	if (err && err != -ENODEV)
		log_warn("xen: no balloon: error %d", -err);
	begin();
	xen_balloon_wait_for_first_target();
}

static void xen_task(void *arg)
{
	bool store = start_store();

	(void)arg;
	start_balloon();
	if (store)
		follow_orders();
}

void xen_task_start(const struct xen_task_ops *given)
{
	ops = given;
	if (!xen_is_there())
		return;
	if (task_create("xen", TASK_PRIORITY_DRIVER, xen_task, NULL)) {
		log_warn("xen: no task: there is no balloon, and `xl shutdown` is not obeyed");
		begin();
	}
}

void xen_task_wait_for_memory(void)
{
	if (!xen_is_there())
		return;
	task_await(&waiters, &begun, XENSTORE_DEADLINE_NS);
	xen_balloon_wait_for_first_target();
}
