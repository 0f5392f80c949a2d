/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Interrupts for host tests: a flag that can be looked at. Lines and handlers
 * are as in arch/irq.h; a test that needs the functions implements them.
 */
#ifndef ARCH_IRQ_H
#define ARCH_IRQ_H

#include <stdbool.h>
#include <stdint.h>

enum irq_line {
	IRQ_TIMER = 0,
	IRQ_COM1 = 4,
	IRQ_PCI = 11,
	IRQ_COUNT = 16,
};

struct irq_handler {
	bool (*handle)(struct irq_handler *handler);
	struct irq_handler *next;
};

void irq_init(void);
void irq_register(enum irq_line line, struct irq_handler *handler);
void irq_unregister(enum irq_line line, struct irq_handler *handler);
int irq_add_ioapic(uint64_t paddr, uint32_t first_gsi);
int irq_register_gsi(uint32_t gsi, bool level, struct irq_handler *handler);
void irq_unregister_gsi(uint32_t gsi, struct irq_handler *handler);

struct irq_message {
	uint64_t address;
	uint32_t data;
	unsigned vector;
};

int irq_register_message(struct irq_handler *handler, struct irq_message *message);
void irq_unregister_message(struct irq_handler *handler);

/* Nonzero while interrupts are off; weak, so that every object can have it. */
__attribute__((weak)) int fake_irqs_off;

static inline void irq_enable(void)
{
	fake_irqs_off = 0;
}

static inline void irq_disable(void)
{
	fake_irqs_off = 1;
}

/* As the real one: bit 9 is set if interrupts were on. */
static inline uint64_t irq_save(void)
{
	uint64_t flags = fake_irqs_off ? 0 : 1u << 9;

	fake_irqs_off = 1;
	return flags;
}

static inline bool irq_flags_enabled(uint64_t flags)
{
	return flags & (1u << 9);
}

static inline void irq_restore(uint64_t flags)
{
	if (irq_flags_enabled(flags))
		irq_enable();
}

#endif
