/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Tests of arch/x86_64/gsi.c and the lines of irq.c: which of them devices of a bus may
 * have, with 8259s that answer and an I/O APIC for all above.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>

#include "arch/cpu.h"
#include "arch/io.h"
#include "arch/irq.h"
#include "arch/platform.h"
#include "arch/x86_64/apic.h"
#include "arch/x86_64/entry.h"
#include "arch/x86_64/ioapic.h"
#include "tests/sim/sim_log.h"

#define INPUTS 24

static uint8_t ports[UINT16_MAX + 1];
static unsigned handled;

/* ---- What they call ---- */

void io_write8(uint16_t port, uint8_t value)
{
	ports[port] = value;
}

uint8_t io_read8(uint16_t port)
{
	return ports[port];
}

bool cpu_has_apic(void)
{
	return true;
}

bool apic_start(bool wire)
{
	assert_true(wire);
	return true;
}

uint32_t apic_id(void)
{
	return 0;
}

void apic_end_interrupt(void)
{
}

int ioapic_open(uint32_t gsi, unsigned vector, bool level)
{
	(void)vector;
	(void)level;
	assert_in_range(gsi, IRQ_COUNT, UINT32_MAX);
	return gsi < INPUTS ? 0 : -ENODEV;
}

void ioapic_close(uint32_t gsi)
{
	assert_in_range(gsi, IRQ_COUNT, INPUTS - 1);
}

static bool handle(struct irq_handler *handler)
{
	(void)handler;
	handled++;
	return true;
}

/* ---- Tests: lines that one of them makes the machine's own stay so ---- */

static bool is_masked(unsigned line)
{
	uint16_t port = line < 8 ? PORT_PIC_MASTER_DATA : PORT_PIC_SLAVE_DATA;

	return ports[port] >> line % 8 & 1;
}

static bool is_level(unsigned line)
{
	return ports[line < 8 ? PORT_ELCR_MASTER : PORT_ELCR_SLAVE] >> line % 8 & 1;
}

static int setup(void **state)
{
	(void)state;
	handled = 0;
	irq_init();
	return 0;
}

static void timer_and_cascade_are_the_machines(void **state)
{
	static struct irq_handler device = { .handle = handle };

	(void)state;
	assert_int_equal(irq_register_gsi(IRQ_TIMER, false, &device), -EBUSY);
	assert_int_equal(irq_register_gsi(2, false, &device), -EBUSY);
}

static void devices_of_a_bus_share_a_line(void **state)
{
	static struct irq_handler devices[2] = { { .handle = handle }, { .handle = handle } };

	(void)state;
	for (size_t i = 0; i < 2; i++)
		assert_int_equal(irq_register_gsi(5, true, &devices[i]), 0);
	assert_true(is_level(5));
	assert_false(is_masked(5));
	irq_handle(5);
	assert_int_equal(handled, 2);
	for (size_t i = 0; i < 2; i++)
		irq_unregister_gsi(5, &devices[i]);
	assert_true(is_masked(5));
}

/* PCI's is shared with whatever else is on it, and its level is its own. */
static void pcis_line_is_shared(void **state)
{
	static struct irq_handler pci = { .handle = handle }, device = { .handle = handle };

	(void)state;
	irq_register(IRQ_PCI, &pci);
	assert_int_equal(irq_register_gsi(IRQ_PCI, false, &device), 0);
	assert_true(is_level(IRQ_PCI));
	irq_handle(IRQ_PCI);
	assert_int_equal(handled, 2);
}

/* Whichever it is: a device with interrupts by level would take the console's edges away. */
static void check_console(enum irq_line line)
{
	static struct irq_handler console[IRQ_COUNT], device = { .handle = handle };

	console[line].handle = handle;
	irq_register(line, &console[line]);
	assert_int_equal(irq_register_gsi(line, true, &device), -EBUSY);
	assert_false(is_level(line));
	irq_handle(line);
	assert_int_equal(handled, 1);
}

static void a_console_on_com2_has_its_line_for_itself(void **state)
{
	static struct irq_handler device = { .handle = handle };

	(void)state;
	check_console(IRQ_COM2);
	/* COM1 is not there then, and its line is anybody's. */
	assert_int_equal(irq_register_gsi(IRQ_COM1, false, &device), 0);
	irq_unregister_gsi(IRQ_COM1, &device);
}

static void a_console_on_com1_has_its_line_for_itself(void **state)
{
	(void)state;
	check_console(IRQ_COM1);
}

static void what_is_above_the_lines_is_the_ioapics(void **state)
{
	static struct irq_handler device = { .handle = handle };

	(void)state;
	assert_int_equal(irq_register_gsi(INPUTS, true, &device), -ENODEV);
	assert_int_equal(irq_register_gsi(IRQ_COUNT, true, &device), 0);
	gsi_handle(0);
	assert_int_equal(handled, 1);
	irq_unregister_gsi(IRQ_COUNT, &device);
}

#define TEST(name) cmocka_unit_test_setup(name, setup)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(timer_and_cascade_are_the_machines),
		TEST(devices_of_a_bus_share_a_line),
		TEST(pcis_line_is_shared),
		TEST(a_console_on_com2_has_its_line_for_itself),
		TEST(a_console_on_com1_has_its_line_for_itself),
		TEST(what_is_above_the_lines_is_the_ioapics),
	};

	return cmocka_run_group_tests_name("gsi", tests, NULL, NULL);
}
