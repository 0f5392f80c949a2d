/* SPDX-License-Identifier: BSD-2-Clause */
/* Interrupts of PCI devices, for host tests; see sim_irq.h. */
#include "tests/sim/sim_irq.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

struct irq_handler *sim_irq_line;
unsigned sim_irq_messages_left;
const char *sim_irq_violation;

static struct irq_handler *messages[SIM_IRQ_MESSAGES];

static void violate(const char *what)
{
	if (!sim_irq_violation)
		sim_irq_violation = what;
}

void sim_irq_reset(void)
{
	sim_irq_line = NULL;
	sim_irq_messages_left = SIM_IRQ_MESSAGES;
	sim_irq_violation = NULL;
	memset(messages, 0, sizeof(messages));
}

void irq_register(enum irq_line line, struct irq_handler *handler)
{
	if (line != IRQ_PCI)
		violate("a handler for another line than PCI's");
	handler->next = sim_irq_line;
	sim_irq_line = handler;
}

void irq_unregister(enum irq_line line, struct irq_handler *handler)
{
	struct irq_handler **at = &sim_irq_line;

	(void)line;
	while (*at && *at != handler)
		at = &(*at)->next;
	if (!*at)
		violate("a handler is taken back that was not there");
	else
		*at = handler->next;
}

int irq_register_message(struct irq_handler *handler, struct irq_message *message)
{
	for (unsigned i = 0; i < sim_irq_messages_left; i++) {
		if (messages[i])
			continue;
		messages[i] = handler;
		message->vector = SIM_IRQ_FIRST_VECTOR + i;
		message->data = SIM_IRQ_FIRST_VECTOR + i;
		message->address = SIM_IRQ_ADDRESS;
		return 0;
	}
	return -ENOSPC;
}

void irq_unregister_message(struct irq_handler *handler)
{
	for (unsigned i = 0; i < SIM_IRQ_MESSAGES; i++) {
		if (messages[i] == handler) {
			messages[i] = NULL;
			return;
		}
	}
	violate("a message's handler is taken back that was not there");
}

bool sim_irq_raise_line(void)
{
	for (struct irq_handler *h = sim_irq_line; h; h = h->next)
		if (h->handle(h))
			return true;
	return false;
}

void sim_irq_send(uint64_t address, uint32_t data)
{
	unsigned index = data - SIM_IRQ_FIRST_VECTOR;

	if (address != SIM_IRQ_ADDRESS || index >= SIM_IRQ_MESSAGES || !messages[index])
		violate("a message to nobody");
	else if (!messages[index]->handle(messages[index]))
		violate("a message that its own handler does not claim");
}

unsigned sim_irq_messages(void)
{
	unsigned n = 0;

	for (unsigned i = 0; i < SIM_IRQ_MESSAGES; i++)
		if (messages[i])
			n++;
	return n;
}
