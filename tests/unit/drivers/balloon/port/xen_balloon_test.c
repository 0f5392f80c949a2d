/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * drivers/balloon/port/xen_balloon.c: what the toolstack wants, in numbers and in nonsense; the
 * start, and the first target; what becomes of Xen's frames when the balloon ends.
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
#include "drivers/balloon/balloon_events.h"
#include "drivers/balloon/balloon_state_internal.h"
#include "drivers/balloon/balloon_wait.h"
#include "tests/unit/drivers/balloon/port/xen_fixture.h"

/* ---- The target ---- */

static void the_target_is_exact_to_the_frame(void **state)
{
	static const uint64_t frames[] = { 1, 2, 511, 512, 513, 1024, 5000, 16383, 16384, 7, 0 };

	(void)state;
	begin_xen(NO_FLOOR);
	for (size_t i = 0; i < ARRAY_SIZE(frames); i++) {
		xen_wants(frames[i]);
		assert_xen_has(frames[i]);
		assert_int_equal(status().target, frames[i]);
	}
}

/* Part of a frame is no reason to give the whole. */
static void a_target_between_two_frames_takes_the_lesser_number(void **state)
{
	(void)state;
	begin_xen(NO_FLOOR);
	write_target(MAX_KIB - 10 * FRAME_KIB - 3);
	assert_xen_has(10);
	write_target(MAX_KIB - 11 * FRAME_KIB);
	assert_xen_has(11);
}

static void a_change_of_the_node_wakes_the_task_at_once(void **state)
{
	uint64_t wakes;

	(void)state;
	begin_xen(NO_FLOOR);
	assert_false(balloon_has_news(balloons));
	wakes = sim_time_wakes;
	ask_for(100);
	assert_int_equal(sim_time_wakes, wakes + 1);
	assert_true(balloon_has_news(balloons));
	settle();
	assert_false(balloon_has_news(balloons));
	assert_xen_has(100);
}

static void what_is_no_target_leaves_the_last_good_one(void **state)
{
	static const struct {
		const char *text;
		const char *why;
	} cases[] = {
		{ "", "is no number" },
		{ " 4096", "is no number" },
		{ "4096 ", "is no number" },
		{ "4096\n", "is no number" },
		{ "-4096", "is no number" },
		{ "+4096", "is no number" },
		{ "0x1000", "is no number" },
		{ "4096k", "is no number" },
		{ "\x01\xff", "is no number" },
		{ "18446744073709551616", "is no number" },
		{ "4096000000000000000000000000000000000000000000000000000000000000000000",
		  "is no number" },
		{ "00000000000000000000000000000000000000000000000000000000000040960000000000",
		  "is no number" },
		{ "0", "is nothing" },
		{ "000", "is nothing" },
		{ "65541", "is above memory/static-max" },
		{ "18446744073709551615", "is above memory/static-max" },
		{ NULL, "is gone" },
	};

	(void)state;
	begin_xen(NO_FLOOR);
	xen_wants(3000);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		sim_time_advance(NS_PER_S);
		sim_log_reset();
		write_target_text(cases[i].text);
		assert_xen_has(3000);
		assert_int_equal(status().target, 3000);
		assert_int_equal(sim_log_warnings, 1);
		if (!strstr(sim_log_warning, cases[i].why) ||
		    !strstr(sim_log_warning, "; the target stays 53540 KiB"))
			fail_msg("%s", sim_log_warning);
	}
	assert_string_equal(sim_log_warning,
			    "balloon: memory/target is gone; the target stays 53540 KiB");
	xen_wants(2000);
	assert_xen_has(2000);
	assert_int_equal(sim_log_warnings, 1);
}

static void of_each_kind_of_nonsense_there_is_a_line_a_second(void **state)
{
	(void)state;
	begin_xen(NO_FLOOR);
	sim_time_advance(NS_PER_S);
	for (int i = 0; i < 1000; i++) {
		write_target_text("zero");
		write_target_text("0");
	}
	assert_int_equal(sim_log_warnings, 2);
	sim_time_advance(NS_PER_S);
	write_target_text("one");
	assert_int_equal(sim_log_warnings, 3);
	assert_non_null(strstr(sim_log_warning, "\"one\""));
}

/* As the store writes when it is another while a batch is with Xen. */
static const char *change_in_mid_batch(uint64_t pfn, bool populates)
{
	static uint64_t frames;

	(void)pfn, (void)populates;
	if (++frames % 3000 == 0)
		ask_for(frames * 7 % 9000);
	return NULL;
}

static void a_target_may_move_in_mid_batch(void **state)
{
	(void)state;
	begin_xen(NO_FLOOR);
	sim_xen.guest.check = change_in_mid_batch;
	for (int i = 0; i < 20; i++) {
		ask_for((uint64_t)i * 4321 % 16000);
		for (int rounds = 0; rounds < 30; rounds++)
			balloon_step();
		assert_books();
		assert_int_equal(ballooned(), RAM_FRAMES - sim_xen.there);
	}
	sim_xen.guest.check = NULL;
	xen_wants(77);
	assert_xen_has(77);
}

/* ---- Floor and accounting ---- */

static void the_floor_stays_and_the_rest_is_the_shortfall(void **state)
{
	(void)state;
	begin_xen(4000);
	xen_wants(RAM_FRAMES);
	assert_xen_has(RAM_FRAMES - 4000);
	assert_int_equal(status().shortfall, 4000);
	assert_int_equal(ledger_count(OWNER_FREE), 4000);
	/* All of that was there. */
	assert_int_equal(sim_log_warnings, 0);
}

static void ballooned_memory_is_not_in_the_total(void **state)
{
	struct balloon_account account;

	(void)state;
	begin_xen(NO_FLOOR);
	xen_wants(1234);
	assert_false(status().deflate_on_oom);
	balloon_account(&account);
	assert_int_equal(account.inflated_total, 1234);
	assert_int_equal(account.inflated_free, 0);
}

static void memory_in_need_gets_none_of_xens(void **state)
{
	pfn_t pfn;

	(void)state;
	frame_set_reclaimer(balloon_reclaim);
	begin_xen(NO_FLOOR);
	xen_wants(1234);
	exhaust();
	assert_int_equal(frame_alloc(0, OWNER_HELD, &pfn), -ENOMEM);
	assert_xen_has(1234);
	frame_set_reclaimer(NULL);
}

/* ---- The start ---- */

static int start_without(void)
{
	const struct balloon_config config = { .floor = NO_FLOOR };

	balloon_init(&config);
	return xen_balloon_start();
}

static void without_xen_there_is_no_balloon_and_no_word(void **state)
{
	(void)state;
	sim_xen.absent = true;
	assert_int_equal(start_without(), -ENODEV);
	assert_int_equal(sim_log_warnings + sim_log_infos, 0);
	assert_false(status().present);
	sim_xen.absent = false;
}

static void assert_no_balloon(const char *why)
{
	struct xen_balloon_target target;

	sim_log_reset();
	assert_int_equal(start_without(), -ENODEV);
	assert_false(status().present);
	assert_int_equal(sim_log_warnings, 0);
	assert_int_equal(sim_log_infos, 1);
	if (!strstr(sim_log_info, why))
		fail_msg("%s", sim_log_info);
	assert_false(xen_balloon_get_target(&target));
	assert_int_equal(xen_balloon_set_target(1), -ENODEV);
	/* And nobody waits for it. */
	xen_balloon_wait_for_first_target();
	assert_int_equal(sim_time_waits, 0);
}

static void a_store_without_the_nodes_is_no_balloon(void **state)
{
	static const char *const wrong[] = { NULL, "", "0", "-1", "x", "4503599627370496" };

	(void)state;
	store.follow_err = -E2BIG;
	assert_no_balloon("no memory/target");
	store.follow_err = 0;
	put_target(NULL);
	assert_no_balloon("no memory/target");
	put_target(MAX_KIB_TEXT);
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		store.static_max = wrong[i];
		assert_no_balloon("no usable memory/static-max");
	}
	store.static_max = MAX_KIB_TEXT;
	store.err = -EIO;
	assert_no_balloon("no usable memory/static-max");
}

static void assert_no_answer(void)
{
	struct xen_balloon_target target;

	assert_int_equal(start_without(), -ETIMEDOUT);
	assert_false(status().present);
	assert_false(xen_balloon_get_target(&target));
	/* The store has said it. */
	assert_int_equal(sim_log_warnings + sim_log_infos, 0);
}

static void a_store_that_does_not_answer_may_be_tried_again(void **state)
{
	(void)state;
	sim_log_reset();
	store.err = -ETIMEDOUT;
	assert_no_answer();
	store.err = 0;
	store.follow_err = -ETIMEDOUT;
	assert_no_answer();
	store.follow_err = 0;
	begin_xen(0);
	xen_wants(100);
	assert_xen_has(100);
}

static void a_xen_without_memory_operations_is_no_balloon(void **state)
{
	(void)state;
	for (int back = 0; back < 2; back++) {
		sim_xen.faults.no_memory_op[back] = true;
		assert_no_balloon("no memory operations");
		sim_xen.faults.no_memory_op[back] = false;
	}
}

/* Then nobody knows what a target would be a part of. A domain has one frame at least. */
static void without_a_store_a_xen_that_counts_no_frames_is_no_balloon(void **state)
{
	(void)state;
	sim_xen.param[XEN_PARAM_STORE_PFN] = 0;
	sim_xen.faults.no_counts = true;
	assert_no_balloon("counts no frames");
	sim_xen.faults.no_counts = false;
	sim_xen.current = 0;
	assert_no_balloon("counts no frames");
}

static void a_target_of_nonsense_at_the_start_asks_for_nothing(void **state)
{
	(void)state;
	put_target("much");
	begin_xen(NO_FLOOR);
	assert_xen_has(0);
	assert_int_equal(sim_log_warnings, 1);
	write_target(MAX_KIB - 4 * FRAME_KIB);
	assert_xen_has(4);
}

static void the_node_is_followed_once(void **state)
{
	(void)state;
	begin_xen(NO_FLOOR);
	balloon_detach(balloons->port);
	begin_xen(NO_FLOOR);
	assert_int_equal(store.followers, 1);
	xen_wants(5);
	assert_xen_has(5);
}

/* ---- By hand ---- */

static void without_a_store_a_person_sets_the_target(void **state)
{
	static const enum xen_param params[] = { XEN_PARAM_STORE_PFN, XEN_PARAM_STORE_PORT };
	const uint64_t max_kib = RAM_FRAMES * FRAME_KIB;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(params); i++) {
		struct xen_balloon_target target;

		begin_sim_xen(RAM_FRAMES);
		sim_xen.param[params[i]] = 0;
		begin_xen(NO_FLOOR);
		assert_xen_has(0);
		assert_int_equal(xen_balloon_set_target(max_kib - 4000 * FRAME_KIB), 0);
		assert_true(balloon_has_news(balloons));
		settle();
		assert_xen_has(4000);
		assert_false(balloon_has_news(balloons));
		assert_int_equal(xen_balloon_set_target(max_kib + 1), -ERANGE);
		assert_int_equal(xen_balloon_set_target(0), -ERANGE);
		settle();
		assert_xen_has(4000);
		assert_true(xen_balloon_get_target(&target));
		assert_int_equal(target.max_kib, max_kib);
		assert_int_equal(target.kib, max_kib - 4000 * FRAME_KIB);
		assert_int_equal(xen_balloon_set_target(max_kib), 0);
		settle();
		assert_xen_has(0);
		end_xen();
	}
}

static void with_a_store_nobody_else_sets_the_target(void **state)
{
	(void)state;
	begin_xen(NO_FLOOR);
	xen_wants(30);
	assert_int_equal(xen_balloon_set_target(4096), -EBUSY);
	settle();
	assert_xen_has(30);
}

/* ---- The first target ---- */

/* A round for each look of the one who waits. */
static void run_the_task(void)
{
	sim_time_on_wait = NULL;
	balloon_step();
	sim_time_on_wait = run_the_task;
}

/* The domain has a quarter of its memory, and starts with the balloon's task not yet run. */
static void start_on_demand(void)
{
	const uint64_t backed = RAM_FRAMES / 4;

	sim_xen_back_only(backed);
	put_target("16388");
	assert_int_equal(start_without(), 0);
	assert_xen_has(0);
	assert_int_equal(sim_xen.on_demand, RAM_FRAMES - backed);
}

static void a_domain_populated_on_demand_waits_for_its_balloon(void **state)
{
	uint64_t before;

	(void)state;
	start_on_demand();
	sim_time_on_wait = run_the_task;
	before = clock_ns();
	xen_balloon_wait_for_first_target();
	sim_time_on_wait = NULL;
	assert_xen_has(RAM_FRAMES * 3 / 4);
	assert_int_equal(sim_xen.on_demand, 0);
	assert_int_equal(sim_xen.current, RAM_FRAMES / 4);
	assert_in_range(clock_ns() - before, 0, NS_PER_S / 2);
	/* The next target is nobody's business. */
	before = sim_time_waits;
	xen_wants(9000);
	ask_for(10000);
	xen_balloon_wait_for_first_target();
	assert_int_equal(sim_time_waits, before);
}

static void the_wait_ends_in_two_seconds(void **state)
{
	uint64_t before_awake, before;

	(void)state;
	start_on_demand();
	before_awake = clock_awake_ns();
	before = clock_ns();
	xen_balloon_wait_for_first_target();
	assert_in_range(clock_awake_ns() - before_awake, 2 * NS_PER_S, 2 * NS_PER_S + NS_PER_S / 5);
	assert_in_range(clock_ns() - before, 2 * NS_PER_S, 3 * NS_PER_S);
	settle();
}

static void the_wait_ends_when_more_cannot_be_had(void **state)
{
	uint64_t before = clock_ns();

	(void)state;
	start_on_demand();
	balloon_set_floor(RAM_FRAMES / 2);
	sim_time_on_wait = run_the_task;
	xen_balloon_wait_for_first_target();
	sim_time_on_wait = NULL;
	assert_xen_has(RAM_FRAMES / 2);
	assert_in_range(clock_ns() - before, 0, NS_PER_S / 2);
	/* There is less than it thinks. */
	settle();
	assert_int_equal(sim_log_warnings, 1);
	assert_non_null(strstr(sim_log_warning, "keeps it 16384 KiB short of the first target"));
}

static void the_wait_ends_with_xens_faults(void **state)
{
	uint64_t before = clock_ns();

	(void)state;
	start_on_demand();
	sim_xen.faults.error[false] = -12;
	sim_time_on_wait = run_the_task;
	xen_balloon_wait_for_first_target();
	sim_time_on_wait = NULL;
	assert_non_null(status().broken);
	assert_in_range(clock_ns() - before, 0, NS_PER_S / 2);
}

/* ---- The end ---- */

static void a_detached_balloon_gives_all_back(void **state)
{
	(void)state;
	begin_xen(NO_FLOOR);
	xen_wants(8000);
	/* In the midst of a pause, because there was no memory for the last target. */
	sim_xen.host_free = 0;
	xen_wants(3000);
	assert_xen_has(8000);
	sim_xen.host_free = RAM_FRAMES;
	sim_xen_limit(RAM_FRAMES);
	balloon_detach(balloons->port);
	assert_int_equal(ballooned(), 0);
	assert_int_equal(ledger_count(OWNER_FREE), RAM_FRAMES);
	assert_int_equal(sim_xen.there, RAM_FRAMES);
}

static void what_xen_keeps_is_never_free(void **state)
{
	(void)state;
	begin_xen(NO_FLOOR);
	xen_wants(8000);
	sim_xen.host_free = 3000;
	sim_xen_limit(RAM_FRAMES);
	balloon_detach(balloons->port);
	assert_int_equal(sim_xen.there, RAM_FRAMES - 5000);
	assert_int_equal(ledger_count(OWNER_FREE), RAM_FRAMES - 5000);
	assert_int_equal(ledger_count(OWNER_IN_FLIGHT), 5000);
}

static void frames_set_aside_are_free_when_the_balloon_ends(void **state)
{
	(void)state;
	begin_xen(NO_FLOOR);
	sim_xen.faults.stubborn[false] = FIRST_FRAME + 3;
	ask_for(BLOCK_FRAMES);
	balloon_step();
	assert_int_equal(ledger_count(OWNER_REFUSED), 1);
	sim_xen.faults.stubborn[false] = SIM_XEN_NO_FRAME;
	sim_xen.faults.error[true] = -12;
	balloon_detach(balloons->port);
	assert_int_equal(ledger_count(OWNER_REFUSED), 0);
	assert_int_equal(frame_owner(FIRST_FRAME + 3), OWNER_FREE);
	assert_int_equal(ledger_count(OWNER_IN_FLIGHT), BLOCK_FRAMES - 1);
}

static void xen_that_was_given_up_is_tried_again_with_all_that_it_has(void **state)
{
	const char *why;

	(void)state;
	begin_xen(NO_FLOOR);
	xen_wants(8000);
	sim_xen.faults.error[true] = -12;
	sim_log_reset();
	ask_for(1000);
	settle();
	assert_non_null(status().broken);
	assert_int_equal(ballooned(), 8000);
	assert_non_null(strstr(sim_log_warning, "balloon retry"));
	sim_xen.faults.error[true] = 0;
	assert_int_equal(balloon_retry(balloons, &why), 0);
	assert_null(status().broken);
	assert_int_equal(ballooned(), 8000);
	settle();
	assert_xen_has(1000);
}

static void a_xen_that_loses_its_memory_operations_is_not_tried_again(void **state)
{
	const char *why;

	(void)state;
	begin_xen(NO_FLOOR);
	xen_wants(800);
	sim_xen.faults.no_memory_op[true] = true;
	ask_for(100);
	settle();
	assert_int_equal(balloon_retry(balloons, &why), -ENODEV);
	assert_string_equal(why, "it cannot be started again");
	assert_int_equal(ballooned(), 800);
	assert_int_equal(sim_xen.there, RAM_FRAMES - 800);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		XEN_TEST(the_target_is_exact_to_the_frame),
		XEN_TEST(a_target_between_two_frames_takes_the_lesser_number),
		XEN_TEST(a_change_of_the_node_wakes_the_task_at_once),
		XEN_TEST(what_is_no_target_leaves_the_last_good_one),
		XEN_TEST(of_each_kind_of_nonsense_there_is_a_line_a_second),
		XEN_TEST(a_target_may_move_in_mid_batch),
		XEN_TEST(the_floor_stays_and_the_rest_is_the_shortfall),
		XEN_TEST(ballooned_memory_is_not_in_the_total),
		XEN_TEST(memory_in_need_gets_none_of_xens),
		XEN_TEST(without_xen_there_is_no_balloon_and_no_word),
		XEN_TEST(a_store_without_the_nodes_is_no_balloon),
		XEN_TEST(a_store_that_does_not_answer_may_be_tried_again),
		XEN_TEST(a_xen_without_memory_operations_is_no_balloon),
		XEN_TEST(without_a_store_a_xen_that_counts_no_frames_is_no_balloon),
		XEN_TEST(a_target_of_nonsense_at_the_start_asks_for_nothing),
		XEN_TEST(the_node_is_followed_once),
		XEN_TEST(without_a_store_a_person_sets_the_target),
		XEN_TEST(with_a_store_nobody_else_sets_the_target),
		XEN_TEST(a_domain_populated_on_demand_waits_for_its_balloon),
		XEN_TEST(the_wait_ends_in_two_seconds),
		XEN_TEST(the_wait_ends_when_more_cannot_be_had),
		XEN_TEST(the_wait_ends_with_xens_faults),
		XEN_TEST(a_detached_balloon_gives_all_back),
		XEN_TEST(what_xen_keeps_is_never_free),
		XEN_TEST(frames_set_aside_are_free_when_the_balloon_ends),
		XEN_TEST(xen_that_was_given_up_is_tried_again_with_all_that_it_has),
		XEN_TEST(a_xen_that_loses_its_memory_operations_is_not_tried_again),
	};

	return cmocka_run_group_tests_name("xen_balloon", tests, set_up_ram, NULL);
}
