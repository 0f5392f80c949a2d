/* SPDX-License-Identifier: BSD-2-Clause */
/* Free addresses between BARs, windows and config space, on a simulated bus. */
#include "tests/unit/drivers/pci/pci_fixture.h"

#include "drivers/pci/pci_internal.h"

#define START UINT64_C(0xc0000000)
#define END UINT64_C(0xc0100000)

static const struct pci_window memory = { START, END };
static const struct pci_window windows_memory = { START, START + 16 * MIB };

static uint64_t find(const struct pci_function *bridge, uint64_t size, uint64_t align)
{
	return pci_find_gap(bridge, &memory, false, size, align);
}

static void an_empty_range_is_used_from_its_start(void **state)
{
	(void)state;
	pci_scan(&windows);
	assert_int_equal(find(NULL, 0x1000, 0x1000), START);
	assert_int_equal(find(NULL, END - START, 0x100000), START);
}

static void what_does_not_fit_has_no_gap(void **state)
{
	const struct pci_window odd = { START + 1, END };

	(void)state;
	pci_scan(&windows);
	assert_int_equal(find(NULL, END - START + 1, 0x1000), 0);
	assert_int_equal(pci_find_gap(NULL, &odd, false, END - START - 1, 0x1000), 0);
	assert_int_equal(pci_find_gap(NULL, &odd, false, 0x1000, 0x1000), START + 0x1000);
}

static void the_first_multiple_after_a_bar_is_found(void **state)
{
	(void)state;
	sim_pci_set_bar(add_function(NULL, 1, 0), 0, SIM_PCI_MEMORY32, 0x2000, START);
	sim_pci_set_bar(add_function(NULL, 2, 0), 1, SIM_PCI_MEMORY32, 0x1000, START + 0x4000);
	pci_scan(&windows);
	assert_int_equal(find(NULL, 0x1000, 0x1000), START + 0x2000);
	assert_int_equal(find(NULL, 0x2000, 0x1000), START + 0x2000);
	assert_int_equal(find(NULL, 0x2001, 0x1000), START + 0x5000);
	assert_int_equal(find(NULL, 0x4000, 0x4000), START + 0x8000);
}

static void ports_and_memory_do_not_meet(void **state)
{
	const struct pci_window ports = { 0xc000, 0xd000 };

	(void)state;
	sim_pci_set_bar(add_function(NULL, 1, 0), 0, SIM_PCI_IO, 64, 0xc000);
	sim_pci_set_bar(add_function(NULL, 2, 0), 0, SIM_PCI_MEMORY32, 0x1000, START);
	pci_scan(&windows);
	assert_int_equal(pci_find_gap(NULL, &ports, true, 64, 64), 0xc040);
	assert_int_equal(pci_find_gap(NULL, &ports, false, 64, 64), 0xc000);
	assert_int_equal(find(NULL, 0x1000, 0x1000), START + 0x1000);
}

static void a_window_is_free_behind_its_own_bridge_only(void **state)
{
	struct sim_pci_function *sim = sim_pci_add_bridge(NULL, 3, 0);
	const struct pci_function *bridge;

	(void)state;
	sim_pci_set_bus_numbers(sim, 0, 1, 1);
	sim_pci_set_memory_window(sim, START, END);
	pci_scan(&windows);
	bridge = container_of(found_at(0, 3), struct pci_function, device);
	assert_int_equal(find(bridge, 0x1000, 0x1000), START);
	assert_int_equal(find(NULL, 0x1000, 0x1000), 0);
}

/* Whatever kind of memory it passes on; ports are another matter. */
static void every_window_of_another_bridge_is_taken(void **state)
{
	const struct pci_window ports = { 0xc000, 0x10000 };
	struct sim_pci_function *sim = sim_pci_add_bridge(NULL, 3, 0);

	(void)state;
	sim_pci_set_bus_numbers(sim, 0, 1, 1);
	sim_pci_set_io_window(sim, 0xc000, 0xd000);
	sim_pci_set_memory_window(sim, START, START + 1 * MIB);
	sim_pci_set_prefetchable_window(sim, START + 1 * MIB, START + 3 * MIB);
	pci_scan(&windows);
	assert_int_equal(pci_find_gap(NULL, &ports, true, 64, 64), 0xd000);
	assert_int_equal(pci_find_gap(NULL, &ports, false, 64, 64), 0xc000);
	assert_int_equal(pci_find_gap(NULL, &windows_memory, false, 0x1000, 0x1000),
			 START + 3 * MIB);
	assert_int_equal(pci_find_gap(NULL, &windows_memory, true, 0x1000, 0x1000), START);
}

static void config_space_itself_is_taken(void **state)
{
	const struct pci_window around = { SIM_PCI_ECAM_BASE, SIM_PCI_ECAM_BASE + 16 * MIB };

	(void)state;
	add_function(NULL, 1, 0);
	assert_int_equal(pci_config_use_ecam(SIM_PCI_ECAM_BASE, 3), 0);
	pci_scan(&windows);
	assert_int_equal(pci_find_gap(NULL, &around, false, MIB, MIB), SIM_PCI_ECAM_BASE + 4 * MIB);
	assert_int_equal(pci_find_gap(NULL, &around, true, MIB, MIB), SIM_PCI_ECAM_BASE);
}

static void address_0_is_never_given(void **state)
{
	const struct pci_window low = { 0, 0x10000 };

	(void)state;
	pci_scan(&windows);
	assert_int_equal(pci_find_gap(NULL, &low, false, 0x1000, 0x1000), 0x1000);
	assert_int_equal(pci_find_gap(NULL, &low, false, 1, 1), 1);
}

static void a_bar_is_found_by_any_of_its_addresses(void **state)
{
	const paddr_t high = UINT64_C(0x100000000);
	struct sim_pci_function *function = add_function(NULL, 1, 0);
	struct sim_pci_function *bridge = sim_pci_add_bridge(NULL, 2, 0);

	(void)state;
	sim_pci_set_bar(function, 0, SIM_PCI_IO, 0x100, 0xc000);
	sim_pci_set_bar(function, 1, SIM_PCI_MEMORY32, 0x2000, START);
	sim_pci_set_bar(function, 2, SIM_PCI_MEMORY64, 4 * GIB, high);
	sim_pci_set_memory_window(bridge, 0xfe800000, 0xfea00000);
	pci_scan(&windows);
	assert_false(pci_has_bar_within(START - 0x1000, START));
	assert_true(pci_has_bar_within(START + 0x1fff, START + 0x2000));
	assert_false(pci_has_bar_within(START + 0x2000, high));
	assert_true(pci_has_bar_within(high + GIB, high + 2 * GIB));
	assert_true(pci_has_bar_within(high - GIB, high + 8 * GIB));
	assert_false(pci_has_bar_within(high + 4 * GIB, high + 8 * GIB));
	/* No port, and no window: nothing answers there. */
	assert_false(pci_has_bar_within(0xc000, 0xc100));
	assert_false(pci_has_bar_within(0xfe800000, 0xfea00000));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(an_empty_range_is_used_from_its_start, setup_bus),
		cmocka_unit_test_setup(what_does_not_fit_has_no_gap, setup_bus),
		cmocka_unit_test_setup(the_first_multiple_after_a_bar_is_found, setup_bus),
		cmocka_unit_test_setup(ports_and_memory_do_not_meet, setup_bus),
		cmocka_unit_test_setup(a_window_is_free_behind_its_own_bridge_only, setup_bus),
		cmocka_unit_test_setup(every_window_of_another_bridge_is_taken, setup_bus),
		cmocka_unit_test_setup(config_space_itself_is_taken, setup_bus),
		cmocka_unit_test_setup(address_0_is_never_given, setup_bus),
		cmocka_unit_test_setup(a_bar_is_found_by_any_of_its_addresses, setup_bus),
	};

	return cmocka_run_group_tests_name("pci_gap", tests, NULL, NULL);
}
