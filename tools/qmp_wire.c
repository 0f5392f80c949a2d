/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Lines of JSON over a socket: see qmp_internal.h. Each line is input: its length
 * is bounded, and it must be an object, whose meaning is not known here.
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

#define READ_CHUNK 4096

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
	q->len = 0;
	q->scanned = 0;
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

/*
 * Takes the first whole line out of the buffer; false: there is none. *line is by free();
 * NULL: out of memory.
 */
static bool take_line(struct qmp *q, char **line)
{
	char *end = NULL;
	size_t line_len;

	assert(q->scanned <= q->len && q->len <= q->size);
	if (q->len > q->scanned)
		end = memchr(q->buf + q->scanned, '\n', q->len - q->scanned);
	if (!end) {
		q->scanned = q->len;
		return false;
	}
	line_len = (size_t)(end - q->buf);
	*line = strndup(q->buf, line_len);
	q->len -= line_len + 1;
	memmove(q->buf, end + 1, q->len);
	q->scanned = 0;
	return true;
}

static int receive_some(struct qmp *q)
{
	ssize_t n;

	if (q->len > QMP_LINE_MAX)
		return qmp_fail_and_close(q, -EMSGSIZE, "QEMU sent a line of more than %d bytes",
					  QMP_LINE_MAX);
	if (q->size - q->len < READ_CHUNK) {
		size_t size = q->size * 2 + READ_CHUNK;
		char *buf = realloc(q->buf, size);

		if (!buf)
			return qmp_fail(q, -ENOMEM, "out of memory");
		q->buf = buf;
		q->size = size;
	}
	assert(q->size - q->len >= READ_CHUNK);
	n = recv(q->fd, q->buf + q->len, READ_CHUNK, MSG_DONTWAIT);
	if (n > 0) {
		q->len += (size_t)n;
		if (deadline_left(q->deadline) == 0)
			q->late += (size_t)n;
		return 0;
	}
	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return 0;
	if (n < 0 && errno != ECONNRESET)
		return qmp_fail_and_close(q, -errno, "cannot read from QEMU: %s", strerror(errno));
	return qmp_fail_and_close(q, -ECONNRESET, "QEMU closed the connection%s",
				  q->len ? " in the middle of a line" : "");
}

static int read_line(struct qmp *q, const char *what, char **line)
{
	while (!take_line(q, line)) {
		int ret = q->late > LATE_MAX ? 0 : wait_ready(q->fd, POLLIN, q->deadline);

		if (ret == 0)
			return qmp_fail(q, -ETIMEDOUT, "no %s from QEMU in time%s", what,
					q->len ? " (half a line came)" : "");
		if (ret < 0)
			return qmp_fail_and_close(q, ret, "poll: %s", strerror(-ret));
		ret = receive_some(q);
		if (ret)
			return ret;
	}
	return *line ? 0 : qmp_fail_and_close(q, -ENOMEM, "out of memory");
}

static bool only_blanks(const char *text)
{
	return text[strspn(text, " \t\r")] == '\0';
}

static int parse_object(struct qmp *q, const char *line, struct json_object **object)
{
	struct json_tokener *tokener = json_tokener_new();
	size_t length = strlen(line);
	struct json_object *obj;
	size_t end;
	bool good;

	if (!tokener)
		return qmp_fail(q, -ENOMEM, "out of memory");
	/* The terminating NUL is passed too: it ends a bare number. */
	obj = json_tokener_parse_ex(tokener, line, (int)length + 1);
	/* json-c takes comments: one after the object swallows the NUL. */
	end = json_tokener_get_parse_end(tokener);
	good = json_tokener_get_error(tokener) == json_tokener_success &&
	       json_object_is_type(obj, json_type_object) && end <= length &&
	       only_blanks(line + end);
	json_tokener_free(tokener);
	if (!good) {
		json_object_put(obj);
		return qmp_fail_and_close(q, -EPROTO, "QEMU sent what is no JSON object: %.80s",
					  line);
	}
	*object = obj;
	return 0;
}

int qmp_read_object(struct qmp *q, const char *what, struct json_object **object)
{
	char *line;
	int ret;

	assert(q->fd >= 0);
	do {
		ret = read_line(q, what, &line);
		if (ret)
			return ret;
		if (!only_blanks(line)) {
			ret = parse_object(q, line, object);
			free(line);
			return ret;
		}
		free(line);
	} while (true);
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
