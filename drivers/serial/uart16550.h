/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The serial line: a 16550 as COM1, 115200 baud, 8 bits, no parity. Text goes
 * out through a ring, so a writer rarely waits, and input comes in through
 * another. Newlines are not converted here.
 *
 * The other end may never read: then output is dropped, after a short wait and
 * counted, and the guest goes on. Without a UART all output is dropped.
 */
#ifndef DRIVERS_SERIAL_UART16550_H
#define DRIVERS_SERIAL_UART16550_H

#include "kernel/lib/types.h"

struct uart_counts {
	uint64_t received;	   /* bytes, breaks not among them */
	uint64_t received_dropped; /* nobody took them from the ring in time */
	uint64_t overruns;	   /* times that the UART itself lost input */
	uint64_t line_errors;	   /* parity and framing */
	uint64_t breaks;
	uint64_t sent;	       /* bytes */
	uint64_t sent_dropped; /* bytes that the other end did not take */
};

/*
 * Sees each byte as it arrives, with interrupts off; `after_break`: the line
 * was broken just before it. Returns false to take the byte out of the input.
 */
typedef bool uart_filter(uint8_t byte, bool after_break);

/*
 * Finds and sets up the UART; false if there is none. Everything below may be
 * called before it and without it. From here on output works, by polling.
 */
bool uart_init(void);

/* Input, and output by interrupts. Once, after irq_init(). */
void uart_start(uart_filter *filter);

/*
 * Sends `length` bytes, in order. While there is no room: with `may_sleep`,
 * and if interrupts are on, the calling task sleeps; else the UART is polled.
 */
void uart_write(const char *text, size_t length, bool may_sleep);

/* Sends what waits, by polling, within a bound. */
void uart_flush(void);

/* For the very end: uart_write() without sleeping, and uart_flush(). */
void uart_write_sync(const char *text, size_t length);

/* Takes the next byte of input; false if there is none. Never sleeps. */
bool uart_read(uint8_t *byte);

/* Sleeps until there is input (true) or the deadline has passed (false). */
bool uart_wait_input(uint64_t deadline);

/* Forgets the input that nobody has read. */
void uart_discard_input(void);

void uart_get_counts(struct uart_counts *counts);

#endif
