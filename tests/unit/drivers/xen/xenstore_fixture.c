/* SPDX-License-Identifier: BSD-2-Clause */
/* The store's client between tasks and a daemon; see xenstore_fixture.h. */
#include "tests/unit/drivers/xen/xenstore_fixture.h"

#include <errno.h>

#include "arch/clock.h"
#include "drivers/xen/xen.h"
#include "drivers/xen/xen_events.h"
#include "drivers/xen/xen_map.h"
#include "drivers/xen/xenstore_internal.h"
#include "tests/sim/sim_log.h"

struct sim_xenstore daemon_side;
struct xenstore_ring fixture_page;
uint64_t fixture_pfn, fixture_port;
int fixture_map_err;
uint64_t fixture_notified;
unsigned fixture_listeners;
bool fixture_no_events;
uint64_t fixture_pause_ns;
void (*fixture_on_turn)(void);

static struct xen_event_handler *listener; /* the client listens once in a program's life */
static uint64_t turn_ns;		   /* the daemon's last */
static uint64_t heard;			   /* of what it was notified, */
static size_t out_left;			   /* and what it had to say, by then */

uint64_t xen_param(enum xen_param index)
{
	return index == XEN_PARAM_STORE_PFN ? fixture_pfn : fixture_port;
}

void xen_notify(uint32_t port)
{
	if (port == FIXTURE_PORT)
		fixture_notified++;
}

int xen_map_page(pfn_t pfn, void **window)
{
	if (pfn != FIXTURE_PFN || fixture_map_err)
		return fixture_map_err ? fixture_map_err : -EINVAL;
	*window = &fixture_page;
	return 0;
}

void xen_events_listen(struct xen_event_handler *handler)
{
	if (handler->port == FIXTURE_PORT)
		listener = handler;
	fixture_listeners++;
}

static void interrupt(void *arg)
{
	(void)arg;
	if (listener && !fixture_no_events)
		listener->handle(listener);
}

/* It looks at the page when it is told to, goes on, or has more to say. */
static bool has_reason(void)
{
	return fixture_notified != heard ||
	       daemon_side.out_length - daemon_side.out_sent > out_left;
}

static bool let_daemon_work(void)
{
	bool moved = false;

	if (clock_ns() - turn_ns >= fixture_pause_ns && has_reason()) {
		turn_ns = clock_ns();
		moved = sim_xenstore_step(&daemon_side);
		if (!moved && daemon_side.bytes_left > 0 && daemon_side.lie != SIM_XENSTORE_DEAF) {
			heard = fixture_notified;
			out_left = daemon_side.out_length - daemon_side.out_sent;
		}
	}
	if (fixture_on_turn)
		fixture_on_turn();
	return moved;
}

void fixture_begin(void)
{
	sim_log_reset();
	sim_tasks_reset();
	sim_tasks_world = let_daemon_work;
	sim_xenstore_begin(&daemon_side, &fixture_page);
	daemon_side.notify = interrupt;
	sim_xenstore_set(&daemon_side, "memory/target", "65536");
	sim_xenstore_set(&daemon_side, "memory/static-max", "131072");
	sim_xenstore_set(&daemon_side, "name", "guest");
	fixture_pfn = FIXTURE_PFN;
	fixture_port = FIXTURE_PORT;
	fixture_map_err = 0;
	fixture_notified = 0;
	fixture_no_events = false;
	fixture_pause_ns = 0;
	fixture_on_turn = NULL;
	turn_ns = 0;
	heard = 0;
	out_left = 0;
}

static void end_store(void *arg)
{
	(void)arg;
	/* The last turn of the store's task is at its next look, at the latest. */
	task_sleep_until(clock_ns() + 2 * NS_PER_S);
}

int fixture_set_up(void **state)
{
	(void)state;
	fixture_begin();
	return 0;
}

bool fixture_end(void)
{
	if (sim_tasks_abandoned())
		return false;
	fixture_on_turn = NULL;
	fixture_pause_ns = 0;
	daemon_side.lie = SIM_XENSTORE_REQUEST_CONS_WILD;
	daemon_side.honest = 0;
	/* It does that by itself. */
	heard = fixture_notified - 1;
	sim_tasks_run(end_store, NULL);
	return sim_tasks_left() == 0;
}
