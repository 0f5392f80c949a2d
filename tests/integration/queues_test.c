/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The balloon's queues beside inflate and deflate, with the real guest:
 * statistics, free page reporting, range-first inflation, hinting.
 */
#include "tests/integration/harness.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <json-c/json.h>

#include "tools/deadline.h"

#define DEVICE "/machine/peripheral/balloon0"
#define POLL_US 20000

/* ---- Statistics ---- */

static struct json_object *path_and(const char *property)
{
	struct json_object *args = json_object_new_object();

	json_object_object_add(args, "path", json_object_new_string(DEVICE));
	json_object_object_add(args, "property", json_object_new_string(property));
	return args;
}

static void poll_statistics(struct vm *vm, int seconds)
{
	struct json_object *args = path_and("guest-stats-polling-interval");

	json_object_object_add(args, "value", json_object_new_int(seconds));
	assert_qmp(vm, qmp_execute(vm_qmp(vm), "qom-set", args, NULL));
}

static void poll_statistics_each_second(struct vm *vm)
{
	poll_statistics(vm, 1);
}

/* One number of guest-stats: "last-update" or one of its "stats". */
static uint64_t statistic(struct vm *vm, const char *name)
{
	struct json_object *reply = NULL, *stats = NULL, *value = NULL;
	uint64_t number;

	assert_qmp(vm, qmp_execute(vm_qmp(vm), "qom-get", path_and("guest-stats"), &reply));
	if (strcmp(name, "last-update") == 0)
		stats = reply;
	else
		assert_true(json_object_object_get_ex(reply, "stats", &stats));
	assert_true(json_object_object_get_ex(stats, name, &value));
	number = json_object_get_uint64(value);
	json_object_put(reply);
	return number;
}

/* Waits until QEMU knows this number. */
static void wait_statistic(struct vm *vm, const char *name, uint64_t value)
{
	int64_t deadline = deadline_in(VM_TIMEOUT_MS);

	while (statistic(vm, name) != value && deadline_left(deadline))
		usleep(POLL_US);
	if (statistic(vm, name) != value)
		fail_msg("%s: waited for %ju, is %ju", name, (uintmax_t)value,
			 (uintmax_t)statistic(vm, name));
}

static void check_statistics(struct vm *vm)
{
	struct memory mem = harness_memory(vm);

	wait_statistic(vm, "stat-total-memory", mem.total);
	wait_statistic(vm, "stat-free-memory", mem.free);
	wait_statistic(vm, "stat-available-memory", mem.available);
}

static void statistics_are_the_guests_own_numbers(void **state)
{
	static const char *const modes[] = { "deflate-on-oom=off", "deflate-on-oom=on" };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct vm *vm = harness_boot(&(struct guest_options){ .balloon = modes[i] });

		poll_statistics_each_second(vm);
		check_statistics(vm);
		harness_take(vm, 64 * MIB);
		check_statistics(vm);
		/* Without a disk nothing has happened, which is a count, too. */
		assert_true(statistic(vm, "stat-swap-in") == 0);
		assert_true(statistic(vm, "stat-major-faults") == 0);
		assert_true(statistic(vm, "stat-disk-caches") == 0);
		harness_command_says(vm, "hold 4M 9", "held ");
		wait_statistic(vm, "stat-htlb-pgalloc", 2);
		harness_stop(vm);
	}
}

/* Gives the value that `stats` prints for a name; UINT64_MAX: none. */
static uint64_t console_statistic(const char *text, const char *name)
{
	const char *line = strstr(text, name);

	return line && line[strlen(name)] == ' ' ? strtoull(line + strlen(name), NULL, 10)
						 : UINT64_MAX;
}

static void qmp_json_and_console_show_the_same_statistics(void **state)
{
	struct vm *vm = harness_boot(&(struct guest_options){ 0 });
	struct json_object *all, *stats, *number, *reply, *qmp;
	unsigned compared = 0;
	char *text, *json;

	(void)state;
	poll_statistics_each_second(vm);
	harness_command_says(vm, "hold 8M 9", "held ");
	wait_statistic(vm, "stat-htlb-pgalloc", 4);
	/* From now on the last report stays the last. */
	poll_statistics(vm, 0);
	text = harness_command(vm, "stats");
	json = harness_command(vm, "show_mem -j");
	all = json_tokener_parse(json);
	assert_true(json_object_object_get_ex(all, "stats", &stats));
	assert_true(json_object_object_get_ex(stats, "requests", &number));
	assert_true(json_object_get_int64(number) >= 1);
	assert_qmp(vm, qmp_execute(vm_qmp(vm), "qom-get", path_and("guest-stats"), &reply));
	assert_true(json_object_object_get_ex(reply, "stats", &qmp));
	json_object_object_foreach(qmp, name, value)
	{
		bool known = json_object_object_get_ex(stats, name, &number);

		/* Absent in one is absent in the others. */
		assert_true(known == (json_object_get_uint64(value) != UINT64_MAX));
		assert_true(json_object_get_uint64(value) == console_statistic(text, name));
		if (known)
			assert_true(json_object_get_uint64(value) ==
				    json_object_get_uint64(number));
		compared += known;
	}
	assert_true(compared >= 5);
	json_object_put(reply);
	json_object_put(all);
	free(json);
	free(text);
	harness_stop(vm);
}

static void statistics_go_on_after_a_system_reset(void **state)
{
	struct vm *vm = harness_boot(&(struct guest_options){ 0 });

	(void)state;
	poll_statistics_each_second(vm);
	check_statistics(vm);
	harness_execute(vm, "system_reset");
	harness_wait_prompt(vm, NULL);
	harness_take(vm, 32 * MIB);
	check_statistics(vm);
	harness_stop(vm);
}

/* ---- Reporting ---- */

static uint64_t blocks_in(int fd)
{
	struct stat st;

	assert_int_equal(fstat(fd, &st), 0);
	return (uint64_t)st.st_blocks * 512;
}

static void freed_memory_goes_back_to_the_host_by_itself(void **state)
{
	char path[] = "/tmp/aerostat-memory-XXXXXX";
	int fd = mkstemp(path);
	int64_t deadline;
	uint64_t held;
	struct vm *vm;

	(void)state;
	assert_true(fd >= 0);
	vm = harness_boot(&(struct guest_options){
		.mem = "512M", .balloon = "free-page-reporting=on", .memory_file = path });
	unlink(path);
	harness_command_says(vm, "hold 256M", "held ");
	held = blocks_in(fd);
	assert_true(held >= 256 * MIB);
	harness_command_says(vm, "release all", "pattern intact");
	deadline = deadline_in(VM_TIMEOUT_MS);
	while (blocks_in(fd) + 250 * MIB > held && deadline_left(deadline))
		usleep(POLL_US);
	if (blocks_in(fd) + 250 * MIB > held)
		fail_msg("the host has %ju bytes back, of 256 MiB",
			 (uintmax_t)(held - blocks_in(fd)));
	close(fd);
	harness_command_says(vm, "audit", "Ledger: ok");
	/* And the guest can have it again. */
	harness_command_says(vm, "hold 256M", "held ");
	harness_command_says(vm, "release all", "pattern intact");
	harness_stop(vm);
}

/* ---- Strategies ---- */

static void every_strategy_reaches_targets_exactly(void **state)
{
	static const char *const strategies[] = { "portable", "whole-block", "range-first",
						  "auto" };
	static const uint64_t targets[] = { 100 * MIB, 33 * MIB + 3 * FRAME, 150 * MIB + FRAME, 0 };
	struct vm *vm = harness_boot(
		&(struct guest_options){ .balloon = "free-page-reporting=on" });

	(void)state;
	harness_command_says(vm, "hold 20M", "held ");
	for (size_t s = 0; s < 4; s++) {
		char line[64];

		snprintf(line, sizeof(line), "balloon strategy %s", strategies[s]);
		free(harness_command(vm, line));
		snprintf(line, sizeof(line), "Strategy: %s", strategies[s]);
		harness_command_says(vm, "balloon", line);
		for (size_t t = 0; t < 4; t++) {
			harness_take(vm, targets[t]);
			harness_check_taken(vm, targets[t], false);
		}
	}
	harness_command_says(vm, "balloon", "auto (range-first)");
	harness_command_says(vm, "balloon strategy fast", "unknown strategy fast");
	harness_command_says(vm, "release all", "pattern intact");
	harness_stop(vm);
}

static void range_first_is_refused_without_reporting(void **state)
{
	struct vm *vm = harness_boot(&(struct guest_options){ .append = "strategy=portable",
							      .balloon = "deflate-on-oom=on" });

	(void)state;
	harness_command_says(vm, "balloon strategy range-first", "needs a device with REPORTING");
	harness_take(vm, 64 * MIB);
	harness_check_taken(vm, 64 * MIB, true);
	harness_stop(vm);
}

/* ---- Hinting ---- */

/* Migrates into nothing; returns the bytes of RAM that were sent. */
static uint64_t migrate_away(struct vm *vm)
{
	int64_t deadline = deadline_in(VM_TIMEOUT_MS);
	struct json_object *args = json_object_new_object();
	struct json_object *reply, *status, *ram, *sent;
	uint64_t bytes = 0;
	bool done = false;

	json_object_object_add(args, "uri", json_object_new_string("exec:cat > /dev/null"));
	assert_qmp(vm, qmp_execute(vm_qmp(vm), "migrate", args, NULL));
	while (!done && deadline_left(deadline)) {
		usleep(POLL_US);
		assert_qmp(vm, qmp_execute(vm_qmp(vm), "query-migrate", NULL, &reply));
		if (json_object_object_get_ex(reply, "status", &status))
			done = strcmp(json_object_get_string(status), "completed") == 0;
		if (json_object_object_get_ex(reply, "ram", &ram) &&
		    json_object_object_get_ex(ram, "transferred", &sent))
			bytes = json_object_get_uint64(sent);
		json_object_put(reply);
	}
	assert_true(done);
	return bytes;
}

static uint64_t migrate_used_guest(const char *balloon)
{
	struct vm *vm = harness_boot(&(struct guest_options){
		.mem = "256M", .balloon = balloon, .extra = "-object iothread,id=io0" });
	uint64_t bytes;

	/* Memory that is free, but full of a pattern. */
	harness_command_says(vm, "hold 180M", "held ");
	harness_command_says(vm, "release all", "pattern intact");
	bytes = migrate_away(vm);
	/* The source can go on: it has lost nothing. */
	harness_execute(vm, "cont");
	harness_command_says(vm, "audit", "Ledger: ok");
	harness_command_says(vm, "hold 180M", "held ");
	harness_command_says(vm, "release all", "pattern intact");
	harness_stop(vm);
	return bytes;
}

static void hinting_makes_a_migration_smaller(void **state)
{
	uint64_t without = migrate_used_guest("free-page-hint=off");
	uint64_t with = migrate_used_guest("free-page-hint=on,iothread=io0");

	(void)state;
	assert_true(without > 180 * MIB);
	if (with > without / 2)
		fail_msg("sent %ju bytes with hints, %ju without", (uintmax_t)with,
			 (uintmax_t)without);
}

/* ---- While a command works ---- */

static void balloon_moves_while_a_command_runs(void **state)
{
	struct vm *vm = harness_start(&(struct guest_options){
		.mem = "1G", .append = "run=\"hold 512M; balloon\"", .extra = "-S" });
	char *text;

	(void)state;
	harness_set_target(vm, 200 * MIB);
	harness_execute(vm, "cont");
	harness_wait_prompt(vm, &text);
	/* The shell was never idle, and yet it was done. */
	if (!strstr(text, "Actual: 204800 kB")) {
		char *more = NULL;

		harness_wait_prompt(vm, &more);
		assert_non_null(strstr(more, "Actual: 204800 kB"));
		free(more);
	}
	free(text);
	harness_stop(vm);
}

static void large_runs_come_out_of_the_balloon(void **state)
{
	struct vm *vm = harness_boot(
		&(struct guest_options){ .mem = "512M", .balloon = "deflate-on-oom=on" });

	(void)state;
	harness_take(vm, 440 * MIB);
	harness_command_says(vm, "hold 64M 14", "held ");
	harness_command_says(vm, "release all", "pattern intact");
	harness_command_says(vm, "audit", "Ledger: ok");
	harness_stop(vm);
}

int queues_tests(void)
{
	const struct CMUnitTest tests[] = {
		TEST(statistics_are_the_guests_own_numbers),
		TEST(qmp_json_and_console_show_the_same_statistics),
		TEST(statistics_go_on_after_a_system_reset),
		TEST(freed_memory_goes_back_to_the_host_by_itself),
		TEST(every_strategy_reaches_targets_exactly),
		TEST(range_first_is_refused_without_reporting),
		TEST(hinting_makes_a_migration_smaller),
		TEST(balloon_moves_while_a_command_runs),
		TEST(large_runs_come_out_of_the_balloon),
	};

	return cmocka_run_group_tests_name("queues", tests, NULL, NULL);
}
