/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * QMP client: see qmp.h for the contract. Protocol as QEMU's
 * docs/interop/qmp-spec.txt has it: a greeting, qmp_capabilities, then one
 * JSON object after another. Each command carries an id, so that an answer that
 * comes after its deadline is not taken for the next one's.
 */
#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <json-c/json.h>

#include "tools/deadline.h"
#include "tools/json_member.h"
#include "tools/qmp_holder.h"
#include "tools/qmp_internal.h"

struct qmp *qmp_new(void)
{
	struct qmp *q = calloc(1, sizeof(*q));

	if (!q) {
		fputs("qmp: out of memory\n", stderr);
		exit(EXIT_FAILURE);
	}
	q->fd = -1;
	q->timeout_ms = QMP_TIMEOUT_MS;
	q->last = DEADLINE_NONE;
	return q;
}

void qmp_forget_events(struct qmp *q)
{
	while (q->nr_events)
		json_object_put(q->events[--q->nr_events]);
}

void qmp_free(struct qmp *q)
{
	if (!q)
		return;
	qmp_close(q);
	qmp_forget_events(q);
	if (q->tokener)
		json_tokener_free(q->tokener);
	free(q);
}

void qmp_set_timeout(struct qmp *q, int timeout_ms)
{
	assert(timeout_ms >= 0);
	q->timeout_ms = timeout_ms;
}

int64_t qmp_set_deadline(struct qmp *q, int64_t deadline)
{
	int64_t before = q->last;

	q->last = deadline;
	return before;
}

const char *qmp_error(const struct qmp *q)
{
	return q->error;
}

const char *qmp_error_class(const struct qmp *q)
{
	return q->error_class;
}

static bool is_event(struct json_object *obj)
{
	return json_object_is_type(json_object_object_get(obj, "event"), json_type_string);
}

/* Takes the reference; the oldest event makes room. */
static void keep_event(struct qmp *q, struct json_object *event)
{
	assert(q->nr_events <= QMP_EVENTS);
	if (q->nr_events == QMP_EVENTS) {
		json_object_put(q->events[0]);
		q->nr_events--;
		memmove(q->events, q->events + 1, q->nr_events * sizeof(q->events[0]));
	}
	q->events[q->nr_events++] = event;
}

static bool has_name(struct json_object *event, const char *name)
{
	return !strcmp(json_member_string(event, "event"), name);
}

bool qmp_has_seen(const struct qmp *q, const char *name, const char *undone)
{
	for (size_t i = q->nr_events; i > 0; i--) {
		if (has_name(q->events[i - 1], name))
			return true;
		if (has_name(q->events[i - 1], undone))
			return false;
	}
	return false;
}

static struct json_object *take_event(struct qmp *q, const char *name)
{
	for (size_t i = 0; i < q->nr_events; i++) {
		struct json_object *event = q->events[i];

		if (!has_name(event, name))
			continue;
		q->nr_events--;
		memmove(q->events + i, q->events + i + 1,
			(q->nr_events - i) * sizeof(q->events[0]));
		return event;
	}
	return NULL;
}

static int send_command(struct qmp *q, const char *command, struct json_object *args)
{
	struct json_object *request = json_object_new_object();
	const char *text;
	char *line;
	int ret;

	json_object_object_add(request, "execute", json_object_new_string(command));
	if (args)
		json_object_object_add(request, "arguments", args);
	json_object_object_add(request, "id", json_object_new_uint64(++q->last_id));
	text = json_object_to_json_string_ext(request, JSON_C_TO_STRING_PLAIN);
	if (asprintf(&line, "%s\n", text) < 0) {
		ret = qmp_fail(q, -ENOMEM, "out of memory");
	} else {
		ret = qmp_send_text(q, line);
		free(line);
	}
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

static int error_answer(struct qmp *q, const char *command, struct json_object *error)
{
	const char *class = json_member_string(error, "class");
	bool no_device = !strcmp(class, "DeviceNotActive") || !strcmp(class, "DeviceNotFound");

	qmp_fail(q, 0, "QEMU refuses '%s': %s", command, json_member_string(error, "desc"));
	snprintf(q->error_class, sizeof(q->error_class), "%s", class);
	qmp_make_printable(q->error_class);
	return no_device ? -ENODEV : -EREMOTEIO;
}

/* Consumes `answer`. */
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
		ret = qmp_fail_and_close(
			q, -EPROTO, "QEMU's answer to '%s' is neither return nor error", command);
	}
	json_object_put(answer);
	return ret;
}

/* Runs a command by the deadline of qmp_begin(). */
static int execute(struct qmp *q, const char *command, struct json_object *args,
		   struct json_object **reply)
{
	struct json_object *obj;
	char what[64];
	int ret;

	if (q->fd < 0) {
		json_object_put(args);
		return qmp_fail(q, -ENOTCONN, "not connected to QEMU");
	}
	/* A command that nobody has the time to see through is not sent. */
	if (deadline_left(q->deadline) == 0) {
		json_object_put(args);
		return qmp_fail(q, -ETIMEDOUT, "no time is left for '%s'", command);
	}
	ret = send_command(q, command, args);
	if (ret)
		return ret;
	snprintf(what, sizeof(what), "answer to '%s'", command);
	while (!(ret = qmp_read_object(q, what, &obj))) {
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
	assert(!args || json_object_is_type(args, json_type_object));
	qmp_begin(q, deadline_in(q->timeout_ms));
	return execute(q, command, args, reply);
}

int qmp_event(struct qmp *q, const char *name, int timeout_ms, struct json_object **event)
{
	struct json_object *obj;
	char what[64];
	int ret;

	qmp_begin(q, deadline_in(timeout_ms));
	snprintf(what, sizeof(what), "event %s", name);
	while (!(obj = take_event(q, name))) {
		if (q->fd < 0)
			return qmp_fail(q, -ENOTCONN, "not connected to QEMU");
		ret = qmp_read_object(q, what, &obj);
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

/* Of the greeting's "QMP": { "version": { "qemu": { "major": 7, ... } } }. */
static unsigned read_version(struct json_object *qmp)
{
	struct json_object *version = NULL, *qemu = NULL;
	uint64_t major;

	json_object_object_get_ex(qmp, "version", &version);
	json_object_object_get_ex(version, "qemu", &qemu);
	if (!json_member_uint64(qemu, "major", &major) || major > UINT_MAX)
		return 0;
	return (unsigned)major;
}

unsigned qmp_version(const struct qmp *q)
{
	return q->version;
}

int qmp_fail_busy(struct qmp *q)
{
	return qmp_fail(q, -EBUSY, "busy: another client is connected to QEMU's socket");
}

/* QEMU may tell of events, as that the guest runs, to whoever connects before it greets him. */
static int read_greeting(struct qmp *q, struct json_object **greeting)
{
	int ret = qmp_read_object(q, "greeting", greeting);

	while (!ret && is_event(*greeting)) {
		keep_event(q, *greeting);
		ret = qmp_read_object(q, "greeting", greeting);
	}
	return ret;
}

int qmp_attach(struct qmp *q, int fd, int timeout_ms)
{
	struct json_object *greeting, *qmp = NULL;
	bool good;
	int ret;

	assert(fd >= 0);
	qmp_begin(q, deadline_in(timeout_ms));
	qmp_close(q);
	qmp_forget_events(q);
	q->fd = fd;
	ret = read_greeting(q, &greeting);
	if (ret == -ETIMEDOUT && qmp_is_held_by_other(fd, NULL))
		ret = qmp_fail_busy(q);
	if (ret) {
		qmp_close(q);
		return ret;
	}
	good = json_object_object_get_ex(greeting, "QMP", &qmp);
	q->version = read_version(qmp);
	json_object_put(greeting);
	if (!good)
		return qmp_fail_and_close(q, -EPROTO, "what answers here does not speak QMP");
	ret = execute(q, "qmp_capabilities", NULL, NULL);
	if (ret)
		qmp_close(q);
	return ret;
}
