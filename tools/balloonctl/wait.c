/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Waiting for a guest: see wait.h. The guest is asked again and again; QEMU's
 * BALLOON_CHANGE events come once a second at most and would tell less. A guest
 * that moves no more has not failed: it keeps what it needs. That is the
 * shortfall, and is told apart from a guest that cannot move at all.
 */
#include <assert.h>
#include <errno.h>
#include <time.h>

#include "tools/balloonctl/balloonctl.h"
#include "tools/balloonctl/progress.h"
#include "tools/balloonctl/wait.h"
#include "tools/deadline.h"

#define FIRST_POLL_MS 20 /* small changes take no longer */
#define POLL_MS 200

enum verdict { ON_ITS_WAY, REACHED, CHANGED, TIME_UP, STANDSTILL };

struct waiting {
	const struct wait_limits *limits;
	struct progress progress;
	struct guest_state state;
	uint64_t goal;
	int64_t end; /* time is up then; 0: never */
	int64_t last_move;
	bool has_moved;
};

static void sleep_ms(long ms)
{
	struct timespec time = { ms / 1000, ms % 1000 * 1000000 };

	nanosleep(&time, NULL);
}

/* A number that had to be corrected does not count. */
static bool is_reached(const struct waiting *w)
{
	return w->state.left == w->goal && w->state.complaint[0] == '\0';
}

static int complain_shortfall(const struct waiting *w)
{
	uint64_t left = w->state.left;
	char away[SIZE_TEXT], at[SIZE_TEXT];

	size_format(left > w->goal ? left - w->goal : w->goal - left, away);
	size_format(left, at);
	complain("shortfall of %s: nothing has moved for %u s, the guest stays at %s left%s", away,
		 w->limits->patience, at,
		 w->state.has_features ? ""
				       : " (whether it has a driver, this QEMU does not tell)");
	return EXIT_SHORTFALL;
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

static int end_with(const struct waiting *w, enum verdict verdict)
{
	switch (verdict) {
	case REACHED:
		return EXIT_REACHED;
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
	if (is_reached(w))
		return REACHED;
	if (w->state.has_target && w->state.target_left != w->goal)
		return CHANGED;
	if (w->state.left != left_before) {
		w->last_move = now;
		w->has_moved = true;
	}
	if (w->end && now >= w->end)
		return TIME_UP;
	if (now - w->last_move >= (int64_t)w->limits->patience * 1000)
		return STANDSTILL;
	return ON_ITS_WAY;
}

/* Asks the guest until the verdict is final; errors are those of guest_state(). */
static int poll_guest(struct guest *guest, struct waiting *w, enum verdict *verdict)
{
	long pause = FIRST_POLL_MS;

	do {
		uint64_t left_before = w->state.left;
		int64_t now;
		int err;

		sleep_ms(pause);
		pause = pause * 2 < POLL_MS ? pause * 2 : POLL_MS;
		err = guest_state(guest, &w->state);
		if (err)
			return err;
		now = deadline_now();
		progress_update(&w->progress, w->state.left, now);
		*verdict = judge(w, left_before, now);
	} while (*verdict == ON_ITS_WAY);
	return 0;
}

int wait_for_target(struct guest *guest, const struct guest_state *before, uint64_t goal,
		    const struct wait_limits *limits)
{
	int64_t now = deadline_now();
	struct waiting w = {
		.limits = limits,
		.state = *before,
		.goal = goal,
		.end = limits->seconds ? now + (int64_t)limits->seconds * 1000 : 0,
		.last_move = now,
	};
	enum verdict verdict;
	int err;

	assert(goal <= before->ram && limits->patience > 0);
	progress_begin(&w.progress, before->ram, before->left, goal, now);
	err = poll_guest(guest, &w, &verdict);
	/* A complaint does not go on the bar's line. */
	progress_end(&w.progress);
	return err ? guest_failed(guest, err) : end_with(&w, verdict);
}
