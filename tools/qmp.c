/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * QMP client: see qmp.h for the contract. Protocol as QEMU's
 * docs/interop/qmp-spec.txt has it: a greeting, qmp_capabilities, then one
 * JSON object a line. Each command carries an id, so that an answer that
 * comes after its deadline is not taken for the next one's.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <json-c/json.h>

#include "tools/deadline.h"
#include "tools/qmp.h"

#define READ_CHUNK 4096

struct qmp {
	int fd; /* -1: not connected */
	int timeout_ms;
	uint64_t last_id;
	char *buf; /* bytes received, not yet parsed */
	size_t len, size;
	size_t scanned;				/* no newline before this offset */
	struct json_object *events[QMP_EVENTS]; /* oldest first */
	size_t nr_events;
	char error[512];
	char error_class[64];
};

struct qmp *qmp_new(void)
{
	struct qmp *q = calloc(1, sizeof(*q));

	if (!q) {
		fputs("qmp: out of memory\n", stderr);
		exit(EXIT_FAILURE);
	}
	q->fd = -1;
	q->timeout_ms = QMP_TIMEOUT_MS;
	return q;
}

void qmp_forget_events(struct qmp *q)
{
	while (q->nr_events)
		json_object_put(q->events[--q->nr_events]);
}

static void qmp_close(struct qmp *q)
{
	if (q->fd >= 0)
		close(q->fd);
	q->fd = -1;
	q->len = 0;
	q->scanned = 0;
}

void qmp_free(struct qmp *q)
{
	if (!q)
		return;
	qmp_close(q);
	qmp_forget_events(q);
	free(q->buf);
	free(q);
}

void qmp_set_timeout(struct qmp *q, int timeout_ms)
{
	q->timeout_ms = timeout_ms;
}

const char *qmp_error(const struct qmp *q)
{
	return q->error;
}

const char *qmp_error_class(const struct qmp *q)
{
	return q->error_class;
}

/* Control characters from outside never reach a person's terminal. */
static void make_printable(char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text < ' ' || *text == 0x7f)
			*text = '?';
}

__attribute__((format(printf, 3, 4))) static int fail(struct qmp *q, int err, const char *format,
						      ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(q->error, sizeof(q->error), format, args);
	va_end(args);
	make_printable(q->error);
	q->error_class[0] = '\0';
	return err;
}

static int close_for(struct qmp *q, int err)
{
	qmp_close(q);
	return err;
}

/* For errors after which the stream of lines cannot be trusted any more. */
#define fail_and_close(q, err, ...) close_for(q, fail(q, err, __VA_ARGS__))

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

/* Takes the first whole line out of the buffer; NULL if there is none. */
static char *take_line(struct qmp *q)
{
	char *end = NULL;
	size_t line_len;
	char *line;

	if (q->len > q->scanned)
		end = memchr(q->buf + q->scanned, '\n', q->len - q->scanned);
	if (!end) {
		q->scanned = q->len;
		return NULL;
	}
	line_len = (size_t)(end - q->buf);
	line = strndup(q->buf, line_len);
	q->len -= line_len + 1;
	memmove(q->buf, end + 1, q->len);
	q->scanned = 0;
	return line;
}

static int receive_some(struct qmp *q)
{
	ssize_t n;

	if (q->len > QMP_LINE_MAX)
		return fail_and_close(q, -EMSGSIZE, "QEMU sent a line of more than %d bytes",
				      QMP_LINE_MAX);
	if (q->size - q->len < READ_CHUNK) {
		size_t size = q->size * 2 + READ_CHUNK;
		char *buf = realloc(q->buf, size);

		if (!buf)
			return fail(q, -ENOMEM, "out of memory");
		q->buf = buf;
		q->size = size;
	}
	n = read(q->fd, q->buf + q->len, READ_CHUNK);
	if (n > 0) {
		q->len += (size_t)n;
		return 0;
	}
	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return 0;
	if (n < 0 && errno != ECONNRESET)
		return fail_and_close(q, -errno, "cannot read from QEMU: %s", strerror(errno));
	return fail_and_close(q, -ECONNRESET, "QEMU closed the connection%s",
			      q->len ? " in the middle of a line" : "");
}

static int read_line(struct qmp *q, int64_t deadline, const char *what, char **line)
{
	while (!(*line = take_line(q))) {
		int ret = wait_ready(q->fd, POLLIN, deadline);

		if (ret == 0)
			return fail(q, -ETIMEDOUT, "no %s from QEMU in time%s", what,
				    q->len ? " (half a line came)" : "");
		if (ret < 0)
			return fail_and_close(q, ret, "poll: %s", strerror(-ret));
		ret = receive_some(q);
		if (ret)
			return ret;
	}
	return 0;
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
		return fail(q, -ENOMEM, "out of memory");
	/* The terminating NUL is passed too: it ends a bare number. */
	obj = json_tokener_parse_ex(tokener, line, (int)length + 1);
	/* json-c takes comments: one behind the object swallows the NUL. */
	end = json_tokener_get_parse_end(tokener);
	good = json_tokener_get_error(tokener) == json_tokener_success &&
	       json_object_is_type(obj, json_type_object) && end <= length &&
	       only_blanks(line + end);
	json_tokener_free(tokener);
	if (!good) {
		json_object_put(obj);
		return fail_and_close(q, -EPROTO, "QEMU sent what is no JSON object: %.80s", line);
	}
	*object = obj;
	return 0;
}

static int read_object(struct qmp *q, int64_t deadline, const char *what,
		       struct json_object **object)
{
	char *line;
	int ret;

	do {
		ret = read_line(q, deadline, what, &line);
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

static bool is_event(struct json_object *obj)
{
	return json_object_is_type(json_object_object_get(obj, "event"), json_type_string);
}

/* Takes the reference; the oldest event makes room. */
static void keep_event(struct qmp *q, struct json_object *event)
{
	if (q->nr_events == QMP_EVENTS) {
		json_object_put(q->events[0]);
		q->nr_events--;
		memmove(q->events, q->events + 1, q->nr_events * sizeof(q->events[0]));
	}
	q->events[q->nr_events++] = event;
}

static struct json_object *take_event(struct qmp *q, const char *name)
{
	for (size_t i = 0; i < q->nr_events; i++) {
		struct json_object *event = q->events[i];
		struct json_object *word = json_object_object_get(event, "event");

		if (strcmp(json_object_get_string(word), name))
			continue;
		q->nr_events--;
		memmove(q->events + i, q->events + i + 1,
			(q->nr_events - i) * sizeof(q->events[0]));
		return event;
	}
	return NULL;
}

static int send_text(struct qmp *q, const char *text, int64_t deadline)
{
	size_t left = strlen(text);

	while (left) {
		ssize_t n = send(q->fd, text, left, MSG_NOSIGNAL | MSG_DONTWAIT);
		int ret = 1;

		if (n > 0) {
			text += n;
			left -= (size_t)n;
		} else if (errno == EAGAIN) {
			ret = wait_ready(q->fd, POLLOUT, deadline);
		} else if (errno != EINTR) {
			ret = -errno;
		}
		/* A command that was sent in part cannot be taken back. */
		if (ret <= 0)
			return fail_and_close(q, ret ? ret : -ETIMEDOUT, "cannot send to QEMU: %s",
					      strerror(ret ? -ret : ETIMEDOUT));
	}
	return 0;
}

static int send_command(struct qmp *q, const char *command, struct json_object *args,
			int64_t deadline)
{
	struct json_object *request = json_object_new_object();
	const char *text;
	char *line = NULL;
	int ret;

	json_object_object_add(request, "execute", json_object_new_string(command));
	if (args)
		json_object_object_add(request, "arguments", args);
	json_object_object_add(request, "id", json_object_new_uint64(++q->last_id));
	text = json_object_to_json_string_ext(request, JSON_C_TO_STRING_PLAIN);
	if (asprintf(&line, "%s\n", text) < 0)
		ret = fail(q, -ENOMEM, "out of memory");
	else
		ret = send_text(q, line, deadline);
	free(line);
	json_object_put(request);
	return ret;
}

/* An error without an id answers a line that QEMU could not even parse. */
static bool answers_last(const struct qmp *q, struct json_object *obj)
{
	struct json_object *id;

	if (!json_object_object_get_ex(obj, "id", &id))
		return true;
	return json_object_is_type(id, json_type_int) && json_object_get_uint64(id) == q->last_id;
}

static const char *string_member(struct json_object *obj, const char *name)
{
	struct json_object *member;

	if (!json_object_object_get_ex(obj, name, &member) ||
	    !json_object_is_type(member, json_type_string))
		return "";
	return json_object_get_string(member);
}

static int error_answer(struct qmp *q, const char *command, struct json_object *error)
{
	const char *class = string_member(error, "class");
	bool no_device = !strcmp(class, "DeviceNotActive") || !strcmp(class, "DeviceNotFound");

	fail(q, 0, "QEMU refuses '%s': %s", command, string_member(error, "desc"));
	snprintf(q->error_class, sizeof(q->error_class), "%s", class);
	make_printable(q->error_class);
	return no_device ? -ENODEV : -EREMOTEIO;
}

/* Consumes @answer. */
static int take_answer(struct qmp *q, const char *command, struct json_object *answer,
		       struct json_object **reply)
{
	struct json_object *value;
	int ret = 0;

	if (json_object_object_get_ex(answer, "return", &value)) {
		if (reply)
			*reply = json_object_get(value);
	} else if (json_object_object_get_ex(answer, "error", &value)) {
		ret = error_answer(q, command, value);
	} else {
		ret = fail_and_close(q, -EPROTO,
				     "QEMU's answer to '%s' is neither return nor error", command);
	}
	json_object_put(answer);
	return ret;
}

static int execute_until(struct qmp *q, const char *command, struct json_object *args,
			 int64_t deadline, struct json_object **reply)
{
	struct json_object *obj;
	char what[64];
	int ret;

	if (q->fd < 0) {
		json_object_put(args);
		return fail(q, -ENOTCONN, "not connected to QEMU");
	}
	ret = send_command(q, command, args, deadline);
	if (ret)
		return ret;
	snprintf(what, sizeof(what), "answer to '%s'", command);
	while (!(ret = read_object(q, deadline, what, &obj))) {
		if (is_event(obj))
			keep_event(q, obj);
		else if (answers_last(q, obj))
			return take_answer(q, command, obj, reply);
		else
			json_object_put(obj);
	}
	return ret;
}

int qmp_execute(struct qmp *q, const char *command, struct json_object *args,
		struct json_object **reply)
{
	return execute_until(q, command, args, deadline_in(q->timeout_ms), reply);
}

int qmp_event(struct qmp *q, const char *name, int timeout_ms, struct json_object **event)
{
	int64_t deadline = deadline_in(timeout_ms);
	struct json_object *obj;
	char what[64];
	int ret;

	snprintf(what, sizeof(what), "event %s", name);
	while (!(obj = take_event(q, name))) {
		if (q->fd < 0)
			return fail(q, -ENOTCONN, "not connected to QEMU");
		ret = read_object(q, deadline, what, &obj);
		if (ret)
			return ret;
		if (is_event(obj))
			keep_event(q, obj);
		else
			json_object_put(obj); /* an answer that came late */
	}
	if (event)
		*event = obj;
	else
		json_object_put(obj);
	return 0;
}

int qmp_attach(struct qmp *q, int fd, int timeout_ms)
{
	int64_t deadline = deadline_in(timeout_ms);
	struct json_object *greeting;
	bool good;
	int ret;

	qmp_close(q);
	qmp_forget_events(q);
	q->fd = fd;
	ret = read_object(q, deadline, "greeting (is somebody else connected?)", &greeting);
	if (ret) {
		qmp_close(q);
		return ret;
	}
	good = json_object_object_get_ex(greeting, "QMP", NULL);
	json_object_put(greeting);
	if (!good)
		return fail_and_close(q, -EPROTO, "what answers here does not speak QMP");
	ret = execute_until(q, "qmp_capabilities", NULL, deadline, NULL);
	if (ret)
		qmp_close(q);
	return ret;
}

/* The name decides before the connection, the peer's identity after it. */
static int check_owner(struct qmp *q, const char *path)
{
	struct stat st;

	if (lstat(path, &st))
		return fail(q, -errno, "%s: %s", path, strerror(errno));
	if (S_ISLNK(st.st_mode))
		return fail(q, -ENOTSOCK, "%s is a symbolic link; name the socket itself", path);
	if (!S_ISSOCK(st.st_mode))
		return fail(q, -ENOTSOCK, "%s is not a socket", path);
	if (st.st_uid != geteuid())
		return fail(q, -EPERM, "%s belongs to user %u, not to us", path,
			    (unsigned int)st.st_uid);
	return 0;
}

static int peer_of(int fd, struct ucred *peer)
{
	socklen_t len = sizeof(*peer);

	return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, peer, &len) ? -errno : 0;
}

static int check_peer(struct qmp *q, int fd, const char *path)
{
	struct ucred peer;
	int ret = peer_of(fd, &peer);

	if (ret)
		return fail(q, ret, "%s: %s", path, strerror(-ret));
	if (peer.uid != geteuid())
		return fail(q, -EPERM, "%s is served by user %u, not by us", path,
			    (unsigned int)peer.uid);
	return 0;
}

int qmp_peer(struct qmp *q, pid_t *pid)
{
	struct ucred peer;
	int ret;

	if (q->fd < 0)
		return fail(q, -ENOTCONN, "not connected to QEMU");
	ret = peer_of(q->fd, &peer);
	if (ret)
		return fail(q, ret, "whose socket: %s", strerror(-ret));
	*pid = peer.pid;
	return 0;
}

int qmp_connect(struct qmp *q, const char *path, int timeout_ms)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int ret, fd;

	if (strlen(path) >= sizeof(addr.sun_path))
		return fail(q, -ENAMETOOLONG, "%.60s...: a socket's path has at most %zu bytes",
			    path, sizeof(addr.sun_path) - 1);
	memcpy(addr.sun_path, path, strlen(path));
	ret = check_owner(q, path);
	if (ret)
		return ret;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return fail(q, -errno, "socket: %s", strerror(errno));
	if (connect(fd, (struct sockaddr *)&addr, sizeof(addr)))
		ret = fail(q, -errno, "cannot connect to %s: %s", path, strerror(errno));
	else
		ret = check_peer(q, fd, path);
	if (ret) {
		close(fd);
		return ret;
	}
	return qmp_attach(q, fd, timeout_ms);
}

int qmp_balloon(struct qmp *q, uint64_t bytes_left)
{
	struct json_object *args = json_object_new_object();

	json_object_object_add(args, "value", json_object_new_uint64(bytes_left));
	return qmp_execute(q, "balloon", args, NULL);
}

/* json-c clamps on the way to int64_t; a number out of range is an error. */
static bool exact_int64(struct json_object *number, int64_t *value)
{
	if (!json_object_is_type(number, json_type_int))
		return false;
	*value = json_object_get_int64(number);
	return *value < INT64_MAX || json_object_get_uint64(number) == INT64_MAX;
}

int qmp_query_balloon(struct qmp *q, int64_t *actual)
{
	struct json_object *reply, *number = NULL;
	int ret = qmp_execute(q, "query-balloon", NULL, &reply);

	if (ret)
		return ret;
	json_object_object_get_ex(reply, "actual", &number);
	if (!exact_int64(number, actual))
		ret = fail(q, -EPROTO, "query-balloon gave no number");
	json_object_put(reply);
	return ret;
}

int qmp_human(struct qmp *q, const char *command, char **text)
{
	struct json_object *args = json_object_new_object();
	struct json_object *reply;
	int ret;

	json_object_object_add(args, "command-line", json_object_new_string(command));
	ret = qmp_execute(q, "human-monitor-command", args, &reply);
	if (ret)
		return ret;
	if (json_object_is_type(reply, json_type_string))
		*text = strdup(json_object_get_string(reply));
	else
		ret = fail(q, -EPROTO, "'%s' gave no text", command);
	json_object_put(reply);
	if (!ret && !*text)
		ret = fail(q, -ENOMEM, "out of memory");
	return ret;
}

int qmp_send_break(struct qmp *q, const char *id)
{
	struct json_object *args = json_object_new_object();

	json_object_object_add(args, "id", json_object_new_string(id));
	return qmp_execute(q, "chardev-send-break", args, NULL);
}

int qmp_quit(struct qmp *q)
{
	int ret = qmp_execute(q, "quit", NULL, NULL);

	return ret == -ECONNRESET || ret == -EPIPE ? 0 : ret;
}
