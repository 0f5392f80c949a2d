/* SPDX-License-Identifier: BSD-2-Clause */
/* The machine as a whole: how it was booted, how it ends. */
#ifndef KERNEL_SYSTEM_H
#define KERNEL_SYSTEM_H

#include <stdint.h>

struct boot_info;

/* Keeps `boot` for the commands that show it. */
void system_init(const struct boot_info *boot);

/*
 * Ends the machine with this status (0 to 127): says it in the last line on the console,
 * `# exit N`, then tries isa-debug-exit, Xen, turning the machine off by ACPI, and a reset.
 */
_Noreturn void system_exit(uint8_t status);

/* Ends it likewise, with status 0, but tries ACPI first: for `poweroff` and the power button. */
_Noreturn void system_power_off(void);

/* Resets the machine, which then boots anew. */
_Noreturn void system_reboot(void);

/* Does the same after a panic; between the line and the end the host is told (pvpanic, Xen). */
_Noreturn void system_panicked(uint8_t status);

#endif
