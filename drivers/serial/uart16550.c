/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The driver of the 16550 (National Semiconductor's PC16550D data sheet).
 *
 * The ring is static and its positions run freely: whatever value a device or a
 * crashed kernel left there, none reaches outside of it. It is touched with interrupts
 * off only. Nothing here waits without a bound.
 */
#include "drivers/serial/uart16550.h"

#include <assert.h>

#include "arch/clock.h"
#include "arch/cpu.h"
#include "arch/io.h"
#include "arch/irq.h"
#include "drivers/serial/serial_events.h"
#include "drivers/serial/uart16550_internal.h"
#include "kernel/task/task.h"

#define TX_RING_SIZE 65536u

/* Positions wrap at 2^32, and must then still name the same place. */
_Static_assert((TX_RING_SIZE & (TX_RING_SIZE - 1)) == 0, "a power of two");

/* FIFOs that are filled in one go, with interrupts off. */
#define TX_BURST 16
/* Bytes taken in one go; a UART that is not there reads as "data ready". */
#define RX_BURST 64
/* Causes served in one interrupt. */
#define IRQ_ROUNDS 16
/*
 * How long to poll a transmitter that takes nothing: in time, and in reads of LSR
 * while the clock still stands at 0.
 */
#define POLL_NS (50 * NS_PER_MS)
#define POLL_LOOKS 50000
/* How long a task waits for a transmitter that takes nothing. */
#define STALL_NS NS_PER_S

enum break_state {
	BREAK_NONE,
	BREAK_SIGNALLED, /* seen in LSR; the NUL that it leaves is to come */
	BREAK_KEY,	 /* the next byte is the one after the break */
};

EVENTS_DEFINE(serial, SERIAL_EVENTS);

static bool present;
static bool started; /* interrupts send, and bring input */
static struct uart uart;
static uint8_t ier;
static uart_input *take_input;
static enum break_state break_state;
static struct uart_counts counts;

/* The transmitter took nothing until a bound passed: do not wait until it does again. */
static bool stalled;

static char tx_ring[TX_RING_SIZE];
static uint32_t tx_head; /* next free place; advanced by writers */
static uint32_t tx_tail; /* next byte to send */
static struct wait_queue tx_waiters;

static uint8_t uart_reg_read(uint16_t reg)
{
	return io_read8((uint16_t)(uart.port + reg));
}

static void uart_reg_write(uint16_t reg, uint8_t value)
{
	io_write8((uint16_t)(uart.port + reg), value);
}

static void set_ier(uint8_t value)
{
	if (value != ier)
		uart_reg_write(UART_IER, value);
	ier = value;
}

/* The only reader of LSR: reading clears the errors, so all of them are counted here. */
static uint8_t read_line_status(void)
{
	uint8_t lsr = uart_reg_read(UART_LSR);

	if (lsr & LSR_OE) {
		counts.overruns++;
		serial_event(SERIAL_EVENT_OVERRUN, counts.received, 0);
	}
	if (lsr & LSR_BI) {
		counts.breaks++;
		serial_event(SERIAL_EVENT_BREAK, counts.received, 0);
		break_state = BREAK_SIGNALLED;
	} else if (lsr & (LSR_PE | LSR_FE)) {
		counts.line_errors++;
		serial_event(SERIAL_EVENT_LINE_ERROR, counts.received, 0);
	}
	return lsr;
}

/* ---- Output ---- */

static uint32_t tx_used(void)
{
	assert(tx_head - tx_tail <= TX_RING_SIZE);
	return tx_head - tx_tail;
}

/*
 * Hands the UART what it takes at once; returns how much. A real one takes one
 * FIFO's worth; QEMU's sends that on the spot and takes more.
 */
static size_t transmit(void)
{
	size_t sent = 0;

	for (unsigned burst = 0; burst < TX_BURST && tx_used() > 0; burst++) {
		if (!(read_line_status() & LSR_THRE))
			break;
		for (unsigned i = 0; i < uart.fifo_size && tx_used() > 0; i++, sent++)
			uart_reg_write(UART_THR, (uint8_t)tx_ring[tx_tail++ % TX_RING_SIZE]);
	}
	if (started)
		set_ier(IER_RDI | IER_RLSI | (tx_used() > 0 ? IER_THRI : 0));
	if (sent > 0) {
		counts.sent += sent;
		stalled = false;
		task_wake(&tx_waiters);
	}
	return sent;
}

static bool poll_is_over(uint64_t start_awake, uint64_t now_awake, unsigned looks)
{
	return stalled ||
	       (now_awake > 0 ? now_awake - start_awake >= POLL_NS : looks >= POLL_LOOKS);
}

/* Polls until something was sent; false: nothing was until the bound passed. */
static bool poll_transmit(void)
{
	uint64_t start_awake = clock_awake_ns(), now_awake;
	unsigned looks = 0;

	do {
		now_awake = clock_awake_ns();
		if (transmit() > 0)
			return true;
		cpu_relax();
	} while (!poll_is_over(start_awake, now_awake, ++looks));
	stalled = true;
	return false;
}

/* Sleeps until the ring has room; false: nothing was sent until the bound passed. */
static bool sleep_for_room(void)
{
	uint64_t start_awake = clock_awake_ns(), now_awake;

	if (stalled)
		return transmit() > 0;
	assert(started);
	while (tx_used() == TX_RING_SIZE) {
		bool woken = task_wait(&tx_waiters, clock_ns() + CLOCK_AWAKE_LOOK_NS);

		now_awake = clock_awake_ns();
		/* Something was sent, or can be, and only the interrupt is still to come. */
		if (woken || transmit() > 0)
			start_awake = now_awake;
		else if (now_awake - start_awake >= STALL_NS)
			stalled = true;
		if (stalled)
			return false;
	}
	return true;
}

/* Moves what fits into the ring. */
static size_t tx_put(const char *text, size_t length)
{
	size_t n = 0;

	while (n < length && tx_used() < TX_RING_SIZE)
		tx_ring[tx_head++ % TX_RING_SIZE] = text[n++];
	return n;
}

/* With interrupts off. */
static void write_ring(const char *text, size_t length, bool may_sleep)
{
	size_t n;

	while (length > 0) {
		n = tx_put(text, length);
		text += n;
		length -= n;
		transmit();
		if (length == 0 || tx_used() < TX_RING_SIZE)
			continue;
		if (!(may_sleep ? sleep_for_room() : poll_transmit())) {
			counts.sent_dropped += length;
			return;
		}
	}
}

static void flush_ring(void)
{
	while (tx_used() > 0 && poll_transmit())
		;
}

void uart_write(const char *text, size_t length, bool may_sleep)
{
	uint64_t flags;

	assert(text || length == 0);
	if (!present)
		return;
	flags = irq_save();
	write_ring(text, length, may_sleep && started && irq_flags_enabled(flags));
	/* No interrupt will send the rest. */
	if (!started)
		flush_ring();
	irq_restore(flags);
}

void uart_flush(void)
{
	uint64_t flags;

	if (!present)
		return;
	flags = irq_save();
	flush_ring();
	irq_restore(flags);
}

void uart_write_sync(const char *text, size_t length)
{
	uart_write(text, length, false);
	uart_flush();
}

/* ---- Input ---- */

static void take_byte(uint8_t byte)
{
	bool after_break;

	/* Bytes from before the break may still come before its NUL. */
	if (break_state == BREAK_SIGNALLED && byte == 0) {
		break_state = BREAK_KEY;
		return;
	}
	after_break = break_state == BREAK_KEY;
	if (after_break)
		break_state = BREAK_NONE;
	counts.received++;
	take_input(byte, after_break);
}

static void receive(void)
{
	for (unsigned n = 0; n < RX_BURST && (read_line_status() & LSR_DR); n++)
		take_byte(uart_reg_read(UART_RBR));
}

/* ---- Interrupts and initialisation ---- */

/*
 * The line is not shared. It latches edges, even of causes that the previous
 * interrupt has served: an interrupt without a cause is this device's, too.
 */
static bool handle_irq(struct irq_handler *handler)
{
	(void)handler;
	for (unsigned i = 0; i < IRQ_ROUNDS; i++) {
		if (uart_reg_read(UART_IIR) & IIR_NONE)
			return true;
		receive();
		transmit();
	}
	/* There is more to serve: make a new edge, or no interrupt would come again. */
	uart_reg_write(UART_IER, 0);
	uart_reg_write(UART_IER, ier);
	return true;
}

static struct irq_handler irq_handler = { .handle = handle_irq };

bool uart_init(void)
{
	ier = 0;
	present = uart_find(&uart);
	return present;
}

const char *uart_name(void)
{
	return present ? uart.name : NULL;
}

void uart_start(uart_input *input)
{
	uint64_t flags;

	assert(input && !started);
	if (!present)
		return;
	take_input = input;
	irq_register(uart.line, &irq_handler);
	flags = irq_save();
	started = true;
	/* Input that has come so far waits in the UART; this lets it raise the line, too. */
	transmit();
	irq_restore(flags);
}

void uart_get_counts(struct uart_counts *result)
{
	uint64_t flags = irq_save();

	*result = counts;
	irq_restore(flags);
}
