/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The two 8259A interrupt controllers and their lines. Their output reaches the
 * processor through the local APIC, which must be set up as a wire for it; some
 * firmware does that and some does not (qboot). Messages go to the local APIC
 * itself, with vectors above those of the lines. A machine without 8259s has its lines
 * at the first inputs of an I/O APIC.
 */
#include "arch/irq.h"

#include <errno.h>
#include <stddef.h>

#include "arch/cpu.h"
#include "arch/io.h"
#include "arch/platform.h"
#include "arch/x86_64/apic.h"
#include "arch/x86_64/entry.h"
#include "arch/x86_64/ioapic.h"
#include "kernel/lib/log.h"

/* Initialisation command words (8259A data sheet). */
#define ICW1_INIT_WITH_ICW4 0x11
#define ICW3_MASTER_CASCADE 0x04 /* the slave is on line 2 */
#define ICW3_SLAVE_CASCADE 0x02
#define ICW4_8086 0x01
#define OCW2_END_OF_INTERRUPT 0x20
#define OCW3_READ_IN_SERVICE 0x0b

#define LINE_CASCADE 2
#define LINES_PER_CHIP 8
#define UNCLAIMED_IN_A_ROW 1000

/* The lines of timer, keyboard, cascade, clock and coprocessor are always edges. */
#define LINES_LEVEL 0xdef8

/* A message to a local APIC (11.11): fixed delivery, edge triggered. */
#define MESSAGE_ADDRESS UINT64_C(0xfee00000)
#define MESSAGE_DESTINATION_SHIFT 12

#define MESSAGES (VECTOR_TIMER - VECTOR_MESSAGE)

static struct irq_handler *messages[MESSAGES];
static struct irq_handler *handlers[IRQ_COUNT];
static unsigned in_a_row[IRQ_COUNT];
static uint16_t mask = (uint16_t) ~(1u << LINE_CASCADE);
static bool by_ioapic; /* there is no 8259: an I/O APIC has the lines */

static uint16_t level_lines = 1u << IRQ_PCI;

/* Lines that no device of a bus may share: these, and those of irq_register(). */
static uint16_t own_lines = 1u << IRQ_TIMER | 1u << LINE_CASCADE;

static void write_levels(void)
{
	io_write8(PORT_ELCR_MASTER, (uint8_t)level_lines);
	io_write8(PORT_ELCR_SLAVE, (uint8_t)(level_lines >> LINES_PER_CHIP));
}

static void write_mask(void)
{
	io_write8(PORT_PIC_MASTER_DATA, (uint8_t)mask);
	io_write8(PORT_PIC_SLAVE_DATA, (uint8_t)(mask >> LINES_PER_CHIP));
}

static void open_line(unsigned line)
{
	mask = (uint16_t)(mask & ~(1u << line));
	if (!by_ioapic)
		write_mask();
	else if (ioapic_open(line, VECTOR_IRQ + line, level_lines & 1u << line))
		log_warn("irq: neither an 8259 nor an I/O APIC: line %u is silent", line);
}

static void close_line(unsigned line)
{
	mask = (uint16_t)(mask | 1u << line);
	if (by_ioapic)
		ioapic_close(line);
	else
		write_mask();
}

void irq_init(void)
{
	io_write8(PORT_PIC_MASTER, ICW1_INIT_WITH_ICW4);
	io_write8(PORT_PIC_SLAVE, ICW1_INIT_WITH_ICW4);
	io_write8(PORT_PIC_MASTER_DATA, VECTOR_IRQ);
	io_write8(PORT_PIC_SLAVE_DATA, VECTOR_IRQ + LINES_PER_CHIP);
	io_write8(PORT_PIC_MASTER_DATA, ICW3_MASTER_CASCADE);
	io_write8(PORT_PIC_SLAVE_DATA, ICW3_SLAVE_CASCADE);
	io_write8(PORT_PIC_MASTER_DATA, ICW4_8086);
	io_write8(PORT_PIC_SLAVE_DATA, ICW4_8086);
	/* Only the PCI line is triggered by level; the others are ISA's. */
	write_levels();
	write_mask();
	by_ioapic = io_read8(PORT_PIC_MASTER_DATA) != (uint8_t)mask;
	apic_start(!by_ioapic);
}

bool irq_has_8259(void)
{
	return !by_ioapic;
}

void irq_set_level(unsigned line, bool level)
{
	uint16_t bit = (uint16_t)(1u << line);

	if (!(LINES_LEVEL & bit))
		return;
	level_lines = (uint16_t)(level ? level_lines | bit : level_lines & ~bit);
	if (!by_ioapic)
		write_levels();
	else if (!(mask & bit))
		open_line(line);
}

bool irq_is_own(unsigned line)
{
	return own_lines & 1u << line;
}

void irq_register(enum irq_line line, struct irq_handler *handler)
{
	if (line != IRQ_PCI)
		own_lines = (uint16_t)(own_lines | 1u << line);
	irq_share(line, handler);
}

void irq_share(unsigned line, struct irq_handler *handler)
{
	uint64_t flags = irq_save();

	handler->next = handlers[line];
	handlers[line] = handler;
	open_line(line);
	irq_restore(flags);
}

void irq_unregister(enum irq_line line, struct irq_handler *handler)
{
	uint64_t flags = irq_save();

	for (struct irq_handler **at = &handlers[line]; *at; at = &(*at)->next) {
		if (*at == handler) {
			*at = handler->next;
			break;
		}
	}
	if (!handlers[line])
		close_line(line);
	irq_restore(flags);
}

/* The last line of a chip fires for nothing when a request goes away in time. */
static bool is_spurious(unsigned line)
{
	uint16_t port = line < LINES_PER_CHIP ? PORT_PIC_MASTER : PORT_PIC_SLAVE;

	if (by_ioapic || line % LINES_PER_CHIP != LINES_PER_CHIP - 1)
		return false;
	io_write8(port, OCW3_READ_IN_SERVICE);
	return !(io_read8(port) & 1u << (LINES_PER_CHIP - 1));
}

static void end_of_interrupt(unsigned line)
{
	if (by_ioapic) {
		apic_end_interrupt();
		return;
	}
	if (line >= LINES_PER_CHIP)
		io_write8(PORT_PIC_SLAVE, OCW2_END_OF_INTERRUPT);
	io_write8(PORT_PIC_MASTER, OCW2_END_OF_INTERRUPT);
}

/*
 * A level that no handler takes away would interrupt forever: after many in a row
 * the line is closed, and its drivers must poll.
 */
static void count_unclaimed(unsigned line, bool claimed)
{
	if (claimed) {
		in_a_row[line] = 0;
		return;
	}
	if (++in_a_row[line] < UNCLAIMED_IN_A_ROW)
		return;
	close_line(line);
	log_warn("irq: line %u is closed: %u interrupts in a row that nobody claimed", line,
		 UNCLAIMED_IN_A_ROW);
}

void irq_handle(unsigned line)
{
	bool claimed = false;

	if (is_spurious(line)) {
		if (line >= LINES_PER_CHIP)
			end_of_interrupt(LINE_CASCADE);
		return;
	}
	for (struct irq_handler *handler = handlers[line]; handler; handler = handler->next)
		claimed |= handler->handle(handler);
	count_unclaimed(line, claimed);
	end_of_interrupt(line);
}

/* ---- Messages ---- */

int irq_register_message(struct irq_handler *handler, struct irq_message *message)
{
	if (!cpu_has_apic())
		return -ENOTSUP;
	for (unsigned i = 0; i < MESSAGES; i++) {
		if (messages[i])
			continue;
		messages[i] = handler;
		message->vector = VECTOR_MESSAGE + i;
		message->data = message->vector;
		message->address = MESSAGE_ADDRESS | apic_id() << MESSAGE_DESTINATION_SHIFT;
		return 0;
	}
	return -ENOSPC;
}

void irq_unregister_message(struct irq_handler *handler)
{
	for (unsigned i = 0; i < MESSAGES; i++)
		if (messages[i] == handler)
			messages[i] = NULL;
}

/* A message may arrive after its handler was unregistered: that is no error. */
void irq_handle_message(unsigned vector)
{
	struct irq_handler *handler = messages[vector - VECTOR_MESSAGE];

	if (handler)
		handler->handle(handler);
	apic_end_interrupt();
}
