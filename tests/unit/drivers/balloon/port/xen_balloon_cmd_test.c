/* SPDX-License-Identifier: BSD-2-Clause */
/* drivers/balloon/port/xen_balloon_cmd.c: what `xen_memory` prints, and a person's target. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "arch/clock.h"
#include "tests/schema/assert_fits.h"
#include "tests/sim/sim_command.h"
#include "tests/unit/drivers/balloon/port/xen_fixture.h"

static int tear_down_cmd(void **state)
{
	sim_command_forget();
	return tear_down_xen(state);
}

static void begin_with_10000_frames(void)
{
	begin_xen(NO_FLOOR);
	xen_wants(10000);
}

static void the_figures_are_those_of_linux_in_decimal(void **state)
{
	(void)state;
	begin_with_10000_frames();
	assert_int_equal(sim_command("xen_memory"), 0);
	assert_string_equal(sim_command_text, "target               26152960\n"
					      "target_kb            25540\n"
					      "current_kb           25540\n"
					      "low_kb               40000\n"
					      "schedule_delay       1\n"
					      "max_schedule_delay   32\n"
					      "retry_count          1\n"
					      "max_retry_count      0\n"
					      "static_max_kb        65540\n"
					      "xen_current_kb       25536\n"
					      "xen_maximum_kb       26560\n");
}

static void what_is_refused_shows_in_delay_and_count(void **state)
{
	(void)state;
	begin_with_10000_frames();
	sim_xen.host_free = 0;
	xen_wants(0);
	sim_time_advance(NS_PER_S + NS_PER_MS);
	settle();
	sim_time_advance(2 * NS_PER_S + NS_PER_MS);
	settle();
	assert_int_equal(sim_command("xen_memory"), 0);
	assert_non_null(strstr(sim_command_text, "target_kb            65540\n"
						 "current_kb           25540\n"
						 "low_kb               40000\n"
						 "schedule_delay       4\n"
						 "max_schedule_delay   32\n"
						 "retry_count          4\n"));
}

static void json_is_in_bytes_and_fits_its_schema(void **state)
{
	(void)state;
	begin_with_10000_frames();
	assert_int_equal(sim_command("xen_memory -j"), 0);
	assert_fits("guest-xen-memory", sim_command_text);
	assert_non_null(strstr(sim_command_text,
			       "{\"target\":26152960,\"current\":26152960,\"ballooned\":40960000,"
			       "\"schedule-delay\":1,\"max-schedule-delay\":32,\"retry-count\":1,"
			       "\"max-retry-count\":0,\"static-max\":67112960,"
			       "\"xen-current\":26148864,\"xen-maximum\":27197440,\"given\":{"));
}

static void a_xen_that_does_not_count_is_unknown(void **state)
{
	(void)state;
	begin_with_10000_frames();
	sim_xen.faults.no_counts = true;
	assert_int_equal(sim_command("xen_memory"), 0);
	assert_non_null(strstr(sim_command_text, "xen_current_kb       unknown\n"
						 "xen_maximum_kb       unknown\n"));
	assert_int_equal(sim_command("xen_memory -j"), 0);
	assert_fits("guest-xen-memory", sim_command_text);
	assert_non_null(strstr(sim_command_text, "\"xen-current\":null,\"xen-maximum\":null,"));
}

static void a_person_sets_the_target_where_no_toolstack_does(void **state)
{
	(void)state;
	begin_sim_xen(RAM_FRAMES);
	sim_xen.param[XEN_PARAM_STORE_PORT] = 0;
	begin_xen(NO_FLOOR);
	assert_int_equal(sim_command("xen_memory target 48M"), 0);
	assert_string_equal(sim_command_text, "");
	settle();
	assert_xen_has(4096);
	assert_int_equal(sim_command("xen_memory target 65M"), -ERANGE);
	assert_string_equal(sim_command_text,
			    "xen_memory: more than nothing, and no more than the domain began "
			    "with\n");
	assert_int_equal(sim_command("xen_memory target 1023"), -ERANGE);
	assert_int_equal(sim_command("xen_memory target much"), -EINVAL);
	assert_string_equal(sim_command_text, "xen_memory: much is no size\n");
	settle();
	assert_xen_has(4096);
}

static void the_toolstacks_target_is_not_a_persons(void **state)
{
	(void)state;
	begin_with_10000_frames();
	assert_int_equal(sim_command("xen_memory target 48M"), -EBUSY);
	assert_string_equal(sim_command_text,
			    "xen_memory: the toolstack sets this domain's target (xl mem-set)\n");
	settle();
	assert_xen_has(10000);
}

static void without_xen_there_is_nothing_to_show(void **state)
{
	(void)state;
	sim_xen.absent = true;
	assert_int_equal(xen_balloon_start(), -ENODEV);
	assert_int_equal(sim_command("xen_memory"), -ENODEV);
	assert_string_equal(sim_command_text, "xen_memory: there is no balloon on Xen\n");
	assert_int_equal(sim_command("xen_memory target 48M"), -ENODEV);
	sim_xen.absent = false;
}

static void other_words_are_refused(void **state)
{
	(void)state;
	assert_int_equal(sim_command("xen_memory target"), -EINVAL);
	assert_int_equal(sim_command("xen_memory -k"), -EINVAL);
	assert_int_equal(sim_command("xen_memory target 1M 2M"), -EINVAL);
	assert_string_equal(sim_command_text, "");
}

static void the_traffic_is_in_blocks_frames_and_calls(void **state)
{
	struct xen_balloon_counts given;
	char line[100];

	(void)state;
	begin_with_10000_frames();
	xen_wants(0);
	xen_balloon_pages_counts(false, &given);
	snprintf(line, sizeof(line), "Given to Xen: %llu blocks and %llu frames in %llu calls;",
		 (unsigned long long)given.blocks, (unsigned long long)given.frames,
		 (unsigned long long)given.calls);
	assert_int_equal(sim_command("balloon"), 0);
	if (!strstr(sim_command_text, line) || !strstr(sim_command_text, "Taken from Xen: "))
		fail_msg("%s", sim_command_text);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up_xen, tear_down_cmd)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(the_figures_are_those_of_linux_in_decimal),
		CASE(what_is_refused_shows_in_delay_and_count),
		CASE(json_is_in_bytes_and_fits_its_schema),
		CASE(a_xen_that_does_not_count_is_unknown),
		CASE(a_person_sets_the_target_where_no_toolstack_does),
		CASE(the_toolstacks_target_is_not_a_persons),
		CASE(without_xen_there_is_nothing_to_show),
		CASE(other_words_are_refused),
		CASE(the_traffic_is_in_blocks_frames_and_calls),
	};

	return cmocka_run_group_tests_name("xen_balloon_cmd", tests, set_up_ram, NULL);
}
