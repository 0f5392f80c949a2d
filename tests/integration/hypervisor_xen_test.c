/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The balloon on a Xen that is the hypervisor for tests: the real image, its own drivers, and
 * nested paging, so that a frame that was given is out of its reach. Lies that no real Xen tells.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/hypervisor/xen.h"
#include "tests/integration/hypervisor_harness.h"

static struct inside boot_xen(void)
{
	return inside_boot((struct guest_options){ .hypervisor = "xen", .balloon = "none" });
}

static volatile struct xen_control *xen_of(struct inside *inside)
{
	return hypervisor_page(inside->hypervisor, HV_CONTROL_XEN);
}

/* The host wants to have so many frames. */
static void ask_for(struct inside *inside, uint64_t frames)
{
	inside->common->target = frames;
	harness_execute(inside->vm, "inject-nmi");
}

/* It has them; the guest says the same, and misses none. */
static void check_taken(struct inside *inside, uint64_t frames)
{
	char verdict[64];
	struct memory mem;

	inside_wait(&inside->common->taken, frames, "the number of frames that the host has");
	free(harness_command(inside->vm, "balloon wait 60"));
	mem = harness_memory(inside->vm);
	assert_int_equal(mem.actual, frames * FRAME);
	assert_int_equal(mem.owned_by_balloon, frames * FRAME);
	assert_int_equal(mem.inflated_total, frames * FRAME);
	assert_true(mem.ledger_ok);
	snprintf(verdict, sizeof(verdict), "Ledger: ok (%" PRIu64 " frames)",
		 (uint64_t)(mem.owned / FRAME));
	harness_command_says(inside->vm, "audit", verdict);
	assert_int_equal(inside->common->taken, frames);
}

/* The guest uses all that it has, and then has it as it was. */
static void use_memory(struct inside *inside)
{
	char line[64];

	snprintf(line, sizeof(line), "hold %" PRIu64,
		 (uint64_t)(harness_memory(inside->vm).free - 8 * MIB));
	harness_command_says(inside->vm, line, "held ");
	harness_command_says(inside->vm, "release all", "pattern intact");
}

static void targets_are_reached_to_the_frame(void **state)
{
	static const uint64_t targets[] = { 512, 20000, 20001, 1, 48 * 512 + 3, 0 };
	struct inside inside = boot_xen();

	(void)state;
	for (size_t i = 0; i < sizeof(targets) / sizeof(targets[0]); i++) {
		ask_for(&inside, targets[i]);
		check_taken(&inside, targets[i]);
		use_memory(&inside);
	}
	inside_stop(&inside);
}

static void balloon_is_full_again_after_a_reset(void **state)
{
	const uint64_t frames = 100 * MIB / FRAME;
	struct inside inside = boot_xen();

	(void)state;
	ask_for(&inside, frames);
	check_taken(&inside, frames);
	harness_execute(inside.vm, "system_reset");
	harness_wait_prompt(inside.vm, NULL);
	assert_int_equal(inside.common->starts, 2);
	check_taken(&inside, frames);
	/* As the guest asks for it: by Xen. */
	assert_int_equal(vm_send(inside.vm, "reboot\r", 7), 0);
	harness_wait_prompt(inside.vm, NULL);
	assert_int_equal(inside.common->starts, 3);
	check_taken(&inside, frames);
	ask_for(&inside, 0);
	check_taken(&inside, 0);
	use_memory(&inside);
	inside_stop(&inside);
}

static void toolstack_powers_it_off(void **state)
{
	static const char call[] = "xenstore read memory/target\r";
	struct inside inside = boot_xen();
	volatile struct xen_control *xen = xen_of(&inside);

	(void)state;
	strcpy((char *)xen->path, "control/shutdown");
	strcpy((char *)xen->value, "poweroff");
	xen->order++;
	/* A call of the guest's lets the host look; a QEMU that ends would not answer a ring. */
	assert_int_equal(vm_send(inside.vm, call, strlen(call)), 0);
	assert_int_equal(vm_expect(inside.vm, "The toolstack asks the guest to power off.",
				   VM_TIMEOUT_MS, NULL),
			 0);
	harness_wait_status(inside.vm, 0);
	inside_close(&inside);
	harness_stop(inside.vm);
}

static void lie(struct inside *inside, const struct sim_xen_faults *faults)
{
	volatile struct xen_control *xen = xen_of(inside);

	memcpy((void *)&xen->faults, faults, sizeof(*faults));
	xen->order++;
	harness_execute(inside->vm, "inject-nmi");
	inside_wait(&xen->done, xen->order, "the number of the order that is done");
}

/* Each is told while the guest gives and takes; then Xen is honest again. */
static void lies_cost_no_frame(void **state)
{
	const struct sim_xen_faults honest = { .extents_most = { UINT64_MAX, UINT64_MAX },
					       .stubborn = { SIM_XEN_NO_FRAME, SIM_XEN_NO_FRAME } };
	struct sim_xen_faults lies[5];
	struct inside inside = boot_xen();

	(void)state;
	for (size_t i = 0; i < 5; i++)
		lies[i] = honest;
	lies[0].refuse_every[false] = lies[0].refuse_every[true] = 7;
	lies[1].no_blocks[false] = lies[1].no_blocks[true] = true;
	lies[2].extents_most[false] = lies[2].extents_most[true] = 3;
	lies[3].scribbles = true;
	lies[4].no_counts = lies[4].no_mem_type = true;
	for (size_t i = 0; i < 5; i++) {
		lie(&inside, &lies[i]);
		ask_for(&inside, 4321);
		check_taken(&inside, 4321);
		ask_for(&inside, 17);
		check_taken(&inside, 17);
		use_memory(&inside);
	}
	lie(&inside, &honest);
	ask_for(&inside, 0);
	check_taken(&inside, 0);
	inside_stop(&inside);
}

int hypervisor_xen_tests(void)
{
	const struct CMUnitTest tests[] = {
		TEST(targets_are_reached_to_the_frame),
		TEST(balloon_is_full_again_after_a_reset),
		TEST(toolstack_powers_it_off),
		TEST(lies_cost_no_frame),
	};

	return cmocka_run_group_tests_name("hypervisor_xen", tests, NULL, NULL);
}
