/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A thread that looks at a guest: see poller.h. Its owner frees the poller when the
 * thread has ended. One that waits for a guest that does not answer cannot be ended, only
 * left to end later, and then frees it.
 */
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/balloonctl/guest_situation.h"
#include "tools/balloonctl/poller.h"
#include "tools/balloonctl/thread.h"
#include "tools/deadline.h"

#define STOP_MS 1000

struct poller {
	struct thread_share share;
	bool stop;	 /* the thread is told to end */
	int64_t stop_by; /* its owner waits until then at most */
	struct sample sample;

	/* The thread's own. */
	char *name;
	struct poller_rate rate;
	struct guest *guest;
	bool asks; /* we have set the interval of the statistics */
	struct guest_readings readings;
};

static void free_poller(struct poller *poller)
{
	thread_share_destroy(&poller->share);
	free(poller->name);
	free(poller);
}

/* ---- a look ---- */

static void disconnect(struct poller *poller)
{
	guest_close(poller->guest);
	poller->guest = NULL;
}

static void ask_for_stats(struct poller *poller, const struct sample *sample)
{
	if (!poller->rate.stats_interval || !sample->has_stats || sample->stats.interval ||
	    sample->stats.way != STATS_ASKED)
		return;
	poller->asks = !guest_set_interval(poller->guest, poller->rate.stats_interval);
}

static int look_at(struct poller *poller, struct sample *sample)
{
	struct guest *guest = poller->guest;
	int err = guest_look(guest, &sample->state);

	if (err) {
		snprintf(sample->error, sizeof(sample->error), "%s", guest_error(guest));
		memset(&sample->state, 0, sizeof(sample->state));
		return err;
	}
	/* The rest may be missing without the guest being gone. */
	if (!sample->state.lacks_balloon)
		sample->has_stats = !guest_stats(guest, &sample->stats);
	if (sample->has_stats)
		guest_readings_add(&poller->readings, &sample->stats);
	sample->situation = poller->readings.readings.situation;
	sample->has_cost = !guest_cost(guest, &sample->cost);
	ask_for_stats(poller, sample);
	return 0;
}

/* Connects, or goes on with the connection; there is a new deadline in any case. */
static int connect_guest(struct poller *poller, char error[SAMPLE_ERROR])
{
	int64_t deadline = deadline_in(poller->rate.timeout_ms);
	char *why = NULL;
	int err;

	if (poller->guest) {
		guest_set_deadline(poller->guest, deadline);
		return 0;
	}
	err = guest_open(poller->name, deadline, &poller->guest, &why);
	if (err)
		snprintf(error, SAMPLE_ERROR, "%s", why ? why : strerror(-err));
	free(why);
	return err;
}

static void look(struct poller *poller, struct sample *sample)
{
	memset(sample, 0, sizeof(*sample));
	sample->err = connect_guest(poller, sample->error);
	if (!sample->err)
		sample->err = look_at(poller, sample);
	sample->time = deadline_now();
	if (!sample->err)
		sample->seen = sample->time;
	/* To connect anew each time is expensive over ssh. */
	if (sample->err || !guest_may_be_kept(poller->guest))
		disconnect(poller);
}

/* ---- the thread ---- */

/* Somebody else's connection changes nothing of what was seen before it. */
static void keep_seen(const struct sample *before, struct sample *sample)
{
	struct sample kept = *before;

	kept.time = sample->time;
	kept.err = sample->err;
	memcpy(kept.error, sample->error, sizeof(kept.error));
	*sample = kept;
}

static void publish(struct poller *poller, struct sample *sample)
{
	pthread_mutex_lock(&poller->share.lock);
	if (sample->err == -EBUSY)
		keep_seen(&poller->sample, sample);
	sample->number = poller->sample.number + 1;
	poller->sample = *sample;
	pthread_cond_broadcast(&poller->share.changed);
	pthread_mutex_unlock(&poller->share.lock);
}

/* Waits until `time`; false: told to end. */
static bool pause_until(struct poller *poller, int64_t time)
{
	bool stop;

	pthread_mutex_lock(&poller->share.lock);
	while (!poller->stop && deadline_left(time) > 0)
		thread_wait(&poller->share.changed, &poller->share.lock, time);
	stop = poller->stop;
	pthread_mutex_unlock(&poller->share.lock);
	return !stop;
}

/* Leave the guest as it was found. */
static void undo(struct poller *poller)
{
	char error[SAMPLE_ERROR];

	if (poller->asks && !connect_guest(poller, error))
		guest_set_interval(poller->guest, 0);
	disconnect(poller);
}

static void *run(void *arg)
{
	struct poller *poller = arg;
	int64_t next = deadline_now();

	do {
		struct sample sample;
		int64_t now;

		look(poller, &sample);
		publish(poller, &sample);
		/* Late looks are not made up for. */
		now = deadline_now();
		next += poller->rate.interval_ms;
		if (next < now)
			next = now + (poller->rate.interval_ms > 100 ? 10 : 1);
	} while (pause_until(poller, next));
	undo(poller);
	if (thread_share_end(&poller->share))
		free_poller(poller);
	return NULL;
}

int poller_start(const char *name, const struct poller_rate *rate, struct poller **out)
{
	struct poller *poller = calloc(1, sizeof(*poller));
	int err;

	if (!poller)
		return -ENOMEM;
	assert(name && rate->interval_ms > 0 && rate->timeout_ms > 0);
	poller->name = strdup(name);
	poller->rate = *rate;
	thread_share_init(&poller->share);
	err = poller->name ? thread_share_start(&poller->share, run, poller) : -ENOMEM;
	if (err) {
		free_poller(poller);
		return err;
	}
	*out = poller;
	return 0;
}

/* ---- its owner ---- */

const char *poller_name(const struct poller *poller)
{
	return poller->name;
}

void poller_latest(struct poller *poller, struct sample *sample)
{
	pthread_mutex_lock(&poller->share.lock);
	*sample = poller->sample;
	pthread_mutex_unlock(&poller->share.lock);
}

bool poller_wait(struct poller *poller, uint64_t after, int timeout_ms, struct sample *sample)
{
	int64_t deadline = deadline_in(timeout_ms);

	pthread_mutex_lock(&poller->share.lock);
	while (poller->sample.number <= after && deadline_left(deadline) > 0)
		thread_wait(&poller->share.changed, &poller->share.lock, deadline);
	*sample = poller->sample;
	pthread_mutex_unlock(&poller->share.lock);
	return sample->number > after;
}

void poller_ask_stop(struct poller *poller)
{
	pthread_mutex_lock(&poller->share.lock);
	if (!poller->stop)
		poller->stop_by = deadline_in(STOP_MS);
	poller->stop = true;
	pthread_cond_broadcast(&poller->share.changed);
	pthread_mutex_unlock(&poller->share.lock);
}

void poller_stop(struct poller *poller)
{
	if (!poller)
		return;
	poller_ask_stop(poller);
	pthread_mutex_lock(&poller->share.lock);
	while (!poller->share.ended && deadline_left(poller->stop_by) > 0)
		thread_wait(&poller->share.changed, &poller->share.lock, poller->stop_by);
	if (thread_share_leave(&poller->share))
		free_poller(poller);
}

enum condition sample_condition(const struct sample *sample)
{
	if (sample->number == 0)
		return CONDITION_PENDING;
	switch (sample->err) {
	case 0:
		return sample->state.panicked ? CONDITION_PANICKED : CONDITION_UP;
	case -EBUSY:
		return CONDITION_BUSY;
	case -ETIMEDOUT:
		return CONDITION_NO_ANSWER;
	case -ENODEV:
		return CONDITION_NO_BALLOON;
	case -ENOENT:
	case -ENOTCONN:
	case -ECONNREFUSED:
	case -ECONNRESET:
	case -EPIPE:
		return CONDITION_GONE;
	default:
		return CONDITION_FAILED;
	}
}

const char *condition_word(enum condition condition)
{
#define CONDITION_WORD(constant, word) [constant] = word,
	static const char *const words[] = { CONDITION_TABLE(CONDITION_WORD) };
#undef CONDITION_WORD

	assert(condition < CONDITIONS);
	return words[condition];
}

bool sample_stat(const struct sample *sample, unsigned stat, uint64_t *value)
{
	assert(stat < STAT_COUNT);
	if ((sample->err && sample->err != -EBUSY) || !sample->has_stats || !sample->stats.ever ||
	    !(sample->stats.present >> stat & 1))
		return false;
	*value = sample->stats.value[stat];
	return true;
}
