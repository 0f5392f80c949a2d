/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reaching config space: by configuration mechanism #1 (PCI Local Bus 3.0,
 * 3.2.2.3.2), which takes two port accesses, or by ECAM (PCI Express Base 4.0,
 * 7.2.2), which takes one memory access. Not for interrupt handlers: they could
 * come between the two port accesses.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "arch/io.h"
#include "arch/mmio.h"
#include "arch/paging.h"
#include "arch/platform.h"
#include "drivers/pci/pci_internal.h"
#include "kernel/lib/log.h"

#define ADDRESS_ENABLE UINT32_C(0x80000000)
#define PORTS_SIZE 256
#define ECAM_SIZE 4096
#define ECAM_BUS_SHIFT 20
#define ALL_ONES UINT32_MAX

static const struct pci_config_ops *config;

static bool is_reachable(const struct pci_config_ops *ops, struct pci_address address,
			 unsigned offset, unsigned width)
{
	if (width != 1 && width != 2 && width != 4)
		return false;
	return address.bus <= ops->last_bus && address.device < PCI_SLOTS &&
	       address.function < PCI_FUNCTIONS && offset < ops->size && offset % width == 0;
}

/* Returns all ones of a register of this width. */
static uint32_t ones(unsigned width)
{
	return width == 1 ? UINT8_MAX : width == 2 ? UINT16_MAX : ALL_ONES;
}

/* ---- Ports ---- */

static const struct pci_config_ops ports;

static void select_register(struct pci_address address, unsigned offset)
{
	io_write32(PORT_PCI_CONFIG_ADDRESS,
		   ADDRESS_ENABLE | (uint32_t)address.bus << 16 | (uint32_t)address.device << 11 |
			   (uint32_t)address.function << 8 | (offset & 0xfc));
}

static uint32_t ports_read(struct pci_address address, unsigned offset, unsigned width)
{
	uint16_t port = (uint16_t)(PORT_PCI_CONFIG_DATA + offset % 4);

	if (!is_reachable(&ports, address, offset, width))
		return ones(width);
	select_register(address, offset);
	switch (width) {
	case 1:
		return io_read8(port);
	case 2:
		return io_read16(port);
	default:
		return io_read32(port);
	}
}

static void ports_write(struct pci_address address, unsigned offset, unsigned width, uint32_t value)
{
	uint16_t port = (uint16_t)(PORT_PCI_CONFIG_DATA + offset % 4);

	if (!is_reachable(&ports, address, offset, width))
		return;
	select_register(address, offset);
	switch (width) {
	case 1:
		io_write8(port, (uint8_t)value);
		break;
	case 2:
		io_write16(port, (uint16_t)value);
		break;
	default:
		io_write32(port, value);
		break;
	}
}

static const struct pci_config_ops ports = {
	.name = "ports",
	.read = ports_read,
	.write = ports_write,
	.size = PORTS_SIZE,
	.last_bus = 255,
};

int pci_config_use_ports(void)
{
	uint32_t before = io_read32(PORT_PCI_CONFIG_ADDRESS);
	uint32_t kept;

	/* The address register keeps what is written; without one, reads give all ones. */
	io_write32(PORT_PCI_CONFIG_ADDRESS, ADDRESS_ENABLE);
	kept = io_read32(PORT_PCI_CONFIG_ADDRESS);
	io_write32(PORT_PCI_CONFIG_ADDRESS, before);
	if (kept != ADDRESS_ENABLE)
		return -ENODEV;
	config = &ports;
	return 0;
}

/* ---- ECAM ---- */

static struct pci_config_ops ecam;
static char *ecam_window;
static paddr_t ecam_base;

static char *ecam_register(struct pci_address address, unsigned offset)
{
	return ecam_window + ((size_t)address.bus << ECAM_BUS_SHIFT | (size_t)address.device << 15 |
			      (size_t)address.function << 12 | offset);
}

static uint32_t ecam_read(struct pci_address address, unsigned offset, unsigned width)
{
	const char *reg;

	if (!is_reachable(&ecam, address, offset, width))
		return ones(width);
	reg = ecam_register(address, offset);
	switch (width) {
	case 1:
		return mmio_read8(reg);
	case 2:
		return mmio_read16(reg);
	default:
		return mmio_read32(reg);
	}
}

static void ecam_write(struct pci_address address, unsigned offset, unsigned width, uint32_t value)
{
	char *reg;

	if (!is_reachable(&ecam, address, offset, width))
		return;
	reg = ecam_register(address, offset);
	switch (width) {
	case 1:
		mmio_write8(reg, (uint8_t)value);
		break;
	case 2:
		mmio_write16(reg, (uint16_t)value);
		break;
	default:
		mmio_write32(reg, value);
		break;
	}
}

static struct pci_config_ops ecam = {
	.name = "ECAM",
	.read = ecam_read,
	.write = ecam_write,
	.size = ECAM_SIZE,
};

/* MCFG may name a window that the firmware did not turn on. */
static bool root_bus_answers(void)
{
	for (uint8_t slot = 0; slot < PCI_SLOTS; slot++) {
		struct pci_address address = { .device = slot };

		if ((uint16_t)ecam_read(address, PCI_VENDOR, 2) != UINT16_MAX)
			return true;
	}
	return false;
}

int pci_config_use_ecam(paddr_t base, uint8_t last_bus)
{
	uint64_t size = ((uint64_t)last_bus + 1) << ECAM_BUS_SHIFT;
	void *window;
	int err;

	if (base == 0 || base % ((uint64_t)1 << ECAM_BUS_SHIFT) != 0 ||
	    base > PCI_ADDRESS_END - size)
		return -EINVAL;
	err = paging_map_device(base, size, &window);
	if (err)
		return err;
	ecam_window = window;
	ecam_base = base;
	ecam.last_bus = last_bus;
	if (!root_bus_answers()) {
		log_warn("pci: nothing answers in the ECAM window at %#" PRIx64, base);
		if (config == &ecam)
			config = NULL;
		return -ENODEV;
	}
	config = &ecam;
	return 0;
}

struct pci_window pci_config_window(void)
{
	if (config != &ecam)
		return (struct pci_window){ 0, 0 };
	return (struct pci_window){
		.start = ecam_base,
		.end = ecam_base + (((uint64_t)ecam.last_bus + 1) << ECAM_BUS_SHIFT),
	};
}

/* ---- Either way ---- */

const struct pci_config_ops *pci_config_ops(void)
{
	return config;
}

static uint32_t config_read(const struct pci_device *device, unsigned offset, unsigned width)
{
	return config ? config->read(device->address, offset, width) : ones(width);
}

static void config_write(const struct pci_device *device, unsigned offset, unsigned width,
			 uint32_t value)
{
	if (config)
		config->write(device->address, offset, width, value);
}

uint8_t pci_read8(const struct pci_device *device, unsigned offset)
{
	return (uint8_t)config_read(device, offset, 1);
}

uint16_t pci_read16(const struct pci_device *device, unsigned offset)
{
	return (uint16_t)config_read(device, offset, 2);
}

uint32_t pci_read32(const struct pci_device *device, unsigned offset)
{
	return config_read(device, offset, 4);
}

void pci_write8(const struct pci_device *device, unsigned offset, uint8_t value)
{
	config_write(device, offset, 1, value);
}

void pci_write16(const struct pci_device *device, unsigned offset, uint16_t value)
{
	config_write(device, offset, 2, value);
}

void pci_write32(const struct pci_device *device, unsigned offset, uint32_t value)
{
	config_write(device, offset, 4, value);
}

bool pci_is_there(const struct pci_device *device)
{
	return pci_read32(device, PCI_VENDOR) == ((uint32_t)device->device << 16 | device->vendor);
}

const char *pci_name(const struct pci_device *device, char name[PCI_NAME_SIZE])
{
	snprintf(name, PCI_NAME_SIZE, "%02x:%02x.%x", device->address.bus,
		 device->address.device & 0x1fu, device->address.function & 7u);
	return name;
}
