/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * drivers/balloon/port/xen_balloon_pages.c: lists of extents, what Xen refuses of them, and what
 * it says that it did or did not.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "arch/clock.h"
#include "arch/xen.h"
#include "drivers/balloon/balloon_refusal.h"
#include "drivers/balloon/balloon_state_internal.h"
#include "tests/unit/drivers/balloon/port/xen_fixture.h"

/* Calls since then; the two at the start are without extents. */
static uint64_t calls_before[2];

static void count_calls(void)
{
	for (int back = 0; back < 2; back++)
		calls_before[back] = sim_xen.memory_calls[back];
}

static uint64_t calls(bool back)
{
	return sim_xen.memory_calls[back] - calls_before[back];
}

static uint64_t refused(enum balloon_refusal why)
{
	uint64_t frames[BALLOON_REFUSALS];

	balloon_refusal_counts(&balloons->refusal, frames);
	return frames[why];
}

static uint64_t untold(bool back)
{
	static uint64_t before[2];
	struct xen_balloon_counts counts;
	uint64_t more;

	xen_balloon_pages_counts(back, &counts);
	more = counts.untold - before[back];
	before[back] = counts.untold;
	return more;
}

/* ---- Lists ---- */

static void less_than_a_block_goes_frame_by_frame(void **state)
{
	(void)state;
	begin_xen(NO_FLOOR);
	count_calls();
	xen_wants(BLOCK_FRAMES - 1);
	assert_xen_has(BLOCK_FRAMES - 1);
	assert_int_equal(calls(false), 1);
	assert_int_equal(sim_xen.extents_max[false], BLOCK_FRAMES - 1);
	xen_wants(1);
	assert_xen_has(1);
	assert_int_equal(calls(true), 1);
	assert_int_equal(sim_xen.extents_max[true], BLOCK_FRAMES - 2);
}

/* Every other frame of a stretch is held: runs of one frame, two lists of them. */
static void scattered_frames_go_in_lists_of_512(void **state)
{
	pfn_t pfn;

	(void)state;
	exhaust();
	for (pfn = FIRST_FRAME; pfn < FIRST_FRAME + 2048; pfn += 2)
		assert_int_equal(frame_free(pfn, 1, OWNER_HELD), 0);
	begin_xen(NO_FLOOR);
	count_calls();
	xen_wants(1024);
	assert_xen_has(1024);
	assert_int_equal(calls(false), 2);
	for (pfn = FIRST_FRAME; pfn < FIRST_FRAME + 2048; pfn++)
		assert_int_equal(sim_xen_is_guests(pfn), pfn % 2);
	xen_wants(10);
	assert_xen_has(10);
	assert_int_equal(calls(true), 2);
	frame_free_owned(OWNER_HELD, UINT64_MAX);
}

static void portable_means_single_frames(void **state)
{
	struct xen_balloon_counts before, after;

	(void)state;
	assert_int_equal(balloon_set_strategy(BALLOON_PORTABLE), 0);
	balloon_init(&balloon_config);
	assert_int_equal(xen_balloon_start(), 0);
	xen_balloon_pages_counts(false, &before);
	count_calls();
	xen_wants(4 * BLOCK_FRAMES);
	xen_balloon_pages_counts(false, &after);
	assert_xen_has(4 * BLOCK_FRAMES);
	assert_int_equal(calls(false), 4);
	assert_int_equal(after.blocks, before.blocks);
	assert_int_equal(after.frames, before.frames + 4 * BLOCK_FRAMES);
	assert_int_equal(balloon_set_strategy(BALLOON_AUTO), 0);
	xen_wants(0);
	assert_xen_has(0);
	assert_int_equal(calls(true), 1);
}

/* The list is Xen's to write: what counts is the batch. */
static void what_xen_writes_into_the_list_is_not_believed(void **state)
{
	(void)state;
	begin_xen(NO_FLOOR);
	sim_xen.faults.scribbles = true;
	sim_xen.faults.extents_most[false] = 3;
	sim_xen.faults.extents_most[true] = 3;
	xen_wants(5000);
	assert_xen_has(5000);
	xen_wants(7);
	assert_xen_has(7);
}

static void calls_are_counted_and_timed(void **state)
{
	struct xen_balloon_counts before, after;

	(void)state;
	begin_xen(NO_FLOOR);
	xen_balloon_pages_counts(false, &before);
	sim_time_step_ns = 3 * NS_PER_MS;
	xen_wants(2 * BLOCK_FRAMES + 5);
	xen_balloon_pages_counts(false, &after);
	assert_int_equal(after.calls - before.calls, 2);
	assert_int_equal(after.blocks - before.blocks, 2);
	assert_int_equal(after.frames - before.frames, 5);
	assert_in_range(after.call_ns_max, 3 * NS_PER_MS, 30 * NS_PER_MS);
}

/* ---- How long a list is ---- */

static uint64_t extent_ns; /* that Xen takes for an extent of either kind */

static long take_time(bool populates, uint64_t asked, long done)
{
	(void)populates;
	sim_time_advance(asked * extent_ns);
	return done;
}

static void take_so_long(uint64_t ns)
{
	extent_ns = ns;
	sim_xen.faults.tell = take_time;
	for (int back = 0; back < 2; back++)
		sim_xen.extents_max[back] = 0;
	count_calls();
}

static void slow_blocks_go_in_lists_of_4(void **state)
{
	(void)state;
	begin_xen(NO_FLOOR);
	take_so_long(5 * NS_PER_MS);
	xen_wants(RAM_FRAMES);
	assert_xen_has(RAM_FRAMES);
	assert_int_equal(calls(false), 8);
	assert_int_equal(sim_xen.extents_max[false], 4);
	xen_wants(0);
	assert_xen_has(0);
	assert_int_equal(calls(true), 8);
	assert_int_equal(sim_xen.extents_max[true], 4);
}

/* 4, 16 and the other 12. */
static void lists_of_quick_blocks_grow_fourfold(void **state)
{
	(void)state;
	begin_xen(NO_FLOOR);
	take_so_long(20 * NS_PER_US);
	xen_wants(RAM_FRAMES);
	assert_xen_has(RAM_FRAMES);
	assert_int_equal(calls(false), 3);
	assert_int_equal(sim_xen.extents_max[false], 16);
	xen_wants(0);
	assert_xen_has(0);
	assert_int_equal(calls(true), 3);
	assert_int_equal(sim_xen.extents_max[true], 16);
}

static void lists_grow_to_what_takes_15_ms(void **state)
{
	(void)state;
	begin_xen(NO_FLOOR);
	take_so_long(2 * NS_PER_MS);
	xen_wants(RAM_FRAMES);
	assert_xen_has(RAM_FRAMES);
	assert_int_equal(sim_xen.extents_max[false], 7);
	/* 4 at first, then the 28 others. */
	assert_int_equal(calls(false), 5);
}

/* What is asked for at each step in one direction, in blocks. */
static uint64_t blocks_of_a_step(void)
{
	uint64_t before = ballooned();

	balloon_step();
	return (ballooned() - before) / BLOCK_FRAMES;
}

static void a_slow_list_is_followed_by_a_short_one(void **state)
{
	(void)state;
	begin_xen(NO_FLOOR);
	take_so_long(NS_PER_MS);
	ask_for(RAM_FRAMES);
	assert_int_equal(blocks_of_a_step(), 4);
	extent_ns = 5 * NS_PER_MS;
	/* And the clock had gone on by a little more. */
	assert_int_equal(blocks_of_a_step(), 14);
	extent_ns = NS_PER_MS;
	assert_int_equal(blocks_of_a_step(), 4);
	assert_int_equal(blocks_of_a_step(), 10);
	settle();
	assert_xen_has(RAM_FRAMES);
}

/* Each direction has its own pace, which another target ends. */
static void each_target_begins_with_a_short_list(void **state)
{
	(void)state;
	begin_xen(NO_FLOOR);
	take_so_long(NS_PER_US);
	ask_for(20 * BLOCK_FRAMES);
	assert_int_equal(blocks_of_a_step(), 4);
	assert_int_equal(blocks_of_a_step(), 16);
	assert_int_equal(xen_balloon_pages_blocks(false), 64);
	assert_int_equal(xen_balloon_pages_blocks(true), 4);
	ask_for(RAM_FRAMES);
	assert_int_equal(blocks_of_a_step(), 4);
	settle();
	assert_xen_has(RAM_FRAMES);
}

/* At the most 64, of a Xen that does a block at no time at all: its terms say so. */
static void no_list_has_more_than_64_blocks(void **state)
{
	struct balloon_terms terms;

	(void)state;
	xen_balloon_pages_terms(BALLOON_AUTO, &terms);
	assert_int_equal(terms.batch_block_frames, 64 * BLOCK_FRAMES);
	assert_int_equal(terms.batch_runs, 64);
	assert_int_equal(terms.batch_frames, BALLOON_BATCH_RUNS);
	xen_balloon_pages_terms(BALLOON_PORTABLE, &terms);
	assert_int_equal(terms.batch_block_frames, BLOCK_FRAMES);
}

/* ---- What Xen refuses ---- */

static void blocks_that_are_refused_go_frame_by_frame_at_once(void **state)
{
	(void)state;
	begin_xen(NO_FLOOR);
	sim_xen.faults.no_blocks[false] = true;
	count_calls();
	ask_for(4 * BLOCK_FRAMES);
	balloon_step();
	assert_int_equal(ballooned(), 4 * BLOCK_FRAMES);
	assert_int_equal(calls(false), 8);
	assert_int_equal(refused(BALLOON_REFUSED_FRAME) + refused(BALLOON_REFUSED_FOR_NOW), 0);
	settle();
	sim_xen.faults.no_blocks[true] = true;
	ask_for(0);
	balloon_step();
	assert_int_equal(ballooned(), 0);
	assert_int_equal(calls(true), 8);
	settle();
	assert_xen_has(0);
}

/* Of a list that has grown no more than a short one has: the others are offered again, at once. */
static void a_long_list_ends_where_a_short_one_does_if_a_block_is_refused(void **state)
{
	(void)state;
	begin_xen(NO_FLOOR);
	take_so_long(NS_PER_US);
	ask_for(RAM_FRAMES);
	assert_int_equal(blocks_of_a_step(), 4);
	sim_xen.faults.no_blocks[false] = true;
	count_calls();
	assert_int_equal(blocks_of_a_step(), 4);
	assert_int_equal(calls(false), 8);
	assert_int_equal(ledger_count(OWNER_IN_FLIGHT), 0);
	assert_int_equal(xen_balloon_pages_blocks(false), 4);
	assert_int_equal(balloon_refusal_pause_end(&balloons->refusal), 0);
	settle();
	assert_xen_has(RAM_FRAMES);
	assert_int_equal(refused(BALLOON_REFUSED_FRAME) + refused(BALLOON_REFUSED_FOR_NOW), 0);
}

static void a_block_that_is_refused_later_is_the_last_of_its_list(void **state)
{
	const uint64_t frames = (4 + 10) * BLOCK_FRAMES - 1;

	(void)state;
	begin_xen(NO_FLOOR);
	take_so_long(NS_PER_US);
	sim_xen.faults.stubborn[false] = FIRST_FRAME + (4 + 9) * BLOCK_FRAMES + 100;
	ask_for(RAM_FRAMES - 1);
	assert_int_equal(blocks_of_a_step(), 4);
	balloon_step();
	assert_int_equal(ballooned(), frames);
	assert_int_equal(xen_balloon_pages_blocks(false), 4);
	assert_int_equal(ledger_count(OWNER_REFUSED), 1);
	assert_int_equal(ledger_count(OWNER_FREE), RAM_FRAMES - frames - 1);
	settle();
	assert_xen_has(RAM_FRAMES - 1);
	assert_int_equal(refused(BALLOON_REFUSED_FOR_NOW), 0);
}

/* The frames of its block before it have gone by then, though Xen does not count them. */
static void a_frame_that_xen_never_takes_is_passed_over(void **state)
{
	static const uint64_t places[] = { 0, 100, 511, 512, 2047 };

	(void)state;
	begin_xen(NO_FLOOR);
	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		pfn_t pfn = FIRST_FRAME + places[i];

		untold(false);
		sim_xen.faults.stubborn[false] = pfn;
		ask_for(4 * BLOCK_FRAMES);
		balloon_step();
		assert_int_equal(frame_owner(pfn), OWNER_REFUSED);
		assert_int_equal(ballooned(), 4 * BLOCK_FRAMES - 1);
		assert_int_equal(untold(false), places[i] % BLOCK_FRAMES);
		/* Another one goes in its place. */
		settle();
		assert_xen_has(4 * BLOCK_FRAMES);
		assert_int_equal(frame_owner(pfn), OWNER_FREE);
		xen_wants(0);
		assert_xen_has(0);
	}
	assert_int_equal(refused(BALLOON_REFUSED_FRAME), ARRAY_SIZE(places));
}

static void a_xen_that_takes_nothing_costs_few_calls_a_try(void **state)
{
	(void)state;
	begin_xen(NO_FLOOR);
	sim_xen.faults.refuse_every[false] = 1;
	count_calls();
	xen_wants(5000);
	assert_xen_has(0);
	assert_in_range(calls(false), 2, 40);
	assert_true(balloon_refusal_pause_end(&balloons->refusal) > clock_ns());
	assert_int_equal(ledger_count(OWNER_FREE) + ledger_count(OWNER_REFUSED), RAM_FRAMES);
	count_calls();
	sim_time_advance(BALLOON_PAUSE_MIN_NS + NS_PER_MS);
	settle();
	assert_in_range(calls(false), 2, 40);
	sim_xen.faults.refuse_every[false] = 0;
	sim_time_advance(2 * BALLOON_PAUSE_MIN_NS + NS_PER_MS);
	settle();
	assert_xen_has(5000);
}

static void a_xen_that_takes_every_second_frame_gets_its_target(void **state)
{
	(void)state;
	begin_xen(NO_FLOOR);
	sim_xen.faults.refuse_every[false] = 2;
	count_calls();
	xen_wants(3000);
	assert_xen_has(3000);
	assert_true(calls(false) < 3000);
}

static pfn_t last_of_block; /* that Xen takes of a block which it refuses */

static long take_the_last_frame(bool populates, uint64_t asked, long done)
{
	if (populates || asked > 4 || !sim_xen_is_guests(last_of_block))
		return done;
	sim_xen.is_there[last_of_block - sim_xen.first] = false;
	sim_xen.there--;
	sim_xen.current--;
	sim_xen.host_free++;
	sim_xen.guest.hand_over(last_of_block, 1, true);
	return done;
}

/* As of a block that is in part without memory, which Xen takes first. */
static void any_frame_of_a_refused_block_may_be_gone(void **state)
{
	(void)state;
	begin_xen(NO_FLOOR);
	last_of_block = FIRST_FRAME + BLOCK_FRAMES - 1;
	sim_xen.faults.no_blocks[false] = true;
	/* So often that the single frames are not tried to the end. */
	sim_xen.faults.refuse_every[false] = 2;
	sim_xen.faults.tell = take_the_last_frame;
	ask_for(4 * BLOCK_FRAMES);
	untold(false);
	balloon_step();
	assert_int_equal(untold(false), 1);
	assert_int_equal(frame_owner(last_of_block), OWNER_BALLOON);
	assert_int_equal(frame_owner(last_of_block - 1), OWNER_FREE);
	assert_int_equal(ballooned(), RAM_FRAMES - sim_xen.there);
	sim_xen.faults.refuse_every[false] = 0;
	settle();
	assert_xen_has(4 * BLOCK_FRAMES);
}

/* As long as there is none: 256 frames are the slack that the toolstack leaves. */
static void at_its_limit_single_frames_come_and_the_rest_is_for_later(void **state)
{
	(void)state;
	begin_xen(NO_FLOOR);
	xen_wants(4000);
	count_calls();
	write_target(MAX_KIB);
	assert_xen_has(4000 - SIM_XEN_SLACK_FRAMES);
	assert_true(balloon_refusal_pause_end(&balloons->refusal) > clock_ns());
	assert_in_range(calls(true), 3, 10);
	assert_int_equal(refused(BALLOON_REFUSED_FRAME), 0);
	sim_xen_limit(RAM_FRAMES);
	settle();
	assert_xen_has(4000 - SIM_XEN_SLACK_FRAMES);
	sim_time_advance(BALLOON_PAUSE_MIN_NS + NS_PER_MS);
	settle();
	assert_xen_has(0);
}

static void the_last_frame_of_a_list_is_for_later_too(void **state)
{
	(void)state;
	begin_xen(NO_FLOOR);
	xen_wants(100);
	sim_xen.host_free = 99;
	xen_wants(0);
	assert_xen_has(1);
	assert_int_equal(refused(BALLOON_REFUSED_FRAME), 0);
	/* At the end of the list, and once more by itself. */
	assert_int_equal(refused(BALLOON_REFUSED_FOR_NOW), 2);
}

/* Between the tries: 1, 2, 4 s and so on, up to 32, for ever. */
static void xen_is_asked_again_after_1_2_4_and_up_to_32_seconds(void **state)
{
	static const uint64_t pauses[] = { 1, 2, 4, 8, 16, 32, 32, 32, 32 };
	struct balloon_tries tries;

	(void)state;
	begin_xen(NO_FLOOR);
	xen_wants(2000);
	sim_xen.host_free = 0;
	xen_wants(0);
	for (size_t i = 0; i < ARRAY_SIZE(pauses); i++) {
		uint64_t since = clock_ns();

		balloon_get_tries(balloons->port, &tries);
		assert_int_equal(tries.count, i + 2);
		assert_int_equal(tries.pause_ns, pauses[i] * NS_PER_S);
		count_calls();
		while (calls(true) == 0) {
			sim_time_advance(NS_PER_S / 10);
			balloon_step();
		}
		assert_in_range(clock_ns() - since, pauses[i] * NS_PER_S,
				(pauses[i] + 1) * NS_PER_S);
		assert_in_range(calls(true), 1, 4);
	}
	assert_xen_has(2000);
	sim_xen.host_free = RAM_FRAMES;
	sim_time_advance(BALLOON_PAUSE_MAX_NS + NS_PER_MS);
	settle();
	assert_xen_has(0);
	balloon_get_tries(balloons->port, &tries);
	assert_int_equal(tries.count, 1);
	assert_int_equal(tries.pause_ns, NS_PER_S);
}

static void another_target_ends_the_pause(void **state)
{
	(void)state;
	begin_xen(NO_FLOOR);
	xen_wants(2000);
	sim_xen.host_free = 0;
	xen_wants(0);
	for (int i = 0; i < 5; i++) {
		sim_time_advance(BALLOON_PAUSE_MAX_NS);
		settle();
	}
	assert_true(balloon_refusal_pause_end(&balloons->refusal) > clock_ns() + 10 * NS_PER_S);
	sim_xen.host_free = RAM_FRAMES;
	settle();
	assert_xen_has(2000);
	xen_wants(100);
	assert_xen_has(100);
}

static void a_frame_that_xen_never_gives_back_does_not_keep_the_others(void **state)
{
	pfn_t pfn = FIRST_FRAME + 700;

	(void)state;
	begin_xen(NO_FLOOR);
	xen_wants(4 * BLOCK_FRAMES);
	sim_xen.faults.stubborn[true] = pfn;
	xen_wants(0);
	assert_xen_has(1);
	assert_int_equal(frame_owner(pfn), OWNER_BALLOON);
	assert_int_equal(refused(BALLOON_REFUSED_FRAME), 1);
	sim_xen.faults.stubborn[true] = SIM_XEN_NO_FRAME;
	sim_time_advance(BALLOON_PAUSE_MAX_NS);
	settle();
	assert_xen_has(0);
}

/* ---- What Xen says ---- */

static long tell_too_much(bool populates, uint64_t asked, long done)
{
	(void)populates, (void)done;
	return (long)asked + 1;
}

static long tell_out_of_memory(bool populates, uint64_t asked, long done)
{
	(void)populates, (void)asked, (void)done;
	return -12;
}

static long tell_nothing(bool populates, uint64_t asked, long done)
{
	(void)populates, (void)asked, (void)done;
	return 0;
}

static long tell_less(bool populates, uint64_t asked, long done)
{
	(void)populates, (void)asked;
	return done - done / 3 - (done > 0);
}

/* It is given up in one line, and every frame is where it is. */
static void assert_given_up(const char *why)
{
	settle();
	assert_non_null(status().broken);
	assert_string_equal(status().broken, why);
	assert_int_equal(ballooned(), RAM_FRAMES - sim_xen.there);
	assert_int_equal(ledger_count(OWNER_IN_FLIGHT), 0);
	assert_books();
}

static void nonsense_is_no_count_whatever_xen_did(void **state)
{
	static const struct {
		long (*tell)(bool populates, uint64_t asked, long done);
		const char *why;
	} cases[] = {
		{ tell_too_much, "it did more than it was asked for" },
		{ tell_out_of_memory, "an error is no answer to a list of frames" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const char *why;

		begin_xen(NO_FLOOR);
		for (int back = 0; back < 2; back++) {
			xen_wants(3000);
			sim_xen.faults.tell = cases[i].tell;
			sim_log_reset();
			ask_for(back ? 100 : 7000);
			assert_given_up(cases[i].why);
			/* What was the answer, and what follows from it. */
			assert_int_equal(sim_log_warnings, 2);
			sim_xen.faults.tell = NULL;
			assert_int_equal(balloon_retry(balloons, &why), 0);
			settle();
			assert_xen_has(back ? 100 : 7000);
		}
		end_xen();
	}
}

static unsigned nonsense_at; /* at which call from now on; 0: at none */

static long tell_nonsense_once(bool populates, uint64_t asked, long done)
{
	(void)populates, (void)asked;
	return nonsense_at > 0 && --nonsense_at == 0 ? -1 : done;
}

/* In lists of blocks, of frames, in a second look at a frame, and in what comes after one. */
static void nonsense_may_come_at_any_call(void **state)
{
	(void)state;
	begin_xen(NO_FLOOR);
	sim_xen.faults.tell = tell_nonsense_once;
	for (unsigned call = 1; call <= 10; call++) {
		for (int back = 0; back < 2; back++) {
			const char *why;

			sim_xen.faults.no_blocks[back] = call % 2;
			sim_xen.faults.stubborn[back] = FIRST_FRAME + 700;
			nonsense_at = call;
			ask_for(back ? 0 : 4 * BLOCK_FRAMES + 100);
			settle();
			if (nonsense_at == 0)
				assert_given_up("an error is no answer to a list of frames");
			nonsense_at = 0;
			sim_xen.faults.stubborn[back] = SIM_XEN_NO_FRAME;
			(void)!balloon_retry(balloons, &why);
			sim_time_advance(BALLOON_PAUSE_MAX_NS);
			settle();
			assert_xen_has(back ? 0 : 4 * BLOCK_FRAMES + 100);
		}
	}
}

static void an_error_without_any_deed_leaves_all_frames_where_they_were(void **state)
{
	(void)state;
	begin_xen(NO_FLOOR);
	xen_wants(3000);
	sim_xen.faults.error[false] = -XEN_ENOSYS;
	ask_for(9000);
	assert_given_up("an error is no answer to a list of frames");
	assert_int_equal(ballooned(), 3000);
}

/* Else what Xen has would be free, and what is ours would never come back. */
static void frames_that_xen_does_not_count_are_where_xen_has_them(void **state)
{
	(void)state;
	begin_xen(NO_FLOOR);
	untold(false);
	untold(true);
	sim_xen.faults.tell = tell_nothing;
	xen_wants(2000);
	assert_xen_has(2000);
	assert_int_equal(untold(false), 2000);
	xen_wants(10);
	assert_xen_has(10);
	assert_int_equal(untold(true), 1990);
	sim_xen.faults.tell = tell_less;
	xen_wants(9000);
	assert_xen_has(9000);
	xen_wants(1);
	assert_xen_has(1);
	assert_null(status().broken);
}

/* Half an extent may have gone: where nobody says which half, nothing of it is ours. */
static void what_xen_does_not_tell_of_is_not_ours(void **state)
{
	pfn_t pfn = FIRST_FRAME + 300;

	(void)state;
	begin_xen(NO_FLOOR);
	sim_xen.faults.no_mem_type = true;
	sim_xen.faults.stubborn[false] = pfn;
	ask_for(4 * BLOCK_FRAMES);
	balloon_step();
	assert_int_equal(ballooned(), 4 * BLOCK_FRAMES);
	for (pfn_t i = FIRST_FRAME; i < FIRST_FRAME + 4 * BLOCK_FRAMES; i++)
		assert_int_equal(frame_owner(i), OWNER_BALLOON);
	/* It costs Xen's frames, not ours: the rest of the block was never given. */
	sim_xen.faults.no_mem_type = false;
	sim_xen.faults.stubborn[false] = SIM_XEN_NO_FRAME;
	xen_wants(0);
	assert_int_equal(ballooned(), 0);
	assert_string_equal(sim_xen.violation, "a frame was populated that is there");
	sim_xen.violation = NULL;
}

static void frames_wanted_back_stay_xens_where_it_does_not_tell(void **state)
{
	(void)state;
	begin_xen(NO_FLOOR);
	xen_wants(2000);
	sim_xen.faults.no_mem_type = true;
	sim_xen.faults.error[true] = -12;
	ask_for(0);
	assert_given_up("an error is no answer to a list of frames");
	assert_int_equal(ballooned(), 2000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		XEN_TEST(less_than_a_block_goes_frame_by_frame),
		XEN_TEST(scattered_frames_go_in_lists_of_512),
		XEN_TEST(portable_means_single_frames),
		XEN_TEST(what_xen_writes_into_the_list_is_not_believed),
		XEN_TEST(calls_are_counted_and_timed),
		XEN_TEST(slow_blocks_go_in_lists_of_4),
		XEN_TEST(lists_of_quick_blocks_grow_fourfold),
		XEN_TEST(lists_grow_to_what_takes_15_ms),
		XEN_TEST(a_slow_list_is_followed_by_a_short_one),
		XEN_TEST(each_target_begins_with_a_short_list),
		XEN_TEST(no_list_has_more_than_64_blocks),
		XEN_TEST(blocks_that_are_refused_go_frame_by_frame_at_once),
		XEN_TEST(a_long_list_ends_where_a_short_one_does_if_a_block_is_refused),
		XEN_TEST(a_block_that_is_refused_later_is_the_last_of_its_list),
		XEN_TEST(a_frame_that_xen_never_takes_is_passed_over),
		XEN_TEST(a_xen_that_takes_nothing_costs_few_calls_a_try),
		XEN_TEST(a_xen_that_takes_every_second_frame_gets_its_target),
		XEN_TEST(any_frame_of_a_refused_block_may_be_gone),
		XEN_TEST(at_its_limit_single_frames_come_and_the_rest_is_for_later),
		XEN_TEST(the_last_frame_of_a_list_is_for_later_too),
		XEN_TEST(xen_is_asked_again_after_1_2_4_and_up_to_32_seconds),
		XEN_TEST(another_target_ends_the_pause),
		XEN_TEST(a_frame_that_xen_never_gives_back_does_not_keep_the_others),
		XEN_TEST(nonsense_is_no_count_whatever_xen_did),
		XEN_TEST(nonsense_may_come_at_any_call),
		XEN_TEST(an_error_without_any_deed_leaves_all_frames_where_they_were),
		XEN_TEST(frames_that_xen_does_not_count_are_where_xen_has_them),
		XEN_TEST(what_xen_does_not_tell_of_is_not_ours),
		XEN_TEST(frames_wanted_back_stay_xens_where_it_does_not_tell),
	};

	return cmocka_run_group_tests_name("xen_balloon_pages", tests, set_up_ram, NULL);
}
