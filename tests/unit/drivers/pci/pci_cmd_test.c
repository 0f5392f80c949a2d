/* SPDX-License-Identifier: BSD-2-Clause */
/* lspci on a simulated bus: whole screens, as a person sees them. */
#include <errno.h>
#include <string.h>

#include "drivers/pci/pci_names.h"
#include "tests/sim/sim_command.h"
#include "tests/unit/drivers/pci/pci_fixture.h"

static struct sim_pci_function *add_balloon(struct sim_pci_function *parent)
{
	struct sim_pci_function *f = sim_pci_add(parent, 4, 0, 0x1af4, 0x1002, 0x00ff00);

	sim_pci_put(f, 0x2c, 4, 0x00051af4);
	sim_pci_put(f, 0x3c, 2, 0x010b);
	sim_pci_set_bar(f, 0, SIM_PCI_IO, 64, 0xc040);
	sim_pci_set_bar(f, 1, SIM_PCI_MEMORY32, 4096, 0xfebf1000);
	sim_pci_set_bar(f, 4, SIM_PCI_MEMORY64 | SIM_PCI_PREFETCHABLE, 16384,
			UINT64_C(0x800004000));
	f->config[0x34] = 0x98;
	sim_pci_set_capability(f, 0x98, 0x11, 0x84);
	sim_pci_put(f, 0x9a, 2, 0x8001);
	sim_pci_set_capability(f, 0x84, 0x09, 0x70);
	f->config[0x87] = 1;
	sim_pci_set_capability(f, 0x70, 0x09, 0x60);
	f->config[0x73] = 7;
	sim_pci_set_capability(f, 0x60, 0x01, 0x50);
	sim_pci_set_capability(f, 0x50, 0x05, 0x40);
	sim_pci_put(f, 0x52, 2, 0x00a4);
	sim_pci_set_capability(f, 0x40, 0x77, 0);
	return f;
}

static void every_function_has_one_line(void **state)
{
	struct sim_pci_function *f;

	(void)state;
	f = sim_pci_add(NULL, 0, 0, 0x8086, 0x1237, 0x060000);
	f->config[0x08] = 2;
	sim_pci_add(NULL, 1, 0, 0x8086, 0xabcd, 0x060100);
	sim_pci_add(NULL, 2, 0, 0x4242, 0xabcd, 0x123400);
	add_balloon(NULL);
	pci_scan(&windows);
	assert_int_equal(sim_command("lspci"), 0);
	assert_string_equal(
		sim_command_text,
		"00:00.0 Host bridge [0600]: Intel Corporation 440FX - 82441FX PMC [Natoma]\n"
		"        [8086:1237] (rev 02)\n"
		"00:01.0 ISA bridge [0601]: Intel Corporation Device [8086:abcd]\n"
		"00:02.0 Class [1234]: Device [4242:abcd]\n"
		"00:04.0 Unclassified device [00ff]: Red Hat, Inc. Virtio memory balloon\n"
		"        [1af4:1002]\n");
	assert_int_equal(sim_command("lspci -j"), 0);
	assert_string_equal(
		sim_command_text,
		"{\"devices\":["
		"{\"address\":\"00:00.0\",\"class\":\"0600\",\"class-name\":\"Host bridge\","
		"\"vendor\":\"8086\",\"vendor-name\":\"Intel Corporation\",\"device\":\"1237\","
		"\"device-name\":\"440FX - 82441FX PMC [Natoma]\",\"revision\":2},"
		"{\"address\":\"00:01.0\",\"class\":\"0601\",\"class-name\":\"ISA bridge\","
		"\"vendor\":\"8086\",\"vendor-name\":\"Intel Corporation\",\"device\":\"abcd\","
		"\"device-name\":null,\"revision\":0},"
		"{\"address\":\"00:02.0\",\"class\":\"1234\",\"class-name\":null,"
		"\"vendor\":\"4242\",\"vendor-name\":null,\"device\":\"abcd\","
		"\"device-name\":null,\"revision\":0},"
		"{\"address\":\"00:04.0\",\"class\":\"00ff\","
		"\"class-name\":\"Unclassified device\",\"vendor\":\"1af4\","
		"\"vendor-name\":\"Red Hat, Inc.\",\"device\":\"1002\","
		"\"device-name\":\"Virtio memory balloon\",\"revision\":0}]}\n");
}

static void a_device_is_shown_with_all_that_it_has(void **state)
{
	struct sim_pci_function *f;

	(void)state;
	f = add_balloon(NULL);
	sim_pci_put(f, 0x30, 4, 0xfeb80000);
	pci_scan(&windows);
	pci_enable(pci_devices());
	sim_pci_put(f, 0x04, 2, 0x0005);
	assert_int_equal(sim_command("lspci -v"), 0);
	assert_string_equal(
		sim_command_text,
		"00:04.0 Unclassified device [00ff]: Red Hat, Inc. Virtio memory balloon\n"
		"        [1af4:1002]\n"
		"\tSubsystem: Red Hat, Inc. Device [1af4:0005]\n"
		"\tFlags: bus master, I/O, fast devsel, latency 0\n"
		"\tInterrupt: pin A, line 11\n"
		"\tI/O ports at c040 [size=64]\n"
		"\tMemory at febf1000 (32-bit, non-prefetchable) [disabled] [size=4K]\n"
		"\tMemory at 800004000 (64-bit, prefetchable) [disabled] [size=16K]\n"
		"\tExpansion ROM at feb80000 [disabled]\n"
		"\tCapabilities: [98] MSI-X: Enable+ Count=2 Masked-\n"
		"\tCapabilities: [84] Vendor Specific Information: VirtIO: CommonCfg\n"
		"\tCapabilities: [70] Vendor Specific Information: VirtIO: <unknown>\n"
		"\tCapabilities: [60] Power Management\n"
		"\tCapabilities: [50] MSI: Enable- Count=4/4 64bit+\n"
		"\tCapabilities: [40] id 77\n"
		"\n");
	assert_null(sim_pci_violation);
}

static void a_bridge_is_shown_with_its_windows(void **state)
{
	struct sim_pci_function *bridge;

	(void)state;
	bridge = sim_pci_add_bridge(NULL, 2, 0);
	sim_pci_set_bus_numbers(bridge, 0, 1, 3);
	sim_pci_set_memory_window(bridge, 0xfe800000, 0xfea00000);
	sim_pci_set_prefetchable_window(bridge, UINT64_C(0x800000000), UINT64_C(0x800300000));
	sim_pci_put(bridge, 0x1c, 2, 0x01f1);
	bridge->config[0x34] = 0x54;
	sim_pci_set_capability(bridge, 0x54, 0x10, 0);
	sim_pci_put(bridge, 0x56, 2, 0x0142);
	pci_scan(&windows);
	assert_int_equal(sim_command("lspci -v"), 0);
	assert_string_equal(
		sim_command_text,
		"00:02.0 PCI bridge [0604]: Red Hat, Inc. QEMU PCIe Root port [1b36:000c]\n"
		"\tFlags: fast devsel, latency 0\n"
		"\tBus: primary=00, secondary=01, subordinate=03\n"
		"\tI/O behind bridge: [disabled]\n"
		"\tMemory behind bridge: fe800000-fe9fffff [size=2M]\n"
		"\tPrefetchable memory behind bridge: 800000000-8002fffff [size=3M]\n"
		"\tCapabilities: [54] Express Root Port\n"
		"\n");
}

/* Of a device whose every other bit is set: nothing is taken for its neighbour. */
static void every_flag_has_its_word(void **state)
{
	struct sim_pci_function *f;

	(void)state;
	f = sim_pci_add(NULL, 5, 0, 0x8086, 0x100e, 0x020000);
	sim_pci_put(f, 0x06, 2, 0x02a0);
	sim_pci_put(f, 0x0c, 2, 0x4000);
	sim_pci_put(f, 0x2c, 4, 0x11004242);
	sim_pci_put(f, 0x30, 4, 0xfeb80801);
	sim_pci_put(f, 0x3c, 2, 0x0405);
	sim_pci_set_bar(f, 0, SIM_PCI_IO, 512, 0xc200);
	sim_pci_set_bar(f, 1, SIM_PCI_MEMORY32 | SIM_PCI_PREFETCHABLE, 1024, 0xc0100000);
	sim_pci_set_bar(f, 5, SIM_PCI_MEMORY32, 16, 0xc0200000);
	f->config[0x34] = 0x40;
	sim_pci_set_capability(f, 0x40, 0x11, 0x50);
	sim_pci_put(f, 0x42, 2, 0x47ff);
	sim_pci_set_capability(f, 0x50, 0x05, 0x60);
	sim_pci_put(f, 0x52, 2, 0x0013);
	sim_pci_set_capability(f, 0x60, 0x09, 0);
	pci_scan(&windows);
	sim_pci_put(f, 0x04, 2, 0x0402);
	assert_int_equal(sim_command("lspci -v"), 0);
	assert_string_equal(sim_command_text,
			    "00:05.0 Ethernet controller [0200]: Intel Corporation 82540EM Gigabit "
			    "Ethernet\n"
			    "        Controller [8086:100e]\n"
			    "\tSubsystem: Device [4242:1100]\n"
			    "\tFlags: memory, 66MHz, fast back to back, medium devsel, latency 64\n"
			    "\tInterrupt: pin D, line 5 [disabled]\n"
			    "\tI/O ports at c200 [disabled] [size=512]\n"
			    "\tMemory at c0100000 (32-bit, prefetchable) [size=1K]\n"
			    "\tMemory at c0200000 (32-bit, non-prefetchable) [size=16]\n"
			    "\tExpansion ROM at feb80800\n"
			    "\tCapabilities: [40] MSI-X: Enable- Count=2048 Masked+\n"
			    "\tCapabilities: [50] MSI: Enable+ Count=2/2 64bit-\n"
			    "\tCapabilities: [60] Vendor Specific Information\n"
			    "\n");
	sim_pci_put(f, 0x04, 2, 0x0001);
	sim_pci_put(f, 0x06, 2, 0x0410);
	sim_pci_put(f, 0x52, 2, 0x006a);
	sim_command("lspci -v");
	assert_non_null(strstr(sim_command_text, "\tFlags: I/O, slow devsel, latency 64\n"));
	assert_non_null(strstr(sim_command_text, "\tInterrupt: pin D, line 5\n"));
	assert_non_null(strstr(sim_command_text, "\tI/O ports at c200 [size=512]\n"));
	assert_non_null(strstr(sim_command_text, "non-prefetchable) [disabled] [size=16]\n"));
	assert_non_null(strstr(sim_command_text, "MSI: Enable- Count=64/32 64bit-\n"));
	sim_pci_put(f, 0x06, 2, 0x0610);
	sim_command("lspci -v");
	assert_non_null(strstr(sim_command_text, "\tFlags: I/O, ? devsel, latency 64\n"));
}

/* What stands after the last word before the end of the line, at each value of four bits. */
static void assert_names(struct sim_pci_function *f, unsigned at, unsigned shift,
			 const char *before, const char *const names[16])
{
	for (unsigned value = 0; value < 16; value++) {
		const char *name = names[value] ? names[value] : "<unknown>";
		const char *found;

		sim_pci_put(f, at, 1, value << shift);
		sim_command("lspci -v");
		found = strstr(sim_command_text, before);
		assert_non_null(found);
		found += strlen(before);
		assert_int_equal(strcspn(found, "\n"), strlen(name));
		assert_memory_equal(found, name, strlen(name));
	}
}

/* PCI Express Base 4.0, 7.5.3.2; virtio 1.3, 4.1.4. */
static void kinds_of_capabilities_have_names(void **state)
{
	static const char *const express[16] = {
		[0] = "Endpoint",
		[1] = "Legacy Endpoint",
		[4] = "Root Port",
		[5] = "Upstream Port",
		[6] = "Downstream Port",
		[7] = "PCI-Express to PCI/PCI-X Bridge",
		[8] = "PCI/PCI-X to PCI-Express Bridge",
		[9] = "Root Complex Integrated Endpoint",
		[10] = "Root Complex Event Collector",
	};
	static const char *const virtio[16] = {
		[1] = "CommonCfg", [2] = "Notify",	 [3] = "ISR",	    [4] = "DeviceCfg",
		[5] = "PCICfg",	   [8] = "SharedMemory", [9] = "VendorCfg",
	};
	struct sim_pci_function *f;

	(void)state;
	f = add_function(NULL, 4, 0);
	f->config[0x34] = 0x60;
	sim_pci_set_capability(f, 0x60, 0x10, 0x80);
	sim_pci_set_capability(f, 0x80, 0x09, 0);
	pci_scan(&windows);
	assert_names(f, 0x62, 4, "[60] Express ", express);
	assert_names(f, 0x83, 0, "[80] Vendor Specific Information: VirtIO: ", virtio);
}

/* A bridge has other registers where a device has its ROM and its last four BARs. */
static void windows_of_a_bridge_are_shown_as_ranges(void **state)
{
	struct sim_pci_function *bridge;

	(void)state;
	bridge = sim_pci_add_bridge(NULL, 2, 0);
	sim_pci_set_bus_numbers(bridge, 0, 1, 3);
	sim_pci_set_io_window(bridge, 0x2000, 0x5000);
	sim_pci_put(bridge, 0x20, 4, 0x00d000d0);
	sim_pci_put(bridge, 0x24, 4, 0x00f000e0);
	sim_pci_put(bridge, 0x30, 4, 0x00000000);
	sim_pci_put(bridge, 0x3c, 4, 0x00000100);
	sim_pci_set_bar(bridge, 1, SIM_PCI_MEMORY32, 256, 0xc0000000);
	pci_scan(&windows);
	sim_pci_put(bridge, 0x04, 2, 0x0006);
	sim_pci_put(bridge, 0x30, 4, 0xffff0000);
	assert_int_equal(sim_command("lspci -v"), 0);
	assert_string_equal(
		sim_command_text,
		"00:02.0 PCI bridge [0604]: Red Hat, Inc. QEMU PCIe Root port [1b36:000c]\n"
		"\tFlags: bus master, memory, fast devsel, latency 0\n"
		"\tInterrupt: pin A, line 0\n"
		"\tMemory at c0000000 (32-bit, non-prefetchable) [size=256]\n"
		"\tBus: primary=00, secondary=01, subordinate=03\n"
		"\tI/O behind bridge: 2000-4fff [size=12K]\n"
		"\tMemory behind bridge: 00d00000-00dfffff [size=1M]\n"
		"\tPrefetchable memory behind bridge: 00e00000-00ffffff [size=2M]\n"
		"\n");
}

static void what_has_no_address_is_shown_so(void **state)
{
	static const struct pci_windows none;
	struct sim_pci_function *f;

	(void)state;
	f = sim_pci_add(NULL, 4, 0, 0x1af4, 0x1005, 0x00ff00);
	sim_pci_set_bar(f, 0, SIM_PCI_IO, 32, 0);
	sim_pci_set_bar(f, 1, SIM_PCI_MEMORY32, MIB, 0);
	sim_pci_set_bar(f, 2, SIM_PCI_MEMORY64, 8 * GIB, 0);
	sim_pci_set_bar(f, 4, SIM_PCI_MEMORY64, UINT64_C(1) << 50, 0);
	pci_scan(&none);
	sim_command("lspci -v");
	assert_non_null(
		strstr(sim_command_text, "\tI/O ports at <unassigned> [disabled] [size=32]\n"));
	assert_non_null(strstr(sim_command_text,
			       "\tMemory at <unassigned> (64-bit, non-prefetchable) "
			       "[disabled] [size=8G]\n"));
	assert_non_null(strstr(sim_command_text, "[disabled] [size=1M]\n"));
	assert_non_null(strstr(sim_command_text, "[disabled] [size=1P]\n"));
	assert_null(strstr(sim_command_text, "Expansion ROM"));
}

static void a_device_that_is_gone_is_shown_so(void **state)
{
	struct sim_pci_function *f;

	(void)state;
	f = add_balloon(NULL);
	pci_scan(&windows);
	f->gone = true;
	assert_int_equal(sim_command("lspci -v"), 0);
	assert_string_equal(sim_command_text,
			    "00:04.0 Unclassified device [00ff]: Red Hat, Inc. Virtio memory "
			    "balloon\n"
			    "        [1af4:1002]\n"
			    "\tdoes not answer any more\n"
			    "\n");
}

static void a_capability_list_that_loops_is_shown_once(void **state)
{
	struct sim_pci_function *f;

	(void)state;
	f = add_balloon(NULL);
	f->config[0x41] = 0x98;
	pci_scan(&windows);
	sim_command("lspci -v");
	assert_ptr_equal(strstr(strstr(sim_command_text, "[98]") + 1, "[98]"), NULL);
}

/* Each table from its first to its last, and not beyond. */
static void names_are_found_at_both_ends(void **state)
{
	(void)state;
	assert_string_equal(pci_class_name(0x0000), "Non-VGA unclassified device");
	assert_string_equal(pci_class_name(0x1000), "Network and computing encryption device");
	assert_null(pci_class_name(0x1001));
	assert_string_equal(pci_vendor_name(0x1013), "Cirrus Logic");
	assert_string_equal(pci_vendor_name(0x8086), "Intel Corporation");
	assert_null(pci_vendor_name(0));
	assert_string_equal(pci_device_name(0x1013, 0x00b8), "GD 5446");
	assert_string_equal(pci_device_name(0x8086, 0x7113), "82371AB/EB/MB PIIX4 ACPI");
	assert_null(pci_device_name(0x8086, 0x00b8));
	assert_string_equal(pci_capability_name(0x01), "Power Management");
	assert_string_equal(pci_capability_name(0x13), "PCI Advanced Features");
	assert_null(pci_capability_name(0x14));
}

static void other_arguments_are_refused(void **state)
{
	(void)state;
	assert_int_equal(sim_command("lspci -x"), -EINVAL);
	assert_int_equal(sim_command("lspci -v -v"), -EINVAL);
	assert_string_equal(sim_command_text, "");
}

static void a_machine_without_pci_says_so(void **state)
{
	(void)state;
	assert_int_equal(sim_command("lspci"), -ENODEV);
	assert_string_equal(sim_command_text, "lspci: this machine has no PCI\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_machine_without_pci_says_so),
		cmocka_unit_test_setup(every_function_has_one_line, setup_bus),
		cmocka_unit_test_setup(a_device_is_shown_with_all_that_it_has, setup_bus),
		cmocka_unit_test_setup(a_bridge_is_shown_with_its_windows, setup_bus),
		cmocka_unit_test_setup(every_flag_has_its_word, setup_bus),
		cmocka_unit_test_setup(kinds_of_capabilities_have_names, setup_bus),
		cmocka_unit_test_setup(windows_of_a_bridge_are_shown_as_ranges, setup_bus),
		cmocka_unit_test_setup(what_has_no_address_is_shown_so, setup_bus),
		cmocka_unit_test_setup(a_device_that_is_gone_is_shown_so, setup_bus),
		cmocka_unit_test_setup(a_capability_list_that_loops_is_shown_once, setup_bus),
		cmocka_unit_test(names_are_found_at_both_ends),
		cmocka_unit_test_setup(other_arguments_are_refused, setup_bus),
	};

	return cmocka_run_group_tests_name("pci_cmd", tests, NULL, NULL);
}
