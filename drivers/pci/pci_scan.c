/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Finding functions: those on a root bus, then depth first those behind its bridges;
 * then those of the next root bus. Bus numbers of the firmware stay if they make sense; a
 * bridge that has none, or impossible ones, gets some. As every bus number behind a bridge
 * is larger than the bridge's own, and nesting is bounded, no wiring makes this loop.
 *
 * Each access is an exit of the virtual machine, so only slots that can hold
 * something are read.
 */
#include <assert.h>
#include <string.h>

#include "drivers/pci/pci_events.h"
#include "drivers/pci/pci_internal.h"
#include "kernel/lib/log.h"

/* How deep bridges may nest; each level takes a few hundred bytes of stack. */
#define DEPTH_MAX 12

struct pci_function pci_functions[PCI_DEVICES_MAX];
size_t pci_function_count;

EVENTS_DEFINE(pci, PCI_EVENTS);

static struct pci_device *first;
static bool told_full;

/* ---- Functions ---- */

static unsigned order_of(const struct pci_device *device)
{
	return (unsigned)device->address.bus << 8 | (unsigned)device->address.device << 3 |
	       device->address.function;
}

static void insert_by_address(struct pci_device *device)
{
	struct pci_device **link = &first;

	while (*link && order_of(*link) < order_of(device))
		link = &(*link)->next;
	assert(!*link || order_of(*link) != order_of(device));
	device->next = *link;
	*link = device;
}

static void read_bus_numbers(struct pci_device *bridge)
{
	uint32_t numbers = pci_read32(bridge, PCI_BUS_NUMBERS);

	bridge->secondary_bus = (uint8_t)(numbers >> 8);
	bridge->subordinate_bus = (uint8_t)(numbers >> 16);
}

static void read_header(struct pci_function *function)
{
	struct pci_device *device = &function->device;
	uint32_t class = pci_read32(device, PCI_REVISION);
	uint8_t type = pci_read8(device, PCI_HEADER_TYPE);

	device->class = class >> 8;
	device->revision = (uint8_t) class;
	device->header_type = type & (uint8_t)~PCI_HEADER_MULTIFUNCTION;
	function->multifunction = type & PCI_HEADER_MULTIFUNCTION;
	if (device->header_type > PCI_HEADER_BRIDGE)
		return;
	device->interrupt_pin = pci_read8(device, PCI_INTERRUPT_PIN);
	if (device->interrupt_pin > 4)
		device->interrupt_pin = 0;
	if (device->header_type == PCI_HEADER_DEVICE) {
		uint32_t subsystem = pci_read32(device, PCI_SUBSYSTEM_VENDOR);

		device->subsystem_vendor = (uint16_t)subsystem;
		device->subsystem = (uint16_t)(subsystem >> 16);
	}
}

/* Returns an entry that pci_forget() freed, or a new one, or NULL if all are in use. */
static struct pci_function *find_entry(void)
{
	for (size_t i = 0; i < pci_function_count; i++)
		if (pci_functions[i].device.vendor == 0)
			return &pci_functions[i];
	if (pci_function_count < PCI_DEVICES_MAX)
		return &pci_functions[pci_function_count];
	if (!told_full)
		log_warn("pci: more than %d functions: the others are left alone", PCI_DEVICES_MAX);
	told_full = true;
	return NULL;
}

/* Adds the function at an address. NULL: nothing is there, or there is no room. */
static struct pci_function *probe(struct pci_device *bridge, struct pci_address address)
{
	struct pci_function *function = find_entry();
	struct pci_device *device;
	uint32_t id;

	if (!function)
		return NULL;
	device = &function->device;
	memset(function, 0, sizeof(*function));
	device->address = address;
	device->bridge = bridge;
	id = pci_read32(device, PCI_VENDOR);
	if ((uint16_t)id == UINT16_MAX || (uint16_t)id == 0)
		return NULL;
	device->vendor = (uint16_t)id;
	device->device = (uint16_t)(id >> 16);
	if (function == &pci_functions[pci_function_count])
		pci_function_count++;
	read_header(function);
	pci_size_bars(device);
	if (pci_is_bridge(device)) {
		read_bus_numbers(device);
		pci_read_windows(function);
	}
	insert_by_address(device);
	pci_event_of(PCI_EVENT_FOUND, device);
	return function;
}

/* ---- One bus ---- */

/* A PCI Express link has one device at its end; reading 31 other slots costs time. */
static bool has_one_slot(const struct pci_device *bridge)
{
	unsigned at = pci_find_capability(bridge, PCI_CAP_EXPRESS, 0);
	unsigned type;

	if (at == 0)
		return false;
	type = pci_read16(bridge, at + PCI_EXPRESS_FLAGS) >> 4 & 0xf;
	return type == PCI_EXPRESS_ROOT_PORT || type == PCI_EXPRESS_DOWNSTREAM_PORT;
}

static void scan_slots(struct pci_device *bridge, uint8_t bus)
{
	unsigned slots = bridge && has_one_slot(bridge) ? 1 : PCI_SLOTS;

	for (uint8_t slot = 0; slot < slots; slot++) {
		struct pci_address address = { .bus = bus, .device = slot };
		const struct pci_function *function = probe(bridge, address);

		if (!function || !function->multifunction)
			continue;
		for (address.function = 1; address.function < PCI_FUNCTIONS; address.function++)
			probe(bridge, address);
	}
}

/* ---- Bridges of one bus ---- */

/* The functions [from, to) of one bus, and the bus numbers that may be used below it. */
struct bus {
	size_t from, to;
	unsigned first_number, last_number;
};

static const struct pci_device *bridge_to(const struct bus *bus, size_t to, unsigned number)
{
	for (size_t i = bus->from; i < to; i++) {
		const struct pci_device *device = &pci_functions[i].device;

		if (pci_is_numbered(device) && number >= device->secondary_bus &&
		    number <= device->subordinate_bus)
			return device;
	}
	return NULL;
}

/* Tells whether a bridge's numbers are possible and free of the bridges before it. */
static bool numbers_fit(const struct bus *bus, size_t index)
{
	const struct pci_device *bridge = &pci_functions[index].device;

	if (bridge->secondary_bus < bus->first_number ||
	    bridge->subordinate_bus < bridge->secondary_bus ||
	    bridge->subordinate_bus > bus->last_number)
		return false;
	for (unsigned n = bridge->secondary_bus; n <= bridge->subordinate_bus; n++) {
		if (bridge_to(bus, index, n))
			return false;
	}
	return true;
}

/* Removes impossible numbers before anything behind their bridges is read. */
static void check_numbers(const struct bus *bus)
{
	char name[PCI_NAME_SIZE];

	for (size_t i = bus->from; i < bus->to; i++) {
		struct pci_device *bridge = &pci_functions[i].device;

		if (!pci_is_numbered(bridge) || numbers_fit(bus, i))
			continue;
		log_warn("pci: %s: bus numbers %02x to %02x cannot be here", pci_name(bridge, name),
			 bridge->secondary_bus, bridge->subordinate_bus);
		pci_set_bus_numbers(bridge, 0, 0);
	}
}

/* Finds the longest run of numbers that no bridge of this bus has; 0: none is left. */
static unsigned find_numbers(const struct bus *bus, unsigned *last)
{
	unsigned best = 0, best_length = 0, length = 0;

	for (unsigned n = bus->first_number; n <= bus->last_number; n++) {
		length = bridge_to(bus, bus->to, n) ? 0 : length + 1;
		if (length > best_length) {
			best_length = length;
			best = n - length + 1;
		}
	}
	*last = best + best_length - 1;
	return best;
}

static unsigned scan_bus(struct pci_device *bridge, uint8_t number, unsigned last, unsigned depth);

/* Gives a bridge all numbers that are left, scans behind it, and keeps those needed. */
static void number_bridge(const struct bus *bus, struct pci_function *function, unsigned depth)
{
	struct pci_device *bridge = &function->device;
	unsigned last;
	unsigned number = find_numbers(bus, &last);
	char name[PCI_NAME_SIZE];

	if (number == 0) {
		log_warn("pci: %s: no bus number is left for it", pci_name(bridge, name));
		return;
	}
	if (pci_set_bus_numbers(bridge, (uint8_t)number, (uint8_t)last)) {
		log_warn("pci: %s: does not keep its bus numbers", pci_name(bridge, name));
		return;
	}
	last = scan_bus(bridge, (uint8_t)number, last, depth + 1);
	if (pci_set_bus_numbers(bridge, (uint8_t)number, (uint8_t)last)) {
		log_warn("pci: %s: has lost its bus numbers", pci_name(bridge, name));
		/* The functions found have these numbers: no other bridge may get them. */
		bridge->secondary_bus = (uint8_t)number;
		bridge->subordinate_bus = (uint8_t)last;
	}
}

static void scan_numbered(const struct bus *bus, unsigned depth)
{
	for (size_t i = bus->from; i < bus->to; i++) {
		struct pci_device *bridge = &pci_functions[i].device;

		if (pci_is_numbered(bridge))
			scan_bus(bridge, bridge->secondary_bus, bridge->subordinate_bus, depth + 1);
	}
}

static void scan_unnumbered(const struct bus *bus, unsigned depth)
{
	for (size_t i = bus->from; i < bus->to; i++) {
		const struct pci_device *bridge = &pci_functions[i].device;

		if (pci_is_bridge(bridge) && !pci_is_numbered(bridge))
			number_bridge(bus, &pci_functions[i], depth);
	}
}

static unsigned highest_number(const struct bus *bus, unsigned number)
{
	for (size_t i = bus->from; i < bus->to; i++) {
		const struct pci_device *device = &pci_functions[i].device;

		if (pci_is_numbered(device) && device->subordinate_bus > number)
			number = device->subordinate_bus;
	}
	return number;
}

/*
 * Scans bus `number`, which is behind `bridge`, and all buses behind that one, with
 * numbers up to `last`. Returns the highest number in use.
 */
static unsigned scan_bus(struct pci_device *bridge, uint8_t number, unsigned last, unsigned depth)
{
	struct bus bus = { .from = pci_function_count,
			   .first_number = number + 1u,
			   .last_number = last };

	if (depth > DEPTH_MAX) {
		log_warn("pci: bus %02x: too many bridges before it", number);
		return number;
	}
	scan_slots(bridge, number);
	bus.to = pci_function_count;
	check_numbers(&bus);
	scan_numbered(&bus, depth);
	scan_unnumbered(&bus, depth);
	return highest_number(&bus, number);
}

/* ---- All buses ---- */

void pci_scan_buses(void)
{
	unsigned end;

	pci_function_count = 0;
	first = NULL;
	told_full = false;
	if (!pci_config_ops())
		return;
	end = pci_config_ops()->last_bus + 1u;
	for (unsigned number = 0; number < end; number = pci_root_next(first, number, end))
		scan_bus(NULL, (uint8_t)number, pci_root_end(first, number, end) - 1, 0);
}

/* ---- Coming and going ---- */

static bool is_listed(struct pci_address address)
{
	for (const struct pci_device *d = first; d; d = d->next)
		if (d->address.bus == address.bus && d->address.device == address.device &&
		    d->address.function == address.function)
			return true;
	return false;
}

/* Function 0 says whether there are others (PCI Local Bus 3.0, 3.2.2.3.4). */
size_t pci_scan_new(struct pci_device *bridge, struct pci_address address)
{
	size_t found = 0;

	assert(!bridge || pci_is_bridge(bridge));
	if (bridge && bridge->secondary_bus == 0)
		return 0;
	for (address.function = 0; address.function < PCI_FUNCTIONS; address.function++) {
		struct pci_function *function = is_listed(address) ? NULL : probe(bridge, address);

		if (function) {
			function->device.is_new = true;
			found++;
		}
		if (address.function == 0 && (!function || !function->multifunction))
			break;
	}
	return found;
}

void pci_forget(struct pci_device *device)
{
	struct pci_device **link = &first;

	while (*link && *link != device)
		link = &(*link)->next;
	assert(*link);
	*link = device->next;
	memset(container_of(device, struct pci_function, device), 0, sizeof(struct pci_function));
}

struct pci_device *pci_devices(void)
{
	return first;
}
