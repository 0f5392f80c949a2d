/* SPDX-License-Identifier: BSD-2-Clause */
/* Interrupts for the guest: what the VMCB says before each entry, whatever the last exit was. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/hypervisor/control.h"
#include "tests/hypervisor/svm.h"

#define RFLAGS_IF 0x200

struct guest guest;
struct hv_control hv_control;
static struct vmcb vmcb;

/* What waits is not forgotten between tests: each takes all of it. */
static int setup(void **state)
{
	(void)state;
	memset(&vmcb, 0, sizeof(vmcb));
	memset(&hv_control, 0, sizeof(hv_control));
	guest.vmcb = &vmcb;
	vmcb.rflags = RFLAGS_IF;
	return 0;
}

static void takes(unsigned vector)
{
	interrupts_before_entry();
	assert_int_equal(vmcb.event_injection,
			 EVENT_VALID | (vmcb.cpl ? EVENT_TYPE_INTR : EVENT_TYPE_SOFTWARE) | vector);
	interrupts_after_exit();
}

static void takes_none(void)
{
	interrupts_before_entry();
	assert_int_equal(vmcb.event_injection & EVENT_VALID, 0);
}

static bool waits(void)
{
	const uint32_t intercepts = INTERCEPT_INTR | INTERCEPT_VINTR;

	if (!(vmcb.virtual_interrupt & V_IRQ)) {
		assert_int_equal(vmcb.intercept_misc1 & intercepts, 0);
		return false;
	}
	assert_true(vmcb.virtual_interrupt & V_IGN_TPR);
	assert_int_equal(vmcb.intercept_misc1 & intercepts, intercepts);
	return true;
}

static void nothing_comes_unasked(void **state)
{
	(void)state;
	takes_none();
	assert_false(waits());
	assert_int_equal(hv_control.common.interrupts, 0);
}

static void guest_that_can_takes_it_at_once(void **state)
{
	(void)state;
	machine_interrupt(0xf3);
	takes(0xf3);
	assert_false(waits());
	assert_int_equal(hv_control.common.interrupts, 1);
	takes_none();
}

static void same_vector_twice_is_one(void **state)
{
	(void)state;
	machine_interrupt(64);
	machine_interrupt(64);
	takes(64);
	takes_none();
}

static void higher_vectors_come_first_and_the_others_wait(void **state)
{
	(void)state;
	machine_interrupt(63);
	machine_interrupt(255);
	machine_interrupt(64);
	takes(255);
	assert_true(waits());
	takes(64);
	takes(63);
	assert_false(waits());
}

static void it_waits_for_if_and_for_the_end_of_a_shadow(void **state)
{
	(void)state;
	machine_interrupt(80);
	vmcb.rflags = 0;
	takes_none();
	assert_true(waits());
	interrupts_after_exit();
	vmcb.rflags = RFLAGS_IF;
	vmcb.interrupt_shadow = INTERRUPT_SHADOW;
	takes_none();
	assert_true(waits());
	vmcb.interrupt_shadow = 0;
	takes(80);
	interrupts_before_entry();
	assert_false(waits());
}

static void other_intercepts_stay(void **state)
{
	(void)state;
	vmcb.intercept_misc1 = INTERCEPT_NMI | INTERCEPT_CPUID;
	machine_interrupt(80);
	vmcb.rflags = 0;
	takes_none();
	assert_int_equal(vmcb.intercept_misc1,
			 INTERCEPT_NMI | INTERCEPT_CPUID | INTERCEPT_INTR | INTERCEPT_VINTR);
	vmcb.rflags = RFLAGS_IF;
	takes(80);
	assert_int_equal(vmcb.intercept_misc1, INTERCEPT_NMI | INTERCEPT_CPUID);
}

static void event_that_was_cut_off_goes_before_it(void **state)
{
	const uint64_t cut_off = EVENT_VALID | EVENT_TYPE_INTR | 43;

	(void)state;
	machine_interrupt(80);
	vmcb.exit_interrupt_info = cut_off;
	interrupts_after_exit();
	interrupts_before_entry();
	assert_int_equal(vmcb.event_injection, cut_off);
	assert_true(waits());
	vmcb.exit_interrupt_info = 0;
	interrupts_after_exit();
	takes(80);
}

static void exceptions_are_those_of_the_instruction(void **state)
{
	(void)state;
	machine_interrupt(80);
	interrupts_raise_gp();
	interrupts_before_entry();
	assert_int_equal(vmcb.event_injection,
			 EVENT_VALID | EVENT_TYPE_EXCEPTION | EVENT_ERROR_CODE | 13);
	interrupts_after_exit();
	interrupts_raise_ud();
	interrupts_before_entry();
	assert_int_equal(vmcb.event_injection, EVENT_VALID | EVENT_TYPE_EXCEPTION | 6);
	interrupts_after_exit();
	takes(80);
}

static void outside_of_ring_0_it_is_no_int_n(void **state)
{
	(void)state;
	vmcb.cpl = 3;
	machine_interrupt(80);
	takes(80);
}

#define CASE(name) cmocka_unit_test_setup(name, setup)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(nothing_comes_unasked),
		CASE(guest_that_can_takes_it_at_once),
		CASE(same_vector_twice_is_one),
		CASE(higher_vectors_come_first_and_the_others_wait),
		CASE(it_waits_for_if_and_for_the_end_of_a_shadow),
		CASE(other_intercepts_stay),
		CASE(event_that_was_cut_off_goes_before_it),
		CASE(exceptions_are_those_of_the_instruction),
		CASE(outside_of_ring_0_it_is_no_int_n),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
