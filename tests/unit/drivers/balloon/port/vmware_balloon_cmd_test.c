/* SPDX-License-Identifier: BSD-2-Clause */
/* drivers/balloon/port/vmware_balloon_cmd.c: what `vmmemctl` prints, line by line. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "arch/clock.h"
#include "drivers/balloon/balloon_reclaim.h"
#include "tests/schema/assert_fits.h"
#include "tests/sim/sim_command.h"
#include "tests/unit/drivers/balloon/port/vmware_fixture.h"

static int tear_down_cmd(void **state)
{
	sim_command_forget();
	return tear_down_vmware(state);
}

/*
 * Of four blocks one is refused, so its frames are tried, and one of these is; 101 others go in its
 * place. Back come blocks, what there is of that one, a block and a frame. After a reset all
 * goes, and one frame is needed.
 */
static void live(void)
{
	const pfn_t pinned = FIRST_FRAME + 2 * BLOCK_FRAMES + 7;
	pfn_t pfn;

	begin_vmware(NO_FLOOR);
	sim_vmware()->pinned_first = pinned;
	sim_vmware()->pinned_count = 1;
	vmware_wants(4 * BLOCK_FRAMES + 100);
	sim_vmware()->pinned_count = 0;
	vmware_wants(100);
	sim_vmware_forget();
	vmware_wants(RAM_FRAMES);
	frame_set_reclaimer(balloon_reclaim);
	assert_int_equal(frame_alloc(0, OWNER_HELD, &pfn), 0);
	frame_set_reclaimer(NULL);
	assert_int_equal(frame_free(pfn, 1, OWNER_HELD), 0);
}

static void a_fresh_balloon_has_the_lines_of_old_kernels(void **state)
{
	(void)state;
	sim_vmware()->withheld = VMWARE_BATCHED_2M | VMWARE_64_BIT_TARGET;
	begin_vmware(NO_FLOOR);
	assert_int_equal(sim_command("vmmemctl"), 0);
	assert_string_equal(sim_command_text, "balloon capabilities:   0x2e\n"
					      "used capabilities:      0x6\n"
					      "is resetting:           n\n"
					      "target:                    0 pages\n"
					      "current:                   0 pages\n"
					      "rateSleepAlloc:            0 pages/sec\n"
					      "\n"
					      "timer:                     1\n"
					      "doorbell:                  0\n"
					      "start:                     1 (   0 failed)\n"
					      "guestType:                 1 (   0 failed)\n"
					      "2m-lock:                   0 (   0 failed)\n"
					      "lock:                      0 (   0 failed)\n"
					      "2m-unlock:                 0 (   0 failed)\n"
					      "unlock:                    0 (   0 failed)\n"
					      "target:                    1 (   0 failed)\n"
					      "prim2mAlloc:               0 (   0 failed)\n"
					      "primNoSleepAlloc:          0 (   0 failed)\n"
					      "primCanSleepAlloc:         0 (   0 failed)\n"
					      "prim2mFree:                0\n"
					      "primFree:                  0\n"
					      "err2mAlloc:                0\n"
					      "errAlloc:                  0\n"
					      "err2mFree:                 0\n"
					      "errFree:                   0\n"
					      "doorbellSet:               0\n"
					      "doorbellUnset:             0\n");
}

static void each_figure_of_a_life_is_counted(void **state)
{
	(void)state;
	live();
	assert_int_equal(sim_command("vmmemctl"), 0);
	assert_string_equal(sim_command_text, "balloon capabilities:   0x2e\n"
					      "used capabilities:      0x2e\n"
					      "is resetting:           n\n"
					      "target:                16384 pages\n"
					      "current:               16383 pages\n"
					      "rateSleepAlloc:            0 pages/sec\n"
					      "\n"
					      "timer:                     5\n"
					      "doorbell:                  0\n"
					      "start:                     2 (   0 failed)\n"
					      "guestType:                 2 (   0 failed)\n"
					      "2m-lock:                   2 (   0 failed)\n"
					      "lock:                      2 (   0 failed)\n"
					      "2m-unlock:                 2 (   0 failed)\n"
					      "unlock:                    3 (   0 failed)\n"
					      "target:                    5 (   1 failed)\n"
					      "prim2mAlloc:              36 (   0 failed)\n"
					      "primNoSleepAlloc:        613 (   0 failed)\n"
					      "primCanSleepAlloc:         0 (   0 failed)\n"
					      "prim2mFree:                3\n"
					      "primFree:                513\n"
					      "err2mAlloc:                1\n"
					      "errAlloc:                  1\n"
					      "err2mFree:                 0\n"
					      "errFree:                   1\n"
					      "doorbellSet:               0\n"
					      "doorbellUnset:             0\n");
}

static void newer_kernels_lines_have_the_same_figures(void **state)
{
	(void)state;
	live();
	assert_int_equal(sim_command("vmmemctl -n"), 0);
	assert_string_equal(sim_command_text,
			    "balloon capabilities  :             0x2e\n"
			    "used capabilities     :             0x2e\n"
			    "is resetting          :                n\n"
			    "target                :            16384\n"
			    "current               :            16383\n"
			    "start                 :                2 (0 failed)\n"
			    "target                :                5 (1 failed)\n"
			    "lock                  :                0 (0 failed)\n"
			    "unlock                :                0 (0 failed)\n"
			    "guestType             :                2 (0 failed)\n"
			    "batchLock             :                2 (0 failed)\n"
			    "batchUnlock           :                3 (0 failed)\n"
			    "2m-lock               :                2 (0 failed)\n"
			    "2m-unlock             :                2 (0 failed)\n"
			    "doorbellSet           :                0 (0 failed)\n"
			    "timer                 :                5\n"
			    "doorbell              :                0\n"
			    "reset                 :                1\n"
			    "shrink                :                1\n"
			    "shrinkFree            :                1\n"
			    "alloc             (4k):              613\n"
			    "alloc             (2M):               36\n"
			    "allocFail         (4k):                0\n"
			    "allocFail         (2M):                0\n"
			    "errAlloc          (4k):                1\n"
			    "errAlloc          (2M):                1\n"
			    "errFree           (4k):                1\n"
			    "errFree           (2M):                0\n"
			    "free              (4k):              513\n"
			    "free              (2M):                3\n");
}

static void json_is_in_bytes_and_fits_its_schema(void **state)
{
	(void)state;
	live();
	assert_int_equal(sim_command("vmmemctl -j"), 0);
	assert_fits("guest-vmmemctl", sim_command_text);
	assert_non_null(strstr(sim_command_text, "{\"capabilities\":46,\"used-capabilities\":46,"
						 "\"resetting\":false,\"target\":67108864,"
						 "\"current\":"));
}

/* What was set aside is not free yet. */
static void refused_frames_are_freed_with_their_target(void **state)
{
	(void)state;
	begin_kind(&vmware_host_kinds[1]);
	begin_vmware(NO_FLOOR);
	sim_vmware()->pinned_first = FIRST_FRAME;
	sim_vmware()->pinned_count = 3;
	vmware_wants(RAM_FRAMES);
	assert_int_equal(ledger_count(OWNER_REFUSED), 3);
	assert_int_equal(sim_command("vmmemctl"), 0);
	assert_non_null(strstr(sim_command_text, "errAlloc:                  3\n"));
	assert_non_null(strstr(sim_command_text, "errFree:                   0\n"));
	vmware_wants(RAM_FRAMES - 3);
	assert_int_equal(sim_command("vmmemctl"), 0);
	assert_non_null(strstr(sim_command_text, "errFree:                   3\n"));
}

static void what_failed_is_beside_what_was_tried(void **state)
{
	(void)state;
	begin_vmware(NO_FLOOR);
	lie(VMWARE_LIE_REFUSES, COMMAND(GET_TARGET), VMWARE_BUSY);
	for (int i = 0; i < 10; i++)
		poll_vmware();
	assert_int_equal(sim_command("vmmemctl"), 0);
	assert_non_null(strstr(sim_command_text, "timer:                    11\n"));
	assert_non_null(strstr(sim_command_text, "target:                   11 (  10 failed)\n"));
}

static void a_host_that_was_given_up_is_resetting(void **state)
{
	(void)state;
	begin_vmware(NO_FLOOR);
	lie(VMWARE_LIE_FORGETS, 0, 0);
	poll_vmware();
	assert_non_null(status().broken);
	assert_int_equal(sim_command("vmmemctl"), 0);
	assert_non_null(strstr(sim_command_text, "is resetting:           y\n"));
	assert_int_equal(sim_command("vmmemctl -n"), 0);
	assert_non_null(strstr(sim_command_text, "is resetting          :                y\n"));
}

static void without_vmware_there_is_nothing_to_show(void **state)
{
	(void)state;
	sim_machine.personality = NULL;
	vmware_balloon_start(VMWARE_BALLOON_POLL_NS);
	assert_int_equal(sim_command("vmmemctl"), -ENODEV);
	assert_string_equal(sim_command_text, "vmmemctl: there is no balloon of VMware's\n");
}

static void another_hypervisors_balloon_is_not_shown(void **state)
{
	(void)state;
	begin_vmware(NO_FLOOR);
	lie(VMWARE_LIE_FORGETS, 0, 0);
	poll_vmware();
	assert_non_null(status().broken);
	sim_vmware_behave();
	start(0, NO_FLOOR);
	assert_int_equal(balloon_count(), 2);
	balloon_detach(&vmware_balloon_port);
	assert_int_equal(balloon_count(), 1);
	assert_int_equal(sim_command("vmmemctl"), -ENODEV);
}

static void other_words_are_refused(void **state)
{
	(void)state;
	begin_vmware(NO_FLOOR);
	assert_int_equal(sim_command("vmmemctl -x"), -EINVAL);
	assert_int_equal(sim_command("vmmemctl -n -j"), -EINVAL);
	assert_string_equal(sim_command_text, "");
}

static void the_traffic_and_the_capabilities_are_in_the_balloons_status(void **state)
{
	(void)state;
	begin_vmware(NO_FLOOR);
	vmware_wants(4 * BLOCK_FRAMES + 100);
	vmware_wants(BLOCK_FRAMES);
	assert_int_equal(sim_command("balloon"), 0);
	if (!strstr(sim_command_text, "Given to VMware: 4 blocks and 100 frames\n") ||
	    !strstr(sim_command_text, "Taken from VMware: 3 blocks and 100 frames\n") ||
	    !strstr(sim_command_text, "Capabilities: basic batched batched-2m 64-bit-target\n"))
		fail_msg("%s", sim_command_text);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up_vmware, tear_down_cmd)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(a_fresh_balloon_has_the_lines_of_old_kernels),
		CASE(each_figure_of_a_life_is_counted),
		CASE(newer_kernels_lines_have_the_same_figures),
		CASE(json_is_in_bytes_and_fits_its_schema),
		CASE(refused_frames_are_freed_with_their_target),
		CASE(what_failed_is_beside_what_was_tried),
		CASE(a_host_that_was_given_up_is_resetting),
		CASE(without_vmware_there_is_nothing_to_show),
		CASE(another_hypervisors_balloon_is_not_shown),
		CASE(other_words_are_refused),
		CASE(the_traffic_and_the_capabilities_are_in_the_balloons_status),
	};

	return cmocka_run_group_tests_name("vmware_balloon_cmd", tests, set_up_ram, NULL);
}
