/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * qmp.c: a client of the QEMU Machine Protocol over a unix socket.
 *
 * One command at a time, each with a deadline. Events that arrive in the
 * middle of an answer are kept aside (the newest QMP_EVENTS of them). What
 * QEMU says is input: every line is bounded, parsed and checked before use.
 * Numbers are exact over the whole range of int64_t and uint64_t.
 *
 * Errors: functions return 0 or a negative errno; qmp_error() then says in a
 * sentence what went wrong.
 *	-ENAMETOOLONG	the path does not fit a socket address
 *	-EPERM		the socket, or the process behind it, is not ours
 *	-ENOTCONN	there is no connection (any more)
 *	-ETIMEDOUT	no answer within the deadline; the connection stays
 *			usable, a late answer is recognised and dropped
 *	-ECONNRESET	QEMU closed the connection, maybe in mid-line
 *	-EMSGSIZE	a line of more than QMP_LINE_MAX bytes
 *	-EPROTO		not JSON, or not what QMP says
 *	-ENODEV		QEMU says that it has no such (balloon) device
 *	-EREMOTEIO	any other error answer, see qmp_error_class()
 * or what connect(2), read(2) and write(2) say. After -ECONNRESET, -EMSGSIZE,
 * -EPROTO and failed writes the connection is closed: later calls give
 * -ENOTCONN.
 */
#ifndef TOOLS_QMP_H
#define TOOLS_QMP_H

#include <stdint.h>
#include <sys/types.h>

#define QMP_LINE_MAX (1024 * 1024) /* bytes of one answer */
#define QMP_EVENTS 64		   /* events kept for qmp_event() */
#define QMP_TIMEOUT_MS 30000	   /* per command, until it is set */

struct json_object;
struct qmp;

/* A client that is not connected; never fails (ends the program instead). */
struct qmp *qmp_new(void);

/* Closes and frees; NULL is allowed. */
void qmp_free(struct qmp *q);

/*
 * Connect to the socket at @path, read the greeting and leave negotiation
 * mode. The socket must be a socket and belong to the caller: who owns a QMP
 * socket owns the person who trusts its answers.
 */
int qmp_connect(struct qmp *q, const char *path, int timeout_ms);

/* The same over a connected stream socket; @fd belongs to @q from now on. */
int qmp_attach(struct qmp *q, int fd, int timeout_ms);

/* The process that serves the socket; -ENOTCONN. */
int qmp_peer(struct qmp *q, pid_t *pid);

/* The deadline of every later qmp_execute(). */
void qmp_set_timeout(struct qmp *q, int timeout_ms);

/*
 * Run @command. @args is a JSON object or NULL, and is consumed in any case.
 * With @reply the caller gets a reference to the "return" value, to be given
 * back by json_object_put().
 */
int qmp_execute(struct qmp *q, const char *command, struct json_object *args,
		struct json_object **reply);

/*
 * Wait for an event of that name, one that was kept aside first. With
 * @event the caller gets a reference to the whole event object.
 */
int qmp_event(struct qmp *q, const char *name, int timeout_ms, struct json_object **event);

/* Forget the events kept aside, to wait for one that is still to come. */
void qmp_forget_events(struct qmp *q);

/* The last error as a sentence without newline; "" before the first. */
const char *qmp_error(const struct qmp *q);

/* QMP's error class of the last -ENODEV or -EREMOTEIO, else "". */
const char *qmp_error_class(const struct qmp *q);

/* "balloon": @bytes_left is memory *left* to the guest, as QMP counts. */
int qmp_balloon(struct qmp *q, uint64_t bytes_left);

/*
 * "query-balloon": bytes left to the guest as the guest last said. Unchecked
 * by QEMU: a guest that lies makes it negative.
 */
int qmp_query_balloon(struct qmp *q, int64_t *actual);

/* A command of the human monitor; *@text is the caller's, by free(). */
int qmp_human(struct qmp *q, const char *command, char **text);

/* Send a serial Break through the character device @id. */
int qmp_send_break(struct qmp *q, const char *id);

/* "quit"; a connection that ends before the answer is a success too. */
int qmp_quit(struct qmp *q);

#endif
