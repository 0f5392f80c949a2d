/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Root buses besides bus 0. ACPI tells them; where nobody does, a bus is asked by its
 * first slot: each read is an exit of the virtual machine, so no more than one a bus.
 */
#include <assert.h>
#include <string.h>

#include "drivers/pci/pci_internal.h"

static uint8_t told[PCI_BUSES / 8];
static bool unknown;

void pci_set_root_buses(const uint8_t *buses)
{
	unknown = !buses;
	if (buses)
		memcpy(told, buses, sizeof(told));
}

bool pci_roots_are_told(void)
{
	return !unknown;
}

/* Where bus numbers are not looked at, every bus is bus 0 once more. */
static bool answers(unsigned number)
{
	const struct pci_device bus_0 = { .address = { .bus = 0 } };
	const struct pci_device bus = { .address = { .bus = (uint8_t)number } };
	uint32_t id = pci_read32(&bus, PCI_VENDOR);

	return (uint16_t)id != UINT16_MAX && (uint16_t)id != 0 &&
	       id != pci_read32(&bus_0, PCI_VENDOR);
}

bool pci_is_root(unsigned number)
{
	assert(number < PCI_BUSES);
	return unknown ? answers(number) : told[number / 8] >> number % 8 & 1;
}
