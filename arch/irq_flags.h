/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The processor's interrupt flag: the instructions that arch/irq.h needs, and the
 * one part of it that host tests replace.
 */
#ifndef ARCH_IRQ_FLAGS_H
#define ARCH_IRQ_FLAGS_H

#include <stdint.h>

/* Turns interrupts on, whatever they were. */
static inline void irq_enable(void)
{
	__asm__ volatile("sti" : : : "memory");
}

/* Turns interrupts off. */
static inline void irq_disable(void)
{
	__asm__ volatile("cli" : : : "memory");
}

/* Turns interrupts off; returns what irq_restore() wants. Nests. */
static inline uint64_t irq_save(void)
{
	uint64_t flags;

	__asm__ volatile("pushfq; popq %0; cli" : "=r"(flags) : : "memory");
	return flags;
}

#endif
