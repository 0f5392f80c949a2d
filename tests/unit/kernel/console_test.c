/* SPDX-License-Identifier: BSD-2-Clause */
/* Tests of kernel/console.c, with the UART's driver mocked. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "drivers/serial/debugcon.h"
#include "drivers/serial/uart16550.h"
#include "kernel/console.h"
#include "tests/sim/sim_log.h"

static char sent[4096];
static size_t sent_length;
static unsigned calls;
static unsigned sync_calls;
static unsigned sleepy_calls;
static unsigned flushes;
static unsigned discards;
static uart_filter *filter;
static const char *input;
static unsigned magics;

static bool no_uart, has_debugcon;
static unsigned debugcon_calls;

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

void uart_start(uart_filter *f)
{
	filter = f;
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

bool uart_read(uint8_t *byte)
{
	if (!input || *input == '\0')
		return false;
	*byte = (uint8_t)*input++;
	return true;
}

bool uart_wait_input(uint64_t deadline)
{
	assert_int_equal(deadline, 77);
	/* There is some the second time. */
	if (input)
		return false;
	input = "z";
	return true;
}

void uart_discard_input(void)
{
	discards++;
}

static void count_magic(void)
{
	magics++;
}

static int begin(void **state)
{
	(void)state;
	sent_length = 0;
	calls = 0;
	sent[0] = '\0';
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
	input = NULL;
	assert_int_equal(console_read(77), 'z');
	assert_int_equal(console_read(77), -EAGAIN);
	input = "\xff";
	assert_int_equal(console_read(77), 0xff);
}

static void break_and_m_is_the_magic_key(void **state)
{
	(void)state;
	assert_false(filter('m', true));
	assert_int_equal(magics, 0);
	console_set_magic(count_magic);
	assert_false(filter('m', true));
	assert_int_equal(magics, 1);
	assert_true(filter('m', false));
	assert_true(filter('x', true));
	assert_int_equal(magics, 1);
}

static void ctrl_c_interrupts_only_a_running_command(void **state)
{
	(void)state;
	assert_true(filter(3, false));
	assert_false(console_interrupted());
	console_begin_command();
	assert_false(console_interrupted());
	assert_true(filter('x', false));
	assert_int_equal(discards, 0);
	assert_false(filter(3, false));
	assert_true(console_interrupted());
	assert_int_equal(discards, 1);
	console_end_command();
	assert_true(console_interrupted());
	assert_true(filter(3, false));
	console_begin_command();
	assert_false(console_interrupted());
	console_end_command();
}

/* The last one: there is no way back from polling. */
static void writers_sleep_only_in_tasks_and_never_when_polling(void **state)
{
	(void)state;
	console_write("a", 1);
	assert_int_equal(sleepy_calls, 0);
	console_use_tasks();
	console_write("b", 1);
	assert_int_equal(sleepy_calls, 1);
	assert_int_equal(sync_calls, 0);
	console_use_polling();
	console_write("c", 1);
	assert_int_equal(sleepy_calls, 1);
	assert_int_equal(sync_calls, 1);
	assert_string_equal(sent, "abc");
	console_flush();
	assert_int_equal(flushes, 1);
}

static void without_a_serial_line_text_goes_to_the_debugging_port(void **state)
{
	(void)state;
	assert_true(console_init());
	assert_string_equal(console_name(), "COM3");
	console_write("a", 1);
	assert_int_equal(debugcon_calls, 0);
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
		cmocka_unit_test_setup(writers_sleep_only_in_tasks_and_never_when_polling, begin),
		/* The last: the serial line does not come back. */
		cmocka_unit_test_setup(without_a_serial_line_text_goes_to_the_debugging_port,
				       begin),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
