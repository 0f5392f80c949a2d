/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Registers that the FADT names (ACPI 6.4, 5.2.3.2, 5.2.9): where they lie, in ports or
 * in memory, and reading and writing them.
 */
#include <assert.h>

#include "arch/io.h"
#include "arch/mmio.h"
#include "arch/paging.h"
#include "drivers/acpi/acpi_internal.h"

/* Generic Address Structure (5.2.3.2): its first byte is the space */
#define GAS_ADDRESS 4 /* 64 */

struct acpi_register acpi_make_register(uint8_t space, uint64_t address)
{
	const struct acpi_register none = { 0 };
	struct acpi_register reg = { space, address };

	if (space == ACPI_SPACE_IO)
		return address <= UINT16_MAX ? reg : none;
	return space == ACPI_SPACE_MEMORY && address < ACPI_ADDRESS_END ? reg : none;
}

struct acpi_register acpi_read_register(const struct acpi_header *fadt, size_t offset)
{
	return acpi_make_register(acpi_read_field8(fadt, offset),
				  acpi_read_field64(fadt, offset + GAS_ADDRESS));
}

struct acpi_register acpi_read_port(const struct acpi_header *fadt, size_t offset)
{
	uint32_t port = acpi_read_field32(fadt, offset);

	return (struct acpi_register){ ACPI_SPACE_IO, port <= UINT16_MAX ? port : 0 };
}

struct acpi_register acpi_read_block(const struct acpi_header *fadt, size_t offset, size_t extended)
{
	struct acpi_register reg = acpi_read_register(fadt, extended);

	return reg.address != 0 ? reg : acpi_read_port(fadt, offset);
}

struct acpi_register acpi_register_after(struct acpi_register reg, uint64_t offset)
{
	if (reg.address == 0)
		return reg;
	return acpi_make_register(reg.space, reg.address + offset);
}

static uint32_t read_port(uint16_t port, unsigned width)
{
	return width == 1 ? io_read8(port) : width == 2 ? io_read16(port) : io_read32(port);
}

static uint32_t read_memory(const void *reg, unsigned width)
{
	return width == 1 ? mmio_read8(reg) : width == 2 ? mmio_read16(reg) : mmio_read32(reg);
}

static void write_port(uint16_t port, unsigned width, uint32_t value)
{
	if (width == 1)
		io_write8(port, (uint8_t)value);
	else if (width == 2)
		io_write16(port, (uint16_t)value);
	else
		io_write32(port, value);
}

static void write_memory(void *reg, unsigned width, uint32_t value)
{
	if (width == 1)
		mmio_write8(reg, (uint8_t)value);
	else if (width == 2)
		mmio_write16(reg, (uint16_t)value);
	else
		mmio_write32(reg, value);
}

bool acpi_register_read(const struct acpi_register *reg, unsigned width, uint32_t *value)
{
	void *window;

	assert(width == 1 || width == 2 || width == 4);
	if (reg->address == 0)
		return false;
	if (reg->space == ACPI_SPACE_IO)
		*value = read_port((uint16_t)reg->address, width);
	else if (paging_map_device(reg->address, width, &window) == 0)
		*value = read_memory(window, width);
	else
		return false;
	return true;
}

bool acpi_register_write(const struct acpi_register *reg, unsigned width, uint32_t value)
{
	void *window;

	assert(width == 1 || width == 2 || width == 4);
	if (reg->address == 0)
		return false;
	if (reg->space == ACPI_SPACE_IO)
		write_port((uint16_t)reg->address, width, value);
	else if (paging_map_device(reg->address, width, &window) == 0)
		write_memory(window, width, value);
	else
		return false;
	return true;
}
