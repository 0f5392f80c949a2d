/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Shared by the files of hot-plug. Only pci_hotplug.c calls the functions that find
 * and poll slots; polling runs in its task and may sleep.
 */
#ifndef DRIVERS_PCI_PCI_SLOT_H
#define DRIVERS_PCI_PCI_SLOT_H

#include "kernel/lib/types.h"

struct pci_device;
struct pci_hotplug_ops;

/* Keeps `ops`, whose functions are called from now on. Before any polling. */
void pci_slot_set_ops(const struct pci_hotplug_ops *ops);

/* Finds the last function known in a slot behind `bridge` (NULL: the root bus), or NULL. */
struct pci_device *pci_slot_find(const struct pci_device *bridge, unsigned slot);

/* Takes in the functions of a slot that are new. Returns how many. */
size_t pci_slot_plug(struct pci_device *bridge, unsigned slot);

/* Lets go of all functions of a slot, which still work. */
void pci_slot_unplug(const struct pci_device *bridge, unsigned slot);

/* Lets go of functions, on any bus, that no longer answer or were exchanged. */
void pci_slot_drop_vanished(void);

/* pci_slot_express.c: finds the slots of PCI Express ports; returns how many. Then polls them. */
size_t pci_slot_express_find(void);
void pci_slot_express_poll(void);

/* pci_slot_acpi.c: finds QEMU's ports; returns 1 if they are there, else 0. Then polls them. */
size_t pci_slot_acpi_find(void);
void pci_slot_acpi_poll(void);

#endif
