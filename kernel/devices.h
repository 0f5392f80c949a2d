/* SPDX-License-Identifier: BSD-2-Clause */
/* Finding the machine's devices; what is found is a driver's from then on. */
#ifndef KERNEL_DEVICES_H
#define KERNEL_DEVICES_H

struct boot_info;

/* Looks where ACPI, PCI and the command line say; those plugged in later are found, too. */
void devices_find(const struct boot_info *boot);

#endif
