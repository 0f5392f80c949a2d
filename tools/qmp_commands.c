/* SPDX-License-Identifier: BSD-2-Clause */
/* Single commands of QMP, in terms of qmp_execute(): see qmp.h. */
#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include <json-c/json.h>

#include "tools/qmp_internal.h"

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
		ret = qmp_fail(q, -EPROTO, "query-balloon gave no number");
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
		ret = qmp_fail(q, -EPROTO, "'%s' gave no text", command);
	json_object_put(reply);
	if (!ret && !*text)
		ret = qmp_fail(q, -ENOMEM, "out of memory");
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
