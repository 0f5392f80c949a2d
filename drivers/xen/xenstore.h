/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * xenstore.c: the client of the toolstack's store (io/xs_wire.h): names with values, which
 * xenstored keeps for all domains. Paths are relative to this domain's, or absolute.
 *
 * Requests and answers pass through a ring of 1 KiB each way, in a page that the other side writes
 * as it likes: every count, length, type and text in it is input. One task, the store's own, reads
 * all that comes; events may come in front of an answer. Several tasks may ask at the same time,
 * and are served in turn. Callers wait at most XENSTORE_DEADLINE_NS in which the guest ran.
 *
 * A store that owes an answer for so long is silent, as one that was stopped or is being replaced:
 * calls fail at once, but the answer is still waited for. When it comes the store is used again,
 * and all nodes that are followed are read anew. There is a line in the log for each of the two. A
 * store that breaks the protocol is given up, with one line: all calls fail from then on. Either
 * way nodes keep their last values.
 */
#ifndef DRIVERS_XEN_XENSTORE_H
#define DRIVERS_XEN_XENSTORE_H

#include "drivers/xen/xen_abi.h"
#include "kernel/lib/types.h"
#include "kernel/task/task.h"

#define XENSTORE_DEADLINE_NS (2 * NS_PER_S)

/* A longer path is refused; xenstored has room for 2048, or 3072 where it is absolute. */
#define XENSTORE_PATH_MAX 256

/* What is followed is short: a longer value is cut, and `cut` set. */
#define XENSTORE_NODE_MAX 64

/*
 * Connects to the store: resets watches that another image left, and starts the store's task. In a
 * task, after xen_events_start(). -ENODEV: there is no store; -ENOMEM, -EAGAIN: no task; -EIO: it
 * answers nonsense, and is given up; -ETIMEDOUT: it is silent, and can be used when it no longer
 * is. May be called again when the store is given up and its task has ended; nodes are to be
 * followed anew then.
 */
int xenstore_start(void);

/* Why the store is not used any more, for people; NULL: it is, or was never started. */
const char *xenstore_fault(void);

/* Tells whether the store has owed an answer for too long, and still does. */
bool xenstore_is_silent(void);

/*
 * Reads the value of `path`, of at most `size` - 1 bytes, and puts a NUL after it. `*length`:
 * without that NUL; a value may have NULs in it. In a task; sleeps. Nothing is stored on an error.
 * -ENODEV: there is no store; -EINVAL: no path; -ENOENT: it has no value; -EACCES: it may not be
 * read, or written; -E2BIG: it is longer; -ENOSPC: the domain has used up what it may write;
 * -EIO: the store says another error, or is given up; -ETIMEDOUT: it does not answer in time. Then
 * what was asked may be done later.
 */
int xenstore_read(const char *path, char *value, size_t size, size_t *length);

/* Writes a value, a text. In a task; sleeps. Returns 0, or an error as of xenstore_read(). */
int xenstore_write(const char *path, const char *value);

/* A name whose value is followed: the store's task keeps a copy of it up to date. */
struct xenstore_node {
	const char *path;
	struct wait_queue *waiters; /* woken when it has changed; NULL: nobody waits */
	/* All below is the store's, and changes only while the reader sleeps. */
	uint64_t changes; /* so often it was read and found another; 0: not read yet */
	bool exists;	  /* and may be read */
	bool cut;
	bool stale; /* an event has come since it was asked for */
	size_t length;
	char value[XENSTORE_NODE_MAX]; /* with a NUL after it */
	struct xenstore_node *next;
};

/*
 * Follows a name, from now on: it was read once when this returns. In a task; sleeps. The node is
 * the caller's and stays linked, but after an error. A name that does not exist is followed as
 * well. Errors as of xenstore_read(), but -ENOENT.
 */
int xenstore_follow(struct xenstore_node *node);

/* Returns the first of the nodes that are followed; NULL: there is none. For people. */
const struct xenstore_node *xenstore_nodes(void);

struct xenstore_counts {
	uint64_t requests;
	uint64_t events;  /* those for what nobody follows are in both */
	uint64_t unknown; /* these, and answers to what nobody asked */
};

/* Stores what was counted since the last start. */
void xenstore_get_counts(struct xenstore_counts *counts);

#endif
