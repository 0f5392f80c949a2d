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

#include "tests/integration/snapshots.h"
#include "tools/deadline.h"

#define POLL_US 20000
#define LARGE (1536 * MIB + FRAME) /* of 2 GiB */
#define SMALL (3 * FRAME)

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
			harness_execute(vm, "stop");
			usleep(POLL_US);
			harness_execute(vm, "cont");
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
		harness_execute(vm, "system_reset");
		harness_execute(vm, "cont");
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

static struct vm *boot_with_snapshots(void)
{
	struct vm *vm = harness_boot(&(struct guest_options){ .mem = "2G" });

	snapshots_add(vm);
	return vm;
}

/* Between the two the balloon gets larger, and then smaller. */
static void loadvm_brings_back_an_earlier_balloon(void **state)
{
	static const uint64_t later[] = { 200 * MIB, SMALL };
	struct vm *vm = boot_with_snapshots();

	(void)state;
	harness_command_says(vm, "hold 24M", "held ");
	harness_take(vm, 100 * MIB + FRAME);
	harness_monitor(vm, "savevm inflated");
	harness_check_taken(vm, 100 * MIB + FRAME, false);
	for (size_t i = 0; i < 2; i++) {
		harness_take(vm, later[i]);
		harness_command_says(vm, "release all", "pattern intact");
		harness_command_says(vm, "hold 64M", "held ");
		harness_monitor(vm, "loadvm inflated");
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
	struct vm *vm = boot_with_snapshots();
	static const uint64_t ends[] = { LARGE, SMALL };
	uint64_t begin = 0;

	(void)state;
	harness_command_says(vm, "hold 24M", "held ");
	for (size_t i = 0; i < 2; begin = ends[i], i++) {
		harness_stop_on_the_way(vm, begin, ends[i]);
		harness_monitor(vm, "savevm middle");
		harness_execute(vm, "cont");
		wait_taken(vm, ends[i]);
		/* Back from the end, and from where there was no balloon. */
		for (int again = 0; again < 2; again++) {
			harness_monitor(vm, "loadvm middle");
			harness_execute(vm, "cont");
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
