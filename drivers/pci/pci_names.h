/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Names of classes, vendors, devices and capabilities, for people: the few that
 * are common in virtual machines.
 */
#ifndef DRIVERS_PCI_PCI_NAMES_H
#define DRIVERS_PCI_PCI_NAMES_H

#include <stdint.h>

/* Return a name, or NULL if none is known. `class` is base class and subclass. */
const char *pci_class_name(uint16_t class);
const char *pci_vendor_name(uint16_t vendor);
const char *pci_device_name(uint16_t vendor, uint16_t device);
const char *pci_capability_name(uint8_t id);

#endif
