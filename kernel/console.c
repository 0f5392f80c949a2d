/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The console on the serial line, or where there is none on a port for output. How they
 * are driven is the drivers' business; here is what some of the bytes mean.
 */
#include "kernel/console.h"

#include <errno.h>

#include "drivers/serial/debugcon.h"
#include "drivers/serial/uart16550.h"
#include "kernel/lib/log.h"

#define CTRL_C 0x03
#define MAGIC_KEY 'm'

static bool by_debugcon; /* there is no serial line */
static bool tasks;
static bool polling;
static void (*magic_hook)(void);

/* Both are changed by the interrupt. */
static volatile bool command_runs;
static volatile bool interrupted;

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
		if (by_debugcon)
			debugcon_write(piece, n);
		else if (polling)
			uart_write_sync(piece, n);
		else
			uart_write(piece, n, tasks);
		n = 0;
	}
}

/* Runs in the UART's interrupt. */
static bool filter_byte(uint8_t byte, bool after_break)
{
	if (after_break && byte == MAGIC_KEY) {
		if (magic_hook)
			magic_hook();
		return false;
	}
	if (byte == CTRL_C && command_runs) {
		interrupted = true;
		uart_discard_input();
		return false;
	}
	return true;
}

bool console_init(void)
{
	if (uart_init())
		return true;
	by_debugcon = debugcon_init();
	return by_debugcon;
}

void console_start(void)
{
	uart_start(filter_byte);
	if (by_debugcon)
		log_info("console: on port 0xe9, which takes no input: use run= for commands");
}

const char *console_name(void)
{
	if (by_debugcon)
		return "port 0xe9, which takes no input";
	return uart_name() ? uart_name() : "nothing: there is neither a serial line nor port 0xe9";
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
}

void console_set_magic(void (*magic)(void))
{
	magic_hook = magic;
}

int console_read(uint64_t deadline)
{
	uint8_t byte;

	do {
		if (uart_read(&byte))
			return byte;
	} while (uart_wait_input(deadline));
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
