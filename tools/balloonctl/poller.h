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

#include "tools/balloonctl/guest.h"

#define SAMPLE_ERROR 200

/* One look at a guest. */
struct sample {
	uint64_t number; /* 1 for the first one; 0: there was none yet */
	int64_t time;	 /* when it was there, by deadline_now() */
	int err;	 /* the guest is gone, and all that follows `error` is zero */
	char error[SAMPLE_ERROR];
	struct guest_state state;
	bool has_stats;
	struct guest_stats stats;
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

/* Stores a statistic, by STAT_ number; false: the guest has never said it. */
bool sample_stat(const struct sample *sample, unsigned stat, uint64_t *value);

#endif
