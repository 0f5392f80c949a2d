/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * QEMU's ports for ACPI hot-plug (QEMU's docs/specs/acpi_pci_hotplug): a bit
 * for each slot of a bus, without any AML.
 */
#include "arch/io.h"
#include "arch/platform.h"
#include "drivers/pci/pci_internal.h"
#include "drivers/pci/pci_slot.h"
#include "kernel/lib/log.h"

/* QEMU's ports, 32 bits each; a bit for each slot of the bus that is selected. */
#define ACPI_UP 0x00	 /* a function came; read and cleared */
#define ACPI_DOWN 0x04	 /* a function is asked to leave */
#define ACPI_EJECT 0x08	 /* write: it may go */
#define ACPI_SELECT 0x10 /* the bus, by a number of QEMU's own */
#define ACPI_NO_PORTS UINT32_MAX

#define VENDOR_INTEL 0x8086
#define DEVICE_PIIX4_ACPI 0x7113
#define DEVICE_ICH9 0x2918

#define BUSES_MAX 32

/*
 * QEMU numbers the buses, and only its AML says which bus has which number. It is
 * learnt when a function comes: only one bus then has a new one.
 */
static struct {
	uint16_t base; /* 0: there are no such ports */
	size_t count;  /* numbers that are asked for */
	struct {
		bool known;
		struct pci_device *bridge; /* NULL: the root bus */
		uint32_t told;		   /* slots for which a warning was given */
	} bus[BUSES_MAX];
} acpi;

static bool is_known(const struct pci_device *bridge)
{
	for (size_t i = 0; i < acpi.count; i++)
		if (acpi.bus[i].known && acpi.bus[i].bridge == bridge)
			return true;
	return false;
}

static void learn(size_t number, struct pci_device *bridge)
{
	acpi.bus[number].known = true;
	acpi.bus[number].bridge = bridge;
}

static void acpi_plug(size_t number, unsigned slot)
{
	if (acpi.bus[number].known) {
		pci_slot_plug(acpi.bus[number].bridge, slot);
		return;
	}
	for (struct pci_device *d = pci_devices(); d; d = d->next) {
		if (!pci_is_bridge(d) || d->secondary_bus == 0 || is_known(d))
			continue;
		if (pci_slot_plug(d, slot) > 0) {
			learn(number, d);
			return;
		}
	}
}

/* Learns an unknown bus: the only one with a function in this slot, if it is the only one. */
static bool find_bus(size_t number, unsigned slot)
{
	struct pci_device *found = NULL;

	if (acpi.bus[number].known)
		return true;
	for (struct pci_device *d = pci_devices(); d; d = d->next) {
		if (!pci_is_bridge(d) || is_known(d) || !pci_slot_find(d, slot))
			continue;
		if (found)
			return false;
		found = d;
	}
	if (found)
		learn(number, found);
	return found;
}

static void acpi_unplug(size_t number, unsigned slot)
{
	if (!find_bus(number, slot)) {
		if (!(acpi.bus[number].told >> slot & 1))
			log_warn("pci: slot %u of bus number %zu of ACPI is to be emptied, but "
				 "which bus that is cannot be told",
				 slot, number);
		acpi.bus[number].told |= 1u << slot;
		return;
	}
	pci_slot_unplug(acpi.bus[number].bridge, slot);
	io_write32((uint16_t)(acpi.base + ACPI_SELECT), (uint32_t)number);
	io_write32((uint16_t)(acpi.base + ACPI_EJECT), 1u << slot);
}

static void poll_acpi_bus(size_t number)
{
	uint32_t up, down;

	io_write32((uint16_t)(acpi.base + ACPI_SELECT), (uint32_t)number);
	up = io_read32((uint16_t)(acpi.base + ACPI_UP));
	down = io_read32((uint16_t)(acpi.base + ACPI_DOWN));
	if (up == ACPI_NO_PORTS || down == ACPI_NO_PORTS)
		return;
	/* First those that are to leave: they may make room for those that come. */
	for (unsigned slot = 0; slot < PCI_SLOTS; slot++) {
		if (down >> slot & 1)
			acpi_unplug(number, slot);
		if (up >> slot & 1)
			acpi_plug(number, slot);
	}
}

size_t pci_slot_acpi_find(void)
{
	acpi.base = 0;
	acpi.count = 1;
	for (size_t i = 0; i < BUSES_MAX; i++)
		acpi.bus[i].known = false;
	for (const struct pci_device *d = pci_devices(); d; d = d->next) {
		if (pci_is_bridge(d) && acpi.count < BUSES_MAX)
			acpi.count++;
		if (d->vendor != VENDOR_INTEL)
			continue;
		if (d->device == DEVICE_PIIX4_ACPI) {
			acpi.base = PORT_ACPI_HOTPLUG_PIIX4;
			learn(0, NULL); /* that chipset's root bus comes first */
		} else if (d->device == DEVICE_ICH9) {
			acpi.base = PORT_ACPI_HOTPLUG_ICH9;
		}
	}
	if (acpi.base == 0)
		return 0;
	io_write32((uint16_t)(acpi.base + ACPI_SELECT), 0);
	if (io_read32((uint16_t)(acpi.base + ACPI_DOWN)) == ACPI_NO_PORTS)
		acpi.base = 0;
	return acpi.base != 0;
}

void pci_slot_acpi_poll(void)
{
	for (size_t i = 0; acpi.base != 0 && i < acpi.count; i++)
		poll_acpi_bus(i);
}
