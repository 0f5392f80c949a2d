/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The interrupts of PCI devices for host tests: the line that they share, and
 * messages (MSI-X). Implements that part of arch/irq.h.
 */
#ifndef TESTS_SIM_SIM_IRQ_H
#define TESTS_SIM_SIM_IRQ_H

#include "arch/irq.h"

#define SIM_IRQ_MESSAGES 4
#define SIM_IRQ_FIRST_VECTOR 64
#define SIM_IRQ_ADDRESS 0xfee01000

/* Handlers of IRQ_PCI, the latest first. */
extern struct irq_handler *sim_irq_line;

/* How many more calls of irq_register_message() succeed; after them: -ENOSPC. */
extern unsigned sim_irq_messages_left;

/* The first call that was wrong: an unknown handler, a message to nobody; or NULL. */
extern const char *sim_irq_violation;

/* Forgets all handlers, and the violation. */
void sim_irq_reset(void);

/* Raises the line: calls its handlers in turn. False: none of them claimed it. */
bool sim_irq_raise_line(void);

/* Writes `data` to `address`, as a device does to send a message. */
void sim_irq_send(uint64_t address, uint32_t data);

/* Returns how many messages have a handler. */
unsigned sim_irq_messages(void);

#endif
