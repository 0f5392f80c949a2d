/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The serial line: a 16550, the first of COM1 to COM4 that is there; 115200 baud, 8
 * bits, no parity. Output passes through a ring, so a writer rarely waits. Newlines are
 * not converted here.
 *
 * If the other end does not read, output is dropped after a short wait, and
 * counted; the guest goes on. Without a UART all output is dropped.
 */
#ifndef DRIVERS_SERIAL_UART16550_H
#define DRIVERS_SERIAL_UART16550_H

#include "kernel/lib/types.h"

struct uart_counts {
	uint64_t received;    /* bytes, breaks not among them */
	uint64_t overruns;    /* how often the UART itself lost input */
	uint64_t line_errors; /* parity and framing */
	uint64_t breaks;
	uint64_t sent;	       /* bytes */
	uint64_t sent_dropped; /* bytes that the other end did not take */
};

/*
 * Called with each byte as it arrives, with interrupts off; `after_break`: a
 * break came just before it.
 */
typedef void uart_input(uint8_t byte, bool after_break);

/*
 * Finds and sets up the UART; false if there is none. From now on output works,
 * by polling. All functions below but uart_start() may be called before this, and
 * without a UART.
 */
bool uart_init(void);

/* Returns the name of the UART, "COM1" to "COM4"; NULL: there is none. */
const char *uart_name(void);

/*
 * Starts input, and lets interrupts send output. Once, after irq_init() and
 * uart_init().
 */
void uart_start(uart_input *input);

/*
 * Sends `length` bytes, in order. While the ring has no room, the calling task
 * sleeps if `may_sleep` is set and interrupts are on; otherwise the UART is
 * polled. May be called from an interrupt.
 */
void uart_write(const char *text, size_t length, bool may_sleep);

/* Sends the contents of the ring by polling; gives up if the UART takes nothing. */
void uart_flush(void);

/* Sends by polling, after all that waits in the ring: for the very end of the guest. */
void uart_write_sync(const char *text, size_t length);

/* Stores what was counted since boot. */
void uart_get_counts(struct uart_counts *counts);

#endif
