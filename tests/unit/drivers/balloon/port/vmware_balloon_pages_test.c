/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * drivers/balloon/port/vmware_balloon_pages.c: what goes in which command, where each answer puts
 * a frame, blocks of which the host will not have a part, and a host that writes into the page.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "arch/clock.h"
#include "drivers/balloon/balloon_refusal.h"
#include "drivers/balloon/balloon_state_internal.h"
#include "tests/unit/drivers/balloon/port/vmware_fixture.h"

static struct vmware_balloon_counts counts(bool blocks)
{
	struct vmware_balloon_counts counts;

	vmware_balloon_pages_counts(blocks, &counts);
	return counts;
}

static uint64_t refused(enum balloon_refusal why)
{
	uint64_t frames[BALLOON_REFUSALS];

	balloon_refusal_counts(&balloons->refusal, frames);
	return frames[why];
}

/* Such a lie about each so many-th frame. */
static void lie_about_each(enum vmware_lie_kind kind, uint32_t commands, uint32_t every,
			   uint64_t value)
{
	struct vmware_lie row = always(kind, commands, value);

	row.every = every;
	sim_vmware_lie(&row);
}

/* ---- Commands ---- */

static void blocks_go_512_at_a_time_and_the_rest_by_frames(void **state)
{
	(void)state;
	begin_vmware(NO_FLOOR);
	vmware_wants(20 * BLOCK_FRAMES + 300);
	assert_int_equal(calls(VMWARE_BATCHED_2M_LOCK), 1);
	assert_int_equal(calls(VMWARE_BATCHED_LOCK), 1);
	assert_int_equal(calls(VMWARE_LOCK), 0);
	assert_int_equal(sim_vmware()->locked[0], 300);
	assert_int_equal(sim_vmware()->locked[1], 20 * BLOCK_FRAMES);
	vmware_wants(0);
	assert_vmware_has(0);
	assert_int_equal(sim_vmware()->unlocked[1], 20 * BLOCK_FRAMES);
	assert_int_equal(calls(VMWARE_UNLOCK), 0);
	assert_int_equal(counts(true).freed, 20);
	assert_int_equal(counts(false).freed, 300);
}

static void without_blocks_512_frames_go_at_a_time(void **state)
{
	(void)state;
	begin_kind(&vmware_host_kinds[1]);
	begin_vmware(NO_FLOOR);
	vmware_wants(20 * BLOCK_FRAMES + 300);
	assert_int_equal(calls(VMWARE_BATCHED_2M_LOCK), 0);
	assert_int_equal(calls(VMWARE_BATCHED_LOCK), 21);
	assert_vmware_has(20 * BLOCK_FRAMES + 300);
}

static void the_portable_strategy_gives_no_blocks(void **state)
{
	(void)state;
	begin_vmware(NO_FLOOR);
	assert_int_equal(balloon_set_strategy(BALLOON_PORTABLE), 0);
	vmware_wants(4 * BLOCK_FRAMES);
	assert_int_equal(calls(VMWARE_BATCHED_2M_LOCK), 0);
	assert_vmware_has(4 * BLOCK_FRAMES);
	assert_int_equal(counts(true).scarce, 0);
}

static void what_was_given_by_frames_comes_back_in_blocks(void **state)
{
	(void)state;
	begin_vmware(NO_FLOOR);
	assert_int_equal(balloon_set_strategy(BALLOON_PORTABLE), 0);
	vmware_wants(4 * BLOCK_FRAMES);
	assert_int_equal(balloon_set_strategy(BALLOON_AUTO), 0);
	vmware_wants(0);
	assert_vmware_has(0);
	assert_int_equal(calls(VMWARE_BATCHED_2M_UNLOCK), 1);
	assert_int_equal(calls(VMWARE_BATCHED_UNLOCK), 0);
}

static void memory_above_16_tib_is_not_given_by_lock(void **state)
{
	struct balloon_terms terms = { 0 };

	(void)state;
	begin_vmware(NO_FLOOR);
	vmware_balloon_pages_terms(BALLOON_AUTO, &terms);
	assert_int_equal(terms.pfn_limit, PFN_NONE);
	begin_kind(&vmware_host_kinds[2]);
	begin_vmware(NO_FLOOR);
	vmware_balloon_pages_terms(BALLOON_AUTO, &terms);
	assert_int_equal(terms.pfn_limit, UINT64_C(1) << 32);
}

/* ---- Where an answer puts a frame ---- */

/* How LOCK and UNLOCK of every third frame end with this status; the host has obeyed, or not. */
static const struct {
	uint32_t status;
	bool obeyed; /* or the guest would be misled */
	enum { ARRIVES, SET_ASIDE, ENOUGH, FOR_NOW } lock;
} answers[] = {
	{ VMWARE_CMD_INVALID, false, FOR_NOW },
	{ VMWARE_PPN_INVALID, false, SET_ASIDE },
	{ VMWARE_PPN_LOCKED, true, ARRIVES },
	{ VMWARE_PPN_UNLOCKED, false, SET_ASIDE },
	{ VMWARE_PPN_PINNED, false, SET_ASIDE },
	{ VMWARE_PPN_NOTNEEDED, false, ENOUGH },
	{ VMWARE_BUSY, false, FOR_NOW },
	{ VMWARE_FAILURE, false, FOR_NOW },
	{ 9, true, ARRIVES },
	{ 30, true, ARRIVES },
};

static void a_locked_frame_goes_where_the_answer_says(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(answers); i++) {
		uint64_t others = answers[i].lock == ARRIVES ? 0 : 100;

		begin_kind(&vmware_host_kinds[1]);
		begin_vmware(NO_FLOOR);
		lie_about_each(answers[i].obeyed ? VMWARE_LIE_ONE_PRETENDED
						 : VMWARE_LIE_ONE_REFUSED,
			       COMMAND(BATCHED_LOCK), 3, answers[i].status);
		sim_vmware_want(300);
		sim_time_advance(NS_PER_S);
		balloon_step();
		assert_books();
		assert_int_equal(ballooned(), 300 - others);
		assert_int_equal(host_frames_count(), 300 - others);
		assert_int_equal(ledger_count(OWNER_REFUSED),
				 answers[i].lock == SET_ASIDE ? 100 : 0);
		assert_int_equal(refused(BALLOON_REFUSED_FRAME),
				 answers[i].lock == SET_ASIDE ? 100 : 0);
		assert_int_equal(refused(BALLOON_REFUSED_ENOUGH),
				 answers[i].lock == ENOUGH ? 100 : 0);
		assert_int_equal(refused(BALLOON_REFUSED_FOR_NOW),
				 answers[i].lock == FOR_NOW ? 100 : 0);
		assert_int_equal(counts(false).refused, others);
		assert_false(status().broken);
	}
}

/* Back, what is not clearly ours stays where it is. */
static void an_unlocked_frame_is_used_only_if_the_answer_says_so(void **state)
{
	static const uint32_t kept[] = { 1, 2, 3, 5, 6, 7, 8, 9, 17, 30, VMWARE_FAILURE };

	(void)state;
	for (size_t kind = 1; kind < VMWARE_HOST_KINDS - 1; kind++)
		for (size_t i = 0; i < ARRAY_SIZE(kept); i++) {
			struct vmware_lie row = always(VMWARE_LIE_ONE_REFUSED, UNLOCKS, kept[i]);

			/* RESET of a single frame is one of all. */
			if (kind == 2 && kept[i] == VMWARE_RESET)
				continue;
			begin_kind(&vmware_host_kinds[kind]);
			begin_vmware(NO_FLOOR);
			vmware_wants(300);
			row.every = 3;
			row.times = 40;
			sim_vmware_lie(&row);
			sim_vmware_want(0);
			sim_time_advance(NS_PER_S);
			balloon_step();
			assert_books();
			assert_true(ballooned() >= 40);
			assert_int_equal(host_frames_count(), ballooned());
			sim_vmware_behave();
			for (int second = 0; second < 3; second++)
				poll_vmware();
			assert_vmware_has(0);
		}
}

static void a_frame_that_was_not_in_is_ours(void **state)
{
	(void)state;
	begin_vmware(NO_FLOOR);
	vmware_wants(300);
	lie_about_each(VMWARE_LIE_ONE_PRETENDED, UNLOCKS, 2, VMWARE_PPN_UNLOCKED);
	vmware_wants(0);
	assert_vmware_has(0);
	assert_int_equal(ledger_count(OWNER_FREE), RAM_FRAMES);
}

static void pinned_frames_are_set_aside_until_the_target_is_reached(void **state)
{
	(void)state;
	for (size_t kind = 1; kind < VMWARE_HOST_KINDS; kind++) {
		begin_kind(&vmware_host_kinds[kind]);
		begin_vmware(NO_FLOOR);
		sim_vmware()->pinned_first = FIRST_FRAME + 100;
		sim_vmware()->pinned_count = 50;
		vmware_wants(5000);
		assert_vmware_has(5000);
		assert_int_equal(ledger_count(OWNER_REFUSED), 0);
		assert_true(refused(BALLOON_REFUSED_FRAME) >= 50);
		vmware_wants(RAM_FRAMES - 50);
		assert_vmware_has(RAM_FRAMES - 50);
		vmware_wants(RAM_FRAMES);
		assert_int_equal(ballooned(), RAM_FRAMES - 50);
		assert_int_equal(host_frames_count(), RAM_FRAMES - 50);
	}
}

static void a_batch_that_is_refused_as_a_whole_is_for_later(void **state)
{
	static const uint32_t all[] = { 1, 2, 3, 4, 5, 8, VMWARE_FAILURE };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
		begin_kind(&vmware_host_kinds[0]);
		begin_vmware(NO_FLOOR);
		vmware_wants(600);
		lie(VMWARE_LIE_REFUSES, LOCKS | UNLOCKS, all[i]);
		vmware_wants(3000);
		assert_vmware_has(600);
		vmware_wants(1);
		assert_vmware_has(600);
		sim_vmware_behave();
		for (int second = 0; second < 4; second++)
			poll_vmware();
		assert_vmware_has(1);
	}
}

static void enough_ends_a_batch_and_a_row_of_frames(void **state)
{
	(void)state;
	for (size_t kind = 0; kind < VMWARE_HOST_KINDS; kind++) {
		struct vmware_lie row = always(VMWARE_LIE_REFUSES, LOCKS, VMWARE_PPN_NOTNEEDED);

		begin_kind(&vmware_host_kinds[kind]);
		begin_vmware(NO_FLOOR);
		sim_vmware_lie(&row);
		vmware_wants(300);
		assert_vmware_has(0);
		assert_int_equal(refused(BALLOON_REFUSED_ENOUGH), 300);
		assert_int_equal(calls(VMWARE_LOCK) + calls(VMWARE_BATCHED_LOCK), 1);
	}
}

/* Nobody knows who has them: so nobody uses them. */
static void frames_of_a_batch_with_an_unknown_answer_are_the_hosts(void **state)
{
	(void)state;
	begin_vmware(NO_FLOOR);
	lie(VMWARE_LIE_PRETENDS, LOCKS, 0x4242);
	vmware_wants(3000);
	assert_int_equal(ballooned(), 3000);
	assert_int_equal(host_frames_count(), 3000);
	lie(VMWARE_LIE_REFUSES, UNLOCKS, 0x4242);
	vmware_wants(0);
	assert_int_equal(ballooned(), 3000);
	sim_vmware_behave();
	for (int second = 0; second < 3; second++)
		poll_vmware();
	assert_vmware_has(0);
}

/* ---- Blocks ---- */

static void a_block_with_a_pinned_frame_goes_without_it(void **state)
{
	const pfn_t pinned = FIRST_FRAME + 5 * BLOCK_FRAMES + 77;

	(void)state;
	begin_vmware(NO_FLOOR);
	sim_vmware()->pinned_first = pinned;
	sim_vmware()->pinned_count = 1;
	vmware_wants(RAM_FRAMES - 1);
	assert_vmware_has(RAM_FRAMES - 1);
	assert_int_equal(frame_owner(pinned), OWNER_FREE);
	assert_int_equal(counts(true).refused, 1);
	assert_int_equal(counts(true).returned, 0);
	assert_int_equal(refused(BALLOON_REFUSED_FRAME), 1);
	/* It comes back by its frames, the others as they went. */
	vmware_wants(0);
	assert_vmware_has(0);
}

static void a_host_that_gives_no_block_back_gives_its_frames(void **state)
{
	(void)state;
	begin_vmware(NO_FLOOR);
	vmware_wants(6 * BLOCK_FRAMES);
	lie(VMWARE_LIE_ONE_REFUSED, COMMAND(BATCHED_2M_UNLOCK), VMWARE_PPN_INVALID);
	vmware_wants(BLOCK_FRAMES);
	assert_vmware_has(BLOCK_FRAMES);
	assert_int_equal(counts(true).kept, 5);
	assert_int_equal(counts(false).freed, 5 * BLOCK_FRAMES);
}

static void only_so_many_blocks_of_a_batch_are_tried_by_frames(void **state)
{
	(void)state;
	begin_vmware(NO_FLOOR);
	lie(VMWARE_LIE_ONE_REFUSED, COMMAND(BATCHED_2M_LOCK), VMWARE_PPN_PINNED);
	sim_vmware_want(20 * BLOCK_FRAMES);
	sim_time_advance(NS_PER_S);
	balloon_step();
	assert_int_equal(ballooned(), 16 * BLOCK_FRAMES);
	assert_int_equal(counts(true).refused, 20);
	assert_int_equal(counts(true).returned, 4);
	settle();
	assert_vmware_has(20 * BLOCK_FRAMES);
}

static void a_block_for_which_it_is_too_early_goes_back_as_a_whole(void **state)
{
	(void)state;
	begin_vmware(NO_FLOOR);
	lie_about_each(VMWARE_LIE_ONE_REFUSED, COMMAND(BATCHED_2M_LOCK), 4, VMWARE_BUSY);
	sim_vmware_want(20 * BLOCK_FRAMES);
	sim_time_advance(NS_PER_S);
	balloon_step();
	assert_int_equal(ballooned(), 15 * BLOCK_FRAMES);
	assert_int_equal(calls(VMWARE_BATCHED_LOCK), 0);
	assert_int_equal(counts(true).returned, 5);
}

/* The rest of the batch is settled without another command. */
static void reset_while_a_block_is_tried_by_frames_loses_nothing(void **state)
{
	struct vmware_lie pinned = always(VMWARE_LIE_ONE_REFUSED, COMMAND(BATCHED_2M_LOCK),
					  VMWARE_PPN_PINNED);
	struct vmware_lie reset = always(VMWARE_LIE_FORGETS, COMMAND(BATCHED_LOCK), 0);

	(void)state;
	begin_vmware(NO_FLOOR);
	reset.after = 3;
	reset.times = 1;
	pinned.times = 10;
	sim_vmware_lie_twice(&pinned, &reset);
	vmware_wants(20 * BLOCK_FRAMES);
	assert_int_equal(sim_vmware()->resets, 1);
	assert_vmware_has(20 * BLOCK_FRAMES);
}

static void that_no_block_was_free_is_counted(void **state)
{
	static pfn_t pfns[RAM_FRAMES];

	(void)state;
	begin_vmware(NO_FLOOR);
	/* One frame of each block is somebody's. */
	assert_int_equal(frame_alloc_bulk(RAM_FRAMES, PFN_NONE, OWNER_HELD, pfns), RAM_FRAMES);
	for (size_t i = 0; i < RAM_FRAMES; i++)
		if (pfns[i] % BLOCK_FRAMES != 9)
			assert_int_equal(frame_free(pfns[i], 1, OWNER_HELD), 0);
	vmware_wants(1500);
	assert_vmware_has(1500);
	/* Of the three batches two were as large as a block. */
	assert_int_equal(counts(true).scarce, 2);
	assert_int_equal(counts(true).offered, 0);
}

static void that_no_frame_was_free_is_counted(void **state)
{
	(void)state;
	begin_vmware(1000);
	vmware_wants(RAM_FRAMES - 1000);
	assert_int_equal(counts(false).scarce, 0);
	vmware_wants(RAM_FRAMES);
	assert_true(counts(false).scarce > 0);
}

/* ---- The page ---- */

static void an_address_that_has_changed_is_the_end_of_it(void **state)
{
	static const uint64_t bits[] = { UINT64_C(1) << 12, UINT64_C(1) << 21, UINT64_C(1) << 50,
					 UINT64_C(1) << 63, 0xfffffffffffff000 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bits); i++) {
		struct vmware_lie row = always(VMWARE_LIE_ADDRESS, 0, bits[i]);

		begin_kind(&vmware_host_kinds[i % 2]);
		begin_vmware(NO_FLOOR);
		vmware_wants(300);
		row.after = 5;
		row.times = 1;
		sim_vmware_lie(&row);
		vmware_wants(i % 2 == 0 ? 3000 : 10);
		assert_string_equal(status().broken, "it has changed an address in the batch page");
		assert_string_equal(
			sim_log_warning,
			"balloon: VMware is not asked any more: it has changed an "
			"address in the batch page; `balloon retry` tries it once more");
		/* By START(0) it has let go of all. */
		assert_int_equal(host_frames_count(), 0);
		assert_int_equal(ledger_count(OWNER_FREE), RAM_FRAMES);
	}
}

static void bits_that_mean_nothing_may_be_anything(void **state)
{
	struct vmware_lie row = always(VMWARE_LIE_ADDRESS, 0, 0xfe0);

	(void)state;
	begin_vmware(NO_FLOOR);
	sim_vmware_lie(&row);
	vmware_wants(3000);
	vmware_wants(77);
	assert_vmware_has(77);
	assert_false(status().broken);
}

/* It says that it is whole; who has the frame of the entry nobody knows. */
static void the_frame_of_a_changed_entry_is_not_used(void **state)
{
	struct vmware_lie row = always(VMWARE_LIE_ADDRESS, COMMAND(BATCHED_UNLOCK), 1 << 12);
	struct vmware_lie keeps = always(VMWARE_LIE_REFUSES, COMMAND(START), VMWARE_FAILURE);

	(void)state;
	begin_vmware(NO_FLOOR);
	vmware_wants(300);
	row.times = 1;
	sim_vmware_lie_twice(&row, &keeps);
	vmware_wants(0);
	assert_non_null(status().broken);
	/* One of them, which the host has given back. */
	assert_int_equal(ballooned(), 1);
	assert_int_equal(host_frames_count(), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		VMWARE_TEST(blocks_go_512_at_a_time_and_the_rest_by_frames),
		VMWARE_TEST(without_blocks_512_frames_go_at_a_time),
		VMWARE_TEST(the_portable_strategy_gives_no_blocks),
		VMWARE_TEST(what_was_given_by_frames_comes_back_in_blocks),
		VMWARE_TEST(memory_above_16_tib_is_not_given_by_lock),
		VMWARE_TEST(a_locked_frame_goes_where_the_answer_says),
		VMWARE_TEST(an_unlocked_frame_is_used_only_if_the_answer_says_so),
		VMWARE_TEST(a_frame_that_was_not_in_is_ours),
		VMWARE_TEST(pinned_frames_are_set_aside_until_the_target_is_reached),
		VMWARE_TEST(a_batch_that_is_refused_as_a_whole_is_for_later),
		VMWARE_TEST(enough_ends_a_batch_and_a_row_of_frames),
		VMWARE_TEST(frames_of_a_batch_with_an_unknown_answer_are_the_hosts),
		VMWARE_TEST(a_block_with_a_pinned_frame_goes_without_it),
		VMWARE_TEST(a_host_that_gives_no_block_back_gives_its_frames),
		VMWARE_TEST(only_so_many_blocks_of_a_batch_are_tried_by_frames),
		VMWARE_TEST(a_block_for_which_it_is_too_early_goes_back_as_a_whole),
		VMWARE_TEST(reset_while_a_block_is_tried_by_frames_loses_nothing),
		VMWARE_TEST(that_no_block_was_free_is_counted),
		VMWARE_TEST(that_no_frame_was_free_is_counted),
		VMWARE_TEST(an_address_that_has_changed_is_the_end_of_it),
		VMWARE_TEST(bits_that_mean_nothing_may_be_anything),
		VMWARE_TEST(the_frame_of_a_changed_entry_is_not_used),
	};

	return cmocka_run_group_tests_name("vmware_balloon_pages", tests, set_up_ram, NULL);
}
