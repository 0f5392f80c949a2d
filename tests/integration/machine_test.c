/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Poor machines: processors that lack something, and machines without the devices by
 * which others end, count the time, or interrupt.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/integration/harness.h"

#define EXIT_OF(n) (((n) << 1) | 1) /* isa-debug-exit */

/* Stands in front of isa-debug-exit, which tools/run.sh always gives: an empty port. */
#define NO_DEBUG_EXIT \
	" -chardev null,id=none -device isa-debugcon,iobase=0xf4,chardev=none,readback=0xff"

/* ---- Processors ---- */

/*
 * Lets a guest begin that was started with -S, so that QMP answers before it ends. It
 * may end before QMP has answered this.
 */
static void begin(struct vm *vm)
{
	qmp_execute(vm_qmp(vm), "cont", NULL, NULL);
}

/* One line names the feature; the end is `exit 1`'s, and not a reset. */
static void check_lack(const struct guest_options *guest, const char *name)
{
	struct vm *vm = harness_start(guest);
	char text[160];

	begin(vm);
	snprintf(text, sizeof(text), "aerostat: this processor lacks %s; ", name);
	assert_int_equal(vm_expect(vm, text, VM_TIMEOUT_MS, NULL), 0);
	assert_int_equal(vm_expect(vm, "# exit 1\r\n", VM_TIMEOUT_MS, NULL), 0);
	harness_wait_status(vm, EXIT_OF(1));
	harness_stop(vm);
}

static void processor_features_that_are_missing_are_named(void **state)
{
	static const struct {
		const char *cpu, *name;
	} lacks[] = {
		{ "qemu64,-nx", "no-execute pages (nx)" },
		{ "qemu32", "long mode (lm)" },
		{ "max,-lm", "long mode (lm)" },
		{ "486", "long mode (lm)" },
		{ "max,-msr", "model-specific registers (msr)" },
		{ "max,-pae", "physical address extension (pae)" },
		{ "max,-tsc", "a time stamp counter (tsc)" },
		{ "max,-cmov", "conditional moves (cmov)" },
		{ "max,-sse2", "SSE2, for MFENCE (sse2)" },
	};
	static const char *const machines[] = { "q35", "pc", "microvm" };

	(void)state;
	for (size_t i = 0; i < sizeof(lacks) / sizeof(lacks[0]); i++) {
		char extra[64];

		snprintf(extra, sizeof(extra), "-S -no-reboot -cpu %s", lacks[i].cpu);
		check_lack(&(struct guest_options){ .machine = machines[i % 3],
						    .mem = "64M",
						    .extra = extra },
			   lacks[i].name);
	}
}

static void processor_features_that_are_missing_are_named_under_uefi(void **state)
{
	(void)state;
	check_lack(&(struct guest_options){ .firmware = "uefi", .extra = "-S -cpu qemu64,-nx" },
		   "no-execute pages (nx)");
}

/* Without isa-debug-exit it is a reset, and the line was there before. */
static void processor_features_are_named_before_a_reset(void **state)
{
	static const char *const machines[] = { "q35", "microvm" };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct vm *vm = harness_start(&(struct guest_options){
			.machine = machines[i],
			.mem = "64M",
			.extra = "-S -no-reboot -cpu max,-nx" NO_DEBUG_EXIT });

		begin(vm);
		assert_int_equal(vm_expect(vm, "(nx); ", VM_TIMEOUT_MS, NULL), 0);
		assert_int_equal(vm_expect(vm, "# exit 1\r\n", VM_TIMEOUT_MS, NULL), 0);
		harness_wait_status(vm, 0);
		harness_stop(vm);
	}
}

/* ---- Ends without isa-debug-exit ---- */

/* Types the line; the last one on the console is `last`, and the machine is gone. */
static void check_end(const struct guest_options *guest, const char *line, const char *last)
{
	struct vm *vm = harness_boot(guest);

	assert_int_equal(vm_send(vm, line, strlen(line)), 0);
	assert_int_equal(vm_expect(vm, last, VM_TIMEOUT_MS, NULL), 0);
	harness_wait_status(vm, 0);
	assert_false(vm_has_said(vm, "\n"));
	harness_stop(vm);
}

static const struct {
	const char *line, *last;
} ends[] = {
	{ "exit 7\r", "\n# exit 7\r\n" },
	{ "poweroff\r", "\n# exit 0\r\n" },
	{ "crash panic\r", "\n# exit 101\r\n" },
	{ "reboot\r", "reboot\r\n" },
};

static void ends_by_acpi_where_there_is_no_debug_exit(void **state)
{
	static const char *const machines[] = { "pc", "q35", "microvm" };

	(void)state;
	for (size_t m = 0; m < 3; m++)
		for (size_t i = 0; i < 3; i++)
			check_end(&(struct guest_options){ .machine = machines[m],
							   .mem = "64M",
							   .extra = NO_DEBUG_EXIT },
				  ends[i].line, ends[i].last);
}

static void ends_by_a_reset_where_there_is_no_acpi_either(void **state)
{
	static const char *const machines[] = { "pc", "q35", "microvm" };

	(void)state;
	for (size_t m = 0; m < 3; m++)
		for (size_t i = 0; i < 4; i++)
			check_end(&(struct guest_options){ .machine = machines[m],
							   .mem = "64M",
							   .extra = "-no-reboot -machine "
								    "acpi=off" NO_DEBUG_EXIT },
				  ends[i].line, ends[i].last);
}

/* And with no keyboard controller to reset it: a triple fault. */
static void ends_by_a_triple_fault_at_last(void **state)
{
	(void)state;
	for (size_t i = 0; i < 4; i++)
		check_end(
			&(struct guest_options){
				.mem = "64M",
				.extra = "-no-reboot -machine acpi=off,i8042=off" NO_DEBUG_EXIT },
			ends[i].line, ends[i].last);
}

int machine_tests(void)
{
	const struct CMUnitTest tests[] = {
		TEST(processor_features_that_are_missing_are_named),
		TEST(processor_features_that_are_missing_are_named_under_uefi),
		TEST(processor_features_are_named_before_a_reset),
		TEST(ends_by_acpi_where_there_is_no_debug_exit),
		TEST(ends_by_a_reset_where_there_is_no_acpi_either),
		TEST(ends_by_a_triple_fault_at_last),
	};

	return cmocka_run_group_tests_name("machine", tests, NULL, NULL);
}
