/* SPDX-License-Identifier: BSD-2-Clause */
/* What arch/mmio.h promises: the registers are those of the toy device. */
#ifndef ARCH_MMIO_H
#define ARCH_MMIO_H

#include "tests/porting/toy_balloon.h"

/* Reads a register of 32 bits, in one access. */
static inline uint32_t mmio_read32(const void *reg)
{
	return toy_read(reg);
}

/* Writes one. */
static inline void mmio_write32(void *reg, uint32_t value)
{
	toy_write(reg, value);
}

/* The toy has no registers of other widths, and the drivers use none. */
static inline uint8_t mmio_read8(const void *reg)
{
	return (uint8_t)toy_read(reg);
}

static inline uint16_t mmio_read16(const void *reg)
{
	return (uint16_t)toy_read(reg);
}

static inline void mmio_write8(void *reg, uint8_t value)
{
	toy_write(reg, value);
}

static inline void mmio_write16(void *reg, uint16_t value)
{
	toy_write(reg, value);
}

#endif
