/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Global system interrupts: lines of the machine below IRQ_COUNT, and inputs of I/O APICs
 * for which the 8259s have no line; each of these that is registered gets a vector of its
 * own.
 */
#include <assert.h>
#include <errno.h>
#include <stddef.h>

#include "arch/irq.h"
#include "arch/x86_64/apic.h"
#include "arch/x86_64/entry.h"
#include "arch/x86_64/ioapic.h"

#define ROUTES (VECTOR_SPURIOUS - VECTOR_GSI)

/* One for each vector; free without handlers. */
static struct route {
	uint32_t gsi;
	struct irq_handler *handlers;
} routes[ROUTES];

/* Returns the route of `gsi`, or a free one, or NULL if there is neither. */
static struct route *find_route(uint32_t gsi)
{
	struct route *free = NULL;

	for (struct route *route = routes; route < routes + ROUTES; route++) {
		if (route->handlers && route->gsi == gsi)
			return route;
		if (!route->handlers && !free)
			free = route;
	}
	return free;
}

static int register_line(uint32_t line, bool level, struct irq_handler *handler)
{
	if (irq_is_own(line))
		return -EBUSY;
	/* PCI devices share their line as it is. */
	if (line != IRQ_PCI)
		irq_set_level(line, level);
	irq_share(line, handler);
	return 0;
}

int irq_register_gsi(uint32_t gsi, bool level, struct irq_handler *handler)
{
	struct route *route;
	uint64_t flags;
	int err = 0;

	if (gsi < IRQ_COUNT)
		return register_line(gsi, level, handler);
	route = find_route(gsi);
	if (!route)
		return -ENOSPC;
	flags = irq_save();
	handler->next = route->handlers;
	if (!route->handlers)
		err = ioapic_open(gsi, VECTOR_GSI + (unsigned)(route - routes), level);
	if (!err)
		*route = (struct route){ .gsi = gsi, .handlers = handler };
	irq_restore(flags);
	return err;
}

static void remove_handler(struct route *route, struct irq_handler *handler)
{
	for (struct irq_handler **at = &route->handlers; *at; at = &(*at)->next) {
		if (*at == handler) {
			*at = handler->next;
			break;
		}
	}
	if (!route->handlers)
		ioapic_close(route->gsi);
}

void irq_unregister_gsi(uint32_t gsi, struct irq_handler *handler)
{
	struct route *route;
	uint64_t flags;

	if (gsi < IRQ_COUNT) {
		irq_unregister(gsi, handler);
		return;
	}
	flags = irq_save();
	route = find_route(gsi);
	if (route && route->handlers)
		remove_handler(route, handler);
	irq_restore(flags);
}

void gsi_handle(unsigned route)
{
	struct irq_handler *handler;

	assert(route < ROUTES);
	handler = routes[route].handlers;

	for (; handler; handler = handler->next)
		handler->handle(handler);
	apic_end_interrupt();
}
