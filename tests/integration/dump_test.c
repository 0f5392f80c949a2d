/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * `balloonctl dump` of real guests: its figures are those that the guest itself
 * gives, however it was booted and however its balloon is counted, and can still be
 * read when the guest is dead. Files that are no such dump are refused.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <json-c/json.h>

#include "tests/integration/growth_harness.h"
#include "tests/integration/program.h"
#include "tests/schema/assert_fits.h"
#include "tools/balloonctl/balloonctl.h"

static char folder[] = "/tmp/aerostat-test-XXXXXX";
static char qmp_path[64], qmp_option[128], core_path[64];

static int make_folder(void **state)
{
	(void)state;
	if (!mkdtemp(folder))
		return -1;
	snprintf(qmp_path, sizeof(qmp_path), "%s/second.qmp", folder);
	snprintf(core_path, sizeof(core_path), "%s/core", folder);
	snprintf(qmp_option, sizeof(qmp_option), "-no-shutdown -qmp unix:%s,server=on,wait=off",
		 qmp_path);
	return setenv("TMPDIR", folder, 1);
}

/* rmdir() fails if somebody has left a file. */
static int remove_folder(void **state)
{
	(void)state;
	unlink(qmp_path);
	unlink(core_path);
	unsetenv("TMPDIR");
	return rmdir(folder);
}

#define DUMP(...) \
	program_run((const char *const[]){ program_path("balloonctl"), "-g", qmp_path, "dump", \
					   __VA_ARGS__, NULL })

static void assert_end(const struct program_end *end, int status, const char *out, const char *err)
{
	if (end->status != status || !strstr(end->out, out) || !strstr(end->err, err))
		fail_msg("status %d, not %d, \"%s\" and \"%s\":\n%s%s", end->status, status, out,
			 err, end->err, end->out);
}

static void make_core(struct vm *vm)
{
	struct json_object *args = json_object_new_object();
	char protocol[80];

	snprintf(protocol, sizeof(protocol), "file:%s", core_path);
	json_object_object_add(args, "paging", json_object_new_boolean(false));
	json_object_object_add(args, "protocol", json_object_new_string(protocol));
	assert_qmp(vm, qmp_execute(vm_qmp(vm), "dump-guest-memory", args, NULL));
}

/*
 * The line of JSON in a text; without the statistics, which have an age, and without what
 * is not in the frame map.
 */
static struct json_object *find_json(const char *text)
{
	const char *line = strchr(text, '{');
	struct json_object *all;

	assert_non_null(line);
	all = json_tokener_parse(line);
	assert_true(json_object_is_type(all, json_type_object));
	json_object_object_del(all, "stats");
	json_object_object_del(all, "unused_bytes");
	json_object_object_del(all, "removable");
	return all;
}

/* The dump has what show_mem -j and events -j have, and no epitaph. */
static void assert_same_json(const char *show_mem, const char *events, const char *dump)
{
	struct json_object *a = find_json(show_mem), *b = find_json(dump), *e = find_json(events);

	json_object_object_foreach(e, name, value)
		json_object_object_add(a, name, json_object_get(value));
	json_object_object_add(a, "epitaph", NULL);
	if (!json_object_equal(a, b))
		fail_msg("guest and dump differ:\n%s\n%s", json_object_to_json_string(a),
			 json_object_to_json_string(b));
	json_object_put(e);
	json_object_put(a);
	json_object_put(b);
}

/* What can leave is in no dump: devices know of which size their pieces are. */
static void cut_removable(char *text)
{
	char *line = strstr(text, "MemRemovable:"), *next = line ? strchr(line, '\n') : NULL;

	if (next)
		memmove(line, next + 1, strlen(next + 1) + 1);
}

/* The guest's words: carriage returns do not count. */
static void assert_same_text(const char *guest, const char *dump, size_t length)
{
	char *text = strdup(guest), *to = text;

	for (const char *at = guest; *at; at++)
		if (*at != '\r')
			*to++ = *at;
	*to = '\0';
	cut_removable(text);
	if (!memmem(text, strlen(text), dump, length))
		fail_msg("the guest says:\n%s\nthe dump:\n%.*s", text, (int)length, dump);
	free(text);
}

/* Of the dump: its events are those of `events`, and the rest is show_mem's. */
static void assert_same_texts(const char *show_mem, const char *events, const char *dump)
{
	const char *at = strstr(dump, "MemTotal:");

	assert_non_null(at);
	assert_non_null(strstr(dump, "Events since boot:\n"));
	assert_same_text(events, dump, (size_t)(at - dump));
	assert_same_text(show_mem, at, strlen(at));
}

static void assert_still_same(const char *before, const char *after)
{
	struct json_object *a = find_json(before), *b = find_json(after);

	if (!json_object_equal(a, b))
		fail_msg("it was:\n%s\nand is:\n%s", json_object_to_json_string(a),
			 json_object_to_json_string(b));
	json_object_put(a);
	json_object_put(b);
}

/*
 * Blocks that are used are plugged between others that are not: what is left out of a core
 * lies in the midst of it.
 */
static void grow_with_holes(struct vm *vm)
{
	uint64_t rest;

	growth_reach(vm, "mem0", 256 * MIB);
	growth_hold(vm, 150 * MIB);
	harness_command_says(vm, "hold 8M", "held ");
	harness_command_says(vm, "release 1", "pattern intact");
	growth_request(vm, "mem0", 0);
	growth_wait_trouble(vm, 0, "in use");
	rest = harness_memory(vm).owned;
	growth_reach(vm, "mem0", 128 * MIB + growth_random(256 * MIB));
	assert_true(harness_memory(vm).owned > rest);
}

static void check_agreement(struct guest_options guest)
{
	const struct program_end *end;
	char *text, *json, *events, *events_json;
	struct vm *vm;

	guest.extra = qmp_option;
	vm = harness_boot(&guest);
	if (guest.grow)
		grow_with_holes(vm);
	if (!guest.balloon || strcmp(guest.balloon, "none") != 0)
		harness_take(vm, 100 * MIB + 3 * FRAME);
	free(harness_command(vm, "hold 20M"));
	text = harness_command(vm, "show_mem");
	json = harness_command(vm, "show_mem -j");
	events = harness_command(vm, "events");
	events_json = harness_command(vm, "events -j");
	harness_execute(vm, "stop");
	make_core(vm);
	end = DUMP(core_path);
	assert_end(end, EXIT_REACHED, "Ledger: ok (", "");
	assert_same_texts(text, events, end->out);
	end = DUMP("--json", core_path);
	assert_end(end, EXIT_REACHED, "\"ledger\":\"ok\"", "");
	assert_same_json(json, events_json, end->out);
	assert_fits("balloonctl-dump", end->out);
	end = DUMP("--live", "--json");
	assert_end(end, EXIT_REACHED, "\"ledger\":\"ok\"", "");
	assert_same_json(json, events_json, end->out);
	assert_end(DUMP("--pfn", "0x100", core_path), EXIT_REACHED, "Frame 0x100: kernel\n", "");
	end = DUMP("--json", "--pfn", "0", "--live");
	assert_end(end, EXIT_REACHED, "{\"pfn\":0,\"owner\":\"absent\"}\n", "");
	assert_fits("balloonctl-dump-pfn", end->out);
	/* Still alive, and still the same. */
	harness_execute(vm, "cont");
	free(text);
	text = harness_command(vm, "show_mem -j");
	assert_still_same(json, text);
	free(text);
	free(json);
	free(events);
	free(events_json);
	harness_stop(vm);
}

static void dump_says_what_the_guest_says(void **state)
{
	(void)state;
	check_agreement((struct guest_options){ .balloon = "deflate-on-oom=off" });
}

static void dump_says_what_the_guest_says_with_deflate_on_oom(void **state)
{
	(void)state;
	check_agreement((struct guest_options){ .machine = "pc", .balloon = "deflate-on-oom=on" });
}

static void dump_says_what_the_guest_says_without_a_balloon(void **state)
{
	(void)state;
	check_agreement((struct guest_options){ .balloon = "none", .machine = "microvm" });
}

static void dump_finds_a_kernel_that_uefi_has_booted(void **state)
{
	(void)state;
	check_agreement((struct guest_options){ .firmware = "uefi" });
}

static void dump_says_what_a_guest_says_that_grew(void **state)
{
	(void)state;
	for (unsigned i = 0; i < growth_rounds(1, 20); i++)
		check_agreement((struct guest_options){ .mem = "128M", .grow = "1G" });
}

static void dump_reads_a_guest_that_is_dead(void **state)
{
	struct guest_options guest = { .extra = qmp_option };
	const struct program_end *end;
	struct vm *vm = harness_boot(&guest);
	char *json, *events;

	(void)state;
	harness_take(vm, 64 * MIB);
	json = harness_command(vm, "show_mem -j");
	events = harness_command(vm, "events -j");
	assert_int_equal(vm_send(vm, "poweroff\r", 9), 0);
	assert_qmp(vm, qmp_event(vm_qmp(vm), "SHUTDOWN", 60000, NULL));
	end = DUMP("--live", "--json");
	assert_end(end, EXIT_REACHED, "\"ledger\":\"ok\"", "");
	assert_same_json(json, events, end->out);
	free(json);
	free(events);
	make_core(vm);
	assert_int_equal(truncate(core_path, (off_t)(16 * MIB)), 0);
	assert_end(DUMP(core_path), EXIT_BAD_FILE, "", "/core: cut off");
	harness_stop(vm);
}

/*
 * A panic leaves its reason. QEMU would end with it, so another device stands in
 * front of the port by which the guest ends it, and QEMU stops when the guest turns
 * the machine off.
 */
static void check_epitaph(const char *way, const char *message, const char *function)
{
	char extra[256];
	struct guest_options guest = { .extra = extra };
	const struct program_end *end;
	struct json_object *json, *at;
	char command[32];
	struct vm *vm;

	snprintf(extra, sizeof(extra),
		 "%s -no-shutdown -chardev null,id=none "
		 "-device isa-debugcon,iobase=0xf4,chardev=none",
		 qmp_option);
	vm = harness_boot(&guest);
	snprintf(command, sizeof(command), "crash %s\r", way);
	assert_int_equal(vm_send(vm, command, strlen(command)), 0);
	assert_int_equal(vm_expect(vm, "# exit 101\r\n", VM_TIMEOUT_MS, NULL), 0);
	end = DUMP("--live");
	assert_end(end, EXIT_REACHED, message, "");
	assert_int_equal(strncmp(end->out, "panicked: ", 10), 0);
	assert_end(end, EXIT_REACHED, "cmd_crash+0x", "");
	end = DUMP("--live", "--json");
	assert_end(end, EXIT_REACHED, "{", "");
	assert_fits("balloonctl-dump", end->out);
	json = find_json(end->out);
	assert_int_equal(json_pointer_get(json, "/epitaph/at/symbol", &at), 0);
	assert_string_equal(json_object_get_string(at), function);
	assert_int_equal(json_pointer_get(json, "/epitaph/message", &at), 0);
	assert_non_null(strstr(message, json_object_get_string(at)));
	json_object_put(json);
	harness_stop(vm);
}

static void dump_tells_why_a_guest_panicked(void **state)
{
	(void)state;
	check_epitaph("panic", "panicked: crash: as you wish\n", "just_panic");
}

static void dump_tells_which_exception_a_guest_died_of(void **state)
{
	(void)state;
	check_epitaph("null", "panicked: EXCEPTION 14: page fault, error 0\n", "read_null");
}

static void dump_refuses_other_files_and_says_why(void **state)
{
	const struct program_end *end;
	FILE *empty = fopen(core_path, "w");

	(void)state;
	assert_non_null(empty);
	fclose(empty);
	assert_end(DUMP(core_path), EXIT_BAD_FILE, "", "/core: empty\n");
	assert_end(DUMP("/bin/true"), EXIT_BAD_FILE, "", "/bin/true: an ELF file, but no core");
	assert_end(DUMP(folder), EXIT_BAD_FILE, "", ": no regular file\n");
	assert_end(DUMP("/nonexistent"), EXIT_BAD_FILE, "", ": No such file or directory\n");
	assert_end(DUMP("README.md"), EXIT_BAD_FILE, "", "README.md: no ELF file");
	end = DUMP("--json", "/bin/true");
	assert_end(end, EXIT_BAD_FILE, "", "no core");
	assert_string_equal(end->out, "");
	assert_end(DUMP("--pfn", "12x", "file"), EXIT_USAGE, "", "'12x' is no number");
	assert_end(DUMP("--json"), EXIT_USAGE, "", "which file?");
	assert_end(DUMP("--live", "file"), EXIT_USAGE, "", "'file' is too much");
}

/* The firmware has not begun. */
static void dump_refuses_a_machine_in_which_nothing_ran(void **state)
{
	char extra[192];
	struct guest_options guest = { .extra = extra };
	struct vm *vm;

	(void)state;
	snprintf(extra, sizeof(extra), "-S %s", qmp_option);
	vm = harness_start(&guest);
	assert_end(DUMP("--live"), EXIT_BAD_FILE, "",
		   ": of a guest that had not set up its memory yet");
	harness_stop(vm);
}

/*
 * A terabyte whose blocks are whole: a few MiB of the map are all that is read, and how long
 * the guest stood still is said. Nothing is written: there is no folder to write to.
 */
static void live_dump_reads_little_of_a_large_guest(void **state)
{
	struct guest_options guest = { .extra = qmp_option, .mem = "1T" };
	struct vm *vm = harness_boot(&guest);
	char *json = harness_command(vm, "show_mem -j"), *events = harness_command(vm, "events -j");
	const char *const args[] = { program_path("balloonctl"),
				     "-g",
				     qmp_path,
				     "dump",
				     "--live",
				     "--verbose",
				     "--json",
				     NULL };
	const struct program_end *end;
	double mib = 0;
	const char *costs;

	(void)state;
	setenv("TMPDIR", "/nonexistent", 1);
	end = program_run(args);
	setenv("TMPDIR", folder, 1);
	assert_end(end, EXIT_REACHED, "\"ledger\":\"ok\"", "it stood still ");
	assert_same_json(json, events, end->out);
	/* On a busy machine a line about the parts in which it was read comes before. */
	costs = strstr(end->err, "dump: read ");
	assert_non_null(costs);
	assert_int_equal(sscanf(costs, "dump: read %lf MiB of ", &mib), 1);
	assert_true(mib > 2 && mib < 32);
	free(json);
	free(events);
	/* It runs on. */
	harness_command_says(vm, "audit", "Ledger: ok");
	harness_stop(vm);
}

int dump_tests(void)
{
	const struct CMUnitTest tests[] = {
		TEST(dump_says_what_the_guest_says),
		TEST(dump_says_what_the_guest_says_with_deflate_on_oom),
		TEST(dump_says_what_the_guest_says_without_a_balloon),
		TEST(dump_finds_a_kernel_that_uefi_has_booted),
		TEST(dump_says_what_a_guest_says_that_grew),
		TEST(dump_reads_a_guest_that_is_dead),
		TEST(dump_tells_why_a_guest_panicked),
		TEST(dump_tells_which_exception_a_guest_died_of),
		TEST(dump_refuses_other_files_and_says_why),
		TEST(dump_refuses_a_machine_in_which_nothing_ran),
		TEST(live_dump_reads_little_of_a_large_guest),
	};

	return cmocka_run_group_tests_name("dump", tests, make_folder, remove_folder);
}
