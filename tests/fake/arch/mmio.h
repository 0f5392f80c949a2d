/* SPDX-License-Identifier: BSD-2-Clause */
/* Registers in memory for host tests: the simulated bus or device implements them. */
#ifndef ARCH_MMIO_H
#define ARCH_MMIO_H

#include <stdint.h>

/* Read and write one register, as in arch/mmio.h. */
uint8_t mmio_read8(const void *reg);
uint16_t mmio_read16(const void *reg);
uint32_t mmio_read32(const void *reg);
void mmio_write8(void *reg, uint8_t value);
void mmio_write16(void *reg, uint16_t value);
void mmio_write32(void *reg, uint32_t value);

#endif
