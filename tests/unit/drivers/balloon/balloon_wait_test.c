/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Waiting: for interrupts that say something, through those that do not, and for answers
 * while time does as it likes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <ucontext.h>

#include <cmocka.h>

#include "arch/clock.h"
#include "drivers/balloon/balloon_refusal.h"
#include "drivers/balloon/balloon_state_internal.h"
#include "drivers/balloon/balloon_wait.h"
#include "tests/unit/drivers/balloon/balloon_fixture.h"

static unsigned idle_interrupts;

/* While the task waits: 99 times in mid-flight, then with nothing to do at all. */
static void interrupt_for_nothing(void)
{
	idle_interrupts++;
	assert_null(status().broken);
	if (idle_interrupts < 100)
		assert_int_equal(ledger_count(OWNER_IN_FLIGHT), 1000);
	if (idle_interrupts == 100) {
		sim_balloon_complete(&sim, SIZE_MAX);
	} else if (idle_interrupts < 200) {
		sim_virtio_interrupt(&sim.virtio, VIRTIO_ISR_QUEUE);
	} else {
		assert_balloon(1000);
		virtio_break(&sim.virtio.device, "end of test");
	}
}

/* 2.7.7.1 */
static void interrupts_for_nothing_are_endured(void **state)
{
	(void)state;
	idle_interrupts = 0;
	start(REPORTING | STATS_VQ | HINT, NO_FLOOR);
	balloon_set_strategy(BALLOON_PORTABLE);
	sim.completion = SIM_BALLOON_ON_DEMAND;
	sim_balloon_set_target(&sim, 1000);
	sim_time_on_wait = interrupt_for_nothing;
	sim_ram_task(balloons);
	sim_time_on_wait = NULL;
	assert_int_equal(idle_interrupts, 200);
}

/* ---- The host's turns ---- */

static struct {
	void (*notify)(struct sim_virtio *sim, unsigned index);
	uint64_t work_ns, slept_ns, turn_end, longest_ns;
	unsigned rounds, turns;
} busy;

static void work_within_notification(struct sim_virtio *virtio, unsigned index)
{
	uint64_t now;

	sim_time_advance(busy.work_ns);
	busy.notify(virtio, index);
	now = clock_ns();
	if (sim_time_slept_ns > busy.slept_ns) {
		busy.slept_ns = sim_time_slept_ns;
		busy.turn_end = now - busy.work_ns;
		busy.turns++;
	}
	busy.longest_ns = max_u64(busy.longest_ns, now - busy.turn_end);
}

/* There is always something to do. */
static void change_target(void)
{
	busy.rounds++;
	sim_balloon_set_target(&sim, busy.rounds % 16 < 8 ? RAM_FRAMES : 0);
	if (busy.rounds == 100)
		virtio_break(&sim.virtio.device, "end of test");
}

static void be_busy(uint64_t work_ns)
{
	start(0, NO_FLOOR);
	busy = (typeof(busy)){ .notify = sim.virtio.queue[0].notify,
			       .work_ns = work_ns,
			       .slept_ns = sim_time_slept_ns,
			       .turn_end = clock_ns() };
	sim.virtio.queue[0].notify = sim.virtio.queue[1].notify = work_within_notification;
	sim.completion = SIM_BALLOON_AT_ONCE;
	sim_balloon_set_target(&sim, RAM_FRAMES);
	sim_time_on_wait = change_target;
	sim_ram_task(balloons);
	sim_time_on_wait = NULL;
	assert_int_equal(busy.rounds, 100);
}

static void a_host_that_works_in_the_notification_has_its_turns(void **state)
{
	be_busy(8 * NS_PER_MS);
	assert_true(busy.turns >= 98);
	assert_true(busy.longest_ns < 9 * NS_PER_MS);
	tear_down(state);
	set_up(state);
	/* Not after each round that is short: turns are 2 % of the time at most. */
	be_busy(NS_PER_MS);
	assert_in_range(busy.turns, 14, 20);
	assert_true(busy.longest_ns < 7 * NS_PER_MS);
	assert_true(busy.slept_ns / busy.turns >= NS_PER_MS / 10);
}

/* ---- Time in which the guest ran ---- */

/* How to bring a request of each kind to the device. */
static void inflate_some(void)
{
	go_to(2000);
}

static void inflate_one(void)
{
	go_to(1);
}

static void deflate_some(void)
{
	sim.completion = SIM_BALLOON_AT_ONCE;
	go_to(5000);
	sim.completion = SIM_BALLOON_ON_DEMAND;
	go_to(3000);
}

static void let_blocks_leave(void)
{
	balloon_set_strategy(BALLOON_RANGE_FIRST);
	go_to(4 * BLOCK_FRAMES);
	assert_true(ledger_count(OWNER_REPORTED) > 0);
}

static void lend_blocks(void)
{
	be_quiet();
	assert_true(ledger_count(OWNER_REPORTED) > 0);
}

static void hint_some(void)
{
	hint_round(ROUND);
}

static void (*const kinds[])(void) = { inflate_some,	 inflate_one, deflate_some,
				       let_blocks_leave, lend_blocks, hint_some };

/* A request of this kind is with a device that answers on demand. */
static void send_kind(void (*send)(void))
{
	start(REPORTING | HINT, NO_FLOOR);
	balloon_set_strategy(BALLOON_PORTABLE);
	sim.completion = SIM_BALLOON_ON_DEMAND;
	send();
	assert_true(sim.pending_count > 0);
}

static void next_kind(void **state, size_t i)
{
	if (i + 1 == ARRAY_SIZE(kinds))
		return;
	tear_down(state);
	set_up(state);
}

static void a_stopped_guest_gives_nothing_up(void **state)
{
	static const int64_t stops[] = { 2100 * (int64_t)NS_PER_MS, 3600 * (int64_t)NS_PER_S,
					 7 * 24 * 3600 * (int64_t)NS_PER_S,
					 -3600 * (int64_t)NS_PER_S };

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		send_kind(kinds[i]);
		for (size_t k = 0; k < ARRAY_SIZE(stops); k++) {
			sim_time_jump(stops[k]);
			settle();
			assert_null(status().broken);
		}
		drain();
		assert_null(status().broken);
		assert_int_equal(ledger_count(OWNER_IN_FLIGHT), 0);
		next_kind(state, i);
	}
}

/* The guest ran all the time, but did not look: the console had it. */
static void an_answer_that_is_there_is_taken_before_it_is_missed(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		send_kind(kinds[i]);
		sim_time_advance(10 * NS_PER_S);
		sim_balloon_complete(&sim, SIZE_MAX);
		settle();
		assert_null(status().broken);
		drain();
		next_kind(state, i);
	}
}

static void answer_all(void)
{
	sim_balloon_complete(&sim, SIZE_MAX);
}

/* It comes while the clock is read by which it would be late. */
static void an_answer_at_the_last_look_is_taken(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		send_kind(kinds[i]);
		sim_time_advance(10 * NS_PER_S);
		sim_time_on_look = answer_all;
		balloon_step();
		sim_time_on_look = NULL;
		assert_null(status().broken);
		drain();
		next_kind(state, i);
	}
}

static void silence_ends_every_kind_after_two_seconds_awake(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		send_kind(kinds[i]);
		sim.pending_count = 0;
		sim_time_advance(BALLOON_DEADLINE_NS - NS_PER_MS);
		settle();
		assert_null(status().broken);
		sim_time_advance(2 * NS_PER_MS);
		settle();
		assert_string_equal(status().broken, "no answer within 2 s");
		assert_int_equal(ledger_count(OWNER_IN_FLIGHT) + ledger_count(OWNER_REPORTED), 0);
		next_kind(state, i);
	}
}

/* Each wait of the task ends soon enough that none of its time is missed. */
static void silence_is_noticed_though_no_tick_looks_at_the_clock(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		uint64_t sent;

		send_kind(kinds[i]);
		sim.pending_count = 0;
		sent = clock_ns();
		sim_ram_task(balloons);
		assert_non_null(status().broken);
		assert_in_range(clock_ns() - sent, BALLOON_DEADLINE_NS - NS_PER_MS,
				BALLOON_DEADLINE_NS + NS_PER_S / 10);
		next_kind(state, i);
	}
}

static void be_stopped_then_answer(void)
{
	if (sim_time_waits % 3 == 0)
		sim_balloon_complete(&sim, 1);
	else
		sim_time_jump((int64_t)(24 * 3600 * NS_PER_S));
}

/* A device that is unplugged gives all back first, as one that is not given up can. */
static void a_stop_while_the_device_leaves_is_forgiven(void **state)
{
	(void)state;
	start(0, NO_FLOOR);
	sim.keep_on_reset = true;
	go_to(3000);
	sim.completion = SIM_BALLOON_ON_DEMAND;
	sim_time_on_wait = be_stopped_then_answer;
	end_driver();
	sim_time_on_wait = NULL;
	assert_int_equal(sim.pfns[SIM_BALLOON_DEFLATE], 3000);
	assert_int_equal(sim.inflated, 0);
}

/* ---- One request of many ---- */

/* The host changes its mind ten times a second, and answers all but the first request. */
static void forget_the_first_of_many(uint64_t one, uint64_t other)
{
	uint64_t sent = clock_ns();

	sim.pending[0] = sim.pending[--sim.pending_count];
	for (int i = 0; !status().broken; i++) {
		assert_true(clock_ns() - sent < BALLOON_DEADLINE_NS + NS_PER_S / 2);
		sim_balloon_complete(&sim, SIZE_MAX);
		go_to(i % 2 == 0 ? one : other);
		assert_true(sim.pending_count > 0 || status().broken);
		sim_time_advance(NS_PER_S / 10);
	}
	assert_true(clock_ns() - sent > BALLOON_DEADLINE_NS);
	assert_int_equal(ledger_count(OWNER_IN_FLIGHT), 0);
}

static void a_forgotten_inflation_is_noticed_among_others(void **state)
{
	(void)state;
	start(0, NO_FLOOR);
	sim.completion = SIM_BALLOON_ON_DEMAND;
	go_to(1000);
	forget_the_first_of_many(2000, 1000);
}

static void a_forgotten_deflation_is_noticed_among_others(void **state)
{
	(void)state;
	start(0, NO_FLOOR);
	sim.keep_on_reset = true;
	go_to(5000);
	sim.completion = SIM_BALLOON_ON_DEMAND;
	go_to(4000);
	forget_the_first_of_many(6000, 4000);
	sim.wrong_deflates = sim.double_inflates = 0; /* what it forgot, it had done */
}

static void a_forgotten_range_is_noticed_among_others(void **state)
{
	(void)state;
	start(REPORTING, NO_FLOOR);
	balloon_set_strategy(BALLOON_PORTABLE);
	sim.completion = SIM_BALLOON_ON_DEMAND;
	lend_blocks();
	go_to(1000);
	forget_the_first_of_many(2000, 1000);
}

/* ---- How long it sleeps ---- */

static uint64_t slept_at[8];
static unsigned sleeps;
static pfn_t held;

/* Memory is freed, and nobody says so, as the second sleep begins. */
static void free_a_block(void)
{
	slept_at[sleeps++] = clock_ns();
	if (sleeps == 2)
		assert_int_equal(frame_free(held, BLOCK_FRAMES, OWNER_HELD), 0);
	if (ballooned() == RAM_FRAMES || sleeps == ARRAY_SIZE(slept_at))
		virtio_break(&sim.virtio.device, "end of test");
}

static uint64_t sleep_ms(unsigned n)
{
	return (slept_at[n] - slept_at[n - 1]) / NS_PER_MS;
}

static void while_frames_are_missing_memory_is_looked_at_ten_times_a_second(void **state)
{
	uint64_t spare;

	(void)state;
	sleeps = 0;
	start(0, 10);
	assert_int_equal(frame_alloc(BLOCK_ORDER, OWNER_HELD, &held), 0);
	spare = ledger_count(OWNER_FREE) - 10;
	go_to(RAM_FRAMES);
	assert_balloon(spare);
	sim_time_on_wait = free_a_block;
	sim_ram_task(balloons);
	sim_time_on_wait = NULL;
	assert_int_equal(sleep_ms(1), 100);
	assert_int_equal(ballooned(), spare + BLOCK_FRAMES);
}

static void note_sleep(void)
{
	slept_at[sleeps++] = clock_ns();
	if (sleeps == 4)
		virtio_break(&sim.virtio.device, "end of test");
}

/* At the moments that all share who only look: each whole second. */
static void with_nothing_to_do_the_target_is_read_once_a_second(void **state)
{
	(void)state;
	sleeps = 0;
	start(0, NO_FLOOR);
	go_to(100);
	sim_time_advance(NS_PER_S * 2 / 5);
	sim_time_on_wait = note_sleep;
	sim_ram_task(balloons);
	sim_time_on_wait = NULL;
	for (unsigned n = 1; n < 4; n++) {
		assert_int_equal(slept_at[n] / NS_PER_S, slept_at[n - 1] / NS_PER_S + 1);
		assert_in_range(slept_at[n] % NS_PER_S, 0, NS_PER_MS);
	}
}

static uint64_t slept_from, slept_to;

static void time_the_first(void)
{
	if (sleeps++ == 0) {
		slept_from = clock_ns();
		return;
	}
	slept_to = clock_ns();
	virtio_break(&sim.virtio.device, "end of test");
}

/* So many milliseconds after a whole second, at which those look who wait for nothing. */
static void stand_at(uint64_t ms)
{
	sim_time_step_ns = 0;
	sim_time_advance(NS_PER_S - clock_ns() % NS_PER_S + ms * NS_PER_MS);
}

/* How long the task sleeps first, in nanoseconds; and whether it was for the device. */
static uint64_t first_sleep(bool owed)
{
	sim_time_step_ns = 0;
	sleeps = 0;
	sim_time_device_waits = 0;
	sim_time_on_wait = time_the_first;
	sim_ram_task(balloons);
	sim_time_on_wait = NULL;
	assert_int_equal(sim_time_device_waits > 0, owed);
	return slept_to - slept_from;
}

static void start_anew(void **state, uint64_t features, uint64_t floor)
{
	tear_down(state);
	sim.wrong_deflates = 0;
	set_up(state);
	start(features, floor);
}

static void it_sleeps_to_the_end_of_a_pause(void **state)
{
	(void)state;
	/* The floor keeps it from its target, and would be looked at more often. */
	start(0, RAM_FRAMES);
	go_to(1000);
	stand_at(500);
	balloon_refusal_note(&balloons->refusal, BALLOON_REFUSED_FOR_NOW, false,
			     paddr_to_pfn(RAM_START), 1);
	sim_time_advance(BALLOON_PAUSE_MIN_NS - 300 * NS_PER_MS);
	assert_int_equal(first_sleep(false), 300 * NS_PER_MS);
}

/* And once that is over it has nothing to look for. */
static void it_sleeps_until_inflation_is_held_off_no_more(void **state)
{
	static const uint64_t before_end[] = { 300 * NS_PER_MS, 1, 0 };

	(void)state;
	start(DEFLATE_ON_OOM, NO_FLOOR);
	for (size_t i = 0; i < ARRAY_SIZE(before_end); i++) {
		go_to(1000);
		stand_at(500);
		assert_int_equal(balloon_reclaim(0), 1);
		go_to(999);
		sim_time_advance(BALLOON_HOLD_OFF_NS - before_end[i]);
		assert_int_equal(first_sleep(false), before_end[i] ? before_end[i] : NS_PER_S / 2);
		start_anew(state, DEFLATE_ON_OOM, NO_FLOOR);
	}
}

static void while_one_frame_is_missing_memory_is_looked_at_ten_times_a_second(void **state)
{
	uint64_t spare;

	(void)state;
	start(0, 10);
	spare = ledger_count(OWNER_FREE) - 10;
	go_to(spare + 1);
	assert_balloon(spare);
	stand_at(500);
	assert_int_equal(first_sleep(false), NS_PER_S / 10);
	start_anew(state, 0, 10);
	go_to(spare);
	stand_at(500);
	assert_int_equal(first_sleep(false), NS_PER_S / 2);
}

/* A block that has become free is lent a second later, and one that is lent is not waited for. */
static void it_sleeps_until_there_is_something_to_lend(void **state)
{
	pfn_t pfn;

	(void)state;
	start(REPORTING, NO_FLOOR);
	sim_time_step_ns = 0;
	assert_int_equal(frame_alloc(BLOCK_ORDER, OWNER_HELD, &pfn), 0);
	be_quiet();
	stand_at(700);
	assert_int_equal(frame_free(pfn, BLOCK_FRAMES, OWNER_HELD), 0);
	settle();
	sim_time_advance(300 * NS_PER_MS);
	assert_int_equal(first_sleep(false), 700 * NS_PER_MS);
	start_anew(state, REPORTING, NO_FLOOR);
	be_quiet();
	sim_time_advance(60 * NS_PER_S);
	settle();
	stand_at(0);
	assert_int_equal(first_sleep(false), NS_PER_S);
}

/* Nobody says when they are noted. */
static void hints_are_looked_for_a_hundred_times_a_second(void **state)
{
	(void)state;
	start(HINT, NO_FLOOR);
	sim.completion = SIM_BALLOON_ON_DEMAND;
	hint_round(ROUND);
	assert_int_equal(first_sleep(true), NS_PER_S / 100);
}

static void an_answer_is_looked_for_twice_in_a_step_of_the_clock(void **state)
{
	(void)state;
	start(0, NO_FLOOR);
	sim.completion = SIM_BALLOON_ON_DEMAND;
	go_to(1000);
	assert_int_equal(first_sleep(true), CLOCK_AWAKE_STEP_NS / 2);
}

static void a_request_is_overdue_a_moment_after_two_seconds(void **state)
{
	(void)state;
	start(0, NO_FLOOR);
	assert_false(balloon_is_overdue(0, BALLOON_DEADLINE_NS));
	assert_true(balloon_is_overdue(0, BALLOON_DEADLINE_NS + 1));
	assert_true(balloon_is_overdue(7, BALLOON_DEADLINE_NS + 8));
	/* One that was sent after the clock was read, and none at all. */
	assert_false(balloon_is_overdue(BALLOON_DEADLINE_NS + 2, 1));
	assert_false(balloon_is_overdue(DEADLINE_NEVER, UINT64_MAX - 1));
}

static unsigned stats_held;
static uint64_t reported, inflated;

static void answer_the_first(void)
{
	uint8_t copy[256];

	if (sleeps++ == 0) {
		slept_from = clock_ns();
		sim_balloon_complete(&sim, SIZE_MAX);
		sim_balloon_ask_stats(&sim, copy, sizeof(copy));
		return;
	}
	slept_to = clock_ns();
	stats_held = sim.stats_held;
	reported = ledger_count(OWNER_REPORTED);
	inflated = ballooned();
	virtio_break(&sim.virtio.device, "end of test");
}

/* Whichever queue the answer is in: it is acted on before the task sleeps again. */
static void answer_a_sleeper(void)
{
	sim_time_step_ns = 0;
	sleeps = 0;
	sim_time_on_wait = answer_the_first;
	sim_ram_task(balloons);
	sim_time_on_wait = NULL;
	assert_int_equal(slept_to, slept_from);
	assert_int_equal(stats_held, 1);
}

static void what_each_queue_says_ends_the_sleep(void **state)
{
	(void)state;
	start(STATS_VQ | REPORTING, NO_FLOOR);
	answer_a_sleeper();
	start_anew(state, STATS_VQ | REPORTING, NO_FLOOR);
	sim.completion = SIM_BALLOON_ON_DEMAND;
	be_quiet();
	assert_int_equal(ledger_count(OWNER_REPORTED), RAM_FRAMES / 2);
	answer_a_sleeper();
	assert_int_equal(reported, 15 * BLOCK_FRAMES); /* all others, but the one with the rings */
	start_anew(state, STATS_VQ, NO_FLOOR);
	sim.completion = SIM_BALLOON_ON_DEMAND;
	go_to(1000);
	answer_a_sleeper();
	assert_int_equal(inflated, 1000);
}

/* ---- Two tasks: the balloon's, and one that takes its device away ---- */

static ucontext_t balloon_context, other_context;
static bool in_balloon_task, task_ended;

static void run_balloon_task(void)
{
	sim_ram_task(balloons);
	task_ended = true;
	in_balloon_task = false;
	/* Nothing has been taken from the host yet. */
	assert_balloon(100);
}

/* Whoever waits lets the other one run. */
static void switch_tasks(void)
{
	in_balloon_task = !in_balloon_task;
	if (in_balloon_task)
		swapcontext(&other_context, &balloon_context);
	else
		swapcontext(&balloon_context, &other_context);
}

static void let_balloon_task_run(void)
{
	if (!task_ended)
		switch_tasks();
}

static void start_balloon_task(void *stack, size_t size)
{
	in_balloon_task = task_ended = false;
	getcontext(&balloon_context);
	balloon_context.uc_stack.ss_sp = stack;
	balloon_context.uc_stack.ss_size = size;
	balloon_context.uc_link = &other_context;
	makecontext(&balloon_context, run_balloon_task, 0);
	sim_time_on_wait = let_balloon_task_run;
}

/* The host's frames may not be taken away under the task's hands. */
static void a_host_leaves_only_after_the_task_has_ended(void **state)
{
	static char stack[256 * KIB] __attribute__((aligned(16)));
	uint64_t before;

	(void)state;
	start(0, NO_FLOOR);
	sim_balloon_set_target(&sim, 100);
	start_balloon_task(stack, sizeof(stack));
	for (int i = 0; i < 5; i++)
		switch_tasks();
	assert_balloon(100);
	assert_false(task_ended);
	/* From now on the task runs only when balloon_detach() waits for it. */
	before = clock_ns();
	balloon_detach(balloons->port);
	assert_true(task_ended);
	/* The task was woken, and did not sleep out its second. */
	assert_in_range(clock_ns() - before, NS_PER_MS, NS_PER_S / 10);
	sim_time_on_wait = NULL;
	assert_balloon(0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(interrupts_for_nothing_are_endured),
		TEST(a_host_that_works_in_the_notification_has_its_turns),
		TEST(a_stopped_guest_gives_nothing_up),
		TEST(an_answer_that_is_there_is_taken_before_it_is_missed),
		TEST(an_answer_at_the_last_look_is_taken),
		TEST(silence_ends_every_kind_after_two_seconds_awake),
		TEST(silence_is_noticed_though_no_tick_looks_at_the_clock),
		TEST(a_stop_while_the_device_leaves_is_forgiven),
		TEST(a_forgotten_inflation_is_noticed_among_others),
		TEST(a_forgotten_deflation_is_noticed_among_others),
		TEST(a_forgotten_range_is_noticed_among_others),
		TEST(while_frames_are_missing_memory_is_looked_at_ten_times_a_second),
		TEST(it_sleeps_to_the_end_of_a_pause),
		TEST(it_sleeps_until_inflation_is_held_off_no_more),
		TEST(while_one_frame_is_missing_memory_is_looked_at_ten_times_a_second),
		TEST(it_sleeps_until_there_is_something_to_lend),
		TEST(hints_are_looked_for_a_hundred_times_a_second),
		TEST(an_answer_is_looked_for_twice_in_a_step_of_the_clock),
		TEST(what_each_queue_says_ends_the_sleep),
		TEST(a_request_is_overdue_a_moment_after_two_seconds),
		TEST(a_host_leaves_only_after_the_task_has_ended),
		TEST(with_nothing_to_do_the_target_is_read_once_a_second),
	};

	return cmocka_run_group_tests_name("balloon_wait", tests, set_up_ram, NULL);
}
