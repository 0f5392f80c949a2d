/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The console on the serial line and on Xen's console, whichever is there, or where neither is on
 * a port for output. How they are driven is the drivers' business; here is what some of the bytes
 * mean.
 */
#include "kernel/console.h"

#include <errno.h>
#include <stdio.h>

#include "drivers/serial/debugcon.h"
#include "drivers/serial/uart16550.h"
#include "drivers/xen/xen_console.h"
#include "kernel/console_input.h"
#include "kernel/lib/log.h"

#define CTRL_C 0x03
#define MAGIC_KEY 'm'

static bool by_debugcon; /* there is nothing else */
static bool tasks;
static bool polling;
static void (*magic_hook)(void);

/* Both are changed by the interrupt. */
static volatile bool command_runs;
static volatile bool interrupted;

/* To a line, to Xen, or to both: what is not there drops it. */
static void send(const char *text, size_t length)
{
	if (by_debugcon) {
		debugcon_write(text, length);
		return;
	}
	if (polling)
		uart_write_sync(text, length);
	else
		uart_write(text, length, tasks);
	xen_console_write(text, length, tasks && !polling);
	if (polling)
		xen_console_flush();
}

void console_write(const char *text, size_t length)
{
	char piece[256];
	size_t n = 0;

	for (size_t i = 0; i < length; i++) {
		if (text[i] == '\n')
			piece[n++] = '\r';
		piece[n++] = text[i];
		/* Room for one more byte and its '\r'. */
		if (n < sizeof(piece) - 1 && i + 1 < length)
			continue;
		send(piece, n);
		n = 0;
	}
}

/* Runs in an interrupt. */
static void take_byte(uint8_t byte, bool after_break)
{
	if (after_break && byte == MAGIC_KEY) {
		if (magic_hook)
			magic_hook();
	} else if (byte == CTRL_C && command_runs) {
		interrupted = true;
		console_input_discard();
	} else {
		console_input_put(byte);
	}
}

/* Xen's console has no break. */
static void take_xen_byte(uint8_t byte)
{
	take_byte(byte, false);
}

bool console_init(void)
{
	bool uart = uart_init(), xen = xen_console_init();

	by_debugcon = !uart && !xen && debugcon_init();
	return uart || xen || by_debugcon;
}

void console_start(void)
{
	uart_start(take_byte);
	xen_console_start(take_xen_byte);
	if (!uart_name() && !xen_console_has_input() && (by_debugcon || xen_console_name()))
		log_info("console: on %s: use run= for commands", console_name());
}

const char *console_name(void)
{
	static char text[64];
	const char *uart = uart_name(), *xen = xen_console_name();

	if (by_debugcon)
		return "port 0xe9, which takes no input";
	if (!uart && !xen)
		return "nothing: there is neither a serial line nor port 0xe9";
	snprintf(text, sizeof(text), "%s%s%s", uart ? uart : "", uart && xen ? " and " : "",
		 xen ? xen : "");
	return text;
}

void console_use_tasks(void)
{
	tasks = true;
}

void console_use_polling(void)
{
	polling = true;
}

void console_flush(void)
{
	uart_flush();
	xen_console_flush();
}

void console_set_magic(void (*magic)(void))
{
	magic_hook = magic;
}

int console_read(uint64_t deadline)
{
	uint8_t byte;

	do {
		if (console_input_take(&byte))
			return byte;
	} while (console_input_wait(deadline));
	return -EAGAIN;
}

void console_begin_command(void)
{
	interrupted = false;
	command_runs = true;
}

void console_end_command(void)
{
	command_runs = false;
}

bool console_interrupted(void)
{
	return interrupted;
}
