/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The functions in slots: takes them in, lets them go, and notices those that
 * vanished. When to do so is for others to say: see pci_slot_express.c and
 * pci_slot_acpi.c.
 */
#include <assert.h>

#include "drivers/pci/pci_events.h"
#include "drivers/pci/pci_internal.h"
#include "drivers/pci/pci_slot.h"
#include "kernel/lib/log.h"

static const struct pci_hotplug_ops *ops;

void pci_slot_set_ops(const struct pci_hotplug_ops *callbacks)
{
	assert(callbacks->added && callbacks->removing);
	ops = callbacks;
}

static uint8_t bus_behind(const struct pci_device *bridge)
{
	return bridge ? bridge->secondary_bus : 0;
}

struct pci_device *pci_slot_find(const struct pci_device *bridge, unsigned slot)
{
	struct pci_device *last = NULL;

	for (struct pci_device *d = pci_devices(); d; d = d->next)
		if (d->bridge == bridge && d->address.bus == bus_behind(bridge) &&
		    d->address.device == slot)
			last = d;
	return last;
}

size_t pci_slot_plug(struct pci_device *bridge, unsigned slot)
{
	struct pci_address address = { .bus = bus_behind(bridge), .device = (uint8_t)slot };
	size_t found = pci_scan_slot(bridge, address);
	char name[PCI_NAME_SIZE];

	for (struct pci_device *d = pci_devices(); found > 0 && d; d = d->next) {
		if (!d->is_new)
			continue;
		d->is_new = false;
		log_info("pci: %s: plugged in", pci_name(d, name));
		pci_event_of(PCI_EVENT_PLUGGED, d);
		if (pci_is_bridge(d))
			log_warn("pci: %s: a bridge; what is behind it is not looked for", name);
		ops->added(d);
	}
	return found;
}

static void let_go(struct pci_device *device, bool gone)
{
	char name[PCI_NAME_SIZE];

	ops->removing(device, gone);
	if (!gone)
		pci_disable(device);
	log_info("pci: %s: %s", pci_name(device, name), gone ? "gone" : "unplugged");
	pci_event_of(gone ? PCI_EVENT_PULLED : PCI_EVENT_UNPLUGGED, device);
	pci_forget(device);
}

void pci_slot_unplug(const struct pci_device *bridge, unsigned slot)
{
	struct pci_device *device;

	while ((device = pci_slot_find(bridge, slot)))
		let_go(device, false);
}

/* A function that replaced this one has other ids, or no addresses yet. */
static bool is_in_place(const struct pci_device *device)
{
	if (!pci_is_there(device))
		return false;
	for (unsigned i = 0; i < PCI_BARS; i++) {
		const struct pci_bar *bar = &device->bar[i];

		if (bar->kind != PCI_BAR_NONE && bar->address != 0)
			return (pci_read32(device, PCI_BAR0 + 4 * i) & ~0xfu) ==
			       ((uint32_t)bar->address & ~0xfu);
	}
	return true;
}

static struct pci_device *find_gone(void)
{
	for (struct pci_device *d = pci_devices(); d; d = d->next)
		if (d->header_type == PCI_HEADER_DEVICE && !is_in_place(d))
			return d;
	return NULL;
}

void pci_slot_drop_vanished(void)
{
	struct pci_device *gone;

	while ((gone = find_gone()))
		let_go(gone, true);
}
