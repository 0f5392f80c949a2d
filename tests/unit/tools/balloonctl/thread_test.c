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
#include <string.h>
#include <unistd.h>

#include "tests/unit/tools/failing.h"
#include "tools/balloonctl/thread.h"
#include "tools/deadline.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed;
static bool started, done;
static sigset_t blocked;

/* Looks at itself when whoever started it has nothing more to do with that. */
static void *note_mask(void *arg)
{
	pthread_mutex_lock(&lock);
	while (!started)
		thread_wait(&changed, &lock, DEADLINE_NONE);
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
	pthread_t thread;
	sigset_t mine;
	int value = 0;

	(void)state;
	sigemptyset(&mine);
	sigaddset(&mine, SIGUSR2);
	pthread_sigmask(SIG_SETMASK, &mine, NULL);
	thread_init_condition(&changed);
	assert_int_equal(thread_start(&thread, note_mask, &value), 0);
	wait_for_it();
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_int_equal(value, 7);
	assert_true(are_blocked(&blocked));
	assert_mask_is(&mine);
	/* Also if there is none. */
	fail_nth(FAILING_CALLS, 1);
	assert_int_equal(thread_start(&thread, note_mask, &value), -EAGAIN);
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

/* ---- what is shared ---- */

/* The thread waits to be told `go`, and ends; whether it had to free is in `freed`. */
static struct thread_share share;
static bool go, freed, over, gone;

/* What a library keeps for each thread takes its time to be freed. */
static pthread_key_t kept;

static void free_slowly(void *arg)
{
	usleep(20000);
	*(bool *)arg = true;
}

static void *end_when_told(void *arg)
{
	bool frees;

	(void)arg;
	pthread_setspecific(kept, &gone);
	pthread_mutex_lock(&share.lock);
	while (!go)
		thread_wait(&share.changed, &share.lock, DEADLINE_NONE);
	pthread_mutex_unlock(&share.lock);
	frees = thread_share_end(&share);
	pthread_mutex_lock(&lock);
	freed = frees;
	over = true;
	pthread_cond_broadcast(&changed);
	pthread_mutex_unlock(&lock);
	return NULL;
}

static void begin_sharing(void)
{
	memset(&share, 0, sizeof(share));
	go = freed = over = gone = false;
	assert_int_equal(pthread_key_create(&kept, free_slowly), 0);
	thread_share_init(&share);
	thread_init_condition(&changed);
	assert_int_equal(thread_share_start(&share, end_when_told, NULL), 0);
}

/* Has the lock. */
static void tell_to_end(void)
{
	go = true;
	pthread_cond_broadcast(&share.changed);
}

static void wait_until_over(void)
{
	pthread_mutex_lock(&lock);
	while (!over)
		thread_wait(&changed, &lock, DEADLINE_NONE);
	pthread_mutex_unlock(&lock);
}

static void end_sharing(void)
{
	/* Nobody has the lock. */
	assert_int_equal(pthread_mutex_trylock(&share.lock), 0);
	pthread_mutex_unlock(&share.lock);
	thread_share_destroy(&share);
	pthread_cond_destroy(&changed);
	pthread_key_delete(kept);
}

static void owner_frees_when_the_thread_has_ended(void **state)
{
	(void)state;
	begin_sharing();
	pthread_mutex_lock(&share.lock);
	tell_to_end();
	while (!share.ended)
		thread_wait(&share.changed, &share.lock, DEADLINE_NONE);
	assert_true(thread_share_leave(&share));
	/* It is not even at its end any more, where the end of the process would meet it. */
	assert_true(over && gone);
	assert_false(freed);
	assert_false(thread_was_left());
	end_sharing();
}

static void thread_that_was_left_frees(void **state)
{
	(void)state;
	begin_sharing();
	pthread_mutex_lock(&share.lock);
	assert_false(thread_share_leave(&share));
	assert_true(thread_was_left());
	pthread_mutex_lock(&share.lock);
	tell_to_end();
	pthread_mutex_unlock(&share.lock);
	wait_until_over();
	assert_true(freed);
	end_sharing();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(signals_are_for_who_started_it),
		cmocka_unit_test(wait_ends_at_its_deadline),
		cmocka_unit_test(owner_frees_when_the_thread_has_ended),
		cmocka_unit_test(thread_that_was_left_frees),
	};

	return cmocka_run_group_tests_name("balloonctl/thread", tests, NULL, NULL);
}
