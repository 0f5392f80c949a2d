/* SPDX-License-Identifier: BSD-2-Clause */
/* tools/balloonctl/thread.c: threads that no signal is for, and waits that end in time. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>

#include <cmocka.h>

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>

#include "tests/unit/tools/failing.h"
#include "tools/balloonctl/thread.h"
#include "tools/deadline.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed;
static bool started, done;
static int detached;
static sigset_t blocked;

/* Looks at itself when whoever started it has nothing more to do with that. */
static void *note_mask(void *arg)
{
	pthread_attr_t attr;

	pthread_mutex_lock(&lock);
	while (!started)
		thread_wait(&changed, &lock, DEADLINE_NONE);
	pthread_getattr_np(pthread_self(), &attr);
	pthread_attr_getdetachstate(&attr, &detached);
	pthread_attr_destroy(&attr);
	pthread_sigmask(SIG_BLOCK, NULL, &blocked);
	*(int *)arg = 7;
	done = true;
	pthread_cond_broadcast(&changed);
	pthread_mutex_unlock(&lock);
	return NULL;
}

static void wait_for_it(void)
{
	pthread_mutex_lock(&lock);
	started = true;
	pthread_cond_broadcast(&changed);
	while (!done)
		thread_wait(&changed, &lock, DEADLINE_NONE);
	started = done = false;
	pthread_mutex_unlock(&lock);
}

/* Whether this thread has all signals blocked that can be. */
static bool are_blocked(const sigset_t *set)
{
	return sigismember(set, SIGINT) == 1 && sigismember(set, SIGTERM) == 1 &&
	       sigismember(set, SIGHUP) == 1 && sigismember(set, SIGALRM) == 1 &&
	       sigismember(set, SIGWINCH) == 1;
}

static void assert_mask_is(const sigset_t *wanted)
{
	sigset_t now;

	pthread_sigmask(SIG_BLOCK, NULL, &now);
	for (int number = 1; number < 32; number++)
		assert_int_equal(sigismember(&now, number), sigismember(wanted, number));
}

static void signals_are_for_who_started_it(void **state)
{
	sigset_t mine;
	int value = 0;

	(void)state;
	sigemptyset(&mine);
	sigaddset(&mine, SIGUSR2);
	pthread_sigmask(SIG_SETMASK, &mine, NULL);
	thread_init_condition(&changed);
	assert_int_equal(thread_start(note_mask, &value), 0);
	wait_for_it();
	assert_int_equal(value, 7);
	assert_true(are_blocked(&blocked));
	/* Nobody joins it. */
	assert_int_equal(detached, PTHREAD_CREATE_DETACHED);
	assert_mask_is(&mine);
	/* Also if there is none. */
	fail_nth(FAILING_CALLS, 1);
	assert_int_equal(thread_start(note_mask, &value), -EAGAIN);
	fail_nth(FAILING_CALLS, 0);
	assert_mask_is(&mine);
	pthread_cond_destroy(&changed);
}

/* By the clock of deadline_now(), which nobody sets. */
static void wait_ends_at_its_deadline(void **state)
{
	int64_t start = deadline_now(), end = start + 30;
	unsigned waits = 0;

	(void)state;
	thread_init_condition(&changed);
	pthread_mutex_lock(&lock);
	while (deadline_now() < end && waits++ < 1000)
		thread_wait(&changed, &lock, end);
	/* But for a wakening that nothing has caused, which may be, it is one wait. */
	assert_true(waits < 100);
	/* One that is over is not waited for. */
	thread_wait(&changed, &lock, start);
	pthread_mutex_unlock(&lock);
	pthread_cond_destroy(&changed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(signals_are_for_who_started_it),
		cmocka_unit_test(wait_ends_at_its_deadline),
	};

	return cmocka_run_group_tests_name("balloonctl/thread", tests, NULL, NULL);
}
