/* SPDX-License-Identifier: BSD-2-Clause */
/* drivers/xen/xenstore_cmd.c: what `xenstore` prints. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "arch/clock.h"
#include "tests/schema/assert_fits.h"
#include "tests/sim/sim_command.h"
#include "tests/unit/drivers/xen/xenstore_fixture.h"

static struct xenstore_node target, control;

static int tear_down(void **state)
{
	(void)state;
	sim_command_forget();
	return fixture_end() && !daemon_side.violation ? 0 : -1;
}

static void assert_prints(const char *line, int status, const char *text)
{
	assert_int_equal(sim_command(line), status);
	assert_string_equal(sim_command_text, text);
}

static void show_nothing(void *arg)
{
	(void)arg;
	assert_prints("xenstore", 0, "there is no store\n");
	assert_prints("xenstore -j", 0,
		      "{\"fault\":null,\"silent\":false,\"requests\":0,\"events\":0,\"unknown\":0,"
		      "\"nodes\":[]}\n");
	assert_fits("guest-xenstore", sim_command_text);
	assert_prints("xenstore read name", -ENODEV, "xenstore: name: there is no store\n");
	assert_prints("xenstore write name x", -ENODEV, "xenstore: name: there is no store\n");
	assert_prints("xenstore list", -EINVAL, "");
	assert_prints("xenstore read", -EINVAL, "");
	assert_prints("xenstore write name", -EINVAL, "");
}

static void without_a_store_it_says_so(void **state)
{
	(void)state;
	sim_tasks_run(show_nothing, NULL);
}

static void use(void *arg)
{
	(void)arg;
	assert_int_equal(xenstore_start(), 0);
	assert_prints("xenstore", 0,
		      "in use\n"
		      "1 requests, 0 events; 0 events or answers that nobody waited for\n");
	target = (struct xenstore_node){ .path = "memory/target" };
	control = (struct xenstore_node){ .path = "control/shutdown" };
	assert_int_equal(xenstore_follow(&target), 0);
	assert_int_equal(xenstore_follow(&control), 0);
	sim_xenstore_set_bytes(&daemon_side, "memory/target", "6\n\0", 3);
	task_sleep_until(clock_ns() + NS_PER_MS);
	assert_prints("xenstore", 0,
		      "in use\n"
		      "6 requests, 3 events; 0 events or answers that nobody waited for\n"
		      "  FOLLOWED             NEW   VALUE\n"
		      "  memory/target           2  6\\x0a\\x00\n"
		      "  control/shutdown        1  (none)\n");
	assert_prints(
		"xenstore -j", 0,
		"{\"fault\":null,\"silent\":false,\"requests\":6,\"events\":3,\"unknown\":0,"
		"\"nodes\":["
		"{\"path\":\"memory/target\",\"changes\":2,\"value\":\"6\\u000a\",\"cut\":false},"
		"{\"path\":\"control/shutdown\",\"changes\":1,\"value\":null,\"cut\":false}]}\n");
	assert_fits("guest-xenstore", sim_command_text);
	sim_xenstore_set(&daemon_side, "control/shutdown", "");
	task_sleep_until(clock_ns() + NS_PER_MS);
	assert_int_equal(sim_command("xenstore"), 0);
	assert_non_null(strstr(sim_command_text, "  control/shutdown        2  (empty)\n"));
}

static void what_is_followed_is_shown(void **state)
{
	(void)state;
	sim_tasks_run(use, NULL);
}

static void read_and_write(void *arg)
{
	(void)arg;
	assert_int_equal(xenstore_start(), 0);
	assert_prints("xenstore read name", 0, "guest\n");
	assert_prints("xenstore read /local/domain/1/bell", 0, "\\x07!\n");
	assert_prints("xenstore write data/x yes", 0, "");
	assert_prints("xenstore read data/x", 0, "yes\n");
	assert_prints("xenstore read nothing", -ENOENT,
		      "xenstore: nothing: there is no such node\n");
	assert_prints("xenstore read a//b", -ENOENT, "xenstore: a//b: this is no path\n");
	assert_prints("xenstore write /local/domain/0/x 1", -EACCES,
		      "xenstore: /local/domain/0/x: not allowed\n");
	daemon_side.lie = SIM_XENSTORE_ERROR_NAME;
	assert_prints("xenstore read name", -EIO,
		      "xenstore: name: the store refuses, or is not used any more\n");
	daemon_side.lie = SIM_XENSTORE_SILENT;
	assert_prints("xenstore read name", -ETIMEDOUT,
		      "xenstore: name: the store does not answer\n");
	assert_int_equal(sim_command("xenstore"), 0);
	assert_non_null(strstr(sim_command_text, "silent: it owes an answer\n10 requests"));
	assert_int_equal(sim_command("xenstore -j"), 0);
	assert_non_null(strstr(sim_command_text, "{\"fault\":null,\"silent\":true,"));
	assert_fits("guest-xenstore", sim_command_text);
}

static void be_lied_to(void *arg)
{
	(void)arg;
	assert_int_equal(xenstore_start(), 0);
	daemon_side.lie = SIM_XENSTORE_TRANSACTION;
	assert_prints("xenstore read name", -EIO,
		      "xenstore: name: the store refuses, or is not used any more\n");
	assert_int_equal(sim_command("xenstore"), 0);
	assert_non_null(
		strstr(sim_command_text, "not used any more: it answers in a transaction\n"));
	assert_int_equal(sim_command("xenstore -j"), 0);
	assert_non_null(strstr(sim_command_text,
			       "{\"fault\":\"it answers in a transaction\",\"silent\":false,"));
	assert_fits("guest-xenstore", sim_command_text);
}

static void a_store_that_was_given_up_is_shown_as_that(void **state)
{
	(void)state;
	sim_tasks_run(be_lied_to, NULL);
}

static void values_are_read_and_written(void **state)
{
	(void)state;
	sim_xenstore_set(&daemon_side, "bell", "\a!");
	sim_tasks_run(read_and_write, NULL);
}

static void write_too_much(void *arg)
{
	char line[] = "xenstore write n? x";
	int err = 0;

	(void)arg;
	assert_int_equal(xenstore_start(), 0);
	for (char c = 'a'; c <= 'z' && err == 0; c++) {
		line[16] = c;
		err = sim_command(line);
	}
	assert_int_equal(err, -ENOSPC);
	assert_non_null(strstr(sim_command_text, ": the domain has written too much\n"));
}

static void a_domain_that_writes_too_much_is_told(void **state)
{
	(void)state;
	sim_tasks_run(write_too_much, NULL);
}

static void show_long_value(void *arg)
{
	char text[XENSTORE_NODE_MAX + 20];

	(void)arg;
	memset(text, 'x', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	sim_xenstore_set(&daemon_side, "memory/target", text);
	assert_int_equal(xenstore_start(), 0);
	target = (struct xenstore_node){ .path = "memory/target" };
	assert_int_equal(xenstore_follow(&target), 0);
	assert_int_equal(sim_command("xenstore"), 0);
	assert_non_null(strstr(sim_command_text, "xxx...\n"));
	assert_int_equal(sim_command("xenstore -j"), 0);
	assert_non_null(strstr(sim_command_text, "xxx\",\"cut\":true}"));
}

static void a_value_that_was_cut_ends_in_dots(void **state)
{
	(void)state;
	sim_tasks_run(show_long_value, NULL);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(without_a_store_it_says_so),
		TEST(what_is_followed_is_shown),
		TEST(values_are_read_and_written),
		TEST(a_store_that_was_given_up_is_shown_as_that),
		TEST(a_domain_that_writes_too_much_is_told),
		TEST(a_value_that_was_cut_ends_in_dots),
	};

	return cmocka_run_group_tests_name("xenstore_cmd", tests, NULL, NULL);
}
