/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A stream of JSON objects over a socket: see qmp_internal.h. It is framed by JSON's
 * grammar alone: QEMU may lay an object out over many lines (-qmp ...,pretty=on), and a
 * socket may cut it anywhere. Each object is input: its size and depth are bounded, and
 * its meaning is not known here.
 */
#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <json-c/json.h>

#include "tools/deadline.h"
#include "tools/qmp_internal.h"

#define DEPTH_MAX 64 /* objects and arrays in each other; QEMU's answers have a few */

/*
 * Somebody who was stopped himself finds the answer after its deadline: a socket's buffer
 * full is still read. Somebody who never stops talking is not listened to any longer.
 */
#define LATE_MAX ((size_t)256 * 1024)

void qmp_begin(struct qmp *q, int64_t deadline)
{
	q->deadline = deadline_first(deadline, q->last);
	q->late = 0;
}

void qmp_close(struct qmp *q)
{
	if (q->fd >= 0)
		close(q->fd);
	q->fd = -1;
	q->at = 0;
	q->end = 0;
	q->value_size = 0;
	if (q->tokener)
		json_tokener_reset(q->tokener);
}

/* Control characters from outside never reach a person's terminal. */
void qmp_make_printable(char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text < ' ' || *text == 0x7f)
			*text = '?';
}

int qmp_fail(struct qmp *q, int err, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(q->error, sizeof(q->error), format, args);
	va_end(args);
	qmp_make_printable(q->error);
	q->error_class[0] = '\0';
	return err;
}

int qmp_close_for(struct qmp *q, int err)
{
	qmp_close(q);
	return err;
}

/* 1: ready, 0: the deadline is over, else a negative errno. */
static int wait_ready(int fd, short events, int64_t deadline)
{
	struct pollfd pfd = { .fd = fd, .events = events };
	int n;

	do {
		n = poll(&pfd, 1, deadline_left(deadline));
	} while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : n;
}

/* What may stand between two objects: QEMU ends each with a line. */
static void skip_white_space(struct qmp *q)
{
	while (q->at < q->end && memchr(" \t\r\n", q->buf[q->at], 4))
		q->at++;
}

/* Says where JSON ends. */
static int fail_json(struct qmp *q)
{
	return qmp_fail_and_close(q, -EPROTO, "QEMU sent what is no JSON object: %.*s",
				  (int)(q->end - q->at < 80 ? q->end - q->at : 80), q->buf + q->at);
}

static bool has_tokener(struct qmp *q)
{
	if (q->tokener)
		return true;
	q->tokener = json_tokener_new_ex(DEPTH_MAX);
	/* Without comments and other liberties; what follows an object is the next one's. */
	if (q->tokener)
		json_tokener_set_flags(q->tokener,
				       JSON_TOKENER_STRICT | JSON_TOKENER_ALLOW_TRAILING_CHARS);
	return !!q->tokener;
}

/* What the tokener made of `used` bytes, which are behind us. */
static int check_json(struct qmp *q, size_t used)
{
	enum json_tokener_error error = json_tokener_get_error(q->tokener);

	if (error == json_tokener_success) {
		q->value_size = 0;
		return 0;
	}
	if (error == json_tokener_error_depth)
		return qmp_fail_and_close(q, -EPROTO, "QEMU sent JSON of more than %d levels",
					  DEPTH_MAX);
	if (error != json_tokener_continue)
		return fail_json(q);
	q->value_size += used;
	if (q->value_size > QMP_VALUE_MAX)
		return qmp_fail_and_close(q, -EMSGSIZE, "QEMU sent an object of more than %d bytes",
					  QMP_VALUE_MAX);
	return 0;
}

/*
 * Feeds what was received to the tokener, as far as the object goes. *object is NULL if it
 * goes on. An object ends with its brace, so nothing has to follow.
 */
static int parse_some(struct qmp *q, struct json_object **object)
{
	size_t used;

	*object = NULL;
	if (!q->value_size)
		skip_white_space(q);
	if (q->at == q->end)
		return 0;
	if (!q->value_size && q->buf[q->at] != '{')
		return fail_json(q);
	if (!has_tokener(q))
		return qmp_fail(q, -ENOMEM, "out of memory");
	*object = json_tokener_parse_ex(q->tokener, q->buf + q->at, (int)(q->end - q->at));
	used = json_tokener_get_parse_end(q->tokener);
	assert(used <= q->end - q->at);
	q->at += used;
	return check_json(q, used);
}

static int receive_some(struct qmp *q)
{
	ssize_t n;

	assert(q->at == q->end);
	q->at = 0;
	q->end = 0;
	n = recv(q->fd, q->buf, sizeof(q->buf), MSG_DONTWAIT);
	if (n > 0) {
		q->end = (size_t)n;
		if (deadline_left(q->deadline) == 0)
			q->late += (size_t)n;
		return 0;
	}
	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return 0;
	if (n < 0 && errno != ECONNRESET)
		return qmp_fail_and_close(q, -errno, "cannot read from QEMU: %s", strerror(errno));
	return qmp_fail_and_close(q, -ECONNRESET, "QEMU closed the connection%s",
				  q->value_size ? " in the middle of an answer" : "");
}

/* Waits for more than has been parsed. */
static int wait_for_more(struct qmp *q, const char *what)
{
	int ret = q->late > LATE_MAX ? 0 : wait_ready(q->fd, POLLIN, q->deadline);

	if (ret == 0)
		return qmp_fail(q, -ETIMEDOUT, "no %s from QEMU in time%s", what,
				q->value_size ? " (half of one came)" : "");
	if (ret < 0)
		return qmp_fail_and_close(q, ret, "poll: %s", strerror(-ret));
	return receive_some(q);
}

int qmp_read_object(struct qmp *q, const char *what, struct json_object **object)
{
	int ret;

	assert(q->fd >= 0);
	while (!(ret = parse_some(q, object)) && !*object) {
		ret = wait_for_more(q, what);
		if (ret)
			return ret;
	}
	return ret;
}

int qmp_send_text(struct qmp *q, const char *text)
{
	size_t left = strlen(text);

	assert(q->fd >= 0);
	while (left) {
		ssize_t n = send(q->fd, text, left, MSG_NOSIGNAL | MSG_DONTWAIT);
		int ret = 1;

		if (n > 0) {
			text += n;
			left -= (size_t)n;
		} else if (errno == EAGAIN) {
			ret = wait_ready(q->fd, POLLOUT, q->deadline);
		} else if (errno != EINTR) {
			ret = -errno;
		}
		/* A command that was sent in part cannot be taken back. */
		if (ret <= 0)
			return qmp_fail_and_close(q, ret ? ret : -ETIMEDOUT,
						  "cannot send to QEMU: %s",
						  strerror(ret ? -ret : ETIMEDOUT));
	}
	return 0;
}
