/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * drivers/xen/xen_check_cmd.c, over the simulated Xen: the same list of odd requests that
 * tests/xen asks the real one, so that neither answers otherwise than the other.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "mm/ledger.h"
#include "tests/sim/sim_command.h"
#include "tests/sim/sim_ram.h"
#include "tests/sim/sim_xen.h"

#define ROOM_AT_0 4096

/* Addresses of the guest are the host's; nothing is mapped at 0. */
static void *translate(uint64_t address, uint64_t size)
{
	(void)size;
	return address < ROOM_AT_0 ? NULL : (void *)(uintptr_t)address;
}

/* A frame that is overwritten when another one comes back. */
static pfn_t spoiled;

static void overwrite(pfn_t pfn)
{
	memset((void *)(uintptr_t)(pfn * FRAME_SIZE), 0xff, FRAME_SIZE);
}

static void hand_over(uint64_t first, uint64_t count, bool to_xen)
{
	sim_ram_lend(first, count, to_xen);
	for (uint64_t i = 0; i < count && !to_xen; i++)
		overwrite(first + i);
	if (!to_xen && spoiled != PFN_NONE)
		overwrite(spoiled);
}

static int set_up_all(void **state)
{
	(void)state;
	return sim_ram_reserve();
}

static int set_up(void **state)
{
	(void)state;
	sim_ram_start_all();
	spoiled = PFN_NONE;
	sim_xen.guest = (struct sim_xen_guest){ .memory = translate, .hand_over = hand_over };
	sim_xen_begin(SIM_RAM_START / FRAME_SIZE, SIM_RAM_FRAMES);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	sim_command_forget();
	sim_ram_stop();
	return 0;
}

static void assert_ledger(uint64_t unplugged)
{
	char verdict[LEDGER_VERDICT_MAX];

	assert_true(ledger_audit(verdict));
	assert_int_equal(ledger_refused(), 0);
	assert_int_equal(ledger_count(OWNER_HELD), 0);
	assert_int_equal(ledger_count(OWNER_UNPLUGGED), unplugged);
}

static void assert_says(const char *text)
{
	if (!strstr(sim_command_text, text))
		fail_msg("not said: '%s', but\n%s", text, sim_command_text);
}

static void the_simulation_answers_as_xen_does(void **state)
{
	uint64_t free = ledger_count(OWNER_FREE);

	(void)state;
	assert_int_equal(sim_command("xen_check"), 0);
	assert_string_equal(sim_command_text,
			    "Asked                                            Answer Expected\n"
			    "give a frame                                          1        1\n"
			    "give it again                                         0        0\n"
			    "give a list of 8, of which the fifth is given         4        4\n"
			    "populate those five                                   5        5\n"
			    "give a list of none                                   0        0\n"
			    "give the local APIC's registers                       0        0\n"
			    "give frame 2^40                                       0        0\n"
			    "give 4 TiB in one extent                              0        0\n"
			    "give for a domain that is not there                   0        0\n"
			    "give a list at address 0                              0        0\n"
			    "ask for an unknown operation                        -38      -38\n"
			    "give a block                                          1        1\n"
			    "populate that block                                   1        1\n"
			    "give a block that is not aligned                      1        1\n"
			    "give a frame of it                                    0        0\n"
			    "populate a frame that is there                        1        1\n"
			    "frames that do not come back                          0        0\n"
			    "other frames that have changed                        0        0\n"
			    "frames that do not hold what is written               0        0\n"
			    "frames that Xen counts more than before               1        1\n"
			    "frames that the ledger does not take                  0        0\n");
	assert_int_equal(ledger_count(OWNER_FREE), free);
	assert_ledger(0);
	assert_int_equal(sim_xen.there, SIM_RAM_FRAMES);
	assert_int_equal(sim_xen.current, SIM_RAM_FRAMES + 1);
}

static void it_can_be_asked_again(void **state)
{
	(void)state;
	assert_int_equal(sim_command("xen_check"), 0);
	assert_int_equal(sim_command("xen_check"), 0);
	assert_int_equal(sim_xen.current, SIM_RAM_FRAMES + 2);
	assert_ledger(0);
}

static void another_answer_is_told(void **state)
{
	(void)state;
	sim_xen.faults.no_blocks[false] = true;
	assert_int_equal(sim_command("xen_check"), -EIO);
	assert_says("give a block                                          0        1  "
		    "another answer\n");
	assert_says("xen_check: 4 answers are not those of the Xen that is known\n");
	assert_ledger(0);
}

/* Where the run lies: the allocator's choice is the same each time. */
static pfn_t find_run(void)
{
	pfn_t run;

	assert_int_equal(frame_alloc(BLOCK_ORDER + 1, OWNER_HELD, &run), 0);
	assert_int_equal(frame_free(run, 2 * BLOCK_FRAMES, OWNER_HELD), 0);
	return run;
}

static void another_frame_that_changes_is_told(void **state)
{
	(void)state;
	spoiled = find_run() + BLOCK_FRAMES + 1;
	assert_int_equal(sim_command("xen_check"), -EIO);
	assert_says("other frames that have changed                        1        0  "
		    "another answer\n");
	assert_says("xen_check: 1 answers are not those of the Xen that is known\n");
	assert_ledger(0);
}

/* One that Xen says it has taken back, and has not. */
static void a_frame_that_stays_away_is_nobodys(void **state)
{
	uint64_t managed = ledger_managed(), free = ledger_count(OWNER_FREE);
	pfn_t run = find_run();

	(void)state;
	sim_xen.faults.stubborn[true] = run + BLOCK_FRAMES;
	assert_int_equal(sim_command("xen_check"), -EIO);
	assert_says("frames that do not come back                          1        0  "
		    "another answer\n");
	assert_ledger(1);
	assert_int_equal(frame_owner(run + BLOCK_FRAMES), OWNER_UNPLUGGED);
	assert_int_equal(ledger_count(OWNER_FREE), free - 1);
	assert_int_equal(ledger_managed(), managed);
}

static void without_xen_there_is_nobody_to_ask(void **state)
{
	(void)state;
	sim_xen.absent = true;
	assert_int_equal(sim_command("xen_check"), -ENODEV);
	assert_string_equal(sim_command_text, "xen_check: this is no domain of Xen's\n");
}

static void without_memory_nothing_is_asked(void **state)
{
	pfn_t pfn;

	(void)state;
	while (frame_alloc(0, OWNER_KERNEL, &pfn) == 0)
		;
	assert_int_equal(sim_command("xen_check"), -ENOMEM);
	assert_int_equal(sim_xen.calls, 0);
}

static void arguments_are_refused(void **state)
{
	(void)state;
	assert_int_equal(sim_command("xen_check 1"), -EINVAL);
	assert_string_equal(sim_command_text, "");
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(the_simulation_answers_as_xen_does),
		CASE(it_can_be_asked_again),
		CASE(another_answer_is_told),
		CASE(another_frame_that_changes_is_told),
		CASE(a_frame_that_stays_away_is_nobodys),
		CASE(without_xen_there_is_nobody_to_ask),
		CASE(without_memory_nothing_is_asked),
		CASE(arguments_are_refused),
	};

	return cmocka_run_group_tests_name("xen_check_cmd", tests, set_up_all, NULL);
}
