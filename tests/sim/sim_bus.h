/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Ports and registers in memory for host tests. sim_bus.c implements arch/io.h
 * and arch/mmio.h, of all widths, by these functions, which the program defines:
 * a pair, or both pairs. An access of a kind that it has none for fails.
 */
#ifndef TESTS_SIM_SIM_BUS_H
#define TESTS_SIM_SIM_BUS_H

#include <stdint.h>

/* `width` is 1, 2 or 4 bytes. */
uint32_t sim_port_read(uint16_t port, unsigned width);
void sim_port_write(uint16_t port, unsigned width, uint32_t value);

/* `at` is what paging_map_device() or pci_map_bar() gave, and an offset. */
uint32_t sim_mmio_read(uintptr_t at, unsigned width);
void sim_mmio_write(uintptr_t at, unsigned width, uint32_t value);

#endif
