/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The files of the store's client, each of which calls only those above it here. All but
 * xenstore_ask() never sleep, unless in the log; none is for interrupts but xenstore_note_news()
 * and xenstore_note_interrupt().
 */
#ifndef DRIVERS_XEN_XENSTORE_INTERNAL_H
#define DRIVERS_XEN_XENSTORE_INTERNAL_H

#include "drivers/xen/xenstore.h"

/* ---- xenstore_ring.c: bytes in and out of the page, cut into messages ---- */

/* A message that has come, in our own memory. */
struct xenstore_message {
	struct xenstore_header header;
	char payload[XENSTORE_PAYLOAD_MAX + 1]; /* with a NUL after its `header.length` bytes */
};

/*
 * Begins with a page and the port of its other end. What lies unread in it was meant for
 * somebody before us.
 */
void xenstore_ring_begin(struct xenstore_ring *page, uint32_t port);

/*
 * Begins to send a message of the texts that are not NULL, one after the other: `first` with its
 * NUL, `second` with it or without. The one before is sent. -E2BIG: they are too long.
 */
int xenstore_ring_put_message(const struct xenstore_header *header, const char *first,
			      const char *second, bool second_ends);

/* Tells whether all of the last message is in the ring, or was. */
bool xenstore_ring_is_sent(void);

/* Puts as much of it into the ring as has room there. -EIO: the counts are nonsense. */
int xenstore_ring_send(void);

/*
 * Takes what has come of a message, and stores it when it is whole, else NULL. It is good until
 * the next call. -EIO: the counts are nonsense; -EMSGSIZE: it is said to be longer than any.
 */
int xenstore_ring_receive(const struct xenstore_message **message);

/* Interrupts the other side if there is something new for it in the page. */
void xenstore_ring_notify(void);

/* ---- xenstore_request.c: requests and their answers, one after the other ---- */

/* Belongs to the asker, and is in use until `done`, or until it is withdrawn. */
struct xenstore_request {
	enum xenstore_type type;
	const char *path;
	const char *text; /* a value, or a token; NULL: none */
	/* Called with the answer, if there is one; `err`: as it said. NULL: only `err` counts. */
	int (*take)(struct xenstore_request *request, int err, const char *value, size_t length);
	void *arg;
	/* The file's own. */
	bool done;
	int err; /* what take() returned, or the store's end */
	uint64_t asked_awake;
	struct wait_queue waiters;
	struct xenstore_request *next;
};

/* Forgets all requests, of a store that is given up or was never there. */
void xenstore_requests_begin(void);

/* Puts a request into the queue. The store is not given up. */
void xenstore_add(struct xenstore_request *request);

/* Takes it out, as its memory goes; its answer, if it comes, is dropped. */
void xenstore_withdraw(struct xenstore_request *request);

/*
 * Asks and waits for the answer, in a task, until XENSTORE_DEADLINE_NS after `begin_awake`, when
 * the caller began. Returns `err` of the request; -ETIMEDOUT: none came, and it is withdrawn, or
 * the store is silent, and it was not asked.
 */
int xenstore_ask(struct xenstore_request *request, uint64_t begin_awake);

/*
 * Gives an answer to its request. `now_awake`: before it was taken from the ring. Returns whether
 * it ends a silence: events may have been lost in that.
 */
bool xenstore_answer(const struct xenstore_message *message, uint64_t now_awake);

/* Sends what waits; notes whether the store has owed an answer for too long. */
void xenstore_go_on(uint64_t now_awake);

/* Says in the log that a silence has begun or ended, once. */
void xenstore_log_silence(void);

/* Gives the store up, once: says why, and ends all requests with -EIO. */
void xenstore_give_up(const char *fault);

/* Counts an event; `known`: somebody follows what it tells of, and it is recorded. */
void xenstore_count_event(bool known);

/* Tells the store's task that there is something to do. May be called from an interrupt. */
void xenstore_note_news(void);

/* Does so because the store has interrupted. */
void xenstore_note_interrupt(void);

/* Sleeps until there is, or it is time to look by ourselves. For the store's task. */
void xenstore_wait_for_news(void);

/* ---- xenstore_node.c: nodes that are followed; the store's whole turn ---- */

/* Forgets all nodes. */
void xenstore_nodes_begin(void);

/* Begins and ends to keep a copy of a node's value. */
void xenstore_node_add(struct xenstore_node *node);
void xenstore_node_remove(struct xenstore_node *node);

/* Takes the answer to a READ for the node that is the request's `arg`; returns its errno. */
int xenstore_node_take(struct xenstore_request *request, int err, const char *value, size_t length);

/* Does what is to do now, within a bound; what is left is noted as news. */
void xenstore_turn(void);

#endif
