/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The devices that bring memory, by QMP: see guest_qmp.h. `plugged-memory` of QEMU's summary
 * has virtio-mem in it and NVDIMMs, which the balloon counts not; so DIMMs are counted one by
 * one. A device without an id has a place in QEMU's tree of objects, which no list of
 * devices tells, and is found there by its memory.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <json-c/json.h>

#include "tools/balloonctl/guest_backend.h"
#include "tools/balloonctl/guest_qmp.h"
#include "tools/json_member.h"
#include "tools/qmp.h"

#define ANON "/machine/peripheral-anon"

static const char list_command[] = "query-memory-devices";

static struct qmp *qmp_of(struct guest *guest)
{
	return guest->connection;
}

/* ---- virtio-mem ---- */

/* Whether the object at `path` has that memory. */
static int has_memory(struct guest *guest, const char *path, const char *memdev, bool *has)
{
	struct json_object *value;
	int err = qom_get(qmp_of(guest), path, "memdev", &value);

	*has = false;
	if (qmp_has_refused(err))
		return 0; /* it has gone meanwhile */
	if (err)
		return guest_fail_qmp(guest, err);
	*has = json_object_is_type(value, json_type_string) &&
	       !strcmp(json_object_get_string(value), memdev);
	json_object_put(value);
	return 0;
}

static bool is_virtio_mem(struct json_object *child)
{
	static const char type[] = "child<virtio-mem-";

	return !strncmp(json_member_string(child, "type"), type, strlen(type));
}

/* Finds the path of the device without an id that has the memory; *name is "" if none has. */
static int find_path(struct guest *guest, const char *memdev, char name[GUEST_MEM_NAME])
{
	struct json_object *list;
	bool found = false;
	int err = qom_list(qmp_of(guest), ANON, &list);

	*name = '\0';
	if (err)
		return err == -ENOENT ? 0 : guest_fail_qmp(guest, err);
	for (size_t i = 0; i < json_object_array_length(list) && !found && !err; i++) {
		struct json_object *child = json_object_array_get_idx(list, i);

		if (!is_virtio_mem(child))
			continue;
		snprintf(name, GUEST_MEM_NAME, ANON "/%s", json_member_string(child, "name"));
		err = has_memory(guest, name, memdev, &found);
	}
	if (!found)
		*name = '\0';
	json_object_put(list);
	return err;
}

/* What is no number is more than any device has. */
static uint64_t amount(struct json_object *data, const char *name)
{
	uint64_t value;

	return json_member_uint64(data, name, &value) ? value : UINT64_MAX;
}

static int add_virtio_mem(struct guest *guest, struct json_object *data, struct guest_state *state)
{
	const char *id = json_member_string(data, "id");
	struct guest_mem_device device = {
		.block = amount(data, "block-size"),
		.region = amount(data, "max-size"),
		.requested = amount(data, "requested-size"),
		.plugged = amount(data, "size"),
	};
	int err = 0;

	/* A name that does not fit is no name. */
	if (strlen(id) < GUEST_MEM_NAME)
		strcpy(device.name, id);
	if (!*id) {
		err = find_path(guest, json_member_string(data, "memdev"), device.name);
		if (!*device.name)
			return err;
	}
	guest_account_device(state, &device);
	return err;
}

/* ---- all devices ---- */

static int add_device(struct guest *guest, struct json_object *device, struct guest_state *state)
{
	const char *type = json_member_string(device, "type");
	struct json_object *data = NULL;
	uint64_t size;

	json_object_object_get_ex(device, "data", &data);
	if (!strcmp(type, "virtio-mem"))
		return add_virtio_mem(guest, data, state);
	if (strcmp(type, "dimm") != 0)
		return 0;
	if (!json_member_uint64(data, "size", &size) || size > INT64_MAX - state->dimms)
		return guest_fail_answer(guest, list_command);
	state->dimms += size;
	return 0;
}

/* `plugged` is what the summary says, for a QEMU that has no list. */
static int read_devices(struct guest *guest, uint64_t plugged, struct guest_state *state)
{
	struct json_object *list;
	int err = qmp_execute(qmp_of(guest), list_command, NULL, &list);

	if (qmp_has_refused(err)) {
		state->dimms = plugged;
		return 0;
	}
	if (err)
		return guest_fail_qmp(guest, err);
	if (!json_object_is_type(list, json_type_array))
		err = guest_fail_answer(guest, list_command);
	for (size_t i = 0; !err && i < json_object_array_length(list); i++)
		err = add_device(guest, json_object_array_get_idx(list, i), state);
	json_object_put(list);
	return err;
}

int qmp_read_ram(struct guest *guest, struct guest_state *state, uint64_t *counted)
{
	static const char command[] = "query-memory-size-summary";
	uint64_t base = 0, plugged = 0;
	struct json_object *reply;
	int err = qmp_execute(qmp_of(guest), command, NULL, &reply);

	if (err)
		return guest_fail_qmp(guest, err);
	json_member_uint64(reply, "base-memory", &base);
	json_member_uint64(reply, "plugged-memory", &plugged);
	json_object_put(reply);
	if (base == 0 || base > INT64_MAX || plugged > INT64_MAX - base)
		return guest_fail_answer(guest, command);
	err = read_devices(guest, plugged, state);
	if (err)
		return err;
	if (state->dimms > INT64_MAX - base || state->grown > INT64_MAX - base - state->dimms)
		return guest_fail_answer(guest, list_command);
	*counted = base + state->dimms;
	return 0;
}

/* ---- orders ---- */

/* The path of a device by its name; by free(), NULL: out of memory. */
static char *path_of(const char *device, const char *below)
{
	char *path;

	if (asprintf(&path, "%s%s%s", *device == '/' ? "" : "/machine/peripheral/", device, below) <
	    0)
		return NULL;
	return path;
}

int qmp_request(struct guest *guest, const char *device, uint64_t bytes)
{
	char *path = path_of(device, "");
	int err = -ENOMEM;

	if (path)
		err = qom_set_int(qmp_of(guest), path, "requested-size", (int64_t)bytes);
	free(path);
	return err ? guest_fail_qmp(guest, err) : 0;
}

int qmp_find_driver(struct guest *guest, const char *device, bool *driver_ok)
{
	struct guest_state seen = { .has_features = false };
	char *path = path_of(device, "/virtio-backend");
	int err = path ? qmp_read_features(guest, path, &seen) : guest_fail_qmp(guest, -ENOMEM);

	free(path);
	if (!err && !seen.has_features)
		err = guest_fail(guest, -ENOTSUP, "this QEMU does not tell of drivers");
	*driver_ok = seen.driver_ok;
	return err;
}

/* Those in which a migration has begun and has not ended; one that never was has none. */
static bool is_migrating(const char *status)
{
	static const char *const names[] = {
		"setup",
		"active",
		"cancelling",
		"pre-switchover",
		"device",
		"wait-unplug",
		"colo",
		"postcopy-device",
		"postcopy-active",
		"postcopy-paused",
		"postcopy-recover",
		"postcopy-recover-setup",
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (!strcmp(status, names[i]))
			return true;
	return false;
}

int qmp_find_migration(struct guest *guest, bool *migrates)
{
	struct json_object *reply;
	int err = qmp_execute(qmp_of(guest), "query-migrate", NULL, &reply);

	if (qmp_has_refused(err))
		return guest_fail(guest, -ENOTSUP, "this QEMU does not tell of migrations");
	if (err)
		return guest_fail_qmp(guest, err);
	*migrates = is_migrating(json_member_string(reply, "status"));
	json_object_put(reply);
	return 0;
}
