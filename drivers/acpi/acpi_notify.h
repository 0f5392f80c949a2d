/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the machine tells by ACPI's own interrupt: that the power button was pressed, and
 * that memory came or is to go. It comes from fixed hardware with its SCI (ACPI 6.4,
 * 4.8), or from a Generic Event Device (5.6.9), whose register a hypervisor's AML reads.
 */
#ifndef DRIVERS_ACPI_ACPI_NOTIFY_H
#define DRIVERS_ACPI_ACPI_NOTIFY_H

/* Both are called in an interrupt, with interrupts off. */
struct acpi_notify_ops {
	void (*power_button)(void);
	void (*memory)(void);
};

/*
 * Keeps `ops` and has them called from now on; what was told before is dropped, as it
 * may be an earlier guest's. Once, after acpi_init() and irq_add_ioapic(). -ENODEV: this
 * machine has neither kind of event; or what irq_register_gsi() says.
 */
int acpi_notify_start(const struct acpi_notify_ops *ops);

#endif
