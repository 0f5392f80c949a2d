/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Memory in slots (DIMMs): used as soon as it is there, and given back as a whole when the
 * host asks for it. What cannot be given back stays in use, and the host is told at once.
 * One task calls all of it (kernel/acpi_task.c), but for dimm_unused().
 */
#ifndef DRIVERS_MEM_DIMM_H
#define DRIVERS_MEM_DIMM_H

#include "kernel/lib/types.h"

/* While one leaves, dimm_step() is to be called so often, or more. */
#define DIMM_STEP_NS UINT64_C(10000000)

/*
 * Finds the slots, announces the addresses where their memory may come (SRAT), and uses
 * what is in them already. At boot, after acpi_init() and balloon_init().
 */
void dimm_start(void);

/* Looks at all slots: to be called when the machine tells that memory came or is to go. */
void dimm_look(void);

/* Goes on with what is to leave. Returns whether it wants to be called again. */
bool dimm_step(void);

/* Returns how many bytes are in slots and not used; from an interrupt, too. */
uint64_t dimm_unused(void);

#endif
