/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * All of VMBus with real tasks, against the host that the test hypervisor plays, whose dynamic
 * memory is a driver's that only notes what becomes of its channel. Tests run in a task.
 */
#ifndef TESTS_UNIT_DRIVERS_HYPERV_VMBUS_FIXTURE_H
#define TESTS_UNIT_DRIVERS_HYPERV_VMBUS_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <string.h>

#include "arch/clock.h"
#include "drivers/hyperv/dm_abi.h"
#include "drivers/hyperv/hyperv_abi.h"
#include "drivers/hyperv/vmbus.h"
#include "mm/frame.h"
#include "mm/ledger.h"
#include "tests/hypervisor/hyperv.h"
#include "tests/sim/sim_hyperv.h"
#include "tests/sim/sim_irq.h"
#include "tests/sim/sim_log.h"
#include "tests/sim/sim_machine.h"
#include "tests/sim/sim_tasks.h"

/* Frames of a connection: for hypercalls, for the host's pages, for the SynIC. */
#define CONNECTION_FRAMES 7

struct vmbus_fixture {
	uint64_t free;	   /* frames that are to be free at the end, as they were before the test */
	bool breaks_rules; /* the host: what is made of that may look like the guest's mistake */
	/* The driver's. */
	struct vmbus_channel *channel; /* that is offered; NULL: none is */
	unsigned offered, rescinded, looks;
	struct wait_queue waiters;
	void (*meanwhile)(void); /* what happens while the driver is told of a channel; or NULL */
};

extern struct vmbus_fixture fixture;

/* Returns what a test wishes of the host. */
static inline struct hyperv_wish *wish(void)
{
	return &hyperv_control()->wish;
}

/* Returns what the host is to tell otherwise than it is. */
static inline struct hyperv_lie *lie(void)
{
	return &hyperv_control()->lie;
}

/* Returns what the host has seen. */
static inline const struct hyperv_seen *seen(void)
{
	return &hyperv_control()->seen;
}

/* What vmbus_get_info() stores. */
struct vmbus_info fixture_info(void);

/* The host says bytes that it would not say by itself. */
void fixture_push(const void *message, uint32_t length);

/* So much time passes. */
void fixture_wait(uint64_t ns);

/* Waits until something is so, 10 s at most; fails the test if it is not, with `what` it was. */
void fixture_await(bool (*done)(void), const char *what);

/* What may be waited for: a fault of the host's; a channel that is offered, or is not any more. */
bool fixture_has_fault(void);
bool fixture_is_offered(void);
bool fixture_is_withdrawn(void);

/* Starts VMBus, and waits until all channels are offered. */
void fixture_connect(void);

/* Runs a test in a task, on a machine of its own, and looks whether all is in order after it. */
void fixture_live(void (*test)(void));

/* Does so with the test that is the state of a cmocka one. */
void fixture_in_a_task(void **state);

/* Reserves the machine's memory: a group's setup. Returns 0, or -1. */
int fixture_reserve(void **state);

#endif
