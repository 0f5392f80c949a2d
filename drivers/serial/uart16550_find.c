/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Finding a 16550 and setting it up: 115200 baud, 8 bits, no parity, FIFOs on,
 * interrupts off. Where COM1 is missing, the next one that is there is taken.
 */
#include "arch/io.h"
#include "arch/platform.h"
#include "drivers/serial/uart16550_internal.h"

static const struct uart candidates[] = {
	{ .name = "COM1", .port = PORT_COM1, .line = IRQ_COM1 },
	{ .name = "COM2", .port = PORT_COM2, .line = IRQ_COM2 },
	{ .name = "COM3", .port = PORT_COM3, .line = IRQ_COM1 },
	{ .name = "COM4", .port = PORT_COM4, .line = IRQ_COM2 },
};

static void write_register(const struct uart *uart, uint16_t reg, uint8_t value)
{
	io_write8((uint16_t)(uart->port + reg), value);
}

static uint8_t read_register(const struct uart *uart, uint16_t reg)
{
	return io_read8((uint16_t)(uart->port + reg));
}

/* The scratch register keeps what is written; an empty bus does not. */
static bool is_there(const struct uart *uart)
{
	static const uint8_t patterns[] = { 0x5a, 0xa5 };

	for (size_t i = 0; i < ARRAY_SIZE(patterns); i++) {
		write_register(uart, UART_SCR, patterns[i]);
		if (read_register(uart, UART_SCR) != patterns[i])
			return false;
	}
	return true;
}

static void set_up(struct uart *uart)
{
	write_register(uart, UART_IER, 0);
	write_register(uart, UART_LCR, LCR_DLAB);
	write_register(uart, UART_DLL, DIVISOR_115200);
	write_register(uart, UART_DLM, 0);
	write_register(uart, UART_LCR, LCR_8N1);
	/*
	 * A line that was typed or pasted comes in one piece: an emulated UART takes from its
	 * host what is wanted before an interrupt, and each time waits for a device at work.
	 */
	write_register(uart, UART_FCR, FCR_ENABLE | FCR_CLEAR | FCR_TRIGGER_8);
	write_register(uart, UART_MCR, MCR_DTR | MCR_RTS | MCR_OUT2);
	uart->fifo_size = (read_register(uart, UART_IIR) & IIR_FIFO) == IIR_FIFO ? FIFO_SIZE : 1;
}

bool uart_find(struct uart *uart)
{
	for (size_t i = 0; i < ARRAY_SIZE(candidates); i++) {
		*uart = candidates[i];
		if (!is_there(uart))
			continue;
		set_up(uart);
		return true;
	}
	return false;
}
