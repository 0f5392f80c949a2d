/* SPDX-License-Identifier: BSD-2-Clause */
/* thread.c: threads that nobody joins, and waits for them that have a deadline. */
#ifndef TOOLS_BALLOONCTL_THREAD_H
#define TOOLS_BALLOONCTL_THREAD_H

#include <pthread.h>
#include <stdint.h>

/*
 * Starts a detached thread that gets no signal: these are for the thread that shows
 * things. -EAGAIN: there are too many.
 */
int thread_start(void *(*run)(void *), void *arg);

/* Initialises a condition for thread_wait(). */
void thread_init_condition(pthread_cond_t *condition);

/* Waits for the condition, at most until `deadline` (of tools/deadline.h). */
void thread_wait(pthread_cond_t *condition, pthread_mutex_t *lock, int64_t deadline);

#endif
