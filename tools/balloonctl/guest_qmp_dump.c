/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Has QEMU dump a guest's memory: see guest_backend.h. QEMU does it beside its other work
 * and says how far it is, so that one that hangs is told from one that has much to write.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <json-c/json.h>

#include "tools/balloonctl/guest_backend.h"
#include "tools/balloonctl/guest_qmp.h"
#include "tools/deadline.h"
#include "tools/json_member.h"
#include "tools/qmp.h"

#define POLL_MS 50
#define REASON_MS 1000 /* QEMU tells it at about the time when the dump has failed */

/* FAILED: or there was none. */
enum progress { WRITING, WRITTEN, FAILED };

static int fail_qmp(struct guest *guest, int err)
{
	return guest_fail(guest, err, "%s", qmp_error(guest->connection));
}

static int begin_dump(struct guest *guest, const char *path)
{
	struct json_object *args = json_object_new_object();
	char *protocol;
	int err;

	if (asprintf(&protocol, "file:%s", path) < 0) {
		json_object_put(args);
		return guest_fail(guest, -ENOMEM, "out of memory");
	}
	json_object_object_add(args, "paging", json_object_new_boolean(false));
	json_object_object_add(args, "protocol", json_object_new_string(protocol));
	json_object_object_add(args, "detach", json_object_new_boolean(true));
	free(protocol);
	qmp_forget_events(guest->connection);
	err = qmp_execute(guest->connection, "dump-guest-memory", args, NULL);
	return err ? fail_qmp(guest, err) : 0;
}

static int look(struct guest *guest, enum progress *progress, uint64_t *bytes)
{
	struct json_object *reply;
	const char *status;
	int err = qmp_execute(guest->connection, "query-dump", NULL, &reply);

	if (err)
		return fail_qmp(guest, err);
	status = json_member_string(reply, "status");
	*progress = !strcmp(status, "active")	   ? WRITING
		    : !strcmp(status, "completed") ? WRITTEN
						   : FAILED;
	*bytes = 0;
	json_member_uint64(reply, "completed", bytes);
	json_object_put(reply);
	return 0;
}

/* Why is in an event, and nowhere else. */
static int fail_dump(struct guest *guest)
{
	struct json_object *event = NULL, *data = NULL;
	const char *why = "";

	if (!qmp_event(guest->connection, "DUMP_COMPLETED", REASON_MS, &event)) {
		json_object_object_get_ex(event, "data", &data);
		why = json_member_string(data, "error");
	}
	guest_fail(guest, -EREMOTEIO, "QEMU could not write the dump%s%s", *why ? ": " : "", why);
	json_object_put(event);
	return -EREMOTEIO;
}

/*
 * Waits until no dump is on its way. Each look has its time, and so has each move, but
 * nothing lasts longer than `end`.
 */
static int wait_for_dump(struct guest *guest, int64_t end, int timeout_ms, enum progress *progress)
{
	const struct timespec pause = { .tv_nsec = POLL_MS * 1000000l };
	int64_t move_by = deadline_in(timeout_ms);
	uint64_t bytes = 0, before;
	int err;

	while (true) {
		before = bytes;
		guest_set_deadline(guest, deadline_first(end, deadline_in(timeout_ms)));
		err = look(guest, progress, &bytes);
		if (err || *progress != WRITING)
			return err;
		if (bytes != before)
			move_by = deadline_in(timeout_ms);
		if (deadline_left(deadline_first(end, move_by)) == 0)
			return guest_fail(guest, -ETIMEDOUT, "QEMU does not get on with the dump");
		nanosleep(&pause, NULL);
	}
}

int qmp_dump(struct guest *guest, const char *path, int timeout_ms)
{
	int64_t end = deadline_in(DUMP_MS);
	enum progress progress;
	/* One that was given up by whoever wanted it is still being written. */
	int err = wait_for_dump(guest, end, timeout_ms, &progress);

	if (!err)
		err = begin_dump(guest, path);
	if (!err)
		err = wait_for_dump(guest, end, timeout_ms, &progress);
	return !err && progress == FAILED ? fail_dump(guest) : err;
}
