/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Shared by the files of the QMP client: qmp_connect.c finds QEMU, qmp_wire.c
 * moves JSON values and keeps the error's sentence, qmp.c knows the protocol,
 * qmp_commands.c single commands. Only these files include it.
 */
#ifndef TOOLS_QMP_INTERNAL_H
#define TOOLS_QMP_INTERNAL_H

#include <stddef.h>
#include <stdint.h>

#include "tools/qmp.h"

#define QMP_CHUNK 4096 /* bytes that are received at a time */

struct json_tokener;

struct qmp {
	int fd; /* -1: not connected */
	int timeout_ms;
	int64_t last;	  /* deadline of all commands, see qmp_set_deadline() */
	int64_t deadline; /* of what is done now: the greeting, a command, an event */
	size_t late;	  /* bytes received since that has passed */
	uint64_t last_id;
	unsigned version;	      /* see qmp_version() */
	struct json_tokener *tokener; /* in a value, or before the next one */
	size_t value_size;	      /* bytes of that value so far; 0: before it */
	char buf[QMP_CHUNK];	      /* bytes received, from `at` on not yet parsed */
	size_t at, end;
	struct json_object *events[QMP_EVENTS]; /* oldest first */
	size_t nr_events;
	char error[512];
	char error_class[64];
};

/*
 * Keeps the sentence for qmp_error(), printable, and forgets the error class;
 * returns `err`.
 */
__attribute__((format(printf, 3, 4))) int qmp_fail(struct qmp *q, int err, const char *format, ...);

/* Keeps the sentence for a socket that serves somebody else; returns -EBUSY. */
int qmp_fail_busy(struct qmp *q);

/* Begins something that has to be done by `deadline`, and by the one of all commands. */
void qmp_begin(struct qmp *q, int64_t deadline);

/* Closes the connection, if there is one, and drops what was received. */
void qmp_close(struct qmp *q);

/* qmp_close(); returns `err`. */
int qmp_close_for(struct qmp *q, int err);

/* For errors after which the stream of values cannot be trusted any more. */
#define qmp_fail_and_close(q, err, ...) qmp_close_for(q, qmp_fail(q, err, __VA_ARGS__))

/* Replaces control characters: text from outside goes to a person's terminal. */
void qmp_make_printable(char *text);

/*
 * Waits for the next JSON object, wherever its bytes are cut and whatever white space
 * stands in and before it; *object is the caller's by json_object_put(). The deadline
 * is that of qmp_begin(), however much comes; what was there before it has passed
 * still counts. `what` is for the sentence of -ETIMEDOUT, which leaves the connection
 * open. -ECONNRESET, -EMSGSIZE, -EPROTO and what read(2) says close it; -ENOMEM.
 */
int qmp_read_object(struct qmp *q, const char *what, struct json_object **object);

/*
 * Sends all of `text`, by the deadline of qmp_begin(). On failure (-ETIMEDOUT, or what
 * send(2) says) the connection is closed: a command that was sent in part cannot be
 * taken back.
 */
int qmp_send_text(struct qmp *q, const char *text);

#endif
