/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * I/O APICs (Intel 82093AA data sheet), for interrupts for which the 8259s have
 * no line: each registered input gets a vector of its own on this processor. All
 * other inputs stay masked, as after a reset; inputs below IRQ_COUNT are left to
 * irq.c.
 */
#include <assert.h>
#include <errno.h>
#include <stddef.h>

#include "arch/cpu.h"
#include "arch/irq.h"
#include "arch/mmio.h"
#include "arch/paging.h"
#include "arch/x86_64/entry.h"

/* Two registers, 32 bits each, by which the others are reached. */
#define IOAPIC_SELECT 0x00
#define IOAPIC_WINDOW 0x10
#define IOAPIC_BYTES 0x20

#define IOAPIC_VERSION 1
#define VERSION_LAST_INPUT(version) ((version) >> 16 & 0xff)
#define IOAPIC_INPUT(input) (0x10 + 2 * (input)) /* and its high half */
#define INPUT_LEVEL 0x8000
#define INPUT_MASKED 0x10000
#define INPUT_APIC_SHIFT 24 /* in the high half */

/* Local APIC (Intel SDM volume 3, 11.4). */
#define APIC_BASE UINT64_C(0xfee00000)
#define APIC_ID 0x20 /* in the highest byte */
#define APIC_EOI 0xb0

#define IOAPICS_MAX 8
#define ROUTES (VECTOR_SPURIOUS - VECTOR_GSI)

/* Lines that no device of a bus may share; line 2 is the slave 8259's. */
#define LINES_OF_THE_MACHINE (1u << IRQ_TIMER | 1u << 2 | 1u << IRQ_COM1)

static struct ioapic {
	char *window;
	uint32_t first_gsi;
	uint32_t count;
} ioapics[IOAPICS_MAX];
static size_t ioapic_count;

/* One for each vector; free without handlers. */
static struct route {
	uint32_t gsi;
	struct irq_handler *handlers;
} routes[ROUTES];

static uint32_t ioapic_read(const struct ioapic *ioapic, uint32_t reg)
{
	mmio_write32(ioapic->window + IOAPIC_SELECT, reg);
	return mmio_read32(ioapic->window + IOAPIC_WINDOW);
}

static void ioapic_write(const struct ioapic *ioapic, uint32_t reg, uint32_t value)
{
	mmio_write32(ioapic->window + IOAPIC_SELECT, reg);
	mmio_write32(ioapic->window + IOAPIC_WINDOW, value);
}

int irq_add_ioapic(uint64_t paddr, uint32_t first_gsi)
{
	struct ioapic *ioapic = &ioapics[ioapic_count];
	uint32_t version;
	void *window;

	if (!cpu_has_apic())
		return -ENODEV;
	if (ioapic_count == IOAPICS_MAX)
		return -ENOSPC;
	if (paddr < FRAME_SIZE || paddr % FRAME_SIZE != 0 ||
	    paging_map_device(paddr, IOAPIC_BYTES, &window))
		return -ENODEV;
	ioapic->window = window;
	version = ioapic_read(ioapic, IOAPIC_VERSION);
	if (version == 0 || version == UINT32_MAX)
		return -ENODEV;
	ioapic->first_gsi = first_gsi;
	ioapic->count = VERSION_LAST_INPUT(version) + 1;
	ioapic_count++;
	return 0;
}

static const struct ioapic *find_ioapic(uint32_t gsi)
{
	for (size_t i = 0; i < ioapic_count; i++) {
		const struct ioapic *ioapic = &ioapics[i];

		if (gsi >= ioapic->first_gsi && gsi - ioapic->first_gsi < ioapic->count)
			return ioapic;
	}
	return NULL;
}

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

/* Writes the high half first: interrupts come as soon as the low one is written. */
static void open_input(const struct ioapic *ioapic, const struct route *route, bool level)
{
	uint32_t reg = IOAPIC_INPUT(route->gsi - ioapic->first_gsi);
	uint32_t apic = mmio_read32((char *)phys_to_virt(APIC_BASE) + APIC_ID) >> 24;

	ioapic_write(ioapic, reg, INPUT_MASKED);
	ioapic_write(ioapic, reg + 1, apic << INPUT_APIC_SHIFT);
	ioapic_write(ioapic, reg,
		     (uint32_t)(VECTOR_GSI + (route - routes)) | (level ? INPUT_LEVEL : 0));
}

static int register_line(uint32_t line, bool level, struct irq_handler *handler)
{
	if (LINES_OF_THE_MACHINE & 1u << line)
		return -EBUSY;
	/* PCI devices share their line as it is. */
	if (line != IRQ_PCI)
		irq_set_level(line, level);
	irq_register(line, handler);
	return 0;
}

int irq_register_gsi(uint32_t gsi, bool level, struct irq_handler *handler)
{
	const struct ioapic *ioapic = find_ioapic(gsi);
	struct route *route;
	uint64_t flags;
	bool first;

	if (gsi < IRQ_COUNT)
		return register_line(gsi, level, handler);
	if (!ioapic)
		return -ENODEV;
	route = find_route(gsi);
	if (!route)
		return -ENOSPC;
	flags = irq_save();
	first = !route->handlers;
	route->gsi = gsi;
	handler->next = route->handlers;
	route->handlers = handler;
	if (first)
		open_input(ioapic, route, level);
	irq_restore(flags);
	return 0;
}

static void remove_handler(struct route *route, struct irq_handler *handler)
{
	const struct ioapic *ioapic = find_ioapic(route->gsi);

	for (struct irq_handler **at = &route->handlers; *at; at = &(*at)->next) {
		if (*at == handler) {
			*at = handler->next;
			break;
		}
	}
	if (!route->handlers)
		ioapic_write(ioapic, IOAPIC_INPUT(route->gsi - ioapic->first_gsi), INPUT_MASKED);
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

void ioapic_handle(unsigned route)
{
	struct irq_handler *handler;

	assert(route < ROUTES);
	handler = routes[route].handlers;

	for (; handler; handler = handler->next)
		handler->handle(handler);
	mmio_write32((char *)phys_to_virt(APIC_BASE) + APIC_EOI, 0);
}
