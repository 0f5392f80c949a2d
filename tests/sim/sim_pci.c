/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A simulated PCI bus; see sim_pci.h. Written from the specifications' device
 * side: it shares no register names with the code under test.
 */
#include "tests/sim/sim_pci.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "arch/irq.h"
#include "arch/paging.h"
#include "tests/sim/sim_bus.h"

#define ECAM_SIZE ((size_t)256 << 20)
#define HOPS_MAX 64

void (*sim_pci_on_read)(void);
void (*sim_pci_on_write)(struct sim_pci_function *f, unsigned offset, uint32_t value);
uint32_t (*sim_pci_port_read)(uint16_t port);
void (*sim_pci_port_write)(uint16_t port, uint32_t value);
const char *sim_pci_violation;
unsigned sim_pci_reads;
unsigned sim_pci_writes;
uint8_t sim_pci_highest_bus;
paddr_t sim_pci_mapped;
uint64_t sim_pci_mapped_size;

static struct sim_pci_function functions[SIM_PCI_FUNCTIONS_MAX];
static size_t function_count;
static uint32_t config_address;
static bool has_ports;
static int mapping_error;
static char *ecam;

static void violate(const char *what)
{
	if (!sim_pci_violation)
		sim_pci_violation = what;
}

/* ---- Building ---- */

void sim_pci_reset(void)
{
	function_count = 0;
	sim_pci_on_read = NULL;
	sim_pci_on_write = NULL;
	sim_pci_port_read = NULL;
	sim_pci_port_write = NULL;
	config_address = 0;
	has_ports = true;
	mapping_error = 0;
	sim_pci_violation = NULL;
	sim_pci_reads = 0;
	sim_pci_writes = 0;
	sim_pci_highest_bus = 0;
	sim_pci_mapped = 0;
	sim_pci_mapped_size = 0;
	irq_enable();
	if (ecam)
		return;
	/* Only addresses are needed: an access that is not mmio_read32() faults. */
	ecam = mmap(NULL, ECAM_SIZE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (ecam == MAP_FAILED) {
		perror("sim_pci: mmap");
		abort();
	}
}

void sim_pci_remove_ports(void)
{
	has_ports = false;
}

void sim_pci_fail_mapping(int err)
{
	mapping_error = err;
}

uint32_t sim_pci_get(const struct sim_pci_function *f, unsigned offset, unsigned width)
{
	uint32_t value = 0;

	memcpy(&value, f->config + offset, width);
	return value;
}

void sim_pci_put(struct sim_pci_function *f, unsigned offset, unsigned width, uint32_t value)
{
	memcpy(f->config + offset, &value, width);
}

static void make_writable(struct sim_pci_function *f, unsigned offset, unsigned width,
			  uint32_t mask)
{
	memcpy(f->writable + offset, &mask, width);
}

struct sim_pci_function *sim_pci_add(struct sim_pci_function *parent, unsigned device,
				     unsigned function, uint16_t vendor, uint16_t id,
				     uint32_t class)
{
	struct sim_pci_function *f = &functions[function_count];

	if (function_count == SIM_PCI_FUNCTIONS_MAX)
		abort();
	function_count++;
	memset(f, 0, sizeof(*f));
	f->parent = parent;
	f->behind = f;
	f->device = device;
	f->function = function;
	sim_pci_put(f, 0x00, 2, vendor);
	sim_pci_put(f, 0x02, 2, id);
	sim_pci_put(f, 0x08, 4, class << 8);
	make_writable(f, 0x04, 2, 0x0507); /* command */
	make_writable(f, 0x0c, 2, 0xffff);
	make_writable(f, 0x3c, 1, 0xff);
	return f;
}

struct sim_pci_function *sim_pci_add_root(unsigned device, uint8_t bus)
{
	struct sim_pci_function *f = sim_pci_add(NULL, device, 0, 0x1b36, 0x0009, 0x060000);

	f->root_bus = bus;
	return f;
}

struct sim_pci_function *sim_pci_add_bridge(struct sim_pci_function *parent, unsigned device,
					    unsigned function)
{
	struct sim_pci_function *f = sim_pci_add(parent, device, function, 0x1b36, 0x000c,
						 0x060400);

	sim_pci_put(f, 0x0e, 1, 0x01);
	sim_pci_put(f, 0x1c, 2, 0x0101);     /* 32-bit I/O addresses */
	sim_pci_put(f, 0x24, 4, 0x00010001); /* 64-bit prefetchable ones */
	make_writable(f, 0x18, 4, 0xffffffff);
	make_writable(f, 0x1c, 2, 0xf0f0);
	make_writable(f, 0x20, 4, 0xfff0fff0);
	make_writable(f, 0x24, 4, 0xfff0fff0);
	make_writable(f, 0x28, 4, 0xffffffff);
	make_writable(f, 0x2c, 4, 0xffffffff);
	make_writable(f, 0x30, 4, 0xffffffff);
	return f;
}

void sim_pci_loop_to_root(struct sim_pci_function *bridge)
{
	bridge->behind = NULL;
}

void sim_pci_set_multifunction(struct sim_pci_function *f)
{
	f->config[0x0e] |= 0x80;
}

void sim_pci_set_bar(struct sim_pci_function *f, unsigned index, unsigned flags, uint64_t size,
		     uint64_t address)
{
	unsigned at = 0x10 + 4 * index;
	uint64_t mask = ~(size - 1);

	sim_pci_put(f, at, 4, (uint32_t)address | flags);
	make_writable(f, at, 4, (uint32_t)mask & (flags & SIM_PCI_IO ? ~3u : ~15u));
	if (!(flags & SIM_PCI_IO) && (flags & 6) == SIM_PCI_MEMORY64) {
		sim_pci_put(f, at + 4, 4, (uint32_t)(address >> 32));
		make_writable(f, at + 4, 4, (uint32_t)(mask >> 32));
	}
}

void sim_pci_set_bus_numbers(struct sim_pci_function *f, uint8_t primary, uint8_t secondary,
			     uint8_t subordinate)
{
	f->config[0x18] = primary;
	f->config[0x19] = secondary;
	f->config[0x1a] = subordinate;
}

void sim_pci_set_memory_window(struct sim_pci_function *f, uint64_t start, uint64_t end)
{
	sim_pci_put(f, 0x20, 2, (uint32_t)(start >> 16));
	sim_pci_put(f, 0x22, 2, (uint32_t)((end - 1) >> 16 & 0xfff0));
}

void sim_pci_set_prefetchable_window(struct sim_pci_function *f, uint64_t start, uint64_t end)
{
	sim_pci_put(f, 0x24, 2, (uint32_t)(start >> 16 & 0xfff0) | 1);
	sim_pci_put(f, 0x26, 2, (uint32_t)((end - 1) >> 16 & 0xfff0) | 1);
	sim_pci_put(f, 0x28, 4, (uint32_t)(start >> 32));
	sim_pci_put(f, 0x2c, 4, (uint32_t)((end - 1) >> 32));
}

void sim_pci_set_io_window(struct sim_pci_function *f, uint64_t start, uint64_t end)
{
	sim_pci_put(f, 0x1c, 1, (uint32_t)(start >> 8 & 0xf0) | 1);
	sim_pci_put(f, 0x1d, 1, (uint32_t)((end - 1) >> 8 & 0xf0) | 1);
}

void sim_pci_set_capability(struct sim_pci_function *f, unsigned offset, uint8_t id, uint8_t next)
{
	f->config[0x06] |= 0x10;
	f->config[offset] = id;
	f->config[offset + 1] = next;
}

/* ---- Routing ---- */

static bool is_bridge(const struct sim_pci_function *f)
{
	return (f->config[0x0e] & 0x7f) == 1;
}

static struct sim_pci_function *child(const struct sim_pci_function *parent, unsigned device,
				      unsigned function)
{
	for (size_t i = 0; i < function_count; i++) {
		struct sim_pci_function *f = &functions[i];

		if (f->parent == parent && f->device == device && f->function == function)
			return f;
	}
	return NULL;
}

static const struct sim_pci_function *claims(const struct sim_pci_function *parent, unsigned bus)
{
	for (size_t i = 0; i < function_count; i++) {
		const struct sim_pci_function *f = &functions[i];

		if (f->parent == parent && is_bridge(f) && !f->gone && f->config[0x19] <= bus &&
		    bus <= f->config[0x1a])
			return f;
	}
	return NULL;
}

/* NULL: nobody answers. */
static struct sim_pci_function *route_below(const struct sim_pci_function *parent, unsigned bus,
					    unsigned device, unsigned function)
{
	for (unsigned hop = 0; hop < HOPS_MAX; hop++) {
		const struct sim_pci_function *bridge = claims(parent, bus);

		if (!bridge)
			return NULL;
		parent = bridge->behind;
		if (bridge->config[0x19] == bus)
			return child(parent, device, function);
	}
	return NULL;
}

static struct sim_pci_function *route(unsigned bus, unsigned device, unsigned function)
{
	struct sim_pci_function *found = NULL;

	if (bus == 0)
		return child(NULL, device, function);
	for (size_t i = 0; i < function_count && !found; i++) {
		if (functions[i].root_bus == bus)
			return child(&functions[i], device, function);
		if (functions[i].root_bus != 0)
			found = route_below(&functions[i], bus, device, function);
	}
	return found ? found : route_below(NULL, bus, device, function);
}

/* ---- Registers ---- */

static uint32_t all_ones(unsigned width)
{
	return width == 4 ? UINT32_MAX : (1u << 8 * width) - 1;
}

static uint32_t config_read(unsigned bus, unsigned device, unsigned function, unsigned offset,
			    unsigned width)
{
	const struct sim_pci_function *f;

	if (sim_pci_on_read)
		sim_pci_on_read();
	f = route(bus, device, function);
	sim_pci_reads++;
	if (bus > sim_pci_highest_bus)
		sim_pci_highest_bus = (uint8_t)bus;
	if (offset % width != 0)
		violate("a read that is not aligned");
	return !f || f->gone ? all_ones(width) : sim_pci_get(f, offset, width);
}

/* What must not change while the function decodes. */
static void watch(const struct sim_pci_function *f, unsigned offset)
{
	bool decodes = f->config[0x04] & 3;
	bool bar = offset >= 0x10 && offset < (is_bridge(f) ? 0x18 : 0x28);
	bool window = is_bridge(f) && offset >= 0x1c && offset < 0x34;

	if (!bar && !window)
		return;
	if (decodes)
		violate("an address register is written while the function decodes");
	if (!fake_irqs_off)
		violate("an address register is written with interrupts on");
}

static void config_write(unsigned bus, unsigned device, unsigned function, unsigned offset,
			 unsigned width, uint32_t value)
{
	struct sim_pci_function *f = route(bus, device, function);

	sim_pci_writes++;
	if (offset % width != 0)
		violate("a write that is not aligned");
	if (!f || f->gone)
		return;
	watch(f, offset);
	if (f->stubborn)
		return;
	for (unsigned i = 0; i < width; i++) {
		uint8_t mask = f->writable[offset + i];
		uint8_t byte = (uint8_t)(value >> 8 * i);

		f->config[offset + i] = (uint8_t)((f->config[offset + i] & ~mask) | (byte & mask));
	}
	if (sim_pci_on_write)
		sim_pci_on_write(f, offset, value);
}

/* ---- BARs ---- */

struct region {
	const struct sim_pci_function *f;
	bool io;
	uint64_t start, end;
};

uint64_t sim_pci_bar_address(const struct sim_pci_function *f, unsigned index)
{
	uint32_t low = sim_pci_get(f, 0x10 + 4 * index, 4);

	if (low & SIM_PCI_IO)
		return low & ~3u;
	if ((low & 6) == SIM_PCI_MEMORY64)
		return (uint64_t)sim_pci_get(f, 0x14 + 4 * index, 4) << 32 | (low & ~15u);
	return low & ~15u;
}

static uint64_t bar_size(const struct sim_pci_function *f, unsigned index, bool *wide)
{
	uint32_t low = sim_pci_get(f, 0x10 + 4 * index, 4);
	uint64_t mask;

	memcpy(&mask, f->writable + 0x10 + 4 * index, 4);
	mask &= UINT32_MAX;
	*wide = !(low & SIM_PCI_IO) && (low & 6) == SIM_PCI_MEMORY64;
	if (*wide) {
		memcpy(&mask, f->writable + 0x10 + 4 * index, 8);
	} else if (mask != 0) {
		mask |= ~(uint64_t)UINT32_MAX;
	}
	return mask & (~mask + 1);
}

static bool within(const struct region *r, uint64_t start, uint64_t end)
{
	return start < end && start <= r->start && r->end <= end;
}

static bool bridge_passes(const struct sim_pci_function *f, const struct region *r)
{
	uint64_t io_start = (uint64_t)(f->config[0x1c] & 0xf0) << 8;
	uint64_t io_end = ((uint64_t)(f->config[0x1d] & 0xf0) << 8) + 0x1000;
	uint64_t start = (uint64_t)(sim_pci_get(f, 0x20, 2) & 0xfff0) << 16;
	uint64_t end = ((uint64_t)(sim_pci_get(f, 0x22, 2) & 0xfff0) << 16) + 0x100000;
	uint64_t far_start = (uint64_t)(sim_pci_get(f, 0x24, 2) & 0xfff0) << 16 |
			     (uint64_t)sim_pci_get(f, 0x28, 4) << 32;
	uint64_t far_end = ((uint64_t)(sim_pci_get(f, 0x26, 2) & 0xfff0) << 16 |
			    (uint64_t)sim_pci_get(f, 0x2c, 4) << 32) +
			   0x100000;

	if (r->io)
		return within(r, io_start, io_end);
	return within(r, start, end) || within(r, far_start, far_end);
}

/*
 * Tells whether the bridges above pass it on, and its answers, too (PCI-to-PCI
 * Bridge 1.2, 3.2.5.3).
 */
static bool reaches(const struct region *r)
{
	for (const struct sim_pci_function *b = r->f->parent; b && !b->root_bus; b = b->parent)
		if (b->gone || !(b->config[0x04] & (r->io ? 1 : 2)) || !bridge_passes(b, r))
			return false;
	return true;
}

/* Whether a BAR decodes this address, and at which offset in it; how wide it is anyway. */
static bool bar_decodes(const struct sim_pci_function *f, unsigned bar, bool io, uint64_t address,
			uint64_t *offset, bool *wide)
{
	uint64_t size = bar_size(f, bar, wide);
	struct region r = { f, f->config[0x10 + 4 * bar] & SIM_PCI_IO, sim_pci_bar_address(f, bar),
			    0 };

	r.end = r.start + size;
	*offset = address - r.start;
	return r.io == io && *offset < size && reaches(&r);
}

/*
 * The function that decodes this address, its BAR and the offset in it. NULL: none does.
 * First that BAR is asked that was the last one: drivers read the same registers over
 * and over.
 */
static struct sim_pci_function *decoder(bool io, uint64_t address, unsigned *bar, uint64_t *offset)
{
	bool wide;

	for (size_t i = 0; i < function_count; i++) {
		struct sim_pci_function *f = &functions[i];

		if (!f->read || f->gone || !(f->config[0x04] & (io ? 1 : 2)))
			continue;
		*bar = f->last_bar;
		if (bar_decodes(f, *bar, io, address, offset, &wide))
			return f;
		for (*bar = 0; *bar < PCI_BARS; *bar += wide ? 2 : 1) {
			if (bar_decodes(f, *bar, io, address, offset, &wide)) {
				f->last_bar = *bar;
				return f;
			}
		}
	}
	return NULL;
}

/* Where nobody has registers, there is nothing but config space to read. */
static void watch_nobody(bool io)
{
	for (size_t i = 0; i < function_count; i++)
		if (functions[i].read)
			return;
	if (!io)
		violate("an access beside the ECAM window");
}

static uint32_t bar_read(bool io, uint64_t address, unsigned width)
{
	unsigned bar;
	uint64_t offset;
	struct sim_pci_function *f = decoder(io, address, &bar, &offset);

	if (!f)
		watch_nobody(io);
	return f ? f->read(f, bar, offset, width) : all_ones(width);
}

static void bar_write(bool io, uint64_t address, unsigned width, uint32_t value)
{
	unsigned bar;
	uint64_t offset;
	struct sim_pci_function *f = decoder(io, address, &bar, &offset);

	if (f)
		f->write(f, bar, offset, width, value);
	else
		watch_nobody(io);
}

/* ---- Ports ---- */

static bool data_offset(uint16_t port, unsigned *offset)
{
	if (!has_ports || port < 0xcfc || port > 0xcff || !(config_address & 0x80000000))
		return false;
	*offset = (config_address & 0xfc) + (port - 0xcfcu);
	return true;
}

uint32_t sim_port_read(uint16_t port, unsigned width)
{
	unsigned offset;

	if (has_ports && port == 0xcf8 && width == 4)
		return config_address;
	if (sim_pci_port_read && (port < 0xcf8 || port > 0xcff) && width == 4)
		return sim_pci_port_read(port);
	if (!data_offset(port, &offset))
		return bar_read(true, port, width);
	return config_read(config_address >> 16 & 0xff, config_address >> 11 & 31,
			   config_address >> 8 & 7, offset, width);
}

void sim_port_write(uint16_t port, unsigned width, uint32_t value)
{
	unsigned offset;

	if (has_ports && port == 0xcf8 && width == 4)
		config_address = value & 0x80fffffc;
	else if (sim_pci_port_write && (port < 0xcf8 || port > 0xcff) && width == 4)
		sim_pci_port_write(port, value);
	else if (data_offset(port, &offset))
		config_write(config_address >> 16 & 0xff, config_address >> 11 & 31,
			     config_address >> 8 & 7, offset, width, value);
	else
		bar_write(true, port, width, value);
}

/* ---- Memory: ECAM and BARs ---- */

uint32_t sim_mmio_read(uintptr_t address, unsigned width)
{
	size_t at = address - (uintptr_t)ecam;

	if (at < ECAM_SIZE)
		return config_read((unsigned)(at >> 20), at >> 15 & 31, at >> 12 & 7, at & 4095,
				   width);
	return bar_read(false, address, width);
}

void sim_mmio_write(uintptr_t address, unsigned width, uint32_t value)
{
	size_t at = address - (uintptr_t)ecam;

	if (at < ECAM_SIZE)
		config_write((unsigned)(at >> 20), at >> 15 & 31, at >> 12 & 7, at & 4095, width,
			     value);
	else
		bar_write(false, address, width, value);
}

/* ---- Addresses ---- */

int paging_map_device(paddr_t paddr, uint64_t size, void **window)
{
	if (mapping_error)
		return mapping_error;
	if (paddr == SIM_PCI_ECAM_BASE && size <= ECAM_SIZE) {
		*window = ecam;
		return 0;
	}
	sim_pci_mapped = paddr;
	sim_pci_mapped_size = size;
	*window = (void *)(uintptr_t)paddr;
	return 0;
}

bool paging_is_mapped(uint64_t vaddr)
{
	return vaddr >= FRAME_SIZE;
}

void *phys_to_virt(paddr_t paddr)
{
	return (void *)(uintptr_t)paddr;
}

paddr_t virt_to_phys(const void *virt)
{
	return (paddr_t)(uintptr_t)virt;
}

/* ---- The layout that came out ---- */

static struct region regions[SIM_PCI_FUNCTIONS_MAX * PCI_BARS];
static size_t region_count;

static void collect_regions(unsigned *unassigned)
{
	region_count = 0;
	*unassigned = 0;
	for (size_t i = 0; i < function_count; i++) {
		const struct sim_pci_function *f = &functions[i];
		unsigned count = is_bridge(f) ? 2 : 6;
		bool wide;

		for (unsigned bar = 0; bar < count; bar += wide ? 2 : 1) {
			uint64_t size = bar_size(f, bar, &wide);
			uint64_t address = sim_pci_bar_address(f, bar);

			if (size == 0)
				continue;
			if (address == 0)
				(*unassigned)++;
			else
				regions[region_count++] =
					(struct region){ f, f->config[0x10 + 4 * bar] & SIM_PCI_IO,
							 address, address + size };
		}
	}
}

unsigned sim_pci_unassigned(void)
{
	unsigned unassigned;

	collect_regions(&unassigned);
	return unassigned;
}

static const char *fault_of(const struct region *r, const struct pci_windows *w)
{
	if (r->start & (r->end - r->start - 1))
		return "an address is not aligned";
	for (const struct sim_pci_function *b = r->f->parent; b && !b->root_bus; b = b->parent) {
		if (!bridge_passes(b, r))
			return "a bridge does not pass an address on";
	}
	if (r->io && !within(r, w->io_start, w->io_end))
		return "a port lies outside the machine's window";
	if (!r->io && !within(r, w->memory_start, w->memory_end) &&
	    !within(r, w->memory64_start, w->memory64_end))
		return "an address lies outside the machine's windows";
	return NULL;
}

/* A function beside the bridges above another must not lie in their windows. */
static bool swallowed(const struct region *r)
{
	for (size_t i = 0; i < function_count; i++) {
		const struct sim_pci_function *above = r->f->parent;

		while (above && above != &functions[i])
			above = above->parent;
		if (!above && is_bridge(&functions[i]) && bridge_passes(&functions[i], r))
			return true;
	}
	return false;
}

const char *sim_pci_layout_fault(const struct pci_windows *windows)
{
	unsigned unassigned;

	collect_regions(&unassigned);
	for (size_t i = 0; i < region_count; i++) {
		const struct region *r = &regions[i];
		const char *fault = fault_of(r, windows);

		if (fault)
			return fault;
		if (swallowed(r))
			return "a bridge beside it takes an address";
		for (size_t j = 0; j < i; j++) {
			if (regions[j].io == r->io && regions[j].start < r->end &&
			    r->start < regions[j].end)
				return "two functions have the same address";
		}
	}
	return NULL;
}
