/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Virtio over MMIO on QEMU's microvm: version 1 and 2, found by ACPI and on
 * the command line, with interrupts of the I/O APICs and of the 8259s. Each
 * machine must follow targets faster than a balloon that only polls.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tests/integration/harness.h"

#define VERSION_1 "-global virtio-mmio.force-legacy=true "
#define VERSION_2 "-global virtio-mmio.force-legacy=false "

/* By polling once a second eight targets would take 4 s on average. */
#define TARGETS 8
#define TARGETS_MAX_S 2.0

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

/* The balloon's, as `virtio` tells it. */
static unsigned long interrupts(struct vm *vm)
{
	char *text = harness_command(vm, "virtio");
	char *at = strstr(text, "balloon (type 5), mmio ");
	unsigned long count = 0;

	if (!at || sscanf(at, "balloon (type 5), mmio %*[a-z], %lu interrupts", &count) != 1)
		fail_msg("`virtio` tells no interrupts of the balloon:\n%s", text);
	free(text);
	return count;
}

static void check_targets(struct vm *vm)
{
	unsigned long before = interrupts(vm);
	double start = now();

	for (unsigned i = 1; i <= TARGETS; i++)
		harness_take(vm, i * 4 * MIB + FRAME);
	assert_true(now() - start < TARGETS_MAX_S);
	assert_true(interrupts(vm) >= before + TARGETS);
	harness_take(vm, 0);
	harness_check_taken(vm, 0, false);
}

/* The transport has this name, the log no warning, and the balloon works. */
static void check_microvm(const char *extra, const char *transport)
{
	struct vm *vm = harness_boot(
		&(struct guest_options){ .machine = "microvm", .extra = extra });

	harness_command_says(vm, "virtio", transport);
	assert_false(vm_has_said(vm, "polled"));
	assert_false(vm_has_said(vm, "left alone"));
	harness_check_taken(vm, 0, false);
	check_targets(vm);
	harness_take(vm, 64 * MIB);
	harness_check_taken(vm, 64 * MIB, false);
	harness_stop(vm);
}

static void mmio_version_1_found_by_acpi(void **state)
{
	(void)state;
	check_microvm(VERSION_1, "mmio@feb02e00 balloon (type 5), mmio legacy,");
}

static void mmio_version_2_found_by_acpi(void **state)
{
	(void)state;
	check_microvm(VERSION_2, "mmio@feb02e00 balloon (type 5), mmio modern,");
}

/* QEMU tells nobody who runs no AML where that bus is. */
static void pci_express_without_mcfg_is_told(void **state)
{
	struct vm *vm = harness_boot(
		&(struct guest_options){ .machine = "microvm", .extra = VERSION_2 "-M pcie=on" });

	(void)state;
	harness_command_says(
		vm, "dmesg",
		"pci: ACPI names a host bridge, but no MCFG and no port 0xcf8 lead to it");
	harness_command_says(vm, "virtio", "mmio@feb02e00 balloon (type 5), mmio modern,");
	harness_take(vm, 64 * MIB);
	harness_check_taken(vm, 64 * MIB, false);
	harness_stop(vm);
}

static void mmio_version_1_found_on_the_command_line(void **state)
{
	(void)state;
	check_microvm(VERSION_1 "-machine acpi=off",
		      "mmio@feb00e00 balloon (type 5), mmio legacy,");
}

static void mmio_version_2_found_on_the_command_line(void **state)
{
	(void)state;
	check_microvm(VERSION_2 "-machine acpi=off",
		      "mmio@feb00e00 balloon (type 5), mmio modern,");
}

static void mmio_with_the_first_io_apic_only(void **state)
{
	(void)state;
	check_microvm(VERSION_2 "-machine ioapic2=off",
		      "mmio@feb00e00 balloon (type 5), mmio modern,");
}

/* This input of an I/O APIC is taken by edge, as nothing says that it is a level. */
static void mmio_on_the_command_line_with_an_io_apic(void **state)
{
	struct vm *vm = harness_boot(
		&(struct guest_options){ .machine = "microvm",
					 .append = "virtio_mmio.device=0x200@0xfeb02e00:47:3",
					 .extra = VERSION_2 });

	(void)state;
	check_targets(vm);
	harness_stop(vm);
}

static void mmio_machine_boots_with_16_mib_and_8_gib(void **state)
{
	static const char *const sizes[] = { "16M", "8G" };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct vm *vm = harness_boot(
			&(struct guest_options){ .machine = "microvm", .mem = sizes[i] });

		harness_take(vm, 2 * MIB);
		harness_check_taken(vm, 2 * MIB, false);
		harness_stop(vm);
	}
}

/* Other devices before and after it: their places are found, too. */
static void mmio_beside_other_devices(void **state)
{
	struct vm *vm;

	(void)state;
	vm = harness_boot(&(struct guest_options){
		.machine = "microvm",
		.balloon = "none",
		.extra = VERSION_2 "-device virtio-rng-device -device virtio-balloon-device "
				   "-device virtio-serial-device -machine acpi=off" });
	harness_command_says(vm, "virtio", "mmio@feb00c00 balloon");
	harness_command_says(vm, "virtio", "mmio@feb00a00");
	check_targets(vm);
	harness_stop(vm);
}

static void mmio_deflates_on_oom(void **state)
{
	struct vm *vm = harness_boot(&(struct guest_options){
		.machine = "microvm", .balloon = "deflate-on-oom=on", .extra = VERSION_2 });

	(void)state;
	harness_take(vm, 100 * MIB);
	harness_check_taken(vm, 100 * MIB, true);
	harness_stop(vm);
}

static void mmio_hostile_places_cost_a_line_each(void **state)
{
	struct vm *vm;

	(void)state;
	vm = harness_boot(&(struct guest_options){
		.machine = "microvm",
		.append = "virtio_mmio.device=512@0xfeb02e00 virtio_mmio.device=512@0:5 "
			  "virtio_mmio.device=4K@0x100000:5 virtio_mmio.device=1@0xfeb02e00:5 "
			  "virtio_mmio.device=512@0xffffffffffffff00:5 virtio_mmio.device "
			  "virtio_mmio.device=512@0xfec10000:47:1" });
	harness_command_says(vm, "dmesg", "=512@0xfeb02e00 is not SIZE@BASE:IRQ[:ID]");
	harness_command_says(vm, "dmesg", "mmio@0: left alone: no address for registers");
	harness_command_says(vm, "dmesg", "mmio@100000: left alone: no virtio device lies there");
	harness_command_says(vm, "dmesg", "mmio@feb02e00: left alone: too small");
	harness_command_says(vm, "dmesg", "mmio@ffffffffffffff00: left alone: no address");
	harness_command_says(vm, "dmesg", "mmio@fec10000: left alone: no virtio device");
	/* And the one that is there is found by ACPI. */
	check_targets(vm);
	harness_stop(vm);
}

/* The interrupt of the timer is not to be had: a line, and once a second. */
static void mmio_polls_without_a_usable_interrupt(void **state)
{
	struct vm *vm = harness_boot(
		&(struct guest_options){ .machine = "microvm",
					 .append = "virtio_mmio.device=512@0xfeb00e00:0",
					 .extra = "-machine acpi=off,auto-kernel-cmdline=off" });

	(void)state;
	harness_command_says(vm, "dmesg", "interrupt 0 cannot be used: it will be polled");
	harness_take(vm, 8 * MIB);
	harness_check_taken(vm, 8 * MIB, false);
	harness_stop(vm);
}

/* The clock is measured against the local APIC's timer, and lines are the I/O APIC's. */
static void mmio_machine_without_timer_8259s_and_rtc(void **state)
{
	static const char *const less[] = { "pit=off", "pic=off", "pit=off,pic=off,rtc=off",
					    "pit=off,pic=off,rtc=off,acpi=off" };

	(void)state;
	for (size_t i = 0; i < sizeof(less) / sizeof(less[0]); i++) {
		char extra[96];

		snprintf(extra, sizeof(extra), VERSION_2 "-machine %s", less[i]);
		check_microvm(extra, "balloon (type 5), mmio modern,");
	}
}

static void mmio_machine_turns_off_and_resets(void **state)
{
	struct vm *vm = harness_boot(&(struct guest_options){ .machine = "microvm" });

	(void)state;
	harness_take(vm, 8 * MIB);
	assert_int_equal(vm_send(vm, "reboot\r", 7), 0);
	assert_qmp(vm, qmp_event(vm_qmp(vm), "RESET", VM_TIMEOUT_MS, NULL));
	harness_wait_prompt(vm, NULL);
	harness_take(vm, 8 * MIB);
	harness_check_taken(vm, 8 * MIB, false);
	assert_int_equal(vm_send(vm, "poweroff\r", 9), 0);
	harness_wait_status(vm, 0);
	harness_stop(vm);
}

int microvm_tests(void)
{
	const struct CMUnitTest tests[] = {
		TEST(mmio_version_1_found_by_acpi),
		TEST(mmio_version_2_found_by_acpi),
		TEST(pci_express_without_mcfg_is_told),
		TEST(mmio_version_1_found_on_the_command_line),
		TEST(mmio_version_2_found_on_the_command_line),
		TEST(mmio_with_the_first_io_apic_only),
		TEST(mmio_on_the_command_line_with_an_io_apic),
		TEST(mmio_machine_boots_with_16_mib_and_8_gib),
		TEST(mmio_beside_other_devices),
		TEST(mmio_deflates_on_oom),
		TEST(mmio_hostile_places_cost_a_line_each),
		TEST(mmio_polls_without_a_usable_interrupt),
		TEST(mmio_machine_without_timer_8259s_and_rtc),
		TEST(mmio_machine_turns_off_and_resets),
	};

	return cmocka_run_group_tests_name("microvm", tests, NULL, NULL);
}
