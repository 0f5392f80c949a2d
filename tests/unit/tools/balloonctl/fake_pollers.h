/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fake_pollers.c: pollers that only say what a test wrote down, guests that are only found
 * and opened, and a clock that puts itself on while somebody waits. It stands in front of
 * poller.c and others by the linker's --wrap; tests/tests.mk has the list.
 */
#ifndef TESTS_UNIT_TOOLS_BALLOONCTL_FAKE_POLLERS_H
#define TESTS_UNIT_TOOLS_BALLOONCTL_FAKE_POLLERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tools/balloonctl/poller.h"

#define FAKE_BEGIN 5000000 /* of all tests, in milliseconds */
#define FAKE_POLLERS 16
#define FAKE_SAMPLES 12

/* Samples by the time at which they are there; the last one stays. */
struct poller {
	char name[16];
	struct poller_rate rate;
	struct sample samples[FAKE_SAMPLES];
	size_t count;
	bool stopped;
	char locale[32]; /* in which it was started: LC_CTYPE */
};

extern struct fake {
	int64_t now;	  /* milliseconds, of all clocks */
	int64_t stop_at;  /* SIGTERM comes then */
	int64_t slice_ms; /* so long is each sleep */
	struct poller pollers[FAKE_POLLERS];
	size_t nr_pollers; /* that were started */
	size_t nr_latest;  /* samples that were read */
	int64_t read_ms;   /* so long a reading waits for its sample */
	size_t nr_waits;   /* for a sample */
	uint64_t last_after;
	int start_err, state_err;
	struct guest_state state; /* of a guest that is asked once */
	size_t nr_found;    /* guests that are there: g0, g1 */
	int64_t another_at; /* one more is there from then on */
	size_t nr_lists;    /* how often they were looked for */
} fake;

/* Forgets all. */
void fake_begin(void);

/* Puts the clock on. */
void fake_pass(int64_t ms);

/* Adds the next sample of a poller, which is there so long after the beginning. */
struct sample *fake_add(size_t poller, int64_t ms);

/* Adds one that saw nothing. */
void fake_add_error(size_t poller, int64_t ms, int err, const char *why);

#endif
