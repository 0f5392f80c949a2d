/* SPDX-License-Identifier: BSD-2-Clause */
/* drivers/balloon/balloon_cmd.c: what `balloon` and `stats` print and set, whatever the port. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "drivers/balloon/balloon_stats.h"
#include "kernel/lib/command.h"
#include "tests/unit/drivers/balloon/host_fixture.h"

static char *output;

static const struct command *find(const char *name)
{
	for (const struct command *c = __start_commands; c < __stop_commands; c++)
		if (strcmp(c->name, name) == 0)
			return c;
	fail_msg("no command %s", name);
	return NULL;
}

/* Runs a command with up to two arguments, and keeps what it printed in `output`. */
static int run(const char *name, const char *first, const char *second)
{
	char *argv[] = { (char *)(uintptr_t)name, (char *)(uintptr_t)first,
			 (char *)(uintptr_t)second, NULL };
	int argc = second ? 3 : first ? 2 : 1;
	FILE *console = stdout;
	size_t length;
	int err;

	free(output);
	output = NULL;
	stdout = open_memstream(&output, &length);
	assert_non_null(stdout);
	err = find(name)->run(argc, argv);
	fclose(stdout);
	stdout = console;
	return err;
}

static void assert_prints(const char *line)
{
	if (!strstr(output, line))
		fail_msg("\"%s\" is not in:\n%s", line, output);
}

static int tear_down_output(void **state)
{
	free(output);
	output = NULL;
	return tear_down_host(state);
}

#define CMD_TEST(name) cmocka_unit_test_setup_teardown(name, set_up_host, tear_down_output)

static void without_a_host_there_is_nothing_to_show(void **state)
{
	const struct balloon_config config = { 0 };

	(void)state;
	balloon_init(&config);
	assert_int_equal(run("balloon", NULL, NULL), -ENODEV);
	assert_prints("no usable balloon");
	assert_int_equal(run("stats", NULL, NULL), -ENODEV);
}

static void amounts_are_in_kilobytes_and_in_one_mode(void **state)
{
	(void)state;
	assert_int_equal(host_attach(1000), 0);
	host_wants(RAM_FRAMES);
	assert_int_equal(run("balloon", NULL, NULL), 0);
	assert_prints("InflatedTotal: 61536 kB\nInflatedFree: 0 kB\nTarget: 65536 kB\n"
		      "Actual: 61536 kB\nShortfall: 4000 kB\nFloor: 4000 kB\n");
	assert_prints("Strategy: auto (portable)\nInflated: 15384 frames in ");
	assert_null(strstr(output, "Refused"));
	assert_null(strstr(output, "BROKEN"));
	/* The other mode: the next host lets frames come back in need. */
	host_wants(0);
	host.terms.deflate_on_oom = true;
	balloon_detach();
	assert_int_equal(host_attach(NO_FLOOR), 0);
	host_wants(256);
	assert_int_equal(run("balloon", NULL, NULL), 0);
	assert_prints("InflatedTotal: 0 kB\nInflatedFree: 1024 kB\n");
}

static bool refuses_the_fourth(bool deflates, pfn_t pfn, enum balloon_refusal *why)
{
	*why = BALLOON_REFUSED_FRAME;
	return !deflates && pfn % 4 == 0;
}

static void refusals_and_a_host_that_is_broken_are_said(void **state)
{
	(void)state;
	assert_int_equal(host_attach(NO_FLOOR), 0);
	host.refuses = refuses_the_fourth;
	host.target = BLOCK_FRAMES;
	balloon_step();
	assert_int_equal(run("balloon", NULL, NULL), 0);
	assert_prints("Refused by the host: 128 frames for good, 0 as the target was reached, "
		      "0 for want of memory\n");
	host.fault = BALLOON_FAULT_RULES;
	settle();
	assert_int_equal(run("balloon", NULL, NULL), 0);
	assert_prints("BROKEN: it answered what no host may answer\n");
}

static void a_floor_is_set_or_refused_in_words(void **state)
{
	(void)state;
	assert_int_equal(host_attach(NO_FLOOR), 0);
	assert_int_equal(run("balloon", "floor", "4097"), 0);
	assert_int_equal(status().floor, 2);
	assert_int_equal(run("balloon", "floor", "much"), -ERANGE);
	assert_prints("much is no size");
	assert_int_equal(run("balloon", "floor", "1T"), -ERANGE);
	assert_prints("1T is more than this machine's memory of 65536 kB");
	assert_int_equal(status().floor, 2);
	assert_int_equal(run("balloon", "ceiling", "4097"), -EINVAL);
	assert_int_equal(run("balloon", "floor", NULL), -EINVAL);
}

/* What it needs is the port's word; the core's where the port has none. */
static void a_strategy_is_set_or_refused_in_words(void **state)
{
	(void)state;
	host.port.ranges_need = "a newer hypervisor";
	assert_int_equal(host_attach(NO_FLOOR), 0);
	assert_int_equal(run("balloon", "strategy", "whole-block"), 0);
	assert_int_equal(status().effective, BALLOON_WHOLE_BLOCK);
	assert_int_equal(run("balloon", "strategy", "range-first"), -ENOTSUP);
	assert_prints("range-first needs a newer hypervisor; nothing has changed\n");
	assert_int_equal(run("balloon", "strategy", "fast"), -ERANGE);
	assert_prints("unknown strategy fast; choose auto, portable, whole-block, range-first\n");
	assert_int_equal(status().effective, BALLOON_WHOLE_BLOCK);
}

static void the_last_statistics_are_shown_with_their_age(void **state)
{
	static const struct balloon_stat stats[] = { { "free-memory", 4, 123456 },
						     { "swap-in", 0, 7 } };

	(void)state;
	assert_int_equal(host_attach(NO_FLOOR), 0);
	assert_int_equal(run("stats", NULL, NULL), -ENODEV);
	assert_prints("stats: the host takes no statistics\n");
	balloon_stats_keep(stats, 2, true);
	sim_time_advance(3 * NS_PER_S);
	assert_int_equal(run("stats", NULL, NULL), 0);
	assert_prints("stat-free-memory                     123456  (tag 4)\n");
	assert_prints("Asked by the host: 1 times; this report is 3000 ms old\n");
	assert_int_equal(run("stats", "all", NULL), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CMD_TEST(without_a_host_there_is_nothing_to_show),
		CMD_TEST(amounts_are_in_kilobytes_and_in_one_mode),
		CMD_TEST(refusals_and_a_host_that_is_broken_are_said),
		CMD_TEST(a_floor_is_set_or_refused_in_words),
		CMD_TEST(a_strategy_is_set_or_refused_in_words),
		CMD_TEST(the_last_statistics_are_shown_with_their_age),
	};

	return cmocka_run_group_tests_name("balloon_cmd", tests, set_up_ram, NULL);
}
