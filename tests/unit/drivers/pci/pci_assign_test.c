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
	pci_set_root_buses(roots);
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
		cmocka_unit_test_setup(whatever_is_there_gets_a_sound_layout, setup_bus),
	};

	return cmocka_run_group_tests_name("pci_assign", tests, NULL, NULL);
}
