/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * xenstored without a machine: the other end of a domain's store page, in plain C, with the nodes
 * of one domain. The answers are those of the C xenstored of Xen 4.17: an event follows a watch at
 * once, and each change of a node or of one below it; errors are names.
 *
 * It watches the client: the first rule that it breaks is remembered, and a test ends with
 * assert_null(store.violation). It can be told to be slow, to stop, and to lie.
 */
#ifndef TESTS_SIM_SIM_XENSTORE_H
#define TESTS_SIM_SIM_XENSTORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "drivers/xen/xen_abi.h"

#define SIM_XENSTORE_DOMAIN "/local/domain/1/"
#define SIM_XENSTORE_NODES 24
#define SIM_XENSTORE_PATH 320
#define SIM_XENSTORE_WATCHES 8
#define SIM_XENSTORE_OUT 16384 /* bytes that wait for room in the ring */

struct sim_xenstore_node {
	char path[SIM_XENSTORE_PATH]; /* absolute; "": none */
	bool absent;		      /* it was removed */
	bool secret;		      /* the domain may neither read nor write it */
	size_t length;
	char value[XENSTORE_PAYLOAD_MAX];
};

struct sim_xenstore_watch {
	bool used;
	char path[SIM_XENSTORE_PATH]; /* as it was given */
	char token[SIM_XENSTORE_PATH];
};

/* What it tells that is not so. */
enum sim_xenstore_lie {
	SIM_XENSTORE_HONEST,
	SIM_XENSTORE_REQUEST_CONS_AHEAD,  /* it has read what was never written */
	SIM_XENSTORE_REQUEST_CONS_WILD,	  /* likewise, by half of all numbers */
	SIM_XENSTORE_RESPONSE_PROD_AHEAD, /* one byte more than the ring has */
	SIM_XENSTORE_RESPONSE_PROD_WILD,
	SIM_XENSTORE_LENGTH_AHEAD, /* one byte more than a message has */
	SIM_XENSTORE_LENGTH_WILD,
	SIM_XENSTORE_WRONG_TYPE,
	SIM_XENSTORE_NO_TYPE,
	SIM_XENSTORE_WRONG_ID,
	SIM_XENSTORE_TRANSACTION,
	SIM_XENSTORE_EARLY,	   /* an answer in mid-request */
	SIM_XENSTORE_TWICE,	   /* every answer comes twice */
	SIM_XENSTORE_ERROR_NAME,   /* an error that there is not, without a NUL */
	SIM_XENSTORE_ERROR_EMPTY,  /* without a name */
	SIM_XENSTORE_EVENT_TOKEN,  /* before each answer: of nobody's watch */
	SIM_XENSTORE_EVENT_TEXT,   /* likewise: without any NUL */
	SIM_XENSTORE_EVENT_EMPTY,  /* likewise: without text */
	SIM_XENSTORE_SHORT_LENGTH, /* the answer is longer than it says */
	SIM_XENSTORE_OWN_COUNTS,   /* it writes over the client's counts */
	SIM_XENSTORE_SILENT,	   /* it reads, and never answers */
	SIM_XENSTORE_DEAF,	   /* it does not read */
	SIM_XENSTORE_LIES,
};

struct sim_xenstore {
	struct xenstore_ring *page;
	void (*notify)(void *arg); /* an event for the domain; NULL: none ever comes */
	void *arg;

	struct sim_xenstore_node node[SIM_XENSTORE_NODES];
	struct sim_xenstore_watch watch[SIM_XENSTORE_WATCHES];

	/* How it does what it does. */
	size_t piece;	       /* it moves so many bytes at a time, and tells of each; 0: all */
	size_t bytes_left;     /* so many more bytes it moves, then none; SIZE_MAX: no end */
	unsigned events_first; /* so many more of each watch come in front of each answer */
	bool watches_lost;     /* it answers well, but keeps none */
	bool old;	       /* it knows no RESET_WATCHES */
	enum sim_xenstore_lie lie;
	unsigned honest; /* so many answers before the lie */

	/* What happened. */
	const char *violation; /* the client's first mistake; NULL: there was none */
	uint64_t requests[XENSTORE_RESET_WATCHES + 1]; /* by type */
	uint64_t answers, events;
	uint64_t lies;

	/* Bytes on their way. */
	uint32_t request_cons, response_prod;
	char in[sizeof(struct xenstore_header) + XENSTORE_PAYLOAD_MAX];
	size_t received;
	char out[SIM_XENSTORE_OUT];
	size_t out_length, out_sent;
	bool early; /* that answer was given */
};

/* Begins with no nodes, at a page that it empties. */
void sim_xenstore_begin(struct sim_xenstore *store, struct xenstore_ring *page);

/* Sets a node, as the toolstack does, and tells of it. A path without a / before it is relative. */
void sim_xenstore_set(struct sim_xenstore *store, const char *path, const char *value);

/* Sets a node to any bytes. */
void sim_xenstore_set_bytes(struct sim_xenstore *store, const char *path, const void *value,
			    size_t length);

/* Removes a node, which must be there, and tells of it. */
void sim_xenstore_remove(struct sim_xenstore *store, const char *path);

/* Returns a node; NULL: there is none. */
struct sim_xenstore_node *sim_xenstore_find(struct sim_xenstore *store, const char *path);

/* Sends an event to every watch, as if all had changed. */
void sim_xenstore_fire_all(struct sim_xenstore *store);

/* Puts a message into what it will send, whatever it is. */
void sim_xenstore_say(struct sim_xenstore *store, uint32_t type, uint32_t id, const void *payload,
		      size_t length);

/* Moves bytes and answers, once. Returns whether anything moved; then the domain was notified. */
bool sim_xenstore_step(struct sim_xenstore *store);

#endif
