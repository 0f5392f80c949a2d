/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The waits of set and stats by a clock of this test's own, so that they are exact to the
 * millisecond and take no time: a pause puts the clock on, and so does an answer.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "tests/unit/tools/balloonctl/fake_qemu.h"
#include "tools/balloonctl/command.h"
#include "tools/balloonctl/guest_backend.h"
#include "tools/balloonctl/life.h"
#include "tools/balloonctl/wait.h"
#include "tools/deadline.h"

#define BEGIN 5000000	  /* of all tests, in milliseconds */
#define UNIX_BEGIN 700000 /* seconds, at the same moment */
#define MAX 512

/* ---- the clock ---- */

static int64_t now;
static int64_t pauses[MAX]; /* nanoseconds */
static size_t nr_pauses;

int __wrap_clock_gettime(clockid_t clock, struct timespec *time);
int __wrap_clock_gettime(clockid_t clock, struct timespec *time)
{
	(void)clock;
	*time = (struct timespec){ .tv_sec = now / 1000, .tv_nsec = now % 1000 * 1000000 };
	return 0;
}

int __wrap_nanosleep(const struct timespec *time, struct timespec *rest);
int __wrap_nanosleep(const struct timespec *time, struct timespec *rest)
{
	(void)rest;
	assert_true(nr_pauses < MAX);
	pauses[nr_pauses] = (int64_t)time->tv_sec * 1000000000 + time->tv_nsec;
	now += pauses[nr_pauses++] / 1000000;
	return 0;
}

time_t __wrap_time(time_t *time);
time_t __wrap_time(time_t *time)
{
	(void)time;
	return UNIX_BEGIN + (now - BEGIN) / 1000;
}

/* ---- a guest ---- */

/* An answer, and how long it takes. */
struct answer {
	int64_t ms;
	int err;
	uint64_t left;
	uint64_t target; /* left; 0: not known */
	bool paused, no_driver, complaint;
};

static const struct answer *answers;
static size_t nr_asked;
static int64_t deadlines[MAX]; /* that the guest had when it was asked */

static int state_fake(struct guest *guest, struct guest_state *state)
{
	const struct answer *answer = &answers[nr_asked];

	assert_true(nr_asked < MAX);
	deadlines[nr_asked] = guest->deadline;
	/* The last one is for ever. */
	if (answers[nr_asked + 1].ms >= 0)
		nr_asked++;
	else
		deadlines[nr_asked + 1] = guest->deadline;
	now += answer->ms;
	if (answer->err)
		return guest_fail(guest, answer->err, "the guest's own words");
	guest_account(state, FAKE_RAM, (int64_t)answer->left);
	state->has_features = state->has_driver = true;
	state->driver_ok = !answer->no_driver;
	state->accepted = 2;
	state->paused = answer->paused;
	if (answer->target)
		guest_account_target(state, FAKE_RAM - answer->target);
	if (answer->complaint)
		strcpy(state->complaint, "cannot be");
	return 0;
}

static uint64_t update;	  /* of the report, in Unix time */
static int64_t new_at;	  /* there is another one from then on */
static unsigned interval; /* that it is polled with */
static unsigned told[MAX], nr_told;
static int64_t told_by[MAX]; /* the deadlines */
static bool has_pulse;	     /* the driver speaks by itself, and */
static uint64_t pulse;	     /* has said so much */
static bool lives;	     /* the guest answers as soon as it is asked */
static bool lives_in_waits = true;
static unsigned stats_fail_at, nr_stats; /* the n-th time, from 1 */
static unsigned refuse_at;		 /* likewise, an interval */
static int refusal;

static int stats_fake(struct guest *guest, struct guest_stats *stats)
{
	if (++nr_stats == stats_fail_at)
		return guest_fail(guest, -EPIPE, "no statistics");
	deadlines[nr_stats] = guest->deadline;
	stats->ever = update != 0;
	stats->update = now >= new_at ? update + 1 : update;
	stats->interval = interval;
	stats->has_pulse = has_pulse;
	stats->pulse = pulse;
	return 0;
}

static int set_interval_fake(struct guest *guest, unsigned seconds)
{
	assert_true(nr_told < MAX);
	told_by[nr_told] = guest->deadline;
	told[nr_told++] = seconds;
	if (nr_told == refuse_at)
		return guest_fail(guest, refusal, "no interval");
	interval = seconds;
	update += lives && seconds;
	return 0;
}

static void close_fake(struct guest *guest)
{
	(void)guest;
}

static int set_target_fake(struct guest *guest, uint64_t left)
{
	(void)guest;
	assert_int_equal(left, FAKE_RAM / 2);
	return 0;
}

static const struct guest_backend fake = {
	.set_target = set_target_fake,
	.close = close_fake,
	.state = state_fake,
	.stats = stats_fake,
	.set_interval = set_interval_fake,
};

static struct guest guest = { .backend = &fake, .name = (char *)"web" };

static int begin(void **state)
{
	(void)state;
	now = BEGIN;
	nr_pauses = nr_asked = 0;
	nr_told = nr_stats = stats_fail_at = refuse_at = 0;
	update = 1;
	new_at = INT64_MAX;
	interval = 0;
	has_pulse = false;
	pulse = 5;
	lives = false;
	guest.deadline = 0;
	return 0;
}

/* Runs with stderr and stdout in files. */
static char out[16384], err[4096];

static int catch_output(int (*run)(void *arg), void *arg)
{
	FILE *files[2] = { tmpfile(), tmpfile() };
	char *texts[2] = { out, err };
	size_t sizes[2] = { sizeof(out), sizeof(err) };
	int saved[2], status;

	fflush(NULL);
	for (int i = 0; i < 2; i++) {
		saved[i] = dup(1 + i);
		dup2(fileno(files[i]), 1 + i);
	}
	status = run(arg);
	fflush(NULL);
	for (int i = 0; i < 2; i++) {
		dup2(saved[i], 1 + i);
		close(saved[i]);
		rewind(files[i]);
		texts[i][fread(texts[i], 1, sizes[i] - 1, files[i])] = '\0';
		fclose(files[i]);
	}
	return status;
}

/* ---- waiting for a target ---- */

struct waiting {
	struct wait_limits limits;
	struct guest_state state;
};

static int wait_once(void *arg)
{
	const struct wait_goal goal = { .balloon = true, .taken = FAKE_RAM / 2 };
	struct waiting *w = arg;

	return wait_for_target(&guest, &w->state, &goal, &w->limits);
}

#define LAST \
	{ \
		.ms = -1 \
	}
#define AT(is_left) \
	{ \
		.left = (is_left) \
	}

/* Begins with all left; `end` counts from the beginning, 0: there is none. */
static struct waiting wait_for(const struct answer *script, int64_t end, unsigned patience,
			       int status)
{
	struct waiting w = { .limits = { .seconds = 7,
					 .patience = patience,
					 .look_ms = 3000,
					 .end = end ? BEGIN + end : DEADLINE_NONE } };
	int is;

	begin(NULL);
	lives = lives_in_waits;
	answers = script;
	guest_account(&w.state, FAKE_RAM, FAKE_RAM);
	is = catch_output(wait_once, &w);
	if (is != status)
		fail_msg("status %d: %s%s", is, out, err);
	return w;
}

static void pauses_grow_to_a_fifth_of_a_second(void **state)
{
	static const int64_t ms[] = { 20, 40, 80, 160, 200, 200, 200 };
	static const struct answer script[] = { AT(FAKE_RAM),	  AT(FAKE_RAM), AT(FAKE_RAM),
						AT(FAKE_RAM),	  AT(FAKE_RAM), AT(FAKE_RAM),
						AT(FAKE_RAM / 2), LAST };

	(void)state;
	wait_for(script, 0, 60, EXIT_REACHED);
	assert_string_equal(err, "");
	assert_int_equal(nr_pauses, 7);
	for (size_t i = 0; i < 7; i++)
		assert_int_equal(pauses[i], ms[i] * 1000000);
}

static void last_pause_ends_with_the_time(void **state)
{
	static const struct answer script[] = { AT(FAKE_RAM), LAST };

	(void)state;
	wait_for(script, 50, 60, EXIT_TIMEOUT);
	assert_string_equal(err, "balloonctl: time is up after 7 s, and the guest has not moved\n");
	assert_int_equal(nr_pauses, 2);
	assert_true(pauses[0] == 20000000 && pauses[1] == 30000000);
	/* Just as long as the pause would be. */
	wait_for(script, 60, 60, EXIT_TIMEOUT);
	assert_int_equal(nr_pauses, 2);
	assert_true(now == BEGIN + 60);
}

static void each_look_has_its_deadline(void **state)
{
	static const struct answer script[] = { AT(FAKE_RAM), AT(FAKE_RAM / 2), LAST };
	static const struct answer slow[] = { { .ms = 1000, .left = FAKE_RAM },
					      AT(FAKE_RAM / 2),
					      LAST };

	(void)state;
	wait_for(script, 0, 60, EXIT_REACHED);
	assert_true(deadlines[0] == BEGIN + 20 + 3000);
	assert_true(deadlines[1] == BEGIN + 60 + 3000);
	wait_for(slow, 3500, 60, EXIT_REACHED);
	assert_true(deadlines[0] == BEGIN + 20 + 3000);
	assert_true(deadlines[1] == BEGIN + 3500);
}

/* A second is over at the millisecond, from the last move on. */
static void standstill_is_certain_after_the_patience(void **state)
{
	static const struct answer just[] = { { .ms = 480, .left = 900 * MIB },
					      { .ms = 959, .left = 900 * MIB },
					      { .ms = 0, .left = 900 * MIB },
					      LAST };
	static const struct answer over[] = { { .ms = 480, .left = 900 * MIB },
					      { .ms = 960, .left = 900 * MIB },
					      { .ms = 0, .left = 900 * MIB },
					      LAST };
	struct waiting w;

	(void)state;
	/* 500: it moves. 1499: a millisecond too early. 1579: it is asked, and 1739: it lives. */
	w = wait_for(just, 0, 1, EXIT_SHORTFALL);
	assert_int_equal(now, BEGIN + 1739);
	assert_string_equal(err,
			    "balloonctl: shortfall of 388.0 MiB: nothing has moved for 1 s, the "
			    "guest stays at 900.0 MiB left\n");
	assert_true(w.state.left == 900 * MIB && w.state.ram == FAKE_RAM);
	/* 500, 1500, 1580. */
	wait_for(over, 0, 1, EXIT_SHORTFALL);
	assert_int_equal(now, BEGIN + 1580);
	/* It was asked for its statistics, and is not any more. */
	assert_true(nr_told == 2 && told[0] == 1 && told[1] == 0);
}

static void standstill_has_its_reason(void **state)
{
	static const struct answer paused[] = { { .ms = 2000, .left = FAKE_RAM, .paused = true },
						LAST };
	static const struct answer no_driver[] = {
		{ .ms = 2000, .left = FAKE_RAM, .no_driver = true }, LAST
	};
	static const struct answer below[] = { { .ms = 2000, .left = 500 * MIB },
					       { .ms = 2000, .left = 500 * MIB },
					       LAST };

	(void)state;
	wait_for(paused, 0, 1, EXIT_TIMEOUT);
	assert_string_equal(err, "balloonctl: the guest is paused and cannot move to its target\n");
	wait_for(no_driver, 0, 1, EXIT_NO_DRIVER);
	assert_string_equal(err,
			    "balloonctl: no balloon driver runs in the guest; the target is kept "
			    "for one that comes\n");
	wait_for(below, 0, 1, EXIT_SHORTFALL);
	assert_string_equal(err,
			    "balloonctl: shortfall of 12.00 MiB: nothing has moved for 1 s, the "
			    "guest stays at 500.0 MiB left\n");
}

static void time_that_is_up_has_its_reason(void **state)
{
	static const struct answer moves[] = { { .ms = 10, .left = 900 * MIB },
					       { .ms = 100, .left = 800 * MIB },
					       LAST };
	static const struct answer paused[] = { { .ms = 100, .left = 800 * MIB, .paused = true },
						LAST };
	static const struct answer no_driver[] = {
		{ .ms = 100, .left = 800 * MIB, .no_driver = true }, LAST
	};
	static const struct answer there[] = { { .ms = 80, .left = FAKE_RAM / 2 }, LAST };
	static const struct answer not_quite[] = { { .ms = 79, .left = 900 * MIB }, LAST };

	(void)state;
	wait_for(moves, 170, 60, EXIT_TIMEOUT);
	assert_string_equal(
		err, "balloonctl: time is up after 7 s, and the guest is still on its way\n");
	wait_for(paused, 100, 60, EXIT_TIMEOUT);
	assert_string_equal(err, "balloonctl: time is up after 7 s, and the guest is paused\n");
	wait_for(no_driver, 100, 60, EXIT_NO_DRIVER);
	/* The last answer counts, also at the last moment. */
	wait_for(there, 100, 60, EXIT_REACHED);
	wait_for(there, 90, 60, EXIT_REACHED);
	/* With a millisecond left it goes on, for as long. */
	wait_for(not_quite, 100, 60, EXIT_TIMEOUT);
	assert_int_equal(nr_pauses, 2);
	assert_int_equal(pauses[1], 1000000);
	assert_int_equal(now, BEGIN + 100);
}

/* Once a second, since QEMU keeps whole ones, and for five. */
static void sign_of_life_is_asked_for_five_seconds(void **state)
{
	static const struct answer script[] = { AT(FAKE_RAM), LAST };
	static const unsigned asked[] = { 1, 0, 1, 0, 1, 0, 1, 0, 1, 0 };

	(void)state;
	lives_in_waits = false;
	wait_for(script, 0, 1, EXIT_TIMEOUT);
	lives_in_waits = true;
	assert_string_equal(err, "balloonctl: no sign of life: nothing has moved for 1 s, and the "
				 "guest does not answer when asked for statistics; the guest last "
				 "reported 1.000 GiB left\n");
	/* 20, 60, 140, 300, 500 ... 1100: it is asked. 6100. */
	assert_int_equal(now, BEGIN + 6100);
	assert_int_equal(nr_told, sizeof(asked) / sizeof(asked[0]));
	assert_memory_equal(told, asked, sizeof(asked));
}

/* Silence for more than a second is the reason, and then nothing is known. */
static void silence_is_told_apart(void **state)
{
	static const struct answer short_silence[] = { { .ms = 0, .left = 900 * MIB },
						       { .ms = 960, .err = -ETIMEDOUT },
						       LAST };
	static const struct answer silence[] = { { .ms = 0, .left = 900 * MIB },
						 { .ms = 961, .err = -ETIMEDOUT },
						 LAST };
	struct waiting w;

	(void)state;
	w = wait_for(short_silence, 1020, 60, EXIT_TIMEOUT);
	assert_string_equal(
		err, "balloonctl: time is up after 7 s, and the guest is still on its way\n");
	assert_true(w.state.ram == FAKE_RAM && w.state.left == 900 * MIB);
	w = wait_for(silence, 1021, 60, EXIT_TIMEOUT);
	assert_string_equal(err,
			    "balloonctl: time is up after 7 s, and nobody answers for the guest\n");
	assert_int_equal(w.state.ram, 0);
	/* Before its time is up it is an error of its own. */
	w = wait_for(short_silence, 1021, 60, EXIT_TIMEOUT);
	assert_string_equal(err, "balloonctl: the guest's own words\n");
	assert_int_equal(w.state.ram, 0);
}

static void what_is_not_sure_is_not_reached(void **state)
{
	static const struct answer doubtful[] = { { .left = FAKE_RAM / 2, .complaint = true },
						  { .left = FAKE_RAM / 2, .complaint = true },
						  { .left = FAKE_RAM / 2 },
						  LAST };
	static const struct answer changed[] = { { .left = 900 * MIB, .target = FAKE_RAM / 2 },
						 { .left = 800 * MIB,
						   .target = FAKE_RAM / 2 + 4096 },
						 LAST };
	static const struct answer lost[] = { { .left = 900 * MIB }, { .err = -EPIPE }, LAST };

	(void)state;
	wait_for(doubtful, 0, 60, EXIT_REACHED);
	assert_int_equal(nr_pauses, 3);
	wait_for(changed, 0, 60, EXIT_WRONG);
	assert_string_equal(err, "balloonctl: somebody else has set another target meanwhile\n");
	assert_int_equal(nr_pauses, 2);
	wait_for(lost, 0, 60, EXIT_NO_CONNECT);
	assert_string_equal(err, "balloonctl: the guest's own words\n");
}

/* ---- waiting for statistics ---- */

static struct call call;

static int run_stats(void *arg)
{
	(void)arg;
	return command_stats.run(&call);
}

/* As `stats --interval SECONDS` does; answers may take ten seconds. */
static int stats(const char *seconds)
{
	static const struct common common;
	void *request = malloc(command_stats.request_size);
	int status;

	memcpy(request, command_stats.defaults, command_stats.request_size);
	assert_true(command_stats.take_option(request, 'i', seconds));
	call = (struct call){ .common = &common,
			      .request = request,
			      .guest = &guest,
			      .start = now,
			      .timeout_ms = 10000,
			      .deadline = now + 10000 };
	status = catch_output(run_stats, NULL);
	free(request);
	return status;
}

static int run_set(void *arg)
{
	(void)arg;
	return command_set.run(&call);
}

/* As `set 512M --wait=SECONDS` does half a second after it was called. */
static int set(const char *seconds)
{
	static const struct common common;
	char half[] = "512M", *words[] = { half, NULL };
	void *request = malloc(command_set.request_size);
	int status;

	memcpy(request, command_set.defaults, command_set.request_size);
	assert_true(command_set.take_option(request, 'w', seconds));
	assert_true(command_set.take_words(request, words, 1));
	call = (struct call){ .common = &common,
			      .request = request,
			      .guest = &guest,
			      .start = now - 500,
			      .timeout_ms = 10000,
			      .deadline = now - 500 + 10000 };
	status = catch_output(run_set, NULL);
	free(request);
	return status;
}

static const struct answer at_once[] = { AT(FAKE_RAM), LAST };
static const struct answer late[] = { { .ms = 12000, .left = FAKE_RAM }, LAST };

static void seconds_of_a_wait_are_those_of_the_command(void **state)
{
	(void)state;
	answers = at_once;
	assert_int_equal(set("3"), EXIT_TIMEOUT);
	assert_says(err, "time is up after 3 s, and the guest has not moved\n");
	assert_int_equal(now, BEGIN + 3000 - 500);
}

static void report_is_waited_for_twice_its_time_and_five_seconds(void **state)
{
	(void)state;
	answers = at_once;
	assert_int_equal(stats("3"), EXIT_TIMEOUT);
	assert_string_equal(err, "balloonctl: the guest has sent no statistics in time\n");
	assert_string_equal(out, "");
	assert_int_equal(now, BEGIN + 2 * 3000 + 5000);
	assert_int_equal(nr_pauses, 110);
	for (size_t i = 0; i < nr_pauses; i++)
		assert_int_equal(pauses[i], 100000000);
	/* It was asked to poll, once. */
	assert_true(nr_told == 1 && told[0] == 3);
	/* Nothing takes longer than the time for answers and that. */
	begin(NULL);
	answers = late;
	assert_int_equal(stats("3"), EXIT_TIMEOUT);
	assert_int_equal(now, BEGIN + 10000 + 2 * 3000 + 5000);
}

static void report_that_comes_is_shown(void **state)
{
	(void)state;
	answers = at_once;
	new_at = BEGIN + 10850;
	assert_int_equal(stats("3"), EXIT_REACHED);
	assert_int_equal(now, BEGIN + 10900);
	assert_string_equal(err, "");
	assert_says(out, "Statistics   0 s old, asked for every 3 s\n");
	/* One that there was before is none. */
	begin(NULL);
	update = 0;
	new_at = BEGIN + 150;
	assert_int_equal(stats("3"), EXIT_TIMEOUT);
}

static void each_look_at_statistics_has_its_deadline(void **state)
{
	(void)state;
	answers = at_once;
	new_at = BEGIN + 10650;
	assert_int_equal(stats("3"), EXIT_REACHED);
	/* The first by the command's; then ten seconds each, and no later than the end. */
	assert_true(deadlines[2] == BEGIN + 10000);
	assert_true(deadlines[11] == BEGIN + 900 + 10000);
	assert_true(deadlines[12] == BEGIN + 1000 + 10000);
	assert_true(deadlines[13] == BEGIN + 11000);
	begin(NULL);
	guest.deadline = 77;
	stats_fail_at = 1;
	assert_int_equal(stats("3"), EXIT_NO_CONNECT);
	assert_string_equal(err, "balloonctl: no statistics\n");
	begin(NULL);
	stats_fail_at = 3;
	assert_int_equal(stats("3"), EXIT_NO_CONNECT);
	assert_string_equal(err, "balloonctl: no statistics\n");
	assert_int_equal(now, BEGIN + 100);
}

/* QEMU keeps whole seconds: a second report in the same one would go unnoticed. */
static void second_of_the_last_report_is_left_first(void **state)
{
	(void)state;
	answers = at_once;
	update = UNIX_BEGIN;
	new_at = BEGIN + 1000;
	assert_int_equal(stats("3"), EXIT_REACHED);
	assert_true(nr_pauses >= 1 && pauses[0] == 1000000000);
	/* That was none of the time in which QEMU is to answer. */
	assert_true(nr_told == 1 && told_by[0] == BEGIN + 1000 + 10000);
	begin(NULL);
	update = UNIX_BEGIN - 1;
	new_at = BEGIN + 50;
	assert_int_equal(stats("3"), EXIT_REACHED);
	assert_true(nr_pauses == 1 && pauses[0] == 100000000);
	/* Nobody waits for one that is not asked for. */
	begin(NULL);
	update = UNIX_BEGIN;
	assert_int_equal(stats("0"), EXIT_REACHED);
	assert_int_equal(nr_pauses, 0);
	assert_true(nr_told == 1 && told[0] == 0);
}

static void polling_that_goes_on_is_begun_anew(void **state)
{
	(void)state;
	answers = at_once;
	interval = 9;
	new_at = BEGIN + 50;
	assert_int_equal(stats("3"), EXIT_REACHED);
	assert_true(nr_told == 2 && told[0] == 0 && told[1] == 3);
	begin(NULL);
	interval = 9;
	assert_int_equal(stats("0"), EXIT_REACHED);
	assert_true(nr_told == 1 && told[0] == 0);
}

static void reason_why_no_report_can_come_is_told(void **state)
{
	static const struct answer no_driver[] = { { .left = FAKE_RAM, .no_driver = true }, LAST };
	static const struct answer paused[] = { { .left = FAKE_RAM, .paused = true }, LAST };
	static const struct answer lost[] = { { .err = -EPIPE }, LAST };

	(void)state;
	answers = no_driver;
	assert_int_equal(stats("3"), EXIT_NO_DRIVER);
	assert_string_equal(err, "balloonctl: no balloon driver runs in the guest\n");
	answers = paused;
	begin(NULL);
	assert_int_equal(stats("3"), EXIT_TIMEOUT);
	assert_string_equal(err, "balloonctl: the guest is paused and does not answer\n");
	answers = lost;
	begin(NULL);
	assert_int_equal(stats("3"), EXIT_NO_CONNECT);
	assert_string_equal(err, "balloonctl: the guest's own words\n");
}

/* ---- signs of life, look by look ---- */

static const struct guest_state willing = { .has_features = true, .accepted = 2 };

/* The sign at a time since the beginning, after which so many intervals were set in all. */
static void assert_sign(struct life *life, const struct guest_state *state, int64_t at,
			enum life_sign sign, unsigned nr)
{
	enum life_sign is = LIFE_MUTE;

	now = BEGIN + at;
	assert_int_equal(life_look(&guest, life, state, &is), 0);
	assert_int_equal(is, sign);
	assert_int_equal(nr_told, nr);
}

static void guest_is_asked_once_a_second(void **state)
{
	static const unsigned all[] = { 1, 0, 1, 0, 1, 0 };
	struct life life = { 0 };

	(void)state;
	assert_sign(&life, &willing, 0, LIFE_ASKED, 1);
	assert_sign(&life, &willing, 999, LIFE_ASKED, 1);
	assert_sign(&life, &willing, 1000, LIFE_ASKED, 3);
	/* From the last question on, when the look was late. */
	assert_sign(&life, &willing, 2500, LIFE_ASKED, 5);
	assert_sign(&life, &willing, 3499, LIFE_ASKED, 5);
	update++;
	assert_sign(&life, &willing, 3500, LIFE_SHOWN, 5);
	life_end(&guest, &life);
	assert_int_equal(nr_told, 6);
	assert_memory_equal(told, all, sizeof(all));
	life_end(&guest, &life);
	assert_int_equal(nr_told, 6);
}

/* Who polls already has its interval back each time, and keeps it. */
static void interval_of_somebody_else_stays(void **state)
{
	static const unsigned all[] = { 0, 7, 0, 7 };
	struct life life = { 0 };

	(void)state;
	interval = 7;
	assert_sign(&life, &willing, 0, LIFE_ASKED, 2);
	assert_sign(&life, &willing, 1000, LIFE_ASKED, 4);
	assert_memory_equal(told, all, sizeof(all));
	life_end(&guest, &life);
	assert_int_equal(nr_told, 4);
}

static void silence_begins_after_five_seconds(void **state)
{
	const struct guest_state unknown = { .has_features = false };
	struct life life = { 0 }, other = { 0 };

	(void)state;
	assert_sign(&life, &willing, 0, LIFE_ASKED, 1);
	assert_sign(&life, &willing, 4999, LIFE_ASKED, 3);
	assert_sign(&life, &willing, 5000, LIFE_SILENT, 3);
	/* It has sent some, so it could; else nobody knows. */
	assert_sign(&life, &unknown, 5000, LIFE_SILENT, 3);
	update = 0;
	assert_sign(&life, &unknown, 5000, LIFE_MUTE, 3);
	assert_sign(&life, &willing, 5000, LIFE_SILENT, 3);
	/* Nothing was ever sent: that is no change. */
	begin(NULL);
	update = 0;
	assert_sign(&other, &unknown, 0, LIFE_ASKED, 1);
	update = 1;
	assert_sign(&other, &unknown, 1, LIFE_SHOWN, 1);
}

/* Our own interval is not taken for somebody else's. */
static void forgotten_answer_is_asked_for_anew(void **state)
{
	static const unsigned all[] = { 1, 0, 1, 0 };
	struct life life = { 0 };

	(void)state;
	assert_sign(&life, &willing, 0, LIFE_ASKED, 1);
	update++;
	assert_sign(&life, &willing, 100, LIFE_SHOWN, 1);
	life_forget(&life);
	assert_sign(&life, &willing, 200, LIFE_ASKED, 3);
	assert_sign(&life, &willing, 5199, LIFE_ASKED, 5);
	assert_sign(&life, &willing, 5200, LIFE_SILENT, 5);
	assert_memory_equal(told, all, sizeof(all));
	assert_int_equal(life.interval, 0);
}

static void guest_that_sends_no_statistics_is_not_asked(void **state)
{
	const struct guest_state mute = { .has_features = true, .accepted = ~2ull };
	struct life life = { 0 };

	(void)state;
	assert_sign(&life, &mute, 0, LIFE_MUTE, 0);
	assert_int_equal(nr_stats, 0);
	life_end(&guest, &life);
	assert_int_equal(nr_told, 0);
}

/* What it says by itself is the answer, whatever its statistics do. */
static void driver_that_speaks_by_itself_is_not_asked(void **state)
{
	const struct guest_state unknown = { .has_driver = true, .driver_ok = true };
	struct life life = { 0 };

	(void)state;
	has_pulse = true;
	assert_sign(&life, &unknown, 0, LIFE_ASKED, 0);
	update++;
	assert_sign(&life, &unknown, 1000, LIFE_ASKED, 0);
	pulse++;
	assert_sign(&life, &unknown, 2000, LIFE_SHOWN, 0);
	life_forget(&life);
	update = 0;
	assert_sign(&life, &unknown, 3000, LIFE_ASKED, 0);
	assert_sign(&life, &unknown, 8000, LIFE_SILENT, 0);
	life_end(&guest, &life);
	assert_int_equal(nr_told, 0);
}

static void what_cannot_be_asked_is_an_error_or_a_mute(void **state)
{
	enum life_sign sign = LIFE_ASKED;
	struct life life = { 0 };

	(void)state;
	stats_fail_at = 1;
	assert_int_equal(life_look(&guest, &life, &willing, &sign), -EPIPE);
	assert_int_equal(sign, LIFE_MUTE);
	assert_false(life.asking);
	/* The first of two, and the second. */
	for (refuse_at = 1; refuse_at <= 2; refuse_at++) {
		life = (struct life){ 0 };
		nr_told = 0;
		interval = 7;
		refusal = -ETIMEDOUT;
		assert_int_equal(life_look(&guest, &life, &willing, &sign), -ETIMEDOUT);
		assert_int_equal(nr_told, refuse_at);
		life = (struct life){ 0 };
		nr_told = 0;
		interval = 7;
		refusal = -EREMOTEIO;
		assert_sign(&life, &willing, 0, LIFE_MUTE, refuse_at);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(pauses_grow_to_a_fifth_of_a_second, begin),
		cmocka_unit_test_setup(last_pause_ends_with_the_time, begin),
		cmocka_unit_test_setup(each_look_has_its_deadline, begin),
		cmocka_unit_test_setup(standstill_is_certain_after_the_patience, begin),
		cmocka_unit_test_setup(standstill_has_its_reason, begin),
		cmocka_unit_test_setup(time_that_is_up_has_its_reason, begin),
		cmocka_unit_test_setup(sign_of_life_is_asked_for_five_seconds, begin),
		cmocka_unit_test_setup(guest_is_asked_once_a_second, begin),
		cmocka_unit_test_setup(interval_of_somebody_else_stays, begin),
		cmocka_unit_test_setup(silence_begins_after_five_seconds, begin),
		cmocka_unit_test_setup(forgotten_answer_is_asked_for_anew, begin),
		cmocka_unit_test_setup(guest_that_sends_no_statistics_is_not_asked, begin),
		cmocka_unit_test_setup(driver_that_speaks_by_itself_is_not_asked, begin),
		cmocka_unit_test_setup(what_cannot_be_asked_is_an_error_or_a_mute, begin),
		cmocka_unit_test_setup(silence_is_told_apart, begin),
		cmocka_unit_test_setup(what_is_not_sure_is_not_reached, begin),
		cmocka_unit_test_setup(seconds_of_a_wait_are_those_of_the_command, begin),
		cmocka_unit_test_setup(report_is_waited_for_twice_its_time_and_five_seconds, begin),
		cmocka_unit_test_setup(report_that_comes_is_shown, begin),
		cmocka_unit_test_setup(each_look_at_statistics_has_its_deadline, begin),
		cmocka_unit_test_setup(second_of_the_last_report_is_left_first, begin),
		cmocka_unit_test_setup(polling_that_goes_on_is_begun_anew, begin),
		cmocka_unit_test_setup(reason_why_no_report_can_come_is_told, begin),
	};

	return cmocka_run_group_tests_name("balloonctl/clock", tests, NULL, NULL);
}
