/* SPDX-License-Identifier: BSD-2-Clause */
/* From ACPI's tables to PCI and to virtio devices in memory. */
#include "kernel/devices.h"

#include "arch/boot_info.h"
#include "drivers/acpi/acpi.h"
#include "drivers/pci/pci.h"
#include "drivers/pci/pci_hotplug.h"
#include "drivers/pci/pci_intx.h"
#include "drivers/virtio/virtio_pci.h"
#include "kernel/lib/log.h"
#include "kernel/pci_windows.h"
#include "kernel/virtio_mmio_find.h"

static const struct pci_hotplug_ops hotplug_ops = {
	.added = virtio_pci_add,
	.removing = virtio_pci_remove,
};

static void find_pci(const struct boot_info *boot)
{
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
	pci_scan(&windows);
	pci_route_intx();
	virtio_pci_probe();
	pci_hotplug_start(&hotplug_ops);
}

void devices_find(const struct boot_info *boot)
{
	find_pci(boot);
	virtio_mmio_find(boot->command_line);
}
