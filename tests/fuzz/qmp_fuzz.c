/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The input is all that QEMU ever says: greeting, answers and events. The
 * connection ends after it, so nothing waits.
 */
#include <stdint.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <json-c/json.h>

#include "tools/qmp.h"

#define INPUT_MAX (64 * 1024) /* fits the socket's buffer */
#define TIMEOUT_MS 10000

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void ask(struct qmp *q)
{
	struct json_object *reply = NULL, *event = NULL;
	char *text = NULL;
	int64_t left;

	qmp_balloon(q, 268435456);
	qmp_query_balloon(q, &left);
	if (!qmp_execute(q, "query-status", NULL, &reply))
		json_object_put(reply);
	if (!qmp_human(q, "info balloon", &text))
		free(text);
	if (!qmp_event(q, "BALLOON_CHANGE", 1, &event))
		json_object_put(event);
	qmp_forget_events(q);
	qmp_quit(q);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct qmp *q = qmp_new();
	int pair[2];

	if (size > INPUT_MAX)
		size = INPUT_MAX;
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) ||
	    write(pair[1], data, size) != (ssize_t)size || shutdown(pair[1], SHUT_WR))
		abort();
	if (!qmp_attach(q, pair[0], TIMEOUT_MS))
		ask(q);
	qmp_free(q);
	close(pair[1]);
	return 0;
}
