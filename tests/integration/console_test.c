/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The serial line as a person, a script and an enemy use it. Anything that is not
 * a command is dropped and never obeyed; the prompt always comes back.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/integration/harness.h"

#define EXIT_OF(n) ((n) << 1 | 1) /* isa-debug-exit */
#define PANIC_EXIT EXIT_OF(101)
#define BALLOON_LINE "Balloon InflatedTotal:0kB InflatedFree:0kB"

static void type(struct vm *vm, const char *text)
{
	assert_int_equal(vm_send(vm, text, strlen(text)), 0);
}

/* Ends whatever was half typed; afterwards a command must work. */
static void check_alive(struct vm *vm)
{
	type(vm, "\r\003\r");
	harness_command_says(vm, "audit", "Ledger: ok (");
	harness_command_says(vm, "show_mem", BALLOON_LINE);
}

static void random_bytes_are_not_obeyed(void **state)
{
	struct vm *vm = harness_boot(&(struct guest_options){ .mem = "64M" });
	unsigned char bytes[8192];

	(void)state;
	srandom(20260102);
	for (int round = 0; round < 4; round++) {
		for (size_t i = 0; i < sizeof(bytes); i++)
			bytes[i] = (unsigned char)random();
		assert_int_equal(vm_send(vm, bytes, sizeof(bytes)), 0);
		check_alive(vm);
	}
	harness_stop(vm);
}

static void zero_bytes_are_not_obeyed(void **state)
{
	static const char zeros[4096];
	struct vm *vm = harness_boot(&(struct guest_options){ .mem = "64M" });

	(void)state;
	assert_int_equal(vm_send(vm, zeros, sizeof(zeros)), 0);
	check_alive(vm);
	assert_int_equal(vm_send(vm, "exit\0 3\r", 8), 0);
	check_alive(vm);
	harness_stop(vm);
}

static void a_line_without_end_is_not_obeyed(void **state)
{
	struct vm *vm = harness_boot(&(struct guest_options){ .mem = "64M" });
	static char line[100000];

	(void)state;
	memset(line, 'x', sizeof(line));
	/* Neither its beginning nor its end is a command. */
	memcpy(line, "exit 3;", 7);
	memcpy(line + sizeof(line) - 8, "; exit 3", 8);
	assert_int_equal(vm_send(vm, line, sizeof(line)), 0);
	check_alive(vm);
	harness_stop(vm);
}

static void wrong_commands_get_an_answer(void **state)
{
	static const char *const lines[] = {
		"no_such_command",
		"hold",
		"hold banana",
		"hold -1",
		"hold 99999999999999999999",
		"hold 1M 77",
		"release 4711",
		"balloon floor",
		"exit banana",
		"show_mem -x",
	};
	struct vm *vm = harness_boot(&(struct guest_options){ .mem = "64M" });

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		char *answer = harness_command(vm, lines[i]);

		if (strspn(answer, " \n") == strlen(answer))
			fail_msg("no answer to '%s'", lines[i]);
		free(answer);
	}
	check_alive(vm);
	harness_stop(vm);
}

static void outside_text_cannot_steer_the_terminal(void **state)
{
	struct vm *vm = harness_boot(
		&(struct guest_options){ .mem = "64M", .append = "evil=\033[2Jend" });
	char *text = harness_command(vm, "boot");

	(void)state;
	assert_non_null(strstr(text, "evil="));
	assert_null(strchr(text, '\033'));
	free(text);
	harness_stop(vm);
}

static void break_and_m_print_show_mem_at_the_prompt(void **state)
{
	struct vm *vm = harness_boot(&(struct guest_options){ .mem = "64M" });

	(void)state;
	assert_int_equal(vm_send_break(vm), 0);
	type(vm, "m");
	assert_int_equal(vm_expect(vm, BALLOON_LINE, VM_TIMEOUT_MS, NULL), 0);
	assert_int_equal(vm_expect(vm, "Ledger: ok (", VM_TIMEOUT_MS, NULL), 0);
	check_alive(vm);
	harness_stop(vm);
}

/* Whether show_mem came before the word of the command that ran. */
static bool break_beats_command(struct vm *vm)
{
	bool first;
	char *text;

	type(vm, "hold 700M\r");
	assert_int_equal(vm_expect(vm, "hold 700M", VM_TIMEOUT_MS, NULL), 0);
	/* A break overtakes what QEMU still holds: the end of the line must be through. */
	assert_int_equal(vm_expect(vm, "\n", VM_TIMEOUT_MS, NULL), 0);
	assert_int_equal(vm_send_break(vm), 0);
	type(vm, "m");
	assert_int_equal(vm_expect(vm, BALLOON_LINE, VM_TIMEOUT_MS, &text), 0);
	first = !strstr(text, "held ");
	free(text);
	if (first)
		assert_int_equal(vm_expect(vm, "held ", VM_TIMEOUT_MS, NULL), 0);
	type(vm, "\r");
	harness_command_says(vm, "release all", "pattern intact");
	return first;
}

/* On a loaded machine our Break can be late: a few tries, one must be first. */
static void break_and_m_print_show_mem_while_a_command_runs(void **state)
{
	struct vm *vm = harness_boot(&(struct guest_options){ .mem = "1G" });
	bool first = false;

	(void)state;
	for (int i = 0; i < 10 && !first; i++)
		first = break_beats_command(vm);
	assert_true(first);
	harness_stop(vm);
}

static void history_and_editing_keys_work(void **state)
{
	struct vm *vm = harness_boot(&(struct guest_options){ .mem = "64M" });

	(void)state;
	harness_command_says(vm, "audit", "Ledger: ok (");
	/* Arrow up: the last line again. */
	type(vm, "\033[A\r");
	assert_int_equal(vm_expect(vm, "Ledger: ok (", VM_TIMEOUT_MS, NULL), 0);
	harness_wait_prompt(vm, NULL);
	/* Ctrl-U: what was typed is gone. */
	type(vm, "exit 3\025audit\r");
	assert_int_equal(vm_expect(vm, "Ledger: ok (", VM_TIMEOUT_MS, NULL), 0);
	harness_wait_prompt(vm, NULL);
	/* Home, and a letter put before the others. */
	type(vm, "udit\033[Ha\r");
	assert_int_equal(vm_expect(vm, "Ledger: ok (", VM_TIMEOUT_MS, NULL), 0);
	harness_wait_prompt(vm, NULL);
	/* Tab: the only command that begins so. */
	type(vm, "audi\t\r");
	assert_int_equal(vm_expect(vm, "Ledger: ok (", VM_TIMEOUT_MS, NULL), 0);
	harness_wait_prompt(vm, NULL);
	harness_stop(vm);
}

static void every_command_has_help_and_answers(void **state)
{
	static const char *const commands[] = {
		"help",	    "help show_mem", "show_mem", "owners",  "audit", "balloon",
		"features", "lspci",	     "lspci -v", "virtio",  "held",  "uptime",
		"ps",	    "dmesg",	     "boot",	 "version", "lsmem", "lsblk",
	};
	struct vm *vm = harness_boot(&(struct guest_options){ .mem = "64M" });

	(void)state;
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		char *answer = harness_command(vm, commands[i]);

		if (strspn(answer, " \n") == strlen(answer))
			fail_msg("no answer to '%s'", commands[i]);
		free(answer);
	}
	harness_command_says(vm, "lspci", "1af4:1002");
	harness_command_says(vm, "balloon", "InflatedTotal: 0 kB");
	harness_stop(vm);
}

/*
 * Types a line whose command takes long, and Ctrl-C; there must be a prompt again. A Ctrl-C
 * that comes before the command has begun is no interruption: then another.
 */
static void check_ctrl_c(struct vm *vm, const char *line)
{
	int tries = 60;

	type(vm, line);
	type(vm, "\r");
	assert_int_equal(vm_expect(vm, line, VM_TIMEOUT_MS, NULL), 0);
	do {
		type(vm, "\003");
		assert_true(--tries > 0);
	} while (vm_expect(vm, "^C", 1000, NULL));
	harness_wait_prompt(vm, NULL);
}

/* What it says when Ctrl-C comes while it runs: on a fast machine it may be over before. */
static void check_says_interrupted(struct vm *vm, const char *before, const char *line,
				   const char *says)
{
	char *answer;
	bool said = false;

	for (int tries = 0; tries < 20 && !said; tries++) {
		free(harness_command(vm, before));
		type(vm, line);
		type(vm, "\r");
		assert_int_equal(vm_expect(vm, line, VM_TIMEOUT_MS, NULL), 0);
		assert_int_equal(vm_expect(vm, "\n", VM_TIMEOUT_MS, NULL), 0);
		type(vm, "\003");
		harness_wait_prompt(vm, &answer);
		said = strstr(answer, says);
		free(answer);
		/* If it came too late, it has ended the empty line. */
		type(vm, "\r");
		harness_wait_prompt(vm, NULL);
		harness_command_says(vm, "audit", "Ledger: ok (");
	}
	if (!said)
		fail_msg("`%s` never says \"%s\"", line, says);
}

static void long_commands_obey_ctrl_c(void **state)
{
	struct vm *vm = harness_boot(&(struct guest_options){ .mem = "4G" });

	(void)state;
	check_says_interrupted(vm, "held", "heap 3G", "heap: interrupted\n");
	check_says_interrupted(vm, "held", "hold 3G", "hold: interrupted; nothing is held\n");
	check_says_interrupted(vm, "held", "hold 1G 18", "hold: interrupted; nothing is held\n");
	check_says_interrupted(vm, "release all; hold 2G", "release all",
			       "interrupted; not all was verified\n");
	harness_command_says(vm, "held", "nothing is held");
	harness_stop(vm);
}

static void sleep_takes_its_time_unless_it_is_interrupted(void **state)
{
	struct vm *vm = harness_boot(&(struct guest_options){ .mem = "64M" });
	char *answer = harness_command(vm, "sleep 0.2");

	(void)state;
	assert_string_equal(answer, "");
	free(answer);
	harness_command_says(vm, "sleep 1m", "sleep: 1m is no time; write a number of seconds");
	harness_command_says(vm, "sleep", "usage: sleep SECONDS");
	check_ctrl_c(vm, "sleep 100000");
	harness_stop(vm);
}

/* What the guest ends with after it has waited. */
static void check_wait_ends_with(struct vm *vm, const char *line, int status)
{
	type(vm, line);
	harness_wait_status(vm, EXIT_OF(status));
	harness_stop(vm);
}

static void balloon_wait_ends_when_the_target_is_reached(void **state)
{
	struct vm *vm = harness_boot(&(struct guest_options){ .mem = "256M" });
	char *answer;

	(void)state;
	harness_set_target(vm, 100 * MIB);
	/* The guest may not have heard of it yet. */
	harness_command_says(vm, "sleep 0.5", "");
	answer = harness_command(vm, "balloon wait");
	assert_string_equal(answer, "");
	free(answer);
	harness_check_taken(vm, 100 * MIB, false);
	check_wait_ends_with(vm, "balloon wait 60; exit\r", 0);
}

static void balloon_wait_tells_why_a_target_is_not_reached(void **state)
{
	struct vm *vm = harness_boot(&(struct guest_options){ .mem = "64M" });

	(void)state;
	harness_set_target(vm, harness_ram(vm) - MIB);
	harness_command_says(vm, "sleep 0.5", "");
	check_ctrl_c(vm, "hold 1; balloon wait 1000");
	harness_command_says(vm, "balloon wait 0", "balloon: time is up: ");
	harness_command_says(vm, "balloon wait x", "balloon: x is no time;");
	check_wait_ends_with(vm, "balloon wait; exit\r", 3);
	vm = harness_boot(&(struct guest_options){ .mem = "64M" });
	harness_set_target(vm, harness_ram(vm) - MIB);
	check_wait_ends_with(vm, "sleep 0.5; balloon wait 0.5; exit\r", 4);
	vm = harness_boot(&(struct guest_options){ .mem = "64M", .balloon = "none" });
	check_wait_ends_with(vm, "balloon wait 1; exit\r", 5);
}

static void the_version_is_the_same_everywhere(void **state)
{
	struct vm *vm = harness_start(&(struct guest_options){ .mem = "64M" });
	char *text;

	(void)state;
	harness_wait_prompt(vm, &text);
	assert_non_null(strstr(text, "Aerostat " AEROSTAT_VERSION ": "));
	free(text);
	harness_command_says(vm, "version", "Aerostat " AEROSTAT_VERSION "\n");
	harness_command_says(vm, "version -j", "{\"version\":\"" AEROSTAT_VERSION "\"}\n");
	harness_command_says(vm, "show_mem -j", "{\"version\":\"" AEROSTAT_VERSION "\",");
	harness_stop(vm);
}

static void a_failed_assertion_says_what_and_where_and_ends_qemu(void **state)
{
	struct vm *vm = harness_boot(&(struct guest_options){ .mem = "64M" });

	(void)state;
	type(vm, "crash assert\r");
	harness_wait_status(vm, PANIC_EXIT);
	assert_true(vm_has_said(vm, "PANIC: kernel/crash_cmd.c:"));
	assert_true(vm_has_said(vm, ": fail_assertion: apples == 4 does not hold"));
	assert_true(vm_has_said(vm, "Ledger: ok ("));
	harness_stop(vm);
}

int console_tests(void)
{
	const struct CMUnitTest tests[] = {
		TEST(random_bytes_are_not_obeyed),
		TEST(zero_bytes_are_not_obeyed),
		TEST(a_line_without_end_is_not_obeyed),
		TEST(wrong_commands_get_an_answer),
		TEST(outside_text_cannot_steer_the_terminal),
		TEST(break_and_m_print_show_mem_at_the_prompt),
		TEST(break_and_m_print_show_mem_while_a_command_runs),
		TEST(history_and_editing_keys_work),
		TEST(every_command_has_help_and_answers),
		TEST(long_commands_obey_ctrl_c),
		TEST(sleep_takes_its_time_unless_it_is_interrupted),
		TEST(balloon_wait_ends_when_the_target_is_reached),
		TEST(balloon_wait_tells_why_a_target_is_not_reached),
		TEST(the_version_is_the_same_everywhere),
		TEST(a_failed_assertion_says_what_and_where_and_ends_qemu),
	};

	return cmocka_run_group_tests_name("console", tests, NULL, NULL);
}
