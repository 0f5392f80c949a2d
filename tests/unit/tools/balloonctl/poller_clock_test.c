/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tools/balloonctl/poller.c by a clock of this test's own, which stands still until the test
 * puts it on, and with guests that only write down what was done to them: when there is a
 * look, what of it is kept, and how a guest is left.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>

#include <cmocka.h>

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "tests/unit/tools/failing.h"
#include "tools/balloonctl/guest_backend.h"
#include "tools/balloonctl/poller.h"

#define BEGIN 5000000 /* of all tests, in milliseconds */
#define TIMEOUT_MS 700
#define ALARM_S 60u /* for ever */
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* ---- the clock ---- */

static _Atomic int64_t now;
static atomic_uint nr_looks; /* at the clock, by somebody who goes on waiting */
static atomic_uint nr_changes;
static _Atomic(const pthread_cond_t *) condition_ready;

int __wrap_clock_gettime(clockid_t clock, struct timespec *time);
int __wrap_clock_gettime(clockid_t clock, struct timespec *time)
{
	int64_t ms = now;

	(void)clock;
	*time = (struct timespec){ .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000 };
	return 0;
}

/* The last condition that was made, for a clock that nobody sets. */
int __real_pthread_cond_init(pthread_cond_t *condition, const pthread_condattr_t *attr);
int __wrap_pthread_cond_init(pthread_cond_t *condition, const pthread_condattr_t *attr);
int __wrap_pthread_cond_init(pthread_cond_t *condition, const pthread_condattr_t *attr)
{
	clockid_t clock = CLOCK_REALTIME;

	if (attr)
		pthread_condattr_getclock(attr, &clock);
	condition_ready = clock == CLOCK_MONOTONIC ? condition : NULL;
	return __real_pthread_cond_init(condition, attr);
}

int __wrap_pthread_cond_broadcast(pthread_cond_t *condition);
int __wrap_pthread_cond_broadcast(pthread_cond_t *condition)
{
	(void)condition;
	nr_changes++;
	return 0;
}

/* Ends by a change, and by this clock; by nothing else. */
int __wrap_pthread_cond_timedwait(pthread_cond_t *condition, pthread_mutex_t *lock,
				  const struct timespec *until);
int __wrap_pthread_cond_timedwait(pthread_cond_t *condition, pthread_mutex_t *lock,
				  const struct timespec *until)
{
	int64_t deadline = (int64_t)until->tv_sec * 1000 + until->tv_nsec / 1000000;
	unsigned before = nr_changes;

	if (condition != condition_ready)
		abort();
	pthread_mutex_unlock(lock);
	while (nr_changes == before && now < deadline) {
		nr_looks++;
		usleep(100);
	}
	pthread_mutex_lock(lock);
	return nr_changes == before ? ETIMEDOUT : 0;
}

/* Until the thread has seen what the clock says, and done what is to be done then. */
static void settle(void)
{
	unsigned before = nr_looks;

	while (nr_looks < before + 2)
		usleep(500);
}

/* ---- guests: written to between looks only ---- */

static struct {
	struct guest_state state;
	struct guest_stats stats;
	struct guest_cost cost;
	int open_err, state_err, stats_err, cost_err, interval_err;
	const char *why;
	bool kept;	 /* one connection is */
	int64_t look_ms; /* that the next look takes */
	const char *name;
	int64_t deadlines[8]; /* from now on, of connections and of those that go on */
	unsigned nr_deadlines;
	unsigned told[8], nr_told; /* intervals */
} is;

static atomic_uint nr_opened, nr_closed;
static atomic_bool hangs, hung;

static void note_deadline(struct guest *guest)
{
	assert_true(is.nr_deadlines < COUNT(is.deadlines));
	is.deadlines[is.nr_deadlines++] = guest->deadline - now;
}

static void close_fake(struct guest *guest)
{
	(void)guest;
	nr_closed++;
}

static int state_fake(struct guest *guest, struct guest_state *state)
{
	for (; hangs; usleep(500))
		hung = true;
	now += is.look_ms;
	is.look_ms = 0;
	*state = is.state;
	return is.state_err ? guest_fail(guest, is.state_err, "no state") : 0;
}

static int stats_fake(struct guest *guest, struct guest_stats *stats)
{
	*stats = is.stats;
	return is.stats_err ? guest_fail(guest, is.stats_err, "no statistics") : 0;
}

static int cost_fake(struct guest *guest, struct guest_cost *cost)
{
	*cost = is.cost;
	return is.cost_err ? guest_fail(guest, is.cost_err, "no cost") : 0;
}

static int set_interval_fake(struct guest *guest, unsigned seconds)
{
	assert_true(is.nr_told < COUNT(is.told));
	is.told[is.nr_told++] = seconds;
	return is.interval_err ? guest_fail(guest, is.interval_err, "no interval") : 0;
}

#define FAKE_OPERATIONS \
	.note_deadline = note_deadline, .close = close_fake, .state = state_fake, \
	.stats = stats_fake, .cost = cost_fake, .set_interval = set_interval_fake

static const struct guest_backend fake = { FAKE_OPERATIONS };
static const struct guest_backend fake_kept = { FAKE_OPERATIONS, .shared = true };

int __wrap_guest_open(const char *name, int64_t deadline, struct guest **out, char **error);
int __wrap_guest_open(const char *name, int64_t deadline, struct guest **out, char **error)
{
	struct guest *guest;

	is.name = name;
	*error = NULL;
	if (is.open_err) {
		*error = is.why ? strdup(is.why) : NULL;
		return is.open_err;
	}
	guest = calloc(1, sizeof(*guest));
	guest->backend = is.kept ? &fake_kept : &fake;
	guest->deadline = deadline;
	note_deadline(guest);
	nr_opened++;
	*out = guest;
	return 0;
}

/* ---- a poller ---- */

static struct poller *poller;
static struct sample sample;

static int begin(void **state)
{
	(void)state;
	alarm(ALARM_S);
	memset(&is, 0, sizeof(is));
	is.state = (struct guest_state){ .ram = 1000, .left = 700, .taken = 300 };
	is.stats = (struct guest_stats){ .ever = true, .interval = 3 };
	is.cost = (struct guest_cost){ .resident = 77 };
	now = BEGIN;
	nr_opened = nr_closed = 0;
	hangs = hung = false;
	memset(&sample, 0, sizeof(sample));
	return 0;
}

static void start(int interval_ms, unsigned stats_interval)
{
	const struct poller_rate rate = { .interval_ms = interval_ms,
					  .timeout_ms = TIMEOUT_MS,
					  .stats_interval = stats_interval };

	assert_int_equal(poller_start("web", &rate, &poller), 0);
	settle();
	poller_latest(poller, &sample);
}

/* Later by so much; the newest sample then. */
static void pass(int64_t ms)
{
	now += ms;
	settle();
	poller_latest(poller, &sample);
}

static void stop(void)
{
	poller_stop(poller);
	/* It has left the guest by then. */
	assert_int_equal(nr_closed, nr_opened);
}

/* ---- when ---- */

static void looks_are_an_interval_apart(void **state)
{
	(void)state;
	start(1000, 0);
	assert_string_equal(poller_name(poller), "web");
	assert_string_equal(is.name, "web");
	assert_int_equal(sample.number, 1);
	assert_true(sample.time == BEGIN && sample.seen == BEGIN);
	pass(999);
	assert_int_equal(sample.number, 1);
	pass(1);
	assert_int_equal(sample.number, 2);
	assert_true(sample.time == BEGIN + 1000);
	/* However late the last one was. */
	pass(1500);
	assert_int_equal(sample.number, 3);
	pass(499);
	assert_int_equal(sample.number, 3);
	pass(1);
	assert_int_equal(sample.number, 4);
	stop();
}

static void late_looks_are_not_made_up_for(void **state)
{
	(void)state;
	is.look_ms = 1001;
	start(1000, 0);
	assert_int_equal(sample.number, 1);
	assert_true(sample.time == BEGIN + 1001);
	pass(9);
	assert_int_equal(sample.number, 1);
	is.look_ms = 5000;
	pass(1);
	assert_int_equal(sample.number, 2);
	pass(9);
	assert_int_equal(sample.number, 2);
	pass(1);
	assert_int_equal(sample.number, 3);
	pass(999);
	assert_int_equal(sample.number, 3);
	stop();
}

static void look_that_ends_in_time_is_followed_at_once(void **state)
{
	(void)state;
	/* The second one begins when it should, and takes as long as there is. */
	start(1000, 0);
	is.look_ms = 1000;
	pass(1000);
	assert_int_equal(sample.number, 3);
	assert_true(sample.time == BEGIN + 2000);
	stop();
}

static void quick_looks_that_are_late_are_a_millisecond_apart(void **state)
{
	(void)state;
	is.look_ms = 51;
	start(50, 0);
	assert_int_equal(sample.number, 1);
	pass(1);
	assert_int_equal(sample.number, 2);
	stop();
}

static void waiting_ends_with_a_sample_or_its_time(void **state)
{
	(void)state;
	start(1000, 0);
	memset(&sample, 0, sizeof(sample));
	assert_false(poller_wait(poller, 1, 0, &sample));
	assert_int_equal(sample.number, 1);
	assert_true(poller_wait(poller, 0, 0, &sample));
	assert_false(poller_wait(poller, 2, 0, &sample));
	now += 1000;
	/* The clock stands still: it is the sample that ends this. */
	assert_true(poller_wait(poller, 1, 1, &sample));
	assert_int_equal(sample.number, 2);
	stop();
}

/* ---- what ---- */

static void sample_has_all_that_was_seen(void **state)
{
	(void)state;
	start(1000, 0);
	assert_int_equal(sample.err, 0);
	assert_string_equal(sample.error, "");
	assert_memory_equal(&sample.state, &is.state, sizeof(is.state));
	assert_true(sample.has_stats && sample.stats.interval == 3);
	assert_true(sample.has_cost && sample.cost.resident == 77);
	/* Each may be missing. */
	is.stats_err = -EREMOTEIO;
	pass(1000);
	assert_true(!sample.err && !sample.has_stats && sample.has_cost);
	is.stats_err = 0;
	is.cost_err = -ENOTSUP;
	pass(1000);
	assert_true(!sample.err && sample.has_stats && !sample.has_cost);
	assert_int_equal(sample.number, 3);
	stop();
}

static void look_that_fails_has_its_reason_and_nothing_else(void **state)
{
	(void)state;
	start(1000, 0);
	is.state_err = -ETIMEDOUT;
	pass(1000);
	assert_int_equal(sample.number, 2);
	assert_int_equal(sample.err, -ETIMEDOUT);
	assert_string_equal(sample.error, "no state");
	assert_true(sample.time == BEGIN + 1000 && sample.seen == 0);
	assert_true(!sample.state.ram && !sample.state.left && !sample.state.taken);
	assert_true(!sample.has_stats && !sample.has_cost);
	assert_int_equal(sample.stats.interval, 0);
	is.state_err = 0;
	pass(1000);
	assert_int_equal(sample.err, 0);
	assert_string_equal(sample.error, "");
	stop();
}

static void connection_that_fails_has_its_reason(void **state)
{
	(void)state;
	is.open_err = -ENOENT;
	is.why = "nobody is there";
	start(1000, 0);
	assert_int_equal(sample.err, -ENOENT);
	assert_string_equal(sample.error, "nobody is there");
	is.open_err = -ENOMEM;
	is.why = NULL;
	pass(1000);
	assert_int_equal(sample.err, -ENOMEM);
	assert_string_equal(sample.error, strerror(ENOMEM));
	assert_true(sample.seen == 0 && !sample.state.ram);
	stop();
}

static void busy_guest_shows_what_was_seen_before(void **state)
{
	(void)state;
	start(1000, 0);
	is.open_err = -EBUSY;
	is.why = "another client";
	pass(1000);
	assert_int_equal(sample.number, 2);
	assert_int_equal(sample.err, -EBUSY);
	assert_string_equal(sample.error, "another client");
	assert_true(sample.time == BEGIN + 1000 && sample.seen == BEGIN);
	assert_int_equal(sample.state.left, 700);
	assert_true(sample.has_stats && sample.has_cost);
	is.open_err = -EPIPE;
	pass(1000);
	assert_int_equal(sample.state.left, 0);
	/* Then there is nothing to be kept. */
	is.open_err = -EBUSY;
	pass(1000);
	assert_true(sample.seen == 0 && sample.state.left == 0);
	assert_int_equal(sample.err, -EBUSY);
	stop();
}

static void conditions_are_these(void **state)
{
	static const struct {
		int err;
		bool panicked;
		enum condition condition;
		const char *word;
	} all[] = {
		{ 0, false, CONDITION_UP, "up" },
		{ 0, true, CONDITION_PANICKED, "panicked" },
		{ -EBUSY, false, CONDITION_BUSY, "busy" },
		{ -ETIMEDOUT, false, CONDITION_NO_ANSWER, "no_answer" },
		{ -ENODEV, false, CONDITION_NO_BALLOON, "no_balloon" },
		{ -ENOENT, false, CONDITION_GONE, "gone" },
		{ -ENOTCONN, false, CONDITION_GONE, "gone" },
		{ -ECONNREFUSED, false, CONDITION_GONE, "gone" },
		{ -ECONNRESET, false, CONDITION_GONE, "gone" },
		{ -EPIPE, false, CONDITION_GONE, "gone" },
		{ -EPERM, false, CONDITION_FAILED, "failed" },
	};

	(void)state;
	assert_int_equal(sample_condition(&sample), CONDITION_PENDING);
	assert_string_equal(condition_word(CONDITION_PENDING), "pending");
	sample.number = 1;
	for (size_t i = 0; i < COUNT(all); i++) {
		sample.err = all[i].err;
		sample.state.panicked = all[i].panicked;
		assert_int_equal(sample_condition(&sample), all[i].condition);
		assert_string_equal(condition_word(all[i].condition), all[i].word);
	}
}

static void statistic_of_a_busy_guest_is_known(void **state)
{
	uint64_t value = 0;

	(void)state;
	sample = (struct sample){
		.err = -EBUSY,
		.has_stats = true,
		.stats = { .ever = true, .present = 1u << 2, .value = { 0, 0, 9 } }
	};
	assert_true(sample_stat(&sample, 2, &value));
	assert_int_equal(value, 9);
	assert_false(sample_stat(&sample, 1, &value));
	assert_false(sample_stat(&sample, 3, &value));
	sample.err = -ENOENT;
	assert_false(sample_stat(&sample, 2, &value));
}

/* ---- connections ---- */

static void connection_is_made_for_each_look(void **state)
{
	(void)state;
	start(1000, 0);
	assert_true(nr_opened == 1 && nr_closed == 1);
	pass(1000);
	assert_true(nr_opened == 2 && nr_closed == 2);
	assert_true(is.nr_deadlines == 2 && is.deadlines[1] == TIMEOUT_MS);
	stop();
}

static void connection_that_others_can_have_too_is_kept(void **state)
{
	(void)state;
	is.kept = true;
	start(1000, 0);
	pass(1000);
	pass(1000);
	assert_true(nr_opened == 1 && nr_closed == 0);
	/* With time for answers from then on, each time. */
	assert_int_equal(is.nr_deadlines, 3);
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(is.deadlines[i], TIMEOUT_MS);
	is.state_err = -EPIPE;
	pass(1000);
	assert_true(nr_opened == 1 && nr_closed == 1);
	is.state_err = 0;
	pass(1000);
	assert_true(nr_opened == 2 && nr_closed == 1);
	stop();
}

/* ---- statistics ---- */

static void guest_that_nobody_asks_is_asked_and_left_as_it_was(void **state)
{
	(void)state;
	is.stats.interval = 0;
	start(1000, 7);
	assert_true(is.nr_told == 1 && is.told[0] == 7);
	/* The same look says what it was before. */
	assert_int_equal(sample.stats.interval, 0);
	is.stats.interval = 7;
	pass(1000);
	assert_int_equal(is.nr_told, 1);
	stop();
	assert_true(is.nr_told == 2 && is.told[1] == 0);
}

static void kept_connection_leaves_the_guest_as_it_was(void **state)
{
	(void)state;
	is.stats.interval = 0;
	is.kept = true;
	start(1000, 7);
	stop();
	assert_true(is.nr_told == 2 && is.told[1] == 0);
	assert_int_equal(nr_opened, 1);
	/* That is a question like any other. */
	assert_true(is.nr_deadlines == 2 && is.deadlines[1] == TIMEOUT_MS);
}

static void guest_that_is_gone_at_the_end_is_left_alone(void **state)
{
	(void)state;
	is.stats.interval = 0;
	start(1000, 7);
	is.open_err = -ENOENT;
	is.why = "gone";
	stop();
	assert_int_equal(is.nr_told, 1);
}

static void interval_of_somebody_else_is_left_alone(void **state)
{
	(void)state;
	is.stats.interval = 3;
	start(1000, 7);
	stop();
	assert_int_equal(is.nr_told, 0);
	/* So it is where that is not known, where nobody wants any, */
	begin(NULL);
	is.stats.interval = 0;
	is.stats_err = -EREMOTEIO;
	start(1000, 7);
	stop();
	assert_int_equal(is.nr_told, 0);
	begin(NULL);
	is.stats.interval = 0;
	start(1000, 0);
	stop();
	assert_int_equal(is.nr_told, 0);
	/* and where it could not be set. */
	begin(NULL);
	is.stats.interval = 0;
	is.interval_err = -EREMOTEIO;
	start(1000, 7);
	stop();
	assert_true(is.nr_told == 1 && is.told[0] == 7);
}

/* ---- the beginning and the end ---- */

static void poller_that_cannot_start_leaves_nothing(void **state)
{
	const struct poller_rate rate = { .interval_ms = 1000, .timeout_ms = TIMEOUT_MS };

	(void)state;
	for (unsigned n = 1; n <= 2; n++) {
		fail_nth(FAILING_MEMORY, n);
		assert_int_equal(poller_start("web", &rate, &poller), -ENOMEM);
		assert_non_null(failed_call());
	}
	fail_nth(FAILING_MEMORY, 0);
	fail_nth(FAILING_CALLS, 1);
	assert_int_equal(poller_start("web", &rate, &poller), -EAGAIN);
	assert_string_equal(failed_call(), "pthread_create");
	fail_nth(FAILING_CALLS, 0);
	assert_int_equal(nr_opened, 0);
	poller_stop(NULL);
}

/* A second from when it was told to, and not from when somebody waits for it. */
static void guest_that_hangs_is_waited_for_a_second(void **state)
{
	(void)state;
	start(1000, 0);
	hangs = true;
	now += 1000;
	while (!hung)
		usleep(500);
	poller_ask_stop(poller);
	now += 600;
	poller_ask_stop(poller);
	now += 400;
	/* The clock stands still: this would wait for ever. */
	poller_stop(poller);
	assert_int_equal(nr_closed, 1);
	/* Its thread ends later, and frees all. */
	hangs = false;
	while (nr_closed < 2)
		usleep(500);
}

#define POLLER_TEST(name) cmocka_unit_test_setup(name, begin)

int main(void)
{
	const struct CMUnitTest tests[] = {
		POLLER_TEST(looks_are_an_interval_apart),
		POLLER_TEST(late_looks_are_not_made_up_for),
		POLLER_TEST(look_that_ends_in_time_is_followed_at_once),
		POLLER_TEST(quick_looks_that_are_late_are_a_millisecond_apart),
		POLLER_TEST(waiting_ends_with_a_sample_or_its_time),
		POLLER_TEST(sample_has_all_that_was_seen),
		POLLER_TEST(look_that_fails_has_its_reason_and_nothing_else),
		POLLER_TEST(connection_that_fails_has_its_reason),
		POLLER_TEST(busy_guest_shows_what_was_seen_before),
		POLLER_TEST(conditions_are_these),
		POLLER_TEST(statistic_of_a_busy_guest_is_known),
		POLLER_TEST(connection_is_made_for_each_look),
		POLLER_TEST(connection_that_others_can_have_too_is_kept),
		POLLER_TEST(guest_that_nobody_asks_is_asked_and_left_as_it_was),
		POLLER_TEST(kept_connection_leaves_the_guest_as_it_was),
		POLLER_TEST(guest_that_is_gone_at_the_end_is_left_alone),
		POLLER_TEST(interval_of_somebody_else_is_left_alone),
		POLLER_TEST(poller_that_cannot_start_leaves_nothing),
		POLLER_TEST(guest_that_hangs_is_waited_for_a_second),
	};

	return cmocka_run_group_tests_name("balloonctl/poller_clock", tests, NULL, NULL);
}
