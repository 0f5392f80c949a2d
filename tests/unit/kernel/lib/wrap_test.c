/* SPDX-License-Identifier: BSD-2-Clause */
/* Tests of kernel/lib/wrap.c and json.c: what they print. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "kernel/lib/json.h"
#include "kernel/lib/wrap.h"

#define TEN "0123456789"
#define SIXTY TEN TEN TEN TEN TEN TEN

static FILE *console;
static char *said;
static size_t length;

static void begin(void)
{
	free(said);
	console = stdout;
	stdout = open_memstream(&said, &length);
}

static void assert_said(const char *text)
{
	fclose(stdout);
	stdout = console;
	assert_string_equal(said, text);
}

static void words_go_up_to_the_last_column(void **state)
{
	struct wrap wrap;

	(void)state;
	begin();
	wrap_begin(&wrap, 4);
	wrap_word(&wrap, "%s", SIXTY);
	wrap_word(&wrap, "%s%d", "12345678901234567", 89);
	wrap_word(&wrap, "x");
	wrap_end(&wrap);
	assert_said(SIXTY " 1234567890123456789\n    x\n");
	begin();
	wrap_begin(&wrap, 0);
	wrap_word(&wrap, SIXTY);
	wrap_word(&wrap, "12345678901234567890");
	wrap_end(&wrap);
	assert_said(SIXTY "\n12345678901234567890\n");
}

static void a_text_breaks_at_its_blanks(void **state)
{
	struct wrap wrap;

	(void)state;
	begin();
	wrap_begin(&wrap, 2);
	wrap_text(&wrap, "  a  " SIXTY " b c d e f g h i j k ");
	wrap_end(&wrap);
	assert_said("a " SIXTY " b c d e f g h i j\n  k\n");
}

static void a_word_that_is_too_long_has_a_line_of_its_own(void **state)
{
	struct wrap wrap;

	(void)state;
	begin();
	wrap_begin(&wrap, 2);
	wrap_word(&wrap, SIXTY TEN TEN TEN);
	wrap_word(&wrap, SIXTY TEN TEN TEN);
	wrap_word(&wrap, "a");
	wrap_end(&wrap);
	wrap_begin(&wrap, 2);
	wrap_end(&wrap);
	assert_said(SIXTY TEN TEN TEN "\n  " SIXTY TEN TEN TEN "\n  a\n\n");
}

static void a_line_may_begin_with_a_single_letter(void **state)
{
	struct wrap wrap;

	(void)state;
	begin();
	wrap_begin(&wrap, 2);
	wrap_word(&wrap, "x");
	wrap_word(&wrap, SIXTY TEN "123456789");
	wrap_end(&wrap);
	/* And again, from the first column. */
	wrap_word(&wrap, "y");
	wrap_end(&wrap);
	assert_said("x\n  " SIXTY TEN "123456789\ny\n");
}

static void strings_of_json_are_escaped(void **state)
{
	(void)state;
	begin();
	json_print_string("a \"b\" \\ c\n\x1f ~\x7f\xe9");
	json_print_string("");
	json_print_string(NULL);
	assert_said("\"a \\\"b\\\" \\\\ c\\u000a\\u001f ~\\u007f\\u00e9\"\"\"null");
}

static int end(void **state)
{
	(void)state;
	free(said);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(words_go_up_to_the_last_column),
		cmocka_unit_test(a_text_breaks_at_its_blanks),
		cmocka_unit_test(a_word_that_is_too_long_has_a_line_of_its_own),
		cmocka_unit_test(a_line_may_begin_with_a_single_letter),
		cmocka_unit_test(strings_of_json_are_escaped),
	};

	return cmocka_run_group_tests(tests, NULL, end);
}
