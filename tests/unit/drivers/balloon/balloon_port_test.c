/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The contract of balloon_port.h where virtio does not show it: answers in the call,
 * deltas, frames that the host gives back by itself, a host that forgets everything.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "drivers/balloon/balloon_batch.h"
#include "drivers/balloon/balloon_ranges.h"
#include "drivers/balloon/balloon_refusal.h"
#include "drivers/balloon/balloon_state_internal.h"
#include "drivers/balloon/balloon_wait.h"
#include "tests/sim/sim_port_idle.h"
#include "tests/unit/drivers/balloon/host_fixture.h"

static unsigned range_calls;
static int range_err;

static int take_ranges(const struct frame_run *ranges, size_t count)
{
	(void)ranges;
	assert_in_range(count, 1, host.terms.ranges);
	range_calls++;
	if (!range_err)
		balloon_ranges_answered(balloons->ranges.range);
	return range_err;
}

static void answers_in_the_call_reach_every_target(void **state)
{
	static const uint64_t targets[] = { 1, 511, 512, 513, 9000, RAM_FRAMES, 8191, 0 };

	(void)state;
	assert_int_equal(host_attach(NO_FLOOR), 0);
	for (size_t i = 0; i < ARRAY_SIZE(targets); i++) {
		host_wants(targets[i]);
		assert_host_has(targets[i]);
	}
}

/* The host takes 4 blocks a batch, and 4 batches a round: others want to run, too. */
static void a_round_offers_no_more_than_a_host_can_have(void **state)
{
	(void)state;
	assert_int_equal(host_attach(NO_FLOOR), 0);
	host.target = RAM_FRAMES;
	assert_true(balloon_step());
	assert_int_equal(host.offers, 4);
	assert_int_equal(host.has.count, 4 * 4 * BLOCK_FRAMES);
}

static void a_host_may_have_one_batch_at_a_time(void **state)
{
	(void)state;
	host.terms.batches = 1;
	assert_int_equal(host_attach(NO_FLOOR), 0);
	host_wants(9000);
	assert_host_has(9000);
	host_wants(1);
	assert_host_has(1);
}

static uint64_t blocks_now[2];

static uint64_t tell_blocks(bool deflates)
{
	return blocks_now[deflates];
}

/* Up to the 4 of its terms. */
static void a_batch_has_as_many_blocks_as_the_port_says_each_time(void **state)
{
	static const uint64_t says[] = { 2, 1, 100 }, sums[] = { 2, 3, 7 };

	(void)state;
	host.terms.batches = 1;
	host.port.batch_blocks = tell_blocks;
	assert_int_equal(host_attach(NO_FLOOR), 0);
	host.target = RAM_FRAMES;
	for (size_t i = 0; i < ARRAY_SIZE(says); i++) {
		blocks_now[false] = says[i];
		balloon_step();
		assert_int_equal(host.has.count, sums[i] * BLOCK_FRAMES);
	}
	blocks_now[true] = 3;
	host.target = 0;
	balloon_step();
	assert_int_equal(host.has.count, 4 * BLOCK_FRAMES);
	settle();
	assert_host_has(0);
}

static unsigned asked;

/* It does a hundred frames of a batch. */
static bool returns_the_rest(bool deflates, pfn_t pfn, enum balloon_refusal *why)
{
	(void)deflates;
	(void)pfn;
	*why = BALLOON_REFUSALS;
	return asked++ % 2048 >= 100;
}

static void frames_that_a_port_returns_are_offered_again_without_a_pause(void **state)
{
	uint64_t frames[BALLOON_REFUSALS], sum = 0;

	(void)state;
	host.terms.batches = 1;
	assert_int_equal(host_attach(NO_FLOOR), 0);
	asked = 0;
	host.refuses = returns_the_rest;
	host.target = 2048;
	assert_true(balloon_step());
	assert_int_equal(host.has.count, 100);
	assert_int_equal(ledger_count(OWNER_BALLOON), 100);
	assert_int_equal(ledger_count(OWNER_FREE), RAM_FRAMES - 100);
	assert_int_equal(balloon_refusal_pause_end(&balloons->refusal), 0);
	host.refuses = NULL;
	settle();
	assert_host_has(2048);
	asked = 0;
	host.refuses = returns_the_rest;
	host.target = 0;
	assert_true(balloon_step());
	assert_int_equal(host.has.count, 1948);
	assert_int_equal(ledger_count(OWNER_BALLOON), 1948);
	host.refuses = NULL;
	settle();
	assert_host_has(0);
	balloon_refusal_counts(&balloons->refusal, frames);
	for (unsigned why = 0; why < BALLOON_REFUSALS; why++)
		sum += frames[why];
	assert_int_equal(sum, 0);
}

static int (*take)(struct balloon_batch *batch);
static uint64_t slept_ns; /* until the target was reached */

static int take_for_long(struct balloon_batch *batch)
{
	sim_time_advance(8 * NS_PER_MS);
	return take(batch);
}

static void end_at_the_target(void)
{
	if (ballooned() < RAM_FRAMES || host.fault != BALLOON_OK)
		return;
	slept_ns = sim_time_slept_ns;
	host.fault = BALLOON_FAULT_RULES;
}

static void only_a_host_that_needs_turns_has_them(void **state)
{
	for (int needs = 0; needs < 2; needs++) {
		uint64_t before;

		host.terms.needs_turns = needs;
		take = host.port.inflate;
		host.port.inflate = take_for_long;
		assert_int_equal(host_attach(NO_FLOOR), 0);
		host.target = RAM_FRAMES;
		before = sim_time_slept_ns;
		sim_time_on_wait = end_at_the_target;
		sim_ram_task(balloons);
		sim_time_on_wait = NULL;
		assert_true(needs ? slept_ns > before : slept_ns == before);
		tear_down_host(state);
		set_up_host(state);
	}
}

/* Its answers were all there in the call, and the last of them are not yet told. */
static void a_host_that_leaves_is_told_that_the_balloon_is_empty(void **state)
{
	(void)state;
	assert_int_equal(host_attach(NO_FLOOR), 0);
	host_wants(9000);
	balloon_detach(balloons->port);
	assert_int_equal(host.has.count, 0);
	assert_int_equal(host.actual, 0);
}

static void choose_blocks(void)
{
	assert_false(status().present);
	assert_int_equal(balloon_set_strategy(BALLOON_WHOLE_BLOCK), 0);
}

/* It is reset, all of its memory is being freed, and it is asked for no terms any more. */
static void a_strategy_may_be_chosen_while_a_host_goes(void **state)
{
	(void)state;
	host.port.deflate = NULL;
	assert_int_equal(host_attach(NO_FLOOR), 0);
	host_wants(RAM_FRAMES);
	sim_time_waits = 0;
	sim_time_on_wait = choose_blocks;
	balloon_detach(balloons->port);
	sim_time_on_wait = NULL;
	assert_true(sim_time_waits > 0);
	host.target = 0;
	assert_int_equal(balloon_attach(&host.port, NULL), 0);
	assert_int_equal(status().effective, BALLOON_WHOLE_BLOCK);
}

/* What others do while a port sleeps: it may not be asked for anything now. */
static void use_balloon_meanwhile(void)
{
	host.running = false;
	assert_int_equal(balloon_set_strategy(BALLOON_PORTABLE), 0);
	assert_int_equal(balloon_reclaim(0), 0);
}

static int reset_meanwhile(void)
{
	use_balloon_meanwhile();
	return host.fault == BALLOON_FAULT_RULES ? -EIO : 0;
}

static int give_up_meanwhile(const char **why)
{
	(void)why;
	use_balloon_meanwhile();
	return 0;
}

static void a_host_that_is_being_reset_is_asked_for_nothing(void **state)
{
	(void)state;
	host.port.reset = reset_meanwhile;
	host.port.give_up = give_up_meanwhile;
	host.terms.deflate_on_oom = true;
	assert_int_equal(host_attach(NO_FLOOR), 0);
	host_wants(1000);
	host.fault = BALLOON_FAULT_RESET_WANTED;
	settle();
	assert_int_equal(status().recoveries, 1);
	assert_int_equal(host.starts, 2);
	host.fault = BALLOON_FAULT_RULES;
	settle();
	assert_non_null(status().broken);
	assert_int_equal(ballooned(), 1000);
	assert_int_equal(host.has.count, 1000);
}

static int does_not_reset(void)
{
	return -EIO;
}

static void a_host_that_wants_a_reset_and_does_not_finish_it_is_given_up(void **state)
{
	(void)state;
	host.port.deflate = NULL;
	assert_int_equal(host_attach(NO_FLOOR), 0);
	host_wants(1000);
	host.port.reset = does_not_reset;
	host.fault = BALLOON_FAULT_RESET_WANTED;
	balloon_step();
	assert_string_equal(status().broken, "it asks for a reset and does not finish it");
	assert_int_equal(host.resets, 1); /* it was given up, and not started */
	assert_int_equal(host.starts, 1);
	assert_int_equal(status().recoveries, 0);
	host.port.reset = reset_meanwhile;
}

/* One range, or none, is the whole difference. */
static void a_host_that_takes_one_range_at_a_time_takes_ranges(void **state)
{
	const struct balloon_config config = { .strategy = BALLOON_RANGE_FIRST };

	(void)state;
	host.port.send_ranges = take_ranges;
	host.terms.ranges = 1;
	host.terms.range_blocks = 1;
	range_calls = 0;
	range_err = 0;
	balloon_init(&config);
	assert_int_equal(balloon_attach(&host.port, NULL), 0);
	assert_int_equal(sim_log_warnings, 0);
	assert_int_equal(status().effective, BALLOON_RANGE_FIRST);
	host_wants(3 * BLOCK_FRAMES);
	assert_int_equal(range_calls, 3);
	assert_host_has(3 * BLOCK_FRAMES);
	assert_int_equal(balloon_set_strategy(BALLOON_RANGE_FIRST), 0);
}

/* Whatever the clock says when it comes. */
static void a_new_host_is_lent_nothing_in_its_first_second(void **state)
{
	uint64_t frames, requests;

	(void)state;
	sim_time_advance(3600 * NS_PER_S);
	host.port.send_ranges = take_ranges;
	host.terms.ranges = 1;
	host.terms.range_blocks = 4;
	range_calls = 0;
	range_err = 0;
	assert_int_equal(host_attach(NO_FLOOR), 0);
	sim_time_step_ns = 0;
	settle();
	sim_time_advance(BALLOON_REPORT_QUIET_NS - 1);
	settle();
	assert_int_equal(range_calls, 0);
	sim_time_advance(1);
	settle();
	assert_int_equal(range_calls, 8);
	balloon_ranges_counts(&balloons->ranges, &frames, &requests);
	assert_int_equal(frames, RAM_FRAMES);
	assert_int_equal(requests, 8);
}

/* The host changes its mind, and says so, right after it was asked. */
static enum balloon_fault read_target_and_change(uint64_t given, uint64_t *target)
{
	(void)given;
	*target = host.target;
	if (host.target == 1000) {
		host.target = 2000;
		balloon_nudge(balloons);
	}
	return BALLOON_OK;
}

/* The last round has nothing to offer: only what was said meanwhile is a reason for another. */
static void what_is_said_while_the_target_is_read_is_a_reason_for_a_round(void **state)
{
	(void)state;
	host.port.read_target = read_target_and_change;
	assert_int_equal(host_attach(1), 0);
	exhaust();
	host.target = 1000;
	assert_true(balloon_step());
	assert_false(balloon_step());
	assert_int_equal(status().target, 2000);
}

static bool is_odd(bool deflates, pfn_t pfn, enum balloon_refusal *why)
{
	(void)deflates;
	*why = BALLOON_REFUSED_FRAME;
	return pfn % 2 == 1;
}

/* Blocks travel as runs; what is refused within them splits them. */
static void of_a_batch_all_frames_arrive_but_those_that_are_refused(void **state)
{
	struct balloon_batch_counts counts;

	(void)state;
	assert_int_equal(host_attach(NO_FLOOR), 0);
	host.refuses = is_odd;
	host.target = BLOCK_FRAMES;
	balloon_step();
	assert_int_equal(ballooned(), BLOCK_FRAMES / 2);
	assert_int_equal(ledger_count(OWNER_REFUSED), BLOCK_FRAMES / 2);
	assert_int_equal(host.has.count, BLOCK_FRAMES / 2);
	balloon_batches_counts(&balloons->batches, &counts);
	assert_int_equal(counts.inflated, BLOCK_FRAMES / 2);
	assert_int_equal(counts.inflate_requests, 1);
}

/* Four blocks a batch, whichever way: no block that travelled whole comes back in parts. */
static void blocks_come_back_whole_and_single_frames_one_by_one(void **state)
{
	(void)state;
	assert_int_equal(host_attach(NO_FLOOR), 0);
	host_wants(20 * BLOCK_FRAMES);
	host.offers = 0;
	host_wants(16 * BLOCK_FRAMES);
	assert_host_has(16 * BLOCK_FRAMES);
	assert_int_equal(host.offers, 1);
	/* What is left of a block, then 4, 4 and 1 whole ones. */
	host_wants(16 * BLOCK_FRAMES - 100);
	host.offers = 0;
	host_wants(6 * BLOCK_FRAMES);
	assert_host_has(6 * BLOCK_FRAMES);
	assert_int_equal(host.offers, 4);
}

/* Blocks 0, 1 and 2, and five frames before each of them, are the balloon's. */
static void give_blocks_and_frames_between(void)
{
	const pfn_t first = paddr_to_pfn(RAM_START);

	exhaust();
	for (uint64_t i = 0; i < 3; i++)
		assert_int_equal(frame_free(first + (2 * i + 1) * BLOCK_FRAMES - 5,
					    BLOCK_FRAMES + 5, OWNER_HELD),
				 0);
	host_wants(RAM_FRAMES);
	assert_host_has(3 * (BLOCK_FRAMES + 5));
	host.offers = 0;
	host_wants(0);
	assert_host_has(0);
	assert_int_equal(frame_free_owned(OWNER_HELD, UINT64_MAX),
			 RAM_FRAMES - 3 * (BLOCK_FRAMES + 5));
}

/* Where it is no cheaper, a block is no reason to send a batch that is not full. */
static void blocks_come_back_as_frames_where_that_is_as_cheap(void **state)
{
	static const struct {
		uint64_t batch_frames, block_frames, offers;
	} cases[] = {
		/* 5 and 512, three times */
		{ BLOCK_FRAMES, 2 * BLOCK_FRAMES, 6 },
		/* 1551 frames, 512 at a time */
		{ BLOCK_FRAMES, BLOCK_FRAMES, 4 },
		{ BLOCK_FRAMES / 2, BLOCK_FRAMES / 2, 7 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		host.terms.batch_frames = cases[i].batch_frames;
		host.terms.batch_block_frames = cases[i].block_frames;
		assert_int_equal(host_attach(NO_FLOOR), 0);
		give_blocks_and_frames_between();
		assert_int_equal(host.offers, cases[i].offers);
		balloon_detach(balloons->port);
	}
}

/* What is offered first is not offered twice, whatever it is made of. */
static void a_target_within_reach_is_reached_in_a_round(void **state)
{
	(void)state;
	assert_int_equal(host_attach(NO_FLOOR), 0);
	/* Of blocks 4, 4 and 1, and 392 frames. */
	host.target = 5000;
	balloon_step();
	assert_int_equal(host.has.count, 5000);
	assert_int_equal(host.offers, 4);
	host.target = 500;
	balloon_step();
	assert_int_equal(host.has.count, 500);
	settle();
	assert_host_has(500);
}

static void take_a_block_from(uint64_t free_blocks)
{
	pfn_t pfn;

	while (frame_free_blocks() > free_blocks)
		assert_int_equal(frame_alloc(BLOCK_ORDER, OWNER_HELD, &pfn), 0);
	host_wants(BLOCK_FRAMES);
	assert_host_has(BLOCK_FRAMES);
	assert_int_equal(frame_free_blocks(), free_blocks - 1);
	host_wants(0);
	assert_int_equal(frame_free_blocks(), free_blocks);
}

/* Though there are as many single frames. */
static void a_block_is_taken_whole_be_it_the_last(void **state)
{
	(void)state;
	/* Two broken blocks. */
	for (unsigned i = 0; i < 2; i++)
		assert_int_equal(frame_reserve(paddr_to_pfn(RAM_START) + i * BLOCK_FRAMES, 1,
					       OWNER_HELD),
				 0);
	assert_int_equal(host_attach(NO_FLOOR), 0);
	take_a_block_from(30);
	take_a_block_from(2);
	take_a_block_from(1);
}

/* Where a batch has fewer single frames than a block. */
static void a_single_block_travels_as_one_both_ways(void **state)
{
	(void)state;
	host.terms.batch_frames = 100;
	assert_int_equal(host_attach(NO_FLOOR), 0);
	host_wants(BLOCK_FRAMES);
	assert_int_equal(host.offers, 1);
	host_wants(0);
	assert_int_equal(host.offers, 2);
	assert_host_has(0);
}

/* Every other block is in use: each of the others is a run. */
static void a_batch_of_blocks_has_no_more_runs_than_was_agreed(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 16; i++)
		assert_int_equal(frame_reserve(paddr_to_pfn(RAM_START) + 2 * i * BLOCK_FRAMES,
					       BLOCK_FRAMES, OWNER_HELD),
				 0);
	assert_int_equal(host_attach(NO_FLOOR), 0);
	host_wants(6 * BLOCK_FRAMES);
	assert_int_equal(host.offers, 3);
	host.offers = 0;
	host_wants(0);
	assert_int_equal(host.offers, 3);
}

static void runs_that_touch_are_one(void **state)
{
	const pfn_t first = paddr_to_pfn(RAM_START);
	struct balloon_batch *batch;

	(void)state;
	host.port.deflate = NULL;
	assert_int_equal(host_attach(NO_FLOOR), 0);
	host.target = 20;
	assert_int_equal(frame_reserve(first, 5, OWNER_IN_FLIGHT), 0);
	assert_int_equal(frame_reserve(first + 10, 5, OWNER_IN_FLIGHT), 0);
	assert_int_equal(frame_reserve(first + 30, 10, OWNER_IN_FLIGHT), 0);
	batch = balloon_batch_new(&balloons->batches, false);
	balloon_batch_add(batch, first, 2);
	balloon_batch_add(batch, first + 2, 3);
	balloon_batch_add(batch, first + 10, 1);
	balloon_batch_add(batch, first + 11, 4);
	balloon_batch_add(batch, first + 30, 10);
	assert_int_equal(batch->frames, 20);
	assert_int_equal(batch->run_count, 3);
	for (unsigned i = 0; i < 3; i++) {
		static const struct frame_run runs[] = { { 0, 5 }, { 10, 5 }, { 30, 10 } };

		assert_int_equal(batch->run[i].first, first + runs[i].first);
		assert_int_equal(batch->run[i].count, runs[i].count);
	}
	assert_int_equal(balloon_batch_send(batch), 20);
	settle();
	assert_host_has(20);
}

static uint64_t asked_back[8];
static unsigned times_asked;

static int note_and_give_back(struct balloon_batch *batch)
{
	asked_back[times_asked++ % ARRAY_SIZE(asked_back)] = batch->frames;
	balloon_batch_answered(batch);
	return 0;
}

/* What comes before a block goes by itself only if the block can be had as a whole then. */
static void frames_before_a_block_come_back_by_themselves(void **state)
{
	const pfn_t block = paddr_to_pfn(RAM_START) + 4 * BLOCK_FRAMES;
	static const struct {
		uint64_t before, wanted, batches[2];
	} cases[] = { { 1, 513, { 1, 512 } }, { 5, 517, { 5, 512 } }, { 5, 512, { 512, 0 } } };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		host.port.deflate = note_and_give_back;
		host.target = 0;
		assert_int_equal(host_attach(NO_FLOOR), 0);
		assert_int_equal(frame_reserve(block - cases[i].before,
					       cases[i].before + BLOCK_FRAMES, OWNER_BALLOON),
				 0);
		host.target = cases[i].before + BLOCK_FRAMES - cases[i].wanted;
		memset(asked_back, 0, sizeof(asked_back));
		times_asked = 0;
		settle();
		assert_memory_equal(asked_back, cases[i].batches, sizeof(cases[i].batches));
		balloon_detach(balloons->port);
	}
}

/* ---- Large runs ---- */

#define GIANT_START ((pfn_t)1 << 22)
#define GIANT_FRAMES (16 * GIB / FRAME_SIZE)

static struct frame_run giant; /* the largest run that came */

/* It takes anything at once, and only remembers. */
static int take_giant(struct balloon_batch *batch)
{
	for (size_t i = 0; i < batch->run_count; i++)
		if (batch->run[i].count > giant.count)
			giant = batch->run[i];
	host.asks -= batch->frames;
	balloon_batch_answered(batch);
	return 0;
}

/* 16 GiB go in one run of one batch, and the host gives them back in one. */
static void a_run_may_be_of_sixteen_gigabytes(void **state)
{
	(void)state;
	sim_ram_stop();
	set_up_beside(GIANT_START, GIANT_FRAMES);
	giant = (struct frame_run){ 0 };
	host.deltas = true;
	host.port.inflate = take_giant;
	host.port.deflate = NULL;
	host.terms.batch_block_frames = 2 * GIANT_FRAMES;
	host.terms.batch_runs = BALLOON_BATCH_RUNS;
	assert_int_equal(host_attach(NO_FLOOR), 0);
	host_wants(RAM_FRAMES + GIANT_FRAMES);
	assert_int_equal(ballooned(), RAM_FRAMES + GIANT_FRAMES);
	assert_int_equal(host.actual, RAM_FRAMES + GIANT_FRAMES);
	assert_int_equal(giant.first, GIANT_START);
	assert_int_equal(giant.count, GIANT_FRAMES);
	assert_int_equal(balloon_return_run(balloons->port, giant.first, giant.count), 0);
	assert_int_equal(ballooned(), RAM_FRAMES);
	assert_int_equal(balloon_return_run(balloons->port, RAM_START / FRAME_SIZE, RAM_FRAMES), 0);
	settle();
	assert_int_equal(host.actual, 0);
	sim_ram_stop();
	set_up(state);
}

static int keep_on_reset(void)
{
	return -EBUSY;
}

/* More of it than is freed in one round. */
static void what_only_leaves_is_free_when_a_host_goes_that_keeps_its_own(void **state)
{
	(void)state;
	sim_ram_stop();
	set_up_beside(GIANT_START, GIANT_FRAMES);
	range_err = 0;
	host.port.send_ranges = take_ranges;
	host.port.deflate = NULL;
	host.port.reset = keep_on_reset;
	host.terms.ranges = 4;
	host.terms.range_blocks = 8 * BALLOON_FREE_FRAMES / BLOCK_FRAMES;
	host.terms.best = BALLOON_RANGE_FIRST;
	assert_int_equal(host_attach(NO_FLOOR), 0);
	host.target = RAM_FRAMES + GIANT_FRAMES;
	balloon_step();
	assert_true(ledger_count(OWNER_LEAVING) > BALLOON_FREE_FRAMES);
	assert_int_equal(ballooned(), 0);
	balloon_detach(balloons->port);
	assert_int_equal(ledger_count(OWNER_LEAVING), 0);
	assert_int_equal(ledger_count(OWNER_FREE), RAM_FRAMES + GIANT_FRAMES);
	sim_ram_stop();
	set_up(state);
}

/* ---- Refusals and want of room ---- */

#define FIRST_FRAME paddr_to_pfn(RAM_START)
#define RUN 10 /* frames that are free, and as many after them are not */

/* Of each run the fourth and the last but one. */
static bool two_of_a_run(bool deflates, pfn_t pfn, enum balloon_refusal *why)
{
	uint64_t at = (pfn - FIRST_FRAME) % (2 * RUN);

	*why = BALLOON_REFUSED_FRAME;
	return !deflates && (at == 3 || at == RUN - 2);
}

/* A batch of single frames is of as many runs as the free memory. */
static void frames_of_several_runs_are_refused_in_one_batch(void **state)
{
	struct balloon_batch_counts counts;

	(void)state;
	exhaust();
	for (uint64_t i = 0; i < 6; i++)
		assert_int_equal(frame_free(FIRST_FRAME + i * 2 * RUN, RUN, OWNER_HELD), 0);
	assert_int_equal(host_attach(NO_FLOOR), 0);
	host.refuses = two_of_a_run;
	host_wants(6 * RUN);
	assert_int_equal(host.offers, 1);
	for (uint64_t i = 0; i < RAM_FRAMES; i++)
		assert_int_equal(frame_owner(FIRST_FRAME + i) == OWNER_BALLOON,
				 sim_host_has(&host.has, FIRST_FRAME + i));
	assert_int_equal(ledger_count(OWNER_REFUSED), 6 * 2);
	assert_host_has(6 * (RUN - 2));
	balloon_batches_counts(&balloons->batches, &counts);
	assert_int_equal(counts.inflated, 6 * (RUN - 2));
}

static void a_batch_that_finds_no_room_is_offered_again(void **state)
{
	(void)state;
	assert_int_equal(host_attach(NO_FLOOR), 0);
	host.err = -EAGAIN;
	host_wants(3000);
	assert_int_equal(ballooned(), 0);
	assert_int_equal(ledger_count(OWNER_FREE), RAM_FRAMES);
	host.err = 0;
	settle();
	assert_host_has(3000);
}

static void ranges_that_find_no_room_are_lent_again(void **state)
{
	uint64_t frames, requests;

	(void)state;
	host.port.send_ranges = take_ranges;
	host.terms.ranges = 2;
	host.terms.range_blocks = 4;
	range_calls = 0;
	range_err = -EAGAIN;
	assert_int_equal(host_attach(NO_FLOOR), 0);
	be_quiet();
	assert_true(range_calls > 0);
	assert_int_equal(ledger_count(OWNER_FREE), RAM_FRAMES);
	balloon_ranges_counts(&balloons->ranges, &frames, &requests);
	assert_int_equal(frames + requests, 0);
	range_err = 0;
	be_quiet();
	be_quiet();
	balloon_ranges_counts(&balloons->ranges, &frames, &requests);
	assert_int_equal(frames, RAM_FRAMES);
	assert_int_equal(ledger_count(OWNER_FREE), RAM_FRAMES);
}

static void a_host_without_a_task_is_not_there(void **state)
{
	(void)state;
	sim_ram_task_err = -ENOMEM;
	assert_int_equal(host_attach(NO_FLOOR), -ENOMEM);
	sim_ram_task_err = 0;
	assert_false(status().present);
	assert_int_equal(host.resets, 1);
	host.target = 100;
	assert_false(balloon_step());
	assert_int_equal(host_attach(NO_FLOOR), 0);
	assert_true(status().present);
	assert_null(status().broken);
	host_wants(100);
	assert_host_has(100);
}

static void a_host_without_room_for_ranges_gets_batches(void **state)
{
	(void)state;
	host.port.send_ranges = take_ranges;
	host.terms.ranges = 2;
	host.terms.range_blocks = 4;
	host.terms.best = BALLOON_RANGE_FIRST;
	range_calls = 0;
	range_err = -EAGAIN;
	assert_int_equal(host_attach(NO_FLOOR), 0);
	host_wants(4 * BLOCK_FRAMES);
	assert_true(range_calls > 0);
	assert_host_has(4 * BLOCK_FRAMES);
}

static void late_answers_are_waited_for(void **state)
{
	(void)state;
	assert_int_equal(host_attach(NO_FLOOR), 0);
	host.late = true;
	host_wants(3000);
	assert_int_equal(ballooned(), 0);
	assert_int_equal(ledger_count(OWNER_IN_FLIGHT), 3000);
	host.late = false;
	settle();
	assert_host_has(3000);
}

/* ---- A host that forgets everything ---- */

static void a_host_that_forgets_everything_gets_it_anew(void **state)
{
	(void)state;
	assert_int_equal(host_attach(NO_FLOOR), 0);
	host_wants(5000);
	host.late = true;
	host_wants(6000);
	assert_int_equal(ledger_count(OWNER_IN_FLIGHT), 1000);
	host.late = false;
	host.fault = BALLOON_FAULT_ALL_OURS;
	assert_true(balloon_step());
	assert_int_equal(ledger_count(OWNER_FREE), RAM_FRAMES);
	assert_int_equal(host.starts, 2);
	assert_int_equal(host.resets, 0);
	assert_string_equal(sim_log_info,
			    "balloon: the host has forgotten the balloon, which is empty now");
	settle();
	assert_host_has(6000);
	assert_int_equal(status().recoveries, 1);
}

static bool wants_reset_always(void)
{
	return true;
}

/* Silence is forgiven, an answer that no host may give is not; and who forgot needs no reset. */
static void a_host_that_wants_a_reset_owes_no_answers_but_right_ones(void **state)
{
	(void)state;
	host.port.wants_reset = wants_reset_always;
	host.port.deflate = NULL;
	assert_int_equal(host_attach(NO_FLOOR), 0);
	host_wants(1000);
	host.late = true;
	host_wants(2000);
	sim_time_advance(BALLOON_DEADLINE_NS + NS_PER_MS);
	balloon_step();
	assert_null(status().broken);
	assert_int_equal(host.resets, 1);
	assert_int_equal(status().recoveries, 1);
	assert_int_equal(ballooned(), 1000);
	host.fault = BALLOON_FAULT_ALL_OURS;
	balloon_step();
	assert_int_equal(host.resets, 1);
	assert_int_equal(status().recoveries, 2);
	assert_int_equal(ballooned(), 0);
	host.fault = BALLOON_FAULT_RULES;
	balloon_step();
	assert_string_equal(status().broken, "it answered what no host may answer");
}

static void a_host_that_does_nothing_but_forget_is_given_up(void **state)
{
	(void)state;
	assert_int_equal(host_attach(NO_FLOOR), 0);
	host_wants(1000);
	for (int i = 0; i < 100 && !status().broken; i++) {
		host.fault = BALLOON_FAULT_ALL_OURS;
		balloon_step();
	}
	assert_non_null(status().broken);
	assert_in_range(host.starts, 2, 10);
	assert_int_equal(ledger_count(OWNER_FREE), RAM_FRAMES);
}

/* ---- Deltas ---- */

static void a_host_hears_that_a_single_frame_is_missing(void **state)
{
	(void)state;
	host.deltas = true;
	host.port.deflate = NULL;
	assert_int_equal(host_attach(1), 0);
	host_wants(RAM_FRAMES);
	assert_host_has(RAM_FRAMES - 1);
	assert_int_equal(host.short_of, 1);
}

static void a_host_that_asks_by_deltas_gets_what_it_asks(void **state)
{
	(void)state;
	host.deltas = true;
	assert_int_equal(host_attach(1000), 0);
	host_wants(3000);
	assert_host_has(3000);
	host_wants(2000);
	assert_host_has(5000);
	assert_int_equal(host.short_of, 0);
	/* More than there is: it hears how much is missing, and asks no more. */
	host_wants(RAM_FRAMES);
	assert_host_has(RAM_FRAMES - 1000);
	assert_int_equal(host.short_of, 6000);
	assert_int_equal(status().shortfall, 0);
	host.port.deflate = NULL;
}

static void only_ballooned_frames_can_be_given_back(void **state)
{
	const pfn_t start = paddr_to_pfn(RAM_START);
	pfn_t first;

	(void)state;
	host.deltas = true;
	host.port.deflate = NULL;
	assert_int_equal(host_attach(NO_FLOOR), 0);
	host_wants(2 * BLOCK_FRAMES);
	assert_int_equal(frame_collect(OWNER_BALLOON, 0, 1, &first), 1);
	assert_int_equal(balloon_return_run(balloons->port, first, 0), -EINVAL);
	assert_int_equal(balloon_return_run(balloons->port, first, UINT64_MAX), -EINVAL);
	assert_int_equal(balloon_return_run(balloons->port, UINT64_MAX, 2), -EINVAL);
	assert_int_equal(balloon_return_run(balloons->port, start + RAM_FRAMES - 1, 1), -EINVAL);
	assert_int_equal(balloon_return_run(balloons->port, first + 2 * BLOCK_FRAMES - 1, 2),
			 -EINVAL);
	assert_int_equal(ballooned(), 2 * BLOCK_FRAMES);
	assert_int_equal(balloon_return_run(balloons->port, first + 5, 100), 0);
	assert_int_equal(ballooned(), 2 * BLOCK_FRAMES - 100);
	assert_int_equal(frame_owner(first + 5), OWNER_FREE);
	assert_int_equal(balloon_return_run(balloons->port, first + 104, 1), -EINVAL);
	/* What came back was not asked for: it is not given again. */
	settle();
	assert_int_equal(ballooned(), 2 * BLOCK_FRAMES - 100);
}

static void a_port_that_cannot_deflate_is_never_asked_to(void **state)
{
	(void)state;
	host.port.deflate = NULL;
	host.terms.deflate_on_oom = true;
	assert_int_equal(host_attach(NO_FLOOR), 0);
	host_wants(5000);
	host_wants(100);
	assert_host_has(5000);
	assert_int_equal(balloon_reclaim(0), 0);
	assert_null(status().broken);
}

/* ---- What is said of a host ---- */

static void assert_range_first_needs(const char *need)
{
	const struct balloon_config config = { .strategy = BALLOON_RANGE_FIRST };

	sim_log_reset();
	balloon_init(&config);
	assert_int_equal(balloon_attach(&host.port, NULL), 0);
	assert_int_equal(sim_log_warnings, 1);
	assert_non_null(strstr(sim_log_warning, need));
	assert_int_equal(balloon_set_strategy(BALLOON_RANGE_FIRST), -ENOTSUP);
	balloon_detach(balloons->port);
}

static enum balloon_strategy asked_for;

static void terms_by_strategy(enum balloon_strategy strategy, struct balloon_terms *terms)
{
	asked_for = strategy;
	*terms = host.terms;
}

/* What it takes may depend on the strategy. */
static void a_port_is_asked_for_the_strategy_that_it_gets(void **state)
{
	const struct balloon_config config = { .strategy = BALLOON_RANGE_FIRST };

	(void)state;
	host.port.terms = terms_by_strategy;
	balloon_init(&config);
	assert_int_equal(balloon_attach(&host.port, NULL), 0);
	assert_int_equal(asked_for, BALLOON_AUTO);
	assert_int_equal(balloon_set_strategy(BALLOON_WHOLE_BLOCK), 0);
	settle();
	assert_int_equal(asked_for, BALLOON_WHOLE_BLOCK);
}

/* The core has no hypervisor's words: the port says what its host lacks. */
static void a_port_says_what_range_first_needs(void **state)
{
	(void)state;
	assert_range_first_needs("range-first needs a host that takes ranges;");
	host.port.ranges_need = "a newer hypervisor";
	assert_range_first_needs("range-first needs a newer hypervisor;");
}

/* ---- Two at a time ---- */

/* Attaches more ports than the host's, which want nothing. */
static int attach_another(size_t number)
{
	static struct balloon_port others[BALLOONS + 1];

	others[number] = (struct balloon_port)SIM_PORT_IDLE("another");
	return balloon_attach(&others[number], NULL);
}

static void more_ports_than_there_are_balloons_are_not_attached(void **state)
{
	(void)state;
	assert_int_equal(host_attach(NO_FLOOR), 0);
	host_wants(100);
	assert_int_equal(balloon_attach(&host.port, NULL), -EBUSY);
	for (size_t i = 1; i < BALLOONS; i++)
		assert_int_equal(attach_another(i), 0);
	assert_int_equal(attach_another(BALLOONS), -EBUSY);
	assert_int_equal(balloon_count(), BALLOONS);
	assert_host_has(100);
	assert_int_equal(host.starts, 1);
	/* One that was given up is in nobody's way. */
	host.fault = BALLOON_FAULT_RULES;
	settle();
	assert_non_null(status().broken);
	assert_int_equal(attach_another(BALLOONS), 0);
	assert_null(status().broken);
	assert_false(balloon_is_attached(&host.port));
}

static int attached_meanwhile;

/* A start that waits for its host: others run. */
static int start_while_it_comes_again(void)
{
	host.running = true;
	if (host.starts++ == 0)
		attached_meanwhile = balloon_attach(&host.port, NULL);
	return 0;
}

static void none_is_attached_while_it_starts(void **state)
{
	(void)state;
	host.port.start = start_while_it_comes_again;
	assert_int_equal(host_attach(NO_FLOOR), 0);
	assert_int_equal(attached_meanwhile, -EBUSY);
	assert_true(balloon_is_attached(&host.port));
	host_wants(100);
	assert_host_has(100);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		HOST_TEST(answers_in_the_call_reach_every_target),
		HOST_TEST(a_round_offers_no_more_than_a_host_can_have),
		HOST_TEST(a_host_may_have_one_batch_at_a_time),
		HOST_TEST(a_batch_has_as_many_blocks_as_the_port_says_each_time),
		HOST_TEST(frames_that_a_port_returns_are_offered_again_without_a_pause),
		HOST_TEST(only_a_host_that_needs_turns_has_them),
		HOST_TEST(a_host_that_leaves_is_told_that_the_balloon_is_empty),
		HOST_TEST(a_strategy_may_be_chosen_while_a_host_goes),
		HOST_TEST(a_host_that_is_being_reset_is_asked_for_nothing),
		HOST_TEST(a_host_that_wants_a_reset_and_does_not_finish_it_is_given_up),
		HOST_TEST(a_host_that_takes_one_range_at_a_time_takes_ranges),
		HOST_TEST(a_new_host_is_lent_nothing_in_its_first_second),
		HOST_TEST(what_is_said_while_the_target_is_read_is_a_reason_for_a_round),
		HOST_TEST(of_a_batch_all_frames_arrive_but_those_that_are_refused),
		HOST_TEST(blocks_come_back_whole_and_single_frames_one_by_one),
		HOST_TEST(blocks_come_back_as_frames_where_that_is_as_cheap),
		HOST_TEST(a_target_within_reach_is_reached_in_a_round),
		HOST_TEST(a_block_is_taken_whole_be_it_the_last),
		HOST_TEST(a_single_block_travels_as_one_both_ways),
		HOST_TEST(a_batch_of_blocks_has_no_more_runs_than_was_agreed),
		HOST_TEST(runs_that_touch_are_one),
		HOST_TEST(frames_before_a_block_come_back_by_themselves),
		HOST_TEST(a_run_may_be_of_sixteen_gigabytes),
		HOST_TEST(what_only_leaves_is_free_when_a_host_goes_that_keeps_its_own),
		HOST_TEST(frames_of_several_runs_are_refused_in_one_batch),
		HOST_TEST(a_batch_that_finds_no_room_is_offered_again),
		HOST_TEST(ranges_that_find_no_room_are_lent_again),
		HOST_TEST(a_host_without_a_task_is_not_there),
		HOST_TEST(a_host_without_room_for_ranges_gets_batches),
		HOST_TEST(late_answers_are_waited_for),
		HOST_TEST(a_host_that_forgets_everything_gets_it_anew),
		HOST_TEST(a_host_that_wants_a_reset_owes_no_answers_but_right_ones),
		HOST_TEST(a_host_that_does_nothing_but_forget_is_given_up),
		HOST_TEST(a_host_hears_that_a_single_frame_is_missing),
		HOST_TEST(a_host_that_asks_by_deltas_gets_what_it_asks),
		HOST_TEST(only_ballooned_frames_can_be_given_back),
		HOST_TEST(a_port_that_cannot_deflate_is_never_asked_to),
		HOST_TEST(a_port_is_asked_for_the_strategy_that_it_gets),
		HOST_TEST(a_port_says_what_range_first_needs),
		HOST_TEST(more_ports_than_there_are_balloons_are_not_attached),
		HOST_TEST(none_is_attached_while_it_starts),
	};

	return cmocka_run_group_tests_name("balloon_port", tests, set_up_ram, NULL);
}
