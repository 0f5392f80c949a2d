/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Waiting for a guest: see wait.h. The guest is asked again and again; QEMU's
 * BALLOON_CHANGE events come once a second at most and would tell less. A guest
 * that moves no more has not failed: it keeps what it needs. That is the
 * shortfall, and is told apart from a guest that cannot move at all. Only a guest that
 * has shown that it lives since it stood still is said to fall short.
 */
#include <assert.h>
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "tools/balloonctl/balloonctl.h"
#include "tools/balloonctl/life.h"
#include "tools/balloonctl/periodic.h"
#include "tools/balloonctl/progress.h"
#include "tools/balloonctl/wait.h"
#include "tools/deadline.h"

#define FIRST_POLL_MS 20 /* small changes take no longer */
#define POLL_MS 200
#define SILENT_MS 1000 /* a QEMU that says nothing for longer is the reason */

enum verdict { ON_ITS_WAY, INTERRUPTED, REACHED, CHANGED, PANICKED, TIME_UP, STANDSTILL, NO_LIFE };

struct waiting {
	const struct wait_limits *limits;
	struct progress progress;
	struct guest_state state;
	uint64_t goal;
	int64_t last_move, last_answer;
	bool has_moved;
	struct life life;
};

/* ---- signals ---- */

static const int signals[] = { SIGINT, SIGTERM, SIGHUP, SIGPIPE };
static char farewell[300];
static volatile sig_atomic_t caught, must_restore;

static void die(int number)
{
	signal(number, SIG_DFL);
	raise(number);
}

/* At once, however long QEMU takes; but a guest that is asked for statistics is restored. */
static void on_signal(int number)
{
	ssize_t n = 0;

	if (must_restore && !caught) {
		caught = number;
		return;
	}
	/* Whoever reads no more needs no words. */
	if (number != SIGPIPE)
		n = write(STDERR_FILENO, farewell, strlen(farewell));
	(void)n;
	die(number);
}

static void watch_signals(uint64_t goal, bool bar)
{
	char left[SIZE_TEXT];

	/* It does not go on the bar's line. */
	farewell[0] = '\n';
	complaint(farewell + bar, sizeof(farewell) - bar,
		  "interrupted; the target of %s left stands, whether the guest reaches it or not",
		  size_word(goal, left));
	caught = must_restore = 0;
	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		catch_signal(signals[i], on_signal);
}

static void unwatch_signals(void)
{
	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		catch_signal(signals[i], SIG_DFL);
}

/* ---- looks ---- */

static void sleep_ms(int ms)
{
	struct timespec time = { ms / 1000, ms % 1000 * 1000000l };

	nanosleep(&time, NULL);
}

/* A number that had to be corrected does not count. */
static bool is_reached(const struct waiting *w)
{
	return w->state.left == w->goal && !*w->state.complaint;
}

static int complain_shortfall(const struct waiting *w)
{
	uint64_t left = w->state.left;
	char away[SIZE_TEXT], at[SIZE_TEXT];

	complain("shortfall of %s: nothing has moved for %u s, the guest stays at %s left%s",
		 size_word(left > w->goal ? left - w->goal : w->goal - left, away),
		 w->limits->patience, size_word(left, at),
		 w->state.has_features ? ""
				       : " (whether it has a driver, this QEMU does not tell)");
	return EXIT_SHORTFALL;
}

/* Nothing newer is known of the guest when time is up. */
static bool is_silent(const struct waiting *w)
{
	return deadline_now() - w->last_answer > SILENT_MS;
}

static bool lacks_driver(const struct waiting *w)
{
	return w->state.has_features && !w->state.driver_ok;
}

static int complain_no_driver(void)
{
	complain("no balloon driver runs in the guest; the target is kept for one that comes");
	return EXIT_NO_DRIVER;
}

/*
 * Time can be up before a standstill is certain, which takes patience; but a guest
 * that has not moved at all is not progressing.
 */
static int complain_time(const struct waiting *w)
{
	const char *why = "is still on its way";

	if (is_silent(w)) {
		complain("time is up after %u s, and nobody answers for the guest",
			 w->limits->seconds);
		return EXIT_TIMEOUT;
	}
	if (lacks_driver(w))
		return complain_no_driver();
	if (w->state.paused)
		why = "is paused";
	else if (!w->has_moved)
		why = "has not moved";
	complain("time is up after %u s, and the guest %s", w->limits->seconds, why);
	return EXIT_TIMEOUT;
}

/* Nothing has moved for so long: says why. */
static int complain_standstill(const struct waiting *w)
{
	if (lacks_driver(w))
		return complain_no_driver();
	if (w->state.paused) {
		complain("the guest is paused and cannot move to its target");
		return EXIT_TIMEOUT;
	}
	return complain_shortfall(w);
}

/* It may be dead, or hang: what it last reported is no answer. */
static int complain_no_life(const struct waiting *w)
{
	char at[SIZE_TEXT];

	complain("no sign of life: nothing has moved for %u s, and %s; the guest last reported "
		 "%s left",
		 w->limits->patience,
		 w->state.has_features && !(w->state.accepted >> STATS_VQ_BIT & 1)
			 ? "its driver answers no questions (it has no STATS_VQ)"
			 : "the guest does not answer when asked for statistics",
		 size_word(w->state.left, at));
	return EXIT_TIMEOUT;
}

static int end_with(const struct waiting *w, enum verdict verdict)
{
	switch (verdict) {
	case REACHED:
		return EXIT_REACHED;
	case PANICKED:
		complain("the guest has panicked and cannot move to its target");
		return EXIT_TIMEOUT;
	case NO_LIFE:
		return complain_no_life(w);
	case CHANGED:
		complain("somebody else has set another target meanwhile");
		return EXIT_WRONG;
	case TIME_UP:
		return complain_time(w);
	default:
		return complain_standstill(w);
	}
}

static enum verdict judge(struct waiting *w, uint64_t left_before, int64_t now)
{
	if (w->state.panicked)
		return PANICKED;
	if (is_reached(w))
		return REACHED;
	if (w->state.has_target && w->state.target_left != w->goal)
		return CHANGED;
	if (w->state.left != left_before) {
		w->last_move = now;
		w->has_moved = true;
		life_forget(&w->life);
	}
	if (now >= w->limits->end)
		return TIME_UP;
	if (now - w->last_move >= (int64_t)w->limits->patience * 1000)
		return STANDSTILL;
	return ON_ITS_WAY;
}

/*
 * A guest that stands still is asked whether it lives. One whose driver can say nothing
 * has shown it if it moved since the target was set.
 */
static int judge_standstill(struct guest *guest, struct waiting *w, enum verdict *verdict)
{
	enum life_sign sign;
	int err;

	if (lacks_driver(w) || w->state.paused)
		return 0;
	must_restore = 1;
	err = life_look(guest, &w->life, &w->state, &sign);
	if (sign == LIFE_ASKED)
		*verdict = ON_ITS_WAY;
	else if (sign == LIFE_SILENT || (sign == LIFE_MUTE && !w->has_moved))
		*verdict = NO_LIFE;
	return err;
}

/* Looks once; errors are those of guest_state(), but time that is up is a verdict. */
static int look(struct guest *guest, struct waiting *w, enum verdict *verdict)
{
	uint64_t left_before = w->state.left;
	struct guest_state state;
	int err;

	*verdict = TIME_UP;
	if (deadline_left(w->limits->end) == 0)
		return 0;
	guest_set_deadline(guest, deadline_first(w->limits->end, deadline_in(w->limits->look_ms)));
	err = guest_state(guest, &state);
	if (!err) {
		int64_t now = deadline_now();

		w->state = state;
		w->last_answer = now;
		if (!w->limits->quiet)
			progress_update(&w->progress, state.ram, state.left, now);
		*verdict = judge(w, left_before, now);
		if (*verdict == STANDSTILL)
			err = judge_standstill(guest, w, verdict);
	}
	if (err != -ETIMEDOUT || deadline_left(w->limits->end))
		return err;
	*verdict = TIME_UP;
	return 0;
}

/* Looks at the guest until the verdict is final; errors are those of guest_state(). */
static int poll_guest(struct guest *guest, struct waiting *w, enum verdict *verdict)
{
	int pause = FIRST_POLL_MS;
	int err;

	do {
		int left = deadline_left(w->limits->end);

		sleep_ms(pause < left ? pause : left);
		pause = pause * 2 < POLL_MS ? pause * 2 : POLL_MS;
		err = look(guest, w, verdict);
		if (caught)
			*verdict = INTERRUPTED;
	} while (!err && *verdict == ON_ITS_WAY);
	return err;
}

int wait_for_target(struct guest *guest, struct guest_state *state, uint64_t goal,
		    const struct wait_limits *limits)
{
	int64_t now = deadline_now();
	struct waiting w = {
		.limits = limits,
		.state = *state,
		.goal = goal,
		.last_move = now,
		.last_answer = now,
	};
	enum verdict verdict;
	int err;

	assert(goal <= state->ram && limits->patience > 0 && limits->look_ms > 0);
	progress_begin(&w.progress, state->ram, state->left, goal, now);
	watch_signals(goal, w.progress.terminal && !limits->quiet);
	err = poll_guest(guest, &w, &verdict);
	/* A complaint does not go on the bar's line. */
	progress_end(&w.progress);
	life_end(guest, &w.life);
	if (caught)
		on_signal(caught);
	unwatch_signals();
	*state = w.state;
	if (err || (verdict == TIME_UP && is_silent(&w)))
		state->ram = 0;
	return err ? guest_failed(guest, err) : end_with(&w, verdict);
}
