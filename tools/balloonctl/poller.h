/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * poller.c: looks at one guest again and again in a thread of its own, so that a
 * screen of many guests never waits for one that hangs. A guest that is gone
 * is looked for until it is back.
 *
 * A QMP socket serves one client at a time, so the connection is given up
 * after each look; others get their turn between.
 */
#ifndef TOOLS_BALLOONCTL_POLLER_H
#define TOOLS_BALLOONCTL_POLLER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kernel/situation.h"
#include "tools/balloonctl/guest.h"

#define SAMPLE_ERROR 200

/*
 * One look at a guest. After one that found it busy (err is -EBUSY) what follows `error`
 * is what was seen last, if ever; after any other error it is zero.
 */
struct sample {
	uint64_t number; /* 1 for the first one; 0: there was none yet */
	int64_t time;	 /* when it was there, by deadline_now() */
	int err;
	char error[SAMPLE_ERROR];
	int64_t seen; /* when what follows was true, by deadline_now(); 0: nothing is known */
	struct guest_state state;
	bool has_stats;
	struct guest_stats stats;
	struct situation situation; /* by the statistics of the last seconds */
	bool has_cost;
	struct guest_cost cost;
};

struct poller_rate {
	int interval_ms; /* between two looks */
	int timeout_ms;	 /* for all answers of a look */
	/*
	 * If nobody asks the guest for statistics, have it asked every so many
	 * seconds, until the poller stops; 0: leave that as it is.
	 */
	unsigned stats_interval;
};

struct poller;

/*
 * Starts looking at a guest, named as for guest_open(), but not NULL; *out is the
 * caller's by poller_stop(). -ENOMEM; -EAGAIN: there are too many threads. A guest
 * that is not there is no error: the samples say so.
 */
int poller_start(const char *name, const struct poller_rate *rate, struct poller **out);

/* Gives the guest's name, as it was given to poller_start(). */
const char *poller_name(const struct poller *poller);

/* Copies the newest sample; never waits. */
void poller_latest(struct poller *poller, struct sample *sample);

/* Waits at most so long for a sample after number `after`; copies the newest in any case. */
bool poller_wait(struct poller *poller, uint64_t after, int timeout_ms, struct sample *sample);

/* Tells the thread to end; called for several before any of them is waited for. */
void poller_ask_stop(struct poller *poller);

/*
 * Ends the thread, waiting for a guest that hangs no longer than a second:
 * the thread then ends with its look. NULL is allowed.
 */
void poller_stop(struct poller *poller);

/* What a look has found; X(constant, word). */
#define CONDITION_TABLE(X) \
	X(CONDITION_PENDING, "pending")	      /* there was no look yet */ \
	X(CONDITION_UP, "up")		      /* it answers */ \
	X(CONDITION_PANICKED, "panicked")     /* QEMU answers, and the guest has said so */ \
	X(CONDITION_BUSY, "busy")	      /* its socket serves another client */ \
	X(CONDITION_NO_ANSWER, "no_answer")   /* it is there, and says nothing */ \
	X(CONDITION_NO_BALLOON, "no_balloon") /* it answers: guest_look() has nothing to see */ \
	X(CONDITION_GONE, "gone")	      /* there is nobody to connect to */ \
	X(CONDITION_FAILED, "failed")	      /* anything else: see the sample's `error` */

#define CONDITION_CONSTANT(constant, word) constant,
enum condition { CONDITION_TABLE(CONDITION_CONSTANT) CONDITIONS };
#undef CONDITION_CONSTANT

/* Gives what the look has found, whatever was seen before. */
enum condition sample_condition(const struct sample *sample);

/* Gives the condition in one word, as "no_answer". */
const char *condition_word(enum condition condition);

/* Stores a statistic, by STAT_ number; false: the guest has never said it. */
bool sample_stat(const struct sample *sample, unsigned stat, uint64_t *value);

#endif
