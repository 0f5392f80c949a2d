/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Memory in slots (DIMMs), which may be there from the start, come and go. QEMU's
 * registers for it (its docs/specs/acpi_mem_hotplug) are named by the DSDT. The guest
 * does not use such memory: it says how much there is, and lets it go when it is asked.
 */
#ifndef DRIVERS_ACPI_ACPI_MEMORY_H
#define DRIVERS_ACPI_ACPI_MEMORY_H

#include "kernel/lib/types.h"

/*
 * Finds the slots; what is in them is looked at by acpi_memory_look() from now on. After
 * acpi_init(). -ENODEV: the machine has none, or they do not answer.
 */
int acpi_memory_find(void);

/*
 * Looks at all slots: lets go what is to leave, and when the sum changed has a line in
 * the log. Not from an interrupt.
 */
void acpi_memory_look(void);

/* Returns how many bytes were in the slots at the last look; from an interrupt, too. */
uint64_t acpi_memory_unused(void);

#endif
