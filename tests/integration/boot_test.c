/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Every way to boot, every size of memory, and every way to end. A boot
 * counts as such when the guest answers at its prompt with whole books.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/integration/harness.h"

#define EXIT_OF(n) (((n) << 1) | 1) /* isa-debug-exit */

#define LINE_MAX_SURE 4000 /* a command line of so many bytes arrives by every way */

/* Boots, has a balloon that works, and accounts for almost all of RAM. */
static void check_boot(const struct guest_options *guest)
{
	struct vm *vm = harness_boot(guest);
	struct memory mem = harness_memory(vm);
	uint64_t ram = harness_ram(vm);

	assert_in_range(mem.ram, ram - ram / 8 - MIB, ram);
	assert_true(mem.owned <= mem.ram);
	assert_true(mem.free <= mem.total);
	harness_check_taken(vm, 0, false);
	harness_take(vm, 2 * MIB);
	harness_check_taken(vm, 2 * MIB, false);
	harness_stop(vm);
}

static void boots_on_pc(void **state)
{
	(void)state;
	check_boot(&(struct guest_options){ .machine = "pc" });
}

static void boots_on_q35(void **state)
{
	(void)state;
	check_boot(&(struct guest_options){ .machine = "q35" });
}

static void boots_on_q35_with_the_balloon_behind_a_root_port(void **state)
{
	(void)state;
	check_boot(&(struct guest_options){
		.balloon = "none",
		.extra = "-device pcie-root-port,id=port0,chassis=1,slot=1 "
			 "-device virtio-balloon-pci,bus=port0" });
}

static void boots_with_qboot_on_pc(void **state)
{
	(void)state;
	check_boot(&(struct guest_options){ .machine = "pc", .firmware = "qboot" });
}

static void boots_with_qboot_on_q35(void **state)
{
	(void)state;
	check_boot(&(struct guest_options){ .machine = "q35", .firmware = "qboot" });
}

static void boots_with_qboot_and_the_balloon_behind_a_root_port(void **state)
{
	(void)state;
	check_boot(&(struct guest_options){
		.firmware = "qboot",
		.balloon = "none",
		.extra = "-device pcie-root-port,id=port0,chassis=1,slot=1 "
			 "-device virtio-balloon-pci,bus=port0" });
}

static void boots_with_uefi_from_disk_on_pc(void **state)
{
	(void)state;
	check_boot(&(struct guest_options){ .machine = "pc", .firmware = "uefi" });
}

static void boots_with_uefi_from_disk_on_q35(void **state)
{
	(void)state;
	check_boot(&(struct guest_options){ .machine = "q35", .firmware = "uefi" });
}

static void boots_with_16_mib(void **state)
{
	(void)state;
	check_boot(&(struct guest_options){ .mem = "16M" });
}

static void boots_with_64_mib(void **state)
{
	(void)state;
	check_boot(&(struct guest_options){ .mem = "64M" });
}

static void boots_with_1_gib(void **state)
{
	(void)state;
	check_boot(&(struct guest_options){ .mem = "1G" });
}

static void boots_with_8_gib(void **state)
{
	(void)state;
	check_boot(&(struct guest_options){ .mem = "8G" });
	check_boot(&(struct guest_options){ .mem = "8G", .machine = "pc" });
}

/* Memory of QEMU that is really there, from its /proc entry. */
static uint64_t resident_bytes(const struct vm *vm)
{
	unsigned long size, resident;
	char path[64];
	FILE *statm;

	snprintf(path, sizeof(path), "/proc/%d/statm", (int)vm_pid(vm));
	statm = fopen(path, "r");
	assert_non_null(statm);
	assert_int_equal(fscanf(statm, "%lu %lu", &size, &resident), 2);
	fclose(statm);
	return resident * FRAME;
}

static void boots_with_1_tib_in_little_host_memory(void **state)
{
	struct vm *vm = harness_boot(&(struct guest_options){ .mem = "1T" });

	(void)state;
	assert_true(harness_memory(vm).ram > 1000 * GIB);
	assert_true(resident_bytes(vm) < 256 * MIB);
	harness_stop(vm);
}

static void says_how_much_is_needed_with_8_mib(void **state)
{
	struct vm *vm = harness_start(&(struct guest_options){ .mem = "8M" });
	int status;

	(void)state;
	assert_int_equal(vm_expect(vm, "16 MiB", VM_TIMEOUT_MS, NULL), 0);
	assert_int_equal(vm_wait_exit(vm, VM_TIMEOUT_MS, &status), 0);
	/* The guest's own status, and not success. */
	assert_true(status & 1);
	assert_int_not_equal(status, EXIT_OF(0));
	assert_false(vm_has_said(vm, VM_PROMPT));
	harness_stop(vm);
}

static void lives_without_a_balloon_device(void **state)
{
	struct vm *vm = harness_boot(&(struct guest_options){ .balloon = "none" });
	struct memory mem = harness_memory(vm);
	int64_t left;

	(void)state;
	assert_int_equal(qmp_query_balloon(vm_qmp(vm), &left), -ENODEV);
	assert_false(mem.has_balloon);
	assert_true(mem.ledger_ok);
	harness_command_says(vm, "show_mem", "Balloon InflatedTotal:0kB InflatedFree:0kB\n");
	harness_command_says(vm, "audit", "Ledger: ok (");
	harness_stop(vm);
}

static void exit_gives_its_status_to_qemu(void **state)
{
	static const int values[] = { 0, 1, 5, 127 };

	(void)state;
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		struct vm *vm = harness_boot(&(struct guest_options){ .mem = "64M" });
		char line[32];

		snprintf(line, sizeof(line), "exit %d\r", values[i]);
		assert_int_equal(vm_send(vm, line, strlen(line)), 0);
		harness_wait_status(vm, EXIT_OF(values[i]));
		assert_false(vm_has_said(vm, "no isa-debug-exit"));
		harness_stop(vm);
	}
}

static void command_line_runs_commands_and_ends(void **state)
{
	struct vm *vm = harness_start(&(struct guest_options){
		.mem = "64M", .append = "run=\"show_mem; audit; exit 3\"" });

	(void)state;
	harness_wait_status(vm, EXIT_OF(3));
	assert_true(vm_has_said(vm, "Balloon InflatedTotal:0kB "
				    "InflatedFree:0kB"));
	assert_true(vm_has_said(vm, "Ledger: ok ("));
	harness_stop(vm);
}

/* What the guest ends with if it runs this line and then ends without a status. */
static void check_line_ends_with(const char *line, int status)
{
	char append[128];
	struct vm *vm;
	int is;

	snprintf(append, sizeof(append), "run=\"%s; exit\"", line);
	vm = harness_start(&(struct guest_options){ .mem = "64M", .append = append });
	assert_int_equal(vm_wait_exit(vm, VM_TIMEOUT_MS, &is), 0);
	if (is != EXIT_OF(status))
		fail_msg("\"%s; exit\" ends with %d", line, is);
	assert_true(vm_has_said(vm, "exit: status 1, as this failed: ") == (status == 1));
	harness_stop(vm);
}

static void every_command_that_fails_is_told_by_exit(void **state)
{
	static const char *const lines[] = {
		"nosuch; audit", "balloon floor much", "balloon strategy fast",
		"balloon retry", "crash nothow",       "features x",
		"heap 1G",	 "help nosuch",	       "hold 1G",
		"hold 40M 14",	 "release 4711",       "show_mem -x",
		"exit 128",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		check_line_ends_with(lines[i], 1);
}

static void exit_without_a_failure_is_0(void **state)
{
	(void)state;
	check_line_ends_with("audit; show_mem -j; hold 1M; release all; help exit", 0);
}

static void exit_on_a_line_of_its_own_counts_all_lines(void **state)
{
	struct vm *vm = harness_boot(&(struct guest_options){ .mem = "64M" });

	(void)state;
	harness_command_says(vm, "nosuch", "no such command");
	harness_command_says(vm, "audit", "Ledger: ok (");
	assert_int_equal(vm_send(vm, "exit\r", 5), 0);
	harness_wait_status(vm, EXIT_OF(1));
	harness_stop(vm);
}

/* Of so many bytes; the last command that it runs ends the guest with 5. */
static void make_long_line(char *line, size_t length)
{
	static const char begin[] = "run=\"held", end[] = ";exit 5\"";
	size_t n = strlen(begin);

	memcpy(line, begin, n);
	for (; n < length - strlen(end); n++)
		line[n] = ";held"[(n - strlen(begin)) % 5];
	/* A command that was begun is none; `;` alone is well. */
	while (line[n - 1] != 'd' && line[n - 1] != ';')
		line[--n] = ' ';
	memset(line + n, ' ', length - strlen(end) - n);
	strcpy(line + length - strlen(end), end);
}

static void a_long_command_line_arrives_by_every_way(void **state)
{
	static const struct {
		const char *machine, *firmware;
	} ways[] = {
		{ "pc", "default" }, { "q35", "default" },     { "pc", "qboot" },
		{ "q35", "qboot" },  { "microvm", "default" }, { "q35", "uefi" },
	};
	char line[LINE_MAX_SURE + 1];

	(void)state;
	make_long_line(line, LINE_MAX_SURE);
	assert_int_equal(strlen(line), LINE_MAX_SURE);
	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		struct vm *vm = harness_start(&(struct guest_options){
			.machine = ways[i].machine, .firmware = ways[i].firmware, .append = line });

		harness_wait_status(vm, EXIT_OF(5));
		assert_true(vm_has_said(vm, "nothing is held"));
		assert_false(vm_has_said(vm, "warning: "));
		harness_stop(vm);
	}
}

/* Each of them before the first prompt, and in the log. */
static void check_mistakes(const struct guest_options *guest, const char *const mistakes[])
{
	struct vm *vm = harness_start(guest);
	char *text;

	harness_wait_prompt(vm, &text);
	for (; *mistakes; mistakes++) {
		if (!strstr(text, *mistakes))
			fail_msg("not told: %s\n%s", *mistakes, text);
		harness_command_says(vm, "dmesg", *mistakes);
	}
	free(text);
	/* And one who asks whether all went well is told, too. */
	assert_int_equal(vm_send(vm, "exit\r", 5), 0);
	harness_wait_status(vm, EXIT_OF(1));
	harness_stop(vm);
}

static void every_word_of_the_command_line_is_accounted_for(void **state)
{
	(void)state;
	check_mistakes(
		&(struct guest_options){ .mem = "64M",
					 .append = "rn=audit stratgy=portable flor=64M quiet "
						   "floor=99G poison BOOT_IMAGE=x -- "
						   "run=\"show_mem; ex" },
		(const char *const[]){
			"warning: command line: rn=audit is unknown; did you mean run=?\n",
			"warning: command line: stratgy=portable is unknown; did you mean "
			"strategy=?\n",
			"warning: command line: flor=64M is unknown; did you mean floor=?\n",
			"warning: command line: quiet is unknown; known are run, floor,",
			"warning: floor=99G is no size within this memory; write floor=64M\n",
			"warning: command line: poison has no value; write poison=a5\n",
			"warning: command line: run=\"show_mem; ex is left out, as its quote "
			"does not end\n",
			NULL });
}

/*
 * tools/run.sh refuses such a line, but gives one of EXTRA to QEMU, without blanks. SeaBIOS
 * would not: its loader has room for less.
 */
static void a_command_line_that_was_cut_is_told(void **state)
{
	char extra[4300] = "-append floor=64M";

	(void)state;
	memset(extra + strlen(extra), '1', 4200);
	check_mistakes(&(struct guest_options){ .mem = "64M", .firmware = "qboot", .extra = extra },
		       (const char *const[]){ "warning: command line: longer than 4095 bytes, and "
					      "cut after its last whole word\n",
					      NULL });
}

static void command_line_reaches_the_guest_through_uefi(void **state)
{
	struct vm *vm = harness_start(&(struct guest_options){
		.firmware = "uefi", .append = "run=\"show_mem -j; exit 4\"" });

	(void)state;
	harness_wait_status(vm, EXIT_OF(4));
	assert_true(vm_has_said(vm, "\"ledger\":\"ok\""));
	harness_stop(vm);
}

static void poweroff_ends_qemu_with_0(void **state)
{
	static const char *const machines[] = { "pc", "q35" };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct vm *vm = harness_boot(
			&(struct guest_options){ .machine = machines[i], .mem = "64M" });

		assert_int_equal(vm_send(vm, "poweroff\r", 9), 0);
		harness_wait_status(vm, 0);
		harness_stop(vm);
	}
}

static void reboot_comes_back_to_the_prompt(void **state)
{
	struct vm *vm = harness_boot(&(struct guest_options){ .machine = "pc" });

	(void)state;
	assert_int_equal(vm_send(vm, "reboot\r", 7), 0);
	assert_qmp(vm, qmp_event(vm_qmp(vm), "RESET", VM_TIMEOUT_MS, NULL));
	harness_wait_prompt(vm, NULL);
	harness_check_taken(vm, 0, false);
	harness_stop(vm);
}

int boot_tests(void)
{
	const struct CMUnitTest tests[] = {
		TEST(boots_on_pc),
		TEST(boots_on_q35),
		TEST(boots_on_q35_with_the_balloon_behind_a_root_port),
		TEST(boots_with_qboot_on_pc),
		TEST(boots_with_qboot_on_q35),
		TEST(boots_with_qboot_and_the_balloon_behind_a_root_port),
		TEST(boots_with_uefi_from_disk_on_pc),
		TEST(boots_with_uefi_from_disk_on_q35),
		TEST(boots_with_16_mib),
		TEST(boots_with_64_mib),
		TEST(boots_with_1_gib),
		TEST(boots_with_8_gib),
		TEST(boots_with_1_tib_in_little_host_memory),
		TEST(says_how_much_is_needed_with_8_mib),
		TEST(lives_without_a_balloon_device),
		TEST(exit_gives_its_status_to_qemu),
		TEST(command_line_runs_commands_and_ends),
		TEST(every_command_that_fails_is_told_by_exit),
		TEST(exit_without_a_failure_is_0),
		TEST(exit_on_a_line_of_its_own_counts_all_lines),
		TEST(a_long_command_line_arrives_by_every_way),
		TEST(every_word_of_the_command_line_is_accounted_for),
		TEST(a_command_line_that_was_cut_is_told),
		TEST(command_line_reaches_the_guest_through_uefi),
		TEST(poweroff_ends_qemu_with_0),
		TEST(reboot_comes_back_to_the_prompt),
	};

	return cmocka_run_group_tests_name("boot", tests, NULL, NULL);
}
