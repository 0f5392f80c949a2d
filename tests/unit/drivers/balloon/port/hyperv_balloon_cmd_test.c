/* SPDX-License-Identifier: BSD-2-Clause */
/* drivers/balloon/port/hyperv_balloon_cmd.c and drivers/hyperv/vmbus_cmd.c: what they print. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "arch/clock.h"
#include "drivers/balloon/balloon.h"
#include "drivers/balloon/balloon_port.h"
#include "drivers/balloon/balloon_state_internal.h"
#include "mm/frame.h"
#include "tests/schema/assert_fits.h"
#include "tests/sim/sim_command.h"
#include "tests/sim/sim_port_idle.h"
#include "tests/unit/drivers/balloon/port/hyperv_world.h"

/* 1000 frames ballooned, 2 blocks added, 64 frames held. */
static void begin(void)
{
	pfn_t pfns[64];

	assert_int_equal(hyperv_world_start(), 0);
	assert_true(hyperv_world_await(hyperv_world_is_ready, 5 * NS_PER_S));
	assert_true(hyperv_world_reach(1000));
	hyperv_control()->wish.added = 2 * BLOCK_FRAMES;
	hyperv_world_wait(NS_PER_S);
	assert_int_equal(frame_alloc_bulk(64, PFN_NONE, OWNER_HELD, pfns), 64);
}

static void expect_line(const char *line)
{
	if (!strstr(sim_command_text, line))
		fail_msg("no line \"%s\" in:\n%s", line, sim_command_text);
}

static void the_lines_are_those_of_vendors_kernels(void)
{
	char line[80];

	begin();
	assert_int_equal(sim_command("hv-balloon"), 0);
	snprintf(line, sizeof(line), "total_pages_commited  : %llu\n",
		 (unsigned long long)hyperv_balloon_committed());
	expect_line("host_version          : 2.0\n"
		    "capabilities          : enabled hot_add\n"
		    "state                 : 1 (Initialized)\n"
		    "page_size             : 4096\n"
		    "pages_added           : 1024\n"
		    "pages_onlined         : 1024\n"
		    "pages_ballooned_out   : 1000\n"
		    "vm_pages_commited     : 64\n"
		    "total_pages_commited  : ");
	expect_line(line);
	expect_line("\nmax_dynamic_page_count: 16384\n");
}

static void the_lines_are_linuxs_own_with_n(void)
{
	begin();
	assert_int_equal(sim_command("hv-balloon -n"), 0);
	expect_line("pages_onlined         : 1024\n"
		    "pages_ballooned       : 1000\n"
		    "total_pages_committed : ");
	expect_line("\nmax_dynamic_page_count: 16384\n");
	assert_null(strstr(sim_command_text, "commited"));
}

static void json_is_in_bytes_and_fits_its_schema(void)
{
	begin();
	assert_int_equal(sim_command("hv-balloon -j"), 0);
	assert_fits("guest-hv-balloon", sim_command_text);
	expect_line("\"ballooned\":4096000,\"added\":4194304,\"held\":262144,");
	expect_line("\"balloon\":{\"requests\":1,\"bytes\":4096000}");
	expect_line("\"hot-add\":{\"requests\":1,\"bytes\":4194304}");
}

static void a_host_that_was_given_up_is_an_error(void)
{
	begin();
	hyperv_control()->wish.no_dm = 1;
	hyperv_world_wait(NS_PER_S);
	assert_int_equal(sim_command("hv-balloon"), 0);
	expect_line("state                 : 5 (Error)\n");
	expect_line("pages_ballooned_out   : 1000\n");
}

/* What was agreed before, and what the host has, is still so. */
static void a_host_that_does_not_agree_again_is_an_error(void)
{
	begin();
	hyperv_control()->wish.no_dm = 1;
	hyperv_world_wait(NS_PER_S);
	hyperv_control()->lie.silent = HYPERV_BIT(HYPERV_DM_VERSION);
	hyperv_control()->wish.no_dm = 0;
	hyperv_world_wait(NS_PER_S);
	assert_int_equal(sim_command("hv-balloon"), 0);
	expect_line("state                 : 0 (Initializing)\n");
	hyperv_world_wait(2 * NS_PER_S);
	assert_int_equal(sim_command("hv-balloon"), 0);
	expect_line("host_version          : 2.0\n");
	expect_line("state                 : 5 (Error)\n");
	expect_line("pages_ballooned_out   : 1000\n");
	hyperv_world_behave();
}

/* Its frames are there, whatever became of it; and what was counted. */
static void a_host_that_does_not_come_back_is_shown_as_it_was(void)
{
	struct hyperv_balloon_status before, after;
	const char *why;

	begin();
	hyperv_control()->wish.no_dm = 1;
	hyperv_world_wait(NS_PER_S);
	assert_true(hyperv_balloon_get_status(&before));
	hyperv_control()->lie.refused = HYPERV_BIT(HYPERV_OPEN_RESULT);
	hyperv_control()->wish.no_dm = 0;
	hyperv_world_wait(NS_PER_S);
	assert_true(balloon_retry(balloons, &why) < 0);
	assert_int_equal(sim_command("hv-balloon"), 0);
	expect_line("host_version          : 2.0\n");
	expect_line("pages_ballooned_out   : 1000\n");
	assert_true(hyperv_balloon_get_status(&after));
	assert_true(before.messages.sent > 0);
	assert_int_equal(after.messages.sent, before.messages.sent);
	assert_int_equal(after.messages.received, before.messages.received);
}

static void another_hypervisors_balloon_is_not_shown(void)
{
	static const struct balloon_port other = SIM_PORT_IDLE("other");

	begin();
	hyperv_control()->wish.no_dm = 1;
	hyperv_world_wait(NS_PER_S);
	assert_int_equal(balloon_attach(&other, NULL), 0);
	assert_int_equal(sim_command("hv-balloon"), 0);
	balloon_detach(&hyperv_balloon_port);
	assert_int_equal(balloon_count(), 1);
	assert_int_equal(sim_command("hv-balloon"), -ENODEV);
}

static void channels_are_listed(void)
{
	begin();
	assert_int_equal(sim_command("vmbus"), 0);
	expect_line("VMBus 5.3, connected in ");
	expect_line("  525074dc-8985-46e2-8057-a307dc18a502  open    ");
	expect_line("That is all, says the host.\n");
	assert_int_equal(sim_command("vmbus now"), -EINVAL);
}

static void without_hyperv_there_is_nothing(void)
{
	assert_int_equal(sim_command("vmbus"), -ENODEV);
	expect_line("vmbus: there is none: this is not Hyper-V, or it offers no channels\n");
	assert_int_equal(sim_command("hv-balloon -x"), -EINVAL);
}

static void expect_none(bool yet)
{
	assert_int_equal(sim_command("hv-balloon"), -ENODEV);
	assert_string_equal(sim_command_text,
			    yet ? "hv-balloon: there is no balloon on Hyper-V yet: the host is "
				  "being asked\n"
				: "hv-balloon: there is no balloon on Hyper-V\n");
}

static void a_balloon_that_may_still_come_is_told_from_none(void)
{
	expect_none(false);
	hyperv_control()->wish.no_dm = 1;
	assert_int_equal(hyperv_world_start(), 0);
	expect_none(true);
	assert_int_equal(sim_command("vmbus"), -ENODEV);
	assert_string_equal(sim_command_text,
			    "vmbus: there is none yet: the host is being asked\n");
	hyperv_world_wait(NS_PER_S);
	expect_none(false);
	hyperv_control()->lie.silent = HYPERV_BIT(HYPERV_DM_VERSION);
	hyperv_control()->wish.no_dm = 0;
	hyperv_world_wait(NS_PER_S);
	expect_none(true);
	hyperv_world_wait(10 * NS_PER_S);
	expect_none(false);
}

static void run(void *arg)
{
	((void (*)(void))arg)();
}

static void in_a_task(void **state)
{
	const char *mistake;

	hyperv_world_begin();
	sim_tasks_run(run, *state);
	mistake = hyperv_world_end();
	if (mistake)
		fail_msg("at the end: %s", mistake);
	sim_command_forget();
}

#define TEST(name) \
	{ \
#name, in_a_task, NULL, NULL, (void *)(uintptr_t)name \
	}

static int reserve(void **state)
{
	(void)state;
	return hyperv_world_reserve();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(without_hyperv_there_is_nothing),
		TEST(a_balloon_that_may_still_come_is_told_from_none),
		TEST(the_lines_are_those_of_vendors_kernels),
		TEST(the_lines_are_linuxs_own_with_n),
		TEST(json_is_in_bytes_and_fits_its_schema),
		TEST(a_host_that_was_given_up_is_an_error),
		TEST(a_host_that_does_not_agree_again_is_an_error),
		TEST(a_host_that_does_not_come_back_is_shown_as_it_was),
		TEST(another_hypervisors_balloon_is_not_shown),
		TEST(channels_are_listed),
	};

	return cmocka_run_group_tests(tests, reserve, NULL);
}
