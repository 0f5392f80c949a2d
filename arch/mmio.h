/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Registers in memory. `reg` points into a window that paging_map_device()
 * returned. Each function makes exactly one access of its width, in program
 * order with every other one.
 */
#ifndef ARCH_MMIO_H
#define ARCH_MMIO_H

#include <stdint.h>

/* Read and write one register, in one access of that width. */
static inline uint8_t mmio_read8(const void *reg)
{
	return *(const volatile uint8_t *)reg;
}

static inline uint16_t mmio_read16(const void *reg)
{
	return *(const volatile uint16_t *)reg;
}

static inline uint32_t mmio_read32(const void *reg)
{
	return *(const volatile uint32_t *)reg;
}

static inline void mmio_write8(void *reg, uint8_t value)
{
	*(volatile uint8_t *)reg = value;
}

static inline void mmio_write16(void *reg, uint16_t value)
{
	*(volatile uint16_t *)reg = value;
}

static inline void mmio_write32(void *reg, uint32_t value)
{
	*(volatile uint32_t *)reg = value;
}

#endif
