/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The store's client between real tasks and a simulated xenstored. Implements what it calls of
 * xen.h, xen_events.h and xen_map.h.
 */
#ifndef TESTS_UNIT_DRIVERS_XEN_XENSTORE_FIXTURE_H
#define TESTS_UNIT_DRIVERS_XEN_XENSTORE_FIXTURE_H

#include "drivers/xen/xenstore.h"
#include "tests/sim/sim_tasks.h"
#include "tests/sim/sim_xenstore.h"

#define FIXTURE_PFN 0xfeffc
#define FIXTURE_PORT 1

extern struct sim_xenstore daemon_side;
extern struct xenstore_ring fixture_page;

/* What xen_param() says, and whether the page can be mapped. */
extern uint64_t fixture_pfn, fixture_port;
extern int fixture_map_err;

/* Events that the client sent, and listeners that it has. */
extern uint64_t fixture_notified;
extern unsigned fixture_listeners;

/* The store is never told of the daemon's doings. */
extern bool fixture_no_events;

/* The daemon has a turn in such a time only. 0: whenever no task can run. */
extern uint64_t fixture_pause_ns;

/* Called at each turn of the daemon, after it. NULL: nothing is. */
extern void (*fixture_on_turn)(void);

/* Begins with tasks, a page and a daemon that has a few nodes; nothing is started. */
void fixture_begin(void);

/* Does so as a test's set-up. Returns 0. */
int fixture_set_up(void **state);

/* Ends what is left: the daemon gets itself given up. Tells whether all tasks have ended. */
bool fixture_end(void);

#endif
