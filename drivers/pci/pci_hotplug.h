/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Functions that come and go while the machine runs: in slots of PCI Express
 * ports (PCI Express Base 4.0, 6.7), and by QEMU's ports for ACPI hot-plug,
 * which need no AML.
 */
#ifndef DRIVERS_PCI_PCI_HOTPLUG_H
#define DRIVERS_PCI_PCI_HOTPLUG_H

#include "kernel/lib/types.h"

struct pci_device;

struct pci_hotplug_ops {
	/* The function is in the list and has its addresses. */
	void (*added)(const struct pci_device *device);
	/*
	 * The function is about to be taken off the list and out of its slot;
	 * `gone`: it is out already and answers nothing. May sleep.
	 */
	void (*removing)(const struct pci_device *device, bool gone);
};

/*
 * Finds the slots among what pci_scan() found and starts a task that looks at
 * them a few times a second. `ops` is kept. Without slots there is no task.
 * -ENOMEM, -EAGAIN.
 */
int pci_hotplug_start(const struct pci_hotplug_ops *ops);

/* The two halves of that, for tests: the slots found, and one look at them. */
size_t pci_hotplug_find_slots(const struct pci_hotplug_ops *ops);
void pci_hotplug_poll(void);

#endif
