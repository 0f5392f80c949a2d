/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A store that lies, and one that stops anywhere. Whatever it does, each call returns within its
 * deadline, a node keeps the last value that was good, and there is one line in the log at most.
 * One that goes on where it stopped is as good as before.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "arch/clock.h"
#include "tests/sim/sim_log.h"
#include "tests/unit/drivers/xen/xenstore_fixture.h"

/* Looks of the asker, and one of the store, are what a deadline may be passed by. */
#define CALL_NS_MAX (XENSTORE_DEADLINE_NS + 50 * NS_PER_MS)

static struct xenstore_node target;
static struct wait_queue waiters;
static char value[XENSTORE_PAYLOAD_MAX + 1], text[3000];
static size_t length;

/* What the calls of a life returned, and how many were right. */
enum { CALLS = 7 };

static int results[CALLS];

static int start_store(void)
{
	return xenstore_start();
}

static int follow_target(void)
{
	target = (struct xenstore_node){ .path = "memory/target", .waiters = &waiters };
	return xenstore_follow(&target);
}

static int read_name(void)
{
	int err = xenstore_read("name", value, sizeof(value), &length);

	/* Half of it is what a store may say, too. */
	if (!err)
		assert_memory_equal(value, "guest", length);
	return err;
}

static int write_text(void)
{
	return xenstore_write("data/text", text);
}

static int read_text(void)
{
	int err = xenstore_read("data/text", value, sizeof(value), &length);

	if (!err)
		assert_memory_equal(value, text, length);
	return err;
}

static int write_target(void)
{
	return xenstore_write("memory/target", "77");
}

static int (*const calls[CALLS])(void) = { start_store, follow_target, read_name, write_text,
					   read_text,	write_target,  read_name };

static bool may_return(int err)
{
	return err == 0 || err == -EIO || err == -ETIMEDOUT || err == -ENODEV;
}

#define SILENCE "it does not answer"

/* Why it cannot be used now; NULL: it can. */
static const char *trouble(void)
{
	return xenstore_is_silent() ? SILENCE : xenstore_fault();
}

/* Does what there is to do with a store; later calls have an end, however the first ones ended. */
static void live(void *arg)
{
	(void)arg;
	for (unsigned i = 0; i < CALLS; i++) {
		bool was_faulty = i > 0 && trouble();
		uint64_t begin = clock_awake_ns();

		results[i] = calls[i]();
		assert_true(may_return(results[i]));
		assert_in_range(clock_awake_ns() - begin, 0, CALL_NS_MAX);
		/* What is wrong is seen at once; only silence takes its time. */
		if (results[i] == -EIO)
			assert_in_range(clock_awake_ns() - begin, 0, NS_PER_S / 5);
		if (was_faulty) {
			assert_true(results[i] < 0);
			assert_in_range(clock_awake_ns() - begin, 0, NS_PER_MS);
		}
	}
	/* What it owes now is its own business: the store is judged without an asker, too. */
	task_sleep_until(clock_ns() + 3 * NS_PER_S);
	/* Where it could be read, it has a value that the store had. */
	if (results[1] == 0)
		assert_true(!strncmp(target.value, "65536", target.length) ||
			    !strncmp(target.value, "77", target.length));
	assert_int_equal(target.value[target.length], '\0');
	assert_int_equal(sim_log_warnings, trouble() ? 1 : 0);
}

static void run_life(void)
{
	memset(text, 't', sizeof(text) - 1);
	target = (struct xenstore_node){ .path = NULL };
	sim_tasks_run(live, NULL);
}

static void assert_well(void)
{
	for (unsigned i = 0; i < CALLS; i++)
		assert_int_equal(results[i], 0);
	assert_null(trouble());
	assert_string_equal(target.value, "77");
}

static int tear_down(void **state)
{
	(void)state;
	return fixture_end() ? 0 : -1;
}

static void assert_ends(void)
{
	assert_true(fixture_end());
	fixture_begin();
}

/* ---- Lies ---- */

#define OUT_OF_BOUNDS "it counts more bytes of requests than there are"
#define IN_OUT_OF_BOUNDS "it counts more bytes of answers than there can be"
#define TOO_LONG "it announces a message longer than any"

/* How it ends; NULL: nothing comes of it but a count, or an error for the caller. */
static const struct {
	enum sim_xenstore_lie lie;
	const char *trouble;
	bool is_error;
} lies[] = {
	{ SIM_XENSTORE_REQUEST_CONS_AHEAD, OUT_OF_BOUNDS, false },
	{ SIM_XENSTORE_REQUEST_CONS_WILD, OUT_OF_BOUNDS, false },
	{ SIM_XENSTORE_RESPONSE_PROD_AHEAD, IN_OUT_OF_BOUNDS, false },
	{ SIM_XENSTORE_RESPONSE_PROD_WILD, IN_OUT_OF_BOUNDS, false },
	{ SIM_XENSTORE_LENGTH_AHEAD, TOO_LONG, false },
	{ SIM_XENSTORE_LENGTH_WILD, TOO_LONG, false },
	{ SIM_XENSTORE_WRONG_TYPE, "it answers what was not asked", false },
	{ SIM_XENSTORE_NO_TYPE, "it answers what was not asked", false },
	{ SIM_XENSTORE_WRONG_ID, SILENCE, false },
	{ SIM_XENSTORE_TRANSACTION, "it answers in a transaction", false },
	{ SIM_XENSTORE_TWICE, NULL, false },
	{ SIM_XENSTORE_ERROR_NAME, NULL, true },
	{ SIM_XENSTORE_ERROR_EMPTY, NULL, true },
	{ SIM_XENSTORE_EVENT_TOKEN, NULL, false },
	{ SIM_XENSTORE_EVENT_TEXT, NULL, false },
	{ SIM_XENSTORE_EVENT_EMPTY, NULL, false },
	{ SIM_XENSTORE_OWN_COUNTS, NULL, false },
	{ SIM_XENSTORE_SILENT, SILENCE, false },
	{ SIM_XENSTORE_DEAF, SILENCE, false },
};

/* Answers of a life, and one more. */
#define ANSWERS_MAX 12

static void tell_lie(size_t i, unsigned honest, size_t piece)
{
	struct xenstore_counts counts;

	daemon_side.lie = lies[i].lie;
	daemon_side.honest = honest;
	daemon_side.piece = piece;
	run_life();
	xenstore_get_counts(&counts);
	if (daemon_side.lies == 0) {
		assert_well();
		assert_int_equal(counts.unknown, 0);
	} else if (lies[i].trouble) {
		assert_string_equal(trouble(), lies[i].trouble);
	} else {
		assert_null(trouble());
		assert_null(daemon_side.violation);
		if (!lies[i].is_error)
			assert_well();
		else
			assert_int_equal(results[CALLS - 1], -EIO);
		if (lies[i].lie == SIM_XENSTORE_TWICE)
			assert_true(counts.unknown >= daemon_side.lies);
	}
	assert_ends();
}

static void each_lie_at_each_answer_has_its_end(void **state)
{
	static const size_t pieces[] = { 0, 1, 100 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(lies); i++)
		for (unsigned honest = 0; honest <= ANSWERS_MAX; honest++)
			tell_lie(i, honest, pieces[(i + honest) % ARRAY_SIZE(pieces)]);
}

static void what_is_longer_than_it_says_is_never_understood(void **state)
{
	(void)state;
	for (unsigned honest = 0; honest < ANSWERS_MAX / 2; honest++) {
		daemon_side.lie = SIM_XENSTORE_SHORT_LENGTH;
		daemon_side.honest = honest;
		run_life();
		assert_true(daemon_side.lies > 0);
		assert_non_null(trouble());
		assert_ends();
	}
}

/* The request is larger than the ring: some of it is still to be sent. */
static void answer_early(void *arg)
{
	(void)arg;
	memset(text, 't', sizeof(text) - 1);
	assert_int_equal(xenstore_start(), 0);
	daemon_side.lie = SIM_XENSTORE_EARLY;
	assert_int_equal(xenstore_write("data/text", text), -EIO);
	assert_string_equal(xenstore_fault(), "it answers before it was asked");
}

static void an_answer_to_half_a_request_is_a_lie(void **state)
{
	(void)state;
	daemon_side.piece = 100;
	sim_tasks_run(answer_early, NULL);
	assert_int_equal(sim_log_warnings, 1);
}

static int queued_results[3];

static void ask_in_a_queue(void *arg)
{
	char text_read[16];
	size_t size;

	queued_results[(uintptr_t)arg] = xenstore_read("name", text_read, sizeof(text_read), &size);
}

static void lie_to_a_queue(void *arg)
{
	(void)arg;
	assert_int_equal(xenstore_start(), 0);
	daemon_side.lie = SIM_XENSTORE_NO_TYPE;
	for (size_t i = 0; i < ARRAY_SIZE(queued_results); i++)
		sim_tasks_add("asker", ask_in_a_queue, (void *)(uintptr_t)i);
	task_sleep_until(clock_ns() + NS_PER_MS);
	for (size_t i = 0; i < ARRAY_SIZE(queued_results); i++)
		assert_int_equal(queued_results[i], -EIO);
	assert_int_equal(sim_tasks_left(), 1);
}

static void all_who_wait_are_told_of_the_end(void **state)
{
	(void)state;
	sim_tasks_run(lie_to_a_queue, NULL);
	assert_int_equal(sim_log_warnings, 1);
}

/* ---- Texts ---- */

/* Says what the store's own answer would be to a request, which it does not give. */
static int read_and_hear(uint32_t type, const char *payload, size_t size)
{
	struct xenstore_header last;
	int err;

	memcpy(&last, daemon_side.in, sizeof(last));
	daemon_side.lie = SIM_XENSTORE_SILENT;
	sim_xenstore_say(&daemon_side, type, last.id + 1, payload, size);
	err = xenstore_read("name", value, sizeof(value), &length);
	daemon_side.lie = SIM_XENSTORE_HONEST;
	return err;
}

static void cut_texts(void *arg)
{
	static const char event[] = "memory/target///\0memory/target";
	static const char same[] = "memory/target\0memory/target";
	struct xenstore_counts before, after;

	(void)arg;
	assert_int_equal(xenstore_start(), 0);
	assert_int_equal(follow_target(), 0);
	/* What stood there before is not what follows. */
	assert_int_equal(read_and_hear(XENSTORE_READ, "ENOENTENOENT", 12), 0);
	assert_int_equal(read_and_hear(XENSTORE_ERROR, "ENOENT", 6), -ENOENT);
	assert_int_equal(read_and_hear(XENSTORE_ERROR, "ENOENT", 5), -EIO);
	xenstore_get_counts(&before);
	sim_xenstore_say(&daemon_side, XENSTORE_WATCH_EVENT, 0, event, sizeof(event));
	sim_xenstore_say(&daemon_side, XENSTORE_WATCH_EVENT, 0, event, 16);
	sim_xenstore_say(&daemon_side, XENSTORE_WATCH_EVENT, 0, same, 13);
	task_sleep_until(clock_ns() + 20 * NS_PER_MS);
	xenstore_get_counts(&after);
	assert_int_equal(after.events - before.events, 3);
	assert_int_equal(after.unknown - before.unknown, 2);
}

static void a_text_ends_where_its_message_does(void **state)
{
	(void)state;
	sim_tasks_run(cut_texts, NULL);
	assert_int_equal(sim_log_warnings, 0);
}

static void keep_value(void *arg)
{
	(void)arg;
	assert_int_equal(xenstore_start(), 0);
	assert_int_equal(follow_target(), 0);
	daemon_side.lie = SIM_XENSTORE_ERROR_NAME;
	sim_xenstore_set(&daemon_side, "memory/target", "2");
	task_sleep_until(clock_ns() + NS_PER_MS);
	assert_true(daemon_side.lies > 0);
	assert_true(target.exists);
	assert_string_equal(target.value, "65536");
	assert_int_equal(target.changes, 1);
	daemon_side.lie = SIM_XENSTORE_HONEST;
	sim_xenstore_set(&daemon_side, "memory/target", "3");
	task_sleep_until(clock_ns() + NS_PER_MS);
	assert_string_equal(target.value, "3");
}

static void an_unknown_error_leaves_the_last_value(void **state)
{
	(void)state;
	sim_tasks_run(keep_value, NULL);
	assert_int_equal(sim_log_warnings, 0);
}

static void answer_nobody(void *arg)
{
	struct xenstore_counts counts;

	(void)arg;
	assert_int_equal(xenstore_start(), 0);
	for (unsigned i = 0; i < 500; i++)
		sim_xenstore_say(&daemon_side, XENSTORE_READ, i, "1", 1);
	task_sleep_until(clock_ns() + 100 * NS_PER_MS);
	xenstore_get_counts(&counts);
	assert_int_equal(counts.unknown, 500);
	assert_int_equal(xenstore_read("name", value, sizeof(value), &length), 0);
	assert_string_equal(value, "guest");
}

static void answers_that_nobody_asked_for_are_counted(void **state)
{
	(void)state;
	sim_tasks_run(answer_nobody, NULL);
	assert_int_equal(sim_log_warnings, 0);
}

/* ---- A stop, anywhere ---- */

/* What was asked before the stop is done, if only in part it had been told. */
static void use_again(void *arg)
{
	const struct sim_xenstore_node *node;

	(void)arg;
	daemon_side.bytes_left = SIZE_MAX;
	task_sleep_until(clock_ns() + 2 * NS_PER_S);
	assert_null(trouble());
	assert_int_equal(sim_log_infos, 1);
	node = sim_xenstore_find(&daemon_side, "data/text");
	if (node)
		assert_int_equal(node->length, sizeof(text) - 1);
	assert_int_equal(read_name(), 0);
	assert_int_equal(length, 5);
	if (results[1] != 0)
		assert_int_equal(follow_target(), 0);
	sim_xenstore_set(&daemon_side, "memory/target", "99");
	task_sleep_until(clock_ns() + 20 * NS_PER_MS);
	assert_string_equal(target.value, "99");
	assert_null(trouble());
	assert_int_equal(sim_log_warnings, 1);
}

static void a_store_that_stops_anywhere_is_used_when_it_goes_on(void **state)
{
	size_t moved = 0;

	(void)state;
	/* So many bytes a life has. */
	daemon_side.bytes_left = SIZE_MAX - 1;
	run_life();
	assert_well();
	moved = SIZE_MAX - 1 - daemon_side.bytes_left;
	assert_in_range(moved, 2 * sizeof(text), 3 * sizeof(text));
	assert_ends();
	for (size_t left = 0; left < moved; left += left < 700 ? 1 : 97) {
		daemon_side.bytes_left = left;
		run_life();
		assert_string_equal(trouble(), SILENCE);
		sim_tasks_run(use_again, NULL);
		assert_null(daemon_side.violation);
		assert_ends();
	}
}

/* What was answered before is believed; one call waits, those after it do not. */
static void one_call_is_the_last(void **state)
{
	unsigned waited = 0;

	(void)state;
	daemon_side.bytes_left = 250;
	run_life();
	for (unsigned i = 0; i < CALLS; i++)
		waited += results[i] == 0;
	assert_in_range(waited, 1, CALLS - 2);
	for (unsigned i = waited; i < CALLS; i++)
		assert_int_equal(results[i], -ETIMEDOUT);
	assert_int_equal(target.changes, 1);
	assert_string_equal(target.value, "65536");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(each_lie_at_each_answer_has_its_end),
		TEST(what_is_longer_than_it_says_is_never_understood),
		TEST(an_answer_to_half_a_request_is_a_lie),
		TEST(all_who_wait_are_told_of_the_end),
		TEST(a_text_ends_where_its_message_does),
		TEST(an_unknown_error_leaves_the_last_value),
		TEST(answers_that_nobody_asked_for_are_counted),
		TEST(a_store_that_stops_anywhere_is_used_when_it_goes_on),
		TEST(one_call_is_the_last),
	};

	return cmocka_run_group_tests_name("xenstore_lies", tests, NULL, NULL);
}
