/* SPDX-License-Identifier: BSD-2-Clause */
/* Tests of kernel/console.c, with the drivers of a UART and of Xen's console mocked. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "arch/irq.h"
#include "drivers/serial/debugcon.h"
#include "drivers/serial/uart16550.h"
#include "drivers/xen/xen_console.h"
#include "kernel/console.h"
#include "kernel/console_input.h"
#include "kernel/task/task.h"
#include "tests/sim/sim_log.h"

static char sent[4096];
static size_t sent_length;
static unsigned calls;
static unsigned sync_calls;
static unsigned sleepy_calls;
static unsigned flushes;
static uart_input *type;
static xen_console_input *type_at_xen;
static unsigned magics;
static uint64_t waits;
static bool type_while_waiting;

static bool no_uart, has_debugcon;
static unsigned debugcon_calls;

/* Xen's console: its name, what it was sent, and how. */
static const char *xen_name;
static bool xen_input;
static char xen_sent[4096];
static size_t xen_length;
static unsigned xen_sleepy_calls, xen_flushes;

bool uart_init(void)
{
	return !no_uart;
}

const char *uart_name(void)
{
	return no_uart ? NULL : "COM3";
}

bool debugcon_init(void)
{
	return has_debugcon;
}

void debugcon_write(const char *text, size_t length)
{
	assert_true(sent_length + length < sizeof(sent));
	memcpy(sent + sent_length, text, length);
	sent_length += length;
	sent[sent_length] = '\0';
	debugcon_calls++;
}

void uart_start(uart_input *input)
{
	type = input;
}

void uart_write(const char *text, size_t length, bool may_sleep)
{
	assert_true(sent_length + length < sizeof(sent));
	memcpy(sent + sent_length, text, length);
	sent_length += length;
	sent[sent_length] = '\0';
	calls++;
	sleepy_calls += may_sleep;
}

void uart_write_sync(const char *text, size_t length)
{
	uart_write(text, length, false);
	sync_calls++;
}

void uart_flush(void)
{
	flushes++;
}

bool xen_console_init(void)
{
	return xen_name;
}

const char *xen_console_name(void)
{
	return xen_name;
}

bool xen_console_has_input(void)
{
	return xen_input;
}

void xen_console_start(xen_console_input *input)
{
	type_at_xen = input;
}

void xen_console_write(const char *text, size_t length, bool may_sleep)
{
	assert_true(xen_length + length < sizeof(xen_sent));
	if (!xen_name)
		return;
	memcpy(xen_sent + xen_length, text, length);
	xen_length += length;
	xen_sent[xen_length] = '\0';
	xen_sleepy_calls += may_sleep;
}

void xen_console_flush(void)
{
	xen_flushes++;
}

/* Something may be typed meanwhile, or the deadline passes. */
bool task_wait(struct wait_queue *queue, uint64_t deadline)
{
	(void)queue;
	assert_true(fake_irqs_off);
	assert_int_equal(deadline, 77);
	waits++;
	if (!type_while_waiting)
		return false;
	type_while_waiting = false;
	type('z', false);
	return true;
}

void task_wake(struct wait_queue *queue)
{
	(void)queue;
}

static void count_magic(void)
{
	magics++;
}

static int begin(void **state)
{
	(void)state;
	sent_length = xen_length = 0;
	calls = 0;
	sent[0] = xen_sent[0] = '\0';
	sim_log_reset();
	console_start();
	return 0;
}

static void a_newline_becomes_cr_lf(void **state)
{
	(void)state;
	console_write("a\nb\n\nc", 6);
	assert_string_equal(sent, "a\r\nb\r\n\r\nc");
	console_write("", 0);
	assert_int_equal(sent_length, 9);
}

static void long_text_arrives_whole(void **state)
{
	char text[1000];
	size_t newlines = 0;
	size_t j = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(text); i++) {
		text[i] = (char)(i % 3 ? 'a' + i % 26 : '\n');
		newlines += text[i] == '\n';
	}
	for (size_t length = 0; length <= sizeof(text); length++) {
		sent_length = 0;
		console_write(text, length);
		j = 0;
		for (size_t i = 0; i < length; i++) {
			if (text[i] == '\n')
				assert_int_equal(sent[j++], '\r');
			assert_int_equal(sent[j++], text[i]);
		}
		assert_int_equal(j, sent_length);
	}
	assert_int_equal(sent_length, sizeof(text) + newlines);
}

/* Text is converted in pieces of 256 bytes: a newline around each end of one. */
static void a_newline_may_fall_anywhere(void **state)
{
	char text[600];

	(void)state;
	for (size_t i = 0; i < sizeof(text); i++) {
		memset(text, 'x', sizeof(text));
		text[i] = '\n';
		sent_length = 0;
		console_write(text, sizeof(text));
		assert_int_equal(sent_length, sizeof(text) + 1);
		assert_memory_equal(sent + i, "\r\n", 2);
	}
}

/* A call for each piece of 255 bytes, or 256 with the last one's '\r'. */
static void few_calls_send_long_text(void **state)
{
	char text[512];

	(void)state;
	memset(text, 'x', sizeof(text));
	console_write(text, 255);
	console_write(text, 256);
	text[254] = '\n';
	console_write(text, 255);
	assert_int_equal(calls, 4);
}

static void reading_waits_until_the_deadline(void **state)
{
	(void)state;
	assert_int_equal(console_read(77), -EAGAIN);
	assert_int_equal(waits, 1);
	type_while_waiting = true;
	assert_int_equal(console_read(77), 'z');
	type(0xff, false);
	assert_int_equal(console_read(77), 0xff);
	assert_int_equal(waits, 2);
	assert_false(fake_irqs_off);
}

static void break_and_m_is_the_magic_key(void **state)
{
	(void)state;
	type('m', true);
	assert_int_equal(magics, 0);
	console_set_magic(count_magic);
	type('m', true);
	assert_int_equal(magics, 1);
	assert_int_equal(console_read(77), -EAGAIN);
	type('m', false);
	type('x', true);
	assert_int_equal(magics, 1);
	assert_int_equal(console_read(77), 'm');
	assert_int_equal(console_read(77), 'x');
}

static void ctrl_c_interrupts_only_a_running_command(void **state)
{
	(void)state;
	type(3, false);
	assert_int_equal(console_read(77), 3);
	assert_false(console_interrupted());
	console_begin_command();
	assert_false(console_interrupted());
	type('x', false);
	type('y', false);
	assert_int_equal(console_read(77), 'x');
	/* What was typed ahead goes. */
	type(3, false);
	assert_true(console_interrupted());
	assert_int_equal(console_read(77), -EAGAIN);
	console_end_command();
	assert_true(console_interrupted());
	type(3, false);
	assert_int_equal(console_read(77), 3);
	console_begin_command();
	assert_false(console_interrupted());
	console_end_command();
}

static void both_consoles_show_all_and_feed_one_input(void **state)
{
	(void)state;
	xen_name = "Xen's console";
	xen_input = true;
	assert_true(console_init());
	assert_string_equal(console_name(), "COM3 and Xen's console");
	console_write("a\n", 2);
	assert_string_equal(sent, "a\r\n");
	assert_string_equal(xen_sent, "a\r\n");
	type('1', false);
	type_at_xen('2');
	type('3', false);
	assert_int_equal(console_read(77), '1');
	assert_int_equal(console_read(77), '2');
	assert_int_equal(console_read(77), '3');
	console_begin_command();
	type_at_xen(3);
	assert_true(console_interrupted());
	console_end_command();
	xen_name = NULL;
	xen_input = false;
}

/* The last one: there is no way back from polling. */
static void writers_sleep_only_in_tasks_and_never_when_polling(void **state)
{
	(void)state;
	xen_name = "Xen's console";
	console_write("a", 1);
	assert_int_equal(sleepy_calls, 0);
	assert_int_equal(xen_sleepy_calls, 0);
	console_use_tasks();
	console_write("b", 1);
	assert_int_equal(sleepy_calls, 1);
	assert_int_equal(xen_sleepy_calls, 1);
	assert_int_equal(sync_calls, 0);
	assert_int_equal(xen_flushes, 0);
	console_use_polling();
	console_write("c", 1);
	assert_int_equal(sleepy_calls, 1);
	assert_int_equal(xen_sleepy_calls, 1);
	assert_int_equal(sync_calls, 1);
	assert_int_equal(xen_flushes, 1);
	assert_string_equal(sent, "abc");
	assert_string_equal(xen_sent, "abc");
	console_flush();
	assert_int_equal(flushes, 1);
	assert_int_equal(xen_flushes, 2);
	xen_name = NULL;
}

static void without_a_serial_line_text_goes_to_the_debugging_port(void **state)
{
	(void)state;
	has_debugcon = true;
	assert_true(console_init());
	assert_string_equal(console_name(), "COM3");
	console_write("a", 1);
	assert_int_equal(debugcon_calls, 0);
	has_debugcon = false;
	console_start();
	assert_int_equal(sim_log_infos, 0);
	no_uart = true;
	assert_false(console_init());
	assert_string_equal(console_name(),
			    "nothing: there is neither a serial line nor port 0xe9");
	console_start();
	assert_int_equal(sim_log_infos, 0);
	has_debugcon = true;
	assert_true(console_init());
	assert_string_equal(console_name(), "port 0xe9, which takes no input");
	/* A person sees a prompt there, and cannot type. */
	console_start();
	assert_int_equal(sim_log_infos, 1);
	assert_string_equal(sim_log_info,
			    "console: on port 0xe9, which takes no input: use run= for commands");
	console_write("b\n", 2);
	assert_int_equal(debugcon_calls, 1);
	assert_string_equal(sent, "ab\r\n");
}

/* After the one above: no serial line, and the port would answer. */
static void xens_console_alone_is_enough(void **state)
{
	(void)state;
	xen_name = "the hypervisor's console, which takes no input";
	assert_true(console_init());
	assert_string_equal(console_name(), xen_name);
	console_start();
	assert_string_equal(sim_log_info,
			    "console: on the hypervisor's console, which takes no input: "
			    "use run= for commands");
	debugcon_calls = 0;
	console_write("c", 1);
	assert_string_equal(xen_sent, "c");
	assert_int_equal(debugcon_calls, 0);
	sim_log_reset();
	xen_name = "Xen's console";
	xen_input = true;
	console_start();
	assert_int_equal(sim_log_infos, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(a_newline_becomes_cr_lf, begin),
		cmocka_unit_test_setup(long_text_arrives_whole, begin),
		cmocka_unit_test_setup(a_newline_may_fall_anywhere, begin),
		cmocka_unit_test_setup(few_calls_send_long_text, begin),
		cmocka_unit_test_setup(reading_waits_until_the_deadline, begin),
		cmocka_unit_test_setup(break_and_m_is_the_magic_key, begin),
		cmocka_unit_test_setup(ctrl_c_interrupts_only_a_running_command, begin),
		cmocka_unit_test_setup(both_consoles_show_all_and_feed_one_input, begin),
		cmocka_unit_test_setup(writers_sleep_only_in_tasks_and_never_when_polling, begin),
		/* The last: the serial line does not come back. */
		cmocka_unit_test_setup(without_a_serial_line_text_goes_to_the_debugging_port,
				       begin),
		cmocka_unit_test_setup(xens_console_alone_is_enough, begin),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
