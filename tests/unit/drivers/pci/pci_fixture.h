/* SPDX-License-Identifier: BSD-2-Clause */
/* What the tests of PCI share: a PC's addresses, an empty bus, and functions on it. */
#ifndef TESTS_UNIT_DRIVERS_PCI_PCI_FIXTURE_H
#define TESTS_UNIT_DRIVERS_PCI_PCI_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>

#include "drivers/pci/pci.h"
#include "tests/sim/sim_log.h"
#include "tests/sim/sim_pci.h"

static const struct pci_windows windows = {
	.memory_start = 0xc0000000,
	.memory_end = 0xfec00000,
	.memory64_start = UINT64_C(0x100000000),
	.memory64_end = UINT64_C(0x900000000),
	.io_start = 0xc000,
	.io_end = 0x10000,
};

/* Empties the bus and the log; config space is reached by ports. Returns 0, for cmocka. */
static inline int setup_bus(void **state)
{
	(void)state;
	sim_log_reset();
	sim_pci_reset();
	pci_set_root_buses((const uint8_t[PCI_BUSES / 8]){ 0 }, true);
	return pci_config_use_ports();
}

/* Adds a function like a balloon's: vendor 1af4, device 1002. */
static inline struct sim_pci_function *add_function(struct sim_pci_function *parent,
						    unsigned device, unsigned function)
{
	return sim_pci_add(parent, device, function, 0x1af4, 0x1002, 0x00ff00);
}

/* Adds a bridge that the firmware has numbered. */
static inline struct sim_pci_function *add_bridge(struct sim_pci_function *parent, unsigned device,
						  uint8_t primary, uint8_t secondary,
						  uint8_t subordinate)
{
	struct sim_pci_function *f = sim_pci_add_bridge(parent, device, 0);

	sim_pci_set_bus_numbers(f, primary, secondary, subordinate);
	return f;
}

/* Returns the addresses found, in the order of the list: "00:01.0 01:00.0 ". */
static inline const char *scan_bus(void)
{
	static char text[PCI_DEVICES_MAX * 8 + 1];
	size_t length = 0;
	size_t count = pci_scan(&windows);
	size_t listed = 0;

	text[0] = '\0';
	for (const struct pci_device *d = pci_devices(); d; d = d->next) {
		length += (size_t)snprintf(text + length, sizeof(text) - length, "%02x:%02x.%u ",
					   d->address.bus, d->address.device, d->address.function);
		listed++;
	}
	assert_int_equal(listed, count);
	return text;
}

/* Compares what a bridge has now. */
static inline void assert_bus_numbers(const struct sim_pci_function *f, unsigned primary,
				      unsigned secondary, unsigned subordinate)
{
	assert_int_equal(sim_pci_get(f, 0x18, 4) & 0xffffff,
			 primary | secondary << 8 | subordinate << 16);
}

/* Returns function 0 of a slot, which the scan must have found. */
static inline const struct pci_device *found_at(unsigned bus, unsigned slot)
{
	for (const struct pci_device *d = pci_devices(); d; d = d->next) {
		if (d->address.bus == bus && d->address.device == slot && d->address.function == 0)
			return d;
	}
	fail_msg("nothing at %02x:%02x.0", bus, slot);
	return NULL;
}

#endif
