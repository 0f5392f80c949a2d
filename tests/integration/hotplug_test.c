/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The balloon comes and goes while the guest runs: on pc by ACPI's ports, on
 * q35 behind a root port by ACPI's ports and by PCI Express's own means; at
 * rest, in mid-inflate, and pulled out without a word. Whatever happens, no
 * frame is lost and nobody's memory changes. SLOW=1 does each 20 times.
 *
 * And how devices interrupt: by INTx, by MSI-X of one vector or two.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <json-c/json.h>

#include "tests/integration/harness.h"

#define HELD "24M"

#define ROOT_PORT "-device pcie-root-port,id=port0,chassis=1,slot=1,addr=4"
#define NATIVE "-global ICH9-LPC.acpi-pci-hotplug-with-bridge-support=off "

struct place {
	const char *machine;
	const char *extra;
	const char *bus; /* NULL: the root bus */
};

static const struct place on_pc = { "pc", NULL, NULL };
static const struct place on_q35_by_acpi = { "q35", ROOT_PORT, "port0" };
static const struct place on_q35_natively = { "q35", NATIVE ROOT_PORT, "port0" };

static unsigned int rounds(void)
{
	return getenv("SLOW") ? 20 : 3;
}

/* The guest's own word; it must not come into the echo of what is typed next. */
static void wait_word(struct vm *vm, const char *word)
{
	assert_int_equal(vm_expect(vm, word, VM_TIMEOUT_MS, NULL), 0);
}

static void device_add(struct vm *vm, const struct place *place)
{
	struct json_object *args = json_object_new_object();

	json_object_object_add(args, "driver", json_object_new_string("virtio-balloon-pci"));
	json_object_object_add(args, "id", json_object_new_string("hot"));
	if (place->bus)
		json_object_object_add(args, "bus", json_object_new_string(place->bus));
	assert_qmp(vm, qmp_execute(vm_qmp(vm), "device_add", args, NULL));
}

static void plug(struct vm *vm, const struct place *place)
{
	device_add(vm, place);
	wait_word(vm, ": plugged in\r\n");
	harness_wait_says(vm, "virtio", "DRIVER_OK", true);
	harness_command_says(vm, "lspci", "memory balloon");
}

static void device_del(struct vm *vm)
{
	struct json_object *args = json_object_new_object();

	json_object_object_add(args, "id", json_object_new_string("hot"));
	qmp_forget_events(vm_qmp(vm));
	assert_qmp(vm, qmp_execute(vm_qmp(vm), "device_del", args, NULL));
}

/* The device's parts end with events of their own, without its id. */
static void wait_deleted(struct vm *vm)
{
	bool deleted = false;

	while (!deleted) {
		struct json_object *event, *data, *id;

		assert_qmp(vm, qmp_event(vm_qmp(vm), "DEVICE_DELETED", VM_TIMEOUT_MS, &event));
		deleted = json_object_object_get_ex(event, "data", &data) &&
			  json_object_object_get_ex(data, "device", &id) &&
			  !strcmp(json_object_get_string(id), "hot");
		json_object_put(event);
	}
}

static void unplug(struct vm *vm)
{
	device_del(vm);
	wait_word(vm, ": unplugged\r\n");
	wait_deleted(vm);
}

/* As if there had never been a balloon. */
static void check_nothing_left(struct vm *vm, uint64_t free_before)
{
	struct memory mem;

	harness_wait_says(vm, "lspci", "memory balloon", false);
	harness_command_says(vm, "virtio", "no virtio devices");
	mem = harness_memory(vm);
	assert_false(mem.has_balloon);
	assert_int_equal(mem.owned_by_balloon, 0);
	assert_true(mem.ledger_ok);
	assert_int_equal(mem.free, free_before);
	harness_command_says(vm, "audit", "Ledger: ok (");
}

/* Once in and out at first: the page tables of the device's window stay. */
static struct vm *boot(const struct place *place, const char *mem)
{
	struct vm *vm = harness_boot(&(struct guest_options){
		.machine = place->machine, .mem = mem, .extra = place->extra, .balloon = "none" });

	harness_command_says(vm, "hold " HELD, "held ");
	plug(vm, place);
	unplug(vm);
	return vm;
}

static void finish(struct vm *vm)
{
	harness_command_says(vm, "release all", "pattern intact");
	harness_stop(vm);
}

static void check_at_rest(const struct place *place)
{
	struct vm *vm = boot(place, "256M");
	uint64_t free_before = harness_memory(vm).free;

	for (unsigned int i = 0; i < rounds(); i++) {
		plug(vm, place);
		harness_take(vm, 64 * MIB + i * FRAME);
		harness_check_taken(vm, 64 * MIB + i * FRAME, false);
		unplug(vm);
		check_nothing_left(vm, free_before);
	}
	finish(vm);
}

/* Each round a little later; the first ones before much has moved. */
static void check_in_mid_inflate(const struct place *place)
{
	struct vm *vm = boot(place, "3G");
	uint64_t free_before = harness_memory(vm).free;
	unsigned int caught = 0;

	for (unsigned int i = 0; i < rounds(); i++) {
		int64_t left;

		plug(vm, place);
		harness_set_target(vm, 2560 * MIB);
		usleep(20000 * (i % 10));
		assert_qmp(vm, qmp_query_balloon(vm_qmp(vm), &left));
		caught += left != (int64_t)(harness_ram(vm) - 2560 * MIB);
		unplug(vm);
		check_nothing_left(vm, free_before);
	}
	assert_true(caught > 0);
	finish(vm);
}

static void comes_and_goes_on_pc(void **state)
{
	(void)state;
	check_at_rest(&on_pc);
}

static void comes_and_goes_on_q35_by_acpi(void **state)
{
	(void)state;
	check_at_rest(&on_q35_by_acpi);
}

static void comes_and_goes_on_q35_natively(void **state)
{
	(void)state;
	check_at_rest(&on_q35_natively);
}

static void goes_in_mid_inflate_on_pc(void **state)
{
	(void)state;
	check_in_mid_inflate(&on_pc);
}

static void goes_in_mid_inflate_on_q35_by_acpi(void **state)
{
	(void)state;
	check_in_mid_inflate(&on_q35_by_acpi);
}

static void goes_in_mid_inflate_on_q35_natively(void **state)
{
	(void)state;
	check_in_mid_inflate(&on_q35_natively);
}

/*
 * Behind the guest's back: power and light of the slot off, in the slot control
 * of 00:04.0, whose PCI Express capability QEMU has at 0x54. The guest itself
 * reaches config space by ECAM there. It stands still meanwhile, wherever it was: under
 * TCG QEMU 7.2 can die of a processor that reads a register while another thread takes
 * the device out of its address space.
 */
static void pull_out(struct vm *vm)
{
	qmp_forget_events(vm_qmp(vm));
	harness_execute(vm, "stop");
	harness_monitor(vm, "o/w 0xcf8 0x8000206c");
	harness_monitor(vm, "o/h 0xcfc 0x07c0");
	harness_execute(vm, "cont");
	wait_deleted(vm);
	wait_word(vm, ": gone\r\n");
}

static void survives_being_pulled_out(void **state)
{
	const struct place *place = &on_q35_natively;
	struct vm *vm = boot(place, "3G");
	uint64_t free_before = harness_memory(vm).free;

	(void)state;
	for (unsigned int i = 0; i < rounds(); i++) {
		plug(vm, place);
		if (i % 2)
			harness_take(vm, 640 * MIB);
		else
			harness_set_target(vm, 2560 * MIB);
		usleep(10000 * i);
		pull_out(vm);
		check_nothing_left(vm, free_before);
	}
	finish(vm);
}

static void goes_though_it_was_there_at_boot(void **state)
{
	static const struct guest_options guests[] = {
		{ .machine = "pc",
		  .balloon = "none",
		  .extra = "-device virtio-balloon-pci,id=hot" },
		{ .machine = "q35",
		  .balloon = "none",
		  .extra = ROOT_PORT " -device virtio-balloon-pci,id=hot,bus=port0" },
		{ .machine = "q35",
		  .balloon = "none",
		  .extra = NATIVE ROOT_PORT " -device virtio-balloon-pci,id=hot,bus=port0" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(guests) / sizeof(guests[0]); i++) {
		struct vm *vm = harness_boot(&guests[i]);

		harness_take(vm, 100 * MIB);
		unplug(vm);
		harness_wait_says(vm, "lspci", "memory balloon", false);
		assert_int_equal(harness_memory(vm).owned_by_balloon, 0);
		harness_command_says(vm, "audit", "Ledger: ok (");
		harness_stop(vm);
	}
}

/* qboot leaves bridges without windows and BARs without addresses. */
static void comes_though_the_firmware_prepared_nothing(void **state)
{
	const struct place *place = &on_q35_natively;
	struct vm *vm = harness_boot(&(struct guest_options){ .machine = place->machine,
							      .extra = place->extra,
							      .firmware = "qboot",
							      .balloon = "none" });

	(void)state;
	plug(vm, place);
	harness_take(vm, 50 * MIB);
	harness_check_taken(vm, 50 * MIB, false);
	unplug(vm);
	harness_stop(vm);
}

/* ---- Interrupts ---- */

static void check_interrupts(const char *machine, const char *device, const char *append,
			     const char *text)
{
	char extra[128];
	struct vm *vm;

	snprintf(extra, sizeof(extra), "-device %s", device);
	vm = harness_boot(&(struct guest_options){
		.machine = machine, .balloon = "none", .extra = extra, .append = append });
	harness_command_says(vm, "virtio", text);
	harness_stop(vm);
}

static void msix_is_used_where_the_device_has_it(void **state)
{
	(void)state;
	check_interrupts("pc", "virtio-rng-pci,vectors=2", NULL,
			 "MSI-X, vectors 64 (config), 65 (queues)");
	check_interrupts("q35", "virtio-rng-pci,vectors=1", NULL, "MSI-X, vector 64");
	check_interrupts("q35", "virtio-rng-pci,vectors=0", NULL, "INTx");
	check_interrupts("pc", "virtio-rng-pci,disable-modern=on,vectors=2", NULL,
			 "MSI-X, vectors 64 (config), 65 (queues)");
	check_interrupts("q35", "virtio-rng-pci,vectors=2", "virtio.msix=off", "INTx");
}

int hotplug_tests(void)
{
	const struct CMUnitTest tests[] = {
		TEST(comes_and_goes_on_pc),
		TEST(comes_and_goes_on_q35_by_acpi),
		TEST(comes_and_goes_on_q35_natively),
		TEST(goes_in_mid_inflate_on_pc),
		TEST(goes_in_mid_inflate_on_q35_by_acpi),
		TEST(goes_in_mid_inflate_on_q35_natively),
		TEST(survives_being_pulled_out),
		TEST(goes_though_it_was_there_at_boot),
		TEST(comes_though_the_firmware_prepared_nothing),
		TEST(msix_is_used_where_the_device_has_it),
	};

	return cmocka_run_group_tests_name("hotplug", tests, NULL, NULL);
}
