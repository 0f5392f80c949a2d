/* SPDX-License-Identifier: BSD-2-Clause */
/* Migrations by QMP; see vm_migrate.h. */
#include "tools/vm_migrate.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <json-c/json.h>

#include "tools/deadline.h"
#include "tools/qmp.h"
#include "tools/vm.h"

/* Tells what QEMU said to a command that it refused; returns `err`. */
static int tell(struct vm *vm, int err)
{
	if (err)
		vm_report(vm, qmp_error(vm_qmp(vm)));
	return err;
}

static int execute_with_uri(struct vm *vm, const char *command, const char *uri)
{
	struct json_object *args = json_object_new_object();

	json_object_object_add(args, "uri", json_object_new_string(uri));
	return tell(vm, qmp_execute(vm_qmp(vm), command, args, NULL));
}

int vm_migrate_begin(struct vm *vm, const char *where)
{
	return execute_with_uri(vm, "migrate", where);
}

int vm_migrate_incoming(struct vm *vm, const char *where)
{
	return execute_with_uri(vm, "migrate-incoming", where);
}

static int set_parameter(struct vm *vm, const char *name, int64_t value)
{
	struct json_object *args = json_object_new_object();

	json_object_object_add(args, name, json_object_new_int64(value));
	return tell(vm, qmp_execute(vm_qmp(vm), "migrate-set-parameters", args, NULL));
}

int vm_migrate_limit(struct vm *vm, int64_t bytes_a_second)
{
	return set_parameter(vm, "max-bandwidth", bytes_a_second);
}

int vm_migrate_limit_pause(struct vm *vm, int ms)
{
	return set_parameter(vm, "downtime-limit", ms);
}

static bool has_ended(const char *status)
{
	return strcmp(status, "failed") == 0 || strcmp(status, "cancelled") == 0 ||
	       strcmp(status, "completed") == 0;
}

/* Asks once: 1 if the status is the wanted one, 0 if not yet. */
static int look(struct vm *vm, const char *wanted)
{
	struct json_object *reply, *status = NULL;
	const char *word = "";
	int ret = tell(vm, qmp_execute(vm_qmp(vm), "query-migrate", NULL, &reply));

	if (ret)
		return ret;
	if (json_object_object_get_ex(reply, "status", &status))
		word = json_object_get_string(status);
	ret = strcmp(word, wanted) == 0;
	if (!ret && has_ended(word)) {
		vm_report(vm, json_object_to_json_string(reply));
		ret = -EREMOTEIO;
	}
	json_object_put(reply);
	return ret;
}

int vm_migrate_wait(struct vm *vm, const char *wanted, int timeout_ms)
{
	int64_t deadline = deadline_in(timeout_ms);
	char what[128];
	int ret;

	while ((ret = look(vm, wanted)) == 0) {
		if (!deadline_left(deadline)) {
			snprintf(what, sizeof(what), "waited %d s in vain for a migration to be %s",
				 timeout_ms / 1000, wanted);
			vm_report(vm, what);
			return -ETIMEDOUT;
		}
		usleep(VM_POLL_MS * 1000);
	}
	return ret < 0 ? ret : 0;
}
