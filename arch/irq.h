/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Interrupts. Lines are those of the two 8259 interrupt controllers, 0 to 15, or the
 * inputs of an I/O APIC that have these numbers on a machine without them;
 * every PCI INTx pin of the machine is routed to IRQ_PCI, which is level
 * triggered and shared: each of its handlers asks its own device. Turning
 * interrupts off and on is in arch/irq_flags.h.
 */
#ifndef ARCH_IRQ_H
#define ARCH_IRQ_H

#include <stdbool.h>
#include <stdint.h>

#include "arch/irq_flags.h"

enum irq_line {
	IRQ_TIMER = 0,
	IRQ_COM2 = 3, /* and COM4's */
	IRQ_COM1 = 4, /* and COM3's */
	IRQ_PCI = 11,
	IRQ_COUNT = 16,
};

struct irq_handler {
	/*
	 * Called with interrupts off; true if the interrupt was this device's. Too
	 * many in a row that no handler of a line claims close the line.
	 */
	bool (*handle)(struct irq_handler *handler);
	struct irq_handler *next; /* of this line; the table's */
};

/*
 * Remaps and masks both controllers, if they are there. Once, before irq_enable(). Without
 * them irq_add_ioapic() must tell of an I/O APIC before the first irq_register().
 */
void irq_init(void);

/*
 * Adds a handler to a line and unmasks the line. The handler is the caller's
 * and stays linked until irq_unregister(). A line other than IRQ_PCI is the machine's own
 * from then on: irq_register_gsi() refuses it.
 */
void irq_register(enum irq_line line, struct irq_handler *handler);
void irq_unregister(enum irq_line line, struct irq_handler *handler);

/*
 * Message-signalled interrupts (PCI Local Bus 3.0, 6.8): a device writes
 * `data` to `address`, and that interrupts by a vector of its own.
 */
struct irq_message {
	uint64_t address;
	uint32_t data;
	unsigned vector;
};

/*
 * Finds a vector for the handler, which is the caller's and stays in use until
 * irq_unregister_message(); what it returns is not looked at. -ENOTSUP: there
 * is no local APIC; -ENOSPC: no vector is left.
 */
int irq_register_message(struct irq_handler *handler, struct irq_message *message);
void irq_unregister_message(struct irq_handler *handler);

/*
 * I/O APICs, whose inputs ACPI counts through as global system interrupts
 * (GSI). Those below IRQ_COUNT are the lines above.
 */

/* Tells of an I/O APIC, input 0 of which is `first_gsi`. -ENODEV: it does not answer; -ENOSPC. */
int irq_add_ioapic(uint64_t paddr, uint32_t first_gsi);

/*
 * Adds a handler to an interrupt, active high; `level`: how it is triggered
 * (the first to register decides). -EBUSY: this line is the machine's own, as the console's;
 * -ENODEV: no I/O APIC has this input; -ENOSPC: no vector is left.
 */
int irq_register_gsi(uint32_t gsi, bool level, struct irq_handler *handler);
void irq_unregister_gsi(uint32_t gsi, struct irq_handler *handler);

/* Tells whether interrupts were on when irq_save() returned `flags`. */
static inline bool irq_flags_enabled(uint64_t flags)
{
	return flags & (1u << 9); /* RFLAGS.IF */
}

static inline void irq_restore(uint64_t flags)
{
	if (irq_flags_enabled(flags))
		irq_enable();
}

#endif
