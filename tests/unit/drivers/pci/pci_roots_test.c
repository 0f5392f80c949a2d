/* SPDX-License-Identifier: BSD-2-Clause */
/* Root buses: told, or asked where more may be there, on a simulated bus. */
#include <string.h>

#include "drivers/pci/pci_internal.h"
#include "tests/unit/drivers/pci/pci_fixture.h"

static void tell_roots(uint8_t one, uint8_t other)
{
	uint8_t buses[PCI_BUSES / 8] = { 0 };

	buses[one / 8] |= (uint8_t)(1u << one % 8);
	buses[other / 8] |= (uint8_t)(1u << other % 8);
	pci_set_root_buses(buses, true);
}

static void tell_nothing(void)
{
	pci_set_root_buses((const uint8_t[PCI_BUSES / 8]){ 0 }, false);
}

static void functions_on_other_root_buses_are_found(void **state)
{
	struct sim_pci_function *high = sim_pci_add_root(3, 0x80);
	struct sim_pci_function *low = sim_pci_add_root(4, 0x07);

	(void)state;
	add_function(high, 31, 0);
	add_function(add_bridge(high, 0, 0x80, 0x81, 0x82), 0, 0);
	add_function(low, 0, 0);
	tell_roots(0x80, 0x07);
	assert_string_equal(scan_bus(), "00:03.0 00:04.0 07:00.0 80:00.0 80:1f.0 81:00.0 ");
	assert_null(found_at(0x80, 31)->bridge);
	assert_null(found_at(0x07, 0)->bridge);
	assert_non_null(found_at(0x81, 0)->bridge);
	assert_int_equal(sim_log_warnings, 0);
}

/* The host bridge of bus 0. */
static void add_host_bridge(void)
{
	sim_pci_add(NULL, 0, 0, 0x8086, 0x1237, 0x060000);
}

/* A firmware's own tables, which know nothing of the expander on bus 0. */
static void where_bus_0_has_more_host_bridges_than_buses_are_told_all_are_asked(void **state)
{
	(void)state;
	add_host_bridge();
	add_function(sim_pci_add_root(3, 0x80), 0, 0);
	assert_string_equal(scan_bus(), "00:00.0 00:03.0 80:00.0 ");
	/* Up to the one that must be there, each slot once; what bus 0 has is known. */
	assert_int_equal(sim_pci_highest_bus, 0x80);
	assert_true(sim_pci_reads < (0x80 + 10) * PCI_SLOTS);
	/* One of two is told. */
	add_function(sim_pci_add_root(4, 0x07), 0, 0);
	tell_roots(0x80, 0x80);
	assert_string_equal(scan_bus(), "00:00.0 00:03.0 00:04.0 07:00.0 80:00.0 ");
	/* Bus 0 is no other bus, whoever tells of it. */
	tell_roots(0x80, 0);
	assert_string_equal(scan_bus(), "00:00.0 00:03.0 00:04.0 07:00.0 80:00.0 ");
}

/* In any slot; a function like that of bus 0 in the same slot makes it no bus 0. */
static void a_root_bus_that_must_be_somewhere_is_asked_by_all_slots(void **state)
{
	struct sim_pci_function *root = sim_pci_add_root(3, 0x80);

	(void)state;
	add_host_bridge();
	add_function(NULL, 31, 0);
	add_function(root, 31, 0);
	assert_string_equal(scan_bus(), "00:00.0 00:03.0 00:1f.0 80:1f.0 ");
}

static void where_each_host_bridges_bus_is_told_none_is_asked(void **state)
{
	(void)state;
	add_host_bridge();
	add_function(sim_pci_add_root(3, 0x80), 0, 0);
	add_function(sim_pci_add_root(4, 0x90), 0, 0);
	tell_roots(0x80, 0x90);
	assert_string_equal(scan_bus(), "00:00.0 00:03.0 00:04.0 80:00.0 90:00.0 ");
	assert_true(sim_pci_reads < 200);
	assert_int_equal(sim_pci_highest_bus, 0x90);
}

/* A host bridge behind a bridge stands for no bus. */
static void only_host_bridges_on_bus_0_count(void **state)
{
	struct sim_pci_function *bridge = add_bridge(NULL, 1, 0, 1, 1);

	(void)state;
	add_host_bridge();
	sim_pci_add(bridge, 0, 0, 0x8086, 0x1237, 0x060000);
	assert_string_equal(scan_bus(), "00:00.0 00:01.0 01:00.0 ");
	assert_int_equal(sim_pci_highest_bus, 1);
}

/* A chipset's other functions, of the same class, stand for none either. */
static void only_host_bridges_of_function_0_count(void **state)
{
	(void)state;
	for (unsigned i = 0; i < PCI_FUNCTIONS; i++)
		sim_pci_put(sim_pci_add(NULL, 0, i, 0x1106, 0x0204, 0x060000), 0x0e, 1, 0x80);
	assert_string_equal(scan_bus(), "00:00.0 00:00.1 00:00.2 00:00.3 00:00.4 00:00.5 00:00.6 "
					"00:00.7 ");
	assert_int_equal(sim_pci_highest_bus, 0);
}

/* One that is told is none of those that were found by asking; several functions are one. */
static void buses_are_asked_until_none_is_missing(void **state)
{
	struct sim_pci_function *first = sim_pci_add_root(3, 0x10);
	struct sim_pci_function *port = sim_pci_add_bridge(first, 1, 0);

	(void)state;
	add_host_bridge();
	add_function(first, 0, 0);
	add_function(port, 0, 0);
	add_function(sim_pci_add_root(4, 0x20), 0, 0);
	add_function(sim_pci_add_root(5, 0x30), 7, 0);
	tell_roots(0x20, 0x20);
	assert_string_equal(scan_bus(), "00:00.0 00:03.0 00:04.0 00:05.0 10:00.0 10:01.0 11:00.0 "
					"20:00.0 30:07.0 ");
	assert_int_equal(sim_pci_highest_bus, 0x30);
}

/* Some are told, by tables that compute others. */
static void what_is_told_counts_beside_what_is_asked(void **state)
{
	static const uint8_t one[PCI_BUSES / 8] = { [0x80 / 8] = 1 };
	struct sim_pci_function *empty_slot_0 = sim_pci_add_root(3, 0x80);

	(void)state;
	add_function(empty_slot_0, 5, 0);
	add_function(sim_pci_add_root(4, 0x07), 0, 0);
	add_function(sim_pci_add_bridge(NULL, 5, 0), 0, 0);
	pci_set_root_buses(one, false);
	assert_string_equal(scan_bus(), "00:03.0 00:04.0 00:05.0 01:00.0 07:00.0 80:05.0 ");
}

/* Without a word of ACPI there is bus 0, and nothing else is read. */
static void a_root_bus_that_nobody_told_of_is_not_read(void **state)
{
	(void)state;
	add_function(sim_pci_add_root(3, 0x80), 0, 0);
	assert_string_equal(scan_bus(), "00:03.0 ");
	assert_int_equal(sim_pci_highest_bus, 0);
	/* Nor is one beyond the last bus. */
	assert_int_equal(pci_config_use_ecam(SIM_PCI_ECAM_BASE, 0x7f), 0);
	tell_roots(0x80, 0xff);
	assert_string_equal(scan_bus(), "00:03.0 ");
}

/* The bridges of bus 0 get the numbers below the next root bus, those of that its own. */
static void bridges_get_the_numbers_of_their_root_bus(void **state)
{
	struct sim_pci_function *a = sim_pci_add_bridge(NULL, 1, 0);
	struct sim_pci_function *root = sim_pci_add_root(3, 0x08);
	struct sim_pci_function *b = sim_pci_add_bridge(root, 0, 0);

	(void)state;
	add_function(a, 0, 0);
	add_function(b, 0, 0);
	tell_roots(0x08, 0x40);
	assert_string_equal(scan_bus(), "00:01.0 00:03.0 01:00.0 08:00.0 09:00.0 ");
	assert_bus_numbers(a, 0, 1, 1);
	assert_bus_numbers(b, 8, 9, 9);
}

/* A firmware that knew nothing of the root bus gave its number away. */
static void a_bridge_does_not_keep_the_number_of_a_root_bus(void **state)
{
	struct sim_pci_function *bridge = add_bridge(NULL, 1, 0, 7, 9);

	(void)state;
	add_function(bridge, 0, 0);
	add_function(sim_pci_add_root(3, 0x08), 0, 0);
	tell_roots(0x08, 0x08);
	assert_string_equal(scan_bus(), "00:01.0 00:03.0 01:00.0 08:00.0 ");
	assert_int_equal(sim_log_warnings, 1);
}

/* One that no host bridge on bus 0 stands for. */
static struct sim_pci_function *add_root_of_its_own(unsigned device, uint8_t bus)
{
	struct sim_pci_function *root = sim_pci_add_root(device, bus);

	sim_pci_put(root, 0x0a, 2, 0x0880);
	return root;
}

static void without_acpi_each_free_bus_is_asked_once(void **state)
{
	struct sim_pci_function *bridge = add_bridge(NULL, 1, 0, 1, 3);

	(void)state;
	add_function(bridge, 0, 0);
	add_function(add_root_of_its_own(3, 0x80), 0, 0);
	add_function(add_root_of_its_own(4, 0xff), 0, 0);
	tell_nothing();
	assert_string_equal(scan_bus(), "00:01.0 00:03.0 00:04.0 01:00.0 80:00.0 ff:00.0 ");
	assert_true(sim_pci_reads < 1000);
}

/* What was found behind one root bus is not found again behind the next. */
static void without_acpi_root_buses_share_no_numbers(void **state)
{
	struct sim_pci_function *low = add_bridge(NULL, 1, 0, 0x90, 0x91);
	struct sim_pci_function *root = sim_pci_add_root(3, 0x80);
	struct sim_pci_function *high = add_bridge(root, 0, 0x80, 0x90, 0x91);

	(void)state;
	add_function(low, 0, 0);
	add_function(high, 0, 0);
	tell_nothing();
	assert_string_equal(scan_bus(), "00:01.0 00:03.0 80:00.0 81:00.0 90:00.0 ");
	assert_bus_numbers(low, 0, 0x90, 0x91);
	assert_bus_numbers(high, 0x80, 0x81, 0x81);
	assert_int_equal(sim_log_warnings, 1);
}

/* A machine that does not look at bus numbers has one bus, and not 256. */
static void a_bus_that_is_bus_0_again_is_no_root_bus(void **state)
{
	struct sim_pci_function *bridge = sim_pci_add(NULL, 0, 0, 0x8086, 0x1237, 0x060000);
	struct sim_pci_function *again = sim_pci_add_root(3, 0x20);

	(void)state;
	(void)bridge;
	sim_pci_add(again, 0, 0, 0x8086, 0x1237, 0x060000);
	sim_pci_add(again, 3, 0, 0x1b36, 0x0009, 0x060000);
	tell_nothing();
	assert_string_equal(scan_bus(), "00:00.0 00:03.0 ");
}

/* By either sign of that; nor is one whose first slot is that of bus 0, if only that is asked. */
static void a_bus_without_a_function_of_its_own_is_no_root_bus(void **state)
{
	(void)state;
	add_host_bridge();
	sim_pci_add(add_root_of_its_own(3, 0x20), 0, 0, 0x8086, 0x1237, 0x060000);
	sim_pci_add(add_root_of_its_own(4, 0x30), 0, 0, 0, 0x1237, 0x060000);
	sim_pci_add(add_root_of_its_own(5, 0x40), 0, 0, 1, 0x1237, 0x060000);
	tell_nothing();
	assert_string_equal(scan_bus(), "00:00.0 00:03.0 00:04.0 00:05.0 40:00.0 ");
}

#define TEST(name) cmocka_unit_test_setup(name, setup_bus)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(functions_on_other_root_buses_are_found),
		TEST(where_bus_0_has_more_host_bridges_than_buses_are_told_all_are_asked),
		TEST(a_root_bus_that_must_be_somewhere_is_asked_by_all_slots),
		TEST(where_each_host_bridges_bus_is_told_none_is_asked),
		TEST(only_host_bridges_on_bus_0_count),
		TEST(only_host_bridges_of_function_0_count),
		TEST(buses_are_asked_until_none_is_missing),
		TEST(what_is_told_counts_beside_what_is_asked),
		TEST(a_root_bus_that_nobody_told_of_is_not_read),
		TEST(bridges_get_the_numbers_of_their_root_bus),
		TEST(a_bridge_does_not_keep_the_number_of_a_root_bus),
		TEST(without_acpi_each_free_bus_is_asked_once),
		TEST(without_acpi_root_buses_share_no_numbers),
		TEST(a_bus_that_is_bus_0_again_is_no_root_bus),
		TEST(a_bus_without_a_function_of_its_own_is_no_root_bus),
	};

	return cmocka_run_group_tests_name("pci_roots", tests, NULL, NULL);
}
