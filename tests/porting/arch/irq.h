/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The parts of arch/irq.h that mm/ and the drivers use. An interrupt is a thread
 * that gets hold of the processor, which tasks let go of only where they wait:
 * so nothing has to be turned off.
 */
#ifndef ARCH_IRQ_H
#define ARCH_IRQ_H

#include <stdbool.h>
#include <stdint.h>

struct irq_handler {
	bool (*handle)(struct irq_handler *handler);
	struct irq_handler *next;
};

/* Adds a handler to an interrupt. -ENOSPC: there is one already. */
int irq_register_gsi(uint32_t gsi, bool level, struct irq_handler *handler);
void irq_unregister_gsi(uint32_t gsi, struct irq_handler *handler);

/* Turn interrupts on and off: see above. */
static inline void irq_enable(void)
{
}

static inline void irq_disable(void)
{
}

/* Turns interrupts off; returns what irq_restore() wants. */
static inline uint64_t irq_save(void)
{
	return 0;
}

static inline void irq_restore(uint64_t flags)
{
	(void)flags;
}

#endif
