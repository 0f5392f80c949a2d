/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Root buses besides bus 0. ACPI tells them, or some of them, or none: a firmware that
 * knows nothing of an expander has tables that do not name its bus. Where more may be
 * there, buses are asked, and each read is an exit of the virtual machine: by all slots
 * only if bus 0 shows that there are more, and not at all on most machines.
 */
#include <assert.h>
#include <string.h>

#include "drivers/pci/pci_internal.h"

#define CLASS_HOST_BRIDGE 0x0600

static uint8_t told[PCI_BUSES / 8];
static unsigned told_count; /* without bus 0 */
static bool told_all = true;

static bool is_told(unsigned number)
{
	assert(number < PCI_BUSES);
	return told[number / 8] >> number % 8 & 1;
}

void pci_set_root_buses(const uint8_t buses[PCI_BUSES / 8], bool all)
{
	memcpy(told, buses, sizeof(told));
	told_all = all;
	told_count = 0;
	for (unsigned number = 1; number < PCI_BUSES; number++)
		told_count += is_told(number);
}

/* ---- Asking ---- */

/* Each root bus has a function on bus 0 that stands for it. */
static unsigned count_host_bridges(const struct pci_device *found)
{
	unsigned count = 0;

	for (const struct pci_device *d = found; d; d = d->next)
		count += d->address.bus == 0 && d->class >> 8 == CLASS_HOST_BRIDGE;
	return count;
}

/* By how many slots a bus is asked; 0: there are no others than were told. */
static unsigned slots_to_ask(const struct pci_device *found)
{
	if (count_host_bridges(found) > told_count + 1)
		return PCI_SLOTS;
	return told_all ? 0 : 1;
}

static uint32_t read_id(unsigned bus, unsigned slot)
{
	const struct pci_device device = {
		.address = { .bus = (uint8_t)bus, .device = (uint8_t)slot },
	};

	return pci_read32(&device, PCI_VENDOR);
}

/* Where bus numbers are not looked at, every bus is bus 0 once more. */
static bool answers(unsigned number, unsigned slots)
{
	bool any = false, differs = false;

	for (unsigned slot = 0; slot < slots && !(any && differs); slot++) {
		uint32_t id = read_id(number, slot);

		any = any || ((uint16_t)id != UINT16_MAX && (uint16_t)id != 0);
		differs = differs || id != read_id(0, slot);
	}
	return any && differs;
}

/* ---- The buses in order ---- */

static bool is_behind_a_bridge(const struct pci_device *found, unsigned number)
{
	for (const struct pci_device *d = found; d; d = d->next)
		if (pci_is_numbered(d) && number >= d->secondary_bus &&
		    number <= d->subordinate_bus)
			return true;
	return false;
}

unsigned pci_root_next(const struct pci_device *found, unsigned number, unsigned end)
{
	unsigned slots = slots_to_ask(found);

	while (++number < end) {
		if (is_behind_a_bridge(found, number))
			continue;
		if (is_told(number) || answers(number, slots))
			break;
	}
	return number;
}

unsigned pci_root_end(const struct pci_device *found, unsigned number, unsigned end)
{
	do
		number++;
	while (number < end && !is_told(number) && !is_behind_a_bridge(found, number));
	return number;
}
