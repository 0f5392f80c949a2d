/* SPDX-License-Identifier: BSD-2-Clause */
/* hold, release and held: what a person writes, and reads. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "arch/paging.h"
#include "kernel/hold.h"
#include "kernel/lib/hooks.h"
#include "mm/ledger.h"
#include "tests/sim/sim_command.h"
#include "tests/sim/sim_ram.h"
#include "tests/sim/sim_time.h"

static bool interrupted;

bool lib_interrupted(void)
{
	return interrupted;
}

static int set_up_ram(void **state)
{
	(void)state;
	return sim_ram_reserve();
}

static int set_up(void **state)
{
	(void)state;
	sim_time_reset();
	sim_ram_start_all();
	interrupted = false;
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	interrupted = false;
	sim_command("release all");
	assert_int_equal(ledger_count(OWNER_FREE), SIM_RAM_FRAMES);
	sim_command_forget();
	sim_ram_stop();
	return 0;
}

static void assert_runs(const char *line, int result, const char *text)
{
	assert_int_equal(sim_command(line), result);
	assert_string_equal(sim_command_text, text);
}

/* The id of the one hold that there is. */
static unsigned the_id(void)
{
	struct hold_info info, next;

	assert_true(hold_next(0, &info));
	assert_false(hold_next(info.id, &next));
	return info.id;
}

/* Of what is printed, the numbers that the tests before this one decide are not looked at. */
static void assert_holds(const char *line, const char *size, unsigned runs, unsigned order)
{
	char text[100];

	assert_int_equal(sim_command(line), 0);
	snprintf(text, sizeof(text), "held %u: %s in %u runs of order %u\n", the_id(), size, runs,
		 order);
	assert_string_equal(sim_command_text, text);
	assert_int_equal(ledger_count(OWNER_HELD), (uint64_t)runs << order);
	assert_int_equal(sim_command("held"), 0);
	assert_string_equal(sim_command_text, text);
	snprintf(text, sizeof(text), "released %u: pattern intact\n", the_id());
	assert_int_equal(sim_command("release all"), 0);
	assert_string_equal(sim_command_text, text);
}

static void a_size_is_rounded_up_to_whole_runs(void **state)
{
	(void)state;
	assert_holds("hold 1", "4 KiB", 1, 0);
	assert_holds("hold 4096", "4 KiB", 1, 0);
	assert_holds("hold 4097", "8 KiB", 2, 0);
	assert_holds("hold 1M", "1.0 MiB", 256, 0);
	assert_holds("hold 1M 0", "1.0 MiB", 256, 0);
	assert_holds("hold 1M 3", "1.0 MiB", 32, 3);
	assert_holds("hold 1M 9", "2.0 MiB", 1, 9);
	assert_holds("hold 4M 10", "4.0 MiB", 1, 10);
}

static void a_busy_hold_says_how_often_it_was_rewritten(void **state)
{
	char text[100];

	(void)state;
	sim_ram_task = NULL;
	assert_int_equal(sim_command("hold 1M busy"), 0);
	snprintf(text, sizeof(text), "held %u: 1.0 MiB in 256 runs of order 0, rewritten 0 times\n",
		 the_id());
	assert_string_equal(sim_command_text, text);
	assert_non_null(sim_ram_task);
	assert_true(hold_rewrite_some());
	snprintf(text, sizeof(text), "held %u: 1.0 MiB in 256 runs of order 0, rewritten 1 times\n",
		 the_id());
	assert_runs("held", 0, text);
	assert_int_equal(sim_command("release all"), 0);
	/* It ends, as there is nothing for it to do. */
	sim_ram_task(NULL);
}

/* With an order or without. */
static void without_a_task_a_busy_hold_is_given_back(void **state)
{
	(void)state;
	sim_ram_task_err = -ENOMEM;
	assert_runs("hold 1M busy", -ENOMEM, "hold: no task to rewrite it; nothing is held\n");
	assert_runs("hold 2M 9 busy", -ENOMEM, "hold: no task to rewrite it; nothing is held\n");
	sim_ram_task_err = 0;
	assert_runs("held", 0, "nothing is held\n");
	assert_runs("hold busy", -ERANGE,
		    "hold: busy is no size; write 64M, 1.5G or a number of bytes\n");
}

static void words_that_mean_nothing_are_named(void **state)
{
	(void)state;
	assert_runs("hold", -EINVAL, "");
	assert_runs("hold 1M 0 0", -EINVAL, "");
	assert_runs("hold much", -ERANGE,
		    "hold: much is no size; write 64M, 1.5G or a number of bytes\n");
	assert_runs("hold 0", -ERANGE, "hold: 0 is nothing to hold\n");
	assert_runs("hold 64M", -ENOMEM,
		    "hold: not enough memory in runs of order 0; nothing is held\n");
	assert_runs("hold 67108865", -ERANGE,
		    "hold: 67108865 is more than this machine's memory\n");
	assert_runs("hold 1M 19", -ERANGE,
		    "hold: 19 is no order; 0 is a frame, 9 a block, 18 the most\n");
	assert_runs("hold 1M x", -ERANGE,
		    "hold: x is no order; 0 is a frame, 9 a block, 18 the most\n");
	assert_runs("hold 1M 18", -ENOMEM,
		    "hold: not enough memory in runs of order 18; nothing is held\n");
	assert_runs("held x", -EINVAL, "");
	assert_runs("release", -EINVAL, "");
	assert_runs("release 1 2", -EINVAL, "");
	assert_runs("release 1 half more", -EINVAL, "");
	assert_runs("release all half", -ERANGE,
		    "release: all is no hold's number; `held` lists them\n");
	assert_runs("release x", -ERANGE, "release: x is no hold's number; `held` lists them\n");
	assert_runs("release 0", -ERANGE, "release: 0 is no hold's number; `held` lists them\n");
	assert_runs("release 4294967296", -ERANGE,
		    "release: 4294967296 is no hold's number; `held` lists them\n");
	assert_runs("release 4294967295", -ENOENT,
		    "release: there is no hold 4294967295; `held` lists them\n");
	assert_runs("held", 0, "nothing is held\n");
}

static void ctrl_c_leaves_nothing_held(void **state)
{
	(void)state;
	interrupted = true;
	assert_runs("hold 1M", -EINTR, "hold: interrupted; nothing is held\n");
	assert_runs("held", 0, "nothing is held\n");
}

static void ctrl_c_ends_a_release_and_leaves_other_holds(void **state)
{
	(void)state;
	assert_int_equal(sim_command("hold 1M"), 0);
	assert_int_equal(sim_command("hold 2M"), 0);
	interrupted = true;
	assert_int_equal(sim_command("release all"), -EINTR);
	assert_non_null(strstr(sim_command_text, ": interrupted; not all was verified\n"));
	interrupted = false;
	assert_int_equal(sim_command("held"), 0);
	assert_non_null(strstr(sim_command_text, ": 2.0 MiB in 512 runs of order 0\n"));
	assert_null(strstr(sim_command_text, "1.0 MiB"));
}

static void too_many_holds_are_refused(void **state)
{
	(void)state;
	for (unsigned i = 0; i < HOLDS_MAX; i++)
		assert_int_equal(sim_command("hold 4096"), 0);
	assert_runs("hold 4096", -EAGAIN, "hold: there are 16 holds; release one\n");
}

static void a_broken_pattern_is_said_and_is_an_error(void **state)
{
	char line[40], text[100];
	unsigned id;
	pfn_t pfns[3];

	(void)state;
	assert_int_equal(sim_command("hold 12288"), 0);
	id = the_id();
	assert_int_equal(frame_collect(OWNER_HELD, 0, 3, pfns), 3);
	memset(phys_to_virt(pfn_to_paddr(pfns[1])), 0, 8);
	memset(phys_to_virt(pfn_to_paddr(pfns[2])), 0, 8);
	snprintf(line, sizeof(line), "release %u", id);
	snprintf(text, sizeof(text),
		 "released %u: PATTERN BROKEN in 2 frames, first in PFN %#" PRIx64 "\n", id,
		 pfns[1]);
	assert_runs(line, -EIO, text);
	snprintf(text, sizeof(text), "release: there is no hold %u; `held` lists them\n", id);
	assert_runs(line, -ENOENT, text);
}

/* The one that is broken is not the last one. */
static void of_many_holds_one_that_is_broken_is_an_error(void **state)
{
	pfn_t first;

	(void)state;
	assert_int_equal(sim_command("hold 4096"), 0);
	assert_int_equal(frame_collect(OWNER_HELD, 0, 1, &first), 1);
	assert_int_equal(sim_command("hold 1M"), 0);
	assert_int_equal(sim_command("hold 2M 9"), 0);
	memset(phys_to_virt(pfn_to_paddr(first)), 0, 8);
	assert_int_equal(sim_command("release all"), -EIO);
	assert_non_null(strstr(sim_command_text, ": PATTERN BROKEN in 1 frames, first in PFN "));
	assert_int_equal(ledger_count(OWNER_HELD), 0);
	assert_runs("release all", 0, "");
}

static void half_of_a_hold_is_released(void **state)
{
	char line[40], text[100];

	(void)state;
	assert_int_equal(sim_command("hold 8M 9"), 0);
	snprintf(line, sizeof(line), "release %u half", the_id());
	snprintf(text, sizeof(text), "released half of %u: pattern intact\n", the_id());
	assert_runs(line, 0, text);
	snprintf(text, sizeof(text), "held %u: 4.0 MiB in 2 runs of order 9\n", the_id());
	assert_runs("held", 0, text);
	hold_make_busy(the_id());
	assert_runs(line, -EBUSY, "release: a busy hold goes as a whole\n");
}

static void every_hold_has_a_line_of_its_own(void **state)
{
	char text[200];
	struct hold_info info;

	(void)state;
	assert_int_equal(sim_command("hold 4096"), 0);
	assert_int_equal(sim_command("hold 6M 9"), 0);
	assert_true(hold_next(0, &info));
	snprintf(text, sizeof(text),
		 "held %u: 4 KiB in 1 runs of order 0\nheld %u: 6.0 MiB in 3 runs of order 9\n",
		 info.id, info.id + 1);
	assert_runs("held", 0, text);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_size_is_rounded_up_to_whole_runs),
		TEST(without_a_task_a_busy_hold_is_given_back),
		TEST(a_busy_hold_says_how_often_it_was_rewritten),
		TEST(words_that_mean_nothing_are_named),
		TEST(ctrl_c_leaves_nothing_held),
		TEST(ctrl_c_ends_a_release_and_leaves_other_holds),
		TEST(too_many_holds_are_refused),
		TEST(a_broken_pattern_is_said_and_is_an_error),
		TEST(of_many_holds_one_that_is_broken_is_an_error),
		TEST(half_of_a_hold_is_released),
		TEST(every_hold_has_a_line_of_its_own),
	};

	return cmocka_run_group_tests_name("hold_cmd", tests, set_up_ram, NULL);
}
