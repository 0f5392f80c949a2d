/* SPDX-License-Identifier: BSD-2-Clause */
/* Finding a UART, of those that a PC may have, and setting it up. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "arch/io.h"
#include "arch/platform.h"
#include "drivers/serial/uart16550_internal.h"

#define REGISTERS 8

/* A machine's ports: those of a UART keep what is written, the others read as ones. */
static uint8_t ports[0x400];
static uint16_t bases[2]; /* of its UARTs; 0: none */
static uint8_t no_fifo;	  /* what the register says then */
static bool same_byte;	  /* reads as the byte that was written last, at any port */
static uint8_t last;
static uint8_t stuck_at; /* all ports read as this */

static struct {
	uint16_t port;
	uint8_t value;
} writes[64];
static size_t write_count;
static size_t fifo_looked_at; /* after so many */

static bool is_uart(uint16_t port)
{
	for (size_t i = 0; i < 2; i++)
		if (bases[i] != 0 && port >= bases[i] && port < bases[i] + REGISTERS)
			return true;
	return false;
}

void io_write8(uint16_t port, uint8_t value)
{
	assert_true(port < sizeof(ports));
	last = value;
	assert_true(write_count < ARRAY_SIZE(writes));
	writes[write_count].port = port;
	writes[write_count++].value = value;
	if (is_uart(port))
		ports[port] = value;
}

uint8_t io_read8(uint16_t port)
{
	if (stuck_at)
		return stuck_at;
	if (same_byte)
		return (uint8_t)(last & 0x7f);
	if (!is_uart(port))
		return 0xff;
	if ((port & 7) == UART_IIR)
		fifo_looked_at = write_count;
	if ((port & 7) == UART_IIR)
		return no_fifo ? no_fifo : 0xc1;
	return ports[port];
}

static int setup(void **state)
{
	(void)state;
	memset(ports, 0, sizeof(ports));
	memset(bases, 0, sizeof(bases));
	same_byte = false;
	no_fifo = stuck_at = 0;
	write_count = 0;
	return 0;
}

static void each_serial_line_of_a_pc_is_found(void **state)
{
	static const struct {
		uint16_t base;
		enum irq_line line;
		const char *name;
	} lines[] = { { 0x3f8, IRQ_COM1, "COM1" },
		      { 0x2f8, IRQ_COM2, "COM2" },
		      { 0x3e8, IRQ_COM1, "COM3" },
		      { 0x2e8, IRQ_COM2, "COM4" } };
	struct uart uart;

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		setup(NULL);
		bases[0] = lines[i].base;
		assert_true(uart_find(&uart));
		assert_int_equal(uart.port, lines[i].base);
		assert_int_equal(uart.line, lines[i].line);
		assert_string_equal(uart.name, lines[i].name);
	}
	assert_int_equal(IRQ_COM1, 4);
	assert_int_equal(IRQ_COM2, 3);
}

static void of_two_the_first_is_taken_and_the_other_left_alone(void **state)
{
	struct uart uart;

	(void)state;
	bases[0] = PORT_COM2;
	bases[1] = PORT_COM1;
	assert_true(uart_find(&uart));
	assert_int_equal(uart.port, PORT_COM1);
	for (unsigned reg = 0; reg < REGISTERS; reg++)
		assert_int_equal(ports[PORT_COM2 + reg], 0);
}

static void a_found_uart_is_set_up_and_silent(void **state)
{
	struct uart uart;

	(void)state;
	bases[0] = PORT_COM2;
	assert_true(uart_find(&uart));
	assert_int_equal(ports[PORT_COM2 + UART_IER], 0);
	assert_int_equal(ports[PORT_COM2 + UART_LCR], LCR_8N1);
	assert_int_equal(ports[PORT_COM2 + UART_MCR], MCR_DTR | MCR_RTS | MCR_OUT2);
	assert_int_equal(ports[PORT_COM2 + UART_FCR], FCR_ENABLE | FCR_CLEAR | FCR_TRIGGER_8);
	assert_int_equal(uart.fifo_size, FIFO_SIZE);
	/* None; one of the 8250's kind; one that does not work. */
	for (unsigned i = 0; i < 3; i++) {
		no_fifo = (uint8_t)(0x01 + 0x40 * i);
		assert_true(uart_find(&uart));
		assert_int_equal(uart.fifo_size, 1);
	}
}

/* The divisor is there while bit 7 of the line's register is set. */
static void the_registers_are_written_in_their_order(void **state)
{
	static const uint8_t expected[][2] = { { 7, 0x5a }, { 7, 0xa5 }, { 1, 0 },
					       { 3, 0x80 }, { 0, 1 },	 { 1, 0 },
					       { 3, 0x03 }, { 2, 0x87 }, { 4, 0x0b } };
	struct uart uart;

	(void)state;
	bases[0] = PORT_COM1;
	assert_true(uart_find(&uart));
	assert_int_equal(write_count, ARRAY_SIZE(expected));
	assert_int_equal(fifo_looked_at, write_count);
	for (size_t i = 0; i < ARRAY_SIZE(expected); i++) {
		assert_int_equal(writes[i].port, PORT_COM1 + expected[i][0]);
		assert_int_equal(writes[i].value, expected[i][1]);
	}
}

static void an_empty_machine_has_none(void **state)
{
	struct uart uart;

	(void)state;
	assert_false(uart_find(&uart));
	/* Nor has one in which the last byte lingers on the bus, if not all of it. */
	same_byte = true;
	assert_false(uart_find(&uart));
	stuck_at = 0x5a;
	assert_false(uart_find(&uart));
	stuck_at = 0xa5;
	assert_false(uart_find(&uart));
}

#define TEST(name) cmocka_unit_test_setup(name, setup)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(each_serial_line_of_a_pc_is_found),
		TEST(of_two_the_first_is_taken_and_the_other_left_alone),
		TEST(a_found_uart_is_set_up_and_silent),
		TEST(the_registers_are_written_in_their_order),
		TEST(an_empty_machine_has_none),
	};

	return cmocka_run_group_tests_name("uart16550_find", tests, NULL, NULL);
}
