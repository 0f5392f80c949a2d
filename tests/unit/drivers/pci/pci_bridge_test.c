/* SPDX-License-Identifier: BSD-2-Clause */
/* Windows of bridges, on a simulated bus. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "drivers/pci/pci_internal.h"
#include "tests/sim/sim_pci.h"

static struct sim_pci_function *sim;
static struct pci_function bridge;

static int setup(void **state)
{
	(void)state;
	sim_pci_reset();
	sim = sim_pci_add_bridge(NULL, 1, 0);
	memset(&bridge, 0, sizeof(bridge));
	bridge.device.address.device = 1;
	bridge.device.header_type = PCI_HEADER_BRIDGE;
	return pci_config_use_ports();
}

static void assert_window(enum pci_window_kind kind, uint64_t start, uint64_t end)
{
	assert_int_equal(bridge.window[kind].start, start);
	assert_int_equal(bridge.window[kind].end, end);
}

static void windows_of_the_firmware_are_read(void **state)
{
	uint8_t before[SIM_PCI_CONFIG_SIZE];

	(void)state;
	sim_pci_set_io_window(sim, 0xc000, 0xe000);
	sim_pci_set_memory_window(sim, 0xfe800000, 0xfea00000);
	sim_pci_set_prefetchable_window(sim, UINT64_C(0x8fff00000), UINT64_C(0x900100000));
	memcpy(before, sim->config, sizeof(before));
	pci_read_windows(&bridge);
	assert_window(PCI_WINDOW_IO, 0xc000, 0xe000);
	assert_window(PCI_WINDOW_MEMORY, 0xfe800000, 0xfea00000);
	assert_window(PCI_WINDOW_PREFETCHABLE, UINT64_C(0x8fff00000), UINT64_C(0x900100000));
	assert_true(bridge.wide);
	assert_memory_equal(sim->config, before, sizeof(before));
}

static void a_base_above_its_limit_is_closed(void **state)
{
	(void)state;
	sim_pci_put(sim, 0x1c, 2, 0x01f1);
	sim_pci_put(sim, 0x20, 4, 0x0000fff0);
	sim_pci_put(sim, 0x24, 4, 0x0001fff1);
	pci_read_windows(&bridge);
	for (enum pci_window_kind kind = PCI_WINDOW_IO; kind < PCI_WINDOWS; kind++)
		assert_false(pci_is_open(&bridge.window[kind]));
	assert_int_equal(sim_pci_writes, 0);
}

static void windows_after_a_reset_are_closed_before_anyone_turns_them_on(void **state)
{
	(void)state;
	pci_read_windows(&bridge);
	for (enum pci_window_kind kind = PCI_WINDOW_IO; kind < PCI_WINDOWS; kind++)
		assert_false(pci_is_open(&bridge.window[kind]));
	/* Base above limit. */
	assert_int_equal(sim_pci_get(sim, 0x1c, 2), 0x01f1);
	assert_int_equal(sim_pci_get(sim, 0x20, 4), 0x0000fff0);
	assert_int_equal(sim_pci_get(sim, 0x24, 4), 0x0001fff1);
	assert_null(sim_pci_violation);
}

/* There are 65,536 ports, whatever a bridge with more address bits says. */
static void a_window_of_ports_ends_where_ports_end(void **state)
{
	(void)state;
	sim_pci_put(sim, 0x1c, 2, 0xf1f1);
	sim_pci_put(sim, 0x30, 4, 0);
	pci_read_windows(&bridge);
	assert_window(PCI_WINDOW_IO, 0xf000, 0x10000);
	sim_pci_put(sim, 0x1c, 2, 0x01f1);
	sim_pci_put(sim, 0x30, 4, 0x00010000);
	pci_read_windows(&bridge);
	assert_false(pci_is_open(&bridge.window[PCI_WINDOW_IO]));
	/* From 0x11000 to 0xffff. */
	sim_pci_put(sim, 0x1c, 2, 0xf111);
	sim_pci_put(sim, 0x30, 4, 0x00000001);
	pci_read_windows(&bridge);
	assert_false(pci_is_open(&bridge.window[PCI_WINDOW_IO]));
}

static void a_32_bit_prefetchable_window_is_not_wide(void **state)
{
	(void)state;
	sim_pci_put(sim, 0x24, 4, 0xfe30fe20);
	sim_pci_put(sim, 0x28, 4, 7);
	pci_read_windows(&bridge);
	assert_false(bridge.wide);
	assert_window(PCI_WINDOW_PREFETCHABLE, 0xfe200000, 0xfe400000);
}

static void windows_no_processor_can_reach_are_closed(void **state)
{
	(void)state;
	sim_pci_set_prefetchable_window(sim, UINT64_C(0x8000000000000000),
					UINT64_C(0x8000000000200000));
	sim_pci_set_io_window(sim, 0xc000, 0xe000);
	sim_pci_put(sim, 0x32, 2, 1);
	pci_read_windows(&bridge);
	assert_false(pci_is_open(&bridge.window[PCI_WINDOW_PREFETCHABLE]));
	assert_false(pci_is_open(&bridge.window[PCI_WINDOW_IO]));
	/* Addresses end at 4 PiB: the last MiB below, and the first that is too much. */
	sim_pci_set_prefetchable_window(sim, PCI_ADDRESS_END - MIB, PCI_ADDRESS_END);
	pci_read_windows(&bridge);
	assert_window(PCI_WINDOW_PREFETCHABLE, PCI_ADDRESS_END - MIB, PCI_ADDRESS_END);
	sim_pci_set_prefetchable_window(sim, PCI_ADDRESS_END - MIB, PCI_ADDRESS_END + MIB);
	pci_read_windows(&bridge);
	assert_false(pci_is_open(&bridge.window[PCI_WINDOW_PREFETCHABLE]));
}

static void windows_are_written_as_they_are_read(void **state)
{
	(void)state;
	sim_pci_put(sim, 0x04, 2, 0x0007);
	/* Whatever stood in the upper halves of the ports' addresses: there are none. */
	sim_pci_put(sim, 0x30, 4, 0x00010001);
	assert_int_equal(pci_set_window(&bridge, PCI_WINDOW_IO, 0xf000, 0x10000), 0);
	assert_int_equal(pci_set_window(&bridge, PCI_WINDOW_MEMORY, 0xc0100000, 0xc0300000), 0);
	assert_int_equal(pci_set_window(&bridge, PCI_WINDOW_PREFETCHABLE, UINT64_C(0x4fff00000),
					UINT64_C(0x500100000)),
			 0);
	assert_window(PCI_WINDOW_IO, 0xf000, 0x10000);
	memset(bridge.window, 0, sizeof(bridge.window));
	pci_read_windows(&bridge);
	assert_window(PCI_WINDOW_IO, 0xf000, 0x10000);
	assert_window(PCI_WINDOW_MEMORY, 0xc0100000, 0xc0300000);
	assert_window(PCI_WINDOW_PREFETCHABLE, UINT64_C(0x4fff00000), UINT64_C(0x500100000));
	assert_int_equal(sim_pci_get(sim, 0x20, 4), 0xc020c010);
	assert_int_equal(sim_pci_get(sim, 0x04, 2), 0x0007);
	assert_null(sim_pci_violation);
}

static void a_window_that_is_not_there_is_an_error_and_stays_closed(void **state)
{
	(void)state;
	memset(sim->writable + 0x1c, 0, 2);
	sim_pci_put(sim, 0x1c, 2, 0);
	assert_int_equal(pci_set_window(&bridge, PCI_WINDOW_IO, 0xc000, 0xd000), -EIO);
	assert_false(pci_is_open(&bridge.window[PCI_WINDOW_IO]));
	/* A prefetchable window of 32 bits cannot go above 4 GiB. */
	sim_pci_put(sim, 0x24, 4, 0);
	memset(sim->writable + 0x28, 0, 8);
	assert_int_equal(pci_set_window(&bridge, PCI_WINDOW_PREFETCHABLE, UINT64_C(0x400000000),
					UINT64_C(0x400200000)),
			 -EIO);
	assert_int_equal(sim_pci_get(sim, 0x24, 4), 0x0000fff0);
	/* Of one of which only the end can be chosen there is no other either. */
	sim_pci_put(sim, 0x20, 4, 0xc000c000);
	memset(sim->writable + 0x20, 0, 2);
	assert_int_equal(pci_set_window(&bridge, PCI_WINDOW_MEMORY, 0xc0100000, 0xc0300000), -EIO);
	assert_false(pci_is_open(&bridge.window[PCI_WINDOW_MEMORY]));
	sim_pci_put(sim, 0x20, 4, 0xc000c000);
	sim->writable[0x21] = 0xff;
	sim->writable[0x20] = 0xf0;
	memset(sim->writable + 0x22, 0, 2);
	assert_int_equal(pci_set_window(&bridge, PCI_WINDOW_MEMORY, 0xbff00000, 0xc0000000), -EIO);
	assert_false(pci_is_open(&bridge.window[PCI_WINDOW_MEMORY]));
}

static void bus_numbers_are_read_back(void **state)
{
	(void)state;
	/* The primary number is that of the bus on which the bridge is, not what it was. */
	sim_pci_set_bus_numbers(sim, 0x55, 0xaa, 0x55);
	assert_int_equal(pci_set_bus_numbers(&bridge.device, 3, 7), 0);
	assert_int_equal(bridge.device.secondary_bus, 3);
	assert_int_equal(bridge.device.subordinate_bus, 7);
	assert_int_equal(sim_pci_get(sim, 0x18, 4), 0x070300);
	sim->stubborn = true;
	assert_int_equal(pci_set_bus_numbers(&bridge.device, 4, 7), -EIO);
	assert_int_equal(bridge.device.secondary_bus, 0);
	assert_int_equal(bridge.device.subordinate_bus, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(windows_of_the_firmware_are_read, setup),
		cmocka_unit_test_setup(a_base_above_its_limit_is_closed, setup),
		cmocka_unit_test_setup(windows_after_a_reset_are_closed_before_anyone_turns_them_on,
				       setup),
		cmocka_unit_test_setup(a_window_of_ports_ends_where_ports_end, setup),
		cmocka_unit_test_setup(a_32_bit_prefetchable_window_is_not_wide, setup),
		cmocka_unit_test_setup(windows_no_processor_can_reach_are_closed, setup),
		cmocka_unit_test_setup(windows_are_written_as_they_are_read, setup),
		cmocka_unit_test_setup(a_window_that_is_not_there_is_an_error_and_stays_closed,
				       setup),
		cmocka_unit_test_setup(bus_numbers_are_read_back, setup),
	};

	return cmocka_run_group_tests_name("pci_bridge", tests, NULL, NULL);
}
