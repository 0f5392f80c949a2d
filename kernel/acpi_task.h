/* SPDX-License-Identifier: BSD-2-Clause */
/* What the guest does when the machine tells it something by ACPI. */
#ifndef KERNEL_ACPI_TASK_H
#define KERNEL_ACPI_TASK_H

/*
 * Starts to listen, and a task that acts: after the power button and a line with the
 * ledger's verdict it calls `turns_off`, which does what `poweroff` does. A press that no
 * task has acted on for a second makes the next one do so at once, from its interrupt.
 * Memory in slots, which the guest does not use, is a line in the log, now and when it
 * changes. After acpi_init() and irq_add_ioapic(); a machine that tells nothing gets no task.
 */
void acpi_task_start(void (*turns_off)(void));

#endif
