/* SPDX-License-Identifier: BSD-2-Clause */
/* Reaching config space by ports and by ECAM, on a simulated bus. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>

#include "arch/io.h"
#include "drivers/pci/pci_internal.h"
#include "tests/sim/sim_log.h"
#include "tests/sim/sim_pci.h"

static struct sim_pci_function *sim;

/* One function at 00:03.0 with a pattern in its config space. */
static int setup(void **state)
{
	(void)state;
	sim_log_reset();
	sim_pci_reset();
	sim = sim_pci_add(NULL, 3, 0, 0x1af4, 0x1002, 0x00ff00);
	sim_pci_put(sim, 0x40, 4, 0x44332211);
	sim_pci_put(sim, 0x100, 4, 0x12345678);
	for (unsigned i = 0x40; i < 0x44; i++)
		sim->writable[i] = 0xff;
	return 0;
}

static const struct pci_device device = { .address = { .device = 3 } };
static const struct pci_device absent = { .address = { .device = 4 } };
static const struct pci_device far_away = { .address = { .bus = 8, .device = 3 } };

static void a_name_is_bus_device_and_function(void **state)
{
	const struct pci_device last = { .address = { 0xab, 31, 7 } };
	char name[PCI_NAME_SIZE];

	(void)state;
	assert_string_equal(pci_name(&last, name), "ab:1f.7");
	assert_string_equal(pci_name(&device, name), "00:03.0");
}

static void nothing_is_read_before_a_mechanism_is_chosen(void **state)
{
	(void)state;
	assert_null(pci_config_ops());
	assert_int_equal(pci_read32(&device, 0), UINT32_MAX);
	assert_int_equal(pci_read8(&device, 0), UINT8_MAX);
	pci_write8(&device, 0x40, 1);
	assert_int_equal(sim_pci_reads + sim_pci_writes, 0);
}

static void read_and_write_every_width(void)
{
	assert_int_equal(pci_read32(&device, 0), 0x10021af4);
	assert_int_equal(pci_read16(&device, 2), 0x1002);
	for (unsigned i = 0; i < 4; i++)
		assert_int_equal(pci_read8(&device, 0x40 + i), 0x11 * (i + 1));
	assert_int_equal(pci_read16(&device, 0x40), 0x2211);
	assert_int_equal(pci_read16(&device, 0x42), 0x4433);
	pci_write8(&device, 0x41, 0xaa);
	assert_int_equal(sim_pci_get(sim, 0x40, 4), 0x4433aa11);
	pci_write16(&device, 0x42, 0xbbcc);
	assert_int_equal(sim_pci_get(sim, 0x40, 4), 0xbbccaa11);
	pci_write32(&device, 0x40, 0x01020304);
	assert_int_equal(sim_pci_get(sim, 0x40, 4), 0x01020304);
	assert_null(sim_pci_violation);
}

static void refuse_what_is_not_there(void)
{
	unsigned reads;

	assert_int_equal(pci_read32(&absent, 0), UINT32_MAX);
	reads = sim_pci_reads;
	assert_int_equal(pci_read32(&device, 0x41), UINT32_MAX);
	assert_int_equal(pci_read16(&device, 0x41), UINT16_MAX);
	assert_int_equal(pci_read32(&device, pci_config_ops()->size), UINT32_MAX);
	assert_int_equal(pci_config_ops()->read(device.address, 0, 3), UINT32_MAX);
	assert_int_equal(pci_config_ops()->read((struct pci_address){ 0, 32, 0 }, 0, 4),
			 UINT32_MAX);
	assert_int_equal(pci_config_ops()->read((struct pci_address){ 0, 0, 8 }, 0, 4), UINT32_MAX);
	/* All ones of the width that was asked for. */
	assert_int_equal(pci_config_ops()->read((struct pci_address){ 0, 0, 8 }, 0, 1), UINT8_MAX);
	assert_int_equal(pci_config_ops()->read((struct pci_address){ 0, 0, 8 }, 0, 2), UINT16_MAX);
	pci_write32(&device, 0x42, 0);
	pci_write32(&device, pci_config_ops()->size, 0);
	assert_int_equal(sim_pci_reads, reads);
	assert_int_equal(sim_pci_writes, 0);
	assert_null(sim_pci_violation);
}

/* At both ends of each of the three numbers. */
static void find_each_at_its_own_address(void)
{
	static const struct pci_address addresses[] = {
		{ 0, 1, 1 }, { 0, 31, 0 }, { 0, 31, 7 }, { 1, 0, 0 }, { 1, 0, 4 }, { 1, 31, 7 },
	};
	struct sim_pci_function *bridge = sim_pci_add_bridge(NULL, 1, 0);

	sim_pci_set_bus_numbers(bridge, 0, 1, 1);
	for (size_t i = 0; i < sizeof(addresses) / sizeof(addresses[0]); i++)
		sim_pci_add(addresses[i].bus ? bridge : NULL, addresses[i].device,
			    addresses[i].function, 0x1af4, (uint16_t)(0x1000 + i), 0x00ff00);
	for (size_t i = 0; i < sizeof(addresses) / sizeof(addresses[0]); i++) {
		const struct pci_device d = { .address = addresses[i] };

		assert_int_equal(pci_read32(&d, 0), 0x1af4 | (0x1000 + i) << 16);
	}
	assert_null(sim_pci_violation);
}

static void ports_reach_every_address(void **state)
{
	(void)state;
	assert_int_equal(pci_config_use_ports(), 0);
	find_each_at_its_own_address();
}

static void ecam_reaches_every_address(void **state)
{
	(void)state;
	assert_int_equal(pci_config_use_ecam(SIM_PCI_ECAM_BASE, 255), 0);
	find_each_at_its_own_address();
}

/* Whichever slot of the root bus has something. */
static void a_window_is_used_if_any_slot_answers(void **state)
{
	(void)state;
	for (unsigned slot = 0; slot < 32; slot++) {
		sim->device = slot;
		assert_int_equal(pci_config_use_ecam(SIM_PCI_ECAM_BASE, 255), 0);
	}
}

static void ports_read_and_write_every_width(void **state)
{
	(void)state;
	assert_int_equal(pci_config_use_ports(), 0);
	assert_string_equal(pci_config_ops()->name, "ports");
	assert_int_equal(pci_config_ops()->size, 256);
	assert_int_equal(pci_config_ops()->last_bus, 255);
	read_and_write_every_width();
}

static void ports_refuse_what_is_not_there(void **state)
{
	(void)state;
	assert_int_equal(pci_config_use_ports(), 0);
	refuse_what_is_not_there();
}

static void a_machine_without_ports_is_seen(void **state)
{
	(void)state;
	sim_pci_remove_ports();
	assert_int_equal(pci_config_use_ports(), -ENODEV);
}

static void looking_for_ports_leaves_the_address_register_as_it_was(void **state)
{
	(void)state;
	io_write32(0xcf8, 0x80001234);
	assert_int_equal(pci_config_use_ports(), 0);
	assert_int_equal(io_read32(0xcf8), 0x80001234);
}

static void ecam_reads_and_writes_every_width(void **state)
{
	(void)state;
	assert_int_equal(pci_config_use_ecam(SIM_PCI_ECAM_BASE, 255), 0);
	assert_string_equal(pci_config_ops()->name, "ECAM");
	assert_int_equal(pci_config_ops()->size, 4096);
	read_and_write_every_width();
	assert_int_equal(pci_read32(&device, 0x100), 0x12345678);
}

static void ecam_refuses_what_is_not_there(void **state)
{
	(void)state;
	assert_int_equal(pci_config_use_ecam(SIM_PCI_ECAM_BASE, 255), 0);
	refuse_what_is_not_there();
}

static void ecam_asks_no_bus_above_its_last(void **state)
{
	unsigned reads;

	(void)state;
	assert_int_equal(pci_config_use_ecam(SIM_PCI_ECAM_BASE, 7), 0);
	assert_int_equal(pci_config_ops()->last_bus, 7);
	reads = sim_pci_reads;
	assert_int_equal(pci_read32(&far_away, 0), UINT32_MAX);
	assert_int_equal(sim_pci_reads, reads);
	assert_int_equal(pci_config_window().start, SIM_PCI_ECAM_BASE);
	assert_int_equal(pci_config_window().end, SIM_PCI_ECAM_BASE + 8 * MIB);
}

static void ecam_windows_that_cannot_be_are_refused(void **state)
{
	(void)state;
	assert_int_equal(pci_config_use_ecam(0, 255), -EINVAL);
	assert_int_equal(pci_config_use_ecam(SIM_PCI_ECAM_BASE + 4096, 255), -EINVAL);
	assert_int_equal(pci_config_use_ecam(UINT64_C(0xfffffffffff00000), 255), -EINVAL);
	assert_int_equal(pci_config_use_ecam(PCI_ADDRESS_END - MIB, 1), -EINVAL);
	assert_int_equal(pci_config_use_ecam(PCI_ADDRESS_END, 0), -EINVAL);
	assert_int_equal(sim_log_warnings, 0);
	/* This one could be; but nothing is there. */
	assert_int_equal(pci_config_use_ecam(PCI_ADDRESS_END - 2 * MIB, 1), -ENODEV);
}

static void a_window_that_cannot_be_mapped_is_an_error(void **state)
{
	(void)state;
	sim_pci_fail_mapping(-ENOMEM);
	assert_int_equal(pci_config_use_ecam(SIM_PCI_ECAM_BASE, 255), -ENOMEM);
}

static void a_window_in_which_nothing_answers_is_not_used(void **state)
{
	(void)state;
	assert_int_equal(pci_config_use_ports(), 0);
	sim->gone = true;
	assert_int_equal(pci_config_use_ecam(SIM_PCI_ECAM_BASE, 255), -ENODEV);
	assert_int_equal(sim_log_warnings, 1);
	assert_string_equal(pci_config_ops()->name, "ports");
	assert_int_equal(pci_config_window().start, 0);
	assert_int_equal(pci_config_window().end, 0);
	assert_string_equal(sim_log_warning,
			    "pci: nothing answers in the ECAM window at 0xb0000000");
	/* Also when it was in use. */
	sim->gone = false;
	assert_int_equal(pci_config_use_ecam(SIM_PCI_ECAM_BASE, 255), 0);
	sim->gone = true;
	assert_int_equal(pci_config_use_ecam(SIM_PCI_ECAM_BASE, 255), -ENODEV);
	assert_null(pci_config_ops());
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(nothing_is_read_before_a_mechanism_is_chosen, setup),
		cmocka_unit_test_setup(a_machine_without_ports_is_seen, setup),
		cmocka_unit_test_setup(a_name_is_bus_device_and_function, setup),
		cmocka_unit_test_setup(ports_reach_every_address, setup),
		cmocka_unit_test_setup(ecam_reaches_every_address, setup),
		cmocka_unit_test_setup(a_window_is_used_if_any_slot_answers, setup),
		cmocka_unit_test_setup(ports_read_and_write_every_width, setup),
		cmocka_unit_test_setup(ports_refuse_what_is_not_there, setup),
		cmocka_unit_test_setup(looking_for_ports_leaves_the_address_register_as_it_was,
				       setup),
		cmocka_unit_test_setup(ecam_reads_and_writes_every_width, setup),
		cmocka_unit_test_setup(ecam_refuses_what_is_not_there, setup),
		cmocka_unit_test_setup(ecam_asks_no_bus_above_its_last, setup),
		cmocka_unit_test_setup(ecam_windows_that_cannot_be_are_refused, setup),
		cmocka_unit_test_setup(a_window_that_cannot_be_mapped_is_an_error, setup),
		cmocka_unit_test_setup(a_window_in_which_nothing_answers_is_not_used, setup),
	};

	return cmocka_run_group_tests_name("pci_config", tests, NULL, NULL);
}
