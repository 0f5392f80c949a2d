/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Stands in front of the locks of POSIX threads, by the linker's --wrap, and ends the
 * program where one is not held that should be, or is held that should not: unlocked or
 * waited with by a thread that does not hold it, locked twice, destroyed while it is held.
 * tests/tests.mk has the list of calls.
 */
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define LOCKS_MAX 1024 /* held at the same time, by all threads */

int __real_pthread_mutex_lock(pthread_mutex_t *lock);
int __real_pthread_mutex_unlock(pthread_mutex_t *lock);
int __real_pthread_mutex_destroy(pthread_mutex_t *lock);
int __real_pthread_cond_wait(pthread_cond_t *condition, pthread_mutex_t *lock);
int __real_pthread_cond_timedwait(pthread_cond_t *condition, pthread_mutex_t *lock,
				  const struct timespec *until);
int __wrap_pthread_mutex_lock(pthread_mutex_t *lock);
int __wrap_pthread_mutex_unlock(pthread_mutex_t *lock);
int __wrap_pthread_mutex_destroy(pthread_mutex_t *lock);
int __wrap_pthread_cond_wait(pthread_cond_t *condition, pthread_mutex_t *lock);
int __wrap_pthread_cond_timedwait(pthread_cond_t *condition, pthread_mutex_t *lock,
				  const struct timespec *until);

static struct {
	const pthread_mutex_t *lock; /* NULL: free */
	pthread_t holder;
} held[LOCKS_MAX];

static pthread_mutex_t own = PTHREAD_MUTEX_INITIALIZER;

static void fail(const char *what)
{
	fprintf(stderr, "locks: %s\n", what);
	abort();
}

/* Has `own`. */
static size_t find(const pthread_mutex_t *lock)
{
	size_t i = 0;

	while (i < LOCKS_MAX && held[i].lock != lock)
		i++;
	return i;
}

static bool is_mine(const pthread_mutex_t *lock)
{
	bool mine;
	size_t i;

	__real_pthread_mutex_lock(&own);
	i = find(lock);
	mine = i < LOCKS_MAX && pthread_equal(held[i].holder, pthread_self());
	__real_pthread_mutex_unlock(&own);
	return mine;
}

static void note(const pthread_mutex_t *lock)
{
	size_t i;

	__real_pthread_mutex_lock(&own);
	i = find(NULL);
	if (i == LOCKS_MAX)
		fail("too many are held");
	held[i].lock = lock;
	held[i].holder = pthread_self();
	__real_pthread_mutex_unlock(&own);
}

static void forget(const pthread_mutex_t *lock, const char *what)
{
	if (!is_mine(lock))
		fail(what);
	__real_pthread_mutex_lock(&own);
	held[find(lock)].lock = NULL;
	__real_pthread_mutex_unlock(&own);
}

int __wrap_pthread_mutex_lock(pthread_mutex_t *lock)
{
	int err;

	if (is_mine(lock))
		fail("locked twice");
	err = __real_pthread_mutex_lock(lock);
	note(lock);
	return err;
}

int __wrap_pthread_mutex_unlock(pthread_mutex_t *lock)
{
	forget(lock, "unlocked by a thread that does not hold it");
	return __real_pthread_mutex_unlock(lock);
}

int __wrap_pthread_mutex_destroy(pthread_mutex_t *lock)
{
	__real_pthread_mutex_lock(&own);
	if (find(lock) < LOCKS_MAX)
		fail("destroyed while it is held");
	__real_pthread_mutex_unlock(&own);
	return __real_pthread_mutex_destroy(lock);
}

int __wrap_pthread_cond_wait(pthread_cond_t *condition, pthread_mutex_t *lock)
{
	int err;

	forget(lock, "waited with by a thread that does not hold it");
	err = __real_pthread_cond_wait(condition, lock);
	note(lock);
	return err;
}

int __wrap_pthread_cond_timedwait(pthread_cond_t *condition, pthread_mutex_t *lock,
				  const struct timespec *until)
{
	int err;

	forget(lock, "waited with by a thread that does not hold it");
	err = __real_pthread_cond_timedwait(condition, lock, until);
	note(lock);
	return err;
}
