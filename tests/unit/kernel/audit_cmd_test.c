/* SPDX-License-Identifier: BSD-2-Clause */
/* The command `audit`: what it says when others run, and change memory, while it counts. */
#include "tests/unit/mm/frame_fixture.h"

#include <errno.h>
#include <string.h>

#include "kernel/lib/hooks.h"
#include "mm/frame_map.h"
#include "tests/sim/sim_command.h"
#include "tests/sim/sim_time.h"

#define BASE ((pfn_t)0x200)
#define BLOCKS 10000 /* several steps */

static bool interrupted;

bool lib_interrupted(void)
{
	return interrupted;
}

static uint64_t changes_left;

/* Another task has its turn. */
static void change_memory(void)
{
	if (changes_left == 0)
		return;
	changes_left--;
	fixture_free(BASE, 1, OWNER_HELD);
	fixture_reserve(BASE, 1, OWNER_HELD);
}

static void press_ctrl_c(void)
{
	interrupted = true;
}

static int set_up(void **state)
{
	(void)state;
	fixture_start_one(BASE, BASE + BLOCKS * BLOCK_FRAMES);
	fixture_reserve(BASE, BLOCKS * BLOCK_FRAMES, OWNER_HELD);
	interrupted = false;
	changes_left = 0;
	sim_time_reset();
	sim_time_on_wait = change_memory;
	return 0;
}

static int tear_down(void **state)
{
	sim_command_forget();
	return fixture_stop(state);
}

static void others_run_while_it_counts(void **state)
{
	(void)state;
	assert_int_equal(sim_command("audit"), 0);
	assert_string_equal(sim_command_text, "Ledger: ok (5120000 frames)\n");
	assert_in_range(sim_time_waits, 2, 4);
	assert_int_equal(sim_command("audit twice"), -EINVAL);
}

static void it_says_that_it_started_over(void **state)
{
	(void)state;
	changes_left = 2;
	assert_int_equal(sim_command("audit"), 0);
	assert_string_equal(sim_command_text,
			    "Started over: 2 of 8 times, as memory changed hands\n"
			    "Ledger: ok (5120000 frames)\n");
}

static void it_ends_though_memory_never_rests(void **state)
{
	(void)state;
	changes_left = UINT64_MAX;
	assert_int_equal(sim_command("audit"), 0);
	assert_string_equal(sim_command_text,
			    "Started over: 8 of 8 times, as memory changed hands\n"
			    "Not compared: the sums of all blocks, as that never stopped\n"
			    "Ledger: ok in each block (5120000 frames)\n");
	/* Each lost count was noticed at the next step; the last one had all of its steps. */
	assert_in_range(sim_time_waits, 8 + 2, 8 + 4);
}

static void what_is_wrong_is_said_after_it_started_over_too(void **state)
{
	(void)state;
	frame_map.records[BLOCKS - 1].owner = OWNER_HEAP;
	assert_int_equal(sim_command("audit"), -EIO);
	assert_string_equal(sim_command_text, "Ledger: BROKEN heap: counted 512, booked 0\n");
	changes_left = 1;
	assert_int_equal(sim_command("audit"), -EIO);
	assert_non_null(strstr(sim_command_text, "\nLedger: BROKEN heap: counted 512, booked 0\n"));
	frame_map.records[BLOCKS - 1].free_count = 1;
	changes_left = UINT64_MAX;
	assert_int_equal(sim_command("audit"), -EIO);
	assert_non_null(strstr(sim_command_text, "\nLedger: BROKEN block 9999: record"));
}

static void refused_changes_are_mentioned(void **state)
{
	(void)state;
	assert_int_not_equal(frame_free(BASE, 1, OWNER_HEAP), 0);
	assert_int_equal(sim_command("audit"), 0);
	assert_string_equal(sim_command_text, "Refused: 1 changes that named a wrong owner\n"
					      "Ledger: ok (5120000 frames)\n");
}

static void the_verdict_is_an_object_too(void **state)
{
	(void)state;
	assert_int_equal(sim_command("audit -j"), 0);
	assert_string_equal(sim_command_text,
			    "{\"ledger\":\"ok\",\"frames\":5120000,\"restarts\":0,"
			    "\"sums-compared\":true,\"refused-changes\":0}\n");
	changes_left = UINT64_MAX;
	assert_int_not_equal(frame_free(BASE, 1, OWNER_HEAP), 0);
	assert_int_equal(sim_command("audit -j"), 0);
	assert_string_equal(sim_command_text,
			    "{\"ledger\":\"ok\",\"frames\":5120000,\"restarts\":8,"
			    "\"sums-compared\":false,\"refused-changes\":1}\n");
	changes_left = 0;
	frame_map.records[BLOCKS - 1].owner = OWNER_HEAP;
	assert_int_equal(sim_command("audit -j"), -EIO);
	assert_non_null(
		strstr(sim_command_text, "{\"ledger\":\"BROKEN heap: counted 512, booked 0\","));
	assert_int_equal(sim_command("audit -j -j"), -EINVAL);
}

static void ctrl_c_ends_it(void **state)
{
	(void)state;
	sim_time_on_wait = press_ctrl_c;
	assert_int_equal(sim_command("audit"), -EINTR);
	assert_string_equal(sim_command_text, "audit: interrupted; no verdict\n");
	assert_int_equal(sim_time_waits, 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(others_run_while_it_counts),
		TEST(it_says_that_it_started_over),
		TEST(it_ends_though_memory_never_rests),
		TEST(what_is_wrong_is_said_after_it_started_over_too),
		TEST(refused_changes_are_mentioned),
		TEST(the_verdict_is_an_object_too),
		TEST(ctrl_c_ends_it),
	};

	return cmocka_run_group_tests_name("audit_cmd", tests, NULL, NULL);
}
