/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/hypervisor/vmware.c: what VMware's side answers to a guest that is right, to one that is
 * not, and how it lies.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "arch/vmware.h"
#include "drivers/balloon/port/vmware_abi.h"
#include "tests/sim/sim_ram.h"
#include "tests/sim/sim_time.h"
#include "tests/sim/sim_vmware.h"

#define FIRST (SIM_RAM_START / FRAME_SIZE)
#define FRAMES (8 * MIB / FRAME_SIZE)
#define ALL 0x3e
#define PAGE (FIRST + 7)
#define SCRIBBLED 0xa5a5a5a5u

static int begin(void **state)
{
	(void)state;
	sim_time_reset();
	sim_vmware_begin(FRAMES);
	return 0;
}

static int end(void **state)
{
	(void)state;
	host_frames_return_all();
	return 0;
}

static int reserve(void **state)
{
	(void)state;
	return sim_ram_reserve();
}

static uint32_t ask(uint32_t command, uint64_t first, uint32_t second)
{
	return vmware_balloon_command(command, first, second).status;
}

static void start_with(uint64_t wanted)
{
	assert_int_equal(ask(VMWARE_START, wanted, 0), VMWARE_SUCCESS_WITH_CAPABILITIES);
}

static void assert_mistake(const char *what)
{
	assert_non_null(sim_machine_violation());
	assert_string_equal(sim_machine_violation(), what);
	memset(hv_control.common.violation, 0, sizeof(hv_control.common.violation));
}

static uint64_t *page(void)
{
	return (uint64_t *)(uintptr_t)(PAGE * FRAME_SIZE);
}

/* ---- Who it is ---- */

static void cpuid_says_vmware_and_the_rates(void **state)
{
	struct guest_cpuid out = { 0 }, none = { 0 };

	(void)state;
	assert_true(vmware_is_there());
	vmware_personality.cpuid(0x40000000, &out);
	assert_int_equal(out.eax, 0x40000010);
	vmware_personality.cpuid(0x40000010, &out);
	assert_int_equal(out.eax, SIM_MACHINE_TSC_KHZ);
	assert_int_equal(out.ebx, 1000000);
	vmware_personality.cpuid(0x40000001, &none);
	assert_int_equal(none.eax | none.ebx | none.ecx | none.edx, 0);
}

static void the_backdoor_tells_version_and_rate(void **state)
{
	struct guest_registers r = { .rax = 0x564d5868, .rbx = UINT32_MAX, .rcx = 10 };

	(void)state;
	assert_true(vmware_personality.port_in(0x5658, &r));
	assert_int_equal(r.rax, 6);
	assert_int_equal(r.rbx, 0x564d5868);
	r = (struct guest_registers){ .rax = 0x564d5868, .rcx = 45 };
	assert_true(vmware_personality.port_in(0x5658, &r));
	assert_int_equal(r.rax | r.rbx << 32, SIM_MACHINE_TSC_KHZ * UINT64_C(1000));
	r = (struct guest_registers){ .rax = 0x564d5868, .rcx = 1 };
	assert_false(vmware_personality.port_in(0x5658, &r));
	r = (struct guest_registers){ .rax = 1, .rcx = 10 };
	assert_false(vmware_personality.port_in(0x5658, &r));
	assert_false(vmware_personality.port_in(0x5670, &r));
}

/* ---- A guest that is right ---- */

static void start_agrees_and_empties(void **state)
{
	struct vmware_answer answer;

	(void)state;
	start_with(ALL);
	assert_int_equal(ask(VMWARE_LOCK, FIRST, 0), VMWARE_SUCCESS);
	assert_int_equal(host_frames_count(), 1);
	sim_vmware()->withheld = VMWARE_BATCHED_2M;
	answer = vmware_balloon_command(VMWARE_START, ALL, 0);
	assert_int_equal(answer.capabilities, ALL & ~VMWARE_BATCHED_2M);
	assert_int_equal(host_frames_count(), 0);
	sim_vmware()->is_old = 1;
	answer = vmware_balloon_command(VMWARE_START, ALL, 0);
	assert_int_equal(answer.status, VMWARE_SUCCESS);
	assert_int_equal(answer.capabilities, 2);
	assert_int_equal(sim_vmware()->capabilities, VMWARE_BASIC);
	assert_null(sim_machine_violation());
}

static void any_success_has_the_target(void **state)
{
	(void)state;
	sim_vmware_want((UINT64_C(1) << 40) + 5);
	start_with(ALL);
	assert_int_equal(vmware_balloon_command(VMWARE_GET_TARGET, FRAMES, 0).result,
			 (UINT64_C(1) << 40) + 5);
	assert_int_equal(vmware_balloon_command(VMWARE_LOCK, FIRST, 0).result,
			 (UINT64_C(1) << 40) + 5);
	assert_int_equal(sim_vmware()->limit, FRAMES);
	start_with(VMWARE_BASIC);
	assert_int_equal(vmware_balloon_command(VMWARE_GET_TARGET, FRAMES, 0).result, 5);
	assert_int_equal(vmware_balloon_command(VMWARE_GET_TARGET, FRAMES, 0).capabilities,
			 SCRIBBLED);
}

static void entries_are_answered_each_by_itself(void **state)
{
	(void)state;
	start_with(ALL);
	sim_vmware()->pinned_first = FIRST + 101;
	sim_vmware()->pinned_count = 1;
	for (uint64_t i = 0; i < 3; i++)
		page()[i] = (FIRST + 100 + i) * FRAME_SIZE;
	assert_int_equal(ask(VMWARE_BATCHED_LOCK, PAGE, 3), VMWARE_SUCCESS);
	assert_int_equal(page()[0], (FIRST + 100) * FRAME_SIZE);
	assert_int_equal(page()[1], (FIRST + 101) * FRAME_SIZE | VMWARE_PPN_PINNED);
	assert_int_equal(page()[2], (FIRST + 102) * FRAME_SIZE);
	page()[1] = page()[2];
	assert_int_equal(ask(VMWARE_BATCHED_UNLOCK, PAGE, 2), VMWARE_SUCCESS);
	assert_int_equal(host_frames_count(), 0);
	page()[0] = (FIRST + BLOCK_FRAMES) * FRAME_SIZE;
	page()[1] = FIRST * FRAME_SIZE;
	assert_int_equal(ask(VMWARE_BATCHED_2M_LOCK, PAGE, 1), VMWARE_SUCCESS);
	assert_int_equal(host_frames_count(), BLOCK_FRAMES);
	assert_int_equal(sim_vmware()->locked[0], 2);
	assert_int_equal(sim_vmware()->locked[1], BLOCK_FRAMES);
	assert_int_equal(sim_vmware()->refused[0], 1);
	/* A block of which a frame is pinned is so as a whole. */
	page()[0] = FIRST * FRAME_SIZE;
	assert_int_equal(ask(VMWARE_BATCHED_2M_UNLOCK, PAGE, 1), VMWARE_SUCCESS);
	assert_mistake("a frame was unlocked that was not locked");
	assert_int_equal(ask(VMWARE_BATCHED_2M_LOCK, PAGE, 1), VMWARE_SUCCESS);
	assert_mistake("an entry with bits that must be 0");
	assert_int_equal(page()[0] & VMWARE_ENTRY_STATUS, VMWARE_PPN_PINNED);
}

static void forgotten_it_says_reset_once_and_wants_start(void **state)
{
	(void)state;
	start_with(ALL);
	assert_int_equal(ask(VMWARE_LOCK, FIRST, 0), VMWARE_SUCCESS);
	sim_vmware_forget();
	assert_int_equal(ask(VMWARE_GET_TARGET, FRAMES, 0), VMWARE_RESET);
	assert_int_equal(host_frames_count(), 0);
	assert_null(sim_machine_violation());
	assert_int_equal(ask(VMWARE_GET_TARGET, FRAMES, 0), VMWARE_RESET);
	assert_mistake("a command before START");
	start_with(ALL);
	assert_int_equal(ask(VMWARE_GET_TARGET, FRAMES, 0), VMWARE_SUCCESS);
	assert_int_equal(sim_vmware()->resets, 2);
}

static void a_touched_frame_makes_it_forget(void **state)
{
	(void)state;
	start_with(ALL);
	assert_int_equal(ask(VMWARE_LOCK, FIRST, 0), VMWARE_SUCCESS);
	vmware_personality.touched(FIRST);
	assert_int_equal(ask(VMWARE_UNLOCK, FIRST, 0), VMWARE_RESET);
	assert_int_equal(host_frames_count(), 0);
}

static void a_reset_of_the_machine_keeps_what_the_test_wrote(void **state)
{
	(void)state;
	start_with(ALL);
	sim_vmware_want(77);
	sim_vmware()->pinned_count = 3;
	sim_machine_restart();
	assert_int_equal(sim_vmware()->is_started, 0);
	assert_int_equal(sim_vmware()->pinned_count, 3);
	assert_int_equal(sim_vmware()->calls[VMWARE_START], 1);
	start_with(ALL);
	assert_int_equal(vmware_balloon_command(VMWARE_GET_TARGET, 1, 0).result, 77);
	assert_null(sim_machine_violation());
}

/* ---- A guest that is not ---- */

static void mistakes_are_seen(void **state)
{
	(void)state;
	start_with(ALL);
	assert_int_equal(ask(VMWARE_LOCK, FIRST, 0), VMWARE_SUCCESS);
	assert_int_equal(ask(VMWARE_LOCK, FIRST, 0), VMWARE_PPN_LOCKED);
	assert_mistake("a frame was locked twice");
	assert_int_equal(ask(VMWARE_UNLOCK, FIRST + 1, 0), VMWARE_PPN_UNLOCKED);
	assert_mistake("a frame was unlocked that was not locked");
	assert_int_equal(ask(VMWARE_LOCK, FIRST + FRAMES, 0), VMWARE_PPN_INVALID);
	assert_mistake("a frame that is no RAM");
	assert_int_equal(ask(VMWARE_LOCK, UINT64_C(1) << 32, 0), VMWARE_PPN_INVALID);
	assert_mistake("a frame of more than 32 bits");
	assert_int_equal(ask(5, 0, 0), VMWARE_CMD_INVALID);
	assert_mistake("a command that there is not");
	assert_int_equal(ask(0x12345678, 0, 0), VMWARE_CMD_INVALID);
	assert_mistake("a command that there is not");
	assert_int_equal(ask(VMWARE_BATCHED_LOCK, PAGE, 0), VMWARE_FAILURE);
	assert_mistake("a batch of none, or of too many");
	assert_int_equal(ask(VMWARE_BATCHED_LOCK, PAGE, 513), VMWARE_FAILURE);
	assert_mistake("a batch of none, or of too many");
	start_with(1 | ALL);
	assert_mistake("bit 0 of the capabilities");
}

static void mistakes_with_the_page_are_seen(void **state)
{
	(void)state;
	start_with(ALL);
	page()[0] = FIRST * FRAME_SIZE;
	assert_int_equal(ask(VMWARE_BATCHED_LOCK, FIRST + FRAMES, 1), VMWARE_PPN_INVALID);
	assert_mistake("a batch page that is in the balloon, or no RAM");
	assert_int_equal(ask(VMWARE_BATCHED_LOCK, UINT64_MAX, 1), VMWARE_PPN_INVALID);
	assert_mistake("a batch page that is in the balloon, or no RAM");
	page()[0] = PAGE * FRAME_SIZE;
	sim_machine.blind = true; /* or the answer could not be written */
	assert_int_equal(ask(VMWARE_BATCHED_LOCK, PAGE, 1), VMWARE_PPN_INVALID);
	assert_mistake("a batch page that is in the balloon, or no RAM");
	assert_int_equal(ask(VMWARE_BATCHED_LOCK, PAGE, 1), VMWARE_PPN_INVALID);
	assert_mistake("a batch page that is in the balloon, or no RAM");
	start_with(ALL);
	page()[0] = (FIRST + 1) * FRAME_SIZE;
	assert_int_equal(ask(VMWARE_BATCHED_2M_LOCK, PAGE, 1), VMWARE_SUCCESS);
	assert_mistake("a block that is not aligned");
	page()[0] = (FIRST + 1) * FRAME_SIZE | 0x800;
	assert_int_equal(ask(VMWARE_BATCHED_LOCK, PAGE, 1), VMWARE_SUCCESS);
	assert_mistake("an entry with bits that must be 0");
}

static void what_was_not_agreed_is_a_mistake(void **state)
{
	static const uint32_t commands[] = { VMWARE_BATCHED_LOCK, VMWARE_BATCHED_UNLOCK,
					     VMWARE_BATCHED_2M_LOCK, VMWARE_BATCHED_2M_UNLOCK };

	(void)state;
	start_with(VMWARE_BASIC);
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
		assert_int_equal(ask(commands[i], PAGE, 1), VMWARE_CMD_INVALID);
		assert_mistake("a command without its capability");
	}
	ask(VMWARE_GET_TARGET, UINT64_C(1) << 32, 0);
	assert_mistake("a limit of more than 32 bits");
	start_with(0);
	assert_int_equal(sim_vmware()->leaves, 1);
	assert_int_equal(ask(VMWARE_LOCK, FIRST, 0), VMWARE_RESET);
	assert_mistake("a command before START");
}

/* ---- Lies ---- */

static void a_lie_is_told_after_every_and_so_many_times(void **state)
{
	const struct vmware_lie lie = { .kind = VMWARE_LIE_REFUSES,
					.commands = 1u << VMWARE_GET_TARGET,
					.after = 2,
					.every = 3,
					.times = 2,
					.value = VMWARE_BUSY };
	static const bool told[] = { false, false, false, false, true, false,
				     false, true,  false, false, false };

	(void)state;
	start_with(ALL);
	sim_vmware_lie(&lie);
	for (size_t i = 0; i < ARRAY_SIZE(told); i++) {
		assert_int_equal(ask(VMWARE_GUEST_ID, 0, 0), VMWARE_SUCCESS);
		assert_int_equal(ask(VMWARE_GET_TARGET, 1, 0),
				 told[i] ? VMWARE_BUSY : VMWARE_SUCCESS);
	}
	assert_int_equal(sim_vmware()->told[0], 2);
	/* The same rows as another plan begin anew. */
	sim_vmware_lie(&lie);
	for (size_t i = 0; i < 5; i++)
		ask(VMWARE_GET_TARGET, 1, 0);
	assert_int_equal(sim_vmware()->told[0], 1);
}

/* What a lie of a kind does to the answer, and to the frame. */
static void each_kind_of_lie_does_what_it_says(void **state)
{
	static const struct {
		enum vmware_lie_kind kind;
		uint64_t value;
		uint32_t status;
		uint64_t frames; /* that the host has after LOCK */
	} cases[] = {
		{ VMWARE_LIE_REFUSES, VMWARE_BUSY, VMWARE_BUSY, 0 },
		{ VMWARE_LIE_PRETENDS, VMWARE_BUSY, VMWARE_BUSY, 1 },
		{ VMWARE_LIE_FORGETS, 0, VMWARE_RESET, 0 },
		{ VMWARE_LIE_FORGETS_LATE, 0, VMWARE_SUCCESS, 1 },
		{ VMWARE_LIE_TARGET, 9, VMWARE_SUCCESS, 1 },
		{ VMWARE_LIE_RESULT, 9, VMWARE_SUCCESS, 1 },
		{ VMWARE_LIE_ONE_REFUSED, VMWARE_PPN_PINNED, VMWARE_PPN_PINNED, 0 },
		{ VMWARE_LIE_ONE_PRETENDED, VMWARE_PPN_PINNED, VMWARE_PPN_PINNED, 1 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct vmware_lie lie = { .kind = cases[i].kind,
					  .commands = 1u << VMWARE_LOCK,
					  .value = cases[i].value };
		struct vmware_answer answer;

		end(state);
		begin(state);
		sim_vmware_want(5);
		start_with(ALL);
		sim_vmware_lie(&lie);
		answer = vmware_balloon_command(VMWARE_LOCK, FIRST, 0);
		assert_int_equal(answer.status, cases[i].status);
		assert_int_equal(answer.result, cases[i].value == 9 ? 9 : 5);
		assert_int_equal(host_frames_count(), cases[i].frames);
		answer = vmware_balloon_command(VMWARE_GUEST_ID, 0, 0);
		assert_int_equal(answer.status,
				 cases[i].kind == VMWARE_LIE_FORGETS ||
						 cases[i].kind == VMWARE_LIE_FORGETS_LATE
					 ? VMWARE_RESET
					 : VMWARE_SUCCESS);
		assert_int_equal(answer.result, cases[i].kind == VMWARE_LIE_TARGET ? 9 : 5);
	}
}

static void an_address_is_turned_over_when_the_frame_has_moved(void **state)
{
	const struct vmware_lie lie = { .kind = VMWARE_LIE_ADDRESS, .value = 0xff000 };

	(void)state;
	start_with(ALL);
	sim_vmware_lie(&lie);
	page()[0] = FIRST * FRAME_SIZE;
	assert_int_equal(ask(VMWARE_BATCHED_LOCK, PAGE, 1), VMWARE_SUCCESS);
	assert_int_equal(page()[0], (FIRST * FRAME_SIZE) ^ 0xff000);
	assert_true(host_frames_has(FIRST));
}

static void balloonctl_is_told_of_driver_and_balloon(void **state)
{
	const struct hv_control_common *told = &hv_control.common;

	(void)state;
	assert_int_equal(told->driver, HV_DRIVER_NONE);
	assert_int_equal(told->said, 0);
	assert_true(told->reports == HV_NO_REPORTS);
	start_with(ALL);
	assert_int_equal(told->driver, HV_DRIVER_RUNS);
	assert_int_equal(ask(VMWARE_LOCK, FIRST, 0), VMWARE_SUCCESS);
	assert_int_equal(told->ballooned, 1);
	assert_int_equal(told->said, 2);
	assert_int_equal(ask(VMWARE_START, 0, 0), VMWARE_SUCCESS_WITH_CAPABILITIES);
	assert_int_equal(told->driver, HV_DRIVER_NONE);
	assert_int_equal(told->ballooned, 0);
	start_with(ALL);
	sim_machine_restart();
	assert_int_equal(told->driver, HV_DRIVER_NONE);
	assert_int_equal(told->said, 0);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(cpuid_says_vmware_and_the_rates),
		CASE(the_backdoor_tells_version_and_rate),
		CASE(start_agrees_and_empties),
		CASE(any_success_has_the_target),
		CASE(entries_are_answered_each_by_itself),
		CASE(forgotten_it_says_reset_once_and_wants_start),
		CASE(a_touched_frame_makes_it_forget),
		CASE(a_reset_of_the_machine_keeps_what_the_test_wrote),
		CASE(mistakes_are_seen),
		CASE(mistakes_with_the_page_are_seen),
		CASE(what_was_not_agreed_is_a_mistake),
		CASE(a_lie_is_told_after_every_and_so_many_times),
		CASE(each_kind_of_lie_does_what_it_says),
		CASE(an_address_is_turned_over_when_the_frame_has_moved),
		CASE(balloonctl_is_told_of_driver_and_balloon),
	};

	return cmocka_run_group_tests_name("vmware", tests, reserve, NULL);
}
