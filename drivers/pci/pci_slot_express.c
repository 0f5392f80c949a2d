/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Slots of PCI Express ports (PCI Express Base 4.0, 6.7 and 7.5.3.9 to
 * 7.5.3.11): the button, the power, and whether something is in it.
 */
#include "arch/clock.h"
#include "drivers/pci/pci_internal.h"
#include "drivers/pci/pci_slot.h"
#include "kernel/lib/log.h"
#include "kernel/task/task.h"

/* A function answers at most this long after its slot got power (6.6.1); time awake. */
#define POWER_UP_NS NS_PER_S
#define POWER_UP_POLL_NS (10 * NS_PER_MS)

/* From the start of the PCI Express capability. */
#define EXPRESS_SLOT_CAPABILITIES 0x14 /* 32 */
#define EXPRESS_SLOT_CONTROL 0x18      /* 16 */
#define EXPRESS_SLOT_STATUS 0x1a       /* 16 */
#define EXPRESS_END 0x1c

#define EXPRESS_FLAGS_SLOT 0x0100 /* the port has a slot */

#define SLOT_HOTPLUG 0x00000040 /* capabilities */
#define SLOT_NO_COMPLETED 0x00040000
#define SLOT_POWER_INDICATOR 0x0300 /* control */
#define SLOT_POWER_INDICATOR_ON 0x0100
#define SLOT_POWER_INDICATOR_OFF 0x0300
#define SLOT_POWER_OFF 0x0400
#define SLOT_BUTTON 0x0001 /* status; cleared by writing a one */
#define SLOT_PRESENCE_CHANGED 0x0008
#define SLOT_COMPLETED 0x0010
#define SLOT_EVENTS 0x011f
#define SLOT_PRESENT 0x0040
#define SLOT_GONE 0xffff

#define PORTS_MAX 64

_Static_assert(POWER_UP_POLL_NS < CLOCK_AWAKE_STEP_NS, "all of a wait is seen");

/* The slot of a PCI Express port. */
struct port {
	struct pci_device *bridge;
	unsigned express; /* the capability */
	uint32_t slot;	  /* its slot capabilities */
	bool done;	  /* its content was tried, or let go: nothing to do until a change */
};

static struct port ports[PORTS_MAX];
static size_t port_count;

static uint16_t slot_read(const struct port *port, unsigned reg)
{
	return pci_read16(port->bridge, port->express + reg);
}

/* One command at a time: the port says when it has obeyed (7.5.3.10). */
static void slot_command(const struct port *port, uint16_t set, uint16_t clear)
{
	uint16_t control = (uint16_t)((slot_read(port, EXPRESS_SLOT_CONTROL) & ~clear) | set);
	uint64_t start_awake = clock_awake_ns(), now_awake;

	pci_write16(port->bridge, port->express + EXPRESS_SLOT_CONTROL, control);
	if (port->slot & SLOT_NO_COMPLETED)
		return;
	for (;;) {
		now_awake = clock_awake_ns();
		if (slot_read(port, EXPRESS_SLOT_STATUS) & SLOT_COMPLETED ||
		    now_awake - start_awake >= POWER_UP_NS)
			break;
		task_sleep_until(clock_ns() + POWER_UP_POLL_NS);
	}
	pci_write16(port->bridge, port->express + EXPRESS_SLOT_STATUS, SLOT_COMPLETED);
}

static void power_on_and_plug(struct port *port)
{
	uint64_t start_awake = clock_awake_ns(), now_awake;
	char name[PCI_NAME_SIZE];

	slot_command(port, SLOT_POWER_INDICATOR_ON, SLOT_POWER_INDICATOR | SLOT_POWER_OFF);
	for (;;) {
		now_awake = clock_awake_ns();
		if (pci_slot_plug(port->bridge, 0) > 0)
			return;
		if (now_awake - start_awake >= POWER_UP_NS) {
			log_warn("pci: %s: what is in its slot does not answer",
				 pci_name(port->bridge, name));
			return;
		}
		task_sleep_until(clock_ns() + POWER_UP_POLL_NS);
	}
}

/*
 * The button asks for a change: a function in use is to leave, one out of use is to
 * work (6.7.1.5). The five seconds in which a person may press again are left out:
 * this button is a program's.
 */
static void poll_port(struct port *port)
{
	uint16_t status = slot_read(port, EXPRESS_SLOT_STATUS);
	bool occupied = pci_slot_find(port->bridge, 0);

	if (status == SLOT_GONE)
		return;
	if (status & SLOT_EVENTS)
		pci_write16(port->bridge, port->express + EXPRESS_SLOT_STATUS,
			    status & SLOT_EVENTS);
	if (status & (SLOT_BUTTON | SLOT_PRESENCE_CHANGED))
		port->done = false;
	if (occupied && (status & SLOT_BUTTON)) {
		pci_slot_unplug(port->bridge, 0);
		slot_command(port, SLOT_POWER_INDICATOR_OFF | SLOT_POWER_OFF, 0);
		port->done = true;
	} else if (!occupied && (status & SLOT_PRESENT) && !port->done) {
		port->done = true;
		power_on_and_plug(port);
	}
}

static void add_port(struct pci_device *bridge)
{
	struct port *port = &ports[port_count];
	unsigned at = pci_find_capability(bridge, PCI_CAP_EXPRESS, 0);

	if (at == 0 || at + EXPRESS_END > 256 || port_count == PORTS_MAX)
		return;
	if (!(pci_read16(bridge, at + PCI_EXPRESS_FLAGS) & EXPRESS_FLAGS_SLOT))
		return;
	*port = (struct port){ .bridge = bridge,
			       .express = at,
			       .slot = pci_read32(bridge, at + EXPRESS_SLOT_CAPABILITIES) };
	if (port->slot & SLOT_HOTPLUG)
		port_count++;
}

size_t pci_slot_express_find(void)
{
	port_count = 0;
	for (struct pci_device *d = pci_devices(); d; d = d->next)
		if (pci_is_bridge(d))
			add_port(d);
	return port_count;
}

void pci_slot_express_poll(void)
{
	for (size_t i = 0; i < port_count; i++)
		poll_port(&ports[i]);
}
