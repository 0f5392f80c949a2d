/* SPDX-License-Identifier: BSD-2-Clause */
/* Ports for host tests: the test program implements those that it needs. */
#ifndef ARCH_IO_H
#define ARCH_IO_H

#include <stdint.h>

/* Write and read one port, as in arch/io.h. */
void io_write8(uint16_t port, uint8_t value);
void io_write16(uint16_t port, uint16_t value);
void io_write32(uint16_t port, uint32_t value);
uint8_t io_read8(uint16_t port);
uint16_t io_read16(uint16_t port);
uint32_t io_read32(uint16_t port);

#endif
