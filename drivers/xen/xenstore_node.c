/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Nodes that are followed, and the store's turn. A node's path is its watch's token, too. An event
 * says that the node, or something below it, may have changed, and not to what: so it is read
 * again, one node at a time, once for any number of events. An event that comes while its node is
 * being read asks for another reading, as it may tell of a change after that.
 */
#include <assert.h>
#include <errno.h>
#include <string.h>

#include "arch/clock.h"
#include "drivers/xen/xen_stamps.h"
#include "drivers/xen/xenstore_internal.h"

/* Messages taken in a turn: the other side may send them faster than they are taken. */
#define TURN_MESSAGES 16

static struct {
	struct xenstore_node *first;
	struct xenstore_node *last_read;
	struct xenstore_request reading; /* of last_read */
	bool is_reading;
} nodes;

void xenstore_nodes_begin(void)
{
	memset(&nodes, 0, sizeof(nodes));
}

const struct xenstore_node *xenstore_nodes(void)
{
	return nodes.first;
}

void xenstore_node_add(struct xenstore_node *node)
{
	struct xenstore_node **end = &nodes.first;

	while (*end)
		end = &(*end)->next;
	*end = node;
	node->next = NULL;
	node->changes = 0;
	node->exists = node->cut = node->stale = false;
	node->length = 0;
	node->value[0] = '\0';
}

void xenstore_node_remove(struct xenstore_node *node)
{
	struct xenstore_node **at = &nodes.first;

	while (*at && *at != node)
		at = &(*at)->next;
	assert(*at);
	*at = node->next;
	if (nodes.last_read != node)
		return;
	/* Its answer has nowhere to go. */
	if (nodes.is_reading)
		xenstore_withdraw(&nodes.reading);
	nodes.is_reading = false;
	nodes.last_read = NULL;
}

/* ---- Values ---- */

static void set(struct xenstore_node *node, bool exists, const char *value, size_t length)
{
	size_t kept = min_u64(length, XENSTORE_NODE_MAX - 1);
	bool cut = kept < length;

	if (node->changes > 0 && node->exists == exists && node->cut == cut &&
	    node->length == kept && memcmp(node->value, value, kept) == 0)
		return;
	node->exists = exists;
	node->cut = cut;
	node->length = kept;
	memcpy(node->value, value, kept);
	node->value[kept] = '\0';
	node->changes++;
	if (node->waiters)
		task_wake(node->waiters);
}

int xenstore_node_take(struct xenstore_request *request, int err, const char *value, size_t length)
{
	struct xenstore_node *node = request->arg;

	xen_event(XEN_STAMP_READ, length, (uint64_t)-err);
	/* After any other error nobody knows: the last value stays. */
	if (err == 0)
		set(node, true, value, length);
	else if (err == -ENOENT || err == -EACCES)
		set(node, false, "", 0);
	return err;
}

/* ---- Reading again ---- */

static int take_reading(struct xenstore_request *request, int err, const char *value, size_t length)
{
	nodes.is_reading = false;
	return xenstore_node_take(request, err, value, length);
}

/* Whoever begins to follow a node reads it first. */
static bool is_to_be_read(const struct xenstore_node *node)
{
	return node->stale && node->changes > 0;
}

/* Returns the first node from `node` on that is to be read again, before `end`; NULL: none is. */
static struct xenstore_node *find_stale(struct xenstore_node *node, const struct xenstore_node *end)
{
	while (node && node != end && !is_to_be_read(node))
		node = node->next;
	return node != end ? node : NULL;
}

/* They take turns, so that one of which there is always news does not keep the others waiting. */
static void read_next(void)
{
	struct xenstore_node *after = nodes.last_read ? nodes.last_read->next : NULL;
	struct xenstore_node *node = find_stale(after, NULL);

	if (!node)
		node = find_stale(nodes.first, after);
	if (!node || nodes.is_reading)
		return;
	node->stale = false;
	nodes.last_read = node;
	nodes.is_reading = true;
	nodes.reading = (struct xenstore_request){
		.type = XENSTORE_READ, .path = node->path, .take = take_reading, .arg = node
	};
	xenstore_add(&nodes.reading);
}

/* Payload: the path that has changed, and the watch's token; both end with a NUL. */
static void note_event(const struct xenstore_message *message)
{
	const char *path_end = memchr(message->payload, '\0', message->header.length);
	bool known = false;

	for (struct xenstore_node *node = nodes.first; path_end && node; node = node->next) {
		if (strcmp(path_end + 1, node->path) == 0)
			node->stale = known = true;
	}
	xenstore_count_event(known);
}

/* After a silence, in which events may have been lost. */
static void read_all_again(void)
{
	for (struct xenstore_node *node = nodes.first; node; node = node->next)
		node->stale = true;
}

/* ---- The turn ---- */

static void give_up(int err)
{
	if (err == -EMSGSIZE)
		xenstore_give_up("it announces a message longer than any");
	else
		xenstore_give_up("it counts more bytes of answers than there can be");
}

/* Returns whether there was one. */
static bool take_message(uint64_t now_awake)
{
	const struct xenstore_message *message;
	int err = xenstore_ring_receive(&message);

	if (err)
		give_up(err);
	else if (message && message->header.type == XENSTORE_WATCH_EVENT)
		note_event(message);
	else if (message && xenstore_answer(message, now_awake))
		read_all_again();
	return message;
}

void xenstore_turn(void)
{
	/* First: what is there by now came in time. */
	uint64_t now_awake = clock_awake_ns();
	unsigned taken = 0;

	while (taken < TURN_MESSAGES && !xenstore_fault() && take_message(now_awake))
		taken++;
	if (taken == TURN_MESSAGES)
		xenstore_note_news();
	if (!xenstore_fault())
		read_next();
	if (!xenstore_fault())
		xenstore_go_on(now_awake);
	xenstore_ring_notify();
	/* Last: it may sleep, and what has been asked should not wait for that. */
	xenstore_log_silence();
}
