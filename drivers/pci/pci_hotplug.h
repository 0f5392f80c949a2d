/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Functions that come and go while the machine runs: in slots of PCI Express
 * ports (PCI Express Base 4.0, 6.7), and by QEMU's ports for ACPI hot-plug,
 * which need no AML.
 */
#ifndef DRIVERS_PCI_PCI_HOTPLUG_H
#define DRIVERS_PCI_PCI_HOTPLUG_H

#include "drivers/pci/pci.h"

/*
 * Finds the slots of what pci_scan() found and starts a task that looks at them
 * once a second; without slots there is no task. Keeps `ops`, both functions
 * of which must be there. -ENOMEM, -EAGAIN: the task could not be created.
 */
int pci_hotplug_start(const struct pci_hotplug_ops *ops);

#endif
