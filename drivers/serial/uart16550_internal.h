/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * For the 16550's driver alone: its registers (PC16550D data sheet, 8.0), and finding
 * one.
 */
#ifndef DRIVERS_SERIAL_UART16550_INTERNAL_H
#define DRIVERS_SERIAL_UART16550_INTERNAL_H

#include "arch/irq.h"
#include "kernel/lib/types.h"

/* Registers, 8 bits each; offsets from the first port. */
#define UART_RBR 0 /* read: receiver buffer */
#define UART_THR 0 /* write: transmitter holding register */
#define UART_DLL 0 /* with LCR_DLAB: divisor, low byte */
#define UART_IER 1 /* interrupt enable */
#define UART_DLM 1 /* with LCR_DLAB: divisor, high byte */
#define UART_IIR 2 /* read: interrupt identification */
#define UART_FCR 2 /* write: FIFO control */
#define UART_LCR 3 /* line control */
#define UART_MCR 4 /* modem control */
#define UART_LSR 5 /* line status; reading clears the errors */
#define UART_MSR 6 /* modem status */
#define UART_SCR 7 /* scratch */

#define IER_RDI 0x01  /* received data */
#define IER_THRI 0x02 /* transmitter holding register empty */
#define IER_RLSI 0x04 /* receiver line status */

#define IIR_NONE 0x01 /* no interrupt is pending */
#define IIR_FIFO 0xc0 /* both: the FIFOs work */

#define FCR_ENABLE 0x01
#define FCR_CLEAR 0x06	   /* both FIFOs */
#define FCR_TRIGGER_8 0x80 /* an interrupt for 8 bytes received, or for fewer and a pause */

#define LCR_8N1 0x03
#define LCR_DLAB 0x80

#define MCR_DTR 0x01
#define MCR_RTS 0x02
#define MCR_OUT2 0x08 /* on a PC: lets the interrupt through */

#define LSR_DR 0x01   /* data ready */
#define LSR_OE 0x02   /* overrun */
#define LSR_PE 0x04   /* parity */
#define LSR_FE 0x08   /* framing */
#define LSR_BI 0x10   /* break */
#define LSR_THRE 0x20 /* transmitter holding register, or its FIFO, empty */

#define DIVISOR_115200 1
#define FIFO_SIZE 16

/* A UART: its name, first port, interrupt, and how many bytes it takes in one go. */
struct uart {
	const char *name;
	uint16_t port;
	enum irq_line line;
	unsigned fifo_size;
};

/* Finds the first UART that answers, of COM1 to COM4, and sets it up; false: there is none. */
bool uart_find(struct uart *uart);

#endif
