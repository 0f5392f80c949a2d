/* SPDX-License-Identifier: BSD-2-Clause */
/* The store for its users; see xenstore.h. */
#include "drivers/xen/xenstore.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "arch/clock.h"
#include "drivers/xen/xen.h"
#include "drivers/xen/xen_events.h"
#include "drivers/xen/xen_map.h"
#include "drivers/xen/xenstore_internal.h"
#include "kernel/lib/log.h"

static bool started; /* there is a store, which may have been given up since */
static bool running; /* the task is */

static void handle_event(struct xen_event_handler *handler)
{
	(void)handler;
	xenstore_note_interrupt();
}

static struct xen_event_handler handler = { .handle = handle_event };

static void xenstore_task(void *arg)
{
	(void)arg;
	while (!xenstore_fault()) {
		xenstore_turn();
		/* There may be news without end. */
		task_yield();
		if (!xenstore_fault())
			xenstore_wait_for_news();
	}
	running = false;
}

int xenstore_start(void)
{
	struct xenstore_request reset = { .type = XENSTORE_RESET_WATCHES, .path = "" };
	pfn_t pfn = xen_param(XEN_PARAM_STORE_PFN);
	uint64_t port = xen_param(XEN_PARAM_STORE_PORT);
	void *page;
	int err;

	assert(!running);
	if (pfn == 0 || port == 0 || port >= XEN_EVENT_PORTS || xen_map_page(pfn, &page))
		return -ENODEV;
	started = false;
	xenstore_ring_begin(page, (uint32_t)port);
	xenstore_requests_begin();
	xenstore_nodes_begin();
	err = task_create("xenstore", TASK_PRIORITY_DRIVER, xenstore_task, NULL);
	if (err)
		return err;
	started = running = true;
	if (!handler.port) {
		handler.port = (uint32_t)port;
		xen_events_listen(&handler);
	}
	err = xenstore_ask(&reset, clock_awake_ns());
	/* An old store has no such request, and forgets watches by itself. */
	return xenstore_fault() || err == -ETIMEDOUT ? err : 0;
}

/* ---- One value ---- */

static bool is_path(const char *path)
{
	return *path && strlen(path) <= XENSTORE_PATH_MAX;
}

struct room {
	char *value;
	size_t size;
	size_t *length;
};

static int take_value(struct xenstore_request *request, int err, const char *value, size_t length)
{
	const struct room *room = request->arg;

	if (err)
		return err;
	if (length >= room->size)
		return -E2BIG;
	memcpy(room->value, value, length);
	room->value[length] = '\0';
	*room->length = length;
	return 0;
}

int xenstore_read(const char *path, char *value, size_t size, size_t *length)
{
	struct room room = { value, size, length };
	struct xenstore_request request = {
		.type = XENSTORE_READ, .path = path, .take = take_value, .arg = &room
	};

	if (!is_path(path))
		return -EINVAL;
	return started ? xenstore_ask(&request, clock_awake_ns()) : -ENODEV;
}

int xenstore_write(const char *path, const char *value)
{
	struct xenstore_request request = { .type = XENSTORE_WRITE, .path = path, .text = value };

	if (!is_path(path))
		return -EINVAL;
	return started ? xenstore_ask(&request, clock_awake_ns()) : -ENODEV;
}

/* ---- Following ---- */

int xenstore_follow(struct xenstore_node *node)
{
	struct xenstore_request watch = { .type = XENSTORE_WATCH,
					  .path = node->path,
					  .text = node->path };
	struct xenstore_request first = {
		.type = XENSTORE_READ, .path = node->path, .take = xenstore_node_take, .arg = node
	};
	uint64_t begin_awake = clock_awake_ns(); /* one deadline for both */
	int err;

	if (!is_path(node->path))
		return -EINVAL;
	if (!started)
		return -ENODEV;
	/* Before its first event, which comes at once and tells nothing new. */
	xenstore_node_add(node);
	err = xenstore_ask(&watch, begin_awake);
	node->stale = false;
	/* Somebody follows this name already: events are for both. */
	if (err == 0 || err == -EEXIST)
		err = xenstore_ask(&first, begin_awake);
	if (err == 0 || err == -ENOENT)
		return 0;
	xenstore_node_remove(node);
	return err;
}
