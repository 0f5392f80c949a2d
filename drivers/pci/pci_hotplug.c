/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Hot-plug, by looking once a second, together with others who do so (TASK_LOOK_NS):
 * an interrupt would only save the time until the next look. A slot may have both PCI
 * Express's way and ACPI's: what counts is what answers in it.
 */
#include "drivers/pci/pci_hotplug.h"

#include "arch/clock.h"
#include "drivers/pci/pci_slot.h"
#include "kernel/task/task.h"

static void hotplug_task(void *arg)
{
	(void)arg;
	for (;;) {
		pci_slot_drop_vanished();
		pci_slot_express_poll();
		pci_slot_acpi_poll();
		task_sleep_until(task_next_look(clock_ns()));
	}
}

int pci_hotplug_start(const struct pci_hotplug_ops *ops)
{
	size_t slots = pci_slot_express_find() + pci_slot_acpi_find();

	pci_slot_set_ops(ops);
	if (slots == 0)
		return 0;
	return task_create("hotplug", TASK_PRIORITY_DRIVER, hotplug_task, NULL);
}
