/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tools/balloonctl/command.c and commands.c: what all commands have in common,
 * whatever each of them does.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <getopt.h>

#include "tests/unit/tools/balloonctl/fake_qemu.h"
#include "tools/balloonctl/command.h"

#define NOWHERE "/nonexistent/x"

static void command_is_found_by_its_whole_name(void **state)
{
	(void)state;
	for (size_t i = 0; commands[i]; i++)
		assert_ptr_equal(command_find(commands[i]->name), commands[i]);
	assert_null(command_find("sta"));
	assert_null(command_find("statusx"));
	assert_null(command_find(""));
}

static void help_is_all_that_is_done(void **state)
{
	(void)state;
	for (size_t i = 0; commands[i]; i++) {
		struct outcome got = run_command(NOWHERE, commands[i]->name, "--help", NULL);

		assert_int_equal(got.status, EXIT_REACHED);
		assert_string_equal(got.out, commands[i]->help);
		assert_string_equal(got.err, "");
		got = run_command(NOWHERE, commands[i]->name, "-h", NULL);
		assert_int_equal(got.status, EXIT_REACHED);
	}
}

static void help_names_the_command_and_its_options(void **state)
{
	char words[64];

	(void)state;
	for (size_t i = 0; commands[i]; i++) {
		const struct option *option = commands[i]->options;

		snprintf(words, sizeof(words), " %s ", commands[i]->name);
		assert_says(commands[i]->help, words);
		for (; option->name; option++) {
			snprintf(words, sizeof(words), "--%s", option->name);
			if (option->val != 'h')
				assert_says(commands[i]->help, words);
		}
	}
}

/* A terminal has 80 columns. */
static void assert_narrow(const char *name, const char *text)
{
	for (const char *line = text; *line; line += strcspn(line, "\n"), line += *line == '\n') {
		size_t length = strcspn(line, "\n");

		if (length > 80 || memchr(line, '\t', length))
			fail_msg("%s: %zu columns: %.*s", name, length, (int)length, line);
	}
}

static void help_fits_80_columns(void **state)
{
	(void)state;
	for (size_t i = 0; commands[i]; i++) {
		char line[200];

		assert_narrow(commands[i]->name, commands[i]->help);
		/* As `balloonctl --help` prints it. */
		snprintf(line, sizeof(line), "  %-8s %-32s %s", commands[i]->name,
			 commands[i]->arguments, commands[i]->summary);
		assert_narrow(commands[i]->name, line);
	}
}

static void first_mistake_is_the_one_that_is_told(void **state)
{
	struct outcome got = run_command(NOWHERE, "status", "--nonsense", "--help", NULL);

	(void)state;
	assert_int_equal(got.status, EXIT_USAGE);
	assert_string_equal(got.out, "");
	assert_says(got.err, "--nonsense is not understood");
	got = run_command(NOWHERE, "record", "a", "b", "--for", "soon", NULL);
	assert_int_equal(got.status, EXIT_USAGE);
	assert_says(got.err, "--for soon");
	assert_null(strstr(got.err, "too much"));
}

static void guest_is_opened_only_for_a_command_that_needs_it(void **state)
{
	(void)state;
	assert_int_equal(run_command(NOWHERE, "status", NULL).status, EXIT_NO_CONNECT);
	assert_int_equal(run_command(NOWHERE, "give", "0", NULL).status, EXIT_NO_CONNECT);
	assert_int_equal(run_command(NOWHERE, "dump", "/dev/null", NULL).status, EXIT_BAD_FILE);
	assert_int_equal(run_command(NOWHERE, "dump", "--live", NULL).status, EXIT_NO_CONNECT);
}

/* A request that was left from the run before would be JSON again. */
static void each_run_begins_with_the_defaults(void **state)
{
	const struct fake_qemu qemu = { 0 };

	(void)state;
	assert_says(RUN_AGAINST(&qemu, "status", "--json").out, "{\"guest\":");
	assert_null(strchr(RUN_AGAINST(&qemu, "status").out, '{'));
}

/* Where stdout and stderr are one file. */
static void complaint_stands_after_what_was_printed_before_it(void **state)
{
	int saved[2], number;
	FILE *file = tmpfile();
	char text[80] = "";

	(void)state;
	assert_non_null(file);
	fflush(NULL);
	for (number = 0; number < 2; number++) {
		saved[number] = dup(number + 1);
		dup2(fileno(file), number + 1);
	}
	printf("printed\n");
	complain("%d\t", 7);
	printf("printed\n");
	fflush(stdout);
	while (number--) {
		dup2(saved[number], number + 1);
		close(saved[number]);
	}
	assert_true(pread(fileno(file), text, sizeof(text) - 1, 0) > 0);
	assert_string_equal(text, "printed\nballoonctl: 7\\x09\nprinted\n");
	fclose(file);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(command_is_found_by_its_whole_name),
		cmocka_unit_test(help_is_all_that_is_done),
		cmocka_unit_test(help_names_the_command_and_its_options),
		cmocka_unit_test(help_fits_80_columns),
		cmocka_unit_test(first_mistake_is_the_one_that_is_told),
		cmocka_unit_test(guest_is_opened_only_for_a_command_that_needs_it),
		cmocka_unit_test(each_run_begins_with_the_defaults),
		cmocka_unit_test(complaint_stands_after_what_was_printed_before_it),
	};

	return cmocka_run_group_tests_name("balloonctl/command", tests, NULL, NULL);
}
