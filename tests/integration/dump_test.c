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

#include "tests/integration/harness.h"
#include "tests/integration/program.h"
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

/* rmdir() fails if --live has left a file. */
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
			 err, end->out, end->err);
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

/* The line of JSON in a text; without the statistics, which have an age. */
static struct json_object *find_json(const char *text)
{
	const char *line = strchr(text, '{');
	struct json_object *all;

	assert_non_null(line);
	all = json_tokener_parse(line);
	assert_true(json_object_is_type(all, json_type_object));
	json_object_object_del(all, "stats");
	return all;
}

static void assert_same_json(const char *guest, const char *dump)
{
	struct json_object *a = find_json(guest), *b = find_json(dump);

	if (!json_object_equal(a, b))
		fail_msg("guest and dump differ:\n%s\n%s", json_object_to_json_string(a),
			 json_object_to_json_string(b));
	json_object_put(a);
	json_object_put(b);
}

/* The guest's words from MemTotal to the ledger: carriage returns do not count. */
static void assert_same_text(const char *guest, const char *dump)
{
	const char *at = strstr(guest, "MemTotal:");

	assert_non_null(at);
	for (; *dump; dump++, at++) {
		while (*at == '\r')
			at++;
		if (*at != *dump)
			fail_msg("the guest has \"%.60s\", the dump \"%.60s\"", at, dump);
	}
}

static void check_agreement(struct guest_options guest)
{
	const struct program_end *end;
	char *text, *json;
	struct vm *vm;

	guest.extra = qmp_option;
	vm = harness_boot(&guest);
	if (!guest.balloon || strcmp(guest.balloon, "none") != 0)
		harness_take(vm, 100 * MIB + 3 * FRAME);
	free(harness_command(vm, "hold 20M"));
	text = harness_command(vm, "show_mem");
	json = harness_command(vm, "show_mem -j");
	assert_qmp(vm, qmp_execute(vm_qmp(vm), "stop", NULL, NULL));
	make_core(vm);
	end = DUMP(core_path);
	assert_end(end, EXIT_REACHED, "Ledger: ok (", "");
	assert_same_text(text, end->out);
	end = DUMP("--json", core_path);
	assert_end(end, EXIT_REACHED, "\"ledger\":\"ok\"", "");
	assert_same_json(json, end->out);
	end = DUMP("--live", "--json");
	assert_end(end, EXIT_REACHED, "\"ledger\":\"ok\"", "");
	assert_same_json(json, end->out);
	assert_end(DUMP("--pfn", "0x100", core_path), EXIT_REACHED, "Frame 0x100: kernel\n", "");
	assert_end(DUMP("--json", "--pfn", "0", "--live"), EXIT_REACHED,
		   "{\"pfn\":0,\"owner\":\"absent\"}\n", "");
	/* Still alive, and still the same. */
	assert_qmp(vm, qmp_execute(vm_qmp(vm), "cont", NULL, NULL));
	free(text);
	text = harness_command(vm, "show_mem -j");
	assert_same_json(json, text);
	free(text);
	free(json);
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

static void dump_reads_a_guest_that_is_dead(void **state)
{
	struct guest_options guest = { .extra = qmp_option };
	const struct program_end *end;
	struct vm *vm = harness_boot(&guest);
	char *json;

	(void)state;
	harness_take(vm, 64 * MIB);
	json = harness_command(vm, "show_mem -j");
	assert_int_equal(vm_send(vm, "poweroff\r", 9), 0);
	assert_qmp(vm, qmp_event(vm_qmp(vm), "SHUTDOWN", 60000, NULL));
	end = DUMP("--live", "--json");
	assert_end(end, EXIT_REACHED, "\"ledger\":\"ok\"", "");
	assert_same_json(json, end->out);
	free(json);
	make_core(vm);
	assert_int_equal(truncate(core_path, (off_t)(16 * MIB)), 0);
	assert_end(DUMP(core_path), EXIT_BAD_FILE, "", "/core: cut off");
	harness_stop(vm);
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

/* The firmware has not begun: QEMU makes a core of a 32-bit machine. */
static void dump_refuses_a_machine_in_which_nothing_ran(void **state)
{
	char extra[192];
	struct guest_options guest = { .extra = extra };
	struct vm *vm;

	(void)state;
	snprintf(extra, sizeof(extra), "-S %s", qmp_option);
	vm = harness_start(&guest);
	assert_end(DUMP("--live"), EXIT_BAD_FILE, "", "/core: no core of an x86 machine in 64-bit");
	harness_stop(vm);
}

int dump_tests(void)
{
	const struct CMUnitTest tests[] = {
		TEST(dump_says_what_the_guest_says),
		TEST(dump_says_what_the_guest_says_with_deflate_on_oom),
		TEST(dump_says_what_the_guest_says_without_a_balloon),
		TEST(dump_finds_a_kernel_that_uefi_has_booted),
		TEST(dump_reads_a_guest_that_is_dead),
		TEST(dump_refuses_other_files_and_says_why),
		TEST(dump_refuses_a_machine_in_which_nothing_ran),
	};

	return cmocka_run_group_tests_name("dump", tests, make_folder, remove_folder);
}
