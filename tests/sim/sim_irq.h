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

/* irq_register_message() gives this many out, and then -ENOSPC. */
extern unsigned sim_irq_messages_left;

/* A call that could not be right: an unknown handler, a message to nobody. NULL: none yet. */
extern const char *sim_irq_violation;

/* Nobody handles anything. */
void sim_irq_reset(void);

/* The line is asserted: its handlers are asked in turn. False: nobody claimed it. */
bool sim_irq_raise_line(void);

/* A device writes @data to @address. */
void sim_irq_send(uint64_t address, uint32_t data);

/* Messages that have a handler. */
unsigned sim_irq_messages(void);

#endif
