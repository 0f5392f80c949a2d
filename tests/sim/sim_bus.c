/* SPDX-License-Identifier: BSD-2-Clause */
/* Every width of ports and registers, as one function a direction; see sim_bus.h. */
#include "tests/sim/sim_bus.h"

#include <stdio.h>
#include <stdlib.h>

#include "arch/io.h"
#include "arch/mmio.h"

static _Noreturn void nothing_there(const char *kind, unsigned long at)
{
	fprintf(stderr, "sim_bus: the program has no %s, and 0x%lx is accessed\n", kind, at);
	abort();
}

__attribute__((weak)) uint32_t sim_port_read(uint16_t port, unsigned width)
{
	(void)width;
	nothing_there("ports", port);
}

__attribute__((weak)) void sim_port_write(uint16_t port, unsigned width, uint32_t value)
{
	(void)width, (void)value;
	nothing_there("ports", port);
}

__attribute__((weak)) uint32_t sim_mmio_read(uintptr_t at, unsigned width)
{
	(void)width;
	nothing_there("registers", at);
}

__attribute__((weak)) void sim_mmio_write(uintptr_t at, unsigned width, uint32_t value)
{
	(void)width, (void)value;
	nothing_there("registers", at);
}

uint8_t io_read8(uint16_t port)
{
	return (uint8_t)sim_port_read(port, 1);
}

uint16_t io_read16(uint16_t port)
{
	return (uint16_t)sim_port_read(port, 2);
}

uint32_t io_read32(uint16_t port)
{
	return sim_port_read(port, 4);
}

void io_write8(uint16_t port, uint8_t value)
{
	sim_port_write(port, 1, value);
}

void io_write16(uint16_t port, uint16_t value)
{
	sim_port_write(port, 2, value);
}

void io_write32(uint16_t port, uint32_t value)
{
	sim_port_write(port, 4, value);
}

uint8_t mmio_read8(const void *reg)
{
	return (uint8_t)sim_mmio_read((uintptr_t)reg, 1);
}

uint16_t mmio_read16(const void *reg)
{
	return (uint16_t)sim_mmio_read((uintptr_t)reg, 2);
}

uint32_t mmio_read32(const void *reg)
{
	return sim_mmio_read((uintptr_t)reg, 4);
}

void mmio_write8(void *reg, uint8_t value)
{
	sim_mmio_write((uintptr_t)reg, 1, value);
}

void mmio_write16(void *reg, uint16_t value)
{
	sim_mmio_write((uintptr_t)reg, 2, value);
}

void mmio_write32(void *reg, uint32_t value)
{
	sim_mmio_write((uintptr_t)reg, 4, value);
}
