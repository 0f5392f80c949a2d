/* SPDX-License-Identifier: BSD-2-Clause */
/* From ACPI's tables to PCI and to virtio devices in memory. */
#include "kernel/devices.h"

#include <inttypes.h>

#include "arch/boot_info.h"
#include "arch/irq.h"
#include "drivers/acpi/acpi.h"
#include "drivers/pci/pci.h"
#include "drivers/pci/pci_hotplug.h"
#include "drivers/pci/pci_intx.h"
#include "drivers/pvpanic/pvpanic.h"
#include "drivers/virtio/virtio_pci.h"
#include "kernel/acpi_task.h"
#include "kernel/console.h"
#include "kernel/lib/log.h"
#include "kernel/pci_windows.h"
#include "kernel/virtio_mmio_find.h"

/* The place of a PC's first I/O APIC, if no table says otherwise. */
#define IOAPIC_DEFAULT 0xfec00000

/* A hostile table has no end of them. */
#define IOAPICS_MAX 8

static void find_ioapics(void)
{
	uint32_t first_gsi;
	paddr_t address;

	for (size_t n = 0; n < IOAPICS_MAX; n++) {
		if (acpi_find_ioapic(n, &address, &first_gsi)) {
			if (n == 0)
				irq_add_ioapic(IOAPIC_DEFAULT, 0);
			return;
		}
		if (irq_add_ioapic(address, first_gsi))
			log_warn("acpi: the I/O APIC at %#" PRIx64 " cannot be used", address);
	}
}

static void add(const struct pci_device *device)
{
	pvpanic_pci_add(device);
	virtio_pci_add(device);
}

static void remove(const struct pci_device *device, bool gone)
{
	pvpanic_pci_remove(device);
	virtio_pci_remove(device, gone);
}

static const struct pci_hotplug_ops hotplug_ops = { .added = add, .removing = remove };

_Static_assert(ACPI_BUSES == PCI_BUSES, "the set of root buses");

static void find_pci(const struct boot_info *boot)
{
	uint8_t roots[PCI_BUSES / 8];
	struct pci_windows windows;
	paddr_t ecam = 0;
	uint8_t last_bus = 0;

	if (acpi_find_ecam(&ecam, &last_bus) || pci_config_use_ecam(ecam, last_bus)) {
		if (pci_config_use_ports()) {
			log_info("pci: none");
			return;
		}
	}
	pci_windows_find(boot, ecam, last_bus, &windows);
	acpi_find_root_buses(roots);
	/* With ACPI its tables name all of them. */
	pci_set_root_buses(acpi_find("FACP") ? roots : NULL);
	pci_scan(&windows);
	pci_route_intx();
	for (const struct pci_device *device = pci_devices(); device; device = device->next)
		pvpanic_pci_add(device);
	virtio_pci_probe();
	pci_hotplug_start(&hotplug_ops);
}

/* For the power button. */
static void turn_off(void)
{
	console_flush();
	acpi_power_off();
	log_warn("acpi: the machine cannot be turned off; try exit");
}

void devices_find(const struct boot_info *boot)
{
	acpi_init(boot->acpi_rsdp);
	find_ioapics();
	acpi_task_start(turn_off);
	pvpanic_find();
	find_pci(boot);
	virtio_mmio_find(boot->command_line);
}
