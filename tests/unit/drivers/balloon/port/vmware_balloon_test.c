/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * drivers/balloon/port/vmware_balloon.c: the start, the target and when it is asked for, RESET, a
 * host that is busy, silent or talks nonsense, need of memory, and the end.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "arch/clock.h"
#include "drivers/balloon/balloon_account.h"
#include "drivers/balloon/balloon_reclaim.h"
#include "drivers/balloon/balloon_state_internal.h"
#include "drivers/balloon/balloon_wait.h"
#include "tests/unit/drivers/balloon/port/vmware_fixture.h"

#define ALL_COMMANDS 0

/* ---- The start ---- */

static void all_capabilities_are_agreed_and_the_guest_says_who_it_is_not(void **state)
{
	(void)state;
	sim_vmware()->guest_id = 99;
	begin_vmware(NO_FLOOR);
	assert_int_equal(vmware_call_capabilities(), 0x2e);
	assert_int_equal(sim_vmware()->capabilities, 0x2e);
	assert_int_equal(calls(VMWARE_START), 1);
	assert_int_equal(calls(VMWARE_GUEST_ID), 1);
	assert_int_equal(sim_vmware()->guest_id, 0);
	assert_int_equal(calls(VMWARE_GET_TARGET), 1);
	assert_int_equal(sim_vmware()->limit, RAM_FRAMES);
	assert_int_equal(calls(VMWARE_DOORBELL_SET), 0);
	assert_true(status().deflate_on_oom);
}

static void only_vmware_is_asked(void **state)
{
	(void)state;
	sim_machine.personality = NULL;
	sim_ram_task = NULL;
	vmware_balloon_start(VMWARE_BALLOON_POLL_NS);
	assert_null(sim_ram_task);
	assert_int_equal(sim_vmware()->calls[VMWARE_START], 0);
	assert_int_equal(sim_log_warnings, 0);
	sim_machine.personality = &vmware_personality;
}

static void a_vmware_without_a_balloon_is_left_alone(void **state)
{
	(void)state;
	lie(VMWARE_LIE_REFUSES, ALL_COMMANDS, VMWARE_FAILURE);
	try_vmware(NO_FLOOR);
	assert_false(status().present);
	assert_int_equal(sim_vmware()->calls[VMWARE_START], 1);
	vmware_balloon_leave();
	assert_int_equal(sim_vmware()->calls[VMWARE_START], 1);
}

static void a_host_that_takes_no_frames_is_no_balloon(void **state)
{
	(void)state;
	sim_vmware()->withheld = VMWARE_BASIC | VMWARE_BATCHED;
	try_vmware(NO_FLOOR);
	assert_false(status().present);
	/* It is told that nothing comes. */
	assert_int_equal(sim_vmware()->leaves, 1);
}

static void nonsense_at_start_is_no_balloon(void **state)
{
	static const uint32_t answers[] = { 1, 2, 6, 9, 0x1234, 0x03000001, 0x80000000 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(answers); i++) {
		lie(VMWARE_LIE_REFUSES, COMMAND(START), answers[i]);
		try_vmware(NO_FLOOR);
		assert_false(status().present);
	}
}

static void capabilities_that_nobody_asked_for_are_not_used(void **state)
{
	(void)state;
	lie(VMWARE_LIE_RESULT, COMMAND(START), 0xffffffff);
	begin_vmware(NO_FLOOR);
	assert_int_equal(vmware_call_capabilities(), 0x2e);
}

static void blocks_without_batches_are_none(void **state)
{
	(void)state;
	sim_vmware()->withheld = VMWARE_BATCHED;
	begin_vmware(NO_FLOOR);
	assert_int_equal(vmware_call_capabilities(), VMWARE_BASIC | VMWARE_64_BIT_TARGET);
	vmware_wants(600);
	assert_vmware_has(600);
	assert_int_equal(calls(VMWARE_LOCK), 600);
}

/* It behaves when this is called so often. */
static unsigned waits_left;

static void behave_later(void)
{
	if (waits_left > 0 && --waits_left == 0)
		sim_vmware_behave();
}

static void a_host_that_is_busy_or_resets_at_start_is_asked_again(void **state)
{
	static const uint32_t answers[] = { VMWARE_BUSY, VMWARE_RESET };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(answers); i++) {
		begin_kind(&vmware_host_kinds[0]);
		lie(VMWARE_LIE_REFUSES, COMMAND(START), answers[i]);
		waits_left = 20;
		sim_time_on_wait = behave_later;
		begin_vmware(NO_FLOOR);
		sim_time_on_wait = NULL;
		assert_int_equal(sim_vmware()->calls[VMWARE_START], 21);
		vmware_wants(100);
		assert_vmware_has(100);
	}
}

static void one_that_stays_busy_is_asked_again_for_ever_with_one_line(void **state)
{
	(void)state;
	lie(VMWARE_LIE_REFUSES, COMMAND(START), VMWARE_BUSY);
	waits_left = 20000;
	sim_time_on_wait = behave_later;
	begin_vmware(NO_FLOOR);
	sim_time_on_wait = NULL;
	assert_true(clock_ns() > 100 * NS_PER_S);
	assert_int_equal(sim_log_warnings + sim_log_infos, 1);
	assert_non_null(
		strstr(sim_log_info, "VMware's is not used: it does not end with being busy"));
	vmware_wants(100);
	assert_vmware_has(100);
}

/* ---- The target ---- */

static void the_target_is_exact_to_the_frame_on_every_kind_of_host(void **state)
{
	static const uint64_t frames[] = { 1,	 2,    511,  512,   513,   1024, 5000,
					   4999, 4608, 2049, 16383, 16384, 7,	 0 };

	(void)state;
	for (size_t kind = 0; kind < VMWARE_HOST_KINDS; kind++) {
		begin_kind(&vmware_host_kinds[kind]);
		begin_vmware(NO_FLOOR);
		for (size_t i = 0; i < ARRAY_SIZE(frames); i++) {
			vmware_wants(frames[i]);
			assert_vmware_has(frames[i]);
			assert_int_equal(status().target, frames[i]);
		}
	}
}

static void the_target_is_asked_for_once_a_second(void **state)
{
	(void)state;
	begin_vmware(NO_FLOOR);
	assert_int_equal(calls(VMWARE_GET_TARGET), 1);
	for (int i = 0; i < 10; i++) {
		sim_time_advance(NS_PER_S / 10);
		settle();
	}
	assert_int_equal(calls(VMWARE_GET_TARGET), 2);
	for (int i = 0; i < 5; i++)
		poll_vmware();
	assert_int_equal(calls(VMWARE_GET_TARGET), 7);
}

static void an_idle_guest_wakes_at_the_seconds_that_others_wake_at(void **state)
{
	(void)state;
	begin_vmware(NO_FLOOR);
	for (uint64_t second = 1; second < 6; second++) {
		balloon_wait_for_news(balloons);
		assert_true(clock_ns() / NS_PER_S == second);
		assert_true(clock_ns() % NS_PER_S < NS_PER_MS);
		settle();
		assert_int_equal(calls(VMWARE_GET_TARGET), 1 + second);
	}
}

static void polls_may_come_more_often(void **state)
{
	const struct balloon_config config = { 0 };

	(void)state;
	begin_vmware(NO_FLOOR);
	balloon_detach(balloons->port);
	begin_kind(&vmware_host_kinds[0]);
	balloon_init(&config);
	vmware_balloon_start(20 * NS_PER_MS);
	settle();
	for (int i = 0; i < 40; i++) {
		balloon_wait_for_news(balloons);
		settle();
	}
	assert_int_equal(calls(VMWARE_GET_TARGET), 41);
	assert_true(clock_ns() < NS_PER_S);
	balloon_detach(balloons->port);
}

static void any_command_tells_the_target(void **state)
{
	struct vmware_lie moves = always(VMWARE_LIE_TARGET, LOCKS, 700);

	(void)state;
	begin_vmware(NO_FLOOR);
	moves.after = 2;
	moves.times = 1;
	sim_vmware_lie(&moves);
	vmware_wants(5 * BLOCK_FRAMES + 3);
	/* Blocks by one command, frames by another: then it wants fewer. */
	assert_vmware_has(5 * BLOCK_FRAMES + 3);
	vmware_wants(5 * BLOCK_FRAMES + 9);
	assert_vmware_has(700);
}

static void a_target_without_success_is_none(void **state)
{
	(void)state;
	begin_vmware(NO_FLOOR);
	vmware_wants(300);
	lie(VMWARE_LIE_REFUSES, COMMAND(GET_TARGET), VMWARE_BUSY);
	vmware_wants(900);
	assert_vmware_has(300);
	assert_int_equal(status().target, 300);
	sim_vmware_behave();
	poll_vmware();
	assert_vmware_has(900);
}

static void a_target_has_32_bits_where_no_more_were_agreed(void **state)
{
	(void)state;
	begin_vmware(NO_FLOOR);
	lie(VMWARE_LIE_RESULT, ~COMMAND(START), (UINT64_C(1) << 32) + 5);
	poll_vmware();
	assert_int_equal(status().target, (UINT64_C(1) << 32) + 5);
	begin_kind(&vmware_host_kinds[3]);
	begin_vmware(NO_FLOOR);
	lie(VMWARE_LIE_RESULT, ~COMMAND(START), (UINT64_C(7) << 32) + 5);
	poll_vmware();
	assert_int_equal(status().target, 5);
}

static void a_target_beyond_all_memory_is_followed_as_far_as_it_goes(void **state)
{
	(void)state;
	begin_vmware(1000);
	lie(VMWARE_LIE_RESULT, ~COMMAND(START), UINT64_MAX);
	poll_vmware();
	assert_vmware_has(RAM_FRAMES - 1000);
	assert_int_equal(status().target, UINT64_C(1) << 40);
	assert_int_equal(status().shortfall, (UINT64_C(1) << 40) - (RAM_FRAMES - 1000));
}

static void ballooned_memory_stays_in_the_total(void **state)
{
	struct balloon_account account;

	(void)state;
	begin_vmware(NO_FLOOR);
	vmware_wants(3000);
	balloon_account(&account);
	assert_int_equal(account.inflated_free, 3000);
	assert_int_equal(account.inflated_total, 0);
	assert_int_equal(account.total, RAM_FRAMES);
}

/* ---- RESET ---- */

static void after_reset_all_frames_are_back_and_the_target_is_reached_anew(void **state)
{
	(void)state;
	begin_vmware(NO_FLOOR);
	vmware_wants(3000);
	sim_vmware_forget();
	poll_vmware();
	assert_vmware_has(3000);
	assert_int_equal(calls(VMWARE_START), 2);
	assert_int_equal(sim_vmware()->resets, 1);
	assert_int_equal(status().recoveries, 1);
	assert_false(status().broken);
}

/* At each command of a life that has all kinds of them. */
static void reset_at_any_command_loses_nothing(void **state)
{
	(void)state;
	for (size_t kind = 0; kind < VMWARE_HOST_KINDS; kind++)
		for (uint32_t nth = 0;; nth++) {
			struct vmware_lie reset = always(VMWARE_LIE_FORGETS, ALL_COMMANDS, 0);

			begin_kind(&vmware_host_kinds[kind]);
			reset.after = nth;
			reset.times = 1;
			sim_vmware_lie(&reset);
			begin_vmware(NO_FLOOR);
			vmware_wants(3 * BLOCK_FRAMES + 5);
			vmware_wants(BLOCK_FRAMES / 2);
			vmware_wants(BLOCK_FRAMES + 1);
			assert_vmware_has(BLOCK_FRAMES + 1);
			assert_books();
			if (sim_vmware()->told[0] == 0)
				break;
			/* Each single frame is a command where there are no batches. */
			if (nth > 20)
				nth += 97;
		}
}

static void one_that_resets_at_each_command_is_given_up_in_time(void **state)
{
	uint64_t start_awake;

	(void)state;
	begin_vmware(NO_FLOOR);
	vmware_wants(3000);
	lie(VMWARE_LIE_FORGETS, ALL_COMMANDS, 0);
	start_awake = clock_awake_ns();
	poll_vmware();
	assert_non_null(status().broken);
	assert_true(clock_awake_ns() - start_awake < 5 * NS_PER_S);
	assert_int_equal(ballooned(), 0);
	assert_int_equal(ledger_count(OWNER_FREE), RAM_FRAMES);
	assert_non_null(strstr(sim_log_warning, "balloon: VMware is not asked any more: "));
}

static void one_that_resets_at_each_but_start_is_given_up_at_once(void **state)
{
	(void)state;
	begin_vmware(NO_FLOOR);
	vmware_wants(3000);
	lie(VMWARE_LIE_FORGETS, ~COMMAND(START), 0);
	poll_vmware();
	assert_string_equal(status().broken, "it asks for one reset after the other");
	assert_int_equal(sim_vmware()->leaves, 1);
	assert_int_equal(ledger_count(OWNER_FREE), RAM_FRAMES);
}

static void of_many_resets_there_is_a_line_a_second(void **state)
{
	struct vmware_lie reset = always(VMWARE_LIE_FORGETS, ALL_COMMANDS, 0);
	unsigned lines;

	(void)state;
	lines = sim_log_infos + sim_log_warnings;
	begin_kind(&vmware_host_kinds[2]);
	begin_vmware(NO_FLOOR);
	reset.every = 700; /* single frames */
	sim_vmware_lie(&reset);
	sim_vmware_want(8000);
	sim_time_advance(NS_PER_S);
	for (int i = 0; i < 500; i++)
		balloon_step();
	assert_true(sim_vmware()->resets > 50);
	assert_false(status().broken);
	assert_true(sim_log_infos + sim_log_warnings - lines < 10);
}

/* ---- A host that answers nothing of use ---- */

static void silence_for_2_s_is_the_end_and_one_line_says_why(void **state)
{
	uint64_t start_awake, warnings;

	(void)state;
	begin_vmware(NO_FLOOR);
	vmware_wants(3000);
	lie(VMWARE_LIE_REFUSES, ALL_COMMANDS, VMWARE_FAILURE);
	warnings = sim_log_warnings;
	sim_time_advance(NS_PER_S);
	start_awake = clock_awake_ns();
	settle();
	for (int i = 0; i < 1000 && !status().broken; i++) {
		balloon_wait_for_news(balloons);
		settle();
	}
	assert_string_equal(status().broken, "it answers GET_TARGET with FAILURE for 2 s");
	assert_true(clock_awake_ns() - start_awake > 2 * NS_PER_S);
	assert_true(clock_awake_ns() - start_awake < 3 * NS_PER_S);
	/* The first one, and the last. */
	assert_int_equal(sim_log_warnings - warnings, 2);
	/* Nobody has said that they are back. */
	assert_int_equal(ballooned(), 3000);
}

static void a_short_silence_is_nothing(void **state)
{
	(void)state;
	begin_vmware(NO_FLOOR);
	vmware_wants(3000);
	lie(VMWARE_LIE_REFUSES, ALL_COMMANDS, VMWARE_FAILURE);
	sim_time_advance(NS_PER_S);
	settle();
	for (int i = 0; i < 50; i++) {
		balloon_wait_for_news(balloons);
		settle();
	}
	assert_false(status().broken);
	sim_vmware_behave();
	vmware_wants(4000);
	assert_vmware_has(4000);
}

static void a_guest_that_was_stopped_has_not_waited(void **state)
{
	struct vmware_lie once = always(VMWARE_LIE_REFUSES, ALL_COMMANDS, VMWARE_FAILURE);

	(void)state;
	begin_vmware(NO_FLOOR);
	vmware_wants(3000);
	once.times = 1;
	sim_vmware_lie(&once);
	sim_time_advance(NS_PER_S);
	settle();
	sim_time_jump(3600 * (int64_t)NS_PER_S);
	settle();
	assert_false(status().broken);
	assert_vmware_has(3000);
}

static void retry_of_a_host_that_answers_again_begins_with_an_empty_balloon(void **state)
{
	const char *why;

	silence_for_2_s_is_the_end_and_one_line_says_why(state);
	assert_int_not_equal(balloon_retry(balloons, &why), 0);
	assert_int_equal(ballooned(), 3000);
	sim_vmware_behave();
	assert_int_equal(balloon_retry(balloons, &why), 0);
	settle();
	assert_vmware_has(3000);
	vmware_wants(10);
	assert_vmware_has(10);
}

/* It would not let go before; started, it has nothing, and the guest sees that. */
static void a_start_empties_a_balloon_that_was_not_let_go(void **state)
{
	struct vmware_lie not_at_end = always(VMWARE_LIE_REFUSES, COMMAND(START), VMWARE_FAILURE);
	const char *why;

	silence_for_2_s_is_the_end_and_one_line_says_why(state);
	not_at_end.times = 1;
	sim_vmware_lie(&not_at_end);
	assert_int_equal(balloon_retry(balloons, &why), 0);
	settle();
	assert_int_equal(sim_vmware()->told[0], 1);
	assert_vmware_has(3000);
	assert_false(status().broken);
}

static void busy_for_ever_is_a_pause_and_one_line(void **state)
{
	uint64_t warnings;

	(void)state;
	begin_vmware(NO_FLOOR);
	vmware_wants(1000);
	warnings = sim_log_warnings;
	lie(VMWARE_LIE_REFUSES, LOCKS | UNLOCKS, VMWARE_BUSY);
	sim_vmware_want(3000);
	for (int i = 0; i < 300; i++)
		poll_vmware();
	assert_vmware_has(1000);
	assert_false(status().broken);
	assert_int_equal(sim_log_warnings - warnings, 1);
	assert_non_null(strstr(sim_log_warning, "VMware: it answers "));
	assert_true(calls(VMWARE_BATCHED_2M_LOCK) < 30);
	sim_vmware_behave();
	for (int i = 0; i < 33; i++)
		poll_vmware();
	assert_vmware_has(3000);
}

/* Memory in need, while a line waits for a slow console. */
static void need_meanwhile(void)
{
	sim_log_on_warning = NULL;
	assert_true(balloon_reclaim(0) > 0);
}

static void a_line_is_said_when_no_batch_is_under_way(void **state)
{
	(void)state;
	begin_vmware(NO_FLOOR);
	vmware_wants(1000);
	lie(VMWARE_LIE_REFUSES, LOCKS, VMWARE_BUSY);
	sim_log_on_warning = need_meanwhile;
	sim_vmware_want(1100);
	poll_vmware();
	assert_null(sim_log_on_warning);
	assert_vmware_has(999);
	sim_vmware_behave();
	for (int i = 0; i < 5; i++)
		poll_vmware();
	assert_vmware_has(1100);
}

static void unknown_statuses_have_a_name_that_is_a_number(void **state)
{
	(void)state;
	begin_vmware(NO_FLOOR);
	lie(VMWARE_LIE_REFUSES, COMMAND(GET_TARGET), 0x1234);
	poll_vmware();
	assert_string_equal(sim_log_warning,
			    "balloon: VMware: it answers GET_TARGET with status 0x1234");
	sim_vmware_behave();
	poll_vmware();
	assert_false(status().broken);
}

static void the_very_first_answer_may_be_wrong(void **state)
{
	(void)state;
	lie(VMWARE_LIE_REFUSES, COMMAND(GET_TARGET), 0x1234);
	begin_vmware(NO_FLOOR);
	assert_string_equal(sim_log_warning,
			    "balloon: VMware: it answers GET_TARGET with status 0x1234");
}

/* ---- Need of memory ---- */

static void memory_in_need_comes_back_unasked_and_inflation_holds_off(void **state)
{
	pfn_t pfn;

	(void)state;
	begin_vmware(NO_FLOOR);
	frame_set_reclaimer(balloon_reclaim);
	vmware_wants(RAM_FRAMES);
	assert_vmware_has(RAM_FRAMES);
	assert_int_equal(frame_alloc(0, OWNER_HELD, &pfn), 0);
	*(volatile char *)(uintptr_t)pfn_to_paddr(pfn) = 1;
	assert_int_equal(host_frames_count(), ballooned());
	assert_true(ballooned() < RAM_FRAMES);
	assert_int_equal(status().oom_events, 1);
	settle();
	assert_true(ballooned() < RAM_FRAMES);
	sim_time_advance(BALLOON_HOLD_OFF_NS + NS_PER_S);
	settle();
	assert_vmware_has(RAM_FRAMES - 1);
	frame_set_reclaimer(NULL);
}

static void what_cannot_be_unlocked_is_not_used_in_need_either(void **state)
{
	pfn_t pfn;

	(void)state;
	begin_vmware(NO_FLOOR);
	frame_set_reclaimer(balloon_reclaim);
	vmware_wants(RAM_FRAMES);
	lie(VMWARE_LIE_REFUSES, UNLOCKS, VMWARE_FAILURE);
	assert_int_equal(frame_alloc(0, OWNER_HELD, &pfn), -ENOMEM);
	assert_vmware_has(RAM_FRAMES);
	frame_set_reclaimer(NULL);
}

/* ---- The end ---- */

static void the_end_gives_all_frames_back_and_says_so(void **state)
{
	(void)state;
	begin_vmware(NO_FLOOR);
	vmware_wants(3000);
	balloon_detach(balloons->port);
	assert_int_equal(sim_vmware()->unlocked[0] + sim_vmware()->unlocked[1], 3000);
	assert_int_equal(sim_vmware()->leaves, 1);
	assert_int_equal(sim_vmware()->is_started, 0);
	assert_int_equal(ledger_count(OWNER_FREE), RAM_FRAMES);
}

static void a_machine_that_ends_says_so_once(void **state)
{
	(void)state;
	begin_vmware(NO_FLOOR);
	vmware_wants(3000);
	vmware_balloon_leave();
	assert_int_equal(sim_vmware()->leaves, 1);
	assert_int_equal(host_frames_count(), 0);
	vmware_balloon_leave();
	assert_int_equal(sim_vmware()->leaves, 1);
}

static void a_host_that_does_not_let_go_at_the_end_keeps_its_frames(void **state)
{
	(void)state;
	begin_vmware(NO_FLOOR);
	vmware_wants(3000);
	lie(VMWARE_LIE_REFUSES, ALL_COMMANDS, VMWARE_FAILURE);
	balloon_detach(balloons->port);
	assert_int_equal(host_frames_count(), 3000);
	assert_int_equal(ledger_count(OWNER_IN_FLIGHT), 3000);
	assert_int_equal(ledger_count(OWNER_FREE), RAM_FRAMES - 3000);
	/* So that the books of this test are those of the others. */
	host_frames_return_all();
	assert_int_equal(frame_free_owned(OWNER_IN_FLIGHT, UINT64_MAX), 3000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		VMWARE_TEST(all_capabilities_are_agreed_and_the_guest_says_who_it_is_not),
		VMWARE_TEST(only_vmware_is_asked),
		VMWARE_TEST(a_vmware_without_a_balloon_is_left_alone),
		VMWARE_TEST(a_host_that_takes_no_frames_is_no_balloon),
		VMWARE_TEST(nonsense_at_start_is_no_balloon),
		VMWARE_TEST(capabilities_that_nobody_asked_for_are_not_used),
		VMWARE_TEST(blocks_without_batches_are_none),
		VMWARE_TEST(a_host_that_is_busy_or_resets_at_start_is_asked_again),
		VMWARE_TEST(one_that_stays_busy_is_asked_again_for_ever_with_one_line),
		VMWARE_TEST(the_target_is_exact_to_the_frame_on_every_kind_of_host),
		VMWARE_TEST(the_target_is_asked_for_once_a_second),
		VMWARE_TEST(an_idle_guest_wakes_at_the_seconds_that_others_wake_at),
		VMWARE_TEST(polls_may_come_more_often),
		VMWARE_TEST(any_command_tells_the_target),
		VMWARE_TEST(a_target_without_success_is_none),
		VMWARE_TEST(a_target_has_32_bits_where_no_more_were_agreed),
		VMWARE_TEST(a_target_beyond_all_memory_is_followed_as_far_as_it_goes),
		VMWARE_TEST(ballooned_memory_stays_in_the_total),
		VMWARE_TEST(after_reset_all_frames_are_back_and_the_target_is_reached_anew),
		VMWARE_TEST(reset_at_any_command_loses_nothing),
		VMWARE_TEST(one_that_resets_at_each_command_is_given_up_in_time),
		VMWARE_TEST(one_that_resets_at_each_but_start_is_given_up_at_once),
		VMWARE_TEST(of_many_resets_there_is_a_line_a_second),
		VMWARE_TEST(silence_for_2_s_is_the_end_and_one_line_says_why),
		VMWARE_TEST(a_short_silence_is_nothing),
		VMWARE_TEST(a_guest_that_was_stopped_has_not_waited),
		VMWARE_TEST(retry_of_a_host_that_answers_again_begins_with_an_empty_balloon),
		VMWARE_TEST(a_start_empties_a_balloon_that_was_not_let_go),
		VMWARE_TEST(busy_for_ever_is_a_pause_and_one_line),
		VMWARE_TEST(a_line_is_said_when_no_batch_is_under_way),
		VMWARE_TEST(unknown_statuses_have_a_name_that_is_a_number),
		VMWARE_TEST(the_very_first_answer_may_be_wrong),
		VMWARE_TEST(memory_in_need_comes_back_unasked_and_inflation_holds_off),
		VMWARE_TEST(what_cannot_be_unlocked_is_not_used_in_need_either),
		VMWARE_TEST(the_end_gives_all_frames_back_and_says_so),
		VMWARE_TEST(a_machine_that_ends_says_so_once),
		VMWARE_TEST(a_host_that_does_not_let_go_at_the_end_keeps_its_frames),
	};

	return cmocka_run_group_tests_name("vmware_balloon", tests, set_up_ram, NULL);
}
