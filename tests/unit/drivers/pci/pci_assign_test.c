/* SPDX-License-Identifier: BSD-2-Clause */
/* Addresses for what has none, on a simulated bus. */
#include <string.h>

#include "tests/unit/drivers/pci/pci_fixture.h"

#define LOW SIM_PCI_MEMORY32
#define WIDE SIM_PCI_MEMORY64
#define PREFETCHABLE SIM_PCI_PREFETCHABLE

/* All that has an address afterwards has a good one. */
static void scan(unsigned unassigned, unsigned warnings)
{
	pci_scan(&windows);
	assert_null(sim_pci_violation);
	assert_null(sim_pci_layout_fault(&windows));
	assert_int_equal(sim_pci_unassigned(), unassigned);
	assert_int_equal(sim_log_warnings, warnings);
}

/* ---- The root bus ---- */

static void nothing_that_the_firmware_placed_is_moved(void **state)
{
	struct sim_pci_function *a = add_function(NULL, 1, 0);
	struct sim_pci_function *bridge = sim_pci_add_bridge(NULL, 2, 0);
	struct sim_pci_function *b = add_function(bridge, 0, 0);
	uint8_t before[3][SIM_PCI_CONFIG_SIZE];

	(void)state;
	sim_pci_set_bar(a, 0, SIM_PCI_IO, 64, 0xc040);
	sim_pci_set_bar(a, 1, LOW, 4096, 0xfebf1000);
	sim_pci_set_bar(a, 4, WIDE | PREFETCHABLE, 16384, UINT64_C(0x100000000));
	sim_pci_set_bus_numbers(bridge, 0, 1, 1);
	sim_pci_set_io_window(bridge, 0xd000, 0xe000);
	sim_pci_set_memory_window(bridge, 0xfe800000, 0xfea00000);
	sim_pci_set_prefetchable_window(bridge, UINT64_C(0x200000000), UINT64_C(0x200200000));
	sim_pci_set_bar(b, 0, SIM_PCI_IO, 64, 0xd000);
	sim_pci_set_bar(b, 1, LOW, 4096, 0xfe800000);
	sim_pci_set_bar(b, 4, WIDE | PREFETCHABLE, 16384, UINT64_C(0x200000000));
	memcpy(before[0], a->config, sizeof(before[0]));
	memcpy(before[1], bridge->config, sizeof(before[1]));
	memcpy(before[2], b->config, sizeof(before[2]));
	scan(0, 0);
	assert_memory_equal(a->config, before[0], sizeof(before[0]));
	assert_memory_equal(bridge->config, before[1], sizeof(before[1]));
	assert_memory_equal(b->config, before[2], sizeof(before[2]));
}

/* All root buses have the machine's windows in common. */
static void functions_on_two_root_buses_share_the_windows(void **state)
{
	static const uint8_t roots[PCI_BUSES / 8] = { [0x80 / 8] = 1 };
	struct sim_pci_function *root = sim_pci_add_root(3, 0x80);
	struct sim_pci_function *there = add_function(root, 1, 0);
	struct sim_pci_function *behind = add_function(sim_pci_add_bridge(root, 2, 0), 0, 0);
	struct sim_pci_function *here = add_function(NULL, 1, 0);

	(void)state;
	sim_pci_set_bar(here, 0, SIM_PCI_IO, 64, 0);
	sim_pci_set_bar(here, 1, LOW, 4096, 0);
	sim_pci_set_bar(there, 0, SIM_PCI_IO, 64, 0);
	sim_pci_set_bar(there, 1, LOW, 4096, 0);
	sim_pci_set_bar(behind, 0, SIM_PCI_IO, 64, 0);
	sim_pci_set_bar(behind, 1, LOW, 4096, 0);
	pci_set_root_buses(roots, true);
	scan(0, 0);
	assert_true(sim_pci_bar_address(there, 1) != sim_pci_bar_address(here, 1));
	assert_non_null(found_at(0x81, 0)->bridge);
}

static void everything_is_placed_where_nothing_was(void **state)
{
	struct sim_pci_function *a = add_function(NULL, 1, 0);
	struct sim_pci_function *b = add_function(NULL, 2, 0);
	const struct pci_device *d;

	(void)state;
	sim_pci_set_bar(a, 0, SIM_PCI_IO, 64, 0);
	sim_pci_set_bar(a, 1, LOW, 4096, 0);
	sim_pci_set_bar(a, 4, WIDE | PREFETCHABLE, 16384, 0);
	sim_pci_set_bar(b, 0, LOW | PREFETCHABLE, 16 * MIB, 0);
	sim_pci_set_bar(b, 2, LOW, 65536, 0);
	scan(0, 0);
	/* The large ones first, so that no room is lost between them. */
	assert_int_equal(sim_pci_bar_address(b, 0), 0xc0000000);
	assert_int_equal(sim_pci_bar_address(b, 2), 0xc1000000);
	assert_int_equal(sim_pci_bar_address(a, 1), 0xc1010000);
	assert_int_equal(sim_pci_bar_address(a, 4), 0xc1014000);
	assert_int_equal(sim_pci_bar_address(a, 0), 0xc000);
	d = found_at(0, 1);
	assert_int_equal(d->bar[0].address, 0xc000);
	assert_int_equal(d->bar[1].address, 0xc1010000);
	assert_int_equal(d->bar[4].address, 0xc1014000);
	/* Decoding is the driver's decision. */
	assert_int_equal(sim_pci_get(a, 4, 2), 0);
}

static void new_addresses_go_around_old_ones(void **state)
{
	struct sim_pci_function *a = add_function(NULL, 1, 0);
	struct sim_pci_function *b = add_function(NULL, 2, 0);

	(void)state;
	sim_pci_set_bar(a, 0, LOW, 65536, 0xc0000000);
	sim_pci_set_bar(a, 1, LOW, 4096, 0xc0011000);
	sim_pci_set_bar(a, 2, SIM_PCI_IO, 32, 0xc000);
	sim_pci_set_bar(b, 0, LOW, 4096, 0);
	sim_pci_set_bar(b, 1, LOW, 8192, 0);
	sim_pci_set_bar(b, 2, SIM_PCI_IO, 64, 0);
	scan(0, 0);
	assert_int_equal(sim_pci_bar_address(b, 0), 0xc0010000);
	assert_int_equal(sim_pci_bar_address(b, 1), 0xc0012000);
	assert_int_equal(sim_pci_bar_address(b, 2), 0xc040);
}

static void new_addresses_go_around_config_space(void **state)
{
	struct sim_pci_function *a = add_function(NULL, 1, 0);
	struct pci_windows around = windows;

	(void)state;
	assert_int_equal(pci_config_use_ecam(SIM_PCI_ECAM_BASE, 255), 0);
	sim_pci_set_bar(a, 0, LOW, 4096, 0);
	around.memory_start = SIM_PCI_ECAM_BASE;
	pci_scan(&around);
	assert_int_equal(sim_pci_bar_address(a, 0), SIM_PCI_ECAM_BASE + 256 * MIB);
}

static void a_large_64_bit_bar_goes_above_4_gib(void **state)
{
	struct sim_pci_function *a = add_function(NULL, 1, 0);
	struct sim_pci_function *b = add_function(NULL, 2, 0);

	(void)state;
	sim_pci_set_bar(a, 0, WIDE, 8 * GIB, 0);
	sim_pci_set_bar(a, 2, WIDE, 4096, 0);
	sim_pci_set_bar(b, 0, LOW, 512 * MIB, 0);
	sim_pci_set_bar(b, 2, WIDE, 512 * MIB, 0);
	scan(0, 0);
	assert_int_equal(sim_pci_bar_address(a, 0), UINT64_C(0x200000000));
	assert_int_equal(sim_pci_bar_address(b, 0), 0xc0000000);
	assert_int_equal(sim_pci_bar_address(b, 2), UINT64_C(0x100000000));
	assert_int_equal(sim_pci_bar_address(a, 2), 0xe0000000);
}

static void what_does_not_fit_has_no_address_and_is_told(void **state)
{
	struct sim_pci_function *a = add_function(NULL, 1, 0);
	struct sim_pci_function *b = add_function(NULL, 2, 0);

	(void)state;
	sim_pci_set_bar(a, 0, WIDE, 64 * GIB, 0);
	sim_pci_set_bar(a, 2, LOW, 2 * GIB, 0);
	sim_pci_set_bar(b, 0, LOW, 4096, 0);
	scan(2, 2);
	assert_int_equal(found_at(0, 1)->bar[0].address, 0);
	assert_int_equal(found_at(0, 1)->bar[2].address, 0);
	assert_int_equal(sim_pci_bar_address(b, 0), 0xc0000000);
}

static void a_32_bit_bar_stays_below_4_gib(void **state)
{
	struct sim_pci_function *a = add_function(NULL, 1, 0);
	struct pci_windows odd = windows;

	(void)state;
	odd.memory_start = UINT64_C(0xfffff000);
	odd.memory_end = UINT64_C(0x200000000);
	sim_pci_set_bar(a, 0, LOW, 4096, 0);
	sim_pci_set_bar(a, 1, LOW, 4096, 0);
	pci_scan(&odd);
	assert_int_equal(sim_pci_bar_address(a, 0), 0xfffff000);
	assert_int_equal(sim_pci_bar_address(a, 1), 0);
	assert_non_null(strstr(sim_log_warning, "no room"));
}

static void windows_that_are_empty_give_nothing(void **state)
{
	static const struct pci_windows none;
	struct sim_pci_function *a = add_function(NULL, 1, 0);

	(void)state;
	sim_pci_set_bar(a, 0, LOW, 4096, 0);
	sim_pci_set_bar(a, 1, SIM_PCI_IO, 64, 0);
	sim_pci_set_bar(a, 2, WIDE, 4096, 0);
	pci_scan(&none);
	assert_int_equal(sim_pci_unassigned(), 3);
}

static void address_zero_is_never_given(void **state)
{
	struct sim_pci_function *a = add_function(NULL, 1, 0);
	struct pci_windows zero = windows;

	(void)state;
	zero.memory_start = 0;
	zero.io_start = 0;
	sim_pci_set_bar(a, 0, LOW, 4096, 0);
	sim_pci_set_bar(a, 1, SIM_PCI_IO, 64, 0);
	pci_scan(&zero);
	assert_int_equal(sim_pci_bar_address(a, 0), 4096);
	assert_int_equal(sim_pci_bar_address(a, 1), 64);
}

/* ---- Behind bridges ---- */

static void a_new_device_goes_into_a_gap_of_its_bridges_window(void **state)
{
	struct sim_pci_function *bridge = sim_pci_add_bridge(NULL, 2, 0);
	struct sim_pci_function *old = add_function(bridge, 0, 0);
	struct sim_pci_function *fresh = add_function(bridge, 1, 0);

	(void)state;
	sim_pci_set_bus_numbers(bridge, 0, 1, 1);
	sim_pci_set_io_window(bridge, 0xd000, 0xe000);
	sim_pci_set_memory_window(bridge, 0xfe800000, 0xfea00000);
	sim_pci_set_prefetchable_window(bridge, UINT64_C(0x800000000), UINT64_C(0x800200000));
	sim_pci_set_bar(old, 0, LOW, 4096, 0xfe800000);
	sim_pci_set_bar(old, 1, LOW, 4096, 0xfe802000);
	sim_pci_set_bar(old, 2, SIM_PCI_IO, 64, 0xd000);
	sim_pci_set_bar(fresh, 0, SIM_PCI_IO, 64, 0);
	sim_pci_set_bar(fresh, 1, LOW, 4096, 0);
	sim_pci_set_bar(fresh, 4, WIDE | PREFETCHABLE, 16384, 0);
	scan(0, 0);
	assert_int_equal(sim_pci_bar_address(fresh, 0), 0xd040);
	assert_int_equal(sim_pci_bar_address(fresh, 1), 0xfe801000);
	assert_int_equal(sim_pci_bar_address(fresh, 4), UINT64_C(0x800000000));
	assert_int_equal(sim_pci_get(bridge, 0x20, 4), 0xfe90fe80);
}

static void a_64_bit_bar_goes_below_4_gib_behind_a_bridge_without_another_window(void **state)
{
	struct sim_pci_function *bridge = sim_pci_add_bridge(NULL, 2, 0);
	struct sim_pci_function *fresh = add_function(bridge, 0, 0);

	(void)state;
	sim_pci_set_bus_numbers(bridge, 0, 1, 1);
	sim_pci_set_memory_window(bridge, 0xfe800000, 0xfea00000);
	sim_pci_set_bar(fresh, 4, WIDE | PREFETCHABLE, 16384, 0);
	scan(0, 0);
	assert_int_equal(sim_pci_bar_address(fresh, 4), 0xfe800000);
}

static void a_64_bit_bar_that_is_not_prefetchable_stays_out_of_that_window(void **state)
{
	struct sim_pci_function *bridge = sim_pci_add_bridge(NULL, 2, 0);
	struct sim_pci_function *fresh = add_function(bridge, 0, 0);

	(void)state;
	sim_pci_set_bus_numbers(bridge, 0, 1, 1);
	sim_pci_set_memory_window(bridge, 0xfe800000, 0xfea00000);
	sim_pci_set_prefetchable_window(bridge, UINT64_C(0x800000000), UINT64_C(0x800200000));
	sim_pci_set_bar(fresh, 4, WIDE, 16384, 0);
	scan(0, 0);
	assert_int_equal(sim_pci_bar_address(fresh, 4), 0xfe800000);
}

static void a_full_window_leaves_a_new_device_without(void **state)
{
	struct sim_pci_function *bridge = sim_pci_add_bridge(NULL, 2, 0);
	struct sim_pci_function *fresh = add_function(bridge, 0, 0);

	(void)state;
	sim_pci_set_bus_numbers(bridge, 0, 1, 1);
	sim_pci_set_memory_window(bridge, 0xfe800000, 0xfea00000);
	sim_pci_set_bar(fresh, 0, LOW, 4 * MIB, 0);
	sim_pci_set_bar(fresh, 1, LOW, 4096, 0);
	scan(1, 1);
	assert_int_equal(sim_pci_bar_address(fresh, 1), 0xfe800000);
}

static void a_closed_window_is_opened_for_a_new_device(void **state)
{
	struct sim_pci_function *bridge = sim_pci_add_bridge(NULL, 2, 0);
	struct sim_pci_function *fresh = add_function(bridge, 0, 0);

	(void)state;
	sim_pci_set_bus_numbers(bridge, 0, 1, 1);
	sim_pci_set_memory_window(bridge, 0xfe800000, 0xfea00000);
	sim_pci_put(bridge, 0x1c, 2, 0x01f1);
	sim_pci_put(bridge, 0x04, 2, 0x0006);
	sim_pci_set_bar(fresh, 0, SIM_PCI_IO, 64, 0);
	scan(0, 0);
	assert_int_equal(sim_pci_bar_address(fresh, 0), 0xc000);
	assert_int_equal(sim_pci_get(bridge, 0x1c, 2), 0xc1c1);
}

static void an_address_that_the_bridge_does_not_pass_on_is_replaced(void **state)
{
	struct sim_pci_function *bridge = sim_pci_add_bridge(NULL, 2, 0);
	struct sim_pci_function *fresh = add_function(bridge, 0, 0);

	(void)state;
	sim_pci_set_bus_numbers(bridge, 0, 1, 1);
	sim_pci_set_memory_window(bridge, 0xfe800000, 0xfea00000);
	sim_pci_set_bar(fresh, 0, LOW, 4096, 0xfd000000);
	scan(0, 1);
	assert_int_equal(sim_pci_bar_address(fresh, 0), 0xfe800000);
}

static void a_bridge_that_nobody_set_up_gets_windows_for_what_is_behind_it(void **state)
{
	struct sim_pci_function *bridge = sim_pci_add_bridge(NULL, 2, 0);
	struct sim_pci_function *a = add_function(bridge, 0, 0);
	struct sim_pci_function *b = add_function(bridge, 1, 0);

	(void)state;
	sim_pci_set_bar(a, 0, SIM_PCI_IO, 64, 0);
	sim_pci_set_bar(a, 1, LOW, 4096, 0);
	sim_pci_set_bar(a, 4, WIDE | PREFETCHABLE, 16384, 0);
	sim_pci_set_bar(b, 0, LOW, 4 * MIB, 0);
	scan(0, 0);
	/* 4 MiB, 16 KiB and 4 KiB need 5 MiB. */
	assert_int_equal(sim_pci_get(bridge, 0x20, 4), 0xc040c000);
	assert_int_equal(sim_pci_get(bridge, 0x1c, 2), 0xc1c1);
	assert_int_equal(sim_pci_get(bridge, 0x24, 4), 0x0001fff1);
}

static void an_empty_bridge_gets_room_for_a_device_to_come(void **state)
{
	struct sim_pci_function *bridge = sim_pci_add_bridge(NULL, 2, 0);
	struct sim_pci_function *fresh;

	(void)state;
	scan(0, 0);
	assert_int_equal(sim_pci_get(bridge, 0x20, 4), 0xc010c000);
	assert_int_equal(sim_pci_get(bridge, 0x1c, 2), 0xc1c1);
	fresh = add_function(bridge, 0, 0);
	sim_pci_set_bar(fresh, 0, SIM_PCI_IO, 64, 0);
	sim_pci_set_bar(fresh, 1, LOW, 4096, 0);
	sim_pci_set_bar(fresh, 4, WIDE | PREFETCHABLE, 16384, 0);
	scan(0, 0);
}

static void windows_that_the_firmware_closed_stay_closed_without_need(void **state)
{
	struct sim_pci_function *bridge = sim_pci_add_bridge(NULL, 2, 0);

	(void)state;
	sim_pci_set_bus_numbers(bridge, 0, 1, 1);
	sim_pci_put(bridge, 0x1c, 2, 0x01f1);
	sim_pci_put(bridge, 0x20, 4, 0x0000fff0);
	sim_pci_put(bridge, 0x24, 4, 0x0001fff1);
	scan(0, 0);
	assert_int_equal(sim_pci_get(bridge, 0x1c, 2), 0x01f1);
	assert_int_equal(sim_pci_get(bridge, 0x20, 4), 0x0000fff0);
}

static void a_window_is_aligned_for_what_goes_into_it(void **state)
{
	struct sim_pci_function *bridge = sim_pci_add_bridge(NULL, 2, 0);
	struct sim_pci_function *a = add_function(bridge, 0, 0);

	(void)state;
	sim_pci_set_bar(add_function(NULL, 1, 0), 0, LOW, MIB, 0xc0000000);
	sim_pci_set_bar(a, 0, LOW, 8 * MIB, 0);
	scan(0, 0);
	assert_int_equal(sim_pci_bar_address(a, 0), 0xc0800000);
}

static void devices_come_before_bridges_that_are_empty(void **state)
{
	struct sim_pci_function *a = add_function(NULL, 31, 0);

	(void)state;
	for (unsigned slot = 1; slot < 20; slot++)
		sim_pci_add_bridge(sim_pci_add_bridge(NULL, slot, 0), 0, 0);
	sim_pci_set_bar(a, 0, SIM_PCI_IO, 64, 0);
	/* The ports are enough for three more windows: that is no fault. */
	scan(0, 0);
	assert_int_equal(sim_pci_bar_address(a, 0), 0xc000);
}

static void a_bridge_without_ports_still_has_memory(void **state)
{
	struct sim_pci_function *bridge = sim_pci_add_bridge(NULL, 2, 0);
	struct sim_pci_function *a = add_function(bridge, 0, 0);

	(void)state;
	memset(bridge->writable + 0x1c, 0, 2);
	sim_pci_put(bridge, 0x1c, 2, 0);
	sim_pci_set_bar(a, 0, SIM_PCI_IO, 64, 0);
	sim_pci_set_bar(a, 1, LOW, 4096, 0);
	/* The window's failure is told, and the BAR's. */
	scan(1, 2);
	assert_int_equal(sim_pci_bar_address(a, 1), 0xc0000000);
}

static void bridges_behind_bridges_get_windows_within_each_other(void **state)
{
	struct sim_pci_function *outer = sim_pci_add_bridge(NULL, 2, 0);
	struct sim_pci_function *inner = sim_pci_add_bridge(outer, 0, 0);
	struct sim_pci_function *other = sim_pci_add_bridge(outer, 1, 0);
	struct sim_pci_function *a = add_function(inner, 0, 0);
	struct sim_pci_function *b = add_function(outer, 3, 0);
	struct sim_pci_function *c = add_function(other, 3, 0);

	(void)state;
	sim_pci_set_bar(a, 0, SIM_PCI_IO, 256, 0);
	sim_pci_set_bar(a, 1, LOW, 8 * MIB, 0);
	sim_pci_set_bar(b, 0, SIM_PCI_IO, 64, 0);
	sim_pci_set_bar(b, 1, LOW, MIB, 0);
	sim_pci_set_bar(c, 1, LOW, 65536, 0);
	scan(0, 0);
	assert_int_equal(sim_pci_bar_address(a, 1), 0xc0000000);
}

static void a_large_64_bit_bar_behind_bridges_goes_above_4_gib(void **state)
{
	struct sim_pci_function *outer = sim_pci_add_bridge(NULL, 2, 0);
	struct sim_pci_function *inner = sim_pci_add_bridge(outer, 0, 0);
	struct sim_pci_function *a = add_function(inner, 0, 0);

	(void)state;
	sim_pci_set_bar(a, 0, WIDE | PREFETCHABLE, 4 * GIB, 0);
	sim_pci_set_bar(a, 2, LOW, 4096, 0);
	scan(0, 0);
	assert_int_equal(sim_pci_bar_address(a, 0), UINT64_C(0x100000000));
}

static void a_bar_that_cannot_fit_does_not_take_the_others_down(void **state)
{
	struct sim_pci_function *bridge = sim_pci_add_bridge(NULL, 2, 0);
	struct sim_pci_function *a = add_function(bridge, 0, 0);

	(void)state;
	sim_pci_set_bar(a, 0, WIDE, 4 * GIB, 0); /* not prefetchable */
	sim_pci_set_bar(a, 2, LOW, 4096, 0);
	scan(1, 1);
	assert_int_equal(sim_pci_bar_address(a, 2), 0xc0000000);
}

static void a_device_beside_a_bridge_stays_out_of_its_window(void **state)
{
	struct sim_pci_function *bridge = sim_pci_add_bridge(NULL, 2, 0);
	struct sim_pci_function *a = add_function(NULL, 3, 0);

	(void)state;
	sim_pci_set_bus_numbers(bridge, 0, 1, 1);
	sim_pci_set_memory_window(bridge, 0xc0000000, 0xc0200000);
	sim_pci_set_bar(a, 0, LOW, 4096, 0);
	scan(0, 0);
	assert_int_equal(sim_pci_bar_address(a, 0), 0xc0200000);
}

/* ---- Windows, to the byte ---- */

/* A bridge's registers: ports, memory, and prefetchable memory below 4 GiB. */
static void assert_windows(const struct sim_pci_function *bridge, uint32_t io, uint32_t memory,
			   uint32_t prefetchable)
{
	assert_int_equal(sim_pci_get(bridge, 0x1c, 2), io);
	assert_int_equal(sim_pci_get(bridge, 0x20, 4), memory);
	assert_int_equal(sim_pci_get(bridge, 0x24, 4), prefetchable);
}

#define IO_CLOSED 0x01f1
#define CLOSED 0x0000fff0
#define WIDE_CLOSED 0x0001fff1

/* As by a firmware that left nothing open. */
static struct sim_pci_function *add_closed_bridge(unsigned slot)
{
	struct sim_pci_function *bridge = sim_pci_add_bridge(NULL, slot, 0);

	sim_pci_set_bus_numbers(bridge, 0, (uint8_t)slot, (uint8_t)slot);
	sim_pci_put(bridge, 0x1c, 2, IO_CLOSED);
	sim_pci_put(bridge, 0x20, 4, CLOSED);
	sim_pci_put(bridge, 0x24, 4, WIDE_CLOSED);
	return bridge;
}

static void a_window_for_prefetchable_memory_is_for_large_bars(void **state)
{
	struct sim_pci_function *large = add_closed_bridge(1);
	struct sim_pci_function *small = add_closed_bridge(2);
	struct sim_pci_function *ports = add_closed_bridge(3);

	(void)state;
	sim_pci_set_bar(add_function(large, 0, 0), 0, WIDE | PREFETCHABLE, 64 * MIB, 0);
	sim_pci_set_bar(add_function(small, 0, 0), 0, WIDE | PREFETCHABLE, 32 * MIB, 0);
	sim_pci_set_bar(add_function(ports, 0, 0), 0, SIM_PCI_IO, 4096, 0);
	scan(0, 0);
	assert_windows(large, IO_CLOSED, CLOSED, 0xc7f1c401);
	assert_int_equal(sim_pci_get(large, 0x28, 4), 0);
	assert_windows(small, IO_CLOSED, 0xc1f0c000, WIDE_CLOSED);
	assert_windows(ports, 0xc1c1, CLOSED, WIDE_CLOSED);
}

/* Nor has it one if there is nothing up there. */
static void a_bridge_that_cannot_reach_far_has_no_window_there(void **state)
{
	struct sim_pci_function *outer = add_closed_bridge(1);
	struct sim_pci_function *inner = sim_pci_add_bridge(outer, 0, 0);
	struct sim_pci_function *f = add_function(inner, 0, 0);
	struct pci_windows low = windows;

	(void)state;
	sim_pci_set_bus_numbers(outer, 0, 1, 2);
	sim_pci_set_bus_numbers(inner, 1, 2, 2);
	sim_pci_put(inner, 0x1c, 2, IO_CLOSED);
	sim_pci_put(inner, 0x20, 4, CLOSED);
	sim_pci_put(inner, 0x24, 4, WIDE_CLOSED);
	sim_pci_put(outer, 0x24, 4, CLOSED);
	sim_pci_set_bar(f, 0, WIDE | PREFETCHABLE, 64 * MIB, 0);
	scan(0, 0);
	assert_windows(inner, IO_CLOSED, 0xc3f0c000, WIDE_CLOSED);
	assert_windows(outer, IO_CLOSED, 0xc3f0c000, CLOSED);
	setup_bus(NULL);
	low.memory64_end = low.memory64_start;
	outer = add_closed_bridge(1);
	sim_pci_set_bar(add_function(outer, 0, 0), 0, WIDE | PREFETCHABLE, 64 * MIB, 0);
	pci_scan(&low);
	assert_windows(outer, IO_CLOSED, 0xc3f0c000, WIDE_CLOSED);
}

static void an_empty_bridge_gets_the_least_windows(void **state)
{
	struct sim_pci_function *bridge = sim_pci_add_bridge(NULL, 2, 0);

	(void)state;
	scan(0, 0);
	assert_windows(bridge, 0xc1c1, 0xc010c000, WIDE_CLOSED);
}

static void equal_ones_are_placed_in_the_order_of_the_bus(void **state)
{
	struct sim_pci_function *a = add_function(NULL, 1, 0);
	struct sim_pci_function *b = add_function(NULL, 2, 0);

	(void)state;
	sim_pci_set_bar(a, 0, LOW, 4096, 0);
	sim_pci_set_bar(a, 1, LOW, 4096, 0);
	sim_pci_set_bar(b, 0, LOW, 4096, 0);
	scan(0, 0);
	assert_int_equal(sim_pci_bar_address(a, 0), 0xc0000000);
	assert_int_equal(sim_pci_bar_address(a, 1), 0xc0001000);
	assert_int_equal(sim_pci_bar_address(b, 0), 0xc0002000);
}

/* 86 functions of 6 BARs want 516. */
static void more_bars_than_fit_into_the_table_are_left_and_told_once(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 86; i++) {
		struct sim_pci_function *f = add_function(NULL, i / 8, i % 8);

		if (i % 8 == 0)
			sim_pci_set_multifunction(f);
		for (unsigned bar = 0; bar < 6; bar++)
			sim_pci_set_bar(f, bar, LOW, 4096, 0);
	}
	scan(4, 1);
	assert_string_equal(sim_log_warning, "pci: more than 512 addresses are wanted on one bus");
	/* Once a scan. */
	sim_log_reset();
	sim_pci_set_bar(add_function(NULL, 30, 0), 0, LOW, 4096, 0);
	scan(0, 0);
}

/* Half of the memory is the most that a window of a bridge may want for one BAR. */
static void a_bar_of_half_the_memory_has_a_window(void **state)
{
	struct pci_windows half = windows;
	struct sim_pci_function *bridge = add_closed_bridge(2);
	struct sim_pci_function *f = add_function(bridge, 0, 0);

	(void)state;
	half.memory_end = 0xe0000000;
	sim_pci_set_bar(f, 0, LOW, 256 * MIB, 0);
	sim_pci_set_bar(f, 1, LOW, 4096, 0);
	pci_scan(&half);
	assert_windows(bridge, IO_CLOSED, 0xd000c000, WIDE_CLOSED);
	assert_int_equal(sim_log_warnings, 0);
	setup_bus(NULL);
	bridge = add_closed_bridge(2);
	f = add_function(bridge, 0, 0);
	sim_pci_set_bar(f, 0, LOW, 512 * MIB, 0);
	sim_pci_set_bar(f, 1, LOW, 4096, 0);
	pci_scan(&half);
	assert_windows(bridge, IO_CLOSED, 0xc010c000, WIDE_CLOSED);
	assert_int_equal(sim_pci_bar_address(f, 1), 0xc0000000);
	assert_int_equal(sim_log_warnings, 1);
}

/* An address that is not within one of its bridge's windows, and of the right kind, is none. */
static void an_address_counts_if_all_of_it_is_passed_on(void **state)
{
	static const struct {
		unsigned flags;
		uint64_t size, address;
		bool stays;
	} cases[] = {
		{ LOW, 4096, 0xfe800000, true },
		{ LOW, 2 * MIB, 0xfe800000, true },
		{ LOW, 4 * MIB, 0xfe800000, false },
		{ LOW, 4096, 0xfe9ff000, true },
		{ LOW, 4096, 0xfea00000, false },
		{ LOW, 4096, 0xfe7ff000, false },
		{ LOW, 4096, 0xd000, false },
		{ WIDE, 4096, UINT64_C(0x8001ff000), true },
		{ WIDE, 4096, UINT64_C(0x800200000), false },
		{ SIM_PCI_IO, 64, 0xd000, true },
		{ SIM_PCI_IO, 64, 0xdfc0, true },
		{ SIM_PCI_IO, 64, 0xe000, false },
		{ SIM_PCI_IO, 64, 0xcfc0, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct sim_pci_function *bridge, *f;

		setup_bus(NULL);
		bridge = sim_pci_add_bridge(NULL, 2, 0);
		f = add_function(bridge, 0, 0);
		sim_pci_set_bus_numbers(bridge, 0, 1, 1);
		sim_pci_set_io_window(bridge, 0xd000, 0xe000);
		sim_pci_set_memory_window(bridge, 0xfe800000, 0xfea00000);
		sim_pci_set_prefetchable_window(bridge, UINT64_C(0x800000000),
						UINT64_C(0x800200000));
		sim_pci_set_bar(f, 1, cases[i].flags, cases[i].size, cases[i].address);
		pci_scan(&windows);
		assert_int_equal(sim_log_warnings != 0, !cases[i].stays);
		assert_int_equal(found_at(1, 0)->bar[1].address == cases[i].address,
				 cases[i].stays);
	}
}

/* What cannot be had is named: which function, which register, how much. */
static void what_is_wanted_and_cannot_be_had_is_named(void **state)
{
	struct sim_pci_function *f = add_function(NULL, 1, 0);
	struct sim_pci_function *bridge;

	(void)state;
	sim_pci_set_bar(f, 5, LOW, 2 * GIB, 0);
	scan(1, 1);
	assert_string_equal(sim_log_warning,
			    "pci: 00:01.0: BAR 5 of 0x80000000 bytes: there is no room");
	sim_pci_set_bar(f, 5, LOW, 4096, 0xfd000000);
	bridge = add_closed_bridge(2);
	sim_pci_set_bar(add_function(bridge, 0, 0), 0, LOW, MIB, 0);
	memset(bridge->writable + 0x20, 0, 4);
	sim_log_reset();
	scan(1, 2);
	assert_string_equal(sim_log_warning,
			    "pci: 02:00.0: BAR 0 of 0x100000 bytes: there is no room");
}

/* The first warning is about the window, the second about the BAR that needs it. */
static void a_window_that_is_not_kept_is_named(void **state)
{
	static const struct {
		unsigned at;
		unsigned flags;
		uint64_t size;
		const char *text;
	} cases[] = {
		{ 0x1c, SIM_PCI_IO, 64,
		  "pci: 00:02.0: I/O window of 0x1000 bytes: it does not keep an address" },
		{ 0x20, LOW, MIB,
		  "pci: 00:02.0: memory window of 0x200000 bytes: it does not keep an address" },
		{ 0x24, WIDE | PREFETCHABLE, 64 * MIB,
		  "pci: 00:02.0: prefetchable memory window of 0x4000000 bytes: it does not keep "
		  "an address" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct sim_pci_function *bridge;

		setup_bus(NULL);
		bridge = add_closed_bridge(2);
		sim_pci_set_bar(add_function(bridge, 0, 0), 0, cases[i].flags, cases[i].size, 0);
		memset(bridge->writable + cases[i].at, 0, 4);
		pci_scan(&windows);
		assert_string_equal(sim_log_first_warning, cases[i].text);
	}
}

/* Its registers have no more bits. */
static void a_window_of_32_bits_stays_below_4_gib(void **state)
{
	struct sim_pci_function *bridge = add_closed_bridge(2);
	struct pci_windows odd = windows;

	(void)state;
	odd.memory_start = UINT64_C(0xfff00000);
	odd.memory_end = UINT64_C(0x200000000);
	sim_pci_set_bar(add_function(bridge, 0, 0), 0, LOW, MIB, 0);
	pci_scan(&odd);
	assert_windows(bridge, IO_CLOSED, CLOSED, WIDE_CLOSED);
	assert_string_equal(sim_log_first_warning,
			    "pci: 00:02.0: memory window of 0x200000 bytes: there is no room");
	assert_non_null(strstr(sim_log_warning, "no room"));
}

/* ---- At random ---- */

static uint32_t seed;

static unsigned random_below(unsigned limit)
{
	seed = seed * 1664525 + 1013904223;
	return (seed >> 8) % limit;
}

static void add_random_bars(struct sim_pci_function *f)
{
	for (unsigned bar = 0; bar < 6; bar++) {
		switch (random_below(5)) {
		case 0:
			sim_pci_set_bar(f, bar, SIM_PCI_IO, 4u << random_below(5), 0);
			break;
		case 1:
			sim_pci_set_bar(f, bar, LOW, UINT64_C(16) << random_below(18), 0);
			break;
		case 2:
			if (bar == 5)
				break;
			sim_pci_set_bar(f, bar++, WIDE | (random_below(2) ? PREFETCHABLE : 0),
					UINT64_C(4096) << random_below(10), 0);
			break;
		default:
			break;
		}
	}
}

static void add_random_bus(struct sim_pci_function *parent, unsigned depth)
{
	for (unsigned slot = 0; slot < 32; slot += 1 + random_below(8)) {
		if (depth < 4 && random_below(6) == 0)
			add_random_bus(sim_pci_add_bridge(parent, slot, 0), depth + 1);
		else
			add_random_bars(add_function(parent, slot, 0));
	}
}

static void whatever_is_there_gets_a_sound_layout(void **state)
{
	struct pci_windows roomy = windows;

	(void)state;
	roomy.io_start = 0x1000;
	for (unsigned round = 0; round < 300; round++) {
		unsigned unassigned;

		setup_bus(NULL);
		seed = round;
		add_random_bus(NULL, 0);
		pci_scan(&roomy);
		assert_null(sim_pci_violation);
		assert_null(sim_pci_layout_fault(&roomy));
		unassigned = sim_pci_unassigned();
		if (unassigned != 0 && sim_log_warnings == 0)
			fail_msg("round %u: %u BARs were forgotten", round, unassigned);
		/* Once more: what has been placed is now as if by the firmware. */
		sim_log_reset();
		pci_scan(&roomy);
		assert_null(sim_pci_layout_fault(&roomy));
		assert_int_equal(sim_pci_unassigned(), unassigned);
		if (round < 50 && unassigned == 0)
			assert_int_equal(sim_log_warnings, 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(nothing_that_the_firmware_placed_is_moved, setup_bus),
		cmocka_unit_test_setup(everything_is_placed_where_nothing_was, setup_bus),
		cmocka_unit_test_setup(new_addresses_go_around_old_ones, setup_bus),
		cmocka_unit_test_setup(new_addresses_go_around_config_space, setup_bus),
		cmocka_unit_test_setup(a_large_64_bit_bar_goes_above_4_gib, setup_bus),
		cmocka_unit_test_setup(what_does_not_fit_has_no_address_and_is_told, setup_bus),
		cmocka_unit_test_setup(a_32_bit_bar_stays_below_4_gib, setup_bus),
		cmocka_unit_test_setup(windows_that_are_empty_give_nothing, setup_bus),
		cmocka_unit_test_setup(address_zero_is_never_given, setup_bus),
		cmocka_unit_test_setup(a_new_device_goes_into_a_gap_of_its_bridges_window,
				       setup_bus),
		cmocka_unit_test_setup(
			a_64_bit_bar_goes_below_4_gib_behind_a_bridge_without_another_window,
			setup_bus),
		cmocka_unit_test_setup(
			a_64_bit_bar_that_is_not_prefetchable_stays_out_of_that_window, setup_bus),
		cmocka_unit_test_setup(a_full_window_leaves_a_new_device_without, setup_bus),
		cmocka_unit_test_setup(a_closed_window_is_opened_for_a_new_device, setup_bus),
		cmocka_unit_test_setup(an_address_that_the_bridge_does_not_pass_on_is_replaced,
				       setup_bus),
		cmocka_unit_test_setup(
			a_bridge_that_nobody_set_up_gets_windows_for_what_is_behind_it, setup_bus),
		cmocka_unit_test_setup(an_empty_bridge_gets_room_for_a_device_to_come, setup_bus),
		cmocka_unit_test_setup(windows_that_the_firmware_closed_stay_closed_without_need,
				       setup_bus),
		cmocka_unit_test_setup(a_window_is_aligned_for_what_goes_into_it, setup_bus),
		cmocka_unit_test_setup(devices_come_before_bridges_that_are_empty, setup_bus),
		cmocka_unit_test_setup(a_bridge_without_ports_still_has_memory, setup_bus),
		cmocka_unit_test_setup(bridges_behind_bridges_get_windows_within_each_other,
				       setup_bus),
		cmocka_unit_test_setup(a_large_64_bit_bar_behind_bridges_goes_above_4_gib,
				       setup_bus),
		cmocka_unit_test_setup(a_bar_that_cannot_fit_does_not_take_the_others_down,
				       setup_bus),
		cmocka_unit_test_setup(functions_on_two_root_buses_share_the_windows, setup_bus),
		cmocka_unit_test_setup(a_device_beside_a_bridge_stays_out_of_its_window, setup_bus),
		cmocka_unit_test_setup(a_window_for_prefetchable_memory_is_for_large_bars,
				       setup_bus),
		cmocka_unit_test_setup(a_bridge_that_cannot_reach_far_has_no_window_there,
				       setup_bus),
		cmocka_unit_test_setup(an_empty_bridge_gets_the_least_windows, setup_bus),
		cmocka_unit_test_setup(equal_ones_are_placed_in_the_order_of_the_bus, setup_bus),
		cmocka_unit_test_setup(more_bars_than_fit_into_the_table_are_left_and_told_once,
				       setup_bus),
		cmocka_unit_test_setup(a_bar_of_half_the_memory_has_a_window, setup_bus),
		cmocka_unit_test_setup(an_address_counts_if_all_of_it_is_passed_on, setup_bus),
		cmocka_unit_test_setup(what_is_wanted_and_cannot_be_had_is_named, setup_bus),
		cmocka_unit_test_setup(a_window_that_is_not_kept_is_named, setup_bus),
		cmocka_unit_test_setup(a_window_of_32_bits_stays_below_4_gib, setup_bus),
		cmocka_unit_test_setup(whatever_is_there_gets_a_sound_layout, setup_bus),
	};

	return cmocka_run_group_tests_name("pci_assign", tests, NULL, NULL);
}
