/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A guest over QMP: see guest_backend.h. QMP counts memory left to the guest.
 * Devices come and go, so the balloon is looked for each time. Nothing here trusts
 * an answer's shape; amounts are checked in guest_account.c.
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <json-c/json.h>

#include "tools/balloonctl/guest_backend.h"
#include "tools/balloonctl/guest_qmp.h"
#include "tools/balloonctl/guest_qmp_hypervisor.h"
#include "tools/json_member.h"
#include "tools/qmp.h"

#define STATUS_ABORTS 11 /* the first QEMU that x-query-virtio-status may end */

/* ---- answers ---- */

static struct qmp *qmp_of(struct guest *guest)
{
	return guest->connection;
}

/* Out of memory may be we ourselves. */
int guest_fail_qmp(struct guest *guest, int err)
{
	return guest_fail(guest, err, "%s",
			  err == -ENOMEM ? "out of memory" : qmp_error(qmp_of(guest)));
}

int guest_fail_answer(struct guest *guest, const char *command)
{
	return guest_fail(guest, -EPROTO, "QEMU's answer to '%s' makes no sense", command);
}

bool qmp_has_refused(int err)
{
	return err == -EREMOTEIO || err == -ENODEV;
}

/* ---- the tree of objects ---- */

/* {"path": path}, by json_object_put(). */
static struct json_object *path_args(const char *path)
{
	struct json_object *args = json_object_new_object();

	json_object_object_add(args, "path", json_object_new_string(path));
	return args;
}

int qom_get(struct qmp *qmp, const char *path, const char *property, struct json_object **value)
{
	struct json_object *args = path_args(path);

	json_object_object_add(args, "property", json_object_new_string(property));
	return qmp_execute(qmp, "qom-get", args, value);
}

int qom_set_int(struct qmp *qmp, const char *path, const char *property, int64_t value)
{
	struct json_object *args = path_args(path);

	json_object_object_add(args, "property", json_object_new_string(property));
	json_object_object_add(args, "value", json_object_new_int64(value));
	return qmp_execute(qmp, "qom-set", args, NULL);
}

int qom_list(struct qmp *qmp, const char *path, struct json_object **list)
{
	int err = qmp_execute(qmp, "qom-list", path_args(path), list);

	if (err)
		return qmp_has_refused(err) ? -ENOENT : err;
	if (json_object_is_type(*list, json_type_array))
		return 0;
	json_object_put(*list);
	return -ENOENT;
}

static void free_path(struct balloon_path *path)
{
	free(path->device);
	free(path->virtio);
}

static int make_path(const char *folder, struct json_object *child, struct balloon_path *path)
{
	path->is_plain = !strcmp(json_member_string(child, "type"), "child<virtio-balloon-device>");
	if (asprintf(&path->device, "%s/%s", folder, json_member_string(child, "name")) < 0)
		path->device = NULL;
	if (!path->device || asprintf(&path->virtio, "%s%s", path->device,
				      path->is_plain ? "" : "/virtio-backend") < 0) {
		free(path->device);
		return -ENOMEM;
	}
	return 0;
}

/* Devices that have an id are in one folder, the others in another. -ENOENT: in neither. */
static int find_in(struct qmp *qmp, const char *folder, struct balloon_path *path)
{
	struct json_object *list;
	int err = qom_list(qmp, folder, &list);

	if (err)
		return err;
	err = -ENOENT;
	for (size_t i = 0; i < json_object_array_length(list) && err == -ENOENT; i++) {
		struct json_object *child = json_object_array_get_idx(list, i);
		const char *type = json_member_string(child, "type");

		if (!strncmp(type, "child<virtio-balloon", strlen("child<virtio-balloon")))
			err = make_path(folder, child, path);
	}
	json_object_put(list);
	return err;
}

static int find_balloon(struct qmp *qmp, struct balloon_path *path)
{
	int err = find_in(qmp, "/machine/peripheral", path);

	if (err == -ENOENT)
		err = find_in(qmp, "/machine/peripheral-anon", path);
	return err;
}

/* find_balloon(), failing with a message if there is none. */
static int need_balloon(struct guest *guest, struct balloon_path *path)
{
	int err = find_balloon(qmp_of(guest), path);

	if (err == -ENOENT)
		return guest_fail(guest, -ENODEV, "the machine has no balloon device");
	return err ? guest_fail_qmp(guest, err) : 0;
}

/* ---- connection ---- */

static void note_deadline_qmp(struct guest *guest)
{
	qmp_set_deadline(qmp_of(guest), guest->deadline);
}

static int open_qmp(struct guest *guest, const char *path)
{
	int err;

	guest->connection = qmp_new();
	/* One deadline for all answers together, and no other. */
	qmp_set_timeout(qmp_of(guest), INT_MAX);
	note_deadline_qmp(guest);
	err = qmp_connect(qmp_of(guest), path, INT_MAX);
	if (err == -ECONNREFUSED)
		return guest_fail(guest, err, "%s: nobody listens there (any more)", path);
	if (err)
		return guest_fail_qmp(guest, err);
	if (!guest->name)
		guest->name = strdup(path);
	return 0;
}

static void close_qmp(struct guest *guest)
{
	qmp_free(guest->connection);
}

/* ---- state ---- */

/*
 * Of a panic (pvpanic) QEMU keeps the word if it stops the guest for it; if it lets the
 * guest run on, there is an event only.
 */
static int read_running(struct guest *guest, struct guest_state *state)
{
	struct json_object *reply, *running;
	int err = qmp_execute(qmp_of(guest), "query-status", NULL, &reply);

	if (err)
		return guest_fail_qmp(guest, err);
	state->paused = json_object_object_get_ex(reply, "running", &running) &&
			json_object_is_type(running, json_type_boolean) &&
			!json_object_get_boolean(running);
	state->panicked = !strcmp(json_member_string(reply, "status"), "guest-panicked") ||
			  qmp_has_seen(qmp_of(guest), "GUEST_PANICKED", "RESET");
	json_object_put(reply);
	return 0;
}

/*
 * QEMU before 7.2 has no such command: then nothing is known, which is no error.
 * 11.1 has it, and aborts at it whatever the device: the guest would be gone. No
 * later one is known to be sound, so none is asked.
 */
int qmp_read_features(struct guest *guest, const char *path, struct guest_state *state)
{
	struct json_object *status;
	int err;

	if (qmp_version(qmp_of(guest)) >= STATUS_ABORTS)
		return 0;
	err = qmp_execute(qmp_of(guest), "x-query-virtio-status", path_args(path), &status);
	if (qmp_has_refused(err))
		return 0;
	if (err)
		return guest_fail_qmp(guest, err);
	qmp_read_driver(status, state);
	json_object_put(status);
	return 0;
}

static int read_target(struct guest *guest, const struct balloon_path *path,
		       struct guest_state *state)
{
	uint64_t taken;
	int err = qmp_balloon_target(qmp_of(guest), path, &taken);

	if (err == -ENOENT)
		return 0;
	if (err)
		return guest_fail_qmp(guest, err);
	guest_account_target(state, taken);
	return 0;
}

static int state_qmp(struct guest *guest, struct guest_state *state)
{
	struct balloon_path path;
	int64_t left;
	uint64_t counted;
	int err = qmp_read_ram(guest, state, &counted);

	if (!err)
		err = read_running(guest, state);
	if (err)
		return err;
	err = qmp_query_balloon(qmp_of(guest), &left);
	if (err)
		guest_fail_qmp(guest, err);
	if (err == -ENODEV) {
		err = qmp_hypervisor_state(guest, state);
		if (!err)
			return 0;
	}
	if (err && err != -ENODEV)
		return err;
	state->lacks_balloon = err == -ENODEV;
	guest_account(state, counted, err ? (int64_t)counted : left);
	err = find_balloon(qmp_of(guest), &path);
	if (err == -ENOENT)
		return 0;
	if (err)
		return guest_fail_qmp(guest, err);
	err = qmp_read_features(guest, path.virtio, state);
	if (!err)
		err = read_target(guest, &path, state);
	free_path(&path);
	return err;
}

/* Of DIMMs only QEMU's own balloon knows. */
static int set_hypervisors_target(struct guest *guest, uint64_t bytes_left)
{
	struct guest_state state = { .dimms = 0 };
	uint64_t counted;
	int err = qmp_read_ram(guest, &state, &counted);

	return err ? err : qmp_hypervisor_set_target(guest, bytes_left, state.dimms);
}

static int set_target_qmp(struct guest *guest, uint64_t bytes_left)
{
	int err = qmp_balloon(qmp_of(guest), bytes_left);

	if (err)
		guest_fail_qmp(guest, err);
	return err == -ENODEV ? set_hypervisors_target(guest, bytes_left) : err;
}

/* ---- statistics ---- */

static const char *const stat_names[STAT_COUNT] = {
#define STAT_NAME(constant, tag, qmp, virsh, unit) [tag] = STAT_PREFIX qmp,
	STAT_TABLE(STAT_NAME)
#undef STAT_NAME
};

/* QMP gives 2^64 - 1 for a statistic that the guest never sent. */
static void read_values(struct json_object *values, struct guest_stats *stats)
{
	for (unsigned i = 0; i < STAT_COUNT; i++) {
		uint64_t value;

		if (!json_member_uint64(values, stat_names[i], &value) || value == UINT64_MAX)
			continue;
		stats->present |= 1u << i;
		stats->value[i] = value;
	}
}

static void read_report(struct json_object *report, struct guest_stats *stats)
{
	struct json_object *values;
	uint64_t update = 0;
	struct timespec now;

	/* 0 says that there never was one; QEMU's clock is the machine's. */
	if (!json_member_uint64(report, "last-update", &update) || update == 0)
		return;
	stats->ever = true;
	stats->update = update;
	clock_gettime(CLOCK_REALTIME, &now);
	stats->age = (double)now.tv_sec + (double)now.tv_nsec / 1e9 - (double)update;
	if (stats->age < 0)
		stats->age = 0;
	if (json_object_object_get_ex(report, "stats", &values))
		read_values(values, stats);
}

static int stats_at(struct guest *guest, const char *device, struct guest_stats *stats)
{
	struct json_object *report, *interval;
	uint64_t seconds;
	int err = qom_get(qmp_of(guest), device, "guest-stats", &report);

	if (err)
		return guest_fail_qmp(guest, err);
	read_report(report, stats);
	json_object_put(report);
	err = qom_get(qmp_of(guest), device, "guest-stats-polling-interval", &interval);
	if (err)
		return guest_fail_qmp(guest, err);
	if (!json_uint64(interval, &seconds) || seconds > UINT32_MAX)
		err = guest_fail_answer(guest, "qom-get guest-stats-polling-interval");
	else
		stats->interval = (unsigned)seconds;
	json_object_put(interval);
	return err;
}

static int stats_qmp(struct guest *guest, struct guest_stats *stats)
{
	struct balloon_path path;
	int err = need_balloon(guest, &path);

	if (err == -ENODEV)
		return qmp_hypervisor_stats(guest, stats);
	if (err)
		return err;
	err = stats_at(guest, path.device, stats);
	free_path(&path);
	return err;
}

static int set_interval_qmp(struct guest *guest, unsigned seconds)
{
	struct balloon_path path;
	int err = need_balloon(guest, &path);

	if (err == -ENODEV)
		return qmp_hypervisor_set_interval(guest);
	if (err)
		return err;
	err = qom_set_int(qmp_of(guest), path.device, "guest-stats-polling-interval", seconds);
	free_path(&path);
	return err ? guest_fail_qmp(guest, err) : 0;
}

/* ---- cost ---- */

static int cost_qmp(struct guest *guest, struct guest_cost *cost)
{
	pid_t pid;
	int err = qmp_peer(qmp_of(guest), &pid);

	return err ? guest_fail_qmp(guest, err) : guest_cost_of_process(guest, pid, cost);
}

const struct guest_backend guest_backend_qmp = {
	.open = open_qmp,
	.note_deadline = note_deadline_qmp,
	.close = close_qmp,
	.state = state_qmp,
	.set_target = set_target_qmp,
	.request = qmp_request,
	.find_driver = qmp_find_driver,
	.find_migration = qmp_find_migration,
	.stats = stats_qmp,
	.set_interval = set_interval_qmp,
	.cost = cost_qmp,
	.peek = qmp_peek,
	.halt = qmp_halt,
	.resume = qmp_resume,
};
