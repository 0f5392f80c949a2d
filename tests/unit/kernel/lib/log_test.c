/* SPDX-License-Identifier: BSD-2-Clause */
/* Tests of kernel/lib/log.c: what is shown, what is kept, what is escaped. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/time.h>

#include "kernel/lib/hooks.h"
#include "kernel/lib/log.h"

static uint64_t now;
static char shown[1024];
static size_t shown_length;

static uint64_t read_now(void)
{
	return now;
}

static void show(const char *text, size_t length)
{
	assert_true(shown_length + length < sizeof(shown));
	memcpy(shown + shown_length, text, length);
	shown_length += length;
	shown[shown_length] = '\0';
}

static char last[LOG_LINE_MAX + 2];
static uint64_t last_ns;
static size_t lines;

static void note_line(uint64_t ns, const char *line, void *arg)
{
	assert_ptr_equal(arg, &lines);
	assert_true(strlen(line) <= LOG_LINE_MAX);
	snprintf(last, sizeof(last), "%s", line);
	last_ns = ns;
	lines++;
}

static const char *newest(void)
{
	lines = 0;
	log_for_each(note_line, &lines);
	return last;
}

static int begin(void **state)
{
	(void)state;
	shown_length = 0;
	shown[0] = '\0';
	lib_set_console(show);
	lib_set_clock(read_now);
	return 0;
}

static void a_line_is_shown_and_kept_with_its_time(void **state)
{
	(void)state;
	now = 1234;
	log_info("pci: %d functions", 7);
	assert_string_equal(shown, "pci: 7 functions\n");
	assert_string_equal(newest(), "pci: 7 functions");
	assert_int_equal(last_ns, 1234);
}

static void a_warning_says_so(void **state)
{
	(void)state;
	log_warn("balloon: odd");
	assert_string_equal(shown, "warning: balloon: odd\n");
	assert_string_equal(newest(), "warning: balloon: odd");
}

static void a_debug_line_is_only_kept(void **state)
{
	(void)state;
	log_debug("virtio: %s", "quiet");
	assert_string_equal(shown, "");
	assert_string_equal(newest(), "virtio: quiet");
}

static void outside_text_is_escaped(void **state)
{
	(void)state;
	log_info("acpi: \x1b[2J\n\x80\xff\x7f~\x1f\t");
	assert_string_equal(shown, "acpi: \\x1b[2J\\x0a\\x80\\xff\\x7f~\\x1f\\x09\n");
	assert_string_equal(newest(), "acpi: \\x1b[2J\\x0a\\x80\\xff\\x7f~\\x1f\\x09");
}

static void a_long_line_is_cut(void **state)
{
	char text[LOG_LINE_MAX + 100];

	(void)state;
	memset(text, 'x', sizeof(text));
	text[LOG_LINE_MAX] = '\0';
	log_info("%s", text);
	assert_string_equal(newest(), text);
	text[LOG_LINE_MAX] = 'x';
	text[sizeof(text) - 1] = '\0';
	log_warn("%s", text);
	assert_int_equal(strlen(newest()), LOG_LINE_MAX);
	assert_int_equal(shown_length, 2 * (LOG_LINE_MAX + 1));
}

static void an_escape_is_not_cut_in_two(void **state)
{
	char text[LOG_LINE_MAX];

	(void)state;
	memset(text, 'x', sizeof(text));
	strcpy(text + LOG_LINE_MAX - 3, "\x1b");
	log_info("%s", text);
	assert_int_equal(strlen(newest()), LOG_LINE_MAX - 3);
	strcpy(text + LOG_LINE_MAX - 4, "\x1b");
	log_info("%s", text);
	assert_int_equal(strlen(newest()), LOG_LINE_MAX);
	assert_string_equal(newest() + LOG_LINE_MAX - 4, "\\x1b");
}

static char first[LOG_LINE_MAX + 1];

static void note_first(uint64_t ns, const char *line, void *arg)
{
	(void)ns;
	(void)arg;
	if (first[0] == '\0')
		snprintf(first, sizeof(first), "%s", line);
}

static void the_oldest_lines_make_room(void **state)
{
	size_t kept;

	(void)state;
	for (int i = 0; i < 1000; i++)
		log_debug("line %d", i);
	assert_string_equal(newest(), "line 999");
	kept = lines;
	assert_int_equal(kept, LOG_LINES);
	log_debug("line 1000");
	newest();
	assert_int_equal(lines, kept);
	first[0] = '\0';
	log_for_each(note_first, NULL);
	snprintf(last, sizeof(last), "line %d", (int)(1001 - kept));
	assert_string_equal(first, last);
}

/* The first test of all: nothing was logged before. */
static void a_full_log_drops_one_line_for_each_that_comes(void **state)
{
	size_t kept = 0;

	(void)state;
	do {
		log_debug("line %zu", kept);
		newest();
		assert_true(lines == kept || lines == kept + 1);
	} while (lines == ++kept);
	kept--;
	assert_int_equal(kept, LOG_LINES);
	for (size_t i = 1; i < 4; i++) {
		assert_int_equal(lines, kept);
		first[0] = '\0';
		log_for_each(note_first, NULL);
		snprintf(last, sizeof(last), "line %zu", i);
		assert_string_equal(first, last);
		log_debug("line %zu", kept + i);
		newest();
	}
}

static void log_again(uint64_t ns, const char *line, void *arg)
{
	(void)ns;
	(void)line;
	++*(size_t *)arg;
	log_debug("from the callback");
	log_debug("twice");
}

static void log_once(uint64_t ns, const char *line, void *arg)
{
	(void)ns;
	(void)line;
	if (++*(size_t *)arg == 1)
		log_debug("meanwhile");
}

static void what_is_logged_meanwhile_is_not_shown(void **state)
{
	size_t calls = 0;

	(void)state;
	log_info("%s", "");
	assert_string_equal(shown, "\n");
	assert_string_equal(newest(), "");
	log_for_each(log_once, &calls);
	assert_int_equal(calls, lines);
	assert_string_equal(newest(), "meanwhile");
}

/* Lines are overwritten under the reader: it ends, early rather than never. */
static void logging_while_the_log_is_read_ends(void **state)
{
	size_t calls = 0;

	(void)state;
	log_for_each(log_again, &calls);
	assert_true(calls > 0 && calls <= 256);
}

static void without_a_console_and_a_clock_a_line_is_kept(void **state)
{
	(void)state;
	lib_set_console(NULL);
	lib_set_clock(NULL);
	log_info("early");
	assert_string_equal(shown, "");
	assert_string_equal(newest(), "early");
	assert_int_equal(last_ns, 0);
}

/* ---- Interrupts: here they are signals ---- */

/* All of one letter, and long, so that most of the time goes into copying it. */
static void log_letters(char letter)
{
	char text[LOG_LINE_MAX + 1];

	memset(text, letter, LOG_LINE_MAX);
	text[LOG_LINE_MAX] = '\0';
	log_debug("%s", text);
}

static volatile sig_atomic_t interrupts;

static void interrupt(int number)
{
	static char letter = 'a';

	(void)number;
	/* More lines than the log has: what is being read or written is overtaken. */
	for (int i = 0; i < 300; i++)
		log_letters(letter);
	letter = letter == 'y' ? 'a' : (char)(letter + 1);
	interrupts++;
}

static void check_letters(uint64_t ns, const char *line, void *arg)
{
	(void)ns;
	++*(size_t *)arg;
	assert_int_equal(strlen(line), LOG_LINE_MAX);
	assert_int_equal(strspn(line, (char[]){ line[0], '\0' }), LOG_LINE_MAX);
}

static void no_line_is_torn_by_an_interrupt_that_logs(void **state)
{
	const struct itimerval often = { { 0, 2000 }, { 0, 2000 } }, never = { { 0 }, { 0 } };
	size_t calls = 0;

	(void)state;
	for (int i = 0; i < 300; i++)
		log_letters('z');
	interrupts = 0;
	signal(SIGALRM, interrupt);
	setitimer(ITIMER_REAL, &often, NULL);
	while (interrupts < 100) {
		log_letters('z');
		log_for_each(check_letters, &calls);
	}
	setitimer(ITIMER_REAL, &never, NULL);
	signal(SIGALRM, SIG_DFL);
	assert_true(calls > 256);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(a_full_log_drops_one_line_for_each_that_comes, begin),
		cmocka_unit_test_setup(a_line_is_shown_and_kept_with_its_time, begin),
		cmocka_unit_test_setup(a_warning_says_so, begin),
		cmocka_unit_test_setup(a_debug_line_is_only_kept, begin),
		cmocka_unit_test_setup(outside_text_is_escaped, begin),
		cmocka_unit_test_setup(a_long_line_is_cut, begin),
		cmocka_unit_test_setup(an_escape_is_not_cut_in_two, begin),
		cmocka_unit_test_setup(the_oldest_lines_make_room, begin),
		cmocka_unit_test_setup(what_is_logged_meanwhile_is_not_shown, begin),
		cmocka_unit_test_setup(logging_while_the_log_is_read_ends, begin),
		cmocka_unit_test_setup(without_a_console_and_a_clock_a_line_is_kept, begin),
		cmocka_unit_test_setup(no_line_is_torn_by_an_interrupt_that_logs, begin),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
