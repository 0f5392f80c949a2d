/* SPDX-License-Identifier: BSD-2-Clause */
/* Tests of kernel/command_line.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "kernel/command_line.h"

static char value[16];

static bool find(const char *command_line, const char *key)
{
	strcpy(value, "unchanged");
	return command_line_option(command_line, key, value, sizeof(value));
}

static void assert_absent(const char *command_line, const char *key)
{
	assert_false(find(command_line, key));
	assert_string_equal(value, "unchanged");
}

static void assert_value(const char *command_line, const char *key, const char *expected)
{
	assert_true(find(command_line, key));
	assert_string_equal(value, expected);
}

static void a_plain_value_ends_at_a_blank(void **state)
{
	(void)state;
	assert_value("floor=16M", "floor", "16M");
	assert_value("  a=1\tfloor=16M  b=2 ", "floor", "16M");
	assert_value("run=a;b c", "run", "a;b");
}

static void a_quoted_value_keeps_its_blanks(void **state)
{
	(void)state;
	assert_value("run=\"a b; c 1\" floor=1", "run", "a b; c 1");
	assert_value("run=\"a b; c 1\" floor=1", "floor", "1");
	assert_value("run=\"\"", "run", "");
	assert_value("run=\"x=1 floor=2\" floor=3", "floor", "3");
}

static void an_option_in_quotes_is_no_option(void **state)
{
	(void)state;
	assert_absent("run=\"a floor=2\"", "floor");
}

static void a_key_is_matched_whole(void **state)
{
	(void)state;
	assert_absent("", "run");
	assert_absent("    ", "run");
	assert_absent("runs=1 xrun=2 ru=3 r", "run");
	assert_absent("a=run=1", "run");
}

static void a_key_alone_has_an_empty_value(void **state)
{
	(void)state;
	assert_value("quiet", "quiet", "");
	assert_value("a quiet b", "quiet", "");
	assert_value("quiet=", "quiet", "");
}

static void the_last_one_counts(void **state)
{
	(void)state;
	assert_value("floor=1 floor=2", "floor", "2");
}

static void half_a_value_is_no_value(void **state)
{
	(void)state;
	assert_absent("run=\"show_mem; ex", "run");
	assert_absent("run=a run=\"b", "run");
	assert_value("run=123456789012345", "run", "123456789012345");
	assert_absent("run=1234567890123456", "run");
	assert_value("run=\"123456789012345\"", "run", "123456789012345");
}

static void each_of_several_options_is_found_in_turn(void **state)
{
	const char *at = " d=1 run=\"d=9\" d=\"2 3\"\tdd=4 d d=1234567890123456 d=5 d=\"6";

	(void)state;
	assert_int_equal(command_line_next(&at, "d", value, sizeof(value)), 1);
	assert_string_equal(value, "1");
	assert_int_equal(command_line_next(&at, "d", value, sizeof(value)), 1);
	assert_string_equal(value, "2 3");
	assert_int_equal(command_line_next(&at, "d", value, sizeof(value)), 1);
	assert_string_equal(value, "");
	assert_int_equal(command_line_next(&at, "d", value, sizeof(value)), -EINVAL);
	assert_int_equal(command_line_next(&at, "d", value, sizeof(value)), 1);
	assert_string_equal(value, "5");
	assert_int_equal(command_line_next(&at, "d", value, sizeof(value)), -EINVAL);
	assert_int_equal(command_line_next(&at, "d", value, sizeof(value)), 0);
	assert_int_equal(command_line_next(&at, "d", value, sizeof(value)), 0);
}

static void assert_word(const char **at, const char *text, bool complete)
{
	struct command_line_word word;

	assert_true(command_line_word(at, &word));
	assert_int_equal(word.length, strlen(text));
	assert_memory_equal(word.text, text, word.length);
	assert_int_equal(word.complete, complete);
}

static void every_word_comes_in_turn(void **state)
{
	const char *at = " \ta=1  run=\"a b\"c \"d e\" = f=\"g h ";
	struct command_line_word word;

	(void)state;
	assert_word(&at, "a=1", true);
	assert_word(&at, "run=\"a b\"c", true);
	assert_word(&at, "\"d e\"", true);
	assert_word(&at, "=", true);
	assert_word(&at, "f=\"g h ", false);
	assert_false(command_line_word(&at, &word));
	assert_false(command_line_word(&at, &word));
}

static void assert_dropped(const char *line, const char *left)
{
	char text[40];

	strcpy(text, line);
	command_line_drop_last_word(text);
	assert_string_equal(text, left);
}

static void what_is_left_of_a_word_that_was_cut_is_dropped(void **state)
{
	(void)state;
	assert_dropped("a=1 floor=64", "a=1 ");
	assert_dropped("a=1\tfloor=64", "a=1\t");
	assert_dropped("a=1 ", "a=1 ");
	assert_dropped("floor=64", "");
	assert_dropped("", "");
	assert_dropped("run=\"a b", "run=\"a ");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_plain_value_ends_at_a_blank),
		cmocka_unit_test(a_quoted_value_keeps_its_blanks),
		cmocka_unit_test(an_option_in_quotes_is_no_option),
		cmocka_unit_test(a_key_is_matched_whole),
		cmocka_unit_test(a_key_alone_has_an_empty_value),
		cmocka_unit_test(the_last_one_counts),
		cmocka_unit_test(half_a_value_is_no_value),
		cmocka_unit_test(every_word_comes_in_turn),
		cmocka_unit_test(what_is_left_of_a_word_that_was_cut_is_dropped),
		cmocka_unit_test(each_of_several_options_is_found_in_turn),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
