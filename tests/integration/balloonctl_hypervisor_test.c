/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The built balloonctl against the real image on a VMware and on a Hyper-V that are the hypervisor
 * for tests: all that it does with QEMU's own balloon it does through the control block, and its
 * numbers are those of the guest.
 */
#include <json-c/json.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/hypervisor/hyperv.h"
#include "tests/integration/balloonctl_harness.h"
#include "tools/balloonctl/balloonctl.h"
#include "tools/deadline.h"
#include "tools/hypervisor.h"

#define QUICK "vmware.poll=0.02"

static struct guest_options options(const char *personality)
{
	bool is_vmware = strcmp(personality, "vmware") == 0;

	return (struct guest_options){ .hypervisor = personality,
				       .append = is_vmware ? QUICK : NULL };
}

static struct json_object *json_of(const struct program_end *end)
{
	struct json_object *all;

	assert_end(end, EXIT_REACHED, "{");
	all = json_tokener_parse(end->out);
	assert_true(json_object_is_type(all, json_type_object));
	return all;
}

/* A driver comes soon after the prompt. */
static void wait_for_driver(void)
{
	int64_t deadline = deadline_in(VM_TIMEOUT_MS);

	while (!strstr(BALLOONCTL("status")->out, "Driver       in the guest\n"))
		if (deadline_left(deadline) == 0)
			fail_msg("the guest has no driver for the balloon:\n%s",
				 BALLOONCTL("status")->out);
}

/* Guest, its memory read from outside, and tool: the same to the byte. */
static void check_numbers(struct vm *vm, const char *personality)
{
	struct json_object *all = json_of(BALLOONCTL("status", "--json"));
	struct memory mem = harness_memory(vm);
	struct json_object *dump;

	assert_string_equal(json_object_get_string(json_object_object_get(all, "hypervisor")),
			    personality);
	assert_true(json_object_get_boolean(json_object_object_get(all, "driver")));
	assert_int_equal(harness_number(all, "taken"), mem.actual);
	assert_int_equal(harness_number(all, "taken"), mem.owned_by_balloon);
	assert_int_equal(harness_number(all, "ram"), harness_number(all, "left") + mem.actual);
	dump = json_of(BALLOONCTL("dump", "--live", "--json"));
	assert_int_equal(harness_number(json_object_object_get(dump, "owners"), "balloon"),
			 mem.actual);
	assert_true(mem.ledger_ok);
	json_object_put(dump);
	json_object_put(all);
}

static void moves_both_ways(const char *personality)
{
	struct vm *vm = balloonctl_boot(options(personality));
	const struct program_end *end;

	wait_for_driver();
	assert_end(BALLOONCTL("set", "200M", "--wait"), EXIT_REACHED,
		   "Actual       200.0 MiB left");
	check_numbers(vm, personality);
	assert_end(BALLOONCTL("take", "100M", "--wait"), EXIT_REACHED, "100.0 MiB taken");
	check_numbers(vm, personality);
	end = BALLOONCTL("set", "1", "--wait", "--patience=1");
	assert_end(end, EXIT_SHORTFALL, "!nothing has moved for 1 s, the guest stays at");
	assert_end(BALLOONCTL("give", "--all", "--wait"), EXIT_REACHED, "    0 B taken");
	check_numbers(vm, personality);
	harness_stop(vm);
}

static void vmwares_balloon_is_moved_both_ways(void **state)
{
	(void)state;
	moves_both_ways("vmware");
}

static void hypervs_balloon_is_moved_both_ways(void **state)
{
	(void)state;
	moves_both_ways("hyperv");
}

/* Runs until it is interrupted; the first lines of its output have been written then. */
static void run_for_lines(const char *const argv[], struct program_end *end)
{
	struct program program;

	program_start(&program, false, argv);
	for (int64_t deadline = deadline_in(VM_TIMEOUT_MS);;) {
		struct stat st;

		assert_int_equal(fstat(fileno(program.out), &st), 0);
		if (st.st_size > 1200)
			break;
		if (deadline_left(deadline) == 0)
			fail_msg("%s writes too few lines", argv[3]);
		usleep(10000);
	}
	kill(program.pid, SIGINT);
	program_finish(&program, end);
}

static void is_watched(const char *personality, const char *stat)
{
	struct vm *vm = balloonctl_boot(options(personality));
	static struct program_end end;
	char expected[64];

	wait_for_driver();
	assert_end(BALLOONCTL("take", "64M", "--wait"), EXIT_REACHED, "64.00 MiB taken");
	run_for_lines(CALL("watch", "--json", "--interval", "0.2"), &end);
	snprintf(expected, sizeof(expected), "\"hypervisor\":\"%s\",\"condition\":\"up\"",
		 personality);
	assert_non_null(strstr(end.out, expected));
	assert_non_null(strstr(end.out, "\"taken\":67108864"));
	run_for_lines(CALL("record", "-", "--interval", "0.1"), &end);
	assert_non_null(strstr(end.out, ",67108864,"));
	assert_end(BALLOONCTL("export"), EXIT_REACHED, "} 67108864\n");
	assert_end(BALLOONCTL("export"), EXIT_REACHED, "balloon_driver_ok{");
	assert_end(BALLOONCTL("list", balloonctl_qmp), EXIT_REACHED, "64.00 MiB taken   driver\n");
	assert_end(BALLOONCTL("stats"), EXIT_REACHED, stat);
	assert_end(BALLOONCTL("stats", "--interval", "1"), EXIT_USAGE, "!--interval: ");
	assert_end(BALLOONCTL("grow", "64M"), EXIT_USAGE, "! does not grow: ");
	harness_stop(vm);
}

static void vmwares_guest_is_watched_recorded_and_listed(void **state)
{
	(void)state;
	is_watched("vmware", "none: this kind of balloon has none\n");
}

static void hypervs_guest_is_watched_recorded_and_listed(void **state)
{
	(void)state;
	is_watched("hyperv", "stat-available-memory");
}

/* Memory with a name, so that the test finds the block, too. */
struct mapped {
	char path[32];
	struct vm *vm;
	struct hypervisor *hypervisor;
};

static struct mapped boot_mapped(const char *personality)
{
	struct guest_options guest = options(personality);
	struct mapped mapped = { .path = "/tmp/aerostat-memory-XXXXXX" };
	int fd = mkstemp(mapped.path);

	assert_true(fd >= 0);
	close(fd);
	guest.memory_file = mapped.path;
	mapped.vm = balloonctl_boot(guest);
	wait_for_driver();
	assert_int_equal(hypervisor_open(mapped.path, &mapped.hypervisor, NULL), 0);
	return mapped;
}

static void end_mapped(struct mapped *mapped)
{
	unlink(mapped->path);
	hypervisor_close(mapped->hypervisor);
	harness_stop(mapped->vm);
}

/* Hyper-V takes its channel away; the target stays for a driver that comes. */
static void a_guest_without_a_driver_is_told(void **state)
{
	struct mapped mapped = boot_mapped("hyperv");
	volatile struct hyperv_control *hyperv = hypervisor_page(mapped.hypervisor,
								 HV_CONTROL_HYPERV);

	(void)state;
	hyperv->wish.no_dm = 1;
	harness_execute(mapped.vm, "inject-nmi");
	assert_end(BALLOONCTL("set", "200M", "--wait", "--patience=1"), EXIT_NO_DRIVER,
		   "!no balloon driver runs in the guest; the target is kept");
	assert_end(BALLOONCTL("list", balloonctl_qmp), EXIT_REACHED, "no driver\n");
	hyperv->wish.no_dm = 0;
	harness_execute(mapped.vm, "inject-nmi");
	assert_end(BALLOONCTL("set", "200M", "--wait"), EXIT_REACHED, "200.0 MiB left");
	end_mapped(&mapped);
}

static void a_paused_guest_is_told(void **state)
{
	struct vm *vm = balloonctl_boot(options("vmware"));

	(void)state;
	wait_for_driver();
	harness_execute(vm, "stop");
	assert_end(BALLOONCTL("set", "200M", "--wait", "--patience=1"), EXIT_TIMEOUT,
		   "!the guest is paused and cannot move to its target");
	harness_execute(vm, "cont");
	assert_end(BALLOONCTL("set", "200M", "--wait"), EXIT_REACHED, "200.0 MiB left");
	harness_stop(vm);
}

static void a_dump_of_its_memory_is_the_guests(void **state)
{
	struct vm *vm = balloonctl_boot(options("hyperv"));
	char core[96], line[160];

	(void)state;
	wait_for_driver();
	assert_end(BALLOONCTL("take", "64M", "--wait"), EXIT_REACHED, "64.00 MiB taken");
	snprintf(core, sizeof(core), "%s/core", balloonctl_folder);
	snprintf(line, sizeof(line), "dump-guest-memory %s", core);
	harness_monitor(vm, line);
	assert_end(BALLOONCTL("dump", core), EXIT_REACHED,
		   "Balloon target:65536kB actual:65536kB shortfall:0kB");
	unlink(core);
	harness_stop(vm);
}

/* As after a rebuild with another layout. */
static void a_block_of_another_version_is_refused_untouched(void **state)
{
	struct mapped mapped = boot_mapped("vmware");
	volatile struct hv_control_common *common = hypervisor_common(mapped.hypervisor);

	(void)state;
	common->version = HV_CONTROL_VERSION + 1;
	assert_end(BALLOONCTL("set", "200M", "--wait"), EXIT_NO_CONNECT,
		   "!control block is of version ");
	assert_int_equal(common->target, 0);
	common->version = HV_CONTROL_VERSION;
	assert_end(BALLOONCTL("set", "200M", "--wait"), EXIT_REACHED, "200.0 MiB left");
	unlink(mapped.path);
	assert_end(BALLOONCTL("status"), EXIT_NO_CONNECT, "!there is no such file (any more)");
	end_mapped(&mapped);
}

int balloonctl_hypervisor_tests(void)
{
	const struct CMUnitTest tests[] = {
		TEST(vmwares_balloon_is_moved_both_ways),
		TEST(hypervs_balloon_is_moved_both_ways),
		TEST(vmwares_guest_is_watched_recorded_and_listed),
		TEST(hypervs_guest_is_watched_recorded_and_listed),
		TEST(a_guest_without_a_driver_is_told),
		TEST(a_paused_guest_is_told),
		TEST(a_dump_of_its_memory_is_the_guests),
		TEST(a_block_of_another_version_is_refused_untouched),
	};

	return cmocka_run_group_tests_name("balloonctl_hypervisor", tests, balloonctl_make_folder,
					   balloonctl_remove_folder);
}
