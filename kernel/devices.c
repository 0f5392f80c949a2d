/* SPDX-License-Identifier: BSD-2-Clause */
/* From ACPI's tables to PCI and to virtio devices in memory. */
#include "kernel/devices.h"

#include "arch/boot_info.h"
#include "drivers/acpi/acpi.h"
#include "drivers/pci/pci.h"
#include "drivers/pci/pci_hotplug.h"
#include "drivers/pci/pci_intx.h"
#include "drivers/pvpanic/pvpanic.h"
#include "drivers/virtio/virtio_pci.h"
#include "kernel/acpi_task.h"
#include "kernel/lib/log.h"
#include "kernel/pci_windows.h"
#include "kernel/system.h"
#include "kernel/virtio_mmio_find.h"
#include "mm/memory_region.h"

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

/* A microvm with pcie=on says in AML alone where its config space is (_CBA). */
static void tell_unreached(void)
{
	struct acpi_device bridge;

	if (acpi_find_device("PNP0A08", 0, &bridge))
		log_info("pci: none");
	else
		log_info("pci: ACPI names a host bridge, but no MCFG and no port 0xcf8 lead to it");
}

static void find_pci(const struct boot_info *boot)
{
	uint8_t roots[PCI_BUSES / 8];
	struct pci_windows windows;
	paddr_t ecam = 0;
	uint8_t last_bus = 0;
	bool all;

	if (acpi_find_ecam(&ecam, &last_bus) || pci_config_use_ecam(ecam, last_bus)) {
		if (pci_config_use_ports()) {
			tell_unreached();
			return;
		}
	}
	pci_windows_find(boot, ecam, last_bus, &windows);
	all = acpi_find_root_buses(roots) == 0;
	pci_set_root_buses(roots, all);
	pci_scan(&windows);
	/* Without ACPI nobody says where memory may come before BARs have their addresses. */
	memory_region_set_obstacles(pci_has_bar_within);
	pci_route_intx();
	for (const struct pci_device *device = pci_devices(); device; device = device->next)
		pvpanic_pci_add(device);
	virtio_pci_probe();
	pci_hotplug_start(&hotplug_ops);
}

void devices_find(const struct boot_info *boot)
{
	acpi_task_start(system_power_off);
	pvpanic_find();
	find_pci(boot);
	virtio_mmio_find(boot->command_line);
}
