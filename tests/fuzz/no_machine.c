/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * For a target whose sources also have functions that need a machine, which it
 * does not call: a call ends the program.
 */
#include <stdlib.h>

#include "arch/irq.h"
#include "arch/mmio.h"
#include "arch/paging.h"

int paging_map_device(paddr_t paddr, uint64_t size, void **window)
{
	(void)paddr, (void)size, (void)window;
	abort();
}

int irq_register_gsi(uint32_t gsi, bool level, struct irq_handler *handler)
{
	(void)gsi, (void)level, (void)handler;
	abort();
}

void irq_unregister_gsi(uint32_t gsi, struct irq_handler *handler)
{
	(void)gsi, (void)handler;
	abort();
}

#define NO_MMIO(width) \
	uint##width##_t mmio_read##width(const void *reg) \
	{ \
		(void)reg; \
		abort(); \
	} \
\
	void mmio_write##width(void *reg, uint##width##_t value) \
	{ \
		(void)reg, (void)value; \
		abort(); \
	}

NO_MMIO(8)
NO_MMIO(16)
NO_MMIO(32)
