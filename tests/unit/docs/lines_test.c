/* SPDX-License-Identifier: BSD-2-Clause */
/* Whether a page shows what was said: what may differ, and what may not. */
#include "tests/docs/lines.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static const struct lines_rule exact = { .numbers = false };
static const struct lines_rule numbers = { .numbers = true };

/* Whether the page's text agrees with what was said. */
static bool agree(const char *page, const char *text, const struct lines_rule *rule)
{
	struct lines shown = { 0 }, said = { 0 };
	bool result;

	lines_add_text(&shown, page);
	lines_add_text(&said, text);
	result = lines_agree(shown.line, shown.count, &said, rule, NULL);
	lines_free(&shown);
	lines_free(&said);
	return result;
}

static void equal_lines_agree(void **state)
{
	(void)state;
	assert_true(agree("a\nb\n", "a\nb\n", &exact));
	assert_true(agree("", "", &exact));
	assert_true(agree("a\n\nb", "a\n\nb", &exact));
}

static void blanks_at_the_end_of_a_line_do_not_count(void **state)
{
	(void)state;
	assert_true(agree("a\n", "a  \n", &exact));
	assert_false(agree("a b\n", "a  b\n", &exact));
}

static void a_wrong_line_is_seen(void **state)
{
	(void)state;
	assert_false(agree("a\nb\n", "a\nc\n", &exact));
	assert_false(agree("a\nb\n", "a\nc\n", &numbers));
	assert_false(agree("ok (5 frames)", "BROKEN (5 frames)", &numbers));
}

static void a_line_too_many_or_too_few_is_seen(void **state)
{
	(void)state;
	assert_false(agree("a\n", "a\nb\n", &numbers));
	assert_false(agree("a\nb\n", "a\n", &numbers));
	assert_false(agree("a\n", "", &numbers));
}

static void numbers_differ_only_where_they_may(void **state)
{
	(void)state;
	assert_false(agree("free 12 kB", "free 13 kB", &exact));
	assert_true(agree("free 12 kB", "free 13 kB", &numbers));
	assert_true(agree("free    12 kB", "free 1048576 kB", &numbers));
	assert_true(agree("17.55 MiB", "18 MiB", &numbers));
	assert_true(agree("at 0x1ff3 ", "at 0xa0", &numbers));
	assert_true(agree("  0011547d f", "  00117388 f", &numbers));
	assert_false(agree("deadlock 1", "0011547d 1", &numbers));
}

static void a_number_is_no_word_and_a_word_no_number(void **state)
{
	(void)state;
	assert_false(agree("target 5", "target unknown", &numbers));
	assert_false(agree("target unknown", "target 5", &numbers));
	assert_false(agree("5", "", &numbers));
	assert_false(agree("in flight", "inflight", &numbers));
}

static void lines_that_are_named_stay_exact(void **state)
{
	struct lines_rule rule = { .numbers = true, .exact = "Balloon" };

	(void)state;
	assert_true(agree("free 1\nBalloon 2\n", "free 7\nBalloon 2\n", &rule));
	assert_false(agree("free 1\nBalloon 2\n", "free 1\nBalloon 3\n", &rule));
}

static void dots_stand_for_any_number_of_lines(void **state)
{
	(void)state;
	assert_true(agree("a\n...\nd\n", "a\nb\nc\nd\n", &exact));
	assert_true(agree("a\n...\nd\n", "a\nd\n", &exact));
	assert_true(agree("...\n", "", &exact));
	assert_true(agree("...\nb\n...\n", "a\nb\nb\nc\n", &exact));
	assert_false(agree("a\n...\nd\n", "a\nb\nc\n", &exact));
}

static void merging_keeps_the_dots(void **state)
{
	struct lines shown = { 0 }, said = { 0 }, merged = { 0 };

	(void)state;
	lines_add_text(&shown, "free 1\n...\nend 2\n");
	lines_add_text(&said, "free 5\nx\ny\nend 6\n");
	assert_true(lines_agree(shown.line, shown.count, &said, &numbers, &merged));
	assert_int_equal(merged.count, 3);
	assert_string_equal(merged.line[0], "free 5");
	assert_string_equal(merged.line[1], "...");
	assert_string_equal(merged.line[2], "end 6");
	lines_free(&shown);
	lines_free(&said);
	lines_free(&merged);
}

static void replacing_leaves_what_is_around(void **state)
{
	struct lines page = { 0 }, with = { 0 };

	(void)state;
	lines_add_text(&page, "a\nb\nc\nd\n");
	lines_add_text(&with, "x\n");
	lines_replace(&page, 1, 2, &with);
	assert_int_equal(page.count, 3);
	assert_string_equal(page.line[0], "a");
	assert_string_equal(page.line[1], "x");
	assert_string_equal(page.line[2], "d");
	lines_free(&page);
	lines_free(&with);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(equal_lines_agree),
		cmocka_unit_test(blanks_at_the_end_of_a_line_do_not_count),
		cmocka_unit_test(a_wrong_line_is_seen),
		cmocka_unit_test(a_line_too_many_or_too_few_is_seen),
		cmocka_unit_test(numbers_differ_only_where_they_may),
		cmocka_unit_test(a_number_is_no_word_and_a_word_no_number),
		cmocka_unit_test(lines_that_are_named_stay_exact),
		cmocka_unit_test(dots_stand_for_any_number_of_lines),
		cmocka_unit_test(merging_keeps_the_dots),
		cmocka_unit_test(replacing_leaves_what_is_around),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
