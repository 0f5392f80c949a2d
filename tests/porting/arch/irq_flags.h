/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What arch/irq_flags.h promises. An interrupt is a thread that gets hold of the
 * processor, which tasks let go of only where they wait: so nothing has to be
 * turned off.
 */
#ifndef ARCH_IRQ_FLAGS_H
#define ARCH_IRQ_FLAGS_H

#include <stdint.h>

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

#endif
