/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The whole machine changes while the balloon moves: it is stopped and continued,
 * reset, saved by savevm and loaded again. The target is reached, the ledger adds
 * up, and memory that survives such a change is whole.
 */
#include "tests/integration/harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <json-c/json.h>

#include "tools/deadline.h"

#define POLL_US 20000
#define LARGE (1536 * MIB + FRAME) /* of 2 GiB */
#define SMALL (3 * FRAME)

static void execute(struct vm *vm, const char *command)
{
	assert_qmp(vm, qmp_execute(vm_qmp(vm), command, NULL, NULL));
}

static void wait_taken(struct vm *vm, uint64_t taken)
{
	assert_int_equal(vm_wait_balloon(vm, (int64_t)(harness_ram(vm) - taken), VM_TIMEOUT_MS), 0);
	harness_check_taken(vm, taken, false);
}

/* ---- Stop and cont ---- */

static void stopped_in_mid_inflation_it_goes_on(void **state)
{
	static const uint64_t targets[] = { LARGE, SMALL };
	struct vm *vm = harness_boot(&(struct guest_options){ .mem = "2G" });

	(void)state;
	harness_command_says(vm, "hold 64M", "held ");
	for (size_t t = 0; t < 2; t++) {
		harness_set_target(vm, targets[t]);
		for (int i = 0; i < 10; i++) {
			execute(vm, "stop");
			usleep(POLL_US);
			execute(vm, "cont");
			usleep(POLL_US);
		}
		wait_taken(vm, targets[t]);
	}
	harness_command_says(vm, "release all", "pattern intact");
	harness_stop(vm);
}

/* ---- Reset ---- */

static void poll_statistics(struct vm *vm)
{
	const char *text = "{'path':'/machine/peripheral/balloon0',"
			   "'property':'guest-stats-polling-interval','value':1}";

	assert_qmp(vm, qmp_execute(vm_qmp(vm), "qom-set", json_tokener_parse(text), NULL));
}

/* Twice: the buffer went to the device again after it was used. */
static void wait_asked_twice(struct vm *vm)
{
	int64_t deadline = deadline_in(VM_TIMEOUT_MS);
	unsigned long requests;

	do {
		char *text = harness_command(vm, "show_mem -j");
		const char *at = strstr(text, "\"requests\":");

		assert_non_null(at);
		requests = strtoul(at + strlen("\"requests\":"), NULL, 10);
		free(text);
	} while (requests < 2 && deadline_left(deadline));
	if (requests < 2)
		fail_msg("the host asked for statistics %lu times, not twice", requests);
}

static void reset_on_the_way_it_boots_and_follows_the_target(void **state)
{
	static const uint64_t ends[] = { LARGE, SMALL, LARGE };
	struct vm *vm = harness_boot(&(struct guest_options){ .mem = "2G" });
	uint64_t begin = 0;

	(void)state;
	poll_statistics(vm);
	for (size_t i = 0; i < 3; begin = ends[i], i++) {
		harness_stop_on_the_way(vm, begin, ends[i]);
		execute(vm, "system_reset");
		execute(vm, "cont");
		harness_wait_prompt(vm, NULL);
		/* QEMU keeps `actual` until the new kernel writes 0 there. */
		wait_taken(vm, ends[i]);
		wait_asked_twice(vm);
		harness_command_says(vm, "hold 64M", "held ");
		harness_command_says(vm, "release all", "pattern intact");
	}
	harness_stop(vm);
}

/* ---- savevm and loadvm ---- */

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

/*
 * A place for snapshots. QEMU itself makes the image, so that no other
 * program is needed, and the guest does not see it.
 */
static void add_snapshot_image(struct vm *vm, const char *path)
{
	char text[160];

	snprintf(text, sizeof(text), "{'driver':'file','filename':'%s','size':0}", path);
	create(vm, text);
	snprintf(text, sizeof(text), "{'driver':'file','node-name':'file','filename':'%s'}", path);
	add_node(vm, text);
	create(vm, "{'driver':'qcow2','file':'file','size':1048576}");
	add_node(vm, "{'driver':'qcow2','node-name':'snapshots','file':'file'}");
}

/* The monitor's savevm and loadvm say something only if they fail. */
static void human(struct vm *vm, const char *command)
{
	char *text = NULL;

	assert_qmp(vm, qmp_human(vm_qmp(vm), command, &text));
	if (*text)
		fail_msg("%s: %s", command, text);
	free(text);
}

static struct vm *boot_with_snapshots(char *path)
{
	int fd = mkstemp(path);
	struct vm *vm;

	assert_true(fd >= 0);
	close(fd);
	vm = harness_boot(&(struct guest_options){ .mem = "2G" });
	add_snapshot_image(vm, path);
	unlink(path);
	return vm;
}

/* Between the two the balloon gets larger, and then smaller. */
static void loadvm_brings_back_an_earlier_balloon(void **state)
{
	static const uint64_t later[] = { 200 * MIB, SMALL };
	char path[] = "/tmp/aerostat-snapshots-XXXXXX";
	struct vm *vm = boot_with_snapshots(path);

	(void)state;
	harness_command_says(vm, "hold 24M", "held ");
	harness_take(vm, 100 * MIB + FRAME);
	human(vm, "savevm inflated");
	harness_check_taken(vm, 100 * MIB + FRAME, false);
	for (size_t i = 0; i < 2; i++) {
		harness_take(vm, later[i]);
		harness_command_says(vm, "release all", "pattern intact");
		harness_command_says(vm, "hold 64M", "held ");
		human(vm, "loadvm inflated");
		wait_taken(vm, 100 * MIB + FRAME);
		harness_command_says(vm, "show_mem -j", "\"held\":25165824");
	}
	harness_take(vm, 300 * MIB);
	harness_check_taken(vm, 300 * MIB, false);
	harness_command_says(vm, "release all", "released 1: pattern intact");
	harness_stop(vm);
}

static void loadvm_goes_on_where_savevm_was_on_the_way(void **state)
{
	char path[] = "/tmp/aerostat-snapshots-XXXXXX";
	struct vm *vm = boot_with_snapshots(path);
	static const uint64_t ends[] = { LARGE, SMALL };
	uint64_t begin = 0;

	(void)state;
	harness_command_says(vm, "hold 24M", "held ");
	for (size_t i = 0; i < 2; begin = ends[i], i++) {
		harness_stop_on_the_way(vm, begin, ends[i]);
		human(vm, "savevm middle");
		execute(vm, "cont");
		wait_taken(vm, ends[i]);
		/* Back from the end, and from where there was no balloon. */
		for (int again = 0; again < 2; again++) {
			human(vm, "loadvm middle");
			execute(vm, "cont");
			wait_taken(vm, ends[i]);
			harness_take(vm, 0);
		}
		harness_take(vm, ends[i]);
	}
	harness_command_says(vm, "release all", "pattern intact");
	harness_stop(vm);
}

int state_tests(void)
{
	const struct CMUnitTest tests[] = {
		TEST(stopped_in_mid_inflation_it_goes_on),
		TEST(reset_on_the_way_it_boots_and_follows_the_target),
		TEST(loadvm_brings_back_an_earlier_balloon),
		TEST(loadvm_goes_on_where_savevm_was_on_the_way),
	};

	return cmocka_run_group_tests_name("state", tests, NULL, NULL);
}
