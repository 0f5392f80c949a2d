/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * drivers/xen/xen_stamps.c: what the black box tells of a target, from the store's event to the
 * call for memory; in all of the balloon on Xen, with real tasks, a Xen and a store.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "arch/clock.h"
#include "drivers/balloon/balloon_port.h"
#include "drivers/balloon/balloon_state_internal.h"
#include "drivers/xen/xen_stamps.h"
#include "kernel/lib/hooks.h"
#include "mm/ledger.h"
#include "tests/unit/drivers/balloon/port/xen_world.h"

/* What the simulated call takes at its first frame: the guest stands still. */
#define CALL_US 700

static int set_up(void **state)
{
	(void)state;
	xen_world_begin();
	lib_set_clock(clock_ns);
	memset(&xen_events, 0, sizeof(xen_events));
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	/* Whatever state the tasks are in: they cannot go on. */
	if (sim_tasks_abandoned())
		exit(1);
	lib_set_clock(NULL);
	return xen_world_end() ? 0 : -1;
}

#define STAMPS_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

static void run(void (*fn)(void *))
{
	sim_tasks_run(fn, NULL);
	assert_null(xen_world_mistake());
}

/* ---- What is recorded ---- */

static uint64_t looked_at; /* the number of the last event that was */

static void forget(void)
{
	looked_at = xen_events.recorded;
}

static struct event next_event(enum xen_event type)
{
	struct event event;

	assert_true(events_get(&xen_events, ++looked_at, &event));
	assert_int_equal(event.type, type);
	return event;
}

static struct event assert_next(enum xen_event type, uint64_t first, uint64_t second)
{
	struct event event = next_event(type);

	assert_int_equal(event.argument[0], first);
	assert_int_equal(event.argument[1], second);
	return event;
}

static void assert_no_more(void)
{
	assert_int_equal(xen_events.recorded, looked_at);
}

static uint64_t ballooned(void)
{
	return ledger_count(OWNER_BALLOON);
}

static void reach(uint64_t frames)
{
	xen_world_want(frames);
	xen_world_wait(NS_PER_S);
	assert_int_equal(ballooned(), frames);
}

static void begin(void)
{
	assert_int_equal(xen_world_start(), 0);
	xen_world_wait(NS_PER_S);
	forget();
}

static void end(void)
{
	xen_world_behave();
	xen_world_wait(NS_PER_S);
	balloon_detach(balloons->port);
}

/* ---- A target ---- */

static uint64_t stop_at;

static void stand_still(uint64_t frames)
{
	if (frames == stop_at)
		sim_tasks_jump(CALL_US * NS_PER_US);
}

static void move_slowly(void *arg)
{
	struct event watch, read, target, call, called;

	(void)arg;
	begin();
	xen_world.on_frame = stand_still;
	stop_at = xen_world.frames;
	reach(3 * BLOCK_FRAMES);
	watch = next_event(XEN_STAMP_WATCH);
	read = assert_next(XEN_STAMP_READ, strlen("18432"), 0);
	target = assert_next(XEN_STAMP_TARGET, 18432, 0);
	call = assert_next(XEN_STAMP_CALL, 3 * BLOCK_FRAMES, BLOCK_ORDER);
	called = assert_next(XEN_STAMP_CALLED, 3 * BLOCK_FRAMES, CALL_US);
	assert_no_more();
	assert_in_range(watch.argument[0], 1, 1000);
	assert_true(watch.time_ns < read.time_ns);
	assert_true(read.time_ns <= target.time_ns && target.time_ns <= call.time_ns);
	assert_int_equal(called.time_ns - call.time_ns, CALL_US * NS_PER_US);
	end();
}

static void from_an_event_to_the_call_all_is_recorded_with_its_time(void **state)
{
	(void)state;
	run(move_slowly);
}

static void move_much(void *arg)
{
	(void)arg;
	begin();
	/* Two calls for whole blocks, and one for frames. */
	reach(5 * BLOCK_FRAMES + 9);
	assert_true(sim_xen.memory_calls[false] > 2);
	next_event(XEN_STAMP_WATCH);
	next_event(XEN_STAMP_READ);
	next_event(XEN_STAMP_TARGET);
	next_event(XEN_STAMP_CALL);
	next_event(XEN_STAMP_CALLED);
	assert_no_more();
	reach(1);
	next_event(XEN_STAMP_WATCH);
	next_event(XEN_STAMP_READ);
	assert_next(XEN_STAMP_TARGET, 24572, 0);
	next_event(XEN_STAMP_CALL);
	next_event(XEN_STAMP_CALLED);
	assert_no_more();
	end();
}

static void of_the_calls_of_a_move_the_first_is_recorded(void **state)
{
	(void)state;
	run(move_much);
}

static void wait_for_memory(void *arg)
{
	(void)arg;
	begin();
	reach(BLOCK_FRAMES);
	forget();
	sim_xen.host_free = 0;
	xen_world_want(0);
	xen_world_wait(20 * NS_PER_S);
	next_event(XEN_STAMP_WATCH);
	next_event(XEN_STAMP_READ);
	next_event(XEN_STAMP_TARGET);
	assert_next(XEN_STAMP_CALL, BLOCK_FRAMES, BLOCK_ORDER);
	assert_int_equal(next_event(XEN_STAMP_CALLED).argument[0], 0);
	assert_no_more();
	/* What else is followed is no target. */
	sim_xenstore_set(&xen_world.store, "control/shutdown", "suspend");
	xen_world_wait(20 * NS_PER_S);
	next_event(XEN_STAMP_WATCH);
	next_event(XEN_STAMP_READ);
	assert_no_more();
	end();
}

static void what_is_asked_for_again_and_again_is_recorded_once(void **state)
{
	(void)state;
	run(wait_for_memory);
}

static void be_told_an_error(void *arg)
{
	(void)arg;
	begin();
	sim_xen.faults.error[false] = -ENOMEM;
	xen_world_want(BLOCK_FRAMES);
	xen_world_wait(NS_PER_S);
	next_event(XEN_STAMP_WATCH);
	next_event(XEN_STAMP_READ);
	next_event(XEN_STAMP_TARGET);
	next_event(XEN_STAMP_CALL);
	assert_int_equal(next_event(XEN_STAMP_CALLED).argument[0], 0);
	end();
}

static void an_error_for_an_answer_is_no_frames(void **state)
{
	(void)state;
	run(be_told_an_error);
}

/* ---- The store ---- */

static void hear_of_others(void *arg)
{
	static const char others[] = "name\0nobody";
	struct xenstore_counts counts;
	struct event read;

	(void)arg;
	begin();
	sim_xenstore_say(&xen_world.store, XENSTORE_WATCH_EVENT, 0, others, sizeof(others));
	xen_world_wait(NS_PER_S);
	xenstore_get_counts(&counts);
	assert_int_equal(counts.unknown, 1);
	assert_no_more();
	/* Somebody follows this one, and it was not there before. */
	sim_xenstore_set(&xen_world.store, "control/shutdown", "");
	xen_world_wait(NS_PER_S);
	next_event(XEN_STAMP_WATCH);
	assert_next(XEN_STAMP_READ, 0, 0);
	sim_xenstore_remove(&xen_world.store, "control/shutdown");
	xen_world_wait(NS_PER_S);
	next_event(XEN_STAMP_WATCH);
	read = next_event(XEN_STAMP_READ);
	assert_int_equal(read.argument[1], ENOENT);
	assert_no_more();
	end();
}

static void be_misled(void *arg)
{
	(void)arg;
	begin();
	xen_world_write("much", false);
	xen_world_wait(NS_PER_S);
	next_event(XEN_STAMP_WATCH);
	assert_next(XEN_STAMP_READ, strlen("much"), 0);
	assert_no_more();
	end();
}

static void nonsense_is_read_and_no_target(void **state)
{
	(void)state;
	run(be_misled);
}

static void only_events_of_what_is_followed_are_recorded(void **state)
{
	(void)state;
	run(hear_of_others);
}

/* The store's task looks by itself: nothing has interrupted. */
static void hear_nothing(void *arg)
{
	(void)arg;
	begin();
	xen_world.no_events = true;
	xen_world_want(7);
	xen_world_wait(4 * NS_PER_S);
	assert_int_equal(ballooned(), 7);
	assert_next(XEN_STAMP_WATCH, 0, 0);
	end();
}

static void an_event_without_an_interrupt_has_no_age(void **state)
{
	(void)state;
	run(hear_nothing);
}

/* The guest stands still between the interrupt and the turn of the store's task. */
static bool turn_and_stop(void)
{
	bool moved = xen_world_turn();

	if (moved)
		sim_tasks_jump(3 * NS_PER_MS);
	return moved;
}

static void be_late(void *arg)
{
	uint64_t age_us;

	(void)arg;
	begin();
	sim_tasks_world = turn_and_stop;
	xen_world_want(7);
	xen_world_wait(NS_PER_S);
	age_us = next_event(XEN_STAMP_WATCH).argument[0];
	assert_in_range(age_us, 3000, 3200);
	/* The next one counts from its own. */
	sim_tasks_world = xen_world_turn;
	xen_world_wait(NS_PER_S);
	forget();
	xen_world_want(8);
	xen_world_wait(NS_PER_S);
	assert_in_range(next_event(XEN_STAMP_WATCH).argument[0], 1, 1000);
	end();
}

static void the_age_of_an_event_is_that_of_its_interrupt(void **state)
{
	(void)state;
	run(be_late);
}

static void start(void *arg)
{
	(void)arg;
	xen_world_want(2000);
	sim_xen_back_only(XEN_WORLD_FRAMES - 2000);
	assert_int_equal(xen_world_start(), 0);
	assert_next(XEN_STAMP_ANSWERS, 0, 0);
	xen_world_wait(NS_PER_S);
	end();
}

/* Populate on demand: from there on the time runs. */
static void the_first_answer_of_the_store_is_recorded(void **state)
{
	(void)state;
	looked_at = 0;
	run(start);
	assert_int_equal(xen_events.count[XEN_STAMP_ANSWERS], 1);
	assert_int_equal(xen_events.count[XEN_STAMP_CALL], 1);
}

static void be_silent(void *arg)
{
	(void)arg;
	begin();
	xen_world.pause_ns = 10 * NS_PER_S;
	xen_world_want(7);
	xen_world_wait(25 * NS_PER_S);
	xen_world.pause_ns = 0;
	xen_world_wait(4 * NS_PER_S);
	assert_int_equal(ballooned(), 7);
	next_event(XEN_STAMP_WATCH);
	assert_next(XEN_STAMP_ANSWERS, 1, 0);
	next_event(XEN_STAMP_READ);
	end();
}

static void a_silence_that_ends_is_recorded(void **state)
{
	(void)state;
	run(be_silent);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STAMPS_TEST(from_an_event_to_the_call_all_is_recorded_with_its_time),
		STAMPS_TEST(of_the_calls_of_a_move_the_first_is_recorded),
		STAMPS_TEST(what_is_asked_for_again_and_again_is_recorded_once),
		STAMPS_TEST(an_error_for_an_answer_is_no_frames),
		STAMPS_TEST(only_events_of_what_is_followed_are_recorded),
		STAMPS_TEST(nonsense_is_read_and_no_target),
		STAMPS_TEST(an_event_without_an_interrupt_has_no_age),
		STAMPS_TEST(the_age_of_an_event_is_that_of_its_interrupt),
		STAMPS_TEST(the_first_answer_of_the_store_is_recorded),
		STAMPS_TEST(a_silence_that_ends_is_recorded),
	};

	if (xen_world_reserve())
		return 1;
	return cmocka_run_group_tests_name("xen_stamps", tests, NULL, NULL);
}
