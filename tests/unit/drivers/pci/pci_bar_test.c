/* SPDX-License-Identifier: BSD-2-Clause */
/* Sizing, writing and using BARs, on a simulated bus. */
#include <errno.h>
#include <string.h>

#include "arch/irq.h"
#include "drivers/pci/pci_internal.h"
#include "tests/unit/drivers/pci/pci_fixture.h"

#define COMMAND 0x04

static struct sim_pci_function *sim;
static struct pci_device *device;

static int setup(void **state)
{
	int err = setup_bus(state);

	sim = add_function(NULL, 3, 0);
	return err;
}

static void scan(void)
{
	assert_int_equal(pci_scan(&windows), 1);
	device = pci_devices();
	assert_null(sim_pci_violation);
}

static void assert_bar(unsigned index, enum pci_bar_kind kind, uint64_t address, uint64_t size)
{
	assert_int_equal(device->bar[index].kind, kind);
	assert_int_equal(device->bar[index].address, address);
	assert_int_equal(device->bar[index].size, size);
}

/* ---- Sizes ---- */

static void every_kind_of_bar_is_sized_and_left_where_it_is(void **state)
{
	uint8_t before[SIM_PCI_CONFIG_SIZE];

	(void)state;
	sim_pci_set_bar(sim, 0, SIM_PCI_IO, 64, 0xc040);
	sim_pci_set_bar(sim, 1, SIM_PCI_MEMORY32, 4096, 0xfebf1000);
	sim_pci_set_bar(sim, 2, SIM_PCI_MEMORY32 | SIM_PCI_PREFETCHABLE, 16 * MIB, 0xfd000000);
	sim_pci_set_bar(sim, 4, SIM_PCI_MEMORY64 | SIM_PCI_PREFETCHABLE, 16384,
			UINT64_C(0x800004000));
	sim_pci_put(sim, COMMAND, 2, 0x0507);
	memcpy(before, sim->config, sizeof(before));
	scan();
	assert_bar(0, PCI_BAR_IO, 0xc040, 64);
	assert_bar(1, PCI_BAR_MEMORY32, 0xfebf1000, 4096);
	assert_false(device->bar[1].prefetchable);
	assert_bar(2, PCI_BAR_MEMORY32, 0xfd000000, 16 * MIB);
	assert_true(device->bar[2].prefetchable);
	assert_bar(3, PCI_BAR_NONE, 0, 0);
	assert_bar(4, PCI_BAR_MEMORY64, UINT64_C(0x800004000), 16384);
	assert_bar(5, PCI_BAR_NONE, 0, 0);
	assert_memory_equal(sim->config, before, sizeof(before));
	assert_int_equal(fake_irqs_off, 0);
	assert_int_equal(sim_log_warnings, 0);
}

static void command_is_not_touched_when_nothing_is_decoded(void **state)
{
	(void)state;
	sim_pci_set_bar(sim, 1, SIM_PCI_MEMORY32, 4096, 0xfebf1000);
	sim_pci_put(sim, COMMAND, 2, 0x0400);
	scan();
	/* Six registers, each written with ones and back. */
	assert_int_equal(sim_pci_writes, 12);
	assert_int_equal(sim_pci_get(sim, COMMAND, 2), 0x0400);
}

static void the_smallest_and_the_largest_sizes_are_seen(void **state)
{
	(void)state;
	sim_pci_set_bar(sim, 0, SIM_PCI_IO, 4, 0xc004);
	sim_pci_set_bar(sim, 1, SIM_PCI_MEMORY32, 16, 0xfebf1010);
	sim_pci_set_bar(sim, 2, SIM_PCI_MEMORY32, 2 * GIB, 0x80000000);
	sim_pci_set_bar(sim, 4, SIM_PCI_MEMORY64, 1024 * GIB, UINT64_C(0x10000000000));
	scan();
	assert_bar(0, PCI_BAR_IO, 0xc004, 4);
	assert_bar(1, PCI_BAR_MEMORY32, 0xfebf1010, 16);
	assert_bar(2, PCI_BAR_MEMORY32, 0x80000000, 2 * GIB);
	assert_bar(4, PCI_BAR_MEMORY64, UINT64_C(0x10000000000), 1024 * GIB);
}

static void an_io_bar_may_lack_its_upper_half(void **state)
{
	(void)state;
	sim_pci_set_bar(sim, 0, SIM_PCI_IO, 64, 0xc040);
	sim->writable[0x12] = 0;
	sim->writable[0x13] = 0;
	scan();
	assert_bar(0, PCI_BAR_IO, 0xc040, 64);
}

static void refuse(unsigned index)
{
	sim_log_reset();
	scan();
	assert_bar(index, PCI_BAR_NONE, 0, 0);
	assert_int_equal(sim_log_warnings, 1);
}

/* The ends of all four are the ends of what addresses there are, or beyond. */
static void an_address_may_not_reach_beyond_what_there_is(void **state)
{
	const uint64_t top = 0 - UINT64_C(16384), end = UINT64_C(1) << 52;

	(void)state;
	sim_pci_set_bar(sim, 0, SIM_PCI_MEMORY64, 16384, top);
	sim_pci_set_bar(sim, 2, SIM_PCI_MEMORY64, 16384, end);
	sim_pci_set_bar(sim, 4, SIM_PCI_MEMORY32, 4096, 0xfffff000);
	sim_pci_set_bar(sim, 5, SIM_PCI_IO, 64, 0xffc0);
	scan();
	assert_int_equal(sim_log_warnings, 2);
	assert_int_not_equal(device->bar[0].address, top);
	assert_int_not_equal(device->bar[2].address, end);
	assert_bar(4, PCI_BAR_MEMORY32, 0xfffff000, 4096);
	assert_bar(5, PCI_BAR_IO, 0xffc0, 64);
	sim_pci_set_bar(sim, 0, SIM_PCI_MEMORY64, 16384, end - 16384);
	sim_log_reset();
	scan();
	assert_bar(0, PCI_BAR_MEMORY64, end - 16384, 16384);
	assert_int_equal(sim_log_warnings, 0);
}

static void a_size_that_is_no_power_of_two_is_refused(void **state)
{
	(void)state;
	sim_pci_set_bar(sim, 1, SIM_PCI_MEMORY32, 4096, 0);
	sim->writable[0x16] = 0xfe;
	refuse(1);
	sim_pci_set_bar(sim, 1, SIM_PCI_IO, 64, 0);
	sim->writable[0x15] = 0x7f;
	refuse(1);
	sim_pci_set_bar(sim, 1, SIM_PCI_IO, 64, 0);
	sim->writable[0x17] = 0x7f;
	refuse(1);
	sim_pci_set_bar(sim, 1, SIM_PCI_MEMORY64, 4096, 0);
	sim->writable[0x1b] = 0x7f;
	refuse(1);
}

static void a_size_beyond_reason_is_refused(void **state)
{
	(void)state;
	sim_pci_set_bar(sim, 1, SIM_PCI_MEMORY64, UINT64_C(1) << 63, 0);
	refuse(1);
	sim_pci_set_bar(sim, 1, SIM_PCI_MEMORY64, UINT64_C(1) << 52, 0);
	refuse(1);
}

static void a_64_bit_bar_in_the_last_register_is_refused(void **state)
{
	(void)state;
	sim_pci_set_bar(sim, 5, SIM_PCI_MEMORY32, 4096, 0);
	sim_pci_put(sim, 0x24, 4, SIM_PCI_MEMORY64);
	refuse(5);
	assert_int_equal(sim_pci_get(sim, 0x28, 4), 0);
}

static void reserved_types_are_refused(void **state)
{
	(void)state;
	sim_pci_set_bar(sim, 0, SIM_PCI_MEMORY32, 4096, 0);
	sim_pci_put(sim, 0x10, 4, 0x2);
	refuse(0);
	sim_pci_put(sim, 0x10, 4, 0x6);
	refuse(0);
	/* What comes after it is found. */
	sim_pci_set_bar(sim, 1, SIM_PCI_MEMORY32, 4096, 0xfebf0000);
	refuse(0);
	assert_bar(1, PCI_BAR_MEMORY32, 0xfebf0000, 4096);
}

static void flags_without_address_bits_are_refused(void **state)
{
	(void)state;
	sim_pci_put(sim, 0x10, 4, SIM_PCI_IO);
	refuse(0);
}

static void an_address_that_is_not_aligned_is_refused(void **state)
{
	(void)state;
	sim_pci_set_bar(sim, 0, SIM_PCI_MEMORY32, 4096, 0xfebf0100);
	refuse(0);
}

static void an_address_that_cannot_be_used_is_replaced(void **state)
{
	(void)state;
	sim_pci_set_bar(sim, 0, SIM_PCI_IO, 64, 0x1c040);
	sim_pci_set_bar(sim, 2, SIM_PCI_MEMORY64, 4096, UINT64_C(1) << 60);
	scan();
	assert_int_equal(sim_log_warnings, 2);
	assert_bar(0, PCI_BAR_IO, 0xc000, 64);
	assert_bar(2, PCI_BAR_MEMORY64, 0xc0000000, 4096);
	assert_null(sim_pci_layout_fault(&windows));
}

static void a_bridge_has_two_bars(void **state)
{
	struct sim_pci_function *bridge;

	(void)state;
	sim_pci_reset();
	bridge = sim_pci_add_bridge(NULL, 3, 0);
	sim_pci_set_bus_numbers(bridge, 0, 1, 1);
	sim_pci_set_bar(bridge, 0, SIM_PCI_MEMORY64, 256, 0xfe000000);
	scan();
	assert_bar(0, PCI_BAR_MEMORY64, 0xfe000000, 256);
	assert_int_equal(sim_pci_get(bridge, 0x18, 4), 0x010100);
	sim_pci_set_bar(bridge, 0, SIM_PCI_MEMORY32, 256, 0xfe000000);
	bridge->config[0x14] = SIM_PCI_MEMORY64;
	bridge->writable[0x17] = 0xff;
	refuse(1);
}

static void a_device_that_goes_while_it_is_asked_has_no_bars(void **state)
{
	struct pci_device d = { .address = { .device = 3 } };

	(void)state;
	sim->gone = true;
	pci_size_bars(&d);
	for (unsigned i = 0; i < PCI_BARS; i++)
		assert_int_equal(d.bar[i].kind, PCI_BAR_NONE);
	assert_int_equal(sim_log_warnings, PCI_BARS);
	assert_string_equal(sim_log_warning,
			    "pci: 00:03.0: BAR 5 is left alone: the device does not answer");
}

static void a_bar_that_keeps_no_address_stays_without(void **state)
{
	(void)state;
	sim_pci_set_bar(sim, 1, SIM_PCI_MEMORY32, 4096, 0);
	scan();
	assert_true(device->bar[1].address != 0);
	sim->stubborn = true;
	assert_int_equal(pci_set_bar(device, 1, 0xc0100000), -EIO);
	assert_int_equal(device->bar[1].address, 0xc0000000);
}

/* ---- Enabling ---- */

static void enabling_turns_on_what_the_bars_need(void **state)
{
	(void)state;
	sim_pci_put(sim, COMMAND, 2, 0x0500);
	sim_pci_set_bar(sim, 1, SIM_PCI_MEMORY32, 4096, 0xfebf1000);
	scan();
	pci_enable(device);
	/* Memory and bus master; INTx no longer disabled; SERR# as it was. */
	assert_int_equal(sim_pci_get(sim, COMMAND, 2), 0x0106);
	sim_pci_set_bar(sim, 0, SIM_PCI_IO, 64, 0xc040);
	scan();
	pci_enable(device);
	assert_int_equal(sim_pci_get(sim, COMMAND, 2), 0x0107);
	assert_null(sim_pci_violation);
}

static void enabling_turns_on_no_decoding_without_an_address(void **state)
{
	struct pci_windows none = windows;

	(void)state;
	none.io_end = none.io_start;
	sim_pci_set_bar(sim, 0, SIM_PCI_IO, 64, 0);
	sim_pci_set_bar(sim, 1, SIM_PCI_MEMORY32, 4096, 0);
	assert_int_equal(pci_scan(&none), 1);
	pci_enable(pci_devices());
	assert_int_equal(sim_pci_get(sim, COMMAND, 2), 0x0006);
}

static void enabling_twice_writes_once(void **state)
{
	(void)state;
	scan();
	pci_enable(device);
	sim_pci_writes = 0;
	pci_enable(device);
	assert_int_equal(sim_pci_writes, 0);
}

static void enabling_opens_the_bridges_above(void **state)
{
	struct sim_pci_function *outer, *inner, *leaf;
	const struct pci_device *d;

	(void)state;
	sim_pci_reset();
	outer = sim_pci_add_bridge(NULL, 1, 0);
	inner = sim_pci_add_bridge(outer, 0, 0);
	leaf = sim_pci_add(inner, 0, 0, 0x1af4, 0x1045, 0x00ff00);
	sim_pci_set_bar(leaf, 0, SIM_PCI_MEMORY32, 4096, 0);
	assert_int_equal(pci_scan(&windows), 3);
	for (d = pci_devices(); d->next; d = d->next)
		;
	assert_int_equal(sim_pci_get(outer, COMMAND, 2), 0);
	pci_enable(d);
	assert_int_equal(sim_pci_get(outer, COMMAND, 2), 7);
	assert_int_equal(sim_pci_get(inner, COMMAND, 2), 7);
	assert_int_equal(sim_pci_get(leaf, COMMAND, 2), 6);
}

/* Only what a bridge passes on; and what the firmware turned on stays on. */
static void enabling_opens_a_bridge_for_what_it_passes_on(void **state)
{
	static const struct {
		bool io, memory, prefetchable;
		uint32_t before, after;
	} cases[] = {
		{ false, false, false, 0x0000, 0x0004 }, { false, true, false, 0x0000, 0x0006 },
		{ false, false, true, 0x0000, 0x0006 },	 { true, false, false, 0x0000, 0x0005 },
		{ false, true, false, 0x0101, 0x0107 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct sim_pci_function *bridge;

		setup_bus(NULL);
		bridge = sim_pci_add_bridge(NULL, 1, 0);
		sim_pci_set_bus_numbers(bridge, 0, 1, 1);
		sim_pci_put(bridge, 0x1c, 2, 0x01f1);
		sim_pci_put(bridge, 0x20, 4, 0x0000fff0);
		sim_pci_put(bridge, 0x24, 4, 0x0001fff1);
		if (cases[i].io)
			sim_pci_set_io_window(bridge, 0xd000, 0xe000);
		if (cases[i].memory)
			sim_pci_set_memory_window(bridge, 0xfe800000, 0xfea00000);
		if (cases[i].prefetchable)
			sim_pci_set_prefetchable_window(bridge, UINT64_C(0x800000000),
							UINT64_C(0x800200000));
		sim_pci_put(bridge, COMMAND, 2, cases[i].before);
		add_function(bridge, 0, 0);
		assert_int_equal(pci_scan(&windows), 2);
		pci_enable(found_at(1, 0));
		assert_int_equal(sim_pci_get(bridge, COMMAND, 2), cases[i].after);
	}
}

/* ---- Mapping ---- */

static void a_part_of_a_bar_is_mapped_where_it_lies(void **state)
{
	void *window = NULL;

	(void)state;
	sim_pci_set_bar(sim, 4, SIM_PCI_MEMORY64, 16384, UINT64_C(0x800004000));
	scan();
	assert_int_equal(pci_map_bar(device, 4, 0x1000, 0x3000, &window), 0);
	assert_int_equal((uintptr_t)window, UINT64_C(0x800005000));
	assert_int_equal(sim_pci_mapped, UINT64_C(0x800005000));
	assert_int_equal(sim_pci_mapped_size, 0x3000);
}

static void nothing_outside_a_bar_is_mapped(void **state)
{
	void *window = NULL;

	(void)state;
	sim_pci_set_bar(sim, 0, SIM_PCI_IO, 64, 0xc040);
	sim_pci_set_bar(sim, 1, SIM_PCI_MEMORY32, 4096, 0xfebf1000);
	scan();
	assert_int_equal(pci_map_bar(device, 1, 0, 4097, &window), -EINVAL);
	assert_int_equal(pci_map_bar(device, 1, 4096, 1, &window), -EINVAL);
	assert_int_equal(pci_map_bar(device, 1, 1, UINT64_MAX, &window), -EINVAL);
	assert_int_equal(pci_map_bar(device, 1, UINT64_MAX, 2, &window), -EINVAL);
	assert_int_equal(pci_map_bar(device, 1, 0, 0, &window), -EINVAL);
	assert_int_equal(pci_map_bar(device, 0, 0, 4, &window), -EINVAL);
	assert_int_equal(pci_map_bar(device, 2, 0, 4, &window), -EINVAL);
	assert_int_equal(pci_map_bar(device, 6, 0, 4, &window), -EINVAL);
	assert_null(window);
}

static void what_has_no_address_cannot_be_mapped(void **state)
{
	struct pci_device d = { .bar[0] = { .kind = PCI_BAR_MEMORY32, .size = 4096 } };
	void *window;

	(void)state;
	assert_int_equal(pci_map_bar(&d, 0, 0, 4096, &window), -ENXIO);
}

static void a_mapping_that_fails_is_an_error(void **state)
{
	void *window;

	(void)state;
	sim_pci_set_bar(sim, 1, SIM_PCI_MEMORY32, 4096, 0xfebf1000);
	scan();
	sim_pci_fail_mapping(-ENOMEM);
	assert_int_equal(pci_map_bar(device, 1, 0, 4096, &window), -ENOMEM);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(every_kind_of_bar_is_sized_and_left_where_it_is, setup),
		cmocka_unit_test_setup(command_is_not_touched_when_nothing_is_decoded, setup),
		cmocka_unit_test_setup(the_smallest_and_the_largest_sizes_are_seen, setup),
		cmocka_unit_test_setup(an_io_bar_may_lack_its_upper_half, setup),
		cmocka_unit_test_setup(an_address_may_not_reach_beyond_what_there_is, setup),
		cmocka_unit_test_setup(a_size_that_is_no_power_of_two_is_refused, setup),
		cmocka_unit_test_setup(a_size_beyond_reason_is_refused, setup),
		cmocka_unit_test_setup(a_64_bit_bar_in_the_last_register_is_refused, setup),
		cmocka_unit_test_setup(reserved_types_are_refused, setup),
		cmocka_unit_test_setup(flags_without_address_bits_are_refused, setup),
		cmocka_unit_test_setup(an_address_that_is_not_aligned_is_refused, setup),
		cmocka_unit_test_setup(an_address_that_cannot_be_used_is_replaced, setup),
		cmocka_unit_test_setup(a_bridge_has_two_bars, setup),
		cmocka_unit_test_setup(a_device_that_goes_while_it_is_asked_has_no_bars, setup),
		cmocka_unit_test_setup(a_bar_that_keeps_no_address_stays_without, setup),
		cmocka_unit_test_setup(enabling_turns_on_what_the_bars_need, setup),
		cmocka_unit_test_setup(enabling_turns_on_no_decoding_without_an_address, setup),
		cmocka_unit_test_setup(enabling_twice_writes_once, setup),
		cmocka_unit_test_setup(enabling_opens_the_bridges_above, setup),
		cmocka_unit_test_setup(enabling_opens_a_bridge_for_what_it_passes_on, setup),
		cmocka_unit_test_setup(a_part_of_a_bar_is_mapped_where_it_lies, setup),
		cmocka_unit_test_setup(nothing_outside_a_bar_is_mapped, setup),
		cmocka_unit_test_setup(what_has_no_address_cannot_be_mapped, setup),
		cmocka_unit_test_setup(a_mapping_that_fails_is_an_error, setup),
	};

	return cmocka_run_group_tests_name("pci_bar", tests, NULL, NULL);
}
