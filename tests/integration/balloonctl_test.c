/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The built balloonctl against real guests, against QEMU without a driver and
 * without a device, and against QEMU that dies: its numbers are those of the
 * guest and of QMP, its exit status is the truth.
 */
#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <json-c/json.h>

#include "tests/integration/balloonctl_harness.h"
#include "tools/balloonctl/balloonctl.h"
#include "tools/deadline.h"

/* ---- numbers ---- */

static struct json_object *status_json(void)
{
	const struct program_end *end = BALLOONCTL("status", "--json");
	struct json_object *all;

	assert_end(end, EXIT_REACHED, "{");
	all = json_tokener_parse(end->out);
	assert_true(json_object_is_type(all, json_type_object));
	return all;
}

/* "target.left" is a member of a member. */
static void assert_number(struct json_object *object, const char *name, uint64_t is)
{
	const char *dot = strchr(name, '.');
	char outer[32];

	if (dot) {
		snprintf(outer, sizeof(outer), "%.*s", (int)(dot - name), name);
		object = json_object_object_get(object, outer);
		name = dot + 1;
	}
	object = json_object_object_get(object, name);
	if (!json_object_is_type(object, json_type_int) || json_object_get_uint64(object) != is)
		fail_msg("%s is not %llu but %s", name, (unsigned long long)is,
			 json_object_to_json_string(object));
}

/* The guest's memory, read from outside, says what the guest says. */
static void check_dump(const struct memory *mem)
{
	const struct program_end *end = BALLOONCTL("dump", "--live", "--json");
	struct json_object *all = json_tokener_parse(end->out);

	assert_int_equal(end->status, EXIT_REACHED);
	assert_number(all, "ram", mem->ram);
	assert_number(all, "stat-total-memory", mem->total);
	assert_number(all, "stat-free-memory", mem->free);
	assert_number(all, "stat-available-memory", mem->available);
	assert_number(all, "inflated-total", mem->inflated_total);
	assert_number(all, "inflated-free", mem->inflated_free);
	assert_number(all, "balloon.target", mem->target);
	assert_number(all, "balloon.actual", mem->actual);
	assert_number(all, "balloon.shortfall", mem->shortfall);
	assert_number(all, "balloon.floor", mem->floor);
	assert_number(all, "owners.balloon", mem->owned_by_balloon);
	json_object_put(all);
}

/* Guest, its dump, QMP and tool: the same to the byte. */
static void check_numbers(struct vm *vm, uint64_t taken, bool deflate_on_oom)
{
	struct memory mem;
	struct json_object *all;

	harness_check_taken(vm, taken, deflate_on_oom);
	/* A report of now; no other one afterwards. */
	assert_end(BALLOONCTL("stats", "--interval", "1"), EXIT_REACHED, "stat-free-memory");
	assert_end(BALLOONCTL("stats", "--interval", "0"), EXIT_REACHED, "nobody asks");
	all = status_json();
	mem = harness_memory(vm);
	assert_number(all, "ram", harness_ram(vm));
	assert_number(all, "taken", mem.actual);
	assert_number(all, "left", harness_ram(vm) - mem.actual);
	assert_number(all, "target.taken", mem.target);
	assert_number(all, "target.left", harness_ram(vm) - mem.target);
	assert_number(all, "statistics.stat-total-memory", mem.total);
	assert_number(all, "statistics.stat-free-memory", mem.free);
	assert_number(all, "statistics.stat-available-memory", mem.available);
	json_object_put(all);
	check_dump(&mem);
}

static void check_agreement(struct guest_options guest, bool deflate_on_oom)
{
	struct vm *vm = balloonctl_boot(guest);

	check_numbers(vm, 0, deflate_on_oom);
	assert_end(BALLOONCTL("take", "100M", "--wait"), EXIT_REACHED, "100.0 MiB taken");
	check_numbers(vm, 100 * MIB, deflate_on_oom);
	assert_end(BALLOONCTL("set", "200M", "--wait"), EXIT_REACHED, "200.0 MiB left");
	check_numbers(vm, 56 * MIB, deflate_on_oom);
	harness_stop(vm);
}

static void balloonctl_agrees_with_guest_and_qmp(void **state)
{
	(void)state;
	check_agreement((struct guest_options){ 0 }, false);
}

static void balloonctl_agrees_with_deflate_on_oom(void **state)
{
	(void)state;
	check_agreement((struct guest_options){ .balloon = "deflate-on-oom=on" }, true);
}

static void balloonctl_finds_the_target_on_every_transport(void **state)
{
	static const struct guest_options guests[] = {
		{ .machine = "microvm" },
		{ .machine = "pc", .balloon = "disable-legacy=on" },
		{ .machine = "q35", .firmware = "qboot" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(guests) / sizeof(guests[0]); i++) {
		struct vm *vm = balloonctl_boot(guests[i]);

		assert_end(BALLOONCTL("set", "200M", "--wait"), EXIT_REACHED, "200.0 MiB left");
		check_numbers(vm, 56 * MIB, false);
		harness_stop(vm);
	}
}

/* With MSI-X, which QEMU 7.2 does not give it, its registers may be elsewhere. */
static void balloonctl_finds_the_target_of_a_legacy_device(void **state)
{
	struct vm *vm = balloonctl_boot((struct guest_options){
		.machine = "pc", .balloon = "disable-modern=on,disable-legacy=off" });
	struct json_object *args = json_object_new_object(), *all;

	(void)state;
	json_object_object_add(args, "path",
			       json_object_new_string("/machine/peripheral/balloon0"));
	json_object_object_add(args, "property", json_object_new_string("vectors"));
	assert_end(BALLOONCTL("set", "200M", "--wait"), EXIT_REACHED, "200.0 MiB left");
	if (qmp_execute(vm_qmp(vm), "qom-get", args, NULL) == 0) {
		all = status_json();
		assert_false(json_object_object_get_ex(all, "target", NULL));
		json_object_put(all);
	} else {
		check_numbers(vm, 56 * MIB, false);
	}
	harness_stop(vm);
}

/* From version 11 on QEMU may abort when it is asked for the driver. */
static bool tells_the_driver(struct vm *vm)
{
	return qmp_version(vm_qmp(vm)) < 11;
}

static void check_features(const char *bits)
{
	const struct program_end *end = BALLOONCTL("status");
	const char *found;
	char line[512];

	assert_end(end, EXIT_REACHED, "Features ");
	found = strstr(end->out, "Features ");
	snprintf(line, sizeof(line), "%.*s", (int)strcspn(found, "\n"), found);
	assert_int_equal(bits[2] == '1', !!strstr(line, " DEFLATE_ON_OOM"));
	assert_int_equal(bits[1] == '1', !!strstr(line, " STATS_VQ"));
	assert_int_equal(bits[4] == '1', !!strstr(line, " PAGE_POISON"));
	assert_int_equal(bits[32] == '1', !!strstr(line, " VERSION_1"));
	assert_int_equal(bits[34] == '1', !!strstr(line, " RING_PACKED"));
	assert_non_null(strstr(line, " RING_PACKED"));
}

static void balloonctl_shows_the_features_that_the_guest_shows(void **state)
{
	struct vm *vm = balloonctl_boot(
		(struct guest_options){ .balloon = "deflate-on-oom=on,packed=on" });
	char *bits = harness_command(vm, "features");

	(void)state;
	if (tells_the_driver(vm))
		check_features(bits);
	else
		assert_end(BALLOONCTL("status"), EXIT_REACHED, "Driver       unknown");
	free(bits);
	harness_check_taken(vm, 0, true);
	harness_stop(vm);
}

/* ---- targets ---- */

static void balloonctl_moves_memory_both_ways(void **state)
{
	struct vm *vm = balloonctl_boot((struct guest_options){ 0 });

	(void)state;
	assert_end(BALLOONCTL("set", "128M", "--wait"), EXIT_REACHED,
		   "Actual       128.0 MiB left   128.0 MiB taken");
	assert_end(BALLOONCTL("give", "28M", "--wait=60"), EXIT_REACHED,
		   "Actual       156.0 MiB left   100.0 MiB taken");
	assert_end(BALLOONCTL("take", "10M", "--wait"), EXIT_REACHED,
		   "Actual       246.0 MiB left   10.00 MiB taken");
	assert_end(BALLOONCTL("give", "11M"), EXIT_USAGE, "!no more than 10.00 MiB");
	assert_end(BALLOONCTL("take", "0", "--wait"), EXIT_REACHED,
		   "Actual       256.0 MiB left       0 B taken");
	harness_check_taken(vm, 0, false);
	harness_stop(vm);
}

static void balloonctl_tells_a_shortfall(void **state)
{
	struct vm *vm = balloonctl_boot((struct guest_options){ .append = "floor=64M" });
	struct json_object *all;
	struct memory mem;

	(void)state;
	assert_end(BALLOONCTL("set", "16M", "--wait", "--patience=3"), EXIT_SHORTFALL,
		   "!shortfall of ");
	mem = harness_memory(vm);
	assert_true(mem.shortfall > 0);
	all = status_json();
	assert_number(all, "taken", mem.actual);
	assert_number(all, "target.taken", mem.actual + mem.shortfall);
	json_object_put(all);
	harness_stop(vm);
}

static void balloonctl_tells_that_time_is_up(void **state)
{
	struct vm *vm = balloonctl_boot((struct guest_options){ 0 });

	(void)state;
	harness_execute(vm, "stop");
	assert_end(BALLOONCTL("set", "128M", "--wait=2"), EXIT_TIMEOUT, "!is paused");
	assert_end(BALLOONCTL("status"), EXIT_REACHED, "(paused)");
	harness_execute(vm, "cont");
	assert_end(BALLOONCTL("set", "128M", "--wait"), EXIT_REACHED, "128.0 MiB taken");
	harness_stop(vm);
}

static void balloonctl_draws_a_bar_on_a_terminal_only(void **state)
{
	struct vm *vm = balloonctl_boot((struct guest_options){ .append = "floor=64M" });
	struct program program;
	struct program_end end;

	(void)state;
	program_start(&program, true, CALL("set", "16M", "--wait", "--patience=3"));
	program_finish(&program, &end);
	assert_end(&end, EXIT_SHORTFALL, "\r[#");
	assert_non_null(strstr(end.out, "\x1b[K"));
	for (char *line = strtok(end.out, "\r\n"); line; line = strtok(NULL, "\r\n"))
		assert_true(strlen(line) <= 79 + strlen("\x1b[K"));
	program_start(&program, false, CALL("set", "16M", "--wait", "--patience=3"));
	program_finish(&program, &end);
	assert_end(&end, EXIT_SHORTFALL, "% ");
	assert_null(strpbrk(end.out, "\r\x1b[#"));
	harness_stop(vm);
}

/* ---- nobody there ---- */

static void balloonctl_tells_that_there_is_no_device(void **state)
{
	struct vm *vm = balloonctl_boot((struct guest_options){ .balloon = "none" });

	(void)state;
	assert_end(BALLOONCTL("status"), EXIT_NO_DEVICE, "!");
	assert_end(BALLOONCTL("set", "128M", "--wait"), EXIT_NO_DEVICE, "!");
	assert_end(BALLOONCTL("stats"), EXIT_NO_DEVICE, "!no balloon device");
	harness_stop(vm);
}

static void check_no_driver(void)
{
	assert_end(BALLOONCTL("status"), EXIT_REACHED, "Driver       none in the guest");
	assert_end(BALLOONCTL("set", "128M"), EXIT_NO_DRIVER, "Actual       256.0 MiB left");
	assert_end(BALLOONCTL("set", "128M", "--wait", "--patience=2"), EXIT_NO_DRIVER,
		   "!no balloon driver");
	assert_end(BALLOONCTL("set", "128M", "--wait=1"), EXIT_NO_DRIVER, "!no balloon driver");
	assert_end(BALLOONCTL("stats", "--interval", "1"), EXIT_NO_DRIVER, "!no balloon driver");
}

/* It does not move and does not answer, and that is all that can be seen. */
static void check_unknown_driver(void)
{
	assert_end(BALLOONCTL("status"), EXIT_REACHED, "Driver       unknown");
	assert_end(BALLOONCTL("set", "128M"), EXIT_REACHED, "Actual       256.0 MiB left");
	assert_end(BALLOONCTL("set", "128M", "--wait", "--patience=2"), EXIT_TIMEOUT,
		   "!no sign of life");
	assert_end(BALLOONCTL("set", "128M", "--wait=1"), EXIT_TIMEOUT, "!time is up after 1 s");
	assert_end(BALLOONCTL("stats", "--interval", "1"), EXIT_TIMEOUT,
		   "!the guest has sent no statistics");
}

/* No kernel: the firmware finds nothing to boot and stays there. */
static void balloonctl_tells_that_there_is_no_driver(void **state)
{
	const char *qemu = getenv("QEMU"), *socket = strchr(balloonctl_option, ' ') + 1;
	const char *const args[] = { qemu && *qemu ? qemu : "qemu-system-x86_64",
				     "-nodefaults",
				     "-display",
				     "none",
				     "-accel",
				     "tcg",
				     "-machine",
				     "q35",
				     "-m",
				     "256M",
				     "-device",
				     "virtio-balloon-pci",
				     "-qmp",
				     socket,
				     NULL };
	struct vm *vm;

	(void)state;
	assert_int_equal(vm_start("no-kernel", args, NULL, &vm), 0);
	if (tells_the_driver(vm))
		check_no_driver();
	else
		check_unknown_driver();
	vm_stop(vm);
}

/* However seldom the guest is to be asked, and was before: an hour is not waited for. */
static void balloonctl_has_statistics_at_once_with_any_interval(void **state)
{
	struct vm *vm = balloonctl_boot((struct guest_options){ 0 });

	(void)state;
	assert_end(BALLOONCTL("stats", "--interval", "3600"), EXIT_REACHED, "every 3600 s");
	assert_end(BALLOONCTL("stats", "--interval", "3600"), EXIT_REACHED, "every 3600 s");
	assert_end(BALLOONCTL("stats", "--interval", "7200"), EXIT_REACHED, "every 7200 s");
	harness_stop(vm);
}

static void balloonctl_tells_that_qemu_has_died(void **state)
{
	struct vm *vm = balloonctl_boot((struct guest_options){ .append = "floor=64M" });
	const struct timespec pause = { .tv_sec = 2 };
	struct program program;
	struct program_end end;

	(void)state;
	program_start(&program, false, CALL("set", "16M", "--wait", "--patience=1000"));
	/* Whether it is connected by then or not: the answer is the same. */
	nanosleep(&pause, NULL);
	kill(vm_pid(vm), SIGKILL);
	program_finish(&program, &end);
	assert_end(&end, EXIT_NO_CONNECT, "!");
	assert_end(BALLOONCTL("status"), EXIT_NO_CONNECT, "!");
	harness_stop(vm);
}

/* Stopped, as by a debugger: every command ends, and with 4. */
static void balloonctl_does_not_wait_for_a_qemu_that_is_stopped(void **state)
{
	struct vm *vm = balloonctl_boot((struct guest_options){ 0 });
	const char *words[] = {
		program_path("balloonctl"), "-t", "1", "-g", CALL("x")[2], "status", NULL
	};

	(void)state;
	kill(vm_pid(vm), SIGSTOP);
	assert_end(program_run(words), EXIT_TIMEOUT, "!no greeting");
	assert_end(BALLOONCTL("set", "512M", "--wait=1"), EXIT_TIMEOUT, "!no greeting");
	kill(vm_pid(vm), SIGCONT);
	words[2] = "60";
	assert_end(program_run(words), EXIT_REACHED, "RAM");
	words[2] = "0";
	assert_end(program_run(words), EXIT_USAGE, "!whole seconds are wanted, 1 to 86400");
	words[2] = "86401";
	assert_end(program_run(words), EXIT_USAGE, "!whole seconds are wanted, 1 to 86400");
	harness_stop(vm);
}

/* ---- signs of life ---- */

/* A guest that hangs has a driver in order as far as QEMU knows, and says nothing any more. */
static void balloonctl_does_not_take_a_dead_guest_for_a_shortfall(void **state)
{
	struct vm *vm = harness_boot(&(struct guest_options){ .extra = balloonctl_option });
	const struct program_end *end;

	(void)state;
	assert_end(BALLOONCTL("take", "16M", "--wait"), EXIT_REACHED, "16.00 MiB taken");
	assert_int_equal(vm_send(vm, "crash hang\r", 11), 0);
	assert_int_equal(vm_expect(vm, "crash: hanging\r\n", VM_TIMEOUT_MS, NULL), 0);
	end = BALLOONCTL("take", "32M", "--wait", "--patience=1");
	assert_end(end, EXIT_TIMEOUT, "!no sign of life");
	assert_end(end, EXIT_TIMEOUT, "!the guest last reported 240.0 MiB left");
	harness_stop(vm);
}

/* ---- RAM that the guest does not use ---- */

/* Only statistics of now tell, and on a busy machine these soon are not. */
static uint64_t unused_now(void)
{
	int64_t deadline = deadline_in(VM_TIMEOUT_MS);
	struct json_object *all, *unused;
	uint64_t bytes;

	assert_end(BALLOONCTL("stats", "--interval", "1"), EXIT_REACHED, "stat-total-memory");
	while (all = status_json(), !json_object_object_get_ex(all, "unused", &unused)) {
		if (!deadline_left(deadline))
			fail_msg("what is not used is never told: %s",
				 json_object_to_json_string(all));
		json_object_put(all);
	}
	assert_true(json_object_is_type(unused, json_type_int));
	bytes = json_object_get_uint64(unused);
	json_object_put(all);
	assert_end(BALLOONCTL("stats", "--interval", "0"), EXIT_REACHED, "nobody asks");
	return bytes;
}

/* What the firmware keeps is the same: all of the DIMM is the guest's. */
static void check_dimm(const char *balloon)
{
	struct guest_options guest = { .balloon = balloon };
	char extra[256];
	struct vm *vm;
	uint64_t before;

	vm = balloonctl_boot(guest);
	before = unused_now();
	assert_true(before < 4 * MIB);
	harness_stop(vm);
	snprintf(extra, sizeof(extra),
		 "%s -m slots=2,maxmem=2G -object memory-backend-ram,id=m,size=128M "
		 "-device pc-dimm,memdev=m",
		 balloonctl_option);
	guest.extra = extra;
	vm = harness_boot(&guest);
	assert_true(unused_now() == before);
	assert_end(BALLOONCTL("take", "16M", "--wait"), EXIT_REACHED, "16.00 MiB taken");
	/* Whether the total is with or without what was taken, the features say. */
	if (tells_the_driver(vm))
		assert_true(unused_now() == before);
	harness_stop(vm);
}

static void balloonctl_counts_a_dimm_as_the_guests(void **state)
{
	(void)state;
	check_dimm(NULL);
	check_dimm("deflate-on-oom=on");
}

/* ---- pretty=on ---- */

static void balloonctl_reads_answers_of_many_lines(void **state)
{
	char extra[192], *path = strchr(balloonctl_option, '/');
	struct vm *vm;

	(void)state;
	snprintf(extra, sizeof(extra),
		 "-chardev socket,id=pretty,path=%.*s,server=on,wait=off "
		 "-mon chardev=pretty,mode=control,pretty=on",
		 (int)strcspn(path, ","), path);
	vm = harness_boot(&(struct guest_options){ .extra = extra });
	check_numbers(vm, 0, false);
	assert_end(BALLOONCTL("take", "100M", "--wait"), EXIT_REACHED, "100.0 MiB taken");
	check_numbers(vm, 100 * MIB, false);
	harness_stop(vm);
}

/* ---- names ---- */

/* tools/run.sh with a console that nobody types at; ends when QEMU is told to. */
static void start_by_script(struct program *program, const char *name)
{
	/* At the end of its input the guest would be told to go. */
	const char *const args[] = { "/bin/sh", "-c",
				     "mkfifo $XDG_RUNTIME_DIR/$$ && exec 4<>$XDG_RUNTIME_DIR/$$ && "
				     "rm $XDG_RUNTIME_DIR/$$ && exec tools/run.sh <&4",
				     NULL };

	setenv("XDG_RUNTIME_DIR", balloonctl_folder, 1);
	setenv("NAME", name, 1);
	setenv("MEM", "64M", 1);
	program_start(program, false, args);
	unsetenv("NAME");
	unsetenv("MEM");
}

static void wait_for_guest(const char *name)
{
	const char *const args[] = {
		program_path("balloonctl"), "-g", name, "take", "1M", "--wait", NULL
	};
	const struct timespec pause = { .tv_nsec = 200000000 };
	int64_t deadline = deadline_in(VM_TIMEOUT_MS);
	const struct program_end *end;

	while ((end = program_run(args))->status != EXIT_REACHED) {
		if (deadline_left(deadline) == 0)
			fail_msg("no guest by the name of %s: %s%s", name, end->out, end->err);
		nanosleep(&pause, NULL);
	}
}

static void end_guest(const char *path, struct program *program)
{
	struct qmp *qmp = qmp_new();
	struct program_end end;

	assert_int_equal(qmp_connect(qmp, path, VM_TIMEOUT_MS), 0);
	assert_int_equal(qmp_quit(qmp), 0);
	qmp_free(qmp);
	program_finish(program, &end);
}

/* Its driver is told by QEMU, or it is not. */
static void assert_list(const char *lines)
{
	const char *const args[] = { program_path("balloonctl"), "list", NULL };
	const struct program_end *end = program_run(args);
	char known[sizeof(end->out)];
	char *unknown;

	snprintf(known, sizeof(known), "%s", end->out);
	while ((unknown = strstr(known, " unknown\n")))
		memmove(unknown, unknown + strlen(" unknown"),
			strlen(unknown + strlen(" unknown")) + 1);
	assert_int_equal(end->status, EXIT_REACHED);
	if (!strstr(known, lines))
		fail_msg("not \"%s\": %s", lines, known);
}

static void balloonctl_finds_the_guests_of_the_run_script(void **state)
{
	const char *const no_name[] = { program_path("balloonctl"), "status", NULL };
	struct program one, two;
	char path[128], runtime[64];

	(void)state;
	snprintf(runtime, sizeof(runtime), "%s/aerostat-%u", balloonctl_folder,
		 (unsigned)geteuid());
	start_by_script(&one, "first");
	wait_for_guest("first");
	assert_end(program_run(no_name), EXIT_REACHED, "Guest        first\n");
	start_by_script(&two, "second");
	wait_for_guest("second");
	assert_end(program_run(no_name), EXIT_NO_CONNECT, "!-g NAME: first second");
	assert_list("first   63.00 MiB left   1.000 MiB taken   driver\n"
		    "second  63.00 MiB left   1.000 MiB taken   driver\n");
	snprintf(path, sizeof(path), "%s/first.qmp", runtime);
	end_guest(path, &one);
	assert_end(program_run(no_name), EXIT_REACHED, "Guest        second\n");
	snprintf(path, sizeof(path), "%s/second.qmp", runtime);
	end_guest(path, &two);
	assert_end(program_run(no_name), EXIT_NO_CONNECT, "!no guest runs here");
	unsetenv("XDG_RUNTIME_DIR");
	snprintf(path, sizeof(path), "%s/first.lock", runtime);
	unlink(path);
	snprintf(path, sizeof(path), "%s/second.lock", runtime);
	unlink(path);
	assert_int_equal(rmdir(runtime), 0);
}

/* ---- what it comes with ---- */

/* Completes the last word of a line, as bash does. */
static const struct program_end *complete(const char *words)
{
	char script[512];
	const char *const args[] = { "/bin/bash", "-c", script, NULL };

	snprintf(script, sizeof(script),
		 ". tools/balloonctl/completion.bash; COMP_WORDS=(%s %s); "
		 "COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); _balloonctl; echo \"${COMPREPLY[*]}\"",
		 program_path("balloonctl"), words);
	return program_run(args);
}

static void balloonctl_is_completed_by_bash(void **state)
{
	char path[128];

	(void)state;
	assert_end(complete("stat"), 0, "status stats\n");
	assert_end(complete("--v"), 0, "--version\n");
	assert_end(complete("set 1G --w"), 0, "--wait\n");
	assert_end(complete("-t 9 stat"), 0, "status stats\n");
	assert_end(complete("--timeout = 9 -g x set 1G --w"), 0, "--wait\n");
	assert_end(complete("--timeout = ''"), 0, "\n");
	assert_end(complete("-g x stats --"), 0, "--interval --json --situation\n");
	/* As readline hands them over, split at = and :. */
	assert_end(complete("--guest = x stat"), 0, "status stats\n");
	assert_end(complete("-g libvirt : ///session#x stat"), 0, "status stats\n");
	assert_end(complete("--guest = qemu+tcp : //h : 16509/system#x set 1G --w"), 0, "--wait\n");
	snprintf(path, sizeof(path), "%s/aerostat-%u", balloonctl_folder, (unsigned)geteuid());
	assert_int_equal(mkdir(path, 0700), 0);
	setenv("XDG_RUNTIME_DIR", balloonctl_folder, 1);
	assert_end(complete("-g ''"), 0, "\n");
	strcat(path, "/guest.qmp");
	assert_int_equal(mknod(path, S_IFREG | 0600, 0), 0);
	assert_end(complete("-g ''"), 0, "guest\n");
	unsetenv("XDG_RUNTIME_DIR");
	unlink(path);
	*strrchr(path, '/') = '\0';
	rmdir(path);
}

static void balloonctl_has_every_command_in_its_manual(void **state)
{
	const char *const help[] = { program_path("balloonctl"), "--help", NULL };
	struct program_end end = *program_run(help);
	static char manual[65536];
	FILE *file = fopen("tools/balloonctl.1", "r");
	unsigned count = 0;

	(void)state;
	assert_non_null(file);
	manual[fread(manual, 1, sizeof(manual) - 1, file)] = '\0';
	fclose(file);
	for (char *line = strtok(end.out, "\n"); line; line = strtok(NULL, "\n")) {
		char name[32], one[64], other[64];

		if (line[0] != ' ' || sscanf(line, "  %31[a-z] ", name) != 1)
			continue;
		count++;
		snprintf(one, sizeof(one), "\n.TP\n.BR %s ", name);
		snprintf(other, sizeof(other), "\n.TP\n.BI %s ", name);
		if (!strstr(manual, one) && !strstr(manual, other))
			fail_msg("tools/balloonctl.1 does not explain `%s`", name);
	}
	assert_true(count >= 5);
}

int balloonctl_tests(void)
{
	const struct CMUnitTest tests[] = {
		TEST(balloonctl_agrees_with_guest_and_qmp),
		TEST(balloonctl_agrees_with_deflate_on_oom),
		TEST(balloonctl_finds_the_target_on_every_transport),
		TEST(balloonctl_finds_the_target_of_a_legacy_device),
		TEST(balloonctl_shows_the_features_that_the_guest_shows),
		TEST(balloonctl_moves_memory_both_ways),
		TEST(balloonctl_tells_a_shortfall),
		TEST(balloonctl_tells_that_time_is_up),
		TEST(balloonctl_draws_a_bar_on_a_terminal_only),
		TEST(balloonctl_tells_that_there_is_no_device),
		TEST(balloonctl_tells_that_there_is_no_driver),
		TEST(balloonctl_has_statistics_at_once_with_any_interval),
		TEST(balloonctl_tells_that_qemu_has_died),
		TEST(balloonctl_does_not_wait_for_a_qemu_that_is_stopped),
		TEST(balloonctl_does_not_take_a_dead_guest_for_a_shortfall),
		TEST(balloonctl_reads_answers_of_many_lines),
		TEST(balloonctl_counts_a_dimm_as_the_guests),
		TEST(balloonctl_finds_the_guests_of_the_run_script),
		TEST(balloonctl_is_completed_by_bash),
		TEST(balloonctl_has_every_command_in_its_manual),
	};

	return cmocka_run_group_tests_name("balloonctl", tests, balloonctl_make_folder,
					   balloonctl_remove_folder);
}
