/* SPDX-License-Identifier: BSD-2-Clause */
/* drivers/balloon/balloon_cmd.c: what settings do, and what a refused one leaves alone. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "drivers/balloon/balloon_reclaim.h"
#include "drivers/balloon/balloon_cmd.h"
#include "drivers/balloon/balloon_state_internal.h"
#include "tests/sim/sim_command.h"
#include "tests/unit/drivers/balloon/host_fixture.h"

static void assert_prints(const char *text)
{
	if (!strstr(sim_command_text, text))
		fail_msg("\"%s\" is not in:\n%s", text, sim_command_text);
}

static void a_machine_without_a_balloon_is_told(void **state)
{
	(void)state;
	start(0, NO_FLOOR);
	end_driver();
	assert_int_equal(sim_command("balloon"), -ENODEV);
	assert_string_equal(sim_command_text,
			    "balloon: the machine has no usable balloon device\n");
	assert_int_equal(sim_command("balloon floor 1M"), -ENODEV);
	/* As `help balloon` has it. */
	assert_int_equal(sim_command("balloon wait"), 5);
	assert_int_equal(sim_command("balloon wait 1"), 5);
}

static void there_is_nothing_to_wait_for_at_the_target(void **state)
{
	(void)state;
	start(0, NO_FLOOR);
	go_to(100);
	assert_int_equal(sim_command("balloon wait"), 0);
	assert_int_equal(sim_command("balloon wait 1"), 0);
	assert_int_equal(sim_command("balloon wait 1 2"), -EINVAL);
	assert_int_equal(sim_command("balloon 1 2"), -EINVAL);
}

static void a_floor_is_rounded_up_and_shown(void **state)
{
	(void)state;
	start(0, NO_FLOOR);
	assert_int_equal(sim_command("balloon floor 4097"), 0);
	assert_string_equal(sim_command_text, "");
	assert_int_equal(status().floor, 2);
	assert_int_equal(sim_command("balloon"), 0);
	assert_prints("Floor: 8 kB\n");
}

static void a_wrong_floor_changes_nothing(void **state)
{
	(void)state;
	start(0, NO_FLOOR);
	assert_int_equal(sim_command("balloon floor 3M"), 0);
	assert_int_equal(sim_command("balloon floor 1T"), -ERANGE);
	assert_string_equal(sim_command_text,
			    "balloon: 1T is more than this machine's memory of 65536 kB\n");
	assert_int_equal(sim_command("balloon floor much"), -ERANGE);
	assert_string_equal(sim_command_text,
			    "balloon: much is no size; write 64M, 1.5G or a number of bytes\n");
	assert_int_equal(status().floor, 3 * MIB / FRAME_SIZE);
}

static void a_strategy_that_cannot_be_had_changes_nothing(void **state)
{
	(void)state;
	start(0, NO_FLOOR);
	assert_int_equal(sim_command("balloon strategy whole-block"), 0);
	assert_int_equal(sim_command("balloon strategy range-first"), -ENOTSUP);
	assert_string_equal(
		sim_command_text,
		"balloon: range-first needs a device with REPORTING; nothing has changed\n");
	assert_int_equal(sim_command("balloon strategy fast"), -ERANGE);
	assert_string_equal(sim_command_text,
			    "balloon: unknown strategy fast; choose auto, portable, whole-block, "
			    "range-first\n");
	assert_int_equal(sim_command("balloon"), 0);
	assert_prints("Strategy: whole-block (whole-block)\n");
	/* What is shown is what is done: a block goes as one request. */
	go_to(BLOCK_FRAMES);
	assert_int_equal(sim_command("balloon"), 0);
	assert_prints("Inflated: 512 frames in 1 requests\n");
}

static void other_words_are_refused(void **state)
{
	(void)state;
	start(0, NO_FLOOR);
	assert_int_equal(sim_command("balloon floor"), -EINVAL);
	assert_int_equal(sim_command("balloon ceiling 1M"), -EINVAL);
	assert_int_equal(sim_command("stats all"), -EINVAL);
	assert_string_equal(sim_command_text, "");
}

static void a_device_without_statistics_is_told(void **state)
{
	(void)state;
	start(0, NO_FLOOR);
	assert_int_equal(sim_command("stats"), -ENODEV);
	assert_string_equal(sim_command_text, "stats: the host takes no statistics\n");
}

static void statistics_are_shown_with_their_tags(void **state)
{
	(void)state;
	sim_time_advance(3600 * NS_PER_S);
	start(STATS_VQ, NO_FLOOR);
	sim_time_advance(1234 * NS_PER_MS);
	assert_int_equal(sim_command("stats"), 0);
	assert_prints("stat-swap-in                              0  (tag 0)\n"
		      "stat-swap-out                             0  (tag 1)\n"
		      "stat-major-faults                         0  (tag 2)\n"
		      "stat-minor-faults                         0  (tag 3)\n"
		      "stat-free-memory                   67");
	assert_prints("  (tag 4)\nstat-total-memory                  67108864  (tag 5)\n"
		      "stat-available-memory              67");
	assert_prints("  (tag 6)\n"
		      "stat-disk-caches                          0  (tag 7)\n"
		      "stat-htlb-pgalloc                         0  (tag 8)\n"
		      "stat-htlb-pgfail                          0  (tag 9)\n"
		      "stat-oom-kills                            0  (tag 10)\n"
		      "stat-alloc-stalls                         0  (tag 11)\n"
		      "stat-async-scans                          0  (tag 12)\n"
		      "stat-direct-scans                         0  (tag 13)\n"
		      "stat-async-reclaims                       0  (tag 14)\n"
		      "stat-direct-reclaims                      0  (tag 15)\n"
		      "Asked by the host: 0 times; this report is 1234 ms old\n");
	assert_int_equal(sim_command("stats -j"), 0);
	assert_prints("{\"requests\":0,\"age-ms\":1234,\"stat-swap-in\":0,\"stat-swap-out\":0,"
		      "\"stat-major-faults\":0,\"stat-minor-faults\":0,"
		      "\"stat-free-memory\":67047424,"
		      "\"stat-total-memory\":67108864,\"stat-available-memory\":67047424,");
	assert_prints(",\"stat-htlb-pgfail\":0");
	/* One line, and nothing else. */
	assert_string_equal(strchr(sim_command_text, '}'), "}\n");
	assert_int_equal(sim_command("stats -j -j"), -EINVAL);
}

static void statistics_that_nobody_takes_are_null_in_json(void **state)
{
	FILE *real = stdout;
	char *text;
	size_t length;

	(void)state;
	start(0, NO_FLOOR);
	stdout = open_memstream(&text, &length);
	balloon_stats_print_json();
	fclose(stdout);
	stdout = real;
	assert_string_equal(text, "null");
	free(text);
}

/* ---- Hosts of other kinds ---- */

static void amounts_are_in_one_mode_and_in_kilobytes(void **state)
{
	(void)state;
	assert_int_equal(host_attach(1000), 0);
	host_wants(RAM_FRAMES);
	assert_int_equal(sim_command("balloon"), 0);
	assert_prints("InflatedTotal: 61536 kB\nInflatedFree: 0 kB\nTarget: 65536 kB\n"
		      "Actual: 61536 kB\nShortfall: 4000 kB\nFloor: 4000 kB\n"
		      "Strategy: auto (portable)\nInflated: 15384 frames in ");
	assert_null(strstr(sim_command_text, "Refused"));
	assert_null(strstr(sim_command_text, "BROKEN"));
	/* The next host lets frames come back in need. */
	host.target = 0;
	balloon_detach(balloons->port);
	host.terms.deflate_on_oom = true;
	assert_int_equal(host_attach(NO_FLOOR), 0);
	host_wants(256);
	assert_int_equal(sim_command("balloon"), 0);
	assert_prints("InflatedTotal: 0 kB\nInflatedFree: 1024 kB\n");
}

static void say_traffic(void)
{
	printf("the port's traffic\n");
}

static void say_features(void)
{
	printf("the port's features\n");
}

static void a_screen_has_all_that_there_is_to_know(void **state)
{
	(void)state;
	host.port.print_traffic = say_traffic;
	host.port.print_features = say_features;
	host.terms.deflate_on_oom = true;
	assert_int_equal(host_attach(3), 0);
	host_wants(1000);
	host_wants(200);
	exhaust();
	assert_int_equal(balloon_reclaim(0), 1);
	settle();
	assert_int_equal(sim_command("balloon"), 0);
	assert_string_equal(sim_command_text,
			    "InflatedTotal: 0 kB\nInflatedFree: 796 kB\nTarget: 800 kB\n"
			    "Actual: 796 kB\nShortfall: 4 kB\nFloor: 12 kB\n"
			    "Strategy: auto (portable)\n"
			    "Inflated: 1000 frames in 2 requests\n"
			    "Deflated: 801 frames in 3 requests\n"
			    "Reported: 0 free frames; 0 requests in all\n"
			    "the port's traffic\n"
			    "Writes of actual: 3\n"
			    "Given back for want of memory: 1 frames in 1 events\n"
			    "Recovered from resets: 0\n"
			    "the port's features\n");
	assert_int_equal(sim_command("balloon -j"), 0);
	assert_string_equal(
		sim_command_text,
		"{\"name\":\"balloon\",\"port\":\"test\",\"inflated-total\":0,\"inflated-free\":"
		"815104,\"target\":819200,"
		"\"actual\":815104,\"shortfall\":4096,\"floor\":12288,\"strategy\":\"auto\","
		"\"strategy-used\":\"portable\",\"inflated\":4096000,\"inflate-requests\":2,"
		"\"deflated\":3280896,\"deflate-requests\":3,"
		"\"refused\":{\"for-good\":0,\"target-reached\":0,\"for-now\":0},"
		"\"reported\":0,\"report-requests\":0,\"writes-of-actual\":3,"
		"\"given-back\":4096,\"give-back-events\":1,\"recoveries\":0,"
		"\"broken\":null}\n");
	assert_int_equal(sim_command("balloon -j now"), -EINVAL);
}

static bool refuses_the_fourth(bool deflates, pfn_t pfn, enum balloon_refusal *why)
{
	*why = BALLOON_REFUSED_FRAME;
	return !deflates && pfn % 4 == 0;
}

static void refusals_and_a_broken_host_are_shown(void **state)
{
	(void)state;
	assert_int_equal(host_attach(NO_FLOOR), 0);
	host.refuses = refuses_the_fourth;
	host.target = BLOCK_FRAMES;
	balloon_step();
	assert_int_equal(sim_command("balloon"), 0);
	assert_prints("Refused by the host: 128 frames for good, 0 as the target was reached, "
		      "0 for want of memory\n");
	assert_int_equal(sim_command("balloon -j"), 0);
	assert_prints("\"refused\":{\"for-good\":524288,\"target-reached\":0,\"for-now\":0}");
	host.fault = BALLOON_FAULT_RULES;
	settle();
	assert_int_equal(sim_command("balloon"), 0);
	assert_prints("BROKEN: it answered what no host may answer\n");
	assert_int_equal(sim_command("balloon -j"), 0);
	assert_prints("\"broken\":\"it answered what no host may answer\"}\n");
}

static enum balloon_refusal reason;

static bool refuses_five(bool deflates, pfn_t pfn, enum balloon_refusal *why)
{
	*why = reason;
	return !deflates && (pfn - paddr_to_pfn(RAM_START)) / BLOCK_FRAMES == 1 &&
	       pfn % BLOCK_FRAMES < 5;
}

static void each_reason_to_refuse_is_shown(void **state)
{
	static const char *const lines[] = {
		"\nRefused by the host: 5 frames for good, 0 as the target was reached, "
		"0 for want of memory\n",
		"\nRefused by the host: 0 frames for good, 5 as the target was reached, "
		"0 for want of memory\n",
		"\nRefused by the host: 0 frames for good, 0 as the target was reached, "
		"5 for want of memory\n",
	};

	(void)state;
	host.refuses = refuses_five;
	for (unsigned i = 0; i < ARRAY_SIZE(lines); i++) {
		reason = (enum balloon_refusal)i;
		host.target = RAM_FRAMES;
		assert_int_equal(host_attach(NO_FLOOR), 0);
		balloon_step();
		assert_int_equal(sim_command("balloon"), 0);
		assert_prints(lines[i]);
		balloon_detach(balloons->port);
	}
}

static int take_ranges(const struct frame_run *ranges, size_t count)
{
	(void)ranges, (void)count;
	balloon_ranges_answered(balloons->ranges.range);
	return 0;
}

static void the_next_hosts_screen_begins_at_nothing(void **state)
{
	(void)state;
	host.terms.deflate_on_oom = true;
	host.port.send_ranges = take_ranges;
	host.terms.ranges = 1;
	host.terms.range_blocks = 1;
	assert_int_equal(host_attach(NO_FLOOR), 0);
	be_quiet();
	/* A range is a block, and all are free. */
	assert_int_equal(sim_command("balloon"), 0);
	assert_prints("Reported: 16384 free frames; 32 requests in all\n");
	assert_int_equal(sim_command("balloon -j"), 0);
	assert_prints(",\"reported\":67108864,\"report-requests\":32,");
	host.refuses = refuses_the_fourth;
	host_wants(1000);
	assert_int_equal(balloon_reclaim(0), 1);
	host.fault = BALLOON_FAULT_RESET_WANTED;
	settle();
	host.refuses = NULL;
	host.port.deflate = NULL;
	host.target = 0;
	balloon_detach(balloons->port);
	assert_int_equal(balloon_attach(&host.port, NULL), 0);
	settle();
	assert_int_equal(sim_command("balloon"), 0);
	assert_string_equal(sim_command_text,
			    "InflatedTotal: 0 kB\nInflatedFree: 0 kB\nTarget: 0 kB\n"
			    "Actual: 0 kB\nShortfall: 0 kB\nFloor: 0 kB\n"
			    "Strategy: auto (portable)\n"
			    "Inflated: 0 frames in 0 requests\n"
			    "Deflated: 0 frames in 0 requests\n"
			    "Reported: 0 free frames; 0 requests in all\n"
			    "Writes of actual: 0\n"
			    "Given back for want of memory: 0 frames in 0 events\n"
			    "Recovered from resets: 0\n");
}

static void the_next_devices_statistics_begin_at_nothing(void **state)
{
	(void)state;
	start(STATS_VQ, NO_FLOOR);
	ask(4);
	assert_int_equal(sim_command("stats"), 0);
	assert_prints("Asked by the host: 1 times; this report is 0 ms old\n");
	end_driver();
	assert_int_equal(sim_command("stats"), -ENODEV);
	assert_int_equal(begin(NO_FLOOR), 0);
	assert_int_equal(sim_command("stats"), 0);
	assert_prints("Asked by the host: 0 times; this report is 0 ms old\n");
}

/* It has been reset, and has no report. */
static void a_device_that_was_given_up_has_no_statistics(void **state)
{
	(void)state;
	start(STATS_VQ, NO_FLOOR);
	sim.completion = SIM_BALLOON_NEVER;
	go_to(1000);
	sim_time_advance(BALLOON_DEADLINE_NS + NS_PER_MS);
	settle();
	assert_non_null(status().broken);
	assert_int_equal(sim_command("stats"), -ENODEV);
	assert_string_equal(sim_command_text, "stats: the host takes no statistics\n");
}

static void a_broken_host_is_retried(void **state)
{
	(void)state;
	start(0, NO_FLOOR);
	assert_int_equal(sim_command("balloon retry"), -EALREADY);
	assert_string_equal(sim_command_text,
			    "balloon: the device is in use: there is nothing to retry\n");
	sim.completion = SIM_BALLOON_NEVER;
	go_to(1000);
	sim_time_advance(BALLOON_DEADLINE_NS + NS_PER_MS);
	settle();
	assert_int_equal(sim_command("balloon"), 0);
	assert_prints("BROKEN: no answer within 2 s\n"
		      "The device was given up; `balloon retry` tries it once more.\n");
	sim.virtio.refuse_features = true;
	assert_int_equal(sim_command("balloon retry"), -ENOTSUP);
	assert_string_equal(sim_command_text,
			    "balloon: still given up: refuses our choice of features\n");
	sim.virtio.refuse_features = false;
	assert_int_equal(sim_command("balloon retry"), 0);
	assert_string_equal(sim_command_text, "");
	assert_null(status().broken);
	assert_int_equal(sim_command("balloon retry now"), -EINVAL);
}

static void what_a_strategy_needs_is_the_ports_word(void **state)
{
	(void)state;
	host.port.ranges_need = "a newer hypervisor";
	assert_int_equal(host_attach(NO_FLOOR), 0);
	assert_int_equal(sim_command("balloon strategy range-first"), -ENOTSUP);
	assert_string_equal(sim_command_text,
			    "balloon: range-first needs a newer hypervisor; nothing has changed\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_machine_without_a_balloon_is_told),
		TEST(there_is_nothing_to_wait_for_at_the_target),
		TEST(a_floor_is_rounded_up_and_shown),
		TEST(a_wrong_floor_changes_nothing),
		TEST(a_strategy_that_cannot_be_had_changes_nothing),
		TEST(other_words_are_refused),
		TEST(a_device_without_statistics_is_told),
		TEST(statistics_are_shown_with_their_tags),
		TEST(statistics_that_nobody_takes_are_null_in_json),
		HOST_TEST(amounts_are_in_one_mode_and_in_kilobytes),
		HOST_TEST(a_screen_has_all_that_there_is_to_know),
		HOST_TEST(refusals_and_a_broken_host_are_shown),
		HOST_TEST(each_reason_to_refuse_is_shown),
		HOST_TEST(the_next_hosts_screen_begins_at_nothing),
		TEST(the_next_devices_statistics_begin_at_nothing),
		TEST(a_device_that_was_given_up_has_no_statistics),
		TEST(a_broken_host_is_retried),
		HOST_TEST(what_a_strategy_needs_is_the_ports_word),
	};
	int failed = cmocka_run_group_tests_name("balloon_cmd", tests, set_up_ram, NULL);

	sim_command_forget();
	return failed;
}
