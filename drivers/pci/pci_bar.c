/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Base address registers: finding their sizes (PCI Local Bus 3.0, 6.2.5.1),
 * writing them, and using them. The size is the device's word: a BAR of an
 * impossible size is refused and treated as absent.
 */
#include <assert.h>
#include <errno.h>
#include <inttypes.h>

#include "arch/irq.h"
#include "arch/paging.h"
#include "drivers/pci/pci_internal.h"
#include "kernel/lib/log.h"

#define IO_FLAGS 0x3u
#define MEMORY_FLAGS 0xfu

static unsigned bar_register(unsigned index)
{
	return PCI_BAR0 + 4 * index;
}

static unsigned bar_count(const struct pci_device *device)
{
	switch (device->header_type) {
	case PCI_HEADER_DEVICE:
		return PCI_BARS;
	case PCI_HEADER_BRIDGE:
		return PCI_BRIDGE_BARS;
	default:
		return 0;
	}
}

/*
 * While a BAR holds nonsense the function must not claim addresses. Interrupts
 * are off too: a handler that cannot reach its device cannot silence it, and
 * the line is level triggered.
 */
struct pci_quiet pci_decoding_off(const struct pci_device *device)
{
	struct pci_quiet quiet = { .irq_flags = irq_save() };

	quiet.command = pci_read16(device, PCI_COMMAND);
	if (quiet.command & PCI_COMMAND_DECODING)
		pci_write16(device, PCI_COMMAND, (uint16_t)(quiet.command & ~PCI_COMMAND_DECODING));
	return quiet;
}

void pci_decoding_restore(const struct pci_device *device, struct pci_quiet quiet)
{
	if (quiet.command & PCI_COMMAND_DECODING)
		pci_write16(device, PCI_COMMAND, quiet.command);
	irq_restore(quiet.irq_flags);
}

/* ---- Sizes ---- */

/* Returns what the register holds; stores which of its bits can be ones. */
static uint32_t probe_register(const struct pci_device *device, unsigned offset, uint32_t *mask)
{
	uint32_t value = pci_read32(device, offset);

	pci_write32(device, offset, UINT32_MAX);
	*mask = pci_read32(device, offset);
	pci_write32(device, offset, value);
	return value;
}

static void refuse(const struct pci_device *device, struct pci_bar *bar, unsigned index,
		   const char *why)
{
	char name[PCI_NAME_SIZE];

	log_warn("pci: %s: BAR %u is left alone: %s", pci_name(device, name), index, why);
	*bar = (struct pci_bar){ .kind = PCI_BAR_NONE };
}

/* Returns the address, or 0 if it cannot work: then a better one is assigned. */
static uint64_t check_address(const struct pci_device *device, unsigned index, uint64_t address,
			      uint64_t size, uint64_t end)
{
	char name[PCI_NAME_SIZE];

	if (address <= end - size)
		return address;
	log_warn("pci: %s: BAR %u: %#" PRIx64 " is no usable address", pci_name(device, name),
		 index, address);
	return 0;
}

/*
 * The address bits that stick are the upper ones down to the size, and only
 * those. Fills in size and address; `bits` is the width of an address.
 */
static void set_size(const struct pci_device *device, unsigned index, struct pci_bar *bar,
		     uint64_t value, uint64_t mask, unsigned bits)
{
	uint64_t all = bits == 64 ? UINT64_MAX : (UINT64_C(1) << bits) - 1;
	uint64_t size = mask & -mask;
	uint64_t end = bits == 64 ? PCI_ADDRESS_END : all + 1;

	if (size == 0) {
		refuse(device, bar, index, "it has no address bits");
	} else if (mask != (all & ~(size - 1))) {
		refuse(device, bar, index, "its size is not a power of two");
	} else if (size > end / 2) {
		refuse(device, bar, index, "its size is beyond reason");
	} else {
		bar->size = size;
		bar->address = check_address(device, index, value, size, end);
	}
}

static void size_io(const struct pci_device *device, unsigned index, struct pci_bar *bar,
		    uint32_t value, uint32_t mask)
{
	/* The upper half may be missing, as ports have 16 bits. */
	uint32_t upper = mask >> 16;

	bar->kind = PCI_BAR_IO;
	if (upper != 0 && upper != UINT16_MAX)
		refuse(device, bar, index, "its size is not a power of two");
	else
		set_size(device, index, bar, value & ~IO_FLAGS, mask & ~IO_FLAGS & UINT16_MAX, 16);
}

static void size_memory64(const struct pci_device *device, unsigned index, struct pci_bar *bar,
			  uint64_t value, uint64_t mask)
{
	uint32_t upper_mask;
	uint64_t upper = probe_register(device, bar_register(index + 1), &upper_mask);

	bar->kind = PCI_BAR_MEMORY64;
	value |= upper << 32;
	mask |= (uint64_t)upper_mask << 32;
	set_size(device, index, bar, value & ~(uint64_t)MEMORY_FLAGS,
		 mask & ~(uint64_t)MEMORY_FLAGS, 64);
}

/* Fills in one BAR; returns how many registers it takes. */
static unsigned size_bar(struct pci_device *device, unsigned index)
{
	struct pci_bar *bar = &device->bar[index];
	uint32_t mask, type;
	uint32_t value = probe_register(device, bar_register(index), &mask);

	if (mask == 0)
		return 1;
	if (value == UINT32_MAX) {
		refuse(device, bar, index, "the device does not answer");
		return 1;
	}
	if (value & PCI_BAR_SPACE_IO) {
		size_io(device, index, bar, value, mask);
		return 1;
	}
	bar->prefetchable = value & PCI_BAR_PREFETCHABLE;
	type = value & PCI_BAR_TYPE;
	if (type == PCI_BAR_TYPE_64 && index + 1 < bar_count(device)) {
		size_memory64(device, index, bar, value, mask);
		return 2;
	}
	if (type == PCI_BAR_TYPE_32) {
		bar->kind = PCI_BAR_MEMORY32;
		set_size(device, index, bar, value & ~MEMORY_FLAGS, mask & ~MEMORY_FLAGS, 32);
	} else {
		refuse(device, bar, index,
		       type == PCI_BAR_TYPE_64 ? "its upper half would lie after the last BAR"
					       : "its type is reserved");
	}
	return 1;
}

void pci_size_bars(struct pci_device *device)
{
	unsigned count = bar_count(device);
	struct pci_quiet quiet;

	if (count == 0)
		return;
	quiet = pci_decoding_off(device);
	for (unsigned i = 0; i < count;)
		i += size_bar(device, i);
	pci_decoding_restore(device, quiet);
}

/* ---- Using them ---- */

int pci_set_bar(struct pci_device *device, unsigned index, uint64_t address)
{
	struct pci_bar *bar = &device->bar[index];
	uint32_t flags = bar->kind == PCI_BAR_IO ? IO_FLAGS : MEMORY_FLAGS;
	struct pci_quiet quiet;
	uint64_t kept;

	assert(index < PCI_BARS && bar->kind != PCI_BAR_NONE);
	assert(address % bar->size == 0);
	quiet = pci_decoding_off(device);
	pci_write32(device, bar_register(index), (uint32_t)address);
	kept = pci_read32(device, bar_register(index)) & ~flags;
	if (bar->kind == PCI_BAR_MEMORY64) {
		pci_write32(device, bar_register(index + 1), (uint32_t)(address >> 32));
		kept |= (uint64_t)pci_read32(device, bar_register(index + 1)) << 32;
	}
	pci_decoding_restore(device, quiet);
	if (kept != address)
		return -EIO;
	bar->address = address;
	return 0;
}

static void set_command(const struct pci_device *device, uint16_t set, uint16_t clear)
{
	uint16_t before = pci_read16(device, PCI_COMMAND);
	uint16_t after = (uint16_t)((before & ~clear) | set);

	/* A change of decoding costs a hypervisor much time. */
	if (after != before)
		pci_write16(device, PCI_COMMAND, after);
}

static uint16_t decoding_of_bars(const struct pci_device *device)
{
	uint16_t decoding = 0;

	for (unsigned i = 0; i < PCI_BARS; i++) {
		/* By its index: a bound that is wrong shows, where a pointer would hide it. */
		enum pci_bar_kind kind = device->bar[i].kind;

		if (kind != PCI_BAR_NONE && device->bar[i].address != 0)
			decoding |= kind == PCI_BAR_IO ? PCI_COMMAND_IO : PCI_COMMAND_MEMORY;
	}
	return decoding;
}

static uint16_t decoding_of_windows(const struct pci_function *bridge)
{
	uint16_t decoding = 0;

	if (pci_is_open(&bridge->window[PCI_WINDOW_IO]))
		decoding |= PCI_COMMAND_IO;
	if (pci_is_open(&bridge->window[PCI_WINDOW_MEMORY]) ||
	    pci_is_open(&bridge->window[PCI_WINDOW_PREFETCHABLE]))
		decoding |= PCI_COMMAND_MEMORY;
	return decoding;
}

void pci_enable(const struct pci_device *device)
{
	const struct pci_device *bridge;

	/* Bridges first: what a function claims must be reachable. */
	for (bridge = device->bridge; bridge; bridge = bridge->bridge) {
		const struct pci_function *function = container_of(bridge, struct pci_function,
								   device);

		set_command(bridge, decoding_of_windows(function) | PCI_COMMAND_MASTER, 0);
	}
	set_command(device, decoding_of_bars(device) | PCI_COMMAND_MASTER,
		    PCI_COMMAND_INTX_DISABLE);
}

void pci_disable(const struct pci_device *device)
{
	set_command(device, PCI_COMMAND_INTX_DISABLE, PCI_COMMAND_DECODING | PCI_COMMAND_MASTER);
}

int pci_map_bar(const struct pci_device *device, unsigned bar, uint64_t offset, uint64_t size,
		void **window)
{
	uint64_t end = offset + size;
	enum pci_bar_kind kind;
	uint64_t address;

	if (bar >= PCI_BARS)
		return -EINVAL;
	kind = device->bar[bar].kind;
	address = device->bar[bar].address;
	if (kind != PCI_BAR_MEMORY32 && kind != PCI_BAR_MEMORY64)
		return -EINVAL;
	/* Nothing, and what goes round, ends where it begins or before. */
	if (end <= offset || end > device->bar[bar].size)
		return -EINVAL;
	if (address == 0)
		return -ENXIO;
	return paging_map_device(address + offset, size, window);
}
