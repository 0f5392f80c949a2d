/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Registers of PCI-to-PCI bridges (PCI-to-PCI Bridge 1.2, 3.2): bus numbers,
 * and the windows of addresses that a bridge passes on. A window is closed by
 * a base above its limit; all zero, as after a reset, would mean the lowest
 * MiB of memory and the ports of the chipset.
 */
#include <assert.h>
#include <errno.h>

#include "drivers/pci/pci_internal.h"

#define IO_UNIT ((uint64_t)1 << 12)
#define MEMORY_UNIT ((uint64_t)1 << 20)

/* The low bits of a base say how wide the window's addresses are. */
#define WIDTH_BITS 0xfu
#define IO_WIDTH_32 0x1u
#define PREFETCHABLE_WIDTH_64 0x1u

static const unsigned memory_register[PCI_WINDOWS] = {
	[PCI_WINDOW_MEMORY] = PCI_MEMORY_BASE,
	[PCI_WINDOW_PREFETCHABLE] = PCI_PREFETCHABLE_BASE,
};

/* A base of 0 was never set; as a window it would make no sense. */
static struct pci_window make_window(uint64_t base, uint64_t limit, uint64_t unit)
{
	if (base == 0 || base > limit)
		return (struct pci_window){ 0, 0 };
	return (struct pci_window){ .start = base, .end = limit + unit };
}

static struct pci_window read_io(const struct pci_device *bridge)
{
	uint32_t registers = pci_read16(bridge, PCI_IO_BASE);
	uint64_t base = (uint64_t)(registers & 0xf0) << 8;
	uint64_t limit = (uint64_t)(registers >> 8 & 0xf0) << 8;

	/* There are no ports above 64 Ki. */
	if ((registers & WIDTH_BITS) == IO_WIDTH_32 &&
	    (pci_read16(bridge, PCI_IO_BASE_UPPER) | pci_read16(bridge, PCI_IO_LIMIT_UPPER)))
		return (struct pci_window){ 0, 0 };
	return make_window(base, limit, IO_UNIT);
}

static struct pci_window read_memory(const struct pci_device *bridge, enum pci_window_kind kind,
				     bool *wide)
{
	uint32_t registers = pci_read32(bridge, memory_register[kind]);
	uint64_t base = (uint64_t)(registers & 0xfff0) << 16;
	uint64_t limit = registers & 0xfff00000;

	*wide = kind == PCI_WINDOW_PREFETCHABLE &&
		(registers & WIDTH_BITS) == PREFETCHABLE_WIDTH_64;
	if (*wide) {
		base |= (uint64_t)pci_read32(bridge, PCI_PREFETCHABLE_BASE_UPPER) << 32;
		limit |= (uint64_t)pci_read32(bridge, PCI_PREFETCHABLE_LIMIT_UPPER) << 32;
	}
	if (limit >= PCI_ADDRESS_END)
		return (struct pci_window){ 0, 0 };
	return make_window(base, limit, MEMORY_UNIT);
}

static struct pci_window read_window(const struct pci_device *bridge, enum pci_window_kind kind,
				     bool *wide)
{
	*wide = false;
	if (kind == PCI_WINDOW_IO)
		return read_io(bridge);
	return read_memory(bridge, kind, wide);
}

static void write_io(const struct pci_device *bridge, uint64_t base, uint64_t limit)
{
	pci_write16(bridge, PCI_IO_BASE, (uint16_t)((base >> 8 & 0xf0) | (limit & 0xf000)));
	pci_write16(bridge, PCI_IO_BASE_UPPER, 0);
	pci_write16(bridge, PCI_IO_LIMIT_UPPER, 0);
}

static void write_memory(const struct pci_device *bridge, enum pci_window_kind kind, uint64_t base,
			 uint64_t limit)
{
	pci_write32(bridge, memory_register[kind],
		    (uint32_t)((base >> 16 & 0xfff0) | (limit & 0xfff00000)));
	if (kind == PCI_WINDOW_PREFETCHABLE) {
		pci_write32(bridge, PCI_PREFETCHABLE_BASE_UPPER, (uint32_t)(base >> 32));
		pci_write32(bridge, PCI_PREFETCHABLE_LIMIT_UPPER, (uint32_t)(limit >> 32));
	}
}

static void write_window(const struct pci_device *bridge, enum pci_window_kind kind, uint64_t base,
			 uint64_t limit)
{
	struct pci_quiet quiet = pci_decoding_off(bridge);

	if (kind == PCI_WINDOW_IO)
		write_io(bridge, base, limit);
	else
		write_memory(bridge, kind, base, limit);
	pci_decoding_restore(bridge, quiet);
}

static void close_window(const struct pci_device *bridge, enum pci_window_kind kind)
{
	if (kind == PCI_WINDOW_IO)
		write_window(bridge, kind, PCI_IO_END - IO_UNIT, 0);
	else
		write_window(bridge, kind, 4 * GIB - MEMORY_UNIT, 0);
}

/* Tells whether a window's registers are still as after a reset. */
static bool is_untouched(const struct pci_device *bridge, enum pci_window_kind kind)
{
	if (kind == PCI_WINDOW_IO)
		return (pci_read16(bridge, PCI_IO_BASE) & 0xf0f0) == 0;
	return (pci_read32(bridge, memory_register[kind]) & 0xfff0fff0) == 0;
}

void pci_read_windows(struct pci_function *bridge)
{
	assert(pci_is_bridge(&bridge->device));
	bridge->untouched = true;
	for (enum pci_window_kind kind = PCI_WINDOW_IO; kind < PCI_WINDOWS; kind++) {
		struct pci_window *window = &bridge->window[kind];
		bool wide;

		*window = read_window(&bridge->device, kind, &wide);
		if (kind == PCI_WINDOW_PREFETCHABLE)
			bridge->wide = wide;
		/* Or, once the bridge is on, it would pass on what the head of this file says. */
		if (!pci_is_open(window) && is_untouched(&bridge->device, kind))
			close_window(&bridge->device, kind);
		else
			bridge->untouched = false;
	}
}

int pci_set_window(struct pci_function *bridge, enum pci_window_kind kind, uint64_t start,
		   uint64_t end)
{
	uint64_t unit = kind == PCI_WINDOW_IO ? IO_UNIT : MEMORY_UNIT;
	struct pci_window kept;
	bool wide;

	assert(kind < PCI_WINDOWS && start < end);
	assert(start % unit == 0 && end % unit == 0);
	write_window(&bridge->device, kind, start, end - unit);
	kept = read_window(&bridge->device, kind, &wide);
	if (kept.start != start || kept.end != end) {
		close_window(&bridge->device, kind);
		return -EIO;
	}
	bridge->window[kind] = kept;
	return 0;
}

int pci_set_bus_numbers(struct pci_device *bridge, uint8_t secondary, uint8_t subordinate)
{
	uint32_t before = pci_read32(bridge, PCI_BUS_NUMBERS);
	uint32_t numbers = (uint32_t)bridge->address.bus | (uint32_t)secondary << 8 |
			   (uint32_t)subordinate << 16;
	bool is_kept;

	assert(pci_is_bridge(bridge) && secondary <= subordinate);
	pci_write32(bridge, PCI_BUS_NUMBERS, (before & 0xff000000) | numbers);
	is_kept = (pci_read32(bridge, PCI_BUS_NUMBERS) & 0xffffff) == numbers;
	bridge->secondary_bus = is_kept ? secondary : 0;
	bridge->subordinate_bus = is_kept ? subordinate : 0;
	return is_kept ? 0 : -EIO;
}
