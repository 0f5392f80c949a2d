/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * synic.c: the synthetic interrupt controller (TLFS 11), as far as VMBus uses it: one interrupt
 * source, its slot for messages, and its bits for events, a bit a channel. A host that never
 * interrupts is found by looking.
 */
#ifndef DRIVERS_HYPERV_SYNIC_H
#define DRIVERS_HYPERV_SYNIC_H

#include "drivers/hyperv/hyperv_abi.h"
#include "kernel/task/task.h"

/* Events have numbers below this. */
#define SYNIC_EVENTS 2048

/*
 * Enables messages, events, and interrupts for `sint`; `waiters` is woken by each of the latter,
 * and stays in use. In a task, after irq_init(). -ENODEV: there is no Hyper-V with a SynIC that
 * this guest may use; -ENOTSUP, -ENOSPC: no vector; -ENOMEM. Nothing is kept on an error.
 */
int synic_start(unsigned sint, struct wait_queue *waiters);

/* Disables all of it, if it was started: nothing comes any more. Listeners stay. */
void synic_stop(void);

/* Tells whether a message is in the slot. With interrupts off, too. */
bool synic_has_message(void);

/*
 * Takes the message in the slot, and lets the next one come. False: there is none. Nothing in it
 * has been looked at but that it is there.
 */
bool synic_take_message(struct hv_message *message);

/* Whoever wants an event: in the list while it listens. */
struct synic_listener {
	uint32_t event;
	/* With interrupts off: the event has come, perhaps for nothing. */
	void (*handle)(struct synic_listener *listener);
	struct synic_listener *next; /* the list's */
};

/* Begins, and ends, to listen. The listener is the caller's. */
void synic_listen(struct synic_listener *listener);
void synic_unlisten(struct synic_listener *listener);

/* Looks for events that have come without an interrupt. */
void synic_look(void);

struct synic_counts {
	uint64_t interrupts, messages, events;
	uint64_t unclaimed; /* events that nobody listens to */
	unsigned vector;
};

/* Stores what has come so far. */
void synic_get_counts(struct synic_counts *counts);

#endif
