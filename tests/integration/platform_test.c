/* SPDX-License-Identifier: BSD-2-Clause */
/* The platform's devices: the power button. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/integration/harness.h"

#define PRESSED "The power button was pressed"

/* ---- The power button ---- */

static void press(struct vm *vm)
{
	assert_qmp(vm, qmp_execute(vm_qmp(vm), "system_powerdown", NULL, NULL));
}

/* The machine ends as by `poweroff`; the ledger's verdict comes before. */
static void wait_for_power_off(struct vm *vm)
{
	assert_int_equal(vm_expect(vm, PRESSED, VM_TIMEOUT_MS, NULL), 0);
	assert_int_equal(vm_expect(vm, "Ledger: ok (", VM_TIMEOUT_MS, NULL), 0);
	harness_wait_status(vm, 0);
}

static void check_button(const struct guest_options *guest)
{
	struct vm *vm = harness_boot(guest);

	press(vm);
	wait_for_power_off(vm);
	harness_stop(vm);
}

static void the_power_button_turns_pc_and_q35_off(void **state)
{
	(void)state;
	check_button(&(struct guest_options){ .machine = "pc", .mem = "64M" });
	check_button(&(struct guest_options){ .machine = "q35", .mem = "64M" });
}

static void the_power_button_turns_a_microvm_off(void **state)
{
	(void)state;
	check_button(&(struct guest_options){ .machine = "microvm", .mem = "64M" });
}

static void the_power_button_works_with_qboot(void **state)
{
	(void)state;
	check_button(&(struct guest_options){ .machine = "pc", .firmware = "qboot", .mem = "64M" });
	check_button(
		&(struct guest_options){ .machine = "q35", .firmware = "qboot", .mem = "64M" });
}

static void the_power_button_works_with_uefi(void **state)
{
	(void)state;
	check_button(&(struct guest_options){ .machine = "q35", .firmware = "uefi" });
}

static void the_power_button_works_after_a_reset(void **state)
{
	static const char *const machines[] = { "q35", "microvm" };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct vm *vm = harness_boot(
			&(struct guest_options){ .machine = machines[i], .mem = "64M" });

		assert_qmp(vm, qmp_execute(vm_qmp(vm), "system_reset", NULL, NULL));
		harness_wait_prompt(vm, NULL);
		press(vm);
		wait_for_power_off(vm);
		harness_stop(vm);
	}
}

/* A press that comes before the guest listens is lost; the first one that does not counts. */
static void the_power_button_may_be_pressed_during_the_start(void **state)
{
	struct vm *vm = harness_start(&(struct guest_options){ .machine = "pc", .mem = "64M" });
	int status = -1;

	(void)state;
	for (int i = 0; i < VM_TIMEOUT_MS / 100; i++) {
		if (qmp_execute(vm_qmp(vm), "system_powerdown", NULL, NULL) ||
		    vm_has_said(vm, "Ledger: ok ("))
			break;
		if (qmp_event(vm_qmp(vm), "SHUTDOWN", 100, NULL) == 0)
			break;
	}
	assert_int_equal(vm_wait_exit(vm, VM_TIMEOUT_MS, &status), 0);
	assert_int_equal(status, 0);
	assert_true(vm_has_said(vm, PRESSED));
	harness_stop(vm);
}

static void the_power_button_does_not_wait_for_a_long_command(void **state)
{
	static const char line[] = "audit; audit; audit; audit; audit; audit; audit; audit\r";
	struct vm *vm = harness_boot(&(struct guest_options){ .mem = "1T" });

	(void)state;
	assert_int_equal(vm_send(vm, line, strlen(line)), 0);
	assert_int_equal(vm_expect(vm, "Ledger: ok (", VM_TIMEOUT_MS, NULL), 0);
	press(vm);
	press(vm);
	wait_for_power_off(vm);
	harness_stop(vm);
}

int platform_tests(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_power_button_turns_pc_and_q35_off),
		TEST(the_power_button_turns_a_microvm_off),
		TEST(the_power_button_works_with_qboot),
		TEST(the_power_button_works_with_uefi),
		TEST(the_power_button_works_after_a_reset),
		TEST(the_power_button_may_be_pressed_during_the_start),
		TEST(the_power_button_does_not_wait_for_a_long_command),
	};

	return cmocka_run_group_tests_name("platform", tests, NULL, NULL);
}
