/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * PCI as a whole: finds functions (pci_scan.c), then gives addresses to those
 * that have none (pci_assign.c). Neither of the two files knows the other.
 */
#include "drivers/pci/pci_internal.h"
#include "kernel/lib/log.h"

size_t pci_scan(const struct pci_windows *windows)
{
	const struct pci_config_ops *config = pci_config_ops();

	pci_scan_buses();
	if (!config)
		return 0;
	pci_assign(windows);
	log_info("pci: %zu functions; config space by %s", pci_function_count, config->name);
	return pci_function_count;
}

size_t pci_scan_slot(struct pci_device *bridge, struct pci_address address)
{
	size_t found = pci_scan_new(bridge, address);

	if (found > 0)
		pci_assign_slot(bridge);
	return found;
}
