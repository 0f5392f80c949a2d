/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Tests of drivers/serial/uart16550.c on a simulated 16550, whose interrupt
 * line is edge triggered as that of a PC. The driver's state lives as long as
 * the program, so the order of the tests is that of a machine's life: no UART,
 * before interrupts, with interrupts.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "arch/clock.h"
#include "arch/io.h"
#include "arch/irq.h"
#include "arch/platform.h"
#include "drivers/serial/serial_events.h"
#include "drivers/serial/uart16550.h"
#include "kernel/lib/elapsed.h"
#include "kernel/task/task.h"

#define FIFO 16

/* ---- The device ---- */

enum reading {
	READS_AT_ONCE, /* a byte written is gone: QEMU */
	READS_SLOWLY,  /* the FIFO empties after some looks at LSR: hardware */
	READS_NEVER,
};

static struct {
	bool absent;
	bool insane; /* every register reads as "there is more" */
	enum reading reading;
	unsigned looks; /* at LSR since the FIFO was filled */

	uint8_t ier, fcr, lcr, mcr, scr, dll, dlm;
	uint8_t errors; /* OE, PE, FE, BI in LSR */
	bool thr_pending;
	unsigned tx_count;
	char tx[FIFO];
	unsigned rx_count;
	uint8_t rx[FIFO];
	uint64_t accesses;
	uint64_t resets_by_ier; /* writes of 0 */

	bool line;
	bool edge; /* latched by the interrupt controller */
} sim;

static char *output;
static size_t output_length;
static struct irq_handler *handler;

static void sim_send(char c)
{
	/* At every power of two: with a sanitizer each growth is a copy. */
	if ((output_length & (output_length - 1)) == 0)
		output = realloc(output, output_length > 0 ? 2 * output_length : 1);
	assert_non_null(output);
	output[output_length++] = c;
}

static void sim_drain(void)
{
	for (unsigned i = 0; i < sim.tx_count; i++)
		sim_send(sim.tx[i]);
	sim.tx_count = 0;
	sim.thr_pending = true;
}

static uint8_t sim_cause(void)
{
	if ((sim.ier & 4) && sim.errors)
		return 6;
	if ((sim.ier & 1) && sim.rx_count > 0)
		return 4;
	if ((sim.ier & 2) && sim.thr_pending && sim.tx_count == 0)
		return 2;
	return 1;
}

static void sim_update_line(void)
{
	bool line = sim_cause() != 1 && (sim.mcr & 8);

	if (line && !sim.line)
		sim.edge = true;
	sim.line = line;
}

static void sim_write_thr(uint8_t value)
{
	if (sim.reading == READS_AT_ONCE) {
		sim_send((char)value);
		sim.thr_pending = true;
		return;
	}
	/* The driver must not write more than the FIFO takes. */
	assert_true(sim.tx_count < FIFO);
	sim.tx[sim.tx_count++] = (char)value;
	sim.looks = 0;
	sim.thr_pending = false;
}

static uint8_t sim_read_lsr(void)
{
	uint8_t lsr;

	if (sim.reading == READS_SLOWLY && sim.tx_count > 0 && ++sim.looks > 50)
		sim_drain();
	lsr = (uint8_t)(sim.errors | (sim.rx_count > 0) | (sim.tx_count == 0 ? 0x60 : 0));
	sim.errors = 0;
	return lsr;
}

static uint8_t sim_read_rbr(void)
{
	uint8_t byte = sim.rx[0];

	if (sim.rx_count == 0)
		return 0;
	memmove(sim.rx, sim.rx + 1, --sim.rx_count);
	return byte;
}

static uint8_t sim_read_iir(void)
{
	uint8_t cause = sim_cause();

	if (cause == 2)
		sim.thr_pending = false;
	return cause | (sim.fcr & 1 ? 0xc0 : 0);
}

void io_write8(uint16_t port, uint8_t value)
{
	sim.accesses++;
	if (sim.absent)
		return;
	switch (port - PORT_COM1) {
	case 0:
		if (sim.lcr & 0x80)
			sim.dll = value;
		else
			sim_write_thr(value);
		break;
	case 1:
		if (sim.lcr & 0x80) {
			sim.dlm = value;
			break;
		}
		if ((value & 2) && !(sim.ier & 2) && sim.tx_count == 0)
			sim.thr_pending = true;
		sim.resets_by_ier += value == 0;
		sim.ier = value;
		break;
	case 2:
		sim.fcr = value;
		break;
	case 3:
		sim.lcr = value;
		break;
	case 4:
		sim.mcr = value;
		break;
	case 7:
		sim.scr = value;
		break;
	default:
		fail_msg("write to port %x", port);
	}
	sim_update_line();
}

uint8_t io_read8(uint16_t port)
{
	uint8_t value = 0;

	sim.accesses++;
	if (sim.absent)
		return 0xff;
	if (sim.insane)
		return port - PORT_COM1 == 2 ? 0xcc : 0xff;
	switch (port - PORT_COM1) {
	case 0:
		value = sim_read_rbr();
		break;
	case 2:
		value = sim_read_iir();
		break;
	case 5:
		value = sim_read_lsr();
		break;
	case 6:
		break;
	case 7:
		value = sim.scr;
		break;
	default:
		fail_msg("read from port %x", port);
	}
	sim_update_line();
	return value;
}

/* ---- The machine around it ---- */

static uint64_t now;	    /* what the counter says */
static uint64_t stop_ns;    /* how long the guest is stopped in each wait */
static bool reads_in_stops; /* meanwhile the host reads; the interrupt comes later */
static struct elapsed elapsed;
static unsigned waits;
static unsigned timeouts;
static unsigned wakes;

void irq_register(enum irq_line line, struct irq_handler *h)
{
	assert_int_equal(line, IRQ_COM1);
	handler = h;
}

/* What the CPU does as soon as interrupts are on. */
static void serve_interrupts(void)
{
	unsigned rounds = 0;

	assert_false(fake_irqs_off);
	while (sim.edge && handler) {
		sim.edge = false;
		irq_disable();
		assert_true(handler->handle(handler));
		irq_enable();
		assert_true(++rounds < 100000);
	}
}

/* Looking takes time, or a busy wait would never end. */
uint64_t clock_ns(void)
{
	elapsed_look(&elapsed, now += 1000, CLOCK_AWAKE_STEP_NS);
	return elapsed.ns;
}

uint64_t clock_awake_ns(void)
{
	clock_ns();
	return elapsed.awake_ns;
}

void task_wake(struct wait_queue *queue)
{
	(void)queue;
	assert_true(fake_irqs_off);
	wakes++;
}

/* Sleeps until a wake-up, or until nothing happens any more. */
bool task_wait(struct wait_queue *queue, uint64_t deadline)
{
	unsigned before = wakes;

	(void)queue;
	assert_true(fake_irqs_off);
	waits++;
	irq_enable();
	if (sim.reading == READS_SLOWLY && sim.tx_count > 0) {
		sim_drain();
		sim_update_line();
	}
	serve_interrupts();
	irq_disable();
	if (wakes != before)
		return true;
	assert_true(deadline != DEADLINE_NEVER);
	now += deadline - elapsed.ns + stop_ns;
	if (reads_in_stops)
		sim_drain();
	timeouts++;
	return false;
}

static void sim_receive(const void *bytes, size_t length)
{
	const uint8_t *p = bytes;

	for (; length > 0; length--, p++) {
		if (sim.rx_count == FIFO)
			sim.errors |= 2;
		else
			sim.rx[sim.rx_count++] = *p;
		sim_update_line();
	}
}

/* As QEMU does it: LSR at once, the NUL after what is in the FIFO. */
static void sim_break(void)
{
	sim_receive("", 1);
	sim.errors |= 0x10;
	sim_update_line();
}

static char pattern[300000];

static void check_output(const char *expected, size_t length)
{
	assert_int_equal(output_length, length);
	assert_memory_equal(output, expected, length);
	output_length = 0;
}

/* What was typed, and after a break. */
static uint8_t typed[32768];
static size_t typed_count, typed_read;
static char keys[64];

static void take_input(uint8_t byte, bool after_break)
{
	assert_true(fake_irqs_off);
	assert_true(typed_count < sizeof(typed));
	if (after_break)
		keys[strlen(keys)] = (char)byte;
	else
		typed[typed_count++] = byte;
}

static bool next_typed(uint8_t *byte)
{
	if (typed_read == typed_count)
		return false;
	*byte = typed[typed_read++];
	return true;
}

static int begin(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(pattern); i++)
		pattern[i] = (char)(i * 7 + i / 251);
	sim.absent = false;
	sim.insane = false;
	sim.reading = READS_AT_ONCE;
	sim_drain();
	sim_update_line();
	irq_enable();
	uart_flush();
	serve_interrupts();
	typed_count = typed_read = 0;
	output_length = 0;
	waits = 0;
	timeouts = 0;
	memset(keys, 0, sizeof(keys));
	return 0;
}

static struct uart_counts counts(void)
{
	struct uart_counts result;

	uart_get_counts(&result);
	return result;
}

/* ---- A machine without a UART ---- */

static void without_a_uart_output_is_dropped(void **state)
{
	uint8_t byte;

	(void)state;
	sim.absent = true;
	uart_write("early", 5, false);
	assert_false(uart_init());
	sim.accesses = 0;
	uart_write(pattern, sizeof(pattern), true);
	uart_write_sync("x", 1);
	uart_flush();
	uart_start(take_input);
	assert_null(handler);
	assert_false(next_typed(&byte));
	assert_int_equal(sim.accesses, 0);
}

/* ---- Before interrupts ---- */

static void init_sets_115200_8n1_with_fifos(void **state)
{
	(void)state;
	/* Whatever the firmware left. */
	sim.ier = 0x0f;
	sim.dll = sim.dlm = sim.mcr = sim.fcr = 0x5f;
	assert_true(uart_init());
	assert_int_equal(sim.dll, 1);
	assert_int_equal(sim.dlm, 0);
	assert_int_equal(sim.lcr, 3);
	assert_int_equal(sim.fcr, 0x87); /* both cleared; an interrupt at 8 bytes */
	assert_int_equal(sim.mcr, 0x0b);
	assert_int_equal(sim.ier, 0);
}

static void early_output_is_polled(void **state)
{
	uint64_t sent = counts().sent;

	(void)state;
	uart_write(pattern, 100000, true);
	check_output(pattern, 100000);
	assert_int_equal(counts().sent - sent, 100000);
	sim.reading = READS_SLOWLY;
	uart_write(pattern, 100000, true);
	uart_write("", 0, true);
	sim_drain();
	check_output(pattern, 100000);
	assert_int_equal(waits, 0);
}

static void early_output_that_nobody_reads_does_not_hang(void **state)
{
	(void)state;
	sim.reading = READS_NEVER;
	sim.accesses = 0;
	for (int i = 0; i < 1000; i++)
		uart_write(pattern + i, 1, true);
	/* One bound, then a look or two each. */
	assert_in_range(sim.accesses, 1000, 60000);
	assert_int_equal(counts().sent_dropped, 0);
	/* Nothing is lost, as there was room. */
	sim.reading = READS_AT_ONCE;
	sim_drain();
	uart_flush();
	check_output(pattern, 1000);
}

/* ---- With interrupts ---- */

static void start_takes_what_came_before(void **state)
{
	uint8_t byte;

	(void)state;
	/* Output that nobody took waits for an interrupt from now on. */
	sim.reading = READS_NEVER;
	uart_write(pattern, 100, true);
	sim_receive("hi", 2);
	uart_start(take_input);
	assert_non_null(handler);
	assert_int_equal(sim.ier, 7);
	sim.reading = READS_AT_ONCE;
	sim_drain();
	sim_update_line();
	serve_interrupts();
	assert_int_equal(sim.ier, 5);
	check_output(pattern, 100);
	assert_true(next_typed(&byte) && byte == 'h');
	assert_true(next_typed(&byte) && byte == 'i');
	assert_false(next_typed(&byte));
}

static void the_rest_of_long_output_goes_by_interrupts(void **state)
{
	(void)state;
	uart_write(pattern, 60000, true);
	/* Sixteen times what a FIFO takes: the others in the machine have their turn, too. */
	assert_int_equal(output_length, 16 * FIFO);
	/* Needs new edges on the way, as one interrupt does not send it all. */
	sim.resets_by_ier = 0;
	serve_interrupts();
	check_output(pattern, 60000);
	assert_true(sim.resets_by_ier > 1);
	assert_int_equal(sim.ier, 5);
	assert_int_equal(waits, 0);
}

static void a_slow_uart_is_given_fifo_after_fifo(void **state)
{
	(void)state;
	sim.reading = READS_SLOWLY;
	uart_write(pattern, 1000, true);
	while (sim.tx_count > 0) {
		sim_drain();
		sim_update_line();
		serve_interrupts();
	}
	check_output(pattern, 1000);
	assert_int_equal(sim.ier, 5);
}

/* One byte more than the FIFO takes is enough to ask for an interrupt. */
static void the_last_byte_goes_by_an_interrupt(void **state)
{
	(void)state;
	sim.reading = READS_SLOWLY;
	uart_write(pattern, FIFO + 1, true);
	assert_int_equal(sim.tx_count, FIFO);
	assert_int_equal(sim.ier, 7);
	sim_drain();
	sim_update_line();
	serve_interrupts();
	assert_int_equal(sim.tx_count, 1);
	assert_int_equal(sim.ier, 5);
	sim_drain();
	check_output(pattern, FIFO + 1);
}

static void a_task_sleeps_until_there_is_room(void **state)
{
	(void)state;
	sim.reading = READS_SLOWLY;
	uart_write(pattern, sizeof(pattern), true);
	assert_true(waits > 100);
	assert_int_equal(timeouts, 0);
	assert_false(fake_irqs_off);
	uart_flush();
	sim_drain();
	check_output(pattern, sizeof(pattern));
	assert_int_equal(counts().sent_dropped, 0);
}

static void with_interrupts_off_a_writer_polls(void **state)
{
	(void)state;
	sim.reading = READS_SLOWLY;
	irq_disable();
	uart_write(pattern, 200000, true);
	assert_true(fake_irqs_off);
	irq_enable();
	uart_write(pattern, 1, false);
	uart_flush();
	sim_drain();
	assert_int_equal(waits, 0);
	assert_int_equal(output_length, 200001);
	output_length--;
	check_output(pattern, 200000);
}

/* The second is one in which the guest ran: then the host has had its time. */
static void a_guest_that_was_stopped_loses_no_output(void **state)
{
	uint64_t dropped = counts().sent_dropped;

	(void)state;
	sim.reading = READS_NEVER;
	stop_ns = 3 * NS_PER_S;
	reads_in_stops = true;
	uart_write(pattern, 70000, true);
	reads_in_stops = false;
	stop_ns = 0;
	assert_true(timeouts > 0);
	assert_int_equal(counts().sent_dropped, dropped);
	sim.reading = READS_SLOWLY;
	uart_flush();
	sim_drain();
	check_output(pattern, 70000);
}

static void stops_alone_are_no_second(void **state)
{
	(void)state;
	sim.reading = READS_NEVER;
	stop_ns = 3 * NS_PER_S;
	uart_write(pattern, 100000, true);
	stop_ns = 0;
	assert_in_range(timeouts, NS_PER_S / CLOCK_AWAKE_STEP_NS - 1,
			NS_PER_S / CLOCK_AWAKE_STEP_NS + 1);
	sim.reading = READS_SLOWLY;
	sim_drain();
	sim_update_line();
	serve_interrupts();
	uart_flush();
	sim_drain();
	check_output(pattern, 65536 + FIFO);
}

static void a_host_that_does_not_read_costs_one_second_once(void **state)
{
	uint64_t dropped = counts().sent_dropped;
	uint64_t start = now;

	(void)state;
	sim.reading = READS_NEVER;
	uart_write(pattern, 100000, true);
	assert_in_range(now - start, NS_PER_S, NS_PER_S + NS_PER_MS);
	/* What is in the FIFO and in the ring is not lost. */
	assert_int_equal(counts().sent_dropped - dropped, 100000 - 65536 - FIFO);
	sim.accesses = 0;
	for (int i = 0; i < 100; i++) {
		uart_write(pattern, 1000, true);
		uart_write(pattern, 1000, false);
	}
	assert_in_range(now - start, NS_PER_S, NS_PER_S + NS_PER_MS);
	assert_in_range(sim.accesses, 1, 2000);

	/* And when it reads again, all is as before. */
	sim.reading = READS_SLOWLY;
	sim_drain();
	sim_update_line();
	serve_interrupts();
	dropped = counts().sent_dropped;
	uart_write("again", 5, true);
	uart_flush();
	sim_drain();
	assert_int_equal(counts().sent_dropped, dropped);
	assert_int_equal(output_length, 65536 + FIFO + 5);
	assert_memory_equal(output, pattern, 65536 + FIFO);
	assert_memory_equal(output + 65536 + FIFO, "again", 5);
}

static void in_an_interrupt_a_deaf_host_costs_one_bound(void **state)
{
	uint64_t start = now;

	(void)state;
	sim.reading = READS_NEVER;
	irq_disable();
	/* 50 ms of simulated time. */
	uart_write(pattern, 65536 + FIFO + 1, true);
	assert_in_range(now - start, 50 * NS_PER_MS, 50 * NS_PER_MS + 500 * NS_PER_US);
	sim.accesses = 0;
	for (int i = 0; i < 1000; i++)
		uart_write(pattern, 1000, true);
	assert_in_range(sim.accesses, 1, 60000);
	assert_int_equal(waits, 0);
	irq_enable();
}

static void write_sync_has_sent_all_when_it_returns(void **state)
{
	(void)state;
	uart_write(pattern, 50000, true);
	irq_disable();
	uart_write_sync(pattern + 50000, 50000);
	check_output(pattern, 100000);
	/* It does not sleep, though it could. */
	irq_enable();
	sim.reading = READS_SLOWLY;
	uart_write_sync(pattern, 100000);
	sim_drain();
	check_output(pattern, 100000);
	assert_int_equal(waits, 0);
	irq_disable();
	sim.reading = READS_NEVER;
	sim.accesses = 0;
	uart_write_sync(pattern, 100);
	uart_write_sync(pattern, 100);
	assert_in_range(sim.accesses, 1, 60000);
	irq_enable();
}

/* ---- Input ---- */

static void input_arrives_in_order(void **state)
{
	uint8_t byte;

	(void)state;
	for (size_t i = 0; i < 20000; i++) {
		sim_receive(&pattern[i], 1);
		if (i % 7 == 0)
			serve_interrupts();
		if (i % 1000 != 999)
			continue;
		serve_interrupts();
		for (size_t j = i - 999; j <= i; j++) {
			assert_true(next_typed(&byte));
			assert_int_equal(byte, (uint8_t)pattern[j]);
		}
		assert_false(next_typed(&byte));
	}
}

static void overruns_are_counted(void **state)
{
	uint64_t overruns = counts().overruns;
	uint64_t recorded = serial_events.count[SERIAL_EVENT_OVERRUN];
	struct event event;
	uint8_t byte;

	(void)state;
	sim_receive("0123456789abcdefghij", 20);
	serve_interrupts();
	assert_int_equal(counts().overruns - overruns, 1);
	assert_int_equal(serial_events.count[SERIAL_EVENT_OVERRUN] - recorded, 1);
	assert_true(events_get(&serial_events, serial_events.recorded, &event));
	assert_int_equal(event.type, SERIAL_EVENT_OVERRUN);
	assert_int_equal(event.argument[1], 0);
	for (const char *p = "0123456789abcdef"; *p; p++)
		assert_true(next_typed(&byte) && byte == *p);
	assert_false(next_typed(&byte));
}

/* Parity, framing, or both at once: one error each time. */
static void line_errors_are_counted(void **state)
{
	uint64_t errors = counts().line_errors, received;
	uint64_t recorded = serial_events.count[SERIAL_EVENT_LINE_ERROR];
	static const uint8_t bits[] = { 4, 8, 12 };
	struct event event;
	uint8_t byte;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bits); i++) {
		received = counts().received;
		sim.errors |= bits[i];
		sim_receive("x", 1);
		serve_interrupts();
		assert_int_equal(counts().line_errors - errors, i + 1);
		assert_int_equal(serial_events.count[SERIAL_EVENT_LINE_ERROR] - recorded, i + 1);
		assert_true(events_get(&serial_events, serial_events.recorded, &event));
		assert_int_equal(event.type, SERIAL_EVENT_LINE_ERROR);
		assert_int_equal(event.argument[0], received);
		assert_int_equal(event.argument[1], 0);
		assert_true(next_typed(&byte) && byte == 'x');
	}
	assert_int_equal(counts().breaks, 0);
}

static void the_byte_behind_a_break_is_told_apart(void **state)
{
	uint64_t breaks = counts().breaks;
	uint64_t recorded = serial_events.count[SERIAL_EVENT_BREAK];
	struct event event;
	uint8_t byte;

	(void)state;
	sim_receive("a", 1);
	sim_break();
	serve_interrupts();
	assert_true(events_get(&serial_events, serial_events.recorded, &event));
	assert_int_equal(event.type, SERIAL_EVENT_BREAK);
	assert_int_equal(event.argument[1], 0);
	sim_receive("mb", 2);
	serve_interrupts();
	assert_string_equal(keys, "m");
	assert_int_equal(counts().breaks - breaks, 1);
	assert_int_equal(serial_events.count[SERIAL_EVENT_BREAK] - recorded, 1);
	assert_true(next_typed(&byte) && byte == 'a');
	assert_true(next_typed(&byte) && byte == 'b');
	assert_false(next_typed(&byte));
}

static void all_at_once_is_told_apart_too(void **state)
{
	uint8_t byte;

	(void)state;
	sim_receive("a", 1);
	sim_break();
	sim_receive("mb", 2);
	serve_interrupts();
	assert_string_equal(keys, "m");
	assert_true(next_typed(&byte) && byte == 'a');
	assert_true(next_typed(&byte) && byte == 'b');
}

static void a_nul_without_a_break_is_just_a_byte(void **state)
{
	uint8_t byte;

	(void)state;
	sim_receive("\0m", 2);
	serve_interrupts();
	assert_string_equal(keys, "");
	assert_true(next_typed(&byte) && byte == 0);
	assert_true(next_typed(&byte) && byte == 'm');
}

static void a_second_break_begins_anew(void **state)
{
	(void)state;
	sim_break();
	serve_interrupts();
	sim_break();
	serve_interrupts();
	sim_receive("m", 1);
	serve_interrupts();
	assert_string_equal(keys, "m");
}

static void a_writer_that_reads_lsr_does_not_lose_a_break(void **state)
{
	(void)state;
	sim_break();
	irq_disable();
	uart_write("text", 4, false);
	irq_enable();
	sim_receive("m", 1);
	serve_interrupts();
	assert_string_equal(keys, "m");
}

/* The last one: the UART goes mad. */
static void an_insane_uart_does_not_hang(void **state)
{
	uint64_t received = counts().received;

	(void)state;
	sim.insane = true;
	sim.accesses = 0;
	irq_disable();
	assert_true(handler->handle(handler));
	irq_enable();
	assert_in_range(sim.accesses, 1, 10000);
	/* Sixteen rounds of 64 bytes. */
	assert_int_equal(counts().received - received, 16 * 64);
	sim.insane = false;
	sim.absent = true;
	sim.accesses = 0;
	irq_disable();
	handler->handle(handler);
	irq_enable();
	assert_in_range(sim.accesses, 1, 10000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(without_a_uart_output_is_dropped, begin),
		cmocka_unit_test_setup(init_sets_115200_8n1_with_fifos, begin),
		cmocka_unit_test_setup(early_output_is_polled, begin),
		cmocka_unit_test_setup(early_output_that_nobody_reads_does_not_hang, begin),
		cmocka_unit_test_setup(start_takes_what_came_before, begin),
		cmocka_unit_test_setup(the_rest_of_long_output_goes_by_interrupts, begin),
		cmocka_unit_test_setup(a_slow_uart_is_given_fifo_after_fifo, begin),
		cmocka_unit_test_setup(the_last_byte_goes_by_an_interrupt, begin),
		cmocka_unit_test_setup(a_task_sleeps_until_there_is_room, begin),
		cmocka_unit_test_setup(with_interrupts_off_a_writer_polls, begin),
		cmocka_unit_test_setup(a_guest_that_was_stopped_loses_no_output, begin),
		cmocka_unit_test_setup(stops_alone_are_no_second, begin),
		cmocka_unit_test_setup(a_host_that_does_not_read_costs_one_second_once, begin),
		cmocka_unit_test_setup(in_an_interrupt_a_deaf_host_costs_one_bound, begin),
		cmocka_unit_test_setup(write_sync_has_sent_all_when_it_returns, begin),
		cmocka_unit_test_setup(input_arrives_in_order, begin),
		cmocka_unit_test_setup(overruns_are_counted, begin),
		cmocka_unit_test_setup(line_errors_are_counted, begin),
		cmocka_unit_test_setup(the_byte_behind_a_break_is_told_apart, begin),
		cmocka_unit_test_setup(all_at_once_is_told_apart_too, begin),
		cmocka_unit_test_setup(a_nul_without_a_break_is_just_a_byte, begin),
		cmocka_unit_test_setup(a_second_break_begins_anew, begin),
		cmocka_unit_test_setup(a_writer_that_reads_lsr_does_not_lose_a_break, begin),
		cmocka_unit_test_setup(an_insane_uart_does_not_hang, begin),
	};
	int failed = cmocka_run_group_tests(tests, NULL, NULL);

	free(output);
	return failed;
}
