/* SPDX-License-Identifier: BSD-2-Clause */
/* Threads, and conditions that are waited for by a deadline: see thread.h. */
#include <assert.h>
#include <signal.h>
#include <stdatomic.h>
#include <time.h>

#include "tools/balloonctl/thread.h"
#include "tools/deadline.h"

static atomic_bool one_was_left;

int thread_start(pthread_t *thread, void *(*run)(void *), void *arg)
{
	sigset_t all, before;
	int err;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	err = pthread_create(thread, NULL, run, arg);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return -err;
}

void thread_init_condition(pthread_cond_t *condition)
{
	pthread_condattr_t attr;

	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(condition, &attr);
	pthread_condattr_destroy(&attr);
}

void thread_wait(pthread_cond_t *condition, pthread_mutex_t *lock, int64_t deadline)
{
	struct timespec until = { .tv_sec = deadline / 1000, .tv_nsec = deadline % 1000 * 1000000 };

	if (deadline == DEADLINE_NONE)
		pthread_cond_wait(condition, lock);
	else
		pthread_cond_timedwait(condition, lock, &until);
}

void thread_share_init(struct thread_share *share)
{
	pthread_mutex_init(&share->lock, NULL);
	thread_init_condition(&share->changed);
}

int thread_share_start(struct thread_share *share, void *(*run)(void *), void *arg)
{
	return thread_start(&share->thread, run, arg);
}

void thread_share_destroy(struct thread_share *share)
{
	pthread_cond_destroy(&share->changed);
	pthread_mutex_destroy(&share->lock);
}

bool thread_share_end(struct thread_share *share)
{
	bool left;

	pthread_mutex_lock(&share->lock);
	assert(!share->ended);
	share->ended = true;
	left = share->left;
	pthread_cond_broadcast(&share->changed);
	pthread_mutex_unlock(&share->lock);
	return left;
}

bool thread_share_leave(struct thread_share *share)
{
	bool ended = share->ended;

	assert(!share->left);
	share->left = true;
	if (!ended) {
		one_was_left = true;
		pthread_detach(share->thread);
	}
	pthread_mutex_unlock(&share->lock);
	if (ended)
		pthread_join(share->thread, NULL);
	return ended;
}

bool thread_was_left(void)
{
	return one_was_left;
}
