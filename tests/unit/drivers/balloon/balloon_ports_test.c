/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The corners of the contract between core and port (balloon_port.h), with the two
 * simulated hypervisors that are not virtio: one answers in the call, and one asks by
 * deltas, answers late, and gives back what it likes.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "arch/clock.h"
#include "drivers/balloon/balloon_account.h"
#include "drivers/balloon/balloon_batch.h"
#include "drivers/balloon/balloon_events.h"
#include "drivers/balloon/balloon_ranges.h"
#include "drivers/balloon/balloon_refusal.h"
#include "drivers/balloon/balloon_state_internal.h"
#include "tests/sim/sim_detach.h"
#include "tests/sim/sim_port_delta.h"
#include "tests/sim/sim_port_sync.h"
#include "tests/unit/drivers/balloon/balloon_fixture.h"

#define FIRST (RAM_START / FRAME_SIZE)

#define HOSTS_TEST(name) cmocka_unit_test_setup_teardown(name, set_up_hosts, tear_down_hosts)

static int set_up_hosts(void **state)
{
	const struct balloon_config config = { .floor = NO_FLOOR };

	set_up(state);
	sim_port_sync_init();
	sim_port_delta_init();
	frame_set_reclaimer(balloon_reclaim);
	balloon_init(&config);
	return 0;
}

/* What a host that did not reset has kept is all that may be missing. */
static int tear_down_hosts(void **state)
{
	(void)state;
	assert_books();
	/* Whatever failed, the end is to come. */
	sim_sync.gives_after = 0;
	sim_detach_all();
	assert_books();
	frame_free_owned(OWNER_HELD, UINT64_MAX);
	assert_int_equal(ledger_count(OWNER_FREE) + sim_sync.host.count + sim_delta.host.count,
			 RAM_FRAMES);
	if (sim_sync.host.violation || sim_delta.host.violation)
		fail_msg("%s", sim_sync.host.violation ? sim_sync.host.violation
						       : sim_delta.host.violation);
	sim_ram_stop();
	return 0;
}

static void attach_sync(void)
{
	assert_int_equal(balloon_attach(sim_port_sync(), NULL), 0);
}

static void attach_delta(void)
{
	assert_int_equal(balloon_attach(sim_port_delta(), &sim_delta.waiters), 0);
}

static void sync_wants(uint64_t frames)
{
	sim_sync.target = frames;
	settle();
}

static void delta_wants(uint64_t frames)
{
	sim_port_delta_ask(frames);
	settle();
}

static void delta_answers(void)
{
	do
		settle();
	while (sim_port_delta_answer(SIZE_MAX) > 0);
}

/* ---- Refusals in the call ---- */

static void each_reason_in_one_batch_is_heeded(void **state)
{
	(void)state;
	attach_sync();
	sim_sync.refuse_every = 10;
	sim_sync.target = BLOCK_FRAMES;
	balloon_step();
	/* Frames 10, 40, ... for ever; 20, 50, ... as it has enough; 30, 60, ... for now. */
	assert_int_equal(ledger_count(OWNER_REFUSED), 17);
	assert_int_equal(ballooned(), BLOCK_FRAMES - 51);
	assert_int_equal(sim_sync.host.count, BLOCK_FRAMES - 51);
	assert_int_equal(ledger_count(OWNER_FREE), RAM_FRAMES - BLOCK_FRAMES + 34);
	/* It took some: that is no reason to leave it alone. */
	assert_int_equal(balloon_refusal_pause_end(&balloons->refusal), 0);
	sim_sync.refuse_every = 0;
	settle();
	assert_int_equal(ballooned(), BLOCK_FRAMES);
	assert_int_equal(ledger_count(OWNER_REFUSED), 0);
}

static void another_target_frees_what_was_set_aside(void **state)
{
	(void)state;
	attach_sync();
	sim_sync.refuse_every = 2;
	sim_sync.one_reason = true;
	sim_sync.target = 1000;
	balloon_step();
	assert_true(ledger_count(OWNER_REFUSED) > 0);
	sim_sync.refuse_every = 0;
	sim_sync.target = 2000;
	balloon_step();
	assert_int_equal(ledger_count(OWNER_REFUSED), 0);
	settle();
	assert_int_equal(ballooned(), 2000);
}

/* As Xen does: it takes or gives the first frames of a batch, and the rest is refused. */
static void the_tail_of_a_batch_is_refused_and_asked_for_again(void **state)
{
	uint64_t refused[BALLOON_REFUSALS];

	(void)state;
	attach_sync();
	sim_sync.takes_most = 100;
	sync_wants(3000);
	assert_int_equal(ballooned(), 3000);
	sim_sync.gives_most = 7;
	sync_wants(500);
	assert_int_equal(ballooned(), 500);
	assert_true(sim_sync.refused[BALLOON_REFUSED_FOR_NOW] > 0);
	assert_int_equal(sim_sync.refused[BALLOON_REFUSED_FRAME], 0);
	balloon_refusal_counts(&balloons->refusal, refused);
	assert_memory_equal(refused, sim_sync.refused, sizeof(refused));
}

/* It goes on, if slowly: there is no reason to leave it alone. */
static void one_frame_of_a_batch_is_progress(void **state)
{
	(void)state;
	attach_sync();
	sim_sync.takes_most = 1;
	sync_wants(9);
	assert_int_equal(ballooned(), 9);
	sim_sync.gives_most = 1;
	sync_wants(2);
	assert_int_equal(ballooned(), 2);
}

/* The intervals between the moments at which the host is asked, in seconds. */
static void a_host_without_memory_is_asked_after_1_2_4_and_up_to_32_seconds(void **state)
{
	static const uint64_t pauses[] = { 1, 2, 4, 8, 16, 32, 32 };
	uint64_t asked, at = 0;

	(void)state;
	attach_sync();
	sync_wants(5);
	sim_sync.gives_after = 120 * NS_PER_S;
	asked = sim_sync.batches[true];
	sync_wants(0);
	for (size_t i = 0; i < ARRAY_SIZE(pauses); i++) {
		uint64_t since = clock_ns();

		assert_int_equal(sim_sync.batches[true], asked + i + 1);
		while (sim_sync.batches[true] == asked + i + 1) {
			sim_time_advance(NS_PER_S / 10);
			balloon_step();
			at = clock_ns();
		}
		assert_in_range(at - since, pauses[i] * NS_PER_S, (pauses[i] + 1) * NS_PER_S);
	}
	assert_int_equal(ballooned(), 5);
	sim_time_advance(BALLOON_PAUSE_MAX_NS);
	settle();
	assert_int_equal(ballooned(), 0);
	assert_int_equal(balloon_refusal_pause_end(&balloons->refusal), 0);
}

/* Four blocks leave; of the first batch of their frames the host takes none. */
static void leave_and_stop(void)
{
	sim_sync.terms.batch_block_frames = BLOCK_FRAMES;
	sim_sync.terms.ranges = 4;
	sim_sync.terms.range_blocks = 4;
	sim_sync.terms.best = BALLOON_RANGE_FIRST;
	attach_sync();
	sim_sync.takes_most = 0;
	sync_wants(4 * BLOCK_FRAMES);
	assert_int_equal(ledger_count(OWNER_LEAVING), 3 * BLOCK_FRAMES);
	assert_int_equal(sim_sync.batches[false], 1);
}

static void frames_that_leave_are_not_offered_in_a_pause(void **state)
{
	(void)state;
	leave_and_stop();
	sim_time_advance(BALLOON_PAUSE_MIN_NS / 2);
	settle();
	assert_int_equal(sim_sync.batches[false], 1);
	sim_sync.takes_most = UINT64_MAX;
	sim_time_advance(BALLOON_PAUSE_MIN_NS);
	settle();
	assert_int_equal(ballooned(), 4 * BLOCK_FRAMES);
}

/* A batch holds a block, and all that leaves fits into four. */
static void what_leaves_goes_in_full_batches(void **state)
{
	(void)state;
	leave_and_stop();
	sim_sync.takes_most = UINT64_MAX;
	sim_sync.batches[false] = 0;
	sim_time_advance(2 * BALLOON_PAUSE_MIN_NS);
	settle();
	assert_int_equal(ballooned(), 4 * BLOCK_FRAMES);
	assert_int_equal(sim_sync.batches[false], 4);
}

/* What leaves is free at once, and only the rest is asked back. */
static void what_leaves_is_not_asked_back(void **state)
{
	(void)state;
	leave_and_stop();
	sim_sync.takes_most = UINT64_MAX;
	sync_wants(1000);
	assert_int_equal(ballooned(), 1000);
	assert_int_equal(sim_sync.seen[true], 0);
	sim_sync.takes_most = 0;
	sync_wants(1000 + 4 * BLOCK_FRAMES);
	assert_int_equal(ledger_count(OWNER_LEAVING), 3 * BLOCK_FRAMES);
	sync_wants(400);
	assert_int_equal(ballooned(), 400);
	assert_int_equal(sim_sync.seen[true], 600);
	assert_int_equal(ledger_count(OWNER_LEAVING), 0);
}

/* It has not ended before the host has all of them. */
static void a_move_lasts_while_a_single_frame_leaves(void **state)
{
	uint64_t ended;

	(void)state;
	leave_and_stop();
	while (ledger_count(OWNER_LEAVING) > 1)
		assert_int_equal(balloon_reclaim(0), 1);
	ended = balloon_events.count[BALLOON_EVENT_ACKNOWLEDGED];
	settle();
	assert_int_equal(balloon_events.count[BALLOON_EVENT_ACKNOWLEDGED], ended);
	assert_int_equal(balloon_reclaim(0), 1);
	settle();
	assert_int_equal(balloon_events.count[BALLOON_EVENT_ACKNOWLEDGED], ended + 1);
}

/* ---- Memory in need, and a host that keeps frames ---- */

static void a_frame_that_never_comes_back_does_not_keep_the_others_from_need(void **state)
{
	pfn_t pfn;

	(void)state;
	attach_sync();
	sync_wants(5000);
	assert_int_equal(frame_collect(OWNER_BALLOON, 0, 1, &sim_sync.stubborn), 1);
	exhaust();
	for (int i = 0; i < 3; i++)
		assert_int_equal(frame_alloc(0, OWNER_HELD, &pfn), 0);
	assert_int_equal(ballooned(), 4997);
	assert_int_equal(frame_owner(sim_sync.stubborn), OWNER_BALLOON);
	assert_int_equal(status().oom_frames, 3);
	/* And it is asked for again once the balloon has had its target. */
	sim_sync.target = 4997;
	settle();
	sim_sync.stubborn = 0;
	assert_int_equal(frame_alloc(0, OWNER_HELD, &pfn), 0);
}

/* Batches may be answered in any order. */
static void what_is_passed_over_grows_until_a_pause_has_ended(void **state)
{
	(void)state;
	attach_sync();
	balloon_refusal_note(&balloons->refusal, BALLOON_REFUSED_FRAME, true, FIRST + 600, 1);
	balloon_refusal_note(&balloons->refusal, BALLOON_REFUSED_FRAME, true, FIRST + 5, 1);
	assert_int_equal(balloon_refusal_passed(&balloons->refusal), FIRST + 601);
	balloon_refusal_release(&balloons->refusal);
	assert_int_equal(balloon_refusal_passed(&balloons->refusal), FIRST + 601);
	balloon_refusal_exhausted(&balloons->refusal);
	sim_time_advance(BALLOON_PAUSE_MIN_NS + NS_PER_MS);
	assert_false(balloon_refusal_is_pause(&balloons->refusal));
	assert_int_equal(balloon_refusal_passed(&balloons->refusal), 0);
}

static void need_does_not_ask_for_what_is_refused_for_now_without_end(void **state)
{
	uint64_t batches;
	pfn_t pfn;

	(void)state;
	attach_sync();
	sync_wants(5000);
	exhaust();
	sim_sync.gives_after = UINT64_MAX;
	batches = sim_sync.batches[true];
	assert_int_equal(frame_alloc(0, OWNER_HELD, &pfn), -ENOMEM);
	assert_int_equal(sim_sync.batches[true], batches + 1);
	assert_int_equal(ballooned(), 5000);
}

static void need_asks_for_two_seconds_at_most(void **state)
{
	uint64_t before;
	pfn_t pfn;

	(void)state;
	attach_sync();
	sync_wants(5000);
	exhaust();
	sim_sync.keep_every = 1;
	sim_sync.one_reason = true;
	sim_time_step_ns = NS_PER_MS;
	before = clock_ns();
	assert_int_equal(frame_alloc(0, OWNER_HELD, &pfn), -ENOMEM);
	assert_in_range(clock_ns() - before, 0, BALLOON_DEADLINE_NS + NS_PER_S / 10);
	assert_null(status().broken);
}

static void need_gets_what_only_leaves(void **state)
{
	uint64_t batches;
	pfn_t pfn;

	(void)state;
	sim_sync.terms.deflate_on_oom = false;
	leave_and_stop();
	exhaust();
	batches = sim_sync.batches[false];
	assert_int_equal(frame_alloc(0, OWNER_HELD, &pfn), 0);
	assert_int_equal(frame_alloc(BLOCK_ORDER, OWNER_HELD, &pfn), 0);
	/* And what still leaves is not offered in between. */
	sim_sync.takes_most = UINT64_MAX;
	sim_time_advance(BALLOON_HOLD_OFF_NS / 2);
	settle();
	assert_int_equal(sim_sync.batches[false], batches);
	assert_true(ledger_count(OWNER_LEAVING) > 0);
	sim_time_advance(BALLOON_HOLD_OFF_NS);
	settle();
	assert_int_equal(ledger_count(OWNER_LEAVING), 0);
}

/* One frame, a block, or the whole run if it is longer. */
static void need_gets_a_frame_a_block_or_a_run(void **state)
{
	static const struct {
		unsigned order;
		uint64_t frames;
	} cases[] = { { 0, 1 }, { 1, 512 }, { 3, 512 }, { 9, 512 }, { 10, 1024 }, { 11, 2048 } };

	(void)state;
	attach_sync();
	sync_wants(8000);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_int_equal(balloon_reclaim(cases[i].order), cases[i].frames);
	assert_int_equal(status().oom_events, 6);
	assert_int_equal(status().oom_frames, 4609);
	assert_int_equal(ballooned(), 8000 - 4609);
}

static void need_asks_on_while_a_host_gives_frame_by_frame(void **state)
{
	(void)state;
	attach_sync();
	sync_wants(5000);
	sim_sync.gives_most = 1;
	assert_int_equal(balloon_reclaim(1), BLOCK_FRAMES);
	assert_int_equal(ballooned(), 5000 - BLOCK_FRAMES);
	assert_int_equal(status().oom_events, 1);
}

static void need_gets_nothing_of_an_empty_balloon(void **state)
{
	(void)state;
	attach_sync();
	sync_wants(1);
	assert_int_equal(balloon_reclaim(0), 1);
	assert_int_equal(balloon_reclaim(0), 0);
	assert_int_equal(status().oom_events, 1);
	assert_int_equal(status().oom_frames, 1);
}

/* What the host has not yet is enough, and it is not offered again at once. */
static void need_of_a_frame_that_leaves_takes_none_from_the_balloon(void **state)
{
	uint64_t had;

	(void)state;
	leave_and_stop();
	sim_sync.takes_most = 7;
	sim_time_advance(BALLOON_PAUSE_MIN_NS + NS_PER_MS);
	while (ballooned() == 0)
		balloon_step();
	had = ballooned();
	assert_int_equal(balloon_reclaim(0), 1);
	assert_int_equal(ballooned(), had);
	assert_int_equal(status().oom_events, 0);
	sim_sync.takes_most = UINT64_MAX;
	sim_time_advance(BALLOON_HOLD_OFF_NS - NS_PER_MS);
	settle();
	assert_int_equal(ballooned(), had);
	sim_time_advance(2 * NS_PER_MS);
	settle();
	assert_int_equal(ballooned(), 4 * BLOCK_FRAMES);
}

/* ---- A host that forgets everything ---- */

/* A few seconds in which the task looks when it wants to. */
static void pass_some_seconds(void)
{
	for (int i = 0; i < 4; i++) {
		while (balloon_step())
			;
		sim_time_advance(NS_PER_S);
	}
}

static void what_is_forgotten_at_a_batch_is_given_anew(void **state)
{
	(void)state;
	attach_sync();
	sync_wants(5000);
	for (int after = 0; after < 2; after++) {
		sim_sync.forgets_after = after;
		sim_sync.forgets_at = 2; /* a look at the target, and then */
		sim_sync.target = 8000;
		pass_some_seconds();
		assert_int_equal(ballooned(), 8000);
		assert_int_equal(status().recoveries, 2 * after + 1);
		sim_sync.forgets_at = 2;
		sim_sync.target = 5000;
		pass_some_seconds();
		assert_int_equal(ballooned(), 5000);
	}
	assert_int_equal(sim_sync.forgot, 4);
	assert_int_equal(sim_sync.resets, 0);
}

static void what_is_forgotten_when_memory_is_needed_is_all_free_after_the_next_look(void **state)
{
	pfn_t pfn;

	(void)state;
	attach_sync();
	sync_wants(5000);
	exhaust();
	sim_sync.forgets_at = 1;
	assert_int_equal(frame_alloc(0, OWNER_HELD, &pfn), -ENOMEM);
	sim_sync.target = 0;
	settle();
	assert_int_equal(ledger_count(OWNER_FREE), 5000);
	assert_int_equal(frame_alloc(0, OWNER_HELD, &pfn), 0);
}

static void a_host_may_forget_every_hour_for_ever(void **state)
{
	(void)state;
	attach_sync();
	for (unsigned i = 1; i <= 20; i++) {
		sim_time_advance(3600 * NS_PER_S);
		sim_port_sync_forget();
		settle();
		assert_null(status().broken);
		assert_int_equal(status().recoveries, i);
	}
	/* But not twenty times in a row. */
	for (unsigned i = 0; i < 20 && !status().broken; i++) {
		sim_port_sync_forget();
		settle();
	}
	assert_non_null(status().broken);
}

/* ---- A host that keeps its frames over a reset ---- */

static void a_host_that_keeps_all_goes_on_after_a_reset(void **state)
{
	(void)state;
	attach_sync();
	sync_wants(3000);
	sim_sync.reset_err = -EBUSY;
	sim_sync.fault = BALLOON_FAULT_RESET_WANTED;
	sync_wants(5000);
	assert_null(status().broken);
	assert_int_equal(status().recoveries, 1);
	assert_int_equal(ballooned(), 5000);
	sync_wants(10);
	assert_int_equal(ballooned(), 10);
}

/* ---- A host that does not finish its reset ---- */

static void what_a_host_does_not_let_go_of_is_in_flight_for_ever(void **state)
{
	(void)state;
	attach_delta();
	delta_wants(3000);
	delta_answers();
	delta_wants(1000);
	assert_int_equal(ledger_count(OWNER_IN_FLIGHT), 1000);
	sim_delta.reset_err = -ETIMEDOUT;
	sim_delta.fault = BALLOON_FAULT_RULES;
	settle();
	assert_non_null(status().broken);
	assert_int_equal(ledger_count(OWNER_IN_FLIGHT), 1000);
	assert_int_equal(ballooned(), 3000);
	balloon_detach(balloons->port);
	assert_int_equal(ballooned(), 0);
	assert_int_equal(ledger_count(OWNER_IN_FLIGHT), 4000);
	/* The next host has never seen them, and is neither given them nor asked for them. */
	attach_sync();
	sync_wants(500);
	assert_int_equal(sim_sync.host.count, 500);
	assert_int_equal(ballooned(), 500);
	sync_wants(RAM_FRAMES);
	assert_int_equal(ballooned(), RAM_FRAMES - 4000);
	assert_int_equal(status().shortfall, 4000);
	for (pfn_t pfn = FIRST; pfn < FIRST + RAM_FRAMES; pfn++)
		assert_false(sim_host_has(&sim_sync.host, pfn) &&
			     sim_host_has(&sim_delta.host, pfn));
	sync_wants(0);
	assert_int_equal(ledger_count(OWNER_FREE), RAM_FRAMES - 4000);
}

static void what_a_host_refused_is_no_hosts_when_it_is_given_up(void **state)
{
	(void)state;
	attach_sync();
	sim_sync.refuse_every = 2;
	sim_sync.one_reason = true;
	sim_sync.target = 1000;
	balloon_step();
	assert_true(ledger_count(OWNER_REFUSED) > 0);
	sim_sync.reset_err = -ETIMEDOUT;
	sim_sync.fault = BALLOON_FAULT_RULES;
	balloon_step();
	assert_non_null(status().broken);
	assert_int_equal(ledger_count(OWNER_REFUSED), 0);
	assert_int_equal(ledger_count(OWNER_FREE), RAM_FRAMES - sim_sync.host.count);
}

static void what_a_host_refused_is_no_hosts_when_it_is_pulled_out(void **state)
{
	(void)state;
	attach_sync();
	sim_sync.refuse_every = 2;
	sim_sync.one_reason = true;
	sim_sync.target = 1000;
	balloon_step();
	assert_true(ledger_count(OWNER_REFUSED) > 0);
	sim_sync.gives_after = UINT64_MAX;
	sim_sync.reset_err = -ETIMEDOUT;
	balloon_detach(balloons->port);
	assert_int_equal(ledger_count(OWNER_REFUSED), 0);
	assert_true(sim_sync.host.count > 0);
	assert_int_equal(ledger_count(OWNER_FREE), RAM_FRAMES - sim_sync.host.count);
	assert_int_equal(ledger_count(OWNER_IN_FLIGHT), sim_sync.host.count);
}

static void what_only_leaves_is_free_when_the_host_is_given_up(void **state)
{
	(void)state;
	leave_and_stop();
	sim_sync.reset_err = -ETIMEDOUT;
	sim_sync.fault = BALLOON_FAULT_RULES;
	settle();
	assert_non_null(status().broken);
	assert_int_equal(ledger_count(OWNER_FREE), RAM_FRAMES);
}

static void what_only_leaves_is_free_when_a_host_is_pulled_out_that_keeps_what_it_has(void **state)
{
	uint64_t kept;

	(void)state;
	leave_and_stop();
	/* In a pause there is one round more, and the host uses it to ask for a reset. */
	sim_sync.fault = BALLOON_FAULT_RESET_WANTED;
	sim_sync.resets_well = 1;
	sim_sync.reset_err = -ETIMEDOUT;
	kept = sim_sync.host.count;
	balloon_detach(balloons->port);
	assert_int_equal(sim_sync.resets, 2);
	assert_int_equal(ledger_count(OWNER_LEAVING), 0);
	assert_int_equal(ledger_count(OWNER_FREE), RAM_FRAMES - kept);
}

static void what_only_leaves_is_free_when_the_host_has_forgotten_all(void **state)
{
	(void)state;
	leave_and_stop();
	sim_sync.target = 0;
	sim_sync.fault = BALLOON_FAULT_ALL_OURS;
	balloon_step();
	assert_null(status().broken);
	assert_int_equal(ledger_count(OWNER_LEAVING), 0);
	assert_int_equal(ledger_count(OWNER_FREE), RAM_FRAMES);
}

static void a_host_after_one_that_was_given_up_begins_with_nothing(void **state)
{
	(void)state;
	attach_sync();
	sync_wants(3000);
	sim_sync.fault = BALLOON_FAULT_RULES;
	settle();
	assert_non_null(status().broken);
	assert_int_equal(ballooned(), 3000);
	/* It let go of them when it was reset. */
	sim_sync.target = 200;
	attach_sync();
	assert_int_equal(ballooned(), 0);
	settle();
	assert_int_equal(sim_sync.host.count, 200);
	assert_int_equal(ballooned(), 200);
}

static void a_host_is_there_once(void **state)
{
	(void)state;
	attach_sync();
	sync_wants(1000);
	assert_int_equal(balloon_attach(sim_port_sync(), NULL), -EBUSY);
	assert_int_equal(sim_sync.starts, 1);
	sync_wants(2000);
	assert_int_equal(ballooned(), 2000);
	balloon_detach(sim_port_sync());
	assert_int_equal(sim_sync.host.count, 0);
	attach_sync();
}

static void a_device_that_was_given_up_takes_no_other_along_as_it_goes(void **state)
{
	uint64_t lines;

	(void)state;
	plug_in(false, VIRTIO_BIT(VIRTIO_F_VERSION_1));
	assert_int_equal(begin(NO_FLOOR), 0);
	balloons->fault = BALLOON_FAULT_RULES;
	settle();
	assert_non_null(status().broken);
	attach_sync();
	sync_wants(1000);
	virtio_unregister(&sim.virtio.device);
	sync_wants(2000);
	assert_int_equal(balloon_frames_of(sim_port_sync()), 2000);
	assert_int_equal(sim_sync.host.count, 2000);
	/* Nor does it take the other's place when it comes again. */
	lines = sim_log_infos;
	virtio_register(&sim.virtio.device);
	assert_int_equal(sim_log_infos, lines);
	assert_int_equal(balloon_count(), 2);
	sync_wants(3000);
	assert_int_equal(sim_sync.host.count, 3000);
}

static void a_host_that_does_not_start_is_not_there(void **state)
{
	(void)state;
	sim_sync.start_err = -ENOTSUP;
	assert_int_equal(balloon_attach(sim_port_sync(), NULL), -ENOTSUP);
	assert_false(status().present);
	assert_false(balloon_step());
	assert_int_equal(balloon_reclaim(0), 0);
	attach_delta();
	assert_true(status().present);
}

static void a_host_that_forgot_and_does_not_start_again_is_given_up(void **state)
{
	(void)state;
	attach_sync();
	sync_wants(1000);
	sim_port_sync_forget();
	sim_sync.start_err = -EIO;
	settle();
	assert_string_equal(status().broken, "it cannot be started again");
	assert_int_equal(status().recoveries, 0);
	assert_int_equal(ledger_count(OWNER_FREE), RAM_FRAMES);
}

/* ---- Deltas ---- */

static void a_host_hears_once_that_it_cannot_have_all(void **state)
{
	(void)state;
	attach_delta();
	balloon_set_floor(1000);
	delta_wants(RAM_FRAMES);
	delta_answers();
	assert_int_equal(sim_delta.short_calls, 1);
	assert_int_equal(sim_delta.short_told, 1000);
	assert_int_equal(ballooned(), RAM_FRAMES - 1000);
	/* It does not ask any more: memory that is free again stays so. */
	balloon_set_floor(0);
	sim_time_advance(10 * NS_PER_S);
	delta_answers();
	assert_int_equal(sim_delta.short_calls, 1);
	assert_int_equal(ballooned(), RAM_FRAMES - 1000);
	delta_wants(10);
	assert_int_equal(sim_delta.short_calls, 1);
	delta_wants(2000);
	delta_answers();
	assert_int_equal(sim_delta.short_calls, 2);
	assert_int_equal(ballooned(), RAM_FRAMES);
}

static void a_batch_of_blocks_is_as_long_as_the_host_takes(void **state)
{
	(void)state;
	sim_delta.terms.ranges = 0;
	sim_delta.terms.best = BALLOON_WHOLE_BLOCK;
	attach_delta();
	delta_wants(20 * BLOCK_FRAMES);
	assert_int_equal(sim_delta.batches, 1);
	assert_int_equal(sim_delta.largest, 20 * BLOCK_FRAMES);
	assert_int_equal(sim_delta.queue[0]->run_count, 1);
	delta_answers();
	assert_int_equal(ballooned(), 20 * BLOCK_FRAMES);
}

static void a_full_ring_is_waited_for(void **state)
{
	(void)state;
	sim_delta.terms.ranges = 0;
	sim_delta.terms.best = BALLOON_PORTABLE;
	sim_delta.terms.batch_block_frames = BLOCK_FRAMES;
	sim_delta.room = 2;
	attach_delta();
	delta_wants(5 * BLOCK_FRAMES + 100);
	assert_int_equal(ledger_count(OWNER_IN_FLIGHT), 2 * BLOCK_FRAMES);
	assert_int_equal(sim_delta.short_calls, 0);
	delta_answers();
	assert_int_equal(ballooned(), 5 * BLOCK_FRAMES + 100);
}

static void a_full_ring_is_no_shortage(void **state)
{
	(void)state;
	sim_delta.terms.ranges = 0;
	sim_delta.terms.best = BALLOON_PORTABLE;
	sim_delta.terms.batch_block_frames = BLOCK_FRAMES;
	sim_delta.room = 2;
	attach_delta();
	balloon_set_floor(1000);
	delta_wants(RAM_FRAMES);
	/* What waits for room is not short, only what the floor keeps. */
	assert_int_equal(ledger_count(OWNER_IN_FLIGHT), 2 * BLOCK_FRAMES);
	assert_int_equal(sim_delta.short_told, 1000);
	delta_answers();
	assert_int_equal(ballooned(), RAM_FRAMES - 1000);
	assert_int_equal(sim_delta.short_calls, 1);
}

static void a_host_without_an_answer_is_given_up_whatever_it_is(void **state)
{
	(void)state;
	attach_delta();
	delta_wants(1000);
	sim_time_advance(BALLOON_DEADLINE_NS + NS_PER_MS);
	settle();
	assert_non_null(status().broken);
	assert_int_equal(ledger_count(OWNER_FREE), RAM_FRAMES);
	assert_int_equal(sim_log_warnings, 1);
}

static void frames_that_the_host_chose_come_back_from_the_midst_of_the_balloon(void **state)
{
	struct balloon_account account;
	pfn_t first;

	(void)state;
	attach_delta();
	delta_wants(3000);
	delta_answers();
	assert_int_equal(sim_host_find(&sim_delta.host, FIRST, UINT64_MAX, &first), 3000);
	sim_port_delta_return(first + 700, 1100, true);
	sim_port_delta_return(first, 1, true);
	settle();
	assert_int_equal(ballooned(), 3000 - 1101);
	assert_int_equal(frame_owner(first + 699), OWNER_BALLOON);
	assert_int_equal(frame_owner(first + 700), OWNER_FREE);
	assert_int_equal(status().actual, ballooned());
	/* They count in the total again, as the host of InflatedTotal has it. */
	balloon_account(&account);
	assert_int_equal(account.inflated_total, ballooned());
	assert_int_equal(account.total, RAM_FRAMES - ballooned());
}

static void a_run_that_is_not_all_ballooned_changes_nothing(void **state)
{
	pfn_t first, flying;

	(void)state;
	attach_delta();
	delta_wants(600);
	delta_answers();
	sim_host_find(&sim_delta.host, FIRST, UINT64_MAX, &first);
	delta_wants(600);
	flying = sim_delta.queue[0]->run[0].first;
	sim_port_delta_return(first + 599, 2, false);
	sim_port_delta_return(first - 1, 601, false);
	sim_port_delta_return(flying, 1, false);
	sim_port_delta_return(first, 0, false);
	sim_port_delta_return(FIRST + RAM_FRAMES, 1, false);
	sim_port_delta_return(UINT64_MAX, 1, false);
	sim_port_delta_return(first, UINT64_MAX - first + 1, false);
	settle();
	assert_int_equal(sim_delta.wrong_refused, 7);
	assert_int_equal(ballooned(), 600);
	assert_int_equal(ledger_count(OWNER_IN_FLIGHT), 600);
	assert_int_equal(ledger_refused(), 0);
	delta_answers();
}

static void need_leaves_a_balloon_alone_whose_host_chooses(void **state)
{
	pfn_t pfn;

	(void)state;
	sim_delta.terms.deflate_on_oom = true;
	attach_delta();
	delta_wants(3000);
	delta_answers();
	exhaust();
	assert_int_equal(frame_alloc(0, OWNER_HELD, &pfn), -ENOMEM);
	assert_int_equal(ballooned(), 3000);
	assert_null(status().broken);
}

static void a_channel_that_is_rescinded_in_mid_flight_leaves_its_frames(void **state)
{
	(void)state;
	for (int i = 0; i < 3; i++) {
		sim_port_delta_init();
		attach_delta();
		delta_wants(3000);
		delta_answers();
		sim_port_delta_return(FIRST, 1, false);
		delta_wants(2000);
		assert_int_equal(ledger_count(OWNER_IN_FLIGHT), 2000);
		sim_delta.reset_err = -EIO;
		balloon_detach(balloons->port);
		assert_int_equal(ledger_count(OWNER_FREE), RAM_FRAMES);
		assert_false(status().present);
	}
}

/* ---- Ranges ---- */

static void ranges_that_are_answered_in_the_call_are_free_at_once(void **state)
{
	uint64_t frames, requests;

	(void)state;
	attach_delta();
	be_quiet();
	assert_int_equal(ledger_count(OWNER_REPORTED), 0);
	assert_int_equal(ledger_count(OWNER_FREE), RAM_FRAMES);
	balloon_ranges_counts(&balloons->ranges, &frames, &requests);
	assert_int_equal(frames, RAM_FRAMES);
	assert_int_equal(requests, sim_delta.range_calls);
	/* Each block is told once. */
	be_quiet();
	balloon_ranges_counts(&balloons->ranges, &frames, &requests);
	assert_int_equal(frames, RAM_FRAMES);
}

static void a_delta_leaves_as_ranges_and_no_more_than_it_is(void **state)
{
	(void)state;
	attach_delta();
	sim_delta.at_once = true;
	sim_port_delta_ask(9 * BLOCK_FRAMES + 5);
	balloon_step();
	assert_int_equal(ledger_count(OWNER_LEAVING), 8 * BLOCK_FRAMES);
	assert_int_equal(sim_delta.got, 0);
	delta_answers();
	assert_int_equal(ballooned(), 9 * BLOCK_FRAMES + 5);
	assert_int_equal(sim_delta.got, 9 * BLOCK_FRAMES + 5);
	assert_int_equal(sim_delta.short_calls, 0);
	assert_int_equal(ledger_count(OWNER_LEAVING), 0);
}

/* It has no frames that could come of it. */
static void memory_in_need_does_not_wait_for_what_a_port_has_asked_besides(void **state)
{
	uint64_t before;
	pfn_t pfn;

	(void)state;
	attach_delta();
	settle();
	while (!frame_alloc(0, OWNER_HELD, &pfn))
		;
	sim_delta.owed_awake = before = clock_awake_ns();
	assert_int_equal(frame_alloc(0, OWNER_HELD, &pfn), -ENOMEM);
	assert_true(clock_awake_ns() - before < NS_PER_S);
	assert_int_equal(balloons->fault, BALLOON_OK);
	sim_delta.owed_awake = DEADLINE_NEVER;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		HOSTS_TEST(each_reason_in_one_batch_is_heeded),
		HOSTS_TEST(another_target_frees_what_was_set_aside),
		HOSTS_TEST(the_tail_of_a_batch_is_refused_and_asked_for_again),
		HOSTS_TEST(one_frame_of_a_batch_is_progress),
		HOSTS_TEST(a_host_without_memory_is_asked_after_1_2_4_and_up_to_32_seconds),
		HOSTS_TEST(frames_that_leave_are_not_offered_in_a_pause),
		HOSTS_TEST(what_leaves_goes_in_full_batches),
		HOSTS_TEST(what_leaves_is_not_asked_back),
		HOSTS_TEST(a_move_lasts_while_a_single_frame_leaves),
		HOSTS_TEST(a_frame_that_never_comes_back_does_not_keep_the_others_from_need),
		HOSTS_TEST(what_is_passed_over_grows_until_a_pause_has_ended),
		HOSTS_TEST(need_does_not_ask_for_what_is_refused_for_now_without_end),
		HOSTS_TEST(need_asks_for_two_seconds_at_most),
		HOSTS_TEST(need_gets_what_only_leaves),
		HOSTS_TEST(need_gets_a_frame_a_block_or_a_run),
		HOSTS_TEST(need_asks_on_while_a_host_gives_frame_by_frame),
		HOSTS_TEST(need_gets_nothing_of_an_empty_balloon),
		HOSTS_TEST(need_of_a_frame_that_leaves_takes_none_from_the_balloon),
		HOSTS_TEST(what_is_forgotten_at_a_batch_is_given_anew),
		HOSTS_TEST(what_is_forgotten_when_memory_is_needed_is_all_free_after_the_next_look),
		HOSTS_TEST(a_host_may_forget_every_hour_for_ever),
		HOSTS_TEST(a_host_that_keeps_all_goes_on_after_a_reset),
		HOSTS_TEST(what_a_host_does_not_let_go_of_is_in_flight_for_ever),
		HOSTS_TEST(what_a_host_refused_is_no_hosts_when_it_is_given_up),
		HOSTS_TEST(what_a_host_refused_is_no_hosts_when_it_is_pulled_out),
		HOSTS_TEST(what_only_leaves_is_free_when_the_host_is_given_up),
		HOSTS_TEST(
			what_only_leaves_is_free_when_a_host_is_pulled_out_that_keeps_what_it_has),
		HOSTS_TEST(what_only_leaves_is_free_when_the_host_has_forgotten_all),
		HOSTS_TEST(a_host_after_one_that_was_given_up_begins_with_nothing),
		HOSTS_TEST(a_host_is_there_once),
		HOSTS_TEST(a_device_that_was_given_up_takes_no_other_along_as_it_goes),
		HOSTS_TEST(a_host_that_does_not_start_is_not_there),
		HOSTS_TEST(a_host_that_forgot_and_does_not_start_again_is_given_up),
		HOSTS_TEST(a_host_hears_once_that_it_cannot_have_all),
		HOSTS_TEST(a_batch_of_blocks_is_as_long_as_the_host_takes),
		HOSTS_TEST(a_full_ring_is_waited_for),
		HOSTS_TEST(a_full_ring_is_no_shortage),
		HOSTS_TEST(a_host_without_an_answer_is_given_up_whatever_it_is),
		HOSTS_TEST(frames_that_the_host_chose_come_back_from_the_midst_of_the_balloon),
		HOSTS_TEST(a_run_that_is_not_all_ballooned_changes_nothing),
		HOSTS_TEST(need_leaves_a_balloon_alone_whose_host_chooses),
		HOSTS_TEST(a_channel_that_is_rescinded_in_mid_flight_leaves_its_frames),
		HOSTS_TEST(ranges_that_are_answered_in_the_call_are_free_at_once),
		HOSTS_TEST(a_delta_leaves_as_ranges_and_no_more_than_it_is),
		HOSTS_TEST(memory_in_need_does_not_wait_for_what_a_port_has_asked_besides),
	};

	return cmocka_run_group_tests_name("balloon_ports", tests, set_up_ram, NULL);
}
