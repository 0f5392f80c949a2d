/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The hypervisor for tests (tests/hypervisor), with the real image as its guest and the personality
 * that does nothing by itself: it is not felt, sees each touch of a frame that the host has,
 * and loses no interrupt.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "tests/hypervisor/host_frames.h"
#include "tests/hypervisor/plain.h"
#include "tests/integration/hypervisor_harness.h"

/* Where the image's code is: from linker.ld's address on, no more than this. */
#define CODE_START (1 * MIB)
#define CODE_END (2 * MIB)

#define RINGS 100

/*
 * It never interrupts by itself, comes first in lists, and its vector is the first of all
 * messages.
 */
#define SILENT_DEVICE "-device virtio-rng-pci,vectors=2"
#define SILENT_VECTOR 64

static volatile struct plain_control *plain_of(struct inside *inside)
{
	return hypervisor_page(inside->hypervisor, HV_CONTROL_PLAIN);
}

/* ---- It is there, and not felt ---- */

/* `own_most`: bytes that the hypervisor may have. */
static void check_boot_as(const char *personality, const char *machine, const char *mem,
			  uint64_t own_most)
{
	struct inside inside = inside_boot((struct guest_options){
		.hypervisor = personality, .machine = machine, .mem = mem });
	uint64_t ram = harness_ram(inside.vm);

	assert_string_equal((const char *)inside.common->personality, personality);
	assert_in_range(inside.common->hypervisor_frames * FRAME, FRAME, own_most);
	assert_int_equal(inside.common->starts, 1);
	assert_int_equal(inside.common->taken, 0);
	assert_true(inside.common->exits > 0);
	/* What the firmware keeps is neither's. */
	assert_in_range((inside.common->ram_frames + inside.common->hypervisor_frames) * FRAME,
			ram - 1 * MIB, ram);
	harness_command_says(inside.vm, "audit", "Ledger: ok (");
	inside_stop(&inside);
}

static void check_boot(const char *machine, const char *mem)
{
	check_boot_as("plain", machine, mem, 1 * MIB);
}

static void guest_boots_on_pc(void **state)
{
	(void)state;
	check_boot("pc", "256M");
}

static void guest_boots_on_q35(void **state)
{
	(void)state;
	check_boot("q35", "256M");
}

static void guest_boots_on_microvm(void **state)
{
	(void)state;
	check_boot("microvm", "256M");
}

static void guest_boots_on_the_smallest_machine(void **state)
{
	static const char *const machines[] = { "pc", "q35", "microvm" };

	(void)state;
	for (size_t i = 0; i < sizeof(machines) / sizeof(machines[0]); i++) {
		check_boot_as("plain", machines[i], "16M", MIB / 2);
		check_boot_as("vmware", machines[i], "16M", MIB / 2);
		check_boot_as("hyperv", machines[i], "16M", MIB / 2);
		check_boot_as("xen", machines[i], "17M", 1 * MIB);
	}
}

static void guest_boots_with_memory_above_4_gib(void **state)
{
	(void)state;
	check_boot_as("plain", "q35", "3G", 12 * MIB);
}

static void guest_boots_by_qboot_and_on_the_default_processor(void **state)
{
	struct inside inside = inside_boot((struct guest_options){
		.machine = "q35", .firmware = "qboot", .extra = "-cpu qemu64" });

	(void)state;
	harness_command_says(inside.vm, "audit", "Ledger: ok (");
	inside_stop(&inside);
}

static void balloon_of_virtio_is_exact_inside(void **state)
{
	static const uint64_t targets[] = { 64 * MIB, 64 * MIB + FRAME, 33 * MIB + 12 * KIB, 0 };
	struct inside inside = inside_boot((struct guest_options){ 0 });

	(void)state;
	for (size_t i = 0; i < sizeof(targets) / sizeof(targets[0]); i++) {
		harness_take(inside.vm, targets[i]);
		harness_check_taken(inside.vm, targets[i], false);
	}
	inside_stop(&inside);
}

/* ---- The end, and another beginning ---- */

static void exit_and_power_off_end_qemu(void **state)
{
	struct inside inside = inside_boot((struct guest_options){ 0 });

	(void)state;
	assert_int_equal(vm_send(inside.vm, "exit 5\r", 7), 0);
	harness_wait_status(inside.vm, 5 << 1 | 1);
	inside_close(&inside);
	harness_stop(inside.vm);
	inside = inside_boot((struct guest_options){ .machine = "pc" });
	assert_int_equal(vm_send(inside.vm, "poweroff\r", 9), 0);
	harness_wait_status(inside.vm, 0);
	inside_close(&inside);
	harness_stop(inside.vm);
}

static void seize(struct inside *inside, uint64_t first, uint64_t count, bool give_back)
{
	volatile struct plain_control *plain = plain_of(inside);

	plain->first = first;
	plain->count = count;
	plain->give_back = give_back;
	plain->order++;
	harness_execute(inside->vm, "inject-nmi");
	inside_wait(&plain->done, plain->order, "the number of the order that is done");
}

/* By every way that the guest and QEMU have, one after the other. */
static void guest_has_all_of_its_memory_after_a_reset(void **state)
{
	struct inside inside = inside_boot((struct guest_options){ .machine = "q35" });

	(void)state;
	inside.common->target = 12345;
	for (unsigned i = 0; i < 3; i++) {
		seize(&inside, 128 * MIB / FRAME, 1000, false);
		assert_int_equal(inside.common->taken, 1000);
		if (i == 0)
			assert_int_equal(vm_send(inside.vm, "reboot\r", 7), 0);
		else
			harness_execute(inside.vm, "system_reset");
		harness_wait_prompt(inside.vm, NULL);
		assert_int_equal(inside.common->starts, 2 + i);
		assert_int_equal(inside.common->taken, 0);
		assert_int_equal(inside.common->target, 12345);
		harness_command_says(inside.vm, "hold 100M", "held ");
		harness_command_says(inside.vm, "release all", "pattern intact");
	}
	inside_stop(&inside);
}

/* ---- Frames out of reach ---- */

/* The guest still thinks that they are free; it takes all that it has, and so touches them. */
static void touched_frame_is_seen_with_its_address_and_rip(void **state)
{
	const uint64_t first = 100 * MIB / FRAME, count = 1000;
	struct inside inside = inside_boot((struct guest_options){ 0 });

	(void)state;
	seize(&inside, first, count, false);
	assert_int_equal(plain_of(&inside)->result, HOST_FRAMES_OK);
	assert_int_equal(inside.common->taken, count);
	assert_int_equal(inside.common->split_blocks, 1);
	assert_int_equal(inside.common->touched, 0);
	harness_command_says(inside.vm, "hold 200M", "held ");
	assert_int_equal(inside.common->touched, count);
	assert_in_range(inside.common->touched_address, first * FRAME, (first + count) * FRAME - 1);
	assert_in_range(inside.common->touched_rip, CODE_START, CODE_END);
	assert_int_equal(inside.common->taken, count);
	harness_command_says(inside.vm, "release all", "pattern intact");
	inside.common->touched = 0;
	inside_stop(&inside);
}

static void frames_that_came_back_are_no_longer_seen(void **state)
{
	const uint64_t first = 100 * MIB / FRAME, count = 5000;
	struct inside inside = inside_boot((struct guest_options){ 0 });
	volatile struct plain_control *plain = plain_of(&inside);

	(void)state;
	seize(&inside, first, count, false);
	seize(&inside, first + 1, 1, false);
	assert_int_equal(plain->result, HOST_FRAMES_HAS);
	seize(&inside, first - 1, 2, true);
	assert_int_equal(plain->result, HOST_FRAMES_HAS_NOT);
	seize(&inside, 512 * MIB / FRAME, 1, false);
	assert_int_equal(plain->result, HOST_FRAMES_NO_RAM);
	assert_int_equal(inside.common->taken, count);
	seize(&inside, first, count, true);
	assert_int_equal(plain->result, HOST_FRAMES_OK);
	assert_int_equal(inside.common->taken, 0);
	assert_int_equal(inside.common->split_blocks, 0);
	harness_command_says(inside.vm, "hold 200M", "held ");
	harness_command_says(inside.vm, "release all", "pattern intact");
	inside_stop(&inside);
}

/* It is RAM that no table has; what comes of it is the guest's business, and here nobody's. */
static void spare_memory_is_told_to_nobody(void **state)
{
	const uint64_t spare = 64 * MIB / FRAME;
	struct inside inside = inside_boot(
		(struct guest_options){ .extra = "-fw_cfg name=opt/aerostat/spare-mib,string=64" });
	uint64_t all = harness_ram(inside.vm) / FRAME;

	(void)state;
	assert_int_equal(inside.common->taken, spare);
	assert_in_range(inside.common->ram_frames + inside.common->hypervisor_frames + spare,
			all - MIB / FRAME, all);
	assert_in_range(harness_memory(inside.vm).total, 188 * MIB, 192 * MIB);
	harness_command_says(inside.vm, "hold 180M", "held ");
	harness_command_says(inside.vm, "release all", "pattern intact");
	seize(&inside, 130 * MIB / FRAME, 1, true);
	assert_int_equal(plain_of(&inside)->result, HOST_FRAMES_HAS_NOT);
	seize(&inside, 200 * MIB / FRAME, 1, true);
	assert_int_equal(plain_of(&inside)->result, HOST_FRAMES_OK);
	inside_stop(&inside);
}

/* ---- Rings and interrupts ---- */

/* Those of the silent device, as the guest counts them. */
static uint64_t guests_interrupts(struct vm *vm)
{
	char *text = harness_command(vm, "virtio");
	const char *found = strstr(text, " interrupts\n");
	uint64_t count = 0;

	if (!found)
		fail_msg("virtio says no number of interrupts:\n%s", text);
	while (found > text && found[-1] >= '0' && found[-1] <= '9')
		found--;
	count = strtoull(found, NULL, 10);
	free(text);
	return count;
}

static void guest_does_not_feel_rings(void **state)
{
	struct inside inside = inside_boot((struct guest_options){ 0 });

	(void)state;
	for (unsigned i = 0; i < 20; i++)
		inside_ring(&inside);
	assert_int_equal(inside.common->rings, 20);
	harness_command_says(inside.vm, "audit", "Ledger: ok (");
	inside_stop(&inside);
}

static void each_interrupt_reaches_a_guest_that_sleeps(void **state)
{
	struct inside inside = inside_boot((struct guest_options){ .extra = SILENT_DEVICE });
	uint64_t before = guests_interrupts(inside.vm);

	(void)state;
	plain_of(&inside)->ring_vector = SILENT_VECTOR;
	for (uint64_t i = 1; i <= RINGS; i++) {
		inside_ring(&inside);
		inside_wait(&inside.common->interrupts, i, "the number of interrupts");
	}
	assert_int_equal(guests_interrupts(inside.vm), before + RINGS);
	inside_stop(&inside);
}

/* Those of the serial line and of the balloon come in between, while it has them held off, too. */
static void no_interrupt_is_lost_in_a_flood_of_others(void **state)
{
	struct inside inside = inside_boot((struct guest_options){ .extra = SILENT_DEVICE });
	uint64_t before = guests_interrupts(inside.vm);

	(void)state;
	plain_of(&inside)->ring_vector = SILENT_VECTOR;
	for (uint64_t i = 1; i <= RINGS; i++) {
		harness_set_target(inside.vm, i % 2 ? 100 * MIB : 20 * MIB);
		assert_int_equal(vm_send(inside.vm, "uptime \b", 8), 0);
		inside_ring(&inside);
		inside_wait(&inside.common->interrupts, i, "the number of interrupts");
	}
	assert_int_equal(vm_send(inside.vm, "\x03", 1), 0);
	harness_wait_prompt(inside.vm, NULL);
	harness_take(inside.vm, 64 * MIB);
	harness_check_taken(inside.vm, 64 * MIB, false);
	assert_int_equal(guests_interrupts(inside.vm), before + RINGS);
	inside_stop(&inside);
}

int hypervisor_tests(void)
{
	const struct CMUnitTest tests[] = {
		TEST(guest_boots_on_pc),
		TEST(guest_boots_on_q35),
		TEST(guest_boots_on_microvm),
		TEST(guest_boots_on_the_smallest_machine),
		TEST(guest_boots_with_memory_above_4_gib),
		TEST(guest_boots_by_qboot_and_on_the_default_processor),
		TEST(balloon_of_virtio_is_exact_inside),
		TEST(exit_and_power_off_end_qemu),
		TEST(guest_has_all_of_its_memory_after_a_reset),
		TEST(touched_frame_is_seen_with_its_address_and_rip),
		TEST(frames_that_came_back_are_no_longer_seen),
		TEST(spare_memory_is_told_to_nobody),
		TEST(guest_does_not_feel_rings),
		TEST(each_interrupt_reaches_a_guest_that_sleeps),
		TEST(no_interrupt_is_lost_in_a_flood_of_others),
	};

	return cmocka_run_group_tests_name("hypervisor", tests, NULL, NULL);
}
