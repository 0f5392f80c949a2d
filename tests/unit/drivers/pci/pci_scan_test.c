/* SPDX-License-Identifier: BSD-2-Clause */
/* Finding functions and numbering bridges, on a simulated bus. */
#include <string.h>

#include "drivers/pci/pci_events.h"
#include "drivers/pci/pci_internal.h"
#include "tests/unit/drivers/pci/pci_fixture.h"

/* ---- Functions ---- */

static void an_empty_bus_has_no_functions(void **state)
{
	(void)state;
	assert_string_equal(scan_bus(), "");
	assert_null(pci_devices());
	/* 32 slots, one read each. */
	assert_int_equal(sim_pci_reads, 32);
}

static void the_header_is_read(void **state)
{
	struct sim_pci_function *f = sim_pci_add(NULL, 2, 0, 0x1af4, 0x1045, 0x00ff01);
	const struct pci_device *d;

	(void)state;
	sim_pci_put(f, 0x08, 1, 0x07);
	sim_pci_put(f, 0x2c, 4, 0x11001af4);
	sim_pci_put(f, 0x3d, 1, 2);
	scan_bus();
	d = pci_devices();
	assert_int_equal(d->vendor, 0x1af4);
	assert_int_equal(d->device, 0x1045);
	assert_int_equal(d->class, 0x00ff01);
	assert_int_equal(d->revision, 7);
	assert_int_equal(d->subsystem_vendor, 0x1af4);
	assert_int_equal(d->subsystem, 0x1100);
	assert_int_equal(d->interrupt_pin, 2);
	assert_int_equal(d->header_type, 0);
	assert_null(d->bridge);
}

static void an_impossible_interrupt_pin_is_none(void **state)
{
	(void)state;
	sim_pci_put(add_function(NULL, 2, 0), 0x3d, 1, 5);
	scan_bus();
	assert_int_equal(pci_devices()->interrupt_pin, 0);
}

static void functions_of_a_multifunction_device_are_found(void **state)
{
	(void)state;
	sim_pci_set_multifunction(add_function(NULL, 1, 0));
	add_function(NULL, 1, 3);
	add_function(NULL, 1, 7);
	add_function(NULL, 31, 0);
	assert_string_equal(scan_bus(), "00:01.0 00:01.3 00:01.7 00:1f.0 ");
	assert_int_equal(found_at(0, 1)->header_type, 0);
}

static void other_functions_are_not_asked_without_need(void **state)
{
	(void)state;
	add_function(NULL, 1, 0);
	add_function(NULL, 1, 1);
	add_function(NULL, 2, 3); /* without a function 0 there is no device */
	assert_string_equal(scan_bus(), "00:01.0 ");
}

static void a_vendor_of_zero_or_all_ones_is_nothing(void **state)
{
	(void)state;
	sim_pci_add(NULL, 1, 0, 0x0000, 0x0001, 0);
	sim_pci_add(NULL, 2, 0, 0xffff, 0x0001, 0);
	add_function(NULL, 3, 0)->gone = true;
	assert_string_equal(scan_bus(), "");
}

static void an_unknown_header_is_listed_and_left_alone(void **state)
{
	struct sim_pci_function *f = add_function(NULL, 1, 0);

	(void)state;
	sim_pci_put(f, 0x0e, 1, 0x7f);
	sim_pci_put(f, 0x04, 2, 0x0007);
	sim_pci_put(f, 0x3d, 1, 2);
	sim_pci_put(f, 0x2c, 4, 0x00051af4);
	sim_pci_set_bar(f, 0, SIM_PCI_MEMORY32, 4096, 0);
	assert_string_equal(scan_bus(), "00:01.0 ");
	assert_int_equal(sim_pci_writes, 0);
	assert_int_equal(pci_devices()->bar[0].kind, PCI_BAR_NONE);
	/* Where a device has these, it may have anything. */
	assert_int_equal(pci_devices()->interrupt_pin, 0);
	assert_int_equal(pci_devices()->subsystem, 0);
}

static void more_functions_than_fit_are_left_alone(void **state)
{
	(void)state;
	for (unsigned slot = 0; slot < 32; slot++) {
		sim_pci_set_multifunction(add_function(NULL, slot, 0));
		for (unsigned function = 1; function < 8; function++)
			add_function(NULL, slot, function);
	}
	assert_int_equal(pci_scan(&windows), PCI_DEVICES_MAX);
	assert_int_equal(sim_log_warnings, 0);
	sim_pci_reset();
	for (unsigned slot = 0; slot < 32; slot++) {
		sim_pci_set_multifunction(slot == 0 ? add_bridge(NULL, slot, 0, 1, 1)
						    : add_function(NULL, slot, 0));
		for (unsigned function = 1; function < 8; function++)
			add_function(NULL, slot, function);
	}
	assert_int_equal(pci_scan(&windows), PCI_DEVICES_MAX);
	assert_int_equal(sim_log_warnings, 1);
	assert_string_equal(sim_log_warning,
			    "pci: more than 256 functions: the others are left alone");
	/* It is told again by each scan. */
	assert_int_equal(pci_scan(&windows), PCI_DEVICES_MAX);
	assert_int_equal(sim_log_warnings, 2);
}

static void a_second_scan_starts_anew(void **state)
{
	struct sim_pci_function *f = add_function(NULL, 1, 0);

	(void)state;
	add_function(NULL, 2, 0);
	assert_string_equal(scan_bus(), "00:01.0 00:02.0 ");
	assert_string_equal(scan_bus(), "00:01.0 00:02.0 ");
	f->gone = true;
	assert_string_equal(scan_bus(), "00:02.0 ");
}

static void without_a_mechanism_nothing_is_found(void **state)
{
	(void)state;
	assert_int_equal(pci_scan(&windows), 0);
	assert_null(pci_devices());
}

/* Device 16 of a bus, and function 1, are not taken for what comes next. */
static void the_list_is_in_the_order_of_addresses(void **state)
{
	struct sim_pci_function *bridge = add_bridge(NULL, 1, 0, 1, 1);

	(void)state;
	sim_pci_set_multifunction(add_function(NULL, 0, 0));
	add_function(NULL, 0, 1);
	add_function(NULL, 0, 7);
	sim_pci_set_multifunction(bridge);
	add_function(NULL, 1, 1);
	add_function(NULL, 31, 0);
	add_function(bridge, 0, 0);
	add_function(bridge, 31, 0);
	assert_string_equal(scan_bus(), "00:00.0 00:00.1 00:00.7 00:01.0 00:01.1 00:1f.0 01:00.0 "
					"01:1f.0 ");
}

static void what_is_found_is_recorded(void **state)
{
	uint64_t found = pci_events.count[PCI_EVENT_FOUND];
	struct event event;

	(void)state;
	add_function(NULL, 1, 0);
	add_function(NULL, 2, 0);
	scan_bus();
	assert_int_equal(pci_events.count[PCI_EVENT_FOUND] - found, 2);
	assert_true(events_get(&pci_events, pci_events.recorded, &event));
	assert_int_equal(event.type, PCI_EVENT_FOUND);
	assert_int_equal(event.argument[0], 2 << 3);
	assert_string_equal(sim_log_info, "pci: 2 functions; config space by ports");
}

/* Whoever looks into a slot once more finds what is new there, and nothing else. */
static void what_is_listed_is_not_found_again(void **state)
{
	(void)state;
	sim_pci_set_multifunction(add_function(NULL, 1, 0));
	add_function(NULL, 2, 0);
	scan_bus();
	assert_int_equal(pci_scan_slot(NULL, (struct pci_address){ 0, 1, 0 }), 0);
	assert_int_equal(pci_scan_slot(NULL, (struct pci_address){ 0, 2, 0 }), 0);
	add_function(NULL, 3, 0);
	assert_int_equal(pci_scan_slot(NULL, (struct pci_address){ 0, 3, 0 }), 1);
	assert_true(found_at(0, 3)->is_new);
	assert_false(found_at(0, 2)->is_new);
	assert_int_equal(pci_scan_slot(NULL, (struct pci_address){ 0, 3, 0 }), 0);
}

/* Of a bridge that has no bus behind it yet nothing can come. */
static void nothing_comes_behind_a_bridge_without_a_bus(void **state)
{
	struct sim_pci_function *b = add_bridge(NULL, 1, 0, 5, 4);
	unsigned reads;

	(void)state;
	b->stubborn = true;
	scan_bus();
	assert_int_equal(pci_devices()->secondary_bus, 0);
	reads = sim_pci_reads;
	assert_int_equal(pci_scan_slot(pci_devices(), (struct pci_address){ 0 }), 0);
	assert_int_equal(sim_pci_reads, reads);
}

/* ---- Bridges that the firmware numbered ---- */

static void what_is_behind_bridges_is_found_in_the_order_of_addresses(void **state)
{
	struct sim_pci_function *b1 = add_bridge(NULL, 1, 0, 1, 3);
	struct sim_pci_function *b2 = add_bridge(b1, 0, 1, 2, 2);
	struct sim_pci_function *b3 = add_bridge(NULL, 3, 0, 4, 4);

	(void)state;
	add_function(b1, 5, 0);
	add_function(b2, 0, 0);
	add_function(b3, 1, 0);
	add_function(NULL, 2, 0);
	assert_string_equal(scan_bus(), "00:01.0 00:02.0 00:03.0 01:00.0 01:05.0 02:00.0 04:01.0 ");
	assert_ptr_equal(found_at(2, 0)->bridge, found_at(1, 0));
	assert_ptr_equal(found_at(1, 0)->bridge, found_at(0, 1));
	assert_null(found_at(0, 1)->bridge);
	assert_int_equal(found_at(0, 1)->subordinate_bus, 3);
	assert_bus_numbers(b1, 0, 1, 3);
	assert_bus_numbers(b2, 1, 2, 2);
	assert_bus_numbers(b3, 0, 4, 4);
	assert_int_equal(sim_pci_highest_bus, 4);
	assert_int_equal(sim_log_warnings, 0);
	assert_null(sim_pci_violation);
}

static void buses_may_be_numbered_in_another_order_than_slots(void **state)
{
	struct sim_pci_function *b1 = add_bridge(NULL, 1, 0, 5, 5);
	struct sim_pci_function *b2 = add_bridge(NULL, 2, 0, 1, 1);

	(void)state;
	add_function(b1, 0, 0);
	add_function(b2, 0, 0);
	assert_string_equal(scan_bus(), "00:01.0 00:02.0 01:00.0 05:00.0 ");
	assert_ptr_equal(found_at(1, 0)->bridge, found_at(0, 2));
}

static void the_same_is_found_through_ecam(void **state)
{
	struct sim_pci_function *b1 = add_bridge(NULL, 1, 0, 1, 1);

	(void)state;
	add_function(b1, 5, 0);
	assert_int_equal(pci_config_use_ecam(SIM_PCI_ECAM_BASE, 255), 0);
	assert_string_equal(scan_bus(), "00:01.0 01:05.0 ");
	assert_null(sim_pci_violation);
}

static void behind_a_root_port_only_slot_0_is_asked(void **state)
{
	struct sim_pci_function *b = add_bridge(NULL, 1, 0, 1, 1);
	unsigned reads;

	(void)state;
	add_function(b, 0, 0);
	scan_bus();
	reads = sim_pci_reads;
	/* Whatever answers beside it is an echo. */
	add_function(b, 1, 0);
	sim_pci_reads = 0;
	b->config[0x34] = 0x54;
	sim_pci_set_capability(b, 0x54, 0x10, 0);
	sim_pci_put(b, 0x56, 2, 0x0042); /* root port */
	assert_string_equal(scan_bus(), "00:01.0 01:00.0 ");
	assert_true(sim_pci_reads <= reads - 31 + 4);
	sim_pci_reads = 0;
	sim_pci_put(b, 0x56, 2, 0x0062); /* downstream port */
	assert_string_equal(scan_bus(), "00:01.0 01:00.0 ");
	assert_true(sim_pci_reads <= reads - 31 + 4);
	/* But an upstream port, and a bridge to conventional PCI, have all slots. */
	add_function(b, 9, 0);
	sim_pci_put(b, 0x56, 2, 0x0052);
	assert_string_equal(scan_bus(), "00:01.0 01:00.0 01:01.0 01:09.0 ");
	sim_pci_put(b, 0x56, 2, 0x0071);
	assert_string_equal(scan_bus(), "00:01.0 01:00.0 01:01.0 01:09.0 ");
	/* And so has one that is not express, whatever its registers look like. */
	b->config[0x34] = 0;
	sim_pci_put(b, 0x02, 2, 0x0042);
	assert_string_equal(scan_bus(), "00:01.0 01:00.0 01:01.0 01:09.0 ");
}

/* Up to the last number of the bridge above. */
static void numbers_are_kept_to_the_last(void **state)
{
	struct sim_pci_function *outer = add_bridge(NULL, 1, 0, 1, 3);
	struct sim_pci_function *inner = add_bridge(outer, 0, 1, 2, 3);
	struct sim_pci_function *last = add_bridge(NULL, 2, 0, 4, 255);

	(void)state;
	add_function(inner, 0, 0);
	scan_bus();
	assert_bus_numbers(outer, 0, 1, 3);
	assert_bus_numbers(inner, 1, 2, 3);
	assert_bus_numbers(last, 0, 4, 255);
	assert_int_equal(sim_log_warnings, 0);
}

/* Whichever of them has the highest. */
static void a_new_bridge_covers_all_numbers_behind_it(void **state)
{
	struct sim_pci_function *outer = add_bridge(NULL, 1, 0, 0, 0);
	struct sim_pci_function *first = add_bridge(outer, 0, 1, 5, 5);
	struct sim_pci_function *second = add_bridge(outer, 1, 1, 2, 3);

	(void)state;
	add_function(outer, 2, 0);
	scan_bus();
	assert_bus_numbers(outer, 0, 1, 5);
	assert_bus_numbers(first, 1, 5, 5);
	assert_bus_numbers(second, 1, 2, 3);
	assert_int_equal(sim_log_warnings, 0);
}

static void the_first_of_the_longest_runs_of_numbers_is_taken(void **state)
{
	struct sim_pci_function *old = add_bridge(NULL, 1, 0, 3, 3);
	struct sim_pci_function *fresh = add_bridge(NULL, 2, 0, 0, 0);

	(void)state;
	assert_int_equal(pci_config_use_ecam(SIM_PCI_ECAM_BASE, 5), 0);
	scan_bus();
	assert_bus_numbers(old, 0, 3, 3);
	assert_bus_numbers(fresh, 0, 1, 1);
	sim_pci_set_bus_numbers(fresh, 0, 0, 0);
	assert_int_equal(pci_config_use_ecam(SIM_PCI_ECAM_BASE, 6), 0);
	scan_bus();
	assert_bus_numbers(fresh, 0, 4, 4);
}

/* ---- Bridges that it did not ---- */

static void bridges_without_numbers_get_them_depth_first(void **state)
{
	struct sim_pci_function *b1 = add_bridge(NULL, 1, 0, 0, 0);
	struct sim_pci_function *b2 = add_bridge(b1, 0, 0, 0, 0);
	struct sim_pci_function *b3 = add_bridge(b1, 1, 0, 0, 0);
	struct sim_pci_function *b4 = add_bridge(NULL, 2, 0, 0, 0);

	(void)state;
	add_function(b1, 2, 0);
	add_function(b2, 0, 0);
	add_function(b3, 0, 0);
	add_function(b4, 0, 0);
	assert_string_equal(scan_bus(), "00:01.0 00:02.0 01:00.0 01:01.0 01:02.0 02:00.0 03:00.0 "
					"04:00.0 ");
	assert_bus_numbers(b1, 0, 1, 3);
	assert_bus_numbers(b2, 1, 2, 2);
	assert_bus_numbers(b3, 1, 3, 3);
	assert_bus_numbers(b4, 0, 4, 4);
	assert_int_equal(sim_log_warnings, 0);
	assert_null(sim_pci_violation);
}

static void the_latency_beside_bus_numbers_stays(void **state)
{
	struct sim_pci_function *b = add_bridge(NULL, 1, 0, 0, 0);

	(void)state;
	b->config[0x1b] = 0x40;
	scan_bus();
	assert_int_equal(sim_pci_get(b, 0x18, 4), 0x40010100);
}

static void a_new_bridge_gets_numbers_beside_those_of_the_firmware(void **state)
{
	struct sim_pci_function *fresh = add_bridge(NULL, 1, 0, 0, 0);
	struct sim_pci_function *old = add_bridge(NULL, 2, 0, 1, 4);
	struct sim_pci_function *inner = add_bridge(old, 0, 0, 0, 0);

	(void)state;
	add_function(fresh, 0, 0);
	add_function(inner, 0, 0);
	assert_string_equal(scan_bus(), "00:01.0 00:02.0 01:00.0 02:00.0 05:00.0 ");
	assert_bus_numbers(old, 0, 1, 4);
	assert_bus_numbers(fresh, 0, 5, 5);
	assert_bus_numbers(inner, 1, 2, 2);
}

static void a_bridge_for_which_no_number_is_left_stays_closed(void **state)
{
	struct sim_pci_function *old = add_bridge(NULL, 2, 0, 1, 1);
	struct sim_pci_function *inner = add_bridge(old, 0, 0, 0, 0);

	(void)state;
	add_function(inner, 0, 0);
	assert_string_equal(scan_bus(), "00:02.0 01:00.0 ");
	assert_bus_numbers(inner, 0, 0, 0);
	assert_int_equal(sim_log_warnings, 1);
	assert_string_equal(sim_log_warning, "pci: 01:00.0: no bus number is left for it");
}

/* Of what it said nothing is left: it would claim buses of others. */
static void a_bridge_with_impossible_numbers_loses_them_at_any_rate(void **state)
{
	struct sim_pci_function *old = add_bridge(NULL, 1, 0, 1, 1);
	struct sim_pci_function *wrong = add_bridge(NULL, 2, 0, 1, 9);

	(void)state;
	assert_int_equal(pci_config_use_ecam(SIM_PCI_ECAM_BASE, 1), 0);
	assert_string_equal(scan_bus(), "00:01.0 00:02.0 ");
	assert_bus_numbers(old, 0, 1, 1);
	assert_bus_numbers(wrong, 0, 0, 0);
	assert_int_equal(sim_log_warnings, 2);
}

static void no_bus_above_the_last_is_numbered_or_asked(void **state)
{
	(void)state;
	for (unsigned slot = 1; slot < 6; slot++)
		add_function(add_bridge(NULL, slot, 0, 0, 0), 0, 0);
	add_bridge(NULL, 8, 0, 9, 9);
	assert_int_equal(pci_config_use_ecam(SIM_PCI_ECAM_BASE, 3), 0);
	assert_string_equal(scan_bus(), "00:01.0 00:02.0 00:03.0 00:04.0 00:05.0 00:08.0 "
					"01:00.0 02:00.0 03:00.0 ");
	assert_int_equal(sim_pci_highest_bus, 3);
}

/* ---- Bridges that lie ---- */

static void impossible_numbers_are_replaced(void **state)
{
	static const uint8_t wrong[][2] = { { 1, 0 }, { 5, 4 }, { 255, 1 } };

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		struct sim_pci_function *b;

		sim_pci_reset();
		sim_log_reset();
		b = add_bridge(NULL, 1, 0, wrong[i][0], wrong[i][1]);
		add_function(b, 0, 0);
		assert_string_equal(scan_bus(), "00:01.0 01:00.0 ");
		assert_bus_numbers(b, 0, 1, 1);
		assert_int_equal(sim_log_warnings, 1);
	}
}

static void a_secondary_bus_at_or_before_its_own_is_replaced(void **state)
{
	struct sim_pci_function *b1 = add_bridge(NULL, 1, 0, 2, 5);
	struct sim_pci_function *b2 = add_bridge(b1, 0, 2, 2, 5);

	(void)state;
	add_function(b2, 0, 0);
	assert_string_equal(scan_bus(), "00:01.0 02:00.0 03:00.0 ");
	assert_bus_numbers(b2, 2, 3, 3);
	sim_pci_set_bus_numbers(b2, 2, 1, 5);
	assert_string_equal(scan_bus(), "00:01.0 02:00.0 03:00.0 ");
	assert_bus_numbers(b2, 2, 3, 3);
}

static void numbers_beyond_those_of_the_bridge_above_are_replaced(void **state)
{
	struct sim_pci_function *b1 = add_bridge(NULL, 1, 0, 1, 3);
	struct sim_pci_function *b2 = add_bridge(b1, 0, 1, 3, 9);

	(void)state;
	add_function(b2, 0, 0);
	assert_string_equal(scan_bus(), "00:01.0 01:00.0 02:00.0 ");
	assert_bus_numbers(b2, 1, 2, 2);
	assert_int_equal(sim_log_warnings, 1);
}

static void the_second_of_two_overlapping_bridges_is_renumbered(void **state)
{
	struct sim_pci_function *b1 = add_bridge(NULL, 1, 0, 1, 4);
	struct sim_pci_function *b2 = add_bridge(NULL, 2, 0, 3, 6);

	(void)state;
	add_function(b1, 0, 0);
	add_function(b2, 1, 0);
	assert_string_equal(scan_bus(), "00:01.0 00:02.0 01:00.0 05:01.0 ");
	assert_bus_numbers(b1, 0, 1, 4);
	assert_bus_numbers(b2, 0, 5, 5);
	assert_int_equal(sim_log_warnings, 1);
	assert_string_equal(sim_log_warning, "pci: 00:02.0: bus numbers 03 to 06 cannot be here");
	/* One number is enough, be it the last. */
	sim_pci_set_bus_numbers(b1, 0, 6, 9);
	sim_pci_set_bus_numbers(b2, 0, 3, 6);
	scan_bus();
	assert_bus_numbers(b1, 0, 6, 9);
	assert_bus_numbers(b2, 0, 10, 10);
	assert_int_equal(sim_log_warnings, 2);
}

static void a_bridge_that_keeps_its_wrong_numbers_is_left_alone(void **state)
{
	struct sim_pci_function *b = add_bridge(NULL, 1, 0, 5, 4);

	(void)state;
	b->stubborn = true;
	add_function(b, 0, 0);
	assert_string_equal(scan_bus(), "00:01.0 ");
	assert_int_equal(sim_log_warnings, 2);
	assert_string_equal(sim_log_warning, "pci: 00:01.0: does not keep its bus numbers");
	assert_int_equal(found_at(0, 1)->secondary_bus, 0);
}

static struct sim_pci_function *leaving;

/* The first numbers say that all are free, the second ones how many were used. */
static void leave_at_second_numbers(struct sim_pci_function *f, unsigned offset, uint32_t value)
{
	static unsigned writes;

	(void)value;
	if (f == leaving && offset == 0x18)
		f->gone = ++writes == 2;
}

/* Found by fuzzing: the bus was scanned again behind another bridge. */
static void the_numbers_behind_a_bridge_that_goes_away_are_nobody_elses(void **state)
{
	struct sim_pci_function *a = add_bridge(NULL, 1, 0, 0, 0);
	struct sim_pci_function *b = add_bridge(NULL, 2, 0, 0, 0);

	(void)state;
	leaving = add_bridge(a, 0, 0, 0, 0);
	add_function(leaving, 7, 0);
	add_function(b, 7, 0);
	sim_pci_on_write = leave_at_second_numbers;
	assert_string_equal(scan_bus(), "00:01.0 00:02.0 01:00.0 02:07.0 03:07.0 ");
	assert_bus_numbers(a, 0, 1, 2);
	assert_bus_numbers(b, 0, 3, 3);
	assert_int_equal(sim_log_warnings, 1);
	assert_string_equal(sim_log_warning, "pci: 01:00.0: has lost its bus numbers");
}

static void a_wire_back_to_the_root_bus_does_not_loop(void **state)
{
	struct sim_pci_function *b = add_bridge(NULL, 1, 0, 1, 255);

	(void)state;
	add_function(NULL, 2, 0);
	sim_pci_loop_to_root(b);
	assert_true(pci_scan(&windows) <= 64);
	assert_true(sim_pci_reads < 5000);
}

static void two_wires_back_do_not_loop_either(void **state)
{
	(void)state;
	sim_pci_loop_to_root(add_bridge(NULL, 1, 0, 0, 0));
	sim_pci_loop_to_root(add_bridge(NULL, 2, 0, 0, 0));
	assert_true(pci_scan(&windows) <= PCI_DEVICES_MAX);
	assert_true(sim_pci_reads < 50000);
}

static void a_long_chain_of_bridges_ends(void **state)
{
	struct sim_pci_function *b = NULL;

	(void)state;
	for (unsigned i = 0; i < 40; i++)
		b = add_bridge(b, 0, 0, 0, 0);
	assert_int_equal(pci_scan(&windows), 13);
	assert_int_equal(sim_log_warnings, 1);
	assert_string_equal(sim_log_warning, "pci: bus 0d: too many bridges before it");
	/* Nor does one that the firmware has numbered go deeper. */
	sim_pci_reset();
	sim_log_reset();
	b = NULL;
	for (uint8_t i = 0; i < 40; i++)
		b = add_bridge(b, 0, i, (uint8_t)(i + 1), 255);
	assert_int_equal(pci_scan(&windows), 13);
	assert_int_equal(sim_log_warnings, 1);
	assert_string_equal(sim_log_warning, "pci: bus 0d: too many bridges before it");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_a_mechanism_nothing_is_found),
		cmocka_unit_test_setup(an_empty_bus_has_no_functions, setup_bus),
		cmocka_unit_test_setup(the_header_is_read, setup_bus),
		cmocka_unit_test_setup(an_impossible_interrupt_pin_is_none, setup_bus),
		cmocka_unit_test_setup(functions_of_a_multifunction_device_are_found, setup_bus),
		cmocka_unit_test_setup(other_functions_are_not_asked_without_need, setup_bus),
		cmocka_unit_test_setup(a_vendor_of_zero_or_all_ones_is_nothing, setup_bus),
		cmocka_unit_test_setup(an_unknown_header_is_listed_and_left_alone, setup_bus),
		cmocka_unit_test_setup(more_functions_than_fit_are_left_alone, setup_bus),
		cmocka_unit_test_setup(a_second_scan_starts_anew, setup_bus),
		cmocka_unit_test_setup(what_is_behind_bridges_is_found_in_the_order_of_addresses,
				       setup_bus),
		cmocka_unit_test_setup(buses_may_be_numbered_in_another_order_than_slots,
				       setup_bus),
		cmocka_unit_test_setup(the_list_is_in_the_order_of_addresses, setup_bus),
		cmocka_unit_test_setup(what_is_found_is_recorded, setup_bus),
		cmocka_unit_test_setup(what_is_listed_is_not_found_again, setup_bus),
		cmocka_unit_test_setup(nothing_comes_behind_a_bridge_without_a_bus, setup_bus),
		cmocka_unit_test_setup(numbers_are_kept_to_the_last, setup_bus),
		cmocka_unit_test_setup(a_new_bridge_covers_all_numbers_behind_it, setup_bus),
		cmocka_unit_test_setup(the_first_of_the_longest_runs_of_numbers_is_taken,
				       setup_bus),
		cmocka_unit_test_setup(the_same_is_found_through_ecam, setup_bus),
		cmocka_unit_test_setup(behind_a_root_port_only_slot_0_is_asked, setup_bus),
		cmocka_unit_test_setup(bridges_without_numbers_get_them_depth_first, setup_bus),
		cmocka_unit_test_setup(the_latency_beside_bus_numbers_stays, setup_bus),
		cmocka_unit_test_setup(a_new_bridge_gets_numbers_beside_those_of_the_firmware,
				       setup_bus),
		cmocka_unit_test_setup(a_bridge_for_which_no_number_is_left_stays_closed,
				       setup_bus),
		cmocka_unit_test_setup(a_bridge_with_impossible_numbers_loses_them_at_any_rate,
				       setup_bus),
		cmocka_unit_test_setup(no_bus_above_the_last_is_numbered_or_asked, setup_bus),
		cmocka_unit_test_setup(impossible_numbers_are_replaced, setup_bus),
		cmocka_unit_test_setup(a_secondary_bus_at_or_before_its_own_is_replaced, setup_bus),
		cmocka_unit_test_setup(numbers_beyond_those_of_the_bridge_above_are_replaced,
				       setup_bus),
		cmocka_unit_test_setup(the_second_of_two_overlapping_bridges_is_renumbered,
				       setup_bus),
		cmocka_unit_test_setup(a_bridge_that_keeps_its_wrong_numbers_is_left_alone,
				       setup_bus),
		cmocka_unit_test_setup(the_numbers_behind_a_bridge_that_goes_away_are_nobody_elses,
				       setup_bus),
		cmocka_unit_test_setup(a_wire_back_to_the_root_bus_does_not_loop, setup_bus),
		cmocka_unit_test_setup(two_wires_back_do_not_loop_either, setup_bus),
		cmocka_unit_test_setup(a_long_chain_of_bridges_ends, setup_bus),
	};

	return cmocka_run_group_tests_name("pci_scan", tests, NULL, NULL);
}
