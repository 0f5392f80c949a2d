/* SPDX-License-Identifier: BSD-2-Clause */
/* The interrupt flag for host tests: one that can be looked at. */
#ifndef ARCH_IRQ_FLAGS_H
#define ARCH_IRQ_FLAGS_H

#include <stdint.h>

/* Nonzero while interrupts are off; weak, so that every object can have it. */
__attribute__((weak)) int fake_irqs_off;

/* Turns interrupts on, whatever they were. */
static inline void irq_enable(void)
{
	fake_irqs_off = 0;
}

/* Turns interrupts off. */
static inline void irq_disable(void)
{
	fake_irqs_off = 1;
}

/* Bit 9 is set if interrupts were on, as irq_flags_enabled() wants it. */
static inline uint64_t irq_save(void)
{
	uint64_t flags = fake_irqs_off ? 0 : 1u << 9;

	fake_irqs_off = 1;
	return flags;
}

#endif
