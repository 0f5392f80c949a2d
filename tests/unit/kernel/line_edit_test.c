/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Tests of kernel/line_edit.c. What it emits goes to a terminal that knows
 * text, backspace and newline, so that each test can compare what a person
 * would see with what the editor holds.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/line_edit.h"

#define PROMPT "> "
#define WIDTH 400

static struct line_edit edit;

/* The terminal: its present row, and all rows before it. */
static char row[WIDTH + 1];
static size_t column;
static char scrolled[2000];
static size_t newline_column;
static unsigned clears;

/* The first bytes of the present row as they came, and rows that began with the prompt. */
static char first[sizeof(PROMPT)];
static size_t row_bytes;
static unsigned prompts;

static void count_prompt(char c)
{
	if (c == '\n')
		row_bytes = 0;
	else if (row_bytes < strlen(PROMPT))
		first[row_bytes++] = c;
	else
		return;
	prompts += row_bytes == strlen(PROMPT) && strcmp(first, PROMPT) == 0;
}

static void terminal_newline(void)
{
	size_t used = strlen(scrolled);
	size_t end = strlen(row);

	while (end > 0 && row[end - 1] == ' ')
		row[--end] = '\0';
	if (used + end + 2 < sizeof(scrolled))
		snprintf(scrolled + used, sizeof(scrolled) - used, "%s\n", row);
	memset(row, 0, sizeof(row));
	column = 0;
}

static void terminal_put(char c)
{
	if (c == '\n') {
		newline_column = column;
		terminal_newline();
	} else if (c == '\b') {
		assert_true(column > 0);
		column--;
	} else {
		assert_true(c >= 0x20 && c < 0x7f);
		assert_true(column < WIDTH);
		row[column++] = c;
	}
}

static void emit(const char *text, size_t length)
{
	static const char clear[] = "\x1b[H\x1b[2J";

	if (length == strlen(clear) && memcmp(text, clear, length) == 0) {
		clears++;
		memset(row, 0, sizeof(row));
		column = 0;
		return;
	}
	for (size_t i = 0; i < length; i++) {
		count_prompt(text[i]);
		terminal_put(text[i]);
	}
}

static const char *const names[] = { "audit", "balloon", "held", "help", "hold", "show_mem" };

static const char *name_after(const char *previous)
{
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		if (!previous || strcmp(names[i], previous) > 0)
			return names[i];
	}
	return NULL;
}

/* The person sees the prompt and the line, and the cursor at its place. */
static void assert_screen_matches(void)
{
	char expected[WIDTH + 1];
	size_t length;

	assert_true(edit.length <= LINE_MAX_LENGTH);
	assert_true(edit.cursor <= edit.length);
	assert_int_equal(strlen(edit.line), edit.length);
	length = (size_t)snprintf(expected, sizeof(expected), PROMPT "%s", edit.line);
	assert_memory_equal(row, expected, length);
	for (size_t i = length; i < WIDTH; i++)
		assert_true(row[i] == '\0' || row[i] == ' ');
	assert_int_equal(column, strlen(PROMPT) + edit.cursor);
}

static char complete_line[LINE_MAX_LENGTH + 1];
static unsigned complete_lines;

static void feed_byte(uint8_t byte)
{
	char *line = line_edit_feed(&edit, byte);

	if (line) {
		snprintf(complete_line, sizeof(complete_line), "%s", line);
		complete_lines++;
		memset(line, '#', strlen(line));
		line_edit_begin(&edit);
	}
	assert_screen_matches();
}

static void type(const char *text)
{
	for (; *text; text++)
		feed_byte((uint8_t)*text);
}

static void assert_line(const char *typed, const char *expected)
{
	complete_line[0] = '\0';
	type(typed);
	feed_byte('\r');
	assert_string_equal(complete_line, expected);
}

static int begin(void **state)
{
	(void)state;
	memset(row, 0, sizeof(row));
	memset(scrolled, 0, sizeof(scrolled));
	column = 0;
	clears = 0;
	complete_lines = 0;
	complete_line[0] = '\0';
	line_edit_init(&edit, PROMPT, emit, name_after);
	line_edit_begin(&edit);
	return 0;
}

#define UP "\x1b[A"
#define DOWN "\x1b[B"
#define RIGHT "\x1b[C"
#define LEFT "\x1b[D"

static void text_is_echoed_and_returned(void **state)
{
	(void)state;
	assert_line("show_mem -j", "show_mem -j");
	assert_line(" !~", " !~");
	assert_string_equal(scrolled, "> show_mem -j\n>  !~\n");
}

static void cr_lf_and_crlf_each_end_one_line(void **state)
{
	(void)state;
	type("a\rb\nc\r\nd\r\r\n\n");
	assert_int_equal(complete_lines, 6);
	assert_string_equal(scrolled, "> a\n> b\n> c\n> d\n>\n>\n");
}

static void backspace_and_del_erase_to_the_left(void **state)
{
	(void)state;
	assert_line("abc\b\x7f"
		    "d",
		    "ad");
	assert_line("\b\b\x7f", "");
	assert_line("abc" LEFT "\b", "ac");
}

static void arrows_and_control_keys_move(void **state)
{
	(void)state;
	assert_line("ac" LEFT "b" RIGHT "d", "abcd");
	assert_line("bc\x01"
		    "a\x05"
		    "d",
		    "abcd");
	assert_line("ac\x02"
		    "b\x06"
		    "d",
		    "abcd");
	assert_line("a" LEFT LEFT LEFT RIGHT RIGHT RIGHT "b", "ab");
	assert_line("\x1bOD\x1bOCa\x1bOD"
		    "b",
		    "ba");
}

static void every_form_of_home_and_end_works(void **state)
{
	static const char *const homes[] = { "\x1b[H", "\x1b[1~", "\x1b[7~", "\x1bOH" };
	static const char *const ends[] = { "\x1b[F", "\x1b[4~", "\x1b[8~", "\x1bOF" };
	char typed[32];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(homes); i++) {
		snprintf(typed, sizeof(typed), "bc%sa%sd", homes[i], ends[i]);
		assert_line(typed, "abcd");
	}
}

static void delete_erases_under_the_cursor(void **state)
{
	(void)state;
	assert_line("abc\x01\x1b[3~", "bc");
	assert_line("abc\x1b[3~", "abc");
	assert_line("abc\x01\x1b[3~d", "dbc");
}

static void whole_parts_are_erased(void **state)
{
	(void)state;
	assert_line("abc def" LEFT LEFT "\x0b", "abc d");
	assert_line("abc def" LEFT LEFT "\x15", "ef");
	assert_line("abc def  \x17"
		    "x",
		    "abc x");
	assert_line("abc\x17\x17", "");
	assert_line("abc def" LEFT "\x17", "abc f");
}

static void ctrl_l_clears_and_shows_the_line_again(void **state)
{
	(void)state;
	type("abc" LEFT "\x0c");
	assert_int_equal(clears, 1);
	assert_line("x", "abxc");
}

/* What is shown next would stand in the rows of a line that has more than one. */
static void a_line_is_left_at_its_end(void **state)
{
	(void)state;
	type("abcd" LEFT LEFT "\r");
	assert_int_equal(newline_column, strlen(PROMPT "abcd"));
	type("abcd\x01\x03");
	assert_int_equal(newline_column, strlen(PROMPT "abcd^C"));
}

static void ctrl_c_drops_the_line(void **state)
{
	(void)state;
	type("exit 1" LEFT "\x03");
	assert_int_equal(complete_lines, 0);
	assert_string_equal(scrolled, "> exit 1^C\n");
	assert_line("a", "a");
}

static void history_goes_back_and_forth(void **state)
{
	(void)state;
	type("one\rtwo\r\r  \rtwo\rthree\r");
	assert_line(UP UP, "two");
	/* "two" is now the newest, and was kept once before. */
	assert_line(UP UP UP UP, "one");
	assert_line("draft" UP UP DOWN DOWN, "draft");
	assert_line("x" DOWN, "x");
	assert_line(UP "y", "xy");
}

static void a_line_that_comes_again_at_once_is_kept_once(void **state)
{
	(void)state;
	type("a\ra\rb\rb\r");
	assert_line(UP UP, "a");
	assert_line(UP UP UP UP UP, "a");
}

/* They have no room beside each other. */
static void a_long_line_gives_way_to_a_long_one_of_history(void **state)
{
	char line[201];

	(void)state;
	memset(line, 'a', 200);
	line[200] = '\0';
	assert_line(line, line);
	memset(line, 'b', 200);
	type(line);
	memset(line, 'a', 200);
	assert_line(UP, line);
	assert_int_equal(edit.dropped_lines, 0);
}

static void an_edited_old_line_leaves_history_alone(void **state)
{
	(void)state;
	type("one\rtwo\r" UP "!" UP DOWN "\r");
	assert_string_equal(complete_line, "two");
}

static void history_keeps_32_lines(void **state)
{
	char line[24];

	(void)state;
	for (int i = 0; i < 100; i++) {
		snprintf(line, sizeof(line), "line %d\r", i);
		type(line);
	}
	for (int i = 0; i < 50; i++)
		type(UP);
	assert_line("", "line 68");
}

static void tab_completes_a_unique_name_with_a_blank(void **state)
{
	(void)state;
	assert_line("sh\t-j", "show_mem -j");
	assert_line("audit; ba\tfloor", "audit; balloon floor");
	assert_line("audit;ba\t", "audit;balloon ");
	assert_line(" ba\t", " balloon ");
	assert_line(" help ba\t", " help balloon ");
	assert_line("audit; help ba\t", "audit; help balloon ");
	assert_line("audit;help ba\t", "audit;help balloon ");
	assert_line("help  sh\t", "help  show_mem ");
	assert_line("-j\x01sh\t", "show_mem -j");
}

static void tab_completes_what_several_names_share(void **state)
{
	(void)state;
	/* held, help, hold: h; then held, help: hel */
	type("h\t");
	assert_string_equal(edit.line, "h");
	assert_string_equal(scrolled, "");
	type("e\t");
	assert_string_equal(edit.line, "hel");
	assert_string_equal(scrolled, "");
}

static void a_second_tab_lists_the_names(void **state)
{
	(void)state;
	type("x\x01hel\t\t");
	assert_string_equal(scrolled, "> helx\nheld  help\n");
	assert_line("d \x05", "held x");
}

/* They share nothing, and so nothing is typed for the person. */
static void on_an_empty_line_tab_lists_all_names(void **state)
{
	(void)state;
	type("\t");
	assert_string_equal(edit.line, "");
	type("\t");
	assert_string_equal(edit.line, "");
	assert_string_equal(scrolled, ">\naudit  balloon  held  help  hold  show_mem\n");
}

static void tabs_with_something_between_do_not_list(void **state)
{
	(void)state;
	type("hel\tx\b\t");
	assert_string_equal(scrolled, "");
}

static void tab_does_nothing_where_no_name_belongs(void **state)
{
	(void)state;
	assert_line("hold sh\t\t", "hold sh");
	assert_line("xhelp sh\t\t", "xhelp sh");
	assert_line("frob\t\t", "frob");
	assert_line("held help sh\t", "held help sh");
	assert_line("helm sh\t", "helm sh");
}

static void tab_never_makes_a_line_too_long(void **state)
{
	char line[LINE_MAX_LENGTH + 1];

	(void)state;
	memset(line, ' ', sizeof(line));
	strcpy(line + LINE_MAX_LENGTH - 8, "sh");
	type(line);
	assert_line("\t", line);
	assert_int_equal(edit.dropped_lines, 0);
	/* The blank is the last that has room. */
	line[LINE_MAX_LENGTH - 9] = '\0';
	type(line);
	strcat(line, "show_mem ");
	assert_line("sh\t", line);
}

static void a_line_of_255_bytes_is_taken(void **state)
{
	char line[LINE_MAX_LENGTH + 1];

	(void)state;
	memset(line, 'x', sizeof(line));
	line[LINE_MAX_LENGTH] = '\0';
	assert_line(line, line);
	assert_int_equal(edit.dropped_lines, 0);
}

static void a_longer_line_is_dropped_whole_with_one_message(void **state)
{
	(void)state;
	for (int i = 0; i < 100000; i++)
		feed_byte((uint8_t)('a' + i % 26));
	type("; exit 1\x1b[A\t\x15\x7f\r\n");
	assert_int_equal(complete_lines, 0);
	assert_int_equal(edit.dropped_lines, 1);
	assert_non_null(strstr(scrolled, "\nline of more than 255 bytes: dropped\n"));
	assert_null(strstr(strstr(scrolled, "dropped") + 1, "dropped"));
	assert_line("held", "held");
}

static void ctrl_c_ends_a_line_that_is_too_long(void **state)
{
	(void)state;
	for (int i = 0; i < 300; i++)
		feed_byte('x');
	type("\x03");
	assert_line("held", "held");
	assert_int_equal(edit.dropped_lines, 0);
}

static void bytes_that_are_not_text_are_dropped_and_counted(void **state)
{
	(void)state;
	feed_byte('a');
	feed_byte(0);
	for (int byte = 0x80; byte <= 0xff; byte++)
		feed_byte((uint8_t)byte);
	type("\x04\x07\x1a\x1c");
	assert_int_equal(edit.dropped_bytes, 1 + 128 + 4);
	assert_int_equal(edit.length, 1);
}

static void a_line_with_such_bytes_is_dropped_whole(void **state)
{
	(void)state;
	type("exit");
	feed_byte(0);
	type(" 1\r\n");
	assert_int_equal(complete_lines, 0);
	assert_int_equal(edit.dropped_lines, 1);
	assert_non_null(strstr(scrolled, "\nline with bytes that are no text: dropped\n"));
	assert_line("held", "held");
}

static void ctrl_u_begins_such_a_line_anew(void **state)
{
	(void)state;
	feed_byte(0x80);
	type("exit\x15");
	assert_line("held", "held");
	assert_int_equal(edit.dropped_lines, 0);
}

static void unknown_sequences_are_swallowed(void **state)
{
	(void)state;
	assert_line("a\x1b[1;5Cb", "ab");
	assert_line("a\x1b[15~b", "ab");
	assert_line("a\x1b[2~b", "ab");
	assert_line("a\x1b[?25hb", "ab");
	assert_line("a\x1bxb", "ab");
	assert_line("a\x1bOPb", "ab");
	assert_line("a\x1b\x1b[Db", "ba");
	assert_line("a\x1b[@b", "ab");
	assert_line("a\x1b[ qb", "ab");
	assert_line("ac\x1b[1;5Db", "acb");
}

/* Whatever they are part of. */
static void in_a_sequence_too_such_bytes_are_counted(void **state)
{
	(void)state;
	type("a\x1b[\x1f");
	assert_int_equal(edit.dropped_bytes, 1);
	type("\x1b[");
	feed_byte(0x80);
	type("\x1b");
	feed_byte(0xff);
	assert_int_equal(edit.dropped_bytes, 3);
	type("b\r");
	assert_int_equal(edit.dropped_lines, 1);
}

static void a_sequence_that_does_not_end_is_given_up(void **state)
{
	(void)state;
	type("a\x1b[");
	for (int i = 0; i < 16; i++)
		feed_byte('1');
	assert_line("b", "ab");
	assert_line("a\x1b", "a");
	assert_line("a\x1b[1", "a");
	assert_line("a\x1b[\bb", "b");
}

static void what_comes_from_elsewhere_gets_rows_of_its_own(void **state)
{
	static const char text[] = "warning: odd\n";

	(void)state;
	type("show_xmem");
	type("\x1b[D\x1b[D\x1b[D");
	line_edit_interject(&edit, text, sizeof(text) - 1);
	assert_screen_matches();
	assert_non_null(strstr(scrolled, "> show_xmem\nwarning: odd\n"));
	/* The cursor is where it was. */
	type("\b");
	assert_string_equal(edit.line, "show_mem");
	assert_screen_matches();
}

/* What follows a half-typed line's prompt is that line, which is not answered yet. */
static void only_a_prompt_without_a_line_begins_a_row(void **state)
{
	static const char text[] = "warning: odd\n";
	unsigned before;

	(void)state;
	before = prompts;
	line_edit_interject(&edit, text, sizeof(text) - 1);
	assert_int_equal(prompts, before + 1);
	type("show_mem");
	line_edit_interject(&edit, text, sizeof(text) - 1);
	assert_int_equal(prompts, before + 1);
	assert_screen_matches();
}

/* Half random bytes, half keys: the screen is compared after each one. */
static void random_input_is_harmless(void **state)
{
	static const char *const keys[] = { UP,	       DOWN,  LEFT,   RIGHT,   "\x1b[H", "\x1b[F",
					    "\x1b[3~", "\t",  "\t\t", "\x15",  "\x17",	 "\x0b",
					    "\b",      "hel", "; ",   "help ", "\r",	 "\x0c" };

	(void)state;
	srand(2);
	for (int i = 0; i < 300000; i++) {
		if (rand() % 2)
			feed_byte((uint8_t)(rand() >> 4));
		else
			type(keys[(size_t)rand() % ARRAY_SIZE(keys)]);
	}
	/* Long lines too. */
	for (int i = 0; i < 300000; i++)
		feed_byte((uint8_t)(rand() % 300 ? 0x20 + rand() % 96 : rand() >> 4));
	type("\x03");
	assert_line("held", "held");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(text_is_echoed_and_returned, begin),
		cmocka_unit_test_setup(cr_lf_and_crlf_each_end_one_line, begin),
		cmocka_unit_test_setup(backspace_and_del_erase_to_the_left, begin),
		cmocka_unit_test_setup(arrows_and_control_keys_move, begin),
		cmocka_unit_test_setup(every_form_of_home_and_end_works, begin),
		cmocka_unit_test_setup(delete_erases_under_the_cursor, begin),
		cmocka_unit_test_setup(whole_parts_are_erased, begin),
		cmocka_unit_test_setup(ctrl_l_clears_and_shows_the_line_again, begin),
		cmocka_unit_test_setup(a_line_is_left_at_its_end, begin),
		cmocka_unit_test_setup(ctrl_c_drops_the_line, begin),
		cmocka_unit_test_setup(a_line_that_comes_again_at_once_is_kept_once, begin),
		cmocka_unit_test_setup(a_long_line_gives_way_to_a_long_one_of_history, begin),
		cmocka_unit_test_setup(history_goes_back_and_forth, begin),
		cmocka_unit_test_setup(an_edited_old_line_leaves_history_alone, begin),
		cmocka_unit_test_setup(history_keeps_32_lines, begin),
		cmocka_unit_test_setup(tab_completes_a_unique_name_with_a_blank, begin),
		cmocka_unit_test_setup(tab_completes_what_several_names_share, begin),
		cmocka_unit_test_setup(a_second_tab_lists_the_names, begin),
		cmocka_unit_test_setup(on_an_empty_line_tab_lists_all_names, begin),
		cmocka_unit_test_setup(tabs_with_something_between_do_not_list, begin),
		cmocka_unit_test_setup(tab_does_nothing_where_no_name_belongs, begin),
		cmocka_unit_test_setup(tab_never_makes_a_line_too_long, begin),
		cmocka_unit_test_setup(a_line_of_255_bytes_is_taken, begin),
		cmocka_unit_test_setup(a_longer_line_is_dropped_whole_with_one_message, begin),
		cmocka_unit_test_setup(ctrl_c_ends_a_line_that_is_too_long, begin),
		cmocka_unit_test_setup(bytes_that_are_not_text_are_dropped_and_counted, begin),
		cmocka_unit_test_setup(a_line_with_such_bytes_is_dropped_whole, begin),
		cmocka_unit_test_setup(ctrl_u_begins_such_a_line_anew, begin),
		cmocka_unit_test_setup(unknown_sequences_are_swallowed, begin),
		cmocka_unit_test_setup(in_a_sequence_too_such_bytes_are_counted, begin),
		cmocka_unit_test_setup(a_sequence_that_does_not_end_is_given_up, begin),
		cmocka_unit_test_setup(what_comes_from_elsewhere_gets_rows_of_its_own, begin),
		cmocka_unit_test_setup(only_a_prompt_without_a_line_begins_a_row, begin),
		cmocka_unit_test_setup(random_input_is_harmless, begin),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
