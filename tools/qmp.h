/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * qmp.c: a client of the QEMU Machine Protocol over a unix socket.
 *
 * One command at a time, each with a deadline, which no event, no answer to another
 * command and no half of a value puts off. Events that arrive in the
 * middle of an answer are kept aside (the newest QMP_EVENTS of them). All that
 * QEMU says is input: every value is bounded, parsed and checked before use.
 * Numbers are exact over the whole range of int64_t and uint64_t.
 *
 * Errors: functions return 0 or a negative errno; qmp_error() then says in a
 * sentence what went wrong.
 *	-ENAMETOOLONG	the path does not fit a socket address
 *	-ENOTSOCK	the path is that of something else
 *	-EPERM		the socket, or the process that serves it, is not ours
 *	-ENOTCONN	there is no connection (any more)
 *	-ETIMEDOUT	no answer within the deadline; the connection stays
 *			usable, a late answer is recognised and dropped
 *	-ECONNRESET	QEMU closed the connection, maybe in the middle of a value
 *	-EMSGSIZE	a value of more than QMP_VALUE_MAX bytes
 *	-EPROTO		not JSON, or not what QMP says
 *	-ENODEV		QEMU says that it has no such (balloon) device
 *	-EREMOTEIO	any other error answer, see qmp_error_class()
 * or what connect(2), read(2) and write(2) say. After -ECONNRESET, -EMSGSIZE,
 * -EPROTO and failed writes the connection is closed: later calls give
 * -ENOTCONN.
 */
#ifndef TOOLS_QMP_H
#define TOOLS_QMP_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define QMP_VALUE_MAX (1024 * 1024) /* bytes of one answer */
#define QMP_EVENTS 64		    /* events kept for qmp_event() */
#define QMP_TIMEOUT_MS 30000	    /* per command, until it is set */

struct json_object;
struct qmp;

/* Makes a client that is not connected; never fails (ends the program instead). */
struct qmp *qmp_new(void);

/* Closes and frees; NULL is allowed. */
void qmp_free(struct qmp *q);

/*
 * Connects to the socket at `path`, reads the greeting and leaves negotiation
 * mode. It must be a socket and belong to the caller: the owner of a QMP socket
 * decides what those who trust its answers believe. -ENAMETOOLONG, -ENOTSOCK,
 * -EPERM, -ETIMEDOUT, -EBUSY, -EPROTO, or what lstat(2) and connect(2) say.
 */
int qmp_connect(struct qmp *q, const char *path, int timeout_ms);

/*
 * Reads the greeting and leaves negotiation mode on a connected stream socket,
 * which belongs to the client from now on, also on failure. -ETIMEDOUT: nobody
 * greets; -EBUSY: somebody else is connected; -EPROTO: what greets does not speak QMP;
 * -ECONNRESET, -EMSGSIZE.
 */
int qmp_attach(struct qmp *q, int fd, int timeout_ms);

/* Finds the process that serves the socket; -ENOTCONN. */
int qmp_peer(struct qmp *q, pid_t *pid);

/*
 * Gives the first number of the version of the QEMU that greeted last, 7 for
 * 7.2.22; 0: it did not say.
 */
unsigned qmp_version(const struct qmp *q);

/* Sets how long every later qmp_execute() may take. */
void qmp_set_timeout(struct qmp *q, int timeout_ms);

/*
 * Sets a deadline (of tools/deadline.h) for all that is done later, on top of the single
 * times: nothing waits longer, and no command is sent after it. DEADLINE_NONE, which is
 * so at first: there is none. Returns the deadline that was set before.
 */
int64_t qmp_set_deadline(struct qmp *q, int64_t deadline);

/*
 * Runs a command. `args` is a JSON object or NULL, and is consumed in any case.
 * With `reply` the caller gets a reference to the "return" value, to be given
 * back by json_object_put(). -ENODEV and -EREMOTEIO: QEMU refuses; -ENOTCONN,
 * -ETIMEDOUT, -ECONNRESET, -EMSGSIZE, -EPROTO, -ENOMEM.
 */
int qmp_execute(struct qmp *q, const char *command, struct json_object *args,
		struct json_object **reply);

/*
 * Waits for an event of that name; one that was kept aside counts. With `event`
 * the caller gets a reference to the whole event object. -ETIMEDOUT, -ENOTCONN,
 * -ECONNRESET, -EMSGSIZE, -EPROTO.
 */
int qmp_event(struct qmp *q, const char *name, int timeout_ms, struct json_object **event);

/*
 * Tells whether an event `name` has come on this connection, and no event `undone` after
 * it. Only those that are kept aside count, and they stay; nothing is waited for.
 */
bool qmp_has_seen(const struct qmp *q, const char *name, const char *undone);

/* Drops the events kept aside, to wait for one that is still to come. */
void qmp_forget_events(struct qmp *q);

/* Gives the last error as a sentence without newline; "" before the first. */
const char *qmp_error(const struct qmp *q);

/* Gives QMP's error class after -ENODEV or -EREMOTEIO, "" after any other error. */
const char *qmp_error_class(const struct qmp *q);

/*
 * Sets the balloon's target, as memory *left* to the guest, which is how QMP
 * counts. -ENODEV: there is no balloon; or what qmp_execute() gives.
 */
int qmp_balloon(struct qmp *q, uint64_t bytes_left);

/*
 * Asks how many bytes are left to the guest, as the guest last said. QEMU does
 * not check that: a guest that lies makes it negative. -ENODEV: there is no
 * balloon; -EPROTO: the answer is no number; or what qmp_execute() gives.
 */
int qmp_query_balloon(struct qmp *q, int64_t *actual);

/*
 * Runs a command of the human monitor; *text, what it printed, is the caller's by
 * free(). -EPROTO: that was no text; -ENOMEM; or what qmp_execute() gives.
 */
int qmp_human(struct qmp *q, const char *command, char **text);

/*
 * Sends a serial Break through the character device `id`. -ENODEV: there is none;
 * or what qmp_execute() gives.
 */
int qmp_send_break(struct qmp *q, const char *id);

/*
 * Tells QEMU to quit. A connection that ends before the answer (-ECONNRESET, -EPIPE)
 * is a success, too; other errors are those of qmp_execute().
 */
int qmp_quit(struct qmp *q);

#endif
