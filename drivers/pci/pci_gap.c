/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Free addresses: walks over what functions, windows and config space itself
 * have taken. Changes nothing; pci_assign.c decides what goes where.
 */
#include <assert.h>

#include "drivers/pci/pci_internal.h"

static bool overlap(uint64_t start, uint64_t end, uint64_t other_start, uint64_t other_end)
{
	return start < other_end && other_start < end;
}

/* Tells whether `function` is `bridge` or a bridge above it, whose window is around. */
static bool is_above(const struct pci_function *function, const struct pci_function *bridge)
{
	for (; bridge; bridge = pci_bridge_of(bridge)) {
		if (bridge == function)
			return true;
	}
	return false;
}

/* Returns the end of a BAR that overlaps [start, end), or 0. */
static uint64_t bar_in(const struct pci_device *device, bool io, uint64_t start, uint64_t end)
{
	for (unsigned i = 0; i < PCI_BARS; i++) {
		const struct pci_bar *bar = &device->bar[i];

		if (bar->address == 0 || (bar->kind == PCI_BAR_IO) != io)
			continue;
		if (overlap(start, end, bar->address, bar->address + bar->size))
			return bar->address + bar->size;
	}
	return 0;
}

/* Returns the end of a window that overlaps [start, end), or 0. */
static uint64_t window_in(const struct pci_function *bridge, bool io, uint64_t start, uint64_t end)
{
	for (enum pci_window_kind kind = PCI_WINDOW_IO; kind < PCI_WINDOWS; kind++) {
		const struct pci_window *window = &bridge->window[kind];

		if ((kind == PCI_WINDOW_IO) == io && pci_is_open(window) &&
		    overlap(start, end, window->start, window->end))
			return window->end;
	}
	return 0;
}

/* Returns the end of something that is in the way in [start, end), or 0. */
static uint64_t obstacle(const struct pci_function *bridge, bool io, uint64_t start, uint64_t end)
{
	struct pci_window config = pci_config_window();

	if (!io && pci_is_open(&config) && overlap(start, end, config.start, config.end))
		return config.end;
	for (size_t i = 0; i < pci_function_count; i++) {
		const struct pci_function *function = &pci_functions[i];
		uint64_t at = bar_in(&function->device, io, start, end);

		if (at == 0 && pci_is_bridge(&function->device) && !is_above(function, bridge))
			at = window_in(function, io, start, end);
		if (at != 0)
			return at;
	}
	return 0;
}

bool pci_has_bar_within(paddr_t start, paddr_t end)
{
	for (size_t i = 0; i < pci_function_count; i++)
		if (bar_in(&pci_functions[i].device, false, start, end) != 0)
			return true;
	return false;
}

uint64_t pci_find_gap(const struct pci_function *bridge, const struct pci_window *range, bool io,
		      uint64_t size, uint64_t align)
{
	uint64_t at;

	assert(size > 0);
	assert(align > 0 && (align & (align - 1)) == 0);
	at = align_up(range->start ? range->start : 1, align);
	while (at + size <= range->end) {
		uint64_t next = obstacle(bridge, io, at, at + size);

		if (next == 0)
			return at;
		at = align_up(next, align);
	}
	return 0;
}
