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
#include <time.h>

#include "tools/balloonctl/balloonctl.h"
#include "tools/balloonctl/life.h"
#include "tools/balloonctl/progress.h"
#include "tools/balloonctl/wait.h"
#include "tools/balloonctl/wait_signals.h"
#include "tools/deadline.h"

#define FIRST_POLL_MS 20 /* small changes take no longer */
#define POLL_MS 200
#define DEVICE_WORDS (GUEST_MEM_NAME + 100)
#define SILENT_MS 1000 /* a QEMU that says nothing for longer is the reason */

enum verdict {
	ON_ITS_WAY,
	INTERRUPTED,
	REACHED,
	CHANGED,
	OTHER_RAM, /* the guest did its part, but something else was plugged or unplugged */
	GONE,
	PANICKED,
	TIME_UP,
	STANDSTILL,
	MIGRATES,
	NO_LIFE
};

struct waiting {
	const struct wait_limits *limits;
	const struct wait_goal *goal;
	struct progress progress;
	struct guest_state state;
	int64_t last_move, last_answer;
	bool has_moved;	       /* by either means */
	bool device_moved;     /* the device of the goal has */
	bool lacks_mem_driver; /* for the device of the goal, as far as that is known */
	bool hides_mem_driver; /* whether there is one cannot be known, and it has not moved */
	struct life life;
};

/* ---- how far it is ---- */

static uint64_t plugged(const struct waiting *w, const struct guest_state *state)
{
	const struct guest_mem_device *device = NULL;

	if (w->goal->device)
		device = guest_find_device(state, w->goal->device);
	return device ? device->plugged : 0;
}

static uint64_t distance(uint64_t is, uint64_t goal)
{
	return is > goal ? is - goal : goal - is;
}

/* What the balloon still has to move; 0: nothing, or it is not waited for. */
static uint64_t balloon_rest(const struct waiting *w)
{
	return w->goal->balloon ? distance(w->state.taken, w->goal->taken) : 0;
}

static uint64_t device_rest(const struct waiting *w)
{
	return w->goal->device ? distance(plugged(w, &w->state), w->goal->requested) : 0;
}

/* What is left to the guest when it is there, with the RAM that it has otherwise now. */
static uint64_t whole_goal(const struct waiting *w)
{
	uint64_t taken = w->goal->balloon ? w->goal->taken : w->state.taken;
	uint64_t counted = w->state.base + w->state.dimms;
	uint64_t left = w->state.grown + (taken < counted ? counted - taken : 0);

	return w->goal->device ? left - plugged(w, &w->state) + w->goal->requested : left;
}

/* ---- looks ---- */

static void sleep_ms(int ms)
{
	struct timespec time = { ms / 1000, ms % 1000 * 1000000l };

	nanosleep(&time, NULL);
}

/* What was asked for; a number that had to be corrected does not count. */
static bool is_done(const struct waiting *w)
{
	return !balloon_rest(w) && !device_rest(w) && !*w->state.complaint;
}

/* Whether what is left to the guest in all has to be right, and is not. */
static bool is_elsewhere(const struct waiting *w)
{
	return w->goal->left && w->state.left != w->goal->left;
}

/* Whether virtio-mem is still to change what is left to the guest in all. */
static bool is_restless(const struct waiting *w)
{
	return w->goal->left && w->state.requested != w->state.grown;
}

/* "; m0 has 1.000 GiB plugged of 2.000 GiB", or nothing. */
static void device_words(const struct waiting *w, char *words, size_t size)
{
	char is[SIZE_TEXT], goal[SIZE_TEXT];

	*words = '\0';
	if (device_rest(w))
		snprintf(words, size, "; %s has %s plugged, and %s are requested", w->goal->device,
			 size_word(plugged(w, &w->state), is), size_word(w->goal->requested, goal));
}

static int complain_shortfall(const struct waiting *w)
{
	bool unknown = (balloon_rest(w) && !w->state.has_driver) ||
		       (device_rest(w) && w->hides_mem_driver);
	char away[SIZE_TEXT], at[SIZE_TEXT], device[DEVICE_WORDS];

	device_words(w, device, sizeof(device));
	complain("shortfall of %s: nothing has moved for %u s, the guest stays at %s left%s%s",
		 size_word(balloon_rest(w) + device_rest(w), away), w->limits->patience,
		 size_word(w->state.left, at), device,
		 unknown ? " (whether it has a driver, this QEMU does not tell)" : "");
	return EXIT_SHORTFALL;
}

/* Nothing newer is known of the guest when time is up. */
static bool is_silent(const struct waiting *w)
{
	return deadline_now() - w->last_answer > SILENT_MS;
}

/* One of those that have something to do. */
static bool lacks_driver(const struct waiting *w)
{
	return (balloon_rest(w) && w->state.has_driver && !w->state.driver_ok) ||
	       (device_rest(w) && w->lacks_mem_driver);
}

static int complain_no_driver(const struct waiting *w)
{
	if (device_rest(w) && w->lacks_mem_driver)
		complain("no driver runs %s in the guest; what is requested is kept for one that "
			 "comes",
			 w->goal->device);
	else
		complain("no balloon driver runs in the guest; the target is kept for one that "
			 "comes");
	return EXIT_NO_DRIVER;
}

/* The guest is where it should be, but will not stay there. */
static int complain_restless(const struct waiting *w, const char *why)
{
	char plugged[SIZE_TEXT], requested[SIZE_TEXT];

	complain(
		"%s; the target is reached, but virtio-mem, which has %s plugged and %s requested, "
		"is still to change what is left",
		why, size_word(w->state.grown, plugged), size_word(w->state.requested, requested));
	return EXIT_TIMEOUT;
}

static int complain_other_ram(const struct waiting *w)
{
	char change[SIZE_TEXT], left[SIZE_TEXT], goal[SIZE_TEXT];

	complain("%s %s is plugged now than when the target was set: the guest has %s left, and "
		 "not %s",
		 size_word(distance(w->state.left, w->goal->left), change),
		 w->state.left > w->goal->left ? "more" : "less", size_word(w->state.left, left),
		 size_word(w->goal->left, goal));
	return EXIT_WRONG;
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
	if (is_done(w))
		return complain_restless(w, "time is up");
	if (lacks_driver(w))
		return complain_no_driver(w);
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
	if (is_done(w))
		return complain_restless(w, "the guest is paused");
	if (lacks_driver(w))
		return complain_no_driver(w);
	if (w->state.paused) {
		complain("the guest is paused and cannot move to its target");
		return EXIT_TIMEOUT;
	}
	return complain_shortfall(w);
}

/* Why a guest that may be alive has not answered. */
static const char *silence_words(const struct guest_state *state)
{
	if (state->lacks_balloon)
		return "a guest without a balloon cannot be asked";
	if (*state->hypervisor)
		return "its driver says nothing to the hypervisor";
	return state->has_features && !(state->accepted >> STATS_VQ_BIT & 1)
		       ? "its driver answers no questions (it has no STATS_VQ)"
		       : "the guest does not answer when asked for statistics";
}

static int complain_migration(const struct waiting *w)
{
	char at[SIZE_TEXT], device[DEVICE_WORDS];

	device_words(w, device, sizeof(device));
	complain("QEMU moves the guest, and requests wait until that is over: %s left%s",
		 size_word(w->state.left, at), device);
	return EXIT_TIMEOUT;
}

/* It may be dead, or hang: what it last reported is no answer. */
static int complain_no_life(const struct waiting *w)
{
	char at[SIZE_TEXT], device[DEVICE_WORDS];

	device_words(w, device, sizeof(device));
	complain("no sign of life: nothing has moved for %u s, and %s; the guest last reported "
		 "%s left%s",
		 w->limits->patience, silence_words(&w->state), size_word(w->state.left, at),
		 device);
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
	case OTHER_RAM:
		return complain_other_ram(w);
	case GONE:
		complain("the device %s is no longer in the machine", w->goal->device);
		return EXIT_WRONG;
	case MIGRATES:
		return complain_migration(w);
	case TIME_UP:
		return complain_time(w);
	default:
		return complain_standstill(w);
	}
}

/* Whether what was asked of the guest is no longer what is asked of it. */
static bool is_changed(const struct waiting *w)
{
	const struct guest_mem_device *device = NULL;

	if (w->goal->device)
		device = guest_find_device(&w->state, w->goal->device);
	return (w->goal->balloon && w->state.has_target &&
		w->state.ram - w->state.target_left != w->goal->taken) ||
	       (device && device->requested != w->goal->requested);
}

/* A device that makes no sense is there, though it is not among those that do. */
static bool is_gone(const struct waiting *w)
{
	return w->goal->device && !guest_find_device(&w->state, w->goal->device) &&
	       !*w->state.complaint;
}

static void note_moves(struct waiting *w, const struct guest_state *before, int64_t now)
{
	bool device_moves = plugged(w, &w->state) != plugged(w, before);

	if (!device_moves && w->state.taken == before->taken)
		return;
	w->last_move = now;
	w->has_moved = true;
	w->device_moved |= device_moves;
	life_forget(&w->life);
}

static enum verdict judge(struct waiting *w, const struct guest_state *before, int64_t now)
{
	if (w->state.panicked)
		return PANICKED;
	if (is_gone(w))
		return GONE;
	if (is_done(w) && is_elsewhere(w))
		return OTHER_RAM;
	if (is_done(w) && !is_restless(w))
		return REACHED;
	if (is_changed(w))
		return CHANGED;
	note_moves(w, before, now);
	if (now >= w->limits->end)
		return TIME_UP;
	if (now - w->last_move >= (int64_t)w->limits->patience * 1000)
		return is_done(w) && !w->state.paused ? REACHED : STANDSTILL;
	return ON_ITS_WAY;
}

/* A device that has done nothing may be one that nobody drives. */
static int find_mem_driver(struct guest *guest, struct waiting *w)
{
	bool driver_ok;
	int err;

	w->lacks_mem_driver = w->hides_mem_driver = false;
	if (w->device_moved || !device_rest(w))
		return 0;
	err = guest_find_driver(guest, w->goal->device, &driver_ok);
	w->lacks_mem_driver = !err && !driver_ok;
	w->hides_mem_driver = err == -ENOTSUP;
	return err == -ENOTSUP || err == -ENODEV ? 0 : err;
}

/* What a device should do waits for the end of a migration, whatever the guest does. */
static int judge_migration(struct guest *guest, enum verdict *verdict)
{
	bool migrates;
	int err = guest_find_migration(guest, &migrates);

	if (!err && migrates)
		*verdict = MIGRATES;
	return err == -ENOTSUP ? 0 : err;
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
	err = device_rest(w) ? judge_migration(guest, verdict) : 0;
	if (err || *verdict == MIGRATES)
		return err;
	wait_signals_hold();
	err = life_look(guest, &w->life, &w->state, &sign);
	if (sign == LIFE_ASKED)
		*verdict = ON_ITS_WAY;
	else if (sign == LIFE_SILENT || (sign == LIFE_MUTE && !w->has_moved))
		*verdict = NO_LIFE;
	return err;
}

/* Takes what was seen now; errors are those of guest_state(). */
static int take_look(struct guest *guest, struct waiting *w, const struct guest_state *seen,
		     enum verdict *verdict)
{
	struct guest_state before = w->state;
	int64_t now = deadline_now();
	int err;

	w->state = *seen;
	w->last_answer = now;
	w->progress.goal = whole_goal(w);
	if (!w->limits->quiet)
		progress_update(&w->progress, seen->ram, seen->left, now);
	*verdict = judge(w, &before, now);
	if (*verdict != ON_ITS_WAY && *verdict != STANDSTILL && *verdict != TIME_UP)
		return 0;
	err = find_mem_driver(guest, w);
	if (!err && *verdict == STANDSTILL)
		err = judge_standstill(guest, w, verdict);
	return err;
}

/* Looks once; errors are those of guest_state(), but time that is up is a verdict. */
static int look(struct guest *guest, struct waiting *w, enum verdict *verdict)
{
	struct guest_state state;
	int err;

	*verdict = TIME_UP;
	if (deadline_left(w->limits->end) == 0)
		return 0;
	guest_set_deadline(guest, deadline_first(w->limits->end, deadline_in(w->limits->look_ms)));
	err = w->goal->balloon ? guest_state(guest, &state) : guest_memory(guest, &state);
	if (!err)
		err = take_look(guest, w, &state, verdict);
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
		if (wait_signals_held())
			*verdict = INTERRUPTED;
	} while (!err && *verdict == ON_ITS_WAY);
	return err;
}

int wait_for_target(struct guest *guest, struct guest_state *state, const struct wait_goal *goal,
		    const struct wait_limits *limits)
{
	int64_t now = deadline_now();
	struct waiting w = {
		.limits = limits,
		.goal = goal,
		.state = *state,
		.last_move = now,
		.last_answer = now,
	};
	enum verdict verdict;
	int err;

	assert((goal->balloon || goal->device) && limits->patience > 0 && limits->look_ms > 0);
	progress_begin(&w.progress, state->ram, state->left, whole_goal(&w), now);
	wait_signals_watch(whole_goal(&w), w.progress.terminal && !limits->quiet);
	err = poll_guest(guest, &w, &verdict);
	/* A complaint does not go on the bar's line. */
	progress_end(&w.progress);
	life_end(guest, &w.life);
	wait_signals_unwatch();
	*state = w.state;
	if (err || (verdict == TIME_UP && is_silent(&w)))
		state->ram = 0;
	return err ? guest_failed(guest, err) : end_with(&w, verdict);
}
