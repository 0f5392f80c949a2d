/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The platform's devices: the power button, pvpanic, several root buses,
 * memory in slots, consoles.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/integration/harness.h"

#define PRESSED "The power button was pressed"

/* ---- The power button ---- */

static void press(struct vm *vm)
{
	harness_execute(vm, "system_powerdown");
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

		harness_execute(vm, "system_reset");
		harness_wait_prompt(vm, NULL);
		press(vm);
		wait_for_power_off(vm);
		harness_stop(vm);
	}
}

/* As far as the answers have told. */
static bool is_ending(struct vm *vm)
{
	return qmp_has_seen(vm_qmp(vm), "SHUTDOWN", "");
}

/* A press that comes before the guest listens is lost; the first one that does not counts. */
static void the_power_button_may_be_pressed_during_the_start(void **state)
{
	struct vm *vm = harness_start(&(struct guest_options){ .machine = "pc", .mem = "64M" });
	int status = -1;

	(void)state;
	for (int i = 0; i < VM_TIMEOUT_MS / 100; i++) {
		if (qmp_execute(vm_qmp(vm), "system_powerdown", NULL, NULL) ||
		    vm_has_said(vm, "Ledger: ok (") || is_ending(vm))
			break;
		usleep(100000);
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
	/* The second one may find nobody. */
	qmp_execute(vm_qmp(vm), "system_powerdown", NULL, NULL);
	wait_for_power_off(vm);
	harness_stop(vm);
}

/* No task has its turn any more: the interrupt acts, and does not look at the books. */
static void the_power_button_turns_a_guest_off_that_hangs(void **state)
{
	struct vm *vm = harness_boot(&(struct guest_options){ .mem = "64M" });

	(void)state;
	assert_int_equal(vm_send(vm, "crash spin\r", 11), 0);
	assert_int_equal(vm_expect(vm, "crash: spinning\r\n", VM_TIMEOUT_MS, NULL), 0);
	press(vm);
	/* The first one after a second is the second one for the guest. */
	for (int i = 0; i < VM_TIMEOUT_MS / 100; i++) {
		usleep(100000);
		if (qmp_execute(vm_qmp(vm), "system_powerdown", NULL, NULL) || is_ending(vm))
			break;
	}
	harness_wait_status(vm, 0);
	assert_true(vm_has_said(vm, PRESSED " again"));
	assert_true(vm_has_said(vm, "Ledger: not checked, as no task has its turn any more\r\n"));
	harness_stop(vm);
}

/* ---- pvpanic ---- */

#define EXIT_OF_PANIC ((101 << 1) | 1) /* isa-debug-exit */

static struct vm *boot_to_panic(const char *machine, const char *extra)
{
	struct vm *vm = harness_boot(
		&(struct guest_options){ .machine = machine, .mem = "64M", .extra = extra });

	assert_int_equal(vm_send(vm, "crash panic\r", 12), 0);
	return vm;
}

/* The host is told, and the guest ends as without the device. */
static void check_told(const char *machine, const char *extra)
{
	struct vm *vm = boot_to_panic(machine, extra);

	assert_qmp(vm, qmp_event(vm_qmp(vm), "GUEST_PANICKED", VM_TIMEOUT_MS, NULL));
	/* Several devices may be there; it was one panic. */
	assert_int_equal(vm_expect(vm, "Stopped with status 101", VM_TIMEOUT_MS, NULL), 0);
	harness_wait_status(vm, EXIT_OF_PANIC);
	assert_int_not_equal(qmp_event(vm_qmp(vm), "GUEST_PANICKED", 0, NULL), 0);
	harness_stop(vm);
}

static void a_panic_is_told_by_the_isa_device(void **state)
{
	(void)state;
	check_told("pc", "-device pvpanic -action panic=none");
	check_told("q35", "-device pvpanic -action panic=none");
	check_told("microvm", "-device pvpanic -action panic=none");
}

static void a_panic_is_told_by_the_pci_device(void **state)
{
	(void)state;
	check_told("pc", "-device pvpanic-pci -action panic=none");
	check_told("q35", "-device pvpanic-pci -action panic=none");
}

static void a_panic_is_one_event_with_several_devices(void **state)
{
	(void)state;
	check_told("q35", "-device pvpanic-pci,events=2 -device pvpanic-pci -device pvpanic-pci "
			  "-action panic=none");
}

/* QEMU's default: the machine ends when it was told. */
static void a_panic_that_is_told_ends_the_machine(void **state)
{
	static const char *const devices[] = { "-device pvpanic", "-device pvpanic-pci" };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct vm *vm = boot_to_panic("q35", devices[i]);

		harness_wait_status(vm, 0);
		assert_qmp(vm, qmp_event(vm_qmp(vm), "GUEST_PANICKED", VM_TIMEOUT_MS, NULL));
		assert_true(vm_has_said(vm, "Stopped with status 101"));
		harness_stop(vm);
	}
}

/* Stopped by the event, the guest can say nothing more: all has been said. */
static void the_text_of_a_panic_comes_before_the_event(void **state)
{
	struct vm *vm = boot_to_panic("q35", "-device pvpanic -action panic=pause");

	(void)state;
	assert_qmp(vm, qmp_event(vm_qmp(vm), "STOP", VM_TIMEOUT_MS, NULL));
	assert_int_equal(vm_expect(vm, "PANIC: crash: as you wish", VM_TIMEOUT_MS, NULL), 0);
	assert_int_equal(vm_expect(vm, "Stopped with status 101", VM_TIMEOUT_MS, NULL), 0);
	harness_execute(vm, "cont");
	harness_wait_status(vm, EXIT_OF_PANIC);
	harness_stop(vm);
}

static void a_device_that_was_plugged_in_is_told(void **state)
{
	struct vm *vm = harness_boot(&(struct guest_options){
		.machine = "pc", .mem = "64M", .extra = "-action panic=none" });
	char *text;

	(void)state;
	assert_qmp(vm, qmp_human(vm_qmp(vm), "device_add pvpanic-pci,id=p", &text));
	free(text);
	assert_int_equal(vm_expect(vm, "pvpanic: ", VM_TIMEOUT_MS, NULL), 0);
	assert_int_equal(vm_send(vm, "crash panic\r", 12), 0);
	assert_qmp(vm, qmp_event(vm_qmp(vm), "GUEST_PANICKED", VM_TIMEOUT_MS, NULL));
	harness_wait_status(vm, EXIT_OF_PANIC);
	harness_stop(vm);
}

/* ---- Several root buses ---- */

static unsigned long interrupts(struct vm *vm)
{
	char *text = harness_command(vm, "virtio");
	char *at = strstr(text, "balloon (type 5), pci ");
	unsigned long count = 0;

	if (!at || sscanf(at, "balloon (type 5), pci %*[a-z], %lu interrupts", &count) != 1)
		fail_msg("`virtio` tells no interrupts of the balloon:\n%s", text);
	free(text);
	return count;
}

/* The balloon is behind the expander, works, and its interrupts come. */
static void check_behind(const char *machine, const char *firmware, const char *extra)
{
	struct vm *vm = harness_boot(&(struct guest_options){
		.machine = machine, .firmware = firmware, .balloon = "none", .extra = extra });

	harness_take(vm, 64 * MIB);
	harness_check_taken(vm, 64 * MIB, false);
	harness_take(vm, 0);
	harness_check_taken(vm, 0, false);
	assert_true(interrupts(vm) > 0);
	harness_stop(vm);
}

#define PXB_PCIE \
	"-device pxb-pcie,id=far,bus_nr=128 " \
	"-device pcie-root-port,id=port0,bus=far,chassis=1,slot=1 "
#define PXB "-device pxb,id=far,bus_nr=8 "

static void a_balloon_behind_pxb_pcie_is_found(void **state)
{
	(void)state;
	check_behind("q35", NULL, PXB_PCIE "-device virtio-balloon-pci,bus=port0");
	check_behind("q35", "qboot", PXB_PCIE "-device virtio-balloon-pci,bus=port0");
	check_behind("q35", "uefi", PXB_PCIE "-device virtio-balloon-pci,bus=port0");
}

static void a_balloon_behind_pxb_is_found(void **state)
{
	(void)state;
	check_behind("pc", NULL, PXB "-device virtio-balloon-pci,bus=far");
	check_behind("pc", "qboot", PXB "-device virtio-balloon-pci,bus=far");
}

static void a_balloon_behind_the_second_of_three_expanders_is_found(void **state)
{
	(void)state;
	check_behind("q35", NULL,
		     "-device pxb-pcie,id=a,bus_nr=32 -device pxb-pcie,id=b,bus=pcie.0,bus_nr=128 "
		     "-device pxb-pcie,id=c,bus=pcie.0,bus_nr=192 "
		     "-device pcie-root-port,id=near,bus=pcie.0,chassis=1,slot=1 "
		     "-device pcie-root-port,id=port0,bus=b,chassis=2,slot=2 "
		     "-device virtio-balloon-pci,bus=port0");
}

/* No table names the bus: it is asked. */
static void a_balloon_behind_pxb_is_found_without_acpi(void **state)
{
	(void)state;
	check_behind("pc", NULL, "-machine acpi=off " PXB "-device virtio-balloon-pci,bus=far");
	check_behind("q35", "qboot",
		     "-machine acpi=off " PXB_PCIE "-device virtio-balloon-pci,bus=port0");
}

/* SeaBIOS then makes tables of its own, which name no bus. */
static void a_balloon_behind_pxb_pcie_is_found_with_the_firmwares_tables(void **state)
{
	(void)state;
	check_behind("q35", NULL,
		     "-machine acpi=off " PXB_PCIE "-device virtio-balloon-pci,bus=port0");
}

static void a_balloon_is_plugged_in_behind_pxb_pcie(void **state)
{
	struct vm *vm = harness_boot(
		&(struct guest_options){ .machine = "q35", .balloon = "none", .extra = PXB_PCIE });
	char *text;

	(void)state;
	assert_qmp(vm,
		   qmp_human(vm_qmp(vm), "device_add virtio-balloon-pci,id=b,bus=port0", &text));
	free(text);
	assert_int_equal(vm_expect(vm, "plugged in", VM_TIMEOUT_MS, NULL), 0);
	harness_take(vm, 64 * MIB);
	harness_check_taken(vm, 64 * MIB, false);
	harness_stop(vm);
}

/* ---- Memory in slots ---- */

#define HALF_A_GIB \
	"-object memory-backend-ram,id=m1,size=512M,reserve=off -device pc-dimm,id=d1,memdev=m1"
#define COMES "memory: slot 0 brings 512.0 MiB"

/* The guest has it from the start, and says what it is. */
static void check_slots(const char *machine, const char *firmware)
{
	struct vm *vm = harness_start(
		&(struct guest_options){ .machine = machine,
					 .firmware = firmware,
					 .extra = "-m 256M,slots=4,maxmem=4G " HALF_A_GIB });

	assert_int_equal(vm_expect(vm, COMES, VM_TIMEOUT_MS, NULL), 0);
	assert_int_equal(vm_expect(vm, " and 512.0 MiB plugged in, booted by", VM_TIMEOUT_MS, NULL),
			 0);
	harness_wait_prompt(vm, NULL);
	assert_in_range(harness_memory(vm).ram, 752 * MIB, 768 * MIB);
	harness_command_says(vm, "dmesg", COMES);
	harness_command_says(vm, "show_mem", "MemRemovable:       524288 kB");
	harness_command_says(vm, "show_mem -j", "\"unused_bytes\":0,\"removable\":536870912,");
	harness_command_says(vm, "lsmem -j", "{\"kind\":\"dimm\",\"name\":\"slot 0\",");
	harness_command_says(vm, "audit", "Ledger: ok (");
	harness_stop(vm);
}

static void memory_in_slots_at_the_start_is_used(void **state)
{
	(void)state;
	check_slots("pc", NULL);
	check_slots("q35", NULL);
	check_slots("q35", "qboot");
}

static void no_slots_are_no_word(void **state)
{
	struct vm *vm = harness_boot(
		&(struct guest_options){ .extra = "-m 256M,slots=4,maxmem=4G" });
	char *text = harness_command(vm, "dmesg");

	(void)state;
	assert_null(strstr(text, "slot"));
	free(text);
	text = harness_command(vm, "show_mem");
	assert_null(strstr(text, "MemUnused"));
	assert_null(strstr(text, "MemRemovable"));
	free(text);
	harness_command_says(vm, "show_mem -j", "\"unused_bytes\":0,\"balloon\":");
	harness_command_says(vm, "lsmem -j", "\"sources\":[]}");
	harness_stop(vm);
}

/* Told by the event, used, and let go at once: twice, so that the event comes again. */
static void check_coming_and_going(const char *machine)
{
	struct vm *vm = harness_boot(&(struct guest_options){
		.machine = machine, .extra = "-m 256M,slots=4,maxmem=4G" });

	for (unsigned i = 0; i < 2; i++) {
		harness_monitor(vm, "object_add memory-backend-ram,id=m1,size=512M,reserve=off");
		/* QEMU 7.2's TCG can die of a change of the addresses of a processor that runs. */
		harness_execute(vm, "stop");
		harness_monitor(vm, "device_add pc-dimm,id=d1,memdev=m1");
		harness_execute(vm, "cont");
		assert_int_equal(vm_expect(vm, COMES, VM_TIMEOUT_MS, NULL), 0);
		harness_monitor(vm, "device_del d1");
		assert_qmp(vm, qmp_event(vm_qmp(vm), "DEVICE_DELETED", VM_TIMEOUT_MS, NULL));
		assert_int_equal(vm_expect(vm, "memory: slot 0: 512.0 MiB have left", VM_TIMEOUT_MS,
					   NULL),
				 0);
		harness_monitor(vm, "object_del m1");
	}
	harness_command_says(vm, "audit", "Ledger: ok (");
	/* The button, which shares the interrupt, still works. */
	press(vm);
	wait_for_power_off(vm);
	harness_stop(vm);
}

static void memory_that_comes_is_used_and_may_go(void **state)
{
	(void)state;
	check_coming_and_going("pc");
	check_coming_and_going("q35");
}

/* ---- Consoles ---- */

/* The machine's only UART moves, by QEMU's defaults for it. */
static void check_console_at(const char *extra)
{
	struct vm *vm = harness_boot(&(struct guest_options){ .mem = "64M", .extra = extra });

	harness_command_says(vm, "audit", "Ledger: ok (");
	/* More than its FIFO takes, both ways. */
	harness_command_says(vm, "help", "uptime");
	harness_stop(vm);
}

static void a_console_on_another_serial_line_than_the_first_works(void **state)
{
	(void)state;
	check_console_at("-global isa-serial.iobase=0x2f8 -global isa-serial.irq=3");
	check_console_at("-global isa-serial.iobase=0x3e8 -global isa-serial.irq=4");
}

/*
 * The UART lies where no driver looks: what is left is port 0xe9, for output. `wanted` is
 * what it must have shown before the guest ends with `status`.
 */
static void check_port_0xe9(const char *append, const char *more, int status,
			    const char *const *wanted)
{
	char path[] = "build/log/debugconXXXXXX";
	char extra[200], text[8192];
	struct vm *vm;
	size_t length;
	FILE *file;
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	snprintf(extra, sizeof(extra), "-global isa-serial.iobase=0x1230 -debugcon file:%s %s",
		 path, more);
	vm = harness_start(
		&(struct guest_options){ .mem = "64M", .append = append, .extra = extra });
	qmp_execute(vm_qmp(vm), "cont", NULL, NULL);
	harness_wait_status(vm, status);
	harness_stop(vm);
	file = fdopen(fd, "r");
	assert_non_null(file);
	length = fread(text, 1, sizeof(text) - 1, file);
	text[length] = '\0';
	fclose(file);
	unlink(path);
	for (; *wanted; wanted++)
		if (!strstr(text, *wanted))
			fail_msg("port 0xe9 shows no \"%s\":\n%s", *wanted, text);
}

static void without_a_serial_line_text_goes_to_port_0xe9(void **state)
{
	static const char *const wanted[] = { "console: on port 0xe9, which takes no input",
					      "on        port 0xe9, which takes no input\r\n"
					      "Ledger: ok (",
					      NULL };

	(void)state;
	check_port_0xe9("run=\"console; audit; exit 3\"", "-S", (3 << 1) | 1, wanted);
}

/* It is said where the console would be. */
static void a_processor_that_lacks_something_is_told_wherever_the_console_is(void **state)
{
	static const char *const wanted[] = { "aerostat: this processor lacks no-execute",
					      "\r\n# exit 1\r\n", NULL };
	static const char *const serial[] = { "2f8", "3e8", "2e8" };

	(void)state;
	check_port_0xe9(NULL, "-S -no-reboot -cpu max,-nx", (1 << 1) | 1, wanted);
	for (size_t i = 0; i < 3; i++) {
		char extra[100];
		struct vm *vm;

		snprintf(extra, sizeof(extra),
			 "-S -no-reboot -cpu max,-nx -global isa-serial.iobase=0x%s", serial[i]);
		vm = harness_start(&(struct guest_options){ .mem = "64M", .extra = extra });
		qmp_execute(vm_qmp(vm), "cont", NULL, NULL);
		assert_int_equal(vm_expect(vm, wanted[0], VM_TIMEOUT_MS, NULL), 0);
		assert_int_equal(vm_expect(vm, wanted[1], VM_TIMEOUT_MS, NULL), 0);
		harness_wait_status(vm, (1 << 1) | 1);
		harness_stop(vm);
	}
}

static void notifying_by_ports_as_well_is_no_warning(void **state)
{
	struct vm *vm = harness_boot(&(struct guest_options){ .balloon = "modern-pio-notify=on" });
	char *text = harness_command(vm, "dmesg");

	(void)state;
	assert_null(strstr(text, "cannot be used"));
	free(text);
	harness_take(vm, 32 * MIB);
	harness_check_taken(vm, 32 * MIB, false);
	harness_stop(vm);
}

/* QEMU drops machine types when they are six years old. */
static bool qemu_knows(const char *machine)
{
	FILE *help = popen("${QEMU:-qemu-system-x86_64} -machine help", "r");
	size_t length = strlen(machine);
	char line[256];
	bool found = false;

	assert_non_null(help);
	while (fgets(line, sizeof(line), help))
		found = found || (strncmp(line, machine, length) == 0 && line[length] == ' ');
	assert_int_equal(pclose(help), 0);
	return found;
}

static void check_old_machine(const char *machine, const char *firmware, const char *cpu)
{
	char extra[64];
	struct vm *vm;

	snprintf(extra, sizeof(extra), "-machine %s -cpu %s", machine, cpu);
	vm = harness_boot(
		&(struct guest_options){ .machine = "pc", .firmware = firmware, .extra = extra });
	harness_take(vm, 32 * MIB);
	harness_check_taken(vm, 32 * MIB, false);
	press(vm);
	wait_for_power_off(vm);
	harness_stop(vm);
}

/* The oldest machines that take a kernel by PVH. */
static void old_machines_boot(void **state)
{
	static const char *const machines[] = { "pc-i440fx-4.0", "pc-q35-4.0" };

	(void)state;
	if (!qemu_knows(machines[0]) || !qemu_knows(machines[1]))
		skip();
	for (size_t i = 0; i < 2; i++)
		check_old_machine(machines[i], NULL, "max");
}

/* On these `-cpu max` tells of no long mode. */
static void still_older_machines_boot_by_uefi(void **state)
{
	static const char *const machines[] = { "pc-i440fx-2.1", "pc-q35-2.5" };

	(void)state;
	if (!qemu_knows(machines[0]) || !qemu_knows(machines[1]))
		skip();
	for (size_t i = 0; i < 2; i++)
		check_old_machine(machines[i], "uefi", "qemu64");
}

/* Its own processor has no long mode; there is no PCI, and so no balloon. */
static void a_machine_without_pci_boots_with_a_new_processor(void **state)
{
	struct vm *vm = harness_boot(
		&(struct guest_options){ .machine = "pc",
					 .balloon = "none",
					 .mem = "64M",
					 .extra = "-M isapc -m 64M,slots=0,maxmem=64M" });

	(void)state;
	harness_command_says(vm, "dmesg", "pci: none");
	harness_command_says(vm, "balloon", "no usable balloon device");
	harness_command_says(vm, "audit", "Ledger: ok (");
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
		TEST(the_power_button_turns_a_guest_off_that_hangs),
		TEST(a_panic_is_told_by_the_isa_device),
		TEST(a_panic_is_told_by_the_pci_device),
		TEST(a_panic_is_one_event_with_several_devices),
		TEST(a_panic_that_is_told_ends_the_machine),
		TEST(the_text_of_a_panic_comes_before_the_event),
		TEST(a_device_that_was_plugged_in_is_told),
		TEST(a_balloon_behind_pxb_pcie_is_found),
		TEST(a_balloon_behind_pxb_is_found),
		TEST(a_balloon_behind_the_second_of_three_expanders_is_found),
		TEST(a_balloon_behind_pxb_is_found_without_acpi),
		TEST(a_balloon_behind_pxb_pcie_is_found_with_the_firmwares_tables),
		TEST(a_balloon_is_plugged_in_behind_pxb_pcie),
		TEST(memory_in_slots_at_the_start_is_used),
		TEST(no_slots_are_no_word),
		TEST(memory_that_comes_is_used_and_may_go),
		TEST(a_console_on_another_serial_line_than_the_first_works),
		TEST(without_a_serial_line_text_goes_to_port_0xe9),
		TEST(a_processor_that_lacks_something_is_told_wherever_the_console_is),
		TEST(notifying_by_ports_as_well_is_no_warning),
		TEST(old_machines_boot),
		TEST(still_older_machines_boot_by_uefi),
		TEST(a_machine_without_pci_boots_with_a_new_processor),
	};

	return cmocka_run_group_tests_name("platform", tests, NULL, NULL);
}
