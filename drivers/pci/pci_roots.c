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
#define NOTHING UINT32_MAX /* what a slot says that nothing is in */

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

/*
 * QEMU's pxb and pxb-pcie have a function on bus 0 that stands for the root bus behind them.
 * That is their way, not PCI's: a chipset has host bridges there that stand for no bus, most
 * of them beside the function 0 of one slot.
 */
static unsigned count_host_bridges(const struct pci_device *found)
{
	unsigned count = 0;

	for (const struct pci_device *d = found; d; d = d->next)
		count += d->address.bus == 0 && d->address.function == 0 &&
			 d->class >> 8 == CLASS_HOST_BRIDGE;
	return count;
}

/* Root buses that were found by asking. The list goes by address. */
static unsigned count_found(const struct pci_device *found)
{
	unsigned count = 0, last = 0;

	for (const struct pci_device *d = found; d; d = d->next) {
		if (d->bridge || d->address.bus == last || is_told(d->address.bus))
			continue;
		last = d->address.bus;
		count++;
	}
	return count;
}

/* By how many slots a bus is asked; 0: there are no others than are known. */
static unsigned slots_to_ask(const struct pci_device *found)
{
	if (count_host_bridges(found) > 1 + told_count + count_found(found))
		return PCI_SLOTS;
	return told_all ? 0 : 1;
}

static uint32_t read_id(unsigned bus, unsigned slot)
{
	const struct pci_device device = {
		.address = { .bus = (uint8_t)bus, .device = (uint8_t)slot },
	};
	uint32_t id = pci_read32(&device, PCI_VENDOR);

	return (uint16_t)id == UINT16_MAX || (uint16_t)id == 0 ? NOTHING : id;
}

static uint32_t id_on_bus_0(const struct pci_device *found, unsigned slot)
{
	for (const struct pci_device *d = found; d && d->address.bus == 0; d = d->next)
		if (d->address.device == slot && d->address.function == 0)
			return d->vendor | (uint32_t)d->device << 16;
	return NOTHING;
}

/* Where bus numbers are not looked at, every bus is bus 0 once more. */
static bool answers(const struct pci_device *found, unsigned number, unsigned slots)
{
	bool any = false, differs = false;

	for (unsigned slot = 0; slot < slots && !(any && differs); slot++) {
		uint32_t id = read_id(number, slot);

		any = any || id != NOTHING;
		differs = differs || id != id_on_bus_0(found, slot);
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
		if (is_told(number) || answers(found, number, slots))
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
