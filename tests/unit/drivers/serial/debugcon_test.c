/* SPDX-License-Identifier: BSD-2-Clause */
/* Port 0xe9: whether it is there, and what is written to it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "arch/io.h"
#include "drivers/serial/debugcon.h"

static uint8_t reads_as;
static char written[64];
static size_t written_length;

uint8_t io_read8(uint16_t port)
{
	assert_int_equal(port, 0xe9);
	return reads_as;
}

void io_write8(uint16_t port, uint8_t value)
{
	assert_int_equal(port, 0xe9);
	assert_true(written_length < sizeof(written));
	written[written_length++] = (char)value;
}

static void it_is_there_if_it_says_so(void **state)
{
	(void)state;
	reads_as = 0xe9;
	assert_true(debugcon_init());
	reads_as = 0xff;
	assert_false(debugcon_init());
	reads_as = 0;
	assert_false(debugcon_init());
	assert_int_equal(written_length, 0);
}

static void all_bytes_are_written_in_order(void **state)
{
	(void)state;
	debugcon_write("a\r\nb", 4);
	debugcon_write("", 0);
	assert_int_equal(written_length, 4);
	assert_memory_equal(written, "a\r\nb", 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_is_there_if_it_says_so),
		cmocka_unit_test(all_bytes_are_written_in_order),
	};

	return cmocka_run_group_tests_name("debugcon", tests, NULL, NULL);
}
