/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a person calls a class, a vendor, a device: a few that are common in
 * virtual machines. Each gives NULL for what it does not know.
 */
#ifndef DRIVERS_PCI_PCI_NAMES_H
#define DRIVERS_PCI_PCI_NAMES_H

#include <stdint.h>

/* `class`: base class and subclass. */
const char *pci_class_name(uint16_t class);
const char *pci_vendor_name(uint16_t vendor);
const char *pci_device_name(uint16_t vendor, uint16_t device);
const char *pci_capability_name(uint8_t id);

#endif
