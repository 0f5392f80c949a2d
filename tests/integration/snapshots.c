/* SPDX-License-Identifier: BSD-2-Clause */
/* A place for snapshots; see snapshots.h. */
#include "tests/integration/snapshots.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <json-c/json.h>

#include "tests/integration/harness.h"
#include "tools/deadline.h"

#define POLL_US 20000

/* Runs a job of QEMU's and waits for its end. */
static void create(struct vm *vm, const char *options)
{
	int64_t deadline = deadline_in(VM_TIMEOUT_MS);
	struct json_object *args = json_object_new_object(), *jobs = NULL;
	const char *text = "";

	json_object_object_add(args, "job-id", json_object_new_string("create"));
	json_object_object_add(args, "options", json_tokener_parse(options));
	assert_qmp(vm, qmp_execute(vm_qmp(vm), "blockdev-create", args, NULL));
	while (!strstr(text, "\"concluded\"")) {
		if (!deadline_left(deadline))
			fail_msg("not created: %s", text);
		usleep(POLL_US);
		json_object_put(jobs);
		assert_qmp(vm, qmp_execute(vm_qmp(vm), "query-jobs", NULL, &jobs));
		text = json_object_to_json_string_ext(jobs, JSON_C_TO_STRING_PLAIN);
	}
	if (strstr(text, "\"error\""))
		fail_msg("not created: %s", text);
	json_object_put(jobs);
	assert_qmp(vm, qmp_execute(vm_qmp(vm), "job-dismiss", json_tokener_parse("{'id':'create'}"),
				   NULL));
}

static void add_node(struct vm *vm, const char *options)
{
	assert_qmp(vm, qmp_execute(vm_qmp(vm), "blockdev-add", json_tokener_parse(options), NULL));
}

void snapshots_add(struct vm *vm)
{
	char path[] = "/tmp/aerostat-snapshots-XXXXXX", text[160];
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	close(fd);
	snprintf(text, sizeof(text), "{'driver':'file','filename':'%s','size':0}", path);
	create(vm, text);
	snprintf(text, sizeof(text), "{'driver':'file','node-name':'file','filename':'%s'}", path);
	add_node(vm, text);
	create(vm, "{'driver':'qcow2','file':'file','size':1048576}");
	add_node(vm, "{'driver':'qcow2','node-name':'snapshots','file':'file'}");
	unlink(path);
}
