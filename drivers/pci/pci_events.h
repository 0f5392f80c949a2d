/* SPDX-License-Identifier: BSD-2-Clause */
/* PCI's events, for kernel/lib/events.h: functions that come and go. */
#ifndef DRIVERS_PCI_PCI_EVENTS_H
#define DRIVERS_PCI_PCI_EVENTS_H

#include "drivers/pci/pci.h"
#include "kernel/lib/events.h"

/* A function is bus << 8 | device << 3 | function; an id is vendor << 16 | device. */
#define PCI_EVENTS(EVENT) \
	EVENT(PCI_EVENT_FOUND, "found", "#function", "#id") \
	EVENT(PCI_EVENT_PLUGGED, "plugged", "#function", "#id")	    /* found after the start */ \
	EVENT(PCI_EVENT_UNPLUGGED, "unplugged", "#function", "#id") /* the host asked first */ \
	EVENT(PCI_EVENT_PULLED, "pulled", "#function", "#id")	    /* it did not ask */

EVENTS_DECLARE(pci, PCI_EVENTS)

/* Records what became of a function. */
static inline void pci_event_of(enum pci_event type, const struct pci_device *device)
{
	uint32_t function = (uint32_t)device->address.bus << 8 |
			    (uint32_t)device->address.device << 3 | device->address.function;

	pci_event(type, function, (uint32_t)device->vendor << 16 | device->device);
}

#endif
