/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Poor machines: processors that lack something, and machines without the devices by
 * which others end, count the time, or interrupt.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <json-c/json.h>

#include "tests/integration/harness.h"

#define EXIT_OF(n) (((n) << 1) | 1) /* isa-debug-exit */

/* Stands in front of isa-debug-exit, which tools/run.sh always gives: an empty port. */
#define PORT_OF_NOTHING(answer) \
	" -chardev null,id=none -device isa-debugcon,iobase=0xf4,chardev=none,readback=" answer
#define NO_DEBUG_EXIT PORT_OF_NOTHING("0xff")

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

static void check_shutdown_reason(struct vm *vm, const char *reason)
{
	struct json_object *event, *got;

	assert_qmp(vm, qmp_event(vm_qmp(vm), "SHUTDOWN", VM_TIMEOUT_MS, &event));
	assert_int_equal(json_pointer_get(event, "/data/reason", &got), 0);
	assert_string_equal(json_object_get_string(got), reason);
	json_object_put(event);
}

/* Each end: its last line on the console, and then the machine is gone, for this reason. */
static void check_ends(const struct guest_options *guest, const char *reason, bool reboots)
{
	static const struct {
		const char *line, *last;
	} ends[] = {
		{ "exit 7\r", "\n# exit 7\r\n" },
		{ "poweroff\r", "\n# exit 0\r\n" },
		{ "crash panic\r", "\n# exit 101\r\n" },
		{ "reboot\r", "reboot\r\n" },
	};

	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]) - !reboots; i++) {
		struct vm *vm = harness_boot(guest);

		assert_int_equal(vm_send(vm, ends[i].line, strlen(ends[i].line)), 0);
		assert_int_equal(vm_expect(vm, ends[i].last, VM_TIMEOUT_MS, NULL), 0);
		check_shutdown_reason(vm, reason);
		harness_wait_status(vm, 0);
		assert_false(vm_has_said(vm, "\n"));
		harness_stop(vm);
	}
}

static void ends_by_acpi_where_there_is_no_debug_exit(void **state)
{
	static const char *const machines[] = { "pc", "q35", "microvm" };

	(void)state;
	for (size_t i = 0; i < 3; i++)
		check_ends(&(struct guest_options){ .machine = machines[i],
						    .mem = "64M",
						    .extra = "-no-reboot" NO_DEBUG_EXIT },
			   "guest-shutdown", false);
}

/* As the device itself answers: it is waited for, but not for ever. */
static void ends_by_acpi_where_an_empty_port_answers_0(void **state)
{
	(void)state;
	check_ends(&(struct guest_options){ .mem = "64M",
					    .extra = "-no-reboot" PORT_OF_NOTHING("0") },
		   "guest-shutdown", false);
}

/* SeaBIOS has tables of its own where QEMU gives none; qboot has not. */
static void ends_by_a_reset_where_there_is_no_acpi_either(void **state)
{
	static const char *const machines[] = { "pc", "q35", "microvm" };

	(void)state;
	for (size_t i = 0; i < 3; i++)
		check_ends(
			&(struct guest_options){
				.machine = machines[i],
				.mem = "64M",
				.firmware = i < 2 ? "qboot" : NULL,
				.extra = "-no-reboot -machine acpi=off" NO_DEBUG_EXIT },
			"guest-reset", true);
}

/* And with no keyboard controller to reset it: a triple fault. */
static void ends_by_a_triple_fault_at_last(void **state)
{
	(void)state;
	check_ends(&(struct guest_options){ .mem = "64M",
					    .firmware = "qboot",
					    .extra = "-no-reboot -machine "
						     "acpi=off,i8042=off" NO_DEBUG_EXIT },
		   "guest-reset", true);
}

/* ---- Clocks and interrupts ---- */

#define REST_US 3000000

/* What `boot` says of the clock. */
struct clock {
	unsigned mhz;
	char from[64], alarm[64];
	unsigned long rings;
};

static struct clock read_clock(struct vm *vm)
{
	char *text = harness_command(vm, "boot");
	const char *at = strstr(text, "\nClock: ");
	struct clock clock = { 0 };

	if (!at ||
	    sscanf(at, "\nClock: TSC at %u MHz, by %63[^\n]\nAlarm: by %63[^,], which rang %lu ",
		   &clock.mhz, clock.from, clock.alarm, &clock.rings) != 4)
		fail_msg("`boot` tells no clock:\n%s", text);
	free(text);
	return clock;
}

static unsigned long read_jiffies(struct vm *vm)
{
	char *text = harness_command(vm, "uptime");
	const char *at = strstr(text, ", ");
	unsigned long jiffies = 0;

	if (!at || sscanf(at, ", %lu jiffies", &jiffies) != 1)
		fail_msg("`uptime` tells no jiffies:\n%s", text);
	free(text);
	return jiffies;
}

/* Sleeps, wakes up, follows a target, and sleeps again. */
static struct clock check_clock(const struct guest_options *guest, const char *from,
				const char *alarm)
{
	struct vm *vm = harness_boot(guest);
	struct clock clock = read_clock(vm);

	assert_string_equal(clock.from, from);
	assert_string_equal(clock.alarm, alarm);
	assert_false(vm_has_said(vm, "warning"));
	harness_take(vm, 8 * MIB);
	harness_check_taken(vm, 8 * MIB, false);
	harness_stop(vm);
	return clock;
}

/*
 * Each way to find the rate finds the same: the counter is one of the host's. A rate
 * that is taken for another's would be off by more than an eighth.
 */
static void every_counter_gives_the_same_rate(void **state)
{
	static const struct {
		const char *machine, *firmware, *extra, *from;
	} ways[] = {
		{ "pc", NULL, NULL, "the 8254 timer" },
		{ "q35", NULL, "-machine pit=off", "ACPI's timer" },
		{ "pc", NULL, "-machine pit=off", "ACPI's timer" },
		{ "microvm", NULL, NULL, "the 8254 timer" },
		{ "microvm", NULL, "-machine pit=off", "the local APIC's timer" },
		{ "q35", "qboot", "-machine pit=off,acpi=off", "the local APIC's timer" },
	};
	unsigned first = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		unsigned mhz = check_clock(&(struct guest_options){ .machine = ways[i].machine,
								    .firmware = ways[i].firmware,
								    .extra = ways[i].extra },
					   ways[i].from, "the local APIC's timer")
				       .mhz;

		if (i == 0)
			first = mhz;
		assert_in_range(mhz, first - first / 8, first + first / 8);
	}
}

static void a_processor_without_an_apic_has_the_8254s_tick(void **state)
{
	static const char *const machines[] = { "pc", "q35" };

	(void)state;
	for (size_t i = 0; i < 2; i++)
		check_clock(&(struct guest_options){ .machine = machines[i],
						     .extra = "-cpu max,-apic" },
			    "the 8254 timer", "the 8254's tick");
}

static void a_machine_that_nothing_can_wake_says_so(void **state)
{
	struct vm *vm = harness_start(&(struct guest_options){
		.machine = "microvm", .extra = "-S -machine pit=off,pic=off -cpu max,-apic" });

	(void)state;
	begin(vm);
	assert_int_equal(vm_expect(vm, "PANIC: clock: nothing ", VM_TIMEOUT_MS, NULL), 0);
	harness_wait_status(vm, EXIT_OF(101));
	harness_stop(vm);
}

/* As `virtio` tells them. */
static unsigned long balloon_interrupts(struct vm *vm)
{
	char *text = harness_command(vm, "virtio");
	const char *at = strstr(text, "balloon (type 5), pci ");
	unsigned long count = 0;

	if (!at || sscanf(at, "balloon (type 5), pci %*[a-z], %lu interrupts", &count) != 1)
		fail_msg("`virtio` tells no interrupts of the balloon:\n%s", text);
	free(text);
	return count;
}

/* The I/O APIC has COM1's line, and that of PCI. */
static void lines_without_8259s_are_the_io_apics(void **state)
{
	static const char *const machines[] = { "pc", "q35" };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct vm *vm = harness_boot(
			&(struct guest_options){ .machine = machines[i],
						 .firmware = "qboot",
						 .extra = "-machine pic=off,pit=off" });

		harness_take(vm, 8 * MIB);
		harness_check_taken(vm, 8 * MIB, false);
		assert_true(balloon_interrupts(vm) > 0);
		harness_stop(vm);
	}
}

/* By the guest's own clock, however slow the host is: a tick would be one a jiffy. */
static void an_idle_machine_is_left_alone(void **state)
{
	static const char *const machines[] = { "pc", "q35", "microvm" };

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct vm *vm = harness_boot(&(struct guest_options){ .machine = machines[i] });
		unsigned long rings = read_clock(vm).rings, jiffies = read_jiffies(vm);

		usleep(REST_US);
		jiffies = read_jiffies(vm) - jiffies;
		rings = read_clock(vm).rings - rings;
		assert_true(jiffies >= REST_US / 10000);
		/* One a second, and a few for the commands. */
		assert_in_range(rings, 1, jiffies / 8);
		harness_stop(vm);
	}
}

int machine_tests(void)
{
	const struct CMUnitTest tests[] = {
		TEST(processor_features_that_are_missing_are_named),
		TEST(processor_features_that_are_missing_are_named_under_uefi),
		TEST(processor_features_are_named_before_a_reset),
		TEST(ends_by_acpi_where_there_is_no_debug_exit),
		TEST(ends_by_acpi_where_an_empty_port_answers_0),
		TEST(ends_by_a_reset_where_there_is_no_acpi_either),
		TEST(ends_by_a_triple_fault_at_last),
		TEST(every_counter_gives_the_same_rate),
		TEST(a_processor_without_an_apic_has_the_8254s_tick),
		TEST(a_machine_that_nothing_can_wake_says_so),
		TEST(lines_without_8259s_are_the_io_apics),
		TEST(an_idle_machine_is_left_alone),
	};

	return cmocka_run_group_tests_name("machine", tests, NULL, NULL);
}
