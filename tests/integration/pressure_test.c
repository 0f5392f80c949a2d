/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Memory pressure: each of the balloon's statistics moves by a command of its own, and QMP reads
 * what the guest counts; who is killed; in lockstep all counts are the same each time; and what
 * went to a disk comes back whole, whatever the balloon does meanwhile, and wherever the guest is
 * moved to.
 */
#include "tests/integration/pressure_harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <json-c/json.h>

#include "tests/integration/snapshots.h"
#include "tests/random.h"
#include "tools/deadline.h"
#include "tools/vm_migrate.h"

#define POLL_US 50000

/* ---- The statistics ---- */

#define STATS 16

static const char *const stat_names[STATS] = {
	"stat-swap-in",	     "stat-swap-out",	  "stat-major-faults",	   "stat-minor-faults",
	"stat-free-memory",  "stat-total-memory", "stat-available-memory", "stat-disk-caches",
	"stat-htlb-pgalloc", "stat-htlb-pgfail",  "stat-oom-kills",	   "stat-alloc-stalls",
	"stat-async-scans",  "stat-direct-scans", "stat-async-reclaims",   "stat-direct-reclaims",
};

enum {
	SWAP_IN = 1 << 0,
	SWAP_OUT = 1 << 1,
	MAJOR = 1 << 2,
	FAULTS = 1 << 3,
	CACHES = 1 << 7,
	HUGE = 1 << 8,
	HUGE_FAILED = 1 << 9,
	KILLS = 1 << 10,
	STALLS = 1 << 11,
	ASYNC_SCANS = 1 << 12,
	DIRECT_SCANS = 1 << 13,
	ASYNC_RECLAIMS = 1 << 14,
	DIRECT_RECLAIMS = 1 << 15,
	/* Levels move with everything. */
	LEVELS = 1 << 4 | 1 << 5 | 1 << 6,
	SWAPS = SWAP_IN | SWAP_OUT,
	SCANS = ASYNC_SCANS | DIRECT_SCANS,
	RECLAIMS = ASYNC_RECLAIMS | DIRECT_RECLAIMS,
};

static struct json_object *balloon_property(const char *property)
{
	struct json_object *args = json_object_new_object();

	json_object_object_add(args, "path",
			       json_object_new_string("/machine/peripheral/balloon0"));
	json_object_object_add(args, "property", json_object_new_string(property));
	return args;
}

static void poll_statistics(struct vm *vm)
{
	struct json_object *args = balloon_property("guest-stats-polling-interval");

	json_object_object_add(args, "value", json_object_new_int(1));
	assert_qmp(vm, qmp_execute(vm_qmp(vm), "qom-set", args, NULL));
}

/* How often the host has asked, as the guest counts it. */
static uint64_t reports(struct vm *vm)
{
	struct json_object *stats = harness_json(vm, "stats -j");
	uint64_t n = harness_number(stats, "requests");

	json_object_put(stats);
	return n;
}

/* A report of what was counted after this call began: the guest counts it as it fills it in. */
static void wait_report(struct vm *vm)
{
	uint64_t wanted = reports(vm) + 1;
	int64_t deadline = deadline_in(VM_TIMEOUT_MS);

	while (reports(vm) < wanted && deadline_left(deadline))
		usleep(POLL_US);
	if (reports(vm) < wanted)
		fail_msg("the host asked for no statistics for %d s", VM_TIMEOUT_MS / 1000);
}

static void read_guest(struct vm *vm, uint64_t value[STATS])
{
	struct json_object *stats = harness_json(vm, "stats -j");

	for (size_t i = 0; i < STATS; i++)
		value[i] = harness_number(stats, stat_names[i]);
	json_object_put(stats);
}

/* QMP's, of which an old QEMU has no more than ten; UINT64_MAX: it does not know it. */
static void read_host(struct vm *vm, uint64_t value[STATS])
{
	struct json_object *reply, *stats, *one;

	assert_qmp(vm, qmp_execute(vm_qmp(vm), "qom-get", balloon_property("guest-stats"), &reply));
	assert_true(json_object_object_get_ex(reply, "stats", &stats));
	for (size_t i = 0; i < STATS; i++)
		value[i] = json_object_object_get_ex(stats, stat_names[i], &one)
				   ? json_object_get_uint64(one)
				   : UINT64_MAX;
	json_object_put(reply);
}

/* Reads a report that the guest did not replace meanwhile: both have the same one. */
static void read_report(struct vm *vm, uint64_t value[STATS])
{
	uint64_t before[STATS], host[STATS];
	unsigned known = 0;

	wait_report(vm);
	do {
		read_guest(vm, before);
		read_host(vm, host);
		read_guest(vm, value);
	} while (memcmp(before, value, sizeof(before)) != 0);
	for (size_t i = 0; i < STATS; i++) {
		if (host[i] == UINT64_MAX)
			continue;
		known++;
		if (host[i] != value[i])
			fail_msg("%s: the guest counts %lu, QMP says %lu", stat_names[i], value[i],
				 host[i]);
	}
	assert_true(known == 10 || known == STATS);
}

/* A command, and the statistics that must move by it; those of `may` may. */
struct mover {
	const char *command;
	const char *done; /* what its workload says once it has done its part; NULL: at once */
	uint64_t count;	  /* of these */
	unsigned must, may;
};

static const struct mover movers[] = {
	{ "stress huge 2", NULL, 0, HUGE, 0 },
	{ "stress anon 4M", " touches", 1024, FAULTS, LEVELS },
	{ "stress cache 4M", " touches", 1024, FAULTS | MAJOR | CACHES, LEVELS },
	{ "stress anon 8M --limit 2M --pattern loop", " pages verified", 3000,
	  FAULTS | MAJOR | SWAPS | STALLS, LEVELS },
	{ "stress cache 200M --touch 4000", " touches", 30000,
	  FAULTS | MAJOR | CACHES | ASYNC_SCANS | ASYNC_RECLAIMS,
	  LEVELS | STALLS | DIRECT_SCANS | DIRECT_RECLAIMS },
	{ "stress anon 80M --pattern loop", " pages verified", 20000,
	  FAULTS | MAJOR | SWAPS | STALLS | SCANS | RECLAIMS, LEVELS | CACHES },
};

static void check_mover(struct vm *vm, const struct mover *mover)
{
	uint64_t before[STATS], after[STATS];

	read_report(vm, before);
	harness_command_says(vm, mover->command, "stress");
	if (mover->done)
		pressure_wait_workload(vm, "stress ", mover->done, mover->count);
	read_report(vm, after);
	for (size_t i = 0; i < STATS; i++) {
		bool moved = before[i] != after[i];

		if (mover->must >> i & 1 && !moved)
			fail_msg("`%s` does not move %s: %lu", mover->command, stat_names[i],
				 after[i]);
		if (!((mover->must | mover->may) >> i & 1) && moved)
			fail_msg("`%s` moves %s: %lu, then %lu", mover->command, stat_names[i],
				 before[i], after[i]);
	}
	pressure_stop_all(vm);
}

static void each_statistic_moves_by_a_command_of_its_own(void **state)
{
	int swap = pressure_make_file(256 * MIB), cache = pressure_make_file(256 * MIB);
	char extra[1024] = "";
	struct vm *vm;

	(void)state;
	pressure_add_disk(extra, sizeof(extra), "SW", swap, "");
	pressure_add_disk(extra, sizeof(extra), "CA", cache, ",read-only=on");
	vm = harness_boot(&(struct guest_options){
		.mem = "64M", .append = "swap=SW cache=CA", .extra = extra });
	poll_statistics(vm);
	for (size_t i = 0; i < sizeof(movers) / sizeof(movers[0]); i++)
		check_mover(vm, &movers[i]);
	harness_stop(vm);
	close(swap);
	close(cache);
}

static void out_of_memory_the_largest_ends_and_is_counted(void **state)
{
	int swap = pressure_make_file(16 * MIB);
	uint64_t before[STATS], after[STATS];
	unsigned kills = 5 * pressure_rounds();
	char extra[512] = "";
	struct vm *vm;

	(void)state;
	pressure_add_disk(extra, sizeof(extra), "SW", swap, "");
	vm = harness_boot(
		&(struct guest_options){ .mem = "64M", .append = "swap=SW", .extra = extra });
	poll_statistics(vm);
	read_report(vm, before);
	harness_command_says(vm, "stress anon 12M", "stress ");
	pressure_wait_workload(vm, "anon 12.0 MiB", " touches", 3072);
	for (unsigned i = 0; i < kills; i++) {
		harness_command_says(vm, "stress oom", "stress ");
		harness_wait_says(vm, "stress", "anon 81", false);
		harness_command_says(vm, "stress", "anon 12.0 MiB");
		harness_command_says(vm, "dmesg", "out of memory");
	}
	read_report(vm, after);
	assert_int_equal(after[10] - before[10], kills);
	pressure_stop_all(vm);
	harness_stop(vm);
	close(swap);
}

/* ---- The same each time ---- */

/* What two workloads beside each other come to; `over` ends the name of the swap disk's node. */
static void count_in_lockstep(const char *over, const char *more, uint64_t value[STATS])
{
	int swap = pressure_make_file(128 * MIB), cache = pressure_make_file(64 * MIB);
	char extra[1024] = "";
	struct vm *vm;

	pressure_add_disk(extra, sizeof(extra), "CA", cache, "");
	pressure_add_disk(extra, sizeof(extra), "SW", swap, over);
	strcat(extra, more);
	vm = harness_boot(&(struct guest_options){
		.mem = "64M",
		.append =
			"vm.io=lockstep swap=SW cache=CA run=\"stress anon 56M --pattern zipf "
			"--seed 3 --passes 2; stress cache 32M --write --pattern rand --passes 2\"",
		.extra = extra });
	pressure_wait_workload(vm, "anon 56.0 MiB", " touches", 2 * 56 * MIB / FRAME);
	pressure_wait_workload(vm, "cache 32.0 MiB", " touches", 2 * 32 * MIB / FRAME);
	poll_statistics(vm);
	read_report(vm, value);
	pressure_stop_all(vm);
	harness_stop(vm);
	close(swap);
	close(cache);
}

static void in_lockstep_the_same_seed_gives_the_same_counts(void **state)
{
	uint64_t first[STATS], second[STATS];

	(void)state;
	count_in_lockstep("", "", first);
	count_in_lockstep(
		"-file -object throttle-group,id=slow,x-iops-total=1000"
		" -blockdev driver=throttle,file=SW-file,throttle-group=slow,node-name=SW",
		" -icount shift=3", second);
	for (size_t i = 0; i < STATS; i++)
		if (!(LEVELS >> i & 1) && first[i] != second[i])
			fail_msg("%s: %lu, then %lu", stat_names[i], first[i], second[i]);
	assert_true(first[0] > 0 && first[1] > 0 && first[14] > 0 && first[15] > 0);
}

/* ---- With the balloon ---- */

static void the_balloon_goes_anywhere_while_memory_is_swapped(void **state)
{
	int swap = pressure_make_file(256 * MIB);
	uint64_t random = 7, taken = 0;
	char extra[512] = "";
	struct vm *vm;

	(void)state;
	pressure_add_disk(extra, sizeof(extra), "SW", swap, "");
	vm = harness_boot(
		&(struct guest_options){ .mem = "128M", .append = "swap=SW", .extra = extra });
	harness_command_says(vm, "stress anon 80M --pattern rand", "stress ");
	harness_command_says(vm, "stress anon 40M --pattern loop", "stress ");
	pressure_wait_workload(vm, "anon 80.0 MiB", " touches", 30000);
	for (int i = 0; i < 12; i++) {
		taken = random_below(&random, 96 * 256) * FRAME;
		harness_set_target(vm, taken);
		usleep(300000);
		harness_command_says(vm, "audit", "Ledger: ok");
	}
	assert_int_equal(vm_wait_balloon(vm, (int64_t)(harness_ram(vm) - taken), VM_TIMEOUT_MS), 0);
	pressure_wait_workload(vm, "anon 80.0 MiB", " pages verified", 1000);
	pressure_wait_workload(vm, "anon 40.0 MiB", " pages verified", 1000);
	pressure_stop_all(vm);
	harness_check_taken(vm, taken, false);
	harness_stop(vm);
	close(swap);
}

static void saved_in_mid_swap_it_goes_on_whole(void **state)
{
	int swap = pressure_make_file(128 * MIB);
	char extra[512] = "";
	struct vm *vm;

	(void)state;
	/* A snapshot must have what is on the disk, too. */
	snprintf(extra, sizeof(extra),
		 " -snapshot -drive "
		 "if=none,format=raw,file=/proc/%d/fd/%d,id=SW -device "
		 "virtio-blk-pci,drive=SW,serial=SW",
		 (int)getpid(), swap);
	vm = harness_boot(
		&(struct guest_options){ .mem = "64M", .append = "swap=SW", .extra = extra });
	snapshots_add(vm);
	harness_command_says(vm, "stress anon 80M --pattern loop", "stress ");
	for (int i = 0; i < 3; i++) {
		pressure_wait_workload(vm, "anon 80.0 MiB", " pages verified", 5000);
		harness_monitor(vm, "savevm swapping");
		pressure_wait_workload(vm, "anon 80.0 MiB", " pages verified", 10000);
		harness_monitor(vm, "loadvm swapping");
	}
	pressure_wait_workload(vm, "anon 80.0 MiB", " pages verified", 20000);
	pressure_stop_all(vm);
	harness_stop(vm);
	close(swap);
}

/* The disk is the same file for both. It is stopped first, as old QEMUs lose writes otherwise. */
static void moved_in_mid_swap_it_goes_on_whole(void **state)
{
	char folder[] = "/tmp/aerostat-swap-XXXXXX", socket[64], where[80];
	int swap = pressure_make_file(128 * MIB);
	char extra[512] = "", incoming[600];
	struct guest_options guest = { .mem = "64M", .append = "swap=SW", .extra = extra };
	struct vm *from, *to;

	(void)state;
	assert_non_null(mkdtemp(folder));
	snprintf(socket, sizeof(socket), "%s/state", folder);
	snprintf(where, sizeof(where), "unix:%s", socket);
	pressure_add_disk(extra, sizeof(extra), "SW", swap, "");
	from = harness_boot(&guest);
	harness_command_says(from, "stress anon 80M --pattern loop", "stress ");
	pressure_wait_workload(from, "anon 80.0 MiB", " pages verified", 5000);
	snprintf(incoming, sizeof(incoming), "%s -incoming defer", extra);
	guest.extra = incoming;
	to = harness_start(&guest);
	assert_int_equal(vm_migrate_incoming(to, where), 0);
	harness_execute(from, "stop");
	assert_int_equal(vm_migrate_begin(from, where), 0);
	assert_int_equal(vm_migrate_wait(from, "completed", VM_TIMEOUT_MS), 0);
	assert_int_equal(vm_migrate_wait(to, "completed", VM_TIMEOUT_MS), 0);
	harness_execute(to, "cont");
	harness_stop(from);
	pressure_wait_workload(to, "anon 80.0 MiB", " pages verified", 50000);
	pressure_stop_all(to);
	harness_stop(to);
	unlink(socket);
	rmdir(folder);
	close(swap);
}

int pressure_tests(void)
{
	const struct CMUnitTest tests[] = {
		TEST(each_statistic_moves_by_a_command_of_its_own),
		TEST(in_lockstep_the_same_seed_gives_the_same_counts),
		TEST(out_of_memory_the_largest_ends_and_is_counted),
		TEST(the_balloon_goes_anywhere_while_memory_is_swapped),
		TEST(saved_in_mid_swap_it_goes_on_whole),
		TEST(moved_in_mid_swap_it_goes_on_whole),
	};

	return cmocka_run_group_tests_name("pressure", tests, NULL, NULL);
}
