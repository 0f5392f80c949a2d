/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Hot-plug, by looking a few times a second: an interrupt would only save the
 * quarter of a second until the next look. From top to bottom: taking in and
 * letting go of what is in a slot, slots of PCI Express ports (PCI Express
 * Base 4.0, 6.7 and 7.5.3.9 to 7.5.3.11), QEMU's ports for ACPI hot-plug
 * (QEMU's docs/specs/acpi_pci_hotplug), functions that vanish.
 *
 * Both ways may be there for one slot: what counts is what answers in it.
 */
#include "drivers/pci/pci_hotplug.h"

#include "arch/clock.h"
#include "arch/io.h"
#include "arch/platform.h"
#include "drivers/pci/pci_events.h"
#include "drivers/pci/pci_internal.h"
#include "kernel/lib/log.h"
#include "kernel/task/task.h"

#define POLL_NS (NS_PER_S / 4)

/* A function answers at most this long after its slot got power (6.6.1). */
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

/* QEMU's ports, 32 bits each; a bit for each slot of the bus that is selected. */
#define ACPI_UP 0x00	 /* a function came; read and cleared */
#define ACPI_DOWN 0x04	 /* a function is asked to leave */
#define ACPI_EJECT 0x08	 /* write: it may go */
#define ACPI_SELECT 0x10 /* the bus, by a number of QEMU's own */
#define ACPI_NO_PORTS UINT32_MAX

#define VENDOR_INTEL 0x8086
#define DEVICE_PIIX4_ACPI 0x7113
#define DEVICE_ICH9 0x2918

#define PORTS_MAX 64
#define BUSES_MAX 32

/* The slot of a PCI Express port. */
struct port {
	struct pci_device *bridge;
	unsigned express; /* the capability */
	uint32_t slot;	  /* its slot capabilities */
	bool done;	  /* what is in it was tried, or let go: nothing to do until a change */
};

static struct port ports[PORTS_MAX];
static size_t port_count;

/*
 * Which bus QEMU means by a number only its AML tells. It is learnt from what
 * comes: only one bus can have a new function.
 */
static struct {
	uint16_t base; /* 0: there are no such ports */
	size_t count;  /* numbers that are asked for */
	struct {
		bool known;
		struct pci_device *bridge; /* NULL: the root bus */
		uint32_t told;		   /* slots for which it was said that it is not */
	} bus[BUSES_MAX];
} acpi;

static const struct pci_hotplug_ops *ops;

/* ---- What is in a slot ---- */

static uint8_t bus_behind(const struct pci_device *bridge)
{
	return bridge ? bridge->secondary_bus : 0;
}

/* The last function that is known in the slot, or NULL. */
static struct pci_device *find_in_slot(const struct pci_device *bridge, unsigned slot)
{
	struct pci_device *last = NULL;

	for (struct pci_device *d = pci_devices(); d; d = d->next)
		if (d->bridge == bridge && d->address.bus == bus_behind(bridge) &&
		    d->address.device == slot)
			last = d;
	return last;
}

/* Takes in what is new. Returns how many functions. */
static size_t plug(struct pci_device *bridge, unsigned slot)
{
	struct pci_address address = { .bus = bus_behind(bridge), .device = (uint8_t)slot };
	size_t found = pci_scan_slot(bridge, address);
	char name[PCI_NAME_SIZE];

	for (struct pci_device *d = pci_devices(); found > 0 && d; d = d->next) {
		if (!d->is_new)
			continue;
		d->is_new = false;
		log_info("pci: %s: plugged in", pci_name(d, name));
		pci_event_of(PCI_EVENT_PLUGGED, d);
		if (pci_is_bridge(d))
			log_warn("pci: %s: a bridge; what is behind it is not looked for", name);
		ops->added(d);
	}
	return found;
}

static void let_go(struct pci_device *device, bool gone)
{
	char name[PCI_NAME_SIZE];

	ops->removing(device, gone);
	if (!gone)
		pci_disable(device);
	log_info("pci: %s: %s", pci_name(device, name), gone ? "gone" : "unplugged");
	pci_event_of(gone ? PCI_EVENT_PULLED : PCI_EVENT_UNPLUGGED, device);
	pci_forget(device);
}

/* Orderly: every function still works. */
static void unplug(const struct pci_device *bridge, unsigned slot)
{
	struct pci_device *device;

	while ((device = find_in_slot(bridge, slot)))
		let_go(device, false);
}

/* ---- PCI Express ---- */

static uint16_t slot_read(const struct port *port, unsigned reg)
{
	return pci_read16(port->bridge, port->express + reg);
}

/* One command at a time: the port says when it has obeyed (7.5.3.10). */
static void slot_command(const struct port *port, uint16_t set, uint16_t clear)
{
	uint16_t control = (uint16_t)((slot_read(port, EXPRESS_SLOT_CONTROL) & ~clear) | set);
	uint64_t deadline = clock_ns() + POWER_UP_NS;

	pci_write16(port->bridge, port->express + EXPRESS_SLOT_CONTROL, control);
	if (port->slot & SLOT_NO_COMPLETED)
		return;
	while (!(slot_read(port, EXPRESS_SLOT_STATUS) & SLOT_COMPLETED) && clock_ns() < deadline)
		task_sleep_until(clock_ns() + POWER_UP_POLL_NS);
	pci_write16(port->bridge, port->express + EXPRESS_SLOT_STATUS, SLOT_COMPLETED);
}

static void power_on_and_plug(struct port *port)
{
	uint64_t deadline = clock_ns() + POWER_UP_NS;
	char name[PCI_NAME_SIZE];

	slot_command(port, SLOT_POWER_INDICATOR_ON, SLOT_POWER_INDICATOR | SLOT_POWER_OFF);
	while (plug(port->bridge, 0) == 0) {
		if (clock_ns() >= deadline) {
			log_warn("pci: %s: what is in its slot does not answer",
				 pci_name(port->bridge, name));
			return;
		}
		task_sleep_until(clock_ns() + POWER_UP_POLL_NS);
	}
}

/*
 * The button asks for a change: what works is to go, what is out of use is to
 * work (6.7.1.5). The five seconds to think again are for people, who are not
 * at this button.
 */
static void poll_port(struct port *port)
{
	uint16_t status = slot_read(port, EXPRESS_SLOT_STATUS);
	bool occupied = find_in_slot(port->bridge, 0);

	if (status == SLOT_GONE)
		return;
	if (status & SLOT_EVENTS)
		pci_write16(port->bridge, port->express + EXPRESS_SLOT_STATUS,
			    status & SLOT_EVENTS);
	if (status & (SLOT_BUTTON | SLOT_PRESENCE_CHANGED))
		port->done = false;
	if (occupied && (status & SLOT_BUTTON)) {
		unplug(port->bridge, 0);
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

/* ---- QEMU's ports for ACPI ---- */

static bool is_known(const struct pci_device *bridge)
{
	for (size_t i = 0; i < acpi.count; i++)
		if (acpi.bus[i].known && acpi.bus[i].bridge == bridge)
			return true;
	return false;
}

static void learn(size_t number, struct pci_device *bridge)
{
	acpi.bus[number].known = true;
	acpi.bus[number].bridge = bridge;
}

static void acpi_plug(size_t number, unsigned slot)
{
	if (acpi.bus[number].known) {
		plug(acpi.bus[number].bridge, slot);
		return;
	}
	for (struct pci_device *d = pci_devices(); d; d = d->next) {
		if (!pci_is_bridge(d) || d->secondary_bus == 0 || is_known(d))
			continue;
		if (plug(d, slot) > 0) {
			learn(number, d);
			return;
		}
	}
}

/* Of a bus that is not known yet: the one with something in this slot, if there is but one. */
static bool find_bus(size_t number, unsigned slot)
{
	struct pci_device *found = NULL;

	if (acpi.bus[number].known)
		return true;
	for (struct pci_device *d = pci_devices(); d; d = d->next) {
		if (!pci_is_bridge(d) || is_known(d) || !find_in_slot(d, slot))
			continue;
		if (found)
			return false;
		found = d;
	}
	if (found)
		learn(number, found);
	return found;
}

static void acpi_unplug(size_t number, unsigned slot)
{
	if (!find_bus(number, slot)) {
		if (!(acpi.bus[number].told >> slot & 1))
			log_warn("pci: slot %u of bus number %zu of ACPI is to be emptied, but "
				 "which bus that is cannot be told",
				 slot, number);
		acpi.bus[number].told |= 1u << slot;
		return;
	}
	unplug(acpi.bus[number].bridge, slot);
	io_write32((uint16_t)(acpi.base + ACPI_SELECT), (uint32_t)number);
	io_write32((uint16_t)(acpi.base + ACPI_EJECT), 1u << slot);
}

static void poll_acpi_bus(size_t number)
{
	uint32_t up, down;

	io_write32((uint16_t)(acpi.base + ACPI_SELECT), (uint32_t)number);
	up = io_read32((uint16_t)(acpi.base + ACPI_UP));
	down = io_read32((uint16_t)(acpi.base + ACPI_DOWN));
	if (up == ACPI_NO_PORTS || down == ACPI_NO_PORTS)
		return;
	/* What asks to leave first may make room for what comes. */
	for (unsigned slot = 0; slot < PCI_SLOTS; slot++) {
		if (down >> slot & 1)
			acpi_unplug(number, slot);
		if (up >> slot & 1)
			acpi_plug(number, slot);
	}
}

static void find_acpi_ports(void)
{
	acpi.base = 0;
	acpi.count = 1;
	for (size_t i = 0; i < BUSES_MAX; i++)
		acpi.bus[i].known = false;
	for (const struct pci_device *d = pci_devices(); d; d = d->next) {
		if (pci_is_bridge(d) && acpi.count < BUSES_MAX)
			acpi.count++;
		if (d->vendor != VENDOR_INTEL)
			continue;
		if (d->device == DEVICE_PIIX4_ACPI) {
			acpi.base = PORT_ACPI_HOTPLUG_PIIX4;
			learn(0, NULL); /* that chipset's root bus comes first */
		} else if (d->device == DEVICE_ICH9) {
			acpi.base = PORT_ACPI_HOTPLUG_ICH9;
		}
	}
	if (acpi.base == 0)
		return;
	io_write32((uint16_t)(acpi.base + ACPI_SELECT), 0);
	if (io_read32((uint16_t)(acpi.base + ACPI_DOWN)) == ACPI_NO_PORTS)
		acpi.base = 0;
}

/* ---- What vanishes ---- */

/* Something else in its place has other ids, or no addresses yet. */
static bool is_in_place(const struct pci_device *device)
{
	if (!pci_is_there(device))
		return false;
	for (unsigned i = 0; i < PCI_BARS; i++) {
		const struct pci_bar *bar = &device->bar[i];

		if (bar->kind != PCI_BAR_NONE && bar->address != 0)
			return (pci_read32(device, PCI_BAR0 + 4 * i) & ~0xfu) ==
			       ((uint32_t)bar->address & ~0xfu);
	}
	return true;
}

static struct pci_device *find_gone(void)
{
	for (struct pci_device *d = pci_devices(); d; d = d->next)
		if (d->header_type == PCI_HEADER_DEVICE && !is_in_place(d))
			return d;
	return NULL;
}

/* ---- All of it ---- */

size_t pci_hotplug_find_slots(const struct pci_hotplug_ops *callbacks)
{
	ops = callbacks;
	port_count = 0;
	for (struct pci_device *d = pci_devices(); d; d = d->next)
		if (pci_is_bridge(d))
			add_port(d);
	find_acpi_ports();
	return port_count + (acpi.base != 0);
}

void pci_hotplug_poll(void)
{
	struct pci_device *gone;

	while ((gone = find_gone()))
		let_go(gone, true);
	for (size_t i = 0; i < port_count; i++)
		poll_port(&ports[i]);
	for (size_t i = 0; acpi.base != 0 && i < acpi.count; i++)
		poll_acpi_bus(i);
}

static void hotplug_task(void *arg)
{
	(void)arg;
	for (;;) {
		pci_hotplug_poll();
		task_sleep_until(clock_ns() + POLL_NS);
	}
}

int pci_hotplug_start(const struct pci_hotplug_ops *callbacks)
{
	if (pci_hotplug_find_slots(callbacks) == 0)
		return 0;
	return task_create("hotplug", TASK_PRIORITY_DRIVER, hotplug_task, NULL);
}
