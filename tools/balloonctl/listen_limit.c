/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Connections and their time: see listen_limit.h. A connection is ended by shutdown(2),
 * which its owner notices as its end; the owner alone closes it, after removing it here.
 */
#include <assert.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "tools/balloonctl/listen_limit.h"
#include "tools/balloonctl/thread.h"
#include "tools/deadline.h"

struct connection {
	int fd;
	int64_t deadline; /* DEADLINE_NONE: it was ended */
};

struct listen_limit {
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	size_t most;
	int total_ms;
	bool stop; /* the thread is to end */
	size_t count;
	struct connection connections[LISTEN_LIMIT_MAX]; /* oldest first */
};

static void end(struct connection *connection)
{
	shutdown(connection->fd, SHUT_RDWR);
	connection->deadline = DEADLINE_NONE;
}

/* Ends those whose time is over; gives when the next one's is. Has the lock. */
static int64_t end_late(struct listen_limit *limit)
{
	int64_t next = DEADLINE_NONE;

	for (size_t i = 0; i < limit->count; i++) {
		if (deadline_left(limit->connections[i].deadline) == 0)
			end(&limit->connections[i]);
		next = deadline_first(next, limit->connections[i].deadline);
	}
	return next;
}

static void *run(void *arg)
{
	struct listen_limit *limit = arg;

	pthread_mutex_lock(&limit->lock);
	while (!limit->stop)
		thread_wait(&limit->changed, &limit->lock, end_late(limit));
	pthread_mutex_unlock(&limit->lock);
	return NULL;
}

static void end_oldest(struct listen_limit *limit)
{
	size_t living = 0, oldest = 0;

	for (size_t i = limit->count; i-- > 0;) {
		if (limit->connections[i].deadline == DEADLINE_NONE)
			continue;
		living++;
		oldest = i;
	}
	if (living > limit->most)
		end(&limit->connections[oldest]);
}

void listen_limit_add(struct listen_limit *limit, int fd)
{
	pthread_mutex_lock(&limit->lock);
	assert(limit->count < LISTEN_LIMIT_MAX);
	limit->connections[limit->count++] =
		(struct connection){ .fd = fd, .deadline = deadline_in(limit->total_ms) };
	end_oldest(limit);
	pthread_cond_broadcast(&limit->changed);
	pthread_mutex_unlock(&limit->lock);
}

void listen_limit_remove(struct listen_limit *limit, int fd)
{
	size_t i = 0;

	pthread_mutex_lock(&limit->lock);
	while (i < limit->count && limit->connections[i].fd != fd)
		i++;
	assert(i < limit->count);
	limit->count--;
	memmove(&limit->connections[i], &limit->connections[i + 1],
		(limit->count - i) * sizeof(limit->connections[0]));
	pthread_mutex_unlock(&limit->lock);
}

static void discard(struct listen_limit *limit)
{
	pthread_cond_destroy(&limit->changed);
	pthread_mutex_destroy(&limit->lock);
	free(limit);
}

struct listen_limit *listen_limit_start(size_t most, int total_ms)
{
	struct listen_limit *limit = calloc(1, sizeof(*limit));

	assert(most > 0 && most < LISTEN_LIMIT_MAX && total_ms > 0);
	if (!limit)
		return NULL;
	limit->most = most;
	limit->total_ms = total_ms;
	pthread_mutex_init(&limit->lock, NULL);
	thread_init_condition(&limit->changed);
	if (!thread_start(&limit->thread, run, limit))
		return limit;
	discard(limit);
	return NULL;
}

void listen_limit_stop(struct listen_limit *limit)
{
	if (!limit)
		return;
	pthread_mutex_lock(&limit->lock);
	limit->stop = true;
	pthread_cond_broadcast(&limit->changed);
	pthread_mutex_unlock(&limit->lock);
	pthread_join(limit->thread, NULL);
	discard(limit);
}
