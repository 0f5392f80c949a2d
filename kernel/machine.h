/* SPDX-License-Identifier: BSD-2-Clause */
/* What the tables say of the machine itself, which clock and console want to know. */
#ifndef KERNEL_MACHINE_H
#define KERNEL_MACHINE_H

struct boot_info;
struct clock_references;

/*
 * Reads ACPI's tables, tells arch/irq.h of the I/O APICs and stores the counters that the
 * clock can be measured against. After irq_init() and before clock_init().
 */
void machine_find(const struct boot_info *boot, struct clock_references *references);

#endif
