/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Memory in slots: DIMMs that are there at boot, plugged in, asked back and ejected, on pc
 * and q35. What is in use is refused to the host, by ACPI's _OST, and stays in use. SLOW=1
 * goes through cycles 20 times.
 */
#include "tests/integration/growth_harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <json-c/json.h>

/* Less at boot than what is held: some of it lies in a DIMM, always. */
#define MEM "64M"
#define SLOTS "-m " MEM ",slots=4,maxmem=8G "
#define HELD "100M"
#define DIMM \
	"-object memory-backend-ram,id=m0,size=512M,reserve=off -device pc-dimm,id=d0,memdev=m0"

/* ACPI 6.5, 6.3.5: what _OST tells of, and that it went well. */
#define SOURCE_INSERTION 1
#define SOURCE_EJECTION 3
#define STATUS_DONE 0

static const char *const machines[] = { "pc", "q35" };

static struct vm *boot(const char *machine, const char *extra)
{
	return harness_boot(
		&(struct guest_options){ .machine = machine, .mem = MEM, .extra = extra });
}

/* ---- What the host does ---- */

/* The guest's own word, and the rest of its line: it must not come into what is typed next. */
static void wait_line(struct vm *vm, const char *words)
{
	assert_int_equal(vm_expect(vm, words, VM_TIMEOUT_MS, NULL), 0);
	assert_int_equal(vm_expect(vm, "\r\n", VM_TIMEOUT_MS, NULL), 0);
}

/*
 * The guest stands still while it gets more memory: under TCG QEMU 7.2 can die of a
 * processor that reads a register while another thread changes its address space.
 */
static void plug(struct vm *vm, unsigned number, uint64_t bytes)
{
	char line[96];

	snprintf(line, sizeof(line), "object_add memory-backend-ram,id=m%u,size=%ju,reserve=off",
		 number, (uintmax_t)bytes);
	harness_monitor(vm, line);
	snprintf(line, sizeof(line), "device_add pc-dimm,id=d%u,memdev=m%u", number, number);
	harness_execute(vm, "stop");
	harness_monitor(vm, line);
	harness_execute(vm, "cont");
	wait_line(vm, " brings ");
}

static void ask_back(struct vm *vm, unsigned number)
{
	char line[32];

	qmp_forget_events(vm_qmp(vm));
	snprintf(line, sizeof(line), "device_del d%u", number);
	harness_monitor(vm, line);
}

/* The host has its memory again once the backend is gone, too. */
static void wait_ejected(struct vm *vm, unsigned number)
{
	struct json_object *event, *device;
	char text[32];

	assert_qmp(vm, qmp_event(vm_qmp(vm), "DEVICE_DELETED", VM_TIMEOUT_MS, &event));
	snprintf(text, sizeof(text), "d%u", number);
	assert_int_equal(json_pointer_get(event, "/data/device", &device), 0);
	assert_string_equal(json_object_get_string(device), text);
	json_object_put(event);
	wait_line(vm, " have left");
	snprintf(text, sizeof(text), "object_del m%u", number);
	harness_monitor(vm, text);
}

static void eject(struct vm *vm, unsigned number)
{
	ask_back(vm, number);
	wait_ejected(vm, number);
}

/* What the guest has told by _OST: of what, for which slot, and how it went. */
struct ost {
	uint64_t source, status;
	char slot[8];
};

static struct ost wait_ost(struct vm *vm)
{
	struct json_object *event, *info, *slot;
	struct ost ost;

	assert_qmp(vm, qmp_event(vm_qmp(vm), "ACPI_DEVICE_OST", VM_TIMEOUT_MS, &event));
	assert_int_equal(json_pointer_get(event, "/data/info", &info), 0);
	assert_true(json_object_object_get_ex(info, "slot", &slot));
	ost.source = harness_number(info, "source");
	ost.status = harness_number(info, "status");
	snprintf(ost.slot, sizeof(ost.slot), "%s", json_object_get_string(slot));
	json_object_put(event);
	return ost;
}

/* ---- At boot ---- */

static void check_at_boot(const char *machine, const char *firmware)
{
	struct vm *vm = harness_boot(&(struct guest_options){
		.machine = machine, .firmware = firmware, .mem = MEM, .extra = SLOTS });
	struct memory base = harness_memory(vm);

	harness_stop(vm);
	vm = harness_boot(&(struct guest_options){
		.machine = machine, .firmware = firmware, .mem = MEM, .extra = SLOTS DIMM });
	growth_check(vm, &base, 512 * MIB);
	harness_take(vm, 400 * MIB);
	growth_check(vm, &base, 512 * MIB);
	harness_take(vm, 0);
	harness_command_says(vm, "hold " HELD, "held ");
	growth_release(vm);
	eject(vm, 0);
	growth_check(vm, &base, 0);
	harness_stop(vm);
}

static void a_dimm_is_used_that_is_there_at_boot(void **state)
{
	(void)state;
	for (size_t i = 0; i < 2; i++)
		check_at_boot(machines[i], NULL);
}

/* Its tables are QEMU's, too, but they are loaded by another firmware. */
static void a_dimm_is_used_that_qboot_leaves_alone(void **state)
{
	(void)state;
	check_at_boot("q35", "qboot");
}

static void empty_slots_are_no_memory(void **state)
{
	struct vm *vm = boot("q35", SLOTS);
	struct growth_source source;
	struct memory mem = harness_memory(vm);

	(void)state;
	assert_false(growth_source(vm, 0, &source));
	growth_check(vm, &mem, 0);
	harness_stop(vm);
}

/* ---- In and out ---- */

/* The guest's next hold has this number. */
static void use_and_release(struct vm *vm, unsigned hold)
{
	char line[24];

	harness_command_says(vm, "hold " HELD, "held ");
	snprintf(line, sizeof(line), "release %u", hold);
	harness_command_says(vm, line, "pattern intact");
}

static void check_cycles(const char *machine)
{
	struct vm *vm = boot(machine, SLOTS);
	struct memory base = harness_memory(vm);

	harness_command_says(vm, "hold 24M", "held ");
	for (unsigned i = 0; i < growth_rounds(3, 20); i++) {
		uint64_t first = 128 * MIB + growth_random(GIB);
		uint64_t second = 128 * MIB + growth_random(GIB);

		plug(vm, 1, first);
		growth_check(vm, &base, first);
		plug(vm, 2, second);
		growth_check(vm, &base, first + second);
		use_and_release(vm, i + 2);
		harness_take(vm, 32 * MIB + i * FRAME);
		eject(vm, 1);
		growth_check(vm, &base, second);
		eject(vm, 2);
		growth_check(vm, &base, 0);
		harness_take(vm, 0);
	}
	growth_release(vm);
	harness_stop(vm);
}

static void dimms_come_and_go_on_pc(void **state)
{
	(void)state;
	check_cycles("pc");
}

static void dimms_come_and_go_on_q35(void **state)
{
	(void)state;
	check_cycles("q35");
}

static void check_refusal(const char *machine)
{
	struct vm *vm = boot(machine, SLOTS);
	struct memory base = harness_memory(vm);
	struct ost ost;

	plug(vm, 3, 256 * MIB);
	growth_check(vm, &base, 256 * MIB);
	harness_command_says(vm, "hold " HELD, "held ");
	ask_back(vm, 3);
	ost = wait_ost(vm);
	assert_int_equal(ost.source, SOURCE_EJECTION);
	assert_int_not_equal(ost.status, STATUS_DONE);
	assert_string_equal(ost.slot, "0");
	wait_line(vm, " cannot leave");
	/* It is in use as before, and the guest says who has it. */
	growth_check(vm, &base, 256 * MIB);
	harness_command_says(vm, "dmesg", "held");
	assert_false(qmp_has_seen(vm_qmp(vm), "DEVICE_DELETED", ""));
	growth_release(vm);
	eject(vm, 3);
	growth_check(vm, &base, 0);
	harness_stop(vm);
}

static void what_is_in_use_is_refused_to_the_host(void **state)
{
	(void)state;
	for (size_t i = 0; i < 2; i++)
		check_refusal(machines[i]);
}

/* The balloon is what is in the way: other frames take the place of those. */
static void a_dimm_leaves_that_the_balloon_has_frames_of(void **state)
{
	struct vm *vm = boot("q35", SLOTS);
	struct memory base = harness_memory(vm), mem;
	struct growth_source dimm;

	(void)state;
	growth_hold(vm, base.floor + 4 * MIB);
	plug(vm, 1, 512 * MIB);
	growth_check(vm, &base, 512 * MIB);
	harness_take(vm, 40 * MIB);
	growth_release(vm);
	assert_true(growth_source(vm, 0, &dimm));
	assert_int_equal(dimm.removable, 0);
	eject(vm, 1);
	growth_check(vm, &base, 0);
	/* QEMU's target is of what is taken: with the DIMM gone, so much less is left. */
	mem = harness_memory(vm);
	assert_int_equal(mem.target, 40 * MIB);
	assert_int_equal(mem.owned_by_balloon, 40 * MIB);
	harness_stop(vm);
}

static void a_dimm_comes_though_no_frame_is_free(void **state)
{
	struct vm *vm = harness_boot(
		&(struct guest_options){ .mem = MEM, .extra = SLOTS, .balloon = "none" });
	struct memory base = harness_memory(vm);

	(void)state;
	for (unsigned i = 0; i < growth_rounds(2, 20); i++) {
		growth_hold_all(vm);
		plug(vm, 1, 512 * MIB);
		growth_check(vm, &base, 512 * MIB);
		growth_release(vm);
		eject(vm, 1);
		growth_check(vm, &base, 0);
	}
	harness_stop(vm);
}

/* Both kinds lie in the same range of addresses. */
static void dimms_and_virtio_mem_are_there_together(void **state)
{
	struct vm *vm = harness_boot(&(struct guest_options){ .grow = "1G" });
	struct memory base = harness_memory(vm);

	(void)state;
	for (unsigned i = 0; i < growth_rounds(1, 20); i++) {
		growth_reach(vm, "mem0", 512 * MIB);
		plug(vm, 1, 256 * MIB);
		growth_check(vm, &base, 768 * MIB);
		growth_reach(vm, "mem0", GIB);
		growth_check(vm, &base, GIB + 256 * MIB);
		eject(vm, 1);
		growth_check(vm, &base, GIB);
		growth_reach(vm, "mem0", 0);
		growth_check(vm, &base, 0);
	}
	harness_stop(vm);
}

/* The slot is taken at once again after the reset, as what is in it is there at boot then. */
static void a_dimm_stays_over_a_reset(void **state)
{
	struct vm *vm = boot("q35", SLOTS);
	struct memory base = harness_memory(vm);

	(void)state;
	plug(vm, 1, 512 * MIB);
	growth_check(vm, &base, 512 * MIB);
	for (unsigned i = 0; i < growth_rounds(1, 20); i++) {
		harness_command_says(vm, "hold " HELD, "held ");
		harness_execute(vm, "system_reset");
		harness_wait_prompt(vm, NULL);
		growth_check(vm, &base, 512 * MIB);
	}
	eject(vm, 1);
	growth_check(vm, &base, 0);
	harness_stop(vm);
}

int dimm_tests(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_dimm_is_used_that_is_there_at_boot),
		TEST(a_dimm_is_used_that_qboot_leaves_alone),
		TEST(empty_slots_are_no_memory),
		TEST(dimms_come_and_go_on_pc),
		TEST(dimms_come_and_go_on_q35),
		TEST(what_is_in_use_is_refused_to_the_host),
		TEST(a_dimm_leaves_that_the_balloon_has_frames_of),
		TEST(a_dimm_comes_though_no_frame_is_free),
		TEST(dimms_and_virtio_mem_are_there_together),
		TEST(a_dimm_stays_over_a_reset),
	};

	return cmocka_run_group_tests_name("dimm", tests, NULL, NULL);
}
